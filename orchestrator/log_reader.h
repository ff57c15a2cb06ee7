/* log_reader -- reads events from Postgres, in order of seq.
 *
 * Blocking: for single questions to the replayer, which has nothing else to do meanwhile. Who reads on uses a log_stream.
 * Owns     its connection; events given to the callback are borrowed for the call. */
#ifndef LOG_READER_H
#define LOG_READER_H

#include <libpq-fe.h>

#include "zvt_codec.h"

/* Columns of `events` in the order in which they are read, here and by log_rows. */
#define LOG_READER_COLUMNS                                                                                                \
    "seq, event_id, type, version, timestamp_ns, correlation_id, causation_id, aggregate_id, aggregate_version, metadata, " \
    "payload"

typedef struct log_reader log_reader_t;

/* Non-zero stops the reading and is passed on. */
typedef int(log_reader_event_fn)(void *arg, const zvt_event_t *event);

log_reader_t *log_reader_new(const char *dsn, const char *application);
void log_reader_destroy(log_reader_t **self);

/* Reads up to `limit` events with from_seq <= seq <= to_seq (0: no end), of one saga or of all (NULL or none).
 * Reconnects when it must. 0, ZVT_ERR_IO with the reason in `problem`, ZVT_ERR_CORRUPT, or the callback's status. */
ZVT_MUSTUSE int log_reader_read(log_reader_t *self, uint64_t from_seq, uint64_t to_seq, uint32_t limit,
                                const zvt_id_t *correlation_id, log_reader_event_fn *on_event, void *arg, char problem[256]);
/* Seq of the last committed event; 0 for an empty log. */
ZVT_MUSTUSE int log_reader_tip(log_reader_t *self, uint64_t *tip_seq, char problem[256]);
/* Seq of the log's first event; events before it are archived. Ask after the rows were read (or their stream opened): a range
 * that was complete then is complete in any case. */
ZVT_MUSTUSE int log_reader_first(log_reader_t *self, uint64_t *first_seq, char problem[256]);
/* A piece of the newest base of a process up to before_seq, from `offset` on: *head says which, and its bytes are appended to
 * `piece` as far as `limit`. head->seq is 0 when there is none. */
ZVT_MUSTUSE int log_reader_base(log_reader_t *self, const zvt_base_request_t *request, uint32_t limit, zvt_log_base_t *head,
                                zvt_buf_t *piece, char problem[256]);

#endif
