/* fuzz_gateway -- frames of a venue that lies, through the paper adapter's core into both cores of the gateway. */
#include <stdlib.h>
#include <string.h>

#include "market_core.h"
#include "order_entry_core.h"
#include "paper_core.h"
#include "zvt_diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);

static zvt_fleet_t s_fleet;
static paper_core_t s_paper;
static market_core_t *s_market;
static order_entry_core_t *s_orders;
static gateway_adapter_t s_adapter;
static zvt_peer_t s_peer = {.id_length = 5, .id = "peer"};

static void s_emit(void *arg, uint32_t instrument, zvt_type_t type, const void *record)
{
    static uint8_t s_bytes[8192];
    zvt_buf_t buf = {.data = s_bytes, .capacity = sizeof s_bytes};
    (void)arg;
    (void)instrument;
    ZVT_ASSERT(zvt_pack(&buf, type, record) == 0); /* whatever leaves can be packed */
}

static void s_send(void *arg, const zvt_peer_t *peer, zvt_type_t type, const void *record)
{
    (void)peer;
    s_emit(arg, 0, type, record);
}

static int s_store(void *arg, uint64_t epoch)
{
    (void)arg;
    (void)epoch;
    return 0;
}

#define ACCEPT(fn, record_t)                                       \
    static int fn(gateway_adapter_t *self, const record_t *record) \
    {                                                              \
        (void)self;                                                \
        (void)record;                                              \
        return 0;                                                  \
    }
ACCEPT(s_place, zvt_order_send_t)
ACCEPT(s_cancel, zvt_order_cancel_t)
ACCEPT(s_query, zvt_order_query_t)
ACCEPT(s_since, zvt_reports_since_t)
ACCEPT(s_open_orders, zvt_open_orders_query_t)
ACCEPT(s_balances, zvt_balances_query_t)
ACCEPT(s_account, zvt_account_query_t)

static void s_on_quote(void *arg, uint32_t instrument, const zvt_price_updated_t *quote)
{
    (void)arg;
    market_core_on_quote(s_market, instrument, quote);
}
static void s_on_trade(void *arg, uint32_t instrument, const zvt_trade_tick_t *trade)
{
    (void)arg;
    market_core_on_trade(s_market, instrument, trade);
}
static void s_on_book(void *arg, uint32_t instrument, const zvt_orderbook_updated_t *book)
{
    (void)arg;
    market_core_on_book(s_market, instrument, book);
}
static void s_on_status(void *arg, const zvt_market_status_t *status)
{
    (void)arg;
    market_core_on_status(s_market, status);
}
static void s_on_report(void *arg, const zvt_report_t *report)
{
    (void)arg;
    order_entry_core_on_report(s_orders, report);
}
static void s_on_cancel_result(void *arg, const zvt_cancel_result_t *result)
{
    (void)arg;
    order_entry_core_on_cancel_result(s_orders, result);
}
static void s_on_order_status(void *arg, const zvt_order_status_t *status)
{
    (void)arg;
    order_entry_core_on_order_status(s_orders, status);
}
static void s_on_reports_end(void *arg, const zvt_reports_tip_t *tip)
{
    (void)arg;
    order_entry_core_on_reports_end(s_orders, tip);
}
static void s_on_balance(void *arg, const zvt_balance_t *balance)
{
    (void)arg;
    order_entry_core_on_balance(s_orders, balance);
}
static void s_on_list_end(void *arg, const zvt_list_end_t *end)
{
    (void)arg;
    order_entry_core_on_list_end(s_orders, end);
}

static void s_on_account_order(void *arg, const zvt_account_order_t *row)
{
    (void)arg;
    order_entry_core_on_account_order(s_orders, row);
}
static void s_on_account_asset(void *arg, const zvt_account_asset_t *row)
{
    (void)arg;
    order_entry_core_on_account_asset(s_orders, row);
}
static void s_on_account_snapshot(void *arg, const zvt_account_snapshot_t *end)
{
    (void)arg;
    order_entry_core_on_account_snapshot(s_orders, end);
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
                                                  .on_list_end = s_on_list_end,
                                                  .on_account_order = s_on_account_order,
                                                  .on_account_asset = s_on_account_asset,
                                                  .on_account_snapshot = s_on_account_snapshot};

static void s_start(void)
{
    static const char text[] =
        "instruments\n"
        "    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        min_notional = 10\n        price = 100\n        max_quantity = 1000\n        max_position = 1000\n"
        "venues\n    alpha\n        maker_fee = 0.0002\n        taker_fee = 0.0005\n";
    char problem[ZVT_PROBLEM_SIZE];
    order_entry_out_t out = {.store_epoch = s_store, .send = s_send};
    zvt_diag_init("fuzz", ZVT_DIAG_ERROR);
    s_adapter = (gateway_adapter_t){.place = s_place,
                                    .cancel = s_cancel,
                                    .query = s_query,
                                    .reports_since = s_since,
                                    .open_orders = s_open_orders,
                                    .account = s_account, .balances = s_balances};
    ZVT_ASSERT(zvt_fleet_parse(text, "fuzz", &s_fleet, problem) == 0);
    ZVT_ASSERT(paper_core_init(&s_paper, &s_fleet, "alpha", &s_events, NULL, problem) == 0);
    s_market = market_core_new(&s_fleet, "alpha", true, s_emit, NULL);
    s_orders = order_entry_core_new("alpha", &s_adapter, &out, 1);
}

/* The same bytes as market data, as the venue's answers, and as requests of a client. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static zvt_record_t s_record;
    static int64_t s_now_ns;
    if (s_market == NULL) s_start();
    s_now_ns += ZVT_MS_NS;
    order_entry_now_t now = {.utc_ns = s_now_ns, .monotonic_ns = s_now_ns};
    paper_core_on_frame(&s_paper, zvt_cursor(data, size));
    market_core_flush(s_market);
    zvt_cursor_t cursor = zvt_cursor(data, size);
    while (!zvt_cursor_done(&cursor) && zvt_read(&cursor, &s_record) == 0) {
        (void)order_entry_core_on_request(s_orders, &s_peer, &s_record, now);
        paper_core_on_record(&s_paper, &s_record);
        if (s_record.type == ZVT_T_HELLO) order_entry_core_on_hello(s_orders, &s_peer, &s_record.hello);
    }
    order_entry_core_on_time(s_orders, now);
    return 0;
}

size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    static const zvt_type_t types[] = {
        ZVT_T_PRICE_UPDATED, ZVT_T_TRADE_TICK,    ZVT_T_ORDERBOOK_UPDATED, ZVT_T_MARKET_STATUS,     ZVT_T_HELLO,
        ZVT_T_ORDER_SEND,    ZVT_T_ORDER_CANCEL,  ZVT_T_ORDER_QUERY,       ZVT_T_REPORTS_SINCE,     ZVT_T_OPEN_ORDERS_QUERY,
        ZVT_T_REPORT,        ZVT_T_CANCEL_RESULT, ZVT_T_ORDER_STATUS,      ZVT_T_BALANCES_QUERY,    ZVT_T_BALANCE,
        ZVT_T_ACCOUNT_QUERY, ZVT_T_ACCOUNT_ORDER, ZVT_T_ACCOUNT_ASSET,     ZVT_T_ACCOUNT_SNAPSHOT,
        ZVT_T_REPORTS_TIP,   ZVT_T_LIST_END,      ZVT_T_ERROR_REPLY,
    };
    zvt_record_t record;
    zvt_buf_t buf = {.data = out, .capacity = capacity};
    if (n > sizeof types / sizeof types[0]) return 0;
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (n != 0 && n - 1 != i) continue; /* seed 0 holds one of each */
        memset(&record, 0, sizeof record);
        if (types[i] == ZVT_T_PRICE_UPDATED) {
            ZVT_STR_SET(record.price_updated.symbol, "BTCUSDT");
            record.price_updated.bid_e8 = 1;
            record.price_updated.ask_e8 = 2;
        }
        if (types[i] == ZVT_T_ORDERBOOK_UPDATED) {
            ZVT_STR_SET(record.orderbook_updated.symbol, "BTCUSDT");
            record.orderbook_updated.bids_count = record.orderbook_updated.asks_count = 3;
        }
        if (types[i] == ZVT_T_ORDER_SEND) ZVT_STR_SET(record.order_send.exchange, "alpha");
        if (zvt_pack(&buf, types[i], &record.hello) != 0) return 0;
    }
    return buf.length;
}
