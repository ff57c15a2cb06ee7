/* zvt_map -- a hash map from short keys to uint32 indices, of a size fixed at start.
 *
 * Shapes   keys are `key_size` bytes (ids, or text padded with NULs); values index the caller's own arrays.
 * Bounds   `capacity` entries; one more is ZVT_ERR_FULL. Nothing is allocated after zvt_map_new.
 * Source   open addressing with linear probing and backward-shift deletion (Knuth, TAOCP 6.4, algorithm R). */
#ifndef ZVT_MAP_H
#define ZVT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zvt_error.h"

#define ZVT_MAP_NONE UINT32_MAX

typedef struct zvt_map zvt_map_t;

/* Aborts when there is no memory (only called at start). */
zvt_map_t *zvt_map_new(size_t key_size, uint32_t capacity);
void zvt_map_destroy(zvt_map_t **self);
void zvt_map_clear(zvt_map_t *self);

/* Value of a key, or ZVT_MAP_NONE. */
uint32_t zvt_map_get(const zvt_map_t *self, const void *key);
/* Adds a key or replaces its value. ZVT_ERR_FULL leaves the map unchanged. */
ZVT_MUSTUSE int zvt_map_put(zvt_map_t *self, const void *key, uint32_t value);
/* Removes a key; false if it was not there. */
bool zvt_map_remove(zvt_map_t *self, const void *key);
uint32_t zvt_map_count(const zvt_map_t *self);

/* ---- for very many keys at a time, which would wait for memory one by one ---- */
/* Makes all memory of a map ready that will soon be full. */
void zvt_map_warm(zvt_map_t *self);
/* Says that this key will soon be asked for or put. */
void zvt_map_prefetch(const zvt_map_t *self, const void *key);

#endif
