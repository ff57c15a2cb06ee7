/* zvt_socket -- sockets with the house's settings, and the ways processes use them.
 *
 *   zvt_hub_t         ROUTER: serves plain REQ clients and pipelined DEALERs; answers hellos; sends each peer one
 *                     message per round.
 *   zvt_link_t        DEALER: says hello every 250 ms, reopens after 500 ms of silence, tells when the peer is new.
 *   zvt_subscriber_t  SUB: topics in, records out.
 *   zvt_puller_t      PULL: commands in.
 *
 * Shapes   a message is one frame of records (see zvt_codec); PUB puts a topic frame before it.
 * Bounds   messages up to ZVT_MESSAGE_MAX bytes; what does not decode is counted ("malformed"), named in the
 *          diagnostics, answered with an error record by a hub, and dropped.
 * Errors   a send that cannot be made now is dropped and counted ("unsent"): nothing durable rests on a socket. */
#ifndef ZVT_SOCKET_H
#define ZVT_SOCKET_H

#include <czmq.h>

#include "zvt_codec.h"
#include "zvt_loop.h"

enum {
    ZVT_MESSAGE_MAX = 4 << 20, /* bytes; MAXMSGSIZE of every socket */
    ZVT_ENDPOINT_SIZE = 256,
    ZVT_HWM = 10000, /* messages: 10,000/s of batches times a tolerated stall of a second */
};

/* "ipc://RUNTIME/name" or "ipc://RUNTIME/name.part" (part may be NULL); RUNTIME is $ZVT_RUNTIME. */
void zvt_endpoint(char endpoint[ZVT_ENDPOINT_SIZE], const char *name, const char *part);

/* A socket of a ZMQ_* type with the house's settings; aborts without memory. */
zsock_t *zvt_socket_new(int type);

/* Binds after taking an flock beside the ipc path: 0, or ZVT_ERR_EXISTS when another process serves it, ZVT_ERR_IO.
 * The lock lasts as long as the process. */
ZVT_MUSTUSE int zvt_socket_bind(zsock_t *socket, const char *endpoint);

/* Sends a topic and a frame of records on a PUB socket; false if it was dropped. */
bool zvt_publish(zsock_t *pub, const char *topic, const void *data, size_t length);

/* ---- hub ---- */
typedef struct {
    uint8_t id[40];
    uint8_t id_length;
    bool req; /* speaks with an empty delimiter frame */
} zvt_peer_t;

typedef struct zvt_hub zvt_hub_t;

/* Called for every record but hello. */
typedef void(zvt_hub_record_fn)(void *arg, const zvt_peer_t *peer, const zvt_record_t *record);
/* Called for every hello, before it is answered; *reply holds what will be answered and may be changed. */
typedef void(zvt_hub_hello_fn)(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply);

/* Binds `endpoint` and registers with the loop. `identity` is copied and fills the replies to hellos. */
ZVT_MUSTUSE int zvt_hub_new(zvt_hub_t **self, zvt_loop_t *loop, const char *endpoint, const zvt_hello_t *identity,
                            zvt_hub_record_fn *on_record, zvt_hub_hello_fn *on_hello, void *arg);
void zvt_hub_destroy(zvt_hub_t **self);
/* Adds a second address, such as tcp://127.0.0.1:5560. */
ZVT_MUSTUSE int zvt_hub_bind(zvt_hub_t *self, const char *endpoint);
/* Queues a record for a peer; everything queued for it in this round leaves as one message. */
void zvt_hub_send(zvt_hub_t *self, const zvt_peer_t *peer, zvt_type_t type, const void *record);
/* The same for bytes that are already packed records. */
void zvt_hub_send_packed(zvt_hub_t *self, const zvt_peer_t *peer, const void *data, size_t length);
/* Sends what is queued now instead of at the end of the round. */
void zvt_hub_flush(zvt_hub_t *self);

/* ---- link ---- */
typedef struct zvt_link zvt_link_t;

typedef void(zvt_link_record_fn)(void *arg, const zvt_record_t *record);
/* The peer answered for the first time, or is a new incarnation: what was in flight before may be lost. */
typedef void(zvt_link_up_fn)(void *arg, const zvt_hello_t *peer);
/* Silent for 500 ms; sends are dropped until it is up again. */
typedef void(zvt_link_down_fn)(void *arg);
/* Every hello reply while up, for epochs and cursors that rise; may be NULL. */
typedef void(zvt_link_hello_fn)(void *arg, const zvt_hello_t *peer);

/* A frame that begins with log.batch: events follow the record, so the receiver decodes it. May be NULL. */
typedef void(zvt_link_frame_fn)(void *arg, zvt_cursor_t frame);

typedef struct {
    zvt_link_record_fn *on_record;
    zvt_link_up_fn *on_up;
    zvt_link_down_fn *on_down;
    zvt_link_hello_fn *on_hello;
    zvt_link_frame_fn *on_frame;
    void *arg;
} zvt_link_handler_t;

/* Connects and keeps connected for ever. `identity` is borrowed: its epoch and cursor may change while it lives. */
zvt_link_t *zvt_link_new(zvt_loop_t *loop, const char *endpoint, const zvt_hello_t *identity,
                         const zvt_link_handler_t *handler);
/* Only after the loop has ended: its timers stay registered. The same holds for the hub. */
void zvt_link_destroy(zvt_link_t **self);
bool zvt_link_is_up(const zvt_link_t *self);
/* Queues a record; everything queued in a round leaves as one message. Dropped and counted while the link is down. */
void zvt_link_send(zvt_link_t *self, zvt_type_t type, const void *record);
void zvt_link_send_packed(zvt_link_t *self, const void *data, size_t length);
void zvt_link_flush(zvt_link_t *self);
/* Says hello now, for example because the epoch rose. */
void zvt_link_hello(zvt_link_t *self);

/* ---- subscriber ---- */
typedef struct zvt_subscriber zvt_subscriber_t;
/* One decoded record (not an event of log.SHARD: use zvt_follower for those). */
typedef void(zvt_subscriber_fn)(void *arg, const char *topic, const zvt_record_t *record);
/* One raw frame, for those who decode themselves. */
typedef void(zvt_subscriber_frame_fn)(void *arg, const char *topic, zvt_cursor_t frame);

zvt_subscriber_t *zvt_subscriber_new(zvt_loop_t *loop, const char *endpoint, zvt_subscriber_fn *on_record, void *arg);
zvt_subscriber_t *zvt_subscriber_new_raw(zvt_loop_t *loop, const char *endpoint, zvt_subscriber_frame_fn *on_frame, void *arg);
void zvt_subscriber_destroy(zvt_subscriber_t **self);
/* Adds a topic prefix: "quote.", "trade.alpha.BTC/USDT", "ack.NAME", "log.0". */
void zvt_subscriber_add(zvt_subscriber_t *self, const char *topic_prefix);

/* ---- puller ---- */
typedef struct zvt_puller zvt_puller_t;
typedef void(zvt_puller_fn)(void *arg, const zvt_record_t *record);

/* PULL: binds and hands out records; many PUSH sockets may connect. */
ZVT_MUSTUSE int zvt_puller_new(zvt_puller_t **self, zvt_loop_t *loop, const char *endpoint, zvt_puller_fn *on_record, void *arg);
void zvt_puller_destroy(zvt_puller_t **self);

#endif
