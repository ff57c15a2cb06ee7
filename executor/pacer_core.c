#include "pacer_core.h"

#include <stdlib.h>
#include <string.h>

struct pacer_core {
    throttle_t order_limit, cancel_limit;
    uint32_t orders_first, orders_count;   /* dropped ones in the middle included */
    uint32_t orders_waiting;               /* without those */
    uint32_t cancels_first, cancels_count;
    zvt_order_send_t orders[PACER_ORDERS_MAX]; /* an empty client_order_id: dropped */
    zvt_order_cancel_t cancels[PACER_CANCELS_MAX];
};

pacer_core_t *pacer_core_new(int64_t orders_per_second, int64_t cancels_per_second)
{
    pacer_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    throttle_core_init(&self->order_limit, orders_per_second);
    throttle_core_init(&self->cancel_limit, cancels_per_second);
    return self;
}

void pacer_core_destroy(pacer_core_t **self)
{
    free(*self);
    *self = NULL;
}

uint32_t pacer_core_orders(const pacer_core_t *self)
{
    return self->orders_waiting;
}

uint32_t pacer_core_cancels(const pacer_core_t *self)
{
    return self->cancels_count;
}

static zvt_order_send_t *s_order_at(pacer_core_t *self, uint32_t place)
{
    return &self->orders[(self->orders_first + place) % PACER_ORDERS_MAX];
}

static zvt_order_cancel_t *s_cancel_at(pacer_core_t *self, uint32_t place)
{
    return &self->cancels[(self->cancels_first + place) % PACER_CANCELS_MAX];
}

/* A waiting order whose id equals this one in its first `length` bytes. */
static zvt_order_send_t *s_find_order(pacer_core_t *self, const char *client_order_id, size_t length)
{
    if (self->orders_waiting == 0) return NULL;
    for (uint32_t i = 0; i < self->orders_count; i++) {
        zvt_order_send_t *order = s_order_at(self, i);
        if (order->client_order_id[0] != '\0' && strncmp(order->client_order_id, client_order_id, length) == 0) return order;
    }
    return NULL;
}

static void s_skip_dropped(pacer_core_t *self)
{
    while (self->orders_count > 0 && s_order_at(self, 0)->client_order_id[0] == '\0') {
        self->orders_first = (self->orders_first + 1) % PACER_ORDERS_MAX;
        self->orders_count--;
    }
}

int64_t pacer_core_wait_ns(const pacer_core_t *self, int64_t now_ns)
{
    return throttle_core_leave_ns(&self->order_limit, self->orders_waiting, now_ns) - now_ns;
}

bool pacer_core_holds(pacer_core_t *self, const char *client_order_id)
{
    return s_find_order(self, client_order_id, ZVT_CLIENT_ORDER_SIZE) != NULL;
}

/* ---- in ---- */
pacer_verdict_t pacer_core_on_order(pacer_core_t *self, const zvt_order_send_t *order, pacer_now_t now)
{
    if (pacer_core_holds(self, order->client_order_id)) return PACER_WAITS;
    if (self->orders_waiting == 0 && throttle_core_take(&self->order_limit, now.monotonic_ns)) return PACER_GO;
    int64_t wait_ns = pacer_core_wait_ns(self, now.monotonic_ns);
    bool in_time = order->expires_at_ns == 0 || now.utc_ns + wait_ns <= order->expires_at_ns;
    bool named = order->client_order_id[0] != '\0';
    if (!named || !in_time || wait_ns > PACER_PATIENCE_NS || self->orders_count == PACER_ORDERS_MAX) return PACER_FULL;
    *s_order_at(self, self->orders_count++) = *order;
    self->orders_waiting++;
    return PACER_WAITS;
}

pacer_verdict_t pacer_core_on_cancel(pacer_core_t *self, const zvt_order_cancel_t *cancel, int64_t now_ns)
{
    for (uint32_t i = 0; i < self->cancels_count; i++)
        if (strcmp(s_cancel_at(self, i)->client_order_id, cancel->client_order_id) == 0) return PACER_WAITS;
    if (self->cancels_count == 0 && throttle_core_take(&self->cancel_limit, now_ns)) return PACER_GO;
    if (self->cancels_count == PACER_CANCELS_MAX) return PACER_FULL;
    *s_cancel_at(self, self->cancels_count++) = *cancel;
    return PACER_WAITS;
}

/* ---- out ---- */
bool pacer_core_pop_order(pacer_core_t *self, zvt_order_send_t *order)
{
    if (self->orders_waiting == 0) return false;
    zvt_order_send_t *first = s_order_at(self, 0); /* never a dropped one: those are skipped at once */
    *order = *first;
    first->client_order_id[0] = '\0';
    self->orders_waiting--;
    s_skip_dropped(self);
    return true;
}

bool pacer_core_next_order(pacer_core_t *self, int64_t now_ns, zvt_order_send_t *order)
{
    if (self->orders_waiting == 0 || !throttle_core_take(&self->order_limit, now_ns)) return false;
    return pacer_core_pop_order(self, order);
}

bool pacer_core_next_cancel(pacer_core_t *self, int64_t now_ns, zvt_order_cancel_t *cancel)
{
    if (self->cancels_count == 0 || !throttle_core_take(&self->cancel_limit, now_ns)) return false;
    *cancel = *s_cancel_at(self, 0);
    self->cancels_first = (self->cancels_first + 1) % PACER_CANCELS_MAX;
    self->cancels_count--;
    return true;
}

bool pacer_core_drop_order(pacer_core_t *self, const char *client_order_id, size_t length, zvt_order_send_t *order)
{
    zvt_order_send_t *found = s_find_order(self, client_order_id, length);
    if (found == NULL) return false;
    *order = *found;
    found->client_order_id[0] = '\0';
    self->orders_waiting--;
    s_skip_dropped(self);
    return true;
}

int64_t pacer_core_next_ns(const pacer_core_t *self, int64_t now_ns)
{
    int64_t next_ns = 0;
    if (self->orders_waiting > 0) next_ns = throttle_core_leave_ns(&self->order_limit, 0, now_ns);
    if (self->cancels_count == 0) return next_ns;
    int64_t cancel_ns = throttle_core_leave_ns(&self->cancel_limit, 0, now_ns);
    return next_ns == 0 || cancel_ns < next_ns ? cancel_ns : next_ns;
}
