/* sim_coverage -- what a range of seeds reached: counts by name, and crashes by process and by what it was doing.
 *
 * Bounds   SIM_COUNTS_MAX names; one more aborts. */
#ifndef SIM_COVERAGE_H
#define SIM_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { SIM_COUNTS_MAX = 512 };

/* What a process was in the middle of when it was killed. */
typedef enum {
    SIM_DOING_IDLE,
    SIM_DOING_STARTING,   /* nothing read yet, or no peer yet */
    SIM_DOING_RECOVERING, /* folding the log, catching up */
    SIM_DOING_WORKING,    /* orders, checks or fills are under way */
    SIM_DOING_COMMITTING, /* a commit is under way */
    SIM_DOING_UNSENT,     /* the round has results that have not left */
    SIM_DOING_UNDURABLE,  /* memory is ahead of the disk */
    SIM_DOINGS
} sim_doing_t;

/* The counter of this name, made on first use: "fault loss", "event order.created". */
uint64_t *sim_count(const char *name);
#define SIM_COUNT(name)                                     \
    do {                                                    \
        static uint64_t *s_count_;                          \
        if (s_count_ == NULL) s_count_ = sim_count(name);   \
        ++*s_count_;                                        \
    } while (0)

void sim_coverage_crash(unsigned kind, sim_doing_t doing);
uint64_t sim_coverage_get(const char *name);

void sim_coverage_print(FILE *out);
void sim_coverage_json(FILE *out);
/* Writes what was reached too rarely for this number of seeds; true if nothing was. */
bool sim_coverage_enough(FILE *out, uint64_t seeds);

#endif
