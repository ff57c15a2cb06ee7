#include "capture.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 256 << 10 };

typedef int(line_fn)(const char *line, size_t length, capture_event_t *event, char reason[CAPTURE_REASON_SIZE]);

struct capture {
    char *list;                       /* the files' names, NUL between them */
    const char *files[CAPTURE_FILES_MAX];
    uint32_t files_count;
    uint32_t file;                    /* being read */
    gzFile gz;
    line_fn *read_line;               /* NULL: the format is not known yet */
    uint64_t line;                    /* number of the last line read, from 1 */
    char *buffer;                     /* CAPTURE_LINE_MAX + CHUNK bytes of contents */
    size_t begin, end;                /* unread part of it */
    bool file_ended;                  /* nothing more to be read from the file */
    bool damaged;                     /* because its gzip data is damaged or ends early */
    bool overlong;                    /* the rest of a line that was too long is being passed over */
    char message[ZVT_MESSAGE_SIZE];
    bool closed;
    capture_malformed_fn *on_malformed;
    void *arg;
    capture_counts_t counts;
    capture_event_t event;
};

static const char *s_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

void capture_names(const char *files, char *names, size_t size)
{
    size_t length = 0;
    names[0] = '\0';
    while (*files != '\0') {
        size_t file_length = strcspn(files, ",");
        size_t name_at = file_length;
        while (name_at > 0 && files[name_at - 1] != '/') name_at--;
        int written = snprintf(names + length, size - length, "%s%.*s", length > 0 ? "," : "", (int)(file_length - name_at),
                               files + name_at);
        if (written < 0 || (size_t)written >= size - length) return;
        length += (size_t)written;
        files += file_length + (files[file_length] == ',');
    }
}

/* ---- opening ---- */
static int s_split_list(capture_t *self, const char *files, char problem[ZVT_PROBLEM_SIZE])
{
    self->list = strdup(files);
    ZVT_ASSERT(self->list != NULL);
    char *rest = self->list, *file;
    while ((file = strsep(&rest, ",")) != NULL) {
        if (*file == '\0' || self->files_count == CAPTURE_FILES_MAX) {
            snprintf(problem, ZVT_PROBLEM_SIZE, "--replay %s: give up to %d file names with a comma between them", files,
                     CAPTURE_FILES_MAX);
            return ZVT_ERR_INVALID;
        }
        if (access(file, R_OK) != 0) {
            snprintf(problem, ZVT_PROBLEM_SIZE, "cannot read the recording %s: %s", file, strerror(errno));
            return ZVT_ERR_IO;
        }
        self->files[self->files_count++] = file;
    }
    return 0;
}

static int s_open(capture_t *self)
{
    if (self->gz != NULL) gzclose(self->gz);
    self->gz = gzopen(self->files[self->file], "rbe");
    self->read_line = NULL;
    self->line = 0;
    self->begin = self->end = 0;
    self->file_ended = self->damaged = self->overlong = false;
    return self->gz == NULL ? ZVT_ERR_IO : 0;
}

int capture_new(capture_t **self_out, const char *files, capture_malformed_fn *fn, void *arg, char problem[ZVT_PROBLEM_SIZE])
{
    capture_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->on_malformed = fn;
    self->arg = arg;
    self->buffer = malloc(CAPTURE_LINE_MAX + CHUNK);
    ZVT_ASSERT(self->buffer != NULL);
    int status = s_split_list(self, files, problem);
    if (status == 0 && s_open(self) != 0) {
        snprintf(problem, ZVT_PROBLEM_SIZE, "cannot open the recording %s: %s", self->files[0], strerror(errno));
        status = ZVT_ERR_IO;
    }
    if (status != 0)
        capture_destroy(&self);
    else
        *self_out = self;
    return status;
}

void capture_destroy(capture_t **self)
{
    if (*self == NULL) return;
    if ((*self)->gz != NULL) gzclose((*self)->gz);
    free((*self)->list);
    free((*self)->buffer);
    free(*self);
    *self = NULL;
}

/* ---- lines ---- */
ZVT_PRINTF(2, 3)
static int s_close(capture_t *self, const char *format, ...)
{
    char text[2 * ZVT_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ZVT_STR_SET(self->message, text);
    self->closed = true;
    return ZVT_ERR_CLOSED;
}

/* Reads more of the file behind what is unread. */
static void s_refill(capture_t *self)
{
    memmove(self->buffer, self->buffer + self->begin, self->end - self->begin);
    self->end -= self->begin;
    self->begin = 0;
    int got = gzread(self->gz, self->buffer + self->end, CHUNK);
    if (got > 0) self->end += (size_t)got;
    if (got < CHUNK) self->file_ended = true;
    int error = Z_OK;
    (void)gzerror(self->gz, &error);
    self->damaged = got < 0 || error == Z_BUF_ERROR;
    if (self->damaged) self->file_ended = true;
}

/* Finds the next line in the buffer; false when it is not complete there. */
static bool s_buffered_line(capture_t *self, const char **line, size_t *length)
{
    const char *start = self->buffer + self->begin;
    const char *end = memchr(start, '\n', self->end - self->begin);
    if (end == NULL) return false;
    *line = start;
    *length = (size_t)(end - start);
    self->begin += *length + 1;
    return true;
}

static int s_close_cut(capture_t *self)
{
    return s_close(self, "%s is cut in the middle of line %llu", capture_file_name(self), (unsigned long long)self->line);
}

/* What is left at the end of a file without a line end behind it. */
static int s_last_line(capture_t *self, const char **line, size_t *length)
{
    if (self->damaged)
        return s_close(self, "%s: its gzip data is damaged or ends early, after line %llu", capture_file_name(self),
                       (unsigned long long)self->line);
    if (self->overlong) return s_close_cut(self);
    if (self->begin == self->end) return ZVT_ERR_NOT_FOUND;
    *line = self->buffer + self->begin;
    *length = self->end - self->begin;
    self->begin = self->end;
    return 0;
}

/* Gives the next line of the file. NOT_FOUND: the file has ended well. CLOSED: it ended in the middle. */
static int s_next_line(capture_t *self, const char **line, size_t *length)
{
    while (!s_buffered_line(self, line, length)) {
        if (self->file_ended) {
            int status = s_last_line(self, line, length);
            if (status != 0) return status;
            break;
        }
        if (self->end - self->begin > CAPTURE_LINE_MAX) {
            self->overlong = true;
            self->begin = self->end;
        }
        s_refill(self);
    }
    self->line++;
    self->counts.lines++;
    return 0;
}

static void s_malformed(capture_t *self, const char *reason)
{
    self->counts.malformed++;
    if (self->on_malformed != NULL) self->on_malformed(self->arg, capture_file_name(self), self->line, reason);
}

/* The first line of a file tells its format; true when it is only a header. */
static bool s_is_header(capture_t *self, const char *line, size_t length)
{
    if (self->read_line != NULL) return false;
    size_t header_length = strlen(CAPTURE_CSV_HEADER);
    bool csv = length >= header_length && memcmp(line, CAPTURE_CSV_HEADER, header_length) == 0;
    self->read_line = csv ? capture_line_csv : capture_line_json;
    return csv;
}

/* Reads one line into the event: 0, ZVT_ERR_AGAIN when it holds none, or the line's own error. */
static int s_read_line(capture_t *self, const char *line, size_t length, char reason[CAPTURE_REASON_SIZE])
{
    if (self->overlong) {
        self->overlong = false;
        snprintf(reason, CAPTURE_REASON_SIZE, "is longer than %d bytes", CAPTURE_LINE_MAX);
        return ZVT_ERR_RANGE;
    }
    if (s_is_header(self, line, length) || length == 0) return ZVT_ERR_AGAIN;
    int status = self->read_line(line, length, &self->event, reason);
    if (status != 0 || self->event.kind != CAPTURE_OTHER) return status;
    self->counts.other++;
    return ZVT_ERR_AGAIN;
}

static int s_next_file(capture_t *self)
{
    if (self->file + 1 == self->files_count)
        return s_close(self, "the recording has ended: %s, line %llu", capture_file_name(self), (unsigned long long)self->line);
    self->file++;
    return s_open(self) == 0 ? 0 : s_close(self, "cannot open the recording %s: %s", capture_file_name(self), strerror(errno));
}

/* Handles a line that holds no event; non-zero ends the recording. */
static int s_pass_over(capture_t *self, int status, bool cut, const char *reason)
{
    if (status == ZVT_ERR_AGAIN) return 0;
    s_malformed(self, reason);
    return cut ? s_close_cut(self) : 0;
}

int capture_next(capture_t *self, const capture_event_t **event)
{
    char reason[CAPTURE_REASON_SIZE] = "";
    int status = 0;
    while (!self->closed && status == 0) {
        const char *line = NULL;
        size_t length = 0;
        status = s_next_line(self, &line, &length);
        if (status == ZVT_ERR_NOT_FOUND) {
            status = s_next_file(self);
            continue;
        }
        if (status != 0) break;
        bool cut = self->begin == self->end && line + length == self->buffer + self->end; /* no line end behind it */
        int read = s_read_line(self, line, length, reason);
        *event = &self->event;
        if (read == 0) return 0;
        status = s_pass_over(self, read, cut, reason);
    }
    return ZVT_ERR_CLOSED;
}

uint32_t capture_file(const capture_t *self)
{
    return self->file;
}

uint64_t capture_line(const capture_t *self)
{
    return self->line;
}

const char *capture_file_name(const capture_t *self)
{
    return s_base_name(self->files[self->file]);
}

const char *capture_message(const capture_t *self)
{
    return self->message;
}

const capture_counts_t *capture_counts(const capture_t *self)
{
    return &self->counts;
}
