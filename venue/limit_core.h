/* limit_core -- a limit that the venue enforces: so many items in any second, counted exactly.
 *
 * Pure: the caller passes the time, on a clock that never goes back.
 * Bounds   remembers the times of the last `per_second` items; nothing is allocated after limit_core_new.
 * Owns     those times. */
#ifndef VENUE_LIMIT_CORE_H
#define VENUE_LIMIT_CORE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct limit_core limit_core_t;

/* NULL for a limit of 0, which is none. Aborts without memory (only called at start). */
limit_core_t *limit_core_new(int64_t per_second);
void limit_core_destroy(limit_core_t **self);
/* Counts one item; false, and it does not count, when the second before it is full. Always true without a limit. */
bool limit_core_take(limit_core_t *self, int64_t now_ns);

#endif
