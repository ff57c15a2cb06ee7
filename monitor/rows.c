#include "rows.h"

#include <stdlib.h>
#include <string.h>

rows_t rows_of(zvt_type_t type)
{
    ZVT_ASSERT(zvt_desc(type) != NULL);
    return (rows_t){.type = type};
}

void rows_destroy(rows_t *self)
{
    free(self->data);
    *self = rows_of(self->type);
}

const void *rows_at(const rows_t *self, size_t n)
{
    ZVT_ASSERT(n < self->count);
    return self->data + n * zvt_desc(self->type)->size;
}

void rows_add(rows_t *self, const void *record)
{
    size_t size = zvt_desc(self->type)->size;
    if (self->count == ROWS_MAX) {
        self->more = true;
        return;
    }
    if (self->count == self->capacity) {
        self->capacity = self->capacity == 0 ? 64 : self->capacity * 2;
        self->data = realloc(self->data, self->capacity * size);
        ZVT_ASSERT(self->data != NULL);
    }
    memcpy(self->data + self->count++ * size, record, size);
}

bool rows_on_record(void *arg, const zvt_record_t *record, zvt_cursor_t *rest)
{
    rows_t *self = arg;
    (void)rest;
    if (record->type == self->type) rows_add(self, &record->hello);
    if (record->type != ZVT_T_LIST_END) return false;
    self->more = self->more || record->list_end.more;
    return true;
}

void rows_sort(rows_t *self, int (*compare)(const void *a, const void *b))
{
    if (self->count > 1) qsort(self->data, self->count, zvt_desc(self->type)->size, compare);
}
