#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "turn_core.h"
#include "zvt_fixed.h"

/* A world for the turn core: a log in memory, and services that answer by the book unless a test says otherwise. */
enum { LOG_MAX = 4096, QUEUE_MAX = 256, SENT_MAX = 64 };
#define MS INT64_C(1000000)

static struct {
    turn_core_t *core;
    zvt_fleet_t *fleet;
    int64_t now_ns;
    /* the database */
    zvt_event_t log[LOG_MAX];
    uint32_t log_count;
    turn_batch_t committing;
    bool commit_pending;
    int commits;
    /* answers on their way to the core */
    zvt_record_t queue[QUEUE_MAX];
    int queue_count;
    /* what left */
    zvt_order_send_t sent[SENT_MAX];
    int sent_count, queries, cancels, since_asked;
    zvt_signal_ack_t acks[SENT_MAX];
    int acks_count;
    zvt_place_reply_t places[SENT_MAX];
    int places_count;
    zvt_cancel_reply_t cancel_reply;
    int cancel_replies;
    zvt_command_reply_t command_reply;
    int command_replies;
    /* behaviour */
    bool risk_silent, venue_silent, portfolio_silent;
    uint8_t risk_code;
    uint64_t venue_seq, risk_min_seq;
} w;

static const char s_fleet_text[] =
    "instruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.00001\n        max_quantity = 10\n        max_position = 100\n"
    "venues\n    alpha\n        taker_fee = 0.001\n    beta\n        taker_fee = 0.002\n";

static void s_queue(zvt_type_t type, const void *record)
{
    cr_assert_lt(w.queue_count, QUEUE_MAX);
    w.queue[w.queue_count].type = type;
    memcpy(&w.queue[w.queue_count++].hello, record, zvt_desc(type)->size);
}

static void s_commit(void *arg, const turn_batch_t *batch)
{
    (void)arg;
    cr_assert(!w.commit_pending, "one commit at a time");
    w.commit_pending = true;
    w.committing = *batch;
}

static zvt_report_t s_report(const zvt_order_send_t *send, uint8_t kind)
{
    zvt_report_t report = {.venue_seq = ++w.venue_seq, .kind = kind, .side = send->side, .code = ZVT_CODE_OK};
    ZVT_STR_SET(report.exchange, send->exchange);
    ZVT_STR_SET(report.client_order_id, send->client_order_id);
    ZVT_STR_SET(report.exchange_order_id, "X1");
    ZVT_STR_SET(report.symbol, send->symbol);
    ZVT_STR_SET(report.commission_asset, "USDT");
    return report;
}

static void s_queue_fill(const zvt_order_send_t *send, int64_t quantity_e8)
{
    zvt_report_t fill = s_report(send, ZVT_REPORT_KIND_FILL);
    fill.price_e8 = 60000 * ZVT_E8;
    fill.quantity_e8 = quantity_e8;
    fill.commission_e8 = ZVT_E8;
    snprintf(fill.exec_id, sizeof fill.exec_id, "E%llu", (unsigned long long)fill.venue_seq);
    s_queue(ZVT_T_REPORT, &fill);
}

/* The invariant of the house: an order leaves only after its intent is in the log. */
static void s_assert_intent_is_durable(const zvt_order_send_t *send)
{
    zvt_record_t record;
    for (uint32_t i = 0; i < w.log_count; i++) {
        if (w.log[i].type != ZVT_T_ORDER_SUBMITTED) continue;
        cr_assert_eq(zvt_read_payload(&w.log[i], &record), 0);
        if (strcmp(record.order_submitted.client_order_id, send->client_order_id) == 0) return;
    }
    cr_assert_fail("order %s was sent before its intent was committed", send->client_order_id);
}

static void s_venue_takes(const zvt_order_send_t *send)
{
    zvt_report_t accepted = s_report(send, ZVT_REPORT_KIND_ACCEPTED);
    s_queue(ZVT_T_REPORT, &accepted);
    if (send->order_type == ZVT_ORDER_TYPE_MARKET) s_queue_fill(send, send->quantity_e8);
}

static void s_ask_executor(zvt_type_t type, const void *record)
{
    if (type == ZVT_T_ROUTE_REQUEST) {
        const zvt_route_request_t *request = record;
        zvt_route_reply_t reply = {.order_id = request->order_id, .attempt = request->attempt, .code = ZVT_CODE_OK};
        ZVT_STR_SET(reply.selected_exchange, strcmp(request->avoid, "alpha") == 0 ? "beta" : "alpha");
        s_queue(ZVT_T_ROUTE_REPLY, &reply);
    } else if (type == ZVT_T_ORDER_SEND) {
        const zvt_order_send_t *send = record;
        s_assert_intent_is_durable(send);
        cr_assert_lt(w.sent_count, SENT_MAX);
        w.sent[w.sent_count++] = *send;
        if (!w.venue_silent) s_venue_takes(send);
    }
    w.queries += type == ZVT_T_ORDER_QUERY;
    w.cancels += type == ZVT_T_ORDER_CANCEL;
    w.since_asked += type == ZVT_T_REPORTS_SINCE;
}

static void s_ask(void *arg, turn_service_t service, zvt_type_t type, const void *record)
{
    (void)arg;
    if (service == TURN_EXECUTOR) s_ask_executor(type, record);
    if (type == ZVT_T_RISK_CHECK) w.risk_min_seq = ((const zvt_risk_check_t *)record)->min_seq;
    if (type == ZVT_T_RISK_CHECK && !w.risk_silent) {
        const zvt_risk_check_t *check = record;
        zvt_risk_verdict_t verdict = {.order_id = check->order_id, .incarnation = 1, .code = w.risk_code};
        s_queue(ZVT_T_RISK_VERDICT, &verdict);
    }
    if (type == ZVT_T_FILL_APPLY && !w.portfolio_silent) {
        const zvt_fill_apply_t *apply = record;
        zvt_fill_applied_t applied = {.incarnation = 1, .code = ZVT_CODE_OK};
        applied.position.position_id = zvt_id_from_text("p", 1);
        applied.position.order_id = apply->order_id;
        ZVT_STR_SET(applied.exchange, apply->exchange);
        ZVT_STR_SET(applied.position.exec_id, apply->exec_id);
        s_queue(ZVT_T_FILL_APPLIED, &applied);
    }
}

static void s_reply(void *arg, const turn_client_t *client, zvt_type_t type, const void *record)
{
    (void)arg;
    (void)client;
    if (type == ZVT_T_PLACE_REPLY) w.places[w.places_count++] = *(const zvt_place_reply_t *)record;
    if (type == ZVT_T_CANCEL_REPLY) {
        w.cancel_reply = *(const zvt_cancel_reply_t *)record;
        w.cancel_replies++;
    }
    if (type == ZVT_T_COMMAND_REPLY) {
        w.command_reply = *(const zvt_command_reply_t *)record;
        w.command_replies++;
    }
}

static void s_publish(void *arg, const char *topic, const void *data, size_t length)
{
    (void)arg;
    zvt_record_t record;
    zvt_cursor_t cursor = zvt_cursor(data, length);
    if (strncmp(topic, "ack.", 4) != 0) return;
    cr_assert_eq(zvt_read(&cursor, &record), 0);
    w.acks[w.acks_count++] = record.signal_ack;
}

static void s_tick(int64_t step_ns)
{
    w.now_ns += step_ns;
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_end_turn(w.core);
}

/* The database confirms what is being committed. */
static void s_confirm(void)
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

static void s_deliver_all(void)
{
    while (w.queue_count > 0) {
        static zvt_record_t record;
        record = w.queue[0];
        memmove(&w.queue[0], &w.queue[1], (size_t)--w.queue_count * sizeof w.queue[0]);
        turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &record);
    }
}

/* Runs turns until nothing moves any more. */
static void s_settle(void)
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

static void s_services_up(void)
{
    static const char *const venues[] = {"alpha", "beta"};
    for (unsigned i = 0; i < TURN_SERVICES; i++) turn_core_on_service_up(w.core, (turn_service_t)i, 1);
    for (size_t i = 0; i < 2; i++) {
        zvt_record_t record = {.type = ZVT_T_REPORTS_TIP, .reports_tip = {.reachable = true}};
        ZVT_STR_SET(record.reports_tip.exchange, venues[i]);
        turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &record);
    }
}

static turn_core_t *s_new_core(void)
{
    const turn_io_t io = {.commit = s_commit, .ask = s_ask, .reply = s_reply, .publish = s_publish};
    return turn_core_new(w.fleet, "orchestrator", &io, 99);
}

static void s_setup(void)
{
    char problem[ZVT_PROBLEM_SIZE];
    memset(&w, 0, sizeof w);
    w.fleet = calloc(1, sizeof *w.fleet);
    cr_assert_eq(zvt_fleet_parse(s_fleet_text, "test.zpl", w.fleet, problem), 0, "%s", problem);
    w.now_ns = INT64_C(1700000000000000000);
    w.risk_code = ZVT_CODE_OK;
    w.core = s_new_core();
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, 1, 0);
    s_services_up();
    s_settle();
}

static void s_teardown(void)
{
    for (uint32_t i = 0; i < w.log_count; i++) free((void *)(uintptr_t)w.log[i].payload);
    turn_core_destroy(&w.core);
    free(w.fleet);
}

static zvt_order_request_t s_terms(uint8_t order_type)
{
    zvt_order_request_t terms = {.symbol = "BTC/USDT", .side = ZVT_SIDE_BUY, .order_type = order_type, .quantity_e8 = ZVT_E8};
    terms.time_in_force = order_type == ZVT_ORDER_TYPE_MARKET ? ZVT_TIF_IOC : ZVT_TIF_GTC;
    terms.limit_price_e8 = order_type == ZVT_ORDER_TYPE_MARKET ? 0 : 50000 * ZVT_E8;
    return terms;
}

static zvt_record_t s_signal(uint64_t sender_seq, uint8_t order_type)
{
    zvt_record_t record = {.type = ZVT_T_SIGNAL, .signal = {.sender = "alice", .incarnation = 5, .sender_seq = sender_seq}};
    record.signal.signal_id = zvt_id_from_text((const char *)&sender_seq, sizeof sender_seq);
    record.signal.order_request = s_terms(order_type);
    return record;
}

static void s_give_signal(const zvt_record_t *signal)
{
    turn_core_on_record(w.core, TURN_FROM_SIGNALS, NULL, signal);
}

static uint32_t s_count(zvt_type_t type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w.log_count; i++) count += w.log[i].type == type;
    return count;
}

TestSuite(turn_core, .init = s_setup, .fini = s_teardown);

Test(turn_core, a_filled_order_is_nine_rows_in_two_commits_with_unbroken_causation)
{
    static const zvt_type_t chain[] = {ZVT_T_ORDER_REQUESTED, ZVT_T_ORDER_VALIDATED, ZVT_T_ORDER_CREATED,
                                       ZVT_T_EXCHANGE_ROUTED, ZVT_T_ORDER_SUBMITTED, ZVT_T_ORDER_ACCEPTED,
                                       ZVT_T_ORDER_EXECUTED, ZVT_T_POSITION_UPDATED, ZVT_T_ORDER_COMPLETED};
    uint32_t first = w.log_count;
    int commits = w.commits;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.log_count - first, 9);
    cr_assert_eq(w.commits - commits, 2);
    for (uint32_t i = 0; i < 9; i++) {
        cr_assert_eq(w.log[first + i].type, chain[i]);
        cr_assert_eq(w.log[first + i].seq, first + i + 1);
        const zvt_id_t *cause = i == 0 ? &signal.signal.signal_id : &w.log[first + i - 1].event_id;
        cr_assert(zvt_id_equal(&w.log[first + i].causation_id, cause), "event %u", i);
    }
    cr_assert_eq(w.acks_count, 1);
    cr_assert_eq(w.acks[0].code, ZVT_CODE_OK);
    cr_assert_eq(w.acks[0].seq, first + 1);
}

Test(turn_core, a_signal_sent_twice_is_one_order_acknowledged_twice)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_give_signal(&signal);
    cr_assert_eq(w.acks_count, 0, "nothing is acknowledged before the commit");
    s_settle();
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), 1);
    cr_assert_eq(w.sent_count, 1);
    cr_assert_eq(w.acks_count, 2);
    cr_assert_eq(w.acks[1].code, ZVT_CODE_DUPLICATE);
    cr_assert(zvt_id_equal(&w.acks[0].order_id, &w.acks[1].order_id));
}

Test(turn_core, the_same_request_id_is_one_execution_and_both_are_answered)
{
    turn_client_t client = {{1}};
    zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST, .place_request = {.request_id = "r1"}};
    request.place_request.order_request = s_terms(ZVT_ORDER_TYPE_MARKET);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    cr_assert_eq(w.sent_count, 1);
    cr_assert_eq(w.places_count, 3);
    for (int i = 0; i < 3; i++) {
        cr_assert(w.places[i].success);
        cr_assert_eq(w.places[i].filled_quantity_e8, ZVT_E8);
        cr_assert_eq(w.places[i].avg_fill_price_e8, 60000 * ZVT_E8);
    }
}

Test(turn_core, nonsense_is_rejected_recorded_and_never_sent)
{
    static const struct {
        const char *symbol;
        int64_t quantity_e8, price_e8;
        uint8_t order_type, tif, code;
    } cases[] = {
        {"XXX/YYY", ZVT_E8, 0, ZVT_ORDER_TYPE_MARKET, ZVT_TIF_IOC, ZVT_CODE_UNKNOWN_SYMBOL},
        {"BTC/USDT", 0, 0, ZVT_ORDER_TYPE_MARKET, ZVT_TIF_IOC, ZVT_CODE_BAD_QUANTITY},
        {"BTC/USDT", -1, 0, ZVT_ORDER_TYPE_MARKET, ZVT_TIF_IOC, ZVT_CODE_BAD_QUANTITY},
        {"BTC/USDT", INT64_MIN, 0, ZVT_ORDER_TYPE_MARKET, ZVT_TIF_IOC, ZVT_CODE_BAD_QUANTITY},
        {"BTC/USDT", ZVT_E8, 5, ZVT_ORDER_TYPE_MARKET, ZVT_TIF_IOC, ZVT_CODE_BAD_PRICE},
        {"BTC/USDT", ZVT_E8, 0, ZVT_ORDER_TYPE_LIMIT, ZVT_TIF_GTC, ZVT_CODE_BAD_PRICE},
        {"BTC/USDT", ZVT_E8, 0, ZVT_ORDER_TYPE_MARKET, ZVT_TIF_GTC, ZVT_CODE_BAD_ORDER},
        {"BTC/USDT", ZVT_E8, 0, 0, ZVT_TIF_GTC, ZVT_CODE_BAD_ORDER},
    };
    turn_client_t client = {{1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST};
        zvt_order_request_t *terms = &request.place_request.order_request;
        *terms = s_terms(cases[i].order_type);
        ZVT_STR_SET(terms->symbol, cases[i].symbol);
        terms->quantity_e8 = cases[i].quantity_e8;
        terms->limit_price_e8 = cases[i].price_e8;
        terms->time_in_force = cases[i].tif;
        turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
        s_settle();
        cr_assert_eq(w.places_count, (int)i + 1);
        cr_assert(!w.places[i].success);
        cr_assert_eq(w.places[i].code, cases[i].code, "case %zu gave %s", i, zvt_code_text(w.places[i].code));
    }
    cr_assert_eq(w.sent_count, 0);
    cr_assert_eq(s_count(ZVT_T_ORDER_REJECTED), sizeof cases / sizeof cases[0]);
}

Test(turn_core, an_order_that_risk_refuses_is_not_sent)
{
    w.risk_code = ZVT_CODE_MAX_NOTIONAL;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.sent_count, 0);
    cr_assert_eq(s_count(ZVT_T_ORDER_REJECTED), 1);
    cr_assert_eq(w.acks[0].code, ZVT_CODE_OK, "the signal itself was taken");
}

Test(turn_core, nothing_is_submitted_after_a_halt_and_a_committed_unsent_intent_is_withdrawn)
{
    turn_client_t client = {{1}};
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_deliver_all();
    s_tick(0);
    s_deliver_all();
    s_tick(0);
    cr_assert(w.commit_pending, "the intent is being committed");
    zvt_record_t halt = {.type = ZVT_T_HALT_REQUEST, .halt_request = {.halt = true, .reason = "test"}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &halt);
    s_settle();
    cr_assert_eq(w.sent_count, 0);
    cr_assert_eq(s_count(ZVT_T_ORDER_FAILED), 1);
    cr_assert_eq(w.command_replies, 1);
    zvt_record_t second = s_signal(2, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&second);
    s_settle();
    cr_assert_eq(w.sent_count, 0);
    bool halted = false;
    for (uint32_t i = 0; i < w.log_count; i++) {
        halted = halted || w.log[i].type == ZVT_T_RISK_HALTED;
        cr_assert(!halted || w.log[i].type != ZVT_T_ORDER_SUBMITTED);
    }
    halt.halt_request.halt = false;
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &halt);
    zvt_record_t third = s_signal(3, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&third);
    s_settle();
    cr_assert_eq(w.sent_count, 1);
}

Test(turn_core, a_resting_order_answers_when_accepted_and_is_canceled_on_request)
{
    turn_client_t client = {{1}};
    zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST, .place_request = {.wait = ZVT_WAIT_ACCEPTED}};
    request.place_request.order_request = s_terms(ZVT_ORDER_TYPE_LIMIT);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    cr_assert_eq(w.places_count, 1);
    cr_assert(w.places[0].success);
    cr_assert_eq(w.places[0].state, ZVT_ORDER_STATE_ACCEPTED);
    zvt_record_t cancel = {.type = ZVT_T_CANCEL_REQUEST, .cancel_request = {.order_id = w.places[0].order_id}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &cancel);
    s_settle();
    cr_assert_geq(w.cancels, 1);
    cr_assert_eq(w.cancel_replies, 0);
    zvt_report_t canceled = s_report(&w.sent[0], ZVT_REPORT_KIND_CANCELED);
    s_queue(ZVT_T_REPORT, &canceled);
    s_settle();
    cr_assert_eq(w.cancel_replies, 1);
    cr_assert(w.cancel_reply.success);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &cancel);
    cr_assert_eq(w.cancel_replies, 2);
    cr_assert_eq(w.cancel_reply.code, ZVT_CODE_ORDER_ENDED);
}

Test(turn_core, a_report_that_comes_twice_counts_once_and_a_missing_one_is_asked_for)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    zvt_report_t fill = s_report(&w.sent[0], ZVT_REPORT_KIND_FILL);
    fill.price_e8 = 50000 * ZVT_E8;
    fill.quantity_e8 = ZVT_E8 / 2;
    ZVT_STR_SET(fill.exec_id, "E-a");
    s_queue(ZVT_T_REPORT, &fill);
    s_queue(ZVT_T_REPORT, &fill);
    s_settle();
    s_queue(ZVT_T_REPORT, &fill);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 1);
    int asked = w.since_asked;
    w.venue_seq++; /* one report is lost */
    zvt_report_t later = s_report(&w.sent[0], ZVT_REPORT_KIND_FILL);
    later.price_e8 = 50000 * ZVT_E8;
    later.quantity_e8 = ZVT_E8 / 4;
    ZVT_STR_SET(later.exec_id, "E-c");
    s_queue(ZVT_T_REPORT, &later);
    s_settle();
    for (int i = 0; i < 10; i++) s_tick(30 * MS);
    cr_assert_gt(w.since_asked, asked);
    later.venue_seq--;
    ZVT_STR_SET(later.exec_id, "E-b");
    s_queue(ZVT_T_REPORT, &later);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 3);
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
    asked = w.since_asked;
    for (int i = 0; i < 10; i++) s_tick(30 * MS);
    cr_assert_eq(w.since_asked, asked, "the gap is closed");
}

Test(turn_core, an_expiry_that_arrives_with_its_fill_ends_the_order_after_the_fill_is_accounted_for)
{
    w.venue_silent = true;
    w.portfolio_silent = true;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    zvt_report_t accepted = s_report(&w.sent[0], ZVT_REPORT_KIND_ACCEPTED);
    s_queue(ZVT_T_REPORT, &accepted);
    s_queue_fill(&w.sent[0], ZVT_E8 / 2);
    zvt_report_t expired = s_report(&w.sent[0], ZVT_REPORT_KIND_EXPIRED);
    expired.cum_qty_e8 = ZVT_E8 / 2;
    s_queue(ZVT_T_REPORT, &expired);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXPIRED), 0);
    w.portfolio_silent = false;
    for (int i = 0; i < 20; i++) {
        s_tick(100 * MS);
        s_settle();
    }
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_EXPIRED), 1);
    cr_assert_eq(w.log[w.log_count - 1].type, ZVT_T_ORDER_EXPIRED);
}

Test(turn_core, a_send_without_an_answer_is_asked_for_and_never_sent_again_blindly)
{
    w.venue_silent = true;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    for (int i = 0; i < 20; i++) {
        s_tick(1000 * MS);
        s_confirm();
    }
    cr_assert_eq(w.sent_count, 1);
    cr_assert_gt(w.queries, 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_UNKNOWN), 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_FAILED), 0);
    /* The answer comes at last: it was executed. */
    s_venue_takes(&w.sent[0]);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
}

Test(turn_core, a_tombstoned_order_is_tried_again_under_a_new_intent)
{
    w.venue_silent = true;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    turn_core_on_service_up(w.core, TURN_EXECUTOR, 2);
    cr_assert_eq(w.queries, 1);
    w.venue_silent = false;
    zvt_order_status_t status = {.code = ZVT_CODE_TOMBSTONED};
    ZVT_STR_SET(status.exchange, w.sent[0].exchange);
    ZVT_STR_SET(status.client_order_id, w.sent[0].client_order_id);
    s_queue(ZVT_T_ORDER_STATUS, &status);
    s_settle();
    cr_assert_eq(w.sent_count, 2);
    cr_assert_str_neq(w.sent[0].client_order_id, w.sent[1].client_order_id);
    cr_assert_str_eq(w.sent[1].exchange, "beta");
    cr_assert_eq(s_count(ZVT_T_SAGA_STEP_FAILED), 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
}

Test(turn_core, a_stale_signal_is_refused_and_leaves_no_trace)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    signal.signal.order_request.expires_at_ns = w.now_ns - 1;
    uint32_t before = w.log_count;
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.acks[0].code, ZVT_CODE_STALE);
    cr_assert_eq(w.log_count, before);
}

/* Dump of a fresh core that folds the log. */
static char *s_fold_dump(void)
{
    turn_core_t *fresh = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(fresh, &w.log[i]), 0, "event %u", i);
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    turn_core_dump(fresh, out);
    fclose(out);
    turn_core_destroy(&fresh);
    return text;
}

Test(turn_core, its_state_is_the_fold_of_its_log)
{
    for (uint64_t i = 1; i <= 30; i++) {
        w.risk_code = i % 5 == 0 ? ZVT_CODE_MAX_POSITION : ZVT_CODE_OK;
        w.venue_silent = i % 7 == 0;
        zvt_record_t signal = s_signal(i, i % 3 == 0 ? ZVT_ORDER_TYPE_LIMIT : ZVT_ORDER_TYPE_MARKET);
        s_give_signal(&signal);
        s_settle();
    }
    char *live = NULL, *folded = s_fold_dump();
    size_t length;
    FILE *out = open_memstream(&live, &length);
    turn_core_dump(w.core, out);
    fclose(out);
    cr_assert_str_eq(live, folded);
    cr_assert_not_null(strstr(live, "accepted"));
    free(live);
    free(folded);
}

Test(turn_core, after_a_restart_it_asks_about_what_was_under_way_and_resumes_the_rest)
{
    w.venue_silent = true;
    zvt_record_t sent = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&sent);
    s_settle();
    w.risk_silent = true;
    zvt_record_t waiting = s_signal(2, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&waiting);
    s_settle();
    cr_assert_eq(w.sent_count, 1);
    turn_core_t *before = w.core;
    w.core = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(w.core, &w.log[i]), 0);
    w.queries = w.sent_count = 0;
    w.risk_silent = w.venue_silent = false;
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, 2, 0);
    s_services_up();
    s_settle();
    cr_assert_geq(w.queries, 1);
    cr_assert_eq(w.sent_count, 1, "only the one that had not been submitted");
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
    /* a repetition of either signal is still known */
    w.acks_count = 0;
    s_give_signal(&sent);
    s_give_signal(&waiting);
    s_settle();
    cr_assert_eq(w.acks_count, 2);
    cr_assert_eq(w.acks[0].code, ZVT_CODE_DUPLICATE);
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), 2);
    turn_core_destroy(&before);
}

Test(turn_core, the_digest_at_a_barrier_is_the_folds_digest)
{
    turn_client_t client = {{1}};
    char live[ZVT_ID_TEXT], folded[ZVT_ID_TEXT];
    uint64_t items;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_deliver_all(); /* in the middle of an order */
    zvt_record_t barrier = {.type = ZVT_T_BARRIER_REQUEST};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &barrier);
    s_settle();
    cr_assert_eq(w.command_replies, 1);
    uint64_t seq = w.command_reply.seq;
    cr_assert(turn_core_digest(w.core, seq, live, &items));
    turn_core_t *fresh = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(fresh, &w.log[i]), 0);
    cr_assert(turn_core_digest(fresh, seq, folded, &items));
    cr_assert_str_eq(live, folded);
    turn_core_destroy(&fresh);
}

Test(turn_core, fills_of_a_position_are_recorded_in_the_order_they_were_asked)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    w.portfolio_silent = true;
    s_queue_fill(&w.sent[0], ZVT_E8 / 4);
    s_queue_fill(&w.sent[0], ZVT_E8 / 4);
    s_settle();
    /* the answer to the first one is lost */
    zvt_fill_applied_t second = {.incarnation = 1, .code = ZVT_CODE_OK};
    ZVT_STR_SET(second.exchange, "alpha");
    snprintf(second.position.exec_id, sizeof second.position.exec_id, "E%llu", (unsigned long long)w.venue_seq);
    s_queue(ZVT_T_FILL_APPLIED, &second);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 0);
    w.portfolio_silent = false;
    s_tick(2000 * MS);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 2);
    zvt_record_t first_executed;
    for (uint32_t i = w.log_count; i-- > 0;)
        if (w.log[i].type == ZVT_T_ORDER_EXECUTED) cr_assert_eq(zvt_read_payload(&w.log[i], &first_executed), 0);
    cr_assert_eq(first_executed.order_executed.venue_seq, w.venue_seq - 1);
}

Test(turn_core, clients_that_wait_are_told_when_the_log_is_lost)
{
    turn_client_t client = {{1}};
    w.venue_silent = true;
    zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST, .place_request = {.request_id = "r1"}};
    request.place_request.order_request = s_terms(ZVT_ORDER_TYPE_MARKET);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    cr_assert_eq(w.places_count, 0);
    turn_core_abandon(w.core);
    turn_core_clear(w.core);
    cr_assert_eq(w.places_count, 1);
    cr_assert_eq(w.places[0].code, ZVT_CODE_LOG_UNAVAILABLE);
    cr_assert(!zvt_id_is_none(&w.places[0].order_id));
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    cr_assert_eq(w.places_count, 2, "and refused until it is back");
    cr_assert_eq(w.places[1].code, ZVT_CODE_LOG_UNAVAILABLE);
}

Test(turn_core, a_halt_while_the_log_is_away_holds_and_is_recorded_before_anything_resumes)
{
    w.risk_silent = true;
    zvt_record_t waiting = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&waiting);
    s_settle();
    turn_core_clear(w.core);
    turn_client_t client = {{1}};
    zvt_record_t halt = {.type = ZVT_T_HALT_REQUEST, .halt_request = {.halt = true, .requested_by = "me", .reason = "test"}};
    turn_core_latch_halt(w.core, "me", "test");
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &halt);
    cr_assert_eq(w.command_replies, 1);
    cr_assert(w.command_reply.success);
    turn_core_clear(w.core);
    uint32_t before = w.log_count;
    for (uint32_t i = 0; i < before; i++) cr_assert_eq(turn_core_fold(w.core, &w.log[i]), 0);
    w.risk_silent = false;
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, 2, 0);
    s_services_up();
    s_settle();
    cr_assert_eq(w.sent_count, 0);
    cr_assert_eq(w.log[before + 1].type, ZVT_T_RISK_HALTED, "right after system.started");
    turn_status_t status;
    turn_core_status(w.core, &status);
    cr_assert(status.halted);
}

Test(turn_core, a_wild_number_does_not_lock_its_sender_out)
{
    zvt_record_t wild = s_signal(1, ZVT_ORDER_TYPE_MARKET), honest = s_signal(2, ZVT_ORDER_TYPE_MARKET);
    wild.signal.incarnation = UINT64_MAX;
    s_give_signal(&wild);
    wild.signal.incarnation = 5;
    wild.signal.sender_seq = UINT64_MAX;
    s_give_signal(&wild);
    s_settle();
    cr_assert_eq(w.acks_count, 2);
    cr_assert_eq(w.acks[0].code, ZVT_CODE_MALFORMED);
    cr_assert_eq(w.acks[1].code, ZVT_CODE_MALFORMED);
    s_give_signal(&honest);
    s_settle();
    cr_assert_eq(w.acks[2].code, ZVT_CODE_OK);
}

Test(turn_core, a_request_id_used_for_another_order_is_refused)
{
    turn_client_t client = {{1}};
    zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST, .place_request = {.request_id = "r1"}};
    request.place_request.order_request = s_terms(ZVT_ORDER_TYPE_MARKET);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    request.place_request.order_request.quantity_e8 *= 2;
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    cr_assert_eq(w.places_count, 2);
    cr_assert(!w.places[1].success);
    cr_assert_eq(w.places[1].code, ZVT_CODE_DUPLICATE);
    cr_assert_eq(w.sent_count, 1);
}

Test(turn_core, clients_that_wait_without_end_block_no_cancel)
{
    turn_client_t client = {{1}};
    zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST, .place_request = {.request_id = "r1", .wait = ZVT_WAIT_FILLED, .timeout_ms = UINT32_MAX}};
    request.place_request.order_request = s_terms(ZVT_ORDER_TYPE_LIMIT);
    for (int i = 0; i < 60; i++) turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    for (int i = 0; i < 10; i++) turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    cr_assert_eq(w.places_count, 6, "64 may wait for one order");
    zvt_record_t row = {.type = ZVT_T_CANCEL_REQUEST};
    cr_assert_eq(zvt_read_payload(&w.log[w.log_count - 1], &row), 0);
    zvt_record_t cancel = {.type = ZVT_T_CANCEL_REQUEST, .cancel_request = {.order_id = row.order_accepted.order_id}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &cancel);
    s_settle();
    cr_assert_geq(w.cancels, 1);
}

/* ---- checkpoints ---- */
enum { SAVED_MAX = 1024 };
static zvt_record_t *s_saved;
static int s_saved_count;

static int s_keep(void *arg, zvt_type_t type, const void *record)
{
    (void)arg;
    cr_assert_lt(s_saved_count, SAVED_MAX);
    s_saved[s_saved_count].type = type;
    memcpy(&s_saved[s_saved_count++].hello, record, zvt_desc(type)->size);
    return 0;
}

static char *s_dump(turn_core_t *core)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    turn_core_dump(core, out);
    fclose(out);
    return text;
}

static void s_make_history(void)
{
    for (uint64_t i = 1; i <= 20; i++) {
        w.risk_code = i % 5 == 0 ? ZVT_CODE_MAX_POSITION : ZVT_CODE_OK;
        w.venue_silent = i % 7 == 0;
        zvt_record_t signal = s_signal(i, i % 3 == 0 ? ZVT_ORDER_TYPE_LIMIT : ZVT_ORDER_TYPE_MARKET);
        s_give_signal(&signal);
        s_settle();
    }
}

Test(turn_core, a_checkpoint_and_the_events_after_it_give_the_same_state_as_the_whole_log)
{
    s_saved = calloc(SAVED_MAX, sizeof *s_saved);
    s_make_history();
    char *whole = s_fold_dump();
    for (uint32_t cut = 1; cut <= w.log_count; cut += 7) {
        turn_core_t *first = s_new_core(), *second = s_new_core();
        for (uint32_t i = 0; i < cut; i++) cr_assert_eq(turn_core_fold(first, &w.log[i]), 0);
        s_saved_count = 0;
        cr_assert_eq(turn_core_save(first, s_keep, NULL), 0);
        for (int i = 0; i < s_saved_count; i++) cr_assert_eq(turn_core_load(second, &s_saved[i]), 0);
        cr_assert_eq(turn_core_load_end(second), 0);
        cr_assert_eq(turn_core_folded_seq(second), cut);
        for (uint32_t i = cut; i < w.log_count; i++) cr_assert_eq(turn_core_fold(second, &w.log[i]), 0, "event %u after %u", i, cut);
        char *restored = s_dump(second);
        cr_assert_str_eq(restored, whole);
        free(restored);
        turn_core_destroy(&first);
        turn_core_destroy(&second);
    }
    free(whole);
    free(s_saved);
}

Test(turn_core, a_core_made_of_a_checkpoint_still_knows_every_command)
{
    s_saved = calloc(SAVED_MAX, sizeof *s_saved);
    s_make_history();
    turn_core_t *folded = s_new_core(), *working = w.core;
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(folded, &w.log[i]), 0);
    s_saved_count = 0;
    cr_assert_eq(turn_core_save(folded, s_keep, NULL), 0);
    w.core = s_new_core();
    for (int i = 0; i < s_saved_count; i++) cr_assert_eq(turn_core_load(w.core, &s_saved[i]), 0);
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, 2, 0);
    uint32_t requested = s_count(ZVT_T_ORDER_REQUESTED);
    for (uint64_t i = 1; i <= 20; i++) {
        zvt_record_t signal = s_signal(i, ZVT_ORDER_TYPE_MARKET);
        s_give_signal(&signal);
    }
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), requested);
    turn_core_destroy(&folded);
    turn_core_destroy(&working);
    free(s_saved);
}

Test(turn_core, a_torn_checkpoint_is_noticed)
{
    s_saved = calloc(SAVED_MAX, sizeof *s_saved);
    s_make_history();
    turn_core_t *folded = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(folded, &w.log[i]), 0);
    s_saved_count = 0;
    cr_assert_eq(turn_core_save(folded, s_keep, NULL), 0);
    turn_core_clear(folded);
    for (int i = 0; i + 1 < s_saved_count; i++) cr_assert_eq(turn_core_load(folded, &s_saved[i]), 0);
    cr_assert_eq(turn_core_load_end(folded), ZVT_ERR_TRUNCATED);
    turn_core_clear(folded);
    cr_assert_eq(turn_core_load_end(folded), ZVT_ERR_TRUNCATED, "an empty one is no checkpoint");
    cr_assert_eq(turn_core_load(folded, &s_saved[1]), ZVT_ERR_CORRUPT, "an order before the head");
    turn_core_destroy(&folded);
    free(s_saved);
}

/* ---- found by the simulator ---- */
static void s_give_cancel(uint64_t sender_seq, const zvt_record_t *signal)
{
    zvt_record_t cancel = {.type = ZVT_T_SIGNAL_CANCEL, .signal_cancel = {.sender = "alice", .incarnation = 5, .sender_seq = sender_seq}};
    cancel.signal_cancel.signal_id = signal->signal.signal_id;
    turn_core_on_record(w.core, TURN_FROM_SIGNALS, NULL, &cancel);
}

/* The process dies, and another folds what is in the log. */
static void s_restart(uint64_t epoch)
{
    turn_core_destroy(&w.core);
    w.commit_pending = false;
    w.queue_count = 0;
    w.core = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(w.core, &w.log[i]), 0);
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, epoch, 0);
    s_services_up();
}

Test(turn_core, a_cancel_before_a_venue_has_the_order_is_recorded_and_survives_a_restart)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    w.risk_silent = true;
    s_give_signal(&signal);
    s_give_cancel(2, &signal);
    cr_assert_eq(w.acks_count, 0, "nothing is acknowledged before the commit");
    s_settle();
    cr_assert_eq(w.acks_count, 2);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCEL_REQUESTED), 1);
    w.risk_silent = false;
    s_restart(2);
    s_settle();
    cr_assert_eq(w.sent_count, 0);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCELED), 1);
}

Test(turn_core, a_cancel_that_comes_again_is_acknowledged_when_the_first_is_durable)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    int acks = w.acks_count;
    s_give_cancel(2, &signal);
    s_give_cancel(2, &signal);
    s_give_cancel(3, &signal);
    cr_assert_eq(w.acks_count, acks);
    s_settle();
    cr_assert_eq(w.acks_count, acks + 3);
}

Test(turn_core, an_answer_about_a_fill_that_does_not_continue_the_position_is_asked_for_again)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    w.portfolio_silent = true;
    s_give_signal(&signal);
    s_settle();
    zvt_fill_applied_t applied = {.incarnation = 1, .code = ZVT_CODE_OK};
    applied.position.position_id = zvt_id_from_text("p", 1);
    applied.position.quantity_change_e8 = ZVT_E8;
    applied.position.new_quantity_e8 = 3 * ZVT_E8; /* on top of 2, which the log does not have */
    ZVT_STR_SET(applied.exchange, "alpha");
    snprintf(applied.position.exec_id, sizeof applied.position.exec_id, "E%llu", (unsigned long long)w.venue_seq);
    s_queue(ZVT_T_FILL_APPLIED, &applied);
    w.portfolio_silent = false;
    s_deliver_all();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 0);
    s_tick(60 * MS);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
}

Test(turn_core, risk_must_know_the_whole_log_of_the_writers_before)
{
    zvt_record_t first = s_signal(1, ZVT_ORDER_TYPE_LIMIT), second = s_signal(2, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&first);
    s_settle();
    uint32_t last_seq = w.log_count;
    s_restart(2);
    s_give_signal(&second);
    cr_assert_geq(w.risk_min_seq, last_seq);
}

Test(turn_core, a_venue_that_is_away_is_not_asked_without_a_pause)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    w.venue_silent = true;
    s_give_signal(&signal);
    s_settle();
    s_give_cancel(2, &signal);
    s_settle();
    int queries = w.queries, since_asked = w.since_asked;
    zvt_cancel_result_t result = {.exchange = "alpha", .code = ZVT_CODE_VENUE_UNREACHABLE};
    ZVT_STR_SET(result.client_order_id, w.sent[0].client_order_id);
    zvt_reports_tip_t tip = {.exchange = "alpha", .cursor = 7, .venue_seq = 9};
    for (int i = 0; i < 20; i++) {
        s_queue(ZVT_T_CANCEL_RESULT, &result);
        s_queue(ZVT_T_REPORTS_TIP, &tip);
        s_deliver_all();
    }
    cr_assert_leq(w.queries - queries, 1);
    cr_assert_leq(w.since_asked - since_asked, 1);
}

static void s_queue_applied(uint64_t exec)
{
    zvt_fill_applied_t applied = {.incarnation = 1, .code = ZVT_CODE_OK, .exchange = "alpha"};
    applied.position.position_id = zvt_id_from_text("p", 1);
    snprintf(applied.position.exec_id, sizeof applied.position.exec_id, "E%llu", (unsigned long long)exec);
    s_queue(ZVT_T_FILL_APPLIED, &applied);
}

Test(turn_core, a_position_changes_in_the_log_in_the_order_of_its_fills_even_if_an_order_waits_for_more)
{
    for (uint64_t i = 1; i <= 2; i++) {
        zvt_record_t signal = s_signal(i, ZVT_ORDER_TYPE_LIMIT);
        s_give_signal(&signal);
    }
    s_settle();
    w.portfolio_silent = true;
    s_queue_fill(&w.sent[0], ZVT_E8 / 2);
    s_queue_fill(&w.sent[1], ZVT_E8);
    s_queue_fill(&w.sent[0], ZVT_E8 / 2); /* keeps the first order waiting */
    s_deliver_all();
    s_queue_applied(w.venue_seq - 2);
    s_queue_applied(w.venue_seq - 1);
    s_deliver_all();
    s_tick(0);
    s_confirm();
    cr_assert_eq(s_count(ZVT_T_POSITION_UPDATED), 2);
    zvt_record_t executed;
    for (uint32_t i = 0; i < w.log_count; i++) {
        if (w.log[i].type != ZVT_T_ORDER_EXECUTED) continue;
        cr_assert_eq(zvt_read_payload(&w.log[i], &executed), 0);
        cr_assert_str_eq(executed.order_executed.client_order_id, w.sent[0].client_order_id, "the first fill comes first");
        break;
    }
}
