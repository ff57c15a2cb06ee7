/* throttle_core -- one limit of a venue, such as so many orders a second, kept from our side.
 *
 * A token bucket in the form of a due time: an item may leave when the bucket's clock is no further ahead than its
 * burst. Of the venue's limit four fifths flow steadily and a tenth may leave at once, so that what bunches up on the way
 * still stays within what the venue counts in any second.
 *
 * Pure: the caller passes the time, on the monotonic clock.
 * Owns     nothing; a plain value.
 * Source   the generic cell rate algorithm (ITU-T I.371): the token bucket without a token counter. */
#ifndef EXECUTOR_THROTTLE_CORE_H
#define EXECUTOR_THROTTLE_CORE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t interval_ns;  /* between two items in steady flow; 0: no limit */
    int64_t tolerance_ns; /* how far due_ns may lie ahead: the burst less one item */
    int64_t due_ns;       /* when the next item is due in steady flow */
} throttle_t;

/* per_second is the venue's limit; 0 for none. */
void throttle_core_init(throttle_t *self, int64_t per_second);
/* Takes leave for one item; false when it is too early. */
bool throttle_core_take(throttle_t *self, int64_t now_ns);
/* When the item behind `ahead` others may leave; never before now_ns. */
int64_t throttle_core_leave_ns(const throttle_t *self, uint32_t ahead, int64_t now_ns);

#endif
