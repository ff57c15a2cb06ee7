#include "fill_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_fixed.h"

#define VENUE "history"
#define QUANTITY_E8 (ZVT_E8 / 10)
#define FEE_PARTS 5000 /* the fee is one such part of the notional */

typedef struct {
    uint32_t version;
    int64_t quantity_e8;
    int64_t commission_e8;
} fill_position_t;

struct fill_core {
    const zvt_fleet_t *fleet;
    uint32_t strategies, symbols;
    uint64_t run, epoch, orders;
    zvt_idgen_t ids;
    fill_position_t positions[FILL_STRATEGIES_MAX];
};

/* The order under way: what its events have in common. */
typedef struct {
    fill_core_t *core;
    uint64_t n;
    const zvt_instrument_t *instrument;
    fill_position_t *position;
    char strategy_id[ZVT_NAME_SIZE], client_order_id[ZVT_CLIENT_ORDER_SIZE], exec_id[ZVT_CLIENT_ORDER_SIZE];
    uint8_t side;
    int64_t utc_ns, notional_e8, fee_e8;
    zvt_id_t order_id, saga_id, signal_id, position_id, cause;
    uint32_t version;      /* of the order */
    zvt_buf_t *buf;
    zvt_event_t *events;
    uint32_t count;
} fill_order_t;

fill_core_t *fill_core_new(const zvt_fleet_t *fleet, uint32_t strategies, uint32_t symbols, uint64_t run, uint64_t epoch)
{
    fill_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL && strategies > 0 && strategies <= FILL_STRATEGIES_MAX && symbols > 0);
    self->fleet = fleet;
    self->strategies = strategies;
    self->symbols = symbols < fleet->instruments_count ? symbols : fleet->instruments_count;
    self->run = run;
    self->epoch = epoch;
    zvt_idgen_init(&self->ids, run);
    return self;
}

void fill_core_destroy(fill_core_t **self)
{
    free(*self);
    *self = NULL;
}

/* Packs a payload and fills the header around it. */
static int s_put(fill_core_t *self, zvt_buf_t *buf, zvt_type_t type, const void *payload, int64_t utc_ns, zvt_event_t *event)
{
    size_t start = buf->length;
    int status = zvt_pack_payload(buf, type, payload);
    if (status != 0) return status;
    *event = (zvt_event_t){.event_id = zvt_idgen_next(&self->ids, utc_ns), .type = type, .version = zvt_desc(type)->version,
                           .timestamp_ns = utc_ns, .metadata.epoch = self->epoch, .payload = buf->data + start,
                           .payload_length = buf->length - start};
    ZVT_STR_SET(event->metadata.emitter, "orchestrator");
    return 0;
}

/* Adds an event of the order, caused by the one before. */
static int s_add(fill_order_t *order, zvt_type_t type, const void *payload)
{
    zvt_event_t *event = &order->events[order->count];
    int status = s_put(order->core, order->buf, type, payload, order->utc_ns, event);
    if (status != 0) return status;
    event->correlation_id = order->saga_id;
    event->causation_id = order->cause;
    bool of_position = type == ZVT_T_POSITION_UPDATED;
    event->aggregate_id = of_position ? order->position_id : order->order_id;
    event->aggregate_version = of_position ? order->position->version : ++order->version;
    order->cause = event->event_id;
    order->count++;
    return 0;
}

/* ---- the intent ---- */
static int s_requested(fill_order_t *order)
{
    zvt_order_requested_t event = {.order_id = order->order_id, .signal_id = order->signal_id, .incarnation = order->core->run,
                                   .sender_seq = order->n + 1, .confidence_e8 = ZVT_E8 / 2, .deadline_ns = order->utc_ns + 30000000000};
    zvt_order_request_t *terms = &event.order_request;
    ZVT_STR_SET(terms->symbol, order->instrument->symbol);
    terms->side = order->side;
    terms->order_type = ZVT_ORDER_TYPE_MARKET;
    terms->time_in_force = ZVT_TIF_IOC;
    terms->quantity_e8 = QUANTITY_E8;
    terms->expires_at_ns = event.deadline_ns;
    ZVT_STR_SET(event.strategy_id, order->strategy_id);
    ZVT_STR_SET(event.portfolio_id, VENUE);
    ZVT_STR_SET(event.sender, VENUE);
    return s_add(order, ZVT_T_ORDER_REQUESTED, &event);
}

static int s_validated(fill_order_t *order)
{
    zvt_order_validated_t event = {.order_id = order->order_id, .risk_score_e8 = ZVT_E8 / 100,
                                   .validation_result = {.checks = 12, .reference_price_e8 = order->instrument->price_e8,
                                                         .notional_value_e8 = order->notional_e8,
                                                         .position_e8 = order->position->quantity_e8}};
    return s_add(order, ZVT_T_ORDER_VALIDATED, &event);
}

static int s_created(fill_order_t *order)
{
    zvt_order_created_t event = {.order_id = order->order_id, .side = order->side, .order_type = ZVT_ORDER_TYPE_MARKET,
                                 .quantity_e8 = QUANTITY_E8};
    ZVT_STR_SET(event.strategy_id, order->strategy_id);
    ZVT_STR_SET(event.symbol, order->instrument->symbol);
    return s_add(order, ZVT_T_ORDER_CREATED, &event);
}

static int s_routed(fill_order_t *order)
{
    static const char *const venues[] = {VENUE, "elsewhere"};
    zvt_exchange_routed_t event = {.order_id = order->order_id, .routing_metrics_count = 2};
    ZVT_STR_SET(event.selected_exchange, VENUE);
    ZVT_STR_SET(event.routing_reason, "lowest score of 2 venues: best price after fees");
    for (uint32_t i = 0; i < event.routing_metrics_count; i++) {
        event.routing_metrics[i] = (zvt_routing_metric_t){.price_e8 = order->instrument->price_e8, .depth_e8 = 12 * ZVT_E8,
                                                          .fee_e8 = 20000, .latency_ms_e8 = ZVT_E8 / 3, .score_e8 = 12345 + i,
                                                          .code = ZVT_CODE_OK};
        ZVT_STR_SET(event.routing_metrics[i].exchange, venues[i]);
    }
    return s_add(order, ZVT_T_EXCHANGE_ROUTED, &event);
}

static int s_submitted(fill_order_t *order)
{
    zvt_order_submitted_t event = {.order_id = order->order_id, .child = 1, .attempt = 1, .quantity_e8 = QUANTITY_E8,
                                   .expires_at_ns = order->utc_ns + 15000000000, .epoch = order->core->epoch};
    ZVT_STR_SET(event.exchange, VENUE);
    ZVT_STR_SET(event.client_order_id, order->client_order_id);
    return s_add(order, ZVT_T_ORDER_SUBMITTED, &event);
}

/* ---- the outcome ---- */
static int s_accepted(fill_order_t *order)
{
    zvt_order_accepted_t event = {.order_id = order->order_id, .venue_seq = 2 * order->n + 1, .market_ts_ns = order->utc_ns};
    ZVT_STR_SET(event.exchange, VENUE);
    ZVT_STR_SET(event.client_order_id, order->client_order_id);
    ZVT_STR_SET(event.exchange_order_id, order->exec_id);
    return s_add(order, ZVT_T_ORDER_ACCEPTED, &event);
}

static int s_executed(fill_order_t *order)
{
    zvt_order_executed_t event = {.order_id = order->order_id, .venue_seq = 2 * order->n + 2, .side = order->side,
                                  .executed_price_e8 = order->instrument->price_e8, .executed_quantity_e8 = QUANTITY_E8,
                                  .commission_e8 = order->fee_e8, .notional_value_e8 = order->notional_e8,
                                  .execution_time_ms_e8 = ZVT_E8 / 2, .cum_qty_e8 = QUANTITY_E8, .market_ts_ns = order->utc_ns};
    ZVT_STR_SET(event.exchange, VENUE);
    ZVT_STR_SET(event.client_order_id, order->client_order_id);
    ZVT_STR_SET(event.exchange_order_id, order->exec_id);
    ZVT_STR_SET(event.exec_id, order->exec_id);
    ZVT_STR_SET(event.symbol, order->instrument->symbol);
    ZVT_STR_SET(event.commission_asset, order->instrument->quote);
    return s_add(order, ZVT_T_ORDER_EXECUTED, &event);
}

static int s_position(fill_order_t *order)
{
    fill_position_t *position = order->position;
    int64_t change_e8 = order->side == ZVT_SIDE_BUY ? QUANTITY_E8 : -QUANTITY_E8;
    position->quantity_e8 += change_e8;
    position->commission_e8 += order->fee_e8;
    position->version++;
    zvt_position_updated_t event = {.position_id = order->position_id, .order_id = order->order_id, .quantity_change_e8 = change_e8,
                                    .new_quantity_e8 = position->quantity_e8,
                                    .new_avg_price_e8 = position->quantity_e8 == 0 ? 0 : order->instrument->price_e8,
                                    .commission_total_e8 = position->commission_e8};
    ZVT_STR_SET(event.portfolio_id, VENUE);
    ZVT_STR_SET(event.strategy_id, order->strategy_id);
    ZVT_STR_SET(event.symbol, order->instrument->symbol);
    ZVT_STR_SET(event.exec_id, order->exec_id);
    return s_add(order, ZVT_T_POSITION_UPDATED, &event);
}

static int s_completed(fill_order_t *order)
{
    zvt_order_completed_t event = {.order_id = order->order_id, .filled_quantity_e8 = QUANTITY_E8,
                                   .avg_fill_price_e8 = order->instrument->price_e8, .commission_e8 = order->fee_e8};
    ZVT_STR_SET(event.exchange, VENUE);
    ZVT_STR_SET(event.exchange_order_id, order->exec_id);
    ZVT_STR_SET(event.commission_asset, order->instrument->quote);
    return s_add(order, ZVT_T_ORDER_COMPLETED, &event);
}

/* ---- an order ---- */
static void s_begin(fill_core_t *self, fill_order_t *order)
{
    uint64_t n = order->n = self->orders++;
    uint32_t strategy = (uint32_t)(n % self->strategies);
    char key[3 * ZVT_NAME_SIZE];
    order->instrument = &self->fleet->instruments[strategy % self->symbols];
    order->position = &self->positions[strategy];
    order->side = n / self->strategies % 2 == 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL;
    order->order_id = zvt_idgen_next(&self->ids, order->utc_ns);
    order->saga_id = zvt_idgen_next(&self->ids, order->utc_ns);
    order->signal_id = order->cause = zvt_idgen_next(&self->ids, order->utc_ns);
    snprintf(order->strategy_id, sizeof order->strategy_id, "h%06" PRIx64 "-%" PRIu32, self->run & 0xffffff, strategy);
    snprintf(order->client_order_id, sizeof order->client_order_id, "%012" PRIx64 "%08" PRIx64 "-1-1", self->run & 0xffffffffffff, n & 0xffffffff);
    snprintf(order->exec_id, sizeof order->exec_id, VENUE "-%" PRIx64 "-%" PRIu64, self->run & 0xffffff, n);
    int length = snprintf(key, sizeof key, "%s|%s|%s", VENUE, order->strategy_id, order->instrument->symbol);
    order->position_id = zvt_id_from_text(key, (size_t)length);
    ZVT_ASSERT(zvt_fixed_mul(QUANTITY_E8, order->instrument->price_e8, &order->notional_e8) == 0);
    order->fee_e8 = order->notional_e8 / FEE_PARTS;
}

int fill_core_next(fill_core_t *self, int64_t utc_ns, zvt_buf_t *buf, zvt_event_t events[FILL_EVENTS_PER_ORDER])
{
    static int (*const steps[FILL_EVENTS_PER_ORDER])(fill_order_t *) = {s_requested, s_validated, s_created, s_routed, s_submitted,
                                                                        s_accepted, s_executed, s_position, s_completed};
    fill_order_t order = {.core = self, .utc_ns = utc_ns, .buf = buf, .events = events};
    s_begin(self, &order);
    int status = 0;
    for (size_t i = 0; i < FILL_EVENTS_PER_ORDER && status == 0; i++) status = steps[i](&order);
    return status;
}

int fill_core_barrier(fill_core_t *self, const zvt_id_t *system_id, const zvt_id_t *cause, uint32_t version, int64_t utc_ns,
                      zvt_buf_t *buf, zvt_event_t *event)
{
    zvt_system_barrier_t barrier = {.requested_by = "zvt-fill"};
    int status = s_put(self, buf, ZVT_T_SYSTEM_BARRIER, &barrier, utc_ns, event);
    if (status != 0) return status;
    event->correlation_id = event->aggregate_id = *system_id;
    event->causation_id = *cause;
    event->aggregate_version = version;
    return 0;
}
