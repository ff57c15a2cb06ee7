#include "position_core.h"

#include "log_fixture.h"
#include "zvt_id.h"

/* Applies a fill and expects it to work. */
static position_result_t s_apply(position_t *position, int64_t quantity_e8, int64_t price_e8, int64_t commission_e8)
{
    position_fill_t fill = {.quantity_e8 = quantity_e8, .price_e8 = price_e8, .commission_e8 = commission_e8};
    position_result_t result;
    cr_assert_eq(position_core_apply(position, &fill, &result), 0);
    *position = result.after;
    return result;
}

typedef struct {
    const char *name;
    double quantity, avg_price;          /* before */
    double fill_quantity, fill_price;
    double new_quantity, new_avg_price, realized;
} case_t;

static const case_t s_cases[] = {
    {"opens a long", 0, 0, 2, 100, 2, 100, 0},
    {"opens a short", 0, 0, -2, 100, -2, 100, 0},
    {"averages into a long", 2, 100, 2, 110, 4, 105, 0},
    {"averages into a short", -2, 100, -6, 120, -8, 115, 0},
    {"reduces a long with a gain", 4, 105, -1, 110, 3, 105, 5},
    {"reduces a long with a loss", 4, 105, -1, 100, 3, 105, -5},
    {"reduces a short with a gain", -4, 105, 1, 100, -3, 105, 5},
    {"reduces a short with a loss", -4, 105, 1, 110, -3, 105, -5},
    {"closes a long", 4, 105, -4, 110, 0, 0, 20},
    {"closes a short", -4, 105, 4, 110, 0, 0, -20},
    {"flips a long to a short", 4, 105, -6, 110, -2, 110, 20},
    {"flips a short to a long", -4, 105, 6, 100, 2, 100, 20},
};

Test(position_core, does_to_a_position_what_the_average_cost_method_says)
{
    for (size_t i = 0; i < sizeof s_cases / sizeof s_cases[0]; i++) {
        const case_t *c = &s_cases[i];
        position_t position = {.quantity_e8 = E8(c->quantity), .avg_price_e8 = E8(c->avg_price), .realized_pnl_e8 = E8(7)};
        position_result_t result = s_apply(&position, E8(c->fill_quantity), E8(c->fill_price), E8(0.5));
        cr_assert_eq(position.quantity_e8, E8(c->new_quantity), "%s", c->name);
        cr_assert_eq(position.avg_price_e8, E8(c->new_avg_price), "%s", c->name);
        cr_assert_eq(result.realized_pnl_e8, E8(c->realized), "%s", c->name);
        cr_assert_eq(position.realized_pnl_e8, E8(7 + c->realized), "%s", c->name);
        cr_assert_eq(position.commission_e8, E8(0.5), "%s", c->name);
    }
}

Test(position_core, rounds_the_average_half_away_from_zero)
{
    position_t position = {0};
    s_apply(&position, 1, 1, 0);
    s_apply(&position, 1, 2, 0);
    cr_assert_eq(position.avg_price_e8, 2, "1.5 units of 1e-8 become 2");
    s_apply(&position, 2, 1, 0);
    cr_assert_eq(position.avg_price_e8, 2, "(2*2 + 2*1) / 4 = 1.5 again");
    s_apply(&position, 5, 1, 0);
    cr_assert_eq(position.avg_price_e8, 1, "(4*2 + 5*1) / 9 = 1.44");
}

Test(position_core, takes_rebates_off_the_commission)
{
    position_t position = {0};
    s_apply(&position, E8(1), E8(10), E8(3));
    s_apply(&position, E8(1), E8(10), E8(-5));
    cr_assert_eq(position.commission_e8, E8(-2));
}

Test(position_core, refuses_fills_that_mean_nothing)
{
    position_t position = {0};
    position_result_t result;
    const position_fill_t fills[] = {{.quantity_e8 = 0, .price_e8 = 1},
                                     {.quantity_e8 = 1, .price_e8 = 0},
                                     {.quantity_e8 = 1, .price_e8 = -1},
                                     {.quantity_e8 = INT64_MIN, .price_e8 = 1}};
    for (size_t i = 0; i < sizeof fills / sizeof fills[0]; i++)
        cr_assert_eq(position_core_apply(&position, &fills[i], &result), ZVT_ERR_INVALID, "%zu", i);
}

Test(position_core, refuses_numbers_that_do_not_fit_and_leaves_the_result_alone)
{
    position_result_t result = {.after = {.quantity_e8 = 42}};
    position_t position = {.quantity_e8 = INT64_MAX, .avg_price_e8 = 1};
    position_fill_t fill = {.quantity_e8 = 1, .price_e8 = 1};
    cr_assert_eq(position_core_apply(&position, &fill, &result), ZVT_ERR_OVERFLOW);
    fill = (position_fill_t){.quantity_e8 = -INT64_MAX, .price_e8 = INT64_MAX};
    cr_assert_eq(position_core_apply(&position, &fill, &result), ZVT_ERR_OVERFLOW, "realized");
    position = (position_t){.commission_e8 = INT64_MAX};
    fill = (position_fill_t){.quantity_e8 = 1, .price_e8 = 1, .commission_e8 = 1};
    cr_assert_eq(position_core_apply(&position, &fill, &result), ZVT_ERR_OVERFLOW, "commission");
    position = (position_t){.quantity_e8 = -INT64_MAX, .avg_price_e8 = 1};
    fill = (position_fill_t){.quantity_e8 = -1, .price_e8 = 1};
    cr_assert_eq(position_core_apply(&position, &fill, &result), ZVT_ERR_OVERFLOW, "a magnitude that has no positive twin");
    cr_assert_eq(result.after.quantity_e8, 42);
}

Test(position_core, averages_the_largest_numbers_exactly)
{
    position_t position = {.quantity_e8 = INT64_MAX / 2, .avg_price_e8 = INT64_MAX};
    s_apply(&position, INT64_MAX / 2, INT64_MAX, 0);
    cr_assert_eq(position.avg_price_e8, INT64_MAX);
}

Test(position_core, values_a_position_at_a_price)
{
    position_t position = {.quantity_e8 = E8(-2), .avg_price_e8 = E8(100)};
    cr_assert_eq(position_core_unrealized_pnl(&position, E8(90)), E8(20));
    cr_assert_eq(position_core_market_value(&position, E8(90)), E8(-180));
    position = (position_t){0};
    cr_assert_eq(position_core_unrealized_pnl(&position, E8(90)), 0);
    position = (position_t){.quantity_e8 = INT64_MAX, .avg_price_e8 = E8(100)};
    cr_assert_eq(position_core_unrealized_pnl(&position, INT64_MAX), INT64_MAX, "bounded, not wrapped");
    cr_assert_eq(position_core_market_value(&position, -INT64_MAX), -INT64_MAX);
}

/* ---- properties ---- */
enum { ROUNDS = 20000, FILLS_MAX = 40 };

static int64_t s_random_between(zvt_rng_t *rng, int64_t low, int64_t high)
{
    return low + (int64_t)zvt_rng_below(rng, (uint64_t)(high - low + 1));
}

Test(position_core, is_flat_after_everything_bought_is_sold)
{
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 1);
    for (int round = 0; round < ROUNDS; round++) {
        position_t position = {0};
        int64_t quantity_e8 = s_random_between(&rng, 1, 1000 * ZVT_E8), left_e8 = quantity_e8, sum_e8 = 0;
        int64_t buy_e8 = s_random_between(&rng, 1, 100000 * ZVT_E8);
        s_apply(&position, quantity_e8, buy_e8, 0);
        while (left_e8 > 0) {
            int64_t part_e8 = s_random_between(&rng, 1, left_e8);
            int64_t sell_e8 = s_random_between(&rng, 1, 100000 * ZVT_E8), exact_e8;
            cr_assert_eq(zvt_fixed_mul(sell_e8 - buy_e8, part_e8, &exact_e8), 0);
            cr_assert_eq(s_apply(&position, -part_e8, sell_e8, 0).realized_pnl_e8, exact_e8);
            sum_e8 += exact_e8;
            left_e8 -= part_e8;
        }
        cr_assert_eq(position.quantity_e8, 0);
        cr_assert_eq(position.avg_price_e8, 0);
        cr_assert_eq(position.realized_pnl_e8, sum_e8);
    }
}

Test(position_core, treats_short_as_the_mirror_image_of_long)
{
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 2);
    for (int round = 0; round < ROUNDS; round++) {
        position_t position = {0}, mirror = {0};
        for (int i = 0; i < FILLS_MAX; i++) {
            int64_t quantity_e8 = s_random_between(&rng, -50, 50) * ZVT_E8 / 7;
            int64_t price_e8 = s_random_between(&rng, 1, 1000 * ZVT_E8);
            if (quantity_e8 == 0) continue;
            int64_t realized_e8 = s_apply(&position, quantity_e8, price_e8, 0).realized_pnl_e8;
            cr_assert_eq(s_apply(&mirror, -quantity_e8, price_e8, 0).realized_pnl_e8, -realized_e8);
            cr_assert_eq(mirror.quantity_e8, -position.quantity_e8);
            cr_assert_eq(mirror.avg_price_e8, position.avg_price_e8);
        }
    }
}

/* The oracle knows cash only: what was paid and received. Realized plus what the position cost must equal it, to within the
 * stated rounding: half a unit of 1e-8 per closing fill, and half a unit of the price times the quantity per opening one. */
Test(position_core, agrees_with_the_cash_that_changed_hands)
{
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 3);
    for (int round = 0; round < ROUNDS; round++) {
        position_t position = {0};
        __int128 cash = 0, allowed = 0; /* units of 1e-16 */
        for (int i = 0; i < FILLS_MAX; i++) {
            int64_t quantity_e8 = s_random_between(&rng, -100 * ZVT_E8, 100 * ZVT_E8);
            int64_t price_e8 = s_random_between(&rng, 1, 70000 * ZVT_E8);
            if (quantity_e8 == 0) continue;
            s_apply(&position, quantity_e8, price_e8, 0);
            cash -= (__int128)quantity_e8 * price_e8;
            allowed += ZVT_E8 / 2 + (position.quantity_e8 < 0 ? -position.quantity_e8 : position.quantity_e8) / 2 + 1;
            __int128 booked = (__int128)position.realized_pnl_e8 * ZVT_E8 - (__int128)position.quantity_e8 * position.avg_price_e8;
            __int128 off = booked > cash ? booked - cash : cash - booked;
            cr_assert(off <= allowed, "round %d, fill %d", round, i);
        }
    }
}

/* An independent implementation in floating point, in other steps. */
Test(position_core, agrees_with_a_floating_point_oracle)
{
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 4);
    for (int round = 0; round < ROUNDS; round++) {
        position_t position = {0};
        long double quantity = 0, cost = 0, realized = 0;
        for (int i = 0; i < FILLS_MAX; i++) {
            int64_t quantity_e8 = s_random_between(&rng, -100 * ZVT_E8, 100 * ZVT_E8);
            int64_t price_e8 = s_random_between(&rng, ZVT_E8, 1000 * ZVT_E8);
            if (quantity_e8 == 0) continue;
            s_apply(&position, quantity_e8, price_e8, 0);
            long double moved = quantity_e8 / 1e8L, price = price_e8 / 1e8L;
            if (quantity * moved < 0) {
                bool through = (moved < 0 ? -moved : moved) > (quantity < 0 ? -quantity : quantity);
                long double closed = through ? -quantity : moved;
                realized += -closed * price - cost * (-closed / quantity);
                cost += cost * (closed / quantity);
                quantity += closed;
                moved -= closed;
                if (through) quantity = cost = 0;
            }
            quantity += moved;
            cost += moved * price;
            cr_assert_float_eq((double)(position.realized_pnl_e8 / 1e8L), (double)realized, 1e-4);
            if (position.quantity_e8 > ZVT_E8 || position.quantity_e8 < -ZVT_E8)
                cr_assert_float_eq((double)(position.avg_price_e8 / 1e8L), (double)(cost / quantity), 1e-5);
        }
    }
}
