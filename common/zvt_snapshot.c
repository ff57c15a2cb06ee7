#include "zvt_snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zvt_diag.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum {
    WORTH_EVENTS = 10000,    /* so many new events are worth a snapshot */
    RECORD_SIZE = 8 << 10,   /* any one record, packed */
    FILE_MAX = 256 << 20,
    HEAD_SIZE = 512
};
#define SOONEST_NS (2 * ZVT_SECOND_NS) /* but not more often than this */

#define HEAD_FORMAT "zvt-snapshot 1 shard=%" PRIu32 " seq=%" PRIu64 " event=%s digest=%s length=%zu check=%s\n"
#define HEAD_SCAN "zvt-snapshot 1 shard=%" SCNu32 " seq=%" SCNu64 " event=%36s digest=%36s length=%zu check=%36s"

/* The head of the file, read. */
typedef struct {
    uint32_t shard;
    uint64_t seq;
    zvt_id_t event_id, digest, check;
    size_t length;
} head_t;

/* ---- saving ---- */
static void s_write_record(void *arg, zvt_type_t type, const void *record)
{
    zvt_buf_t buf = {.data = (uint8_t[RECORD_SIZE]){0}, .capacity = RECORD_SIZE};
    ZVT_ASSERT(zvt_pack(&buf, type, record) == 0);
    (void)fwrite(buf.data, 1, buf.length, arg); /* into memory; s_records looks at the end */
}

static char *s_records(const zvt_snapshot_core_t *core, size_t *length)
{
    char *records = NULL;
    FILE *out = open_memstream(&records, length);
    ZVT_ASSERT(out != NULL);
    core->save(core->state, s_write_record, out);
    ZVT_ASSERT(fclose(out) == 0);
    return records;
}

static int s_format_head(const zvt_snapshot_t *self, const char *records, size_t length, char head[HEAD_SIZE])
{
    char event[ZVT_ID_TEXT], digest[ZVT_ID_TEXT], check[ZVT_ID_TEXT];
    zvt_digest_t state = zvt_digest_of(self->last_seq, self->core.dump, self->core.state);
    zvt_id_t sum = zvt_id_from_text(records, length);
    zvt_id_format(&self->last_id, event);
    zvt_id_format(&state.digest, digest);
    zvt_id_format(&sum, check);
    return snprintf(head, HEAD_SIZE, HEAD_FORMAT, self->core.shard, self->last_seq, event, digest, length, check);
}

/* A new file takes the old one's place; a crash leaves one of them, whole. */
static int s_write_file(const char *path, const char *head, size_t head_length, const char *records, size_t length)
{
    char next[sizeof((zvt_snapshot_t *)0)->path + 8];
    snprintf(next, sizeof next, "%s.next", path);
    FILE *file = fopen(next, "we");
    if (file == NULL) return ZVT_ERR_IO;
    bool written = fwrite(head, 1, head_length, file) == head_length && fwrite(records, 1, length, file) == length;
    bool closed = fclose(file) == 0;
    return written && closed && rename(next, path) == 0 ? 0 : ZVT_ERR_IO;
}

int zvt_snapshot_save(zvt_snapshot_t *self)
{
    char head[HEAD_SIZE];
    size_t length = 0;
    char *records = s_records(&self->core, &length);
    int head_length = s_format_head(self, records, length, head);
    int status = s_write_file(self->path, head, (size_t)head_length, records, length);
    free(records);
    if (status != 0) {
        if (zvt_diag_allowed())
            zvt_warn("cannot write %s: %s; a restart will fold more of the log until it can", self->path, strerror(errno));
        return status;
    }
    ZVT_COUNT("snapshots");
    self->seq = self->last_seq;
    return 0;
}

void zvt_snapshot_on_time(zvt_snapshot_t *self, int64_t now_ns)
{
    bool own = self->state == ZVT_SNAPSHOT_NONE || self->state == ZVT_SNAPSHOT_PROVEN;
    if (!own || self->last_seq < self->seq + WORTH_EVENTS || now_ns - self->saved_ns < SOONEST_NS) return;
    self->saved_ns = now_ns;
    if (zvt_snapshot_save(self) != 0) ZVT_COUNT("snapshots_failed"); /* tried again in a while */
}

/* ---- loading ---- */
static bool s_read_head(FILE *file, head_t *head)
{
    char line[HEAD_SIZE], event[ZVT_ID_TEXT], digest[ZVT_ID_TEXT], check[ZVT_ID_TEXT];
    if (fgets(line, sizeof line, file) == NULL) return false;
    int found = sscanf(line, HEAD_SCAN, &head->shard, &head->seq, event, digest, &head->length, check);
    return found == 6 && head->length <= FILE_MAX && zvt_id_parse(event, &head->event_id) == 0 &&
           zvt_id_parse(digest, &head->digest) == 0 && zvt_id_parse(check, &head->check) == 0;
}

static const char *s_load_records(const zvt_snapshot_core_t *core, const char *records, size_t length)
{
    static zvt_record_t record;
    zvt_cursor_t cursor = zvt_cursor(records, length);
    while (!zvt_cursor_done(&cursor)) {
        int status = zvt_read(&cursor, &record);
        if (status == 0) status = core->load(core->state, &record);
        if (status != 0) return zvt_strerror(status);
    }
    return NULL;
}

/* Returns what is wrong with the file; NULL when its state is loaded. */
static const char *s_load(zvt_snapshot_t *self, FILE *file)
{
    head_t head;
    if (!s_read_head(file, &head)) return "its first line is not that of a snapshot";
    if (head.shard != self->core.shard) return "it is of another shard";
    char *records = malloc(head.length + 1);
    ZVT_ASSERT(records != NULL);
    bool whole = fread(records, 1, head.length + 1, file) == head.length;
    zvt_id_t check = zvt_id_from_text(records, whole ? head.length : 0);
    const char *problem = whole && zvt_id_equal(&check, &head.check) ? NULL : "it is damaged";
    if (problem == NULL) problem = s_load_records(&self->core, records, head.length);
    free(records);
    if (problem != NULL) return problem;
    zvt_digest_t digest = zvt_digest_of(head.seq, self->core.dump, self->core.state);
    if (!zvt_id_equal(&digest.digest, &head.digest)) return "it does not make the state that was saved";
    self->seq = self->last_seq = head.seq;
    self->event_id = self->last_id = head.event_id;
    return NULL;
}

bool zvt_snapshot_open(zvt_snapshot_t *self, const zvt_snapshot_core_t *core, const char *folder, const char *name)
{
    *self = (zvt_snapshot_t){.core = *core};
    snprintf(self->path, sizeof self->path, "%s/%s.snapshot", folder, name);
    FILE *file = fopen(self->path, "re");
    if (file == NULL) return true; /* none yet: the core is still fresh */
    const char *problem = s_load(self, file);
    fclose(file);
    if (problem == NULL) {
        self->state = ZVT_SNAPSHOT_PENDING;
        return true;
    }
    zvt_warn("%s is not used: %s; folding the log from its beginning", self->path, problem);
    return false;
}

bool zvt_snapshot_take(zvt_snapshot_t *self, const zvt_snapshot_core_t *core, const void *data, size_t length)
{
    char path[sizeof self->path];
    memcpy(path, self->path, sizeof path);
    *self = (zvt_snapshot_t){.core = *core};
    memcpy(self->path, path, sizeof path);
    FILE *file = length == 0 ? NULL : fmemopen((void *)(uintptr_t)data, length, "r");
    const char *problem = file == NULL ? "it is empty" : s_load(self, file);
    if (file != NULL) fclose(file);
    if (problem == NULL) {
        self->state = ZVT_SNAPSHOT_PENDING;
        return true;
    }
    zvt_error("the base cannot be used: %s", problem);
    return false;
}

uint64_t zvt_snapshot_from_seq(const zvt_snapshot_t *self)
{
    return self->seq > 0 ? self->seq : 1;
}

/* ---- the log it belongs to ---- */
bool zvt_snapshot_takes(zvt_snapshot_t *self, const zvt_event_t *event)
{
    if (self->state == ZVT_SNAPSHOT_PENDING && event->seq == self->seq) {
        self->state = zvt_id_equal(&event->event_id, &self->event_id) ? ZVT_SNAPSHOT_PROVEN : ZVT_SNAPSHOT_FOREIGN;
        return false;
    }
    self->last_seq = event->seq;
    self->last_id = event->event_id;
    return self->state != ZVT_SNAPSHOT_FOREIGN;
}

bool zvt_snapshot_is_foreign(zvt_snapshot_t *self, uint64_t applied_seq, bool caught_up)
{
    bool missing = self->state == ZVT_SNAPSHOT_PENDING && (caught_up || applied_seq >= self->seq);
    if (!missing && self->state != ZVT_SNAPSHOT_FOREIGN) return false;
    zvt_warn("%s is not of this log; it is deleted, and the log folded from its beginning", self->path);
    (void)unlink(self->path);
    return true;
}
