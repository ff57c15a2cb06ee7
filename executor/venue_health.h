/* venue_health -- how fast and how reliably a venue answered lately.
 *
 * Pure: the caller passes the time, on the monotonic clock.
 * Units    *_ns: nanoseconds; *_e8: fixed point 1e-8.
 * Source   the averages are exponentially weighted with gain 1/8, as RFC 6298 smooths round-trip times. */
#ifndef EXECUTOR_VENUE_HEALTH_H
#define EXECUTOR_VENUE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "zvt_time.h"

/* A failure counts half after this long, whatever happens in between: a venue that is avoided sends no good news. */
#define VENUE_HEALTH_HALF_LIFE_NS (30 * ZVT_SECOND_NS)

typedef struct {
    bool measured;           /* latency_ns is a mean of at least one sample */
    int64_t latency_ns;      /* mean time from a send to its first report */
    int64_t failure_rate_e8; /* share of sends that failed, as of rated_at_ns */
    int64_t rated_at_ns;
} venue_health_t;

/* A send was answered after latency_ns; failed means that the venue refused it for reasons of its own. How fast it
 * refuses says nothing about how fast it works, so a failure is no sample of the latency. */
void venue_health_on_answer(venue_health_t *self, int64_t latency_ns, bool failed, int64_t now_ns);
/* A send was not answered in time. */
void venue_health_on_silence(venue_health_t *self, int64_t now_ns);

/* Mean latency; 0 before the first answer. */
int64_t venue_health_latency_ns(const venue_health_t *self);
/* Share of sends that failed, 0 to 1, decayed to now. */
int64_t venue_health_failure_rate_e8(const venue_health_t *self, int64_t now_ns);

#endif
