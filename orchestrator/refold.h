/* refold -- folds the log on demand into a turn core that does nothing else: what --fold serves.
 *
 * On the way it is held against the newest checkpoint, record by record, and commands that the log has taken twice are counted.
 * From the log's beginning; where that is archived, from the newest base that is not beyond the end. The state can be left as a
 * file for `fleet archive`, after it was proven that the file makes that state again.
 * Errors   an exit code; the reason goes to stderr. */
#ifndef REFOLD_H
#define REFOLD_H

#include "turn_core.h"

typedef struct {
    turn_core_t *core;       /* cleared */
    const char *dsn, *name;  /* of the database; of this process */
    const char *to_seq;      /* as given on the command line */
    const char *save_folder; /* where "orchestrator.base" goes; NULL: nowhere */
    bool print_text;         /* the canonical text instead of the digest */
} refold_t;

int refold_run(const refold_t *self);

#endif
