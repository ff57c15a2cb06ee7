/* pacer_core -- what waits for one venue's limits: orders in one queue, cancels in another.
 *
 * Orders never starve cancels: each queue has a bucket of its own. Both are first in, first out. An order that would
 * wait for longer than PACER_PATIENCE_NS, or past its expiry, is not taken. Cancels wait for as long as it takes, and a
 * second cancel of the same order is the first.
 *
 * Pure: the caller passes the time.
 * Units    *_ns: monotonic nanoseconds; utc_ns only for expiry.
 * Bounds   PACER_ORDERS_MAX orders, PACER_CANCELS_MAX cancels; one more is PACER_FULL, and the caller refuses it.
 * Owns     copies of what waits. */
#ifndef EXECUTOR_PACER_CORE_H
#define EXECUTOR_PACER_CORE_H

#include "throttle_core.h"
#include "zvt_pools.h"
#include "zvt_schema.h"
#include "zvt_time.h"

enum { PACER_ORDERS_MAX = ZVT_POOL(1024, 32), PACER_CANCELS_MAX = ZVT_POOL(4096, 64) };
#define PACER_PATIENCE_NS ZVT_SECOND_NS

typedef struct pacer_core pacer_core_t;

typedef enum {
    PACER_GO,    /* send it now */
    PACER_WAITS, /* a copy waits, or waits already */
    PACER_FULL,  /* no room, or it would wait too long */
} pacer_verdict_t;

typedef struct {
    int64_t utc_ns;
    int64_t monotonic_ns;
} pacer_now_t;

/* Limits per second; 0 for none. Aborts without memory (only called at start). */
pacer_core_t *pacer_core_new(int64_t orders_per_second, int64_t cancels_per_second);
void pacer_core_destroy(pacer_core_t **self);

pacer_verdict_t pacer_core_on_order(pacer_core_t *self, const zvt_order_send_t *order, pacer_now_t now);
pacer_verdict_t pacer_core_on_cancel(pacer_core_t *self, const zvt_order_cancel_t *cancel, int64_t now_ns);

/* Takes the oldest order, when it may leave now. */
bool pacer_core_next_order(pacer_core_t *self, int64_t now_ns, zvt_order_send_t *order);
bool pacer_core_next_cancel(pacer_core_t *self, int64_t now_ns, zvt_order_cancel_t *cancel);
/* Takes the oldest order, whether it may leave or not. */
bool pacer_core_pop_order(pacer_core_t *self, zvt_order_send_t *order);
/* Takes an order out of the queue whose id equals this one in its first `length` bytes; false if none waits. */
bool pacer_core_drop_order(pacer_core_t *self, const char *client_order_id, size_t length, zvt_order_send_t *order);

/* An order with this id waits. */
bool pacer_core_holds(pacer_core_t *self, const char *client_order_id);

uint32_t pacer_core_orders(const pacer_core_t *self);
uint32_t pacer_core_cancels(const pacer_core_t *self);
/* What one more order would wait. */
int64_t pacer_core_wait_ns(const pacer_core_t *self, int64_t now_ns);
/* When something that waits may leave; 0 when nothing waits. */
int64_t pacer_core_next_ns(const pacer_core_t *self, int64_t now_ns);

#endif
