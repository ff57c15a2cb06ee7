/* turn_core -- the orchestrator's turn: records in, events and effects out, one commit at a time.
 *
 * A turn takes what has arrived, lets the saga engine and the order tables turn it into events, and appends them to
 * the batch that is gathered while the one before commits. Only when the database has confirmed a batch are its
 * events published, its commands acknowledged, and its orders sent: nothing leaves before its cause is durable.
 * Questions without outside effect (risk, route, arithmetic of fills) leave at once.
 *
 * Events of an order are staged until its intent is complete, so that a healthy order costs two commits: what was
 * asked up to order.submitted, and what came of it. An event that has waited TURN_STAGE_MAX_NS is appended anyway.
 *
 * Pure: the world is reached through turn_io_t, time comes in. The simulator runs this very code.
 * Units    *_ns: `utc` for what is stored, `monotonic` for timeouts.
 * Bounds   every pool is fixed; a command that would overrun one is refused with OVERLOADED. Venue reports never are:
 *          what cannot be taken now is fetched again from the venue by its cursor.
 * Errors   an append that did not commit voids the core: clear it, take the lease anew, fold the log, open. */
#ifndef TURN_CORE_H
#define TURN_CORE_H

#include <stdio.h>

#include "zvt_codec.h"
#include "zvt_config.h"
#include "zvt_digest.h"
#include "zvt_pools.h"

#define TURN_STAGE_MAX_NS (INT64_C(5) * 1000000)
#define TURN_STALL_NS (INT64_C(1000) * 1000000) /* a commit that lasts longer: new commands are refused until it ends */

enum {
    TURN_BATCH_EVENTS_MAX = ZVT_POOL(4000, 24),
    TURN_BATCH_BYTES_MAX = 3 << 20,
    TURN_CLIENT_SIZE = 48,
};

/* Who answers questions. */
typedef enum { TURN_RISK, TURN_EXECUTOR, TURN_PORTFOLIO, TURN_SERVICES } turn_service_t;

/* Where a record came from. */
typedef enum { TURN_FROM_SIGNALS, TURN_FROM_CLIENT, TURN_FROM_SERVICE, TURN_SOURCES } turn_source_t;

/* Where to answer a client: opaque bytes of the plumbing's. */
typedef struct {
    uint8_t bytes[TURN_CLIENT_SIZE];
} turn_client_t;

/* Events that go into one transaction. */
typedef struct {
    uint64_t epoch;
    uint64_t first_seq, last_seq;
    uint32_t count;
    const zvt_event_t *events; /* count of them; payloads stay valid until turn_core_on_commit */
} turn_batch_t;

/* The world. None of these may block or call back into the core. */
typedef struct {
    void *arg;
    /* Begins to append; the outcome comes by turn_core_on_commit. One at a time. */
    void (*commit)(void *arg, const turn_batch_t *batch);
    /* What is gathered meanwhile, at the end of a turn: the beginning of the next batch. May be NULL. */
    void (*gather)(void *arg, const turn_batch_t *batch);
    void (*ask)(void *arg, turn_service_t service, zvt_type_t type, const void *record);
    void (*reply)(void *arg, const turn_client_t *client, zvt_type_t type, const void *record);
    void (*publish)(void *arg, const char *topic, const void *data, size_t length);
    /* A resume is durable and no halt has followed: what the process has stored of a halt is over. Before anybody is told. */
    void (*resumed)(void *arg);
} turn_io_t;

typedef struct turn_core turn_core_t;

/* `fleet` is borrowed. `seed` makes the ids and the jitter. */
turn_core_t *turn_core_new(const zvt_fleet_t *fleet, const char *name, const turn_io_t *io, uint64_t seed);
void turn_core_destroy(turn_core_t **self);

/* ---- recovery ---- */
/* The log is lost: tells every waiting client that the outcome of its command is not known. Clear the core then. */
void turn_core_abandon(turn_core_t *self);
/* Empties the core. */
void turn_core_clear(turn_core_t *self);
/* Applies one committed event, in order of seq. ZVT_ERR_* if the log contradicts itself. */
ZVT_MUSTUSE int turn_core_fold(turn_core_t *self, const zvt_event_t *event);
/* Saves the fold of the log so far, record by record, for turn_core_load. Only of a core that folds and does nothing
 * else: what is staged in a working one is not in the log. Stops at the first non-zero status and returns it. */
typedef int(turn_save_fn)(void *arg, zvt_type_t type, const void *record);
ZVT_MUSTUSE int turn_core_save(turn_core_t *self, turn_save_fn *save, void *arg);
/* Takes one saved record, in the sequence they were saved, into a cleared core. The fold goes on from its seq.
 * ZVT_ERR_* when the records contradict each other: clear the core and fold the log from its beginning. */
ZVT_MUSTUSE int turn_core_load(turn_core_t *self, const zvt_record_t *record);
/* After the last record: 0, or ZVT_ERR_TRUNCATED when some are missing. */
ZVT_MUSTUSE int turn_core_load_end(turn_core_t *self);
/* Commands that the folded log has taken twice, as far as the fold remembers them: 0, or a promise was broken. */
uint64_t turn_core_doubled(const turn_core_t *self);
/* The fold's last seq. */
uint64_t turn_core_folded_seq(const turn_core_t *self);

/* Halts from here on, whatever the log says and whether it can be written: the latch outlives turn_core_clear and is
 * recorded as soon as the core is open. For an operator's halt that somebody else was told of, or while the log is away. A
 * resume takes it back when it is durable, and NULL as reason does. */
void turn_core_latch_halt(turn_core_t *self, const char *requested_by, const char *reason);

/* Whether the process could store the last halt: what is said about a halt that is not in the log depends on it. */
void turn_core_note_halt_stored(turn_core_t *self, bool stored);

/* Begins to work under this epoch: resumes open sagas and records system.started and system.recovered. */
void turn_core_open(turn_core_t *self, uint64_t epoch, int64_t recovery_ns);
bool turn_core_is_open(const turn_core_t *self);
/* Why the log is away, for those who are refused meanwhile; outlives turn_core_clear. */
void turn_core_note_log(turn_core_t *self, const char *why);
const char *turn_core_log_away(const turn_core_t *self);
/* The commit under way has lasted TURN_STALL_NS: nobody can tell when it ends, and no command is taken until it does. */
bool turn_core_is_stalled(const turn_core_t *self);

/* ---- the turn ---- */
/* Sets the time of what follows. */
void turn_core_set_time(turn_core_t *self, int64_t utc_ns, int64_t monotonic_ns);
/* Takes one record. `client` is where to answer (TURN_FROM_CLIENT only). */
void turn_core_on_record(turn_core_t *self, turn_source_t source, const turn_client_t *client, const zvt_record_t *record);
/* A service answered for the first time or is a new run: what was asked before is asked again. */
void turn_core_on_service_up(turn_core_t *self, turn_service_t service, uint64_t incarnation);
void turn_core_on_service_down(turn_core_t *self, turn_service_t service);
/* After all input of the turn: fires what is due and begins the next commit if none is under way. */
void turn_core_end_turn(turn_core_t *self);
/* The batch is durable: publish, acknowledge, send. */
void turn_core_on_commit(turn_core_t *self);
/* When the core wants to be called next, monotonic; 0 for never. */
int64_t turn_core_next_ns(const turn_core_t *self);
/* Publishes the tip heartbeat. */
void turn_core_publish_tip(turn_core_t *self);
/* Whether casual viewers subscribe to topics by event type; saves the work when none does. */
void turn_core_publish_types(turn_core_t *self, bool wanted);

/* ---- looking in ---- */
typedef struct {
    uint64_t committed_seq;
    uint64_t appended_seq; /* of the last event made so far, durable or on its way */
    uint64_t epoch;
    uint32_t open_sagas;
    uint32_t open_orders;
    uint32_t unknown_orders;
    uint32_t dead_letters;
    bool halted; /* also while the resume is not durable yet */
    bool services_up[TURN_SERVICES];
    uint32_t venues_up;
    uint64_t orders_ended; /* since the core was opened */
} turn_status_t;
void turn_core_status(const turn_core_t *self, turn_status_t *status);
/* Whether the account at this venue of the fleet file gets orders: OK, ACCOUNT_HALTED, or NOT_RECONCILED while it was not
 * compared yet. `reason`, of a halt, is borrowed until the core is used again; "" otherwise. */
uint8_t turn_core_account(const turn_core_t *self, uint32_t venue, const char **reason);

/* Canonical text of the durable state, for digests: writes lines to `out` and returns how many. */
uint32_t turn_core_dump(const turn_core_t *self, FILE *out);
/* Digests noted at the last barriers. */
const zvt_digests_t *turn_core_digests(const turn_core_t *self);

#endif
