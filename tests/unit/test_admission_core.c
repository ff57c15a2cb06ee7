#include <criterion/criterion.h>
#include <stdio.h>

#include "admission_core.h"
#include "zvt_time.h"

static admission_core_t *s_core;
static int64_t s_now_ns;

static void s_setup(void)
{
    s_core = admission_core_new(100);
    s_now_ns = 1000 * ZVT_SECOND_NS;
}

static void s_teardown(void)
{
    admission_core_destroy(&s_core);
}

TestSuite(admission_core, .init = s_setup, .fini = s_teardown);

/* How many of `asked` orders are let in, evenly spread over the time. */
static int s_offer(const char *strategy_id, int asked, int64_t duration_ns)
{
    int taken = 0;
    for (int i = 0; i < asked; i++) {
        s_now_ns += duration_ns / asked;
        taken += admission_core_take(s_core, strategy_id, s_now_ns);
    }
    return taken;
}

Test(admission_core, a_burst_of_one_seconds_orders_passes_and_the_next_is_refused)
{
    cr_assert_eq(s_offer("alice", 100, 0), 100);
    cr_assert_not(admission_core_take(s_core, "alice", s_now_ns));
    cr_assert_eq(admission_core_rate_hz(s_core), 100);
}

Test(admission_core, a_runaway_gets_its_rate_and_no_more)
{
    cr_assert_eq(s_offer("runaway", 100, 0), 100);
    int taken = s_offer("runaway", 100000, 10 * ZVT_SECOND_NS);
    cr_assert(taken >= 999 && taken <= 1000, "%d in ten seconds at 100 a second", taken);
}

Test(admission_core, a_runaway_takes_nothing_from_the_others)
{
    cr_assert_eq(s_offer("runaway", 10000, ZVT_SECOND_NS / 1000), 100);
    cr_assert_eq(s_offer("alice", 100, 0), 100);
}

Test(admission_core, a_full_bucket_is_back_a_second_after_the_runaway_has_stopped)
{
    (void)s_offer("runaway", 100000, ZVT_SECOND_NS);
    s_now_ns += ZVT_SECOND_NS;
    cr_assert_eq(s_offer("runaway", 200, 0), 100);
}

Test(admission_core, a_table_full_of_busy_strategies_refuses_one_more_until_one_is_idle)
{
    char name[ZVT_NAME_SIZE];
    for (int i = 0; i < ADMISSION_STRATEGIES_MAX; i++) {
        snprintf(name, sizeof name, "strategy-%d", i);
        cr_assert(admission_core_take(s_core, name, s_now_ns));
    }
    cr_assert_not(admission_core_take(s_core, "one-more", s_now_ns));
    cr_assert(admission_core_take(s_core, "strategy-0", s_now_ns), "those who are known are served");
    s_now_ns += ZVT_SECOND_NS;
    cr_assert(admission_core_take(s_core, "one-more", s_now_ns));
}

Test(admission_core, a_rate_of_a_million_is_possible)
{
    admission_core_destroy(&s_core);
    s_core = admission_core_new(1000000);
    cr_assert_eq(s_offer("bench", 1000000, 0), 1000000);
    cr_assert_not(admission_core_take(s_core, "bench", s_now_ns));
}
