/* switches -- halt, resume and barrier: commands that the orchestrator writes into the log. Resume also releases the
 * executor's kill switch. */
#include "command.h"
#include "format.h"
#include "kill.h"

#include <inttypes.h>

typedef struct {
    const char *text; /* reason of a switch, request id of a barrier */
    bool json;
} switch_args_t;

#define AT(member) .offset = offsetof(switch_args_t, member)
static const arg_t s_switch_args[] = {
    {.name = "reason", .argument = "TEXT", .kind = ARG_TEXT, .bound = ZVT_MESSAGE_SIZE, .may_be_empty = true, AT(text),
     .meaning = "why, for the log; a stop is never refused for want of one"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object"},
    {.name = NULL},
};
static const arg_t s_barrier_args[] = {
    {.name = "request-id", .argument = "ID", .kind = ARG_TEXT, .bound = ZVT_REQUEST_SIZE, AT(text),
     .meaning = "your name for the barrier"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object"},
    {.name = NULL},
};
#undef AT

static bool s_on_reply(void *arg, const zvt_record_t *record, zvt_cursor_t *rest)
{
    (void)rest;
    if (record->type != ZVT_T_COMMAND_REPLY) return false;
    *(zvt_command_reply_t *)arg = record->command_reply;
    return true;
}

/* Asks and prints; `done` is the sentence for success. All three commands may be repeated: a halt of a halted fleet
 * and a second barrier change nothing. */
static int s_command(zvt_type_t type, const void *question, const char *done, bool json)
{
    zvt_command_reply_t reply = {.success = false};
    client_ask_t ask = command_ask_orchestrator(type, question, s_on_reply, &reply);
    ask.repeatable = true;
    if (client_ask(&ask, 1, CLIENT_TIMEOUT_MS) == 0) return command_fail("%s", ask.problem);
    bool colour = format_wants_colour(stdout);
    if (json) {
        command_print_json(command_json_record(ZVT_T_COMMAND_REPLY, &reply));
    } else if (reply.success) {
        bool news = strncmp(done, reply.message, strlen(reply.message)) != 0; /* more than what is said already */
        printf("%s%s%s", format_tone(FORMAT_GOOD, colour), done, format_tone_end(FORMAT_GOOD, colour));
        if (reply.seq != 0) printf(", seq %" PRIu64, reply.seq); /* 0: in force, and not recorded yet */
        printf("%s%s\n", news ? ": " : "", news ? reply.message : "");
    } else {
        printf("%srefused%s: %s %s\n", format_tone(FORMAT_BAD, colour), format_tone_end(FORMAT_BAD, colour),
               zvt_code_text(reply.code), reply.message);
    }
    return reply.success ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}

static int s_switch(const switch_args_t *args, bool halt, const char *done)
{
    zvt_halt_request_t request = {.halt = halt};
    ZVT_STR_SET(request.requested_by, command_user());
    if (args->text != NULL) ZVT_STR_SET(request.reason, args->text);
    return s_command(ZVT_T_HALT_REQUEST, &request, done, args->json);
}

static int s_run_halt(const void *arg)
{
    return s_switch(arg, true, "halted: no order is submitted until `resume`");
}

/* The orchestrator first: while it refuses, the executor's latch had better stay. */
static int s_run_resume(const void *arg)
{
    const switch_args_t *args = arg;
    zvt_kill_reply_t reply;
    char problem[CLIENT_PROBLEM_SIZE];
    int exit_code = s_switch(args, false, "resumed");
    if (exit_code != ZVT_EXIT_OK) return exit_code;
    if (!kill_ask(ZVT_KILL_RESUME, NULL, args->text, CLIENT_TIMEOUT_MS, &reply, problem))
        return command_fail("%s; if the kill switch is on, it stays on until this command is repeated", problem);
    if (reply.success && reply.code == ZVT_CODE_OK) return ZVT_EXIT_OK;
    return command_fail("executor: %s %s", zvt_code_text(reply.code), reply.message);
}

static int s_run_barrier(const void *arg)
{
    const switch_args_t *args = arg;
    zvt_barrier_request_t request = {.request_id = ""};
    ZVT_STR_SET(request.requested_by, command_user());
    if (args->text != NULL) ZVT_STR_SET(request.request_id, args->text);
    return s_command(ZVT_T_BARRIER_REQUEST, &request, "barrier written", args->json);
}

const command_t command_halt = {.name = "halt",
                                .summary = "Stops trading: no order is submitted any more; cancels still work.",
                                .args = s_switch_args, .size = sizeof(switch_args_t), .run = s_run_halt};
const command_t command_resume = {.name = "resume", .summary = "Lets orders be submitted again.",
                                  .args = s_switch_args, .size = sizeof(switch_args_t), .run = s_run_resume};
const command_t command_barrier = {.name = "barrier",
                                   .summary = "Writes a barrier event, at which every follower notes its digest.",
                                   .args = s_barrier_args, .size = sizeof(switch_args_t), .run = s_run_barrier, .internal = true};
