#include "feed_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_codec.h"

enum { FRAME_SIZE = 64 << 10, TOPIC_SIZE = 64, NO_TRADE = UINT32_MAX };

typedef struct {
    uint32_t next;     /* of the same symbol */
    uint8_t aggressor; /* ZVT_SIDE_* */
    uint64_t trade_id;
    int64_t price_e8, quantity_e8;
} feed_trade_t;

typedef struct {
    char symbol[ZVT_SYMBOL_SIZE]; /* as the venue spells it */
    char quote_topic[TOPIC_SIZE], trade_topic[TOPIC_SIZE], book_topic[TOPIC_SIZE];
    bool dirty;                   /* the book moved since it was last looked at */
    uint64_t symbol_seq;
    uint32_t first_trade, last_trade;
    int64_t book_ns;              /* when the book was last published */
    zvt_price_updated_t quote;    /* as last published */
    zvt_orderbook_updated_t book;
} feed_symbol_t;

struct feed_core {
    feed_config_t config;
    const char *venue;
    char status_topic[TOPIC_SIZE];
    feed_symbol_t *symbols;
    feed_trade_t trades[FEED_TRADES_MAX];
    uint32_t trades_count;
    uint64_t trade_id;
    uint64_t trades_lost;
    uint32_t dirty_count;          /* symbols that are dirty */
    zvt_buf_t frame;
    zvt_orderbook_updated_t found; /* the book as it is now */
};

feed_core_t *feed_core_new(const feed_config_t *config)
{
    feed_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->config = *config;
    self->venue = config->fleet->venues[config->venue].name;
    self->trade_id = config->first_trade_id;
    self->frame = zvt_buf_new(FRAME_SIZE);
    snprintf(self->status_topic, TOPIC_SIZE, "status.%s", self->venue);
    self->symbols = calloc(config->fleet->instruments_count, sizeof *self->symbols);
    ZVT_ASSERT(self->symbols != NULL);
    for (uint32_t i = 0; i < config->fleet->instruments_count; i++) {
        feed_symbol_t *symbol = &self->symbols[i];
        market_venue_symbol(config->fleet->instruments[i].symbol, symbol->symbol);
        snprintf(symbol->quote_topic, TOPIC_SIZE, "quote.%s.%s", self->venue, symbol->symbol);
        snprintf(symbol->trade_topic, TOPIC_SIZE, "trade.%s.%s", self->venue, symbol->symbol);
        snprintf(symbol->book_topic, TOPIC_SIZE, "book.%s.%s", self->venue, symbol->symbol);
        symbol->first_trade = symbol->last_trade = NO_TRADE;
    }
    return self;
}

void feed_core_destroy(feed_core_t **self)
{
    if (*self == NULL) return;
    zvt_buf_destroy(&(*self)->frame);
    free((*self)->symbols);
    free(*self);
    *self = NULL;
}

void feed_core_on_trade(feed_core_t *self, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8)
{
    uint64_t trade_id = ++self->trade_id;
    if (self->trades_count == FEED_TRADES_MAX) {
        self->trades_lost++;
        return;
    }
    feed_symbol_t *symbol = &self->symbols[instrument];
    uint32_t at = self->trades_count++;
    self->trades[at] = (feed_trade_t){.next = NO_TRADE, .aggressor = aggressor, .trade_id = trade_id, .price_e8 = price_e8,
                                      .quantity_e8 = quantity_e8};
    if (symbol->last_trade == NO_TRADE)
        symbol->first_trade = at;
    else
        self->trades[symbol->last_trade].next = at;
    symbol->last_trade = at;
    feed_core_on_book(self, instrument);
}

void feed_core_on_book(feed_core_t *self, uint32_t instrument)
{
    if (self->symbols[instrument].dirty) return;
    self->symbols[instrument].dirty = true;
    self->dirty_count++;
}

bool feed_core_is_dirty(const feed_core_t *self)
{
    return self->dirty_count > 0;
}

/* ---- publishing ---- */
static void s_emit(feed_core_t *self, const char *topic)
{
    if (self->frame.length > 0) self->config.emit(self->config.arg, topic, self->frame.data, self->frame.length);
    self->frame.length = 0;
}

/* Adds a record to the frame; a full frame leaves first. */
static void s_add(feed_core_t *self, const char *topic, zvt_type_t type, const void *record)
{
    if (zvt_pack(&self->frame, type, record) == 0) return;
    s_emit(self, topic);
    ZVT_ASSERT(zvt_pack(&self->frame, type, record) == 0);
}

static void s_publish_trades(feed_core_t *self, feed_symbol_t *symbol, int64_t market_ns)
{
    for (uint32_t at = symbol->first_trade; at != NO_TRADE; at = self->trades[at].next) {
        const feed_trade_t *trade = &self->trades[at];
        zvt_trade_tick_t tick = {.symbol_seq = ++symbol->symbol_seq, .market_ts_ns = market_ns, .trade_id = trade->trade_id,
                                 .price_e8 = trade->price_e8, .quantity_e8 = trade->quantity_e8, .aggressor = trade->aggressor};
        ZVT_STR_SET(tick.venue, self->venue);
        ZVT_STR_SET(tick.symbol, symbol->symbol);
        s_add(self, symbol->trade_topic, ZVT_T_TRADE_TICK, &tick);
    }
    s_emit(self, symbol->trade_topic);
    symbol->first_trade = symbol->last_trade = NO_TRADE;
}

static void s_publish_quote(feed_core_t *self, feed_symbol_t *symbol, int64_t market_ns, bool force)
{
    const zvt_orderbook_updated_t *found = &self->found;
    static const zvt_level_t none;
    const zvt_level_t *bid = found->bids_count > 0 ? &found->bids[0] : &none;
    const zvt_level_t *ask = found->asks_count > 0 ? &found->asks[0] : &none;
    zvt_price_updated_t *quote = &symbol->quote;
    bool same = quote->bid_e8 == bid->price_e8 && quote->bid_volume_e8 == bid->quantity_e8 && quote->ask_e8 == ask->price_e8 &&
                quote->ask_volume_e8 == ask->quantity_e8;
    bool ever = symbol->symbol_seq > 0 || bid->price_e8 != 0 || ask->price_e8 != 0;
    if ((same && !force) || !ever) return;
    ZVT_STR_SET(quote->venue, self->venue);
    ZVT_STR_SET(quote->symbol, symbol->symbol);
    quote->symbol_seq = ++symbol->symbol_seq;
    quote->market_ts_ns = market_ns;
    quote->bid_e8 = bid->price_e8;
    quote->bid_volume_e8 = bid->quantity_e8;
    quote->ask_e8 = ask->price_e8;
    quote->ask_volume_e8 = ask->quantity_e8;
    s_add(self, symbol->quote_topic, ZVT_T_PRICE_UPDATED, quote);
    s_emit(self, symbol->quote_topic);
}

static bool s_same_levels(const zvt_level_t *a, uint32_t a_count, const zvt_level_t *b, uint32_t b_count)
{
    return a_count == b_count && memcmp(a, b, a_count * sizeof *a) == 0;
}

static void s_publish_book(feed_core_t *self, feed_symbol_t *symbol, int64_t market_ns, int64_t now_ns, bool force)
{
    zvt_orderbook_updated_t *found = &self->found, *last = &symbol->book;
    bool same = s_same_levels(found->bids, found->bids_count, last->bids, last->bids_count) &&
                s_same_levels(found->asks, found->asks_count, last->asks, last->asks_count);
    bool early = now_ns - symbol->book_ns < FEED_BOOK_NS && now_ns >= symbol->book_ns;
    if (!force && (same || early)) return;
    if (symbol->symbol_seq == 0) return;
    ZVT_STR_SET(found->venue, self->venue);
    ZVT_STR_SET(found->symbol, symbol->symbol);
    found->symbol_seq = ++symbol->symbol_seq;
    found->market_ts_ns = market_ns;
    symbol->book_ns = now_ns;
    *last = *found;
    s_add(self, symbol->book_topic, ZVT_T_ORDERBOOK_UPDATED, found);
    s_emit(self, symbol->book_topic);
}

static void s_publish_symbol(feed_core_t *self, uint32_t index, int64_t market_ns, int64_t now_ns, bool force)
{
    feed_symbol_t *symbol = &self->symbols[index];
    const market_t *market = &self->config.market;
    if (symbol->dirty) self->dirty_count--;
    symbol->dirty = false;
    self->found.bids_count = market->ops->levels(market->market, index, ZVT_SIDE_BUY, self->found.bids, MARKET_LEVELS_MAX);
    self->found.asks_count = market->ops->levels(market->market, index, ZVT_SIDE_SELL, self->found.asks, MARKET_LEVELS_MAX);
    s_publish_trades(self, symbol, market_ns);
    s_publish_quote(self, symbol, market_ns, force);
    s_publish_book(self, symbol, market_ns, now_ns, force);
}

void feed_core_publish(feed_core_t *self, int64_t market_ns, int64_t now_ns)
{
    for (uint32_t i = 0; i < self->config.fleet->instruments_count && self->dirty_count > 0; i++)
        if (self->symbols[i].dirty) s_publish_symbol(self, i, market_ns, now_ns, false);
    self->trades_count = 0;
}

void feed_core_publish_status(feed_core_t *self, const zvt_market_status_t *status)
{
    s_add(self, self->status_topic, ZVT_T_MARKET_STATUS, status);
    s_emit(self, self->status_topic);
}

void feed_core_publish_all(feed_core_t *self, int64_t market_ns, int64_t now_ns, const zvt_market_status_t *status)
{
    feed_core_publish_status(self, status);
    for (uint32_t i = 0; i < self->config.fleet->instruments_count; i++) s_publish_symbol(self, i, market_ns, now_ns, true);
    self->trades_count = 0;
}

uint64_t feed_core_trades_lost(const feed_core_t *self)
{
    return self->trades_lost;
}
