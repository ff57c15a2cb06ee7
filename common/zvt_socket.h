/* zvt_socket -- sockets with the house's settings: where they are, how they are opened and bound.
 *
 * zvt_hub, zvt_link, zvt_subscriber and zvt_puller are the ways in which processes use them.
 *
 * Shapes   a message is one frame of records (see zvt_codec); PUB puts a topic frame before it.
 * Bounds   messages up to ZVT_MESSAGE_MAX bytes.
 * Errors   a send that cannot be made now is dropped and counted ("unsent"; of these "unread" were for a peer that does
 *          not read): nothing durable rests on a socket. A PUB drops without a trace what a slow subscriber has no room
 *          for; the numbers inside the messages tell the subscriber. */
#ifndef ZVT_SOCKET_H
#define ZVT_SOCKET_H

#include <czmq.h>

#include "zvt_error.h"

enum {
    ZVT_MESSAGE_MAX = 4 << 20, /* bytes; MAXMSGSIZE of every socket */
    ZVT_ENDPOINT_SIZE = 256,
    ZVT_BINDS_MAX = 32, /* ipc endpoints that a process binds in its life */
    /* Messages that wait for one peer, at each end: two seconds of 1,000 messages a second. What we send in numbers has
     * 64 KiB at the most (a round's records, a batch of events), so that one peer that does not read holds 128 MB at the
     * worst, and a few MB at the sizes of a usual load. */
    ZVT_HWM = 2000,
    ZVT_HWM_HUB = 500,  /* of a hub's answers to one peer: a link that is silent for 500 ms is given up anyway */
    ZVT_HWM_LARGE = 16, /* for answers of up to ZVT_MESSAGE_MAX bytes that are asked for one at a time */
};

/* "ipc://RUNTIME/name" or "ipc://RUNTIME/name.part" (part may be NULL); RUNTIME is $ZVT_RUNTIME. */
void zvt_endpoint(char endpoint[ZVT_ENDPOINT_SIZE], const char *name, const char *part);

/* A socket of a ZMQ_* type with the house's settings; aborts without memory. */
zsock_t *zvt_socket_new(int type);

/* Binds after taking an flock beside the ipc path: 0, or ZVT_ERR_EXISTS when another process serves it and goes on doing so
 * for half a second, ZVT_ERR_FULL beyond ZVT_BINDS_MAX, ZVT_ERR_IO. The lock lasts as long as the process. */
ZVT_MUSTUSE int zvt_socket_bind(zsock_t *socket, const char *endpoint);

/* Makes the path free to be bound although another process serves it: one that is stopped and has been replaced. Its peers
 * stay connected to it until they reopen; what it does when it goes on is its own business. */
void zvt_socket_evict(const char *endpoint);
/* Whether the path still leads to what this process bound there, because nobody has evicted it. */
bool zvt_socket_is_ours(const char *endpoint);
/* Leaves the present connection, which may lead to a process that was replaced, and connects anew. Options and
 * subscriptions stay; what waits in the socket to be sent goes the old way. */
void zvt_socket_reconnect(zsock_t *socket, const char *endpoint);

/* Sends a topic and a frame of records on a PUB socket; false if it was dropped. */
bool zvt_publish(zsock_t *pub, const char *topic, const void *data, size_t length);

#endif
