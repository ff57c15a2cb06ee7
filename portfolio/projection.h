/* projection -- keeps the table portfolio_projections in Postgres up to date.
 *
 * A read model off the hot path: at most every PROJECTION_PERIOD_MS it writes the rows that have changed, over one
 * connection that never blocks the loop. Without a database, or while it is away, the process works on; the connection is
 * tried again for ever, with a backoff. With every new connection, and once a minute, every row is written anew and rows of
 * positions that the log does not have are removed: an emptied table fills again, and another log's rows go.
 *
 * Bounds   PROJECTION_ROWS_MAX rows per statement, one statement at a time; what has changed meanwhile is conflated.
 * Owns     its connection; borrows loop and core. */
#ifndef PROJECTION_H
#define PROJECTION_H

#include "portfolio_core.h"
#include "zvt_loop.h"

enum { PROJECTION_PERIOD_MS = 250, PROJECTION_ROWS_MAX = 512 };

typedef struct projection projection_t;

/* `dsn` is a libpq connection string or URL. */
projection_t *projection_new(zvt_loop_t *loop, const char *dsn, const portfolio_core_t *core);
void projection_destroy(projection_t **self);

/* Begins to write; called once the core has caught up with the log, so that old states are not written. */
void projection_start(projection_t *self);
/* True while the database is connected. */
bool projection_is_connected(const projection_t *self);

#endif
