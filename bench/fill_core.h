/* fill_core -- events of orders that never were: a log of any length, for replay and growth.
 *
 * Every order is a market order that filled at once: nine events, as the orchestrator writes them, with ids, causation,
 * versions, deduplication numbers and positions that are right. Buys and sells of a strategy alternate, so that its position
 * returns to zero. They name a venue that the fleet does not have: its venues' own cursors stay where they are.
 *
 * Pure: time comes in.
 * Units    *_e8: fixed point 1e-8; utc_ns: UTC nanoseconds.
 * Owns     everything inside; events made are borrowed from the buffer that the caller passes. */
#ifndef FILL_CORE_H
#define FILL_CORE_H

#include "zvt_codec.h"
#include "zvt_config.h"

enum { FILL_EVENTS_PER_ORDER = 9, FILL_STRATEGIES_MAX = 10000 };

typedef struct fill_core fill_core_t;

/* `run` makes ids, sender and strategies differ from those of other runs. `fleet` is borrowed. */
fill_core_t *fill_core_new(const zvt_fleet_t *fleet, uint32_t strategies, uint32_t symbols, uint64_t run, uint64_t epoch);
void fill_core_destroy(fill_core_t **self);

/* The events of the next order, seq left to the caller. Their payloads go into `buf`; ZVT_ERR_FULL when it is too small. */
ZVT_MUSTUSE int fill_core_next(fill_core_t *self, int64_t utc_ns, zvt_buf_t *buf, zvt_event_t events[FILL_EVENTS_PER_ORDER]);
/* A barrier that follows the system event with this id and version. */
ZVT_MUSTUSE int fill_core_barrier(fill_core_t *self, const zvt_id_t *system_id, const zvt_id_t *cause, uint32_t version, int64_t utc_ns,
                                  zvt_buf_t *buf, zvt_event_t *event);

#endif
