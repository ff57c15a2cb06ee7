/* book_core -- one symbol's order book: price-time priority, every order known by itself.
 *
 * Pure: no clock, no socket, nothing allocated after book_core_new.
 * Shapes   each side is an array of price levels sorted so that the best stands last: most changes are near the best
 *          price and move few bytes. The orders of a level are a list, oldest first.
 * Bounds   orders_max orders and levels_max levels a side; one more is ZVT_ERR_FULL and changes nothing.
 * Owns     everything inside; results leave through fn() and return values.
 * Errors   0, ZVT_ERR_FULL, ZVT_ERR_INVALID. */
#ifndef VENUE_BOOK_CORE_H
#define VENUE_BOOK_CORE_H

#include "market.h"

#define BOOK_NONE UINT32_MAX /* no order */

typedef struct {
    uint8_t side;        /* ZVT_SIDE_* */
    int64_t price_e8;
    int64_t quantity_e8; /* what is left of it */
    uint32_t owner;      /* who it belongs to; self-trade prevention compares this */
    uint32_t tag;        /* the owner's own number for it */
} book_order_t;

/* One execution: an incoming order met `maker`, of which `left_e8` remains. The callee must not change the book. */
typedef struct {
    const book_order_t *maker;
    int64_t quantity_e8;
    int64_t left_e8;
} book_fill_t;
typedef void(book_fill_fn)(void *arg, const book_fill_t *fill);

typedef struct book_core book_core_t;

/* Aborts without memory (only called at start). */
book_core_t *book_core_new(uint32_t orders_max, uint32_t levels_max);
void book_core_destroy(book_core_t **self);

/* Puts an order at the end of its level's queue, without matching it. */
ZVT_MUSTUSE int book_core_rest(book_core_t *self, const book_order_t *order, uint32_t *handle);
/* Takes an order off the book. */
void book_core_cancel(book_core_t *self, uint32_t handle);
/* Lowers what is left of an order, which keeps its place; 0 takes it off. */
void book_core_reduce(book_core_t *self, uint32_t handle, int64_t left_e8);
/* A resting order; valid until the book changes. */
const book_order_t *book_core_order(const book_core_t *self, uint32_t handle);

/* Executes an incoming order against the opposite side, best price first and oldest first, at most MARKET_FILLS_MAX
 * times. Returns the quantity executed. */
int64_t book_core_match(book_core_t *self, const market_take_t *take, book_fill_fn *fn, void *arg);
/* Foretells book_core_match and stops at an order of `owner`. */
void book_core_preview(const book_core_t *self, const market_take_t *take, uint32_t owner, market_preview_t *preview);

/* Best order of a side, and the next one in priority; BOOK_NONE at the end. */
uint32_t book_core_first(const book_core_t *self, uint8_t side);
uint32_t book_core_next(const book_core_t *self, uint32_t handle);
/* Oldest order at exactly this price, or BOOK_NONE; continue with book_core_next_at. */
uint32_t book_core_first_at(const book_core_t *self, uint8_t side, int64_t price_e8);
uint32_t book_core_next_at(const book_core_t *self, uint32_t handle);

/* Best price of a side; 0 when it is empty. */
int64_t book_core_best(const book_core_t *self, uint8_t side);
/* Copies the best levels, best first. */
uint32_t book_core_levels(const book_core_t *self, uint8_t side, zvt_level_t *levels, uint32_t max);
uint32_t book_core_levels_count(const book_core_t *self, uint8_t side);
uint32_t book_core_orders_count(const book_core_t *self);

#endif
