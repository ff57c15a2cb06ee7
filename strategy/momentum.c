/* momentum -- buys after a run of rising ticks, sells what it has after a run of falling ones.
 *
 * A tick is a change of the middle of bid and ask; an unchanged quote is none. A run that has traded begins anew. */
#include "builtin.h"
#include "taker.h"

typedef struct {
    taker_t taker;
    int64_t rising_ticks;   /* setting: length of the run that buys */
    int64_t falling_ticks;  /* setting: length of the run that sells */
    int64_t run;            /* rising ticks in a row; falling ones count below zero */
} momentum_t;

static const zvt_param_t s_params[] = {
    ZVT_INTEGER(momentum_t, rising_ticks, "rising_ticks", "5", "1", "1000", "rising ticks in a row that buy"),
    ZVT_INTEGER(momentum_t, falling_ticks, "falling_ticks", "5", "1", "1000", "falling ticks in a row that sell"),
    TAKER_PARAMS(momentum_t, taker),
    ZVT_PARAMS_END,
};

static void s_on_quote(void *state, zvt_strategy_context_t *context, const zvt_price_updated_t *quote)
{
    momentum_t *self = state;
    int64_t before_e8 = self->taker.mid_e8;
    taker_news_t news = taker_on_quote(&self->taker, context, quote);
    if (news == TAKER_BEGAN) self->run = 0;
    if (news != TAKER_MOVED) return;
    bool up = self->taker.mid_e8 > before_e8;
    if (up)
        self->run = self->run > 0 ? self->run + 1 : 1;
    else
        self->run = self->run < 0 ? self->run - 1 : -1;
    if (self->run >= self->rising_ticks && taker_buy(&self->taker, context, ZVT_E8 / 2)) self->run = 0;
    if (self->run <= -self->falling_ticks && taker_sell(&self->taker, context, ZVT_E8 / 2)) self->run = 0;
}

static void s_on_order(void *state, zvt_strategy_context_t *context, const zvt_strategy_order_t *order,
                       const zvt_strategy_update_t *update)
{
    momentum_t *self = state;
    taker_on_order(&self->taker, context, order, update);
}

const zvt_strategy_t momentum_strategy = {
    .name = "momentum",
    .summary = "buys after rising ticks in a row, sells what it has after falling ones",
    .params = s_params,
    .state_size = sizeof(momentum_t),
    .on_quote = s_on_quote,
    .on_order = s_on_order,
};
