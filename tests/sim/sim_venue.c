/* Mirrors venue_main.c, order_entry.c and checkpoint.c: the real account, its image, feed and outbox; the ledger is the real
 * format in memory. Durable: the ledger, and a checkpoint of it. What a round did is committed at its end, and only then
 * leaves. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "account_image.h"
#include "feed_core.h"
#include "ledger_format.h"
#include "outbox.h"
#include "snapshot.h"
#include "sim_faults.h"
#include "sim_market.h"
#include "sim_oracle.h"
#include "sim_procs.h"

enum { IDS_MAX = 1024, LEDGER_BYTES = 2 << 20, REPORTS_MAX = 4096, SCRATCH_SIZE = 8 << 10, REPORTS_DEFAULT = 1000,
       IMAGE_BYTES = 1 << 18, STRANGER_SECONDS = 4 /* between orders of somebody else, on the average */ };
#define MOVE_NS (60 * ZVT_MS_NS)
#define GATEWAY_SILENCE_NS (500 * ZVT_MS_NS)

/* What survives a crash. */
typedef struct {
    uint8_t bytes[LEDGER_BYTES];
    size_t size;
    uint64_t batches;
    uint64_t committed_seq;
    struct {
        size_t offset, length;
    } reports[REPORTS_MAX]; /* packed, by venue_seq - 1: an index of the bytes */
    struct {
        uint8_t image[IMAGE_BYTES];
        size_t image_size;    /* 0: there is none */
        size_t size;          /* of the ledger that it covers */
        uint64_t batches;
    } checkpoint;
} ledger_bytes_t;
static ledger_bytes_t s_ledgers[SIM_VENUES];
static bool s_calm;

typedef struct {
    sim_proc_t *proc;
    const zvt_venue_config_t *venue;
    ledger_bytes_t *ledger;
    zvt_buf_t pending;          /* a batch: its header's place, then records */
    uint64_t seq;               /* of the last report appended */
    account_core_t *account;
    sim_market_t *market;
    feed_core_t *feed;
    outbox_t *outbox;
    zvt_hub_t *hub;
    sim_pub_t *pub;
    int outbox_timer;
    zvt_buf_t scratch;
    const zvt_peer_t *asking;
    bool has_gateway;
    zvt_peer_t gateway;
    uint64_t gateway_incarnation;
    int64_t gateway_heard_ns; /* monotonic, its last hello */
    int64_t last_due_ns;
    bool republish;
} venue_t;

void sim_venue_reset(void)
{
    s_calm = false;
    for (uint32_t i = 0; i < SIM_VENUES; i++) {
        s_ledgers[i].size = s_ledgers[i].batches = s_ledgers[i].committed_seq = 0;
        s_ledgers[i].checkpoint.image_size = 0;
    }
}

void sim_venue_calm(void)
{
    s_calm = true;
}

/* ---- the ledger ---- */
static size_t s_pending_length(const venue_t *self)
{
    return self->pending.length - LEDGER_BATCH_HEADER_SIZE;
}

static void s_append(venue_t *self, zvt_type_t type, const void *record)
{
    ZVT_ASSERT(zvt_pack(&self->pending, type, record) == 0);
    if (type == ZVT_T_REPORT) self->seq = ((const zvt_report_t *)record)->venue_seq;
}

/* Reads a batch that is durable: indexes its reports and tells the oracle. */
static void s_note_durable(venue_t *self, const ledger_batch_t *batch, bool fresh)
{
    static zvt_record_t record;
    ledger_bytes_t *ledger = self->ledger;
    zvt_cursor_t cursor = zvt_cursor(batch->payload, batch->length);
    while (!zvt_cursor_done(&cursor)) {
        const uint8_t *start = cursor.at;
        ZVT_ASSERT(zvt_read(&cursor, &record) == 0);
        if (fresh) sim_oracle_on_ledger(self->proc->index, &record);
        if (record.type != ZVT_T_REPORT) continue;
        uint64_t seq = record.report.venue_seq;
        ZVT_ASSERT(seq >= 1 && seq <= REPORTS_MAX);
        ledger->reports[seq - 1].offset = (size_t)(start - ledger->bytes);
        ledger->reports[seq - 1].length = (size_t)(cursor.at - start);
        ledger->committed_seq = seq;
    }
}

static void s_note_last_batch(venue_t *self, size_t offset)
{
    ledger_batch_t batch;
    ledger_bytes_t *ledger = self->ledger;
    ZVT_ASSERT(ledger_format_read_batch(ledger->bytes + offset, ledger->size - offset, ledger->batches, &batch) == 0);
    s_note_durable(self, &batch, true);
}

static void s_commit(venue_t *self)
{
    ledger_bytes_t *ledger = self->ledger;
    if (s_pending_length(self) == 0) return;
    size_t size = ledger_format_seal(self->pending.data, s_pending_length(self), ledger->batches + 1, ledger->committed_seq);
    ZVT_ASSERT(ledger->size + size <= LEDGER_BYTES);
    size_t offset = ledger->size;
    memcpy(ledger->bytes + offset, self->pending.data, size);
    ledger->size += size;
    ledger->batches++;
    self->pending.length = LEDGER_BATCH_HEADER_SIZE;
    s_note_last_batch(self, offset);
}

/* A venue that dies in the middle of a write leaves any part of the batch. */
static void s_tear(venue_t *self)
{
    ledger_bytes_t *ledger = self->ledger;
    if (s_pending_length(self) == 0 || sim.closing) return;
    size_t size = ledger_format_seal(self->pending.data, s_pending_length(self), ledger->batches + 1, ledger->committed_seq);
    size_t written = sim_faults_torn(size), offset = ledger->size;
    memcpy(ledger->bytes + offset, self->pending.data, written);
    ledger->size += written;
    if (written < size) return;
    ledger->batches++;
    s_note_last_batch(self, offset);
}

/* ---- sending ---- */
static void s_send_bytes(venue_t *self, const zvt_peer_t *peer, const void *data, size_t length)
{
    int64_t due_ns = sim.now_ns + sim_faults_venue_latency_ns();
    if (due_ns < self->last_due_ns) due_ns = self->last_due_ns;
    self->last_due_ns = due_ns;
    ZVT_ASSERT(outbox_put(self->outbox, peer, due_ns, data, length) == 0);
}

static void s_send(venue_t *self, const zvt_peer_t *peer, zvt_type_t type, const void *record)
{
    self->scratch.length = 0;
    ZVT_ASSERT(zvt_pack(&self->scratch, type, record) == 0);
    if (sim.tracing) sim_trace_record(self->proc->name, "gateway", type, record);
    s_send_bytes(self, peer, self->scratch.data, self->scratch.length);
}

static void s_answer(venue_t *self, zvt_type_t type, const void *record)
{
    if (self->asking != NULL) s_send(self, self->asking, type, record);
}

static bool s_asking_is_gateway(const venue_t *self)
{
    return self->asking != NULL && self->has_gateway && memcmp(self->asking->id, self->gateway.id, sizeof self->gateway.id) == 0;
}

/* ---- what the account decided ---- */
static void s_on_order_taken(void *arg, const zvt_order_send_t *order)
{
    sim_oracle_on_taking(order);
    s_append(arg, ZVT_T_ORDER_SEND, order);
}

static void s_on_tombstone(void *arg, const zvt_order_query_t *query)
{
    s_append(arg, ZVT_T_ORDER_QUERY, query);
}

static void s_on_balance(void *arg, const zvt_balance_t *opening)
{
    s_append(arg, ZVT_T_BALANCE, opening);
}

static void s_on_report(void *arg, const zvt_report_t *report)
{
    venue_t *self = arg;
    if (report->venue_seq != 0) s_append(self, ZVT_T_REPORT, report);
    s_answer(self, ZVT_T_REPORT, report);
    bool push = report->venue_seq != 0 && self->has_gateway && !s_asking_is_gateway(self);
    if (push) s_send(self, &self->gateway, ZVT_T_REPORT, report);
}

static void s_on_cancel_result(void *arg, const zvt_cancel_result_t *result)
{
    s_answer(arg, ZVT_T_CANCEL_RESULT, result);
}

static void s_on_status(void *arg, const zvt_order_status_t *status)
{
    s_answer(arg, ZVT_T_ORDER_STATUS, status);
}

/* ---- recorded reports, again ---- */
static void s_resend(venue_t *self, const char *client_order_id, uint64_t after_seq, uint64_t last_seq, uint32_t left)
{
    static zvt_record_t record;
    ledger_bytes_t *ledger = self->ledger;
    s_commit(self);
    for (uint64_t seq = after_seq + 1; seq <= ledger->committed_seq && seq <= last_seq && left > 0; seq++) {
        const uint8_t *bytes = ledger->bytes + ledger->reports[seq - 1].offset;
        size_t length = ledger->reports[seq - 1].length;
        zvt_cursor_t cursor = zvt_cursor(bytes, length);
        ZVT_ASSERT(zvt_read(&cursor, &record) == 0);
        if (client_order_id != NULL && strcmp(record.report.client_order_id, client_order_id) != 0) continue;
        left--;
        if (sim.tracing) sim_trace_record(self->proc->name, "gateway, again", ZVT_T_REPORT, &record.report);
        s_send_bytes(self, self->asking, bytes, length);
    }
}

static void s_on_resend(void *arg, const char *client_order_id, uint64_t first_seq, uint64_t last_seq, uint32_t count)
{
    SIM_COUNT("orders sent twice to a venue");
    s_resend(arg, client_order_id, first_seq - 1, last_seq, count);
}

static void s_on_reports_since(venue_t *self, const zvt_reports_since_t *since)
{
    s_resend(self, NULL, since->cursor, UINT64_MAX, since->limit == 0 ? REPORTS_DEFAULT : since->limit);
    zvt_reports_tip_t tip = {.cursor = since->cursor, .venue_seq = account_core_venue_seq(self->account), .reachable = true,
                             .incarnation = self->proc->identity.incarnation};
    ZVT_STR_SET(tip.exchange, self->venue->name);
    s_answer(self, ZVT_T_REPORTS_TIP, &tip);
}

static void s_answer_row(void *arg, zvt_type_t type, const void *record)
{
    s_answer(arg, type, record);
}

/* ---- what arrives ---- */
static void s_on_open_orders_query(venue_t *self)
{
    zvt_order_status_t status;
    zvt_list_end_t end = {.count = 0};
    for (uint32_t slot = 0; account_core_next_open(self->account, &slot, &status); end.count++) s_answer(self, ZVT_T_ORDER_STATUS, &status);
    s_answer(self, ZVT_T_LIST_END, &end);
}

static void s_on_record(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    venue_t *self = arg;
    self->asking = peer;
    account_core_set_monotonic(self->account, sim.now_ns);
    switch (record->type) {
    case ZVT_T_ORDER_SEND: account_core_on_order(self->account, &record->order_send, sim_utc_ns(), sim_utc_ns()); break;
    case ZVT_T_ORDER_CANCEL: account_core_on_cancel(self->account, &record->order_cancel, sim_utc_ns()); break;
    case ZVT_T_ACCOUNT_QUERY: snapshot_emit(self->account, self->venue->name, record->account_query.query, s_answer_row, self); break;
    case ZVT_T_ORDER_QUERY: account_core_on_query(self->account, &record->order_query, sim_utc_ns()); break;
    case ZVT_T_REPORTS_SINCE: s_on_reports_since(self, &record->reports_since); break;
    case ZVT_T_OPEN_ORDERS_QUERY: s_on_open_orders_query(self); break;
    default: break;
    }
    self->asking = NULL;
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    venue_t *self = arg;
    reply->cursor = self->ledger->committed_seq;
    if (hello->role != ZVT_ROLE_GATEWAY) return;
    /* A lower run is what the last gateway left in its socket, or one that started after the clock was set back: that one
     * goes on speaking when the other is silent. */
    int64_t now_ns = sim.now_ns;
    if (hello->incarnation < self->gateway_incarnation && now_ns - self->gateway_heard_ns < GATEWAY_SILENCE_NS) return;
    self->gateway_heard_ns = now_ns;
    self->has_gateway = true;
    self->gateway = *peer;
    self->gateway_incarnation = hello->incarnation;
}

/* ---- the market ---- */
static void s_on_rest_fill(void *arg, uint32_t slot, int64_t price_e8, int64_t quantity_e8)
{
    venue_t *self = arg;
    account_core_on_fill(self->account, slot, price_e8, quantity_e8, sim_utc_ns());
}

static void s_on_trade(void *arg, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8)
{
    venue_t *self = arg;
    if (self->feed != NULL) feed_core_on_trade(self->feed, instrument, aggressor, price_e8, quantity_e8);
}

static void s_on_book(void *arg, uint32_t instrument)
{
    venue_t *self = arg;
    if (self->feed != NULL) feed_core_on_book(self->feed, instrument);
}

static void s_on_feed(void *arg, const char *topic, const void *data, size_t length)
{
    sim_pub_send(((venue_t *)arg)->pub, topic, data, length);
}

static void s_on_move(void *arg)
{
    venue_t *self = arg;
    if (!s_calm) sim_market_move(self->market);
}

/* Somebody else trades on the account: an order that is not ours, which the venue refuses, with a numbered report. */
static void s_send_stranger(venue_t *self)
{
    const zvt_instrument_t *instrument = &sim.fleet->instruments[0];
    zvt_order_send_t order = {.side = ZVT_SIDE_BUY, .order_type = ZVT_ORDER_TYPE_MARKET, .time_in_force = ZVT_TIF_IOC,
                              .quantity_e8 = instrument->lot_e8 + 1};
    snprintf(order.client_order_id, sizeof order.client_order_id, SIM_STRANGER "%s-%" PRIu64, self->venue->name,
             account_core_venue_seq(self->account));
    ZVT_STR_SET(order.exchange, self->venue->name);
    ZVT_STR_SET(order.symbol, instrument->symbol);
    account_core_on_order(self->account, &order, sim_utc_ns(), sim_utc_ns());
    SIM_COUNT("orders of strangers");
}

static void s_on_second(void *arg)
{
    venue_t *self = arg;
    self->republish = true;
    if (!s_calm && !sim.healed && sim_below(STRANGER_SECONDS) == 0) s_send_stranger(self);
}

/* ---- restarts and checkpoints ---- */
static account_config_t s_account_config(venue_t *self)
{
    return (account_config_t){.fleet = sim.fleet, .venue = self->proc->index, .ids_max = IDS_MAX,
                              .market = sim_market_of(self->market),
                              .sink = {.on_order = s_on_order_taken, .on_tombstone = s_on_tombstone, .on_balance = s_on_balance,
                                       .on_report = s_on_report, .on_cancel_result = s_on_cancel_result,
                                       .on_status = s_on_status, .on_resend = s_on_resend, .arg = self}};
}

/* Applies the batches from an offset on; returns the offset behind the last whole one. */
static size_t s_fold(venue_t *self, account_core_t *account, size_t offset, uint64_t *batches)
{
    static zvt_record_t record;
    const ledger_bytes_t *ledger = self->ledger;
    ledger_batch_t batch;
    while (ledger_format_read_batch(ledger->bytes + offset, ledger->size - offset, *batches + 1, &batch) == 0) {
        zvt_cursor_t cursor = zvt_cursor(batch.payload, batch.length);
        while (!zvt_cursor_done(&cursor)) {
            ZVT_ASSERT(zvt_read(&cursor, &record) == 0);
            int status = account_core_replay(account, &record, sim_utc_ns());
            if (status != 0) sim_violation("a venue can read its ledger", NULL, "%s: %s", self->venue->name, zvt_strerror(status));
        }
        ++*batches;
        offset += batch.size;
    }
    return offset;
}

/* A new account, or that of the checkpoint, with the offset and number of the batches that it covers. */
static account_core_t *s_begin(venue_t *self, size_t *offset, uint64_t *batches)
{
    const ledger_bytes_t *ledger = self->ledger;
    account_config_t config = s_account_config(self);
    account_core_t *account = account_core_new(&config);
    *offset = *batches = 0;
    if (ledger->checkpoint.image_size == 0) return account;
    int status = account_image_load(account, ledger->checkpoint.image, ledger->checkpoint.image_size);
    if (status != 0) sim_violation("a venue can read its checkpoint", NULL, "%s: %s", self->venue->name, zvt_strerror(status));
    *offset = ledger->checkpoint.size;
    *batches = ledger->checkpoint.batches;
    return account;
}

static int s_keep_piece(void *arg, const void *bytes, size_t length)
{
    ledger_bytes_t *ledger = arg;
    ZVT_ASSERT(ledger->checkpoint.image_size + length <= IMAGE_BYTES);
    memcpy(ledger->checkpoint.image + ledger->checkpoint.image_size, bytes, length);
    ledger->checkpoint.image_size += length;
    return 0;
}

/* What the venue's child does at some time or other. */
static void s_checkpoint(venue_t *self)
{
    ledger_bytes_t *ledger = self->ledger;
    size_t offset;
    uint64_t batches;
    account_core_t *account = s_begin(self, &offset, &batches);
    ledger->checkpoint.size = s_fold(self, account, offset, &batches);
    ledger->checkpoint.batches = batches;
    ledger->checkpoint.image_size = 0;
    ZVT_ASSERT(account_image_save(account, s_keep_piece, ledger) == 0);
    account_core_destroy(&account);
}

/* Indexes the reports of a ledger's whole batches. */
static void s_index(venue_t *self)
{
    ledger_bytes_t *ledger = self->ledger;
    ledger_batch_t batch;
    size_t offset = 0;
    ledger->batches = ledger->committed_seq = 0;
    while (ledger_format_read_batch(ledger->bytes + offset, ledger->size - offset, ledger->batches + 1, &batch) == 0) {
        ledger->batches++;
        s_note_durable(self, &batch, false);
        offset += batch.size;
    }
}

/* Begins with the checkpoint and reads the rest of the ledger, as the venue does: a torn end is cut off. */
static void s_recover(venue_t *self)
{
    ledger_bytes_t *ledger = self->ledger;
    size_t offset;
    uint64_t batches;
    s_index(self);
    self->account = s_begin(self, &offset, &batches);
    if (batches > 0) SIM_COUNT("restarts from a checkpoint");
    offset = s_fold(self, self->account, offset, &batches);
    if (batches != ledger->batches || account_core_venue_seq(self->account) != ledger->committed_seq)
        sim_violation("a venue reads all of its ledger", NULL, "%s", self->venue->name);
    if (ledger->size > offset) SIM_COUNT("torn ledgers cut");
    ledger->size = offset;
    self->seq = ledger->committed_seq;
}

/* ---- the round ---- */
static void s_send_due(venue_t *self)
{
    outbox_entry_t entry;
    while (outbox_take(self->outbox, sim.now_ns, &entry)) zvt_hub_send_packed(self->hub, &entry.peer, entry.data, entry.length);
    zvt_hub_flush(self->hub);
    zvt_loop_arm(self->proc->loop, self->outbox_timer, outbox_next_ns(self->outbox));
}

static void s_on_outbox_time(void *arg)
{
    (void)arg;
}

static void s_on_round(void *arg)
{
    venue_t *self = arg;
    uint64_t batches = self->ledger->batches;
    s_commit(self);
    if (self->ledger->batches != batches && sim_faults_checkpoints(self->ledger->batches)) s_checkpoint(self);
    s_send_due(self);
    zvt_market_status_t status = {.open = true};
    ZVT_STR_SET(status.venue, self->venue->name);
    if (self->republish)
        feed_core_publish_all(self->feed, sim_utc_ns(), sim.now_ns, &status);
    else if (feed_core_is_dirty(self->feed))
        feed_core_publish(self->feed, sim_utc_ns(), sim.now_ns);
    self->republish = false;
}

/* ---- life ---- */
static void s_open(venue_t *self)
{
    market_events_t events = {.on_rest_fill = s_on_rest_fill, .on_trade = s_on_trade, .on_book = s_on_book, .arg = self};
    self->market = sim_market_new(&events);
    s_recover(self);
    account_core_open_balances(self->account);
    account_core_restore(self->account);
    account_core_set_open(self->account, true, "");
    feed_config_t feed = {.fleet = sim.fleet, .venue = self->proc->index, .market = sim_market_of(self->market), .emit = s_on_feed, .arg = self};
    self->feed = feed_core_new(&feed);
    sim_market_move(self->market);
}

void *sim_venue_start(sim_proc_t *proc)
{
    venue_t *self = calloc(1, sizeof *self);
    char endpoint[ZVT_ENDPOINT_SIZE];
    ZVT_ASSERT(self != NULL);
    self->proc = proc;
    self->venue = &sim.fleet->venues[proc->index];
    self->ledger = &s_ledgers[proc->index];
    self->pending = zvt_buf_new(64 << 10);
    self->pending.length = LEDGER_BATCH_HEADER_SIZE;
    self->scratch = zvt_buf_new(SCRATCH_SIZE);
    self->outbox = outbox_new();
    self->republish = true;
    self->outbox_timer = zvt_loop_timer(proc->loop, s_on_outbox_time, self);
    zvt_endpoint(endpoint, "feed", self->venue->name);
    self->pub = sim_pub_new(proc->loop, endpoint);
    s_open(self);
    zvt_endpoint(endpoint, "venue", self->venue->name);
    ZVT_ASSERT(zvt_hub_new(&self->hub, proc->loop, endpoint, &proc->identity, s_on_record, s_on_hello, self) == 0);
    zvt_loop_on_round(proc->loop, s_on_round, self);
    zvt_loop_every(proc->loop, MOVE_NS, s_on_move, self);
    zvt_loop_every(proc->loop, ZVT_SECOND_NS, s_on_second, self);
    return self;
}

void sim_venue_stop(sim_proc_t *proc)
{
    venue_t *self = proc->run;
    s_tear(self);
    zvt_hub_destroy(&self->hub);
    sim_pub_destroy(&self->pub);
    feed_core_destroy(&self->feed);
    account_core_destroy(&self->account);
    sim_market_destroy(&self->market);
    outbox_destroy(&self->outbox);
    zvt_buf_destroy(&self->pending);
    zvt_buf_destroy(&self->scratch);
    free(self);
}

sim_doing_t sim_venue_doing(sim_proc_t *proc)
{
    const venue_t *self = proc->run;
    if (s_pending_length(self) > 0) return SIM_DOING_UNDURABLE;
    if (outbox_count(self->outbox) > 0) return SIM_DOING_WORKING;
    return self->has_gateway ? SIM_DOING_IDLE : SIM_DOING_STARTING;
}
