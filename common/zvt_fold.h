/* zvt_fold -- a process whose state is the fold of the log.
 *
 * It follows the log from its last snapshot, folds the events of its types into a core, notes a digest at each barrier, saves a
 * snapshot now and then, and lets requests wait until the log has been folded as far as they need. A core that cannot follow
 * ends the process: no state is better than a wrong one. The control command "digest" is answered here.
 *
 * Where the log does not begin with event 1, a process without a state of its own goes on from its base, which the replayer has.
 *
 * Owns     the core between zvt_fold_new and zvt_fold_destroy; it may be replaced by another one until on_ready.
 * Bounds   requests_max requests wait, each for patience_ns.
 * Errors   see each function. */
#ifndef ZVT_FOLD_H
#define ZVT_FOLD_H

#include "zvt_service.h"
#include "zvt_verify.h"
#include "zvt_waitlist.h"

typedef struct {
    const char *name;                /* for diagnostics and of its base, such as "risk" */
    void *(*fresh)(void *arg);       /* makes an empty core */
    void (*destroy)(void *state);
    bool (*folds)(unsigned type);    /* whether the state depends on events of this type */
    zvt_fold_fn *fold;
    zvt_dump_fn *dump;               /* canonical text */
    void (*save)(const void *state, zvt_snapshot_record_fn *record, void *arg);
    int (*load)(void *state, const zvt_record_t *record);
    size_t request_size;             /* bytes of a request that may have to wait */
    uint32_t requests_max;
    int64_t patience_ns;
    zvt_waitlist_fn *on_request;     /* a request's turn has come, or its patience has ended */
    void (*on_ready)(void *arg);     /* everything committed is folded for the first time; may be NULL */
    void *arg;
} zvt_fold_desc_t;

typedef struct zvt_fold zvt_fold_t;

/* Makes the core and nothing else. `desc` is copied. */
zvt_fold_t *zvt_fold_new(zvt_service_t *service, const zvt_fold_desc_t *desc);
void zvt_fold_destroy(zvt_fold_t **self);
void *zvt_fold_state(const zvt_fold_t *self);

/* Serves --fold: follows the log from its beginning to the seq in `to_seq`, prints the digest (or the text), and leaves the
 * state as a snapshot in save_folder (NULL: nowhere), after it was proven that the snapshot makes that state again. Returns the
 * exit code. */
int zvt_fold_to(zvt_fold_t *self, const char *to_seq, bool print_text, const char *save_folder);
/* Begins to follow. */
void zvt_fold_start(zvt_fold_t *self);

/* Hands a request to on_request when the log is folded up to min_seq: at once, or later in the order they came, unless a
 * request of a higher epoch comes first (see zvt_waitlist.h). 0, or ZVT_ERR_FULL: it is not kept. While the process is
 * about to end it is dropped: its sender asks again. */
ZVT_MUSTUSE int zvt_fold_request(zvt_fold_t *self, uint64_t epoch, uint64_t min_seq, const void *request);
/* The log is folded up to this seq. */
uint64_t zvt_fold_applied(const zvt_fold_t *self);
uint32_t zvt_fold_waiting(const zvt_fold_t *self);

#endif
