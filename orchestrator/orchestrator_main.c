/* zvt-orchestrator: sockets, the database and the clock around the turn core. It decides nothing about trading. */
#include <inttypes.h>

#include "checkpoint_store.h"
#include "log_reader.h"
#include "log_writer.h"
#include "turn_core.h"
#include "zvt_hub.h"
#include "zvt_link.h"
#include "zvt_puller.h"
#include "zvt_service.h"
#include "zvt_time.h"

enum { RECOVERY_CHUNK = 4000, SUBSCRIPTIONS_MAX = 256 /* read per round */ };
#define TIP_PERIOD_NS (250 * ZVT_MS_NS)
#define LOOK_NS (20 * ZVT_MS_NS) /* how exactly `fleet status` knows when it traded again */
#define RETRY_NS (200 * ZVT_MS_NS)
#define RETRY_MAX_NS (2 * ZVT_SECOND_NS)
#define STAYS_NS (5 * ZVT_SECOND_NS) /* a log that stayed open for so long may be taken again at once */
#define SECOND_NS ZVT_SECOND_NS

/* Where the process stands with the log. */
typedef enum {
    LOG_AWAY,     /* no lease: the database is away, or was lost */
    LOG_FOLDING,  /* the lease is taken; history is being folded */
    LOG_OPEN      /* the core works */
} log_state_t;

typedef struct {
    const char *name; /* socket that serves it */
    zvt_link_t *link;
} service_link_t;

typedef struct {
    zvt_service_t *service;
    zvt_loop_t *loop;
    turn_core_t *core;
    log_writer_t *writer;
    log_reader_t *reader;
    checkpoint_store_t *checkpoints;
    zvt_puller_t *signals;
    zvt_hub_t *requests;
    zsock_t *events;
    zvt_hello_t identity;
    service_link_t services[TURN_SERVICES];
    log_state_t state;
    uint64_t epoch, folded_seq, last_seq; /* while folding */
    int64_t lost_ns;                      /* monotonic: when the log went away */
    int64_t retry_ns;                     /* before the lease is taken again; doubles while the log does not stay */
    int64_t opened_ns;                    /* monotonic: when the core was opened last */
    uint64_t seen_epoch;                  /* highest that executor or gateways answered with */
    char halt_path[512];                  /* holds who halted and why, while an operator's halt is in force */
    int wake_timer, retry_timer;
    uint32_t type_subscriptions;
    uint64_t ended_before;                /* orders ended a second ago */
    uint64_t orders_per_second;
} orchestrator_t;

/* ---- the world of the turn core ---- */
static void s_commit(void *arg, const turn_batch_t *batch)
{
    log_writer_append(((orchestrator_t *)arg)->writer, batch);
}

static void s_ask(void *arg, turn_service_t service, zvt_type_t type, const void *record)
{
    zvt_link_send(((orchestrator_t *)arg)->services[service].link, type, record);
}

static void s_reply(void *arg, const turn_client_t *client, zvt_type_t type, const void *record)
{
    zvt_peer_t peer;
    memcpy(&peer, client->bytes, sizeof peer);
    zvt_hub_send(((orchestrator_t *)arg)->requests, &peer, type, record);
}
_Static_assert(sizeof(zvt_peer_t) <= TURN_CLIENT_SIZE, "a peer fits into a client");

static void s_publish(void *arg, const char *topic, const void *data, size_t length)
{
    (void)zvt_publish(((orchestrator_t *)arg)->events, topic, data, length);
}

static void s_tell_time(orchestrator_t *self)
{
    turn_core_set_time(self->core, zvt_loop_utc_ns(self->loop), zvt_loop_monotonic_ns(self->loop));
}

/* ---- the operator's halt, which must hold with and without a log ---- */
static void s_latch_halt(orchestrator_t *self, const zvt_halt_request_t *request)
{
    if (!request->halt) {
        if (self->state != LOG_OPEN || turn_core_is_stalled(self->core)) return; /* the resume is refused */
        (void)unlink(self->halt_path);
        turn_core_latch_halt(self->core, NULL, NULL);
        return;
    }
    FILE *out = fopen(self->halt_path, "we");
    bool written = out != NULL && fprintf(out, "%s\n%s\n", request->requested_by, request->reason) > 0 && fflush(out) == 0 &&
                   fsync(fileno(out)) == 0;
    if (out != NULL) fclose(out);
    if (!written) zvt_error("cannot write %s: %s; the halt holds until this process ends", self->halt_path, strerror(errno));
    if (self->state != LOG_OPEN) turn_core_latch_halt(self->core, request->requested_by, request->reason);
}

static void s_load_halt(orchestrator_t *self)
{
    char by[ZVT_NAME_SIZE] = "", reason[ZVT_MESSAGE_SIZE] = "";
    snprintf(self->halt_path, sizeof self->halt_path, "%s/%s.halt", zvt_service_state_dir(self->service), zvt_service_name(self->service));
    FILE *in = fopen(self->halt_path, "re");
    if (in == NULL) return;
    if (fgets(by, sizeof by, in) != NULL && fgets(reason, sizeof reason, in) == NULL) reason[0] = '\0';
    fclose(in);
    by[strcspn(by, "\n")] = reason[strcspn(reason, "\n")] = '\0';
    turn_core_latch_halt(self->core, by, reason);
    zvt_warn("halted by %s (%s); 'fleet resume' ends it", by, reason);
}

/* ---- sockets ---- */
static void s_on_signal(void *arg, const zvt_record_t *record)
{
    orchestrator_t *self = arg;
    s_tell_time(self);
    turn_core_on_record(self->core, TURN_FROM_SIGNALS, NULL, record);
}

static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    orchestrator_t *self = arg;
    turn_client_t client = {{0}};
    memcpy(client.bytes, peer, sizeof *peer);
    s_tell_time(self);
    if (record->type == ZVT_T_HALT_REQUEST) s_latch_halt(self, &record->halt_request);
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
    turn_core_publish_types(self->core, self->type_subscriptions > 0);
}

static void s_on_lost(void *arg, const char *reason, bool fenced);

/* Somebody on the way to the venues has obeyed a higher epoch than ours: the database is older than their memory (it was
 * restored, or made anew). They would refuse every order, so the lease is taken again above what they saw. */
static void s_note_epoch(orchestrator_t *self, uint64_t epoch)
{
    if (epoch <= self->seen_epoch || epoch > INT64_MAX / 2) return;
    self->seen_epoch = epoch;
    if (self->state != LOG_OPEN || epoch <= self->epoch) return;
    zvt_warn("executor or gateways know epoch %" PRIu64 ", this log only %" PRIu64 "; taking the lease again above it", epoch,
             self->epoch);
    s_on_lost(self, "a higher epoch was seen", false);
}

static void s_on_service_record(void *arg, const zvt_record_t *record)
{
    orchestrator_t *self = arg;
    s_tell_time(self);
    if (record->type == ZVT_T_REPORTS_TIP) s_note_epoch(self, record->reports_tip.epoch);
    turn_core_on_record(self->core, TURN_FROM_SERVICE, NULL, record);
}

/* Names the service in the callbacks of its link. */
typedef struct {
    orchestrator_t *self;
    turn_service_t service;
} service_arg_t;
static service_arg_t s_service_args[TURN_SERVICES];

static void s_on_service_up(void *arg, const zvt_hello_t *peer)
{
    service_arg_t *service = arg;
    s_tell_time(service->self);
    zvt_info("%s answers (%s)", service->self->services[service->service].name, peer->name);
    turn_core_on_service_up(service->self->core, service->service, peer->incarnation);
}

static void s_on_service_hello(void *arg, const zvt_hello_t *peer)
{
    s_note_epoch(((service_arg_t *)arg)->self, peer->epoch);
}

static void s_on_service_down(void *arg)
{
    service_arg_t *service = arg;
    s_tell_time(service->self);
    zvt_warn("%s does not answer", service->self->services[service->service].name);
    turn_core_on_service_down(service->self->core, service->service);
}

static void s_on_service_record_of(void *arg, const zvt_record_t *record)
{
    s_on_service_record(((service_arg_t *)arg)->self, record);
}

static void s_link_services(orchestrator_t *self)
{
    static const char *const names[TURN_SERVICES] = {[TURN_RISK] = "risk", [TURN_EXECUTOR] = "execute", [TURN_PORTFOLIO] = "portfolio"};
    for (unsigned i = 0; i < TURN_SERVICES; i++) {
        char endpoint[ZVT_ENDPOINT_SIZE];
        s_service_args[i] = (service_arg_t){.self = self, .service = (turn_service_t)i};
        zvt_link_handler_t handler = {.on_record = s_on_service_record_of, .on_up = s_on_service_up,
                                      .on_down = s_on_service_down, .arg = &s_service_args[i]};
        if (i == TURN_EXECUTOR) handler.on_hello = s_on_service_hello; /* the others do not speak for venues */
        zvt_endpoint(endpoint, names[i], NULL);
        self->services[i].name = names[i];
        self->services[i].link = zvt_link_new(self->loop, endpoint, &self->identity, &handler);
    }
}

/* ---- the log ---- */
static void s_on_committed(void *arg)
{
    orchestrator_t *self = arg;
    if (self->state != LOG_OPEN) return; /* the core was voided meanwhile and will read what was committed */
    s_tell_time(self);
    turn_core_on_commit(self->core);
}

/* The outcome of the last commit may not be known: forget everything and look. */
static void s_on_lost(void *arg, const char *reason, bool fenced)
{
    orchestrator_t *self = arg;
    zvt_error("the event log is lost: %s", reason);
    ZVT_COUNT("log_lost");
    self->state = LOG_AWAY;
    self->lost_ns = zvt_loop_monotonic_ns(self->loop);
    turn_core_abandon(self->core);
    turn_core_clear(self->core);
    s_load_halt(self);
    if (fenced) {
        zvt_error("another orchestrator has taken the lease of shard %" PRId64 "; leaving", zvt_service_fleet(self->service)->shard);
        zvt_service_exit(self->service, ZVT_EXIT_TEMPORARY);
        return;
    }
    bool stayed = self->opened_ns != 0 && self->lost_ns - self->opened_ns > STAYS_NS;
    self->retry_ns = stayed || self->retry_ns == 0 ? 1 : self->retry_ns < RETRY_NS ? RETRY_NS : 2 * self->retry_ns;
    if (self->retry_ns > RETRY_MAX_NS) self->retry_ns = RETRY_MAX_NS;
    zvt_loop_arm(self->loop, self->retry_timer, self->lost_ns + self->retry_ns);
}

static int s_on_history(void *arg, const zvt_event_t *event)
{
    orchestrator_t *self = arg;
    int status = turn_core_fold(self->core, event);
    if (status == 0) self->folded_seq = event->seq;
    return status;
}

/* The newest checkpoint, if there is a usable one; the events after it are folded then. */
static void s_load_checkpoint(orchestrator_t *self)
{
    char problem[256] = "";
    turn_core_clear(self->core);
    int status = checkpoint_store_load(self->checkpoints, self->core, problem);
    bool beyond = status == 0 && turn_core_folded_seq(self->core) > self->last_seq;
    if (beyond) snprintf(problem, sizeof problem, "the checkpoint is of another log");
    if (status != 0 || beyond) turn_core_clear(self->core);
    if (problem[0] != '\0') zvt_warn("%s; folding the whole log", problem);
    self->folded_seq = turn_core_folded_seq(self->core);
}

static void s_take_lease(orchestrator_t *self)
{
    char problem[256] = "";
    if (log_writer_take(self->writer, self->seen_epoch, &self->epoch, &self->last_seq, problem) != 0) {
        if (zvt_diag_allowed()) zvt_warn("the event log cannot be written yet: %s", problem);
        zvt_loop_arm(self->loop, self->retry_timer, zvt_loop_monotonic_ns(self->loop) + RETRY_NS);
        return;
    }
    zvt_info("lease taken: epoch %" PRIu64 ", last seq %" PRIu64, self->epoch, self->last_seq);
    s_load_checkpoint(self);
    self->state = LOG_FOLDING;
}

static void s_open(orchestrator_t *self)
{
    self->state = LOG_OPEN;
    self->opened_ns = zvt_loop_monotonic_ns(self->loop);
    s_tell_time(self);
    turn_core_open(self->core, self->epoch, zvt_monotonic_ns() - self->lost_ns);
    self->identity.epoch = self->epoch;
    for (unsigned i = 0; i < TURN_SERVICES; i++) {
        zvt_link_hello(self->services[i].link);
    }
    zvt_info("open: epoch %" PRIu64 ", state as of seq %" PRIu64 " after %.0f ms", self->epoch, self->folded_seq,
             (double)(zvt_monotonic_ns() - self->lost_ns) / 1e6);
    zvt_service_ready(self->service);
}

/* A chunk per round, so that the sockets stay answered meanwhile. */
static void s_fold_chunk(orchestrator_t *self)
{
    char problem[256] = "";
    if (self->folded_seq >= self->last_seq) {
        s_open(self);
        return;
    }
    int status = log_reader_read(self->reader, self->folded_seq + 1, self->last_seq, RECOVERY_CHUNK, NULL, s_on_history, self, problem);
    if (status == ZVT_ERR_IO) {
        s_on_lost(self, problem, false);
    } else if (status != 0) {
        zvt_error("the event log contradicts itself: %s; look at it with 'fleet psql', nothing is traded meanwhile", problem);
        zvt_service_exit(self->service, ZVT_EXIT_CONFIG);
    }
    zvt_loop_again(self->loop);
}

static void s_on_retry(void *arg)
{
    orchestrator_t *self = arg;
    if (self->state == LOG_AWAY) s_take_lease(self);
    zvt_loop_again(self->loop);
}

/* ---- rounds and timers ---- */
static void s_on_round(void *arg)
{
    orchestrator_t *self = arg;
    s_tell_time(self);
    if (self->state == LOG_FOLDING) s_fold_chunk(self);
    turn_core_end_turn(self->core);
    zvt_loop_arm(self->loop, self->wake_timer, turn_core_next_ns(self->core));
}

static void s_on_wake(void *arg)
{
    (void)arg; /* the end of the round does the work */
}

static void s_on_tip(void *arg)
{
    turn_core_publish_tip(((orchestrator_t *)arg)->core);
}

static void s_on_second(void *arg)
{
    orchestrator_t *self = arg;
    turn_status_t status;
    turn_core_status(self->core, &status);
    self->orders_per_second = status.orders_ended - self->ended_before;
    self->ended_before = status.orders_ended;
}

/* ---- status ---- */
static const char *s_state_name(const orchestrator_t *self, const turn_status_t *status)
{
    if (self->state != LOG_OPEN) return zvt_service_is_ready(self->service) ? "degraded" : "starting";
    if (status->halted) return "halted";
    bool all = status->venues_up > 0;
    for (unsigned i = 0; i < TURN_SERVICES; i++) all = all && status->services_up[i];
    return all ? "trading" : "degraded";
}

/* Ready means that the log is open; the work begins when every peer has answered too. */
static void s_on_look(void *arg)
{
    orchestrator_t *self = arg;
    turn_status_t status;
    turn_core_status(self->core, &status);
    const char *state = s_state_name(self, &status);
    if (streq(state, "trading") || streq(state, "halted")) zvt_service_works(self->service);
}

static void s_on_stats(void *arg, FILE *body)
{
    orchestrator_t *self = arg;
    turn_status_t status;
    turn_core_status(self->core, &status);
    fprintf(body,
            ", \"seq\": %" PRIu64 ", \"epoch\": %" PRIu64 ", \"open_sagas\": %" PRIu32 ", \"open_orders\": %" PRIu32
            ", \"unknown_orders\": %" PRIu32 ", \"orders_per_second\": %" PRIu64 ", \"halted\": %s, \"venues_up\": %" PRIu32
            ", \"state\": \"%s\"",
            status.committed_seq, status.epoch, status.open_sagas, status.open_orders, status.unknown_orders,
            self->orders_per_second, status.halted ? "true" : "false", status.venues_up, s_state_name(self, &status));
}

static bool s_on_control(void *arg, const char *command, const char *argument, FILE *body)
{
    orchestrator_t *self = arg;
    char text[ZVT_ID_TEXT];
    uint64_t seq = strtoull(argument, NULL, 10), items;
    if (!streq(command, "digest")) {
        fprintf(body, "unknown command '%s'; there are stats, ping, log-level, digest", command);
        return false;
    }
    if (!turn_core_digest(self->core, seq, text, &items)) {
        fprintf(body, "no digest is kept for seq %s; write a barrier first", argument);
        return false;
    }
    fprintf(body, "{\"seq\": %" PRIu64 ", \"digest\": \"%s\", \"items\": %" PRIu64 "}", seq, text, items);
    return true;
}

/* ---- folding on demand: the same core, from the log alone ---- */
static int s_fold_only(orchestrator_t *self, const char *argument, bool dump)
{
    char problem[256] = "", text[ZVT_ID_TEXT];
    uint64_t to_seq = strtoull(argument, NULL, 10), items = 0;
    while (self->folded_seq < to_seq) {
        uint64_t before = self->folded_seq;
        int status = log_reader_read(self->reader, before + 1, to_seq, RECOVERY_CHUNK, NULL, s_on_history, self, problem);
        if (status != 0 || self->folded_seq == before) {
            fprintf(stderr, "zvt-orchestrator: cannot fold to seq %s: %s\n", argument, problem[0] != '\0' ? problem : "the log is shorter");
            return ZVT_EXIT_FAILED;
        }
    }
    if (dump) {
        (void)turn_core_dump(self->core, stdout);
        return ZVT_EXIT_OK;
    }
    if (!turn_core_digest(self->core, to_seq, text, &items)) {
        fprintf(stderr, "zvt-orchestrator: seq %s is no barrier\n", argument);
        return ZVT_EXIT_FAILED;
    }
    printf("{\"seq\": %" PRIu64 ", \"digest\": \"%s\", \"items\": %" PRIu64 "}\n", to_seq, text, items);
    return ZVT_EXIT_OK;
}

static void s_bind(orchestrator_t *self)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "signals", NULL);
    int status = zvt_puller_new(&self->signals, self->loop, endpoint, s_on_signal, self);
    if (status == 0) {
        zvt_endpoint(endpoint, "request", NULL);
        status = zvt_hub_new(&self->requests, self->loop, endpoint, &self->identity, s_on_request, NULL, self);
    }
    if (status == 0) {
        zvt_endpoint(endpoint, "events", NULL);
        self->events = zvt_socket_new(ZMQ_XPUB);
        status = zvt_socket_bind(self->events, endpoint);
    }
    if (status != 0) {
        zvt_error("cannot bind %s: %s; does another orchestrator run in this fleet?", endpoint, zvt_strerror(status));
        exit(ZVT_EXIT_CONFIG);
    }
    zvt_loop_add_socket(self->loop, self->events, s_on_subscription, self);
}

static void s_tear_down(orchestrator_t *self)
{
    for (unsigned i = 0; i < TURN_SERVICES; i++) zvt_link_destroy(&self->services[i].link);
    zvt_puller_destroy(&self->signals);
    zvt_hub_destroy(&self->requests);
    if (self->events != NULL) zvt_loop_remove_socket(self->loop, self->events);
    zsock_destroy(&self->events);
    log_writer_destroy(&self->writer);
    log_reader_destroy(&self->reader);
    checkpoint_store_destroy(&self->checkpoints);
    turn_core_destroy(&self->core);
    zvt_service_destroy(&self->service);
}

static int s_run(orchestrator_t *self, const char *dsn)
{
    /* First, so that what a round produces leaves at its end. */
    zvt_loop_on_round(self->loop, s_on_round, self);
    self->wake_timer = zvt_loop_timer(self->loop, s_on_wake, self);
    self->retry_timer = zvt_loop_timer(self->loop, s_on_retry, self);
    s_load_halt(self);
    s_bind(self);
    s_link_services(self);
    self->writer = log_writer_new(self->loop, dsn, (uint32_t)zvt_service_fleet(self->service)->shard,
                                  zvt_service_name(self->service), s_on_committed, s_on_lost, self);
    zvt_loop_every(self->loop, TIP_PERIOD_NS, s_on_tip, self);
    zvt_loop_every(self->loop, SECOND_NS, s_on_second, self);
    zvt_loop_every(self->loop, LOOK_NS, s_on_look, self);
    zvt_loop_arm(self->loop, self->retry_timer, zvt_loop_monotonic_ns(self->loop) + 1);
    zvt_service_on_stats(self->service, s_on_stats, self);
    zvt_service_on_control(self->service, s_on_control, self);
    return zvt_service_run(self->service);
}

int main(int argc, char **argv)
{
    const char *dsn = getenv("DATABASE_URL"), *fold = NULL, *dump = NULL;
    const zvt_option_t options[] = {
        {.name = "database", .argument = "DSN", .meaning = "libpq connection; default $DATABASE_URL", .value = &dsn},
        {.name = "fold", .argument = "SEQ", .meaning = "fold the log up to this barrier, print the digest, exit", .value = &fold},
        {.name = "dump", .meaning = "with --fold: print the state instead of its digest", .value = &dump},
        {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-orchestrator", .summary = "Saga engine; the only writer of the event log.",
                                     .role = ZVT_ROLE_ORCHESTRATOR, .name = "orchestrator", .options = options};
    orchestrator_t self = {.service = zvt_service_new(argc, argv, &desc)};
    if (dsn == NULL) {
        zvt_error("no database; set DATABASE_URL or --database");
        return ZVT_EXIT_CONFIG;
    }
    self.loop = zvt_service_loop(self.service);
    self.identity = *zvt_service_identity(self.service);
    self.lost_ns = zvt_monotonic_ns();
    const turn_io_t io = {.arg = &self, .commit = s_commit, .ask = s_ask, .reply = s_reply, .publish = s_publish};
    self.core = turn_core_new(zvt_service_fleet(self.service), zvt_service_name(self.service), &io, self.identity.incarnation);
    self.reader = log_reader_new(dsn, zvt_service_name(self.service));
    self.checkpoints = checkpoint_store_new(dsn, zvt_service_name(self.service));
    int exit_code = fold != NULL ? s_fold_only(&self, fold, dump != NULL) : s_run(&self, dsn);
    s_tear_down(&self);
    return exit_code;
}
