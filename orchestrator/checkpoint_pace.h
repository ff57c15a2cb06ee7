/* checkpoint_pace -- when the next checkpoint is worth what it costs.
 *
 * Recovery reads a checkpoint and the events after it; writing one costs write-ahead log. So a large one is written more
 * rarely, unless the tail grows long.
 *
 * Pure. */
#ifndef CHECKPOINT_PACE_H
#define CHECKPOINT_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether one is due: `news` events after the last one, which had so many bytes and is so old. */
bool checkpoint_pace_is_due(uint64_t news, size_t bytes, int64_t age_ns);

#endif
