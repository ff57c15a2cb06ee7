/* market -- what the account needs of a market, whichever source stands behind it.
 *
 * The synthetic market and the recorded market both fill one market_ops_t. The account decides about orders, the
 * market about prices and queues; neither knows more of the other than this page.
 *
 * Units    price_e8, quantity_e8, notional_e8: fixed point 1e-8.
 * Bounds   one order executes against at most MARKET_FILLS_MAX counterparties; what is left then ends.
 * Owns     nothing: a market_t is two borrowed pointers and may be copied. */
#ifndef VENUE_MARKET_H
#define VENUE_MARKET_H

#include "zvt_pools.h"
#include "zvt_schema.h"

enum {
    MARKET_FILLS_MAX = 256,      /* executions of one incoming order */
    MARKET_SLOTS_MAX = ZVT_POOL(16384, 256), /* orders of the account that rest at the same time */
    MARKET_LEVELS_MAX = ZVT_LIST_MAX_level, /* published per side */
};

/* An order that wants to execute at once. */
typedef struct {
    uint32_t instrument;  /* index in the fleet file */
    uint8_t side;         /* ZVT_SIDE_* of the incoming order */
    int64_t limit_e8;     /* worst price; 0: any */
    int64_t quantity_e8;  /* how much */
} market_take_t;

/* What would happen to it. */
typedef struct {
    int64_t quantity_e8;  /* would execute at once */
    int64_t notional_e8;  /* of that, in the quote asset */
    uint32_t fills;       /* counterparties it would take */
    bool crosses;         /* something executable stands on the other side, ours included */
    bool own;             /* it would reach an order of the account itself */
    bool cut;             /* more counterparties than MARKET_FILLS_MAX */
    bool overflow;        /* the notional does not fit fixed point */
} market_preview_t;

/* An order of the account that rests. `slot` is the account's number for it, below MARKET_SLOTS_MAX. */
typedef struct {
    uint32_t instrument;
    uint32_t slot;
    uint8_t side;
    int64_t price_e8;
    int64_t quantity_e8;
} market_rest_t;

/* One execution of the incoming order. */
typedef void(market_take_fn)(void *arg, int64_t price_e8, int64_t quantity_e8);

typedef struct {
    /* Foretells a take without changing anything. */
    void (*preview)(const void *market, const market_take_t *take, market_preview_t *preview);
    /* Executes what preview foretold, best price first; returns the quantity executed. */
    int64_t (*take)(void *market, const market_take_t *take, market_take_fn *fn, void *arg);
    /* Puts an order of the account on the book behind what is there: 0 or ZVT_ERR_FULL. */
    int (*rest)(void *market, const market_rest_t *order);
    /* Takes it off again. */
    void (*cancel)(void *market, uint32_t slot);
    /* Copies the best levels of one side, best first; returns their number. */
    uint32_t (*levels)(const void *market, uint32_t instrument, uint8_t side, zvt_level_t *levels, uint32_t max);
} market_ops_t;

typedef struct {
    const market_ops_t *ops;
    void *market; /* the first argument of every op */
} market_t;

/* What a market tells its owner while it moves. */
typedef struct {
    /* A resting order of the account executed; it left the book if nothing is left of it. */
    void (*on_rest_fill)(void *arg, uint32_t slot, int64_t price_e8, int64_t quantity_e8);
    /* A trade to print, ours included. */
    void (*on_trade)(void *arg, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8);
    /* The instrument's best levels may have changed. */
    void (*on_book)(void *arg, uint32_t instrument);
    void *arg;
} market_events_t;

static inline uint8_t market_opposite(uint8_t side) { return side == ZVT_SIDE_BUY ? ZVT_SIDE_SELL : ZVT_SIDE_BUY; }

/* True when a resting price is good enough for an incoming order of `side` with this limit (0: any). */
static inline bool market_reaches(uint8_t side, int64_t limit_e8, int64_t resting_e8)
{
    if (limit_e8 == 0) return true;
    return side == ZVT_SIDE_BUY ? resting_e8 <= limit_e8 : resting_e8 >= limit_e8;
}

/* A symbol as the venue spells it: BTC/USDT becomes BTCUSDT. */
void market_venue_symbol(const char *symbol, char venue_symbol[ZVT_SYMBOL_SIZE]);

/* Adds one counterparty to a preview; false when the walk has to end here. */
bool market_preview_add(market_preview_t *preview, int64_t price_e8, int64_t quantity_e8);

#endif
