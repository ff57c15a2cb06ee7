#include "checkpoint_child.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zvt_diag.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum {
    ARGUMENTS_MAX = 64,   /* of the venue and of its child */
    FIRST_CLOSED_FD = 3,  /* the child keeps input, output and diagnostics */
    NICENESS = 10,        /* a tenth of what others get of a busy processor */
    IDS_SHARE = 4,        /* a quarter of the ids */
};
#define SETTLE_NS (2 * ZVT_SECOND_NS) /* after a start, when everybody has much to do */
#define RETRY_NS (60 * ZVT_SECOND_NS)

struct checkpoint_child {
    const char *program;
    char *const *argv;
    uint64_t after;
    uint64_t covered_seq;  /* in the checkpoint */
    uint64_t covering_seq; /* will at least be in the one that the child makes */
    pid_t pid;             /* 0: none runs */
    int64_t not_before_ns; /* monotonic */
};

checkpoint_child_t *checkpoint_child_new(const char *program, char *const *argv, uint64_t after, uint64_t covered_seq,
                                         int64_t now_ns)
{
    checkpoint_child_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    *self = (checkpoint_child_t){.program = program, .argv = argv, .after = after, .covered_seq = covered_seq,
                                 .not_before_ns = now_ns + SETTLE_NS};
    return self;
}

void checkpoint_child_destroy(checkpoint_child_t **self)
{
    if (*self == NULL) return;
    if ((*self)->pid != 0) {
        (void)kill((*self)->pid, SIGKILL);
        while (waitpid((*self)->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    free(*self);
    *self = NULL;
}

/* ---- its end ---- */
static void s_on_end(checkpoint_child_t *self, int64_t now_ns, int result)
{
    self->pid = 0;
    if (WIFEXITED(result) && WEXITSTATUS(result) == 0) {
        ZVT_COUNT("checkpoints");
        self->covered_seq = self->covering_seq;
        return;
    }
    ZVT_COUNT("checkpoints_failed");
    self->not_before_ns = now_ns + RETRY_NS;
    if (WIFSIGNALED(result)) zvt_warn("the checkpoint was not written: its process was ended by signal %d", WTERMSIG(result));
}

/* True when none runs any more. */
static bool s_has_ended(checkpoint_child_t *self, int64_t now_ns)
{
    int result;
    if (self->pid == 0) return true;
    pid_t ended = waitpid(self->pid, &result, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
    s_on_end(self, now_ns, ended == self->pid ? result : -1);
    return true;
}

/* ---- its beginning ---- */
static bool s_arguments(const checkpoint_child_t *self, char *parent, char *arguments[ARGUMENTS_MAX])
{
    static char option[] = "--" CHECKPOINT_CHILD_OPTION, parent_option[] = "--" CHECKPOINT_CHILD_PARENT;
    int count = 0;
    while (count < ARGUMENTS_MAX - 4 && self->argv[count] != NULL) {
        arguments[count] = self->argv[count];
        count++;
    }
    if (self->argv[count] != NULL) return false;
    arguments[count++] = option;
    arguments[count++] = parent_option;
    arguments[count++] = parent;
    arguments[count] = NULL;
    return true;
}

static int s_spawn(checkpoint_child_t *self)
{
    char parent[24], *arguments[ARGUMENTS_MAX];
    posix_spawn_file_actions_t actions;
    snprintf(parent, sizeof parent, "%d", getpid());
    if (!s_arguments(self, parent, arguments)) return E2BIG;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawn_file_actions_addclosefrom_np(&actions, FIRST_CLOSED_FD);
    if (error == 0) error = posix_spawn(&self->pid, self->program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static void s_start(checkpoint_child_t *self, int64_t now_ns, uint64_t seq)
{
    int error = s_spawn(self);
    self->covering_seq = seq;
    if (error == 0) return;
    self->pid = 0;
    self->not_before_ns = now_ns + RETRY_NS;
    ZVT_COUNT("checkpoints_failed");
    zvt_warn("cannot start the process that writes the checkpoint: %s", strerror(error));
}

void checkpoint_child_on_time(checkpoint_child_t *self, int64_t now_ns, uint64_t seq, uint32_t ids)
{
    uint64_t due = ids / IDS_SHARE > self->after ? ids / IDS_SHARE : self->after;
    if (!s_has_ended(self, now_ns) || now_ns < self->not_before_ns || seq - self->covered_seq < due) return;
    s_start(self, now_ns, seq);
}

uint64_t checkpoint_child_covered_seq(const checkpoint_child_t *self)
{
    return self->covered_seq;
}

/* ---- in the child ---- */
int checkpoint_child_yield(int64_t parent)
{
    const struct sched_param param = {.sched_priority = 0};
    ZVT_ASSERT(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
    if (sched_setscheduler(0, SCHED_BATCH, &param) != 0 || setpriority(PRIO_PROCESS, 0, NICENESS) != 0)
        zvt_warn("cannot lower this process's priority: %s", strerror(errno));
    /* A parent that had ended by then sends no signal. */
    return getppid() == (pid_t)parent ? 0 : ZVT_ERR_NOT_FOUND;
}
