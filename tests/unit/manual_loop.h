/* manual_loop -- zvt_loop.h with a clock that stands still until a test moves it, over real sockets.
 *
 * Included once by a test program, which then runs the classes of common/ without waiting for real time: what has to
 * happen in another thread of libzmq is awaited by condition, what has to happen by time is brought about by manual_pass.
 * A loop that is frozen is a process that was stopped: its sockets fill, its timers rest. */
#ifndef MANUAL_LOOP_H
#define MANUAL_LOOP_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zvt_loop.h"
#include "zvt_socket.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { MANUAL_LOOPS_MAX = 4, MANUAL_ITEMS_MAX = 16, MANUAL_PATIENCE_S = 20 };
#define UNUSED __attribute__((unused))

typedef struct {
    zsock_t *socket;
    int64_t period_ns; /* timers: 0 for one that fires once per arming */
    int64_t at_ns;     /* timers: 0 while not armed */
    zvt_loop_fn *fn; /* NULL: a free place */
    void *arg;
} manual_item_t;

struct zvt_loop {
    manual_item_t sockets[MANUAL_ITEMS_MAX], timers[MANUAL_ITEMS_MAX], rounds[MANUAL_ITEMS_MAX];
    bool frozen;
};

static zvt_loop_t *s_loops[MANUAL_LOOPS_MAX];
static int64_t s_manual_ns = 1000 * ZVT_SECOND_NS;

/* ---- zvt_loop.h, as far as sockets need it ---- */
static int s_put(manual_item_t *items, manual_item_t item)
{
    for (int i = 0; i < MANUAL_ITEMS_MAX; i++) {
        if (items[i].fn != NULL) continue;
        items[i] = item;
        return i;
    }
    cr_assert_fail("manual_loop has no room");
    return -1;
}

zvt_loop_t *zvt_loop_new(void)
{
    zvt_loop_t *self = calloc(1, sizeof *self);
    for (int i = 0; i < MANUAL_LOOPS_MAX; i++) {
        if (s_loops[i] != NULL) continue;
        s_loops[i] = self;
        return self;
    }
    cr_assert_fail("manual_loop has no room");
    return NULL;
}

void zvt_loop_add_socket(zvt_loop_t *self, zsock_t *socket, zvt_loop_fn *fn, void *arg)
{
    s_put(self->sockets, (manual_item_t){.socket = socket, .fn = fn, .arg = arg});
}

void zvt_loop_remove_socket(zvt_loop_t *self, zsock_t *socket)
{
    for (int i = 0; i < MANUAL_ITEMS_MAX; i++)
        if (self->sockets[i].socket == socket) self->sockets[i] = (manual_item_t){0};
}

/* A round asks every socket anyway. */
void zvt_loop_check(zvt_loop_t *self, zsock_t *socket)
{
    (void)self;
    (void)socket;
}

int zvt_loop_every(zvt_loop_t *self, int64_t period_ns, zvt_loop_fn *fn, void *arg)
{
    return s_put(self->timers, (manual_item_t){.period_ns = period_ns, .at_ns = s_manual_ns + period_ns, .fn = fn, .arg = arg});
}

int zvt_loop_timer(zvt_loop_t *self, zvt_loop_fn *fn, void *arg)
{
    return s_put(self->timers, (manual_item_t){.fn = fn, .arg = arg});
}

void zvt_loop_arm(zvt_loop_t *self, int timer, int64_t at_monotonic_ns)
{
    self->timers[timer].at_ns = at_monotonic_ns;
}

void zvt_loop_on_round(zvt_loop_t *self, zvt_loop_fn *fn, void *arg)
{
    s_put(self->rounds, (manual_item_t){.fn = fn, .arg = arg});
}

int64_t zvt_loop_monotonic_ns(const zvt_loop_t *self)
{
    (void)self;
    return s_manual_ns;
}

/* ---- what tests do with it ---- */
UNUSED static void manual_freeze(zvt_loop_t *self, bool frozen)
{
    self->frozen = frozen;
}

/* Takes a loop out, with everything that was registered: its process has died. The owner destroys its objects after. */
UNUSED static void manual_kill(zvt_loop_t *self)
{
    for (int i = 0; i < MANUAL_LOOPS_MAX; i++)
        if (s_loops[i] == self) s_loops[i] = NULL;
}

static void s_end_rounds(void)
{
    for (int n = 0; n < MANUAL_LOOPS_MAX; n++)
        for (int i = 0; s_loops[n] != NULL && !s_loops[n]->frozen && i < MANUAL_ITEMS_MAX; i++)
            if (s_loops[n]->rounds[i].fn != NULL) s_loops[n]->rounds[i].fn(s_loops[n]->rounds[i].arg);
}

static bool s_readable(const manual_item_t *item)
{
    return item->fn != NULL && (zsock_events(item->socket) & ZMQ_POLLIN) != 0;
}

/* One round of every loop; true if somebody had something to do. */
static bool s_round(void)
{
    bool busy = false;
    for (int n = 0; n < MANUAL_LOOPS_MAX; n++) {
        zvt_loop_t *self = s_loops[n];
        for (int i = 0; self != NULL && !self->frozen && i < MANUAL_ITEMS_MAX; i++) {
            if (!s_readable(&self->sockets[i])) continue;
            busy = true;
            self->sockets[i].fn(self->sockets[i].arg);
        }
    }
    s_end_rounds();
    return busy;
}

/* Lets time pass, in steps in which every due timer fires and what is there to read is read. */
UNUSED static void manual_pass(int64_t ns)
{
    const int64_t step_ns = 50 * ZVT_MS_NS;
    for (int64_t end_ns = s_manual_ns + ns; s_manual_ns < end_ns;) {
        s_manual_ns += end_ns - s_manual_ns < step_ns ? end_ns - s_manual_ns : step_ns;
        s_round();
        for (int n = 0; n < MANUAL_LOOPS_MAX; n++) {
            for (int i = 0; s_loops[n] != NULL && !s_loops[n]->frozen && i < MANUAL_ITEMS_MAX; i++) {
                manual_item_t *timer = &s_loops[n]->timers[i];
                if (timer->fn == NULL || timer->at_ns == 0 || timer->at_ns > s_manual_ns) continue;
                timer->at_ns = timer->period_ns > 0 ? s_manual_ns + timer->period_ns : 0;
                timer->fn(timer->arg);
            }
        }
        s_end_rounds();
    }
}

/* Runs rounds until the condition holds. The patience is real time, for a machine that is busy with something else. */
#define MANUAL_UNTIL(condition)                                                                                \
    do {                                                                                                       \
        int64_t give_up_ns = zvt_monotonic_ns() + MANUAL_PATIENCE_S * ZVT_SECOND_NS;                           \
        while (!(condition)) {                                                                                 \
            cr_assert_lt(zvt_monotonic_ns(), give_up_ns, "waited in vain for: %s", #condition);                \
            if (!s_round()) sched_yield();                                                                     \
        }                                                                                                      \
    } while (0)

/* The same, for what also needs the hellos and questions that come with time. Time must not run away from the threads of
 * libzmq, or a socket is given up before it could connect. */
#define MANUAL_PASS_UNTIL(condition)                                                                           \
    do {                                                                                                       \
        int64_t give_up_ns = zvt_monotonic_ns() + MANUAL_PATIENCE_S * ZVT_SECOND_NS;                           \
        while (!(condition)) {                                                                                 \
            cr_assert_lt(zvt_monotonic_ns(), give_up_ns, "waited in vain for: %s", #condition);                \
            manual_pass(10 * ZVT_MS_NS);                                                                       \
            usleep(1000);                                                                                      \
        }                                                                                                      \
    } while (0)

/* ---- a folder for ipc sockets ---- */
static char s_runtime[64];

/* Makes $ZVT_RUNTIME. */
UNUSED static void manual_begin(void)
{
    snprintf(s_runtime, sizeof s_runtime, "/tmp/zvt-test-XXXXXX");
    cr_assert_not_null(mkdtemp(s_runtime));
    setenv("ZVT_RUNTIME", s_runtime, 1);
}

/* Removes it. */
UNUSED static void manual_end(void)
{
    zdir_t *dir = zdir_new(s_runtime, NULL);
    zdir_remove(dir, true);
    zdir_destroy(&dir);
    rmdir(s_runtime);
}

/* A lock lasts as long as its process: a test that plays a process that died takes the lock away with it. */
UNUSED static void manual_unlock(const char *endpoint)
{
    char path[ZVT_ENDPOINT_SIZE + 8];
    snprintf(path, sizeof path, "%s.lock", endpoint + strlen("ipc://"));
    unlink(path);
}

UNUSED static uint64_t s_count_of(const char *counter)
{
    return *zvt_counter(counter);
}

#endif
