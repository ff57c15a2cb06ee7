/* checks_core -- may the venue take this order? Two tables of checks, each with its code and its key=value context.
 *
 * Pure: everything a check looks at is in check_t.
 * Units    price_e8, quantity_e8, notional_e8: fixed point 1e-8.
 * Source   filters as Binance names them (PRICE_FILTER, LOT_SIZE, NOTIONAL); post-only and self-trade prevention by
 *          refusing the newer order, as its EXPIRE_TAKER mode does. */
#ifndef VENUE_CHECKS_CORE_H
#define VENUE_CHECKS_CORE_H

#include "balances_core.h"
#include "market.h"

typedef struct {
    const zvt_order_send_t *order;
    const zvt_instrument_t *instrument; /* NULL: not in the fleet file */
    int64_t fee_e8;                     /* the higher of maker and taker fee: ratio of the notional */
    int64_t taker_fee_e8;
    const balances_core_t *balances;
    uint32_t base_asset, quote_asset;   /* indices in balances */
    bool open;                          /* the market takes new orders */
    const char *closed_message;         /* why not */
    const market_preview_t *preview;    /* for checks_core_market */
    bool slot_free;                     /* one more order could rest */
    char message[ZVT_MESSAGE_SIZE];     /* result: context of the refusal */
} check_t;

/* Judges the order by itself: ZVT_CODE_OK, or the first check's code with check->message filled in. */
uint8_t checks_core_terms(check_t *check);
/* Judges it against the market and the balances, once its terms are good. */
uint8_t checks_core_market(check_t *check);

/* Fee of a notional, rounded down, so that many small fees never exceed the one that was reserved. */
ZVT_MUSTUSE int checks_core_fee(int64_t notional_e8, int64_t fee_e8, int64_t *commission_e8);
/* What a limit order for this quantity may cost at the most, fee included. */
ZVT_MUSTUSE int checks_core_cost(int64_t quantity_e8, int64_t price_e8, int64_t fee_e8, int64_t *cost_e8);

#endif
