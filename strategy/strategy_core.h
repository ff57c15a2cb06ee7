/* strategy_core -- one running strategy: its settings, its position, its open orders, and its callbacks.
 *
 * Pure: time is set by the caller before each call, signals leave through the output. This is the
 * zvt_strategy_context_t that callbacks see, in the tests as in the process.
 * Life     new -> folds rows and events without calling the strategy -> start -> calls it.
 * Bounds   ZVT_STRATEGY_ORDERS_MAX open orders; one more, of somebody else's making, is counted and not followed.
 * Owns     its copy of the configuration and the strategy's state; borrows strategy, instrument and id generator. */
#ifndef STRATEGY_CORE_H
#define STRATEGY_CORE_H

#include "zvt_strategy.h"

typedef zvt_strategy_context_t strategy_core_t;

typedef struct {
    /* Take a signal or a cancel for delivery; 0 or ZVT_ERR_FULL. `owner` is the configuration's. */
    int (*signal)(void *arg, uint32_t owner, const zvt_signal_t *signal, int64_t lifetime_ns);
    int (*cancel)(void *arg, uint32_t owner, const zvt_signal_cancel_t *cancel);
    /* From now on the log's events of this order concern the strategy; or no longer. */
    void (*follow)(void *arg, uint32_t owner, const zvt_id_t *order_id, bool on);
    void (*log)(void *arg, const char *name, const char *text);
    uint64_t *untracked; /* counts own orders that found no room */
    void *arg;
} strategy_output_t;

typedef struct {
    const zvt_strategy_t *strategy;
    const zvt_instrument_t *instrument;
    char name[ZVT_NAME_SIZE];      /* the strategy_id of its orders */
    char portfolio[ZVT_NAME_SIZE]; /* the portfolio_id of its orders */
    char venue[ZVT_VENUE_SIZE];    /* "" for any */
    uint32_t owner;                /* the caller's number of it */
    zvt_idgen_t *ids;              /* makes the signal ids */
} strategy_config_t;

/* Aborts when there is no memory (only called at start). The state holds the default settings. */
strategy_core_t *strategy_core_new(const strategy_config_t *config, const strategy_output_t *output);
void strategy_core_destroy(strategy_core_t **self);

const strategy_config_t *strategy_core_config(const strategy_core_t *self);
/* The strategy's block, for settings_set and for tests. */
void *strategy_core_state(strategy_core_t *self);
bool strategy_core_started(const strategy_core_t *self);

/* The time that the strategy sees from now on, UTC. */
void strategy_core_set_now(strategy_core_t *self, int64_t now_ns);
/* Position and open orders are known: calls on_start, then on_order for each open order. */
void strategy_core_start(strategy_core_t *self);

/* A position as of its last change, the event row->seq; older than what the log has told already: ignored. */
void strategy_core_on_position_row(strategy_core_t *self, const zvt_position_row_t *row);
/* An order that was open before this run. */
void strategy_core_on_order_row(strategy_core_t *self, const zvt_order_row_t *row);

/* Market data of its symbol; a venue that is not its own is ignored. */
void strategy_core_on_market(strategy_core_t *self, const zvt_record_t *record);

/* An event of the log with its payload read: an order.requested or position.updated of this strategy, or any event of
 * an order it follows. */
void strategy_core_on_order_event(strategy_core_t *self, const zvt_event_t *event, const zvt_record_t *payload);
/* Any event, for strategies with on_event. */
void strategy_core_on_event(strategy_core_t *self, const zvt_event_t *event);

/* A signal is durable; it became this order. */
void strategy_core_on_accepted(strategy_core_t *self, const zvt_id_t *signal_id, const zvt_id_t *order_id);
/* A signal will never become an order: refused before the log, or unanswered until it expired. */
void strategy_core_on_refused(strategy_core_t *self, const zvt_id_t *signal_id, uint8_t code, const char *message);
/* A cancel was refused or got no answer: the order works on. */
void strategy_core_on_cancel_refused(strategy_core_t *self, const zvt_signal_cancel_t *cancel, uint8_t code,
                                     const char *message);
void strategy_core_on_time(strategy_core_t *self);

#endif
