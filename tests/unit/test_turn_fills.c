/* Fills on their way through portfolio: positions are recorded in the order in which they were computed. */
#include "turn_fixture.h"
#include "turn_world.h"

TestSuite(turn_fills, .init = s_setup, .fini = s_teardown);

static void s_give_fill(const zvt_order_send_t *send, int64_t quantity_e8, zvt_report_t *fill)
{
    *fill = s_report(send, ZVT_REPORT_KIND_FILL);
    fill->price_e8 = 60000 * ZVT_E8;
    fill->quantity_e8 = quantity_e8;
    snprintf(fill->exec_id, sizeof fill->exec_id, "E%llu", (unsigned long long)fill->venue_seq);
    zvt_record_t record = {.type = ZVT_T_REPORT, .report = *fill};
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &record);
}

static void s_answer_fill(const zvt_report_t *fill, int64_t new_quantity_e8)
{
    zvt_record_t record = {.type = ZVT_T_FILL_APPLIED, .fill_applied = {.incarnation = 1, .code = ZVT_CODE_OK}};
    zvt_position_updated_t *position = &record.fill_applied.position;
    position->position_id = zvt_id_from_text("p", 1);
    position->quantity_change_e8 = fill->quantity_e8;
    position->new_quantity_e8 = new_quantity_e8;
    ZVT_STR_SET(record.fill_applied.exchange, fill->exchange);
    ZVT_STR_SET(position->exec_id, fill->exec_id);
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &record);
}

static void s_assert_positions_continue(uint32_t expected)
{
    zvt_record_t record;
    int64_t quantity_e8 = 0;
    for (uint32_t i = 0; i < w.log_count; i++) {
        if (w.log[i].type != ZVT_T_POSITION_UPDATED) continue;
        cr_assert_eq(zvt_read_payload(&w.log[i], &record), 0);
        quantity_e8 += record.position_updated.quantity_change_e8;
        cr_assert_eq(record.position_updated.new_quantity_e8, quantity_e8, "position.updated at seq %u", i + 1);
    }
    cr_assert_eq(s_count(ZVT_T_POSITION_UPDATED), expected);
}

Test(turn_fills, two_orders_that_wait_for_room_keep_the_order_of_their_common_position)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT), other = s_signal(2, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_give_signal(&other);
    s_settle();
    cr_assert_eq(w.sent_count, 2);
    w.portfolio_silent = true;

    s_fill_gathered();
    s_tick(0); /* that batch is being committed now; the next is gathered */
    cr_assert(w.commit_pending);
    s_fill_gathered();
    zvt_report_t first, between, last;
    s_give_fill(&w.sent[0], ZVT_E8 / 10, &first);
    s_give_fill(&w.sent[1], ZVT_E8 / 5, &between);
    s_give_fill(&w.sent[0], ZVT_E8 / 2, &last);
    s_answer_fill(&first, ZVT_E8 / 10);
    s_answer_fill(&between, ZVT_E8 / 10 * 3);
    s_answer_fill(&last, ZVT_E8 / 10 * 8);
    s_settle();
    s_answer_fill(&last, ZVT_E8 / 10 * 8); /* what was put off is asked again */
    s_settle();
    s_assert_positions_continue(3);
}

/* A report that the log cannot match: it becomes a dead letter, which accounts for its number. */
static void s_give_unmatched(uint64_t venue_seq)
{
    zvt_record_t record = {.type = ZVT_T_REPORT, .report = {.kind = ZVT_REPORT_KIND_ACCEPTED, .venue_seq = venue_seq}};
    ZVT_STR_SET(record.report.exchange, "alpha");
    ZVT_STR_SET(record.report.client_order_id, "nobody-0-1");
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &record);
}

static uint64_t s_highest_logged(void)
{
    zvt_record_t record;
    uint64_t highest = 0;
    for (uint32_t i = 0; i < w.log_count; i++) {
        if (w.log[i].type != ZVT_T_SAGA_DEAD_LETTERED) continue;
        cr_assert_eq(zvt_read_payload(&w.log[i], &record), 0);
        if (record.saga_dead_lettered.venue_seq > highest) highest = record.saga_dead_lettered.venue_seq;
    }
    return highest;
}

Test(turn_fills, nothing_is_logged_a_whole_window_beyond_a_fill_that_still_waits)
{
    enum { LATER = 500 };
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    w.portfolio_silent = true;
    zvt_report_t fill;
    s_give_fill(&w.sent[0], ZVT_E8, &fill);
    for (uint64_t n = 1; n <= 2 * LATER; n++) s_give_unmatched(fill.venue_seq + n);
    for (uint64_t n = 1; n <= 2 * LATER; n++) s_give_unmatched(fill.venue_seq + REPORTS_WINDOW - LATER + n);
    s_settle();
    cr_assert_gt(s_highest_logged(), fill.venue_seq + REPORTS_WINDOW - 5);
    cr_assert_lt(s_highest_logged(), fill.venue_seq + REPORTS_WINDOW, "a fold of this log could not tell whether it has the fill");
    s_answer_fill(&fill, ZVT_E8);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 1);
    int asked = w.since_asked;
    s_tick(200 * MS);
    cr_assert_gt(w.since_asked, asked, "what was put off is fetched");
    for (uint64_t n = 1; n <= LATER; n++) s_give_unmatched(fill.venue_seq + REPORTS_WINDOW + n);
    s_settle();
    cr_assert_eq(s_highest_logged(), fill.venue_seq + REPORTS_WINDOW + LATER);
}

/* A resting order is half executed and then canceled, and only the cancel arrives. Returns the fill. */
static zvt_report_t s_cancel_before_its_fill(void)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    s_queue_fill(&w.sent[0], ZVT_E8 / 2);
    zvt_report_t fill = w.queue[--w.queue_count].report, canceled = s_report(&w.sent[0], ZVT_REPORT_KIND_CANCELED);
    canceled.cum_qty_e8 = canceled.leaves_qty_e8 = ZVT_E8 / 2;
    s_queue(ZVT_T_REPORT, &canceled);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCELED), 0, "risk has to count what was executed as pending");
    return fill;
}

Test(turn_fills, a_cancel_that_overtakes_the_fills_it_counts_waits_for_them)
{
    zvt_report_t fill = s_cancel_before_its_fill();
    s_queue(ZVT_T_REPORT, &fill);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCELED), 1);
    cr_assert_eq(w.log[w.log_count - 1].type, ZVT_T_ORDER_CANCELED);
}

/* Ends that wait give nothing back before the fills they wait for: when room is short those come first. */
Test(turn_fills, ends_that_wait_leave_room_for_the_fills_that_they_wait_for)
{
    const uint32_t others = STAGED_MAX - STAGED_RESERVE / 2; /* what is staged of other orders */
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    w.core->staged_used += others;
    s_queue_fill(&w.sent[0], ZVT_E8 / 2);
    zvt_report_t fill = w.queue[--w.queue_count].report, canceled = s_report(&w.sent[0], ZVT_REPORT_KIND_CANCELED);
    canceled.cum_qty_e8 = canceled.leaves_qty_e8 = ZVT_E8 / 2;
    s_queue(ZVT_T_REPORT, &canceled);
    s_settle();
    cr_assert_eq(w.core->fills_used, 0, "the cancel has to come again");
    w.portfolio_silent = true;
    s_queue(ZVT_T_REPORT, &fill);
    s_settle();
    cr_assert_eq(w.core->fills_used, 1);
    w.core->staged_used -= others;
    s_answer_fill(&fill, ZVT_E8 / 2);
    s_queue(ZVT_T_REPORT, &canceled);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCELED), 1);
}

Test(turn_fills, a_cancel_does_not_wait_for_a_fill_that_became_a_dead_letter)
{
    zvt_report_t fill = s_cancel_before_its_fill();
    w.portfolio_code = ZVT_CODE_NUMBER_OVERFLOW;
    s_queue(ZVT_T_REPORT, &fill);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCELED), 1);
}

Test(turn_fills, nor_after_a_restart_in_which_the_letter_is_only_in_the_log)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    zvt_order_send_t send = w.sent[0];
    w.portfolio_code = ZVT_CODE_NUMBER_OVERFLOW;
    s_queue_fill(&send, ZVT_E8 / 2);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), 1);
    s_restart(2);
    zvt_report_t canceled = s_report(&send, ZVT_REPORT_KIND_CANCELED);
    canceled.cum_qty_e8 = canceled.leaves_qty_e8 = ZVT_E8 / 2;
    s_queue(ZVT_T_REPORT, &canceled);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCELED), 1);
}

/* What comes after a dead letter was computed on top of it. */
Test(turn_fills, a_fill_behind_one_that_became_a_dead_letter_is_asked_about_again)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    w.portfolio_silent = true;
    zvt_report_t bad, good;
    s_give_fill(&w.sent[0], ZVT_E8 / 10, &bad);
    s_give_fill(&w.sent[0], ZVT_E8 / 10, &good);
    s_answer_fill(&good, ZVT_E8 / 10 * 2);
    zvt_record_t hopeless = {.type = ZVT_T_FILL_APPLIED, .fill_applied = {.incarnation = 1, .code = ZVT_CODE_NUMBER_OVERFLOW}};
    ZVT_STR_SET(hopeless.fill_applied.exchange, bad.exchange);
    ZVT_STR_SET(hopeless.fill_applied.position.exec_id, bad.exec_id);
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &hopeless);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 0);
    int asked = w.fills_asked;
    s_tick(1100 * MS);
    cr_assert_eq(w.fills_asked, asked + 1);
    s_answer_fill(&good, ZVT_E8 / 10);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 1);
}

/* ---- one order with more fills than a commit takes ---- */
static zvt_report_t s_fills[5000];

static void s_give_again(uint64_t first_seq, uint64_t last_seq)
{
    for (uint64_t seq = first_seq; seq <= last_seq; seq++) {
        zvt_record_t record = {.type = ZVT_T_REPORT, .report = s_fills[seq]};
        turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &record);
        s_deliver_all();
    }
}

/* The venue answers what it is asked for, until nothing is missing. */
static void s_serve_reports(void)
{
    for (int asked = -1; asked != w.since_asked;) {
        asked = w.since_asked;
        for (int n = 0; n < 20 && w.since_asked == asked; n++) s_tick(50 * MS), s_confirm();
        if (w.since_asked == asked) return;
        uint64_t last = w.since.cursor + w.since.limit < w.venue_seq ? w.since.cursor + w.since.limit : w.venue_seq;
        s_give_again(w.since.cursor + 1, last);
        zvt_record_t end = {.type = ZVT_T_REPORTS_TIP, .reports_tip = {.reachable = true, .cursor = w.since.cursor, .venue_seq = w.venue_seq}};
        ZVT_STR_SET(end.reports_tip.exchange, "alpha");
        turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &end);
        s_settle();
    }
}

Test(turn_fills, more_fills_of_one_order_than_a_commit_takes_are_fetched_again_and_hold_up_nobody)
{
    enum { FILLS = 4050 };
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    for (int n = 0; n < FILLS; n++) {
        zvt_report_t fill;
        s_give_fill(&w.sent[0], 10000, &fill);
        s_fills[fill.venue_seq] = fill;
        s_deliver_all();
        if (n % 10 == 9) s_tick(MS); /* and the commit under way does not end */
    }
    cr_assert(w.commit_pending);
    zvt_record_t other = s_signal(2, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&other);
    s_settle();
    cr_assert_eq(w.sent_count, 2, "another order goes on once the commit has ended");
    s_fills[w.venue_seq] = w.queue[0].report; /* its acceptance, which is not asked for again */
    s_serve_reports();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), FILLS);
    cr_assert_eq(s_count(ZVT_T_POSITION_UPDATED), FILLS);
}

/* ---- two orders of one position that meet a full batch ---- */

/* A batch is being committed, and the next one is full: b waits for room with its first fill. Then a1, b1 and a2 come. */
static struct {
    zvt_report_t b0, a1, b1, a2;
} s_four;

static void s_meet_a_full_batch(void)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT), other = s_signal(2, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_give_signal(&other);
    s_settle();
    w.portfolio_silent = true;
    s_fill_gathered();
    s_tick(0);
    cr_assert(w.commit_pending);
    s_fill_gathered();
    s_give_fill(&w.sent[1], ZVT_E8 / 10, &s_four.b0);
    s_answer_fill(&s_four.b0, ZVT_E8 / 10);
    s_give_fill(&w.sent[0], ZVT_E8 / 10, &s_four.a1);
    s_give_fill(&w.sent[1], ZVT_E8 / 10, &s_four.b1);
    s_give_fill(&w.sent[0], ZVT_E8 / 10, &s_four.a2);
    s_answer_fill(&s_four.a1, ZVT_E8 / 10 * 2);
    s_answer_fill(&s_four.b1, ZVT_E8 / 10 * 3);
}

Test(turn_fills, an_order_that_waits_for_room_does_not_overtake_a_change_that_is_only_staged)
{
    s_meet_a_full_batch();
    s_answer_fill(&s_four.a2, ZVT_E8 / 10 * 4);
    int asked = w.fills_asked;
    s_settle();
    s_assert_positions_continue(4);
    cr_assert_eq(w.fills_asked, asked, "the answers are kept");
}

/* What keeps its answer is not asked about again by time, also not for what is behind it. */
Test(turn_fills, only_a_question_without_an_answer_is_asked_again)
{
    s_meet_a_full_batch();
    s_answer_fill(&s_four.a2, ZVT_E8 / 10 * 4);
    int asked = w.fills_asked;
    s_tick(1100 * MS);
    cr_assert_eq(w.fills_asked, asked);
    zvt_report_t lost;
    s_give_fill(&w.sent[0], ZVT_E8 / 10, &lost);
    cr_assert_eq(w.fills_asked, asked + 1);
    s_tick(900 * MS);
    cr_assert_eq(w.fills_asked, asked + 1, "a second has not passed");
    s_tick(200 * MS);
    cr_assert_eq(w.fills_asked, asked + 2);
    s_answer_fill(&lost, ZVT_E8 / 10 * 5);
    s_settle();
    s_assert_positions_continue(5);
}

/* An answer that is on its way stands on the position before the adjustment. */
Test(turn_fills, a_position_is_not_adjusted_while_a_fill_of_it_waits_for_portfolio)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    ZVT_STR_SET(signal.signal.strategy_id, "desk");
    s_give_signal(&signal);
    s_settle();
    w.portfolio_silent = true;
    zvt_report_t fill;
    s_give_fill(&w.sent[0], ZVT_E8 / 10, &fill);
    zvt_record_t adjust = {.type = ZVT_T_ADJUST_REQUEST, .adjust_request = {.symbol = "BTC/USDT", .quantity_change_e8 = ZVT_E8, .price_e8 = 60000 * ZVT_E8,
                                                                            .requested_by = "operator", .reason = "test"}};
    ZVT_STR_SET(adjust.adjust_request.strategy_id, "desk");
    ZVT_STR_SET(adjust.adjust_request.portfolio_id, signal.signal.portfolio_id);
    s_ask_for(&adjust);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_POSITION_ADJUSTED), 0);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_OVERLOADED);
    s_answer_fill(&fill, ZVT_E8 / 10);
    s_ask_for(&adjust);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_POSITION_UPDATED), 1);
    cr_assert_eq(s_count(ZVT_T_POSITION_ADJUSTED), 1, "%s", w.command_reply.message);
}

/* Of many fills, only those are asked about again whose question or answer is lost. */
Test(turn_fills, an_answer_that_cannot_be_used_does_not_ask_about_other_positions)
{
    for (uint64_t n = 1; n <= 2; n++) {
        zvt_record_t signal = s_signal(n, ZVT_ORDER_TYPE_LIMIT);
        snprintf(signal.signal.strategy_id, sizeof signal.signal.strategy_id, "s%d", (int)n);
        s_give_signal(&signal);
    }
    s_settle();
    cr_assert_eq(w.sent_count, 2);
    w.portfolio_silent = true;
    zvt_report_t fills[2];
    for (int n = 0; n < 2; n++) s_give_fill(&w.sent[n], ZVT_E8 / 10, &fills[n]);
    zvt_record_t full = {.type = ZVT_T_FILL_APPLIED, .fill_applied = {.incarnation = 1, .code = ZVT_CODE_OVERLOADED, .exchange = "alpha"}};
    ZVT_STR_SET(full.fill_applied.position.exec_id, fills[1].exec_id);
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &full);
    int asked = w.fills_asked;
    s_tick(60 * MS);
    cr_assert_eq(w.fills_asked, asked + 1);
    s_tick(950 * MS);
    cr_assert_eq(w.fills_asked, asked + 2, "the other question may be lost");
}

/* The questions of the run before are forgotten, and what it had answered is not in the log: the new one has to read that first. */
Test(turn_fills, a_new_run_of_portfolio_is_asked_when_it_can_be_told_how_far_to_read)
{
    s_meet_a_full_batch();
    s_answer_fill(&s_four.a2, ZVT_E8 / 10 * 4);
    zvt_report_t forgotten;
    s_give_fill(&w.sent[0], ZVT_E8 / 10, &forgotten);
    int asked = w.fills_asked;
    turn_core_on_service_up(w.core, TURN_PORTFOLIO, 2);
    cr_assert_eq(w.fills_asked, asked, "changes of the position wait for room");
    s_settle();
    s_assert_positions_continue(4); /* what the run before had answered stands on all that came before it */
    uint64_t recorded = 0;
    for (uint32_t i = 0; i < w.log_count; i++)
        if (w.log[i].type == ZVT_T_POSITION_UPDATED) recorded = w.log[i].seq;
    cr_assert_eq(w.fills_asked, asked + 1);
    cr_assert_geq(w.portfolio_min_seq, recorded);
}

/* Two fills that cancel each other out, recorded and not in the log yet: an answer without them has the right quantity. */
Test(turn_fills, an_answer_that_leaves_out_a_profit_is_not_used)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    w.portfolio_silent = true;
    zvt_report_t fill;
    zvt_record_t answer = {.type = ZVT_T_FILL_APPLIED, .fill_applied = {.incarnation = 1, .code = ZVT_CODE_OK, .exchange = "alpha"}};
    zvt_position_updated_t *position = &answer.fill_applied.position;
    position->position_id = zvt_id_from_text("p", 1);
    position->realized_pnl_e8 = position->realized_pnl_total_e8 = 5;
    s_give_fill(&w.sent[0], ZVT_E8 / 10, &fill);
    ZVT_STR_SET(position->exec_id, fill.exec_id);
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &answer);
    s_give_fill(&w.sent[0], ZVT_E8 / 10, &fill);
    ZVT_STR_SET(position->exec_id, fill.exec_id);
    position->realized_pnl_e8 = position->realized_pnl_total_e8 = 2;
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &answer);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 1);
    int asked = w.fills_asked;
    s_tick(60 * MS);
    cr_assert_eq(w.fills_asked, asked + 1);
    position->realized_pnl_total_e8 = 7;
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &answer);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 2);
}

/* What the log says last of the position, and the sum of all that it says. */
static void s_read_position(int64_t *last_e8, int64_t *sum_e8)
{
    zvt_record_t record;
    *last_e8 = *sum_e8 = 0;
    for (uint32_t i = 0; i < w.log_count; i++) {
        if (w.log[i].type != ZVT_T_POSITION_UPDATED) continue;
        cr_assert_eq(zvt_read_payload(&w.log[i], &record), 0);
        *sum_e8 += record.position_updated.quantity_change_e8;
        *last_e8 = record.position_updated.new_quantity_e8;
    }
}

Test(turn_fills, a_crash_while_orders_wait_for_room_leaves_the_position_that_was_filled)
{
    int64_t last_e8, sum_e8;
    s_meet_a_full_batch(); /* portfolio does not answer a2 before the crash */
    s_settle();
    for (int i = 0; i < 3; i++) {
        s_answer_fill(&s_four.b1, ZVT_E8 / 10 * 3);
        s_tick(50 * MS);
        s_settle();
    }
    s_read_position(&last_e8, &sum_e8);
    cr_assert_eq(last_e8, sum_e8);
    s_restart(2);
    s_settle();
    zvt_record_t again = {.type = ZVT_T_REPORT, .report = s_four.a2};
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &again);
    s_answer_fill(&s_four.a2, last_e8 + ZVT_E8 / 10);
    s_settle();
    s_read_position(&last_e8, &sum_e8);
    cr_assert_eq(last_e8, sum_e8);
    cr_assert_eq(last_e8, ZVT_E8 / 10 * 4);
}
