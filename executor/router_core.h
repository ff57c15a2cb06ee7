/* router_core -- chooses the venue for an order.
 *
 * Each venue is judged by the average price for the whole quantity from its book, fees included, by how much of the
 * order it can execute at once, by its recent latency and its recent failures. Venues that cannot take the order are
 * filtered out with a code; of the others the lowest score wins, and of equals the one that stands first in the fleet
 * file. Every factor goes into the answer's routing_metrics, the comparison into its routing_reason.
 *
 *   score = |price - best price| / best price                   price after fees, for the whole quantity
 *         + weight_latency * latency_ms + weight_failure * failure_rate     waiting for the venue's limits included
 *         + ROUTER_MISSING_*_E8 * share of the quantity that cannot execute at once
 *
 * Pure: the same calls give the same answers.
 * Units    *_e8: fixed point 1e-8; now_ns: monotonic nanoseconds.
 * Bounds   ZVT_VENUES_MAX venues, ZVT_INSTRUMENTS_MAX instruments, one quote and one book of each; a route walks at most
 *          one quote and ZVT_LIST_MAX_level levels a venue and allocates nothing.
 * Owns     everything inside; borrows the fleet until destroy.
 * Errors   nothing comes back to the caller: a request that cannot be routed is answered with its code. Market data of
 *          an instrument that is not in the fleet file is counted "unknown_symbol" and dropped. */
#ifndef EXECUTOR_ROUTER_CORE_H
#define EXECUTOR_ROUTER_CORE_H

#include "breaker_core.h"
#include "venue_health.h"
#include "zvt_config.h"
#include "zvt_fixed.h"

/* What a market or IOC order cannot execute at once is lost; what a resting order cannot, may still execute later. */
#define ROUTER_MISSING_LOST_E8 ZVT_E8
#define ROUTER_MISSING_RESTS_E8 (ZVT_E8 / 1000)

typedef struct router_core router_core_t;

router_core_t *router_core_new(const zvt_fleet_t *fleet);
void router_core_destroy(router_core_t **self);

/* Market data of a venue (its index in the fleet file), as its gateway publishes it or answers it when asked: what is
 * older than what is known is ignored. */
void router_core_on_quote(router_core_t *self, uint32_t venue, const zvt_price_updated_t *quote);
void router_core_on_book(router_core_t *self, uint32_t venue, const zvt_orderbook_updated_t *book);
void router_core_on_status(router_core_t *self, uint32_t venue, const zvt_market_status_t *status);
/* The gateway is a new run: its numbers begin anew, and what it published before says nothing any more. */
void router_core_forget_market(router_core_t *self, uint32_t venue);
/* Orders can, or cannot, reach the venue. A venue is unreachable until told otherwise. */
void router_core_on_reachable(router_core_t *self, uint32_t venue, bool reachable);

/* An order for the venue would wait so long for its limits; in_time is false when it would be refused for that. */
void router_core_on_wait(router_core_t *self, uint32_t venue, int64_t wait_ns, bool in_time);
/* Nothing is sent to any venue: every route is answered HALTED with this reason. NULL: routes are given again. */
void router_core_halt(router_core_t *self, const char *reason);

/* The venue's latency and failures, and its circuit breaker, for whoever measures them. */
venue_health_t *router_core_health(router_core_t *self, uint32_t venue);
breaker_t *router_core_breaker(router_core_t *self, uint32_t venue);

/* Fills the whole answer. A venue whose circuit is half-open gets the order as a probe, and is told so. */
void router_core_route(router_core_t *self, const zvt_route_request_t *request, int64_t now_ns, zvt_route_reply_t *reply);

#endif
