/* saga -- prints the causal chain of one saga. */
#ifndef MONITOR_SAGA_H
#define MONITOR_SAGA_H

#include "chain_core.h"
#include "command.h"

/* One line per event, indented under its cause, with the time since the saga began and since its cause; then whether
 * the chain is unbroken. */
void saga_print(FILE *out, const chain_core_t *chain, bool colour);
/* {"correlation_id", "order_id", "events": [event with cause_seq, since_start_ms, step_ms ..], "duration_ms", "unbroken"} */
void saga_print_json(FILE *out, const chain_core_t *chain, uint32_t shard);

#endif
