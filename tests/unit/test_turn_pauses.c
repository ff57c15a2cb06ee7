/* The turn core asks again, and tries again, after pauses that double and of which half is drawn. */
#include "turn_fixture.h"
#include "turn_world.h"

TestSuite(turn_pauses, .init = s_setup, .fini = s_teardown);

/* Runs so long in steps of a millisecond. */
static void s_run(int milliseconds)
{
    for (int i = 0; i < milliseconds; i++) {
        s_tick(MS);
        s_deliver_all();
        s_confirm();
    }
}

/* Milliseconds until so many orders have been sent, at most `most`. */
static int s_until_sent(int count, int most)
{
    int milliseconds = 0;
    for (; milliseconds < most && w.sent_count < count; milliseconds++) s_run(1);
    cr_assert_eq(w.sent_count, count);
    return milliseconds;
}

static void s_refuse(int sent, uint8_t code)
{
    zvt_report_t rejected = s_report(&w.sent[sent], ZVT_REPORT_KIND_REJECTED);
    rejected.code = code;
    s_queue(ZVT_T_REPORT, &rejected);
    s_deliver_all();
}

Test(turn_pauses, an_order_that_a_venue_refused_for_now_is_tried_again_after_a_pause_that_doubles)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    w.venue_silent = true;
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.sent_count, 1);
    int routes = w.routes_asked;
    s_refuse(0, ZVT_CODE_VENUE_LIMIT);
    s_run(45);
    cr_assert_eq(w.routes_asked, routes, "not at once");
    cr_assert_eq(w.sent_count, 1);
    int first_ms = 45 + s_until_sent(2, 80);
    s_refuse(1, ZVT_CODE_VENUE_LIMIT);
    s_run(95);
    cr_assert_eq(w.sent_count, 2);
    int second_ms = 95 + s_until_sent(3, 130);
    cr_assert(first_ms <= 110 && second_ms <= 210, "after %d and %d ms", first_ms, second_ms);
}

enum { ORDERS = 40 };

/* So many orders leave for a venue that says nothing. */
static void s_send_many(void)
{
    w.venue_silent = true;
    for (uint64_t n = 1; n <= ORDERS; n++) {
        zvt_record_t signal = s_signal(n, ZVT_ORDER_TYPE_MARKET);
        s_give_signal(&signal);
    }
    s_settle();
}

Test(turn_pauses, orders_that_a_venue_refused_together_come_back_one_by_one)
{
    s_send_many();
    cr_assert_eq(w.sent_count, ORDERS);
    for (int i = 0; i < ORDERS; i++) s_refuse(i, ZVT_CODE_OVERLOADED);
    int most = 0;
    for (int i = 0; i < 120; i++) {
        int before = w.sent_count;
        s_run(1);
        if (w.sent_count - before > most) most = w.sent_count - before;
    }
    cr_assert_eq(w.sent_count, 2 * ORDERS);
    cr_assert_leq(most, ORDERS / 4, "%d in one millisecond", most);
}

Test(turn_pauses, an_order_that_expires_during_its_pause_ends_and_is_not_sent_again)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    signal.signal.order_request.expires_at_ns = w.now_ns + 40 * MS;
    w.venue_silent = true;
    s_give_signal(&signal);
    s_settle();
    s_refuse(0, ZVT_CODE_OVERLOADED);
    s_run(120);
    cr_assert_eq(w.sent_count, 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_EXPIRED), 1);
}

Test(turn_pauses, a_refused_order_found_at_its_venue_after_a_restart_has_its_pause_too)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    w.venue_silent = true;
    s_give_signal(&signal);
    s_settle();
    s_restart(2);
    s_settle();
    s_refuse(0, ZVT_CODE_OVERLOADED);
    s_run(45);
    cr_assert_eq(w.sent_count, 1);
    (void)s_until_sent(2, 80);
}

Test(turn_pauses, missing_reports_are_asked_for_less_and_less_often_until_one_comes)
{
    zvt_order_send_t stranger = {.exchange = "alpha", .client_order_id = "stranger-1", .symbol = "BTC/USDT", .side = ZVT_SIDE_BUY};
    w.account_silent = true;
    zvt_report_t lost = s_report(&stranger, ZVT_REPORT_KIND_ACCEPTED), next = s_report(&stranger, ZVT_REPORT_KIND_ACCEPTED);
    s_queue(ZVT_T_REPORT, &next);
    s_deliver_all();
    int before = w.since_asked;
    s_run(4000);
    int asked = w.since_asked - before;
    cr_assert(asked >= 9 && asked <= 23, "asked %d times in 4 s", asked);
    w.venue_seq++; /* another gap */
    zvt_report_t after = s_report(&stranger, ZVT_REPORT_KIND_ACCEPTED);
    s_queue(ZVT_T_REPORT, &lost);
    s_queue(ZVT_T_REPORT, &after);
    s_deliver_all();
    before = w.since_asked;
    s_run(200);
    cr_assert_geq(w.since_asked - before, 2, "the pauses begin anew");
}

Test(turn_pauses, reports_that_an_answer_did_not_reach_are_asked_for_at_once_and_only_behind_the_last_question)
{
    zvt_order_send_t stranger = {.exchange = "alpha", .client_order_id = "stranger-1", .symbol = "BTC/USDT", .side = ZVT_SIDE_BUY};
    w.account_silent = true;
    zvt_report_t reports[6];
    for (int i = 0; i < 6; i++) reports[i] = s_report(&stranger, ZVT_REPORT_KIND_ACCEPTED);
    s_queue(ZVT_T_REPORT, &reports[0]);
    s_queue(ZVT_T_REPORT, &reports[5]);
    s_deliver_all();
    for (int i = 0; i < 200 && w.since.cursor != 1; i++) s_run(1);
    cr_assert_eq(w.since.cursor, 1, "what is missing is asked for");
    int before = w.since_asked;
    zvt_reports_tip_t end = {.exchange = "alpha", .cursor = 1, .venue_seq = 6, .reachable = true};
    s_queue(ZVT_T_REPORT, &reports[1]);
    for (int i = 0; i < 10; i++) s_queue(ZVT_T_REPORTS_TIP, &end); /* ten answers to as many questions */
    s_deliver_all();
    cr_assert_eq(w.since_asked - before, 1, "ten chains would fetch everything ten times");
    cr_assert_eq(w.since.cursor, 2);
    s_queue(ZVT_T_REPORT, &reports[2]);
    end.cursor = 2;
    s_queue(ZVT_T_REPORTS_TIP, &end);
    s_deliver_all();
    cr_assert_eq(w.since_asked - before, 2, "the end of the last answer is gone on with");
    cr_assert_eq(w.since.cursor, 3);
}

Test(turn_pauses, a_report_that_was_lost_is_asked_for_although_others_come_in_every_round)
{
    zvt_order_send_t stranger = {.exchange = "alpha", .client_order_id = "stranger-1", .symbol = "BTC/USDT", .side = ZVT_SIDE_BUY};
    w.account_silent = true;
    zvt_report_t report = s_report(&stranger, ZVT_REPORT_KIND_ACCEPTED);
    s_queue(ZVT_T_REPORT, &report);
    s_deliver_all();
    w.venue_seq++; /* lost */
    int before = w.since_asked, milliseconds = 0;
    for (; milliseconds < 100 && w.since_asked == before; milliseconds++) {
        report = s_report(&stranger, ZVT_REPORT_KIND_ACCEPTED);
        s_queue(ZVT_T_REPORT, &report);
        s_run(1);
    }
    cr_assert_eq(w.since_asked - before, 1);
    cr_assert_eq(w.since.cursor, 1);
    cr_assert(milliseconds >= 20 && milliseconds <= 45, "asked after %d ms", milliseconds);
}

Test(turn_pauses, what_thousands_of_orders_in_doubt_wait_for_is_fetched_once)
{
    s_send_many();
    turn_core_on_service_down(w.core, TURN_EXECUTOR);
    cr_assert_eq(w.queries, ORDERS);
    turn_core_on_service_up(w.core, TURN_EXECUTOR, 2);
    s_deliver_all();
    int before = w.since_asked;
    for (int n = 0; n < ORDERS; n++) {
        zvt_order_status_t status = {.exchange = "alpha", .code = ZVT_CODE_OK, .venue_seq = 2 * ORDERS};
        ZVT_STR_SET(status.client_order_id, w.sent[n].client_order_id);
        s_queue(ZVT_T_ORDER_STATUS, &status);
    }
    s_deliver_all();
    s_run(45);
    int asked = w.since_asked - before;
    cr_assert(asked >= 1 && asked <= 2, "asked %d times", asked);
}

Test(turn_pauses, an_account_that_cannot_be_compared_for_lack_of_room_is_asked_for_less_and_less_often)
{
    const turn_client_t client = {{1}};
    zvt_record_t request = {.type = ZVT_T_RECONCILE_REQUEST, .reconcile_request = {.exchange = "alpha", .requested_by = "ann"}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &request);
    w.core->effects_used += EFFECTS_MAX;
    uint64_t before = w.core->reconcile_queries;
    s_run(25);
    cr_assert_geq(w.core->reconcile_queries - before, 1, "soon at first");
    s_run(4000);
    uint64_t asked = w.core->reconcile_queries - before;
    cr_assert(asked >= 9 && asked <= 20, "asked %llu times in 4 s", (unsigned long long)asked);
    w.core->effects_used -= EFFECTS_MAX;
    s_run(1500);
    cr_assert(w.command_replies == 1 && w.command_reply.success, "%s", w.command_reply.message);
}

Test(turn_pauses, a_dead_letter_that_is_tried_again_is_asked_for_less_and_less_often)
{
    zvt_order_send_t stranger = {.exchange = "alpha", .client_order_id = "stranger-1", .symbol = "BTC/USDT", .side = ZVT_SIDE_BUY};
    zvt_report_t report = s_report(&stranger, ZVT_REPORT_KIND_ACCEPTED);
    s_queue(ZVT_T_REPORT, &report);
    s_settle();
    cr_assert_eq(w.core->letters_count, 1);
    const turn_client_t client = {{1}};
    zvt_record_t retry = {.type = ZVT_T_DEAD_LETTER_REQUEST, .dead_letter_request = {.letter_id = w.core->letters[0].letter_id, .retry = true}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &retry);
    int before = w.since_asked;
    s_run(40);
    cr_assert_eq(w.since_asked - before, 1, "at once");
    s_run(30000);
    int asked = w.since_asked - before;
    cr_assert(asked >= 6 && asked <= 11, "asked %d times in 30 s", asked);
}

Test(turn_pauses, questions_about_orders_in_doubt_spread)
{
    s_send_many();
    turn_core_on_service_down(w.core, TURN_EXECUTOR);
    cr_assert_eq(w.queries, ORDERS, "what was under way is asked about at once");
    int most = 0;
    for (int i = 0; i < 260; i++) {
        int before = w.queries;
        s_run(1);
        if (w.queries - before > most) most = w.queries - before;
    }
    cr_assert_geq(w.queries, 2 * ORDERS, "and again");
    cr_assert_leq(most, ORDERS / 2, "%d in one millisecond", most);
}
