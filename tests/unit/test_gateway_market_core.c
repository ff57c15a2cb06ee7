#include <criterion/criterion.h>
#include <string.h>

#include "market_core.h"
#include "zvt_stats.h"

enum { EMITTED_MAX = 32, BTC = 0, ETH = 1 };

static const char s_fleet_text[] =
    "instruments\n"
    "    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        min_notional = 10\n        price = 100\n"
    "        max_quantity = 1000\n        max_position = 1000\n"
    "    ETH/USDT\n        tick = 0.01\n        lot = 0.001\n        min_notional = 10\n        price = 100\n"
    "        max_quantity = 1000\n        max_position = 1000\n"
    "venues\n    alpha\n        maker_fee = 0.0002\n        taker_fee = 0.0005\n";

typedef struct {
    uint32_t instrument;
    zvt_type_t type;
    uint64_t symbol_seq;
    zvt_price_updated_t quote;
    zvt_market_status_t status;
} emitted_t;

static zvt_fleet_t s_fleet;
static emitted_t s_emitted[EMITTED_MAX];
static unsigned s_count;

static void s_emit(void *arg, uint32_t instrument, zvt_type_t type, const void *record)
{
    (void)arg;
    cr_assert_lt(s_count, (unsigned)EMITTED_MAX);
    emitted_t *emitted = &s_emitted[s_count++];
    *emitted = (emitted_t){.instrument = instrument, .type = type};
    if (type == ZVT_T_PRICE_UPDATED) emitted->quote = *(const zvt_price_updated_t *)record;
    if (type == ZVT_T_MARKET_STATUS) emitted->status = *(const zvt_market_status_t *)record;
    emitted->symbol_seq = type == ZVT_T_PRICE_UPDATED      ? emitted->quote.symbol_seq
                          : type == ZVT_T_TRADE_TICK       ? ((const zvt_trade_tick_t *)record)->symbol_seq
                          : type == ZVT_T_ORDERBOOK_UPDATED ? ((const zvt_orderbook_updated_t *)record)->symbol_seq
                                                            : 0;
}

static market_core_t *s_new(bool conflate)
{
    char problem[ZVT_PROBLEM_SIZE];
    cr_assert_eq(zvt_fleet_parse(s_fleet_text, "test", &s_fleet, problem), 0, "%s", problem);
    s_count = 0;
    return market_core_new(&s_fleet, "alpha", conflate, s_emit, NULL);
}

static zvt_price_updated_t s_quote(uint64_t seq, int64_t bid_e8, int64_t ask_e8)
{
    zvt_price_updated_t quote = {
        .symbol = "BTCUSDT", .symbol_seq = seq, .bid_e8 = bid_e8, .ask_e8 = ask_e8, .bid_volume_e8 = 1, .ask_volume_e8 = 1};
    return quote;
}

static zvt_orderbook_updated_t s_book(uint64_t seq, int64_t bid_e8, int64_t ask_e8)
{
    zvt_orderbook_updated_t book = {.symbol_seq = seq, .bids_count = 2, .asks_count = 2};
    book.bids[0] = (zvt_level_t){.price_e8 = bid_e8, .quantity_e8 = 5};
    book.bids[1] = (zvt_level_t){.price_e8 = bid_e8 - 1, .quantity_e8 = 5};
    book.asks[0] = (zvt_level_t){.price_e8 = ask_e8, .quantity_e8 = 5};
    book.asks[1] = (zvt_level_t){.price_e8 = ask_e8 + 1, .quantity_e8 = 5};
    return book;
}

static zvt_trade_tick_t s_trade(uint64_t seq, int64_t price_e8)
{
    zvt_trade_tick_t trade = {.symbol_seq = seq, .price_e8 = price_e8, .quantity_e8 = 1};
    return trade;
}

static void s_feed_quote(market_core_t *core, uint32_t instrument, uint64_t seq)
{
    zvt_price_updated_t quote = s_quote(seq, 100, 101);
    market_core_on_quote(core, instrument, &quote);
}

Test(market_core, numbers_every_message_of_a_symbol_from_one)
{
    market_core_t *core = s_new(false);
    s_feed_quote(core, BTC, 700);
    zvt_trade_tick_t trade = s_trade(701, 100);
    market_core_on_trade(core, BTC, &trade);
    zvt_orderbook_updated_t book = s_book(702, 100, 101);
    market_core_on_book(core, BTC, &book);
    s_feed_quote(core, ETH, 5);
    cr_assert_eq(s_count, 4u);
    for (unsigned i = 0; i < 3; i++) cr_assert_eq(s_emitted[i].symbol_seq, i + 1);
    cr_assert_eq(s_emitted[3].symbol_seq, 1u);
    cr_assert_eq(s_emitted[3].instrument, (uint32_t)ETH);
    market_core_destroy(&core);
}

Test(market_core, writes_our_names_into_what_leaves)
{
    market_core_t *core = s_new(false);
    s_feed_quote(core, BTC, 1);
    cr_assert_str_eq(s_emitted[0].quote.symbol, "BTC/USDT");
    cr_assert_str_eq(s_emitted[0].quote.venue, "alpha");
    cr_assert_eq(s_emitted[0].quote.bid_e8, 100);
    market_core_destroy(&core);
}

Test(market_core, counts_a_gap_in_the_venues_numbers_and_goes_on)
{
    uint64_t gaps = *zvt_counter("feed_gaps"), missed = *zvt_counter("feed_missed");
    market_core_t *core = s_new(false);
    s_feed_quote(core, BTC, 10);
    s_feed_quote(core, BTC, 11);
    s_feed_quote(core, BTC, 15);
    cr_assert_eq(*zvt_counter("feed_gaps") - gaps, 1u);
    cr_assert_eq(*zvt_counter("feed_missed") - missed, 3u);
    cr_assert_eq(s_count, 3u);
    cr_assert_eq(s_emitted[2].symbol_seq, 3u);
    market_core_destroy(&core);
}

Test(market_core, drops_what_it_has_seen_before)
{
    uint64_t repeated = *zvt_counter("feed_repeated");
    market_core_t *core = s_new(false);
    s_feed_quote(core, BTC, 10);
    s_feed_quote(core, BTC, 10);
    s_feed_quote(core, BTC, 9);
    cr_assert_eq(s_count, 1u);
    cr_assert_eq(*zvt_counter("feed_repeated") - repeated, 2u);
    market_core_destroy(&core);
}

Test(market_core, takes_the_numbers_of_a_new_run_of_the_venue)
{
    uint64_t gaps = *zvt_counter("feed_gaps");
    market_core_t *core = s_new(false);
    market_core_on_up(core, true);
    s_feed_quote(core, BTC, 1000);
    market_core_on_down(core);
    market_core_on_up(core, true);
    s_feed_quote(core, BTC, 3);
    cr_assert_eq(s_emitted[s_count - 1].type, ZVT_T_PRICE_UPDATED);
    cr_assert_eq(s_emitted[s_count - 1].symbol_seq, 2u);
    cr_assert_eq(*zvt_counter("feed_gaps"), gaps);
    market_core_destroy(&core);
}

Test(market_core, drops_quotes_that_cannot_be)
{
    static const int64_t bad[][2] = {{-1, 100}, {100, -1}, {101, 100}, {100, 100}};
    uint64_t before = *zvt_counter("bad_quotes");
    market_core_t *core = s_new(false);
    for (unsigned i = 0; i < 4; i++) {
        zvt_price_updated_t quote = s_quote(i + 1, bad[i][0], bad[i][1]);
        market_core_on_quote(core, BTC, &quote);
    }
    zvt_price_updated_t quote = s_quote(5, 100, 101);
    quote.ask_volume_e8 = -1;
    market_core_on_quote(core, BTC, &quote);
    cr_assert_eq(s_count, 0u);
    cr_assert_eq(*zvt_counter("bad_quotes") - before, 5u);
    cr_assert_null(market_core_quote(core, BTC));
    market_core_destroy(&core);
}

Test(market_core, accepts_a_quote_with_an_empty_side)
{
    market_core_t *core = s_new(false);
    zvt_price_updated_t quote = s_quote(1, 100, 0);
    market_core_on_quote(core, BTC, &quote);
    quote = s_quote(2, 0, 100);
    market_core_on_quote(core, BTC, &quote);
    cr_assert_eq(s_count, 2u);
    market_core_destroy(&core);
}

Test(market_core, drops_trades_without_price_or_quantity)
{
    uint64_t before = *zvt_counter("bad_trades");
    market_core_t *core = s_new(false);
    zvt_trade_tick_t trade = s_trade(1, 0);
    market_core_on_trade(core, BTC, &trade);
    trade = s_trade(2, 100);
    trade.quantity_e8 = -1;
    market_core_on_trade(core, BTC, &trade);
    cr_assert_eq(s_count, 0u);
    cr_assert_eq(*zvt_counter("bad_trades") - before, 2u);
    market_core_destroy(&core);
}

Test(market_core, drops_books_that_are_crossed_or_out_of_order)
{
    uint64_t before = *zvt_counter("bad_books");
    market_core_t *core = s_new(false);
    zvt_orderbook_updated_t crossed = s_book(1, 101, 100);
    market_core_on_book(core, BTC, &crossed);
    zvt_orderbook_updated_t unsorted = s_book(2, 100, 101);
    unsorted.asks[1].price_e8 = 101;
    market_core_on_book(core, BTC, &unsorted);
    zvt_orderbook_updated_t empty_level = s_book(3, 100, 101);
    empty_level.bids[1].quantity_e8 = 0;
    market_core_on_book(core, BTC, &empty_level);
    cr_assert_eq(s_count, 0u);
    cr_assert_eq(*zvt_counter("bad_books") - before, 3u);
    zvt_orderbook_updated_t one_sided = s_book(4, 100, 101);
    one_sided.asks_count = 0;
    market_core_on_book(core, BTC, &one_sided);
    cr_assert_eq(s_count, 1u);
    market_core_destroy(&core);
}

Test(market_core, conflates_quotes_of_one_round_and_numbers_what_is_left)
{
    uint64_t before = *zvt_counter("conflated");
    market_core_t *core = s_new(true);
    s_feed_quote(core, BTC, 1);
    zvt_price_updated_t last = s_quote(2, 105, 106);
    market_core_on_quote(core, BTC, &last);
    cr_assert_eq(s_count, 0u);
    market_core_flush(core);
    cr_assert_eq(s_count, 1u);
    cr_assert_eq(s_emitted[0].quote.bid_e8, 105);
    cr_assert_eq(s_emitted[0].symbol_seq, 1u);
    cr_assert_eq(*zvt_counter("conflated") - before, 1u);
    market_core_flush(core);
    cr_assert_eq(s_count, 1u);
    market_core_destroy(&core);
}

Test(market_core, never_conflates_trades_and_lets_earlier_quotes_leave_before_them)
{
    market_core_t *core = s_new(true);
    s_feed_quote(core, BTC, 1);
    s_feed_quote(core, ETH, 1);
    zvt_trade_tick_t trade = s_trade(2, 100);
    market_core_on_trade(core, BTC, &trade);
    trade.symbol_seq = 3;
    market_core_on_trade(core, BTC, &trade);
    s_feed_quote(core, BTC, 4);
    market_core_flush(core);
    static const zvt_type_t types[] = {ZVT_T_PRICE_UPDATED, ZVT_T_TRADE_TICK, ZVT_T_TRADE_TICK};
    cr_assert_eq(s_count, 5u);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(s_emitted[i].type, types[i]);
        cr_assert_eq(s_emitted[i].instrument, (uint32_t)BTC);
        cr_assert_eq(s_emitted[i].symbol_seq, i + 1);
    }
    market_core_destroy(&core);
}

Test(market_core, keeps_the_order_of_quote_and_book_when_conflating)
{
    market_core_t *core = s_new(true);
    zvt_orderbook_updated_t book = s_book(2, 100, 101);
    s_feed_quote(core, BTC, 1);
    market_core_on_book(core, BTC, &book);
    s_feed_quote(core, BTC, 3);
    market_core_flush(core);
    cr_assert_eq(s_count, 2u);
    cr_assert_eq(s_emitted[0].type, ZVT_T_ORDERBOOK_UPDATED);
    cr_assert_eq(s_emitted[1].type, ZVT_T_PRICE_UPDATED);
    cr_assert_eq(s_emitted[1].symbol_seq, 2u);
    market_core_destroy(&core);
}

Test(market_core, counts_a_silent_venue_as_closed_and_repeats_its_own_word_afterwards)
{
    market_core_t *core = s_new(false);
    market_core_repeat_status(core);
    cr_assert(!s_emitted[0].status.open);
    market_core_on_up(core, true);
    cr_assert(s_emitted[1].status.open);
    zvt_market_status_t ended = {.open = false, .message = "end of the recording"};
    market_core_on_status(core, &ended);
    cr_assert_str_eq(s_emitted[2].status.message, "end of the recording");
    cr_assert_str_eq(s_emitted[2].status.venue, "alpha");
    market_core_on_down(core);
    cr_assert_str_eq(s_emitted[3].status.message, "no connection to the venue");
    market_core_on_up(core, false);
    cr_assert(!s_emitted[4].status.open, "the same run has not opened again");
    market_core_on_down(core);
    market_core_on_up(core, true);
    cr_assert(s_emitted[s_count - 1].status.open);
    cr_assert_eq(s_emitted[s_count - 1].instrument, MARKET_CORE_VENUE);
    market_core_destroy(&core);
}

Test(market_core, remembers_a_status_that_came_before_the_first_answer)
{
    market_core_t *core = s_new(false);
    zvt_market_status_t closed = {.open = false, .message = "not begun"};
    market_core_on_status(core, &closed);
    market_core_on_up(core, true);
    cr_assert_str_eq(s_emitted[s_count - 1].status.message, "not begun");
    market_core_destroy(&core);
}

Test(market_core, remembers_the_last_quote_with_its_number)
{
    market_core_t *core = s_new(true);
    cr_assert_null(market_core_quote(core, BTC));
    s_feed_quote(core, BTC, 1);
    market_core_flush(core);
    const zvt_price_updated_t *quote = market_core_quote(core, BTC);
    cr_assert_not_null(quote);
    cr_assert_eq(quote->symbol_seq, 1u);
    cr_assert_null(market_core_quote(core, ETH));
    market_core_destroy(&core);
}
