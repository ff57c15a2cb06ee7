/* turn_world -- what the files of the turn core share. Include it only from orchestrator/turn_*.c, place_order.c,
 * reports.c, fills.c, notices.c and commands.c. */
#ifndef TURN_WORLD_H
#define TURN_WORLD_H

#include "accounts.h"
#include "admission_core.h"
#include "dedup_core.h"
#include "done_core.h"
#include "early_routes.h"
#include "order_core.h"
#include "saga_core.h"
#include "turn_core.h"
#include "zvt_budget.h"
#include "zvt_map.h"
#include "zvt_pools.h"

enum {
    STAGED_MAX = ZVT_POOL(131072, 4096),        /* events not in a batch yet */
    STAGED_PAYLOAD_MAX = 2048,  /* bytes; the largest event of the schema is below */
    STAGED_RESERVE = ZVT_POOL(8192, 256),      /* kept free for what venues report: new orders are refused before */
    STAGED_PER_SAGA = 8,        /* events that an order in work may still make before its intent is complete */
    STAGED_PER_FILL = 3,        /* executed, position.updated, completed */
    STAGED_PER_ORDER = ZVT_POOL(1024, 8), /* of one order, or bound to come of its fills: then its reports are put off. All that is
                                            * staged of an order goes into one commit. */
    STAGED_PER_ORDER_BESIDE = ZVT_POOL(256, 16), /* more than an order makes beside its reports between two commits */
    STAGED_PER_END = 2,         /* resolved, canceled: what ending an order by command makes */
    EFFECTS_MAX = ZVT_POOL(131072, 4096),
    EFFECTS_PER_SAGA = 4,       /* acknowledgement, send, cancel, answer */
    FILLS_MAX = ZVT_POOL(16384, 256),
    FILLS_FOR_ENDS = FILLS_MAX / 4 * 3, /* more are not taken by reports that wait for fills: those need a place themselves */
    REPORTS_WINDOW = ZVT_POOL(131072, 256), /* of a venue, from the first that is not in the log: two for each order in work */
    WAITERS_MAX = ZVT_POOL(8192, 64),
    POSITIONS_MAX = ZVT_POSITIONS_MAX,
    POSITIONS_TOLD_FROM = POSITIONS_MAX / 4 * 3, /* an alert says that the table fills up */
    POSITIONS_RESERVE = POSITIONS_MAX / 16,    /* kept free for adjustments by hand and fills of orders that have ended */
    LETTERS_MAX = ZVT_POOL(4096, 64),
    KILLS_KEPT = 16,
    HALTS_MAX = 8,
    ACKS_BYTES_MAX = 32 << 10,   /* acknowledgements to one sender in one message */
    ACK_SENDERS_MAX = 64,        /* senders whose acknowledgements are gathered at the same time */
    PUBLISH_BYTES_MAX = 64 << 10, /* of events in one message: what a slow subscriber keeps is so much times ZVT_HWM */
};

_Static_assert(REPORTS_WINDOW % WINDOW_PIECE == 0, "it is saved in pieces");
_Static_assert(STAGED_PER_ORDER + STAGED_PER_ORDER_BESIDE <= TURN_BATCH_EVENTS_MAX, "an empty batch takes all of an order");
_Static_assert((STAGED_PER_ORDER + STAGED_PER_ORDER_BESIDE) * STAGED_PAYLOAD_MAX <= TURN_BATCH_BYTES_MAX, "and its bytes");

/* Something to do once an event is durable. */
typedef enum { EFFECT_SEND_ORDER, EFFECT_ASK_EXECUTOR, EFFECT_ACK, EFFECT_REPLY } effect_kind_t;

typedef struct {
    effect_kind_t kind;
    zvt_type_t type;             /* of the record */
    int32_t order;               /* EFFECT_SEND_ORDER: whose child this is; EFFECT_ACK: the order, or -1 */
    turn_client_t client;        /* EFFECT_REPLY */
    char sender[ZVT_NAME_SIZE];  /* EFFECT_ACK */
    int32_t next;
    union {
        zvt_order_send_t order_send;
        zvt_order_cancel_t order_cancel;
        zvt_signal_ack_t signal_ack;
        zvt_place_reply_t place_reply;
        zvt_cancel_reply_t cancel_reply;
        zvt_command_reply_t command_reply;
    };
} effect_t;

/* Acknowledgements on their way to one sender. */
typedef struct {
    char sender[ZVT_NAME_SIZE];
    zvt_buf_t records;
} acks_t;

typedef struct {
    zvt_event_t header;
    uint8_t payload[STAGED_PAYLOAD_MAX];
    uint32_t payload_length;
    int32_t next;                        /* of the same order */
    int32_t effects_first, effects_last; /* done when it is durable */
} staged_t;

typedef struct {
    turn_batch_t view;      /* what the log writer sees */
    zvt_event_t *events;
    zvt_buf_t payloads;
    uint64_t last_position_seq; /* of the last change of a position in it; 0: there is none */
    int32_t effects_first, effects_last;
} batch_t;

/* A client that waits for an order. */
typedef struct {
    turn_client_t client;
    uint8_t wait;           /* ZVT_WAIT_*; 0: a cancel waits for its outcome */
    char request_id[ZVT_REQUEST_SIZE];
    int32_t order;
    int64_t arrived_ns;     /* monotonic */
    int64_t deadline_ns;    /* monotonic */
    int32_t next;           /* of the same order, or in the free list */
    bool used;
} waiter_t;

/* A fill that waits for portfolio's arithmetic. */
typedef struct {
    zvt_report_t report;
    int32_t order;
    int32_t prev, next;     /* in order of arrival */
    zvt_id_t position_id;
    int32_t earlier, later; /* fills of the same position, in order of arrival */
    int64_t asked_ns;       /* monotonic: when portfolio was asked last */
    bool answered;          /* portfolio's answer came before it was this fill's turn, or before there was room for it */
    zvt_position_updated_t answer;
    bool waits;             /* for room, in a list of its own */
    int32_t wait_prev, wait_next;
} fill_t;

typedef struct {
    zvt_id_t position_id;
    uint32_t version;
    int64_t quantity_e8; /* signed; what is on its way into the log counts */
    int32_t last_order;  /* whose fill changed it last in this run, or ORDER_NONE: its events may still be staged */
    uint64_t last_seq;   /* of its last change that this run has appended, durable or not; 0: none */
    bool has_totals;     /* those after its last change, if that was a fill of this run; also when it is on its way */
    int64_t realized_pnl_total_e8, commission_total_e8;
} position_t;

/* A report that was put aside; see letters.c. */
typedef struct {
    zvt_id_t letter_id;     /* event_id of its saga.dead_lettered */
    int64_t timestamp_ns;   /* UTC, of that event */
    bool retrying;          /* by command */
    zvt_saga_dead_lettered_t event;
    /* ephemeral */
    bool taken;             /* the report came again and is being worked on */
    int64_t ask_at_ns;      /* monotonic: no reports.since for it before */
    int64_t ask_pause_ns;   /* after the next one, doubling; 0 before the first */
} letter_t;

/* A saga of the system itself: what its events have in common. */
typedef struct {
    zvt_id_t correlation_id;
    zvt_id_t last_event_id; /* causes the next event; the correlation id before the first */
} system_saga_t;

/* The comparison of a venue's account with the log; see reconcile.c. */
typedef struct {
    bool done;              /* the venue gets orders */
    int32_t saga;           /* running comparison, or SAGA_NONE */
    int64_t again_ns;       /* monotonic: not begun anew before */
    int64_t started_ns;     /* monotonic */
    system_saga_t events;
    uint64_t query;         /* number of the question; 0 before the first */
    int64_t ask_at_ns;      /* monotonic: it is asked again then */
    int64_t patience_ns;    /* after the question under way, doubling */
    uint32_t orders, assets; /* rows of its answer */
    uint32_t strange;       /* rows that nothing here explains */
    uint32_t missing;       /* orders that the venue should have */
    uint32_t looks;         /* how often a difference was seen */
    int64_t compare_pause_ns; /* after the next snapshot that cannot be compared, doubling */
    uint64_t venue_seq;     /* of the snapshot */
    bool behind;            /* the venue's run, or its last snapshot, ends before a report it had given: it has another ledger */
    char complaint[ZVT_MESSAGE_SIZE]; /* the first thing that is not explained; "" when all is */
    /* who asked for it, if somebody did */
    bool has_client, accept;
    turn_client_t client;
    char requested_by[ZVT_NAME_SIZE];
    char reason[ZVT_MESSAGE_SIZE];
} reconcile_t;

/* Numbers of a venue's reports. */
typedef struct {
    window_t window;
    uint64_t bits[REPORTS_WINDOW / 64];
} reports_taken_t;

/* What we know of a venue's report stream, and of the account there. */
typedef struct {
    reports_taken_t received; /* in this run or found in the log */
    reports_taken_t logged;   /* in the log */
    uint64_t load_next;       /* while a checkpoint is loaded: where the next piece of its window begins */
    uint64_t tip;            /* highest number the venue is known to have given */
    uint64_t incarnation;    /* the venue's run; 0 until it is told */
    bool reachable;
    uint64_t asked_cursor;   /* of the last reports.since */
    int64_t asked_ns;        /* monotonic: when it was sent */
    uint64_t gap_cursor;     /* the number before the gap that ask_at_ns gives patience to */
    int64_t ask_at_ns;       /* monotonic: no reports.since before */
    int64_t ask_pause_ns;    /* after the next one; doubles until a report comes */
    reconcile_t reconcile;
    account_t account;       /* the fold of executions and adjustments there */
    uint8_t circuit;         /* ZVT_CIRCUIT_*, as the log says; 0: it does not */
} venue_t;

/* An entry of the executor's journal that this run has recorded. */
typedef struct {
    zvt_id_t entry_id;
    uint64_t seq;            /* the log accounts for it once it is durable up to here */
    bool noted;              /* the executor was told so */
} kill_t;

/* A client that halted the fleet and waits until that is durable. */
typedef struct {
    turn_client_t client;
    uint64_t seq;            /* of risk.halted; 0: free */
    int64_t deadline_ns;     /* monotonic: answered by then, durable or not */
} halt_waiter_t;

struct turn_core {
    const zvt_fleet_t *fleet;
    char name[ZVT_NAME_SIZE];
    char log_topic[32];   /* of what is published of the log */
    turn_io_t io;
    int64_t utc_ns, monotonic_ns;
    zvt_idgen_t ids;
    zvt_rng_t pauses;     /* draws the jitter of every pause before something is asked again */
    uint64_t epoch;
    bool open;

    order_core_t *orders;
    saga_core_t *sagas;
    dedup_core_t *senders;
    done_core_t *done;
    admission_core_t *admission;
    early_routes_t *early_routes;
    venue_t venues[ZVT_VENUES_MAX];

    /* staging, batches */
    staged_t *staged;
    int32_t staged_free;    /* given back; beyond staged_high all are fresh, so that memory in use stays small */
    int32_t staged_high;
    uint32_t staged_used;
    int32_t staged_orders_first, staged_orders_last; /* orders with staged events, oldest first */
    int32_t ready_first, ready_last;                 /* orders whose staged events wait for room */
    batch_t batches[2];
    batch_t *gather;      /* being filled */
    batch_t *committing;  /* NULL when none is under way */
    uint64_t next_seq;
    uint64_t committed_seq;
    effect_t *effects;
    int32_t effects_free, effects_high;
    uint32_t effects_used;
    zvt_buf_t frame;      /* a batch as it is published */
    bool publish_types;
    acks_t acks[ACK_SENDERS_MAX];       /* acknowledgements of this turn; one message each */
    uint32_t acks_count;                /* senders that have some */
    int64_t committing_ns;              /* monotonic: when the commit under way began */

    /* fills, waiters, trouble */
    fill_t *fills;
    int32_t fills_free, fills_first, fills_last;
    uint32_t fills_used;
    zvt_map_t *fills_by_exec;            /* venue and execution id -> fills */
    zvt_map_t *fills_by_position;        /* position id -> the last of its fills */
    int32_t fills_waiting_first, fills_waiting_last; /* answered, and wait for room */
    int64_t fills_asked_ns;              /* monotonic: when the first of the fills that wait for portfolio was asked about, unless fills_put_off */
    bool fills_put_off;                  /* answers could not be used: those fills are asked about again */
    uint64_t last_position_seq; /* of the last durable change of a position: whoever has heard of it may count on it */
    uint64_t floor_seq[TURN_SERVICES]; /* what a service must have applied, durable or not, before it answers */
    waiter_t *waiters;
    int32_t waiters_free;
    uint32_t waiters_used;
    int32_t trouble_first, trouble_last; /* orders to ask the venue about again */
    int64_t chores_ns;                   /* monotonic: when chores are due */
    zvt_budget_t lists;                  /* what clients may ask for in lists */

    letter_t *letters;                   /* oldest first */
    uint32_t letters_count;
    bool letters_full_told;              /* ephemeral: an alert has said that more are only in the log */

    /* aggregates that are not orders */
    zvt_map_t *positions_by_id;
    position_t *positions;
    uint32_t positions_count;
    bool positions_told;                 /* ephemeral: an alert has said that few more have room */
    zvt_id_t system_id;
    uint32_t system_version;
    zvt_id_t system_last_event;

    /* recovery and reconciliation */
    int32_t recovery_saga;       /* SAGA_NONE once the fleet is open for orders */
    int64_t opened_ns;           /* monotonic */
    system_saga_t recovery;
    zvt_system_recovered_t recovered; /* what will be recorded then */
    uint64_t reconcile_queries;  /* numbers of the questions about accounts */

    bool halted;
    uint64_t resumed_seq;         /* of the last risk.resumed made: until it is durable the halt before it holds for sends */
    char halt_reason[ZVT_MESSAGE_SIZE];
    bool halt_latched;            /* an operator's halt that must be in force whatever the log says; outlives a clear */
    zvt_risk_halted_t halt_latch; /* who and why */
    char log_away[ZVT_MESSAGE_SIZE]; /* why the log was lost or cannot be taken; "": not known. Outlives a clear */
    zvt_risk_halted_t halt_record; /* the last halt that a client asked for */
    bool halt_unrecorded;         /* it still waits for room in a batch */
    bool halt_unstored;           /* and the process could not store it either */
    halt_waiter_t halts[HALTS_MAX];
    kill_t kills[KILLS_KEPT]; /* a ring */
    uint32_t kills_count;
    zvt_id_t halted_by;       /* the kill whose risk.halted this run recorded last */
    bool service_up[TURN_SERVICES];
    uint64_t service_incarnation[TURN_SERVICES];
    bool risk_waits;          /* a new run of risk is not asked yet: what the one before it passed waits for room in a batch */
    bool portfolio_waits;     /* a new run of portfolio is not asked yet: changes of positions wait for room in a batch */
    uint32_t positions_staged; /* changes of positions that are not in a batch */
    uint32_t service_ups[TURN_SERVICES]; /* how often it came up: what it was asked before may be lost */
    uint64_t orders_ended;
    uint64_t folded;  /* events folded since clear */
    uint64_t doubled; /* of them, commands that the log had taken before: there must be none */
    zvt_saved_head_t loading; /* records of a checkpoint still to come, in its counts */

    zvt_digests_t digests;
};

/* ---- turn_stage.c: events and effects ---- */
/* Makes an event of the order, applies it, and stages it. The payload struct is of that type. */
void turn_emit(turn_core_t *self, order_t *order, zvt_type_t type, const void *payload);
/* An event of another aggregate that belongs to the order's saga (position.updated). */
void turn_emit_position(turn_core_t *self, order_t *order, const zvt_position_updated_t *position);
/* Finds or makes a position; NULL when the table is full. */
position_t *turn_position(turn_core_t *self, const zvt_id_t *position_id);
/* Whether an order for this position can be taken: its fills must find a place, whatever the open orders still make. */
bool turn_has_room_for_position(const turn_core_t *self, const char *portfolio_id, const char *strategy_id, const char *symbol);
/* An event of the system itself, straight into the batch; 0 or ZVT_ERR_FULL. */
ZVT_MUSTUSE int turn_emit_system(turn_core_t *self, zvt_type_t type, const void *payload, const effect_t *effect);
/* The same as part of a system saga. */
ZVT_MUSTUSE int turn_emit_system_in(turn_core_t *self, system_saga_t *saga, zvt_type_t type, const void *payload,
                                    const effect_t *effect);
/* An adjustment by hand of a position, straight into the batch; 0, or ZVT_ERR_FULL when there is no room now. */
ZVT_MUSTUSE int turn_emit_adjusted(turn_core_t *self, const zvt_position_adjusted_t *adjusted, const effect_t *effect);
/* Whether so many small events of the system fit into the batch now. */
bool turn_has_batch_room(const turn_core_t *self, uint32_t events);
/* How far risk or portfolio must have applied the log before it answers. Not up to what is on its way into the log: risk has a
 * reservation for that, and portfolio a chain of fills, and an order would wait for the commits of those before it. */
uint64_t turn_min_seq(const turn_core_t *self, turn_service_t service);
/* Takes note of what an appended or folded event says about venues: report numbers, accounts, dead letters. */
void turn_note_logged(turn_core_t *self, const zvt_event_t *event);
/* Moves the order's staged events into the batch being gathered (or queues them for the next). */
void turn_flush(turn_core_t *self, order_t *order);
/* Does the effect once everything known of the order is durable. */
void turn_after(turn_core_t *self, order_t *order, const effect_t *effect);
/* Whether it is: what can be repeated without a bound waits for it only while there is room. */
bool turn_is_durable(const turn_core_t *self, const order_t *order);
/* Does the effect once this seq, which has been appended, is durable. */
void turn_after_seq(turn_core_t *self, uint64_t seq, const effect_t *effect);
/* Publishes an acknowledgement that needs no commit (a refusal, a repetition), or has had it. Those to one sender leave
 * as one message, at the end of the turn or before another sender's. */
void turn_publish_ack(turn_core_t *self, const effect_t *effect);
void turn_flush_acks(turn_core_t *self);
void turn_do_effects(turn_core_t *self, int32_t first);
/* Room for one more order, with all that the orders and fills already taken may still make. */
bool turn_has_room(const turn_core_t *self);
/* Room for one more cancel or command of an operator's: there is some when neither orders nor reports find any. */
bool turn_has_room_for_command(const turn_core_t *self);
/* The same for one that ends so many orders. */
bool turn_has_room_to_end(const turn_core_t *self, uint32_t orders);
/* Room for an order of before this run that begins anew. It may take what new orders leave, and leaves what reports need. */
bool turn_has_room_for_saga(const turn_core_t *self);
/* Room for one more report of a venue; what does not fit is fetched again. */
bool turn_has_room_for_report(const turn_core_t *self, const order_t *order);
/* For a report that waits for fills. It frees its room only after them, so they need some that it does not take. */
bool turn_has_room_for_held_end(const turn_core_t *self);
void turn_stage_init(turn_core_t *self);
void turn_stage_clear(turn_core_t *self);
/* Flushes what has waited too long, and what waited for room. */
void turn_flush_due(turn_core_t *self);

/* Flushes every order, so that the state of the core is the fold of what has been appended. False: no room now. */
bool turn_flush_all(turn_core_t *self);
/* Notes the digest of the state as of this barrier. */
void turn_note_digest(turn_core_t *self, uint64_t seq);

/* ---- place_order.c: the saga and what venues report ---- */
extern const saga_type_t place_order_saga;
/* Position of each step in the table. */
enum { STEP_VALIDATE, STEP_RISK, STEP_CREATE, STEP_ROUTE, STEP_EXECUTE, STEP_PORTFOLIO, STEPS };
void place_order_start(turn_core_t *self, order_t *order);
void place_order_resume(turn_core_t *self, order_t *order);
/* An attempt definitely did not execute: the order is routed anew, after the backoff of so many failures, or at once for 0. A
 * saga must be left for it. */
void place_order_try_again(turn_core_t *self, order_t *order, uint32_t failures);
void place_order_on_verdict(turn_core_t *self, const zvt_risk_verdict_t *verdict);
void place_order_on_route(turn_core_t *self, const zvt_route_reply_t *reply);
/* The child ended before any venue saw it: the order is canceled. The caller ends its saga. */
void place_order_end_unseen(turn_core_t *self, order_t *order, uint8_t reason);
/* A committed intent may leave now: it is checked once more and sent. */
void place_order_send(turn_core_t *self, order_t *order, const zvt_order_send_t *send);
void place_order_cancel(turn_core_t *self, order_t *order, const char *requested_by, uint64_t incarnation, uint64_t sender_seq);
/* After reports or fills: lets the saga go on, flushes, answers waiting clients. */
void place_order_settle(turn_core_t *self, order_t *order);

/* ---- reports.c: what comes back from venues ---- */
void reports_on_report(turn_core_t *self, const zvt_report_t *report);
void reports_note_taken(reports_taken_t *taken, uint64_t venue_seq);
void reports_on_status(turn_core_t *self, const zvt_order_status_t *status);
void reports_on_cancel_result(turn_core_t *self, const zvt_cancel_result_t *result);
void reports_on_tip(turn_core_t *self, const zvt_reports_tip_t *tip);
/* Ends an order whose outcome an operator declares. */
void reports_resolve(turn_core_t *self, order_t *order, const char *requested_by, const char *reason, const char *request_id);
/* Cancels at its venue what has ended for us; nothing waits for the outcome. */
void reports_cancel_ended(turn_core_t *self, const char *exchange, const char *client_order_id);
/* Asks for the reports that are missing. */
void reports_ask_since(turn_core_t *self, int venue);
/* Takes a report that waited for the order's fills. */
void reports_take_held(turn_core_t *self, const zvt_report_t *report);
/* Asks the venue what became of the order's current child. */
void reports_query(turn_core_t *self, order_t *order);
/* The current child did not reach a venue and never will: as if one had refused it, with this code. */
void reports_refuse_unsent(turn_core_t *self, order_t *order, uint8_t code, const char *message);
void reports_query_all(turn_core_t *self, int venue);
void reports_chores(turn_core_t *self);
void reports_trouble_add(turn_core_t *self, order_t *order);
void reports_trouble_remove(turn_core_t *self, order_t *order);

/* ---- letters.c: reports that nobody can account for ---- */
/* Records that a report is put aside; `order` may be NULL, and then the caller has looked for room in the batch. */
void letters_put_aside(turn_core_t *self, order_t *order, const zvt_report_t *report, const char *step, uint8_t code,
                       const char *message);
/* Takes note of an appended or folded event about dead letters. */
void letters_note(turn_core_t *self, const zvt_event_t *header, const zvt_record_t *record);
/* The log accounts for this report now: it is no dead letter any more. */
void letters_note_handled(turn_core_t *self, const char *exchange, uint64_t venue_seq);
/* Whether a report that came again is to be worked on, because it is being retried; true once. */
bool letters_take(turn_core_t *self, const char *exchange, uint64_t venue_seq);
bool letters_wait(const turn_core_t *self);
void letters_chores(turn_core_t *self);
void letters_on_request(turn_core_t *self, const turn_client_t *client, const zvt_dead_letter_request_t *request);
void letters_on_query(turn_core_t *self, const turn_client_t *client, const zvt_dead_letters_query_t *query);

/* ---- recovery.c: from an open log to an open market ---- */
/* After turn_core_open: resumes orders, compares the reachable venues, records system.recovered when orders can pass. */
void recovery_begin(turn_core_t *self, int64_t recovery_ns);
/* A venue was compared, or went away: maybe orders can pass now. */
void recovery_check(turn_core_t *self);
/* The first event of a system saga; the caller has looked for room. */
void recovery_emit_started(turn_core_t *self, system_saga_t *saga, const char *name, const char *exchange, const char *reason);

/* ---- reconcile.c: venue accounts against the log ---- */
/* A venue is back, or a comparison is asked for: it gets no orders until its account has been compared. */
void reconcile_begin(turn_core_t *self, int venue, const char *reason);
/* Whether this venue gets orders; "": any. */
bool reconcile_is_open(const turn_core_t *self, const char *venue);
/* Lists the venues that may not be chosen. */
void reconcile_exclude(const turn_core_t *self, zvt_route_request_t *request);
void reconcile_on_report(turn_core_t *self, int venue);
void reconcile_on_order(turn_core_t *self, const zvt_account_order_t *row);
void reconcile_on_asset(turn_core_t *self, const zvt_account_asset_t *row);
void reconcile_on_snapshot(turn_core_t *self, const zvt_account_snapshot_t *snapshot);
void reconcile_on_request(turn_core_t *self, const turn_client_t *client, const zvt_reconcile_request_t *request);
bool reconcile_waits(const turn_core_t *self);
void reconcile_chores(turn_core_t *self);
/* Takes note of an appended or folded event that changes an account. */
void reconcile_note(turn_core_t *self, const zvt_record_t *record);

/* ---- notices.c: what the executor tells of itself ---- */
void notices_on_circuit(turn_core_t *self, const zvt_circuit_notice_t *notice);
/* An entry of the kill switch's journal: recorded once, noted to the executor when it is durable. */
void notices_on_kill(turn_core_t *self, const zvt_kill_notice_t *notice);
void notices_on_commit(turn_core_t *self);

/* ---- fills.c: fills on their way through portfolio ---- */
void fills_init(turn_core_t *self);
void fills_clear(turn_core_t *self);
void fills_destroy(turn_core_t *self);
void fills_add(turn_core_t *self, order_t *order, const zvt_report_t *report);
/* Whether the order's fills are not all recorded that this report, which ends it, counts in its cum_qty. */
bool fills_are_missing(const order_t *order, const zvt_report_t *report);
/* One of the order's fills has become a dead letter: what waits for all of them goes on. */
void fills_give_up(turn_core_t *self, order_t *order);
/* A fill of this position waits for portfolio. */
bool fills_change_position(const turn_core_t *self, const zvt_id_t *position_id);
/* Keeps the report that ends the order until its fills are through; then it is given to reports_take_held. */
void fills_hold(turn_core_t *self, order_t *order, const zvt_report_t *report);
void fills_on_applied(turn_core_t *self, const zvt_fill_applied_t *applied);
/* Records what was answered while there was no room, as far as there is room now. */
void fills_record_waiting(turn_core_t *self);
/* Portfolio has forgotten what it was asked. */
void fills_ask_all(turn_core_t *self);
void fills_chores(turn_core_t *self);

/* ---- lists.c: what clients ask for ---- */
void lists_on_orders_query(turn_core_t *self, const turn_client_t *client, const zvt_orders_query_t *query);
/* False, after telling the client so, while clients have had too many long lists, and while the core does not know what the log
 * holds: an empty list would be a lie. */
bool lists_allowed(turn_core_t *self, const turn_client_t *client);
/* Ends a list that was allowed: it looked at so many items. */
void lists_end(turn_core_t *self, const turn_client_t *client, uint32_t looked, const zvt_list_end_t *end);

/* ---- commands.c: signals, requests, waiting clients ---- */
void commands_on_signal(turn_core_t *self, const zvt_signal_t *signal);
void commands_on_signal_cancel(turn_core_t *self, const zvt_signal_cancel_t *cancel);
void commands_on_place(turn_core_t *self, const turn_client_t *client, const zvt_place_request_t *request);
void commands_on_cancel(turn_core_t *self, const turn_client_t *client, const zvt_cancel_request_t *request);
void commands_on_halt(turn_core_t *self, const turn_client_t *client, const zvt_halt_request_t *request);
void commands_on_barrier(turn_core_t *self, const turn_client_t *client, const zvt_barrier_request_t *request);
/* `what`, and why the log takes or tells nothing now. */
void commands_explain_log(const turn_core_t *self, const char *what, char message[ZVT_MESSAGE_SIZE]);
/* Refuses a command with LOG_UNAVAILABLE and the reason. */
void commands_refuse_without_log(turn_core_t *self, const turn_client_t *client);
/* Answers clients whose wait the order's state now meets. `force`: answer all of them with what is known. */
void commands_answer(turn_core_t *self, order_t *order, bool force);
void commands_chores(turn_core_t *self);
/* Events up to committed_seq are durable: answers those who halted the fleet. */
void commands_on_commit(turn_core_t *self);
/* Tells every waiting client that the log was lost. */
void commands_abandon(turn_core_t *self);
/* Answers a command of an operator's at once. */
void commands_reply(turn_core_t *self, const turn_client_t *client, bool success, uint8_t code, const char *message);
/* Records a command of an operator's and answers when it is durable; false (and answered) when it cannot be recorded. */
bool commands_record(turn_core_t *self, const turn_client_t *client, zvt_type_t type, const void *payload, const char *message);
/* Answers a cancel that did not work. */
void commands_cancel_failed(turn_core_t *self, order_t *order, uint8_t code, const char *message);

/* ---- operator.c: what people declare ---- */
void operator_on_resolve(turn_core_t *self, const turn_client_t *client, const zvt_resolve_request_t *request);
void operator_on_adjust(turn_core_t *self, const turn_client_t *client, const zvt_adjust_request_t *request);

#endif
