#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runs.h"
#include "zvt_time.h"

#define MS(ms) (1000 * ZVT_SECOND_NS + (ms) * ZVT_MS_NS)

static restart_t s_restarts[RESTARTS_MAX];

static const char *s_cause(const restart_t *restart)
{
    static char text[RESTARTS_TEXT_SIZE];
    restarts_core_cause(restart, text);
    return text;
}

static const char *s_outcome(const restart_t *restart)
{
    static char text[RESTARTS_TEXT_SIZE];
    restarts_core_outcome(restart, text);
    return text;
}

/* A run that lives from start to end, working 10 ms after its start; end 0: it goes on. */
static restarts_run_t s_run(int64_t start_ms, int64_t end_ms)
{
    return (restarts_run_t){.start_ns = MS(start_ms), .works_ns = MS(start_ms + 10), .end_ns = end_ms == 0 ? 0 : MS(end_ms)};
}

Test(monitor_restarts, has_nothing_to_say_of_a_process_that_never_ended)
{
    restarts_run_t runs[] = {s_run(0, 0)};
    cr_assert_eq(restarts_core_list(runs, 0, s_restarts), 0);
    cr_assert_eq(restarts_core_list(runs, 1, s_restarts), 0);
}

Test(monitor_restarts, counts_from_the_end_of_a_run_until_the_next_one_works)
{
    restarts_run_t runs[] = {s_run(5000, 0), s_run(0, 4700)}; /* in any order */
    runs[1].exit_code = 256;
    runs[1].signal = 9;
    cr_assert_eq(restarts_core_list(runs, 2, s_restarts), 1);
    cr_assert_eq(s_restarts[0].at_ns, MS(4700));
    cr_assert_str_eq(s_cause(&s_restarts[0]), "killed by SIGKILL");
    cr_assert_str_eq(s_outcome(&s_restarts[0]), "back after 0.310 s");
}

Test(monitor_restarts, names_every_cause)
{
    static const struct {
        restarts_run_t run;
        const char *cause;
    } cases[] = {
        {{.end_ns = MS(1), .exit_code = 111}, "exit 111: temporary"},
        {{.end_ns = MS(1), .exit_code = 101}, "exit 101: our own bug"},
        {{.end_ns = MS(1), .exit_code = 100}, "exit 100: configuration or environment"},
        {{.end_ns = MS(1), .exit_code = 0}, "exit 0: stopped"},
        {{.end_ns = MS(1), .exit_code = 7}, "exit 7"},
        {{.end_ns = MS(1), .exit_code = 256, .signal = 11}, "killed by SIGSEGV"},
        {{.end_ns = MS(1), .exit_code = 256, .signal = 60}, "killed by signal 60"},
        {{.end_ns = MS(1), .exit_code = 0, .asked = true}, "asked by fleet restart"},
        {{.end_ns = 0}, "supervisor killed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        restarts_run_t runs[] = {cases[i].run, s_run(2, 0)};
        runs[0].start_ns = MS(0);
        cr_assert_eq(restarts_core_list(runs, 2, s_restarts), 1);
        cr_assert_str_eq(s_cause(&s_restarts[0]), cases[i].cause);
    }
}

Test(monitor_restarts, says_what_came_after_each_end)
{
    restarts_run_t runs[] = {s_run(0, 100), s_run(1000, 1100), s_run(2000, 2100)};
    runs[1].works_ns = 0;
    cr_assert_eq(restarts_core_list(runs, 3, s_restarts), 3);
    cr_assert_eq(s_restarts[0].outcome, RESTARTS_FAILED);
    cr_assert_eq(s_restarts[1].outcome, RESTARTS_WORKS);
    cr_assert_eq(s_restarts[1].took_ms, 910);
    cr_assert_eq(s_restarts[2].outcome, RESTARTS_DOWN);
    runs[2] = (restarts_run_t){.start_ns = MS(2000)};
    cr_assert_eq(restarts_core_list(runs, 3, s_restarts), 2);
    cr_assert_eq(s_restarts[1].outcome, RESTARTS_STARTING);
}

Test(monitor_restarts, counts_from_the_new_start_when_the_supervisor_was_killed)
{
    restarts_run_t runs[] = {s_run(0, 0), s_run(3000, 0)};
    cr_assert_eq(restarts_core_list(runs, 2, s_restarts), 1);
    cr_assert_eq(s_restarts[0].at_ns, MS(3000));
    cr_assert_str_eq(s_outcome(&s_restarts[0]), "back 0.010 s after its new start");
    json_t *json = restarts_core_json(&s_restarts[0]);
    cr_assert_str_eq(json_string_value(json_object_get(json, "since")), "next start");
    cr_assert(json_is_null(json_object_get(json, "exit_code")));
    cr_assert_eq(json_integer_value(json_object_get(json, "recovered_ms")), 10);
    json_decref(json);
}

Test(monitor_restarts, counts_those_of_late_that_nobody_asked_for)
{
    restarts_run_t runs[] = {s_run(0, 100), s_run(1000, 1100), s_run(2000, 2100), s_run(3000, 0)};
    runs[2].asked = true;
    size_t count = restarts_core_list(runs, 4, s_restarts);
    cr_assert_eq(restarts_core_since(s_restarts, count, MS(50)), 2);
    cr_assert_eq(restarts_core_since(s_restarts, count, MS(500)), 1);
    cr_assert_eq(restarts_core_since(s_restarts, count, MS(1500)), 0);
}

/* ---- the files ---- */
static char s_dir[64], s_runs[128];

static void s_write(const char *name, const char *text, int64_t at_ns)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", s_runs, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    struct timespec times[2] = {{.tv_sec = at_ns / ZVT_SECOND_NS, .tv_nsec = at_ns % ZVT_SECOND_NS}};
    times[1] = times[0];
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void s_begin(void)
{
    char command[256];
    snprintf(s_dir, sizeof s_dir, "/tmp/zvt-test-XXXXXX");
    cr_assert_not_null(mkdtemp(s_dir));
    snprintf(s_runs, sizeof s_runs, "%s/risk/data/runs", s_dir);
    snprintf(command, sizeof command, "mkdir -p %s", s_runs);
    cr_assert_eq(system(command), 0);
}

static void s_end(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s", s_dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(monitor_runs, .init = s_begin, .fini = s_end);

Test(monitor_runs, reads_what_the_scripts_noted)
{
    s_write("start.1", "33\n", MS(0));
    s_write("ready.1", "33\n", MS(50));
    s_write("end.1", "33 256 9\n", MS(1000));
    s_write("start.2", "34\n", MS(1100));
    s_write("ready.2", "34\n", MS(1250));
    cr_assert_eq(runs_restarts(s_dir, "risk", s_restarts), 1);
    cr_assert_str_eq(s_cause(&s_restarts[0]), "killed by SIGKILL");
    cr_assert_eq(s_restarts[0].took_ms, 250);
}

Test(monitor_runs, tells_an_end_that_a_full_disk_had_no_room_to_note)
{
    s_write("start.1", "1\n", MS(0));
    s_write("ready.1", "1\n", MS(50));
    s_write("end.1", "", MS(1000));
    s_write("start.2", "", MS(1100));
    s_write("ready.2", "2\n", MS(1250));
    cr_assert_eq(runs_restarts(s_dir, "risk", s_restarts), 1);
    cr_assert_str_eq(s_cause(&s_restarts[0]), "ended: no room to note how");
    cr_assert_eq(s_restarts[0].at_ns, MS(1000));
    cr_assert_eq(s_restarts[0].took_ms, 250);
    json_t *json = restarts_core_json(&s_restarts[0]);
    cr_assert(json_is_null(json_object_get(json, "exit_code")));
    cr_assert(json_is_null(json_object_get(json, "signal")));
    json_decref(json);
}

Test(monitor_runs, takes_no_notice_of_files_left_from_an_older_run)
{
    s_write("start.1", "33\n", MS(5000));
    s_write("ready.1", "1\n", MS(10));
    s_write("end.1", "1 111 0\n", MS(20));
    s_write("asked.1", "1\n", MS(20));
    cr_assert_eq(runs_restarts(s_dir, "risk", s_restarts), 0);
    s_write("end.1", "33 0 0\n", MS(6000));
    cr_assert_eq(runs_restarts(s_dir, "risk", s_restarts), 1);
    cr_assert_str_eq(s_cause(&s_restarts[0]), "exit 0: stopped", "the asking was for another run");
}

Test(monitor_runs, knows_nothing_of_a_process_that_is_not_there)
{
    cr_assert_eq(runs_restarts(s_dir, "nobody", s_restarts), 0);
}
