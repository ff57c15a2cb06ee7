/* sim_market -- a small market over the venue's order books: a maker with a few levels, and prices that walk.
 *
 * It fills market_ops_t as the synthetic market does, with far fewer orders, so that worlds are cheap. */
#ifndef SIM_MARKET_H
#define SIM_MARKET_H

#include "market.h"

typedef struct sim_market sim_market_t;

sim_market_t *sim_market_new(const market_events_t *events);
void sim_market_destroy(sim_market_t **self);
market_t sim_market_of(sim_market_t *self);
/* Prices move and the maker quotes anew; what is crossed executes. */
void sim_market_move(sim_market_t *self);

#endif
