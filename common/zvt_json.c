#include "zvt_json.h"

#include <inttypes.h>
#include <string.h>

#include "zvt_fixed.h"
#include "zvt_time.h"

void zvt_json_string(FILE *out, const char *text)
{
    putc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20)
            fprintf(out, "\\u%04x", *c);
        else
            putc(*c, out);
    }
    putc('"', out);
}

static void s_id(FILE *out, const zvt_id_t *id)
{
    char text[ZVT_ID_TEXT];
    zvt_id_format(id, text);
    if (zvt_id_is_none(id))
        fputs("null", out);
    else
        fprintf(out, "\"%s\"", text);
}

static void s_e8(FILE *out, int64_t value_e8)
{
    char text[ZVT_FIXED_TEXT];
    zvt_fixed_format(value_e8, text);
    fprintf(out, "\"%s\"", text);
}

static void s_ns(FILE *out, int64_t utc_ns)
{
    char text[ZVT_TIME_TEXT];
    zvt_time_format(utc_ns, text);
    if (utc_ns == 0)
        fputs("null", out);
    else
        fprintf(out, "\"%s\"", text);
}

static void s_list(FILE *out, const zvt_field_desc_t *field, const uint8_t *record)
{
    uint32_t count;
    memcpy(&count, record + field->count_offset, sizeof count);
    putc('[', out);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) fputs(", ", out);
        zvt_json_record(out, field->part->type, record + field->offset + (size_t)i * field->part->size);
    }
    putc(']', out);
}

static void s_value(FILE *out, const zvt_field_desc_t *field, const uint8_t *record)
{
    const void *member = record + field->offset;
    switch (field->kind) {
    case ZVT_KIND_ID: s_id(out, member); break;
    case ZVT_KIND_STR: zvt_json_string(out, member); break;
    case ZVT_KIND_I64: fprintf(out, "%" PRId64, *(const int64_t *)member); break;
    case ZVT_KIND_U64: fprintf(out, "%" PRIu64, *(const uint64_t *)member); break;
    case ZVT_KIND_U32: fprintf(out, "%" PRIu32, *(const uint32_t *)member); break;
    case ZVT_KIND_BOOL: fputs(*(const bool *)member ? "true" : "false", out); break;
    case ZVT_KIND_E8: s_e8(out, *(const int64_t *)member); break;
    case ZVT_KIND_NS: s_ns(out, *(const int64_t *)member); break;
    case ZVT_KIND_ENUM: zvt_json_string(out, zvt_enum_text(field->bound, *(const uint8_t *)member)); break;
    case ZVT_KIND_REC: zvt_json_record(out, field->part->type, member); break;
    case ZVT_KIND_LIST: s_list(out, field, record); break;
    }
}

void zvt_json_record(FILE *out, zvt_type_t type, const void *record)
{
    const zvt_desc_t *desc = zvt_desc(type);
    ZVT_ASSERT(desc != NULL);
    putc('{', out);
    for (uint32_t i = 0; i < desc->fields_count; i++) {
        fprintf(out, "%s\"%s\": ", i > 0 ? ", " : "", desc->fields[i].name);
        s_value(out, &desc->fields[i], record);
    }
    putc('}', out);
}

void zvt_json_event(FILE *out, const zvt_event_t *event, uint32_t shard)
{
    char time[ZVT_TIME_TEXT];
    zvt_time_format(event->timestamp_ns, time);
    fprintf(out, "{\"seq\": %" PRIu64 ", \"event_id\": ", event->seq);
    s_id(out, &event->event_id);
    fprintf(out, ", \"event_type\": \"%s\", \"timestamp\": \"%s\", \"correlation_id\": ", zvt_type_name(event->type), time);
    s_id(out, &event->correlation_id);
    fputs(", \"causation_id\": ", out);
    s_id(out, &event->causation_id);
    fputs(", \"aggregate_id\": ", out);
    s_id(out, &event->aggregate_id);
    fprintf(out, ", \"aggregate_version\": %" PRIu32 ", \"version\": %" PRIu32 ", \"metadata\": ", event->aggregate_version,
            event->version);
    zvt_json_record(out, ZVT_T_METADATA, &event->metadata);
    fprintf(out, ", \"shard\": %" PRIu32 ", \"data\": ", shard);
    zvt_record_t record;
    int status = zvt_read_payload(event, &record);
    if (status == 0)
        zvt_json_record(out, record.type, &record.hello);
    else
        fprintf(out, "{\"error\": \"%s\"}", zvt_strerror(status));
    putc('}', out);
}
