/* What keeps an order from its venue at the executor: circuit breakers, limits per second, the halt. */
#include "executor_fixture.h"

#define MS ZVT_MS_NS
#define START (100 * ZVT_SECOND_NS)

static void s_setup_both(void)
{
    s_setup();
    s_gateway_up(BETA, 5, 0);
    s_tip(BETA, true, 0);
    s_count = 0;
}

TestSuite(executor_limits, .init = s_setup_both, .fini = s_teardown);

static unsigned s_sent_to(uint32_t to, zvt_type_t type)
{
    unsigned found = 0;
    for (unsigned i = 0; i < s_count; i++) found += s_sent[i].to == to && s_sent[i].record.type == type;
    return found;
}

/* The last report that refused an order on the way. */
static uint8_t s_refusal(void)
{
    cr_assert_eq(s_last()->record.type, ZVT_T_REPORT);
    cr_assert_eq(s_last()->record.report.venue_seq, 0u, "definitive: no venue saw it");
    return s_last()->record.report.code;
}

static void s_send_number(int number, const char *exchange, int64_t now_ns)
{
    char id[ZVT_CLIENT_ORDER_SIZE];
    snprintf(id, sizeof id, "o%d", number);
    s_order(id, exchange, 5, 0, now_ns);
}

static void s_on_time(int64_t now_ns)
{
    executor_core_on_time(s_core, s_at(now_ns));
}

static void s_route(zvt_route_reply_t *reply, const char *venue, int64_t now_ns)
{
    zvt_route_request_t request = {.attempt = 1, .quantity_e8 = ZVT_E8};
    ZVT_STR_SET(request.order_request.symbol, "BTC/USDT");
    ZVT_STR_SET(request.order_request.venue, venue);
    request.order_request.side = ZVT_SIDE_BUY;
    request.order_request.order_type = ZVT_ORDER_TYPE_LIMIT;
    request.order_request.time_in_force = ZVT_TIF_GTC;
    request.order_request.limit_price_e8 = 100 * ZVT_E8;
    executor_core_route(s_core, &request, now_ns, reply);
}

static void s_quote_both(void)
{
    zvt_price_updated_t quote = {.symbol_seq = 1, .bid_e8 = 99 * ZVT_E8, .ask_e8 = 101 * ZVT_E8, .bid_volume_e8 = ZVT_E8, .ask_volume_e8 = ZVT_E8};
    ZVT_STR_SET(quote.symbol, "BTC/USDT");
    router_core_on_quote(s_router, ALPHA, &quote);
    router_core_on_quote(s_router, BETA, &quote);
}

/* Five sends to alpha that are never answered. */
static void s_open_alpha(void)
{
    for (int i = 0; i < BREAKER_FAILURES_MAX; i++) s_send_number(i, "alpha", START);
    s_on_time(START + EXECUTOR_PATIENCE_NS);
    cr_assert_eq(router_core_breaker(s_router, ALPHA)->state, ZVT_CIRCUIT_OPEN);
}

/* ---- circuits ---- */
Test(executor_limits, opens_a_circuit_when_sends_stay_unanswered_and_tells_the_orchestrator)
{
    s_open_alpha();
    const zvt_circuit_notice_t *notice = &s_last()->record.circuit_notice;
    cr_assert_eq(s_last()->record.type, ZVT_T_CIRCUIT_NOTICE);
    cr_assert_str_eq(notice->exchange, "alpha");
    cr_assert_eq(notice->state, ZVT_CIRCUIT_OPEN);
    cr_assert_eq(notice->reason, ZVT_CODE_SERVICE_TIMEOUT);
    cr_assert_eq(notice->failures, (uint32_t)BREAKER_FAILURES_MAX);
    cr_assert_gt(notice->retry_at_ns, START + EXECUTOR_PATIENCE_NS);
}

Test(executor_limits, blames_no_venue_for_orders_that_a_newer_writer_fenced)
{
    for (int i = 0; i < BREAKER_FAILURES_MAX; i++) s_send_number(i, "alpha", START);
    zvt_hello_t hello = {.role = ZVT_ROLE_ORCHESTRATOR, .epoch = 6};
    cr_assert(executor_core_on_hello(s_core, &hello));
    s_on_time(START + EXECUTOR_PATIENCE_NS);
    cr_assert_eq(executor_core_in_flight(s_core), 0u);
    cr_assert_eq(router_core_breaker(s_router, ALPHA)->state, ZVT_CIRCUIT_CLOSED);
    cr_assert_eq(venue_health_failure_rate_e8(router_core_health(s_router, ALPHA), START + EXECUTOR_PATIENCE_NS), 0);
}

Test(executor_limits, routes_around_an_open_circuit_and_says_so_when_the_order_names_it)
{
    zvt_route_reply_t reply;
    s_quote_both();
    s_open_alpha();
    s_route(&reply, "", START + EXECUTOR_PATIENCE_NS);
    cr_assert_eq(reply.code, ZVT_CODE_OK);
    cr_assert_str_eq(reply.selected_exchange, "beta");
    cr_assert_eq(reply.routing_metrics[ALPHA].code, ZVT_CODE_CIRCUIT_OPEN);
    s_route(&reply, "alpha", START + EXECUTOR_PATIENCE_NS);
    cr_assert_eq(reply.code, ZVT_CODE_CIRCUIT_OPEN);
}

Test(executor_limits, refuses_a_committed_order_for_an_open_circuit_for_good)
{
    s_open_alpha();
    s_send_number(9, "alpha", START + EXECUTOR_PATIENCE_NS);
    cr_assert_eq(s_refusal(), ZVT_CODE_CIRCUIT_OPEN);
}

Test(executor_limits, passes_cancels_and_questions_through_an_open_circuit)
{
    zvt_record_t cancel = {.type = ZVT_T_ORDER_CANCEL}, query = {.type = ZVT_T_ORDER_QUERY}, since = {.type = ZVT_T_REPORTS_SINCE};
    cancel.order_cancel.epoch = 5;
    ZVT_STR_SET(cancel.order_cancel.exchange, "alpha");
    ZVT_STR_SET(query.order_query.exchange, "alpha");
    ZVT_STR_SET(since.reports_since.exchange, "alpha");
    s_open_alpha();
    cr_assert(executor_core_on_request(s_core, &cancel, s_at(START)));
    cr_assert(executor_core_on_request(s_core, &query, s_at(START)));
    cr_assert(executor_core_on_request(s_core, &since, s_at(START)));
    cr_assert_eq(s_sent_to(ALPHA, ZVT_T_ORDER_CANCEL) + s_sent_to(ALPHA, ZVT_T_ORDER_QUERY) + s_sent_to(ALPHA, ZVT_T_REPORTS_SINCE), 3u);
}

Test(executor_limits, tries_the_venue_with_a_few_orders_and_closes_when_one_is_answered)
{
    s_open_alpha();
    int64_t now_ns = START + 2 * ZVT_SECOND_NS;
    s_on_time(now_ns);
    cr_assert_eq(s_last()->record.circuit_notice.state, ZVT_CIRCUIT_HALF_OPEN);
    s_count = 0;
    for (int i = 10; i < 20; i++) s_send_number(i, "alpha", now_ns);
    cr_assert_eq(s_sent_to(ALPHA, ZVT_T_ORDER_SEND), (unsigned)BREAKER_PROBES_MAX);
    cr_assert_eq(s_refusal(), ZVT_CODE_CIRCUIT_OPEN);
    s_report("o10", ZVT_REPORT_KIND_REJECTED, ZVT_CODE_INSUFFICIENT_BALANCE, 11, now_ns + MS);
    cr_assert_eq(router_core_breaker(s_router, ALPHA)->state, ZVT_CIRCUIT_CLOSED, "it answered: that it refused the order is the order's business");
}

Test(executor_limits, opens_at_once_when_a_gateway_is_gone_and_tries_when_it_is_back)
{
    executor_core_on_gateway_down(s_core, ALPHA, s_at(START));
    cr_assert_eq(router_core_breaker(s_router, ALPHA)->state, ZVT_CIRCUIT_OPEN);
    cr_assert_eq(router_core_breaker(s_router, ALPHA)->reason, ZVT_CODE_VENUE_UNREACHABLE);
    s_gateway_up(ALPHA, 5, 10);
    cr_assert_eq(router_core_breaker(s_router, ALPHA)->state, ZVT_CIRCUIT_OPEN, "the gateway has not said that it reaches the venue");
    s_tip(ALPHA, true, 10);
    cr_assert_eq(router_core_breaker(s_router, ALPHA)->state, ZVT_CIRCUIT_HALF_OPEN);
}

Test(executor_limits, tries_a_venue_whose_gateway_is_another_run_though_nobody_noticed_it_was_away)
{
    zvt_hello_t hello = {.role = ZVT_ROLE_GATEWAY, .epoch = 5, .cursor = 10, .incarnation = 2};
    executor_core_on_gateway_up(s_core, ALPHA, &hello, s_at(START));
    unsigned opened = 0, tried = 0;
    for (unsigned i = 0; i < s_count; i++) {
        if (s_sent[i].record.type != ZVT_T_CIRCUIT_NOTICE) continue;
        opened += s_sent[i].record.circuit_notice.state == ZVT_CIRCUIT_OPEN;
        tried += opened == 1 && s_sent[i].record.circuit_notice.state == ZVT_CIRCUIT_HALF_OPEN;
    }
    cr_assert(opened == 1 && tried == 1);
    cr_assert_eq(router_core_breaker(s_router, ALPHA)->state, ZVT_CIRCUIT_HALF_OPEN);
    cr_assert(executor_core_reachable(s_core, ALPHA));
}

Test(executor_limits, never_refuses_the_second_copy_of_an_order_that_is_under_way)
{
    s_send_number(1, "alpha", START);
    for (int i = 2; i < 2 + BREAKER_FAILURES_MAX; i++) {
        s_send_number(i, "alpha", START);
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        s_report(id, ZVT_REPORT_KIND_REJECTED, ZVT_CODE_VENUE_UNREACHABLE, 0, START);
    }
    cr_assert_eq(router_core_breaker(s_router, ALPHA)->state, ZVT_CIRCUIT_OPEN);
    s_count = 0;
    s_send_number(1, "alpha", START);
    cr_assert_eq(s_last()->to, (uint32_t)ALPHA, "the venue knows what to do with it");
    cr_assert_eq(s_count, 1u);
}

Test(executor_limits, tells_a_new_orchestrator_every_circuit)
{
    s_open_alpha();
    s_count = 0;
    executor_core_tell_circuits(s_core, s_at(START));
    cr_assert_eq(s_sent_to(TO_ORCHESTRATOR, ZVT_T_CIRCUIT_NOTICE), 2u);
    cr_assert_eq(s_sent[0].record.circuit_notice.state, ZVT_CIRCUIT_OPEN);
    cr_assert_eq(s_sent[1].record.circuit_notice.state, ZVT_CIRCUIT_CLOSED);
}

Test(executor_limits, tells_every_circuit_again_once_a_second)
{
    s_on_time(START);
    s_count = 0;
    s_on_time(START + EXECUTOR_CIRCUITS_NS - 1);
    cr_assert_eq(s_count, 0u);
    s_on_time(START + EXECUTOR_CIRCUITS_NS);
    cr_assert_eq(s_sent_to(TO_ORCHESTRATOR, ZVT_T_CIRCUIT_NOTICE), 2u);
}

/* ---- limits ---- */
Test(executor_limits, paces_orders_to_the_venue_and_sends_them_when_they_may_leave)
{
    for (int i = 0; i < 4; i++) s_send_number(i, "beta", START);
    cr_assert_eq(s_sent_to(BETA, ZVT_T_ORDER_SEND), 1u);
    int64_t now_ns = START;
    for (unsigned sent = 2; sent <= 4; sent++) {
        now_ns = executor_core_next_ns(s_core, now_ns);
        cr_assert_gt(now_ns, START);
        s_on_time(now_ns);
        cr_assert_eq(s_sent_to(BETA, ZVT_T_ORDER_SEND), sent);
    }
    cr_assert_eq(executor_core_next_ns(s_core, now_ns), 0);
}

Test(executor_limits, refuses_for_good_what_would_wait_too_long_and_tells_routing)
{
    zvt_route_reply_t reply;
    s_quote_both();
    for (int i = 0; i < 12; i++) s_send_number(i, "beta", START);
    cr_assert_eq(s_refusal(), ZVT_CODE_VENUE_THROTTLED);
    s_route(&reply, "", START);
    cr_assert_str_eq(reply.selected_exchange, "alpha");
    cr_assert_eq(reply.routing_metrics[BETA].code, ZVT_CODE_VENUE_THROTTLED);
    s_on_time(START + ZVT_SECOND_NS);
    s_route(&reply, "beta", START + ZVT_SECOND_NS);
    cr_assert_eq(reply.code, ZVT_CODE_OK, "the queue has moved");
}

Test(executor_limits, counts_the_wait_as_latency_of_the_venue)
{
    zvt_route_reply_t reply;
    s_quote_both();
    for (int i = 0; i < 4; i++) s_send_number(i, "beta", START);
    s_route(&reply, "beta", START);
    cr_assert_gt(reply.routing_metrics[BETA].latency_ms_e8, 400 * ZVT_E8);
}

Test(executor_limits, judges_a_waiting_order_again_when_its_turn_comes)
{
    s_send_number(1, "beta", START);
    s_order("late", "beta", 5, START + 170 * MS, START);
    s_on_time(START + 200 * MS);
    cr_assert_eq(s_refusal(), ZVT_CODE_ORDER_EXPIRED);
}

Test(executor_limits, lets_waiting_orders_go_elsewhere_when_the_circuit_opens)
{
    for (int i = 0; i < 4; i++) s_send_number(i, "beta", START);
    s_count = 0;
    executor_core_on_gateway_down(s_core, BETA, s_at(START));
    cr_assert_eq(s_sent_to(TO_ORCHESTRATOR, ZVT_T_REPORT), 3u);
}

Test(executor_limits, ends_a_waiting_order_that_is_canceled)
{
    zvt_record_t cancel = {.type = ZVT_T_ORDER_CANCEL};
    cancel.order_cancel.epoch = 5;
    ZVT_STR_SET(cancel.order_cancel.exchange, "beta");
    ZVT_STR_SET(cancel.order_cancel.client_order_id, "o2");
    for (int i = 1; i < 4; i++) s_send_number(i, "beta", START);
    cr_assert(executor_core_on_request(s_core, &cancel, s_at(START)));
    cr_assert_eq(s_refusal(), ZVT_CODE_CANCEL_REQUESTED);
    cr_assert_eq(s_sent_to(BETA, ZVT_T_ORDER_CANCEL), 0u);
    cr_assert_eq(pacer_core_orders(executor_core_pacer(s_core, BETA)), 1u);
}

Test(executor_limits, forgets_a_waiting_order_that_the_venue_is_told_to_bury)
{
    zvt_record_t query = {.type = ZVT_T_ORDER_QUERY};
    query.order_query.epoch = 5;
    query.order_query.tombstone = true;
    ZVT_STR_SET(query.order_query.exchange, "beta");
    ZVT_STR_SET(query.order_query.client_order_id, "o2");
    for (int i = 1; i < 3; i++) s_send_number(i, "beta", START);
    cr_assert(executor_core_on_request(s_core, &query, s_at(START)));
    cr_assert_eq(s_last()->record.type, ZVT_T_ORDER_QUERY);
    cr_assert_eq(pacer_core_orders(executor_core_pacer(s_core, BETA)), 0u);
}

Test(executor_limits, paces_cancels_apart_from_orders)
{
    zvt_record_t cancel = {.type = ZVT_T_ORDER_CANCEL};
    cancel.order_cancel.epoch = 5;
    ZVT_STR_SET(cancel.order_cancel.exchange, "beta");
    for (int i = 0; i < 5; i++) s_send_number(i, "beta", START);
    for (int i = 0; i < 3; i++) {
        snprintf(cancel.order_cancel.client_order_id, ZVT_CLIENT_ORDER_SIZE, "rests%d", i);
        cr_assert(executor_core_on_request(s_core, &cancel, s_at(START)));
    }
    cr_assert_eq(s_sent_to(BETA, ZVT_T_ORDER_CANCEL), 1u);
    s_on_time(START + ZVT_SECOND_NS);
    cr_assert_eq(s_sent_to(BETA, ZVT_T_ORDER_CANCEL), 2u, "the bucket of cancels holds no burst at this limit");
}

Test(executor_limits, lets_go_of_a_waiting_order_when_another_writer_shows_up_even_one_that_cannot_be_stored_yet)
{
    zvt_hello_t newer = {.role = ZVT_ROLE_ORCHESTRATOR, .epoch = 6};
    uint64_t before = *zvt_counter("fenced");
    for (int i = 0; i < 3; i++) s_send_number(i, "beta", START);
    s_store_status = ZVT_ERR_IO;
    cr_assert(!executor_core_on_hello(s_core, &newer));
    for (int64_t now_ns = START; (now_ns = executor_core_next_ns(s_core, now_ns)) != 0;) s_on_time(now_ns);
    cr_assert_eq(s_sent_to(BETA, ZVT_T_ORDER_SEND), 1u, "the one that had left before");
    cr_assert_eq(*zvt_counter("fenced") - before, 2u);
}

Test(executor_limits, orders_of_a_writer_that_was_replaced_take_nothing_of_the_limit_from_the_new_one)
{
    for (int i = 0; i < 4; i++) s_send_number(i, "beta", START);
    s_order("newer", "beta", 6, 0, START);
    cr_assert_eq(pacer_core_orders(executor_core_pacer(s_core, BETA)), 1u);
    s_on_time(executor_core_next_ns(s_core, START));
    cr_assert_eq(s_sent_to(BETA, ZVT_T_ORDER_SEND), 2u);
    cr_assert_str_eq(s_last()->record.order_send.client_order_id, "newer");
}

/* ---- the halt ---- */
Test(executor_limits, refuses_everything_while_halted_what_waits_included)
{
    zvt_route_reply_t reply;
    for (int i = 0; i < 3; i++) s_send_number(i, "beta", START);
    s_count = 0;
    executor_core_halt(s_core, "killed by somebody");
    cr_assert_eq(s_sent_to(TO_ORCHESTRATOR, ZVT_T_REPORT), 2u);
    cr_assert_eq(s_refusal(), ZVT_CODE_HALTED);
    s_send_number(5, "alpha", START);
    cr_assert_eq(s_refusal(), ZVT_CODE_HALTED);
    cr_assert_str_eq(s_last()->record.report.message, "killed by somebody");
    s_route(&reply, "", START);
    cr_assert_eq(reply.code, ZVT_CODE_HALTED);
    executor_core_halt(s_core, NULL);
    s_send_number(6, "alpha", START);
    cr_assert_eq(s_last()->to, (uint32_t)ALPHA);
}

Test(executor_limits, cancels_under_the_highest_epoch_that_anybody_knows)
{
    s_gateway_up(BETA, 9, 0);
    s_count = 0;
    executor_core_cancel(s_core, BETA, "o1", s_at(START));
    cr_assert_eq(s_last()->record.order_cancel.epoch, 9u);
    executor_core_cancel(s_core, ALPHA, "o1", s_at(START));
    cr_assert_eq(s_last()->record.order_cancel.epoch, 9u);
}

Test(executor_limits, withdraws_waiting_orders_by_the_beginning_of_their_ids)
{
    for (int i = 10; i < 14; i++) s_send_number(i, "beta", START);
    cr_assert_eq(executor_core_withdraw(s_core, "o12-anything", 3), 1u);
    cr_assert_eq(s_refusal(), ZVT_CODE_CANCEL_REQUESTED);
    cr_assert_eq(executor_core_withdraw(s_core, "", 0), 2u, "all that wait");
}
