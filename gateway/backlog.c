#include "backlog.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *topic;
    size_t length; /* of the bytes that follow */
} backlog_header_t;

void backlog_init(backlog_t *self, size_t capacity)
{
    memset(self, 0, sizeof *self);
    self->data = malloc(capacity);
    ZVT_ASSERT(self->data != NULL);
    self->capacity = capacity;
}

void backlog_destroy(backlog_t *self)
{
    free(self->data);
    memset(self, 0, sizeof *self);
}

bool backlog_is_empty(const backlog_t *self)
{
    return self->first == self->end;
}

/* Moves what waits to the front, when that is what makes room. */
static void s_compact(backlog_t *self)
{
    memmove(self->data, self->data + self->first, self->end - self->first);
    self->end -= self->first;
    self->first = 0;
}

int backlog_push(backlog_t *self, const char *topic, const void *data, size_t length)
{
    backlog_header_t header = {.topic = topic, .length = length};
    if (sizeof header + length > self->capacity - self->end) s_compact(self);
    if (sizeof header + length > self->capacity - self->end) return ZVT_ERR_FULL;
    memcpy(self->data + self->end, &header, sizeof header);
    memcpy(self->data + self->end + sizeof header, data, length);
    self->end += sizeof header + length;
    return 0;
}

bool backlog_oldest(const backlog_t *self, backlog_message_t *message)
{
    if (backlog_is_empty(self)) return false;
    backlog_header_t header;
    memcpy(&header, self->data + self->first, sizeof header);
    *message = (backlog_message_t){
        .topic = header.topic, .data = self->data + self->first + sizeof header, .length = header.length};
    return true;
}

void backlog_pop(backlog_t *self)
{
    backlog_message_t oldest;
    ZVT_ASSERT(backlog_oldest(self, &oldest));
    self->first += sizeof(backlog_header_t) + oldest.length;
    if (self->first == self->end) self->first = self->end = 0;
}
