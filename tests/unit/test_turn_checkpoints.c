/* Checkpoints of the turn core: what is loaded is what was folded, and damage is noticed. */
#include "turn_fixture.h"
#include "turn_world.h"

TestSuite(turn_checkpoints, .init = s_setup, .fini = s_teardown);

enum { SAVED_MAX = 1024 };
static zvt_record_t *s_saved;
static int s_saved_count;

static int s_keep(void *arg, zvt_type_t type, const void *record)
{
    (void)arg;
    cr_assert_lt(s_saved_count, SAVED_MAX);
    s_saved[s_saved_count].type = type;
    memcpy(&s_saved[s_saved_count++].hello, record, zvt_desc(type)->size);
    return 0;
}

static void s_make_history(void)
{
    for (uint64_t i = 1; i <= 20; i++) {
        w.risk_code = i % 5 == 0 ? ZVT_CODE_MAX_POSITION : ZVT_CODE_OK;
        w.venue_silent = i % 7 == 0;
        zvt_record_t signal = s_signal(i, i % 3 == 0 ? ZVT_ORDER_TYPE_LIMIT : ZVT_ORDER_TYPE_MARKET);
        s_give_signal(&signal);
        s_settle();
    }
}

Test(turn_checkpoints, a_checkpoint_and_the_events_after_it_give_the_same_state_as_the_whole_log)
{
    s_saved = calloc(SAVED_MAX, sizeof *s_saved);
    s_make_history();
    char *whole = s_fold_dump();
    for (uint32_t cut = 1; cut <= w.log_count; cut += 7) {
        turn_core_t *first = s_new_core(), *second = s_new_core();
        for (uint32_t i = 0; i < cut; i++) cr_assert_eq(turn_core_fold(first, &w.log[i]), 0);
        s_saved_count = 0;
        cr_assert_eq(turn_core_save(first, s_keep, NULL), 0);
        for (int i = 0; i < s_saved_count; i++) cr_assert_eq(turn_core_load(second, &s_saved[i]), 0);
        cr_assert_eq(turn_core_load_end(second), 0);
        cr_assert_eq(turn_core_folded_seq(second), cut);
        for (uint32_t i = cut; i < w.log_count; i++) cr_assert_eq(turn_core_fold(second, &w.log[i]), 0, "event %u after %u", i, cut);
        char *restored = s_dump(second);
        cr_assert_str_eq(restored, whole);
        free(restored);
        turn_core_destroy(&first);
        turn_core_destroy(&second);
    }
    free(whole);
    free(s_saved);
}

/* A report is missing, and of thousands behind it the log has some: more than one record of a checkpoint takes. */
Test(turn_checkpoints, a_checkpoint_knows_which_reports_are_in_the_log_far_beyond_a_missing_one)
{
    static const uint64_t runs[][2] = {{2, 100}, {4000, 4200}, {9000, 9100}};
    for (int run = 0; run < 3; run++) {
        for (uint64_t n = runs[run][0]; n <= runs[run][1]; n += 3) {
            zvt_record_t record = {.type = ZVT_T_REPORT, .report = {.kind = ZVT_REPORT_KIND_ACCEPTED, .venue_seq = n}};
            ZVT_STR_SET(record.report.exchange, "alpha");
            ZVT_STR_SET(record.report.client_order_id, "nobody-0-1");
            turn_core_on_record(w.core, TURN_FROM_SERVICE, NULL, &record);
        }
    }
    s_settle();
    s_saved = calloc(SAVED_MAX, sizeof *s_saved);
    turn_core_t *folded = s_new_core(), *restored = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(folded, &w.log[i]), 0);
    s_saved_count = 0;
    cr_assert_eq(turn_core_save(folded, s_keep, NULL), 0);
    for (int i = 0; i < s_saved_count; i++) cr_assert_eq(turn_core_load(restored, &s_saved[i]), 0);
    cr_assert_eq(turn_core_load_end(restored), 0);
    const reports_taken_t *before = &folded->venues[0].logged, *after = &restored->venues[0].received;
    cr_assert_gt(before->window.high, 9090);
    cr_assert_eq(before->window.contiguous, 0);
    for (uint64_t n = 1; n <= 9200; n++) {
        dedup_verdict_t expected = window_check(&before->window, before->bits, REPORTS_WINDOW, n);
        cr_assert_eq(window_check(&after->window, after->bits, REPORTS_WINDOW, n), expected, "report %d", (int)n);
    }
    cr_assert_eq(window_check(&after->window, after->bits, REPORTS_WINDOW, 9003), DEDUP_DUPLICATE);
    turn_core_destroy(&folded);
    turn_core_destroy(&restored);
    free(s_saved);
}

Test(turn_checkpoints, a_core_made_of_a_checkpoint_still_knows_every_command)
{
    s_saved = calloc(SAVED_MAX, sizeof *s_saved);
    s_make_history();
    turn_core_t *folded = s_new_core(), *working = w.core;
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(folded, &w.log[i]), 0);
    s_saved_count = 0;
    cr_assert_eq(turn_core_save(folded, s_keep, NULL), 0);
    w.core = s_new_core();
    for (int i = 0; i < s_saved_count; i++) cr_assert_eq(turn_core_load(w.core, &s_saved[i]), 0);
    turn_core_set_time(w.core, w.now_ns, w.now_ns);
    turn_core_open(w.core, 2, 0);
    uint32_t requested = s_count(ZVT_T_ORDER_REQUESTED);
    for (uint64_t i = 1; i <= 20; i++) {
        zvt_record_t signal = s_signal(i, ZVT_ORDER_TYPE_MARKET);
        s_give_signal(&signal);
    }
    s_settle();
    cr_assert_eq(s_count(ZVT_T_ORDER_REQUESTED), requested);
    turn_core_destroy(&folded);
    turn_core_destroy(&working);
    free(s_saved);
}

Test(turn_checkpoints, a_torn_checkpoint_is_noticed)
{
    s_saved = calloc(SAVED_MAX, sizeof *s_saved);
    s_make_history();
    turn_core_t *folded = s_new_core();
    for (uint32_t i = 0; i < w.log_count; i++) cr_assert_eq(turn_core_fold(folded, &w.log[i]), 0);
    s_saved_count = 0;
    cr_assert_eq(turn_core_save(folded, s_keep, NULL), 0);
    turn_core_clear(folded);
    for (int i = 0; i + 1 < s_saved_count; i++) cr_assert_eq(turn_core_load(folded, &s_saved[i]), 0);
    cr_assert_eq(turn_core_load_end(folded), ZVT_ERR_TRUNCATED);
    turn_core_clear(folded);
    cr_assert_eq(turn_core_load_end(folded), ZVT_ERR_TRUNCATED, "an empty one is no checkpoint");
    cr_assert_eq(turn_core_load(folded, &s_saved[1]), ZVT_ERR_CORRUPT, "an order before the head");
    turn_core_destroy(&folded);
    free(s_saved);
}
