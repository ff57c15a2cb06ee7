#include "zvt_link.h"

#include "zvt_diag.h"
#include "zvt_frames.h"
#include "zvt_socket.h"
#include "zvt_stats.h"
#include "zvt_time.h"

#define HELLO_PERIOD_NS (250 * ZVT_MS_NS)
#define HELLO_FIRST_NS (10 * ZVT_MS_NS)  /* between attempts at the first hello of a socket, which is still connecting .. */
#define HELLO_EAGER_NS (100 * ZVT_MS_NS) /* .. for so long; */
#define HELLO_CONNECTING_NS (50 * ZVT_MS_NS) /* then, until it is connected */
#define SILENCE_NS (500 * ZVT_MS_NS)
#define CONNECT_NS (200 * ZVT_MS_NS)     /* patience with a connection that is not made, doubled each time .. */
enum { CONNECT_DOUBLINGS = 2 };          /* .. so often */

struct zvt_link {
    zvt_loop_t *loop;
    zsock_t *dealer;
    char endpoint[ZVT_ENDPOINT_SIZE];
    const zvt_hello_t *identity;
    zvt_link_handler_t handler;
    zvt_buf_t out;
    bool up;
    bool said;                /* a hello left on this socket: it is connected */
    unsigned unconnected;     /* sockets in a row that never were */
    uint64_t peer_incarnation; /* 0: never answered */
    int64_t heard_ns;         /* monotonic: last message, or when the socket was opened */
    int hello_timer;
    zvt_record_t record;
};

static void s_link_on_readable(void *arg);

static void s_link_open(zvt_link_t *self)
{
    self->dealer = zvt_socket_new(ZMQ_DEALER);
    ZVT_ASSERT(zmq_connect(zsock_resolve(self->dealer), self->endpoint) == 0);
    zvt_loop_add_socket(self->loop, self->dealer, s_link_on_readable, self);
    self->heard_ns = zvt_loop_monotonic_ns(self->loop);
    self->said = false;
}

/* An unconnected peer is not an error and not counted: the hello is tried again. */
void zvt_link_hello(zvt_link_t *self)
{
    zvt_buf_t hello = {.data = (uint8_t[256]){0}, .capacity = 256};
    ZVT_ASSERT(zvt_pack(&hello, ZVT_T_HELLO, self->identity) == 0);
    if (zmq_send(zsock_resolve(self->dealer), hello.data, hello.length, ZMQ_DONTWAIT) >= 0) self->said = true;
    zvt_loop_check(self->loop, self->dealer);
}

static void s_link_set_down(zvt_link_t *self)
{
    if (!self->up) return;
    self->up = false;
    self->out.length = 0;
    zvt_debug("%s is silent", self->endpoint);
    if (self->handler.on_down != NULL) self->handler.on_down(self->handler.arg);
}

static void s_link_reopen(zvt_link_t *self)
{
    zvt_loop_remove_socket(self->loop, self->dealer);
    zsock_destroy(&self->dealer);
    s_link_open(self);
}

/* A socket that is still connecting may wait for the handshake of a process that is stopped, while another takes its place:
 * so patience is short at first. It grows, because a busy peer may just be slow. */
static int64_t s_link_patience_ns(const zvt_link_t *self)
{
    unsigned doublings = self->unconnected < CONNECT_DOUBLINGS ? self->unconnected : CONNECT_DOUBLINGS;
    return self->said ? SILENCE_NS : CONNECT_NS << doublings;
}

static int64_t s_link_hello_period_ns(const zvt_link_t *self, int64_t now_ns)
{
    if (self->said) return HELLO_PERIOD_NS;
    return now_ns - self->heard_ns < HELLO_EAGER_NS ? HELLO_FIRST_NS : HELLO_CONNECTING_NS;
}

static void s_link_on_time(void *arg)
{
    zvt_link_t *self = arg;
    int64_t now_ns = zvt_loop_monotonic_ns(self->loop);
    if (now_ns - self->heard_ns > s_link_patience_ns(self)) {
        self->unconnected = self->said ? 0 : self->unconnected + 1;
        s_link_set_down(self);
        s_link_reopen(self);
    }
    zvt_link_hello(self);
    zvt_loop_arm(self->loop, self->hello_timer, now_ns + s_link_hello_period_ns(self, now_ns));
}

static void s_link_on_hello(zvt_link_t *self, const zvt_hello_t *peer)
{
    bool fresh = !self->up || peer->incarnation != self->peer_incarnation;
    self->peer_incarnation = peer->incarnation;
    self->up = true;
    if (fresh && self->handler.on_up != NULL) self->handler.on_up(self->handler.arg, peer);
    if (self->handler.on_hello != NULL) self->handler.on_hello(self->handler.arg, peer);
}

static void s_link_on_payload(zvt_link_t *self, zvt_cursor_t payload)
{
    zvt_cursor_t whole = payload;
    size_t length = (size_t)(payload.end - payload.at);
    while (!zvt_cursor_done(&payload)) {
        int status = zvt_read(&payload, &self->record);
        if (status != 0) {
            zvt_frames_malformed(self->endpoint, zvt_strerror(status), length);
            return;
        }
        ZVT_COUNT("messages");
        if (self->record.type == ZVT_T_LOG_BATCH || self->record.type == ZVT_T_LOG_BASE) {
            if (self->handler.on_frame != NULL) self->handler.on_frame(self->handler.arg, whole);
            return;
        }
        if (self->record.type == ZVT_T_HELLO)
            s_link_on_hello(self, &self->record.hello);
        else
            self->handler.on_record(self->handler.arg, &self->record);
    }
}

static void s_link_on_readable(void *arg)
{
    zvt_link_t *self = arg;
    for (int n = 0; n < ZVT_DRAIN_MAX; n++) {
        zmq_msg_t frame;
        if (zvt_frames_recv(self->dealer, &frame, 1) == 0) return;
        self->heard_ns = zvt_loop_monotonic_ns(self->loop);
        s_link_on_payload(self, zvt_cursor(zmq_msg_data(&frame), zmq_msg_size(&frame)));
        zmq_msg_close(&frame);
    }
    zvt_loop_check(self->loop, self->dealer);
}

void zvt_link_flush(zvt_link_t *self)
{
    if (self->out.length == 0) return;
    (void)zvt_frame_send(self->dealer, self->out.data, self->out.length, 0);
    zvt_loop_check(self->loop, self->dealer);
    self->out.length = 0;
}

static void s_link_on_round(void *arg)
{
    zvt_link_flush(arg);
}

zvt_link_t *zvt_link_new(zvt_loop_t *loop, const char *endpoint, const zvt_hello_t *identity,
                         const zvt_link_handler_t *handler)
{
    zvt_link_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->identity = identity;
    self->handler = *handler;
    self->out = zvt_buf_new(ZVT_OUT_SIZE);
    snprintf(self->endpoint, sizeof self->endpoint, "%s", endpoint);
    s_link_open(self);
    self->hello_timer = zvt_loop_timer(loop, s_link_on_time, self);
    zvt_loop_arm(loop, self->hello_timer, zvt_loop_monotonic_ns(loop) + HELLO_FIRST_NS);
    zvt_loop_on_round(loop, s_link_on_round, self);
    zvt_link_hello(self);
    return self;
}

void zvt_link_destroy(zvt_link_t **self)
{
    if (*self == NULL) return;
    zvt_loop_remove_socket((*self)->loop, (*self)->dealer);
    zsock_destroy(&(*self)->dealer);
    zvt_buf_destroy(&(*self)->out);
    free(*self);
    *self = NULL;
}

bool zvt_link_is_up(const zvt_link_t *self)
{
    return self->up;
}

static bool s_link_refuses(zvt_link_t *self)
{
    if (self->up) return false;
    ZVT_COUNT("unsent");
    return true;
}

void zvt_link_send(zvt_link_t *self, zvt_type_t type, const void *record)
{
    if (s_link_refuses(self)) return;
    if (zvt_pack(&self->out, type, record) == 0) return;
    zvt_link_flush(self);
    ZVT_ASSERT(zvt_pack(&self->out, type, record) == 0);
}

void zvt_link_send_packed(zvt_link_t *self, const void *data, size_t length)
{
    if (s_link_refuses(self)) return;
    if (length > self->out.capacity - self->out.length) zvt_link_flush(self);
    if (zvt_buf_append(&self->out, data, length) == 0) return;
    (void)zvt_frame_send(self->dealer, data, length, 0);
    zvt_loop_check(self->loop, self->dealer);
}
