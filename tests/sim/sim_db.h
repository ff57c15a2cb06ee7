/* sim_db -- the simulated database: one log, one lease, transactions that may end in any way a real one does.
 *
 * What Postgres promises is kept: a transaction is durable or it is not, the fence is checked with it, and a sequence
 * number is taken once. What it does not promise is drawn: whether the writer hears of it.
 * Owns     the events of the log, and copies of batches under way.
 * Bounds   SIM_DB_EVENTS_MAX events in a world. */
#ifndef SIM_DB_H
#define SIM_DB_H

#include "lease_core.h"
#include "sim_world.h"
#include "turn_core.h"

enum { SIM_DB_EVENTS_MAX = 1 << 16 };

typedef struct {
    void (*committed)(void *arg);
    void (*lost)(void *arg, const char *reason, bool fenced);
    void *arg;
} sim_db_writer_t;

void sim_db_reset(void);
/* Shows the lease row: 0, or ZVT_ERR_IO while the database is away. */
ZVT_MUSTUSE int sim_db_look(lease_look_t *look);
/* Raises the epoch if it still is what the look showed, and ends the connection of the one that had it: 0, ZVT_ERR_IO while the
 * database is away, ZVT_ERR_STALE when somebody was quicker. `slot` names the writer's connection. */
ZVT_MUSTUSE int sim_db_take(uint32_t slot, sim_proc_t *proc, const lease_look_t *looked, const sim_db_writer_t *writer, uint64_t *epoch,
                            uint64_t *last_seq);
/* A heartbeat of its own: 0, ZVT_ERR_STALE when the lease has another epoch, ZVT_ERR_IO when it cannot be written now. */
ZVT_MUSTUSE int sim_db_beat(uint32_t slot, uint64_t epoch);
/* Whose lease it is. */
uint32_t sim_db_holder(void);
/* Begins to append; the writer hears the outcome once, or never if it dies. */
void sim_db_append(uint32_t slot, const turn_batch_t *batch);
/* The writer died or gave its connection up. */
void sim_db_disconnect(uint32_t slot);
bool sim_db_is_committing(uint32_t slot);

bool sim_db_is_up(void);
uint64_t sim_db_tip(void);
uint64_t sim_db_epoch(void);
const zvt_event_t *sim_db_event(uint64_t seq);

/* ---- faults ---- */
void sim_db_restart(int64_t away_ns);
void sim_db_cut(uint32_t slot);
void sim_db_heal(void);

#endif
