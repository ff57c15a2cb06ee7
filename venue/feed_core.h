/* feed_core -- what the venue tells the world: quotes, trades, books and status, only when they changed.
 *
 * Pure: frames leave through emit(). The owner publishes after the ledger has what they follow from.
 * Shapes   topics quote.VENUE.SYMBOL, trade.VENUE.SYMBOL, book.VENUE.SYMBOL and status.VENUE, the symbol as the venue
 *          spells it (BTCUSDT). symbol_seq counts the messages of a symbol over its three topics.
 * Bounds   FEED_TRADES_MAX trades between two publications; more are counted and not printed (market data may be
 *          lost, orders never). A symbol's book goes out at most every FEED_BOOK_NS, so that a busy feed stays small.
 * Owns     everything inside; borrows fleet and market until destroy. */
#ifndef VENUE_FEED_CORE_H
#define VENUE_FEED_CORE_H

#include "market.h"
#include "zvt_config.h"
#include "zvt_time.h"

enum { FEED_TRADES_MAX = 4096 };
#define FEED_BOOK_NS (90 * ZVT_MS_NS)

typedef struct feed_core feed_core_t;

/* One message: a topic and packed records. */
typedef void(feed_emit_fn)(void *arg, const char *topic, const void *data, size_t length);

typedef struct {
    const zvt_fleet_t *fleet;
    uint32_t venue;          /* index in the fleet file */
    market_t market;
    uint64_t first_trade_id; /* ids rise from here */
    feed_emit_fn *emit;
    void *arg;
} feed_config_t;

feed_core_t *feed_core_new(const feed_config_t *config);
void feed_core_destroy(feed_core_t **self);

void feed_core_on_trade(feed_core_t *self, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8);
void feed_core_on_book(feed_core_t *self, uint32_t instrument);
/* Whether a publication would have something to look at. */
bool feed_core_is_dirty(const feed_core_t *self);

/* Publishes what changed. market_ns is the venue's time; now_ns paces the books. */
void feed_core_publish(feed_core_t *self, int64_t market_ns, int64_t now_ns);
/* Publishes quote and book of every symbol and the status, for those who came late. */
void feed_core_publish_all(feed_core_t *self, int64_t market_ns, int64_t now_ns, const zvt_market_status_t *status);
/* Publishes the status alone, because it changed. */
void feed_core_publish_status(feed_core_t *self, const zvt_market_status_t *status);

/* Trades that were not printed because there were too many. */
uint64_t feed_core_trades_lost(const feed_core_t *self);

#endif
