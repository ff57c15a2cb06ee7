#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "zvt_epoch.h"

static char s_folder[] = "/tmp/zvt-epoch-XXXXXX";
static char s_path[64];

static void s_setup(void)
{
    cr_assert_not_null(mkdtemp(s_folder));
    snprintf(s_path, sizeof s_path, "%s/test.epoch", s_folder);
}

static void s_teardown(void)
{
    unlink(s_path);
    rmdir(s_folder);
}

static void s_write(const char *text)
{
    FILE *file = fopen(s_path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

TestSuite(epoch, .init = s_setup, .fini = s_teardown);

Test(epoch, is_zero_without_a_file)
{
    uint64_t epoch = 9;
    cr_assert_eq(zvt_epoch_load(s_path, &epoch), 0);
    cr_assert_eq(epoch, 0u);
}

Test(epoch, comes_back_as_it_was_stored)
{
    uint64_t epoch;
    cr_assert_eq(zvt_epoch_store(s_path, 41), 0);
    cr_assert_eq(zvt_epoch_store(s_path, INT64_MAX), 0);
    cr_assert_eq(zvt_epoch_load(s_path, &epoch), 0);
    cr_assert_eq(epoch, (uint64_t)INT64_MAX);
}

Test(epoch, refuses_a_file_that_is_not_a_number)
{
    static const char *const bad[] = {"", "12", "x\n", "12x\n", "-1\n", "99999999999999999999999999\n", "9223372036854775808\n"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t epoch;
        s_write(bad[i]);
        cr_assert_eq(zvt_epoch_load(s_path, &epoch), ZVT_ERR_CORRUPT, "'%s' was accepted", bad[i]);
    }
}

Test(epoch, says_when_the_folder_cannot_be_written)
{
    cr_assert_eq(zvt_epoch_store("/nowhere/at/all.epoch", 1), ZVT_ERR_IO);
}
