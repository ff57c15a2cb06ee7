/* What people declare when the log cannot know: the outcome of an order, a change of a position. */
#include <string.h>

#include "turn_world.h"
#include "zvt_fixed.h"
#include "zvt_stats.h"

/* An operator knows what we cannot find out: the order will not execute any more. What executed before stays, and what
 * the venue may still report is taken like any late report. */
void operator_on_resolve(turn_core_t *self, const turn_client_t *client, const zvt_resolve_request_t *request)
{
    order_t *order = order_core_by_either(self->orders, &request->order_id);
    if (!self->open) {
        commands_reply(self, client, false, ZVT_CODE_LOG_UNAVAILABLE, "the event log cannot be written now");
    } else if (order == NULL) {
        commands_reply(self, client, false, ZVT_CODE_UNKNOWN_ORDER, "not among the open and recent orders");
    } else if (order_is_ended(order)) {
        commands_reply(self, client, false, ZVT_CODE_ORDER_ENDED, zvt_order_state_text(order->state));
    } else if (order->state != ZVT_ORDER_STATE_UNKNOWN || order->fills_pending > 0) {
        commands_reply(self, client, false, ZVT_CODE_BAD_ORDER, "only an order whose outcome is unknown can be resolved by hand");
    } else {
        reports_resolve(self, order, request->requested_by, request->reason);
        effect_t effect = {.kind = EFFECT_REPLY, .type = ZVT_T_COMMAND_REPLY, .client = *client};
        effect.command_reply = (zvt_command_reply_t){.success = true, .code = ZVT_CODE_OK};
        ZVT_STR_SET(effect.command_reply.message, "resolved: it counts as canceled");
        turn_after(self, order, &effect);
    }
}

/* ---- adjust ---- */
/* OK, or what is wrong with the request. */
static uint8_t s_check_adjust(const turn_core_t *self, const zvt_adjust_request_t *request, const char **message)
{
    *message = "";
    if (!self->open) {
        *message = "the event log cannot be written now";
        return ZVT_CODE_LOG_UNAVAILABLE;
    }
    if (zvt_fleet_instrument(self->fleet, request->symbol) < 0) return ZVT_CODE_UNKNOWN_SYMBOL;
    if (request->exchange[0] != '\0' && zvt_fleet_venue(self->fleet, request->exchange) < 0) return ZVT_CODE_UNKNOWN_VENUE;
    if (request->quantity_change_e8 == 0) return ZVT_CODE_BAD_QUANTITY;
    if (request->price_e8 <= 0) return ZVT_CODE_BAD_PRICE;
    bool named = request->strategy_id[0] != '\0' && strchr(request->strategy_id, '|') == NULL && strchr(request->portfolio_id, '|') == NULL;
    *message = !named ? "it needs the name of a strategy" : request->reason[0] == '\0' ? "it needs a reason, for the log" : "";
    return (*message)[0] == '\0' ? ZVT_CODE_OK : ZVT_CODE_MALFORMED;
}

static int s_adjust(turn_core_t *self, zvt_position_adjusted_t *adjusted, const effect_t *effect)
{
    adjusted->position_id = turn_position_id(adjusted->portfolio_id, adjusted->strategy_id, adjusted->symbol);
    position_t *position = turn_position(self, &adjusted->position_id);
    if (position == NULL) return ZVT_ERR_FULL;
    int status = zvt_fixed_add(position->quantity_e8, adjusted->quantity_change_e8, &adjusted->new_quantity_e8);
    if (status != 0) return status;
    /* What is staged of an order that changed the position comes before it in the log. */
    order_t *before = order_core_at(self->orders, position->last_order);
    if (before != NULL && before->used) turn_flush(self, before);
    status = turn_emit_adjusted(self, adjusted, effect);
    if (status != 0) return status;
    position->quantity_e8 = adjusted->new_quantity_e8;
    position->last_order = ORDER_NONE;
    return 0;
}

void operator_on_adjust(turn_core_t *self, const turn_client_t *client, const zvt_adjust_request_t *request)
{
    const char *message;
    uint8_t code = s_check_adjust(self, request, &message);
    if (code != ZVT_CODE_OK) {
        commands_reply(self, client, false, code, message);
        return;
    }
    zvt_position_adjusted_t adjusted = {.quantity_change_e8 = request->quantity_change_e8, .price_e8 = request->price_e8};
    ZVT_STR_SET(adjusted.portfolio_id, request->portfolio_id[0] != '\0' ? request->portfolio_id : "main");
    ZVT_STR_SET(adjusted.strategy_id, request->strategy_id);
    ZVT_STR_SET(adjusted.symbol, request->symbol);
    ZVT_STR_SET(adjusted.exchange, request->exchange);
    ZVT_STR_SET(adjusted.requested_by, request->requested_by);
    ZVT_STR_SET(adjusted.reason, request->reason);
    effect_t effect = {.kind = EFFECT_REPLY, .type = ZVT_T_COMMAND_REPLY, .client = *client};
    effect.command_reply = (zvt_command_reply_t){.success = true, .code = ZVT_CODE_OK};
    ZVT_STR_SET(effect.command_reply.message, "the position is adjusted");
    int status = s_adjust(self, &adjusted, &effect);
    if (status == ZVT_ERR_OVERFLOW)
        commands_reply(self, client, false, ZVT_CODE_NUMBER_OVERFLOW, "the position would not fit fixed point");
    else if (status != 0)
        commands_reply(self, client, false, ZVT_CODE_OVERLOADED, "no room now; nothing was done, try again");
    else
        ZVT_COUNT("positions_adjusted");
}
