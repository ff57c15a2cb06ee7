/* halt_file -- an operator's halt on disk, where it holds whatever becomes of the log and of the process.
 *
 * One sector, made when the orchestrator starts and written in place from then on: a disk that has become full still takes
 * a halt. The file is the fleet's, not the process's: a standby obeys a halt that its predecessor was told of.
 *
 * Shapes   text for people, padded to HALT_FILE_BYTES: "halted", who, why, one line each; or "not halted".
 * Errors   ZVT_ERR_IO with errno set. What is there and says neither counts as a halt: somebody has to look at it.
 * Owns     nothing; each call opens the file and closes it. */
#ifndef ORCHESTRATOR_HALT_FILE_H
#define ORCHESTRATOR_HALT_FILE_H

#include <stdbool.h>

#include "zvt_schema.h"

enum { HALT_FILE_BYTES = 512 };

typedef struct {
    char requested_by[ZVT_NAME_SIZE];
    char reason[ZVT_MESSAGE_SIZE];
} halt_file_halt_t;

/* Makes the file, not halted, unless it is there. */
ZVT_MUSTUSE int halt_file_prepare(const char *path);
/* Stores a halt, or with NULL its end; returns when the disk has it. The old content is lost only to the new one. */
ZVT_MUSTUSE int halt_file_store(const char *path, const halt_file_halt_t *halt);
/* True while a halt is stored. */
bool halt_file_load(const char *path, halt_file_halt_t *halt);

#endif
