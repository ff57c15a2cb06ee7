/* zvt_quotes -- the best prices of every venue of the fleet, as they are published.
 *
 * Errors   a quote that the owner refuses is counted ("quotes_refused"). */
#ifndef ZVT_QUOTES_H
#define ZVT_QUOTES_H

#include "zvt_service.h"

typedef struct zvt_quotes zvt_quotes_t;

/* One quote; non-zero refuses it. now_ns is monotonic. */
typedef int(zvt_quotes_fn)(void *arg, const zvt_price_updated_t *quote, int64_t now_ns);

/* Subscribes to all venues of the fleet file. */
zvt_quotes_t *zvt_quotes_new(zvt_service_t *service, zvt_quotes_fn *on_quote, void *arg);
void zvt_quotes_destroy(zvt_quotes_t **self);

#endif
