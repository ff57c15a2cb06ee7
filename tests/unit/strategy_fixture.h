/* strategy_fixture -- a strategy on the bench: prices and events go in by hand, what it submits is kept.
 *
 * Each Criterion test is a process of its own, so the bench is static. */
#ifndef STRATEGY_FIXTURE_H
#define STRATEGY_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "settings.h"
#include "strategy_core.h"

enum { BENCH_MAX = 64 };

static const zvt_instrument_t bench_instrument = {
    .symbol = "BTC/USDT",
    .base = "BTC",
    .quote = "USDT",
    .tick_e8 = ZVT_E8 / 100,
    .lot_e8 = ZVT_E8 / 100000,
    .min_notional_e8 = 10 * ZVT_E8,
};

static struct {
    strategy_core_t *core;
    zvt_idgen_t ids;
    int64_t now_ns;
    uint64_t seq;                 /* of the last event */
    uint64_t untracked;
    size_t signals_count;         /* submitted so far */
    zvt_signal_t signals[BENCH_MAX];
    size_t cancels_count;
    zvt_signal_cancel_t cancels[BENCH_MAX];
    size_t followed;              /* orders followed now */
    int refuse_with;              /* status of the next signals and cancels */
} bench;

static inline int64_t e8(const char *decimal)
{
    int64_t value_e8 = 0;
    cr_assert(zvt_fixed_parse(decimal, strlen(decimal), &value_e8) == 0, "%s", decimal);
    return value_e8;
}

static inline int bench_on_signal(void *arg, uint32_t owner, const zvt_signal_t *signal, int64_t lifetime_ns)
{
    (void)arg;
    cr_assert(owner == 7 && lifetime_ns > 0);
    if (bench.refuse_with != 0) return bench.refuse_with;
    cr_assert(bench.signals_count < BENCH_MAX);
    bench.signals[bench.signals_count++] = *signal;
    return 0;
}

static inline int bench_on_cancel(void *arg, uint32_t owner, const zvt_signal_cancel_t *cancel)
{
    (void)arg;
    cr_assert(owner == 7 && bench.cancels_count < BENCH_MAX);
    if (bench.refuse_with != 0) return bench.refuse_with;
    bench.cancels[bench.cancels_count++] = *cancel;
    return 0;
}

static inline void bench_on_follow(void *arg, uint32_t owner, const zvt_id_t *order_id, bool on)
{
    (void)arg;
    cr_assert(owner == 7 && !zvt_id_is_none(order_id));
    bench.followed += on ? 1 : (size_t)-1;
}

static inline void bench_on_log(void *arg, const char *name, const char *text)
{
    (void)arg;
    (void)name;
    (void)text;
}

/* Puts a strategy called "bench" on the bench, not started; `settings` is "key=value,key=value". */
static inline void bench_make(const zvt_strategy_t *strategy, const char *settings)
{
    strategy_config_t config = {.strategy = strategy, .instrument = &bench_instrument, .name = "bench", .portfolio = "main",
                                .owner = 7, .ids = &bench.ids};
    strategy_output_t output = {.signal = bench_on_signal, .cancel = bench_on_cancel, .follow = bench_on_follow,
                                .log = bench_on_log, .untracked = &bench.untracked};
    zvt_idgen_init(&bench.ids, 1);
    bench.now_ns = INT64_C(1700000000) * ZVT_SECOND_NS;
    bench.core = strategy_core_new(&config, &output);
    strategy_core_set_now(bench.core, bench.now_ns);
    zvt_setting_t parsed[ZVT_SETTINGS_MAX];
    uint32_t count;
    char problem[SETTINGS_PROBLEM_SIZE];
    cr_assert(settings_split_list(settings, parsed, ZVT_SETTINGS_MAX, &count, problem) == 0, "%s", problem);
    for (uint32_t i = 0; i < count; i++)
        cr_assert(settings_set(strategy, strategy_core_state(bench.core), parsed[i].key, parsed[i].value, problem) == 0, "%s",
                  problem);
}

static inline void bench_start(const zvt_strategy_t *strategy, const char *settings)
{
    bench_make(strategy, settings);
    strategy_core_start(bench.core);
}

static inline void bench_pass(int64_t ms)
{
    bench.now_ns += ms * ZVT_MS_NS;
    strategy_core_set_now(bench.core, bench.now_ns);
}

/* A quote 100 ms after whatever came before. */
static inline void bench_quote(const char *venue, const char *bid, const char *ask)
{
    zvt_record_t record = {.type = ZVT_T_PRICE_UPDATED};
    zvt_price_updated_t *quote = &record.price_updated;
    ZVT_STR_SET(quote->venue, venue);
    ZVT_STR_SET(quote->symbol, bench_instrument.symbol);
    quote->bid_e8 = e8(bid);
    quote->ask_e8 = e8(ask);
    bench_pass(100);
    strategy_core_on_market(bench.core, &record);
}

/* A quote whose middle is `mid` in whole units, one unit wide on each side. */
static inline void bench_mid(int mid)
{
    char bid[16], ask[16];
    snprintf(bid, sizeof bid, "%d", mid - 1);
    snprintf(ask, sizeof ask, "%d", mid + 1);
    bench_quote("alpha", bid, ask);
}

/* The order id that the n-th signal gets. */
static inline zvt_id_t bench_order_id(size_t signal)
{
    zvt_id_t id = bench.signals[signal].signal_id;
    id.bytes[0] ^= 0xff;
    return id;
}

/* An event of an order, or of a position when `order_id` is NULL. */
static inline void bench_event(zvt_record_t *payload, const zvt_id_t *order_id)
{
    zvt_event_t event = {.seq = ++bench.seq, .type = payload->type};
    if (order_id != NULL) event.aggregate_id = *order_id;
    strategy_core_on_order_event(bench.core, &event, payload);
}

static inline void bench_requested(size_t signal)
{
    zvt_record_t record = {.type = ZVT_T_ORDER_REQUESTED};
    zvt_order_requested_t *requested = &record.order_requested;
    requested->order_id = bench_order_id(signal);
    requested->signal_id = bench.signals[signal].signal_id;
    requested->order_request = bench.signals[signal].order_request;
    ZVT_STR_SET(requested->strategy_id, "bench");
    bench_event(&record, &requested->order_id);
}

static inline void bench_accepted(size_t signal)
{
    zvt_id_t order_id = bench_order_id(signal);
    bench_requested(signal);
    bench_event(&(zvt_record_t){.type = ZVT_T_ORDER_SUBMITTED}, &order_id);
    bench_event(&(zvt_record_t){.type = ZVT_T_ORDER_ACCEPTED}, &order_id);
}

/* One execution, cumulating to `cum`. */
static inline void bench_executed(size_t signal, const char *quantity, const char *cum)
{
    const zvt_order_request_t *request = &bench.signals[signal].order_request;
    zvt_id_t order_id = bench_order_id(signal);
    zvt_record_t record = {.type = ZVT_T_ORDER_EXECUTED};
    zvt_order_executed_t *fill = &record.order_executed;
    fill->order_id = order_id;
    fill->side = request->side;
    fill->executed_quantity_e8 = e8(quantity);
    fill->executed_price_e8 = request->limit_price_e8;
    fill->cum_qty_e8 = e8(cum);
    fill->leaves_qty_e8 = request->quantity_e8 - e8(cum);
    bench_event(&record, &order_id);
}

/* The whole life of a signal that fills at once. */
static inline void bench_fill(size_t signal)
{
    char quantity[ZVT_FIXED_TEXT];
    zvt_fixed_format(bench.signals[signal].order_request.quantity_e8, quantity);
    bench_accepted(signal);
    bench_executed(signal, quantity, quantity);
}

static inline void bench_rejected(size_t signal, uint8_t stage, uint8_t code)
{
    zvt_id_t order_id = bench_order_id(signal);
    zvt_record_t record = {.type = ZVT_T_ORDER_REJECTED};
    record.order_rejected.stage = stage;
    record.order_rejected.rejection_reason = code;
    bench_requested(signal);
    bench_event(&record, &order_id);
}

static inline void bench_canceled(size_t signal, const char *cum)
{
    zvt_id_t order_id = bench_order_id(signal);
    zvt_record_t record = {.type = ZVT_T_ORDER_CANCELED};
    record.order_canceled.reason = ZVT_CODE_CANCEL_REQUESTED;
    record.order_canceled.cum_qty_e8 = e8(cum);
    bench_event(&record, &order_id);
}

/* What the strategy holds before it starts. */
static inline void bench_hold(const char *quantity)
{
    zvt_position_row_t row = {.portfolio_id = "main", .strategy_id = "bench", .symbol = "BTC/USDT", .seq = bench.seq};
    row.quantity_e8 = e8(quantity);
    strategy_core_on_position_row(bench.core, &row);
}

/* The n-th signal is this order. */
static inline void bench_expect(size_t signal, uint8_t side, const char *quantity, const char *price)
{
    cr_assert(bench.signals_count > signal, "only %zu signals", bench.signals_count);
    const zvt_order_request_t *request = &bench.signals[signal].order_request;
    char got_quantity[ZVT_FIXED_TEXT], got_price[ZVT_FIXED_TEXT];
    zvt_fixed_format(request->quantity_e8, got_quantity);
    zvt_fixed_format(request->limit_price_e8, got_price);
    cr_expect(request->side == side, "signal %zu: side %u", signal, request->side);
    cr_expect(strcmp(got_quantity, quantity) == 0, "signal %zu: quantity %s, expected %s", signal, got_quantity, quantity);
    cr_expect(strcmp(got_price, price) == 0, "signal %zu: price %s, expected %s", signal, got_price, price);
}

#endif
