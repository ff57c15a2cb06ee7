/* zvt_waitlist -- requests that wait until the log is folded far enough to answer them.
 *
 * First in, first out: a request behind another waits for that one too, so that the order of arrival is the order of
 * handling. A request of an older epoch than one that has come since does not wait any more: the seq that it asks for
 * may have been lost with its writer's last commit, and nothing is written while everybody waits behind it. Whatever
 * else asks for an impossible seq waits no longer than the list's patience.
 *
 * Pure     the caller passes now_ns, on a clock that never goes back.
 * Bounds   `capacity` requests of `item_size` bytes; one more is ZVT_ERR_FULL, and the caller refuses it.
 * Owns     copies of the requests. */
#ifndef ZVT_WAITLIST_H
#define ZVT_WAITLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zvt_error.h"

typedef struct zvt_waitlist zvt_waitlist_t;

/* A request's turn has come: in_time, or its patience or its epoch ended before the log was folded far enough. */
typedef void(zvt_waitlist_fn)(void *arg, const void *item, bool in_time);

/* Aborts when there is no memory (only called at start). */
zvt_waitlist_t *zvt_waitlist_new(size_t item_size, uint32_t capacity, int64_t patience_ns, zvt_waitlist_fn *fn, void *arg);
void zvt_waitlist_destroy(zvt_waitlist_t **self);

/* Copies a request to the end of the list. `epoch`: of its sender. */
ZVT_MUSTUSE int zvt_waitlist_add(zvt_waitlist_t *self, uint64_t epoch, uint64_t min_seq, int64_t now_ns, const void *item);
/* Hands out, in order, every request at the head that is satisfied by applied_seq or waits no longer. */
void zvt_waitlist_release(zvt_waitlist_t *self, uint64_t applied_seq, int64_t now_ns);
/* The same while the state cannot answer anybody: only patience and epochs count. */
void zvt_waitlist_expire(zvt_waitlist_t *self, int64_t now_ns);
uint32_t zvt_waitlist_count(const zvt_waitlist_t *self);

#endif
