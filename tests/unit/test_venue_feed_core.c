#include <criterion/criterion.h>

#include "feed_core.h"
#include "recorded_core.h"
#include "venue_fixture.h"
#include "zvt_codec.h"

static struct {
    recorded_core_t *market;
    feed_core_t *feed;
    fixture_tape_t tape;
    char topics[64][64];
    zvt_record_t records[64]; /* the last record of each message */
    uint32_t count;
} s;

static void s_on_emit(void *arg, const char *topic, const void *data, size_t length)
{
    (void)arg;
    snprintf(s.topics[s.count], sizeof s.topics[0], "%s", topic);
    zvt_cursor_t cursor = zvt_cursor(data, length);
    while (!zvt_cursor_done(&cursor)) cr_assert_eq(zvt_read(&cursor, &s.records[s.count]), 0);
    s.count++;
}

static void s_setup(void)
{
    memset(&s, 0, sizeof s);
    market_events_t events = fixture_events(&s.tape);
    s.market = recorded_core_new(fixture_fleet(), &events);
    feed_config_t config = {.fleet = fixture_fleet(),
                            .venue = 0,
                            .market = recorded_core_market(s.market),
                            .first_trade_id = 1000,
                            .emit = s_on_emit};
    s.feed = feed_core_new(&config);
}

static void s_teardown(void)
{
    feed_core_destroy(&s.feed);
    recorded_core_destroy(&s.market);
}

TestSuite(feed_core, .init = s_setup, .fini = s_teardown);

static void s_quote(double bid, double ask)
{
    recorded_quote_t quote = {.best = {{E8(bid), E8(1)}, {E8(ask), E8(1)}}};
    recorded_core_on_quote(s.market, 0, &quote);
    feed_core_on_book(s.feed, 0);
}

Test(feed_core, publishes_a_quote_and_a_book_in_the_venue_s_spelling)
{
    s_quote(100, 101);
    cr_assert(feed_core_is_dirty(s.feed));
    feed_core_publish(s.feed, 5, ZVT_SECOND_NS);
    cr_assert_eq(s.count, 2);
    cr_assert_str_eq(s.topics[0], "quote.alpha.BTCUSDT");
    cr_assert_str_eq(s.topics[1], "book.alpha.BTCUSDT");
    cr_assert_str_eq(s.records[0].price_updated.symbol, "BTCUSDT");
    cr_assert_eq(s.records[0].price_updated.symbol_seq, 1);
    cr_assert_eq(s.records[1].orderbook_updated.symbol_seq, 2);
    cr_assert_eq(s.records[0].price_updated.market_ts_ns, 5);
    cr_assert_eq(s.records[1].orderbook_updated.bids_count, 1);
    cr_assert(!feed_core_is_dirty(s.feed));
}

Test(feed_core, says_nothing_when_nothing_changed)
{
    s_quote(100, 101);
    feed_core_publish(s.feed, 5, ZVT_SECOND_NS);
    s_quote(100, 101);
    feed_core_publish(s.feed, 6, 2 * ZVT_SECOND_NS);
    cr_assert_eq(s.count, 2);
}

Test(feed_core, quotes_go_out_at_once_and_books_at_their_pace)
{
    s_quote(100, 101);
    feed_core_publish(s.feed, 5, ZVT_SECOND_NS);
    s_quote(100, 102);
    feed_core_publish(s.feed, 6, ZVT_SECOND_NS + FEED_BOOK_NS / 2);
    cr_assert_eq(s.count, 3);
    s_quote(100, 103);
    feed_core_publish(s.feed, 7, ZVT_SECOND_NS + FEED_BOOK_NS);
    cr_assert_eq(s.count, 5);
    cr_assert_str_eq(s.topics[4], "book.alpha.BTCUSDT");
}

Test(feed_core, prints_trades_in_order_in_one_message)
{
    for (int i = 1; i <= 3; i++) feed_core_on_trade(s.feed, 0, ZVT_SIDE_SELL, E8(100 + i), E8(i));
    feed_core_publish(s.feed, 5, ZVT_SECOND_NS);
    cr_assert_eq(s.count, 1);
    cr_assert_str_eq(s.topics[0], "trade.alpha.BTCUSDT");
    cr_assert_eq(s.records[0].trade_tick.trade_id, 1003);
    cr_assert_eq(s.records[0].trade_tick.price_e8, E8(103));
    cr_assert_eq(s.records[0].trade_tick.symbol_seq, 3);
    feed_core_publish(s.feed, 6, ZVT_SECOND_NS);
    cr_assert_eq(s.count, 1, "printed once");
}

Test(feed_core, more_trades_than_the_bound_are_counted)
{
    for (int i = 0; i < FEED_TRADES_MAX + 5; i++) feed_core_on_trade(s.feed, 0, ZVT_SIDE_BUY, E8(100), E8(1));
    cr_assert_eq(feed_core_trades_lost(s.feed), 5);
    feed_core_publish(s.feed, 5, ZVT_SECOND_NS);
    cr_assert_gt(s.count, 1, "a full message leaves and another begins");
    cr_assert_eq(s.records[s.count - 1].trade_tick.trade_id, 1000 + FEED_TRADES_MAX);
}

Test(feed_core, late_comers_get_the_whole_state)
{
    s_quote(100, 101);
    feed_core_publish(s.feed, 5, ZVT_SECOND_NS);
    s.count = 0;
    zvt_market_status_t status = {.open = true};
    feed_core_publish_all(s.feed, 6, ZVT_SECOND_NS, &status);
    cr_assert_eq(s.count, 3, "status, quote and book; nothing of a symbol without a market");
    cr_assert_str_eq(s.topics[0], "status.alpha");
}
