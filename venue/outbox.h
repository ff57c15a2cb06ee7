/* outbox -- answers that wait until they are durable, and for the venue's latency.
 *
 * Pure: the caller passes the time. First in, first out; every entry waits equally long.
 * Bounds   OUTBOX_ENTRIES answers and OUTBOX_BYTES bytes. At the bound nothing is dropped: outbox_put asks for room
 *          (ZVT_ERR_FULL), and the caller releases the oldest early, which shortens its latency and is counted.
 * Owns     the bytes, copied at outbox_put. */
#ifndef VENUE_OUTBOX_H
#define VENUE_OUTBOX_H

#include <stddef.h>

#include "zvt_error.h"
#include "zvt_peer.h"

enum { OUTBOX_ENTRIES = 1 << 16, OUTBOX_BYTES = 16 << 20 };

typedef struct {
    zvt_peer_t peer;
    int64_t due_ns;      /* monotonic */
    const uint8_t *data; /* packed records; valid until the next outbox_put */
    size_t length;
} outbox_entry_t;

typedef struct outbox outbox_t;

outbox_t *outbox_new(void);
void outbox_destroy(outbox_t **self);

/* Queues packed records for a peer. ZVT_ERR_FULL changes nothing. */
ZVT_MUSTUSE int outbox_put(outbox_t *self, const zvt_peer_t *peer, int64_t due_ns, const void *data, size_t length);
/* Takes the oldest entry if it is due. */
bool outbox_take(outbox_t *self, int64_t now_ns, outbox_entry_t *entry);
/* When the oldest entry is due; 0 when there is none. */
int64_t outbox_next_ns(const outbox_t *self);
size_t outbox_count(const outbox_t *self);

#endif
