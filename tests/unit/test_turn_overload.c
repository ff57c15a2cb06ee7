/* The turn core under more than it can take: a runaway strategy, a log that does not answer, batches that are large. */
#include "turn_fixture.h"
#include "turn_world.h"

TestSuite(turn_overload, .init = s_setup, .fini = s_teardown);

enum { RATE = 251 }; /* a quarter above the 200 that risk lets pass */

/* A burst of signals by one strategy, all within one turn. */
static void s_burst(uint64_t first, uint64_t count)
{
    for (uint64_t n = first; n < first + count; n++) {
        zvt_record_t signal = s_signal(n, ZVT_ORDER_TYPE_LIMIT);
        s_give_signal(&signal);
    }
}

static zvt_record_t s_place(const char *strategy_id)
{
    zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST, .place_request = {.wait = ZVT_WAIT_COMMITTED, .timeout_ms = 3000}};
    ZVT_STR_SET(request.place_request.strategy_id, strategy_id);
    request.place_request.order_request = s_terms(ZVT_ORDER_TYPE_LIMIT);
    return request;
}

Test(turn_overload, a_runaway_strategy_is_refused_with_a_reason_and_leaves_no_trace_in_the_log)
{
    w.risk_silent = true;
    s_burst(1, 10000);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_OK], RATE);
    cr_assert_eq(w.acks_of[ZVT_CODE_SIGNAL_RATE], 10000 - RATE);
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), RATE);
    cr_assert_eq(s_count(ZVT_T_ORDER_REJECTED), 0);
}

Test(turn_overload, refusals_to_one_sender_share_messages)
{
    w.risk_silent = true;
    s_burst(1, 10000);
    s_settle();
    cr_assert_lt(w.ack_messages, 50, "%d messages for 10,000 acknowledgements", w.ack_messages);
}

Test(turn_overload, a_runaway_takes_nothing_from_another_strategy)
{
    s_burst(1, 1000);
    zvt_record_t signal = s_signal(5000, ZVT_ORDER_TYPE_MARKET);
    ZVT_STR_SET(signal.signal.sender, "bob");
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_OK], RATE + 1);
}

Test(turn_overload, a_refused_number_may_be_sent_again_and_is_taken_when_there_is_a_token)
{
    s_burst(1, RATE + 1);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_SIGNAL_RATE], 1);
    s_tick(1000 * MS);
    zvt_record_t signal = s_signal(RATE + 1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_OK], RATE + 1);
}

Test(turn_overload, a_copy_of_a_signal_that_was_taken_costs_no_token_and_is_never_refused_for_its_rate)
{
    s_burst(1, RATE);
    s_settle();
    s_burst(1, RATE);
    s_burst(1, RATE);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_DUPLICATE], 2 * RATE);
    cr_assert_eq(w.acks_of[ZVT_CODE_SIGNAL_RATE], 0);
}

/* A burst of signals by one sender, each for another strategy. */
static void s_burst_rotating(uint64_t first, uint64_t count)
{
    for (uint64_t n = first; n < first + count; n++) {
        zvt_record_t signal = s_signal(n, ZVT_ORDER_TYPE_LIMIT);
        snprintf(signal.signal.strategy_id, sizeof signal.signal.strategy_id, "r%d", (int)n);
        s_give_signal(&signal);
    }
}

Test(turn_overload, a_sender_that_changes_its_strategys_name_is_refused_and_harms_nobody)
{
    w.risk_silent = true;
    s_burst_rotating(1, 10000);
    zvt_record_t signal = s_signal(20000, ZVT_ORDER_TYPE_MARKET);
    ZVT_STR_SET(signal.signal.sender, "bob");
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_OK], ADMISSION_OF_SENDER_MAX + 1);
    cr_assert_eq(w.acks_of[ZVT_CODE_SIGNAL_RATE], 10000 - ADMISSION_OF_SENDER_MAX);
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), ADMISSION_OF_SENDER_MAX + 1);
}

/* A log with so many positions, all of them closed, open for orders. */
static void s_open_with_positions(uint32_t count)
{
    static uint8_t bytes[4096];
    turn_core_destroy(&w.core);
    w.core = s_new_core();
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    for (uint32_t n = 0; n < count; n++) {
        char strategy_id[ZVT_NAME_SIZE];
        snprintf(strategy_id, sizeof strategy_id, "s%u", n);
        zvt_position_updated_t position = {.position_id = zvt_id_of_position("main", strategy_id, "BTC/USDT")};
        zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
        cr_assert_eq(zvt_pack_payload(&buf, ZVT_T_POSITION_UPDATED, &position), 0);
        zvt_event_t event = {.seq = n + 1, .type = ZVT_T_POSITION_UPDATED, .aggregate_id = position.position_id, .aggregate_version = 1,
                             .payload = bytes, .payload_length = buf.length};
        cr_assert_eq(turn_core_fold(w.core, &event), 0);
    }
    turn_core_open(w.core, 2, 0);
    s_services_up();
    s_settle();
}

Test(turn_overload, an_order_whose_fill_would_find_no_place_is_refused_and_known_positions_trade_on)
{
    s_open_with_positions(POSITIONS_MAX - POSITIONS_RESERVE);
    zvt_record_t stranger = s_place("stranger"), known = s_place("s7"), signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_ask_for(&stranger);
    s_give_signal(&signal);
    s_ask_for(&known);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ALERT_TRIGGERED), 1, "said once");
    cr_assert_eq(w.places_count, 2);
    cr_assert_eq(w.places[0].code, ZVT_CODE_POSITIONS_FULL);
    cr_assert(zvt_id_is_none(&w.places[0].order_id), "not recorded");
    cr_assert_eq(w.acks_of[ZVT_CODE_POSITIONS_FULL], 1);
    cr_assert(w.places[1].success, "%s", w.places[1].message);
}

Test(turn_overload, open_orders_count_as_the_positions_they_may_make)
{
    s_open_with_positions(POSITIONS_MAX - POSITIONS_RESERVE - 2);
    zvt_record_t first = s_place("one"), second = s_place("two"), third = s_place("three");
    s_ask_for(&first);
    s_ask_for(&second);
    s_ask_for(&third);
    s_settle();
    cr_assert_eq(w.places_count, 3);
    cr_assert_eq(w.places[0].code, ZVT_CODE_POSITIONS_FULL, "the refusal comes first, without a commit");
    cr_assert(w.places[1].success && w.places[2].success);
}

Test(turn_overload, clients_orders_count_for_the_strategy_they_name)
{
    zvt_record_t request = s_place("desk"), other = s_place("other");
    for (int i = 0; i < RATE + 2; i++) s_ask_for(&request);
    cr_assert_eq(w.places_count, 2);
    cr_assert_eq(w.places[0].code, ZVT_CODE_SIGNAL_RATE);
    cr_assert(zvt_id_is_none(&w.places[0].order_id));
    s_ask_for(&other);
    s_settle();
    cr_assert_eq(w.places_count, RATE + 3);
    cr_assert(w.places[w.places_count - 1].success);
}

Test(turn_overload, commands_are_refused_while_a_commit_does_not_end_and_taken_again_when_it_has)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT), request = s_place("desk");
    s_give_signal(&signal);
    s_tick(10 * MS);
    cr_assert(w.commit_pending);
    s_tick(TURN_STALL_NS + 1);
    cr_assert(turn_core_is_stalled(w.core));
    s_ask_for(&request);
    cr_assert_eq(w.places_count, 1);
    cr_assert_eq(w.places[0].code, ZVT_CODE_LOG_UNAVAILABLE);
    signal = s_signal(2, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_tick(0);
    cr_assert_eq(w.acks_of[ZVT_CODE_LOG_UNAVAILABLE], 1);
    s_confirm();
    cr_assert_not(turn_core_is_stalled(w.core));
    s_ask_for(&request);
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.places_count, 2);
    cr_assert(w.places[1].success);
    cr_assert_eq(w.acks_of[ZVT_CODE_OK], 2);
}

Test(turn_overload, a_client_that_waits_is_told_at_the_end_of_its_time_that_the_log_does_not_answer)
{
    zvt_record_t request = s_place("desk");
    request.place_request.wait = ZVT_WAIT_FILLED;
    s_ask_for(&request);
    s_settle();
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_tick(10 * MS);
    cr_assert(w.commit_pending);
    for (int i = 0; i < 40; i++) s_tick(100 * MS);
    cr_assert_eq(w.places_count, 1);
    cr_assert_eq(w.places[0].code, ZVT_CODE_LOG_UNAVAILABLE);
    cr_assert_not(w.places[0].success);
    cr_assert_not(zvt_id_is_none(&w.places[0].order_id), "it can be looked up");
}

Test(turn_overload, a_halt_is_in_force_and_answered_while_the_log_does_not_answer)
{
    const turn_client_t client = {{1}};
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT), halt = {.type = ZVT_T_HALT_REQUEST, .halt_request = {.halt = true}};
    ZVT_STR_SET(halt.halt_request.reason, "stop");
    s_give_signal(&signal);
    s_tick(10 * MS);
    s_tick(TURN_STALL_NS + 1);
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &halt);
    turn_status_t status;
    turn_core_status(w.core, &status);
    cr_assert(status.halted);
    s_tick(1000 * MS);
    cr_assert_eq(w.command_replies, 1);
    cr_assert(w.command_reply.success);
    halt.halt_request.halt = false;
    turn_core_on_record(w.core, TURN_FROM_CLIENT, &client, &halt);
    cr_assert_not(w.command_reply.success, "a resume must be durable");
    s_settle();
    cr_assert_eq(s_count(ZVT_T_RISK_HALTED), 1);
}

Test(turn_overload, a_large_batch_is_published_in_messages_of_a_bounded_size_without_a_gap)
{
    w.risk_silent = true;
    int before = w.frames_count;
    uint64_t seq = w.frames[before - 1].last_seq;
    for (int strategy = 0; strategy < 4; strategy++) {
        for (uint64_t n = 1; n <= 200; n++) {
            zvt_record_t signal = s_signal((uint64_t)strategy * 1000 + n, ZVT_ORDER_TYPE_LIMIT);
            snprintf(signal.signal.sender, sizeof signal.signal.sender, "s%d", strategy);
            signal.signal.sender_seq = n;
            s_give_signal(&signal);
        }
    }
    s_settle();
    cr_assert_gt(w.frames_count - before, 1);
    cr_assert_leq(w.frame_max, (size_t)70 << 10);
    uint64_t tip = 0;
    for (int i = before; i < w.frames_count; i++) {
        cr_assert_eq(w.frames[i].first_seq, seq + 1);
        seq = w.frames[i].last_seq;
        cr_assert_geq(w.frames[i].tip_seq, seq);
        tip = w.frames[i].tip_seq;
    }
    cr_assert_eq(seq, w.log[w.log_count - 1].seq);
    cr_assert_eq(tip, seq);
}

Test(turn_overload, long_lists_are_refused_once_clients_have_had_their_share_and_allowed_again_after_a_while)
{
    enum { ORDERS = 200, LISTS = 1000 };
    s_burst(1, ORDERS);
    s_settle();
    zvt_record_t query = {.type = ZVT_T_ORDERS_QUERY, .orders_query = {.limit = ORDERS}};
    for (int n = 0; n < LISTS; n++) s_ask_for(&query);
    cr_assert_geq(w.list_ends, 100);
    cr_assert_leq(w.list_ends, LISTS / 2);
    cr_assert_eq(w.error_replies, LISTS - w.list_ends);
    cr_assert_eq(w.error_reply.code, ZVT_CODE_OVERLOADED);
    int ended = w.list_ends;
    s_tick(ZVT_SECOND_NS);
    s_ask_for(&query);
    cr_assert_eq(w.list_ends, ended + 1);
}
