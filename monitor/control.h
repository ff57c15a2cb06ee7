/* control -- questions to the control sockets of processes. */
#ifndef MONITOR_CONTROL_H
#define MONITOR_CONTROL_H

#include "client.h"

/* One process asked over its control socket. */
typedef struct {
    char name[ZVT_NAME_SIZE];
    bool answered;
    bool success;                 /* of the command there */
    int64_t took_ns;
    char body[sizeof((zvt_control_reply_t *)0)->body]; /* the answer, or the reason of the refusal */
    char problem[CLIENT_PROBLEM_SIZE];
} control_t;

/* Asks all of `targets` (whose names are set) at once; returns how many answered. At most CLIENT_ASKS_MAX. */
size_t control_ask(control_t *targets, size_t count, const char *command, const char *argument, int64_t timeout_ms);

#endif
