/* checkpoint_store -- checkpoints of the turn core in Postgres.
 *
 * Blocking: for the checkpointer, which has nothing else to do meanwhile. Recovery asks by itself (log_recovery) and only
 * uses what takes a result.
 * Owns     its connection, and the records of the checkpoint that is being written.
 * Errors   ZVT_ERR_IO and ZVT_ERR_CORRUPT with the reason in `problem`; ZVT_ERR_NOT_FOUND when there is none. After an
 *          error of checkpoint_store_load or _take the core must be cleared. */
#ifndef CHECKPOINT_STORE_H
#define CHECKPOINT_STORE_H

#include <libpq-fe.h>

#include "turn_core.h"

/* Reads the newest checkpoint up to a seq (the only parameter) for checkpoint_store_take, in binary form. What is beyond the log
 * is not of this log. */
#define CHECKPOINT_STORE_NEWEST                                                                                        \
    "SELECT seq, records FROM checkpoints WHERE seq = (SELECT max(seq) FROM checkpoints WHERE seq <= $1::bigint "      \
    "AND seq <= coalesce((SELECT max(last_seq) FROM event_batches), 0)) ORDER BY part"

/* The same for the newest base: a checkpoint that is kept for good, because the log does not begin with event 1. */
#define CHECKPOINT_STORE_BASE "SELECT data FROM log_bases WHERE process = 'orchestrator' ORDER BY seq DESC LIMIT 1"

typedef struct checkpoint_store checkpoint_store_t;

checkpoint_store_t *checkpoint_store_new(const char *dsn, const char *application);
void checkpoint_store_destroy(checkpoint_store_t **self);

/* Takes what the core has folded; returns its size in bytes. It is written part by part, with other commits between them:
 * in one go a large one would make the orders that commit meanwhile wait for megabytes of write-ahead log. */
size_t checkpoint_store_begin(checkpoint_store_t *self, turn_core_t *core);
bool checkpoint_store_is_writing(const checkpoint_store_t *self);
/* Writes the next part. The last one completes the transaction and deletes all but the newest two; after an error the
 * checkpoint is given up. Either way nothing is being written any more. */
ZVT_MUSTUSE int checkpoint_store_write(checkpoint_store_t *self, char problem[256]);
/* Makes the log's partitions ahead of this seq, and brings its index on sagas up to date: reads what is new. Not while a
 * checkpoint is being written. */
ZVT_MUSTUSE int checkpoint_store_prepare(checkpoint_store_t *self, uint64_t seq, char problem[256]);
/* Loads the newest checkpoint that can be read into a cleared core; what is wrong with a newer one is warned of. */
ZVT_MUSTUSE int checkpoint_store_load(checkpoint_store_t *self, turn_core_t *core, char problem[256]);
/* Loads the newest base up to before_seq into a cleared core. */
ZVT_MUSTUSE int checkpoint_store_load_base(checkpoint_store_t *self, turn_core_t *core, uint64_t before_seq, char problem[256]);
/* Loads a result of CHECKPOINT_STORE_NEWEST or CHECKPOINT_STORE_BASE. */
ZVT_MUSTUSE int checkpoint_store_take(const PGresult *result, turn_core_t *core, char problem[256]);
/* The seq of a result of CHECKPOINT_STORE_NEWEST; 0 when it is empty. */
uint64_t checkpoint_store_seq(const PGresult *result);
/* Formats a seq as the parameter of CHECKPOINT_STORE_NEWEST. */
void checkpoint_store_limit(uint64_t seq, char text[24]);
/* Asks for the newest checkpoint up to a seq, as checkpoint_store_take takes it; NULL with the reason. The caller clears it. */
PGresult *checkpoint_store_read(checkpoint_store_t *self, uint64_t to_seq, char problem[256]);
/* Where the fold of a core that is not open differs from a checkpoint of the same seq: 0, or ZVT_ERR_CORRUPT with what differs first. */
ZVT_MUSTUSE int checkpoint_store_compare(const PGresult *result, turn_core_t *core, char problem[256]);
/* The same for the bytes of all parts. */
ZVT_MUSTUSE int checkpoint_store_take_bytes(const void *data, size_t length, turn_core_t *core, char problem[256]);

#endif
