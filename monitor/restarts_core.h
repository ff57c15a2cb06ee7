/* restarts_core -- what became of a process's runs: when and why each ended, and how long until the next one worked.
 *
 * Pure. Units  *_ns: UTC nanoseconds; took_ms: milliseconds.
 * Bounds   RESTARTS_MAX runs of a process are remembered; older ones are forgotten.
 * Source   the run and finish scripts note begin and end, the process itself notes when it works (run/lib/services.sh). */
#ifndef MONITOR_RESTARTS_CORE_H
#define MONITOR_RESTARTS_CORE_H

#include <jansson.h>

#include "zvt_schema.h"

enum { RESTARTS_MAX = 32, RESTARTS_TEXT_SIZE = 96 };

/* One run of a process, as far as it was noted. */
typedef struct {
    int64_t start_ns;
    int64_t works_ns; /* since when it did its work; 0: it does not, or never did */
    int64_t end_ns;   /* 0: it has not ended, or nobody lived to note it */
    int exit_code;    /* of the end; 256: killed by a signal */
    int signal;
    bool asked;       /* the end was asked for with `fleet restart` */
    bool unnoted;     /* it ended, but there was no room to write how */
} restarts_run_t;

typedef enum {
    RESTARTS_EXITED,     /* by itself, with an exit code */
    RESTARTS_KILLED,     /* by a signal that the fleet did not send */
    RESTARTS_ASKED,      /* with `fleet restart` */
    RESTARTS_SUPERVISOR, /* its s6-supervise was killed, and it with it: nobody noted when */
    RESTARTS_UNNOTED,    /* it ended while the disk was full: nobody could note how */
    RESTARTS_CAUSES
} restarts_cause_t;

typedef enum {
    RESTARTS_DOWN,     /* nothing was started since */
    RESTARTS_STARTING, /* the next run does not work yet */
    RESTARTS_FAILED,   /* the next run ended before it worked */
    RESTARTS_WORKS,
    RESTARTS_OUTCOMES
} restarts_outcome_t;

/* An end, and what came after it. */
typedef struct {
    int64_t at_ns;   /* of the end; RESTARTS_SUPERVISOR: when the next run began */
    int64_t took_ms; /* from at_ns until the next run worked; only with RESTARTS_WORKS */
    int exit_code;   /* RESTARTS_EXITED, RESTARTS_ASKED */
    int signal;      /* RESTARTS_KILLED, RESTARTS_ASKED; 0: none */
    restarts_cause_t cause;
    restarts_outcome_t outcome;
} restart_t;

/* Sorts the runs by their beginning and writes one entry for each end, oldest first; returns their number. */
size_t restarts_core_list(restarts_run_t *runs, size_t count, restart_t restarts[RESTARTS_MAX]);

/* "killed by SIGKILL", "exit 111: temporary", "asked by fleet restart", "supervisor killed", "ended: no room to note how". */
void restarts_core_cause(const restart_t *restart, char text[RESTARTS_TEXT_SIZE]);
/* "back after 0.310 s", "not back yet", "ended before it worked", "down since". */
void restarts_core_outcome(const restart_t *restart, char text[RESTARTS_TEXT_SIZE]);
/* {"at", "cause", "exit_code", "signal", "outcome", "since", "recovered_ms"}; the caller owns it. "since" is "end", or
 * "next start" where nobody noted the end. */
json_t *restarts_core_json(const restart_t *restart);

/* How many of them happened after since_ns without being asked for. */
size_t restarts_core_since(const restart_t *restarts, size_t count, int64_t since_ns);

#endif
