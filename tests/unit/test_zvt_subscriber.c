#include "manual_loop.h"
#include "zvt_frames.h"
#include "zvt_subscriber.h"

enum { PAYLOAD = 512, FLOOD = 8 * ZVT_HWM };

static zvt_loop_t *s_loop;
static zsock_t *s_pub;
static zvt_subscriber_t *s_sub;
static char s_endpoint[ZVT_ENDPOINT_SIZE];
static int s_records, s_jumps;
static uint64_t s_last_seq;

static void s_on_record(void *arg, const char *topic, const zvt_record_t *record)
{
    (void)arg;
    (void)topic;
    s_records++;
    if (record->log_tip.tip_seq != s_last_seq + 1) s_jumps++;
    s_last_seq = record->log_tip.tip_seq;
}

static void s_begin(void)
{
    manual_begin();
    s_loop = zvt_loop_new();
    zvt_endpoint(s_endpoint, "events", NULL);
    s_pub = zvt_socket_new(ZMQ_PUB);
    cr_assert_eq(zvt_socket_bind(s_pub, s_endpoint), 0);
    s_sub = zvt_subscriber_new(s_loop, s_endpoint, s_on_record, NULL);
    zvt_subscriber_add(s_sub, "tip.");
}

static void s_end(void)
{
    zvt_subscriber_destroy(&s_sub);
    zsock_destroy(&s_pub);
    manual_end();
}

static bool s_publish(const char *topic, uint64_t seq)
{
    uint8_t bytes[PAYLOAD];
    zvt_buf_t out = {.data = bytes, .capacity = sizeof bytes};
    zvt_log_tip_t tip = {.tip_seq = seq};
    cr_assert_eq(zvt_pack(&out, ZVT_T_LOG_TIP, &tip), 0);
    return zvt_publish(s_pub, topic, out.data, out.length);
}

/* A publisher knows nothing of its subscribers: it speaks until it is heard, slowly enough that the queue does not fill:
 * what is said last must arrive. */
static void s_until_heard(void)
{
    int before = s_records;
    MANUAL_UNTIL((s_publish("tip.first", 0), usleep(200), s_records > before));
    /* Those that are still under way come before this one. */
    s_publish("tip.first", UINT32_MAX);
    MANUAL_UNTIL(s_last_seq == UINT32_MAX);
    s_records = s_jumps = 0;
    s_last_seq = 0;
}

TestSuite(zvt_subscriber, .init = s_begin, .fini = s_end);

Test(zvt_subscriber, hears_the_topics_it_asked_for_in_order)
{
    s_until_heard();
    for (uint64_t seq = 1; seq <= 100; seq++) {
        s_publish("other.x", 1000 + seq);
        s_publish("tip.x", seq);
    }
    MANUAL_UNTIL(s_records == 100);
    cr_assert_eq(s_last_seq, 100);
    cr_assert_eq(s_jumps, 0);
}

Test(zvt_subscriber, hears_what_is_published_after_it_joined)
{
    for (uint64_t seq = 1; seq <= 1000; seq++) s_publish("tip.x", 5);
    s_until_heard();
    s_publish("tip.x", 1);
    MANUAL_UNTIL(s_records == 1);
    cr_assert_eq(s_last_seq, 1);
}

Test(zvt_subscriber, drops_and_counts_what_does_not_decode)
{
    s_until_heard();
    uint64_t before = s_count_of("malformed");
    cr_assert(zvt_publish(s_pub, "tip.x", "\xc1", 1));
    cr_assert_geq(zmq_send(zsock_resolve(s_pub), "tip.alone", 9, 0), 0);
    s_publish("tip.x", 1);
    MANUAL_UNTIL(s_last_seq == 1);
    cr_assert_eq(s_count_of("malformed") - before, 2);
}

Test(zvt_subscriber, that_does_not_read_loses_messages_beyond_the_bound_and_nobody_waits_for_it)
{
    s_until_heard();
    manual_freeze(s_loop, true);
    for (uint64_t seq = 1; seq <= FLOOD; seq++) cr_assert(s_publish("tip.x", seq), "the publisher is never held up");
    manual_freeze(s_loop, false);
    /* libzmq tells the publisher of room by the half queue: what was read before may still count. */
    MANUAL_UNTIL(s_records >= ZVT_HWM / 2);
    /* Once it reads again it hears again: what was lost in between shows as one jump. */
    uint64_t seq = FLOOD;
    MANUAL_UNTIL((s_publish("tip.x", ++seq), s_last_seq > FLOOD));
    cr_assert_lt(s_records, FLOOD, "its queue is bounded");
    cr_assert_geq(s_jumps, 1);
}

Test(zvt_subscriber, reads_as_often_as_it_was_told_to)
{
    s_until_heard();
    zvt_subscriber_read_every(s_sub, 20 * ZVT_MS_NS);
    for (uint64_t seq = 1; seq <= 3 * ZVT_DRAIN_MAX; seq++) s_publish("tip.x", seq); /* more than one look takes */
    for (int i = 0; i < 100; i++) {
        usleep(100);
        cr_assert_not(s_round(), "it is not woken by what arrives");
    }
    cr_assert_eq(s_records, 0);
    MANUAL_PASS_UNTIL(s_records == 3 * ZVT_DRAIN_MAX);
    cr_assert_eq(s_jumps, 0);
}

Test(zvt_subscriber, that_reads_by_time_is_woken_once_after_a_silence)
{
    s_until_heard();
    zvt_subscriber_read_every(s_sub, 20 * ZVT_MS_NS);
    MANUAL_PASS_UNTIL(s_loop->timers[0].at_ns == 0); /* nothing came for a period: no timer wakes it any more */
    for (uint64_t seq = 1; seq <= 10; seq++) s_publish("tip.x", seq);
    MANUAL_UNTIL(s_loop->timers[0].at_ns != 0);
    for (int i = 0; i < 100; i++) {
        usleep(100);
        cr_assert_not(s_round(), "the first of them has woken it, the others do not");
    }
    cr_assert_eq(s_records, 0);
    MANUAL_PASS_UNTIL(s_records == 10);
    cr_assert_eq(s_jumps, 0);
}

Test(zvt_subscriber, that_reads_by_time_does_not_once_it_is_gone)
{
    zvt_subscriber_read_every(s_sub, 20 * ZVT_MS_NS);
    zvt_subscriber_destroy(&s_sub);
    manual_pass(ZVT_SECOND_NS);
}
