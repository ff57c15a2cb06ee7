#include "fill_memory.h"

#include <stdlib.h>
#include <string.h>

#include "zvt_map.h"

typedef struct {
    fill_key_t key;
    fill_result_t result;
} memory_t;

typedef struct {
    zvt_id_t order_id;
    fill_key_t key;
    bool open; /* its position.updated has not come */
} executed_t;

struct fill_memory {
    zvt_map_t *map;   /* key -> memories */
    uint64_t put;     /* memories ever put; the newest is at put - 1, modulo the bound */
    uint64_t first_open, next_open; /* range of executed, modulo the bound */
    memory_t memories[FILL_MEMORY_MAX];
    executed_t executed[FILL_MEMORY_OPEN_MAX];
};

fill_memory_t *fill_memory_new(void)
{
    fill_memory_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->map = zvt_map_new(sizeof(fill_key_t), FILL_MEMORY_MAX);
    return self;
}

void fill_memory_destroy(fill_memory_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->map);
    free(*self);
    *self = NULL;
}

/* ---- executions without their position.updated ---- */
void fill_memory_on_executed(fill_memory_t *self, const zvt_id_t *order_id, const fill_key_t *key)
{
    if (self->next_open - self->first_open == FILL_MEMORY_OPEN_MAX) self->first_open++;
    executed_t *executed = &self->executed[self->next_open++ % FILL_MEMORY_OPEN_MAX];
    *executed = (executed_t){.order_id = *order_id, .key = *key, .open = true};
}

bool fill_memory_take_executed(fill_memory_t *self, const zvt_id_t *order_id, const char exec_id[ZVT_CLIENT_ORDER_SIZE],
                               fill_key_t *key)
{
    memset(key, 0, sizeof *key);
    memcpy(key->exec_id, exec_id, sizeof key->exec_id);
    bool found = false;
    for (uint64_t i = self->first_open; i < self->next_open && !found; i++) {
        executed_t *executed = &self->executed[i % FILL_MEMORY_OPEN_MAX];
        found = executed->open && zvt_id_equal(&executed->order_id, order_id) &&
                memcmp(executed->key.exec_id, exec_id, sizeof key->exec_id) == 0;
        if (!found) continue;
        *key = executed->key;
        executed->open = false;
    }
    while (self->first_open < self->next_open && !self->executed[self->first_open % FILL_MEMORY_OPEN_MAX].open)
        self->first_open++;
    return found;
}

/* ---- results ---- */
void fill_memory_put(fill_memory_t *self, const fill_key_t *key, const fill_result_t *result)
{
    uint32_t index = (uint32_t)(self->put++ % FILL_MEMORY_MAX);
    memory_t *memory = &self->memories[index];
    /* The oldest makes room, unless its key was put again later and belongs to a newer memory now. */
    if (self->put > FILL_MEMORY_MAX && zvt_map_get(self->map, &memory->key) == index)
        ZVT_ASSERT(zvt_map_remove(self->map, &memory->key));
    *memory = (memory_t){.key = *key, .result = *result};
    ZVT_ASSERT(zvt_map_put(self->map, key, index) == 0);
}

const fill_result_t *fill_memory_get(const fill_memory_t *self, const fill_key_t *key)
{
    uint32_t index = zvt_map_get(self->map, key);
    return index == ZVT_MAP_NONE ? NULL : &self->memories[index].result;
}
