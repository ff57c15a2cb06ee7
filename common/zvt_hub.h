/* zvt_hub -- ROUTER: serves plain REQ clients and pipelined DEALERs; answers hellos; sends each peer one message per
 * round.
 *
 * Shapes   a message is one frame of records, behind an empty delimiter frame for REQ clients.
 * Bounds   ZVT_OUT_SIZE bytes queued per peer, then they leave before the round ends.
 * Errors   what does not decode is counted ("malformed"), named in the diagnostics, answered with an error record and
 *          dropped; what cannot be sent now is dropped and counted ("unsent"). */
#ifndef ZVT_HUB_H
#define ZVT_HUB_H

#include "zvt_codec.h"
#include "zvt_loop.h"
#include "zvt_peer.h"

typedef struct zvt_hub zvt_hub_t;

/* Called for every record but hello. */
typedef void(zvt_hub_record_fn)(void *arg, const zvt_peer_t *peer, const zvt_record_t *record);
/* Called for every hello, before it is answered; *reply holds what will be answered and may be changed. */
typedef void(zvt_hub_hello_fn)(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply);

/* Called for every hello once its answer is queued: what is sent to the peer from here reaches it behind the answer, so it knows
 * which run of ours says it. */
typedef void(zvt_hub_greeted_fn)(void *arg);

/* Binds `endpoint` and registers with the loop. `identity` is copied and fills the replies to hellos. */
ZVT_MUSTUSE int zvt_hub_new(zvt_hub_t **self, zvt_loop_t *loop, const char *endpoint, const zvt_hello_t *identity,
                            zvt_hub_record_fn *on_record, zvt_hub_hello_fn *on_hello, void *arg);
/* The same with a bound of its own on the messages that wait for one peer, such as ZVT_HWM_LARGE. */
ZVT_MUSTUSE int zvt_hub_new_bounded(zvt_hub_t **self, zvt_loop_t *loop, const char *endpoint, const zvt_hello_t *identity,
                                    zvt_hub_record_fn *on_record, zvt_hub_hello_fn *on_hello, void *arg, int hwm);
void zvt_hub_destroy(zvt_hub_t **self);
void zvt_hub_on_greeted(zvt_hub_t *self, zvt_hub_greeted_fn *on_greeted);
/* Adds a second address, such as tcp://127.0.0.1:5560. */
ZVT_MUSTUSE int zvt_hub_bind(zvt_hub_t *self, const char *endpoint);
/* Queues a record for a peer; everything queued for it in this round leaves as one message. */
void zvt_hub_send(zvt_hub_t *self, const zvt_peer_t *peer, zvt_type_t type, const void *record);
/* The same for bytes that are already packed records. */
void zvt_hub_send_packed(zvt_hub_t *self, const zvt_peer_t *peer, const void *data, size_t length);
/* Sends what is queued now instead of at the end of the round. */
void zvt_hub_flush(zvt_hub_t *self);

#endif
