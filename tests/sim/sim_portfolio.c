/* Mirrors portfolio_main.c, without the projection in the database. */
#include <inttypes.h>
#include <stdlib.h>

#include "portfolio_core.h"
#include "sim_archive.h"
#include "sim_procs.h"
#include "zvt_follower.h"
#include "zvt_waitlist.h"

enum { WAITING_MAX = 256 };
#define WAIT_NS (5 * ZVT_SECOND_NS)
#define EXPIRE_NS (100 * ZVT_MS_NS)

typedef struct {
    sim_proc_t *proc;
    zvt_hub_t *hub;
    zvt_follower_t *follower;
    zvt_waitlist_t *waiting;
    portfolio_core_t *core;
    bool ready;
    bool behind; /* of what the log still holds: it ends at the next look */
} portfolio_t;

typedef struct {
    zvt_peer_t peer;
    zvt_fill_apply_t fill;
} request_t;

static void s_refuse(portfolio_t *self, const request_t *request, uint8_t code)
{
    zvt_fill_applied_t answer;
    portfolio_core_refuse(self->core, &request->fill, code, &answer);
    zvt_hub_send(self->hub, &request->peer, ZVT_T_FILL_APPLIED, &answer);
}

static void s_on_turn(void *arg, const void *item, bool in_time)
{
    portfolio_t *self = arg;
    const request_t *request = item;
    zvt_fill_applied_t answer;
    if (!in_time) {
        s_refuse(self, request, ZVT_CODE_NOT_READY);
        return;
    }
    portfolio_core_on_fill(self->core, &request->fill, &answer);
    zvt_hub_send(self->hub, &request->peer, ZVT_T_FILL_APPLIED, &answer);
}

static void s_on_time(void *arg)
{
    portfolio_t *self = arg;
    if (self->behind)
        sim_proc_exit(self->proc, "it has fallen behind what the log still holds");
    else if (self->ready)
        zvt_waitlist_release(self->waiting, zvt_follower_applied(self->follower), sim.now_ns);
    else
        zvt_waitlist_expire(self->waiting, sim.now_ns);
}

static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    portfolio_t *self = arg;
    if (record->type != ZVT_T_FILL_APPLY) return;
    request_t request = {.peer = *peer, .fill = record->fill_apply};
    bool at_once = self->ready && zvt_waitlist_count(self->waiting) == 0 && request.fill.min_seq <= zvt_follower_applied(self->follower);
    if (at_once) {
        s_on_turn(self, &request, true);
        return;
    }
    if (zvt_waitlist_add(self->waiting, request.fill.epoch, request.fill.min_seq, sim.now_ns, &request) != 0)
        s_refuse(self, &request, ZVT_CODE_OVERLOADED);
    s_on_time(self);
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    const portfolio_t *self = arg;
    (void)peer;
    (void)hello;
    reply->epoch = portfolio_core_epoch(self->core);
    reply->cursor = zvt_follower_applied(self->follower);
}

static void s_on_event(void *arg, const zvt_event_t *event)
{
    portfolio_t *self = arg;
    int status = portfolio_core_on_event(self->core, event);
    if (status != 0) sim_violation("portfolio can fold the log", NULL, "seq %" PRIu64 ": %s", event->seq, zvt_strerror(status));
    if (portfolio_core_stats(self->core).broken != 0)
        sim_violation("a position continues from its quantity before", NULL, "seq %" PRIu64, event->seq);
}

static void s_on_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    portfolio_t *self = arg;
    if (caught_up) self->ready = true;
    if (self->ready) zvt_waitlist_release(self->waiting, applied_seq, sim.now_ns);
}

static portfolio_core_t *s_fresh(const sim_proc_t *proc)
{
    return portfolio_core_new(sim.fleet, proc->identity.incarnation);
}

/* ---- a log that does not begin with event 1: as zvt_fold does it ---- */
static int s_load(void *core, const zvt_record_t *record)
{
    return portfolio_core_load(core, record);
}

static uint64_t s_on_base(void *arg, uint64_t base_seq, const void *data, size_t length)
{
    portfolio_t *self = arg;
    if (self->ready || self->behind) {
        self->behind = true;
        self->ready = false;
        return 0;
    }
    portfolio_core_destroy(&self->core);
    self->core = s_fresh(self->proc);
    int status = sim_archive_load(data, length, s_load, self->core);
    if (status != 0) sim_violation("portfolio can load its base", NULL, "of seq %" PRIu64 ": %s", base_seq, zvt_strerror(status));
    SIM_COUNT("bases loaded by portfolio");
    return base_seq + 1;
}

static void s_on_hole(void *arg, uint64_t first_seq)
{
    const portfolio_t *self = arg;
    sim_violation("there is a base in front of what the log holds", NULL, "%s: the log begins with seq %" PRIu64, self->proc->name, first_seq);
}

void *sim_portfolio_start(sim_proc_t *proc)
{
    portfolio_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->proc = proc;
    self->core = s_fresh(proc);
    self->waiting = zvt_waitlist_new(sizeof(request_t), WAITING_MAX, WAIT_NS, s_on_turn, self);
    self->follower = zvt_follower_new(proc->loop, (uint32_t)sim.fleet->shard, 1, &proc->identity, s_on_event, s_on_batch, self);
    zvt_type_set_t types = zvt_type_set_of(portfolio_core_folds);
    zvt_follower_only(self->follower, &types);
    zvt_follower_want_base(self->follower, "portfolio", 0, s_on_base);
    zvt_follower_on_hole(self->follower, s_on_hole);
    ZVT_ASSERT(zvt_hub_new(&self->hub, proc->loop, "portfolio", &proc->identity, s_on_request, s_on_hello, self) == 0);
    zvt_loop_every(proc->loop, EXPIRE_NS, s_on_time, self);
    return self;
}

void sim_portfolio_stop(sim_proc_t *proc)
{
    portfolio_t *self = proc->run;
    zvt_hub_destroy(&self->hub);
    zvt_follower_destroy(&self->follower);
    zvt_waitlist_destroy(&self->waiting);
    portfolio_core_destroy(&self->core);
    free(self);
}

sim_doing_t sim_portfolio_doing(sim_proc_t *proc)
{
    const portfolio_t *self = proc->run;
    if (!self->ready) return zvt_follower_applied(self->follower) == 0 ? SIM_DOING_STARTING : SIM_DOING_RECOVERING;
    if (!zvt_follower_caught_up(self->follower)) return SIM_DOING_RECOVERING;
    bool working = zvt_waitlist_count(self->waiting) > 0 || portfolio_core_stats(self->core).pending > 0;
    return working ? SIM_DOING_WORKING : SIM_DOING_IDLE;
}

portfolio_core_t *sim_portfolio_core(void)
{
    const portfolio_t *self = sim_proc(SIM_PORTFOLIO, 0)->run;
    return self == NULL ? NULL : self->core;
}

uint64_t sim_portfolio_applied(void)
{
    const portfolio_t *self = sim_proc(SIM_PORTFOLIO, 0)->run;
    return self == NULL ? 0 : zvt_follower_applied(self->follower);
}
