/* zvt_schema -- structs, ids and descriptors of everything on the wire, expanded from the one table in schema/.
 *
 * Shapes   zvt_NAME_t for each record; member names are the wire names with the unit as last word
 *          (E8 fields end in _e8, NS fields in _ns, lists have NAME_count beside NAME[]).
 * Owns     nothing: records are plain values without pointers and may be copied.
 * Source   docs/wire.md is generated from this table. */
#ifndef ZVT_SCHEMA_H
#define ZVT_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/enums.h"
#include "schema/events.h"
#include "schema/messages.h"
#include "schema/records.h"
#include "schema/state.h"
#include "zvt_id.h"

/* ---- enumerations: ZVT_SIDE_BUY and so on; stored as one byte ---- */
#define ZVT_ENUM_MEMBER(PREFIX, NAME, id, text, meaning) ZVT_##PREFIX##_##NAME = (id),
#define ZVT_ENUM_TYPE(PREFIX, c_name) \
    enum { ZVT_ENUM_##PREFIX(ZVT_ENUM_MEMBER) };
ZVT_ENUMS(ZVT_ENUM_TYPE)
#undef ZVT_ENUM_TYPE
#undef ZVT_ENUM_MEMBER

typedef struct {
    uint8_t id;          /* wire value, never 0 */
    const char *text;    /* stable name for people and scripts */
    const char *meaning; /* a phrase for the reference page */
} zvt_enum_row_t;

typedef struct {
    const char *name;           /* such as "side" */
    const zvt_enum_row_t *rows; /* in the order of the table */
    size_t rows_count;
} zvt_enum_desc_t;

enum {
#define ZVT_ENUM_INDEX(PREFIX, c_name) ZVT_ENUM_OF_##PREFIX,
    ZVT_ENUMS(ZVT_ENUM_INDEX)
#undef ZVT_ENUM_INDEX
    ZVT_ENUM_COUNT
};

/* Descriptor of an enumeration, by ZVT_ENUM_OF_*. */
const zvt_enum_desc_t *zvt_enum_desc(unsigned enumeration);
/* Text of a value; "" for 0 and "?" for a value the table does not have. */
const char *zvt_enum_text(unsigned enumeration, uint8_t id);
/* Value of a text, without regard to case; 0 when there is none. */
uint8_t zvt_enum_parse(unsigned enumeration, const char *text);
bool zvt_enum_valid(unsigned enumeration, uint8_t id);

#define zvt_code_text(code) zvt_enum_text(ZVT_ENUM_OF_CODE, (code))
#define zvt_order_state_text(state) zvt_enum_text(ZVT_ENUM_OF_ORDER_STATE, (state))

/* ---- records ---- */
#define ZVT_MEMBER_ID(name, N) zvt_id_t name;
#define ZVT_MEMBER_STR(name, N) char name[N];
#define ZVT_MEMBER_I64(name, N) int64_t name;
#define ZVT_MEMBER_U64(name, N) uint64_t name;
#define ZVT_MEMBER_U32(name, N) uint32_t name;
#define ZVT_MEMBER_BOOL(name, N) bool name;
#define ZVT_MEMBER_E8(name, N) int64_t name##_e8;
#define ZVT_MEMBER_NS(name, N) int64_t name##_ns;
#define ZVT_MEMBER_ENUM(name, N) uint8_t name;
#define ZVT_MEMBER_REC(name, N) zvt_##N##_t name;
#define ZVT_MEMBER_LIST(name, N) \
    uint32_t name##_count;       \
    zvt_##N##_t name[ZVT_LIST_MAX_##N];
#define ZVT_MEMBER(S, KIND, name, N, unit, meaning) ZVT_MEMBER_##KIND(name, N)
#define ZVT_STRUCT(ID, c_name, type_id, version, KIND, emitter, wire_name, meaning) \
    typedef struct {                                                                \
        ZVT_FIELDS_##c_name(ZVT_MEMBER, c_name)                                     \
    } zvt_##c_name##_t;
ZVT_RECORDS(ZVT_STRUCT)
#undef ZVT_STRUCT

typedef enum {
#define ZVT_TYPE_ID(ID, c_name, type_id, version, KIND, emitter, wire_name, meaning) ZVT_T_##ID = (type_id),
    ZVT_RECORDS(ZVT_TYPE_ID)
#undef ZVT_TYPE_ID
    ZVT_T_LIMIT = 256 /* every type id is below */
} zvt_type_t;

/* Any record with its type; the body named like the record is the valid one. */
typedef struct {
    zvt_type_t type;
    union {
#define ZVT_UNION_MEMBER(ID, c_name, type_id, version, KIND, emitter, wire_name, meaning) zvt_##c_name##_t c_name;
        ZVT_RECORDS(ZVT_UNION_MEMBER)
#undef ZVT_UNION_MEMBER
    };
} zvt_record_t;

/* ---- descriptors ---- */
typedef enum {
    ZVT_KIND_ID,   /* zvt_id_t, 16 bytes of msgpack bin */
    ZVT_KIND_STR,  /* char[], msgpack str without the NUL */
    ZVT_KIND_I64,
    ZVT_KIND_U64,
    ZVT_KIND_U32,
    ZVT_KIND_BOOL,
    ZVT_KIND_E8,   /* int64 on the wire; JSON shows a decimal string */
    ZVT_KIND_NS,   /* int64 on the wire; JSON shows ISO 8601 */
    ZVT_KIND_ENUM, /* uint8 on the wire; JSON shows the text */
    ZVT_KIND_REC,  /* a part, nested array */
    ZVT_KIND_LIST, /* array of parts */
} zvt_kind_t;

typedef enum {
    ZVT_CLASS_LOGGED,
    ZVT_CLASS_NOTICE,
    ZVT_CLASS_MARKET,
    ZVT_CLASS_MESSAGE,
    ZVT_CLASS_STATE,
    ZVT_CLASS_PART,
} zvt_class_t;

typedef struct zvt_desc zvt_desc_t;

typedef struct {
    const char *name;       /* wire name */
    zvt_kind_t kind;
    uint32_t offset;        /* of the member in the struct; of the first element for a LIST */
    uint32_t count_offset;  /* LIST: offset of the uint32_t count */
    uint32_t bound;         /* STR: bytes with NUL; LIST: most elements; ENUM: ZVT_ENUM_OF_* */
    const zvt_desc_t *part; /* REC and LIST: what is nested */
    const char *unit;       /* "" where it needs none */
    const char *meaning;
} zvt_field_desc_t;

struct zvt_desc {
    const char *name; /* wire name, such as "order.executed" */
    const char *emitter;
    const char *meaning;
    zvt_type_t type;
    uint32_t version;
    zvt_class_t class;
    uint32_t size; /* of the struct */
    const zvt_field_desc_t *fields;
    uint32_t fields_count;
};

/* Descriptor of a type id; NULL for an id the table does not have. */
const zvt_desc_t *zvt_desc(unsigned type);
/* Descriptor of a wire name; NULL if there is none. */
const zvt_desc_t *zvt_desc_by_name(const char *name);
/* How many of a record's fields cannot be missing; those after them were appended later. */
uint32_t zvt_fields_required(const zvt_desc_t *desc);
/* Wire name of a type id; "?" for an id the table does not have. */
const char *zvt_type_name(unsigned type);

/* Copies text into a STR member, cutting it at a character boundary when it is too long. */
void zvt_str_set(char *member, size_t size, const char *text);
#define ZVT_STR_SET(member, text) zvt_str_set((member), sizeof(member), (text))

#endif
