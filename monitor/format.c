#include "format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zvt_time.h"

#define UPTIME_MAX_S (INT64_C(1000000) * 86400) /* what fits the text */

/* ---- colours ---- */
static const char *const s_escapes[FORMAT_TONES] = {
    [FORMAT_PLAIN] = "",          [FORMAT_GOOD] = "\033[32m", [FORMAT_BAD] = "\033[31m",
    [FORMAT_WARNING] = "\033[33m", [FORMAT_QUIET] = "\033[2m", [FORMAT_STRONG] = "\033[1m",
};

bool format_wants_colour(FILE *out)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (no_color != NULL && *no_color != '\0') return false;
    if (terminal == NULL || strcmp(terminal, "dumb") == 0) return false;
    return isatty(fileno(out)) != 0;
}

const char *format_tone(format_tone_t tone, bool colour)
{
    return colour ? s_escapes[tone] : "";
}

const char *format_tone_end(format_tone_t tone, bool colour)
{
    return colour && tone != FORMAT_PLAIN ? "\033[0m" : "";
}

/* ---- pieces ---- */
void format_short_id(const zvt_id_t *id, char text[FORMAT_SHORT_ID])
{
    char full[ZVT_ID_TEXT];
    zvt_id_format(id, full);
    snprintf(text, FORMAT_SHORT_ID, "%s", zvt_id_is_none(id) ? "-" : full + ZVT_ID_TEXT - FORMAT_SHORT_ID);
}

void format_clock(int64_t utc_ns, char text[FORMAT_CLOCK])
{
    char full[ZVT_TIME_TEXT];
    zvt_time_format(utc_ns, full);
    const char *clock = strchr(full, 'T');
    snprintf(text, FORMAT_CLOCK, "%.15s", clock == NULL || utc_ns == 0 ? "-" : clock + 1);
}

void format_ms(int64_t duration_ns, char text[ZVT_FIXED_TEXT])
{
    int64_t us = duration_ns / 1000;
    uint64_t magnitude = us < 0 ? (uint64_t)0 - (uint64_t)us : (uint64_t)us;
    snprintf(text, ZVT_FIXED_TEXT, "%s%" PRIu64 ".%03u", us < 0 ? "-" : "", magnitude / 1000, (unsigned)(magnitude % 1000));
}

void format_uptime(int64_t uptime_s, char text[FORMAT_UPTIME])
{
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    enum { UNITS = sizeof units / sizeof units[0] };
    if (uptime_s < 0) uptime_s = 0;
    if (uptime_s > UPTIME_MAX_S) uptime_s = UPTIME_MAX_S;
    int first = 0;
    while (first < UNITS - 1 && uptime_s < units[first].seconds) first++;
    unsigned whole = (unsigned)(uptime_s / units[first].seconds);
    if (first == UNITS - 1) {
        snprintf(text, FORMAT_UPTIME, "%us", whole);
        return;
    }
    unsigned rest = (unsigned)(uptime_s % units[first].seconds / units[first + 1].seconds);
    snprintf(text, FORMAT_UPTIME, "%u%c %u%c", whole, units[first].unit, rest, units[first + 1].unit);
}

size_t format_width(const char *text)
{
    size_t width = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if ((*c & 0xc0) != 0x80) width++;
    return width;
}
