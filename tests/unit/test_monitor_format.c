#include <criterion/criterion.h>
#include <string.h>

#include "format.h"
#include "table.h"

static zvt_id_t s_id(const char *text)
{
    zvt_id_t id;
    cr_assert_eq(zvt_id_parse(text, &id), 0);
    return id;
}

Test(monitor_format, shortens_an_id_to_its_end)
{
    char text[FORMAT_SHORT_ID];
    zvt_id_t id = s_id("019136f0-0000-7000-8000-0123456789ab"), none = {.bytes = {0}};
    format_short_id(&id, text);
    cr_assert_str_eq(text, "456789ab");
    format_short_id(&none, text);
    cr_assert_str_eq(text, "-");
}

Test(monitor_format, shows_the_time_of_day_in_utc)
{
    char text[FORMAT_CLOCK];
    format_clock(INT64_C(1723161254206652000), text);
    cr_assert_str_eq(text, "23:54:14.206652");
    format_clock(0, text);
    cr_assert_str_eq(text, "-");
}

Test(monitor_format, shows_durations_in_milliseconds)
{
    char text[ZVT_FIXED_TEXT];
    format_ms(1234567, text);
    cr_assert_str_eq(text, "1.234");
    format_ms(-1234567, text);
    cr_assert_str_eq(text, "-1.234");
    format_ms(INT64_MIN, text);
    cr_assert_str_eq(text, "-9223372036854.775");
}

Test(monitor_format, shows_uptimes_in_two_units)
{
    static const struct {
        int64_t uptime_s;
        const char *text;
    } cases[] = {{-5, "0s"}, {0, "0s"}, {59, "59s"}, {60, "1m 0s"}, {3723, "1h 2m"}, {90000, "1d 1h"},
                 {INT64_MAX, "1000000d 0h"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[FORMAT_UPTIME];
        format_uptime(cases[i].uptime_s, text);
        cr_assert_str_eq(text, cases[i].text);
    }
}

Test(monitor_format, colours_only_where_asked)
{
    cr_assert_str_eq(format_tone(FORMAT_BAD, false), "");
    cr_assert_str_eq(format_tone_end(FORMAT_BAD, false), "");
    cr_assert_str_eq(format_tone_end(FORMAT_PLAIN, true), "");
    cr_assert_neq(strlen(format_tone(FORMAT_BAD, true)), 0);
    FILE *file = tmpfile();
    cr_assert_not(format_wants_colour(file)); /* not a terminal */
    fclose(file);
}

Test(monitor_format, aligns_tables_without_blanks_at_line_ends)
{
    static const char *const heads[] = {"name", ">size", "note", NULL};
    table_t *table = table_new(heads);
    table_cell(table, FORMAT_PLAIN, "\xc3\xa4");
    table_e8(table, 150000000, false);
    table_cell(table, FORMAT_PLAIN, "x");
    table_cellf(table, FORMAT_PLAIN, "%s", "longer");
    table_e8(table, 0, true);
    table_cell(table, FORMAT_PLAIN, "");
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    table_print(table, out, false);
    fclose(out);
    cr_assert_eq(table_rows(table), 2);
    cr_assert_str_eq(text, "name    size  note\n"
                           "\xc3\xa4        1.5  x\n"
                           "longer     -  \n");
    free(text);
    table_destroy(&table);
    cr_assert_null(table);
}
