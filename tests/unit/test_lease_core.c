#include <criterion/criterion.h>

#include "lease_core.h"
#include "zvt_time.h"

#define SECOND ZVT_SECOND_NS

static const lease_rules_t s_alone = {.takeover_ns = 2 * SECOND};
static const lease_rules_t s_first = {.takeover_ns = 2 * SECOND, .waits = true};
static const lease_rules_t s_second = {.takeover_ns = 2 * SECOND, .waits = true, .second = true};

static lease_core_t s_core;

static void s_begin(const lease_rules_t *rules, uint64_t own_epoch)
{
    lease_core_init(&s_core, rules);
    lease_core_begin(&s_core, own_epoch);
}

static lease_verdict_t s_look(uint64_t epoch, bool lives, int64_t heartbeat_us)
{
    lease_look_t look = {.exists = true, .epoch = epoch, .backend_lives = lives, .heartbeat_us = heartbeat_us};
    return lease_core_on_look(&s_core, &look);
}

static lease_verdict_t s_look_at_nothing(void)
{
    lease_look_t look = {.exists = false};
    return lease_core_on_look(&s_core, &look);
}

/* Looks until the verdict is not to wait, and says how long that took. */
static int64_t s_waited(uint64_t epoch, bool lives, lease_verdict_t *verdict)
{
    int64_t looks = 0;
    while ((*verdict = s_look(epoch, lives, 1)) == LEASE_WAIT && looks < 1000) looks++;
    return looks * lease_core_look_ns(&s_core);
}

Test(lease_core, is_patient_where_nobody_waits_to_take_over)
{
    cr_assert_eq(lease_core_rules(true, false, 700).takeover_ns, 700 * ZVT_MS_NS);
    cr_assert_eq(lease_core_rules(false, false, 700).takeover_ns, 10 * SECOND);
}

Test(lease_core, a_lease_that_nobody_ever_held_is_taken)
{
    s_begin(&s_alone, 0);
    cr_assert_eq(s_look_at_nothing(), LEASE_TAKE);
    s_begin(&s_first, 0);
    cr_assert_eq(s_look_at_nothing(), LEASE_TAKE);
}

Test(lease_core, a_standby_leaves_the_first_lease_to_the_other)
{
    s_begin(&s_second, 0);
    cr_assert_eq(s_look_at_nothing(), LEASE_WAIT);
    cr_assert_eq(s_look(1, true, 1), LEASE_WAIT, "it has come");
}

Test(lease_core, the_lease_of_a_dead_process_is_taken_at_once)
{
    s_begin(&s_alone, 0);
    cr_assert_eq(s_look(4, false, 1), LEASE_TAKE);
}

Test(lease_core, the_own_lease_is_taken_again_at_once_although_the_old_connection_is_still_there)
{
    s_begin(&s_first, 4);
    cr_assert_eq(s_look(4, true, 1), LEASE_TAKE);
}

Test(lease_core, alone_it_leaves_as_soon_as_the_holder_shows_life)
{
    s_begin(&s_alone, 0);
    cr_assert_eq(s_look(4, true, 1), LEASE_WAIT, "one look cannot tell");
    cr_assert_eq(s_look(4, true, 1), LEASE_WAIT);
    cr_assert_eq(s_look(4, true, 2), LEASE_LEAVE);
}

Test(lease_core, of_two_it_waits_while_the_holder_shows_life)
{
    s_begin(&s_first, 0);
    for (int64_t i = 1; i < 100; i++) cr_assert_eq(s_look(4, true, i), LEASE_WAIT);
}

Test(lease_core, a_heartbeat_that_stands_still_is_waited_for_as_long_as_the_rules_say)
{
    static const lease_rules_t *const rules[] = {&s_alone, &s_first, &s_second};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        lease_verdict_t verdict;
        s_begin(rules[i], 0);
        int64_t waited_ns = s_waited(4, true, &verdict);
        cr_assert_eq(verdict, LEASE_TAKE, "rules %zu", i);
        cr_assert_geq(waited_ns, 2 * SECOND);
        cr_assert_leq(waited_ns, 2 * SECOND + lease_core_look_ns(&s_core));
    }
}

Test(lease_core, life_begins_the_wait_anew)
{
    lease_verdict_t verdict;
    s_begin(&s_first, 0);
    for (int i = 0; i < 19; i++) cr_assert_eq(s_look(4, true, 7), LEASE_WAIT);
    cr_assert_eq(s_look(4, true, 8), LEASE_WAIT);
    cr_assert_geq(s_waited(4, true, &verdict), SECOND);
}

Test(lease_core, a_standby_that_saw_the_holder_alive_takes_over_when_its_connection_is_gone)
{
    s_begin(&s_second, 0);
    cr_assert_eq(s_look(4, true, 1), LEASE_WAIT);
    cr_assert_eq(s_look(4, false, 1), LEASE_TAKE);
}

Test(lease_core, after_a_restart_of_the_database_a_standby_lets_the_holder_come_back)
{
    lease_verdict_t verdict;
    s_begin(&s_second, 0);
    cr_assert_eq(s_look(4, true, 1), LEASE_WAIT);
    lease_core_begin(&s_core, 0);
    cr_assert_eq(s_look(4, false, 1), LEASE_WAIT, "nobody was seen on this connection");
    cr_assert_eq(s_look(5, true, 2), LEASE_WAIT, "it is back");
    lease_core_begin(&s_core, 0);
    cr_assert_geq(s_waited(5, false, &verdict), 2 * SECOND - lease_core_look_ns(&s_core));
    cr_assert_eq(verdict, LEASE_TAKE, "it is not");
}

Test(lease_core, so_does_the_first_one_once_it_has_waited_for_the_other)
{
    s_begin(&s_first, 0);
    cr_assert_eq(s_look(4, true, 1), LEASE_WAIT);
    cr_assert_eq(s_look(4, true, 2), LEASE_WAIT);
    lease_core_begin(&s_core, 0);
    cr_assert_eq(s_look(4, false, 2), LEASE_WAIT);
}

Test(lease_core, who_was_replaced_leaves)
{
    s_begin(&s_first, 4);
    cr_assert_eq(s_look(5, true, 1), LEASE_LEAVE);
    s_begin(&s_alone, 4);
    cr_assert_eq(s_look(5, true, 1), LEASE_LEAVE);
}

Test(lease_core, who_was_replaced_leaves_although_the_other_is_dead_because_its_endpoints_are_gone)
{
    static const lease_rules_t *const rules[] = {&s_alone, &s_first, &s_second};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        s_begin(rules[i], 4);
        cr_assert_eq(s_look(5, false, 1), LEASE_LEAVE, "rules %zu", i);
    }
}

Test(lease_core, its_next_run_takes_what_the_dead_one_left)
{
    lease_verdict_t verdict;
    s_begin(&s_first, 0);
    cr_assert_eq(s_look(5, false, 1), LEASE_TAKE);
    s_begin(&s_second, 0);
    cr_assert_leq(s_waited(5, false, &verdict), 2 * SECOND);
    cr_assert_eq(verdict, LEASE_TAKE, "the standby gives the other time to come first");
}

Test(lease_core, a_log_with_an_older_epoch_than_ours_is_another_log_and_taken_by_the_same_rules)
{
    s_begin(&s_alone, 9);
    cr_assert_eq(s_look(3, false, 1), LEASE_TAKE);
    s_begin(&s_alone, 9);
    cr_assert_eq(s_look(3, true, 1), LEASE_WAIT);
    cr_assert_eq(s_look(3, true, 2), LEASE_LEAVE);
}

Test(lease_core, beats_several_times_before_others_lose_patience_and_four_times_a_second_at_least)
{
    static const int64_t takeovers_ms[] = {200, 1000, 2000, 60000};
    for (size_t i = 0; i < sizeof takeovers_ms / sizeof takeovers_ms[0]; i++) {
        lease_rules_t rules = {.takeover_ns = takeovers_ms[i] * ZVT_MS_NS};
        cr_assert_leq(lease_core_heartbeat_ns(&rules), SECOND / 4);
        cr_assert_leq(4 * lease_core_heartbeat_ns(&rules), rules.takeover_ns);
        lease_core_init(&s_core, &rules);
        cr_assert_leq(10 * lease_core_look_ns(&s_core), rules.takeover_ns);
        cr_assert_leq(lease_core_look_ns(&s_core), SECOND / 10);
    }
}
