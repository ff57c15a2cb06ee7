/* fundamental_core -- what a synthetic instrument is worth: a pure function of seed, symbol and market time.
 *
 * The logarithm of the price is a sum of octaves of value noise, each with an amplitude proportional to the square
 * root of its period, so that the price spreads with the square root of time as a random walk does. Slower noise
 * modulates the amplitudes, so that volatility clusters. Nothing is remembered: two venues with the same seed agree
 * without talking, and a restart continues where the clock is.
 *
 * Units    market_ns: since the market's origin; may be negative. Floating point: this is a generator, not an account.
 * Source   fractional noise by octaves (Perlin 1985); amplitude modulation by scale as in multifractal volatility
 *          models (Calvet and Fisher 2001). */
#ifndef VENUE_FUNDAMENTAL_CORE_H
#define VENUE_FUNDAMENTAL_CORE_H

#include <stdint.h>

typedef struct {
    uint64_t stream;   /* hash of seed and symbol */
    double price;      /* at the origin */
    double sigma;      /* standard deviation of the log price over one second, on average */
    double log_origin; /* subtracted, so that the path begins at `price` */
} fundamental_t;

/* A well mixed hash of two numbers; the same on every machine. */
uint64_t fundamental_hash(uint64_t a, uint64_t b);
/* Hash of a text. */
uint64_t fundamental_hash_text(uint64_t seed, const char *text);
/* Smooth noise in [-1, 1] that changes over about one period. */
double fundamental_noise(uint64_t stream, int64_t market_ns, int64_t period_ns);

void fundamental_init(fundamental_t *self, uint64_t seed, const char *symbol, double price, double volatility_per_year);
double fundamental_price(const fundamental_t *self, int64_t market_ns);
/* How lively the market is just now, as a multiple of its average. */
double fundamental_liveliness(const fundamental_t *self, int64_t market_ns);

#endif
