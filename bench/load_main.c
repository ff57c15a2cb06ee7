/* zvt-load: offers orders at a fixed rate to a running fleet and measures what a subscriber of the log sees.
 *
 * stdout   the report, one JSON object.
 * stderr   for whoever drives it: "phase warm" half a second before the measured time, "phase measure" and "phase drain" when
 *          that begins and ends, "progress SENT ENDED" every second.
 * Exit     0: every order has ended; 1: some have not. */
#include <inttypes.h>
#include <sys/timerfd.h>

#include "load_core.h"
#include "zvt_fixed.h"
#include "zvt_follower.h"
#include "zvt_service.h"
#include "zvt_subscriber.h"
#include "zvt_time.h"

enum { RECORD_BYTES_MAX = 1024 };
#define GATHER_NS (ZVT_MS_NS / 2)      /* a burst in so long at the most: finer would measure the generator */
#define LINGER_NS (500 * ZVT_MS_NS)    /* after the measured time at the least: whoever drives it reads its CPU time then */
#define HEADSTART_NS (500 * ZVT_MS_NS) /* before the measured time: whoever drives it looks around then, which costs CPU itself */
#define LOOK_NS (20 * ZVT_MS_NS)       /* for orders to send again */

typedef struct {
    zvt_service_t *service;
    zvt_loop_t *loop;
    load_core_t *core;
    zvt_follower_t *follower;
    zsock_t *push;
    int wake_fd;            /* timerfd: the loop's own timers are good to a millisecond only */
    bool following, started, warm, measuring, measured;
} load_t;

/* ---- sending ---- */
static void s_send_due(load_t *self)
{
    static uint8_t bytes[LOAD_BURST_MAX * RECORD_BYTES_MAX];
    static zvt_record_t record;
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    int64_t now_ns = zvt_monotonic_ns(), utc_ns = zvt_utc_ns();
    while (load_core_next(self->core, now_ns, utc_ns, &record))
        ZVT_ASSERT(zvt_pack(&buf, record.type, record.type == ZVT_T_SIGNAL ? (void *)&record.signal : (void *)&record.signal_cancel) == 0);
    if (buf.length > 0) load_core_on_burst(self->core, zmq_send(zsock_resolve(self->push), buf.data, buf.length, ZMQ_DONTWAIT) >= 0);
}

static void s_say_phase(const char *phase)
{
    fprintf(stderr, "phase %s\n", phase);
}

static void s_note_phase(load_t *self, int64_t now_ns)
{
    if (!self->warm && now_ns >= load_core_measure_from_ns(self->core) - HEADSTART_NS) {
        self->warm = true;
        s_say_phase("warm");
    }
    if (!self->measuring && now_ns >= load_core_measure_from_ns(self->core)) {
        self->measuring = true;
        s_say_phase("measure");
    }
    if (!self->measured && now_ns >= load_core_measure_to_ns(self->core)) {
        self->measured = true;
        s_say_phase("drain");
    }
}

static void s_arm(load_t *self, int64_t now_ns)
{
    int64_t next_ns = load_core_next_ns(self->core), soonest_ns = now_ns + GATHER_NS;
    if (next_ns == 0) return; /* by the loop's timer */
    if (next_ns < soonest_ns) next_ns = soonest_ns;
    struct itimerspec at = {.it_value = {.tv_sec = next_ns / ZVT_SECOND_NS, .tv_nsec = next_ns % ZVT_SECOND_NS}};
    ZVT_ASSERT(timerfd_settime(self->wake_fd, TFD_TIMER_ABSTIME, &at, NULL) == 0);
}

static void s_advance(load_t *self)
{
    int64_t now_ns = zvt_monotonic_ns();
    if (!self->started) return;
    s_note_phase(self, now_ns);
    s_send_due(self);
    bool over = load_core_is_over(self->core) && now_ns >= load_core_measure_to_ns(self->core) + LINGER_NS;
    if (over || load_core_gives_up(self->core, now_ns)) zvt_service_exit(self->service, over ? ZVT_EXIT_OK : ZVT_EXIT_FAILED);
    s_arm(self, now_ns);
}

static void s_on_wake(void *arg)
{
    load_t *self = arg;
    uint64_t times;
    if (read(self->wake_fd, &times, sizeof times) == sizeof times) s_advance(self);
}

static void s_on_look(void *arg)
{
    load_t *self = arg;
    if (self->started) load_core_on_time(self->core, zvt_monotonic_ns());
    s_advance(self);
}

/* The load begins once the log is being followed and there is a price. */
static void s_start_when_possible(load_t *self)
{
    if (self->started || !self->following || !load_core_can_start(self->core)) return;
    self->started = true;
    load_core_start(self->core, zvt_monotonic_ns(), zvt_utc_ns());
    s_advance(self);
}

/* ---- hearing ---- */
static void s_on_event(void *arg, const zvt_event_t *event)
{
    load_t *self = arg;
    int64_t committed_ns = zvt_follower_committed_ns(self->follower);
    if (committed_ns != 0 && self->measuring && !self->measured)
        zvt_histogram_add(load_stage(STAGE_COMMIT_TO_SUBSCRIBER), zvt_utc_ns() - committed_ns);
    load_core_on_event(self->core, event, committed_ns, zvt_monotonic_ns());
}

static void s_on_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    load_t *self = arg;
    (void)applied_seq;
    self->following = self->following || caught_up;
    s_start_when_possible(self);
    if (self->started) s_arm(self, zvt_monotonic_ns()); /* one at a time, the end of an order makes the next one due */
}

static void s_on_ack(void *arg, const char *topic, const zvt_record_t *record)
{
    if (record->type == ZVT_T_SIGNAL_ACK) load_core_on_ack(((load_t *)arg)->core, topic + strlen("ack."), &record->signal_ack);
}

static void s_on_quote(void *arg, const char *topic, const zvt_record_t *record)
{
    load_t *self = arg;
    (void)topic;
    if (record->type == ZVT_T_PRICE_UPDATED) load_core_on_quote(self->core, &record->price_updated);
    s_start_when_possible(self);
}

static void s_on_second(void *arg)
{
    load_t *self = arg;
    uint64_t sent, ended;
    load_core_progress(self->core, &sent, &ended);
    fprintf(stderr, "progress %" PRIu64 " %" PRIu64 "\n", sent, ended);
}

/* ---- the command line ---- */
typedef struct {
    const char *rate, *seconds, *warmup, *strategies, *senders, *symbols, *limits, *venue, *quantity, *pause, *patience, *resend, *trace;
} words_t;

static double s_number(const char *name, const char *text, double fallback, double lowest, double highest)
{
    if (text == NULL) return fallback;
    char *end;
    double value = strtod(text, &end);
    if (end != text && *end == '\0' && value >= lowest && value <= highest) return value;
    zvt_error("--%s %s: use a number from %g to %g", name, text, lowest, highest);
    exit(ZVT_EXIT_CONFIG);
}

static load_config_t s_config(const words_t *words, const zvt_fleet_t *fleet)
{
    double limits = s_number("limits", words->limits, 0, 0, 100);
    double symbols_max = (double)fleet->instruments_count - (limits > 0);
    load_config_t config = {.rate_hz = s_number("rate", words->rate, 1000, 0.1, 1e6),
                            .seconds = s_number("seconds", words->seconds, 10, 0.1, 86400),
                            .warmup_s = s_number("warmup", words->warmup, 2, 0, 600),
                            .strategies = (uint32_t)s_number("strategies", words->strategies, 100, 1, 10000),
                            .senders = (uint32_t)s_number("senders", words->senders, words->resend != NULL ? 16 : 4, 1, 1000),
                            .symbols = (uint32_t)s_number("symbols", words->symbols, 1, 1, symbols_max),
                            .limit_percent = (uint32_t)limits,
                            .venue = words->venue,
                            .pause_ns = (int64_t)(s_number("pause-ms", words->pause, 0, 0, 1000) * 1e6),
                            .patience_ns = (int64_t)(s_number("patience", words->patience, 45, 0, 600) * 1e9),
                            .resend = words->resend != NULL};
    if (zvt_fixed_parse(words->quantity, strlen(words->quantity), &config.quantity_e8) != 0 || config.quantity_e8 <= 0) {
        zvt_error("--quantity %s: use a positive decimal", words->quantity);
        exit(ZVT_EXIT_CONFIG);
    }
    return config;
}

/* ---- sockets ---- */
static void s_connect(load_t *self, zvt_subscriber_t *subscribers[1 + ZVT_VENUES_MAX])
{
    const zvt_fleet_t *fleet = zvt_service_fleet(self->service);
    char endpoint[ZVT_ENDPOINT_SIZE], topic[64];
    zvt_endpoint(endpoint, "signals", NULL);
    self->push = zvt_socket_new(ZMQ_PUSH);
    ZVT_ASSERT(zmq_connect(zsock_resolve(self->push), endpoint) == 0);
    zvt_endpoint(endpoint, "events", NULL);
    subscribers[0] = zvt_subscriber_new(self->loop, endpoint, s_on_ack, self);
    snprintf(topic, sizeof topic, "ack.%s", zvt_service_name(self->service));
    zvt_subscriber_add(subscribers[0], topic);
    /* Limit orders are made of the first venue's prices and go there. */
    zvt_endpoint(endpoint, "market", fleet->venues[0].name);
    subscribers[1] = zvt_subscriber_new(self->loop, endpoint, s_on_quote, self);
    zvt_subscriber_add(subscribers[1], "quote.");
    self->follower = zvt_follower_new(self->loop, (uint32_t)fleet->shard, ZVT_FOLLOW_LIVE, zvt_service_identity(self->service),
                                      s_on_event, s_on_batch, self);
}

static int s_run(load_t *self, const words_t *words)
{
    zvt_subscriber_t *subscribers[1 + ZVT_VENUES_MAX] = {NULL};
    self->loop = zvt_service_loop(self->service);
    load_config_t config = s_config(words, zvt_service_fleet(self->service));
    self->core = load_core_new(&config, zvt_service_fleet(self->service), zvt_service_name(self->service),
                               zvt_service_identity(self->service)->incarnation);
    self->wake_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    ZVT_ASSERT(self->wake_fd >= 0);
    zvt_loop_add_fd(self->loop, self->wake_fd, s_on_wake, self);
    zvt_loop_every(self->loop, LOOK_NS, s_on_look, self);
    zvt_loop_every(self->loop, ZVT_SECOND_NS, s_on_second, self);
    s_connect(self, subscribers);
    int exit_code = zvt_service_run(self->service);
    load_core_report(self->core, stdout);
    FILE *trace = words->trace != NULL ? fopen(words->trace, "we") : NULL;
    if (words->trace != NULL && trace == NULL) zvt_error("cannot write %s: %s", words->trace, strerror(errno));
    if (trace != NULL) {
        load_core_trace(self->core, trace);
        fclose(trace);
    }
    zvt_follower_destroy(&self->follower);
    for (size_t i = 0; i < sizeof subscribers / sizeof subscribers[0]; i++) zvt_subscriber_destroy(&subscribers[i]);
    zsock_destroy(&self->push);
    load_core_destroy(&self->core);
    close(self->wake_fd);
    return exit_code;
}

int main(int argc, char **argv)
{
    words_t words = {.venue = "", .quantity = "0.0001"};
    const zvt_option_t options[] = {
        {.name = "rate", .argument = "N", .meaning = "orders per second; default 1000", .value = &words.rate},
        {.name = "seconds", .argument = "S", .meaning = "how long to measure; default 10", .value = &words.seconds},
        {.name = "warmup", .argument = "S", .meaning = "load before that; default 2", .value = &words.warmup},
        {.name = "strategies", .argument = "N", .meaning = "strategy ids to spread over; default 100", .value = &words.strategies},
        {.name = "senders", .argument = "N", .meaning = "names of senders to spread over; default 4, with --resend 16", .value = &words.senders},
        {.name = "symbols", .argument = "N", .meaning = "market orders go to the fleet's first N instruments; default 1", .value = &words.symbols},
        {.name = "limits", .argument = "PERCENT", .meaning = "share of limit orders, in the instrument after those; default 0", .value = &words.limits},
        {.name = "venue", .argument = "V", .meaning = "default: the executor chooses", .value = &words.venue},
        {.name = "quantity", .argument = "Q", .meaning = "of each market order; default 0.0001", .value = &words.quantity},
        {.name = "pause-ms", .argument = "MS", .meaning = "one order at a time, so long after the end of the one before", .value = &words.pause},
        {.name = "patience", .argument = "S", .meaning = "for the last orders to end; default 45", .value = &words.patience},
        {.name = "resend", .meaning = "send again what is not acknowledged, as strategies do", .value = &words.resend},
        {.name = "trace", .argument = "FILE", .meaning = "write what became of each order", .value = &words.trace},
        {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-load", .summary = "Offers orders at a fixed rate and measures.",
                                     .role = ZVT_ROLE_STRATEGY, .name = "bench", .options = options};
    load_t self = {.service = zvt_service_new(argc, argv, &desc)};
    int exit_code = s_run(&self, &words);
    zvt_service_destroy(&self.service);
    return exit_code;
}
