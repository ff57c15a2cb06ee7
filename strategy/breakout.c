/* breakout -- buys when the price leaves its recent range upwards, sells what it has when it leaves it downwards.
 *
 * Resistance and support are the highest and lowest middle of bid and ask over the last `window` ticks. The price has
 * left the range when it is beyond by the ratio `threshold`. */
#include "builtin.h"
#include "taker.h"

typedef struct {
    taker_t taker;
    int64_t window;       /* setting: ticks that make the range */
    int64_t threshold_e8; /* setting: how far beyond, ratio of the price */
    int64_t count;        /* ticks seen, up to `window` */
    int64_t next;         /* where the next tick goes in the ring */
    int64_t mids_e8[BUILTIN_WINDOW_MAX];
} breakout_t;

static const zvt_param_t s_params[] = {
    ZVT_INTEGER(breakout_t, window, "window", "30", "2", "1024", "ticks that make support and resistance"),
    ZVT_DECIMAL(breakout_t, threshold_e8, "threshold", "0", "0", "0.1", "how far beyond them, ratio of the price"),
    TAKER_PARAMS(breakout_t, taker),
    ZVT_PARAMS_END,
};

static void s_range(const breakout_t *self, int64_t *support_e8, int64_t *resistance_e8)
{
    *support_e8 = *resistance_e8 = self->mids_e8[0];
    for (int64_t i = 1; i < self->count; i++) {
        if (self->mids_e8[i] < *support_e8) *support_e8 = self->mids_e8[i];
        if (self->mids_e8[i] > *resistance_e8) *resistance_e8 = self->mids_e8[i];
    }
}

static void s_remember(breakout_t *self, int64_t mid_e8)
{
    self->mids_e8[self->next] = mid_e8;
    self->next = (self->next + 1) % self->window;
    if (self->count < self->window) self->count++;
}

static void s_decide(breakout_t *self, zvt_strategy_context_t *context)
{
    int64_t support_e8, resistance_e8, beyond_e8, mid_e8 = self->taker.mid_e8;
    s_range(self, &support_e8, &resistance_e8);
    if (zvt_fixed_mul(mid_e8, self->threshold_e8, &beyond_e8) != 0) return;
    if (mid_e8 - resistance_e8 > beyond_e8) taker_buy(&self->taker, context, ZVT_E8 / 2);
    if (support_e8 - mid_e8 > beyond_e8) taker_sell(&self->taker, context, ZVT_E8 / 2);
}

static void s_on_quote(void *state, zvt_strategy_context_t *context, const zvt_price_updated_t *quote)
{
    breakout_t *self = state;
    taker_news_t news = taker_on_quote(&self->taker, context, quote);
    if (news == TAKER_NOTHING) return;
    if (news == TAKER_BEGAN) self->count = self->next = 0;
    if (self->count == self->window) s_decide(self, context);
    s_remember(self, self->taker.mid_e8);
}

static void s_on_order(void *state, zvt_strategy_context_t *context, const zvt_strategy_order_t *order,
                       const zvt_strategy_update_t *update)
{
    breakout_t *self = state;
    taker_on_order(&self->taker, context, order, update);
}

const zvt_strategy_t breakout_strategy = {
    .name = "breakout",
    .summary = "buys above resistance, sells what it has below support",
    .params = s_params,
    .state_size = sizeof(breakout_t),
    .on_quote = s_on_quote,
    .on_order = s_on_order,
};
