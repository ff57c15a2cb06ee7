#include <criterion/criterion.h>
#include <endian.h>
#include <openssl/evp.h>
#include <string.h>

#include "archive_chain.h"

enum { ROW_MAX = 512, LOG_EVENTS = 12 };

static uint8_t s_rows[LOG_EVENTS + 1][ROW_MAX];
static size_t s_lengths[LOG_EVENTS + 1];
static archive_batch_t s_batches[3]; /* 1 to 4, 5 to 9, 10 to 12 */
static archive_chain_t *s_chain;

static uint8_t *s_put(uint8_t *at, const void *data, uint32_t length)
{
    uint32_t be = htobe32(length);
    memcpy(at, &be, sizeof be);
    memcpy(at + sizeof be, data, length);
    return at + sizeof be + length;
}

/* A row of the log as COPY BINARY sends it. */
static size_t s_make_row(uint8_t *row, uint64_t seq, zvt_type_t type, const void *payload, size_t length)
{
    uint64_t seq_be = htobe64(seq), time_be = 0;
    uint16_t type_be = htobe16((uint16_t)type), version_be = htobe16(1);
    uint32_t aggregate_be = htobe32(1);
    const uint8_t id[16] = {0};
    uint8_t *at = row;
    *at++ = 0;
    *at++ = 11;
    at = s_put(at, &seq_be, 8);
    at = s_put(at, id, 16);
    at = s_put(at, &type_be, 2);
    at = s_put(at, &version_be, 2);
    at = s_put(at, &time_be, 8);
    for (int i = 0; i < 3; i++) at = s_put(at, id, 16);
    at = s_put(at, &aggregate_be, 4);
    at = s_put(at, "\xc0", 1);
    at = s_put(at, payload, (uint32_t)length);
    return (size_t)(at - row);
}

static void s_hash(archive_batch_t *batch, const uint8_t before[LOG_HASH_SIZE])
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    EVP_DigestUpdate(digest, before, LOG_HASH_SIZE);
    for (uint64_t seq = batch->first_seq; seq <= batch->last_seq; seq++) EVP_DigestUpdate(digest, s_rows[seq], s_lengths[seq]);
    EVP_DigestFinal_ex(digest, batch->hash, NULL);
    EVP_MD_CTX_free(digest);
}

static void s_begin(void)
{
    static const uint8_t nothing[LOG_HASH_SIZE];
    static const uint64_t firsts[] = {1, 5, 10}, lasts[] = {4, 9, 12};
    uint8_t payload[256];
    zvt_buf_t buf = {.data = payload, .capacity = sizeof payload};
    zvt_order_executed_t executed = {.exchange = "alpha", .venue_seq = 7, .side = ZVT_SIDE_BUY};
    cr_assert_eq(zvt_pack_payload(&buf, ZVT_T_ORDER_EXECUTED, &executed), 0);
    for (uint64_t seq = 1; seq <= LOG_EVENTS; seq++) {
        bool fill = seq == 3;
        s_lengths[seq] = s_make_row(s_rows[seq], seq, fill ? ZVT_T_ORDER_EXECUTED : ZVT_T_SYSTEM_BARRIER, payload, fill ? buf.length : 0);
    }
    for (int i = 0; i < 3; i++) {
        s_batches[i] = (archive_batch_t){.first_seq = firsts[i], .last_seq = lasts[i]};
        s_hash(&s_batches[i], i == 0 ? nothing : s_batches[i - 1].hash);
    }
    s_chain = archive_chain_new();
}

static void s_end(void)
{
    archive_chain_destroy(&s_chain);
}

/* Feeds first_seq .. last_seq; the commits that end there are batches[from .. to). */
static int s_feed(const archive_border_t *before, uint64_t last_seq, int from, int to, archive_border_t *after)
{
    int status = archive_chain_begin(s_chain, before);
    for (uint64_t seq = before->next_seq; seq <= last_seq && status == 0; seq++) {
        if (archive_chain_wants_batch(s_chain) && from < to)
            status = archive_chain_batch(s_chain, &s_batches[from++]);
        else if (archive_chain_wants_batch(s_chain))
            archive_chain_no_more_batches(s_chain);
        if (status == 0) status = archive_chain_row(s_chain, s_rows[seq], s_lengths[seq]);
    }
    return status != 0 ? status : archive_chain_end(s_chain, last_seq, after);
}

TestSuite(archive_chain, .init = s_begin, .fini = s_end);

Test(archive_chain, passes_a_log_whose_commits_carry_their_hashes)
{
    archive_border_t before = archive_border_first(), after;
    cr_assert_eq(s_feed(&before, 12, 0, 3, &after), 0, "%s", archive_chain_problem(s_chain));
    cr_assert_eq(after.next_seq, 13);
    cr_assert_eq(after.hash_seq, 12);
    cr_assert_eq(after.carry_length, 0);
    cr_assert_eq(memcmp(after.hash, s_batches[2].hash, LOG_HASH_SIZE), 0);
    cr_assert_eq(archive_chain_rows(s_chain), 12);
}

Test(archive_chain, goes_on_over_a_border_in_the_middle_of_a_commit)
{
    archive_border_t before = archive_border_first(), border, after;
    cr_assert_eq(s_feed(&before, 7, 0, 1, &border), 0);
    cr_assert_eq(border.hash_seq, 4);
    cr_assert_eq(border.carry_length, s_lengths[5] + s_lengths[6] + s_lengths[7]);
    cr_assert_eq(s_feed(&border, 12, 1, 3, &after), 0, "%s", archive_chain_problem(s_chain));
    cr_assert_eq(memcmp(after.hash, s_batches[2].hash, LOG_HASH_SIZE), 0);
}

Test(archive_chain, goes_on_over_a_commit_that_fills_a_stretch_and_more)
{
    archive_border_t before = archive_border_first(), one, two, after;
    cr_assert_eq(s_feed(&before, 5, 0, 1, &one), 0);
    cr_assert_eq(s_feed(&one, 8, 0, 0, &two), 0, "no commit ends in it");
    cr_assert_eq(two.carry_length, 4 * s_lengths[5]);
    cr_assert_eq(s_feed(&two, 12, 1, 3, &after), 0, "%s", archive_chain_problem(s_chain));
}

Test(archive_chain, finds_a_row_that_was_changed_on_either_side_of_a_border)
{
    archive_border_t before = archive_border_first(), border, after;
    s_rows[6][30] ^= 1;
    cr_assert_eq(s_feed(&before, 7, 0, 1, &border), 0, "its commit is not whole yet");
    cr_assert_eq(s_feed(&border, 12, 1, 3, &after), ZVT_ERR_CORRUPT);
    cr_assert_not_null(strstr(archive_chain_problem(s_chain), "seq 5 to 9"));
}

Test(archive_chain, finds_rows_that_are_missing)
{
    archive_border_t before = archive_border_first(), after;
    cr_assert_eq(archive_chain_begin(s_chain, &before), 0);
    cr_assert_eq(archive_chain_batch(s_chain, &s_batches[0]), 0);
    cr_assert_eq(archive_chain_row(s_chain, s_rows[1], s_lengths[1]), 0);
    cr_assert_eq(archive_chain_row(s_chain, s_rows[3], s_lengths[3]), ZVT_ERR_CORRUPT);
    cr_assert_not_null(strstr(archive_chain_problem(s_chain), "seq 2 is missing"));
    cr_assert_eq(s_feed(&before, 3, 0, 1, &after), ZVT_ERR_CORRUPT, "its commit is to end here");
    before.next_seq = 2;
    cr_assert_eq(s_feed(&before, 4, 0, 1, &after), ZVT_ERR_CORRUPT);
}

Test(archive_chain, finds_a_commit_that_is_missing_or_does_not_connect)
{
    archive_border_t before = archive_border_first(), after;
    cr_assert_eq(s_feed(&before, 12, 1, 3, &after), ZVT_ERR_CORRUPT);
    s_batches[1].first_seq = 6;
    cr_assert_eq(s_feed(&before, 12, 0, 3, &after), ZVT_ERR_CORRUPT);
}

Test(archive_chain, counts_fills_and_remembers_their_sum)
{
    archive_border_t before = archive_border_first(), after;
    cr_assert_eq(s_feed(&before, 12, 0, 3, &after), 0);
    cr_assert_eq(archive_chain_fills(s_chain), 1);
    uint8_t hash[LOG_HASH_SIZE];
    EVP_Digest("alpha 7", 7, hash, NULL, EVP_sha256(), NULL);
    uint64_t expected = (uint64_t)hash[0] << 24 | (uint64_t)hash[1] << 16 | (uint64_t)hash[2] << 8 | hash[3];
    cr_assert_eq(archive_chain_fills_sum(s_chain), expected);
    cr_assert_str_eq(archive_chain_put_aside(s_chain), "");
}

Test(archive_chain, tells_how_long_a_row_is_once_it_is_whole)
{
    for (size_t length = 0; length < s_lengths[1]; length++) cr_assert_eq(archive_row_length(s_rows[1], length, 11), 0, "%zu bytes", length);
    cr_assert_eq(archive_row_length(s_rows[1], s_lengths[1], 11), (int64_t)s_lengths[1]);
    cr_assert_eq(archive_row_length(s_rows[1], ROW_MAX, 11), (int64_t)s_lengths[1], "more may follow");
    cr_assert_eq(archive_row_length((const uint8_t *)"\xff\xff", 2, 11), 2, "the end");
    cr_assert_lt(archive_row_length(s_rows[1], ROW_MAX, 4), 0);
    memset(s_rows[1] + 2, 0xff, 4);
    cr_assert_lt(archive_row_length(s_rows[1], ROW_MAX, 11), 0, "a NULL");
}

Test(archive_chain, reads_rows_of_event_batches)
{
    uint8_t row[ARCHIVE_BATCH_ROW], *at = row;
    uint64_t first_be = htobe64(5), last_be = htobe64(9), epoch_be = htobe64(2);
    archive_batch_t batch;
    *at++ = 0;
    *at++ = 4;
    at = s_put(at, &last_be, 8);
    at = s_put(at, &first_be, 8);
    at = s_put(at, &epoch_be, 8);
    at = s_put(at, s_batches[1].hash, LOG_HASH_SIZE);
    cr_assert_eq(at - row, ARCHIVE_BATCH_ROW);
    cr_assert_eq(archive_batch_read(row, sizeof row, &batch), 0);
    cr_assert_eq(batch.first_seq, 5);
    cr_assert_eq(batch.last_seq, 9);
    cr_assert_eq(memcmp(batch.hash, s_batches[1].hash, LOG_HASH_SIZE), 0);
    cr_assert_eq(archive_batch_read(row, sizeof row - 1, &batch), ZVT_ERR_CORRUPT);
    row[5] = 7;
    cr_assert_eq(archive_batch_read(row, sizeof row, &batch), ZVT_ERR_CORRUPT);
}
