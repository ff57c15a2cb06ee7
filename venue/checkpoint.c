#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

#include "account_image.h"
#include "zvt_diag.h"
#include "zvt_time.h"

enum { VERSION = 1, PATH_SIZE = 1024 };
/* Written and synced at a time: the venue's own syncs never wait for more than this. */
#define PIECE (UINT64_C(2) << 20)

typedef struct {
    char magic[8];
    uint32_t version;
    uint32_t crc;           /* of what follows the head, then of the head with this field 0 */
    uint64_t size;          /* of the file */
    uint64_t end, batches, seq, last_offset; /* as ledger_mark_t */
    uint32_t last_crc, index_count;
    uint8_t ledger_header[LEDGER_HEADER_SIZE];
} head_t;
_Static_assert(sizeof(head_t) == 64 + LEDGER_HEADER_SIZE, "the head's size is part of the format");

static const char s_magic[8] = {'Z', 'V', 'T', 'C', 'K', 'P', 'T', '1'};

static uint32_t s_seal(head_t head, uint32_t body_crc)
{
    head.crc = 0;
    return (uint32_t)crc32(body_crc, (const Bytef *)&head, sizeof head);
}

/* ---- writing ---- */
typedef struct {
    int fd;
    uint8_t *piece;
    uint64_t held;    /* bytes gathered in it */
    uint64_t written; /* before it */
    uint32_t crc;     /* of all behind the head */
} writer_t;

static int s_write_at(int fd, const uint8_t *bytes, uint64_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t put = pwrite(fd, bytes, size, (off_t)offset);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return ZVT_ERR_IO;
        bytes += put;
        size -= (uint64_t)put;
        offset += (uint64_t)put;
    }
    return fdatasync(fd) == 0 ? 0 : ZVT_ERR_IO;
}

static int s_flush(writer_t *self)
{
    int status = s_write_at(self->fd, self->piece, self->held, self->written);
    self->written += self->held;
    self->held = 0;
    return status;
}

static int s_write(void *arg, const void *bytes, size_t length)
{
    writer_t *self = arg;
    self->crc = (uint32_t)crc32(self->crc, bytes, (uInt)length);
    for (size_t at = 0; at < length;) {
        size_t part = length - at < PIECE - self->held ? length - at : PIECE - self->held;
        memcpy(self->piece + self->held, (const uint8_t *)bytes + at, part);
        self->held += part;
        at += part;
        int status = self->held == PIECE ? s_flush(self) : 0;
        if (status != 0) return status;
    }
    return 0;
}

/* The image's size, without writing it. */
static int s_measure(void *arg, const void *bytes, size_t length)
{
    (void)bytes;
    *(uint64_t *)arg += length;
    return 0;
}

static int s_fill_head(const checkpoint_paths_t *paths, const account_core_t *account, const ledger_mark_t *mark, head_t *head)
{
    *head = (head_t){.version = VERSION, .end = mark->end, .batches = mark->batches, .seq = mark->seq,
                     .last_offset = mark->last_offset, .last_crc = mark->last_crc, .index_count = mark->index_count};
    memcpy(head->magic, s_magic, sizeof s_magic);
    head->size = sizeof *head + mark->index_count * sizeof *mark->index;
    int status = account_image_save(account, s_measure, &head->size);
    return status != 0 ? status : ledger_read_header(paths->ledger, head->ledger_header);
}

static int s_write_body(writer_t *self, head_t *head, const account_core_t *account, const ledger_mark_t *mark)
{
    self->written = sizeof *head;
    int status = s_write(self, mark->index, mark->index_count * sizeof *mark->index);
    if (status == 0) status = account_image_save(account, s_write, self);
    if (status == 0) status = s_flush(self);
    if (status != 0) return status;
    head->crc = s_seal(*head, self->crc);
    return s_write_at(self->fd, (const uint8_t *)head, sizeof *head, 0);
}

/* Whether the disk has the room, so that it is not the ledger that goes without. */
static bool s_has_room(int fd, uint64_t size)
{
    struct statvfs info;
    if (fstatvfs(fd, &info) != 0) return false;
    if ((uint64_t)info.f_bavail * info.f_frsize >= size + CHECKPOINT_SPARE) return true;
    errno = ENOSPC;
    return false;
}

static int s_sync_folder_of(const char *path)
{
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1, slash == NULL ? "." : path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return ZVT_ERR_IO;
    int status = fsync(fd) == 0 ? 0 : ZVT_ERR_IO;
    close(fd);
    return status;
}

static int s_write_file(int fd, const checkpoint_paths_t *paths, const char *next, const account_core_t *account,
                        const ledger_mark_t *mark)
{
    head_t head;
    writer_t writer = {.fd = fd, .piece = malloc(PIECE)};
    ZVT_ASSERT(writer.piece != NULL);
    int status = s_fill_head(paths, account, mark, &head);
    if (status == 0 && (ftruncate(fd, 0) != 0 || !s_has_room(fd, head.size))) status = ZVT_ERR_IO;
    if (status == 0) status = s_write_body(&writer, &head, account, mark);
    if (status == 0 && (fsync(fd) != 0 || rename(next, paths->checkpoint) != 0)) status = ZVT_ERR_IO;
    if (status == 0) status = s_sync_folder_of(paths->checkpoint);
    free(writer.piece);
    return status;
}

int checkpoint_save(const checkpoint_paths_t *paths, const account_core_t *account, const ledger_mark_t *mark,
                    char problem[ZVT_PROBLEM_SIZE])
{
    char next[PATH_SIZE];
    snprintf(next, sizeof next, "%s.next", paths->checkpoint);
    int fd = open(next, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        snprintf(problem, ZVT_PROBLEM_SIZE, "another process writes %.300s just now", next);
        close(fd);
        return ZVT_ERR_EXISTS;
    }
    int status = fd < 0 ? ZVT_ERR_IO : s_write_file(fd, paths, next, account, mark);
    if (status != 0) {
        snprintf(problem, ZVT_PROBLEM_SIZE, "cannot write %.300s: %s; until it can, a restart reads more of the ledger",
                 paths->checkpoint, strerror(errno));
        if (fd >= 0) (void)unlink(next); /* its room belongs to the ledger */
    }
    if (fd >= 0) close(fd);
    return status;
}

/* ---- reading ---- */
typedef struct {
    const uint8_t *bytes; /* the whole file; NULL: none */
    size_t size;
    head_t head;
} file_t;

static int s_open(file_t *self, const char *path)
{
    struct stat info;
    *self = (file_t){.bytes = NULL};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? ZVT_ERR_NOT_FOUND : ZVT_ERR_IO;
    if (fstat(fd, &info) == 0 && info.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        self->bytes = bytes == MAP_FAILED ? NULL : bytes;
        self->size = (size_t)info.st_size;
    }
    close(fd);
    return self->bytes != NULL ? 0 : ZVT_ERR_TRUNCATED;
}

static void s_close(file_t *self)
{
    if (self->bytes != NULL) munmap((void *)(uintptr_t)self->bytes, self->size);
    self->bytes = NULL;
}

/* What is wrong with the file as such; NULL: nothing. */
static const char *s_check(file_t *self)
{
    head_t *head = &self->head;
    if (self->size < sizeof *head) return "it is cut off";
    memcpy(head, self->bytes, sizeof *head);
    if (memcmp(head->magic, s_magic, sizeof s_magic) != 0 || head->version != VERSION) return "it is not of this release";
    uint64_t index_size = head->index_count * sizeof(ledger_index_entry_t);
    if (head->size != self->size || head->index_count > LEDGER_INDEX_MAX || self->size - sizeof *head < index_size)
        return "it is cut off";
    uint32_t crc = (uint32_t)crc32_z(0, self->bytes + sizeof *head, self->size - sizeof *head);
    return head->crc == s_seal(*head, crc) ? NULL : "it is damaged";
}

static void s_read_mark(const file_t *self, ledger_mark_t *mark)
{
    const head_t *head = &self->head;
    ledger_index_entry_t *index = mark->index;
    memcpy(index, self->bytes + sizeof *head, head->index_count * sizeof *index);
    *mark = (ledger_mark_t){.end = head->end, .batches = head->batches, .seq = head->seq, .last_offset = head->last_offset,
                            .last_crc = head->last_crc, .index_count = head->index_count, .index = index};
}

/* Loads what the file holds; what is wrong with it, or NULL. After that neither account nor mark can be used. */
static const char *s_load(file_t *file, const char *ledger, account_core_t *account, ledger_mark_t *mark)
{
    const char *problem = s_check(file);
    if (problem != NULL) return problem;
    s_read_mark(file, mark);
    if (!ledger_holds(ledger, file->head.ledger_header, mark)) return "it is not of this ledger";
    size_t at = sizeof file->head + mark->index_count * sizeof *mark->index;
    int status = account_image_load(account, file->bytes + at, file->size - at);
    if (status == ZVT_ERR_INVALID) return "the fleet file has other instruments or balances now";
    if (status != 0) return zvt_strerror(status);
    return account_core_venue_seq(account) == mark->seq ? NULL : "its numbers do not fit";
}

static void s_rewind(ledger_mark_t *mark)
{
    ledger_mark_destroy(mark);
    *mark = ledger_mark_new();
}

account_core_t *checkpoint_begin(const checkpoint_paths_t *paths, const account_config_t *config, ledger_mark_t *mark)
{
    file_t file;
    account_core_t *account = account_core_new(config);
    int status = s_open(&file, paths->checkpoint);
    if (status == ZVT_ERR_NOT_FOUND) return account;
    const char *problem = status != 0 ? zvt_strerror(status) : s_load(&file, paths->ledger, account, mark);
    s_close(&file);
    if (problem == NULL) return account;
    zvt_warn("%s is passed over, and the whole ledger read: %s", paths->checkpoint, problem);
    account_core_destroy(&account);
    s_rewind(mark);
    return account_core_new(config);
}

/* ---- renewing ---- */
typedef struct {
    account_core_t *account;
    int64_t now_ns; /* UTC */
} renewal_t;

static int s_on_record(void *arg, const zvt_record_t *record)
{
    const renewal_t *renewal = arg;
    return account_core_replay(renewal->account, record, renewal->now_ns);
}

int checkpoint_renew(const checkpoint_paths_t *paths, const account_config_t *config, char problem[ZVT_PROBLEM_SIZE])
{
    ledger_header_t header;
    ledger_mark_t mark = ledger_mark_new();
    renewal_t renewal = {.account = checkpoint_begin(paths, config, &mark), .now_ns = zvt_utc_ns()};
    uint64_t covered = mark.batches;
    int status = ledger_visit(paths->ledger, &header, &mark, s_on_record, &renewal, problem);
    if (status == 0 && mark.batches > covered) status = checkpoint_save(paths, renewal.account, &mark, problem);
    account_core_destroy(&renewal.account);
    ledger_mark_destroy(&mark);
    return status;
}
