/* log_writer -- appends batches of events to Postgres: one connection, one transaction at a time, without blocking.
 *
 * A transaction is: BEGIN, the fence (the lease row still has our epoch), COPY BINARY of the events, one row in
 * event_batches that chains the commit by SHA-256, COMMIT.
 * Units    *_seq places in the log.
 * Owns     its connection. Events of a batch are borrowed until the batch has ended.
 * Errors   a COMMIT that failed or whose outcome is not known loses the writer: on_lost is called, once, with the
 *          reason; the caller discards what it thinks it knows and takes the lease anew. */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include "turn_core.h"
#include "zvt_loop.h"

typedef struct log_writer log_writer_t;

typedef void(log_writer_committed_fn)(void *arg);
typedef void(log_writer_lost_fn)(void *arg, const char *reason, bool fenced);

log_writer_t *log_writer_new(zvt_loop_t *loop, const char *dsn, uint32_t shard, const char *holder,
                             log_writer_committed_fn *on_committed, log_writer_lost_fn *on_lost, void *arg);
void log_writer_destroy(log_writer_t **self);

/* Connects and takes the lease with a new epoch above `seen_epoch` (the highest that anybody answered with), in a commit
 * of its own; blocks for at most a few seconds. 0, or ZVT_ERR_IO with the reason in `problem`. */
ZVT_MUSTUSE int log_writer_take(log_writer_t *self, uint64_t seen_epoch, uint64_t *epoch, uint64_t *last_seq, char problem[256]);
/* Begins to append. Only when nothing is under way. */
void log_writer_append(log_writer_t *self, const turn_batch_t *batch);
bool log_writer_is_up(const log_writer_t *self);
/* Where the time goes: nanoseconds of the last commit. */
int64_t log_writer_last_commit_ns(const log_writer_t *self);

#endif
