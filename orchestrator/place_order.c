/* trading.place_order: the steps of an order's saga, and the small functions behind them. */
#include <string.h>

#include "turn_world.h"
#include "zvt_fixed.h"
#include "zvt_planted.h"
#include "zvt_stats.h"
#include "zvt_time.h"

#define SECONDS(n) ((n) * ZVT_SECOND_NS)
#define PATIENCE_NS SECONDS(2)          /* how long an answer that may pass is asked for again */
#define ASK_AGAIN_NS (50 * ZVT_MS_NS)

/* ---- how an order ends before a venue has it ---- */
static void s_release_risk(turn_core_t *self, const zvt_id_t *order_id)
{
    zvt_risk_release_t release = {.order_id = *order_id, .epoch = self->epoch};
    self->io.ask(self->io.arg, TURN_RISK, ZVT_T_RISK_RELEASE, &release);
}

static void s_reject(turn_core_t *self, order_t *order, uint8_t stage, uint8_t code, const char *message,
                     const zvt_risk_verdict_t *verdict)
{
    zvt_order_rejected_t event = {.order_id = order->order_id, .stage = stage, .rejection_reason = code};
    ZVT_STR_SET(event.message, message);
    if (verdict != NULL) {
        event.risk_violations_count = verdict->risk_violations_count;
        memcpy(event.risk_violations, verdict->risk_violations, sizeof event.risk_violations);
    }
    turn_emit(self, order, ZVT_T_ORDER_REJECTED, &event);
    ZVT_COUNT("orders_rejected");
}

static void s_end_without_venue(turn_core_t *self, order_t *order, zvt_type_t type, uint8_t reason)
{
    zvt_order_canceled_t event = {.order_id = order->order_id, .reason = reason, .cum_qty_e8 = order->cum_qty_e8,
                                  .leaves_qty_e8 = order->terms.quantity_e8 - order->cum_qty_e8};
    turn_emit(self, order, type, &event);
}

static void s_record_failed(turn_core_t *self, order_t *order, const saga_step_t *step, uint8_t code, const char *message)
{
    zvt_order_failed_t event = {.order_id = order->order_id, .failure_reason = code};
    ZVT_STR_SET(event.step, step->name);
    ZVT_STR_SET(event.message, message);
    turn_emit(self, order, ZVT_T_ORDER_FAILED, &event);
    ZVT_COUNT("orders_failed");
}

/* Records that the order ends in this step of its saga, before a venue has it. */
static void s_record_end(turn_core_t *self, order_t *order, const saga_step_t *step, uint8_t code, const char *message)
{
    bool submitted = order->state == ZVT_ORDER_STATE_SUBMITTED;
    bool late = code == ZVT_CODE_SERVICE_TIMEOUT || code == ZVT_CODE_SAGA_TIMEOUT;
    switch (code) {
    case ZVT_CODE_CANCEL_REQUESTED: s_end_without_venue(self, order, ZVT_T_ORDER_CANCELED, code); return;
    case ZVT_CODE_STALE: s_end_without_venue(self, order, ZVT_T_ORDER_EXPIRED, code); return;
    case ZVT_CODE_HALTED:
        if (!submitted) {
            s_reject(self, order, ZVT_STAGE_RISK, code, message, NULL);
            return;
        }
        break;
    default: break;
    }
    if (!submitted && !late && step == &place_order_saga.steps[STEP_ROUTE])
        s_reject(self, order, ZVT_STAGE_ROUTING, code, message, NULL);
    else
        s_record_failed(self, order, step, code, message);
}

/* Gives up with what the steps before have done: the saga undoes it and the order ends. */
static saga_outcome_t s_give_up(turn_core_t *self, order_t *order, uint8_t code, const char *message)
{
    if (order->saga != ORDER_NONE) {
        saga_core_fail(self->sagas, order->saga, code, message);
        return SAGA_ENDED;
    }
    s_record_end(self, order, &place_order_saga.steps[STEP_EXECUTE], code, message);
    place_order_settle(self, order);
    return SAGA_ENDED;
}

void place_order_end_unseen(turn_core_t *self, order_t *order, uint8_t reason)
{
    s_end_without_venue(self, order, ZVT_T_ORDER_CANCELED, reason);
}

static void s_drop_early_route(turn_core_t *self, order_t *order)
{
    early_routes_drop(self->early_routes, order->early_route);
    order->early_route = EARLY_ROUTE_NONE;
    order->route_asked_ns = 0;
}

/* Ends the saga after an event that ended the order. */
static saga_outcome_t s_ended(turn_core_t *self, order_t *order)
{
    saga_core_end(self->sagas, order->saga);
    order->saga = ORDER_NONE;
    s_drop_early_route(self, order);
    if (order->step < ORDER_STEP_VALIDATED) s_release_risk(self, &order->order_id);
    place_order_settle(self, order);
    return SAGA_ENDED;
}

/* Why the order may not go on, at any step before a venue has it; OK if it may. */
static uint8_t s_obstacle(const turn_core_t *self, const order_t *order, int64_t expires_ns)
{
    if (order->cancel_pending) return ZVT_CODE_CANCEL_REQUESTED;
    if (self->halted) return ZVT_CODE_HALTED;
    if (ZVT_PLANTED(SEND_EXPIRED)) return ZVT_CODE_OK;
    return expires_ns != 0 && expires_ns <= self->utc_ns ? ZVT_CODE_STALE : ZVT_CODE_OK;
}

/* True when the order may go on; else the saga has ended. */
static bool s_may_go_on(turn_core_t *self, order_t *order)
{
    uint8_t code = s_obstacle(self, order, order->terms.expires_at_ns);
    if (code == ZVT_CODE_OK) return true;
    (void)s_give_up(self, order, code, code == ZVT_CODE_HALTED ? self->halt_reason : "");
    return false;
}

/* ---- validate_request ---- */
static uint8_t s_check_price(const zvt_order_request_t *terms)
{
    bool limit = terms->order_type == ZVT_ORDER_TYPE_LIMIT;
    if (limit && terms->limit_price_e8 <= 0) return ZVT_CODE_BAD_PRICE;
    if (!limit && terms->limit_price_e8 != 0) return ZVT_CODE_BAD_PRICE;
    return terms->trigger_price_e8 < 0 ? ZVT_CODE_BAD_PRICE : ZVT_CODE_OK;
}

static uint8_t s_check_terms(const turn_core_t *self, const zvt_order_request_t *terms)
{
    bool market = terms->order_type == ZVT_ORDER_TYPE_MARKET;
    if (zvt_fleet_instrument(self->fleet, terms->symbol) < 0) return ZVT_CODE_UNKNOWN_SYMBOL;
    if (terms->quantity_e8 <= 0) return ZVT_CODE_BAD_QUANTITY;
    if (terms->side == 0 || terms->order_type == 0 || terms->time_in_force == 0) return ZVT_CODE_BAD_ORDER;
    if (market && (terms->time_in_force == ZVT_TIF_GTC || terms->post_only)) return ZVT_CODE_BAD_ORDER;
    if (terms->post_only && terms->time_in_force != ZVT_TIF_GTC) return ZVT_CODE_BAD_ORDER;
    if (terms->venue[0] != '\0' && zvt_fleet_venue(self->fleet, terms->venue) < 0) return ZVT_CODE_UNKNOWN_VENUE;
    return s_check_price(terms);
}

static void s_describe_terms(const zvt_order_request_t *terms, char message[ZVT_MESSAGE_SIZE])
{
    char quantity[ZVT_FIXED_TEXT], price[ZVT_FIXED_TEXT];
    zvt_fixed_format(terms->quantity_e8, quantity);
    zvt_fixed_format(terms->limit_price_e8, price);
    snprintf(message, ZVT_MESSAGE_SIZE, "symbol=%s side=%s order_type=%s time_in_force=%s quantity=%s limit_price=%s venue=%s",
             terms->symbol, zvt_enum_text(ZVT_ENUM_OF_SIDE, terms->side),
             zvt_enum_text(ZVT_ENUM_OF_ORDER_TYPE, terms->order_type), zvt_enum_text(ZVT_ENUM_OF_TIF, terms->time_in_force),
             quantity, price, terms->venue);
}

static saga_outcome_t s_validate(void *arg, int32_t saga, int32_t subject, uint32_t attempt)
{
    turn_core_t *self = arg;
    order_t *order = order_core_at(self->orders, subject);
    (void)saga;
    (void)attempt;
    if (!s_may_go_on(self, order)) return SAGA_ENDED;
    uint8_t code = s_check_terms(self, &order->terms);
    if (code == ZVT_CODE_OK) return SAGA_DONE;
    char message[ZVT_MESSAGE_SIZE];
    s_describe_terms(&order->terms, message);
    s_reject(self, order, ZVT_STAGE_VALIDATION, code, message, NULL);
    return s_ended(self, order);
}

/* ---- check_risk_limits ---- */
static void s_ask_route(turn_core_t *self, const order_t *order, uint32_t attempt)
{
    zvt_route_request_t request = {.order_id = order->order_id, .attempt = order->attempt + attempt,
                                   .quantity_e8 = order->terms.quantity_e8 - order->cum_qty_e8, .order_request = order->terms};
    if (order->attempt > 0) ZVT_STR_SET(request.avoid, order->exchange);
    reconcile_exclude(self, &request);
    self->io.ask(self->io.arg, TURN_EXECUTOR, ZVT_T_ROUTE_REQUEST, &request);
}

/* Where an order would go is asked early only while all circuits are closed: one that is half open admits a few routes a second,
 * and orders that risk refuses would use them up. */
static bool s_may_route_early(const turn_core_t *self)
{
    for (uint32_t i = 0; i < self->fleet->venues_count; i++)
        if (self->venues[i].circuit > ZVT_CIRCUIT_CLOSED) return false;
    return self->service_up[TURN_EXECUTOR];
}

/* Risk is asked, and in the same breath where the order would go: the saga takes that up when risk has passed it. */
static saga_outcome_t s_check_risk(void *arg, int32_t saga, int32_t subject, uint32_t attempt)
{
    turn_core_t *self = arg;
    order_t *order = order_core_at(self->orders, subject);
    (void)saga;
    if (self->risk_waits) return SAGA_WAIT; /* asked when it does not any more */
    zvt_risk_check_t check = {.order_id = order->order_id, .epoch = self->epoch, .min_seq = turn_min_seq(self, TURN_RISK),
                              .order_request = order->terms};
    ZVT_STR_SET(check.strategy_id, order->strategy_id);
    ZVT_STR_SET(check.portfolio_id, order->portfolio_id);
    self->io.ask(self->io.arg, TURN_RISK, ZVT_T_RISK_CHECK, &check);
    if (attempt > 1 || order->route_asked_ns != 0 || !s_may_route_early(self)) return SAGA_WAIT;
    order->route_asked_ns = self->monotonic_ns;
    order->route_asked_of = self->service_ups[TURN_EXECUTOR];
    s_ask_route(self, order, attempt);
    return SAGA_WAIT;
}

static void s_undo_risk(void *arg, int32_t subject)
{
    turn_core_t *self = arg;
    s_release_risk(self, &order_core_at(self->orders, subject)->order_id);
}

/* A process that has just started may not know its venues and prices yet: worth asking again for a while. */
static bool s_may_pass(const turn_core_t *self, const order_t *order, uint8_t code)
{
    static const uint8_t passing[] = {ZVT_CODE_VENUE_UNREACHABLE, ZVT_CODE_NO_REFERENCE_PRICE, ZVT_CODE_NOT_READY, ZVT_CODE_NO_VENUE,
                                      ZVT_CODE_OVERLOADED, ZVT_CODE_NOT_RECONCILED, ZVT_CODE_CIRCUIT_OPEN,
                                      ZVT_CODE_VENUE_THROTTLED};
    return memchr(passing, code, sizeof passing) != NULL && self->utc_ns - order->requested_ns < PATIENCE_NS;
}

void place_order_on_verdict(turn_core_t *self, const zvt_risk_verdict_t *verdict)
{
    order_t *order = order_core_by_id(self->orders, &verdict->order_id);
    bool wanted = order != NULL && order->saga != ORDER_NONE && saga_core_step(self->sagas, order->saga) == STEP_RISK &&
                  order->state == ZVT_ORDER_STATE_INITIALIZED;
    /* A verdict of an earlier run of risk counts exposures that run has taken with it, and one of an earlier epoch a
     * reservation that risk dropped when the epoch rose. A fenced one says that we were replaced: it may not end an order. */
    bool ours = verdict->incarnation == self->service_incarnation[TURN_RISK] && verdict->epoch == self->epoch &&
                verdict->code != ZVT_CODE_FENCED;
    if (!wanted || !ours) {
        ZVT_COUNT("verdicts_void");
        /* Risk judged an order that had ended by then: nothing in the log will take its reservation away. */
        if (verdict->code == ZVT_CODE_OK && (order == NULL || order_is_ended(order))) s_release_risk(self, &verdict->order_id);
        return;
    }
    if (s_may_pass(self, order, verdict->code)) {
        saga_core_again(self->sagas, order->saga, STEP_RISK, self->monotonic_ns + zvt_rng_pause_ns(&self->pauses, ASK_AGAIN_NS));
        return;
    }
    if (verdict->code != ZVT_CODE_OK) {
        s_reject(self, order, ZVT_STAGE_RISK, verdict->code, verdict->message, verdict);
        (void)s_ended(self, order);
        return;
    }
    zvt_order_validated_t event = {.order_id = order->order_id, .validation_result = verdict->validation_result,
                                   .risk_score_e8 = verdict->risk_score_e8};
    turn_emit(self, order, ZVT_T_ORDER_VALIDATED, &event);
    saga_core_done(self->sagas, order->saga, STEP_RISK, self->monotonic_ns);
}

/* ---- create_order_record ---- */
static saga_outcome_t s_create(void *arg, int32_t saga, int32_t subject, uint32_t attempt)
{
    turn_core_t *self = arg;
    order_t *order = order_core_at(self->orders, subject);
    (void)saga;
    (void)attempt;
    zvt_order_created_t event = {.order_id = order->order_id, .side = order->terms.side, .order_type = order->terms.order_type,
                                 .quantity_e8 = order->terms.quantity_e8, .limit_price_e8 = order->terms.limit_price_e8};
    ZVT_STR_SET(event.strategy_id, order->strategy_id);
    ZVT_STR_SET(event.symbol, order->terms.symbol);
    turn_emit(self, order, ZVT_T_ORDER_CREATED, &event);
    return SAGA_DONE;
}

/* ---- route_to_exchange ---- */
static void s_record_route(turn_core_t *self, order_t *order, const zvt_route_reply_t *reply)
{
    zvt_exchange_routed_t event = {.order_id = order->order_id, .routing_metrics_count = reply->routing_metrics_count};
    ZVT_STR_SET(event.selected_exchange, reply->selected_exchange);
    ZVT_STR_SET(event.routing_reason, reply->routing_reason);
    memcpy(event.routing_metrics, reply->routing_metrics, sizeof event.routing_metrics);
    turn_emit(self, order, ZVT_T_EXCHANGE_ROUTED, &event);
}

static saga_outcome_t s_route(void *arg, int32_t saga, int32_t subject, uint32_t attempt)
{
    turn_core_t *self = arg;
    order_t *order = order_core_at(self->orders, subject);
    (void)saga;
    if (!s_may_go_on(self, order)) return SAGA_ENDED;
    bool fresh = order->route_asked_ns != 0 && self->monotonic_ns - order->route_asked_ns < EARLY_ROUTE_FRESH_NS;
    bool kept = order->early_route != EARLY_ROUTE_NONE;
    bool under_way = !kept && order->route_asked_of == self->service_ups[TURN_EXECUTOR];
    if (fresh && kept) s_record_route(self, order, early_routes_at(self->early_routes, order->early_route));
    s_drop_early_route(self, order);
    if (fresh && kept) return SAGA_DONE;
    if (!fresh || !under_way) s_ask_route(self, order, attempt);
    return SAGA_WAIT;
}

static bool s_is_usable(const turn_core_t *self, const zvt_route_reply_t *reply)
{
    return reply->code == ZVT_CODE_OK && zvt_fleet_venue(self->fleet, reply->selected_exchange) >= 0;
}

/* An answer that says no is asked for again by the step itself. */
static void s_keep_early_route(turn_core_t *self, order_t *order, const zvt_route_reply_t *reply)
{
    if (order->early_route != EARLY_ROUTE_NONE || order->route_asked_ns == 0) return;
    if (s_is_usable(self, reply)) order->early_route = early_routes_keep(self->early_routes, reply);
    if (order->early_route == EARLY_ROUTE_NONE) order->route_asked_ns = 0;
}

void place_order_on_route(turn_core_t *self, const zvt_route_reply_t *reply)
{
    order_t *order = order_core_by_id(self->orders, &reply->order_id);
    bool runs = order != NULL && order->saga != ORDER_NONE && order->state == ZVT_ORDER_STATE_INITIALIZED;
    uint32_t step = runs ? saga_core_step(self->sagas, order->saga) : STEPS;
    if (step == STEP_RISK) {
        s_keep_early_route(self, order, reply);
        return;
    }
    /* While the step waits for its time, an answer is one to a question of before. */
    if (step != STEP_ROUTE || !saga_core_is_waiting(self->sagas, order->saga, STEP_ROUTE)) {
        ZVT_COUNT("routes_void");
        return;
    }
    if (!s_is_usable(self, reply)) {
        uint8_t code = reply->code == ZVT_CODE_OK ? ZVT_CODE_UNKNOWN_VENUE : reply->code;
        /* A venue may have been opened while the question was under way. */
        if (code == ZVT_CODE_NOT_RECONCILED && reconcile_is_open(self, order->terms.venue)) {
            saga_core_go(self->sagas, order->saga, STEP_ROUTE, self->monotonic_ns);
            return;
        }
        if (s_may_pass(self, order, code)) {
            saga_core_again(self->sagas, order->saga, STEP_ROUTE, self->monotonic_ns + zvt_rng_pause_ns(&self->pauses, ASK_AGAIN_NS));
            return;
        }
        saga_core_retry(self->sagas, order->saga, STEP_ROUTE, code, reply->routing_reason, self->monotonic_ns);
        return;
    }
    s_record_route(self, order, reply);
    saga_core_done(self->sagas, order->saga, STEP_ROUTE, self->monotonic_ns);
}

/* ---- execute_on_exchange ---- */
static int64_t s_expiry_ns(const order_t *order)
{
    int64_t expires_ns = order->terms.expires_at_ns;
    return expires_ns != 0 && expires_ns < order->deadline_ns ? expires_ns : order->deadline_ns;
}

static void s_fill_send(const order_t *order, uint64_t epoch, zvt_order_send_t *send)
{
    memset(send, 0, sizeof *send);
    ZVT_STR_SET(send->client_order_id, order->client_order_id);
    ZVT_STR_SET(send->exchange, order->exchange);
    ZVT_STR_SET(send->symbol, order->terms.symbol);
    send->side = order->terms.side;
    send->order_type = order->terms.order_type;
    send->time_in_force = order->terms.time_in_force;
    send->post_only = order->terms.post_only;
    send->quantity_e8 = order->terms.quantity_e8 - order->cum_qty_e8;
    send->limit_price_e8 = order->terms.limit_price_e8;
    send->epoch = epoch;
    send->expires_at_ns = order->expires_ns;
}

/* The intent: recorded first, sent by place_order_send when it is durable. */
static saga_outcome_t s_execute(void *arg, int32_t saga, int32_t subject, uint32_t attempt)
{
    turn_core_t *self = arg;
    order_t *order = order_core_at(self->orders, subject);
    (void)saga;
    (void)attempt;
    if (!s_may_go_on(self, order)) return SAGA_ENDED;
    zvt_order_submitted_t event = {.order_id = order->order_id, .attempt = order->attempt + 1,
                                   .quantity_e8 = order->terms.quantity_e8 - order->cum_qty_e8,
                                   .expires_at_ns = s_expiry_ns(order), .epoch = self->epoch};
    ZVT_STR_SET(event.exchange, order->exchange);
    order_client_order_id(order, event.child, event.attempt, event.client_order_id);
    order->sent = order->querying = false;
    turn_emit(self, order, ZVT_T_ORDER_SUBMITTED, &event);
    effect_t effect = {.kind = EFFECT_SEND_ORDER, .type = ZVT_T_ORDER_SEND, .order = order->index};
    s_fill_send(order, self->epoch, &effect.order_send);
    turn_after(self, order, &effect);
    turn_flush(self, order);
    return SAGA_WAIT;
}

static bool s_account_is_halted(const turn_core_t *self, int venue)
{
    const account_t *account = &self->venues[venue].account;
    return account->halted || account->resumed_seq > self->committed_seq;
}

void place_order_send(turn_core_t *self, order_t *order, const zvt_order_send_t *send)
{
    bool current = order->used && order->state == ZVT_ORDER_STATE_SUBMITTED &&
                   strcmp(order->client_order_id, send->client_order_id) == 0;
    if (!current) return;
    /* A committed intent that was not sent is as good as not executed: nobody but us knows it. */
    uint8_t code = s_obstacle(self, order, send->expires_at_ns);
    int venue = zvt_fleet_venue(self->fleet, send->exchange);
    if (code == ZVT_CODE_OK && self->resumed_seq > self->committed_seq) code = ZVT_CODE_HALTED;
    if (code == ZVT_CODE_OK && venue >= 0 && s_account_is_halted(self, venue)) code = ZVT_CODE_ACCOUNT_HALTED;
    if (code != ZVT_CODE_OK) {
        (void)s_give_up(self, order, code, code == ZVT_CODE_HALTED ? self->halt_reason : "");
        return;
    }
    if (venue >= 0 && !self->venues[venue].reconcile.done) {
        reports_refuse_unsent(self, order, ZVT_CODE_NOT_RECONCILED, "the venue's account is being compared since the order was routed");
        return;
    }
    order->sent = true;
    ZVT_COUNT("orders_sent");
    self->io.ask(self->io.arg, TURN_EXECUTOR, ZVT_T_ORDER_SEND, send);
}

/* No answer in time: the outcome is not known, so the venue is asked; the order is never sent again blindly. */
static bool s_execute_timed_out(void *arg, int32_t saga, int32_t subject)
{
    turn_core_t *self = arg;
    (void)saga;
    reports_query(self, order_core_at(self->orders, subject));
    return false;
}

/* ---- update_portfolio ---- */
static bool s_has_settled(const order_t *order)
{
    if (order->fills_pending > 0) return false;
    bool rests = order->terms.time_in_force == ZVT_TIF_GTC &&
                 (order->state == ZVT_ORDER_STATE_ACCEPTED || order->state == ZVT_ORDER_STATE_PARTIALLY_FILLED);
    return rests || order_is_ended(order);
}

static saga_outcome_t s_update_portfolio(void *arg, int32_t saga, int32_t subject, uint32_t attempt)
{
    turn_core_t *self = arg;
    (void)saga;
    (void)attempt;
    return s_has_settled(order_core_at(self->orders, subject)) ? SAGA_DONE : SAGA_WAIT;
}

/* ---- the table ---- */
static const saga_step_t s_steps[] = {
    [STEP_VALIDATE] = {.name = "validate_request", .service = -1, .timeout_ns = SECONDS(5), .attempts = 1, .begin = s_validate},
    [STEP_RISK] = {.name = "check_risk_limits", .service = TURN_RISK, .timeout_ns = SECONDS(10), .attempts = 3,
                   .backoff_ns = 50 * ZVT_MS_NS, .begin = s_check_risk, .compensate = s_undo_risk},
    [STEP_CREATE] = {.name = "create_order_record", .service = -1, .timeout_ns = SECONDS(5), .attempts = 1, .begin = s_create},
    [STEP_ROUTE] = {.name = "route_to_exchange", .service = TURN_EXECUTOR, .timeout_ns = SECONDS(10), .attempts = 2,
                    .backoff_ns = 100 * ZVT_MS_NS, .begin = s_route},
    [STEP_EXECUTE] = {.name = "execute_on_exchange", .service = -1, .timeout_ns = SECONDS(15), .attempts = 3,
                      .backoff_ns = 100 * ZVT_MS_NS, .begin = s_execute, .timed_out = s_execute_timed_out},
    [STEP_PORTFOLIO] = {.name = "update_portfolio", .service = -1, .timeout_ns = 0, .attempts = 1, .begin = s_update_portfolio},
};
_Static_assert(sizeof s_steps / sizeof s_steps[0] == STEPS, "a row for every step");

static void s_compensating(void *arg, int32_t subject, const saga_step_t *step, uint8_t code, const char *message)
{
    turn_core_t *self = arg;
    order_t *order = order_core_at(self->orders, subject);
    zvt_saga_compensating_t event = {.order_id = order->order_id, .failure_reason = code};
    ZVT_STR_SET(event.saga, place_order_saga.name);
    ZVT_STR_SET(event.step, step->name);
    ZVT_STR_SET(event.message, message);
    turn_emit(self, order, ZVT_T_SAGA_COMPENSATING, &event);
}

static void s_compensated(void *arg, int32_t subject, uint32_t steps)
{
    turn_core_t *self = arg;
    order_t *order = order_core_at(self->orders, subject);
    zvt_saga_compensated_t event = {.order_id = order->order_id, .steps = steps};
    ZVT_STR_SET(event.saga, place_order_saga.name);
    turn_emit(self, order, ZVT_T_SAGA_COMPENSATED, &event);
    ZVT_COUNT("sagas_compensated");
}

static void s_failed(void *arg, int32_t subject, const saga_step_t *step, uint8_t code, const char *message)
{
    turn_core_t *self = arg;
    order_t *order = order_core_at(self->orders, subject);
    order->saga = ORDER_NONE;
    s_drop_early_route(self, order);
    s_record_end(self, order, step, code, message);
    if (order->step < ORDER_STEP_VALIDATED) s_release_risk(self, &order->order_id);
    place_order_settle(self, order);
}

static void s_completed(void *arg, int32_t subject)
{
    turn_core_t *self = arg;
    order_t *order = order_core_at(self->orders, subject);
    static zvt_histogram_t *latency;
    if (latency == NULL) latency = zvt_histogram("order");
    order->saga = ORDER_NONE;
    if (order->arrived_ns != 0) zvt_histogram_add(latency, self->monotonic_ns - order->arrived_ns);
}

/* Once a venue may have the order, the deadline cannot fail it: it is asked for, and waits. */
static bool s_deadline_passed(void *arg, int32_t saga, int32_t subject, const saga_step_t *step)
{
    turn_core_t *self = arg;
    order_t *order = order_core_at(self->orders, subject);
    (void)saga;
    if (step == &s_steps[STEP_PORTFOLIO]) return false;
    if (!order_is_at_venue(order)) return true;
    reports_query(self, order);
    return false;
}

const saga_type_t place_order_saga = {
    .name = "trading.place_order",
    .steps = s_steps,
    .steps_count = STEPS,
    .compensating = s_compensating,
    .compensated = s_compensated,
    .failed = s_failed,
    .completed = s_completed,
    .deadline_passed = s_deadline_passed,
};

static int64_t s_deadline_ns(const turn_core_t *self, const order_t *order)
{
    int64_t deadline_ns = self->monotonic_ns + (order->deadline_ns - self->utc_ns);
    return deadline_ns > 0 ? deadline_ns : 1;
}

static void s_start_at(turn_core_t *self, order_t *order, uint32_t step)
{
    int status = saga_core_start(self->sagas, &place_order_saga, order->index, step, self->monotonic_ns, s_deadline_ns(self, order),
                                 &order->saga);
    ZVT_ASSERT(status == 0); /* admission keeps fewer orders than sagas in work */
}

void place_order_start(turn_core_t *self, order_t *order)
{
    s_start_at(self, order, STEP_VALIDATE);
}

void place_order_resume(turn_core_t *self, order_t *order)
{
    static const uint32_t step_after[] = {
        [ORDER_STEP_REQUESTED] = STEP_VALIDATE, [ORDER_STEP_VALIDATED] = STEP_CREATE, [ORDER_STEP_CREATED] = STEP_ROUTE,
        [ORDER_STEP_ROUTED] = STEP_ROUTE};
    bool at_venue = order_is_at_venue(order);
    if (!at_venue) {
        /* Recovery never replays a stale order: the first step of the resumed saga looks at its age. */
        if (order->deadline_ns <= self->utc_ns && !ZVT_PLANTED(SEND_EXPIRED)) {
            (void)s_give_up(self, order, ZVT_CODE_STALE, "");
            return;
        }
        s_start_at(self, order, step_after[order->step]);
        return;
    }
    bool undecided = order->state == ZVT_ORDER_STATE_SUBMITTED || order->state == ZVT_ORDER_STATE_UNKNOWN;
    if (undecided || order->cancel_pending) reports_trouble_add(self, order);
}

void place_order_try_again(turn_core_t *self, order_t *order, uint32_t failures)
{
    if (failures == 0 && order->saga == ORDER_NONE) {
        s_start_at(self, order, STEP_ROUTE);
        return;
    }
    if (failures == 0) {
        saga_core_go(self->sagas, order->saga, STEP_ROUTE, self->monotonic_ns);
        return;
    }
    if (order->saga != ORDER_NONE) {
        saga_core_go_back(self->sagas, order->saga, STEP_ROUTE, failures, self->monotonic_ns);
        return;
    }
    /* The saga of an order found at its venue after a restart. */
    int status = saga_core_start_again(self->sagas, &place_order_saga, order->index, STEP_ROUTE, failures, self->monotonic_ns,
                                       s_deadline_ns(self, order), &order->saga);
    ZVT_ASSERT(status == 0); /* reports.c looked for room */
}

void place_order_settle(turn_core_t *self, order_t *order)
{
    if (order->saga != ORDER_NONE && !order->querying) {
        uint32_t step = saga_core_step(self->sagas, order->saga);
        bool answered = order->state != ZVT_ORDER_STATE_SUBMITTED && order->state != ZVT_ORDER_STATE_INITIALIZED;
        if (step == STEP_EXECUTE && (answered || order->fills_pending > 0))
            saga_core_done(self->sagas, order->saga, STEP_EXECUTE, self->monotonic_ns);
        else if (step == STEP_PORTFOLIO && s_has_settled(order))
            saga_core_done(self->sagas, order->saga, STEP_PORTFOLIO, self->monotonic_ns);
    }
    if (order->fills_pending > 0) return; /* what was accepted commits together with what was executed */
    commands_answer(self, order, false);
    turn_flush(self, order);
}

/* ---- cancel ---- */
void place_order_cancel(turn_core_t *self, order_t *order, const char *requested_by, uint64_t incarnation, uint64_t sender_seq)
{
    bool unsent = order->state == ZVT_ORDER_STATE_SUBMITTED && !order->sent && order->saga != ORDER_NONE;
    zvt_order_cancel_requested_t event = {.order_id = order->order_id, .incarnation = incarnation, .sender_seq = sender_seq};
    ZVT_STR_SET(event.requested_by, requested_by);
    turn_emit(self, order, ZVT_T_ORDER_CANCEL_REQUESTED, &event);
    if (unsent || !order_is_at_venue(order)) return; /* no venue has it: the next step of the saga ends it */
    effect_t effect = {.kind = EFFECT_ASK_EXECUTOR, .type = ZVT_T_ORDER_CANCEL, .order_cancel = {.epoch = self->epoch}};
    ZVT_STR_SET(effect.order_cancel.client_order_id, order->client_order_id);
    ZVT_STR_SET(effect.order_cancel.exchange, order->exchange);
    turn_after(self, order, &effect);
    reports_trouble_add(self, order);
    turn_flush(self, order);
}
