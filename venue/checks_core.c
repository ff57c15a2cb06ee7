#include "checks_core.h"

#include <stdio.h>
#include <string.h>

#include "zvt_fixed.h"

typedef struct {
    uint8_t code;              /* of a refusal */
    bool (*passes)(check_t *check);
} check_row_t;

typedef struct {
    char text[ZVT_FIXED_TEXT];
} decimal_t;

static const char *s_decimal(int64_t value_e8, decimal_t *decimal)
{
    zvt_fixed_format(value_e8, decimal->text);
    return decimal->text;
}

#define DECIMAL(value_e8) s_decimal((value_e8), &(decimal_t){{0}})
#define EXPLAIN(check, ...) snprintf((check)->message, sizeof (check)->message, __VA_ARGS__)

int checks_core_fee(int64_t notional_e8, int64_t fee_e8, int64_t *commission_e8)
{
    __int128 fee = (__int128)notional_e8 * fee_e8 / ZVT_E8;
    if (fee > INT64_MAX || fee < 0) return ZVT_ERR_OVERFLOW;
    *commission_e8 = (int64_t)fee;
    return 0;
}

int checks_core_cost(int64_t quantity_e8, int64_t price_e8, int64_t fee_e8, int64_t *cost_e8)
{
    int64_t notional_e8, commission_e8;
    if (zvt_fixed_mul(quantity_e8, price_e8, &notional_e8) != 0) return ZVT_ERR_OVERFLOW;
    if (checks_core_fee(notional_e8, fee_e8, &commission_e8) != 0) return ZVT_ERR_OVERFLOW;
    return zvt_fixed_add(notional_e8, commission_e8, cost_e8);
}

/* ---- terms ---- */
static bool s_symbol(check_t *check)
{
    if (check->instrument != NULL) return true;
    EXPLAIN(check, "symbol=%s", check->order->symbol);
    return false;
}

static bool s_enums(check_t *check)
{
    const zvt_order_send_t *order = check->order;
    bool known = zvt_enum_valid(ZVT_ENUM_OF_SIDE, order->side) && zvt_enum_valid(ZVT_ENUM_OF_ORDER_TYPE, order->order_type) &&
                 zvt_enum_valid(ZVT_ENUM_OF_TIF, order->time_in_force);
    if (known) return true;
    EXPLAIN(check, "side=%u order_type=%u time_in_force=%u", order->side, order->order_type, order->time_in_force);
    return false;
}

static bool s_combination(check_t *check)
{
    const zvt_order_send_t *order = check->order;
    bool rests = order->order_type == ZVT_ORDER_TYPE_LIMIT && order->time_in_force == ZVT_TIF_GTC;
    bool market_rests = order->order_type == ZVT_ORDER_TYPE_MARKET && order->time_in_force == ZVT_TIF_GTC;
    if (!market_rests && (rests || !order->post_only)) return true;
    EXPLAIN(check, "order_type=%s time_in_force=%s post_only=%s", zvt_enum_text(ZVT_ENUM_OF_ORDER_TYPE, order->order_type),
            zvt_enum_text(ZVT_ENUM_OF_TIF, order->time_in_force), order->post_only ? "true" : "false");
    return false;
}

static bool s_quantity(check_t *check)
{
    if (check->order->quantity_e8 > 0) return true;
    EXPLAIN(check, "quantity=%s", DECIMAL(check->order->quantity_e8));
    return false;
}

static bool s_price(check_t *check)
{
    int64_t price_e8 = check->order->limit_price_e8;
    if (check->order->order_type == ZVT_ORDER_TYPE_MARKET ? price_e8 == 0 : price_e8 > 0) return true;
    EXPLAIN(check, "limit_price=%s order_type=%s", DECIMAL(price_e8),
            zvt_enum_text(ZVT_ENUM_OF_ORDER_TYPE, check->order->order_type));
    return false;
}

static bool s_tick(check_t *check)
{
    if (check->order->limit_price_e8 % check->instrument->tick_e8 == 0) return true;
    EXPLAIN(check, "limit_price=%s tick=%s", DECIMAL(check->order->limit_price_e8), DECIMAL(check->instrument->tick_e8));
    return false;
}

static bool s_lot(check_t *check)
{
    if (check->order->quantity_e8 % check->instrument->lot_e8 == 0) return true;
    EXPLAIN(check, "quantity=%s lot=%s", DECIMAL(check->order->quantity_e8), DECIMAL(check->instrument->lot_e8));
    return false;
}

static bool s_cost(check_t *check)
{
    int64_t cost_e8;
    if (checks_core_cost(check->order->quantity_e8, check->order->limit_price_e8, check->fee_e8, &cost_e8) == 0) return true;
    EXPLAIN(check, "quantity=%s limit_price=%s", DECIMAL(check->order->quantity_e8), DECIMAL(check->order->limit_price_e8));
    return false;
}

static bool s_limit_notional(check_t *check)
{
    int64_t notional_e8 = 0;
    if (check->order->order_type == ZVT_ORDER_TYPE_MARKET) return true;
    if (zvt_fixed_mul(check->order->quantity_e8, check->order->limit_price_e8, &notional_e8) == 0 &&
        notional_e8 >= check->instrument->min_notional_e8)
        return true;
    EXPLAIN(check, "notional=%s min_notional=%s", DECIMAL(notional_e8), DECIMAL(check->instrument->min_notional_e8));
    return false;
}

static bool s_open(check_t *check)
{
    if (check->open) return true;
    ZVT_STR_SET(check->message, check->closed_message);
    return false;
}

static const check_row_t s_terms[] = {
    {.code = ZVT_CODE_UNKNOWN_SYMBOL, .passes = s_symbol},
    {.code = ZVT_CODE_BAD_ORDER, .passes = s_enums},
    {.code = ZVT_CODE_BAD_ORDER, .passes = s_combination},
    {.code = ZVT_CODE_BAD_QUANTITY, .passes = s_quantity},
    {.code = ZVT_CODE_BAD_PRICE, .passes = s_price},
    {.code = ZVT_CODE_PRICE_OFF_TICK, .passes = s_tick},
    {.code = ZVT_CODE_QUANTITY_OFF_LOT, .passes = s_lot},
    {.code = ZVT_CODE_NUMBER_OVERFLOW, .passes = s_cost},
    {.code = ZVT_CODE_MIN_NOTIONAL, .passes = s_limit_notional},
    {.code = ZVT_CODE_MARKET_CLOSED, .passes = s_open},
};

/* ---- market ---- */
static bool s_post_only(check_t *check)
{
    if (!check->order->post_only || !check->preview->crosses) return true;
    EXPLAIN(check, "limit_price=%s", DECIMAL(check->order->limit_price_e8));
    return false;
}

static bool s_self_trade(check_t *check)
{
    if (!check->preview->own) return true;
    EXPLAIN(check, "reached_after=%s", DECIMAL(check->preview->quantity_e8));
    return false;
}

/* Everything that the order could bring has to fit the totals. */
static bool s_room(check_t *check)
{
    const zvt_order_send_t *order = check->order;
    int64_t notional_e8 = 0;
    bool fits = !check->preview->overflow && zvt_fixed_mul(order->quantity_e8, order->limit_price_e8, &notional_e8) == 0;
    if (notional_e8 < check->preview->notional_e8) notional_e8 = check->preview->notional_e8;
    if (order->side == ZVT_SIDE_BUY)
        fits = fits && balances_core_has_room(check->balances, check->base_asset, order->quantity_e8);
    else
        fits = fits && balances_core_has_room(check->balances, check->quote_asset, notional_e8);
    if (!fits) EXPLAIN(check, "quantity=%s notional=%s", DECIMAL(order->quantity_e8), DECIMAL(notional_e8));
    return fits;
}

/* A market order's value is known only now; an empty book is not the order's fault. */
static bool s_market_notional(check_t *check)
{
    const market_preview_t *preview = check->preview;
    if (check->order->order_type != ZVT_ORDER_TYPE_MARKET || preview->quantity_e8 == 0) return true;
    int64_t notional_e8;
    if (zvt_fixed_muldiv(preview->notional_e8, check->order->quantity_e8, preview->quantity_e8, &notional_e8) != 0) return true;
    if (notional_e8 >= check->instrument->min_notional_e8) return true;
    EXPLAIN(check, "notional=%s min_notional=%s", DECIMAL(notional_e8), DECIMAL(check->instrument->min_notional_e8));
    return false;
}

static bool s_needed(const check_t *check, int64_t *needed_e8)
{
    const zvt_order_send_t *order = check->order;
    if (order->side == ZVT_SIDE_SELL) {
        *needed_e8 = order->quantity_e8;
        return true;
    }
    if (order->order_type == ZVT_ORDER_TYPE_LIMIT)
        return checks_core_cost(order->quantity_e8, order->limit_price_e8, check->fee_e8, needed_e8) == 0;
    int64_t commission_e8;
    return checks_core_fee(check->preview->notional_e8, check->taker_fee_e8, &commission_e8) == 0 &&
           zvt_fixed_add(check->preview->notional_e8, commission_e8, needed_e8) == 0;
}

static bool s_funds(check_t *check)
{
    int64_t needed_e8 = 0;
    uint32_t asset = check->order->side == ZVT_SIDE_BUY ? check->quote_asset : check->base_asset;
    int64_t available_e8 = balances_core_available(check->balances, asset);
    if (s_needed(check, &needed_e8) && needed_e8 <= available_e8) return true;
    EXPLAIN(check, "asset=%s needed=%s available=%s", check->balances->assets[asset].name, DECIMAL(needed_e8),
            DECIMAL(available_e8));
    return false;
}

static bool s_slot(check_t *check)
{
    if (check->slot_free) return true;
    EXPLAIN(check, "open_orders=%d", MARKET_SLOTS_MAX);
    return false;
}

static const check_row_t s_market[] = {
    {.code = ZVT_CODE_WOULD_CROSS, .passes = s_post_only},
    {.code = ZVT_CODE_SELF_TRADE, .passes = s_self_trade},
    {.code = ZVT_CODE_NUMBER_OVERFLOW, .passes = s_room},
    {.code = ZVT_CODE_MIN_NOTIONAL, .passes = s_market_notional},
    {.code = ZVT_CODE_INSUFFICIENT_BALANCE, .passes = s_funds},
    {.code = ZVT_CODE_VENUE_LIMIT, .passes = s_slot},
};

static uint8_t s_run(check_t *check, const check_row_t *rows, size_t count)
{
    check->message[0] = '\0';
    for (size_t i = 0; i < count; i++)
        if (!rows[i].passes(check)) return rows[i].code;
    return ZVT_CODE_OK;
}

uint8_t checks_core_terms(check_t *check)
{
    return s_run(check, s_terms, sizeof s_terms / sizeof s_terms[0]);
}

uint8_t checks_core_market(check_t *check)
{
    return s_run(check, s_market, sizeof s_market / sizeof s_market[0]);
}
