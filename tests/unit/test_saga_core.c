#include <criterion/criterion.h>
#include <string.h>

#include "saga_core.h"

#define SECOND INT64_C(1000000000)

/* A saga of three steps whose behaviour each test sets. */
static struct {
    int begun[3];
    int compensated[3];
    saga_outcome_t outcome[3];
    bool timed_out_may_repeat;
    int completed, failed, compensating;
    uint32_t undone; /* steps, as told at the end of the compensation */
    uint8_t failed_code;
    const char *failed_step;
    bool deadline_fails;
} s_world;

static saga_outcome_t s_begin(int step)
{
    s_world.begun[step]++;
    return s_world.outcome[step];
}
static saga_outcome_t s_begin_0(void *arg, int32_t saga, int32_t subject, uint32_t attempt) { (void)arg; (void)saga; (void)subject; (void)attempt; return s_begin(0); }
static saga_outcome_t s_begin_1(void *arg, int32_t saga, int32_t subject, uint32_t attempt) { (void)arg; (void)saga; (void)subject; (void)attempt; return s_begin(1); }
static saga_outcome_t s_begin_2(void *arg, int32_t saga, int32_t subject, uint32_t attempt) { (void)arg; (void)saga; (void)subject; (void)attempt; return s_begin(2); }
static void s_undo_0(void *arg, int32_t subject) { (void)arg; (void)subject; s_world.compensated[0]++; }
static void s_undo_1(void *arg, int32_t subject) { (void)arg; (void)subject; s_world.compensated[1]++; }
static bool s_timed_out(void *arg, int32_t saga, int32_t subject) { (void)arg; (void)saga; (void)subject; return s_world.timed_out_may_repeat; }

static void s_failed(void *arg, int32_t subject, const saga_step_t *step, uint8_t code, const char *message)
{
    (void)arg; (void)subject; (void)message;
    s_world.failed++;
    s_world.failed_code = code;
    s_world.failed_step = step->name;
}
static void s_compensating(void *arg, int32_t subject, const saga_step_t *step, uint8_t code, const char *message)
{
    (void)arg; (void)subject; (void)step; (void)code; (void)message;
    cr_assert_eq(s_world.compensated[0] + s_world.compensated[1], 0, "told before anything is undone");
    s_world.compensating++;
}
static void s_all_compensated(void *arg, int32_t subject, uint32_t steps)
{
    (void)arg; (void)subject;
    cr_assert_eq(s_world.failed, 0, "told before the end of the saga is recorded");
    s_world.undone = steps;
}
static void s_completed(void *arg, int32_t subject) { (void)arg; (void)subject; s_world.completed++; }
static bool s_deadline(void *arg, int32_t saga, int32_t subject, const saga_step_t *step) { (void)arg; (void)saga; (void)subject; (void)step; return s_world.deadline_fails; }

static const saga_step_t s_steps[] = {
    {.name = "reserve", .service = 7, .timeout_ns = 2 * SECOND, .attempts = 3, .backoff_ns = SECOND / 10, .begin = s_begin_0, .compensate = s_undo_0},
    {.name = "pay", .service = -1, .timeout_ns = 0, .attempts = 1, .begin = s_begin_1, .compensate = s_undo_1},
    {.name = "ship", .service = 8, .timeout_ns = 2 * SECOND, .attempts = 2, .backoff_ns = SECOND / 10, .begin = s_begin_2, .timed_out = s_timed_out},
};
static const saga_type_t s_type = {.name = "test", .steps = s_steps, .steps_count = 3, .compensating = s_compensating,
                                   .compensated = s_all_compensated, .failed = s_failed,
                                   .completed = s_completed, .deadline_passed = s_deadline};

static saga_core_t *s_core;
static int32_t s_saga;

static void s_setup(void)
{
    memset(&s_world, 0, sizeof s_world);
    s_world.timed_out_may_repeat = true;
    s_core = saga_core_new(1, NULL);
}
static void s_teardown(void) { saga_core_destroy(&s_core); }

static void s_start(void)
{
    cr_assert_eq(saga_core_start(s_core, &s_type, 42, 0, 1, 30 * SECOND, &s_saga), 0);
}

Test(saga_core, runs_steps_that_need_nobody_to_the_end, .init = s_setup, .fini = s_teardown)
{
    s_start();
    cr_assert_eq(s_world.completed, 1);
    cr_assert_eq(saga_core_count(s_core), 0);
}

Test(saga_core, waits_for_an_answer_and_ignores_one_for_another_step, .init = s_setup, .fini = s_teardown)
{
    s_world.outcome[0] = SAGA_WAIT;
    s_start();
    saga_core_done(s_core, s_saga, 2, 2);
    cr_assert_eq(s_world.begun[1], 0);
    saga_core_done(s_core, s_saga, 0, 2);
    cr_assert_eq(s_world.completed, 1);
}

Test(saga_core, begins_a_step_again_after_its_timeout_and_gives_up_after_the_last_attempt, .init = s_setup, .fini = s_teardown)
{
    s_world.outcome[0] = SAGA_WAIT;
    s_start();
    for (int i = 0; i < 20 && s_world.failed == 0; i++) saga_core_on_time(s_core, saga_core_next_ns(s_core));
    cr_assert_eq(s_world.begun[0], 3);
    cr_assert_eq(s_world.failed, 1);
    cr_assert_eq(s_world.failed_code, ZVT_CODE_SERVICE_TIMEOUT);
    cr_assert_eq(saga_core_count(s_core), 0);
}

Test(saga_core, does_nothing_before_a_timeout_is_due, .init = s_setup, .fini = s_teardown)
{
    s_world.outcome[0] = SAGA_WAIT;
    s_start();
    saga_core_on_time(s_core, 2 * SECOND);
    cr_assert_eq(s_world.begun[0], 1);
}

Test(saga_core, goes_back_to_a_step_after_a_pause_that_doubles_with_its_failures, .init = s_setup, .fini = s_teardown)
{
    s_world.outcome[0] = s_world.outcome[2] = SAGA_WAIT;
    s_start();
    saga_core_done(s_core, s_saga, 0, 2);
    for (uint32_t failures = 1; failures <= 3; failures++) {
        int64_t full_ns = (SECOND / 10) << (failures - 1);
        saga_core_go_back(s_core, s_saga, 0, failures, SECOND);
        int64_t pause_ns = saga_core_next_ns(s_core) - SECOND;
        cr_assert(pause_ns > full_ns / 2 && pause_ns <= full_ns + 1);
        cr_assert_eq(saga_core_step(s_core, s_saga), 0);
        cr_assert_not(saga_core_is_waiting(s_core, s_saga, 0));
        cr_assert_eq(s_world.begun[0], (int)failures);
        saga_core_on_time(s_core, SECOND + pause_ns);
        cr_assert_eq(s_world.begun[0], (int)failures + 1);
    }
}

Test(saga_core, wakes_what_was_put_off_and_leaves_what_failed_its_backoff, .init = s_setup, .fini = s_teardown)
{
    s_world.outcome[0] = SAGA_WAIT;
    s_start();
    saga_core_go_back(s_core, s_saga, 0, 1, 1);
    saga_core_wake(s_core, &s_type, 0, 2);
    cr_assert_eq(s_world.begun[0], 1, "it failed, and so did many others maybe");
    saga_core_on_time(s_core, saga_core_next_ns(s_core));
    cr_assert_eq(s_world.begun[0], 2);
    saga_core_again(s_core, s_saga, 0, 10 * SECOND);
    saga_core_wake(s_core, &s_type, 0, SECOND);
    cr_assert_eq(s_world.begun[0], 3);
}

Test(saga_core, a_pause_does_not_outlast_the_sagas_deadline, .init = s_setup, .fini = s_teardown)
{
    s_world.deadline_fails = true;
    cr_assert_eq(saga_core_start_again(s_core, &s_type, 42, 0, 5, 1, SECOND / 100, &s_saga), 0);
    cr_assert_eq(s_world.begun[0], 0);
    saga_core_on_time(s_core, SECOND / 100);
    cr_assert_eq(s_world.failed_code, ZVT_CODE_SAGA_TIMEOUT);
    cr_assert_eq(s_world.begun[0], 0);
}

Test(saga_core, compensates_completed_steps_last_first_when_it_fails, .init = s_setup, .fini = s_teardown)
{
    s_world.outcome[2] = SAGA_WAIT;
    s_start();
    saga_core_fail(s_core, s_saga, ZVT_CODE_NO_VENUE, "none");
    cr_assert_eq(s_world.compensated[0], 1);
    cr_assert_eq(s_world.compensated[1], 1);
    cr_assert_eq(s_world.compensating, 1);
    cr_assert_eq(s_world.undone, 2);
    cr_assert_str_eq(s_world.failed_step, "ship");
}

Test(saga_core, says_nothing_of_compensation_when_there_is_nothing_to_undo, .init = s_setup, .fini = s_teardown)
{
    s_world.outcome[0] = SAGA_WAIT;
    s_start();
    saga_core_fail(s_core, s_saga, ZVT_CODE_CANCEL_REQUESTED, "");
    cr_assert_eq(s_world.failed, 1);
    cr_assert_eq(s_world.compensating, 0);
    cr_assert_eq(s_world.undone, 0);
}

Test(saga_core, a_step_that_took_care_of_its_timeout_is_not_begun_again, .init = s_setup, .fini = s_teardown)
{
    s_world.outcome[2] = SAGA_WAIT;
    s_world.timed_out_may_repeat = false;
    s_start();
    saga_core_on_time(s_core, 10 * SECOND);
    cr_assert_eq(s_world.begun[2], 1);
    cr_assert_eq(s_world.failed, 0);
    saga_core_done(s_core, s_saga, 2, 11 * SECOND);
    cr_assert_eq(s_world.completed, 1);
}

Test(saga_core, its_deadline_fails_it_unless_the_step_must_go_on, .init = s_setup, .fini = s_teardown)
{
    s_world.outcome[2] = SAGA_WAIT;
    s_world.timed_out_may_repeat = false;
    s_start();
    saga_core_on_time(s_core, 40 * SECOND);
    cr_assert_eq(s_world.failed, 0);
    cr_assert_eq(saga_core_next_ns(s_core), 0, "it waits without a timer now");
    saga_core_end(s_core, s_saga);
    s_world.deadline_fails = true;
    s_start();
    saga_core_on_time(s_core, 40 * SECOND);
    cr_assert_eq(s_world.failed, 1);
    cr_assert_eq(s_world.failed_code, ZVT_CODE_SAGA_TIMEOUT);
}

Test(saga_core, asks_again_when_a_service_is_new_without_counting_an_attempt, .init = s_setup, .fini = s_teardown)
{
    s_world.outcome[0] = SAGA_WAIT;
    s_start();
    for (int i = 0; i < 10; i++) saga_core_service_up(s_core, 7, 1);
    saga_core_service_up(s_core, 8, 1);
    cr_assert_eq(s_world.begun[0], 11);
    cr_assert_eq(s_world.failed, 0);
}

Test(saga_core, holds_as_many_as_it_says_and_refuses_one_more, .init = s_setup, .fini = s_teardown)
{
    s_world.outcome[0] = SAGA_WAIT;
    for (int i = 0; i < SAGAS_MAX; i++) cr_assert_eq(saga_core_start(s_core, &s_type, i, 0, i, 30 * SECOND + i, &s_saga), 0);
    int32_t extra;
    cr_assert_eq(saga_core_start(s_core, &s_type, 1, 0, 1, 1, &extra), ZVT_ERR_FULL);
    int64_t before = 0;
    for (int i = 0; i < SAGAS_MAX; i++) {
        int64_t next = saga_core_next_ns(s_core);
        cr_assert_geq(next, before, "due times come in order");
        before = next;
        saga_core_on_time(s_core, next);
    }
}
