/* zvt_loop -- the service loop: one thread, sockets, file descriptors and timers.
 *
 * A round: wait, read the clock once, call the handler of everything that is readable, then due timers (sockets are
 * drained before timers fire), then the end-of-round handlers, which send what the round produced -- one message per
 * peer instead of one per input.
 *
 * The loop waits on the descriptors of its sockets with one system call a round. (zmq_poll asks every socket twice a
 * wake-up, at two system calls each: two thirds of the CPU of a lone message.) libzmq signals such a descriptor once for
 * each change, not for as long as there is input, hence the rule: a handler reads its socket until it is empty; whoever
 * does not, or sends on a socket outside of its handler, says so by zvt_loop_check.
 *
 * Owns     nothing that is registered.
 * Bounds   ZVT_LOOP_ITEMS_MAX sources, ZVT_LOOP_TIMERS_MAX timers, ZVT_LOOP_TURNS_MAX end-of-round handlers.
 * Source   zmq_getsockopt(3), ZMQ_FD and ZMQ_EVENTS. */
#ifndef ZVT_LOOP_H
#define ZVT_LOOP_H

#include <czmq.h>
#include <stdint.h>

#include "zvt_error.h"

enum { ZVT_LOOP_ITEMS_MAX = 64, ZVT_LOOP_TIMERS_MAX = 64, ZVT_LOOP_TURNS_MAX = 16 };

typedef struct zvt_loop zvt_loop_t;
typedef void(zvt_loop_fn)(void *arg);

zvt_loop_t *zvt_loop_new(void);
void zvt_loop_destroy(zvt_loop_t **self);

/* Calls fn when the socket has input, and while the descriptor is readable. */
void zvt_loop_add_socket(zvt_loop_t *self, zsock_t *socket, zvt_loop_fn *fn, void *arg);
void zvt_loop_add_fd(zvt_loop_t *self, int fd, zvt_loop_fn *fn, void *arg);
/* The socket may have input that its descriptor does not show, because something was sent on it (libzmq takes in what has
 * arrived then) or it was not read to its end. It is asked at the end of the round. */
void zvt_loop_check(zvt_loop_t *self, zsock_t *socket);
/* Switches interest in writability of a registered descriptor; fn is then called for it too. */
void zvt_loop_watch_write(zvt_loop_t *self, int fd, bool on);
void zvt_loop_remove_socket(zvt_loop_t *self, zsock_t *socket);
void zvt_loop_remove_fd(zvt_loop_t *self, int fd);

/* Calls fn every period (first after one period). Returns the timer's number. */
int zvt_loop_every(zvt_loop_t *self, int64_t period_ns, zvt_loop_fn *fn, void *arg);
/* A timer that is armed by zvt_loop_arm and fires once per arming. */
int zvt_loop_timer(zvt_loop_t *self, zvt_loop_fn *fn, void *arg);
/* Sets when the timer fires next, on the monotonic clock; 0 disarms it. */
void zvt_loop_arm(zvt_loop_t *self, int timer, int64_t at_monotonic_ns);

/* Calls fn at the end of every round. */
void zvt_loop_on_round(zvt_loop_t *self, zvt_loop_fn *fn, void *arg);

/* Clocks as of the beginning of the round. */
int64_t zvt_loop_utc_ns(const zvt_loop_t *self);
int64_t zvt_loop_monotonic_ns(const zvt_loop_t *self);

/* Makes the current or next round the last one. */
void zvt_loop_stop(zvt_loop_t *self);
/* Makes the next round start without waiting: a handler left work undone. */
void zvt_loop_again(zvt_loop_t *self);
/* Runs rounds until stopped; 0, or ZVT_ERR_IO when polling fails. */
ZVT_MUSTUSE int zvt_loop_run(zvt_loop_t *self);

#endif
