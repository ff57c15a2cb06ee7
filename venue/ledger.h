/* ledger -- the venue's own durable record of what it did: an append-only file.
 *
 * Records are gathered in memory and made durable together by ledger_commit (one write, one fdatasync), before
 * anything that follows from them leaves the process.
 *
 * A full disk  space is allocated ahead of the records, so that the venue learns of it before it executes something:
 *          it refuses new orders while ledger_room is low. A commit that fails nevertheless leaves memory ahead of the
 *          file; nothing of it has left, so the process ends and the restart rebuilds it from the file.
 * Damage   a torn last batch (kill -9, power cut) is cut off with a diagnostic. A damaged batch before an intact one
 *          is ZVT_ERR_CORRUPT: nothing is guessed.
 * Bounds   LEDGER_BATCH_MAX bytes a batch; when the gathered records reach it, they are committed early.
 * Owns     the file, locked for as long as it is open.
 * Errors   0, or a status with `problem` saying what is wrong and what to do:
 *          ZVT_ERR_IO, ZVT_ERR_EXISTS (locked), ZVT_ERR_INVALID (belongs to another market), ZVT_ERR_CORRUPT. */
#ifndef VENUE_LEDGER_H
#define VENUE_LEDGER_H

#include "ledger_format.h"
#include "zvt_config.h"

typedef struct ledger ledger_t;

enum { LEDGER_INDEX_MAX = 1 << 20 }; /* entries; beyond, a search for a report starts at the last one */

/* Where the reports after `seq` begin. */
typedef struct {
    uint64_t seq;
    uint64_t offset;
} ledger_index_entry_t;

/* A place between two batches, with what one has to know to go on from there. */
typedef struct {
    uint64_t end;         /* offset where the next batch goes */
    uint64_t batches;     /* before it */
    uint64_t seq;         /* venue_seq of the last report before it */
    uint64_t last_offset; /* of the last batch that was read before it */
    uint32_t last_crc;    /* of that batch */
    uint32_t index_count;
    ledger_index_entry_t *index; /* room for LEDGER_INDEX_MAX entries */
} ledger_mark_t;

/* The beginning of a ledger. Aborts without memory (only called at start). */
ledger_mark_t ledger_mark_new(void);
void ledger_mark_destroy(ledger_mark_t *self);

/* Takes one recorded record; non-zero ends the reading with this status. */
typedef int(ledger_record_fn)(void *arg, const zvt_record_t *record);
/* Takes one recorded report and its bytes as msgpack; false ends the reading. */
typedef bool(ledger_report_fn)(void *arg, const zvt_report_t *report, const uint8_t *bytes, size_t length);

/* Opens the ledger at `path`, or begins it with *wanted when there is none, and hands every record behind `from` to fn
 * (NULL: every record). Afterwards *wanted holds the ledger's own origin. */
ZVT_MUSTUSE int ledger_open(ledger_t **self, const char *path, ledger_header_t *wanted, const ledger_mark_t *from,
                            ledger_record_fn *fn, void *arg, char problem[ZVT_PROBLEM_SIZE]);
void ledger_close(ledger_t **self);

/* Reads a ledger without changing or locking it, even while a venue writes it: the records behind *mark, which is moved
 * behind the last of them (NULL: every record). */
ZVT_MUSTUSE int ledger_visit(const char *path, ledger_header_t *header, ledger_mark_t *mark, ledger_record_fn *fn, void *arg,
                             char problem[ZVT_PROBLEM_SIZE]);
/* Reads a ledger's header as it stands in the file. */
ZVT_MUSTUSE int ledger_read_header(const char *path, uint8_t bytes[LEDGER_HEADER_SIZE]);
/* Whether the ledger has this header, and at this place the batch that the mark says. */
bool ledger_holds(const char *path, const uint8_t header[LEDGER_HEADER_SIZE], const ledger_mark_t *mark);

/* Gathers a record for the next commit. */
ZVT_MUSTUSE int ledger_append(ledger_t *self, zvt_type_t type, const void *record);
/* Bytes gathered and not yet durable. */
size_t ledger_pending(const ledger_t *self);
/* Makes what is gathered durable; nothing to do is success. After an error the process must end. */
ZVT_MUSTUSE int ledger_commit(ledger_t *self);

/* Bytes that can still be written without asking the file system for space. */
size_t ledger_room(const ledger_t *self);
/* Tries to have at least this much room; ledger_room says how it went. */
void ledger_make_room(ledger_t *self, size_t wanted);

/* Hands the durable reports after `after_seq` to fn, in order. */
ZVT_MUSTUSE int ledger_reports(ledger_t *self, uint64_t after_seq, ledger_report_fn *fn, void *arg);
/* venue_seq of the last durable report. */
uint64_t ledger_committed_seq(const ledger_t *self);
/* Batches and bytes that the ledger holds. */
uint64_t ledger_batches(const ledger_t *self);
uint64_t ledger_bytes(const ledger_t *self);

#endif
