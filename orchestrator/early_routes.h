/* early_routes -- venues that were chosen while risk was still judging the order.
 *
 * Pure. Risk and route are asked together, because neither answer has an effect outside; the route is kept here until the
 * saga gets to it. A kept route is a moment old at the most: EARLY_ROUTE_FRESH_NS, after which its order asks anew.
 * Bounds   EARLY_ROUTES_MAX replies. One that finds no place is asked for again by its step: nothing is lost.
 * Owns     the replies; a pointer to one is valid until it is dropped. */
#ifndef EARLY_ROUTES_H
#define EARLY_ROUTES_H

#include "zvt_codec.h"
#include "zvt_pools.h"
#include "zvt_time.h"

enum { EARLY_ROUTES_MAX = ZVT_POOL(2048, 16), EARLY_ROUTE_NONE = -1 };
#define EARLY_ROUTE_FRESH_NS (50 * ZVT_MS_NS)

typedef struct early_routes early_routes_t;

early_routes_t *early_routes_new(void);
void early_routes_destroy(early_routes_t **self);
void early_routes_clear(early_routes_t *self);

/* Keeps a reply; EARLY_ROUTE_NONE when there is no place. */
int32_t early_routes_keep(early_routes_t *self, const zvt_route_reply_t *reply);
const zvt_route_reply_t *early_routes_at(const early_routes_t *self, int32_t index);
/* Gives the place back; EARLY_ROUTE_NONE is nothing. */
void early_routes_drop(early_routes_t *self, int32_t index);

#endif
