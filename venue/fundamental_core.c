#include "fundamental_core.h"

#include <math.h>

#include "zvt_time.h"

enum {
    OCTAVES = 29,         /* periods from 0.2 s to 1.7 years */
    COMMON_OCTAVES = 10,  /* up to 100 s: these share the common modulation */
    LIVELY_OCTAVES = 7,   /* what one feels as the present volatility */
    MODULATION_RATIO = 16, /* an octave's modulation is this much slower than the octave */
};
#define FIRST_PERIOD_NS (200 * ZVT_MS_NS)
#define YEAR_S 31536000.0

/* Scales the octaves so that the increments over seconds to minutes have the configured deviation; found by measuring
 * (tests/unit/test_venue_fundamental_core.c holds it). */
static const double s_amplitude = 0.57;
static const double s_octave_modulation = 0.6;
static const double s_common_modulation = 0.8;

uint64_t fundamental_hash(uint64_t a, uint64_t b)
{
    uint64_t z = a * 0x9e3779b97f4a7c15ULL + b + 0x632be59bd9b4e019ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

uint64_t fundamental_hash_text(uint64_t seed, const char *text)
{
    uint64_t hash = fundamental_hash(seed, 0);
    for (; *text != '\0'; text++) hash = fundamental_hash(hash, (uint8_t)*text);
    return hash;
}

/* Uniform in [-1, 1). */
static double s_node(uint64_t stream, int64_t index)
{
    return (double)(int64_t)fundamental_hash(stream, (uint64_t)index) * 0x1p-63;
}

double fundamental_noise(uint64_t stream, int64_t market_ns, int64_t period_ns)
{
    int64_t index = market_ns / period_ns;
    if (market_ns % period_ns < 0) index--;
    double fraction = (double)(market_ns - index * period_ns) / (double)period_ns;
    double weight = fraction * fraction * (3.0 - 2.0 * fraction);
    double left = s_node(stream, index), right = s_node(stream, index + 1);
    return left + (right - left) * weight;
}

static double s_common(const fundamental_t *self, int64_t market_ns)
{
    uint64_t stream = fundamental_hash(self->stream, 1);
    double minutes = fundamental_noise(stream, market_ns, 200 * ZVT_SECOND_NS);
    double hours = fundamental_noise(stream + 1, market_ns, 3000 * ZVT_SECOND_NS);
    return exp(s_common_modulation * (minutes + hours));
}

static double s_modulation(const fundamental_t *self, int octave, int64_t period_ns, int64_t market_ns)
{
    uint64_t stream = fundamental_hash(self->stream, 100 + (uint64_t)octave);
    return exp(s_octave_modulation * fundamental_noise(stream, market_ns, period_ns * MODULATION_RATIO));
}

static double s_log_price(const fundamental_t *self, int64_t market_ns)
{
    double common = s_common(self, market_ns);
    double sum = 0;
    int64_t period_ns = FIRST_PERIOD_NS;
    for (int octave = 0; octave < OCTAVES; octave++, period_ns *= 2) {
        double noise = fundamental_noise(fundamental_hash(self->stream, 200 + (uint64_t)octave), market_ns, period_ns);
        double scale = sqrt((double)period_ns / (double)ZVT_SECOND_NS);
        /* Modulating the slowest octaves as well would turn each change of volatility into a change of price. */
        double modulation = s_modulation(self, octave, period_ns, market_ns);
        if (octave < COMMON_OCTAVES) modulation *= common;
        sum += scale * modulation * noise;
    }
    return sum * s_amplitude * self->sigma;
}

void fundamental_init(fundamental_t *self, uint64_t seed, const char *symbol, double price, double volatility_per_year)
{
    self->stream = fundamental_hash_text(seed, symbol);
    self->price = price;
    self->sigma = volatility_per_year / sqrt(YEAR_S);
    self->log_origin = s_log_price(self, 0);
}

double fundamental_price(const fundamental_t *self, int64_t market_ns)
{
    return self->price * exp(s_log_price(self, market_ns) - self->log_origin);
}

double fundamental_liveliness(const fundamental_t *self, int64_t market_ns)
{
    double sum = 0;
    int64_t period_ns = FIRST_PERIOD_NS;
    for (int octave = 0; octave < LIVELY_OCTAVES; octave++, period_ns *= 2)
        sum += s_modulation(self, octave, period_ns, market_ns);
    return s_common(self, market_ns) * sum / LIVELY_OCTAVES;
}
