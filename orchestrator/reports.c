/* What comes back from venues: execution reports by their gap-free numbers, answers about doubtful orders, tips. */
#include <inttypes.h>
#include <string.h>

#include "turn_world.h"
#include "zvt_fixed.h"
#include "zvt_planted.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { NONE = -1, REPORTS_LIMIT = 1000, ATTEMPTS_MAX = 3, LETTER_EVENTS = 2 };
#define GAP_PATIENCE_NS (20 * ZVT_MS_NS)   /* reports may overtake each other a little, and an answer is under way while it brings some */
#define ASK_FIRST_NS (100 * ZVT_MS_NS)     /* between two reports.since for one venue, doubling until one is answered */
#define ASK_LAST_NS (400 * ZVT_MS_NS)
#define BACKOFF_FIRST_NS (250 * ZVT_MS_NS) /* between two questions about one order, doubling */
#define BACKOFF_LAST_NS (2 * ZVT_SECOND_NS)

/* ---- doubtful orders ---- */
void reports_trouble_add(turn_core_t *self, order_t *order)
{
    if (order->trouble_listed) return;
    order->trouble_listed = true;
    order->ask_again_ns = self->monotonic_ns + zvt_rng_pause_ns(&self->pauses, BACKOFF_FIRST_NS);
    order->ask_backoff_ns = BACKOFF_FIRST_NS;
    order->trouble_next = NONE;
    order->trouble_prev = self->trouble_last;
    if (self->trouble_last != NONE)
        order_core_at(self->orders, self->trouble_last)->trouble_next = order->index;
    else
        self->trouble_first = order->index;
    self->trouble_last = order->index;
}

void reports_trouble_remove(turn_core_t *self, order_t *order)
{
    if (!order->trouble_listed) return;
    order->trouble_listed = false;
    if (order->trouble_prev != NONE)
        order_core_at(self->orders, order->trouble_prev)->trouble_next = order->trouble_next;
    else
        self->trouble_first = order->trouble_next;
    if (order->trouble_next != NONE)
        order_core_at(self->orders, order->trouble_next)->trouble_prev = order->trouble_prev;
    else
        self->trouble_last = order->trouble_prev;
}

static bool s_is_doubtful(const order_t *order)
{
    bool undecided = order->state == ZVT_ORDER_STATE_SUBMITTED || order->state == ZVT_ORDER_STATE_UNKNOWN;
    return order->querying && undecided;
}

static void s_ask_venue(turn_core_t *self, order_t *order)
{
    if (order->cancel_pending) {
        zvt_order_cancel_t cancel = {.epoch = self->epoch};
        ZVT_STR_SET(cancel.client_order_id, order->client_order_id);
        ZVT_STR_SET(cancel.exchange, order->exchange);
        self->io.ask(self->io.arg, TURN_EXECUTOR, ZVT_T_ORDER_CANCEL, &cancel);
    }
    int venue = zvt_fleet_venue(self->fleet, order->exchange);
    if (!s_is_doubtful(order) || venue < 0) return;
    order->asked_tip = self->venues[venue].tip;
    zvt_order_query_t query = {.tombstone = true, .epoch = self->epoch};
    ZVT_STR_SET(query.client_order_id, order->client_order_id);
    ZVT_STR_SET(query.exchange, order->exchange);
    self->io.ask(self->io.arg, TURN_EXECUTOR, ZVT_T_ORDER_QUERY, &query);
    ZVT_COUNT("orders_queried");
}

void reports_query(turn_core_t *self, order_t *order)
{
    bool undecided = order->state == ZVT_ORDER_STATE_SUBMITTED || order->state == ZVT_ORDER_STATE_UNKNOWN;
    if (!undecided) return;
    order->querying = true;
    reports_trouble_add(self, order);
    s_ask_venue(self, order);
}

/* A connection in the chain to the venue broke or came back: whatever was under way may be lost. */
void reports_query_all(turn_core_t *self, int venue)
{
    for (int32_t at = order_core_older(self->orders, NONE); at != NONE; at = order_core_older(self->orders, at)) {
        order_t *order = order_core_at(self->orders, at);
        bool here = venue < 0 || strcmp(order->exchange, self->fleet->venues[venue].name) == 0;
        if (!here || !turn_is_durable(self, order)) continue;
        if (order->state == ZVT_ORDER_STATE_SUBMITTED || order->state == ZVT_ORDER_STATE_UNKNOWN) reports_query(self, order);
    }
}

static void s_record_unknown(turn_core_t *self, order_t *order, uint8_t reason)
{
    if (!order_core_allows(order, ZVT_T_ORDER_UNKNOWN)) return;
    zvt_order_unknown_t event = {.order_id = order->order_id, .reason = reason};
    ZVT_STR_SET(event.exchange, order->exchange);
    ZVT_STR_SET(event.client_order_id, order->client_order_id);
    turn_emit(self, order, ZVT_T_ORDER_UNKNOWN, &event);
    turn_flush(self, order);
    ZVT_COUNT("orders_unknown");
}

static void s_ask_again(turn_core_t *self, order_t *order)
{
    bool undecided = order->state == ZVT_ORDER_STATE_SUBMITTED || order->state == ZVT_ORDER_STATE_UNKNOWN;
    if (undecided) order->querying = true;
    if (!undecided && !order->cancel_pending) {
        reports_trouble_remove(self, order);
        return;
    }
    /* Two unanswered questions, and the outcome counts as unknown; that is recorded when there is room. */
    bool unanswered = order->ask_backoff_ns > BACKOFF_FIRST_NS;
    if (unanswered && turn_has_room_for_report(self, order)) s_record_unknown(self, order, ZVT_CODE_SERVICE_TIMEOUT);
    s_ask_venue(self, order);
    order->ask_again_ns = self->monotonic_ns + zvt_rng_pause_ns(&self->pauses, order->ask_backoff_ns);
    if (order->ask_backoff_ns < BACKOFF_LAST_NS) order->ask_backoff_ns *= 2;
}

/* ---- gaps in a venue's reports ---- */
void reports_ask_since(turn_core_t *self, int index)
{
    venue_t *venue = &self->venues[index];
    if (venue->ask_pause_ns == 0) venue->ask_pause_ns = ASK_FIRST_NS;
    venue->ask_at_ns = self->monotonic_ns + zvt_rng_pause_ns(&self->pauses, venue->ask_pause_ns);
    if (venue->ask_pause_ns < ASK_LAST_NS) venue->ask_pause_ns *= 2;
    venue->asked_cursor = venue->received.window.contiguous;
    venue->asked_ns = self->monotonic_ns;
    zvt_reports_since_t since = {.cursor = venue->asked_cursor, .limit = REPORTS_LIMIT};
    ZVT_STR_SET(since.exchange, self->fleet->venues[index].name);
    self->io.ask(self->io.arg, TURN_EXECUTOR, ZVT_T_REPORTS_SINCE, &since);
    ZVT_COUNT("reports_since");
}

static void s_ask_gaps(turn_core_t *self)
{
    if (!self->service_up[TURN_EXECUTOR]) return;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        venue_t *venue = &self->venues[i];
        bool missing = venue->tip > venue->received.window.contiguous;
        if (missing && venue->ask_at_ns <= self->monotonic_ns) reports_ask_since(self, (int)i);
    }
}

void reports_chores(turn_core_t *self)
{
    s_ask_gaps(self);
    for (int32_t at = self->trouble_first; at != NONE;) {
        order_t *order = order_core_at(self->orders, at);
        at = order->trouble_next;
        if (order->ask_again_ns <= self->monotonic_ns) s_ask_again(self, order);
    }
}

void reports_on_tip(turn_core_t *self, const zvt_reports_tip_t *tip)
{
    int index = zvt_fleet_venue(self->fleet, tip->exchange);
    if (index < 0) return;
    venue_t *venue = &self->venues[index];
    bool new_run = tip->incarnation != 0 && venue->incarnation != 0 && tip->incarnation != venue->incarnation;
    /* The end of an answer says only whether that answer was complete. */
    bool reachable = tip->cursor == 0 ? tip->reachable : venue->reachable;
    bool came_back = reachable && (!venue->reachable || new_run), went_away = venue->reachable && !reachable;
    venue->reachable = reachable;
    /* What a newer run does not know of was lost with its ledger, and would be waited for in vain. A tip of an older run that
     * was overtaken says nothing. */
    if (tip->incarnation > venue->incarnation) venue->reconcile.behind = tip->venue_seq < venue->tip;
    if (tip->incarnation != 0) venue->incarnation = tip->incarnation;
    if (tip->venue_seq > venue->tip) venue->tip = tip->venue_seq;
    if (came_back) {
        venue->ask_pause_ns = ASK_FIRST_NS;
        reconcile_begin(self, index, new_run ? "the venue was started again" : "the venue is back");
        reports_query_all(self, index);
    }
    if (went_away && self->open) reports_query_all(self, index); /* what was under way there is in doubt from now on */
    /* The end of an answer that was cut at its limit: go on at once. An answer that brought nothing is asked for again
     * by time, or a venue that is away would be asked without a pause. One that was overtaken by another question is not gone on with:
     * every question would become a chain of its own, each of which fetches the same. */
    bool brought = tip->cursor != 0 && tip->cursor == venue->asked_cursor && venue->received.window.contiguous > tip->cursor;
    if (brought && venue->tip > venue->received.window.contiguous) reports_ask_since(self, index);
    reconcile_on_report(self, index);
}

/* ---- an attempt that definitely did not execute ---- */
static bool s_may_try_again(turn_core_t *self, const order_t *order, uint8_t code)
{
    static const uint8_t worth_another_try[] = {ZVT_CODE_MARKET_CLOSED, ZVT_CODE_INSUFFICIENT_BALANCE, ZVT_CODE_TOMBSTONED,
                                                ZVT_CODE_VENUE_UNREACHABLE, ZVT_CODE_VENUE_LIMIT, ZVT_CODE_OVERLOADED,
                                                ZVT_CODE_CIRCUIT_OPEN, ZVT_CODE_VENUE_THROTTLED, ZVT_CODE_NOT_RECONCILED};
    bool retryable = memchr(worth_another_try, code, sizeof worth_another_try) != NULL;
    /* These say nothing about the venue's will: the same one may take it a moment later. */
    bool elsewhere = order->terms.venue[0] == '\0' || code == ZVT_CODE_TOMBSTONED || code == ZVT_CODE_OVERLOADED ||
                     code == ZVT_CODE_VENUE_UNREACHABLE || code == ZVT_CODE_CIRCUIT_OPEN || code == ZVT_CODE_NOT_RECONCILED;
    return retryable && elsewhere && !self->halted && !order->cancel_pending && order->attempt < ATTEMPTS_MAX &&
           order->cum_qty_e8 == 0 && order->deadline_ns > self->utc_ns;
}

static bool s_has_room_to_try_again(const turn_core_t *self, const order_t *order)
{
    return order->saga != ORDER_NONE || turn_has_room_for_saga(self);
}

static void s_step_failed(turn_core_t *self, order_t *order, uint8_t code, const char *message, const char *exchange,
                          uint64_t venue_seq)
{
    zvt_saga_step_failed_t event = {.order_id = order->order_id, .attempt = order->attempt, .failure_reason = code,
                                    .venue_seq = venue_seq};
    ZVT_STR_SET(event.saga, place_order_saga.name);
    ZVT_STR_SET(event.step, place_order_saga.steps[STEP_EXECUTE].name);
    ZVT_STR_SET(event.message, message);
    ZVT_STR_SET(event.exchange, exchange);
    turn_emit(self, order, ZVT_T_SAGA_STEP_FAILED, &event);
}

/* A venue that refused is given a pause; one that never had the order did not refuse it, and the order has waited enough. */
static void s_try_again(turn_core_t *self, order_t *order, uint8_t code)
{
    bool unseen = code == ZVT_CODE_TOMBSTONED || code == ZVT_CODE_NOT_RECONCILED;
    order->querying = false;
    reports_trouble_remove(self, order);
    place_order_try_again(self, order, unseen ? 0 : order->attempt);
}

static void s_end_saga(turn_core_t *self, order_t *order)
{
    order->querying = false;
    reports_trouble_remove(self, order);
    if (order->saga == ORDER_NONE) return;
    saga_core_end(self->sagas, order->saga);
    order->saga = ORDER_NONE;
}

/* The venue (or the way to it) refused the child: try again elsewhere, or end the order. */
static void s_on_refused(turn_core_t *self, order_t *order, const zvt_report_t *report)
{
    if (!order_core_allows(order, ZVT_T_ORDER_REJECTED)) {
        s_step_failed(self, order, report->code, report->message, report->exchange, report->venue_seq);
    } else if (s_may_try_again(self, order, report->code) && s_has_room_to_try_again(self, order)) {
        s_step_failed(self, order, report->code, report->message, report->exchange, report->venue_seq);
        s_try_again(self, order, report->code);
    } else if (report->code == ZVT_CODE_CANCEL_REQUESTED && report->venue_seq == 0) {
        /* Canceled on the way: it waited for a venue's limit, and no venue saw it. */
        place_order_end_unseen(self, order, ZVT_CODE_CANCEL_REQUESTED);
        s_end_saga(self, order);
    } else if (report->code == ZVT_CODE_ORDER_EXPIRED) {
        zvt_order_expired_t event = {.order_id = order->order_id, .venue_seq = report->venue_seq, .reason = report->code,
                                     .cum_qty_e8 = order->cum_qty_e8, .leaves_qty_e8 = order_leaves_e8(order)};
        ZVT_STR_SET(event.exchange, report->exchange);
        turn_emit(self, order, ZVT_T_ORDER_EXPIRED, &event);
        s_end_saga(self, order);
    } else {
        zvt_order_rejected_t event = {.order_id = order->order_id, .stage = ZVT_STAGE_VENUE,
                                      .rejection_reason = report->code, .venue_seq = report->venue_seq};
        ZVT_STR_SET(event.exchange, report->exchange);
        ZVT_STR_SET(event.message, report->message);
        turn_emit(self, order, ZVT_T_ORDER_REJECTED, &event);
        s_end_saga(self, order);
        ZVT_COUNT("orders_rejected");
    }
}

/* ---- reports by kind ---- */
static void s_on_accepted(turn_core_t *self, order_t *order, const zvt_report_t *report)
{
    zvt_order_accepted_t event = {.order_id = order->order_id, .venue_seq = report->venue_seq, .market_ts_ns = report->market_ts_ns};
    ZVT_STR_SET(event.exchange, report->exchange);
    ZVT_STR_SET(event.client_order_id, report->client_order_id);
    ZVT_STR_SET(event.exchange_order_id, report->exchange_order_id);
    turn_emit(self, order, ZVT_T_ORDER_ACCEPTED, &event);
    order->querying = false;
}

static void s_on_fill(turn_core_t *self, order_t *order, const zvt_report_t *report)
{
    order->querying = false;
    fills_add(self, order, report);
}

static void s_on_over(turn_core_t *self, order_t *order, const zvt_report_t *report)
{
    bool canceled = report->kind == ZVT_REPORT_KIND_CANCELED;
    zvt_order_canceled_t event = {.order_id = order->order_id, .venue_seq = report->venue_seq, .reason = report->code,
                                  .cum_qty_e8 = report->cum_qty_e8, .leaves_qty_e8 = report->leaves_qty_e8};
    if (event.reason == 0 || event.reason == ZVT_CODE_OK) event.reason = canceled ? ZVT_CODE_CANCEL_REQUESTED : ZVT_CODE_TIME_IN_FORCE;
    if (event.leaves_qty_e8 == 0) event.leaves_qty_e8 = order->terms.quantity_e8 - report->cum_qty_e8;
    ZVT_STR_SET(event.exchange, report->exchange);
    turn_emit(self, order, canceled ? ZVT_T_ORDER_CANCELED : ZVT_T_ORDER_EXPIRED, &event);
    order->querying = false;
}

void reports_cancel_ended(turn_core_t *self, const char *exchange, const char *client_order_id)
{
    zvt_order_cancel_t cancel = {.epoch = self->epoch};
    ZVT_STR_SET(cancel.client_order_id, client_order_id);
    ZVT_STR_SET(cancel.exchange, exchange);
    self->io.ask(self->io.arg, TURN_EXECUTOR, ZVT_T_ORDER_CANCEL, &cancel);
    ZVT_COUNT("ended_orders_canceled");
}

/* An operator declares the outcome of an order: it ends as canceled, with what it had executed. */
void reports_resolve(turn_core_t *self, order_t *order, const char *requested_by, const char *reason, const char *request_id)
{
    zvt_order_resolved_t resolved = {.order_id = order->order_id};
    ZVT_STR_SET(resolved.requested_by, requested_by);
    ZVT_STR_SET(resolved.reason, reason);
    ZVT_STR_SET(resolved.exchange, order->exchange);
    ZVT_STR_SET(resolved.client_order_id, order->client_order_id);
    ZVT_STR_SET(resolved.request_id, request_id);
    turn_emit(self, order, ZVT_T_ORDER_RESOLVED, &resolved);
    zvt_order_canceled_t canceled = {.order_id = order->order_id, .reason = ZVT_CODE_RESOLVED_BY_HAND,
                                     .cum_qty_e8 = order->cum_qty_e8, .leaves_qty_e8 = order_leaves_e8(order)};
    ZVT_STR_SET(canceled.exchange, order->exchange);
    turn_emit(self, order, ZVT_T_ORDER_CANCELED, &canceled);
    s_end_saga(self, order);
    place_order_settle(self, order);
    ZVT_COUNT("orders_resolved");
}

/* The venue works an order that an operator had declared over. What was declared is brought about: the order is canceled, and
 * the account compared, which asks for the cancel again for as long as the venue has the order. */
static void s_end_resolved(turn_core_t *self, const order_t *order, const zvt_report_t *report)
{
    reports_cancel_ended(self, report->exchange, report->client_order_id);
    zvt_alert_triggered_t alert = {.severity = ZVT_SEVERITY_WARNING, .code = ZVT_CODE_RESOLVED_BY_HAND};
    ZVT_STR_SET(alert.exchange, report->exchange);
    ZVT_STR_SET(alert.client_order_id, report->client_order_id);
    snprintf(alert.message, sizeof alert.message, "the venue works an order that was resolved as %s; it is canceled there and the account compared",
             zvt_order_state_text(order->state));
    if (turn_emit_system(self, ZVT_T_ALERT_TRIGGERED, &alert, NULL) != 0) ZVT_COUNT("alerts_unrecorded");
    reconcile_begin(self, zvt_fleet_venue(self->fleet, report->exchange), "an order that was resolved by hand lives");
}

static bool s_was_resolved(const order_t *order)
{
    return order->code == ZVT_CODE_RESOLVED_BY_HAND && order_is_ended(order);
}

static void s_put_aside(turn_core_t *self, order_t *order, const zvt_report_t *report, uint8_t code, const char *what)
{
    char message[ZVT_MESSAGE_SIZE];
    snprintf(message, sizeof message, "%s of order %.40s: %s", zvt_enum_text(ZVT_ENUM_OF_REPORT_KIND, report->kind),
             report->client_order_id, what);
    letters_put_aside(self, order, report, place_order_saga.steps[STEP_EXECUTE].name, code, message);
    if (order != NULL && report->kind == ZVT_REPORT_KIND_FILL) fills_give_up(self, order);
}

typedef void(report_fn)(turn_core_t *self, order_t *order, const zvt_report_t *report);

static const struct {
    report_fn *fn;
    zvt_type_t needs; /* the event it turns into must be allowed in the order's state */
} s_kinds[] = {
    [ZVT_REPORT_KIND_ACCEPTED] = {.fn = s_on_accepted, .needs = ZVT_T_ORDER_ACCEPTED},
    [ZVT_REPORT_KIND_REJECTED] = {.fn = s_on_refused, .needs = ZVT_T_SAGA_STEP_FAILED},
    [ZVT_REPORT_KIND_FILL] = {.fn = s_on_fill, .needs = ZVT_T_ORDER_EXECUTED},
    [ZVT_REPORT_KIND_CANCELED] = {.fn = s_on_over, .needs = ZVT_T_ORDER_CANCELED},
    [ZVT_REPORT_KIND_EXPIRED] = {.fn = s_on_over, .needs = ZVT_T_ORDER_EXPIRED},
};
enum { KINDS = sizeof s_kinds / sizeof s_kinds[0] };

/* A fill that waits for portfolio, or that has not even arrived, holds back what ends the order: until all that it had executed is
 * recorded, risk has to count the order as pending. */
static bool s_must_wait(const order_t *order, const zvt_report_t *report)
{
    bool ends = report->kind == ZVT_REPORT_KIND_CANCELED || report->kind == ZVT_REPORT_KIND_EXPIRED;
    return ends && order->held == ORDER_NONE && !order_is_ended(order) && fills_are_missing(order, report);
}

static void s_take(turn_core_t *self, const zvt_report_t *report)
{
    order_t *order = order_core_by_client_order(self->orders, report->client_order_id);
    if (report->kind == 0 || report->kind >= KINDS) {
        s_put_aside(self, order, report, ZVT_CODE_MALFORMED, "this release does not know the kind of report");
        return;
    }
    if (order == NULL) {
        s_put_aside(self, NULL, report, ZVT_CODE_UNKNOWN_ORDER, "no such order here");
        return;
    }
    /* The end of an order that an operator had declared over confirms what was declared. */
    bool confirms = s_was_resolved(order) && (report->kind == ZVT_REPORT_KIND_CANCELED || report->kind == ZVT_REPORT_KIND_EXPIRED);
    if (confirms) {
        s_step_failed(self, order, report->code, "the venue ended it too", report->exchange, report->venue_seq);
        place_order_settle(self, order);
        return;
    }
    if (!order_core_allows(order, s_kinds[report->kind].needs)) {
        char what[64];
        snprintf(what, sizeof what, "not possible when it is %s", zvt_order_state_text(order->state));
        s_put_aside(self, order, report, ZVT_CODE_UNEXPLAINED, what);
        return;
    }
    s_kinds[report->kind].fn(self, order, report);
    if (report->kind == ZVT_REPORT_KIND_ACCEPTED && s_was_resolved(order)) s_end_resolved(self, order, report);
    if (order_is_ended(order)) reports_trouble_remove(self, order);
    place_order_settle(self, order);
}

/* A refusal on the way (number 0) must belong to the child that is under way now; an old one says nothing. */
static bool s_is_current(turn_core_t *self, const zvt_report_t *report)
{
    order_t *order = order_core_by_client_order(self->orders, report->client_order_id);
    bool undecided = order != NULL && (order->state == ZVT_ORDER_STATE_SUBMITTED || order->state == ZVT_ORDER_STATE_UNKNOWN);
    return undecided && strcmp(order->client_order_id, report->client_order_id) == 0;
}

/* A report of nobody's order has no order to be staged with: it becomes an event of the system, maybe with an alert, and
 * goes straight into the batch. */
static bool s_has_room(const turn_core_t *self, const order_t *order)
{
    return turn_has_room_for_report(self, order) && (order != NULL || turn_has_batch_room(self, LETTER_EVENTS));
}

void reports_note_taken(reports_taken_t *taken, uint64_t venue_seq)
{
    window_mark(&taken->window, taken->bits, REPORTS_WINDOW, venue_seq);
}

/* Once for each gap: with reports in every round what is missing would never be asked for. What brings something begins the
 * pauses anew, but an answer may still be under way. */
static void s_be_patient(turn_core_t *self, venue_t *venue)
{
    uint64_t contiguous = venue->received.window.contiguous;
    if (venue->tip <= contiguous || venue->gap_cursor == contiguous) return;
    venue->gap_cursor = contiguous;
    int64_t gap_ns = self->monotonic_ns + GAP_PATIENCE_NS, answer_ns = venue->asked_ns + ASK_FIRST_NS;
    venue->ask_at_ns = gap_ns > answer_ns ? gap_ns : answer_ns;
}

void reports_on_report(turn_core_t *self, const zvt_report_t *report)
{
    int index = zvt_fleet_venue(self->fleet, report->exchange);
    if (index < 0) return;
    if (report->venue_seq == 0) {
        if (s_is_current(self, report) && report->kind == ZVT_REPORT_KIND_REJECTED) s_take(self, report);
        return;
    }
    venue_t *venue = &self->venues[index];
    if (report->venue_seq > venue->tip) venue->tip = report->venue_seq;
    order_t *order = order_core_by_client_order(self->orders, report->client_order_id);
    /* No room, or too far ahead: it stays missing and is fetched again. What counts is what the log has, because a fold of
     * the log must be able to tell which numbers it holds: a fill may wait for portfolio while thousands come after it. */
    bool fits = report->venue_seq < venue->logged.window.contiguous + REPORTS_WINDOW && s_has_room(self, order);
    bool waits = order != NULL && s_must_wait(order, report);
    if (!fits || (waits && !turn_has_room_for_held_end(self))) {
        ZVT_COUNT("reports_put_off");
        return;
    }
    bool is_new = window_check(&venue->received.window, venue->received.bits, REPORTS_WINDOW, report->venue_seq) == DEDUP_NEW;
    if (!is_new && !letters_take(self, report->exchange, report->venue_seq)) {
        ZVT_COUNT("reports_duplicate");
        return;
    }
    reports_note_taken(&venue->received, report->venue_seq);
    venue->ask_pause_ns = ASK_FIRST_NS;
    s_be_patient(self, venue);
    if (waits)
        fills_hold(self, order, report);
    else
        s_take(self, report);
    reconcile_on_report(self, index);
}

void reports_take_held(turn_core_t *self, const zvt_report_t *report)
{
    s_take(self, report);
}

void reports_refuse_unsent(turn_core_t *self, order_t *order, uint8_t code, const char *message)
{
    zvt_report_t refused = {.kind = ZVT_REPORT_KIND_REJECTED, .code = code};
    ZVT_STR_SET(refused.exchange, order->exchange);
    ZVT_STR_SET(refused.message, message);
    s_on_refused(self, order, &refused);
    place_order_settle(self, order);
}

/* ---- answers about one order ---- */
void reports_on_status(turn_core_t *self, const zvt_order_status_t *status)
{
    order_t *order = order_core_by_client_order(self->orders, status->client_order_id);
    int index = zvt_fleet_venue(self->fleet, status->exchange);
    if (order == NULL || index < 0 || !s_is_doubtful(order)) return;
    if (strcmp(order->client_order_id, status->client_order_id) != 0) return;
    /* Of an order it does not have, a venue that knows fewer reports than it had given says nothing: its ledger was lost or
     * replaced (or the answer was overtaken on its way). The order is asked about again. Numbers that were only heard of since
     * the question do not count, or a busy venue with slow answers would never be believed. */
    bool behind = status->venue_seq < self->venues[index].received.window.contiguous || status->venue_seq < order->asked_tip;
    if (status->code == ZVT_CODE_TOMBSTONED && behind) {
        ZVT_COUNT("tombstones_behind");
        return;
    }
    /* After a restart thousands of orders can learn at once that their venue never had them. With too many new sagas there would be no
     * room for reports, by which sagas end: the rest is asked about again, as rarely as one that is unknown for long. */
    bool begins_anew = s_may_try_again(self, order, ZVT_CODE_TOMBSTONED);
    bool room = turn_has_room_for_report(self, order) && (!begins_anew || s_has_room_to_try_again(self, order));
    if (status->code == ZVT_CODE_TOMBSTONED && !room) {
        order->ask_backoff_ns = BACKOFF_FIRST_NS; /* it was answered */
        order->ask_again_ns = self->monotonic_ns + zvt_rng_pause_ns(&self->pauses, BACKOFF_LAST_NS);
        ZVT_COUNT("tombstones_put_off");
        return;
    }
    if (status->code == ZVT_CODE_TOMBSTONED || ZVT_PLANTED(RESEND_WITHOUT_ASKING)) {
        reports_refuse_unsent(self, order, ZVT_CODE_TOMBSTONED, "the venue never had it and never will");
    } else if (status->code == ZVT_CODE_OK) {
        /* The venue has it: its reports say the rest. They are fetched once, not for each of thousands of orders (s_ask_gaps). */
        if (status->venue_seq > self->venues[index].tip) self->venues[index].tip = status->venue_seq;
    }
}

void reports_on_cancel_result(turn_core_t *self, const zvt_cancel_result_t *result)
{
    order_t *order = order_core_by_client_order(self->orders, result->client_order_id);
    if (order == NULL || !order->cancel_pending || result->code == ZVT_CODE_OK) return;
    if (strcmp(order->client_order_id, result->client_order_id) != 0) return;
    if (!turn_has_room_for_report(self, order)) {
        ZVT_COUNT("cancel_results_put_off"); /* the venue is asked again by time */
        return;
    }
    static const uint8_t passing[] = {ZVT_CODE_VENUE_UNREACHABLE, ZVT_CODE_VENUE_THROTTLED, ZVT_CODE_VENUE_LIMIT, ZVT_CODE_OVERLOADED,
                                      ZVT_CODE_NOT_READY, ZVT_CODE_SERVICE_TIMEOUT};
    bool undecided = order->state == ZVT_ORDER_STATE_SUBMITTED || order->state == ZVT_ORDER_STATE_UNKNOWN;
    /* Not final while the order itself may still be on its way, or the venue cannot be asked now. */
    if (undecided || memchr(passing, result->code, sizeof passing) != NULL) {
        /* Once; from then on it is asked about by time, or a gateway that is away would be asked without a pause. */
        if (undecided && !order->querying) reports_query(self, order);
        return;
    }
    zvt_order_cancel_rejected_t event = {.order_id = order->order_id, .reason = result->code};
    ZVT_STR_SET(event.message, result->message);
    turn_emit(self, order, ZVT_T_ORDER_CANCEL_REJECTED, &event);
    commands_cancel_failed(self, order, result->code, result->message);
    place_order_settle(self, order);
}
