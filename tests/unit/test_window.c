#include <criterion/criterion.h>
#include <string.h>

#include "window.h"

enum { SIZE = 4 * WINDOW_PIECE };

static window_t s_window;
static uint64_t s_bits[SIZE / 64];

static dedup_verdict_t s_check(uint64_t number)
{
    return window_check(&s_window, s_bits, SIZE, number);
}

static void s_mark(uint64_t number)
{
    window_mark(&s_window, s_bits, SIZE, number);
}

Test(window, takes_each_number_once_in_any_order)
{
    static const uint64_t order[] = {1, 3, 2, 5, 4, 9, 6};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        cr_assert_eq(s_check(order[i]), DEDUP_NEW);
        s_mark(order[i]);
        cr_assert_eq(s_check(order[i]), DEDUP_DUPLICATE);
    }
    cr_assert_eq(s_window.contiguous, 6);
    cr_assert_eq(s_window.high, 9);
    cr_assert_eq(s_check(7), DEDUP_NEW);
}

Test(window, calls_a_number_below_it_stale)
{
    s_mark(SIZE + 10);
    cr_assert_eq(s_check(10), DEDUP_STALE);
    cr_assert_eq(s_check(11), DEDUP_NEW);
}

Test(window, forgets_old_bits_when_it_moves)
{
    s_mark(5);
    s_mark(5 + SIZE - 1);
    cr_assert_eq(s_check(5), DEDUP_DUPLICATE);
    s_mark(6 + SIZE);
    cr_assert_eq(s_check(5 + SIZE), DEDUP_NEW, "the bit of 5 must not count for 5 + size");
}

/* What is saved in pieces tells the same as before, wherever the first missing number lies. */
Test(window, is_saved_and_restored_in_pieces)
{
    for (uint64_t n = 1; n <= 1000; n++) s_mark(n);
    for (uint64_t n = 1003; n <= 1000 + 3 * WINDOW_PIECE; n += n % 7 + 1) s_mark(n);
    cr_assert_eq(s_window.contiguous, 1000);
    window_t restored = s_window;
    uint64_t bits[SIZE / 64] = {0};
    int pieces = 0;
    for (uint64_t from = s_window.contiguous; from < s_window.high; from += WINDOW_PIECE, pieces++) {
        zvt_bits_t piece[ZVT_LIST_MAX_bits];
        window_save(&s_window, s_bits, SIZE, from, piece);
        window_restore(&restored, bits, SIZE, from, piece);
    }
    cr_assert_eq(pieces, 3);
    uint64_t taken = 0;
    for (uint64_t n = 1; n <= s_window.high + 2; n++) {
        cr_assert_eq(window_check(&restored, bits, SIZE, n), s_check(n), "%d", (int)n);
        taken += s_check(n) == DEDUP_DUPLICATE;
    }
    cr_assert_gt(taken, 1000 + WINDOW_PIECE / 2);
    cr_assert_lt(taken, 1000 + 3 * WINDOW_PIECE / 2);
}

/* A checkpoint of a release with the small window is what this one makes of the same log. */
Test(window, saves_what_a_window_of_one_piece_holds)
{
    window_t small = {0};
    uint64_t words[ZVT_LIST_MAX_bits] = {0};
    for (uint64_t n = 1; n <= 3 * WINDOW_PIECE; n++) {
        uint64_t number = n % 50 == 0 ? n - 1 : n % 50 == 49 ? n + 1 : n; /* pairs that overtake each other */
        s_mark(number);
        window_mark(&small, words, WINDOW_PIECE, number);
        if (n % 49 != 0) continue;
        zvt_bits_t piece[ZVT_LIST_MAX_bits];
        window_save(&s_window, s_bits, SIZE, s_window.contiguous, piece);
        cr_assert_eq(s_window.contiguous, small.contiguous);
        for (int i = 0; i < ZVT_LIST_MAX_bits; i++) cr_assert_eq(piece[i].word, words[i], "word %d after %d", i, (int)n);
    }
}
