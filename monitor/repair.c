/* repair -- what an operator does by hand: resolve an order, look after dead letters, reconcile an account, adjust a
 * position. Everything is recorded in the log with who and why. */
#include <inttypes.h>

#include "command.h"
#include "format.h"
#include "resolve.h"
#include "rows.h"
#include "table.h"
#include "zvt_fixed.h"
#include "zvt_json.h"
#include "zvt_time.h"

enum { RECONCILE_TIMEOUT_MS = 10000 };

static bool s_on_reply(void *arg, const zvt_record_t *record, zvt_cursor_t *rest)
{
    (void)rest;
    if (record->type != ZVT_T_COMMAND_REPLY) return false;
    *(zvt_command_reply_t *)arg = record->command_reply;
    return true;
}

/* A command that changes something, and what is known of it when no answer came. */
typedef struct {
    const char *request_id; /* "": it has none, so it is asked once only: a second time might do it twice */
    const char *look;       /* the subcommand that shows whether it was done */
} guard_t;

/* The request id of a command: the user's, or one that nobody else makes. */
static void s_name_request(const char *given, const char *verb, char request_id[ZVT_REQUEST_SIZE])
{
    if (given != NULL)
        snprintf(request_id, ZVT_REQUEST_SIZE, "%s", given);
    else
        snprintf(request_id, ZVT_REQUEST_SIZE, "%s-%" PRId64 "-%d", verb, zvt_utc_ns(), (int)getpid());
}

static int s_fail_unanswered(const client_ask_t *ask, const guard_t *guard)
{
    if (ask->sent_ns == 0 || ask->outcome == CLIENT_REFUSED) return command_fail("%s", ask->problem);
    if (guard->request_id[0] == '\0') return command_fail("%s; the outcome is unknown: it may be done, or be done yet", ask->problem);
    return command_fail("%s; the outcome is unknown: it may be done, or be done yet. Look with '%s %s', or give the same command with "
                        "--request-id %s: it is done once", ask->problem, command_program(), guard->look, guard->request_id);
}

static int s_command(zvt_type_t type, const void *question, bool json, int64_t timeout_ms, const guard_t *guard)
{
    zvt_command_reply_t reply = {.success = false};
    client_ask_t ask = command_ask_orchestrator(type, question, s_on_reply, &reply);
    ask.repeatable = guard->request_id[0] != '\0';
    if (client_ask(&ask, 1, timeout_ms) == 0) return s_fail_unanswered(&ask, guard);
    bool colour = format_wants_colour(stdout);
    format_tone_t tone = reply.success ? FORMAT_GOOD : FORMAT_BAD;
    if (json)
        command_print_json(command_json_record(ZVT_T_COMMAND_REPLY, &reply));
    else
        printf("%s%s%s: %s%s%s\n", format_tone(tone, colour), reply.success ? "done" : "refused", format_tone_end(tone, colour),
               reply.success ? "" : zvt_code_text(reply.code), reply.success ? "" : " ", reply.message);
    if (!json && reply.code == ZVT_CODE_LOG_UNAVAILABLE && guard->request_id[0] != '\0') printf("its id: --request-id %s\n", guard->request_id);
    return reply.success ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}

/* ---- resolve ---- */
typedef struct {
    const char *id, *reason, *request_id;
    bool json;
} resolve_args_t;

#define AT(member) .offset = offsetof(resolve_args_t, member)
static const arg_t s_resolve_args[] = {
    {.name = "id", .argument = "ID", .kind = ARG_TEXT, .positional = true, .required = true, .bound = ZVT_NAME_SIZE * 2, AT(id),
     .meaning = "order id or correlation id, or the first or last 8 characters of it"},
    {.name = "reason", .argument = "TEXT", .kind = ARG_TEXT, .required = true, .bound = ZVT_MESSAGE_SIZE, AT(reason),
     .meaning = "how you know that it will not execute (any more), for the log"},
    {.name = "request-id", .argument = "ID", .kind = ARG_TEXT, .bound = ZVT_REQUEST_SIZE, AT(request_id),
     .meaning = "the same id twice is done once; default: a new one"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object"},
    {.name = NULL},
};
#undef AT

static int s_run_resolve(const void *arg)
{
    const resolve_args_t *args = arg;
    char problem[CLIENT_PROBLEM_SIZE];
    zvt_order_row_t row;
    int status = resolve_order(args->id, &row, problem);
    if (status == ZVT_ERR_SYNTAX) return command_misused("%s", problem);
    if (status != 0) return command_fail("%s", problem);
    zvt_resolve_request_t request = {.order_id = row.order_id};
    ZVT_STR_SET(request.requested_by, command_user());
    ZVT_STR_SET(request.reason, args->reason);
    s_name_request(args->request_id, "resolve", request.request_id);
    const guard_t guard = {.request_id = request.request_id, .look = "orders"};
    return s_command(ZVT_T_RESOLVE_REQUEST, &request, args->json, CLIENT_TIMEOUT_MS, &guard);
}

const command_t command_resolve = {.name = "resolve",
                                   .summary = "Declares that an order of unknown outcome will not execute (any more).",
                                   .args = s_resolve_args, .size = sizeof(resolve_args_t), .run = s_run_resolve};

/* ---- dead letters ---- */
typedef struct {
    const char *action, *id, *reason;
    bool json;
} letters_args_t;

#define AT(member) .offset = offsetof(letters_args_t, member)
static const arg_t s_letters_args[] = {
    {.name = "action", .argument = "ACTION", .kind = ARG_TEXT, .positional = true, .bound = ZVT_NAME_SIZE, .fallback = "list", AT(action),
     .meaning = "list, show, retry or drop"},
    {.name = "id", .argument = "ID", .kind = ARG_TEXT, .positional = true, .bound = ZVT_NAME_SIZE * 2, AT(id),
     .meaning = "of the dead letter, or the last 8 characters of it"},
    {.name = "reason", .argument = "TEXT", .kind = ARG_TEXT, .bound = ZVT_MESSAGE_SIZE, AT(reason), .meaning = "why, for the log"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "a JSON array, or one JSON object"},
    {.name = NULL},
};
#undef AT

static int s_list_letters(rows_t *rows)
{
    zvt_dead_letters_query_t query = {.letter_id = {{0}}};
    *rows = rows_of(ZVT_T_DEAD_LETTER_ROW);
    client_ask_t ask = command_ask_orchestrator(ZVT_T_DEAD_LETTERS_QUERY, &query, rows_on_record, rows);
    ask.repeatable = true;
    if (client_ask(&ask, 1, CLIENT_TIMEOUT_MS) > 0) return ZVT_EXIT_OK;
    rows_destroy(rows);
    return command_fail("%s", ask.problem);
}

static void s_print_letters(const rows_t *rows)
{
    static const char *const heads[] = {"put aside (UTC)", "dead letter", "venue", ">report", "what", "why", "", NULL};
    table_t *table = table_new(heads);
    for (size_t i = 0; i < rows->count; i++) {
        const zvt_dead_letter_row_t *row = rows_at(rows, i);
        char id[FORMAT_SHORT_ID], clock[FORMAT_CLOCK], report[24];
        format_short_id(&row->letter_id, id);
        format_clock(row->timestamp_ns, clock);
        snprintf(report, sizeof report, "%" PRIu64, row->letter.venue_seq);
        table_cell(table, FORMAT_QUIET, clock);
        table_cell(table, FORMAT_STRONG, id);
        table_cell(table, FORMAT_PLAIN, row->letter.exchange);
        table_cell(table, FORMAT_PLAIN, report);
        table_cell(table, FORMAT_PLAIN, row->letter.message);
        table_cell(table, FORMAT_BAD, zvt_code_text(row->letter.failure_reason));
        table_cell(table, FORMAT_WARNING, row->retrying ? "being retried" : "");
    }
    if (rows->count == 0)
        puts("no dead letters");
    else
        table_print(table, stdout, format_wants_colour(stdout));
    table_destroy(&table);
}

static void s_print_letters_json(const rows_t *rows)
{
    putchar('[');
    for (size_t i = 0; i < rows->count; i++) {
        if (i > 0) fputs(",\n ", stdout);
        zvt_json_record(stdout, rows->type, rows_at(rows, i));
    }
    puts("]");
}

/* The one letter whose id is the text, or ends with it; NULL after saying why there is none. */
static const zvt_dead_letter_row_t *s_find_letter(const rows_t *rows, const char *text)
{
    const zvt_dead_letter_row_t *found = NULL;
    size_t matches = 0;
    size_t length = strlen(text);
    for (size_t i = 0; i < rows->count; i++) {
        const zvt_dead_letter_row_t *row = rows_at(rows, i);
        char id[ZVT_ID_TEXT];
        zvt_id_format(&row->letter_id, id);
        bool same = length < sizeof id && streq(id + strlen(id) - length, text);
        if (!same) continue;
        found = row;
        matches++;
    }
    if (matches == 0) (void)command_fail("no dead letter has the id \"%s\"; see 'dead-letters list'", text);
    if (matches > 1) (void)command_fail("%zu dead letters have ids that end with \"%s\"; give more of it", matches, text);
    return matches == 1 ? found : NULL;
}

static int s_show_letter(const zvt_dead_letter_row_t *row)
{
    zvt_json_record(stdout, ZVT_T_DEAD_LETTER_ROW, row);
    putchar('\n');
    return ZVT_EXIT_OK;
}

static int s_change_letter(const letters_args_t *args, const zvt_dead_letter_row_t *row, bool retry)
{
    zvt_dead_letter_request_t request = {.retry = retry, .letter_id = row->letter_id};
    ZVT_STR_SET(request.requested_by, command_user());
    if (args->reason != NULL) ZVT_STR_SET(request.reason, args->reason);
    return s_command(ZVT_T_DEAD_LETTER_REQUEST, &request, args->json, CLIENT_TIMEOUT_MS, &(guard_t){.request_id = ""});
}

static int s_run_letters(const void *arg)
{
    const letters_args_t *args = arg;
    bool list = streq(args->action, "list"), show = streq(args->action, "show"), retry = streq(args->action, "retry");
    if (!list && !show && !retry && !streq(args->action, "drop"))
        return command_misused("dead-letters: \"%s\" is none of list, show, retry and drop", args->action);
    if (list != (args->id == NULL))
        return command_misused(list ? "dead-letters list takes no id" : "dead-letters %s needs the id of a dead letter", args->action);
    if (!list && strlen(args->id) < RESOLVE_CHARACTERS_MIN)
        return command_misused("dead-letters %s needs at least the last %d characters of an id, not \"%s\"", args->action,
                               RESOLVE_CHARACTERS_MIN, args->id);
    rows_t rows;
    int exit_code = s_list_letters(&rows);
    if (exit_code != ZVT_EXIT_OK) return exit_code;
    const zvt_dead_letter_row_t *row = list ? NULL : s_find_letter(&rows, args->id);
    if (list && args->json)
        s_print_letters_json(&rows);
    else if (list)
        s_print_letters(&rows);
    else if (row == NULL)
        exit_code = ZVT_EXIT_FAILED;
    else
        exit_code = show ? s_show_letter(row) : s_change_letter(args, row, retry);
    rows_destroy(&rows);
    return exit_code;
}

const command_t command_dead_letters = {.name = "dead-letters",
                                        .summary = "Reports of venues that could not be accounted for: list, show, retry, drop.",
                                        .args = s_letters_args, .size = sizeof(letters_args_t), .run = s_run_letters};

/* ---- reconcile ---- */
typedef struct {
    const char *venue, *reason;
    bool accept, json;
} reconcile_args_t;

#define AT(member) .offset = offsetof(reconcile_args_t, member)
static const arg_t s_reconcile_args[] = {
    {.name = "venue", .argument = "VENUE", .kind = ARG_TEXT, .positional = true, .required = true, .bound = ZVT_VENUE_SIZE, AT(venue),
     .meaning = "whose account to compare with the log"},
    {.name = "accept", .kind = ARG_FLAG, AT(accept),
     .meaning = "take what the venue says for true: adjusts balances, ends orders it does not have, cancels orders we do not have"},
    {.name = "reason", .argument = "TEXT", .kind = ARG_TEXT, .bound = ZVT_MESSAGE_SIZE, AT(reason),
     .meaning = "why, for the log; needed with --accept"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object"},
    {.name = NULL},
};
#undef AT

static int s_run_reconcile(const void *arg)
{
    const reconcile_args_t *args = arg;
    if (args->accept && args->reason == NULL) return command_misused("reconcile --accept needs --reason TEXT, for the log");
    zvt_reconcile_request_t request = {.accept = args->accept};
    ZVT_STR_SET(request.exchange, args->venue);
    ZVT_STR_SET(request.requested_by, command_user());
    if (args->reason != NULL) ZVT_STR_SET(request.reason, args->reason);
    return s_command(ZVT_T_RECONCILE_REQUEST, &request, args->json, RECONCILE_TIMEOUT_MS, &(guard_t){.request_id = ""});
}

const command_t command_reconcile = {.name = "reconcile",
                                     .summary = "Compares a venue account with the log: orders, executions, balances.",
                                     .args = s_reconcile_args, .size = sizeof(reconcile_args_t), .run = s_run_reconcile};

/* ---- adjust ---- */
typedef struct {
    const char *strategy, *portfolio, *symbol, *venue, *reason, *request_id;
    int64_t quantity_e8, price_e8;
    bool json;
} adjust_args_t;

#define AT(member) .offset = offsetof(adjust_args_t, member)
static const arg_t s_adjust_args[] = {
    {.name = "strategy", .argument = "NAME", .kind = ARG_TEXT, .required = true, .bound = ZVT_NAME_SIZE, AT(strategy),
     .meaning = "whose position"},
    {.name = "portfolio", .argument = "NAME", .kind = ARG_TEXT, .bound = ZVT_NAME_SIZE, .fallback = "main", AT(portfolio),
     .meaning = "in this portfolio"},
    {.name = "symbol", .argument = "SYMBOL", .kind = ARG_TEXT, .required = true, .bound = ZVT_SYMBOL_SIZE, AT(symbol),
     .meaning = "instrument, such as BTC/USDT"},
    {.name = "quantity", .argument = "QUANTITY", .kind = ARG_E8, .required = true, AT(quantity_e8),
     .meaning = "change of the position, signed: -0.5 takes away"},
    {.name = "price", .argument = "PRICE", .kind = ARG_E8, .required = true, AT(price_e8), .meaning = "what the change is valued at"},
    {.name = "venue", .argument = "VENUE", .kind = ARG_TEXT, .bound = ZVT_VENUE_SIZE, AT(venue),
     .meaning = "also explains a difference of the account there: base asset and quote asset"},
    {.name = "reason", .argument = "TEXT", .kind = ARG_TEXT, .required = true, .bound = ZVT_MESSAGE_SIZE, AT(reason),
     .meaning = "why, for the log"},
    {.name = "request-id", .argument = "ID", .kind = ARG_TEXT, .bound = ZVT_REQUEST_SIZE, AT(request_id),
     .meaning = "the same id twice is done once; default: a new one"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object"},
    {.name = NULL},
};
#undef AT

static int s_run_adjust(const void *arg)
{
    const adjust_args_t *args = arg;
    zvt_adjust_request_t request = {.quantity_change_e8 = args->quantity_e8, .price_e8 = args->price_e8};
    ZVT_STR_SET(request.portfolio_id, args->portfolio);
    ZVT_STR_SET(request.strategy_id, args->strategy);
    ZVT_STR_SET(request.symbol, args->symbol);
    if (args->venue != NULL) ZVT_STR_SET(request.exchange, args->venue);
    ZVT_STR_SET(request.requested_by, command_user());
    ZVT_STR_SET(request.reason, args->reason);
    s_name_request(args->request_id, "adjust", request.request_id);
    const guard_t guard = {.request_id = request.request_id, .look = "positions"};
    return s_command(ZVT_T_ADJUST_REQUEST, &request, args->json, CLIENT_TIMEOUT_MS, &guard);
}

const command_t command_adjust = {.name = "adjust",
                                  .summary = "Changes a position by hand, when the log cannot know what happened.",
                                  .args = s_adjust_args, .size = sizeof(adjust_args_t), .run = s_run_adjust};
