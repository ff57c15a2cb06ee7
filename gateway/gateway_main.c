/* gateway_main -- the process of one venue's gateway: sockets, files and the loop around the cores. */
#include <inttypes.h>

#include "backlog.h"
#include "batch_core.h"
#include "market_core.h"
#include "order_entry_core.h"
#include "paper_adapter.h"
#include "zvt_epoch_file.h"
#include "zvt_hub.h"
#include "zvt_service.h"

enum {
    TOPIC_SIZE = 64,
    BACKLOG_BYTES = 16 << 20,     /* 64 frames of the venue, many times over */
    SNDHWM_LOSSLESS = 1000,       /* messages per subscriber; small, so that the venue is slowed early */
};
#define BACKLOG_RETRY_NS (ZVT_MS_NS / 2)

/* One topic per kind and instrument, made at start. */
typedef enum { TOPIC_QUOTE, TOPIC_TRADE, TOPIC_BOOK, TOPIC_KINDS } topic_kind_t;
static const struct {
    topic_kind_t kind;
    const char *prefix;
} s_topics[ZVT_T_LIMIT] = {
    [ZVT_T_PRICE_UPDATED] = {.kind = TOPIC_QUOTE, .prefix = "quote"},
    [ZVT_T_TRADE_TICK] = {.kind = TOPIC_TRADE, .prefix = "trade"},
    [ZVT_T_ORDERBOOK_UPDATED] = {.kind = TOPIC_BOOK, .prefix = "book"},
};

typedef struct {
    zvt_service_t *service;
    const zvt_fleet_t *fleet;
    const char *venue;
    gateway_adapter_t *adapter;
    uint64_t venue_incarnation; /* run of the venue heard last; 0: none yet */
    market_core_t *market;
    order_entry_core_t *orders;
    zvt_hub_t *hub;
    zsock_t *pub;
    bool lossless;
    backlog_t backlog;     /* lossless only */
    int backlog_timer;
    batch_core_t batch;    /* market data of this round */
    zvt_epoch_file_t epoch_file;
    char topics[ZVT_INSTRUMENTS_MAX][TOPIC_KINDS][TOPIC_SIZE];
    char status_topic[TOPIC_SIZE];
} gateway_t;

/* ---- market data out ---- */

/* False when some subscriber's queue is full; nothing was sent to anybody then. */
static bool s_try_publish(gateway_t *self, const char *topic, const void *data, size_t length)
{
    void *pub = zsock_resolve(self->pub);
    if (zmq_send(pub, topic, strlen(topic), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) return false;
    return zmq_send(pub, data, length, ZMQ_DONTWAIT) >= 0;
}

static void s_keep(gateway_t *self, const char *topic, const void *data, size_t length)
{
    if (backlog_is_empty(&self->backlog)) {
        ZVT_COUNT("market_stalls");
        self->adapter->hold_market_data(self->adapter, true);
        zvt_loop_arm(zvt_service_loop(self->service), self->backlog_timer,
                     zvt_loop_monotonic_ns(zvt_service_loop(self->service)) + BACKLOG_RETRY_NS);
    }
    if (backlog_push(&self->backlog, topic, data, length) == 0) return;
    ZVT_COUNT("market_dropped");
    if (zvt_diag_allowed()) zvt_error("market data dropped: the venue ignores flow control, or a subscriber hangs");
}

static void s_publish(void *arg, const char *topic, const void *data, size_t length)
{
    gateway_t *self = arg;
    ZVT_COUNT("market_messages");
    if (!self->lossless)
        (void)zvt_publish(self->pub, topic, data, length);
    else if (!backlog_is_empty(&self->backlog) || !s_try_publish(self, topic, data, length))
        s_keep(self, topic, data, length);
}

static void s_on_backlog_time(void *arg)
{
    gateway_t *self = arg;
    zvt_loop_t *loop = zvt_service_loop(self->service);
    backlog_message_t message;
    while (backlog_oldest(&self->backlog, &message)) {
        if (!s_try_publish(self, message.topic, message.data, message.length)) {
            zvt_loop_arm(loop, self->backlog_timer, zvt_loop_monotonic_ns(loop) + BACKLOG_RETRY_NS);
            return;
        }
        backlog_pop(&self->backlog);
    }
    self->adapter->hold_market_data(self->adapter, false);
}

static void s_emit_market(void *arg, uint32_t instrument, zvt_type_t type, const void *record)
{
    gateway_t *self = arg;
    const char *topic = instrument == MARKET_CORE_VENUE ? self->status_topic : self->topics[instrument][s_topics[type].kind];
    ZVT_COUNT("published");
    batch_core_add(&self->batch, topic, type, record);
}

static void s_make_topics(gateway_t *self)
{
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) {
        if (s_topics[type].prefix == NULL) continue;
        for (uint32_t i = 0; i < self->fleet->instruments_count; i++)
            snprintf(self->topics[i][s_topics[type].kind], TOPIC_SIZE, "%s.%s.%s", s_topics[type].prefix, self->venue,
                     self->fleet->instruments[i].symbol);
    }
    snprintf(self->status_topic, TOPIC_SIZE, "status.%s", self->venue);
}

/* ---- the adapter's events ---- */
static void s_on_up(void *arg, uint64_t incarnation, uint64_t venue_seq)
{
    gateway_t *self = arg;
    market_core_on_up(self->market, incarnation != self->venue_incarnation);
    self->venue_incarnation = incarnation;
    order_entry_core_on_up(self->orders, incarnation, venue_seq);
    zvt_service_ready(self->service);
}

static void s_on_down(void *arg)
{
    gateway_t *self = arg;
    market_core_on_down(self->market);
    order_entry_core_on_down(self->orders);
}

static void s_on_tip(void *arg, uint64_t venue_seq)
{
    order_entry_core_on_tip(((gateway_t *)arg)->orders, venue_seq);
}

static void s_on_quote(void *arg, uint32_t instrument, const zvt_price_updated_t *quote)
{
    market_core_on_quote(((gateway_t *)arg)->market, instrument, quote);
}

static void s_on_trade(void *arg, uint32_t instrument, const zvt_trade_tick_t *trade)
{
    market_core_on_trade(((gateway_t *)arg)->market, instrument, trade);
}

static void s_on_book(void *arg, uint32_t instrument, const zvt_orderbook_updated_t *book)
{
    market_core_on_book(((gateway_t *)arg)->market, instrument, book);
}

static void s_on_status(void *arg, const zvt_market_status_t *status)
{
    market_core_on_status(((gateway_t *)arg)->market, status);
}

static void s_on_report(void *arg, const zvt_report_t *report)
{
    order_entry_core_on_report(((gateway_t *)arg)->orders, report);
}

static void s_on_cancel_result(void *arg, const zvt_cancel_result_t *result)
{
    order_entry_core_on_cancel_result(((gateway_t *)arg)->orders, result);
}

static void s_on_order_status(void *arg, const zvt_order_status_t *status)
{
    order_entry_core_on_order_status(((gateway_t *)arg)->orders, status);
}

static void s_on_reports_end(void *arg, const zvt_reports_tip_t *tip)
{
    order_entry_core_on_reports_end(((gateway_t *)arg)->orders, tip);
}

static void s_on_balance(void *arg, const zvt_balance_t *balance)
{
    order_entry_core_on_balance(((gateway_t *)arg)->orders, balance);
}

static void s_on_list_end(void *arg, const zvt_list_end_t *end)
{
    order_entry_core_on_list_end(((gateway_t *)arg)->orders, end);
}

static void s_on_account_order(void *arg, const zvt_account_order_t *row)
{
    order_entry_core_on_account_order(((gateway_t *)arg)->orders, row);
}

static void s_on_account_asset(void *arg, const zvt_account_asset_t *row)
{
    order_entry_core_on_account_asset(((gateway_t *)arg)->orders, row);
}

static void s_on_account_snapshot(void *arg, const zvt_account_snapshot_t *end)
{
    order_entry_core_on_account_snapshot(((gateway_t *)arg)->orders, end);
}

static const gateway_adapter_events_t s_events = {
    .on_up = s_on_up,
    .on_down = s_on_down,
    .on_tip = s_on_tip,
    .on_quote = s_on_quote,
    .on_trade = s_on_trade,
    .on_book = s_on_book,
    .on_status = s_on_status,
    .on_report = s_on_report,
    .on_cancel_result = s_on_cancel_result,
    .on_order_status = s_on_order_status,
    .on_reports_end = s_on_reports_end,
    .on_balance = s_on_balance,
    .on_list_end = s_on_list_end,
    .on_account_order = s_on_account_order,
    .on_account_asset = s_on_account_asset,
    .on_account_snapshot = s_on_account_snapshot,
};

/* ---- order entry ---- */
static order_entry_now_t s_now(const gateway_t *self)
{
    const zvt_loop_t *loop = zvt_service_loop(self->service);
    return (order_entry_now_t){.utc_ns = zvt_loop_utc_ns(loop), .monotonic_ns = zvt_loop_monotonic_ns(loop)};
}

static void s_send(void *arg, const zvt_peer_t *peer, zvt_type_t type, const void *record)
{
    zvt_hub_send(((gateway_t *)arg)->hub, peer, type, record);
}

static int s_store_epoch(void *arg, uint64_t epoch)
{
    return zvt_epoch_file_store(&((gateway_t *)arg)->epoch_file, epoch);
}

static void s_answer_quotes(gateway_t *self, const zvt_peer_t *peer, const zvt_quotes_query_t *query)
{
    zvt_list_end_t end = {.count = 0};
    market_core_flush(self->market);
    for (uint32_t i = 0; i < self->fleet->instruments_count; i++) {
        if (query->symbol[0] != '\0' && !streq(query->symbol, self->fleet->instruments[i].symbol)) continue;
        const zvt_price_updated_t *quote = market_core_quote(self->market, i);
        if (quote == NULL) continue;
        zvt_hub_send(self->hub, peer, ZVT_T_PRICE_UPDATED, quote);
        end.count++;
    }
    zvt_hub_send(self->hub, peer, ZVT_T_LIST_END, &end);
}

static void s_refuse_request(gateway_t *self, const zvt_peer_t *peer, zvt_type_t type)
{
    ZVT_COUNT("requests_unknown");
    zvt_error_reply_t reply = {.code = ZVT_CODE_MALFORMED};
    snprintf(reply.message, sizeof reply.message, "a gateway does not take %s; see docs/wire.md", zvt_type_name(type));
    zvt_hub_send(self->hub, peer, ZVT_T_ERROR_REPLY, &reply);
}

static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    gateway_t *self = arg;
    if (record->type == ZVT_T_QUOTES_QUERY)
        s_answer_quotes(self, peer, &record->quotes_query);
    else if (!order_entry_core_on_request(self->orders, peer, record, s_now(self)))
        s_refuse_request(self, peer, record->type);
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    gateway_t *self = arg;
    order_entry_core_on_hello(self->orders, peer, hello);
    reply->epoch = order_entry_core_epoch(self->orders);
    reply->cursor = order_entry_core_venue_seq(self->orders);
}

/* ---- time ---- */
static void s_on_round(void *arg)
{
    gateway_t *self = arg;
    market_core_flush(self->market);
    batch_core_flush(&self->batch);
}

static void s_on_second(void *arg)
{
    gateway_t *self = arg;
    market_core_repeat_status(self->market);
    order_entry_core_on_time(self->orders, s_now(self));
    if (!backlog_is_empty(&self->backlog))
        zvt_warn("the market waits for a subscriber that does not keep up; stop it to let the market go on");
}

static void s_on_stats(void *arg, FILE *body)
{
    const gateway_t *self = arg;
    fprintf(body, ", \"venue\": {\"name\": \"%s\", \"reachable\": %s, \"venue_seq\": %" PRIu64 ", \"epoch\": %" PRIu64
                  ", \"questions\": %" PRIu32 ", \"lossless\": %s}",
            self->venue, order_entry_core_venue_is_up(self->orders) ? "true" : "false", order_entry_core_venue_seq(self->orders),
            order_entry_core_epoch(self->orders), order_entry_core_asks(self->orders), self->lossless ? "true" : "false");
}

/* ---- start ---- */
_Noreturn ZVT_PRINTF(1, 2) static void s_give_up(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "zvt-gateway: ");
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(ZVT_EXIT_CONFIG);
}

static void s_stop(gateway_t *self)
{
    zvt_hub_destroy(&self->hub);
    if (self->adapter != NULL) self->adapter->destroy(&self->adapter);
    order_entry_core_destroy(&self->orders);
    market_core_destroy(&self->market);
    zsock_destroy(&self->pub);
    backlog_destroy(&self->backlog);
    batch_core_destroy(&self->batch);
}

_Noreturn static void s_give_up_binding(gateway_t *self, const char *endpoint, int status)
{
    const char *what = status == ZVT_ERR_EXISTS ? "another process serves it" : strerror(errno);
    s_stop(self);
    s_give_up("cannot bind %s: %s; stop the other gateway of '%s' first", endpoint, what, self->venue);
}

static void s_open_market(gateway_t *self)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "market", self->venue);
    self->pub = zvt_socket_new(ZMQ_PUB);
    if (self->lossless) {
        int on = 1;
        zsock_set_sndhwm(self->pub, SNDHWM_LOSSLESS);
        ZVT_ASSERT(zmq_setsockopt(zsock_resolve(self->pub), ZMQ_XPUB_NODROP, &on, sizeof on) == 0);
        backlog_init(&self->backlog, BACKLOG_BYTES);
    }
    int status = zvt_socket_bind(self->pub, endpoint);
    if (status != 0) s_give_up_binding(self, endpoint, status);
}

static void s_start(gateway_t *self)
{
    char problem[ZVT_PROBLEM_SIZE], endpoint[ZVT_ENDPOINT_SIZE];
    zvt_loop_t *loop = zvt_service_loop(self->service);
    batch_core_init(&self->batch, s_publish, self);
    self->backlog_timer = zvt_loop_timer(loop, s_on_backlog_time, self);
    s_make_topics(self);
    uint64_t epoch = zvt_epoch_file_open(&self->epoch_file, self->service);
    s_open_market(self);
    self->market = market_core_new(self->fleet, self->venue, !self->lossless, s_emit_market, self);
    self->adapter =
        paper_adapter_new(loop, self->fleet, self->venue, zvt_service_identity(self->service), &s_events, self, problem);
    if (self->adapter == NULL) s_give_up("%s", problem);
    order_entry_out_t out = {.store_epoch = s_store_epoch, .send = s_send, .arg = self};
    self->orders = order_entry_core_new(self->venue, self->adapter, &out, epoch);
    zvt_endpoint(endpoint, "order-entry", self->venue);
    int status =
        zvt_hub_new(&self->hub, loop, endpoint, zvt_service_identity(self->service), s_on_request, s_on_hello, self);
    if (status != 0) s_give_up_binding(self, endpoint, status);
    zvt_loop_on_round(loop, s_on_round, self);
    zvt_loop_every(loop, ZVT_SECOND_NS, s_on_second, self);
    zvt_service_on_stats(self->service, s_on_stats, self);
}

int main(int argc, char **argv)
{
    const char *venue = NULL, *lossless = NULL;
    const zvt_option_t options[] = {
        {.name = "venue", .argument = "VENUE", .meaning = "the venue of the fleet file to serve (required)", .value = &venue},
        {.name = "lossless",
         .meaning = "slow the venue down instead of dropping for a slow subscriber (recorded markets at full speed)",
         .value = &lossless},
        {.name = NULL},
    };
    const zvt_service_desc_t desc = {.program = "zvt-gateway",
                                     .summary = "Market data out and order entry in for one venue.",
                                     .role = ZVT_ROLE_GATEWAY,
                                     .options = options};
    gateway_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->service = zvt_service_new(argc, argv, &desc);
    self->fleet = zvt_service_fleet(self->service);
    self->lossless = lossless != NULL;
    if (venue == NULL) s_give_up("--venue is required; see --help");
    if (zvt_fleet_venue(self->fleet, venue) < 0) s_give_up("no venue '%s' in the fleet file; add it under 'venues'", venue);
    self->venue = venue;
    s_start(self);
    int exit_code = zvt_service_run(self->service);
    s_stop(self);
    zvt_service_destroy(&self->service);
    free(self);
    return exit_code;
}
