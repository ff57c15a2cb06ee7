#include "builtin.h"
#include "strategy_fixture.h"

static void s_finish(void)
{
    strategy_core_destroy(&bench.core);
}

TestSuite(strategy_breakout, .fini = s_finish);

/* Ten ticks between 49,990 and 50,010. */
static void s_range(void)
{
    static const int mids[] = {50000, 50005, 50010, 50002, 49995, 49990, 49998, 50004, 49999, 50001};
    for (size_t i = 0; i < sizeof mids / sizeof mids[0]; i++) bench_mid(mids[i]);
}

#define SETTINGS "window=10,threshold=0.0001,cooldown_ms=0"

Test(strategy_breakout, buys_above_resistance)
{
    bench_start(&breakout_strategy, SETTINGS);
    s_range();
    bench_mid(50015); /* 5 above resistance; the threshold is 5.0015 */
    cr_assert(bench.signals_count == 0);
    bench_mid(50021); /* 6 above the new resistance */
    cr_assert(bench.signals_count == 1);
    bench_expect(0, ZVT_SIDE_BUY, "0.01999", "50047.01");
}

Test(strategy_breakout, sells_what_it_has_below_support)
{
    bench_make(&breakout_strategy, SETTINGS);
    bench_hold("0.04");
    strategy_core_start(bench.core);
    s_range();
    bench_mid(49986);
    cr_assert(bench.signals_count == 0, "within the threshold");
    bench_mid(49980);
    cr_assert(bench.signals_count == 1);
    bench_expect(0, ZVT_SIDE_SELL, "0.04", "49954.02");
}

Test(strategy_breakout, does_nothing_before_its_window_is_full)
{
    bench_start(&breakout_strategy, "window=10,threshold=0,cooldown_ms=0");
    for (int i = 0; i < 10; i++) bench_mid(50000 + i);
    cr_assert(bench.signals_count == 0);
    bench_mid(50010);
    cr_assert(bench.signals_count == 1);
}

Test(strategy_breakout, forgets_extremes_that_leave_the_window)
{
    bench_start(&breakout_strategy, SETTINGS);
    bench_mid(50200);
    s_range();
    bench_mid(50100); /* 50,200 is the eleventh tick back */
    cr_assert(bench.signals_count == 1);
}

Test(strategy_breakout, learns_a_new_range_at_another_venue)
{
    bench_start(&breakout_strategy, SETTINGS);
    s_range();
    for (int i = 0; i < 60; i++) bench_quote("beta", "51000", "51002");
    cr_assert(bench.signals_count == 0);
}

Test(strategy_breakout, sells_nothing_without_a_position)
{
    bench_start(&breakout_strategy, SETTINGS);
    s_range();
    bench_mid(49000);
    cr_assert(bench.signals_count == 0);
}
