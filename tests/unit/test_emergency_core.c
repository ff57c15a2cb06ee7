#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emergency_core.h"
#include "zvt_diag.h"

#define MS ZVT_MS_NS
#define START (100 * ZVT_SECOND_NS)
enum { ALPHA, BETA, VENUES, OPEN_MAX = 16, KEPT = 128 };

/* A world around the core: venues with open orders, a journal in memory, clients and an orchestrator that listen. */
static struct {
    zvt_fleet_t *fleet;
    emergency_core_t *core;
    int64_t now_ns;
    uint8_t journal[EMERGENCY_JOURNAL_MAX];
    size_t journal_length;
    int appends, replaces;
    bool disk_full;
    bool reachable[VENUES];
    bool silent[VENUES];     /* takes cancels but does not answer */
    char open[VENUES][OPEN_MAX][ZVT_CLIENT_ORDER_SIZE];
    char ended[ZVT_CLIENT_ORDER_SIZE]; /* an order that alpha remembers */
    uint8_t ended_state;
    char halted[ZVT_MESSAGE_SIZE]; /* "": not halted */
    uint32_t waiting;        /* orders that wait for a limit */
    zvt_kill_reply_t replies[KEPT];
    int replies_count, looks, cancels;
    zvt_kill_notice_t notices[KEPT];
    int notices_count;
    zvt_record_t answers[KEPT];
    uint32_t answers_venue[KEPT];
    int answers_count;
} w;

static pacer_now_t s_now(void)
{
    return (pacer_now_t){.utc_ns = w.now_ns, .monotonic_ns = w.now_ns};
}

static int s_append(void *arg, const void *data, size_t length)
{
    (void)arg;
    w.appends++;
    if (w.disk_full) return ZVT_ERR_IO;
    cr_assert_leq(w.journal_length + length, sizeof w.journal);
    memcpy(w.journal + w.journal_length, data, length);
    w.journal_length += length;
    return 0;
}

static int s_replace(void *arg, const void *data, size_t length)
{
    (void)arg;
    w.replaces++;
    if (w.disk_full) return ZVT_ERR_IO;
    memcpy(w.journal, data, length);
    w.journal_length = length;
    return 0;
}

static void s_halt(void *arg, const char *reason)
{
    (void)arg;
    cr_assert(w.journal_length > 0 || w.disk_full || reason == NULL, "the journal comes first");
    snprintf(w.halted, sizeof w.halted, "%s", reason == NULL ? "" : reason);
}

static uint32_t s_withdraw(void *arg, const char *client_order_id, size_t length)
{
    (void)arg;
    (void)client_order_id;
    uint32_t count = length == 0 ? w.waiting : 0;
    w.waiting -= count;
    return count;
}

static bool s_is_reachable(void *arg, uint32_t venue)
{
    (void)arg;
    return w.reachable[venue];
}

static void s_answer(uint32_t venue, zvt_type_t type, const void *record)
{
    cr_assert_lt(w.answers_count, KEPT);
    w.answers_venue[w.answers_count] = venue;
    w.answers[w.answers_count].type = type;
    memcpy(&w.answers[w.answers_count++].hello, record, zvt_desc(type)->size);
}

static void s_to_gateway(void *arg, uint32_t venue, zvt_type_t type, const void *record)
{
    (void)arg;
    zvt_list_end_t end = {.count = 0};
    if (w.silent[venue]) return;
    if (type == ZVT_T_ORDER_QUERY) {
        zvt_order_status_t status = {.code = ZVT_CODE_UNKNOWN_ORDER};
        ZVT_STR_SET(status.client_order_id, ((const zvt_order_query_t *)record)->client_order_id);
        if (venue == ALPHA && strcmp(status.client_order_id, w.ended) == 0) {
            status.code = ZVT_CODE_OK;
            status.state = w.ended_state;
        }
        s_answer(venue, ZVT_T_ORDER_STATUS, &status);
        return;
    }
    cr_assert_eq(type, ZVT_T_OPEN_ORDERS_QUERY);
    w.looks++;
    for (int i = 0; i < OPEN_MAX; i++) {
        zvt_order_status_t row = {.code = ZVT_CODE_OK, .state = ZVT_ORDER_STATE_ACCEPTED, .leaves_qty_e8 = 1};
        if (w.open[venue][i][0] == '\0') continue;
        ZVT_STR_SET(row.client_order_id, w.open[venue][i]);
        s_answer(venue, ZVT_T_ORDER_STATUS, &row);
        end.count++;
    }
    s_answer(venue, ZVT_T_LIST_END, &end);
}

static void s_cancel(void *arg, uint32_t venue, const char *client_order_id)
{
    (void)arg;
    w.cancels++;
    zvt_cancel_result_t result = {.code = ZVT_CODE_ORDER_ENDED};
    ZVT_STR_SET(result.client_order_id, client_order_id);
    for (int i = 0; i < OPEN_MAX; i++) {
        if (strcmp(w.open[venue][i], client_order_id) != 0) continue;
        w.open[venue][i][0] = '\0';
        result.code = ZVT_CODE_OK;
    }
    s_answer(venue, ZVT_T_CANCEL_RESULT, &result);
}

static void s_reply(void *arg, const emergency_client_t *client, const zvt_kill_reply_t *reply)
{
    (void)arg;
    cr_assert_eq(client->bytes[0], 7);
    cr_assert_lt(w.replies_count, KEPT);
    w.replies[w.replies_count++] = *reply;
}

static void s_notice(void *arg, const zvt_kill_notice_t *notice)
{
    (void)arg;
    cr_assert_lt(w.notices_count, KEPT);
    w.notices[w.notices_count++] = *notice;
}

static emergency_core_t *s_new(void)
{
    emergency_out_t out = {.append = s_append, .replace = s_replace, .halt = s_halt, .withdraw = s_withdraw,
                           .is_reachable = s_is_reachable, .to_gateway = s_to_gateway, .cancel = s_cancel, .reply = s_reply,
                           .notice = s_notice};
    return emergency_core_new(w.fleet, &out, (uint64_t)w.now_ns);
}

static void s_setup(void)
{
    static const char text[] = "instruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        max_quantity = 20\n"
                               "        max_position = 100\nvenues\n    alpha\n        maker_fee = 0\n    beta\n        maker_fee = 0\n";
    char problem[ZVT_PROBLEM_SIZE];
    zvt_diag_init("test", ZVT_DIAG_ERROR);
    memset(&w, 0, sizeof w);
    w.fleet = calloc(1, sizeof *w.fleet);
    cr_assert_eq(zvt_fleet_parse(text, "test", w.fleet, problem), 0, "%s", problem);
    w.now_ns = START;
    w.reachable[ALPHA] = w.reachable[BETA] = true;
    w.core = s_new();
    cr_assert_eq(emergency_core_load(w.core, NULL, 0), 0);
}

static void s_teardown(void)
{
    emergency_core_destroy(&w.core);
    free(w.fleet);
}

TestSuite(emergency_core, .init = s_setup, .fini = s_teardown);

/* Hands out what venues answer, until nothing is left. */
static void s_deliver(void)
{
    static zvt_record_t record;
    while (w.answers_count > 0) {
        uint32_t venue = w.answers_venue[0];
        record = w.answers[0];
        w.answers_count--;
        memmove(w.answers, w.answers + 1, (size_t)w.answers_count * sizeof w.answers[0]);
        memmove(w.answers_venue, w.answers_venue + 1, (size_t)w.answers_count * sizeof w.answers_venue[0]);
        (void)emergency_core_on_gateway_record(w.core, venue, &record, s_now());
    }
}

static void s_run(int64_t duration_ns)
{
    for (int64_t end_ns = w.now_ns + duration_ns; w.now_ns < end_ns; w.now_ns += 10 * MS) {
        emergency_core_on_time(w.core, s_now());
        s_deliver();
    }
}

static zvt_id_t s_order_id(uint8_t number)
{
    zvt_id_t id = {{0}};
    id.bytes[0] = 0xab;
    id.bytes[15] = number;
    return id;
}

static void s_open_order(uint32_t venue, uint8_t number)
{
    for (int i = 0; i < OPEN_MAX; i++) {
        if (w.open[venue][i][0] != '\0') continue;
        snprintf(w.open[venue][i], ZVT_CLIENT_ORDER_SIZE, "ab0000000000000000000000000000%02x-0-1", number);
        return;
    }
}

static void s_ask(uint8_t action, const zvt_id_t *order_id)
{
    zvt_kill_request_t request = {.action = action, .requested_by = "operator", .reason = "a drill", .timeout_ms = 1000};
    emergency_client_t client = {{7}};
    if (order_id != NULL) request.order_id = *order_id;
    emergency_core_on_request(w.core, &client, &request, s_now());
    s_deliver();
}

static const zvt_kill_reply_t *s_last_reply(void)
{
    cr_assert_gt(w.replies_count, 0);
    return &w.replies[w.replies_count - 1];
}

static void s_restart(void)
{
    static uint8_t s_copy[EMERGENCY_JOURNAL_MAX];
    emergency_core_destroy(&w.core);
    memcpy(s_copy, w.journal, w.journal_length);
    w.halted[0] = '\0';
    w.core = s_new();
    cr_assert_eq(emergency_core_load(w.core, s_copy, w.journal_length), 0);
}

/* ---- kill ---- */
Test(emergency_core, kills_by_halting_first_and_canceling_everything_then)
{
    s_open_order(ALPHA, 1);
    s_open_order(ALPHA, 2);
    s_open_order(BETA, 3);
    s_ask(ZVT_KILL_KILL, NULL);
    cr_assert_str_eq(w.halted, "killed by operator: a drill");
    s_run(300 * MS);
    const zvt_kill_reply_t *reply = s_last_reply();
    cr_assert_eq(w.replies_count, 1);
    cr_assert(reply->success);
    cr_assert(reply->halted);
    cr_assert_eq(reply->code, ZVT_CODE_OK);
    cr_assert_eq(reply->found, 3u);
    cr_assert_eq(reply->canceled, 3u);
    cr_assert_eq(reply->left, 0u);
    cr_assert_eq(reply->venues, 2u);
    cr_assert_eq(reply->unreachable, 0u);
}

Test(emergency_core, cancels_what_appears_later_for_as_long_as_the_latch_is_on)
{
    s_ask(ZVT_KILL_KILL, NULL);
    s_run(300 * MS);
    s_open_order(BETA, 9); /* it was on its way when the switch was pulled */
    s_run(1500 * MS);
    cr_assert_eq(w.open[BETA][0][0], '\0');
    int looks = w.looks;
    s_ask(ZVT_KILL_RESUME, NULL);
    s_open_order(BETA, 10);
    s_run(3000 * MS);
    cr_assert_eq(w.looks, looks, "nobody looks once it is released");
    cr_assert_neq(w.open[BETA][0][0], '\0');
}

Test(emergency_core, counts_what_waited_for_a_limit_among_the_canceled)
{
    w.waiting = 4;
    s_ask(ZVT_KILL_KILL, NULL);
    s_run(300 * MS);
    cr_assert_eq(s_last_reply()->canceled, 4u);
    cr_assert_eq(w.waiting, 0u);
}

Test(emergency_core, says_which_venues_it_could_not_ask_and_cancels_there_when_it_can)
{
    w.reachable[BETA] = false;
    s_open_order(BETA, 1);
    s_ask(ZVT_KILL_KILL, NULL);
    s_run(100 * MS);
    cr_assert(s_last_reply()->success, "the latch is on");
    cr_assert_eq(s_last_reply()->code, ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_eq(s_last_reply()->unreachable, 1u);
    cr_assert_str_eq(s_last_reply()->message, "cannot be asked: beta");
    w.reachable[BETA] = true;
    s_run(1500 * MS);
    cr_assert_eq(w.open[BETA][0][0], '\0');
}

Test(emergency_core, answers_in_time_when_a_venue_says_nothing)
{
    w.silent[BETA] = true;
    s_ask(ZVT_KILL_KILL, NULL);
    s_run(900 * MS);
    cr_assert_eq(w.replies_count, 0);
    s_run(200 * MS);
    cr_assert_eq(w.replies_count, 1);
    cr_assert_eq(s_last_reply()->unreachable, 1u);
}

Test(emergency_core, is_killed_after_a_restart_until_somebody_resumes)
{
    zvt_kill_notice_t latch;
    s_ask(ZVT_KILL_KILL, NULL);
    s_restart();
    cr_assert_str_eq(w.halted, "killed by operator: a drill");
    cr_assert(emergency_core_is_latched(w.core, &latch));
    cr_assert_str_eq(latch.requested_by, "operator");
    s_ask(ZVT_KILL_RESUME, NULL);
    cr_assert_str_eq(w.halted, "");
    s_restart();
    cr_assert_not(emergency_core_is_latched(w.core, NULL));
}

Test(emergency_core, stays_killed_when_the_log_has_accounted_for_it)
{
    s_ask(ZVT_KILL_KILL, NULL);
    zvt_kill_noted_t noted = {.entry_id = w.notices[0].entry_id};
    emergency_core_on_noted(w.core, &noted);
    cr_assert_eq(emergency_core_entries(w.core), 0u);
    s_restart(); /* twice: the journal is written anew each time */
    s_restart();
    cr_assert(emergency_core_is_latched(w.core, NULL));
    cr_assert_eq(emergency_core_entries(w.core), 0u);
}

Test(emergency_core, journals_a_second_kill_only_once)
{
    s_ask(ZVT_KILL_KILL, NULL);
    s_ask(ZVT_KILL_KILL, NULL);
    s_run(300 * MS);
    cr_assert_eq(w.appends, 1);
    cr_assert_eq(w.replies_count, 2);
    cr_assert(zvt_id_equal(&w.replies[0].entry_id, &w.replies[1].entry_id));
}

/* ---- cancels ---- */
Test(emergency_core, cancels_one_order_wherever_it_rests_and_no_other)
{
    zvt_id_t order_id = s_order_id(2);
    s_open_order(ALPHA, 1);
    s_open_order(BETA, 2);
    s_ask(ZVT_KILL_CANCEL, &order_id);
    s_run(300 * MS);
    cr_assert(s_last_reply()->success);
    cr_assert_eq(s_last_reply()->code, ZVT_CODE_OK);
    cr_assert_eq(s_last_reply()->canceled, 1u);
    cr_assert_neq(w.open[ALPHA][0][0], '\0');
    cr_assert_eq(w.open[BETA][0][0], '\0');
    cr_assert_str_eq(w.halted, "");
}

Test(emergency_core, says_when_no_venue_has_the_order)
{
    zvt_id_t order_id = s_order_id(2);
    s_ask(ZVT_KILL_CANCEL, &order_id);
    s_run(300 * MS);
    cr_assert_not(s_last_reply()->success);
    cr_assert_eq(s_last_reply()->code, ZVT_CODE_UNKNOWN_ORDER);
    w.reachable[BETA] = false;
    s_ask(ZVT_KILL_CANCEL, &order_id);
    s_run(300 * MS);
    cr_assert_eq(s_last_reply()->code, ZVT_CODE_VENUE_UNREACHABLE, "it may rest there");
}

Test(emergency_core, tells_what_became_of_an_order_that_is_not_open_any_more)
{
    zvt_id_t order_id = s_order_id(5);
    snprintf(w.ended, sizeof w.ended, "ab000000000000000000000000000005-0-2");
    w.ended_state = ZVT_ORDER_STATE_FILLED;
    s_ask(ZVT_KILL_CANCEL, &order_id);
    s_run(300 * MS);
    cr_assert_not(s_last_reply()->success);
    cr_assert_eq(s_last_reply()->code, ZVT_CODE_ORDER_ENDED);
    cr_assert_eq(s_last_reply()->state, ZVT_ORDER_STATE_FILLED);
    w.ended_state = ZVT_ORDER_STATE_CANCELED;
    s_ask(ZVT_KILL_CANCEL, &order_id);
    s_run(300 * MS);
    cr_assert(s_last_reply()->success, "canceled is what was wanted, whoever did it");
}

Test(emergency_core, cancels_all_once_and_sends_on)
{
    s_open_order(ALPHA, 1);
    s_ask(ZVT_KILL_CANCEL_ALL, NULL);
    s_run(300 * MS);
    cr_assert(s_last_reply()->success);
    cr_assert_eq(s_last_reply()->canceled, 1u);
    cr_assert_str_eq(w.halted, "");
    s_open_order(ALPHA, 2);
    s_run(3000 * MS);
    cr_assert_neq(w.open[ALPHA][0][0], '\0');
}

Test(emergency_core, refuses_what_makes_no_sense)
{
    s_ask(0, NULL);
    cr_assert_eq(s_last_reply()->code, ZVT_CODE_MALFORMED);
    s_ask(200, NULL);
    cr_assert_eq(s_last_reply()->code, ZVT_CODE_MALFORMED);
    s_ask(ZVT_KILL_CANCEL, NULL);
    cr_assert_eq(s_last_reply()->code, ZVT_CODE_MALFORMED);
    cr_assert_eq(w.appends, 0);
    s_ask(ZVT_KILL_RESUME, NULL);
    cr_assert(s_last_reply()->success, "nothing to resume is no mistake");
}

/* ---- what is open ---- */
Test(emergency_core, does_not_take_the_end_of_another_list_for_its_own)
{
    zvt_record_t quotes = {.type = ZVT_T_LIST_END};
    zvt_id_t order_id = s_order_id(1);
    s_open_order(ALPHA, 1);
    zvt_kill_request_t request = {.action = ZVT_KILL_CANCEL, .order_id = order_id};
    emergency_client_t client = {{7}};
    emergency_core_on_request(w.core, &client, &request, s_now());
    (void)emergency_core_on_gateway_record(w.core, ALPHA, &quotes, s_now());
    cr_assert_eq(w.replies_count, 0);
    s_run(300 * MS);
    cr_assert(s_last_reply()->success);
}

Test(emergency_core, asks_again_when_a_part_of_the_list_is_lost)
{
    s_open_order(ALPHA, 1);
    s_open_order(ALPHA, 2);
    zvt_kill_request_t request = {.action = ZVT_KILL_CANCEL_ALL};
    emergency_client_t client = {{7}};
    emergency_core_on_request(w.core, &client, &request, s_now());
    for (int i = 0; i < w.answers_count; i++) /* the rows of the first look are lost, its end arrives */
        if (w.answers[i].type == ZVT_T_ORDER_STATUS && w.answers[i].order_status.code == ZVT_CODE_OK) w.answers[i].type = ZVT_T_BALANCE;
    s_deliver();
    cr_assert_eq(w.replies_count, 0);
    s_run(300 * MS);
    cr_assert_eq(s_last_reply()->canceled, 2u);
}

Test(emergency_core, begins_a_look_anew_that_is_never_answered)
{
    w.silent[ALPHA] = true;
    s_ask(ZVT_KILL_KILL, NULL);
    s_run(500 * MS);
    w.silent[ALPHA] = false;
    s_open_order(ALPHA, 1);
    s_run(1000 * MS);
    cr_assert_eq(w.open[ALPHA][0][0], '\0');
}

Test(emergency_core, keeps_its_own_answers_from_the_orchestrator)
{
    zvt_record_t mark = {.type = ZVT_T_ORDER_STATUS}, row = {.type = ZVT_T_ORDER_STATUS};
    ZVT_STR_SET(mark.order_status.client_order_id, "look-1");
    ZVT_STR_SET(row.order_status.client_order_id, "ab000000000000000000000000000001-0-1");
    cr_assert(emergency_core_on_gateway_record(w.core, ALPHA, &mark, s_now()));
    cr_assert_not(emergency_core_on_gateway_record(w.core, ALPHA, &row, s_now()));
}

/* ---- the orchestrator ---- */
Test(emergency_core, tells_every_entry_until_it_is_noted)
{
    zvt_id_t order_id = s_order_id(1);
    s_ask(ZVT_KILL_CANCEL, &order_id);
    cr_assert_eq(w.notices_count, 1, "at once, before anything comes of it");
    s_run(1200 * MS);
    cr_assert_geq(w.notices_count, 3);
    zvt_kill_noted_t noted = {.entry_id = w.notices[0].entry_id};
    emergency_core_on_noted(w.core, &noted);
    emergency_core_on_noted(w.core, &noted);
    int told = w.notices_count;
    s_run(2000 * MS);
    cr_assert_eq(w.notices_count, told);
    s_restart();
    emergency_core_tell(w.core);
    cr_assert_eq(w.notices_count, told, "that it was noted is in the journal too");
}

Test(emergency_core, tells_a_kill_as_over_when_it_was_resumed_before_it_was_noted)
{
    s_ask(ZVT_KILL_KILL, NULL);
    s_ask(ZVT_KILL_RESUME, NULL);
    s_restart();
    emergency_core_tell(w.core);
    const zvt_kill_notice_t *last = &w.notices[w.notices_count - 1];
    cr_assert_eq(last->action, ZVT_KILL_KILL);
    cr_assert(last->over);
    cr_assert_str_eq(last->over_by, "operator");
    cr_assert_eq(emergency_core_entries(w.core), 1u, "the resume itself is the orchestrator's own business");
}

/* ---- the journal ---- */
Test(emergency_core, forgets_an_entry_whose_append_was_cut_off)
{
    s_ask(ZVT_KILL_KILL, NULL);
    w.journal_length -= 3;
    s_restart();
    cr_assert_not(emergency_core_is_latched(w.core, NULL));
    s_ask(ZVT_KILL_KILL, NULL);
    s_restart();
    cr_assert(emergency_core_is_latched(w.core, NULL), "what follows is readable");
}

Test(emergency_core, refuses_a_journal_that_somebody_else_wrote)
{
    emergency_core_t *core = s_new();
    uint8_t bytes[64];
    memset(bytes, 0x77, sizeof bytes);
    cr_assert_eq(emergency_core_load(core, bytes, sizeof bytes), ZVT_ERR_CORRUPT);
    emergency_core_destroy(&core);
}

Test(emergency_core, kills_with_a_full_disk_says_so_and_writes_when_there_is_room)
{
    w.disk_full = true;
    s_ask(ZVT_KILL_KILL, NULL);
    cr_assert_neq(w.halted[0], '\0');
    s_run(300 * MS);
    cr_assert(s_last_reply()->success);
    cr_assert_eq(s_last_reply()->code, ZVT_CODE_NOT_JOURNALED);
    w.disk_full = false;
    s_run(1500 * MS);
    s_restart();
    cr_assert(emergency_core_is_latched(w.core, NULL));
}

Test(emergency_core, refuses_cancels_when_the_journal_is_full_but_never_a_kill)
{
    for (unsigned i = 0; i < EMERGENCY_ENTRIES_MAX; i++) {
        zvt_id_t order_id = s_order_id((uint8_t)i);
        s_ask(ZVT_KILL_CANCEL, &order_id);
        s_run(100 * MS);
        w.notices_count = w.replies_count = 0;
    }
    zvt_id_t order_id = s_order_id(255);
    s_ask(ZVT_KILL_CANCEL, &order_id);
    cr_assert_eq(s_last_reply()->code, ZVT_CODE_OVERLOADED);
    s_ask(ZVT_KILL_KILL, NULL);
    cr_assert_neq(w.halted[0], '\0');
    cr_assert_eq(emergency_core_entries(w.core), (uint32_t)EMERGENCY_ENTRIES_MAX);
    s_restart();
    cr_assert(emergency_core_is_latched(w.core, NULL));
}

Test(emergency_core, keeps_its_journal_within_bounds_however_often_it_is_used)
{
    for (int i = 0; i < 1000; i++) {
        s_ask(ZVT_KILL_KILL, NULL);
        zvt_kill_noted_t noted = {.entry_id = w.notices[w.notices_count - 1].entry_id};
        emergency_core_on_noted(w.core, &noted);
        s_ask(ZVT_KILL_RESUME, NULL);
        s_run(100 * MS);
        w.notices_count = w.replies_count = 0;
    }
    cr_assert_leq(w.journal_length, sizeof w.journal);
    s_restart();
    cr_assert_not(emergency_core_is_latched(w.core, NULL));
    cr_assert_eq(w.journal_length, 0u, "nothing is left to remember");
}

Test(emergency_core, does_what_is_asked_even_when_too_many_wait_for_the_outcome)
{
    w.silent[ALPHA] = w.silent[BETA] = true;
    for (int i = 0; i < EMERGENCY_JOBS_MAX; i++) s_ask(ZVT_KILL_CANCEL_ALL, NULL);
    s_ask(ZVT_KILL_KILL, NULL);
    cr_assert_eq(s_last_reply()->code, ZVT_CODE_OVERLOADED);
    cr_assert(s_last_reply()->success);
    cr_assert_neq(w.halted[0], '\0');
}
