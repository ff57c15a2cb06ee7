#include "order_entry.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "faults_core.h"
#include "outbox.h"
#include "snapshot.h"
#include "zvt_hub.h"
#include "zvt_socket.h"
#include "zvt_time.h"

enum {
    REPORTS_DEFAULT = 1000,       /* per reports.since */
    REPORTS_MAX = 4000,
    SCRATCH_SIZE = 8 << 10,       /* any one record */
    ROOM_FOR_ORDERS = 512 << 10,  /* ledger bytes below which nothing new is taken */
    ROOM_FOR_MARKET = 256 << 10,  /* .. and below which the market stands still */
    ROOM_AHEAD = 2 << 20,         /* kept ready */
    ROOM_PER_OPEN_ORDER = 512,    /* a fill of each */
    BATCH_SOFT_MAX = LEDGER_BATCH_MAX / 2, /* an order begins in a batch that has room for all it may cause */
};

#define ROOM_RETRY_NS (500 * ZVT_MS_NS)
#define GATEWAY_SILENCE_NS (500 * ZVT_MS_NS) /* two hellos of a gateway that is alive */

struct order_entry {
    order_entry_config_t config;
    const zvt_venue_config_t *venue;
    zvt_hub_t *hub;
    account_core_t *account;
    ledger_t *ledger;
    uint64_t covered_seq;      /* last report in the checkpoint that was loaded */
    outbox_t *outbox;
    outbox_t *late;            /* answers that faults hold back, all for equally long; NULL without faults */
    faults_core_t faults;
    int outbox_timer;
    zvt_buf_t scratch;         /* one packed record */
    int64_t market_ns;
    int64_t room_tried_ns;     /* monotonic: when more room was last asked for */
    bool failed;               /* a commit failed */
    bool accepted;             /* the order in hand was not rejected */

    const zvt_peer_t *asking;  /* whose record is being handled; NULL: the market moved */
    bool has_gateway;
    zvt_peer_t gateway;        /* where reports go */
    uint64_t gateway_incarnation;
    int64_t gateway_heard_ns; /* monotonic, its last hello */

    uint64_t *orders_received, *orders_rejected, *fills, *cancels, *duplicates, *tombstones, *queries, *latency_cut,
        *cancels_over_limit;
    uint64_t *faults_done[FAULT_KINDS]; /* answers sent astray; none counts FAULT_NONE */
    zvt_histogram_t *commit_latency;
};

/* ---- sending ---- */
static void s_send_due_of(order_entry_t *self, outbox_t *outbox, int64_t now_ns)
{
    outbox_entry_t entry;
    while (outbox_take(outbox, now_ns, &entry)) zvt_hub_send_packed(self->hub, &entry.peer, entry.data, entry.length);
}

static void s_send_due(order_entry_t *self, int64_t now_ns)
{
    s_send_due_of(self, self->outbox, now_ns);
    if (self->late != NULL) s_send_due_of(self, self->late, now_ns);
}

static bool s_commit(order_entry_t *self)
{
    if (self->failed) return false;
    if (ledger_pending(self->ledger) == 0) return true;
    int64_t begin_ns = zvt_monotonic_ns();
    if (ledger_commit(self->ledger) == 0) {
        zvt_histogram_add(self->commit_latency, zvt_monotonic_ns() - begin_ns);
        return true;
    }
    zvt_error("cannot write the ledger: %s; nothing of this round was answered, restarting from the ledger", strerror(errno));
    self->failed = true;
    zvt_service_exit(self->config.service, ZVT_EXIT_TEMPORARY);
    return false;
}

static void s_put(order_entry_t *self, outbox_t *outbox, int64_t delay_ms, const zvt_peer_t *peer, const void *data, size_t length)
{
    int64_t due_ns = zvt_loop_monotonic_ns(zvt_service_loop(self->config.service)) + delay_ms * ZVT_MS_NS;
    if (outbox_put(outbox, peer, due_ns, data, length) == 0) return;
    ++*self->latency_cut;
    if (!s_commit(self)) return;
    s_send_due_of(self, outbox, INT64_MAX);
    ZVT_ASSERT(outbox_put(outbox, peer, due_ns, data, length) == 0);
}

static void s_send_bytes(order_entry_t *self, const zvt_peer_t *peer, const void *data, size_t length)
{
    fault_kind_t fault = faults_core_draw(&self->faults);
    bool on_time = fault == FAULT_NONE || fault == FAULT_DUPLICATE, late = fault == FAULT_LATE || fault == FAULT_DUPLICATE;
    if (fault != FAULT_NONE) ++*self->faults_done[fault];
    if (on_time) s_put(self, self->outbox, self->venue->latency_ms, peer, data, length);
    if (late) s_put(self, self->late, self->venue->latency_ms + self->venue->faults.late_ms, peer, data, length);
}

static void s_send(order_entry_t *self, const zvt_peer_t *peer, zvt_type_t type, const void *record)
{
    self->scratch.length = 0;
    ZVT_ASSERT(zvt_pack(&self->scratch, type, record) == 0);
    s_send_bytes(self, peer, self->scratch.data, self->scratch.length);
}

static void s_answer(order_entry_t *self, zvt_type_t type, const void *record)
{
    if (self->asking != NULL) s_send(self, self->asking, type, record);
}

static bool s_asking_is_gateway(const order_entry_t *self)
{
    return self->asking != NULL && self->has_gateway && self->asking->id_length == self->gateway.id_length &&
           memcmp(self->asking->id, self->gateway.id, self->gateway.id_length) == 0;
}

/* ---- what the account decided ---- */
static void s_record(order_entry_t *self, zvt_type_t type, const void *record)
{
    if (ledger_append(self->ledger, type, record) == 0) return;
    (void)s_commit(self); /* fails again and says so */
}

static void s_on_order_taken(void *arg, const zvt_order_send_t *order)
{
    s_record(arg, ZVT_T_ORDER_SEND, order);
}

static void s_on_tombstone(void *arg, const zvt_order_query_t *query)
{
    order_entry_t *self = arg;
    ++*self->tombstones;
    s_record(self, ZVT_T_ORDER_QUERY, query);
}

static void s_on_balance(void *arg, const zvt_balance_t *opening)
{
    s_record(arg, ZVT_T_BALANCE, opening);
}

static uint64_t *s_counter_of(order_entry_t *self, uint8_t kind)
{
    switch (kind) {
    case ZVT_REPORT_KIND_REJECTED: return self->orders_rejected;
    case ZVT_REPORT_KIND_FILL: return self->fills;
    case ZVT_REPORT_KIND_CANCELED: return self->cancels;
    default: return NULL;
    }
}

static void s_on_report(void *arg, const zvt_report_t *report)
{
    order_entry_t *self = arg;
    uint64_t *counter = s_counter_of(self, report->kind);
    if (counter != NULL) ++*counter;
    if (report->venue_seq != 0) s_record(self, ZVT_T_REPORT, report);
    s_answer(self, ZVT_T_REPORT, report);
    bool push = report->venue_seq != 0 && self->has_gateway && !s_asking_is_gateway(self);
    if (push) s_send(self, &self->gateway, ZVT_T_REPORT, report);
}

static void s_on_cancel_result(void *arg, const zvt_cancel_result_t *result)
{
    order_entry_t *self = arg;
    if (result->code == ZVT_CODE_VENUE_LIMIT) ++*self->cancels_over_limit;
    s_answer(self, ZVT_T_CANCEL_RESULT, result);
}

static void s_on_status(void *arg, const zvt_order_status_t *status)
{
    s_answer(arg, ZVT_T_ORDER_STATUS, status);
}

/* ---- recorded reports, again ---- */
typedef struct {
    order_entry_t *entry;
    const char *client_order_id; /* NULL: of every order */
    uint64_t last_seq;           /* stop after this report */
    uint32_t left;               /* reports still wanted */
} resend_t;

static bool s_resend_one(void *arg, const zvt_report_t *report, const uint8_t *bytes, size_t length)
{
    resend_t *resend = arg;
    if (resend->left == 0 || report->venue_seq > resend->last_seq) return false;
    if (resend->client_order_id != NULL && strcmp(report->client_order_id, resend->client_order_id) != 0) return true;
    resend->left--;
    s_send_bytes(resend->entry, resend->entry->asking, bytes, length);
    return true;
}

static void s_resend(order_entry_t *self, uint64_t after_seq, resend_t *resend)
{
    if (self->asking == NULL || !s_commit(self)) return;
    if (ledger_reports(self->ledger, after_seq, s_resend_one, resend) != 0 && zvt_diag_allowed())
        zvt_error("cannot read the ledger again: %s", strerror(errno));
}

static void s_on_resend(void *arg, const char *client_order_id, uint64_t first_seq, uint64_t last_seq, uint32_t count)
{
    order_entry_t *self = arg;
    ++*self->duplicates;
    resend_t resend = {.entry = self, .client_order_id = client_order_id, .last_seq = last_seq, .left = count};
    s_resend(self, first_seq - 1, &resend);
}

/* ---- what arrives ---- */
static void s_on_order_send(order_entry_t *self, const zvt_record_t *record)
{
    ++*self->orders_received;
    int64_t now_ns = zvt_loop_utc_ns(zvt_service_loop(self->config.service));
    account_core_on_order(self->account, &record->order_send, now_ns, self->market_ns);
}

static void s_on_order_cancel(order_entry_t *self, const zvt_record_t *record)
{
    account_core_on_cancel(self->account, &record->order_cancel, self->market_ns);
}

static void s_on_order_query(order_entry_t *self, const zvt_record_t *record)
{
    ++*self->queries;
    account_core_on_query(self->account, &record->order_query, zvt_loop_utc_ns(zvt_service_loop(self->config.service)));
}

static void s_on_reports_since(order_entry_t *self, const zvt_record_t *record)
{
    const zvt_reports_since_t *since = &record->reports_since;
    uint32_t limit = since->limit == 0 ? REPORTS_DEFAULT : since->limit;
    resend_t resend = {.entry = self, .last_seq = UINT64_MAX, .left = limit < REPORTS_MAX ? limit : REPORTS_MAX};
    s_resend(self, since->cursor, &resend);
    zvt_reports_tip_t tip = {.cursor = since->cursor, .venue_seq = account_core_venue_seq(self->account), .reachable = true,
                             .incarnation = zvt_service_identity(self->config.service)->incarnation};
    ZVT_STR_SET(tip.exchange, self->venue->name);
    s_answer(self, ZVT_T_REPORTS_TIP, &tip);
}

static void s_on_open_orders_query(order_entry_t *self, const zvt_record_t *record)
{
    (void)record;
    zvt_order_status_t status;
    zvt_list_end_t end = {.count = 0};
    for (uint32_t slot = 0; account_core_next_open(self->account, &slot, &status); end.count++)
        s_answer(self, ZVT_T_ORDER_STATUS, &status);
    s_answer(self, ZVT_T_LIST_END, &end);
}

static void s_on_balances_query(order_entry_t *self, const zvt_record_t *record)
{
    (void)record;
    zvt_balance_t balance;
    zvt_list_end_t end = {.count = 0};
    for (; account_core_balance(self->account, end.count, &balance); end.count++) s_answer(self, ZVT_T_BALANCE, &balance);
    s_answer(self, ZVT_T_LIST_END, &end);
}

static void s_emit_row(void *arg, zvt_type_t type, const void *record)
{
    s_answer(arg, type, record);
}

static void s_on_account_query(order_entry_t *self, const zvt_record_t *record)
{
    snapshot_emit(self->account, self->venue->name, record->account_query.query, s_emit_row, self);
}

typedef void(handler_fn)(order_entry_t *self, const zvt_record_t *record);
static handler_fn *const s_handlers[ZVT_T_LIMIT] = {
    [ZVT_T_ORDER_SEND] = s_on_order_send,
    [ZVT_T_ORDER_CANCEL] = s_on_order_cancel,
    [ZVT_T_ORDER_QUERY] = s_on_order_query,
    [ZVT_T_REPORTS_SINCE] = s_on_reports_since,
    [ZVT_T_OPEN_ORDERS_QUERY] = s_on_open_orders_query,
    [ZVT_T_BALANCES_QUERY] = s_on_balances_query,
    [ZVT_T_ACCOUNT_QUERY] = s_on_account_query,
};

static size_t s_room_needed(const order_entry_t *self, size_t base)
{
    return base + (size_t)account_core_open_count(self->account) * ROOM_PER_OPEN_ORDER;
}

static void s_on_record(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    order_entry_t *self = arg;
    self->asking = peer;
    handler_fn *handler = s_handlers[record->type];
    bool ready = !self->failed && (ledger_pending(self->ledger) < BATCH_SOFT_MAX || s_commit(self));
    if (handler == NULL) {
        zvt_error_reply_t reply = {.code = ZVT_CODE_MALFORMED};
        snprintf(reply.message, sizeof reply.message, "the venue does not take %s", zvt_type_name(record->type));
        s_answer(self, ZVT_T_ERROR_REPLY, &reply);
    } else if (ready) {
        account_core_set_writable(self->account, ledger_room(self->ledger) >= s_room_needed(self, ROOM_FOR_ORDERS));
        account_core_set_monotonic(self->account, zvt_loop_monotonic_ns(zvt_service_loop(self->config.service)));
        handler(self, record);
    }
    self->asking = NULL;
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    order_entry_t *self = arg;
    reply->cursor = ledger_committed_seq(self->ledger);
    if (hello->role != ZVT_ROLE_GATEWAY) return;
    /* A lower run is what the last gateway left in its socket, or one that started after the clock was set back: that one
     * goes on speaking when the other is silent. */
    int64_t now_ns = zvt_loop_monotonic_ns(zvt_service_loop(self->config.service));
    if (hello->incarnation < self->gateway_incarnation && now_ns - self->gateway_heard_ns < GATEWAY_SILENCE_NS) return;
    self->gateway_heard_ns = now_ns;
    self->has_gateway = true;
    self->gateway = *peer;
    self->gateway_incarnation = hello->incarnation;
    self->config.on_gateway(self->config.arg, hello->incarnation, hello->cursor);
}

/* ---- start ---- */
static int s_replay(void *arg, const zvt_record_t *record)
{
    order_entry_t *self = arg;
    return account_core_replay(self->account, record, zvt_utc_ns());
}

static void s_count(order_entry_t *self)
{
    self->orders_received = zvt_counter("orders_received");
    self->orders_rejected = zvt_counter("orders_rejected");
    self->fills = zvt_counter("fills");
    self->cancels = zvt_counter("cancels");
    self->cancels_over_limit = zvt_counter("cancels_over_limit");
    self->duplicates = zvt_counter("duplicates");
    self->tombstones = zvt_counter("tombstones");
    self->queries = zvt_counter("queries");
    self->latency_cut = zvt_counter("latency_cut");
    self->faults_done[FAULT_LOSE] = zvt_counter("faults_lost");
    self->faults_done[FAULT_LATE] = zvt_counter("faults_late");
    self->faults_done[FAULT_DUPLICATE] = zvt_counter("faults_duplicated");
    self->commit_latency = zvt_histogram("ledger_commit");
}

/* The timer only wakes the loop; the end of the round sends. */
static void s_on_outbox_time(void *arg)
{
    (void)arg;
}

static int s_bind(order_entry_t *self, char problem[ZVT_PROBLEM_SIZE])
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "venue", self->venue->name);
    int status = zvt_hub_new(&self->hub, zvt_service_loop(self->config.service), endpoint,
                             zvt_service_identity(self->config.service), s_on_record, s_on_hello, self);
    if (status != 0)
        snprintf(problem, ZVT_PROBLEM_SIZE, "cannot bind %s: %s; is a venue '%s' running already?", endpoint,
                 status == ZVT_ERR_EXISTS ? "in use" : strerror(errno), self->venue->name);
    return status;
}

static void s_rebuild(order_entry_t *self)
{
    account_core_open_balances(self->account);
    account_core_restore(self->account);
    faults_core_init(&self->faults, &self->venue->faults, ledger_committed_seq(self->ledger));
    if (faults_core_is_on(&self->faults)) {
        self->late = outbox_new();
        zvt_warn("answers are lost, late and repeated on purpose: 'faults' of this venue in the fleet file");
    }
    uint64_t seq = ledger_committed_seq(self->ledger);
    zvt_info("ledger: %" PRIu64 " reports in %" PRIu64 " batches, of these %" PRIu64 " read and %" PRIu64
             " in the checkpoint; %u orders rest", seq, ledger_batches(self->ledger), seq - self->covered_seq, self->covered_seq,
             account_core_open_count(self->account));
}

/* The account as the ledger tells it, from its checkpoint on; the ledger, open. */
static int s_open_ledger(order_entry_t *self, const account_config_t *account, ledger_header_t *header,
                         char problem[ZVT_PROBLEM_SIZE])
{
    ledger_mark_t mark = ledger_mark_new();
    self->account = checkpoint_begin(&self->config.paths, account, &mark);
    self->covered_seq = mark.seq;
    int status = ledger_open(&self->ledger, self->config.paths.ledger, header, &mark, s_replay, self, problem);
    ledger_mark_destroy(&mark);
    return status;
}

int order_entry_new(order_entry_t **self_out, const order_entry_config_t *config, ledger_header_t *header,
                    char problem[ZVT_PROBLEM_SIZE])
{
    order_entry_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    const zvt_fleet_t *fleet = zvt_service_fleet(config->service);
    self->config = *config;
    self->venue = &fleet->venues[config->venue];
    self->outbox = outbox_new();
    self->scratch = zvt_buf_new(SCRATCH_SIZE);
    self->outbox_timer = zvt_loop_timer(zvt_service_loop(config->service), s_on_outbox_time, self);
    s_count(self);
    account_config_t account = {.fleet = fleet, .venue = config->venue, .ids_max = ACCOUNT_IDS_MAX, .market = config->market,
                                .sink = {.on_order = s_on_order_taken, .on_tombstone = s_on_tombstone, .on_balance = s_on_balance,
                                         .on_report = s_on_report, .on_cancel_result = s_on_cancel_result,
                                         .on_status = s_on_status, .on_resend = s_on_resend, .arg = self}};
    int status = s_bind(self, problem);
    if (status == 0) status = s_open_ledger(self, &account, header, problem);
    if (status != 0) {
        order_entry_destroy(&self);
        return status;
    }
    s_rebuild(self);
    *self_out = self;
    return 0;
}

void order_entry_destroy(order_entry_t **self)
{
    if (*self == NULL) return;
    zvt_hub_destroy(&(*self)->hub);
    ledger_close(&(*self)->ledger);
    account_core_destroy(&(*self)->account);
    outbox_destroy(&(*self)->outbox);
    outbox_destroy(&(*self)->late);
    zvt_buf_destroy(&(*self)->scratch);
    free(*self);
    *self = NULL;
}

/* ---- the market's side ---- */
void order_entry_set_status(order_entry_t *self, const zvt_market_status_t *status)
{
    account_core_set_open(self->account, status->open, status->message);
}

void order_entry_set_market_ns(order_entry_t *self, int64_t market_ns)
{
    self->market_ns = market_ns;
}

void order_entry_on_rest_fill(order_entry_t *self, uint32_t slot, int64_t price_e8, int64_t quantity_e8)
{
    account_core_on_fill(self->account, slot, price_e8, quantity_e8, self->market_ns);
}

bool order_entry_has_room(const order_entry_t *self)
{
    return ledger_room(self->ledger) >= s_room_needed(self, ROOM_FOR_MARKET);
}

/* Keeps enough room ahead; on a full disk it asks again only once in a while. */
static void s_keep_room(order_entry_t *self, int64_t now_ns)
{
    size_t wanted = s_room_needed(self, ROOM_AHEAD);
    if (ledger_room(self->ledger) >= wanted || now_ns - self->room_tried_ns < ROOM_RETRY_NS) return;
    ledger_make_room(self->ledger, wanted);
    self->room_tried_ns = ledger_room(self->ledger) >= wanted ? 0 : now_ns;
}

/* When the next answer is due; 0 when none waits. */
static int64_t s_next_due_ns(const order_entry_t *self)
{
    int64_t next_ns = outbox_next_ns(self->outbox), late_ns = self->late != NULL ? outbox_next_ns(self->late) : 0;
    if (next_ns == 0 || late_ns == 0) return next_ns + late_ns;
    return next_ns < late_ns ? next_ns : late_ns;
}

bool order_entry_finish_round(order_entry_t *self)
{
    if (!s_commit(self)) return false;
    zvt_loop_t *loop = zvt_service_loop(self->config.service);
    s_keep_room(self, zvt_loop_monotonic_ns(loop));
    if (s_next_due_ns(self) == 0) return true;
    s_send_due(self, zvt_loop_monotonic_ns(loop));
    zvt_hub_flush(self->hub);
    zvt_loop_arm(loop, self->outbox_timer, s_next_due_ns(self));
    return true;
}

const account_core_t *order_entry_account(const order_entry_t *self)
{
    return self->account;
}

const ledger_t *order_entry_ledger(const order_entry_t *self)
{
    return self->ledger;
}

uint64_t order_entry_covered_seq(const order_entry_t *self)
{
    return self->covered_seq;
}
