#include "manual_loop.h"
#include "zvt_hub.h"

enum { FLOOD = 12 * ZVT_HWM_HUB };

static zvt_loop_t *s_loop;
static zvt_hub_t *s_hub;
static int s_requests;
static zvt_peer_t s_last_peer;
static char s_endpoint[ZVT_ENDPOINT_SIZE];
static const zvt_hello_t s_identity = {.role = ZVT_ROLE_RISK, .name = "hub", .incarnation = 3};

static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    (void)arg;
    s_requests++;
    s_last_peer = *peer;
    if (record->type == ZVT_T_LOG_TIP) zvt_hub_send(s_hub, peer, ZVT_T_LOG_TIP, &record->log_tip);
}

static zvt_peer_t s_greeted;

static void s_note_peer(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    (void)arg, (void)hello, (void)reply;
    s_greeted = *peer;
}

static void s_begin(void)
{
    manual_begin();
    s_loop = zvt_loop_new();
    zvt_endpoint(s_endpoint, "hub", NULL);
    cr_assert_eq(zvt_hub_new(&s_hub, s_loop, s_endpoint, &s_identity, s_on_request, s_note_peer, NULL), 0);
}

static void s_end(void)
{
    zvt_hub_destroy(&s_hub);
    manual_end();
}

/* A client with blocking sends, so that its first request waits for the connection. */
static zsock_t *s_client(int type)
{
    zsock_t *client = zsock_new(type);
    zsock_set_linger(client, 0);
    cr_assert_eq(zmq_connect(zsock_resolve(client), s_endpoint), 0);
    return client;
}

static void s_send(zsock_t *client, const void *data, size_t length)
{
    cr_assert_geq(zmq_send(zsock_resolve(client), data, length, 0), 0);
}

static void s_send_tip(zsock_t *client, uint64_t seq)
{
    uint8_t bytes[64];
    zvt_buf_t out = {.data = bytes, .capacity = sizeof bytes};
    zvt_log_tip_t tip = {.tip_seq = seq};
    cr_assert_eq(zvt_pack(&out, ZVT_T_LOG_TIP, &tip), 0);
    s_send(client, out.data, out.length);
}

/* Receives one message, which must be one frame, and reads its records; returns how many, the last one in *record. */
static int s_receive(zsock_t *client, zvt_record_t *record)
{
    static uint8_t bytes[1 << 20];
    int count = 0;
    MANUAL_UNTIL((zsock_events(client) & ZMQ_POLLIN) != 0);
    int length = zmq_recv(zsock_resolve(client), bytes, sizeof bytes, ZMQ_DONTWAIT);
    cr_assert_gt(length, 0);
    cr_assert_eq(zsock_rcvmore(client), 0);
    for (zvt_cursor_t cursor = zvt_cursor(bytes, (size_t)length); !zvt_cursor_done(&cursor); count++)
        cr_assert_eq(zvt_read(&cursor, record), 0);
    return count;
}

TestSuite(zvt_hub, .init = s_begin, .fini = s_end);

Test(zvt_hub, serves_req_clients_and_dealers_alike)
{
    static const int types[] = {ZMQ_REQ, ZMQ_DEALER};
    for (size_t i = 0; i < 2; i++) {
        zvt_record_t record;
        zsock_t *client = s_client(types[i]);
        s_send_tip(client, 40 + i);
        cr_assert_eq(s_receive(client, &record), 1);
        cr_assert_eq(record.log_tip.tip_seq, 40 + i);
        zsock_destroy(&client);
    }
}

Test(zvt_hub, answers_a_hello_with_its_own_and_a_reply_not_at_all)
{
    uint8_t bytes[256];
    zvt_record_t record;
    zvt_hello_t hello = {.role = ZVT_ROLE_CLIENT, .name = "me"}, reply = {.role = ZVT_ROLE_CLIENT, .name = "me", .reply = true};
    zvt_buf_t out = {.data = bytes, .capacity = sizeof bytes};
    zsock_t *client = s_client(ZMQ_DEALER);
    cr_assert_eq(zvt_pack(&out, ZVT_T_HELLO, &reply), 0);
    cr_assert_eq(zvt_pack(&out, ZVT_T_HELLO, &hello), 0);
    s_send(client, out.data, out.length);
    cr_assert_eq(s_receive(client, &record), 1);
    cr_assert_eq(record.type, ZVT_T_HELLO);
    cr_assert(record.hello.reply);
    cr_assert_eq(record.hello.incarnation, 3);
    zsock_destroy(&client);
}

static void s_tell_tip(void *arg)
{
    zvt_log_tip_t tip = {.tip_seq = 7};
    (void)arg;
    zvt_hub_send(s_hub, &s_greeted, ZVT_T_LOG_TIP, &tip);
}

Test(zvt_hub, what_is_said_to_a_greeted_peer_comes_behind_the_answer_to_its_hello)
{
    uint8_t bytes[4096];
    zvt_record_t record;
    zvt_hello_t hello = {.role = ZVT_ROLE_CLIENT, .name = "me"};
    zvt_buf_t out = {.data = bytes, .capacity = sizeof bytes};
    zvt_hub_on_greeted(s_hub, s_tell_tip);
    zsock_t *client = s_client(ZMQ_DEALER);
    cr_assert_eq(zvt_pack(&out, ZVT_T_HELLO, &hello), 0);
    s_send(client, out.data, out.length);
    MANUAL_UNTIL((zsock_events(client) & ZMQ_POLLIN) != 0);
    int length = zmq_recv(zsock_resolve(client), bytes, sizeof bytes, ZMQ_DONTWAIT);
    zvt_cursor_t cursor = zvt_cursor(bytes, (size_t)length);
    cr_assert_eq(zvt_read(&cursor, &record), 0);
    cr_assert_eq(record.type, ZVT_T_HELLO);
    cr_assert_eq(zvt_read(&cursor, &record), 0);
    cr_assert_eq(record.type, ZVT_T_LOG_TIP);
    zsock_destroy(&client);
}

Test(zvt_hub, answers_all_that_one_peer_asked_in_a_round_with_one_message)
{
    enum { ASKED = 50 };
    zvt_record_t record;
    zsock_t *client = s_client(ZMQ_DEALER);
    manual_freeze(s_loop, true);
    for (uint64_t seq = 1; seq <= ASKED; seq++) s_send_tip(client, seq);
    manual_freeze(s_loop, false);
    int answered = 0, messages = 0;
    for (; answered < ASKED; messages++) answered += s_receive(client, &record);
    cr_assert_eq(record.log_tip.tip_seq, ASKED, "in the order of the questions");
    cr_assert_lt(messages, ASKED, "answers of a round leave together");
    zsock_destroy(&client);
}

Test(zvt_hub, answers_more_peers_than_it_has_places_for_in_one_round)
{
    enum { CLIENTS = 150 };
    static zsock_t *clients[CLIENTS];
    for (uint64_t i = 0; i < CLIENTS; i++) {
        clients[i] = s_client(ZMQ_DEALER);
        s_send_tip(clients[i], i + 1);
    }
    for (uint64_t i = 0; i < CLIENTS; i++) {
        zvt_record_t record;
        cr_assert_eq(s_receive(clients[i], &record), 1);
        cr_assert_eq(record.log_tip.tip_seq, i + 1, "each its own answer");
        zsock_destroy(&clients[i]);
    }
}

Test(zvt_hub, says_so_when_it_does_not_understand)
{
    static const struct {
        const char *bytes;
        size_t length;
    } wrong[] = {{"", 0}, {"hello?", 6}, {"\x91", 1}, {"\x91\xcd\xff\xff", 4}, {"\xdd\x10\x00\x00\x00", 5}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        zvt_record_t record;
        uint64_t before = s_count_of("malformed");
        zsock_t *client = s_client(ZMQ_REQ);
        s_send(client, wrong[i].bytes, wrong[i].length);
        cr_assert_eq(s_receive(client, &record), 1);
        cr_assert_eq(record.type, ZVT_T_ERROR_REPLY);
        cr_assert_eq(record.error_reply.code, ZVT_CODE_MALFORMED);
        cr_assert_eq(s_count_of("malformed"), before + 1);
        zsock_destroy(&client);
    }
    cr_assert_eq(s_requests, 0);
}

Test(zvt_hub, drops_and_counts_a_message_of_the_wrong_shape)
{
    uint64_t before = s_count_of("malformed");
    zsock_t *client = s_client(ZMQ_DEALER);
    cr_assert_geq(zmq_send(zsock_resolve(client), "a", 1, ZMQ_SNDMORE), 0);
    cr_assert_geq(zmq_send(zsock_resolve(client), "b", 1, ZMQ_SNDMORE), 0);
    cr_assert_geq(zmq_send(zsock_resolve(client), "c", 1, ZMQ_SNDMORE), 0);
    cr_assert_geq(zmq_send(zsock_resolve(client), "d", 1, 0), 0);
    MANUAL_UNTIL(s_count_of("malformed") == before + 1);
    s_send_tip(client, 1);
    MANUAL_UNTIL(s_requests == 1);
    zsock_destroy(&client);
}

Test(zvt_hub, drops_and_counts_what_a_peer_that_does_not_read_cannot_take_and_serves_the_others)
{
    static uint8_t payload[1024];
    zvt_record_t record;
    zsock_t *deaf = s_client(ZMQ_DEALER), *other = s_client(ZMQ_DEALER);
    s_send_tip(deaf, 1);
    MANUAL_UNTIL(s_requests == 1);
    zvt_peer_t peer = s_last_peer;
    uint64_t before = s_count_of("unsent");
    for (int i = 0; i < FLOOD; i++) {
        zvt_hub_send_packed(s_hub, &peer, payload, sizeof payload);
        zvt_hub_flush(s_hub);
    }
    uint64_t dropped = s_count_of("unsent") - before;
    cr_assert_gt(dropped, 0, "the queue of a peer is bounded");
    cr_assert_leq(dropped, FLOOD - ZVT_HWM_HUB + 1, "and holds what was promised");
    s_send_tip(other, 2);
    cr_assert_eq(s_receive(other, &record), 1);
    cr_assert_eq(record.log_tip.tip_seq, 2);
    zsock_destroy(&deaf);
    zsock_destroy(&other);
}

Test(zvt_hub, counts_what_is_sent_to_a_peer_that_is_gone)
{
    zsock_t *client = s_client(ZMQ_DEALER);
    zvt_log_tip_t tip = {0};
    s_send_tip(client, 1);
    MANUAL_UNTIL(s_requests == 1);
    zvt_peer_t peer = s_last_peer;
    zsock_destroy(&client);
    uint64_t before = s_count_of("unsent");
    MANUAL_UNTIL((zvt_hub_send(s_hub, &peer, ZVT_T_LOG_TIP, &tip), zvt_hub_flush(s_hub), s_count_of("unsent") > before));
}

Test(zvt_hub, is_refused_an_address_that_somebody_else_serves)
{
    zvt_hub_t *second = NULL;
    cr_assert_eq(zvt_hub_new(&second, s_loop, s_endpoint, &s_identity, s_on_request, NULL, NULL), ZVT_ERR_EXISTS);
    cr_assert_null(second);
    zvt_record_t record;
    zsock_t *client = s_client(ZMQ_DEALER);
    s_send_tip(client, 1);
    cr_assert_eq(s_receive(client, &record), 1, "the first one serves on");
    zsock_destroy(&client);
}
