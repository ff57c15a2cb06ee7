#include <criterion/criterion.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "ledger.h"
#include "venue_fixture.h"

static ledger_header_t s_header(void)
{
    return (ledger_header_t){.venue = "alpha", .market = "synthetic seed=42", .origin_ns = 777};
}

typedef struct {
    uint32_t count;
    uint64_t last_seq;
} seen_t;

static int s_on_record(void *arg, const zvt_record_t *record)
{
    seen_t *seen = arg;
    seen->count++;
    if (record->type == ZVT_T_REPORT) seen->last_seq = record->report.venue_seq;
    return 0;
}

static ledger_t *s_open(const char *path, seen_t *seen)
{
    ledger_t *ledger = NULL;
    ledger_header_t header = s_header();
    char problem[ZVT_PROBLEM_SIZE] = "";
    memset(seen, 0, sizeof *seen);
    cr_assert_eq(ledger_open(&ledger, path, &header, NULL, s_on_record, seen, problem), 0, "%s", problem);
    return ledger;
}

static void s_report(ledger_t *ledger, uint64_t venue_seq, const char *id)
{
    zvt_report_t report = {.venue_seq = venue_seq, .kind = ZVT_REPORT_KIND_ACCEPTED, .side = ZVT_SIDE_BUY, .code = ZVT_CODE_OK};
    ZVT_STR_SET(report.client_order_id, id);
    cr_assert_eq(ledger_append(ledger, ZVT_T_REPORT, &report), 0);
}

/* A ledger of `batches` batches with two reports each. */
static void s_fill(const char *path, uint64_t batches)
{
    seen_t seen;
    ledger_t *ledger = s_open(path, &seen);
    for (uint64_t i = 0; i < batches; i++) {
        s_report(ledger, 2 * i + 1, "one");
        s_report(ledger, 2 * i + 2, "two");
        cr_assert_eq(ledger_commit(ledger), 0);
    }
    ledger_close(&ledger);
}

/* Changes the file at an offset from the end of its records. */
static void s_damage(const char *path, long offset, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "r+b");
    cr_assert_not_null(file);
    cr_assert_eq(fseek(file, offset, SEEK_SET), 0);
    cr_assert_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static long s_end_of(const char *path)
{
    seen_t seen;
    ledger_t *ledger = s_open(path, &seen);
    long end = (long)ledger_bytes(ledger);
    ledger_close(&ledger);
    return end;
}

Test(ledger, records_come_back_after_a_restart)
{
    const char *path = fixture_path("a.ledger");
    s_fill(path, 3);
    seen_t seen;
    ledger_t *ledger = s_open(path, &seen);
    cr_assert_eq(seen.count, 6);
    cr_assert_eq(seen.last_seq, 6);
    cr_assert_eq(ledger_committed_seq(ledger), 6);
    s_report(ledger, 7, "three");
    cr_assert_eq(ledger_committed_seq(ledger), 6, "not before the commit");
    cr_assert_eq(ledger_commit(ledger), 0);
    cr_assert_eq(ledger_committed_seq(ledger), 7);
    ledger_close(&ledger);
}

Test(ledger, what_was_not_committed_is_not_there)
{
    const char *path = fixture_path("b.ledger");
    seen_t seen;
    ledger_t *ledger = s_open(path, &seen);
    s_report(ledger, 1, "one");
    ledger_close(&ledger);
    ledger = s_open(path, &seen);
    cr_assert_eq(seen.count, 0);
    ledger_close(&ledger);
}

Test(ledger, a_torn_last_batch_is_cut_off_wherever_it_was_torn)
{
    const char *path = fixture_path("c.ledger");
    s_fill(path, 1);
    long before = s_end_of(path);
    s_fill(path, 0);
    seen_t seen;
    ledger_t *ledger = s_open(path, &seen);
    s_report(ledger, 3, "three");
    cr_assert_eq(ledger_commit(ledger), 0);
    ledger_close(&ledger);
    long end = s_end_of(path);
    char zeros[4096] = {0};
    for (long torn = before + 1; torn < end; torn += 7) {
        char copy[160];
        snprintf(copy, sizeof copy, "%s.torn", path);
        char command[400];
        snprintf(command, sizeof command, "cp %s %s", path, copy);
        cr_assert_eq(system(command), 0);
        s_damage(copy, torn, zeros, (size_t)(end - torn));
        ledger = s_open(copy, &seen);
        bool whole = seen.last_seq == 3; /* only zero padding was cut */
        if (!whole) cr_assert_eq(seen.last_seq, 2, "torn at %ld", torn);
        s_report(ledger, seen.last_seq + 1, "again");
        cr_assert_eq(ledger_commit(ledger), 0);
        uint64_t last = seen.last_seq;
        ledger_close(&ledger);
        ledger = s_open(copy, &seen);
        cr_assert_eq(seen.last_seq, last + 1, "the ledger goes on behind the cut");
        ledger_close(&ledger);
    }
}

Test(ledger, damage_before_intact_records_is_refused_with_advice)
{
    const char *path = fixture_path("d.ledger");
    s_fill(path, 3);
    s_damage(path, LEDGER_HEADER_SIZE + 40, "x", 1);
    ledger_t *ledger = NULL;
    ledger_header_t header = s_header();
    char problem[ZVT_PROBLEM_SIZE] = "";
    seen_t seen = {0};
    cr_assert_eq(ledger_open(&ledger, path, &header, NULL, s_on_record, &seen, problem), ZVT_ERR_CORRUPT);
    cr_assert_not_null(strstr(problem, "--wipe"), "%s", problem);
    cr_assert_null(ledger);
}

Test(ledger, another_market_is_refused_with_both_names)
{
    const char *path = fixture_path("e.ledger");
    s_fill(path, 1);
    ledger_t *ledger = NULL;
    ledger_header_t header = {.venue = "alpha", .market = "recorded file.gz"};
    char problem[ZVT_PROBLEM_SIZE] = "";
    seen_t seen = {0};
    cr_assert_eq(ledger_open(&ledger, path, &header, NULL, s_on_record, &seen, problem), ZVT_ERR_INVALID);
    cr_assert_not_null(strstr(problem, "synthetic seed=42"));
    cr_assert_not_null(strstr(problem, "recorded file.gz"));
    cr_assert_eq(seen.count, 0);
}

Test(ledger, the_origin_is_the_first_start_s)
{
    const char *path = fixture_path("f.ledger");
    s_fill(path, 1);
    ledger_t *ledger = NULL;
    ledger_header_t header = s_header();
    header.origin_ns = 999;
    char problem[ZVT_PROBLEM_SIZE];
    seen_t seen = {0};
    cr_assert_eq(ledger_open(&ledger, path, &header, NULL, s_on_record, &seen, problem), 0);
    cr_assert_eq(header.origin_ns, 777);
    ledger_close(&ledger);
}

Test(ledger, only_one_process_has_it_open)
{
    const char *path = fixture_path("g.ledger");
    seen_t seen;
    ledger_t *first = s_open(path, &seen), *second = NULL;
    ledger_header_t header = s_header();
    char problem[ZVT_PROBLEM_SIZE] = "";
    cr_assert_eq(ledger_open(&second, path, &header, NULL, s_on_record, &seen, problem), ZVT_ERR_EXISTS);
    ledger_close(&first);
}

Test(ledger, something_else_is_no_ledger)
{
    const char *path = fixture_path("h.ledger");
    char text[4096];
    memset(text, 'x', sizeof text);
    fixture_write(path, text, sizeof text);
    ledger_t *ledger = NULL;
    ledger_header_t header = s_header();
    char problem[ZVT_PROBLEM_SIZE] = "";
    seen_t seen = {0};
    cr_assert_eq(ledger_open(&ledger, path, &header, NULL, s_on_record, &seen, problem), ZVT_ERR_CORRUPT);
    cr_assert_neq(problem[0], '\0');
}

Test(ledger, a_ledger_that_was_never_begun_is_begun)
{
    const char *path = fixture_path("i.ledger");
    char zeros[8192] = {0};
    fixture_write(path, zeros, sizeof zeros);
    s_fill(path, 1);
    seen_t seen;
    ledger_t *ledger = s_open(path, &seen);
    cr_assert_eq(seen.count, 2);
    ledger_close(&ledger);
}

typedef struct {
    uint64_t first, last;
    uint32_t count, limit;
} range_t;

static bool s_on_report(void *arg, const zvt_report_t *report, const uint8_t *bytes, size_t length)
{
    range_t *range = arg;
    if (range->count == range->limit) return false;
    zvt_cursor_t cursor = zvt_cursor(bytes, length);
    static zvt_record_t again;
    cr_assert_eq(zvt_read(&cursor, &again), 0);
    cr_assert(zvt_cursor_done(&cursor));
    cr_assert_eq(again.report.venue_seq, report->venue_seq);
    if (range->count++ == 0) range->first = report->venue_seq;
    cr_assert_eq(report->venue_seq, range->first + range->count - 1, "in order, without a gap");
    range->last = report->venue_seq;
    return true;
}

Test(ledger, reports_are_found_again_from_any_number)
{
    const char *path = fixture_path("j.ledger");
    s_fill(path, 2000);
    seen_t seen;
    ledger_t *ledger = s_open(path, &seen);
    for (uint64_t after = 0; after < 4000; after += 123) {
        range_t range = {.limit = 10};
        cr_assert_eq(ledger_reports(ledger, after, s_on_report, &range), 0);
        cr_assert_eq(range.first, after + 1);
        cr_assert_eq(range.count, after + 10 <= 4000 ? 10 : 4000 - after);
    }
    range_t none = {.limit = 10};
    cr_assert_eq(ledger_reports(ledger, 4000, s_on_report, &none), 0);
    cr_assert_eq(ledger_reports(ledger, UINT64_MAX, s_on_report, &none), 0);
    cr_assert_eq(none.count, 0);
    ledger_close(&ledger);
}

Test(ledger, more_than_a_batch_holds_is_committed_early)
{
    const char *path = fixture_path("k.ledger");
    seen_t seen;
    ledger_t *ledger = s_open(path, &seen);
    for (uint64_t seq = 1; seq <= 30000; seq++) s_report(ledger, seq, "a client order id that takes some room");
    cr_assert_gt(ledger_committed_seq(ledger), 0);
    cr_assert_eq(ledger_commit(ledger), 0);
    ledger_close(&ledger);
    ledger = s_open(path, &seen);
    cr_assert_eq(seen.last_seq, 30000);
    ledger_close(&ledger);
}

Test(ledger, a_full_disk_shows_as_missing_room_before_anything_is_written)
{
    const char *path = fixture_path("l.ledger");
    seen_t seen;
    ledger_t *ledger = s_open(path, &seen);
    size_t room = ledger_room(ledger);
    struct stat info;
    cr_assert_eq(stat(path, &info), 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = (rlim_t)info.st_size, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ledger_make_room(ledger, room + 1);
    cr_assert_eq(ledger_room(ledger), room, "it could not grow");
    s_report(ledger, 1, "one");
    cr_assert_eq(ledger_commit(ledger), 0, "what is allocated can still be written");
    cr_assert_lt(ledger_room(ledger), room);
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ledger_make_room(ledger, room + 1);
    cr_assert_gt(ledger_room(ledger), room);
    ledger_close(&ledger);
}

Test(ledger, can_be_read_while_it_is_being_written)
{
    const char *path = fixture_path("m.ledger");
    seen_t seen;
    ledger_t *ledger = s_open(path, &seen);
    s_report(ledger, 1, "one");
    cr_assert_eq(ledger_commit(ledger), 0);
    ledger_header_t header;
    char problem[ZVT_PROBLEM_SIZE];
    cr_assert_eq(ledger_visit(path, &header, NULL, s_on_record, &seen, problem), 0);
    cr_assert_eq(seen.last_seq, 1);
    cr_assert_str_eq(header.market, "synthetic seed=42");
    ledger_close(&ledger);
}
