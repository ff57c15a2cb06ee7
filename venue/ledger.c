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
    RECORD_MARGIN = 8 << 10,   /* more than any single record takes */
};

struct ledger {
    int fd;
    uint64_t allocated;    /* bytes of the file that have their space */
    uint64_t seq;          /* of the last report gathered */
    ledger_mark_t at;      /* behind the last durable batch */
    zvt_buf_t pending;     /* a batch being gathered, with room for its header */
    uint8_t *reading;      /* one batch, for ledger_reports */
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

/* ---- marks ---- */
ledger_mark_t ledger_mark_new(void)
{
    ledger_mark_t mark = {.end = LEDGER_HEADER_SIZE, .index = calloc(LEDGER_INDEX_MAX, sizeof *mark.index)};
    ZVT_ASSERT(mark.index != NULL);
    return mark;
}

void ledger_mark_destroy(ledger_mark_t *self)
{
    free(self->index);
    *self = (ledger_mark_t){.end = 0};
}

static void s_copy_mark(ledger_mark_t *self, const ledger_mark_t *from)
{
    ledger_index_entry_t *index = self->index;
    memcpy(index, from->index, from->index_count * sizeof *index);
    *self = *from;
    self->index = index;
}

/* Moves the mark behind the batch that stands there, after which `seq` is the last report. */
static void s_pass(ledger_mark_t *self, const ledger_batch_t *batch, uint64_t seq)
{
    bool due = self->index_count == 0 || batch->seq_before >= self->index[self->index_count - 1].seq + INDEX_STEP;
    if (due && self->index_count < LEDGER_INDEX_MAX)
        self->index[self->index_count++] = (ledger_index_entry_t){.seq = batch->seq_before, .offset = self->end};
    self->end += batch->size;
    self->batches++;
    self->seq = seq;
}

/* ---- reading ---- */

/* Hands the records of a batch to fn; *seq becomes the last report's. */
static int s_each_record(const ledger_batch_t *batch, zvt_record_t *record, ledger_record_fn *fn, void *arg, uint64_t *seq)
{
    zvt_cursor_t cursor = zvt_cursor(batch->payload, batch->length);
    while (!zvt_cursor_done(&cursor)) {
        if (zvt_read(&cursor, record) != 0) return ZVT_ERR_CORRUPT;
        if (record->type == ZVT_T_REPORT) *seq = record->report.venue_seq;
        int status = fn(arg, record);
        if (status != 0) return status;
    }
    return 0;
}

/* The batch at a mark: 0, or ZVT_ERR_NOT_FOUND behind the last one, *torn when bytes of one that never became durable
 * stand there, or ZVT_ERR_CORRUPT. A venue may be writing it just now: what is whole on the second look is. */
static int s_batch_at(const uint8_t *bytes, size_t size, const ledger_mark_t *mark, ledger_batch_t *batch, bool *torn)
{
    *torn = false;
    bytes += mark->end;
    size -= mark->end;
    int status = ledger_format_read_batch(bytes, size, mark->batches + 1, batch);
    if (status == 0) return 0;
    if (ledger_format_goes_on(bytes, size, mark->batches + 1))
        return ledger_format_read_batch(bytes, size, mark->batches + 1, batch) == 0 ? 0 : ZVT_ERR_CORRUPT;
    *torn = status != ZVT_ERR_NOT_FOUND;
    return ZVT_ERR_NOT_FOUND;
}

/* Walks the batches behind the mark, which is moved along. */
static int s_walk(const uint8_t *bytes, size_t size, ledger_mark_t *mark, zvt_record_t *record, ledger_record_fn *fn, void *arg,
                  bool *torn)
{
    for (;;) {
        ledger_batch_t batch;
        uint64_t seq = mark->seq;
        int status = s_batch_at(bytes, size, mark, &batch, torn);
        if (status == ZVT_ERR_NOT_FOUND) return 0;
        if (status == 0) status = s_each_record(&batch, record, fn, arg, &seq);
        if (status != 0) return status;
        mark->last_offset = mark->end;
        mark->last_crc = batch.crc;
        s_pass(mark, &batch, seq);
    }
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

int ledger_visit(const char *path, ledger_header_t *header, ledger_mark_t *mark, ledger_record_fn *fn, void *arg,
                 char problem[ZVT_PROBLEM_SIZE])
{
    const uint8_t *bytes = NULL;
    size_t size = 0;
    bool torn;
    zvt_record_t *record = NULL;
    ledger_mark_t whole = {.end = 0};
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
    if (mark == NULL) whole = ledger_mark_new();
    if (mark == NULL) mark = &whole;
    status = mark->end <= size ? s_walk(bytes, size, mark, record, fn, arg, &torn) : ZVT_ERR_TRUNCATED;
    s_explain(path, status, mark->end, problem);
cleanup:
    ledger_mark_destroy(&whole);
    free(record);
    s_unmap(bytes, size);
    close(fd);
    return status;
}

int ledger_read_header(const char *path, uint8_t bytes[LEDGER_HEADER_SIZE])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ZVT_ERR_IO;
    ssize_t got = pread(fd, bytes, LEDGER_HEADER_SIZE, 0);
    close(fd);
    return got == LEDGER_HEADER_SIZE ? 0 : ZVT_ERR_IO;
}

bool ledger_holds(const char *path, const uint8_t header[LEDGER_HEADER_SIZE], const ledger_mark_t *mark)
{
    uint8_t found[LEDGER_HEADER_SIZE];
    uint64_t length = mark->end - mark->last_offset;
    if (mark->last_offset < LEDGER_HEADER_SIZE || mark->end <= mark->last_offset || length > s_batch_bytes) return false;
    if (ledger_read_header(path, found) != 0 || memcmp(found, header, sizeof found) != 0) return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ledger_batch_t batch;
    uint8_t *bytes = malloc(length);
    ZVT_ASSERT(bytes != NULL);
    bool same = pread(fd, bytes, length, (off_t)mark->last_offset) == (ssize_t)length &&
                ledger_format_read_batch(bytes, length, mark->batches, &batch) == 0 && batch.size == length &&
                batch.crc == mark->last_crc;
    free(bytes);
    close(fd);
    return same;
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
    self->at = ledger_mark_new();
    ZVT_ASSERT(self->reading != NULL);
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
    status = self->at.end <= size ? s_walk(bytes, size, &self->at, &self->record, fn, arg, &torn) : ZVT_ERR_TRUNCATED;
    s_explain(path, status, self->at.end, problem);
    self->seq = self->at.seq;
cleanup:
    s_unmap(bytes, size);
    if (status != 0) return status;
    self->allocated = size;
    if (!torn) return 0;
    zvt_warn("the last batch of %s was torn at byte %" PRIu64 " and is cut off; what a crash tears was not answered, and the account is compared", path,
             self->at.end);
    if (ftruncate(self->fd, (off_t)self->at.end) == 0 && fsync(self->fd) == 0) {
        self->allocated = self->at.end;
        return 0;
    }
    return s_problem(problem, ZVT_ERR_IO, "cannot cut the torn end off %s: %s", path, strerror(errno));
}

int ledger_open(ledger_t **self, const char *path, ledger_header_t *wanted, const ledger_mark_t *from, ledger_record_fn *fn,
                void *arg, char problem[ZVT_PROBLEM_SIZE])
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return s_problem(problem, ZVT_ERR_IO, "cannot open the ledger %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return s_problem(problem, ZVT_ERR_EXISTS, "another process uses the ledger %s; stop it first", path);
    }
    ledger_t *ledger = s_new(fd);
    if (from != NULL) s_copy_mark(&ledger->at, from);
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
    ledger_mark_destroy(&(*self)->at);
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
    ledger_batch_t batch = {.seq_before = self->at.seq};
    batch.size = ledger_format_seal(self->pending.data, length, self->at.batches + 1, self->at.seq);
    int status = s_write_all(self->fd, self->pending.data, batch.size, self->at.end);
    if (status == 0 && fdatasync(self->fd) != 0) status = ZVT_ERR_IO;
    if (status != 0) return status;
    s_pass(&self->at, &batch, self->seq);
    if (self->allocated < self->at.end) self->allocated = self->at.end;
    self->pending.length = LEDGER_BATCH_HEADER_SIZE;
    return 0;
}

size_t ledger_room(const ledger_t *self)
{
    uint64_t used = self->at.end + ledger_format_size(ledger_pending(self));
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
    uint64_t left = self->at.end - offset;
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
    uint32_t low = 0, high = self->at.index_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (self->at.index[middle].seq <= after_seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? LEDGER_HEADER_SIZE : self->at.index[low - 1].offset;
}

int ledger_reports(ledger_t *self, uint64_t after_seq, ledger_report_fn *fn, void *arg)
{
    if (after_seq >= self->at.seq) return 0;
    uint64_t offset = s_offset_for(self, after_seq);
    while (offset < self->at.end) {
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
    return self->at.seq;
}

uint64_t ledger_batches(const ledger_t *self)
{
    return self->at.batches;
}

uint64_t ledger_bytes(const ledger_t *self)
{
    return self->at.end;
}
