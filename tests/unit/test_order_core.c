#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "order_core.h"

static order_core_t *s_core;
static zvt_idgen_t s_ids;

static void s_setup(void)
{
    s_core = order_core_new();
    zvt_idgen_init(&s_ids, 7);
}
static void s_teardown(void) { order_core_destroy(&s_core); }

static int s_apply(const zvt_id_t *order_id, zvt_type_t type, const void *payload)
{
    static zvt_record_t record;
    static uint64_t seq;
    zvt_event_t event = {.seq = ++seq, .type = type, .event_id = zvt_idgen_next(&s_ids, 1000000), .correlation_id = *order_id,
                         .aggregate_id = *order_id, .aggregate_version = 1, .timestamp_ns = 5};
    event.correlation_id.bytes[15] ^= 1;
    record.type = type;
    memcpy(&record.hello, payload, zvt_desc(type)->size);
    return order_core_apply(s_core, &event, &record);
}

static zvt_id_t s_request(int64_t quantity_e8)
{
    zvt_order_requested_t requested = {.order_id = zvt_idgen_next(&s_ids, 1000000)};
    requested.order_request.quantity_e8 = quantity_e8;
    requested.signal_id = requested.order_id;
    snprintf(requested.request_id, sizeof requested.request_id, "request-%02x%02x", requested.order_id.bytes[14], requested.order_id.bytes[15]);
    cr_assert_eq(s_apply(&requested.order_id, ZVT_T_ORDER_REQUESTED, &requested), 0);
    return requested.order_id;
}

static void s_submit(const zvt_id_t *id)
{
    zvt_order_submitted_t submitted = {.order_id = *id, .attempt = 1, .exchange = "alpha"};
    cr_assert_eq(s_apply(id, ZVT_T_ORDER_SUBMITTED, &submitted), 0);
}

Test(order_core, is_found_by_each_of_its_names, .init = s_setup, .fini = s_teardown)
{
    zvt_id_t id = s_request(100);
    order_t *order = order_core_by_id(s_core, &id);
    cr_assert_not_null(order);
    cr_assert_eq(order_core_by_signal(s_core, &id), order);
    cr_assert_eq(order_core_by_request(s_core, order->request_id), order);
    cr_assert_eq(order_core_by_either(s_core, &order->correlation_id), order);
    char client_order_id[ZVT_CLIENT_ORDER_SIZE];
    order_client_order_id(order, 0, 3, client_order_id);
    cr_assert_str_eq(client_order_id + 32, "-0-3");
    cr_assert_eq(order_core_by_client_order(s_core, client_order_id), order);
    order_client_order_id(order, 12, 107, client_order_id);
    cr_assert_str_eq(client_order_id + 32, "-12-7");
    cr_assert_null(order_core_by_client_order(s_core, "short"));
    cr_assert_null(order_core_by_client_order(s_core, "zz345678901234567890123456789012-0-1"));
}

Test(order_core, a_filled_order_adds_up, .init = s_setup, .fini = s_teardown)
{
    zvt_id_t id = s_request(300);
    s_submit(&id);
    zvt_order_executed_t fill = {.order_id = id, .executed_quantity_e8 = 100, .notional_value_e8 = 1000, .commission_e8 = 1};
    cr_assert_eq(s_apply(&id, ZVT_T_ORDER_EXECUTED, &fill), 0);
    order_t *order = order_core_by_id(s_core, &id);
    cr_assert_eq(order->state, ZVT_ORDER_STATE_PARTIALLY_FILLED);
    cr_assert_eq(order_leaves_e8(order), 200);
    fill.executed_quantity_e8 = 200;
    fill.notional_value_e8 = 2600;
    cr_assert_eq(s_apply(&id, ZVT_T_ORDER_EXECUTED, &fill), 0);
    cr_assert_eq(order_average_price_e8(order), 12 * INT64_C(100000000));
    zvt_order_completed_t completed = {.order_id = id};
    cr_assert_eq(s_apply(&id, ZVT_T_ORDER_COMPLETED, &completed), 0);
    cr_assert_eq(order->state, ZVT_ORDER_STATE_FILLED);
    cr_assert(order_is_ended(order));
}

Test(order_core, refuses_events_that_its_state_does_not_allow_and_stays_unchanged, .init = s_setup, .fini = s_teardown)
{
    zvt_id_t id = s_request(100);
    zvt_order_completed_t completed = {.order_id = id};
    zvt_order_accepted_t accepted = {.order_id = id};
    cr_assert_eq(s_apply(&id, ZVT_T_ORDER_COMPLETED, &completed), ZVT_ERR_ILLEGAL);
    cr_assert_eq(s_apply(&id, ZVT_T_ORDER_ACCEPTED, &accepted), ZVT_ERR_ILLEGAL);
    cr_assert_eq(order_core_by_id(s_core, &id)->state, ZVT_ORDER_STATE_INITIALIZED);
    zvt_order_failed_t failed = {.order_id = id, .failure_reason = ZVT_CODE_HALTED};
    cr_assert_eq(s_apply(&id, ZVT_T_ORDER_FAILED, &failed), 0);
    zvt_order_submitted_t submitted = {.order_id = id};
    cr_assert_eq(s_apply(&id, ZVT_T_ORDER_SUBMITTED, &submitted), ZVT_ERR_ILLEGAL);
}

Test(order_core, a_canceled_order_takes_a_late_fill, .init = s_setup, .fini = s_teardown)
{
    zvt_id_t id = s_request(100);
    s_submit(&id);
    zvt_order_canceled_t canceled = {.order_id = id, .reason = ZVT_CODE_CANCEL_REQUESTED};
    cr_assert_eq(s_apply(&id, ZVT_T_ORDER_CANCELED, &canceled), 0);
    zvt_order_executed_t fill = {.order_id = id, .executed_quantity_e8 = 10, .notional_value_e8 = 10};
    cr_assert_eq(s_apply(&id, ZVT_T_ORDER_EXECUTED, &fill), 0);
    order_t *order = order_core_by_id(s_core, &id);
    cr_assert_eq(order->state, ZVT_ORDER_STATE_CANCELED);
    cr_assert_eq(order->cum_qty_e8, 10);
    cr_assert_eq(order_leaves_e8(order), 0);
}

Test(order_core, goes_back_before_the_route_when_an_attempt_definitely_failed, .init = s_setup, .fini = s_teardown)
{
    zvt_id_t id = s_request(100);
    s_submit(&id);
    zvt_saga_step_failed_t failed = {.order_id = id};
    cr_assert_eq(s_apply(&id, ZVT_T_SAGA_STEP_FAILED, &failed), 0);
    order_t *order = order_core_by_id(s_core, &id);
    cr_assert_eq(order->state, ZVT_ORDER_STATE_INITIALIZED);
    cr_assert_eq(order->step, ORDER_STEP_CREATED);
    cr_assert_eq(order->attempt, 1);
}

Test(order_core, forgets_the_order_that_ended_first_when_it_holds_too_many, .init = s_setup, .fini = s_teardown)
{
    zvt_id_t first = s_request(100), open = s_request(100), last = first;
    zvt_order_failed_t failed = {.order_id = first};
    cr_assert_eq(s_apply(&first, ZVT_T_ORDER_FAILED, &failed), 0);
    for (int i = 0; i < ORDERS_ENDED_MAX; i++) {
        last = s_request(100);
        cr_assert_eq(s_apply(&last, ZVT_T_ORDER_FAILED, &failed), 0);
    }
    cr_assert_null(order_core_by_id(s_core, &first));
    cr_assert_not_null(order_core_by_id(s_core, &open));
    cr_assert_not_null(order_core_by_id(s_core, &last));
    cr_assert_eq(order_core_open_count(s_core), 1);
    cr_assert_eq(s_apply(&first, ZVT_T_ORDER_FAILED, &failed), ZVT_ERR_NOT_FOUND);
    uint32_t listed = 0;
    for (int32_t at = order_core_older(s_core, ORDER_NONE); at != ORDER_NONE; at = order_core_older(s_core, at)) listed++;
    cr_assert_eq(listed, ORDERS_ENDED_MAX + 1);
}

static zvt_id_t s_resolved(void)
{
    zvt_id_t id = s_request(100);
    zvt_order_canceled_t canceled = {.order_id = id, .reason = ZVT_CODE_RESOLVED_BY_HAND};
    cr_assert_eq(s_apply(&id, ZVT_T_ORDER_CANCELED, &canceled), 0);
    return id;
}

static void s_fail_many(int count)
{
    zvt_order_failed_t failed = {0};
    for (int i = 0; i < count; i++) {
        failed.order_id = s_request(100);
        cr_assert_eq(s_apply(&failed.order_id, ZVT_T_ORDER_FAILED, &failed), 0);
    }
}

Test(order_core, keeps_what_an_operator_may_still_need_beyond_the_others, .init = s_setup, .fini = s_teardown)
{
    zvt_id_t resolved = s_resolved(), aside = s_request(100), plain = s_request(100);
    zvt_order_failed_t failed = {0};
    zvt_saga_dead_lettered_t letter = {.kind = ZVT_REPORT_KIND_FILL};
    cr_assert_eq(s_apply(&plain, ZVT_T_ORDER_FAILED, &failed), 0);
    cr_assert_eq(s_apply(&aside, ZVT_T_ORDER_FAILED, &failed), 0);
    s_fail_many(ORDERS_ENDED_MAX / 2);
    cr_assert_eq(s_apply(&aside, ZVT_T_SAGA_DEAD_LETTERED, &letter), 0);
    s_fail_many(2 * ORDERS_ENDED_MAX);
    cr_assert_null(order_core_by_id(s_core, &plain));
    cr_assert_not_null(order_core_by_id(s_core, &resolved));
    cr_assert_not_null(order_core_by_id(s_core, &aside));
    cr_assert_eq(order_core_open_count(s_core), 0);
    uint32_t listed = 0;
    for (int32_t at = order_core_next_ended(s_core, ORDER_NONE); at != ORDER_NONE; at = order_core_next_ended(s_core, at)) listed++;
    cr_assert_eq(listed, ORDERS_ENDED_MAX + 2);
}

/* Another table with what this one has saved. */
static order_core_t *s_copy(void)
{
    order_core_t *copy = order_core_new();
    for (int32_t at = order_core_newer(s_core, ORDER_NONE); at != ORDER_NONE; at = order_core_newer(s_core, at)) {
        zvt_saved_order_t saved;
        order_core_save(order_core_at(s_core, at), &saved);
        cr_assert_eq(order_core_restore(copy, &saved), 0);
    }
    for (int32_t at = order_core_next_ended(s_core, ORDER_NONE); at != ORDER_NONE; at = order_core_next_ended(s_core, at))
        cr_assert_eq(order_core_restore_ended(copy, &order_core_at(s_core, at)->order_id), 0);
    return copy;
}

static void s_expect_same_ended(order_core_t *one, order_core_t *other)
{
    int32_t at = order_core_next_ended(one, ORDER_NONE), twin = order_core_next_ended(other, ORDER_NONE);
    for (; at != ORDER_NONE && twin != ORDER_NONE; at = order_core_next_ended(one, at), twin = order_core_next_ended(other, twin))
        cr_assert_eq(memcmp(&order_core_at(one, at)->order_id, &order_core_at(other, twin)->order_id, sizeof(zvt_id_t)), 0);
    cr_assert_eq(at, twin);
}

Test(order_core, keeps_the_same_orders_after_a_checkpoint, .init = s_setup, .fini = s_teardown)
{
    zvt_id_t early = s_resolved();
    s_fail_many(ORDERS_ENDED_MAX);
    zvt_id_t late = s_resolved();
    s_fail_many(ORDERS_ENDED_MAX / 2);
    order_core_t *whole = s_core, *copy = s_copy();
    s_expect_same_ended(whole, copy);
    cr_assert_eq(order_core_open_count(copy), 0);
    /* The same goes on to happen to both. */
    for (int i = 0; i < ORDERS_ENDED_MAX; i++) {
        s_core = whole;
        zvt_id_t id = s_request(100);
        zvt_order_failed_t failed = {.order_id = id};
        zvt_order_requested_t requested = {.order_id = id, .signal_id = id};
        cr_assert_eq(s_apply(&id, ZVT_T_ORDER_FAILED, &failed), 0);
        s_core = copy;
        cr_assert_eq(s_apply(&id, ZVT_T_ORDER_REQUESTED, &requested), 0);
        cr_assert_eq(s_apply(&id, ZVT_T_ORDER_FAILED, &failed), 0);
    }
    s_expect_same_ended(whole, copy);
    cr_assert_not_null(order_core_by_id(copy, &early));
    cr_assert_not_null(order_core_by_id(copy, &late));
    s_core = whole;
    order_core_destroy(&copy);
}

Test(order_core, keeps_a_bounded_number_of_these, .init = s_setup, .fini = s_teardown)
{
    zvt_id_t first = s_resolved(), last = first;
    for (int i = 0; i < ORDERS_KEPT_MAX; i++) last = s_resolved();
    s_fail_many(ORDERS_ENDED_MAX + 1);
    cr_assert_null(order_core_by_id(s_core, &first));
    cr_assert_not_null(order_core_by_id(s_core, &last));
    cr_assert(order_core_has_room(s_core));
}

/* A request that was made at this time, and failed at once. */
static zvt_id_t s_done_at(int64_t created_ns)
{
    zvt_order_requested_t requested = {.order_id = zvt_idgen_next(&s_ids, 1000000), .created_at_ns = created_ns};
    zvt_order_failed_t failed = {.order_id = requested.order_id};
    cr_assert_eq(s_apply(&requested.order_id, ZVT_T_ORDER_REQUESTED, &requested), 0);
    cr_assert_eq(s_apply(&requested.order_id, ZVT_T_ORDER_FAILED, &failed), 0);
    return requested.order_id;
}

Test(order_core, keeps_the_latest_time_of_the_requests_it_has_forgotten, .init = s_setup, .fini = s_teardown)
{
    /* The clock of the clients went back between the first and the second. */
    s_done_at(700);
    s_done_at(300);
    zvt_id_t third = s_done_at(900);
    for (int i = 3; i < ORDERS_ENDED_MAX; i++) s_done_at(0);
    cr_assert_eq(order_core_horizon_ns(s_core), 0, "nothing is forgotten yet");
    s_done_at(0);
    cr_assert_eq(order_core_horizon_ns(s_core), 700);
    s_done_at(0);
    cr_assert_eq(order_core_horizon_ns(s_core), 700, "it never goes back");
    zvt_saved_order_t saved;
    order_core_save(order_core_by_id(s_core, &third), &saved);
    cr_assert_eq(saved.created_at_ns, 900);
    s_done_at(0);
    cr_assert_eq(order_core_horizon_ns(s_core), 900);
    order_core_clear(s_core);
    cr_assert_eq(order_core_horizon_ns(s_core), 0);
    cr_assert_eq(order_core_restore(s_core, &saved), 0);
    order_core_restore_horizon(s_core, 700);
    cr_assert_eq(order_core_by_id(s_core, &saved.order_id)->created_ns, 900);
    cr_assert_eq(order_core_horizon_ns(s_core), 700);
}

Test(order_core, has_no_room_while_the_order_that_ended_first_cannot_be_forgotten, .init = s_setup, .fini = s_teardown)
{
    zvt_id_t first = s_done_at(0);
    order_core_by_id(s_core, &first)->fills_pending = 1;
    for (int i = 1; i < ORDERS_MAX; i++) {
        cr_assert(order_core_has_room(s_core), "%d", i);
        s_done_at(0);
    }
    cr_assert_not(order_core_has_room(s_core));
    order_core_by_id(s_core, &first)->fills_pending = 0;
    cr_assert(order_core_has_room(s_core));
    s_done_at(0);
}
