/* source -- where the venue's market comes from, and when it moves.
 *
 *   synthetic  agents around a seeded price path; a step every market.step_ms
 *   recorded   captured files, at N times their own pace or as fast as they are consumed
 *   none       a venue that takes no part in a recorded market: closed, with the reason
 *
 * Plumbing: owns the cores and the files; the caller passes both clocks.
 * Restart    the synthetic market goes on at the present time. A recording goes on where the position file says (written
 *            once a second, so a killed venue repeats a second at the most). Once it has ended it stays closed; whoever
 *            wants to play it again removes the position file (`fleet up --replay` does).
 * Pace       gaps of more than SOURCE_GAP_NS in a recording are skipped.
 * Errors     a status with `problem`. */
#ifndef VENUE_SOURCE_H
#define VENUE_SOURCE_H

#include <stdio.h>

#include "ledger_format.h"
#include "market.h"
#include "player.h"
#include "zvt_time.h"

#define SOURCE_GAP_NS (60 * ZVT_SECOND_NS)

typedef struct source source_t;

typedef struct {
    const zvt_fleet_t *fleet;
    uint32_t venue;            /* index in the fleet file */
    uint64_t seed;
    const char *replay;        /* files; NULL: synthetic */
    double speed;              /* of a recording; 0: as fast as it is consumed */
    const char *position_path; /* of a recording's position file */
    market_events_t events;
} source_config_t;

ZVT_MUSTUSE int source_new(source_t **self, const source_config_t *config, char problem[ZVT_PROBLEM_SIZE]);
void source_destroy(source_t **self);

/* What a ledger remembers of the market, such as "synthetic seed=42". */
const char *source_fingerprint(const source_t *self);
market_t source_market(source_t *self);

/* Brings a recording to its position; must precede the first order that rests. */
void source_resume(source_t *self);
/* Sets the synthetic market's time 0 and starts the clocks. */
void source_start(source_t *self, int64_t origin_ns, int64_t utc_ns, int64_t monotonic_ns);
/* Moves the market as far as its clock says; true if it moved. */
bool source_advance(source_t *self, int64_t monotonic_ns);
/* When source_advance has something to do next, on the monotonic clock; 0: never again. A recording at full speed says
 * "now". */
int64_t source_next_ns(const source_t *self, int64_t monotonic_ns);
/* True when the consumers set the pace. */
bool source_is_unpaced(const source_t *self);

/* The market's own time, UTC ns. */
int64_t source_market_ns(const source_t *self);
/* Whether it trades, and why not. */
bool source_is_open(const source_t *self);
/* A recording that is over. */
bool source_has_ended(const source_t *self);
const char *source_message(const source_t *self);

/* Writes where a recording stands, for the next start. */
void source_save_position(source_t *self);
/* Writes `"key": value` pairs about the market. */
void source_stats(const source_t *self, FILE *body);

#endif
