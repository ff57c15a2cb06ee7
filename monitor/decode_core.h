/* decode_core -- payloads of the log as JSON, a line each, for scripts that read the table events themselves.
 *
 * Shapes   in: "SEQ<tab>TYPE ID<tab>PAYLOAD IN HEX"; out: "SEQ<tab>TYPE ID<tab>JSON", the JSON as `tail` shows it under "data".
 * Bounds   DECODE_PAYLOAD_MAX bytes of payload.
 * Errors   decode_line: ZVT_ERR_INVALID for a line of another shape, ZVT_ERR_FULL for a longer payload, or what the codec says
 *          of the payload; nothing is written then. */
#ifndef MONITOR_DECODE_CORE_H
#define MONITOR_DECODE_CORE_H

#include <stdio.h>

#include "zvt_error.h"

enum { DECODE_PAYLOAD_MAX = 64 << 10 };

/* The line may end with a newline. */
ZVT_MUSTUSE int decode_line(const char *line, FILE *out);

#endif
