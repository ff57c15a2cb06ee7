/* zvt_verify -- digests of durable state, and the fold of the log that they are held against.
 *
 * A process that folds the log notes a digest of its durable state at each system.barrier. `--fold SEQ` of the same
 * binary folds the log into a fresh core and prints the digest at SEQ: both must be equal.
 *
 * Shapes   the digest is zvt_id_from_text of a canonical text: sorted lines in a fixed format.
 * Bounds   the last ZVT_DIGESTS_KEPT digests are kept.
 * Errors   see each function. */
#ifndef ZVT_VERIFY_H
#define ZVT_VERIFY_H

#include <stdio.h>

#include "zvt_codec.h"
#include "zvt_loop.h"

enum { ZVT_DIGESTS_KEPT = 8 };

/* Writes the canonical text of the durable state and returns the number of its items. */
typedef uint32_t(zvt_dump_fn)(const void *state, FILE *out);
/* Folds one event: 0, or the status that makes the state unusable. */
typedef int(zvt_fold_fn)(void *state, const zvt_event_t *event);

typedef struct {
    uint64_t seq; /* the state is the fold of the log up to here */
    zvt_id_t digest;
    uint32_t items;
} zvt_digest_t;

typedef struct {
    zvt_digest_t kept[ZVT_DIGESTS_KEPT]; /* a ring */
    uint32_t count;                      /* ever added */
} zvt_digests_t;

/* Takes memory for the text while it runs: for barriers, not for every event. */
zvt_digest_t zvt_digest_of(uint64_t seq, zvt_dump_fn *dump, const void *state);
void zvt_digests_add(zvt_digests_t *self, const zvt_digest_t *digest);
/* Answers the control command "digest SEQ": the JSON object, or false with the reason. */
bool zvt_digests_answer(const zvt_digests_t *self, const char *argument, FILE *body);

typedef struct {
    uint32_t shard;
    const zvt_hello_t *identity;
    zvt_fold_fn *fold;
    zvt_dump_fn *dump;
    void *state;    /* a fresh core */
    bool print_text; /* the canonical text instead of its digest */
} zvt_refold_t;

/* Serves --fold: follows the log from 1 to the seq in `to_seq`, prints, and returns the exit code. Binds nothing. */
int zvt_refold(const zvt_refold_t *what, zvt_loop_t *loop, const char *to_seq);

#endif
