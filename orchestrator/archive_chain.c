#include "archive_chain.h"

#include <endian.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "log_rows.h"

enum { BATCH_COLUMNS = 4, PROBLEM_SIZE = 200 };

struct archive_chain {
    EVP_MD_CTX *digest;          /* of the commit that is under way */
    archive_border_t border;     /* its hash, hash_seq and next_seq are kept up to date */
    zvt_buf_t carry;             /* rows of the commit under way */
    archive_batch_t batch;       /* the commit under way */
    bool has_batch, no_more;
    uint64_t rows, fills, fills_sum;
    char put_aside[ARCHIVE_ASIDE_MAX];
    size_t put_aside_length;
    char problem[PROBLEM_SIZE];
};

archive_chain_t *archive_chain_new(void)
{
    archive_chain_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->digest = EVP_MD_CTX_new();
    ZVT_ASSERT(self->digest != NULL);
    self->carry = zvt_buf_new(ARCHIVE_CARRY_MAX);
    return self;
}

void archive_chain_destroy(archive_chain_t **self)
{
    if (*self == NULL) return;
    EVP_MD_CTX_free((*self)->digest);
    zvt_buf_destroy(&(*self)->carry);
    free(*self);
    *self = NULL;
}

archive_border_t archive_border_first(void)
{
    return (archive_border_t){.next_seq = 1};
}

/* The next commit begins with the hash of the one before. */
static void s_begin_commit(archive_chain_t *self)
{
    ZVT_ASSERT(EVP_DigestInit_ex(self->digest, EVP_sha256(), NULL) == 1);
    ZVT_ASSERT(EVP_DigestUpdate(self->digest, self->border.hash, LOG_HASH_SIZE) == 1);
    self->carry.length = 0;
}

int archive_chain_begin(archive_chain_t *self, const archive_border_t *border)
{
    const archive_border_t from = *border;
    self->border = from;
    self->has_batch = self->no_more = false;
    self->rows = self->fills = self->fills_sum = 0;
    self->put_aside_length = 0;
    self->put_aside[0] = self->problem[0] = '\0';
    ZVT_ASSERT(EVP_DigestInit_ex(self->digest, EVP_sha256(), NULL) == 1);
    ZVT_ASSERT(EVP_DigestUpdate(self->digest, from.hash, LOG_HASH_SIZE) == 1);
    if (from.carry_length > self->carry.capacity) return ZVT_ERR_FULL;
    /* The border may be the one that this chain ended with: then its carry is here already. */
    if (from.carry_length > 0 && from.carry != self->carry.data) memcpy(self->carry.data, from.carry, from.carry_length);
    self->carry.length = from.carry_length;
    ZVT_ASSERT(EVP_DigestUpdate(self->digest, self->carry.data, self->carry.length) == 1);
    return 0;
}

bool archive_chain_wants_batch(const archive_chain_t *self)
{
    return !self->has_batch && !self->no_more;
}

int archive_chain_batch(archive_chain_t *self, const archive_batch_t *batch)
{
    if (batch->first_seq != self->border.hash_seq + 1 || batch->last_seq < batch->first_seq) {
        snprintf(self->problem, sizeof self->problem, "the commit before ends with seq %" PRIu64 ", the next one is %" PRIu64 " to %" PRIu64,
                 self->border.hash_seq, batch->first_seq, batch->last_seq);
        return ZVT_ERR_CORRUPT;
    }
    self->batch = *batch;
    self->has_batch = true;
    return 0;
}

void archive_chain_no_more_batches(archive_chain_t *self)
{
    self->no_more = true;
}

/* ---- fills ---- */
static void s_add_fill(archive_chain_t *self, const char *exchange, uint64_t venue_seq)
{
    char text[ZVT_VENUE_SIZE + 24];
    uint8_t hash[LOG_HASH_SIZE];
    uint32_t head;
    int length = snprintf(text, sizeof text, "%s %" PRIu64, exchange, venue_seq);
    ZVT_ASSERT(EVP_Digest(text, (size_t)length, hash, NULL, EVP_sha256(), NULL) == 1);
    memcpy(&head, hash, sizeof head);
    self->fills++;
    self->fills_sum += be32toh(head);
}

static int s_add_aside(archive_chain_t *self, const zvt_saga_dead_lettered_t *letter)
{
    if (letter->kind != ZVT_REPORT_KIND_FILL) return 0;
    size_t room = sizeof self->put_aside - self->put_aside_length;
    int length = snprintf(self->put_aside + self->put_aside_length, room, "%s %" PRIu64 "\n", letter->exchange, letter->venue_seq);
    if ((size_t)length >= room) {
        self->put_aside[self->put_aside_length] = '\0';
        snprintf(self->problem, sizeof self->problem, "there are too many fills that were put aside");
        return ZVT_ERR_FULL;
    }
    self->put_aside_length += (size_t)length;
    return 0;
}

static int s_note_fill(archive_chain_t *self, const zvt_event_t *event)
{
    static zvt_record_t s_record; /* large; there is one thread */
    if (event->type != ZVT_T_ORDER_EXECUTED && event->type != ZVT_T_SAGA_DEAD_LETTERED) return 0;
    if (zvt_read_payload(event, &s_record) != 0) {
        snprintf(self->problem, sizeof self->problem, "the payload of event %" PRIu64 " cannot be read", event->seq);
        return ZVT_ERR_CORRUPT;
    }
    if (event->type == ZVT_T_SAGA_DEAD_LETTERED) return s_add_aside(self, &s_record.saga_dead_lettered);
    s_add_fill(self, s_record.order_executed.exchange, s_record.order_executed.venue_seq);
    return 0;
}

/* ---- rows ---- */
static int s_end_commit(archive_chain_t *self)
{
    uint8_t hash[LOG_HASH_SIZE];
    ZVT_ASSERT(EVP_DigestFinal_ex(self->digest, hash, NULL) == 1);
    if (memcmp(hash, self->batch.hash, sizeof hash) != 0) {
        snprintf(self->problem, sizeof self->problem, "the commit of seq %" PRIu64 " to %" PRIu64 " carries another hash than its rows make",
                 self->batch.first_seq, self->batch.last_seq);
        return ZVT_ERR_CORRUPT;
    }
    memcpy(self->border.hash, hash, sizeof hash);
    self->border.hash_seq = self->batch.last_seq;
    self->has_batch = false;
    s_begin_commit(self);
    return 0;
}

int archive_chain_row(archive_chain_t *self, const void *row, size_t length)
{
    log_row_t read;
    int found = log_rows_read(row, length, false, &read);
    if (found != 1 || read.event.seq != self->border.next_seq) {
        snprintf(self->problem, sizeof self->problem, "seq %" PRIu64 " is missing", self->border.next_seq);
        return ZVT_ERR_CORRUPT;
    }
    int status = s_note_fill(self, &read.event);
    if (status == 0) status = zvt_buf_append(&self->carry, row, length);
    if (status != 0) return status;
    ZVT_ASSERT(EVP_DigestUpdate(self->digest, row, length) == 1);
    self->border.next_seq++;
    self->rows++;
    return self->has_batch && self->batch.last_seq == read.event.seq ? s_end_commit(self) : 0;
}

int archive_chain_end(archive_chain_t *self, uint64_t last_seq, archive_border_t *border)
{
    if (self->border.next_seq != last_seq + 1) {
        snprintf(self->problem, sizeof self->problem, "seq %" PRIu64 " is missing", self->border.next_seq);
        return ZVT_ERR_CORRUPT;
    }
    if (self->has_batch) {
        snprintf(self->problem, sizeof self->problem, "the rows of the commit that ends with seq %" PRIu64 " are missing", self->batch.last_seq);
        return ZVT_ERR_CORRUPT;
    }
    self->border.carry = self->carry.data;
    self->border.carry_length = self->carry.length;
    *border = self->border;
    return 0;
}

const char *archive_chain_problem(const archive_chain_t *self)
{
    return self->problem[0] != '\0' ? self->problem : "a commit is too large";
}

uint64_t archive_chain_rows(const archive_chain_t *self)
{
    return self->rows;
}

uint64_t archive_chain_fills(const archive_chain_t *self)
{
    return self->fills;
}

uint64_t archive_chain_fills_sum(const archive_chain_t *self)
{
    return self->fills_sum;
}

const char *archive_chain_put_aside(const archive_chain_t *self)
{
    return self->put_aside;
}

/* ---- the form of rows ---- */
static uint32_t s_be32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return be32toh(value);
}

static uint64_t s_be64(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return be64toh(value);
}

int64_t archive_row_length(const uint8_t *data, size_t available, unsigned columns)
{
    if (available < 2) return 0;
    unsigned found = (unsigned)data[0] << 8 | data[1];
    if (found == UINT16_MAX) return 2;
    if (found != columns) return ZVT_ERR_CORRUPT;
    size_t at = 2;
    for (unsigned i = 0; i < columns; i++) {
        if (available - at < 4) return 0;
        uint32_t length = s_be32(data + at);
        if (length > INT32_MAX) return ZVT_ERR_CORRUPT; /* no column is NULL */
        at += 4;
        if (available - at < length) return 0;
        at += length;
    }
    return (int64_t)at;
}

int archive_batch_read(const void *row, size_t length, archive_batch_t *batch)
{
    static const uint32_t widths[BATCH_COLUMNS] = {8, 8, 8, LOG_HASH_SIZE};
    const uint8_t *at = row, *values[BATCH_COLUMNS];
    if (length != ARCHIVE_BATCH_ROW || at[0] != 0 || at[1] != BATCH_COLUMNS) return ZVT_ERR_CORRUPT;
    at += 2;
    for (int i = 0; i < BATCH_COLUMNS; i++) {
        if (s_be32(at) != widths[i]) return ZVT_ERR_CORRUPT;
        values[i] = at + 4;
        at += 4 + widths[i];
    }
    batch->last_seq = s_be64(values[0]);
    batch->first_seq = s_be64(values[1]);
    memcpy(batch->hash, values[3], LOG_HASH_SIZE);
    return 0;
}
