/* sim_run -- runs one seed from its first start to its last check.
 *
 * A seed: everything starts; strategies and clients send their commands while faults happen; the world is healed; it has
 * to come to rest, trade again, and agree with itself.
 * Errors   a seed that failed says which invariant, in words, and about what. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "sim_world.h"

typedef struct {
    uint32_t commands;  /* of the workload; 0: the seed decides */
    bool faults;
    bool tracing;       /* keep the history */
} sim_options_t;

typedef struct {
    bool failed;
    char invariant[128];
    char subject[64];    /* id of the order concerned; may be empty */
    char detail[512];
    uint64_t hash, steps;
    uint32_t orders, fills;
    int64_t at_ns;       /* simulated, when it ended or failed */
    int64_t recovered_ns; /* from when everything is there again to the first filled order */
} sim_result_t;

void sim_run(uint64_t seed, const sim_options_t *options, sim_result_t *result);

#endif
