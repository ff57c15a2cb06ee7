/* tail_core -- which events a tail shows, and the instruments it remembers for the events that name none.
 *
 * Pure. An order's instrument stands in its order.requested; the other events of the saga only carry the saga's
 * correlation id, so the instrument is remembered by that.
 * Bounds   TAIL_SAGAS_MAX sagas are remembered; the oldest make room.
 * Owns     its memory; borrows the filter's texts. */
#ifndef MONITOR_TAIL_CORE_H
#define MONITOR_TAIL_CORE_H

#include "args.h"
#include "zvt_codec.h"

enum { TAIL_SAGAS_MAX = 65536 };

typedef struct {
    const arg_texts_t *types;  /* prefixes of event types; none: all */
    zvt_id_t correlation_id;   /* none: all */
    const char *symbol;        /* NULL: all */
} tail_filter_t;

typedef struct tail_core tail_core_t;

tail_core_t *tail_core_new(const tail_filter_t *filter);
void tail_core_destroy(tail_core_t **self);

/* Notes the instrument of a saga; "" if it is known to have none that can be found. */
void tail_core_remember(tail_core_t *self, const zvt_id_t *correlation_id, const char *symbol);
/* The instrument of a saga; NULL if nothing is remembered. */
const char *tail_core_recall(const tail_core_t *self, const zvt_id_t *correlation_id);

/* True if the header passes the type and correlation filters. */
bool tail_core_wants_header(const tail_core_t *self, const zvt_event_t *event);
/* True if records of this type pass the type filter. */
bool tail_core_wants_type(const tail_core_t *self, zvt_type_t type);
/* True if an event or record about this instrument (NULL: about none) passes. */
bool tail_core_wants_symbol(const tail_core_t *self, const char *symbol);
/* The first of the type prefixes that no event or market record begins with, which would wait for ever; NULL if none. */
const char *tail_core_unknown_type(const arg_texts_t *types, bool market);
/* True if the filter asks for one instrument. */
bool tail_core_needs_symbol(const tail_core_t *self);

#endif
