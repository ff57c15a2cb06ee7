/* zvt_id -- 16-byte ids, the UUIDv7 generator, and the seeded random numbers behind both.
 *
 * Pure: the caller seeds the generator and passes the time, so that a core makes the same ids on every replay.
 * Source   RFC 9562 (UUIDv7); xoshiro256** by Blackman and Vigna. */
#ifndef ZVT_ID_H
#define ZVT_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zvt_error.h"

typedef struct {
    uint8_t bytes[16]; /* big-endian, as RFC 9562 lays them out; all zero means "none" */
} zvt_id_t;

#define ZVT_ID_TEXT 37 /* 8-4-4-4-12 with its NUL */

/* Writes two lower-case hex digits for each byte, and no end; returns where they end. */
char *zvt_hex(char *text, const uint8_t *bytes, size_t count);

bool zvt_id_is_none(const zvt_id_t *id);
bool zvt_id_equal(const zvt_id_t *a, const zvt_id_t *b);
void zvt_id_format(const zvt_id_t *id, char text[ZVT_ID_TEXT]);
/* Accepts the 36-character form and 32 hex digits. */
ZVT_MUSTUSE int zvt_id_parse(const char *text, zvt_id_t *id);
/* The same id for the same text on every machine: a UUIDv8 from a 128-bit FNV-1a. Used for keys such as positions. */
zvt_id_t zvt_id_from_text(const char *text, size_t length);
/* The same of "PORTFOLIO|STRATEGY|SYMBOL": the id of a position. */
zvt_id_t zvt_id_of_position(const char *portfolio_id, const char *strategy_id, const char *symbol);

typedef struct {
    uint64_t state[4]; /* never all zero once seeded */
} zvt_rng_t;

void zvt_rng_seed(zvt_rng_t *self, uint64_t seed);
uint64_t zvt_rng_next(zvt_rng_t *self);
/* Uniform in [0, bound); 0 for a bound of 0. */
uint64_t zvt_rng_below(zvt_rng_t *self, uint64_t bound);
/* Uniform in [0, 1). For simulation and jitter only, never for money. */
double zvt_rng_unit(zvt_rng_t *self);
/* A pause before the next try: half of it is drawn, so that many who failed together do not come back together. */
int64_t zvt_rng_pause_ns(zvt_rng_t *self, int64_t full_ns);

typedef struct {
    zvt_rng_t rng;
    uint64_t last_ms; /* UTC; never goes back, even if the clock does */
    uint32_t counter; /* orders ids within one millisecond; 12 bits, overflow borrows the next ms */
} zvt_idgen_t;

void zvt_idgen_init(zvt_idgen_t *self, uint64_t seed);
/* The next UUIDv7: strictly greater than every one this generator made before. now_ns is UTC. */
zvt_id_t zvt_idgen_next(zvt_idgen_t *self, int64_t now_ns);

#endif
