#include "taker.h"

#include <string.h>

/* Makes this quote's venue the one that is read, if there is none or the present one is silent. */
static bool s_follow(taker_t *self, const zvt_price_updated_t *quote, int64_t now_ns)
{
    if (strcmp(self->venue, quote->venue) == 0) {
        self->heard_ns = now_ns;
        return true;
    }
    if (self->venue[0] != '\0' && now_ns - self->heard_ns < TAKER_SILENCE_NS) return false;
    ZVT_STR_SET(self->venue, quote->venue);
    self->heard_ns = now_ns;
    self->mid_e8 = 0;
    return true;
}

taker_news_t taker_on_quote(taker_t *self, zvt_strategy_context_t *context, const zvt_price_updated_t *quote)
{
    if (!s_follow(self, quote, zvt_strategy_now(context))) return TAKER_NOTHING;
    if (!taker_is_touch(quote->bid_e8, quote->ask_e8)) return TAKER_NOTHING;
    int64_t before_e8 = self->mid_e8;
    self->bid_e8 = quote->bid_e8;
    self->ask_e8 = quote->ask_e8;
    self->mid_e8 = quote->bid_e8 + (quote->ask_e8 - quote->bid_e8) / 2;
    if (before_e8 == 0) return TAKER_BEGAN;
    return before_e8 != self->mid_e8 ? TAKER_MOVED : TAKER_NOTHING;
}

bool taker_is_touch(int64_t bid_e8, int64_t ask_e8)
{
    return bid_e8 > 0 && ask_e8 > bid_e8 && ask_e8 <= TAKER_PRICE_MAX_E8;
}

bool taker_is_free(const taker_t *self, const zvt_strategy_context_t *context)
{
    size_t open;
    zvt_strategy_orders(context, &open);
    return open == 0 && self->mid_e8 != 0 && zvt_strategy_now(context) >= self->not_before_ns;
}

int64_t taker_quantity(const zvt_strategy_context_t *context, int64_t quantity_e8, int64_t order_value_e8, int64_t price_e8)
{
    int64_t bought_e8 = quantity_e8;
    if (bought_e8 == 0 && zvt_fixed_div(order_value_e8, price_e8, &bought_e8) != 0) return 0;
    return zvt_strategy_round_quantity(context, bought_e8);
}

bool taker_is_enough(const zvt_strategy_context_t *context, int64_t quantity_e8, int64_t price_e8)
{
    int64_t notional_e8;
    if (quantity_e8 <= 0 || zvt_fixed_mul(quantity_e8, price_e8, &notional_e8) != 0) return false;
    return notional_e8 >= zvt_strategy_instrument(context)->min_notional_e8;
}

/* The touch moved by the slippage against us, on tick. */
static int64_t s_limit_price(const taker_t *self, const zvt_strategy_context_t *context, bool buy)
{
    int64_t touch_e8 = buy ? self->ask_e8 : self->bid_e8, slip_e8;
    if (zvt_fixed_mul(touch_e8, self->slippage_e8, &slip_e8) != 0) return touch_e8;
    return zvt_strategy_round_price(context, buy ? touch_e8 + slip_e8 : touch_e8 - slip_e8, !buy);
}

static bool s_send(taker_t *self, zvt_strategy_context_t *context, bool buy, int64_t quantity_e8, int64_t confidence_e8)
{
    zvt_order_request_t terms = {
        .side = buy ? ZVT_SIDE_BUY : ZVT_SIDE_SELL,
        .order_type = ZVT_ORDER_TYPE_LIMIT,
        .time_in_force = ZVT_TIF_IOC,
        .quantity_e8 = quantity_e8,
        .limit_price_e8 = s_limit_price(self, context, buy),
        .trigger_price_e8 = buy ? self->ask_e8 : self->bid_e8,
    };
    self->not_before_ns = zvt_strategy_now(context) + self->cooldown_ms * ZVT_MS_NS;
    int64_t capped_e8 = confidence_e8 < 0 ? 0 : confidence_e8 > ZVT_E8 ? ZVT_E8 : confidence_e8;
    int status = zvt_strategy_submit(context, &terms, capped_e8, NULL);
    if (status != 0) zvt_strategy_log(context, "order not sent: %s", zvt_strerror(status));
    return status == 0;
}

bool taker_buy(taker_t *self, zvt_strategy_context_t *context, int64_t confidence_e8)
{
    if (!taker_is_free(self, context)) return false;
    int64_t quantity_e8 = taker_quantity(context, self->quantity_e8, self->order_value_e8, self->ask_e8);
    int64_t full_e8, after_e8;
    if (!taker_is_enough(context, quantity_e8, self->ask_e8)) return false;
    if (zvt_fixed_muldiv(quantity_e8, self->position_orders, 1, &full_e8) != 0) return false;
    if (zvt_fixed_add(zvt_strategy_position(context), quantity_e8, &after_e8) != 0 || after_e8 > full_e8) return false;
    return s_send(self, context, true, quantity_e8, confidence_e8);
}

bool taker_sell(taker_t *self, zvt_strategy_context_t *context, int64_t confidence_e8)
{
    if (!taker_is_free(self, context)) return false;
    int64_t quantity_e8 = zvt_strategy_round_quantity(context, zvt_strategy_position(context));
    if (!taker_is_enough(context, quantity_e8, self->bid_e8)) return false;
    return s_send(self, context, false, quantity_e8, confidence_e8);
}

void taker_on_order(taker_t *self, zvt_strategy_context_t *context, const zvt_strategy_order_t *order,
                    const zvt_strategy_update_t *update)
{
    if (!zvt_strategy_is_refused(order)) return;
    zvt_strategy_log(context, "%s refused: %s %s", zvt_enum_text(ZVT_ENUM_OF_SIDE, order->request.side),
                     zvt_code_text(update->code), update->message);
    self->not_before_ns = zvt_strategy_now(context) + self->refusal_ms * ZVT_MS_NS;
}
