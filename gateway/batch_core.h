/* batch_core -- packs records that leave one after another on the same topic into one message.
 *
 * A message costs a subscriber and us far more than a record, and trades come in runs. Only neighbours are joined, so
 * that what a subscriber of several topics and symbols gets keeps its order.
 *
 * Pure: messages leave through emit().
 * Bounds   BATCH_CORE_BYTES a message; a record more lets the message leave first.
 * Owns     its bytes; borrows topics until they have left. */
#ifndef GATEWAY_BATCH_CORE_H
#define GATEWAY_BATCH_CORE_H

#include "zvt_codec.h"

enum { BATCH_CORE_BYTES = 8 << 10 };

/* A message; valid during the call. */
typedef void(batch_emit_fn)(void *arg, const char *topic, const void *data, size_t length);

typedef struct {
    const char *topic; /* of what waits; NULL: nothing waits */
    zvt_buf_t packed;
    batch_emit_fn *emit;
    void *arg;
} batch_core_t;

/* Aborts when there is no memory (only called at start). */
void batch_core_init(batch_core_t *self, batch_emit_fn *emit, void *arg);
void batch_core_destroy(batch_core_t *self);

/* Adds a record. A topic is one and the same pointer each time. */
void batch_core_add(batch_core_t *self, const char *topic, zvt_type_t type, const void *record);
/* Lets out what waits. Call at the end of every round. */
void batch_core_flush(batch_core_t *self);

#endif
