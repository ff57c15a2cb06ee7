/* Mirrors risk_main.c: the real follower and waitlist around the risk core. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "risk_core.h"
#include "sim_archive.h"
#include "sim_procs.h"
#include "zvt_follower.h"
#include "zvt_waitlist.h"

enum { WAITING_MAX = 256 };
#define WAIT_NS (12 * ZVT_SECOND_NS)
#define EXPIRE_NS (100 * ZVT_MS_NS)
#define QUOTE_MAX_AGE_NS (60 * ZVT_SECOND_NS)

typedef struct {
    sim_proc_t *proc;
    zvt_hub_t *hub;
    zvt_follower_t *follower;
    zvt_subscriber_t *markets[SIM_VENUES];
    zvt_waitlist_t *waiting;
    risk_core_t *core;
    bool ready;
    bool behind; /* of what the log still holds: it ends at the next look */
    zvt_risk_verdict_t verdict;
} risk_t;

typedef struct {
    zvt_peer_t peer;
    zvt_type_t type;
    union {
        zvt_risk_check_t check;
        zvt_risk_release_t release;
    };
} request_t;

static void s_refuse(risk_t *self, const request_t *request, uint8_t code, const char *message)
{
    risk_core_refuse(self->core, &request->check, code, message, &self->verdict);
    zvt_hub_send(self->hub, &request->peer, ZVT_T_RISK_VERDICT, &self->verdict);
}

static void s_on_turn(void *arg, const void *item, bool in_time)
{
    risk_t *self = arg;
    const request_t *request = item;
    if (request->type == ZVT_T_RISK_RELEASE) {
        risk_core_on_release(self->core, &request->release);
    } else if (!in_time) {
        s_refuse(self, request, ZVT_CODE_NOT_READY, "risk has not folded the log up to min_seq yet; ask again");
    } else {
        risk_core_on_check(self->core, &request->check, sim.now_ns, &self->verdict);
        zvt_hub_send(self->hub, &request->peer, ZVT_T_RISK_VERDICT, &self->verdict);
    }
}

static void s_release(risk_t *self)
{
    if (self->ready)
        zvt_waitlist_release(self->waiting, zvt_follower_applied(self->follower), sim.now_ns);
    else
        zvt_waitlist_expire(self->waiting, sim.now_ns);
}

static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    risk_t *self = arg;
    request_t request;
    memset(&request, 0, sizeof request);
    request.peer = *peer;
    request.type = record->type;
    if (record->type == ZVT_T_RISK_CHECK) request.check = record->risk_check;
    if (record->type == ZVT_T_RISK_RELEASE) request.release = record->risk_release;
    if (record->type != ZVT_T_RISK_CHECK && record->type != ZVT_T_RISK_RELEASE) return;
    bool check = request.type == ZVT_T_RISK_CHECK;
    uint64_t min_seq = check ? request.check.min_seq : 0, epoch = check ? request.check.epoch : request.release.epoch;
    bool at_once = self->ready && zvt_waitlist_count(self->waiting) == 0 && min_seq <= zvt_follower_applied(self->follower);
    if (at_once) {
        s_on_turn(self, &request, true);
        return;
    }
    if (zvt_waitlist_add(self->waiting, epoch, min_seq, sim.now_ns, &request) != 0) {
        if (check)
            s_refuse(self, &request, ZVT_CODE_OVERLOADED, "too many checks wait for the log; try again");
        else
            risk_core_on_release(self->core, &request.release);
    }
    s_release(self);
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    const risk_t *self = arg;
    (void)peer;
    (void)hello;
    reply->epoch = risk_core_epoch(self->core);
    reply->cursor = zvt_follower_applied(self->follower);
}

static void s_on_time(void *arg)
{
    risk_t *self = arg;
    if (self->behind)
        sim_proc_exit(self->proc, "it has fallen behind what the log still holds");
    else
        s_release(self);
}

static void s_on_event(void *arg, const zvt_event_t *event)
{
    risk_t *self = arg;
    int status = risk_core_on_event(self->core, event);
    if (status != 0) sim_violation("risk can fold the log", NULL, "seq %" PRIu64 ": %s", event->seq, zvt_strerror(status));
}

static void s_on_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    risk_t *self = arg;
    (void)applied_seq;
    if (caught_up) self->ready = true;
    s_release(self);
}

static void s_on_market(void *arg, const char *topic, const zvt_record_t *record)
{
    risk_t *self = arg;
    (void)topic;
    if (record->type == ZVT_T_PRICE_UPDATED) (void)!risk_core_on_quote(self->core, &record->price_updated, sim.now_ns);
}

static risk_core_t *s_fresh(const sim_proc_t *proc)
{
    risk_options_t options = {.quote_max_age_ns = QUOTE_MAX_AGE_NS, .incarnation = proc->identity.incarnation};
    return risk_core_new(sim.fleet, &options);
}

/* ---- a log that does not begin with event 1: as zvt_fold does it ---- */
static int s_load(void *core, const zvt_record_t *record)
{
    return risk_core_load(core, record);
}

static uint64_t s_on_base(void *arg, uint64_t base_seq, const void *data, size_t length)
{
    risk_t *self = arg;
    if (self->ready || self->behind) {
        self->behind = true;
        self->ready = false;
        return 0;
    }
    risk_core_destroy(&self->core);
    self->core = s_fresh(self->proc);
    int status = sim_archive_load(data, length, s_load, self->core);
    if (status != 0) sim_violation("risk can load its base", NULL, "of seq %" PRIu64 ": %s", base_seq, zvt_strerror(status));
    SIM_COUNT("bases loaded by risk");
    return base_seq + 1;
}

static void s_on_hole(void *arg, uint64_t first_seq)
{
    const risk_t *self = arg;
    sim_violation("there is a base in front of what the log holds", NULL, "%s: the log begins with seq %" PRIu64, self->proc->name, first_seq);
}

void *sim_risk_start(sim_proc_t *proc)
{
    risk_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->proc = proc;
    self->core = s_fresh(proc);
    self->waiting = zvt_waitlist_new(sizeof(request_t), WAITING_MAX, WAIT_NS, s_on_turn, self);
    self->follower = zvt_follower_new(proc->loop, (uint32_t)sim.fleet->shard, 1, &proc->identity, s_on_event, s_on_batch, self);
    zvt_type_set_t types = zvt_type_set_of(risk_core_folds);
    zvt_follower_only(self->follower, &types);
    zvt_follower_want_base(self->follower, "risk", 0, s_on_base);
    zvt_follower_on_hole(self->follower, s_on_hole);
    ZVT_ASSERT(zvt_hub_new(&self->hub, proc->loop, "risk", &proc->identity, s_on_request, s_on_hello, self) == 0);
    for (uint32_t i = 0; i < SIM_VENUES; i++) {
        char endpoint[ZVT_ENDPOINT_SIZE];
        zvt_endpoint(endpoint, "market", sim.fleet->venues[i].name);
        self->markets[i] = zvt_subscriber_new(proc->loop, endpoint, s_on_market, self);
        zvt_subscriber_add(self->markets[i], "quote.");
    }
    zvt_loop_every(proc->loop, EXPIRE_NS, s_on_time, self);
    return self;
}

void sim_risk_stop(sim_proc_t *proc)
{
    risk_t *self = proc->run;
    for (size_t i = 0; i < SIM_VENUES; i++) zvt_subscriber_destroy(&self->markets[i]);
    zvt_hub_destroy(&self->hub);
    zvt_follower_destroy(&self->follower);
    zvt_waitlist_destroy(&self->waiting);
    risk_core_destroy(&self->core);
    free(self);
}

sim_doing_t sim_risk_doing(sim_proc_t *proc)
{
    const risk_t *self = proc->run;
    if (!self->ready) return zvt_follower_applied(self->follower) == 0 ? SIM_DOING_STARTING : SIM_DOING_RECOVERING;
    if (!zvt_follower_caught_up(self->follower)) return SIM_DOING_RECOVERING;
    bool working = zvt_waitlist_count(self->waiting) > 0 || exposure_stats(risk_core_exposure(self->core)).provisional > 0;
    return working ? SIM_DOING_WORKING : SIM_DOING_IDLE;
}

risk_core_t *sim_risk_core(void)
{
    const risk_t *self = sim_proc(SIM_RISK, 0)->run;
    return self == NULL ? NULL : self->core;
}

uint64_t sim_risk_applied(void)
{
    const risk_t *self = sim_proc(SIM_RISK, 0)->run;
    return self == NULL ? 0 : zvt_follower_applied(self->follower);
}
