/* admission_core -- how many orders a strategy may ask for in a second before it is refused unseen.
 *
 * A bucket per strategy fills with `rate` tokens a second, up to `rate` of them, and an order takes one. What finds its
 * bucket empty costs a look into a table and an answer: no saga, no question to risk, no event. Risk's own limit lies
 * below and is the one that is judged and recorded; this one keeps a runaway strategy off everybody's path.
 *
 * Pure     the caller passes monotonic now_ns.
 * Bounds   ADMISSION_STRATEGIES_MAX strategies that asked within the last second; one more is refused meanwhile. The
 *          place of one whose bucket is full again is given to the next.
 * Owns     everything; ephemeral: a new run begins with full buckets.
 * Source   the generic cell rate algorithm (ITU-T I.371), which keeps one time instead of a count. */
#ifndef ADMISSION_CORE_H
#define ADMISSION_CORE_H

#include "zvt_pools.h"
#include "zvt_schema.h"

enum { ADMISSION_STRATEGIES_MAX = ZVT_POOL(1024, 32) };

typedef struct admission_core admission_core_t;

/* Aborts when there is no memory (only called at start). `rate_hz` is above 0. */
admission_core_t *admission_core_new(int64_t rate_hz);
void admission_core_destroy(admission_core_t **self);

/* Takes a token of the strategy's; false when there is none, and nothing has changed then. */
bool admission_core_take(admission_core_t *self, const char *strategy_id, int64_t now_ns);
/* Tokens a second, for messages. */
int64_t admission_core_rate_hz(const admission_core_t *self);

#endif
