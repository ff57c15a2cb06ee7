/* The same command again, long after its order is forgotten. */
#include "turn_fixture.h"

#define HORIZON_NS INT64_C(1690000000000000000)

/* A core that goes on after a checkpoint of a long log: every order there is forgotten, the last request among them was made
 * at the horizon. */
static void s_setup_after_long(void)
{
    zvt_record_t head = {.type = ZVT_T_SAVED_HEAD, .saved_head = {.seq = 1000000, .request_horizon_ns = HORIZON_NS}};
    s_setup();
    turn_core_destroy(&w.core);
    w.core = s_new_core();
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    cr_assert_eq(turn_core_load(w.core, &head), 0);
    cr_assert_eq(turn_core_load_end(w.core), 0);
    turn_core_open(w.core, 2, 0);
    s_services_up();
    s_settle();
}

TestSuite(turn_twice, .init = s_setup_after_long, .fini = s_teardown);

static const zvt_place_reply_t *s_place(const char *request_id, int64_t created_ns)
{
    turn_client_t client = {{1}};
    zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST, .place_request = {.wait = ZVT_WAIT_FILLED, .created_at_ns = created_ns}};
    ZVT_STR_SET(request.place_request.request_id, request_id);
    request.place_request.order_request = s_terms(ZVT_ORDER_TYPE_MARKET);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    s_settle();
    return &w.places[w.places_count - 1];
}

Test(turn_twice, a_request_that_may_be_a_copy_of_a_forgotten_one_is_refused_without_a_trace)
{
    const zvt_place_reply_t *reply = s_place("r1", HORIZON_NS);
    cr_assert_eq(reply->code, ZVT_CODE_STALE);
    cr_assert_not_null(strstr(reply->message, "2023-07-22T04:26:40"), "%s", reply->message);
    cr_assert_not_null(strstr(reply->message, "look for the order in the log"), "%s", reply->message);
    cr_assert_eq(s_place("r2", 1)->code, ZVT_CODE_STALE);
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), 0);
}

Test(turn_twice, a_request_made_after_the_horizon_is_taken_and_says_when_it_was_made)
{
    cr_assert(s_place("r1", HORIZON_NS + 1)->success);
    cr_assert(s_place("r1", HORIZON_NS + 1)->success, "a copy is answered with what became of it");
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), 1);
    for (uint32_t i = 0; i < w.log_count; i++) {
        static zvt_record_t record;
        if (w.log[i].type != ZVT_T_ORDER_REQUESTED) continue;
        cr_assert_eq(zvt_read_payload(&w.log[i], &record), 0);
        cr_assert_eq(record.order_requested.created_at_ns, HORIZON_NS + 1);
    }
}

Test(turn_twice, a_request_that_does_not_say_when_it_was_made_is_taken)
{
    cr_assert(s_place("r1", 0)->success, "a client of before");
    cr_assert(s_place("", 1)->success, "without an id there is nothing to compare");
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), 2);
}

Test(turn_twice, a_time_ahead_of_every_clock_cannot_push_the_horizon)
{
    cr_assert_eq(s_place("r1", w.now_ns + 61 * 1000 * MS)->code, ZVT_CODE_MALFORMED);
    cr_assert_eq(s_place("r2", -5)->code, ZVT_CODE_MALFORMED);
    cr_assert_eq(s_place("r3", INT64_MAX)->code, ZVT_CODE_MALFORMED);
    cr_assert_eq(s_place("r5", w.now_ns + 3000 * MS)->code, ZVT_CODE_MALFORMED, "an ended order may be remembered for less");
    cr_assert(s_place("r4", w.now_ns + 1500 * MS)->success);
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), 1);
}

static int s_keep_head(void *arg, zvt_type_t type, const void *record)
{
    if (type == ZVT_T_SAVED_HEAD) *(zvt_saved_head_t *)arg = *(const zvt_saved_head_t *)record;
    return 0;
}

Test(turn_twice, the_horizon_is_part_of_the_checkpoint)
{
    turn_core_t *folded = s_new_core();
    zvt_record_t head = {.type = ZVT_T_SAVED_HEAD, .saved_head = {.seq = 7, .request_horizon_ns = HORIZON_NS}};
    cr_assert_eq(turn_core_load(folded, &head), 0);
    zvt_saved_head_t kept = {.seq = 0};
    cr_assert_eq(turn_core_save(folded, s_keep_head, &kept), 0);
    cr_assert_eq(kept.request_horizon_ns, HORIZON_NS);
    turn_core_destroy(&folded);
}

/* ---- runs ---- */
static const zvt_signal_ack_t *s_signal_in(uint64_t run, uint64_t sender_seq)
{
    uint64_t name[2] = {run, sender_seq};
    zvt_record_t signal = s_signal(sender_seq, ZVT_ORDER_TYPE_LIMIT);
    signal.signal.incarnation = run;
    signal.signal.signal_id = zvt_id_from_text((const char *)name, sizeof name);
    s_give_signal(&signal);
    s_settle();
    return &w.acks[(w.acks_count - 1) % SENT_MAX];
}

static const zvt_signal_ack_t *s_cancel_in(uint64_t run, uint64_t sender_seq, const zvt_id_t *order_id)
{
    zvt_record_t cancel = {.type = ZVT_T_SIGNAL_CANCEL, .signal_cancel = {.sender = "alice", .incarnation = run, .sender_seq = sender_seq}};
    cancel.signal_cancel.order_id = *order_id;
    s_give_signal(&cancel);
    s_settle();
    return &w.acks[(w.acks_count - 1) % SENT_MAX];
}

Test(turn_twice, a_sender_whose_clock_went_back_is_told_the_known_run_and_is_heard_above_it)
{
    zvt_id_t order_id = s_signal_in(500, 1)->order_id;
    const zvt_signal_ack_t *ack = s_signal_in(100, 1);
    cr_assert_eq(ack->code, ZVT_CODE_STALE);
    cr_assert_eq(ack->known_run, 500);
    cr_assert(ack->untaken);
    ack = s_cancel_in(100, 2, &order_id);
    cr_assert_eq(ack->code, ZVT_CODE_STALE);
    cr_assert_eq(ack->known_run, 500);
    cr_assert_eq(s_cancel_in(501, 1, &order_id)->code, ZVT_CODE_OK);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCEL_REQUESTED), 1);
    ack = s_signal_in(500, 2);
    cr_assert_eq(ack->known_run, 501);
    cr_assert_not(ack->untaken, "of run 500 something was taken");
}

Test(turn_twice, a_number_that_is_too_old_names_no_run)
{
    s_signal_in(500, 1 + 4096);
    s_signal_in(500, 2 + 4096);
    const zvt_signal_ack_t *ack = s_signal_in(500, 1);
    cr_assert_eq(ack->code, ZVT_CODE_STALE);
    cr_assert_eq(ack->known_run, 0);
    cr_assert_not(ack->untaken);
}

Test(turn_twice, a_run_above_one_that_lies_days_ahead_of_the_clock_is_taken)
{
    uint64_t now = (uint64_t)w.now_ns, hour = 3600 * 1000 * (uint64_t)MS;
    cr_assert_eq(s_signal_in(now + 23 * hour, 1)->code, ZVT_CODE_OK);
    cr_assert_eq(s_signal_in(now + 25 * hour, 1)->code, ZVT_CODE_OK, "above the known run by less than a day");
    cr_assert_eq(s_signal_in(now + 50 * hour, 1)->code, ZVT_CODE_MALFORMED);
}

/* ---- by hand ---- */
static void s_adjust(const char *request_id, int64_t quantity_e8)
{
    turn_client_t client = {{1}};
    zvt_record_t request = {.type = ZVT_T_ADJUST_REQUEST, .adjust_request = {.strategy_id = "desk", .symbol = "BTC/USDT", .quantity_change_e8 = quantity_e8,
                                                                           .price_e8 = 50000 * ZVT_E8, .requested_by = "ann", .reason = "by phone"}};
    ZVT_STR_SET(request.adjust_request.request_id, request_id);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
}

Test(turn_twice, an_adjustment_with_the_same_id_is_done_once_and_both_are_told_when_it_is_durable)
{
    s_adjust("call-1", ZVT_E8);
    s_adjust("call-1", ZVT_E8);
    cr_assert_eq(w.command_replies, 0, "not before the commit");
    s_settle();
    cr_assert_eq(w.command_replies, 2);
    cr_assert(w.command_reply.success);
    uint64_t seq = w.command_reply.seq;
    cr_assert_neq(seq, 0);
    s_adjust("call-1", ZVT_E8);
    cr_assert_eq(w.command_replies, 3);
    cr_assert_eq(w.command_reply.seq, seq, "%s", w.command_reply.message);
    cr_assert_eq(s_count(ZVT_T_POSITION_ADJUSTED), 1);
    s_adjust("call-1", 2 * ZVT_E8);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_DUPLICATE);
    s_adjust("call-2", ZVT_E8);
    s_adjust("", ZVT_E8);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_POSITION_ADJUSTED), 3);
}

Test(turn_twice, an_adjustment_is_refused_while_the_log_stands_still)
{
    s_adjust("call-1", ZVT_E8);
    s_tick(0);
    cr_assert(w.commit_pending);
    s_tick(1500 * MS);
    s_adjust("call-2", ZVT_E8);
    cr_assert_eq(w.command_replies, 1);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_LOG_UNAVAILABLE);
    cr_assert_not_null(strstr(w.command_reply.message, "same request id"), "%s", w.command_reply.message);
    s_adjust("call-1", ZVT_E8);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_LOG_UNAVAILABLE, "nobody knows yet");
    zvt_record_t resolve = {.type = ZVT_T_RESOLVE_REQUEST, .resolve_request = {.order_id = {{1}}, .reason = "why"}};
    turn_client_t client = {{1}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &resolve);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_LOG_UNAVAILABLE);
    s_settle();
    s_adjust("call-1", ZVT_E8);
    cr_assert(w.command_reply.success);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_POSITION_ADJUSTED), 1);
}

Test(turn_twice, what_was_done_by_hand_outlives_the_orchestrator)
{
    s_adjust("call-1", ZVT_E8);
    s_settle();
    turn_core_t *working = w.core;
    w.core = s_new_core();
    zvt_record_t head = {.type = ZVT_T_SAVED_HEAD, .saved_head = {.seq = 1000000}};
    cr_assert_eq(turn_core_load(w.core, &head), 0);
    for (uint32_t i = 0; i < w.log_count; i++)
        if (w.log[i].seq > 1000000) cr_assert_eq(turn_core_fold(w.core, &w.log[i]), 0);
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, 3, 0);
    s_services_up();
    s_adjust("call-1", ZVT_E8);
    s_settle();
    cr_assert(w.command_reply.success);
    cr_assert_not_null(strstr(w.command_reply.message, "done before"), "%s", w.command_reply.message);
    cr_assert_eq(s_count(ZVT_T_POSITION_ADJUSTED), 1);
    turn_core_destroy(&working);
}
