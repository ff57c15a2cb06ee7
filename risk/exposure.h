/* exposure -- positions, and the pending orders that may still change them.
 *
 * Durable part: the fold of the log. order.requested brings the terms, order.validated makes the reservation,
 * position.updated moves quantity from the order to the position in one step (so that between the two nothing is counted
 * twice or not at all), and the event that ends the order releases the rest.
 * Ephemeral part: provisional reservations, made for a verdict before its order.validated arrives, tagged with the
 * writer's epoch.
 *
 * Units    *_e8: base asset, fixed point 1e-8.
 * Bounds   EXPOSURE_ORDERS_MAX orders that have not ended, EXPOSURE_KEYS_MAX combinations of portfolio, strategy and symbol
 *          with an open position or a reservation; a closed position gives its place back. The questions about room keep a
 *          quarter of both for what the log still brings.
 * Owns     everything; allocates nothing after exposure_new.
 * Errors   ZVT_ERR_FULL where stated: the log holds more than the tables can, and the state would be wrong from there on. */
#ifndef EXPOSURE_H
#define EXPOSURE_H

#include <stdio.h>

#include "zvt_pools.h"
#include "zvt_schema.h"

enum { EXPOSURE_ORDERS_MAX = ZVT_POOL(131072, 1024), EXPOSURE_KEYS_MAX = ZVT_POSITIONS_MAX, EXPOSURE_ENDED_MAX = ZVT_POOL(65536, 512) };

/* What a position belongs to. Text is padded with NULs, as every decoded record is. */
typedef struct {
    char portfolio_id[ZVT_NAME_SIZE];
    char strategy_id[ZVT_NAME_SIZE];
    char symbol[ZVT_SYMBOL_SIZE];
} exposure_key_t;

/* Terms of an order, as far as they matter here. */
typedef struct {
    exposure_key_t key;
    uint8_t side;        /* ZVT_SIDE_*; an order without one reserves nothing */
    int64_t quantity_e8; /* reserves nothing unless positive */
} exposure_terms_t;

/* What an order was judged by, remembered so that the same question gets the same answer. */
typedef struct {
    zvt_validation_result_t result;
    int64_t risk_score_e8;
} exposure_verdict_t;

/* One order that has not ended. */
typedef struct {
    zvt_id_t order_id;
    exposure_terms_t terms;
    exposure_verdict_t verdict; /* valid while reserved */
    int64_t leaves_e8;          /* can still execute, never negative */
    uint64_t epoch;             /* of the provisional reservation */
    uint32_t key_index;         /* while reserved */
    bool requested;             /* durable: the log holds order.requested */
    bool validated;             /* durable: the log holds order.validated, which reserves */
    bool provisional;           /* ephemeral reservation */
} exposure_order_t;

/* Position of one key and what is reserved against it. */
typedef struct {
    int64_t position_e8;     /* committed, signed */
    __int128 pending_buy_e8; /* sums of leaves; wider than int64 so that they are always exact */
    __int128 pending_sell_e8;
} exposure_sum_t;

typedef struct {
    uint32_t orders;      /* that have not ended */
    uint32_t provisional; /* of them with a provisional reservation */
    uint32_t keys;
    uint64_t unmatched;   /* log events about an order that is not known, or known already */
} exposure_stats_t;

typedef struct exposure exposure_t;

exposure_t *exposure_new(void);
void exposure_destroy(exposure_t **self);

/* ---- questions ---- */
exposure_sum_t exposure_of(const exposure_t *self, const exposure_key_t *key);
/* The log ended this order, not more than EXPOSURE_ENDED_MAX ends ago: nothing may be reserved for it any more. */
bool exposure_has_ended(const exposure_t *self, const zvt_id_t *order_id);
/* NULL: not known, or ended. Valid until the next change. */
const exposure_order_t *exposure_order(const exposure_t *self, const zvt_id_t *order_id);
/* True while another order, and one of this key, can be taken without risking that the log outgrows the tables. */
bool exposure_has_room_for_order(const exposure_t *self);
bool exposure_has_room_for_key(const exposure_t *self, const exposure_key_t *key);
exposure_stats_t exposure_stats(const exposure_t *self);
/* Canonical text of the durable part: one line per position and order, sorted. Returns their number. */
uint32_t exposure_dump(const exposure_t *self, FILE *out);
/* Gives the durable part as payloads that, folded in this order, make it again: for each order order.requested,
 * order.validated, and a position.updated for what it has executed; then position.updated for each position. Which orders
 * have ended is not among it. */
typedef void(exposure_save_fn)(void *arg, zvt_type_t type, const void *payload);
void exposure_save(const exposure_t *self, exposure_save_fn *save, void *arg);

/* ---- provisional reservations ---- */
ZVT_MUSTUSE int exposure_reserve(exposure_t *self, const zvt_id_t *order_id, const exposure_terms_t *terms, uint64_t epoch,
                                 const exposure_verdict_t *verdict);
/* Drops the order's provisional reservation if it is of this epoch; true if there was one. */
bool exposure_release(exposure_t *self, const zvt_id_t *order_id, uint64_t epoch);
/* Drops all provisional reservations of older epochs and returns their number. */
uint32_t exposure_release_before(exposure_t *self, uint64_t epoch);

/* ---- the fold ---- */
ZVT_MUSTUSE int exposure_on_requested(exposure_t *self, const zvt_id_t *order_id, const exposure_terms_t *terms);
ZVT_MUSTUSE int exposure_on_validated(exposure_t *self, const zvt_id_t *order_id, const exposure_verdict_t *verdict);
ZVT_MUSTUSE int exposure_on_position(exposure_t *self, const zvt_position_updated_t *position);
void exposure_on_ended(exposure_t *self, const zvt_id_t *order_id);

#endif
