/* The turn core at work: from commands and reports to events and effects. */
#include "turn_fixture.h"

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

Test(turn_core, an_intent_that_a_halt_caught_does_not_leave_on_the_word_of_a_resume_that_is_not_durable)
{
    turn_client_t client = {{1}};
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_deliver_all();
    s_tick(0);
    zvt_record_t halt = {.type = ZVT_T_HALT_REQUEST, .halt_request = {.halt = true, .reason = "test"}};
    s_deliver_all();
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &halt);
    s_tick(0);
    cr_assert(w.commit_pending, "intent and halt are being committed");
    halt.halt_request.halt = false;
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &halt);
    s_settle();
    cr_assert_eq(w.sent_count, 0);
    cr_assert_eq(s_count(ZVT_T_ORDER_SUBMITTED), 1, "it was submitted before the halt");
    cr_assert_eq(s_count(ZVT_T_ORDER_FAILED), 1);
    zvt_record_t second = s_signal(2, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&second);
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
    s_tick(100 * MS); /* the pause before another attempt */
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
