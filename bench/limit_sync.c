#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limit.h"
#include "zvt_time.h"

enum { FILE_BYTES = 64 << 20, WRITE_MAX = 1 << 20 };

/* Writes one after another into space that is there already, as WAL and ledgers do, each followed by fdatasync. A disk that has slept takes
 * longer: at a rate there are pauses. */
int limit_sync(const limit_options_t *options)
{
    static uint8_t bytes[WRITE_MAX];
    size_t size = options->size < WRITE_MAX ? options->size : WRITE_MAX;
    const char *path = options->path == NULL ? "limit-sync" : options->path;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, FILE_BYTES) != 0 || fsync(fd) != 0) {
        fprintf(stderr, "zvt-limit: cannot prepare %s: %s; name a file on the fleet's disk with --path\n", path, strerror(errno));
        return ZVT_EXIT_FAILED;
    }
    zvt_histogram_t *syncs = zvt_histogram("sync");
    off_t at = 0;
    uint64_t count = 0;
    int64_t start_ns = zvt_monotonic_ns(), end_ns = start_ns + (int64_t)(options->seconds * 1e9), now_ns = start_ns;
    while (now_ns < end_ns) {
        (void)limit_await(options, start_ns, count);
        int64_t before_ns = zvt_monotonic_ns();
        if (pwrite(fd, bytes, size, at) != (ssize_t)size || fdatasync(fd) != 0) {
            fprintf(stderr, "zvt-limit: cannot write %s: %s\n", path, strerror(errno));
            return ZVT_EXIT_FAILED;
        }
        at = at + 2 * (off_t)size > FILE_BYTES ? 0 : at + (off_t)size;
        now_ns = zvt_monotonic_ns();
        zvt_histogram_add(syncs, now_ns - before_ns);
        count++;
    }
    printf("{\"size\": %zu, \"syncs_per_s\": %.1f", size, (double)count * 1e9 / (double)(now_ns - start_ns));
    limit_print_histogram(stdout, "sync_ms", syncs);
    puts("}");
    close(fd);
    unlink(path);
    return ZVT_EXIT_OK;
}
