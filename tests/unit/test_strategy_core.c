/* One strategy's own orders, position and callbacks, through the SDK. */
#include "strategy_fixture.h"

/* A strategy that keeps what it is told. */
typedef struct {
    int started;
    int told;
    size_t open_when_told;
    int64_t position_when_told_e8;
    zvt_strategy_order_t order;
    zvt_strategy_update_t update;
    int quotes, times, events;
} listener_t;

static void s_on_start(void *state, zvt_strategy_context_t *context)
{
    (void)context;
    ((listener_t *)state)->started++;
}

static void s_on_order(void *state, zvt_strategy_context_t *context, const zvt_strategy_order_t *order,
                       const zvt_strategy_update_t *update)
{
    listener_t *self = state;
    self->told++;
    self->order = *order;
    self->update = *update;
    self->position_when_told_e8 = zvt_strategy_position(context);
    zvt_strategy_orders(context, &self->open_when_told);
}

static void s_on_quote(void *state, zvt_strategy_context_t *context, const zvt_price_updated_t *quote)
{
    (void)context;
    (void)quote;
    ((listener_t *)state)->quotes++;
}

static void s_on_event(void *state, zvt_strategy_context_t *context, const zvt_event_t *event)
{
    (void)context;
    (void)event;
    ((listener_t *)state)->events++;
}

static void s_on_time(void *state, zvt_strategy_context_t *context)
{
    (void)context;
    ((listener_t *)state)->times++;
}

static const zvt_strategy_t s_listener = {
    .name = "listener",
    .summary = "listens",
    .state_size = sizeof(listener_t),
    .on_start = s_on_start,
    .on_quote = s_on_quote,
    .on_event = s_on_event,
    .on_order = s_on_order,
    .on_time = s_on_time,
};

static listener_t *s_state(void)
{
    return strategy_core_state(bench.core);
}

static const zvt_order_request_t s_limit = {.side = ZVT_SIDE_BUY, .order_type = ZVT_ORDER_TYPE_LIMIT,
                                            .time_in_force = ZVT_TIF_GTC, .quantity_e8 = ZVT_E8, .limit_price_e8 = 100 * ZVT_E8};

static zvt_id_t s_submit(void)
{
    zvt_id_t id;
    cr_assert(zvt_strategy_submit(bench.core, &s_limit, ZVT_E8 / 4, &id) == 0);
    return id;
}

static void s_finish(void)
{
    strategy_core_destroy(&bench.core);
}

TestSuite(strategy_core, .fini = s_finish);

Test(strategy_core, submit_fills_in_who_what_and_when)
{
    bench_start(&s_listener, "");
    zvt_id_t id = s_submit();
    const zvt_signal_t *signal = &bench.signals[0];
    cr_assert(zvt_id_equal(&signal->signal_id, &id) && !zvt_id_is_none(&id));
    cr_assert_str_eq(signal->strategy_id, "bench");
    cr_assert_str_eq(signal->portfolio_id, "main");
    cr_assert_str_eq(signal->order_request.symbol, "BTC/USDT");
    cr_assert(signal->sent_at_ns == bench.now_ns && signal->confidence_e8 == ZVT_E8 / 4);
    cr_assert(signal->order_request.expires_at_ns == bench.now_ns + 5 * ZVT_SECOND_NS);
}

Test(strategy_core, submit_refuses_terms_that_contradict_each_other)
{
    bench_start(&s_listener, "");
    zvt_order_request_t cases[] = {s_limit, s_limit, s_limit, s_limit, s_limit, s_limit, s_limit, s_limit, s_limit};
    cases[0].side = 0;
    cases[1].quantity_e8 = 0;
    cases[2].quantity_e8 = -ZVT_E8;
    cases[3].limit_price_e8 = 0;
    cases[4].order_type = ZVT_ORDER_TYPE_MARKET; /* with a limit price */
    cases[5].time_in_force = 0;
    cases[6].post_only = true;
    cases[6].time_in_force = ZVT_TIF_IOC;
    cases[7].expires_at_ns = bench.now_ns;
    ZVT_STR_SET(cases[8].symbol, "ETH/USDT");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect(zvt_strategy_submit(bench.core, &cases[i], 0, NULL) == ZVT_ERR_INVALID, "case %zu", i);
    cr_assert(zvt_strategy_submit(bench.core, &s_limit, ZVT_E8 + 1, NULL) == ZVT_ERR_INVALID);
    size_t open;
    zvt_strategy_orders(bench.core, &open);
    cr_assert(bench.signals_count == 0 && open == 0);
}

Test(strategy_core, submit_fails_when_delivery_is_full_and_keeps_no_order)
{
    bench_start(&s_listener, "");
    bench.refuse_with = ZVT_ERR_FULL;
    cr_assert(zvt_strategy_submit(bench.core, &s_limit, 0, NULL) == ZVT_ERR_FULL);
    size_t open;
    zvt_strategy_orders(bench.core, &open);
    cr_assert(open == 0);
}

Test(strategy_core, submit_fails_beyond_the_open_orders_bound)
{
    bench_start(&s_listener, "");
    for (int i = 0; i < ZVT_STRATEGY_ORDERS_MAX; i++) s_submit();
    cr_assert(zvt_strategy_submit(bench.core, &s_limit, 0, NULL) == ZVT_ERR_FULL);
}

Test(strategy_core, on_order_tells_the_life_of_an_order)
{
    bench_start(&s_listener, "");
    s_submit();
    bench_requested(0);
    cr_assert(s_state()->told == 1 && s_state()->order.state == ZVT_ORDER_STATE_INITIALIZED);
    cr_assert(bench.followed == 1);
    zvt_id_t order_id = bench_order_id(0);
    bench_event(&(zvt_record_t){.type = ZVT_T_ORDER_VALIDATED}, &order_id);
    bench_event(&(zvt_record_t){.type = ZVT_T_EXCHANGE_ROUTED}, &order_id);
    cr_assert(s_state()->told == 1, "steps that change no state are not told");
    bench_event(&(zvt_record_t){.type = ZVT_T_ORDER_SUBMITTED}, &order_id);
    bench_event(&(zvt_record_t){.type = ZVT_T_ORDER_ACCEPTED}, &order_id);
    cr_assert(s_state()->told == 3 && s_state()->order.state == ZVT_ORDER_STATE_ACCEPTED);
    bench_executed(0, "0.4", "0.4");
    cr_assert(s_state()->order.state == ZVT_ORDER_STATE_PARTIALLY_FILLED);
    cr_assert(s_state()->order.leaves_qty_e8 == e8("0.6") && s_state()->update.fill_quantity_e8 == e8("0.4"));
    cr_assert(s_state()->open_when_told == 1 && s_state()->position_when_told_e8 == e8("0.4"));
    bench_executed(0, "0.6", "1");
    cr_assert(s_state()->order.state == ZVT_ORDER_STATE_FILLED && s_state()->update.fill_quantity_e8 == e8("0.6"));
    cr_assert(s_state()->open_when_told == 0 && s_state()->position_when_told_e8 == ZVT_E8 && bench.followed == 0);
    bench_event(&(zvt_record_t){.type = ZVT_T_ORDER_COMPLETED}, &order_id);
    cr_assert(s_state()->told == 5, "the last fill has told it");
}

Test(strategy_core, a_refusal_carries_its_code)
{
    bench_start(&s_listener, "");
    s_submit();
    bench_rejected(0, ZVT_STAGE_RISK, ZVT_CODE_MAX_POSITION);
    cr_assert(s_state()->order.state == ZVT_ORDER_STATE_DENIED && s_state()->update.code == ZVT_CODE_MAX_POSITION);
    s_submit();
    bench_rejected(1, ZVT_STAGE_VENUE, ZVT_CODE_WOULD_CROSS);
    cr_assert(s_state()->order.state == ZVT_ORDER_STATE_REJECTED && s_state()->open_when_told == 0);
}

Test(strategy_core, a_signal_refused_before_the_log_ends_its_order)
{
    bench_start(&s_listener, "");
    zvt_id_t id = s_submit();
    strategy_core_on_refused(bench.core, &id, ZVT_CODE_UNKNOWN_SYMBOL, "symbol=X");
    cr_assert(s_state()->told == 1 && s_state()->order.state == ZVT_ORDER_STATE_DENIED);
    cr_assert(s_state()->update.code == ZVT_CODE_UNKNOWN_SYMBOL && s_state()->open_when_told == 0);
}

Test(strategy_core, an_expired_signal_that_the_log_knows_after_all_lives_again)
{
    bench_start(&s_listener, "");
    zvt_id_t id = s_submit();
    strategy_core_on_refused(bench.core, &id, ZVT_CODE_STALE, "");
    cr_assert(s_state()->order.state == ZVT_ORDER_STATE_EXPIRED && s_state()->open_when_told == 0);
    bench_requested(0);
    cr_assert(s_state()->open_when_told == 1 && zvt_id_equal(&s_state()->order.signal_id, &id));
}

Test(strategy_core, an_order_in_the_log_is_not_ended_by_a_late_refusal)
{
    bench_start(&s_listener, "");
    zvt_id_t id = s_submit();
    bench_accepted(0);
    strategy_core_on_refused(bench.core, &id, ZVT_CODE_STALE, "");
    size_t open;
    zvt_strategy_orders(bench.core, &open);
    cr_assert(open == 1);
}

Test(strategy_core, cancel_goes_once_and_ends_with_the_event)
{
    bench_start(&s_listener, "");
    zvt_id_t id = s_submit();
    bench_accepted(0);
    zvt_id_t order_id = bench_order_id(0);
    cr_assert(zvt_strategy_cancel(bench.core, &id) == 0);
    cr_assert(zvt_strategy_cancel(bench.core, &order_id) == 0);
    cr_assert(bench.cancels_count == 1);
    cr_assert(zvt_id_equal(&bench.cancels[0].signal_id, &id) && zvt_id_equal(&bench.cancels[0].order_id, &order_id));
    bench_event(&(zvt_record_t){.type = ZVT_T_ORDER_CANCEL_REQUESTED}, &order_id);
    cr_assert(s_state()->order.state == ZVT_ORDER_STATE_PENDING_CANCEL);
    bench_canceled(0, "0.25");
    cr_assert(s_state()->order.state == ZVT_ORDER_STATE_CANCELED && s_state()->order.cum_qty_e8 == e8("0.25"));
    cr_assert(zvt_strategy_cancel(bench.core, &id) == ZVT_ERR_NOT_FOUND);
}

Test(strategy_core, a_refused_cancel_leaves_the_order_working)
{
    bench_start(&s_listener, "");
    zvt_id_t id = s_submit();
    bench_accepted(0);
    zvt_id_t order_id = bench_order_id(0);
    cr_assert(zvt_strategy_cancel(bench.core, &id) == 0);
    bench_event(&(zvt_record_t){.type = ZVT_T_ORDER_CANCEL_REQUESTED}, &order_id);
    zvt_record_t rejected = {.type = ZVT_T_ORDER_CANCEL_REJECTED};
    rejected.order_cancel_rejected.reason = ZVT_CODE_VENUE_UNREACHABLE;
    bench_event(&rejected, &order_id);
    cr_assert(s_state()->order.state == ZVT_ORDER_STATE_ACCEPTED && !s_state()->order.cancel_asked);
    cr_assert(s_state()->update.code == ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert(zvt_strategy_cancel(bench.core, &id) == 0 && bench.cancels_count == 2);
    strategy_core_on_cancel_refused(bench.core, &bench.cancels[1], ZVT_CODE_STALE, "");
    cr_assert(zvt_strategy_cancel(bench.core, &id) == 0 && bench.cancels_count == 3);
}

Test(strategy_core, the_position_is_what_the_log_says)
{
    bench_start(&s_listener, "");
    s_submit();
    bench_fill(0);
    cr_assert(zvt_strategy_position(bench.core) == ZVT_E8);
    zvt_record_t updated = {.type = ZVT_T_POSITION_UPDATED};
    ZVT_STR_SET(updated.position_updated.symbol, "BTC/USDT");
    ZVT_STR_SET(updated.position_updated.portfolio_id, "main");
    updated.position_updated.new_quantity_e8 = 3 * ZVT_E8;
    bench_event(&updated, NULL);
    cr_assert(zvt_strategy_position(bench.core) == 3 * ZVT_E8);
    ZVT_STR_SET(updated.position_updated.portfolio_id, "other");
    updated.position_updated.new_quantity_e8 = 9 * ZVT_E8;
    bench_event(&updated, NULL);
    cr_assert(zvt_strategy_position(bench.core) == 3 * ZVT_E8);
}

Test(strategy_core, a_position_row_older_than_the_log_is_ignored)
{
    bench_make(&s_listener, "");
    bench.seq = 100;
    bench_hold("2");
    cr_assert(zvt_strategy_position(bench.core) == 2 * ZVT_E8);
    zvt_position_row_t row = {.portfolio_id = "main", .strategy_id = "bench", .symbol = "BTC/USDT", .seq = 99};
    strategy_core_on_position_row(bench.core, &row);
    cr_assert(zvt_strategy_position(bench.core) == 2 * ZVT_E8);
}

Test(strategy_core, nothing_is_called_before_start_and_open_orders_are_told_after_it)
{
    bench_make(&s_listener, "");
    zvt_order_row_t row = {.strategy_id = "bench", .state = ZVT_ORDER_STATE_PARTIALLY_FILLED, .order_request = s_limit,
                           .cum_qty_e8 = e8("0.3"), .leaves_qty_e8 = e8("0.7")};
    ZVT_STR_SET(row.order_request.symbol, "BTC/USDT");
    row.order_id.bytes[3] = row.signal_id.bytes[4] = 1;
    strategy_core_on_order_row(bench.core, &row);
    strategy_core_on_order_row(bench.core, &row);
    bench_quote("alpha", "99", "101");
    strategy_core_on_time(bench.core);
    cr_assert(s_state()->started == 0 && s_state()->quotes == 0 && s_state()->times == 0 && bench.followed == 1);
    strategy_core_start(bench.core);
    cr_assert(s_state()->started == 1 && s_state()->told == 1 && s_state()->open_when_told == 1);
    cr_assert(s_state()->order.leaves_qty_e8 == e8("0.7"));
    bench_quote("alpha", "99", "101");
    strategy_core_on_event(bench.core, &(zvt_event_t){.type = ZVT_T_RISK_HALTED});
    strategy_core_on_time(bench.core);
    cr_assert(s_state()->quotes == 1 && s_state()->times == 1 && s_state()->events == 1);
}

Test(strategy_core, an_order_placed_in_its_name_is_its_own)
{
    bench_start(&s_listener, "");
    bench.signals[0].order_request = s_limit;
    ZVT_STR_SET(bench.signals[0].order_request.symbol, "BTC/USDT");
    bench_requested(0);
    cr_assert(s_state()->told == 1 && s_state()->open_when_told == 1);
    bench_executed(0, "1", "1");
    cr_assert(zvt_strategy_position(bench.core) == ZVT_E8);
}

Test(strategy_core, rounding_goes_to_tick_and_lot)
{
    bench_start(&s_listener, "");
    cr_assert(zvt_strategy_round_price(bench.core, e8("100.019"), false) == e8("100.01"));
    cr_assert(zvt_strategy_round_price(bench.core, e8("100.011"), true) == e8("100.02"));
    cr_assert(zvt_strategy_round_price(bench.core, e8("100.01"), true) == e8("100.01"));
    cr_assert(zvt_strategy_round_quantity(bench.core, e8("0.123456")) == e8("0.12345"));
}
