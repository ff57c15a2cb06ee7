#include <criterion/criterion.h>

#include "depth_core.h"
#include "venue_fixture.h"

static depth_core_t *s_depth;

static void s_setup(void) { s_depth = depth_core_new(); }
static void s_teardown(void) { depth_core_destroy(&s_depth); }
TestSuite(depth_core, .init = s_setup, .fini = s_teardown);

/* One bid level changes. */
static depth_update_t s_bid(uint64_t first_id, uint64_t last_id, double price, double quantity)
{
    static zvt_level_t levels[16];
    static unsigned next;
    zvt_level_t *level = &levels[next++ % 16];
    *level = (zvt_level_t){.price_e8 = E8(price), .quantity_e8 = E8(quantity)};
    return (depth_update_t){.first_id = first_id, .last_id = last_id, .levels = {level, NULL}, .counts = {1, 0}};
}

static depth_result_t s_diff(uint64_t first_id, uint64_t last_id, double price, double quantity)
{
    depth_update_t diff = s_bid(first_id, last_id, price, quantity);
    return depth_core_diff(s_depth, &diff);
}

static depth_result_t s_snapshot(uint64_t last_id, double price, double quantity)
{
    depth_update_t snapshot = s_bid(0, last_id, price, quantity);
    return depth_core_snapshot(s_depth, &snapshot);
}

static double s_quantity_at(double price)
{
    const depth_level_t *level = depth_core_find(s_depth, ZVT_SIDE_BUY, E8(price));
    return level == NULL ? 0 : (double)level->quantity_e8 / 1e8;
}

Test(depth_core, diffs_wait_for_the_snapshot_and_those_it_knows_are_dropped)
{
    cr_assert_eq(s_diff(5, 8, 100, 1), DEPTH_WAITS);
    cr_assert_eq(s_diff(9, 12, 101, 2), DEPTH_WAITS);
    cr_assert_eq(s_diff(13, 14, 102, 3), DEPTH_WAITS);
    cr_assert(!depth_core_is_synced(s_depth));
    cr_assert_eq(s_snapshot(10, 99, 9), DEPTH_APPLIED);
    cr_assert(depth_core_is_synced(s_depth));
    cr_assert_eq(depth_core_last_id(s_depth), 14);
    cr_assert_eq(s_quantity_at(99), 9);
    cr_assert_eq(s_quantity_at(100), 0, "u=8 is below lastUpdateId=10");
    cr_assert_eq(s_quantity_at(101), 2);
    cr_assert_eq(s_quantity_at(102), 3);
}

Test(depth_core, a_snapshot_older_than_everything_that_waits_is_of_no_use)
{
    s_diff(20, 25, 100, 1);
    cr_assert_eq(s_snapshot(10, 99, 9), DEPTH_WAITS);
    cr_assert(!depth_core_is_synced(s_depth));
    cr_assert_eq(s_snapshot(19, 99, 9), DEPTH_APPLIED);
    cr_assert_eq(depth_core_last_id(s_depth), 25);
}

Test(depth_core, a_gap_empties_the_book_until_the_next_snapshot)
{
    s_snapshot(10, 99, 9);
    cr_assert_eq(s_diff(11, 12, 100, 1), DEPTH_APPLIED);
    cr_assert_eq(s_diff(14, 15, 101, 1), DEPTH_GAP);
    cr_assert(!depth_core_is_synced(s_depth));
    cr_assert_null(depth_core_level(s_depth, ZVT_SIDE_BUY, 0));
    cr_assert_eq(s_diff(16, 17, 102, 1), DEPTH_WAITS);
    cr_assert_eq(s_snapshot(14, 98, 1), DEPTH_APPLIED);
    cr_assert_eq(depth_core_last_id(s_depth), 17);
    cr_assert_eq(s_quantity_at(101), 1);
}

Test(depth_core, a_gap_among_the_waiting_diffs_shows_when_the_snapshot_comes)
{
    s_diff(5, 12, 100, 1);
    s_diff(14, 16, 101, 1);
    cr_assert_eq(s_snapshot(10, 99, 9), DEPTH_GAP);
    cr_assert(!depth_core_is_synced(s_depth));
}

Test(depth_core, old_updates_change_nothing)
{
    s_snapshot(10, 99, 9);
    cr_assert_eq(s_diff(8, 10, 99, 1), DEPTH_OLD);
    cr_assert_eq(s_snapshot(9, 99, 1), DEPTH_OLD);
    cr_assert_eq(s_quantity_at(99), 9);
}

Test(depth_core, quantity_zero_removes_a_level)
{
    s_snapshot(10, 99, 9);
    s_diff(11, 11, 99, 0);
    s_diff(12, 12, 98, 0);
    cr_assert_null(depth_core_level(s_depth, ZVT_SIDE_BUY, 0));
}

Test(depth_core, what_was_taken_stays_taken_until_the_quantity_changes)
{
    s_snapshot(10, 99, 9);
    depth_core_find(s_depth, ZVT_SIDE_BUY, E8(99))->taken_e8 = E8(4);
    s_diff(11, 11, 99, 9);
    cr_assert_eq(depth_core_find(s_depth, ZVT_SIDE_BUY, E8(99))->taken_e8, E8(4));
    s_diff(12, 12, 99, 8);
    cr_assert_eq(depth_core_find(s_depth, ZVT_SIDE_BUY, E8(99))->taken_e8, 0);
}

Test(depth_core, a_full_side_pushes_out_its_worst_level)
{
    s_snapshot(10, 1, 1);
    for (uint64_t i = 1; i <= DEPTH_LEVELS_MAX; i++) s_diff(10 + i, 10 + i, (double)(i + 1), 1);
    cr_assert_eq(s_quantity_at(1), 0);
    cr_assert_eq(s_quantity_at(2), 1);
    cr_assert_eq(depth_core_level(s_depth, ZVT_SIDE_BUY, 0)->price_e8, E8(DEPTH_LEVELS_MAX + 1));
    s_diff(11 + DEPTH_LEVELS_MAX, 11 + DEPTH_LEVELS_MAX, 0.5, 1);
    cr_assert_eq(s_quantity_at(0.5), 0, "worse than everything in a full book");
    cr_assert_eq(depth_core_better(s_depth, ZVT_SIDE_BUY, E8(DEPTH_LEVELS_MAX)), 1);
}

Test(depth_core, more_waiting_diffs_than_the_bound_begin_anew)
{
    for (uint64_t i = 0; i < DEPTH_WAITING_DIFFS + 1; i++) s_diff(100 + i, 100 + i, 50, 1 + (double)i);
    cr_assert_eq(s_snapshot(99, 40, 1), DEPTH_WAITS, "the diffs behind it were discarded");
    cr_assert_eq(s_snapshot(99 + DEPTH_WAITING_DIFFS, 40, 1), DEPTH_APPLIED);
    cr_assert_eq(s_quantity_at(50), 1 + DEPTH_WAITING_DIFFS);
}
