#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zvt_diag.h"

enum {
    CHUNK = 4 << 20,           /* bytes allocated ahead at a time */
    INDEX_STEP = 256,          /* reports between two entries of the index */
    INDEX_MAX = 1 << 20,       /* entries; beyond, a search starts at the last one */
    RECORD_MARGIN = 8 << 10,   /* more than any single record takes */
};

/* Where the reports after `seq` begin. */
typedef struct {
    uint64_t seq;
    uint64_t offset;
} index_entry_t;

struct ledger {
    int fd;
    uint64_t end;          /* offset where the next batch goes */
    uint64_t allocated;    /* bytes of the file that have their space */
    uint64_t batches;
    uint64_t seq;          /* of the last report gathered */
    uint64_t committed_seq;
    zvt_buf_t pending;     /* a batch being gathered, with room for its header */
    uint8_t *reading;      /* one batch, for ledger_reports */
    index_entry_t *index;
    uint32_t index_count;
    zvt_record_t record;   /* scratch */
};

static const size_t s_batch_bytes = LEDGER_BATCH_HEADER_SIZE + LEDGER_BATCH_MAX + 8;

ZVT_PRINTF(3, 4)
static int s_problem(char problem[ZVT_PROBLEM_SIZE], int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(problem, ZVT_PROBLEM_SIZE, format, args);
    va_end(args);
    return status;
}

/* ---- reading ---- */

/* Called for each batch; non-zero ends the walk. */
typedef int(batch_fn)(void *arg, const ledger_batch_t *batch, uint64_t offset);

/* Walks the batches behind the header. Sets *end to where the next one would go, and *torn when bytes of a batch that
 * never became durable stand there. */
static int s_walk(const uint8_t *bytes, size_t size, batch_fn *fn, void *arg, uint64_t *end, bool *torn)
{
    uint64_t number = 1;
    size_t at = LEDGER_HEADER_SIZE;
    *torn = false;
    for (;;) {
        ledger_batch_t batch;
        *end = at;
        int status = ledger_format_read_batch(bytes + at, size - at, number, &batch);
        if (status != 0) {
            if (ledger_format_goes_on(bytes + at, size - at, number)) return ZVT_ERR_CORRUPT;
            *torn = status != ZVT_ERR_NOT_FOUND;
            return 0;
        }
        status = fn(arg, &batch, at);
        if (status != 0) return status;
        at += batch.size;
        number++;
    }
}

static int s_each_record(const ledger_batch_t *batch, zvt_record_t *record, ledger_record_fn *fn, void *arg)
{
    zvt_cursor_t cursor = zvt_cursor(batch->payload, batch->length);
    while (!zvt_cursor_done(&cursor)) {
        if (zvt_read(&cursor, record) != 0) return ZVT_ERR_CORRUPT;
        int status = fn(arg, record);
        if (status != 0) return status;
    }
    return 0;
}

typedef struct {
    ledger_t *ledger; /* NULL: nobody keeps an index */
    ledger_record_fn *fn;
    void *arg;
    zvt_record_t *record;
} visit_t;

static void s_note_batch(ledger_t *self, uint64_t seq_before, uint64_t offset)
{
    bool due = self->index_count == 0 || seq_before >= self->index[self->index_count - 1].seq + INDEX_STEP;
    if (due && self->index_count < INDEX_MAX)
        self->index[self->index_count++] = (index_entry_t){.seq = seq_before, .offset = offset};
    self->batches++;
}

static int s_visit_record(void *arg, const zvt_record_t *record)
{
    visit_t *visit = arg;
    if (visit->ledger != NULL && record->type == ZVT_T_REPORT) visit->ledger->seq = record->report.venue_seq;
    return visit->fn(visit->arg, record);
}

static int s_visit_batch(void *arg, const ledger_batch_t *batch, uint64_t offset)
{
    visit_t *visit = arg;
    if (visit->ledger != NULL) s_note_batch(visit->ledger, batch->seq_before, offset);
    return s_each_record(batch, visit->record, s_visit_record, visit);
}

/* Maps a file for reading; an empty one has no bytes. */
static int s_map(int fd, const uint8_t **bytes, size_t *size)
{
    struct stat info;
    if (fstat(fd, &info) != 0) return ZVT_ERR_IO;
    *size = (size_t)info.st_size;
    *bytes = NULL;
    if (*size == 0) return 0;
    void *map = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) return ZVT_ERR_IO;
    *bytes = map;
    return 0;
}

static void s_unmap(const uint8_t *bytes, size_t size)
{
    if (bytes != NULL) munmap((void *)(uintptr_t)bytes, size);
}

/* Says why a walk through the batches ended early. */
static void s_explain(const char *path, int status, uint64_t offset, char problem[ZVT_PROBLEM_SIZE])
{
    if (status == ZVT_ERR_CORRUPT)
        (void)s_problem(problem, status,
                        "%s is damaged at byte %" PRIu64 ", before records that are intact; restore it from a backup, or begin "
                        "again with 'fleet down --wipe'", path, offset);
    else if (status != 0)
        (void)s_problem(problem, status,
                        "%s cannot be applied at byte %" PRIu64 ": %s; does the fleet file still list every instrument that was "
                        "traded?", path, offset, zvt_strerror(status));
}

int ledger_visit(const char *path, ledger_header_t *header, ledger_record_fn *fn, void *arg, char problem[ZVT_PROBLEM_SIZE])
{
    const uint8_t *bytes = NULL;
    size_t size = 0;
    uint64_t end = 0;
    bool torn;
    zvt_record_t *record = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return s_problem(problem, ZVT_ERR_IO, "cannot read the ledger %s: %s", path, strerror(errno));
    int status = s_map(fd, &bytes, &size);
    if (status != 0) {
        (void)s_problem(problem, status, "cannot map the ledger %s: %s", path, strerror(errno));
        goto cleanup;
    }
    status = ledger_format_read_header(bytes, size, header);
    if (status != 0) {
        (void)s_problem(problem, status, "%s is no ledger of this release: %s", path, zvt_strerror(status));
        goto cleanup;
    }
    record = malloc(sizeof *record);
    ZVT_ASSERT(record != NULL);
    visit_t visit = {.fn = fn, .arg = arg, .record = record};
    status = s_walk(bytes, size, s_visit_batch, &visit, &end, &torn);
    s_explain(path, status, end, problem);
cleanup:
    free(record);
    s_unmap(bytes, size);
    close(fd);
    return status;
}

/* ---- opening ---- */
static ledger_t *s_new(int fd)
{
    ledger_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->fd = fd;
    self->pending = zvt_buf_new(s_batch_bytes);
    self->pending.length = LEDGER_BATCH_HEADER_SIZE;
    self->reading = malloc(s_batch_bytes);
    self->index = calloc(INDEX_MAX, sizeof *self->index);
    ZVT_ASSERT(self->reading != NULL);
    ZVT_ASSERT(self->index != NULL);
    return self;
}

/* Makes the file's name durable, so that a power cut cannot lose a ledger that has answered orders. */
static int s_sync_folder(const char *path)
{
    char folder[512];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL) return 0;
    *slash = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return ZVT_ERR_IO;
    int status = fsync(fd) == 0 ? 0 : ZVT_ERR_IO;
    close(fd);
    return status;
}

/* Writes all bytes at an offset, whatever a single call manages. */
static int s_write_all(int fd, const uint8_t *bytes, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t written = pwrite(fd, bytes, size, (off_t)offset);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return ZVT_ERR_IO;
        bytes += written;
        size -= (size_t)written;
        offset += (uint64_t)written;
    }
    return 0;
}

/* True for what a power cut can leave of a ledger that was just being begun. */
static bool s_never_begun(const uint8_t *bytes, size_t size)
{
    if (size < LEDGER_HEADER_SIZE) return true;
    for (size_t i = 0; i < LEDGER_HEADER_SIZE; i++)
        if (bytes[i] != 0) return false;
    return !ledger_format_goes_on(bytes, size, 1);
}

static int s_begin(ledger_t *self, const char *path, const ledger_header_t *wanted, char problem[ZVT_PROBLEM_SIZE])
{
    uint8_t bytes[LEDGER_HEADER_SIZE];
    ledger_format_header(wanted, bytes);
    self->end = LEDGER_HEADER_SIZE;
    int error = s_write_all(self->fd, bytes, sizeof bytes, 0) == 0 ? posix_fallocate(self->fd, 0, CHUNK) : errno;
    if (error == 0 && fsync(self->fd) == 0 && s_sync_folder(path) == 0) {
        self->allocated = CHUNK;
        return 0;
    }
    if (error == 0) error = errno;
    if (ftruncate(self->fd, 0) != 0) zvt_warn("cannot empty %s: %s", path, strerror(errno));
    return s_problem(problem, ZVT_ERR_IO, "cannot begin the ledger %s: %s; it needs %d MiB", path, strerror(error), CHUNK >> 20);
}

static int s_check_header(const char *path, const ledger_header_t *found, const ledger_header_t *wanted,
                          char problem[ZVT_PROBLEM_SIZE])
{
    bool same = strcmp(found->venue, wanted->venue) == 0 && strcmp(found->market, wanted->market) == 0;
    if (same) return 0;
    return s_problem(problem, ZVT_ERR_INVALID,
                     "the ledger %s belongs to venue %s on market '%.120s', but this start asks for venue %s on '%.120s'; "
                     "use 'fleet up' with the same market, another --home, or 'fleet down --wipe'",
                     path, found->venue, found->market, wanted->venue, wanted->market);
}

static int s_load(ledger_t *self, const char *path, ledger_header_t *wanted, ledger_record_fn *fn, void *arg,
                  char problem[ZVT_PROBLEM_SIZE])
{
    const uint8_t *bytes;
    size_t size;
    bool torn = false;
    ledger_header_t found;
    if (s_map(self->fd, &bytes, &size) != 0)
        return s_problem(problem, ZVT_ERR_IO, "cannot map the ledger %s: %s", path, strerror(errno));
    if (s_never_begun(bytes, size)) {
        s_unmap(bytes, size);
        return s_begin(self, path, wanted, problem);
    }
    int status = ledger_format_read_header(bytes, size, &found);
    if (status != 0) {
        (void)s_problem(problem, ZVT_ERR_CORRUPT,
                        "%s is no ledger of this release: %s; use another --home, or 'fleet down --wipe'", path,
                        zvt_strerror(status));
        goto cleanup;
    }
    status = s_check_header(path, &found, wanted, problem);
    if (status != 0) goto cleanup;
    wanted->origin_ns = found.origin_ns;
    visit_t visit = {.ledger = self, .fn = fn, .arg = arg, .record = &self->record};
    status = s_walk(bytes, size, s_visit_batch, &visit, &self->end, &torn);
    s_explain(path, status, self->end, problem);
    self->committed_seq = self->seq;
cleanup:
    s_unmap(bytes, size);
    if (status != 0) return status;
    self->allocated = size;
    if (!torn) return 0;
    zvt_warn("the last batch of %s was torn at byte %" PRIu64 " and is cut off; nothing of it had been answered", path,
             self->end);
    if (ftruncate(self->fd, (off_t)self->end) == 0 && fsync(self->fd) == 0) {
        self->allocated = self->end;
        return 0;
    }
    return s_problem(problem, ZVT_ERR_IO, "cannot cut the torn end off %s: %s", path, strerror(errno));
}

int ledger_open(ledger_t **self, const char *path, ledger_header_t *wanted, ledger_record_fn *fn, void *arg,
                char problem[ZVT_PROBLEM_SIZE])
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return s_problem(problem, ZVT_ERR_IO, "cannot open the ledger %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return s_problem(problem, ZVT_ERR_EXISTS, "another process uses the ledger %s; stop it first", path);
    }
    ledger_t *ledger = s_new(fd);
    int status = s_load(ledger, path, wanted, fn, arg, problem);
    if (status != 0) {
        ledger_close(&ledger);
        return status;
    }
    ledger_make_room(ledger, CHUNK / 2);
    *self = ledger;
    return 0;
}

void ledger_close(ledger_t **self)
{
    if (*self == NULL) return;
    close((*self)->fd);
    zvt_buf_destroy(&(*self)->pending);
    free((*self)->reading);
    free((*self)->index);
    free(*self);
    *self = NULL;
}

/* ---- writing ---- */
int ledger_append(ledger_t *self, zvt_type_t type, const void *record)
{
    if (ledger_pending(self) + RECORD_MARGIN > LEDGER_BATCH_MAX) {
        int status = ledger_commit(self);
        if (status != 0) return status;
    }
    ZVT_ASSERT(zvt_pack(&self->pending, type, record) == 0);
    if (type == ZVT_T_REPORT) self->seq = ((const zvt_report_t *)record)->venue_seq;
    return 0;
}

size_t ledger_pending(const ledger_t *self)
{
    return self->pending.length - LEDGER_BATCH_HEADER_SIZE;
}

int ledger_commit(ledger_t *self)
{
    size_t length = ledger_pending(self);
    if (length == 0) return 0;
    size_t size = ledger_format_seal(self->pending.data, length, self->batches + 1, self->committed_seq);
    int status = s_write_all(self->fd, self->pending.data, size, self->end);
    if (status == 0 && fdatasync(self->fd) != 0) status = ZVT_ERR_IO;
    if (status != 0) return status;
    s_note_batch(self, self->committed_seq, self->end);
    self->end += size;
    if (self->allocated < self->end) self->allocated = self->end;
    self->committed_seq = self->seq;
    self->pending.length = LEDGER_BATCH_HEADER_SIZE;
    return 0;
}

size_t ledger_room(const ledger_t *self)
{
    uint64_t used = self->end + ledger_format_size(ledger_pending(self));
    return self->allocated > used ? (size_t)(self->allocated - used) : 0;
}

void ledger_make_room(ledger_t *self, size_t wanted)
{
    if (ledger_room(self) >= wanted) return;
    uint64_t more = wanted > CHUNK ? wanted : CHUNK;
    int error = posix_fallocate(self->fd, (off_t)self->allocated, (off_t)more);
    if (error == 0)
        self->allocated += more;
    else if (zvt_diag_allowed())
        zvt_error("the ledger cannot grow: %s; free disk space, %zu bytes are left in it", strerror(error), ledger_room(self));
}

/* ---- reports again ---- */

/* Reads the batch at an offset into self->reading. */
static int s_read_at(ledger_t *self, uint64_t offset, ledger_batch_t *batch)
{
    uint64_t left = self->end - offset;
    size_t wanted = left < s_batch_bytes ? (size_t)left : s_batch_bytes;
    ssize_t got = pread(self->fd, self->reading, LEDGER_BATCH_HEADER_SIZE, (off_t)offset);
    if (got != LEDGER_BATCH_HEADER_SIZE) return ZVT_ERR_IO;
    uint32_t length;
    memcpy(&length, self->reading + sizeof(uint32_t), sizeof length);
    if (length <= LEDGER_BATCH_MAX && ledger_format_size(length) < wanted) wanted = ledger_format_size(length);
    if (pread(self->fd, self->reading, wanted, (off_t)offset) != (ssize_t)wanted) return ZVT_ERR_IO;
    uint64_t number;
    memcpy(&number, self->reading + 2 * sizeof(uint32_t), sizeof number);
    return ledger_format_read_batch(self->reading, wanted, number, batch);
}

/* Offset of a batch at or before the first report after this number. */
static uint64_t s_offset_for(const ledger_t *self, uint64_t after_seq)
{
    uint32_t low = 0, high = self->index_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (self->index[middle].seq <= after_seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? LEDGER_HEADER_SIZE : self->index[low - 1].offset;
}

int ledger_reports(ledger_t *self, uint64_t after_seq, ledger_report_fn *fn, void *arg)
{
    if (after_seq >= self->committed_seq) return 0;
    uint64_t offset = s_offset_for(self, after_seq);
    while (offset < self->end) {
        ledger_batch_t batch;
        int status = s_read_at(self, offset, &batch);
        if (status != 0) return status;
        zvt_cursor_t cursor = zvt_cursor(batch.payload, batch.length);
        while (!zvt_cursor_done(&cursor)) {
            const uint8_t *start = cursor.at;
            if (zvt_read(&cursor, &self->record) != 0) return ZVT_ERR_CORRUPT;
            if (self->record.type != ZVT_T_REPORT || self->record.report.venue_seq <= after_seq) continue;
            if (!fn(arg, &self->record.report, start, (size_t)(cursor.at - start))) return 0;
        }
        offset += batch.size;
    }
    return 0;
}

uint64_t ledger_committed_seq(const ledger_t *self)
{
    return self->committed_seq;
}

uint64_t ledger_batches(const ledger_t *self)
{
    return self->batches;
}

uint64_t ledger_bytes(const ledger_t *self)
{
    return self->end;
}
