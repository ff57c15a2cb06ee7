#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive_file.h"

enum { ROWS = 20000 };

static char s_folder[64], s_path[96];
static archive_sum_t s_sum;
static const char s_header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* 19 bytes with its last NUL */

/* One column of four bytes. */
static void s_row(unsigned number, uint8_t row[10])
{
    const uint8_t bytes[10] = {0, 1, 0, 0, 0, 4, (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    memcpy(row, bytes, sizeof bytes);
}

static void s_write(bool whole)
{
    uint8_t row[10];
    archive_file_t *file = archive_file_create(s_path);
    cr_assert_not_null(file);
    cr_assert_eq(archive_file_write(file, s_header, 19), 0);
    for (unsigned n = 0; n < ROWS; n++) {
        s_row(n, row);
        cr_assert_eq(archive_file_write(file, row, sizeof row), 0);
    }
    if (whole) cr_assert_eq(archive_file_write(file, "\xff\xff", 2), 0);
    cr_assert_eq(archive_file_finish(file, &s_sum), 0);
    archive_file_destroy(&file);
}

static void s_begin(void)
{
    snprintf(s_folder, sizeof s_folder, "/tmp/zvt-test-archive.XXXXXX");
    cr_assert_not_null(mkdtemp(s_folder));
    snprintf(s_path, sizeof s_path, "%s/rows.gz", s_folder);
}

static void s_end(void)
{
    unlink(s_path);
    rmdir(s_folder);
}

/* Reads all rows; how many there were, or the status that ended it. */
static int s_read(archive_sum_t *sum)
{
    uint8_t expected[10];
    const uint8_t *row;
    size_t length;
    archive_file_t *file = archive_file_open(s_path);
    cr_assert_not_null(file);
    int count = 0, got;
    while ((got = archive_file_row(file, 1, &row, &length)) == 1) {
        s_row((unsigned)count++, expected);
        if (length != sizeof expected || memcmp(row, expected, length) != 0) got = ZVT_ERR_CORRUPT;
        if (got != 1) break;
    }
    if (got == 0) got = archive_file_sum(file, sum);
    archive_file_destroy(&file);
    return got < 0 ? got : count;
}

/* Changes a byte of the file in the middle. */
static void s_damage(off_t at)
{
    int fd = open(s_path, O_RDWR);
    uint8_t byte;
    cr_assert_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

TestSuite(archive_file, .init = s_begin, .fini = s_end);

Test(archive_file, gives_back_the_rows_and_the_same_sum)
{
    archive_sum_t sum;
    s_write(true);
    cr_assert_eq(s_read(&sum), ROWS);
    cr_assert_eq(sum.bytes, s_sum.bytes);
    cr_assert_eq(memcmp(sum.sha256, s_sum.sha256, sizeof sum.sha256), 0);
}

Test(archive_file, is_there_whole_or_not_at_all)
{
    archive_file_t *file = archive_file_create(s_path);
    cr_assert_eq(archive_file_write(file, s_header, 19), 0);
    cr_assert_neq(access(s_path, F_OK), 0);
    archive_file_destroy(&file);
    cr_assert_neq(access(s_path, F_OK), 0);
    char part[128];
    snprintf(part, sizeof part, "%s.part", s_path);
    cr_assert_neq(access(part, F_OK), 0, "what was not finished is removed");
}

Test(archive_file, is_written_over_by_itself_but_never_over_another)
{
    archive_sum_t sum;
    s_write(true);
    s_write(true);
    cr_assert_eq(s_read(&sum), ROWS);
    archive_file_t *file = archive_file_create(s_path);
    cr_assert_eq(archive_file_write(file, s_header, 19), 0);
    cr_assert_eq(archive_file_write(file, "\xff\xff", 2), 0);
    cr_assert_eq(archive_file_finish(file, &sum), ZVT_ERR_EXISTS);
    archive_file_destroy(&file);
    cr_assert_eq(s_read(&sum), ROWS);
}

Test(archive_file, that_was_cut_off_anywhere_is_found)
{
    archive_sum_t sum;
    s_write(true);
    for (off_t length = (off_t)s_sum.bytes - 1; length >= 0; length = length > 4000 ? length - 3001 : length - 1) {
        cr_assert_eq(truncate(s_path, length), 0);
        cr_assert_lt(s_read(&sum), 0, "%ld bytes", (long)length);
    }
}

Test(archive_file, without_its_trailer_is_found)
{
    archive_sum_t sum;
    s_write(false);
    cr_assert_lt(s_read(&sum), 0);
}

Test(archive_file, that_was_changed_has_another_sum_or_cannot_be_read)
{
    archive_sum_t sum;
    s_write(true);
    for (off_t at = 0; at < (off_t)s_sum.bytes; at += 997) {
        s_damage(at);
        int count = s_read(&sum);
        cr_assert(count < 0 || memcmp(sum.sha256, s_sum.sha256, sizeof sum.sha256) != 0, "byte %ld", (long)at);
        s_damage(at);
    }
    cr_assert_eq(s_read(&sum), ROWS);
}

Test(archive_file, with_something_behind_its_end_is_found)
{
    archive_sum_t sum;
    s_write(true);
    FILE *file = fopen(s_path, "ae");
    fputs("more", file);
    fclose(file);
    cr_assert_lt(s_read(&sum), 0);
}
