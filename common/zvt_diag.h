/* zvt_diag -- diagnostics of one process, one line each on stderr (the supervisor keeps them).
 *
 * Not the event log: nothing durable depends on these lines. One that nobody reads is dropped and counted
 * ("diagnostics_dropped") instead of waited for. */
#ifndef ZVT_DIAG_H
#define ZVT_DIAG_H

#include "zvt_error.h"

typedef enum { ZVT_DIAG_ERROR, ZVT_DIAG_WARN, ZVT_DIAG_INFO, ZVT_DIAG_DEBUG } zvt_diag_level_t;

void zvt_diag_init(const char *process_name, zvt_diag_level_t level);
/* 0, or ZVT_ERR_INVALID for a level that is not error, warn, info or debug. */
ZVT_MUSTUSE int zvt_diag_set_level(const char *text);

/* Writes "2024-08-08T23:54:14.206652Z warn risk: text". */
ZVT_PRINTF(2, 3) void zvt_diag(zvt_diag_level_t level, const char *format, ...);
#define zvt_error(...) zvt_diag(ZVT_DIAG_ERROR, __VA_ARGS__)
#define zvt_warn(...) zvt_diag(ZVT_DIAG_WARN, __VA_ARGS__)
#define zvt_info(...) zvt_diag(ZVT_DIAG_INFO, __VA_ARGS__)
#define zvt_debug(...) zvt_diag(ZVT_DIAG_DEBUG, __VA_ARGS__)

/* For trouble that can repeat thousands of times a second: true at most once a second per call site. */
#define zvt_diag_allowed() ({ static int64_t s_last_ns; zvt_diag_once_a_second(&s_last_ns); })
#include <stdbool.h>
#include <stdint.h>
bool zvt_diag_once_a_second(int64_t *last_ns);

#endif
