#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "dedup_core.h"

Test(dedup_core, takes_each_number_once_in_any_order)
{
    static const uint64_t order[] = {1, 3, 2, 5, 4, 9, 6};
    dedup_window_t window = {0};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        cr_assert_eq(dedup_window_check(&window, order[i]), DEDUP_NEW);
        dedup_window_mark(&window, order[i]);
        cr_assert_eq(dedup_window_check(&window, order[i]), DEDUP_DUPLICATE);
    }
    cr_assert_eq(window.contiguous, 6);
    cr_assert_eq(window.high, 9);
    cr_assert_eq(dedup_window_check(&window, 7), DEDUP_NEW);
}

Test(dedup_core, calls_a_number_below_the_window_stale)
{
    dedup_window_t window = {0};
    dedup_window_mark(&window, DEDUP_WINDOW + 10);
    cr_assert_eq(dedup_window_check(&window, 10), DEDUP_STALE);
    cr_assert_eq(dedup_window_check(&window, 11), DEDUP_NEW);
}

Test(dedup_core, forgets_old_bits_when_the_window_moves)
{
    dedup_window_t window = {0};
    dedup_window_mark(&window, 5);
    dedup_window_mark(&window, 5 + DEDUP_WINDOW - 1);
    cr_assert_eq(dedup_window_check(&window, 5), DEDUP_DUPLICATE);
    dedup_window_mark(&window, 6 + DEDUP_WINDOW);
    cr_assert_eq(dedup_window_check(&window, 5 + DEDUP_WINDOW), DEDUP_NEW, "the bit of 5 must not count for 5 + window");
}

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
    cr_assert_eq(dedup_core_check(core, "sender-0", 1, 1), DEDUP_NEW);
    cr_assert_eq(dedup_core_check(core, "sender-1", 1, 1), DEDUP_DUPLICATE);
    cr_assert_eq(dedup_core_check(core, name, 1, 1), DEDUP_DUPLICATE);
    dedup_core_destroy(&core);
}
