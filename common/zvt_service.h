/* zvt_service -- what every daemon of the fleet does alike.
 *
 * Reads the command line (--config, --name, --home, --help, --version and the daemon's own options) and the fleet
 * file, takes the name's lock, serves the control socket, tells the supervisor when it is ready, and stops on SIGTERM
 * or SIGINT with exit code 0.
 *
 * Environment  ZVT_RUNTIME (required): folder of the ipc sockets; ZVT_HOME: folder of durable state;
 *              ZVT_FLEET: the fleet file; ZVT_READY_FD: where to write a newline when ready (default: none);
 *              ZVT_READY_FILE: the file to write ZVT_RUN to when it works, for `fleet status` (default: none).
 * Errors       a wrong option or fleet file ends the process with exit code 100 and says what to do. */
#ifndef ZVT_SERVICE_H
#define ZVT_SERVICE_H

#include "zvt_config.h"
#include "zvt_diag.h"
#include "zvt_loop.h"
#include "zvt_socket.h"
#include "zvt_stats.h"


/* One option of a daemon's own: --name VALUE (or --name alone for a flag). */
typedef struct {
    const char *name;     /* without the dashes; NULL ends the list */
    const char *argument; /* "FILE" in --help; NULL: a flag */
    const char *meaning;  /* one line for --help */
    const char **value;   /* where the text goes ("yes" for a flag); the last one wins unless `each` is set */
    int (*each)(void *arg, const char *value); /* called per occurrence instead; non-zero refuses the value */
    void *arg;
} zvt_option_t;

typedef struct {
    const char *program; /* "zvt-risk" */
    const char *summary; /* one line for --help */
    uint8_t role;        /* ZVT_ROLE_* */
    const char *name;    /* default name; NULL: --name is required */
    const zvt_option_t *options;
} zvt_service_desc_t;

typedef struct zvt_service zvt_service_t;

/* Answers a control command that the service itself does not know. Write a JSON object to `body` and return true,
 * or a reason and return false. */
typedef bool(zvt_control_fn)(void *arg, const char *command, const char *argument, FILE *body);

/* Does all of the above but the control socket; ends the process on --help, --version and mistakes. */
zvt_service_t *zvt_service_new(int argc, char **argv, const zvt_service_desc_t *desc);
void zvt_service_destroy(zvt_service_t **self);

const char *zvt_service_name(const zvt_service_t *self);
/* A folder for the process's durable files: $ZVT_HOME/state, made when it is missing. Exit code 100 without one. */
const char *zvt_service_state_dir(zvt_service_t *self);
const zvt_fleet_t *zvt_service_fleet(const zvt_service_t *self);
zvt_loop_t *zvt_service_loop(zvt_service_t *self);
/* Identity for hellos: role, name, incarnation (UTC start time in ns, so it rises). Epoch and cursor are the owner's. */
zvt_hello_t *zvt_service_identity(zvt_service_t *self);

/* Extra members of the "stats" answer: write `, "key": value` text. May be NULL. */
typedef void(zvt_service_stats_fn)(void *arg, FILE *body);
void zvt_service_on_stats(zvt_service_t *self, zvt_service_stats_fn *fn, void *arg);
void zvt_service_on_control(zvt_service_t *self, zvt_control_fn *fn, void *arg);

/* Tells the supervisor, once, that the process does its work. Until then `status` shows it as starting. */
void zvt_service_ready(zvt_service_t *self);
/* Notes, once, that it does again what it is for, where that comes later than ready: `status` counts a recovery until
 * then. */
void zvt_service_works(zvt_service_t *self);
bool zvt_service_is_ready(const zvt_service_t *self);

/* Runs until stopped and returns the exit code. */
int zvt_service_run(zvt_service_t *self);
/* Ends the run with this exit code. */
void zvt_service_exit(zvt_service_t *self, int exit_code);

#endif
