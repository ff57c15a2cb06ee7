/* depth_core -- one symbol's order book rebuilt from a recorded feed: a snapshot and the diffs after it.
 *
 * Diffs that come before the snapshot wait. The snapshot drops those with u <= lastUpdateId, the next one must contain
 * lastUpdateId + 1, and each further one must continue where the last ended. A gap empties the book until the next
 * snapshot: a book that may be wrong is worse than none.
 *
 * Pure. Each side is an array of levels sorted so that the best stands last; a feed changes mostly levels near the best
 * price, so that a change among thousands of levels moves few bytes.
 * Units    price_e8, quantity_e8: fixed point 1e-8; update ids as the venue numbers them.
 * Bounds   DEPTH_LEVELS_MAX levels a side: one more pushes out the worst. DEPTH_WAITING_* of waiting diffs: one more
 *          discards all that wait.
 * Source   https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams, "How to manage a local order
 *          book correctly". */
#ifndef VENUE_DEPTH_CORE_H
#define VENUE_DEPTH_CORE_H

#include "zvt_schema.h"

enum { DEPTH_LEVELS_MAX = 32768, DEPTH_WAITING_DIFFS = 1024, DEPTH_WAITING_LEVELS = 65536 };

typedef struct {
    int64_t price_e8;
    int64_t quantity_e8; /* as the feed said */
    int64_t taken_e8;    /* of that, executed by us since the feed last changed it */
} depth_level_t;

/* A snapshot or a diff: absolute quantities, 0 removes the level. */
typedef struct {
    uint64_t first_id, last_id; /* U and u; a snapshot has only last_id */
    const zvt_level_t *levels[2]; /* bids, asks */
    uint32_t counts[2];
} depth_update_t;

typedef enum {
    DEPTH_APPLIED, /* the book moved to last_id */
    DEPTH_OLD,     /* everything in it was known */
    DEPTH_WAITS,   /* kept until a snapshot comes */
    DEPTH_GAP,     /* updates are missing; the book is empty now, and the diff waits */
} depth_result_t;

typedef struct depth_core depth_core_t;

depth_core_t *depth_core_new(void);
void depth_core_destroy(depth_core_t **self);

/* Applies a snapshot and the waiting diffs that continue it. WAITS: it ends before the diffs that wait begin. */
depth_result_t depth_core_snapshot(depth_core_t *self, const depth_update_t *snapshot);
depth_result_t depth_core_diff(depth_core_t *self, const depth_update_t *diff);

/* Whether there is a book. */
bool depth_core_is_synced(const depth_core_t *self);
/* Update id of the book; 0 when there is none. While waiting: of the last diff that waits. */
uint64_t depth_core_last_id(const depth_core_t *self);
/* Levels of a side (ZVT_SIDE_*); n counts from the best, NULL at the end. Only taken_e8 may be changed. */
depth_level_t *depth_core_level(depth_core_t *self, uint8_t side, uint32_t n);
/* The level at a price and its n, or NULL. */
depth_level_t *depth_core_find(depth_core_t *self, uint8_t side, int64_t price_e8);
/* Number of levels that are better than the price. */
uint32_t depth_core_better(const depth_core_t *self, uint8_t side, int64_t price_e8);

#endif
