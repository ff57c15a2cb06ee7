/* log_stream -- a piece of the log out of Postgres as one COPY stream, in order of seq.
 *
 * Blocking: for folding on demand and for the replayer, which have nothing else to do meanwhile. Postgres works ahead as far as
 * the socket between the two holds, so that both are busy.
 * Owns     its connection; a row is borrowed until the next call. A stream that is left before its end closes it.
 * Errors   ZVT_ERR_IO, ZVT_ERR_CORRUPT, with the reason in `problem`; the stream is over then. */
#ifndef LOG_STREAM_H
#define LOG_STREAM_H

#include <libpq-fe.h>

#include "log_rows.h"
#include "zvt_type_set.h"

enum { LOG_STREAM_SQL_SIZE = 1024 };

typedef struct log_stream log_stream_t;

log_stream_t *log_stream_new(const char *dsn, const char *application);
void log_stream_destroy(log_stream_t **self);

/* Begins with from_seq and ends with to_seq, of these types only. Connects when it must. */
ZVT_MUSTUSE int log_stream_open(log_stream_t *self, uint64_t from_seq, uint64_t to_seq, const zvt_type_set_t *types,
                                char problem[256]);
/* The next row; NULL in *row at the end. */
ZVT_MUSTUSE int log_stream_next(log_stream_t *self, const log_row_t **row, char problem[256]);
/* True from open until the end has been reached. */
bool log_stream_is_open(const log_stream_t *self);
/* Leaves a stream before its end. */
void log_stream_close(log_stream_t *self);

/* The statement that begins such a stream, and the one that comes before it on a connection: the planner must never sort, or
 * read whole partitions, however old its statistics are. */
void log_stream_format(char sql[LOG_STREAM_SQL_SIZE], uint64_t from_seq, uint64_t to_seq, const zvt_type_set_t *types);
#define LOG_STREAM_PREPARE                                                                                            \
    "SELECT set_config('enable_sort', 'off', false), set_config('enable_seqscan', 'off', false), "                    \
    "set_config('enable_bitmapscan', 'off', false), set_config('jit', 'off', false)"

#endif
