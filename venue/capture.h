/* capture -- recorded market data, read line by line from one file after another.
 *
 * "A,B" means that B follows A. Plain and gzip files are told apart by their contents, captures and CSV files by their
 * first line. A line that cannot be read is counted, reported with its number and passed over; a file that ends in
 * the middle of a line or of its gzip data ends the recording there, even when more files would follow.
 *
 * Bounds   CAPTURE_FILES_MAX files; lines up to CAPTURE_LINE_MAX bytes, longer ones count as malformed.
 * Owns     one open file and one event.
 * Errors   capture_next: 0, or ZVT_ERR_CLOSED once there is nothing more; capture_message then says why. */
#ifndef VENUE_CAPTURE_H
#define VENUE_CAPTURE_H

#include "capture_line.h"
#include "zvt_config.h"

enum { CAPTURE_FILES_MAX = 64, CAPTURE_LINE_MAX = 1 << 20 };

typedef struct {
    uint64_t lines, malformed, other; /* other: messages that are none of ours */
} capture_counts_t;

typedef struct capture capture_t;

/* Called for each line that cannot be read. */
typedef void(capture_malformed_fn)(void *arg, const char *file, uint64_t line, const char *reason);

/* Opens the first file of a comma-separated list and checks that the others can be read. */
ZVT_MUSTUSE int capture_new(capture_t **self, const char *files, capture_malformed_fn *fn, void *arg,
                            char problem[ZVT_PROBLEM_SIZE]);
void capture_destroy(capture_t **self);

/* Reads on to the next event that means something; valid until the next call. */
ZVT_MUSTUSE int capture_next(capture_t *self, const capture_event_t **event);
/* Where the last event stands: file index from 0, line from 1, and the lines read so far in all files. */
uint32_t capture_file(const capture_t *self);
uint64_t capture_line(const capture_t *self);
const char *capture_file_name(const capture_t *self);
/* How the recording ended; empty before. */
const char *capture_message(const capture_t *self);
const capture_counts_t *capture_counts(const capture_t *self);

/* The files' names without their folders, as they stand in a ledger's fingerprint. */
void capture_names(const char *files, char *names, size_t size);

#endif
