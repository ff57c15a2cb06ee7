#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "pacer_core.h"

#define MS ZVT_MS_NS

static pacer_now_t s_at(int64_t ns)
{
    return (pacer_now_t){.utc_ns = ns, .monotonic_ns = ns};
}

static zvt_order_send_t s_order(int number, int64_t expires_at_ns)
{
    zvt_order_send_t order = {.expires_at_ns = expires_at_ns};
    snprintf(order.client_order_id, sizeof order.client_order_id, "order-%04d", number);
    return order;
}

static zvt_order_cancel_t s_cancel(int number)
{
    zvt_order_cancel_t cancel = {.epoch = 1};
    snprintf(cancel.client_order_id, sizeof cancel.client_order_id, "order-%04d", number);
    return cancel;
}

static pacer_verdict_t s_put(pacer_core_t *pacer, int number, int64_t now_ns)
{
    zvt_order_send_t order = s_order(number, 0);
    return pacer_core_on_order(pacer, &order, s_at(now_ns));
}

/* ---- throttle ---- */
Test(throttle_core, lets_everything_through_without_a_limit)
{
    throttle_t throttle;
    throttle_core_init(&throttle, 0);
    for (int i = 0; i < 1000; i++) cr_assert(throttle_core_take(&throttle, 0));
}

/* What the venue counts in any second, however the items bunch at its end of the line, within a tenth of a second. */
static void s_never_exceeds(int64_t per_second)
{
    enum { SENT_MAX = 4096 };
    static int64_t s_sent_ns[SENT_MAX];
    throttle_t throttle;
    uint32_t sent = 0;
    throttle_core_init(&throttle, per_second);
    for (int64_t now_ns = 0; now_ns < 5 * ZVT_SECOND_NS && sent < SENT_MAX; now_ns += MS / 4) {
        bool idle = now_ns > 2 * ZVT_SECOND_NS && now_ns < 3 * ZVT_SECOND_NS; /* the burst is saved up again */
        while (!idle && sent < SENT_MAX && throttle_core_take(&throttle, now_ns)) s_sent_ns[sent++] = now_ns;
    }
    for (uint32_t first = 0; first < sent; first++) {
        int64_t count = 0;
        for (uint32_t i = first; i < sent && s_sent_ns[i] - s_sent_ns[first] < ZVT_SECOND_NS + 100 * MS; i++) count++;
        cr_assert_leq(count, per_second, "%lld in a second, the limit is %lld", (long long)count, (long long)per_second);
    }
    cr_assert_geq(sent, (uint32_t)(per_second * 4 * 7 / 10), "it does not hold back much more than it must");
}

Test(throttle_core, keeps_any_second_within_the_limit_with_room_for_jitter)
{
    for (int64_t per_second = 5; per_second <= 500; per_second = per_second * 3 / 2) s_never_exceeds(per_second);
}

Test(throttle_core, tells_when_the_next_items_may_leave)
{
    throttle_t throttle;
    throttle_core_init(&throttle, 8); /* one in 156.25 ms, no burst */
    cr_assert(throttle_core_take(&throttle, 0));
    int64_t next_ns = throttle_core_leave_ns(&throttle, 0, 0);
    cr_assert_not(throttle_core_take(&throttle, next_ns - 1));
    cr_assert(throttle_core_take(&throttle, next_ns));
    cr_assert_eq(throttle_core_leave_ns(&throttle, 2, next_ns), next_ns + 3 * next_ns);
}

/* ---- pacer ---- */
Test(pacer_core, sends_at_once_what_is_within_the_limit_and_lets_the_rest_wait)
{
    pacer_core_t *pacer = pacer_core_new(8, 0);
    zvt_order_send_t order;
    cr_assert_eq(s_put(pacer, 1, 0), PACER_GO);
    cr_assert_eq(s_put(pacer, 2, 0), PACER_WAITS);
    cr_assert_eq(s_put(pacer, 3, 0), PACER_WAITS);
    cr_assert_not(pacer_core_next_order(pacer, 0, &order));
    int64_t next_ns = pacer_core_next_ns(pacer, 0);
    cr_assert_gt(next_ns, 0);
    cr_assert(pacer_core_next_order(pacer, next_ns, &order));
    cr_assert_str_eq(order.client_order_id, "order-0002", "first in, first out");
    cr_assert_not(pacer_core_next_order(pacer, next_ns, &order));
    cr_assert_eq(pacer_core_orders(pacer), 1u);
    pacer_core_destroy(&pacer);
}

Test(pacer_core, refuses_what_would_wait_too_long)
{
    pacer_core_t *pacer = pacer_core_new(8, 0);
    int number = 0;
    while (s_put(pacer, number, 0) != PACER_FULL) cr_assert_lt(++number, 100);
    cr_assert_geq(number, 6, "about a second's worth waits");
    cr_assert_gt(pacer_core_wait_ns(pacer, 0), PACER_PATIENCE_NS);
    pacer_core_destroy(&pacer);
}

Test(pacer_core, refuses_what_would_expire_before_its_turn)
{
    pacer_core_t *pacer = pacer_core_new(8, 0);
    zvt_order_send_t order = s_order(2, 100 * MS);
    cr_assert_eq(s_put(pacer, 1, 0), PACER_GO);
    cr_assert_eq(pacer_core_on_order(pacer, &order, s_at(0)), PACER_FULL);
    order.expires_at_ns = 200 * MS;
    cr_assert_eq(pacer_core_on_order(pacer, &order, s_at(0)), PACER_WAITS);
    pacer_core_destroy(&pacer);
}

Test(pacer_core, never_lets_orders_starve_cancels)
{
    pacer_core_t *pacer = pacer_core_new(8, 8);
    zvt_order_cancel_t cancel = s_cancel(1), next;
    for (int i = 0; i < 5; i++) (void)s_put(pacer, i, 0);
    cr_assert_eq(pacer_core_on_cancel(pacer, &cancel, 0), PACER_GO);
    cancel = s_cancel(2);
    cr_assert_eq(pacer_core_on_cancel(pacer, &cancel, 0), PACER_WAITS);
    cr_assert_eq(pacer_core_on_cancel(pacer, &cancel, 0), PACER_WAITS, "asked twice, it waits once");
    cr_assert_eq(pacer_core_cancels(pacer), 1u);
    cr_assert(pacer_core_next_cancel(pacer, 200 * MS, &next));
    cr_assert_str_eq(next.client_order_id, "order-0002");
    pacer_core_destroy(&pacer);
}

Test(pacer_core, refuses_cancels_only_when_there_is_no_room_at_all)
{
    pacer_core_t *pacer = pacer_core_new(0, 1);
    zvt_order_cancel_t cancel = s_cancel(0);
    cr_assert_eq(pacer_core_on_cancel(pacer, &cancel, 0), PACER_GO);
    for (int i = 1; i <= PACER_CANCELS_MAX; i++) {
        cancel = s_cancel(i);
        cr_assert_eq(pacer_core_on_cancel(pacer, &cancel, 0), PACER_WAITS);
    }
    cancel = s_cancel(PACER_CANCELS_MAX + 1);
    cr_assert_eq(pacer_core_on_cancel(pacer, &cancel, 0), PACER_FULL);
    pacer_core_destroy(&pacer);
}

Test(pacer_core, gives_up_one_order_or_all_of_them)
{
    pacer_core_t *pacer = pacer_core_new(8, 0);
    zvt_order_send_t order;
    for (int i = 0; i < 5; i++) (void)s_put(pacer, i, 0);
    cr_assert(pacer_core_holds(pacer, "order-0003"));
    cr_assert(pacer_core_drop_order(pacer, "order-0003", ZVT_CLIENT_ORDER_SIZE, &order));
    cr_assert_not(pacer_core_holds(pacer, "order-0003"));
    cr_assert_not(pacer_core_drop_order(pacer, "order-0003", ZVT_CLIENT_ORDER_SIZE, &order));
    cr_assert(pacer_core_drop_order(pacer, "order-0004 and more", 10, &order), "by the beginning of its id");
    cr_assert(pacer_core_pop_order(pacer, &order));
    cr_assert_str_eq(order.client_order_id, "order-0001");
    cr_assert(pacer_core_pop_order(pacer, &order));
    cr_assert_str_eq(order.client_order_id, "order-0002");
    cr_assert_not(pacer_core_pop_order(pacer, &order));
    cr_assert_eq(pacer_core_next_ns(pacer, 0), 0);
    pacer_core_destroy(&pacer);
}

Test(pacer_core, takes_an_order_that_waits_only_once)
{
    pacer_core_t *pacer = pacer_core_new(8, 0);
    (void)s_put(pacer, 1, 0);
    cr_assert_eq(s_put(pacer, 2, 0), PACER_WAITS);
    cr_assert_eq(s_put(pacer, 2, 0), PACER_WAITS);
    cr_assert_eq(pacer_core_orders(pacer), 1u);
    pacer_core_destroy(&pacer);
}

Test(pacer_core, wraps_around_its_queue)
{
    pacer_core_t *pacer = pacer_core_new(100000, 0);
    zvt_order_send_t order;
    int next = 0, taken = 0;
    for (int64_t now_ns = 0; taken < 5 * PACER_ORDERS_MAX; now_ns += MS) {
        while (pacer_core_next_order(pacer, now_ns, &order)) cr_assert_eq(atoi(order.client_order_id + 6), taken++ % 10000);
        for (int i = 0; i < 300; i++) {
            pacer_verdict_t verdict = s_put(pacer, next % 10000, now_ns);
            if (verdict == PACER_GO) cr_assert_eq(next % 10000, taken++ % 10000);
            if (verdict != PACER_FULL) next++;
        }
    }
    pacer_core_destroy(&pacer);
}
