#include "fill_core.h"

#include <criterion/criterion.h>
#include <string.h>

enum { STRATEGIES = 3, ORDERS = 12 };

static zvt_fleet_t fleet;
static fill_core_t *core;
static uint8_t bytes[1 << 16];
static zvt_buf_t buf;
static zvt_event_t events[FILL_EVENTS_PER_ORDER];
static zvt_record_t record;

static void s_setup(void)
{
    static const char text[] = "fleet\n    name = \"test\"\ninstruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.00001\n"
                               "        price = 100\n        max_quantity = 20\n        max_position = 100\nvenues\n    alpha\n        latency_ms = 1\n";
    char problem[ZVT_PROBLEM_SIZE];
    cr_assert(zvt_fleet_parse(text, "test.zpl", &fleet, problem) == 0, "%s", problem);
    core = fill_core_new(&fleet, STRATEGIES, 1, 42, 9);
}

static void s_teardown(void)
{
    fill_core_destroy(&core);
}

static void s_next(void)
{
    buf = (zvt_buf_t){.data = bytes, .capacity = sizeof bytes};
    cr_assert(fill_core_next(core, 1700000000000000000, &buf, events) == 0);
}

TestSuite(fill_core, .init = s_setup, .fini = s_teardown);

Test(fill_core, an_order_has_the_nine_events_of_a_plain_fill)
{
    static const zvt_type_t types[FILL_EVENTS_PER_ORDER] = {
        ZVT_T_ORDER_REQUESTED, ZVT_T_ORDER_VALIDATED, ZVT_T_ORDER_CREATED,   ZVT_T_EXCHANGE_ROUTED, ZVT_T_ORDER_SUBMITTED,
        ZVT_T_ORDER_ACCEPTED,  ZVT_T_ORDER_EXECUTED,  ZVT_T_POSITION_UPDATED, ZVT_T_ORDER_COMPLETED};
    s_next();
    for (int i = 0; i < FILL_EVENTS_PER_ORDER; i++) {
        cr_assert(events[i].type == types[i]);
        cr_assert(zvt_read_payload(&events[i], &record) == 0);
        cr_assert(events[i].metadata.epoch == 9);
    }
}

Test(fill_core, every_event_is_caused_by_the_one_before_in_one_saga)
{
    s_next();
    for (int i = 1; i < FILL_EVENTS_PER_ORDER; i++) {
        cr_assert(zvt_id_equal(&events[i].causation_id, &events[i - 1].event_id));
        cr_assert(zvt_id_equal(&events[i].correlation_id, &events[0].correlation_id));
    }
}

Test(fill_core, versions_of_order_and_position_rise_by_one)
{
    uint32_t positions[STRATEGIES] = {0};
    for (int n = 0; n < ORDERS; n++) {
        uint32_t version = 0;
        s_next();
        for (int i = 0; i < FILL_EVENTS_PER_ORDER; i++) {
            uint32_t *of = events[i].type == ZVT_T_POSITION_UPDATED ? &positions[n % STRATEGIES] : &version;
            cr_assert(events[i].aggregate_version == ++*of);
        }
    }
}

Test(fill_core, positions_are_the_sum_of_their_fills_and_return_to_zero)
{
    int64_t quantities_e8[STRATEGIES] = {0};
    for (int n = 0; n < ORDERS; n++) {
        s_next();
        cr_assert(zvt_read_payload(&events[7], &record) == 0);
        quantities_e8[n % STRATEGIES] += record.position_updated.quantity_change_e8;
        cr_assert(record.position_updated.new_quantity_e8 == quantities_e8[n % STRATEGIES]);
    }
    for (int i = 0; i < STRATEGIES; i++) cr_assert(quantities_e8[i] == 0);
}

Test(fill_core, numbers_of_commands_and_reports_have_no_gap)
{
    for (uint64_t n = 0; n < ORDERS; n++) {
        s_next();
        cr_assert(zvt_read_payload(&events[0], &record) == 0);
        cr_assert(record.order_requested.sender_seq == n + 1 && record.order_requested.incarnation == 42);
        cr_assert(zvt_read_payload(&events[5], &record) == 0);
        cr_assert(record.order_accepted.venue_seq == 2 * n + 1);
        cr_assert(zvt_read_payload(&events[6], &record) == 0);
        cr_assert(record.order_executed.venue_seq == 2 * n + 2);
    }
}

Test(fill_core, a_buffer_that_is_too_small_is_told)
{
    buf = (zvt_buf_t){.data = bytes, .capacity = 100};
    cr_assert(fill_core_next(core, 1, &buf, events) == ZVT_ERR_FULL);
}

Test(fill_core, the_barrier_follows_the_system_s_last_event)
{
    zvt_id_t system = {.bytes = {1}}, cause = {.bytes = {2}};
    zvt_event_t barrier;
    buf = (zvt_buf_t){.data = bytes, .capacity = sizeof bytes};
    cr_assert(fill_core_barrier(core, &system, &cause, 5, 1, &buf, &barrier) == 0);
    cr_assert(barrier.type == ZVT_T_SYSTEM_BARRIER && barrier.aggregate_version == 5);
    cr_assert(zvt_id_equal(&barrier.aggregate_id, &system) && zvt_id_equal(&barrier.causation_id, &cause));
}
