#include "zvt_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static int64_t s_clock_ns(clockid_t clock)
{
    struct timespec now;
    ZVT_ASSERT(clock_gettime(clock, &now) == 0);
    return (int64_t)now.tv_sec * ZVT_SECOND_NS + now.tv_nsec;
}

int64_t zvt_utc_ns(void)
{
    return s_clock_ns(CLOCK_REALTIME);
}

int64_t zvt_monotonic_ns(void)
{
    return s_clock_ns(CLOCK_MONOTONIC);
}

void zvt_time_format(int64_t utc_ns, char text[ZVT_TIME_TEXT])
{
    time_t seconds = (time_t)(utc_ns / ZVT_SECOND_NS);
    int64_t rest_ns = utc_ns % ZVT_SECOND_NS;
    if (rest_ns < 0) {
        rest_ns += ZVT_SECOND_NS;
        seconds -= 1;
    }
    int64_t micros = rest_ns / 1000;
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 8099) {
        snprintf(text, ZVT_TIME_TEXT, "%" PRId64, utc_ns);
        return;
    }
    snprintf(text, ZVT_TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", (unsigned)(tm.tm_year + 1900) % 10000u,
             (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_mday % 100u, (unsigned)tm.tm_hour % 100u,
             (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u, (unsigned)micros % 1000000u);
}
