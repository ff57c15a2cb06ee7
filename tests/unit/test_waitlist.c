#include <criterion/criterion.h>

#include "zvt_waitlist.h"

enum { CAPACITY = 4, PATIENCE_NS = 100 };

static zvt_waitlist_t *s_list;
static int s_seen[16];
static bool s_in_time[16];
static int s_count;

static void s_on_turn(void *arg, const void *item, bool in_time)
{
    (void)arg;
    s_seen[s_count] = *(const int *)item;
    s_in_time[s_count++] = in_time;
}

static void s_setup(void)
{
    s_list = zvt_waitlist_new(sizeof(int), CAPACITY, PATIENCE_NS, s_on_turn, NULL);
    s_count = 0;
}

static void s_teardown(void)
{
    zvt_waitlist_destroy(&s_list);
}

TestSuite(waitlist, .init = s_setup, .fini = s_teardown);

static void s_add(int item, uint64_t min_seq, int64_t now_ns)
{
    cr_assert_eq(zvt_waitlist_add(s_list, 1, min_seq, now_ns, &item), 0);
}

Test(waitlist, hands_out_what_the_applied_seq_satisfies_in_order_of_arrival)
{
    s_add(1, 10, 0);
    s_add(2, 5, 0);
    s_add(3, 20, 0);
    zvt_waitlist_release(s_list, 9, 1);
    cr_assert_eq(s_count, 0, "the second waits for the first");
    zvt_waitlist_release(s_list, 10, 1);
    cr_assert_eq(s_count, 2);
    cr_assert_eq(s_seen[0], 1);
    cr_assert_eq(s_seen[1], 2);
    cr_assert(s_in_time[0] && s_in_time[1]);
    cr_assert_eq(zvt_waitlist_count(s_list), 1);
}

Test(waitlist, gives_up_a_request_that_waited_too_long_and_goes_on)
{
    s_add(1, UINT64_MAX, 0);
    s_add(2, 5, 0);
    zvt_waitlist_release(s_list, 9, PATIENCE_NS - 1);
    cr_assert_eq(s_count, 0);
    zvt_waitlist_release(s_list, 9, PATIENCE_NS);
    cr_assert_eq(s_count, 2);
    cr_assert_not(s_in_time[0]);
    cr_assert(s_in_time[1]);
}

Test(waitlist, waits_no_longer_for_a_writer_that_was_replaced)
{
    int next = 3;
    s_add(1, 20, 0);
    s_add(2, 5, 0);
    zvt_waitlist_release(s_list, 9, 1);
    cr_assert_eq(s_count, 0, "seq 20 may still come");
    cr_assert_eq(zvt_waitlist_add(s_list, 2, 9, 1, &next), 0);
    zvt_waitlist_release(s_list, 9, 1);
    cr_assert_eq(s_count, 3);
    cr_assert(!s_in_time[0] && s_in_time[1] && s_in_time[2], "what is folded far enough is answered all the same");
    cr_assert_eq(s_seen[2], 3);
}

Test(waitlist, holds_nobody_up_for_a_late_request_of_an_older_epoch)
{
    int late = 2;
    s_add(1, 5, 0);
    cr_assert_eq(zvt_waitlist_add(s_list, 7, 5, 0, &late), 0);
    zvt_waitlist_release(s_list, 5, 0);
    s_add(3, 20, 0);
    zvt_waitlist_release(s_list, 9, 0);
    cr_assert_eq(s_count, 3);
    cr_assert_not(s_in_time[2]);
}

Test(waitlist, expires_requests_while_nothing_can_be_answered)
{
    s_add(1, 0, 0);
    s_add(2, 0, 50);
    zvt_waitlist_expire(s_list, PATIENCE_NS);
    cr_assert_eq(s_count, 1);
    cr_assert_not(s_in_time[0]);
}

Test(waitlist, refuses_one_more_than_its_capacity_and_reuses_its_places)
{
    int item = 9;
    for (int round = 0; round < 3; round++) {
        s_count = 0;
        for (int i = 0; i < CAPACITY; i++) s_add(i, 1, 0);
        cr_assert_eq(zvt_waitlist_add(s_list, 1, 1, 0, &item), ZVT_ERR_FULL);
        zvt_waitlist_release(s_list, 1, 0);
        cr_assert_eq(s_count, CAPACITY);
        for (int i = 0; i < CAPACITY; i++) cr_assert_eq(s_seen[i], i);
    }
}
