#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "halt_file.h"

static char s_folder[64], s_path[96];

static void s_begin(void)
{
    snprintf(s_folder, sizeof s_folder, "/tmp/zvt-halt-XXXXXX");
    cr_assert_not_null(mkdtemp(s_folder));
    snprintf(s_path, sizeof s_path, "%s/orchestrator.halt", s_folder);
}

static void s_end(void)
{
    unlink(s_path);
    rmdir(s_folder);
}

static void s_write(const char *text)
{
    FILE *out = fopen(s_path, "w");
    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
}

static halt_file_halt_t s_halt(const char *by, const char *reason)
{
    halt_file_halt_t halt = {.requested_by = ""};
    snprintf(halt.requested_by, sizeof halt.requested_by, "%s", by);
    snprintf(halt.reason, sizeof halt.reason, "%s", reason);
    return halt;
}

TestSuite(halt_file, .init = s_begin, .fini = s_end);

Test(halt_file, is_made_not_halted_and_has_its_size_from_then_on)
{
    struct stat before, after;
    halt_file_halt_t halt = s_halt("me", "a drill"), found;
    cr_assert_not(halt_file_load(s_path, &found), "it is not there");
    cr_assert_eq(halt_file_prepare(s_path), 0);
    cr_assert_not(halt_file_load(s_path, &found));
    cr_assert_eq(stat(s_path, &before), 0);
    cr_assert_eq(halt_file_store(s_path, &halt), 0);
    cr_assert_eq(stat(s_path, &after), 0);
    cr_assert_eq(before.st_size, HALT_FILE_BYTES);
    cr_assert_eq(after.st_size, before.st_size);
    cr_assert_eq(after.st_ino, before.st_ino, "written in place: a full disk takes it");
}

Test(halt_file, keeps_who_and_why_until_the_end_of_the_halt)
{
    halt_file_halt_t halt = s_halt("ann", "prices look wrong"), other = s_halt("bob", "again"), found;
    cr_assert_eq(halt_file_prepare(s_path), 0);
    cr_assert_eq(halt_file_store(s_path, &halt), 0);
    cr_assert_eq(halt_file_prepare(s_path), 0, "the next start changes nothing");
    cr_assert(halt_file_load(s_path, &found));
    cr_assert_str_eq(found.requested_by, "ann");
    cr_assert_str_eq(found.reason, "prices look wrong");
    cr_assert_eq(halt_file_store(s_path, &other), 0);
    cr_assert(halt_file_load(s_path, &found));
    cr_assert_str_eq(found.reason, "again");
    cr_assert_eq(halt_file_store(s_path, NULL), 0);
    cr_assert_not(halt_file_load(s_path, &found));
}

Test(halt_file, takes_the_longest_halt)
{
    halt_file_halt_t halt, found;
    memset(halt.requested_by, 'b', sizeof halt.requested_by);
    memset(halt.reason, 'r', sizeof halt.reason);
    halt.requested_by[sizeof halt.requested_by - 1] = halt.reason[sizeof halt.reason - 1] = '\0';
    cr_assert_eq(halt_file_store(s_path, &halt), 0);
    cr_assert(halt_file_load(s_path, &found));
    cr_assert_str_eq(found.requested_by, halt.requested_by);
    cr_assert_str_eq(found.reason, halt.reason);
}

Test(halt_file, that_says_neither_counts_as_a_halt_and_says_why)
{
    halt_file_halt_t found;
    s_write("\x01\x02garbage");
    cr_assert(halt_file_load(s_path, &found));
    cr_assert_not_null(strstr(found.reason, s_path));
    cr_assert_eq(halt_file_prepare(s_path), 0);
    cr_assert(halt_file_load(s_path, &found), "a start does not wipe it");
}

Test(halt_file, that_is_empty_was_never_made)
{
    halt_file_halt_t found;
    s_write("");
    cr_assert_not(halt_file_load(s_path, &found));
    cr_assert_eq(halt_file_prepare(s_path), 0);
    cr_assert_not(halt_file_load(s_path, &found));
}

Test(halt_file, that_cannot_be_written_is_an_error)
{
    halt_file_halt_t halt = s_halt("me", "x");
    cr_assert_eq(halt_file_store("/nonexistent/orchestrator.halt", &halt), ZVT_ERR_IO);
    cr_assert_eq(errno, ENOENT);
}
