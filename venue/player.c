#include "player.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "market.h"
#include "zvt_diag.h"

struct player {
    const zvt_fleet_t *fleet;
    recorded_core_t *market;
    capture_t *capture;
    const capture_event_t *next; /* read and not played; NULL: there is none */
    int64_t market_ns;
    uint32_t file;               /* of the last event played */
    uint64_t line;
    uint64_t unknown_symbols;
    char symbols[ZVT_INSTRUMENTS_MAX][ZVT_SYMBOL_SIZE]; /* without the slash */
};

static void s_on_malformed(void *arg, const char *file, uint64_t line, const char *reason)
{
    (void)arg;
    if (zvt_diag_allowed()) zvt_warn("%s:%llu %s; the line is passed over", file, (unsigned long long)line, reason);
}

static void s_read_next(player_t *self)
{
    if (capture_next(self->capture, &self->next) != 0) self->next = NULL;
}

int player_new(player_t **self_out, const zvt_fleet_t *fleet, const char *files, recorded_core_t *market,
               char problem[ZVT_PROBLEM_SIZE])
{
    player_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->fleet = fleet;
    self->market = market;
    for (uint32_t i = 0; i < fleet->instruments_count; i++) market_venue_symbol(fleet->instruments[i].symbol, self->symbols[i]);
    int status = capture_new(&self->capture, files, s_on_malformed, self, problem);
    if (status != 0) {
        free(self);
        return status;
    }
    s_read_next(self);
    if (self->next == NULL) {
        snprintf(problem, ZVT_PROBLEM_SIZE, "%s: holds no market data; it takes capture lines ('<ns> <json>') or a CSV of quotes, plain or gzip",
                 files);
        player_destroy(&self);
        return ZVT_ERR_INVALID;
    }
    *self_out = self;
    return 0;
}

void player_destroy(player_t **self)
{
    if (*self == NULL) return;
    capture_destroy(&(*self)->capture);
    free(*self);
    *self = NULL;
}

/* ---- symbols ---- */
int player_find_instrument(const zvt_fleet_t *fleet, const char *symbol)
{
    for (uint32_t i = 0; i < fleet->instruments_count; i++) {
        char venue_symbol[ZVT_SYMBOL_SIZE];
        market_venue_symbol(fleet->instruments[i].symbol, venue_symbol);
        if (strcasecmp(venue_symbol, symbol) == 0 || strcmp(fleet->instruments[i].symbol, symbol) == 0) return (int)i;
    }
    return -1;
}

/* The same from the spellings made at the start: once per line. */
static int s_instrument(const player_t *self, const char *symbol)
{
    for (uint32_t i = 0; i < self->fleet->instruments_count; i++)
        if (strcasecmp(self->symbols[i], symbol) == 0 || strcmp(self->fleet->instruments[i].symbol, symbol) == 0) return (int)i;
    return -1;
}

/* The instrument whose name is part of the file's name; the only instrument there is; or -1. */
static int s_instrument_of_file(const player_t *self)
{
    for (uint32_t i = 0; i < self->fleet->instruments_count; i++)
        if (strcasestr(capture_file_name(self->capture), self->symbols[i]) != NULL) return (int)i;
    return self->fleet->instruments_count == 1 ? 0 : -1;
}

static int s_instrument_of_event(const player_t *self, const capture_event_t *event)
{
    if (event->kind != CAPTURE_SNAPSHOT) return s_instrument(self, event->symbol);
    int nearest = recorded_core_nearest(self->market, event->last_id);
    return nearest >= 0 ? nearest : s_instrument_of_file(self);
}

/* ---- playing ---- */
static depth_update_t s_update(const capture_event_t *event)
{
    return (depth_update_t){.first_id = event->first_id, .last_id = event->last_id,
                            .levels = {event->levels[0], event->levels[1]}, .counts = {event->counts[0], event->counts[1]}};
}

static void s_play(player_t *self, uint32_t instrument, const capture_event_t *event)
{
    depth_update_t update = s_update(event);
    recorded_quote_t quote = {.update_id = event->last_id, .best = {event->best[0], event->best[1]}};
    switch (event->kind) {
    case CAPTURE_TRADE:
        recorded_core_on_trade(self->market, instrument, event->aggressor, event->trade.price_e8, event->trade.quantity_e8);
        break;
    case CAPTURE_QUOTE: recorded_core_on_quote(self->market, instrument, &quote); break;
    case CAPTURE_DIFF: recorded_core_on_diff(self->market, instrument, &update); break;
    case CAPTURE_SNAPSHOT: recorded_core_on_snapshot(self->market, instrument, &update); break;
    case CAPTURE_OTHER: break;
    }
}

static void s_play_next(player_t *self)
{
    int instrument = s_instrument_of_event(self, self->next);
    /* Receive times that step back do not turn the market's clock back. */
    if (self->next->received_ns > self->market_ns) self->market_ns = self->next->received_ns;
    self->file = capture_file(self->capture);
    self->line = capture_line(self->capture);
    if (instrument >= 0)
        s_play(self, (uint32_t)instrument, self->next);
    else
        self->unknown_symbols++;
    s_read_next(self);
}

uint32_t player_advance(player_t *self, int64_t until_ns)
{
    uint32_t played = 0;
    for (; self->next != NULL && self->next->received_ns <= until_ns && played < PLAYER_LINES_MAX; played++) s_play_next(self);
    return played;
}

void player_skip_to(player_t *self, uint32_t file, uint64_t line)
{
    while (self->next != NULL) {
        uint32_t next_file = capture_file(self->capture);
        if (next_file > file || (next_file == file && capture_line(self->capture) > line)) return;
        s_play_next(self);
    }
}

/* ---- looking ---- */
int64_t player_market_ns(const player_t *self)
{
    return self->market_ns;
}

int64_t player_next_ns(const player_t *self)
{
    return self->next == NULL ? 0 : self->next->received_ns;
}

uint32_t player_file(const player_t *self)
{
    return self->file;
}

uint64_t player_line(const player_t *self)
{
    return self->line;
}

bool player_has_ended(const player_t *self)
{
    return self->next == NULL;
}

const char *player_message(const player_t *self)
{
    return capture_message(self->capture);
}

const capture_counts_t *player_counts(const player_t *self)
{
    return capture_counts(self->capture);
}

uint64_t player_unknown_symbols(const player_t *self)
{
    return self->unknown_symbols;
}
