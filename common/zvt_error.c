#include "zvt_error.h"

#include <stdio.h>
#include <stdlib.h>

const char *zvt_strerror(int status)
{
    switch (status) {
    case 0: return "success";
#define ZVT_ERROR_TEXT(name, value, text) case ZVT_ERR_##name: return text;
    ZVT_ERRORS(ZVT_ERROR_TEXT)
#undef ZVT_ERROR_TEXT
    default: return "unknown error";
    }
}

_Noreturn void zvt_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "zvt: invariant broken: %s (%s:%d)\n", condition, file, line);
    fflush(NULL);
#ifdef ZVT_ABORT_ON_ASSERT
    abort(); /* fuzzers and sanitizers want the stack */
#else
    _Exit(ZVT_EXIT_BUG);
#endif
}
