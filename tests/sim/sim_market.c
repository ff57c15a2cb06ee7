#include "sim_market.h"

#include <stdlib.h>

#include "book_core.h"
#include "sim_world.h"

enum { OWNER_ACCOUNT = 1, OWNER_MAKER = 2, LEVELS = 3, BOOK_ORDERS = 1024, BOOK_LEVELS = 512 };

typedef struct {
    book_core_t *book;
    int64_t mid_e8;
    uint32_t quotes[2 * LEVELS]; /* handles of the maker's orders; BOOK_NONE: executed */
} symbol_t;

struct sim_market {
    market_events_t events;
    symbol_t symbols[SIM_INSTRUMENTS];
    struct {
        uint32_t instrument, handle;
    } places[MARKET_SLOTS_MAX]; /* of the account's resting orders */
};

/* One walk through a book. */
typedef struct {
    sim_market_t *market;
    uint32_t instrument;
    uint8_t side;
    market_take_fn *fn;
    void *arg;
} walk_t;

static void s_on_fill(void *arg, const book_fill_t *fill)
{
    const walk_t *walk = arg;
    const market_events_t *events = &walk->market->events;
    if (fill->maker->owner == OWNER_ACCOUNT)
        events->on_rest_fill(events->arg, fill->maker->tag, fill->maker->price_e8, fill->quantity_e8);
    else if (fill->left_e8 == 0)
        walk->market->symbols[walk->instrument].quotes[fill->maker->tag] = BOOK_NONE;
    if (walk->fn != NULL) walk->fn(walk->arg, fill->maker->price_e8, fill->quantity_e8);
    events->on_trade(events->arg, walk->instrument, walk->side, fill->maker->price_e8, fill->quantity_e8);
}

static int64_t s_match(sim_market_t *self, const market_take_t *take, market_take_fn *fn, void *arg)
{
    walk_t walk = {.market = self, .instrument = take->instrument, .side = take->side, .fn = fn, .arg = arg};
    return book_core_match(self->symbols[take->instrument].book, take, s_on_fill, &walk);
}

/* ---- the account's side ---- */
static void s_preview(const void *market, const market_take_t *take, market_preview_t *preview)
{
    const sim_market_t *self = market;
    book_core_preview(self->symbols[take->instrument].book, take, OWNER_ACCOUNT, preview);
}

static int64_t s_take(void *market, const market_take_t *take, market_take_fn *fn, void *arg)
{
    sim_market_t *self = market;
    int64_t executed_e8 = s_match(self, take, fn, arg);
    if (executed_e8 > 0) self->events.on_book(self->events.arg, take->instrument);
    return executed_e8;
}

static int s_rest(void *market, const market_rest_t *order)
{
    sim_market_t *self = market;
    book_order_t resting = {.side = order->side, .price_e8 = order->price_e8, .quantity_e8 = order->quantity_e8,
                            .owner = OWNER_ACCOUNT, .tag = order->slot};
    self->places[order->slot].instrument = order->instrument;
    int status = book_core_rest(self->symbols[order->instrument].book, &resting, &self->places[order->slot].handle);
    if (status == 0) self->events.on_book(self->events.arg, order->instrument);
    return status;
}

static void s_cancel(void *market, uint32_t slot)
{
    sim_market_t *self = market;
    book_core_cancel(self->symbols[self->places[slot].instrument].book, self->places[slot].handle);
    self->events.on_book(self->events.arg, self->places[slot].instrument);
}

static uint32_t s_levels(const void *market, uint32_t instrument, uint8_t side, zvt_level_t *levels, uint32_t max)
{
    const sim_market_t *self = market;
    return book_core_levels(self->symbols[instrument].book, side, levels, max);
}

market_t sim_market_of(sim_market_t *self)
{
    static const market_ops_t ops = {.preview = s_preview, .take = s_take, .rest = s_rest, .cancel = s_cancel, .levels = s_levels};
    return (market_t){.ops = &ops, .market = self};
}

/* ---- the maker ---- */
static void s_quote(sim_market_t *self, uint32_t instrument, uint32_t n, uint8_t side, int64_t price_e8, int64_t quantity_e8)
{
    symbol_t *symbol = &self->symbols[instrument];
    market_take_t take = {.instrument = instrument, .side = side, .limit_e8 = price_e8, .quantity_e8 = quantity_e8};
    int64_t left_e8 = quantity_e8 - s_match(self, &take, NULL, NULL);
    book_order_t order = {.side = side, .price_e8 = price_e8, .quantity_e8 = left_e8, .owner = OWNER_MAKER, .tag = n};
    symbol->quotes[n] = BOOK_NONE;
    if (left_e8 > 0) ZVT_ASSERT(book_core_rest(symbol->book, &order, &symbol->quotes[n]) == 0);
}

static void s_move_symbol(sim_market_t *self, uint32_t instrument)
{
    symbol_t *symbol = &self->symbols[instrument];
    const zvt_instrument_t *terms = &sim.fleet->instruments[instrument];
    int64_t step_e8 = terms->price_e8 / 1000 / terms->tick_e8 * terms->tick_e8;
    for (uint32_t n = 0; n < 2 * LEVELS; n++) {
        if (symbol->quotes[n] != BOOK_NONE) book_core_cancel(symbol->book, symbol->quotes[n]);
        symbol->quotes[n] = BOOK_NONE;
    }
    symbol->mid_e8 += sim_between(-2, 2) * step_e8;
    if (symbol->mid_e8 < terms->price_e8 / 100 * 97) symbol->mid_e8 += 2 * step_e8;
    if (symbol->mid_e8 > terms->price_e8 / 100 * 103) symbol->mid_e8 -= 2 * step_e8;
    for (uint32_t level = 0; level < LEVELS; level++) {
        int64_t away_e8 = step_e8 * (int64_t)(level + 1), quantity_e8 = sim_between(1, 30) * terms->lot_e8 * 10;
        s_quote(self, instrument, 2 * level, ZVT_SIDE_BUY, symbol->mid_e8 - away_e8, quantity_e8);
        s_quote(self, instrument, 2 * level + 1, ZVT_SIDE_SELL, symbol->mid_e8 + away_e8, quantity_e8);
    }
    self->events.on_book(self->events.arg, instrument);
}

void sim_market_move(sim_market_t *self)
{
    for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++) s_move_symbol(self, i);
}

sim_market_t *sim_market_new(const market_events_t *events)
{
    sim_market_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->events = *events;
    for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++) {
        self->symbols[i].book = book_core_new(BOOK_ORDERS, BOOK_LEVELS);
        self->symbols[i].mid_e8 = sim.fleet->instruments[i].price_e8;
        for (uint32_t n = 0; n < 2 * LEVELS; n++) self->symbols[i].quotes[n] = BOOK_NONE;
    }
    return self;
}

void sim_market_destroy(sim_market_t **self)
{
    if (*self == NULL) return;
    for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++) book_core_destroy(&(*self)->symbols[i].book);
    free(*self);
    *self = NULL;
}
