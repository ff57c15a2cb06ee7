/* resolve -- what a person types for an order: an id, or the first or last characters of one.
 *
 * Errors   ZVT_ERR_SYNTAX (no id at all), ZVT_ERR_NOT_FOUND, ZVT_ERR_EXISTS (several orders match), ZVT_ERR_IO (no
 *          answer); `problem` is then a sentence. */
#ifndef MONITOR_RESOLVE_H
#define MONITOR_RESOLVE_H

#include "client.h"
#include "rows.h"

enum { RESOLVE_CHARACTERS_MIN = 8 };

/* Pure: picks the one row whose order id or correlation id equals `text`, or begins or ends with it. */
ZVT_MUSTUSE int resolve_among(const rows_t *rows, const char *text, zvt_order_row_t *row, char problem[CLIENT_PROBLEM_SIZE]);

/* 0 if `text` is an id or a part of one that is long enough. */
ZVT_MUSTUSE int resolve_check(const char *text, char problem[CLIENT_PROBLEM_SIZE]);

/* Asks the orchestrator. */
ZVT_MUSTUSE int resolve_order(const char *text, zvt_order_row_t *row, char problem[CLIENT_PROBLEM_SIZE]);

#endif
