/* delivery_core -- makes sure that every signal of this process reaches the orchestrator once.
 *
 * Signals and cancels share one numbering, 1, 2, 3 .. within a run of the process (sender, incarnation). Each is sent at
 * once and again after 100 ms, 200 ms, 400 ms .. up to once a second, of which half is drawn, until it is acknowledged,
 * refused or expired. The draws come from a generator seeded by sender and incarnation.
 * The orchestrator drops numbers it has seen, so resending is always safe.
 *
 * A run is named by its start time, so after the clock was set back a process begins one that is below the run that the
 * orchestrator knows of this sender; every command is refused then. The refusal names the known run, and the process begins
 * a new one above it, at once. A command never has two names that could both be taken: it gets a new one only when its own
 * refusal says that nothing was ever taken of the run that it was named in (and nothing can be: the known run only rises).
 * What that is not known of stays refused, except a cancel, which does no harm twice. In any run the signal id stays.
 *
 * Pure: the caller passes monotonic now_ns; what is to be sent or given up leaves through the output's callbacks.
 * Bounds   DELIVERY_WINDOW unanswered numbers between the oldest and the newest, because the orchestrator remembers
 *          exactly that many; one more is ZVT_ERR_FULL.
 * Owns     copies of what is on its way. */
#ifndef DELIVERY_CORE_H
#define DELIVERY_CORE_H

#include "zvt_schema.h"

enum { DELIVERY_WINDOW = 4096 };

/* One command on its way. */
typedef struct {
    zvt_type_t type;        /* ZVT_T_SIGNAL or ZVT_T_SIGNAL_CANCEL; 0: answered, the slot is free */
    uint32_t owner;         /* the caller's number of the strategy */
    uint64_t number;        /* of all commands of this process; within its run it is the record's sender_seq */
    int64_t expires_ns;     /* monotonic; given up then */
    int64_t next_send_ns;   /* monotonic */
    int64_t backoff_ns;     /* before the send after the next */
    union {
        zvt_signal_t signal;
        zvt_signal_cancel_t cancel;
    };
} delivery_item_t;

/* What an acknowledgement meant. */
typedef enum {
    DELIVERY_IGNORED,  /* another run's, or answered before */
    DELIVERY_ACCEPTED, /* durable, now or earlier */
    DELIVERY_REFUSED,  /* will never become an order */
    DELIVERY_AGAIN,    /* nothing was done and it may be tried again: it is resent */
    DELIVERY_RENAMED,  /* refused because its run is over, and sent again in the present run */
} delivery_outcome_t;

typedef struct {
    /* Sends one record, ZVT_T_SIGNAL or ZVT_T_SIGNAL_CANCEL; `resent` unless it is the first time. */
    void (*send)(void *arg, zvt_type_t type, const void *record, bool resent);
    /* Nobody answered until it expired. */
    void (*expired)(void *arg, const delivery_item_t *item);
    /* A new run has begun, because the orchestrator knows one above the one before. */
    void (*new_run)(void *arg, uint64_t before, uint64_t known);
    void *arg;
} delivery_output_t;

typedef struct delivery_core delivery_core_t;

/* Aborts when there is no memory (only called at start). */
delivery_core_t *delivery_core_new(const char *sender, uint64_t incarnation, const delivery_output_t *output);
void delivery_core_destroy(delivery_core_t **self);

/* Numbers and sends a command; its sender, incarnation and sender_seq are set here. It is given up lifetime_ns later.
 * ZVT_ERR_FULL: DELIVERY_WINDOW reached, nothing was sent. */
ZVT_MUSTUSE int delivery_core_signal(delivery_core_t *self, uint32_t owner, const zvt_signal_t *signal,
                                     int64_t lifetime_ns, int64_t now_ns);
ZVT_MUSTUSE int delivery_core_cancel(delivery_core_t *self, uint32_t owner, const zvt_signal_cancel_t *cancel,
                                     int64_t lifetime_ns, int64_t now_ns);

/* Takes an acknowledgement. *item gets a copy of what it answers, unless the outcome is DELIVERY_IGNORED. */
delivery_outcome_t delivery_core_on_ack(delivery_core_t *self, const zvt_signal_ack_t *ack, delivery_item_t *item, int64_t now_ns);

/* Gives up what has expired and resends what is due. */
void delivery_core_on_time(delivery_core_t *self, int64_t now_ns);
/* The orchestrator is new or back: everything unanswered is due now. */
void delivery_core_on_peer(delivery_core_t *self, int64_t now_ns);

/* When on_time has something to do next, monotonic; 0 when nothing is on its way. May be early, never late. */
int64_t delivery_core_next_ns(const delivery_core_t *self);
/* Commands on their way. */
uint32_t delivery_core_pending(const delivery_core_t *self);

#endif
