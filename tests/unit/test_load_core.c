#include "load_core.h"

#include <criterion/criterion.h>
#include <string.h>

#include "zvt_time.h"

#define START_NS (100 * ZVT_SECOND_NS)
#define UTC_OFFSET_NS (1700000000 * ZVT_SECOND_NS)

static zvt_fleet_t fleet;
static load_core_t *core;
static zvt_record_t record;
static uint8_t bytes[1 << 16];
static zvt_buf_t buf;

static void s_setup(void)
{
    static const char text[] = "fleet\n    name = \"test\"\ninstruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.00001\n"
                               "        max_quantity = 20\n        max_position = 100\n    ETH/USDT\n        tick = 0.01\n"
                               "        lot = 0.0001\n        max_quantity = 400\n        max_position = 2000\n"
                               "venues\n    alpha\n        latency_ms = 1\n";
    char problem[ZVT_PROBLEM_SIZE];
    cr_assert(zvt_fleet_parse(text, "test.zpl", &fleet, problem) == 0, "%s", problem);
    buf = (zvt_buf_t){.data = bytes, .capacity = sizeof bytes};
}

static void s_teardown(void)
{
    load_core_destroy(&core);
}

static void s_start(load_config_t config)
{
    config.strategies = 2;
    config.senders = 2;
    if (config.symbols == 0) config.symbols = 1;
    config.venue = "";
    config.quantity_e8 = 10000;
    core = load_core_new(&config, &fleet, "bench", 7);
    zvt_price_updated_t quote = {.bid_e8 = 100 * ZVT_SECOND_NS, .ask_e8 = 101 * ZVT_SECOND_NS, .ask_volume_e8 = 500000000};
    ZVT_STR_SET(quote.symbol, "ETH/USDT");
    ZVT_STR_SET(quote.venue, "alpha");
    load_core_on_quote(core, &quote);
    cr_assert(load_core_can_start(core));
    load_core_start(core, START_NS, START_NS + UTC_OFFSET_NS);
}

/* The next record, of a burst that the socket takes or not. */
static bool s_next_through(int64_t after_ns, bool has_left)
{
    bool is_due = load_core_next(core, START_NS + after_ns, START_NS + after_ns + UTC_OFFSET_NS, &record);
    load_core_on_burst(core, has_left);
    return is_due;
}

static bool s_next(int64_t after_ns)
{
    return s_next_through(after_ns, true);
}

/* An event of order n's saga as the log has it, seen at the same moment as it was made. */
static void s_event(uint64_t n, zvt_type_t type, const void *payload, int64_t after_ns)
{
    zvt_event_t event = {.type = type, .timestamp_ns = START_NS + after_ns + UTC_OFFSET_NS};
    event.correlation_id.bytes[15] = (uint8_t)(n + 1);
    buf.length = 0;
    cr_assert(zvt_pack_payload(&buf, type, payload) == 0);
    event.payload = buf.data;
    event.payload_length = buf.length;
    load_core_on_event(core, &event, event.timestamp_ns, START_NS + after_ns);
}

static void s_request(uint64_t n, int64_t after_ns)
{
    zvt_order_requested_t requested = {.incarnation = 7, .sender_seq = n / 2 + 1};
    snprintf(requested.sender, sizeof requested.sender, "bench-%d", (int)(n % 2));
    s_event(n, ZVT_T_ORDER_REQUESTED, &requested, after_ns);
}

static void s_complete(uint64_t n, int64_t after_ns)
{
    s_event(n, ZVT_T_ORDER_COMPLETED, &(zvt_order_completed_t){0}, after_ns);
}

static load_counts_t s_counts(void)
{
    load_counts_t counts;
    load_core_counts(core, &counts);
    return counts;
}

TestSuite(load_core, .init = s_setup, .fini = s_teardown);

Test(load_core, sends_an_order_when_it_is_due_and_not_before)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 1});
    cr_assert(s_next(0) && record.type == ZVT_T_SIGNAL);
    cr_assert(!s_next(50 * ZVT_MS_NS));
    cr_assert(load_core_next_ns(core) == START_NS + 100 * ZVT_MS_NS);
    cr_assert(s_next(100 * ZVT_MS_NS));
}

Test(load_core, a_stall_shows_in_all_orders_that_were_due_meanwhile)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 1});
    for (int n = 0; n < 10; n++) cr_assert(s_next(900 * ZVT_MS_NS)); /* the sender itself was held up */
    for (uint64_t n = 0; n < 10; n++) {
        s_request(n, 900 * ZVT_MS_NS);
        s_complete(n, 1000 * ZVT_MS_NS);
    }
    cr_assert(load_core_is_over(core));
    /* The first order was due a second ago, the last one 100 ms ago. */
    cr_assert(zvt_histogram_percentile(load_stage(STAGE_COMPLETED), 100) == 1000 * ZVT_MS_NS);
    cr_assert(zvt_histogram_percentile(load_stage(STAGE_COMPLETED), 1) < 103 * ZVT_MS_NS);
}

Test(load_core, the_warm_up_is_sent_but_not_measured)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 1, .warmup_s = 1});
    for (uint64_t n = 0; n < 20; n++) {
        int64_t due_ns = (int64_t)n * 100 * ZVT_MS_NS;
        cr_assert(s_next(due_ns));
        s_request(n, due_ns);
        s_complete(n, due_ns + ZVT_MS_NS);
    }
    cr_assert(s_counts().sent == 20 && s_counts().succeeded == 20 && s_counts().measured_succeeded == 10);
    cr_assert(zvt_histogram_count(load_stage(STAGE_COMPLETED)) == 10);
}

Test(load_core, an_order_that_was_acknowledged_and_never_ended_is_lost)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 0.3});
    for (int n = 0; n < 3; n++) cr_assert(s_next(300 * ZVT_MS_NS));
    s_request(0, 301 * ZVT_MS_NS);
    s_complete(0, 302 * ZVT_MS_NS);
    load_core_on_ack(core, "bench-1", &(zvt_signal_ack_t){.incarnation = 7, .sender_seq = 1, .code = ZVT_CODE_OK});
    cr_assert(s_counts().succeeded == 1 && s_counts().lost == 1 && s_counts().unanswered == 1);
    cr_assert(!load_core_is_over(core));
}

Test(load_core, a_signal_that_the_socket_refused_is_unsent_and_not_just_unanswered)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 0.3});
    cr_assert(s_next_through(300 * ZVT_MS_NS, false) && s_next(300 * ZVT_MS_NS) && s_next(300 * ZVT_MS_NS));
    s_request(1, 301 * ZVT_MS_NS);
    s_complete(1, 302 * ZVT_MS_NS);
    cr_assert(s_counts().lost == 0 && s_counts().unanswered == 2 && s_counts().unsent == 1);
}

Test(load_core, a_signal_is_sent_once_one_copy_of_it_has_left)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 0.1, .resend = true});
    cr_assert(s_next_through(0, false) && s_counts().unsent == 1);
    load_core_on_time(core, START_NS + 400 * ZVT_MS_NS);
    cr_assert(s_next(400 * ZVT_MS_NS) && s_counts().unsent == 0);
    load_core_on_time(core, START_NS + 800 * ZVT_MS_NS);
    cr_assert(s_next_through(800 * ZVT_MS_NS, false) && s_counts().unsent == 0 && s_counts().unanswered == 1);
}

Test(load_core, a_burst_is_no_longer_than_the_caller_has_room_for)
{
    s_start((load_config_t){.rate_hz = 1000, .seconds = 1});
    int count = 0;
    while (load_core_next(core, START_NS + ZVT_SECOND_NS, START_NS + ZVT_SECOND_NS + UTC_OFFSET_NS, &record)) count++;
    cr_assert(count == LOAD_BURST_MAX);
    load_core_on_burst(core, true);
    cr_assert(s_next(ZVT_SECOND_NS));
}

Test(load_core, market_orders_go_over_all_symbols_and_no_position_grows)
{
    s_start((load_config_t){.rate_hz = 16, .seconds = 1, .symbols = 2});
    int orders[2][2] = {0}, position[2][2] = {0}; /* by strategy and symbol */
    for (int n = 0; n < 16; n++) {
        cr_assert(s_next(ZVT_SECOND_NS));
        int strategy = record.signal.strategy_id[strlen("bench-")] - '0', symbol = record.signal.order_request.symbol[0] == 'E';
        orders[strategy][symbol]++;
        position[strategy][symbol] += record.signal.order_request.side == ZVT_SIDE_BUY ? 1 : -1;
        cr_assert(record.signal.order_request.quantity_e8 == 10000);
    }
    cr_assert(orders[0][0] + orders[1][0] == 8 && orders[0][1] + orders[1][1] == 8);
    for (int i = 0; i < 4; i++) cr_assert(position[i / 2][i % 2] == 0);
}

Test(load_core, a_refusal_ends_an_order_without_success)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 0.1});
    cr_assert(s_next(0));
    load_core_on_ack(core, "bench-0", &(zvt_signal_ack_t){.incarnation = 7, .sender_seq = 1, .code = ZVT_CODE_OVERLOADED});
    cr_assert(s_counts().refused == 1 && s_counts().succeeded == 0 && load_core_is_over(core));
}

Test(load_core, resends_the_same_signal_until_it_is_acknowledged)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 0.1, .resend = true});
    cr_assert(s_next(0));
    zvt_signal_t first = record.signal;
    load_core_on_ack(core, "bench-0", &(zvt_signal_ack_t){.incarnation = 7, .sender_seq = 1, .code = ZVT_CODE_LOG_UNAVAILABLE});
    load_core_on_time(core, START_NS + 400 * ZVT_MS_NS);
    cr_assert(s_next(400 * ZVT_MS_NS) && record.type == ZVT_T_SIGNAL);
    cr_assert(zvt_id_equal(&record.signal.signal_id, &first.signal_id) && record.signal.sender_seq == first.sender_seq);
    cr_assert(record.signal.order_request.expires_at_ns == first.order_request.expires_at_ns);
    load_core_on_ack(core, "bench-0", &(zvt_signal_ack_t){.incarnation = 7, .sender_seq = 1, .code = ZVT_CODE_OK});
    load_core_on_time(core, START_NS + 800 * ZVT_MS_NS);
    cr_assert(!s_next(800 * ZVT_MS_NS));
    cr_assert(s_counts().resent == 1);
}

Test(load_core, one_at_a_time_waits_for_the_end_of_the_order_before)
{
    s_start((load_config_t){.rate_hz = 100, .seconds = 1, .pause_ns = 10 * ZVT_MS_NS});
    cr_assert(s_next(0));
    cr_assert(!s_next(500 * ZVT_MS_NS));
    s_request(0, 501 * ZVT_MS_NS);
    s_complete(0, 502 * ZVT_MS_NS);
    cr_assert(load_core_next_ns(core) == START_NS + 512 * ZVT_MS_NS);
    cr_assert(s_next(512 * ZVT_MS_NS));
}

Test(load_core, one_at_a_time_gives_up_an_order_that_does_not_end)
{
    s_start((load_config_t){.rate_hz = 100, .seconds = 1, .pause_ns = 10 * ZVT_MS_NS, .patience_ns = 2 * ZVT_SECOND_NS});
    cr_assert(s_next(0));
    s_request(0, ZVT_MS_NS);
    cr_assert(!load_core_gives_up(core, START_NS + 3 * ZVT_SECOND_NS));
    cr_assert(load_core_gives_up(core, START_NS + 3 * ZVT_SECOND_NS + 1));
    cr_assert(s_counts().lost == 1 && !load_core_is_over(core));
}

Test(load_core, the_way_to_the_venue_counts_from_the_commit_of_the_intent)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 0.1});
    cr_assert(s_next(0));
    s_request(0, ZVT_MS_NS);
    s_event(0, ZVT_T_ORDER_SUBMITTED, &(zvt_order_submitted_t){0}, 5 * ZVT_MS_NS); /* committed at the same moment */
    s_event(0, ZVT_T_ORDER_ACCEPTED, &(zvt_order_accepted_t){0}, 7 * ZVT_MS_NS);
    cr_assert(zvt_histogram_count(load_stage(STAGE_EXECUTOR_TO_VENUE)) == 1);
    cr_assert(zvt_histogram_percentile(load_stage(STAGE_EXECUTOR_TO_VENUE), 100) == 2 * ZVT_MS_NS);
}

Test(load_core, a_share_of_limit_orders_rests_and_is_canceled)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 1, .limit_percent = 20});
    int limits = 0, post_only = 0;
    for (uint64_t n = 0; n < 10; n++) {
        cr_assert(s_next(ZVT_SECOND_NS) && record.type == ZVT_T_SIGNAL);
        const zvt_order_request_t *terms = &record.signal.order_request;
        bool limit = terms->order_type == ZVT_ORDER_TYPE_LIMIT;
        limits += limit;
        post_only += terms->post_only;
        s_request(n, ZVT_SECOND_NS);
        if (!limit)
            s_complete(n, ZVT_SECOND_NS);
        else
            s_event(n, ZVT_T_ORDER_ACCEPTED, &(zvt_order_accepted_t){0}, ZVT_SECOND_NS);
    }
    cr_assert(limits == 2 && post_only == 1);
    cr_assert(!s_next(ZVT_SECOND_NS) && !load_core_is_over(core));
    for (int n = 0; n < 2; n++) cr_assert(s_next(2 * ZVT_SECOND_NS) && record.type == ZVT_T_SIGNAL_CANCEL);
    for (uint64_t n = 0; n < 10; n++) s_event(n, ZVT_T_ORDER_CANCELED, &(zvt_order_canceled_t){0}, 2 * ZVT_SECOND_NS);
    cr_assert(load_core_is_over(core) && s_counts().succeeded == 10 && s_counts().canceled == 2);
}

Test(load_core, a_cancel_that_the_socket_refused_is_sent_again)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 0.1, .limit_percent = 100});
    cr_assert(s_next(0) && record.type == ZVT_T_SIGNAL);
    s_request(0, 0);
    s_event(0, ZVT_T_ORDER_ACCEPTED, &(zvt_order_accepted_t){0}, 0);
    cr_assert(s_next_through(ZVT_SECOND_NS, false) && record.type == ZVT_T_SIGNAL_CANCEL);
    cr_assert(s_next(ZVT_SECOND_NS) && record.type == ZVT_T_SIGNAL_CANCEL);
    cr_assert(!s_next(ZVT_SECOND_NS));
}

Test(load_core, a_cancel_that_brings_no_end_is_asked_for_again)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 0.1, .limit_percent = 100});
    cr_assert(s_next(0) && record.type == ZVT_T_SIGNAL);
    s_request(0, 0);
    s_event(0, ZVT_T_ORDER_ACCEPTED, &(zvt_order_accepted_t){0}, 0);
    cr_assert(s_next(ZVT_SECOND_NS) && record.type == ZVT_T_SIGNAL_CANCEL);
    cr_assert_eq(record.signal_cancel.sender_seq, 1);
    load_core_on_time(core, START_NS + 2 * ZVT_SECOND_NS);
    cr_assert(!s_next(2 * ZVT_SECOND_NS), "it may still be on its way");
    load_core_on_time(core, START_NS + 4 * ZVT_SECOND_NS);
    cr_assert(s_next(4 * ZVT_SECOND_NS) && record.type == ZVT_T_SIGNAL_CANCEL);
    cr_assert_eq(record.signal_cancel.sender_seq, 2, "a command of its own: the first may have been refused");
    s_event(0, ZVT_T_ORDER_CANCELED, &(zvt_order_canceled_t){0}, 5 * ZVT_SECOND_NS);
    load_core_on_time(core, START_NS + 8 * ZVT_SECOND_NS);
    cr_assert(!s_next(8 * ZVT_SECOND_NS) && load_core_is_over(core));
}

Test(load_core, events_of_others_are_none_of_its_business)
{
    s_start((load_config_t){.rate_hz = 10, .seconds = 0.1});
    cr_assert(s_next(0));
    zvt_order_requested_t requested = {.incarnation = 7, .sender_seq = 1};
    ZVT_STR_SET(requested.sender, "maker");
    s_event(5, ZVT_T_ORDER_REQUESTED, &requested, 0);
    ZVT_STR_SET(requested.sender, "bench-cancel");
    s_event(6, ZVT_T_ORDER_REQUESTED, &requested, 0);
    s_complete(5, 0);
    cr_assert(s_counts().succeeded == 0 && !load_core_is_over(core));
}
