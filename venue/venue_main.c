/* zvt-venue -- a paper exchange: one market, one account, one ledger.
 *
 * Plumbing: options, sockets, timers. The market moves in source, orders are handled in order_entry and account_core,
 * what goes to the world is decided in feed_core.
 *
 * One round: orders and the market's timer cause records; the ledger commits them; answers leave; the feed is published.
 * Full speed ("--speed max"): the venue holds the market back while CREDIT_FRAMES messages of the feed are not
 * acknowledged by the gateway, whose hello's cursor says how many it has consumed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_child.h"
#include "dump.h"
#include "feed_core.h"
#include "order_entry.h"
#include "sample.h"
#include "source.h"
#include "symbols.h"
#include "zvt_fixed.h"
#include "zvt_json.h"
#include "zvt_socket.h"

enum {
    PATH_SIZE = 640,
    CREDIT_FRAMES = 64,          /* feed messages that may be on their way at full speed */
    SAMPLE_SECONDS = 60,         /* default length of a sample */
    SAMPLE_SECONDS_MAX = 86400,
    SPEED_MAX = 1000000,
    CHECKPOINT_AFTER = 200000,   /* reports, unless --checkpoint-after says otherwise */
};
#define PUBLISH_NS (10 * ZVT_MS_NS)       /* between two publications, unless the consumers set the pace */
/* Messages not acknowledged for so long are taken for lost. A gateway may hold back its acknowledgements for a while
 * because its own consumers are slow; one that has not acknowledged anything yet may have missed the first ones. */
#define CREDIT_PATIENCE_NS (10 * ZVT_SECOND_NS)
#define CREDIT_JOIN_NS ZVT_SECOND_NS

typedef struct {
    const char *venue, *replay, *speed, *seed, *origin, *dump_ledger, *symbols, *sample, *sample_seconds;
    const char *checkpoint, *parent, *checkpoint_after;
} options_t;

/* How far the gateway has followed the feed. */
typedef struct {
    uint64_t incarnation;  /* of the gateway; 0: none yet */
    uint64_t sent;         /* messages published */
    int64_t lost;          /* of those, never to be acknowledged: sent before it came, or dropped on the way */
    uint64_t acknowledged; /* as the gateway counts */
    bool joining;          /* it has not acknowledged anything since it came */
    int64_t moved_ns;      /* monotonic: when it came, or last acknowledged more */
} credit_t;

typedef struct {
    options_t options;
    zvt_service_t *service;
    zvt_loop_t *loop;
    const zvt_fleet_t *fleet;
    uint32_t venue;
    char *const *argv;
    char ledger_path[PATH_SIZE], checkpoint_path[PATH_SIZE], position_path[PATH_SIZE];
    source_t *source;
    order_entry_t *entry;
    checkpoint_child_t *checkpoint_child;
    feed_core_t *feed;
    zsock_t *pub;         /* XPUB: tells who subscribes */
    int subscriptions;    /* at present */
    zvt_market_status_t status;
    credit_t credit;
    int market_timer, publish_timer;
    int64_t published_ns; /* monotonic */
    bool republish;       /* somebody new listens */
    uint64_t *feed_messages, *feed_bytes, *credit_waits, *credit_resyncs, *market_stalls;
} venue_t;

_Noreturn ZVT_PRINTF(2, 3) static void s_exit(int exit_code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "zvt-venue: ");
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(exit_code);
}

/* ---- options ---- */
static int64_t s_number(const char *name, const char *text, int64_t fallback, int64_t min, int64_t max)
{
    if (text == NULL) return fallback;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || value < min || value > max)
        s_exit(ZVT_EXIT_CONFIG, "--%s %s: give a whole number from %" PRId64 " to %" PRId64, name, text, min, max);
    return value;
}

/* 0 for "max". */
static double s_speed(const char *text)
{
    if (text == NULL) return 1;
    if (strcmp(text, "max") == 0) return 0;
    int64_t speed_e8;
    size_t length = strlen(text);
    if (length > 1 && text[length - 1] == 'x') length--;
    if (zvt_fixed_parse(text, length, &speed_e8) != 0 || speed_e8 <= 0 || speed_e8 > SPEED_MAX * ZVT_E8)
        s_exit(ZVT_EXIT_CONFIG, "--speed %s: give a factor such as 1, 0.5 or 20, or 'max'", text);
    return (double)speed_e8 / (double)ZVT_E8;
}

static uint32_t s_venue(const zvt_fleet_t *fleet, const char *name)
{
    if (name == NULL)
        s_exit(ZVT_EXIT_CONFIG, "--venue is required: one of the fleet file's venues, such as %s", fleet->venues[0].name);
    int venue = zvt_fleet_venue(fleet, name);
    if (venue < 0) s_exit(ZVT_EXIT_CONFIG, "--venue %s is not among the venues of the fleet file", name);
    return (uint32_t)venue;
}

/* ---- the feed ---- */
static void s_on_emit(void *arg, const char *topic, const void *data, size_t length)
{
    venue_t *self = arg;
    self->credit.sent++;
    ++*self->feed_messages;
    *self->feed_bytes += length;
    (void)zvt_publish(self->pub, topic, data, length);
    zvt_loop_check(self->loop, self->pub);
}

static int64_t s_in_flight(const credit_t *credit)
{
    return (int64_t)credit->sent - credit->lost - (int64_t)credit->acknowledged;
}

static void s_on_gateway(void *arg, uint64_t incarnation, uint64_t frames)
{
    venue_t *self = arg;
    credit_t *credit = &self->credit;
    bool is_new = incarnation != credit->incarnation;
    if (!is_new && frames <= credit->acknowledged) return;
    credit->moved_ns = zvt_loop_monotonic_ns(self->loop);
    credit->acknowledged = frames;
    credit->joining = is_new;
    if (is_new) {
        credit->incarnation = incarnation;
        credit->lost = (int64_t)credit->sent - (int64_t)frames;
        self->republish = true;
    }
    /* More than was sent can only be a miscount from before; do not let it widen the window. */
    if (s_in_flight(credit) < 0) credit->lost = (int64_t)credit->sent - (int64_t)frames;
    if (source_is_unpaced(self->source)) zvt_loop_arm(self->loop, self->market_timer, zvt_loop_monotonic_ns(self->loop));
}

/* Whether the market may move: always, unless its consumers set the pace. */
static bool s_has_credit(venue_t *self)
{
    credit_t *credit = &self->credit;
    if (!source_is_unpaced(self->source)) return true;
    if (credit->incarnation == 0 || self->subscriptions == 0) return false;
    if (s_in_flight(credit) < CREDIT_FRAMES) return true;
    ++*self->credit_waits;
    int64_t patience_ns = credit->joining ? CREDIT_JOIN_NS : CREDIT_PATIENCE_NS;
    if (zvt_loop_monotonic_ns(self->loop) - credit->moved_ns < patience_ns) return false;
    ++*self->credit_resyncs;
    credit->moved_ns = zvt_loop_monotonic_ns(self->loop);
    credit->lost = (int64_t)credit->sent - (int64_t)credit->acknowledged;
    return true;
}

/* Subscriptions come and go as messages of one byte and the topic; who is new gets the whole state at once. */
static void s_on_subscription(void *arg)
{
    venue_t *self = arg;
    char message[256];
    int length;
    while ((length = zmq_recv(zsock_resolve(self->pub), message, sizeof message, ZMQ_DONTWAIT)) >= 0) {
        if (length == 0 || (message[0] != 0 && message[0] != 1)) continue;
        self->subscriptions += message[0] == 1 ? 1 : -1;
        if (message[0] == 1) self->republish = true;
    }
}

static void s_publish(venue_t *self)
{
    int64_t now_ns = zvt_loop_monotonic_ns(self->loop), market_ns = source_market_ns(self->source);
    bool unpaced = source_is_unpaced(self->source);
    int64_t pace_ns = unpaced ? market_ns : now_ns;
    if (self->republish) {
        self->republish = false;
        self->published_ns = now_ns;
        feed_core_publish_all(self->feed, market_ns, pace_ns, &self->status);
        return;
    }
    if (!feed_core_is_dirty(self->feed)) return;
    if (!unpaced && now_ns - self->published_ns < PUBLISH_NS) {
        zvt_loop_arm(self->loop, self->publish_timer, self->published_ns + PUBLISH_NS);
        return;
    }
    self->published_ns = now_ns;
    feed_core_publish(self->feed, market_ns, pace_ns);
}

/* ---- the market ---- */
static void s_update_status(venue_t *self)
{
    bool has_room = order_entry_has_room(self->entry);
    bool open = source_is_open(self->source) && has_room;
    const char *message = has_room ? source_message(self->source) : "the venue's ledger cannot grow; free disk space";
    if (open == self->status.open && strcmp(message, self->status.message) == 0) return;
    self->status.open = open;
    ZVT_STR_SET(self->status.message, message);
    order_entry_set_status(self->entry, &self->status);
    feed_core_publish_status(self->feed, &self->status);
    zvt_info("market %s%s%s", open ? "open" : "closed", *message != '\0' ? ": " : "", message);
}

static void s_on_market_time(void *arg)
{
    venue_t *self = arg;
    int64_t now_ns = zvt_loop_monotonic_ns(self->loop);
    bool has_room = order_entry_has_room(self->entry);
    if (!has_room) ++*self->market_stalls;
    if (!has_room || !s_has_credit(self)) {
        zvt_loop_arm(self->loop, self->market_timer, now_ns + 100 * ZVT_MS_NS);
        s_update_status(self);
        return;
    }
    (void)source_advance(self->source, now_ns);
    order_entry_set_market_ns(self->entry, source_market_ns(self->source));
    s_update_status(self);
    zvt_loop_arm(self->loop, self->market_timer, source_next_ns(self->source, now_ns));
}

static void s_on_rest_fill(void *arg, uint32_t slot, int64_t price_e8, int64_t quantity_e8)
{
    venue_t *self = arg;
    /* A recording moves through many moments in one call: each fill carries its own. */
    order_entry_set_market_ns(self->entry, source_market_ns(self->source));
    order_entry_on_rest_fill(self->entry, slot, price_e8, quantity_e8);
}

static void s_on_trade(void *arg, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8)
{
    venue_t *self = arg;
    if (self->feed != NULL) feed_core_on_trade(self->feed, instrument, aggressor, price_e8, quantity_e8);
}

static void s_on_book(void *arg, uint32_t instrument)
{
    venue_t *self = arg;
    if (self->feed != NULL) feed_core_on_book(self->feed, instrument);
}

/* ---- the loop ---- */
static void s_on_publish_time(void *arg)
{
    (void)arg; /* only wakes the loop; the end of the round publishes */
}

static void s_on_second(void *arg)
{
    venue_t *self = arg;
    self->republish = true;
    s_update_status(self);
    source_save_position(self->source);
    checkpoint_child_on_time(self->checkpoint_child, zvt_loop_monotonic_ns(self->loop),
                             ledger_committed_seq(order_entry_ledger(self->entry)),
                             account_core_ids(order_entry_account(self->entry)));
}

static void s_on_round(void *arg)
{
    venue_t *self = arg;
    if (order_entry_finish_round(self->entry)) s_publish(self);
}

static void s_on_stats(void *arg, FILE *body)
{
    venue_t *self = arg;
    fprintf(body, ", \"market\": {\"open\": %s, \"ended\": %s, \"message\": ", self->status.open ? "true" : "false",
            source_has_ended(self->source) ? "true" : "false");
    zvt_json_string(body, self->status.message);
    fputs(", ", body);
    source_stats(self->source, body);
    const ledger_t *ledger = order_entry_ledger(self->entry);
    fprintf(body, "}, \"account\": {\"venue_seq\": %" PRIu64 ", \"open_orders\": %u, \"ledger_batches\": %" PRIu64
                  ", \"ledger_bytes\": %" PRIu64 ", \"ledger_room\": %zu, \"checkpoint_seq\": %" PRIu64
                  ", \"trades_not_printed\": %" PRIu64 "}",
            ledger_committed_seq(ledger), account_core_open_count(order_entry_account(self->entry)), ledger_batches(ledger),
            ledger_bytes(ledger), ledger_room(ledger), checkpoint_child_covered_seq(self->checkpoint_child),
            feed_core_trades_lost(self->feed));
}

/* ---- start ---- */
static void s_open_source(venue_t *self)
{
    char problem[ZVT_PROBLEM_SIZE];
    source_config_t config = {
        .fleet = self->fleet,
        .venue = self->venue,
        .seed = (uint64_t)s_number("seed", self->options.seed, self->fleet->seed, 0, INT64_MAX),
        .replay = self->options.replay,
        .speed = s_speed(self->options.speed),
        .position_path = self->position_path,
        .events = {.on_rest_fill = s_on_rest_fill, .on_trade = s_on_trade, .on_book = s_on_book, .arg = self}};
    if (source_new(&self->source, &config, problem) != 0) s_exit(ZVT_EXIT_CONFIG, "%s", problem);
    source_resume(self->source);
}

static checkpoint_paths_t s_paths(const venue_t *self)
{
    return (checkpoint_paths_t){.ledger = self->ledger_path, .checkpoint = self->checkpoint_path};
}

/* A wrong ledger needs a person; a busy lock or a full disk may pass. */
static int s_exit_code(int status)
{
    return status == ZVT_ERR_IO || status == ZVT_ERR_EXISTS ? ZVT_EXIT_TEMPORARY : ZVT_EXIT_CONFIG;
}

static int64_t s_open_entry(venue_t *self)
{
    char problem[ZVT_PROBLEM_SIZE];
    ledger_header_t header = {.origin_ns = s_number("origin", self->options.origin, zvt_utc_ns(), 0, INT64_MAX)};
    ZVT_STR_SET(header.venue, self->fleet->venues[self->venue].name);
    ZVT_STR_SET(header.market, source_fingerprint(self->source));
    order_entry_config_t config = {.service = self->service, .venue = self->venue, .market = source_market(self->source),
                                   .paths = s_paths(self), .on_gateway = s_on_gateway, .arg = self};
    int64_t asked_ns = header.origin_ns;
    int status = order_entry_new(&self->entry, &config, &header, problem);
    if (status != 0) s_exit(s_exit_code(status), "%s", problem);
    if (self->options.origin == NULL || asked_ns == header.origin_ns) return header.origin_ns;
    zvt_warn("--origin %" PRId64 " is not the ledger's %" PRId64 ": the synthetic price makes a jump", asked_ns,
             header.origin_ns);
    return asked_ns;
}

static void s_open_feed(venue_t *self)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "feed", self->fleet->venues[self->venue].name);
    self->pub = zvt_socket_new(ZMQ_XPUB);
    if (zvt_socket_bind(self->pub, endpoint) != 0)
        s_exit(ZVT_EXIT_TEMPORARY, "cannot bind %s; is the venue running already?", endpoint);
    zvt_loop_add_socket(self->loop, self->pub, s_on_subscription, self);
    feed_config_t config = {.fleet = self->fleet, .venue = self->venue, .market = source_market(self->source),
                            .first_trade_id = (uint64_t)(zvt_utc_ns() / 1000), .emit = s_on_emit, .arg = self};
    self->feed = feed_core_new(&config);
    ZVT_STR_SET(self->status.venue, self->fleet->venues[self->venue].name);
}

static void s_start(venue_t *self)
{
    self->feed_messages = zvt_counter("feed_messages");
    self->feed_bytes = zvt_counter("feed_bytes");
    self->credit_waits = zvt_counter("credit_waits");
    self->credit_resyncs = zvt_counter("credit_resyncs");
    self->market_stalls = zvt_counter("market_stalls");
    /* Registered before the order socket, so that what a round releases leaves in the same round. */
    zvt_loop_on_round(self->loop, s_on_round, self);
    s_open_source(self);
    int64_t origin_ns = s_open_entry(self);
    uint64_t after = (uint64_t)s_number("checkpoint-after", self->options.checkpoint_after, CHECKPOINT_AFTER, 1, INT64_MAX);
    /* This very program, also when another release lies at its path by now. */
    self->checkpoint_child = checkpoint_child_new("/proc/self/exe", self->argv, after, order_entry_covered_seq(self->entry),
                                                  zvt_monotonic_ns());
    s_open_feed(self);
    self->market_timer = zvt_loop_timer(self->loop, s_on_market_time, self);
    self->publish_timer = zvt_loop_timer(self->loop, s_on_publish_time, self);
    (void)zvt_loop_every(self->loop, ZVT_SECOND_NS, s_on_second, self);
    zvt_service_on_stats(self->service, s_on_stats, self);
    int64_t now_ns = zvt_monotonic_ns();
    source_start(self->source, origin_ns, zvt_utc_ns(), now_ns);
    order_entry_set_market_ns(self->entry, source_market_ns(self->source));
    zvt_loop_arm(self->loop, self->market_timer, now_ns);
    self->republish = true;
    s_update_status(self);
    zvt_info("venue %s: %s, ledger %s", self->fleet->venues[self->venue].name, source_fingerprint(self->source),
             self->ledger_path);
    zvt_service_ready(self->service);
}

static void s_stop(venue_t *self)
{
    source_save_position(self->source);
    checkpoint_child_destroy(&self->checkpoint_child);
    order_entry_destroy(&self->entry);
    feed_core_destroy(&self->feed);
    zsock_destroy(&self->pub);
    source_destroy(&self->source);
}

/* ---- tools that do not start a venue ---- */
static int s_dump(const venue_t *self)
{
    char problem[ZVT_PROBLEM_SIZE];
    if (dump_ledger(self->fleet, self->venue, self->ledger_path, stdout, problem) != 0) s_exit(ZVT_EXIT_FAILED, "%s", problem);
    return fflush(stdout) == 0 ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}

static int s_checkpoint(const venue_t *self)
{
    char problem[ZVT_PROBLEM_SIZE];
    const checkpoint_paths_t paths = s_paths(self);
    const account_config_t config = {.fleet = self->fleet, .venue = self->venue, .ids_max = ACCOUNT_IDS_MAX};
    int64_t parent = s_number("parent", self->options.parent, 0, 1, INT32_MAX);
    if (parent != 0 && checkpoint_child_yield(parent) != 0) return ZVT_EXIT_TEMPORARY;
    if (checkpoint_renew(&paths, &config, problem) == 0) return ZVT_EXIT_OK;
    zvt_warn("%s", problem);
    return ZVT_EXIT_FAILED;
}

static int s_sample(const venue_t *self)
{
    char problem[ZVT_PROBLEM_SIZE];
    int64_t seconds = s_number("sample-seconds", self->options.sample_seconds, SAMPLE_SECONDS, 1, SAMPLE_SECONDS_MAX);
    uint64_t seed = (uint64_t)s_number("seed", self->options.seed, self->fleet->seed, 0, INT64_MAX);
    if (sample_write(self->fleet, self->venue, seed, self->options.sample, seconds, problem) != 0)
        s_exit(ZVT_EXIT_FAILED, "%s", problem);
    printf("%s: %" PRId64 " s of %s from the synthetic market with seed %" PRIu64 "\n", self->options.sample, seconds,
           self->fleet->instruments[0].symbol, seed);
    return ZVT_EXIT_OK;
}

static int s_symbols(const venue_t *self)
{
    char problem[ZVT_PROBLEM_SIZE];
    if (self->options.replay == NULL) s_exit(ZVT_EXIT_CONFIG, "--symbols needs --replay FILES");
    if (symbols_print(self->fleet, self->options.replay, stdout, problem) != 0) s_exit(ZVT_EXIT_FAILED, "%s", problem);
    return fflush(stdout) == 0 ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}

/* The process is called venue-VENUE unless --name says otherwise. */
static const char *s_default_name(int argc, char **argv)
{
    static char name[ZVT_NAME_SIZE];
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--venue") == 0) snprintf(name, sizeof name, "venue-%.*s", ZVT_VENUE_SIZE - 1, argv[i + 1]);
    return name[0] != '\0' ? name : NULL;
}

static bool s_is_tool(int argc, char **argv)
{
    static const char *const tools[] = {"--dump-ledger", "--" CHECKPOINT_CHILD_OPTION, "--sample", "--symbols"};
    for (int i = 1; i < argc; i++)
        for (size_t t = 0; t < sizeof tools / sizeof tools[0]; t++)
            if (strcmp(argv[i], tools[t]) == 0) return true;
    return false;
}

static venue_t s_self;

static const zvt_option_t s_options[] = {
    {.name = "venue", .argument = "VENUE", .value = &s_self.options.venue,
     .meaning = "which of the fleet file's venues to be (required)"},
    {.name = "replay", .argument = "FILES", .value = &s_self.options.replay,
     .meaning = "play recorded market data; A,B plays one after the other"},
    {.name = "speed", .argument = "N", .value = &s_self.options.speed,
     .meaning = "pace of a recording: 1, 0.5, 20 .. or max; default 1"},
    {.name = "seed", .argument = "N", .value = &s_self.options.seed,
     .meaning = "of the synthetic market; default from the fleet file"},
    {.name = "origin", .argument = "NS", .value = &s_self.options.origin,
     .meaning = "UTC ns of the synthetic market's beginning; default from the ledger"},
    {.name = "dump-ledger", .value = &s_self.options.dump_ledger,
     .meaning = "print the ledger as JSON lines and exit"},
    {.name = CHECKPOINT_CHILD_OPTION, .value = &s_self.options.checkpoint,
     .meaning = "renew the checkpoint of the ledger and exit"},
    {.name = CHECKPOINT_CHILD_PARENT, .argument = "PID", .value = &s_self.options.parent,
     .meaning = "of that: yield to others, end with this process"},
    {.name = "checkpoint-after", .argument = "N", .value = &s_self.options.checkpoint_after,
     .meaning = "reports after which that is due; default 200000"},
    {.name = "symbols", .value = &s_self.options.symbols,
     .meaning = "print which instruments the recording holds and exit"},
    {.name = "sample", .argument = "FILE", .value = &s_self.options.sample,
     .meaning = "write a synthetic capture (.gz: compressed) and exit"},
    {.name = "sample-seconds", .argument = "N", .value = &s_self.options.sample_seconds,
     .meaning = "length of the sample; default 60"},
    {.name = NULL},
};

static void s_name_files(venue_t *self)
{
    const char *folder = zvt_service_state_dir(self->service), *name = zvt_service_name(self->service);
    snprintf(self->ledger_path, sizeof self->ledger_path, "%s/%s.ledger", folder, name);
    snprintf(self->checkpoint_path, sizeof self->checkpoint_path, "%s/%s.checkpoint", folder, name);
    snprintf(self->position_path, sizeof self->position_path, "%s/%s.position", folder, name);
}

int main(int argc, char **argv)
{
    venue_t *self = &s_self;
    const zvt_service_desc_t desc = {.program = "zvt-venue",
                                     .summary = "Paper exchange with a synthetic or a recorded market.",
                                     .role = ZVT_ROLE_VENUE,
                                     .name = s_default_name(argc, argv),
                                     .options = s_options};
    /* A tool opens no socket and needs no runtime folder. */
    if (s_is_tool(argc, argv)) setenv("ZVT_RUNTIME", ".", 0);
    self->service = zvt_service_new(argc, argv, &desc);
    self->loop = zvt_service_loop(self->service);
    self->fleet = zvt_service_fleet(self->service);
    self->venue = s_venue(self->fleet, self->options.venue);
    if (self->options.sample != NULL) return s_sample(self);
    if (self->options.symbols != NULL) return s_symbols(self);
    s_name_files(self);
    if (self->options.dump_ledger != NULL) return s_dump(self);
    if (self->options.checkpoint != NULL) return s_checkpoint(self);
    self->argv = argv;
    s_start(self);
    int exit_code = zvt_service_run(self->service);
    s_stop(self);
    zvt_service_destroy(&self->service);
    return exit_code;
}
