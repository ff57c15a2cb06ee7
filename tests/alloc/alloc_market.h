/* alloc_market -- what the simulator's world has not: the synthetic and the recorded market, venue faults, the gateway's backlog, rows
 * of the log. Driven by hand for the allocation test; one at a time.
 *
 * Owns     the markets, until alloc_market_end. */
#ifndef ALLOC_MARKET_H
#define ALLOC_MARKET_H

#include "zvt_config.h"

/* Both markets with books in them, and the rest empty. */
void alloc_market_begin(const zvt_fleet_t *fleet);
/* One step of each, with orders of the account that take, rest and are canceled. */
void alloc_market_step(void);
/* Trades that the markets printed so far. */
uint64_t alloc_market_trades(void);
void alloc_market_end(void);

#endif
