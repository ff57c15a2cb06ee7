/* executor_core -- passes orders to the gateways and reports to the orchestrator, and measures the venues on the way.
 *
 * Obeys the newest orchestrator only (fence), answers for a gateway that is not there, and tells the orchestrator how
 * far each venue's reports have gone, so that it can ask for those it missed. Retries and timeouts are the
 * orchestrator's business: what is sent here is sent once.
 *
 * An order whose intent is recorded may still be refused here, for good and before any venue sees it (a report with
 * venue_seq 0): while everything is halted, while the venue's circuit is open, or when the venue's limit per second
 * leaves no room for it in time. Otherwise it waits for the limit. Cancels, questions and requests for reports always
 * pass; cancels wait for their own limit.
 *
 * Pure: the caller passes the time; effects leave through the out functions.
 * Units    *_ns: UTC nanoseconds for expiry, monotonic for latencies.
 * Bounds   EXECUTOR_IN_FLIGHT_MAX sends are measured at a time; one more is sent but not measured ("sends_unmeasured").
 *          What waits for a venue's limits: see pacer_core.
 * Owns     everything inside; borrows fleet and router until destroy.
 * Errors   nothing comes back to the caller: what is refused is answered, or counted (fenced, orders_expired,
 *          orders_unreachable, orders_refused, orders_halted, orders_cut_off, orders_throttled, orders_paced,
 *          cancels_paced, cancels_throttled, circuits_opened, circuits_closed, epoch_not_stored, sends_unanswered,
 *          sends_fenced, venue_failures). */
#ifndef EXECUTOR_EXECUTOR_CORE_H
#define EXECUTOR_EXECUTOR_CORE_H

#include "pacer_core.h"
#include "router_core.h"
#include "zvt_pools.h"

enum { EXECUTOR_IN_FLIGHT_MAX = ZVT_POOL(16384, 256) };
/* A venue that has not answered a send by then has failed it. */
#define EXECUTOR_PATIENCE_NS ZVT_SECOND_NS
/* How often the circuits are told to the orchestrator again: a notice is sent once, and may be lost. */
#define EXECUTOR_CIRCUITS_NS ZVT_SECOND_NS

typedef pacer_now_t executor_now_t;

typedef struct {
    /* Makes the epoch durable before it is obeyed; 0, or an error: then nobody is obeyed until it can be stored. */
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
/* Where every venue's reports stand, and its circuit breaker, to an orchestrator that is new. */
void executor_core_tell_tips(executor_core_t *self);
void executor_core_tell_circuits(executor_core_t *self, executor_now_t now);
/* Chooses a venue: the router's answer, with what waits for each venue's limits taken into account. */
void executor_core_route(executor_core_t *self, const zvt_route_request_t *request, int64_t now_ns, zvt_route_reply_t *reply);
/* A request of the orchestrator; false for a type that is not the executor's. */
bool executor_core_on_request(executor_core_t *self, const zvt_record_t *record, executor_now_t now);

/* The link to a venue's gateway came up, is a new run, went down, or said hello again. */
void executor_core_on_gateway_up(executor_core_t *self, uint32_t venue, const zvt_hello_t *gateway, executor_now_t now);
void executor_core_on_gateway_down(executor_core_t *self, uint32_t venue, executor_now_t now);
void executor_core_on_gateway_hello(executor_core_t *self, uint32_t venue, const zvt_hello_t *gateway);
/* Anything else that the gateway sends. */
void executor_core_on_gateway_record(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now);

/* From here on every order is refused with HALTED and this reason, those that wait included. NULL: orders pass again. */
void executor_core_halt(executor_core_t *self, const char *reason);
/* Ends the orders that wait for a limit and whose ids equal this one in their first `length` bytes; returns how many. */
uint32_t executor_core_withdraw(executor_core_t *self, const char *client_order_id, size_t length);
/* Cancels a child order at a venue, under the highest epoch that anybody here knows. */
void executor_core_cancel(executor_core_t *self, uint32_t venue, const char *client_order_id, executor_now_t now);

/* Counts the sends that were not answered in time, tries open circuits and tells them again, sends what has waited long
 * enough. */
void executor_core_on_time(executor_core_t *self, executor_now_t now);
/* When something that waits for a limit may leave, monotonic; 0 when nothing waits. */
int64_t executor_core_next_ns(const executor_core_t *self, int64_t now_ns);

/* Highest epoch that is durable here. */
uint64_t executor_core_epoch(const executor_core_t *self);
/* The lowest epoch that all gateways with a link have stored; 0 without one. */
uint64_t executor_core_acknowledged_epoch(const executor_core_t *self);
/* Orders can reach the venue, as far as known. */
bool executor_core_reachable(const executor_core_t *self, uint32_t venue);
uint64_t executor_core_venue_seq(const executor_core_t *self, uint32_t venue);
uint32_t executor_core_in_flight(const executor_core_t *self);
const pacer_core_t *executor_core_pacer(const executor_core_t *self, uint32_t venue);

#endif
