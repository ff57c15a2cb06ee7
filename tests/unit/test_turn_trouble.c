/* The turn core in trouble: compensation, orders resolved by hand, dead letters, accounts that differ. */
#include "turn_fixture.h"
#include "turn_world.h"

TestSuite(turn_trouble, .init = s_setup, .fini = s_teardown);

/* The last `count` events of the log are of these types. */
static void s_assert_log_ends(const zvt_type_t *types, uint32_t count)
{
    cr_assert_geq(w.log_count, count);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(w.log[w.log_count - count + i].type, types[i], "event %u is %s, not %s", i,
                     zvt_type_name(w.log[w.log_count - count + i].type), zvt_type_name(types[i]));
}

/* ---- compensation ---- */
static void s_cancel_placed(const zvt_id_t *order_id)
{
    turn_client_t client = {{1}};
    zvt_record_t cancel = {.type = ZVT_T_CANCEL_REQUEST, .cancel_request = {.order_id = *order_id}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &cancel);
}

Test(turn_trouble, an_order_canceled_between_risk_and_venue_is_compensated_before_it_ends)
{
    static const zvt_type_t end[] = {ZVT_T_ORDER_CREATED, ZVT_T_ORDER_CANCEL_REQUESTED, ZVT_T_SAGA_COMPENSATING,
                                     ZVT_T_SAGA_COMPENSATED, ZVT_T_ORDER_CANCELED};
    w.route_code = ZVT_CODE_NO_VENUE; /* asked again for a while: the order waits for a route */
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.acks_count, 1);
    s_cancel_placed(&w.acks[0].order_id);
    for (int i = 0; i < 10; i++) {
        s_tick(20 * MS);
        s_settle();
    }
    s_assert_log_ends(end, 5);
    cr_assert_eq(w.sent_count, 0);
    cr_assert_eq(w.releases, 1);
    cr_assert_eq(w.cancel_replies, 1);
    cr_assert(w.cancel_reply.success);
}

Test(turn_trouble, an_order_without_a_venue_is_compensated_and_rejected)
{
    static const zvt_type_t end[] = {ZVT_T_SAGA_COMPENSATING, ZVT_T_SAGA_COMPENSATED, ZVT_T_ORDER_REJECTED};
    w.route_code = ZVT_CODE_UNKNOWN_VENUE;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    for (int i = 0; i < 20; i++) {
        s_tick(50 * MS);
        s_settle();
    }
    s_assert_log_ends(end, 3);
    cr_assert_eq(w.sent_count, 0);
}

/* The last event of a type, read. */
static const zvt_record_t *s_last(zvt_type_t type)
{
    static zvt_record_t record;
    for (uint32_t i = w.log_count; i-- > 0;) {
        if (w.log[i].type != type) continue;
        cr_assert_eq(zvt_read_payload(&w.log[i], &record), 0);
        return &record;
    }
    cr_assert_fail("no %s in the log", zvt_type_name(type));
    return NULL;
}

/* ---- orders resolved by hand ---- */
static void s_command(zvt_type_t type, const void *body)
{
    turn_client_t client = {{1}};
    static zvt_record_t record;
    record.type = type;
    memcpy(&record.hello, body, zvt_desc(type)->size);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &record);
}

/* An order that the venue never answered for; its id. */
static zvt_id_t s_unknown_order(void)
{
    w.venue_silent = true;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    for (int i = 0; i < 20; i++) {
        s_tick(1000 * MS);
        s_confirm();
    }
    cr_assert_eq(s_count(ZVT_T_ORDER_UNKNOWN), 1);
    return w.acks[0].order_id;
}

static void s_resolve(const zvt_id_t *order_id)
{
    zvt_resolve_request_t request = {.order_id = *order_id, .requested_by = "ann", .reason = "the venue said so on the phone"};
    s_command(ZVT_T_RESOLVE_REQUEST, &request);
    s_settle();
}

Test(turn_trouble, an_unknown_order_is_resolved_by_hand_and_the_log_says_by_whom)
{
    static const zvt_type_t end[] = {ZVT_T_ORDER_UNKNOWN, ZVT_T_ORDER_RESOLVED, ZVT_T_ORDER_CANCELED};
    zvt_id_t order_id = s_unknown_order();
    s_resolve(&order_id);
    cr_assert_eq(w.command_replies, 1);
    cr_assert(w.command_reply.success);
    s_assert_log_ends(end, 3);
    int queries = w.queries;
    for (int i = 0; i < 20; i++) s_tick(1000 * MS);
    cr_assert_eq(w.queries, queries, "the venue is not asked any more");
    s_resolve(&order_id);
    cr_assert_not(w.command_reply.success);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_ORDER_ENDED);
}

Test(turn_trouble, what_a_venue_still_reports_of_a_resolved_order_counts)
{
    zvt_id_t order_id = s_unknown_order();
    s_resolve(&order_id);
    s_queue_fill(&w.sent[0], ZVT_E8 / 4);
    zvt_report_t expired = s_report(&w.sent[0], ZVT_REPORT_KIND_EXPIRED);
    s_queue(ZVT_T_REPORT, &expired);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 1);
    cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), 0);
    cr_assert_eq(s_count(ZVT_T_SAGA_STEP_FAILED), 1, "the venue's number is accounted for");
}

Test(turn_trouble, a_resolved_order_that_the_venue_works_is_canceled_there_and_its_account_compared)
{
    zvt_id_t order_id = s_unknown_order();
    s_resolve(&order_id);
    uint32_t compared = s_count(ZVT_T_RECONCILIATION_COMPLETED);
    int cancels = w.cancels;
    zvt_report_t accepted = s_report(&w.sent[0], ZVT_REPORT_KIND_ACCEPTED);
    s_queue(ZVT_T_REPORT, &accepted);
    ZVT_STR_SET(w.open_orders[0], w.sent[0].client_order_id);
    w.open_count = 1;
    s_deliver_all();
    cr_assert_gt(w.cancels, cancels);
    s_settle();
    cr_assert_eq(s_last(ZVT_T_ALERT_TRIGGERED)->alert_triggered.code, ZVT_CODE_RESOLVED_BY_HAND);
    cr_assert_str_eq(s_last(ZVT_T_ALERT_TRIGGERED)->alert_triggered.client_order_id, w.sent[0].client_order_id);
    cr_assert_gt(w.cancels, cancels + 1, "the comparison found it and asked for the cancel again");
    zvt_report_t canceled = s_report(&w.sent[0], ZVT_REPORT_KIND_CANCELED);
    s_queue(ZVT_T_REPORT, &canceled);
    w.open_count = 0;
    for (int i = 0; i < 20; i++) {
        s_settle();
        s_tick(1000 * MS);
    }
    cr_assert_eq(s_count(ZVT_T_RECONCILIATION_COMPLETED), compared + 1);
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 0, "the account agrees with the log");
    cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), 0);
}

Test(turn_trouble, only_an_unknown_order_can_be_resolved)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    s_resolve(&w.acks[0].order_id);
    cr_assert_not(w.command_reply.success);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_BAD_ORDER);
    zvt_id_t nobody = zvt_id_from_text("nobody", 6);
    s_resolve(&nobody);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_UNKNOWN_ORDER);
    cr_assert_eq(s_count(ZVT_T_ORDER_RESOLVED), 0);
}

/* ---- adjustments ---- */
static void s_adjust(double quantity)
{
    zvt_adjust_request_t request = {.strategy_id = "desk", .symbol = "BTC/USDT", .quantity_change_e8 = (int64_t)(quantity * 1e8),
                                    .price_e8 = 60000 * ZVT_E8, .requested_by = "ann", .reason = "by phone"};
    s_command(ZVT_T_ADJUST_REQUEST, &request);
    s_settle();
}

Test(turn_trouble, an_adjustment_that_is_refused_makes_no_position_that_the_log_does_not_have)
{
    s_adjust(1000000);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_BAD_QUANTITY);
    cr_assert_eq(w.core->positions_count, 0);
    s_adjust(1);
    s_adjust(2);
    cr_assert(w.command_reply.success);
    cr_assert_eq(w.core->positions_count, 1);
    cr_assert_eq(s_last(ZVT_T_POSITION_ADJUSTED)->position_adjusted.new_quantity_e8, 3 * ZVT_E8);
    cr_assert_eq(w.log[w.log_count - 1].aggregate_version, 2);
}

/* ---- dead letters ---- */
static void s_list_letters(void)
{
    zvt_dead_letters_query_t query = {.letter_id = {{0}}};
    w.letters_count = 0;
    s_command(ZVT_T_DEAD_LETTERS_QUERY, &query);
}

static void s_change_letter(bool retry)
{
    s_list_letters();
    cr_assert_eq(w.letters_count, 1);
    zvt_dead_letter_request_t request = {.retry = retry, .letter_id = w.letters[0].letter_id, .requested_by = "ann"};
    s_command(ZVT_T_DEAD_LETTER_REQUEST, &request);
    s_settle();
    cr_assert(w.command_reply.success);
}

static zvt_report_t s_strange_fill(void)
{
    zvt_order_send_t send = {.client_order_id = "not-an-order-of-ours", .exchange = "alpha", .symbol = "BTC/USDT"};
    zvt_report_t fill = s_report(&send, ZVT_REPORT_KIND_FILL);
    fill.price_e8 = 60000 * ZVT_E8;
    fill.quantity_e8 = ZVT_E8;
    ZVT_STR_SET(fill.exec_id, "E-strange");
    return fill;
}

Test(turn_trouble, a_report_of_no_order_of_ours_becomes_a_dead_letter_that_a_restart_keeps)
{
    zvt_report_t fill = s_strange_fill();
    s_queue(ZVT_T_REPORT, &fill);
    s_queue(ZVT_T_REPORT, &fill);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), 1);
    s_list_letters();
    cr_assert_eq(w.letters_count, 1);
    cr_assert_eq(w.letters[0].letter.failure_reason, ZVT_CODE_UNKNOWN_ORDER);
    cr_assert_eq(w.letters[0].letter.venue_seq, fill.venue_seq);
    turn_core_t *second = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(second, &w.log[i]), 0);
    turn_core_destroy(&w.core);
    w.core = second;
    turn_core_open(w.core, 2, 0);
    s_list_letters();
    cr_assert_eq(w.letters_count, 1);
}

Test(turn_trouble, more_dead_letters_than_are_listed_are_told_once_by_an_alert)
{
    for (int n = 0; n < LETTERS_MAX; n++) {
        zvt_report_t report = s_strange_fill();
        report.kind = ZVT_REPORT_KIND_ACCEPTED;
        s_queue(ZVT_T_REPORT, &report);
        if (n % 1000 == 999 || n == LETTERS_MAX - 1) s_settle();
    }
    cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), LETTERS_MAX);
    cr_assert_eq(s_count(ZVT_T_ALERT_TRIGGERED), 0);
    for (int n = 0; n < 3; n++) {
        zvt_report_t report = s_strange_fill();
        report.kind = ZVT_REPORT_KIND_ACCEPTED;
        s_queue(ZVT_T_REPORT, &report);
        s_settle();
    }
    cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), LETTERS_MAX + 3, "the log has all of them");
    cr_assert_eq(s_count(ZVT_T_ALERT_TRIGGERED), 1);
}

Test(turn_trouble, a_dropped_letter_is_gone_and_an_unknown_one_is_refused)
{
    zvt_report_t fill = s_strange_fill();
    s_queue(ZVT_T_REPORT, &fill);
    s_settle();
    s_change_letter(false);
    s_list_letters();
    cr_assert_eq(w.letters_count, 0);
    cr_assert_eq(s_count(ZVT_T_DEAD_LETTER_DROPPED), 1);
    zvt_dead_letter_request_t request = {.letter_id = zvt_id_from_text("x", 1)};
    s_command(ZVT_T_DEAD_LETTER_REQUEST, &request);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_UNKNOWN_LETTER);
}

Test(turn_trouble, a_fill_that_portfolio_cannot_account_for_is_put_aside_and_retried_by_command)
{
    w.portfolio_code = ZVT_CODE_NUMBER_OVERFLOW;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 0);
    s_change_letter(true);
    s_tick(30 * MS);
    cr_assert_eq(w.since.cursor, 1, "the fill was report 2");
    cr_assert_eq(w.since.limit, 1);
    zvt_report_t again = s_report(&w.sent[0], ZVT_REPORT_KIND_FILL);
    w.venue_seq--;
    again.venue_seq = 2;
    again.price_e8 = 60000 * ZVT_E8;
    again.quantity_e8 = ZVT_E8;
    ZVT_STR_SET(again.exec_id, "E2");
    /* It fails again: one letter, a new one. */
    s_queue(ZVT_T_REPORT, &again);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), 2);
    /* Portfolio was mended. The report arrives twice and counts once. */
    w.portfolio_code = ZVT_CODE_OK;
    s_change_letter(true);
    s_queue(ZVT_T_REPORT, &again);
    s_queue(ZVT_T_REPORT, &again);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_EXECUTED), 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
    s_list_letters();
    cr_assert_eq(w.letters_count, 0);
}

/* ---- accounts against the log ---- */
static void s_owns(int index, const char *asset, int64_t total_e8)
{
    ZVT_STR_SET(w.assets[index].asset, asset);
    w.assets[index].total_e8 = total_e8;
    if (index >= w.assets_count) w.assets_count = index + 1;
}

static void s_let_time_pass(void)
{
    for (int i = 0; i < 20; i++) {
        s_tick(30 * MS);
        s_settle();
    }
}

static void s_reconcile(bool accept)
{
    zvt_reconcile_request_t request = {.exchange = "alpha", .accept = accept, .requested_by = "ann", .reason = "a deposit"};
    s_command(ZVT_T_RECONCILE_REQUEST, &request);
    s_let_time_pass();
}

Test(turn_trouble, a_venue_gets_no_orders_before_its_account_was_compared)
{
    w.account_silent = true;
    turn_core_abandon(w.core);
    turn_core_clear(w.core);
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(w.core, &w.log[i]), 0);
    uint32_t recovered = s_count(ZVT_T_SYSTEM_RECOVERED);
    turn_core_open(w.core, 2, 0);
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.route.excluded_count, 2);
    cr_assert_str_eq(w.route.excluded[0].exchange, "alpha");
    cr_assert_eq(w.route.excluded[0].code, ZVT_CODE_NOT_RECONCILED);
    cr_assert_eq(s_count(ZVT_T_SYSTEM_RECOVERED), recovered, "it is not open for orders yet");
    w.account_silent = false;
    w.venue_silent = true; /* the fixture has one numbering of reports for both venues, and either may open first */
    for (int i = 0; i < 3; i++) s_let_time_pass();
    cr_assert_eq(w.sent_count, 1);
    cr_assert_eq(s_count(ZVT_T_SYSTEM_RECOVERED), recovered + 1);
    zvt_record_t next = s_signal(2, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&next);
    s_settle();
    cr_assert_eq(w.route.excluded_count, 0);
}

Test(turn_trouble, balances_are_opened_once_and_explained_by_executions_from_then_on)
{
    s_owns(0, "USDT", 100000 * ZVT_E8);
    s_owns(1, "BTC", 0);
    s_reconcile(false);
    cr_assert(w.command_reply.success, "%s", w.command_reply.message);
    cr_assert_eq(s_count(ZVT_T_ACCOUNT_OPENED), 2);
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    s_owns(0, "USDT", (100000 - 60000 - 1) * ZVT_E8);
    s_owns(1, "BTC", ZVT_E8);
    s_reconcile(false);
    cr_assert(w.command_reply.success, "%s", w.command_reply.message);
    cr_assert_eq(s_count(ZVT_T_ACCOUNT_OPENED), 2);
    cr_assert_eq(s_last(ZVT_T_RECONCILIATION_COMPLETED)->reconciliation_completed.differences_count, 0);
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 0);
}

Test(turn_trouble, a_fill_that_waits_for_portfolio_explains_its_balances)
{
    s_owns(0, "USDT", 100000 * ZVT_E8);
    s_reconcile(false);
    w.portfolio_silent = true;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    s_owns(0, "USDT", (100000 - 60000 - 1) * ZVT_E8);
    s_owns(1, "BTC", ZVT_E8);
    s_reconcile(false);
    cr_assert(w.command_reply.success, "%s", w.command_reply.message);
    w.portfolio_silent = false;
    s_let_time_pass();
    s_let_time_pass();
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
    s_reconcile(false);
    cr_assert(w.command_reply.success, "%s", w.command_reply.message);
}

Test(turn_trouble, an_unexplained_balance_halts_the_account_until_it_is_accepted_by_command)
{
    s_owns(0, "USDT", 100000 * ZVT_E8);
    s_reconcile(false);
    s_owns(0, "USDT", 100500 * ZVT_E8);
    s_reconcile(false);
    cr_assert_not(w.command_reply.success);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_UNEXPLAINED);
    cr_assert_str_eq(s_last(ZVT_T_RISK_HALTED)->risk_halted.exchange, "alpha");
    cr_assert_eq(s_last(ZVT_T_ALERT_TRIGGERED)->alert_triggered.severity, ZVT_SEVERITY_CRITICAL);
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    w.venue_silent = true;
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.route.excluded_count, 1);
    cr_assert_eq(w.route.excluded[0].code, ZVT_CODE_ACCOUNT_HALTED);
    cr_assert_eq(w.sent_count, 1);
    cr_assert_str_eq(w.sent[0].exchange, "beta");
    s_reconcile(false);
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1, "it is halted already");
    s_reconcile(true);
    cr_assert(w.command_reply.success);
    const zvt_position_adjusted_t *adjusted = &s_last(ZVT_T_POSITION_ADJUSTED)->position_adjusted;
    cr_assert_str_eq(adjusted->asset, "USDT");
    cr_assert_eq(adjusted->quantity_change_e8, 500 * ZVT_E8);
    cr_assert_str_eq(adjusted->requested_by, "ann");
    cr_assert_eq(s_count(ZVT_T_RISK_RESUMED), 1);
    s_reconcile(false);
    cr_assert(w.command_reply.success);
    cr_assert_eq(s_count(ZVT_T_POSITION_ADJUSTED), 1);
}

Test(turn_trouble, a_fill_that_is_not_ours_has_its_account_compared_and_halted_without_being_asked)
{
    s_owns(0, "USDT", 100000 * ZVT_E8);
    s_reconcile(false);
    uint32_t compared = s_count(ZVT_T_RECONCILIATION_COMPLETED);
    zvt_report_t fill = s_strange_fill();
    s_owns(0, "USDT", 40000 * ZVT_E8);
    s_owns(1, "BTC", ZVT_E8);
    s_queue(ZVT_T_REPORT, &fill);
    s_let_time_pass();
    s_let_time_pass();
    cr_assert_eq(s_count(ZVT_T_RECONCILIATION_COMPLETED), compared + 1);
    cr_assert_str_eq(s_last(ZVT_T_RISK_HALTED)->risk_halted.exchange, "alpha");
    cr_assert_eq(s_last(ZVT_T_ALERT_TRIGGERED)->alert_triggered.severity, ZVT_SEVERITY_CRITICAL);
}

Test(turn_trouble, a_halted_account_is_open_again_when_the_difference_is_gone)
{
    s_owns(0, "USDT", 100000 * ZVT_E8);
    s_reconcile(false);
    s_owns(0, "USDT", 1 * ZVT_E8);
    s_reconcile(false);
    s_owns(0, "USDT", 100000 * ZVT_E8);
    s_reconcile(false);
    cr_assert(w.command_reply.success);
    cr_assert_eq(s_count(ZVT_T_RISK_RESUMED), 1);
}

Test(turn_trouble, an_order_that_the_venue_does_not_have_is_a_difference_and_is_resolved_when_that_is_accepted)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    ZVT_STR_SET(w.open_orders[0], w.sent[0].client_order_id);
    w.open_count = 1;
    s_reconcile(false);
    cr_assert(w.command_reply.success, "%s", w.command_reply.message);
    w.open_count = 0;
    s_reconcile(false);
    cr_assert_not(w.command_reply.success);
    cr_assert_eq(s_last(ZVT_T_RECONCILIATION_COMPLETED)->reconciliation_completed.missing_orders, 1);
    s_reconcile(true);
    cr_assert(w.command_reply.success);
    cr_assert_eq(s_count(ZVT_T_ORDER_RESOLVED), 1);
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCELED), 1);
    s_reconcile(false);
    cr_assert(w.command_reply.success);
}

Test(turn_trouble, without_room_to_end_all_missing_orders_nobody_is_told_that_the_account_was_accepted)
{
    zvt_reconcile_request_t request = {.exchange = "alpha", .accept = true, .requested_by = "ann", .reason = "they are gone"};
    for (uint64_t n = 1; n <= 3; n++) {
        zvt_record_t signal = s_signal(n, ZVT_ORDER_TYPE_LIMIT);
        s_give_signal(&signal);
    }
    s_settle();
    s_command(ZVT_T_RECONCILE_REQUEST, &request);
    uint32_t used = w.core->effects_used + EFFECTS_PER_SAGA * saga_core_count(w.core->sagas) + w.core->waiters_used;
    uint32_t taken = EFFECTS_MAX - STAGED_RESERVE / 16 - used - 1; /* the answer finds room, and nothing after it */
    w.core->effects_used += taken;
    s_let_time_pass();
    cr_assert_eq(w.command_replies, 1);
    cr_assert_not(w.command_reply.success);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_OVERLOADED, "%s", w.command_reply.message);
    cr_assert_eq(s_count(ZVT_T_ORDER_RESOLVED), 0);
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1);
    w.core->effects_used -= taken;
    s_reconcile(true);
    cr_assert(w.command_reply.success, "%s", w.command_reply.message);
    cr_assert_eq(s_count(ZVT_T_ORDER_RESOLVED), 3);
    cr_assert_eq(s_count(ZVT_T_RISK_RESUMED), 1);
}

Test(turn_trouble, an_order_at_the_venue_that_is_not_ours_is_a_difference_and_is_canceled_when_that_is_accepted)
{
    ZVT_STR_SET(w.open_orders[0], "placed-by-somebody-else");
    w.open_count = 1;
    s_reconcile(false);
    cr_assert_not(w.command_reply.success);
    cr_assert_eq(w.cancels, 0);
    s_reconcile(true);
    cr_assert_gt(w.cancels, 0);
}

Test(turn_trouble, a_venue_that_knows_fewer_reports_than_the_log_is_not_trusted)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    w.venue_seq = 0;
    s_reconcile(false);
    cr_assert_not(w.command_reply.success);
    cr_assert_str_eq(s_last(ZVT_T_RISK_HALTED)->risk_halted.exchange, "alpha");
}

Test(turn_trouble, a_ledger_that_was_lost_is_not_accepted_and_heals_when_it_is_restored)
{
    s_owns(0, "USDT", 100000 * ZVT_E8);
    s_reconcile(false);
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_COMPLETED), 1);
    uint64_t venue_seq = w.venue_seq;
    uint32_t opened = s_count(ZVT_T_ACCOUNT_OPENED);
    w.venue_seq = 1; /* an older copy: its order rests, and its balances are those of the beginning, but for one that is new */
    ZVT_STR_SET(w.open_orders[0], w.sent[0].client_order_id);
    w.open_count = 1;
    s_owns(1, "ETH", 7 * ZVT_E8);
    s_reconcile(false);
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1);
    cr_assert_not_null(strstr(s_last(ZVT_T_RISK_HALTED)->risk_halted.reason, "ledger was lost or replaced: it ends with report 1, the log has"));
    s_reconcile(true);
    cr_assert_not(w.command_reply.success);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_UNEXPLAINED);
    cr_assert_not_null(strstr(w.command_reply.message, "restore its ledger"), "%s", w.command_reply.message);
    cr_assert_eq(s_count(ZVT_T_POSITION_ADJUSTED) + s_count(ZVT_T_RISK_RESUMED), 0);
    cr_assert_eq(s_count(ZVT_T_ACCOUNT_OPENED), opened);
    cr_assert_eq(w.cancels, 0, "nothing was accepted, so nothing is done");
    w.venue_seq = venue_seq;
    w.open_count = 0;
    s_owns(0, "USDT", (100000 - 60000 - 1) * ZVT_E8);
    s_owns(1, "BTC", ZVT_E8);
    s_reconcile(false);
    cr_assert(w.command_reply.success, "%s", w.command_reply.message);
    cr_assert_eq(s_count(ZVT_T_RISK_RESUMED), 1);
    s_owns(0, "USDT", 50000 * ZVT_E8);
    s_reconcile(true);
    cr_assert(w.command_reply.success, "other differences are accepted again: %s", w.command_reply.message);
}

Test(turn_trouble, accepting_cancels_nothing_at_a_venue_whose_ledger_was_lost_even_at_the_first_look)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    w.venue_seq = 1;
    ZVT_STR_SET(w.open_orders[0], w.sent[0].client_order_id);
    w.open_count = 1;
    s_reconcile(true);
    cr_assert_not(w.command_reply.success);
    cr_assert_eq(w.cancels, 0);
}

/* The first of two orders is executed; the venue says nothing of the second. */
static void s_fill_one_and_doubt_one(void)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET), doubtful = s_signal(2, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    w.venue_silent = true;
    s_give_signal(&doubtful);
    s_settle();
    cr_assert_eq(w.sent_count, 2);
}

Test(turn_trouble, a_venue_whose_ledger_was_lost_is_not_believed_that_it_never_had_an_order)
{
    s_fill_one_and_doubt_one();
    turn_core_on_service_up(w.core, TURN_EXECUTOR, 2);
    zvt_order_status_t status = {.code = ZVT_CODE_TOMBSTONED};
    ZVT_STR_SET(status.exchange, w.sent[1].exchange);
    ZVT_STR_SET(status.client_order_id, w.sent[1].client_order_id);
    s_queue(ZVT_T_ORDER_STATUS, &status);
    s_settle();
    cr_assert_eq(w.sent_count, 2, "it may have been executed there before");
    cr_assert_eq(s_count(ZVT_T_SAGA_STEP_FAILED), 0);
    status.venue_seq = w.venue_seq;
    s_queue(ZVT_T_ORDER_STATUS, &status);
    s_settle();
    s_tick(100 * MS); /* the pause before it is routed anew */
    s_settle();
    cr_assert_eq(w.sent_count, 3);
}

Test(turn_trouble, a_tombstone_counts_only_when_the_venue_knows_what_it_had_given_before_the_question)
{
    zvt_order_send_t stranger = {.exchange = "alpha", .client_order_id = "stranger-1", .symbol = "BTC/USDT", .side = ZVT_SIDE_BUY};
    s_fill_one_and_doubt_one();
    w.venue_seq += 2; /* lost on the link: one may be the fill of the order in doubt */
    zvt_report_t last = s_report(&stranger, ZVT_REPORT_KIND_ACCEPTED), later = s_report(&stranger, ZVT_REPORT_KIND_ACCEPTED);
    s_queue(ZVT_T_REPORT, &last);
    s_settle();
    turn_core_on_service_up(w.core, TURN_EXECUTOR, 2);
    zvt_order_status_t status = {.code = ZVT_CODE_TOMBSTONED, .venue_seq = last.venue_seq - 1};
    ZVT_STR_SET(status.exchange, w.sent[1].exchange);
    ZVT_STR_SET(status.client_order_id, w.sent[1].client_order_id);
    s_queue(ZVT_T_ORDER_STATUS, &status);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_SAGA_STEP_FAILED), 0, "the ledger is an older copy");
    status.venue_seq = last.venue_seq;
    s_queue(ZVT_T_REPORT, &later);
    s_queue(ZVT_T_ORDER_STATUS, &status);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_SAGA_STEP_FAILED), 1, "a report that overtook the answer does not count");
    s_tick(100 * MS);
    s_settle();
    cr_assert_eq(w.sent_count, 3);
}

/* A run of alpha begins, and its reports end with this one. */
static void s_run_begins(uint64_t incarnation, uint64_t venue_seq)
{
    zvt_reports_tip_t tip = {.exchange = "alpha", .incarnation = incarnation, .venue_seq = venue_seq, .reachable = true};
    s_queue(ZVT_T_REPORTS_TIP, &tip);
    s_let_time_pass();
}

Test(turn_trouble, a_ledger_that_was_lost_is_recognised_while_reports_are_missing_and_heals_when_it_is_restored)
{
    zvt_order_send_t stranger = {.exchange = "alpha", .client_order_id = "stranger-1", .symbol = "BTC/USDT", .side = ZVT_SIDE_BUY};
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_owns(0, "USDT", 100000 * ZVT_E8);
    s_reconcile(false);
    s_run_begins(7, 0);
    s_give_signal(&signal);
    s_settle();
    zvt_report_t lost = s_report(&stranger, ZVT_REPORT_KIND_ACCEPTED), last = s_report(&stranger, ZVT_REPORT_KIND_ACCEPTED);
    s_queue(ZVT_T_REPORT, &last);
    s_settle();
    s_run_begins(6, 1);
    cr_assert_not(w.core->venues[0].reconcile.behind, "a tip of an older run, which was overtaken");
    w.venue_seq = 1;
    s_run_begins(8, 1);
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1);
    cr_assert_not_null(strstr(s_last(ZVT_T_RISK_HALTED)->risk_halted.reason, "it ends with report 1, the log has 4"));
    w.venue_seq = last.venue_seq;
    s_owns(0, "USDT", (100000 - 60000 - 1) * ZVT_E8);
    s_owns(1, "BTC", ZVT_E8);
    s_run_begins(9, last.venue_seq);
    cr_assert_eq(w.since.cursor, lost.venue_seq - 1);
    cr_assert_eq(s_count(ZVT_T_RISK_RESUMED), 0, "what is missing is fetched before the account is compared");
    s_queue(ZVT_T_REPORT, &lost);
    s_let_time_pass();
    cr_assert_eq(s_count(ZVT_T_RISK_RESUMED), 1);
}

Test(turn_trouble, a_position_is_adjusted_by_hand_and_the_fold_says_the_same)
{
    zvt_adjust_request_t request = {.strategy_id = "alice", .symbol = "BTC/USDT", .exchange = "alpha", .quantity_change_e8 = -2 * ZVT_E8,
                                    .price_e8 = 50000 * ZVT_E8, .requested_by = "ann", .reason = "traded by phone"};
    s_owns(0, "USDT", 100000 * ZVT_E8);
    s_owns(1, "BTC", 5 * ZVT_E8);
    s_reconcile(false);
    s_command(ZVT_T_ADJUST_REQUEST, &request);
    s_command(ZVT_T_ADJUST_REQUEST, &request);
    s_settle();
    cr_assert(w.command_reply.success, "%s", w.command_reply.message);
    const zvt_position_adjusted_t *adjusted = &s_last(ZVT_T_POSITION_ADJUSTED)->position_adjusted;
    cr_assert_eq(adjusted->new_quantity_e8, -4 * ZVT_E8);
    cr_assert_not_null(strstr(w.command_reply.message, "allow_short"), "%s", w.command_reply.message);
    s_owns(0, "USDT", 300000 * ZVT_E8);
    s_owns(1, "BTC", 1 * ZVT_E8);
    s_reconcile(false);
    cr_assert(w.command_reply.success, "%s", w.command_reply.message);
    zvt_adjust_request_t wrong = request;
    wrong.price_e8 = 0;
    s_command(ZVT_T_ADJUST_REQUEST, &wrong);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_BAD_PRICE);
    cr_assert_neq(w.command_reply.message[0], '\0');
    wrong = request;
    wrong.quantity_change_e8 = 0;
    s_command(ZVT_T_ADJUST_REQUEST, &wrong);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_BAD_QUANTITY);
    cr_assert_neq(w.command_reply.message[0], '\0');
    wrong = request;
    wrong.quantity_change_e8 = wrong.price_e8 = 90000000000 * ZVT_E8;
    s_command(ZVT_T_ADJUST_REQUEST, &wrong);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_NUMBER_OVERFLOW, "its notional does not fit");
    wrong.price_e8 = ZVT_E8;
    wrong.quantity_change_e8 = INT64_MIN + 2 * ZVT_E8;
    s_command(ZVT_T_ADJUST_REQUEST, &wrong);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_NUMBER_OVERFLOW, "the position does not fit");
    wrong.quantity_change_e8 = 200000 * ZVT_E8; /* max_position is 100 */
    s_command(ZVT_T_ADJUST_REQUEST, &wrong);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_BAD_QUANTITY, "nobody means that");
    wrong = request;
    ZVT_STR_SET(wrong.symbol, "XXX/YYY");
    s_command(ZVT_T_ADJUST_REQUEST, &wrong);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_UNKNOWN_SYMBOL);
    wrong = request;
    wrong.reason[0] = '\0';
    s_command(ZVT_T_ADJUST_REQUEST, &wrong);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_MALFORMED);
    cr_assert_eq(s_count(ZVT_T_POSITION_ADJUSTED), 2);
}

Test(turn_trouble, a_lost_answer_about_an_account_is_asked_for_again_soon)
{
    zvt_reconcile_request_t request = {.exchange = "alpha", .requested_by = "ann"};
    w.account_silent = true;
    s_command(ZVT_T_RECONCILE_REQUEST, &request);
    s_settle();
    w.account_silent = false;
    for (int i = 0; i < 8; i++) {
        s_tick(25 * MS);
        s_deliver_all();
    }
    s_settle();
    cr_assert_eq(w.command_replies, 1);
    cr_assert(w.command_reply.success);
}
