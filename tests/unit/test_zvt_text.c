#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "zvt_text.h"

Test(zvt_text, joins_pieces_and_numbers)
{
    char text[64];
    zvt_text_t made = zvt_text(text, sizeof text);
    cr_assert_str_eq(text, "");
    cr_assert(zvt_text_add(&made, "alpha-x") && zvt_text_add_u64(&made, 0) && zvt_text_add(&made, "/") && zvt_text_add_u64(&made, UINT64_MAX));
    cr_assert_str_eq(text, "alpha-x0/18446744073709551615");
}

Test(zvt_text, writes_numbers_as_printf_does)
{
    for (uint64_t number = 1; number < UINT64_MAX / 11; number = number * 11 + 7) {
        char text[32], expected[32];
        zvt_text_t made = zvt_text(text, sizeof text);
        cr_assert(zvt_text_add_u64(&made, number));
        snprintf(expected, sizeof expected, "%" PRIu64, number);
        cr_assert_str_eq(text, expected);
    }
}

Test(zvt_text, leaves_out_what_does_not_fit_as_a_whole)
{
    char text[8] = "garbage";
    zvt_text_t made = zvt_text(text, sizeof text);
    cr_assert(zvt_text_add(&made, "1234"));
    cr_assert_not(zvt_text_add(&made, "5678"));
    cr_assert_str_eq(text, "1234");
    cr_assert_not(zvt_text_add_u64(&made, 5678));
    cr_assert(zvt_text_add(&made, "567"), "the last byte is the NUL");
    cr_assert_not(zvt_text_add(&made, "8"));
    cr_assert_str_eq(text, "1234567");
}

Test(zvt_text, goes_back_to_an_earlier_state)
{
    char text[16];
    zvt_text_t made = zvt_text(text, sizeof text);
    cr_assert(zvt_text_add(&made, "kept"));
    zvt_text_t before = made;
    cr_assert(zvt_text_add(&made, ", not kept"));
    zvt_text_rewind(&made, before);
    cr_assert_str_eq(text, "kept");
    cr_assert(zvt_text_add(&made, "!"));
    cr_assert_str_eq(text, "kept!");
}
