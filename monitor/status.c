/* status -- the state of the fleet and its processes, as a table or JSON. */
#include <inttypes.h>

#include "command.h"
#include "control.h"
#include "format.h"
#include "runs.h"
#include "status_core.h"
#include "table.h"
#include "zvt_time.h"

enum {
    STATS_MS = 200,   /* a healthy process answers within a round of its loop */
    OFTEN = 3,        /* restarts in the last minute that are worth a word */
};

#define LATELY_NS (60 * ZVT_SECOND_NS)

typedef struct {
    const char *processes;
    const char *services;
    bool json;
} status_args_t;

#define AT(member) .offset = offsetof(status_args_t, member)
static const arg_t s_status_args[] = {
    {.name = "processes", .argument = "FILE", .kind = ARG_TEXT, .required = true, AT(processes),
     .meaning = "lines 'name kind pid uptime_s restarts ready state'; - is standard input"},
    {.name = "services", .argument = "DIR", .kind = ARG_TEXT, AT(services),
     .meaning = "the supervisor's service folders, which hold what it noted of restarts"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object"},
    {.name = NULL},
};
#undef AT

/* ---- the table ---- */
static format_tone_t s_fleet_tone(const char *state)
{
    static const struct {
        const char *state;
        format_tone_t tone;
    } tones[] = {{"trading", FORMAT_GOOD}, {"halted", FORMAT_WARNING}, {"starting", FORMAT_WARNING}, {"market ended", FORMAT_WARNING},
                 {"degraded", FORMAT_BAD}};
    for (size_t i = 0; i < sizeof tones / sizeof tones[0]; i++)
        if (strcmp(tones[i].state, state) == 0) return tones[i].tone;
    return FORMAT_PLAIN;
}

static void s_print_number(const json_t *value, const char *name)
{
    if (json_is_integer(value)) printf("  %s %" JSON_INTEGER_FORMAT, name, json_integer_value(value));
    if (json_is_real(value)) printf("  %s %.1f", name, json_real_value(value));
    if (json_is_string(value)) printf("  %s %s", name, json_string_value(value));
    if (json_is_null(value)) printf("  %s -", name); /* not known: no number would be true */
}

/* The same, of something that is worth a word only when there is any. */
static void s_print_count(const json_t *value, const char *name, bool colour)
{
    if (json_integer_value(value) == 0) return;
    printf("  %s%s %" JSON_INTEGER_FORMAT "%s", format_tone(FORMAT_WARNING, colour), name, json_integer_value(value),
           format_tone_end(FORMAT_WARNING, colour));
}

static void s_print_fleet(const json_t *fleet, bool colour)
{
    const char *state = json_string_value(json_object_get(fleet, "state"));
    format_tone_t tone = s_fleet_tone(state);
    printf("fleet %s%s%s", format_tone(tone, colour), state, format_tone_end(tone, colour));
    if (strcmp(state, "down") == 0) {
        putchar('\n');
        return;
    }
    s_print_number(json_object_get(fleet, "seq"), "seq");
    s_print_number(json_object_get(fleet, "open_sagas"), "open sagas");
    s_print_number(json_object_get(fleet, "open_orders"), "open orders");
    s_print_count(json_object_get(fleet, "unknown_orders"), "unknown orders", colour);
    s_print_count(json_object_get(fleet, "dead_letters"), "dead letters", colour);
    s_print_number(json_object_get(fleet, "orders_per_second"), "orders/s");
    const json_t *latency = json_object_get(fleet, "order_latency_ms");
    if (json_is_object(latency)) {
        s_print_number(json_object_get(latency, "p50"), "latency ms p50");
        s_print_number(json_object_get(latency, "p99"), "p99");
    }
    s_print_number(json_object_get(fleet, "epoch"), "epoch");
    putchar('\n');
    const char *away = json_string_value(json_object_get(fleet, "log_away"));
    if (away != NULL)
        printf("%sthe event log is away%s: %s; what rests at the venues still rests, `kill` and `cancel` work without the log\n",
               format_tone(FORMAT_BAD, colour), format_tone_end(FORMAT_BAD, colour), away);
}

static void s_integer_cell(table_t *table, const json_t *value)
{
    if (json_is_integer(value))
        table_cellf(table, FORMAT_PLAIN, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        table_cell(table, FORMAT_PLAIN, "-");
}

/* "14:03:22 killed by SIGKILL, back after 0.310 s" */
static void s_restart_cell(table_t *table, const status_process_t *process)
{
    char clock[FORMAT_CLOCK], cause[RESTARTS_TEXT_SIZE], outcome[RESTARTS_TEXT_SIZE];
    if (!process->ended) {
        table_cell(table, FORMAT_QUIET, "-");
        return;
    }
    format_clock(process->last.at_ns, clock);
    restarts_core_cause(&process->last, cause);
    restarts_core_outcome(&process->last, outcome);
    table_cellf(table, process->last.outcome == RESTARTS_WORKS ? FORMAT_QUIET : FORMAT_WARNING, "%.8s %s, %s", clock, cause,
                outcome);
}

static void s_process_cells(table_t *table, const json_t *process)
{
    char uptime[FORMAT_UPTIME];
    bool runs = json_is_integer(json_object_get(process, "pid")), ready = json_is_true(json_object_get(process, "ready"));
    format_uptime(json_integer_value(json_object_get(process, "uptime_s")), uptime);
    table_cell(table, FORMAT_STRONG, json_string_value(json_object_get(process, "name")));
    table_cell(table, FORMAT_PLAIN, json_string_value(json_object_get(process, "kind")));
    s_integer_cell(table, json_object_get(process, "pid"));
    table_cell(table, FORMAT_PLAIN, runs ? uptime : "-");
    s_integer_cell(table, json_object_get(process, "restarts"));
    table_cell(table, ready ? FORMAT_GOOD : FORMAT_BAD, ready ? "ready" : runs ? "starting" : "down");
    s_integer_cell(table, json_object_get(process, "messages"));
    table_cell(table, FORMAT_QUIET, json_string_value(json_object_get(process, "state")));
}

/* Why a venue's circuit is not closed, and when it is tried again. */
static void s_circuit_cell(table_t *table, const json_t *venue)
{
    const char *circuit = json_string_value(json_object_get(venue, "circuit"));
    const char *reason = json_string_value(json_object_get(venue, "circuit_reason"));
    json_int_t retry_ms = json_integer_value(json_object_get(venue, "retry_ms"));
    bool closed = circuit == NULL || strcmp(circuit, "closed") == 0;
    if (closed)
        table_cell(table, FORMAT_GOOD, circuit == NULL ? "-" : circuit);
    else if (retry_ms > 0)
        table_cellf(table, FORMAT_BAD, "%s: %s, tried in %.1f s", circuit, reason == NULL ? "" : reason, (double)retry_ms / 1e3);
    else
        table_cellf(table, FORMAT_WARNING, "%s: %s", circuit, reason == NULL ? "" : reason);
}

static bool s_is_account(const json_t *venue, uint8_t code)
{
    const char *account = json_string_value(json_object_get(venue, "account"));
    return account != NULL && strcmp(account, zvt_code_text(code)) == 0;
}

/* Whether the account there gets orders. */
static void s_account_cell(table_t *table, const json_t *venue)
{
    const char *account = json_string_value(json_object_get(venue, "account"));
    if (s_is_account(venue, ZVT_CODE_ACCOUNT_HALTED))
        table_cell(table, FORMAT_BAD, "halted");
    else if (s_is_account(venue, ZVT_CODE_NOT_RECONCILED))
        table_cell(table, FORMAT_WARNING, "not compared");
    else
        table_cell(table, FORMAT_GOOD, account == NULL ? "-" : account);
}

/* Why an account gets no orders, and what to do. */
static void s_print_account(const json_t *venue)
{
    const char *name = json_string_value(json_object_get(venue, "name"));
    const char *reason = json_string_value(json_object_get(venue, "account_reason"));
    if (s_is_account(venue, ZVT_CODE_ACCOUNT_HALTED))
        printf("\nThe account at %s is halted: %s. See: %s reconcile %s\n", name, reason == NULL ? "" : reason, command_program(), name);
}

static void s_print_venues(const json_t *venues, bool colour)
{
    static const char *const heads[] = {"venue", "reached", "account", "circuit", ">ms", ">failures", ">waiting orders", ">cancels", NULL};
    if (json_array_size(venues) == 0) return;
    table_t *table = table_new(heads);
    for (size_t i = 0; i < json_array_size(venues); i++) {
        const json_t *venue = json_array_get(venues, i);
        bool reachable = json_is_true(json_object_get(venue, "reachable"));
        table_cell(table, FORMAT_STRONG, json_string_value(json_object_get(venue, "name")));
        table_cell(table, reachable ? FORMAT_GOOD : FORMAT_BAD, reachable ? "yes" : "no");
        s_account_cell(table, venue);
        s_circuit_cell(table, venue);
        table_cellf(table, FORMAT_PLAIN, "%.1f", json_number_value(json_object_get(venue, "latency_ms")));
        s_integer_cell(table, json_object_get(venue, "failures"));
        s_integer_cell(table, json_object_get(venue, "orders_waiting"));
        s_integer_cell(table, json_object_get(venue, "cancels_waiting"));
    }
    putchar('\n');
    table_print(table, stdout, colour);
    table_destroy(&table);
    for (size_t i = 0; i < json_array_size(venues); i++) s_print_account(json_array_get(venues, i));
}

/* What to do about processes that end again and again. */
static void s_print_advice(const status_process_t *processes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char cause[RESTARTS_TEXT_SIZE];
        if (processes[i].lately < OFTEN) continue;
        restarts_core_cause(&processes[i].last, cause);
        printf("\n%s was restarted %zu times in the last minute, at last: %s. To see why: %s logs %s; %s restarts %s\n",
               processes[i].name, processes[i].lately, cause, command_program(), processes[i].name, command_program(),
               processes[i].name);
    }
}

static void s_print_status(const json_t *status, const status_process_t *known, size_t count)
{
    static const char *const heads[] = {"process", "kind", ">pid", ">uptime", ">restarts", "ready", ">messages", "state",
                                        "last restart", NULL};
    bool colour = format_wants_colour(stdout);
    s_print_fleet(json_object_get(status, "fleet"), colour);
    s_print_venues(json_object_get(status, "venues"), colour);
    const json_t *processes = json_object_get(status, "processes");
    if (json_array_size(processes) == 0) return;
    table_t *table = table_new(heads);
    for (size_t i = 0; i < json_array_size(processes); i++) {
        s_process_cells(table, json_array_get(processes, i));
        s_restart_cell(table, &known[i]);
    }
    putchar('\n');
    table_print(table, stdout, colour);
    table_destroy(&table);
    s_print_advice(known, count);
}

/* ---- the command ---- */
static int s_read_processes(const char *path, status_process_t *processes, size_t *count)
{
    char problem[STATUS_PROBLEM_SIZE];
    bool standard = strcmp(path, "-") == 0;
    FILE *in = standard ? stdin : fopen(path, "r");
    if (in == NULL) return command_fail("%s: %s", path, strerror(errno));
    int status = status_core_read(in, processes, STATUS_PROCESSES_MAX, count, problem);
    if (!standard) fclose(in);
    return status == 0 ? ZVT_EXIT_OK : command_fail("%s, %s", path, problem);
}

/* Adds what was noted of each process's restarts. */
static void s_read_restarts(const char *services, status_process_t *processes, size_t count)
{
    for (size_t i = 0; services != NULL && i < count; i++) {
        restart_t restarts[RESTARTS_MAX];
        size_t ends = runs_restarts(services, processes[i].name, restarts);
        processes[i].ended = ends > 0;
        if (ends == 0) continue;
        processes[i].last = restarts[ends - 1];
        processes[i].lately = restarts_core_since(restarts, ends, zvt_utc_ns() - LATELY_NS);
    }
}

static int s_run_status(const void *arg)
{
    const status_args_t *args = arg;
    static status_process_t s_processes[STATUS_PROCESSES_MAX];
    static control_t s_targets[STATUS_PROCESSES_MAX];
    static size_t s_target_of[STATUS_PROCESSES_MAX];
    const char *bodies[STATUS_PROCESSES_MAX] = {NULL};
    size_t count = 0, asked = 0;
    int exit_code = s_read_processes(args->processes, s_processes, &count);
    if (exit_code != ZVT_EXIT_OK) return exit_code;
    s_read_restarts(args->services, s_processes, count);
    /* Only processes that run and serve a control socket are worth the wait: Postgres and foreign strategies do not. */
    for (size_t i = 0; i < count; i++) {
        char endpoint[ZVT_ENDPOINT_SIZE];
        zvt_endpoint(endpoint, "control", s_processes[i].name);
        if (s_processes[i].pid == 0 || !client_listens(endpoint)) continue;
        ZVT_STR_SET(s_targets[asked].name, s_processes[i].name);
        s_target_of[asked++] = i;
    }
    if (asked > 0) (void)control_ask(s_targets, asked, "stats", "", STATS_MS);
    for (size_t i = 0; i < asked; i++) {
        status_process_t *process = &s_processes[s_target_of[i]];
        if (!s_targets[i].answered || !s_targets[i].success) continue;
        bodies[s_target_of[i]] = s_targets[i].body;
        /* The supervisor had no room to note that it runs: who answers is ready. */
        process->ready = process->ready || strcmp(process->state, "unnoted") == 0;
    }
    json_t *status = status_core_merge(s_processes, count, bodies);
    if (args->json) {
        command_print_json(status);
    } else {
        s_print_status(status, s_processes, count);
        json_decref(status);
    }
    return ZVT_EXIT_OK;
}

const command_t command_status = {.name = "status", .summary = "Shows the state of the fleet and of its processes.",
                                  .args = s_status_args, .size = sizeof(status_args_t), .run = s_run_status};
