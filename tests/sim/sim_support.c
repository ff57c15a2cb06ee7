/* What the cores expect of common/ and a world has to answer itself: counters, diagnostics, and the table of kinds. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim_procs.h"
#include "zvt_diag.h"
#include "zvt_json.h"
#include "zvt_stats.h"

const sim_kind_desc_t sim_kinds[SIM_KINDS] = {
#define KIND(ID, kind, its_role) \
    [SIM_##ID] = {.name = #kind, .role = its_role, .start = sim_##kind##_start, .stop = sim_##kind##_stop, .doing = sim_##kind##_doing}
    KIND(ORCHESTRATOR, orchestrator, ZVT_ROLE_ORCHESTRATOR),
    KIND(RISK, risk, ZVT_ROLE_RISK),
    KIND(PORTFOLIO, portfolio, ZVT_ROLE_PORTFOLIO),
    KIND(EXECUTOR, executor, ZVT_ROLE_EXECUTOR),
    KIND(GATEWAY, gateway, ZVT_ROLE_GATEWAY),
    KIND(VENUE, venue, ZVT_ROLE_VENUE),
    KIND(REPLAYER, replayer, ZVT_ROLE_REPLAYER),
    KIND(STRATEGY, strategy, ZVT_ROLE_STRATEGY),
    KIND(CLIENT, client, ZVT_ROLE_CLIENT),
#undef KIND
};

/* ---- zvt_stats.h: the counters of all cores become coverage ---- */
uint64_t *zvt_counter(const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "core %s", name);
    return sim_count(text);
}

struct zvt_histogram {
    uint64_t count;
};
static zvt_histogram_t s_histogram;

zvt_histogram_t *zvt_histogram(const char *name)
{
    (void)name;
    return &s_histogram;
}

void zvt_histogram_add(zvt_histogram_t *self, int64_t value_ns)
{
    (void)value_ns;
    self->count++;
}

/* ---- zvt_diag.h: lines of the cores go into the history ---- */
void zvt_diag(zvt_diag_level_t level, const char *format, ...)
{
    char text[300];
    va_list args;
    if (!sim.tracing || level == ZVT_DIAG_DEBUG) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sim_trace("- %s", text);
}

bool zvt_diag_once_a_second(int64_t *last_ns)
{
    (void)last_ns;
    return sim.tracing;
}

/* ---- history ---- */
static bool s_is_market_data(zvt_type_t type)
{
    return type == ZVT_T_PRICE_UPDATED || type == ZVT_T_TRADE_TICK || type == ZVT_T_ORDERBOOK_UPDATED || type == ZVT_T_LIST_END ||
           type == ZVT_T_QUOTES_QUERY || type == ZVT_T_REPLAY_RANGE;
}

/* Order ids appear in client_order_ids without dashes: the history shows both, so that it can be filtered by either. */
static void s_add_id_of_client_order(const char *text, char id_text[ZVT_ID_TEXT])
{
    char hex[33] = "";
    zvt_id_t id;
    const char *at = strstr(text, "\"client_order_id\":");
    id_text[0] = '\0';
    if (at == NULL) return;
    at = strchr(at + 18, '"');
    if (at == NULL || strlen(at) < 34) return;
    memcpy(hex, at + 1, 32);
    if (zvt_id_parse(hex, &id) == 0) zvt_id_format(&id, id_text);
}

void sim_trace_record(const char *from, const char *to, zvt_type_t type, const void *record)
{
    char *text = NULL, id[ZVT_ID_TEXT];
    size_t length = 0;
    if (!sim.tracing || s_is_market_data(type)) return;
    FILE *out = open_memstream(&text, &length);
    ZVT_ASSERT(out != NULL);
    zvt_json_record(out, type, record);
    fclose(out);
    s_add_id_of_client_order(text, id);
    sim_trace("%s -> %s %s %s %s", from, to, zvt_type_name(type), id, text);
    free(text);
}
