#include "zvt_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { PATH_SIZE = 1024 };

int zvt_file_load(const char *path, void *data, size_t capacity, size_t *length)
{
    *length = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? ZVT_ERR_NOT_FOUND : ZVT_ERR_IO;
    int status = 0;
    for (;;) {
        char beyond;
        bool full = *length == capacity;
        ssize_t got = full ? read(fd, &beyond, 1) : read(fd, (char *)data + *length, capacity - *length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) status = ZVT_ERR_IO;
        if (got > 0 && full) status = ZVT_ERR_FULL;
        if (got <= 0 || status != 0) break;
        *length += (size_t)got;
    }
    close(fd);
    return status;
}

static int s_write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, data, length);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return ZVT_ERR_IO;
        data += put;
        length -= (size_t)put;
    }
    return fsync(fd) == 0 ? 0 : ZVT_ERR_IO;
}

/* A rename is durable only when the folder that names the file is. */
static int s_sync_folder_of(const char *path)
{
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 1 : (int)(slash - path) + 1; /* the slash stays, for a file in the root folder */
    snprintf(folder, sizeof folder, "%.*s", length, slash == NULL ? "." : path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return ZVT_ERR_IO;
    int status = fsync(fd) == 0 ? 0 : ZVT_ERR_IO;
    close(fd);
    return status;
}

int zvt_file_replace(const char *path, const void *data, size_t length)
{
    char next[PATH_SIZE];
    if (snprintf(next, sizeof next, "%s.next", path) >= (int)sizeof next) return ZVT_ERR_IO;
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return ZVT_ERR_IO;
    int status = s_write_all(fd, data, length);
    if (close(fd) != 0) status = ZVT_ERR_IO;
    if (status == 0 && rename(next, path) != 0) status = ZVT_ERR_IO;
    return status != 0 ? status : s_sync_folder_of(path);
}

int zvt_file_append(const char *path, const void *data, size_t length)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0) return ZVT_ERR_IO;
    off_t before = lseek(fd, 0, SEEK_END);
    int status = before < 0 ? ZVT_ERR_IO : s_write_all(fd, data, length);
    int error = errno;
    if (status != 0 && before >= 0 && ftruncate(fd, before) != 0) error = errno;
    close(fd);
    errno = error;
    return status;
}
