/* rate_window -- how many orders each strategy had passed in the last second.
 *
 * A sliding window of RATE_SLOTS slots per strategy: it may count up to one slot (10 ms) too much, never too little, so
 * that no second ever holds more orders than the limit.
 *
 * Pure     the caller passes now_ns, monotonic.
 * Bounds   RATE_STRATEGIES_MAX strategies with an order in the last second; one more is ZVT_ERR_FULL. The next takes
 *          the place of the strategy that has been idle for longest.
 * Owns     everything; ephemeral, lost with the process. */
#ifndef RATE_WINDOW_H
#define RATE_WINDOW_H

#include "zvt_pools.h"
#include "zvt_schema.h"

enum { RATE_STRATEGIES_MAX = ZVT_POOL(16384, 64), RATE_SLOTS = 100 };

typedef struct rate_window rate_window_t;

rate_window_t *rate_window_new(void);
void rate_window_destroy(rate_window_t **self);

/* Orders of this strategy within the last second. */
uint32_t rate_window_count(rate_window_t *self, const char strategy_id[ZVT_NAME_SIZE], int64_t now_ns);
/* Counts one more. */
ZVT_MUSTUSE int rate_window_add(rate_window_t *self, const char strategy_id[ZVT_NAME_SIZE], int64_t now_ns);

#endif
