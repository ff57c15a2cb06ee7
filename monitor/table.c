#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    format_tone_t tone;
    char *text;
} cell_t;

struct table {
    const char *heads[TABLE_COLUMNS_MAX];
    bool right[TABLE_COLUMNS_MAX];
    size_t columns;
    cell_t *cells; /* row by row */
    size_t count, capacity;
};

table_t *table_new(const char *const *heads)
{
    table_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    for (; heads[self->columns] != NULL; self->columns++) {
        ZVT_ASSERT(self->columns < TABLE_COLUMNS_MAX);
        const char *head = heads[self->columns];
        self->right[self->columns] = *head == '>';
        self->heads[self->columns] = *head == '>' ? head + 1 : head;
    }
    ZVT_ASSERT(self->columns > 0);
    return self;
}

void table_destroy(table_t **self)
{
    if (*self == NULL) return;
    for (size_t i = 0; i < (*self)->count; i++) free((*self)->cells[i].text);
    free((*self)->cells);
    free(*self);
    *self = NULL;
}

void table_cell(table_t *self, format_tone_t tone, const char *text)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity == 0 ? 256 : self->capacity * 2;
        self->cells = realloc(self->cells, self->capacity * sizeof *self->cells);
        ZVT_ASSERT(self->cells != NULL);
    }
    char *copy = strdup(text);
    ZVT_ASSERT(copy != NULL);
    self->cells[self->count++] = (cell_t){.tone = tone, .text = copy};
}

void table_cellf(table_t *self, format_tone_t tone, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    table_cell(self, tone, text);
}

void table_e8(table_t *self, int64_t value_e8, bool dash)
{
    char text[ZVT_FIXED_TEXT];
    zvt_fixed_format(value_e8, text);
    table_cell(self, FORMAT_PLAIN, dash && value_e8 == 0 ? "-" : text);
}

size_t table_rows(const table_t *self)
{
    return self->count / self->columns;
}

/* The last column is not padded: no line ends in blanks. */
static void s_print_cell(const table_t *self, FILE *out, size_t column, size_t width, const cell_t *cell, bool colour)
{
    int pad = (int)(width - format_width(cell->text));
    bool last = column + 1 == self->columns;
    fprintf(out, "%*s%s%s%s", self->right[column] ? pad : 0, "", format_tone(cell->tone, colour), cell->text,
            format_tone_end(cell->tone, colour));
    if (last)
        putc('\n', out);
    else
        fprintf(out, "%*s  ", self->right[column] ? 0 : pad, "");
}

void table_print(const table_t *self, FILE *out, bool colour)
{
    size_t widths[TABLE_COLUMNS_MAX];
    for (size_t column = 0; column < self->columns; column++) {
        widths[column] = format_width(self->heads[column]);
        for (size_t i = column; i < self->count; i += self->columns) {
            size_t width = format_width(self->cells[i].text);
            if (width > widths[column]) widths[column] = width;
        }
    }
    for (size_t column = 0; column < self->columns; column++) {
        cell_t head = {.tone = FORMAT_QUIET, .text = (char *)(uintptr_t)self->heads[column]};
        s_print_cell(self, out, column, widths[column], &head, colour);
    }
    for (size_t i = 0; i < self->count; i++)
        s_print_cell(self, out, i % self->columns, widths[i % self->columns], &self->cells[i], colour);
}
