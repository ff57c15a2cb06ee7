/* Lists that clients ask for. One is made within a turn, and looks at every order that is remembered, so that what clients
 * may look at in a second is bounded: orders come before lists. */
#include <string.h>

#include "turn_world.h"
#include "zvt_stats.h"

enum { NONE = -1, LIST_DEFAULT = 1000, LIST_MAX = 10000 };

static void s_refuse(turn_core_t *self, const turn_client_t *client, const zvt_error_reply_t *reply)
{
    self->io.reply(self->io.arg, client, ZVT_T_ERROR_REPLY, reply);
    ZVT_COUNT("lists_refused");
}

bool lists_allowed(turn_core_t *self, const turn_client_t *client)
{
    zvt_error_reply_t reply = {.code = ZVT_CODE_LOG_UNAVAILABLE};
    if (!self->open) {
        commands_explain_log(self, "what rests at the venues still rests; kill and cancel work without the log", reply.message);
        s_refuse(self, client, &reply);
    } else if (zvt_budget_is_spent(&self->lists, self->monotonic_ns)) {
        reply.code = ZVT_CODE_OVERLOADED;
        ZVT_STR_SET(reply.message, ZVT_BUDGET_SPENT_TEXT);
        s_refuse(self, client, &reply);
        return false;
    }
    return self->open;
}

void lists_end(turn_core_t *self, const turn_client_t *client, uint32_t looked, const zvt_list_end_t *end)
{
    zvt_budget_spend(&self->lists, self->monotonic_ns, looked, end->count);
    self->io.reply(self->io.arg, client, ZVT_T_LIST_END, end);
}

static bool s_is_listed(const order_t *order, const zvt_orders_query_t *query)
{
    if (query->open_only && order_is_ended(order)) return false;
    if (query->unknown_only && order->state != ZVT_ORDER_STATE_UNKNOWN) return false;
    return query->strategy_id[0] == '\0' || strcmp(query->strategy_id, order->strategy_id) == 0;
}

static void s_reply_order(turn_core_t *self, const turn_client_t *client, const order_t *order)
{
    zvt_order_row_t row;
    order_fill_row(order, &row);
    self->io.reply(self->io.arg, client, ZVT_T_ORDER_ROW, &row);
}

/* The newest come first. */
static void s_list(turn_core_t *self, const turn_client_t *client, const zvt_orders_query_t *query)
{
    uint32_t limit = query->limit == 0 ? LIST_DEFAULT : query->limit > LIST_MAX ? LIST_MAX : query->limit, looked = 0;
    zvt_list_end_t end = {0};
    for (int32_t at = order_core_older(self->orders, NONE); at != NONE; at = order_core_older(self->orders, at)) {
        const order_t *order = order_core_at(self->orders, at);
        looked++;
        if (!s_is_listed(order, query)) continue;
        end.more = end.count == limit;
        if (end.more) break;
        s_reply_order(self, client, order);
        end.count++;
    }
    lists_end(self, client, looked, &end);
}

void lists_on_orders_query(turn_core_t *self, const turn_client_t *client, const zvt_orders_query_t *query)
{
    if (!lists_allowed(self, client)) return;
    if (zvt_id_is_none(&query->order_id)) {
        s_list(self, client, query);
        return;
    }
    const order_t *order = order_core_by_either(self->orders, &query->order_id);
    zvt_list_end_t end = {.count = order != NULL};
    if (order != NULL) s_reply_order(self, client, order);
    lists_end(self, client, 1, &end);
}
