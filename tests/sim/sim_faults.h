/* sim_faults -- which faults a seed has, how often, and what they do.
 *
 * Each seed enables a random subset of the kinds with random rates (swarm testing, Groce et al. 2012): a world with only
 * torn commits reaches states that a world with everything at once never sees.
 * Bounds   faults end when the world is healed. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "sim_world.h"

/* How a commit goes. */
typedef struct {
    int64_t before_ns; /* until it is durable */
    int64_t after_ns;  /* until the writer hears */
    bool commits;      /* it becomes durable */
    bool heard;        /* the writer hears the truth; else its connection is lost */
} sim_commit_fate_t;

/* Draws the profile of the seed; `enabled` false: a world without faults. */
void sim_faults_begin(bool enabled);
/* No faults from here on: what was stopped goes on, what was cut off is joined, what is dead is started. Returns when the
 * last of the stopped ones has come to what it had before it when it was stopped: from then on everything is there. */
int64_t sim_faults_heal(void);
/* Called after each step of a process: it may be killed right here. */
void sim_faults_after_step(sim_proc_t *proc);

/* ---- asked by the parts of the world, each time ---- */
int64_t sim_faults_delay_ns(void);
bool sim_faults_loses(void);
bool sim_faults_doubles(void);
int64_t sim_faults_gather_ns(void);
int64_t sim_faults_restart_ns(void);
sim_commit_fate_t sim_faults_commit(void);
int64_t sim_faults_venue_latency_ns(void);
/* Storing an epoch fails: a full disk. */
bool sim_faults_store_fails(void);
/* How much of an unfinished batch a dying venue leaves in its ledger: 0 .. size, or all of it. */
size_t sim_faults_torn(size_t size);
/* Whether a venue's checkpoint is renewed behind this batch. Not drawn from the world's numbers: a checkpoint changes
 * nothing that can be seen, so that a seed has the same history with it and without. */
bool sim_faults_checkpoints(uint64_t batch);
/* A transaction whose client died before it was durable is finished all the same. */
bool sim_faults_orphan_commits(void);

/* The world has two orchestrators that know of each other; else a second one is an accident. */
bool sim_faults_has_standby(void);
/* How long a heartbeat must stand still before another takes over. In some worlds that is less than what the holder counts on,
 * as with clocks of different speed: then only the fences are left. */
int64_t sim_faults_patience_ns(void);

/* One line that says what the seed has. */
void sim_faults_describe(FILE *out);

#endif
