/* What the executor tells of itself, and halts that must not wait for the database. */
#include "turn_fixture.h"

TestSuite(turn_notices, .init = s_setup, .fini = s_teardown);

static void s_tell(zvt_type_t type, const void *record)
{
    static zvt_record_t s_record;
    s_record.type = type;
    memcpy(&s_record.hello, record, zvt_desc(type)->size);
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &s_record);
}

static void s_circuit(const char *exchange, uint8_t state)
{
    zvt_circuit_notice_t notice = {.state = state, .reason = ZVT_CODE_VENUE_UNREACHABLE, .failures = 5, .retry_at_ns = 7};
    ZVT_STR_SET(notice.exchange, exchange);
    s_tell(ZVT_T_CIRCUIT_NOTICE, &notice);
    s_settle();
}

static zvt_kill_notice_t s_kill(uint8_t action, uint8_t number)
{
    zvt_kill_notice_t notice = {.action = action, .requested_by = "operator", .reason = "a drill", .at_ns = w.now_ns};
    notice.entry_id.bytes[0] = number;
    return notice;
}

/* Two orders that rest at a venue. */
static void s_two_rest(void)
{
    for (uint64_t i = 1; i <= 2; i++) {
        zvt_record_t signal = s_signal(i, ZVT_ORDER_TYPE_LIMIT);
        s_give_signal(&signal);
        s_settle();
    }
    cr_assert_eq(s_count(ZVT_T_ORDER_ACCEPTED), 2u);
}

static bool s_is_halted(void)
{
    turn_status_t status;
    turn_core_status(w.core, &status);
    return status.halted;
}

/* ---- circuits ---- */
Test(turn_notices, records_every_change_of_a_circuit_once)
{
    s_circuit("alpha", ZVT_CIRCUIT_CLOSED);
    cr_assert_eq(s_count(ZVT_T_CIRCUIT_CHANGED), 0u, "nothing has changed");
    s_circuit("alpha", ZVT_CIRCUIT_OPEN);
    s_circuit("alpha", ZVT_CIRCUIT_OPEN);
    cr_assert_eq(s_count(ZVT_T_CIRCUIT_CHANGED), 1u);
    zvt_record_t record;
    cr_assert_eq(zvt_read_payload(&w.log[w.log_count - 1], &record), 0);
    cr_assert_eq(record.circuit_changed.reason, ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_eq(record.circuit_changed.failures, 5u);
    cr_assert_eq(record.circuit_changed.retry_at_ns, 7);
    s_circuit("alpha", ZVT_CIRCUIT_HALF_OPEN);
    s_circuit("beta", ZVT_CIRCUIT_OPEN);
    s_circuit("alpha", ZVT_CIRCUIT_CLOSED);
    cr_assert_eq(s_count(ZVT_T_CIRCUIT_CHANGED), 4u);
    s_circuit("nowhere", ZVT_CIRCUIT_OPEN);
    cr_assert_eq(s_count(ZVT_T_CIRCUIT_CHANGED), 4u);
}

Test(turn_notices, knows_after_a_restart_what_it_recorded_of_a_circuit)
{
    s_circuit("alpha", ZVT_CIRCUIT_OPEN);
    s_restart(2);
    s_settle();
    s_circuit("alpha", ZVT_CIRCUIT_OPEN);
    cr_assert_eq(s_count(ZVT_T_CIRCUIT_CHANGED), 1u);
    s_circuit("alpha", ZVT_CIRCUIT_CLOSED); /* as a new executor tells it */
    cr_assert_eq(s_count(ZVT_T_CIRCUIT_CHANGED), 2u);
}

/* ---- the kill switch ---- */
Test(turn_notices, records_a_kill_with_the_cancels_it_caused_and_notes_it_when_they_are_durable)
{
    zvt_kill_notice_t notice = s_kill(ZVT_KILL_KILL, 1);
    s_two_rest();
    s_tell(ZVT_T_KILL_NOTICE, &notice);
    cr_assert(s_is_halted(), "at once");
    s_tick(0);
    cr_assert_eq(w.noted_count, 0, "not before the commit");
    s_settle();
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1u);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCEL_REQUESTED), 2u);
    cr_assert_eq(w.noted_count, 1);
    cr_assert(zvt_id_equal(&w.noted[0].entry_id, &notice.entry_id));
}

Test(turn_notices, records_a_kill_that_is_handed_over_twice_once)
{
    zvt_kill_notice_t notice = s_kill(ZVT_KILL_KILL, 1);
    s_two_rest();
    s_tell(ZVT_T_KILL_NOTICE, &notice);
    s_tell(ZVT_T_KILL_NOTICE, &notice);
    s_settle();
    s_tell(ZVT_T_KILL_NOTICE, &notice);
    s_settle();
    s_restart(2);
    s_settle();
    s_tell(ZVT_T_KILL_NOTICE, &notice);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1u);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCEL_REQUESTED), 2u);
    cr_assert_geq(w.noted_count, 3, "every copy is answered, or it would come for ever");
}

Test(turn_notices, does_not_halt_again_for_a_copy_that_comes_after_the_resume)
{
    turn_client_t client = {{1}};
    zvt_record_t resume = {.type = ZVT_T_HALT_REQUEST, .halt_request = {.halt = false, .requested_by = "operator"}};
    zvt_kill_notice_t notice = s_kill(ZVT_KILL_KILL, 1);
    s_tell(ZVT_T_KILL_NOTICE, &notice);
    s_settle();
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &resume);
    s_settle();
    s_tell(ZVT_T_KILL_NOTICE, &notice);
    s_settle();
    cr_assert_not(s_is_halted());
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1u);
}

Test(turn_notices, records_a_kill_that_is_over_as_halt_and_resume)
{
    zvt_kill_notice_t notice = s_kill(ZVT_KILL_KILL, 1);
    notice.over = true;
    ZVT_STR_SET(notice.over_by, "somebody");
    s_two_rest();
    s_tell(ZVT_T_KILL_NOTICE, &notice);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1u);
    cr_assert_eq(s_count(ZVT_T_RISK_RESUMED), 1u);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCEL_REQUESTED), 0u, "what rests now came after it");
    cr_assert_not(s_is_halted());
    cr_assert_eq(w.noted_count, 1);
}

Test(turn_notices, a_kill_that_is_over_does_not_lift_the_halt_of_somebody_else)
{
    turn_client_t client = {{1}};
    zvt_record_t halt = {.type = ZVT_T_HALT_REQUEST, .halt_request = {.halt = true, .requested_by = "other"}};
    zvt_kill_notice_t notice = s_kill(ZVT_KILL_KILL, 1);
    notice.over = true;
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &halt);
    s_settle();
    s_tell(ZVT_T_KILL_NOTICE, &notice);
    s_settle();
    cr_assert(s_is_halted());
    cr_assert_eq(w.noted_count, 1);
}

Test(turn_notices, records_the_cancel_of_one_order_and_of_no_other)
{
    zvt_kill_notice_t notice = s_kill(ZVT_KILL_CANCEL, 1);
    zvt_record_t record;
    s_two_rest();
    for (uint32_t i = 0; i < w.log_count; i++) {
        if (w.log[i].type != ZVT_T_ORDER_REQUESTED) continue;
        cr_assert_eq(zvt_read_payload(&w.log[i], &record), 0);
        notice.order_id = record.order_requested.order_id;
    }
    s_tell(ZVT_T_KILL_NOTICE, &notice);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCEL_REQUESTED), 1u);
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 0u);
    cr_assert_eq(w.noted_count, 1);
    notice = s_kill(ZVT_KILL_CANCEL, 2); /* of an order that nobody knows */
    s_tell(ZVT_T_KILL_NOTICE, &notice);
    s_settle();
    cr_assert_eq(w.noted_count, 2);
}

Test(turn_notices, keeps_the_refusals_of_a_halted_executor_final)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    w.venue_silent = true;
    s_give_signal(&signal);
    s_settle();
    zvt_report_t refused = {.kind = ZVT_REPORT_KIND_REJECTED, .code = ZVT_CODE_HALTED, .message = "killed by operator"};
    ZVT_STR_SET(refused.exchange, w.sent[0].exchange);
    ZVT_STR_SET(refused.client_order_id, w.sent[0].client_order_id);
    s_tell(ZVT_T_REPORT, &refused);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_REJECTED), 1u);
    cr_assert_eq(w.sent_count, 1);
}

Test(turn_notices, tries_elsewhere_when_a_circuit_opened_after_the_route)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    w.venue_silent = true;
    s_give_signal(&signal);
    s_settle();
    zvt_report_t refused = {.kind = ZVT_REPORT_KIND_REJECTED, .code = ZVT_CODE_CIRCUIT_OPEN};
    ZVT_STR_SET(refused.exchange, w.sent[0].exchange);
    ZVT_STR_SET(refused.client_order_id, w.sent[0].client_order_id);
    s_tell(ZVT_T_REPORT, &refused);
    s_settle();
    s_tick(100 * MS); /* the pause before another attempt */
    s_settle();
    cr_assert_eq(w.sent_count, 2, "under a new committed intent");
    cr_assert_str_neq(w.sent[1].exchange, w.sent[0].exchange);
    cr_assert_eq(s_count(ZVT_T_SAGA_STEP_FAILED), 1u);
}

Test(turn_notices, an_order_that_was_canceled_while_it_waited_for_a_limit_is_canceled)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    w.venue_silent = true;
    s_give_signal(&signal);
    s_settle();
    zvt_report_t refused = {.kind = ZVT_REPORT_KIND_REJECTED, .code = ZVT_CODE_CANCEL_REQUESTED};
    ZVT_STR_SET(refused.exchange, w.sent[0].exchange);
    ZVT_STR_SET(refused.client_order_id, w.sent[0].client_order_id);
    s_tell(ZVT_T_REPORT, &refused);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCELED), 1u);
    cr_assert_eq(s_count(ZVT_T_ORDER_REJECTED), 0u);
}

/* ---- halts ---- */
static void s_halt(void)
{
    turn_client_t client = {{1}};
    zvt_record_t halt = {.type = ZVT_T_HALT_REQUEST, .halt_request = {.halt = true, .requested_by = "me", .reason = "test"}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &halt);
}

Test(turn_notices, a_halt_is_answered_with_its_seq_when_it_is_durable)
{
    s_halt();
    cr_assert_eq(w.command_replies, 0);
    s_settle();
    cr_assert_eq(w.command_replies, 1);
    cr_assert_eq(w.command_reply.seq, w.log[w.log_count - 1].seq);
    cr_assert_str_eq(w.command_reply.message, "halted");
}

Test(turn_notices, a_halt_is_answered_within_a_second_when_the_database_stands_still)
{
    s_halt();
    for (int i = 0; i < 10; i++) s_tick(100 * MS); /* the commit is never confirmed */
    cr_assert_eq(w.command_replies, 1);
    cr_assert(w.command_reply.success);
    cr_assert_eq(w.command_reply.seq, 0u);
    cr_assert_str_eq(w.command_reply.message, "halted; recorded when the event log is back");
    cr_assert(s_is_halted());
    s_settle();
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1u);
    cr_assert_eq(w.command_replies, 1, "answered once");
}
