/* zvt_puller -- PULL: commands in.
 *
 * Shapes   a message is one frame of records.
 * Bounds   ZVT_HWM messages wait for us, then the senders keep theirs.
 * Errors   what does not decode is counted ("malformed") and dropped with the rest of its frame. */
#ifndef ZVT_PULLER_H
#define ZVT_PULLER_H

#include "zvt_codec.h"
#include "zvt_loop.h"

typedef struct zvt_puller zvt_puller_t;
typedef void(zvt_puller_fn)(void *arg, const zvt_record_t *record);

/* PULL: binds and hands out records; many PUSH sockets may connect. */
ZVT_MUSTUSE int zvt_puller_new(zvt_puller_t **self, zvt_loop_t *loop, const char *endpoint, zvt_puller_fn *on_record, void *arg);
void zvt_puller_destroy(zvt_puller_t **self);

#endif
