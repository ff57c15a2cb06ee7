/* taker -- what the built-in strategies that take liquidity share: whose prices they read, how much they trade, and
 * how often. They differ only in when.
 *
 * Prices   Two venues' quotes mixed into one series would zigzag by the difference between them, so a taker reads one:
 *          the first venue that quotes, until it has been silent for TAKER_SILENCE_NS.
 * Orders   A limit order, immediate or cancel, a little beyond the touch, so that a jump cannot fill it anywhere. One
 *          order at a time, none within cooldown_ms of the last, none for refusal_ms after a refusal.
 * Position Grows to position_orders times an order's quantity; a sale sells all there is, never more. */
#ifndef TAKER_H
#define TAKER_H

#include "zvt_strategy.h"

#define TAKER_SILENCE_NS (5 * ZVT_SECOND_NS)
/* Prices from 0.00000001 to 10 billion count; sums and shares of them stay within int64. */
#define TAKER_PRICE_MAX_E8 (INT64_C(10000000000) * ZVT_E8)

typedef struct {
    /* settings */
    int64_t quantity_e8;        /* of an order, base asset; 0: what order_value buys */
    int64_t order_value_e8;     /* of an order, quote asset */
    int64_t position_orders;    /* largest position, in orders */
    int64_t slippage_e8;        /* how far beyond the touch, ratio of the price */
    int64_t cooldown_ms;        /* between two orders */
    int64_t refusal_ms;         /* after a refusal */
    /* state */
    char venue[ZVT_VENUE_SIZE]; /* whose prices are read; "" before the first quote */
    int64_t heard_ns;           /* when it last quoted */
    int64_t not_before_ns;      /* of the next order */
    int64_t bid_e8, ask_e8;     /* its touch */
    int64_t mid_e8;             /* the middle of it; 0 before the first quote */
} taker_t;

/* Rows for the settings table of a state S with a member of type taker_t. */
#define TAKER_PARAMS(S, member)                                                                                         \
    ZVT_DECIMAL(S, member.quantity_e8, "quantity", "0", "0", "1000000000", "base asset per order; 0: what order_value buys"), \
    ZVT_DECIMAL(S, member.order_value_e8, "order_value", "1000", "0", "1000000000", "quote asset per order"),           \
    ZVT_INTEGER(S, member.position_orders, "position_orders", "5", "1", "1000", "largest position, in orders"),         \
    ZVT_DECIMAL(S, member.slippage_e8, "slippage", "0.0005", "0", "0.05", "limit beyond the touch, ratio of the price"), \
    ZVT_INTEGER(S, member.cooldown_ms, "cooldown_ms", "2000", "0", "86400000", "pause between orders"),                 \
    ZVT_INTEGER(S, member.refusal_ms, "refusal_ms", "5000", "0", "86400000", "pause after a refusal")

typedef enum {
    TAKER_NOTHING, /* another venue's quote, a half-empty book, or the same prices again */
    TAKER_BEGAN,   /* the first quote of the venue that is read from now on: what was learnt before is void */
    TAKER_MOVED,   /* the middle of bid and ask changed */
} taker_news_t;

/* Takes a quote and says what it brought. */
taker_news_t taker_on_quote(taker_t *self, zvt_strategy_context_t *context, const zvt_price_updated_t *quote);

/* True when an order may be sent now: none is open, and no pause lasts. */
bool taker_is_free(const taker_t *self, const zvt_strategy_context_t *context);

/* Buys one order's quantity at the ask, or nothing if the position is full. True if an order was sent. */
bool taker_buy(taker_t *self, zvt_strategy_context_t *context, int64_t confidence_e8);
/* Sells the whole position at the bid, or nothing if it is too small for the venue. True if an order was sent. */
bool taker_sell(taker_t *self, zvt_strategy_context_t *context, int64_t confidence_e8);

/* Begins the pause that an ended order asks for. */
void taker_on_order(taker_t *self, zvt_strategy_context_t *context, const zvt_strategy_order_t *order,
                    const zvt_strategy_update_t *update);

/* Quantity of one order at a price, in lots; 0 when the price buys none. Used by the market maker too. */
int64_t taker_quantity(const zvt_strategy_context_t *context, int64_t quantity_e8, int64_t order_value_e8, int64_t price_e8);
/* True for a bid below an ask, both prices that count: no empty side, no crossed book, no absurd number. */
bool taker_is_touch(int64_t bid_e8, int64_t ask_e8);
/* True when a quantity at a price is worth the instrument's smallest order. */
bool taker_is_enough(const zvt_strategy_context_t *context, int64_t quantity_e8, int64_t price_e8);

#endif
