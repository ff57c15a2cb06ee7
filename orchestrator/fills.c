/* Fills on their way through portfolio: the arithmetic is asked for first, then execution, position and completion
 * are recorded together. A fill waits here as long as it takes. */
#include <stdlib.h>
#include <string.h>

#include "turn_world.h"
#include "zvt_fixed.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { NONE = -1 };
#define ASK_AGAIN_NS (1 * ZVT_SECOND_NS)
#define PUT_OFF_NS (50 * ZVT_MS_NS) /* until an answer that could not be used is asked for again */

/* What names a fill: execution ids are unique per venue. */
typedef struct {
    char exchange[ZVT_VENUE_SIZE];
    char exec_id[ZVT_CLIENT_ORDER_SIZE];
} fill_key_t;

static fill_key_t s_key(const char *exchange, const char *exec_id)
{
    fill_key_t key;
    ZVT_STR_SET(key.exchange, exchange);
    ZVT_STR_SET(key.exec_id, exec_id);
    return key;
}

void fills_init(turn_core_t *self)
{
    self->fills = calloc(FILLS_MAX, sizeof *self->fills);
    ZVT_ASSERT(self->fills != NULL);
    self->fills_by_exec = zvt_map_new(sizeof(fill_key_t), FILLS_MAX);
    self->fills_by_position = zvt_map_new(sizeof(zvt_id_t), FILLS_MAX);
}

void fills_clear(turn_core_t *self)
{
    for (int32_t i = 0; i < FILLS_MAX; i++) self->fills[i].next = i + 1 < FILLS_MAX ? i + 1 : NONE;
    self->fills_free = 0;
    self->fills_first = self->fills_last = NONE;
    self->fills_waiting_first = self->fills_waiting_last = NONE;
    self->fills_put_off = false;
    self->fills_used = 0;
    zvt_map_clear(self->fills_by_exec);
    zvt_map_clear(self->fills_by_position);
}

void fills_destroy(turn_core_t *self)
{
    zvt_map_destroy(&self->fills_by_exec);
    zvt_map_destroy(&self->fills_by_position);
    free(self->fills);
}

/* With `restart`, portfolio answers from the log alone, which it has read as far as min_seq; without, from all it was asked. */
static void s_ask(turn_core_t *self, fill_t *fill, bool restart, uint64_t min_seq)
{
    fill->asked_ns = self->monotonic_ns;
    if (self->portfolio_waits) return; /* asked when it does not any more */
    const order_t *order = order_core_at(self->orders, fill->order);
    zvt_fill_apply_t apply = {.epoch = self->epoch, .min_seq = min_seq, .order_id = order->order_id,
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

/* Portfolio chains the fills of a position in the order they were asked, so they must be recorded in that order. */
static void s_chain(turn_core_t *self, int32_t index, const order_t *order)
{
    fill_t *fill = &self->fills[index];
    fill->position_id = zvt_id_of_position(order->portfolio_id, order->strategy_id, order->terms.symbol);
    uint32_t last = zvt_map_get(self->fills_by_position, &fill->position_id);
    fill->earlier = last == ZVT_MAP_NONE ? NONE : (int32_t)last;
    fill->later = NONE;
    if (fill->earlier != NONE) self->fills[fill->earlier].later = index;
    ZVT_ASSERT(zvt_map_put(self->fills_by_position, &fill->position_id, (uint32_t)index) == 0); /* as many as fills */
}

static void s_unchain(turn_core_t *self, const fill_t *fill)
{
    if (fill->earlier != NONE) self->fills[fill->earlier].later = fill->later;
    if (fill->later != NONE)
        self->fills[fill->later].earlier = fill->earlier;
    else if (fill->earlier != NONE)
        ZVT_ASSERT(zvt_map_put(self->fills_by_position, &fill->position_id, (uint32_t)fill->earlier) == 0);
    else
        (void)zvt_map_remove(self->fills_by_position, &fill->position_id);
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
    fill->answered = fill->waits = false;
    fill->next = NONE;
    fill->prev = self->fills_last;
    if (self->fills_last != NONE)
        self->fills[self->fills_last].next = index;
    else
        self->fills_first = index;
    self->fills_last = index;
    fill_key_t key = s_key(report->exchange, report->exec_id);
    ZVT_ASSERT(zvt_map_put(self->fills_by_exec, &key, (uint32_t)index) == 0);
    s_chain(self, index, order);
    order->fills_pending++;
    if (self->fills_first == index) {
        self->fills_asked_ns = self->monotonic_ns;
        self->fills_put_off = false;
    }
    s_ask(self, fill, false, turn_min_seq(self, TURN_PORTFOLIO));
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

bool fills_are_missing(const order_t *order, const zvt_report_t *report)
{
    return order->fills_pending > 0 || (report->cum_qty_e8 > order->cum_qty_e8 && !order->fill_aside);
}

static void s_release_held(turn_core_t *self, order_t *order)
{
    int32_t index = order->held;
    if (index == NONE || fills_are_missing(order, &self->fills[index].report)) return;
    order->held = NONE;
    zvt_report_t report = self->fills[index].report;
    self->fills[index].next = self->fills_free;
    self->fills_free = index;
    self->fills_used--;
    reports_take_held(self, &report);
}

void fills_give_up(turn_core_t *self, order_t *order)
{
    ZVT_ASSERT(order->fill_aside);
    s_release_held(self, order);
}

bool fills_change_position(const turn_core_t *self, const zvt_id_t *position_id)
{
    return zvt_map_get(self->fills_by_position, position_id) != ZVT_MAP_NONE;
}

static fill_t *s_find(turn_core_t *self, const zvt_fill_applied_t *applied)
{
    fill_key_t key = s_key(applied->exchange, applied->position.exec_id);
    uint32_t index = zvt_map_get(self->fills_by_exec, &key);
    return index == ZVT_MAP_NONE ? NULL : &self->fills[index];
}

/* ---- fills that wait for room ---- */
static void s_wait_for_room(turn_core_t *self, fill_t *fill, const zvt_position_updated_t *updated)
{
    int32_t index = (int32_t)(fill - self->fills);
    fill->answered = true;
    fill->answer = *updated;
    if (fill->waits) return;
    fill->waits = true;
    fill->wait_next = NONE;
    fill->wait_prev = self->fills_waiting_last;
    if (self->fills_waiting_last != NONE)
        self->fills[self->fills_waiting_last].wait_next = index;
    else
        self->fills_waiting_first = index;
    self->fills_waiting_last = index;
    ZVT_COUNT("fills_without_room");
}

static void s_stop_waiting(turn_core_t *self, fill_t *fill)
{
    if (!fill->waits) return;
    fill->waits = fill->answered = false;
    if (fill->wait_prev != NONE)
        self->fills[fill->wait_prev].wait_next = fill->wait_next;
    else
        self->fills_waiting_first = fill->wait_next;
    if (fill->wait_next != NONE)
        self->fills[fill->wait_next].wait_prev = fill->wait_prev;
    else
        self->fills_waiting_last = fill->wait_prev;
}

/* ---- asking again ---- */
/* Waits for something else than portfolio: for room, or its answer is kept until the fills before it are recorded. */
static bool s_is_kept(const fill_t *fill)
{
    return fill->waits || (fill->answered && fill->earlier != NONE);
}

void fills_ask_all(turn_core_t *self)
{
    self->fills_asked_ns = self->monotonic_ns;
    self->fills_put_off = false;
    for (int32_t at = self->fills_first; at != NONE; at = self->fills[at].next) {
        fill_t *fill = &self->fills[at];
        s_stop_waiting(self, fill);
        fill->answered = false;
        s_ask(self, fill, fill->earlier == NONE, turn_min_seq(self, TURN_PORTFOLIO));
    }
}

/* Whether all changes of the position that are recorded have a seq, which portfolio can be told to read; up to which. */
static bool s_base_has_seq(turn_core_t *self, const zvt_id_t *position_id, uint64_t *seq)
{
    uint32_t known = zvt_map_get(self->positions_by_id, position_id);
    *seq = turn_min_seq(self, TURN_PORTFOLIO);
    if (known == ZVT_MAP_NONE) return true;
    const position_t *position = &self->positions[known];
    order_t *before = order_core_at(self->orders, position->last_order);
    bool by_order = before != NULL && before->used;
    if (by_order) turn_flush(self, before);
    if (position->last_seq > *seq) *seq = position->last_seq;
    return !by_order || before->staged_first == ORDER_NONE;
}

/* Somebody in the chain has waited for an answer for so long that the question may be lost, or had one that could not be used. */
static bool s_is_due(const turn_core_t *self, const fill_t *head)
{
    for (int32_t at = (int32_t)(head - self->fills); at != NONE; at = self->fills[at].later)
        if (!s_is_kept(&self->fills[at]) && self->monotonic_ns - self->fills[at].asked_ns >= ASK_AGAIN_NS) return true;
    return false;
}

/* A chain is begun anew, because with a question lost the rest of it is wrong, unless that would leave out what is only staged. What is
 * answered and waits for room stays as it is: nothing changes the position before it, but what is behind it may be lost. */
static void s_ask_chain_again(turn_core_t *self, fill_t *head)
{
    if (!s_is_due(self, head)) return;
    uint64_t seq = 0;
    bool restart = !head->waits && s_base_has_seq(self, &head->position_id, &seq);
    if (!restart) seq = turn_min_seq(self, TURN_PORTFOLIO);
    for (int32_t at = (int32_t)(head - self->fills); at != NONE; at = self->fills[at].later) {
        fill_t *fill = &self->fills[at];
        if (!restart && s_is_kept(fill)) continue;
        fill->answered = false;
        s_ask(self, fill, restart && fill == head, seq);
    }
}

/* When the fill that waits for portfolio for longest was asked about; now, if none does. */
static int64_t s_asked_first_ns(const turn_core_t *self)
{
    int64_t first_ns = self->monotonic_ns;
    for (int32_t at = self->fills_first; at != NONE; at = self->fills[at].next)
        if (!s_is_kept(&self->fills[at]) && self->fills[at].asked_ns < first_ns) first_ns = self->fills[at].asked_ns;
    return first_ns;
}

static void s_ask_again(turn_core_t *self)
{
    self->fills_put_off = false;
    for (int32_t at = self->fills_first; at != NONE; at = self->fills[at].next)
        if (self->fills[at].earlier == NONE) s_ask_chain_again(self, &self->fills[at]);
    self->fills_asked_ns = s_asked_first_ns(self);
}

void fills_chores(turn_core_t *self)
{
    if (self->fills_first == NONE || self->monotonic_ns - self->fills_asked_ns < ASK_AGAIN_NS) return;
    if (!self->fills_put_off) self->fills_asked_ns = s_asked_first_ns(self);
    if (self->monotonic_ns - self->fills_asked_ns >= ASK_AGAIN_NS) s_ask_again(self);
}

static void s_remove(turn_core_t *self, fill_t *fill)
{
    s_stop_waiting(self, fill);
    int32_t index = (int32_t)(fill - self->fills);
    if (fill->prev != NONE)
        self->fills[fill->prev].next = fill->next;
    else
        self->fills_first = fill->next;
    if (fill->next != NONE)
        self->fills[fill->next].prev = fill->prev;
    else
        self->fills_last = fill->prev;
    fill_key_t key = s_key(fill->report.exchange, fill->report.exec_id);
    (void)zvt_map_remove(self->fills_by_exec, &key);
    s_unchain(self, fill);
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

static bool s_adds_up(int64_t before_e8, int64_t change_e8, int64_t after_e8)
{
    int64_t sum_e8;
    return zvt_fixed_add(before_e8, change_e8, &sum_e8) == 0 && sum_e8 == after_e8;
}

/* The answer must stand on what the position is when everything accepted so far counts. Portfolio may have lost a question
 * before this one, or begun anew without what is accepted and not in the log yet, whose quantities may add up to nothing. */
static bool s_continues(turn_core_t *self, const fill_t *fill, const zvt_position_updated_t *updated)
{
    uint32_t known = zvt_map_get(self->positions_by_id, &updated->position_id);
    if (known == ZVT_MAP_NONE) return updated->quantity_change_e8 == updated->new_quantity_e8;
    const position_t *position = &self->positions[known];
    if (!s_adds_up(position->quantity_e8, updated->quantity_change_e8, updated->new_quantity_e8)) return false;
    return !position->has_totals || (s_adds_up(position->realized_pnl_total_e8, updated->realized_pnl_e8, updated->realized_pnl_total_e8) &&
                                     s_adds_up(position->commission_total_e8, fill->report.commission_e8, updated->commission_total_e8));
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
    fills_give_up(self, order);
    place_order_settle(self, order);
}

/* While this order waits for room in a batch, all that it stages leaves before what another order stages later or waits with
 * behind it: a fill that comes after the other's change of their position would be recorded before that. */
static bool s_would_overtake(turn_core_t *self, const order_t *order, const zvt_id_t *position_id)
{
    uint32_t known = zvt_map_get(self->positions_by_id, position_id);
    if (known == ZVT_MAP_NONE || !order->ready_listed) return false;
    const order_t *before = order_core_at(self->orders, self->positions[known].last_order);
    return before != NULL && before != order && before->used && before->staged_first != ORDER_NONE;
}

/* It is asked about again a moment later, with others that were put off. */
static void s_put_off(turn_core_t *self, fill_t *fill)
{
    ZVT_COUNT("fills_put_off");
    if (!self->fills_put_off) self->fills_asked_ns = self->monotonic_ns - ASK_AGAIN_NS + PUT_OFF_NS;
    self->fills_put_off = true;
    fill->asked_ns = self->fills_asked_ns;
}

/* Records a fill with what portfolio makes of it; false when the answer cannot be used, or not yet. */
static bool s_record(turn_core_t *self, fill_t *fill, const zvt_position_updated_t *updated)
{
    order_t *order = order_core_at(self->orders, fill->order);
    if (!s_continues(self, fill, updated)) {
        s_put_off(self, fill);
        return false;
    }
    if (s_would_overtake(self, order, &updated->position_id)) {
        s_wait_for_room(self, fill, updated);
        return false;
    }
    position_t *position = turn_position(self, &updated->position_id);
    if (position == NULL) {
        ZVT_COUNT("positions_full");
        return false;
    }
    /* Another order's change of this position comes before ours in the log, whatever that order still waits for. */
    order_t *before = order_core_at(self->orders, position->last_order);
    if (before != NULL && before != order && before->used) turn_flush(self, before);
    position->quantity_e8 = updated->new_quantity_e8;
    position->realized_pnl_total_e8 = updated->realized_pnl_total_e8;
    position->commission_total_e8 = updated->commission_total_e8;
    position->has_totals = true;
    position->last_order = order->index;
    s_emit_executed(self, order, &fill->report);
    turn_emit_position(self, order, updated);
    s_remove(self, fill);
    order->fills_pending--;
    if (order->cum_qty_e8 >= order->terms.quantity_e8 && order_core_allows(order, ZVT_T_ORDER_COMPLETED)) s_emit_completed(self, order);
    if (order_is_ended(order)) reports_trouble_remove(self, order);
    s_release_held(self, order);
    place_order_settle(self, order);
    return true;
}

/* Records a fill, and those behind it whose answers came too early. */
static void s_record_chain(turn_core_t *self, fill_t *fill, const zvt_position_updated_t *updated)
{
    zvt_id_t position_id = fill->position_id;
    int32_t later = fill->later;
    while (s_record(self, fill, updated) && later != NONE) {
        fill = &self->fills[later];
        /* Settling the order may have brought new fills, or taken some away. */
        bool next = fill->answered && fill->earlier == NONE && zvt_id_equal(&fill->position_id, &position_id);
        if (!next) return;
        static zvt_position_updated_t answer; /* the fill's own place may be given away meanwhile */
        answer = fill->answer;
        updated = &answer;
        later = fill->later;
    }
}

/* In the sequence of the answers: the first waits for orders that wait for room, and those leave in theirs. */
void fills_record_waiting(turn_core_t *self)
{
    while (self->fills_waiting_first != NONE) {
        fill_t *fill = &self->fills[self->fills_waiting_first];
        if (fill->answered && s_would_overtake(self, order_core_at(self->orders, fill->order), &fill->answer.position_id)) return;
        bool answered = fill->answered; /* or asked about again meanwhile */
        static zvt_position_updated_t answer;
        answer = fill->answer;
        s_stop_waiting(self, fill);
        if (answered) s_record_chain(self, fill, &answer);
    }
}

void fills_on_applied(turn_core_t *self, const zvt_fill_applied_t *applied)
{
    fill_t *fill = s_find(self, applied);
    if (fill == NULL || self->portfolio_waits || applied->incarnation != self->service_incarnation[TURN_PORTFOLIO]) {
        ZVT_COUNT("fills_applied_void");
        return;
    }
    bool first = fill->earlier == NONE;
    if (s_is_hopeless[applied->code] && first) {
        s_put_aside(self, fill, applied->code);
    } else if (applied->code != ZVT_CODE_OK) {
        s_put_off(self, fill);
    } else if (!first) {
        fill->answered = true;
        fill->answer = applied->position;
    } else {
        s_record_chain(self, fill, &applied->position);
    }
}
