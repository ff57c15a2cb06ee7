#include "order.h"

#include "format.h"
#include "kill.h"
#include "resolve.h"
#include "zvt_time.h"

enum {
    GRACE_MS = 1500,  /* the orchestrator answers at the order's own limit; its answer still has to arrive */
    PATIENT_MS = 2000, /* before a cancel is brought to the executor, past the orchestrator */
    ANSWER_MS = 500,   /* what the orchestrator says at the end of a cancel's limit still has to arrive */
};

/* ---- order ---- */
typedef struct {
    const char *symbol, *venue, *request_id, *strategy, *portfolio;
    uint8_t side, order_type, time_in_force, wait;
    int64_t quantity_e8, price_e8, trigger_e8, confidence_e8;
    int64_t timeout_ms;
    arg_u64_t created_ns;
    bool post_only, json;
} order_args_t;

#define AT(member) .offset = offsetof(order_args_t, member)
static const arg_t s_order_args[] = {
    {.name = "symbol", .argument = "SYMBOL", .kind = ARG_TEXT, .required = true, .bound = ZVT_SYMBOL_SIZE, AT(symbol),
     .meaning = "instrument, such as BTC/USDT"},
    {.name = "side", .argument = "SIDE", .kind = ARG_ENUM, .required = true, .enumeration = ZVT_ENUM_OF_SIDE, AT(side),
     .meaning = "buy or sell"},
    {.name = "quantity", .argument = "QUANTITY", .kind = ARG_E8, .required = true, AT(quantity_e8),
     .meaning = "how much of the base asset"},
    {.name = "type", .argument = "TYPE", .kind = ARG_ENUM, .enumeration = ZVT_ENUM_OF_ORDER_TYPE, AT(order_type),
     .meaning = "market or limit; default: limit with --price, else market"},
    {.name = "price", .argument = "PRICE", .kind = ARG_E8, AT(price_e8),
     .meaning = "worst acceptable price of a limit order"},
    {.name = "tif", .argument = "TIF", .kind = ARG_ENUM, .enumeration = ZVT_ENUM_OF_TIF, AT(time_in_force),
     .meaning = "GTC, IOC or FOK; default: GTC for a limit order, IOC for a market order"},
    {.name = "post-only", .kind = ARG_FLAG, AT(post_only), .meaning = "refuse rather than take liquidity"},
    {.name = "venue", .argument = "VENUE", .kind = ARG_TEXT, .bound = ZVT_VENUE_SIZE, AT(venue),
     .meaning = "the only venue allowed; default: the executor chooses"},
    {.name = "request-id", .argument = "ID", .kind = ARG_TEXT, .bound = ZVT_REQUEST_SIZE, AT(request_id),
     .meaning = "the same id twice is one order; for ever, if --created-at is the same too"},
    {.name = "created-at", .argument = "NS", .kind = ARG_U64, AT(created_ns),
     .meaning = "when it was first asked for, UTC ns, the same for the same id (date +%s%N); default: now"},
    {.name = "strategy", .argument = "NAME", .kind = ARG_TEXT, .bound = ZVT_NAME_SIZE, .fallback = "manual", AT(strategy),
     .meaning = "account it to this strategy"},
    {.name = "portfolio", .argument = "NAME", .kind = ARG_TEXT, .bound = ZVT_NAME_SIZE, .fallback = "main", AT(portfolio),
     .meaning = "and to this portfolio"},
    {.name = "wait", .argument = "WHAT", .kind = ARG_ENUM, .enumeration = ZVT_ENUM_OF_WAIT, .fallback = "accepted", AT(wait),
     .meaning = "committed, accepted (rests or ended) or filled (ended)"},
    {.name = "timeout", .argument = "SECONDS", .kind = ARG_SECONDS, .fallback = "30", AT(timeout_ms),
     .meaning = "longest wait"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object"},
    {.name = NULL},
};
#undef AT

static zvt_place_request_t s_request_of(const order_args_t *args)
{
    zvt_place_request_t request = {.wait = args->wait, .timeout_ms = (uint32_t)args->timeout_ms};
    request.created_at_ns = args->created_ns.given ? (int64_t)args->created_ns.value : zvt_utc_ns();
    zvt_order_request_t *terms = &request.order_request;
    ZVT_STR_SET(request.user_id, command_user());
    ZVT_STR_SET(request.strategy_id, args->strategy);
    ZVT_STR_SET(request.portfolio_id, args->portfolio);
    ZVT_STR_SET(request.request_id, args->request_id == NULL ? "" : args->request_id);
    ZVT_STR_SET(terms->symbol, args->symbol);
    ZVT_STR_SET(terms->venue, args->venue == NULL ? "" : args->venue);
    terms->side = args->side;
    terms->quantity_e8 = args->quantity_e8;
    terms->limit_price_e8 = args->price_e8;
    terms->post_only = args->post_only;
    terms->order_type = args->order_type;
    terms->time_in_force = args->time_in_force;
    if (terms->order_type == 0) terms->order_type = args->price_e8 != 0 ? ZVT_ORDER_TYPE_LIMIT : ZVT_ORDER_TYPE_MARKET;
    if (terms->time_in_force == 0) terms->time_in_force = terms->order_type == ZVT_ORDER_TYPE_LIMIT ? ZVT_TIF_GTC : ZVT_TIF_IOC;
    return request;
}

static bool s_on_place_reply(void *arg, const zvt_record_t *record, zvt_cursor_t *rest)
{
    (void)rest;
    if (record->type != ZVT_T_PLACE_REPLY) return false;
    *(zvt_place_reply_t *)arg = record->place_reply;
    return true;
}

static const char *s_enum_meaning(unsigned enumeration, uint8_t id)
{
    const zvt_enum_desc_t *desc = zvt_enum_desc(enumeration);
    for (size_t i = 0; i < desc->rows_count; i++)
        if (desc->rows[i].id == id) return desc->rows[i].meaning;
    return "";
}

const char *order_message(const zvt_place_reply_t *reply)
{
    if (reply->message[0] != '\0') return reply->message;
    bool refused = !reply->success && reply->code != 0 && reply->code != ZVT_CODE_OK;
    return refused ? s_enum_meaning(ZVT_ENUM_OF_CODE, reply->code) : s_enum_meaning(ZVT_ENUM_OF_ORDER_STATE, reply->state);
}

json_t *order_json(const zvt_place_reply_t *reply, const char *message)
{
    static const char *const keys[] = {
        "success",    "order_id",         "exchange_order_id", "message",        "filled_quantity", "avg_fill_price",
        "commission", "commission_asset", "latency_ms",        "correlation_id", "state",           "code",
        "exchange",
    };
    json_t *all = command_json_record(ZVT_T_PLACE_REPLY, reply), *picked = json_object();
    ZVT_ASSERT(picked != NULL);
    json_object_set_new(all, "message", json_string(message));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) json_object_set(picked, keys[i], json_object_get(all, keys[i]));
    json_decref(all);
    return picked;
}

static void s_print_line(FILE *out, const char *name, const char *value)
{
    if (*value != '\0') fprintf(out, "  %-18s %s\n", name, value);
}

static void s_print_id(FILE *out, const char *name, const zvt_id_t *id)
{
    char text[ZVT_ID_TEXT];
    zvt_id_format(id, text);
    if (!zvt_id_is_none(id)) s_print_line(out, name, text);
}

static void s_print_e8(FILE *out, const char *name, int64_t value_e8, const char *unit)
{
    char text[ZVT_FIXED_TEXT], line[ZVT_FIXED_TEXT + ZVT_ASSET_SIZE + 2];
    zvt_fixed_format(value_e8, text);
    snprintf(line, sizeof line, "%s%s%s", text, *unit != '\0' ? " " : "", unit);
    s_print_line(out, name, line);
}

void order_print(FILE *out, const zvt_place_reply_t *reply, const char *message, bool colour)
{
    format_tone_t tone = reply->success ? FORMAT_GOOD : FORMAT_BAD;
    const char *state = reply->state != 0 ? zvt_order_state_text(reply->state) : reply->success ? "done" : "failed";
    const char *code = zvt_code_text(reply->code);
    /* Refusals of risk and validation begin with their code. */
    bool coded = !reply->success && reply->code != ZVT_CODE_OK && *code != '\0' && strncmp(message, code, strlen(code)) != 0;
    bool said = strcmp(message, state) == 0; /* "filled" needs no "filled" after it */
    fprintf(out, "%s%s%s%s%s%s%s\n", format_tone(tone, colour), state, coded ? " " : "", coded ? code : "",
            format_tone_end(tone, colour), said ? "" : ": ", said ? "" : message);
    s_print_id(out, "order_id", &reply->order_id);
    s_print_line(out, "exchange", reply->exchange);
    s_print_line(out, "exchange_order_id", reply->exchange_order_id);
    if (reply->filled_quantity_e8 != 0) {
        s_print_e8(out, "filled_quantity", reply->filled_quantity_e8, "");
        s_print_e8(out, "avg_fill_price", reply->avg_fill_price_e8, "");
        s_print_e8(out, "commission", reply->commission_e8, reply->commission_asset);
    }
    if (reply->latency_ms_e8 != 0) s_print_e8(out, "latency", reply->latency_ms_e8, "ms");
    s_print_id(out, "correlation_id", &reply->correlation_id);
}

/* The code that stands for an answer that did not come. */
static const uint8_t s_code_of[] = {
    [CLIENT_ANSWERED] = ZVT_CODE_OK,       [CLIENT_REFUSED] = ZVT_CODE_MALFORMED,   [CLIENT_SILENT] = ZVT_CODE_SERVICE_TIMEOUT,
    [CLIENT_RESTARTED] = ZVT_CODE_NOT_READY, [CLIENT_DOWN] = ZVT_CODE_NOT_READY,
};

static int s_run_order(const void *arg)
{
    const order_args_t *args = arg;
    zvt_place_request_t request = s_request_of(args);
    zvt_place_reply_t reply = {.success = false};
    client_ask_t ask = command_ask_orchestrator(ZVT_T_PLACE_REQUEST, &request, s_on_place_reply, &reply);
    ask.repeatable = request.request_id[0] != '\0'; /* only then is a second order impossible */
    char message[CLIENT_PROBLEM_SIZE + 128];
    if (client_ask(&ask, 1, args->timeout_ms + GRACE_MS) == 1) {
        snprintf(message, sizeof message, "%s", order_message(&reply));
    } else {
        bool maybe = ask.outcome == CLIENT_RESTARTED || (ask.outcome == CLIENT_SILENT && ask.sent);
        reply.code = s_code_of[ask.outcome];
        snprintf(message, sizeof message, "%s%s%.64s%s", ask.problem, maybe ? "; the order may exist, look with: " : "",
                 maybe ? command_program() : "", maybe ? " orders" : "");
        if (!args->json) return command_fail("%s", message);
    }
    if (args->json)
        command_print_json(order_json(&reply, message));
    else
        order_print(stdout, &reply, message, format_wants_colour(stdout));
    return reply.success ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}

const command_t command_order = {.name = "order",
                                 .summary = "Places one order through the whole saga and waits for the outcome.",
                                 .args = s_order_args, .size = sizeof(order_args_t), .run = s_run_order};

/* ---- cancel ---- */
typedef struct {
    const char *id;
    int64_t timeout_ms;
    bool json;
} cancel_args_t;

#define AT(member) .offset = offsetof(cancel_args_t, member)
static const arg_t s_cancel_args[] = {
    {.name = "id", .argument = "ID", .kind = ARG_TEXT, .positional = true, .required = true, AT(id),
     .meaning = "order id or correlation id, or 8 or more of its first or last characters"},
    {.name = "timeout", .argument = "SECONDS", .kind = ARG_SECONDS, .fallback = "10", AT(timeout_ms),
     .meaning = "longest wait"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object"},
    {.name = NULL},
};
#undef AT

static bool s_on_cancel_reply(void *arg, const zvt_record_t *record, zvt_cursor_t *rest)
{
    (void)rest;
    if (record->type != ZVT_T_CANCEL_REPLY) return false;
    *(zvt_cancel_reply_t *)arg = record->cancel_reply;
    return true;
}

/* The orchestrator takes whole ids; a part of one is completed first. */
static int s_whole_id(const char *text, zvt_id_t *id, char problem[CLIENT_PROBLEM_SIZE])
{
    if (zvt_id_parse(text, id) == 0) return 0;
    zvt_order_row_t row;
    char why[CLIENT_PROBLEM_SIZE];
    int status = resolve_order(text, &row, why);
    if (status == 0) *id = row.order_id;
    snprintf(problem, CLIENT_PROBLEM_SIZE, "%.240s%s", why, status == ZVT_ERR_IO ? "; give the whole order id" : "");
    return status;
}

/* The orchestrator says so only when its request is durable: nobody else needs to be asked, and it goes on without us. */
static bool s_is_recorded(const zvt_cancel_reply_t *reply)
{
    return reply->code == ZVT_CODE_SERVICE_TIMEOUT;
}

static void s_print_cancel(const zvt_cancel_reply_t *reply, const char *message, bool colour)
{
    format_tone_t tone = reply->success ? FORMAT_GOOD : FORMAT_BAD;
    char cum[ZVT_FIXED_TEXT], leaves[ZVT_FIXED_TEXT], id[ZVT_ID_TEXT];
    zvt_fixed_format(reply->cum_qty_e8, cum);
    zvt_fixed_format(reply->leaves_qty_e8, leaves);
    zvt_id_format(&reply->order_id, id);
    const char *outcome = reply->success ? "canceled" : s_is_recorded(reply) ? "not canceled yet" : "not canceled";
    printf("%s%s%s order %s", format_tone(tone, colour), outcome, format_tone_end(tone, colour), id);
    if (reply->state != 0) printf(", %s", zvt_order_state_text(reply->state));
    if (reply->success && reply->leaves_qty_e8 == 0 && reply->cum_qty_e8 == 0 && *message != '\0')
        printf(": %s\n", message); /* the executor does not count quantities */
    else if (reply->success)
        printf(": %s executed before, %s taken off\n", cum, leaves);
    else
        printf(": %s %s\n", zvt_code_text(reply->code), message);
}

static bool s_ask_orchestrator(const zvt_id_t *order_id, int64_t patience_ms, zvt_cancel_reply_t *reply,
                               char problem[CLIENT_PROBLEM_SIZE])
{
    zvt_cancel_request_t request = {.order_id = *order_id, .timeout_ms = (uint32_t)patience_ms};
    ZVT_STR_SET(request.requested_by, command_user());
    client_ask_t ask = command_ask_orchestrator(ZVT_T_CANCEL_REQUEST, &request, s_on_cancel_reply, reply);
    ask.repeatable = true; /* a second cancel finds the order ended */
    bool answered = client_ask(&ask, 1, patience_ms + ANSWER_MS) == 1;
    if (!answered) snprintf(problem, CLIENT_PROBLEM_SIZE, "%s", ask.problem);
    return answered;
}

/* Past the orchestrator, which cannot cancel without the log. True: it is canceled at its venue. */
static bool s_ask_executor(const zvt_id_t *order_id, zvt_cancel_reply_t *reply, char problem[CLIENT_PROBLEM_SIZE])
{
    zvt_kill_reply_t killed;
    char why[CLIENT_PROBLEM_SIZE];
    bool answered = kill_ask(ZVT_KILL_CANCEL, order_id, "canceled past the orchestrator", PATIENT_MS, &killed, why);
    if (answered && killed.success) {
        *reply = (zvt_cancel_reply_t){.success = true, .order_id = *order_id, .state = killed.state, .code = ZVT_CODE_OK};
        ZVT_STR_SET(reply->message, "by the executor, past the orchestrator; recorded when the event log is back");
        return true;
    }
    if (answered) snprintf(why, sizeof why, "%s %s", zvt_code_text(killed.code), zvt_order_state_text(killed.state));
    snprintf(problem, CLIENT_PROBLEM_SIZE, "orchestrator: %.120s; executor: %.120s", reply->message, why);
    ZVT_STR_SET(reply->message, problem);
    return false;
}

/* The rest of the time, the orchestrator may only have been slow, or the venue is. */
static bool s_wait_on(const zvt_id_t *order_id, int64_t until_ns, zvt_cancel_reply_t *reply, char problem[CLIENT_PROBLEM_SIZE])
{
    int64_t rest_ms = (until_ns - zvt_monotonic_ns()) / ZVT_MS_NS;
    zvt_cancel_reply_t last;
    bool recorded = s_is_recorded(reply);
    if (rest_ms < GRACE_MS && recorded) return true;
    if (s_ask_orchestrator(order_id, rest_ms < GRACE_MS ? GRACE_MS : rest_ms, &last, problem)) {
        *reply = last;
        return true;
    }
    return recorded;
}

/* The orchestrator's answer, or the executor's when the orchestrator cannot cancel or says nothing for a while. False
 * with a sentence when neither has one. */
static bool s_cancel(const zvt_id_t *order_id, int64_t timeout_ms, zvt_cancel_reply_t *reply, char problem[CLIENT_PROBLEM_SIZE])
{
    int64_t began_ns = zvt_monotonic_ns(), first_ms = timeout_ms < PATIENT_MS ? timeout_ms : PATIENT_MS;
    bool answered = s_ask_orchestrator(order_id, first_ms, reply, problem);
    bool without_log = answered && reply->code == ZVT_CODE_LOG_UNAVAILABLE;
    if (answered && !without_log && !s_is_recorded(reply)) return true;
    if (!answered) ZVT_STR_SET(reply->message, problem);
    if (!client_fleet_runs()) return false;
    if (!s_is_recorded(reply) && (s_ask_executor(order_id, reply, problem) || without_log)) return true;
    if (!s_wait_on(order_id, began_ns + timeout_ms * ZVT_MS_NS, reply, problem)) return false;
    if (s_is_recorded(reply))
        snprintf(reply->message, sizeof reply->message, "the cancel is recorded and goes on; the venue has not confirmed it after %.1f s",
                 (double)(zvt_monotonic_ns() - began_ns) / 1e9);
    return true;
}

static int s_run_cancel(const void *arg)
{
    const cancel_args_t *args = arg;
    char problem[CLIENT_PROBLEM_SIZE];
    zvt_id_t order_id;
    zvt_cancel_reply_t reply = {.success = false};
    int status = s_whole_id(args->id, &order_id, problem);
    if (status == ZVT_ERR_SYNTAX) return command_misused("%s", problem);
    if (status == 0 && !s_cancel(&order_id, args->timeout_ms, &reply, problem)) status = ZVT_ERR_IO;
    if (status != 0 && !args->json) return command_fail("%s", problem);
    if (status != 0) {
        reply.code = status == ZVT_ERR_IO ? ZVT_CODE_NOT_READY : ZVT_CODE_UNKNOWN_ORDER;
        ZVT_STR_SET(reply.message, problem);
    }
    if (args->json)
        command_print_json(command_json_record(ZVT_T_CANCEL_REPLY, &reply));
    else
        s_print_cancel(&reply, reply.message[0] != '\0' ? reply.message : s_enum_meaning(ZVT_ENUM_OF_CODE, reply.code),
                       format_wants_colour(stdout));
    return reply.success ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}

const command_t command_cancel = {.name = "cancel", .summary = "Cancels an order that rests at a venue.",
                                  .args = s_cancel_args, .size = sizeof(cancel_args_t), .run = s_run_cancel};
