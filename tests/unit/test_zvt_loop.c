/* The service loop on real sockets: input is seen at once, however it arrives and whatever else is done with the socket. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>

#include "zvt_loop.h"
#include "zvt_time.h"

enum { EXCHANGES = 20000, AT_ONCE = 64, DRAIN_MAX = 16 };
#define PATIENCE_NS (60 * ZVT_SECOND_NS)

/* One end of a conversation: answers what it gets, reads at most `drain` messages at a time. */
typedef struct {
    zvt_loop_t *loop;
    zsock_t *socket;
    uint32_t drain;
    uint32_t unsent; /* to be sent at the end of the round */
    uint32_t got, wanted;
    bool answers;
} end_t;

static void s_stop_when_done(end_t *self)
{
    if (self->got >= self->wanted) zvt_loop_stop(self->loop);
}

static void s_on_readable(void *arg)
{
    end_t *self = arg;
    char byte;
    for (uint32_t n = 0; n < self->drain; n++) {
        if (zmq_recv(zsock_resolve(self->socket), &byte, 1, ZMQ_DONTWAIT) < 0) return;
        self->got++;
        if (self->answers) self->unsent++;
    }
    zvt_loop_check(self->loop, self->socket);
}

static void s_on_round(void *arg)
{
    end_t *self = arg;
    for (; self->unsent > 0; self->unsent--) {
        cr_assert_eq(zmq_send(zsock_resolve(self->socket), "x", 1, 0), 1);
        zvt_loop_check(self->loop, self->socket);
    }
    s_stop_when_done(self);
}

static void s_give_up(void *arg)
{
    zvt_loop_stop(arg);
}

static void s_run(end_t *self)
{
    self->loop = zvt_loop_new();
    zvt_loop_add_socket(self->loop, self->socket, s_on_readable, self);
    zvt_loop_on_round(self->loop, s_on_round, self);
    zvt_loop_every(self->loop, PATIENCE_NS, s_give_up, self->loop);
    cr_assert_eq(zvt_loop_run(self->loop), 0);
    zvt_loop_destroy(&self->loop);
}

/* The other side, without a loop: sends AT_ONCE, then one for each answer. */
static void *s_peer(void *arg)
{
    zsock_t *socket = arg;
    char byte;
    for (int n = 0; n < AT_ONCE; n++) zmq_send(zsock_resolve(socket), "x", 1, 0);
    for (int n = AT_ONCE; n < EXCHANGES; n++) {
        if (zmq_recv(zsock_resolve(socket), &byte, 1, 0) < 0) break;
        zmq_send(zsock_resolve(socket), "x", 1, 0);
    }
    return NULL;
}

Test(loop, no_input_is_overlooked_when_a_socket_is_read_and_sent_on_all_the_time)
{
    end_t self = {.socket = zsock_new_pair("@inproc://loop"), .drain = DRAIN_MAX, .wanted = EXCHANGES, .answers = true};
    zsock_t *other = zsock_new_pair(">inproc://loop");
    pthread_t peer;
    zsock_set_rcvtimeo(other, (int)(PATIENCE_NS / ZVT_MS_NS));
    cr_assert_eq(pthread_create(&peer, NULL, s_peer, other), 0);
    int64_t started_ns = zvt_monotonic_ns();
    s_run(&self);
    cr_assert_eq(self.got, EXCHANGES);
    pthread_join(peer, NULL);
    cr_assert_lt(zvt_monotonic_ns() - started_ns, 20 * ZVT_SECOND_NS,
                 "the conversation stops until the sweep of 250 ms whenever input is overlooked");
    zsock_destroy(&other);
    zsock_destroy(&self.socket);
}

Test(loop, a_socket_that_is_not_read_to_its_end_is_read_on_without_new_input)
{
    end_t self = {.socket = zsock_new_pull("@inproc://backlog"), .drain = 3, .wanted = 100};
    zsock_t *push = zsock_new_push(">inproc://backlog");
    for (uint32_t n = 0; n < self.wanted; n++) cr_assert_eq(zmq_send(zsock_resolve(push), "x", 1, 0), 1);
    int64_t started_ns = zvt_monotonic_ns();
    s_run(&self);
    cr_assert_eq(self.got, self.wanted);
    cr_assert_lt(zvt_monotonic_ns() - started_ns, 5 * ZVT_SECOND_NS, "34 rounds, none of which waits for the sweep of 250 ms");
    zsock_destroy(&push);
    zsock_destroy(&self.socket);
}

typedef struct {
    zvt_loop_t *loop;
    zsock_t *socket, *push;
    uint32_t got;
} sneaky_t;

static void s_sneak(void *arg)
{
    sneaky_t *self = arg;
    /* A message comes, and its sign is taken off the descriptor. */
    cr_assert_eq(zmq_send(zsock_resolve(self->push), "x", 1, 0), 1);
    cr_assert(zsock_events(self->socket) & ZMQ_POLLIN);
}

static void s_take_one(void *arg)
{
    sneaky_t *self = arg;
    char byte;
    while (zmq_recv(zsock_resolve(self->socket), &byte, 1, ZMQ_DONTWAIT) >= 0) self->got++;
    if (self->got > 0) zvt_loop_stop(self->loop);
}

Test(loop, input_that_nobody_announced_is_found_by_the_sweep)
{
    sneaky_t self = {.loop = zvt_loop_new(), .socket = zsock_new_pull("@inproc://sneaky"), .push = zsock_new_push(">inproc://sneaky")};
    zvt_loop_add_socket(self.loop, self.socket, s_take_one, &self);
    zvt_loop_arm(self.loop, zvt_loop_timer(self.loop, s_sneak, &self), zvt_monotonic_ns() + 50 * ZVT_MS_NS);
    zvt_loop_every(self.loop, PATIENCE_NS, s_give_up, self.loop);
    cr_assert_eq(zvt_loop_run(self.loop), 0);
    cr_assert_eq(self.got, 1u);
    zsock_destroy(&self.push);
    zsock_destroy(&self.socket);
    zvt_loop_destroy(&self.loop);
}

/* ---- who comes first ---- */
typedef struct {
    zvt_loop_t *loop;
    zsock_t *socket;
    uint32_t rounds, descriptor_calls;
} turns_t;

static void s_count_descriptor(void *arg)
{
    ((turns_t *)arg)->descriptor_calls++; /* it stays readable, and so is ready in every round */
}

static void s_count_round(void *arg)
{
    ((turns_t *)arg)->rounds++;
}

static void s_judge_turn(void *arg)
{
    turns_t *self = arg;
    char byte;
    if (zmq_recv(zsock_resolve(self->socket), &byte, 1, ZMQ_DONTWAIT) < 0) return;
    cr_expect_eq(self->descriptor_calls, self->rounds + 1, "also in this round it came before the socket");
    zvt_loop_stop(self->loop);
}

Test(loop, descriptors_come_before_sockets_that_were_registered_earlier)
{
    turns_t self = {.loop = zvt_loop_new(), .socket = zsock_new_pull("@inproc://turns")};
    zsock_t *push = zsock_new_push(">inproc://turns");
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    cr_assert_eq(zmq_send(zsock_resolve(push), "x", 1, 0), 1);
    zvt_loop_add_socket(self.loop, self.socket, s_judge_turn, &self);
    zvt_loop_add_fd(self.loop, ends[0], s_count_descriptor, &self);
    zvt_loop_on_round(self.loop, s_count_round, &self);
    zvt_loop_every(self.loop, PATIENCE_NS, s_give_up, self.loop);
    cr_assert_eq(zvt_loop_run(self.loop), 0);
    cr_assert_gt(self.descriptor_calls, 0u);
    zvt_loop_remove_fd(self.loop, ends[0]);
    close(ends[0]);
    close(ends[1]);
    zsock_destroy(&push);
    zsock_destroy(&self.socket);
    zvt_loop_destroy(&self.loop);
}

/* ---- timers ---- */
static void s_note_time(void *arg)
{
    *(int64_t *)arg = zvt_monotonic_ns();
}

Test(loop, a_timer_fires_once_per_arming_and_not_before_its_time)
{
    int64_t fired_ns = 0;
    zvt_loop_t *loop = zvt_loop_new();
    int64_t due_ns = zvt_monotonic_ns() + 1500000;
    zvt_loop_arm(loop, zvt_loop_timer(loop, s_note_time, &fired_ns), due_ns);
    zvt_loop_every(loop, 20 * ZVT_MS_NS, s_give_up, loop);
    cr_assert_eq(zvt_loop_run(loop), 0);
    cr_assert_geq(fired_ns, due_ns);
    cr_assert_lt(fired_ns, due_ns + 18 * ZVT_MS_NS, "once, long before the loop was stopped");
    zvt_loop_destroy(&loop);
}
