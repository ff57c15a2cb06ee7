/* rows -- collects the rows of an answer that ends with list.end.
 *
 * Bounds   ROWS_MAX rows; more are counted as cut.
 * Owns     copies of the rows. */
#ifndef MONITOR_ROWS_H
#define MONITOR_ROWS_H

#include "zvt_codec.h"

enum { ROWS_MAX = 100000 };

typedef struct {
    zvt_type_t type; /* of the rows; other records are passed over */
    uint8_t *data;
    size_t count, capacity;
    bool more;       /* the answer was cut at the query's limit */
} rows_t;

rows_t rows_of(zvt_type_t type);
void rows_destroy(rows_t *self);
/* Row n as the struct of its type. */
const void *rows_at(const rows_t *self, size_t n);
void rows_add(rows_t *self, const void *record);
/* A client_record_fn; arg is the rows_t. */
bool rows_on_record(void *arg, const zvt_record_t *record, zvt_cursor_t *rest);
/* Sorts by a comparison of two row structs. */
void rows_sort(rows_t *self, int (*compare)(const void *a, const void *b));

#endif
