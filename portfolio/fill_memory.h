/* fill_memory -- results of the last fills that are in the log, so that a question about one of them gets that result.
 *
 * A position.updated names its execution but not the venue, and execution ids are unique per venue only; the order.executed
 * before it names both. This module also remembers those until their position.updated comes.
 *
 * Bounds   the last FILL_MEMORY_MAX fills; FILL_MEMORY_OPEN_MAX executions without their position.updated (both stand in one
 *          commit, so that a handful is much). The oldest makes room.
 * Owns     everything; allocates nothing after fill_memory_new. */
#ifndef FILL_MEMORY_H
#define FILL_MEMORY_H

#include "zvt_pools.h"
#include "zvt_schema.h"

enum { FILL_MEMORY_MAX = ZVT_POOL(65536, 512), FILL_MEMORY_OPEN_MAX = ZVT_POOL(4096, 128) };

/* Names a fill for ever. Text is padded with NULs, as every decoded record is. */
typedef struct {
    char exchange[ZVT_VENUE_SIZE];
    char exec_id[ZVT_CLIENT_ORDER_SIZE];
} fill_key_t;

/* What a fill did to its position; the numbers of position.updated. */
typedef struct {
    zvt_id_t order_id;
    uint32_t position; /* the owner's number of the position */
    int64_t quantity_change_e8;
    int64_t new_quantity_e8;
    int64_t new_avg_price_e8;
    int64_t realized_pnl_e8;
    int64_t realized_pnl_total_e8;
    int64_t unrealized_pnl_e8;
    int64_t commission_total_e8;
} fill_result_t;

typedef struct fill_memory fill_memory_t;

fill_memory_t *fill_memory_new(void);
void fill_memory_destroy(fill_memory_t **self);

void fill_memory_on_executed(fill_memory_t *self, const zvt_id_t *order_id, const fill_key_t *key);
/* Fills in the venue of an execution whose order.executed came before; false, and an empty venue, if none did. */
bool fill_memory_take_executed(fill_memory_t *self, const zvt_id_t *order_id, const char exec_id[ZVT_CLIENT_ORDER_SIZE],
                               fill_key_t *key);

void fill_memory_put(fill_memory_t *self, const fill_key_t *key, const fill_result_t *result);
/* NULL: not among the last ones. Valid until the next put. */
const fill_result_t *fill_memory_get(const fill_memory_t *self, const fill_key_t *key);

#endif
