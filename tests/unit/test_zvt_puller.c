#include "manual_loop.h"
#include "zvt_puller.h"

static zvt_loop_t *s_loop;
static zvt_puller_t *s_puller;
static char s_endpoint[ZVT_ENDPOINT_SIZE];
static uint64_t s_records, s_last_seq;
static bool s_in_order = true;

static void s_on_record(void *arg, const zvt_record_t *record)
{
    (void)arg;
    s_records++;
    s_in_order = s_in_order && record->log_tip.tip_seq > s_last_seq;
    s_last_seq = record->log_tip.tip_seq;
}

static void s_begin(void)
{
    manual_begin();
    s_loop = zvt_loop_new();
    zvt_endpoint(s_endpoint, "signals", NULL);
    cr_assert_eq(zvt_puller_new(&s_puller, s_loop, s_endpoint, s_on_record, NULL), 0);
}

static void s_end(void)
{
    zvt_puller_destroy(&s_puller);
    manual_end();
}

static zsock_t *s_pusher(void)
{
    zsock_t *push = zvt_socket_new(ZMQ_PUSH);
    cr_assert_eq(zmq_connect(zsock_resolve(push), s_endpoint), 0);
    return push;
}

/* False if there was no room. */
static bool s_push(zsock_t *push, uint64_t seq)
{
    uint8_t bytes[64];
    zvt_buf_t out = {.data = bytes, .capacity = sizeof bytes};
    zvt_log_tip_t tip = {.tip_seq = seq};
    cr_assert_eq(zvt_pack(&out, ZVT_T_LOG_TIP, &tip), 0);
    return zmq_send(zsock_resolve(push), out.data, out.length, ZMQ_DONTWAIT) >= 0;
}

TestSuite(zvt_puller, .init = s_begin, .fini = s_end);

Test(zvt_puller, hands_out_the_records_of_every_sender)
{
    enum { SENDERS = 20 };
    zsock_t *pushers[SENDERS];
    for (uint64_t i = 0; i < SENDERS; i++) {
        pushers[i] = s_pusher();
        MANUAL_UNTIL(s_push(pushers[i], i + 1));
    }
    MANUAL_UNTIL(s_records == SENDERS);
    for (int i = 0; i < SENDERS; i++) zsock_destroy(&pushers[i]);
}

Test(zvt_puller, drops_and_counts_what_does_not_decode)
{
    static const struct {
        const char *bytes;
        size_t length;
    } wrong[] = {{"", 0}, {"hello?", 6}, {"\x91\xcd\xff\xff", 4}};
    zsock_t *push = s_pusher();
    uint64_t before = s_count_of("malformed");
    MANUAL_UNTIL(s_push(push, 1));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_geq(zmq_send(zsock_resolve(push), wrong[i].bytes, wrong[i].length, 0), 0);
    cr_assert(s_push(push, 2));
    MANUAL_UNTIL(s_last_seq == 2);
    cr_assert_eq(s_records, 2);
    cr_assert_eq(s_count_of("malformed") - before, 3);
    zsock_destroy(&push);
}

Test(zvt_puller, that_does_not_read_lets_its_sender_know_and_loses_nothing_of_what_was_taken)
{
    uint64_t taken = 0;
    zsock_t *push = s_pusher();
    MANUAL_UNTIL(s_push(push, 1));
    manual_freeze(s_loop, true);
    /* Bounded: two high-water marks, and what the kernel holds in between. */
    for (taken = 1; taken < 100 * ZVT_HWM && s_push(push, taken + 1); taken++) continue;
    cr_assert_lt(taken, 100 * ZVT_HWM, "the queue is bounded");
    cr_assert_geq(taken, ZVT_HWM);
    manual_freeze(s_loop, false);
    MANUAL_UNTIL(s_records == taken);
    cr_assert(s_in_order);
    zsock_destroy(&push);
}

Test(zvt_puller, is_refused_an_address_that_somebody_else_serves)
{
    zvt_puller_t *second = NULL;
    cr_assert_eq(zvt_puller_new(&second, s_loop, s_endpoint, s_on_record, NULL), ZVT_ERR_EXISTS);
    cr_assert_null(second);
}
