#include "runs.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "zvt_time.h"

enum { PATH_SIZE = 1024 };

typedef struct {
    uint64_t run;
    int exit_code, signal;
    int64_t at_ns;
    bool empty; /* nothing but the time is known */
} note_t;

/* Reads one file; false if it is not there. A full disk leaves it empty: it happened, but of the run only the place is known,
 * which nobody had used before (a file is overwritten, not made anew). */
static bool s_read(const char *dir, const char *what, unsigned slot, note_t *note)
{
    char path[PATH_SIZE];
    struct stat stat;
    *note = (note_t){0};
    snprintf(path, sizeof path, "%s/%s.%u", dir, what, slot);
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    bool read = fstat(fileno(file), &stat) == 0;
    int fields = fscanf(file, "%20" SCNu64 " %9d %9d", &note->run, &note->exit_code, &note->signal);
    read = read && (fields >= 1 || stat.st_size == 0);
    note->empty = fields < 1;
    if (read) note->at_ns = (int64_t)stat.st_mtim.tv_sec * ZVT_SECOND_NS + stat.st_mtim.tv_nsec;
    fclose(file);
    return read;
}

static bool s_read_of(const char *dir, const char *what, unsigned slot, const note_t *start, note_t *note)
{
    return s_read(dir, what, slot, note) && (note->empty || start->empty || note->run == start->run);
}

static bool s_read_run(const char *dir, unsigned slot, restarts_run_t *run)
{
    note_t start, note;
    *run = (restarts_run_t){0};
    if (!s_read(dir, "start", slot, &start)) return false;
    run->start_ns = start.at_ns;
    if (s_read_of(dir, "ready", slot, &start, &note)) run->works_ns = note.at_ns;
    if (s_read_of(dir, "asked", slot, &start, &note)) run->asked = true;
    if (s_read_of(dir, "end", slot, &start, &note)) {
        run->end_ns = note.at_ns;
        run->unnoted = note.empty;
        run->exit_code = note.exit_code;
        run->signal = note.signal;
    }
    return true;
}

size_t runs_restarts(const char *services, const char *name, restart_t restarts[RESTARTS_MAX])
{
    char dir[PATH_SIZE - 64];
    restarts_run_t runs[RESTARTS_MAX];
    size_t count = 0;
    snprintf(dir, sizeof dir, "%s/%s/data/runs", services, name);
    for (unsigned slot = 0; slot < RESTARTS_MAX; slot++) count += s_read_run(dir, slot, &runs[count]);
    return restarts_core_list(runs, count, restarts);
}
