/* The turn core and services that begin anew: what a new run has to know, or to compare, before orders pass. */
#include "turn_fixture.h"

TestSuite(turn_new_runs, .init = s_setup, .fini = s_teardown);

static void s_tell_tip(bool reachable)
{
    zvt_record_t tip = {.type = ZVT_T_REPORTS_TIP, .reports_tip = {.reachable = reachable}};
    ZVT_STR_SET(tip.reports_tip.exchange, "alpha");
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &tip);
}

static uint64_t s_seq_of_first(zvt_type_t type)
{
    for (uint32_t i = 0; i < w.log_count; i++)
        if (w.log[i].type == type) return w.log[i].seq;
    return UINT64_MAX;
}

Test(turn_new_runs, risk_is_not_asked_before_what_its_last_run_passed_has_its_place_in_the_log)
{
    s_fill_gathered();
    s_tick(0);
    cr_assert(w.commit_pending);
    s_fill_gathered(); /* the next batch is full too */
    zvt_record_t first = s_signal(1, ZVT_ORDER_TYPE_LIMIT), second = s_signal(2, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&first);
    s_deliver_all(); /* risk passes it; all of it waits for room */
    s_tick(MS);
    s_deliver_all();
    turn_core_on_service_up(w.core, TURN_RISK, 2);
    w.risk_silent = true;
    w.risk_min_seq = 0;
    s_give_signal(&second);
    s_tick(MS);
    cr_assert_eq(w.risk_min_seq, 0, "it would not count the first order");
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_VALIDATED), 1);
    cr_assert_geq(w.risk_min_seq, s_seq_of_first(ZVT_T_ORDER_VALIDATED));
}

Test(turn_new_runs, an_executor_that_was_away_too_briefly_to_be_missed_has_its_venues_compared)
{
    uint32_t before = s_count(ZVT_T_RECONCILIATION_COMPLETED);
    w.account_silent = w.venue_silent = true;
    turn_core_on_service_up(w.core, TURN_EXECUTOR, 2);
    s_tell_tip(true);
    zvt_record_t first = s_signal(1, ZVT_ORDER_TYPE_LIMIT), second = s_signal(2, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&first);
    s_settle();
    cr_assert_eq(w.route.excluded_count, 1, "no order goes there before");
    cr_assert_str_eq(w.route.excluded[0].exchange, "alpha");
    cr_assert_eq(w.route.excluded[0].code, ZVT_CODE_NOT_RECONCILED);
    w.account_silent = false;
    for (int i = 0; i < 10; i++) {
        s_tick(100 * MS);
        s_settle();
    }
    cr_assert_eq(s_count(ZVT_T_RECONCILIATION_COMPLETED), before + 1);
    s_give_signal(&second);
    cr_assert_eq(w.route.excluded_count, 0);
}

Test(turn_new_runs, the_same_run_of_the_executor_is_not_compared_again)
{
    uint32_t before = s_count(ZVT_T_RECONCILIATION_COMPLETED);
    turn_core_on_service_up(w.core, TURN_EXECUTOR, 1);
    s_tell_tip(true);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_RECONCILIATION_COMPLETED), before);
}

Test(turn_new_runs, an_intent_that_becomes_durable_while_its_venue_is_compared_goes_elsewhere)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_deliver_all();
    s_tick(MS);
    s_deliver_all();
    s_tick(10 * MS);
    cr_assert(w.commit_pending);
    w.account_silent = true; /* alpha goes away and comes back during the commit */
    s_tell_tip(false);
    s_tell_tip(true);
    s_tick(MS);
    s_confirm();
    cr_assert_eq(w.sent_count, 0);
    s_settle();
    cr_assert_eq(w.sent_count, 1);
    cr_assert_str_eq(w.sent[0].exchange, "beta");
    cr_assert_eq(s_count(ZVT_T_SAGA_STEP_FAILED), 1, "the log says why");
    cr_assert_eq(s_count(ZVT_T_ORDER_SUBMITTED), 2);
}
