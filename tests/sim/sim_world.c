#include "sim_world.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim_faults.h"
#include "sim_net.h"
#include "sim_procs.h"
#include "sim_run.h"

enum { TASKS_MAX = 1 << 17, TRACE_LINES = 1 << 16, TRACE_WIDTH = 400, PROCS_MAX = 20 };

typedef struct {
    int64_t at_ns;
    uint64_t order; /* of planning: breaks ties, so that equal times keep their order */
    sim_proc_t *proc;
    uint32_t life;
    sim_task_fn *fn;
    void *arg;
    uint64_t number;
} task_t;

sim_world_t sim;

static task_t s_heap[TASKS_MAX];
static uint32_t s_heap_count;
static uint64_t s_order;
static sim_proc_t s_procs[PROCS_MAX];
static uint32_t s_procs_count;
static char (*s_lines)[TRACE_WIDTH]; /* ring, allocated when a history is first kept */
static uint64_t s_lines_count;

/* ---- the queue ---- */
static bool s_sooner(const task_t *a, const task_t *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void s_push(const task_t *task)
{
    ZVT_ASSERT(s_heap_count < TASKS_MAX);
    uint32_t at = s_heap_count++;
    while (at > 0 && s_sooner(task, &s_heap[(at - 1) / 2])) {
        s_heap[at] = s_heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    s_heap[at] = *task;
}

static task_t s_pop(void)
{
    task_t first = s_heap[0], last = s_heap[--s_heap_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= s_heap_count) break;
        if (child + 1 < s_heap_count && s_sooner(&s_heap[child + 1], &s_heap[child])) child++;
        if (!s_sooner(&s_heap[child], &last)) break;
        s_heap[at] = s_heap[child];
        at = child;
    }
    s_heap[at] = last;
    return first;
}

void sim_at(sim_proc_t *proc, int64_t at_ns, sim_task_fn *fn, void *arg, uint64_t number)
{
    task_t task = {.at_ns = at_ns < sim.now_ns ? sim.now_ns : at_ns, .order = ++s_order, .proc = proc, .fn = fn, .arg = arg,
                   .number = number, .life = proc != NULL ? proc->life : 0};
    s_push(&task);
}

bool sim_step(int64_t limit_ns)
{
    for (;;) {
        if (s_heap_count == 0 || s_heap[0].at_ns > limit_ns) {
            sim.now_ns = limit_ns;
            return false;
        }
        task_t task = s_pop();
        if (task.proc != NULL && task.life != task.proc->life) continue;
        sim.now_ns = task.at_ns;
        if (task.proc != NULL && task.proc->paused_until_ns > sim.now_ns) {
            task.at_ns = task.proc->paused_until_ns; /* keeps its place among all that wait with it */
            s_push(&task);
            continue;
        }
        sim.steps++;
        task.fn(task.arg, task.number);
        if (task.proc != NULL && task.life == task.proc->life) sim_faults_after_step(task.proc);
        return true;
    }
}

/* ---- processes ---- */
uint32_t sim_procs_count(void)
{
    return s_procs_count;
}

sim_proc_t *sim_proc_at(uint32_t n)
{
    return &s_procs[n];
}

sim_proc_t *sim_proc(sim_kind_t kind, uint32_t index)
{
    for (uint32_t i = 0; i < s_procs_count; i++)
        if (s_procs[i].kind == kind && s_procs[i].index == index) return &s_procs[i];
    ZVT_ASSERT(false);
    return NULL;
}

static void s_on_round(void *arg, uint64_t number)
{
    sim_proc_t *proc = arg;
    (void)number;
    proc->round_planned = false;
    sim_loop_end_round(proc->loop);
}

void sim_proc_touch(sim_proc_t *proc)
{
    if (proc->round_planned) return;
    proc->round_planned = true;
    sim_at(proc, sim.now_ns + sim_faults_gather_ns(), s_on_round, proc, 0);
}

void sim_proc_start(sim_proc_t *proc)
{
    ZVT_ASSERT(!proc->alive);
    proc->alive = true;
    proc->life++;
    proc->paused_until_ns = 0;
    proc->round_planned = false;
    /* As in the fleet, a run is named by its start time, and after the clock was set back that is below the run before. */
    proc->identity = (zvt_hello_t){.role = sim_kinds[proc->kind].role, .incarnation = (uint64_t)sim_utc_ns()};
    ZVT_STR_SET(proc->identity.name, proc->name);
    proc->loop = sim_loop_new(proc);
    SIM_TRACE("* %s starts", proc->name);
    sim_fold_number(proc->life);
    proc->run = sim_kinds[proc->kind].start(proc);
    sim_proc_touch(proc);
}

static void s_end(sim_proc_t *proc)
{
    sim_net_forget(proc);
    if (proc->run != NULL) sim_kinds[proc->kind].stop(proc); /* else its start has failed */
    sim_loop_destroy(&proc->loop);
    proc->run = NULL;
    proc->alive = false;
    proc->life++;
}

static void s_on_restart(void *arg, uint64_t number)
{
    sim_proc_t *proc = arg;
    (void)number;
    if (!proc->alive && proc->supervised) sim_proc_start(proc);
}

static void s_plan_restart(sim_proc_t *proc)
{
    if (proc->supervised) sim_at(NULL, sim.now_ns + sim_faults_restart_ns(), s_on_restart, proc, 0);
}

void sim_proc_crash(sim_proc_t *proc, const char *why)
{
    if (!proc->alive) return;
    sim_doing_t doing = sim_kinds[proc->kind].doing(proc);
    if (proc->paused_until_ns <= sim.now_ns && sim_net_has_unsent(proc) && doing != SIM_DOING_UNDURABLE) doing = SIM_DOING_UNSENT;
    sim_coverage_crash(proc->kind, doing);
    SIM_TRACE("* %s is killed (%s)", proc->name, why);
    sim_fold_number(doing);
    s_end(proc);
    s_plan_restart(proc);
}

void sim_proc_exit(sim_proc_t *proc, const char *why)
{
    SIM_TRACE("* %s exits: %s", proc->name, why);
    s_end(proc);
    s_plan_restart(proc);
}

void sim_proc_pause(sim_proc_t *proc, int64_t duration_ns)
{
    if (!proc->alive) return;
    proc->paused_until_ns = sim.now_ns + duration_ns;
    SIM_TRACE("* %s is stopped for %" PRId64 " ms", proc->name, duration_ns / ZVT_MS_NS);
}

static void s_add_proc(sim_kind_t kind, uint32_t index, const char *part)
{
    sim_proc_t *proc = &s_procs[s_procs_count++];
    *proc = (sim_proc_t){.kind = kind, .index = index, .supervised = true};
    snprintf(proc->name, sizeof proc->name, "%s%s%s", sim_kinds[kind].name, part[0] != '\0' ? "-" : "", part);
}

static void s_add_numbered(sim_kind_t kind, uint32_t count)
{
    char part[16];
    for (uint32_t i = 0; i < count; i++) {
        snprintf(part, sizeof part, "%" PRIu32, i);
        s_add_proc(kind, i, part);
    }
}

void sim_world_reset(uint64_t seed, bool tracing)
{
    sim.closing = true;
    for (uint32_t i = 0; i < s_procs_count; i++)
        if (s_procs[i].alive) s_end(&s_procs[i]);
    sim_net_clear();
    s_heap_count = 0;
    s_order = 0;
    s_lines_count = 0;
    zvt_fleet_t *fleet = sim.fleet;
    sim = (sim_world_t){.fleet = fleet, .seed = seed, .now_ns = SIM_BEGIN_NS, .utc_offset_ns = SIM_UTC_BEGIN_NS - SIM_BEGIN_NS,
                        .hash = 0xcbf29ce484222325ULL, .tracing = tracing};
    zvt_rng_seed(&sim.rng, seed);
    s_procs_count = 0;
    s_add_numbered(SIM_ORCHESTRATOR, SIM_ORCHESTRATORS);
    s_add_proc(SIM_RISK, 0, "");
    s_add_proc(SIM_PORTFOLIO, 0, "");
    s_add_proc(SIM_EXECUTOR, 0, "");
    s_add_proc(SIM_REPLAYER, 0, "");
    for (uint32_t i = 0; i < SIM_VENUES; i++) s_add_proc(SIM_GATEWAY, i, fleet->venues[i].name);
    for (uint32_t i = 0; i < SIM_VENUES; i++) s_add_proc(SIM_VENUE, i, fleet->venues[i].name);
    s_add_numbered(SIM_STRATEGY, SIM_STRATEGIES);
    s_add_numbered(SIM_CLIENT, SIM_CLIENTS);
}

/* ---- the trace ---- */
static void s_mix(uint64_t word)
{
    unsigned __int128 product = (unsigned __int128)(sim.hash ^ word) * 0x9e3779b97f4a7c15ULL;
    sim.hash = (uint64_t)product ^ (uint64_t)(product >> 64) ^ 0x5851f42d4c957f2dULL;
}

void sim_fold_number(uint64_t number)
{
    s_mix(number);
}

void sim_fold(const void *data, size_t length)
{
    const uint8_t *bytes = data;
    s_mix(length ^ (uint64_t)sim.now_ns);
    for (; length >= 8; length -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        s_mix(word);
    }
    uint64_t word = 0;
    memcpy(&word, bytes, length);
    s_mix(word);
}

void sim_trace(const char *format, ...)
{
    if (s_lines == NULL) s_lines = calloc(TRACE_LINES, sizeof *s_lines);
    ZVT_ASSERT(s_lines != NULL);
    char *line = s_lines[s_lines_count++ % TRACE_LINES];
    int used = snprintf(line, TRACE_WIDTH, "%10.3f ms  ", (double)(sim.now_ns - SIM_BEGIN_NS) / 1e6);
    va_list args;
    va_start(args, format);
    vsnprintf(line + used, TRACE_WIDTH - (size_t)used, format, args);
    va_end(args);
}

/* Lines that begin with a star concern everybody. */
static bool s_is_wanted(const char *line, const char *subject)
{
    const char *text = strstr(line, "ms  ");
    return subject == NULL || subject[0] == '\0' || (text != NULL && text[4] == '*') || strstr(line, subject) != NULL;
}

void sim_trace_print(FILE *out, const char *subject, size_t lines)
{
    uint64_t oldest = s_lines_count > TRACE_LINES ? s_lines_count - TRACE_LINES : 0, begin = s_lines_count;
    for (size_t found = 0; begin > oldest && found < lines; begin--) found += s_is_wanted(s_lines[(begin - 1) % TRACE_LINES], subject);
    for (uint64_t i = begin; i < s_lines_count; i++)
        if (s_is_wanted(s_lines[i % TRACE_LINES], subject)) fprintf(out, "  %s\n", s_lines[i % TRACE_LINES]);
}
