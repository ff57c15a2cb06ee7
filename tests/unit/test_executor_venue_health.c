#include <criterion/criterion.h>

#include "venue_health.h"
#include "zvt_fixed.h"

#define MS ZVT_MS_NS

Test(venue_health, takes_the_first_latency_as_it_is_and_then_an_eighth_of_each)
{
    venue_health_t health = {0};
    cr_assert_eq(venue_health_latency_ns(&health), 0);
    venue_health_on_answer(&health, 8 * MS, false, 0);
    cr_assert_eq(venue_health_latency_ns(&health), 8 * MS);
    venue_health_on_answer(&health, 16 * MS, false, 0);
    cr_assert_eq(venue_health_latency_ns(&health), 9 * MS);
}

Test(venue_health, does_not_take_a_quick_refusal_for_speed)
{
    venue_health_t health = {0};
    venue_health_on_answer(&health, 8 * MS, false, 0);
    venue_health_on_answer(&health, 0, true, 0);
    cr_assert_eq(venue_health_latency_ns(&health), 8 * MS);
    cr_assert_eq(venue_health_failure_rate_e8(&health, 0), ZVT_E8 / 8);
}

Test(venue_health, raises_the_failure_rate_with_silence_and_lowers_it_with_answers)
{
    venue_health_t health = {0};
    for (int i = 0; i < 100; i++) venue_health_on_silence(&health, 0);
    cr_assert_gt(venue_health_failure_rate_e8(&health, 0), ZVT_E8 * 99 / 100);
    cr_assert_leq(venue_health_failure_rate_e8(&health, 0), ZVT_E8);
    for (int i = 0; i < 100; i++) venue_health_on_answer(&health, MS, false, 0);
    cr_assert_lt(venue_health_failure_rate_e8(&health, 0), ZVT_E8 / 100);
}

Test(venue_health, forgets_failures_by_half_in_every_half_life)
{
    venue_health_t health = {0};
    venue_health_on_silence(&health, 0);
    int64_t rate_e8 = venue_health_failure_rate_e8(&health, 0);
    cr_assert_eq(venue_health_failure_rate_e8(&health, VENUE_HEALTH_HALF_LIFE_NS), rate_e8 / 2);
    cr_assert_eq(venue_health_failure_rate_e8(&health, 2 * VENUE_HEALTH_HALF_LIFE_NS), rate_e8 / 4);
    cr_assert_eq(venue_health_failure_rate_e8(&health, INT64_MAX), 0);
}

Test(venue_health, never_rises_by_waiting)
{
    venue_health_t health = {0};
    for (int i = 0; i < 20; i++) venue_health_on_silence(&health, 0);
    int64_t last_e8 = venue_health_failure_rate_e8(&health, 0);
    for (int64_t t = 0; t < 5 * VENUE_HEALTH_HALF_LIFE_NS; t += 777 * MS) {
        int64_t rate_e8 = venue_health_failure_rate_e8(&health, t);
        cr_assert_leq(rate_e8, last_e8);
        last_e8 = rate_e8;
    }
}
