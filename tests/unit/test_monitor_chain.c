#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "chain_core.h"
#include "saga.h"

enum { US = 1000 };

static zvt_id_t s_id(uint8_t n)
{
    return (zvt_id_t){.bytes = {[0] = n, [15] = n}};
}

/* An event number n of the saga, caused by number `cause`, at `at_us`. */
static void s_add(chain_core_t *chain, uint8_t n, uint8_t cause, zvt_type_t type, int64_t at_us)
{
    zvt_event_t event = {.seq = n, .type = type, .version = 1, .event_id = s_id(n), .causation_id = s_id(cause),
                         .correlation_id = s_id(200), .aggregate_id = s_id(100), .timestamp_ns = at_us * US,
                         .payload = (const uint8_t *)"\x90", .payload_length = 1};
    cr_assert_eq(chain_core_add(chain, &event), 0);
}

static chain_core_t *s_straight_chain(void)
{
    chain_core_t *chain = chain_core_new();
    s_add(chain, 1, 200, ZVT_T_ORDER_REQUESTED, 1000);
    s_add(chain, 2, 1, ZVT_T_ORDER_VALIDATED, 1300);
    s_add(chain, 3, 2, ZVT_T_ORDER_CREATED, 1400);
    chain_core_link(chain);
    return chain;
}

Test(monitor_chain, links_events_to_their_causes_with_times)
{
    chain_core_t *chain = s_straight_chain();
    const chain_link_t *first = chain_core_at(chain, 0), *last = chain_core_at(chain, 2);
    cr_assert_eq(first->cause, CHAIN_NO_CAUSE);
    cr_assert_eq(last->cause, 1);
    cr_assert_eq(last->depth, 2);
    cr_assert_eq(last->step_ns, 100 * US);
    cr_assert_eq(last->since_start_ns, 400 * US);
    cr_assert_eq(chain_core_duration_ns(chain), 400 * US);
    cr_assert(chain_core_unbroken(chain));
    chain_core_destroy(&chain);
}

Test(monitor_chain, lets_several_events_follow_from_one)
{
    chain_core_t *chain = chain_core_new();
    s_add(chain, 1, 200, ZVT_T_ORDER_REQUESTED, 0);
    s_add(chain, 2, 1, ZVT_T_ORDER_EXECUTED, 10);
    s_add(chain, 3, 1, ZVT_T_ORDER_EXECUTED, 20);
    chain_core_link(chain);
    cr_assert_eq(chain_core_at(chain, 1)->depth, 1);
    cr_assert_eq(chain_core_at(chain, 2)->depth, 1);
    cr_assert(chain_core_unbroken(chain));
    chain_core_destroy(&chain);
}

Test(monitor_chain, notices_a_cause_that_is_missing)
{
    chain_core_t *chain = chain_core_new();
    s_add(chain, 1, 200, ZVT_T_ORDER_REQUESTED, 0);
    s_add(chain, 3, 2, ZVT_T_ORDER_CREATED, 10);
    chain_core_link(chain);
    cr_assert(chain_core_at(chain, 1)->broken);
    cr_assert_not(chain_core_unbroken(chain));
    chain_core_destroy(&chain);
}

Test(monitor_chain, notices_a_cause_that_comes_later)
{
    chain_core_t *chain = chain_core_new();
    s_add(chain, 1, 200, ZVT_T_ORDER_REQUESTED, 0);
    s_add(chain, 2, 3, ZVT_T_ORDER_VALIDATED, 10);
    s_add(chain, 3, 1, ZVT_T_ORDER_CREATED, 10);
    chain_core_link(chain);
    cr_assert_not(chain_core_unbroken(chain));
    chain_core_destroy(&chain);
}

Test(monitor_chain, takes_a_cancel_from_outside)
{
    chain_core_t *chain = chain_core_new();
    s_add(chain, 1, 200, ZVT_T_ORDER_REQUESTED, 0);
    s_add(chain, 2, 99, ZVT_T_ORDER_CANCEL_REQUESTED, 10);
    s_add(chain, 3, 2, ZVT_T_ORDER_CANCELED, 20);
    chain_core_link(chain);
    cr_assert(chain_core_unbroken(chain));
    chain_core_destroy(&chain);
}

Test(monitor_chain, refuses_events_out_of_order_and_beyond_its_bound)
{
    chain_core_t *chain = chain_core_new();
    zvt_event_t event = {.seq = 5};
    cr_assert_eq(chain_core_add(chain, &event), 0);
    cr_assert_eq(chain_core_add(chain, &event), ZVT_ERR_ILLEGAL);
    for (uint64_t seq = 6; chain_core_count(chain) < CHAIN_EVENTS_MAX; seq++) {
        event.seq = seq;
        cr_assert_eq(chain_core_add(chain, &event), 0);
    }
    event.seq++;
    cr_assert_eq(chain_core_add(chain, &event), ZVT_ERR_FULL);
    chain_core_destroy(&chain);
}

Test(monitor_chain, of_nothing_is_not_unbroken)
{
    chain_core_t *chain = chain_core_new();
    chain_core_link(chain);
    cr_assert_not(chain_core_unbroken(chain));
    cr_assert_eq(chain_core_duration_ns(chain), 0);
    chain_core_destroy(&chain);
}

Test(monitor_chain, prints_each_event_under_its_cause)
{
    chain_core_t *chain = s_straight_chain();
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    saga_print(out, chain, false);
    fclose(out);
    cr_assert_not_null(strstr(text, "       1      0.000             order.requested"));
    cr_assert_not_null(strstr(text, "       2      0.300      0.300    order.validated"));
    cr_assert_not_null(strstr(text, "       3      0.400      0.100      order.created"));
    cr_assert_not_null(strstr(text, "3 events in 0.400 ms; causation is unbroken"));
    free(text);
    chain_core_destroy(&chain);
}

Test(monitor_chain, prints_json_with_cause_and_times)
{
    chain_core_t *chain = s_straight_chain();
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    saga_print_json(out, chain, 3);
    fclose(out);
    json_t *json = json_loads(text, 0, NULL), *events = json_object_get(json, "events");
    cr_assert_not_null(json, "%s", text);
    cr_assert(json_is_true(json_object_get(json, "unbroken")));
    cr_assert_str_eq(json_string_value(json_object_get(json, "duration_ms")), "0.400");
    cr_assert_str_eq(json_string_value(json_object_get(json, "order_id")), "64000000-0000-0000-0000-000000000064");
    cr_assert_eq(json_array_size(events), 3);
    cr_assert(json_is_null(json_object_get(json_array_get(events, 0), "cause_seq")));
    cr_assert_eq(json_integer_value(json_object_get(json_array_get(events, 2), "cause_seq")), 2);
    cr_assert_eq(json_integer_value(json_object_get(json_array_get(events, 2), "shard")), 3);
    cr_assert_str_eq(json_string_value(json_object_get(json_array_get(events, 2), "step_ms")), "0.100");
    json_decref(json);
    free(text);
    chain_core_destroy(&chain);
}
