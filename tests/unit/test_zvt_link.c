#include <sys/socket.h>
#include <sys/un.h>

#include "manual_loop.h"
#include "zvt_hub.h"
#include "zvt_link.h"

static struct {
    int up, down, hellos, records, frames;
    uint64_t incarnation; /* of the last on_up */
    uint64_t cursor;      /* of the last hello reply */
    uint64_t seq;         /* of the last record */
} s_seen;

static struct {
    int records;
    uint64_t epoch; /* of the last hello */
} s_hub_seen;

static zvt_loop_t *s_here, *s_there;
static zvt_hub_t *s_hub;
static zvt_link_t *s_link;
static zvt_hello_t s_identity = {.role = ZVT_ROLE_ORCHESTRATOR, .name = "asker", .incarnation = 1};
static char s_endpoint[ZVT_ENDPOINT_SIZE];

static void s_on_up(void *arg, const zvt_hello_t *peer)
{
    (void)arg;
    s_seen.up++;
    s_seen.incarnation = peer->incarnation;
}

static void s_on_down(void *arg)
{
    (void)arg;
    s_seen.down++;
}

static void s_on_hello(void *arg, const zvt_hello_t *peer)
{
    (void)arg;
    s_seen.hellos++;
    s_seen.cursor = peer->cursor;
}

static void s_on_record(void *arg, const zvt_record_t *record)
{
    (void)arg;
    s_seen.records++;
    if (record->type == ZVT_T_LOG_TIP) s_seen.seq = record->log_tip.tip_seq;
}

static void s_on_frame(void *arg, zvt_cursor_t frame)
{
    zvt_record_t record;
    (void)arg;
    s_seen.frames++;
    cr_assert_eq(zvt_read(&frame, &record), 0);
    cr_assert_eq(record.type, ZVT_T_LOG_BATCH);
}

/* Answers each record with itself. */
static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    (void)arg;
    s_hub_seen.records++;
    if (record->type == ZVT_T_LOG_TIP) zvt_hub_send(s_hub, peer, ZVT_T_LOG_TIP, &record->log_tip);
    if (record->type == ZVT_T_LOG_BATCH) zvt_hub_send(s_hub, peer, ZVT_T_LOG_BATCH, &record->log_batch);
    if (record->type == ZVT_T_LIST_END) zvt_hub_send_packed(s_hub, peer, "\x91\xcd\xff\xff", 4);
}

static void s_on_asker_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    (void)arg;
    (void)peer;
    s_hub_seen.epoch = hello->epoch;
    reply->cursor = 77;
}

static void s_start_hub(uint64_t incarnation)
{
    zvt_hello_t identity = {.role = ZVT_ROLE_RISK, .name = "answerer", .incarnation = incarnation};
    s_there = zvt_loop_new();
    cr_assert_eq(zvt_hub_new(&s_hub, s_there, s_endpoint, &identity, s_on_request, s_on_asker_hello, NULL), 0);
}

static void s_kill_hub(void)
{
    manual_kill(s_there);
    zvt_hub_destroy(&s_hub);
    manual_unlock(s_endpoint);
}

static void s_start_link(void)
{
    zvt_link_handler_t handler = {.on_record = s_on_record, .on_up = s_on_up, .on_down = s_on_down, .on_hello = s_on_hello,
                                  .on_frame = s_on_frame};
    s_here = zvt_loop_new();
    s_link = zvt_link_new(s_here, s_endpoint, &s_identity, &handler);
}

static void s_begin(void)
{
    manual_begin();
    zvt_endpoint(s_endpoint, "answers", NULL);
}

static void s_begin_connected(void)
{
    s_begin();
    s_start_hub(10);
    s_start_link();
    MANUAL_PASS_UNTIL(zvt_link_is_up(s_link));
}

static void s_end(void)
{
    zvt_link_destroy(&s_link);
    zvt_hub_destroy(&s_hub);
    manual_end();
}

static void s_send_tip(uint64_t seq)
{
    zvt_log_tip_t tip = {.tip_seq = seq};
    zvt_link_send(s_link, ZVT_T_LOG_TIP, &tip);
}

TestSuite(zvt_link, .init = s_begin_connected, .fini = s_end);
TestSuite(zvt_link_alone, .init = s_begin, .fini = s_end);

Test(zvt_link, is_up_once_its_hello_was_answered)
{
    cr_assert_eq(s_seen.up, 1);
    cr_assert_eq(s_seen.incarnation, 10);
    cr_assert_eq(s_seen.cursor, 77, "the owner of the hub filled the reply");
}

/* A process that is stopped still has its endpoint: the kernel takes connections, and nobody answers. */
static int s_listen_like_a_stopped_process(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    ZVT_STR_SET(address.sun_path, s_endpoint + strlen("ipc://"));
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 16), 0);
    return listener;
}

static int s_accepted(int listener)
{
    int count = 0;
    while (accept(listener, NULL, NULL) >= 0) count++;
    return count;
}

Test(zvt_link_alone, does_not_wait_long_for_a_handshake_at_first_and_longer_each_time)
{
    int listener = s_listen_like_a_stopped_process();
    s_start_link();
    manual_pass(10 * ZVT_MS_NS);
    MANUAL_UNTIL(s_accepted(listener) == 1);
    static const int64_t patience_ms[] = {200, 400, 800, 800};
    for (size_t i = 0; i < sizeof patience_ms / sizeof patience_ms[0]; i++) {
        manual_pass((patience_ms[i] - 50) * ZVT_MS_NS);
        cr_assert_eq(s_accepted(listener), 0, "the connection is given %" PRId64 " ms", patience_ms[i]);
        manual_pass(100 * ZVT_MS_NS);
        MANUAL_UNTIL(s_accepted(listener) == 1);
    }
    close(listener);
}

Test(zvt_link_alone, comes_up_when_the_other_side_starts_later)
{
    s_start_link();
    manual_pass(3 * ZVT_SECOND_NS);
    cr_assert_not(zvt_link_is_up(s_link));
    cr_assert_eq(s_seen.down, 0, "what never was up does not go down");
    s_start_hub(10);
    MANUAL_PASS_UNTIL(zvt_link_is_up(s_link));
    cr_assert_eq(s_seen.up, 1);
}

Test(zvt_link, says_hello_every_250_ms_with_its_epoch_of_that_moment)
{
    s_identity.epoch = 5;
    manual_pass(250 * ZVT_MS_NS);
    MANUAL_UNTIL(s_hub_seen.epoch == 5);
    int before = s_seen.hellos;
    manual_pass(250 * ZVT_MS_NS);
    MANUAL_UNTIL(s_seen.hellos > before);
    cr_assert_eq(s_seen.up, 1, "the same peer is not new");
}

Test(zvt_link, says_hello_at_once_when_told_to)
{
    s_identity.epoch = 6;
    zvt_link_hello(s_link);
    MANUAL_UNTIL(s_hub_seen.epoch == 6);
}

Test(zvt_link, carries_records_there_and_back_in_order)
{
    for (uint64_t seq = 1; seq <= 1000; seq++) s_send_tip(seq);
    MANUAL_UNTIL(s_seen.records == 1000);
    cr_assert_eq(s_seen.seq, 1000);
}

Test(zvt_link, is_down_after_500_ms_of_silence_and_up_again_when_the_peer_speaks)
{
    manual_freeze(s_there, true);
    manual_pass(450 * ZVT_MS_NS);
    cr_assert(zvt_link_is_up(s_link), "not yet");
    manual_pass(350 * ZVT_MS_NS);
    cr_assert_not(zvt_link_is_up(s_link));
    cr_assert_eq(s_seen.down, 1);
    manual_pass(2 * ZVT_SECOND_NS);
    cr_assert_eq(s_seen.down, 1, "silence is told once");
    manual_freeze(s_there, false);
    MANUAL_PASS_UNTIL(zvt_link_is_up(s_link));
    cr_assert_eq(s_seen.up, 2);
}

Test(zvt_link, leaves_a_process_that_is_stopped_for_the_one_that_took_its_endpoint)
{
    zvt_hub_t *stopped = s_hub;
    manual_freeze(s_there, true);
    manual_pass(800 * ZVT_MS_NS);
    cr_assert_not(zvt_link_is_up(s_link));
    zvt_hello_t identity = {.role = ZVT_ROLE_RISK, .name = "answerer", .incarnation = 11};
    cr_assert_eq(zvt_hub_new(&s_hub, s_there, s_endpoint, &identity, s_on_request, s_on_asker_hello, NULL), ZVT_ERR_EXISTS,
                 "the endpoint is somebody's");
    zvt_socket_evict(s_endpoint);
    s_start_hub(11);
    MANUAL_PASS_UNTIL(zvt_link_is_up(s_link));
    cr_assert_eq(s_seen.incarnation, 11);
    zvt_hub_destroy(&stopped);
}

Test(zvt_link, tells_of_a_new_incarnation_even_if_the_old_one_was_never_missed)
{
    s_kill_hub();
    s_start_hub(11);
    MANUAL_PASS_UNTIL(s_seen.incarnation == 11);
    cr_assert_eq(s_seen.up, 2);
}

Test(zvt_link, drops_and_counts_what_is_sent_while_down)
{
    manual_freeze(s_there, true);
    manual_pass(ZVT_SECOND_NS);
    uint64_t before = s_count_of("unsent");
    s_send_tip(1);
    zvt_link_send_packed(s_link, "\x91\x79", 2);
    cr_assert_eq(s_count_of("unsent") - before, 2);
    manual_freeze(s_there, false);
    MANUAL_PASS_UNTIL(zvt_link_is_up(s_link));
    s_send_tip(2);
    MANUAL_UNTIL(s_seen.records == 1);
    cr_assert_eq(s_seen.seq, 2, "what was dropped does not come later");
    cr_assert_eq(s_hub_seen.records, 1);
}

Test(zvt_link, hands_over_a_batch_of_events_as_a_frame)
{
    zvt_log_batch_t batch = {.first_seq = 1};
    zvt_link_send(s_link, ZVT_T_LOG_BATCH, &batch);
    MANUAL_UNTIL(s_seen.frames == 1);
    cr_assert_eq(s_seen.records, 0);
}

Test(zvt_link, drops_and_counts_what_does_not_decode_and_stays_up)
{
    zvt_list_end_t end = {0};
    uint64_t before = s_count_of("malformed");
    zvt_link_send(s_link, ZVT_T_LIST_END, &end);
    MANUAL_UNTIL(s_count_of("malformed") == before + 1);
    s_send_tip(3);
    MANUAL_UNTIL(s_seen.seq == 3);
    cr_assert(zvt_link_is_up(s_link));
}

Test(zvt_link, sends_a_record_that_is_larger_than_its_buffer_by_itself)
{
    enum { SIZE = 300 << 10 };
    static uint8_t tips[SIZE];
    zvt_log_tip_t tip = {.tip_seq = 9};
    zvt_buf_t out = {.data = tips, .capacity = SIZE};
    int packed = 0;
    while (zvt_pack(&out, ZVT_T_LOG_TIP, &tip) == 0) packed++;
    zvt_link_send_packed(s_link, out.data, out.length);
    MANUAL_UNTIL(s_hub_seen.records == packed);
}
