#include "builtin.h"
#include "strategy_fixture.h"

static void s_finish(void)
{
    strategy_core_destroy(&bench.core);
}

TestSuite(strategy_market_maker, .fini = s_finish);

#define SETTINGS "quantity=0.1,position_orders=4,min_spread=0.0001,skew=0.001,requote=0.0001,requote_ms=500,refusal_ms=5000"

/* A book of two levels a side, 100 ms after whatever came before; each level holds `size`. */
static void s_book_of(const char *venue, int bid, int ask, const char *size)
{
    zvt_record_t record = {.type = ZVT_T_ORDERBOOK_UPDATED};
    zvt_orderbook_updated_t *book = &record.orderbook_updated;
    ZVT_STR_SET(book->venue, venue);
    ZVT_STR_SET(book->symbol, bench_instrument.symbol);
    book->bids_count = book->asks_count = 2;
    for (int i = 0; i < 2; i++) {
        book->bids[i] = (zvt_level_t){.price_e8 = (bid - 2 * i) * ZVT_E8, .quantity_e8 = e8(size)};
        book->asks[i] = (zvt_level_t){.price_e8 = (ask + 2 * i) * ZVT_E8, .quantity_e8 = e8(size)};
    }
    bench_pass(100);
    strategy_core_on_market(bench.core, &record);
}

static void s_book(int bid, int ask)
{
    s_book_of("beta", bid, ask, "5");
}

Test(strategy_market_maker, only_bids_with_nothing_in_stock)
{
    bench_start(&market_maker_strategy, SETTINGS);
    s_book(49990, 50010);
    s_book(49990, 50010);
    cr_assert(bench.signals_count == 1);
    bench_expect(0, ZVT_SIDE_BUY, "0.1", "49990");
    const zvt_order_request_t *request = &bench.signals[0].order_request;
    cr_assert(request->post_only && request->time_in_force == ZVT_TIF_GTC);
    cr_assert_str_eq(request->venue, "beta");
}

Test(strategy_market_maker, quotes_both_sides_with_stock_and_moves_down_against_it)
{
    bench_make(&market_maker_strategy, SETTINGS);
    bench_hold("0.2"); /* half of the largest position: half of the skew of 50 */
    strategy_core_start(bench.core);
    s_book(49990, 50010);
    cr_assert(bench.signals_count == 2);
    bench_expect(0, ZVT_SIDE_BUY, "0.1", "49965");
    bench_expect(1, ZVT_SIDE_SELL, "0.1", "49990.01"); /* 49,985 would take the bid: one tick above it */
}

Test(strategy_market_maker, never_offers_more_than_it_has)
{
    bench_make(&market_maker_strategy, SETTINGS);
    bench_hold("0.03");
    strategy_core_start(bench.core);
    s_book(49990, 50010);
    cr_assert(bench.signals_count == 2);
    cr_assert(bench.signals[1].order_request.quantity_e8 == e8("0.03"));
}

Test(strategy_market_maker, only_offers_at_its_largest_position)
{
    bench_make(&market_maker_strategy, SETTINGS);
    bench_hold("0.4");
    strategy_core_start(bench.core);
    s_book(49990, 50010);
    cr_assert(bench.signals_count == 1 && bench.signals[0].order_request.side == ZVT_SIDE_SELL);
}

Test(strategy_market_maker, widens_to_its_smallest_spread)
{
    bench_start(&market_maker_strategy, "quantity=0.1,min_spread=0.001");
    s_book(49999, 50001);
    bench_expect(0, ZVT_SIDE_BUY, "0.1", "49975"); /* 50,000 less half of 50 */
}

Test(strategy_market_maker, requotes_by_cancel_and_then_submit)
{
    bench_start(&market_maker_strategy, SETTINGS);
    s_book(49990, 50010);
    bench_accepted(0);
    for (int i = 0; i < 10; i++) s_book(49994, 50014);
    cr_assert(bench.cancels_count == 0, "4 away is within the tolerance of 5");
    s_book(49996, 50016);
    cr_assert(bench.cancels_count == 1 && zvt_id_equal(&bench.cancels[0].signal_id, &bench.signals[0].signal_id));
    for (int i = 0; i < 10; i++) s_book(49999, 50019);
    cr_assert(bench.cancels_count == 1 && bench.signals_count == 1, "waits for the end of the first");
    bench_canceled(0, "0");
    s_book(49999, 50019);
    cr_assert(bench.signals_count == 2);
    bench_expect(1, ZVT_SIDE_BUY, "0.1", "49999");
}

Test(strategy_market_maker, acts_at_most_once_per_pause_on_a_side)
{
    bench_start(&market_maker_strategy, SETTINGS);
    s_book(49990, 50010);
    bench_accepted(0);
    for (int i = 0; i < 4; i++) s_book(50090, 50110);
    cr_assert(bench.cancels_count == 0, "400 ms");
    s_book(50090, 50110);
    cr_assert(bench.cancels_count == 1);
}

Test(strategy_market_maker, a_fill_brings_the_other_side)
{
    bench_start(&market_maker_strategy, SETTINGS);
    s_book(49990, 50010);
    bench_fill(0);
    s_book(49990, 50010);
    cr_assert(bench.signals_count == 2 && bench.signals[1].order_request.side == ZVT_SIDE_SELL);
    cr_assert(bench.signals[1].order_request.quantity_e8 == e8("0.1"));
}

Test(strategy_market_maker, does_not_chase_its_own_quote)
{
    bench_start(&market_maker_strategy, SETTINGS);
    s_book_of("beta", 49990, 50010, "0.1");
    bench_expect(0, ZVT_SIDE_BUY, "0.1", "49990");
    bench_accepted(0);
    for (int i = 0; i < 10; i++) s_book_of("beta", 49990, 50010, "0.1"); /* all of the best bid is its own */
    cr_assert(bench.cancels_count == 0, "the next level is 2 below, within the tolerance");
    bench_canceled(0, "0");
    s_book_of("beta", 49990, 50010, "0.1");
    bench_expect(1, ZVT_SIDE_BUY, "0.1", "49990");
}

Test(strategy_market_maker, a_post_only_refusal_is_tried_again_soon_and_others_later)
{
    bench_start(&market_maker_strategy, SETTINGS);
    s_book(49990, 50010);
    bench_rejected(0, ZVT_STAGE_VENUE, ZVT_CODE_WOULD_CROSS);
    for (int i = 0; i < 5; i++) s_book(49990, 50010);
    cr_assert(bench.signals_count == 2);
    bench_rejected(1, ZVT_STAGE_RISK, ZVT_CODE_HALTED);
    for (int i = 0; i < 49; i++) s_book(49990, 50010);
    cr_assert(bench.signals_count == 2);
    s_book(49990, 50010);
    cr_assert(bench.signals_count == 3);
}

static void s_open_row(const char *price, uint8_t n)
{
    zvt_order_row_t row = {.strategy_id = "bench", .state = ZVT_ORDER_STATE_ACCEPTED, .leaves_qty_e8 = e8("0.1")};
    row.order_request = (zvt_order_request_t){.symbol = "BTC/USDT", .side = ZVT_SIDE_BUY, .order_type = ZVT_ORDER_TYPE_LIMIT,
                                              .quantity_e8 = e8("0.1"), .venue = "beta", .post_only = true};
    row.order_request.limit_price_e8 = e8(price);
    row.order_id.bytes[0] = n;
    row.signal_id.bytes[1] = n;
    strategy_core_on_order_row(bench.core, &row);
}

Test(strategy_market_maker, takes_over_a_quote_of_an_earlier_run_and_withdraws_a_surplus_one)
{
    bench_make(&market_maker_strategy, SETTINGS);
    s_open_row("49990", 1);
    s_open_row("49980", 2);
    strategy_core_start(bench.core);
    cr_assert(bench.cancels_count == 1 && bench.cancels[0].order_id.bytes[0] == 2);
    s_book_of("alpha", 50190, 50210, "5"); /* not the venue of its quotes */
    s_book(49990, 50010);
    cr_assert(bench.signals_count == 0, "the bid is where it should be");
}

Test(strategy_market_maker, leaves_an_order_alone_that_somebody_else_placed_in_its_name)
{
    bench_start(&market_maker_strategy, SETTINGS);
    s_book(49990, 50010);
    zvt_record_t record = {.type = ZVT_T_ORDER_REQUESTED};
    record.order_requested.order_id.bytes[0] = 9;
    record.order_requested.order_request = bench.signals[0].order_request;
    bench_event(&record, &record.order_requested.order_id);
    for (int i = 0; i < 10; i++) s_book(49990, 50010);
    cr_assert(bench.cancels_count == 0 && bench.signals_count == 1);
}

Test(strategy_market_maker, does_not_quote_into_a_half_empty_or_absurd_book)
{
    bench_start(&market_maker_strategy, SETTINGS);
    zvt_record_t record = {.type = ZVT_T_ORDERBOOK_UPDATED};
    ZVT_STR_SET(record.orderbook_updated.venue, "beta");
    strategy_core_on_market(bench.core, &record);
    record.orderbook_updated.bids_count = 1;
    record.orderbook_updated.bids[0] = (zvt_level_t){.price_e8 = 100 * ZVT_E8, .quantity_e8 = ZVT_E8};
    strategy_core_on_market(bench.core, &record);
    record.orderbook_updated.asks_count = 1;
    record.orderbook_updated.asks[0] = (zvt_level_t){.price_e8 = INT64_MAX, .quantity_e8 = ZVT_E8};
    strategy_core_on_market(bench.core, &record);
    record.orderbook_updated.bids[0].price_e8 = INT64_MIN;
    strategy_core_on_market(bench.core, &record);
    cr_assert(bench.signals_count == 0);
}

Test(strategy_market_maker, stays_off_a_side_whose_outcome_is_unknown)
{
    bench_start(&market_maker_strategy, SETTINGS);
    s_book(49990, 50010);
    bench_accepted(0);
    zvt_id_t order_id = bench_order_id(0);
    bench_event(&(zvt_record_t){.type = ZVT_T_ORDER_UNKNOWN}, &order_id);
    for (int i = 0; i < 20; i++) s_book(49990, 50010);
    cr_assert(bench.signals_count == 1);
}
