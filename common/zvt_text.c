#include "zvt_text.h"

#include <string.h>

enum { U64_TEXT = 21 };

zvt_text_t zvt_text(char *text, size_t size)
{
    *text = '\0';
    return (zvt_text_t){.at = text, .room = size};
}

bool zvt_text_add(zvt_text_t *self, const char *piece)
{
    size_t length = strlen(piece);
    if (length >= self->room) return false;
    memcpy(self->at, piece, length + 1);
    self->at += length;
    self->room -= length;
    return true;
}

bool zvt_text_add_u64(zvt_text_t *self, uint64_t number)
{
    char digits[U64_TEXT];
    size_t first = sizeof digits - 1;
    digits[first] = '\0';
    do digits[--first] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    return zvt_text_add(self, digits + first);
}

void zvt_text_rewind(zvt_text_t *self, zvt_text_t to)
{
    *self = to;
    *to.at = '\0';
}
