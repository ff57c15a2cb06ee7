#include "sim_net.h"

#include <stdlib.h>
#include <string.h>

#include "sim_faults.h"
#include "sim_wire.h"

#define RECONNECT_MIN_NS (50 * ZVT_MS_NS)
#define RECONNECT_MAX_NS (1000 * ZVT_MS_NS)
enum { CUTS_MAX = 8 };

static sim_conn_t *s_conns[SIM_CONNS_MAX]; /* by id, from 1 */
static uint64_t s_conns_count;
static sim_server_t *s_servers;

/* Two processes that cannot reach each other. */
typedef struct {
    const sim_proc_t *a, *b;
    int64_t until_ns;
} cut_t;
static cut_t s_cuts[CUTS_MAX];

static bool s_is_cut(const sim_proc_t *a, const sim_proc_t *b)
{
    for (int i = 0; i < CUTS_MAX; i++) {
        const cut_t *cut = &s_cuts[i];
        bool pair = (cut->a == a && cut->b == b) || (cut->a == b && cut->b == a);
        if (pair && cut->until_ns > sim.now_ns) return true;
    }
    return false;
}

/* ---- frames ---- */
static void s_drop_frames(sim_conn_t *conn, sim_way_t way)
{
    for (sim_frame_t *frame = conn->first[way], *next; frame != NULL; frame = next) {
        next = frame->next;
        free(frame);
    }
    conn->first[way] = conn->last[way] = NULL;
}

/* Keeps a random number of the oldest frames: what had left before its sender died. */
static void s_cut_tail(sim_conn_t *conn, sim_way_t way)
{
    uint64_t count = 0;
    for (const sim_frame_t *frame = conn->first[way]; frame != NULL; frame = frame->next) count++;
    if (count == 0) return;
    uint64_t kept = sim_below(count + 1);
    if (kept == 0) {
        s_drop_frames(conn, way);
        return;
    }
    sim_frame_t *last = conn->first[way];
    while (--kept > 0) last = last->next;
    sim_frame_t *rest = last->next;
    last->next = NULL;
    conn->last[way] = last;
    while (rest != NULL) {
        sim_frame_t *next = rest->next;
        free(rest);
        rest = next;
    }
}

static void s_on_arrival(void *arg, uint64_t way)
{
    sim_conn_t *conn = arg;
    sim_frame_t *frame = conn->first[way];
    if (frame == NULL) return; /* lost with its connection */
    conn->first[way] = frame->next;
    if (frame->next == NULL) conn->last[way] = NULL;
    sim_fold_number(conn->id * 2 + way);
    sim_fold(frame->data, frame->length);
    SIM_COUNT("messages");
    sim_proc_touch(conn->procs[way]);
    if (way == SIM_TO_SERVER)
        conn->server->deliver(conn->server->socket, conn, frame);
    else if (conn->client->conn == conn || !conn->open) /* not for a socket that was closed since */
        conn->client->deliver(conn->client->socket, conn, frame);
    free(frame);
}

static void s_enqueue(sim_conn_t *conn, sim_way_t way, const char *topic, const void *data, size_t length, int64_t at_ns)
{
    sim_frame_t *frame = malloc(sizeof *frame + length);
    ZVT_ASSERT(frame != NULL);
    frame->next = NULL;
    frame->length = length;
    ZVT_STR_SET(frame->topic, topic);
    memcpy(frame->data, data, length);
    if (conn->last[way] != NULL)
        conn->last[way]->next = frame;
    else
        conn->first[way] = frame;
    conn->last[way] = frame;
    sim_at(conn->procs[way], at_ns, s_on_arrival, conn, way);
}

bool sim_wire_send(sim_conn_t *conn, sim_way_t way, const char *topic, const void *data, size_t length)
{
    if (conn == NULL || !conn->open) return false;
    if (sim_faults_loses()) return true;
    int64_t at_ns = sim.now_ns + sim_faults_delay_ns();
    if (at_ns < conn->stalled_until_ns[way]) at_ns = conn->stalled_until_ns[way];
    if (at_ns < conn->last_at_ns[way]) at_ns = conn->last_at_ns[way];
    conn->last_at_ns[way] = at_ns;
    s_enqueue(conn, way, topic, data, length, at_ns);
    if (sim_faults_doubles()) s_enqueue(conn, way, topic, data, length, at_ns);
    return true;
}

/* ---- connections ---- */
sim_conn_t *sim_wire_conn(uint64_t id)
{
    return id == 0 || id > s_conns_count ? NULL : s_conns[id];
}

static sim_server_t *s_find_server(const char *endpoint)
{
    for (sim_server_t *server = s_servers; server != NULL; server = server->next)
        if (strcmp(server->endpoint, endpoint) == 0) return server;
    return NULL;
}

static void s_try(void *arg, uint64_t attempt);

static void s_plan_attempt(sim_client_t *client, int64_t delay_ns)
{
    sim_at(client->proc, sim.now_ns + delay_ns, s_try, client, ++client->attempt);
}

static void s_open(sim_client_t *client, sim_server_t *server)
{
    sim_conn_t *conn = calloc(1, sizeof *conn);
    ZVT_ASSERT(conn != NULL);
    ZVT_ASSERT(s_conns_count + 1 < SIM_CONNS_MAX);
    conn->id = ++s_conns_count;
    s_conns[conn->id] = conn;
    conn->open = true;
    conn->client = client;
    conn->server = server;
    conn->procs[SIM_TO_SERVER] = server->proc;
    conn->procs[SIM_TO_CLIENT] = client->proc;
    client->conn = conn;
    client->backoff_ns = RECONNECT_MIN_NS;
}

static void s_try(void *arg, uint64_t attempt)
{
    sim_client_t *client = arg;
    if (attempt != client->attempt || client->conn != NULL) return;
    sim_server_t *server = s_find_server(client->endpoint);
    /* A stopped process still accepts: its kernel does. */
    if (server != NULL && !s_is_cut(client->proc, server->proc)) {
        s_open(client, server);
        return;
    }
    s_plan_attempt(client, client->backoff_ns + sim_between(0, 10) * ZVT_MS_NS);
    if (client->backoff_ns < RECONNECT_MAX_NS) client->backoff_ns *= 2;
}

/* Both sides lose it. The client connects again by itself. */
static void s_break(sim_conn_t *conn)
{
    if (!conn->open) return;
    conn->open = false;
    s_drop_frames(conn, SIM_TO_SERVER);
    s_drop_frames(conn, SIM_TO_CLIENT);
    if (conn->client->conn != conn) return;
    conn->client->conn = NULL;
    s_plan_attempt(conn->client, RECONNECT_MIN_NS);
}

void sim_wire_bind(sim_server_t *server, zvt_loop_t *loop, const char *endpoint, void *socket, sim_deliver_fn *deliver)
{
    *server = (sim_server_t){.proc = sim_loop_proc(loop), .socket = socket, .deliver = deliver};
    ZVT_STR_SET(server->endpoint, endpoint);
    /* Another instance may serve it: it is evicted, as from an ipc path that is bound again. Nobody finds it any more, even
     * when the newer one has died, and those that are connected to it stay so until they connect anew. */
    sim_server_t *older = s_find_server(endpoint);
    if (older != NULL) sim_wire_unbind(older);
    server->next = s_servers;
    s_servers = server;
}

bool sim_net_serves(const sim_proc_t *proc, const char *endpoint)
{
    const sim_server_t *server = s_find_server(endpoint);
    return server != NULL && server->proc == proc;
}

void sim_wire_unbind(sim_server_t *server)
{
    sim_server_t **link = &s_servers;
    while (*link != NULL && *link != server) link = &(*link)->next;
    if (*link == server) *link = server->next;
}

void sim_wire_connect(sim_client_t *client, zvt_loop_t *loop, const char *endpoint, void *socket, sim_deliver_fn *deliver)
{
    *client = (sim_client_t){.proc = sim_loop_proc(loop), .socket = socket, .deliver = deliver, .backoff_ns = RECONNECT_MIN_NS};
    ZVT_STR_SET(client->endpoint, endpoint);
    s_plan_attempt(client, sim_between(50, 1000) * SIM_US_NS);
}

void sim_wire_reopen(sim_client_t *client)
{
    sim_conn_t *conn = client->conn;
    if (conn != NULL) {
        conn->open = false;
        s_drop_frames(conn, SIM_TO_CLIENT); /* what is on its way to the server may still arrive */
        client->conn = NULL;
    }
    s_plan_attempt(client, sim_between(50, 1000) * SIM_US_NS);
}

void sim_wire_close(sim_client_t *client)
{
    client->attempt++;
    if (client->conn == NULL) return;
    client->conn->open = false;
    client->conn = NULL;
}

void sim_wire_each(const sim_server_t *server, sim_conn_fn *fn, void *arg)
{
    for (uint64_t id = 1; id <= s_conns_count; id++)
        if (s_conns[id]->open && s_conns[id]->server == server) fn(arg, s_conns[id]);
}

/* ---- faults ---- */
void sim_net_forget(const sim_proc_t *proc)
{
    for (uint64_t id = 1; id <= s_conns_count; id++) {
        sim_conn_t *conn = s_conns[id];
        if (conn->procs[SIM_TO_SERVER] != proc && conn->procs[SIM_TO_CLIENT] != proc) continue;
        sim_way_t out = conn->procs[SIM_TO_SERVER] == proc ? SIM_TO_CLIENT : SIM_TO_SERVER;
        bool was_open = conn->open;
        s_drop_frames(conn, out == SIM_TO_CLIENT ? SIM_TO_SERVER : SIM_TO_CLIENT);
        s_cut_tail(conn, out);
        conn->open = false;
        sim_client_t *client = conn->client;
        if (was_open && out == SIM_TO_CLIENT && client->conn == conn) {
            client->conn = NULL;
            s_plan_attempt(client, RECONNECT_MIN_NS);
        }
        conn->procs[out == SIM_TO_CLIENT ? SIM_TO_SERVER : SIM_TO_CLIENT] = NULL;
    }
}

static sim_conn_t *s_any_conn(void)
{
    for (int tries = 0; tries < 64 && s_conns_count > 0; tries++) {
        sim_conn_t *conn = s_conns[1 + sim_below(s_conns_count)];
        if (conn->open) return conn;
    }
    return NULL;
}

void sim_net_break_one(void)
{
    sim_conn_t *conn = s_any_conn();
    if (conn == NULL) return;
    SIM_TRACE("* connection %s - %s breaks", conn->procs[SIM_TO_CLIENT]->name, conn->procs[SIM_TO_SERVER]->name);
    s_break(conn);
}

void sim_net_cut_one(int64_t duration_ns)
{
    sim_conn_t *conn = s_any_conn();
    if (conn == NULL) return;
    cut_t *cut = &s_cuts[sim_below(CUTS_MAX)];
    *cut = (cut_t){.a = conn->procs[SIM_TO_CLIENT], .b = conn->procs[SIM_TO_SERVER], .until_ns = sim.now_ns + duration_ns};
    SIM_TRACE("* %s and %s are cut off from each other for %lld ms", cut->a->name, cut->b->name, (long long)(duration_ns / ZVT_MS_NS));
    for (uint64_t id = 1; id <= s_conns_count; id++)
        if (s_conns[id]->open && s_is_cut(s_conns[id]->procs[0], s_conns[id]->procs[1])) s_break(s_conns[id]);
}

void sim_net_stall_one(int64_t duration_ns)
{
    sim_conn_t *conn = s_any_conn();
    if (conn == NULL) return;
    sim_way_t way = (sim_way_t)sim_below(SIM_WAYS);
    conn->stalled_until_ns[way] = sim.now_ns + duration_ns;
    SIM_TRACE("* what is sent to %s by %s comes %lld ms late", conn->procs[way]->name, conn->procs[1 - way]->name,
              (long long)(duration_ns / ZVT_MS_NS));
}

void sim_net_heal(void)
{
    memset(s_cuts, 0, sizeof s_cuts);
}

void sim_net_clear(void)
{
    for (uint64_t id = 1; id <= s_conns_count; id++) {
        s_drop_frames(s_conns[id], SIM_TO_SERVER);
        s_drop_frames(s_conns[id], SIM_TO_CLIENT);
        free(s_conns[id]);
    }
    s_conns_count = 0;
    s_servers = NULL;
    sim_net_heal();
}

bool sim_net_has_unsent(const sim_proc_t *proc)
{
    return sim_sockets_unsent(proc);
}
