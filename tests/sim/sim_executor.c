/* Mirrors executor_main.c. Durable: the epoch. */
#include <stdlib.h>
#include <string.h>

#include "executor_core.h"
#include "sim_faults.h"
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
    zvt_hub_t *hub;
    zvt_hello_t identity;
    bool has_orchestrator;
    zvt_peer_t orchestrator;
    uint64_t orchestrator_incarnation;
    gateway_link_t gateways[SIM_VENUES];
    zvt_route_reply_t reply;
};

static uint64_t s_epoch; /* the file */

void sim_executor_reset(void)
{
    s_epoch = 0;
}

static executor_now_t s_now(void)
{
    return (executor_now_t){.utc_ns = sim_utc_ns(), .monotonic_ns = sim.now_ns};
}

/* ---- effects of the core ---- */
static int s_store_epoch(void *arg, uint64_t epoch)
{
    (void)arg;
    if (sim_faults_store_fails()) return ZVT_ERR_IO;
    s_epoch = epoch;
    return 0;
}

static void s_to_gateway(void *arg, uint32_t venue, zvt_type_t type, const void *record)
{
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

/* ---- the hub ---- */
static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    executor_t *self = arg;
    if (record->type == ZVT_T_ROUTE_REQUEST) {
        router_core_route(self->router, &record->route_request, sim.now_ns, &self->reply);
        zvt_hub_send(self->hub, peer, ZVT_T_ROUTE_REPLY, &self->reply);
    } else {
        (void)executor_core_on_request(self->core, record, s_now());
    }
}

static bool s_same_peer(const zvt_peer_t *a, const zvt_peer_t *b)
{
    return a->id_length == b->id_length && memcmp(a->id, b->id, a->id_length) == 0;
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    executor_t *self = arg;
    if (executor_core_on_hello(self->core, hello)) {
        bool is_new = !self->has_orchestrator || !s_same_peer(peer, &self->orchestrator) ||
                      hello->incarnation != self->orchestrator_incarnation;
        self->has_orchestrator = true;
        self->orchestrator = *peer;
        self->orchestrator_incarnation = hello->incarnation;
        if (is_new) executor_core_tell_tips(self->core);
    }
    reply->epoch = executor_core_acknowledged_epoch(self->core);
}

/* ---- the gateways ---- */
static void s_on_gateway_up(void *arg, const zvt_hello_t *peer)
{
    gateway_link_t *gateway = arg;
    executor_core_on_gateway_up(gateway->executor->core, gateway->venue, peer);
}

static void s_on_gateway_down(void *arg)
{
    gateway_link_t *gateway = arg;
    executor_core_on_gateway_down(gateway->executor->core, gateway->venue);
}

static void s_on_gateway_hello(void *arg, const zvt_hello_t *peer)
{
    gateway_link_t *gateway = arg;
    executor_core_on_gateway_hello(gateway->executor->core, gateway->venue, peer);
}

static void s_on_gateway_record(void *arg, const zvt_record_t *record)
{
    gateway_link_t *gateway = arg;
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
    executor_core_on_time(((executor_t *)arg)->core, s_now());
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
    ZVT_ASSERT(zvt_hub_new(&self->hub, proc->loop, "execute", &proc->identity, s_on_request, s_on_hello, self) == 0);
    for (uint32_t i = 0; i < SIM_VENUES; i++) s_connect(self, i);
    zvt_loop_every(proc->loop, TICK_NS, s_on_tick, self);
    return self;
}

void sim_executor_stop(sim_proc_t *proc)
{
    executor_t *self = proc->run;
    zvt_hub_destroy(&self->hub);
    for (uint32_t i = 0; i < SIM_VENUES; i++) {
        zvt_subscriber_destroy(&self->gateways[i].market);
        zvt_link_destroy(&self->gateways[i].link);
    }
    executor_core_destroy(&self->core);
    router_core_destroy(&self->router);
    free(self);
}

sim_doing_t sim_executor_doing(sim_proc_t *proc)
{
    const executor_t *self = proc->run;
    if (!self->has_orchestrator) return SIM_DOING_STARTING;
    return executor_core_in_flight(self->core) > 0 ? SIM_DOING_WORKING : SIM_DOING_IDLE;
}
