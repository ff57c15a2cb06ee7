/* position_core -- what one fill does to one position.
 *
 * Pure arithmetic, average cost method. A fill in the position's direction moves the average price; a fill against it
 * realizes profit or loss at the unchanged average; a fill through zero does both: it closes at the old average, and the
 * rest opens at its own price.
 *
 * Units    *_e8: fixed point 1e-8; quantities in the base asset, signed (long positive), the rest in the quote asset.
 * Rounding products and the average are computed exactly in 128 bits and rounded once, half away from zero, to 1e-8. Each
 *          fill therefore adds at most half a unit of 1e-8 to the realized total, and each opening fill at most half a
 *          unit of 1e-8 of the price, times the quantity, to the cost of the position.
 * Errors   ZVT_ERR_INVALID, ZVT_ERR_OVERFLOW; the result is then not written. */
#ifndef POSITION_CORE_H
#define POSITION_CORE_H

#include <stdint.h>

#include "zvt_error.h"

typedef struct {
    int64_t quantity_e8;
    int64_t avg_price_e8;    /* average entry price; 0 when flat */
    int64_t realized_pnl_e8; /* since it first opened, fees not deducted */
    int64_t commission_e8;   /* since it first opened; rebates make it smaller */
} position_t;

typedef struct {
    int64_t quantity_e8;   /* signed, not 0 */
    int64_t price_e8;      /* positive */
    int64_t commission_e8; /* negative for a rebate */
} position_fill_t;

typedef struct {
    position_t after;
    int64_t realized_pnl_e8; /* by this fill, fees not deducted */
} position_result_t;

ZVT_MUSTUSE int position_core_apply(const position_t *before, const position_fill_t *fill, position_result_t *result);

/* Profit or loss if the position were closed at this price. A number that does not fit becomes the largest one that does:
 * valuations are looked at, never added to the position. */
int64_t position_core_unrealized_pnl(const position_t *position, int64_t price_e8);
/* Quantity times price, with the same bound. */
int64_t position_core_market_value(const position_t *position, int64_t price_e8);

#endif
