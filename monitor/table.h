/* table -- rows of text under column heads, aligned.
 *
 * Bounds   TABLE_COLUMNS_MAX columns, any number of rows.
 * Owns     copies of its cells; borrows the heads until it is destroyed. */
#ifndef MONITOR_TABLE_H
#define MONITOR_TABLE_H

#include "format.h"

enum { TABLE_COLUMNS_MAX = 16 };

typedef struct table table_t;

/* `heads` is a list of column names with a NULL at its end; a name that begins with '>' is aligned right. */
table_t *table_new(const char *const *heads);
void table_destroy(table_t **self);
/* Adds a cell; after the last column the next row begins. */
void table_cell(table_t *self, format_tone_t tone, const char *text);
ZVT_PRINTF(3, 4) void table_cellf(table_t *self, format_tone_t tone, const char *format, ...);
/* A decimal, and "-" for zero where `dash` is set. */
void table_e8(table_t *self, int64_t value_e8, bool dash);
size_t table_rows(const table_t *self);
void table_print(const table_t *self, FILE *out, bool colour);

#endif
