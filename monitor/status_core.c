#include "status_core.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINE_SIZE = 512,
    FIELDS = 7,          /* of a line */
    YOUNG_S = 15,        /* a process this young may still be starting */
};

/* ---- the supervisor's lines ---- */
static bool s_number(const char *text, int64_t *value)
{
    char *end;
    if (strcmp(text, "-") == 0) {
        *value = 0;
        return true;
    }
    *value = strtoll(text, &end, 10);
    return *end == '\0' && end != text && *value >= 0;
}

static bool s_flag(const char *text, bool *value)
{
    static const char *const yes[] = {"yes", "true", "1", "ready"}, *const no[] = {"no", "false", "0", "-"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) != 0 && strcmp(text, no[i]) != 0) continue;
        *value = strcmp(text, yes[i]) == 0;
        return true;
    }
    return false;
}

static bool s_read_line(char *line, status_process_t *process)
{
    char *words[FIELDS], *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " \t\n", &rest); word != NULL; word = strtok_r(NULL, " \t\n", &rest))
        if (count++ < FIELDS) words[count - 1] = word;
    if (count != FIELDS || strlen(words[0]) >= ZVT_NAME_SIZE) return false;
    ZVT_STR_SET(process->name, words[0]);
    ZVT_STR_SET(process->kind, words[1]);
    ZVT_STR_SET(process->state, words[6]);
    return s_number(words[2], &process->pid) && s_number(words[3], &process->uptime_s) &&
           s_number(words[4], &process->restarts) && s_flag(words[5], &process->ready);
}

int status_core_read(FILE *in, status_process_t *processes, size_t max, size_t *count, char problem[STATUS_PROBLEM_SIZE])
{
    char line[LINE_SIZE];
    *count = 0;
    for (int number = 1; fgets(line, sizeof line, in) != NULL; number++) {
        if (line[strspn(line, " \t\n")] == '\0' || line[0] == '#') continue;
        if (*count == max) {
            snprintf(problem, STATUS_PROBLEM_SIZE, "line %d: more than %zu processes", number, max);
            return ZVT_ERR_FULL;
        }
        if (!s_read_line(line, &processes[*count])) {
            snprintf(problem, STATUS_PROBLEM_SIZE, "line %d: expected 'name kind pid uptime_s restarts ready state'", number);
            return ZVT_ERR_SYNTAX;
        }
        *count += 1;
    }
    return 0;
}

/* ---- the fleet's state ---- */
static bool s_is_named(const status_process_t *process, const char *name)
{
    return strcmp(process->name, name) == 0;
}

static bool s_is_orchestrator(const status_process_t *process)
{
    return strcmp(process->kind, "orchestrator") == 0;
}

/* Of two orchestrators the one that has the lease speaks for the fleet: one that waits for it, or has only just started, does
 * not. */
static bool s_speaks(const json_t *stats)
{
    const char *state = json_string_value(json_object_get(stats, "state"));
    return stats != NULL && (state == NULL || (strcmp(state, "standby") != 0 && strcmp(state, "starting") != 0));
}

/* Strategies come and go without the fleet being the worse for it. */
static bool s_matters(const status_process_t *process)
{
    return strcmp(process->kind, "strategy") != 0;
}

const char *status_core_fleet_state(const status_process_t *processes, size_t count, const json_t *orchestrator, const json_t *executor)
{
    bool any = false, all = true, young = false;
    for (size_t i = 0; i < count; i++) {
        if (!s_matters(&processes[i])) continue;
        bool runs = processes[i].pid != 0;
        any = any || runs;
        all = all && runs && processes[i].ready;
        young = young || (runs && processes[i].uptime_s < YOUNG_S);
    }
    const char *state = json_string_value(json_object_get(orchestrator, "state"));
    if (!any) return "down";
    if (json_is_true(json_object_get(executor, "killed"))) return "halted";
    if (json_is_true(json_object_get(orchestrator, "halted")) || (state != NULL && strcmp(state, "halted") == 0))
        return "halted";
    if (state != NULL && strcmp(state, "starting") == 0) return "starting";
    if (state != NULL && strcmp(state, "trading") == 0) return all ? "trading" : young ? "starting" : "degraded";
    return young ? "starting" : "degraded";
}

/* ---- merging ---- */

/* What the venues say of their market: it has ended when none is open and one says that it has. */
typedef enum { MARKET_UNKNOWN, MARKET_ENDED, MARKET_OPEN } market_t;

static market_t s_market(const json_t *stats)
{
    const json_t *market = json_object_get(stats, "market");
    if (json_is_true(json_object_get(market, "open"))) return MARKET_OPEN;
    return json_is_true(json_object_get(market, "ended")) ? MARKET_ENDED : MARKET_UNKNOWN;
}

/* Members of the orchestrator's stats that describe the fleet, in this order; null when it does not answer. */
static const char *const s_fleet_keys[] = {
    "seq", "open_sagas", "open_orders", "unknown_orders", "dead_letters", "orders_per_second", "order_latency", "epoch", "halted",
    "log_away",
};

/* Latency of orders: a member of its own, or the histogram. */
static json_t *s_order_latency(const json_t *stats)
{
    json_t *own = json_object_get(stats, "order_latency");
    return own != NULL ? own : json_object_get(json_object_get(stats, "latency_ms"), "order");
}

static void s_set(json_t *object, const char *key, json_t *borrowed)
{
    if (borrowed == NULL)
        json_object_set_new(object, key, json_null());
    else
        json_object_set(object, key, borrowed);
}

/* The word for a fleet whose processes are well and whose market is over: it runs, and refuses orders. */
static const char s_market_ended[] = "market ended";

static json_t *s_fleet_object(const status_process_t *processes, size_t count, const json_t *orchestrator, const json_t *executor,
                              market_t market)
{
    static const char *const markets[] = {[MARKET_UNKNOWN] = NULL, [MARKET_OPEN] = "open", [MARKET_ENDED] = "ended"};
    json_t *fleet = json_object();
    ZVT_ASSERT(fleet != NULL);
    const char *state = status_core_fleet_state(processes, count, orchestrator, executor);
    if (market == MARKET_ENDED && strcmp(state, "trading") == 0) state = s_market_ended;
    json_object_set_new(fleet, "state", json_string(state));
    json_object_set_new(fleet, "market", markets[market] == NULL ? json_null() : json_string(markets[market]));
    for (size_t i = 0; i < sizeof s_fleet_keys / sizeof s_fleet_keys[0]; i++) {
        bool latency = strcmp(s_fleet_keys[i], "order_latency") == 0;
        s_set(fleet, latency ? "order_latency_ms" : s_fleet_keys[i],
              latency ? s_order_latency(orchestrator) : json_object_get(orchestrator, s_fleet_keys[i]));
    }
    s_set(fleet, "orchestrator_state", json_object_get(orchestrator, "state"));
    s_set(fleet, "killed", json_object_get(executor, "killed"));
    return fleet;
}

/* Adds what the orchestrator says of a venue's account: "ok", or the code for which it gets no orders, with the reason. Null
 * while nobody knows. */
static void s_add_account(json_t *venue, const json_t *closed)
{
    const char *name = json_string_value(json_object_get(venue, "name"));
    const json_t *found = NULL;
    for (size_t i = 0; i < json_array_size(closed) && name != NULL; i++) {
        const char *other = json_string_value(json_object_get(json_array_get(closed, i), "name"));
        if (other != NULL && strcmp(name, other) == 0) found = json_array_get(closed, i);
    }
    bool known = json_is_array(closed);
    if (known && found == NULL)
        json_object_set_new(venue, "account", json_string("ok"));
    else
        s_set(venue, "account", json_object_get(found, "code"));
    s_set(venue, "account_reason", json_object_get(found, "reason"));
}

/* What the executor says of the venues, as it is, and what the orchestrator says of the accounts there; an empty list without
 * an answer of the executor. */
static json_t *s_venues(const json_t *executor, const json_t *orchestrator)
{
    json_t *venues = json_object_get(executor, "venues");
    venues = json_is_array(venues) ? json_deep_copy(venues) : json_array();
    for (size_t i = 0; i < json_array_size(venues); i++)
        s_add_account(json_array_get(venues, i), json_object_get(orchestrator, "accounts_closed"));
    return venues;
}

/* The supervisor's word; but of two orchestrators that both run, the one that waits says so itself. */
static const char *s_process_state(const status_process_t *process, const json_t *stats)
{
    const char *said = json_string_value(json_object_get(stats, "state"));
    bool waits = s_is_orchestrator(process) && said != NULL && strcmp(said, "standby") == 0;
    return waits ? said : process->state;
}

static json_t *s_process_object(const status_process_t *process, const json_t *stats)
{
    json_t *object = json_object();
    ZVT_ASSERT(object != NULL);
    json_object_set_new(object, "name", json_string(process->name));
    json_object_set_new(object, "kind", json_string(process->kind));
    json_object_set_new(object, "pid", process->pid == 0 ? json_null() : json_integer(process->pid));
    json_object_set_new(object, "uptime_s", json_integer(process->uptime_s));
    json_object_set_new(object, "restarts", json_integer(process->restarts));
    json_object_set_new(object, "ready", json_boolean(process->ready));
    json_object_set_new(object, "state", json_string(s_process_state(process, stats)));
    json_object_set_new(object, "answers", json_boolean(stats != NULL));
    json_object_set_new(object, "last_restart", process->ended ? restarts_core_json(&process->last) : json_null());
    json_object_set_new(object, "restarts_last_minute", json_integer((json_int_t)process->lately));
    const json_t *counters = json_object_get(stats, "counters");
    s_set(object, "messages", json_object_get(counters, "messages"));
    s_set(object, "malformed", json_object_get(counters, "malformed"));
    return object;
}

json_t *status_core_merge(const status_process_t *processes, size_t count, const char *const *bodies)
{
    json_t *list = json_array(), *orchestrator = NULL, *executor = NULL;
    market_t market = MARKET_UNKNOWN;
    ZVT_ASSERT(list != NULL);
    for (size_t i = 0; i < count; i++) {
        json_t *stats = bodies[i] == NULL ? NULL : json_loads(bodies[i], 0, NULL);
        json_array_append_new(list, s_process_object(&processes[i], stats));
        if (s_is_orchestrator(&processes[i]) && (orchestrator == NULL || (s_speaks(stats) && !s_speaks(orchestrator)))) {
            json_decref(orchestrator);
            orchestrator = json_incref(stats);
        }
        if (s_is_named(&processes[i], "executor") && executor == NULL) executor = json_incref(stats);
        if (s_market(stats) > market) market = s_market(stats);
        json_decref(stats);
    }
    json_t *fleet = s_fleet_object(processes, count, orchestrator, executor, market);
    json_t *status = json_pack("{s:o, s:o, s:o}", "fleet", fleet, "venues", s_venues(executor, orchestrator), "processes", list);
    json_decref(orchestrator);
    json_decref(executor);
    return status;
}
