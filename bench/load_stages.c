#include "load_stages.h"

#include <inttypes.h>

static const char *const s_names[STAGE_COUNT] = {
    [STAGE_REQUESTED] = "requested",
    [STAGE_REQUESTED_DURABLE] = "requested_durable",
    [STAGE_VALIDATED] = "validated",
    [STAGE_ROUTED] = "routed",
    [STAGE_INTENT_DURABLE] = "intent_durable",
    [STAGE_EXECUTOR_TO_VENUE] = "executor_to_venue",
    [STAGE_RESTING] = "resting",
    [STAGE_EXECUTED] = "executed",
    [STAGE_POSITION] = "position",
    [STAGE_COMPLETED_DURABLE] = "completed_durable",
    [STAGE_COMPLETED] = "completed",
    [STAGE_CANCELED] = "cancel_to_canceled",
    [STAGE_COMMIT_TO_SUBSCRIBER] = "commit_to_subscriber",
};
_Static_assert((int)STAGE_COUNT <= (int)ZVT_HISTOGRAMS_MAX, "every stage has a histogram");

zvt_histogram_t *load_stage(load_stage_t stage)
{
    static zvt_histogram_t *histograms[STAGE_COUNT];
    if (histograms[stage] == NULL) histograms[stage] = zvt_histogram(s_names[stage]);
    return histograms[stage];
}

void load_stages_json(FILE *out)
{
    static const struct {
        const char *name;
        double percent;
    } points[] = {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p999", 99.9}, {"max", 100}};
    fputs("\"latency_ms\": {", out);
    const char *comma = "";
    for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
        const zvt_histogram_t *histogram = load_stage((load_stage_t)stage);
        if (zvt_histogram_count(histogram) == 0) continue;
        fprintf(out, "%s\"%s\": {\"count\": %" PRIu64, comma, s_names[stage], zvt_histogram_count(histogram));
        for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
            fprintf(out, ", \"%s\": %.3f", points[i].name, (double)zvt_histogram_percentile(histogram, points[i].percent) / 1e6);
        fputc('}', out);
        comma = ", ";
    }
    fputc('}', out);
}
