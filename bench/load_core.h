/* load_core -- an open-loop load of orders, and what became of each.
 *
 * Order n is due at start + n / rate, whatever happened to the ones before; every latency counts from that moment, so
 * a stall of the fleet shows in all orders that were due meanwhile (no coordinated omission). One order at a time
 * (`serial`) is the exception: the next is due a pause after the end of the one before.
 *
 * Mix      market orders in the first `symbols` instruments by turns, and a share of limit orders in the instrument after them:
 *          by turns one that rests below the market, and one that takes more than the best ask shows and rests with the
 *          remainder. What still rests a while after it was accepted is canceled.
 * Senders  orders are spread over `senders` names, so that no sender's window of numbers is a limit during an outage.
 *          With `resend`, an order that nobody acknowledged is sent again, as the strategies' library does.
 * Pure: time comes in; what is to be sent comes out.
 * Units    *_ns: monotonic nanoseconds unless the name says utc.
 * Bounds   `orders_max` orders; all memory is taken at the start.
 * Source   coordinated omission: Gil Tene, "How NOT to measure latency". */
#ifndef LOAD_CORE_H
#define LOAD_CORE_H

#include "load_stages.h"
#include "zvt_codec.h"
#include "zvt_config.h"

/* What to send, and how much of it. */
typedef struct {
    double rate_hz;
    double seconds;          /* measured; the warm-up comes before */
    double warmup_s;         /* of the same load, not measured */
    uint32_t strategies;     /* the orders are spread over so many strategy ids */
    uint32_t senders;        /* and over so many names of senders */
    uint32_t symbols;        /* and over the first so many instruments of the fleet file */
    uint32_t limit_percent;  /* share of limit orders; they need one instrument more */
    const char *venue;       /* "" lets the executor choose */
    int64_t quantity_e8;     /* of each market order */
    int64_t pause_ns;        /* one order at a time: between an end and the next order; 0: open loop */
    int64_t patience_ns;     /* for the last orders to end, after the measured time */
    bool resend;             /* what is not acknowledged is sent again until it expires */
} load_config_t;

/* How the orders ended. */
typedef struct {
    uint64_t sent, ended, succeeded, rejected, refused, expired, resent, canceled;
    uint64_t lost, unanswered;             /* never ended: acknowledged, or not even that */
    uint64_t unsent;                       /* of the unanswered: no copy has left this process */
    uint64_t partial;                      /* limit orders that were filled in parts */
    uint64_t measured, measured_succeeded; /* of the orders after the warm-up */
    uint64_t in_time;                      /* orders that succeeded within the measured time, whenever they were due */
} load_counts_t;

enum { LOAD_BURST_MAX = 256 };

typedef struct load_core load_core_t;

/* `fleet` is borrowed. */
load_core_t *load_core_new(const load_config_t *config, const zvt_fleet_t *fleet, const char *sender, uint64_t incarnation);
void load_core_destroy(load_core_t **self);

/* The best bid and ask that limit orders are made of. */
void load_core_on_quote(load_core_t *self, const zvt_price_updated_t *quote);
/* Everything is known that orders are made of. */
bool load_core_can_start(const load_core_t *self);
void load_core_start(load_core_t *self, int64_t now_ns, int64_t utc_ns);
/* The next record that is due by now: a signal or a cancel; false when none is, or the burst has LOAD_BURST_MAX already. */
bool load_core_next(load_core_t *self, int64_t now_ns, int64_t utc_ns, zvt_record_t *record);
/* The burst is over: its records have left, or the socket has refused them all. Cancels are then due again; signals only when
 * they are resent. */
void load_core_on_burst(load_core_t *self, bool has_left);
/* Looks for orders that have to be sent again. */
void load_core_on_time(load_core_t *self, int64_t now_ns);
/* When the next order or cancel is due; 0 when none is known. */
int64_t load_core_next_ns(const load_core_t *self);
/* When the measured time begins and ends. */
int64_t load_core_measure_from_ns(const load_core_t *self);
int64_t load_core_measure_to_ns(const load_core_t *self);

/* An event of the log, as a subscriber sees it; committed_utc_ns is the writer's time of its commit, 0 if not known. */
void load_core_on_event(load_core_t *self, const zvt_event_t *event, int64_t committed_utc_ns, int64_t now_ns);
void load_core_on_ack(load_core_t *self, const char *sender, const zvt_signal_ack_t *ack);

/* Every order has been sent. */
bool load_core_all_sent(const load_core_t *self);
/* Every order has been sent, and each of them has ended. */
bool load_core_is_over(const load_core_t *self);
/* The patience is over: what has not ended by now counts as lost. */
bool load_core_gives_up(const load_core_t *self, int64_t now_ns);
/* Orders sent, and those that have ended. */
void load_core_progress(const load_core_t *self, uint64_t *sent, uint64_t *ended);
/* Looks at every order: for the end. */
void load_core_counts(const load_core_t *self, load_counts_t *counts);
/* The report as one JSON object. */
void load_core_report(const load_core_t *self, FILE *out);
/* One line an order: number, UTC ns at which it was due, UTC ns at which its end was seen (0: never), outcome. */
void load_core_trace(const load_core_t *self, FILE *out);

#endif
