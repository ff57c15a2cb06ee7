#define _GNU_SOURCE /* sigabbrev_np */
#include "restarts_core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_time.h"

enum { EXIT_BY_SIGNAL = 256 }; /* what s6 calls the exit code of a process that a signal killed */

/* ---- runs to restarts ---- */
static int s_by_start(const void *a, const void *b)
{
    int64_t x = ((const restarts_run_t *)a)->start_ns, y = ((const restarts_run_t *)b)->start_ns;
    return x < y ? -1 : x > y;
}

static restarts_cause_t s_cause(const restarts_run_t *run)
{
    if (run->end_ns == 0) return RESTARTS_SUPERVISOR;
    if (run->asked) return RESTARTS_ASKED;
    if (run->unnoted) return RESTARTS_UNNOTED;
    return run->exit_code == EXIT_BY_SIGNAL ? RESTARTS_KILLED : RESTARTS_EXITED;
}

static restarts_outcome_t s_outcome(const restarts_run_t *next, bool next_is_last)
{
    if (next == NULL) return RESTARTS_DOWN;
    if (next->works_ns != 0) return RESTARTS_WORKS;
    return next->end_ns == 0 && next_is_last ? RESTARTS_STARTING : RESTARTS_FAILED;
}

static restart_t s_restart(const restarts_run_t *run, const restarts_run_t *next, bool next_is_last)
{
    restart_t restart = {.cause = s_cause(run), .outcome = s_outcome(next, next_is_last), .at_ns = run->end_ns};
    if (restart.cause == RESTARTS_SUPERVISOR) restart.at_ns = next->start_ns;
    else if (run->exit_code == EXIT_BY_SIGNAL) restart.signal = run->signal;
    else restart.exit_code = run->exit_code;
    if (restart.outcome == RESTARTS_WORKS) restart.took_ms = (next->works_ns - restart.at_ns) / ZVT_MS_NS;
    return restart;
}

size_t restarts_core_list(restarts_run_t *runs, size_t count, restart_t restarts[RESTARTS_MAX])
{
    size_t listed = 0;
    qsort(runs, count, sizeof *runs, s_by_start);
    for (size_t i = 0; i < count && listed < RESTARTS_MAX; i++) {
        const restarts_run_t *next = i + 1 < count ? &runs[i + 1] : NULL;
        if (next == NULL && runs[i].end_ns == 0) break; /* it runs */
        restarts[listed++] = s_restart(&runs[i], next, i + 2 == count);
    }
    return listed;
}

size_t restarts_core_since(const restart_t *restarts, size_t count, int64_t since_ns)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) found += restarts[i].at_ns > since_ns && restarts[i].cause != RESTARTS_ASKED;
    return found;
}

/* ---- words ---- */
static const struct {
    int exit_code;
    const char *meaning;
} s_exits[] = {
    {ZVT_EXIT_OK, "stopped"}, {ZVT_EXIT_CONFIG, "configuration or environment"}, {ZVT_EXIT_BUG, "our own bug"},
    {ZVT_EXIT_TEMPORARY, "temporary"}, {126, "cannot be executed"}, {127, "there is no such program"},
};

static const char *s_exit_meaning(int exit_code)
{
    for (size_t i = 0; i < sizeof s_exits / sizeof s_exits[0]; i++)
        if (s_exits[i].exit_code == exit_code) return s_exits[i].meaning;
    return NULL;
}

/* "SIGKILL", or the number of a signal that has no name. */
static const char *s_signal_name(int signal, char text[16])
{
    const char *name = sigabbrev_np(signal);
    if (name != NULL)
        snprintf(text, 16, "SIG%s", name);
    else
        snprintf(text, 16, "signal %d", signal);
    return text;
}

static void s_exit_text(int exit_code, char text[RESTARTS_TEXT_SIZE])
{
    const char *meaning = s_exit_meaning(exit_code);
    snprintf(text, RESTARTS_TEXT_SIZE, meaning == NULL ? "exit %d" : "exit %d: %s", exit_code, meaning);
}

void restarts_core_cause(const restart_t *restart, char text[RESTARTS_TEXT_SIZE])
{
    char name[16];
    switch (restart->cause) {
    case RESTARTS_KILLED:
        snprintf(text, RESTARTS_TEXT_SIZE, "killed by %s", s_signal_name(restart->signal, name));
        return;
    case RESTARTS_EXITED: s_exit_text(restart->exit_code, text); return;
    case RESTARTS_SUPERVISOR: snprintf(text, RESTARTS_TEXT_SIZE, "supervisor killed"); return;
    case RESTARTS_UNNOTED: snprintf(text, RESTARTS_TEXT_SIZE, "ended: no room to note how"); return;
    default: snprintf(text, RESTARTS_TEXT_SIZE, "asked by fleet restart"); return;
    }
}

static const char *const s_outcome_names[RESTARTS_OUTCOMES] = {
    [RESTARTS_DOWN] = "down", [RESTARTS_STARTING] = "starting", [RESTARTS_FAILED] = "failed", [RESTARTS_WORKS] = "works",
};

void restarts_core_outcome(const restart_t *restart, char text[RESTARTS_TEXT_SIZE])
{
    static const char *const words[RESTARTS_OUTCOMES] = {
        [RESTARTS_DOWN] = "down since", [RESTARTS_STARTING] = "not back yet", [RESTARTS_FAILED] = "ended before it worked",
    };
    const char *form = restart->cause == RESTARTS_SUPERVISOR ? "back %" PRId64 ".%03" PRId64 " s after its new start"
                                                             : "back after %" PRId64 ".%03" PRId64 " s";
    if (restart->outcome == RESTARTS_WORKS)
        snprintf(text, RESTARTS_TEXT_SIZE, form, restart->took_ms / 1000, restart->took_ms % 1000);
    else
        snprintf(text, RESTARTS_TEXT_SIZE, "%s", words[restart->outcome]);
}

json_t *restarts_core_json(const restart_t *restart)
{
    char at[ZVT_TIME_TEXT], cause[RESTARTS_TEXT_SIZE], name[16];
    bool ended = restart->cause != RESTARTS_SUPERVISOR;
    zvt_time_format(restart->at_ns, at);
    restarts_core_cause(restart, cause);
    json_t *object = json_pack("{s:s, s:s}", "at", at, "cause", cause);
    ZVT_ASSERT(object != NULL);
    bool coded = ended && restart->cause != RESTARTS_UNNOTED && restart->signal == 0;
    json_object_set_new(object, "exit_code", coded ? json_integer(restart->exit_code) : json_null());
    json_object_set_new(object, "signal",
                        restart->signal != 0 ? json_string(s_signal_name(restart->signal, name)) : json_null());
    json_object_set_new(object, "outcome", json_string(s_outcome_names[restart->outcome]));
    json_object_set_new(object, "since", json_string(ended ? "end" : "next start"));
    json_object_set_new(object, "recovered_ms",
                        restart->outcome == RESTARTS_WORKS ? json_integer(restart->took_ms) : json_null());
    return object;
}
