#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "admission_core.h"
#include "zvt_time.h"

enum { RATE = 100 };

static admission_core_t *s_core;
static int64_t s_now_ns;

static void s_setup(void)
{
    s_core = admission_core_new(RATE);
    s_now_ns = 1000 * ZVT_SECOND_NS;
}

static void s_teardown(void)
{
    admission_core_destroy(&s_core);
}

TestSuite(admission_core, .init = s_setup, .fini = s_teardown);

static admission_verdict_t s_take(const char *sender, const char *strategy_id)
{
    return admission_core_take(s_core, sender, strategy_id, s_now_ns);
}

/* The same with the number of a strategy. */
static admission_verdict_t s_take_numbered(const char *sender, int number)
{
    char strategy_id[ZVT_NAME_SIZE];
    snprintf(strategy_id, sizeof strategy_id, "%.16s-%d", sender, number);
    return s_take(sender, strategy_id);
}

/* How many of `asked` orders of a strategy with a process of its own are let in, evenly spread over the time. */
static int s_offer(const char *strategy_id, int asked, int64_t duration_ns)
{
    int taken = 0;
    for (int i = 0; i < asked; i++) {
        s_now_ns += duration_ns / asked;
        taken += s_take(strategy_id, strategy_id) == ADMISSION_TAKEN;
    }
    return taken;
}

/* How many of `asked` orders are let in when each has another strategy's name. */
static int s_offer_rotating(const char *sender, int asked, int64_t duration_ns)
{
    static int number;
    int taken = 0;
    for (int i = 0; i < asked; i++) {
        s_now_ns += duration_ns / asked;
        taken += s_take_numbered(sender, number++) == ADMISSION_TAKEN;
    }
    return taken;
}

Test(admission_core, a_burst_of_one_seconds_orders_passes_and_the_next_is_refused)
{
    char message[ZVT_MESSAGE_SIZE];
    cr_assert_eq(s_offer("alice", RATE, 0), RATE);
    cr_assert_eq(s_take("alice", "alice"), ADMISSION_STRATEGY_RATE);
    admission_core_explain(s_core, ADMISSION_STRATEGY_RATE, message);
    cr_assert_str_eq(message, "max_signals_per_second=100; not recorded");
}

Test(admission_core, a_runaway_gets_its_rate_and_no_more)
{
    cr_assert_eq(s_offer("runaway", RATE, 0), RATE);
    int taken = s_offer("runaway", 100000, 10 * ZVT_SECOND_NS);
    cr_assert(taken >= 10 * RATE - 1 && taken <= 10 * RATE, "%d in ten seconds at 100 a second", taken);
}

Test(admission_core, a_runaway_takes_nothing_from_the_others)
{
    cr_assert_eq(s_offer("runaway", 10000, ZVT_SECOND_NS / 1000), RATE);
    cr_assert_eq(s_offer("alice", RATE, 0), RATE);
}

Test(admission_core, a_full_bucket_is_back_a_second_after_the_runaway_has_stopped)
{
    (void)s_offer("runaway", 100000, ZVT_SECOND_NS);
    s_now_ns += ZVT_SECOND_NS;
    cr_assert_eq(s_offer("runaway", 2 * RATE, 0), RATE);
}

Test(admission_core, a_name_that_changes_with_every_order_gets_a_sender_past_nothing)
{
    cr_assert_eq(s_offer_rotating("runaway", 100000, 10 * ZVT_SECOND_NS), ADMISSION_OF_SENDER_MAX + 2, "all at once and one every four seconds");
    cr_assert_eq(s_take_numbered("runaway", -1), ADMISSION_SENDER_NAMES);
    cr_assert_eq(s_offer_rotating("runaway", 100000, 100 * ZVT_SECOND_NS), 25);
}

Test(admission_core, a_sender_that_has_changed_its_names_for_long_displaces_nobody_else)
{
    cr_assert_eq(s_take("alice", "alice"), ADMISSION_TAKEN);
    (void)s_offer_rotating("runaway", 100000, 100000 * ZVT_SECOND_NS);
    cr_assert_eq(s_offer("alice", RATE, 0), RATE, "known all the time");
    cr_assert_eq(s_offer("bob", RATE, 0), RATE, "and a new one is taken");
}

Test(admission_core, a_sender_is_heard_again_when_it_has_stopped_changing_its_names)
{
    (void)s_offer_rotating("runaway", 100000, 10 * ZVT_SECOND_NS);
    cr_assert_eq(s_take("runaway", "runaway"), ADMISSION_SENDER_NAMES);
    s_now_ns += ADMISSION_OF_SENDER_NS;
    cr_assert_eq(s_offer("runaway", RATE, 0), RATE);
}

Test(admission_core, a_host_of_many_strategies_has_the_rate_of_all_of_them)
{
    enum { HOSTED = 250, PERIODS = 50, A_SECOND = 5 };
    for (int period = 0; period < PERIODS; period++, s_now_ns += ZVT_SECOND_NS / A_SECOND)
        for (int i = 0; i < HOSTED; i++) cr_assert_eq(s_take_numbered("host", i), ADMISSION_TAKEN, "strategy %d, period %d", i, period);
    for (int i = 0; i < HOSTED; i++)
        for (int n = 0; n < RATE / 2; n++) cr_assert_eq(s_take_numbered("host", i), ADMISSION_TAKEN, "a burst of strategy %d", i);
}

Test(admission_core, strategies_that_have_just_come_share_what_a_sender_is_trusted_with)
{
    int taken = 0;
    for (int i = 0; i < 1000; i++) (void)s_take_numbered("host", i);
    for (int n = 0; n < 10; n++)
        for (int i = 0; i < 1000; i++) taken += s_take_numbered("host", i) == ADMISSION_TAKEN;
    cr_assert_eq(taken, ADMISSION_SENDER_FACTOR * RATE, "%d", taken);
    cr_assert_eq(s_take_numbered("host", 0), ADMISSION_SENDER_RATE);
    s_now_ns += ZVT_SECOND_NS;
    cr_assert_eq(s_take_numbered("host", 0), ADMISSION_TAKEN);
}

Test(admission_core, senders_that_change_their_own_names_are_refused_together_and_the_known_are_served)
{
    char name[ZVT_NAME_SIZE];
    int taken = 0;
    cr_assert_eq(s_take("alice", "alice"), ADMISSION_TAKEN);
    for (int i = 0; i < 2 * ADMISSION_NEW_MAX; i++) {
        if (i % 100 == 0) cr_assert_eq(s_take("alice", "alice"), ADMISSION_TAKEN);
        snprintf(name, sizeof name, "stranger-%d", i);
        taken += s_take(name, name) == ADMISSION_TAKEN;
    }
    cr_assert_eq(taken, ADMISSION_NEW_MAX / 2 - 1, "%d: each costs a sender's and a strategy's place, like alice", taken);
    cr_assert_eq(s_take("stranger", "alice"), ADMISSION_NEW_NAMES);
    s_now_ns += ZVT_SECOND_NS;
    cr_assert_eq(s_offer("alice", RATE, 0), RATE);
    cr_assert_eq(s_take("bob", "bob"), ADMISSION_TAKEN, "a second later there is room for new ones");
}

Test(admission_core, the_least_recently_used_leaves_a_full_table)
{
    char name[ZVT_NAME_SIZE];
    for (int i = 0; i < 3 * ADMISSION_STRATEGIES_MAX; i++) {
        s_now_ns += ZVT_SECOND_NS / 4;
        snprintf(name, sizeof name, "sender-%d", i % (ADMISSION_SENDERS_MAX / 2));
        cr_assert_eq(s_take_numbered(name, i), ADMISSION_TAKEN, "strategy %d", i);
        if (i % 100 == 0) cr_assert_eq(s_take("alice", "alice"), ADMISSION_TAKEN);
    }
    for (int i = 0; i < 2 * ADMISSION_SENDERS_MAX; i++) {
        s_now_ns += ZVT_SECOND_NS / 4;
        snprintf(name, sizeof name, "process-%d", i);
        cr_assert_eq(s_take(name, name), ADMISSION_TAKEN, "sender %d", i);
        cr_assert_eq(s_take(name, "alice"), ADMISSION_TAKEN, "a strategy may be traded for by others than who brought it");
    }
}

Test(admission_core, a_rate_of_a_million_is_possible)
{
    admission_core_destroy(&s_core);
    s_core = admission_core_new(1000000);
    cr_assert_eq(s_offer("bench", 1000000, 0), 1000000);
    cr_assert_eq(s_take("bench", "bench"), ADMISSION_STRATEGY_RATE);
}

Test(admission_core, every_refusal_says_why)
{
    char message[ZVT_MESSAGE_SIZE];
    for (int verdict = ADMISSION_STRATEGY_RATE; verdict < ADMISSION_VERDICTS; verdict++) {
        admission_core_explain(s_core, (admission_verdict_t)verdict, message);
        cr_assert_not_null(strstr(message, "; not recorded"), "%s", message);
    }
}
