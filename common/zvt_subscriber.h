/* zvt_subscriber -- SUB: topics in, records out.
 *
 * Shapes   a message is a topic frame and a frame of records.
 * Bounds   ZVT_HWM messages wait for us, then the publisher drops ours.
 * Errors   what does not decode is counted ("malformed") and dropped with the rest of its frame. */
#ifndef ZVT_SUBSCRIBER_H
#define ZVT_SUBSCRIBER_H

#include "zvt_codec.h"
#include "zvt_loop.h"

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
/* From now on reads at most so often instead of whenever something arrives: for those whom nobody waits for, to be woken less.
 * What arrives meanwhile has to fit into ZVT_HWM. */
void zvt_subscriber_read_every(zvt_subscriber_t *self, int64_t period_ns);
/* Reads what has arrived, now. */
void zvt_subscriber_read(zvt_subscriber_t *self);
/* Connects anew, because the publisher may have been replaced. */
void zvt_subscriber_reopen(zvt_subscriber_t *self);

#endif
