#include "batch_core.h"

#include <string.h>

void batch_core_init(batch_core_t *self, batch_emit_fn *emit, void *arg)
{
    *self = (batch_core_t){.packed = zvt_buf_new(BATCH_CORE_BYTES), .emit = emit, .arg = arg};
}

void batch_core_destroy(batch_core_t *self)
{
    zvt_buf_destroy(&self->packed);
    memset(self, 0, sizeof *self);
}

void batch_core_flush(batch_core_t *self)
{
    if (self->topic == NULL) return;
    self->emit(self->arg, self->topic, self->packed.data, self->packed.length);
    self->topic = NULL;
    self->packed.length = 0;
}

void batch_core_add(batch_core_t *self, const char *topic, zvt_type_t type, const void *record)
{
    if (topic != self->topic) batch_core_flush(self);
    if (zvt_pack(&self->packed, type, record) != 0) {
        batch_core_flush(self);
        ZVT_ASSERT(zvt_pack(&self->packed, type, record) == 0);
    }
    self->topic = topic;
}
