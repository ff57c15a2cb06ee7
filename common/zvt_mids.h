/* zvt_mids -- the last mid price of every instrument at every venue.
 *
 * Ephemeral: filled from the quotes that the gateways publish, and lost with the process.
 * Pure     the caller passes now_ns, on a clock that never goes back.
 * Units    *_e8: quote asset, fixed point 1e-8; *_ns: the caller's clock, not the venue's (a recorded market's venue
 *          time may lie years back).
 * Bounds   the instruments and venues of the fleet file; quotes of others are refused.
 * Owns     its tables; copies what it needs from the fleet. */
#ifndef ZVT_MIDS_H
#define ZVT_MIDS_H

#include "zvt_config.h"

typedef struct {
    int64_t mid_e8; /* half of bid plus ask; the only side there is; 0: no quote */
    int64_t at_ns;  /* when it arrived */
} zvt_mid_t;

typedef struct zvt_mids zvt_mids_t;

#define ZVT_MIDS_ANY_VENUE (-1)

zvt_mids_t *zvt_mids_new(const zvt_fleet_t *fleet);
void zvt_mids_destroy(zvt_mids_t **self);

/* Remembers a quote. ZVT_ERR_NOT_FOUND: not our symbol or venue. ZVT_ERR_INVALID: negative price. An empty book (bid and
 * ask 0) takes the venue's mid away. */
ZVT_MUSTUSE int zvt_mids_on_quote(zvt_mids_t *self, const zvt_price_updated_t *quote, int64_t now_ns);

/* Index of a symbol in the fleet's instruments, or -1. The symbol is padded with NULs, as every decoded record is. */
int zvt_mids_instrument(const zvt_mids_t *self, const char symbol[ZVT_SYMBOL_SIZE]);

/* The mid that arrived last, at one venue (index in the fleet) or at any; mid_e8 is 0 when there is none. */
zvt_mid_t zvt_mids_freshest(const zvt_mids_t *self, int instrument, int venue);

#endif
