#include "zvt_loop.h"

#include "zvt_time.h"

typedef struct {
    zsock_t *socket; /* NULL for a descriptor */
    int fd;
    zvt_loop_fn *fn; /* NULL marks a free place */
    void *arg;
} item_t;

typedef struct {
    int64_t at_ns;     /* monotonic; 0: not armed */
    int64_t period_ns; /* 0: fires once per arming */
    zvt_loop_fn *fn;
    void *arg;
} loop_timer_t;

struct zvt_loop {
    zmq_pollitem_t polls[ZVT_LOOP_ITEMS_MAX]; /* same index as items */
    item_t items[ZVT_LOOP_ITEMS_MAX];
    int items_count;
    loop_timer_t timers[ZVT_LOOP_TIMERS_MAX];
    int timers_count;
    struct {
        zvt_loop_fn *fn;
        void *arg;
    } rounds[ZVT_LOOP_TURNS_MAX];
    int rounds_count;
    int64_t utc_ns, monotonic_ns;
    bool stopped, again;
};

static void s_read_clocks(zvt_loop_t *self)
{
    self->utc_ns = zvt_utc_ns();
    self->monotonic_ns = zvt_monotonic_ns();
}

zvt_loop_t *zvt_loop_new(void)
{
    zvt_loop_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    s_read_clocks(self);
    return self;
}

void zvt_loop_destroy(zvt_loop_t **self)
{
    free(*self);
    *self = NULL;
}

static void s_add(zvt_loop_t *self, zsock_t *socket, int fd, zvt_loop_fn *fn, void *arg)
{
    int at = 0;
    while (at < self->items_count && self->items[at].fn != NULL) at++;
    ZVT_ASSERT(at < ZVT_LOOP_ITEMS_MAX);
    if (at == self->items_count) self->items_count++;
    self->items[at] = (item_t){.socket = socket, .fd = fd, .fn = fn, .arg = arg};
    self->polls[at] = (zmq_pollitem_t){.socket = socket == NULL ? NULL : zsock_resolve(socket), .fd = fd, .events = ZMQ_POLLIN};
}

void zvt_loop_add_socket(zvt_loop_t *self, zsock_t *socket, zvt_loop_fn *fn, void *arg)
{
    s_add(self, socket, -1, fn, arg);
}

void zvt_loop_add_fd(zvt_loop_t *self, int fd, zvt_loop_fn *fn, void *arg)
{
    s_add(self, NULL, fd, fn, arg);
}

/* Index of a registered source, or -1. */
static int s_find(const zvt_loop_t *self, const zsock_t *socket, int fd)
{
    for (int i = 0; i < self->items_count; i++)
        if (self->items[i].fn != NULL && self->items[i].socket == socket && self->items[i].fd == fd) return i;
    return -1;
}

/* A free place polls a descriptor that is never ready, so that indices stay put while handlers run. */
static void s_remove(zvt_loop_t *self, int at)
{
    if (at < 0) return;
    self->items[at].fn = NULL;
    self->polls[at] = (zmq_pollitem_t){.fd = -1};
    while (self->items_count > 0 && self->items[self->items_count - 1].fn == NULL) self->items_count--;
}

void zvt_loop_remove_socket(zvt_loop_t *self, zsock_t *socket)
{
    s_remove(self, s_find(self, socket, -1));
}

void zvt_loop_remove_fd(zvt_loop_t *self, int fd)
{
    s_remove(self, s_find(self, NULL, fd));
}

void zvt_loop_watch_write(zvt_loop_t *self, int fd, bool on)
{
    int at = s_find(self, NULL, fd);
    if (at >= 0) self->polls[at].events = (short)(ZMQ_POLLIN | (on ? ZMQ_POLLOUT : 0));
}

static int s_add_timer(zvt_loop_t *self, int64_t period_ns, zvt_loop_fn *fn, void *arg)
{
    ZVT_ASSERT(self->timers_count < ZVT_LOOP_TIMERS_MAX);
    int64_t at_ns = period_ns > 0 ? self->monotonic_ns + period_ns : 0;
    self->timers[self->timers_count] = (loop_timer_t){.at_ns = at_ns, .period_ns = period_ns, .fn = fn, .arg = arg};
    return self->timers_count++;
}

int zvt_loop_every(zvt_loop_t *self, int64_t period_ns, zvt_loop_fn *fn, void *arg)
{
    return s_add_timer(self, period_ns, fn, arg);
}

int zvt_loop_timer(zvt_loop_t *self, zvt_loop_fn *fn, void *arg)
{
    return s_add_timer(self, 0, fn, arg);
}

void zvt_loop_arm(zvt_loop_t *self, int timer, int64_t at_monotonic_ns)
{
    ZVT_ASSERT(timer >= 0 && timer < self->timers_count);
    self->timers[timer].at_ns = at_monotonic_ns;
}

void zvt_loop_on_round(zvt_loop_t *self, zvt_loop_fn *fn, void *arg)
{
    ZVT_ASSERT(self->rounds_count < ZVT_LOOP_TURNS_MAX);
    self->rounds[self->rounds_count].fn = fn;
    self->rounds[self->rounds_count++].arg = arg;
}

int64_t zvt_loop_utc_ns(const zvt_loop_t *self)
{
    return self->utc_ns;
}

int64_t zvt_loop_monotonic_ns(const zvt_loop_t *self)
{
    return self->monotonic_ns;
}

void zvt_loop_stop(zvt_loop_t *self)
{
    self->stopped = true;
}

void zvt_loop_again(zvt_loop_t *self)
{
    self->again = true;
}

/* Milliseconds until the next timer, rounded up; -1 without one. */
static long s_wait_ms(const zvt_loop_t *self)
{
    if (self->again || self->stopped) return 0;
    int64_t next_ns = 0;
    for (int i = 0; i < self->timers_count; i++)
        if (self->timers[i].at_ns != 0 && (next_ns == 0 || self->timers[i].at_ns < next_ns)) next_ns = self->timers[i].at_ns;
    if (next_ns == 0) return -1;
    int64_t left_ns = next_ns - zvt_monotonic_ns();
    return left_ns <= 0 ? 0 : (long)((left_ns + ZVT_MS_NS - 1) / ZVT_MS_NS);
}

static void s_fire_timers(zvt_loop_t *self)
{
    for (int i = 0; i < self->timers_count; i++) {
        loop_timer_t *timer = &self->timers[i];
        if (timer->at_ns == 0 || timer->at_ns > self->monotonic_ns) continue;
        /* A late timer does not catch up: the next period starts now. */
        timer->at_ns = timer->period_ns > 0 ? self->monotonic_ns + timer->period_ns : 0;
        timer->fn(timer->arg);
    }
}

int zvt_loop_run(zvt_loop_t *self)
{
    while (!self->stopped) {
        long wait_ms = s_wait_ms(self);
        self->again = false;
        int ready = zmq_poll(self->polls, self->items_count, wait_ms);
        if (ready < 0 && errno != EINTR) return ZVT_ERR_IO;
        s_read_clocks(self);
        for (int i = 0; i < self->items_count && ready > 0; i++)
            if (self->items[i].fn != NULL && self->polls[i].revents != 0) self->items[i].fn(self->items[i].arg);
        s_fire_timers(self);
        for (int i = 0; i < self->rounds_count; i++) self->rounds[i].fn(self->rounds[i].arg);
    }
    return 0;
}
