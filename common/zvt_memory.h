/* zvt_memory -- memory that will be needed at once, made ready at once.
 *
 * Allocated memory becomes real page by page as it is touched, which costs a process that fills a hundred megabytes in
 * a moment more than what it fills them with. */
#ifndef ZVT_MEMORY_H
#define ZVT_MEMORY_H

#include <stddef.h>

/* Makes these bytes real without changing them. (Not in large pages: looking for some may take
 * the kernel a fifth of a second.) */
void zvt_memory_warm(void *bytes, size_t size);

#endif
