#include "early_routes.h"

#include <stdlib.h>

typedef struct {
    zvt_route_reply_t reply;
    int32_t next; /* in the free list */
} kept_t;

struct early_routes {
    kept_t kept[EARLY_ROUTES_MAX];
    int32_t free;
};

early_routes_t *early_routes_new(void)
{
    early_routes_t *self = malloc(sizeof *self);
    ZVT_ASSERT(self != NULL);
    early_routes_clear(self);
    return self;
}

void early_routes_destroy(early_routes_t **self)
{
    free(*self);
    *self = NULL;
}

void early_routes_clear(early_routes_t *self)
{
    for (int32_t i = 0; i < EARLY_ROUTES_MAX; i++) self->kept[i].next = i + 1 < EARLY_ROUTES_MAX ? i + 1 : EARLY_ROUTE_NONE;
    self->free = 0;
}

int32_t early_routes_keep(early_routes_t *self, const zvt_route_reply_t *reply)
{
    int32_t index = self->free;
    if (index == EARLY_ROUTE_NONE) return index;
    self->free = self->kept[index].next;
    self->kept[index].reply = *reply;
    return index;
}

const zvt_route_reply_t *early_routes_at(const early_routes_t *self, int32_t index)
{
    return &self->kept[index].reply;
}

void early_routes_drop(early_routes_t *self, int32_t index)
{
    if (index == EARLY_ROUTE_NONE) return;
    self->kept[index].next = self->free;
    self->free = index;
}
