#include <criterion/criterion.h>

#include "checks_core.h"
#include "venue_fixture.h"

/* Terms of a good order, changed one at a time. */
static uint8_t s_terms(zvt_order_send_t order, bool open)
{
    const zvt_fleet_t *fleet = fixture_fleet();
    int instrument = zvt_fleet_instrument(fleet, order.symbol);
    check_t check = {.order = &order, .instrument = instrument < 0 ? NULL : &fleet->instruments[instrument],
                     .fee_e8 = E8(0.0005), .open = open, .closed_message = "closed for lunch"};
    uint8_t code = checks_core_terms(&check);
    cr_assert_eq(code == ZVT_CODE_OK, check.message[0] == '\0', "a refusal explains itself");
    return code;
}

static zvt_order_send_t s_limit(void) { return fixture_order("a", ZVT_SIDE_BUY, 1, 100); }
static zvt_order_send_t s_market(void) { return fixture_order("a", ZVT_SIDE_BUY, 1, 0); }

Test(checks_core, accepts_good_orders)
{
    cr_assert_eq(s_terms(s_limit(), true), ZVT_CODE_OK);
    cr_assert_eq(s_terms(s_market(), true), ZVT_CODE_OK);
}

#define REFUSES(order_, change, code_)              \
    do {                                            \
        zvt_order_send_t order = (order_);          \
        change;                                     \
        cr_assert_eq(s_terms(order, true), (code_)); \
    } while (0)

Test(checks_core, refuses_each_wrong_term_with_its_own_code)
{
    REFUSES(s_limit(), ZVT_STR_SET(order.symbol, "DOGE/USDT"), ZVT_CODE_UNKNOWN_SYMBOL);
    REFUSES(s_limit(), order.side = 0, ZVT_CODE_BAD_ORDER);
    REFUSES(s_limit(), order.side = 9, ZVT_CODE_BAD_ORDER);
    REFUSES(s_limit(), order.order_type = 77, ZVT_CODE_BAD_ORDER);
    REFUSES(s_limit(), order.time_in_force = 0, ZVT_CODE_BAD_ORDER);
    REFUSES(s_market(), order.time_in_force = ZVT_TIF_GTC, ZVT_CODE_BAD_ORDER);
    REFUSES(s_market(), order.post_only = true, ZVT_CODE_BAD_ORDER);
    REFUSES(s_limit(), (order.post_only = true, order.time_in_force = ZVT_TIF_IOC), ZVT_CODE_BAD_ORDER);
    REFUSES(s_limit(), order.quantity_e8 = 0, ZVT_CODE_BAD_QUANTITY);
    REFUSES(s_limit(), order.quantity_e8 = INT64_MIN, ZVT_CODE_BAD_QUANTITY);
    REFUSES(s_limit(), order.limit_price_e8 = 0, ZVT_CODE_BAD_PRICE);
    REFUSES(s_limit(), order.limit_price_e8 = INT64_MIN, ZVT_CODE_BAD_PRICE);
    REFUSES(s_market(), order.limit_price_e8 = E8(100), ZVT_CODE_BAD_PRICE);
    REFUSES(s_limit(), order.limit_price_e8 = E8(100.001), ZVT_CODE_PRICE_OFF_TICK);
    REFUSES(s_limit(), order.quantity_e8 = E8(1.0001), ZVT_CODE_QUANTITY_OFF_LOT);
    REFUSES(s_limit(), (order.quantity_e8 = E8(9e10), order.limit_price_e8 = E8(9e10)), ZVT_CODE_NUMBER_OVERFLOW);
    REFUSES(s_limit(), order.quantity_e8 = E8(0.05), ZVT_CODE_MIN_NOTIONAL);
}

Test(checks_core, a_closed_market_is_the_last_thing_said_about_the_terms)
{
    cr_assert_eq(s_terms(s_limit(), false), ZVT_CODE_MARKET_CLOSED);
    zvt_order_send_t order = s_limit();
    order.quantity_e8 = 0;
    cr_assert_eq(s_terms(order, false), ZVT_CODE_BAD_QUANTITY);
}

static uint8_t s_against(zvt_order_send_t order, market_preview_t preview, double base, double quote)
{
    balances_core_t balances = {0};
    check_t check = {.order = &order,
                     .instrument = &fixture_fleet()->instruments[0],
                     .fee_e8 = E8(0.0005),
                     .taker_fee_e8 = E8(0.0005),
                     .balances = &balances,
                     .open = true,
                     .preview = &preview,
                     .slot_free = true};
    check.base_asset = balances_core_asset(&balances, "BTC");
    check.quote_asset = balances_core_asset(&balances, "USDT");
    balances.assets[check.base_asset].total_e8 = E8(base);
    balances.assets[check.quote_asset].total_e8 = E8(quote);
    return checks_core_market(&check);
}

Test(checks_core, funds_must_cover_price_and_fee)
{
    market_preview_t none = {0};
    cr_assert_eq(s_against(s_limit(), none, 0, 100.05), ZVT_CODE_OK);
    cr_assert_eq(s_against(s_limit(), none, 0, 100.04), ZVT_CODE_INSUFFICIENT_BALANCE);
    zvt_order_send_t sell = s_limit();
    sell.side = ZVT_SIDE_SELL;
    cr_assert_eq(s_against(sell, none, 1, 0), ZVT_CODE_OK);
    cr_assert_eq(s_against(sell, none, 0.999, 0), ZVT_CODE_INSUFFICIENT_BALANCE);
    market_preview_t fill = {.quantity_e8 = E8(1), .notional_e8 = E8(200), .fills = 1, .crosses = true};
    cr_assert_eq(s_against(s_market(), fill, 0, 200.1), ZVT_CODE_OK);
    cr_assert_eq(s_against(s_market(), fill, 0, 200.09), ZVT_CODE_INSUFFICIENT_BALANCE);
}

Test(checks_core, a_market_order_is_valued_by_what_it_would_pay)
{
    market_preview_t cheap = {.quantity_e8 = E8(0.5), .notional_e8 = E8(4), .fills = 1, .crosses = true};
    cr_assert_eq(s_against(s_market(), cheap, 0, 1000), ZVT_CODE_MIN_NOTIONAL);
    market_preview_t nothing = {0};
    cr_assert_eq(s_against(s_market(), nothing, 0, 1000), ZVT_CODE_OK, "an empty book is not the order's fault");
}

Test(checks_core, totals_that_would_leave_fixed_point_are_refused)
{
    market_preview_t none = {0};
    cr_assert_eq(s_against(s_limit(), none, 92233720368, 1000), ZVT_CODE_NUMBER_OVERFLOW);
    market_preview_t overflow = {.overflow = true};
    cr_assert_eq(s_against(s_limit(), overflow, 0, 1000), ZVT_CODE_NUMBER_OVERFLOW);
}

Test(checks_core, fees_are_rounded_down)
{
    int64_t fee_e8;
    cr_assert_eq(checks_core_fee(3, E8(0.5), &fee_e8), 0);
    cr_assert_eq(fee_e8, 1);
    cr_assert_eq(checks_core_fee(INT64_MAX, E8(0.1), &fee_e8), 0);
    cr_assert_eq(checks_core_fee(INT64_MAX, E8(2), &fee_e8), ZVT_ERR_OVERFLOW);
}
