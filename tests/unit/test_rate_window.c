#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "rate_window.h"
#include "zvt_time.h"

#define MS ZVT_MS_NS

static rate_window_t *s_rates;

static void s_setup(void)
{
    s_rates = rate_window_new();
}

static void s_teardown(void)
{
    rate_window_destroy(&s_rates);
}

TestSuite(rate_window, .init = s_setup, .fini = s_teardown);

static int s_add(const char *name, int64_t now_ns)
{
    char strategy_id[ZVT_NAME_SIZE] = "";
    ZVT_STR_SET(strategy_id, name);
    return rate_window_add(s_rates, strategy_id, now_ns);
}

static uint32_t s_count(const char *name, int64_t now_ns)
{
    char strategy_id[ZVT_NAME_SIZE] = "";
    ZVT_STR_SET(strategy_id, name);
    return rate_window_count(s_rates, strategy_id, now_ns);
}

Test(rate_window, counts_each_strategy_for_itself)
{
    cr_assert_eq(s_count("a", 0), 0);
    cr_assert_eq(s_add("a", 0), 0);
    cr_assert_eq(s_add("a", 5 * MS), 0);
    cr_assert_eq(s_add("b", 5 * MS), 0);
    cr_assert_eq(s_count("a", 5 * MS), 2);
    cr_assert_eq(s_count("b", 5 * MS), 1);
}

Test(rate_window, still_counts_an_order_a_second_later_and_forgets_it_a_slot_after)
{
    cr_assert_eq(s_add("a", 5 * MS), 0);
    cr_assert_eq(s_count("a", 1005 * MS), 1, "never less than a whole second");
    cr_assert_eq(s_count("a", 1020 * MS), 0);
}

Test(rate_window, slides_order_by_order)
{
    for (int i = 0; i < 10; i++) cr_assert_eq(s_add("a", i * 100 * MS), 0);
    cr_assert_eq(s_count("a", 999 * MS), 10);
    cr_assert_eq(s_count("a", 1050 * MS), 9);
    cr_assert_eq(s_count("a", 1550 * MS), 4);
    cr_assert_eq(s_count("a", 60000 * MS), 0);
}

Test(rate_window, gives_the_place_of_an_idle_strategy_to_a_new_one)
{
    char name[ZVT_NAME_SIZE];
    for (int i = 0; i < RATE_STRATEGIES_MAX; i++) {
        snprintf(name, sizeof name, "s%d", i);
        cr_assert_eq(s_add(name, 0), 0);
    }
    cr_assert_eq(s_add("one-more", 0), ZVT_ERR_FULL);
    cr_assert_eq(s_add("s7", 2000 * MS), 0);
    for (int i = 0; i < RATE_STRATEGIES_MAX - 1; i++) {
        snprintf(name, sizeof name, "t%d", i);
        cr_assert_eq(s_add(name, 2000 * MS), 0);
    }
    cr_assert_eq(s_count("s7", 2000 * MS), 1, "a busy one keeps its place");
    cr_assert_eq(s_add("one-more", 2000 * MS), ZVT_ERR_FULL);
}
