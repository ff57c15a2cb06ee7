/* What anybody may repeat while the log does not answer: it takes no room, and says nothing that is not so. */
#include "turn_fixture.h"
#include "turn_world.h"

TestSuite(turn_copies, .init = s_setup, .fini = s_teardown);

enum { COPIES = EFFECTS_MAX + 10000 };

/* An order that rests at its venue; returns its id. */
static zvt_id_t s_rest(void)
{
    zvt_record_t signal = s_signal(1, ZVT_ORDER_TYPE_LIMIT);
    s_give_signal(&signal);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_OK], 1);
    return w.acks[0].order_id;
}

static zvt_record_t s_signal_cancel(uint64_t sender_seq, const zvt_id_t *order_id)
{
    return (zvt_record_t){.type = ZVT_T_SIGNAL_CANCEL, .signal_cancel = {.sender = "alice", .incarnation = 5, .sender_seq = sender_seq,
                                                                        .order_id = *order_id}};
}

static zvt_record_t s_adjust(void)
{
    return (zvt_record_t){.type = ZVT_T_ADJUST_REQUEST,
                          .adjust_request = {.strategy_id = "desk", .symbol = "BTC/USDT", .quantity_change_e8 = ZVT_E8,
                                             .price_e8 = 50000 * ZVT_E8, .requested_by = "ann", .reason = "by phone", .request_id = "call-1"}};
}

static zvt_record_t s_place(const char *request_id)
{
    zvt_record_t request = {.type = ZVT_T_PLACE_REQUEST, .place_request = {.wait = ZVT_WAIT_FILLED}};
    ZVT_STR_SET(request.place_request.request_id, request_id);
    request.place_request.order_request = s_terms(ZVT_ORDER_TYPE_LIMIT);
    return request;
}

/* Copies of a command that wait for its commit, until there is room for no more. */
static void s_use_up_the_room(void)
{
    zvt_record_t adjust = s_adjust();
    for (int i = 0; i < COPIES; i++) s_ask_for(&adjust);
    cr_assert(w.command_replies > 0, "those without room are answered");
    cr_assert_eq(w.command_reply.code, ZVT_CODE_OVERLOADED);
    cr_assert_lt(w.core->effects_used, EFFECTS_MAX);
}

Test(turn_copies, copies_of_a_signal_cancel_take_no_room_while_the_log_does_not_answer)
{
    zvt_id_t order_id = s_rest();
    zvt_record_t cancel = s_signal_cancel(2, &order_id);
    s_give_signal(&cancel);
    s_tick(10 * MS);
    cr_assert(w.commit_pending);
    uint32_t before = w.core->effects_used;
    for (int i = 0; i < COPIES; i++) {
        if (i == COPIES / 2) s_tick(TURN_STALL_NS + 1);
        s_give_signal(&cancel);
    }
    cr_assert_eq(w.core->effects_used, before);
    s_tick(0);
    cr_assert_eq(w.acks_count, 1, "no copy is told what is not durable");
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_OK], 2, "the first cancel is acknowledged");
    s_give_signal(&cancel);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_DUPLICATE], 1, "and a copy that comes later");
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCEL_REQUESTED), 1);
}

Test(turn_copies, nor_do_other_cancels_of_the_same_order)
{
    zvt_id_t order_id = s_rest();
    zvt_record_t cancel = s_signal_cancel(2, &order_id);
    w.venue_silent = true;
    s_give_signal(&cancel);
    s_tick(10 * MS);
    uint32_t before = w.core->effects_used;
    cancel = s_signal_cancel(3, &order_id);
    for (int i = 0; i < COPIES; i++) s_give_signal(&cancel);
    s_tick(0);
    cr_assert_eq(w.core->effects_used, before);
    cr_assert_eq(w.acks_count, 1, "none is told what is not durable");
    s_settle();
    s_give_signal(&cancel);
    s_settle();
    cr_assert_eq(w.acks_of[ZVT_CODE_OK], 3, "it is sent again until the first is durable");
    cr_assert_eq(s_count(ZVT_T_ORDER_CANCEL_REQUESTED), 1);
}

Test(turn_copies, copies_of_an_operators_command_wait_for_the_log_only_while_there_is_room)
{
    zvt_record_t adjust = s_adjust();
    s_ask_for(&adjust);
    s_tick(10 * MS);
    cr_assert(w.commit_pending);
    s_use_up_the_room();
    cr_assert_not_null(strstr(w.command_reply.message, "same request id"), "%s", w.command_reply.message);
    s_settle();
    s_ask_for(&adjust);
    cr_assert(w.command_reply.success);
    cr_assert_eq(s_count(ZVT_T_POSITION_ADJUSTED), 1);
}

Test(turn_copies, without_room_a_cancel_and_a_barrier_are_refused_with_a_reason_and_taken_again_when_there_is_some)
{
    zvt_record_t cancel = {.type = ZVT_T_CANCEL_REQUEST, .cancel_request = {.order_id = s_rest()}}, barrier = {.type = ZVT_T_BARRIER_REQUEST};
    zvt_record_t adjust = s_adjust();
    s_ask_for(&adjust);
    s_tick(10 * MS);
    s_use_up_the_room();
    s_ask_for(&cancel);
    cr_assert_eq(w.cancel_replies, 1);
    cr_assert_eq(w.cancel_reply.code, ZVT_CODE_OVERLOADED);
    cr_assert_not_null(strstr(w.cancel_reply.message, "nothing was done"), "%s", w.cancel_reply.message);
    int replies = w.command_replies;
    s_ask_for(&barrier);
    cr_assert_eq(w.command_replies, replies + 1);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_OVERLOADED);
    s_settle();
    cr_assert_eq(w.cancels, 0);
    s_ask_for(&cancel);
    s_settle();
    cr_assert_geq(w.cancels, 1);
}

/* ---- requests ---- */
Test(turn_copies, a_copy_of_a_request_that_was_taken_is_told_its_order_while_the_log_does_not_answer)
{
    zvt_record_t request = s_place("r1"), other = s_place("r2");
    s_ask_for(&request);
    s_tick(10 * MS);
    cr_assert(w.commit_pending);
    s_tick(TURN_STALL_NS + 1);
    cr_assert(turn_core_is_stalled(w.core));
    s_ask_for(&request);
    cr_assert_eq(w.places_count, 1);
    const zvt_place_reply_t *reply = &w.places[0];
    cr_assert_eq(reply->code, ZVT_CODE_LOG_UNAVAILABLE);
    cr_assert_str_eq(reply->request_id, "r1");
    cr_assert_not(zvt_id_is_none(&reply->order_id), "it can be looked up");
    cr_assert_null(strstr(reply->message, "nothing was done"), "%s", reply->message);
    cr_assert_not_null(strstr(reply->message, "same request id"), "its commit may still fail: %s", reply->message);
    s_ask_for(&other);
    cr_assert(zvt_id_is_none(&w.places[1].order_id));
    cr_assert_not_null(strstr(w.places[1].message, "nothing was done"), "%s", w.places[1].message);
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), 1);
}

Test(turn_copies, a_copy_of_a_request_that_was_taken_is_told_its_order_when_there_is_no_room)
{
    zvt_record_t request = s_place("r1"), other = s_place("r2"), adjust = s_adjust();
    s_ask_for(&request);
    s_settle();
    s_ask_for(&adjust);
    s_tick(10 * MS);
    s_use_up_the_room();
    s_ask_for(&request);
    cr_assert_eq(w.places_count, 1);
    cr_assert_eq(w.places[0].code, ZVT_CODE_OVERLOADED);
    cr_assert_not(zvt_id_is_none(&w.places[0].order_id));
    cr_assert_null(strstr(w.places[0].message, "nothing was done"), "%s", w.places[0].message);
    s_ask_for(&other);
    cr_assert(zvt_id_is_none(&w.places[1].order_id));
    cr_assert_not_null(strstr(w.places[1].message, "nothing was done"), "%s", w.places[1].message);
}

Test(turn_copies, while_the_log_is_read_nobody_can_say_whether_a_request_was_taken)
{
    zvt_record_t request = s_place("r1"), nameless = s_place("");
    s_ask_for(&request);
    s_settle();
    turn_core_destroy(&w.core);
    w.core = s_new_core();
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    int before = w.places_count;
    s_ask_for(&request);
    s_ask_for(&nameless);
    cr_assert_eq(w.places_count, before + 2);
    cr_assert_eq(w.places[before].code, ZVT_CODE_LOG_UNAVAILABLE);
    cr_assert_null(strstr(w.places[before].message, "nothing was done"), "%s", w.places[before].message);
    cr_assert_not_null(strstr(w.places[before].message, "same request id"), "%s", w.places[before].message);
    cr_assert_not_null(strstr(w.places[before + 1].message, "nothing was done"), "%s", w.places[before + 1].message);
}

/* ---- reports ---- */
static void s_report_stranger(uint64_t venue_seq, uint8_t kind)
{
    zvt_record_t record = {.type = ZVT_T_REPORT, .report = {.exchange = "alpha", .client_order_id = "stranger-1", .symbol = "BTC/USDT",
                                                            .venue_seq = venue_seq, .kind = kind, .side = ZVT_SIDE_BUY, .code = ZVT_CODE_OK}};
    turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &record);
}

/* A commit hangs, and the batch behind it is full of events of the system. */
static void s_fill_batch(void)
{
    zvt_record_t barrier = {.type = ZVT_T_BARRIER_REQUEST};
    s_ask_for(&barrier);
    s_tick(MS);
    cr_assert(w.commit_pending);
    for (int i = 0; i <= TURN_BATCH_EVENTS_MAX; i++) s_ask_for(&barrier);
    cr_assert_eq(w.command_reply.code, ZVT_CODE_OVERLOADED, "the batch is full");
}

Test(turn_copies, a_report_of_nobodys_order_that_finds_the_batch_full_is_fetched_again)
{
    static const uint8_t kinds[] = {ZVT_REPORT_KIND_ACCEPTED, 0}; /* an order, or a kind, that nobody knows */
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t venue_seq = ++w.venue_seq;
        s_fill_batch();
        s_report_stranger(venue_seq, kinds[i]);
        s_settle();
        cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), i);
        int asked = w.since_asked;
        for (int n = 0; n < 10; n++) s_tick(100 * MS);
        cr_assert_gt(w.since_asked, asked, "the venue is asked for it");
        cr_assert_eq(w.since.cursor, venue_seq - 1);
        s_report_stranger(venue_seq, kinds[i]);
        s_settle();
        cr_assert_eq(s_count(ZVT_T_SAGA_DEAD_LETTERED), i + 1);
        cr_assert_eq(w.core->venues[0].logged.window.contiguous, venue_seq);
        w.command_reply.code = ZVT_CODE_OK;
    }
}
