#include <criterion/criterion.h>

#include "limit_core.h"
#include "zvt_time.h"

Test(limit_core, is_never_met_when_there_is_none)
{
    limit_core_t *limit = limit_core_new(0);
    cr_assert_null(limit);
    for (int i = 0; i < 100; i++) cr_assert(limit_core_take(limit, 0));
}

Test(limit_core, takes_as_many_as_it_says_in_any_second)
{
    limit_core_t *limit = limit_core_new(3);
    cr_assert(limit_core_take(limit, 0));
    cr_assert(limit_core_take(limit, 400 * ZVT_MS_NS));
    cr_assert(limit_core_take(limit, 800 * ZVT_MS_NS));
    cr_assert_not(limit_core_take(limit, 999 * ZVT_MS_NS), "the fourth in the second from 0");
    cr_assert(limit_core_take(limit, 1000 * ZVT_MS_NS));
    cr_assert_not(limit_core_take(limit, 1300 * ZVT_MS_NS), "the fourth in the second from 400 ms");
    cr_assert(limit_core_take(limit, 1400 * ZVT_MS_NS));
    limit_core_destroy(&limit);
    cr_assert_null(limit);
}

Test(limit_core, does_not_count_what_it_refuses)
{
    limit_core_t *limit = limit_core_new(1);
    cr_assert(limit_core_take(limit, 0));
    for (int ms = 1; ms < 1000; ms += 100) cr_assert_not(limit_core_take(limit, ms * ZVT_MS_NS));
    cr_assert(limit_core_take(limit, ZVT_SECOND_NS));
    limit_core_destroy(&limit);
}
