/* log_lease -- gets the lease of a shard, and with it the connection that may append.
 *
 * Connects, looks at the lease row until lease_core says what to do, and takes it: the epoch rises in a commit of its own,
 * after the backend of a stopped holder was ended. Never blocks; every step is given up after a few seconds and tried again.
 * Owns     its session, which the log writer borrows once the lease is taken.
 * Errors   none come back: on_trouble tells why it takes so long, and it goes on trying until it is stopped. */
#ifndef LOG_LEASE_H
#define LOG_LEASE_H

#include "lease_core.h"
#include "pg_session.h"

enum { LOG_HASH_SIZE = 32 };

/* What the new holder has to know. */
typedef struct {
    uint64_t epoch;               /* ours */
    uint64_t last_seq;            /* of the log */
    uint8_t hash[LOG_HASH_SIZE];  /* of the last batch */
    int64_t taken_ns;             /* monotonic, before the row was written: the heartbeat is not older */
} log_lease_taken_t;

typedef struct {
    void (*on_taken)(void *arg, const log_lease_taken_t *taken);
    /* Another process holds it; called after every look. */
    void (*on_waiting)(void *arg, const char *holder);
    /* Another process holds it, and this one has to end. Nothing is tried any more. */
    void (*on_leave)(void *arg, const char *holder);
    void (*on_trouble)(void *arg, const char *problem);
    void *arg;
} log_lease_handler_t;

typedef struct log_lease log_lease_t;

/* `name`: of this process, as others see the holder. */
log_lease_t *log_lease_new(zvt_loop_t *loop, const char *dsn, uint32_t shard, const char *name, const lease_rules_t *rules,
                           const log_lease_handler_t *handler);
void log_lease_destroy(log_lease_t **self);

/* Begins anew, with a new connection. The epoch will be above `seen_epoch`, the highest that anybody answered with. */
void log_lease_seek(log_lease_t *self, uint64_t seen_epoch);
/* The session of the lease that was taken. */
pg_session_t *log_lease_session(log_lease_t *self);

#endif
