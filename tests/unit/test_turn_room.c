/* What may still be taken when new orders are not: cancels, and orders of before a restart that begin anew. And what is told of
 * an end that is not durable. */
#include "turn_fixture.h"
#include "turn_world.h"

TestSuite(turn_room, .init = s_setup, .fini = s_teardown);

/* As if others had staged events in all room but so much. */
static uint32_t s_taken;
static void s_give_back(void)
{
    w.core->staged_used -= s_taken;
    s_taken = 0;
}

static void s_leave_room(uint32_t room)
{
    s_give_back();
    s_taken = STAGED_MAX - room - w.core->staged_used;
    w.core->staged_used += s_taken;
}

static void s_ask_cancel_of(zvt_id_t order_id)
{
    zvt_record_t request = {.type = ZVT_T_CANCEL_REQUEST, .cancel_request = {.order_id = order_id, .requested_by = "me"}};
    s_ask_for(&request);
}

static void s_ask_cancel(void)
{
    s_ask_cancel_of(w.log[w.log_count - 1].aggregate_id);
}

Test(turn_room, a_strategys_cancel_is_taken_when_new_orders_are_not)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT), refused = s_signal(2, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    s_leave_room(STAGED_RESERVE / 2);
    s_give_signal(&refused);
    s_give_cancel(2, &signal);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_OVERLOADED], 1, "the new order");
    cr_assert_eq(w.acks_of[ZVT_CODE_OK], 2);
    cr_assert_eq(w.cancels, 1);
    s_leave_room(0);
    zvt_record_t other = s_signal(3, ZVT_ORDER_TYPE_LIMIT);
    s_give_cancel(3, &signal);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_OVERLOADED], 1, "one more cancel of the same order makes nothing");
    s_give_cancel(4, &other);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_UNKNOWN_ORDER], 1);
    s_give_back();
}

Test(turn_room, a_cancel_without_room_for_its_event_is_refused_and_may_be_sent_again)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    s_leave_room(0);
    s_give_cancel(2, &signal);
    s_tick(0);
    cr_assert_eq(w.acks_of[ZVT_CODE_OVERLOADED], 1);
    cr_assert_eq(w.cancels, 0);
    s_give_back();
    s_give_cancel(2, &signal);
    s_settle();
    cr_assert_eq(w.cancels, 1);
}

/* An order that risk has just refused: that is staged or on its way into the log. */
static zvt_record_t s_refused_order(void)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    w.risk_silent = true;
    s_give_signal(&signal);
    s_settle();
    zvt_risk_verdict_t verdict = {.order_id = w.log[w.log_count - 1].aggregate_id, .incarnation = 1, .code = ZVT_CODE_BAD_ORDER, .epoch = 1};
    s_queue(ZVT_T_RISK_VERDICT, &verdict);
    s_deliver_all();
    cr_assert_eq(s_count(ZVT_T_ORDER_REJECTED), 0);
    return signal;
}

Test(turn_room, a_strategy_is_not_told_of_an_end_that_a_crash_could_take_back)
{
    zvt_record_t signal = s_refused_order();
    s_give_cancel(2, &signal);
    s_tick(0);
    cr_assert_eq(w.acks_of[ZVT_CODE_ORDER_ENDED], 0);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_ORDER_ENDED], 0, "it sends the cancel again");
    s_give_cancel(2, &signal);
    s_tick(0);
    cr_assert_eq(w.acks_of[ZVT_CODE_ORDER_ENDED], 1);
}

Test(turn_room, a_client_is_told_of_an_end_once_it_is_durable)
{
    s_refused_order();
    s_ask_cancel();
    s_tick(0);
    cr_assert_eq(w.cancel_replies, 0);
    s_settle();
    cr_assert_eq(w.cancel_replies, 1);
    cr_assert_eq(w.cancel_reply.code, ZVT_CODE_ORDER_ENDED);
    s_ask_cancel();
    cr_assert_eq(w.cancel_replies, 2, "and then at once");
}

Test(turn_room, a_client_is_asked_to_try_again_while_there_is_no_room_to_wait_for_the_end)
{
    s_refused_order();
    s_leave_room(0);
    s_ask_cancel();
    cr_assert_eq(w.cancel_replies, 1);
    cr_assert_eq(w.cancel_reply.code, ZVT_CODE_OVERLOADED);
    s_give_back();
    s_settle();
}

Test(turn_room, an_operator_is_asked_to_try_again_while_the_end_is_not_durable)
{
    s_refused_order();
    zvt_record_t request = {.type = ZVT_T_RESOLVE_REQUEST, .resolve_request = {.requested_by = "me", .reason = "why"}};
    request.resolve_request.order_id = w.log[w.log_count - 1].aggregate_id;
    s_ask_for(&request);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_OVERLOADED);
    s_settle();
    s_ask_for(&request);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_ORDER_ENDED);
}

/* The venue never had the order. */
static void s_tombstone(const zvt_order_send_t *send)
{
    zvt_order_status_t status = {.code = ZVT_CODE_TOMBSTONED, .venue_seq = w.venue_seq};
    ZVT_STR_SET(status.client_order_id, send->client_order_id);
    ZVT_STR_SET(status.exchange, send->exchange);
    s_queue(ZVT_T_ORDER_STATUS, &status);
    s_deliver_all();
}

static const zvt_event_t *s_first_of(zvt_type_t type)
{
    const zvt_event_t *event = w.log;
    while (event->type != type) event++;
    return event;
}

/* Sent, and not heard of again; a new writer has folded the log. */
static zvt_order_send_t s_order_in_doubt(void)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    w.venue_silent = true;
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.sent_count, 1);
    s_restart(2);
    s_settle();
    return w.sent[0];
}

Test(turn_room, orders_of_before_a_restart_begin_anew_only_with_room_for_reports_beside_them)
{
    zvt_order_send_t first = s_order_in_doubt();
    s_leave_room(STAGED_RESERVE / 2);
    s_tombstone(&first);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_SAGA_STEP_FAILED), 0);
    cr_assert(turn_has_room_for_report(w.core, NULL));
    int queries = w.queries;
    s_tick(900 * MS);
    cr_assert_eq(w.queries, queries, "not as often as one that may have been lost");
    for (int i = 0; i < 10; i++) s_tick(500 * MS);
    cr_assert_gt(w.queries, queries, "it is asked about again");
    s_give_back();
    s_tombstone(&first);
    s_settle();
    s_tick(100 * MS);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_SAGA_STEP_FAILED), 1);
    cr_assert_eq(w.sent_count, 2);
}

Test(turn_room, a_canceled_order_of_before_a_restart_needs_room_for_its_end_only)
{
    zvt_order_send_t first = s_order_in_doubt();
    s_ask_cancel_of(s_first_of(ZVT_T_ORDER_SUBMITTED)->aggregate_id);
    s_settle();
    s_leave_room(STAGED_RESERVE / 2);
    s_tombstone(&first);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_REJECTED), 1);
    s_give_back();
}

Test(turn_room, without_room_for_reports_nothing_is_recorded_of_an_order_in_doubt)
{
    zvt_order_send_t first = s_order_in_doubt();
    s_ask_cancel_of(s_first_of(ZVT_T_ORDER_SUBMITTED)->aggregate_id);
    s_settle();
    s_leave_room(0);
    s_tombstone(&first);
    for (int i = 0; i < 10; i++) s_tick(500 * MS);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_UNKNOWN) + s_count(ZVT_T_ORDER_REJECTED), 0);
    s_give_back();
    s_tick(2000 * MS);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_UNKNOWN), 1, "nobody answered the questions in between");
    s_tombstone(&first);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_REJECTED), 1);
}
