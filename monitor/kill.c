#include "kill.h"

#include <inttypes.h>

#include "format.h"

enum {
    LOOK_MS = 2000,   /* how long the executor cancels before it answers with what is left */
    GRACE_MS = 1000,  /* its answer still has to arrive */
    HALT_MS = 2000,   /* the orchestrator answers within one, whatever the database does */
};

static bool s_on_kill_reply(void *arg, const zvt_record_t *record, zvt_cursor_t *rest)
{
    (void)rest;
    if (record->type != ZVT_T_KILL_REPLY) return false;
    *(zvt_kill_reply_t *)arg = record->kill_reply;
    return true;
}

bool kill_ask(uint8_t action, const zvt_id_t *order_id, const char *reason, int64_t timeout_ms, zvt_kill_reply_t *reply,
              char problem[CLIENT_PROBLEM_SIZE])
{
    zvt_kill_request_t request = {.action = action, .timeout_ms = (uint32_t)timeout_ms};
    if (order_id != NULL) request.order_id = *order_id;
    ZVT_STR_SET(request.requested_by, command_user());
    ZVT_STR_SET(request.reason, reason != NULL ? reason : "");
    /* Asking twice does no harm: what is journaled already is not journaled again. */
    client_ask_t ask = {.who = "executor", .type = ZVT_T_KILL_REQUEST, .question = &request, .repeatable = true,
                        .on_record = s_on_kill_reply, .arg = reply};
    zvt_endpoint(ask.endpoint, "execute", NULL);
    memset(reply, 0, sizeof *reply);
    bool answered = client_ask(&ask, 1, timeout_ms + GRACE_MS) == 1;
    if (!answered) snprintf(problem, CLIENT_PROBLEM_SIZE, "%s", ask.problem);
    return answered;
}

void kill_describe(const zvt_kill_reply_t *reply, char *text, size_t size)
{
    char left[32];
    snprintf(left, sizeof left, "%" PRIu32, reply->left);
    int length = reply->found == 0 && reply->left == 0
                     ? snprintf(text, size, "no order open at %" PRIu32 " venues", reply->venues)
                     : snprintf(text, size, "%" PRIu32 " orders open, %" PRIu32 " canceled, %s left", reply->found, reply->canceled,
                                reply->left == 0 ? "none" : left);
    if (reply->message[0] != '\0' && length >= 0 && (size_t)length < size)
        snprintf(text + length, size - (size_t)length, "; %s", reply->message);
}

/* ---- the command ---- */
typedef struct {
    const char *reason;
    bool json;
} kill_args_t;

#define AT(member) .offset = offsetof(kill_args_t, member)
static const arg_t s_kill_args[] = {
    {.name = "reason", .argument = "TEXT", .kind = ARG_TEXT, .bound = ZVT_MESSAGE_SIZE, .may_be_empty = true, AT(reason),
     .meaning = "why, for the log; a stop is never refused for want of one"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object"},
    {.name = NULL},
};
#undef AT

/* What the two that hold the latch answered. */
typedef struct {
    bool executor_answered, orchestrator_answered;
    zvt_kill_reply_t executor;
    zvt_command_reply_t orchestrator;
    char executor_problem[CLIENT_PROBLEM_SIZE], orchestrator_problem[CLIENT_PROBLEM_SIZE];
} kill_outcome_t;

static bool s_on_command_reply(void *arg, const zvt_record_t *record, zvt_cursor_t *rest)
{
    (void)rest;
    if (record->type != ZVT_T_COMMAND_REPLY) return false;
    *(zvt_command_reply_t *)arg = record->command_reply;
    return true;
}

static void s_halt_orchestrator(const kill_args_t *args, kill_outcome_t *outcome)
{
    zvt_halt_request_t request = {.halt = true};
    ZVT_STR_SET(request.requested_by, command_user());
    ZVT_STR_SET(request.reason, args->reason != NULL ? args->reason : "");
    client_ask_t ask = command_ask_orchestrator(ZVT_T_HALT_REQUEST, &request, s_on_command_reply, &outcome->orchestrator);
    ask.repeatable = true;
    outcome->orchestrator_answered = client_ask(&ask, 1, HALT_MS) == 1;
    snprintf(outcome->orchestrator_problem, sizeof outcome->orchestrator_problem, "%s", ask.problem);
}

static void s_print_executor(const kill_outcome_t *outcome, bool colour)
{
    const zvt_kill_reply_t *reply = &outcome->executor;
    bool fine = outcome->executor_answered && reply->code == ZVT_CODE_OK;
    char what[CLIENT_PROBLEM_SIZE + 64];
    if (!outcome->executor_answered)
        snprintf(what, sizeof what, "%s; nothing was canceled, repeat the command", outcome->executor_problem);
    else
        kill_describe(reply, what, sizeof what);
    printf("  executor      %s%s%s%s\n", format_tone(fine ? FORMAT_GOOD : FORMAT_BAD, colour), reply->halted ? "latched: " : "", what,
           format_tone_end(fine ? FORMAT_GOOD : FORMAT_BAD, colour));
    if (!outcome->executor_answered || fine) return;
    if (reply->code == ZVT_CODE_NOT_JOURNALED)
        printf("                its journal cannot be written: the latch holds until the executor ends; see: %s logs executor\n", command_program());
    else
        printf("                it goes on canceling for as long as it is latched\n");
}

static void s_print_orchestrator(const kill_outcome_t *outcome, bool colour)
{
    const char *what = outcome->orchestrator_answered ? outcome->orchestrator.message : outcome->orchestrator_problem;
    format_tone_t tone = outcome->orchestrator_answered ? FORMAT_GOOD : FORMAT_WARNING;
    printf("  orchestrator  %s%s%s%s\n", format_tone(tone, colour), what, format_tone_end(tone, colour),
           outcome->orchestrator_answered ? "" : "; the executor tells it when it is back");
}

static void s_print_json(const kill_outcome_t *outcome, bool success)
{
    json_t *json = json_object();
    ZVT_ASSERT(json != NULL);
    json_object_set_new(json, "success", json_boolean(success));
    json_object_set_new(json, "executor", outcome->executor_answered ? command_json_record(ZVT_T_KILL_REPLY, &outcome->executor) : json_null());
    json_object_set_new(json, "orchestrator",
                        outcome->orchestrator_answered ? command_json_record(ZVT_T_COMMAND_REPLY, &outcome->orchestrator) : json_null());
    command_print_json(json);
}

/* The executor first: it is the one that can stop orders that are on their way. */
static int s_run_kill(const void *arg)
{
    const kill_args_t *args = arg;
    static kill_outcome_t s_outcome;
    s_outcome.executor_answered =
        kill_ask(ZVT_KILL_KILL, NULL, args->reason, LOOK_MS, &s_outcome.executor, s_outcome.executor_problem);
    s_halt_orchestrator(args, &s_outcome);
    bool stopped = s_outcome.executor_answered ? s_outcome.executor.halted : s_outcome.orchestrator_answered;
    bool success = s_outcome.executor_answered && s_outcome.executor.halted && s_outcome.executor.code == ZVT_CODE_OK;
    if (args->json) {
        s_print_json(&s_outcome, success);
        return success ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
    }
    bool colour = format_wants_colour(stdout);
    printf("%s%s%s\n", format_tone(stopped ? FORMAT_GOOD : FORMAT_BAD, colour),
           stopped ? "killed: no order goes to any venue until `resume`" : "not killed", format_tone_end(FORMAT_GOOD, colour));
    s_print_executor(&s_outcome, colour);
    s_print_orchestrator(&s_outcome, colour);
    return success ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}

const command_t command_kill = {.name = "kill",
                                .summary = "The kill switch: cancels everything and sends nothing more; needs no log.",
                                .args = s_kill_args, .size = sizeof(kill_args_t), .run = s_run_kill};
