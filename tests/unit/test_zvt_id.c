#include <criterion/criterion.h>
#include <string.h>

#include "zvt_id.h"
#include "zvt_time.h"

Test(zvt_id, ids_rise_even_when_the_clock_goes_back)
{
    zvt_idgen_t ids;
    zvt_idgen_init(&ids, 1);
    zvt_id_t before = zvt_idgen_next(&ids, INT64_C(1700000000000000000));
    for (int i = 0; i < 20000; i++) {
        zvt_id_t next = zvt_idgen_next(&ids, INT64_C(1700000000000000000) - i * 1000);
        cr_assert_lt(memcmp(&before, &next, sizeof next), 0);
        cr_assert_eq(next.bytes[6] >> 4, 7);
        cr_assert_eq(next.bytes[8] >> 6, 2);
        before = next;
    }
}

Test(zvt_id, text_comes_back_and_bad_text_is_refused)
{
    zvt_idgen_t ids;
    zvt_id_t back;
    char text[ZVT_ID_TEXT];
    zvt_idgen_init(&ids, 2);
    zvt_id_t id = zvt_idgen_next(&ids, INT64_C(1700000000000000000));
    zvt_id_format(&id, text);
    cr_assert_eq(strlen(text), 36);
    cr_assert_eq(zvt_id_parse(text, &back), 0);
    cr_assert(zvt_id_equal(&id, &back));
    text[8] = 'x';
    cr_assert_eq(zvt_id_parse(text, &back), ZVT_ERR_SYNTAX);
    cr_assert_eq(zvt_id_parse("", &back), ZVT_ERR_SYNTAX);
    cr_assert_eq(zvt_id_parse("0123456789abcdef0123456789abcdeg", &back), ZVT_ERR_SYNTAX);
}

Test(zvt_id, the_same_text_gives_the_same_id_everywhere)
{
    zvt_id_t id = zvt_id_from_text("main|momentum|BTC/USDT", 22);
    zvt_id_t other = zvt_id_from_text("main|momentum|BTC/USDU", 22);
    char text[ZVT_ID_TEXT];
    zvt_id_format(&id, text);
    cr_assert(!zvt_id_equal(&id, &other));
    cr_assert_eq(text[14], '8');
}

Test(zvt_id, the_generator_repeats_itself_from_the_same_seed)
{
    zvt_rng_t a, b;
    zvt_rng_seed(&a, 42);
    zvt_rng_seed(&b, 42);
    for (int i = 0; i < 100; i++) cr_assert_eq(zvt_rng_next(&a), zvt_rng_next(&b));
    for (int i = 0; i < 1000; i++) cr_assert_lt(zvt_rng_below(&a, 7), 7);
    cr_assert_eq(zvt_rng_below(&a, 0), 0);
}

Test(zvt_id, half_of_a_pause_is_drawn)
{
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 42);
    int early = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t pause_ns = zvt_rng_pause_ns(&rng, 1001);
        cr_assert(pause_ns >= 501 && pause_ns <= 1001);
        early += pause_ns <= 751;
    }
    cr_assert(early > 400 && early < 600, "%d", early);
    cr_assert_eq(zvt_rng_pause_ns(&rng, 0), 0);
}

Test(zvt_time, prints_iso_8601_with_microseconds)
{
    char text[ZVT_TIME_TEXT];
    zvt_time_format(INT64_C(1723161254206652067), text);
    cr_assert_str_eq(text, "2024-08-08T23:54:14.206652Z");
    zvt_time_format(0, text);
    cr_assert_str_eq(text, "1970-01-01T00:00:00.000000Z");
    zvt_time_format(-1, text);
    cr_assert_str_eq(text, "1969-12-31T23:59:59.999999Z");
    zvt_time_format(INT64_MIN, text);
    cr_assert_gt(strlen(text), 0);
}
