/* zvt_text -- short texts put together piece by piece: for what is written for every order, where printf is too slow.
 *
 * Shapes   the text always ends with a NUL.
 * Bounds   the caller's array; a piece that does not fit as a whole is left out, and says so.
 * Owns     nothing. */
#ifndef ZVT_TEXT_H
#define ZVT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *at;   /* where the next piece goes; holds the NUL */
    size_t room; /* bytes left, NUL included */
} zvt_text_t;

/* Begins an empty text in `text`, which has at least one byte. */
zvt_text_t zvt_text(char *text, size_t size);
/* Adds a piece; false, and no change, when it does not fit. */
bool zvt_text_add(zvt_text_t *self, const char *piece);
bool zvt_text_add_u64(zvt_text_t *self, uint64_t number);
/* Goes back to an earlier state of the same text. */
void zvt_text_rewind(zvt_text_t *self, zvt_text_t to);

#endif
