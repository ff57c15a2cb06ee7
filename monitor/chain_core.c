#include "chain_core.h"

#include <stdlib.h>
#include <string.h>

struct chain_core {
    chain_link_t *links;
    size_t count, capacity;
};

chain_core_t *chain_core_new(void)
{
    chain_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    return self;
}

void chain_core_destroy(chain_core_t **self)
{
    if (*self == NULL) return;
    for (size_t i = 0; i < (*self)->count; i++) free((void *)(uintptr_t)(*self)->links[i].event.payload);
    free((*self)->links);
    free(*self);
    *self = NULL;
}

int chain_core_add(chain_core_t *self, const zvt_event_t *event)
{
    if (self->count == CHAIN_EVENTS_MAX) return ZVT_ERR_FULL;
    if (self->count > 0 && event->seq <= self->links[self->count - 1].event.seq) return ZVT_ERR_ILLEGAL;
    if (self->count == self->capacity) {
        self->capacity = self->capacity == 0 ? 32 : self->capacity * 2;
        self->links = realloc(self->links, self->capacity * sizeof *self->links);
        ZVT_ASSERT(self->links != NULL);
    }
    uint8_t *payload = malloc(event->payload_length + 1);
    ZVT_ASSERT(payload != NULL);
    if (event->payload_length > 0) memcpy(payload, event->payload, event->payload_length);
    chain_link_t *link = &self->links[self->count++];
    *link = (chain_link_t){.event = *event, .cause = CHAIN_NO_CAUSE};
    link->event.payload = payload;
    return 0;
}

/* Index of the event with this id before `n`, the nearest first. */
static int s_find_cause(const chain_core_t *self, size_t n, const zvt_id_t *event_id)
{
    for (size_t i = n; i > 0; i--)
        if (zvt_id_equal(&self->links[i - 1].event.event_id, event_id)) return (int)(i - 1);
    return CHAIN_NO_CAUSE;
}

void chain_core_link(chain_core_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        chain_link_t *link = &self->links[i];
        bool from_outside = i == 0 || link->event.type == ZVT_T_ORDER_CANCEL_REQUESTED;
        link->cause = s_find_cause(self, i, &link->event.causation_id);
        link->broken = link->cause == CHAIN_NO_CAUSE && !from_outside;
        link->since_start_ns = link->event.timestamp_ns - self->links[0].event.timestamp_ns;
        if (link->cause == CHAIN_NO_CAUSE) continue;
        const chain_link_t *cause = &self->links[link->cause];
        link->depth = cause->depth + 1;
        link->step_ns = link->event.timestamp_ns - cause->event.timestamp_ns;
    }
}

size_t chain_core_count(const chain_core_t *self)
{
    return self->count;
}

const chain_link_t *chain_core_at(const chain_core_t *self, size_t n)
{
    ZVT_ASSERT(n < self->count);
    return &self->links[n];
}

bool chain_core_unbroken(const chain_core_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->links[i].broken) return false;
    return self->count > 0;
}

int64_t chain_core_duration_ns(const chain_core_t *self)
{
    return self->count == 0 ? 0 : self->links[self->count - 1].since_start_ns;
}
