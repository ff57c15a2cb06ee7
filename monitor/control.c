#include "control.h"

#include <inttypes.h>

#include "command.h"
#include "format.h"
#include "table.h"
#include "zvt_time.h"

enum {
    PING_MS = 500,
    WAIT_STEP_MS = 100, /* between two looks at the orchestrator */
};

static bool s_on_reply(void *arg, const zvt_record_t *record, zvt_cursor_t *rest)
{
    control_t *target = arg;
    (void)rest;
    if (record->type != ZVT_T_CONTROL_REPLY) return false;
    target->success = record->control_reply.success;
    memcpy(target->body, record->control_reply.body, sizeof target->body);
    return true;
}

size_t control_ask(control_t *targets, size_t count, const char *command, const char *argument, int64_t timeout_ms)
{
    static client_ask_t asks[CLIENT_ASKS_MAX];
    ZVT_ASSERT(count <= CLIENT_ASKS_MAX);
    zvt_control_request_t request = {.command = ""};
    ZVT_STR_SET(request.command, command);
    ZVT_STR_SET(request.argument, argument);
    for (size_t i = 0; i < count; i++) {
        asks[i] = (client_ask_t){.who = targets[i].name, .type = ZVT_T_CONTROL_REQUEST, .question = &request,
                                 .repeatable = true, .on_record = s_on_reply, .arg = &targets[i]};
        zvt_endpoint(asks[i].endpoint, "control", targets[i].name);
    }
    size_t answered = client_ask(asks, count, timeout_ms);
    for (size_t i = 0; i < count; i++) {
        targets[i].answered = asks[i].outcome == CLIENT_ANSWERED;
        targets[i].took_ns = asks[i].took_ns;
        snprintf(targets[i].problem, sizeof targets[i].problem, "%s", asks[i].problem);
    }
    return answered;
}

/* ---- digest and stats: one process, its answer on stdout ---- */
typedef struct {
    const char *name;
    arg_u64_t seq;
} one_args_t;

#define AT(member) .offset = offsetof(one_args_t, member)
#define NAME_ROW                                                                                                       \
    {.name = "name", .argument = "NAME", .kind = ARG_TEXT, .positional = true, .required = true, .bound = ZVT_NAME_SIZE, \
     AT(name), .meaning = "name of the process in the fleet, such as risk or gateway-alpha"}
static const arg_t s_stats_args[] = {NAME_ROW, {.name = NULL}};
static const arg_t s_digest_args[] = {
    NAME_ROW,
    {.name = "seq", .argument = "SEQ", .kind = ARG_U64, .positional = true, .required = true, AT(seq),
     .meaning = "seq of a barrier event"},
    {.name = NULL},
};
#undef NAME_ROW
#undef AT

static int s_print_answer(const char *name, const char *command, const char *argument)
{
    static control_t s_target;
    ZVT_STR_SET(s_target.name, name);
    if (control_ask(&s_target, 1, command, argument, CLIENT_TIMEOUT_MS) == 0) return command_fail("%s", s_target.problem);
    if (!s_target.success) return command_fail("%s: %s", name, s_target.body);
    puts(s_target.body);
    return ZVT_EXIT_OK;
}

static int s_run_stats(const void *arg)
{
    const one_args_t *args = arg;
    return s_print_answer(args->name, "stats", "");
}

static int s_run_digest(const void *arg)
{
    const one_args_t *args = arg;
    char seq[24];
    snprintf(seq, sizeof seq, "%" PRIu64, args->seq.value);
    return s_print_answer(args->name, "digest", seq);
}

const command_t command_stats = {.name = "stats", .summary = "Prints the counters and latencies of one process as JSON.",
                                 .args = s_stats_args, .size = sizeof(one_args_t), .run = s_run_stats, .internal = true};
const command_t command_digest = {.name = "digest", .summary = "Prints the digest of a process's durable state at a barrier.",
                                  .args = s_digest_args, .size = sizeof(one_args_t), .run = s_run_digest, .internal = true};

/* ---- ping ---- */
typedef struct {
    arg_texts_t names;
    int64_t timeout_ms;
    bool all;
} ping_args_t;

#define AT(member) .offset = offsetof(ping_args_t, member)
static const arg_t s_ping_args[] = {
    {.name = "name", .argument = "NAME", .kind = ARG_TEXTS, .positional = true, .bound = ZVT_NAME_SIZE, AT(names),
     .meaning = "names of processes"},
    {.name = "all", .kind = ARG_FLAG, AT(all), .meaning = "every process that has a control socket"},
    {.name = "timeout", .argument = "SECONDS", .kind = ARG_SECONDS, .fallback = "0.5", AT(timeout_ms),
     .meaning = "longest wait"},
    {.name = NULL},
};
#undef AT

static void s_print_pings(const control_t *targets, size_t count)
{
    static const char *const heads[] = {"process", ">ms", "", NULL};
    table_t *table = table_new(heads);
    for (size_t i = 0; i < count; i++) {
        char ms[ZVT_FIXED_TEXT];
        format_ms(targets[i].took_ns, ms);
        table_cell(table, FORMAT_STRONG, targets[i].name);
        table_cell(table, FORMAT_PLAIN, targets[i].answered ? ms : "-");
        table_cell(table, targets[i].answered ? FORMAT_GOOD : FORMAT_BAD,
                   targets[i].answered ? "answers" : targets[i].problem);
    }
    table_print(table, stdout, format_wants_colour(stdout));
    table_destroy(&table);
}

static int s_run_ping(const void *arg)
{
    const ping_args_t *args = arg;
    static control_t s_targets[CLIENT_ASKS_MAX];
    static char s_names[CLIENT_ASKS_MAX][ZVT_NAME_SIZE];
    size_t count = 0;
    if (args->all) {
        count = client_process_names(s_names, CLIENT_ASKS_MAX);
        for (size_t i = 0; i < count; i++) ZVT_STR_SET(s_targets[i].name, s_names[i]);
    }
    for (size_t i = 0; i < args->names.count && count < CLIENT_ASKS_MAX; i++)
        ZVT_STR_SET(s_targets[count++].name, args->names.items[i]);
    if (count == 0 && !args->all) return command_misused("name a process, or use --all");
    char down[CLIENT_PROBLEM_SIZE];
    client_down_sentence(down);
    if (!client_fleet_runs()) return command_fail("%s", down);
    size_t answered = control_ask(s_targets, count, "ping", "", args->timeout_ms);
    s_print_pings(s_targets, count);
    return answered == count ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}

const command_t command_ping = {.name = "ping", .summary = "Asks processes whether they answer.",
                                .args = s_ping_args, .size = sizeof(ping_args_t), .run = s_run_ping, .internal = true};

/* ---- wait-ready ---- */
typedef struct {
    int64_t timeout_ms;
} wait_args_t;

static const arg_t s_wait_args[] = {
    {.name = "timeout", .argument = "SECONDS", .kind = ARG_SECONDS, .fallback = "60",
     .offset = offsetof(wait_args_t, timeout_ms),
     .meaning = "longest wait"},
    {.name = NULL},
};

static void s_state_in(const control_t *target, char state[64])
{
    json_t *stats = json_loads(target->body, 0, NULL);
    const char *text = json_string_value(json_object_get(stats, "state"));
    snprintf(state, 64, "%s", text == NULL ? "tells no state" : text);
    json_decref(stats);
}

/* Copies the orchestrator's state, or "does not answer". A fleet may have a second one, of which one is the standby. */
static void s_orchestrator_state(char state[64])
{
    static control_t s_targets[2] = {{.name = "orchestrator"}, {.name = "orchestrator-2"}};
    char second[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(second, "control", s_targets[1].name);
    size_t count = client_listens(second) ? 2 : 1;
    snprintf(state, 64, "does not answer");
    (void)control_ask(s_targets, count, "stats", "", PING_MS);
    for (size_t i = 0; i < count; i++) {
        if (!s_targets[i].answered) continue;
        s_state_in(&s_targets[i], state);
        if (!streq(state, "standby") && !streq(state, "starting")) return;
    }
}

/* Prints the state that it found, for the script that called. */
static int s_run_wait_ready(const void *arg)
{
    const wait_args_t *args = arg;
    char state[64] = "", last[64] = "";
    int64_t until_ns = zvt_monotonic_ns() + args->timeout_ms * ZVT_MS_NS;
    do {
        s_orchestrator_state(state);
        bool halted = streq(state, "halted");
        if (halted) fprintf(stderr, "trading is halted by a command; lift it with: %s resume\n", command_program());
        if (halted || streq(state, "trading")) {
            puts(state);
            return ZVT_EXIT_OK;
        }
        if (!streq(state, last) && isatty(STDERR_FILENO)) fprintf(stderr, "orchestrator: %s\n", state);
        snprintf(last, sizeof last, "%s", state);
        zclock_sleep(WAIT_STEP_MS);
    } while (zvt_monotonic_ns() < until_ns);
    return command_fail("the fleet does not trade after %.1f s; the orchestrator's state: %s", (double)args->timeout_ms / 1e3,
                        state);
}

const command_t command_wait_ready = {.name = "wait-ready", .summary = "Waits until the orchestrator answers and trades.",
                                      .args = s_wait_args, .size = sizeof(wait_args_t), .run = s_run_wait_ready,
                                      .internal = true};
