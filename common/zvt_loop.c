#include "zvt_loop.h"

#include <sys/epoll.h>

#include "zvt_time.h"

#define SWEEP_NS (250 * ZVT_MS_NS)

typedef struct {
    zsock_t *socket; /* NULL for a descriptor */
    int fd;          /* of a socket: the one that libzmq makes readable when something happens to it */
    zvt_loop_fn *fn; /* NULL marks a free place */
    void *arg;
    bool unsure; /* the socket may have input that its descriptor does not show */
    bool ready;  /* there is something to do */
} item_t;

typedef struct {
    int64_t at_ns;     /* monotonic; 0: not armed */
    int64_t period_ns; /* 0: fires once per arming */
    zvt_loop_fn *fn;
    void *arg;
} loop_timer_t;

struct zvt_loop {
    int epoll_fd;
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
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    ZVT_ASSERT(self->epoll_fd >= 0);
    s_read_clocks(self);
    return self;
}

void zvt_loop_destroy(zvt_loop_t **self)
{
    if (*self == NULL) return;
    close((*self)->epoll_fd);
    free(*self);
    *self = NULL;
}

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

/* A library may have closed the descriptor of an item and opened another under the same number: it is registered anew. */
static void s_watch(zvt_loop_t *self, int at, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.u32 = (uint32_t)at}};
    int status = epoll_ctl(self->epoll_fd, EPOLL_CTL_MOD, self->items[at].fd, &event);
    if (status != 0 && errno == ENOENT) status = epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, self->items[at].fd, &event);
    ZVT_ASSERT(status == 0);
}

static void s_add(zvt_loop_t *self, zsock_t *socket, int fd, zvt_loop_fn *fn, void *arg)
{
    int at = 0;
    while (at < self->items_count && self->items[at].fn != NULL) at++;
    ZVT_ASSERT(at < ZVT_LOOP_ITEMS_MAX);
    if (at == self->items_count) self->items_count++;
    self->items[at] = (item_t){.socket = socket, .fd = fd, .fn = fn, .arg = arg, .unsure = socket != NULL};
    s_watch(self, at, EPOLLIN);
}

void zvt_loop_add_socket(zvt_loop_t *self, zsock_t *socket, zvt_loop_fn *fn, void *arg)
{
    s_add(self, socket, s_signal_fd(socket), fn, arg);
}

void zvt_loop_add_fd(zvt_loop_t *self, int fd, zvt_loop_fn *fn, void *arg)
{
    s_add(self, NULL, fd, fn, arg);
}

/* Index of a registered source, or -1. */
static int s_find_socket(const zvt_loop_t *self, const zsock_t *socket)
{
    for (int i = 0; i < self->items_count; i++)
        if (self->items[i].fn != NULL && self->items[i].socket == socket) return i;
    return -1;
}

static int s_find_fd(const zvt_loop_t *self, int fd)
{
    for (int i = 0; i < self->items_count; i++)
        if (self->items[i].fn != NULL && self->items[i].socket == NULL && self->items[i].fd == fd) return i;
    return -1;
}

/* Indices stay put while handlers run. */
static void s_remove(zvt_loop_t *self, int at)
{
    if (at < 0) return;
    /* Who closed a descriptor before has taken it out by that. */
    (void)epoll_ctl(self->epoll_fd, EPOLL_CTL_DEL, self->items[at].fd, NULL);
    self->items[at].fn = NULL;
    while (self->items_count > 0 && self->items[self->items_count - 1].fn == NULL) self->items_count--;
}

void zvt_loop_remove_socket(zvt_loop_t *self, zsock_t *socket)
{
    s_remove(self, s_find_socket(self, socket));
}

void zvt_loop_remove_fd(zvt_loop_t *self, int fd)
{
    s_remove(self, s_find_fd(self, fd));
}

void zvt_loop_watch_write(zvt_loop_t *self, int fd, bool on)
{
    int at = s_find_fd(self, fd);
    if (at >= 0) s_watch(self, at, EPOLLIN | (on ? EPOLLOUT : 0u));
}

void zvt_loop_check(zvt_loop_t *self, zsock_t *socket)
{
    int at = s_find_socket(self, socket);
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

/* Milliseconds until the next timer, rounded up. */
static int s_wait_ms(const zvt_loop_t *self)
{
    int64_t next_ns = self->sweep_ns;
    if (self->again || self->stopped) return 0;
    for (int i = 0; i < self->timers_count; i++)
        if (self->timers[i].at_ns != 0 && self->timers[i].at_ns < next_ns) next_ns = self->timers[i].at_ns;
    int64_t left_ns = next_ns - zvt_monotonic_ns();
    return left_ns <= 0 ? 0 : (int)((left_ns + ZVT_MS_NS - 1) / ZVT_MS_NS);
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

/* Waits until something happens. False when waiting is impossible. */
static bool s_wait(zvt_loop_t *self)
{
    struct epoll_event events[ZVT_LOOP_ITEMS_MAX];
    int wait_ms = s_wait_ms(self);
    self->again = false;
    int count = epoll_wait(self->epoll_fd, events, ZVT_LOOP_ITEMS_MAX, wait_ms);
    for (int i = 0; i < count; i++) self->items[events[i].data.u32].ready = true;
    return count >= 0 || errno == EINTR;
}

/* In the sequence of registration, whatever became ready first. */
static void s_handle_ready(zvt_loop_t *self, bool sockets)
{
    for (int i = 0; i < self->items_count; i++) {
        item_t *item = &self->items[i];
        if (item->fn == NULL || !item->ready || (item->socket != NULL) != sockets) continue;
        item->ready = false;
        item->fn(item->arg);
    }
}

int zvt_loop_run(zvt_loop_t *self)
{
    while (!self->stopped) {
        if (!s_wait(self)) return ZVT_ERR_IO;
        s_read_clocks(self);
        s_handle_ready(self, false); /* among descriptors is the database, which does nothing until it is answered */
        s_handle_ready(self, true);
        s_fire_timers(self);
        for (int i = 0; i < self->rounds_count; i++) self->rounds[i].fn(self->rounds[i].arg);
        s_look_closer(self);
    }
    return 0;
}
