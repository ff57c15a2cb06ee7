/* market_core -- checks and numbers one venue's market data, and remembers the last of it.
 *
 * What is wrong (negative or crossed prices, levels out of order) is counted and dropped, so that nobody behind the
 * gateway has to check it again. Every message that leaves carries the next symbol_seq of its symbol, from 1, so that
 * a subscriber sees what it lost; a gap in the venue's own numbers is counted ("feed_gaps", "feed_missed").
 *
 * Pure: results leave through emit().
 * Conflation   when allowed, only the last quote and the last book of a symbol leave at market_core_flush; a trade of
 *          that symbol lets them leave before it, so that order is kept. Trades and status are never conflated.
 * Bounds   the instruments of the fleet file; one quote and one book per instrument.
 * Owns     everything inside; borrows the fleet until destroy.
 * Counters feed_gaps, feed_missed, feed_repeated, bad_quotes, bad_trades, bad_books, conflated. */
#ifndef GATEWAY_MARKET_CORE_H
#define GATEWAY_MARKET_CORE_H

#include "zvt_config.h"

typedef struct market_core market_core_t;

/* A record that goes to the market's subscribers; valid during the call. `instrument` is the index in the fleet file,
 * or MARKET_CORE_VENUE for a record about the venue as a whole. */
typedef void(market_emit_fn)(void *arg, uint32_t instrument, zvt_type_t type, const void *record);
#define MARKET_CORE_VENUE UINT32_MAX

market_core_t *market_core_new(const zvt_fleet_t *fleet, const char *venue, bool conflate, market_emit_fn *emit, void *arg);
void market_core_destroy(market_core_t **self);

/* Market data as the adapter delivers it: see gateway_adapter_events_t. */
void market_core_on_quote(market_core_t *self, uint32_t instrument, const zvt_price_updated_t *quote);
void market_core_on_trade(market_core_t *self, uint32_t instrument, const zvt_trade_tick_t *trade);
void market_core_on_book(market_core_t *self, uint32_t instrument, const zvt_orderbook_updated_t *book);
void market_core_on_status(market_core_t *self, const zvt_market_status_t *status);

/* The venue answers again. A new run of it numbers its messages anew and says itself whether it is open. */
void market_core_on_up(market_core_t *self, bool new_run);
/* The venue is silent: its market counts as closed until it answers. */
void market_core_on_down(market_core_t *self);

/* Lets out what waits. Call at the end of every round. */
void market_core_flush(market_core_t *self);
/* Emits the venue's status again, for subscribers that came later. */
void market_core_repeat_status(market_core_t *self);

/* Last quote that left, or NULL; flush first. */
const zvt_price_updated_t *market_core_quote(const market_core_t *self, uint32_t instrument);

#endif
