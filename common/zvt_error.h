/* zvt_error -- the status codes every fallible function returns.
 *
 * 0 is success; anything else is one of the negative ZVT_ERR_* below. The text says what happened in words a
 * caller can print; what to do about it is the caller's to add, because only the caller knows the context. */
#ifndef ZVT_ERROR_H
#define ZVT_ERROR_H

#define ZVT_RELEASE "0.1.0" /* of everything built from these sources */

#define ZVT_MUSTUSE __attribute__((warn_unused_result))
#define ZVT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define ZVT_ERRORS(E)                                                                  \
    E(INVALID,     -1,  "invalid value")                                               \
    E(FULL,        -2,  "a bounded table or queue is full")                            \
    E(OVERFLOW,    -3,  "number too large for fixed point 1e-8")                       \
    E(TRUNCATED,   -4,  "data ends before the value does")                             \
    E(TYPE,        -5,  "value has another type than the schema says")                 \
    E(RANGE,       -6,  "value outside the range the schema allows")                   \
    E(UNKNOWN,     -7,  "unknown record type")                                         \
    E(NOT_FOUND,   -8,  "not found")                                                   \
    E(EXISTS,      -9,  "exists already")                                              \
    E(IO,          -10, "input or output failed")                                      \
    E(SYNTAX,      -11, "syntax error")                                                \
    E(TIMEOUT,     -12, "timed out")                                                   \
    E(STALE,       -13, "too old")                                                     \
    E(FENCED,      -14, "a newer epoch has taken over")                                \
    E(CLOSED,      -15, "closed")                                                      \
    E(AGAIN,       -16, "not possible right now")                                      \
    E(UNSUPPORTED, -17, "not supported")                                               \
    E(NOMEM,       -18, "out of memory")                                               \
    E(CORRUPT,     -19, "stored data fails its check")                                 \
    E(ILLEGAL,     -20, "not allowed in the present state")

enum {
#define ZVT_ERROR_ENUM(name, value, text) ZVT_ERR_##name = (value),
    ZVT_ERRORS(ZVT_ERROR_ENUM)
#undef ZVT_ERROR_ENUM
};

/* Exit codes: they tell the supervisor what to do next. */
enum {
    ZVT_EXIT_OK = 0,        /* asked to stop */
    ZVT_EXIT_FAILED = 1,    /* a command line tool's answer was no */
    ZVT_EXIT_USAGE = 2,     /* a command line tool was called wrongly */
    ZVT_EXIT_CONFIG = 100,  /* configuration or environment: restarting does not help */
    ZVT_EXIT_BUG = 101,     /* our own mistake */
    ZVT_EXIT_TEMPORARY = 111, /* restart and it may work */
};

/* The text of a status; "success" for 0. Static, never NULL. */
const char *zvt_strerror(int status);

/* Ends the process with exit code 101 after printing the condition. Stays on in release builds. */
#define ZVT_ASSERT(condition) \
    ((condition) ? (void)0 : zvt_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void zvt_assert_failed(const char *condition, const char *file, int line);

#endif
