/* breaker_core -- the circuit breaker of one venue: a venue that keeps failing gets no new orders for a while.
 *
 *   closed     orders go to the venue. Opens after BREAKER_FAILURES_MAX sends in a row that failed, or one that failed
 *              while more than half of the recent ones did (venue_health's rate), or when the connection is lost.
 *   open       none goes. After a pause that doubles with every failed trial it is half-open; at once when a lost
 *              connection is back, which is worth more than any clock.
 *   half-open  at most BREAKER_PROBES_MAX orders are under way. The first that succeeds closes it, the first that fails
 *              opens it again.
 *
 * Only what was sent since the circuit last changed counts.
 *
 * Pure: the caller passes the time, on the monotonic clock; the jitter comes from it too.
 * Units    *_ns: monotonic nanoseconds; rate_e8: share, fixed point 1e-8.
 * Owns     nothing; a plain value, all zeros until breaker_core_init.
 * Errors   none; functions that may change the state say whether they did, so that the caller can tell the world.
 * Source   M. Nygard, Release It!, "Circuit Breaker"; jitter as in "Exponential Backoff And Jitter" (AWS, 2015), equal. */
#ifndef EXECUTOR_BREAKER_CORE_H
#define EXECUTOR_BREAKER_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "zvt_schema.h"
#include "zvt_time.h"

enum { BREAKER_FAILURES_MAX = 5, BREAKER_PROBES_MAX = 3 };
#define BREAKER_RATE_MAX_E8 INT64_C(50000000)       /* share of failed sends that opens it */
#define BREAKER_PAUSE_MIN_NS (250 * ZVT_MS_NS)      /* as long as a venue that crashed takes to be back */
#define BREAKER_PAUSE_MAX_NS ZVT_SECOND_NS          /* a venue that is well again gets orders within a second */
#define BREAKER_CALM_NS (10 * ZVT_SECOND_NS)        /* closed for so long, and the pause is short again */
#define BREAKER_PATIENCE_NS ZVT_SECOND_NS           /* a trial without an outcome by then makes room for another .. */
#define BREAKER_OFFER_NS (50 * ZVT_MS_NS)           /* .. and a route by which nothing was sent: a commit lies between the two */

typedef struct {
    uint8_t state;       /* ZVT_CIRCUIT_* */
    uint8_t reason;      /* ZVT_CODE_* of the failure that opened it; OK while closed */
    bool connected;      /* orders can reach the venue, as far as the connection tells */
    uint32_t failures;   /* sends in a row that failed, of those that count */
    uint32_t level;      /* the pause is doubled so often */
    uint32_t offered;    /* half-open: routes to the venue since the last outcome */
    uint32_t probing;    /* half-open: sends under way */
    int64_t offered_ns;  /* when the first of those routes was given */
    int64_t retry_ns;    /* open: when it is tried again; 0: when the connection is back */
    int64_t changed_ns;
} breaker_t;

void breaker_core_init(breaker_t *self);

/* ---- what happens; true when the state changed ---- */
/* What was sent at sent_ns failed for the venue's reasons; rate_e8 is the share of recent sends that did. */
bool breaker_core_on_failure(breaker_t *self, int64_t sent_ns, uint8_t code, int64_t rate_e8, int64_t now_ns);
/* A send was answered as it should be, even with a refusal of the order itself. */
bool breaker_core_on_success(breaker_t *self, int64_t sent_ns, int64_t now_ns);
/* Nobody will learn what became of it. */
void breaker_core_on_no_outcome(breaker_t *self, int64_t sent_ns);
bool breaker_core_on_connected(breaker_t *self, int64_t now_ns);
bool breaker_core_on_disconnected(breaker_t *self, int64_t now_ns);
bool breaker_core_on_time(breaker_t *self, int64_t now_ns);

/* ---- orders ---- */
/* A new order may be routed to the venue. */
bool breaker_core_admits(const breaker_t *self, int64_t now_ns);
/* One was. */
void breaker_core_on_routed(breaker_t *self, int64_t now_ns);
/* An order whose intent is recorded may go: the venue may have got worse since it was routed. */
bool breaker_core_passes(const breaker_t *self);
/* It went. */
void breaker_core_on_sent(breaker_t *self);

#endif
