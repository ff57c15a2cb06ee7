#include "synthetic_core.h"

#include <math.h>
#include <stdlib.h>

#include "fundamental_core.h"
#include "zvt_fixed.h"
#include "zvt_time.h"

enum {
    MAKERS = 4,
    MAKER_LEVELS = 8,    /* quotes of one maker on one side */
    QUOTES = 2 * MAKER_LEVELS,
    TAKERS_MAX = 8,      /* market orders of one step */
    OWNER_ACCOUNT = 0,   /* owner of the account's orders; maker m is owner 1 + m */
    AGENT_ORDERS = MAKERS * QUOTES,
};
#define PRICE_MAX 1e9 /* keeps prices and notionals far from the end of fixed point */

/* How the agents behave; all are matters of taste, chosen to look alive. */
static const double s_half_spread = 0.8;      /* of the innermost maker, in standard deviations of one second */
static const double s_level_step = 0.45;      /* from one level of a maker to the next, in its half spreads */
static const double s_level_growth = 0.35;    /* of the size, per level */
static const double s_level_share = 0.02;     /* size of a level, as a share of the instrument's largest order */
static const double s_refresh_chance = 0.15;  /* per maker and step */
static const double s_alert = 0.5;            /* makers move when the price did by this share of their half spread */
static const double s_takers_per_second = 2.0; /* when liveliness is 1 */
static const double s_taker_share = 0.15;     /* median size of a taker, in level sizes */
static const double s_taker_spread = 1.0;     /* standard deviation of its logarithm */

typedef struct {
    uint32_t orders[QUOTES]; /* handles in the book; BOOK_NONE: executed or not there */
    double quoted;           /* price it quoted around; 0: never */
    double half;             /* its half spread then, as a share of the price */
} maker_t;

typedef struct {
    const zvt_instrument_t *instrument;
    uint32_t index;
    book_core_t *book;
    fundamental_t fundamental;
    uint64_t stream; /* of this venue's agents */
    maker_t makers[MAKERS];
    zvt_rng_t rng;   /* seeded anew each step */
} synthetic_symbol_t;

/* Where an order of the account rests. */
typedef struct {
    uint32_t instrument;
    uint32_t handle;
} account_place_t;

struct synthetic_core {
    synthetic_config_t config;
    double depth, spread;        /* factors of the venue */
    synthetic_symbol_t *symbols; /* one per instrument of the fleet file */
    account_place_t places[MARKET_SLOTS_MAX];
};

/* One walk through the book: whose order came in, and who wants to hear of the executions. */
typedef struct {
    synthetic_core_t *market;
    synthetic_symbol_t *symbol;
    uint8_t side;
    market_take_fn *fn; /* of the account; NULL: an agent's order */
    void *arg;
} walk_t;

static void s_init_symbol(synthetic_core_t *self, uint32_t index)
{
    synthetic_symbol_t *symbol = &self->symbols[index];
    const zvt_instrument_t *instrument = &self->config.fleet->instruments[index];
    const char *venue = self->config.fleet->venues[self->config.venue].name;
    symbol->instrument = instrument;
    symbol->index = index;
    symbol->book = book_core_new(MARKET_SLOTS_MAX + AGENT_ORDERS, MARKET_SLOTS_MAX + AGENT_ORDERS);
    fundamental_init(&symbol->fundamental, self->config.seed, instrument->symbol, (double)instrument->price_e8 / (double)ZVT_E8,
                     (double)instrument->volatility_e8 / (double)ZVT_E8);
    symbol->stream = fundamental_hash_text(fundamental_hash_text(self->config.seed, venue), instrument->symbol);
    for (int m = 0; m < MAKERS; m++)
        for (int q = 0; q < QUOTES; q++) symbol->makers[m].orders[q] = BOOK_NONE;
}

synthetic_core_t *synthetic_core_new(const synthetic_config_t *config)
{
    synthetic_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->config = *config;
    self->depth = (double)config->fleet->venues[config->venue].depth_e8 / (double)ZVT_E8;
    self->spread = (double)config->fleet->venues[config->venue].spread_e8 / (double)ZVT_E8;
    self->symbols = calloc(config->fleet->instruments_count, sizeof *self->symbols);
    ZVT_ASSERT(self->symbols != NULL);
    for (uint32_t i = 0; i < config->fleet->instruments_count; i++) s_init_symbol(self, i);
    return self;
}

void synthetic_core_destroy(synthetic_core_t **self)
{
    if (*self == NULL) return;
    for (uint32_t i = 0; i < (*self)->config.fleet->instruments_count; i++) book_core_destroy(&(*self)->symbols[i].book);
    free((*self)->symbols);
    free(*self);
    *self = NULL;
}

const book_core_t *synthetic_core_book(const synthetic_core_t *self, uint32_t instrument)
{
    return self->symbols[instrument].book;
}

/* ---- executions ---- */
static void s_on_fill(void *arg, const book_fill_t *fill)
{
    const walk_t *walk = arg;
    const market_events_t *events = &walk->market->config.events;
    if (fill->maker->owner == OWNER_ACCOUNT)
        events->on_rest_fill(events->arg, fill->maker->tag, fill->maker->price_e8, fill->quantity_e8);
    else if (fill->left_e8 == 0)
        walk->symbol->makers[fill->maker->owner - 1].orders[fill->maker->tag] = BOOK_NONE;
    if (walk->fn != NULL) walk->fn(walk->arg, fill->maker->price_e8, fill->quantity_e8);
    events->on_trade(events->arg, walk->symbol->index, walk->side, fill->maker->price_e8, fill->quantity_e8);
}

static int64_t s_execute(synthetic_core_t *self, synthetic_symbol_t *symbol, const market_take_t *take, market_take_fn *fn,
                         void *arg)
{
    walk_t walk = {.market = self, .symbol = symbol, .side = take->side, .fn = fn, .arg = arg};
    return book_core_match(symbol->book, take, s_on_fill, &walk);
}

/* ---- the account's side ---- */
static void s_op_preview(const void *market, const market_take_t *take, market_preview_t *preview)
{
    const synthetic_core_t *self = market;
    book_core_preview(self->symbols[take->instrument].book, take, OWNER_ACCOUNT, preview);
}

static int64_t s_op_take(void *market, const market_take_t *take, market_take_fn *fn, void *arg)
{
    synthetic_core_t *self = market;
    int64_t executed_e8 = s_execute(self, &self->symbols[take->instrument], take, fn, arg);
    if (executed_e8 > 0) self->config.events.on_book(self->config.events.arg, take->instrument);
    return executed_e8;
}

static int s_op_rest(void *market, const market_rest_t *order)
{
    synthetic_core_t *self = market;
    account_place_t *place = &self->places[order->slot];
    book_order_t resting = {.side = order->side, .price_e8 = order->price_e8, .quantity_e8 = order->quantity_e8,
                            .owner = OWNER_ACCOUNT, .tag = order->slot};
    place->instrument = order->instrument;
    int status = book_core_rest(self->symbols[order->instrument].book, &resting, &place->handle);
    if (status == 0) self->config.events.on_book(self->config.events.arg, order->instrument);
    return status;
}

static void s_op_cancel(void *market, uint32_t slot)
{
    synthetic_core_t *self = market;
    const account_place_t *place = &self->places[slot];
    book_core_cancel(self->symbols[place->instrument].book, place->handle);
    self->config.events.on_book(self->config.events.arg, place->instrument);
}

static uint32_t s_op_levels(const void *market, uint32_t instrument, uint8_t side, zvt_level_t *levels, uint32_t max)
{
    const synthetic_core_t *self = market;
    return book_core_levels(self->symbols[instrument].book, side, levels, max);
}

market_t synthetic_core_market(synthetic_core_t *self)
{
    static const market_ops_t ops = {.preview = s_op_preview, .take = s_op_take, .rest = s_op_rest,
                                     .cancel = s_op_cancel, .levels = s_op_levels};
    return (market_t){.ops = &ops, .market = self};
}

/* ---- agents ---- */

/* A number of steps of `step_e8`, at least one, as fixed point. */
static int64_t s_on_grid(double value, int64_t step_e8, bool up)
{
    double steps = value * (double)ZVT_E8 / (double)step_e8;
    double limit = PRICE_MAX * (double)ZVT_E8 / (double)step_e8;
    steps = up ? ceil(steps) : floor(steps);
    if (steps > limit) steps = floor(limit);
    return steps < 1.0 ? step_e8 : (int64_t)steps * step_e8;
}

static double s_gauss(zvt_rng_t *rng)
{
    double u = 1.0 - zvt_rng_unit(rng), v = zvt_rng_unit(rng);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

static double s_level_size(const synthetic_core_t *self, const synthetic_symbol_t *symbol)
{
    return (double)symbol->instrument->max_quantity_e8 / (double)ZVT_E8 * s_level_share * self->depth;
}

/* Sends one quote: what it crosses executes, the rest stands in the book. */
static void s_quote(synthetic_core_t *self, synthetic_symbol_t *symbol, int m, int q, int64_t price_e8, int64_t quantity_e8)
{
    uint8_t side = q < MAKER_LEVELS ? ZVT_SIDE_BUY : ZVT_SIDE_SELL;
    market_take_t take = {.instrument = symbol->index, .side = side, .limit_e8 = price_e8, .quantity_e8 = quantity_e8};
    quantity_e8 -= s_execute(self, symbol, &take, NULL, NULL);
    /* After MARKET_FILLS_MAX executions the book would be crossed by the rest. */
    int64_t opposite_e8 = book_core_best(symbol->book, market_opposite(side));
    bool crossed = opposite_e8 != 0 && market_reaches(side, price_e8, opposite_e8);
    if (quantity_e8 == 0 || crossed) return;
    book_order_t order = {
        .side = side, .price_e8 = price_e8, .quantity_e8 = quantity_e8, .owner = (uint32_t)m + 1, .tag = (uint32_t)q};
    uint32_t handle;
    if (book_core_rest(symbol->book, &order, &handle) == 0) symbol->makers[m].orders[q] = handle;
}

static void s_withdraw(synthetic_symbol_t *symbol, int m)
{
    for (int q = 0; q < QUOTES; q++) {
        if (symbol->makers[m].orders[q] == BOOK_NONE) continue;
        book_core_cancel(symbol->book, symbol->makers[m].orders[q]);
        symbol->makers[m].orders[q] = BOOK_NONE;
    }
}

static void s_refresh_maker(synthetic_core_t *self, synthetic_symbol_t *symbol, int m, double worth, double half)
{
    maker_t *maker = &symbol->makers[m];
    double opinion = worth * (1.0 + 0.3 * half * (zvt_rng_unit(&symbol->rng) - 0.5));
    double size = s_level_size(self, symbol);
    maker->quoted = worth;
    maker->half = half;
    s_withdraw(symbol, m);
    for (int q = 0; q < QUOTES; q++) {
        int level = q % MAKER_LEVELS;
        bool sells = q >= MAKER_LEVELS;
        double away = half * (1.0 + s_level_step * level + 0.05 * level * level);
        double price = opinion * (sells ? 1.0 + away : 1.0 - away);
        double quantity = size * (0.4 + 1.2 * zvt_rng_unit(&symbol->rng)) * (1.0 + s_level_growth * level);
        s_quote(self, symbol, m, q, s_on_grid(price, symbol->instrument->tick_e8, sells),
                s_on_grid(quantity, symbol->instrument->lot_e8, false));
    }
}

/* Whether a maker quotes afresh in this step. */
static bool s_is_due(const maker_t *maker, zvt_rng_t *rng, double worth)
{
    bool chance = zvt_rng_unit(rng) < s_refresh_chance;
    return chance || maker->quoted == 0 || fabs(worth / maker->quoted - 1.0) > s_alert * maker->half;
}

static void s_makers(synthetic_core_t *self, synthetic_symbol_t *symbol, double worth, double liveliness)
{
    double base = s_half_spread * symbol->fundamental.sigma * self->spread * (0.5 + 0.5 * liveliness);
    /* A maker's own bid and ask stay at least a tick apart. */
    double least = 0.6 * (double)symbol->instrument->tick_e8 / (double)ZVT_E8 / worth;
    for (int m = 0; m < MAKERS; m++) {
        double half = fmax(least, base * (1.0 + 0.4 * m) * (0.8 + 0.4 * zvt_rng_unit(&symbol->rng)));
        if (s_is_due(&symbol->makers[m], &symbol->rng, worth)) s_refresh_maker(self, symbol, m, worth, half);
    }
}

/* Takers lean towards what the instrument is worth, and are otherwise noise. */
static void s_taker(synthetic_core_t *self, synthetic_symbol_t *symbol, double worth)
{
    double bid = (double)book_core_best(symbol->book, ZVT_SIDE_BUY), ask = (double)book_core_best(symbol->book, ZVT_SIDE_SELL);
    double lean = 0;
    if (bid > 0 && ask > bid) lean = (worth * (double)ZVT_E8 - (bid + ask) / 2) / (ask - bid);
    lean = fmax(-0.35, fmin(0.35, lean));
    uint8_t side = zvt_rng_unit(&symbol->rng) < 0.5 + lean ? ZVT_SIDE_BUY : ZVT_SIDE_SELL;
    double quantity = s_level_size(self, symbol) * s_taker_share * exp(s_taker_spread * s_gauss(&symbol->rng));
    market_take_t take = {.instrument = symbol->index, .side = side,
                          .quantity_e8 = s_on_grid(quantity, symbol->instrument->lot_e8, false)};
    (void)s_execute(self, symbol, &take, NULL, NULL);
}

static void s_takers(synthetic_core_t *self, synthetic_symbol_t *symbol, double worth, double liveliness)
{
    double expected = s_takers_per_second * liveliness * (double)self->config.step_ns / (double)ZVT_SECOND_NS;
    int count = (int)expected + (zvt_rng_unit(&symbol->rng) < expected - floor(expected) ? 1 : 0);
    for (int i = 0; i < count && i < TAKERS_MAX; i++) s_taker(self, symbol, worth);
}

static void s_step_symbol(synthetic_core_t *self, synthetic_symbol_t *symbol, int64_t step)
{
    int64_t market_ns = step * self->config.step_ns;
    double liveliness = fundamental_liveliness(&symbol->fundamental, market_ns);
    zvt_rng_seed(&symbol->rng, fundamental_hash(symbol->stream, (uint64_t)step));
    /* Venues differ a little for a while, which gives a router something to decide. */
    double premium = 0.5 * s_half_spread * symbol->fundamental.sigma *
                     fundamental_noise(symbol->stream, market_ns, 20 * ZVT_SECOND_NS);
    double worth = fundamental_price(&symbol->fundamental, market_ns) * (1.0 + premium);
    if (!(worth < PRICE_MAX)) worth = PRICE_MAX;
    s_makers(self, symbol, worth, liveliness);
    s_takers(self, symbol, worth, liveliness);
    self->config.events.on_book(self->config.events.arg, symbol->index);
}

void synthetic_core_step(synthetic_core_t *self, int64_t step)
{
    for (uint32_t i = 0; i < self->config.fleet->instruments_count; i++) s_step_symbol(self, &self->symbols[i], step);
}
