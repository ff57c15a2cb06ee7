#include "zvt_base.h"

#include <stdlib.h>
#include <string.h>

zvt_base_t zvt_base_of(const char *process, uint64_t before_seq)
{
    zvt_base_t self = {.before_seq = before_seq};
    ZVT_STR_SET(self.process, process);
    return self;
}

void zvt_base_release(zvt_base_t *self)
{
    free(self->data);
    self->data = NULL;
    self->seq = self->length = self->have = 0;
}

zvt_base_request_t zvt_base_question(const zvt_base_t *self)
{
    zvt_base_request_t request = {.before_seq = self->before_seq, .offset = self->have};
    ZVT_STR_SET(request.process, self->process);
    return request;
}

/* Makes room for the base that the first answer tells of. */
static bool s_begin(zvt_base_t *self, const zvt_log_base_t *head)
{
    zvt_base_release(self);
    if (head->length == 0 || head->length > ZVT_BASE_MAX) return false;
    self->seq = head->seq;
    self->length = head->length;
    self->data = malloc(head->length);
    ZVT_ASSERT(self->data != NULL);
    return true;
}

zvt_base_step_t zvt_base_take(zvt_base_t *self, const zvt_log_base_t *head, zvt_cursor_t piece)
{
    size_t count = (size_t)(piece.end - piece.at);
    if (strcmp(head->process, self->process) != 0) return ZVT_BASE_IGNORED;
    if (head->seq == 0) return ZVT_BASE_NONE;
    bool another = head->seq != self->seq || head->length != self->length;
    if (another && !s_begin(self, head)) return ZVT_BASE_NONE;
    if (head->offset != self->have) return another ? ZVT_BASE_MORE : ZVT_BASE_IGNORED;
    if (count == 0 || count > self->length - self->have) return ZVT_BASE_NONE;
    memcpy(self->data + self->have, piece.at, count);
    self->have += count;
    return self->have == self->length ? ZVT_BASE_WHOLE : ZVT_BASE_MORE;
}
