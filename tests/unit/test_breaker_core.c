#include <criterion/criterion.h>

#include "breaker_core.h"
#include "zvt_fixed.h"

#define MS ZVT_MS_NS
#define START (100 * ZVT_SECOND_NS)

static breaker_t s_breaker;

static void s_setup(void)
{
    breaker_core_init(&s_breaker);
    cr_assert_not(breaker_core_on_connected(&s_breaker, START), "a venue that begins has not come back");
}

TestSuite(breaker_core, .init = s_setup);

static void s_fail(int times, int64_t now_ns)
{
    for (int i = 0; i < times; i++) (void)breaker_core_on_failure(&s_breaker, now_ns, ZVT_CODE_SERVICE_TIMEOUT, 0, now_ns);
}

Test(breaker_core, opens_after_so_many_failures_in_a_row_and_not_before)
{
    s_fail(BREAKER_FAILURES_MAX - 1, START);
    cr_assert_eq(s_breaker.state, ZVT_CIRCUIT_CLOSED);
    cr_assert(breaker_core_on_failure(&s_breaker, START, ZVT_CODE_VENUE_UNREACHABLE, 0, START), "it says that it opened");
    cr_assert_eq(s_breaker.state, ZVT_CIRCUIT_OPEN);
    cr_assert_eq(s_breaker.reason, ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_not(breaker_core_admits(&s_breaker, START));
    cr_assert_not(breaker_core_passes(&s_breaker));
}

Test(breaker_core, forgets_failures_at_a_success)
{
    s_fail(BREAKER_FAILURES_MAX - 1, START);
    cr_assert_not(breaker_core_on_success(&s_breaker, START, START));
    s_fail(BREAKER_FAILURES_MAX - 1, START);
    cr_assert_eq(s_breaker.state, ZVT_CIRCUIT_CLOSED);
}

Test(breaker_core, opens_at_a_failure_when_most_of_the_recent_sends_failed)
{
    cr_assert_not(breaker_core_on_failure(&s_breaker, START, ZVT_CODE_OVERLOADED, BREAKER_RATE_MAX_E8, START));
    cr_assert(breaker_core_on_failure(&s_breaker, START, ZVT_CODE_OVERLOADED, BREAKER_RATE_MAX_E8 + 1, START));
}

Test(breaker_core, is_half_open_after_a_pause_between_half_and_all_of_what_it_should_be)
{
    s_fail(BREAKER_FAILURES_MAX, START);
    cr_assert_geq(s_breaker.retry_ns, START + BREAKER_PAUSE_MIN_NS / 2);
    cr_assert_leq(s_breaker.retry_ns, START + BREAKER_PAUSE_MIN_NS);
    cr_assert_not(breaker_core_on_time(&s_breaker, s_breaker.retry_ns - 1));
    cr_assert(breaker_core_on_time(&s_breaker, s_breaker.retry_ns));
    cr_assert_eq(s_breaker.state, ZVT_CIRCUIT_HALF_OPEN);
}

Test(breaker_core, lets_only_so_many_probes_be_under_way)
{
    s_fail(BREAKER_FAILURES_MAX, START);
    int64_t now_ns = s_breaker.retry_ns;
    (void)breaker_core_on_time(&s_breaker, now_ns);
    for (int i = 0; i < BREAKER_PROBES_MAX; i++) {
        cr_assert(breaker_core_admits(&s_breaker, now_ns));
        breaker_core_on_routed(&s_breaker, now_ns);
        cr_assert(breaker_core_passes(&s_breaker));
        breaker_core_on_sent(&s_breaker);
    }
    cr_assert_not(breaker_core_admits(&s_breaker, now_ns));
    cr_assert_not(breaker_core_passes(&s_breaker));
    cr_assert_not(breaker_core_admits(&s_breaker, now_ns + BREAKER_PATIENCE_NS - 1));
    cr_assert(breaker_core_admits(&s_breaker, now_ns + BREAKER_PATIENCE_NS), "probes without an outcome do not block it for ever");
}

Test(breaker_core, takes_back_routes_by_which_nothing_was_sent)
{
    s_fail(BREAKER_FAILURES_MAX, START);
    int64_t now_ns = s_breaker.retry_ns;
    (void)breaker_core_on_time(&s_breaker, now_ns);
    for (int i = 0; i < BREAKER_PROBES_MAX; i++) breaker_core_on_routed(&s_breaker, now_ns);
    cr_assert_not(breaker_core_admits(&s_breaker, now_ns + BREAKER_OFFER_NS - 1));
    cr_assert(breaker_core_admits(&s_breaker, now_ns + BREAKER_OFFER_NS));
    breaker_core_on_routed(&s_breaker, now_ns + BREAKER_OFFER_NS);
    breaker_core_on_sent(&s_breaker);
    for (int i = 1; i < BREAKER_PROBES_MAX; i++) breaker_core_on_routed(&s_breaker, now_ns + BREAKER_OFFER_NS);
    cr_assert_not(breaker_core_admits(&s_breaker, now_ns + 3 * BREAKER_OFFER_NS), "one of these is a probe, and decides");
}

Test(breaker_core, makes_room_for_another_probe_when_nobody_will_learn_of_one)
{
    s_fail(BREAKER_FAILURES_MAX, START);
    int64_t now_ns = s_breaker.retry_ns;
    (void)breaker_core_on_time(&s_breaker, now_ns);
    for (int i = 0; i < BREAKER_PROBES_MAX; i++) breaker_core_on_sent(&s_breaker);
    breaker_core_on_no_outcome(&s_breaker, START);
    cr_assert_not(breaker_core_passes(&s_breaker), "that was no probe");
    breaker_core_on_no_outcome(&s_breaker, now_ns);
    cr_assert(breaker_core_passes(&s_breaker));
    cr_assert_eq(s_breaker.state, ZVT_CIRCUIT_HALF_OPEN);
}

Test(breaker_core, closes_at_the_first_probe_that_succeeds)
{
    s_fail(BREAKER_FAILURES_MAX, START);
    (void)breaker_core_on_time(&s_breaker, s_breaker.retry_ns);
    breaker_core_on_sent(&s_breaker);
    cr_assert(breaker_core_on_success(&s_breaker, s_breaker.changed_ns, START + ZVT_SECOND_NS));
    cr_assert_eq(s_breaker.state, ZVT_CIRCUIT_CLOSED);
    cr_assert_eq(s_breaker.failures, 0u);
    breaker_core_on_sent(&s_breaker);
    cr_assert_eq(s_breaker.probing, 0u, "no probe any more");
}

Test(breaker_core, doubles_its_pause_with_every_probe_that_fails_up_to_a_bound)
{
    int64_t pause_ns = BREAKER_PAUSE_MIN_NS, now_ns = START;
    s_fail(BREAKER_FAILURES_MAX, now_ns);
    for (int i = 0; i < 20; i++) {
        cr_assert_geq(s_breaker.retry_ns - now_ns, pause_ns / 2);
        cr_assert_leq(s_breaker.retry_ns - now_ns, pause_ns);
        now_ns = s_breaker.retry_ns;
        cr_assert(breaker_core_on_time(&s_breaker, now_ns));
        breaker_core_on_sent(&s_breaker);
        cr_assert(breaker_core_on_failure(&s_breaker, now_ns, ZVT_CODE_SERVICE_TIMEOUT, 0, now_ns));
        pause_ns = 2 * pause_ns > BREAKER_PAUSE_MAX_NS ? BREAKER_PAUSE_MAX_NS : 2 * pause_ns;
    }
}

Test(breaker_core, keeps_its_long_pause_when_it_closed_only_for_a_moment)
{
    s_fail(BREAKER_FAILURES_MAX, START);
    int64_t now_ns = s_breaker.retry_ns;
    (void)breaker_core_on_time(&s_breaker, now_ns);
    breaker_core_on_sent(&s_breaker);
    (void)breaker_core_on_success(&s_breaker, now_ns, now_ns);
    s_fail(BREAKER_FAILURES_MAX, now_ns);
    cr_assert_geq(s_breaker.retry_ns - now_ns, BREAKER_PAUSE_MIN_NS, "the second pause is the doubled one");
    now_ns = s_breaker.retry_ns;
    (void)breaker_core_on_time(&s_breaker, now_ns);
    breaker_core_on_sent(&s_breaker);
    (void)breaker_core_on_success(&s_breaker, now_ns, now_ns);
    s_fail(BREAKER_FAILURES_MAX, now_ns + BREAKER_CALM_NS);
    cr_assert_leq(s_breaker.retry_ns - now_ns - BREAKER_CALM_NS, BREAKER_PAUSE_MIN_NS, "after a calm time it begins anew");
}

Test(breaker_core, hears_nothing_about_a_trial_from_sends_before_it)
{
    s_fail(BREAKER_FAILURES_MAX, START);
    cr_assert_not(breaker_core_on_success(&s_breaker, START, START), "open: a late answer closes nothing");
    (void)breaker_core_on_time(&s_breaker, s_breaker.retry_ns);
    cr_assert_not(breaker_core_on_success(&s_breaker, START, START));
    s_fail(100, START);
    cr_assert_eq(s_breaker.state, ZVT_CIRCUIT_HALF_OPEN);
}

Test(breaker_core, is_not_opened_by_sends_from_before_it_closed)
{
    s_fail(BREAKER_FAILURES_MAX, START);
    int64_t closed_ns = s_breaker.retry_ns;
    (void)breaker_core_on_time(&s_breaker, closed_ns);
    breaker_core_on_sent(&s_breaker);
    cr_assert(breaker_core_on_success(&s_breaker, closed_ns, closed_ns));
    for (int i = 0; i < 100; i++)
        cr_assert_not(breaker_core_on_failure(&s_breaker, closed_ns - 1, ZVT_CODE_SERVICE_TIMEOUT, BREAKER_RATE_MAX_E8 + 1, closed_ns + MS));
    cr_assert_eq(s_breaker.failures, 0u);
    s_fail(BREAKER_FAILURES_MAX, closed_ns);
    cr_assert_eq(s_breaker.state, ZVT_CIRCUIT_OPEN, "those since then do");
}

Test(breaker_core, opens_when_the_connection_is_lost_and_is_tried_when_it_is_back)
{
    cr_assert(breaker_core_on_disconnected(&s_breaker, START));
    cr_assert_eq(s_breaker.state, ZVT_CIRCUIT_OPEN);
    cr_assert_eq(s_breaker.retry_ns, 0, "no clock says when");
    cr_assert_not(breaker_core_on_time(&s_breaker, START + 3600 * ZVT_SECOND_NS), "not before it is back");
    cr_assert_not(breaker_core_on_disconnected(&s_breaker, START), "it is lost only once");
    cr_assert(breaker_core_on_connected(&s_breaker, START + MS));
    cr_assert_eq(s_breaker.state, ZVT_CIRCUIT_HALF_OPEN);
}

Test(breaker_core, does_not_blame_a_venue_that_was_never_there)
{
    breaker_t fresh;
    breaker_core_init(&fresh);
    cr_assert_not(breaker_core_on_disconnected(&fresh, START));
    cr_assert_eq(fresh.state, ZVT_CIRCUIT_CLOSED);
}

Test(breaker_core, does_not_lengthen_its_pause_for_connections_that_come_and_go)
{
    for (int i = 0; i < 50; i++) {
        (void)breaker_core_on_disconnected(&s_breaker, START + i);
        (void)breaker_core_on_connected(&s_breaker, START + i);
    }
    breaker_core_on_sent(&s_breaker);
    (void)breaker_core_on_failure(&s_breaker, START + 50, ZVT_CODE_SERVICE_TIMEOUT, 0, START + 50);
    cr_assert_leq(s_breaker.retry_ns - START - 50, 2 * BREAKER_PAUSE_MIN_NS);
}
