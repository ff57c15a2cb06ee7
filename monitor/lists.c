/* lists -- orders, quote, balances and positions: questions whose answers are rows. */
#include "command.h"
#include "format.h"
#include "rows.h"
#include "table.h"

#include "zvt_json.h"
#include "zvt_time.h"

/* ---- what they share ---- */

/* One question to every gateway, rows of all answers in one list. */
typedef struct {
    char who[ZVT_VENUES_MAX][ZVT_NAME_SIZE + 16];
    client_ask_t asks[ZVT_VENUES_MAX];
    size_t count;
    rows_t rows;
} gateways_t;

static void s_print_rows_json(const rows_t *rows)
{
    putchar('[');
    for (size_t i = 0; i < rows->count; i++) {
        if (i > 0) fputs(",\n ", stdout);
        zvt_json_record(stdout, rows->type, rows_at(rows, i));
    }
    puts("]");
}

/* A venue that takes no part in a recorded market never had a gateway: there is not even the lock of its socket. */
static bool s_takes_part(const char *endpoint)
{
    char lock[ZVT_ENDPOINT_SIZE + 8];
    snprintf(lock, sizeof lock, "%s.lock", endpoint + strlen("ipc://"));
    return access(lock, F_OK) == 0 || client_listens(endpoint);
}

static void s_add_gateway(gateways_t *self, const char *venue, zvt_type_t question_type, const void *question)
{
    client_ask_t *ask = &self->asks[self->count];
    char *who = self->who[self->count];
    snprintf(who, sizeof self->who[0], "gateway-%s", venue);
    *ask = (client_ask_t){.who = who, .type = question_type, .question = question, .repeatable = true,
                          .on_record = rows_on_record, .arg = &self->rows};
    zvt_endpoint(ask->endpoint, "order-entry", venue);
    if (s_takes_part(ask->endpoint)) self->count++;
}

/* Asks the gateways; silent ones are named on stderr. Returns how many answered. */
static size_t s_ask_gateways(gateways_t *self, const zvt_fleet_t *fleet, zvt_type_t question_type, const void *question)
{
    for (uint32_t i = 0; i < fleet->venues_count; i++) s_add_gateway(self, fleet->venues[i].name, question_type, question);
    if (self->count == 0) {
        char down[CLIENT_PROBLEM_SIZE];
        client_down_sentence(down);
        (void)command_fail("%s", client_fleet_runs() ? "no gateway has started yet" : down);
        return 0;
    }
    size_t answered = client_ask(self->asks, self->count, CLIENT_TIMEOUT_MS);
    for (size_t i = 0; i < self->count; i++) {
        if (self->asks[i].outcome == CLIENT_ANSWERED) continue;
        (void)command_fail("%s", self->asks[i].problem);
        if (self->asks[i].outcome == CLIENT_DOWN) break; /* the same sentence for every gateway */
    }
    return answered;
}

/* ---- orders ---- */
typedef struct {
    const char *strategy;
    arg_u64_t limit;
    bool open, unknown, json;
} orders_args_t;

#define AT(member) .offset = offsetof(orders_args_t, member)
static const arg_t s_orders_args[] = {
    {.name = "open", .kind = ARG_FLAG, AT(open), .meaning = "only orders that can still execute"},
    {.name = "unknown", .kind = ARG_FLAG, AT(unknown), .meaning = "only orders whose outcome is not known"},
    {.name = "strategy", .argument = "NAME", .kind = ARG_TEXT, .bound = ZVT_NAME_SIZE, AT(strategy),
     .meaning = "only this strategy"},
    {.name = "limit", .argument = "N", .kind = ARG_U64, .fallback = "50", AT(limit), .meaning = "at the most, newest first"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "a JSON array"},
    {.name = NULL},
};
#undef AT

/* How an order stands, as a tone. States without a row are plain: they are on their way. */
static const format_tone_t s_state_tone[] = {
    [ZVT_ORDER_STATE_DENIED] = FORMAT_BAD,       [ZVT_ORDER_STATE_FILLED] = FORMAT_GOOD,
    [ZVT_ORDER_STATE_CANCELED] = FORMAT_WARNING, [ZVT_ORDER_STATE_EXPIRED] = FORMAT_WARNING,
    [ZVT_ORDER_STATE_REJECTED] = FORMAT_BAD,     [ZVT_ORDER_STATE_UNKNOWN] = FORMAT_WARNING,
    [ZVT_ORDER_STATE_FAILED] = FORMAT_BAD,
};

static void s_order_cells(table_t *table, const zvt_order_row_t *row)
{
    const zvt_order_request_t *terms = &row->order_request;
    char id[FORMAT_SHORT_ID], clock[FORMAT_CLOCK];
    format_short_id(&row->order_id, id);
    format_clock(row->requested_at_ns, clock);
    table_cell(table, FORMAT_QUIET, clock);
    table_cell(table, FORMAT_PLAIN, id);
    table_cell(table, FORMAT_PLAIN, row->strategy_id);
    table_cell(table, FORMAT_PLAIN, terms->symbol);
    table_cell(table, FORMAT_PLAIN, zvt_enum_text(ZVT_ENUM_OF_SIDE, terms->side));
    table_e8(table, terms->quantity_e8, false);
    table_cell(table, FORMAT_PLAIN, zvt_enum_text(ZVT_ENUM_OF_ORDER_TYPE, terms->order_type));
    table_e8(table, terms->limit_price_e8, true);
    table_cell(table, row->state < sizeof s_state_tone / sizeof s_state_tone[0] ? s_state_tone[row->state] : FORMAT_PLAIN,
               zvt_order_state_text(row->state));
    table_e8(table, row->cum_qty_e8, true);
    table_e8(table, row->avg_fill_price_e8, true);
    table_cell(table, FORMAT_PLAIN, row->exchange[0] != '\0' ? row->exchange : "-");
    bool fine = row->code == 0 || row->code == ZVT_CODE_OK;
    table_cell(table, FORMAT_BAD, fine ? "" : zvt_code_text(row->code));
}

/* What one asks the venue's desk with. */
static void s_unknown_cells(table_t *table, const zvt_order_row_t *row)
{
    char id[FORMAT_SHORT_ID], requested[FORMAT_CLOCK], since[FORMAT_CLOCK];
    format_short_id(&row->order_id, id);
    format_clock(row->requested_at_ns, requested);
    format_clock(row->updated_at_ns, since);
    table_cell(table, FORMAT_QUIET, requested);
    table_cell(table, FORMAT_PLAIN, id);
    table_cell(table, FORMAT_PLAIN, row->strategy_id);
    table_cell(table, FORMAT_PLAIN, row->order_request.symbol);
    table_cell(table, FORMAT_PLAIN, zvt_enum_text(ZVT_ENUM_OF_SIDE, row->order_request.side));
    table_e8(table, row->leaves_qty_e8, false);
    table_e8(table, row->order_request.limit_price_e8, true);
    table_cell(table, FORMAT_PLAIN, row->exchange);
    table_cell(table, FORMAT_PLAIN, row->client_order_id);
    table_cell(table, FORMAT_WARNING, since);
}

typedef void(order_cells_fn)(table_t *table, const zvt_order_row_t *row);

static const char *const s_order_heads[] = {"requested (UTC)", "order", "strategy", "symbol", "side",  ">quantity", "type",
                                            ">price",          "state", ">filled",  ">avg",   "venue", "",          NULL};
static const char *const s_unknown_heads[] = {"requested (UTC)", "order",  "strategy", "symbol",          "side",
                                              ">leaves",         ">price", "venue",    "client order id", "since (UTC)", NULL};

static void s_print_orders(const rows_t *rows, const char *const *heads, order_cells_fn *cells)
{
    table_t *table = table_new(heads);
    for (size_t i = 0; i < rows->count; i++) cells(table, rows_at(rows, i));
    if (rows->count == 0)
        puts("no orders");
    else
        table_print(table, stdout, format_wants_colour(stdout));
    table_destroy(&table);
    if (rows->more) puts("... and older ones; show more with --limit N");
}

static int s_run_orders(const void *arg)
{
    const orders_args_t *args = arg;
    zvt_orders_query_t query = {.open_only = args->open, .unknown_only = args->unknown};
    query.limit = args->limit.value > ROWS_MAX ? ROWS_MAX : (uint32_t)args->limit.value;
    if (args->strategy != NULL) ZVT_STR_SET(query.strategy_id, args->strategy);
    rows_t rows = rows_of(ZVT_T_ORDER_ROW);
    client_ask_t ask = command_ask_orchestrator(ZVT_T_ORDERS_QUERY, &query, rows_on_record, &rows);
    ask.repeatable = true;
    if (client_ask(&ask, 1, CLIENT_TIMEOUT_MS) == 0) {
        rows_destroy(&rows);
        return command_fail("%s", ask.problem);
    }
    if (args->json)
        s_print_rows_json(&rows);
    else if (args->unknown)
        s_print_orders(&rows, s_unknown_heads, s_unknown_cells);
    else
        s_print_orders(&rows, s_order_heads, s_order_cells);
    rows_destroy(&rows);
    return ZVT_EXIT_OK;
}

const command_t command_orders = {.name = "orders", .summary = "Lists open and recent orders, newest first.",
                                  .args = s_orders_args, .size = sizeof(orders_args_t), .run = s_run_orders};

/* ---- quote ---- */
typedef struct {
    const char *symbol;
    bool json;
} quote_args_t;

#define AT(member) .offset = offsetof(quote_args_t, member)
static const arg_t s_quote_args[] = {
    {.name = "symbol", .argument = "SYMBOL", .kind = ARG_TEXT, .positional = true, .bound = ZVT_SYMBOL_SIZE, AT(symbol),
     .meaning = "only this instrument"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "a JSON array"},
    {.name = NULL},
};
#undef AT

static int s_compare_quotes(const void *a, const void *b)
{
    const zvt_price_updated_t *x = a, *y = b;
    int order = strcmp(x->symbol, y->symbol);
    return order != 0 ? order : strcmp(x->venue, y->venue);
}

static void s_quote_cells(table_t *table, const zvt_price_updated_t *row)
{
    char time[ZVT_TIME_TEXT];
    int64_t spread_e8 = 0;
    bool both = row->bid_e8 != 0 && row->ask_e8 != 0 && zvt_fixed_sub(row->ask_e8, row->bid_e8, &spread_e8) == 0;
    zvt_time_format(row->market_ts_ns, time);
    table_cell(table, FORMAT_STRONG, row->symbol);
    table_cell(table, FORMAT_PLAIN, row->venue);
    table_e8(table, row->bid_volume_e8, true);
    table_e8(table, row->bid_e8, true);
    table_e8(table, row->ask_e8, true);
    table_e8(table, row->ask_volume_e8, true);
    table_e8(table, spread_e8, !both);
    table_cell(table, FORMAT_QUIET, row->market_ts_ns == 0 ? "-" : time);
}

static int s_no_quotes(const zvt_fleet_t *fleet, const char *symbol)
{
    if (symbol == NULL) return command_fail("no quotes yet; the market has not begun");
    if (zvt_fleet_instrument(fleet, symbol) >= 0) return command_fail("no quote for %s yet", symbol);
    char known[256] = "";
    for (uint32_t i = 0; i < fleet->instruments_count; i++) {
        size_t length = strlen(known);
        snprintf(known + length, sizeof known - length, "%s%s", i > 0 ? ", " : "", fleet->instruments[i].symbol);
    }
    return command_fail("no instrument %s in the fleet file; there are %s", symbol, known);
}

static void s_print_quotes(const rows_t *rows)
{
    static const char *const heads[] = {"symbol", "venue", ">bid size", ">bid", ">ask", ">ask size", ">spread", "market time",
                                        NULL};
    table_t *table = table_new(heads);
    for (size_t i = 0; i < rows->count; i++) s_quote_cells(table, rows_at(rows, i));
    table_print(table, stdout, format_wants_colour(stdout));
    table_destroy(&table);
}

static int s_run_quote(const void *arg)
{
    const quote_args_t *args = arg;
    const zvt_fleet_t *fleet = command_fleet();
    if (fleet == NULL) return ZVT_EXIT_FAILED;
    zvt_quotes_query_t query = {.symbol = ""};
    if (args->symbol != NULL) ZVT_STR_SET(query.symbol, args->symbol);
    gateways_t gateways = {.rows = rows_of(ZVT_T_PRICE_UPDATED)};
    int exit_code = s_ask_gateways(&gateways, fleet, ZVT_T_QUOTES_QUERY, &query) > 0 ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
    rows_sort(&gateways.rows, s_compare_quotes);
    if (exit_code == ZVT_EXIT_OK && args->json)
        s_print_rows_json(&gateways.rows);
    else if (exit_code == ZVT_EXIT_OK && gateways.rows.count > 0)
        s_print_quotes(&gateways.rows);
    if (exit_code == ZVT_EXIT_OK && gateways.rows.count == 0) exit_code = s_no_quotes(fleet, args->symbol);
    rows_destroy(&gateways.rows);
    return exit_code;
}

const command_t command_quote = {.name = "quote", .summary = "Shows the best bid and ask of every venue.",
                                 .args = s_quote_args, .size = sizeof(quote_args_t), .run = s_run_quote};

/* ---- balances ---- */
typedef struct {
    bool json;
} balances_args_t;

static const arg_t s_balances_args[] = {
    {.name = "json", .kind = ARG_FLAG, .offset = offsetof(balances_args_t, json), .meaning = "a JSON array"},
    {.name = NULL},
};

static int s_compare_balances(const void *a, const void *b)
{
    const zvt_balance_t *x = a, *y = b;
    int order = strcmp(x->exchange, y->exchange);
    return order != 0 ? order : strcmp(x->asset, y->asset);
}

static void s_print_balances(const rows_t *rows)
{
    static const char *const heads[] = {"venue", "asset", ">total", ">available", NULL};
    table_t *table = table_new(heads);
    for (size_t i = 0; i < rows->count; i++) {
        const zvt_balance_t *row = rows_at(rows, i);
        table_cell(table, FORMAT_PLAIN, row->exchange);
        table_cell(table, FORMAT_STRONG, row->asset);
        table_e8(table, row->total_e8, false);
        table_e8(table, row->available_e8, false);
    }
    if (rows->count == 0)
        puts("no balances");
    else
        table_print(table, stdout, format_wants_colour(stdout));
    table_destroy(&table);
}

static int s_run_balances(const void *arg)
{
    const balances_args_t *args = arg;
    const zvt_fleet_t *fleet = command_fleet();
    if (fleet == NULL) return ZVT_EXIT_FAILED;
    zvt_balances_query_t query = {.exchange = ""};
    gateways_t gateways = {.rows = rows_of(ZVT_T_BALANCE)};
    size_t answered = s_ask_gateways(&gateways, fleet, ZVT_T_BALANCES_QUERY, &query);
    bool complete = answered > 0 && answered == gateways.count;
    rows_sort(&gateways.rows, s_compare_balances);
    if (args->json && (complete || gateways.rows.count > 0))
        s_print_rows_json(&gateways.rows);
    else if (complete || gateways.rows.count > 0)
        s_print_balances(&gateways.rows);
    rows_destroy(&gateways.rows);
    return complete ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}

const command_t command_balances = {.name = "balances", .summary = "Shows what the account owns at each venue.",
                                    .args = s_balances_args, .size = sizeof(balances_args_t), .run = s_run_balances};

/* ---- positions ---- */
typedef struct {
    const char *strategy, *portfolio;
    bool json;
} positions_args_t;

#define AT(member) .offset = offsetof(positions_args_t, member)
static const arg_t s_positions_args[] = {
    {.name = "strategy", .argument = "NAME", .kind = ARG_TEXT, .bound = ZVT_NAME_SIZE, AT(strategy),
     .meaning = "only this strategy"},
    {.name = "portfolio", .argument = "NAME", .kind = ARG_TEXT, .bound = ZVT_NAME_SIZE, AT(portfolio),
     .meaning = "only this portfolio"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "a JSON array; rows without a strategy are totals"},
    {.name = NULL},
};
#undef AT

static void s_pnl_cell(table_t *table, int64_t pnl_e8)
{
    char text[ZVT_FIXED_TEXT];
    zvt_fixed_format(pnl_e8, text);
    table_cell(table, pnl_e8 < 0 ? FORMAT_BAD : pnl_e8 > 0 ? FORMAT_GOOD : FORMAT_PLAIN, text);
}

static void s_position_cells(table_t *table, const zvt_position_row_t *row)
{
    bool total = row->strategy_id[0] == '\0' || row->symbol[0] == '\0';
    table_cell(table, FORMAT_PLAIN, row->portfolio_id[0] != '\0' ? row->portfolio_id : "(all)");
    table_cell(table, total ? FORMAT_STRONG : FORMAT_PLAIN, row->strategy_id[0] != '\0' ? row->strategy_id : "(all)");
    table_cell(table, FORMAT_STRONG, row->symbol[0] != '\0' ? row->symbol : "(all)");
    table_e8(table, row->quantity_e8, total);
    table_e8(table, row->avg_price_e8, true);
    table_e8(table, row->market_price_e8, true);
    table_e8(table, row->market_value_e8, false);
    s_pnl_cell(table, row->realized_pnl_e8);
    s_pnl_cell(table, row->unrealized_pnl_e8);
    table_e8(table, row->commission_e8, true);
}

static void s_print_positions(const rows_t *rows)
{
    static const char *const heads[] = {"portfolio", "strategy", "symbol",    ">quantity",   ">avg price", ">market price",
                                        ">value",    ">realized", ">unrealized", ">commission", NULL};
    table_t *table = table_new(heads);
    for (size_t i = 0; i < rows->count; i++) s_position_cells(table, rows_at(rows, i));
    if (rows->count == 0)
        puts("no positions");
    else
        table_print(table, stdout, format_wants_colour(stdout));
    table_destroy(&table);
}

static int s_run_positions(const void *arg)
{
    const positions_args_t *args = arg;
    zvt_positions_query_t query = {.portfolio_id = ""};
    if (args->strategy != NULL) ZVT_STR_SET(query.strategy_id, args->strategy);
    if (args->portfolio != NULL) ZVT_STR_SET(query.portfolio_id, args->portfolio);
    rows_t rows = rows_of(ZVT_T_POSITION_ROW);
    client_ask_t ask = {.who = "portfolio", .type = ZVT_T_POSITIONS_QUERY, .question = &query, .repeatable = true,
                        .on_record = rows_on_record, .arg = &rows};
    zvt_endpoint(ask.endpoint, "portfolio", NULL);
    if (client_ask(&ask, 1, CLIENT_TIMEOUT_MS) == 0) {
        rows_destroy(&rows);
        return command_fail("%s", ask.problem);
    }
    if (args->json)
        s_print_rows_json(&rows);
    else
        s_print_positions(&rows);
    rows_destroy(&rows);
    return ZVT_EXIT_OK;
}

const command_t command_positions = {.name = "positions", .summary = "Shows positions and profit, per strategy and in total.",
                                     .args = s_positions_args, .size = sizeof(positions_args_t), .run = s_run_positions};
