/* zvt_base -- the saved state of a process, fetched from the replayer piece by piece.
 *
 * Where the log does not begin with event 1, a process that has no state of its own goes on from a base: what it was at some
 * later seq, stored before the events in front of it were archived.
 *
 * Pure: it says what to ask for, and takes the answers.
 * Bounds   a base has at most ZVT_BASE_MAX bytes.
 * Owns     the bytes that have come. */
#ifndef ZVT_BASE_H
#define ZVT_BASE_H

#include "zvt_codec.h"

enum { ZVT_BASE_MAX = 256 << 20, ZVT_BASE_PIECE = 512 << 10 /* bytes in one answer, at most */ };

typedef enum {
    ZVT_BASE_IGNORED, /* not the answer to what is asked for now */
    ZVT_BASE_MORE,    /* ask for the next piece */
    ZVT_BASE_WHOLE,   /* data[0 .. length) is the base */
    ZVT_BASE_NONE     /* there is none, or none that can be used */
} zvt_base_step_t;

typedef struct {
    char process[ZVT_NAME_SIZE]; /* whose */
    uint64_t before_seq;         /* not beyond this; 0: the newest */
    uint64_t seq;                /* of the one that is being fetched; 0: not known yet */
    uint64_t length, have;       /* bytes in all, and here */
    uint8_t *data;
} zvt_base_t;

zvt_base_t zvt_base_of(const char *process, uint64_t before_seq);
void zvt_base_release(zvt_base_t *self);
/* The question that comes next. */
zvt_base_request_t zvt_base_question(const zvt_base_t *self);
/* Takes a log.base record and the bytes behind it. When another base has become the newest it begins anew with that one. */
zvt_base_step_t zvt_base_take(zvt_base_t *self, const zvt_log_base_t *head, zvt_cursor_t piece);

#endif
