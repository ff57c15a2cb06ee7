#include <criterion/criterion.h>
#include <zlib.h>

#include "capture.h"
#include "venue_fixture.h"

#define QUOTE(time) #time " {\"u\":" #time ",\"s\":\"BTCUSDT\",\"b\":\"1\",\"B\":\"2\",\"a\":\"3\",\"A\":\"4\"}\n"

static uint64_t s_malformed_line;

static void s_on_malformed(void *arg, const char *file, uint64_t line, const char *reason)
{
    (void)arg;
    (void)file;
    (void)reason;
    s_malformed_line = line;
}

static void s_write(const char *path, const char *text)
{
    fixture_write(path, text, strlen(text));
}

/* Reads to the end; returns how many events there were, and keeps the recording for questions. */
static uint32_t s_read_all(const char *files, capture_t **capture)
{
    char problem[ZVT_PROBLEM_SIZE] = "";
    cr_assert_eq(capture_new(capture, files, s_on_malformed, NULL, problem), 0, "%s", problem);
    const capture_event_t *event;
    uint32_t count = 0;
    int64_t last_ns = 0;
    while (capture_next(*capture, &event) == 0) {
        cr_assert_gt(event->received_ns, last_ns);
        last_ns = event->received_ns;
        count++;
    }
    cr_assert_eq(capture_next(*capture, &event), ZVT_ERR_CLOSED, "the end stays the end");
    return count;
}

Test(capture, reads_a_plain_file_to_its_end)
{
    const char *path = fixture_path("a.jsonl");
    s_write(path, QUOTE(1) QUOTE(2) "\n" QUOTE(3));
    capture_t *capture;
    cr_assert_eq(s_read_all(path, &capture), 3);
    cr_assert_not_null(strstr(capture_message(capture), "has ended"));
    cr_assert_eq(capture_counts(capture)->malformed, 0);
    capture_destroy(&capture);
}

Test(capture, a_malformed_line_is_counted_and_passed_over)
{
    const char *path = fixture_path("b.jsonl");
    s_write(path, QUOTE(1) "2 {\"u\":\n" QUOTE(3));
    capture_t *capture;
    cr_assert_eq(s_read_all(path, &capture), 2);
    cr_assert_eq(capture_counts(capture)->malformed, 1);
    cr_assert_eq(s_malformed_line, 2);
    capture_destroy(&capture);
}

Test(capture, a_file_cut_in_the_middle_of_a_line_ends_the_recording_there)
{
    const char *path = fixture_path("c.jsonl");
    s_write(path, QUOTE(1) QUOTE(2) "3 {\"u\":3,\"s\":\"BTC");
    capture_t *capture;
    cr_assert_eq(s_read_all(path, &capture), 2);
    cr_assert_not_null(strstr(capture_message(capture), "cut in the middle of line 3"), "%s", capture_message(capture));
    capture_destroy(&capture);
}

Test(capture, a_whole_last_line_without_its_end_is_read)
{
    const char *path = fixture_path("d.jsonl");
    char text[256] = QUOTE(1) QUOTE(2);
    text[strlen(text) - 1] = '\0';
    s_write(path, text);
    capture_t *capture;
    cr_assert_eq(s_read_all(path, &capture), 2);
    cr_assert_not_null(strstr(capture_message(capture), "has ended"));
    capture_destroy(&capture);
}

Test(capture, gzip_data_that_ends_early_ends_the_recording_with_a_message)
{
    char whole[128], cut[128];
    snprintf(whole, sizeof whole, "%s", fixture_path("e.jsonl.gz"));
    snprintf(cut, sizeof cut, "%s", fixture_path("e_cut.jsonl.gz"));
    gzFile out = gzopen(whole, "wb");
    for (int i = 1; i <= 5000; i++)
        gzprintf(out, "%d {\"u\":%d,\"s\":\"BTCUSDT\",\"b\":\"%d.5\",\"B\":\"2\",\"a\":\"%d\",\"A\":\"4\"}\n", i, i,
                 i * 7919 % 1000, i * 104729 % 1000 + 1000);
    gzclose(out);
    capture_t *capture;
    cr_assert_eq(s_read_all(whole, &capture), 5000);
    capture_destroy(&capture);
    static char bytes[1 << 20];
    FILE *in = fopen(whole, "rb");
    size_t length = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    for (size_t keep = 30; keep < length; keep += length / 7) {
        fixture_write(cut, bytes, keep);
        cr_assert_lt(s_read_all(cut, &capture), 5000);
        cr_assert_not_null(strstr(capture_message(capture), "gzip"), "%s", capture_message(capture));
        capture_destroy(&capture);
    }
    bytes[length / 2] ^= 0x55;
    fixture_write(cut, bytes, length);
    cr_assert_leq(s_read_all(cut, &capture), 5000);
    cr_assert_not_null(strstr(capture_message(capture), "gzip"), "%s", capture_message(capture));
    capture_destroy(&capture);
}

Test(capture, files_follow_one_another_and_a_cut_one_ends_them_all)
{
    char a[128], b[128], both[300];
    snprintf(a, sizeof a, "%s", fixture_path("f1.jsonl"));
    snprintf(b, sizeof b, "%s", fixture_path("f2.csv"));
    s_write(a, QUOTE(1) QUOTE(2));
    s_write(b, CAPTURE_CSV_HEADER "\n3,BTCUSDT,1,2,3,4\n4,BTC/USDT,1,2,3,4\n");
    snprintf(both, sizeof both, "%s,%s", a, b);
    capture_t *capture;
    cr_assert_eq(s_read_all(both, &capture), 4);
    cr_assert_eq(capture_file(capture), 1);
    capture_destroy(&capture);
    s_write(a, QUOTE(1) "2 {");
    cr_assert_eq(s_read_all(both, &capture), 1);
    cr_assert_not_null(strstr(capture_message(capture), "cut"));
    capture_destroy(&capture);
}

Test(capture, an_overlong_line_is_malformed)
{
    const char *path = fixture_path("g.jsonl");
    FILE *out = fopen(path, "wb");
    fputs(QUOTE(1), out);
    for (int i = 0; i < CAPTURE_LINE_MAX + 5 * 65536; i++) fputc('x', out);
    fputs("\n" QUOTE(2), out);
    fclose(out);
    capture_t *capture;
    cr_assert_eq(s_read_all(path, &capture), 2);
    cr_assert_eq(capture_counts(capture)->malformed, 1);
    capture_destroy(&capture);
}

Test(capture, missing_and_empty_names_are_refused)
{
    capture_t *capture = NULL;
    char problem[ZVT_PROBLEM_SIZE] = "";
    cr_assert_eq(capture_new(&capture, "/nonexistent/file", NULL, NULL, problem), ZVT_ERR_IO);
    cr_assert_not_null(strstr(problem, "/nonexistent/file"));
    cr_assert_eq(capture_new(&capture, "", NULL, NULL, problem), ZVT_ERR_INVALID);
    const char *path = fixture_path("h.jsonl");
    s_write(path, "");
    cr_assert_eq(s_read_all(path, &capture), 0);
    capture_destroy(&capture);
}

Test(capture, names_are_kept_without_folders)
{
    char names[64];
    capture_names("/a/b/one.gz,two.csv,../three", names, sizeof names);
    cr_assert_str_eq(names, "one.gz,two.csv,three");
}
