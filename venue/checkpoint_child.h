/* checkpoint_child -- when the venue's checkpoint is renewed, and the child process that does it.
 *
 * The venue only starts the child, which is its own program with CHECKPOINT_CHILD_OPTION, and looks once in a while
 * whether it has ended. So the order path never writes a checkpoint and never waits for one. The child yields to whoever has work
 * to do, and the kernel kills it when the venue is gone.
 *
 * Bounds   one child at a time. It is due when the ledger has `after` reports that the checkpoint lacks, or a quarter of the
 *          ids that are remembered if those are more: what a start reads is bounded by that, and what checkpoints write
 *          to the disk is at most some 350 bytes for each report.
 *          While it runs it takes as much memory as the venue's account: up to 200 MB for a million ids.
 * Errors   a child that fails has said why, is counted ("checkpoints_failed"), and tried again after a minute. */
#ifndef VENUE_CHECKPOINT_CHILD_H
#define VENUE_CHECKPOINT_CHILD_H

#include <stdint.h>

#include "zvt_error.h"

#define CHECKPOINT_CHILD_OPTION "checkpoint"
#define CHECKPOINT_CHILD_PARENT "parent"

typedef struct checkpoint_child checkpoint_child_t;

/* `program` and `argv` are the venue's own, borrowed; `covered_seq` is the last report in the checkpoint of this start, 0
 * without one. */
checkpoint_child_t *checkpoint_child_new(const char *program, char *const *argv, uint64_t after, uint64_t covered_seq,
                                         int64_t now_ns);
/* Kills a child that runs, and waits for its end. */
void checkpoint_child_destroy(checkpoint_child_t **self);

/* To be called about once a second: notices the child's end, starts one when it is due. `seq` is the ledger's last report, `ids`
 * are remembered; now_ns is monotonic. */
void checkpoint_child_on_time(checkpoint_child_t *self, int64_t now_ns, uint64_t seq, uint32_t ids);
/* The last report that the checkpoint has, as far as is known. */
uint64_t checkpoint_child_covered_seq(const checkpoint_child_t *self);

/* ---- in the child ---- */
/* Makes this process one that yields to others and ends with `parent`; ZVT_ERR_NOT_FOUND when that is gone already. */
ZVT_MUSTUSE int checkpoint_child_yield(int64_t parent);

#endif
