/* zvt-load: offers orders at a fixed rate to a running fleet and measures what a subscriber of the log sees. */
#include <inttypes.h>

#include "load_core.h"
#include "zvt_fixed.h"
#include "zvt_follower.h"
#include "zvt_service.h"
#include "zvt_subscriber.h"
#include "zvt_time.h"

enum { BURST_MAX = 256 };
#define PATIENCE_NS (10 * ZVT_SECOND_NS) /* for the last orders, after the last one is sent */

typedef struct {
    zvt_service_t *service;
    zvt_loop_t *loop;
    load_core_t *core;
    zsock_t *push;
    int timer;
    int64_t sent_all_ns; /* monotonic; 0 while orders are still due */
    bool started;
} load_t;

static void s_send_due(load_t *self)
{
    static uint8_t bytes[BURST_MAX * 512];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    zvt_signal_t signal;
    int64_t now_ns = zvt_monotonic_ns(), utc_ns = zvt_utc_ns();
    for (int n = 0; n < BURST_MAX && load_core_next(self->core, now_ns, utc_ns, &signal); n++)
        ZVT_ASSERT(zvt_pack(&buf, ZVT_T_SIGNAL, &signal) == 0);
    if (buf.length > 0 && zmq_send(zsock_resolve(self->push), buf.data, buf.length, 0) < 0) ZVT_COUNT("unsent");
}

static void s_on_due(void *arg)
{
    load_t *self = arg;
    s_send_due(self);
    int64_t next_ns = load_core_next_ns(self->core), now_ns = zvt_monotonic_ns();
    if (next_ns == 0 && self->sent_all_ns == 0) self->sent_all_ns = now_ns;
    bool late = self->sent_all_ns != 0 && now_ns - self->sent_all_ns > PATIENCE_NS;
    if (load_core_is_over(self->core) || late) {
        zvt_service_exit(self->service, load_core_is_over(self->core) ? ZVT_EXIT_OK : ZVT_EXIT_FAILED);
        return;
    }
    /* A burst per millisecond at the most: finer would measure the generator. */
    int64_t soon_ns = now_ns + ZVT_MS_NS;
    zvt_loop_arm(self->loop, self->timer, next_ns > soon_ns ? next_ns : soon_ns);
}

static void s_on_event(void *arg, const zvt_event_t *event)
{
    load_t *self = arg;
    load_core_on_event(self->core, event, zvt_loop_monotonic_ns(self->loop));
}

/* The load begins once the log is being followed. */
static void s_on_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    load_t *self = arg;
    (void)applied_seq;
    if (self->started || !caught_up) return;
    self->started = true;
    load_core_start(self->core, zvt_monotonic_ns());
    zvt_loop_arm(self->loop, self->timer, zvt_monotonic_ns());
}

static void s_on_ack(void *arg, const char *topic, const zvt_record_t *record)
{
    (void)topic;
    if (record->type == ZVT_T_SIGNAL_ACK) load_core_on_ack(((load_t *)arg)->core, &record->signal_ack);
}

static void s_on_second(void *arg)
{
    load_t *self = arg;
    uint64_t sent, ended;
    load_core_progress(self->core, &sent, &ended);
    if (isatty(STDERR_FILENO)) fprintf(stderr, "\r%" PRIu64 " sent, %" PRIu64 " ended ", sent, ended);
}

static double s_number(const char *text, double fallback)
{
    return text == NULL ? fallback : atof(text);
}

int main(int argc, char **argv)
{
    const char *rate = NULL, *seconds = NULL, *warmup = NULL, *strategies = NULL, *symbol = NULL, *venue = "", *quantity = "0.0001";
    const zvt_option_t options[] = {
        {.name = "rate", .argument = "N", .meaning = "orders per second; default 1000", .value = &rate},
        {.name = "seconds", .argument = "S", .meaning = "how long to measure; default 10", .value = &seconds},
        {.name = "warmup", .argument = "S", .meaning = "load before that; default 2", .value = &warmup},
        {.name = "strategies", .argument = "N", .meaning = "strategy ids to spread over; default 100", .value = &strategies},
        {.name = "symbol", .argument = "S", .meaning = "instrument; default the fleet's first", .value = &symbol},
        {.name = "venue", .argument = "V", .meaning = "default: the executor chooses", .value = &venue},
        {.name = "quantity", .argument = "Q", .meaning = "of each order; default 0.0001", .value = &quantity},
        {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-load", .summary = "Offers orders at a fixed rate and measures.",
                                     .role = ZVT_ROLE_STRATEGY, .name = "bench", .options = options};
    load_t self = {.service = zvt_service_new(argc, argv, &desc)};
    const zvt_fleet_t *fleet = zvt_service_fleet(self.service);
    load_config_t config = {.rate_hz = s_number(rate, 1000), .seconds = s_number(seconds, 10), .warmup_s = s_number(warmup, 2),
                            .strategies = (uint32_t)s_number(strategies, 100), .venue = venue,
                            .symbol = symbol != NULL ? symbol : fleet->instruments[0].symbol};
    if (zvt_fixed_parse(quantity, strlen(quantity), &config.quantity_e8) != 0 || config.rate_hz <= 0 || config.strategies == 0) {
        zvt_error("--quantity %s, --rate or --strategies is not a positive number", quantity);
        return ZVT_EXIT_USAGE;
    }
    zvt_hello_t *identity = zvt_service_identity(self.service);
    self.loop = zvt_service_loop(self.service);
    self.core = load_core_new(&config, zvt_service_name(self.service), identity->incarnation);
    self.push = zvt_socket_new(ZMQ_PUSH);
    char endpoint[ZVT_ENDPOINT_SIZE], topic[64];
    zvt_endpoint(endpoint, "signals", NULL);
    zsock_set_sndtimeo(self.push, 1000);
    ZVT_ASSERT(zmq_connect(zsock_resolve(self.push), endpoint) == 0);
    zvt_endpoint(endpoint, "events", NULL);
    zvt_subscriber_t *acks = zvt_subscriber_new(self.loop, endpoint, s_on_ack, &self);
    snprintf(topic, sizeof topic, "ack.%s", zvt_service_name(self.service));
    zvt_subscriber_add(acks, topic);
    self.timer = zvt_loop_timer(self.loop, s_on_due, &self);
    zvt_loop_every(self.loop, ZVT_SECOND_NS, s_on_second, &self);
    zvt_follower_t *follower = zvt_follower_new(self.loop, (uint32_t)fleet->shard, ZVT_FOLLOW_LIVE, identity, s_on_event, s_on_batch, &self);
    int exit_code = zvt_service_run(self.service);
    load_core_report(self.core, stdout);
    zvt_follower_destroy(&follower);
    zvt_subscriber_destroy(&acks);
    zsock_destroy(&self.push);
    load_core_destroy(&self.core);
    zvt_service_destroy(&self.service);
    return exit_code;
}
