/* format -- the small pieces of readable output: short ids, clock times, durations, colours.
 *
 * Pure but for format_wants_colour, which asks the terminal and the environment.
 * Units    *_ns: UTC nanoseconds; durations are printed in milliseconds.
 * Bounds   every text fits the size named beside it. */
#ifndef MONITOR_FORMAT_H
#define MONITOR_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "zvt_fixed.h"
#include "zvt_schema.h"

enum {
    FORMAT_SHORT_ID = 9,   /* bytes of a short id with its NUL */
    FORMAT_CLOCK = 16,     /* bytes of "12:34:56.123456" with its NUL */
    FORMAT_UPTIME = 32,    /* bytes of "7m 3s" with its NUL */
    FORMAT_SEQ_WIDTH = 8,  /* columns of a seq in lines of events */
    FORMAT_TYPE_WIDTH = 21, /* of an event type */
    FORMAT_SYMBOL_WIDTH = 9,
};

/* What a colour says, not which it is. */
typedef enum {
    FORMAT_PLAIN,
    FORMAT_GOOD,    /* executed, completed, ready */
    FORMAT_BAD,     /* refused, failed, down */
    FORMAT_WARNING, /* needs a look */
    FORMAT_QUIET,   /* times, ids, heads of tables */
    FORMAT_STRONG,  /* the state of things */
    FORMAT_TONES
} format_tone_t;

/* True on a terminal, unless NO_COLOR is set (https://no-color.org) or the terminal is dumb. */
bool format_wants_colour(FILE *out);
/* Escape sequences around a tone; "" without colour. */
const char *format_tone(format_tone_t tone, bool colour);
const char *format_tone_end(format_tone_t tone, bool colour);

/* The last 8 hex digits: a UUIDv7 begins with the time, so that its end tells ids apart. "-" for none. */
void format_short_id(const zvt_id_t *id, char text[FORMAT_SHORT_ID]);
/* UTC time of day with microseconds. */
void format_clock(int64_t utc_ns, char text[FORMAT_CLOCK]);
/* Milliseconds with microseconds, such as "1.234". Negative durations keep their sign. */
void format_ms(int64_t duration_ns, char text[ZVT_FIXED_TEXT]);
/* "3d 4h", "5h 12m", "7m 3s", "12s": two units say enough. */
void format_uptime(int64_t uptime_s, char text[FORMAT_UPTIME]);
/* Columns that a UTF-8 text takes on a terminal; wide characters count as one. */
size_t format_width(const char *text);

#endif
