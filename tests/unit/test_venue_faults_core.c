#include <criterion/criterion.h>

#include "faults_core.h"
#include "zvt_fixed.h"

enum { DRAWS = 200000 };

static void s_count(const zvt_venue_faults_t *shares, uint64_t start, unsigned counts[FAULT_KINDS])
{
    faults_core_t core;
    faults_core_init(&core, shares, start);
    for (unsigned n = 0; n < DRAWS; n++) counts[faults_core_draw(&core)]++;
}

Test(faults_core, nothing_goes_astray_without_shares)
{
    zvt_venue_faults_t shares = {.late_ms = 500, .seed = 7};
    unsigned counts[FAULT_KINDS] = {0};
    faults_core_t core;
    faults_core_init(&core, &shares, 1);
    cr_assert(!faults_core_is_on(&core));
    s_count(&shares, 1, counts);
    cr_assert_eq(counts[FAULT_NONE], DRAWS);
}

Test(faults_core, every_kind_has_its_share)
{
    zvt_venue_faults_t shares = {.lose_e8 = ZVT_E8 / 10, .late_e8 = ZVT_E8 / 5, .duplicate_e8 = ZVT_E8 / 20, .seed = 1};
    unsigned counts[FAULT_KINDS] = {0};
    s_count(&shares, 0, counts);
    cr_assert_float_eq(counts[FAULT_LOSE] / (double)DRAWS, 0.1, 0.005);
    cr_assert_float_eq(counts[FAULT_LATE] / (double)DRAWS, 0.2, 0.005);
    cr_assert_float_eq(counts[FAULT_DUPLICATE] / (double)DRAWS, 0.05, 0.005);
}

Test(faults_core, a_share_of_one_leaves_nothing_whole)
{
    zvt_venue_faults_t shares = {.lose_e8 = ZVT_E8, .seed = 3};
    unsigned counts[FAULT_KINDS] = {0};
    s_count(&shares, 9, counts);
    cr_assert_eq(counts[FAULT_LOSE], DRAWS);
}

Test(faults_core, the_same_seed_and_start_draw_the_same_and_others_do_not)
{
    zvt_venue_faults_t shares = {.lose_e8 = ZVT_E8 / 3, .late_e8 = ZVT_E8 / 3, .seed = 42};
    faults_core_t first, same, later;
    faults_core_init(&first, &shares, 5);
    faults_core_init(&same, &shares, 5);
    faults_core_init(&later, &shares, 6);
    unsigned differences = 0;
    for (unsigned n = 0; n < 1000; n++) {
        fault_kind_t drawn = faults_core_draw(&first);
        cr_assert_eq(drawn, faults_core_draw(&same));
        differences += drawn != faults_core_draw(&later);
    }
    cr_assert_gt(differences, 300u);
}
