#include "journal_format.h"

static uint32_t s_checksum(const uint8_t *data, size_t length)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < length; i++) hash = (hash ^ data[i]) * 16777619U;
    return hash;
}

static void s_put(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t s_get(const uint8_t *at)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++) value |= (uint32_t)at[i] << 8 * i;
    return value;
}

int journal_format_append(zvt_buf_t *buf, zvt_type_t type, const void *record)
{
    if (buf->capacity - buf->length < JOURNAL_FRAME_SIZE) return ZVT_ERR_FULL;
    uint8_t *frame = buf->data + buf->length;
    zvt_buf_t body = {.data = frame + JOURNAL_FRAME_SIZE, .capacity = buf->capacity - buf->length - JOURNAL_FRAME_SIZE};
    if (body.capacity > JOURNAL_RECORD_MAX) body.capacity = JOURNAL_RECORD_MAX;
    int status = zvt_pack(&body, type, record);
    if (status != 0) return status;
    s_put(frame, (uint32_t)body.length);
    s_put(frame + 4, s_checksum(body.data, body.length));
    buf->length += JOURNAL_FRAME_SIZE + body.length;
    return 0;
}

/* A crash can leave the end of a file that was made longer but not written. */
static bool s_is_blank(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (data[i] != 0) return false;
    return true;
}

int journal_format_read(const uint8_t *data, size_t length, size_t *offset, zvt_record_t *record)
{
    const uint8_t *frame = data + *offset;
    size_t left = length - *offset;
    if (left == 0) return ZVT_ERR_CLOSED;
    if (left < JOURNAL_FRAME_SIZE || s_is_blank(frame, left)) return ZVT_ERR_TRUNCATED;
    size_t size = s_get(frame), room = left - JOURNAL_FRAME_SIZE;
    if (size == 0 || size > JOURNAL_RECORD_MAX) return ZVT_ERR_CORRUPT;
    if (size > room) return ZVT_ERR_TRUNCATED;
    const uint8_t *body = frame + JOURNAL_FRAME_SIZE;
    if (s_get(frame + 4) != s_checksum(body, size)) return size == room ? ZVT_ERR_TRUNCATED : ZVT_ERR_CORRUPT;
    zvt_cursor_t cursor = zvt_cursor(body, size);
    if (zvt_read(&cursor, record) != 0 || !zvt_cursor_done(&cursor)) return ZVT_ERR_CORRUPT;
    *offset += JOURNAL_FRAME_SIZE + size;
    return 0;
}
