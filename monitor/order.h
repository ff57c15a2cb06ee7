/* order -- places and cancels orders, and prints what became of them. */
#ifndef MONITOR_ORDER_H
#define MONITOR_ORDER_H

#include "command.h"

/* The object that scripts rely on: success, order_id, exchange_order_id, message, filled_quantity, avg_fill_price,
 * commission, commission_asset, latency_ms, correlation_id; then state, code, exchange. The caller owns it. */
json_t *order_json(const zvt_place_reply_t *reply, const char *message);

/* What to tell about a reply: its own message, else what its state or code means. */
const char *order_message(const zvt_place_reply_t *reply);

/* The readable form. */
void order_print(FILE *out, const zvt_place_reply_t *reply, const char *message, bool colour);

#endif
