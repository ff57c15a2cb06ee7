/* portfolio_core -- positions: what the log says, what fills on their way into the log will make of it, what it is worth.
 *
 * Pure: no socket, no clock, no database, no allocation after portfolio_core_new.
 * Durable state is the fold of position.updated. The orchestrator asks what a fill does before it commits the answer, so
 * each position has a chain of pending fills, in the order they were asked for, on top of its durable value. A fill leaves
 * its chain when the log has it, and all chains are dropped when a new epoch begins: the new writer asks again.
 *
 * Units    *_e8: fixed point 1e-8; now_ns: monotonic.
 * Bounds   PORTFOLIO_POSITIONS_MAX positions, as many as the orchestrator lets the log have, so that a fill always finds
 *          its place; PORTFOLIO_PENDING_MAX pending fills. Beyond them a fill is refused with OVERLOADED.
 * Owns     everything inside; borrows the fleet until destroy.
 * Errors   portfolio_core_on_event: the state cannot follow the log any further. Everything from outside is answered with
 *          a code instead. */
#ifndef PORTFOLIO_CORE_H
#define PORTFOLIO_CORE_H

#include <stdio.h>

#include "zvt_codec.h"
#include "zvt_config.h"
#include "zvt_pools.h"

enum { PORTFOLIO_POSITIONS_MAX = ZVT_POSITIONS_MAX, PORTFOLIO_PENDING_MAX = ZVT_POOL(16384, 256) };

typedef struct portfolio_core portfolio_core_t;

portfolio_core_t *portfolio_core_new(const zvt_fleet_t *fleet, uint64_t incarnation);
void portfolio_core_destroy(portfolio_core_t **self);

/* Says what a fill does to its position. The same fill again gets the same answer, also when the log has it already (as
 * long as it is remembered, see fill_memory.h). */
void portfolio_core_on_fill(portfolio_core_t *self, const zvt_fill_apply_t *fill, zvt_fill_applied_t *answer);
/* An answer without arithmetic, for a fill that cannot be worked on. */
void portfolio_core_refuse(const portfolio_core_t *self, const zvt_fill_apply_t *fill, uint8_t code,
                           zvt_fill_applied_t *answer);
/* ZVT_ERR_NOT_FOUND, ZVT_ERR_INVALID: the quote is not used. */
ZVT_MUSTUSE int portfolio_core_on_quote(portfolio_core_t *self, const zvt_price_updated_t *quote, int64_t now_ns);
/* Whether the state depends on events of this type; the others need not be folded. */
bool portfolio_core_folds(unsigned type);
/* Folds the next event of the log. */
ZVT_MUSTUSE int portfolio_core_on_event(portfolio_core_t *self, const zvt_event_t *event);

/* ---- questions; all of them show durable positions only, valued at the last mid ---- */

/* `number` is the position's for as long as the core lives, below PORTFOLIO_POSITIONS_MAX; a total has none. */
typedef void(portfolio_row_fn)(void *arg, uint32_t number, const zvt_position_row_t *row);
#define PORTFOLIO_NO_NUMBER UINT32_MAX

/* Every position that the query asks for, sorted, then a total for each portfolio. A total adds up quote assets as if they
 * were one. Returns the number of rows. */
uint32_t portfolio_core_query(const portfolio_core_t *self, const zvt_positions_query_t *query, portfolio_row_fn *emit,
                              void *arg);
/* Every position, in no order. */
void portfolio_core_visit(const portfolio_core_t *self, portfolio_row_fn *emit, void *arg);

/* Highest writer epoch seen. */
uint64_t portfolio_core_epoch(const portfolio_core_t *self);

typedef struct {
    uint32_t positions; /* durable ones and those that only have pending fills */
    uint32_t pending;   /* fills */
    uint64_t rebased;   /* chains computed anew, because the log had something else than was asked for */
    uint64_t unmatched; /* position.updated without its order.executed */
    uint64_t broken;    /* position.updated that does not continue from the position's quantity before */
} portfolio_stats_t;
portfolio_stats_t portfolio_core_stats(const portfolio_core_t *self);

/* Canonical text of the durable state; returns the number of positions. */
uint32_t portfolio_core_dump(const portfolio_core_t *self, FILE *out);

/* Gives the durable state record by record, for portfolio_core_load of a fresh core: system.started for the epoch, then a
 * position.row for each position. Answers that were given are not among it: the writer asks anew what it has not
 * recorded, and begins such a chain with `restart`. */
typedef void(portfolio_save_fn)(void *arg, zvt_type_t type, const void *record);
void portfolio_core_save(const portfolio_core_t *self, portfolio_save_fn *save, void *arg);
/* ZVT_ERR_TYPE for a record that portfolio_core_save never gives, ZVT_ERR_FULL. */
ZVT_MUSTUSE int portfolio_core_load(portfolio_core_t *self, const zvt_record_t *record);

#endif
