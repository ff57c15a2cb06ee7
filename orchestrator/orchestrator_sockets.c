#include <inttypes.h>

#include "orchestrator.h"

enum { SUBSCRIPTIONS_MAX = 256 /* read per round */ };

/* ---- the core's way out ---- */
void orchestrator_sockets_ask(void *arg, turn_service_t service, zvt_type_t type, const void *record)
{
    orchestrator_t *self = arg;
    zvt_link_send(self->services[service].link, type, record);
    log_writer_feed(self->writer);
}

void orchestrator_sockets_reply(void *arg, const turn_client_t *client, zvt_type_t type, const void *record)
{
    orchestrator_t *self = arg;
    zvt_peer_t peer;
    memcpy(&peer, client->bytes, sizeof peer);
    zvt_hub_send(self->requests, &peer, type, record);
    log_writer_feed(self->writer);
}
_Static_assert(sizeof(zvt_peer_t) <= TURN_CLIENT_SIZE, "a peer fits into a client");

void orchestrator_sockets_publish(void *arg, const char *topic, const void *data, size_t length)
{
    orchestrator_t *self = arg;
    (void)zvt_publish(self->events, topic, data, length);
    zvt_loop_check(self->loop, self->events);
}

/* ---- clients and strategies ---- */
static void s_on_signal(void *arg, const zvt_record_t *record)
{
    orchestrator_t *self = arg;
    orchestrator_begin(self);
    turn_core_on_record(self->core, TURN_FROM_SIGNALS, NULL, record);
}

static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    orchestrator_t *self = arg;
    turn_client_t client = {{0}};
    memcpy(client.bytes, peer, sizeof *peer);
    orchestrator_begin(self);
    if (record->type == ZVT_T_HALT_REQUEST) orchestrator_log_latch_halt(self, &record->halt_request);
    turn_core_on_record(self->core, TURN_FROM_CLIENT, &client, record);
}

/* One frame that a subscriber sent: a byte, 1 for a subscription and 0 for its end, and the topic. libzmq hands on
 * whatever else somebody sends to a publisher. */
static void s_note_subscription(orchestrator_t *self, const char *bytes, int length)
{
    static const char prefix[] = "event";
    enum { PREFIX_LENGTH = sizeof prefix - 1 };
    if (length < 1 || (bytes[0] != 0 && bytes[0] != 1)) {
        ZVT_COUNT("malformed");
        return;
    }
    size_t topic_length = (size_t)length - 1;
    if (memcmp(bytes + 1, prefix, topic_length < PREFIX_LENGTH ? topic_length : PREFIX_LENGTH) != 0) return;
    if (bytes[0] == 1)
        self->type_subscriptions++;
    else if (self->type_subscriptions > 0)
        self->type_subscriptions--;
}

/* Casual viewers' subscriptions: topics by event type are published only while somebody wants them. */
static void s_on_subscription(void *arg)
{
    orchestrator_t *self = arg;
    for (int n = 0; n < SUBSCRIPTIONS_MAX; n++) {
        char bytes[128];
        int length = zmq_recv(zsock_resolve(self->events), bytes, sizeof bytes, ZMQ_DONTWAIT);
        if (length < 0) break;
        s_note_subscription(self, bytes, length < (int)sizeof bytes ? length : (int)sizeof bytes);
    }
    zvt_loop_check(self->loop, self->events);
    turn_core_publish_types(self->core, self->type_subscriptions > 0);
}

/* ---- services ---- */
/* Names the service in the callbacks of its link. */
typedef struct {
    orchestrator_t *self;
    turn_service_t service;
} service_arg_t;
static service_arg_t s_service_args[TURN_SERVICES];

static void s_on_service_record(void *arg, const zvt_record_t *record)
{
    orchestrator_t *self = ((service_arg_t *)arg)->self;
    orchestrator_begin(self);
    if (record->type == ZVT_T_REPORTS_TIP) orchestrator_log_note_epoch(self, record->reports_tip.epoch);
    turn_core_on_record(self->core, TURN_FROM_SERVICE, NULL, record);
}

static void s_on_service_up(void *arg, const zvt_hello_t *peer)
{
    const service_arg_t *service = arg;
    orchestrator_begin(service->self);
    zvt_info("%s answers (%s)", service->self->services[service->service].name, peer->name);
    turn_core_on_service_up(service->self->core, service->service, peer->incarnation);
}

static void s_on_service_hello(void *arg, const zvt_hello_t *peer)
{
    orchestrator_log_note_epoch(((service_arg_t *)arg)->self, peer->epoch);
}

static void s_on_service_down(void *arg)
{
    const service_arg_t *service = arg;
    orchestrator_begin(service->self);
    zvt_warn("%s does not answer", service->self->services[service->service].name);
    turn_core_on_service_down(service->self->core, service->service);
}

static void s_link_services(orchestrator_t *self)
{
    static const char *const names[TURN_SERVICES] = {[TURN_RISK] = "risk", [TURN_EXECUTOR] = "execute", [TURN_PORTFOLIO] = "portfolio"};
    for (unsigned i = 0; i < TURN_SERVICES; i++) {
        char endpoint[ZVT_ENDPOINT_SIZE];
        s_service_args[i] = (service_arg_t){.self = self, .service = (turn_service_t)i};
        zvt_link_handler_t handler = {.on_record = s_on_service_record, .on_up = s_on_service_up, .on_down = s_on_service_down,
                                      .arg = &s_service_args[i]};
        if (i == TURN_EXECUTOR) handler.on_hello = s_on_service_hello; /* the others do not speak for venues */
        zvt_endpoint(endpoint, names[i], NULL);
        self->services[i].name = names[i];
        self->services[i].link = zvt_link_new(self->loop, endpoint, &self->identity, &handler);
    }
}

void orchestrator_sockets_hello(orchestrator_t *self)
{
    for (unsigned i = 0; i < TURN_SERVICES; i++) zvt_link_hello(self->services[i].link);
}

void orchestrator_sockets_publish_life(orchestrator_t *self)
{
    char topic[32];
    zvt_buf_t hello = {.data = (uint8_t[256]){0}, .capacity = 256};
    if (self->events == NULL) return;
    snprintf(topic, sizeof topic, "log.%" PRId64, zvt_service_fleet(self->service)->shard);
    ZVT_ASSERT(zvt_pack(&hello, ZVT_T_HELLO, &self->identity) == 0);
    orchestrator_sockets_publish(self, topic, hello.data, hello.length);
}

/* ---- life ---- */
/* The endpoint's text in `endpoint`, free to be bound when it may be taken away from its present owner. */
static void s_endpoint(const char *name, bool take, char endpoint[ZVT_ENDPOINT_SIZE])
{
    zvt_endpoint(endpoint, name, NULL);
    if (take) zvt_socket_evict(endpoint);
}

static int s_bind(orchestrator_t *self, bool take, char endpoint[ZVT_ENDPOINT_SIZE])
{
    s_endpoint("signals", take, endpoint);
    int status = zvt_puller_new(&self->signals, self->loop, endpoint, s_on_signal, self);
    if (status != 0) return status;
    s_endpoint("request", take, endpoint);
    status = zvt_hub_new(&self->requests, self->loop, endpoint, &self->identity, s_on_request, NULL, self);
    if (status != 0) return status;
    s_endpoint("events", take, endpoint);
    self->events = zvt_socket_new(ZMQ_XPUB);
    return zvt_socket_bind(self->events, endpoint);
}

bool orchestrator_sockets_are_ours(const orchestrator_t *self)
{
    static const char *const names[] = {"signals", "request", "events"};
    bool ours = true;
    for (size_t i = 0; self->events != NULL && i < sizeof names / sizeof names[0]; i++) {
        char endpoint[ZVT_ENDPOINT_SIZE];
        zvt_endpoint(endpoint, names[i], NULL);
        ours = ours && zvt_socket_is_ours(endpoint);
    }
    return ours;
}

void orchestrator_sockets_open(orchestrator_t *self, bool take)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    if (self->events != NULL) return;
    int status = s_bind(self, take, endpoint);
    if (status != 0) {
        zvt_error("cannot bind %s: %s; does another orchestrator run in this fleet?", endpoint, zvt_strerror(status));
        exit(ZVT_EXIT_CONFIG);
    }
    zvt_loop_add_socket(self->loop, self->events, s_on_subscription, self);
    s_link_services(self);
}

void orchestrator_sockets_close(orchestrator_t *self)
{
    for (unsigned i = 0; i < TURN_SERVICES; i++) zvt_link_destroy(&self->services[i].link);
    zvt_puller_destroy(&self->signals);
    zvt_hub_destroy(&self->requests);
    if (self->events != NULL) zvt_loop_remove_socket(self->loop, self->events);
    zsock_destroy(&self->events);
}
