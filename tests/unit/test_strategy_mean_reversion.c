#include "builtin.h"
#include "strategy_fixture.h"

static void s_finish(void)
{
    strategy_core_destroy(&bench.core);
}

TestSuite(strategy_mean_reversion, .fini = s_finish);

#define SETTINGS "window=8,entry_z=2,exit_z=0,cooldown_ms=0"

/* Eight ticks with mean 50,000 and standard deviation 10. */
static void s_settle(void)
{
    for (int i = 0; i < 4; i++) {
        bench_mid(50010);
        bench_mid(49990);
    }
}

Test(strategy_mean_reversion, buys_two_deviations_below_the_mean)
{
    bench_start(&mean_reversion_strategy, SETTINGS);
    s_settle();
    bench_mid(49981); /* 1.9 deviations; the window takes it up */
    cr_assert(bench.signals_count == 0);
}

Test(strategy_mean_reversion, the_entry_is_exact)
{
    bench_start(&mean_reversion_strategy, SETTINGS);
    s_settle();
    bench_mid(49980); /* exactly 2 */
    cr_assert(bench.signals_count == 1);
    bench_expect(0, ZVT_SIDE_BUY, "0.02", "50005.99");
    cr_assert(bench.signals[0].confidence_e8 == ZVT_E8 / 2);
}

Test(strategy_mean_reversion, sells_when_the_price_is_back_at_the_mean)
{
    bench_make(&mean_reversion_strategy, SETTINGS);
    bench_hold("0.04");
    strategy_core_start(bench.core);
    s_settle();
    bench_mid(49999);
    cr_assert(bench.signals_count == 0);
    bench_mid(50001); /* the mean is now 49,998.6 */
    cr_assert(bench.signals_count == 1);
    bench_expect(0, ZVT_SIDE_SELL, "0.04", "49975");
}

Test(strategy_mean_reversion, does_nothing_while_nothing_varies_or_the_window_fills)
{
    bench_start(&mean_reversion_strategy, SETTINGS);
    bench_mid(50000);
    for (int i = 1; i < 8; i++) bench_mid(50000 - i * i * 10);
    cr_assert(bench.signals_count == 0);
}

Test(strategy_mean_reversion, the_sliding_sums_stay_exact_over_a_long_walk)
{
    bench_start(&mean_reversion_strategy, SETTINGS);
    for (int i = 0; i < 5000; i++) {
        size_t before = bench.signals_count;
        bench_mid(50000 + (i * 37) % 11 + i / 10);
        if (bench.signals_count > before) bench_rejected(before, ZVT_STAGE_RISK, ZVT_CODE_HALTED);
        cr_assert(bench.signals_count < BENCH_MAX - 4);
        bench_pass(0);
    }
    size_t before = bench.signals_count;
    bench_pass(10000);
    s_settle();
    bench_pass(10000);
    bench_mid(49980);
    cr_assert(bench.signals_count == before + 1, "decides as a fresh one would");
}

Test(strategy_mean_reversion, survives_absurd_prices)
{
    bench_start(&mean_reversion_strategy, "window=1024,cooldown_ms=0");
    for (int i = 0; i < 3000; i++) {
        bench_quote("alpha", i % 3 == 0 ? "9999999999" : "1", i % 3 == 0 ? "10000000000" : "2");
        bench_quote("alpha", "99999990", "99999999");
        bench_quote("alpha", "92233720368", "92233720368.54775807"); /* beyond what counts as a price */
    }
    cr_assert(bench.signals_count <= 1);
}
