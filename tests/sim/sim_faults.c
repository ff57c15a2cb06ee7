#include "sim_faults.h"

#include <inttypes.h>

#include "sim_archive.h"
#include "sim_db.h"
#include "sim_net.h"
#include "sim_procs.h"

enum { CHECKPOINT_ODDS = 4 }; /* batches of a venue for one checkpoint */

#define MS(n) ((n) * ZVT_MS_NS)

/* Faults that happen by themselves, at random times. */
typedef enum {
    FAULT_CRASH,
    FAULT_CRASH_STEP,
    FAULT_CRASH_DOING,
    FAULT_CRASH_TWICE,
    FAULT_PAUSE,
    FAULT_BREAK,
    FAULT_CUT,
    FAULT_STALL,
    FAULT_DATABASE_RESTART,
    FAULT_DATABASE_CUT,
    FAULT_CLOCK_JUMP,
    FAULT_ZOMBIE,
    FAULT_EVERYTHING_DIES,
    FAULT_ARCHIVE, /* no fault, but it may meet each of them */
    FAULTS
} fault_t;

typedef struct {
    bool enabled;
    uint32_t weights[FAULTS];     /* of the kinds that this seed has; 0: not at all */
    uint32_t weights_sum;
    int64_t period_ns;            /* between two of them, on average */
    uint32_t kinds;               /* processes that die: a bit per sim_kind_t */
    bool standby;
    int64_t patience_ns;
    uint32_t loss_ppm, double_ppm;
    uint32_t commit_torn_ppm, commit_lost_ppm, commit_slow_ppm, store_fails_ppm;
    int64_t delay_ns, jitter_ns;  /* of messages */
    uint32_t slow_ppm;            /* messages that are much slower */
    int64_t commit_ns, gather_ns, venue_ns, restart_ns;
} profile_t;

static profile_t s_profile;
static uint64_t s_steps_to_crash; /* the process that takes the last of these steps dies; 0: none */
/* The next process of this kind that is seen doing this dies. */
static struct {
    bool armed;
    sim_kind_t kind;
    sim_doing_t doing;
    int64_t until_ns;
} s_trap;

/* ---- what each does ---- */
static sim_proc_t *s_victim(void)
{
    for (int tries = 0; tries < 64; tries++) {
        sim_proc_t *proc = sim_proc_at((uint32_t)sim_below(sim_procs_count()));
        if (proc->alive && (s_profile.kinds >> proc->kind & 1) != 0) return proc;
    }
    return NULL;
}

static void s_crash(void)
{
    sim_proc_t *proc = s_victim();
    if (proc == NULL) return;
    SIM_COUNT("fault crash");
    sim_proc_crash(proc, "at rest");
}

static void s_crash_step(void)
{
    SIM_COUNT("fault crash at a step");
    s_steps_to_crash = 1 + sim_below(40);
}

static void s_crash_doing(void)
{
    const sim_proc_t *proc = s_victim();
    if (proc == NULL) return;
    SIM_COUNT("fault crash in the middle");
    s_trap.armed = true;
    s_trap.kind = proc->kind;
    s_trap.doing = (sim_doing_t)sim_between(SIM_DOING_STARTING, SIM_DOINGS - 1);
    s_trap.until_ns = sim.now_ns + ZVT_SECOND_NS;
}

static void s_on_second_crash(void *arg, uint64_t number)
{
    (void)number;
    if (!sim.healed) sim_proc_crash(arg, "again");
}

static void s_crash_twice(void)
{
    sim_proc_t *proc = s_victim();
    if (proc == NULL) return;
    SIM_COUNT("fault crash twice");
    sim_proc_crash(proc, "the first time");
    sim_at(NULL, sim.now_ns + s_profile.restart_ns + (int64_t)sim_below(MS(400)), s_on_second_crash, proc, 0);
}

static void s_pause(void)
{
    sim_proc_t *proc = s_victim();
    if (proc == NULL) return;
    SIM_COUNT("fault pause");
    sim_proc_pause(proc, sim_between(MS(20), MS(3000)));
}

static void s_break(void)
{
    SIM_COUNT("fault connection broken");
    sim_net_break_one();
}

static void s_cut(void)
{
    SIM_COUNT("fault cut off");
    sim_net_cut_one(sim_between(MS(50), MS(3000)));
}

static void s_stall(void)
{
    SIM_COUNT("fault stall");
    sim_net_stall_one(sim_between(MS(20), MS(1500)));
}

static void s_database_restart(void)
{
    SIM_COUNT("fault database restart");
    sim_db_restart(sim_between(MS(30), MS(1500)));
}

static void s_database_cut(void)
{
    SIM_COUNT("fault database connection cut");
    sim_db_cut((uint32_t)sim_below(SIM_ORCHESTRATORS));
}

static void s_clock_jump(void)
{
    SIM_COUNT("fault clock jump");
    int64_t jump_ns = sim_between(-MS(20000), MS(20000));
    sim.utc_offset_ns += jump_ns;
    SIM_TRACE("* the UTC clock jumps by %" PRId64 " ms", jump_ns / ZVT_MS_NS);
}

/* The writer is stopped, another takes the lease, and then the first wakes up. The other is the standby, or is started by
 * accident. */
static void s_zombie(void)
{
    sim_proc_t *first = sim_proc(SIM_ORCHESTRATOR, sim_db_holder()), *second = sim_proc(SIM_ORCHESTRATOR, 1 - sim_db_holder());
    if (!first->alive || second->alive != s_profile.standby) return;
    SIM_COUNT("fault zombie");
    sim_proc_pause(first, sim_between(MS(100), MS(3000)));
    if (s_profile.standby) return;
    first->supervised = false;
    second->supervised = true;
    sim_proc_start(second);
}

static void s_everything_dies(void)
{
    SIM_COUNT("fault everything dies");
    for (uint32_t i = 0; i < sim_procs_count(); i++) sim_proc_crash(sim_proc_at(i), "with all others");
    sim_db_restart(sim_between(MS(30), MS(500)));
}

static void (*const s_faults[FAULTS])(void) = {
    [FAULT_CRASH] = s_crash, [FAULT_CRASH_STEP] = s_crash_step, [FAULT_CRASH_DOING] = s_crash_doing, [FAULT_CRASH_TWICE] = s_crash_twice, [FAULT_PAUSE] = s_pause,
    [FAULT_BREAK] = s_break, [FAULT_CUT] = s_cut, [FAULT_STALL] = s_stall, [FAULT_DATABASE_RESTART] = s_database_restart,
    [FAULT_DATABASE_CUT] = s_database_cut, [FAULT_CLOCK_JUMP] = s_clock_jump, [FAULT_ZOMBIE] = s_zombie,
    [FAULT_EVERYTHING_DIES] = s_everything_dies, [FAULT_ARCHIVE] = sim_archive_run};

static void s_on_fault(void *arg, uint64_t number)
{
    (void)arg;
    (void)number;
    if (sim.healed) return;
    sim_at(NULL, sim.now_ns + 1 + (int64_t)sim_below((uint64_t)s_profile.period_ns * 2), s_on_fault, NULL, 0);
    uint64_t pick = sim_below(s_profile.weights_sum);
    for (unsigned i = 0; i < FAULTS; i++) {
        if (pick < s_profile.weights[i]) {
            s_faults[i]();
            return;
        }
        pick -= s_profile.weights[i];
    }
}

/* ---- the profile ---- */
static uint32_t s_maybe(uint32_t percent, uint32_t low, uint32_t high)
{
    uint32_t value = (uint32_t)sim_between(low, high); /* drawn in any case, so that kinds do not depend on each other */
    return sim_below(100) < percent ? value : 0;
}

static void s_draw_rates(void)
{
    s_profile.loss_ppm = s_maybe(40, 200, 20000);
    s_profile.double_ppm = s_maybe(40, 200, 30000);
    s_profile.slow_ppm = s_maybe(50, 500, 30000);
    s_profile.commit_torn_ppm = s_maybe(40, 1000, 60000);
    s_profile.commit_lost_ppm = s_maybe(40, 1000, 60000);
    s_profile.commit_slow_ppm = s_maybe(40, 5000, 200000);
    s_profile.store_fails_ppm = s_maybe(20, 10000, 300000);
    s_profile.jitter_ns = sim_between(10, 2000) * SIM_US_NS;
    s_profile.commit_ns = sim_between(100, 20000) * SIM_US_NS;
    s_profile.gather_ns = sim_between(0, 400) * SIM_US_NS;
    s_profile.venue_ns = s_maybe(40, 1, 400) * ZVT_MS_NS;
    s_profile.restart_ns = sim_between(MS(50), MS(600));
}

static void s_draw_weights(void)
{
    static const uint8_t percents[FAULTS] = {
        [FAULT_CRASH] = 45, [FAULT_CRASH_STEP] = 45, [FAULT_CRASH_DOING] = 45, [FAULT_CRASH_TWICE] = 15, [FAULT_PAUSE] = 35, [FAULT_BREAK] = 35,
        [FAULT_CUT] = 30, [FAULT_STALL] = 35, [FAULT_DATABASE_RESTART] = 20, [FAULT_DATABASE_CUT] = 25,
        [FAULT_CLOCK_JUMP] = 15, [FAULT_ZOMBIE] = 20, [FAULT_EVERYTHING_DIES] = 6, [FAULT_ARCHIVE] = 20};
    for (unsigned i = 0; i < FAULTS; i++) {
        s_profile.weights[i] = s_maybe(percents[i], 1, 10);
        s_profile.weights_sum += s_profile.weights[i];
    }
    s_profile.period_ns = sim_between(MS(40), MS(900));
    s_profile.standby = sim_below(3) == 0;
    s_profile.patience_ns = sim_below(3) == 0 ? MS(100) : MS(500);
    s_profile.kinds = sim_below(2) == 0 ? (1U << SIM_KINDS) - 1 : (uint32_t)sim_between(1, (1 << SIM_KINDS) - 1);
}

void sim_faults_begin(bool enabled)
{
    s_steps_to_crash = 0;
    s_trap.armed = false;
    s_profile = (profile_t){.enabled = enabled, .delay_ns = 50 * SIM_US_NS, .jitter_ns = 100 * SIM_US_NS, .commit_ns = 500 * SIM_US_NS,
                            .restart_ns = MS(200), .patience_ns = MS(500)};
    if (enabled) {
        s_draw_rates();
        s_draw_weights();
    }
    sim_proc(SIM_ORCHESTRATOR, 1)->supervised = s_profile.standby;
    if (s_profile.weights_sum > 0) sim_at(NULL, sim.now_ns + (int64_t)sim_below(MS(1500)), s_on_fault, NULL, 0);
}

int64_t sim_faults_heal(void)
{
    int64_t whole_ns = sim.now_ns;
    sim.healed = true;
    s_steps_to_crash = 0;
    s_trap.armed = false;
    s_profile.loss_ppm = s_profile.double_ppm = s_profile.slow_ppm = 0;
    s_profile.commit_torn_ppm = s_profile.commit_lost_ppm = s_profile.commit_slow_ppm = s_profile.store_fails_ppm = 0;
    if (s_profile.jitter_ns > MS(1)) s_profile.jitter_ns = MS(1);
    if (s_profile.commit_ns > MS(2)) s_profile.commit_ns = MS(2);
    if (s_profile.venue_ns > MS(20)) s_profile.venue_ns = MS(20);
    sim_net_heal();
    sim_db_heal();
    for (uint32_t i = 0; i < sim_procs_count(); i++) {
        sim_proc_t *proc = sim_proc_at(i);
        if (proc->alive && proc->paused_until_ns > whole_ns) whole_ns = proc->paused_until_ns;
        proc->paused_until_ns = 0;
        if (!proc->alive && proc->supervised) sim_proc_start(proc);
    }
    return whole_ns;
}

static void s_spring_trap(sim_proc_t *proc)
{
    if (s_trap.until_ns < sim.now_ns) s_trap.armed = false;
    if (!s_trap.armed || proc->kind != s_trap.kind) return;
    bool caught = s_trap.doing == SIM_DOING_UNSENT ? sim_net_has_unsent(proc) : sim_kinds[proc->kind].doing(proc) == s_trap.doing;
    if (!caught) return;
    s_trap.armed = false;
    sim_proc_crash(proc, "in the middle");
}

void sim_faults_after_step(sim_proc_t *proc)
{
    if (s_trap.armed) {
        s_spring_trap(proc);
        if (!proc->alive) return;
    }
    if (s_steps_to_crash == 0 || (s_profile.kinds >> proc->kind & 1) == 0) return;
    if (--s_steps_to_crash == 0) sim_proc_crash(proc, "at a step");
}

/* ---- asked each time ---- */
int64_t sim_faults_delay_ns(void)
{
    int64_t delay_ns = s_profile.delay_ns + (int64_t)sim_below((uint64_t)s_profile.jitter_ns + 1);
    if (sim_chance(s_profile.slow_ppm)) {
        SIM_COUNT("fault slow message");
        delay_ns += (int64_t)sim_below(MS(400));
    }
    return delay_ns;
}

bool sim_faults_loses(void)
{
    if (!sim_chance(s_profile.loss_ppm)) return false;
    SIM_COUNT("fault message lost");
    return true;
}

bool sim_faults_doubles(void)
{
    if (!sim_chance(s_profile.double_ppm)) return false;
    SIM_COUNT("fault message doubled");
    return true;
}

int64_t sim_faults_gather_ns(void)
{
    return s_profile.gather_ns == 0 ? 0 : (int64_t)sim_below((uint64_t)s_profile.gather_ns);
}

int64_t sim_faults_restart_ns(void)
{
    return s_profile.restart_ns / 2 + (int64_t)sim_below((uint64_t)s_profile.restart_ns);
}

sim_commit_fate_t sim_faults_commit(void)
{
    sim_commit_fate_t fate = {.commits = true, .heard = true};
    fate.before_ns = 20 * SIM_US_NS + (int64_t)sim_below((uint64_t)s_profile.commit_ns);
    fate.after_ns = 20 * SIM_US_NS + (int64_t)sim_below((uint64_t)s_profile.commit_ns);
    if (sim_chance(s_profile.commit_slow_ppm)) {
        SIM_COUNT("fault commit slow");
        fate.before_ns += sim_between(MS(20), MS(400));
    }
    if (sim_chance(s_profile.commit_torn_ppm)) {
        SIM_COUNT("fault commit unheard");
        fate.heard = false;
    } else if (sim_chance(s_profile.commit_lost_ppm)) {
        SIM_COUNT("fault commit failed");
        fate.commits = fate.heard = false;
    }
    return fate;
}

int64_t sim_faults_venue_latency_ns(void)
{
    return s_profile.venue_ns == 0 ? 0 : (int64_t)sim_below((uint64_t)s_profile.venue_ns);
}

bool sim_faults_store_fails(void)
{
    if (!sim_chance(s_profile.store_fails_ppm)) return false;
    SIM_COUNT("fault epoch not stored");
    return true;
}

size_t sim_faults_torn(size_t size)
{
    switch (sim_below(3)) {
    case 0: return 0;
    case 1: SIM_COUNT("fault ledger torn"); return (size_t)sim_below(size);
    default: SIM_COUNT("fault ledger durable, unanswered"); return size;
    }
}

bool sim_faults_checkpoints(uint64_t batch)
{
    return s_profile.enabled && ((sim.seed + batch) * 0x9e3779b97f4a7c15ULL >> 32) % CHECKPOINT_ODDS == 0;
}

bool sim_faults_orphan_commits(void)
{
    return sim_below(2) == 0;
}

bool sim_faults_has_standby(void)
{
    return s_profile.standby;
}

int64_t sim_faults_patience_ns(void)
{
    return s_profile.patience_ns;
}

void sim_faults_describe(FILE *out)
{
    fprintf(out, "loss=%" PRIu32 "ppm double=%" PRIu32 "ppm slow=%" PRIu32 "ppm torn=%" PRIu32 "ppm failed=%" PRIu32
            "ppm late=%" PRIu32 "ppm period=%" PRId64 "ms victims=0x%" PRIx32 "%s weights=", s_profile.loss_ppm, s_profile.double_ppm, s_profile.slow_ppm,
            s_profile.commit_torn_ppm, s_profile.commit_lost_ppm, s_profile.commit_slow_ppm, s_profile.period_ns / ZVT_MS_NS, s_profile.kinds, s_profile.standby ? " standby" : "");
    for (unsigned i = 0; i < FAULTS; i++) fprintf(out, "%" PRIu32 "%s", s_profile.weights[i], i + 1 < FAULTS ? "," : "\n");
}
