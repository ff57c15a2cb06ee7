#include <criterion/criterion.h>

#include "checkpoint_pace.h"
#include "zvt_time.h"

#define S ZVT_SECOND_NS
#define MIB ((size_t)1 << 20)

Test(checkpoint_pace, a_small_one_is_written_as_soon_as_there_is_news_enough)
{
    cr_assert(checkpoint_pace_is_due(10000, 100000, 2 * S));
    cr_assert_not(checkpoint_pace_is_due(9999, 100000, 2 * S));
    cr_assert_not(checkpoint_pace_is_due(10000, 100000, 2 * S - 1));
}

Test(checkpoint_pace, a_large_one_waits_until_it_is_worth_its_bytes)
{
    cr_assert_not(checkpoint_pace_is_due(200000, 9 * MIB, 9 * S));
    cr_assert(checkpoint_pace_is_due(9 * MIB / 40, 9 * MIB, 2 * S));
}

Test(checkpoint_pace, a_long_tail_is_cut_after_a_while_whatever_the_size)
{
    cr_assert(checkpoint_pace_is_due(50000, 9 * MIB, 10 * S));
    cr_assert_not(checkpoint_pace_is_due(50000, 9 * MIB, 10 * S - 1));
    cr_assert_not(checkpoint_pace_is_due(49999, 9 * MIB, 10 * S));
}

Test(checkpoint_pace, little_news_is_stored_the_later_the_larger_it_is)
{
    cr_assert(checkpoint_pace_is_due(1, 1000, 30 * S));
    cr_assert_not(checkpoint_pace_is_due(1, 9 * MIB, 300 * S - 1));
    cr_assert(checkpoint_pace_is_due(1, 9 * MIB, 300 * S));
    cr_assert_not(checkpoint_pace_is_due(0, 1000, 3000 * S));
}
