#include <criterion/criterion.h>
#include <string.h>

#include "zvt_fixed.h"

static int s_parse(const char *text, int64_t *value)
{
    return zvt_fixed_parse(text, strlen(text), value);
}

Test(zvt_fixed, reads_decimals_exactly)
{
    static const struct { const char *text; int64_t value_e8; } cases[] = {
        {"0", 0}, {"1", 100000000}, {"-1.5", -150000000}, {"0.00000001", 1}, {"60000.12", 6000012000000},
        {".5", 50000000}, {"5.", 500000000}, {"+2", 200000000}, {"1.100000000000", 110000000},
        {"92233720368.54775807", INT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value;
        cr_assert_eq(s_parse(cases[i].text, &value), 0, "%s", cases[i].text);
        cr_assert_eq(value, cases[i].value_e8, "%s", cases[i].text);
    }
}

Test(zvt_fixed, refuses_what_is_no_exact_decimal)
{
    static const char *const bad[] = {"", "-", ".", "1e5", " 1", "1 ", "0x1", "1.2.3", "nan", "0.000000001", "--1", "1,5"};
    int64_t value = 77;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) cr_assert_eq(s_parse(bad[i], &value), ZVT_ERR_SYNTAX, "'%s'", bad[i]);
    cr_assert_eq(s_parse("92233720368.54775808", &value), ZVT_ERR_OVERFLOW);
    cr_assert_eq(s_parse("99999999999999999999999", &value), ZVT_ERR_OVERFLOW);
    cr_assert_eq(value, 77, "an error leaves the value alone");
}

Test(zvt_fixed, prints_what_it_reads)
{
    static const char *const texts[] = {"0", "1", "-1.5", "0.00000001", "60000.12", "92233720368.54775807", "-0.1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t value;
        char text[ZVT_FIXED_TEXT];
        cr_assert_eq(s_parse(texts[i], &value), 0);
        cr_assert_eq(zvt_fixed_format(value, text), strlen(texts[i]));
        cr_assert_str_eq(text, texts[i]);
    }
    char lowest[ZVT_FIXED_TEXT];
    zvt_fixed_format(INT64_MIN, lowest);
    cr_assert_str_eq(lowest, "-92233720368.54775808");
}

Test(zvt_fixed, multiplies_and_divides_with_rounding_half_away_from_zero)
{
    int64_t r;
    cr_assert_eq(zvt_fixed_mul(150000000, 200000000, &r), 0);
    cr_assert_eq(r, 300000000);
    cr_assert_eq(zvt_fixed_mul(1, 50000000, &r), 0);
    cr_assert_eq(r, 1, "0.5e-8 rounds away from zero");
    cr_assert_eq(zvt_fixed_mul(-1, 50000000, &r), 0);
    cr_assert_eq(r, -1);
    cr_assert_eq(zvt_fixed_div(100000000, 300000000, &r), 0);
    cr_assert_eq(r, 33333333);
    cr_assert_eq(zvt_fixed_div(-200000000, 300000000, &r), 0);
    cr_assert_eq(r, -66666667);
    cr_assert_eq(zvt_fixed_div(-200000000, -300000000, &r), 0);
    cr_assert_eq(r, 66666667);
}

Test(zvt_fixed, says_overflow_instead_of_wrapping)
{
    int64_t r;
    cr_assert_eq(zvt_fixed_mul(INT64_MAX, 200000000, &r), ZVT_ERR_OVERFLOW);
    cr_assert_eq(zvt_fixed_div(INT64_MAX, 1, &r), ZVT_ERR_OVERFLOW);
    cr_assert_eq(zvt_fixed_div(1, 0, &r), ZVT_ERR_INVALID);
    cr_assert_eq(zvt_fixed_add(INT64_MAX, 1, &r), ZVT_ERR_OVERFLOW);
    cr_assert_eq(zvt_fixed_sub(INT64_MIN, 1, &r), ZVT_ERR_OVERFLOW);
    cr_assert_eq(zvt_fixed_mul(INT64_MIN, INT64_MIN, &r), ZVT_ERR_OVERFLOW);
    r = 77;
    cr_assert_eq(zvt_fixed_add(INT64_MAX, INT64_MAX, &r), ZVT_ERR_OVERFLOW);
    cr_assert_eq(r, 77, "an error leaves the result alone");
}
