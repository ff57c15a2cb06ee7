/* archive_chain -- checks a stretch of the log, row by row: no seq is missing, and every commit carries the hash of its rows and of
 * the commit before.
 *
 * A stretch begins and ends anywhere: the rows of a commit that goes on behind its end are kept as its `carry`, and are what the
 * next stretch begins with. On the way it counts the fills, so that they can be held against the venues' ledgers later.
 *
 * Pure.
 * Shapes   rows as COPY BINARY sends them (log_rows.h); the hash is sha256(hash of the commit before || its rows).
 * Bounds   ARCHIVE_CARRY_MAX bytes of one commit; ARCHIVE_ASIDE_MAX bytes of fills that were put aside.
 * Owns     everything inside.
 * Errors   ZVT_ERR_CORRUPT with the reason in archive_chain_problem; ZVT_ERR_FULL beyond a bound. The check is over then. */
#ifndef ARCHIVE_CHAIN_H
#define ARCHIVE_CHAIN_H

#include "log_lease.h"
#include "zvt_codec.h"

enum { ARCHIVE_CARRY_MAX = 8 << 20, ARCHIVE_ASIDE_MAX = 1 << 20, ARCHIVE_BATCH_ROW = 74 /* bytes of a row of event_batches */ };

/* Where a stretch begins, and where it ended. */
typedef struct {
    uint64_t next_seq;           /* of the first row */
    uint8_t hash[LOG_HASH_SIZE]; /* of the last commit that was whole before */
    uint64_t hash_seq;           /* its last event */
    const uint8_t *carry;        /* rows from hash_seq + 1 to next_seq - 1; borrowed */
    size_t carry_length;
} archive_border_t;

/* A row of event_batches. */
typedef struct {
    uint64_t first_seq, last_seq;
    uint8_t hash[LOG_HASH_SIZE];
} archive_batch_t;

typedef struct archive_chain archive_chain_t;

archive_chain_t *archive_chain_new(void);
void archive_chain_destroy(archive_chain_t **self);
/* Before the first event of all: nothing is before it. */
archive_border_t archive_border_first(void);
/* Begins a stretch: 0 or ZVT_ERR_FULL. */
ZVT_MUSTUSE int archive_chain_begin(archive_chain_t *self, const archive_border_t *border);
/* The next row needs to know the commit that it belongs to: give it, or say that there is none among those of the stretch. */
bool archive_chain_wants_batch(const archive_chain_t *self);
ZVT_MUSTUSE int archive_chain_batch(archive_chain_t *self, const archive_batch_t *batch);
void archive_chain_no_more_batches(archive_chain_t *self);
/* The next row, as it was sent. */
ZVT_MUSTUSE int archive_chain_row(archive_chain_t *self, const void *row, size_t length);
/* The stretch is over, with this seq: ZVT_ERR_CORRUPT when rows are missing. The border is valid until the next begin. */
ZVT_MUSTUSE int archive_chain_end(archive_chain_t *self, uint64_t last_seq, archive_border_t *border);
const char *archive_chain_problem(const archive_chain_t *self);

uint64_t archive_chain_rows(const archive_chain_t *self);
/* Fills among the rows, and the sum of the first four bytes of sha256("EXCHANGE VENUE_SEQ") of each. */
uint64_t archive_chain_fills(const archive_chain_t *self);
uint64_t archive_chain_fills_sum(const archive_chain_t *self);
/* Lines "EXCHANGE VENUE_SEQ" of fills that were dead-lettered. */
const char *archive_chain_put_aside(const archive_chain_t *self);

/* Bytes of the row of `columns` columns that begins here; 0 when it is not whole. ZVT_ERR_CORRUPT (negative) when it is none. The
 * stream's end is a row of 2 bytes. */
int64_t archive_row_length(const uint8_t *data, size_t available, unsigned columns);
/* Reads a row of event_batches (last_seq, first_seq, epoch, hash). */
ZVT_MUSTUSE int archive_batch_read(const void *row, size_t length, archive_batch_t *batch);

#endif
