#include "done_core.h"

#include <string.h>

void done_core_clear(done_core_t *self)
{
    self->count = 0;
}

void done_core_restore(done_core_t *self, const zvt_saved_done_t *saved)
{
    self->items[self->count++ % DONE_MAX] = *saved;
}

void done_core_note(done_core_t *self, const zvt_event_t *event, const zvt_record_t *record)
{
    zvt_saved_done_t done = {.seq = event->seq, .type = record->type};
    if (record->type == ZVT_T_POSITION_ADJUSTED) {
        const zvt_position_adjusted_t *adjusted = &record->position_adjusted;
        ZVT_STR_SET(done.request_id, adjusted->request_id);
        done.subject = adjusted->position_id;
        done.quantity_e8 = adjusted->quantity_change_e8;
        done.price_e8 = adjusted->price_e8;
    } else if (record->type == ZVT_T_ORDER_RESOLVED) {
        ZVT_STR_SET(done.request_id, record->order_resolved.request_id);
        done.subject = record->order_resolved.order_id;
    }
    if (done.request_id[0] != '\0') done_core_restore(self, &done);
}

uint32_t done_core_kept(const done_core_t *self)
{
    return self->count < DONE_MAX ? (uint32_t)self->count : DONE_MAX;
}

const zvt_saved_done_t *done_core_at(const done_core_t *self, uint32_t at)
{
    return &self->items[(self->count - done_core_kept(self) + at) % DONE_MAX];
}

const zvt_saved_done_t *done_core_find(const done_core_t *self, const char *request_id)
{
    if (request_id[0] == '\0') return NULL;
    for (uint32_t at = 0; at < done_core_kept(self); at++)
        if (strcmp(done_core_at(self, at)->request_id, request_id) == 0) return done_core_at(self, at);
    return NULL;
}

bool done_core_is_same(const zvt_saved_done_t *done, zvt_type_t type, const zvt_id_t *subject, int64_t quantity_e8, int64_t price_e8)
{
    return done->type == (uint32_t)type && zvt_id_equal(&done->subject, subject) && done->quantity_e8 == quantity_e8 && done->price_e8 == price_e8;
}
