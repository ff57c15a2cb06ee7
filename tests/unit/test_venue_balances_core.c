#include "balances_core.h"
#include "venue_fixture.h"

Test(balances_core, assets_are_found_again_and_bounded)
{
    static balances_core_t balances;
    char name[ZVT_ASSET_SIZE];
    for (uint32_t i = 0; i < BALANCES_ASSETS_MAX; i++) {
        snprintf(name, sizeof name, "A%u", i);
        cr_assert_eq(balances_core_asset(&balances, name), i);
    }
    cr_assert_eq(balances_core_asset(&balances, "A7"), 7);
    cr_assert_eq(balances_core_asset(&balances, "ONE MORE"), BALANCES_ASSETS_MAX);
}

Test(balances_core, what_is_held_is_not_available)
{
    static balances_core_t balances;
    balance_hold_t hold = {.pay_asset = balances_core_asset(&balances, "USDT"),
                           .get_asset = balances_core_asset(&balances, "BTC")};
    cr_assert_eq(balances_core_add(&balances, hold.pay_asset, E8(100)), 0);
    cr_assert_eq(balances_core_hold(&balances, &hold, E8(60), E8(1)), 0);
    cr_assert_eq(balances_core_available(&balances, hold.pay_asset), E8(40));
    cr_assert_eq(balances.assets[hold.get_asset].incoming_e8, E8(1));
    cr_assert_eq(balances_core_hold(&balances, &hold, E8(20), E8(0.5)), 0);
    cr_assert_eq(balances_core_available(&balances, hold.pay_asset), E8(80));
    cr_assert_eq(balances_core_hold(&balances, &hold, 0, 0), 0);
    cr_assert_eq(balances_core_available(&balances, hold.pay_asset), E8(100));
    cr_assert_eq(balances.assets[hold.get_asset].incoming_e8, 0);
}

Test(balances_core, totals_never_leave_fixed_point)
{
    static balances_core_t balances;
    uint32_t asset = balances_core_asset(&balances, "USDT");
    cr_assert_eq(balances_core_add(&balances, asset, INT64_MAX), 0);
    cr_assert(balances_core_has_room(&balances, asset, 0));
    cr_assert(!balances_core_has_room(&balances, asset, 1));
    cr_assert_eq(balances_core_add(&balances, asset, 1), ZVT_ERR_OVERFLOW);
    cr_assert_eq(balances.assets[asset].total_e8, INT64_MAX);
}
