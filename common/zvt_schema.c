#include "zvt_schema.h"

#include <string.h>
#include <strings.h>

/* ---- enumerations ---- */
#define ENUM_ROW(PREFIX, NAME, value, text_, meaning_) {.id = (value), .text = (text_), .meaning = (meaning_)},
#define ENUM_ROWS(PREFIX, c_name) static const zvt_enum_row_t s_rows_##c_name[] = {ZVT_ENUM_##PREFIX(ENUM_ROW)};
ZVT_ENUMS(ENUM_ROWS)

#define ENUM_DESC(PREFIX, c_name)                                   \
    [ZVT_ENUM_OF_##PREFIX] = {.name = #c_name,                      \
                              .rows = s_rows_##c_name,              \
                              .rows_count = sizeof s_rows_##c_name / sizeof s_rows_##c_name[0]},
static const zvt_enum_desc_t s_enums[ZVT_ENUM_COUNT] = {ZVT_ENUMS(ENUM_DESC)};

const zvt_enum_desc_t *zvt_enum_desc(unsigned enumeration)
{
    ZVT_ASSERT(enumeration < ZVT_ENUM_COUNT);
    return &s_enums[enumeration];
}

/* Texts by id, because every field of every message that is read is looked up here. */
#define ENUM_TEXT(PREFIX, NAME, value, text_, meaning_) [value] = (text_),
#define ENUM_TEXTS(PREFIX, c_name) [ZVT_ENUM_OF_##PREFIX] = {ZVT_ENUM_##PREFIX(ENUM_TEXT)},
static const char *const s_texts[ZVT_ENUM_COUNT][UINT8_MAX + 1] = {ZVT_ENUMS(ENUM_TEXTS)};

const char *zvt_enum_text(unsigned enumeration, uint8_t id)
{
    ZVT_ASSERT(enumeration < ZVT_ENUM_COUNT);
    if (id == 0) return "";
    return s_texts[enumeration][id] == NULL ? "?" : s_texts[enumeration][id];
}

uint8_t zvt_enum_parse(unsigned enumeration, const char *text)
{
    const zvt_enum_desc_t *desc = zvt_enum_desc(enumeration);
    for (size_t i = 0; i < desc->rows_count; i++)
        if (strcasecmp(desc->rows[i].text, text) == 0) return desc->rows[i].id;
    return 0;
}

bool zvt_enum_valid(unsigned enumeration, uint8_t id)
{
    ZVT_ASSERT(enumeration < ZVT_ENUM_COUNT);
    return s_texts[enumeration][id] != NULL;
}

/* ---- records ---- */
#define OFFSET_OF(S, member) (uint32_t) offsetof(zvt_##S##_t, member)

/* One row per kind: the member's name differs by unit, and only some kinds have a bound or a part. */
#define FIELD_ID(S, field, N) .kind = ZVT_KIND_ID, .offset = OFFSET_OF(S, field)
#define FIELD_STR(S, field, N) .kind = ZVT_KIND_STR, .offset = OFFSET_OF(S, field), .bound = (N)
#define FIELD_I64(S, field, N) .kind = ZVT_KIND_I64, .offset = OFFSET_OF(S, field)
#define FIELD_U64(S, field, N) .kind = ZVT_KIND_U64, .offset = OFFSET_OF(S, field)
#define FIELD_U32(S, field, N) .kind = ZVT_KIND_U32, .offset = OFFSET_OF(S, field)
#define FIELD_BOOL(S, field, N) .kind = ZVT_KIND_BOOL, .offset = OFFSET_OF(S, field)
#define FIELD_E8(S, field, N) .kind = ZVT_KIND_E8, .offset = OFFSET_OF(S, field##_e8)
#define FIELD_NS(S, field, N) .kind = ZVT_KIND_NS, .offset = OFFSET_OF(S, field##_ns)
#define FIELD_ENUM(S, field, N) .kind = ZVT_KIND_ENUM, .offset = OFFSET_OF(S, field), .bound = ZVT_ENUM_OF_##N
#define FIELD_REC(S, field, N) .kind = ZVT_KIND_REC, .offset = OFFSET_OF(S, field), .part = &s_desc_##N
#define FIELD_LIST(S, field, N)                                                                \
    .kind = ZVT_KIND_LIST, .offset = OFFSET_OF(S, field), .bound = ZVT_LIST_MAX_##N,           \
    .count_offset = OFFSET_OF(S, field##_count), .part = &s_desc_##N
#define FIELD_ROW(S, KIND, field, N, unit_, meaning_) \
    {.name = #field, FIELD_##KIND(S, field, N), .unit = (unit_), .meaning = (meaning_)},

#define RECORD_DESC(ID, c_name, type_id, version_, KIND, emitter_, wire_name, meaning_)                      \
    static const zvt_field_desc_t s_fields_##c_name[] = {ZVT_FIELDS_##c_name(FIELD_ROW, c_name)};            \
    static const zvt_desc_t s_desc_##c_name = {                                                              \
        .name = (wire_name), .emitter = (emitter_), .meaning = (meaning_), .type = ZVT_T_##ID,               \
        .version = (version_), .class = ZVT_CLASS_##KIND, .size = (uint32_t)sizeof(zvt_##c_name##_t),        \
        .fields = s_fields_##c_name, .fields_count = sizeof s_fields_##c_name / sizeof s_fields_##c_name[0]};
ZVT_RECORDS(RECORD_DESC)

#define DESC_CELL(ID, c_name, type_id, version, KIND, emitter, wire_name, meaning) [type_id] = &s_desc_##c_name,
static const zvt_desc_t *const s_descs[ZVT_T_LIMIT] = {ZVT_RECORDS(DESC_CELL)};

const zvt_desc_t *zvt_desc(unsigned type)
{
    return type < ZVT_T_LIMIT ? s_descs[type] : NULL;
}

const zvt_desc_t *zvt_desc_by_name(const char *name)
{
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++)
        if (s_descs[type] != NULL && strcmp(s_descs[type]->name, name) == 0) return s_descs[type];
    return NULL;
}

#define APPENDED_CELL(ID, count) [ZVT_T_##ID] = (count),
static const uint8_t s_appended[ZVT_T_LIMIT] = {ZVT_APPENDED(APPENDED_CELL)};

uint32_t zvt_fields_required(const zvt_desc_t *desc)
{
    return desc->fields_count - s_appended[desc->type];
}

const char *zvt_type_name(unsigned type)
{
    const zvt_desc_t *desc = zvt_desc(type);
    return desc == NULL ? "?" : desc->name;
}

void zvt_str_set(char *member, size_t size, const char *text)
{
    size_t length = strnlen(text, size);
    if (length == size) {
        length = size - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) length--; /* not inside a UTF-8 character */
    }
    memcpy(member, text, length);
    memset(member + length, 0, size - length);
}
