/* executor_main -- the executor's process: sockets, files and the loop around the cores. */
#include <inttypes.h>

#include "emergency_core.h"
#include "executor_core.h"
#include "zvt_epoch_file.h"
#include "zvt_file.h"
#include "zvt_hub.h"
#include "zvt_link.h"
#include "zvt_service.h"
#include "zvt_subscriber.h"

enum { PATH_SIZE = 768 };
#define TICK_NS (100 * ZVT_MS_NS) /* how exactly the patience with a venue is kept */

typedef struct executor executor_t;

/* What is connected to one venue's gateway. */
typedef struct {
    executor_t *executor;
    uint32_t venue; /* index in the fleet file */
    zvt_link_t *link;
    zvt_subscriber_t *market;
} gateway_t;

struct executor {
    zvt_service_t *service;
    zvt_loop_t *loop;
    const zvt_fleet_t *fleet;
    router_core_t *router;
    executor_core_t *core;
    emergency_core_t *emergency;
    zvt_hub_t *hub;
    zvt_hello_t identity; /* in hellos to gateways; its epoch rises with the orchestrator's */
    bool has_orchestrator;
    zvt_peer_t orchestrator; /* the one that reports go to */
    uint64_t orchestrator_incarnation, orchestrator_epoch;
    bool tell_orchestrator; /* a new one is to hear the tips, behind our answer to its hello */
    zvt_epoch_file_t epoch_file;
    char journal_path[PATH_SIZE];
    int pace_timer; /* when something that waits for a limit may leave */
    gateway_t gateways[ZVT_VENUES_MAX];
    zvt_route_reply_t reply; /* the one being written */
};

static executor_now_t s_now(const executor_t *self)
{
    return (executor_now_t){.utc_ns = zvt_loop_utc_ns(self->loop), .monotonic_ns = zvt_loop_monotonic_ns(self->loop)};
}

/* ---- effects of the core ---- */
static int s_store_epoch(void *arg, uint64_t epoch)
{
    return zvt_epoch_file_store(&((executor_t *)arg)->epoch_file, epoch);
}

static void s_to_gateway(void *arg, uint32_t venue, zvt_type_t type, const void *record)
{
    zvt_link_send(((executor_t *)arg)->gateways[venue].link, type, record);
}

/* What nobody takes is not lost: an orchestrator asks for the reports after its cursor. */
static void s_to_orchestrator(void *arg, zvt_type_t type, const void *record)
{
    executor_t *self = arg;
    if (self->has_orchestrator)
        zvt_hub_send(self->hub, &self->orchestrator, type, record);
    else
        ZVT_COUNT("reports_unclaimed");
}

static void s_tell_gateways(void *arg)
{
    executor_t *self = arg;
    self->identity.epoch = executor_core_epoch(self->core);
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) zvt_link_hello(self->gateways[i].link);
}

/* A reply to a hello that was not said: the orchestrator need not wait for its next one to learn that the gateways
 * follow it. */
static void s_tell_orchestrator(void *arg)
{
    executor_t *self = arg;
    if (!self->has_orchestrator) return;
    zvt_hello_t hello = *zvt_service_identity(self->service);
    hello.epoch = executor_core_acknowledged_epoch(self->core);
    hello.reply = true;
    zvt_hub_send(self->hub, &self->orchestrator, ZVT_T_HELLO, &hello);
}

/* ---- effects of the kill switch ---- */
_Static_assert(sizeof(zvt_peer_t) <= EMERGENCY_CLIENT_SIZE, "a peer fits into a client");

static int s_told_journal(const executor_t *self, int status)
{
    if (status != 0 && zvt_diag_allowed())
        zvt_error("cannot write %s: %s; free the disk or mend the folder's rights", self->journal_path, strerror(errno));
    return status;
}

static int s_append_journal(void *arg, const void *data, size_t length)
{
    executor_t *self = arg;
    return s_told_journal(self, zvt_file_append(self->journal_path, data, length));
}

static int s_replace_journal(void *arg, const void *data, size_t length)
{
    executor_t *self = arg;
    return s_told_journal(self, zvt_file_replace(self->journal_path, data, length));
}

static void s_halt(void *arg, const char *reason)
{
    executor_t *self = arg;
    if (reason != NULL) zvt_warn("no order is sent to any venue: %s; 'fleet resume' ends it", reason);
    executor_core_halt(self->core, reason);
}

static uint32_t s_withdraw(void *arg, const char *client_order_id, size_t length)
{
    return executor_core_withdraw(((executor_t *)arg)->core, client_order_id, length);
}

static bool s_is_reachable(void *arg, uint32_t venue)
{
    return executor_core_reachable(((executor_t *)arg)->core, venue);
}

static void s_cancel(void *arg, uint32_t venue, const char *client_order_id)
{
    executor_t *self = arg;
    executor_core_cancel(self->core, venue, client_order_id, s_now(self));
}

static void s_reply(void *arg, const emergency_client_t *client, const zvt_kill_reply_t *reply)
{
    zvt_peer_t peer;
    memcpy(&peer, client->bytes, sizeof peer);
    zvt_hub_send(((executor_t *)arg)->hub, &peer, ZVT_T_KILL_REPLY, reply);
}

/* An orchestrator that is not there is told when it is. */
static void s_notice(void *arg, const zvt_kill_notice_t *notice)
{
    executor_t *self = arg;
    if (self->has_orchestrator) zvt_hub_send(self->hub, &self->orchestrator, ZVT_T_KILL_NOTICE, notice);
}

/* ---- the hub ---- */
static void s_on_route_request(executor_t *self, const zvt_peer_t *peer, const zvt_route_request_t *request)
{
    ZVT_COUNT("routes");
    executor_core_route(self->core, request, zvt_loop_monotonic_ns(self->loop), &self->reply);
    if (self->reply.code != ZVT_CODE_OK) ZVT_COUNT("routes_refused");
    zvt_hub_send(self->hub, peer, ZVT_T_ROUTE_REPLY, &self->reply);
}

static void s_refuse_request(executor_t *self, const zvt_peer_t *peer, zvt_type_t type)
{
    ZVT_COUNT("requests_unknown");
    zvt_error_reply_t reply = {.code = ZVT_CODE_MALFORMED};
    snprintf(reply.message, sizeof reply.message, "the executor does not take %s; see docs/wire.md", zvt_type_name(type));
    zvt_hub_send(self->hub, peer, ZVT_T_ERROR_REPLY, &reply);
}

static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    executor_t *self = arg;
    emergency_client_t client = {{0}};
    memcpy(client.bytes, peer, sizeof *peer);
    switch (record->type) {
    case ZVT_T_ROUTE_REQUEST: s_on_route_request(self, peer, &record->route_request); break;
    case ZVT_T_KILL_REQUEST: emergency_core_on_request(self->emergency, &client, &record->kill_request, s_now(self)); break;
    case ZVT_T_KILL_NOTED: emergency_core_on_noted(self->emergency, &record->kill_noted); break;
    default:
        if (!executor_core_on_request(self->core, record, s_now(self))) s_refuse_request(self, peer, record->type);
    }
}

static bool s_same_peer(const zvt_peer_t *a, const zvt_peer_t *b)
{
    return a->id_length == b->id_length && memcmp(a->id, b->id, a->id_length) == 0;
}

/* What was done without it comes first: the reports that it then asks for follow from that. */
static void s_tell_new_orchestrator(executor_t *self)
{
    emergency_core_tell(self->emergency);
    executor_core_tell_tips(self->core);
    executor_core_tell_circuits(self->core, s_now(self));
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    executor_t *self = arg;
    if (executor_core_on_hello(self->core, hello)) {
        bool is_new = !self->has_orchestrator || !s_same_peer(peer, &self->orchestrator) ||
                      hello->incarnation != self->orchestrator_incarnation || hello->epoch != self->orchestrator_epoch;
        self->has_orchestrator = true;
        self->orchestrator = *peer;
        self->orchestrator_incarnation = hello->incarnation;
        self->orchestrator_epoch = hello->epoch;
        self->tell_orchestrator |= is_new;
    }
    reply->epoch = executor_core_acknowledged_epoch(self->core);
}

static void s_on_greeted(void *arg)
{
    executor_t *self = arg;
    if (self->tell_orchestrator) s_tell_new_orchestrator(self);
    self->tell_orchestrator = false;
}

/* ---- the gateways ---- */
static void s_on_gateway_up(void *arg, const zvt_hello_t *peer)
{
    gateway_t *gateway = arg;
    executor_core_on_gateway_up(gateway->executor->core, gateway->venue, peer, s_now(gateway->executor));
    zvt_service_ready(gateway->executor->service);
}

static void s_on_gateway_down(void *arg)
{
    gateway_t *gateway = arg;
    executor_core_on_gateway_down(gateway->executor->core, gateway->venue, s_now(gateway->executor));
}

static void s_on_gateway_hello(void *arg, const zvt_hello_t *peer)
{
    gateway_t *gateway = arg;
    executor_core_on_gateway_hello(gateway->executor->core, gateway->venue, peer);
}

static void s_on_gateway_record(void *arg, const zvt_record_t *record)
{
    gateway_t *gateway = arg;
    executor_t *self = gateway->executor;
    if (emergency_core_on_gateway_record(self->emergency, gateway->venue, record, s_now(self))) return;
    executor_core_on_gateway_record(self->core, gateway->venue, record, s_now(self));
}

static void s_on_market(void *arg, const char *topic, const zvt_record_t *record)
{
    const gateway_t *gateway = arg;
    router_core_t *router = gateway->executor->router;
    (void)topic;
    switch (record->type) {
    case ZVT_T_PRICE_UPDATED: router_core_on_quote(router, gateway->venue, &record->price_updated); break;
    case ZVT_T_ORDERBOOK_UPDATED: router_core_on_book(router, gateway->venue, &record->orderbook_updated); break;
    case ZVT_T_MARKET_STATUS: router_core_on_status(router, gateway->venue, &record->market_status); break;
    default: ZVT_COUNT("unexpected_records");
    }
}

static void s_connect(executor_t *self, uint32_t venue)
{
    static const char *const topics[] = {"quote.", "book.", "status."};
    gateway_t *gateway = &self->gateways[venue];
    const char *name = self->fleet->venues[venue].name;
    char endpoint[ZVT_ENDPOINT_SIZE];
    *gateway = (gateway_t){.executor = self, .venue = venue};
    zvt_link_handler_t handler = {.on_record = s_on_gateway_record,
                                  .on_up = s_on_gateway_up,
                                  .on_down = s_on_gateway_down,
                                  .on_hello = s_on_gateway_hello,
                                  .arg = gateway};
    zvt_endpoint(endpoint, "order-entry", name);
    gateway->link = zvt_link_new(self->loop, endpoint, &self->identity, &handler);
    zvt_endpoint(endpoint, "market", name);
    gateway->market = zvt_subscriber_new(self->loop, endpoint, s_on_market, gateway);
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) zvt_subscriber_add(gateway->market, topics[i]);
}

/* ---- time ---- */
static void s_on_tick(void *arg)
{
    executor_t *self = arg;
    executor_core_on_time(self->core, s_now(self));
    emergency_core_on_time(self->emergency, s_now(self));
}

static void s_on_pace(void *arg)
{
    executor_t *self = arg;
    executor_core_on_time(self->core, s_now(self));
}

static void s_on_round(void *arg)
{
    executor_t *self = arg;
    zvt_loop_arm(self->loop, self->pace_timer, executor_core_next_ns(self->core, zvt_loop_monotonic_ns(self->loop)));
}

/* ---- status ---- */
static void s_print_venue(const executor_t *self, uint32_t venue, FILE *body)
{
    int64_t now_ns = zvt_loop_monotonic_ns(self->loop);
    const venue_health_t *health = router_core_health(self->router, venue);
    const breaker_t *breaker = router_core_breaker(self->router, venue);
    const pacer_core_t *pacer = executor_core_pacer(self->core, venue);
    bool timed = breaker->state == ZVT_CIRCUIT_OPEN && breaker->retry_ns > now_ns;
    char rate[ZVT_FIXED_TEXT];
    zvt_fixed_format(venue_health_failure_rate_e8(health, now_ns), rate);
    fprintf(body,
            "{\"name\": \"%s\", \"reachable\": %s, \"venue_seq\": %" PRIu64 ", \"latency_ms\": %.3f, \"failure_rate\": \"%s\""
            ", \"circuit\": \"%s\", \"circuit_reason\": \"%s\", \"failures\": %" PRIu32 ", \"retry_ms\": %" PRId64
            ", \"orders_waiting\": %" PRIu32 ", \"cancels_waiting\": %" PRIu32 "}",
            self->fleet->venues[venue].name, executor_core_reachable(self->core, venue) ? "true" : "false",
            executor_core_venue_seq(self->core, venue), (double)venue_health_latency_ns(health) / 1e6, rate,
            zvt_enum_text(ZVT_ENUM_OF_CIRCUIT, breaker->state), zvt_code_text(breaker->reason), breaker->failures,
            timed ? (breaker->retry_ns - now_ns) / ZVT_MS_NS : 0, pacer_core_orders(pacer), pacer_core_cancels(pacer));
}

static void s_on_stats(void *arg, FILE *body)
{
    executor_t *self = arg;
    fprintf(body,
            ", \"epoch\": %" PRIu64 ", \"acknowledged_epoch\": %" PRIu64 ", \"in_flight\": %" PRIu32
            ", \"killed\": %s, \"journal_entries\": %" PRIu32 ", \"venues\": [",
            executor_core_epoch(self->core), executor_core_acknowledged_epoch(self->core), executor_core_in_flight(self->core),
            emergency_core_is_latched(self->emergency, NULL) ? "true" : "false", emergency_core_entries(self->emergency));
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        if (i > 0) fputs(", ", body);
        s_print_venue(self, i, body);
    }
    fputc(']', body);
}

/* ---- start ---- */
_Noreturn ZVT_PRINTF(1, 2) static void s_give_up(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "zvt-executor: ");
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(ZVT_EXIT_CONFIG);
}

static void s_open_emergency(executor_t *self)
{
    static uint8_t s_journal[EMERGENCY_JOURNAL_MAX];
    size_t length = 0;
    emergency_out_t out = {.append = s_append_journal,
                           .replace = s_replace_journal,
                           .halt = s_halt,
                           .withdraw = s_withdraw,
                           .is_reachable = s_is_reachable,
                           .to_gateway = s_to_gateway,
                           .cancel = s_cancel,
                           .reply = s_reply,
                           .notice = s_notice,
                           .arg = self};
    snprintf(self->journal_path, sizeof self->journal_path, "%s/%s.journal", zvt_service_state_dir(self->service),
             zvt_service_name(self->service));
    self->emergency = emergency_core_new(self->fleet, &out, self->identity.incarnation);
    int status = zvt_file_load(self->journal_path, s_journal, sizeof s_journal, &length);
    if (status == 0) status = emergency_core_load(self->emergency, s_journal, length);
    if (status == ZVT_ERR_NOT_FOUND) status = emergency_core_load(self->emergency, s_journal, 0);
    if (status != 0)
        s_give_up("cannot read the kill switch's journal %s: %s; restore the file, or delete it if trading need not stay halted",
                  self->journal_path, zvt_strerror(status));
}

static void s_start(executor_t *self)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    self->identity = *zvt_service_identity(self->service);
    self->identity.epoch = zvt_epoch_file_open(&self->epoch_file, self->service);
    self->router = router_core_new(self->fleet);
    executor_out_t out = {.store_epoch = s_store_epoch,
                          .to_gateway = s_to_gateway,
                          .to_orchestrator = s_to_orchestrator,
                          .tell_gateways = s_tell_gateways,
                          .tell_orchestrator = s_tell_orchestrator,
                          .arg = self};
    self->core = executor_core_new(self->fleet, self->router, &out, self->identity.epoch);
    s_open_emergency(self);
    zvt_endpoint(endpoint, "execute", NULL);
    int status =
        zvt_hub_new(&self->hub, self->loop, endpoint, zvt_service_identity(self->service), s_on_request, s_on_hello, self);
    if (status != 0)
        s_give_up("cannot bind %s: %s; stop the other executor first", endpoint,
                  status == ZVT_ERR_EXISTS ? "another process serves it" : strerror(errno));
    zvt_hub_on_greeted(self->hub, s_on_greeted);
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) s_connect(self, i);
    self->pace_timer = zvt_loop_timer(self->loop, s_on_pace, self);
    zvt_loop_on_round(self->loop, s_on_round, self);
    zvt_loop_every(self->loop, TICK_NS, s_on_tick, self);
    zvt_service_on_stats(self->service, s_on_stats, self);
}

static void s_stop(executor_t *self)
{
    zvt_hub_destroy(&self->hub);
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        zvt_subscriber_destroy(&self->gateways[i].market);
        zvt_link_destroy(&self->gateways[i].link);
    }
    emergency_core_destroy(&self->emergency);
    executor_core_destroy(&self->core);
    router_core_destroy(&self->router);
}

int main(int argc, char **argv)
{
    const zvt_service_desc_t desc = {.program = "zvt-executor",
                                     .summary = "Chooses venues and passes orders and reports between orchestrator and gateways.",
                                     .role = ZVT_ROLE_EXECUTOR,
                                     .name = "executor"};
    executor_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->service = zvt_service_new(argc, argv, &desc);
    self->fleet = zvt_service_fleet(self->service);
    self->loop = zvt_service_loop(self->service);
    s_start(self);
    int exit_code = zvt_service_run(self->service);
    s_stop(self);
    zvt_service_destroy(&self->service);
    free(self);
    return exit_code;
}
