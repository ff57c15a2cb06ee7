/* A client of the request socket: places, repeats, cancels, halts, resumes, asks for barriers. Past the orchestrator it asks
 * the executor to cancel, and pulls and releases the kill switch. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim_oracle.h"
#include "sim_procs.h"

enum { ORDERS = 8 };
#define ASK_AGAIN_NS (700 * ZVT_MS_NS)

/* What the operator of client 0 still waits for; kept for the whole seed. */
static struct {
    bool resume_wanted, resumed, released;
    bool barrier_wanted;
    uint64_t barrier_seq;
    uint64_t requests; /* names requests, over all runs and clients */
} s_operator;

typedef struct {
    sim_proc_t *proc;
    zvt_link_t *link;
    zvt_link_t *executor;
    int think_timer, again_timer, resume_timer;
    zvt_place_request_t last;
    bool waiting;
    zvt_id_t orders[ORDERS];
    uint64_t orders_count;
} client_t;

void sim_client_reset(void)
{
    memset(&s_operator, 0, sizeof s_operator);
}

static void s_place(client_t *self, const zvt_order_request_t *terms, const char *strategy_id, uint8_t wait)
{
    self->last = (zvt_place_request_t){.order_request = *terms, .wait = wait, .created_at_ns = sim_utc_ns()};
    snprintf(self->last.request_id, sizeof self->last.request_id, "request-%" PRIu64, ++s_operator.requests);
    ZVT_STR_SET(self->last.user_id, self->proc->name);
    ZVT_STR_SET(self->last.strategy_id, strategy_id);
    self->waiting = true;
    zvt_link_send(self->link, ZVT_T_PLACE_REQUEST, &self->last);
    if (sim_below(3) == 0) {
        SIM_COUNT("requests doubled by the client");
        zvt_link_send(self->link, ZVT_T_PLACE_REQUEST, &self->last);
    }
    zvt_loop_arm(self->proc->loop, self->again_timer, sim.now_ns + ASK_AGAIN_NS);
}

static void s_cancel_one(client_t *self)
{
    if (self->orders_count == 0) return;
    uint64_t known = self->orders_count < ORDERS ? self->orders_count : ORDERS;
    zvt_cancel_request_t cancel = {.order_id = self->orders[sim_below(known)], .timeout_ms = 2000};
    ZVT_STR_SET(cancel.requested_by, self->proc->name);
    SIM_COUNT("cancels by request");
    zvt_link_send(self->link, ZVT_T_CANCEL_REQUEST, &cancel);
}

static void s_halt(client_t *self, bool halt)
{
    zvt_halt_request_t request = {.halt = halt};
    ZVT_STR_SET(request.requested_by, self->proc->name);
    ZVT_STR_SET(request.reason, SIM_HALT_REASON);
    zvt_link_send(self->link, ZVT_T_HALT_REQUEST, &request);
}

static void s_kill(client_t *self, uint8_t action)
{
    zvt_kill_request_t request = {.action = action, .timeout_ms = 500};
    uint64_t known = self->orders_count < ORDERS ? self->orders_count : ORDERS;
    if (action == ZVT_KILL_CANCEL && known == 0) return;
    if (action == ZVT_KILL_CANCEL) request.order_id = self->orders[sim_below(known)];
    ZVT_STR_SET(request.requested_by, self->proc->name);
    ZVT_STR_SET(request.reason, "the simulator says so");
    zvt_link_send(self->executor, ZVT_T_KILL_REQUEST, &request);
}

/* As the command does it: the switch at the executor, the latch at the orchestrator. */
static void s_pull_kill_switch(client_t *self)
{
    SIM_COUNT("kills asked for");
    s_kill(self, ZVT_KILL_KILL);
    if (sim_below(2) == 0) s_halt(self, true);
    zvt_loop_arm(self->proc->loop, self->resume_timer, sim.now_ns + sim_between(50, 2500) * ZVT_MS_NS);
}

static void s_barrier(client_t *self)
{
    zvt_barrier_request_t request = {.requested_by = ""};
    ZVT_STR_SET(request.requested_by, self->proc->name);
    zvt_link_send(self->link, ZVT_T_BARRIER_REQUEST, &request);
}

static void s_on_resume_time(void *arg)
{
    s_halt(arg, false);
    s_kill(arg, ZVT_KILL_RESUME);
}

static void s_think(client_t *self)
{
    static const uint8_t waits[] = {ZVT_WAIT_COMMITTED, ZVT_WAIT_ACCEPTED, ZVT_WAIT_FILLED};
    uint64_t pick = sim_below(100);
    if (pick < 18) {
        s_cancel_one(self);
    } else if (pick < 22) {
        SIM_COUNT("halts asked for");
        s_halt(self, true);
        zvt_loop_arm(self->proc->loop, self->resume_timer, sim.now_ns + sim_between(50, 900) * ZVT_MS_NS);
    } else if (pick < 28) {
        s_barrier(self);
    } else if (pick < 31) {
        s_pull_kill_switch(self);
    } else if (pick < 35) {
        SIM_COUNT("cancels at the executor");
        s_kill(self, pick == 31 ? ZVT_KILL_CANCEL_ALL : ZVT_KILL_CANCEL);
    } else {
        zvt_order_request_t terms;
        sim_workload_terms(&terms);
        SIM_COUNT("requests");
        s_place(self, &terms, sim_below(2) == 0 ? "manual" : "strategy-0", waits[sim_below(sizeof waits)]);
    }
}

static void s_on_think(void *arg)
{
    client_t *self = arg;
    if (!sim_workload_take()) return;
    s_think(self);
    zvt_loop_arm(self->proc->loop, self->think_timer, sim.now_ns + 1 + (int64_t)sim_below((uint64_t)(900 * ZVT_MS_NS)));
}

/* Nobody answered: the same request again, under the same id. */
static void s_on_again(void *arg)
{
    client_t *self = arg;
    if (self->waiting) {
        SIM_COUNT("requests repeated");
        zvt_link_send(self->link, ZVT_T_PLACE_REQUEST, &self->last);
    }
    if (self->proc->index == 0 && s_operator.resume_wanted && !s_operator.resumed) s_halt(self, false);
    if (self->proc->index == 0 && s_operator.resume_wanted && !s_operator.released) s_kill(self, ZVT_KILL_RESUME);
    if (self->proc->index == 0 && s_operator.barrier_wanted && s_operator.barrier_seq == 0) s_barrier(self);
    zvt_loop_arm(self->proc->loop, self->again_timer, sim.now_ns + ASK_AGAIN_NS);
}

static void s_on_place_reply(client_t *self, const zvt_place_reply_t *reply)
{
    if (strcmp(reply->request_id, self->last.request_id) == 0) {
        bool again = reply->code == ZVT_CODE_LOG_UNAVAILABLE || reply->code == ZVT_CODE_OVERLOADED;
        self->waiting = again;
    }
    if (!zvt_id_is_none(&reply->order_id)) self->orders[self->orders_count++ % ORDERS] = reply->order_id;
}

static void s_on_command_reply(const zvt_command_reply_t *reply)
{
    if (!reply->success) return;
    bool barrier = strcmp(reply->message, "barrier written") == 0;
    if (!barrier && s_operator.resume_wanted && strstr(reply->message, "halted already") == NULL && strcmp(reply->message, "halted") != 0)
        s_operator.resumed = true;
    if (barrier && s_operator.barrier_wanted) s_operator.barrier_seq = reply->seq;
}

static void s_on_executor_record(void *arg, const zvt_record_t *record)
{
    const client_t *self = arg;
    if (record->type != ZVT_T_KILL_REPLY) return;
    const zvt_kill_reply_t *reply = &record->kill_reply;
    if (reply->canceled > 0) SIM_COUNT("executor cancels confirmed");
    if (reply->halted) SIM_COUNT("kills confirmed");
    if (self->proc->index == 0 && s_operator.resume_wanted && !reply->halted) s_operator.released = true;
}

static void s_on_record(void *arg, const zvt_record_t *record)
{
    client_t *self = arg;
    if (record->type == ZVT_T_PLACE_REPLY) s_on_place_reply(self, &record->place_reply);
    if (record->type == ZVT_T_COMMAND_REPLY && self->proc->index == 0) s_on_command_reply(&record->command_reply);
}

static client_t *s_client(uint32_t index)
{
    return sim_proc(SIM_CLIENT, index)->run;
}

void sim_client_probe(uint32_t index, uint32_t venue)
{
    zvt_order_request_t terms;
    sim_workload_probe_terms(&terms);
    ZVT_STR_SET(terms.venue, sim.fleet->venues[venue].name);
    s_place(s_client(index), &terms, venue == 0 ? "probe-first" : "probe-second", ZVT_WAIT_FILLED);
    sim_proc_touch(s_client(index)->proc);
}

void sim_client_ask_resume(void)
{
    s_operator.resume_wanted = true;
    s_operator.resumed = s_operator.released = false;
    zvt_loop_arm(s_client(0)->proc->loop, s_client(0)->again_timer, sim.now_ns + 1);
}

bool sim_client_resumed(void)
{
    return s_operator.resumed && s_operator.released;
}

void sim_client_ask_barrier(void)
{
    s_operator.barrier_wanted = true;
    s_operator.barrier_seq = 0;
    zvt_loop_arm(s_client(0)->proc->loop, s_client(0)->again_timer, sim.now_ns + 1);
}

uint64_t sim_client_barrier_seq(void)
{
    return s_operator.barrier_seq;
}

static void s_on_up(void *arg, const zvt_hello_t *peer)
{
    (void)arg;
    (void)peer;
}

void *sim_client_start(sim_proc_t *proc)
{
    client_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->proc = proc;
    zvt_link_handler_t handler = {.on_record = s_on_record, .on_up = s_on_up, .arg = self};
    zvt_link_handler_t executor = {.on_record = s_on_executor_record, .on_up = s_on_up, .arg = self};
    self->link = zvt_link_new(proc->loop, "request", &proc->identity, &handler);
    self->executor = zvt_link_new(proc->loop, "execute", &proc->identity, &executor);
    self->think_timer = zvt_loop_timer(proc->loop, s_on_think, self);
    self->again_timer = zvt_loop_timer(proc->loop, s_on_again, self);
    self->resume_timer = zvt_loop_timer(proc->loop, s_on_resume_time, self);
    zvt_loop_arm(proc->loop, self->think_timer, sim.now_ns + sim_between(1, 800) * ZVT_MS_NS);
    zvt_loop_arm(proc->loop, self->again_timer, sim.now_ns + ASK_AGAIN_NS);
    return self;
}

void sim_client_stop(sim_proc_t *proc)
{
    client_t *self = proc->run;
    zvt_link_destroy(&self->link);
    zvt_link_destroy(&self->executor);
    free(self);
}

sim_doing_t sim_client_doing(sim_proc_t *proc)
{
    return ((const client_t *)proc->run)->waiting ? SIM_DOING_WORKING : SIM_DOING_IDLE;
}
