/* turn_fixture -- a world around the turn core for its tests: a log in memory, and services that answer by the book. */
#ifndef TURN_FIXTURE_H
#define TURN_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "turn_core.h"
#include "zvt_fixed.h"

/* A world for the turn core: a log in memory, and services that answer by the book unless a test says otherwise. */
enum { LOG_MAX = 16384, QUEUE_MAX = 2048, SENT_MAX = 1024, FRAMES_MAX = 4096 };
#define MS INT64_C(1000000)

static struct {
    turn_core_t *core;
    zvt_fleet_t *fleet;
    int64_t now_ns;
    /* the database */
    zvt_event_t log[LOG_MAX];
    uint32_t log_count;
    int64_t commission_e8, commission_totals_e8[LOG_MAX]; /* of the position; after each fill, by the number in its exec_id */
    turn_batch_t committing;
    bool commit_pending;
    int commits;
    uint32_t gathered; /* events that were told of before their batch began to commit .. */
    uint64_t gathered_sum; /* .. and what they were then */
    /* answers on their way to the core */
    zvt_record_t queue[QUEUE_MAX];
    int queue_count;
    /* what left */
    zvt_order_send_t sent[SENT_MAX];
    int sent_count, queries, cancels, since_asked, fills_asked, releases;
    zvt_kill_noted_t noted[SENT_MAX];
    int noted_count;
    zvt_signal_ack_t acks[SENT_MAX]; /* the last ones */
    int acks_count, ack_messages;
    int acks_of[256]; /* by code */
    zvt_log_batch_t frames[FRAMES_MAX];
    int frames_count;
    size_t frame_max; /* bytes of the largest */
    zvt_place_reply_t places[SENT_MAX];
    int places_count;
    zvt_cancel_reply_t cancel_reply;
    int cancel_replies;
    zvt_command_reply_t command_reply;
    int command_replies;
    zvt_error_reply_t error_reply;
    int error_replies, list_ends;
    /* behaviour */
    int resumes; /* that became durable */
    int resumes_told; /* resumes answered before */
    bool risk_silent, route_silent, venue_silent, portfolio_silent;
    uint8_t risk_code, route_code, portfolio_code;
    zvt_reports_since_t since; /* the last one asked */
    zvt_dead_letter_row_t letters[SENT_MAX];
    uint32_t letters_count;
    /* the venue account as alpha tells it; beta has none */
    bool account_silent;
    char open_orders[SENT_MAX][ZVT_CLIENT_ORDER_SIZE];
    int open_count;
    zvt_account_asset_t assets[4];
    int assets_count;
    zvt_route_request_t route; /* the last one asked */
    int routes_asked;
    uint64_t venue_seq, risk_min_seq, portfolio_min_seq;
} w;

static const char s_fleet_text[] =
    "instruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.00001\n        max_quantity = 10\n        max_position = 100\n"
    "venues\n    alpha\n        taker_fee = 0.001\n    beta\n        taker_fee = 0.002\n";

static inline void s_queue(zvt_type_t type, const void *record)
{
    cr_assert_lt(w.queue_count, QUEUE_MAX);
    w.queue[w.queue_count].type = type;
    memcpy(&w.queue[w.queue_count++].hello, record, zvt_desc(type)->size);
}

static inline uint64_t s_sum(uint64_t sum, const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) sum = (sum ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ULL;
    return sum;
}

static inline uint64_t s_sum_of_events(const turn_batch_t *batch, uint32_t count)
{
    uint64_t sum = 0xcbf29ce484222325ULL;
    for (uint32_t i = 0; i < count; i++) {
        zvt_event_t event;
        memcpy(&event, &batch->events[i], sizeof event);
        event.payload = NULL;
        sum = s_sum(s_sum(sum, &event, sizeof event), batch->events[i].payload, event.payload_length);
    }
    return sum;
}

static inline void s_gather(void *arg, const turn_batch_t *batch)
{
    (void)arg;
    cr_assert(w.commit_pending, "what need not wait is committed at once");
    w.gathered = batch->count;
    w.gathered_sum = s_sum_of_events(batch, batch->count);
}

static inline void s_commit(void *arg, const turn_batch_t *batch)
{
    (void)arg;
    cr_assert(!w.commit_pending, "one commit at a time");
    w.commit_pending = true;
    /* The rows of what was gathered are made already, so it must be the beginning of this batch, byte for byte. */
    cr_assert_geq(batch->count, w.gathered);
    if (w.gathered > 0) cr_assert_eq(s_sum_of_events(batch, w.gathered), w.gathered_sum, "what was gathered has changed");
    w.gathered = 0;
    w.committing = *batch;
}

static inline zvt_report_t s_report(const zvt_order_send_t *send, uint8_t kind)
{
    zvt_report_t report = {.venue_seq = ++w.venue_seq, .kind = kind, .side = send->side, .code = ZVT_CODE_OK};
    ZVT_STR_SET(report.exchange, send->exchange);
    ZVT_STR_SET(report.client_order_id, send->client_order_id);
    ZVT_STR_SET(report.exchange_order_id, "X1");
    ZVT_STR_SET(report.symbol, send->symbol);
    ZVT_STR_SET(report.commission_asset, "USDT");
    return report;
}

static inline void s_queue_fill(const zvt_order_send_t *send, int64_t quantity_e8)
{
    zvt_report_t fill = s_report(send, ZVT_REPORT_KIND_FILL);
    fill.price_e8 = 60000 * ZVT_E8;
    fill.quantity_e8 = quantity_e8;
    fill.commission_e8 = ZVT_E8;
    snprintf(fill.exec_id, sizeof fill.exec_id, "E%llu", (unsigned long long)fill.venue_seq);
    s_queue(ZVT_T_REPORT, &fill);
}

/* The invariant of the house: an order leaves only after its intent is in the log. */
static inline void s_assert_intent_is_durable(const zvt_order_send_t *send)
{
    zvt_record_t record;
    for (uint32_t i = 0; i < w.log_count; i++) {
        if (w.log[i].type != ZVT_T_ORDER_SUBMITTED) continue;
        cr_assert_eq(zvt_read_payload(&w.log[i], &record), 0);
        if (strcmp(record.order_submitted.client_order_id, send->client_order_id) == 0) return;
    }
    cr_assert_fail("order %s was sent before its intent was committed", send->client_order_id);
}

static inline void s_venue_takes(const zvt_order_send_t *send)
{
    zvt_report_t accepted = s_report(send, ZVT_REPORT_KIND_ACCEPTED);
    s_queue(ZVT_T_REPORT, &accepted);
    if (send->order_type == ZVT_ORDER_TYPE_MARKET) s_queue_fill(send, send->quantity_e8);
}

/* What the venue answers when it is asked for its account: the orders and assets that the test has set. */
static inline void s_answer_account(const zvt_account_query_t *query)
{
    bool alpha = strcmp(query->exchange, "alpha") == 0;
    zvt_account_snapshot_t end = {.query = query->query, .code = ZVT_CODE_OK, .venue_seq = alpha ? w.venue_seq : 0};
    ZVT_STR_SET(end.exchange, query->exchange);
    for (int i = 0; alpha && i < w.open_count; i++, end.orders++) {
        zvt_account_order_t row = {.query = query->query};
        ZVT_STR_SET(row.exchange, query->exchange);
        ZVT_STR_SET(row.client_order_id, w.open_orders[i]);
        s_queue(ZVT_T_ACCOUNT_ORDER, &row);
    }
    for (int i = 0; alpha && i < w.assets_count; i++, end.assets++) {
        zvt_account_asset_t row = w.assets[i];
        row.query = query->query;
        ZVT_STR_SET(row.exchange, query->exchange);
        s_queue(ZVT_T_ACCOUNT_ASSET, &row);
    }
    s_queue(ZVT_T_ACCOUNT_SNAPSHOT, &end);
}

static inline void s_ask_executor(zvt_type_t type, const void *record)
{
    if (type == ZVT_T_ROUTE_REQUEST) {
        const zvt_route_request_t *request = record;
        w.route = *request;
        w.routes_asked++;
        zvt_route_reply_t reply = {.order_id = request->order_id, .attempt = request->attempt, .code = w.route_code};
        bool avoid_alpha = strcmp(request->avoid, "alpha") == 0;
        for (uint32_t i = 0; i < request->excluded_count; i++) avoid_alpha = avoid_alpha || strcmp(request->excluded[i].exchange, "alpha") == 0;
        if (request->excluded_count == 2) reply.code = request->excluded[0].code;
        ZVT_STR_SET(reply.selected_exchange, avoid_alpha ? "beta" : "alpha");
        if (!w.route_silent) s_queue(ZVT_T_ROUTE_REPLY, &reply);
    } else if (type == ZVT_T_ORDER_SEND) {
        const zvt_order_send_t *send = record;
        s_assert_intent_is_durable(send);
        cr_assert_lt(w.sent_count, SENT_MAX);
        w.sent[w.sent_count++] = *send;
        if (!w.venue_silent) s_venue_takes(send);
    }
    if (type == ZVT_T_ACCOUNT_QUERY && !w.account_silent) s_answer_account(record);
    if (type == ZVT_T_KILL_NOTED) w.noted[w.noted_count++] = *(const zvt_kill_noted_t *)record;
    w.queries += type == ZVT_T_ORDER_QUERY;
    w.cancels += type == ZVT_T_ORDER_CANCEL;
    w.since_asked += type == ZVT_T_REPORTS_SINCE;
    if (type == ZVT_T_REPORTS_SINCE) w.since = *(const zvt_reports_since_t *)record;
}

/* Of the one position, with this fill: the same whenever it is asked about again. */
static inline int64_t s_commission_total(const zvt_fill_apply_t *fill)
{
    unsigned long long number = strtoull(fill->exec_id + 1, NULL, 10);
    cr_assert_lt(number, LOG_MAX);
    if (w.commission_totals_e8[number] == 0) w.commission_totals_e8[number] = w.commission_e8 += fill->commission_e8;
    return w.commission_totals_e8[number];
}

static inline void s_ask(void *arg, turn_service_t service, zvt_type_t type, const void *record)
{
    (void)arg;
    if (service == TURN_EXECUTOR) s_ask_executor(type, record);
    w.releases += type == ZVT_T_RISK_RELEASE;
    if (type == ZVT_T_RISK_CHECK) w.risk_min_seq = ((const zvt_risk_check_t *)record)->min_seq;
    if (type == ZVT_T_RISK_CHECK && !w.risk_silent) {
        const zvt_risk_check_t *check = record;
        zvt_risk_verdict_t verdict = {.order_id = check->order_id, .incarnation = 1, .code = w.risk_code, .epoch = check->epoch};
        s_queue(ZVT_T_RISK_VERDICT, &verdict);
    }
    w.fills_asked += type == ZVT_T_FILL_APPLY;
    if (type == ZVT_T_FILL_APPLY) w.portfolio_min_seq = ((const zvt_fill_apply_t *)record)->min_seq;
    if (type == ZVT_T_FILL_APPLY && !w.portfolio_silent) {
        const zvt_fill_apply_t *apply = record;
        zvt_fill_applied_t applied = {.incarnation = 1, .code = w.portfolio_code};
        applied.position.position_id = zvt_id_from_text("p", 1);
        applied.position.order_id = apply->order_id;
        ZVT_STR_SET(applied.exchange, apply->exchange);
        ZVT_STR_SET(applied.position.exec_id, apply->exec_id);
        if (applied.code == ZVT_CODE_OK) applied.position.commission_total_e8 = s_commission_total(apply);
        s_queue(ZVT_T_FILL_APPLIED, &applied);
    }
}

static inline void s_reply(void *arg, const turn_client_t *client, zvt_type_t type, const void *record)
{
    (void)arg;
    (void)client;
    if (type == ZVT_T_PLACE_REPLY) w.places[w.places_count++] = *(const zvt_place_reply_t *)record;
    if (type == ZVT_T_DEAD_LETTER_ROW) w.letters[w.letters_count++] = *(const zvt_dead_letter_row_t *)record;
    if (type == ZVT_T_CANCEL_REPLY) {
        w.cancel_reply = *(const zvt_cancel_reply_t *)record;
        w.cancel_replies++;
    }
    w.list_ends += type == ZVT_T_LIST_END;
    if (type == ZVT_T_ERROR_REPLY) {
        w.error_reply = *(const zvt_error_reply_t *)record;
        w.error_replies++;
    }
    if (type == ZVT_T_COMMAND_REPLY) {
        w.command_reply = *(const zvt_command_reply_t *)record;
        w.command_replies++;
    }
}

static inline void s_resumed(void *arg)
{
    (void)arg;
    w.resumes++;
    w.resumes_told = w.command_replies;
}

static inline void s_publish(void *arg, const char *topic, const void *data, size_t length)
{
    (void)arg;
    zvt_record_t record;
    zvt_cursor_t cursor = zvt_cursor(data, length);
    if (strncmp(topic, "log.", 4) == 0 && zvt_read(&cursor, &record) == 0 && record.type == ZVT_T_LOG_BATCH) {
        cr_assert_lt(w.frames_count, FRAMES_MAX);
        w.frames[w.frames_count++] = record.log_batch;
        if (length > w.frame_max) w.frame_max = length;
    }
    if (strncmp(topic, "ack.", 4) != 0) return;
    w.ack_messages++;
    while (!zvt_cursor_done(&cursor)) {
        cr_assert_eq(zvt_read(&cursor, &record), 0);
        w.acks[w.acks_count++ % SENT_MAX] = record.signal_ack;
        w.acks_of[record.signal_ack.code]++;
    }
}

static inline void s_tick(int64_t step_ns)
{
    w.now_ns += step_ns;
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_end_turn(w.core);
}

/* The database confirms what is being committed. */
static inline void s_confirm(void)
{
    if (!w.commit_pending) return;
    for (uint32_t i = 0; i < w.committing.count; i++) {
        zvt_event_t *event = &w.log[w.log_count++];
        *event = w.committing.events[i];
        uint8_t *payload = malloc(event->payload_length);
        memcpy(payload, event->payload, event->payload_length);
        event->payload = payload;
    }
    w.commit_pending = false;
    w.commits++;
    turn_core_on_commit(w.core);
}

static inline void s_deliver_all(void)
{
    while (w.queue_count > 0) {
        static zvt_record_t record;
        record = w.queue[0];
        memmove(&w.queue[0], &w.queue[1], (size_t)--w.queue_count * sizeof w.queue[0]);
        turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &record);
    }
}

/* Runs turns until nothing moves any more. */
static inline void s_settle(void)
{
    for (int i = 0; i < 50; i++) {
        s_deliver_all();
        s_tick(MS / 10);
        s_deliver_all();
        s_tick(0);
        s_confirm();
    }
    s_tick(10 * MS);
    s_confirm();
}

static inline void s_services_up(void)
{
    static const char *const venues[] = {"alpha", "beta"};
    for (unsigned i = 0; i < TURN_SERVICES; i++) turn_core_on_service_up(w.core, (turn_service_t)i, 1);
    for (size_t i = 0; i < 2; i++) {
        zvt_record_t record = {.type = ZVT_T_REPORTS_TIP, .reports_tip = {.reachable = true}};
        ZVT_STR_SET(record.reports_tip.exchange, venues[i]);
        turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &record);
    }
}

static inline turn_core_t *s_new_core(void)
{
    const turn_io_t io = {.commit = s_commit, .gather = s_gather, .ask = s_ask, .reply = s_reply, .publish = s_publish, .resumed = s_resumed};
    return turn_core_new(w.fleet, "orchestrator", &io, 99);
}

/* The process dies, and another folds what is in the log. */
static inline void s_restart(uint64_t epoch)
{
    turn_core_destroy(&w.core);
    w.commit_pending = false;
    w.gathered = 0;
    w.queue_count = 0;
    w.core = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(w.core, &w.log[i]), 0);
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, epoch, 0);
    s_services_up();
}

static inline void s_setup(void)
{
    char problem[ZVT_PROBLEM_SIZE];
    memset(&w, 0, sizeof w);
    w.fleet = calloc(1, sizeof *w.fleet);
    cr_assert_eq(zvt_fleet_parse(s_fleet_text, "test.zpl", w.fleet, problem), 0, "%s", problem);
    w.now_ns = INT64_C(1700000000000000000);
    w.risk_code = w.route_code = w.portfolio_code = ZVT_CODE_OK;
    w.core = s_new_core();
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, 1, 0);
    s_services_up();
    s_settle();
}

static inline void s_teardown(void)
{
    for (uint32_t i = 0; i < w.log_count; i++) free((void *)(uintptr_t)w.log[i].payload);
    turn_core_destroy(&w.core);
    free(w.fleet);
}

static inline zvt_order_request_t s_terms(uint8_t order_type)
{
    zvt_order_request_t terms = {.symbol = "BTC/USDT", .side = ZVT_SIDE_BUY, .order_type = order_type, .quantity_e8 = ZVT_E8};
    terms.time_in_force = order_type == ZVT_ORDER_TYPE_MARKET ? ZVT_TIF_IOC : ZVT_TIF_GTC;
    terms.limit_price_e8 = order_type == ZVT_ORDER_TYPE_MARKET ? 0 : 50000 * ZVT_E8;
    return terms;
}

static inline zvt_record_t s_signal(uint64_t sender_seq, uint8_t order_type)
{
    zvt_record_t record = {.type = ZVT_T_SIGNAL, .signal = {.sender = "alice", .incarnation = 5, .sender_seq = sender_seq}};
    record.signal.signal_id = zvt_id_from_text((const char *)&sender_seq, sizeof sender_seq);
    record.signal.order_request = s_terms(order_type);
    return record;
}

static inline void s_ask_for(const zvt_record_t *request)
{
    const turn_client_t client = {{1}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, request);
}

static inline void s_give_signal(const zvt_record_t *signal)
{
    turn_core_on_record(w.core, TURN_FROM_SIGNALS, NULL, signal);
}

static inline void s_give_cancel(uint64_t sender_seq, const zvt_record_t *signal)
{
    zvt_record_t cancel = {.type = ZVT_T_SIGNAL_CANCEL, .signal_cancel = {.sender = "alice", .incarnation = 5, .sender_seq = sender_seq}};
    cancel.signal_cancel.signal_id = signal->signal.signal_id;
    turn_core_on_record(w.core, TURN_FROM_SIGNALS, NULL, &cancel);
}

/* Events of the system, until the batch being gathered is full; trading is not halted afterwards. */
static inline void s_fill_gathered(void)
{
    for (int n = 0; n < TURN_BATCH_EVENTS_MAX; n++) {
        zvt_record_t record = {.type = ZVT_T_HALT_REQUEST, .halt_request = {.halt = n % 2 == 0, .requested_by = "test"}};
        turn_client_t client = {0};
        turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &record);
    }
}

static inline uint32_t s_count(zvt_type_t type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w.log_count; i++) count += w.log[i].type == type;
    return count;
}

/* The caller frees the text. */
static inline char *s_dump(turn_core_t *core)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    turn_core_dump(core, out);
    fclose(out);
    return text;
}

/* Dump of a fresh core that folds the log. The caller frees it. */
static inline char *s_fold_dump(void)
{
    turn_core_t *fresh = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(fresh, &w.log[i]), 0, "event %u", i);
    char *text = s_dump(fresh);
    turn_core_destroy(&fresh);
    return text;
}

#endif
