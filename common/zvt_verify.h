/* zvt_verify -- the fold of the log that the digests of a process are held against.
 *
 * A process that folds the log notes a digest of its durable state at each system.barrier. `--fold SEQ` of the same
 * binary folds the log into a fresh core and prints the digest at SEQ: both must be equal.
 *
 * Errors   see each function. */
#ifndef ZVT_VERIFY_H
#define ZVT_VERIFY_H

#include <stdio.h>

#include "zvt_codec.h"
#include "zvt_digest.h"
#include "zvt_loop.h"
#include "zvt_snapshot.h"
#include "zvt_type_set.h"

/* Folds one event: 0, or the status that makes the state unusable. */
typedef int(zvt_fold_fn)(void *state, const zvt_event_t *event);

typedef struct {
    uint32_t shard;
    const zvt_hello_t *identity;
    const zvt_type_set_t *types; /* that the fold takes */
    zvt_fold_fn *fold;
    zvt_dump_fn *dump;
    void *state;    /* a fresh core */
    const char *process; /* whose base it goes on from where the log does not begin with event 1 */
    void (*save)(const void *state, zvt_snapshot_record_fn *record, void *arg);
    int (*load)(void *state, const zvt_record_t *record);
    const char *save_folder; /* where to leave the state as "PROCESS.snapshot"; NULL: nowhere */
    bool print_text; /* the canonical text instead of its digest */
} zvt_refold_t;

/* Serves --fold: follows the log from its beginning to the seq in `to_seq`, prints, and returns the exit code. Binds nothing. */
int zvt_refold(const zvt_refold_t *what, zvt_loop_t *loop, const char *to_seq);

#endif
