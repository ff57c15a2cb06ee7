/* ledger_format -- the bytes of a venue's ledger, without the file.
 *
 * Shapes   a header of LEDGER_HEADER_SIZE bytes, then batches, each starting at a multiple of 8: a batch header and a
 *          payload of msgpack records (order.send, report, order.query as a tombstone, balance as an opening balance).
 *          A batch is what one fdatasync made durable, so a crash can tear only the last one. Zeros end the ledger,
 *          because its space is allocated ahead of its contents.
 * Units    numbers are in the machine's byte order; another order fails the check of the header.
 * Bounds   LEDGER_BATCH_MAX bytes of payload.
 * Errors   ZVT_ERR_NOT_FOUND (the end), _TRUNCATED, _CORRUPT. */
#ifndef VENUE_LEDGER_FORMAT_H
#define VENUE_LEDGER_FORMAT_H

#include "zvt_codec.h"

enum {
    LEDGER_HEADER_SIZE = 1024,
    LEDGER_BATCH_HEADER_SIZE = 32,
    LEDGER_BATCH_MAX = 1 << 20,
    LEDGER_MARKET_SIZE = 512,
};

/* What a ledger belongs to. */
typedef struct {
    char venue[ZVT_VENUE_SIZE];
    char market[LEDGER_MARKET_SIZE]; /* fingerprint, such as "synthetic seed=42" */
    int64_t origin_ns;               /* UTC: time 0 of the synthetic market */
} ledger_header_t;

typedef struct {
    uint64_t number;        /* 1, 2, 3 .. */
    uint64_t seq_before;    /* venue_seq of the last report before this batch */
    const uint8_t *payload; /* borrowed from the bytes given */
    size_t length;          /* of the payload */
    size_t size;            /* of the whole batch with its padding */
    uint32_t crc;           /* of its header and payload */
} ledger_batch_t;

void ledger_format_header(const ledger_header_t *header, uint8_t bytes[LEDGER_HEADER_SIZE]);
ZVT_MUSTUSE int ledger_format_read_header(const uint8_t *bytes, size_t size, ledger_header_t *header);

/* Completes a batch whose payload of `length` bytes stands behind LEDGER_BATCH_HEADER_SIZE free bytes, and zeroes the
 * padding. Returns the batch's size. */
size_t ledger_format_seal(uint8_t *bytes, size_t length, uint64_t number, uint64_t seq_before);
/* Size of a batch with this much payload. */
size_t ledger_format_size(size_t length);
/* Reads the batch at the beginning of the bytes, which must carry `number`. NOT_FOUND: zeros or nothing. */
ZVT_MUSTUSE int ledger_format_read_batch(const uint8_t *bytes, size_t size, uint64_t number, ledger_batch_t *batch);
/* True when a whole batch with this number or a higher one starts anywhere in the bytes: what stands before it was
 * durable once, and is damaged now. */
bool ledger_format_goes_on(const uint8_t *bytes, size_t size, uint64_t number);

#endif
