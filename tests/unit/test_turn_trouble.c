/* The turn core in trouble: compensation, orders resolved by hand, dead letters, accounts that differ. */
#include "turn_fixture.h"

TestSuite(turn_trouble, .init = s_setup, .fini = s_teardown);

/* The last `count` events of the log are of these types. */
static void s_assert_log_ends(const zvt_type_t *types, uint32_t count)
{
    cr_assert_geq(w.log_count, count);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(w.log[w.log_count - count + i].type, types[i], "event %u is %s, not %s", i,
                     zvt_type_name(w.log[w.log_count - count + i].type), zvt_type_name(types[i]));
}

/* ---- compensation ---- */
static void s_cancel_placed(const zvt_id_t *order_id)
{
    turn_client_t client = {{1}};
    zvt_record_t cancel = {.type = ZVT_T_CANCEL_REQUEST, .cancel_request = {.order_id = *order_id}};
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &cancel);
}

Test(turn_trouble, an_order_canceled_between_risk_and_venue_is_compensated_before_it_ends)
{
    static const zvt_type_t end[] = {ZVT_T_ORDER_CREATED, ZVT_T_ORDER_CANCEL_REQUESTED, ZVT_T_SAGA_COMPENSATING,
                                     ZVT_T_SAGA_COMPENSATED, ZVT_T_ORDER_CANCELED};
    w.route_code = ZVT_CODE_NO_VENUE; /* asked again for a while: the order waits for a route */
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.acks_count, 1);
    s_cancel_placed(&w.acks[0].order_id);
    for (int i = 0; i < 10; i++) {
        s_tick(20 * MS);
        s_settle();
    }
    s_assert_log_ends(end, 5);
    cr_assert_eq(w.sent_count, 0);
    cr_assert_eq(w.releases, 1);
    cr_assert_eq(w.cancel_replies, 1);
    cr_assert(w.cancel_reply.success);
}

Test(turn_trouble, an_order_without_a_venue_is_compensated_and_rejected)
{
    static const zvt_type_t end[] = {ZVT_T_SAGA_COMPENSATING, ZVT_T_SAGA_COMPENSATED, ZVT_T_ORDER_REJECTED};
    w.route_code = ZVT_CODE_UNKNOWN_VENUE;
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_MARKET);
    s_give_signal(&signal);
    for (int i = 0; i < 20; i++) {
        s_tick(50 * MS);
        s_settle();
    }
    s_assert_log_ends(end, 3);
    cr_assert_eq(w.sent_count, 0);
}
