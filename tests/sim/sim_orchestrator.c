/* Mirrors orchestrator_main.c: sockets, lease, halt file and clock around the turn core. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim_archive.h"
#include "sim_db.h"
#include "sim_faults.h"
#include "sim_oracle.h"
#include "sim_procs.h"
#include "turn_core.h"

#define TIP_PERIOD_NS (250 * ZVT_MS_NS)
#define RETRY_NS (100 * ZVT_MS_NS)
#define VALID_NS (500 * ZVT_MS_NS) /* what a holder counts on after a heartbeat */
enum { RECOVERY_CHUNK = 100 };

typedef enum { LOG_AWAY, LOG_WAITING, LOG_FOLDING, LOG_OPEN } log_state_t;

typedef struct orchestrator orchestrator_t;
typedef struct {
    orchestrator_t *self;
    turn_service_t service;
    zvt_link_t *link;
} service_link_t;

struct orchestrator {
    sim_proc_t *proc;
    turn_core_t *core;
    zvt_puller_t *signals;
    zvt_hub_t *requests;
    sim_pub_t *events;
    zvt_hello_t identity;
    service_link_t services[TURN_SERVICES];
    log_state_t state;
    uint64_t epoch, folded_seq, last_seq;
    int64_t lost_ns;
    lease_rules_t rules;
    lease_core_t lease;
    int64_t proof_ns;    /* when the last heartbeat that arrived was sent */
    int64_t began_ns;    /* when the commit under way began */
    bool bound;
    int wake_timer, retry_timer;
};

/* ---- the operator's halt: on a disk that both share ---- */
static struct {
    bool halted;
    zvt_halt_request_t halt;
} s_halt_file;

void sim_orchestrator_reset(void)
{
    memset(&s_halt_file, 0, sizeof s_halt_file);
}

static void s_load_halt(orchestrator_t *self)
{
    turn_core_latch_halt(self->core, s_halt_file.halt.requested_by, s_halt_file.halted ? s_halt_file.halt.reason : NULL);
}

static void s_latch_halt(orchestrator_t *self, const zvt_halt_request_t *request)
{
    sim_oracle_on_halt_request(request);
    if (!request->halt) return;
    s_halt_file.halted = true;
    s_halt_file.halt = *request;
    if (self->state != LOG_OPEN) s_load_halt(self);
}

static void s_on_resumed(void *arg)
{
    (void)arg;
    s_halt_file.halted = false;
}

static void s_follow_halt(void *arg)
{
    orchestrator_t *self = arg;
    turn_status_t status;
    turn_core_status(self->core, &status);
    if (sim_faults_has_standby() && (self->state != LOG_OPEN || (s_halt_file.halted && !status.halted))) s_load_halt(self);
}

/* ---- the world of the turn core ---- */
static void s_commit(void *arg, const turn_batch_t *batch)
{
    orchestrator_t *self = arg;
    self->began_ns = sim.now_ns;
    sim_db_append(self->proc->index, batch);
}

static void s_ask(void *arg, turn_service_t service, zvt_type_t type, const void *record)
{
    orchestrator_t *self = arg;
    sim_oracle_on_ask(type, record);
    zvt_link_send(self->services[service].link, type, record);
}

static void s_reply(void *arg, const turn_client_t *client, zvt_type_t type, const void *record)
{
    orchestrator_t *self = arg;
    zvt_peer_t peer;
    memcpy(&peer, client->bytes, sizeof peer);
    sim_oracle_on_reply(type, record);
    zvt_hub_send(self->requests, &peer, type, record);
}

static void s_publish(void *arg, const char *topic, const void *data, size_t length)
{
    orchestrator_t *self = arg;
    if (strncmp(topic, "ack.", 4) == 0) sim_oracle_on_ack(self->proc->name, topic + 4, data, length);
    sim_pub_send(self->events, topic, data, length);
}

static void s_on_lost(void *arg, const char *reason, bool fenced);

/* Every input comes through here first. */
static void s_tell_time(orchestrator_t *self)
{
    bool written = self->state == LOG_OPEN || self->state == LOG_FOLDING;
    if (written && sim.now_ns - self->proof_ns > VALID_NS) {
        SIM_COUNT("writers silent for too long");
        sim_db_disconnect(self->proc->index);
        s_on_lost(self, "silent for so long that another may have taken over", false);
    }
    turn_core_set_time(self->core, sim_utc_ns(), sim.now_ns);
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

static void s_on_service_record(void *arg, const zvt_record_t *record)
{
    service_link_t *service = arg;
    s_tell_time(service->self);
    turn_core_on_record(service->self->core, TURN_FROM_SERVICE, NULL, record);
}

static void s_on_service_up(void *arg, const zvt_hello_t *peer)
{
    service_link_t *service = arg;
    s_tell_time(service->self);
    turn_core_on_service_up(service->self->core, service->service, peer->incarnation);
}

static void s_on_service_down(void *arg)
{
    service_link_t *service = arg;
    s_tell_time(service->self);
    turn_core_on_service_down(service->self->core, service->service);
}

static void s_link_services(orchestrator_t *self)
{
    static const char *const names[TURN_SERVICES] = {[TURN_RISK] = "risk", [TURN_EXECUTOR] = "execute", [TURN_PORTFOLIO] = "portfolio"};
    for (unsigned i = 0; i < TURN_SERVICES; i++) {
        self->services[i] = (service_link_t){.self = self, .service = (turn_service_t)i};
        zvt_link_handler_t handler = {.on_record = s_on_service_record, .on_up = s_on_service_up, .on_down = s_on_service_down,
                                      .arg = &self->services[i]};
        self->services[i].link = zvt_link_new(self->proc->loop, names[i], &self->identity, &handler);
    }
}

/* ---- the log ---- */
static void s_on_committed(void *arg)
{
    orchestrator_t *self = arg;
    self->proof_ns = self->began_ns;
    s_tell_time(self);
    if (self->state == LOG_OPEN) turn_core_on_commit(self->core);
}

/* One that was started by accident is not started again, and the supervisor cares for the other. */
static void s_leave(orchestrator_t *self)
{
    sim_proc_t *other = sim_proc(SIM_ORCHESTRATOR, 1 - self->proc->index);
    SIM_COUNT("orchestrators that left");
    if (!sim_faults_has_standby() && other->alive) {
        self->proc->supervised = false;
        other->supervised = true;
    }
    sim_proc_exit(self->proc, "another orchestrator has the lease");
}

static void s_on_lost(void *arg, const char *reason, bool fenced)
{
    orchestrator_t *self = arg;
    SIM_COUNT("logs lost");
    SIM_TRACE("* %s loses the log: %s", self->proc->name, reason);
    if (self->state == LOG_OPEN) {
        turn_core_abandon(self->core);
        turn_core_clear(self->core);
        self->folded_seq = 0;
        s_load_halt(self);
    }
    self->state = LOG_AWAY;
    self->lost_ns = sim.now_ns;
    lease_core_begin(&self->lease, self->epoch);
    if (fenced) {
        s_leave(self);
        return;
    }
    zvt_loop_arm(self->proc->loop, self->retry_timer, self->lost_ns + 1);
}

/* ---- checkpoints: the fold of a part of the log, saved by a core of its own, as the checkpointer does it ---- */
static int s_on_saved(void *arg, zvt_type_t type, const void *saved)
{
    static zvt_record_t record;
    record.type = type;
    memcpy(&record.hello, saved, zvt_desc(type)->size);
    return turn_core_load(arg, &record);
}

static void s_no_commit(void *arg, const turn_batch_t *batch)
{
    (void)arg;
    (void)batch;
}

static void s_load_checkpoint(orchestrator_t *self, uint64_t to_seq)
{
    turn_io_t io = {.commit = s_no_commit}; /* a core that only folds calls nothing else */
    turn_core_t *checkpointer = turn_core_new(sim.fleet, "checkpointer", &io, 1);
    int status = 0;
    for (uint64_t seq = 1; seq <= to_seq && status == 0; seq++) status = turn_core_fold(checkpointer, sim_db_event(seq));
    if (status == 0) status = turn_core_save(checkpointer, s_on_saved, self->core);
    if (status == 0) status = turn_core_load_end(self->core);
    if (status != 0 || turn_core_folded_seq(self->core) != to_seq)
        sim_violation("a checkpoint can be loaded", NULL, "of seq %" PRIu64 ": %s", to_seq, zvt_strerror(status));
    self->folded_seq = to_seq;
    turn_core_destroy(&checkpointer);
}

static void s_take(orchestrator_t *self, const lease_look_t *look)
{
    sim_db_writer_t writer = {.committed = s_on_committed, .lost = s_on_lost, .arg = self};
    bool takeover = self->state == LOG_WAITING && sim_db_holder() != self->proc->index;
    int64_t sent_ns = sim.now_ns;
    if (sim_db_take(self->proc->index, self->proc, look, &writer, &self->epoch, &self->last_seq) != 0) {
        zvt_loop_arm(self->proc->loop, self->retry_timer, sim.now_ns + RETRY_NS);
        return;
    }
    if (takeover) SIM_COUNT("takeovers");
    self->proof_ns = sent_ns;
    bool warm = self->folded_seq > 0;
    if (self->folded_seq > self->last_seq) { /* a tail that was dropped */
        turn_core_clear(self->core);
        self->folded_seq = 0;
    }
    if (!warm && self->last_seq > 0 && sim_below(2) == 0) {
        s_load_checkpoint(self, 1 + sim_below(self->last_seq));
        SIM_COUNT("recoveries from a checkpoint");
    }
    self->state = LOG_FOLDING;
    s_load_halt(self);
}

/* As log_recovery does it: what comes next is archived, so that the base takes the place of what is folded. */
static void s_mind_the_hole(orchestrator_t *self)
{
    if (self->folded_seq + 1 >= sim_archive_first_seq()) return;
    if (sim_archive_base_seq() > sim_db_tip())
        sim_violation("the log holds what its bases were made of", NULL, "seq %" PRIu64 " of %" PRIu64, sim_db_tip(), sim_archive_base_seq());
    turn_core_clear(self->core);
    s_load_checkpoint(self, sim_archive_base_seq());
    SIM_COUNT("bases loaded by the orchestrator");
}

static int s_fold_next(orchestrator_t *self)
{
    s_mind_the_hole(self);
    if (self->folded_seq >= sim_db_tip()) return 0;
    int status = turn_core_fold(self->core, sim_db_event(self->folded_seq + 1));
    if (status != 0) sim_violation("the log can be folded", NULL, "seq %" PRIu64 ": %s", self->folded_seq + 1, zvt_strerror(status));
    self->folded_seq++;
    return status;
}

/* Another works: what it writes is folded, so that little is left to do when it is gone. */
static void s_wait(orchestrator_t *self)
{
    if (self->state != LOG_WAITING) SIM_TRACE("* %s waits for the lease", self->proc->name);
    self->state = LOG_WAITING;
    while (sim_faults_has_standby() && self->folded_seq < sim_db_tip()) (void)s_fold_next(self);
    zvt_loop_arm(self->proc->loop, self->retry_timer, sim.now_ns + lease_core_look_ns(&self->lease));
}

static void s_look(orchestrator_t *self)
{
    lease_look_t look;
    if (sim_db_look(&look) != 0) {
        lease_core_begin(&self->lease, self->epoch);
        self->state = LOG_AWAY;
        zvt_loop_arm(self->proc->loop, self->retry_timer, sim.now_ns + RETRY_NS);
        return;
    }
    switch (lease_core_on_look(&self->lease, &look)) {
    case LEASE_WAIT: s_wait(self); break;
    case LEASE_TAKE: s_take(self, &look); break;
    case LEASE_LEAVE: s_leave(self); break;
    }
}

static void s_bind(orchestrator_t *self);

static void s_open(orchestrator_t *self)
{
    self->state = LOG_OPEN;
    s_bind(self);
    s_tell_time(self);
    turn_core_open(self->core, self->epoch, sim.now_ns - self->lost_ns);
    self->identity.epoch = self->epoch;
    for (unsigned i = 0; i < TURN_SERVICES; i++) zvt_link_hello(self->services[i].link);
    SIM_COUNT("recoveries");
}

static void s_fold_chunk(orchestrator_t *self)
{
    if (self->folded_seq >= self->last_seq) {
        s_open(self);
        return;
    }
    if (!sim_db_is_up()) return; /* asked again; the writer's own connection tells when the lease is lost */
    for (int i = 0; i < RECOVERY_CHUNK && self->folded_seq < self->last_seq; i++) (void)s_fold_next(self);
    zvt_loop_again(self->proc->loop);
}

static void s_on_retry(void *arg)
{
    orchestrator_t *self = arg;
    sim_proc_t *proc = self->proc;
    uint32_t life = proc->life;
    if (self->state == LOG_AWAY || self->state == LOG_WAITING) s_look(self);
    if (life == proc->life) zvt_loop_again(proc->loop);
}

/* ---- rounds and timers ---- */
static void s_on_round(void *arg)
{
    orchestrator_t *self = arg;
    s_tell_time(self);
    if (self->state == LOG_FOLDING) s_fold_chunk(self);
    turn_core_end_turn(self->core);
    zvt_loop_arm(self->proc->loop, self->wake_timer, turn_core_next_ns(self->core));
}

static void s_on_wake(void *arg)
{
    (void)arg;
}

/* So that followers do not take it for a stopped process. */
static void s_publish_life(orchestrator_t *self)
{
    char topic[32];
    zvt_buf_t hello = {.data = (uint8_t[256]){0}, .capacity = 256};
    if (!self->bound) return;
    snprintf(topic, sizeof topic, "log.%" PRId64, sim.fleet->shard);
    ZVT_ASSERT(zvt_pack(&hello, ZVT_T_HELLO, &self->identity) == 0);
    sim_pub_send(self->events, topic, hello.data, hello.length);
}

/* Nobody reaches a process whose endpoints another has taken: its next run binds them anew. */
static bool s_keeps_endpoints(orchestrator_t *self)
{
    static const char *const names[] = {"signals", "request", "events"};
    bool ours = true;
    for (size_t i = 0; self->bound && i < sizeof names / sizeof names[0]; i++) ours = ours && sim_net_serves(self->proc, names[i]);
    if (!ours) {
        SIM_COUNT("orchestrators without endpoints");
        s_leave(self);
    }
    return ours;
}

static void s_on_tip(void *arg)
{
    orchestrator_t *self = arg;
    s_tell_time(self);
    if (!s_keeps_endpoints(self)) return;
    if (self->state == LOG_OPEN)
        turn_core_publish_tip(self->core);
    else
        s_publish_life(self);
}

static void s_on_heartbeat(void *arg)
{
    orchestrator_t *self = arg;
    bool written = self->state == LOG_OPEN || self->state == LOG_FOLDING;
    if (!written || sim_db_is_committing(self->proc->index)) return; /* a commit carries it */
    int status = sim_db_beat(self->proc->index, self->epoch);
    if (status == 0) self->proof_ns = sim.now_ns;
    if (status == ZVT_ERR_STALE) s_on_lost(self, "the lease has another epoch", true);
}

/* ---- life ---- */
static void s_bind(orchestrator_t *self)
{
    if (self->bound) return;
    self->bound = true;
    ZVT_ASSERT(zvt_puller_new(&self->signals, self->proc->loop, "signals", s_on_signal, self) == 0);
    ZVT_ASSERT(zvt_hub_new(&self->requests, self->proc->loop, "request", &self->identity, s_on_request, NULL, self) == 0);
    self->events = sim_pub_new(self->proc->loop, "events");
    s_link_services(self);
}

void *sim_orchestrator_start(sim_proc_t *proc)
{
    orchestrator_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    turn_io_t io = {.arg = self, .commit = s_commit, .ask = s_ask, .reply = s_reply, .publish = s_publish,
                    .resumed = s_on_resumed};
    self->proc = proc;
    self->identity = proc->identity;
    self->lost_ns = sim.now_ns;
    self->core = turn_core_new(sim.fleet, proc->name, &io, zvt_rng_next(&sim.rng));
    zvt_loop_on_round(proc->loop, s_on_round, self);
    self->wake_timer = zvt_loop_timer(proc->loop, s_on_wake, self);
    self->retry_timer = zvt_loop_timer(proc->loop, s_on_retry, self);
    self->rules = (lease_rules_t){.takeover_ns = sim_faults_patience_ns(), .waits = sim_faults_has_standby(),
                                  .second = sim_faults_has_standby() && proc->index == 1};
    lease_core_init(&self->lease, &self->rules);
    /* Alone it serves at once. One that is started beside another gets the endpoints with the lease. */
    if (!sim_faults_has_standby() && !sim_proc(SIM_ORCHESTRATOR, 1 - proc->index)->alive) s_bind(self);
    zvt_loop_every(proc->loop, TIP_PERIOD_NS, s_on_tip, self);
    zvt_loop_every(proc->loop, lease_core_heartbeat_ns(&self->rules), s_on_heartbeat, self);
    zvt_loop_every(proc->loop, ZVT_SECOND_NS, s_follow_halt, self);
    s_load_halt(self);
    zvt_loop_arm(proc->loop, self->retry_timer, sim.now_ns + 1);
    return self;
}

void sim_orchestrator_stop(sim_proc_t *proc)
{
    orchestrator_t *self = proc->run;
    sim_db_disconnect(proc->index);
    for (unsigned i = 0; i < TURN_SERVICES; i++) zvt_link_destroy(&self->services[i].link);
    zvt_puller_destroy(&self->signals);
    zvt_hub_destroy(&self->requests);
    sim_pub_destroy(&self->events);
    turn_core_destroy(&self->core);
    free(self);
}

sim_doing_t sim_orchestrator_doing(sim_proc_t *proc)
{
    const orchestrator_t *self = proc->run;
    turn_status_t status;
    if (self->state == LOG_AWAY || self->state == LOG_WAITING) return SIM_DOING_STARTING;
    if (self->state == LOG_FOLDING) return SIM_DOING_RECOVERING;
    if (sim_db_is_committing(proc->index)) return SIM_DOING_COMMITTING;
    turn_core_status(self->core, &status);
    return status.open_sagas > 0 ? SIM_DOING_WORKING : SIM_DOING_IDLE;
}

turn_core_t *sim_orchestrator_core(void)
{
    for (uint32_t i = 0; i < SIM_ORCHESTRATORS; i++) {
        sim_proc_t *proc = sim_proc(SIM_ORCHESTRATOR, i);
        orchestrator_t *self = proc->run;
        if (proc->alive && self->state == LOG_OPEN && self->epoch == sim_db_epoch()) return self->core;
    }
    return NULL;
}
