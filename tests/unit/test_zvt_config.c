#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_config.h"
#include "zvt_fixed.h"

static zvt_fleet_t s_fleet;
static char s_problem[ZVT_PROBLEM_SIZE];

static int s_load(const char *text)
{
    s_problem[0] = '\0';
    return zvt_fleet_parse(text, "f.zpl", &s_fleet, s_problem);
}

#define GOOD "instruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        max_quantity = 1\n        max_position = 2\n" \
             "venues\n    alpha\n        taker_fee = 0.001\n        balances\n            USDT = 100.5\n"

Test(zvt_config, reads_what_is_there_and_fills_in_what_is_not)
{
    cr_assert_eq(s_load(GOOD), 0, "%s", s_problem);
    cr_assert_eq(s_fleet.instruments_count, 1);
    cr_assert_str_eq(s_fleet.instruments[0].base, "BTC");
    cr_assert_str_eq(s_fleet.instruments[0].quote, "USDT");
    cr_assert_eq(s_fleet.instruments[0].tick_e8, 1000000);
    cr_assert_eq(s_fleet.venues[0].balances[0].amount_e8, 10050000000);
    cr_assert_eq(s_fleet.seed, 42);
    cr_assert(!s_fleet.allow_short);
    cr_assert(!s_fleet.standby);
    cr_assert_eq(s_fleet.takeover_ms, 2000);
    cr_assert_eq(zvt_fleet_instrument(&s_fleet, "BTC/USDT"), 0);
    cr_assert_eq(zvt_fleet_instrument(&s_fleet, "BTC"), -1);
    cr_assert_eq(zvt_fleet_venue(&s_fleet, "alpha"), 0);
}

Test(zvt_config, finds_each_of_as_many_instruments_as_there_may_be)
{
    static char text[65536];
    char symbol[ZVT_SYMBOL_SIZE];
    size_t length = 0;
    length += (size_t)snprintf(text, sizeof text, "instruments\n");
    for (int i = 0; i < ZVT_INSTRUMENTS_MAX; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "    A%d/USDT\n        tick = 0.01\n        lot = 0.001\n"
                                   "        max_quantity = 1\n        max_position = 2\n", i);
    snprintf(text + length, sizeof text - length, "venues\n    alpha\n        taker_fee = 0.001\n");
    cr_assert_eq(s_load(text), 0, "%s", s_problem);
    for (int i = 0; i < ZVT_INSTRUMENTS_MAX; i++) {
        snprintf(symbol, sizeof symbol, "A%d/USDT", i);
        cr_assert_eq(zvt_fleet_instrument(&s_fleet, symbol), i);
        snprintf(symbol, sizeof symbol, "A%d/USD", i);
        cr_assert_eq(zvt_fleet_instrument(&s_fleet, symbol), -1);
    }
    cr_assert_eq(s_load(GOOD), 0, "%s", s_problem);
    cr_assert_eq(zvt_fleet_instrument(&s_fleet, "A1/USDT"), -1, "of the file before");
}

Test(zvt_config, a_venue_has_no_faults_unless_they_are_asked_for)
{
    cr_assert_eq(s_load(GOOD), 0, "%s", s_problem);
    cr_assert_eq(s_fleet.venues[0].faults.lose_e8, 0);
    cr_assert_eq(s_load(GOOD "        faults\n            lose = 0.02\n            late_ms = 700\n"), 0, "%s", s_problem);
    cr_assert_eq(s_fleet.venues[0].faults.lose_e8, ZVT_E8 / 50);
    cr_assert_eq(s_fleet.venues[0].faults.late_ms, 700);
    cr_assert_eq(s_fleet.venues[0].faults.duplicate_e8, 0);
    cr_assert_eq(s_fleet.venues[0].balances_count, 1);
}

Test(zvt_config, names_the_line_of_what_is_wrong)
{
    static const struct { const char *text; const char *where; const char *what; } cases[] = {
        {GOOD "risk\n    max_notinal = 5\n", "f.zpl:13:", "max_notinal"},
        {GOOD "orchestrator\n    takeover_ms = 100\n", "f.zpl:13:", "takeover_ms = 100"},
        {GOOD "rsk\n    max_notional = 5\n", "f.zpl:12:", "unknown section 'rsk'"},
        {GOOD "risk\n    max_notional = many\n", "f.zpl:13:", "max_notional = many"},
        {GOOD "risk\n    allow_short = perhaps\n", "f.zpl:13:", "yes or no"},
        {GOOD "strategies\n    one\n        strategy = momentum\n        symbol = XXX/YYY\n", "f.zpl:13:", "XXX/YYY"},
        {GOOD "strategies\n    one\n        symbol = BTC/USDT\n", "f.zpl:13:", "needs a key 'strategy'"},
        {"instruments\n    BTCUSDT\n        tick = 1\n", "f.zpl:2:", "BASE/QUOTE"},
        {"instruments\n    BTC/USDT\n        tick = 0\n", "f.zpl:3:", "tick = 0"},
        {"instruments\n    BTC/USDT\n        tick = 0.000000001\n", "f.zpl:3:", "8 places"},
        {"venues\n    a.b\n        maker_fee = 0\n", "f.zpl:2:", "letters, digits"},
        {"venues\n    a\n        balances\n            USDT = -1\n", "f.zpl:4:", "USDT = -1"},
        {GOOD "        faults\n            loose = 0.1\n", "f.zpl:13:", "knows: lose, late"},
        {GOOD "        faults\n            lose = 0.6\n            late = 0.5\n", "f.zpl:12:", "together at most 1"},
        {GOOD "        makr_fee = 0\n", "f.zpl:12:", "balances, faults"},
        {"venues\n  a\n", "f.zpl:2:", "indent"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_neq(s_load(cases[i].text), 0, "case %zu", i);
        cr_assert_not_null(strstr(s_problem, cases[i].where), "case %zu: %s", i, s_problem);
        cr_assert_not_null(strstr(s_problem, cases[i].what), "case %zu: %s", i, s_problem);
    }
}

Test(zvt_config, an_empty_or_missing_file_says_what_to_do)
{
    cr_assert_neq(s_load(""), 0);
    cr_assert_not_null(strstr(s_problem, "instruments"));
    cr_assert_eq(zvt_fleet_load("/nonexistent/fleet.zpl", &s_fleet, s_problem), ZVT_ERR_IO);
    cr_assert_not_null(strstr(s_problem, "--config"));
}
