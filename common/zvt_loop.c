#define _GNU_SOURCE /* ppoll */
#include "zvt_loop.h"

#include <poll.h>

#include "zvt_time.h"

#define SWEEP_NS (250 * ZVT_MS_NS)

typedef struct {
    zsock_t *socket; /* NULL for a descriptor */
    int fd;          /* of a socket: what registered it, -1 */
    zvt_loop_fn *fn; /* NULL marks a free place */
    void *arg;
    bool unsure; /* the socket may have input that its descriptor does not show */
    bool ready;  /* it has */
} item_t;

typedef struct {
    int64_t at_ns;     /* monotonic; 0: not armed */
    int64_t period_ns; /* 0: fires once per arming */
    zvt_loop_fn *fn;
    void *arg;
} loop_timer_t;

struct zvt_loop {
    struct pollfd polls[ZVT_LOOP_ITEMS_MAX]; /* same index as items */
    item_t items[ZVT_LOOP_ITEMS_MAX];
    int items_count;
    int64_t sweep_ns; /* monotonic: when every socket is asked next */
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

/* The descriptor that libzmq makes readable when something happens to the socket. */
static int s_signal_fd(zsock_t *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    ZVT_ASSERT(zmq_getsockopt(zsock_resolve(socket), ZMQ_FD, &fd, &size) == 0);
    return fd;
}

static bool s_has_input(zsock_t *socket)
{
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt(zsock_resolve(socket), ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

static void s_add(zvt_loop_t *self, zsock_t *socket, int fd, zvt_loop_fn *fn, void *arg)
{
    int at = 0;
    while (at < self->items_count && self->items[at].fn != NULL) at++;
    ZVT_ASSERT(at < ZVT_LOOP_ITEMS_MAX);
    if (at == self->items_count) self->items_count++;
    self->items[at] = (item_t){.socket = socket, .fd = fd, .fn = fn, .arg = arg, .unsure = socket != NULL};
    self->polls[at] = (struct pollfd){.fd = socket == NULL ? fd : s_signal_fd(socket), .events = POLLIN};
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
    self->polls[at] = (struct pollfd){.fd = -1};
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
    if (at >= 0) self->polls[at].events = (short)(POLLIN | (on ? POLLOUT : 0));
}

void zvt_loop_check(zvt_loop_t *self, zsock_t *socket)
{
    int at = s_find(self, socket, -1);
    if (at >= 0) self->items[at].unsure = true;
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

/* How long until the next timer. */
static struct timespec s_wait(const zvt_loop_t *self)
{
    int64_t next_ns = self->sweep_ns;
    if (self->again || self->stopped) return (struct timespec){0};
    for (int i = 0; i < self->timers_count; i++)
        if (self->timers[i].at_ns != 0 && self->timers[i].at_ns < next_ns) next_ns = self->timers[i].at_ns;
    int64_t left_ns = next_ns - zvt_monotonic_ns();
    if (left_ns <= 0) return (struct timespec){0};
    return (struct timespec){.tv_sec = left_ns / ZVT_SECOND_NS, .tv_nsec = left_ns % ZVT_SECOND_NS};
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

/* Finds input that descriptors do not show. Once in a while every socket is asked: who forgot to say that a socket may
 * have input is late then, but not stuck. */
static void s_look_closer(zvt_loop_t *self)
{
    bool sweep = self->monotonic_ns >= self->sweep_ns;
    if (sweep) self->sweep_ns = self->monotonic_ns + SWEEP_NS;
    for (int i = 0; i < self->items_count; i++) {
        item_t *item = &self->items[i];
        if (item->fn == NULL || item->socket == NULL || !(item->unsure || sweep)) continue;
        item->ready = s_has_input(item->socket);
        item->unsure = false;
        if (item->ready) self->again = true;
    }
}

static void s_handle_input(zvt_loop_t *self)
{
    for (int i = 0; i < self->items_count; i++) {
        item_t *item = &self->items[i];
        if (item->fn == NULL || (self->polls[i].revents == 0 && !item->ready)) continue;
        self->polls[i].revents = 0;
        item->ready = false;
        item->fn(item->arg);
    }
}

int zvt_loop_run(zvt_loop_t *self)
{
    while (!self->stopped) {
        struct timespec wait = s_wait(self);
        self->again = false;
        int ready = ppoll(self->polls, (nfds_t)self->items_count, &wait, NULL);
        if (ready < 0 && errno != EINTR) return ZVT_ERR_IO;
        s_read_clocks(self);
        s_handle_input(self);
        s_fire_timers(self);
        for (int i = 0; i < self->rounds_count; i++) self->rounds[i].fn(self->rounds[i].arg);
        s_look_closer(self);
    }
    return 0;
}
