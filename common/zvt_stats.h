/* zvt_stats -- named counters and latency histograms of one process.
 *
 * Shapes   a counter is a uint64_t that the owner increments; a histogram is log-linear, 64 steps per doubling.
 * Bounds   ZVT_COUNTERS_MAX and ZVT_HISTOGRAMS_MAX per process; one more aborts (registration happens at start).
 * Source   the histogram follows HdrHistogram (Gil Tene): bounded relative error, no allocation per sample. */
#ifndef ZVT_STATS_H
#define ZVT_STATS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "zvt_error.h"

enum { ZVT_COUNTERS_MAX = 96, ZVT_HISTOGRAMS_MAX = 16 };

/* The process's counter of this name, made on first use; lives as long as the process. */
uint64_t *zvt_counter(const char *name);
/* Adds one, looking the name up only once per call site. */
#define ZVT_COUNT(name)                                        \
    do {                                                       \
        static uint64_t *s_counter_;                           \
        if (s_counter_ == NULL) s_counter_ = zvt_counter(name); \
        ++*s_counter_;                                         \
    } while (0)

typedef struct zvt_histogram zvt_histogram_t;
/* The process's histogram of this name, made on first use; values are nanoseconds. */
zvt_histogram_t *zvt_histogram(const char *name);
void zvt_histogram_add(zvt_histogram_t *self, int64_t value_ns);
/* Value at or below which `percent` of the samples lie, exact to 1.6 %; 0 without samples. */
int64_t zvt_histogram_percentile(const zvt_histogram_t *self, double percent);
uint64_t zvt_histogram_count(const zvt_histogram_t *self);
void zvt_histogram_reset(zvt_histogram_t *self);

/* "counters": {..}, "latency_ms": {"name": {"count", "p50", "p99", "max"}} -- two members without braces around. */
void zvt_stats_json(FILE *out);

#endif
