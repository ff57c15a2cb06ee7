#include "zvt_codec.h"

#include <msgpack/pack_define.h>
#include <msgpack/timestamp.h>
#include <stdlib.h>
#include <string.h>

/* msgpack-c's packer as a template: it writes straight into our buffers, where msgpack/pack.h calls back for every value. */
static inline int s_append(zvt_buf_t *buf, const void *data, size_t length)
{
    if (length > buf->capacity - buf->length) return ZVT_ERR_FULL;
    memcpy(buf->data + buf->length, data, length);
    buf->length += length;
    return 0;
}

#define msgpack_pack_inline_func(name) static inline int msgpack_pack##name
#define msgpack_pack_inline_func_cint(name) static inline int msgpack_pack##name
#define msgpack_pack_inline_func_fixint(name) static inline int msgpack_pack_fix##name
#define msgpack_pack_user zvt_buf_t *
#define msgpack_pack_append_buffer(user, bytes, length) return s_append(user, bytes, length)
#include <msgpack/pack_template.h>

enum {
    EVENT_FIELDS = 11,
    SKIP_DEPTH_MAX = 16, /* deeper nesting than any schema of ours */
};

/* ---- buffers ---- */
zvt_buf_t zvt_buf_new(size_t capacity)
{
    zvt_buf_t self = {.data = malloc(capacity), .capacity = capacity};
    ZVT_ASSERT(self.data != NULL);
    return self;
}

void zvt_buf_destroy(zvt_buf_t *self)
{
    free(self->data);
    memset(self, 0, sizeof *self);
}

int zvt_buf_append(zvt_buf_t *self, const void *data, size_t length)
{
    if (length > self->capacity - self->length) return ZVT_ERR_FULL;
    if (length > 0) memcpy(self->data + self->length, data, length);
    self->length += length;
    return 0;
}

/* ---- writing ---- */
static int s_pack_fields(zvt_buf_t *buf, const zvt_desc_t *desc, const void *record);

static int s_pack_part(zvt_buf_t *buf, const zvt_desc_t *desc, const void *record)
{
    int status = msgpack_pack_array(buf, desc->fields_count);
    return status != 0 ? status : s_pack_fields(buf, desc, record);
}

static int s_pack_list(zvt_buf_t *buf, const zvt_field_desc_t *field, const uint8_t *record)
{
    uint32_t count;
    memcpy(&count, record + field->count_offset, sizeof count);
    ZVT_ASSERT(count <= field->bound);
    int status = msgpack_pack_array(buf, count);
    for (uint32_t i = 0; i < count && status == 0; i++)
        status = s_pack_part(buf, field->part, record + field->offset + (size_t)i * field->part->size);
    return status;
}

static int s_pack_str(zvt_buf_t *buf, const char *text, size_t bound)
{
    size_t length = strnlen(text, bound);
    ZVT_ASSERT(length < bound);
    int status = msgpack_pack_str(buf, length);
    return status != 0 ? status : s_append(buf, text, length);
}

static int s_pack_id(zvt_buf_t *buf, const zvt_id_t *id)
{
    int status = msgpack_pack_bin(buf, sizeof *id);
    return status != 0 ? status : s_append(buf, id, sizeof *id);
}

static int s_pack_field(zvt_buf_t *buf, const zvt_field_desc_t *field, const uint8_t *record)
{
    const void *member = record + field->offset;
    switch (field->kind) {
    case ZVT_KIND_ID: return s_pack_id(buf, member);
    case ZVT_KIND_STR: return s_pack_str(buf, member, field->bound);
    case ZVT_KIND_I64:
    case ZVT_KIND_E8:
    case ZVT_KIND_NS: return msgpack_pack_int64(buf, *(const int64_t *)member);
    case ZVT_KIND_U64: return msgpack_pack_uint64(buf, *(const uint64_t *)member);
    case ZVT_KIND_U32: return msgpack_pack_uint32(buf, *(const uint32_t *)member);
    case ZVT_KIND_BOOL: return *(const bool *)member ? msgpack_pack_true(buf) : msgpack_pack_false(buf);
    case ZVT_KIND_ENUM: return msgpack_pack_uint8(buf, *(const uint8_t *)member);
    case ZVT_KIND_REC: return s_pack_part(buf, field->part, member);
    case ZVT_KIND_LIST: return s_pack_list(buf, field, record);
    }
    return ZVT_ERR_TYPE;
}

static int s_pack_fields(zvt_buf_t *buf, const zvt_desc_t *desc, const void *record)
{
    int status = 0;
    for (uint32_t i = 0; i < desc->fields_count && status == 0; i++)
        status = s_pack_field(buf, &desc->fields[i], record);
    return status;
}

/* Undoes a half-written record, so that a full buffer never holds a torn one. */
static int s_finish(zvt_buf_t *buf, size_t length_before, int status)
{
    if (status == 0) return 0;
    buf->length = length_before;
    return ZVT_ERR_FULL;
}

int zvt_pack(zvt_buf_t *buf, zvt_type_t type, const void *record)
{
    const zvt_desc_t *desc = zvt_desc(type);
    ZVT_ASSERT(desc != NULL);
    size_t before = buf->length;
    int status = msgpack_pack_array(buf, desc->fields_count + 1);
    if (status == 0) status = msgpack_pack_uint8(buf, (uint8_t)type);
    if (status == 0) status = s_pack_fields(buf, desc, record);
    return s_finish(buf, before, status);
}

int zvt_pack_payload(zvt_buf_t *buf, zvt_type_t type, const void *record)
{
    const zvt_desc_t *desc = zvt_desc(type);
    ZVT_ASSERT(desc != NULL);
    size_t before = buf->length;
    return s_finish(buf, before, s_pack_part(buf, desc, record));
}

int zvt_pack_metadata(zvt_buf_t *buf, const zvt_metadata_t *metadata)
{
    return zvt_pack_payload(buf, ZVT_T_METADATA, metadata);
}

int zvt_pack_event(zvt_buf_t *buf, const zvt_event_t *event)
{
    size_t before = buf->length;
    int status = msgpack_pack_array(buf, EVENT_FIELDS);
    if (status == 0) status = msgpack_pack_uint64(buf, event->seq);
    if (status == 0) status = s_pack_id(buf, &event->event_id);
    if (status == 0) status = msgpack_pack_uint8(buf, (uint8_t)event->type);
    if (status == 0) status = msgpack_pack_uint32(buf, event->version);
    if (status == 0) status = msgpack_pack_int64(buf, event->timestamp_ns);
    if (status == 0) status = s_pack_id(buf, &event->correlation_id);
    if (status == 0) status = s_pack_id(buf, &event->causation_id);
    if (status == 0) status = s_pack_id(buf, &event->aggregate_id);
    if (status == 0) status = msgpack_pack_uint32(buf, event->aggregate_version);
    if (status == 0) status = s_pack_part(buf, zvt_desc(ZVT_T_METADATA), &event->metadata);
    if (status == 0) status = zvt_buf_append(buf, event->payload, event->payload_length);
    return s_finish(buf, before, status);
}

/* ---- reading: a bounded cursor over msgpack ---- */
zvt_cursor_t zvt_cursor(const void *data, size_t length)
{
    return (zvt_cursor_t){.at = data, .end = (const uint8_t *)data + length};
}

static int s_take(zvt_cursor_t *cursor, size_t length, const uint8_t **bytes)
{
    if (length > (size_t)(cursor->end - cursor->at)) return ZVT_ERR_TRUNCATED;
    *bytes = cursor->at;
    cursor->at += length;
    return 0;
}

static int s_take_uint(zvt_cursor_t *cursor, size_t width, uint64_t *value)
{
    const uint8_t *bytes;
    int status = s_take(cursor, width, &bytes);
    if (status != 0) return status;
    uint64_t v = 0;
    for (size_t i = 0; i < width; i++) v = v << 8 | bytes[i];
    *value = v;
    return 0;
}

static int s_take_tag(zvt_cursor_t *cursor, uint8_t *tag)
{
    if (cursor->at >= cursor->end) return ZVT_ERR_TRUNCATED;
    *tag = *cursor->at++;
    return 0;
}

/* Reads any msgpack integer as sign and magnitude-preserving pair: negative values come in *negative. */
static int s_read_integer(zvt_cursor_t *cursor, uint64_t *value, bool *negative)
{
    uint8_t tag;
    int status = s_take_tag(cursor, &tag);
    if (status != 0) return status;
    *negative = false;
    if (tag <= 0x7f) {
        *value = tag;
        return 0;
    }
    if (tag >= 0xe0) {
        *value = (uint64_t)(int64_t)(int8_t)tag;
        *negative = true;
        return 0;
    }
    if (tag >= 0xcc && tag <= 0xcf) return s_take_uint(cursor, (size_t)1 << (tag - 0xcc), value);
    if (tag >= 0xd0 && tag <= 0xd3) {
        size_t width = (size_t)1 << (tag - 0xd0);
        status = s_take_uint(cursor, width, value);
        if (status != 0) return status;
        unsigned shift = (unsigned)(64 - 8 * width);
        *value = (uint64_t)((int64_t)(*value << shift) >> shift);
        *negative = (int64_t)*value < 0;
        return 0;
    }
    return ZVT_ERR_TYPE;
}

static int s_read_u64(zvt_cursor_t *cursor, uint64_t max, uint64_t *value)
{
    bool negative;
    int status = s_read_integer(cursor, value, &negative);
    if (status != 0) return status;
    return negative || *value > max ? ZVT_ERR_RANGE : 0;
}

static int s_read_i64(zvt_cursor_t *cursor, int64_t *value)
{
    uint64_t raw;
    bool negative;
    int status = s_read_integer(cursor, &raw, &negative);
    if (status != 0) return status;
    if (!negative && raw > (uint64_t)INT64_MAX) return ZVT_ERR_RANGE;
    *value = (int64_t)raw;
    return 0;
}

static int s_read_bool(zvt_cursor_t *cursor, bool *value)
{
    uint8_t tag;
    int status = s_take_tag(cursor, &tag);
    if (status != 0) return status;
    if (tag != 0xc2 && tag != 0xc3) return ZVT_ERR_TYPE;
    *value = tag == 0xc3;
    return 0;
}

/* Length of a str (bin where `binary`), leaving the cursor at its first byte. */
static int s_read_blob_length(zvt_cursor_t *cursor, bool binary, size_t *length)
{
    uint8_t tag;
    int status = s_take_tag(cursor, &tag);
    if (status != 0) return status;
    if (!binary && (tag & 0xe0) == 0xa0) {
        *length = tag & 0x1f;
        return 0;
    }
    uint8_t first = binary ? 0xc4 : 0xd9;
    if (tag < first || tag > first + 2) return ZVT_ERR_TYPE;
    uint64_t value = 0;
    status = s_take_uint(cursor, (size_t)1 << (tag - first), &value);
    *length = (size_t)value;
    return status;
}

static int s_read_id(zvt_cursor_t *cursor, zvt_id_t *id)
{
    size_t length;
    int status = s_read_blob_length(cursor, true, &length);
    if (status != 0) return status;
    if (length != sizeof *id) return ZVT_ERR_RANGE;
    const uint8_t *bytes;
    status = s_take(cursor, length, &bytes);
    if (status == 0) memcpy(id, bytes, sizeof *id);
    return status;
}

/* Control characters never belong into a name or a message: they would reach terminals, logs and topics. */
static bool s_printable(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] < 0x20 || bytes[i] == 0x7f) return false;
    return true;
}

/* Length of the valid UTF-8 character at `bytes`; 0 if there is none. */
static size_t s_utf8_length(const uint8_t *bytes, size_t left)
{
    uint8_t lead = bytes[0];
    if (lead < 0x80) return 1;
    size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((bytes[i] & 0xc0) != 0x80) return 0;
    uint8_t second = bytes[1];
    bool bad = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
               (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
    return bad ? 0 : n;
}

static bool s_utf8(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t n = s_utf8_length(bytes + i, length - i);
        if (n == 0) return false;
        i += n;
    }
    return true;
}

/* True if every byte is a printable ASCII character, as in nearly all texts: eight bytes at a time, in one pass. */
static bool s_plain(const uint8_t *bytes, size_t length)
{
    const uint64_t each = 0x0101010101010101;
    uint64_t odd = 0; /* the high bit of every byte that is not */
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        odd |= word | (word + each) | (word - 0x20 * each); /* above 0x7f, 0x7f, below 0x20 */
    }
    for (; length > 0; bytes++, length--) odd |= (uint64_t)(*bytes < 0x20 || *bytes > 0x7e) << 7;
    return (odd & 0x80 * each) == 0;
}

static int s_read_str(zvt_cursor_t *cursor, char *text, size_t bound)
{
    size_t length;
    int status = s_read_blob_length(cursor, false, &length);
    if (status != 0) return status;
    const uint8_t *bytes;
    status = s_take(cursor, length, &bytes);
    if (status != 0) return status;
    if (length >= bound) return ZVT_ERR_RANGE;
    if (!s_plain(bytes, length)) {
        /* A long body may hold line breaks; names and messages may not. */
        if ((bound <= 1024 && !s_printable(bytes, length)) || !s_utf8(bytes, length)) return ZVT_ERR_RANGE;
        if (memchr(bytes, 0, length) != NULL) return ZVT_ERR_RANGE;
    }
    memcpy(text, bytes, length);
    text[length] = '\0';
    return 0;
}

/* Claimed element count. Each element takes at least a byte, so a larger claim than what is left is a lie. */
static int s_read_array(zvt_cursor_t *cursor, size_t *count)
{
    uint8_t tag;
    int status = s_take_tag(cursor, &tag);
    if (status != 0) return status;
    uint64_t value = tag & 0x0f;
    if ((tag & 0xf0) != 0x90) {
        if (tag != 0xdc && tag != 0xdd) return ZVT_ERR_TYPE;
        status = s_take_uint(cursor, tag == 0xdc ? 2 : 4, &value);
        if (status != 0) return status;
    }
    if (value > (uint64_t)(cursor->end - cursor->at)) return ZVT_ERR_TRUNCATED;
    *count = (size_t)value;
    return 0;
}

static int s_skip(zvt_cursor_t *cursor, int depth);

static int s_skip_many(zvt_cursor_t *cursor, uint64_t count, int depth)
{
    if (count > (uint64_t)(cursor->end - cursor->at)) return ZVT_ERR_TRUNCATED;
    int status = 0;
    for (uint64_t i = 0; i < count && status == 0; i++) status = s_skip(cursor, depth + 1);
    return status;
}

static int s_skip_bytes(zvt_cursor_t *cursor, size_t length_width, size_t extra)
{
    uint64_t length = 0;
    int status = length_width == 0 ? 0 : s_take_uint(cursor, length_width, &length);
    const uint8_t *bytes;
    return status != 0 ? status : s_take(cursor, (size_t)length + extra, &bytes);
}

static int s_skip_container(zvt_cursor_t *cursor, size_t length_width, unsigned per_element, int depth)
{
    uint64_t count;
    int status = s_take_uint(cursor, length_width, &count);
    return status != 0 ? status : s_skip_many(cursor, count * per_element, depth);
}

/* Steps over one value of any type. */
static int s_skip(zvt_cursor_t *cursor, int depth)
{
    if (depth > SKIP_DEPTH_MAX) return ZVT_ERR_RANGE;
    uint8_t tag;
    int status = s_take_tag(cursor, &tag);
    if (status != 0) return status;
    if (tag <= 0x7f || tag >= 0xe0 || tag == 0xc0 || tag == 0xc2 || tag == 0xc3) return 0;
    if (tag <= 0x8f) return s_skip_many(cursor, (uint64_t)(tag & 0x0f) * 2, depth);
    if (tag <= 0x9f) return s_skip_many(cursor, tag & 0x0f, depth);
    if (tag <= 0xbf) return s_skip_bytes(cursor, 0, tag & 0x1f);
    switch (tag) {
    case 0xc4: case 0xd9: return s_skip_bytes(cursor, 1, 0);
    case 0xc5: case 0xda: return s_skip_bytes(cursor, 2, 0);
    case 0xc6: case 0xdb: return s_skip_bytes(cursor, 4, 0);
    case 0xc7: return s_skip_bytes(cursor, 1, 1);
    case 0xc8: return s_skip_bytes(cursor, 2, 1);
    case 0xc9: return s_skip_bytes(cursor, 4, 1);
    case 0xca: case 0xce: case 0xd2: return s_skip_bytes(cursor, 0, 4);
    case 0xcb: case 0xcf: case 0xd3: return s_skip_bytes(cursor, 0, 8);
    case 0xcc: case 0xd0: return s_skip_bytes(cursor, 0, 1);
    case 0xcd: case 0xd1: return s_skip_bytes(cursor, 0, 2);
    case 0xd4: return s_skip_bytes(cursor, 0, 2);
    case 0xd5: return s_skip_bytes(cursor, 0, 3);
    case 0xd6: return s_skip_bytes(cursor, 0, 5);
    case 0xd7: return s_skip_bytes(cursor, 0, 9);
    case 0xd8: return s_skip_bytes(cursor, 0, 17);
    case 0xdc: return s_skip_container(cursor, 2, 1, depth);
    case 0xdd: return s_skip_container(cursor, 4, 1, depth);
    case 0xde: return s_skip_container(cursor, 2, 2, depth);
    case 0xdf: return s_skip_container(cursor, 4, 2, depth);
    default: return ZVT_ERR_TYPE;
    }
}

/* ---- reading: records ---- */
static int s_read_fields(zvt_cursor_t *cursor, const zvt_desc_t *desc, size_t count, void *record);

static int s_read_part(zvt_cursor_t *cursor, const zvt_desc_t *desc, void *record)
{
    size_t count;
    int status = s_read_array(cursor, &count);
    return status != 0 ? status : s_read_fields(cursor, desc, count, record);
}

static int s_read_list(zvt_cursor_t *cursor, const zvt_field_desc_t *field, uint8_t *record)
{
    size_t count;
    int status = s_read_array(cursor, &count);
    if (status != 0) return status;
    if (count > field->bound) return ZVT_ERR_RANGE;
    uint32_t stored = (uint32_t)count;
    memcpy(record + field->count_offset, &stored, sizeof stored);
    for (size_t i = 0; i < count && status == 0; i++)
        status = s_read_part(cursor, field->part, record + field->offset + i * field->part->size);
    return status;
}

static int s_read_enum(zvt_cursor_t *cursor, unsigned enumeration, uint8_t *value)
{
    uint64_t raw;
    int status = s_read_u64(cursor, UINT8_MAX, &raw);
    if (status != 0) return status;
    if (raw != 0 && !zvt_enum_valid(enumeration, (uint8_t)raw)) return ZVT_ERR_RANGE;
    *value = (uint8_t)raw;
    return 0;
}

static int s_read_field(zvt_cursor_t *cursor, const zvt_field_desc_t *field, uint8_t *record)
{
    void *member = record + field->offset;
    uint64_t raw;
    int status;
    switch (field->kind) {
    case ZVT_KIND_ID: return s_read_id(cursor, member);
    case ZVT_KIND_STR: return s_read_str(cursor, member, field->bound);
    case ZVT_KIND_I64:
    case ZVT_KIND_E8:
    case ZVT_KIND_NS: return s_read_i64(cursor, member);
    case ZVT_KIND_U64: return s_read_u64(cursor, UINT64_MAX, member);
    case ZVT_KIND_U32:
        status = s_read_u64(cursor, UINT32_MAX, &raw);
        if (status == 0) *(uint32_t *)member = (uint32_t)raw;
        return status;
    case ZVT_KIND_BOOL: return s_read_bool(cursor, member);
    case ZVT_KIND_ENUM: return s_read_enum(cursor, field->bound, member);
    case ZVT_KIND_REC: return s_read_part(cursor, field->part, member);
    case ZVT_KIND_LIST: return s_read_list(cursor, field, record);
    }
    return ZVT_ERR_TYPE;
}

static int s_read_fields(zvt_cursor_t *cursor, const zvt_desc_t *desc, size_t count, void *record)
{
    uint32_t known = count < desc->fields_count ? (uint32_t)count : desc->fields_count;
    if (known < desc->fields_count && known < zvt_fields_required(desc)) return ZVT_ERR_TRUNCATED;
    int status = 0;
    for (uint32_t i = 0; i < known && status == 0; i++)
        status = s_read_field(cursor, &desc->fields[i], record);
    for (size_t i = desc->fields_count; i < count && status == 0; i++) status = s_skip(cursor, 0);
    return status;
}

/* All record bodies share the union's address. */
static void *s_body(zvt_record_t *record, const zvt_desc_t *desc)
{
    record->type = desc->type;
    memset(&record->hello, 0, desc->size);
    return &record->hello;
}

int zvt_read(zvt_cursor_t *cursor, zvt_record_t *record)
{
    size_t count;
    int status = s_read_array(cursor, &count);
    if (status != 0) return status;
    if (count == 0) return ZVT_ERR_TRUNCATED;
    uint64_t type;
    status = s_read_u64(cursor, ZVT_T_LIMIT - 1, &type);
    if (status != 0) return status;
    const zvt_desc_t *desc = zvt_desc((unsigned)type);
    if (desc == NULL || desc->class == ZVT_CLASS_PART) return ZVT_ERR_UNKNOWN;
    return s_read_fields(cursor, desc, count - 1, s_body(record, desc));
}

int zvt_read_metadata(const void *data, size_t length, zvt_metadata_t *metadata)
{
    zvt_cursor_t cursor = zvt_cursor(data, length);
    memset(metadata, 0, sizeof *metadata);
    return s_read_part(&cursor, zvt_desc(ZVT_T_METADATA), metadata);
}

int zvt_read_event(zvt_cursor_t *cursor, zvt_event_t *event)
{
    memset(event, 0, sizeof *event);
    size_t count;
    uint64_t type, version, aggregate_version;
    int status = s_read_array(cursor, &count);
    if (status == 0 && count < EVENT_FIELDS) status = ZVT_ERR_TRUNCATED;
    if (status == 0) status = s_read_u64(cursor, UINT64_MAX, &event->seq);
    if (status == 0) status = s_read_id(cursor, &event->event_id);
    if (status == 0) status = s_read_u64(cursor, ZVT_T_LIMIT - 1, &type);
    if (status == 0) status = s_read_u64(cursor, UINT32_MAX, &version);
    if (status == 0) status = s_read_i64(cursor, &event->timestamp_ns);
    if (status == 0) status = s_read_id(cursor, &event->correlation_id);
    if (status == 0) status = s_read_id(cursor, &event->causation_id);
    if (status == 0) status = s_read_id(cursor, &event->aggregate_id);
    if (status == 0) status = s_read_u64(cursor, UINT32_MAX, &aggregate_version);
    if (status == 0) status = s_read_part(cursor, zvt_desc(ZVT_T_METADATA), &event->metadata);
    if (status != 0) return status;
    event->type = (zvt_type_t)type;
    event->version = (uint32_t)version;
    event->aggregate_version = (uint32_t)aggregate_version;
    event->payload = cursor->at;
    status = s_skip(cursor, 0);
    event->payload_length = (size_t)(cursor->at - event->payload);
    for (size_t i = EVENT_FIELDS; i < count && status == 0; i++) status = s_skip(cursor, 0);
    return status;
}

int zvt_read_payload(const zvt_event_t *event, zvt_record_t *record)
{
    const zvt_desc_t *desc = zvt_desc(event->type);
    if (desc == NULL || desc->class != ZVT_CLASS_LOGGED) return ZVT_ERR_UNKNOWN;
    zvt_cursor_t cursor = zvt_cursor(event->payload, event->payload_length);
    return s_read_part(&cursor, desc, s_body(record, desc));
}
