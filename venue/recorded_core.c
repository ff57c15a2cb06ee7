#include "recorded_core.h"

#include <stdlib.h>

#include "book_core.h"

/* Best level of a side as bookTicker or a CSV quote says it. */
typedef struct {
    bool set;            /* it is newer than the depth book */
    depth_level_t level; /* quantity 0: the side is empty */
} overlay_t;

enum { QUOTES_KEPT = 4096 }; /* some seconds of bookTicker: a depth update speaks of ids up to 100 ms ago */

typedef struct {
    depth_core_t *depth;
    overlay_t overlay[2]; /* bids, asks */
    recorded_quote_t *quotes; /* ring of the last quotes with an id, to compare with the depth book at the same id */
    uint64_t quotes_count;    /* ever */
    uint64_t quote_id;    /* update id of the last quote; 0: it had none */
    bool depth_seen;
    book_core_t *own;     /* the account's resting orders; tag is the slot */
} recorded_symbol_t;

struct recorded_core {
    const zvt_fleet_t *fleet;
    market_events_t events;
    recorded_symbol_t *symbols;
    recorded_counts_t counts;
    struct {
        uint32_t instrument;
        uint32_t handle;        /* in the symbol's own book */
        int64_t queue_ahead_e8; /* recorded quantity that stands before it; INT64_MAX: not known yet */
    } places[MARKET_SLOTS_MAX];
};

static int s_index(uint8_t side) { return side == ZVT_SIDE_BUY ? 0 : 1; }
static uint8_t s_side_of(int index) { return index == 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL; }
static int64_t s_min(int64_t a, int64_t b) { return a < b ? a : b; }
static bool s_better(uint8_t side, int64_t a_e8, int64_t b_e8) { return side == ZVT_SIDE_BUY ? a_e8 > b_e8 : a_e8 < b_e8; }

recorded_core_t *recorded_core_new(const zvt_fleet_t *fleet, const market_events_t *events)
{
    recorded_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->fleet = fleet;
    self->events = *events;
    self->symbols = calloc(fleet->instruments_count, sizeof *self->symbols);
    ZVT_ASSERT(self->symbols != NULL);
    for (uint32_t i = 0; i < fleet->instruments_count; i++) {
        self->symbols[i].depth = depth_core_new();
        self->symbols[i].own = book_core_new(MARKET_SLOTS_MAX, MARKET_SLOTS_MAX);
        self->symbols[i].quotes = calloc(QUOTES_KEPT, sizeof *self->symbols[i].quotes);
        ZVT_ASSERT(self->symbols[i].quotes != NULL);
    }
    return self;
}

void recorded_core_destroy(recorded_core_t **self)
{
    if (*self == NULL) return;
    for (uint32_t i = 0; i < (*self)->fleet->instruments_count; i++) {
        depth_core_destroy(&(*self)->symbols[i].depth);
        book_core_destroy(&(*self)->symbols[i].own);
        free((*self)->symbols[i].quotes);
    }
    free((*self)->symbols);
    free(*self);
    *self = NULL;
}

/* ---- the effective book ---- */

/* A walk over one side, best first. */
typedef struct {
    recorded_symbol_t *symbol;
    uint8_t side;
    bool began;
    uint32_t next; /* level of the depth book */
} side_walk_t;

static side_walk_t s_walk(recorded_symbol_t *symbol, uint8_t side)
{
    return (side_walk_t){.symbol = symbol, .side = side};
}

static depth_level_t *s_next_level(side_walk_t *walk)
{
    overlay_t *overlay = &walk->symbol->overlay[s_index(walk->side)];
    if (!walk->began) {
        walk->began = true;
        if (overlay->set && overlay->level.quantity_e8 == 0) {
            walk->next = UINT32_MAX; /* the newer source says this side is empty */
            return NULL;
        }
        if (overlay->set) {
            walk->next = depth_core_better(walk->symbol->depth, walk->side, overlay->level.price_e8);
            const depth_level_t *same = depth_core_level(walk->symbol->depth, walk->side, walk->next);
            if (same != NULL && same->price_e8 == overlay->level.price_e8) walk->next++;
            return &overlay->level;
        }
    }
    depth_level_t *level = depth_core_level(walk->symbol->depth, walk->side, walk->next);
    if (level != NULL) walk->next++;
    return level;
}

static int64_t s_available(const depth_level_t *level)
{
    return level->quantity_e8 > level->taken_e8 ? level->quantity_e8 - level->taken_e8 : 0;
}

/* The level that is in force at a price, or NULL. */
static depth_level_t *s_level_at(recorded_symbol_t *symbol, uint8_t side, int64_t price_e8)
{
    overlay_t *overlay = &symbol->overlay[s_index(side)];
    if (overlay->set && overlay->level.quantity_e8 == 0) return NULL;
    if (overlay->set && overlay->level.price_e8 == price_e8) return &overlay->level;
    if (overlay->set && s_better(side, price_e8, overlay->level.price_e8)) return NULL;
    return depth_core_find(symbol->depth, side, price_e8);
}

/* ---- the account's resting orders ---- */
static void s_fill_own(recorded_core_t *self, recorded_symbol_t *symbol, uint32_t handle, int64_t quantity_e8)
{
    const book_order_t order = *book_core_order(symbol->own, handle);
    book_core_reduce(symbol->own, handle, order.quantity_e8 - quantity_e8);
    self->events.on_rest_fill(self->events.arg, order.tag, order.price_e8, quantity_e8);
}

/* queue_ahead = min(queue_ahead, size of the level) for every order at a price. */
static void s_shrink_queue(recorded_core_t *self, recorded_symbol_t *symbol, uint8_t side, int64_t price_e8, int64_t size_e8)
{
    for (uint32_t at = book_core_first_at(symbol->own, side, price_e8); at != BOOK_NONE;
         at = book_core_next_at(symbol->own, at)) {
        int64_t *queue_e8 = &self->places[book_core_order(symbol->own, at)->tag].queue_ahead_e8;
        *queue_e8 = s_min(*queue_e8, size_e8);
    }
}

/* What stands before a new order at this price, as far as the sources know. */
static int64_t s_queue_at(recorded_symbol_t *symbol, uint8_t side, int64_t price_e8)
{
    const depth_level_t *level = s_level_at(symbol, side, price_e8);
    if (level != NULL) return s_available(level);
    const overlay_t *overlay = &symbol->overlay[s_index(side)];
    bool better_than_best =
        overlay->set && (overlay->level.quantity_e8 == 0 || s_better(side, price_e8, overlay->level.price_e8));
    return better_than_best || depth_core_is_synced(symbol->depth) ? 0 : INT64_MAX;
}

static void s_shrink_all(recorded_core_t *self, recorded_symbol_t *symbol)
{
    for (int index = 0; index < 2; index++) {
        uint8_t side = s_side_of(index);
        for (uint32_t at = book_core_first(symbol->own, side); at != BOOK_NONE; at = book_core_next(symbol->own, at)) {
            const book_order_t *order = book_core_order(symbol->own, at);
            int64_t *queue_e8 = &self->places[order->tag].queue_ahead_e8;
            *queue_e8 = s_min(*queue_e8, s_queue_at(symbol, side, order->price_e8));
        }
    }
}

/* A quote at or through our price on the other side has met us. */
static void s_cross(recorded_core_t *self, recorded_symbol_t *symbol, uint8_t side)
{
    side_walk_t walk = s_walk(symbol, market_opposite(side));
    depth_level_t *level = s_next_level(&walk);
    uint32_t handle = book_core_first(symbol->own, side);
    while (level != NULL && handle != BOOK_NONE) {
        const book_order_t *order = book_core_order(symbol->own, handle);
        if (!market_reaches(side, order->price_e8, level->price_e8)) return;
        int64_t quantity_e8 = s_min(order->quantity_e8, s_available(level));
        if (quantity_e8 == 0) {
            level = s_next_level(&walk);
            continue;
        }
        level->taken_e8 += quantity_e8;
        s_fill_own(self, symbol, handle, quantity_e8);
        handle = book_core_first(symbol->own, side);
    }
}

static void s_moved(recorded_core_t *self, uint32_t instrument)
{
    for (int index = 0; index < 2; index++) s_cross(self, &self->symbols[instrument], s_side_of(index));
    self->events.on_book(self->events.arg, instrument);
}

/* ---- the feed ---- */

/* The depth book has caught up with the quote: it is the newer source now, and inherits what we took. */
static void s_drop_overlay(recorded_symbol_t *symbol)
{
    for (int index = 0; index < 2; index++) {
        overlay_t *overlay = &symbol->overlay[index];
        if (!overlay->set) continue;
        overlay->set = false;
        depth_level_t *level = depth_core_find(symbol->depth, s_side_of(index), overlay->level.price_e8);
        bool unchanged = level != NULL && level->quantity_e8 == overlay->level.quantity_e8;
        if (unchanged && level->taken_e8 < overlay->level.taken_e8) level->taken_e8 = overlay->level.taken_e8;
    }
}

static bool s_same_best(recorded_symbol_t *symbol, uint8_t side, const zvt_level_t *quoted)
{
    const depth_level_t *best = depth_core_level(symbol->depth, side, 0);
    if (best == NULL) return quoted->quantity_e8 == 0;
    return best->price_e8 == quoted->price_e8 && best->quantity_e8 == quoted->quantity_e8;
}

/* The kept quote with this update id, or NULL. Ids rise. */
static const recorded_quote_t *s_quote_with_id(const recorded_symbol_t *symbol, uint64_t update_id)
{
    uint64_t kept = symbol->quotes_count < QUOTES_KEPT ? symbol->quotes_count : QUOTES_KEPT;
    for (uint64_t back = 1; back <= kept; back++) {
        const recorded_quote_t *quote = &symbol->quotes[(symbol->quotes_count - back) % QUOTES_KEPT];
        if (quote->update_id == update_id) return quote;
        if (quote->update_id < update_id) return NULL;
    }
    return NULL;
}

/* Where both sources speak of the same update id they must agree. */
static void s_compare(recorded_core_t *self, recorded_symbol_t *symbol)
{
    const recorded_quote_t *quote = s_quote_with_id(symbol, depth_core_last_id(symbol->depth));
    if (quote == NULL) return;
    self->counts.compared++;
    if (!s_same_best(symbol, ZVT_SIDE_BUY, &quote->best[0]) || !s_same_best(symbol, ZVT_SIDE_SELL, &quote->best[1]))
        self->counts.differing++;
}

static void s_after_depth(recorded_core_t *self, uint32_t instrument)
{
    recorded_symbol_t *symbol = &self->symbols[instrument];
    s_compare(self, symbol);
    if (symbol->quote_id != 0 && depth_core_last_id(symbol->depth) >= symbol->quote_id) s_drop_overlay(symbol);
}

void recorded_core_on_snapshot(recorded_core_t *self, uint32_t instrument, const depth_update_t *snapshot)
{
    recorded_symbol_t *symbol = &self->symbols[instrument];
    depth_result_t result = depth_core_snapshot(symbol->depth, snapshot);
    if (result == DEPTH_OLD) return;
    if (result != DEPTH_APPLIED) {
        self->counts.snapshots_unusable++;
        return;
    }
    self->counts.snapshots++;
    s_after_depth(self, instrument);
    s_shrink_all(self, symbol);
    s_moved(self, instrument);
}

void recorded_core_on_diff(recorded_core_t *self, uint32_t instrument, const depth_update_t *diff)
{
    recorded_symbol_t *symbol = &self->symbols[instrument];
    symbol->depth_seen = true;
    depth_result_t result = depth_core_diff(symbol->depth, diff);
    if (result == DEPTH_GAP) self->counts.depth_gaps++;
    if (result == DEPTH_GAP) self->events.on_book(self->events.arg, instrument);
    if (result != DEPTH_APPLIED) return;
    self->counts.depth_updates++;
    s_after_depth(self, instrument);
    for (int index = 0; index < 2; index++)
        for (uint32_t i = 0; i < diff->counts[index]; i++)
            s_shrink_queue(self, symbol, s_side_of(index), diff->levels[index][i].price_e8, diff->levels[index][i].quantity_e8);
    s_moved(self, instrument);
}

/* Puts a quoted best level in force. What we took of the same quantity at the same price stays taken, and what we took
 * of the level that was best before is left with the depth book. */
static void s_set_overlay(recorded_symbol_t *symbol, uint8_t side, const zvt_level_t *best)
{
    overlay_t *overlay = &symbol->overlay[s_index(side)];
    depth_level_t next = {.price_e8 = best->price_e8, .quantity_e8 = best->quantity_e8};
    const depth_level_t *known = s_level_at(symbol, side, best->price_e8);
    if (known != NULL && known->quantity_e8 == best->quantity_e8) next.taken_e8 = known->taken_e8;
    if (overlay->set && overlay->level.price_e8 != best->price_e8) {
        depth_level_t *left = depth_core_find(symbol->depth, side, overlay->level.price_e8);
        if (left != NULL) left->taken_e8 = s_min(overlay->level.taken_e8, left->quantity_e8);
    }
    overlay->level = next;
    overlay->set = true;
}

/* Orders at the best price stand behind at most what it shows; orders better than the best stand alone. */
static void s_shrink_to_best(recorded_core_t *self, recorded_symbol_t *symbol, uint8_t side, const zvt_level_t *best)
{
    for (uint32_t at = book_core_first(symbol->own, side); at != BOOK_NONE; at = book_core_next(symbol->own, at)) {
        const book_order_t *order = book_core_order(symbol->own, at);
        bool alone = best->quantity_e8 == 0 || s_better(side, order->price_e8, best->price_e8);
        if (!alone && order->price_e8 != best->price_e8) return;
        int64_t *queue_e8 = &self->places[order->tag].queue_ahead_e8;
        *queue_e8 = s_min(*queue_e8, alone ? 0 : best->quantity_e8);
    }
}

void recorded_core_on_quote(recorded_core_t *self, uint32_t instrument, const recorded_quote_t *quote)
{
    recorded_symbol_t *symbol = &self->symbols[instrument];
    self->counts.quotes++;
    symbol->quote_id = quote->update_id;
    if (quote->update_id != 0) symbol->quotes[symbol->quotes_count++ % QUOTES_KEPT] = *quote;
    bool synced = depth_core_is_synced(symbol->depth);
    if (synced && quote->update_id == depth_core_last_id(symbol->depth)) s_compare(self, symbol);
    if (synced && quote->update_id != 0 && quote->update_id <= depth_core_last_id(symbol->depth)) return;
    for (int index = 0; index < 2; index++) {
        s_set_overlay(symbol, s_side_of(index), &quote->best[index]);
        s_shrink_to_best(self, symbol, s_side_of(index), &quote->best[index]);
    }
    s_moved(self, instrument);
}

/* Trades at our price first use up the queue before us. Each order counts only recorded quantity before it, so what
 * older orders of ours got is added. */
static void s_trade_at(recorded_core_t *self, recorded_symbol_t *symbol, uint32_t handle, int64_t quantity_e8)
{
    int64_t price_e8 = book_core_order(symbol->own, handle)->price_e8;
    int64_t filled_e8 = 0; /* of this trade, by older orders of ours */
    while (handle != BOOK_NONE && book_core_order(symbol->own, handle)->price_e8 == price_e8) {
        const book_order_t order = *book_core_order(symbol->own, handle);
        uint32_t next = book_core_next_at(symbol->own, handle);
        int64_t *queue_e8 = &self->places[order.tag].queue_ahead_e8;
        int64_t reached_e8 = quantity_e8 - filled_e8;
        int64_t through_e8 = reached_e8 > *queue_e8 ? reached_e8 - *queue_e8 : 0;
        int64_t fill_e8 = s_min(through_e8, order.quantity_e8);
        *queue_e8 = reached_e8 < *queue_e8 ? *queue_e8 - reached_e8 : 0;
        if (fill_e8 > 0) s_fill_own(self, symbol, handle, fill_e8);
        filled_e8 += fill_e8;
        handle = next;
    }
}

void recorded_core_on_trade(recorded_core_t *self, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8)
{
    recorded_symbol_t *symbol = &self->symbols[instrument];
    uint8_t hit = market_opposite(aggressor);
    self->counts.trades++;
    self->events.on_trade(self->events.arg, instrument, aggressor, price_e8, quantity_e8);
    uint32_t handle = book_core_first(symbol->own, hit);
    while (handle != BOOK_NONE && s_better(hit, book_core_order(symbol->own, handle)->price_e8, price_e8)) {
        s_fill_own(self, symbol, handle, book_core_order(symbol->own, handle)->quantity_e8);
        handle = book_core_first(symbol->own, hit);
    }
    if (handle != BOOK_NONE && book_core_order(symbol->own, handle)->price_e8 == price_e8)
        s_trade_at(self, symbol, handle, quantity_e8);
}

int recorded_core_nearest(const recorded_core_t *self, uint64_t update_id)
{
    int nearest = -1;
    uint64_t best_distance = UINT64_MAX;
    for (uint32_t i = 0; i < self->fleet->instruments_count; i++) {
        const recorded_symbol_t *symbol = &self->symbols[i];
        if (!symbol->depth_seen) continue;
        uint64_t last_id = depth_core_last_id(symbol->depth);
        uint64_t distance = last_id > update_id ? last_id - update_id : update_id - last_id;
        if (nearest >= 0 && distance >= best_distance) continue;
        nearest = (int)i;
        best_distance = distance;
    }
    return nearest;
}

const recorded_counts_t *recorded_core_counts(const recorded_core_t *self)
{
    return &self->counts;
}

/* ---- the account's side ---- */

/* How much of a level comes before the account's own orders on the same side, if it has any there or before it. */
static int64_t s_before_own(const recorded_core_t *self, const recorded_symbol_t *symbol, uint8_t side,
                            const depth_level_t *level)
{
    int64_t available_e8 = s_available(level);
    uint32_t handle = book_core_first(symbol->own, side);
    if (handle == BOOK_NONE) return available_e8;
    const book_order_t *own = book_core_order(symbol->own, handle);
    if (s_better(side, level->price_e8, own->price_e8)) return available_e8;
    if (own->price_e8 != level->price_e8) return 0;
    return s_min(available_e8, self->places[own->tag].queue_ahead_e8);
}

/* True when the account's own best order of a side stands at this price or better. */
static bool s_own_reached(const recorded_symbol_t *symbol, uint8_t side, int64_t price_e8)
{
    int64_t own_e8 = book_core_best(symbol->own, side);
    return own_e8 != 0 && !s_better(side, price_e8, own_e8);
}

static void s_op_preview(const void *market, const market_take_t *take, market_preview_t *preview)
{
    const recorded_core_t *self = market;
    recorded_symbol_t *symbol = &self->symbols[take->instrument];
    uint8_t side = market_opposite(take->side);
    *preview = (market_preview_t){0};
    side_walk_t walk = s_walk(symbol, side);
    for (depth_level_t *level = s_next_level(&walk); level != NULL; level = s_next_level(&walk)) {
        if (!market_reaches(take->side, take->limit_e8, level->price_e8)) break;
        int64_t left_e8 = take->quantity_e8 - preview->quantity_e8;
        int64_t available_e8 = s_before_own(self, symbol, side, level);
        preview->crosses = preview->crosses || s_available(level) > 0;
        if (left_e8 == 0) return;
        int64_t quantity_e8 = s_min(left_e8, available_e8);
        if (quantity_e8 > 0 && !market_preview_add(preview, level->price_e8, quantity_e8)) return;
        if (quantity_e8 < left_e8 && s_own_reached(symbol, side, level->price_e8)) break;
    }
    int64_t own_e8 = book_core_best(symbol->own, side);
    bool own_in_reach = own_e8 != 0 && market_reaches(take->side, take->limit_e8, own_e8);
    preview->crosses = preview->crosses || own_in_reach;
    preview->own = own_in_reach && preview->quantity_e8 < take->quantity_e8;
}

/* Orders of ours at a level move up when we take from before them. */
static void s_move_up(recorded_core_t *self, recorded_symbol_t *symbol, uint8_t side, int64_t price_e8, int64_t taken_e8)
{
    for (uint32_t at = book_core_first_at(symbol->own, side, price_e8); at != BOOK_NONE;
         at = book_core_next_at(symbol->own, at)) {
        int64_t *queue_e8 = &self->places[book_core_order(symbol->own, at)->tag].queue_ahead_e8;
        if (*queue_e8 != INT64_MAX) *queue_e8 = *queue_e8 > taken_e8 ? *queue_e8 - taken_e8 : 0;
    }
}

static int64_t s_op_take(void *market, const market_take_t *take, market_take_fn *fn, void *arg)
{
    recorded_core_t *self = market;
    recorded_symbol_t *symbol = &self->symbols[take->instrument];
    uint8_t side = market_opposite(take->side);
    int64_t left_e8 = take->quantity_e8;
    int fills = 0;
    side_walk_t walk = s_walk(symbol, side);
    for (depth_level_t *level = s_next_level(&walk); level != NULL && left_e8 > 0 && fills < MARKET_FILLS_MAX;
         level = s_next_level(&walk)) {
        if (!market_reaches(take->side, take->limit_e8, level->price_e8)) break;
        int64_t quantity_e8 = s_min(left_e8, s_before_own(self, symbol, side, level));
        if (quantity_e8 == 0) continue;
        level->taken_e8 += quantity_e8;
        left_e8 -= quantity_e8;
        fills++;
        s_move_up(self, symbol, side, level->price_e8, quantity_e8);
        fn(arg, level->price_e8, quantity_e8);
        self->events.on_trade(self->events.arg, take->instrument, take->side, level->price_e8, quantity_e8);
    }
    if (fills > 0) self->events.on_book(self->events.arg, take->instrument);
    return take->quantity_e8 - left_e8;
}

static int s_op_rest(void *market, const market_rest_t *order)
{
    recorded_core_t *self = market;
    recorded_symbol_t *symbol = &self->symbols[order->instrument];
    book_order_t resting = {
        .side = order->side, .price_e8 = order->price_e8, .quantity_e8 = order->quantity_e8, .tag = order->slot};
    self->places[order->slot].instrument = order->instrument;
    self->places[order->slot].queue_ahead_e8 = s_queue_at(symbol, order->side, order->price_e8);
    return book_core_rest(symbol->own, &resting, &self->places[order->slot].handle);
}

static void s_op_cancel(void *market, uint32_t slot)
{
    recorded_core_t *self = market;
    book_core_cancel(self->symbols[self->places[slot].instrument].own, self->places[slot].handle);
}

static uint32_t s_op_levels(const void *market, uint32_t instrument, uint8_t side, zvt_level_t *levels, uint32_t max)
{
    const recorded_core_t *self = market;
    side_walk_t walk = s_walk(&self->symbols[instrument], side);
    uint32_t count = 0;
    for (depth_level_t *level = s_next_level(&walk); level != NULL && count < max; level = s_next_level(&walk))
        if (s_available(level) > 0)
            levels[count++] = (zvt_level_t){.price_e8 = level->price_e8, .quantity_e8 = s_available(level)};
    return count;
}

market_t recorded_core_market(recorded_core_t *self)
{
    static const market_ops_t ops = {.preview = s_op_preview, .take = s_op_take, .rest = s_op_rest,
                                     .cancel = s_op_cancel, .levels = s_op_levels};
    return (market_t){.ops = &ops, .market = self};
}
