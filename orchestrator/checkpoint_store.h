/* checkpoint_store -- checkpoints of the turn core in Postgres.
 *
 * Blocking: for the checkpointer, which has nothing else to do meanwhile. Recovery asks by itself (log_recovery) and uses
 * checkpoint_store_take only.
 * Owns     its connection.
 * Errors   ZVT_ERR_IO and ZVT_ERR_CORRUPT with the reason in `problem`; ZVT_ERR_NOT_FOUND when there is none. After an
 *          error of checkpoint_store_load or _take the core must be cleared. */
#ifndef CHECKPOINT_STORE_H
#define CHECKPOINT_STORE_H

#include <libpq-fe.h>

#include "turn_core.h"

/* Reads the newest checkpoint for checkpoint_store_take, in binary form. */
#define CHECKPOINT_STORE_NEWEST "SELECT records FROM checkpoints WHERE seq = (SELECT max(seq) FROM checkpoints) ORDER BY part"

typedef struct checkpoint_store checkpoint_store_t;

checkpoint_store_t *checkpoint_store_new(const char *dsn, const char *application);
void checkpoint_store_destroy(checkpoint_store_t **self);

/* Writes what the core has folded as one transaction, and deletes all but the newest two. `*bytes` is its size. */
ZVT_MUSTUSE int checkpoint_store_save(checkpoint_store_t *self, turn_core_t *core, size_t *bytes, char problem[256]);
/* Makes the log's partitions ahead of this seq, and brings its index on sagas up to date: reads what is new. */
ZVT_MUSTUSE int checkpoint_store_prepare(checkpoint_store_t *self, uint64_t seq, char problem[256]);
/* Loads the newest checkpoint into a cleared core. */
ZVT_MUSTUSE int checkpoint_store_load(checkpoint_store_t *self, turn_core_t *core, char problem[256]);
/* The same for a result of CHECKPOINT_STORE_NEWEST. */
ZVT_MUSTUSE int checkpoint_store_take(const PGresult *result, turn_core_t *core, char problem[256]);

#endif
