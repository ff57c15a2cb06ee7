#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "schema_doc.h"

static char *s_print(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    print(out);
    fclose(out);
    return text;
}

static size_t s_count(const char *text, const char *word)
{
    size_t n = 0, length = strlen(word);
    for (; *text != '\0'; text++)
        if (*text == *word && strncmp(text, word, length) == 0) n++;
    return n;
}

Test(monitor_schema_doc, markdown_describes_every_record_field_and_value)
{
    char *text = s_print(schema_doc_markdown), line[256];
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) {
        const zvt_desc_t *desc = zvt_desc(type);
        if (desc == NULL) continue;
        snprintf(line, sizeof line, "\n### %s\n", desc->name);
        cr_assert_eq(s_count(text, line), 1, "%s", desc->name);
        for (uint32_t i = 0; i < desc->fields_count; i++) {
            snprintf(line, sizeof line, "| %s | %s", desc->fields[i].name, schema_doc_kind_name(desc->fields[i].kind));
            cr_assert_geq(s_count(text, line), 1, "%s.%s", desc->name, desc->fields[i].name);
        }
    }
    for (unsigned e = 0; e < ZVT_ENUM_COUNT; e++) {
        const zvt_enum_desc_t *desc = zvt_enum_desc(e);
        for (size_t i = 0; i < desc->rows_count; i++) {
            snprintf(line, sizeof line, "| %u | %s | ", desc->rows[i].id, desc->rows[i].text);
            cr_assert_geq(s_count(text, line), 1, "%s %s", desc->name, desc->rows[i].text);
        }
    }
    free(text);
}

Test(monitor_schema_doc, is_the_same_every_time)
{
    static void (*const forms[])(FILE *out) = {schema_doc_markdown, schema_doc_sql, schema_doc_json};
    for (size_t i = 0; i < 3; i++) {
        char *once = s_print(forms[i]), *again = s_print(forms[i]);
        cr_assert_str_eq(once, again);
        free(once);
        free(again);
    }
}

Test(monitor_schema_doc, json_holds_every_record)
{
    char *text = s_print(schema_doc_json);
    json_t *json = json_loads(text, 0, NULL);
    cr_assert_not_null(json);
    size_t records = 0;
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) records += zvt_desc(type) != NULL ? 1 : 0;
    cr_assert_eq(json_array_size(json_object_get(json, "records")), records);
    cr_assert_eq(json_array_size(json_object_get(json, "enumerations")), ZVT_ENUM_COUNT);
    json_decref(json);
    free(text);
}

Test(monitor_schema_doc, sql_has_a_row_per_field_and_value)
{
    char *text = s_print(schema_doc_sql);
    size_t rows = 0;
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) rows += zvt_desc(type) != NULL ? zvt_desc(type)->fields_count : 0;
    for (unsigned e = 0; e < ZVT_ENUM_COUNT; e++) rows += zvt_enum_desc(e)->rows_count;
    cr_assert_eq(s_count(text, "\n("), rows);
    cr_assert_eq(s_count(text, "ON CONFLICT"), 2);
    /* Quotes inside meanings are doubled, so their number is even. */
    cr_assert_eq(s_count(text, "'") % 2, 0);
    cr_assert_not_null(strstr(text, "the venue''s execution id"));
    free(text);
}
