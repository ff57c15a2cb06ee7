#include "turn_core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "turn_world.h"
#include "zvt_fixed.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { NONE = -1, EVENT_HEADER_BYTES = 256 /* more than an event takes beside its payload */ };
#define CHORES_PERIOD_NS (20 * ZVT_MS_NS)

/* ---- life ---- */
turn_core_t *turn_core_new(const zvt_fleet_t *fleet, const char *name, const turn_io_t *io, uint64_t seed)
{
    turn_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->fleet = fleet;
    self->io = *io;
    ZVT_STR_SET(self->name, name);
    snprintf(self->log_topic, sizeof self->log_topic, "log.%" PRId64, fleet->shard);
    zvt_idgen_init(&self->ids, seed);
    zvt_rng_seed(&self->pauses, ~seed); /* not the numbers that the ids have */
    self->orders = order_core_new();
    self->sagas = saga_core_new(seed, self);
    self->senders = dedup_core_new();
    self->done = calloc(1, sizeof *self->done);
    ZVT_ASSERT(self->done != NULL);
    self->admission = admission_core_new(fleet->max_signals_per_second);
    self->early_routes = early_routes_new();
    self->positions_by_id = zvt_map_new(sizeof(zvt_id_t), POSITIONS_MAX);
    self->positions = calloc(POSITIONS_MAX, sizeof *self->positions);
    self->waiters = calloc(WAITERS_MAX, sizeof *self->waiters);
    ZVT_ASSERT(self->positions != NULL);
    self->letters = calloc(LETTERS_MAX, sizeof *self->letters);
    ZVT_ASSERT(self->waiters != NULL);
    ZVT_ASSERT(self->letters != NULL);
    turn_stage_init(self);
    fills_init(self);
    turn_core_clear(self);
    return self;
}

void turn_core_destroy(turn_core_t **self_in)
{
    turn_core_t *self = *self_in;
    if (self == NULL) return;
    order_core_destroy(&self->orders);
    saga_core_destroy(&self->sagas);
    dedup_core_destroy(&self->senders);
    admission_core_destroy(&self->admission);
    early_routes_destroy(&self->early_routes);
    zvt_map_destroy(&self->positions_by_id);
    for (size_t i = 0; i < 2; i++) {
        free(self->batches[i].events);
        zvt_buf_destroy(&self->batches[i].payloads);
    }
    zvt_buf_destroy(&self->frame);
    for (size_t i = 0; i < ACK_SENDERS_MAX; i++) zvt_buf_destroy(&self->acks[i].records);
    free(self->positions);
    fills_destroy(self);
    free(self->waiters);
    free(self->letters);
    free(self->done);
    free(self->staged);
    free(self->effects);
    free(self);
    *self_in = NULL;
}

void turn_core_clear(turn_core_t *self)
{
    char system_key[32];
    self->open = false;
    saga_core_clear(self->sagas);
    order_core_clear(self->orders);
    dedup_core_clear(self->senders);
    done_core_clear(self->done);
    early_routes_clear(self->early_routes);
    turn_stage_clear(self);
    zvt_map_clear(self->positions_by_id);
    self->positions_count = 0;
    for (uint32_t i = 0; i < ZVT_VENUES_MAX; i++) {
        bool reachable = self->venues[i].reachable;
        memset(&self->venues[i], 0, sizeof self->venues[i]);
        self->venues[i].reachable = reachable;
        self->venues[i].reconcile.saga = SAGA_NONE;
    }
    self->recovery_saga = SAGA_NONE;
    self->risk_waits = self->portfolio_waits = false;
    for (int32_t i = 0; i < WAITERS_MAX; i++) {
        self->waiters[i].used = false;
        self->waiters[i].next = i + 1 < WAITERS_MAX ? i + 1 : NONE;
    }
    fills_clear(self);
    self->waiters_free = 0;
    self->waiters_used = 0;
    self->letters_count = 0;
    self->letters_full_told = false;
    self->positions_told = false;
    self->trouble_first = self->trouble_last = NONE;
    self->next_seq = 1;
    self->committed_seq = self->last_position_seq = self->folded = self->doubled = 0;
    memset(self->floor_seq, 0, sizeof self->floor_seq);
    snprintf(system_key, sizeof system_key, "system|%" PRId64, self->fleet->shard);
    self->system_id = zvt_id_from_text(system_key, strlen(system_key));
    self->system_version = 0;
    memset(&self->system_last_event, 0, sizeof self->system_last_event);
    self->halted = false;
    self->resumed_seq = 0;
    self->halt_reason[0] = '\0';
    memset(&self->loading, 0, sizeof self->loading);
    memset(self->halts, 0, sizeof self->halts);
    self->halt_unrecorded = false;
    memset(self->kills, 0, sizeof self->kills);
    self->kills_count = 0;
    memset(&self->halted_by, 0, sizeof self->halted_by);
}

/* ---- recovery ---- */
void turn_core_latch_halt(turn_core_t *self, const char *requested_by, const char *reason)
{
    self->halt_latched = reason != NULL;
    memset(&self->halt_latch, 0, sizeof self->halt_latch);
    if (reason == NULL) return;
    ZVT_STR_SET(self->halt_latch.requested_by, requested_by);
    ZVT_STR_SET(self->halt_latch.reason, reason);
    if (!self->open || self->halted) return; /* nothing is submitted before it opens, and then it is recorded first */
    self->halt_record = self->halt_latch;
    self->halt_unrecorded = self->halted = true;
    ZVT_STR_SET(self->halt_reason, reason);
}

/* Nothing may bring a halt back whose end an operator was told of: neither the latch nor what the process has stored. */
static void s_end_halt(turn_core_t *self, const turn_batch_t *batch)
{
    bool durable = self->resumed_seq >= batch->first_seq && self->resumed_seq <= batch->last_seq;
    if (!durable || self->halted) return;
    turn_core_latch_halt(self, NULL, NULL);
    self->io.resumed(self->io.arg);
}

void turn_core_note_halt_stored(turn_core_t *self, bool stored)
{
    self->halt_unstored = !stored;
}

/* A halt that the log does not know yet goes into it before any saga is resumed. */
static void s_record_latched_halt(turn_core_t *self)
{
    if (!self->halt_latched) return;
    if (!self->halted) ZVT_ASSERT(turn_emit_system(self, ZVT_T_RISK_HALTED, &self->halt_latch, NULL) == 0);
    self->halted = true;
    ZVT_STR_SET(self->halt_reason, self->halt_latch.reason);
}

void turn_core_abandon(turn_core_t *self)
{
    commands_abandon(self);
    turn_flush_acks(self);
}

static void s_fold_name(turn_core_t *self, const char *sender, uint64_t incarnation, uint64_t sender_seq)
{
    if (sender_seq == 0) return;
    self->doubled += dedup_core_check(self->senders, sender, incarnation, sender_seq) == DEDUP_DUPLICATE;
    dedup_core_mark(self->senders, sender, incarnation, sender_seq);
}

static void s_fold_command_names(turn_core_t *self, const zvt_record_t *record)
{
    if (record->type == ZVT_T_ORDER_REQUESTED) {
        const zvt_order_requested_t *requested = &record->order_requested;
        self->doubled += order_core_by_request(self->orders, requested->request_id) != NULL;
        s_fold_name(self, requested->sender, requested->incarnation, requested->sender_seq);
    }
    if (record->type == ZVT_T_ORDER_CANCEL_REQUESTED) {
        const zvt_order_cancel_requested_t *requested = &record->order_cancel_requested;
        s_fold_name(self, requested->requested_by, requested->incarnation, requested->sender_seq);
    }
}

uint64_t turn_core_doubled(const turn_core_t *self)
{
    return self->doubled;
}

static int s_fold_position(turn_core_t *self, const zvt_event_t *event, int64_t new_quantity_e8)
{
    position_t *position = turn_position(self, &event->aggregate_id);
    if (position == NULL) return ZVT_ERR_FULL;
    position->version = event->aggregate_version;
    position->quantity_e8 = new_quantity_e8;
    self->last_position_seq = event->seq;
    return 0;
}

static void s_fold_system(turn_core_t *self, const zvt_event_t *event, const zvt_record_t *record)
{
    self->system_version = event->aggregate_version;
    if (zvt_id_equal(&event->correlation_id, &self->system_id)) self->system_last_event = event->event_id;
    bool of_all = record->risk_halted.exchange[0] == '\0';
    if ((event->type == ZVT_T_RISK_HALTED || event->type == ZVT_T_RISK_RESUMED) && of_all) {
        self->halted = event->type == ZVT_T_RISK_HALTED;
        ZVT_STR_SET(self->halt_reason, self->halted ? record->risk_halted.reason : "");
    }
    if (event->type != ZVT_T_CIRCUIT_CHANGED) return;
    int venue = zvt_fleet_venue(self->fleet, record->circuit_changed.exchange);
    if (venue >= 0) self->venues[venue].circuit = record->circuit_changed.state;
}

int turn_core_fold(turn_core_t *self, const zvt_event_t *event)
{
    static zvt_record_t record;
    if (event->seq != self->next_seq) return ZVT_ERR_CORRUPT;
    int status = zvt_read_payload(event, &record);
    if (status != 0) return status;
    self->next_seq++;
    self->committed_seq = event->seq;
    self->folded++;
    turn_note_logged(self, event);
    s_fold_command_names(self, &record);
    if (event->type == ZVT_T_POSITION_UPDATED) {
        /* It belongs to an order's saga and causes the order's next event. */
        order_t *order = order_core_by_either(self->orders, &event->correlation_id);
        if (order != NULL) order->last_event_id = event->event_id;
        return s_fold_position(self, event, record.position_updated.new_quantity_e8);
    }
    if (event->type == ZVT_T_POSITION_ADJUSTED && !zvt_id_equal(&event->aggregate_id, &self->system_id))
        return s_fold_position(self, event, record.position_adjusted.new_quantity_e8);
    if (zvt_id_equal(&event->aggregate_id, &self->system_id)) {
        s_fold_system(self, event, &record);
        if (event->type == ZVT_T_SYSTEM_BARRIER) turn_note_digest(self, event->seq);
        return 0;
    }
    status = order_core_apply(self->orders, event, &record);
    return status == ZVT_ERR_NOT_FOUND ? 0 : status; /* of an order that is forgotten already */
}

void turn_core_open(turn_core_t *self, uint64_t epoch, int64_t recovery_ns)
{
    self->epoch = epoch;
    self->open = true;
    /* They drop what an older epoch had in flight: what of it is in the log must be known there before they answer. */
    for (uint32_t i = 0; i < TURN_SERVICES; i++) self->floor_seq[i] = self->next_seq - 1;
    self->gather->view.count = 0;
    zvt_system_started_t started = {.epoch = epoch};
    ZVT_STR_SET(started.holder, self->name);
    ZVT_STR_SET(started.release, ZVT_RELEASE);
    ZVT_ASSERT(turn_emit_system(self, ZVT_T_SYSTEM_STARTED, &started, NULL) == 0);
    s_record_latched_halt(self);
    recovery_begin(self, recovery_ns);
}

void turn_core_note_log(turn_core_t *self, const char *why)
{
    ZVT_STR_SET(self->log_away, why);
    self->log_away[strcspn(self->log_away, "\n")] = '\0'; /* libpq explains itself in several lines */
}

const char *turn_core_log_away(const turn_core_t *self)
{
    return self->log_away;
}

bool turn_core_is_open(const turn_core_t *self)
{
    return self->open;
}

/* ---- records ---- */
void turn_core_set_time(turn_core_t *self, int64_t utc_ns, int64_t monotonic_ns)
{
    self->utc_ns = utc_ns;
    self->monotonic_ns = monotonic_ns;
}

static void s_from_signals(turn_core_t *self, const zvt_record_t *record)
{
    switch (record->type) {
    case ZVT_T_SIGNAL: commands_on_signal(self, &record->signal); break;
    case ZVT_T_SIGNAL_CANCEL: commands_on_signal_cancel(self, &record->signal_cancel); break;
    default: ZVT_COUNT("misplaced"); break;
    }
}

static void s_from_client(turn_core_t *self, const turn_client_t *client, const zvt_record_t *record)
{
    switch (record->type) {
    case ZVT_T_PLACE_REQUEST: commands_on_place(self, client, &record->place_request); break;
    case ZVT_T_CANCEL_REQUEST: commands_on_cancel(self, client, &record->cancel_request); break;
    case ZVT_T_HALT_REQUEST: commands_on_halt(self, client, &record->halt_request); break;
    case ZVT_T_BARRIER_REQUEST: commands_on_barrier(self, client, &record->barrier_request); break;
    case ZVT_T_RESOLVE_REQUEST: operator_on_resolve(self, client, &record->resolve_request); break;
    case ZVT_T_ADJUST_REQUEST: operator_on_adjust(self, client, &record->adjust_request); break;
    case ZVT_T_RECONCILE_REQUEST: reconcile_on_request(self, client, &record->reconcile_request); break;
    case ZVT_T_DEAD_LETTER_REQUEST: letters_on_request(self, client, &record->dead_letter_request); break;
    case ZVT_T_DEAD_LETTERS_QUERY: letters_on_query(self, client, &record->dead_letters_query); break;
    case ZVT_T_ORDERS_QUERY: lists_on_orders_query(self, client, &record->orders_query); break;
    default: {
        zvt_error_reply_t reply = {.code = ZVT_CODE_MALFORMED};
        snprintf(reply.message, sizeof reply.message, "the request socket does not take %s", zvt_type_name(record->type));
        self->io.reply(self->io.arg, client, ZVT_T_ERROR_REPLY, &reply);
        ZVT_COUNT("misplaced");
    }
    }
}

static void s_from_service(turn_core_t *self, const zvt_record_t *record)
{
    if (!self->open) return;
    switch (record->type) {
    case ZVT_T_RISK_VERDICT: place_order_on_verdict(self, &record->risk_verdict); break;
    case ZVT_T_ROUTE_REPLY: place_order_on_route(self, &record->route_reply); break;
    case ZVT_T_REPORT: reports_on_report(self, &record->report); break;
    case ZVT_T_REPORTS_TIP: reports_on_tip(self, &record->reports_tip); break;
    case ZVT_T_ORDER_STATUS: reports_on_status(self, &record->order_status); break;
    case ZVT_T_CANCEL_RESULT: reports_on_cancel_result(self, &record->cancel_result); break;
    case ZVT_T_ACCOUNT_ORDER: reconcile_on_order(self, &record->account_order); break;
    case ZVT_T_ACCOUNT_ASSET: reconcile_on_asset(self, &record->account_asset); break;
    case ZVT_T_ACCOUNT_SNAPSHOT: reconcile_on_snapshot(self, &record->account_snapshot); break;
    case ZVT_T_FILL_APPLIED: fills_on_applied(self, &record->fill_applied); break;
    case ZVT_T_CIRCUIT_NOTICE: notices_on_circuit(self, &record->circuit_notice); break;
    case ZVT_T_KILL_NOTICE: notices_on_kill(self, &record->kill_notice); break;
    default: ZVT_COUNT("misplaced"); break;
    }
}

void turn_core_on_record(turn_core_t *self, turn_source_t source, const turn_client_t *client, const zvt_record_t *record)
{
    if (source == TURN_FROM_SIGNALS)
        s_from_signals(self, record);
    else if (source == TURN_FROM_CLIENT)
        s_from_client(self, client, record);
    else
        s_from_service(self, record);
}

/* ---- services ---- */
/* A new run of risk knows only what the log says: what it has passed must get there before it is asked again. */
static void s_flush_validated(turn_core_t *self)
{
    for (int32_t at = self->staged_orders_first; at != NONE;) {
        order_t *order = order_core_at(self->orders, at);
        at = order->staged_next;
        if (order->step >= ORDER_STEP_VALIDATED && order->fills_pending == 0) turn_flush(self, order);
    }
}

static void s_ask_anew(turn_core_t *self, turn_service_t service)
{
    self->floor_seq[service] = self->next_seq - 1;
    saga_core_service_up(self->sagas, service, self->monotonic_ns);
}

/* What a run of risk before had passed has its seq now, so the new one can be told how far to read before it judges. */
static void s_ask_new_risk(turn_core_t *self)
{
    if (!self->risk_waits || self->ready_first != NONE) return;
    self->risk_waits = false;
    s_ask_anew(self, TURN_RISK);
}

/* A new run of portfolio knows only what the log says: the changes of positions that are recorded have their seq now, so it can be told
 * how far to read before it adds fills to them. */
static void s_ask_new_portfolio(turn_core_t *self)
{
    if (!self->portfolio_waits || self->positions_staged > 0) return;
    self->portfolio_waits = false;
    s_ask_anew(self, TURN_PORTFOLIO);
    fills_ask_all(self);
}

/* Until the executor says of a venue that it is there, it is away; once it does, the account is compared. */
static void s_lose_venues(turn_core_t *self)
{
    for (uint32_t i = 0; i < ZVT_VENUES_MAX; i++) self->venues[i].reachable = false;
}

void turn_core_on_service_up(turn_core_t *self, turn_service_t service, uint64_t incarnation)
{
    /* A run that came so soon that nobody missed the one before. */
    if (service == TURN_EXECUTOR && incarnation != self->service_incarnation[service]) s_lose_venues(self);
    self->service_up[service] = true;
    self->service_ups[service]++;
    self->service_incarnation[service] = incarnation;
    if (!self->open) return;
    if (service == TURN_RISK) {
        s_flush_validated(self);
        self->risk_waits = true;
        s_ask_new_risk(self);
        return;
    }
    if (service == TURN_PORTFOLIO) {
        (void)turn_flush_all(self);
        self->portfolio_waits = true;
        s_ask_new_portfolio(self);
        return;
    }
    s_ask_anew(self, service);
    if (service == TURN_EXECUTOR) reports_query_all(self, -1);
}

void turn_core_on_service_down(turn_core_t *self, turn_service_t service)
{
    self->service_up[service] = false;
    if (service != TURN_EXECUTOR) return;
    s_lose_venues(self);
    if (self->open) reports_query_all(self, -1);
}

/* ---- the end of a turn, and the commit ---- */
/* Said once a run, while there is time to give strategies fewer names. */
static void s_tell_positions(turn_core_t *self)
{
    if (self->positions_told || self->positions_count < POSITIONS_TOLD_FROM) return;
    zvt_alert_triggered_t alert = {.severity = ZVT_SEVERITY_WARNING, .code = ZVT_CODE_POSITIONS_FULL};
    snprintf(alert.message, sizeof alert.message,
             "%u of %d positions are in use, one for each portfolio, strategy and symbol ever traded; without room, orders for new ones are refused",
             self->positions_count, POSITIONS_MAX);
    self->positions_told = turn_emit_system(self, ZVT_T_ALERT_TRIGGERED, &alert, NULL) == 0;
}

static void s_chores(turn_core_t *self)
{
    if (self->monotonic_ns < self->chores_ns) return;
    self->chores_ns = self->monotonic_ns + CHORES_PERIOD_NS;
    reports_chores(self);
    fills_chores(self);
    commands_chores(self);
    letters_chores(self);
    reconcile_chores(self);
    s_tell_positions(self);
}

static void s_commit(turn_core_t *self)
{
    self->committing = self->gather;
    self->committing_ns = self->monotonic_ns;
    self->gather = self->gather == &self->batches[0] ? &self->batches[1] : &self->batches[0];
    self->io.commit(self->io.arg, &self->committing->view);
}

static void s_work(turn_core_t *self)
{
    saga_core_on_time(self->sagas, self->monotonic_ns);
    s_chores(self);
    turn_flush_due(self);
    s_ask_new_risk(self);
    s_ask_new_portfolio(self);
    fills_record_waiting(self);
    if (self->gather->view.count == 0) return;
    if (self->committing == NULL)
        s_commit(self);
    else if (self->io.gather != NULL)
        self->io.gather(self->io.arg, &self->gather->view);
}

void turn_core_end_turn(turn_core_t *self)
{
    if (self->open) s_work(self);
    turn_flush_acks(self);
}

bool turn_core_is_stalled(const turn_core_t *self)
{
    return self->committing != NULL && self->monotonic_ns - self->committing_ns > TURN_STALL_NS;
}

/* How many events from the `first` on go into one message; at least one. */
static uint32_t s_publishable(const turn_batch_t *batch, uint32_t first)
{
    uint32_t count = 0;
    size_t bytes = 0;
    while (first + count < batch->count) {
        bytes += batch->events[first + count].payload_length + EVENT_HEADER_BYTES;
        if (count > 0 && bytes > PUBLISH_BYTES_MAX) break;
        count++;
    }
    return count;
}

static void s_publish_events(turn_core_t *self, const turn_batch_t *batch, uint32_t first, uint32_t count)
{
    zvt_log_batch_t head = {.shard = (uint32_t)self->fleet->shard, .first_seq = batch->first_seq + first,
                            .last_seq = batch->first_seq + first + count - 1, .tip_seq = batch->last_seq, .epoch = batch->epoch,
                            .committed_at_ns = self->utc_ns};
    self->frame.length = 0;
    int status = zvt_pack(&self->frame, ZVT_T_LOG_BATCH, &head);
    for (uint32_t i = first; i < first + count && status == 0; i++) status = zvt_pack_event(&self->frame, &batch->events[i]);
    ZVT_ASSERT(status == 0); /* the frame is larger than a batch can be */
    self->io.publish(self->io.arg, self->log_topic, self->frame.data, self->frame.length);
}

static void s_publish_batch(turn_core_t *self, const turn_batch_t *batch)
{
    uint32_t count;
    for (uint32_t first = 0; first < batch->count; first += count) {
        count = s_publishable(batch, first);
        s_publish_events(self, batch, first, count);
    }
}

static void s_publish_types(turn_core_t *self, const turn_batch_t *batch)
{
    char topic[64];
    for (uint32_t i = 0; i < batch->count; i++) {
        snprintf(topic, sizeof topic, "event.%s", zvt_type_name(batch->events[i].type));
        self->frame.length = 0;
        ZVT_ASSERT(zvt_pack_event(&self->frame, &batch->events[i]) == 0);
        self->io.publish(self->io.arg, topic, self->frame.data, self->frame.length);
    }
}

void turn_core_on_commit(turn_core_t *self)
{
    batch_t *batch = self->committing;
    ZVT_ASSERT(batch != NULL);
    self->committed_seq = batch->view.last_seq;
    if (batch->last_position_seq != 0) self->last_position_seq = batch->last_position_seq;
    self->committing = NULL;
    /* First, so that the database works while the rest is done. Nothing is gathered before this batch is cleared. */
    if (self->gather->view.count > 0) s_commit(self);
    s_publish_batch(self, &batch->view);
    if (self->publish_types) s_publish_types(self, &batch->view);
    s_end_halt(self, &batch->view);
    int32_t effects = batch->effects_first;
    batch->view.count = 0;
    batch->payloads.length = 0;
    batch->last_position_seq = 0;
    batch->effects_first = batch->effects_last = NONE;
    turn_do_effects(self, effects);
    commands_on_commit(self);
    notices_on_commit(self);
    turn_flush_acks(self);
}

int64_t turn_core_next_ns(const turn_core_t *self)
{
    if (!self->open) return 0;
    int64_t next_ns = saga_core_next_ns(self->sagas);
    bool chores = self->trouble_first != NONE || self->fills_first != NONE || self->waiters_used > 0 || letters_wait(self) ||
                  reconcile_waits(self) || self->halt_unrecorded;
    for (uint32_t i = 0; i < HALTS_MAX; i++) chores = chores || self->halts[i].seq != 0;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++)
        chores = chores || self->venues[i].tip > self->venues[i].received.window.contiguous;
    if (chores && (next_ns == 0 || self->chores_ns < next_ns)) next_ns = self->chores_ns;
    /* What waits for room goes on when the commit under way ends. */
    if (self->staged_orders_first != NONE && self->ready_first == NONE) {
        int64_t due_ns = order_core_at(self->orders, self->staged_orders_first)->staged_ns + TURN_STAGE_MAX_NS;
        if (next_ns == 0 || due_ns < next_ns) next_ns = due_ns;
    }
    return next_ns;
}

void turn_core_publish_tip(turn_core_t *self)
{
    uint8_t bytes[64];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    if (!self->open) return;
    zvt_log_tip_t tip = {.shard = (uint32_t)self->fleet->shard, .tip_seq = self->committed_seq, .epoch = self->epoch};
    ZVT_ASSERT(zvt_pack(&buf, ZVT_T_LOG_TIP, &tip) == 0);
    self->io.publish(self->io.arg, self->log_topic, buf.data, buf.length);
}

void turn_core_publish_types(turn_core_t *self, bool wanted)
{
    self->publish_types = wanted;
}

void turn_core_status(const turn_core_t *self, turn_status_t *status)
{
    memset(status, 0, sizeof *status);
    status->committed_seq = self->committed_seq;
    status->appended_seq = self->next_seq - 1;
    status->epoch = self->epoch;
    status->open_sagas = saga_core_count(self->sagas);
    status->open_orders = order_core_open_count(self->orders);
    status->dead_letters = self->letters_count;
    status->halted = self->halted || self->halt_latched || self->resumed_seq > self->committed_seq;
    status->orders_ended = self->orders_ended;
    memcpy(status->services_up, self->service_up, sizeof status->services_up);
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) status->venues_up += self->venues[i].reachable;
    for (int32_t at = self->trouble_first; at != NONE; at = order_core_at(self->orders, at)->trouble_next)
        status->unknown_orders += order_core_at(self->orders, at)->state == ZVT_ORDER_STATE_UNKNOWN;
}
