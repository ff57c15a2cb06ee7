/* sim_net -- the simulated network: it implements zvt_hub, zvt_link, zvt_subscriber and zvt_puller, and what the
 * processes bind besides.
 *
 * A connection is a pair of FIFO queues. Whole messages may be lost (a full queue), doubled or late; a connection that
 * breaks loses what is in flight in both directions; a process that dies takes with it what has not reached it, and an
 * arbitrary tail of what it had sent. Nothing overtakes within a connection.
 * Owns     connections; sockets belong to their process and die with it. */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "sim_world.h"
#include "zvt_hub.h"
#include "zvt_link.h"
#include "zvt_puller.h"
#include "zvt_socket.h"
#include "zvt_subscriber.h"

/* PUB: binds; subscribers come through zvt_subscriber_new. */
typedef struct sim_pub sim_pub_t;
sim_pub_t *sim_pub_new(zvt_loop_t *loop, const char *endpoint);
void sim_pub_destroy(sim_pub_t **self);
void sim_pub_send(sim_pub_t *self, const char *topic, const void *data, size_t length);

/* PUSH: connects to a zvt_puller. */
typedef struct sim_push sim_push_t;
sim_push_t *sim_push_new(zvt_loop_t *loop, const char *endpoint);
void sim_push_destroy(sim_push_t **self);
/* Leaves the present connection, which may lead to a process that was replaced. */
void sim_push_reopen(sim_push_t *self);
void sim_push_send(sim_push_t *self, zvt_type_t type, const void *record);

/* Loop of a process: zvt_loop.h is implemented over the world's queue. */
zvt_loop_t *sim_loop_new(sim_proc_t *proc);
void sim_loop_destroy(zvt_loop_t **self);
void sim_loop_end_round(zvt_loop_t *self);
sim_proc_t *sim_loop_proc(const zvt_loop_t *self);

/* Whether the endpoint still leads to this process, because no other has bound it since. */
bool sim_net_serves(const sim_proc_t *proc, const char *endpoint);

/* ---- faults ---- */
/* A process died: its connections end. */
void sim_net_forget(const sim_proc_t *proc);
/* Breaks a random connection; it comes back after a while. */
void sim_net_break_one(void);
/* Keeps a random pair of processes apart for a while. */
void sim_net_cut_one(int64_t duration_ns);
/* What is sent next on a random connection, in one direction, comes late, and all that follows behind it. */
void sim_net_stall_one(int64_t duration_ns);
void sim_net_heal(void);
/* True when some socket of the process has bytes queued that have not left. */
bool sim_net_has_unsent(const sim_proc_t *proc);
/* Closes everything at the end of a seed. */
void sim_net_clear(void);

#endif
