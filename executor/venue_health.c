#include "venue_health.h"

#include "zvt_fixed.h"

enum { GAIN = 8, HALVINGS_MAX = 40 /* below 1e-8 long before */ };

/* Halves once per half-life; in between it falls in a straight line, which is at most 6 % off the curve and exact on
 * every machine. */
int64_t venue_health_failure_rate_e8(const venue_health_t *self, int64_t now_ns)
{
    int64_t age_ns = now_ns - self->rated_at_ns;
    if (age_ns <= 0) return self->failure_rate_e8;
    int64_t halvings = age_ns / VENUE_HEALTH_HALF_LIFE_NS;
    if (halvings >= HALVINGS_MAX) return 0;
    int64_t rate_e8 = self->failure_rate_e8 >> halvings;
    int64_t rest_ns = age_ns % VENUE_HEALTH_HALF_LIFE_NS;
    return rate_e8 - (int64_t)((__int128)rate_e8 * rest_ns / (2 * VENUE_HEALTH_HALF_LIFE_NS));
}

static void s_rate(venue_health_t *self, bool failed, int64_t now_ns)
{
    int64_t rate_e8 = venue_health_failure_rate_e8(self, now_ns);
    self->failure_rate_e8 = rate_e8 + ((failed ? ZVT_E8 : 0) - rate_e8) / GAIN;
    self->rated_at_ns = now_ns;
}

void venue_health_on_answer(venue_health_t *self, int64_t latency_ns, bool failed, int64_t now_ns)
{
    s_rate(self, failed, now_ns);
    if (failed) return;
    self->latency_ns = self->measured ? self->latency_ns + (latency_ns - self->latency_ns) / GAIN : latency_ns;
    self->measured = true;
}

void venue_health_on_silence(venue_health_t *self, int64_t now_ns)
{
    s_rate(self, true, now_ns);
}

int64_t venue_health_latency_ns(const venue_health_t *self)
{
    return self->latency_ns;
}
