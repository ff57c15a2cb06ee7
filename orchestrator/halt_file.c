#include "halt_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "zvt_file.h"

static const char s_halted[] = "halted\n", s_not_halted[] = "not halted\n";
_Static_assert(sizeof(halt_file_halt_t) + sizeof s_halted + 2 <= HALT_FILE_BYTES, "any halt fits");

int halt_file_store(const char *path, const halt_file_halt_t *halt)
{
    char bytes[HALT_FILE_BYTES];
    memset(bytes, '\n', sizeof bytes);
    int length = halt == NULL ? snprintf(bytes, sizeof bytes, "%s", s_not_halted)
                              : snprintf(bytes, sizeof bytes, "%s%s\n%s\n", s_halted, halt->requested_by, halt->reason);
    bytes[length] = '\n'; /* in place of the end of the text */
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return ZVT_ERR_IO;
    bool stored = pwrite(fd, bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes && fsync(fd) == 0;
    int cause = errno;
    close(fd);
    errno = cause;
    return stored ? 0 : ZVT_ERR_IO;
}

/* Takes a line off the text. */
static void s_take_line(const char **text, char *line, size_t size)
{
    size_t length = strcspn(*text, "\n");
    snprintf(line, size, "%.*s", (int)length, *text);
    *text += length + ((*text)[length] == '\n');
}

bool halt_file_load(const char *path, halt_file_halt_t *halt)
{
    char text[HALT_FILE_BYTES + 1] = "";
    size_t length;
    memset(halt, 0, sizeof *halt);
    int status = zvt_file_load(path, text, HALT_FILE_BYTES, &length);
    /* An empty one was never made: the disk was full when the fleet started. */
    if (status == ZVT_ERR_NOT_FOUND || (status == 0 && length == 0)) return false;
    if (status == 0 && strncmp(text, s_not_halted, strlen(s_not_halted)) == 0) return false;
    if (status == 0 && strncmp(text, s_halted, strlen(s_halted)) == 0) {
        const char *at = text + strlen(s_halted);
        s_take_line(&at, halt->requested_by, sizeof halt->requested_by);
        s_take_line(&at, halt->reason, sizeof halt->reason);
        return true;
    }
    ZVT_STR_SET(halt->requested_by, "unknown");
    snprintf(halt->reason, sizeof halt->reason, "%s cannot be read as halted or not halted", path);
    return true;
}

int halt_file_prepare(const char *path)
{
    char bytes[HALT_FILE_BYTES];
    size_t length;
    int status = zvt_file_load(path, bytes, sizeof bytes, &length);
    bool there = status == ZVT_ERR_FULL || (status == 0 && length > 0);
    return there ? 0 : halt_file_store(path, NULL);
}
