/* archive_file -- rows of the log in a file: gzip of what COPY BINARY sends, so that zcat and COPY read it too.
 *
 * A file is made under another name and takes its own when the disk has it whole; what a kill leaves is written over.
 * Shapes   the stream's header (LOG_ROWS_HEADER bytes), rows, the trailer.
 * Bounds   a row has at most ARCHIVE_ROW_MAX bytes.
 * Owns     its buffers and descriptor.
 * Errors   ZVT_ERR_IO (errno is set), ZVT_ERR_CORRUPT: not such a file. */
#ifndef ARCHIVE_FILE_H
#define ARCHIVE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "zvt_error.h"

enum { ARCHIVE_ROW_MAX = 4 << 20, ARCHIVE_SHA_SIZE = 32, ARCHIVE_PATH_SIZE = 1024 };

/* What identifies a file that is whole. */
typedef struct {
    uint64_t bytes;
    uint8_t sha256[ARCHIVE_SHA_SIZE];
} archive_sum_t;

typedef struct archive_file archive_file_t;

/* ---- writing ---- */
/* NULL when the file cannot be made. */
archive_file_t *archive_file_create(const char *path);
ZVT_MUSTUSE int archive_file_write(archive_file_t *self, const void *data, size_t length);
/* Returns when file and folder are on the disk. ZVT_ERR_EXISTS: there is another file of that name, which stays. */
ZVT_MUSTUSE int archive_file_finish(archive_file_t *self, archive_sum_t *sum);

/* ---- reading ---- */
/* NULL when the file cannot be read. */
archive_file_t *archive_file_open(const char *path);
/* The next row of so many columns, valid until the next call: 1; 0 at the end, which is there only if the trailer is. */
ZVT_MUSTUSE int archive_file_row(archive_file_t *self, unsigned columns, const uint8_t **row, size_t *length);
/* After the end: what identifies the file as it was read. ZVT_ERR_CORRUPT when something follows the end. */
ZVT_MUSTUSE int archive_file_sum(archive_file_t *self, archive_sum_t *sum);

/* Closes it; what was not finished is removed. */
void archive_file_destroy(archive_file_t **self);

#endif
