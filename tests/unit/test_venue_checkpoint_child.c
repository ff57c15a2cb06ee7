#define _GNU_SOURCE /* SCHED_BATCH */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checkpoint_child.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { AFTER = 100 };
static char s_name[] = "venue";
static char *const s_argv[] = {s_name, NULL};

static uint64_t s_count(const char *name)
{
    return *zvt_counter(name);
}

/* Calls it as a venue would, until the child that was started has ended. */
static void s_wait(checkpoint_child_t *child, int64_t now_ns, uint64_t seq, const char *counter)
{
    uint64_t before = s_count(counter);
    for (int i = 0; i < 5000 && s_count(counter) == before; i++) {
        checkpoint_child_on_time(child, now_ns, seq, 0);
        usleep(1000);
    }
    cr_assert_eq(s_count(counter), before + 1, "%s", counter);
}

static bool s_has_children(void)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

Test(checkpoint_child, is_started_when_the_ledger_has_grown_and_never_twice)
{
    int64_t now_ns = 10 * ZVT_SECOND_NS;
    checkpoint_child_t *child = checkpoint_child_new("/bin/true", s_argv, AFTER, 50, now_ns);
    checkpoint_child_on_time(child, now_ns, 1000, 0);
    cr_assert_not(s_has_children(), "not at once: everybody has much to do after a start");
    now_ns += 2 * ZVT_SECOND_NS;
    checkpoint_child_on_time(child, now_ns, 50 + AFTER - 1, 0);
    cr_assert_not(s_has_children(), "not for so little");
    checkpoint_child_on_time(child, now_ns, 50 + AFTER, 4 * (AFTER + 1));
    cr_assert_not(s_has_children(), "not for less than a quarter of the ids");
    checkpoint_child_on_time(child, now_ns, 50 + AFTER, 4 * AFTER);
    cr_assert(s_has_children());
    s_wait(child, now_ns, 50 + AFTER, "checkpoints");
    cr_assert_not(s_has_children());
    cr_assert_eq(checkpoint_child_covered_seq(child), 50u + AFTER);
    checkpoint_child_on_time(child, now_ns, 50 + 2 * AFTER - 1, 0);
    cr_assert_not(s_has_children(), "the reports count from the last one on");
    checkpoint_child_destroy(&child);
}

Test(checkpoint_child, that_fails_is_counted_and_tried_again_after_a_minute)
{
    int64_t now_ns = 10 * ZVT_SECOND_NS;
    checkpoint_child_t *child = checkpoint_child_new("/bin/false", s_argv, AFTER, 0, 0);
    s_wait(child, now_ns, AFTER, "checkpoints_failed");
    cr_assert_eq(checkpoint_child_covered_seq(child), 0u);
    checkpoint_child_on_time(child, now_ns + 59 * ZVT_SECOND_NS, AFTER, 0);
    cr_assert_not(s_has_children());
    s_wait(child, now_ns + 60 * ZVT_SECOND_NS, AFTER, "checkpoints_failed");
    cr_assert_eq(s_count("checkpoints"), 0u);
    checkpoint_child_destroy(&child);
}

Test(checkpoint_child, is_gone_when_the_venue_stops)
{
    static char option[] = "-c", script[] = "exec sleep 600";
    char *const argv[] = {s_name, option, script, NULL};
    checkpoint_child_t *child = checkpoint_child_new("/bin/sh", argv, AFTER, 0, 0);
    checkpoint_child_on_time(child, 10 * ZVT_SECOND_NS, AFTER, 0);
    cr_assert(s_has_children());
    checkpoint_child_destroy(&child);
    cr_assert_not(s_has_children());
    cr_assert_null(child);
}

Test(checkpoint_child, yields_to_others_and_ends_with_its_parent)
{
    int64_t parent = getpid();
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        int status = checkpoint_child_yield(parent);
        bool lower = sched_getscheduler(0) == SCHED_BATCH;
        _exit(status == 0 && lower && checkpoint_child_yield(1) == ZVT_ERR_NOT_FOUND ? 0 : 1);
    }
    int result;
    cr_assert_eq(waitpid(pid, &result, 0), pid);
    cr_assert(WIFEXITED(result) && WEXITSTATUS(result) == 0);
}
