/* sim_world -- one simulated world: its clock, its queue of things to happen, its processes, its trace.
 *
 * A world has one thread and no real time: the queue holds what will happen when, and the next thing happens as soon as
 * the one before is done. Everything random comes from one generator, so that a seed is a history.
 * Units    *_ns: nanoseconds of the world's monotonic clock, which starts at SIM_BEGIN_NS; UTC is that plus an offset
 *          that faults may move.
 * Owns     one world at a time, in static memory; worlds are built and torn down by sim_run. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdio.h>

#include "sim_coverage.h"
#include "zvt_codec.h"
#include "zvt_config.h"
#include "zvt_loop.h"
#include "zvt_time.h"

#define SIM_BEGIN_NS (1000 * ZVT_SECOND_NS)
#define SIM_UTC_BEGIN_NS (INT64_C(1700000000) * ZVT_SECOND_NS)
#define SIM_US_NS INT64_C(1000)

enum { SIM_VENUES = 2, SIM_INSTRUMENTS = 2, SIM_STRATEGIES = 3, SIM_CLIENTS = 2, SIM_ORCHESTRATORS = 2 };

/* ---- processes ---- */
typedef enum {
    SIM_ORCHESTRATOR,
    SIM_RISK,
    SIM_PORTFOLIO,
    SIM_EXECUTOR,
    SIM_GATEWAY,
    SIM_VENUE,
    SIM_REPLAYER,
    SIM_STRATEGY,
    SIM_CLIENT,
    SIM_KINDS
} sim_kind_t;

typedef struct sim_proc sim_proc_t;

/* What a kind of process is made of. */
typedef struct {
    const char *name;
    uint8_t role;                         /* ZVT_ROLE_* */
    void *(*start)(sim_proc_t *proc);     /* builds a run from nothing but durable state */
    void (*stop)(sim_proc_t *proc);       /* frees the run; nothing leaves any more */
    sim_doing_t (*doing)(sim_proc_t *proc); /* what it is in the middle of, for coverage */
} sim_kind_desc_t;

struct sim_proc {
    sim_kind_t kind;
    uint32_t index;          /* among its kind: venue, strategy, slot of an orchestrator */
    char name[ZVT_NAME_SIZE];
    bool alive;
    bool supervised;         /* restarted when it dies */
    uint32_t life;           /* changes with every start and death: what was planned for another life is void */
    int64_t paused_until_ns; /* stopped by SIGSTOP until then; what happens to it waits */
    zvt_hello_t identity;    /* of this run */
    zvt_loop_t *loop;
    void *run;               /* of its kind */
    bool round_planned;
};

sim_proc_t *sim_proc(sim_kind_t kind, uint32_t index);
/* Starts now. */
void sim_proc_start(sim_proc_t *proc);
/* SIGKILL: everything but durable state is gone. The supervisor starts it again after a while. */
void sim_proc_crash(sim_proc_t *proc, const char *why);
/* SIGSTOP for a while. */
void sim_proc_pause(sim_proc_t *proc, int64_t duration_ns);
/* The process ends by itself. */
void sim_proc_exit(sim_proc_t *proc, const char *why);
/* Something happened in the process: its round ends soon. */
void sim_proc_touch(sim_proc_t *proc);
uint32_t sim_procs_count(void);
sim_proc_t *sim_proc_at(uint32_t n);

/* ---- the queue ---- */
typedef void(sim_task_fn)(void *arg, uint64_t number);
/* Plans a call. `proc`: it belongs to the present life of that process; NULL: to the world. */
void sim_at(sim_proc_t *proc, int64_t at_ns, sim_task_fn *fn, void *arg, uint64_t number);
/* Lets the next thing happen; false when nothing is planned before the limit (time is then at the limit). */
bool sim_step(int64_t limit_ns);

/* ---- the world ---- */
typedef struct {
    zvt_fleet_t *fleet;
    uint64_t seed;
    zvt_rng_t rng;
    int64_t now_ns;
    int64_t utc_offset_ns;
    uint64_t steps;     /* tasks done */
    uint64_t records;   /* sent between processes */
    uint64_t hash;      /* of everything delivered and done */
    bool healed;        /* faults are over */
    bool tracing;       /* keep the history */
    bool closing;       /* the seed is over; its processes are taken down without a trace */
} sim_world_t;
extern sim_world_t sim;

static inline int64_t sim_utc_ns(void) { return sim.now_ns + sim.utc_offset_ns; }
static inline uint64_t sim_below(uint64_t bound) { return zvt_rng_below(&sim.rng, bound); }
/* True with this probability, in parts per million. */
static inline bool sim_chance(uint32_t ppm) { return ppm != 0 && sim_below(1000000) < ppm; }
/* Uniform between the two, both included. */
static inline int64_t sim_between(int64_t low, int64_t high) { return low + (int64_t)sim_below((uint64_t)(high - low) + 1); }

void sim_world_reset(uint64_t seed, bool tracing);
/* Folds what happens into the trace hash. */
void sim_fold(const void *data, size_t length);
void sim_fold_number(uint64_t number);

/* Adds a line to the history, when it is kept. */
ZVT_PRINTF(1, 2) void sim_trace(const char *format, ...);
#define SIM_TRACE(...)                          \
    do {                                        \
        if (sim.tracing) sim_trace(__VA_ARGS__); \
    } while (0)
/* The same for records and events: their JSON, cut. */
void sim_trace_record(const char *from, const char *to, zvt_type_t type, const void *record);
/* The last lines, those that name one of the comma-separated subjects or concern the whole world. */
void sim_trace_print(FILE *out, const char *subject, size_t lines);

/* An invariant does not hold: ends the seed. Does not return. `subject` (may be NULL) is what the history is filtered by. */
ZVT_PRINTF(3, 4) _Noreturn void sim_violation(const char *invariant, const char *subject, const char *format, ...);

#endif
