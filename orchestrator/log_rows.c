#include "log_rows.h"

#include <endian.h>
#include <string.h>

enum { COLUMNS = 11, EVENT_HEAD_MAX = 128 /* bytes of an event before its metadata */ };

/* ---- reading ---- */
typedef struct {
    const uint8_t *at, *end;
    bool bad; /* something did not fit; what is read after that is zero */
} reader_t;

static const uint8_t *s_take(reader_t *self, size_t length)
{
    static const uint8_t zeros[16];
    if (self->bad || length > (size_t)(self->end - self->at)) {
        self->bad = true;
        return length <= sizeof zeros ? zeros : NULL;
    }
    const uint8_t *bytes = self->at;
    self->at += length;
    return bytes;
}

static uint16_t s_be16(const uint8_t *bytes)
{
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return be16toh(value);
}

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

/* A column of this size; a NULL has the length -1. */
static const uint8_t *s_column(reader_t *self, uint32_t size)
{
    if (s_be32(s_take(self, 4)) != size) self->bad = true;
    return s_take(self, size);
}

static void s_id_column(reader_t *self, zvt_id_t *id)
{
    memcpy(id, s_column(self, sizeof *id), sizeof *id);
}

static const uint8_t *s_bytes_column(reader_t *self, size_t *length)
{
    *length = s_be32(s_take(self, 4));
    const uint8_t *bytes = s_take(self, *length);
    if (self->bad) *length = 0;
    return bytes;
}

int log_rows_read(const void *message, size_t length, bool first, log_row_t *row)
{
    reader_t reader = {.at = message, .end = (const uint8_t *)message + length};
    if (first) (void)s_take(&reader, LOG_ROWS_HEADER);
    uint16_t columns = s_be16(s_take(&reader, 2));
    if (reader.bad) return ZVT_ERR_CORRUPT;
    if (columns == UINT16_MAX) return 0;
    zvt_event_t *event = &row->event;
    event->seq = s_be64(s_column(&reader, 8));
    s_id_column(&reader, &event->event_id);
    event->type = (zvt_type_t)s_be16(s_column(&reader, 2));
    event->version = s_be16(s_column(&reader, 2));
    event->timestamp_ns = (int64_t)s_be64(s_column(&reader, 8));
    s_id_column(&reader, &event->correlation_id);
    s_id_column(&reader, &event->causation_id);
    s_id_column(&reader, &event->aggregate_id);
    event->aggregate_version = s_be32(s_column(&reader, 4));
    row->metadata = s_bytes_column(&reader, &row->metadata_length);
    event->payload = s_bytes_column(&reader, &event->payload_length);
    return reader.bad || columns != COLUMNS || event->type >= ZVT_T_LIMIT ? ZVT_ERR_CORRUPT : 1;
}

/* ---- packing: the smallest msgpack form of each value, like zvt_pack_event ---- */
static uint8_t *s_put_uint(uint8_t *at, uint64_t value)
{
    static const struct {
        uint64_t max;
        uint8_t tag, width;
    } forms[] = {{UINT8_MAX, 0xcc, 1}, {UINT16_MAX, 0xcd, 2}, {UINT32_MAX, 0xce, 4}, {UINT64_MAX, 0xcf, 8}};
    if (value < 0x80) {
        *at++ = (uint8_t)value;
        return at;
    }
    size_t i = 0;
    while (value > forms[i].max) i++;
    *at++ = forms[i].tag;
    uint64_t be = htobe64(value);
    memcpy(at, (const uint8_t *)&be + 8 - forms[i].width, forms[i].width);
    return at + forms[i].width;
}

/* Times before 1970 are no times of ours; the form of a negative integer is the full one. */
static uint8_t *s_put_int(uint8_t *at, int64_t value)
{
    if (value >= 0) return s_put_uint(at, (uint64_t)value);
    uint64_t be = htobe64((uint64_t)value);
    *at++ = 0xd3;
    memcpy(at, &be, sizeof be);
    return at + sizeof be;
}

static uint8_t *s_put_id(uint8_t *at, const zvt_id_t *id)
{
    *at++ = 0xc4;
    *at++ = sizeof *id;
    memcpy(at, id, sizeof *id);
    return at + sizeof *id;
}

int log_rows_pack(zvt_buf_t *buf, const log_row_t *row)
{
    const zvt_event_t *event = &row->event;
    if (buf->capacity - buf->length < EVENT_HEAD_MAX + row->metadata_length + event->payload_length) return ZVT_ERR_FULL;
    uint8_t *at = buf->data + buf->length;
    *at++ = 0x90 | COLUMNS;
    at = s_put_uint(at, event->seq);
    at = s_put_id(at, &event->event_id);
    at = s_put_uint(at, event->type);
    at = s_put_uint(at, event->version);
    at = s_put_int(at, event->timestamp_ns);
    at = s_put_id(at, &event->correlation_id);
    at = s_put_id(at, &event->causation_id);
    at = s_put_id(at, &event->aggregate_id);
    at = s_put_uint(at, event->aggregate_version);
    memcpy(at, row->metadata, row->metadata_length);
    at += row->metadata_length;
    memcpy(at, event->payload, event->payload_length);
    buf->length = (size_t)(at - buf->data) + event->payload_length;
    return 0;
}
