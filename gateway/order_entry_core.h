/* order_entry_core -- what the gateway does with orders in and reports out.
 *
 * Orders go to the venue unless a newer orchestrator is known (fence), they have expired, or the venue is silent; then
 * they are refused with a report that has venue_seq 0. Reports go to the executor that spoke last. Answers to questions
 * go to whoever asked: the venue answers in the order it was asked, so questions wait in a FIFO until their answer.
 *
 * Pure: the caller passes the time; effects leave through the adapter and the out functions.
 * Units    *_ns: UTC nanoseconds for expiry, monotonic for the patience with questions.
 * Bounds   ORDER_ENTRY_ASKS_MAX questions wait; one more is answered OVERLOADED. A question waits for
 *          ORDER_ENTRY_PATIENCE_NS, then it is answered VENUE_UNREACHABLE.
 * Owns     everything inside; borrows the adapter until destroy.
 * Errors   nothing comes back to the caller: what is refused is answered, or counted (fenced, orders_expired,
 *          orders_unreachable, orders_refused, epoch_not_stored, asks_refused, asks_failed, answers_unasked,
 *          reports_unclaimed, requests_unknown). */
#ifndef GATEWAY_ORDER_ENTRY_CORE_H
#define GATEWAY_ORDER_ENTRY_CORE_H

#include "adapter.h"
#include "zvt_peer.h"
#include "zvt_pools.h"
#include "zvt_time.h"

enum { ORDER_ENTRY_ASKS_MAX = ZVT_POOL(4096, 256) };
#define ORDER_ENTRY_PATIENCE_NS (5 * ZVT_SECOND_NS)

typedef struct {
    int64_t utc_ns;
    int64_t monotonic_ns;
} order_entry_now_t;

typedef struct {
    /* Makes the epoch durable before it is obeyed; 0, or an error: then nobody is obeyed until it can be stored. */
    int (*store_epoch)(void *arg, uint64_t epoch);
    void (*send)(void *arg, const zvt_peer_t *peer, zvt_type_t type, const void *record);
    void *arg;
} order_entry_out_t;

typedef struct order_entry_core order_entry_core_t;

order_entry_core_t *order_entry_core_new(const char *venue, gateway_adapter_t *adapter, const order_entry_out_t *out,
                                         uint64_t stored_epoch);
void order_entry_core_destroy(order_entry_core_t **self);

/* A hello on the order-entry socket: the executor's peer and its epoch are noted. */
void order_entry_core_on_hello(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_hello_t *hello);
/* Any request of a peer; false for a type that order entry does not take. */
bool order_entry_core_on_request(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_record_t *record,
                                 order_entry_now_t now);

/* What the adapter tells: see gateway_adapter_events_t. */
void order_entry_core_on_up(order_entry_core_t *self, uint64_t incarnation, uint64_t venue_seq);
void order_entry_core_on_down(order_entry_core_t *self);
void order_entry_core_on_tip(order_entry_core_t *self, uint64_t venue_seq);
void order_entry_core_on_report(order_entry_core_t *self, const zvt_report_t *report);
void order_entry_core_on_cancel_result(order_entry_core_t *self, const zvt_cancel_result_t *result);
void order_entry_core_on_order_status(order_entry_core_t *self, const zvt_order_status_t *status);
void order_entry_core_on_reports_end(order_entry_core_t *self, const zvt_reports_tip_t *tip);
void order_entry_core_on_balance(order_entry_core_t *self, const zvt_balance_t *balance);
void order_entry_core_on_list_end(order_entry_core_t *self, const zvt_list_end_t *end);
void order_entry_core_on_account_order(order_entry_core_t *self, const zvt_account_order_t *row);
void order_entry_core_on_account_asset(order_entry_core_t *self, const zvt_account_asset_t *row);
void order_entry_core_on_account_snapshot(order_entry_core_t *self, const zvt_account_snapshot_t *end);

/* Once a second: answers questions that waited too long, and tells the executor again where reports stand, in case that
 * it was lost on the way. */
void order_entry_core_on_time(order_entry_core_t *self, order_entry_now_t now);

/* Highest epoch that is durable here, and the account's last report number that is known: both go into hellos. */
uint64_t order_entry_core_epoch(const order_entry_core_t *self);
uint64_t order_entry_core_venue_seq(const order_entry_core_t *self);
bool order_entry_core_venue_is_up(const order_entry_core_t *self);
uint32_t order_entry_core_asks(const order_entry_core_t *self);

#endif
