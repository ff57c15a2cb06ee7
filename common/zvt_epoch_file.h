/* zvt_epoch_file -- where a process of the fleet keeps its epoch (zvt_epoch): NAME.epoch in the state folder.
 *
 * Owns     its path.
 * Errors   a file that cannot be read ends the process with ZVT_EXIT_CONFIG, because without it an older writer might be
 *          obeyed. What cannot be stored is named in the log, and the caller is told: the old epoch stays in force. */
#ifndef ZVT_EPOCH_FILE_H
#define ZVT_EPOCH_FILE_H

#include "zvt_epoch.h"
#include "zvt_service.h"

enum { ZVT_EPOCH_PATH_SIZE = 768 };

typedef struct {
    char path[ZVT_EPOCH_PATH_SIZE];
} zvt_epoch_file_t;

/* The epoch that is stored; 0 when none is. */
uint64_t zvt_epoch_file_open(zvt_epoch_file_t *self, zvt_service_t *service);
/* 0 when the disk has it, or ZVT_ERR_IO. */
ZVT_MUSTUSE int zvt_epoch_file_store(const zvt_epoch_file_t *self, uint64_t epoch);

#endif
