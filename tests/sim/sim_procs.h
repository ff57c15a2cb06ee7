/* sim_procs -- what each kind of process is made of: the real cores, with the plumbing of its *_main.c around them.
 *
 * Each sim_KIND.c mirrors KIND_main.c: the same sockets, the same handlers, the same order of things. */
#ifndef SIM_PROCS_H
#define SIM_PROCS_H

#include "sim_net.h"
#include "sim_world.h"

extern const sim_kind_desc_t sim_kinds[SIM_KINDS];

#define SIM_KIND(name)                           \
    void *sim_##name##_start(sim_proc_t *proc);  \
    void sim_##name##_stop(sim_proc_t *proc);    \
    sim_doing_t sim_##name##_doing(sim_proc_t *proc);
SIM_KIND(orchestrator)
SIM_KIND(risk)
SIM_KIND(portfolio)
SIM_KIND(executor)
SIM_KIND(gateway)
SIM_KIND(venue)
SIM_KIND(replayer)
SIM_KIND(strategy)
SIM_KIND(client)
#undef SIM_KIND

/* Durable state of those that keep more than the log: forgotten between seeds. */
void sim_orchestrator_reset(void);
void sim_executor_reset(void);
void sim_gateway_reset(void);
void sim_venue_reset(void);
void sim_client_reset(void);

/* The kill switch is on; and entries of its journal that the log does not account for yet. */
bool sim_executor_is_killed(void);
uint32_t sim_executor_unlogged(void);
/* The venue's prices stop moving, so that the world can come to rest. */
void sim_venue_calm(void);

/* ---- what the checks at the end look at ---- */
struct turn_core;
/* The core of the instance that is open, or NULL. */
struct turn_core *sim_orchestrator_core(void);
struct risk_core *sim_risk_core(void);
struct portfolio_core *sim_portfolio_core(void);
/* Log position they have applied. */
uint64_t sim_risk_applied(void);
uint64_t sim_portfolio_applied(void);

/* ---- the workload ---- */
/* Strategies and clients begin to send, this many commands in all. */
void sim_workload_begin(uint32_t commands);
/* Commands still to be sent. */
uint32_t sim_workload_left(void);
/* Takes one of them; false when none is left. */
bool sim_workload_take(void);
/* Draws the terms of an order; some make no sense. */
void sim_workload_terms(zvt_order_request_t *terms);
/* A small market buy that nothing forbids. */
void sim_workload_probe_terms(zvt_order_request_t *terms);
/* The world is healed: no more workload, only what the checks at the end ask for. */
void sim_strategy_probe(uint32_t index);
void sim_client_probe(uint32_t index, uint32_t venue);
/* Unanswered commands of all strategies. */
uint32_t sim_strategy_pending(void);
/* Asks again and again until it is answered. */
void sim_client_ask_resume(void);
bool sim_client_resumed(void);
void sim_client_ask_barrier(void);
/* Seq of the barrier that was confirmed; 0: not yet. */
uint64_t sim_client_barrier_seq(void);

#endif
