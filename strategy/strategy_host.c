#include "strategy_host.h"

#include <inttypes.h>

#include "strategy_options.h"
#include "zvt_follower.h"
#include "zvt_link.h"
#include "zvt_service.h"
#include "zvt_subscriber.h"

enum { OUT_SIZE = 256 << 10, LEFT_OPEN_LINES = 20 };

#define READY_AT_LAST_NS (2 * ZVT_SECOND_NS)
#define ASK_AGAIN_NS (500 * ZVT_MS_NS)
#define ANSWER_PATIENCE_NS (5 * ZVT_SECOND_NS) /* for a list of orders: two answers at once could not be told apart */
#define REMIND_NS (5 * ZVT_SECOND_NS)

typedef struct {
    zvt_service_t *service;
    zvt_loop_t *loop;
    desk_core_t *desk;
    char ack_topic[ZVT_NAME_SIZE + 8];
    zsock_t *signals;       /* PUSH */
    char signals_endpoint[ZVT_ENDPOINT_SIZE];
    zvt_buf_t out;          /* signals of this round */
    zvt_subscriber_t *markets[ZVT_VENUES_MAX];
    zvt_subscriber_t *acks;
    zvt_follower_t *follower;
    zvt_link_t *request;
    zvt_link_t *portfolio;
    bool live;              /* the follower delivers */
    uint64_t live_from_seq; /* the log up to here was not folded here */
    uint64_t portfolio_seq; /* portfolio has folded the log up to here */
    int due_timer;
    int64_t remind_ns;      /* monotonic; when to say what the start waits for */
    int64_t orders_asked_ns; /* monotonic; when the orders were asked for that have not been answered; 0: no question is open */
} host_t;

/* Counters that `stats` shows, from the desk's own counts. */
static const struct {
    const char *name;
    size_t offset;
} s_counters[] = {
    {.name = "signals_sent", .offset = offsetof(desk_counts_t, signals_sent)},
    {.name = "signals_resent", .offset = offsetof(desk_counts_t, signals_resent)},
    {.name = "signals_acked", .offset = offsetof(desk_counts_t, signals_acked)},
    {.name = "signals_refused", .offset = offsetof(desk_counts_t, signals_refused)},
    {.name = "signals_expired", .offset = offsetof(desk_counts_t, signals_expired)},
    {.name = "signals_renamed", .offset = offsetof(desk_counts_t, signals_renamed)},
    {.name = "signals_full", .offset = offsetof(desk_counts_t, signals_full)},
    {.name = "market_updates", .offset = offsetof(desk_counts_t, market_updates)},
    {.name = "market_quotes", .offset = offsetof(desk_counts_t, market_quotes)},
    {.name = "market_gaps", .offset = offsetof(desk_counts_t, market_gaps)},
    {.name = "own_events", .offset = offsetof(desk_counts_t, own_events)},
    {.name = "orders_untracked", .offset = offsetof(desk_counts_t, orders_untracked)},
};

static void s_update_counters(const host_t *self)
{
    static uint64_t *counters[sizeof s_counters / sizeof s_counters[0]];
    const desk_counts_t *counts = desk_core_counts(self->desk);
    for (size_t i = 0; i < sizeof s_counters / sizeof s_counters[0]; i++) {
        if (counters[i] == NULL) counters[i] = zvt_counter(s_counters[i].name);
        memcpy(counters[i], (const char *)counts + s_counters[i].offset, sizeof *counters[i]);
    }
}

static desk_time_t s_now(const host_t *self)
{
    return (desk_time_t){.utc_ns = zvt_loop_utc_ns(self->loop), .monotonic_ns = zvt_loop_monotonic_ns(self->loop)};
}

/* ---- signals out ---- */
static void s_flush(host_t *self)
{
    if (self->out.length == 0) return;
    /* A message that cannot leave is sent again when its signals are due again. */
    if (zmq_send(zsock_resolve(self->signals), self->out.data, self->out.length, ZMQ_DONTWAIT) < 0) ZVT_COUNT("unsent");
    self->out.length = 0;
}

static void s_on_send(void *arg, zvt_type_t type, const void *record)
{
    host_t *self = arg;
    if (zvt_pack(&self->out, type, record) == 0) return;
    s_flush(self);
    ZVT_ASSERT(zvt_pack(&self->out, type, record) == 0);
}

static void s_on_log(void *arg, const char *name, const char *text)
{
    (void)arg;
    zvt_info("%s: %s", name, text);
}

static void s_on_warn(void *arg, const char *text)
{
    (void)arg;
    zvt_warn("%s", text);
}

static void s_on_round(void *arg)
{
    host_t *self = arg;
    s_flush(self);
    s_update_counters(self);
    zvt_loop_arm(self->loop, self->due_timer, desk_core_next_ns(self->desk));
}

static void s_on_due(void *arg)
{
    host_t *self = arg;
    desk_core_on_time(self->desk, s_now(self));
}

/* ---- market, acknowledgements, events in ---- */
static void s_on_market(void *arg, const char *topic, const zvt_record_t *record)
{
    host_t *self = arg;
    (void)topic;
    zvt_service_ready(self->service);
    desk_core_on_market(self->desk, record, s_now(self));
}

/* The subscription is a prefix: ack.maker also brings ack.maker-2. */
static void s_on_ack(void *arg, const char *topic, const zvt_record_t *record)
{
    host_t *self = arg;
    if (record->type != ZVT_T_SIGNAL_ACK || !streq(topic, self->ack_topic)) return;
    desk_core_on_ack(self->desk, &record->signal_ack, s_now(self));
}

static void s_on_event(void *arg, const zvt_event_t *event)
{
    host_t *self = arg;
    desk_core_on_event(self->desk, event, s_now(self));
}

/* ---- start: what do the strategies hold? ---- */
static void s_ask_orders(host_t *self)
{
    int64_t now_ns = zvt_loop_monotonic_ns(self->loop);
    if (desk_core_knows_orders(self->desk) || !self->live || !zvt_link_is_up(self->request)) return;
    if (self->orders_asked_ns != 0 && now_ns - self->orders_asked_ns < ANSWER_PATIENCE_NS) return;
    zvt_orders_query_t query;
    desk_core_begin_orders(self->desk, &query);
    self->orders_asked_ns = now_ns;
    zvt_link_send(self->request, ZVT_T_ORDERS_QUERY, &query);
}

static void s_ask_positions(host_t *self)
{
    if (desk_core_knows_positions(self->desk) || !self->live || !zvt_link_is_up(self->portfolio)) return;
    if (self->portfolio_seq < self->live_from_seq) return; /* it could miss what happened before the first event here */
    zvt_positions_query_t query = {0};
    if (desk_core_count(self->desk) == 1)
        ZVT_STR_SET(query.strategy_id, strategy_core_config(desk_core_strategy(self->desk, 0))->name);
    zvt_link_send(self->portfolio, ZVT_T_POSITIONS_QUERY, &query);
}

/* Asks only once the log is followed, so that nothing can happen between an answer and the first event. */
static void s_on_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    host_t *self = arg;
    if (self->live || !caught_up) return;
    self->live = true;
    self->live_from_seq = applied_seq;
    s_ask_orders(self);
    s_ask_positions(self);
}

/* Live events were missed for so long that they have left the log: what was open has to be asked for anew. */
static void s_on_hole(void *arg, uint64_t first_seq)
{
    host_t *self = arg;
    zvt_error("events were missed, and the log begins with seq %" PRIu64 " only; starting again", first_seq);
    zvt_service_exit(self->service, ZVT_EXIT_TEMPORARY);
}

static void s_say_what_is_missing(host_t *self)
{
    int64_t now_ns = zvt_loop_monotonic_ns(self->loop);
    if (desk_core_started(self->desk) || now_ns < self->remind_ns) return;
    self->remind_ns = now_ns + REMIND_NS;
    zvt_warn("not trading yet: waiting for%s%s%s", self->live ? "" : " the event log",
             desk_core_knows_orders(self->desk) ? "" : " the open orders (orchestrator)",
             desk_core_knows_positions(self->desk) ? "" : " the positions (portfolio)");
}

static void s_on_ask_again(void *arg)
{
    host_t *self = arg;
    s_ask_orders(self);
    s_ask_positions(self);
    s_say_what_is_missing(self);
}

static void s_say_when_trading(const host_t *self)
{
    if (desk_core_started(self->desk)) zvt_info("trading with %" PRIu32 " strategies", desk_core_count(self->desk));
}

/* A list whose orders changed meanwhile is asked for again by time. */
static void s_on_orders_end(host_t *self, const zvt_list_end_t *end)
{
    self->orders_asked_ns = 0;
    if (desk_core_on_orders_end(self->desk, end, s_now(self)))
        s_ask_orders(self);
    else
        zvt_debug("orders changed while they were listed; asking again");
    s_say_when_trading(self);
}

static void s_on_request_record(void *arg, const zvt_record_t *record)
{
    host_t *self = arg;
    if (record->type == ZVT_T_ERROR_REPLY) {
        zvt_warn("orchestrator: %s", record->error_reply.message);
        self->orders_asked_ns = 0;
    }
    if (desk_core_knows_orders(self->desk)) return;
    if (record->type == ZVT_T_ORDER_ROW) desk_core_on_order_row(self->desk, &record->order_row);
    if (record->type == ZVT_T_LIST_END) s_on_orders_end(self, &record->list_end);
}

static void s_on_portfolio_record(void *arg, const zvt_record_t *record)
{
    host_t *self = arg;
    bool waiting = !desk_core_knows_positions(self->desk);
    if (record->type == ZVT_T_ERROR_REPLY) zvt_warn("portfolio: %s", record->error_reply.message);
    if (!waiting) return;
    if (record->type == ZVT_T_POSITION_ROW) desk_core_on_position_row(self->desk, &record->position_row);
    if (record->type != ZVT_T_LIST_END) return;
    desk_core_on_positions_end(self->desk, s_now(self));
    s_say_when_trading(self);
}

static void s_on_request_up(void *arg, const zvt_hello_t *peer)
{
    host_t *self = arg;
    (void)peer;
    /* It may be another process than before, while these are still connected to the one that it replaced. */
    zvt_socket_reconnect(self->signals, self->signals_endpoint);
    zvt_subscriber_reopen(self->acks);
    desk_core_on_peer(self->desk, s_now(self));
    self->orders_asked_ns = 0; /* who would have answered is gone */
    s_ask_orders(self);
}

/* Every hello of portfolio says how far it has folded the log. */
static void s_on_portfolio_hello(void *arg, const zvt_hello_t *peer)
{
    host_t *self = arg;
    bool was_behind = self->portfolio_seq < self->live_from_seq;
    self->portfolio_seq = peer->cursor;
    if (was_behind) s_ask_positions(self);
}

static void s_on_portfolio_up(void *arg, const zvt_hello_t *peer)
{
    host_t *self = arg;
    self->portfolio_seq = peer->cursor;
    s_ask_positions(self);
}

static void s_on_down(void *arg)
{
    (void)arg;
}

static void s_on_ready_at_last(void *arg)
{
    host_t *self = arg;
    zvt_service_ready(self->service);
}

/* ---- sockets ---- */

/* True if some strategy wants this venue's prices. */
static bool s_wants_venue(const host_t *self, const char *venue)
{
    for (uint32_t i = 0; i < desk_core_count(self->desk); i++) {
        const char *wanted = strategy_core_config(desk_core_strategy(self->desk, i))->venue;
        if (*wanted == '\0' || streq(wanted, venue)) return true;
    }
    return false;
}

static void s_subscribe_market(host_t *self, uint32_t index, const char *venue)
{
    static const char *const kinds[] = {"quote", "trade", "book"};
    char endpoint[ZVT_ENDPOINT_SIZE], topic[64];
    zvt_endpoint(endpoint, "market", venue);
    self->markets[index] = zvt_subscriber_new(self->loop, endpoint, s_on_market, self);
    const char *symbol;
    for (uint32_t i = 0; (symbol = desk_core_market(self->desk, i)) != NULL; i++)
        for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
            snprintf(topic, sizeof topic, "%s.%s.%s", kinds[kind], venue, symbol);
            zvt_subscriber_add(self->markets[index], topic);
        }
}

static void s_connect(host_t *self)
{
    const zvt_fleet_t *fleet = zvt_service_fleet(self->service);
    const zvt_hello_t *identity = zvt_service_identity(self->service);
    char endpoint[ZVT_ENDPOINT_SIZE];
    for (uint32_t i = 0; i < fleet->venues_count; i++)
        if (s_wants_venue(self, fleet->venues[i].name)) s_subscribe_market(self, i, fleet->venues[i].name);

    zvt_endpoint(self->signals_endpoint, "signals", NULL);
    self->signals = zvt_socket_new(ZMQ_PUSH);
    ZVT_ASSERT(zmq_connect(zsock_resolve(self->signals), self->signals_endpoint) == 0);

    zvt_endpoint(endpoint, "events", NULL);
    snprintf(self->ack_topic, sizeof self->ack_topic, "ack.%s", zvt_service_name(self->service));
    self->acks = zvt_subscriber_new(self->loop, endpoint, s_on_ack, self);
    zvt_subscriber_add(self->acks, self->ack_topic);
    self->follower = zvt_follower_new(self->loop, (uint32_t)fleet->shard, ZVT_FOLLOW_LIVE, identity, s_on_event, s_on_batch, self);
    zvt_follower_on_hole(self->follower, s_on_hole);

    zvt_endpoint(endpoint, "request", NULL);
    zvt_link_handler_t to_orchestrator = {.on_record = s_on_request_record, .on_up = s_on_request_up, .on_down = s_on_down,
                                          .arg = self};
    self->request = zvt_link_new(self->loop, endpoint, identity, &to_orchestrator);
    zvt_endpoint(endpoint, "portfolio", NULL);
    zvt_link_handler_t to_portfolio = {.on_record = s_on_portfolio_record, .on_up = s_on_portfolio_up, .on_down = s_on_down,
                                       .on_hello = s_on_portfolio_hello, .arg = self};
    self->portfolio = zvt_link_new(self->loop, endpoint, identity, &to_portfolio);
}

static void s_disconnect(host_t *self)
{
    for (size_t i = 0; i < ZVT_VENUES_MAX; i++) zvt_subscriber_destroy(&self->markets[i]);
    zvt_subscriber_destroy(&self->acks);
    zvt_follower_destroy(&self->follower);
    zvt_link_destroy(&self->request);
    zvt_link_destroy(&self->portfolio);
    zsock_destroy(&self->signals);
    zvt_buf_destroy(&self->out);
}

/* ---- end ---- */
static void s_name_open_orders(const host_t *self)
{
    size_t total = 0, lines = 0;
    for (uint32_t i = 0; i < desk_core_count(self->desk); i++) {
        const strategy_core_t *core = desk_core_strategy(self->desk, i);
        size_t count;
        const zvt_strategy_order_t *orders = zvt_strategy_orders(core, &count);
        total += count;
        for (size_t n = 0; n < count && lines < LEFT_OPEN_LINES; n++, lines++) {
            char id[ZVT_ID_TEXT], leaves[ZVT_FIXED_TEXT], price[ZVT_FIXED_TEXT];
            zvt_id_format(&orders[n].order_id, id);
            zvt_fixed_format(orders[n].leaves_qty_e8, leaves);
            zvt_fixed_format(orders[n].request.limit_price_e8, price);
            zvt_info("%s leaves open: order %s, %s %s %s at %s, %s", zvt_strategy_name(core), id,
                     zvt_enum_text(ZVT_ENUM_OF_SIDE, orders[n].request.side), leaves, orders[n].request.symbol, price,
                     zvt_order_state_text(orders[n].state));
        }
    }
    if (total > 0) zvt_info("orders left open: %zu; 'fleet cancel ID' cancels one, a restart finds them again", total);
}

/* ---- main ---- */

/* --list needs no fleet, so it is looked for before anything else. */
static bool s_list(int argc, char **argv, const strategy_catalog_t *catalog)
{
    bool list = false, json = false;
    for (int i = 1; i < argc; i++) {
        list = list || streq(argv[i], "--list");
        json = json || streq(argv[i], "--json");
    }
    if (!list) return false;
    if (json)
        settings_print_json(stdout, catalog->strategies, catalog->count);
    else
        settings_print(stdout, catalog->strategies, catalog->count);
    return true;
}

static desk_core_t *s_make_desk(host_t *self, const strategy_options_t *options, const strategy_catalog_t *catalog)
{
    char problem[SETTINGS_PROBLEM_SIZE] = "";
    int count = strategy_options_count(options, problem);
    desk_output_t output = {.send = s_on_send, .log = s_on_log, .warn = s_on_warn, .arg = self};
    const char *name = zvt_service_name(self->service);
    uint64_t incarnation = zvt_service_identity(self->service)->incarnation;
    zvt_id_t of_name = zvt_id_from_text(name, strlen(name));
    uint64_t seed;
    memcpy(&seed, of_name.bytes, sizeof seed);
    desk_core_t *desk = count < 0 ? NULL : desk_core_new(name, incarnation, seed ^ incarnation, (uint32_t)count, &output);
    if (desk != NULL && strategy_options_fill(options, catalog, zvt_service_fleet(self->service), name, desk, problem) == 0)
        return desk;
    fprintf(stderr, "zvt-strategy: %s\n", problem);
    exit(ZVT_EXIT_CONFIG);
}

static int s_run(host_t *self)
{
    self->loop = zvt_service_loop(self->service);
    self->out = zvt_buf_new(OUT_SIZE);
    s_connect(self);
    self->due_timer = zvt_loop_timer(self->loop, s_on_due, self);
    zvt_loop_on_round(self->loop, s_on_round, self);
    zvt_loop_every(self->loop, ASK_AGAIN_NS, s_on_ask_again, self);
    self->remind_ns = zvt_monotonic_ns() + REMIND_NS;
    zvt_loop_arm(self->loop, zvt_loop_timer(self->loop, s_on_ready_at_last, self), zvt_monotonic_ns() + READY_AT_LAST_NS);
    int exit_code = zvt_service_run(self->service);
    s_name_open_orders(self);
    s_disconnect(self);
    desk_core_destroy(&self->desk);
    return exit_code;
}

int strategy_host_main(int argc, char **argv, const zvt_strategy_t *const *strategies, size_t count)
{
    static host_t host;
    static strategy_options_t options;
    strategy_catalog_t catalog = {.strategies = strategies, .count = count};
    if (s_list(argc, argv, &catalog)) return ZVT_EXIT_OK;
    options.environment_symbol = getenv("ZVT_STRATEGY_SYMBOL");
    options.environment_venue = getenv("ZVT_STRATEGY_VENUE");
    options.environment_settings = getenv("ZVT_STRATEGY_SETTINGS");
    const zvt_option_t rows[] = {
        {.name = "strategy", .argument = "NAME", .meaning = "which strategy; see --list", .value = &options.strategy},
        {.name = "symbol", .argument = "SYMBOL", .meaning = "what to trade, BASE/QUOTE", .value = &options.symbol},
        {.name = "venue", .argument = "VENUE", .meaning = "the only venue to read and trade at", .value = &options.venue},
        {.name = "portfolio", .argument = "NAME", .meaning = "account orders to it; default main", .value = &options.portfolio},
        {.name = "set", .argument = "KEY=VALUE", .meaning = "a setting of the strategy; at most 16",
         .each = strategy_options_add_setting, .arg = &options},
        {.name = "count", .argument = "K", .meaning = "run K copies, named NAME-1 to NAME-K", .value = &options.count},
        {.name = "symbols", .argument = "N", .meaning = "with --count: the copies trade N instruments by turns, from --symbol on",
         .value = &options.symbols},
        {.name = "with", .argument = "NAME", .meaning = "also run this strategy of the fleet file; repeatable",
         .each = strategy_options_add_with, .arg = &options},
        {.name = "list", .meaning = "print the strategies and their settings and end", .value = &options.list},
        {.name = "json", .meaning = "with --list: as JSON", .value = &options.json},
        {.name = NULL},
    };
    const zvt_service_desc_t desc = {.program = "zvt-strategy", .summary = "Runs trading strategies in the fleet.",
                                     .role = ZVT_ROLE_STRATEGY, .name = getenv("ZVT_STRATEGY_NAME"), .options = rows};
    host.service = zvt_service_new(argc, argv, &desc);
    host.desk = s_make_desk(&host, &options, &catalog);
    int exit_code = s_run(&host);
    zvt_service_destroy(&host.service);
    return exit_code;
}

int zvt_strategy_main(int argc, char **argv, const zvt_strategy_t *strategy)
{
    return strategy_host_main(argc, argv, &strategy, 1);
}
