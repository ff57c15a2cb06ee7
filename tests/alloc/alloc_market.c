#include "alloc_market.h"

#include <endian.h>
#include <string.h>

#include "faults_core.h"
#include "log_rows.h"
#include "backlog.h"
#include "recorded_core.h"
#include "synthetic_core.h"
#include "zvt_fixed.h"
#include "zvt_time.h"

enum {
    BACKLOG_BYTES = 1 << 16,
    MESSAGE_BYTES = 100,
    SLOT = 7,             /* of the account's resting order */
    ROW_BYTES = 512,
    COLUMN_METADATA = 9,  /* of a row of the log; this one and the one after it have any length */
    SNAPSHOT_EVERY = 50,  /* steps between two snapshots of the recorded market, which begins with a gap then */
};

static struct {
    synthetic_core_t *synthetic;
    recorded_core_t *recorded;
    faults_core_t faults;
    backlog_t backlog;
    zvt_buf_t packed;
    uint8_t row[ROW_BYTES];
    size_t row_length;
    int64_t step, rests_e8; /* of the account's order */
    uint64_t update_id, trades, rest_fills, faults_drawn;
} s_bench;

/* ---- what the markets tell ---- */
static void s_on_rest_fill(void *arg, uint32_t slot, int64_t price_e8, int64_t quantity_e8)
{
    (void)arg, (void)slot, (void)price_e8;
    s_bench.rests_e8 -= quantity_e8;
    s_bench.rest_fills++;
}

static void s_on_trade(void *arg, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8)
{
    (void)arg, (void)instrument, (void)aggressor, (void)price_e8, (void)quantity_e8;
    s_bench.trades++;
}

static void s_on_book(void *arg, uint32_t instrument)
{
    (void)arg, (void)instrument;
}

static void s_on_take(void *arg, int64_t price_e8, int64_t quantity_e8)
{
    (void)arg, (void)price_e8, (void)quantity_e8;
}

/* ---- the account ---- */
/* Takes what stands at the best price, and rests an order below it until the next step. */
static void s_trade(const market_t *market)
{
    zvt_level_t levels[MARKET_LEVELS_MAX];
    market_preview_t preview;
    if (market->ops->levels(market->market, 0, ZVT_SIDE_SELL, levels, MARKET_LEVELS_MAX) == 0) return;
    market_take_t take = {.instrument = 0, .side = ZVT_SIDE_BUY, .limit_e8 = levels[0].price_e8, .quantity_e8 = ZVT_E8 / 100};
    market->ops->preview(market->market, &take, &preview);
    if (!preview.own) (void)market->ops->take(market->market, &take, s_on_take, NULL);
    if (market->ops->levels(market->market, 0, ZVT_SIDE_BUY, levels, MARKET_LEVELS_MAX) == 0) return;
    market_rest_t rest = {.instrument = 0, .slot = SLOT, .side = ZVT_SIDE_BUY, .price_e8 = levels[0].price_e8, .quantity_e8 = ZVT_E8 / 100};
    ZVT_ASSERT(market->ops->rest(market->market, &rest) == 0);
    s_bench.rests_e8 = rest.quantity_e8;
}

static void s_cancel(const market_t *market)
{
    if (s_bench.rests_e8 > 0) market->ops->cancel(market->market, SLOT);
    s_bench.rests_e8 = 0;
}

/* ---- the recorded market ---- */
static void s_snapshot(void)
{
    zvt_level_t bids[] = {{100 * ZVT_E8, 5 * ZVT_E8}, {99 * ZVT_E8, 6 * ZVT_E8}}, asks[] = {{101 * ZVT_E8, 5 * ZVT_E8}, {102 * ZVT_E8, 6 * ZVT_E8}};
    depth_update_t snapshot = {.last_id = s_bench.update_id, .levels = {bids, asks}, .counts = {2, 2}};
    recorded_core_on_snapshot(s_bench.recorded, 0, &snapshot);
}

/* A change of both sides; it does not continue the one before when `gap`, and waits for a snapshot then. */
static void s_diff(bool gap)
{
    int64_t quantity_e8 = (5 + s_bench.step % 5) * ZVT_E8;
    zvt_level_t bid = {100 * ZVT_E8, quantity_e8}, ask = {101 * ZVT_E8, quantity_e8};
    s_bench.update_id += gap ? 2 : 1;
    depth_update_t diff = {.first_id = s_bench.update_id, .last_id = s_bench.update_id, .levels = {&bid, &ask}, .counts = {1, 1}};
    recorded_core_on_diff(s_bench.recorded, 0, &diff);
}

static void s_step_recorded(void)
{
    market_t market = recorded_core_market(s_bench.recorded);
    recorded_quote_t quote = {.update_id = s_bench.update_id, .best = {{100 * ZVT_E8, 5 * ZVT_E8}, {101 * ZVT_E8, 5 * ZVT_E8}}};
    bool gap = s_bench.step % SNAPSHOT_EVERY == 0;
    s_diff(gap);
    if (gap) s_snapshot();
    recorded_core_on_quote(s_bench.recorded, 0, &quote);
    s_trade(&market);
    recorded_core_on_trade(s_bench.recorded, 0, ZVT_SIDE_SELL, 100 * ZVT_E8, 20 * ZVT_E8);
    s_cancel(&market);
}

/* ---- the rest ---- */
static void s_pass_backlog(void)
{
    static const uint8_t data[MESSAGE_BYTES];
    backlog_message_t message;
    ZVT_ASSERT(backlog_push(&s_bench.backlog, "md.quote.BTC/USDT", data, sizeof data) == 0);
    if (s_bench.step % 3 == 0) return; /* so that some are behind others */
    while (backlog_oldest(&s_bench.backlog, &message)) backlog_pop(&s_bench.backlog);
}

/* A row as COPY sends it, of zeros but for its seq. */
static void s_make_row(void)
{
    static const uint32_t widths[] = {8, 16, 2, 2, 8, 16, 16, 16, 4, 3, 5};
    uint16_t columns = htobe16(sizeof widths / sizeof *widths);
    memcpy(s_bench.row, &columns, sizeof columns);
    s_bench.row_length = sizeof columns;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        uint32_t width = htobe32(widths[i]);
        memcpy(s_bench.row + s_bench.row_length, &width, sizeof width);
        s_bench.row_length += sizeof width + widths[i];
        if (i < COLUMN_METADATA) s_bench.row[s_bench.row_length - 1] = 1;
    }
}

static void s_pass_row(void)
{
    log_row_t row;
    s_bench.packed.length = 0;
    ZVT_ASSERT(log_rows_read(s_bench.row, s_bench.row_length, false, &row) == 1);
    ZVT_ASSERT(log_rows_pack(&s_bench.packed, &row) == 0);
}

/* ---- life ---- */
void alloc_market_begin(const zvt_fleet_t *fleet)
{
    market_events_t events = {.on_rest_fill = s_on_rest_fill, .on_trade = s_on_trade, .on_book = s_on_book};
    synthetic_config_t config = {.fleet = fleet, .seed = 1, .step_ns = 100 * ZVT_MS_NS, .events = events};
    zvt_venue_faults_t shares = {.lose_e8 = ZVT_E8 / 4, .late_e8 = ZVT_E8 / 4, .duplicate_e8 = ZVT_E8 / 4, .seed = 1};
    s_bench.synthetic = synthetic_core_new(&config);
    s_bench.recorded = recorded_core_new(fleet, &events);
    faults_core_init(&s_bench.faults, &shares, 0);
    backlog_init(&s_bench.backlog, BACKLOG_BYTES);
    s_bench.packed = zvt_buf_new(ROW_BYTES);
    s_bench.update_id = 100;
    s_snapshot();
    s_make_row();
}

void alloc_market_step(void)
{
    market_t synthetic = synthetic_core_market(s_bench.synthetic);
    s_bench.step++;
    synthetic_core_step(s_bench.synthetic, s_bench.step);
    s_trade(&synthetic);
    s_cancel(&synthetic);
    s_step_recorded();
    s_bench.faults_drawn += faults_core_draw(&s_bench.faults) != FAULT_NONE;
    s_pass_backlog();
    s_pass_row();
}

uint64_t alloc_market_trades(void)
{
    return s_bench.trades;
}

void alloc_market_end(void)
{
    ZVT_ASSERT(s_bench.rest_fills > 0 && s_bench.faults_drawn > 0 && recorded_core_counts(s_bench.recorded)->depth_gaps > 0);
    synthetic_core_destroy(&s_bench.synthetic);
    recorded_core_destroy(&s_bench.recorded);
    backlog_destroy(&s_bench.backlog);
    zvt_buf_destroy(&s_bench.packed);
}
