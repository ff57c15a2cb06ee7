#include "limit_core.h"

#include <stdlib.h>

#include "zvt_time.h"

struct limit_core {
    int64_t *times_ns; /* a ring; the oldest is at `at` once it is full */
    int64_t size, used, at;
};

limit_core_t *limit_core_new(int64_t per_second)
{
    if (per_second <= 0) return NULL;
    limit_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->size = per_second;
    self->times_ns = calloc((size_t)per_second, sizeof *self->times_ns);
    ZVT_ASSERT(self->times_ns != NULL);
    return self;
}

void limit_core_destroy(limit_core_t **self)
{
    if (*self == NULL) return;
    free((*self)->times_ns);
    free(*self);
    *self = NULL;
}

bool limit_core_take(limit_core_t *self, int64_t now_ns)
{
    if (self == NULL) return true;
    bool full = self->used == self->size;
    if (full && now_ns - self->times_ns[self->at] < ZVT_SECOND_NS) return false;
    self->times_ns[self->at] = now_ns;
    self->at = (self->at + 1) % self->size;
    if (!full) self->used++;
    return true;
}
