#include "window.h"

#include <stdbool.h>
#include <string.h>

static bool s_bit(const uint64_t *bits, uint64_t at)
{
    return (bits[at / 64] >> (at % 64) & 1) != 0;
}

static void s_set_bit(uint64_t *bits, uint64_t at, bool on)
{
    uint64_t mask = UINT64_C(1) << (at % 64);
    bits[at / 64] = on ? bits[at / 64] | mask : bits[at / 64] & ~mask;
}

dedup_verdict_t window_check(const window_t *self, const uint64_t *bits, uint32_t size, uint64_t number)
{
    if (number > self->high) return DEDUP_NEW;
    if (number <= self->contiguous) return DEDUP_DUPLICATE;
    if (number + size <= self->high) return DEDUP_STALE;
    return s_bit(bits, number % size) ? DEDUP_DUPLICATE : DEDUP_NEW;
}

void window_mark(window_t *self, uint64_t *bits, uint32_t size, uint64_t number)
{
    if (number > self->high) {
        if (number - self->high >= size) {
            memset(bits, 0, size / 8);
        } else {
            for (uint64_t n = self->high + 1; n < number; n++) s_set_bit(bits, n % size, false);
        }
        self->high = number;
    } else if (number + size <= self->high) {
        return;
    }
    s_set_bit(bits, number % size, true);
    while (self->contiguous < self->high && self->contiguous + size > self->high && s_bit(bits, (self->contiguous + 1) % size))
        self->contiguous++;
}

static uint64_t s_piece_end(const window_t *self, uint64_t from)
{
    return self->high - from > WINDOW_PIECE ? from + WINDOW_PIECE : self->high;
}

void window_save(const window_t *self, const uint64_t *bits, uint32_t size, uint64_t from, zvt_bits_t piece[ZVT_LIST_MAX_bits])
{
    uint64_t words[ZVT_LIST_MAX_bits] = {0}, end = s_piece_end(self, from);
    for (uint64_t n = end > WINDOW_PIECE ? end - WINDOW_PIECE + 1 : 1; n <= end; n++)
        if (n <= self->contiguous || s_bit(bits, n % size)) s_set_bit(words, n % WINDOW_PIECE, true);
    for (uint32_t i = 0; i < ZVT_LIST_MAX_bits; i++) piece[i].word = words[i];
}

void window_restore(const window_t *self, uint64_t *bits, uint32_t size, uint64_t from, const zvt_bits_t piece[ZVT_LIST_MAX_bits])
{
    for (uint64_t n = from + 1; n <= s_piece_end(self, from); n++)
        s_set_bit(bits, n % size, piece[n % WINDOW_PIECE / 64].word >> (n % 64) & 1);
}
