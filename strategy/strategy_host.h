/* strategy_host -- runs strategies as a process of the fleet: command line, sockets, timers.
 *
 * Everything that decides is in desk_core and below; this file moves records between it and the sockets:
 *   SUB market.VENUE    quotes, trades and books of the strategies' symbols
 *   PUSH signals        signals and cancels, one message per round
 *   SUB events          acknowledgements on ack.NAME; log.SHARD through zvt_follower
 *   DEALER request      open orders at start; tells when the orchestrator is back
 *   DEALER portfolio    positions at start
 * Ready once subscribed and a market update came or 2 s passed. On SIGTERM the orders stay as they are, because whoever
 * restarts a strategy finds them again; the log names what is left open. */
#ifndef STRATEGY_HOST_H
#define STRATEGY_HOST_H

#include "zvt_strategy.h"

/* Runs the process with these strategies to choose from. Returns the exit code. */
int strategy_host_main(int argc, char **argv, const zvt_strategy_t *const *strategies, size_t count);

#endif
