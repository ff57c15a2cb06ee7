#include "zvt_mids.h"

#include <stdlib.h>

#include "zvt_map.h"

struct zvt_mids {
    zvt_map_t *symbols; /* symbol -> instrument */
    zvt_map_t *venues;  /* name -> venue */
    zvt_mid_t mids[ZVT_INSTRUMENTS_MAX][ZVT_VENUES_MAX];
};

zvt_mids_t *zvt_mids_new(const zvt_fleet_t *fleet)
{
    zvt_mids_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->symbols = zvt_map_new(ZVT_SYMBOL_SIZE, ZVT_INSTRUMENTS_MAX);
    self->venues = zvt_map_new(ZVT_VENUE_SIZE, ZVT_VENUES_MAX);
    for (uint32_t i = 0; i < fleet->instruments_count; i++)
        ZVT_ASSERT(zvt_map_put(self->symbols, fleet->instruments[i].symbol, i) == 0);
    for (uint32_t i = 0; i < fleet->venues_count; i++)
        ZVT_ASSERT(zvt_map_put(self->venues, fleet->venues[i].name, i) == 0);
    return self;
}

void zvt_mids_destroy(zvt_mids_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->symbols);
    zvt_map_destroy(&(*self)->venues);
    free(*self);
    *self = NULL;
}

int zvt_mids_instrument(const zvt_mids_t *self, const char symbol[ZVT_SYMBOL_SIZE])
{
    uint32_t index = zvt_map_get(self->symbols, symbol);
    return index == ZVT_MAP_NONE ? -1 : (int)index;
}

/* Half of the sum without overflowing it; the sides may lie anywhere in the range of int64. */
static int64_t s_mid(int64_t bid_e8, int64_t ask_e8)
{
    if (bid_e8 == 0) return ask_e8;
    if (ask_e8 == 0) return bid_e8;
    return bid_e8 / 2 + ask_e8 / 2 + (bid_e8 % 2 + ask_e8 % 2) / 2;
}

int zvt_mids_on_quote(zvt_mids_t *self, const zvt_price_updated_t *quote, int64_t now_ns)
{
    uint32_t symbol = zvt_map_get(self->symbols, quote->symbol);
    uint32_t venue = zvt_map_get(self->venues, quote->venue);
    if (symbol == ZVT_MAP_NONE || venue == ZVT_MAP_NONE) return ZVT_ERR_NOT_FOUND;
    if (quote->bid_e8 < 0 || quote->ask_e8 < 0) return ZVT_ERR_INVALID;
    self->mids[symbol][venue] = (zvt_mid_t){.mid_e8 = s_mid(quote->bid_e8, quote->ask_e8), .at_ns = now_ns};
    return 0;
}

zvt_mid_t zvt_mids_freshest(const zvt_mids_t *self, int instrument, int venue)
{
    zvt_mid_t freshest = {0};
    if (instrument < 0 || instrument >= ZVT_INSTRUMENTS_MAX || venue >= ZVT_VENUES_MAX) return freshest;
    const zvt_mid_t *mids = self->mids[instrument];
    if (venue >= 0) return mids[venue];
    for (int i = 0; i < ZVT_VENUES_MAX; i++)
        if (mids[i].mid_e8 != 0 && (freshest.mid_e8 == 0 || mids[i].at_ns > freshest.at_ns)) freshest = mids[i];
    return freshest;
}
