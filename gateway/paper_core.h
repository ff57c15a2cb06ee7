/* paper_core -- translates between the paper venue's records and the house's.
 *
 * The paper venue speaks the same schema with its own spelling of symbols. What it sends is dispatched to the
 * gateway's events; what it should never send is counted ("unexpected_records") and dropped.
 *
 * Pure.
 * Owns     its symbol tables; borrows the fleet and the events until destroy.
 * Bounds   decodes into one record of its own; nothing is allocated after init.
 * Errors   a frame that does not decode is dropped from there on, counted "malformed" and named in the diagnostics;
 *          an instrument that is not in the fleet file is counted "unknown_symbol" and dropped. */
#ifndef GATEWAY_PAPER_CORE_H
#define GATEWAY_PAPER_CORE_H

#include "adapter.h"
#include "symbol_map.h"
#include "zvt_codec.h"

typedef struct {
    symbol_map_t symbols;
    char venue[ZVT_VENUE_SIZE]; /* our name of it */
    const gateway_adapter_events_t *events;
    void *events_arg;
    zvt_record_t record; /* the one being read */
} paper_core_t;

ZVT_MUSTUSE int paper_core_init(paper_core_t *self, const zvt_fleet_t *fleet, const char *venue,
                                const gateway_adapter_events_t *events, void *events_arg, char problem[ZVT_PROBLEM_SIZE]);
void paper_core_destroy(paper_core_t *self);

/* A frame of market data. */
void paper_core_on_frame(paper_core_t *self, zvt_cursor_t frame);
/* A record from order entry. */
void paper_core_on_record(paper_core_t *self, const zvt_record_t *record);

/* Writes the order in the venue's spelling; ZVT_ERR_NOT_FOUND when the instrument is not in the fleet file. */
ZVT_MUSTUSE int paper_core_spell_order(const paper_core_t *self, const zvt_order_send_t *order, zvt_order_send_t *spelled);

#endif
