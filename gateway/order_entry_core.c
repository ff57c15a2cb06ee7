#include "order_entry_core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_diag.h"
#include "zvt_planted.h"
#include "zvt_stats.h"

typedef enum {
    ASK_NOTHING, /* answered already; leaves the FIFO when it is the oldest */
    ASK_CANCEL,
    ASK_STATUS,
    ASK_REPORTS,
    ASK_OPEN_ORDERS,
    ASK_BALANCES,
    ASK_ACCOUNT,
    ASK_KINDS
} ask_kind_t;

/* A question that the venue has not answered yet. */
typedef struct {
    ask_kind_t kind;
    zvt_peer_t peer;                             /* who asked */
    char client_order_id[ZVT_CLIENT_ORDER_SIZE]; /* CANCEL, STATUS */
    uint64_t cursor;                             /* REPORTS: as asked; ACCOUNT: the asker's number */
    uint64_t next_seq;                           /* REPORTS: the report expected next */
    int64_t deadline_ns;                         /* monotonic */
} ask_t;

struct order_entry_core {
    char venue[ZVT_VENUE_SIZE];
    gateway_adapter_t *adapter;
    order_entry_out_t out;
    uint64_t epoch;      /* durable, and obeyed */
    uint64_t seen_epoch; /* the highest that was shown here: above epoch for as long as it cannot be stored */
    bool venue_up;
    uint64_t incarnation; /* of the venue; 0: never answered */
    uint64_t venue_seq;   /* the account's last report number, as far as known */
    uint64_t claimed_seq; /* the same as the venue's last hello told it; its report may still be on the way */
    uint64_t pushed_seq;  /* the last report that was new to us and went to the executor */
    bool has_executor;
    zvt_peer_t executor;  /* the one that spoke last */
    uint32_t asks_first;
    uint32_t asks_count;  /* answered ones behind the oldest included */
    uint32_t reports_asks; /* of these, the open ones of ASK_REPORTS: there is hardly ever one */
    ask_t asks[ORDER_ENTRY_ASKS_MAX];
};

order_entry_core_t *order_entry_core_new(const char *venue, gateway_adapter_t *adapter, const order_entry_out_t *out,
                                         uint64_t stored_epoch)
{
    order_entry_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    ZVT_STR_SET(self->venue, venue);
    self->adapter = adapter;
    self->out = *out;
    self->epoch = self->seen_epoch = stored_epoch;
    return self;
}

void order_entry_core_destroy(order_entry_core_t **self)
{
    free(*self);
    *self = NULL;
}

uint64_t order_entry_core_epoch(const order_entry_core_t *self)
{
    return self->epoch;
}

uint64_t order_entry_core_venue_seq(const order_entry_core_t *self)
{
    return self->venue_seq;
}

bool order_entry_core_venue_is_up(const order_entry_core_t *self)
{
    return self->venue_up;
}

uint32_t order_entry_core_asks(const order_entry_core_t *self)
{
    return self->asks_count;
}

static void s_raise_venue_seq(order_entry_core_t *self, uint64_t venue_seq)
{
    if (venue_seq > self->venue_seq) self->venue_seq = venue_seq;
}

/* ---- sending ---- */
static void s_send(order_entry_core_t *self, const zvt_peer_t *peer, zvt_type_t type, const void *record)
{
    self->out.send(self->out.arg, peer, type, record);
}

/* Reports that nobody takes are not lost: the orchestrator asks for those after its cursor. */
static void s_send_executor(order_entry_core_t *self, zvt_type_t type, const void *record)
{
    if (self->has_executor)
        s_send(self, &self->executor, type, record);
    else
        ZVT_COUNT("reports_unclaimed");
}

static zvt_reports_tip_t s_tip(const order_entry_core_t *self, uint64_t cursor)
{
    zvt_reports_tip_t tip = {.cursor = cursor,
                             .venue_seq = self->venue_seq,
                             .incarnation = self->incarnation,
                             .reachable = self->venue_up,
                             .epoch = self->epoch};
    ZVT_STR_SET(tip.exchange, self->venue);
    return tip;
}

static void s_tell_executor(order_entry_core_t *self)
{
    if (!self->has_executor) return;
    zvt_reports_tip_t tip = s_tip(self, 0);
    s_send(self, &self->executor, ZVT_T_REPORTS_TIP, &tip);
}

/* ---- fence ---- */

/* True when a writer with this epoch may be obeyed; a higher one than before is made durable first. One that cannot be
 * stored is not obeyed, but it ends those before it all the same. */
static bool s_passes_fence(order_entry_core_t *self, uint64_t epoch)
{
    if (ZVT_PLANTED(NO_FENCE) && epoch < self->seen_epoch) return true;
    if (epoch < self->seen_epoch) {
        ZVT_COUNT("fenced");
        if (zvt_diag_allowed())
            zvt_warn("dropped a command of epoch %" PRIu64 ": epoch %" PRIu64 " has taken over", epoch, self->seen_epoch);
        return false;
    }
    self->seen_epoch = epoch;
    if (epoch == self->epoch) return true;
    if (self->out.store_epoch(self->out.arg, epoch) != 0) {
        ZVT_COUNT("epoch_not_stored");
        return false;
    }
    self->epoch = epoch;
    s_tell_executor(self);
    return true;
}

static bool s_same_peer(const zvt_peer_t *a, const zvt_peer_t *b)
{
    return a->id_length == b->id_length && memcmp(a->id, b->id, a->id_length) == 0;
}

void order_entry_core_on_hello(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_hello_t *hello)
{
    if (hello->role != ZVT_ROLE_EXECUTOR) return;
    bool is_new = !self->has_executor || !s_same_peer(&self->executor, peer);
    self->executor = *peer;
    self->has_executor = true;
    if (hello->epoch > self->epoch) (void)s_passes_fence(self, hello->epoch);
    if (is_new) s_tell_executor(self);
}

/* ---- questions that wait ---- */
static ask_t *s_ask_at(order_entry_core_t *self, uint32_t place)
{
    return &self->asks[(self->asks_first + place) % ORDER_ENTRY_ASKS_MAX];
}

static void s_pop_answered(order_entry_core_t *self)
{
    while (self->asks_count > 0 && s_ask_at(self, 0)->kind == ASK_NOTHING) {
        self->asks_first = (self->asks_first + 1) % ORDER_ENTRY_ASKS_MAX;
        self->asks_count--;
    }
}

static void s_answered(order_entry_core_t *self, ask_t *ask)
{
    if (ask->kind == ASK_REPORTS) self->reports_asks--;
    ask->kind = ASK_NOTHING;
}

static void s_ask_done(order_entry_core_t *self, ask_t *ask)
{
    s_answered(self, ask);
    s_pop_answered(self);
}

/* Each answer says why the question failed, in the form that the asker expects. */
static void s_fail_cancel(order_entry_core_t *self, const ask_t *ask, uint8_t code, const char *message)
{
    zvt_cancel_result_t result = {.code = code};
    ZVT_STR_SET(result.client_order_id, ask->client_order_id);
    ZVT_STR_SET(result.exchange, self->venue);
    ZVT_STR_SET(result.message, message);
    s_send(self, &ask->peer, ZVT_T_CANCEL_RESULT, &result);
}

static void s_fail_status(order_entry_core_t *self, const ask_t *ask, uint8_t code, const char *message)
{
    (void)message;
    zvt_order_status_t status = {.code = code, .venue_seq = self->venue_seq};
    ZVT_STR_SET(status.client_order_id, ask->client_order_id);
    ZVT_STR_SET(status.exchange, self->venue);
    s_send(self, &ask->peer, ZVT_T_ORDER_STATUS, &status);
}

static void s_fail_reports(order_entry_core_t *self, const ask_t *ask, uint8_t code, const char *message)
{
    (void)code;
    (void)message;
    zvt_reports_tip_t tip = s_tip(self, ask->cursor);
    /* The answer is not complete, whatever the venue's connection is. With cursor 0 it cannot be told from the news about that. */
    if (ask->cursor != 0) tip.reachable = false;
    s_send(self, &ask->peer, ZVT_T_REPORTS_TIP, &tip);
}

static void s_fail_list(order_entry_core_t *self, const ask_t *ask, uint8_t code, const char *message)
{
    zvt_error_reply_t reply = {.code = code};
    snprintf(reply.message, sizeof reply.message, "venue=%s %s", self->venue, message);
    s_send(self, &ask->peer, ZVT_T_ERROR_REPLY, &reply);
}

static void s_fail_account(order_entry_core_t *self, const ask_t *ask, uint8_t code, const char *message)
{
    (void)message;
    zvt_account_snapshot_t none = {.query = ask->cursor, .code = code};
    ZVT_STR_SET(none.exchange, self->venue);
    s_send(self, &ask->peer, ZVT_T_ACCOUNT_SNAPSHOT, &none);
}

typedef void(ask_fail_fn)(order_entry_core_t *self, const ask_t *ask, uint8_t code, const char *message);
static ask_fail_fn *const s_fails[ASK_KINDS] = {
    [ASK_CANCEL] = s_fail_cancel,
    [ASK_STATUS] = s_fail_status,
    [ASK_REPORTS] = s_fail_reports,
    [ASK_OPEN_ORDERS] = s_fail_list,
    [ASK_BALANCES] = s_fail_list,
    [ASK_ACCOUNT] = s_fail_account,
};

static void s_fail(order_entry_core_t *self, const ask_t *ask, uint8_t code, const char *message)
{
    ZVT_COUNT("asks_failed");
    s_fails[ask->kind](self, ask, code, message);
}

static void s_fail_all(order_entry_core_t *self, const char *message)
{
    for (uint32_t i = 0; i < self->asks_count; i++) {
        ask_t *ask = s_ask_at(self, i);
        if (ask->kind != ASK_NOTHING) s_fail(self, ask, ZVT_CODE_VENUE_UNREACHABLE, message);
        s_answered(self, ask);
    }
    s_pop_answered(self);
}

void order_entry_core_on_time(order_entry_core_t *self, order_entry_now_t now)
{
    while (self->asks_count > 0) {
        ask_t *ask = s_ask_at(self, 0); /* never ASK_NOTHING: those are popped */
        if (ask->deadline_ns > now.monotonic_ns) break;
        s_fail(self, ask, ZVT_CODE_VENUE_UNREACHABLE, "the venue did not answer in time");
        s_ask_done(self, ask);
    }
    s_tell_executor(self);
}

/* ---- requests ---- */
static int s_to_venue(order_entry_core_t *self, const zvt_record_t *record)
{
    gateway_adapter_t *adapter = self->adapter;
    switch (record->type) {
    case ZVT_T_ORDER_SEND: return adapter->place(adapter, &record->order_send);
    case ZVT_T_ORDER_CANCEL: return adapter->cancel(adapter, &record->order_cancel);
    case ZVT_T_ORDER_QUERY: return adapter->query(adapter, &record->order_query);
    case ZVT_T_REPORTS_SINCE: return adapter->reports_since(adapter, &record->reports_since);
    case ZVT_T_OPEN_ORDERS_QUERY: return adapter->open_orders(adapter, &record->open_orders_query);
    case ZVT_T_BALANCES_QUERY: return adapter->balances(adapter, &record->balances_query);
    case ZVT_T_ACCOUNT_QUERY: return adapter->account(adapter, &record->account_query);
    default: return ZVT_ERR_UNSUPPORTED;
    }
}

/* Hands a question to the venue and remembers who asked, or answers why not. */
static void s_ask(order_entry_core_t *self, const ask_t *ask, const char *exchange, const zvt_record_t *record)
{
    if (exchange[0] != '\0' && strcmp(exchange, self->venue) != 0) {
        ZVT_COUNT("asks_refused");
        s_fail(self, ask, ZVT_CODE_UNKNOWN_VENUE, "this gateway serves another venue");
        return;
    }
    if (self->asks_count == ORDER_ENTRY_ASKS_MAX) {
        ZVT_COUNT("asks_refused");
        s_fail(self, ask, ZVT_CODE_OVERLOADED, "too many questions wait for the venue; ask again");
        return;
    }
    if (s_to_venue(self, record) != 0) {
        s_fail(self, ask, ZVT_CODE_VENUE_UNREACHABLE, "no connection to the venue");
        return;
    }
    *s_ask_at(self, self->asks_count) = *ask;
    self->asks_count++;
    if (ask->kind == ASK_REPORTS) self->reports_asks++;
}

static ask_t s_new_ask(ask_kind_t kind, const zvt_peer_t *peer, order_entry_now_t now)
{
    return (ask_t){.kind = kind, .peer = *peer, .deadline_ns = now.monotonic_ns + ORDER_ENTRY_PATIENCE_NS};
}

/* Answers an order that the venue will never see. venue_seq 0 says so, and that the answer is final. */
static void s_refuse_order(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_order_send_t *order, uint8_t code,
                           const char *message)
{
    zvt_report_t report = {.kind = ZVT_REPORT_KIND_REJECTED, .side = order->side, .code = code};
    ZVT_STR_SET(report.exchange, self->venue);
    ZVT_STR_SET(report.client_order_id, order->client_order_id);
    ZVT_STR_SET(report.symbol, order->symbol);
    ZVT_STR_SET(report.message, message);
    s_send(self, self->has_executor ? &self->executor : peer, ZVT_T_REPORT, &report);
}

static void s_refuse_late_order(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_order_send_t *order,
                                order_entry_now_t now)
{
    char message[ZVT_MESSAGE_SIZE];
    ZVT_COUNT("orders_expired");
    snprintf(message, sizeof message, "late_ms=%" PRId64 " at=gateway", (now.utc_ns - order->expires_at_ns) / ZVT_MS_NS);
    s_refuse_order(self, peer, order, ZVT_CODE_ORDER_EXPIRED, message);
}

static void s_on_order_send(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_record_t *record, order_entry_now_t now)
{
    const zvt_order_send_t *order = &record->order_send;
    if (!s_passes_fence(self, order->epoch)) return;
    if (strcmp(order->exchange, self->venue) != 0) {
        ZVT_COUNT("orders_refused");
        s_refuse_order(self, peer, order, ZVT_CODE_UNKNOWN_VENUE, "this gateway serves another venue");
        return;
    }
    if (order->expires_at_ns != 0 && order->expires_at_ns < now.utc_ns && !ZVT_PLANTED(SEND_EXPIRED)) {
        s_refuse_late_order(self, peer, order, now);
        return;
    }
    int status = s_to_venue(self, record);
    if (status == 0) {
        ZVT_COUNT("orders_sent");
    } else if (status == ZVT_ERR_NOT_FOUND) {
        ZVT_COUNT("orders_refused");
        s_refuse_order(self, peer, order, ZVT_CODE_UNKNOWN_SYMBOL, "not among the instruments of the fleet file");
    } else {
        ZVT_COUNT("orders_unreachable");
        s_refuse_order(self, peer, order, ZVT_CODE_VENUE_UNREACHABLE, "no connection to the venue");
    }
}

static void s_on_order_cancel(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_record_t *record,
                              order_entry_now_t now)
{
    const zvt_order_cancel_t *cancel = &record->order_cancel;
    if (!s_passes_fence(self, cancel->epoch)) return;
    ask_t ask = s_new_ask(ASK_CANCEL, peer, now);
    ZVT_STR_SET(ask.client_order_id, cancel->client_order_id);
    s_ask(self, &ask, cancel->exchange, record);
}

/* A plain question changes nothing and anybody may ask it; a tombstone ends an order and is a writer's command. */
static void s_on_order_query(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_record_t *record, order_entry_now_t now)
{
    const zvt_order_query_t *query = &record->order_query;
    if (query->tombstone && !s_passes_fence(self, query->epoch)) return;
    ask_t ask = s_new_ask(ASK_STATUS, peer, now);
    ZVT_STR_SET(ask.client_order_id, query->client_order_id);
    s_ask(self, &ask, query->exchange, record);
}

static void s_on_reports_since(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_record_t *record,
                               order_entry_now_t now)
{
    ask_t ask = s_new_ask(ASK_REPORTS, peer, now);
    ask.cursor = record->reports_since.cursor;
    ask.next_seq = ask.cursor + 1;
    s_ask(self, &ask, record->reports_since.exchange, record);
}

static void s_on_open_orders_query(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_record_t *record,
                                   order_entry_now_t now)
{
    ask_t ask = s_new_ask(ASK_OPEN_ORDERS, peer, now);
    s_ask(self, &ask, record->open_orders_query.exchange, record);
}

static void s_on_balances_query(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_record_t *record,
                                order_entry_now_t now)
{
    ask_t ask = s_new_ask(ASK_BALANCES, peer, now);
    s_ask(self, &ask, record->balances_query.exchange, record);
}

static void s_on_account_query(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_record_t *record, order_entry_now_t now)
{
    ask_t ask = s_new_ask(ASK_ACCOUNT, peer, now);
    ask.cursor = record->account_query.query;
    s_ask(self, &ask, record->account_query.exchange, record);
}

typedef void(request_fn)(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_record_t *record, order_entry_now_t now);
static request_fn *const s_requests[ZVT_T_LIMIT] = {
    [ZVT_T_ORDER_SEND] = s_on_order_send,
    [ZVT_T_ORDER_CANCEL] = s_on_order_cancel,
    [ZVT_T_ORDER_QUERY] = s_on_order_query,
    [ZVT_T_REPORTS_SINCE] = s_on_reports_since,
    [ZVT_T_OPEN_ORDERS_QUERY] = s_on_open_orders_query,
    [ZVT_T_BALANCES_QUERY] = s_on_balances_query,
    [ZVT_T_ACCOUNT_QUERY] = s_on_account_query,
};

bool order_entry_core_on_request(order_entry_core_t *self, const zvt_peer_t *peer, const zvt_record_t *record,
                                 order_entry_now_t now)
{
    request_fn *handle = s_requests[record->type];
    if (handle == NULL) return false;
    handle(self, peer, record, now);
    return true;
}

/* ---- what the venue answers ---- */

/* The oldest question of a kind; one of an order must name it. NULL when nobody asked. */
static ask_t *s_oldest(order_entry_core_t *self, ask_kind_t kind, const char *client_order_id)
{
    for (uint32_t i = 0; i < self->asks_count; i++) {
        ask_t *ask = s_ask_at(self, i);
        if (ask->kind == kind && (client_order_id == NULL || strcmp(ask->client_order_id, client_order_id) == 0)) return ask;
    }
    return NULL;
}

static void s_unasked(zvt_type_t type)
{
    ZVT_COUNT("answers_unasked");
    zvt_debug("nobody waits for this %s", zvt_type_name(type));
}

/* The oldest question that this report, sent again by the venue, belongs to. */
static ask_t *s_asked_for_report(order_entry_core_t *self, uint64_t venue_seq)
{
    for (uint32_t i = 0; i < self->asks_count; i++) {
        ask_t *ask = s_ask_at(self, i);
        if (ask->kind == ASK_REPORTS && ask->next_seq == venue_seq) return ask;
    }
    return NULL;
}

/* A report that is new to us is the executor's, whoever asked for it besides. One sent again goes to who asked for it,
 * and to the executor when nobody did: it repeated an order. */
void order_entry_core_on_report(order_entry_core_t *self, const zvt_report_t *report)
{
    ZVT_COUNT("reports");
    bool is_new = report->venue_seq == 0 || report->venue_seq > self->pushed_seq;
    ask_t *ask = report->venue_seq == 0 || self->reports_asks == 0 ? NULL : s_asked_for_report(self, report->venue_seq);
    if (is_new || ask == NULL) s_send_executor(self, ZVT_T_REPORT, report);
    if (report->venue_seq > self->pushed_seq) self->pushed_seq = report->venue_seq;
    s_raise_venue_seq(self, report->venue_seq);
    if (ask == NULL) return;
    ask->next_seq++;
    bool sent_already = is_new && self->has_executor && s_same_peer(&ask->peer, &self->executor);
    if (!sent_already) s_send(self, &ask->peer, ZVT_T_REPORT, report);
}

void order_entry_core_on_cancel_result(order_entry_core_t *self, const zvt_cancel_result_t *result)
{
    ask_t *ask = s_oldest(self, ASK_CANCEL, result->client_order_id);
    if (ask == NULL) {
        s_unasked(ZVT_T_CANCEL_RESULT);
        return;
    }
    s_send(self, &ask->peer, ZVT_T_CANCEL_RESULT, result);
    s_ask_done(self, ask);
}

/* A status answers a question about that order, or is a row of a list of open orders, whichever was asked first. */
void order_entry_core_on_order_status(order_entry_core_t *self, const zvt_order_status_t *status)
{
    for (uint32_t i = 0; i < self->asks_count; i++) {
        ask_t *ask = s_ask_at(self, i);
        bool row = ask->kind == ASK_OPEN_ORDERS;
        bool answer = ask->kind == ASK_STATUS && strcmp(ask->client_order_id, status->client_order_id) == 0;
        if (!row && !answer) continue;
        s_send(self, &ask->peer, ZVT_T_ORDER_STATUS, status);
        if (answer) s_ask_done(self, ask);
        return;
    }
    s_unasked(ZVT_T_ORDER_STATUS);
}

static ask_t *s_asked_reports(order_entry_core_t *self, uint64_t cursor)
{
    for (uint32_t i = 0; i < self->asks_count; i++) {
        ask_t *ask = s_ask_at(self, i);
        if (ask->kind == ASK_REPORTS && ask->cursor == cursor) return ask;
    }
    return NULL;
}

void order_entry_core_on_reports_end(order_entry_core_t *self, const zvt_reports_tip_t *tip)
{
    s_raise_venue_seq(self, tip->venue_seq);
    ask_t *ask = s_asked_reports(self, tip->cursor);
    if (ask == NULL) {
        s_tell_executor(self);
        return;
    }
    zvt_reports_tip_t answer = s_tip(self, tip->cursor);
    answer.venue_seq = tip->venue_seq;
    s_send(self, &ask->peer, ZVT_T_REPORTS_TIP, &answer);
    s_ask_done(self, ask);
}

void order_entry_core_on_balance(order_entry_core_t *self, const zvt_balance_t *balance)
{
    ask_t *ask = s_oldest(self, ASK_BALANCES, NULL);
    if (ask == NULL)
        s_unasked(ZVT_T_BALANCE);
    else
        s_send(self, &ask->peer, ZVT_T_BALANCE, balance);
}

void order_entry_core_on_list_end(order_entry_core_t *self, const zvt_list_end_t *end)
{
    for (uint32_t i = 0; i < self->asks_count; i++) {
        ask_t *ask = s_ask_at(self, i);
        if (ask->kind != ASK_OPEN_ORDERS && ask->kind != ASK_BALANCES) continue;
        s_send(self, &ask->peer, ZVT_T_LIST_END, end);
        s_ask_done(self, ask);
        return;
    }
    s_unasked(ZVT_T_LIST_END);
}

/* ---- the venue's connection ---- */
void order_entry_core_on_up(order_entry_core_t *self, uint64_t incarnation, uint64_t venue_seq)
{
    bool new_run = incarnation != self->incarnation;
    if (new_run) {
        s_fail_all(self, "the venue was restarted");
        self->pushed_seq = venue_seq; /* what it reported before is there to be asked for */
        self->incarnation = incarnation;
        self->venue_seq = venue_seq;
        self->claimed_seq = venue_seq;
    }
    self->venue_up = true;
    s_raise_venue_seq(self, venue_seq); /* reports on the way to our old socket will not come */
    zvt_info("venue %s answers: report %" PRIu64, self->venue, self->venue_seq);
    s_tell_executor(self);
}

void order_entry_core_on_down(order_entry_core_t *self)
{
    self->venue_up = false;
    zvt_warn("venue %s is silent; orders are refused until it answers", self->venue);
    s_fail_all(self, "the venue is silent");
    s_tell_executor(self);
}

/* A hello overtakes the reports that the venue still holds back for its latency. So a number counts only when the
 * report has not come by the next hello: then it was lost. */
void order_entry_core_on_tip(order_entry_core_t *self, uint64_t venue_seq)
{
    s_raise_venue_seq(self, self->claimed_seq);
    self->claimed_seq = venue_seq;
}

/* ---- accounts ---- */

/* The question that a row with the asker's number belongs to; NULL when nobody waits for it. */
static ask_t *s_asked_account(order_entry_core_t *self, uint64_t query, zvt_type_t type)
{
    for (uint32_t i = 0; i < self->asks_count; i++) {
        ask_t *ask = s_ask_at(self, i);
        if (ask->kind == ASK_ACCOUNT && ask->cursor == query) return ask;
    }
    s_unasked(type);
    return NULL;
}

void order_entry_core_on_account_order(order_entry_core_t *self, const zvt_account_order_t *row)
{
    const ask_t *ask = s_asked_account(self, row->query, ZVT_T_ACCOUNT_ORDER);
    if (ask != NULL) s_send(self, &ask->peer, ZVT_T_ACCOUNT_ORDER, row);
}

void order_entry_core_on_account_asset(order_entry_core_t *self, const zvt_account_asset_t *row)
{
    const ask_t *ask = s_asked_account(self, row->query, ZVT_T_ACCOUNT_ASSET);
    if (ask != NULL) s_send(self, &ask->peer, ZVT_T_ACCOUNT_ASSET, row);
}

void order_entry_core_on_account_snapshot(order_entry_core_t *self, const zvt_account_snapshot_t *end)
{
    ask_t *ask = s_asked_account(self, end->query, ZVT_T_ACCOUNT_SNAPSHOT);
    if (ask == NULL) return;
    s_send(self, &ask->peer, ZVT_T_ACCOUNT_SNAPSHOT, end);
    s_ask_done(self, ask);
}
