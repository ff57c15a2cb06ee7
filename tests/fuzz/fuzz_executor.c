/* fuzz_executor -- the same bytes as market data, as a gateway's messages and as requests, into both cores. */
#include <stdlib.h>
#include <string.h>

#include "executor_core.h"
#include "zvt_codec.h"
#include "zvt_diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);

static zvt_fleet_t s_fleet;
static router_core_t *s_router;
static executor_core_t *s_core;

static void s_to_gateway(void *arg, uint32_t venue, zvt_type_t type, const void *record)
{
    static uint8_t s_bytes[8192];
    zvt_buf_t buf = {.data = s_bytes, .capacity = sizeof s_bytes};
    (void)arg;
    (void)venue;
    ZVT_ASSERT(zvt_pack(&buf, type, record) == 0); /* whatever leaves can be packed */
}

static void s_to_orchestrator(void *arg, zvt_type_t type, const void *record)
{
    s_to_gateway(arg, 0, type, record);
}

static int s_store(void *arg, uint64_t epoch)
{
    (void)arg;
    (void)epoch;
    return 0;
}

static void s_tell(void *arg)
{
    (void)arg;
}

static void s_start(void)
{
    static const char text[] =
        "instruments\n"
        "    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        min_notional = 10\n        price = 100\n        max_quantity = 1000\n        max_position = 1000\n"
        "venues\n    alpha\n        maker_fee = 0.0002\n        taker_fee = 0.0005\n"
        "    beta\n        maker_fee = 0.0002\n        taker_fee = 0.0005\n";
    char problem[ZVT_PROBLEM_SIZE];
    executor_out_t out = {.store_epoch = s_store,
                          .to_gateway = s_to_gateway,
                          .to_orchestrator = s_to_orchestrator,
                          .tell_gateways = s_tell,
                          .tell_orchestrator = s_tell};
    zvt_diag_init("fuzz", ZVT_DIAG_ERROR);
    ZVT_ASSERT(zvt_fleet_parse(text, "fuzz", &s_fleet, problem) == 0);
    s_router = router_core_new(&s_fleet);
    s_core = executor_core_new(&s_fleet, s_router, &out, 1);
    for (uint32_t i = 0; i < s_fleet.venues_count; i++) router_core_on_reachable(s_router, i, true);
}

static void s_feed(const zvt_record_t *record, int64_t now_ns)
{
    static zvt_route_reply_t s_reply;
    executor_now_t now = {.utc_ns = now_ns, .monotonic_ns = now_ns};
    (void)executor_core_on_request(s_core, record, now);
    executor_core_on_gateway_record(s_core, 1, record, now);
    switch (record->type) {
    case ZVT_T_PRICE_UPDATED: router_core_on_quote(s_router, 0, &record->price_updated); break;
    case ZVT_T_ORDERBOOK_UPDATED: router_core_on_book(s_router, 0, &record->orderbook_updated); break;
    case ZVT_T_MARKET_STATUS: router_core_on_status(s_router, 0, &record->market_status); break;
    case ZVT_T_HELLO:
        (void)executor_core_on_hello(s_core, &record->hello);
        executor_core_on_gateway_up(s_core, 0, &record->hello, now);
        executor_core_on_gateway_hello(s_core, 1, &record->hello);
        break;
    case ZVT_T_ROUTE_REQUEST:
        router_core_route(s_router, &record->route_request, now_ns, &s_reply);
        s_to_gateway(NULL, 0, ZVT_T_ROUTE_REPLY, &s_reply);
        break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static zvt_record_t s_record;
    static int64_t s_now_ns;
    if (s_core == NULL) s_start();
    s_now_ns += ZVT_MS_NS;
    zvt_cursor_t cursor = zvt_cursor(data, size);
    while (!zvt_cursor_done(&cursor) && zvt_read(&cursor, &s_record) == 0) s_feed(&s_record, s_now_ns);
    executor_core_on_time(s_core, (executor_now_t){.utc_ns = s_now_ns, .monotonic_ns = s_now_ns});
    return 0;
}

size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    static const zvt_type_t types[] = {
        ZVT_T_PRICE_UPDATED, ZVT_T_ORDERBOOK_UPDATED, ZVT_T_MARKET_STATUS, ZVT_T_HELLO,        ZVT_T_ROUTE_REQUEST,
        ZVT_T_ORDER_SEND,    ZVT_T_ORDER_CANCEL,      ZVT_T_ORDER_QUERY,   ZVT_T_REPORTS_SINCE, ZVT_T_REPORT,
        ZVT_T_REPORTS_TIP,   ZVT_T_CANCEL_RESULT,     ZVT_T_ORDER_STATUS,
    };
    zvt_record_t record;
    zvt_buf_t buf = {.data = out, .capacity = capacity};
    if (n > sizeof types / sizeof types[0]) return 0;
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (n != 0 && n - 1 != i) continue; /* seed 0 holds one of each */
        memset(&record, 0, sizeof record);
        if (types[i] == ZVT_T_ORDERBOOK_UPDATED) {
            ZVT_STR_SET(record.orderbook_updated.symbol, "BTC/USDT");
            record.orderbook_updated.bids_count = record.orderbook_updated.asks_count = 3;
            for (unsigned level = 0; level < 3; level++) {
                record.orderbook_updated.asks[level] = (zvt_level_t){.price_e8 = 100 + level, .quantity_e8 = INT64_MAX / 2};
                record.orderbook_updated.bids[level] = (zvt_level_t){.price_e8 = 99 - level, .quantity_e8 = 5};
            }
        }
        if (types[i] == ZVT_T_ROUTE_REQUEST) {
            ZVT_STR_SET(record.route_request.order_request.symbol, "BTC/USDT");
            record.route_request.order_request.side = ZVT_SIDE_BUY;
            record.route_request.order_request.order_type = ZVT_ORDER_TYPE_LIMIT;
            record.route_request.order_request.limit_price_e8 = 101;
            record.route_request.quantity_e8 = 7;
        }
        if (types[i] == ZVT_T_ORDER_SEND) ZVT_STR_SET(record.order_send.exchange, "alpha");
        if (zvt_pack(&buf, types[i], &record.hello) != 0) return 0;
    }
    return buf.length;
}
