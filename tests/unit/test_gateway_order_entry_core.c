#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "order_entry_core.h"
#include "zvt_diag.h"
#include "zvt_stats.h"

enum { SENT_MAX = 64 };

/* ---- a venue that notes what it is asked ---- */
typedef struct {
    gateway_adapter_t adapter;
    int status; /* what every function answers */
    unsigned placed, canceled, queried, since, open_orders, balances, account;
} fake_venue_t;

static fake_venue_t s_venue;

#define FAKE(fn, counter, record_t)                             \
    static int fn(gateway_adapter_t *self, const record_t *record) \
    {                                                           \
        (void)self;                                             \
        (void)record;                                           \
        if (s_venue.status == 0) s_venue.counter++;             \
        return s_venue.status;                                  \
    }
FAKE(s_place, placed, zvt_order_send_t)
FAKE(s_cancel, canceled, zvt_order_cancel_t)
FAKE(s_query, queried, zvt_order_query_t)
FAKE(s_since, since, zvt_reports_since_t)
FAKE(s_open_orders, open_orders, zvt_open_orders_query_t)
FAKE(s_balances, balances, zvt_balances_query_t)
FAKE(s_account, account, zvt_account_query_t)

/* ---- what leaves ---- */
typedef struct {
    char peer;
    zvt_record_t record;
} sent_t;

static sent_t *s_sent;
static unsigned s_sent_count;
static uint64_t s_stored_epoch;
static int s_store_status;
static order_entry_core_t *s_core;

static int s_store(void *arg, uint64_t epoch)
{
    (void)arg;
    if (s_store_status == 0) s_stored_epoch = epoch;
    return s_store_status;
}

static void s_send(void *arg, const zvt_peer_t *peer, zvt_type_t type, const void *record)
{
    (void)arg;
    cr_assert_lt(s_sent_count, (unsigned)SENT_MAX);
    sent_t *sent = &s_sent[s_sent_count++];
    sent->peer = (char)peer->id[0];
    sent->record.type = type;
    memcpy(&sent->record.hello, record, zvt_desc(type)->size);
}

static zvt_peer_t s_peer(char name)
{
    zvt_peer_t peer = {.id_length = 1};
    peer.id[0] = (uint8_t)name;
    return peer;
}

static void s_hello(char peer_name, uint8_t role, uint64_t epoch)
{
    zvt_peer_t peer = s_peer(peer_name);
    zvt_hello_t hello = {.role = role, .epoch = epoch, .incarnation = 1};
    order_entry_core_on_hello(s_core, &peer, &hello);
}

static order_entry_now_t s_at(int64_t ns)
{
    return (order_entry_now_t){.utc_ns = ns, .monotonic_ns = ns};
}

static void s_setup(void)
{
    s_venue = (fake_venue_t){.adapter = {.place = s_place,
                                         .cancel = s_cancel,
                                         .query = s_query,
                                         .reports_since = s_since,
                                         .open_orders = s_open_orders,
                                         .balances = s_balances,
                                         .account = s_account}};
    order_entry_out_t out = {.store_epoch = s_store, .send = s_send};
    zvt_diag_init("test", ZVT_DIAG_ERROR);
    s_sent = calloc(SENT_MAX, sizeof *s_sent);
    s_sent_count = 0;
    s_stored_epoch = 0;
    s_store_status = 0;
    s_core = order_entry_core_new("alpha", &s_venue.adapter, &out, 5);
    order_entry_core_on_up(s_core, 1, 10);
    s_hello('E', ZVT_ROLE_EXECUTOR, 5);
    s_sent_count = 0;
}

static void s_teardown(void)
{
    order_entry_core_destroy(&s_core);
    free(s_sent);
}

TestSuite(order_entry_core, .init = s_setup, .fini = s_teardown);

static void s_request(char peer_name, const zvt_record_t *record)
{
    zvt_peer_t peer = s_peer(peer_name);
    cr_assert(order_entry_core_on_request(s_core, &peer, record, s_at(1000)));
}

static void s_order(char peer_name, uint64_t epoch, int64_t expires_at_ns)
{
    zvt_record_t record = {.type = ZVT_T_ORDER_SEND};
    ZVT_STR_SET(record.order_send.client_order_id, "o1");
    ZVT_STR_SET(record.order_send.exchange, "alpha");
    ZVT_STR_SET(record.order_send.symbol, "BTC/USDT");
    record.order_send.epoch = epoch;
    record.order_send.expires_at_ns = expires_at_ns;
    s_request(peer_name, &record);
}

static void s_ask_status(char peer_name, const char *client_order_id, bool tombstone, uint64_t epoch)
{
    zvt_record_t record = {.type = ZVT_T_ORDER_QUERY};
    ZVT_STR_SET(record.order_query.client_order_id, client_order_id);
    ZVT_STR_SET(record.order_query.exchange, "alpha");
    record.order_query.tombstone = tombstone;
    record.order_query.epoch = epoch;
    s_request(peer_name, &record);
}

static void s_ask_cancel(char peer_name, const char *client_order_id, uint64_t epoch)
{
    zvt_record_t record = {.type = ZVT_T_ORDER_CANCEL};
    ZVT_STR_SET(record.order_cancel.client_order_id, client_order_id);
    ZVT_STR_SET(record.order_cancel.exchange, "alpha");
    record.order_cancel.epoch = epoch;
    s_request(peer_name, &record);
}

static void s_ask_reports(char peer_name, uint64_t cursor)
{
    zvt_record_t record = {.type = ZVT_T_REPORTS_SINCE};
    ZVT_STR_SET(record.reports_since.exchange, "alpha");
    record.reports_since.cursor = cursor;
    s_request(peer_name, &record);
}

static void s_ask(char peer_name, zvt_type_t type)
{
    zvt_record_t record = {.type = type};
    s_request(peer_name, &record);
}

static void s_report(uint64_t venue_seq)
{
    zvt_report_t report = {.venue_seq = venue_seq, .kind = ZVT_REPORT_KIND_ACCEPTED};
    order_entry_core_on_report(s_core, &report);
}

static void s_status(const char *client_order_id)
{
    zvt_order_status_t status = {.code = ZVT_CODE_OK};
    ZVT_STR_SET(status.client_order_id, client_order_id);
    order_entry_core_on_order_status(s_core, &status);
}

static const sent_t *s_last(void)
{
    cr_assert_gt(s_sent_count, 0u);
    return &s_sent[s_sent_count - 1];
}

/* ---- orders ---- */
Test(order_entry_core, passes_an_order_of_the_present_epoch_to_the_venue)
{
    s_order('E', 5, 0);
    cr_assert_eq(s_venue.placed, 1u);
    cr_assert_eq(s_sent_count, 0u);
}

Test(order_entry_core, drops_orders_and_cancels_of_an_older_epoch_in_silence)
{
    uint64_t before = *zvt_counter("fenced");
    s_order('E', 4, 0);
    s_ask_cancel('E', "o1", 4);
    s_ask_status('E', "o1", true, 4);
    cr_assert_eq(s_venue.placed + s_venue.canceled + s_venue.queried, 0u);
    cr_assert_eq(s_sent_count, 0u);
    cr_assert_eq(*zvt_counter("fenced") - before, 3u);
}

Test(order_entry_core, lets_anybody_ask_without_a_tombstone)
{
    s_ask_status('C', "o1", false, 0);
    cr_assert_eq(s_venue.queried, 1u);
}

Test(order_entry_core, stores_a_higher_epoch_before_it_obeys_it)
{
    s_order('E', 6, 0);
    cr_assert_eq(s_stored_epoch, 6u);
    cr_assert_eq(order_entry_core_epoch(s_core), 6u);
    cr_assert_eq(s_venue.placed, 1u);
    s_order('E', 5, 0);
    cr_assert_eq(s_venue.placed, 1u);
}

Test(order_entry_core, does_not_obey_an_epoch_that_it_cannot_store)
{
    uint64_t before = *zvt_counter("epoch_not_stored");
    s_store_status = ZVT_ERR_IO;
    s_order('E', 6, 0);
    cr_assert_eq(s_venue.placed, 0u);
    cr_assert_eq(order_entry_core_epoch(s_core), 5u);
    cr_assert_eq(*zvt_counter("epoch_not_stored") - before, 1u);
}

Test(order_entry_core, keeps_the_fence_shut_below_an_epoch_that_it_cannot_store)
{
    uint64_t before = *zvt_counter("fenced");
    s_store_status = ZVT_ERR_IO;
    s_hello('E', ZVT_ROLE_EXECUTOR, 7);
    s_order('E', 5, 0);
    s_order('E', 6, 0);
    s_ask_cancel('E', "o1", 5);
    s_ask_status('E', "o1", true, 5);
    cr_assert_eq(s_venue.placed + s_venue.canceled + s_venue.queried, 0u);
    cr_assert_eq(*zvt_counter("fenced") - before, 4u);
    cr_assert_eq(order_entry_core_epoch(s_core), 5u, "it says what is durable");
    s_store_status = 0;
    s_hello('E', ZVT_ROLE_EXECUTOR, 7);
    cr_assert_eq(s_stored_epoch, 7u, "it is stored as soon as it can be");
    s_order('E', 7, 0);
    cr_assert_eq(s_venue.placed, 1u);
}

Test(order_entry_core, learns_the_epoch_from_the_executors_hello)
{
    s_hello('E', ZVT_ROLE_EXECUTOR, 8);
    cr_assert_eq(s_stored_epoch, 8u);
    s_hello('C', ZVT_ROLE_CLIENT, 99);
    cr_assert_eq(order_entry_core_epoch(s_core), 8u, "a client has no epoch");
}

Test(order_entry_core, refuses_an_expired_order_for_good)
{
    s_order('E', 5, 999);
    cr_assert_eq(s_venue.placed, 0u);
    cr_assert_eq(s_last()->record.type, ZVT_T_REPORT);
    cr_assert_eq(s_last()->record.report.code, ZVT_CODE_ORDER_EXPIRED);
    cr_assert_eq(s_last()->record.report.venue_seq, 0u);
    cr_assert_str_eq(s_last()->record.report.client_order_id, "o1");
    s_order('E', 5, 1000);
    cr_assert_eq(s_venue.placed, 1u, "it expires after that moment");
}

Test(order_entry_core, refuses_orders_while_the_venue_is_silent)
{
    s_venue.status = ZVT_ERR_AGAIN;
    s_order('E', 5, 0);
    cr_assert_eq(s_last()->record.report.kind, ZVT_REPORT_KIND_REJECTED);
    cr_assert_eq(s_last()->record.report.code, ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_eq(s_last()->peer, 'E');
}

Test(order_entry_core, refuses_orders_for_unknown_symbols_and_other_venues)
{
    s_venue.status = ZVT_ERR_NOT_FOUND;
    s_order('E', 5, 0);
    cr_assert_eq(s_last()->record.report.code, ZVT_CODE_UNKNOWN_SYMBOL);
    zvt_record_t record = {.type = ZVT_T_ORDER_SEND};
    record.order_send.epoch = 5;
    ZVT_STR_SET(record.order_send.exchange, "beta");
    s_request('E', &record);
    cr_assert_eq(s_last()->record.report.code, ZVT_CODE_UNKNOWN_VENUE);
}

/* ---- reports ---- */
Test(order_entry_core, pushes_reports_to_the_executor_that_spoke_last)
{
    s_report(11);
    cr_assert_eq(s_last()->peer, 'E');
    s_hello('F', ZVT_ROLE_EXECUTOR, 5);
    s_report(12);
    cr_assert_eq(s_last()->peer, 'F');
    cr_assert_eq(s_last()->record.report.venue_seq, 12u);
    cr_assert_eq(order_entry_core_venue_seq(s_core), 12u);
}

Test(order_entry_core, counts_reports_that_nobody_takes)
{
    order_entry_out_t out = {.store_epoch = s_store, .send = s_send};
    order_entry_core_t *core = order_entry_core_new("alpha", &s_venue.adapter, &out, 0);
    uint64_t before = *zvt_counter("reports_unclaimed");
    zvt_report_t report = {.venue_seq = 1};
    order_entry_core_on_report(core, &report);
    cr_assert_eq(*zvt_counter("reports_unclaimed") - before, 1u);
    cr_assert_eq(s_sent_count, 0u);
    order_entry_core_destroy(&core);
}

Test(order_entry_core, tells_a_new_executor_where_reports_stand)
{
    s_hello('F', ZVT_ROLE_EXECUTOR, 5);
    cr_assert_eq(s_last()->record.type, ZVT_T_REPORTS_TIP);
    cr_assert_eq(s_last()->record.reports_tip.venue_seq, 10u);
    cr_assert_eq(s_last()->record.reports_tip.epoch, 5u);
    cr_assert(s_last()->record.reports_tip.reachable);
    s_sent_count = 0;
    s_hello('F', ZVT_ROLE_EXECUTOR, 5);
    cr_assert_eq(s_sent_count, 0u);
}

Test(order_entry_core, tells_the_executor_when_the_venue_goes_and_comes)
{
    order_entry_core_on_down(s_core);
    cr_assert(!s_last()->record.reports_tip.reachable);
    order_entry_core_on_up(s_core, 1, 13);
    cr_assert(s_last()->record.reports_tip.reachable);
    cr_assert_eq(s_last()->record.reports_tip.venue_seq, 13u);
    cr_assert_eq(s_last()->record.reports_tip.incarnation, 1u);
}

Test(order_entry_core, gives_a_report_until_the_next_hello_to_catch_up_with_the_tip)
{
    order_entry_core_on_tip(s_core, 12);
    cr_assert_eq(order_entry_core_venue_seq(s_core), 10u);
    s_report(11);
    order_entry_core_on_tip(s_core, 12);
    cr_assert_eq(order_entry_core_venue_seq(s_core), 12u, "report 12 is lost");
}

Test(order_entry_core, follows_a_venue_that_lost_its_ledger)
{
    order_entry_core_on_up(s_core, 2, 0);
    cr_assert_eq(order_entry_core_venue_seq(s_core), 0u);
    s_report(1);
    cr_assert_eq(s_last()->peer, 'E');
}

/* ---- questions ---- */
Test(order_entry_core, gives_each_asker_its_own_answer)
{
    s_ask_status('A', "x", false, 0);
    s_ask_status('B', "y", false, 0);
    s_status("x");
    cr_assert_eq(s_last()->peer, 'A');
    s_status("y");
    cr_assert_eq(s_last()->peer, 'B');
    cr_assert_eq(order_entry_core_asks(s_core), 0u);
}

Test(order_entry_core, finds_the_asker_of_an_answer_out_of_order)
{
    s_ask_status('A', "x", false, 0);
    s_ask_cancel('B', "x", 5);
    zvt_cancel_result_t result = {.code = ZVT_CODE_OK, .client_order_id = "x"};
    order_entry_core_on_cancel_result(s_core, &result);
    cr_assert_eq(s_last()->peer, 'B');
    s_status("x");
    cr_assert_eq(s_last()->peer, 'A');
    cr_assert_eq(order_entry_core_asks(s_core), 0u);
}

Test(order_entry_core, gives_lists_to_who_asked_first)
{
    s_ask('A', ZVT_T_OPEN_ORDERS_QUERY);
    s_ask('B', ZVT_T_BALANCES_QUERY);
    zvt_list_end_t end = {.count = 1};
    zvt_balance_t balance = {.total_e8 = 1};
    s_status("row");
    cr_assert_eq(s_last()->peer, 'A');
    order_entry_core_on_list_end(s_core, &end);
    cr_assert_eq(s_last()->peer, 'A');
    order_entry_core_on_balance(s_core, &balance);
    cr_assert_eq(s_last()->peer, 'B');
    order_entry_core_on_list_end(s_core, &end);
    cr_assert_eq(s_last()->peer, 'B');
    cr_assert_eq(order_entry_core_asks(s_core), 0u);
}

Test(order_entry_core, counts_answers_that_nobody_asked_for)
{
    uint64_t before = *zvt_counter("answers_unasked");
    zvt_list_end_t end = {.count = 1};
    zvt_cancel_result_t result = {.code = ZVT_CODE_OK};
    zvt_balance_t balance = {.total_e8 = 1};
    s_status("x");
    order_entry_core_on_list_end(s_core, &end);
    order_entry_core_on_cancel_result(s_core, &result);
    order_entry_core_on_balance(s_core, &balance);
    cr_assert_eq(*zvt_counter("answers_unasked") - before, 4u);
    cr_assert_eq(s_sent_count, 0u);
}

Test(order_entry_core, gives_reports_that_are_sent_again_to_who_asked)
{
    zvt_reports_tip_t tip = {.cursor = 8, .venue_seq = 10};
    s_ask_reports('C', 8);
    s_report(9);
    s_report(11); /* live, in between: the executor's */
    s_report(10);
    order_entry_core_on_reports_end(s_core, &tip);
    static const char peers[] = "CECC";
    cr_assert_eq(s_sent_count, 4u);
    for (unsigned i = 0; i < 4; i++) cr_assert_eq(s_sent[i].peer, peers[i], "message %u went to %c", i, s_sent[i].peer);
    cr_assert_eq(s_sent[3].record.reports_tip.cursor, 8u);
    cr_assert(s_sent[3].record.reports_tip.reachable);
    cr_assert_eq(s_sent[3].record.reports_tip.epoch, 5u);
}

Test(order_entry_core, sends_a_report_once_to_an_executor_that_asked_for_it)
{
    s_ask_reports('E', 10);
    s_report(11);
    cr_assert_eq(s_sent_count, 1u);
    cr_assert_eq(s_last()->peer, 'E');
}

Test(order_entry_core, sends_a_new_report_to_the_executor_even_if_a_client_asked_for_it)
{
    s_ask_reports('C', 10);
    s_report(11);
    cr_assert_eq(s_sent_count, 2u);
    cr_assert_eq(s_sent[0].peer, 'E');
    cr_assert_eq(s_sent[1].peer, 'C');
}

Test(order_entry_core, passes_on_reports_that_the_venue_repeats_for_a_repeated_order)
{
    s_report(7);
    cr_assert_eq(s_last()->peer, 'E');
}

Test(order_entry_core, answers_every_question_when_the_venue_goes_silent)
{
    s_ask_status('A', "x", false, 0);
    s_ask_cancel('B', "y", 5);
    s_ask_reports('C', 3);
    s_ask('D', ZVT_T_BALANCES_QUERY);
    order_entry_core_on_down(s_core);
    cr_assert_eq(s_sent[0].record.order_status.code, ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_str_eq(s_sent[0].record.order_status.client_order_id, "x");
    cr_assert_eq(s_sent[1].record.cancel_result.code, ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_eq(s_sent[2].record.reports_tip.cursor, 3u);
    cr_assert(!s_sent[2].record.reports_tip.reachable);
    cr_assert_eq(s_sent[3].record.error_reply.code, ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_eq(s_sent[3].peer, 'D');
    cr_assert_eq(order_entry_core_asks(s_core), 0u);
}

Test(order_entry_core, an_answer_from_the_first_report_on_that_fails_does_not_say_that_the_venue_is_away)
{
    s_ask_reports('C', 0);
    s_sent_count = 0;
    order_entry_core_on_time(s_core, s_at(1000 + ORDER_ENTRY_PATIENCE_NS));
    cr_assert_eq(s_sent[0].peer, 'C');
    cr_assert_eq(s_sent[0].record.type, ZVT_T_REPORTS_TIP);
    cr_assert(s_sent[0].record.reports_tip.reachable);
}

Test(order_entry_core, answers_questions_at_once_while_the_venue_is_silent)
{
    s_venue.status = ZVT_ERR_AGAIN;
    s_ask_status('A', "x", true, 5);
    cr_assert_eq(s_last()->record.order_status.code, ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_eq(order_entry_core_asks(s_core), 0u);
}

Test(order_entry_core, answers_questions_that_wait_too_long)
{
    s_ask_status('A', "x", false, 0);
    order_entry_core_on_time(s_core, s_at(1000 + ORDER_ENTRY_PATIENCE_NS - 1));
    cr_assert_eq(order_entry_core_asks(s_core), 1u);
    s_sent_count = 0;
    order_entry_core_on_time(s_core, s_at(1000 + ORDER_ENTRY_PATIENCE_NS));
    cr_assert_eq(s_sent[0].peer, 'A');
    cr_assert_eq(s_sent[0].record.order_status.code, ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_eq(order_entry_core_asks(s_core), 0u);
}

Test(order_entry_core, refuses_more_questions_than_it_can_remember)
{
    for (unsigned i = 0; i < ORDER_ENTRY_ASKS_MAX; i++) s_ask_status('A', "x", false, 0);
    cr_assert_eq(s_sent_count, 0u);
    s_ask_status('B', "y", false, 0);
    cr_assert_eq(s_last()->record.order_status.code, ZVT_CODE_OVERLOADED);
    s_status("x");
    s_ask_status('B', "y", false, 0);
    s_status("y");
    cr_assert_eq(s_last()->peer, 'B', "one answered made room for one more");
}

Test(order_entry_core, refuses_questions_for_other_venues)
{
    zvt_record_t record = {.type = ZVT_T_BALANCES_QUERY};
    ZVT_STR_SET(record.balances_query.exchange, "beta");
    s_request('A', &record);
    cr_assert_eq(s_last()->record.error_reply.code, ZVT_CODE_UNKNOWN_VENUE);
    cr_assert_eq(s_venue.balances, 0u);
}

Test(order_entry_core, does_not_take_other_requests)
{
    zvt_peer_t peer = s_peer('A');
    zvt_record_t record = {.type = ZVT_T_PLACE_REQUEST};
    cr_assert(!order_entry_core_on_request(s_core, &peer, &record, s_at(0)));
}

Test(order_entry_core, gives_the_rows_of_an_account_to_who_asked_under_that_number)
{
    zvt_record_t query = {.type = ZVT_T_ACCOUNT_QUERY, .account_query = {.query = 7}};
    s_request('A', &query);
    query.account_query.query = 8;
    s_request('B', &query);
    cr_assert_eq(s_venue.account, 2u);
    zvt_account_asset_t row = {.query = 8};
    zvt_account_snapshot_t end = {.query = 7, .code = ZVT_CODE_OK};
    order_entry_core_on_account_asset(s_core, &row);
    cr_assert_eq(s_last()->peer, 'B');
    order_entry_core_on_account_snapshot(s_core, &end);
    cr_assert_eq(s_last()->peer, 'A');
    cr_assert_eq(order_entry_core_asks(s_core), 1u);
    order_entry_core_on_down(s_core);
    cr_assert_eq(s_sent[2].peer, 'B');
    cr_assert_eq(s_sent[2].record.account_snapshot.code, ZVT_CODE_VENUE_UNREACHABLE);
}
