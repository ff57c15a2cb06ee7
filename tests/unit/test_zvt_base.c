#include <criterion/criterion.h>
#include <string.h>

#include "zvt_base.h"

static zvt_base_step_t s_take(zvt_base_t *base, uint64_t seq, uint64_t length, uint64_t offset, const char *piece)
{
    zvt_log_base_t head = {.process = "risk", .seq = seq, .length = length, .offset = offset};
    return zvt_base_take(base, &head, zvt_cursor(piece, strlen(piece)));
}

Test(zvt_base, is_put_together_from_pieces_that_are_asked_for_one_after_another)
{
    zvt_base_t base = zvt_base_of("risk", 90);
    cr_assert_eq(zvt_base_question(&base).before_seq, 90);
    cr_assert_eq(zvt_base_question(&base).offset, 0);
    cr_assert_eq(s_take(&base, 70, 9, 0, "four"), ZVT_BASE_MORE);
    cr_assert_eq(zvt_base_question(&base).offset, 4);
    cr_assert_eq(s_take(&base, 70, 9, 4, "fives"), ZVT_BASE_WHOLE);
    cr_assert_eq(base.seq, 70);
    cr_assert_eq(memcmp(base.data, "fourfives", 9), 0);
    zvt_base_release(&base);
}

Test(zvt_base, takes_no_notice_of_a_piece_that_comes_twice_or_of_another_process)
{
    zvt_base_t base = zvt_base_of("risk", 0);
    zvt_log_base_t other = {.process = "portfolio", .seq = 70, .length = 4};
    cr_assert_eq(zvt_base_take(&base, &other, zvt_cursor("four", 4)), ZVT_BASE_IGNORED);
    cr_assert_eq(s_take(&base, 70, 9, 0, "four"), ZVT_BASE_MORE);
    cr_assert_eq(s_take(&base, 70, 9, 0, "four"), ZVT_BASE_IGNORED);
    cr_assert_eq(zvt_base_question(&base).offset, 4);
    zvt_base_release(&base);
}

Test(zvt_base, begins_anew_when_another_base_has_become_the_newest)
{
    zvt_base_t base = zvt_base_of("risk", 0);
    cr_assert_eq(s_take(&base, 70, 9, 0, "four"), ZVT_BASE_MORE);
    cr_assert_eq(s_take(&base, 80, 6, 4, "xx"), ZVT_BASE_MORE);
    cr_assert_eq(zvt_base_question(&base).offset, 0);
    cr_assert_eq(s_take(&base, 80, 6, 0, "sixsix"), ZVT_BASE_WHOLE);
    cr_assert_eq(base.seq, 80);
    zvt_base_release(&base);
}

Test(zvt_base, that_is_not_there_or_cannot_be_is_none)
{
    zvt_base_t base = zvt_base_of("risk", 0);
    cr_assert_eq(s_take(&base, 0, 0, 0, ""), ZVT_BASE_NONE);
    cr_assert_eq(s_take(&base, 5, (uint64_t)ZVT_BASE_MAX + 1, 0, "x"), ZVT_BASE_NONE);
    cr_assert_eq(s_take(&base, 5, 0, 0, ""), ZVT_BASE_NONE);
    cr_assert_eq(s_take(&base, 5, 3, 0, "four"), ZVT_BASE_NONE, "more than it says");
    zvt_base_release(&base);
    cr_assert_eq(s_take(&base, 5, 3, 0, ""), ZVT_BASE_NONE, "a piece of nothing would be asked for again for ever");
    zvt_base_release(&base);
}
