/* load_core -- an open-loop load of orders, and what became of each.
 *
 * Order n is due at start + n / rate, whatever happened to the ones before; every latency counts from that moment, so
 * a stall of the fleet shows in all orders that were due meanwhile (no coordinated omission).
 *
 * Pure: time comes in; what is to be sent comes out.
 * Units    *_ns monotonic nanoseconds unless the name says utc.
 * Bounds   `orders_max` orders; all memory is taken at the start.
 * Source   coordinated omission: Gil Tene, "How NOT to measure latency". */
#ifndef LOAD_CORE_H
#define LOAD_CORE_H

#include <stdio.h>

#include "zvt_codec.h"
#include "zvt_stats.h"

/* What to send, and how much of it. */
typedef struct {
    double rate_hz;
    double seconds;        /* measured; the warm-up comes before */
    double warmup_s;       /* of the same load, not measured */
    uint32_t strategies;   /* the orders are spread over so many strategy ids */
    const char *symbol;
    const char *venue;     /* "" lets the executor choose */
    int64_t quantity_e8;   /* of each order */
    uint32_t limit_percent; /* share of resting limit orders, canceled after a second */
} load_config_t;

typedef struct load_core load_core_t;

load_core_t *load_core_new(const load_config_t *config, const char *sender, uint64_t incarnation);
void load_core_destroy(load_core_t **self);

void load_core_start(load_core_t *self, int64_t now_ns);
/* The next order that is due by now, into `signal`; false when none is. */
bool load_core_next(load_core_t *self, int64_t now_ns, int64_t utc_ns, zvt_signal_t *signal);
/* When the next order is due; 0 when all are sent. */
int64_t load_core_next_ns(const load_core_t *self);
/* An event of the log, as a subscriber sees it. */
void load_core_on_event(load_core_t *self, const zvt_event_t *event, int64_t now_ns);
void load_core_on_ack(load_core_t *self, const zvt_signal_ack_t *ack);
/* Every order has been sent, and each of them has ended or rests. */
bool load_core_is_over(const load_core_t *self);
/* Orders sent, and those that have ended or rest. */
void load_core_progress(const load_core_t *self, uint64_t *sent, uint64_t *ended);
/* The report as one JSON object. */
void load_core_report(const load_core_t *self, FILE *out);

#endif
