#include "executor_fixture.h"

TestSuite(executor_core, .init = s_setup, .fini = s_teardown);

/* ---- orders ---- */
Test(executor_core, passes_an_order_to_the_gateway_of_its_venue)
{
    s_order("o1", "alpha", 5, 0, 0);
    cr_assert_eq(s_count, 1u);
    cr_assert_eq(s_last()->to, (uint32_t)ALPHA);
    cr_assert_str_eq(s_last()->record.order_send.client_order_id, "o1");
}

Test(executor_core, drops_commands_of_an_older_epoch_in_silence)
{
    uint64_t before = *zvt_counter("fenced");
    zvt_record_t cancel = {.type = ZVT_T_ORDER_CANCEL}, tombstone = {.type = ZVT_T_ORDER_QUERY};
    tombstone.order_query.tombstone = true;
    s_order("o1", "alpha", 4, 0, 0);
    cr_assert(executor_core_on_request(s_core, &cancel, s_at(0)));
    cr_assert(executor_core_on_request(s_core, &tombstone, s_at(0)));
    cr_assert_eq(s_count, 0u);
    cr_assert_eq(*zvt_counter("fenced") - before, 3u);
}

Test(executor_core, stores_a_higher_epoch_and_tells_the_gateways_before_it_obeys)
{
    s_order("o1", "alpha", 7, 0, 0);
    cr_assert_eq(s_stored_epoch, 7u);
    cr_assert_eq(s_told_gateways, 1u);
    cr_assert_eq(s_last()->record.type, ZVT_T_ORDER_SEND);
    s_order("o2", "alpha", 5, 0, 0);
    cr_assert_eq(s_count, 1u);
}

Test(executor_core, does_not_obey_an_epoch_that_it_cannot_store)
{
    s_store_status = ZVT_ERR_IO;
    s_order("o1", "alpha", 7, 0, 0);
    zvt_hello_t hello = {.role = ZVT_ROLE_ORCHESTRATOR, .epoch = 7};
    cr_assert(!executor_core_on_hello(s_core, &hello));
    cr_assert_eq(s_count, 0u);
    cr_assert_eq(executor_core_epoch(s_core), 5u);
}

Test(executor_core, keeps_the_fence_shut_below_an_epoch_that_it_cannot_store)
{
    uint64_t before = *zvt_counter("fenced");
    s_store_status = ZVT_ERR_IO;
    zvt_hello_t newer = {.role = ZVT_ROLE_ORCHESTRATOR, .epoch = 7}, woken = {.role = ZVT_ROLE_ORCHESTRATOR, .epoch = 5};
    cr_assert(!executor_core_on_hello(s_core, &newer));
    s_order("o1", "alpha", 5, 0, 0);
    s_order("o2", "alpha", 6, 0, 0);
    cr_assert_eq(s_count, 0u);
    cr_assert_eq(*zvt_counter("fenced") - before, 2u);
    cr_assert(!executor_core_on_hello(s_core, &woken), "reports are not for it either");
    cr_assert_eq(executor_core_epoch(s_core), 5u, "hellos to the gateways carry what is durable");
    s_store_status = 0;
    cr_assert(executor_core_on_hello(s_core, &newer), "it is stored as soon as it can be");
    cr_assert_eq(s_stored_epoch, 7u);
    s_order("o3", "alpha", 7, 0, 0);
    cr_assert_eq(s_count, 1u);
}

Test(executor_core, answers_for_a_gateway_that_is_not_there)
{
    s_order("o1", "beta", 5, 0, 0);
    cr_assert_eq(s_last()->to, (uint32_t)TO_ORCHESTRATOR);
    cr_assert_eq(s_last()->record.report.kind, ZVT_REPORT_KIND_REJECTED);
    cr_assert_eq(s_last()->record.report.code, ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_eq(s_last()->record.report.venue_seq, 0u);
    cr_assert_str_eq(s_last()->record.report.exchange, "beta");
    s_order("o1", "delta", 5, 0, 0);
    cr_assert_eq(s_last()->record.report.code, ZVT_CODE_UNKNOWN_VENUE);
}

Test(executor_core, refuses_an_expired_order_for_good)
{
    s_order("o1", "alpha", 5, 99, 100);
    cr_assert_eq(s_count, 1u);
    cr_assert_eq(s_last()->record.report.code, ZVT_CODE_ORDER_EXPIRED);
    cr_assert_eq(s_last()->record.report.venue_seq, 0u);
}

Test(executor_core, passes_questions_on_or_answers_them_itself)
{
    static const struct {
        zvt_type_t question, answer;
    } rows[] = {{ZVT_T_ORDER_CANCEL, ZVT_T_CANCEL_RESULT},
                {ZVT_T_ORDER_QUERY, ZVT_T_ORDER_STATUS},
                {ZVT_T_REPORTS_SINCE, ZVT_T_REPORTS_TIP}};
    for (unsigned i = 0; i < 3; i++) {
        zvt_record_t record = {.type = rows[i].question};
        const char *exchanges[] = {"alpha", "beta"};
        for (unsigned venue = 0; venue < 2; venue++) {
            s_count = 0;
            if (rows[i].question == ZVT_T_ORDER_CANCEL) {
                record.order_cancel.epoch = 5;
                ZVT_STR_SET(record.order_cancel.exchange, exchanges[venue]);
            } else if (rows[i].question == ZVT_T_ORDER_QUERY) {
                ZVT_STR_SET(record.order_query.exchange, exchanges[venue]);
            } else {
                record.reports_since.cursor = 3;
                ZVT_STR_SET(record.reports_since.exchange, exchanges[venue]);
            }
            cr_assert(executor_core_on_request(s_core, &record, s_at(0)));
            cr_assert_eq(s_count, 1u);
            cr_assert_eq(s_last()->to, venue == 0 ? (uint32_t)ALPHA : (uint32_t)TO_ORCHESTRATOR);
            cr_assert_eq(s_last()->record.type, venue == 0 ? rows[i].question : rows[i].answer);
        }
    }
    cr_assert_eq(s_last()->record.reports_tip.cursor, 3u);
    cr_assert(!s_last()->record.reports_tip.reachable);
}

Test(executor_core, does_not_take_other_requests)
{
    zvt_record_t record = {.type = ZVT_T_PLACE_REQUEST};
    cr_assert(!executor_core_on_request(s_core, &record, s_at(0)));
}

/* ---- the orchestrator ---- */
Test(executor_core, obeys_only_the_newest_orchestrator)
{
    zvt_hello_t hello = {.role = ZVT_ROLE_ORCHESTRATOR, .epoch = 6};
    cr_assert(executor_core_on_hello(s_core, &hello));
    cr_assert_eq(s_stored_epoch, 6u);
    hello.epoch = 5;
    cr_assert(!executor_core_on_hello(s_core, &hello));
    hello = (zvt_hello_t){.role = ZVT_ROLE_CLIENT, .epoch = 9};
    cr_assert(!executor_core_on_hello(s_core, &hello));
    cr_assert_eq(executor_core_epoch(s_core), 6u);
}

Test(executor_core, a_writer_below_the_epoch_of_a_gateway_is_fenced_here_and_hears_why)
{
    s_gateway_up(BETA, 9, 0);
    cr_assert_eq(s_stored_epoch, 9u);
    zvt_hello_t hello = {.role = ZVT_ROLE_ORCHESTRATOR, .epoch = 8};
    cr_assert(!executor_core_on_hello(s_core, &hello));
    cr_assert_eq(executor_core_epoch(s_core), 9u, "which the answer to a hello shows");
}

Test(executor_core, acknowledges_the_lowest_epoch_of_its_gateways)
{
    cr_assert_eq(executor_core_acknowledged_epoch(s_core), 5u);
    s_gateway_up(BETA, 3, 0);
    cr_assert_eq(executor_core_acknowledged_epoch(s_core), 3u);
    cr_assert_eq(s_told_orchestrator, 1u);
    zvt_hello_t hello = {.epoch = 5};
    executor_core_on_gateway_hello(s_core, BETA, &hello);
    cr_assert_eq(executor_core_acknowledged_epoch(s_core), 5u);
    cr_assert_eq(s_told_orchestrator, 2u);
    executor_core_on_gateway_down(s_core, ALPHA, s_at(0));
    executor_core_on_gateway_down(s_core, BETA, s_at(0));
    cr_assert_eq(executor_core_acknowledged_epoch(s_core), 0u);
}

Test(executor_core, tells_the_tip_when_a_gateway_comes_goes_or_moves)
{
    s_gateway_up(BETA, 5, 20);
    cr_assert_eq(s_last()->record.type, ZVT_T_REPORTS_TIP);
    cr_assert_eq(s_last()->record.reports_tip.venue_seq, 20u);
    cr_assert_str_eq(s_last()->record.reports_tip.exchange, "beta");
    zvt_hello_t hello = {.epoch = 5, .cursor = 20};
    s_count = 0;
    executor_core_on_gateway_hello(s_core, BETA, &hello);
    cr_assert_eq(s_count, 0u, "nothing moved");
    hello.cursor = 21;
    executor_core_on_gateway_hello(s_core, BETA, &hello);
    cr_assert_eq(s_last()->record.reports_tip.venue_seq, 21u);
    executor_core_on_gateway_down(s_core, BETA, s_at(0));
    cr_assert(!s_last()->record.reports_tip.reachable);
}

Test(executor_core, does_not_tell_a_tip_of_reports_that_it_passed_on)
{
    s_report("o1", ZVT_REPORT_KIND_ACCEPTED, ZVT_CODE_OK, 11, 0);
    s_count = 0;
    zvt_hello_t hello = {.epoch = 5, .cursor = 11};
    executor_core_on_gateway_hello(s_core, ALPHA, &hello);
    cr_assert_eq(s_count, 0u);
}

Test(executor_core, asks_a_gateway_that_comes_for_its_quotes)
{
    s_gateway_up(BETA, 5, 0);
    cr_assert_eq(s_sent[0].to, (uint32_t)BETA);
    cr_assert_eq(s_sent[0].record.type, ZVT_T_QUOTES_QUERY);
}

Test(executor_core, forgets_the_market_only_of_a_gateway_that_is_a_new_run)
{
    zvt_price_updated_t quote = {.symbol = "BTC/USDT", .symbol_seq = 9, .ask_e8 = 100, .ask_volume_e8 = ZVT_E8};
    zvt_route_request_t request = {.quantity_e8 = 1};
    zvt_route_reply_t reply;
    zvt_hello_t hello = {.incarnation = 1, .epoch = 5};
    ZVT_STR_SET(request.order_request.symbol, "BTC/USDT");
    request.order_request.side = ZVT_SIDE_BUY;
    request.order_request.order_type = ZVT_ORDER_TYPE_MARKET;
    router_core_on_quote(s_router, ALPHA, &quote);
    executor_core_on_gateway_down(s_core, ALPHA, s_at(0));
    executor_core_on_gateway_up(s_core, ALPHA, &hello, s_at(0));
    s_tip(ALPHA, true, 10);
    router_core_route(s_router, &request, 0, &reply);
    cr_assert_eq(reply.code, ZVT_CODE_OK);
    hello.incarnation = 2;
    executor_core_on_gateway_up(s_core, ALPHA, &hello, s_at(0));
    router_core_route(s_router, &request, 0, &reply);
    cr_assert_eq(reply.routing_metrics[ALPHA].code, ZVT_CODE_NO_REFERENCE_PRICE);
}

Test(executor_core, counts_a_venue_as_reachable_when_its_gateway_says_so)
{
    cr_assert(executor_core_reachable(s_core, ALPHA));
    s_gateway_up(BETA, 5, 0);
    cr_assert(!executor_core_reachable(s_core, BETA));
    s_tip(BETA, true, 0);
    cr_assert(executor_core_reachable(s_core, BETA));
    executor_core_on_gateway_down(s_core, BETA, s_at(0));
    cr_assert(!executor_core_reachable(s_core, BETA));
}

Test(executor_core, takes_a_tip_that_comes_before_the_hello)
{
    s_tip(BETA, true, 4);
    cr_assert(!executor_core_reachable(s_core, BETA));
    s_gateway_up(BETA, 5, 4);
    cr_assert(executor_core_reachable(s_core, BETA));
}

Test(executor_core, follows_a_venue_that_lost_its_ledger)
{
    zvt_record_t record = {.type = ZVT_T_REPORTS_TIP};
    record.reports_tip.reachable = true;
    record.reports_tip.incarnation = 2;
    executor_core_on_gateway_record(s_core, ALPHA, &record, s_at(0));
    cr_assert_eq(executor_core_venue_seq(s_core, ALPHA), 0u);
    cr_assert_eq(s_last()->record.reports_tip.venue_seq, 0u);
}

Test(executor_core, passes_answers_of_the_gateway_on_unchanged)
{
    static const zvt_type_t types[] = {ZVT_T_REPORT, ZVT_T_CANCEL_RESULT, ZVT_T_ORDER_STATUS, ZVT_T_REPORTS_TIP};
    for (unsigned i = 0; i < 4; i++) {
        zvt_record_t record = {.type = types[i]};
        executor_core_on_gateway_record(s_core, ALPHA, &record, s_at(0));
        cr_assert_eq(s_last()->to, (uint32_t)TO_ORCHESTRATOR);
        cr_assert_eq(s_last()->record.type, types[i]);
    }
    uint64_t before = *zvt_counter("unexpected_records");
    zvt_record_t record = {.type = ZVT_T_ORDER_SEND};
    s_count = 0;
    executor_core_on_gateway_record(s_core, ALPHA, &record, s_at(0));
    cr_assert_eq(s_count, 0u);
    cr_assert_eq(*zvt_counter("unexpected_records") - before, 1u);
}

/* ---- measuring ---- */
Test(executor_core, measures_from_send_to_first_report)
{
    s_order("o1", "alpha", 5, 0, 1000);
    s_order("o1", "alpha", 5, 0, 3000); /* sent again: counts from the first */
    cr_assert_eq(executor_core_in_flight(s_core), 1u);
    s_report("o1", ZVT_REPORT_KIND_ACCEPTED, ZVT_CODE_OK, 11, 5000);
    s_report("o1", ZVT_REPORT_KIND_FILL, ZVT_CODE_OK, 12, 900000);
    cr_assert_eq(venue_health_latency_ns(router_core_health(s_router, ALPHA)), 4000);
    cr_assert_eq(executor_core_in_flight(s_core), 0u);
}

Test(executor_core, counts_a_send_without_an_answer_as_a_failure)
{
    uint64_t before = *zvt_counter("sends_unanswered");
    s_order("o1", "alpha", 5, 0, 0);
    s_order("o2", "alpha", 5, 0, 0);
    s_report("o1", ZVT_REPORT_KIND_ACCEPTED, ZVT_CODE_OK, 11, 5);
    executor_core_on_time(s_core, s_at(EXECUTOR_PATIENCE_NS - 1));
    cr_assert_eq(*zvt_counter("sends_unanswered"), before);
    executor_core_on_time(s_core, s_at(EXECUTOR_PATIENCE_NS));
    cr_assert_eq(*zvt_counter("sends_unanswered") - before, 1u);
    cr_assert_gt(venue_health_failure_rate_e8(router_core_health(s_router, ALPHA), EXECUTOR_PATIENCE_NS), 0);
    cr_assert_eq(executor_core_in_flight(s_core), 0u);
}

Test(executor_core, blames_the_venue_only_for_refusals_of_its_own)
{
    s_order("o1", "alpha", 5, 0, 0);
    s_report("o1", ZVT_REPORT_KIND_REJECTED, ZVT_CODE_INSUFFICIENT_BALANCE, 11, 5);
    cr_assert_eq(venue_health_failure_rate_e8(router_core_health(s_router, ALPHA), 5), 0);
    s_order("o2", "alpha", 5, 0, 0);
    s_report("o2", ZVT_REPORT_KIND_REJECTED, ZVT_CODE_VENUE_LIMIT, 12, 5);
    cr_assert_gt(venue_health_failure_rate_e8(router_core_health(s_router, ALPHA), 5), 0);
}

Test(executor_core, sends_without_measuring_when_too_many_are_in_flight)
{
    uint64_t before = *zvt_counter("sends_unmeasured");
    for (unsigned i = 0; i <= EXECUTOR_IN_FLIGHT_MAX; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%u", i);
        s_count = 0;
        s_order(id, "alpha", 5, 0, 0);
        cr_assert_eq(s_count, 1u);
    }
    cr_assert_eq(*zvt_counter("sends_unmeasured") - before, 1u);
    executor_core_on_time(s_core, s_at(EXECUTOR_PATIENCE_NS));
    cr_assert_eq(executor_core_in_flight(s_core), 0u);
    executor_core_on_time(s_core, s_at(2 * EXECUTOR_PATIENCE_NS)); /* the circuit is tried again */
    s_order("again", "alpha", 5, 0, 2 * EXECUTOR_PATIENCE_NS);
    cr_assert_eq(executor_core_in_flight(s_core), 1u);
}

Test(executor_core, hands_a_question_about_the_account_on_and_its_rows_back)
{
    zvt_record_t query = {.type = ZVT_T_ACCOUNT_QUERY, .account_query = {.query = 7}};
    ZVT_STR_SET(query.account_query.exchange, s_fleet.venues[ALPHA].name);
    cr_assert(executor_core_on_request(s_core, &query, s_at(0)));
    cr_assert_eq(s_sent[0].to, ALPHA);
    zvt_record_t row = {.type = ZVT_T_ACCOUNT_ASSET, .account_asset = {.query = 7, .total_e8 = 3}};
    executor_core_on_gateway_record(s_core, ALPHA, &row, s_at(0));
    cr_assert_eq(s_sent[1].to, TO_ORCHESTRATOR);
    cr_assert_eq(s_sent[1].record.account_asset.total_e8, 3);
    ZVT_STR_SET(query.account_query.exchange, s_fleet.venues[BETA].name);
    cr_assert(executor_core_on_request(s_core, &query, s_at(0)));
    cr_assert_eq(s_sent[2].record.type, ZVT_T_ACCOUNT_SNAPSHOT, "there is no gateway to ask");
    cr_assert_eq(s_sent[2].record.account_snapshot.code, ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_eq(s_sent[2].record.account_snapshot.query, 7);
}

Test(executor_core, a_gateway_without_room_for_cancels_does_not_open_the_circuit)
{
    for (unsigned i = 0; i < 6; i++) {
        zvt_record_t record = {.type = ZVT_T_CANCEL_RESULT, .cancel_result = {.exchange = "alpha", .code = ZVT_CODE_OVERLOADED}};
        executor_core_on_gateway_record(s_core, ALPHA, &record, s_at(1000));
    }
    s_count = 0;
    s_order("o1", "alpha", 5, 0, 2000);
    cr_assert_eq(s_last()->to, (uint32_t)ALPHA);
}
