#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "dedup_core.h"

Test(dedup_core, a_newer_incarnation_starts_over_and_an_older_one_is_stale)
{
    dedup_core_t *core = dedup_core_new();
    dedup_core_mark(core, "alice", 100, 1);
    cr_assert_eq(dedup_core_check(core, "alice", 100, 1), DEDUP_DUPLICATE);
    cr_assert_eq(dedup_core_check(core, "bob", 100, 1), DEDUP_NEW);
    cr_assert_eq(dedup_core_check(core, "alice", 200, 1), DEDUP_NEW);
    dedup_core_mark(core, "alice", 200, 1);
    cr_assert_eq(dedup_core_check(core, "alice", 100, 2), DEDUP_STALE);
    dedup_core_destroy(&core);
}

Test(dedup_core, makes_room_by_forgetting_the_sender_silent_for_longest)
{
    dedup_core_t *core = dedup_core_new();
    char name[ZVT_NAME_SIZE];
    for (unsigned i = 0; i <= DEDUP_SENDERS_MAX; i++) {
        snprintf(name, sizeof name, "sender-%u", i);
        dedup_core_mark(core, name, 1, 1);
    }
    cr_assert_eq(dedup_core_check(core, "sender-0", 1, 1), DEDUP_STALE, "what is forgotten is not taken twice");
    cr_assert_not(dedup_core_is_untaken(core, "sender-0", 1));
    cr_assert_eq(dedup_core_newest(core, "sender-0"), 1);
    cr_assert_eq(dedup_core_check(core, "sender-0", 2, 1), DEDUP_NEW, "a run above all that are forgotten");
    cr_assert_eq(dedup_core_check(core, "sender-1", 1, 1), DEDUP_DUPLICATE);
    cr_assert_eq(dedup_core_check(core, name, 1, 1), DEDUP_DUPLICATE);
    dedup_core_destroy(&core);
}

Test(dedup_core, knows_of_which_runs_nothing_was_ever_taken)
{
    dedup_core_t *core = dedup_core_new();
    static const uint64_t taken[] = {300, 400, 500};
    for (size_t i = 0; i < 3; i++) dedup_core_mark(core, "alice", taken[i], 1);
    for (size_t i = 0; i < 3; i++) cr_assert_not(dedup_core_is_untaken(core, "alice", taken[i]));
    cr_assert(dedup_core_is_untaken(core, "alice", 100) && dedup_core_is_untaken(core, "alice", 350) && dedup_core_is_untaken(core, "alice", 501));
    cr_assert_eq(dedup_core_newest(core, "alice"), 500);
    cr_assert_eq(dedup_core_check(core, "alice", 100, 1), DEDUP_STALE);
    cr_assert_eq(dedup_core_newest(core, "bob"), 0);
    dedup_core_destroy(&core);
}

Test(dedup_core, does_not_vouch_for_runs_before_those_it_remembers)
{
    dedup_core_t *core = dedup_core_new();
    for (uint64_t run = 10; run <= 10 * (DEDUP_RUNS_KEPT + 1); run += 10) dedup_core_mark(core, "alice", run, 1);
    cr_assert(dedup_core_is_untaken(core, "alice", 5), "all are remembered");
    dedup_core_mark(core, "alice", 1000, 1);
    cr_assert_not(dedup_core_is_untaken(core, "alice", 5));
    cr_assert_not(dedup_core_is_untaken(core, "alice", 10), "pushed out");
    cr_assert_not(dedup_core_is_untaken(core, "alice", 20));
    cr_assert(dedup_core_is_untaken(core, "alice", 25));
    dedup_core_destroy(&core);
}

Test(dedup_core, a_checkpoint_keeps_the_runs_and_one_of_before_vouches_for_none)
{
    dedup_core_t *core = dedup_core_new(), *copy = dedup_core_new();
    zvt_saved_sender_t saved;
    dedup_core_mark(core, "alice", 300, 1);
    dedup_core_mark(core, "alice", 400, 1);
    dedup_core_save(core, 0, &saved);
    cr_assert_eq(dedup_core_restore(copy, &saved), 0);
    cr_assert(dedup_core_is_untaken(copy, "alice", 100) && dedup_core_is_untaken(copy, "alice", 350));
    cr_assert_not(dedup_core_is_untaken(copy, "alice", 300));
    dedup_core_clear(copy);
    saved.earlier_count = 0;
    saved.all_runs = false;
    cr_assert_eq(dedup_core_restore(copy, &saved), 0);
    cr_assert_not(dedup_core_is_untaken(copy, "alice", 100));
    cr_assert_not(dedup_core_is_untaken(copy, "alice", 399));
    cr_assert(dedup_core_is_untaken(copy, "alice", 401));
    dedup_core_restore_forgotten(copy, 700);
    cr_assert_eq(dedup_core_forgotten(copy), 700);
    cr_assert_eq(dedup_core_check(copy, "bob", 700, 1), DEDUP_STALE);
    cr_assert_eq(dedup_core_check(copy, "bob", 701, 1), DEDUP_NEW);
    cr_assert_not(dedup_core_is_untaken(copy, "alice", 650), "alice may be among the forgotten herself");
    dedup_core_destroy(&core);
    dedup_core_destroy(&copy);
}
