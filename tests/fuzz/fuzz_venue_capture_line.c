/* fuzz_venue_capture_line -- lines of recorded market data, JSON and CSV, and what they do to a market. */
#include <stdlib.h>
#include <string.h>

#include "capture_line.h"
#include "recorded_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);

static const char *const s_seeds[] = {
    "1723161254087896568 "
    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1,\"s\":\"BTCUSDT\",\"t\":37,\"p\":\"61837.63000000\","
    "\"q\":\"0.02\",\"T\":2,\"m\":true,\"M\":true}}",
    "1723161254087891268 "
    "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":12,\"s\":\"BTCUSDT\",\"b\":\"61837.63\",\"B\":\"3.7\",\"a\":"
    "\"61837.64\",\"A\":\"1.5\"}}",
    "1723161253937085768 "
    "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":3,\"s\":\"BTCUSDT\",\"U\":11,\"u\":13,\"b\":"
    "[[\"61737.63\",\"0\"],[\"61730.17\",\"1.5\"]],\"a\":[[\"61837.64\",\"2\"]]}}",
    "1723161254206652067 "
    "{\"lastUpdateId\":10,\"bids\":[[\"61837.63\",\"3.7\"]],\"asks\":[[\"61837.64\",\"1\"],[\"61838\",\"2\"]]}",
    "1723161254206652067,BTCUSDT,61837.63,3.7,61837.64,1",
};

size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    if (n >= sizeof s_seeds / sizeof s_seeds[0] || strlen(s_seeds[n]) > capacity) return 0;
    memcpy(out, s_seeds[n], strlen(s_seeds[n]));
    return strlen(s_seeds[n]);
}

static void s_on_rest_fill(void *arg, uint32_t slot, int64_t price_e8, int64_t quantity_e8)
{
    (void)arg, (void)slot, (void)price_e8, (void)quantity_e8;
}
static void s_on_trade(void *arg, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8)
{
    (void)arg, (void)instrument, (void)aggressor, (void)price_e8, (void)quantity_e8;
}
static void s_on_book(void *arg, uint32_t instrument) { (void)arg, (void)instrument; }

static recorded_core_t *s_market(void)
{
    static recorded_core_t *market;
    static zvt_fleet_t fleet = {.instruments_count = 1};
    static const market_events_t events = {.on_rest_fill = s_on_rest_fill, .on_trade = s_on_trade, .on_book = s_on_book};
    if (market == NULL) market = recorded_core_new(&fleet, &events);
    return market;
}

static void s_apply(const capture_event_t *event)
{
    depth_update_t update = {.first_id = event->first_id, .last_id = event->last_id,
                             .levels = {event->levels[0], event->levels[1]}, .counts = {event->counts[0], event->counts[1]}};
    recorded_quote_t quote = {.update_id = event->last_id, .best = {event->best[0], event->best[1]}};
    if (event->kind == CAPTURE_TRADE)
        recorded_core_on_trade(s_market(), 0, event->aggressor, event->trade.price_e8, event->trade.quantity_e8);
    if (event->kind == CAPTURE_QUOTE) recorded_core_on_quote(s_market(), 0, &quote);
    if (event->kind == CAPTURE_DIFF) recorded_core_on_diff(s_market(), 0, &update);
    if (event->kind == CAPTURE_SNAPSHOT) recorded_core_on_snapshot(s_market(), 0, &update);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static capture_event_t event;
    char reason[CAPTURE_REASON_SIZE];
    if (capture_line_json((const char *)data, size, &event, reason) == 0)
        s_apply(&event);
    else if (reason[0] == '\0')
        abort();
    if (capture_line_csv((const char *)data, size, &event, reason) == 0) s_apply(&event);
    return 0;
}
