#include <criterion/criterion.h>

#include "ledger_format.h"
#include "venue_fixture.h"

static uint8_t s_bytes[4096];

/* Seals a batch with this text as payload at an offset; returns the offset behind it. */
static size_t s_seal(size_t at, uint64_t number, const char *text)
{
    memcpy(s_bytes + at + LEDGER_BATCH_HEADER_SIZE, text, strlen(text));
    return at + ledger_format_seal(s_bytes + at, strlen(text), number, number * 10);
}

Test(ledger_format, a_header_comes_back_as_it_went)
{
    ledger_header_t header = {.venue = "alpha", .market = "synthetic seed=42", .origin_ns = 123}, found;
    uint8_t bytes[LEDGER_HEADER_SIZE];
    ledger_format_header(&header, bytes);
    cr_assert_eq(ledger_format_read_header(bytes, sizeof bytes, &found), 0);
    cr_assert_eq(memcmp(&header, &found, sizeof header), 0);
    cr_assert_eq(ledger_format_read_header(bytes, sizeof bytes - 1, &found), ZVT_ERR_TRUNCATED);
    for (size_t i = 0; i < 552; i++) {
        bytes[i] ^= 0x40;
        cr_assert_eq(ledger_format_read_header(bytes, sizeof bytes, &found), ZVT_ERR_CORRUPT, "byte %zu", i);
        bytes[i] ^= 0x40;
    }
}

Test(ledger_format, a_batch_comes_back_as_it_went)
{
    size_t end = s_seal(0, 7, "some records");
    ledger_batch_t batch;
    cr_assert_eq(ledger_format_read_batch(s_bytes, sizeof s_bytes, 7, &batch), 0);
    cr_assert_eq(batch.size, end);
    cr_assert_eq(batch.length, strlen("some records"));
    cr_assert_eq(batch.seq_before, 70);
    cr_assert_eq(memcmp(batch.payload, "some records", batch.length), 0);
    cr_assert_eq(end % 8, 0);
}

Test(ledger_format, every_truncation_and_every_flipped_bit_of_a_batch_is_noticed)
{
    size_t end = s_seal(0, 7, "some more records than before");
    ledger_batch_t batch;
    for (size_t cut = 1; cut < end; cut++) cr_assert_neq(ledger_format_read_batch(s_bytes, cut, 7, &batch), 0, "cut at %zu", cut);
    size_t covered = LEDGER_BATCH_HEADER_SIZE + strlen("some more records than before");
    for (size_t bit = 0; bit < covered * 8; bit++) {
        s_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_neq(ledger_format_read_batch(s_bytes, sizeof s_bytes, 7, &batch), 0, "bit %zu", bit);
        s_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

Test(ledger_format, zeros_are_the_end_and_another_number_is_damage)
{
    ledger_batch_t batch;
    memset(s_bytes, 0, sizeof s_bytes);
    cr_assert_eq(ledger_format_read_batch(s_bytes, sizeof s_bytes, 1, &batch), ZVT_ERR_NOT_FOUND);
    cr_assert_eq(ledger_format_read_batch(s_bytes, 0, 1, &batch), ZVT_ERR_NOT_FOUND);
    s_seal(0, 7, "x");
    cr_assert_eq(ledger_format_read_batch(s_bytes, sizeof s_bytes, 8, &batch), ZVT_ERR_CORRUPT);
}

Test(ledger_format, finds_a_later_batch_behind_a_damaged_one)
{
    memset(s_bytes, 0, sizeof s_bytes);
    size_t second = s_seal(0, 1, "first"), third = s_seal(second, 2, "second");
    s_bytes[LEDGER_BATCH_HEADER_SIZE + 1] ^= 1;
    cr_assert(ledger_format_goes_on(s_bytes, sizeof s_bytes, 1));
    cr_assert(!ledger_format_goes_on(s_bytes, third - 1, 1), "the second one is torn here");
    cr_assert(!ledger_format_goes_on(s_bytes, sizeof s_bytes, 3), "numbers below do not count");
}
