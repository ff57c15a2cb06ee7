/* synthetic_core -- a seeded market: agents whose quotes and orders are real orders in real books.
 *
 * What an instrument is worth comes from fundamental_core. Around it, maker agents keep limit orders on several levels
 * (closer and smaller when the market is calm, wider when it is lively), refresh them at random or when the price runs
 * away from them, and taker agents send market orders (more when it is lively). All of them meet the account's resting
 * orders by price-time priority.
 *
 * Pure. Every step draws its random numbers from (seed, venue, symbol, step), so the same seed gives the same market,
 * and after a restart the market goes on at the present step: the agents quote afresh, the price path is the same.
 * Units    price_e8, quantity_e8: fixed point 1e-8; market_ns: since the origin.
 * Bounds   fixed numbers of agents and levels; the account's orders up to MARKET_SLOTS_MAX.
 * Owns     the books; borrows fleet and events until destroy. Nothing is allocated after synthetic_core_new. */
#ifndef VENUE_SYNTHETIC_CORE_H
#define VENUE_SYNTHETIC_CORE_H

#include "book_core.h"
#include "market.h"
#include "zvt_config.h"

typedef struct synthetic_core synthetic_core_t;

typedef struct {
    const zvt_fleet_t *fleet;
    uint32_t venue;       /* index in the fleet file: spread, depth, and its own random stream */
    uint64_t seed;
    int64_t step_ns;
    market_events_t events;
} synthetic_config_t;

/* Aborts without memory (only called at start). */
synthetic_core_t *synthetic_core_new(const synthetic_config_t *config);
void synthetic_core_destroy(synthetic_core_t **self);

/* The market as the account sees it. */
market_t synthetic_core_market(synthetic_core_t *self);
/* Moves every instrument to step number `step`; steps may be left out, but never go back. */
void synthetic_core_step(synthetic_core_t *self, int64_t step);
/* The book of an instrument, to look at. */
const book_core_t *synthetic_core_book(const synthetic_core_t *self, uint32_t instrument);

#endif
