/* order_entry -- the venue's order socket: orders in, answers out, the ledger between.
 *
 * Plumbing around account_core. What a round produced is gathered, made durable by one commit, and only then put on its
 * way; the fleet file's latency_ms delays each answer without blocking anything.
 *
 * Answers  go to whoever asked. Reports also go to the gateway that introduced itself last (a lower incarnation, as after a
 *          clock was set back, once the one before has been silent), which is where fills of resting orders go. With `faults` in the fleet file some of all that goes astray.
 * Bounds   the outbox; at its bound the oldest answers leave early ("latency_cut"), none is lost.
 * Errors   opening: a status with `problem`. A commit that fails ends the process with exit code 111: memory is then
 *          ahead of the ledger, nothing of it has left, and the restart rebuilds it. */
#ifndef VENUE_ORDER_ENTRY_H
#define VENUE_ORDER_ENTRY_H

#include "checkpoint.h"
#include "zvt_service.h"

typedef struct order_entry order_entry_t;

/* A gateway said hello; it has consumed `frames` messages of the feed in this incarnation of it. */
typedef void(order_entry_hello_fn)(void *arg, uint64_t incarnation, uint64_t frames);

typedef struct {
    zvt_service_t *service;
    uint32_t venue;          /* index in the fleet file */
    market_t market;
    checkpoint_paths_t paths;
    order_entry_hello_fn *on_gateway;
    void *arg;               /* of on_gateway */
} order_entry_config_t;

/* Binds the order socket, opens the ledger (begun with *header, whose origin is replaced by the ledger's), rebuilds the
 * account from its checkpoint and the rest of it and puts its open orders back into the market. */
ZVT_MUSTUSE int order_entry_new(order_entry_t **self, const order_entry_config_t *config, ledger_header_t *header,
                                char problem[ZVT_PROBLEM_SIZE]);
void order_entry_destroy(order_entry_t **self);

/* Whether new orders are taken, and why not. */
void order_entry_set_status(order_entry_t *self, const zvt_market_status_t *status);
/* The market's time from here on. */
void order_entry_set_market_ns(order_entry_t *self, int64_t market_ns);
/* A resting order executed in the market. */
void order_entry_on_rest_fill(order_entry_t *self, uint32_t slot, int64_t price_e8, int64_t quantity_e8);
/* Whether the ledger has room for whatever a step of the market may cause; without it the market has to stand still. */
bool order_entry_has_room(const order_entry_t *self);

/* Ends a round: commits, then sends what is due. False when the commit failed and the process is on its way out. */
bool order_entry_finish_round(order_entry_t *self);

const account_core_t *order_entry_account(const order_entry_t *self);
const ledger_t *order_entry_ledger(const order_entry_t *self);
/* The last report that the start took from the checkpoint; 0: it read the whole ledger. */
uint64_t order_entry_covered_seq(const order_entry_t *self);

#endif
