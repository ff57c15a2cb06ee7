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
} executor_venue_t;

/* A send whose first report has not come. */
typedef struct {
    char client_order_id[ZVT_CLIENT_ORDER_SIZE]; /* padded with NULs; empty once answered */
    uint32_t venue;
    int64_t sent_ns; /* monotonic */
} send_t;

struct executor_core {
    const zvt_fleet_t *fleet;
    router_core_t *router;
    executor_out_t out;
    uint64_t epoch;              /* durable */
    uint64_t acknowledged_epoch; /* as told to the orchestrator last */
    executor_venue_t venues[ZVT_VENUES_MAX];
    zvt_map_t *by_client_order_id; /* to a place in sends */
    uint32_t sends_first;          /* sends wait in the order they left, so the oldest times out first */
    uint32_t sends_count;          /* answered ones behind the oldest included */
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
    self->epoch = stored_epoch;
    self->by_client_order_id = zvt_map_new(ZVT_CLIENT_ORDER_SIZE, EXECUTOR_IN_FLIGHT_MAX);
    return self;
}

void executor_core_destroy(executor_core_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->by_client_order_id);
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

/* An order that is sent again counts from its first send. */
static void s_measure_send(executor_core_t *self, uint32_t venue, const zvt_order_send_t *order, int64_t now_ns)
{
    if (order->client_order_id[0] == '\0') return;
    if (zvt_map_get(self->by_client_order_id, order->client_order_id) != ZVT_MAP_NONE) return;
    if (self->sends_count == EXECUTOR_IN_FLIGHT_MAX) {
        ZVT_COUNT("sends_unmeasured");
        return;
    }
    send_t *send = s_send_at(self, self->sends_count++);
    *send = (send_t){.venue = venue, .sent_ns = now_ns};
    ZVT_STR_SET(send->client_order_id, order->client_order_id);
    ZVT_ASSERT(zvt_map_put(self->by_client_order_id, send->client_order_id, (uint32_t)(send - self->sends)) == 0);
}

/* Refusals that say something about the venue and not about the order. */
static const bool s_is_venue_failure[UINT8_MAX + 1] = {
    [ZVT_CODE_OVERLOADED] = true,     [ZVT_CODE_NOT_READY] = true,   [ZVT_CODE_MARKET_CLOSED] = true,
    [ZVT_CODE_ORDER_EXPIRED] = true,  [ZVT_CODE_VENUE_LIMIT] = true, [ZVT_CODE_VENUE_UNREACHABLE] = true,
    [ZVT_CODE_SERVICE_TIMEOUT] = true, [ZVT_CODE_INTERNAL] = true,
};

static void s_measure_report(executor_core_t *self, const zvt_report_t *report, int64_t now_ns)
{
    uint32_t place = zvt_map_get(self->by_client_order_id, report->client_order_id);
    if (place == ZVT_MAP_NONE) return;
    send_t *send = &self->sends[place];
    bool failed = report->kind == ZVT_REPORT_KIND_REJECTED && s_is_venue_failure[report->code];
    if (failed) ZVT_COUNT("venue_failures");
    venue_health_on_answer(router_core_health(self->router, send->venue), now_ns - send->sent_ns, failed, now_ns);
    zvt_histogram_add(zvt_histogram("send_to_report"), now_ns - send->sent_ns);
    s_forget_send(self, send);
}

void executor_core_on_time(executor_core_t *self, executor_now_t now)
{
    while (self->sends_count > 0) {
        send_t *send = s_send_at(self, 0); /* never an answered one: those are dropped at once */
        if (now.monotonic_ns - send->sent_ns < EXECUTOR_PATIENCE_NS) return;
        ZVT_COUNT("sends_unanswered");
        if (zvt_diag_allowed())
            zvt_warn("venue %s has not answered %s within %" PRId64 " ms", self->fleet->venues[send->venue].name,
                     send->client_order_id, EXECUTOR_PATIENCE_NS / ZVT_MS_NS);
        venue_health_on_silence(router_core_health(self->router, send->venue), now.monotonic_ns);
        s_forget_send(self, send);
    }
}

/* ---- fence ---- */

/* True when a writer with this epoch may be obeyed; a higher one than before is made durable first. */
static bool s_passes_fence(executor_core_t *self, uint64_t epoch)
{
    if (ZVT_PLANTED(NO_FENCE) && epoch < self->epoch) return true;
    if (epoch < self->epoch) {
        ZVT_COUNT("fenced");
        if (zvt_diag_allowed())
            zvt_warn("dropped a command of epoch %" PRIu64 ": epoch %" PRIu64 " has taken over", epoch, self->epoch);
        return false;
    }
    if (epoch == self->epoch) return true;
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
    return hello->role == ZVT_ROLE_ORCHESTRATOR && hello->epoch >= self->epoch && s_passes_fence(self, hello->epoch);
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

static void s_on_order_send(executor_core_t *self, const zvt_record_t *record, executor_now_t now)
{
    const zvt_order_send_t *order = &record->order_send;
    if (!s_passes_fence(self, order->epoch)) return;
    target_t target = s_target(self, order->exchange);
    if (target.code != ZVT_CODE_OK) {
        if (target.code == ZVT_CODE_UNKNOWN_VENUE)
            ZVT_COUNT("orders_refused");
        else
            ZVT_COUNT("orders_unreachable");
        s_refuse_order(self, order, target.code, s_refusal_text(target.code));
        return;
    }
    if (order->expires_at_ns != 0 && order->expires_at_ns < now.utc_ns) {
        char message[ZVT_MESSAGE_SIZE];
        ZVT_COUNT("orders_expired");
        snprintf(message, sizeof message, "late_ms=%" PRId64 " at=executor", (now.utc_ns - order->expires_at_ns) / ZVT_MS_NS);
        s_refuse_order(self, order, ZVT_CODE_ORDER_EXPIRED, message);
        return;
    }
    ZVT_COUNT("orders_sent");
    s_measure_send(self, target.venue, order, now.monotonic_ns);
    self->out.to_gateway(self->out.arg, target.venue, ZVT_T_ORDER_SEND, order);
}

static void s_on_order_cancel(executor_core_t *self, const zvt_record_t *record, executor_now_t now)
{
    (void)now;
    const zvt_order_cancel_t *cancel = &record->order_cancel;
    if (!s_passes_fence(self, cancel->epoch)) return;
    target_t target = s_target(self, cancel->exchange);
    if (target.code == ZVT_CODE_OK) {
        self->out.to_gateway(self->out.arg, target.venue, ZVT_T_ORDER_CANCEL, cancel);
        return;
    }
    zvt_cancel_result_t result = {.code = target.code};
    ZVT_STR_SET(result.client_order_id, cancel->client_order_id);
    ZVT_STR_SET(result.exchange, cancel->exchange);
    ZVT_STR_SET(result.message, s_refusal_text(target.code));
    self->out.to_orchestrator(self->out.arg, ZVT_T_CANCEL_RESULT, &result);
}

static void s_on_order_query(executor_core_t *self, const zvt_record_t *record, executor_now_t now)
{
    (void)now;
    const zvt_order_query_t *query = &record->order_query;
    if (query->tombstone && !s_passes_fence(self, query->epoch)) return;
    target_t target = s_target(self, query->exchange);
    if (target.code == ZVT_CODE_OK) {
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

static void s_reachable_changed(executor_core_t *self, uint32_t venue)
{
    router_core_on_reachable(self->router, venue, executor_core_reachable(self, venue));
}

/* The gateway's tip may come in the same message before its hello, so nothing that a tip told is taken back here. */
void executor_core_on_gateway_up(executor_core_t *self, uint32_t venue, const zvt_hello_t *gateway)
{
    executor_venue_t *known = s_venue(self, venue);
    known->linked = true;
    known->epoch = gateway->epoch;
    if (gateway->cursor > known->venue_seq) known->venue_seq = gateway->cursor;
    bool new_run = known->gateway_incarnation != 0 && gateway->incarnation != known->gateway_incarnation;
    if (new_run && known->reachable) {
        /* It was away, however shortly, and may have taken orders with it: the orchestrator must ask about them. */
        known->reachable = false;
        s_tell_tip(self, venue);
        known->reachable = true;
    }
    if (gateway->incarnation != known->gateway_incarnation) router_core_forget_market(self->router, venue);
    known->gateway_incarnation = gateway->incarnation;
    s_reachable_changed(self, venue);
    zvt_info("gateway of %s answers: report %" PRIu64 ", epoch %" PRIu64, self->fleet->venues[venue].name, known->venue_seq,
             known->epoch);
    zvt_quotes_query_t query = {.symbol = ""}; /* what was published before we listened */
    self->out.to_gateway(self->out.arg, venue, ZVT_T_QUOTES_QUERY, &query);
    s_tell_tip(self, venue);
    s_tell_acknowledged_epoch(self);
}

void executor_core_on_gateway_down(executor_core_t *self, uint32_t venue)
{
    executor_venue_t *known = s_venue(self, venue);
    known->linked = false;
    known->reachable = false;
    s_reachable_changed(self, venue);
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
    s_measure_report(self, &record->report, now.monotonic_ns);
    if (record->report.venue_seq > known->venue_seq) known->venue_seq = record->report.venue_seq;
    self->out.to_orchestrator(self->out.arg, ZVT_T_REPORT, &record->report);
}

/* A tip with a new incarnation may stand lower than before: the venue lost its ledger, and the orchestrator must know. */
static void s_on_reports_tip(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now)
{
    (void)now;
    executor_venue_t *known = s_venue(self, venue);
    const zvt_reports_tip_t *tip = &record->reports_tip;
    bool new_run = tip->incarnation != 0 && tip->incarnation != known->incarnation;
    if (new_run || tip->venue_seq > known->venue_seq) known->venue_seq = tip->venue_seq;
    if (tip->incarnation != 0) known->incarnation = tip->incarnation;
    if (tip->epoch > known->epoch) known->epoch = tip->epoch;
    if (tip->cursor == 0) {
        known->reachable = tip->reachable;
        s_reachable_changed(self, venue);
    }
    self->out.to_orchestrator(self->out.arg, ZVT_T_REPORTS_TIP, tip);
    s_tell_acknowledged_epoch(self);
}

static void s_on_cancel_result(executor_core_t *self, uint32_t venue, const zvt_record_t *record, executor_now_t now)
{
    (void)venue;
    (void)now;
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
