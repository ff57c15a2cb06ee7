#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_codec.h"

enum { SIZE = 16384 };

/* Fills a record with values that its schema allows, so that every field is told from its neighbours. */
static void s_fill(zvt_rng_t *rng, const zvt_desc_t *desc, uint8_t *record);

static void s_fill_field(zvt_rng_t *rng, const zvt_field_desc_t *field, uint8_t *record)
{
    void *member = record + field->offset;
    uint32_t count;
    switch (field->kind) {
    case ZVT_KIND_ID:
        for (int i = 0; i < 16; i++) ((uint8_t *)member)[i] = (uint8_t)zvt_rng_next(rng);
        break;
    case ZVT_KIND_STR:
        count = (uint32_t)zvt_rng_below(rng, field->bound < 300 ? field->bound : 300);
        for (uint32_t i = 0; i < count; i++) ((char *)member)[i] = (char)('!' + zvt_rng_below(rng, 90));
        break;
    case ZVT_KIND_I64: case ZVT_KIND_E8: case ZVT_KIND_NS:
        *(int64_t *)member = (int64_t)zvt_rng_next(rng) >> zvt_rng_below(rng, 64);
        break;
    case ZVT_KIND_U64: *(uint64_t *)member = zvt_rng_next(rng) >> zvt_rng_below(rng, 64); break;
    case ZVT_KIND_U32: *(uint32_t *)member = (uint32_t)(zvt_rng_next(rng) >> (32 + zvt_rng_below(rng, 32))); break;
    case ZVT_KIND_BOOL: *(bool *)member = zvt_rng_below(rng, 2) == 1; break;
    case ZVT_KIND_ENUM: {
        const zvt_enum_desc_t *desc = zvt_enum_desc(field->bound);
        *(uint8_t *)member = desc->rows[zvt_rng_below(rng, desc->rows_count)].id;
        break;
    }
    case ZVT_KIND_REC: s_fill(rng, field->part, member); break;
    case ZVT_KIND_LIST:
        count = (uint32_t)zvt_rng_below(rng, field->bound + 1);
        memcpy(record + field->count_offset, &count, sizeof count);
        for (uint32_t i = 0; i < count; i++) s_fill(rng, field->part, record + field->offset + (size_t)i * field->part->size);
        break;
    }
}

static void s_fill(zvt_rng_t *rng, const zvt_desc_t *desc, uint8_t *record)
{
    for (uint32_t i = 0; i < desc->fields_count; i++) s_fill_field(rng, &desc->fields[i], record);
}

static bool s_is_record(const zvt_desc_t *desc)
{
    return desc != NULL && desc->class != ZVT_CLASS_PART;
}

static uint8_t s_bytes[SIZE];
static zvt_record_t s_in, s_out;

static zvt_buf_t s_pack_random(zvt_rng_t *rng, const zvt_desc_t *desc)
{
    zvt_buf_t buf = {.data = s_bytes, .capacity = SIZE};
    memset(&s_in, 0, sizeof s_in);
    s_fill(rng, desc, (uint8_t *)&s_in.hello);
    cr_assert_eq(zvt_pack(&buf, desc->type, &s_in.hello), 0);
    return buf;
}

Test(zvt_codec, every_record_comes_back_as_it_went)
{
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 1);
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) {
        const zvt_desc_t *desc = zvt_desc(type);
        if (!s_is_record(desc)) continue;
        for (int n = 0; n < 50; n++) {
            zvt_buf_t buf = s_pack_random(&rng, desc);
            zvt_cursor_t cursor = zvt_cursor(buf.data, buf.length);
            memset(&s_out, 0, sizeof s_out);
            cr_assert_eq(zvt_read(&cursor, &s_out), 0, "%s", desc->name);
            cr_assert(zvt_cursor_done(&cursor));
            cr_assert_eq(s_out.type, desc->type);
            cr_assert_arr_eq((uint8_t *)&s_out.hello, (uint8_t *)&s_in.hello, desc->size, "%s", desc->name);
        }
    }
}

Test(zvt_codec, every_truncation_of_every_record_is_refused)
{
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 2);
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) {
        if (!s_is_record(zvt_desc(type))) continue;
        zvt_buf_t buf = s_pack_random(&rng, zvt_desc(type));
        for (size_t cut = 0; cut < buf.length; cut++) {
            uint8_t *exact = malloc(cut + 1);
            memcpy(exact, buf.data, cut);
            zvt_cursor_t cursor = zvt_cursor(exact, cut);
            cr_assert_neq(zvt_read(&cursor, &s_out), 0, "%s cut at %zu of %zu", zvt_type_name(type), cut, buf.length);
            free(exact);
        }
    }
}

Test(zvt_codec, trailing_fields_that_it_does_not_know_are_skipped)
{
    /* [121, count, more, {"new": [1, 2.5]}, nil] : list.end with two more fields */
    static const uint8_t bytes[] = {0x95, 121, 7, 0xc3, 0x81, 0xa3, 'n', 'e', 'w', 0x92, 1, 0xcb, 0x40, 4, 0, 0, 0, 0, 0, 0, 0xc0};
    zvt_cursor_t cursor = zvt_cursor(bytes, sizeof bytes);
    cr_assert_eq(zvt_read(&cursor, &s_out), 0);
    cr_assert_eq(s_out.list_end.count, 7);
    cr_assert(s_out.list_end.more);
    cr_assert(zvt_cursor_done(&cursor));
}

/* Packs the record with `missing` fields fewer, as a program from before they were appended does. */
static zvt_buf_t s_pack_older(zvt_rng_t *rng, const zvt_desc_t *desc, uint32_t missing)
{
    static uint8_t shorter[SIZE];
    zvt_buf_t whole = s_pack_random(rng, desc), older = {.data = shorter, .capacity = sizeof shorter};
    uint32_t fields = desc->fields_count + 1; /* with the type id; an array's head is one byte up to 15, else three */
    size_t head = fields <= 15 ? 1 : 3;
    uint32_t kept = fields - missing;
    if (kept <= 15) {
        older.data[older.length++] = (uint8_t)(0x90 | kept);
    } else {
        memcpy(older.data, (const uint8_t[]){0xdc, (uint8_t)(kept >> 8), (uint8_t)kept}, 3);
        older.length = 3;
    }
    for (uint32_t cut = 0; cut <= whole.length - head; cut++) {
        memcpy(older.data + older.length, whole.data + head, cut);
        zvt_cursor_t cursor = zvt_cursor(older.data, older.length + cut);
        if (zvt_read(&cursor, &s_out) == 0 && zvt_cursor_done(&cursor)) return (older.length += cut, older);
    }
    older.length = 0;
    return older;
}

Test(zvt_codec, appended_fields_may_be_missing_and_are_zero_then_but_no_others)
{
    zvt_rng_t rng;
    uint32_t appended = 0;
    zvt_rng_seed(&rng, 3);
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) {
        const zvt_desc_t *desc = zvt_desc(type);
        if (!s_is_record(desc)) continue;
        uint32_t optional = desc->fields_count - zvt_fields_required(desc);
        appended += optional;
        for (uint32_t missing = 1; missing <= optional; missing++) {
            cr_assert_gt(s_pack_older(&rng, desc, missing).length, 0, "%s without %u fields", desc->name, missing);
            const zvt_field_desc_t *left_out = &desc->fields[desc->fields_count - missing];
            cr_assert_eq(((const uint8_t *)&s_out.hello)[left_out->offset], 0, "%s.%s", desc->name, left_out->name);
        }
        cr_assert_eq(s_pack_older(&rng, desc, optional + 1).length, 0, "%s without %u fields", desc->name, optional + 1);
    }
    cr_assert_gt(appended, 0);
}

static int s_read_bytes(const void *bytes, size_t length)
{
    zvt_cursor_t cursor = zvt_cursor(bytes, length);
    return zvt_read(&cursor, &s_out);
}

Test(zvt_codec, refuses_bombs_wrong_types_and_values_out_of_range)
{
    cr_assert_eq(s_read_bytes("\xdd\x10\x00\x00\x00", 5), ZVT_ERR_TRUNCATED, "a claim of 268 million elements");
    cr_assert_eq(s_read_bytes("\xdf\xff\xff\xff\xff", 5), ZVT_ERR_TYPE);
    cr_assert_eq(s_read_bytes("\x90", 1), ZVT_ERR_TRUNCATED);
    cr_assert_eq(s_read_bytes("\x91\xcd\x01\x00", 4), ZVT_ERR_RANGE, "type id 256");
    cr_assert_eq(s_read_bytes("\x91\x77", 2), ZVT_ERR_UNKNOWN, "type id 119 is not given");
    cr_assert_eq(s_read_bytes("\x93\xcc\xf1\x01\x01", 5), ZVT_ERR_UNKNOWN, "a part is no record");
    cr_assert_eq(s_read_bytes("\x93\x79\xa1" "7\xc3", 5), ZVT_ERR_TYPE, "a string for a number");
    cr_assert_eq(s_read_bytes("\x93\x79\xff\xc3", 4), ZVT_ERR_RANGE, "a negative count");
    cr_assert_eq(s_read_bytes("\x93\x79\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xc3", 12), ZVT_ERR_RANGE, "more than 32 bits");
    cr_assert_eq(s_read_bytes("\x93\x7a\xcc\xfe\xa1x", 6), ZVT_ERR_RANGE, "a code that the table does not have");
    cr_assert_eq(s_read_bytes("\x93\x7a\x01\xa2\x1b[", 6), ZVT_ERR_RANGE, "an escape sequence in a message");
    cr_assert_eq(s_read_bytes("\x93\x7a\x01\xa1\xff", 5), ZVT_ERR_RANGE, "not UTF-8");
    cr_assert_eq(s_read_bytes("\x93\x7a\x01\xa3\xed\xa0\x80", 7), ZVT_ERR_RANGE, "a UTF-16 surrogate");
}

Test(zvt_codec, refuses_text_longer_than_the_schema_allows_and_nesting_without_end)
{
    uint8_t bytes[400] = {0x93, 122, 1, 0xd9, 200};
    memset(bytes + 5, 'x', 200);
    cr_assert_eq(s_read_bytes(bytes, 205), ZVT_ERR_RANGE);
    bytes[0] = 0x94; /* an unknown trailing field of deeply nested arrays */
    memcpy(bytes + 3, "\xa0", 1);
    memset(bytes + 4, 0x91, 300);
    cr_assert_eq(s_read_bytes(bytes, 304), ZVT_ERR_RANGE);
}

/* A control.request whose command is `length` bytes of 'a' with one other byte among them. */
static int s_read_with(uint8_t odd, size_t length, size_t at)
{
    uint8_t bytes[64] = {0x93, 0xcc, ZVT_T_CONTROL_REQUEST, (uint8_t)(0xa0 | length)};
    memset(bytes + 4, 'a', length);
    bytes[4 + at] = odd;
    bytes[4 + length] = 0xa0; /* an empty argument */
    zvt_cursor_t cursor = zvt_cursor(bytes, 5 + length);
    return zvt_read(&cursor, &s_out);
}

Test(zvt_codec, control_characters_and_broken_utf8_are_refused_wherever_they_stand)
{
    for (size_t length = 1; length <= 24; length++)
        for (size_t at = 0; at < length; at++)
            for (unsigned odd = 0; odd <= UINT8_MAX; odd++) {
                bool good = odd >= 0x20 && odd < 0x7f;
                cr_assert((s_read_with((uint8_t)odd, length, at) == 0) == good, "byte %u at %zu of %zu", odd, at, length);
            }
}

Test(zvt_codec, text_of_other_alphabets_is_taken)
{
    static const char text[] = "Z\xc3\xbcrich \xe6\x9d\xb1\xe4\xba\xac";
    zvt_control_request_t request = {.command = ""};
    zvt_buf_t buf = {.data = s_bytes, .capacity = SIZE};
    ZVT_STR_SET(request.command, text);
    cr_assert(zvt_pack(&buf, ZVT_T_CONTROL_REQUEST, &request) == 0);
    zvt_cursor_t cursor = zvt_cursor(buf.data, buf.length);
    cr_assert(zvt_read(&cursor, &s_out) == 0);
    cr_assert_str_eq(s_out.control_request.command, text);
}

Test(zvt_codec, a_full_buffer_holds_no_torn_record)
{
    zvt_list_end_t end = {.count = 70000, .more = true};
    for (size_t capacity = 0; capacity < 8; capacity++) {
        zvt_buf_t buf = {.data = s_bytes, .capacity = capacity};
        cr_assert_eq(zvt_pack(&buf, ZVT_T_LIST_END, &end), ZVT_ERR_FULL);
        cr_assert_eq(buf.length, 0);
    }
}

Test(zvt_codec, an_event_keeps_its_header_and_payload)
{
    zvt_order_failed_t payload = {.failure_reason = ZVT_CODE_HALTED, .step = "route"};
    uint8_t payload_bytes[256];
    zvt_buf_t packed = {.data = payload_bytes, .capacity = sizeof payload_bytes};
    cr_assert_eq(zvt_pack_payload(&packed, ZVT_T_ORDER_FAILED, &payload), 0);
    zvt_event_t in = {.seq = UINT64_MAX, .type = ZVT_T_ORDER_FAILED, .version = 1, .timestamp_ns = -5, .aggregate_version = 9,
                      .event_id = {{1}}, .correlation_id = {{2}}, .causation_id = {{3}}, .aggregate_id = {{4}},
                      .metadata = {.emitter = "test", .epoch = 3}, .payload = packed.data, .payload_length = packed.length};
    zvt_buf_t buf = {.data = s_bytes, .capacity = SIZE};
    cr_assert_eq(zvt_pack_event(&buf, &in), 0);
    for (size_t cut = 0; cut < buf.length; cut++) {
        zvt_cursor_t part = zvt_cursor(buf.data, cut);
        zvt_event_t out;
        cr_assert_neq(zvt_read_event(&part, &out), 0);
    }
    zvt_cursor_t cursor = zvt_cursor(buf.data, buf.length);
    zvt_event_t out;
    cr_assert_eq(zvt_read_event(&cursor, &out), 0);
    cr_assert(zvt_cursor_done(&cursor));
    cr_assert_eq(out.seq, in.seq);
    cr_assert_eq(out.timestamp_ns, -5);
    cr_assert_str_eq(out.metadata.emitter, "test");
    cr_assert_eq(zvt_read_payload(&out, &s_out), 0);
    cr_assert_eq(s_out.order_failed.failure_reason, ZVT_CODE_HALTED);
    cr_assert_str_eq(s_out.order_failed.step, "route");
}

Test(zvt_schema, ids_and_names_are_unique_and_parts_hold_no_types)
{
    for (unsigned a = 0; a < ZVT_T_LIMIT; a++) {
        if (zvt_desc(a) == NULL) continue;
        cr_assert_eq((unsigned)zvt_desc(a)->type, a);
        cr_assert_eq(zvt_desc_by_name(zvt_desc(a)->name), zvt_desc(a), "%s", zvt_desc(a)->name);
    }
    for (unsigned e = 0; e < ZVT_ENUM_COUNT; e++) {
        const zvt_enum_desc_t *desc = zvt_enum_desc(e);
        for (size_t i = 0; i < desc->rows_count; i++) {
            cr_assert_neq(desc->rows[i].id, 0);
            cr_assert_str_eq(zvt_enum_text(e, desc->rows[i].id), desc->rows[i].text);
            cr_assert_eq(zvt_enum_parse(e, desc->rows[i].text), desc->rows[i].id);
        }
    }
}

Test(zvt_schema, a_text_that_is_too_long_is_cut_between_characters)
{
    char member[6];
    ZVT_STR_SET(member, "ab\xc3\xa9\xc3\xa9");
    cr_assert_str_eq(member, "ab\xc3\xa9");
}
