/* schema_doc -- the schema table as a reference page, as SQL and as JSON.
 *
 * Pure: the same schema gives the same text, byte for byte, so that a test can tell a stale page. */
#ifndef MONITOR_SCHEMA_DOC_H
#define MONITOR_SCHEMA_DOC_H

#include <stdio.h>

#include "zvt_schema.h"

/* docs/wire.md. */
void schema_doc_markdown(FILE *out);
/* INSERTs for the tables event_schema and enum_schema. */
void schema_doc_sql(FILE *out);
/* {"records": [..], "enumerations": [..]} for other languages. */
void schema_doc_json(FILE *out);

/* Short name of a kind, such as "e8"; used in SQL and JSON. */
const char *schema_doc_kind_name(zvt_kind_t kind);

#endif
