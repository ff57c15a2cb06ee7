/* status_core -- merges what the supervisor knows of processes with what they say of themselves.
 *
 * Pure. Shapes  the supervisor's lines are `name kind pid uptime_s restarts ready state`, "-" where nothing is known;
 *               answers are the bodies of the control command `stats`.
 * Bounds   STATUS_PROCESSES_MAX lines; one more is ZVT_ERR_FULL.
 * Errors   ZVT_ERR_FULL, ZVT_ERR_SYNTAX; `problem` names the line. */
#ifndef MONITOR_STATUS_CORE_H
#define MONITOR_STATUS_CORE_H

#include <jansson.h>
#include <stdio.h>

#include "restarts_core.h"

enum { STATUS_PROCESSES_MAX = 512, STATUS_PROBLEM_SIZE = 256, STATUS_WORD_SIZE = 32 };

/* What the supervisor knows of one process. */
typedef struct {
    char name[ZVT_NAME_SIZE];
    char kind[STATUS_WORD_SIZE];  /* venue, gateway, strategy, postgres .. */
    char state[STATUS_WORD_SIZE]; /* the supervisor's word, such as up or down */
    int64_t pid;                  /* 0: does not run */
    int64_t uptime_s;
    int64_t restarts;
    bool ready;
    bool ended;              /* at least once: `last` holds its last restart */
    restart_t last;
    size_t lately;           /* restarts of the last minute that nobody asked for */
} status_process_t;

/* Reads the lines; empty ones and those that begin with # are passed over. */
ZVT_MUSTUSE int status_core_read(FILE *in, status_process_t *processes, size_t max, size_t *count,
                                 char problem[STATUS_PROBLEM_SIZE]);

/* {"fleet": {..}, "venues": [..], "processes": [..]}; bodies[n] is the answer of process n, or NULL. The caller owns the result. */
json_t *status_core_merge(const status_process_t *processes, size_t count, const char *const *bodies);

/* down (nothing runs), starting, trading, halted, or degraded (it runs, but not as it should). `orchestrator` and
 * `executor` are their stats objects, or NULL. */
const char *status_core_fleet_state(const status_process_t *processes, size_t count, const json_t *orchestrator, const json_t *executor);

#endif
