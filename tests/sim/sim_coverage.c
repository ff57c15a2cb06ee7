#include "sim_coverage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim_procs.h"

static struct {
    char name[72];
    uint64_t count;
} s_counts[SIM_COUNTS_MAX];
static uint32_t s_counts_used;
static uint64_t s_crashes[SIM_KINDS][SIM_DOINGS];

static const char *const s_doings[SIM_DOINGS] = {
    [SIM_DOING_IDLE] = "idle", [SIM_DOING_STARTING] = "starting", [SIM_DOING_RECOVERING] = "recovering", [SIM_DOING_WORKING] = "working",
    [SIM_DOING_COMMITTING] = "committing", [SIM_DOING_UNSENT] = "unsent", [SIM_DOING_UNDURABLE] = "undurable"};

uint64_t *sim_count(const char *name)
{
    for (uint32_t i = 0; i < s_counts_used; i++)
        if (strcmp(s_counts[i].name, name) == 0) return &s_counts[i].count;
    if (s_counts_used == SIM_COUNTS_MAX) abort();
    snprintf(s_counts[s_counts_used].name, sizeof s_counts[0].name, "%s", name);
    return &s_counts[s_counts_used++].count;
}

uint64_t sim_coverage_get(const char *name)
{
    for (uint32_t i = 0; i < s_counts_used; i++)
        if (strcmp(s_counts[i].name, name) == 0) return s_counts[i].count;
    return 0;
}

void sim_coverage_crash(unsigned kind, sim_doing_t doing)
{
    s_crashes[kind][doing]++;
}

static int s_by_name(const void *a, const void *b)
{
    return strcmp(s_counts[*(const uint32_t *)a].name, s_counts[*(const uint32_t *)b].name);
}

static void s_sort(uint32_t order[SIM_COUNTS_MAX])
{
    for (uint32_t i = 0; i < s_counts_used; i++) order[i] = i;
    qsort(order, s_counts_used, sizeof *order, s_by_name);
}

void sim_coverage_print(FILE *out)
{
    uint32_t order[SIM_COUNTS_MAX];
    s_sort(order);
    fprintf(out, "reached:\n");
    for (uint32_t i = 0; i < s_counts_used; i++)
        fprintf(out, "  %-44s %12" PRIu64 "\n", s_counts[order[i]].name, s_counts[order[i]].count);
    fprintf(out, "killed while it was:\n  %-14s", "");
    for (unsigned doing = 0; doing < SIM_DOINGS; doing++) fprintf(out, "%12s", s_doings[doing]);
    fputc('\n', out);
    for (unsigned kind = 0; kind < SIM_KINDS; kind++) {
        fprintf(out, "  %-14s", sim_kinds[kind].name);
        for (unsigned doing = 0; doing < SIM_DOINGS; doing++) fprintf(out, "%12" PRIu64, s_crashes[kind][doing]);
        fputc('\n', out);
    }
}

void sim_coverage_json(FILE *out)
{
    uint32_t order[SIM_COUNTS_MAX];
    s_sort(order);
    fprintf(out, "\"reached\": {");
    for (uint32_t i = 0; i < s_counts_used; i++)
        fprintf(out, "%s\"%s\": %" PRIu64, i > 0 ? ", " : "", s_counts[order[i]].name, s_counts[order[i]].count);
    fprintf(out, "}, \"crashes\": {");
    for (unsigned kind = 0; kind < SIM_KINDS; kind++) {
        fprintf(out, "%s\"%s\": {", kind > 0 ? ", " : "", sim_kinds[kind].name);
        for (unsigned doing = 0; doing < SIM_DOINGS; doing++)
            fprintf(out, "%s\"%s\": %" PRIu64, doing > 0 ? ", " : "", s_doings[doing], s_crashes[kind][doing]);
        fputc('}', out);
    }
    fputc('}', out);
}

/* What a thousand seeds must reach at the least. A world that reaches less tests less than it says. What comes seldom, and then
 * many times in one seed, is only wanted of more. */
static const struct {
    const char *name;
    double per_thousand;
} s_minimum[] = {
    {"event order.requested", 15000}, {"event order.submitted", 4000}, {"event order.executed", 3000}, {"event order.completed", 1500},
    {"event saga.dead_lettered", 200}, {"event order.unknown", 50},      {"event order.canceled", 500},    {"event order.expired", 300},   {"event order.rejected", 1000},
    {"event order.cancel_requested", 300}, {"event saga.step_failed", 50}, {"event risk.halted", 100}, {"event system.started", 1500},
    {"event reconciliation.completed", 2000}, {"event account.opened", 2000},
    {"tombstones", 30}, {"orders asked for", 200}, {"reports asked for again", 100}, {"orders sent twice to a venue", 5},
    {"signals resent", 500}, {"runs begun above a known one", 5}, {"signals renamed", 5}, {"fault runaway strategy", 100}, {"fault runaway with many names", 50},
    {"core signals_over_rate", 2000}, {"core strategies_refused", 500}, {"core signals_duplicate", 300}, {"core fenced", 5}, {"commands of a replaced writer", 0.2}, {"core orders_expired", 2},
    {"writers fenced by the log", 1}, {"takeovers", 100}, {"orchestrators that left", 60}, {"writers silent for too long", 60},
    {"logs lost", 200}, {"torn ledgers cut", 1}, {"restarts from a checkpoint", 50}, {"orphaned transactions", 20},
    {"fault crash", 300}, {"fault crash at a step", 300}, {"fault crash in the middle", 300}, {"recoveries from a checkpoint", 300},
    {"fault crash twice", 50}, {"fault pause", 200}, {"fault zombie", 50},
    {"fault connection broken", 200}, {"fault cut off", 150}, {"fault stall", 200}, {"fault database restart", 100},
    {"fault database connection cut", 100}, {"fault clock jump", 50}, {"fault everything dies", 10}, {"fault message lost", 1000},
    {"fault message doubled", 1000}, {"fault slow message", 1000}, {"fault commit unheard", 100}, {"fault commit failed", 100},
    {"fault epoch not stored", 20},
    {"logs cut short", 100}, {"bases loaded by risk", 10}, {"bases loaded by portfolio", 10}, {"bases loaded by the orchestrator", 30},
    {"core circuits_opened", 200}, {"core circuits_closed", 150}, {"event circuit.changed", 500}, {"core orders_cut_off", 30},
    {"core orders_paced", 1000}, {"core orders_throttled", 50}, {"core cancels_paced", 100}, {"kills confirmed", 80},
    {"rushes", 300}, {"fault commit slow", 800}, {"core reports_put_off", 200}, {"core fills_without_room", 3},
    {"core kills_recorded", 150}, {"core orders_halted", 20}, {"executor cancels confirmed", 30}, {"fault journal torn", 3},
};

/* Crash points that a thousand seeds must reach. */
static const struct {
    sim_kind_t kind;
    sim_doing_t doing;
    uint64_t per_thousand;
} s_minimum_crashes[] = {
    {SIM_ORCHESTRATOR, SIM_DOING_COMMITTING, 10}, {SIM_ORCHESTRATOR, SIM_DOING_RECOVERING, 1}, {SIM_ORCHESTRATOR, SIM_DOING_UNSENT, 3},
    {SIM_ORCHESTRATOR, SIM_DOING_WORKING, 3},     {SIM_RISK, SIM_DOING_WORKING, 3},            {SIM_RISK, SIM_DOING_RECOVERING, 1},
    {SIM_PORTFOLIO, SIM_DOING_WORKING, 1},        {SIM_EXECUTOR, SIM_DOING_WORKING, 3},        {SIM_GATEWAY, SIM_DOING_IDLE, 10},
    {SIM_VENUE, SIM_DOING_UNDURABLE, 5},          {SIM_STRATEGY, SIM_DOING_WORKING, 10},
};

bool sim_coverage_enough(FILE *out, uint64_t seeds)
{
    bool enough = true;
    for (size_t i = 0; i < sizeof s_minimum / sizeof s_minimum[0]; i++) {
        uint64_t wanted = (uint64_t)(s_minimum[i].per_thousand * (double)seeds / 1000), got = sim_coverage_get(s_minimum[i].name);
        if (got >= wanted) continue;
        fprintf(out, "too little: '%s' %" PRIu64 " times, at least %" PRIu64 " expected\n", s_minimum[i].name, got, wanted);
        enough = false;
    }
    for (size_t i = 0; i < sizeof s_minimum_crashes / sizeof s_minimum_crashes[0]; i++) {
        uint64_t wanted = s_minimum_crashes[i].per_thousand * seeds / 1000;
        uint64_t got = s_crashes[s_minimum_crashes[i].kind][s_minimum_crashes[i].doing];
        if (got >= wanted) continue;
        fprintf(out, "too little: %s killed while %s %" PRIu64 " times, at least %" PRIu64 " expected\n", sim_kinds[s_minimum_crashes[i].kind].name,
                s_doings[s_minimum_crashes[i].doing], got, wanted);
        enough = false;
    }
    return enough;
}
