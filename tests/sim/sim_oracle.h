/* sim_oracle -- knows what must be true, and looks at everything that becomes durable or leaves.
 *
 * It keeps a model of its own: of the log, folded from what the database made durable, and of the venues, folded from
 * their ledgers. It shares no code with the cores but the schema. Whatever contradicts the promise ends the seed.
 * Bounds   ORACLE_ORDERS_MAX orders in a world. */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include "sim_world.h"

void sim_oracle_reset(void);

/* ---- what happens, as it happens ---- */
/* These events are durable in the log now. */
void sim_oracle_on_commit(uint64_t first_seq, uint64_t last_seq);
/* The database lost what comes after. */
void sim_oracle_on_rewind(uint64_t tip_seq);
/* An orchestrator asks a service. */
void sim_oracle_on_ask(zvt_type_t type, const void *record);
/* An orchestrator answers a client, or acknowledges to a sender. */
/* An orchestrator is told to halt or to resume, with this reason; a kill gives another. */
#define SIM_HALT_REASON "the simulator halts"
void sim_oracle_on_halt_request(const zvt_halt_request_t *request);
void sim_oracle_on_reply(zvt_type_t type, const void *record);
void sim_oracle_on_ack(const char *by, const char *sender, const void *data, size_t length);
/* Begins the names of orders at a venue that are nobody's here. */
#define SIM_STRANGER "stranger-"
/* Who keeps the fence: the gateway of each venue, by its index, and the executor. */
#define SIM_ORACLE_EXECUTOR SIM_VENUES
enum { SIM_ORACLE_FENCES = SIM_VENUES + 1 };
/* A command or a hello has been handled by one of them, and nothing that it had to store failed: from now on a writer older than
 * this one must get nothing past it, whatever it has made of it, and whatever becomes of it. */
void sim_oracle_on_told(uint32_t keeper, zvt_type_t type, const void *record);
/* A command reaches the executor. */
void sim_oracle_on_come(zvt_type_t type, const void *record);
/* It passes a command on: the executor to a gateway, a gateway to its venue. */
void sim_oracle_on_pass(uint32_t keeper, zvt_type_t type, const void *record);
/* A venue takes an order; whether that becomes durable is still open. */
void sim_oracle_on_taking(const zvt_order_send_t *order);
/* This record is durable in a venue's ledger now. */
void sim_oracle_on_ledger(uint32_t venue, const zvt_record_t *record);

/* ---- the end of a seed ---- */
/* Everything has come to rest: no order in between, no fill unaccounted for, nobody behind. Else `why` says what is
 * missing, and `subject` which order it is about. */
bool sim_oracle_is_settled(char why[256], char subject[64]);
/* What must hold once it has. */
void sim_oracle_check_end(void);
/* Since when nobody has halted all trading: now while it is halted, 0 when it never was. */
int64_t sim_oracle_unhalted_ns(void);
/* Orders of this strategy that are filled in full. */
uint32_t sim_oracle_completed(const char *strategy_id);
uint32_t sim_oracle_orders(void);
uint32_t sim_oracle_fills(void);

#endif
