#include "market_core.h"

#include <stdlib.h>
#include <string.h>

#include "zvt_diag.h"
#include "zvt_stats.h"

/* What waits to leave, in the order it came. */
typedef enum { WAITS_NOTHING, WAITS_QUOTE, WAITS_BOOK, WAITS_QUOTE_THEN_BOOK, WAITS_BOOK_THEN_QUOTE, WAITS_COUNT } waits_t;

typedef struct {
    uint64_t feed_seq; /* the venue's last number; 0: not known, any is taken */
    uint64_t out_seq;  /* our last number */
    waits_t waits;
    bool quoted;       /* quote has left at least once */
    zvt_price_updated_t quote;
    zvt_orderbook_updated_t book;
} market_symbol_t;

struct market_core {
    const zvt_fleet_t *fleet;
    char venue[ZVT_VENUE_SIZE];
    bool conflate;
    market_emit_fn *emit;
    void *arg;
    bool up;
    bool was_up;                 /* at least once */
    zvt_market_status_t status;  /* as the venue said last */
    uint32_t waiting_count;
    uint32_t waiting[ZVT_INSTRUMENTS_MAX]; /* instruments with something that waits */
    market_symbol_t symbols[ZVT_INSTRUMENTS_MAX];
};

static void s_forget_status(market_core_t *self)
{
    memset(&self->status, 0, sizeof self->status);
    ZVT_STR_SET(self->status.venue, self->venue);
    self->status.open = true;
}

market_core_t *market_core_new(const zvt_fleet_t *fleet, const char *venue, bool conflate, market_emit_fn *emit, void *arg)
{
    market_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->fleet = fleet;
    self->conflate = conflate;
    self->emit = emit;
    self->arg = arg;
    ZVT_STR_SET(self->venue, venue);
    s_forget_status(self);
    return self;
}

void market_core_destroy(market_core_t **self)
{
    free(*self);
    *self = NULL;
}

static market_symbol_t *s_symbol(market_core_t *self, uint32_t instrument)
{
    ZVT_ASSERT(instrument < self->fleet->instruments_count);
    return &self->symbols[instrument];
}

/* ---- the venue's numbers ---- */

/* Takes the venue's number of a message; false for one that came before. */
static bool s_take_feed_seq(market_core_t *self, uint32_t instrument, uint64_t feed_seq)
{
    market_symbol_t *symbol = s_symbol(self, instrument);
    if (symbol->feed_seq != 0 && feed_seq <= symbol->feed_seq) {
        ZVT_COUNT("feed_repeated");
        return false;
    }
    if (symbol->feed_seq != 0 && feed_seq != symbol->feed_seq + 1) {
        ZVT_COUNT("feed_gaps");
        *zvt_counter("feed_missed") += feed_seq - symbol->feed_seq - 1;
        if (zvt_diag_allowed())
            zvt_warn("%s: market data %llu follows %llu", self->fleet->instruments[instrument].symbol,
                     (unsigned long long)feed_seq, (unsigned long long)symbol->feed_seq);
    }
    symbol->feed_seq = feed_seq;
    return true;
}

/* ---- checks ---- */
static bool s_quote_is_sound(const zvt_price_updated_t *quote)
{
    if (quote->bid_e8 < 0 || quote->ask_e8 < 0 || quote->bid_volume_e8 < 0 || quote->ask_volume_e8 < 0) return false;
    return quote->bid_e8 == 0 || quote->ask_e8 == 0 || quote->bid_e8 < quote->ask_e8;
}

static bool s_trade_is_sound(const zvt_trade_tick_t *trade)
{
    return trade->price_e8 > 0 && trade->quantity_e8 > 0;
}

/* Prices must fall (bids) or rise (asks) from level to level. */
static bool s_levels_are_sound(const zvt_level_t *levels, uint32_t count, bool falling)
{
    for (uint32_t i = 0; i < count; i++) {
        if (levels[i].price_e8 <= 0 || levels[i].quantity_e8 <= 0) return false;
        if (i == 0) continue;
        int64_t before_e8 = levels[i - 1].price_e8;
        if (falling ? levels[i].price_e8 >= before_e8 : levels[i].price_e8 <= before_e8) return false;
    }
    return true;
}

static bool s_book_is_sound(const zvt_orderbook_updated_t *book)
{
    if (!s_levels_are_sound(book->bids, book->bids_count, true)) return false;
    if (!s_levels_are_sound(book->asks, book->asks_count, false)) return false;
    return book->bids_count == 0 || book->asks_count == 0 || book->bids[0].price_e8 < book->asks[0].price_e8;
}

/* ---- what leaves ---- */
static void s_emit_quote(market_core_t *self, uint32_t instrument)
{
    market_symbol_t *symbol = s_symbol(self, instrument);
    symbol->quote.symbol_seq = ++symbol->out_seq;
    symbol->quoted = true;
    self->emit(self->arg, instrument, ZVT_T_PRICE_UPDATED, &symbol->quote);
}

static void s_emit_book(market_core_t *self, uint32_t instrument)
{
    market_symbol_t *symbol = s_symbol(self, instrument);
    symbol->book.symbol_seq = ++symbol->out_seq;
    self->emit(self->arg, instrument, ZVT_T_ORDERBOOK_UPDATED, &symbol->book);
}

typedef void(emit_fn)(market_core_t *self, uint32_t instrument);
static emit_fn *const s_emits[WAITS_COUNT][2] = {
    [WAITS_QUOTE] = {s_emit_quote},
    [WAITS_BOOK] = {s_emit_book},
    [WAITS_QUOTE_THEN_BOOK] = {s_emit_quote, s_emit_book},
    [WAITS_BOOK_THEN_QUOTE] = {s_emit_book, s_emit_quote},
};

static void s_let_out(market_core_t *self, uint32_t instrument)
{
    market_symbol_t *symbol = s_symbol(self, instrument);
    waits_t waits = symbol->waits;
    symbol->waits = WAITS_NOTHING;
    for (int i = 0; i < 2; i++)
        if (s_emits[waits][i] != NULL) s_emits[waits][i](self, instrument);
}

/* A newer quote or book takes the place of one that waits, and goes to the end of the order. */
static const waits_t s_with_quote[WAITS_COUNT] = {
    [WAITS_NOTHING] = WAITS_QUOTE,
    [WAITS_QUOTE] = WAITS_QUOTE,
    [WAITS_BOOK] = WAITS_BOOK_THEN_QUOTE,
    [WAITS_QUOTE_THEN_BOOK] = WAITS_BOOK_THEN_QUOTE,
    [WAITS_BOOK_THEN_QUOTE] = WAITS_BOOK_THEN_QUOTE,
};
static const waits_t s_with_book[WAITS_COUNT] = {
    [WAITS_NOTHING] = WAITS_BOOK,
    [WAITS_QUOTE] = WAITS_QUOTE_THEN_BOOK,
    [WAITS_BOOK] = WAITS_BOOK,
    [WAITS_QUOTE_THEN_BOOK] = WAITS_QUOTE_THEN_BOOK,
    [WAITS_BOOK_THEN_QUOTE] = WAITS_QUOTE_THEN_BOOK,
};
static const bool s_quote_waits[WAITS_COUNT] = {
    [WAITS_QUOTE] = true, [WAITS_QUOTE_THEN_BOOK] = true, [WAITS_BOOK_THEN_QUOTE] = true};
static const bool s_book_waits[WAITS_COUNT] = {
    [WAITS_BOOK] = true, [WAITS_QUOTE_THEN_BOOK] = true, [WAITS_BOOK_THEN_QUOTE] = true};

static void s_wait(market_core_t *self, uint32_t instrument, const waits_t next[WAITS_COUNT])
{
    market_symbol_t *symbol = s_symbol(self, instrument);
    if (symbol->waits == WAITS_NOTHING) {
        ZVT_ASSERT(self->waiting_count < ZVT_INSTRUMENTS_MAX);
        self->waiting[self->waiting_count++] = instrument;
    }
    symbol->waits = next[symbol->waits];
    if (!self->conflate) market_core_flush(self);
}

void market_core_flush(market_core_t *self)
{
    for (uint32_t i = 0; i < self->waiting_count; i++) s_let_out(self, self->waiting[i]);
    self->waiting_count = 0;
}

/* Takes one instrument out of those that wait, after letting it out. */
static void s_flush_one(market_core_t *self, uint32_t instrument)
{
    if (s_symbol(self, instrument)->waits == WAITS_NOTHING) return;
    s_let_out(self, instrument);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->waiting_count; i++)
        if (self->waiting[i] != instrument) self->waiting[kept++] = self->waiting[i];
    self->waiting_count = kept;
}

/* ---- what comes in ---- */
void market_core_on_quote(market_core_t *self, uint32_t instrument, const zvt_price_updated_t *quote)
{
    market_symbol_t *symbol = s_symbol(self, instrument);
    if (!s_take_feed_seq(self, instrument, quote->symbol_seq)) return;
    if (!s_quote_is_sound(quote)) {
        ZVT_COUNT("bad_quotes");
        return;
    }
    if (s_quote_waits[symbol->waits]) ZVT_COUNT("conflated");
    symbol->quote = *quote;
    ZVT_STR_SET(symbol->quote.venue, self->venue);
    ZVT_STR_SET(symbol->quote.symbol, self->fleet->instruments[instrument].symbol);
    s_wait(self, instrument, s_with_quote);
}

void market_core_on_trade(market_core_t *self, uint32_t instrument, const zvt_trade_tick_t *trade)
{
    market_symbol_t *symbol = s_symbol(self, instrument);
    if (!s_take_feed_seq(self, instrument, trade->symbol_seq)) return;
    if (!s_trade_is_sound(trade)) {
        ZVT_COUNT("bad_trades");
        return;
    }
    s_flush_one(self, instrument);
    zvt_trade_tick_t out = *trade;
    ZVT_STR_SET(out.venue, self->venue);
    ZVT_STR_SET(out.symbol, self->fleet->instruments[instrument].symbol);
    out.symbol_seq = ++symbol->out_seq;
    self->emit(self->arg, instrument, ZVT_T_TRADE_TICK, &out);
}

void market_core_on_book(market_core_t *self, uint32_t instrument, const zvt_orderbook_updated_t *book)
{
    market_symbol_t *symbol = s_symbol(self, instrument);
    if (!s_take_feed_seq(self, instrument, book->symbol_seq)) return;
    if (!s_book_is_sound(book)) {
        ZVT_COUNT("bad_books");
        return;
    }
    if (s_book_waits[symbol->waits]) ZVT_COUNT("conflated");
    symbol->book = *book;
    ZVT_STR_SET(symbol->book.venue, self->venue);
    ZVT_STR_SET(symbol->book.symbol, self->fleet->instruments[instrument].symbol);
    s_wait(self, instrument, s_with_book);
}

/* ---- status ---- */
void market_core_repeat_status(market_core_t *self)
{
    if (self->up) {
        self->emit(self->arg, MARKET_CORE_VENUE, ZVT_T_MARKET_STATUS, &self->status);
        return;
    }
    zvt_market_status_t closed = {.open = false};
    ZVT_STR_SET(closed.venue, self->venue);
    ZVT_STR_SET(closed.message, "no connection to the venue");
    self->emit(self->arg, MARKET_CORE_VENUE, ZVT_T_MARKET_STATUS, &closed);
}

void market_core_on_status(market_core_t *self, const zvt_market_status_t *status)
{
    self->status = *status;
    ZVT_STR_SET(self->status.venue, self->venue);
    market_core_flush(self);
    market_core_repeat_status(self);
}

static void s_forget_feed_seqs(market_core_t *self)
{
    for (uint32_t i = 0; i < self->fleet->instruments_count; i++) self->symbols[i].feed_seq = 0;
}

void market_core_on_up(market_core_t *self, bool new_run)
{
    if (new_run && self->was_up) { /* before the first time there is nothing of an older run */
        s_forget_feed_seqs(self);
        s_forget_status(self);
    }
    self->up = true;
    self->was_up = true;
    market_core_repeat_status(self);
}

void market_core_on_down(market_core_t *self)
{
    self->up = false;
    market_core_repeat_status(self);
}

/* ---- answers ---- */
const zvt_price_updated_t *market_core_quote(const market_core_t *self, uint32_t instrument)
{
    const market_symbol_t *symbol = &self->symbols[instrument];
    return symbol->quoted ? &symbol->quote : NULL;
}
