/* zvt-tick-source: takes the place of a venue and sends trades, or quotes, at a fixed rate, open loop, by the venue's own protocol.
 *
 * The gateway in front of it is the real one. market_ts of a tick is the moment it was due.
 * Life     a second of ticks that are not measured, while subscriptions travel; the measured ones; a pause in which
 *          queues empty; the end.
 * stdout   one JSON object: how many were sent, and how late the source itself was at the worst. */
#include <inttypes.h>
#include <sys/timerfd.h>

#include "ticks.h"
#include "zvt_hub.h"
#include "zvt_service.h"
#include "zvt_time.h"

enum { BURST_MAX = 4096, FRAME_RECORDS_MAX = 64, FRAME_BYTES = FRAME_RECORDS_MAX * 256, HWM = 100000 };
enum { QUOTES_ALIKE = 16 };
#define PRICE_E8 (100 * ZVT_E8)
#define QUOTE_STEP_E8 (ZVT_E8 / 1000)
#define GREET_NS ZVT_SECOND_NS
#define PAUSE_NS ZVT_SECOND_NS
#define MARK_NS (10 * ZVT_MS_NS)

typedef enum { PHASE_ALONE, PHASE_GREET, PHASE_MEASURE, PHASE_PAUSE, PHASE_END } phase_t;

typedef struct {
    zvt_service_t *service;
    zvt_loop_t *loop;
    zsock_t *pub;
    int wake_fd;
    phase_t phase;
    int64_t phase_ns;       /* monotonic: when it began */
    int64_t utc_offset_ns;
    double rate_hz;
    int64_t gather_ns;      /* due ticks are looked for so often */
    bool quotes;            /* not trades */
    uint64_t sent, total;
    uint32_t symbols;
    int64_t latest_ns;      /* the most that a tick was sent after it was due */
    uint64_t symbol_seq[ZVT_INSTRUMENTS_MAX];
    char symbol[ZVT_INSTRUMENTS_MAX][ZVT_SYMBOL_SIZE]; /* as the venue spells it */
    zvt_buf_t frames[ZVT_INSTRUMENTS_MAX];
    const char *venue;
} source_t;

/* ---- ticks ---- */
static void s_flush(source_t *self, uint32_t symbol)
{
    char topic[64];
    if (self->frames[symbol].length == 0) return;
    snprintf(topic, sizeof topic, "%s.%s.%s", self->quotes ? "quote" : "trade", self->venue, self->symbol[symbol]);
    if (!zvt_publish(self->pub, topic, self->frames[symbol].data, self->frames[symbol].length)) ZVT_COUNT("dropped");
    self->frames[symbol].length = 0;
}

static void s_pack(source_t *self, uint32_t symbol, zvt_type_t type, const void *record)
{
    if (zvt_pack(&self->frames[symbol], type, record) == 0) return;
    s_flush(self, symbol);
    ZVT_ASSERT(zvt_pack(&self->frames[symbol], type, record) == 0);
}

static void s_add_trade(source_t *self, uint32_t symbol, uint64_t trade_id, int64_t quantity_e8, int64_t market_ts_ns)
{
    zvt_trade_tick_t trade = {.symbol_seq = ++self->symbol_seq[symbol], .market_ts_ns = market_ts_ns, .trade_id = trade_id,
                              .price_e8 = PRICE_E8, .quantity_e8 = quantity_e8, .aggressor = ZVT_SIDE_BUY};
    ZVT_STR_SET(trade.venue, self->venue);
    ZVT_STR_SET(trade.symbol, self->symbol[symbol]);
    s_pack(self, symbol, ZVT_T_TRADE_TICK, &trade);
}

/* Each is another one than the one before. */
static void s_add_quote(source_t *self, uint32_t symbol, int64_t market_ts_ns)
{
    uint64_t seq = ++self->symbol_seq[symbol];
    int64_t bid_e8 = PRICE_E8 + (int64_t)(seq % QUOTES_ALIKE) * QUOTE_STEP_E8;
    zvt_price_updated_t quote = {.symbol_seq = seq, .market_ts_ns = market_ts_ns, .bid_e8 = bid_e8, .ask_e8 = bid_e8 + QUOTE_STEP_E8,
                                 .bid_volume_e8 = ZVT_E8, .ask_volume_e8 = ZVT_E8};
    ZVT_STR_SET(quote.venue, self->venue);
    ZVT_STR_SET(quote.symbol, self->symbol[symbol]);
    s_pack(self, symbol, ZVT_T_PRICE_UPDATED, &quote);
}

static void s_add(source_t *self, uint32_t symbol, uint64_t trade_id, int64_t quantity_e8, int64_t market_ts_ns)
{
    if (self->quotes)
        s_add_quote(self, symbol, market_ts_ns);
    else
        s_add_trade(self, symbol, trade_id, quantity_e8, market_ts_ns);
}

static void s_flush_all(source_t *self)
{
    for (uint32_t symbol = 0; symbol < self->symbols; symbol++) s_flush(self, symbol);
}

static void s_send_due(source_t *self, int64_t now_ns)
{
    for (int n = 0; n < BURST_MAX && self->sent < self->total; n++) {
        int64_t due_ns = self->phase_ns + (int64_t)((double)self->sent * 1e9 / self->rate_hz);
        if (due_ns > now_ns) break;
        if (now_ns - due_ns > self->latest_ns) self->latest_ns = now_ns - due_ns;
        uint32_t symbol = (uint32_t)(self->sent % self->symbols);
        s_add(self, symbol, ++self->sent, TICKS_QUANTITY_MEASURED_E8, due_ns + self->utc_offset_ns);
    }
    s_flush_all(self);
}

static void s_send_marks(source_t *self, int64_t quantity_e8)
{
    for (uint32_t symbol = 0; symbol < self->symbols; symbol++) s_add(self, symbol, 0, quantity_e8, zvt_utc_ns());
    s_flush_all(self);
}

/* ---- phases ---- */
static void s_enter(source_t *self, phase_t phase, int64_t now_ns)
{
    self->phase = phase;
    self->phase_ns = now_ns;
}

static void s_on_mark(void *arg)
{
    source_t *self = arg;
    int64_t now_ns = zvt_monotonic_ns(), past_ns = now_ns - self->phase_ns;
    if (self->phase == PHASE_GREET || self->phase == PHASE_END)
        s_send_marks(self, self->phase == PHASE_END ? TICKS_QUANTITY_END_E8 : TICKS_QUANTITY_MEASURED_E8);
    if (self->phase == PHASE_GREET && past_ns > GREET_NS) {
        s_enter(self, PHASE_MEASURE, now_ns);
        struct itimerspec every = {.it_value = {.tv_nsec = self->gather_ns}, .it_interval = {.tv_nsec = self->gather_ns}};
        ZVT_ASSERT(timerfd_settime(self->wake_fd, 0, &every, NULL) == 0);
    } else if (self->phase == PHASE_MEASURE && self->sent == self->total) {
        s_enter(self, PHASE_PAUSE, now_ns);
    } else if (self->phase == PHASE_PAUSE && past_ns > PAUSE_NS) {
        s_enter(self, PHASE_END, now_ns);
    } else if (self->phase == PHASE_END && past_ns > PAUSE_NS) {
        zvt_service_exit(self->service, ZVT_EXIT_OK);
    }
}

static void s_on_wake(void *arg)
{
    source_t *self = arg;
    uint64_t times;
    if (read(self->wake_fd, &times, sizeof times) == sizeof times && self->phase == PHASE_MEASURE) s_send_due(self, zvt_monotonic_ns());
}

/* The gateway is there: its orders and questions have no place here. */
static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    source_t *self = arg;
    (void)peer, (void)hello, (void)reply;
    if (self->phase == PHASE_ALONE) s_enter(self, PHASE_GREET, zvt_monotonic_ns());
}

static void s_on_record(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    (void)arg, (void)peer, (void)record;
    ZVT_COUNT("ignored");
}

/* ---- start ---- */
static void s_spell_symbols(source_t *self)
{
    const zvt_fleet_t *fleet = zvt_service_fleet(self->service);
    if (self->symbols > fleet->instruments_count) self->symbols = fleet->instruments_count;
    for (uint32_t i = 0; i < self->symbols; i++) {
        size_t length = 0;
        for (const char *at = fleet->instruments[i].symbol; *at != '\0'; at++)
            if (*at != '/') self->symbol[i][length++] = *at;
        self->frames[i] = zvt_buf_new(FRAME_BYTES);
    }
}

static int s_run(source_t *self)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_hub_t *hub = NULL;
    self->loop = zvt_service_loop(self->service);
    self->utc_offset_ns = zvt_utc_ns() - zvt_monotonic_ns();
    s_spell_symbols(self);
    zvt_endpoint(endpoint, "feed", self->venue);
    self->pub = zvt_socket_new(ZMQ_PUB);
    zsock_set_sndhwm(self->pub, HWM);
    int status = zvt_socket_bind(self->pub, endpoint);
    zvt_endpoint(endpoint, "venue", self->venue);
    if (status == 0) status = zvt_hub_new(&hub, self->loop, endpoint, zvt_service_identity(self->service), s_on_record, s_on_hello, self);
    if (status != 0) {
        zvt_error("cannot bind %s: %s; does a venue run here?", endpoint, zvt_strerror(status));
        return ZVT_EXIT_CONFIG;
    }
    self->wake_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    ZVT_ASSERT(self->wake_fd >= 0);
    zvt_loop_add_fd(self->loop, self->wake_fd, s_on_wake, self);
    zvt_loop_every(self->loop, MARK_NS, s_on_mark, self);
    int exit_code = zvt_service_run(self->service);
    printf("{\"sent\": %" PRIu64 ", \"dropped\": %" PRIu64 ", \"late_ms\": %.3f}\n", self->sent, *zvt_counter("dropped"),
           (double)self->latest_ns / 1e6);
    for (uint32_t i = 0; i < self->symbols; i++) zvt_buf_destroy(&self->frames[i]);
    zvt_hub_destroy(&hub);
    zsock_destroy(&self->pub);
    close(self->wake_fd);
    return exit_code;
}

int main(int argc, char **argv)
{
    static source_t self;
    const char *rate = "50000", *seconds = "5", *symbols = "1", *gather_us = "100", *quotes = NULL;
    const zvt_option_t options[] = {
        {.name = "venue", .argument = "V", .meaning = "the venue to stand in for (required)", .value = &self.venue},
        {.name = "rate", .argument = "N", .meaning = "ticks per second; default 50000", .value = &rate},
        {.name = "seconds", .argument = "S", .meaning = "how long; default 5", .value = &seconds},
        {.name = "symbols", .argument = "N", .meaning = "spread over the fleet's first N instruments; default 1", .value = &symbols},
        {.name = "gather-us", .argument = "N", .meaning = "microseconds between two looks at what is due, below a second; default 100", .value = &gather_us},
        {.name = "quotes", .meaning = "send quotes instead of trades", .value = &quotes},
        {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-tick-source", .summary = "Sends trades or quotes at a fixed rate in place of a venue.",
                                     .role = ZVT_ROLE_VENUE, .name = "tick-source", .options = options};
    self.service = zvt_service_new(argc, argv, &desc);
    self.rate_hz = atof(rate);
    self.symbols = (uint32_t)atoi(symbols);
    self.total = (uint64_t)(self.rate_hz * atof(seconds));
    self.gather_ns = atoi(gather_us) * 1000L;
    self.quotes = quotes != NULL;
    if (self.venue == NULL || self.rate_hz <= 0 || self.total == 0 || self.symbols == 0 || self.gather_ns <= 0 || self.gather_ns >= ZVT_SECOND_NS) {
        zvt_error("--venue is required; --rate, --seconds, --symbols and --gather-us are positive numbers, the last below 1000000");
        return ZVT_EXIT_CONFIG;
    }
    int exit_code = s_run(&self);
    zvt_service_destroy(&self.service);
    return exit_code;
}
