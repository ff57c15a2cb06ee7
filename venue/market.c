#include "market.h"

#include "zvt_fixed.h"

bool market_preview_add(market_preview_t *preview, int64_t price_e8, int64_t quantity_e8)
{
    if (preview->fills == MARKET_FILLS_MAX) {
        preview->cut = true;
        return false;
    }
    int64_t notional_e8;
    if (zvt_fixed_mul(price_e8, quantity_e8, &notional_e8) != 0 ||
        zvt_fixed_add(preview->notional_e8, notional_e8, &notional_e8) != 0) {
        preview->overflow = true;
        return false;
    }
    preview->notional_e8 = notional_e8;
    preview->quantity_e8 += quantity_e8;
    preview->fills++;
    return true;
}

void market_venue_symbol(const char *symbol, char venue_symbol[ZVT_SYMBOL_SIZE])
{
    size_t length = 0;
    for (; *symbol != '\0' && length + 1 < ZVT_SYMBOL_SIZE; symbol++)
        if (*symbol != '/') venue_symbol[length++] = *symbol;
    venue_symbol[length] = '\0';
}
