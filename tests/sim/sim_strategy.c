/* A strategy process: the real delivery core between a random mind and the orchestrator. */
#include <stdlib.h>
#include <string.h>

#include "delivery_core.h"
#include "sim_oracle.h"
#include "sim_procs.h"

enum { REMEMBERED = 16, RUNAWAY_SIGNALS = 40 /* more than the orchestrator takes of one strategy in a second */ };

typedef struct {
    sim_proc_t *proc;
    delivery_core_t *delivery;
    sim_push_t *push;
    zvt_subscriber_t *acks;
    zvt_link_t *request;          /* tells when another run answers */
    zvt_idgen_t ids;
    int think_timer, delivery_timer;
    zvt_id_t signals[REMEMBERED]; /* the last ones sent, to be canceled or repeated */
    uint64_t signals_count;
    zvt_signal_t last;            /* as it left */
} strategy_t;

static void s_arm(strategy_t *self)
{
    zvt_loop_arm(self->proc->loop, self->delivery_timer, delivery_core_next_ns(self->delivery));
}

/* ---- delivery ---- */
static void s_send(void *arg, zvt_type_t type, const void *record, bool resent)
{
    strategy_t *self = arg;
    if (resent) SIM_COUNT("signals resent");
    if (type == ZVT_T_SIGNAL) self->last = *(const zvt_signal_t *)record;
    sim_push_send(self->push, type, record);
}

static void s_expired(void *arg, const delivery_item_t *item)
{
    (void)arg;
    (void)item;
    SIM_COUNT("signals given up");
}

static void s_new_run(void *arg, uint64_t before, uint64_t known)
{
    (void)arg;
    (void)before;
    (void)known;
    SIM_COUNT("runs begun above a known one");
}

static void s_on_ack(void *arg, const char *topic, const zvt_record_t *record)
{
    strategy_t *self = arg;
    delivery_item_t item;
    (void)topic;
    if (record->type != ZVT_T_SIGNAL_ACK) return;
    switch (delivery_core_on_ack(self->delivery, &record->signal_ack, &item, sim.now_ns)) {
    case DELIVERY_ACCEPTED: SIM_COUNT("signals accepted"); break;
    case DELIVERY_REFUSED: SIM_COUNT("signals refused"); break;
    case DELIVERY_AGAIN: SIM_COUNT("signals put off"); break;
    case DELIVERY_RENAMED: SIM_COUNT("signals renamed"); break;
    case DELIVERY_IGNORED: SIM_COUNT("acknowledgements ignored"); break;
    }
    s_arm(self);
}

static void s_on_request_up(void *arg, const zvt_hello_t *peer)
{
    strategy_t *self = arg;
    (void)peer;
    sim_push_reopen(self->push);
    zvt_subscriber_reopen(self->acks);
    delivery_core_on_peer(self->delivery, sim.now_ns);
    s_arm(self);
}

static void s_on_request_record(void *arg, const zvt_record_t *record)
{
    (void)arg;
    (void)record;
}

static void s_on_delivery_time(void *arg)
{
    strategy_t *self = arg;
    delivery_core_on_time(self->delivery, sim.now_ns);
    s_arm(self);
}

/* ---- the mind ---- */
static void s_signal(strategy_t *self, const zvt_order_request_t *terms, const char *strategy_id)
{
    zvt_signal_t signal = {.order_request = *terms, .confidence_e8 = ZVT_MS_NS, .sent_at_ns = sim_utc_ns()};
    signal.signal_id = zvt_idgen_next(&self->ids, sim_utc_ns());
    ZVT_STR_SET(signal.strategy_id, strategy_id);
    ZVT_STR_SET(signal.portfolio_id, "main");
    self->signals[self->signals_count++ % REMEMBERED] = signal.signal_id;
    if (delivery_core_signal(self->delivery, 0, &signal, sim_between(1, 8) * ZVT_SECOND_NS, sim.now_ns) != 0) SIM_COUNT("windows full");
}

static void s_cancel_one(strategy_t *self)
{
    if (self->signals_count == 0) return;
    uint64_t known = self->signals_count < REMEMBERED ? self->signals_count : REMEMBERED;
    zvt_signal_cancel_t cancel = {.signal_id = self->signals[sim_below(known)]};
    SIM_COUNT("cancels by signal");
    if (delivery_core_cancel(self->delivery, 0, &cancel, 4 * ZVT_SECOND_NS, sim.now_ns) != 0) SIM_COUNT("windows full");
}

/* A strategy that has lost its mind: what exceeds its rate is refused, and nobody notices but itself. It may take another
 * name with every signal. */
static void s_run_away(strategy_t *self)
{
    bool rotating = sim_below(2) == 0;
    SIM_COUNT("fault runaway strategy");
    if (rotating) SIM_COUNT("fault runaway with many names");
    for (int i = 0; i < RUNAWAY_SIGNALS; i++) {
        zvt_order_request_t terms;
        char name[ZVT_NAME_SIZE];
        snprintf(name, sizeof name, "%.16s-%d", self->proc->name, i);
        sim_workload_terms(&terms);
        s_signal(self, &terms, rotating ? name : self->proc->name);
    }
}

/* Many orders in one instrument at once, so that their events exceed a commit and their fills wait for each other. */
static void s_rush(strategy_t *self)
{
    zvt_order_request_t terms;
    SIM_COUNT("rushes");
    sim_workload_terms(&terms);
    terms.order_type = ZVT_ORDER_TYPE_MARKET;
    terms.time_in_force = ZVT_TIF_IOC;
    terms.post_only = false;
    terms.limit_price_e8 = 0;
    for (int64_t i = sim_between(6, 16); i > 0; i--) {
        terms.side = sim_below(2) == 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL;
        terms.venue[0] = '\0';
        s_signal(self, &terms, self->proc->name);
    }
}

static void s_on_think(void *arg)
{
    strategy_t *self = arg;
    if (!sim_workload_take()) return;
    uint64_t pick = sim_below(100);
    if (pick < 18) {
        s_cancel_one(self);
    } else if (pick < 26 && self->signals_count > 0) {
        SIM_COUNT("signals doubled by the sender");
        sim_push_send(self->push, ZVT_T_SIGNAL, &self->last);
    } else if (pick == 99) {
        s_run_away(self);
    } else if (pick >= 97) {
        s_rush(self);
    } else {
        zvt_order_request_t terms;
        sim_workload_terms(&terms);
        SIM_COUNT("signals");
        s_signal(self, &terms, self->proc->name);
    }
    s_arm(self);
    zvt_loop_arm(self->proc->loop, self->think_timer, sim.now_ns + 1 + (int64_t)sim_below((uint64_t)(500 * ZVT_MS_NS)));
}

void sim_strategy_probe(uint32_t index)
{
    strategy_t *self = sim_proc(SIM_STRATEGY, index)->run;
    zvt_order_request_t terms;
    char name[ZVT_NAME_SIZE];
    sim_workload_probe_terms(&terms);
    snprintf(name, sizeof name, "probe-%.24s", self->proc->name);
    s_signal(self, &terms, name);
    s_arm(self);
    sim_proc_touch(self->proc);
}

uint32_t sim_strategy_pending(void)
{
    uint32_t pending = 0;
    for (uint32_t i = 0; i < SIM_STRATEGIES; i++) {
        const strategy_t *self = sim_proc(SIM_STRATEGY, i)->run;
        if (self != NULL) pending += delivery_core_pending(self->delivery);
    }
    return pending;
}

void *sim_strategy_start(sim_proc_t *proc)
{
    strategy_t *self = calloc(1, sizeof *self);
    char topic[ZVT_NAME_SIZE + 8];
    ZVT_ASSERT(self != NULL);
    self->proc = proc;
    delivery_output_t output = {.send = s_send, .expired = s_expired, .new_run = s_new_run, .arg = self};
    self->delivery = delivery_core_new(proc->name, proc->identity.incarnation, &output);
    zvt_idgen_init(&self->ids, zvt_rng_next(&sim.rng));
    self->push = sim_push_new(proc->loop, "signals");
    self->acks = zvt_subscriber_new(proc->loop, "events", s_on_ack, self);
    snprintf(topic, sizeof topic, "ack.%s", proc->name);
    zvt_subscriber_add(self->acks, topic);
    zvt_link_handler_t handler = {.on_record = s_on_request_record, .on_up = s_on_request_up, .arg = self};
    self->request = zvt_link_new(proc->loop, "request", &proc->identity, &handler);
    self->think_timer = zvt_loop_timer(proc->loop, s_on_think, self);
    self->delivery_timer = zvt_loop_timer(proc->loop, s_on_delivery_time, self);
    zvt_loop_arm(proc->loop, self->think_timer, sim.now_ns + sim_between(1, 600) * ZVT_MS_NS);
    return self;
}

void sim_strategy_stop(sim_proc_t *proc)
{
    strategy_t *self = proc->run;
    sim_push_destroy(&self->push);
    zvt_subscriber_destroy(&self->acks);
    zvt_link_destroy(&self->request);
    delivery_core_destroy(&self->delivery);
    free(self);
}

sim_doing_t sim_strategy_doing(sim_proc_t *proc)
{
    const strategy_t *self = proc->run;
    return delivery_core_pending(self->delivery) > 0 ? SIM_DOING_WORKING : SIM_DOING_IDLE;
}
