#include <criterion/criterion.h>

#include "account_core.h"
#include "recorded_core.h"
#include "venue_fixture.h"
#include "zvt_codec.h"
#include "zvt_time.h"

enum { IDS_MAX = 8, NOW_S = 1000 };
#define NOW_NS (NOW_S * ZVT_SECOND_NS)

/* An account on a recorded market, with everything it said. */
static struct {
    recorded_core_t *market;
    account_core_t *account;
    fixture_tape_t tape;
    zvt_report_t reports[512];
    uint32_t reports_count;
    zvt_cancel_result_t cancel;
    zvt_order_status_t status;
    char resent[64];
    zvt_record_t ledger[512]; /* what was to be recorded */
    uint32_t ledger_count;
} s;

static void s_record(zvt_type_t type, const void *record, size_t size)
{
    zvt_record_t *entry = &s.ledger[s.ledger_count++];
    entry->type = type;
    memcpy(&entry->order_send, record, size);
}

static void s_on_order(void *arg, const zvt_order_send_t *order) { (void)arg; s_record(ZVT_T_ORDER_SEND, order, sizeof *order); }
static void s_on_tombstone(void *arg, const zvt_order_query_t *query)
{
    (void)arg;
    s_record(ZVT_T_ORDER_QUERY, query, sizeof *query);
}
static void s_on_balance(void *arg, const zvt_balance_t *opening)
{
    (void)arg;
    s_record(ZVT_T_BALANCE, opening, sizeof *opening);
}
static void s_on_report(void *arg, const zvt_report_t *report)
{
    (void)arg;
    s.reports[s.reports_count++] = *report;
    if (report->venue_seq != 0) s_record(ZVT_T_REPORT, report, sizeof *report);
}
static void s_on_cancel_result(void *arg, const zvt_cancel_result_t *result) { (void)arg; s.cancel = *result; }
static void s_on_status(void *arg, const zvt_order_status_t *status) { (void)arg; s.status = *status; }
static void s_on_resend(void *arg, const char *id, uint64_t first, uint64_t last, uint32_t count)
{
    (void)arg;
    snprintf(s.resent, sizeof s.resent, "%s %llu..%llu %u", id, (unsigned long long)first, (unsigned long long)last, count);
}

static void s_on_rest_fill(void *arg, uint32_t slot, int64_t price_e8, int64_t quantity_e8)
{
    (void)arg;
    account_core_on_fill(s.account, slot, price_e8, quantity_e8, NOW_NS);
}

static account_core_t *s_new_account_of(const zvt_fleet_t *fleet, market_t market)
{
    account_config_t config = {.fleet = fleet, .venue = 0, .ids_max = IDS_MAX, .market = market,
                               .sink = {.on_order = s_on_order, .on_tombstone = s_on_tombstone, .on_balance = s_on_balance,
                                        .on_report = s_on_report, .on_cancel_result = s_on_cancel_result,
                                        .on_status = s_on_status, .on_resend = s_on_resend}};
    return account_core_new(&config);
}

static account_core_t *s_new_account(market_t market)
{
    return s_new_account_of(fixture_fleet(), market);
}

/* Bids 100 x 5, 99 x 6; asks 101 x 5, 102 x 6. */
static void s_setup(void)
{
    memset(&s, 0, sizeof s);
    market_events_t events = fixture_events(&s.tape);
    events.on_rest_fill = s_on_rest_fill;
    s.market = recorded_core_new(fixture_fleet(), &events);
    zvt_level_t bids[] = {{E8(100), E8(5)}, {E8(99), E8(6)}}, asks[] = {{E8(101), E8(5)}, {E8(102), E8(6)}};
    depth_update_t snapshot = {.last_id = 1, .levels = {bids, asks}, .counts = {2, 2}};
    recorded_core_on_snapshot(s.market, 0, &snapshot);
    s.account = s_new_account(recorded_core_market(s.market));
    account_core_open_balances(s.account);
    account_core_set_open(s.account, true, "");
}

static void s_teardown(void)
{
    account_core_destroy(&s.account);
    recorded_core_destroy(&s.market);
}

TestSuite(account_core, .init = s_setup, .fini = s_teardown);

static const zvt_report_t *s_send(const zvt_order_send_t *order)
{
    uint32_t first = s.reports_count;
    account_core_on_order(s.account, order, NOW_NS, NOW_NS);
    return &s.reports[first];
}

static const zvt_report_t *s_order(const char *id, uint8_t side, double quantity, double limit)
{
    zvt_order_send_t order = fixture_order(id, side, quantity, limit);
    return s_send(&order);
}

static const zvt_report_t *s_last(void) { return &s.reports[s.reports_count - 1]; }

static void s_cancel(const char *id)
{
    zvt_order_cancel_t cancel = {.epoch = 1};
    ZVT_STR_SET(cancel.client_order_id, id);
    account_core_on_cancel(s.account, &cancel, NOW_NS);
}

static void s_query(const char *id, bool tombstone)
{
    zvt_order_query_t query = {.tombstone = tombstone};
    ZVT_STR_SET(query.client_order_id, id);
    account_core_on_query(s.account, &query, NOW_NS);
}

static zvt_balance_t s_balance_of(const account_core_t *account, const char *asset)
{
    zvt_balance_t balance = {0};
    uint32_t n = 0;
    while (account_core_balance(account, n, &balance) && strcmp(balance.asset, asset) != 0) n++;
    cr_assert_str_eq(balance.asset, asset);
    return balance;
}

static void s_trade(uint8_t aggressor, double price, double quantity)
{
    recorded_core_on_trade(s.market, 0, aggressor, E8(price), E8(quantity));
}

Test(account_core, a_market_order_is_accepted_and_filled_in_one_go)
{
    const zvt_report_t *reports = s_order("a", ZVT_SIDE_BUY, 7, 0);
    cr_assert_eq(s.reports_count, 3);
    cr_assert_eq(reports[0].kind, ZVT_REPORT_KIND_ACCEPTED);
    cr_assert_eq(reports[1].price_e8, E8(101));
    cr_assert_eq(reports[1].leaves_qty_e8, E8(2));
    cr_assert_eq(reports[2].price_e8, E8(102));
    cr_assert_eq(reports[2].cum_qty_e8, E8(7));
    cr_assert_eq(reports[2].leaves_qty_e8, 0);
    cr_assert(!reports[2].is_maker);
    for (uint32_t i = 0; i < 3; i++) cr_assert_eq(reports[i].venue_seq, i + 1);
    cr_assert_str_eq(reports[0].exchange_order_id, "alpha-1");
    cr_assert_str_neq(reports[1].exec_id, reports[2].exec_id);
}

Test(account_core, fees_are_taken_in_the_quote_asset_and_balances_follow)
{
    const zvt_report_t *reports = s_order("a", ZVT_SIDE_BUY, 2, 0);
    cr_assert_eq(reports[1].commission_e8, E8(202 * 0.0005));
    cr_assert_str_eq(reports[1].commission_asset, "USDT");
    cr_assert_eq(s_balance_of(s.account, "BTC").total_e8, E8(12));
    cr_assert_eq(s_balance_of(s.account, "USDT").total_e8, E8(100000 - 202 - 0.101));
    s_order("b", ZVT_SIDE_SELL, 1, 0);
    cr_assert_eq(s_balance_of(s.account, "BTC").total_e8, E8(11));
    cr_assert_eq(s_balance_of(s.account, "USDT").total_e8, E8(100000 - 202 - 0.101 + 100 - 0.05));
}

Test(account_core, a_resting_order_reserves_and_fills_later_as_maker)
{
    s_order("a", ZVT_SIDE_BUY, 2, 100);
    cr_assert_eq(s.reports_count, 1);
    cr_assert_eq(s_balance_of(s.account, "USDT").available_e8, E8(100000 - 200 - 0.1), "with the higher of the two fees");
    s_trade(ZVT_SIDE_SELL, 100, 6);
    cr_assert_eq(s_last()->quantity_e8, E8(1));
    cr_assert(s_last()->is_maker);
    cr_assert_eq(s_last()->commission_e8, E8(100 * 0.0002));
    cr_assert_eq(s_balance_of(s.account, "USDT").available_e8, E8(100000 - 100 - 0.02 - 100 - 0.05));
    s_trade(ZVT_SIDE_SELL, 99.5, 0.1);
    cr_assert_eq(s_last()->leaves_qty_e8, 0);
    cr_assert_eq(s_balance_of(s.account, "USDT").available_e8, s_balance_of(s.account, "USDT").total_e8);
}

Test(account_core, what_a_limit_order_leaves_rests)
{
    s_order("a", ZVT_SIDE_BUY, 8, 101);
    cr_assert_eq(s_last()->leaves_qty_e8, E8(3));
    cr_assert_eq(account_core_open_count(s.account), 1);
    s_query("a", false);
    cr_assert_eq(s.status.state, ZVT_ORDER_STATE_PARTIALLY_FILLED);
    cr_assert_eq(s.status.cum_qty_e8, E8(5));
}

Test(account_core, the_rest_of_ioc_expires)
{
    zvt_order_send_t order = fixture_order("a", ZVT_SIDE_BUY, 8, 101);
    order.time_in_force = ZVT_TIF_IOC;
    s_send(&order);
    cr_assert_eq(s_last()->kind, ZVT_REPORT_KIND_EXPIRED);
    cr_assert_eq(s_last()->code, ZVT_CODE_TIME_IN_FORCE);
    cr_assert_eq(s_last()->cum_qty_e8, E8(5));
    cr_assert_eq(account_core_open_count(s.account), 0);
}

Test(account_core, fok_executes_completely_or_not_at_all)
{
    zvt_order_send_t order = fixture_order("a", ZVT_SIDE_BUY, 8, 101);
    order.time_in_force = ZVT_TIF_FOK;
    s_send(&order);
    cr_assert_eq(s.reports_count, 2);
    cr_assert_eq(s_last()->kind, ZVT_REPORT_KIND_EXPIRED);
    cr_assert_eq(s_last()->cum_qty_e8, 0);
    order = fixture_order("b", ZVT_SIDE_BUY, 8, 102);
    order.time_in_force = ZVT_TIF_FOK;
    s_send(&order);
    cr_assert_eq(s_last()->leaves_qty_e8, 0);
    cr_assert_eq(s_last()->kind, ZVT_REPORT_KIND_FILL);
}

Test(account_core, a_market_order_that_finds_nothing_more_expires)
{
    s_order("a", ZVT_SIDE_BUY, 20, 0);
    cr_assert_eq(s_last()->kind, ZVT_REPORT_KIND_EXPIRED);
    cr_assert_eq(s_last()->code, ZVT_CODE_NO_LIQUIDITY);
    cr_assert_eq(s_last()->cum_qty_e8, E8(11));
}

Test(account_core, post_only_is_refused_when_it_would_take)
{
    zvt_order_send_t order = fixture_order("a", ZVT_SIDE_BUY, 1, 101);
    order.post_only = true;
    cr_assert_eq(s_send(&order)->code, ZVT_CODE_WOULD_CROSS);
    order = fixture_order("b", ZVT_SIDE_BUY, 1, 100.5);
    order.post_only = true;
    cr_assert_eq(s_send(&order)->kind, ZVT_REPORT_KIND_ACCEPTED);
}

Test(account_core, the_newer_of_two_own_orders_is_refused)
{
    s_order("a", ZVT_SIDE_BUY, 1, 100.5);
    const zvt_report_t *report = s_order("b", ZVT_SIDE_SELL, 1, 100);
    cr_assert_eq(report->kind, ZVT_REPORT_KIND_REJECTED);
    cr_assert_eq(report->code, ZVT_CODE_SELF_TRADE);
    cr_assert_eq(account_core_open_count(s.account), 1);
}

Test(account_core, a_duplicate_is_answered_with_the_first_reports_and_never_executed)
{
    s_order("a", ZVT_SIDE_BUY, 2, 0);
    s_order("b", ZVT_SIDE_BUY, 1, 0);
    uint32_t reports = s.reports_count, recorded = s.ledger_count;
    zvt_balance_t before = s_balance_of(s.account, "BTC");
    s_order("a", ZVT_SIDE_BUY, 2, 0);
    cr_assert_str_eq(s.resent, "a 1..2 2");
    cr_assert_eq(s.reports_count, reports);
    cr_assert_eq(s.ledger_count, recorded);
    cr_assert_eq(s_balance_of(s.account, "BTC").total_e8, before.total_e8);
}

Test(account_core, a_rejected_order_is_remembered_too)
{
    s_order("a", ZVT_SIDE_BUY, 1e6, 100);
    cr_assert_eq(s_last()->code, ZVT_CODE_INSUFFICIENT_BALANCE);
    s_order("a", ZVT_SIDE_BUY, 1, 0);
    cr_assert_str_eq(s.resent, "a 1..1 1");
}

Test(account_core, cancel_takes_the_order_off_once)
{
    s_order("a", ZVT_SIDE_BUY, 2, 99.5);
    s_cancel("a");
    cr_assert_eq(s.cancel.code, ZVT_CODE_OK);
    cr_assert_eq(s_last()->kind, ZVT_REPORT_KIND_CANCELED);
    cr_assert_eq(s_last()->code, ZVT_CODE_CANCEL_REQUESTED);
    cr_assert_eq(s_balance_of(s.account, "USDT").available_e8, E8(100000));
    s_cancel("a");
    cr_assert_eq(s.cancel.code, ZVT_CODE_ORDER_ENDED);
    s_cancel("never");
    cr_assert_eq(s.cancel.code, ZVT_CODE_UNKNOWN_ORDER);
    uint32_t reports = s.reports_count;
    s_trade(ZVT_SIDE_SELL, 90, 100);
    cr_assert_eq(s.reports_count, reports, "nothing is filled after the cancel");
}

Test(account_core, limits_per_second_are_enforced_when_the_fleet_file_says_so)
{
    zvt_fleet_t *fleet = fixture_fleet();
    fleet->venues[0].orders_per_second = fleet->venues[0].cancels_per_second = 2;
    fleet->venues[0].enforce_limits = true;
    account_core_destroy(&s.account);
    s.account = s_new_account_of(fleet, recorded_core_market(s.market));
    account_core_open_balances(s.account);
    account_core_set_open(s.account, true, "");
    s_order("a", ZVT_SIDE_BUY, 1, 99);
    s_order("b", ZVT_SIDE_BUY, 1, 99);
    s_order("a", ZVT_SIDE_BUY, 1, 99); /* sent again: not counted */
    s_order("c", ZVT_SIDE_BUY, 1, 99);
    cr_assert_eq(s_last()->code, ZVT_CODE_VENUE_LIMIT);
    cr_assert_str_eq(s_last()->message, "orders_per_second=2");
    cr_assert_neq(s_last()->venue_seq, 0u, "recorded, so that a copy of it is refused too");
    s_cancel("a");
    s_cancel("never");
    s_cancel("b");
    cr_assert_eq(s.cancel.code, ZVT_CODE_VENUE_LIMIT);
    account_core_set_monotonic(s.account, INT64_C(1000000000));
    s_cancel("b");
    cr_assert_eq(s.cancel.code, ZVT_CODE_OK);
    cr_assert_eq(s_order("d", ZVT_SIDE_BUY, 1, 99)->kind, ZVT_REPORT_KIND_ACCEPTED);
}

Test(account_core, a_tombstone_makes_a_late_order_impossible)
{
    s_query("late", false);
    cr_assert_eq(s.status.code, ZVT_CODE_UNKNOWN_ORDER);
    s_query("late", true);
    cr_assert_eq(s.status.code, ZVT_CODE_TOMBSTONED);
    cr_assert_eq(s.ledger[s.ledger_count - 1].type, ZVT_T_ORDER_QUERY);
    const zvt_report_t *report = s_order("late", ZVT_SIDE_BUY, 1, 0);
    cr_assert_eq(report->code, ZVT_CODE_TOMBSTONED);
    cr_assert_eq(report->venue_seq, 0);
    s_query("late", true);
    cr_assert_eq(s.status.code, ZVT_CODE_TOMBSTONED);
}

Test(account_core, a_tombstone_for_a_known_order_answers_its_state)
{
    s_order("a", ZVT_SIDE_BUY, 1, 0);
    s_query("a", true);
    cr_assert_eq(s.status.code, ZVT_CODE_OK);
    cr_assert_eq(s.status.state, ZVT_ORDER_STATE_FILLED);
    cr_assert_eq(s.status.venue_seq, 2);
}

Test(account_core, orders_that_cannot_be_are_refused_without_a_trace)
{
    zvt_order_send_t order = fixture_order("a", ZVT_SIDE_BUY, 1, 0);
    order.expires_at_ns = NOW_NS - 1;
    cr_assert_eq(s_send(&order)->code, ZVT_CODE_ORDER_EXPIRED);
    order = fixture_order("", ZVT_SIDE_BUY, 1, 0);
    cr_assert_eq(s_send(&order)->code, ZVT_CODE_MALFORMED);
    order = fixture_order("a", ZVT_SIDE_BUY, 1, 0);
    ZVT_STR_SET(order.exchange, "beta");
    cr_assert_eq(s_send(&order)->code, ZVT_CODE_UNKNOWN_VENUE);
    account_core_set_writable(s.account, false);
    cr_assert_eq(s_order("a", ZVT_SIDE_BUY, 1, 0)->code, ZVT_CODE_OVERLOADED);
    for (uint32_t i = 0; i < s.reports_count; i++) cr_assert_eq(s.reports[i].venue_seq, 0);
    account_core_set_writable(s.account, true);
    cr_assert_eq(s_order("a", ZVT_SIDE_BUY, 1, 0)->kind, ZVT_REPORT_KIND_ACCEPTED);
}

Test(account_core, a_closed_market_refuses_orders_and_lets_cancel)
{
    s_order("a", ZVT_SIDE_BUY, 1, 99);
    account_core_set_open(s.account, false, "the recording has ended");
    const zvt_report_t *report = s_order("b", ZVT_SIDE_BUY, 1, 0);
    cr_assert_eq(report->code, ZVT_CODE_MARKET_CLOSED);
    cr_assert_str_eq(report->message, "the recording has ended");
    s_cancel("a");
    cr_assert_eq(s.cancel.code, ZVT_CODE_OK);
}

Test(account_core, reports_spell_the_symbol_as_the_order_did)
{
    zvt_order_send_t order = fixture_order("a", ZVT_SIDE_BUY, 1, 99);
    ZVT_STR_SET(order.symbol, "BTCUSDT");
    cr_assert_str_eq(s_send(&order)->symbol, "BTCUSDT");
    cr_assert_str_eq(s_order("b", ZVT_SIDE_BUY, 1, 99)->symbol, "BTC/USDT");
}

Test(account_core, ended_ids_are_forgotten_first_in_first_out_once_they_have_expired)
{
    char id[16];
    for (int i = 0; i < IDS_MAX; i++) {
        snprintf(id, sizeof id, "o%d", i);
        zvt_order_send_t order = fixture_order(id, ZVT_SIDE_BUY, 0.5, 0);
        order.expires_at_ns = NOW_NS + (i == 0 ? 10 : 0) * ZVT_SECOND_NS + 1;
        s_send(&order);
    }
    cr_assert_eq(s_order("next", ZVT_SIDE_BUY, 0.5, 0)->code, ZVT_CODE_VENUE_LIMIT, "none has expired");
    zvt_order_send_t order = fixture_order("next", ZVT_SIDE_BUY, 0.5, 0);
    account_core_on_order(s.account, &order, NOW_NS + 5 * ZVT_SECOND_NS, NOW_NS);
    cr_assert_neq(s_last()->code, ZVT_CODE_VENUE_LIMIT);
    s_query("o0", false);
    cr_assert_eq(s.status.code, ZVT_CODE_OK, "not expired yet, so it is kept");
    s_query("o1", false);
    cr_assert_eq(s.status.code, ZVT_CODE_UNKNOWN_ORDER, "the oldest expired one made room");
    zvt_order_send_t late = fixture_order("o1", ZVT_SIDE_BUY, 0.5, 0);
    late.expires_at_ns = NOW_NS + 1;
    account_core_on_order(s.account, &late, NOW_NS + 5 * ZVT_SECOND_NS, NOW_NS);
    cr_assert_eq(s_last()->code, ZVT_CODE_ORDER_EXPIRED, "a duplicate of a forgotten id never executes");
}

/* Tombstones are as young after a restart as if they had just been made. */
Test(account_core, a_ledger_is_replayed_whatever_number_of_tombstones_ended_first)
{
    enum { MANY = 100, TOMBSTONES = 70 };
    account_config_t config = {.fleet = fixture_fleet(), .venue = 0, .ids_max = MANY};
    account_core_t *account = account_core_new(&config);
    for (uint32_t i = 0; i <= MANY; i++) {
        zvt_record_t record = {.type = ZVT_T_ORDER_QUERY};
        snprintf(record.order_query.client_order_id, sizeof record.order_query.client_order_id, "o%u", i);
        if (i < TOMBSTONES) {
            cr_assert_eq(account_core_replay(account, &record, NOW_NS), 0);
            continue;
        }
        char id[16];
        snprintf(id, sizeof id, "o%u", i);
        record = (zvt_record_t){.type = ZVT_T_ORDER_SEND, .order_send = fixture_order(id, ZVT_SIDE_BUY, 1, 100)};
        cr_assert_eq(account_core_replay(account, &record, NOW_NS), 0, "order %u", i);
        record = (zvt_record_t){.type = ZVT_T_REPORT, .report = {.kind = ZVT_REPORT_KIND_REJECTED, .venue_seq = i - TOMBSTONES + 1}};
        ZVT_STR_SET(record.report.client_order_id, id);
        cr_assert_eq(account_core_replay(account, &record, NOW_NS), 0);
    }
    cr_assert_eq(account_core_ids(account), (uint32_t)MANY);
    account_core_destroy(&account);
}

Test(account_core, open_orders_are_never_forgotten)
{
    char id[16];
    for (int i = 0; i < IDS_MAX; i++) {
        snprintf(id, sizeof id, "o%d", i);
        s_order(id, ZVT_SIDE_BUY, 0.5, 90);
    }
    cr_assert_eq(s_order("next", ZVT_SIDE_BUY, 0.5, 90)->code, ZVT_CODE_VENUE_LIMIT);
    cr_assert_eq(account_core_open_count(s.account), IDS_MAX);
}

Test(account_core, replaying_the_records_gives_the_same_account)
{
    s_order("a", ZVT_SIDE_BUY, 8, 101);
    s_order("b", ZVT_SIDE_SELL, 2, 104);
    s_order("c", ZVT_SIDE_BUY, 1e6, 100);
    s_query("dead", true);
    s_order("d", ZVT_SIDE_BUY, 1, 98);
    s_cancel("d");
    s_trade(ZVT_SIDE_SELL, 100.5, 1);
    recorded_core_t *market = recorded_core_new(fixture_fleet(), &(market_events_t){.on_rest_fill = fixture_on_rest_fill,
                                                .on_trade = fixture_on_trade, .on_book = fixture_on_book, .arg = &s.tape});
    account_core_t *copy = s_new_account(recorded_core_market(market));
    for (uint32_t i = 0; i < s.ledger_count; i++)
        cr_assert_eq(account_core_replay(copy, &s.ledger[i], NOW_NS), 0, "record %u", i);
    account_core_restore(copy);
    cr_assert_eq(account_core_venue_seq(copy), account_core_venue_seq(s.account));
    cr_assert_eq(account_core_open_count(copy), account_core_open_count(s.account));
    zvt_balance_t a, b;
    for (uint32_t n = 0; account_core_balance(s.account, n, &a); n++) {
        cr_assert(account_core_balance(copy, n, &b));
        cr_assert_eq(memcmp(&a, &b, sizeof a), 0, "asset %s", a.asset);
    }
    zvt_order_status_t status, status_copy;
    uint32_t slot = 0, slot_copy = 0;
    while (account_core_next_open(s.account, &slot, &status)) {
        cr_assert(account_core_next_open(copy, &slot_copy, &status_copy));
        cr_assert_eq(memcmp(&status, &status_copy, sizeof status), 0);
    }
    zvt_order_query_t query = {.tombstone = false};
    ZVT_STR_SET(query.client_order_id, "dead");
    account_core_on_query(copy, &query, NOW_NS);
    cr_assert_eq(s.status.code, ZVT_CODE_TOMBSTONED);
    account_core_destroy(&copy);
    recorded_core_destroy(&market);
}

Test(account_core, replay_refuses_records_that_do_not_follow)
{
    s_order("a", ZVT_SIDE_BUY, 1, 0);
    account_core_t *copy = s_new_account(recorded_core_market(s.market));
    zvt_record_t *report = &s.ledger[s.ledger_count - 1];
    cr_assert_eq(report->type, ZVT_T_REPORT);
    cr_assert_eq(account_core_replay(copy, report, NOW_NS), ZVT_ERR_CORRUPT, "its order was never taken in");
    cr_assert_eq(account_core_replay(copy, &s.ledger[s.ledger_count - 3], NOW_NS), 0);
    cr_assert_eq(account_core_replay(copy, report, NOW_NS), ZVT_ERR_CORRUPT, "a venue_seq is missing");
    account_core_destroy(&copy);
}

Test(account_core, balances_always_add_up_over_random_orders)
{
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 3);
    int64_t base_e8 = E8(10), quote_e8 = E8(100000);
    for (int i = 0; i < 3000; i++) {
        s.reports_count = s.ledger_count = 0;
        char id[16];
        snprintf(id, sizeof id, "r%d", i);
        uint8_t side = zvt_rng_below(&rng, 2) == 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL;
        bool limit = zvt_rng_below(&rng, 2) == 0;
        s_order(id, side, (double)(1 + zvt_rng_below(&rng, 900)) / 1000, limit ? 99 + (double)zvt_rng_below(&rng, 5) : 0);
        if (zvt_rng_below(&rng, 3) == 0) s_cancel(id);
        s_trade(zvt_rng_below(&rng, 2) == 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL, 99 + (double)zvt_rng_below(&rng, 5), 2);
        for (uint32_t n = 0; n < s.reports_count; n++) {
            const zvt_report_t *report = &s.reports[n];
            if (report->kind != ZVT_REPORT_KIND_FILL) continue;
            int64_t notional_e8;
            cr_assert_eq(zvt_fixed_mul(report->price_e8, report->quantity_e8, &notional_e8), 0);
            int64_t sign = report->side == ZVT_SIDE_BUY ? 1 : -1;
            base_e8 += sign * report->quantity_e8;
            quote_e8 -= sign * notional_e8 + report->commission_e8;
        }
        cr_assert_eq(s_balance_of(s.account, "BTC").total_e8, base_e8);
        cr_assert_eq(s_balance_of(s.account, "USDT").total_e8, quote_e8);
        cr_assert_geq(base_e8, 0);
        cr_assert_geq(quote_e8, 0);
        if (account_core_open_count(s.account) == 0) cr_assert_eq(s_balance_of(s.account, "USDT").available_e8, quote_e8);
    }
}

/* ---- a ledger that was written while every slot was taken ---- */
static account_core_t *s_copy;

static void s_copy_record(const zvt_record_t *record)
{
    cr_assert_eq(account_core_replay(s_copy, record, NOW_NS), 0, "%s %u", zvt_type_name(record->type),
                 record->type == ZVT_T_REPORT ? record->report.kind : 0);
}

static void s_copy_order(void *arg, const zvt_order_send_t *order)
{
    (void)arg;
    s_copy_record(&(zvt_record_t){.type = ZVT_T_ORDER_SEND, .order_send = *order});
}

static void s_copy_balance(void *arg, const zvt_balance_t *opening)
{
    (void)arg;
    s_copy_record(&(zvt_record_t){.type = ZVT_T_BALANCE, .balance = *opening});
}

static void s_copy_report(void *arg, const zvt_report_t *report)
{
    (void)arg;
    if (report->venue_seq != 0) s_copy_record(&(zvt_record_t){.type = ZVT_T_REPORT, .report = *report});
}

Test(account_core, a_ledger_is_replayed_that_was_written_while_every_slot_was_taken)
{
    account_config_t config = {.fleet = fixture_fleet(), .venue = 0, .ids_max = MARKET_SLOTS_MAX + 100,
                               .market = recorded_core_market(s.market),
                               .sink = {.on_order = s_copy_order, .on_balance = s_copy_balance, .on_report = s_copy_report,
                                        .on_tombstone = s_on_tombstone, .on_cancel_result = s_on_cancel_result,
                                        .on_status = s_on_status, .on_resend = s_on_resend}};
    s_copy = account_core_new(&config);
    account_core_t *live = account_core_new(&config);
    account_core_open_balances(live);
    account_core_set_open(live, true, "");
    for (uint32_t i = 0; i <= MARKET_SLOTS_MAX; i++) { /* one more than there are slots */
        char id[24];
        snprintf(id, sizeof id, "o%u", i);
        zvt_order_send_t order = i % 2 == 0 ? fixture_order(id, ZVT_SIDE_BUY, 0.2, 50) : fixture_order(id, ZVT_SIDE_SELL, 0.001, 90000);
        account_core_on_order(live, &order, NOW_NS, NOW_NS);
    }
    cr_assert_eq(account_core_open_count(live), (uint32_t)MARKET_SLOTS_MAX);
    zvt_order_cancel_t cancel = {.epoch = 1};
    ZVT_STR_SET(cancel.client_order_id, "o1");
    account_core_on_cancel(live, &cancel, NOW_NS);
    cr_assert_eq(account_core_open_count(live), (uint32_t)MARKET_SLOTS_MAX - 1);
    cr_assert_eq(account_core_open_count(s_copy), (uint32_t)MARKET_SLOTS_MAX - 1);
    account_core_destroy(&live);
    account_core_destroy(&s_copy);
}
