#include "zvt_epoch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 1024, TEXT_SIZE = 24 };

int zvt_epoch_load(const char *path, uint64_t *epoch)
{
    char text[TEXT_SIZE] = "";
    *epoch = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? 0 : ZVT_ERR_IO;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length < 0) return ZVT_ERR_IO;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || strcmp(text + digits, "\n") != 0) return ZVT_ERR_CORRUPT;
    errno = 0;
    *epoch = strtoull(text, NULL, 10);
    return errno == 0 ? 0 : ZVT_ERR_CORRUPT;
}

/* Writes and syncs the whole text; 0 or ZVT_ERR_IO. */
static int s_write_synced(const char *path, const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return ZVT_ERR_IO;
    bool written = write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
    bool closed = close(fd) == 0;
    return written && closed ? 0 : ZVT_ERR_IO;
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

int zvt_epoch_store(const char *path, uint64_t epoch)
{
    char next[PATH_SIZE], text[TEXT_SIZE];
    if (snprintf(next, sizeof next, "%s.next", path) >= (int)sizeof next) return ZVT_ERR_IO;
    int length = snprintf(text, sizeof text, "%" PRIu64 "\n", epoch);
    int status = s_write_synced(next, text, (size_t)length);
    if (status == 0 && rename(next, path) != 0) status = ZVT_ERR_IO;
    return status != 0 ? status : s_sync_folder_of(path);
}
