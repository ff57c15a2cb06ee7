#include "load_core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_map.h"
#include "zvt_time.h"

enum { RESEND_MAX = 65536, LIMIT_BELOW = 200 /* a resting order stands one such part of the price below the bid */ };
#define EXPIRES_NS (30 * ZVT_SECOND_NS) /* after it was made: not sent to a venue later */
#define HOLD_NS ZVT_SECOND_NS           /* how long a limit order rests before it is canceled */
#define CANCEL_AGAIN_NS (2 * ZVT_SECOND_NS) /* after one that brought no end */
#define RESEND_NS (300 * ZVT_MS_NS)     /* without an acknowledgement */

/* What is known of an order. */
enum { SEEN_ACKED = 1, SEEN_REQUESTED = 2, SEEN_RESTING = 4, SEEN_ENDED = 8, SEEN_PARTIAL = 16, SEEN_LEFT = 32 /* a copy has left */ };

typedef enum { KIND_MARKET, KIND_RESTING, KIND_TAKING } kind_t;

typedef struct {
    int64_t due_ns;
    int64_t sent_ns;      /* the last time, or its cancel */
    int64_t expires_utc_ns;
    int64_t cancel_ns;    /* when a cancel was sent; 0: never */
    int64_t ended_ns;     /* when its end was seen */
    int64_t intent_utc_ns; /* when the intent to send it to a venue was committed; 0: not known */
    int64_t price_e8;     /* limit orders */
    int64_t quantity_e8;
    zvt_id_t signal_id;
    uint8_t kind;         /* kind_t */
    uint8_t seen;         /* SEEN_* */
    uint8_t outcome;      /* ZVT_ORDER_STATE_* once it has ended; 0: refused before it was an order */
} load_order_t;

/* Numbers of orders that wait for something, oldest first. */
typedef struct {
    uint32_t *orders;
    uint32_t capacity, head, count;
} queue_t;

typedef char name_t[ZVT_NAME_SIZE];

struct load_core {
    load_config_t config;
    const zvt_fleet_t *fleet;
    char sender[ZVT_NAME_SIZE];
    uint64_t incarnation, orders_max, sent, ended, resent, refused;
    uint64_t oldest_unacked;
    uint64_t cancels_sent;
    uint64_t in_time;
    int64_t start_ns, utc_offset_ns;
    int64_t serial_ns;          /* when the next order is due, one at a time; 0: not before the last one's end */
    uint64_t events;
    load_order_t *orders;
    queue_t cancels;            /* to be canceled when they have rested long enough */
    queue_t cancels_asked;      /* what may be refused or get lost: asked for again until the order ends */
    queue_t resends;
    uint32_t signals[LOAD_BURST_MAX], cancels_due[LOAD_BURST_MAX]; /* orders of which a record is in the burst */
    uint32_t signals_count, cancels_due_count;
    zvt_map_t *by_saga;         /* correlation id -> number */
    zvt_idgen_t ids;
    name_t *senders, *strategies; /* names, made at the start */
    zvt_price_updated_t quote;  /* of the limit orders' instrument */
    zvt_record_t record;        /* scratch */
};

/* ---- queues ---- */
static void s_queue_init(queue_t *self, uint64_t capacity)
{
    self->capacity = (uint32_t)capacity;
    self->orders = calloc(capacity, sizeof *self->orders);
    ZVT_ASSERT(self->orders != NULL);
}

static void s_queue_push(queue_t *self, uint64_t n)
{
    if (self->count == self->capacity) return; /* found again by time */
    self->orders[(self->head + self->count++) % self->capacity] = (uint32_t)n;
}

static uint32_t s_queue_pop(queue_t *self)
{
    uint32_t n = self->orders[self->head];
    self->head = (self->head + 1) % self->capacity;
    self->count--;
    return n;
}

/* ---- life ---- */
static name_t *s_names(const char *of, uint32_t count)
{
    name_t *names = calloc(count, sizeof *names);
    ZVT_ASSERT(names != NULL);
    for (uint32_t i = 0; i < count; i++) snprintf(names[i], sizeof names[i], "%.20s-%" PRIu32, of, i);
    return names;
}

load_core_t *load_core_new(const load_config_t *config, const zvt_fleet_t *fleet, const char *sender, uint64_t incarnation)
{
    load_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->config = *config;
    self->fleet = fleet;
    self->incarnation = incarnation;
    self->orders_max = (uint64_t)(config->rate_hz * (config->warmup_s + config->seconds));
    self->orders = calloc(self->orders_max + 1, sizeof *self->orders);
    ZVT_ASSERT(self->orders != NULL);
    self->by_saga = zvt_map_new(sizeof(zvt_id_t), (uint32_t)self->orders_max + 1);
    s_queue_init(&self->cancels, self->orders_max + 1);
    s_queue_init(&self->cancels_asked, self->orders_max + 1);
    s_queue_init(&self->resends, RESEND_MAX);
    zvt_idgen_init(&self->ids, incarnation);
    ZVT_STR_SET(self->sender, sender);
    self->senders = s_names(self->sender, config->senders);
    self->strategies = s_names(self->sender, config->strategies);
    return self;
}

void load_core_destroy(load_core_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->by_saga);
    free((*self)->senders);
    free((*self)->strategies);
    free((*self)->cancels.orders);
    free((*self)->cancels_asked.orders);
    free((*self)->resends.orders);
    free((*self)->orders);
    free(*self);
    *self = NULL;
}

void load_core_start(load_core_t *self, int64_t now_ns, int64_t utc_ns)
{
    self->start_ns = self->serial_ns = now_ns;
    self->utc_offset_ns = utc_ns - now_ns;
}

int64_t load_core_measure_from_ns(const load_core_t *self)
{
    return self->start_ns + (int64_t)(self->config.warmup_s * 1e9);
}

int64_t load_core_measure_to_ns(const load_core_t *self)
{
    return load_core_measure_from_ns(self) + (int64_t)(self->config.seconds * 1e9);
}

/* The warm-up is not measured. */
static bool s_is_measured(const load_core_t *self, const load_order_t *order)
{
    return order->due_ns >= load_core_measure_from_ns(self);
}

/* ---- what is due ---- */
static int64_t s_due_ns(const load_core_t *self, uint64_t n)
{
    if (self->config.pause_ns > 0) return self->serial_ns;
    return self->start_ns + (int64_t)((double)n * 1e9 / self->config.rate_hz);
}

static int64_t s_cancel_due_ns(const load_core_t *self)
{
    return self->cancels.count == 0 ? 0 : self->orders[self->cancels.orders[self->cancels.head]].cancel_ns;
}

int64_t load_core_next_ns(const load_core_t *self)
{
    int64_t cancel_ns = s_cancel_due_ns(self);
    int64_t order_ns = load_core_all_sent(self) ? 0 : s_due_ns(self, self->sent);
    if (self->resends.count > 0) return 1;
    return order_ns == 0 || (cancel_ns != 0 && cancel_ns < order_ns) ? cancel_ns : order_ns;
}

bool load_core_all_sent(const load_core_t *self)
{
    /* One at a time there is no telling how many fit into the time. */
    if (self->config.pause_ns > 0 && self->serial_ns != 0 && self->serial_ns >= load_core_measure_to_ns(self)) return true;
    return self->sent == self->orders_max;
}

bool load_core_is_over(const load_core_t *self)
{
    return load_core_all_sent(self) && self->ended == self->sent;
}

bool load_core_gives_up(const load_core_t *self, int64_t now_ns)
{
    return now_ns > load_core_measure_to_ns(self) + self->config.patience_ns;
}

/* ---- terms ---- */
static const zvt_instrument_t *s_limit_instrument(const load_core_t *self)
{
    return &self->fleet->instruments[self->config.symbols];
}

bool load_core_can_start(const load_core_t *self)
{
    return self->config.limit_percent == 0 || (self->quote.bid_e8 > 0 && self->quote.ask_e8 > 0);
}

void load_core_on_quote(load_core_t *self, const zvt_price_updated_t *quote)
{
    if (self->config.limit_percent == 0 || strcmp(quote->symbol, s_limit_instrument(self)->symbol) != 0) return;
    if (quote->bid_e8 > 0 && quote->ask_e8 > 0) self->quote = *quote;
}

/* Market, or by turns the two kinds of limit order; evenly mixed. */
static kind_t s_kind(const load_core_t *self, uint64_t n)
{
    uint64_t share = self->config.limit_percent;
    if (n * share / 100 == (n + 1) * share / 100) return KIND_MARKET;
    return n * share / 100 % 2 == 0 ? KIND_RESTING : KIND_TAKING;
}

static int64_t s_round_down(int64_t value, int64_t step)
{
    return step > 0 ? value / step * step : value;
}

static void s_set_terms(load_core_t *self, load_order_t *order)
{
    order->quantity_e8 = self->config.quantity_e8;
    if (order->kind == KIND_MARKET) return;
    const zvt_instrument_t *instrument = s_limit_instrument(self);
    int64_t lot_e8 = instrument->lot_e8 > 0 ? instrument->lot_e8 : 1, at_least_e8 = order->quantity_e8;
    order->price_e8 = s_round_down(self->quote.bid_e8 - self->quote.bid_e8 / LIMIT_BELOW, instrument->tick_e8);
    if (order->kind == KIND_TAKING) {
        /* A little more than the best ask shows, so that the rest of it rests. */
        order->price_e8 = self->quote.ask_e8;
        at_least_e8 = self->quote.ask_volume_e8;
    }
    order->quantity_e8 = s_round_down(at_least_e8, lot_e8) + lot_e8;
    if (order->quantity_e8 > instrument->max_quantity_e8) order->quantity_e8 = s_round_down(instrument->max_quantity_e8, lot_e8);
}

/* Each strategy buys and sells by turns and always in pairs, so that no position grows; the pairs go over all symbols. */
static const char *s_market_symbol(const load_core_t *self, uint64_t n)
{
    uint64_t strategies = self->config.strategies, pair = n / strategies / 2 * strategies + n % strategies;
    return self->fleet->instruments[pair % self->config.symbols].symbol;
}

/* Everything but the terms that were chosen when the order was made follows from its number: so a copy is the same. */
static void s_fill_signal(load_core_t *self, uint64_t n, int64_t utc_ns, zvt_signal_t *signal)
{
    const load_order_t *order = &self->orders[n];
    memset(signal, 0, sizeof *signal);
    signal->signal_id = order->signal_id;
    memcpy(signal->sender, self->senders[n % self->config.senders], sizeof signal->sender);
    signal->incarnation = self->incarnation;
    signal->sender_seq = n / self->config.senders + 1;
    memcpy(signal->strategy_id, self->strategies[n % self->config.strategies], sizeof signal->strategy_id);
    ZVT_STR_SET(signal->portfolio_id, "bench");
    zvt_order_request_t *terms = &signal->order_request;
    bool market = order->kind == KIND_MARKET;
    ZVT_STR_SET(terms->symbol, market ? s_market_symbol(self, n) : s_limit_instrument(self)->symbol);
    ZVT_STR_SET(terms->venue, market ? self->config.venue : self->quote.venue);
    terms->side = market && n / self->config.strategies % 2 != 0 ? ZVT_SIDE_SELL : ZVT_SIDE_BUY;
    terms->order_type = market ? ZVT_ORDER_TYPE_MARKET : ZVT_ORDER_TYPE_LIMIT;
    terms->time_in_force = market ? ZVT_TIF_IOC : ZVT_TIF_GTC;
    terms->post_only = order->kind == KIND_RESTING;
    terms->quantity_e8 = order->quantity_e8;
    terms->limit_price_e8 = order->price_e8;
    terms->expires_at_ns = order->expires_utc_ns;
    signal->sent_at_ns = utc_ns;
}

/* ---- what is sent ---- */
static bool s_next_order(load_core_t *self, int64_t now_ns, int64_t utc_ns, zvt_record_t *record)
{
    if (load_core_all_sent(self)) return false;
    int64_t due_ns = s_due_ns(self, self->sent);
    if (due_ns == 0 || due_ns > now_ns) return false;
    uint64_t n = self->sent++;
    load_order_t *order = &self->orders[n];
    *order = (load_order_t){.due_ns = due_ns, .sent_ns = now_ns, .expires_utc_ns = utc_ns + EXPIRES_NS,
                            .kind = (uint8_t)s_kind(self, n), .signal_id = zvt_idgen_next(&self->ids, utc_ns)};
    if (self->config.pause_ns > 0) self->serial_ns = 0;
    self->signals[self->signals_count++] = (uint32_t)n;
    s_set_terms(self, order);
    record->type = ZVT_T_SIGNAL;
    s_fill_signal(self, n, utc_ns, &record->signal);
    return true;
}

static bool s_next_resend(load_core_t *self, int64_t utc_ns, zvt_record_t *record)
{
    while (self->resends.count > 0) {
        uint32_t n = s_queue_pop(&self->resends);
        if (self->orders[n].seen & (SEEN_ACKED | SEEN_ENDED)) continue;
        record->type = ZVT_T_SIGNAL;
        self->signals[self->signals_count++] = n;
        s_fill_signal(self, n, utc_ns, &record->signal);
        self->resent++;
        return true;
    }
    return false;
}

static bool s_next_cancel(load_core_t *self, int64_t now_ns, zvt_record_t *record)
{
    while (self->cancels.count > 0 && s_cancel_due_ns(self) <= now_ns) {
        uint32_t n = s_queue_pop(&self->cancels);
        load_order_t *order = &self->orders[n];
        if (order->seen & SEEN_ENDED) continue;
        order->sent_ns = now_ns;
        self->cancels_due[self->cancels_due_count++] = n;
        record->type = ZVT_T_SIGNAL_CANCEL;
        zvt_signal_cancel_t *cancel = &record->signal_cancel;
        memset(cancel, 0, sizeof *cancel);
        snprintf(cancel->sender, sizeof cancel->sender, "%.20s-cancel", self->sender);
        cancel->incarnation = self->incarnation;
        cancel->sender_seq = ++self->cancels_sent;
        cancel->signal_id = order->signal_id;
        return true;
    }
    return false;
}

bool load_core_next(load_core_t *self, int64_t now_ns, int64_t utc_ns, zvt_record_t *record)
{
    if (self->signals_count + self->cancels_due_count == LOAD_BURST_MAX) return false;
    return s_next_cancel(self, now_ns, record) || s_next_resend(self, utc_ns, record) || s_next_order(self, now_ns, utc_ns, record);
}

void load_core_on_burst(load_core_t *self, bool has_left)
{
    for (uint32_t i = 0; has_left && i < self->signals_count; i++) self->orders[self->signals[i]].seen |= SEEN_LEFT;
    for (uint32_t i = 0; i < self->cancels_due_count; i++) s_queue_push(has_left ? &self->cancels_asked : &self->cancels, self->cancels_due[i]);
    self->signals_count = self->cancels_due_count = 0;
}

static void s_ask_cancels_again(load_core_t *self, int64_t now_ns)
{
    while (self->cancels_asked.count > 0) {
        const load_order_t *oldest = &self->orders[self->cancels_asked.orders[self->cancels_asked.head]];
        bool ended = oldest->seen & SEEN_ENDED;
        if (!ended && now_ns - oldest->sent_ns < CANCEL_AGAIN_NS) return;
        uint32_t n = s_queue_pop(&self->cancels_asked);
        if (!ended) s_queue_push(&self->cancels, n);
    }
}

void load_core_on_time(load_core_t *self, int64_t now_ns)
{
    s_ask_cancels_again(self, now_ns);
    while (self->oldest_unacked < self->sent && (self->orders[self->oldest_unacked].seen & (SEEN_ACKED | SEEN_ENDED))) self->oldest_unacked++;
    if (!self->config.resend) return;
    for (uint64_t n = self->oldest_unacked; n < self->sent; n++) {
        load_order_t *order = &self->orders[n];
        if ((order->seen & (SEEN_ACKED | SEEN_ENDED)) || now_ns - order->sent_ns < RESEND_NS) continue;
        if (now_ns + self->utc_offset_ns > order->expires_utc_ns) continue;
        order->sent_ns = now_ns;
        s_queue_push(&self->resends, n);
    }
}

/* ---- what the log says ---- */
static void s_end(load_core_t *self, load_order_t *order, uint8_t outcome, int64_t now_ns)
{
    if (order->seen & SEEN_ENDED) return;
    order->seen |= SEEN_ENDED | SEEN_ACKED;
    order->outcome = outcome;
    order->ended_ns = now_ns;
    self->ended++;
    if (self->config.pause_ns > 0) self->serial_ns = now_ns + self->config.pause_ns;
}

static bool s_is_success(const load_order_t *order)
{
    bool canceled = order->kind != KIND_MARKET && order->outcome == ZVT_ORDER_STATE_CANCELED;
    return (order->seen & SEEN_ENDED) && (canceled || order->outcome == ZVT_ORDER_STATE_FILLED);
}

/* Number of the order with this sender's number; UINT64_MAX if it is none of ours. */
static uint64_t s_number(const load_core_t *self, const char *sender, uint64_t incarnation, uint64_t sender_seq)
{
    size_t length = strlen(self->sender) < 20 ? strlen(self->sender) : 20;
    if (incarnation != self->incarnation || sender_seq == 0) return UINT64_MAX;
    if (strncmp(sender, self->sender, length) != 0 || sender[length] != '-') return UINT64_MAX;
    char *end;
    uint64_t index = strtoull(sender + length + 1, &end, 10);
    if (end == sender + length + 1 || *end != '\0' || index >= self->config.senders) return UINT64_MAX;
    uint64_t n = (sender_seq - 1) * self->config.senders + index;
    return n < self->sent ? n : UINT64_MAX;
}

/* The order that an event belongs to; the first event of an order makes it known. */
static load_order_t *s_order_of(load_core_t *self, const zvt_event_t *event, uint64_t *n)
{
    if (event->type == ZVT_T_ORDER_REQUESTED) {
        if (zvt_read_payload(event, &self->record) != 0) return NULL;
        const zvt_order_requested_t *requested = &self->record.order_requested;
        *n = s_number(self, requested->sender, requested->incarnation, requested->sender_seq);
        if (*n == UINT64_MAX) return NULL;
        if (zvt_map_put(self->by_saga, &event->correlation_id, (uint32_t)*n) != 0) return NULL;
        return &self->orders[*n];
    }
    uint32_t index = zvt_map_get(self->by_saga, &event->correlation_id);
    *n = index;
    return index == ZVT_MAP_NONE ? NULL : &self->orders[index];
}

/* Stages that an event stands for: when it was made, and when it was committed. */
static const struct {
    load_stage_t logged, durable;
} s_stages[ZVT_T_LIMIT] = {
    [ZVT_T_ORDER_REQUESTED] = {.logged = STAGE_REQUESTED, .durable = STAGE_REQUESTED_DURABLE},
    [ZVT_T_ORDER_VALIDATED] = {.logged = STAGE_VALIDATED, .durable = STAGE_COUNT},
    [ZVT_T_EXCHANGE_ROUTED] = {.logged = STAGE_ROUTED, .durable = STAGE_COUNT},
    [ZVT_T_ORDER_SUBMITTED] = {.logged = STAGE_COUNT, .durable = STAGE_INTENT_DURABLE},
    [ZVT_T_ORDER_EXECUTED] = {.logged = STAGE_EXECUTED, .durable = STAGE_COUNT},
    [ZVT_T_POSITION_UPDATED] = {.logged = STAGE_POSITION, .durable = STAGE_COUNT},
    [ZVT_T_ORDER_COMPLETED] = {.logged = STAGE_COUNT, .durable = STAGE_COMPLETED_DURABLE},
};

static void s_measure(const load_core_t *self, const load_order_t *order, const zvt_event_t *event, int64_t committed_utc_ns)
{
    int64_t due_utc_ns = order->due_ns + self->utc_offset_ns;
    load_stage_t logged = s_stages[event->type].logged, durable = s_stages[event->type].durable;
    if (logged == durable) return; /* a row that the table does not have */
    if (logged != STAGE_COUNT) zvt_histogram_add(load_stage(logged), event->timestamp_ns - due_utc_ns);
    if (durable != STAGE_COUNT && committed_utc_ns != 0) zvt_histogram_add(load_stage(durable), committed_utc_ns - due_utc_ns);
}

static const uint8_t s_outcomes[ZVT_T_LIMIT] = {
    [ZVT_T_ORDER_COMPLETED] = ZVT_ORDER_STATE_FILLED,   [ZVT_T_ORDER_REJECTED] = ZVT_ORDER_STATE_REJECTED,
    [ZVT_T_ORDER_EXPIRED] = ZVT_ORDER_STATE_EXPIRED,    [ZVT_T_ORDER_CANCELED] = ZVT_ORDER_STATE_CANCELED,
    [ZVT_T_ORDER_FAILED] = ZVT_ORDER_STATE_FAILED,
};

/* The orchestrator makes this event when the venue's report reaches it; that of the execution, when the position is known too. */
static void s_on_accepted(load_core_t *self, load_order_t *order, uint64_t n, const zvt_event_t *event, int64_t now_ns)
{
    bool measured = s_is_measured(self, order);
    if (order->kind == KIND_MARKET) {
        if (measured && order->intent_utc_ns != 0) zvt_histogram_add(load_stage(STAGE_EXECUTOR_TO_VENUE), event->timestamp_ns - order->intent_utc_ns);
        return;
    }
    if (order->seen & SEEN_RESTING) return;
    order->seen |= SEEN_RESTING;
    order->cancel_ns = now_ns + HOLD_NS;
    s_queue_push(&self->cancels, n);
    if (measured) zvt_histogram_add(load_stage(STAGE_RESTING), now_ns - order->due_ns);
}

/* Reading a fill costs the generator more than everything else about an order, so market orders, which fill at once, are spared. */
static void s_on_executed(load_core_t *self, load_order_t *order, const zvt_event_t *event)
{
    if (order->kind == KIND_MARKET || zvt_read_payload(event, &self->record) != 0) return;
    if (self->record.order_executed.leaves_qty_e8 > 0) order->seen |= SEEN_PARTIAL;
}

static void s_on_outcome(load_core_t *self, load_order_t *order, uint8_t outcome, int64_t now_ns)
{
    if (order->seen & SEEN_ENDED) return;
    s_end(self, order, outcome, now_ns);
    bool good = s_is_success(order);
    self->in_time += good && now_ns >= load_core_measure_from_ns(self) && now_ns < load_core_measure_to_ns(self);
    if (!good || !s_is_measured(self, order)) return;
    if (order->kind == KIND_MARKET) zvt_histogram_add(load_stage(STAGE_COMPLETED), now_ns - order->due_ns);
    if (outcome == ZVT_ORDER_STATE_CANCELED) zvt_histogram_add(load_stage(STAGE_CANCELED), now_ns - order->cancel_ns);
}

void load_core_on_event(load_core_t *self, const zvt_event_t *event, int64_t committed_utc_ns, int64_t now_ns)
{
    uint64_t n;
    self->events++;
    load_order_t *order = s_order_of(self, event, &n);
    if (order == NULL) return;
    order->seen |= SEEN_ACKED | SEEN_REQUESTED;
    if (order->kind == KIND_MARKET && s_is_measured(self, order)) s_measure(self, order, event, committed_utc_ns);
    if (event->type == ZVT_T_ORDER_SUBMITTED) order->intent_utc_ns = committed_utc_ns;
    if (event->type == ZVT_T_ORDER_ACCEPTED) s_on_accepted(self, order, n, event, now_ns);
    if (event->type == ZVT_T_ORDER_EXECUTED) s_on_executed(self, order, event);
    uint8_t outcome = s_outcomes[event->type];
    if (outcome != 0) s_on_outcome(self, order, outcome, now_ns);
}

/* Codes after which the same signal may be sent again. */
static bool s_may_try_again(uint8_t code)
{
    return code == ZVT_CODE_OVERLOADED || code == ZVT_CODE_LOG_UNAVAILABLE || code == ZVT_CODE_NOT_READY;
}

void load_core_on_ack(load_core_t *self, const char *sender, const zvt_signal_ack_t *ack)
{
    uint64_t n = s_number(self, sender, ack->incarnation, ack->sender_seq);
    if (n == UINT64_MAX) return;
    load_order_t *order = &self->orders[n];
    if (ack->code == ZVT_CODE_OK || ack->code == ZVT_CODE_DUPLICATE) {
        order->seen |= SEEN_ACKED;
        return;
    }
    if ((order->seen & (SEEN_ENDED | SEEN_REQUESTED)) || (self->config.resend && s_may_try_again(ack->code))) return;
    s_end(self, order, 0, order->due_ns);
    self->refused++;
}

/* ---- reports ---- */
void load_core_progress(const load_core_t *self, uint64_t *sent, uint64_t *ended)
{
    *sent = self->sent;
    *ended = self->ended;
}

void load_core_counts(const load_core_t *self, load_counts_t *counts)
{
    *counts = (load_counts_t){.sent = self->sent, .ended = self->ended, .resent = self->resent, .refused = self->refused, .in_time = self->in_time};
    for (uint64_t n = 0; n < self->sent; n++) {
        const load_order_t *order = &self->orders[n];
        bool good = s_is_success(order), ended = order->seen & SEEN_ENDED;
        counts->succeeded += good;
        counts->rejected += ended && !good && order->outcome != 0 && order->outcome != ZVT_ORDER_STATE_EXPIRED;
        counts->expired += ended && order->outcome == ZVT_ORDER_STATE_EXPIRED;
        counts->lost += !ended && (order->seen & SEEN_ACKED);
        counts->unanswered += !ended && !(order->seen & SEEN_ACKED);
        counts->unsent += !ended && !(order->seen & (SEEN_ACKED | SEEN_LEFT));
        counts->partial += (order->seen & SEEN_PARTIAL) != 0;
        counts->canceled += order->outcome == ZVT_ORDER_STATE_CANCELED;
        counts->measured += s_is_measured(self, order);
        counts->measured_succeeded += good && s_is_measured(self, order);
    }
}

void load_core_report(const load_core_t *self, FILE *out)
{
    load_counts_t counts;
    load_core_counts(self, &counts);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"sent", counts.sent}, {"completed", counts.succeeded}, {"rejected", counts.rejected}, {"expired", counts.expired},
                {"refused", counts.refused}, {"lost", counts.lost}, {"unanswered", counts.unanswered}, {"unsent", counts.unsent}, {"resent", counts.resent},
                {"partially_filled", counts.partial}, {"canceled", counts.canceled}, {"measured", counts.measured},
                {"measured_completed", counts.measured_succeeded}, {"events", self->events}};
    fprintf(out, "{\"rate\": %.1f, \"seconds\": %.1f, ", self->config.rate_hz, self->config.seconds);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) fprintf(out, "\"%s\": %" PRIu64 ", ", rows[i].name, rows[i].value);
    fprintf(out, "\"completed_per_s\": %.1f, \"success_share\": %.6f, ", (double)counts.in_time / self->config.seconds,
            counts.measured == 0 ? 0.0 : (double)counts.measured_succeeded / (double)counts.measured);
    load_stages_json(out);
    fputs("}\n", out);
}

void load_core_trace(const load_core_t *self, FILE *out)
{
    for (uint64_t n = 0; n < self->sent; n++) {
        const load_order_t *order = &self->orders[n];
        bool ended = order->seen & SEEN_ENDED;
        fprintf(out, "%" PRIu64 " %" PRId64 " %" PRId64 " %s\n", n, order->due_ns + self->utc_offset_ns,
                ended ? order->ended_ns + self->utc_offset_ns : 0,
                !ended ? "open" : order->outcome == 0 ? "refused" : zvt_order_state_text(order->outcome));
    }
}
