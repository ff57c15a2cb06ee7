/* zvt_epoch -- the highest writer epoch that a process has obeyed, kept in a small file.
 *
 * A process that forgot it in a crash would obey an older writer again, so it is stored before it is acted on.
 *
 * Shapes   the file holds the number in decimal and a newline.
 * Errors   loading: ZVT_ERR_IO, ZVT_ERR_CORRUPT (not a number, or one that no writer can have: somebody else wrote
 *          the file). Storing: ZVT_ERR_IO, and the file then holds the old or the new epoch, never a torn one. */
#ifndef ZVT_EPOCH_H
#define ZVT_EPOCH_H

#include <stdint.h>

#include "zvt_error.h"

/* Reads the epoch; a file that is not there yet means 0. */
ZVT_MUSTUSE int zvt_epoch_load(const char *path, uint64_t *epoch);
/* Replaces the file, and returns when the disk has it. */
ZVT_MUSTUSE int zvt_epoch_store(const char *path, uint64_t epoch);

#endif
