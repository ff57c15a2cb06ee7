/* What strategies and clients ask for. */
#include <string.h>

#include "sim_procs.h"

static uint32_t s_left;

void sim_workload_begin(uint32_t commands)
{
    s_left = commands;
}

uint32_t sim_workload_left(void)
{
    return s_left;
}

bool sim_workload_take(void)
{
    if (s_left == 0 || sim.healed) return false;
    s_left--;
    return true;
}

static void s_draw_kind(zvt_order_request_t *terms, const zvt_instrument_t *instrument)
{
    static const uint8_t tifs[] = {ZVT_TIF_GTC, ZVT_TIF_GTC, ZVT_TIF_GTC, ZVT_TIF_IOC, ZVT_TIF_FOK};
    if (sim_below(3) == 0) {
        terms->order_type = ZVT_ORDER_TYPE_MARKET;
        terms->time_in_force = ZVT_TIF_IOC;
        return;
    }
    int64_t step_e8 = instrument->price_e8 / 1000 / instrument->tick_e8 * instrument->tick_e8;
    terms->order_type = ZVT_ORDER_TYPE_LIMIT;
    terms->time_in_force = tifs[sim_below(sizeof tifs)];
    terms->post_only = terms->time_in_force == ZVT_TIF_GTC && sim_below(4) == 0;
    terms->limit_price_e8 = instrument->price_e8 + sim_between(-12, 12) * step_e8;
}

static void s_spoil(zvt_order_request_t *terms)
{
    switch (sim_below(7)) {
    case 0: terms->quantity_e8 = -terms->quantity_e8; break;
    case 1: terms->quantity_e8 += 1; break;
    case 2: ZVT_STR_SET(terms->symbol, "DOGE/USDT"); break;
    case 3: ZVT_STR_SET(terms->venue, "nowhere"); break;
    case 4: terms->limit_price_e8 = -1; break;
    case 5: terms->quantity_e8 = INT64_MAX / 2; break;
    default: terms->side = 0; break;
    }
}

void sim_workload_terms(zvt_order_request_t *terms)
{
    const zvt_instrument_t *instrument = &sim.fleet->instruments[sim_below(SIM_INSTRUMENTS)];
    memset(terms, 0, sizeof *terms);
    ZVT_STR_SET(terms->symbol, instrument->symbol);
    terms->side = sim_below(100) < 55 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL;
    terms->quantity_e8 = sim_between(1, 30) * instrument->lot_e8 * 10;
    s_draw_kind(terms, instrument);
    if (sim_below(3) == 0) ZVT_STR_SET(terms->venue, sim.fleet->venues[sim_below(SIM_VENUES)].name);
    if (sim_below(5) == 0) terms->expires_at_ns = sim_utc_ns() + sim_between(5, 4000) * ZVT_MS_NS;
    if (sim_below(16) == 0) s_spoil(terms);
}

void sim_workload_probe_terms(zvt_order_request_t *terms)
{
    const zvt_instrument_t *instrument = &sim.fleet->instruments[0];
    memset(terms, 0, sizeof *terms);
    ZVT_STR_SET(terms->symbol, instrument->symbol);
    terms->side = ZVT_SIDE_BUY;
    terms->order_type = ZVT_ORDER_TYPE_MARKET;
    terms->time_in_force = ZVT_TIF_IOC;
    terms->quantity_e8 = instrument->lot_e8 * 10;
}
