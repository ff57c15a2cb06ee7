/* window -- which of a run of rising numbers were taken? Each is taken once, in any order within the window.
 *
 * Everything up to `contiguous` was taken; of the `size` numbers up to `high` a bitmap tells. The owner keeps the bitmap
 * behind the head: bit n % size is number n.
 * Source   the anti-replay window of IPsec (RFC 4303, section 3.4.3). */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdint.h>

#include "zvt_pools.h"
#include "zvt_schema.h"

typedef struct {
    uint64_t high;       /* highest number taken */
    uint64_t contiguous; /* every number up to here was taken */
} window_t;

typedef enum { DEDUP_NEW, DEDUP_DUPLICATE, DEDUP_STALE } dedup_verdict_t;

/* New, taken, or below what the window can tell. */
dedup_verdict_t window_check(const window_t *self, const uint64_t *bits, uint32_t size, uint64_t number);
void window_mark(window_t *self, uint64_t *bits, uint32_t size, uint64_t number);

/* For checkpoints: which of the WINDOW_PIECE numbers after `from` were taken, number n in bit n % WINDOW_PIECE; if `high` comes before
 * their end, of those up to `high`. `from` is `contiguous`, or a multiple of WINDOW_PIECE above it. */
enum { WINDOW_PIECE = ZVT_POOL(64 * ZVT_LIST_MAX_bits, 64) };
void window_save(const window_t *self, const uint64_t *bits, uint32_t size, uint64_t from, zvt_bits_t piece[ZVT_LIST_MAX_bits]);
void window_restore(const window_t *self, uint64_t *bits, uint32_t size, uint64_t from, const zvt_bits_t piece[ZVT_LIST_MAX_bits]);

#endif
