#include "zvt_epoch_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_diag.h"

uint64_t zvt_epoch_file_open(zvt_epoch_file_t *self, zvt_service_t *service)
{
    uint64_t epoch;
    snprintf(self->path, sizeof self->path, "%s/%s.epoch", zvt_service_state_dir(service), zvt_service_name(service));
    int status = zvt_epoch_load(self->path, &epoch);
    if (status == 0) return epoch;
    fprintf(stderr, "%s: cannot read the epoch from %s: %s; restore the file, or delete it if no older orchestrator can be running\n",
            zvt_service_name(service), self->path, zvt_strerror(status));
    exit(ZVT_EXIT_CONFIG);
}

int zvt_epoch_file_store(const zvt_epoch_file_t *self, uint64_t epoch)
{
    int status = zvt_epoch_store(self->path, epoch);
    if (status != 0 && zvt_diag_allowed())
        zvt_error("cannot store epoch %" PRIu64 " in %s: %s; free the disk or mend the folder's rights", epoch, self->path,
                  strerror(errno));
    return status;
}
