#include "alloc_desk.h"

#include <string.h>

#include "desk_core.h"

enum { PAYLOAD_BYTES = 4096 };

/* ---- a strategy that always wants something ---- */
typedef struct {
    bool bought;
    uint64_t filled;
} eager_t;

static void s_on_quote(void *state, zvt_strategy_context_t *context, const zvt_price_updated_t *quote)
{
    const eager_t *self = state;
    zvt_order_request_t terms = {.side = self->bought ? ZVT_SIDE_SELL : ZVT_SIDE_BUY, .order_type = ZVT_ORDER_TYPE_MARKET,
                                 .time_in_force = ZVT_TIF_IOC, .quantity_e8 = ZVT_E8};
    (void)quote;
    ZVT_ASSERT(zvt_strategy_submit(context, &terms, ZVT_E8 / 2, NULL) == 0);
}

static void s_on_order(void *state, zvt_strategy_context_t *context, const zvt_strategy_order_t *order,
                       const zvt_strategy_update_t *update)
{
    eager_t *self = state;
    (void)context, (void)update;
    if (order->state != ZVT_ORDER_STATE_FILLED) return;
    self->bought = !self->bought;
    self->filled++;
}

static const zvt_strategy_t s_eager = {
    .name = "eager", .summary = "orders at every quote", .state_size = sizeof(eager_t), .on_quote = s_on_quote, .on_order = s_on_order};

/* ---- the desk ---- */
static struct {
    desk_core_t *desk;
    const zvt_instrument_t *instrument;
    zvt_signal_t signal; /* the last one that left */
    desk_time_t now;
    uint64_t seq, symbol_seq;
    zvt_buf_t payload;
} s_bench;

static void s_on_send(void *arg, zvt_type_t type, const void *record)
{
    (void)arg;
    if (type == ZVT_T_SIGNAL) s_bench.signal = *(const zvt_signal_t *)record;
}

static void s_on_log(void *arg, const char *name, const char *text)
{
    (void)arg, (void)name, (void)text;
}

void alloc_desk_begin(const zvt_fleet_t *fleet)
{
    char problem[SETTINGS_PROBLEM_SIZE];
    zvt_strategy_config_t config = {.name = "eager"};
    desk_output_t output = {.send = s_on_send, .log = s_on_log};
    s_bench.instrument = &fleet->instruments[0];
    s_bench.now = (desk_time_t){.utc_ns = INT64_C(1700000000) * ZVT_SECOND_NS, .monotonic_ns = ZVT_SECOND_NS};
    s_bench.payload = zvt_buf_new(PAYLOAD_BYTES);
    s_bench.desk = desk_core_new("bench", 1, 1, 1, &output);
    ZVT_ASSERT(desk_core_add(s_bench.desk, &s_eager, &config, "main", s_bench.instrument, problem) == 0);
    zvt_orders_query_t query;
    const zvt_list_end_t whole = {0};
    desk_core_begin_orders(s_bench.desk, &query);
    ZVT_ASSERT(desk_core_on_orders_end(s_bench.desk, &whole, s_bench.now));
    desk_core_on_positions_end(s_bench.desk, s_bench.now);
}

static void s_event(const zvt_id_t *order_id, const zvt_record_t *record)
{
    s_bench.payload.length = 0;
    ZVT_ASSERT(zvt_pack_payload(&s_bench.payload, record->type, &record->hello) == 0);
    zvt_event_t event = {.seq = ++s_bench.seq, .type = record->type, .aggregate_id = *order_id,
                         .payload = s_bench.payload.data, .payload_length = s_bench.payload.length};
    desk_core_on_event(s_bench.desk, &event, s_bench.now);
}

static void s_quote(void)
{
    static zvt_record_t record;
    zvt_price_updated_t *quote = &record.price_updated;
    record.type = ZVT_T_PRICE_UPDATED;
    *quote = (zvt_price_updated_t){.symbol_seq = ++s_bench.symbol_seq, .bid_e8 = ZVT_E8, .ask_e8 = 2 * ZVT_E8};
    ZVT_STR_SET(quote->venue, "alpha");
    ZVT_STR_SET(quote->symbol, s_bench.instrument->symbol);
    desk_core_on_market(s_bench.desk, &record, s_bench.now);
}

void alloc_desk_order(void)
{
    static zvt_record_t record;
    s_bench.now.utc_ns += ZVT_MS_NS;
    s_bench.now.monotonic_ns += ZVT_MS_NS;
    s_quote();
    zvt_id_t order_id = s_bench.signal.signal_id;
    order_id.bytes[0] ^= 0xff;
    zvt_signal_ack_t ack = {.incarnation = 1, .sender_seq = s_bench.signal.sender_seq, .signal_id = s_bench.signal.signal_id,
                            .order_id = order_id, .seq = s_bench.seq + 1, .code = ZVT_CODE_OK};
    desk_core_on_ack(s_bench.desk, &ack, s_bench.now);
    memset(&record, 0, sizeof record);
    record.type = ZVT_T_ORDER_REQUESTED;
    record.order_requested.order_id = order_id;
    record.order_requested.signal_id = s_bench.signal.signal_id;
    record.order_requested.order_request = s_bench.signal.order_request;
    ZVT_STR_SET(record.order_requested.strategy_id, "eager");
    s_event(&order_id, &record);
    memset(&record, 0, sizeof record);
    record.type = ZVT_T_ORDER_SUBMITTED;
    s_event(&order_id, &record);
    record.type = ZVT_T_ORDER_ACCEPTED;
    s_event(&order_id, &record);
    record.type = ZVT_T_ORDER_EXECUTED;
    record.order_executed = (zvt_order_executed_t){.order_id = order_id, .side = s_bench.signal.order_request.side,
                                                   .executed_quantity_e8 = ZVT_E8, .executed_price_e8 = ZVT_E8, .cum_qty_e8 = ZVT_E8};
    s_event(&order_id, &record);
    desk_core_on_time(s_bench.desk, s_bench.now);
}

uint64_t alloc_desk_filled(void)
{
    return ((const eager_t *)strategy_core_state((strategy_core_t *)(uintptr_t)desk_core_strategy(s_bench.desk, 0)))->filled;
}

void alloc_desk_end(void)
{
    desk_core_destroy(&s_bench.desk);
    zvt_buf_destroy(&s_bench.payload);
}
