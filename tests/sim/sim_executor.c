/* Mirrors executor_main.c. Durable: the epoch, and the kill switch's journal. */
#include <stdlib.h>
#include <string.h>

#include "emergency_core.h"
#include "executor_core.h"
#include "sim_faults.h"
#include "sim_oracle.h"
#include "sim_procs.h"

#define TICK_NS (100 * ZVT_MS_NS)

typedef struct executor executor_t;
typedef struct {
    executor_t *executor;
    uint32_t venue;
    zvt_link_t *link;
    zvt_subscriber_t *market;
} gateway_link_t;

struct executor {
    sim_proc_t *proc;
    router_core_t *router;
    executor_core_t *core;
    emergency_core_t *emergency;
    zvt_hub_t *hub;
    zvt_hello_t identity;
    bool has_orchestrator;
    zvt_peer_t orchestrator;
    uint64_t orchestrator_incarnation, orchestrator_epoch;
    bool tell_orchestrator;
    int pace_timer;
    bool store_failed; /* while the present record was handled */
    gateway_link_t gateways[SIM_VENUES];
    zvt_route_reply_t reply;
};

/* The files. */
static uint64_t s_epoch;
static uint8_t s_journal[EMERGENCY_JOURNAL_MAX];
static size_t s_journal_length;
static bool s_journal_is_torn; /* its last entry is a part of one */

void sim_executor_reset(void)
{
    s_epoch = 0;
    s_journal_length = 0;
    s_journal_is_torn = false;
}

static executor_now_t s_now(void)
{
    return (executor_now_t){.utc_ns = sim_utc_ns(), .monotonic_ns = sim.now_ns};
}

/* ---- effects of the core ---- */
static int s_store_epoch(void *arg, uint64_t epoch)
{
    executor_t *self = arg;
    self->store_failed = sim_faults_store_fails();
    if (self->store_failed) return ZVT_ERR_IO;
    s_epoch = epoch;
    return 0;
}

static void s_to_gateway(void *arg, uint32_t venue, zvt_type_t type, const void *record)
{
    const executor_t *self = arg;
    bool killed = self->emergency != NULL && emergency_core_is_latched(self->emergency, NULL);
    if (type == ZVT_T_ORDER_SEND && killed)
        sim_violation("nothing is sent while the kill switch is on", NULL, "%s", ((const zvt_order_send_t *)record)->client_order_id);
    sim_oracle_on_pass(SIM_ORACLE_EXECUTOR, type, record);
    zvt_link_send(((executor_t *)arg)->gateways[venue].link, type, record);
}

static void s_to_orchestrator(void *arg, zvt_type_t type, const void *record)
{
    executor_t *self = arg;
    if (self->has_orchestrator) zvt_hub_send(self->hub, &self->orchestrator, type, record);
}

static void s_tell_gateways(void *arg)
{
    executor_t *self = arg;
    self->identity.epoch = executor_core_epoch(self->core);
    for (uint32_t i = 0; i < SIM_VENUES; i++) zvt_link_hello(self->gateways[i].link);
}

static void s_tell_orchestrator(void *arg)
{
    executor_t *self = arg;
    if (!self->has_orchestrator) return;
    zvt_hello_t hello = self->proc->identity;
    hello.epoch = executor_core_acknowledged_epoch(self->core);
    hello.reply = true;
    zvt_hub_send(self->hub, &self->orchestrator, ZVT_T_HELLO, &hello);
}

/* ---- effects of the kill switch ---- */
static int s_append_journal(void *arg, const void *data, size_t length)
{
    (void)arg;
    if (s_journal_is_torn) sim_violation("nothing is written behind a torn entry of the journal", NULL, "%zu bytes", length);
    if (sim_faults_store_fails()) return ZVT_ERR_IO;
    ZVT_ASSERT(s_journal_length + length <= sizeof s_journal);
    memcpy(s_journal + s_journal_length, data, length);
    s_journal_length += length;
    return 0;
}

static int s_replace_journal(void *arg, const void *data, size_t length)
{
    (void)arg;
    if (sim_faults_store_fails()) return ZVT_ERR_IO;
    memcpy(s_journal, data, length);
    s_journal_length = length;
    s_journal_is_torn = false;
    return 0;
}

/* A crash in the middle of an append leaves a part of it: here of a copy of the first record. */
static void s_tear_journal(void)
{
    size_t left = sizeof s_journal - s_journal_length;
    if (sim.closing || s_journal_is_torn || s_journal_length < 16 || left < s_journal_length || sim_below(4) != 0) return;
    size_t part = 1 + (size_t)sim_below(15);
    memcpy(s_journal + s_journal_length, s_journal, part);
    s_journal_length += part;
    s_journal_is_torn = true;
    SIM_COUNT("fault journal torn");
}

static void s_halt(void *arg, const char *reason)
{
    executor_core_halt(((executor_t *)arg)->core, reason);
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
    executor_core_cancel(((executor_t *)arg)->core, venue, client_order_id, s_now());
}

static void s_reply(void *arg, const emergency_client_t *client, const zvt_kill_reply_t *reply)
{
    zvt_peer_t peer;
    memcpy(&peer, client->bytes, sizeof peer);
    zvt_hub_send(((executor_t *)arg)->hub, &peer, ZVT_T_KILL_REPLY, reply);
}

static void s_notice(void *arg, const zvt_kill_notice_t *notice)
{
    executor_t *self = arg;
    if (self->has_orchestrator) zvt_hub_send(self->hub, &self->orchestrator, ZVT_T_KILL_NOTICE, notice);
}

static void s_open_emergency(executor_t *self)
{
    emergency_out_t out = {.append = s_append_journal, .replace = s_replace_journal, .halt = s_halt, .withdraw = s_withdraw,
                           .is_reachable = s_is_reachable, .to_gateway = s_to_gateway, .cancel = s_cancel, .reply = s_reply,
                           .notice = s_notice, .arg = self};
    static uint8_t loaded[EMERGENCY_JOURNAL_MAX]; /* loading writes the file anew */
    memcpy(loaded, s_journal, s_journal_length);
    self->emergency = emergency_core_new(sim.fleet, &out, self->identity.incarnation);
    int status = emergency_core_load(self->emergency, loaded, s_journal_length);
    if (status != 0) sim_violation("the kill switch's journal can be read", NULL, "%s", zvt_strerror(status));
}

/* ---- the hub ---- */
static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    executor_t *self = arg;
    emergency_client_t client = {{0}};
    memcpy(client.bytes, peer, sizeof *peer);
    switch (record->type) {
    case ZVT_T_ROUTE_REQUEST:
        executor_core_route(self->core, &record->route_request, sim.now_ns, &self->reply);
        zvt_hub_send(self->hub, peer, ZVT_T_ROUTE_REPLY, &self->reply);
        break;
    case ZVT_T_KILL_REQUEST: emergency_core_on_request(self->emergency, &client, &record->kill_request, s_now()); break;
    case ZVT_T_KILL_NOTED: emergency_core_on_noted(self->emergency, &record->kill_noted); break;
    default:
        self->store_failed = false;
        sim_oracle_on_come(record->type, &record->hello);
        (void)executor_core_on_request(self->core, record, s_now());
        if (!self->store_failed) sim_oracle_on_told(SIM_ORACLE_EXECUTOR, record->type, &record->hello);
    }
}

static bool s_same_peer(const zvt_peer_t *a, const zvt_peer_t *b)
{
    return a->id_length == b->id_length && memcmp(a->id, b->id, a->id_length) == 0;
}

static void s_tell_new_orchestrator(executor_t *self)
{
    emergency_core_tell(self->emergency);
    executor_core_tell_tips(self->core);
    executor_core_tell_circuits(self->core, s_now());
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    executor_t *self = arg;
    self->store_failed = false;
    bool obeyed = executor_core_on_hello(self->core, hello);
    if (!self->store_failed) sim_oracle_on_told(SIM_ORACLE_EXECUTOR, ZVT_T_HELLO, hello);
    if (obeyed) {
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
    gateway_link_t *gateway = arg;
    executor_core_on_gateway_up(gateway->executor->core, gateway->venue, peer, s_now());
}

static void s_on_gateway_down(void *arg)
{
    gateway_link_t *gateway = arg;
    executor_core_on_gateway_down(gateway->executor->core, gateway->venue, s_now());
}

static void s_on_gateway_hello(void *arg, const zvt_hello_t *peer)
{
    gateway_link_t *gateway = arg;
    executor_core_on_gateway_hello(gateway->executor->core, gateway->venue, peer);
}

static void s_on_gateway_record(void *arg, const zvt_record_t *record)
{
    gateway_link_t *gateway = arg;
    if (emergency_core_on_gateway_record(gateway->executor->emergency, gateway->venue, record, s_now())) return;
    executor_core_on_gateway_record(gateway->executor->core, gateway->venue, record, s_now());
}

static void s_on_market(void *arg, const char *topic, const zvt_record_t *record)
{
    const gateway_link_t *gateway = arg;
    router_core_t *router = gateway->executor->router;
    (void)topic;
    switch (record->type) {
    case ZVT_T_PRICE_UPDATED: router_core_on_quote(router, gateway->venue, &record->price_updated); break;
    case ZVT_T_ORDERBOOK_UPDATED: router_core_on_book(router, gateway->venue, &record->orderbook_updated); break;
    case ZVT_T_MARKET_STATUS: router_core_on_status(router, gateway->venue, &record->market_status); break;
    default: break;
    }
}

static void s_connect(executor_t *self, uint32_t venue)
{
    static const char *const topics[] = {"quote.", "book.", "status."};
    gateway_link_t *gateway = &self->gateways[venue];
    const char *name = sim.fleet->venues[venue].name;
    char endpoint[ZVT_ENDPOINT_SIZE];
    *gateway = (gateway_link_t){.executor = self, .venue = venue};
    zvt_link_handler_t handler = {.on_record = s_on_gateway_record, .on_up = s_on_gateway_up, .on_down = s_on_gateway_down,
                                  .on_hello = s_on_gateway_hello, .arg = gateway};
    zvt_endpoint(endpoint, "order-entry", name);
    gateway->link = zvt_link_new(self->proc->loop, endpoint, &self->identity, &handler);
    zvt_endpoint(endpoint, "market", name);
    gateway->market = zvt_subscriber_new(self->proc->loop, endpoint, s_on_market, gateway);
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) zvt_subscriber_add(gateway->market, topics[i]);
}

static void s_on_tick(void *arg)
{
    executor_t *self = arg;
    executor_core_on_time(self->core, s_now());
    emergency_core_on_time(self->emergency, s_now());
}

static void s_on_pace(void *arg)
{
    executor_core_on_time(((executor_t *)arg)->core, s_now());
}

static void s_on_round(void *arg)
{
    executor_t *self = arg;
    zvt_loop_arm(self->proc->loop, self->pace_timer, executor_core_next_ns(self->core, sim.now_ns));
}

void *sim_executor_start(sim_proc_t *proc)
{
    executor_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->proc = proc;
    self->identity = proc->identity;
    self->identity.epoch = s_epoch;
    self->router = router_core_new(sim.fleet);
    executor_out_t out = {.store_epoch = s_store_epoch, .to_gateway = s_to_gateway, .to_orchestrator = s_to_orchestrator,
                          .tell_gateways = s_tell_gateways, .tell_orchestrator = s_tell_orchestrator, .arg = self};
    self->core = executor_core_new(sim.fleet, self->router, &out, s_epoch);
    s_open_emergency(self);
    ZVT_ASSERT(zvt_hub_new(&self->hub, proc->loop, "execute", &proc->identity, s_on_request, s_on_hello, self) == 0);
    zvt_hub_on_greeted(self->hub, s_on_greeted);
    for (uint32_t i = 0; i < SIM_VENUES; i++) s_connect(self, i);
    self->pace_timer = zvt_loop_timer(proc->loop, s_on_pace, self);
    zvt_loop_on_round(proc->loop, s_on_round, self);
    zvt_loop_every(proc->loop, TICK_NS, s_on_tick, self);
    return self;
}

void sim_executor_stop(sim_proc_t *proc)
{
    executor_t *self = proc->run;
    s_tear_journal();
    zvt_hub_destroy(&self->hub);
    for (uint32_t i = 0; i < SIM_VENUES; i++) {
        zvt_subscriber_destroy(&self->gateways[i].market);
        zvt_link_destroy(&self->gateways[i].link);
    }
    emergency_core_destroy(&self->emergency);
    executor_core_destroy(&self->core);
    router_core_destroy(&self->router);
    free(self);
}

sim_doing_t sim_executor_doing(sim_proc_t *proc)
{
    const executor_t *self = proc->run;
    if (!self->has_orchestrator) return SIM_DOING_STARTING;
    if (!emergency_core_is_idle(self->emergency)) return SIM_DOING_WORKING;
    return executor_core_in_flight(self->core) > 0 ? SIM_DOING_WORKING : SIM_DOING_IDLE;
}

bool sim_executor_is_killed(void)
{
    const sim_proc_t *proc = sim_proc(SIM_EXECUTOR, 0);
    return proc->alive && emergency_core_is_latched(((const executor_t *)proc->run)->emergency, NULL);
}

uint32_t sim_executor_unlogged(void)
{
    const sim_proc_t *proc = sim_proc(SIM_EXECUTOR, 0);
    return proc->alive ? emergency_core_entries(((const executor_t *)proc->run)->emergency) : 0;
}
