/* kill -- the executor's kill switch: works without log and orchestrator. */
#ifndef MONITOR_KILL_H
#define MONITOR_KILL_H

#include "command.h"

/* Asks the executor and waits for its answer for timeout_ms; false with a sentence when there is none. `order_id` may
 * be NULL. */
bool kill_ask(uint8_t action, const zvt_id_t *order_id, const char *reason, int64_t timeout_ms, zvt_kill_reply_t *reply,
              char problem[CLIENT_PROBLEM_SIZE]);

/* What was found open and what became of it, such as "5 orders open, 5 canceled, none left; cannot be asked: beta". */
void kill_describe(const zvt_kill_reply_t *reply, char *text, size_t size);

#endif
