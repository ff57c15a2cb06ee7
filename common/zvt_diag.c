#include "zvt_diag.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "zvt_stats.h"
#include "zvt_time.h"

static const char *const s_names[] = {
    [ZVT_DIAG_ERROR] = "error", [ZVT_DIAG_WARN] = "warn", [ZVT_DIAG_INFO] = "info", [ZVT_DIAG_DEBUG] = "debug"};

static char s_process[64] = "zvt";
static zvt_diag_level_t s_level = ZVT_DIAG_INFO;

void zvt_diag_init(const char *process_name, zvt_diag_level_t level)
{
    snprintf(s_process, sizeof s_process, "%s", process_name);
    s_level = level;
}

int zvt_diag_set_level(const char *text)
{
    for (unsigned i = 0; i < sizeof s_names / sizeof s_names[0]; i++) {
        if (strcmp(s_names[i], text) != 0) continue;
        s_level = (zvt_diag_level_t)i;
        return 0;
    }
    return ZVT_ERR_INVALID;
}

/* Whether a line can be written without waiting: a pipe that is writable takes PIPE_BUF bytes at once. Whoever keeps the
 * lines may have stopped reading, for example because the disk is full, and nobody shall trade slower for that. */
static bool s_is_read(void)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0;
}

void zvt_diag(zvt_diag_level_t level, const char *format, ...)
{
    if (level > s_level) return;
    if (!s_is_read()) {
        ZVT_COUNT("diagnostics_dropped");
        return;
    }
    char time[ZVT_TIME_TEXT], text[1024];
    zvt_time_format(zvt_utc_ns(), time);
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "%s %s %s: %s\n", time, s_names[level], s_process, text);
}

bool zvt_diag_once_a_second(int64_t *last_ns)
{
    int64_t now_ns = zvt_monotonic_ns();
    if (*last_ns != 0 && now_ns - *last_ns < ZVT_SECOND_NS) return false;
    *last_ns = now_ns;
    return true;
}
