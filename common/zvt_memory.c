#include "zvt_memory.h"

#include <stdint.h>
#include <sys/mman.h>

enum { PAGE_SIZE = 4096 };

void zvt_memory_warm(void *bytes, size_t size)
{
    uint8_t *first = (uint8_t *)(((uintptr_t)bytes + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE), *end = (uint8_t *)bytes + size;
    if (first >= end) return;
    if (madvise(first, (size_t)(end - first), MADV_POPULATE_WRITE) == 0) return;
    /* A kernel before 5.14. */
    for (uint8_t *at = first; at < end; at += PAGE_SIZE) {
        volatile uint8_t *byte = at;
        *byte = *byte; /* a page is made when it is written to */
    }
}
