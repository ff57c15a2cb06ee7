/* zvt_loop.h over the world's queue: timers are tasks of their process, and a round ends when the process was touched. */
#include <stdlib.h>

#include "sim_net.h"

typedef struct {
    zvt_loop_fn *fn;
    void *arg;
    int64_t period_ns;  /* 0: armed by hand */
    int64_t at_ns;      /* 0: not armed */
    int64_t planned_ns; /* earliest task in the queue; 0: none */
} timer_slot_t;

struct zvt_loop {
    sim_proc_t *proc;
    timer_slot_t timers[ZVT_LOOP_TIMERS_MAX];
    int timers_count;
    struct {
        zvt_loop_fn *fn;
        void *arg;
    } rounds[ZVT_LOOP_TURNS_MAX];
    int rounds_count;
};

zvt_loop_t *sim_loop_new(sim_proc_t *proc)
{
    zvt_loop_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->proc = proc;
    return self;
}

void sim_loop_destroy(zvt_loop_t **self)
{
    free(*self);
    *self = NULL;
}

sim_proc_t *sim_loop_proc(const zvt_loop_t *self)
{
    return self->proc;
}

void sim_loop_end_round(zvt_loop_t *self)
{
    for (int i = 0; i < self->rounds_count; i++) {
        uint32_t life = self->proc->life;
        self->rounds[i].fn(self->rounds[i].arg);
        if (life != self->proc->life) return; /* it ended itself */
    }
}

void zvt_loop_on_round(zvt_loop_t *self, zvt_loop_fn *fn, void *arg)
{
    ZVT_ASSERT(self->rounds_count < ZVT_LOOP_TURNS_MAX);
    self->rounds[self->rounds_count].fn = fn;
    self->rounds[self->rounds_count++].arg = arg;
}

static void s_on_timer(void *arg, uint64_t number)
{
    zvt_loop_t *self = arg;
    timer_slot_t *timer = &self->timers[number];
    timer->planned_ns = 0;
    if (timer->at_ns == 0) return;
    if (timer->at_ns > sim.now_ns) {
        timer->planned_ns = timer->at_ns;
        sim_at(self->proc, timer->at_ns, s_on_timer, self, number);
        return;
    }
    timer->at_ns = 0;
    if (timer->period_ns != 0) {
        timer->at_ns = timer->planned_ns = sim.now_ns + timer->period_ns;
        sim_at(self->proc, timer->at_ns, s_on_timer, self, number);
    }
    sim_proc_touch(self->proc);
    timer->fn(timer->arg);
}

int zvt_loop_timer(zvt_loop_t *self, zvt_loop_fn *fn, void *arg)
{
    ZVT_ASSERT(self->timers_count < ZVT_LOOP_TIMERS_MAX);
    self->timers[self->timers_count] = (timer_slot_t){.fn = fn, .arg = arg};
    return self->timers_count++;
}

void zvt_loop_arm(zvt_loop_t *self, int timer, int64_t at_monotonic_ns)
{
    timer_slot_t *slot = &self->timers[timer];
    slot->at_ns = at_monotonic_ns;
    if (at_monotonic_ns == 0 || (slot->planned_ns != 0 && slot->planned_ns <= at_monotonic_ns)) return;
    slot->planned_ns = at_monotonic_ns;
    sim_at(self->proc, at_monotonic_ns, s_on_timer, self, (uint64_t)timer);
}

int zvt_loop_every(zvt_loop_t *self, int64_t period_ns, zvt_loop_fn *fn, void *arg)
{
    int timer = zvt_loop_timer(self, fn, arg);
    self->timers[timer].period_ns = period_ns;
    zvt_loop_arm(self, timer, sim.now_ns + period_ns);
    return timer;
}

void zvt_loop_again(zvt_loop_t *self)
{
    sim_proc_touch(self->proc);
}

int64_t zvt_loop_utc_ns(const zvt_loop_t *self)
{
    (void)self;
    return sim_utc_ns();
}

int64_t zvt_loop_monotonic_ns(const zvt_loop_t *self)
{
    (void)self;
    return sim.now_ns;
}
