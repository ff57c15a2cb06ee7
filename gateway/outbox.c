#include "outbox.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *topic;
    size_t length; /* of the bytes that follow */
} outbox_header_t;

void outbox_init(outbox_t *self, size_t capacity)
{
    memset(self, 0, sizeof *self);
    self->data = malloc(capacity);
    ZVT_ASSERT(self->data != NULL);
    self->capacity = capacity;
}

void outbox_destroy(outbox_t *self)
{
    free(self->data);
    memset(self, 0, sizeof *self);
}

bool outbox_is_empty(const outbox_t *self)
{
    return self->first == self->end;
}

/* Moves what waits to the front, when that is what makes room. */
static void s_compact(outbox_t *self)
{
    memmove(self->data, self->data + self->first, self->end - self->first);
    self->end -= self->first;
    self->first = 0;
}

int outbox_push(outbox_t *self, const char *topic, const void *data, size_t length)
{
    outbox_header_t header = {.topic = topic, .length = length};
    if (sizeof header + length > self->capacity - self->end) s_compact(self);
    if (sizeof header + length > self->capacity - self->end) return ZVT_ERR_FULL;
    memcpy(self->data + self->end, &header, sizeof header);
    memcpy(self->data + self->end + sizeof header, data, length);
    self->end += sizeof header + length;
    return 0;
}

bool outbox_oldest(const outbox_t *self, outbox_message_t *message)
{
    if (outbox_is_empty(self)) return false;
    outbox_header_t header;
    memcpy(&header, self->data + self->first, sizeof header);
    *message = (outbox_message_t){
        .topic = header.topic, .data = self->data + self->first + sizeof header, .length = header.length};
    return true;
}

void outbox_pop(outbox_t *self)
{
    outbox_message_t oldest;
    ZVT_ASSERT(outbox_oldest(self, &oldest));
    self->first += sizeof(outbox_header_t) + oldest.length;
    if (self->first == self->end) self->first = self->end = 0;
}
