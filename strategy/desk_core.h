/* desk_core -- all strategies of one process: who gets which quote, event and acknowledgement.
 *
 * Pure: time is passed in, signals leave through the output. Nothing is decided here; strategies decide.
 * Start    The desk folds the live log from the first event on, but calls no strategy until it knows what each one
 *          holds: the positions as portfolio lists them, the open orders as the orchestrator lists them.
 * Bounds   `strategies_max` strategies, DESK_MARKETS_MAX symbols, ZVT_VENUES_MAX venues,
 *          ZVT_STRATEGY_ORDERS_MAX open orders per strategy.
 * Owns     the strategies' cores; borrows the fleet's instruments. */
#ifndef DESK_CORE_H
#define DESK_CORE_H

#include "delivery_core.h"
#include "settings.h"
#include "strategy_core.h"

enum { DESK_MARKETS_MAX = ZVT_INSTRUMENTS_MAX };

typedef struct {
    int64_t utc_ns;
    int64_t monotonic_ns;
} desk_time_t;

/* What the desk counted since it started. */
typedef struct {
    uint64_t signals_sent;    /* first sends, cancels included */
    uint64_t signals_resent;
    uint64_t signals_acked;
    uint64_t signals_refused;
    uint64_t signals_expired; /* never answered */
    uint64_t signals_renamed; /* sent again in a new run, because the orchestrator knew one above theirs */
    uint64_t signals_full;    /* not taken: the delivery window is full */
    uint64_t market_updates;  /* quotes, trades and books taken */
    uint64_t market_quotes;   /* the quotes among them */
    uint64_t market_gaps;     /* updates of a symbol that are missing */
    uint64_t own_events;      /* events of the log that concern a strategy here */
    uint64_t orders_untracked; /* own orders beyond the bound of a strategy */
} desk_counts_t;

typedef struct {
    void (*send)(void *arg, zvt_type_t type, const void *record); /* a signal or a cancel */
    void (*log)(void *arg, const char *name, const char *text);
    void (*warn)(void *arg, const char *text); /* of the process itself; may be NULL */
    void *arg;
} desk_output_t;

typedef struct desk_core desk_core_t;

/* `seed` makes signal ids differ between processes. Aborts when there is no memory (only called at start). */
desk_core_t *desk_core_new(const char *sender, uint64_t incarnation, uint64_t seed, uint32_t strategies_max,
                           const desk_output_t *output);
void desk_core_destroy(desk_core_t **self);

/* Adds a strategy. ZVT_ERR_FULL (strategies, symbols), ZVT_ERR_EXISTS (its name), or settings_set's errors. */
ZVT_MUSTUSE int desk_core_add(desk_core_t *self, const zvt_strategy_t *strategy, const zvt_strategy_config_t *config,
                              const char *portfolio, const zvt_instrument_t *instrument, char problem[SETTINGS_PROBLEM_SIZE]);

/* ---- start ---- */
/* The rows of the positions' list; then its end. Ask for it only once portfolio has folded the log up to where the desk
 * began to: from there on the desk's own fold corrects a row that is older than an event. */
void desk_core_on_position_row(desk_core_t *self, const zvt_position_row_t *row);
void desk_core_on_positions_end(desk_core_t *self, desk_time_t now);
/* The open orders are about to be asked for, by *query: those of everybody, or, where these are too many for one answer, of one
 * strategy after the other. One question at a time. */
void desk_core_begin_orders(desk_core_t *self, zvt_orders_query_t *query);
void desk_core_on_order_row(desk_core_t *self, const zvt_order_row_t *row);
/* The list's end. False: the log changed a listed order meanwhile; begin and ask again. Else begin and ask on, unless the orders are
 * known now. */
ZVT_MUSTUSE bool desk_core_on_orders_end(desk_core_t *self, const zvt_list_end_t *end, desk_time_t now);
bool desk_core_knows_positions(const desk_core_t *self);
bool desk_core_knows_orders(const desk_core_t *self);
bool desk_core_started(const desk_core_t *self);

/* ---- while it runs ---- */
void desk_core_on_market(desk_core_t *self, const zvt_record_t *record, desk_time_t now);
void desk_core_on_event(desk_core_t *self, const zvt_event_t *event, desk_time_t now);
void desk_core_on_ack(desk_core_t *self, const zvt_signal_ack_t *ack, desk_time_t now);
/* The orchestrator is new or back. */
void desk_core_on_peer(desk_core_t *self, desk_time_t now);
void desk_core_on_time(desk_core_t *self, desk_time_t now);
/* When on_time has something to do next, monotonic; 0: nothing. */
int64_t desk_core_next_ns(const desk_core_t *self);

/* ---- looking in ---- */
uint32_t desk_core_count(const desk_core_t *self);
const strategy_core_t *desk_core_strategy(const desk_core_t *self, uint32_t index);
const char *desk_core_market(const desk_core_t *self, uint32_t index); /* n-th symbol; NULL past the last */
const desk_counts_t *desk_core_counts(const desk_core_t *self);

#endif
