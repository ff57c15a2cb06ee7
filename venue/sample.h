/* sample -- writes a short capture in the Binance line format from the synthetic market.
 *
 * One instrument, the fleet file's first: depth diffs in a U/u chain, a REST snapshot near the beginning, bookTicker and
 * trade lines. Each bookTicker carries the update id of the depth update of the same step, so that every one of them can
 * be compared with the rebuilt book. The same seed writes the same file.
 *
 * Errors   0 or ZVT_ERR_IO with `problem`. */
#ifndef VENUE_SAMPLE_H
#define VENUE_SAMPLE_H

#include "zvt_config.h"

/* Writes `seconds` of market to `path`, as gzip if the name ends in .gz. */
ZVT_MUSTUSE int sample_write(const zvt_fleet_t *fleet, uint32_t venue, uint64_t seed, const char *path, int64_t seconds,
                             char problem[ZVT_PROBLEM_SIZE]);

#endif
