#include <criterion/criterion.h>

#include "recorded_core.h"
#include "venue_fixture.h"

static recorded_core_t *s_market;
static market_t s_ops;
static fixture_tape_t s_tape;
static uint64_t s_update_id;

static void s_setup(void)
{
    fixture_clear(&s_tape);
    market_events_t events = fixture_events(&s_tape);
    s_market = recorded_core_new(fixture_fleet(), &events);
    s_ops = recorded_core_market(s_market);
    s_update_id = 100;
}

static void s_teardown(void) { recorded_core_destroy(&s_market); }
TestSuite(recorded_core, .init = s_setup, .fini = s_teardown);

/* Bids 100 x 5, 99 x 6, 98 x 7; asks 101 x 5, 102 x 6, 103 x 7. */
static void s_load(void)
{
    zvt_level_t bids[] = {{E8(100), E8(5)}, {E8(99), E8(6)}, {E8(98), E8(7)}};
    zvt_level_t asks[] = {{E8(101), E8(5)}, {E8(102), E8(6)}, {E8(103), E8(7)}};
    depth_update_t snapshot = {.last_id = s_update_id, .levels = {bids, asks}, .counts = {3, 3}};
    recorded_core_on_snapshot(s_market, 0, &snapshot);
}

static void s_change(uint8_t side, double price, double quantity)
{
    zvt_level_t level = {E8(price), E8(quantity)};
    bool bid = side == ZVT_SIDE_BUY;
    depth_update_t diff = {.first_id = s_update_id + 1, .last_id = s_update_id + 1, .levels = {&level, &level},
                           .counts = {bid ? 1 : 0, bid ? 0 : 1}};
    s_update_id++;
    recorded_core_on_diff(s_market, 0, &diff);
}

static void s_quote(uint64_t id, double bid, double bid_size, double ask, double ask_size)
{
    recorded_quote_t quote = {.update_id = id, .best = {{E8(bid), E8(bid_size)}, {E8(ask), E8(ask_size)}}};
    recorded_core_on_quote(s_market, 0, &quote);
}

static void s_trade(uint8_t aggressor, double price, double quantity)
{
    recorded_core_on_trade(s_market, 0, aggressor, E8(price), E8(quantity));
    fixture_clear(&s_tape);
}

/* Fills that a trade caused, without its own print. */
static const char *s_fills_of_trade(uint8_t aggressor, double price, double quantity)
{
    fixture_clear(&s_tape);
    recorded_core_on_trade(s_market, 0, aggressor, E8(price), E8(quantity));
    const char *end = strchr(s_tape.text, ';');
    return end + 1;
}

static void s_on_take(void *arg, int64_t price_e8, int64_t quantity_e8)
{
    fixture_note(arg, "took", price_e8, quantity_e8);
}

static double s_take(uint8_t side, double limit, double quantity)
{
    market_take_t take = {.side = side, .limit_e8 = E8(limit), .quantity_e8 = E8(quantity)};
    fixture_tape_t tape = {0};
    int64_t executed_e8 = s_ops.ops->take(s_ops.market, &take, s_on_take, &tape);
    s_tape = tape;
    return (double)executed_e8 / 1e8;
}

static market_preview_t s_preview(uint8_t side, double limit, double quantity)
{
    market_take_t take = {.side = side, .limit_e8 = E8(limit), .quantity_e8 = E8(quantity)};
    market_preview_t preview;
    s_ops.ops->preview(s_ops.market, &take, &preview);
    return preview;
}

static void s_rest(uint32_t slot, uint8_t side, double price, double quantity)
{
    market_rest_t rest = {.slot = slot, .side = side, .price_e8 = E8(price), .quantity_e8 = E8(quantity)};
    cr_assert_eq(s_ops.ops->rest(s_ops.market, &rest), 0);
}

static zvt_level_t s_best(uint8_t side)
{
    zvt_level_t level = {0};
    (void)s_ops.ops->levels(s_ops.market, 0, side, &level, 1);
    return level;
}

Test(recorded_core, takes_walk_the_levels_best_first)
{
    s_load();
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 0, 8), 8);
    cr_assert_str_eq(s_tape.text, "took 101 5;took 102 3;");
    cr_assert_eq(s_best(ZVT_SIDE_SELL).price_e8, E8(102));
    cr_assert_eq(s_best(ZVT_SIDE_SELL).quantity_e8, E8(3));
}

Test(recorded_core, what_we_took_is_gone_until_the_feed_changes_the_level)
{
    s_load();
    s_take(ZVT_SIDE_BUY, 101, 4);
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 101, 4), 1);
    s_change(ZVT_SIDE_SELL, 101, 5);
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 101, 4), 0, "the same quantity again is no news");
    s_change(ZVT_SIDE_SELL, 101, 3);
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 101, 4), 3);
}

Test(recorded_core, trades_at_our_price_use_up_the_queue_first)
{
    s_load();
    s_rest(1, ZVT_SIDE_BUY, 100, 2);
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_SELL, 100, 4), "");
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_SELL, 100, 2), "fill 1 100 1;");
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_SELL, 100, 2), "fill 1 100 1;");
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_SELL, 100, 2), "", "filled completely");
}

Test(recorded_core, a_shrinking_level_shrinks_the_queue_before_us)
{
    s_load();
    s_rest(1, ZVT_SIDE_BUY, 100, 2);
    s_change(ZVT_SIDE_BUY, 100, 1);
    s_change(ZVT_SIDE_BUY, 100, 9);
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_SELL, 100, 2), "fill 1 100 1;", "1 stood before us, the rest came later");
}

Test(recorded_core, a_trade_through_our_price_fills_us_completely)
{
    s_load();
    s_rest(1, ZVT_SIDE_BUY, 99, 2);
    s_rest(2, ZVT_SIDE_BUY, 98, 2);
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_SELL, 98.5, 0.1), "fill 1 99 2;");
}

Test(recorded_core, trades_of_the_other_side_do_not_touch_us)
{
    s_load();
    s_rest(1, ZVT_SIDE_BUY, 100, 2);
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_BUY, 101, 100), "");
}

Test(recorded_core, two_orders_of_ours_at_a_price_fill_in_time_order)
{
    s_load();
    s_rest(1, ZVT_SIDE_SELL, 101, 1);
    s_rest(2, ZVT_SIDE_SELL, 101, 1);
    s_trade(ZVT_SIDE_BUY, 101, 5);
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_BUY, 101, 1.5), "fill 1 101 1;fill 2 101 0.5;");
}

Test(recorded_core, a_quote_that_crosses_our_price_fills_us_for_what_it_shows)
{
    s_load();
    s_rest(1, ZVT_SIDE_BUY, 100, 4);
    fixture_clear(&s_tape);
    s_quote(200, 99, 6, 100, 3);
    cr_assert_str_eq(s_tape.text, "fill 1 100 3;");
    cr_assert_eq(s_best(ZVT_SIDE_SELL).price_e8, E8(101), "the crossing quantity is taken");
}

Test(recorded_core, quotes_alone_make_a_market)
{
    s_quote(0, 100, 5, 101, 5);
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 0, 9), 5);
    s_rest(1, ZVT_SIDE_BUY, 99.5, 1);
    fixture_clear(&s_tape);
    s_quote(0, 99.5, 2, 100, 5);
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_SELL, 99.5, 2.5), "fill 1 99.5 0.5;", "2 were shown when it became the best");
    fixture_clear(&s_tape);
    s_quote(0, 98, 2, 99.5, 0.2);
    cr_assert_str_eq(s_tape.text, "fill 1 99.5 0.2;");
}

Test(recorded_core, a_newer_quote_overrides_the_best_level_and_hides_better_ones)
{
    s_load();
    s_quote(150, 99, 2, 101, 1);
    cr_assert_eq(s_best(ZVT_SIDE_BUY).price_e8, E8(99));
    cr_assert_eq(s_best(ZVT_SIDE_BUY).quantity_e8, E8(2));
    cr_assert_eq(s_best(ZVT_SIDE_SELL).quantity_e8, E8(1));
    zvt_level_t levels[4];
    cr_assert_eq(s_ops.ops->levels(s_ops.market, 0, ZVT_SIDE_BUY, levels, 4), 2, "99 and 98; 100 is gone");
}

Test(recorded_core, an_older_quote_is_passed_over)
{
    s_load();
    s_quote(90, 50, 1, 51, 1);
    cr_assert_eq(s_best(ZVT_SIDE_BUY).price_e8, E8(100));
}

Test(recorded_core, the_depth_book_takes_over_when_it_is_newer_and_keeps_what_we_took)
{
    s_load();
    s_quote(101, 100, 5, 101, 4);
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 101, 3), 3);
    s_change(ZVT_SIDE_SELL, 101, 4);
    cr_assert_eq(s_best(ZVT_SIDE_SELL).quantity_e8, E8(1));
}

Test(recorded_core, quotes_are_compared_with_the_depth_book_at_the_same_id_whichever_comes_first)
{
    s_load();
    s_quote(101, 100, 4, 101, 5);
    s_quote(102, 100, 3, 101, 5);
    s_change(ZVT_SIDE_BUY, 100, 4);
    s_change(ZVT_SIDE_BUY, 100, 2);
    const recorded_counts_t *counts = recorded_core_counts(s_market);
    cr_assert_eq(counts->compared, 2);
    cr_assert_eq(counts->differing, 1, "102 said 3, the depth book says 2");
    s_change(ZVT_SIDE_BUY, 100, 1);
    s_quote(103, 100, 1, 101, 5);
    cr_assert_eq(counts->compared, 3);
    cr_assert_eq(counts->differing, 1);
}

Test(recorded_core, a_gap_closes_the_book_and_quotes_open_it_again)
{
    s_load();
    s_update_id += 5;
    s_change(ZVT_SIDE_BUY, 100, 1);
    cr_assert_eq(recorded_core_counts(s_market)->depth_gaps, 1);
    cr_assert_eq(s_best(ZVT_SIDE_BUY).price_e8, 0);
    s_quote(300, 97, 1, 98, 1);
    cr_assert_eq(s_best(ZVT_SIDE_BUY).price_e8, E8(97));
}

Test(recorded_core, a_preview_stops_at_our_own_order)
{
    s_load();
    s_rest(1, ZVT_SIDE_SELL, 101, 1);
    market_preview_t preview = s_preview(ZVT_SIDE_BUY, 0, 5);
    cr_assert(!preview.own, "5 stand before it");
    cr_assert_eq(preview.notional_e8, E8(505));
    cr_assert(s_preview(ZVT_SIDE_BUY, 0, 5.1).own);
    cr_assert(!s_preview(ZVT_SIDE_BUY, 100.5, 9).crosses);
    s_rest(2, ZVT_SIDE_SELL, 100.5, 1);
    cr_assert(s_preview(ZVT_SIDE_BUY, 0, 1).own, "ours is the best offer now");
    cr_assert(s_preview(ZVT_SIDE_BUY, 100.5, 1).crosses);
}

Test(recorded_core, taking_from_before_our_order_moves_it_up)
{
    s_load();
    s_rest(1, ZVT_SIDE_SELL, 101, 1);
    cr_assert_eq(s_take(ZVT_SIDE_BUY, 0, 3), 3);
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_BUY, 101, 2.5), "fill 1 101 0.5;");
}

Test(recorded_core, a_canceled_order_is_not_filled)
{
    s_load();
    s_rest(1, ZVT_SIDE_BUY, 100, 2);
    s_ops.ops->cancel(s_ops.market, 1);
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_SELL, 90, 100), "");
}

Test(recorded_core, an_order_that_rested_before_the_first_book_learns_its_queue_from_it)
{
    s_rest(1, ZVT_SIDE_BUY, 100, 2);
    s_load();
    cr_assert_str_eq(s_fills_of_trade(ZVT_SIDE_SELL, 100, 6), "fill 1 100 1;");
}
