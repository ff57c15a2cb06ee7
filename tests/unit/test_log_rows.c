#include <criterion/criterion.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "log_rows.h"

enum { COLUMNS = 11 };

static uint8_t s_message[1024];
static size_t s_length;

static void s_append(const void *data, size_t length)
{
    memcpy(s_message + s_length, data, length);
    s_length += length;
}

static void s_column(const void *data, uint32_t length)
{
    uint32_t be = htobe32(length);
    s_append(&be, sizeof be);
    s_append(data, length);
}

static void s_number(uint64_t value, uint32_t width)
{
    uint64_t be = htobe64(value);
    s_column((const uint8_t *)&be + 8 - width, width);
}

static zvt_id_t s_id(unsigned n)
{
    char text[16];
    snprintf(text, sizeof text, "%u", n);
    return zvt_id_from_text(text, strlen(text));
}

/* An event with a payload of two numbers. */
static zvt_event_t s_event(uint64_t seq, int64_t timestamp_ns)
{
    static const uint8_t payload[] = {0x92, 0x01, 0x02};
    return (zvt_event_t){.seq = seq, .event_id = s_id(1), .type = ZVT_T_ORDER_EXECUTED, .version = 300, .timestamp_ns = timestamp_ns,
                         .correlation_id = s_id(2), .causation_id = s_id(3), .aggregate_id = s_id(4), .aggregate_version = 70000,
                         .metadata = {.emitter = "orchestrator", .epoch = 7}, .payload = payload, .payload_length = sizeof payload};
}

/* The message that COPY sends for it. */
static void s_make_message(const zvt_event_t *event, bool first)
{
    zvt_buf_t metadata = {.data = (uint8_t[128]){0}, .capacity = 128};
    cr_assert_eq(zvt_pack_metadata(&metadata, &event->metadata), 0);
    uint16_t columns = htobe16(COLUMNS);
    s_length = 0;
    if (first) s_append("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", LOG_ROWS_HEADER);
    s_append(&columns, sizeof columns);
    s_number(event->seq, 8);
    s_column(&event->event_id, sizeof event->event_id);
    s_number(event->type, 2);
    s_number(event->version, 2);
    s_number((uint64_t)event->timestamp_ns, 8);
    s_column(&event->correlation_id, sizeof event->correlation_id);
    s_column(&event->causation_id, sizeof event->causation_id);
    s_column(&event->aggregate_id, sizeof event->aggregate_id);
    s_number(event->aggregate_version, 4);
    s_column(metadata.data, (uint32_t)metadata.length);
    s_column(event->payload, (uint32_t)event->payload_length);
}

static void s_expect_packed_like(const zvt_event_t *event, bool first)
{
    log_row_t row;
    zvt_buf_t expected = {.data = (uint8_t[1024]){0}, .capacity = 1024}, packed = {.data = (uint8_t[1024]){0}, .capacity = 1024};
    s_make_message(event, first);
    cr_assert_eq(log_rows_read(s_message, s_length, first, &row), 1);
    cr_assert_eq(row.event.seq, event->seq);
    cr_assert_eq(row.event.type, event->type);
    cr_assert_eq(log_rows_pack(&packed, &row), 0);
    cr_assert_eq(zvt_pack_event(&expected, event), 0);
    cr_assert_eq(packed.length, expected.length);
    cr_assert_arr_eq(packed.data, expected.data, expected.length);
}

Test(log_rows, packs_a_row_exactly_as_the_codec_packs_the_event)
{
    static const uint64_t seqs[] = {1, 127, 128, 255, 256, 65535, 65536, UINT32_MAX, (uint64_t)UINT32_MAX + 1, INT64_MAX};
    for (size_t i = 0; i < sizeof seqs / sizeof seqs[0]; i++) {
        zvt_event_t event = s_event(seqs[i], (int64_t)seqs[i]);
        s_expect_packed_like(&event, i == 0);
    }
}

Test(log_rows, knows_the_end_of_the_stream_with_and_without_rows_before)
{
    log_row_t row;
    uint8_t empty[LOG_ROWS_HEADER + 2] = "PGCOPY\n\377\r\n";
    memset(empty + LOG_ROWS_HEADER, 0xff, 2);
    cr_assert_eq(log_rows_read(empty, sizeof empty, true, &row), 0);
    cr_assert_eq(log_rows_read("\377\377", 2, false, &row), 0);
}

Test(log_rows, refuses_every_truncation)
{
    log_row_t row;
    zvt_event_t event = s_event(5, 6);
    s_make_message(&event, true);
    for (size_t length = 0; length < s_length; length++)
        cr_assert_eq(log_rows_read(s_message, length, true, &row), ZVT_ERR_CORRUPT, "cut after %zu bytes", length);
}

Test(log_rows, refuses_a_column_of_another_size_and_a_null)
{
    log_row_t row;
    zvt_event_t event = s_event(5, 6);
    for (uint32_t length = 0; length < 10; length++) {
        s_make_message(&event, false);
        uint32_t be = htobe32(length == 9 ? UINT32_MAX : length);
        memcpy(s_message + 2, &be, sizeof be); /* of seq, which has 8 bytes */
        if (length != 8) cr_assert_eq(log_rows_read(s_message, s_length, false, &row), ZVT_ERR_CORRUPT);
    }
}

Test(log_rows, leaves_a_full_buffer_as_it_was)
{
    log_row_t row;
    zvt_event_t event = s_event(5, 6);
    uint8_t bytes[64];
    zvt_buf_t buf = {.data = bytes, .length = 3, .capacity = sizeof bytes};
    s_make_message(&event, false);
    cr_assert_eq(log_rows_read(s_message, s_length, false, &row), 1);
    cr_assert_eq(log_rows_pack(&buf, &row), ZVT_ERR_FULL);
    cr_assert_eq(buf.length, 3);
}
