#include "load_core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_map.h"
#include "zvt_time.h"

/* What an order has reached, as seen by a subscriber of the log. */
enum { SEEN_REQUESTED = 1, SEEN_SUBMITTED = 2, SEEN_ACCEPTED = 4, SEEN_EXECUTED = 8, SEEN_ENDED = 16 };

typedef struct {
    int64_t due_ns;
    uint8_t seen;     /* SEEN_* */
    uint8_t outcome;  /* ZVT_ORDER_STATE_* once it has ended */
} load_order_t;

struct load_core {
    load_config_t config;
    char sender[ZVT_NAME_SIZE];
    uint64_t incarnation;
    uint64_t orders_max, warmup, sent, ended, succeeded, rejected, refused, events;
    int64_t start_ns;
    load_order_t *orders;
    zvt_map_t *by_order; /* order id -> index */
    zvt_idgen_t ids;
    zvt_histogram_t *requested, *submitted, *executed, *completed;
};

load_core_t *load_core_new(const load_config_t *config, const char *sender, uint64_t incarnation)
{
    load_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->config = *config;
    self->incarnation = incarnation;
    self->warmup = (uint64_t)(config->rate_hz * config->warmup_s);
    self->orders_max = self->warmup + (uint64_t)(config->rate_hz * config->seconds);
    self->orders = calloc(self->orders_max + 1, sizeof *self->orders);
    ZVT_ASSERT(self->orders != NULL);
    self->by_order = zvt_map_new(sizeof(zvt_id_t), (uint32_t)self->orders_max + 1);
    zvt_idgen_init(&self->ids, incarnation);
    ZVT_STR_SET(self->sender, sender);
    self->requested = zvt_histogram("requested");
    self->submitted = zvt_histogram("submitted");
    self->executed = zvt_histogram("executed");
    self->completed = zvt_histogram("completed");
    return self;
}

void load_core_destroy(load_core_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->by_order);
    free((*self)->orders);
    free(*self);
    *self = NULL;
}

void load_core_start(load_core_t *self, int64_t now_ns)
{
    self->start_ns = now_ns;
}

static int64_t s_due_ns(const load_core_t *self, uint64_t n)
{
    return self->start_ns + (int64_t)((double)n * 1e9 / self->config.rate_hz);
}

int64_t load_core_next_ns(const load_core_t *self)
{
    return self->sent < self->orders_max ? s_due_ns(self, self->sent) : 0;
}

bool load_core_next(load_core_t *self, int64_t now_ns, int64_t utc_ns, zvt_signal_t *signal)
{
    if (self->sent == self->orders_max || s_due_ns(self, self->sent) > now_ns) return false;
    uint64_t n = self->sent++;
    self->orders[n].due_ns = s_due_ns(self, n);
    memset(signal, 0, sizeof *signal);
    signal->signal_id = zvt_idgen_next(&self->ids, utc_ns);
    ZVT_STR_SET(signal->sender, self->sender);
    signal->incarnation = self->incarnation;
    signal->sender_seq = n + 1;
    snprintf(signal->strategy_id, sizeof signal->strategy_id, "%.20s-%" PRIu64, self->sender, n % self->config.strategies);
    ZVT_STR_SET(signal->portfolio_id, "bench");
    zvt_order_request_t *terms = &signal->order_request;
    ZVT_STR_SET(terms->symbol, self->config.symbol);
    ZVT_STR_SET(terms->venue, self->config.venue);
    /* Pairs of a buy and a sell of the same strategy, so that no position grows. */
    terms->side = n / self->config.strategies % 2 == 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL;
    terms->order_type = ZVT_ORDER_TYPE_MARKET;
    terms->time_in_force = ZVT_TIF_IOC;
    terms->quantity_e8 = self->config.quantity_e8;
    terms->expires_at_ns = utc_ns + 30 * ZVT_SECOND_NS;
    signal->sent_at_ns = utc_ns;
    return true;
}

/* ---- what the log says ---- */
static load_order_t *s_order(load_core_t *self, const zvt_id_t *order_id, uint64_t *n)
{
    uint32_t index = zvt_map_get(self->by_order, order_id);
    *n = index;
    return index == ZVT_MAP_NONE ? NULL : &self->orders[index];
}

static void s_on_requested(load_core_t *self, const zvt_event_t *event)
{
    static zvt_record_t record;
    if (zvt_read_payload(event, &record) != 0) return;
    const zvt_order_requested_t *requested = &record.order_requested;
    bool ours = requested->incarnation == self->incarnation && strcmp(requested->sender, self->sender) == 0;
    if (!ours || requested->sender_seq == 0 || requested->sender_seq > self->sent) return;
    if (zvt_map_put(self->by_order, &requested->order_id, (uint32_t)(requested->sender_seq - 1)) != 0) ZVT_COUNT("untracked");
}

static void s_note(load_core_t *self, load_order_t *order, uint64_t n, uint8_t seen, zvt_histogram_t *histogram, int64_t now_ns)
{
    if (order->seen & seen) return;
    order->seen |= seen;
    if (histogram != NULL && n >= self->warmup) zvt_histogram_add(histogram, now_ns - order->due_ns);
}

static uint8_t s_outcome(zvt_type_t type)
{
    switch (type) {
    case ZVT_T_ORDER_COMPLETED: return ZVT_ORDER_STATE_FILLED;
    case ZVT_T_ORDER_REJECTED: return ZVT_ORDER_STATE_REJECTED;
    case ZVT_T_ORDER_EXPIRED: return ZVT_ORDER_STATE_EXPIRED;
    case ZVT_T_ORDER_CANCELED: return ZVT_ORDER_STATE_CANCELED;
    case ZVT_T_ORDER_FAILED: return ZVT_ORDER_STATE_FAILED;
    default: return 0;
    }
}

static void s_on_outcome(load_core_t *self, load_order_t *order, uint64_t n, uint8_t outcome, int64_t now_ns)
{
    if (order->seen & SEEN_ENDED) return;
    bool good = outcome == ZVT_ORDER_STATE_FILLED;
    s_note(self, order, n, SEEN_ENDED, good ? self->completed : NULL, now_ns);
    order->outcome = outcome;
    self->ended++;
    self->succeeded += good;
    self->rejected += !good;
}

void load_core_on_event(load_core_t *self, const zvt_event_t *event, int64_t now_ns)
{
    uint64_t n;
    self->events++;
    if (event->type == ZVT_T_ORDER_REQUESTED) s_on_requested(self, event);
    load_order_t *order = s_order(self, &event->aggregate_id, &n);
    if (order == NULL) return;
    uint8_t outcome = s_outcome(event->type);
    if (event->type == ZVT_T_ORDER_REQUESTED) s_note(self, order, n, SEEN_REQUESTED, self->requested, now_ns);
    if (event->type == ZVT_T_ORDER_SUBMITTED) s_note(self, order, n, SEEN_SUBMITTED, self->submitted, now_ns);
    if (event->type == ZVT_T_ORDER_EXECUTED) s_note(self, order, n, SEEN_EXECUTED, self->executed, now_ns);
    if (outcome != 0) s_on_outcome(self, order, n, outcome, now_ns);
}

void load_core_on_ack(load_core_t *self, const zvt_signal_ack_t *ack)
{
    if (ack->incarnation != self->incarnation || ack->sender_seq == 0 || ack->sender_seq > self->sent) return;
    if (ack->code == ZVT_CODE_OK || ack->code == ZVT_CODE_DUPLICATE) return;
    load_order_t *order = &self->orders[ack->sender_seq - 1];
    if (order->seen & SEEN_ENDED) return;
    order->seen |= SEEN_ENDED;
    self->ended++;
    self->refused++;
}

bool load_core_is_over(const load_core_t *self)
{
    return self->sent == self->orders_max && self->ended == self->sent;
}

void load_core_progress(const load_core_t *self, uint64_t *sent, uint64_t *ended)
{
    *sent = self->sent;
    *ended = self->ended;
}

void load_core_report(const load_core_t *self, FILE *out)
{
    fprintf(out,
            "{\"rate\": %.0f, \"seconds\": %.1f, \"sent\": %" PRIu64 ", \"completed\": %" PRIu64 ", \"rejected\": %" PRIu64
            ", \"refused\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"events\": %" PRIu64 ", ",
            self->config.rate_hz, self->config.seconds, self->sent, self->succeeded, self->rejected, self->refused,
            self->sent - self->ended, self->events);
    zvt_stats_json(out);
    fputs("}\n", out);
}
