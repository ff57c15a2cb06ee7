/* zvt_file -- small durable files of a process: replaced as a whole, or appended to.
 *
 * Errors   ZVT_ERR_IO with errno set, ZVT_ERR_FULL for a file larger than expected. A replaced file holds the old or the
 *          new bytes, never a part of them; an append that fails leaves the file as it was, as far as the disk lets us, and
 *          after a crash the last append may be there in part. */
#ifndef ZVT_FILE_H
#define ZVT_FILE_H

#include <stddef.h>

#include "zvt_error.h"

/* Reads a whole file of at most `capacity` bytes; ZVT_ERR_NOT_FOUND when it is not there. */
ZVT_MUSTUSE int zvt_file_load(const char *path, void *data, size_t capacity, size_t *length);
/* Replaces the file, and returns when the disk has it. */
ZVT_MUSTUSE int zvt_file_replace(const char *path, const void *data, size_t length);
/* Adds to a file that is there, and returns when the disk has it. */
ZVT_MUSTUSE int zvt_file_append(const char *path, const void *data, size_t length);

#endif
