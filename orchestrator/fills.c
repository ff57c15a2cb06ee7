/* Fills on their way through portfolio: the arithmetic is asked for first, then execution, position and completion
 * are recorded together. A fill waits here as long as it takes. */
#include <string.h>

#include "turn_world.h"
#include "zvt_fixed.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { NONE = -1 };
#define ASK_AGAIN_NS (1 * ZVT_SECOND_NS)
#define PUT_OFF_NS (50 * ZVT_MS_NS) /* until an answer that could not be used is asked for again */

static void s_ask(turn_core_t *self, const fill_t *fill, bool restart)
{
    const order_t *order = order_core_at(self->orders, fill->order);
    zvt_fill_apply_t apply = {.epoch = self->epoch, .min_seq = self->last_position_seq, .order_id = order->order_id,
                              .side = order->terms.side, .price_e8 = fill->report.price_e8,
                              .quantity_e8 = fill->report.quantity_e8, .commission_e8 = fill->report.commission_e8,
                              .restart = restart};
    ZVT_STR_SET(apply.exec_id, fill->report.exec_id);
    ZVT_STR_SET(apply.exchange, fill->report.exchange);
    ZVT_STR_SET(apply.portfolio_id, order->portfolio_id);
    ZVT_STR_SET(apply.strategy_id, order->strategy_id);
    ZVT_STR_SET(apply.symbol, order->terms.symbol);
    self->io.ask(self->io.arg, TURN_PORTFOLIO, ZVT_T_FILL_APPLY, &apply);
}

void fills_add(turn_core_t *self, order_t *order, const zvt_report_t *report)
{
    int32_t index = self->fills_free;
    ZVT_ASSERT(index != NONE); /* reports_on_report looked */
    fill_t *fill = &self->fills[index];
    self->fills_free = fill->next;
    self->fills_used++;
    fill->report = *report;
    fill->order = order->index;
    fill->next = NONE;
    fill->prev = self->fills_last;
    if (self->fills_last != NONE)
        self->fills[self->fills_last].next = index;
    else
        self->fills_first = index;
    self->fills_last = index;
    order->fills_pending++;
    if (self->fills_first == index) self->fills_asked_ns = self->monotonic_ns;
    s_ask(self, fill, false);
}

static bool s_same_position(const order_t *a, const order_t *b)
{
    return strcmp(a->terms.symbol, b->terms.symbol) == 0 && strcmp(a->strategy_id, b->strategy_id) == 0 &&
           strcmp(a->portfolio_id, b->portfolio_id) == 0;
}

/* Portfolio chains the fills of a position in the order they were asked, so they must be recorded in that order: an
 * answer whose predecessor's answer is missing counts for nothing, and both are asked for again. */
static bool s_is_next_of_position(turn_core_t *self, const fill_t *fill)
{
    const order_t *order = order_core_at(self->orders, fill->order);
    for (int32_t at = fill->prev; at != NONE; at = self->fills[at].prev)
        if (s_same_position(order, order_core_at(self->orders, self->fills[at].order))) return false;
    return true;
}

/* Some questions or answers may be lost, and the rest of a chain is then wrong: every chain is begun anew. */
void fills_ask_all(turn_core_t *self)
{
    self->fills_asked_ns = self->monotonic_ns;
    for (int32_t at = self->fills_first; at != NONE; at = self->fills[at].next)
        s_ask(self, &self->fills[at], s_is_next_of_position(self, &self->fills[at]));
}

void fills_chores(turn_core_t *self)
{
    if (self->fills_first != NONE && self->monotonic_ns - self->fills_asked_ns >= ASK_AGAIN_NS) fills_ask_all(self);
}

void fills_hold(turn_core_t *self, order_t *order, const zvt_report_t *report)
{
    int32_t index = self->fills_free;
    ZVT_ASSERT(index != NONE);
    self->fills_free = self->fills[index].next;
    self->fills_used++;
    self->fills[index].report = *report;
    order->held = index;
}

static void s_release_held(turn_core_t *self, order_t *order)
{
    int32_t index = order->held;
    if (index == NONE || order->fills_pending > 0) return;
    order->held = NONE;
    zvt_report_t report = self->fills[index].report;
    self->fills[index].next = self->fills_free;
    self->fills_free = index;
    self->fills_used--;
    reports_take_held(self, &report);
}

static fill_t *s_find(turn_core_t *self, const zvt_fill_applied_t *applied)
{
    for (int32_t at = self->fills_first; at != NONE; at = self->fills[at].next) {
        fill_t *fill = &self->fills[at];
        if (strcmp(fill->report.exec_id, applied->position.exec_id) == 0 &&
            strcmp(fill->report.exchange, applied->exchange) == 0)
            return fill;
    }
    return NULL;
}

static void s_remove(turn_core_t *self, fill_t *fill)
{
    int32_t index = (int32_t)(fill - self->fills);
    if (fill->prev != NONE)
        self->fills[fill->prev].next = fill->next;
    else
        self->fills_first = fill->next;
    if (fill->next != NONE)
        self->fills[fill->next].prev = fill->prev;
    else
        self->fills_last = fill->prev;
    fill->next = self->fills_free;
    self->fills_free = index;
    self->fills_used--;
}

static void s_emit_executed(turn_core_t *self, order_t *order, const zvt_report_t *report)
{
    zvt_order_executed_t event = {.order_id = order->order_id, .venue_seq = report->venue_seq, .side = order->terms.side,
                                  .executed_price_e8 = report->price_e8, .executed_quantity_e8 = report->quantity_e8,
                                  .commission_e8 = report->commission_e8, .is_maker = report->is_maker,
                                  .cum_qty_e8 = order->cum_qty_e8 + report->quantity_e8,
                                  .market_ts_ns = report->market_ts_ns};
    event.leaves_qty_e8 = order->terms.quantity_e8 - event.cum_qty_e8;
    if (zvt_fixed_mul(report->price_e8, report->quantity_e8, &event.notional_value_e8) != 0) ZVT_COUNT("notional_overflow");
    int64_t taken_ns = self->utc_ns - order->submitted_ns;
    event.execution_time_ms_e8 = taken_ns > 0 && order->submitted_ns != 0 ? taken_ns * (ZVT_E8 / ZVT_MS_NS) : 0;
    ZVT_STR_SET(event.exchange, report->exchange);
    ZVT_STR_SET(event.client_order_id, report->client_order_id);
    ZVT_STR_SET(event.exchange_order_id, report->exchange_order_id);
    ZVT_STR_SET(event.exec_id, report->exec_id);
    ZVT_STR_SET(event.symbol, order->terms.symbol);
    ZVT_STR_SET(event.commission_asset, report->commission_asset);
    turn_emit(self, order, ZVT_T_ORDER_EXECUTED, &event);
}

static void s_emit_completed(turn_core_t *self, order_t *order)
{
    zvt_order_completed_t event = {.order_id = order->order_id, .filled_quantity_e8 = order->cum_qty_e8,
                                   .avg_fill_price_e8 = order_average_price_e8(order), .commission_e8 = order->commission_e8};
    ZVT_STR_SET(event.exchange, order->exchange);
    ZVT_STR_SET(event.exchange_order_id, order->exchange_order_id);
    ZVT_STR_SET(event.commission_asset, order->commission_asset);
    turn_emit(self, order, ZVT_T_ORDER_COMPLETED, &event);
    ZVT_COUNT("orders_completed");
}

/* The answer must stand on what the position is when everything accepted so far counts. Portfolio may have lost a question
 * before this one, or begun anew without what is accepted and not in the log yet. */
static bool s_continues(turn_core_t *self, const zvt_position_updated_t *updated)
{
    uint32_t known = zvt_map_get(self->positions_by_id, &updated->position_id);
    int64_t quantity_e8 = known == ZVT_MAP_NONE ? 0 : self->positions[known].quantity_e8;
    int status = zvt_fixed_add(quantity_e8, updated->quantity_change_e8, &quantity_e8);
    return status == 0 && quantity_e8 == updated->new_quantity_e8;
}

/* Answers that will not change, however often the same fill is asked about. */
static const bool s_is_hopeless[UINT8_MAX + 1] = {
    [ZVT_CODE_MALFORMED] = true, [ZVT_CODE_BAD_ORDER] = true, [ZVT_CODE_BAD_QUANTITY] = true,
    [ZVT_CODE_BAD_PRICE] = true, [ZVT_CODE_NUMBER_OVERFLOW] = true,
};

/* A fill that portfolio cannot account for becomes a dead letter; the fills behind it go on. */
static void s_put_aside(turn_core_t *self, fill_t *fill, uint8_t code)
{
    order_t *order = order_core_at(self->orders, fill->order);
    char message[ZVT_MESSAGE_SIZE];
    snprintf(message, sizeof message, "portfolio cannot account for fill %.40s: %s", fill->report.exec_id, zvt_code_text(code));
    letters_put_aside(self, order, &fill->report, place_order_saga.steps[STEP_PORTFOLIO].name, code, message);
    s_remove(self, fill);
    order->fills_pending--;
    s_release_held(self, order);
    place_order_settle(self, order);
}

/* While both orders wait for room in a batch, all that one stages leaves before what the other has staged: a fill that
 * comes after the other's change of their position would be recorded before it. */
static bool s_would_overtake(turn_core_t *self, const order_t *order, const zvt_id_t *position_id)
{
    uint32_t known = zvt_map_get(self->positions_by_id, position_id);
    if (known == ZVT_MAP_NONE || !order->ready_listed) return false;
    const order_t *before = order_core_at(self->orders, self->positions[known].last_order);
    return before != NULL && before != order && before->used && before->ready_listed;
}

void fills_on_applied(turn_core_t *self, const zvt_fill_applied_t *applied)
{
    fill_t *fill = s_find(self, applied);
    if (fill == NULL || applied->incarnation != self->service_incarnation[TURN_PORTFOLIO]) {
        ZVT_COUNT("fills_applied_void");
        return;
    }
    if (s_is_hopeless[applied->code] && s_is_next_of_position(self, fill)) {
        s_put_aside(self, fill, applied->code);
        return;
    }
    bool usable = applied->code == ZVT_CODE_OK && s_is_next_of_position(self, fill) && s_continues(self, &applied->position);
    if (!usable || s_would_overtake(self, order_core_at(self->orders, fill->order), &applied->position.position_id)) {
        ZVT_COUNT("fills_put_off");
        self->fills_asked_ns = self->monotonic_ns - ASK_AGAIN_NS + PUT_OFF_NS;
        return;
    }
    position_t *position = turn_position(self, &applied->position.position_id);
    if (position == NULL) {
        ZVT_COUNT("positions_full");
        return;
    }
    order_t *order = order_core_at(self->orders, fill->order);
    /* Another order's change of this position comes before ours in the log, whatever that order still waits for. */
    order_t *before = order_core_at(self->orders, position->last_order);
    if (before != NULL && before != order && before->used) turn_flush(self, before);
    position->quantity_e8 = applied->position.new_quantity_e8;
    position->last_order = order->index;
    s_emit_executed(self, order, &fill->report);
    turn_emit_position(self, order, &applied->position);
    s_remove(self, fill);
    order->fills_pending--;
    if (order->cum_qty_e8 >= order->terms.quantity_e8 && order_core_allows(order, ZVT_T_ORDER_COMPLETED)) s_emit_completed(self, order);
    if (order_is_ended(order)) reports_trouble_remove(self, order);
    s_release_held(self, order);
    place_order_settle(self, order);
}
