/* zvt_json -- records and events as JSON, by walking the schema table.
 *
 * Shapes   decimals are strings ("0.1"), times ISO 8601 with microseconds, ids UUID text, enumerations their text;
 *          a time or id that is not given is null.
 * Bounds   writes to a FILE, which is the caller's to check for errors. */
#ifndef ZVT_JSON_H
#define ZVT_JSON_H

#include <stdio.h>

#include "zvt_codec.h"

/* "text" with quotes and escapes. */
void zvt_json_string(FILE *out, const char *text);
/* {"name": value, ..} of a record struct. */
void zvt_json_record(FILE *out, zvt_type_t type, const void *record);
/* One object: the header's names, shard, and the payload under "data". A payload that cannot be read becomes
 * {"error": "..."}. */
void zvt_json_event(FILE *out, const zvt_event_t *event, uint32_t shard);

#endif
