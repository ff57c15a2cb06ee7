#include <criterion/criterion.h>
#include <string.h>

#include "paper_core.h"
#include "zvt_stats.h"

static const char s_fleet_text[] =
    "instruments\n"
    "    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        min_notional = 10\n        price = 100\n"
    "        max_quantity = 1000\n        max_position = 1000\n"
    "venues\n    alpha\n        maker_fee = 0.0002\n        taker_fee = 0.0005\n";

static zvt_fleet_t s_fleet;
static struct {
    unsigned quotes, trades, books, statuses, reports, order_statuses, cancel_results, tips, balances, list_ends;
    uint32_t instrument;
    zvt_report_t report;
    zvt_order_status_t order_status;
} s_seen;

static void s_on_quote(void *arg, uint32_t instrument, const zvt_price_updated_t *quote)
{
    (void)arg;
    (void)quote;
    s_seen.quotes++;
    s_seen.instrument = instrument;
}
static void s_on_trade(void *arg, uint32_t instrument, const zvt_trade_tick_t *trade)
{
    (void)arg;
    (void)instrument;
    (void)trade;
    s_seen.trades++;
}
static void s_on_book(void *arg, uint32_t instrument, const zvt_orderbook_updated_t *book)
{
    (void)arg;
    (void)instrument;
    (void)book;
    s_seen.books++;
}
static void s_on_status(void *arg, const zvt_market_status_t *status)
{
    (void)arg;
    (void)status;
    s_seen.statuses++;
}
static void s_on_report(void *arg, const zvt_report_t *report)
{
    (void)arg;
    s_seen.reports++;
    s_seen.report = *report;
}
static void s_on_cancel_result(void *arg, const zvt_cancel_result_t *result)
{
    (void)arg;
    (void)result;
    s_seen.cancel_results++;
}
static void s_on_order_status(void *arg, const zvt_order_status_t *status)
{
    (void)arg;
    s_seen.order_statuses++;
    s_seen.order_status = *status;
}
static void s_on_reports_end(void *arg, const zvt_reports_tip_t *tip)
{
    (void)arg;
    (void)tip;
    s_seen.tips++;
}
static void s_on_balance(void *arg, const zvt_balance_t *balance)
{
    (void)arg;
    cr_assert_str_eq(balance->exchange, "alpha");
    s_seen.balances++;
}
static void s_on_list_end(void *arg, const zvt_list_end_t *end)
{
    (void)arg;
    (void)end;
    s_seen.list_ends++;
}

static const gateway_adapter_events_t s_events = {.on_quote = s_on_quote,
                                                  .on_trade = s_on_trade,
                                                  .on_book = s_on_book,
                                                  .on_status = s_on_status,
                                                  .on_report = s_on_report,
                                                  .on_cancel_result = s_on_cancel_result,
                                                  .on_order_status = s_on_order_status,
                                                  .on_reports_end = s_on_reports_end,
                                                  .on_balance = s_on_balance,
                                                  .on_list_end = s_on_list_end};

static void s_init(paper_core_t *core)
{
    char problem[ZVT_PROBLEM_SIZE];
    memset(&s_seen, 0, sizeof s_seen);
    cr_assert_eq(zvt_fleet_parse(s_fleet_text, "test", &s_fleet, problem), 0, "%s", problem);
    cr_assert_eq(paper_core_init(core, &s_fleet, "alpha", &s_events, NULL, problem), 0);
}

static size_t s_pack_market(zvt_buf_t *buf, const char *symbol)
{
    zvt_price_updated_t quote = {.bid_e8 = 1, .ask_e8 = 2};
    zvt_trade_tick_t trade = {.price_e8 = 1};
    zvt_orderbook_updated_t book = {.bids_count = 0};
    ZVT_STR_SET(quote.symbol, symbol);
    ZVT_STR_SET(trade.symbol, symbol);
    ZVT_STR_SET(book.symbol, symbol);
    cr_assert_eq(zvt_pack(buf, ZVT_T_PRICE_UPDATED, &quote), 0);
    cr_assert_eq(zvt_pack(buf, ZVT_T_TRADE_TICK, &trade), 0);
    cr_assert_eq(zvt_pack(buf, ZVT_T_ORDERBOOK_UPDATED, &book), 0);
    return buf->length;
}

Test(paper_core, delivers_every_market_record_of_a_frame_with_its_instrument)
{
    paper_core_t core;
    uint8_t bytes[4096];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    s_init(&core);
    s_seen.instrument = 99;
    paper_core_on_frame(&core, zvt_cursor(bytes, s_pack_market(&buf, "BTCUSDT")));
    cr_assert_eq(s_seen.quotes, 1u);
    cr_assert_eq(s_seen.trades, 1u);
    cr_assert_eq(s_seen.books, 1u);
    cr_assert_eq(s_seen.instrument, 0u);
    paper_core_destroy(&core);
}

Test(paper_core, counts_and_drops_market_data_of_unknown_symbols)
{
    paper_core_t core;
    uint8_t bytes[4096];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    uint64_t before = *zvt_counter("unknown_symbol");
    s_init(&core);
    paper_core_on_frame(&core, zvt_cursor(bytes, s_pack_market(&buf, "DOGEUSDT")));
    cr_assert_eq(s_seen.quotes + s_seen.trades + s_seen.books, 0u);
    cr_assert_eq(*zvt_counter("unknown_symbol") - before, 3u);
    paper_core_destroy(&core);
}

Test(paper_core, survives_every_truncation_of_a_frame)
{
    paper_core_t core;
    uint8_t bytes[4096];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    s_init(&core);
    size_t length = s_pack_market(&buf, "BTCUSDT");
    uint64_t before = *zvt_counter("malformed");
    for (size_t cut = 0; cut < length; cut++) paper_core_on_frame(&core, zvt_cursor(bytes, cut));
    cr_assert_eq(*zvt_counter("malformed") - before, (uint64_t)length - 3, "all but the cuts between records are malformed");
    paper_core_destroy(&core);
}

Test(paper_core, drops_the_msgpack_bomb)
{
    static const uint8_t bomb[] = {0xdd, 0x10, 0x00, 0x00, 0x00};
    paper_core_t core;
    uint64_t before = *zvt_counter("malformed");
    s_init(&core);
    paper_core_on_frame(&core, zvt_cursor(bomb, sizeof bomb));
    cr_assert_eq(*zvt_counter("malformed") - before, 1u);
    paper_core_destroy(&core);
}

Test(paper_core, drops_records_that_a_venue_has_no_business_sending)
{
    paper_core_t core;
    uint64_t before = *zvt_counter("unexpected_records");
    zvt_record_t record = {.type = ZVT_T_ORDER_SEND};
    s_init(&core);
    paper_core_on_record(&core, &record);
    record.type = ZVT_T_PRICE_UPDATED; /* market data comes on the feed only */
    paper_core_on_record(&core, &record);
    cr_assert_eq(*zvt_counter("unexpected_records") - before, 2u);
    paper_core_destroy(&core);
}

Test(paper_core, writes_our_spelling_into_reports_and_states)
{
    paper_core_t core;
    zvt_record_t record = {.type = ZVT_T_REPORT};
    s_init(&core);
    ZVT_STR_SET(record.report.symbol, "BTCUSDT");
    ZVT_STR_SET(record.report.exchange, "PAPER");
    record.report.venue_seq = 7;
    paper_core_on_record(&core, &record);
    cr_assert_str_eq(s_seen.report.symbol, "BTC/USDT");
    cr_assert_str_eq(s_seen.report.exchange, "alpha");
    cr_assert_eq(s_seen.report.venue_seq, 7u);
    record = (zvt_record_t){.type = ZVT_T_ORDER_STATUS};
    ZVT_STR_SET(record.order_status.symbol, "BTCUSDT");
    paper_core_on_record(&core, &record);
    cr_assert_str_eq(s_seen.order_status.symbol, "BTC/USDT");
    paper_core_destroy(&core);
}

Test(paper_core, keeps_a_report_whose_symbol_it_does_not_know)
{
    paper_core_t core;
    zvt_record_t record = {.type = ZVT_T_REPORT};
    s_init(&core);
    ZVT_STR_SET(record.report.symbol, "DOGEUSDT");
    paper_core_on_record(&core, &record);
    cr_assert_eq(s_seen.reports, 1u);
    cr_assert_str_eq(s_seen.report.symbol, "DOGEUSDT");
    paper_core_destroy(&core);
}

Test(paper_core, delivers_the_other_answers_of_order_entry)
{
    static const zvt_type_t types[] = {ZVT_T_CANCEL_RESULT, ZVT_T_REPORTS_TIP, ZVT_T_BALANCE, ZVT_T_LIST_END,
                                       ZVT_T_MARKET_STATUS};
    paper_core_t core;
    s_init(&core);
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
        zvt_record_t record = {.type = types[i]};
        paper_core_on_record(&core, &record);
    }
    cr_assert_eq(s_seen.cancel_results, 1u);
    cr_assert_eq(s_seen.tips, 1u);
    cr_assert_eq(s_seen.balances, 1u);
    cr_assert_eq(s_seen.list_ends, 1u);
    cr_assert_eq(s_seen.statuses, 1u);
    paper_core_destroy(&core);
}

Test(paper_core, spells_orders_for_the_venue_and_refuses_what_it_does_not_list)
{
    paper_core_t core;
    zvt_order_send_t order = {.quantity_e8 = 5}, spelled;
    s_init(&core);
    ZVT_STR_SET(order.symbol, "BTC/USDT");
    cr_assert_eq(paper_core_spell_order(&core, &order, &spelled), 0);
    cr_assert_str_eq(spelled.symbol, "BTCUSDT");
    cr_assert_eq(spelled.quantity_e8, 5);
    ZVT_STR_SET(order.symbol, "DOGE/USDT");
    cr_assert_eq(paper_core_spell_order(&core, &order, &spelled), ZVT_ERR_NOT_FOUND);
    paper_core_destroy(&core);
}
