#include "position_core.h"

#include <stdbool.h>

#include "zvt_fixed.h"

static int64_t s_magnitude(int64_t value)
{
    return value < 0 ? -value : value; /* never INT64_MIN: see s_is_valid */
}

/* INT64_MIN has no counterpart of the other sign, so a quantity may not be it. */
static bool s_is_valid(const position_t *before, const position_fill_t *fill)
{
    if (before->quantity_e8 == INT64_MIN || fill->quantity_e8 == INT64_MIN) return false;
    return fill->quantity_e8 != 0 && fill->price_e8 > 0 && before->avg_price_e8 >= 0;
}

/* (held * average + added * price) / (held + added). The sum of the two products stays below 2^127. */
static int64_t s_average(int64_t held_e8, int64_t avg_price_e8, int64_t added_e8, int64_t price_e8)
{
    __int128 cost = (__int128)held_e8 * avg_price_e8 + (__int128)added_e8 * price_e8;
    __int128 quantity = (__int128)held_e8 + added_e8;
    return (int64_t)((cost + quantity / 2) / quantity); /* between the two prices, so it fits */
}

/* Realizes the part of the position that the fill closes. */
static int s_close(const position_t *before, const position_fill_t *fill, int64_t closed_e8, int64_t *realized_e8)
{
    int64_t gain_e8 = fill->price_e8 - before->avg_price_e8; /* both at least 0: cannot overflow */
    return zvt_fixed_mul(before->quantity_e8 > 0 ? gain_e8 : -gain_e8, closed_e8, realized_e8);
}

int position_core_apply(const position_t *before, const position_fill_t *fill, position_result_t *result)
{
    if (!s_is_valid(before, fill)) return ZVT_ERR_INVALID;
    position_result_t next = {.after = *before};
    int64_t held_e8 = s_magnitude(before->quantity_e8), moved_e8 = s_magnitude(fill->quantity_e8);
    bool opens = before->quantity_e8 == 0 || (before->quantity_e8 > 0) == (fill->quantity_e8 > 0);
    int status = zvt_fixed_add(before->quantity_e8, fill->quantity_e8, &next.after.quantity_e8);
    if (status != 0 || next.after.quantity_e8 == INT64_MIN) return ZVT_ERR_OVERFLOW;
    if (opens) {
        next.after.avg_price_e8 = s_average(held_e8, before->avg_price_e8, moved_e8, fill->price_e8);
    } else {
        status = s_close(before, fill, moved_e8 < held_e8 ? moved_e8 : held_e8, &next.realized_pnl_e8);
        if (moved_e8 == held_e8) next.after.avg_price_e8 = 0;
        if (moved_e8 > held_e8) next.after.avg_price_e8 = fill->price_e8;
    }
    if (status == 0) status = zvt_fixed_add(before->realized_pnl_e8, next.realized_pnl_e8, &next.after.realized_pnl_e8);
    if (status == 0) status = zvt_fixed_add(before->commission_e8, fill->commission_e8, &next.after.commission_e8);
    if (status == 0) *result = next;
    return status;
}

/* a * b as fixed point, bounded instead of failing. */
static int64_t s_bounded_product(int64_t a_e8, int64_t b_e8)
{
    int64_t product_e8;
    if (zvt_fixed_mul(a_e8, b_e8, &product_e8) == 0) return product_e8;
    return (a_e8 < 0) == (b_e8 < 0) ? INT64_MAX : -INT64_MAX;
}

int64_t position_core_unrealized_pnl(const position_t *position, int64_t price_e8)
{
    int64_t gain_e8;
    if (position->quantity_e8 == 0) return 0;
    if (zvt_fixed_sub(price_e8, position->avg_price_e8, &gain_e8) != 0) gain_e8 = price_e8 > 0 ? INT64_MAX : -INT64_MAX;
    return s_bounded_product(gain_e8, position->quantity_e8);
}

int64_t position_core_market_value(const position_t *position, int64_t price_e8)
{
    return s_bounded_product(position->quantity_e8, price_e8);
}
