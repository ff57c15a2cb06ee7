/* log_writer -- appends batches of events to Postgres: one transaction at a time, without blocking.
 *
 * A transaction is: BEGIN, the fence (the lease row still has our epoch), COPY BINARY of the events, one row in
 * event_batches that chains the commit by SHA-256, COMMIT. A few times a second the fence is an UPDATE that also moves the
 * lease's heartbeat; while there is nothing to append the heartbeat has a transaction of its own, which is not synced. So
 * a writer that lost the lease hears of it by its next heartbeat at the latest, and one that hears nothing for as long as it
 * takes others to take over must assume that they have.
 * Units    *_seq places in the log; *_ns monotonic.
 * Owns     nothing of the session, which is lent by log_lease. Events of a batch are borrowed until the batch has ended.
 * Errors   a COMMIT that failed or whose outcome is not known loses the writer: on_lost is called, once, with the
 *          reason; the caller discards what it thinks it knows and takes the lease anew. */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include "log_lease.h"
#include "turn_core.h"

typedef struct log_writer log_writer_t;

typedef void(log_writer_committed_fn)(void *arg);
typedef void(log_writer_lost_fn)(void *arg, const char *reason, bool fenced);

log_writer_t *log_writer_new(zvt_loop_t *loop, uint32_t shard, const lease_rules_t *rules, log_writer_committed_fn *on_committed,
                             log_writer_lost_fn *on_lost, void *arg);
void log_writer_destroy(log_writer_t **self);

/* Begins to write under the lease that was taken on this session. */
void log_writer_begin(log_writer_t *self, pg_session_t *session, const log_lease_taken_t *taken);
/* Gives the session up without a word to on_lost. */
void log_writer_stop(log_writer_t *self);
/* What is gathered behind the batch under way, and will be given as the next one with more events: its rows are made now, not when the
 * database waits for them. */
void log_writer_gather(log_writer_t *self, const turn_batch_t *batch);
/* Begins to append. Only when no batch is under way. */
void log_writer_append(log_writer_t *self, const turn_batch_t *batch);
/* Sends more of the batch under way, now and then: a server that has to wait for its rows until a long round has ended stands still
 * meanwhile. For whoever does something many times in one round. */
void log_writer_feed(log_writer_t *self);
/* False when the last heartbeat that the database is known to have is older than the time after which others take over: what
 * is not checked by a commit must not be decided any more. */
bool log_writer_holds(const log_writer_t *self, int64_t now_ns);

#endif
