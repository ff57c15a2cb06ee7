#include "builtin.h"
#include "strategy_fixture.h"

static void s_finish(void)
{
    strategy_core_destroy(&bench.core);
}

TestSuite(strategy_momentum, .fini = s_finish);

/* Moves the price from `from` to `to`, one unit a tick. */
static void s_walk(int from, int to)
{
    int step = to > from ? 1 : -1;
    for (int mid = from; mid != to + step; mid += step) bench_mid(mid);
}

Test(strategy_momentum, buys_on_the_fifth_rising_tick)
{
    bench_start(&momentum_strategy, "");
    s_walk(50000, 50004);
    cr_assert(bench.signals_count == 0, "four ticks are no run");
    bench_mid(50005);
    cr_assert(bench.signals_count == 1);
    /* 1,000 at the ask of 50,006, in lots; the limit is half a per mille above, on tick. */
    bench_expect(0, ZVT_SIDE_BUY, "0.01999", "50031");
    cr_assert(bench.signals[0].order_request.time_in_force == ZVT_TIF_IOC);
    cr_assert(bench.signals[0].order_request.trigger_price_e8 == e8("50006"));
}

Test(strategy_momentum, an_equal_quote_is_no_tick_and_a_falling_one_ends_the_run)
{
    bench_start(&momentum_strategy, "");
    s_walk(50000, 50004);
    bench_mid(50004);
    bench_mid(50004);
    cr_assert(bench.signals_count == 0);
    bench_mid(50003);
    s_walk(50004, 50007);
    cr_assert(bench.signals_count == 0);
    bench_mid(50008);
    cr_assert(bench.signals_count == 1);
}

Test(strategy_momentum, sells_all_it_has_after_five_falling_ticks)
{
    bench_make(&momentum_strategy, "");
    bench_hold("0.12345");
    strategy_core_start(bench.core);
    s_walk(50000, 49995);
    cr_assert(bench.signals_count == 1);
    bench_expect(0, ZVT_SIDE_SELL, "0.12345", "49969.01");
}

Test(strategy_momentum, never_sells_what_it_does_not_have)
{
    bench_start(&momentum_strategy, "cooldown_ms=0");
    s_walk(50000, 49950);
    cr_assert(bench.signals_count == 0);
    bench.seq = 1;
    bench_hold("-1");
    s_walk(49950, 49900);
    cr_assert(bench.signals_count == 0, "a short position is nothing to sell");
}

Test(strategy_momentum, keeps_a_dust_position_that_no_venue_would_take)
{
    bench_make(&momentum_strategy, "");
    bench_hold("0.0001"); /* worth 5, the smallest order is 10 */
    strategy_core_start(bench.core);
    s_walk(50000, 49990);
    cr_assert(bench.signals_count == 0);
}

Test(strategy_momentum, has_one_order_at_a_time_and_rests_between_two)
{
    bench_start(&momentum_strategy, "cooldown_ms=2000");
    s_walk(50000, 50030);
    cr_assert(bench.signals_count == 1, "the first is still open");
    bench_fill(0);
    cr_assert(bench.signals_count == 1);
    bench_mid(50031);
    cr_assert(bench.signals_count == 2, "it was open for longer than the pause");
    bench_fill(1);
    s_walk(50032, 50050);
    cr_assert(bench.signals_count == 2, "1.9 s");
    bench_mid(50051);
    cr_assert(bench.signals_count == 3);
}

Test(strategy_momentum, stops_buying_at_its_largest_position)
{
    bench_start(&momentum_strategy, "cooldown_ms=0,quantity=0.1,position_orders=3");
    for (int i = 0; i < 60; i++) {
        size_t before = bench.signals_count;
        bench_mid(50000 + i);
        if (bench.signals_count > before) bench_fill(before);
    }
    cr_assert(bench.signals_count == 3 && zvt_strategy_position(bench.core) == e8("0.3"));
}

Test(strategy_momentum, pauses_after_a_refusal)
{
    bench_start(&momentum_strategy, "cooldown_ms=0,refusal_ms=5000");
    s_walk(50000, 50005);
    bench_rejected(0, ZVT_STAGE_RISK, ZVT_CODE_HALTED);
    s_walk(50006, 50054);
    cr_assert(bench.signals_count == 1, "4.9 s");
    bench_mid(50055);
    cr_assert(bench.signals_count == 2);
}

Test(strategy_momentum, reads_one_venue_so_that_two_do_not_make_a_zigzag)
{
    bench_start(&momentum_strategy, "");
    for (int i = 0; i < 6; i++) {
        char bid[16], ask[16];
        snprintf(bid, sizeof bid, "%d", 50000 + i);
        snprintf(ask, sizeof ask, "%d", 50002 + i);
        bench_quote("alpha", bid, ask);
        bench_quote("beta", "49990", "49993");
    }
    cr_assert(bench.signals_count == 1);
}

Test(strategy_momentum, turns_to_another_venue_when_its_own_is_silent)
{
    bench_start(&momentum_strategy, "");
    s_walk(50000, 50004);
    for (int i = 0; i < 60; i++) bench_quote("beta", "49990", "49993");
    cr_assert(bench.signals_count == 0, "the run of the other venue is void");
    for (int i = 1; i <= 5; i++) {
        char bid[16], ask[16];
        snprintf(bid, sizeof bid, "%d", 49990 + i);
        snprintf(ask, sizeof ask, "%d", 49993 + i);
        bench_quote("beta", bid, ask);
    }
    cr_assert(bench.signals_count == 1);
}

Test(strategy_momentum, ignores_an_empty_side_and_a_crossed_book)
{
    bench_start(&momentum_strategy, "");
    s_walk(50000, 50004);
    bench_quote("alpha", "0", "50010");
    bench_quote("alpha", "50010", "0");
    bench_quote("alpha", "50012", "50010");
    cr_assert(bench.signals_count == 0);
    bench_mid(50005);
    cr_assert(bench.signals_count == 1);
}

Test(strategy_momentum, the_length_of_a_run_is_a_setting)
{
    bench_start(&momentum_strategy, "rising_ticks=2");
    s_walk(50000, 50002);
    cr_assert(bench.signals_count == 1);
}
