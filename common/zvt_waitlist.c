#include "zvt_waitlist.h"

#include <stdlib.h>
#include <string.h>

/* When a request may be answered, beside its bytes in `items`. */
typedef struct {
    uint64_t epoch;   /* of its sender */
    uint64_t min_seq;
    int64_t until_ns; /* end of its patience */
} ticket_t;

struct zvt_waitlist {
    size_t item_size;
    uint32_t capacity;
    uint32_t head;  /* index of the oldest */
    uint32_t count; /* requests that wait */
    int64_t patience_ns;
    uint64_t epoch; /* highest that a request came with */
    zvt_waitlist_fn *fn;
    void *arg;
    ticket_t *tickets;
    uint8_t *items; /* item_size bytes per ticket */
    uint8_t *turn;  /* the request that is being handled: its slot may be filled again meanwhile */
};

zvt_waitlist_t *zvt_waitlist_new(size_t item_size, uint32_t capacity, int64_t patience_ns, zvt_waitlist_fn *fn, void *arg)
{
    zvt_waitlist_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->item_size = item_size;
    self->capacity = capacity;
    self->patience_ns = patience_ns;
    self->fn = fn;
    self->arg = arg;
    self->tickets = calloc(capacity, sizeof *self->tickets);
    self->items = calloc(capacity, item_size);
    self->turn = calloc(1, item_size);
    ZVT_ASSERT(self->tickets != NULL);
    ZVT_ASSERT(self->items != NULL);
    ZVT_ASSERT(self->turn != NULL);
    return self;
}

void zvt_waitlist_destroy(zvt_waitlist_t **self)
{
    if (*self == NULL) return;
    free((*self)->tickets);
    free((*self)->items);
    free((*self)->turn);
    free(*self);
    *self = NULL;
}

int zvt_waitlist_add(zvt_waitlist_t *self, uint64_t epoch, uint64_t min_seq, int64_t now_ns, const void *item)
{
    if (epoch > self->epoch) self->epoch = epoch;
    if (self->count == self->capacity) return ZVT_ERR_FULL;
    uint32_t slot = (self->head + self->count) % self->capacity;
    self->tickets[slot] = (ticket_t){.epoch = epoch, .min_seq = min_seq, .until_ns = now_ns + self->patience_ns};
    memcpy(self->items + slot * self->item_size, item, self->item_size);
    self->count++;
    return 0;
}

static void s_hand_out(zvt_waitlist_t *self, bool in_time)
{
    memcpy(self->turn, self->items + self->head * self->item_size, self->item_size);
    self->head = (self->head + 1) % self->capacity;
    self->count--;
    self->fn(self->arg, self->turn, in_time);
}

static bool s_waits_on(const zvt_waitlist_t *self, const ticket_t *ticket, int64_t now_ns)
{
    return now_ns < ticket->until_ns && ticket->epoch >= self->epoch;
}

void zvt_waitlist_release(zvt_waitlist_t *self, uint64_t applied_seq, int64_t now_ns)
{
    while (self->count > 0) {
        const ticket_t *ticket = &self->tickets[self->head];
        bool satisfied = ticket->min_seq <= applied_seq;
        if (!satisfied && s_waits_on(self, ticket, now_ns)) return;
        s_hand_out(self, satisfied);
    }
}

void zvt_waitlist_expire(zvt_waitlist_t *self, int64_t now_ns)
{
    while (self->count > 0 && !s_waits_on(self, &self->tickets[self->head], now_ns)) s_hand_out(self, false);
}

uint32_t zvt_waitlist_count(const zvt_waitlist_t *self)
{
    return self->count;
}
