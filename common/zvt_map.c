#include "zvt_map.h"

#include <stdlib.h>
#include <string.h>

#include "zvt_memory.h"

/* A slot is its value plus one and, right behind it, its key: what a search looks at lies in one cache line, and memory
 * that nobody has written to is free slots. */
typedef uint32_t mark_t;
enum { FREE = 0, SLOT_ALIGN = 8, ID_SIZE = 16 /* of most keys */ };

struct zvt_map {
    size_t key_size;
    size_t stride;     /* bytes of a slot */
    uint32_t capacity; /* entries allowed */
    uint32_t count;    /* entries held */
    uint32_t mask;     /* slots - 1; slots is a power of two above 4/3 capacity */
    uint8_t *slots;    /* a mark of FREE is a free one */
};

zvt_map_t *zvt_map_new(size_t key_size, uint32_t capacity)
{
    zvt_map_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    uint32_t slots = 16;
    while (slots < capacity + capacity / 3 + 1) slots *= 2;
    self->key_size = key_size;
    self->stride = (sizeof(mark_t) + key_size + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
    self->capacity = capacity;
    self->mask = slots - 1;
    self->slots = calloc(slots, self->stride);
    ZVT_ASSERT(self->slots != NULL);
    return self;
}

void zvt_map_destroy(zvt_map_t **self)
{
    if (*self == NULL) return;
    free((*self)->slots);
    free(*self);
    *self = NULL;
}

static mark_t *s_mark(const zvt_map_t *self, uint32_t slot)
{
    return (mark_t *)(void *)(self->slots + (size_t)slot * self->stride);
}

static uint8_t *s_key(const zvt_map_t *self, uint32_t slot)
{
    return self->slots + (size_t)slot * self->stride + sizeof(mark_t);
}

void zvt_map_clear(zvt_map_t *self)
{
    memset(self->slots, 0, ((size_t)self->mask + 1) * self->stride);
    self->count = 0;
}

/* Folds the whole 128-bit product, so that keys which differ only in their last bytes spread too. */
static inline uint64_t s_mix(uint64_t hash, uint64_t word)
{
    unsigned __int128 product = (unsigned __int128)(hash ^ word) * 0x9e3779b97f4a7c15ULL;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t s_home_slot(const zvt_map_t *self, const uint8_t *key, size_t key_size)
{
    uint64_t hash = 0xcbf29ce484222325ULL;
    size_t i = 0;
    for (; i + 8 <= key_size; i += 8) {
        uint64_t word;
        memcpy(&word, key + i, sizeof word);
        hash = s_mix(hash + 1, word);
    }
    for (; i < key_size; i++) hash = s_mix(hash + 1, key[i]);
    return (uint32_t)(hash ^ hash >> 32) & self->mask;
}

static inline uint32_t s_find(const zvt_map_t *self, const void *key, size_t key_size)
{
    uint32_t slot = s_home_slot(self, key, key_size);
    while (*s_mark(self, slot) != FREE && memcmp(s_key(self, slot), key, key_size) != 0) slot = (slot + 1) & self->mask;
    return slot;
}

/* Slot that holds the key, or the free slot where it would go. A size that is known at compile time makes hash and
 * comparison a few instructions. */
static uint32_t s_find_slot(const zvt_map_t *self, const void *key)
{
    return self->key_size == ID_SIZE ? s_find(self, key, ID_SIZE) : s_find(self, key, self->key_size);
}

_Static_assert((mark_t)(FREE - 1) == ZVT_MAP_NONE, "what a free slot holds stands for no value");

uint32_t zvt_map_get(const zvt_map_t *self, const void *key)
{
    return *s_mark(self, s_find_slot(self, key)) - 1; /* of a free slot: ZVT_MAP_NONE */
}

int zvt_map_put(zvt_map_t *self, const void *key, uint32_t value)
{
    ZVT_ASSERT(value != ZVT_MAP_NONE);
    uint32_t slot = s_find_slot(self, key);
    if (*s_mark(self, slot) == FREE) {
        if (self->count == self->capacity) return ZVT_ERR_FULL;
        memcpy(s_key(self, slot), key, self->key_size);
        self->count++;
    }
    *s_mark(self, slot) = value + 1;
    return 0;
}

bool zvt_map_remove(zvt_map_t *self, const void *key)
{
    uint32_t hole = s_find_slot(self, key);
    if (*s_mark(self, hole) == FREE) return false;
    self->count--;
    /* Pull back every follower that could not be found past the hole any more. */
    for (uint32_t slot = (hole + 1) & self->mask; *s_mark(self, slot) != FREE; slot = (slot + 1) & self->mask) {
        uint32_t home = s_home_slot(self, s_key(self, slot), self->key_size);
        if (((slot - home) & self->mask) < ((slot - hole) & self->mask)) continue;
        memcpy(s_mark(self, hole), s_mark(self, slot), self->stride);
        hole = slot;
    }
    *s_mark(self, hole) = FREE;
    return true;
}

void zvt_map_warm(zvt_map_t *self)
{
    zvt_memory_warm(self->slots, ((size_t)self->mask + 1) * self->stride);
}

void zvt_map_prefetch(const zvt_map_t *self, const void *key)
{
    __builtin_prefetch(s_mark(self, s_home_slot(self, key, self->key_size)), 1);
}

uint32_t zvt_map_count(const zvt_map_t *self)
{
    return self->count;
}
