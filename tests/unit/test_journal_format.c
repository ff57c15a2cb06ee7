#include <criterion/criterion.h>
#include <string.h>

#include "journal_format.h"

static uint8_t s_bytes[4096];

static zvt_kill_notice_t s_notice(uint8_t number)
{
    zvt_kill_notice_t notice = {.action = ZVT_KILL_KILL, .requested_by = "operator", .reason = "a test", .at_ns = 7};
    notice.entry_id.bytes[0] = number;
    return notice;
}

/* Two entries; returns the length, and of the first one alone in *first. */
static size_t s_journal(size_t *first)
{
    zvt_buf_t buf = {.data = s_bytes, .capacity = sizeof s_bytes};
    zvt_kill_notice_t notice = s_notice(1);
    cr_assert_eq(journal_format_append(&buf, ZVT_T_KILL_NOTICE, &notice), 0);
    *first = buf.length;
    notice = s_notice(2);
    cr_assert_eq(journal_format_append(&buf, ZVT_T_KILL_NOTICE, &notice), 0);
    return buf.length;
}

Test(journal_format, reads_back_what_was_appended)
{
    static zvt_record_t record;
    size_t first, offset = 0, length = s_journal(&first);
    for (uint8_t number = 1; number <= 2; number++) {
        cr_assert_eq(journal_format_read(s_bytes, length, &offset, &record), 0);
        cr_assert_eq(record.type, ZVT_T_KILL_NOTICE);
        cr_assert_eq(record.kill_notice.entry_id.bytes[0], number);
        cr_assert_str_eq(record.kill_notice.reason, "a test");
    }
    cr_assert_eq(journal_format_read(s_bytes, length, &offset, &record), ZVT_ERR_CLOSED);
}

Test(journal_format, tells_a_last_append_that_was_cut_off_anywhere)
{
    static zvt_record_t record;
    size_t first, length = s_journal(&first);
    for (size_t cut = first + 1; cut < length; cut++) {
        size_t offset = 0;
        cr_assert_eq(journal_format_read(s_bytes, cut, &offset, &record), 0);
        cr_assert_eq(journal_format_read(s_bytes, cut, &offset, &record), ZVT_ERR_TRUNCATED, "cut at %zu", cut);
        cr_assert_eq(offset, first);
    }
}

Test(journal_format, takes_an_end_that_was_never_written_for_torn)
{
    static zvt_record_t record;
    size_t first, length = s_journal(&first), offset = first;
    memset(s_bytes + first, 0, length - first);
    cr_assert_eq(journal_format_read(s_bytes, length, &offset, &record), ZVT_ERR_TRUNCATED);
    s_journal(&first);
    offset = first;
    memset(s_bytes + length - 5, 0, 5);
    cr_assert_eq(journal_format_read(s_bytes, length, &offset, &record), ZVT_ERR_TRUNCATED, "some of it was written");
}

Test(journal_format, calls_damage_before_the_end_by_its_name)
{
    static zvt_record_t record;
    size_t first, length = s_journal(&first);
    for (size_t at = 4; at < first; at++) {
        size_t offset = 0;
        s_bytes[at] ^= 0x40;
        cr_assert_eq(journal_format_read(s_bytes, length, &offset, &record), ZVT_ERR_CORRUPT, "byte %zu", at);
        s_bytes[at] ^= 0x40;
    }
}

Test(journal_format, does_not_write_beyond_the_buffer)
{
    zvt_kill_notice_t notice = s_notice(1);
    for (size_t capacity = 0; capacity < 64; capacity++) {
        zvt_buf_t buf = {.data = s_bytes, .capacity = capacity};
        s_bytes[capacity] = 0xa5;
        cr_assert_eq(journal_format_append(&buf, ZVT_T_KILL_NOTICE, &notice), ZVT_ERR_FULL);
        cr_assert_eq(buf.length, 0u);
        cr_assert_eq(s_bytes[capacity], 0xa5);
    }
}
