/* builtin -- the strategies that come with the fleet.
 *
 * Pure decision code: each file is a strategy as a user would write it, on zvt_strategy.h; what
 * several of them share is in taker.h. */
#ifndef BUILTIN_H
#define BUILTIN_H

#include "zvt_strategy.h"

extern const zvt_strategy_t breakout_strategy;
extern const zvt_strategy_t momentum_strategy;
extern const zvt_strategy_t mean_reversion_strategy;
extern const zvt_strategy_t market_maker_strategy;

/* Largest `window` of a strategy that looks back. */
enum { BUILTIN_WINDOW_MAX = 1024 };

#endif
