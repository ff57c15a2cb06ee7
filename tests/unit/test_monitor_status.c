#include <criterion/criterion.h>
#include <string.h>

#include "status_core.h"

static status_process_t s_processes[8];
static size_t s_count;
static char s_problem[STATUS_PROBLEM_SIZE];

static int s_read(const char *text)
{
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    memset(s_processes, 0, sizeof s_processes);
    int status = status_core_read(in, s_processes, 8, &s_count, s_problem);
    fclose(in);
    return status;
}

static const char *s_state(const char *lines, const char *orchestrator)
{
    cr_assert_eq(s_read(lines), 0, "%s", s_problem);
    json_t *stats = orchestrator == NULL ? NULL : json_loads(orchestrator, 0, NULL);
    const char *state = status_core_fleet_state(s_processes, s_count, stats, NULL);
    json_decref(stats);
    return state;
}

Test(monitor_status, reads_the_supervisors_lines)
{
    cr_assert_eq(s_read("# name kind pid uptime restarts ready state\n\n"
                        "risk risk 12 99 3 yes up\nmomentum strategy - - 5 0 down\n"), 0);
    cr_assert_eq(s_count, 2);
    cr_assert_str_eq(s_processes[0].name, "risk");
    cr_assert_eq(s_processes[0].pid, 12);
    cr_assert_eq(s_processes[0].uptime_s, 99);
    cr_assert_eq(s_processes[0].restarts, 3);
    cr_assert(s_processes[0].ready);
    cr_assert_eq(s_processes[1].pid, 0);
    cr_assert_not(s_processes[1].ready);
    cr_assert_str_eq(s_processes[1].state, "down");
}

Test(monitor_status, names_the_line_that_is_wrong)
{
    static const char *const wrong[] = {"a b 1 2 3 yes", "a b 1 2 3 yes up more", "a b x 2 3 yes up", "a b 1 -2 3 yes up",
                                        "a b 1 2 3 perhaps up", "a-name-that-is-longer-than-the-wire-allows b 1 2 3 yes up"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "risk risk 12 99 3 yes up\n%s\n", wrong[i]);
        cr_assert_eq(s_read(text), ZVT_ERR_SYNTAX, "%s", wrong[i]);
        cr_assert_not_null(strstr(s_problem, "line 2"), "%s", s_problem);
    }
}

Test(monitor_status, refuses_more_lines_than_there_is_room_for)
{
    char text[512] = "";
    for (int i = 0; i < 9; i++) strcat(text, "risk risk 12 99 3 yes up\n");
    cr_assert_eq(s_read(text), ZVT_ERR_FULL);
}

Test(monitor_status, tells_the_fleets_state)
{
    static const char *const trading = "{\"state\": \"trading\", \"halted\": false}";
    cr_assert_str_eq(s_state("\n", NULL), "down");
    cr_assert_str_eq(s_state("risk risk - - 0 no down\n", NULL), "down");
    cr_assert_str_eq(s_state("risk risk 5 90 0 yes up\n", trading), "trading");
    cr_assert_str_eq(s_state("risk risk 5 90 0 yes up\n", "{\"state\": \"trading\", \"halted\": true}"), "halted");
    cr_assert_str_eq(s_state("risk risk 5 90 0 yes up\n", "{\"state\": \"halted\"}"), "halted");
    cr_assert_str_eq(s_state("risk risk 5 2 0 no up\n", trading), "starting");
    cr_assert_str_eq(s_state("risk risk 5 2 0 yes up\n", NULL), "starting");
    cr_assert_str_eq(s_state("risk risk 5 90 0 yes up\n", NULL), "degraded");
    cr_assert_str_eq(s_state("risk risk 5 90 0 no up\n", trading), "degraded");
    cr_assert_str_eq(s_state("risk risk 5 90 0 yes up\nexecutor executor - - 9 no down\n", trading), "degraded");
}

Test(monitor_status, does_not_count_a_strategy_against_the_fleet)
{
    cr_assert_str_eq(s_state("risk risk 5 90 0 yes up\nm strategy - - 5 no down\n", "{\"state\": \"trading\"}"), "trading");
    cr_assert_str_eq(s_state("m strategy 7 9 5 yes up\n", NULL), "down");
}

Test(monitor_status, merges_answers_into_the_contract)
{
    cr_assert_eq(s_read("orchestrator orchestrator 5 90 0 yes up\nrisk risk 6 90 2 yes up\n"
                        "postgres postgres 7 91 0 yes up\n"), 0);
    const char *bodies[] = {"{\"state\": \"trading\", \"seq\": 1042, \"open_sagas\": 1, \"orders_per_second\": 2.5,"
                            " \"halted\": false, \"counters\": {\"messages\": 7},"
                            " \"latency_ms\": {\"order\": {\"count\": 3, \"p50\": 1.5, \"p99\": 4}}}",
                            "not json", NULL};
    json_t *status = status_core_merge(s_processes, s_count, bodies);
    const json_t *fleet = json_object_get(status, "fleet"), *processes = json_object_get(status, "processes");
    cr_assert_str_eq(json_string_value(json_object_get(fleet, "state")), "trading");
    cr_assert_eq(json_integer_value(json_object_get(fleet, "seq")), 1042);
    cr_assert_eq(json_integer_value(json_object_get(fleet, "open_sagas")), 1);
    cr_assert_eq(json_real_value(json_object_get(fleet, "orders_per_second")), 2.5);
    cr_assert_eq(json_real_value(json_object_get(json_object_get(fleet, "order_latency_ms"), "p50")), 1.5);
    cr_assert_eq(json_array_size(processes), 3);
    const json_t *first = json_array_get(processes, 0), *second = json_array_get(processes, 1);
    static const char *const keys[] = {"name", "kind", "pid", "uptime_s", "restarts", "ready", "messages"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_assert_not_null(json_object_get(first, keys[i]), "%s", keys[i]);
    cr_assert_eq(json_integer_value(json_object_get(first, "messages")), 7);
    cr_assert(json_is_null(json_object_get(second, "messages")));
    cr_assert(json_is_false(json_object_get(second, "answers")));
    json_decref(status);
}

/* State and market of a fleet with two venues that say this of their market. */
static void s_expect_market(const char *alpha, const char *beta, const char *state, const char *market)
{
    const char *bodies[] = {"{\"state\": \"trading\"}", alpha, beta};
    cr_assert_eq(s_read("orchestrator orchestrator 5 90 0 yes up\nvenue-alpha venue 6 90 0 yes up\n"
                        "venue-beta venue 7 90 0 yes up\n"), 0);
    json_t *status = status_core_merge(s_processes, s_count, bodies);
    const json_t *fleet = json_object_get(status, "fleet");
    cr_assert_str_eq(json_string_value(json_object_get(fleet, "state")), state);
    const char *seen = json_string_value(json_object_get(fleet, "market"));
    cr_assert_str_eq(seen == NULL ? "null" : seen, market);
    json_decref(status);
}

Test(monitor_status, says_that_the_market_has_ended_when_it_has_at_every_venue)
{
    static const char *const open = "{\"market\": {\"open\": true, \"ended\": false}}",
                             *const ended = "{\"market\": {\"open\": false, \"ended\": true}}",
                             *const full = "{\"market\": {\"open\": false, \"ended\": false}}";
    s_expect_market(open, open, "trading", "open");
    s_expect_market(open, ended, "trading", "open");
    s_expect_market(ended, ended, "market ended", "ended");
    s_expect_market(ended, NULL, "market ended", "ended");
    s_expect_market(full, full, "trading", "null");
}

Test(monitor_status, keeps_the_fleets_keys_when_nobody_answers)
{
    cr_assert_eq(s_read("\n"), 0);
    json_t *status = status_core_merge(s_processes, s_count, NULL);
    const json_t *fleet = json_object_get(status, "fleet");
    static const char *const keys[] = {"state", "seq", "open_sagas", "open_orders", "orders_per_second", "order_latency_ms",
                                       "epoch", "halted"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_assert_not_null(json_object_get(fleet, keys[i]), "%s", keys[i]);
    cr_assert_str_eq(json_string_value(json_object_get(fleet, "state")), "down");
    json_decref(status);
}

Test(monitor_status, knows_no_numbers_while_the_log_is_away)
{
    cr_assert_eq(s_read("orchestrator orchestrator 5 90 0 yes up\n"), 0);
    const char *bodies[] = {"{\"state\": \"degraded\", \"seq\": null, \"open_orders\": null, \"log_away\": \"disk full\"}"};
    json_t *status = status_core_merge(s_processes, s_count, bodies);
    const json_t *fleet = json_object_get(status, "fleet");
    cr_assert(json_is_null(json_object_get(fleet, "seq")));
    cr_assert(json_is_null(json_object_get(fleet, "open_orders")));
    cr_assert_str_eq(json_string_value(json_object_get(fleet, "log_away")), "disk full");
    json_decref(status);
}

/* What is said of the account at a venue when the orchestrator's answer is this. */
static void s_expect_account(const char *orchestrator, const char *account, const char *reason)
{
    const char *bodies[] = {orchestrator, "{\"venues\": [{\"name\": \"alpha\"}]}"};
    cr_assert_eq(s_read("orchestrator orchestrator 5 90 0 yes up\nexecutor executor 6 90 0 yes up\n"), 0);
    json_t *status = status_core_merge(s_processes, s_count, bodies);
    const json_t *venue = json_array_get(json_object_get(status, "venues"), 0);
    const char *seen = json_string_value(json_object_get(venue, "account")), *why = json_string_value(json_object_get(venue, "account_reason"));
    cr_assert_str_eq(seen == NULL ? "null" : seen, account);
    cr_assert_str_eq(why == NULL ? "null" : why, reason);
    json_decref(status);
}

Test(monitor_status, tells_which_account_gets_no_orders_and_why)
{
    s_expect_account("{\"accounts_closed\": []}", "ok", "null");
    s_expect_account("{\"accounts_closed\": [{\"name\": \"beta\", \"code\": \"ACCOUNT_HALTED\", \"reason\": \"x\"}]}", "ok", "null");
    s_expect_account("{\"accounts_closed\": [{\"name\": \"alpha\", \"code\": \"ACCOUNT_HALTED\", \"reason\": \"x\"}]}", "ACCOUNT_HALTED", "x");
    s_expect_account("{\"state\": \"degraded\"}", "null", "null");
    s_expect_account(NULL, "null", "null");
}

Test(monitor_status, names_the_orchestrator_that_waits)
{
    const char *bodies[] = {"{\"state\": \"standby\"}", "{\"state\": \"trading\"}"};
    cr_assert_eq(s_read("orchestrator orchestrator 5 90 0 yes running\norchestrator-2 orchestrator 6 90 0 yes running\n"), 0);
    json_t *status = status_core_merge(s_processes, s_count, bodies);
    const json_t *processes = json_object_get(status, "processes");
    cr_assert_str_eq(json_string_value(json_object_get(json_array_get(processes, 0), "state")), "standby");
    cr_assert_str_eq(json_string_value(json_object_get(json_array_get(processes, 1), "state")), "running");
    json_decref(status);
}

Test(monitor_status, of_two_orchestrators_the_one_that_works_speaks_for_the_fleet)
{
    static const char *const standby = "{\"state\": \"standby\", \"seq\": 1}", *const starting = "{\"state\": \"starting\", \"seq\": 2}",
                      *const trading = "{\"state\": \"trading\", \"seq\": 3}";
    const struct { const char *first, *second; int64_t seq; } cases[] = {
        {standby, trading, 3}, {trading, standby, 3}, {starting, trading, 3}, {NULL, trading, 3}, {trading, NULL, 3}, {standby, starting, 1}};
    cr_assert_eq(s_read("orchestrator orchestrator 5 90 0 yes up\norchestrator-2 orchestrator 6 90 0 yes up\n"), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *bodies[] = {cases[i].first, cases[i].second};
        json_t *status = status_core_merge(s_processes, s_count, bodies);
        cr_assert_eq(json_integer_value(json_object_get(json_object_get(status, "fleet"), "seq")), cases[i].seq, "case %zu", i);
        json_decref(status);
    }
}
