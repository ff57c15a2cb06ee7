/* What people declare when the log cannot know: the outcome of an order, a change of a position. */
#include <string.h>

#include "turn_world.h"
#include "zvt_fixed.h"
#include "zvt_stats.h"

/* Refuses what the log cannot take now; an earlier copy may be in it or on its way. */
static void s_refuse_without_log(turn_core_t *self, const turn_client_t *client, const char *request_id)
{
    char message[ZVT_MESSAGE_SIZE];
    if (request_id[0] == '\0') {
        commands_refuse_without_log(self, client);
        return;
    }
    commands_explain_log(self, "this was not taken; try again with the same request id", message);
    commands_reply(self, client, false, ZVT_CODE_LOG_UNAVAILABLE, message);
}

/* Whether the command is refused or answered without doing anything: the log stands still, or it was done before. The answer
 * to a copy waits until what was done is durable, as the first one's does. */
static bool s_is_settled(turn_core_t *self, const turn_client_t *client, const char *request_id, zvt_type_t type,
                         const zvt_id_t *subject, int64_t quantity_e8, int64_t price_e8)
{
    if (!self->open || turn_core_is_stalled(self)) {
        s_refuse_without_log(self, client, request_id);
        return true;
    }
    const zvt_saved_done_t *done = done_core_find(self->done, request_id);
    if (done == NULL) return false;
    if (!done_core_is_same(done, type, subject, quantity_e8, price_e8)) {
        commands_reply(self, client, false, ZVT_CODE_DUPLICATE, "this request id belongs to another command; use a new one");
        return true;
    }
    if (done->seq > self->committed_seq && !turn_has_room_for_command(self)) {
        commands_reply(self, client, false, ZVT_CODE_OVERLOADED, "no room now; try again with the same request id");
        return true;
    }
    effect_t effect = {.kind = EFFECT_REPLY, .type = ZVT_T_COMMAND_REPLY, .client = *client};
    effect.command_reply = (zvt_command_reply_t){.success = true, .code = ZVT_CODE_OK, .seq = done->seq};
    ZVT_STR_SET(effect.command_reply.message, "it was done before under this request id, and not again");
    turn_after_seq(self, done->seq, &effect);
    ZVT_COUNT("commands_repeated");
    return true;
}

/* An operator knows what we cannot find out: the order will not execute any more. What executed before stays, and what
 * the venue may still report is taken like any late report. */
void operator_on_resolve(turn_core_t *self, const turn_client_t *client, const zvt_resolve_request_t *request)
{
    order_t *order = order_core_by_either(self->orders, &request->order_id);
    const zvt_id_t *subject = order != NULL ? &order->order_id : &request->order_id;
    if (s_is_settled(self, client, request->request_id, ZVT_T_ORDER_RESOLVED, subject, 0, 0)) return;
    if (order == NULL) {
        commands_reply(self, client, false, ZVT_CODE_UNKNOWN_ORDER, "not among the open and recent orders");
    } else if (order_is_ended(order) && turn_is_durable(self, order)) {
        commands_reply(self, client, false, ZVT_CODE_ORDER_ENDED, zvt_order_state_text(order->state));
    } else if (order_is_ended(order)) {
        commands_reply(self, client, false, ZVT_CODE_OVERLOADED, "its end is not recorded yet; try again");
    } else if (order->state != ZVT_ORDER_STATE_UNKNOWN || order->fills_pending > 0) {
        commands_reply(self, client, false, ZVT_CODE_BAD_ORDER, "only an order whose outcome is unknown can be resolved by hand");
    } else if (!turn_has_room_for_command(self)) {
        commands_reply(self, client, false, ZVT_CODE_OVERLOADED, "no room now; nothing was done, try again");
    } else {
        reports_resolve(self, order, request->requested_by, request->reason, request->request_id);
        effect_t effect = {.kind = EFFECT_REPLY, .type = ZVT_T_COMMAND_REPLY, .client = *client};
        effect.command_reply = (zvt_command_reply_t){.success = true, .code = ZVT_CODE_OK};
        ZVT_STR_SET(effect.command_reply.message, "resolved: it counts as canceled");
        turn_after(self, order, &effect);
    }
}

/* ---- adjust ---- */
enum { WILD_FACTOR = 1000 };

static bool s_fits(const zvt_adjust_request_t *request)
{
    int64_t notional_e8;
    return zvt_fixed_mul(request->price_e8, request->quantity_change_e8, &notional_e8) == 0;
}

/* OK, or what is wrong with the request, in a sentence. */
static uint8_t s_check_adjust(const turn_core_t *self, const zvt_adjust_request_t *request, const char **message)
{
    bool venue = request->exchange[0] == '\0' || zvt_fleet_venue(self->fleet, request->exchange) >= 0;
    bool named = request->strategy_id[0] != '\0' && strchr(request->strategy_id, '|') == NULL && strchr(request->portfolio_id, '|') == NULL;
    const struct {
        bool wrong;
        uint8_t code;
        const char *message;
    } checks[] = {
        {zvt_fleet_instrument(self->fleet, request->symbol) < 0, ZVT_CODE_UNKNOWN_SYMBOL, "the fleet file has no such instrument"},
        {!venue, ZVT_CODE_UNKNOWN_VENUE, "the fleet file has no such venue"},
        {request->quantity_change_e8 == 0, ZVT_CODE_BAD_QUANTITY, "a change of nothing; give what is added, or with a minus what is taken away"},
        {request->price_e8 <= 0, ZVT_CODE_BAD_PRICE, "the change is valued at this price, so it must be above zero"},
        {!s_fits(request), ZVT_CODE_NUMBER_OVERFLOW, "quantity times price would not fit fixed point (92 billion)"},
        {!named, ZVT_CODE_MALFORMED, "it needs the name of a strategy"},
        {request->reason[0] == '\0', ZVT_CODE_MALFORMED, "it needs a reason, for the log"},
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        *message = checks[i].message;
        if (checks[i].wrong) return checks[i].code;
    }
    return ZVT_CODE_OK;
}

static uint64_t s_size(int64_t quantity_e8)
{
    return quantity_e8 < 0 ? -(uint64_t)quantity_e8 : (uint64_t)quantity_e8;
}

/* What an order could never come near to is a typing error; what is there already may always shrink. */
static bool s_is_wild(const turn_core_t *self, const char *symbol, int64_t before_e8, int64_t after_e8)
{
    const zvt_instrument_t *instrument = &self->fleet->instruments[zvt_fleet_instrument(self->fleet, symbol)];
    return s_size(after_e8) > s_size(before_e8) && s_size(after_e8) / WILD_FACTOR > (uint64_t)instrument->max_position_e8;
}

/* What the position becomes. ZVT_ERR_OVERFLOW, or ZVT_ERR_INVALID: no such position can be meant. */
static int s_compute(const turn_core_t *self, int64_t quantity_e8, zvt_position_adjusted_t *adjusted)
{
    int64_t value_e8;
    int status = zvt_fixed_add(quantity_e8, adjusted->quantity_change_e8, &adjusted->new_quantity_e8);
    if (status == 0) status = zvt_fixed_mul(adjusted->new_quantity_e8, adjusted->price_e8, &value_e8);
    if (status == 0 && s_is_wild(self, adjusted->symbol, quantity_e8, adjusted->new_quantity_e8)) status = ZVT_ERR_INVALID;
    return status;
}

/* The errors of s_compute; ZVT_ERR_FULL, no room now; ZVT_ERR_NOT_FOUND, and no room ever for a position that the log does not
 * have. Such a one is not made before the log gets it. */
static int s_adjust(turn_core_t *self, zvt_position_adjusted_t *adjusted, effect_t *effect)
{
    adjusted->position_id = zvt_id_of_position(adjusted->portfolio_id, adjusted->strategy_id, adjusted->symbol);
    uint32_t known = zvt_map_get(self->positions_by_id, &adjusted->position_id);
    position_t position = known == ZVT_MAP_NONE ? (position_t){.last_order = ORDER_NONE} : self->positions[known];
    int status = s_compute(self, position.quantity_e8, adjusted);
    if (status == 0 && known == ZVT_MAP_NONE && self->positions_count == POSITIONS_MAX) status = ZVT_ERR_NOT_FOUND;
    if (status != 0) return status;
    /* What has happened is recorded, also where an order could not have made it happen. */
    bool short_now = adjusted->new_quantity_e8 < 0 && !self->fleet->allow_short;
    ZVT_STR_SET(effect->command_reply.message,
                short_now ? "the position is adjusted, and negative: allow_short = no binds orders, not what has happened" : "the position is adjusted");
    /* What is staged of an order that changed the position comes before it in the log. */
    order_t *before = order_core_at(self->orders, position.last_order);
    if (before != NULL && before->used) turn_flush(self, before);
    status = turn_emit_adjusted(self, adjusted, effect);
    if (status != 0) return status;
    position_t *made = turn_position(self, &adjusted->position_id);
    made->quantity_e8 = adjusted->new_quantity_e8;
    made->last_order = ORDER_NONE;
    made->has_totals = false;
    return 0;
}

void operator_on_adjust(turn_core_t *self, const turn_client_t *client, const zvt_adjust_request_t *request)
{
    const char *message, *portfolio_id = request->portfolio_id[0] != '\0' ? request->portfolio_id : "main";
    zvt_id_t position_id = zvt_id_of_position(portfolio_id, request->strategy_id, request->symbol);
    if (s_is_settled(self, client, request->request_id, ZVT_T_POSITION_ADJUSTED, &position_id, request->quantity_change_e8, request->price_e8)) return;
    uint8_t code = s_check_adjust(self, request, &message);
    if (code != ZVT_CODE_OK) {
        commands_reply(self, client, false, code, message);
        return;
    }
    if (fills_change_position(self, &position_id)) {
        /* Portfolio may have answered already, without the adjustment. */
        commands_reply(self, client, false, ZVT_CODE_OVERLOADED, "a fill of this position is being accounted for; nothing was done, try again");
        return;
    }
    zvt_position_adjusted_t adjusted = {.quantity_change_e8 = request->quantity_change_e8, .price_e8 = request->price_e8};
    ZVT_STR_SET(adjusted.portfolio_id, portfolio_id);
    ZVT_STR_SET(adjusted.strategy_id, request->strategy_id);
    ZVT_STR_SET(adjusted.symbol, request->symbol);
    ZVT_STR_SET(adjusted.exchange, request->exchange);
    ZVT_STR_SET(adjusted.requested_by, request->requested_by);
    ZVT_STR_SET(adjusted.reason, request->reason);
    ZVT_STR_SET(adjusted.request_id, request->request_id);
    effect_t effect = {.kind = EFFECT_REPLY, .type = ZVT_T_COMMAND_REPLY, .client = *client};
    effect.command_reply = (zvt_command_reply_t){.success = true, .code = ZVT_CODE_OK};
    int status = s_adjust(self, &adjusted, &effect);
    if (status == ZVT_ERR_OVERFLOW)
        commands_reply(self, client, false, ZVT_CODE_NUMBER_OVERFLOW, "the position, or its value at this price, would not fit fixed point (92 billion)");
    else if (status == ZVT_ERR_INVALID)
        commands_reply(self, client, false, ZVT_CODE_BAD_QUANTITY, "the position would be over a thousand times max_position; is that a typing error?");
    else if (status == ZVT_ERR_NOT_FOUND)
        commands_reply(self, client, false, ZVT_CODE_POSITIONS_FULL, "the log has no room for another position; those that it has can be adjusted");
    else if (status != 0)
        commands_reply(self, client, false, ZVT_CODE_OVERLOADED, "no room now; nothing was done, try again");
    else
        ZVT_COUNT("positions_adjusted");
}
