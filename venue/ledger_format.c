#include "ledger_format.h"

#include <string.h>
#include <zlib.h>

enum { VERSION = 1, ALIGNMENT = 8 };
#define BATCH_MAGIC 0x424c565aU /* "ZVLB" */

typedef struct {
    char magic[8];
    uint32_t version;
    uint32_t crc; /* of the whole header with this field 0 */
    int64_t origin_ns;
    char venue[ZVT_VENUE_SIZE];
    char market[LEDGER_MARKET_SIZE];
} header_bytes_t;
_Static_assert(sizeof(header_bytes_t) <= LEDGER_HEADER_SIZE, "the header has outgrown its place");

typedef struct {
    uint32_t magic;
    uint32_t length;     /* of the payload */
    uint64_t number;
    uint64_t seq_before;
    uint32_t crc;        /* of this header with this field 0, then of the payload */
    uint32_t reserved;   /* 0 */
} batch_bytes_t;
_Static_assert(sizeof(batch_bytes_t) == LEDGER_BATCH_HEADER_SIZE, "the batch header's size is part of the format");

static const char s_magic[8] = {'Z', 'V', 'T', 'L', 'E', 'D', 'G', '1'};

static uint32_t s_header_crc(header_bytes_t header)
{
    header.crc = 0;
    return (uint32_t)crc32(0, (const Bytef *)&header, sizeof header);
}

void ledger_format_header(const ledger_header_t *header, uint8_t bytes[LEDGER_HEADER_SIZE])
{
    header_bytes_t out = {.version = VERSION, .origin_ns = header->origin_ns};
    memcpy(out.magic, s_magic, sizeof s_magic);
    ZVT_STR_SET(out.venue, header->venue);
    ZVT_STR_SET(out.market, header->market);
    out.crc = s_header_crc(out);
    memset(bytes, 0, LEDGER_HEADER_SIZE);
    memcpy(bytes, &out, sizeof out);
}

int ledger_format_read_header(const uint8_t *bytes, size_t size, ledger_header_t *header)
{
    header_bytes_t in;
    if (size < LEDGER_HEADER_SIZE) return ZVT_ERR_TRUNCATED;
    memcpy(&in, bytes, sizeof in);
    if (memcmp(in.magic, s_magic, sizeof s_magic) != 0 || in.version != VERSION || in.crc != s_header_crc(in))
        return ZVT_ERR_CORRUPT;
    if (memchr(in.venue, 0, sizeof in.venue) == NULL || memchr(in.market, 0, sizeof in.market) == NULL) return ZVT_ERR_CORRUPT;
    memset(header, 0, sizeof *header);
    header->origin_ns = in.origin_ns;
    ZVT_STR_SET(header->venue, in.venue);
    ZVT_STR_SET(header->market, in.market);
    return 0;
}

size_t ledger_format_size(size_t length)
{
    return (LEDGER_BATCH_HEADER_SIZE + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static uint32_t s_batch_crc(batch_bytes_t header, const uint8_t *payload)
{
    header.crc = 0;
    uLong crc = crc32(0, (const Bytef *)&header, sizeof header);
    return (uint32_t)crc32(crc, payload, header.length);
}

size_t ledger_format_seal(uint8_t *bytes, size_t length, uint64_t number, uint64_t seq_before)
{
    ZVT_ASSERT(length <= LEDGER_BATCH_MAX);
    batch_bytes_t header = {.magic = BATCH_MAGIC, .length = (uint32_t)length, .number = number, .seq_before = seq_before};
    header.crc = s_batch_crc(header, bytes + LEDGER_BATCH_HEADER_SIZE);
    memcpy(bytes, &header, sizeof header);
    size_t size = ledger_format_size(length);
    memset(bytes + LEDGER_BATCH_HEADER_SIZE + length, 0, size - LEDGER_BATCH_HEADER_SIZE - length);
    return size;
}

static bool s_all_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0) return false;
    return true;
}

/* Reads a batch of any number. */
static int s_read_any(const uint8_t *bytes, size_t size, ledger_batch_t *batch)
{
    batch_bytes_t header;
    if (s_all_zero(bytes, size < sizeof header ? size : sizeof header)) return ZVT_ERR_NOT_FOUND;
    if (size < sizeof header) return ZVT_ERR_TRUNCATED;
    memcpy(&header, bytes, sizeof header);
    if (header.magic != BATCH_MAGIC || header.length > LEDGER_BATCH_MAX) return ZVT_ERR_CORRUPT;
    if (ledger_format_size(header.length) > size) return ZVT_ERR_TRUNCATED;
    if (header.crc != s_batch_crc(header, bytes + sizeof header)) return ZVT_ERR_CORRUPT;
    *batch = (ledger_batch_t){.number = header.number, .seq_before = header.seq_before, .payload = bytes + sizeof header,
                              .length = header.length, .size = ledger_format_size(header.length), .crc = header.crc};
    return 0;
}

int ledger_format_read_batch(const uint8_t *bytes, size_t size, uint64_t number, ledger_batch_t *batch)
{
    int status = s_read_any(bytes, size, batch);
    if (status != 0) return status;
    return batch->number == number ? 0 : ZVT_ERR_CORRUPT;
}

bool ledger_format_goes_on(const uint8_t *bytes, size_t size, uint64_t number)
{
    ledger_batch_t batch;
    for (size_t at = 0; at + LEDGER_BATCH_HEADER_SIZE <= size; at += ALIGNMENT) {
        uint32_t magic;
        memcpy(&magic, bytes + at, sizeof magic);
        if (magic != BATCH_MAGIC) continue;
        if (s_read_any(bytes + at, size - at, &batch) == 0 && batch.number >= number) return true;
    }
    return false;
}
