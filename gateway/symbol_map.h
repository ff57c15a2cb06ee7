/* symbol_map -- the venue's spelling of symbols (BTCUSDT) and the house's (BTC/USDT).
 *
 * Pure.
 * Bounds   the instruments of the fleet file, at most ZVT_INSTRUMENTS_MAX.
 * Owns     its tables; borrows the fleet until destroy.
 * Errors   ZVT_ERR_EXISTS when two instruments have one spelling at the venue; `problem` then says which. */
#ifndef GATEWAY_SYMBOL_MAP_H
#define GATEWAY_SYMBOL_MAP_H

#include "zvt_config.h"
#include "zvt_map.h"

enum { SYMBOL_MAP_NONE = -1 };

typedef struct {
    const zvt_fleet_t *fleet;
    char venue_symbols[ZVT_INSTRUMENTS_MAX][ZVT_SYMBOL_SIZE]; /* by instrument, padded with NULs */
    zvt_map_t *by_venue_symbol;                               /* to the instrument's index */
    zvt_map_t *by_symbol;
} symbol_map_t;

ZVT_MUSTUSE int symbol_map_init(symbol_map_t *self, const zvt_fleet_t *fleet, char problem[ZVT_PROBLEM_SIZE]);
void symbol_map_destroy(symbol_map_t *self);

/* Index of the instrument in the fleet file, or SYMBOL_MAP_NONE. The text is the member of a record: ZVT_SYMBOL_SIZE
 * bytes, padded with NULs. */
int symbol_map_of_venue(const symbol_map_t *self, const char symbol[ZVT_SYMBOL_SIZE]);
int symbol_map_of_house(const symbol_map_t *self, const char symbol[ZVT_SYMBOL_SIZE]);

#endif
