/* zvt-pulse: a strategy that sends one small market order every period, at a quote.
 *
 * Its orders expire exactly LIFETIME after the market time of the quote that made them, so that an observer of the log
 * can tell how old the quote was when the order was requested. Buys and sells by turns. */
#include <string.h>

#include "zvt_strategy.h"

#define LIFETIME_NS (30 * ZVT_SECOND_NS) /* zvt-watch --lifetime 30 */

typedef struct {
    int64_t period_ms;   /* setting */
    int64_t quantity_e8; /* setting */
    int64_t orders;      /* setting: how many to send */
    int64_t sent;
    int64_t next_ns;     /* UTC; when the next order may be sent; 0: not yet known */
    bool bought;
} pulse_t;

static const zvt_param_t s_params[] = {
    ZVT_INTEGER(pulse_t, period_ms, "period_ms", "1000", "1", "3600000", "between two orders"),
    ZVT_DECIMAL(pulse_t, quantity_e8, "quantity", "0.001", "0.00000001", "1000", "of each order"),
    ZVT_INTEGER(pulse_t, orders, "orders", "1000000000", "1", "1000000000", "to send before it rests"),
    ZVT_PARAMS_END,
};

/* A different moment of the period for each name, so that strategies do not send all at once. */
static int64_t s_phase_ns(const zvt_strategy_context_t *context, int64_t period_ns)
{
    const char *name = zvt_strategy_name(context);
    zvt_id_t id = zvt_id_from_text(name, strlen(name));
    uint64_t bits;
    memcpy(&bits, id.bytes + sizeof id.bytes - sizeof bits, sizeof bits);
    return (int64_t)(bits % (uint64_t)period_ns);
}

static void s_on_quote(void *state, zvt_strategy_context_t *context, const zvt_price_updated_t *quote)
{
    pulse_t *self = state;
    int64_t now_ns = zvt_strategy_now(context), period_ns = self->period_ms * ZVT_MS_NS;
    if (self->next_ns == 0) self->next_ns = now_ns + s_phase_ns(context, period_ns);
    bool due = now_ns >= self->next_ns && self->sent < self->orders;
    if (!due || quote->bid_e8 == 0 || quote->ask_e8 == 0) return;
    self->next_ns += (now_ns - self->next_ns) / period_ns * period_ns + period_ns;
    zvt_order_request_t terms = {.side = self->bought ? ZVT_SIDE_SELL : ZVT_SIDE_BUY, .order_type = ZVT_ORDER_TYPE_MARKET,
                                 .time_in_force = ZVT_TIF_IOC, .quantity_e8 = self->quantity_e8,
                                 .expires_at_ns = quote->market_ts_ns + LIFETIME_NS};
    if (zvt_strategy_submit(context, &terms, ZVT_E8 / 2, NULL) != 0) return;
    self->bought = !self->bought;
    self->sent++;
}

static const zvt_strategy_t s_pulse = {
    .name = "pulse",
    .summary = "sends a small market order every period",
    .params = s_params,
    .state_size = sizeof(pulse_t),
    .on_quote = s_on_quote,
};

int main(int argc, char **argv)
{
    return zvt_strategy_main(argc, argv, &s_pulse);
}
