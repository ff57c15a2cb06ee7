/* snapshot -- all that an account has at one instant: open orders, balances, and the number of its last report.
 *
 * Pure. Rows leave through emit(), the snapshot record last; they are valid during the call only. */
#ifndef VENUE_SNAPSHOT_H
#define VENUE_SNAPSHOT_H

#include "account_core.h"

typedef void(snapshot_emit_fn)(void *arg, zvt_type_t type, const void *record);

void snapshot_emit(const account_core_t *account, const char *venue, uint64_t query, snapshot_emit_fn *emit, void *arg);

#endif
