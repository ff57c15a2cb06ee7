/* The sockets of common/ over the simulated network: the hub, the link with its hellos and its silence, the subscriber,
 * the puller. The behaviour follows common/zvt_hub.c and common/zvt_link.c line by line where it matters: what a round
 * queues leaves at its end as one message, a link says hello every 250 ms, and 500 ms of silence reopen it. */
#include <stdlib.h>
#include <string.h>

#include "sim_faults.h"
#include "sim_wire.h"
#include "zvt_stats.h"

enum { OUT_SIZE = 256 << 10, OUTS_MAX = 32, TOPICS_MAX = 8, UNSENT_MAX = 512, RECORDS_MAX = 60000 };
#define HELLO_PERIOD_NS (250 * ZVT_MS_NS)
#define HELLO_FIRST_NS (10 * ZVT_MS_NS)
#define HELLO_EAGER_NS (100 * ZVT_MS_NS)
#define SILENCE_NS (500 * ZVT_MS_NS)

/* Buffers that hold something until their round ends. */
static struct {
    const sim_proc_t *proc;
    const zvt_buf_t *buf;
} s_unsent[UNSENT_MAX];
static int s_unsent_count;

static void s_register(const sim_proc_t *proc, const zvt_buf_t *buf)
{
    ZVT_ASSERT(s_unsent_count < UNSENT_MAX);
    s_unsent[s_unsent_count].proc = proc;
    s_unsent[s_unsent_count++].buf = buf;
}

static void s_unregister(const zvt_buf_t *buf)
{
    for (int i = 0; i < s_unsent_count; i++)
        if (s_unsent[i].buf == buf) s_unsent[i--] = s_unsent[--s_unsent_count];
}

bool sim_sockets_unsent(const sim_proc_t *proc)
{
    for (int i = 0; i < s_unsent_count; i++)
        if (s_unsent[i].proc == proc && s_unsent[i].buf->length > 0) return true;
    return false;
}

void zvt_endpoint(char endpoint[ZVT_ENDPOINT_SIZE], const char *name, const char *part)
{
    snprintf(endpoint, ZVT_ENDPOINT_SIZE, "%s%s%s", name, part != NULL ? "." : "", part != NULL ? part : "");
}

/* Two processes that ask each other without a pause would fill a real machine. */
static void s_count_record(void)
{
    if (++sim.records > RECORDS_MAX) sim_violation("nobody asks without a pause", NULL, "%d records were sent", RECORDS_MAX);
}

/* ---- hub: a peer is the number of its connection ---- */
typedef struct {
    uint64_t conn;
    zvt_buf_t out;
} hub_out_t;

struct zvt_hub {
    sim_server_t server;
    zvt_hello_t identity;
    zvt_hub_record_fn *on_record;
    zvt_hub_hello_fn *on_hello;
    zvt_hub_greeted_fn *on_greeted; /* NULL: not asked for */
    void *arg;
    hub_out_t outs[OUTS_MAX];
    int outs_count, outs_made;
    zvt_record_t record;
};

static void s_hub_send_now(zvt_hub_t *self, hub_out_t *out)
{
    (void)self;
    if (out->out.length == 0) return;
    if (!sim_wire_send(sim_wire_conn(out->conn), SIM_TO_CLIENT, "", out->out.data, out->out.length)) ZVT_COUNT("unsent");
    out->out.length = 0;
}

void zvt_hub_flush(zvt_hub_t *self)
{
    for (int i = 0; i < self->outs_count; i++) s_hub_send_now(self, &self->outs[i]);
    self->outs_count = 0;
}

static hub_out_t *s_hub_out(zvt_hub_t *self, const zvt_peer_t *peer)
{
    uint64_t conn;
    memcpy(&conn, peer->id, sizeof conn);
    for (int i = 0; i < self->outs_count; i++)
        if (self->outs[i].conn == conn) return &self->outs[i];
    if (self->outs_count == OUTS_MAX) zvt_hub_flush(self);
    hub_out_t *out = &self->outs[self->outs_count++];
    if (self->outs_made < self->outs_count) {
        out->out = (zvt_buf_t){.data = malloc(OUT_SIZE), .capacity = OUT_SIZE}; /* of the wire: no core asked for it (zvt-alloc) */
        ZVT_ASSERT(out->out.data != NULL);
        self->outs_made++;
        s_register(self->server.proc, &out->out);
    }
    out->conn = conn;
    out->out.length = 0;
    return out;
}

void zvt_hub_send(zvt_hub_t *self, const zvt_peer_t *peer, zvt_type_t type, const void *record)
{
    hub_out_t *out = s_hub_out(self, peer);
    s_count_record();
    const sim_conn_t *conn = sim_wire_conn(out->conn);
    if (type != ZVT_T_HELLO && sim.tracing)
        sim_trace_record(self->server.proc->name, conn != NULL && conn->open ? conn->client->proc->name : "nobody", type, record);
    if (zvt_pack(&out->out, type, record) == 0) return;
    s_hub_send_now(self, out);
    ZVT_ASSERT(zvt_pack(&out->out, type, record) == 0);
}

void zvt_hub_send_packed(zvt_hub_t *self, const zvt_peer_t *peer, const void *data, size_t length)
{
    hub_out_t *out = s_hub_out(self, peer);
    if (length > out->out.capacity - out->out.length) s_hub_send_now(self, out);
    ZVT_ASSERT(zvt_buf_append(&out->out, data, length) == 0);
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

static void s_hub_deliver(void *socket, sim_conn_t *conn, const sim_frame_t *frame)
{
    zvt_hub_t *self = socket;
    zvt_peer_t peer = {.id_length = sizeof conn->id};
    memcpy(peer.id, &conn->id, sizeof conn->id);
    zvt_cursor_t payload = zvt_cursor(frame->data, frame->length);
    uint32_t life = self->server.proc->life;
    while (!zvt_cursor_done(&payload) && life == self->server.proc->life) {
        ZVT_ASSERT(zvt_read(&payload, &self->record) == 0);
        if (self->record.type == ZVT_T_HELLO)
            s_hub_on_hello(self, &peer, &self->record.hello);
        else
            self->on_record(self->arg, &peer, &self->record);
    }
}

static void s_hub_on_round(void *arg)
{
    zvt_hub_flush(arg);
}

int zvt_hub_new(zvt_hub_t **self_out, zvt_loop_t *loop, const char *endpoint, const zvt_hello_t *identity,
                zvt_hub_record_fn *on_record, zvt_hub_hello_fn *on_hello, void *arg)
{
    zvt_hub_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->identity = *identity;
    self->on_record = on_record;
    self->on_hello = on_hello;
    self->arg = arg;
    sim_wire_bind(&self->server, loop, endpoint, self, s_hub_deliver);
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
    sim_wire_unbind(&(*self)->server);
    for (int i = 0; i < (*self)->outs_made; i++) {
        s_unregister(&(*self)->outs[i].out);
        zvt_buf_destroy(&(*self)->outs[i].out);
    }
    free(*self);
    *self = NULL;
}

/* ---- link ---- */
struct zvt_link {
    sim_client_t client;
    const zvt_hello_t *identity;
    zvt_link_handler_t handler;
    zvt_buf_t out;
    bool up;
    bool said;
    uint64_t peer_incarnation;
    int64_t heard_ns;
    int hello_timer;
    zvt_record_t record;
};

void zvt_link_hello(zvt_link_t *self)
{
    zvt_buf_t hello = {.data = (uint8_t[256]){0}, .capacity = 256};
    ZVT_ASSERT(zvt_pack(&hello, ZVT_T_HELLO, self->identity) == 0);
    if (sim_wire_send(self->client.conn, SIM_TO_SERVER, "", hello.data, hello.length)) self->said = true;
}

static void s_link_set_down(zvt_link_t *self)
{
    if (!self->up) return;
    self->up = false;
    self->out.length = 0;
    SIM_TRACE("* %s finds %s silent", self->client.proc->name, self->client.endpoint);
    SIM_COUNT("links down");
    if (self->handler.on_down != NULL) self->handler.on_down(self->handler.arg);
}

static void s_link_on_time(void *arg)
{
    zvt_link_t *self = arg;
    if (sim.now_ns - self->heard_ns > SILENCE_NS) {
        s_link_set_down(self);
        sim_wire_reopen(&self->client);
        self->heard_ns = sim.now_ns;
        self->said = false;
    }
    zvt_link_hello(self);
    bool eager = !self->said && sim.now_ns - self->heard_ns < HELLO_EAGER_NS;
    zvt_loop_arm(self->client.proc->loop, self->hello_timer, sim.now_ns + (eager ? HELLO_FIRST_NS : HELLO_PERIOD_NS));
}

static void s_link_on_hello(zvt_link_t *self, const zvt_hello_t *peer)
{
    bool fresh = !self->up || peer->incarnation != self->peer_incarnation;
    self->peer_incarnation = peer->incarnation;
    self->up = true;
    if (fresh && self->handler.on_up != NULL) self->handler.on_up(self->handler.arg, peer);
    if (self->handler.on_hello != NULL) self->handler.on_hello(self->handler.arg, peer);
}

static void s_link_deliver(void *socket, sim_conn_t *conn, const sim_frame_t *frame)
{
    zvt_link_t *self = socket;
    (void)conn;
    self->heard_ns = sim.now_ns;
    zvt_cursor_t whole = zvt_cursor(frame->data, frame->length), payload = whole;
    uint32_t life = self->client.proc->life;
    while (!zvt_cursor_done(&payload) && life == self->client.proc->life) {
        ZVT_ASSERT(zvt_read(&payload, &self->record) == 0);
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

void zvt_link_flush(zvt_link_t *self)
{
    if (self->out.length == 0) return;
    if (!sim_wire_send(self->client.conn, SIM_TO_SERVER, "", self->out.data, self->out.length)) ZVT_COUNT("unsent");
    self->out.length = 0;
}

static void s_link_on_round(void *arg)
{
    zvt_link_flush(arg);
}

zvt_link_t *zvt_link_new(zvt_loop_t *loop, const char *endpoint, const zvt_hello_t *identity, const zvt_link_handler_t *handler)
{
    zvt_link_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->identity = identity;
    self->handler = *handler;
    self->out = zvt_buf_new(OUT_SIZE);
    self->heard_ns = sim.now_ns;
    sim_wire_connect(&self->client, loop, endpoint, self, s_link_deliver);
    s_register(self->client.proc, &self->out);
    self->hello_timer = zvt_loop_timer(loop, s_link_on_time, self);
    zvt_loop_arm(loop, self->hello_timer, sim.now_ns + HELLO_FIRST_NS);
    zvt_loop_on_round(loop, s_link_on_round, self);
    return self;
}

void zvt_link_destroy(zvt_link_t **self)
{
    if (*self == NULL) return;
    sim_wire_close(&(*self)->client);
    s_unregister(&(*self)->out);
    zvt_buf_destroy(&(*self)->out);
    free(*self);
    *self = NULL;
}

bool zvt_link_is_up(const zvt_link_t *self)
{
    return self->up;
}

void zvt_link_send(zvt_link_t *self, zvt_type_t type, const void *record)
{
    if (!self->up) {
        ZVT_COUNT("unsent");
        return;
    }
    s_count_record();
    if (sim.tracing) sim_trace_record(self->client.proc->name, self->client.endpoint, type, record);
    if (zvt_pack(&self->out, type, record) == 0) return;
    zvt_link_flush(self);
    ZVT_ASSERT(zvt_pack(&self->out, type, record) == 0);
}

/* ---- subscriber and PUB ---- */
struct sim_pub {
    sim_server_t server;
};

struct zvt_subscriber {
    sim_client_t client;
    char topics[TOPICS_MAX][SIM_TOPIC_SIZE];
    int topics_count;
    zvt_subscriber_fn *on_record;
    zvt_subscriber_frame_fn *on_frame;
    void *arg;
    zvt_record_t record;
};

static void s_subscriber_deliver(void *socket, sim_conn_t *conn, const sim_frame_t *frame)
{
    zvt_subscriber_t *self = socket;
    (void)conn;
    zvt_cursor_t payload = zvt_cursor(frame->data, frame->length);
    if (self->on_frame != NULL) {
        self->on_frame(self->arg, frame->topic, payload);
        return;
    }
    while (!zvt_cursor_done(&payload)) {
        ZVT_ASSERT(zvt_read(&payload, &self->record) == 0);
        self->on_record(self->arg, frame->topic, &self->record);
    }
}

static zvt_subscriber_t *s_subscriber_new(zvt_loop_t *loop, const char *endpoint, void *arg)
{
    zvt_subscriber_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->arg = arg;
    sim_wire_connect(&self->client, loop, endpoint, self, s_subscriber_deliver);
    return self;
}

zvt_subscriber_t *zvt_subscriber_new(zvt_loop_t *loop, const char *endpoint, zvt_subscriber_fn *on_record, void *arg)
{
    zvt_subscriber_t *self = s_subscriber_new(loop, endpoint, arg);
    self->on_record = on_record;
    return self;
}

zvt_subscriber_t *zvt_subscriber_new_raw(zvt_loop_t *loop, const char *endpoint, zvt_subscriber_frame_fn *on_frame, void *arg)
{
    zvt_subscriber_t *self = s_subscriber_new(loop, endpoint, arg);
    self->on_frame = on_frame;
    return self;
}

void zvt_subscriber_destroy(zvt_subscriber_t **self)
{
    if (*self == NULL) return;
    sim_wire_close(&(*self)->client);
    free(*self);
    *self = NULL;
}

void zvt_subscriber_add(zvt_subscriber_t *self, const char *topic_prefix)
{
    ZVT_ASSERT(self->topics_count < TOPICS_MAX);
    ZVT_STR_SET(self->topics[self->topics_count++], topic_prefix);
}

/* The network here delays what it delivers anyway, and keeps nothing that has arrived. */
void zvt_subscriber_read_every(zvt_subscriber_t *self, int64_t period_ns)
{
    (void)self;
    (void)period_ns;
}

void zvt_subscriber_read(zvt_subscriber_t *self)
{
    (void)self;
}

void zvt_subscriber_reopen(zvt_subscriber_t *self)
{
    sim_wire_reopen(&self->client);
}

static void s_pub_deliver(void *socket, sim_conn_t *conn, const sim_frame_t *frame)
{
    (void)socket;
    (void)conn;
    (void)frame;
}

sim_pub_t *sim_pub_new(zvt_loop_t *loop, const char *endpoint)
{
    sim_pub_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    sim_wire_bind(&self->server, loop, endpoint, self, s_pub_deliver);
    return self;
}

void sim_pub_destroy(sim_pub_t **self)
{
    if (*self == NULL) return;
    sim_wire_unbind(&(*self)->server);
    free(*self);
    *self = NULL;
}

typedef struct {
    const char *topic;
    const void *data;
    size_t length;
} published_t;

static void s_publish_to(void *arg, sim_conn_t *conn)
{
    const published_t *message = arg;
    const zvt_subscriber_t *subscriber = conn->client->socket;
    for (int i = 0; i < subscriber->topics_count; i++) {
        if (strncmp(message->topic, subscriber->topics[i], strlen(subscriber->topics[i])) != 0) continue;
        (void)sim_wire_send(conn, SIM_TO_CLIENT, message->topic, message->data, message->length);
        return;
    }
}

void sim_pub_send(sim_pub_t *self, const char *topic, const void *data, size_t length)
{
    published_t message = {.topic = topic, .data = data, .length = length};
    sim_wire_each(&self->server, s_publish_to, &message);
}

/* ---- puller and PUSH ---- */
struct zvt_puller {
    sim_server_t server;
    zvt_puller_fn *on_record;
    void *arg;
    zvt_record_t record;
};

static void s_puller_deliver(void *socket, sim_conn_t *conn, const sim_frame_t *frame)
{
    zvt_puller_t *self = socket;
    (void)conn;
    zvt_cursor_t payload = zvt_cursor(frame->data, frame->length);
    while (!zvt_cursor_done(&payload)) {
        ZVT_ASSERT(zvt_read(&payload, &self->record) == 0);
        self->on_record(self->arg, &self->record);
    }
}

int zvt_puller_new(zvt_puller_t **self_out, zvt_loop_t *loop, const char *endpoint, zvt_puller_fn *on_record, void *arg)
{
    zvt_puller_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->on_record = on_record;
    self->arg = arg;
    sim_wire_bind(&self->server, loop, endpoint, self, s_puller_deliver);
    *self_out = self;
    return 0;
}

void zvt_puller_destroy(zvt_puller_t **self)
{
    if (*self == NULL) return;
    sim_wire_unbind(&(*self)->server);
    free(*self);
    *self = NULL;
}

struct sim_push {
    sim_client_t client;
};

static void s_push_deliver(void *socket, sim_conn_t *conn, const sim_frame_t *frame)
{
    (void)socket;
    (void)conn;
    (void)frame;
}

sim_push_t *sim_push_new(zvt_loop_t *loop, const char *endpoint)
{
    sim_push_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    sim_wire_connect(&self->client, loop, endpoint, self, s_push_deliver);
    return self;
}

void sim_push_destroy(sim_push_t **self)
{
    if (*self == NULL) return;
    sim_wire_close(&(*self)->client);
    free(*self);
    *self = NULL;
}

void sim_push_reopen(sim_push_t *self)
{
    sim_wire_reopen(&self->client);
}

void sim_push_send(sim_push_t *self, zvt_type_t type, const void *record)
{
    uint8_t bytes[2048];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    ZVT_ASSERT(zvt_pack(&buf, type, record) == 0);
    if (sim.tracing) sim_trace_record(self->client.proc->name, self->client.endpoint, type, record);
    if (!sim_wire_send(self->client.conn, SIM_TO_SERVER, "", buf.data, buf.length)) ZVT_COUNT("unsent");
}
