#include "zvt_hub.h"

#include "zvt_frames.h"
#include "zvt_socket.h"
#include "zvt_stats.h"

enum { OUTS_MAX = 64 }; /* peers with something queued in one round */

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
    zvt_hub_greeted_fn *on_greeted; /* NULL: not asked for */
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
    bool sent = zvt_frame_send(self->router, out->peer.id, out->peer.id_length, ZMQ_SNDMORE);
    if (sent && out->peer.req) sent = zvt_frame_send(self->router, "", 0, ZMQ_SNDMORE);
    if (sent) (void)zvt_frame_send(self->router, out->out.data, out->out.length, 0);
    zvt_loop_check(self->loop, self->router);
    out->out.length = 0;
}

void zvt_hub_flush(zvt_hub_t *self)
{
    for (int i = 0; i < self->outs_count; i++) s_hub_send_now(self, &self->outs[i]);
    self->outs_count = 0;
}

static hub_out_t *s_hub_out(zvt_hub_t *self, const zvt_peer_t *peer)
{
    for (int i = 0; i < self->outs_count; i++)
        if (zvt_peer_equal(&self->outs[i].peer, peer)) return &self->outs[i];
    if (self->outs_count == OUTS_MAX) zvt_hub_flush(self);
    hub_out_t *out = &self->outs[self->outs_count++];
    if (self->outs_made < self->outs_count) {
        out->out = zvt_buf_new(ZVT_OUT_SIZE);
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
    if (self->on_greeted != NULL) self->on_greeted(self->arg);
}

static void s_hub_refuse(zvt_hub_t *self, const zvt_peer_t *peer, int status, size_t length)
{
    zvt_frames_malformed(self->endpoint, zvt_strerror(status), length);
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
        zvt_frames_malformed(self->endpoint, "expected one payload frame", 0);
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
    for (int n = 0; n < ZVT_DRAIN_MAX; n++) {
        zmq_msg_t frames[3];
        int count = zvt_frames_recv(self->router, frames, 3);
        if (count == 0) return;
        s_hub_on_message(self, frames, count);
        zvt_frames_close(frames, count, 3);
    }
    zvt_loop_check(self->loop, self->router);
}

static void s_hub_on_round(void *arg)
{
    zvt_hub_flush(arg);
}

int zvt_hub_bind(zvt_hub_t *self, const char *endpoint)
{
    return zvt_socket_bind(self->router, endpoint);
}

int zvt_hub_new(zvt_hub_t **self, zvt_loop_t *loop, const char *endpoint, const zvt_hello_t *identity,
                zvt_hub_record_fn *on_record, zvt_hub_hello_fn *on_hello, void *arg)
{
    return zvt_hub_new_bounded(self, loop, endpoint, identity, on_record, on_hello, arg, ZVT_HWM_HUB);
}

int zvt_hub_new_bounded(zvt_hub_t **self_out, zvt_loop_t *loop, const char *endpoint, const zvt_hello_t *identity,
                        zvt_hub_record_fn *on_record, zvt_hub_hello_fn *on_hello, void *arg, int hwm)
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
    zsock_set_sndhwm(self->router, hwm);
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

void zvt_hub_on_greeted(zvt_hub_t *self, zvt_hub_greeted_fn *on_greeted)
{
    self->on_greeted = on_greeted;
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
