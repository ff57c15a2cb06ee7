#include "outbox.h"

#include <stdlib.h>
#include <string.h>

/* Where an entry's bytes lie; they never wrap around the end of the ring. */
typedef struct {
    zvt_peer_t peer;
    int64_t due_ns;
    size_t offset, length;
} place_t;

struct outbox {
    place_t *places; /* ring of OUTBOX_ENTRIES */
    uint8_t *bytes;  /* ring of OUTBOX_BYTES */
    size_t first, count;
    size_t head;     /* offset after the youngest entry's bytes */
};

outbox_t *outbox_new(void)
{
    outbox_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->places = calloc(OUTBOX_ENTRIES, sizeof *self->places);
    self->bytes = malloc(OUTBOX_BYTES);
    ZVT_ASSERT(self->places != NULL);
    ZVT_ASSERT(self->bytes != NULL);
    return self;
}

void outbox_destroy(outbox_t **self)
{
    if (*self == NULL) return;
    free((*self)->places);
    free((*self)->bytes);
    free(*self);
    *self = NULL;
}

/* Offset where `length` bytes fit in one piece; false without room. The bytes in use reach from the oldest entry's
 * offset up to head, possibly around the end. */
static bool s_find_room(const outbox_t *self, size_t length, size_t *offset)
{
    if (self->count == 0) {
        *offset = 0;
        return length <= OUTBOX_BYTES;
    }
    size_t tail = self->places[self->first].offset;
    if (self->head > tail) {
        *offset = length <= OUTBOX_BYTES - self->head ? self->head : 0;
        return *offset != 0 || length < tail;
    }
    *offset = self->head;
    return length < tail - self->head;
}

int outbox_put(outbox_t *self, const zvt_peer_t *peer, int64_t due_ns, const void *data, size_t length)
{
    size_t offset;
    if (self->count == OUTBOX_ENTRIES || length == 0 || !s_find_room(self, length, &offset)) return ZVT_ERR_FULL;
    memcpy(self->bytes + offset, data, length);
    self->places[(self->first + self->count) % OUTBOX_ENTRIES] =
        (place_t){.peer = *peer, .due_ns = due_ns, .offset = offset, .length = length};
    self->count++;
    self->head = offset + length;
    return 0;
}

bool outbox_take(outbox_t *self, int64_t now_ns, outbox_entry_t *entry)
{
    if (self->count == 0) return false;
    const place_t *place = &self->places[self->first];
    if (place->due_ns > now_ns) return false;
    *entry = (outbox_entry_t){
        .peer = place->peer, .due_ns = place->due_ns, .data = self->bytes + place->offset, .length = place->length};
    self->first = (self->first + 1) % OUTBOX_ENTRIES;
    self->count--;
    return true;
}

int64_t outbox_next_ns(const outbox_t *self)
{
    return self->count == 0 ? 0 : self->places[self->first].due_ns;
}

size_t outbox_count(const outbox_t *self)
{
    return self->count;
}
