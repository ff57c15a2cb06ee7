/* restarts -- the last restarts of each process: when, why, and how long until it worked again. */
#include "command.h"
#include "format.h"
#include "restarts_core.h"
#include "runs.h"
#include "table.h"
#include "zvt_time.h"

#include <dirent.h>

typedef struct {
    const char *services;
    const char *process;
    bool json;
} restarts_args_t;

#define AT(member) .offset = offsetof(restarts_args_t, member)
static const arg_t s_restarts_args[] = {
    {.name = "process", .argument = "PROCESS", .kind = ARG_TEXT, .positional = true, AT(process),
     .meaning = "only this one; default all"},
    {.name = "services", .argument = "DIR", .kind = ARG_TEXT, .required = true, AT(services),
     .meaning = "the supervisor's service folders"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object per line"},
    {.name = NULL},
};
#undef AT

/* A restart and whose it is. */
typedef struct {
    char name[ZVT_NAME_SIZE];
    restart_t restart;
} entry_t;

typedef struct {
    entry_t *entries;
    size_t count;
} entries_t;

static int s_by_time(const void *a, const void *b)
{
    int64_t x = ((const entry_t *)a)->restart.at_ns, y = ((const entry_t *)b)->restart.at_ns;
    return x < y ? -1 : x > y;
}

static void s_add_process(entries_t *self, const char *services, const char *name)
{
    restart_t restarts[RESTARTS_MAX];
    size_t count = runs_restarts(services, name, restarts);
    if (count == 0) return;
    self->entries = realloc(self->entries, (self->count + count) * sizeof *self->entries);
    ZVT_ASSERT(self->entries != NULL);
    for (size_t i = 0; i < count; i++) {
        entry_t *entry = &self->entries[self->count++];
        snprintf(entry->name, sizeof entry->name, "%s", name);
        entry->restart = restarts[i];
    }
}

static void s_add_all(entries_t *self, const char *services)
{
    DIR *dir = opendir(services);
    if (dir == NULL) return;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (entry->d_name[0] != '.') s_add_process(self, services, entry->d_name);
    closedir(dir);
}

static void s_print_table(const entries_t *self)
{
    static const char *const heads[] = {"at", "process", "why", "outcome", NULL};
    static const format_tone_t tones[RESTARTS_OUTCOMES] = {
        [RESTARTS_DOWN] = FORMAT_BAD, [RESTARTS_STARTING] = FORMAT_WARNING, [RESTARTS_FAILED] = FORMAT_BAD,
        [RESTARTS_WORKS] = FORMAT_GOOD,
    };
    table_t *table = table_new(heads);
    for (size_t i = 0; i < self->count; i++) {
        const restart_t *restart = &self->entries[i].restart;
        char at[ZVT_TIME_TEXT], text[RESTARTS_TEXT_SIZE];
        zvt_time_format(restart->at_ns, at);
        table_cell(table, FORMAT_QUIET, at);
        table_cell(table, FORMAT_STRONG, self->entries[i].name);
        restarts_core_cause(restart, text);
        table_cell(table, FORMAT_PLAIN, text);
        restarts_core_outcome(restart, text);
        table_cell(table, tones[restart->outcome], text);
    }
    table_print(table, stdout, format_wants_colour(stdout));
    table_destroy(&table);
}

static void s_print_json(const entries_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        json_t *object = restarts_core_json(&self->entries[i].restart);
        json_object_set_new(object, "process", json_string(self->entries[i].name));
        command_print_json(object);
    }
}

static int s_run_restarts(const void *arg)
{
    const restarts_args_t *args = arg;
    entries_t all = {0};
    if (args->process != NULL)
        s_add_process(&all, args->services, args->process);
    else
        s_add_all(&all, args->services);
    if (all.count > 0) qsort(all.entries, all.count, sizeof *all.entries, s_by_time);
    if (args->json)
        s_print_json(&all);
    else if (all.count > 0)
        s_print_table(&all);
    else
        puts("Nothing has ended since the fleet was started.");
    free(all.entries);
    return ZVT_EXIT_OK;
}

const command_t command_restarts = {.name = "restarts", .summary = "Shows when and why processes ended, and how they came back.",
                                    .args = s_restarts_args, .size = sizeof(restarts_args_t), .run = s_run_restarts};
