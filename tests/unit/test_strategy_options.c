#include <criterion/criterion.h>
#include <string.h>

#include "builtin.h"
#include "strategy_options.h"

static zvt_fleet_t fleet;
static strategy_options_t options;
static desk_core_t *desk;
static char problem[SETTINGS_PROBLEM_SIZE];

static const zvt_strategy_t *const s_all[] = {&momentum_strategy, &breakout_strategy};
static const strategy_catalog_t s_catalog = {.strategies = s_all, .count = 2};

static void s_drop(void *arg, zvt_type_t type, const void *record)
{
    (void)arg;
    (void)type;
    (void)record;
}

static void s_silence(void *arg, const char *name, const char *text)
{
    (void)arg;
    (void)name;
    (void)text;
}

static void s_setup(void)
{
    static const char text[] = "fleet\n    name = \"test\"\ninstruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.00001\n"
                               "        max_quantity = 20\n        max_position = 100\n    ETH/USDT\n        tick = 0.01\n"
                               "        lot = 0.0001\n        max_quantity = 400\n        max_position = 2000\n"
                               "venues\n    alpha\n        latency_ms = 1\n    beta\n        latency_ms = 1\n"
                               "strategies\n    fast\n        strategy = \"momentum\"\n        symbol = \"ETH/USDT\"\n"
                               "        venue = \"beta\"\n        set\n            rising_ticks = 3\n";
    char fleet_problem[ZVT_PROBLEM_SIZE];
    cr_assert(zvt_fleet_parse(text, "test.zpl", &fleet, fleet_problem) == 0, "%s", fleet_problem);
}

static void s_teardown(void)
{
    desk_core_destroy(&desk);
}

static int s_fill(const char *name)
{
    int count = strategy_options_count(&options, problem);
    if (count < 0) return count;
    desk_output_t output = {.send = s_drop, .log = s_silence};
    desk = desk_core_new(name, 1, 1, (uint32_t)count, &output);
    return strategy_options_fill(&options, &s_catalog, &fleet, name, desk, problem);
}

static const strategy_config_t *s_config(uint32_t index)
{
    return strategy_core_config(desk_core_strategy(desk, index));
}

TestSuite(strategy_options, .init = s_setup, .fini = s_teardown);

Test(strategy_options, the_fleet_file_describes_a_strategy_of_that_name)
{
    cr_assert(s_fill("fast") == 0, "%s", problem);
    cr_assert(desk_core_count(desk) == 1);
    cr_assert_str_eq(s_config(0)->strategy->name, "momentum");
    cr_assert_str_eq(s_config(0)->instrument->symbol, "ETH/USDT");
    cr_assert_str_eq(s_config(0)->venue, "beta");
    cr_assert_str_eq(s_config(0)->portfolio, "main");
}

Test(strategy_options, the_environment_overrides_the_file_and_the_command_line_both)
{
    options.environment_symbol = "BTC/USDT";
    options.environment_venue = "alpha";
    options.environment_settings = "rising_ticks=4,falling_ticks=4";
    options.venue = "beta";
    cr_assert(strategy_options_add_setting(&options, "rising_ticks=6") == 0);
    cr_assert(s_fill("fast") == 0, "%s", problem);
    cr_assert_str_eq(s_config(0)->instrument->symbol, "BTC/USDT");
    cr_assert_str_eq(s_config(0)->venue, "beta");
}

Test(strategy_options, the_file_settings_of_another_strategy_are_left_out)
{
    options.strategy = "breakout";
    cr_assert(s_fill("fast") == 0, "%s", problem);
    cr_assert_str_eq(s_config(0)->strategy->name, "breakout");
}

Test(strategy_options, a_name_outside_the_file_trades_the_first_instrument)
{
    options.strategy = "momentum";
    cr_assert(s_fill("new") == 0, "%s", problem);
    cr_assert_str_eq(s_config(0)->instrument->symbol, "BTC/USDT");
}

Test(strategy_options, count_makes_numbered_copies)
{
    options.strategy = "momentum";
    options.count = "3";
    cr_assert(s_fill("load") == 0, "%s", problem);
    cr_assert(desk_core_count(desk) == 3);
    cr_assert_str_eq(s_config(0)->name, "load-1");
    cr_assert_str_eq(s_config(2)->name, "load-3");
}

Test(strategy_options, copies_trade_instruments_by_turns)
{
    options.strategy = "momentum";
    options.symbol = "ETH/USDT";
    options.count = "3";
    options.symbols = "2";
    cr_assert(s_fill("load") == 0, "%s", problem);
    cr_assert_str_eq(s_config(0)->instrument->symbol, "ETH/USDT");
    cr_assert_str_eq(s_config(1)->instrument->symbol, "BTC/USDT");
    cr_assert_str_eq(s_config(2)->instrument->symbol, "ETH/USDT");
}

Test(strategy_options, more_instruments_than_there_are_is_a_mistake)
{
    options.strategy = "momentum";
    options.count = "3";
    options.symbols = "3";
    cr_assert(s_fill("load") != 0);
    cr_assert(strstr(problem, "from 1 to 2") != NULL, "%s", problem);
}

Test(strategy_options, with_adds_a_section_of_the_file)
{
    options.strategy = "breakout";
    cr_assert(strategy_options_add_with(&options, "fast") == 0);
    cr_assert(s_fill("other") == 0, "%s", problem);
    cr_assert(desk_core_count(desk) == 2);
    cr_assert_str_eq(s_config(1)->name, "fast");
}

Test(strategy_options, mistakes_are_named_with_what_there_is)
{
    static const struct {
        const char *strategy, *symbol, *venue, *count, *setting, *with, *problem;
    } cases[] = {
        {.problem = "say which strategy to run with --strategy; there are: momentum, breakout"},
        {.strategy = "momentun", .problem = "unknown strategy 'momentun'; there are: momentum, breakout"},
        {.strategy = "momentum", .symbol = "X/Y", .problem = "unknown symbol 'X/Y'; the fleet file has: BTC/USDT, ETH/USDT"},
        {.strategy = "momentum", .venue = "gamma", .problem = "unknown venue 'gamma'; the fleet file has: alpha, beta"},
        {.strategy = "momentum", .count = "0", .problem = "--count 0: use a number from 1 to 4096"},
        {.strategy = "momentum", .count = "many", .problem = "--count many: use a number from 1 to 4096"},
        {.strategy = "momentum", .setting = "rising_ticks", .problem = "setting 'rising_ticks' is not key=value"},
        {.strategy = "momentum", .with = "x", .problem = "--with x: the fleet file has no such strategy"},
        {.strategy = "momentum", .setting = "rising_ticks=0",
         .problem = "'rising_ticks=0' is not a whole number from 1 to 1000; the default is 5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        options = (strategy_options_t){.strategy = cases[i].strategy, .symbol = cases[i].symbol, .venue = cases[i].venue,
                                       .count = cases[i].count};
        if (cases[i].setting != NULL) cr_assert(strategy_options_add_setting(&options, cases[i].setting) == 0);
        if (cases[i].with != NULL) cr_assert(strategy_options_add_with(&options, cases[i].with) == 0);
        cr_expect(s_fill("new") < 0, "case %zu", i);
        cr_expect(strcmp(problem, cases[i].problem) == 0, "case %zu: %s", i, problem);
        desk_core_destroy(&desk);
    }
}

Test(strategy_options, two_strategies_may_not_share_a_name)
{
    cr_assert(strategy_options_add_with(&options, "fast") == 0);
    cr_assert(s_fill("fast") == ZVT_ERR_EXISTS);
    cr_assert_str_eq(problem, "strategy name 'fast' is there twice; every strategy needs its own");
}
