/* alloc_desk -- drives the core of the strategies' library through whole orders, without a fleet. */
#ifndef ALLOC_DESK_H
#define ALLOC_DESK_H

#include <stdint.h>

#include "zvt_config.h"

/* A desk with one strategy that buys or sells at every quote; started, but without an order yet. */
void alloc_desk_begin(const zvt_fleet_t *fleet);
/* One quote, the order it makes, its acknowledgement, and the order's events up to completed. */
void alloc_desk_order(void);
/* Orders that were told filled so far. */
uint64_t alloc_desk_filled(void);
void alloc_desk_end(void);

#endif
