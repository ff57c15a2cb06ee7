#include <criterion/criterion.h>

#include "symbols.h"
#include "venue_fixture.h"

#define CSV "ts_ns,symbol,bid,bid_size,ask,ask_size\n"

static char s_first[200], s_second[200];

/* What is printed for the files, or why not. */
static const char *s_symbols(const char *files)
{
    static char text[512];
    char problem[ZVT_PROBLEM_SIZE] = "";
    memset(text, 0, sizeof text);
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    int status = symbols_print(fixture_fleet(), files, out, problem);
    fclose(out);
    if (status != 0) snprintf(text, sizeof text, "%s", problem);
    return text;
}

static void s_begin(void)
{
    snprintf(s_first, sizeof s_first, "%s", fixture_path("first.csv"));
    snprintf(s_second, sizeof s_second, "%s", fixture_path("second.csv"));
}

TestSuite(symbols, .init = s_begin);

Test(symbols, finds_those_of_the_fleet_file_in_its_spelling)
{
    static const char text[] = CSV "1,BTC/USDT,1,1,2,1\n2,XYZUSDT,1,1,2,1\n3,BTC/USDT,1,1,2,1\n";
    fixture_write(s_first, text, strlen(text));
    cr_assert_str_eq(s_symbols(s_first), "BTC/USDT\n");
}

Test(symbols, looks_into_every_file)
{
    static const char none[] = CSV "1,XYZUSDT,1,1,2,1\n", some[] = CSV "2,btcusdt,1,1,2,1\n";
    char files[512];
    fixture_write(s_first, none, strlen(none));
    fixture_write(s_second, some, strlen(some));
    snprintf(files, sizeof files, "%s,%s", s_first, s_second);
    cr_assert_str_eq(s_symbols(s_first), "");
    cr_assert_str_eq(s_symbols(files), "BTC/USDT\n");
}

Test(symbols, names_a_file_that_cannot_be_read)
{
    cr_assert_not_null(strstr(s_symbols("/nowhere/at.all"), "/nowhere/at.all"));
}
