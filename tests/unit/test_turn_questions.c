/* The turn core's questions: risk and route are asked together, and nobody waits for what is only on its way into the log. */
#include "early_routes.h"
#include "turn_fixture.h"

TestSuite(turn_questions, .init = s_setup, .fini = s_teardown);

static void s_give(uint64_t sender_seq)
{
    zvt_record_t signal = s_signal(sender_seq, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
}

/* Risk passes the order that a route was asked for last. */
static void s_pass(void)
{
    zvt_risk_verdict_t verdict = {.order_id = w.route.order_id, .incarnation = 1, .code = ZVT_CODE_OK, .epoch = 1};
    s_queue(ZVT_T_RISK_VERDICT, &verdict);
}

Test(turn_questions, risk_and_route_are_asked_in_the_same_breath_and_the_route_once)
{
    w.risk_silent = true;
    s_give(1);
    cr_assert_eq(w.routes_asked, 1, "while risk judges");
    s_deliver_all();
    s_settle();
    cr_assert_eq(s_count(ZVT_T_EXCHANGE_ROUTED), 0, "an order that risk has not passed is not routed");
    s_pass();
    s_deliver_all();
    cr_assert_eq(w.routes_asked, 1);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
    cr_assert_eq(s_count(ZVT_T_EXCHANGE_ROUTED), 1);
}

Test(turn_questions, a_route_that_comes_after_the_verdict_is_not_asked_for_again)
{
    w.risk_silent = w.route_silent = true;
    s_give(1);
    s_pass();
    s_deliver_all();
    cr_assert_eq(w.routes_asked, 1, "the question is still under way");
    zvt_route_reply_t reply = {.order_id = w.route.order_id, .attempt = 1, .code = ZVT_CODE_OK, .selected_exchange = "alpha"};
    s_queue(ZVT_T_ROUTE_REPLY, &reply);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
}

Test(turn_questions, a_route_that_is_no_longer_fresh_is_asked_for_anew)
{
    w.risk_silent = true;
    s_give(1);
    s_deliver_all();
    s_tick(EARLY_ROUTE_FRESH_NS);
    s_pass();
    s_deliver_all();
    cr_assert_eq(w.routes_asked, 2);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
}

Test(turn_questions, an_early_no_does_not_end_the_order)
{
    w.risk_silent = true;
    w.route_code = ZVT_CODE_CIRCUIT_OPEN;
    s_give(1);
    s_deliver_all();
    w.route_code = ZVT_CODE_OK;
    s_pass();
    s_settle();
    cr_assert_eq(w.routes_asked, 2);
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
}

Test(turn_questions, a_question_that_an_executor_may_have_taken_with_it_is_asked_again)
{
    w.risk_silent = w.route_silent = true;
    s_give(1);
    turn_core_on_service_up(w.core, TURN_EXECUTOR, 2);
    w.route_silent = false;
    s_pass();
    s_settle();
    cr_assert_eq(w.routes_asked, 2);
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
}

Test(turn_questions, more_early_routes_than_there_is_room_for_are_asked_for_again)
{
    early_routes_t *routes = early_routes_new();
    zvt_route_reply_t reply = {.selected_exchange = "alpha"};
    int32_t first = early_routes_keep(routes, &reply), last = first;
    for (int i = 1; i < EARLY_ROUTES_MAX; i++) last = early_routes_keep(routes, &reply);
    cr_assert_neq(last, EARLY_ROUTE_NONE);
    cr_assert_eq(early_routes_keep(routes, &reply), EARLY_ROUTE_NONE);
    early_routes_drop(routes, first);
    early_routes_drop(routes, EARLY_ROUTE_NONE);
    cr_assert_eq(early_routes_keep(routes, &reply), first);
    cr_assert_str_eq(early_routes_at(routes, first)->selected_exchange, "alpha");
    early_routes_destroy(&routes);
}

Test(turn_questions, nobody_waits_for_a_position_that_is_only_on_its_way_into_the_log)
{
    s_give(1);
    s_settle();
    uint64_t durable_seq = 0, under_way = 0;
    for (uint32_t i = 0; i < w.log_count; i++)
        if (w.log[i].type == ZVT_T_POSITION_UPDATED) durable_seq = w.log[i].seq;
    s_give(2);
    for (int i = 0; i < 20 && under_way == 0; i++) {
        s_deliver_all();
        s_tick(MS / 10);
        for (uint32_t k = 0; w.commit_pending && k < w.committing.count; k++)
            if (w.committing.events[k].type == ZVT_T_POSITION_UPDATED) under_way = w.committing.events[k].seq;
        if (under_way == 0) s_confirm();
    }
    cr_assert_gt(under_way, durable_seq, "a position is being committed");
    s_give(3);
    cr_assert_eq(w.risk_min_seq, durable_seq, "risk has a reservation for what is on its way");
    s_confirm();
    s_give(4);
    cr_assert_eq(w.risk_min_seq, under_way, "whoever heard of it may count on it");
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 4);
}

Test(turn_questions, a_new_run_of_portfolio_or_risk_knows_what_was_on_its_way_when_it_came)
{
    s_give(1);
    s_settle();
    s_give(2);
    s_deliver_all();
    s_tick(MS / 10);
    uint64_t appended = w.committing.last_seq;
    cr_assert(w.commit_pending);
    turn_core_on_service_up(w.core, TURN_RISK, 1);
    turn_core_on_service_up(w.core, TURN_PORTFOLIO, 1);
    s_give(3);
    cr_assert_geq(w.risk_min_seq, appended);
    s_settle();
    cr_assert_geq(w.portfolio_min_seq, appended);
}

Test(turn_questions, while_a_circuit_is_not_closed_only_orders_that_risk_has_passed_ask_for_a_route)
{
    zvt_record_t notice = {.type = ZVT_T_CIRCUIT_NOTICE, .circuit_notice = {.state = ZVT_CIRCUIT_HALF_OPEN}};
    ZVT_STR_SET(notice.circuit_notice.exchange, "beta");
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &notice);
    w.risk_code = ZVT_CODE_MAX_POSITION;
    s_give(1);
    s_settle();
    cr_assert_eq(w.routes_asked, 0);
    w.risk_code = ZVT_CODE_OK;
    s_give(2);
    s_settle();
    cr_assert_eq(w.routes_asked, 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
}
