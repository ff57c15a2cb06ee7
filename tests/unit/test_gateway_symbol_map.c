#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "symbol_map.h"

static zvt_fleet_t s_fleet;
static char s_problem[ZVT_PROBLEM_SIZE];

/* A symbol as a record holds it: padded with NULs. */
static const char *s_padded(const char *text)
{
    static char symbol[ZVT_SYMBOL_SIZE];
    ZVT_STR_SET(symbol, text);
    return symbol;
}

static void s_load(const char *instruments)
{
    char text[2048];
    snprintf(text, sizeof text,
             "instruments\n%svenues\n    alpha\n        maker_fee = 0.0002\n        taker_fee = 0.0005\n", instruments);
    cr_assert_eq(zvt_fleet_parse(text, "test", &s_fleet, s_problem), 0, "%s", s_problem);
}

#define INSTRUMENT(symbol) \
    "    " symbol "\n        tick = 0.01\n        lot = 0.001\n        min_notional = 10\n        price = 100\n" \
    "        max_quantity = 1000\n        max_position = 1000\n"

Test(symbol_map, finds_an_instrument_by_both_spellings)
{
    symbol_map_t map;
    s_load(INSTRUMENT("BTC/USDT") INSTRUMENT("ETH/USDT"));
    cr_assert_eq(symbol_map_init(&map, &s_fleet, s_problem), 0);
    cr_assert_eq(symbol_map_of_venue(&map, s_padded("ETHUSDT")), 1);
    cr_assert_eq(symbol_map_of_house(&map, s_padded("ETH/USDT")), 1);
    cr_assert_str_eq(map.venue_symbols[0], "BTCUSDT");
    symbol_map_destroy(&map);
}

Test(symbol_map, does_not_take_one_spelling_for_the_other)
{
    symbol_map_t map;
    s_load(INSTRUMENT("BTC/USDT"));
    cr_assert_eq(symbol_map_init(&map, &s_fleet, s_problem), 0);
    cr_assert_eq(symbol_map_of_venue(&map, s_padded("BTC/USDT")), SYMBOL_MAP_NONE);
    cr_assert_eq(symbol_map_of_house(&map, s_padded("BTCUSDT")), SYMBOL_MAP_NONE);
    cr_assert_eq(symbol_map_of_venue(&map, s_padded("")), SYMBOL_MAP_NONE);
    symbol_map_destroy(&map);
}

Test(symbol_map, refuses_two_instruments_with_one_spelling_at_the_venue)
{
    symbol_map_t map;
    s_load(INSTRUMENT("AB/CD") INSTRUMENT("ABC/D"));
    cr_assert_eq(symbol_map_init(&map, &s_fleet, s_problem), ZVT_ERR_EXISTS);
    cr_assert(strstr(s_problem, "AB/CD and ABC/D are both ABCD") != NULL, "%s", s_problem);
}
