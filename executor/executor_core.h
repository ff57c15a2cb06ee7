/* executor_core -- passes orders to the gateways and reports to the orchestrator, and measures the venues on the way.
 *
 * Obeys the newest orchestrator only (fence), answers for a gateway that is not there, and tells the orchestrator how
 * far each venue's reports have gone, so that it can ask for those it missed. Retries and timeouts are the
 * orchestrator's business: what is sent here is sent once.
 *
 * Pure: the caller passes the time; effects leave through the out functions.
 * Units    *_ns: UTC nanoseconds for expiry, monotonic for latencies.
 * Bounds   EXECUTOR_IN_FLIGHT_MAX sends are measured at a time; one more is sent but not measured ("sends_unmeasured").
 * Owns     everything inside; borrows fleet and router until destroy.
 * Errors   nothing comes back to the caller: what is refused is answered, or counted (fenced, orders_expired,
 *          orders_unreachable, orders_refused, epoch_not_stored, sends_unanswered, venue_failures). */
#ifndef EXECUTOR_EXECUTOR_CORE_H
#define EXECUTOR_EXECUTOR_CORE_H

#include "router_core.h"
#include "zvt_pools.h"

enum { EXECUTOR_IN_FLIGHT_MAX = ZVT_POOL(16384, 256) };
/* A venue that has not answered a send by then has failed it. */
#define EXECUTOR_PATIENCE_NS ZVT_SECOND_NS

typedef struct {
    int64_t utc_ns;
    int64_t monotonic_ns;
} executor_now_t;

typedef struct {
    /* Makes the epoch durable before it is obeyed; 0, or an error that leaves the old one in force. */
    int (*store_epoch)(void *arg, uint64_t epoch);
    void (*to_gateway)(void *arg, uint32_t venue, zvt_type_t type, const void *record);
    void (*to_orchestrator)(void *arg, zvt_type_t type, const void *record);
    /* The epoch rose: all gateways are to hear it now. */
    void (*tell_gateways)(void *arg);
    /* The epoch that all gateways have stored changed: the orchestrator waits for it. */
    void (*tell_orchestrator)(void *arg);
    void *arg;
} executor_out_t;

typedef struct executor_core executor_core_t;

executor_core_t *executor_core_new(const zvt_fleet_t *fleet, router_core_t *router, const executor_out_t *out,
                                   uint64_t stored_epoch);
void executor_core_destroy(executor_core_t **self);

/* The orchestrator's hello. True: it is the writer we obey, and reports are to go to it. */
bool executor_core_on_hello(executor_core_t *self, const zvt_hello_t *hello);
/* Where every venue's reports stand, to the orchestrator. */
void executor_core_tell_tips(executor_core_t *self);
/* A request of the orchestrator; false for a type that is not the executor's. */
bool executor_core_on_request(executor_core_t *self, const zvt_record_t *record, executor_now_t now);

/* The link to a venue's gateway came up, is a new run, went down, or said hello again. */
void executor_core_on_gateway_up(executor_core_t *self, uint32_t venue, const zvt_hello_t *gateway);
void executor_core_on_gateway_down(executor_core_t *self, uint32_t venue);
void executor_core_on_gateway_hello(executor_core_t *self, uint32_t venue, const zvt_hello_t *gateway);
/* Anything else that the gateway sends. */
void executor_core_on_gateway_record(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now);

/* Counts the sends that were not answered in time. */
void executor_core_on_time(executor_core_t *self, executor_now_t now);

/* Highest epoch that is durable here. */
uint64_t executor_core_epoch(const executor_core_t *self);
/* The lowest epoch that all gateways with a link have stored; 0 without one. */
uint64_t executor_core_acknowledged_epoch(const executor_core_t *self);
/* Orders can reach the venue, as far as known. */
bool executor_core_reachable(const executor_core_t *self, uint32_t venue);
uint64_t executor_core_venue_seq(const executor_core_t *self, uint32_t venue);
uint32_t executor_core_in_flight(const executor_core_t *self);

#endif
