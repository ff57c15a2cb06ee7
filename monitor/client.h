/* client -- asks the fleet's processes, one or many at once, and waits with a limit.
 *
 * A question goes out on a DEALER as one frame; every record of the answers is handed to the asker, who says when the
 * answer is complete. Hellos beside the question tell a restarted peer from a slow one: what may be repeated is asked
 * again, what may not is reported as lost.
 *
 * Units    *_ms: milliseconds on the monotonic clock.
 * Bounds   CLIENT_ASKS_MAX questions at once.
 * Owns     the sockets, for the length of a call.
 * Errors   an outcome and a sentence in each question; nothing here ends the process. */
#ifndef MONITOR_CLIENT_H
#define MONITOR_CLIENT_H

#include "zvt_codec.h"
#include "zvt_socket.h"

enum {
    CLIENT_ASKS_MAX = 512,
    CLIENT_PROBLEM_SIZE = 320,
    CLIENT_TIMEOUT_MS = 3000, /* for every question that has no limit of its own */
};

typedef enum {
    CLIENT_PENDING,
    CLIENT_ANSWERED,
    CLIENT_REFUSED,   /* the peer sent an error record */
    CLIENT_SILENT,    /* no answer in time */
    CLIENT_RESTARTED, /* the peer restarted, and the question may not be repeated */
    CLIENT_DOWN,      /* the fleet does not run */
} client_outcome_t;

/* One record of the answer; true when the answer is complete. `rest` stands behind the record in its frame: the
 * events of a log_batch follow there. */
typedef bool(client_record_fn)(void *arg, const zvt_record_t *record, zvt_cursor_t *rest);

typedef struct {
    /* Given by the asker. */
    const char *who;            /* "orchestrator", for sentences */
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_type_t type;            /* of the question */
    const void *question;       /* its record, borrowed */
    bool repeatable;            /* asking twice does no harm */
    client_record_fn *on_record;
    void *arg;
    /* The result. */
    client_outcome_t outcome;
    int64_t took_ns;            /* until the answer was complete */
    char problem[CLIENT_PROBLEM_SIZE]; /* why there is none */
    /* Private. */
    zsock_t *socket;
    bool sent;
    uint64_t incarnation;       /* of the peer; 0: not known yet */
    int64_t sent_ns, hello_ns;
} client_ask_t;

/* Asks all questions in parallel; returns how many were answered. Says on stderr what it waits for, after two
 * seconds, if that is a terminal. */
size_t client_ask(client_ask_t *asks, size_t count, int64_t timeout_ms);

/* True if at least one process of the fleet listens. */
bool client_fleet_runs(void);
/* "the fleet at HOME is not running; start it with: run/fleet up" */
void client_down_sentence(char text[CLIENT_PROBLEM_SIZE]);
/* True if a process accepts connections at this address; addresses that are not ipc are taken to. */
bool client_listens(const char *endpoint);
/* Names of the processes that have a control socket, sorted; returns how many. */
size_t client_process_names(char names[][ZVT_NAME_SIZE], size_t max);

#endif
