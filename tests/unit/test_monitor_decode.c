#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode_core.h"
#include "zvt_codec.h"

static char *s_text;
static size_t s_length;

static int s_decode(const char *line)
{
    free(s_text);
    FILE *out = open_memstream(&s_text, &s_length);
    int status = decode_line(line, out);
    fclose(out);
    return status;
}

/* A barrier as the log has it: "SEQ<tab>TYPE<tab>HEX". */
static void s_line(char line[512])
{
    uint8_t bytes[128];
    zvt_system_barrier_t barrier = {.requested_by = "somebody"};
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    cr_assert_eq(zvt_pack(&buf, ZVT_T_SYSTEM_BARRIER, &barrier), 0);
    size_t skipped = bytes[1] < 128 ? 2 : 3; /* the type id stands in the record, and beside the payload in the log */
    int at = snprintf(line, 512, "42\t%d\t%02x", ZVT_T_SYSTEM_BARRIER, bytes[0] - 1);
    for (size_t i = skipped; i < buf.length; i++) at += snprintf(line + at, 512 - (size_t)at, "%02x", bytes[i]);
}

Test(monitor_decode, prints_what_tail_prints_of_a_payload)
{
    char line[512], begin[32];
    s_line(line);
    cr_assert_eq(s_decode(line), 0);
    snprintf(begin, sizeof begin, "42\t%d\t{", ZVT_T_SYSTEM_BARRIER);
    cr_assert_eq(strncmp(s_text, begin, strlen(begin)), 0, "%s", s_text);
    cr_assert_not_null(strstr(s_text, "\"requested_by\": \"somebody\""));
    cr_assert_eq(s_text[s_length - 1], '\n');
}

Test(monitor_decode, refuses_every_line_that_is_cut_off)
{
    char line[512];
    s_line(line);
    for (size_t length = strlen(line) - 1; length > 0; length--) {
        line[length] = '\0';
        cr_assert_neq(s_decode(line), 0, "%s", line);
        cr_assert_eq(s_length, 0u);
    }
}

Test(monitor_decode, refuses_lines_of_another_shape)
{
    static const char *const lines[] = {"", "\n", "x", "1", "1\t", "1\t1", "-1\t1\t90", "1\t99999999\t90", "1\t1\tzz", "1\t1\t9", "1 1 90", "1\t120\t90"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) cr_assert_neq(s_decode(lines[i]), 0, "%s", lines[i]);
    char *huge = malloc(2 * DECODE_PAYLOAD_MAX + 16);
    strcpy(huge, "1\t1\t");
    memset(huge + 4, '9', 2 * DECODE_PAYLOAD_MAX + 2);
    huge[2 * DECODE_PAYLOAD_MAX + 6] = '\0';
    cr_assert_eq(s_decode(huge), ZVT_ERR_FULL);
    free(huge);
}
