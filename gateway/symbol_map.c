#include "symbol_map.h"

#include <stdio.h>
#include <string.h>

/* Rows of text members are padded with NULs, so that they compare as whole arrays. */
static void s_squeeze(char venue_symbol[ZVT_SYMBOL_SIZE], const zvt_instrument_t *instrument)
{
    snprintf(venue_symbol, ZVT_SYMBOL_SIZE, "%s%s", instrument->base, instrument->quote);
}

int symbol_map_init(symbol_map_t *self, const zvt_fleet_t *fleet, char problem[ZVT_PROBLEM_SIZE])
{
    memset(self, 0, sizeof *self);
    self->fleet = fleet;
    self->by_venue_symbol = zvt_map_new(ZVT_SYMBOL_SIZE, ZVT_INSTRUMENTS_MAX);
    self->by_symbol = zvt_map_new(ZVT_SYMBOL_SIZE, ZVT_INSTRUMENTS_MAX);
    for (uint32_t i = 0; i < fleet->instruments_count; i++) {
        char *venue_symbol = self->venue_symbols[i];
        s_squeeze(venue_symbol, &fleet->instruments[i]);
        uint32_t other = zvt_map_get(self->by_venue_symbol, venue_symbol);
        if (other != ZVT_MAP_NONE) {
            snprintf(problem, ZVT_PROBLEM_SIZE, "instruments %s and %s are both %s at the venue; take one out of the fleet file",
                     fleet->instruments[other].symbol, fleet->instruments[i].symbol, venue_symbol);
            symbol_map_destroy(self);
            return ZVT_ERR_EXISTS;
        }
        ZVT_ASSERT(zvt_map_put(self->by_venue_symbol, venue_symbol, i) == 0);
        ZVT_ASSERT(zvt_map_put(self->by_symbol, fleet->instruments[i].symbol, i) == 0);
    }
    return 0;
}

void symbol_map_destroy(symbol_map_t *self)
{
    zvt_map_destroy(&self->by_venue_symbol);
    zvt_map_destroy(&self->by_symbol);
}

static int s_index(const zvt_map_t *map, const char *symbol)
{
    uint32_t found = zvt_map_get(map, symbol);
    return found == ZVT_MAP_NONE ? SYMBOL_MAP_NONE : (int)found;
}

int symbol_map_of_venue(const symbol_map_t *self, const char symbol[ZVT_SYMBOL_SIZE])
{
    return s_index(self->by_venue_symbol, symbol);
}

int symbol_map_of_house(const symbol_map_t *self, const char symbol[ZVT_SYMBOL_SIZE])
{
    return s_index(self->by_symbol, symbol);
}
