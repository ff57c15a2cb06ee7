/* account_core -- the venue's one account: its orders, what became of them, its balances, and the numbers of its reports.
 *
 * Every change of state is a record: an order taken in, a report, a tombstone, an opening balance. Live, the core makes
 * the record, applies it and hands it to the sink, which writes it to the ledger before anything of it leaves. After a
 * restart the same records come back through account_core_replay, which applies them with the same function.
 *
 * Pure: opens nothing, reads no clock, allocates nothing after account_core_new.
 * Units    *_e8: fixed point 1e-8; now_ns: UTC; market_ns: the market's own time.
 * Bounds   ids_max client order ids are remembered. When they are used up, the ended order that ended first and whose
 *          expires_at has passed is forgotten; a late duplicate of it is refused as expired, so nothing executes
 *          twice. If none has expired, new orders are refused with VENUE_LIMIT. An order without expires_at counts as
 *          expired once it has ended. At most MARKET_SLOTS_MAX orders are open.
 * Policy   with enforce_limits in the fleet file, orders and cancels beyond the limit per second are refused with
 *          VENUE_LIMIT; an order sent again does not count. Self-trade prevention refuses the newer order as a whole (SELF_TRADE) when it would reach one of the
 *          account's own. FOK that cannot fill, and what is left of IOC and market orders, expires.
 * Owns     everything inside; borrows fleet, market and sink until destroy.
 * Errors   0, ZVT_ERR_CORRUPT, ZVT_ERR_NOT_FOUND, ZVT_ERR_FULL (replay only). */
#ifndef VENUE_ACCOUNT_CORE_H
#define VENUE_ACCOUNT_CORE_H

#include "balances_core.h"
#include "market.h"

typedef struct account_core account_core_t;

enum { ACCOUNT_IDS_MAX = 1000000 }; /* what a venue remembers */

/* Where results go; each is valid only during the call. */
typedef struct {
    /* To be recorded, before the reports that follow. */
    void (*on_order)(void *arg, const zvt_order_send_t *order);
    void (*on_tombstone)(void *arg, const zvt_order_query_t *query);
    void (*on_balance)(void *arg, const zvt_balance_t *opening);
    /* To be recorded (unless venue_seq is 0) and sent. */
    void (*on_report)(void *arg, const zvt_report_t *report);
    /* To be sent. */
    void (*on_cancel_result)(void *arg, const zvt_cancel_result_t *result);
    void (*on_status)(void *arg, const zvt_order_status_t *status);
    /* The recorded reports of this order are to be sent again: `count` of them, between the two numbers. */
    void (*on_resend)(void *arg, const char *client_order_id, uint64_t first_seq, uint64_t last_seq, uint32_t count);
    void *arg;
} account_sink_t;

typedef struct {
    const zvt_fleet_t *fleet;
    uint32_t venue;   /* index in the fleet file */
    uint32_t ids_max; /* client order ids remembered */
    market_t market;
    account_sink_t sink;
} account_config_t;

/* Aborts without memory (only called at start). */
account_core_t *account_core_new(const account_config_t *config);
void account_core_destroy(account_core_t **self);

/* ---- start: replay everything recorded, then open the balances still missing, then restore the book ---- */
ZVT_MUSTUSE int account_core_replay(account_core_t *self, const zvt_record_t *record, int64_t now_ns);
/* Records the fleet file's amount of each asset that has no recorded opening balance. */
void account_core_open_balances(account_core_t *self);
/* Puts the open orders back into the market. */
void account_core_restore(account_core_t *self);

/* ---- live ---- */
/* Whether new orders are taken; the message says why not and is borrowed. */
void account_core_set_open(account_core_t *self, bool open, const char *message);
/* Whether records can be written; without it nothing new is done and orders are refused with OVERLOADED. */
void account_core_set_writable(account_core_t *self, bool writable);
/* The time of what follows, for limits per second; on a clock that never goes back. */
void account_core_set_monotonic(account_core_t *self, int64_t now_ns);

void account_core_on_order(account_core_t *self, const zvt_order_send_t *order, int64_t now_ns, int64_t market_ns);
void account_core_on_cancel(account_core_t *self, const zvt_order_cancel_t *cancel, int64_t market_ns);
void account_core_on_query(account_core_t *self, const zvt_order_query_t *query, int64_t now_ns);
/* A resting order executed in the market. */
void account_core_on_fill(account_core_t *self, uint32_t slot, int64_t price_e8, int64_t quantity_e8, int64_t market_ns);

/* ---- looking ---- */
uint64_t account_core_venue_seq(const account_core_t *self);
uint32_t account_core_open_count(const account_core_t *self);
/* Client order ids that are remembered. */
uint32_t account_core_ids(const account_core_t *self);
/* Status of the next open order at or after *slot, which is moved past it; false at the end. */
bool account_core_next_open(const account_core_t *self, uint32_t *slot, zvt_order_status_t *status);
/* The n-th asset; false at the end. */
bool account_core_balance(const account_core_t *self, uint32_t n, zvt_balance_t *balance);
/* Index of an instrument by its fleet name or without the slash; -1 if there is none. */
int account_core_instrument(const account_core_t *self, const char *symbol, bool *slashed);

#endif
