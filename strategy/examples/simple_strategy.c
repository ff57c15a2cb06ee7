/* simple_strategy -- the smallest useful strategy: it buys every dip and sells every recovery.
 *
 * Copy it, change on_quote, and build it against the SDK (header and two static libraries). From the project's root,
 * with B the build folder:
 *
 *     cc -std=gnu11 my_strategy.c -o my_strategy -Istrategy -Icommon \
 *        -LB -lzvt_strategy -lzvt_common $(pkg-config --libs libczmq libzmq) -lm
 *
 * Then `run/fleet attach ./my_strategy --symbol ETH/USDT --set dip=0.0005` runs it in the trading fleet, with its name,
 * symbol and settings given by the environment. */
#include <string.h>

#include "zvt_strategy.h"

typedef struct {
    char venue[ZVT_VENUE_SIZE]; /* whose prices are read: the first that quotes */
    int64_t quantity_e8; /* setting: base asset per order */
    int64_t dip_e8;      /* setting: ratio of the highest price that makes a dip */
    int64_t high_e8;     /* highest bid since the last order */
    int64_t low_e8;      /* lowest bid since the last order */
} simple_t;

static const zvt_param_t s_params[] = {
    ZVT_DECIMAL(simple_t, quantity_e8, "quantity", "0.01", "0.00000001", "1000000", "base asset per order"),
    ZVT_DECIMAL(simple_t, dip_e8, "dip", "0.0003", "0", "0.5", "move that counts, ratio of the price"),
    ZVT_PARAMS_END,
};

static void s_send(simple_t *self, zvt_strategy_context_t *context, uint8_t side, int64_t price_e8)
{
    zvt_order_request_t terms = {
        .side = side,
        .order_type = ZVT_ORDER_TYPE_MARKET,
        .time_in_force = ZVT_TIF_IOC,
        .quantity_e8 = zvt_strategy_round_quantity(context, self->quantity_e8),
        .trigger_price_e8 = price_e8,
    };
    int status = zvt_strategy_submit(context, &terms, ZVT_E8 / 2, NULL);
    if (status != 0) zvt_strategy_log(context, "order not sent: %s", zvt_strerror(status));
    self->high_e8 = self->low_e8 = price_e8;
}

static void on_quote(void *state, zvt_strategy_context_t *context, const zvt_price_updated_t *quote)
{
    simple_t *self = state;
    int64_t move_e8;
    size_t open;
    zvt_strategy_orders(context, &open);
    if (self->venue[0] == '\0') ZVT_STR_SET(self->venue, quote->venue);
    if (strcmp(self->venue, quote->venue) != 0 || quote->bid_e8 <= 0 || open > 0) return;
    if (self->high_e8 == 0 || quote->bid_e8 > self->high_e8) self->high_e8 = quote->bid_e8;
    if (self->low_e8 == 0 || quote->bid_e8 < self->low_e8) self->low_e8 = quote->bid_e8;
    if (zvt_fixed_mul(quote->bid_e8, self->dip_e8, &move_e8) != 0) return;

    bool holds = zvt_strategy_position(context) >= self->quantity_e8;
    if (!holds && self->high_e8 - quote->bid_e8 > move_e8) s_send(self, context, ZVT_SIDE_BUY, quote->bid_e8);
    if (holds && quote->bid_e8 - self->low_e8 > move_e8) s_send(self, context, ZVT_SIDE_SELL, quote->bid_e8);
}

static void on_order(void *state, zvt_strategy_context_t *context, const zvt_strategy_order_t *order,
                     const zvt_strategy_update_t *update)
{
    (void)state;
    zvt_strategy_log(context, "%s order is %s %s", zvt_enum_text(ZVT_ENUM_OF_SIDE, order->request.side),
                     zvt_order_state_text(order->state), update->message);
}

static const zvt_strategy_t s_simple = {
    .name = "simple",
    .summary = "buys every dip, sells every recovery",
    .params = s_params,
    .state_size = sizeof(simple_t),
    .on_quote = on_quote,
    .on_order = on_order,
};

int main(int argc, char **argv)
{
    return zvt_strategy_main(argc, argv, &s_simple);
}
