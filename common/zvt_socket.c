#include "zvt_socket.h"

#include <fcntl.h>
#include <sys/file.h>

#include "zvt_diag.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum {
    DRAIN_MAX = 4096,              /* messages handled per round, so that one busy socket cannot starve the others */
    OUT_SIZE = 256 << 10,          /* bytes queued per peer and round before they leave early */
    OUTS_MAX = 64,                 /* peers with something queued in one round */
    RECONNECT_MIN_MS = 50,
    RECONNECT_MAX_MS = 1000,
    HANDSHAKE_MS = 3000,
    BACKLOG = 1024,
    TOPIC_SIZE = 128,
};
#define HELLO_PERIOD_NS (250 * ZVT_MS_NS)
#define SILENCE_NS (500 * ZVT_MS_NS)

/* ---- sockets ---- */
void zvt_endpoint(char endpoint[ZVT_ENDPOINT_SIZE], const char *name, const char *part)
{
    const char *runtime = getenv("ZVT_RUNTIME");
    snprintf(endpoint, ZVT_ENDPOINT_SIZE, "ipc://%s/%s%s%s", runtime == NULL ? "." : runtime, name, part != NULL ? "." : "",
             part != NULL ? part : "");
}

zsock_t *zvt_socket_new(int type)
{
    zsys_handler_set(NULL); /* signals belong to zvt_service */
    zsock_t *socket = zsock_new(type);
    ZVT_ASSERT(socket != NULL);
    zsock_set_linger(socket, 0);
    zsock_set_sndtimeo(socket, 0);
    zsock_set_sndhwm(socket, ZVT_HWM);
    zsock_set_rcvhwm(socket, ZVT_HWM);
    zsock_set_reconnect_ivl(socket, RECONNECT_MIN_MS);
    zsock_set_reconnect_ivl_max(socket, RECONNECT_MAX_MS);
    zsock_set_handshake_ivl(socket, HANDSHAKE_MS);
    zsock_set_maxmsgsize(socket, ZVT_MESSAGE_MAX);
    zsock_set_backlog(socket, BACKLOG);
    zsock_set_immediate(socket, 1);
    if (type == ZMQ_ROUTER) zsock_set_router_mandatory(socket, 1);
    return socket;
}

/* A second bind of the same ipc path would succeed and steal the traffic, so a lock file guards each path. */
static int s_lock_path(const char *endpoint)
{
    char path[ZVT_ENDPOINT_SIZE + 8];
    if (strncmp(endpoint, "ipc://", 6) != 0) return 0;
    snprintf(path, sizeof path, "%s.lock", endpoint + 6);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return ZVT_ERR_IO;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 0; /* kept open, and so locked, until the process ends */
    close(fd);
    return ZVT_ERR_EXISTS;
}

int zvt_socket_bind(zsock_t *socket, const char *endpoint)
{
    int status = s_lock_path(endpoint);
    if (status != 0) return status;
    if (zmq_bind(zsock_resolve(socket), endpoint) == 0) return 0;
    return errno == EADDRINUSE ? ZVT_ERR_EXISTS : ZVT_ERR_IO;
}

/* Sends one frame; false if it was dropped. */
static bool s_send_frame(zsock_t *socket, const void *data, size_t length, int flags)
{
    if (zmq_send(zsock_resolve(socket), data, length, flags | ZMQ_DONTWAIT) >= 0) return true;
    ZVT_COUNT("unsent");
    return false;
}

bool zvt_publish(zsock_t *pub, const char *topic, const void *data, size_t length)
{
    return s_send_frame(pub, topic, strlen(topic), ZMQ_SNDMORE) && s_send_frame(pub, data, length, 0);
}

static void s_malformed(const char *from, const char *what, size_t length)
{
    ZVT_COUNT("malformed");
    if (zvt_diag_allowed()) zvt_warn("dropped a message of %zu bytes from %s: %s", length, from, what);
}

/* Receives one frame without waiting; false when there is none. */
static bool s_recv_frame(zsock_t *socket, zmq_msg_t *frame)
{
    zmq_msg_init(frame);
    if (zmq_msg_recv(frame, zsock_resolve(socket), ZMQ_DONTWAIT) >= 0) return true;
    zmq_msg_close(frame);
    return false;
}

/* Receives the frames of one message into `frames`; returns their number (0: nothing there). Frames beyond `max` are
 * thrown away and make the result max + 1. */
static int s_recv_message(zsock_t *socket, zmq_msg_t *frames, int max)
{
    int count = 0;
    bool more = true;
    while (more) {
        zmq_msg_t extra;
        zmq_msg_t *frame = count < max ? &frames[count] : &extra;
        if (!s_recv_frame(socket, frame)) break;
        more = zmq_msg_more(frame) != 0;
        if (count >= max) zmq_msg_close(frame);
        if (count <= max) count++;
    }
    return count;
}

static void s_close_frames(zmq_msg_t *frames, int count, int max)
{
    for (int i = 0; i < count && i < max; i++) zmq_msg_close(&frames[i]);
}

/* ---- hub ---- */
typedef struct {
    zvt_peer_t peer;
    zvt_buf_t out; /* records queued in this round */
} hub_out_t;

struct zvt_hub {
    zvt_loop_t *loop;
    zsock_t *router;
    zvt_hello_t identity;
    zvt_hub_record_fn *on_record;
    zvt_hub_hello_fn *on_hello;
    void *arg;
    char endpoint[ZVT_ENDPOINT_SIZE];
    hub_out_t outs[OUTS_MAX];
    int outs_count;  /* with something queued */
    int outs_made;   /* with a buffer allocated; reused for ever */
    zvt_record_t record;
};

static void s_hub_send_now(zvt_hub_t *self, hub_out_t *out)
{
    if (out->out.length == 0) return;
    bool sent = s_send_frame(self->router, out->peer.id, out->peer.id_length, ZMQ_SNDMORE);
    if (sent && out->peer.req) sent = s_send_frame(self->router, "", 0, ZMQ_SNDMORE);
    if (sent) (void)s_send_frame(self->router, out->out.data, out->out.length, 0);
    out->out.length = 0;
}

void zvt_hub_flush(zvt_hub_t *self)
{
    for (int i = 0; i < self->outs_count; i++) s_hub_send_now(self, &self->outs[i]);
    self->outs_count = 0;
}

static bool s_same_peer(const zvt_peer_t *a, const zvt_peer_t *b)
{
    return a->id_length == b->id_length && memcmp(a->id, b->id, a->id_length) == 0;
}

static hub_out_t *s_hub_out(zvt_hub_t *self, const zvt_peer_t *peer)
{
    for (int i = 0; i < self->outs_count; i++)
        if (s_same_peer(&self->outs[i].peer, peer)) return &self->outs[i];
    if (self->outs_count == OUTS_MAX) zvt_hub_flush(self);
    hub_out_t *out = &self->outs[self->outs_count++];
    if (self->outs_made < self->outs_count) {
        out->out = zvt_buf_new(OUT_SIZE);
        self->outs_made++;
    }
    out->peer = *peer;
    out->out.length = 0;
    return out;
}

void zvt_hub_send(zvt_hub_t *self, const zvt_peer_t *peer, zvt_type_t type, const void *record)
{
    hub_out_t *out = s_hub_out(self, peer);
    if (zvt_pack(&out->out, type, record) == 0) return;
    s_hub_send_now(self, out);
    ZVT_ASSERT(zvt_pack(&out->out, type, record) == 0);
}

void zvt_hub_send_packed(zvt_hub_t *self, const zvt_peer_t *peer, const void *data, size_t length)
{
    hub_out_t *out = s_hub_out(self, peer);
    if (length > out->out.capacity - out->out.length) s_hub_send_now(self, out);
    if (zvt_buf_append(&out->out, data, length) == 0) return;
    hub_out_t large = {.peer = *peer, .out = {.data = (uint8_t *)(uintptr_t)data, .length = length, .capacity = length}};
    s_hub_send_now(self, &large);
}

static void s_hub_on_hello(zvt_hub_t *self, const zvt_peer_t *peer, const zvt_hello_t *hello)
{
    if (hello->reply) return;
    zvt_hello_t reply = self->identity;
    reply.reply = true;
    if (self->on_hello != NULL) self->on_hello(self->arg, peer, hello, &reply);
    zvt_hub_send(self, peer, ZVT_T_HELLO, &reply);
}

static void s_hub_refuse(zvt_hub_t *self, const zvt_peer_t *peer, int status, size_t length)
{
    s_malformed(self->endpoint, zvt_strerror(status), length);
    zvt_error_reply_t reply = {.code = ZVT_CODE_MALFORMED};
    snprintf(reply.message, sizeof reply.message, "%s; see docs/wire.md", zvt_strerror(status));
    zvt_hub_send(self, peer, ZVT_T_ERROR_REPLY, &reply);
}

static void s_hub_on_payload(zvt_hub_t *self, const zvt_peer_t *peer, zvt_cursor_t payload)
{
    size_t length = (size_t)(payload.end - payload.at);
    int status = length == 0 ? ZVT_ERR_TRUNCATED : 0;
    while (status == 0 && !zvt_cursor_done(&payload)) {
        status = zvt_read(&payload, &self->record);
        if (status != 0) break;
        ZVT_COUNT("messages");
        if (self->record.type == ZVT_T_HELLO)
            s_hub_on_hello(self, peer, &self->record.hello);
        else
            self->on_record(self->arg, peer, &self->record);
    }
    if (status != 0) s_hub_refuse(self, peer, status, length);
}

static void s_hub_on_message(zvt_hub_t *self, zmq_msg_t *frames, int count)
{
    zvt_peer_t peer = {.req = count == 3 && zmq_msg_size(&frames[1]) == 0};
    size_t id_length = zmq_msg_size(&frames[0]);
    bool shaped = count == 2 || peer.req;
    if (!shaped || id_length > sizeof peer.id) {
        s_malformed(self->endpoint, "expected one payload frame", 0);
        return;
    }
    memcpy(peer.id, zmq_msg_data(&frames[0]), id_length);
    peer.id_length = (uint8_t)id_length;
    zmq_msg_t *payload = &frames[count - 1];
    s_hub_on_payload(self, &peer, zvt_cursor(zmq_msg_data(payload), zmq_msg_size(payload)));
}

static void s_hub_on_readable(void *arg)
{
    zvt_hub_t *self = arg;
    for (int n = 0; n < DRAIN_MAX; n++) {
        zmq_msg_t frames[3];
        int count = s_recv_message(self->router, frames, 3);
        if (count == 0) return;
        s_hub_on_message(self, frames, count);
        s_close_frames(frames, count, 3);
    }
}

static void s_hub_on_round(void *arg)
{
    zvt_hub_flush(arg);
}

int zvt_hub_bind(zvt_hub_t *self, const char *endpoint)
{
    return zvt_socket_bind(self->router, endpoint);
}

int zvt_hub_new(zvt_hub_t **self_out, zvt_loop_t *loop, const char *endpoint, const zvt_hello_t *identity,
                zvt_hub_record_fn *on_record, zvt_hub_hello_fn *on_hello, void *arg)
{
    zvt_hub_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->identity = *identity;
    self->on_record = on_record;
    self->on_hello = on_hello;
    self->arg = arg;
    snprintf(self->endpoint, sizeof self->endpoint, "%s", endpoint);
    self->router = zvt_socket_new(ZMQ_ROUTER);
    int status = zvt_hub_bind(self, endpoint);
    if (status != 0) {
        zsock_destroy(&self->router);
        free(self);
        return status;
    }
    zvt_loop_add_socket(loop, self->router, s_hub_on_readable, self);
    zvt_loop_on_round(loop, s_hub_on_round, self);
    *self_out = self;
    return 0;
}

void zvt_hub_destroy(zvt_hub_t **self)
{
    if (*self == NULL) return;
    zvt_loop_remove_socket((*self)->loop, (*self)->router);
    zsock_destroy(&(*self)->router);
    for (int i = 0; i < (*self)->outs_made; i++) zvt_buf_destroy(&(*self)->outs[i].out);
    free(*self);
    *self = NULL;
}

/* ---- link ---- */
struct zvt_link {
    zvt_loop_t *loop;
    zsock_t *dealer;
    char endpoint[ZVT_ENDPOINT_SIZE];
    const zvt_hello_t *identity;
    zvt_link_handler_t handler;
    zvt_buf_t out;
    bool up;
    bool said;                /* a hello left on this socket */
    uint64_t peer_incarnation; /* 0: never answered */
    int64_t heard_ns;         /* monotonic: last message, or when the socket was opened */
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

static void s_link_on_time(void *arg)
{
    zvt_link_t *self = arg;
    bool silent = zvt_loop_monotonic_ns(self->loop) - self->heard_ns > SILENCE_NS;
    if (silent) {
        s_link_set_down(self);
        /* A socket that never carried a hello is still connecting: libzmq keeps trying, nothing is stuck in it. */
        if (self->said) s_link_reopen(self);
    }
    zvt_link_hello(self);
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
            s_malformed(self->endpoint, zvt_strerror(status), length);
            return;
        }
        ZVT_COUNT("messages");
        if (self->record.type == ZVT_T_LOG_BATCH) {
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
    for (int n = 0; n < DRAIN_MAX; n++) {
        zmq_msg_t frame;
        if (s_recv_message(self->dealer, &frame, 1) == 0) return;
        self->heard_ns = zvt_loop_monotonic_ns(self->loop);
        s_link_on_payload(self, zvt_cursor(zmq_msg_data(&frame), zmq_msg_size(&frame)));
        zmq_msg_close(&frame);
    }
}

void zvt_link_flush(zvt_link_t *self)
{
    if (self->out.length == 0) return;
    (void)s_send_frame(self->dealer, self->out.data, self->out.length, 0);
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
    self->out = zvt_buf_new(OUT_SIZE);
    snprintf(self->endpoint, sizeof self->endpoint, "%s", endpoint);
    s_link_open(self);
    zvt_loop_every(loop, HELLO_PERIOD_NS, s_link_on_time, self);
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
    if (zvt_buf_append(&self->out, data, length) != 0) (void)s_send_frame(self->dealer, data, length, 0);
}

/* ---- subscriber ---- */
struct zvt_subscriber {
    zvt_loop_t *loop;
    zsock_t *sub;
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_subscriber_fn *on_record;
    zvt_subscriber_frame_fn *on_frame;
    void *arg;
    void *frame_arg; /* what on_frame gets: arg, or the subscriber itself when it decodes */
    zvt_record_t record;
};

static void s_subscriber_on_frame(void *arg, const char *topic, zvt_cursor_t frame)
{
    zvt_subscriber_t *self = arg;
    size_t length = (size_t)(frame.end - frame.at);
    while (!zvt_cursor_done(&frame)) {
        int status = zvt_read(&frame, &self->record);
        if (status != 0) {
            s_malformed(self->endpoint, zvt_strerror(status), length);
            return;
        }
        self->on_record(self->arg, topic, &self->record);
    }
}

static void s_subscriber_on_message(zvt_subscriber_t *self, zmq_msg_t *frames, int count)
{
    char topic[TOPIC_SIZE];
    size_t topic_length = zmq_msg_size(&frames[0]);
    if (count != 2 || topic_length >= sizeof topic) {
        s_malformed(self->endpoint, "expected a topic and a payload frame", topic_length);
        return;
    }
    memcpy(topic, zmq_msg_data(&frames[0]), topic_length);
    topic[topic_length] = '\0';
    ZVT_COUNT("messages");
    self->on_frame(self->frame_arg, topic, zvt_cursor(zmq_msg_data(&frames[1]), zmq_msg_size(&frames[1])));
}

static void s_subscriber_on_readable(void *arg)
{
    zvt_subscriber_t *self = arg;
    for (int n = 0; n < DRAIN_MAX; n++) {
        zmq_msg_t frames[2];
        int count = s_recv_message(self->sub, frames, 2);
        if (count == 0) return;
        s_subscriber_on_message(self, frames, count);
        s_close_frames(frames, count, 2);
    }
}

zvt_subscriber_t *zvt_subscriber_new_raw(zvt_loop_t *loop, const char *endpoint, zvt_subscriber_frame_fn *on_frame, void *arg)
{
    zvt_subscriber_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->on_frame = on_frame;
    self->frame_arg = arg;
    snprintf(self->endpoint, sizeof self->endpoint, "%s", endpoint);
    self->sub = zvt_socket_new(ZMQ_SUB);
    ZVT_ASSERT(zmq_connect(zsock_resolve(self->sub), endpoint) == 0);
    zvt_loop_add_socket(loop, self->sub, s_subscriber_on_readable, self);
    return self;
}

zvt_subscriber_t *zvt_subscriber_new(zvt_loop_t *loop, const char *endpoint, zvt_subscriber_fn *on_record, void *arg)
{
    zvt_subscriber_t *self = zvt_subscriber_new_raw(loop, endpoint, s_subscriber_on_frame, NULL);
    self->frame_arg = self;
    self->on_record = on_record;
    self->arg = arg;
    return self;
}

void zvt_subscriber_destroy(zvt_subscriber_t **self)
{
    if (*self == NULL) return;
    zvt_loop_remove_socket((*self)->loop, (*self)->sub);
    zsock_destroy(&(*self)->sub);
    free(*self);
    *self = NULL;
}

void zvt_subscriber_add(zvt_subscriber_t *self, const char *topic_prefix)
{
    zsock_set_subscribe(self->sub, topic_prefix);
}

/* ---- puller ---- */
struct zvt_puller {
    zvt_loop_t *loop;
    zsock_t *pull;
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_puller_fn *on_record;
    void *arg;
    zvt_record_t record;
};

static void s_puller_on_message(zvt_puller_t *self, zmq_msg_t *frame, int count)
{
    size_t length = zmq_msg_size(frame);
    if (count != 1 || length == 0) {
        s_malformed(self->endpoint, "expected one payload frame", length);
        return;
    }
    zvt_cursor_t payload = zvt_cursor(zmq_msg_data(frame), length);
    while (!zvt_cursor_done(&payload)) {
        int status = zvt_read(&payload, &self->record);
        if (status != 0) {
            s_malformed(self->endpoint, zvt_strerror(status), length);
            return;
        }
        ZVT_COUNT("messages");
        self->on_record(self->arg, &self->record);
    }
}

static void s_puller_on_readable(void *arg)
{
    zvt_puller_t *self = arg;
    for (int n = 0; n < DRAIN_MAX; n++) {
        zmq_msg_t frame;
        int count = s_recv_message(self->pull, &frame, 1);
        if (count == 0) return;
        s_puller_on_message(self, &frame, count);
        zmq_msg_close(&frame);
    }
}

int zvt_puller_new(zvt_puller_t **self_out, zvt_loop_t *loop, const char *endpoint, zvt_puller_fn *on_record, void *arg)
{
    zvt_puller_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->on_record = on_record;
    self->arg = arg;
    snprintf(self->endpoint, sizeof self->endpoint, "%s", endpoint);
    self->pull = zvt_socket_new(ZMQ_PULL);
    int status = zvt_socket_bind(self->pull, endpoint);
    if (status != 0) {
        zsock_destroy(&self->pull);
        free(self);
        return status;
    }
    zvt_loop_add_socket(loop, self->pull, s_puller_on_readable, self);
    *self_out = self;
    return 0;
}

void zvt_puller_destroy(zvt_puller_t **self)
{
    if (*self == NULL) return;
    zvt_loop_remove_socket((*self)->loop, (*self)->pull);
    zsock_destroy(&(*self)->pull);
    free(*self);
    *self = NULL;
}
