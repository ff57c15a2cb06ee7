/* Who gets which quote, event and acknowledgement, and when strategies start. */
#include <criterion/criterion.h>
#include <string.h>

#include "desk_core.h"

enum { SENT_MAX = 64 };

static const zvt_list_end_t s_whole = {0}, s_cut = {.more = true};
static zvt_orders_query_t s_query;

/* A strategy that buys one unit on every quote, until it has an open order. */
typedef struct {
    int quotes;
    int times;
    int events;
    int told;
    uint8_t last_state;
    uint8_t last_code;
} eager_t;

static void s_on_quote(void *state, zvt_strategy_context_t *context, const zvt_price_updated_t *quote)
{
    eager_t *self = state;
    (void)quote;
    self->quotes++;
    zvt_order_request_t terms = {.side = ZVT_SIDE_BUY, .order_type = ZVT_ORDER_TYPE_LIMIT, .time_in_force = ZVT_TIF_GTC,
                                 .quantity_e8 = ZVT_E8, .limit_price_e8 = 100 * ZVT_E8};
    size_t open;
    zvt_strategy_orders(context, &open);
    if (open == 0) cr_assert(zvt_strategy_submit(context, &terms, 0, NULL) == 0);
}

static void s_on_order(void *state, zvt_strategy_context_t *context, const zvt_strategy_order_t *order,
                       const zvt_strategy_update_t *update)
{
    eager_t *self = state;
    (void)context;
    self->told++;
    self->last_state = order->state;
    self->last_code = update->code;
}

static void s_on_event(void *state, zvt_strategy_context_t *context, const zvt_event_t *event)
{
    (void)context;
    (void)event;
    ((eager_t *)state)->events++;
}

static void s_on_time(void *state, zvt_strategy_context_t *context)
{
    (void)context;
    ((eager_t *)state)->times++;
}

static const zvt_strategy_t s_eager = {.name = "eager", .summary = "buys", .state_size = sizeof(eager_t), .period_ms = 1000,
                                       .on_quote = s_on_quote, .on_order = s_on_order, .on_event = s_on_event,
                                       .on_time = s_on_time};
static const zvt_instrument_t s_btc = {.symbol = "BTC/USDT", .tick_e8 = 1, .lot_e8 = 1};
static const zvt_instrument_t s_eth = {.symbol = "ETH/USDT", .tick_e8 = 1, .lot_e8 = 1};

static struct {
    size_t count;
    zvt_type_t types[SENT_MAX];
    zvt_signal_t signals[SENT_MAX];
} sent;
static desk_core_t *desk;
static desk_time_t now = {.utc_ns = INT64_C(1700000000) * ZVT_SECOND_NS, .monotonic_ns = 50 * ZVT_SECOND_NS};
static uint64_t seq = 1000;

static void s_on_send(void *arg, zvt_type_t type, const void *record)
{
    (void)arg;
    cr_assert(sent.count < SENT_MAX);
    sent.types[sent.count] = type;
    if (type == ZVT_T_SIGNAL) sent.signals[sent.count] = *(const zvt_signal_t *)record;
    sent.count++;
}

static void s_on_log(void *arg, const char *name, const char *text)
{
    (void)arg;
    (void)name;
    (void)text;
}

static void s_add(const char *name, const zvt_instrument_t *instrument, const char *venue)
{
    zvt_strategy_config_t config = {0};
    char problem[SETTINGS_PROBLEM_SIZE];
    ZVT_STR_SET(config.name, name);
    ZVT_STR_SET(config.venue, venue);
    cr_assert(desk_core_add(desk, &s_eager, &config, "main", instrument, problem) == 0, "%s", problem);
}

static void s_setup(void)
{
    desk_output_t output = {.send = s_on_send, .log = s_on_log};
    desk = desk_core_new("host", 7, 1, 3, &output);
    s_add("a", &s_btc, "");
    s_add("b", &s_btc, "beta");
    s_add("c", &s_eth, "");
}

static void s_teardown(void)
{
    desk_core_destroy(&desk);
}

TestSuite(strategy_desk, .init = s_setup, .fini = s_teardown);

static eager_t *s_state(uint32_t index)
{
    return strategy_core_state((strategy_core_t *)desk_core_strategy(desk, index));
}

static void s_start(void)
{
    desk_core_on_positions_end(desk, now);
    desk_core_begin_orders(desk, &s_query);
    cr_assert(desk_core_on_orders_end(desk, &s_whole, now));
}

static void s_quote(const char *venue, const char *symbol, uint64_t symbol_seq)
{
    zvt_record_t record = {.type = ZVT_T_PRICE_UPDATED};
    ZVT_STR_SET(record.price_updated.venue, venue);
    ZVT_STR_SET(record.price_updated.symbol, symbol);
    record.price_updated.symbol_seq = symbol_seq;
    desk_core_on_market(desk, &record, now);
}

static void s_event(zvt_type_t type, const void *record, zvt_id_t aggregate_id)
{
    uint8_t bytes[2048];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    cr_assert(zvt_pack_payload(&buf, type, record) == 0);
    zvt_event_t event = {.seq = ++seq, .type = type, .version = 1, .aggregate_id = aggregate_id, .payload = bytes,
                         .payload_length = buf.length};
    desk_core_on_event(desk, &event, now);
}

static zvt_id_t s_id(uint8_t n)
{
    return (zvt_id_t){.bytes = {n, 1}};
}

static void s_requested(const char *strategy, const zvt_id_t *signal_id, zvt_id_t order_id)
{
    zvt_order_requested_t requested = {.order_id = order_id};
    if (signal_id != NULL) requested.signal_id = *signal_id;
    ZVT_STR_SET(requested.strategy_id, strategy);
    requested.order_request = (zvt_order_request_t){.symbol = "BTC/USDT", .side = ZVT_SIDE_BUY, .quantity_e8 = ZVT_E8};
    s_event(ZVT_T_ORDER_REQUESTED, &requested, order_id);
}

static zvt_order_row_t s_row(const char *strategy, zvt_id_t order_id)
{
    zvt_order_row_t row = {.order_id = order_id, .state = ZVT_ORDER_STATE_ACCEPTED, .leaves_qty_e8 = ZVT_E8};
    ZVT_STR_SET(row.strategy_id, strategy);
    ZVT_STR_SET(row.order_request.symbol, "BTC/USDT");
    return row;
}

static size_t s_open(uint32_t index)
{
    size_t count;
    zvt_strategy_orders(desk_core_strategy(desk, index), &count);
    return count;
}

Test(strategy_desk, waits_for_positions_and_orders)
{
    s_quote("alpha", "BTC/USDT", 1);
    desk_core_on_positions_end(desk, now);
    s_quote("alpha", "BTC/USDT", 2);
    cr_assert(!desk_core_started(desk) && s_state(0)->quotes == 0);
    desk_core_begin_orders(desk, &s_query);
    cr_assert(desk_core_on_orders_end(desk, &s_whole, now));
    s_quote("alpha", "BTC/USDT", 3);
    cr_assert(desk_core_started(desk) && s_state(0)->quotes == 1);
}

Test(strategy_desk, a_quote_goes_to_the_strategies_of_its_symbol_and_venue)
{
    s_start();
    s_quote("alpha", "BTC/USDT", 1);
    s_quote("beta", "BTC/USDT", 1);
    s_quote("alpha", "ETH/USDT", 1);
    s_quote("alpha", "DOGE/USDT", 1);
    cr_assert(s_state(0)->quotes == 2 && s_state(1)->quotes == 1 && s_state(2)->quotes == 1);
    cr_assert(desk_core_counts(desk)->market_updates == 3 && desk_core_counts(desk)->market_quotes == 3);
}

Test(strategy_desk, counts_missing_updates_per_venue_and_symbol)
{
    s_start();
    s_quote("alpha", "BTC/USDT", 10);
    s_quote("alpha", "BTC/USDT", 11);
    s_quote("beta", "BTC/USDT", 500);
    s_quote("alpha", "BTC/USDT", 14);
    cr_assert(desk_core_counts(desk)->market_gaps == 2);
    s_quote("alpha", "BTC/USDT", 1); /* the gateway started anew */
    s_quote("alpha", "BTC/USDT", 2);
    cr_assert(desk_core_counts(desk)->market_gaps == 2);
}

Test(strategy_desk, an_acknowledged_signal_becomes_an_order_and_its_events_find_the_strategy)
{
    s_start();
    s_quote("alpha", "BTC/USDT", 1);
    cr_assert(sent.count == 1 && sent.signals[0].sender_seq == 1);
    cr_assert_str_eq(sent.signals[0].sender, "host");
    cr_assert_str_eq(sent.signals[0].strategy_id, "a");
    zvt_signal_ack_t ack = {.incarnation = 7, .sender_seq = 1, .signal_id = sent.signals[0].signal_id, .order_id = s_id(1),
                            .seq = 5, .code = ZVT_CODE_OK};
    desk_core_on_ack(desk, &ack, now);
    desk_core_on_ack(desk, &ack, now);
    cr_assert(desk_core_counts(desk)->signals_acked == 1);
    zvt_order_accepted_t accepted = {.order_id = s_id(1)};
    s_event(ZVT_T_ORDER_ACCEPTED, &accepted, s_id(1));
    s_event(ZVT_T_ORDER_ACCEPTED, &accepted, s_id(2)); /* somebody else's */
    cr_assert(s_state(0)->told == 1 && s_state(0)->last_state == ZVT_ORDER_STATE_ACCEPTED);
    cr_assert(desk_core_counts(desk)->own_events == 1 && s_state(0)->events == 2);
}

Test(strategy_desk, a_refused_signal_is_told_once)
{
    s_start();
    s_quote("alpha", "BTC/USDT", 1);
    zvt_signal_ack_t ack = {.incarnation = 7, .sender_seq = 1, .code = ZVT_CODE_STALE, .message = "late"};
    desk_core_on_ack(desk, &ack, now);
    cr_assert(s_state(0)->told == 1 && s_state(0)->last_code == ZVT_CODE_STALE && s_open(0) == 0);
    cr_assert(desk_core_counts(desk)->signals_refused == 1);
}

Test(strategy_desk, a_refusal_in_the_log_is_told_from_the_log)
{
    s_start();
    s_quote("alpha", "BTC/USDT", 1);
    zvt_signal_ack_t ack = {.incarnation = 7, .sender_seq = 1, .code = ZVT_CODE_HALTED, .seq = 77};
    desk_core_on_ack(desk, &ack, now);
    cr_assert(s_state(0)->told == 0 && s_open(0) == 1);
    s_requested("a", &sent.signals[0].signal_id, s_id(1));
    zvt_order_rejected_t rejected = {.order_id = s_id(1), .stage = ZVT_STAGE_RISK, .rejection_reason = ZVT_CODE_HALTED};
    s_event(ZVT_T_ORDER_REJECTED, &rejected, s_id(1));
    cr_assert(s_open(0) == 0 && s_state(0)->last_code == ZVT_CODE_HALTED);
}

Test(strategy_desk, a_signal_that_nobody_answers_expires)
{
    s_start();
    s_quote("alpha", "BTC/USDT", 1);
    now.monotonic_ns += ZVT_STRATEGY_LIFETIME_NS;
    desk_core_on_time(desk, now);
    cr_assert(desk_core_counts(desk)->signals_expired == 1 && s_open(0) == 0 && s_state(0)->last_code == ZVT_CODE_STALE);
}

Test(strategy_desk, resends_when_the_orchestrator_is_back)
{
    s_start();
    s_quote("alpha", "BTC/USDT", 1);
    desk_core_on_peer(desk, now);
    cr_assert(sent.count == 2 && desk_core_counts(desk)->signals_resent == 1);
    cr_assert(sent.signals[1].sender_seq == 1 && zvt_id_equal(&sent.signals[0].signal_id, &sent.signals[1].signal_id));
}

Test(strategy_desk, calls_on_time_once_per_period)
{
    s_start();
    cr_assert(desk_core_next_ns(desk) == now.monotonic_ns + ZVT_SECOND_NS);
    for (int i = 0; i < 30; i++) {
        now.monotonic_ns += 100 * ZVT_MS_NS;
        desk_core_on_time(desk, now);
    }
    cr_assert(s_state(0)->times == 3 && s_state(2)->times == 3);
}

Test(strategy_desk, open_orders_are_taken_over)
{
    desk_core_begin_orders(desk, &s_query);
    zvt_order_row_t mine = s_row("a", s_id(1)), other = s_row("x", s_id(2));
    desk_core_on_order_row(desk, &mine);
    desk_core_on_order_row(desk, &other);
    cr_assert(desk_core_on_orders_end(desk, &s_whole, now));
    cr_assert(s_open(0) == 1 && s_open(1) == 0);
}

Test(strategy_desk, open_orders_that_one_answer_cannot_hold_are_asked_for_by_strategy)
{
    desk_core_begin_orders(desk, &s_query);
    cr_assert_str_empty(s_query.strategy_id, "of everybody");
    cr_assert(desk_core_on_orders_end(desk, &s_cut, now) && !desk_core_knows_orders(desk));
    static const char *const names[] = {"a", "b", "c"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_assert_not(desk_core_knows_orders(desk));
        desk_core_begin_orders(desk, &s_query);
        cr_assert_str_eq(s_query.strategy_id, names[i]);
        zvt_order_row_t row = s_row(names[i], s_id((uint8_t)(i + 1)));
        desk_core_on_order_row(desk, &row);
        cr_assert(desk_core_on_orders_end(desk, &s_whole, now));
    }
    cr_assert(desk_core_knows_orders(desk));
    cr_assert(s_open(0) == 1 && s_open(1) == 1, "c trades another symbol");
}

Test(strategy_desk, a_row_that_the_log_has_overtaken_is_asked_for_again)
{
    desk_core_begin_orders(desk, &s_query);
    zvt_order_canceled_t canceled = {.order_id = s_id(1)};
    s_event(ZVT_T_ORDER_CANCELED, &canceled, s_id(1));
    zvt_order_row_t row = s_row("a", s_id(1));
    desk_core_on_order_row(desk, &row);
    cr_assert(!desk_core_on_orders_end(desk, &s_whole, now) && s_open(0) == 0);
    desk_core_begin_orders(desk, &s_query);
    cr_assert(desk_core_on_orders_end(desk, &s_whole, now) && s_open(0) == 0);
}

Test(strategy_desk, an_order_requested_while_they_are_listed_is_known_once)
{
    desk_core_begin_orders(desk, &s_query);
    s_requested("a", NULL, s_id(1));
    zvt_order_row_t row = s_row("a", s_id(1));
    desk_core_on_order_row(desk, &row);
    cr_assert(desk_core_on_orders_end(desk, &s_whole, now) && s_open(0) == 1);
}

Test(strategy_desk, a_position_row_finds_its_strategy)
{
    zvt_position_row_t row = {.portfolio_id = "main", .strategy_id = "b", .symbol = "BTC/USDT", .quantity_e8 = 6, .seq = 100};
    desk_core_on_position_row(desk, &row);
    ZVT_STR_SET(row.strategy_id, "");
    row.quantity_e8 = 99; /* a total */
    desk_core_on_position_row(desk, &row);
    cr_assert(zvt_strategy_position(desk_core_strategy(desk, 1)) == 6);
    cr_assert(zvt_strategy_position(desk_core_strategy(desk, 0)) == 0);
}

Test(strategy_desk, refuses_a_second_strategy_of_a_name_and_one_too_many)
{
    zvt_strategy_config_t config = {.name = "a"};
    char problem[SETTINGS_PROBLEM_SIZE];
    cr_assert(desk_core_add(desk, &s_eager, &config, "main", &s_btc, problem) == ZVT_ERR_EXISTS);
    ZVT_STR_SET(config.name, "d");
    cr_assert(desk_core_add(desk, &s_eager, &config, "main", &s_btc, problem) == ZVT_ERR_FULL);
}

Test(strategy_desk, a_malformed_payload_changes_nothing)
{
    s_start();
    zvt_event_t event = {.seq = ++seq, .type = ZVT_T_ORDER_REQUESTED, .payload = (const uint8_t *)"\xdd\x10\x00\x00\x00",
                         .payload_length = 5};
    desk_core_on_event(desk, &event, now);
    cr_assert(s_open(0) == 0 && desk_core_counts(desk)->own_events == 0);
}
