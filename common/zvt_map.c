#include "zvt_map.h"

#include <stdlib.h>
#include <string.h>

struct zvt_map {
    size_t key_size;
    uint32_t capacity; /* entries allowed */
    uint32_t count;    /* entries held */
    uint32_t mask;     /* slots - 1; slots is a power of two above 4/3 capacity */
    uint32_t *values;  /* ZVT_MAP_NONE marks a free slot */
    uint8_t *keys;     /* key_size bytes per slot */
};

zvt_map_t *zvt_map_new(size_t key_size, uint32_t capacity)
{
    zvt_map_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    uint32_t slots = 16;
    while (slots < capacity + capacity / 3 + 1) slots *= 2;
    self->key_size = key_size;
    self->capacity = capacity;
    self->mask = slots - 1;
    self->values = malloc(slots * sizeof *self->values);
    self->keys = calloc(slots, key_size);
    ZVT_ASSERT(self->values != NULL);
    ZVT_ASSERT(self->keys != NULL);
    zvt_map_clear(self);
    return self;
}

void zvt_map_destroy(zvt_map_t **self)
{
    if (*self == NULL) return;
    free((*self)->values);
    free((*self)->keys);
    free(*self);
    *self = NULL;
}

void zvt_map_clear(zvt_map_t *self)
{
    memset(self->values, 0xff, ((size_t)self->mask + 1) * sizeof *self->values);
    self->count = 0;
}

/* Folds the whole 128-bit product, so that keys which differ only in their last bytes spread too. */
static uint64_t s_mix(uint64_t hash, uint64_t word)
{
    unsigned __int128 product = (unsigned __int128)(hash ^ word) * 0x9e3779b97f4a7c15ULL;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t s_home_slot(const zvt_map_t *self, const uint8_t *key)
{
    uint64_t hash = 0xcbf29ce484222325ULL;
    size_t i = 0;
    for (; i + 8 <= self->key_size; i += 8) {
        uint64_t word;
        memcpy(&word, key + i, sizeof word);
        hash = s_mix(hash + 1, word);
    }
    for (; i < self->key_size; i++) hash = s_mix(hash + 1, key[i]);
    return (uint32_t)(hash ^ hash >> 32) & self->mask;
}

/* Slot that holds the key, or the free slot where it would go. */
static uint32_t s_find_slot(const zvt_map_t *self, const void *key)
{
    uint32_t slot = s_home_slot(self, key);
    while (self->values[slot] != ZVT_MAP_NONE && memcmp(self->keys + slot * self->key_size, key, self->key_size) != 0)
        slot = (slot + 1) & self->mask;
    return slot;
}

uint32_t zvt_map_get(const zvt_map_t *self, const void *key)
{
    return self->values[s_find_slot(self, key)];
}

int zvt_map_put(zvt_map_t *self, const void *key, uint32_t value)
{
    ZVT_ASSERT(value != ZVT_MAP_NONE);
    uint32_t slot = s_find_slot(self, key);
    if (self->values[slot] == ZVT_MAP_NONE) {
        if (self->count == self->capacity) return ZVT_ERR_FULL;
        memcpy(self->keys + slot * self->key_size, key, self->key_size);
        self->count++;
    }
    self->values[slot] = value;
    return 0;
}

bool zvt_map_remove(zvt_map_t *self, const void *key)
{
    uint32_t hole = s_find_slot(self, key);
    if (self->values[hole] == ZVT_MAP_NONE) return false;
    self->count--;
    /* Pull back every follower that could not be found past the hole any more. */
    for (uint32_t slot = (hole + 1) & self->mask; self->values[slot] != ZVT_MAP_NONE; slot = (slot + 1) & self->mask) {
        uint32_t home = s_home_slot(self, self->keys + slot * self->key_size);
        if (((slot - home) & self->mask) < ((slot - hole) & self->mask)) continue;
        memcpy(self->keys + hole * self->key_size, self->keys + slot * self->key_size, self->key_size);
        self->values[hole] = self->values[slot];
        hole = slot;
    }
    self->values[hole] = ZVT_MAP_NONE;
    return true;
}

uint32_t zvt_map_count(const zvt_map_t *self)
{
    return self->count;
}
