#include "manual_loop.h"
#include "zvt_follower.h"
#include "zvt_hub.h"

enum { SHARD = 3, FRAME_SIZE = 1 << 20, LOG_MAX = 20000 };

static zvt_loop_t *s_here, *s_replayer_loop;
static zvt_hub_t *s_replayer;
static zsock_t *s_pub;
static zvt_follower_t *s_follower;
static const zvt_hello_t s_identity = {.role = ZVT_ROLE_RISK, .name = "risk", .incarnation = 1};
static zvt_buf_t s_frame;

/* ---- the log: event n has a payload of s_payload bytes ---- */
static uint64_t s_tip;            /* what is committed */
static uint32_t s_payload = 8;    /* bytes, msgpack bin */
static uint32_t s_frame_max = UINT32_MAX; /* events in one frame of an answer */
static int s_asked;
static uint64_t s_first = 1;      /* of the log: what is before is archived */
static uint64_t s_base_seq;       /* of the base that there is; 0: none */
static const char s_base_bytes[] = "the state";
static zvt_type_set_t s_asked_types;

static zvt_type_set_t s_types; /* that are packed: all, but in answers */

/* Every tenth event is of another type. */
static zvt_type_t s_type_at(uint64_t seq)
{
    return seq % 10 == 0 ? ZVT_T_POSITION_UPDATED : ZVT_T_SYSTEM_BARRIER;
}

static uint64_t s_delivered, s_wrong, s_applied;
static bool s_caught_up;
static int s_batches; /* batches, answers and heartbeats that it has handled */

static void s_on_event(void *arg, const zvt_event_t *event)
{
    (void)arg;
    if (s_delivered != 0 && event->seq != s_applied + 1) s_wrong++;
    s_delivered++;
    s_applied = event->seq;
}

static void s_on_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    (void)arg;
    s_caught_up = caught_up;
    s_batches++;
    if (s_delivered != 0 && applied_seq != s_applied) s_wrong++;
}

static bool s_pack_events(uint64_t first_seq, uint64_t last_seq)
{
    static uint8_t payload[FRAME_SIZE] = {0xc6};
    payload[1] = (uint8_t)(s_payload >> 24);
    payload[2] = (uint8_t)(s_payload >> 16);
    payload[3] = (uint8_t)(s_payload >> 8);
    payload[4] = (uint8_t)s_payload;
    for (uint64_t seq = first_seq; seq <= last_seq; seq++) {
        if (!zvt_type_set_has(&s_types, s_type_at(seq))) continue;
        zvt_event_t event = {.seq = seq, .type = s_type_at(seq), .payload = payload, .payload_length = s_payload + 5};
        if (zvt_pack_event(&s_frame, &event) != 0) return false;
    }
    return true;
}

static void s_pack_batch(uint32_t shard, uint64_t first_seq, uint64_t last_seq)
{
    zvt_log_batch_t batch = {.shard = shard, .first_seq = first_seq, .last_seq = last_seq, .tip_seq = s_tip};
    s_frame.length = 0;
    cr_assert_eq(zvt_pack(&s_frame, ZVT_T_LOG_BATCH, &batch), 0);
    cr_assert(s_pack_events(first_seq, last_seq));
}

/* ---- the replayer ---- */
/* Five bytes at a time. */
static void s_send_piece(const zvt_peer_t *peer, const zvt_base_request_t *request)
{
    size_t length = strlen(s_base_bytes), left = length - request->offset;
    bool there = s_base_seq != 0 && (request->before_seq == 0 || request->before_seq >= s_base_seq);
    zvt_log_base_t head = {.seq = there ? s_base_seq : 0, .length = there ? length : 0, .offset = request->offset};
    ZVT_STR_SET(head.process, request->process);
    s_frame.length = 0;
    cr_assert_eq(zvt_pack(&s_frame, ZVT_T_LOG_BASE, &head), 0);
    if (there) cr_assert_eq(zvt_buf_append(&s_frame, s_base_bytes + request->offset, left < 5 ? left : 5), 0);
    zvt_hub_send_packed(s_replayer, peer, s_frame.data, s_frame.length);
    zvt_hub_flush(s_replayer);
}

/* As the replayer does: as many frames as the range takes, each with the wanted events among those that it covers. */
static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    (void)arg;
    if (record->type == ZVT_T_BASE_REQUEST) s_send_piece(peer, &record->base_request);
    if (record->type != ZVT_T_REPLAY_RANGE) return;
    s_asked++;
    const zvt_replay_range_t *range = &record->replay_range;
    if (range->from_seq < s_first) {
        zvt_log_begin_t begin = {.shard = SHARD, .first_seq = s_first, .tip_seq = s_tip};
        zvt_error_reply_t refused = {.code = ZVT_CODE_ARCHIVED};
        zvt_hub_send(s_replayer, peer, ZVT_T_LOG_BEGIN, &begin);
        zvt_hub_send(s_replayer, peer, ZVT_T_ERROR_REPLY, &refused);
        return;
    }
    s_asked_types = (zvt_type_set_t){.low = range->types_low, .high = range->types_high};
    uint64_t end_seq = range->to_seq < s_tip ? range->to_seq : s_tip;
    for (uint64_t seq = range->from_seq; seq <= end_seq;) {
        uint64_t last_seq = end_seq - seq < s_frame_max ? end_seq : seq + s_frame_max - 1;
        s_types = s_asked_types;
        s_pack_batch(SHARD, seq, last_seq);
        s_types = (zvt_type_set_t){0, 0};
        zvt_hub_send_packed(s_replayer, peer, s_frame.data, s_frame.length);
        zvt_hub_flush(s_replayer);
        seq = last_seq + 1;
    }
}

static void s_start_replayer(uint64_t incarnation)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_hello_t identity = {.role = ZVT_ROLE_REPLAYER, .name = "replayer", .incarnation = incarnation};
    zvt_endpoint(endpoint, "replay", NULL);
    s_replayer_loop = zvt_loop_new();
    cr_assert_eq(zvt_hub_new(&s_replayer, s_replayer_loop, endpoint, &identity, s_on_request, NULL, NULL), 0);
}

static void s_kill_replayer(void)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "replay", NULL);
    manual_kill(s_replayer_loop);
    zvt_hub_destroy(&s_replayer);
    manual_unlock(endpoint);
}

/* ---- the orchestrator's side ---- */
static void s_publish_tip(void)
{
    zvt_log_tip_t tip = {.shard = SHARD, .tip_seq = s_tip};
    s_frame.length = 0;
    cr_assert_eq(zvt_pack(&s_frame, ZVT_T_LOG_TIP, &tip), 0);
    cr_assert(zvt_publish(s_pub, "log.3", s_frame.data, s_frame.length));
}

static void s_publish(uint64_t first_seq, uint64_t last_seq)
{
    s_pack_batch(SHARD, first_seq, last_seq);
    cr_assert(zvt_publish(s_pub, "log.3", s_frame.data, s_frame.length));
}

/* Commits `count` events and publishes them as one batch. */
static void s_commit(uint64_t count)
{
    uint64_t first_seq = s_tip + 1;
    s_tip += count;
    s_publish(first_seq, s_tip);
}

/* Commits `count` events whose batch is lost on the way. */
static void s_commit_unheard(uint64_t count)
{
    s_tip += count;
}

static void s_begin(void)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    manual_begin();
    s_frame = zvt_buf_new(FRAME_SIZE);
    zvt_endpoint(endpoint, "events", NULL);
    s_pub = zvt_socket_new(ZMQ_PUB);
    cr_assert_eq(zvt_socket_bind(s_pub, endpoint), 0);
    s_start_replayer(1);
}

static void s_end(void)
{
    zvt_follower_destroy(&s_follower);
    zvt_hub_destroy(&s_replayer);
    zsock_destroy(&s_pub);
    zvt_buf_destroy(&s_frame);
    manual_end();
}

static void s_follow(uint64_t from_seq)
{
    s_here = zvt_loop_new();
    s_follower = zvt_follower_new(s_here, SHARD, from_seq, &s_identity, s_on_event, s_on_batch, NULL);
}

/* Follows from the first event on, which it has to fetch, and goes on when it has also heard a heartbeat: then both of
 * its sockets are connected. */
static void s_follow_from_the_start(void)
{
    s_commit_unheard(1);
    s_follow(1);
    MANUAL_PASS_UNTIL(s_delivered == 1);
    int before = s_batches;
    MANUAL_UNTIL((s_publish_tip(), s_batches > before));
    s_asked = 0;
}

static void s_expect(uint64_t delivered)
{
    cr_assert_eq(s_delivered, delivered);
    cr_assert_eq(s_wrong, 0, "in order, each once");
    cr_assert_eq(zvt_follower_applied(s_follower), s_tip);
    cr_assert(s_caught_up);
}

TestSuite(zvt_follower, .init = s_begin, .fini = s_end);

Test(zvt_follower, delivers_live_batches_as_they_come)
{
    s_follow_from_the_start();
    for (int i = 0; i < 100; i++) s_commit(7);
    MANUAL_UNTIL(s_delivered == 701);
    s_expect(701);
    cr_assert_eq(s_asked, 0, "nothing was missing");
}

Test(zvt_follower, that_joins_late_fetches_history_page_by_page)
{
    s_commit_unheard(9500);
    s_follow(1);
    MANUAL_PASS_UNTIL((s_publish_tip(), s_delivered == 9500));
    s_expect(9500);
    cr_assert_geq(s_asked, 3, "4,000 a page");
}

Test(zvt_follower, that_joins_in_mid_stream_misses_nothing)
{
    s_commit_unheard(5000);
    s_frame_max = 500;
    s_follow(1);
    MANUAL_PASS_UNTIL(s_delivered > 0);
    manual_freeze(s_replayer_loop, true);
    int before = s_batches;
    MANUAL_UNTIL((s_publish_tip(), s_batches > before + 1)); /* one of them may be the last answer under way */
    while (s_tip < LOG_MAX) {
        s_commit(25);
        s_round();
    }
    cr_assert_lt(s_delivered, 5000, "what is live waits for what is missing");
    manual_freeze(s_replayer_loop, false);
    MANUAL_PASS_UNTIL((s_publish_tip(), s_delivered == LOG_MAX));
    s_expect(LOG_MAX);
}

Test(zvt_follower, repairs_a_gap_when_the_next_batch_shows_it)
{
    s_follow_from_the_start();
    s_commit(10);
    s_commit_unheard(10);
    s_commit(10);
    MANUAL_UNTIL(s_delivered == 31);
    s_expect(31);
    cr_assert_eq(s_count_of("follower_gaps"), 1);
    cr_assert_eq(s_asked, 1);
}

Test(zvt_follower, repairs_a_lost_last_batch_when_the_heartbeat_shows_it)
{
    s_follow_from_the_start();
    s_commit(10);
    s_commit_unheard(10);
    MANUAL_UNTIL(s_delivered == 11);
    s_publish_tip();
    MANUAL_UNTIL(s_delivered == 21);
    s_expect(21);
}

Test(zvt_follower, delivers_batches_that_come_twice_or_overlap_once)
{
    s_follow_from_the_start();
    s_commit(9);
    s_publish(1, 10);
    s_publish(5, 10);
    s_tip = 15;
    s_publish(8, 15);
    MANUAL_UNTIL(s_delivered == 15);
    s_publish_tip();
    manual_pass(ZVT_SECOND_NS);
    s_expect(15);
}

Test(zvt_follower, asks_again_when_the_replayer_does_not_answer)
{
    s_follow_from_the_start();
    manual_freeze(s_replayer_loop, true);
    s_commit_unheard(10);
    s_commit(10);
    manual_pass(400 * ZVT_MS_NS);
    cr_assert_eq(s_delivered, 1);
    manual_freeze(s_replayer_loop, false);
    MANUAL_PASS_UNTIL(s_delivered == 21);
    s_expect(21);
}

Test(zvt_follower, asks_a_replayer_that_was_killed_with_the_question_again)
{
    s_follow_from_the_start();
    manual_freeze(s_replayer_loop, true);
    s_commit_unheard(10);
    s_commit(10);
    manual_pass(100 * ZVT_MS_NS);
    s_kill_replayer();
    s_start_replayer(2);
    MANUAL_PASS_UNTIL(s_delivered == 21);
    s_expect(21);
}

Test(zvt_follower, leaves_a_publisher_that_fell_silent_for_the_one_that_took_its_endpoint)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zsock_t *silent = s_pub;
    s_follow_from_the_start();
    zvt_endpoint(endpoint, "events", NULL);
    zvt_socket_evict(endpoint);
    s_pub = zvt_socket_new(ZMQ_PUB);
    cr_assert_eq(zvt_socket_bind(s_pub, endpoint), 0);
    s_commit_unheard(2);
    MANUAL_PASS_UNTIL((s_publish_tip(), s_delivered == s_tip));
    s_expect(s_tip);
    zsock_destroy(&silent);
}

/* Messages wait while their reader is stopped, or waits for its database: its publisher was not silent. */
Test(zvt_follower, that_was_held_up_itself_reads_before_it_judges_others)
{
    s_follow_from_the_start();
    zvt_follower_read_every(s_follower, 20 * ZVT_MS_NS);
    manual_freeze(s_here, true);
    for (int i = 0; i < 10; i++) {
        manual_pass(200 * ZVT_MS_NS);
        s_commit(1);
    }
    usleep(200000); /* for the threads of libzmq */
    manual_freeze(s_here, false);
    manual_pass(1); /* the timer that judges is older than the one that reads */
    cr_assert_eq(s_count_of("follower_silences"), 0);
    MANUAL_PASS_UNTIL(s_delivered == 11);
    cr_assert_eq(s_asked, 0, "nothing was missing");
}

Test(zvt_follower, can_begin_with_what_comes_next)
{
    s_commit_unheard(1000);
    s_follow(ZVT_FOLLOW_LIVE);
    MANUAL_PASS_UNTIL((s_publish_tip(), zvt_follower_caught_up(s_follower)));
    s_commit(5);
    MANUAL_UNTIL(s_delivered == 5);
    s_expect(5);
    cr_assert_eq(s_asked, 0);
}

Test(zvt_follower, takes_no_notice_of_other_shards_on_its_prefix)
{
    s_follow_from_the_start();
    s_pack_batch(30, 2, 10);
    cr_assert(zvt_publish(s_pub, "log.30", s_frame.data, s_frame.length));
    s_commit(3);
    MANUAL_UNTIL(s_delivered == 4);
    s_expect(4);
}

Test(zvt_follower, drops_what_does_not_decode_and_fetches_it)
{
    s_follow_from_the_start();
    uint64_t before = s_count_of("malformed");
    s_tip = 10;
    s_pack_batch(SHARD, 2, 10);
    cr_assert(zvt_publish(s_pub, "log.3", s_frame.data, s_frame.length - 3));
    cr_assert(zvt_publish(s_pub, "log.3", "\xc1", 1));
    MANUAL_UNTIL(s_count_of("malformed") == before + 2);
    s_publish_tip();
    MANUAL_UNTIL(s_delivered == 10);
    s_expect(10);
}

Test(zvt_follower, that_cannot_hold_the_live_batches_of_a_long_fetch_fetches_them_too)
{
    s_payload = 60000;
    s_frame_max = 10;
    s_follow_from_the_start();
    manual_freeze(s_replayer_loop, true);
    s_commit_unheard(1);
    while (s_tip * s_payload < 2 * (uint64_t)ZVT_FOLLOWER_HELD) {
        s_commit(1);
        s_round();
    }
    MANUAL_UNTIL(s_count_of("follower_held_lost") > 0);
    manual_freeze(s_replayer_loop, false);
    MANUAL_PASS_UNTIL(s_delivered == s_tip);
    s_expect(s_tip);
}

/* ---- only some types ---- */
static uint64_t s_wanted, s_wanted_seq;

static void s_on_wanted(void *arg, const zvt_event_t *event)
{
    (void)arg;
    if (event->type != ZVT_T_POSITION_UPDATED || event->seq != s_wanted_seq + 10) s_wrong++;
    s_wanted_seq = event->seq;
    s_wanted++;
}

static void s_on_wanted_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    (void)arg;
    s_applied = applied_seq;
    s_caught_up = caught_up;
}

Test(zvt_follower, of_some_types_gets_them_from_the_past_and_live_and_counts_what_it_passes_over)
{
    zvt_type_set_t types = {0, 0};
    zvt_type_set_add(&types, ZVT_T_POSITION_UPDATED);
    s_commit_unheard(LOG_MAX);
    s_here = zvt_loop_new();
    s_follower = zvt_follower_new(s_here, SHARD, 1, &s_identity, s_on_wanted, s_on_wanted_batch, NULL);
    zvt_follower_only(s_follower, &types);
    MANUAL_PASS_UNTIL((s_publish_tip(), s_caught_up));
    cr_assert_eq(s_wanted, LOG_MAX / 10);
    cr_assert(zvt_type_set_equal(&s_asked_types, &types));
    s_commit(25);
    MANUAL_UNTIL(s_applied == LOG_MAX + 25);
    cr_assert_eq(s_wanted, LOG_MAX / 10 + 2);
    cr_assert_eq(s_wrong, 0);
}

Test(zvt_follower, asks_ahead_but_only_so_far)
{
    s_follow_from_the_start();
    manual_freeze(s_replayer_loop, true);
    s_commit_unheard(LOG_MAX - s_tip);
    int before = s_asked;
    s_publish_tip();
    manual_pass(300 * ZVT_MS_NS);
    manual_freeze(s_replayer_loop, false);
    MANUAL_UNTIL(s_asked > before);
    cr_assert_eq(s_asked - before, ZVT_FOLLOWER_AHEAD, "asked before the first answer");
    MANUAL_PASS_UNTIL(s_delivered == LOG_MAX);
    s_expect(LOG_MAX);
}

/* ---- a log that does not begin with event 1 ---- */
static uint64_t s_hole_at;

static void s_on_hole(void *arg, uint64_t first_seq)
{
    (void)arg;
    s_hole_at = first_seq;
}

static uint64_t s_on_base(void *arg, uint64_t base_seq, const void *data, size_t length)
{
    (void)arg;
    cr_assert_eq(length, strlen(s_base_bytes));
    cr_assert_eq(memcmp(data, s_base_bytes, length), 0);
    s_applied = base_seq;
    s_delivered = 1; /* what the base stands for */
    return base_seq + 1;
}

/* A log of 9,500 events of which the first 5,000 are archived. */
static void s_archive(uint64_t base_seq)
{
    s_commit_unheard(9500);
    s_first = 5001;
    s_base_seq = base_seq;
}

Test(zvt_follower, is_told_of_a_hole_and_gets_nothing_behind_it)
{
    s_archive(7000);
    s_follow(1);
    zvt_follower_on_hole(s_follower, s_on_hole);
    MANUAL_PASS_UNTIL((s_publish_tip(), s_hole_at == 5001));
    s_commit(10);
    manual_pass(ZVT_SECOND_NS);
    cr_assert_eq(s_delivered, 0);
    cr_assert_eq(zvt_follower_applied(s_follower), 0);
    cr_assert_not(s_caught_up);
}

Test(zvt_follower, goes_on_from_the_base_when_the_log_begins_too_late)
{
    s_archive(7000);
    s_follow(1);
    zvt_follower_on_hole(s_follower, s_on_hole);
    zvt_follower_want_base(s_follower, "risk", 0, s_on_base);
    MANUAL_PASS_UNTIL((s_publish_tip(), s_applied == 9500));
    cr_assert_eq(s_delivered, 1 + 2500);
    cr_assert_eq(s_wrong, 0, "in order, each once, from the base on");
    cr_assert_eq(s_hole_at, 0);
    s_commit(5);
    MANUAL_UNTIL(s_applied == 9505);
}

Test(zvt_follower, that_is_not_behind_the_beginning_needs_no_base)
{
    s_archive(7000);
    s_follow(5001);
    zvt_follower_want_base(s_follower, "risk", 0, s_on_base);
    MANUAL_PASS_UNTIL((s_publish_tip(), s_delivered == 4500));
    s_expect(4500);
}

Test(zvt_follower, takes_no_base_that_leaves_a_hole)
{
    s_archive(4999);
    s_follow(1);
    zvt_follower_on_hole(s_follower, s_on_hole);
    zvt_follower_want_base(s_follower, "risk", 0, s_on_base);
    MANUAL_PASS_UNTIL((s_publish_tip(), s_hole_at == 5001));
    cr_assert_eq(s_delivered, 0);
}

Test(zvt_follower, is_told_of_the_hole_when_there_is_no_base_in_front_of_where_it_ends)
{
    s_archive(7000);
    s_follow(1);
    zvt_follower_on_hole(s_follower, s_on_hole);
    zvt_follower_want_base(s_follower, "risk", 6999, s_on_base);
    MANUAL_PASS_UNTIL((s_publish_tip(), s_hole_at == 5001));
    cr_assert_eq(s_delivered, 0);
}

Test(zvt_follower, fetches_the_base_from_a_replayer_that_was_killed_meanwhile)
{
    s_archive(7000);
    s_follow(1);
    zvt_follower_want_base(s_follower, "risk", 0, s_on_base);
    MANUAL_PASS_UNTIL((s_publish_tip(), s_asked > 0));
    s_kill_replayer();
    s_start_replayer(2);
    MANUAL_PASS_UNTIL((s_publish_tip(), s_applied == 9500));
    cr_assert_eq(s_wrong, 0);
}
