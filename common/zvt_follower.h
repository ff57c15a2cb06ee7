/* zvt_follower -- follows the committed event log from any point, without a gap.
 *
 * Live batches come on topic log.SHARD of the events socket; what is missing (history, a lost batch, a late join) is
 * fetched from the replayer, and live batches wait meanwhile. The tip heartbeat uncovers a lost last batch. While
 * neither it nor a hello in its place comes, the subscription is opened anew: the publisher may have been replaced.
 *
 * Who folds only some types says so: no others are delivered, and those of the past need not be read and sent either.
 *
 * Where the log begins behind the event that is wanted next (what was before is archived), nothing is delivered: the follower
 * fetches the base of its process if it has been told of one, and goes on behind it; else its owner is told of the hole.
 *
 * Bounds   ZVT_FOLLOWER_HELD bytes of live batches wait during a fetch; more are dropped and fetched later. Of the past,
 *          ZVT_FOLLOWER_AHEAD ranges of ZVT_FOLLOWER_RANGE events are asked for ahead: no more than their answers wait. */
#ifndef ZVT_FOLLOWER_H
#define ZVT_FOLLOWER_H

#include "zvt_codec.h"
#include "zvt_loop.h"
#include "zvt_type_set.h"

enum {
    ZVT_FOLLOWER_HELD = 8 << 20,
    ZVT_FOLLOWER_RANGE = 4000,
    ZVT_FOLLOWER_AHEAD = 4
};

typedef struct zvt_follower zvt_follower_t;

/* One event, in order of seq, each exactly once. `event` is valid during the call. */
typedef void(zvt_follower_event_fn)(void *arg, const zvt_event_t *event);
/* After every batch: everything known to be committed has been delivered (caught_up), or not yet. May be NULL. */
typedef void(zvt_follower_batch_fn)(void *arg, uint64_t applied_seq, bool caught_up);

/* The log begins with first_seq only, behind what is wanted next, and there is no base: nothing more will be delivered. */
typedef void(zvt_follower_hole_fn)(void *arg, uint64_t first_seq);
/* The base of the process, valid during the call. Returns the seq to go on with; 0 if it cannot be used: nothing more is
 * delivered then. */
typedef uint64_t(zvt_follower_base_fn)(void *arg, uint64_t base_seq, const void *data, size_t length);

#define ZVT_FOLLOW_LIVE UINT64_MAX /* as from_seq: begin with whatever comes next */

/* Follows shard `shard` from event from_seq (1 is the first) on. */
zvt_follower_t *zvt_follower_new(zvt_loop_t *loop, uint32_t shard, uint64_t from_seq, const zvt_hello_t *identity,
                                 zvt_follower_event_fn *on_event, zvt_follower_batch_fn *on_batch, void *arg);
void zvt_follower_destroy(zvt_follower_t **self);
/* Live events are read at most so often: see zvt_subscriber_read_every. */
void zvt_follower_read_every(zvt_follower_t *self, int64_t period_ns);
/* Delivers events of these types only; at the beginning, before any was delivered. */
void zvt_follower_only(zvt_follower_t *self, const zvt_type_set_t *types);
/* Without it a hole is only warned of, again and again. */
void zvt_follower_on_hole(zvt_follower_t *self, zvt_follower_hole_fn *on_hole);
/* Fetches the base of `process`, not beyond before_seq (0: the newest), when the log begins too late. */
void zvt_follower_want_base(zvt_follower_t *self, const char *process, uint64_t before_seq, zvt_follower_base_fn *on_base);
/* Goes on with this seq instead, after a hole. */
void zvt_follower_restart(zvt_follower_t *self, uint64_t from_seq);
/* Every event up to this seq that is wanted has been delivered; 0 before the first. */
uint64_t zvt_follower_applied(const zvt_follower_t *self);
/* UTC ns at which the writer heard that the batch being delivered, or delivered last, was committed; 0 for history. */
int64_t zvt_follower_committed_ns(const zvt_follower_t *self);
/* True when no committed event is known that has not been delivered. */
bool zvt_follower_caught_up(const zvt_follower_t *self);

#endif
