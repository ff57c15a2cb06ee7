/* orchestrator -- what the files of the orchestrator's process share. Include it only from orchestrator_*.c.
 *
 *   orchestrator_main.c     options, timers, status; folding on demand
 *   orchestrator_log.c      where the process stands with the log: lease, recovery, commits, loss
 *   orchestrator_sockets.c  clients, strategies, services */
#ifndef ORCHESTRATOR_H
#define ORCHESTRATOR_H

#include "halt_file.h"
#include "log_recovery.h"
#include "log_writer.h"
#include "turn_core.h"
#include "zvt_hub.h"
#include "zvt_link.h"
#include "zvt_puller.h"
#include "zvt_service.h"

/* Where the process stands with the log. */
typedef enum {
    LOG_AWAY,     /* no lease: the database is away, or was lost */
    LOG_WAITING,  /* another holds the lease; its log is folded as it grows */
    LOG_FOLDING,  /* the lease is taken; history is being folded */
    LOG_OPEN      /* the core works */
} log_state_t;

typedef struct {
    const char *name; /* socket that serves it */
    zvt_link_t *link; /* NULL until the process may work for the first time */
} service_link_t;

typedef struct {
    zvt_service_t *service;
    zvt_loop_t *loop;
    turn_core_t *core;
    bool has_standby;       /* the fleet has two orchestrators, of which one works */
    bool second;            /* and this is the one that waits when both start */

    /* ---- orchestrator_log.c ---- */
    log_lease_t *lease;
    log_writer_t *writer;
    log_recovery_t *recovery;
    log_state_t state;
    uint64_t epoch, last_seq;       /* of the lease, and of the log when it was taken */
    int64_t lost_ns;                /* monotonic: when the log went away */
    int64_t retry_ns;               /* before the lease is sought again; doubles while the log does not stay */
    int64_t opened_ns;              /* monotonic: when the core was opened last */
    uint64_t seen_epoch;            /* highest that executor or gateways answered with */
    char halt_path[512];
    halt_file_halt_t halt;          /* the last one that an operator asked this process for */
    bool halt_unstored;             /* the disk does not take it; tried again every second */
    bool resume_unstored;           /* nor its end */
    int retry_timer;

    /* ---- orchestrator_sockets.c ---- */
    zvt_puller_t *signals;
    zvt_hub_t *requests;
    zsock_t *events;                /* NULL while nothing is bound */
    zvt_hello_t identity;
    service_link_t services[TURN_SERVICES];
    uint32_t type_subscriptions;

    /* ---- orchestrator_main.c ---- */
    int wake_timer, look_timer;
    uint64_t ended_before;          /* orders ended a second ago */
    uint64_t orders_per_second;
} orchestrator_t;

/* ---- orchestrator_main.c ---- */
/* Every input comes through here first: tells the core what time it is, and finds out whether the lease still holds. */
void orchestrator_begin(orchestrator_t *self);

/* ---- orchestrator_log.c ---- */
void orchestrator_log_init(orchestrator_t *self, const char *dsn);
void orchestrator_log_destroy(orchestrator_t *self);
/* The core's commit. */
void orchestrator_log_commit(void *arg, const turn_batch_t *batch);
void orchestrator_log_gather(void *arg, const turn_batch_t *batch);
/* Gives the lease up when nothing has been heard from the database for so long that another may have it. */
void orchestrator_log_check(orchestrator_t *self);
/* Leaves when another process serves the endpoints: nobody would reach this one, whoever has the lease. */
void orchestrator_log_check_endpoints(orchestrator_t *self);
/* Somebody on the way to the venues has obeyed this epoch. */
void orchestrator_log_note_epoch(orchestrator_t *self, uint64_t epoch);
/* An operator's halt, which must hold with and without a log. A resume changes nothing until it is durable. */
void orchestrator_log_latch_halt(orchestrator_t *self, const zvt_halt_request_t *request);
/* The core's resume. */
void orchestrator_log_on_resumed(void *arg);
/* Once a second: stores a halt or its end that the disk did not take, and obeys a halt that the other orchestrator was told of. */
void orchestrator_log_on_second(orchestrator_t *self);

/* ---- orchestrator_sockets.c ---- */
/* Serves clients and strategies, and connects to the services; does nothing when that is done already. The holder of the lease
 * takes the endpoints away from a stopped process (`take`); others are refused with exit code 100. */
void orchestrator_sockets_open(orchestrator_t *self, bool take);
/* False when another process has taken an endpoint away: whoever connects from then on reaches that one. */
bool orchestrator_sockets_are_ours(const orchestrator_t *self);
void orchestrator_sockets_close(orchestrator_t *self);
/* Tells the services our epoch. */
void orchestrator_sockets_hello(orchestrator_t *self);
/* A sign of life for followers while there is no tip to tell, so that they do not take us for a stopped process. */
void orchestrator_sockets_publish_life(orchestrator_t *self);
/* The core's questions, answers and publications. */
void orchestrator_sockets_ask(void *arg, turn_service_t service, zvt_type_t type, const void *record);
void orchestrator_sockets_reply(void *arg, const turn_client_t *client, zvt_type_t type, const void *record);
void orchestrator_sockets_publish(void *arg, const char *topic, const void *data, size_t length);

#endif
