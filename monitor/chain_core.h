/* chain_core -- the causal chain of one saga: which event caused which, and when.
 *
 * Pure: events are added in order of seq, then linked once.
 * Units    *_ns: nanoseconds of the events' timestamps.
 * Bounds   CHAIN_EVENTS_MAX events; one more is ZVT_ERR_FULL.
 * Owns     copies of the events' payloads.
 * Errors   ZVT_ERR_FULL, ZVT_ERR_ILLEGAL (not in order of seq). */
#ifndef MONITOR_CHAIN_CORE_H
#define MONITOR_CHAIN_CORE_H

#include "zvt_codec.h"

enum { CHAIN_EVENTS_MAX = 10000, CHAIN_NO_CAUSE = -1 };

typedef struct {
    zvt_event_t event;      /* its payload is the chain's copy */
    int cause;              /* index of the causing event; CHAIN_NO_CAUSE: it came from outside the saga */
    int depth;              /* causes above it */
    bool broken;            /* it names a cause that the saga does not hold before it */
    int64_t since_start_ns; /* since the saga's first event */
    int64_t step_ns;        /* since its cause; 0 without one */
} chain_link_t;

typedef struct chain_core chain_core_t;

chain_core_t *chain_core_new(void);
void chain_core_destroy(chain_core_t **self);
ZVT_MUSTUSE int chain_core_add(chain_core_t *self, const zvt_event_t *event);
/* Finds causes, depths and times. The first event's cause is outside by nature, such as a signal; so is that of a
 * cancel, which somebody may ask for at any time. */
void chain_core_link(chain_core_t *self);

size_t chain_core_count(const chain_core_t *self);
const chain_link_t *chain_core_at(const chain_core_t *self, size_t n);
/* True if every event but those that may come from outside follows from an earlier one. */
bool chain_core_unbroken(const chain_core_t *self);
/* From the first event to the last. */
int64_t chain_core_duration_ns(const chain_core_t *self);

#endif
