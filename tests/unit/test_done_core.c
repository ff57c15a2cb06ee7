#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "done_core.h"

static done_core_t *s_core;

static void s_setup(void)
{
    s_core = calloc(1, sizeof *s_core);
}

static void s_teardown(void)
{
    free(s_core);
}

TestSuite(done_core, .init = s_setup, .fini = s_teardown);

static void s_adjusted(uint64_t seq, const char *request_id)
{
    static zvt_record_t record;
    zvt_event_t event = {.seq = seq, .type = ZVT_T_POSITION_ADJUSTED};
    record = (zvt_record_t){.type = ZVT_T_POSITION_ADJUSTED, .position_adjusted = {.position_id = {{1}}, .quantity_change_e8 = 5, .price_e8 = 7}};
    ZVT_STR_SET(record.position_adjusted.request_id, request_id);
    done_core_note(s_core, &event, &record);
}

Test(done_core, finds_what_was_done_under_an_id_and_nothing_under_none)
{
    zvt_id_t position = {{1}}, other = {{2}};
    s_adjusted(9, "a");
    s_adjusted(10, "");
    const zvt_saved_done_t *done = done_core_find(s_core, "a");
    cr_assert_not_null(done);
    cr_assert_eq(done->seq, 9);
    cr_assert(done_core_is_same(done, ZVT_T_POSITION_ADJUSTED, &position, 5, 7));
    cr_assert_not(done_core_is_same(done, ZVT_T_POSITION_ADJUSTED, &other, 5, 7));
    cr_assert_not(done_core_is_same(done, ZVT_T_POSITION_ADJUSTED, &position, 6, 7));
    cr_assert_not(done_core_is_same(done, ZVT_T_ORDER_RESOLVED, &position, 5, 7));
    cr_assert_null(done_core_find(s_core, ""));
    cr_assert_null(done_core_find(s_core, "b"));
    cr_assert_eq(done_core_kept(s_core), 1);
}

Test(done_core, keeps_the_last_ones_and_gives_them_back_oldest_first)
{
    char name[ZVT_REQUEST_SIZE];
    for (unsigned i = 0; i < DONE_MAX + 3; i++) {
        snprintf(name, sizeof name, "r%u", i);
        s_adjusted(i + 1, name);
    }
    cr_assert_eq(done_core_kept(s_core), DONE_MAX);
    cr_assert_null(done_core_find(s_core, "r2"));
    cr_assert_eq(done_core_at(s_core, 0), done_core_find(s_core, "r3"));
    done_core_t *copy = calloc(1, sizeof *copy);
    for (uint32_t at = 0; at < done_core_kept(s_core); at++) done_core_restore(copy, done_core_at(s_core, at));
    for (uint32_t at = 0; at < DONE_MAX; at++) cr_assert_eq(done_core_at(copy, at)->seq, at + 4);
    done_core_clear(copy);
    cr_assert_eq(done_core_kept(copy), 0);
    free(copy);
}
