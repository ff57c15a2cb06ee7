/* zvt_link -- DEALER: says hello every 250 ms, reopens after 500 ms of silence (sooner when it cannot even connect), tells when the
 * peer is new.
 *
 * Shapes   a message is one frame of records; everything queued in a round leaves as one message.
 * Bounds   ZVT_OUT_SIZE bytes queued, then they leave before the round ends.
 * Errors   what does not decode is counted ("malformed") and dropped with the rest of its frame; what cannot be sent
 *          now, or while the link is down, is dropped and counted ("unsent"): nothing durable rests on a socket. */
#ifndef ZVT_LINK_H
#define ZVT_LINK_H

#include "zvt_codec.h"
#include "zvt_loop.h"

typedef struct zvt_link zvt_link_t;

typedef void(zvt_link_record_fn)(void *arg, const zvt_record_t *record);
/* The peer answered for the first time, or is a new incarnation: what was in flight before may be lost. */
typedef void(zvt_link_up_fn)(void *arg, const zvt_hello_t *peer);
/* Silent for 500 ms; sends are dropped until it is up again. */
typedef void(zvt_link_down_fn)(void *arg);
/* Every hello reply while up, for epochs and cursors that rise; may be NULL. */
typedef void(zvt_link_hello_fn)(void *arg, const zvt_hello_t *peer);

/* A frame that begins with log.batch or log.base: events or bytes follow the record, so the receiver decodes it. May be NULL. */
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

#endif
