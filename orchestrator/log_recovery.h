/* log_recovery -- brings a turn core up to a place in the log without blocking the loop: the newest checkpoint first, then the
 * events after it as one COPY stream. Where the log begins only after what the core holds, because earlier events are archived,
 * it goes on from the newest base instead.
 *
 * Used by a new holder of the lease, up to the log's end, and by a standby, again and again up to what there is.
 * Owns     its session; borrows the core, which must be cleared before the first run and after log_recovery_forget.
 * Errors   a database that is away or silent is asked again until it answers. What cannot be folded is told to on_corrupt. */
#ifndef LOG_RECOVERY_H
#define LOG_RECOVERY_H

#include "pg_session.h"
#include "turn_core.h"

#define LOG_RECOVERY_ALL UINT64_MAX /* as to_seq: what there is now */

typedef struct {
    /* The core holds the fold up to here: to_seq, or what there was. */
    void (*on_reached)(void *arg, uint64_t seq);
    /* The log contradicts itself, or what it begins with is archived and there is no base: no more is folded. */
    void (*on_corrupt)(void *arg, const char *problem);
    void *arg;
} log_recovery_handler_t;

typedef struct log_recovery log_recovery_t;

log_recovery_t *log_recovery_new(zvt_loop_t *loop, const char *dsn, const char *application, turn_core_t *core,
                                 const log_recovery_handler_t *handler);
void log_recovery_destroy(log_recovery_t **self);

/* Folds up to to_seq; a run that is under way gets the new end. A core that is beyond to_seq holds another log: it is cleared. */
void log_recovery_run(log_recovery_t *self, uint64_t to_seq);
/* The core is not the fold any more: stops, clears it, and begins from the checkpoint the next time. */
void log_recovery_forget(log_recovery_t *self);
/* No run is under way. */
bool log_recovery_is_idle(const log_recovery_t *self);

#endif
