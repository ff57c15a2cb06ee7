#include "zvt_epoch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_file.h"

enum { TEXT_SIZE = 24 };

int zvt_epoch_load(const char *path, uint64_t *epoch)
{
    char text[TEXT_SIZE] = "";
    size_t length;
    *epoch = 0;
    int status = zvt_file_load(path, text, sizeof text - 1, &length);
    if (status == ZVT_ERR_NOT_FOUND) return 0;
    if (status != 0) return status == ZVT_ERR_FULL ? ZVT_ERR_CORRUPT : status;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || strcmp(text + digits, "\n") != 0) return ZVT_ERR_CORRUPT;
    errno = 0;
    *epoch = strtoull(text, NULL, 10);
    return errno == 0 && *epoch <= INT64_MAX ? 0 : ZVT_ERR_CORRUPT; /* the database gives no higher one */
}

int zvt_epoch_store(const char *path, uint64_t epoch)
{
    char text[TEXT_SIZE];
    int length = snprintf(text, sizeof text, "%" PRIu64 "\n", epoch);
    return zvt_file_replace(path, text, (size_t)length);
}
