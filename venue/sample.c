#include "sample.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "synthetic_core.h"
#include "zvt_fixed.h"
#include "zvt_time.h"

enum {
    LEVELS_MAX = 512,     /* more than the agents ever quote on a side */
    TRADES_MAX = 1024,    /* of one step */
    LINE_SIZE = 256 << 10,
    SNAPSHOT_STEP = 3,    /* diffs come before it, as in a real capture */
    FIRST_ID = 1000000,
};
/* 2024-01-01T00:00:00Z: a sample depends on nothing but its arguments. */
#define ORIGIN_NS INT64_C(1704067200000000000)

typedef struct {
    zvt_level_t levels[LEVELS_MAX];
    uint32_t count;
} sample_side_t;

typedef struct {
    uint8_t aggressor;
    int64_t price_e8, quantity_e8;
} sample_trade_t;

typedef struct {
    gzFile out;
    bool failed;                  /* a write did not succeed */
    char symbol[ZVT_SYMBOL_SIZE]; /* BTCUSDT */
    char stream[ZVT_SYMBOL_SIZE]; /* btcusdt */
    uint64_t update_id;           /* last one given */
    uint64_t trade_id;
    sample_trade_t trades[TRADES_MAX];
    uint32_t trades_count;
    sample_side_t sides[2], before[2]; /* bids, asks: now, and as last written */
    zvt_level_t changes[2][2 * LEVELS_MAX];
    uint32_t changes_count[2];
    char line[LINE_SIZE];
    size_t length;
} sample_t;

/* ---- lines ---- */
ZVT_PRINTF(2, 3)
static void s_add(sample_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int written = vsnprintf(self->line + self->length, LINE_SIZE - self->length, format, args);
    va_end(args);
    ZVT_ASSERT(written >= 0);
    ZVT_ASSERT((size_t)written < LINE_SIZE - self->length);
    self->length += (size_t)written;
}

static void s_end_line(sample_t *self)
{
    s_add(self, "\n");
    if (gzwrite(self->out, self->line, (unsigned)self->length) != (int)self->length) self->failed = true;
    self->length = 0;
}

/* A decimal with 8 places, as Binance writes it. */
static void s_add_amount(sample_t *self, int64_t value_e8)
{
    s_add(self, "\"%" PRId64 ".%08" PRId64 "\"", value_e8 / ZVT_E8, value_e8 % ZVT_E8);
}

static void s_add_levels(sample_t *self, const char *key, const zvt_level_t *levels, uint32_t count)
{
    s_add(self, "\"%s\":[", key);
    for (uint32_t i = 0; i < count; i++) {
        s_add(self, "%s[", i > 0 ? "," : "");
        s_add_amount(self, levels[i].price_e8);
        s_add(self, ",");
        s_add_amount(self, levels[i].quantity_e8);
        s_add(self, "]");
    }
    s_add(self, "]");
}

static void s_write_trades(sample_t *self, int64_t now_ns)
{
    for (uint32_t i = 0; i < self->trades_count; i++) {
        const sample_trade_t *trade = &self->trades[i];
        s_add(self,
              "%" PRId64 " {\"stream\":\"%s@trade\",\"data\":{\"e\":\"trade\",\"E\":%" PRId64 ",\"s\":\"%s\",\"t\":%" PRIu64
              ",\"p\":",
              now_ns + i * 1000, self->stream, now_ns / ZVT_MS_NS, self->symbol, ++self->trade_id);
        s_add_amount(self, trade->price_e8);
        s_add(self, ",\"q\":");
        s_add_amount(self, trade->quantity_e8);
        s_add(self, ",\"T\":%" PRId64 ",\"m\":%s,\"M\":true}}", now_ns / ZVT_MS_NS,
              trade->aggressor == ZVT_SIDE_SELL ? "true" : "false");
        s_end_line(self);
    }
    self->trades_count = 0;
}

static void s_write_ticker(sample_t *self, int64_t now_ns)
{
    static const zvt_level_t none;
    const zvt_level_t *bid = self->sides[0].count > 0 ? &self->sides[0].levels[0] : &none;
    const zvt_level_t *ask = self->sides[1].count > 0 ? &self->sides[1].levels[0] : &none;
    s_add(self, "%" PRId64 " {\"stream\":\"%s@bookTicker\",\"data\":{\"u\":%" PRIu64 ",\"s\":\"%s\",\"b\":", now_ns, self->stream,
          self->update_id, self->symbol);
    s_add_amount(self, bid->price_e8);
    s_add(self, ",\"B\":");
    s_add_amount(self, bid->quantity_e8);
    s_add(self, ",\"a\":");
    s_add_amount(self, ask->price_e8);
    s_add(self, ",\"A\":");
    s_add_amount(self, ask->quantity_e8);
    s_add(self, "}}");
    s_end_line(self);
}

static void s_write_diff(sample_t *self, int64_t now_ns, uint64_t first_id)
{
    s_add(self,
          "%" PRId64 " {\"stream\":\"%s@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":%" PRId64
          ",\"s\":\"%s\",\"U\":%" PRIu64 ",\"u\":%" PRIu64 ",",
          now_ns, self->stream, now_ns / ZVT_MS_NS, self->symbol, first_id, self->update_id);
    s_add_levels(self, "b", self->changes[0], self->changes_count[0]);
    s_add(self, ",");
    s_add_levels(self, "a", self->changes[1], self->changes_count[1]);
    s_add(self, "}}");
    s_end_line(self);
}

static void s_write_snapshot(sample_t *self, int64_t now_ns)
{
    s_add(self, "%" PRId64 " {\"lastUpdateId\":%" PRIu64 ",", now_ns, self->update_id);
    s_add_levels(self, "bids", self->sides[0].levels, self->sides[0].count);
    s_add(self, ",");
    s_add_levels(self, "asks", self->sides[1].levels, self->sides[1].count);
    s_add(self, "}");
    s_end_line(self);
}

/* ---- what changed ---- */
static int64_t s_quantity_at(const sample_side_t *side, int64_t price_e8)
{
    for (uint32_t i = 0; i < side->count; i++)
        if (side->levels[i].price_e8 == price_e8) return side->levels[i].quantity_e8;
    return 0;
}

static void s_compare_side(sample_t *self, int side)
{
    const sample_side_t *now = &self->sides[side], *before = &self->before[side];
    uint32_t count = 0;
    for (uint32_t i = 0; i < now->count; i++)
        if (s_quantity_at(before, now->levels[i].price_e8) != now->levels[i].quantity_e8)
            self->changes[side][count++] = now->levels[i];
    for (uint32_t i = 0; i < before->count; i++)
        if (s_quantity_at(now, before->levels[i].price_e8) == 0)
            self->changes[side][count++] = (zvt_level_t){.price_e8 = before->levels[i].price_e8};
    self->changes_count[side] = count;
}

static bool s_best_changed(const sample_t *self)
{
    for (int side = 0; side < 2; side++) {
        static const zvt_level_t none;
        const zvt_level_t *now = self->sides[side].count > 0 ? &self->sides[side].levels[0] : &none;
        const zvt_level_t *before = self->before[side].count > 0 ? &self->before[side].levels[0] : &none;
        if (now->price_e8 != before->price_e8 || now->quantity_e8 != before->quantity_e8) return true;
    }
    return false;
}

/* ---- the market's events ---- */
static void s_on_rest_fill(void *arg, uint32_t slot, int64_t price_e8, int64_t quantity_e8)
{
    (void)arg, (void)slot, (void)price_e8, (void)quantity_e8; /* nobody trades in a sample but the agents */
}

static void s_on_trade(void *arg, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8)
{
    sample_t *self = arg;
    if (instrument != 0 || self->trades_count == TRADES_MAX) return;
    self->trades[self->trades_count++] =
        (sample_trade_t){.aggressor = aggressor, .price_e8 = price_e8, .quantity_e8 = quantity_e8};
}

static void s_on_book(void *arg, uint32_t instrument)
{
    (void)arg, (void)instrument; /* looked at after each step */
}

static void s_write_step(sample_t *self, const synthetic_core_t *market, int64_t step, int64_t step_ns)
{
    int64_t now_ns = ORIGIN_NS + step * step_ns;
    const book_core_t *book = synthetic_core_book(market, 0);
    for (int side = 0; side < 2; side++) {
        self->before[side] = self->sides[side];
        self->sides[side].count =
            book_core_levels(book, side == 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL, self->sides[side].levels, LEVELS_MAX);
        s_compare_side(self, side);
    }
    uint64_t first_id = self->update_id + 1;
    uint32_t changes = self->changes_count[0] + self->changes_count[1];
    self->update_id += changes;
    int64_t part_ns = step_ns / 8;
    s_write_trades(self, now_ns);
    if (changes > 0 && s_best_changed(self)) s_write_ticker(self, now_ns + part_ns);
    if (changes > 0) s_write_diff(self, now_ns + 2 * part_ns, first_id);
    if (step == SNAPSHOT_STEP) s_write_snapshot(self, now_ns + 3 * part_ns);
}

int sample_write(const zvt_fleet_t *fleet, uint32_t venue, uint64_t seed, const char *path, int64_t seconds,
                 char problem[ZVT_PROBLEM_SIZE])
{
    sample_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    size_t length = strlen(path);
    bool zipped = length > 3 && strcmp(path + length - 3, ".gz") == 0;
    self->out = gzopen(path, zipped ? "wb6e" : "wbTe");
    if (self->out == NULL) {
        snprintf(problem, ZVT_PROBLEM_SIZE, "cannot write %s: %s", path, strerror(errno));
        free(self);
        return ZVT_ERR_IO;
    }
    market_venue_symbol(fleet->instruments[0].symbol, self->symbol);
    for (size_t i = 0; i < sizeof self->symbol; i++) self->stream[i] = (char)tolower((unsigned char)self->symbol[i]);
    self->update_id = FIRST_ID;
    int64_t step_ns = fleet->step_ms * ZVT_MS_NS;
    synthetic_config_t config = {
        .fleet = fleet,
        .venue = venue,
        .seed = seed,
        .step_ns = step_ns,
        .events = {.on_rest_fill = s_on_rest_fill, .on_trade = s_on_trade, .on_book = s_on_book, .arg = self}};
    synthetic_core_t *market = synthetic_core_new(&config);
    for (int64_t step = 0; step * step_ns < seconds * ZVT_SECOND_NS && !self->failed; step++) {
        synthetic_core_step(market, step);
        s_write_step(self, market, step, step_ns);
    }
    bool closed = gzclose(self->out) == Z_OK;
    bool good = closed && !self->failed;
    if (!good) snprintf(problem, ZVT_PROBLEM_SIZE, "cannot write %s: %s; is the disk full?", path, strerror(errno));
    synthetic_core_destroy(&market);
    free(self);
    return good ? 0 : ZVT_ERR_IO;
}
