/* zvt_time -- the two clocks, and times as text.
 *
 * Only *_main.c files and the plumbing call the clocks; cores are told the time.
 * Units    *_ns: UTC nanoseconds since 1970, or monotonic nanoseconds where the name says so. */
#ifndef ZVT_TIME_H
#define ZVT_TIME_H

#include <stdint.h>

#include "zvt_error.h"

#define ZVT_MS_NS INT64_C(1000000)
#define ZVT_SECOND_NS INT64_C(1000000000)
#define ZVT_TIME_TEXT 32 /* bytes that hold an ISO 8601 time with its NUL */

int64_t zvt_utc_ns(void);
int64_t zvt_monotonic_ns(void);

/* "2024-08-08T23:54:14.206652Z": microseconds, always UTC. A time outside years 0..9999 prints as the number. */
void zvt_time_format(int64_t utc_ns, char text[ZVT_TIME_TEXT]);

#endif
