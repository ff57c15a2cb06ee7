/* recorded_core -- a recorded feed as a market: its book is what there is to trade, and its trades fill us.
 *
 * Fill rules (what the recorded participants did is fixed, so each rule says how our order would have met them)
 *   - An incoming order takes what the recorded levels show, best first. What we took is subtracted from the level
 *     until the feed changes its quantity.
 *   - A resting order stands behind what its level showed: queue_ahead. A level that shrinks below queue_ahead makes
 *     queue_ahead shrink; trades at our price consume it, and what they have left over fills us.
 *   - A trade through our price fills us completely: it could not have happened before us.
 *   - A quote through or at our price on the other side fills us for the quantity it shows, which then counts as taken.
 *   - Orders of the account never meet each other: the account refuses an order that would reach one of its own.
 *   Our fills are at our own price when we rest.
 *
 * Two sources make one book: depth updates (all levels, in the venue's 100 ms beat) and bookTicker (best level, at
 * once). The newer of the two by update id says what the best level is; levels of the depth book better than it are
 * passed over. A quote without update id (CSV) always counts as newer.
 *
 * Pure. Units   price_e8, quantity_e8: fixed point 1e-8; update ids as the venue numbers them.
 * Bounds   depth_core's levels a side; MARKET_SLOTS_MAX resting orders of the account.
 * Owns     the books; borrows fleet and events until destroy. Nothing is allocated after recorded_core_new. */
#ifndef VENUE_RECORDED_CORE_H
#define VENUE_RECORDED_CORE_H

#include "depth_core.h"
#include "market.h"
#include "zvt_config.h"

typedef struct recorded_core recorded_core_t;

typedef struct {
    uint64_t update_id; /* 0: the source has none */
    zvt_level_t best[2]; /* bid, ask; quantity 0: that side is empty */
} recorded_quote_t;

/* What was counted. */
typedef struct {
    uint64_t depth_updates, depth_gaps, snapshots, snapshots_unusable, quotes, trades;
    uint64_t compared, differing; /* bookTicker against the depth book at the same update id */
} recorded_counts_t;

recorded_core_t *recorded_core_new(const zvt_fleet_t *fleet, const market_events_t *events);
void recorded_core_destroy(recorded_core_t **self);

market_t recorded_core_market(recorded_core_t *self);

/* ---- the feed, in the order it was received ---- */
void recorded_core_on_snapshot(recorded_core_t *self, uint32_t instrument, const depth_update_t *snapshot);
void recorded_core_on_diff(recorded_core_t *self, uint32_t instrument, const depth_update_t *diff);
void recorded_core_on_quote(recorded_core_t *self, uint32_t instrument, const recorded_quote_t *quote);
/* `aggressor` is the side that took liquidity. */
void recorded_core_on_trade(recorded_core_t *self, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8);

/* The instrument whose update ids are nearest to this one, for snapshots that name no symbol; -1 before any diff. */
int recorded_core_nearest(const recorded_core_t *self, uint64_t update_id);
const recorded_counts_t *recorded_core_counts(const recorded_core_t *self);

#endif
