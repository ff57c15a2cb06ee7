/* sim_wire -- what the files of the simulated network share. Include it only from sim_net.c and sim_sockets.c. */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include "sim_net.h"

enum { SIM_CONNS_MAX = 4096, SIM_TOPIC_SIZE = 64 };

typedef struct sim_frame sim_frame_t;
struct sim_frame {
    sim_frame_t *next;
    size_t length;
    char topic[SIM_TOPIC_SIZE];
    uint8_t data[];
};

/* Which way. */
typedef enum { SIM_TO_SERVER, SIM_TO_CLIENT, SIM_WAYS } sim_way_t;

typedef struct sim_conn sim_conn_t;
typedef void(sim_deliver_fn)(void *socket, sim_conn_t *conn, const sim_frame_t *frame);

/* The connecting side of a connection: every socket that connects begins with one. */
typedef struct sim_client {
    sim_proc_t *proc;
    char endpoint[ZVT_ENDPOINT_SIZE];
    sim_conn_t *conn;            /* NULL: not connected */
    void *socket;
    sim_deliver_fn *deliver;
    uint32_t attempt;            /* numbers the attempts to connect; an older one is void */
    int64_t backoff_ns;
} sim_client_t;

/* The binding side. */
typedef struct sim_server {
    sim_proc_t *proc;
    char endpoint[ZVT_ENDPOINT_SIZE];
    void *socket;
    sim_deliver_fn *deliver;
    struct sim_server *next; /* in the list of all that are bound */
} sim_server_t;

struct sim_conn {
    uint64_t id;
    bool open;
    sim_client_t *client;
    sim_server_t *server;
    sim_proc_t *procs[SIM_WAYS];    /* receivers by way: server's process, client's process */
    sim_frame_t *first[SIM_WAYS], *last[SIM_WAYS];
    int64_t last_at_ns[SIM_WAYS];   /* nothing behind arrives before */
    int64_t stalled_until_ns[SIM_WAYS];
};

void sim_wire_bind(sim_server_t *server, zvt_loop_t *loop, const char *endpoint, void *socket, sim_deliver_fn *deliver);
void sim_wire_unbind(sim_server_t *server);
/* Begins to connect, and to connect again whenever the connection is lost. */
void sim_wire_connect(sim_client_t *client, zvt_loop_t *loop, const char *endpoint, void *socket, sim_deliver_fn *deliver);
/* Drops the connection, if any, and begins anew: a socket that is closed and opened. */
void sim_wire_reopen(sim_client_t *client);
/* Ends it for good. */
void sim_wire_close(sim_client_t *client);
/* False: dropped, because there is no connection. */
bool sim_wire_send(sim_conn_t *conn, sim_way_t way, const char *topic, const void *data, size_t length);
sim_conn_t *sim_wire_conn(uint64_t id);
/* Calls for every open connection of a server. */
typedef void(sim_conn_fn)(void *arg, sim_conn_t *conn);
void sim_wire_each(const sim_server_t *server, sim_conn_fn *fn, void *arg);

/* sim_sockets.c: bytes queued in sockets of the process that have not left. */
bool sim_sockets_unsent(const sim_proc_t *proc);

#endif
