#include "decode_core.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

#include "zvt_codec.h"
#include "zvt_json.h"

static int s_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/* The number before a tab; the text after it, or NULL. */
static const char *s_number(const char *text, uint64_t *value)
{
    char *end;
    if (*text < '0' || *text > '9') return NULL;
    *value = strtoull(text, &end, 10);
    return *end == '\t' ? end + 1 : NULL;
}

static int s_bytes(const char *hex, uint8_t bytes[DECODE_PAYLOAD_MAX], size_t *length)
{
    for (*length = 0; *hex != '\0' && *hex != '\n'; hex += 2, (*length)++) {
        if (*length == DECODE_PAYLOAD_MAX) return ZVT_ERR_FULL;
        int high = s_digit(hex[0]), low = high < 0 ? -1 : s_digit(hex[1]);
        if (low < 0) return ZVT_ERR_INVALID;
        bytes[*length] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

int decode_line(const char *line, FILE *out)
{
    static uint8_t s_payload[DECODE_PAYLOAD_MAX];
    static zvt_record_t s_record;
    uint64_t type = 0;
    zvt_event_t event = {.payload = s_payload};
    const char *rest = s_number(line, &event.seq);
    if (rest != NULL) rest = s_number(rest, &type);
    if (rest == NULL || type >= ZVT_T_LIMIT) return ZVT_ERR_INVALID;
    event.type = (zvt_type_t)type;
    int status = s_bytes(rest, s_payload, &event.payload_length);
    if (status == 0) status = zvt_read_payload(&event, &s_record);
    if (status != 0) return status;
    fprintf(out, "%" PRIu64 "\t%" PRIu64 "\t", event.seq, type);
    zvt_json_record(out, event.type, &s_record.hello);
    putc('\n', out);
    return 0;
}
