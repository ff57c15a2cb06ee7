#include "executor_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_diag.h"
#include "zvt_map.h"
#include "zvt_planted.h"
#include "zvt_stats.h"

typedef struct {
    bool linked;                  /* the gateway answers */
    bool reachable;               /* the gateway said that the venue answers it */
    uint64_t gateway_incarnation; /* the gateway's run; 0: never answered */
    uint64_t epoch;               /* stored by the gateway */
    uint64_t venue_seq;           /* the account's last report number that is known */
    uint64_t incarnation;         /* the venue's run, as the gateway told it */
    pacer_core_t *pacer;          /* what waits for its limits */
} executor_venue_t;

/* A send whose first report has not come. */
typedef struct {
    char client_order_id[ZVT_CLIENT_ORDER_SIZE]; /* padded with NULs; empty once answered */
    uint32_t venue;
    uint64_t epoch;
    int64_t sent_ns; /* monotonic */
} send_t;

struct executor_core {
    const zvt_fleet_t *fleet;
    router_core_t *router;
    executor_out_t out;
    uint64_t epoch;              /* durable, and obeyed */
    uint64_t seen_epoch;         /* the highest that was shown here: above epoch for as long as it cannot be stored */
    uint64_t acknowledged_epoch; /* as told to the orchestrator last */
    bool halted;
    char halt_reason[ZVT_MESSAGE_SIZE];
    executor_venue_t venues[ZVT_VENUES_MAX];
    zvt_map_t *by_client_order_id; /* to a place in sends */
    uint32_t sends_first;          /* sends wait in the order they left, so the oldest times out first */
    uint32_t sends_count;          /* answered ones behind the oldest included */
    int64_t circuits_ns;           /* monotonic: when the circuits are told again */
    send_t sends[EXECUTOR_IN_FLIGHT_MAX];
};

executor_core_t *executor_core_new(const zvt_fleet_t *fleet, router_core_t *router, const executor_out_t *out,
                                   uint64_t stored_epoch)
{
    executor_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->fleet = fleet;
    self->router = router;
    self->out = *out;
    self->epoch = self->seen_epoch = stored_epoch;
    self->by_client_order_id = zvt_map_new(ZVT_CLIENT_ORDER_SIZE, EXECUTOR_IN_FLIGHT_MAX);
    for (uint32_t i = 0; i < fleet->venues_count; i++)
        self->venues[i].pacer = pacer_core_new(fleet->venues[i].orders_per_second, fleet->venues[i].cancels_per_second);
    return self;
}

void executor_core_destroy(executor_core_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->by_client_order_id);
    for (uint32_t i = 0; i < (*self)->fleet->venues_count; i++) pacer_core_destroy(&(*self)->venues[i].pacer);
    free(*self);
    *self = NULL;
}

uint64_t executor_core_epoch(const executor_core_t *self)
{
    return self->epoch;
}

uint64_t executor_core_acknowledged_epoch(const executor_core_t *self)
{
    uint64_t lowest = UINT64_MAX;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++)
        if (self->venues[i].linked && self->venues[i].epoch < lowest) lowest = self->venues[i].epoch;
    return lowest == UINT64_MAX ? 0 : lowest;
}

bool executor_core_reachable(const executor_core_t *self, uint32_t venue)
{
    return self->venues[venue].linked && self->venues[venue].reachable;
}

uint64_t executor_core_venue_seq(const executor_core_t *self, uint32_t venue)
{
    return self->venues[venue].venue_seq;
}

uint32_t executor_core_in_flight(const executor_core_t *self)
{
    return zvt_map_count(self->by_client_order_id);
}

const pacer_core_t *executor_core_pacer(const executor_core_t *self, uint32_t venue)
{
    return self->venues[venue].pacer;
}

/* ---- orders that are refused ---- */

/* Answers an order that no venue will ever see. venue_seq 0 says so, and that the answer is final. */
static void s_refuse_order(executor_core_t *self, const zvt_order_send_t *order, uint8_t code, const char *message)
{
    zvt_report_t report = {.kind = ZVT_REPORT_KIND_REJECTED, .side = order->side, .code = code};
    ZVT_STR_SET(report.exchange, order->exchange);
    ZVT_STR_SET(report.client_order_id, order->client_order_id);
    ZVT_STR_SET(report.symbol, order->symbol);
    ZVT_STR_SET(report.message, message);
    self->out.to_orchestrator(self->out.arg, ZVT_T_REPORT, &report);
}

static void s_refuse_cut_off(executor_core_t *self, uint32_t venue, const zvt_order_send_t *order)
{
    const breaker_t *breaker = router_core_breaker(self->router, venue);
    char message[ZVT_MESSAGE_SIZE];
    ZVT_COUNT("orders_cut_off");
    snprintf(message, sizeof message, "circuit=%s reason=%s failures=%" PRIu32,
             zvt_enum_text(ZVT_ENUM_OF_CIRCUIT, breaker->state), zvt_code_text(breaker->reason), breaker->failures);
    s_refuse_order(self, order, ZVT_CODE_CIRCUIT_OPEN, message);
}

static void s_refuse_halted(executor_core_t *self, const zvt_order_send_t *order)
{
    ZVT_COUNT("orders_halted");
    s_refuse_order(self, order, ZVT_CODE_HALTED, self->halt_reason);
}

/* ---- circuit breakers ---- */
static void s_tell_circuit(executor_core_t *self, uint32_t venue, executor_now_t now)
{
    const breaker_t *breaker = router_core_breaker(self->router, venue);
    zvt_circuit_notice_t notice = {.state = breaker->state, .reason = breaker->reason, .failures = breaker->failures};
    bool timed = breaker->state == ZVT_CIRCUIT_OPEN && breaker->retry_ns != 0;
    if (timed) notice.retry_at_ns = now.utc_ns + (breaker->retry_ns - now.monotonic_ns);
    ZVT_STR_SET(notice.exchange, self->fleet->venues[venue].name);
    self->out.to_orchestrator(self->out.arg, ZVT_T_CIRCUIT_NOTICE, &notice);
}

void executor_core_tell_circuits(executor_core_t *self, executor_now_t now)
{
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) s_tell_circuit(self, i, now);
}

/* What waits for a venue whose circuit opened can go elsewhere at once. */
static void s_circuit_changed(executor_core_t *self, uint32_t venue, executor_now_t now)
{
    const breaker_t *breaker = router_core_breaker(self->router, venue);
    zvt_order_send_t order;
    zvt_info("circuit of %s is %s: %s, %" PRIu32 " failures in a row", self->fleet->venues[venue].name,
             zvt_enum_text(ZVT_ENUM_OF_CIRCUIT, breaker->state), zvt_code_text(breaker->reason), breaker->failures);
    if (breaker->state == ZVT_CIRCUIT_CLOSED) ZVT_COUNT("circuits_closed");
    s_tell_circuit(self, venue, now);
    if (breaker->state != ZVT_CIRCUIT_OPEN) return;
    ZVT_COUNT("circuits_opened");
    while (pacer_core_pop_order(self->venues[venue].pacer, &order)) s_refuse_cut_off(self, venue, &order);
}

static void s_note_failure(executor_core_t *self, uint32_t venue, int64_t sent_ns, uint8_t code, executor_now_t now)
{
    int64_t rate_e8 = venue_health_failure_rate_e8(router_core_health(self->router, venue), now.monotonic_ns);
    if (breaker_core_on_failure(router_core_breaker(self->router, venue), sent_ns, code, rate_e8, now.monotonic_ns))
        s_circuit_changed(self, venue, now);
}

static void s_note_success(executor_core_t *self, uint32_t venue, int64_t sent_ns, executor_now_t now)
{
    if (breaker_core_on_success(router_core_breaker(self->router, venue), sent_ns, now.monotonic_ns))
        s_circuit_changed(self, venue, now);
}

static void s_note_connection(executor_core_t *self, uint32_t venue, executor_now_t now)
{
    breaker_t *breaker = router_core_breaker(self->router, venue);
    bool changed = executor_core_reachable(self, venue) ? breaker_core_on_connected(breaker, now.monotonic_ns)
                                                        : breaker_core_on_disconnected(breaker, now.monotonic_ns);
    if (changed) s_circuit_changed(self, venue, now);
}

/* ---- sends that are being measured ---- */
static send_t *s_send_at(executor_core_t *self, uint32_t place)
{
    return &self->sends[(self->sends_first + place) % EXECUTOR_IN_FLIGHT_MAX];
}

static void s_forget_send(executor_core_t *self, send_t *send)
{
    (void)zvt_map_remove(self->by_client_order_id, send->client_order_id);
    send->client_order_id[0] = '\0';
    while (self->sends_count > 0 && s_send_at(self, 0)->client_order_id[0] == '\0') {
        self->sends_first = (self->sends_first + 1) % EXECUTOR_IN_FLIGHT_MAX;
        self->sends_count--;
    }
}

static bool s_is_under_way(const executor_core_t *self, const zvt_order_send_t *order)
{
    return zvt_map_get(self->by_client_order_id, order->client_order_id) != ZVT_MAP_NONE;
}

static void s_measure_send(executor_core_t *self, uint32_t venue, const zvt_order_send_t *order, int64_t now_ns)
{
    if (order->client_order_id[0] == '\0') return;
    if (self->sends_count == EXECUTOR_IN_FLIGHT_MAX) {
        ZVT_COUNT("sends_unmeasured");
        return;
    }
    send_t *send = s_send_at(self, self->sends_count++);
    *send = (send_t){.venue = venue, .epoch = order->epoch, .sent_ns = now_ns};
    ZVT_STR_SET(send->client_order_id, order->client_order_id);
    ZVT_ASSERT(zvt_map_put(self->by_client_order_id, send->client_order_id, (uint32_t)(send - self->sends)) == 0);
    breaker_core_on_sent(router_core_breaker(self->router, venue));
}

/* Refusals that say something about the venue and not about the order. */
static const bool s_is_venue_failure[UINT8_MAX + 1] = {
    [ZVT_CODE_OVERLOADED] = true,     [ZVT_CODE_NOT_READY] = true,   [ZVT_CODE_MARKET_CLOSED] = true,
    [ZVT_CODE_ORDER_EXPIRED] = true,  [ZVT_CODE_VENUE_LIMIT] = true, [ZVT_CODE_VENUE_UNREACHABLE] = true,
    [ZVT_CODE_SERVICE_TIMEOUT] = true, [ZVT_CODE_INTERNAL] = true,
};

/* Those that say that trying again soon does not help: the circuit opens on them. A closed market, an order that was
 * late and a limit that was overrun are told to routing in other ways. */
static const bool s_trips_circuit[UINT8_MAX + 1] = {
    [ZVT_CODE_OVERLOADED] = true, [ZVT_CODE_NOT_READY] = true, [ZVT_CODE_VENUE_UNREACHABLE] = true,
    [ZVT_CODE_SERVICE_TIMEOUT] = true, [ZVT_CODE_INTERNAL] = true,
};

static void s_measure_report(executor_core_t *self, const zvt_report_t *report, executor_now_t now)
{
    uint32_t place = zvt_map_get(self->by_client_order_id, report->client_order_id);
    if (place == ZVT_MAP_NONE) return;
    send_t *send = &self->sends[place];
    bool failed = report->kind == ZVT_REPORT_KIND_REJECTED && s_is_venue_failure[report->code];
    if (failed) ZVT_COUNT("venue_failures");
    int64_t sent_ns = send->sent_ns, took_ns = now.monotonic_ns - sent_ns;
    venue_health_on_answer(router_core_health(self->router, send->venue), took_ns, failed, now.monotonic_ns);
    static zvt_histogram_t *latency;
    if (latency == NULL) latency = zvt_histogram("send_to_report");
    zvt_histogram_add(latency, took_ns);
    uint32_t venue = send->venue;
    s_forget_send(self, send);
    if (failed && s_trips_circuit[report->code])
        s_note_failure(self, venue, sent_ns, report->code, now);
    else
        s_note_success(self, venue, sent_ns, now);
}

/* What a gateway has of an older epoch it drops without a word: that silence says nothing about the venue. */
static void s_give_up(executor_core_t *self, const send_t *send, executor_now_t now)
{
    breaker_t *breaker = router_core_breaker(self->router, send->venue);
    if (send->epoch < self->seen_epoch) {
        ZVT_COUNT("sends_fenced");
        breaker_core_on_no_outcome(breaker, send->sent_ns);
        return;
    }
    ZVT_COUNT("sends_unanswered");
    if (zvt_diag_allowed())
        zvt_warn("venue %s has not answered %s within %" PRId64 " ms", self->fleet->venues[send->venue].name,
                 send->client_order_id, EXECUTOR_PATIENCE_NS / ZVT_MS_NS);
    venue_health_on_silence(router_core_health(self->router, send->venue), now.monotonic_ns);
    s_note_failure(self, send->venue, send->sent_ns, ZVT_CODE_SERVICE_TIMEOUT, now);
}

static void s_give_up_unanswered(executor_core_t *self, executor_now_t now)
{
    while (self->sends_count > 0) {
        send_t *oldest = s_send_at(self, 0), send = *oldest; /* never an answered one: those are dropped at once */
        if (now.monotonic_ns - send.sent_ns < EXECUTOR_PATIENCE_NS) return;
        s_forget_send(self, oldest);
        s_give_up(self, &send, now);
    }
}

/* ---- fence ---- */

static bool s_is_fenced(const executor_core_t *self, uint64_t epoch)
{
    if (epoch >= self->seen_epoch || ZVT_PLANTED(NO_FENCE)) return false;
    ZVT_COUNT("fenced");
    if (zvt_diag_allowed())
        zvt_warn("dropped a command of epoch %" PRIu64 ": epoch %" PRIu64 " has taken over", epoch, self->seen_epoch);
    return true;
}

/* Another writer has taken over, and asks about what waits here: it goes at once, and takes none of the venue's limit. */
static void s_drop_waiting(executor_core_t *self)
{
    zvt_order_send_t order;
    if (ZVT_PLANTED(NO_FENCE)) return;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++)
        while (pacer_core_pop_order(self->venues[i].pacer, &order)) (void)s_is_fenced(self, order.epoch);
}

/* True when a writer with this epoch may be obeyed; a higher one than before is made durable first. One that cannot be
 * stored is not obeyed, but it ends those before it all the same. */
static bool s_passes_fence(executor_core_t *self, uint64_t epoch)
{
    if (s_is_fenced(self, epoch)) return false;
    if (epoch > self->seen_epoch) {
        self->seen_epoch = epoch;
        s_drop_waiting(self);
    }
    if (epoch <= self->epoch) return true;
    if (self->out.store_epoch(self->out.arg, epoch) != 0) {
        ZVT_COUNT("epoch_not_stored");
        return false;
    }
    self->epoch = epoch;
    self->out.tell_gateways(self->out.arg);
    return true;
}

bool executor_core_on_hello(executor_core_t *self, const zvt_hello_t *hello)
{
    return hello->role == ZVT_ROLE_ORCHESTRATOR && hello->epoch >= self->seen_epoch && s_passes_fence(self, hello->epoch);
}

/* ---- telling the orchestrator ---- */
static void s_tell_tip(executor_core_t *self, uint32_t venue)
{
    const executor_venue_t *known = &self->venues[venue];
    zvt_reports_tip_t tip = {.venue_seq = known->venue_seq,
                             .incarnation = known->incarnation,
                             .reachable = executor_core_reachable(self, venue),
                             .epoch = known->epoch};
    ZVT_STR_SET(tip.exchange, self->fleet->venues[venue].name);
    self->out.to_orchestrator(self->out.arg, ZVT_T_REPORTS_TIP, &tip);
}

void executor_core_tell_tips(executor_core_t *self)
{
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) s_tell_tip(self, i);
}

static void s_tell_acknowledged_epoch(executor_core_t *self)
{
    uint64_t acknowledged = executor_core_acknowledged_epoch(self);
    if (acknowledged == self->acknowledged_epoch) return;
    self->acknowledged_epoch = acknowledged;
    self->out.tell_orchestrator(self->out.arg);
}

/* ---- routes ---- */
void executor_core_route(executor_core_t *self, const zvt_route_request_t *request, int64_t now_ns, zvt_route_reply_t *reply)
{
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        const pacer_core_t *pacer = self->venues[i].pacer;
        int64_t wait_ns = pacer_core_orders(pacer) == 0 ? 0 : pacer_core_wait_ns(pacer, now_ns);
        router_core_on_wait(self->router, i, wait_ns, wait_ns <= PACER_PATIENCE_NS);
    }
    router_core_route(self->router, request, now_ns, reply);
}

/* ---- requests ---- */
typedef struct {
    uint32_t venue; /* index in the fleet file */
    uint8_t code;   /* OK, or why nothing can be sent there */
} target_t;

static target_t s_target(const executor_core_t *self, const char *exchange)
{
    int venue = zvt_fleet_venue(self->fleet, exchange);
    if (venue < 0) return (target_t){.code = ZVT_CODE_UNKNOWN_VENUE};
    bool linked = self->venues[venue].linked;
    return (target_t){.venue = (uint32_t)venue, .code = linked ? ZVT_CODE_OK : ZVT_CODE_VENUE_UNREACHABLE};
}

static const char *s_refusal_text(uint8_t code)
{
    return code == ZVT_CODE_UNKNOWN_VENUE ? "not among the venues of the fleet file" : "no connection to the venue's gateway";
}

/* Sends an order on its way for good. */
static void s_dispatch_order(executor_core_t *self, uint32_t venue, const zvt_order_send_t *order, executor_now_t now)
{
    ZVT_COUNT("orders_sent");
    s_measure_send(self, venue, order, now.monotonic_ns);
    self->out.to_gateway(self->out.arg, venue, ZVT_T_ORDER_SEND, order);
}

static bool s_refuse_expired(executor_core_t *self, const zvt_order_send_t *order, executor_now_t now)
{
    char message[ZVT_MESSAGE_SIZE];
    if (order->expires_at_ns == 0 || order->expires_at_ns >= now.utc_ns || ZVT_PLANTED(SEND_EXPIRED)) return false;
    ZVT_COUNT("orders_expired");
    snprintf(message, sizeof message, "late_ms=%" PRId64 " at=executor", (now.utc_ns - order->expires_at_ns) / ZVT_MS_NS);
    s_refuse_order(self, order, ZVT_CODE_ORDER_EXPIRED, message);
    return true;
}

static bool s_refuse_unsendable(executor_core_t *self, target_t target, const zvt_order_send_t *order, executor_now_t now)
{
    if (self->halted) {
        s_refuse_halted(self, order);
    } else if (target.code == ZVT_CODE_UNKNOWN_VENUE) {
        ZVT_COUNT("orders_refused");
        s_refuse_order(self, order, target.code, s_refusal_text(target.code));
    } else if (target.code != ZVT_CODE_OK) {
        ZVT_COUNT("orders_unreachable");
        s_refuse_order(self, order, target.code, s_refusal_text(target.code));
    } else if (!breaker_core_passes(router_core_breaker(self->router, target.venue))) {
        s_refuse_cut_off(self, target.venue, order);
    } else {
        return s_refuse_expired(self, order, now);
    }
    return true;
}

static void s_refuse_throttled(executor_core_t *self, uint32_t venue, const zvt_order_send_t *order, int64_t now_ns)
{
    const pacer_core_t *pacer = self->venues[venue].pacer;
    char message[ZVT_MESSAGE_SIZE];
    ZVT_COUNT("orders_throttled");
    snprintf(message, sizeof message, "orders_per_second=%" PRId64 " waiting=%" PRIu32 " wait_ms=%" PRId64,
             self->fleet->venues[venue].orders_per_second, pacer_core_orders(pacer),
             pacer_core_wait_ns(pacer, now_ns) / ZVT_MS_NS);
    s_refuse_order(self, order, ZVT_CODE_VENUE_THROTTLED, message);
}

/* A second copy of an order that is under way is not judged again: refusing it would call an order dead that lives. */
static bool s_is_second_copy(executor_core_t *self, target_t target, const zvt_order_send_t *order)
{
    if (target.code != ZVT_CODE_OK) return false;
    bool under_way = s_is_under_way(self, order);
    if (under_way) self->out.to_gateway(self->out.arg, target.venue, ZVT_T_ORDER_SEND, order);
    return under_way || pacer_core_holds(self->venues[target.venue].pacer, order->client_order_id);
}

static void s_on_order_send(executor_core_t *self, const zvt_record_t *record, executor_now_t now)
{
    const zvt_order_send_t *order = &record->order_send;
    if (!s_passes_fence(self, order->epoch)) return;
    target_t target = s_target(self, order->exchange);
    if (s_is_second_copy(self, target, order)) return;
    if (s_refuse_unsendable(self, target, order, now)) return;
    switch (pacer_core_on_order(self->venues[target.venue].pacer, order, now)) {
    case PACER_GO: s_dispatch_order(self, target.venue, order, now); break;
    case PACER_WAITS: ZVT_COUNT("orders_paced"); break;
    case PACER_FULL: s_refuse_throttled(self, target.venue, order, now.monotonic_ns); break;
    }
}

/* ---- cancels ---- */
static void s_answer_cancel(executor_core_t *self, const zvt_order_cancel_t *cancel, uint8_t code, const char *message)
{
    zvt_cancel_result_t result = {.code = code};
    ZVT_STR_SET(result.client_order_id, cancel->client_order_id);
    ZVT_STR_SET(result.exchange, cancel->exchange);
    ZVT_STR_SET(result.message, message);
    self->out.to_orchestrator(self->out.arg, ZVT_T_CANCEL_RESULT, &result);
}

static void s_pace_cancel(executor_core_t *self, uint32_t venue, const zvt_order_cancel_t *cancel, executor_now_t now)
{
    switch (pacer_core_on_cancel(self->venues[venue].pacer, cancel, now.monotonic_ns)) {
    case PACER_GO: self->out.to_gateway(self->out.arg, venue, ZVT_T_ORDER_CANCEL, cancel); break;
    case PACER_WAITS: ZVT_COUNT("cancels_paced"); break;
    case PACER_FULL:
        ZVT_COUNT("cancels_throttled");
        s_answer_cancel(self, cancel, ZVT_CODE_VENUE_THROTTLED, "too many cancels wait for the venue; ask again");
        break;
    }
}

/* An order that still waits for the venue's limit ends here; nobody else has seen it. */
static void s_on_order_cancel(executor_core_t *self, const zvt_record_t *record, executor_now_t now)
{
    const zvt_order_cancel_t *cancel = &record->order_cancel;
    zvt_order_send_t waiting;
    if (!s_passes_fence(self, cancel->epoch)) return;
    target_t target = s_target(self, cancel->exchange);
    if (target.code != ZVT_CODE_OK)
        s_answer_cancel(self, cancel, target.code, s_refusal_text(target.code));
    else if (pacer_core_drop_order(self->venues[target.venue].pacer, cancel->client_order_id, ZVT_CLIENT_ORDER_SIZE, &waiting))
        s_refuse_order(self, &waiting, ZVT_CODE_CANCEL_REQUESTED, "canceled before it was sent");
    else
        s_pace_cancel(self, target.venue, cancel, now);
}

void executor_core_cancel(executor_core_t *self, uint32_t venue, const char *client_order_id, executor_now_t now)
{
    uint64_t known = self->venues[venue].epoch;
    zvt_order_cancel_t cancel = {.epoch = known > self->epoch ? known : self->epoch};
    ZVT_STR_SET(cancel.client_order_id, client_order_id);
    ZVT_STR_SET(cancel.exchange, self->fleet->venues[venue].name);
    s_pace_cancel(self, venue, &cancel, now);
}

uint32_t executor_core_withdraw(executor_core_t *self, const char *client_order_id, size_t length)
{
    uint32_t count = 0;
    zvt_order_send_t order;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++)
        for (; pacer_core_drop_order(self->venues[i].pacer, client_order_id, length, &order); count++)
            s_refuse_order(self, &order, ZVT_CODE_CANCEL_REQUESTED, "canceled before it was sent");
    return count;
}

void executor_core_halt(executor_core_t *self, const char *reason)
{
    zvt_order_send_t order;
    self->halted = reason != NULL;
    ZVT_STR_SET(self->halt_reason, reason != NULL ? reason : "");
    router_core_halt(self->router, reason);
    for (uint32_t i = 0; i < self->fleet->venues_count && self->halted; i++)
        while (pacer_core_pop_order(self->venues[i].pacer, &order)) s_refuse_halted(self, &order);
}

static void s_on_order_query(executor_core_t *self, const zvt_record_t *record, executor_now_t now)
{
    (void)now;
    const zvt_order_query_t *query = &record->order_query;
    if (query->tombstone && !s_passes_fence(self, query->epoch)) return;
    target_t target = s_target(self, query->exchange);
    zvt_order_send_t waiting;
    if (target.code == ZVT_CODE_OK) {
        /* The venue is about to be told that it never comes. */
        if (query->tombstone)
            (void)pacer_core_drop_order(self->venues[target.venue].pacer, query->client_order_id, ZVT_CLIENT_ORDER_SIZE, &waiting);
        self->out.to_gateway(self->out.arg, target.venue, ZVT_T_ORDER_QUERY, query);
        return;
    }
    zvt_order_status_t status = {.code = target.code};
    ZVT_STR_SET(status.client_order_id, query->client_order_id);
    ZVT_STR_SET(status.exchange, query->exchange);
    self->out.to_orchestrator(self->out.arg, ZVT_T_ORDER_STATUS, &status);
}

static void s_on_reports_since(executor_core_t *self, const zvt_record_t *record, executor_now_t now)
{
    (void)now;
    const zvt_reports_since_t *since = &record->reports_since;
    target_t target = s_target(self, since->exchange);
    if (target.code == ZVT_CODE_OK) {
        self->out.to_gateway(self->out.arg, target.venue, ZVT_T_REPORTS_SINCE, since);
        return;
    }
    zvt_reports_tip_t tip = {.cursor = since->cursor, .reachable = false};
    ZVT_STR_SET(tip.exchange, since->exchange);
    if (target.code == ZVT_CODE_VENUE_UNREACHABLE) tip.venue_seq = self->venues[target.venue].venue_seq;
    self->out.to_orchestrator(self->out.arg, ZVT_T_REPORTS_TIP, &tip);
}

static void s_on_account_query(executor_core_t *self, const zvt_record_t *record, executor_now_t now)
{
    (void)now;
    const zvt_account_query_t *query = &record->account_query;
    target_t target = s_target(self, query->exchange);
    if (target.code == ZVT_CODE_OK) {
        self->out.to_gateway(self->out.arg, target.venue, ZVT_T_ACCOUNT_QUERY, query);
        return;
    }
    zvt_account_snapshot_t none = {.query = query->query, .code = target.code};
    ZVT_STR_SET(none.exchange, query->exchange);
    self->out.to_orchestrator(self->out.arg, ZVT_T_ACCOUNT_SNAPSHOT, &none);
}

typedef void(request_fn)(executor_core_t *self, const zvt_record_t *record, executor_now_t now);
static request_fn *const s_requests[ZVT_T_LIMIT] = {
    [ZVT_T_ORDER_SEND] = s_on_order_send,
    [ZVT_T_ORDER_CANCEL] = s_on_order_cancel,
    [ZVT_T_ORDER_QUERY] = s_on_order_query,
    [ZVT_T_REPORTS_SINCE] = s_on_reports_since,
    [ZVT_T_ACCOUNT_QUERY] = s_on_account_query,
};

bool executor_core_on_request(executor_core_t *self, const zvt_record_t *record, executor_now_t now)
{
    request_fn *handle = s_requests[record->type];
    if (handle == NULL) return false;
    handle(self, record, now);
    return true;
}

/* ---- the gateways ---- */
static executor_venue_t *s_venue(executor_core_t *self, uint32_t venue)
{
    ZVT_ASSERT(venue < self->fleet->venues_count);
    return &self->venues[venue];
}

static void s_reachable_changed(executor_core_t *self, uint32_t venue, executor_now_t now)
{
    router_core_on_reachable(self->router, venue, executor_core_reachable(self, venue));
    s_note_connection(self, venue, now);
}

/* The gateway's tip may come in the same message before its hello, so nothing that a tip told is taken back here. */
void executor_core_on_gateway_up(executor_core_t *self, uint32_t venue, const zvt_hello_t *gateway, executor_now_t now)
{
    executor_venue_t *known = s_venue(self, venue);
    known->linked = true;
    known->epoch = gateway->epoch;
    /* A writer that the gateway would not obey must learn that it has to take a higher epoch: it hears of ours. */
    if (gateway->epoch > self->seen_epoch) (void)s_passes_fence(self, gateway->epoch);
    if (gateway->cursor > known->venue_seq) known->venue_seq = gateway->cursor;
    bool new_run = known->gateway_incarnation != 0 && gateway->incarnation != known->gateway_incarnation;
    if (new_run && known->reachable) {
        /* It was away, however shortly, and may have taken orders with it: the orchestrator must ask about them, and the
         * circuit says that this connection is on trial, as it does when the silence was long enough to be noticed. */
        known->reachable = false;
        s_reachable_changed(self, venue, now);
        s_tell_tip(self, venue);
        known->reachable = true;
    }
    if (gateway->incarnation != known->gateway_incarnation) router_core_forget_market(self->router, venue);
    known->gateway_incarnation = gateway->incarnation;
    s_reachable_changed(self, venue, now);
    zvt_info("gateway of %s answers: report %" PRIu64 ", epoch %" PRIu64, self->fleet->venues[venue].name, known->venue_seq,
             known->epoch);
    zvt_quotes_query_t query = {.symbol = ""}; /* what was published before we listened */
    self->out.to_gateway(self->out.arg, venue, ZVT_T_QUOTES_QUERY, &query);
    s_tell_tip(self, venue);
    s_tell_acknowledged_epoch(self);
}

void executor_core_on_gateway_down(executor_core_t *self, uint32_t venue, executor_now_t now)
{
    executor_venue_t *known = s_venue(self, venue);
    known->linked = false;
    known->reachable = false;
    s_reachable_changed(self, venue, now);
    zvt_warn("gateway of %s is silent; orders go elsewhere until it answers", self->fleet->venues[venue].name);
    s_tell_tip(self, venue);
    s_tell_acknowledged_epoch(self);
}

void executor_core_on_gateway_hello(executor_core_t *self, uint32_t venue, const zvt_hello_t *gateway)
{
    executor_venue_t *known = s_venue(self, venue);
    bool epoch_rose = gateway->epoch > known->epoch;
    known->epoch = gateway->epoch;
    bool tip_moved = gateway->cursor > known->venue_seq;
    if (tip_moved) known->venue_seq = gateway->cursor;
    if (tip_moved || epoch_rose) s_tell_tip(self, venue);
    s_tell_acknowledged_epoch(self);
}

static void s_on_report(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now)
{
    executor_venue_t *known = s_venue(self, venue);
    ZVT_COUNT("reports");
    s_measure_report(self, &record->report, now);
    if (record->report.venue_seq > known->venue_seq) known->venue_seq = record->report.venue_seq;
    self->out.to_orchestrator(self->out.arg, ZVT_T_REPORT, &record->report);
}

/* A tip with a new incarnation may stand lower than before: the venue lost its ledger, and the orchestrator must know. */
static void s_on_reports_tip(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now)
{
    executor_venue_t *known = s_venue(self, venue);
    const zvt_reports_tip_t *tip = &record->reports_tip;
    bool new_run = tip->incarnation != 0 && tip->incarnation != known->incarnation;
    if (new_run || tip->venue_seq > known->venue_seq) known->venue_seq = tip->venue_seq;
    if (tip->incarnation != 0) known->incarnation = tip->incarnation;
    if (tip->epoch > known->epoch) known->epoch = tip->epoch;
    if (tip->cursor == 0) {
        known->reachable = tip->reachable;
        s_reachable_changed(self, venue, now);
    }
    self->out.to_orchestrator(self->out.arg, ZVT_T_REPORTS_TIP, tip);
    s_tell_acknowledged_epoch(self);
}

/* Cancels that come by the thousand may find no room, at a gateway or a venue that is well: only an order that does says
 * that the venue cannot be used. */
static void s_on_cancel_result(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now)
{
    uint8_t code = record->cancel_result.code;
    if (s_trips_circuit[code] && code != ZVT_CODE_OVERLOADED) s_note_failure(self, venue, now.monotonic_ns, code, now);
    self->out.to_orchestrator(self->out.arg, ZVT_T_CANCEL_RESULT, &record->cancel_result);
}

static void s_on_order_status(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now)
{
    (void)venue;
    (void)now;
    self->out.to_orchestrator(self->out.arg, ZVT_T_ORDER_STATUS, &record->order_status);
}

/* Rows of an account, and the snapshot that ends them. */
static void s_on_account(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now)
{
    (void)venue;
    (void)now;
    self->out.to_orchestrator(self->out.arg, record->type, &record->hello);
}

static void s_on_quote(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now)
{
    (void)now;
    router_core_on_quote(self->router, venue, &record->price_updated);
}

/* Ends the quotes that were asked for when the gateway came up: nothing waits for it. */
static void s_on_list_end(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now)
{
    (void)self;
    (void)venue;
    (void)record;
    (void)now;
}

static void s_on_error_reply(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now)
{
    (void)now;
    ZVT_COUNT("gateway_errors");
    if (zvt_diag_allowed())
        zvt_warn("gateway of %s did not understand a message: %s %s", self->fleet->venues[venue].name,
                 zvt_code_text(record->error_reply.code), record->error_reply.message);
}

typedef void(gateway_record_fn)(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now);
static gateway_record_fn *const s_gateway_records[ZVT_T_LIMIT] = {
    [ZVT_T_REPORT] = s_on_report,
    [ZVT_T_REPORTS_TIP] = s_on_reports_tip,
    [ZVT_T_CANCEL_RESULT] = s_on_cancel_result,
    [ZVT_T_ORDER_STATUS] = s_on_order_status,
    [ZVT_T_ACCOUNT_ORDER] = s_on_account,
    [ZVT_T_ACCOUNT_ASSET] = s_on_account,
    [ZVT_T_ACCOUNT_SNAPSHOT] = s_on_account,
    [ZVT_T_PRICE_UPDATED] = s_on_quote,
    [ZVT_T_LIST_END] = s_on_list_end,
    [ZVT_T_ERROR_REPLY] = s_on_error_reply,
};

void executor_core_on_gateway_record(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now)
{
    gateway_record_fn *handle = s_gateway_records[record->type];
    if (handle != NULL) {
        handle(self, venue, record, now);
        return;
    }
    ZVT_COUNT("unexpected_records");
    if (zvt_diag_allowed()) zvt_warn("dropped a %s: a gateway has no business sending it", zvt_type_name(record->type));
}

/* ---- time ---- */
static void s_send_waiting(executor_core_t *self, uint32_t venue, executor_now_t now)
{
    pacer_core_t *pacer = self->venues[venue].pacer;
    zvt_order_cancel_t cancel;
    zvt_order_send_t order;
    if (pacer_core_orders(pacer) + pacer_core_cancels(pacer) == 0) return;
    while (pacer_core_next_cancel(pacer, now.monotonic_ns, &cancel))
        self->out.to_gateway(self->out.arg, venue, ZVT_T_ORDER_CANCEL, &cancel);
    while (pacer_core_next_order(pacer, now.monotonic_ns, &order))
        if (!s_refuse_unsendable(self, s_target(self, order.exchange), &order, now)) s_dispatch_order(self, venue, &order, now);
}

/* A notice may be dropped on its way, or meet an orchestrator that has no room: it is the state that counts, and the
 * orchestrator records it once. */
static void s_tell_circuits_again(executor_core_t *self, executor_now_t now)
{
    if (now.monotonic_ns < self->circuits_ns) return;
    self->circuits_ns = now.monotonic_ns + EXECUTOR_CIRCUITS_NS;
    executor_core_tell_circuits(self, now);
}

void executor_core_on_time(executor_core_t *self, executor_now_t now)
{
    s_tell_circuits_again(self, now);
    s_give_up_unanswered(self, now);
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        if (breaker_core_on_time(router_core_breaker(self->router, i), now.monotonic_ns)) s_circuit_changed(self, i, now);
        s_send_waiting(self, i, now);
    }
}

int64_t executor_core_next_ns(const executor_core_t *self, int64_t now_ns)
{
    int64_t next_ns = 0;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        int64_t venue_ns = pacer_core_next_ns(self->venues[i].pacer, now_ns);
        if (venue_ns != 0 && (next_ns == 0 || venue_ns < next_ns)) next_ns = venue_ns;
    }
    return next_ns;
}
