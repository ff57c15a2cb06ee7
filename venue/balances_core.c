#include "balances_core.h"

#include <string.h>

#include "zvt_fixed.h"

uint32_t balances_core_asset(balances_core_t *self, const char *name)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (strcmp(self->assets[i].name, name) == 0) return i;
    if (self->count == BALANCES_ASSETS_MAX) return BALANCES_ASSETS_MAX;
    ZVT_STR_SET(self->assets[self->count].name, name);
    return self->count++;
}

int64_t balances_core_available(const balances_core_t *self, uint32_t asset)
{
    int64_t available_e8;
    if (zvt_fixed_sub(self->assets[asset].total_e8, self->assets[asset].reserved_e8, &available_e8) != 0) return 0;
    return available_e8 > 0 ? available_e8 : 0;
}

bool balances_core_has_room(const balances_core_t *self, uint32_t asset, int64_t more_e8)
{
    int64_t sum_e8;
    const balance_t *balance = &self->assets[asset];
    return zvt_fixed_add(balance->total_e8, balance->incoming_e8, &sum_e8) == 0 && zvt_fixed_add(sum_e8, more_e8, &sum_e8) == 0;
}

int balances_core_add(balances_core_t *self, uint32_t asset, int64_t change_e8)
{
    int64_t total_e8;
    if (zvt_fixed_add(self->assets[asset].total_e8, change_e8, &total_e8) != 0) return ZVT_ERR_OVERFLOW;
    self->assets[asset].total_e8 = total_e8;
    return 0;
}

/* Moves a sum from one held amount to another. */
static int s_rehold(int64_t *sum_e8, int64_t old_e8, int64_t new_e8)
{
    int status = zvt_fixed_sub(*sum_e8, old_e8, sum_e8);
    return status != 0 ? status : zvt_fixed_add(*sum_e8, new_e8, sum_e8);
}

int balances_core_hold(balances_core_t *self, balance_hold_t *hold, int64_t reserved_e8, int64_t incoming_e8)
{
    int status = s_rehold(&self->assets[hold->pay_asset].reserved_e8, hold->reserved_e8, reserved_e8);
    if (status == 0) status = s_rehold(&self->assets[hold->get_asset].incoming_e8, hold->incoming_e8, incoming_e8);
    hold->reserved_e8 = reserved_e8;
    hold->incoming_e8 = incoming_e8;
    return status;
}
