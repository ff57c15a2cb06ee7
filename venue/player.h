/* player -- plays a recording into recorded_core at the pace that is asked for.
 *
 * Pace     by the lines' receive times: at speed N, N seconds of the recording take one second. At `max` the owner calls
 *          player_advance as often as its consumers follow.
 * Symbols  the recording's BTCUSDT or BTC/USDT is the instrument of the fleet file; lines of others are counted. A
 *          snapshot names no symbol: it belongs to the one with the nearest update ids, else to the one whose name is
 *          part of the file's name.
 * Bounds   PLAYER_LINES_MAX events per call of player_advance.
 * Owns     the capture; borrows fleet and market until destroy. */
#ifndef VENUE_PLAYER_H
#define VENUE_PLAYER_H

#include "capture.h"
#include "recorded_core.h"

enum { PLAYER_LINES_MAX = 20000 };

typedef struct player player_t;

ZVT_MUSTUSE int player_new(player_t **self, const zvt_fleet_t *fleet, const char *files, recorded_core_t *market,
                           char problem[ZVT_PROBLEM_SIZE]);
void player_destroy(player_t **self);

/* Index of the instrument that a recording calls BTCUSDT or BTC/USDT, or -1. */
int player_find_instrument(const zvt_fleet_t *fleet, const char *symbol);

/* Plays every event received up to until_ns; returns how many. */
uint32_t player_advance(player_t *self, int64_t until_ns);
/* Plays everything up to and including a place, as after a restart. */
void player_skip_to(player_t *self, uint32_t file, uint64_t line);

/* Receive time of the last event played, and of the next one (0: there is none). */
int64_t player_market_ns(const player_t *self);
int64_t player_next_ns(const player_t *self);
/* Place of the last event played. */
uint32_t player_file(const player_t *self);
uint64_t player_line(const player_t *self);
bool player_has_ended(const player_t *self);
/* How it ended. */
const char *player_message(const player_t *self);
const capture_counts_t *player_counts(const player_t *self);
uint64_t player_unknown_symbols(const player_t *self);

#endif
