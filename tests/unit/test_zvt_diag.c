#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "zvt_diag.h"
#include "zvt_stats.h"

/* Standard error becomes a pipe; returns its reading end. */
static int s_pipe_stderr(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    return ends[0];
}

Test(zvt_diag, lines_that_nobody_reads_are_dropped_and_counted_instead_of_waited_for, .timeout = 20)
{
    int reader = s_pipe_stderr();
    uint64_t before = *zvt_counter("diagnostics_dropped");
    zvt_diag_init("test", ZVT_DIAG_INFO);
    for (int i = 0; i < 5000; i++) zvt_warn("line %d of more than a pipe holds", i);
    uint64_t dropped = *zvt_counter("diagnostics_dropped") - before;
    cr_assert(dropped > 0 && dropped < 5000, "%llu dropped", (unsigned long long)dropped);
    static char text[1 << 20];
    cr_assert_eq(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
    ssize_t length = read(reader, text, sizeof text - 1);
    cr_assert_gt(length, 0);
    cr_assert_eq(text[length - 1], '\n', "what was written are whole lines");
    zvt_warn("heard again");
    memset(text, 0, sizeof text);
    cr_assert_gt(read(reader, text, sizeof text - 1), 0);
    cr_assert_not_null(strstr(text, "warn test: heard again"));
}
