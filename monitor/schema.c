/* schema -- the command that prints the schema table in one of its forms. */
#include "command.h"
#include "schema_doc.h"

typedef struct {
    bool markdown, sql, json;
} schema_args_t;

#define AT(member) .offset = offsetof(schema_args_t, member)
static const arg_t s_schema_args[] = {
    {.name = "markdown", .kind = ARG_FLAG, AT(markdown), .meaning = "the page docs/wire.md"},
    {.name = "sql", .kind = ARG_FLAG, AT(sql), .meaning = "rows of the tables event_schema and enum_schema"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "for programs in other languages"},
    {.name = NULL},
};
#undef AT

static int s_run_schema(const void *arg)
{
    const schema_args_t *args = arg;
    if ((int)args->markdown + (int)args->sql + (int)args->json != 1)
        return command_misused("schema: choose one of --markdown, --sql, --json");
    void (*print)(FILE *out) = args->markdown ? schema_doc_markdown : args->sql ? schema_doc_sql : schema_doc_json;
    print(stdout);
    return ZVT_EXIT_OK;
}

const command_t command_schema = {.name = "schema", .summary = "Prints the schema of the wire.",
                                  .args = s_schema_args, .size = sizeof(schema_args_t), .run = s_run_schema, .internal = true};
