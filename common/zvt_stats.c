#include "zvt_stats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_SIZE = 40,
    SUB_BITS = 6,            /* 64 steps per doubling */
    SUB_COUNT = 1 << SUB_BITS,
    BUCKETS = (64 - SUB_BITS) * SUB_COUNT,
};

struct zvt_histogram {
    char name[NAME_SIZE];
    uint64_t count;
    int64_t max_ns;
    uint32_t buckets[BUCKETS];
};

static struct {
    char name[NAME_SIZE];
    uint64_t value;
} s_counters[ZVT_COUNTERS_MAX];
static unsigned s_counters_count;
static zvt_histogram_t *s_histograms[ZVT_HISTOGRAMS_MAX];
static unsigned s_histograms_count;

uint64_t *zvt_counter(const char *name)
{
    for (unsigned i = 0; i < s_counters_count; i++)
        if (strcmp(s_counters[i].name, name) == 0) return &s_counters[i].value;
    ZVT_ASSERT(s_counters_count < ZVT_COUNTERS_MAX);
    snprintf(s_counters[s_counters_count].name, NAME_SIZE, "%s", name);
    return &s_counters[s_counters_count++].value;
}

zvt_histogram_t *zvt_histogram(const char *name)
{
    for (unsigned i = 0; i < s_histograms_count; i++)
        if (strcmp(s_histograms[i]->name, name) == 0) return s_histograms[i];
    ZVT_ASSERT(s_histograms_count < ZVT_HISTOGRAMS_MAX);
    zvt_histogram_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    snprintf(self->name, NAME_SIZE, "%s", name);
    s_histograms[s_histograms_count++] = self;
    return self;
}

static unsigned s_bucket_of(uint64_t value)
{
    if (value < SUB_COUNT) return (unsigned)value;
    unsigned exponent = 63u - (unsigned)__builtin_clzll(value);
    unsigned sub = (unsigned)(value >> (exponent - SUB_BITS)) & (SUB_COUNT - 1);
    return (exponent - SUB_BITS + 1) * SUB_COUNT + sub;
}

/* Highest value that falls into the bucket. */
static int64_t s_bucket_top(unsigned bucket)
{
    if (bucket < SUB_COUNT) return bucket;
    unsigned exponent = bucket / SUB_COUNT + SUB_BITS - 1;
    uint64_t base = (uint64_t)(SUB_COUNT + bucket % SUB_COUNT) << (exponent - SUB_BITS);
    return (int64_t)(base + (UINT64_C(1) << (exponent - SUB_BITS)) - 1);
}

void zvt_histogram_add(zvt_histogram_t *self, int64_t value_ns)
{
    if (value_ns < 0) value_ns = 0;
    unsigned bucket = s_bucket_of((uint64_t)value_ns);
    self->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    self->count++;
    if (value_ns > self->max_ns) self->max_ns = value_ns;
}

int64_t zvt_histogram_percentile(const zvt_histogram_t *self, double percent)
{
    if (self->count == 0) return 0;
    uint64_t rank = (uint64_t)(percent / 100.0 * (double)self->count + 0.5), seen = 0;
    if (rank == 0) rank = 1;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += self->buckets[i];
        if (seen < rank) continue;
        int64_t top = s_bucket_top(i);
        return top < self->max_ns ? top : self->max_ns;
    }
    return self->max_ns;
}

uint64_t zvt_histogram_count(const zvt_histogram_t *self)
{
    return self->count;
}

void zvt_histogram_reset(zvt_histogram_t *self)
{
    memset(self->buckets, 0, sizeof self->buckets);
    self->count = 0;
    self->max_ns = 0;
}

void zvt_stats_json(FILE *out)
{
    fputs("\"counters\": {", out);
    for (unsigned i = 0; i < s_counters_count; i++)
        fprintf(out, "%s\"%s\": %" PRIu64, i > 0 ? ", " : "", s_counters[i].name, s_counters[i].value);
    fputs("}, \"latency_ms\": {", out);
    for (unsigned i = 0; i < s_histograms_count; i++) {
        const zvt_histogram_t *h = s_histograms[i];
        fprintf(out, "%s\"%s\": {\"count\": %" PRIu64 ", \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}", i > 0 ? ", " : "",
                h->name, h->count, (double)zvt_histogram_percentile(h, 50) / 1e6,
                (double)zvt_histogram_percentile(h, 99) / 1e6, (double)h->max_ns / 1e6);
    }
    putc('}', out);
}
