/* schema_samples -- random records of every logged type, as msgpack and as JSON, to hold other decoders against ours.
 *
 * schema_samples [--sql] [N [SEED]] prints N samples per type, a line each: type id, hex of the payload, JSON. With
 * --sql it prints a psql script instead, which compares zvt_event_data with them and fails where they differ:
 *   schema_samples --sql 100 | psql -v ON_ERROR_STOP=1 DATABASE */
#include <stdlib.h>
#include <string.h>

#include "zvt_codec.h"
#include "zvt_json.h"

enum { PAYLOAD_SIZE = 64 << 10, SAMPLES = 20, SEED = 1 };

/* Values at the edges are worth more than those between. */
static int64_t s_random_i64(zvt_rng_t *rng)
{
    static const int64_t edges[] = {0, 1, -1, 31, -32, -33, 127, 128, 255, 256, 65535, 65536, 100000000, -100000000, 12345678,
                                    INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN, INT64_MIN + 1, 10, 1000000000};
    enum { EDGES = sizeof edges / sizeof edges[0] };
    if (zvt_rng_below(rng, 2) == 0) return edges[zvt_rng_below(rng, EDGES)];
    return (int64_t)(zvt_rng_next(rng) >> zvt_rng_below(rng, 64));
}

static void s_random_text(zvt_rng_t *rng, char *text, size_t bound)
{
    static const char *const pieces[] = {"a", "BTC/USDT", "\"quoted\"", "back\\slash", "'", "\xc3\xa4", "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80", " ", "{}", "key=value"};
    enum { PIECES = sizeof pieces / sizeof pieces[0] };
    char all[1024] = "";
    for (uint64_t n = zvt_rng_below(rng, 40); n > 0; n--) strcat(all, pieces[zvt_rng_below(rng, PIECES)]);
    zvt_str_set(text, bound, all);
}

static void s_random_record(zvt_rng_t *rng, const zvt_desc_t *desc, uint8_t *record);

static void s_random_list(zvt_rng_t *rng, const zvt_field_desc_t *field, uint8_t *record)
{
    uint32_t count = (uint32_t)zvt_rng_below(rng, field->bound + 1);
    memcpy(record + field->count_offset, &count, sizeof count);
    for (uint32_t i = 0; i < count; i++)
        s_random_record(rng, field->part, record + field->offset + (size_t)i * field->part->size);
}

static void s_random_field(zvt_rng_t *rng, const zvt_field_desc_t *field, uint8_t *record)
{
    void *member = record + field->offset;
    const zvt_enum_desc_t *enumeration;
    switch (field->kind) {
    case ZVT_KIND_ID:
        for (int i = 0; i < 16; i++) ((uint8_t *)member)[i] = (uint8_t)zvt_rng_next(rng);
        if (zvt_rng_below(rng, 4) == 0) memset(member, 0, sizeof(zvt_id_t));
        break;
    case ZVT_KIND_STR: s_random_text(rng, member, field->bound); break;
    case ZVT_KIND_I64:
    case ZVT_KIND_E8:
    case ZVT_KIND_NS: *(int64_t *)member = s_random_i64(rng); break;
    case ZVT_KIND_U64: *(uint64_t *)member = (uint64_t)s_random_i64(rng); break;
    case ZVT_KIND_U32: *(uint32_t *)member = (uint32_t)s_random_i64(rng); break;
    case ZVT_KIND_BOOL: *(bool *)member = zvt_rng_below(rng, 2) == 1; break;
    case ZVT_KIND_ENUM:
        enumeration = zvt_enum_desc(field->bound);
        if (zvt_rng_below(rng, 5) > 0) *(uint8_t *)member = enumeration->rows[zvt_rng_below(rng, enumeration->rows_count)].id;
        break;
    case ZVT_KIND_REC: s_random_record(rng, field->part, member); break;
    case ZVT_KIND_LIST: s_random_list(rng, field, record); break;
    }
}

static void s_random_record(zvt_rng_t *rng, const zvt_desc_t *desc, uint8_t *record)
{
    for (uint32_t i = 0; i < desc->fields_count; i++) s_random_field(rng, &desc->fields[i], record);
}

/* COPY's text format takes backslashes for itself. */
static void s_print_json(const char *json, bool sql)
{
    for (const char *c = json; *c != '\0'; c++) {
        if (sql && *c == '\\') putchar('\\');
        putchar(*c);
    }
}

static void s_print_sample(zvt_rng_t *rng, const zvt_desc_t *desc, bool sql)
{
    static uint8_t s_bytes[PAYLOAD_SIZE];
    static zvt_record_t s_record;
    zvt_buf_t buf = {.data = s_bytes, .capacity = sizeof s_bytes};
    char *json = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&json, &length);
    ZVT_ASSERT(out != NULL);
    memset(&s_record, 0, sizeof s_record);
    s_random_record(rng, desc, (uint8_t *)&s_record.hello);
    ZVT_ASSERT(zvt_pack_payload(&buf, desc->type, &s_record.hello) == 0);
    zvt_json_record(out, desc->type, &s_record.hello);
    fclose(out);
    printf("%d\t", (int)desc->type);
    for (size_t i = 0; i < buf.length; i++) printf("%02x", s_bytes[i]);
    putchar('\t');
    s_print_json(json, sql);
    putchar('\n');
    free(json);
}

int main(int argc, char **argv)
{
    bool sql = argc > 1 && strcmp(argv[1], "--sql") == 0;
    int first = sql ? 2 : 1;
    unsigned long samples = argc > first ? strtoul(argv[first], NULL, 10) : SAMPLES;
    zvt_rng_t rng;
    zvt_rng_seed(&rng, argc > first + 1 ? strtoul(argv[first + 1], NULL, 10) : SEED);
    if (sql) puts("CREATE TEMP TABLE sample (type smallint, payload text, expected jsonb);\nCOPY sample FROM STDIN;");
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) {
        const zvt_desc_t *desc = zvt_desc(type);
        bool logged = desc != NULL && desc->class == ZVT_CLASS_LOGGED;
        for (unsigned long n = 0; logged && n < samples; n++) s_print_sample(&rng, desc, sql);
    }
    if (!sql) return 0;
    puts("\\.\n"
         "DO $$\nDECLARE bad record;\nBEGIN\n"
         "    FOR bad IN SELECT type, payload, expected, zvt_event_data(type, decode(payload, 'hex')) AS got FROM sample LOOP\n"
         "        IF bad.got IS DISTINCT FROM bad.expected THEN\n"
         "            RAISE EXCEPTION 'type %: % gives %, not %', bad.type, bad.payload, bad.got, bad.expected;\n"
         "        END IF;\n"
         "    END LOOP;\nEND $$;\n"
         "SELECT count(*) AS equal_samples, count(DISTINCT type) AS types FROM sample;");
    return 0;
}
