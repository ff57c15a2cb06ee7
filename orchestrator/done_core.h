/* done_core -- what operators had done by hand, by the request id that their command carried: the same id again is answered
 * with what was done, and not done again.
 *
 * A fold of the events that carry a request id (position.adjusted, order.resolved), and part of the checkpoint.
 * Bounds   the last DONE_MAX commands; an id older than those counts as new.
 * Owns     all of it; pointers stay valid until the next done_core_note. */
#ifndef DONE_CORE_H
#define DONE_CORE_H

#include "zvt_codec.h"
#include "zvt_pools.h"

enum { DONE_MAX = ZVT_POOL(1024, 16) };

typedef struct {
    zvt_saved_done_t items[DONE_MAX]; /* a ring */
    uint64_t count;                   /* ever noted */
} done_core_t;

void done_core_clear(done_core_t *self);
/* Takes note of an event; those without a request id are passed over. */
void done_core_note(done_core_t *self, const zvt_event_t *event, const zvt_record_t *record);
/* What was done under this id; NULL for "" and for an id that is not known (any more). */
const zvt_saved_done_t *done_core_find(const done_core_t *self, const char *request_id);
/* Whether a command asks for just that. */
bool done_core_is_same(const zvt_saved_done_t *done, zvt_type_t type, const zvt_id_t *subject, int64_t quantity_e8, int64_t price_e8);

/* ---- checkpoints ---- */
/* How many are kept, and each of them, the oldest first. */
uint32_t done_core_kept(const done_core_t *self);
const zvt_saved_done_t *done_core_at(const done_core_t *self, uint32_t at);
void done_core_restore(done_core_t *self, const zvt_saved_done_t *saved);

#endif
