#include "archive_job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log_reader.h"
#include "log_rows.h"
#include "log_stream.h"
#include "zvt_time.h"

enum { EVENT_COLUMNS = 11, BATCH_COLUMNS = 4, LOOK_ROWS = 4096 /* between two looks at the clock */ };
#define PATIENCE_NS (2 * ZVT_SECOND_NS) /* before progress is shown, and between two lines of it */

/* Rows out of the database, which go to a file at the same time, or out of a file. */
typedef struct {
    PGconn *conn;           /* NULL: out of the file */
    archive_file_t *file;
    unsigned columns;
    char *message;          /* libpq's; the row that was handed out is in it */
    bool begun;
    uint64_t count;         /* rows handed out */
    const char *what;       /* for the reason of a failure */
} source_t;

static void s_release(source_t *self)
{
    PQfreemem(self->message);
    PQfinish(self->conn);
    archive_file_destroy(&self->file);
}

static int s_fail(char problem[256], int status, const char *what, const char *why)
{
    snprintf(problem, 256, "%.120s: %.*s", what, (int)(strcspn(why, "\n") < 120 ? strcspn(why, "\n") : 120), why);
    return status;
}

/* ---- a source ---- */
static int s_open_copy(source_t *self, const char *dsn, const char *sql, const char *path, char problem[256])
{
    self->what = path;
    self->conn = archive_store_connect(dsn, problem);
    if (self->conn == NULL) return ZVT_ERR_IO;
    PQclear(PQexec(self->conn, LOG_STREAM_PREPARE));
    PGresult *result = PQexec(self->conn, sql);
    bool open = PQresultStatus(result) == PGRES_COPY_OUT;
    PQclear(result);
    if (!open) return s_fail(problem, ZVT_ERR_IO, "reading the log", PQerrorMessage(self->conn));
    self->file = archive_file_create(path);
    return self->file != NULL ? 0 : s_fail(problem, ZVT_ERR_IO, path, strerror(errno));
}

static int s_open_file(source_t *self, const char *path, char problem[256])
{
    self->what = path;
    self->file = archive_file_open(path);
    return self->file != NULL ? 0 : s_fail(problem, ZVT_ERR_NOT_FOUND, path, strerror(errno));
}

/* The stream's end has been seen; whether the statement went well is told only now. */
static int s_end_copy(source_t *self, char problem[256])
{
    PQfreemem(self->message);
    self->message = NULL;
    if (PQgetCopyData(self->conn, &self->message, 0) != -1) return s_fail(problem, ZVT_ERR_IO, "reading the log", PQerrorMessage(self->conn));
    PGresult *result = PQgetResult(self->conn);
    bool fine = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return fine ? 0 : s_fail(problem, ZVT_ERR_IO, "reading the log", PQerrorMessage(self->conn));
}

/* A message of the stream goes to the file as it is; what is handed out is its row. */
static int s_next_copied(source_t *self, const uint8_t **row, size_t *length, char problem[256])
{
    PQfreemem(self->message);
    self->message = NULL;
    int count = PQgetCopyData(self->conn, &self->message, 0);
    size_t header = self->begun ? 0 : LOG_ROWS_HEADER;
    if (count < (int)header + 2) return s_fail(problem, ZVT_ERR_IO, "reading the log", PQerrorMessage(self->conn));
    self->begun = true;
    if (archive_file_write(self->file, self->message, (size_t)count) != 0) return s_fail(problem, ZVT_ERR_IO, self->what, strerror(errno));
    *row = (const uint8_t *)self->message + header;
    *length = (size_t)count - header;
    return *length == 2 ? s_end_copy(self, problem) : 1;
}

/* The next row: 1, 0 at the end, or an error. */
static int s_next(source_t *self, const uint8_t **row, size_t *length, char problem[256])
{
    if (self->conn != NULL) return s_next_copied(self, row, length, problem);
    int got = archive_file_row(self->file, self->columns, row, length);
    return got >= 0 ? got : s_fail(problem, got, self->what, got == ZVT_ERR_IO ? strerror(errno) : "the file is damaged");
}

/* ---- the check that every row passes ---- */
/* What is to blame when it finds something. */
static const char *s_origin(const source_t *source)
{
    return source->conn != NULL ? "the log" : source->what;
}

static void s_show_progress(const char *doing, uint64_t done, uint64_t all, int64_t began_ns, int64_t *shown_ns)
{
    int64_t now_ns = zvt_monotonic_ns();
    if (now_ns - began_ns < PATIENCE_NS || now_ns - *shown_ns < PATIENCE_NS) return;
    *shown_ns = now_ns;
    fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 " events\n", doing, done, all);
}

/* Gives the chain the commit that the next row belongs to. */
static int s_give_batch(archive_chain_t *chain, source_t *batches, char problem[256])
{
    const uint8_t *row;
    size_t length;
    archive_batch_t batch;
    int got = s_next(batches, &row, &length, problem);
    if (got == 0) archive_chain_no_more_batches(chain);
    if (got != 1) return got;
    batches->count++;
    int status = archive_batch_read(row, length, &batch);
    if (status != 0) return s_fail(problem, status, batches->what, "a row of event_batches cannot be read");
    status = archive_chain_batch(chain, &batch);
    return status == 0 ? 0 : s_fail(problem, status, s_origin(batches), archive_chain_problem(chain));
}

/* Whatever is left of the commits belongs to no row. */
static int s_end_batches(archive_chain_t *chain, source_t *batches, char problem[256])
{
    if (!archive_chain_wants_batch(chain)) return 0;
    const uint8_t *row;
    size_t length;
    int got = s_next(batches, &row, &length, problem);
    return got == 1 ? s_fail(problem, ZVT_ERR_CORRUPT, batches->what, "there is a commit without rows") : got;
}

static int s_scan(archive_chain_t *chain, const archive_border_t *before, source_t *rows, source_t *batches, const char *doing, uint64_t last_seq,
                  archive_border_t *after, char problem[256])
{
    const uint8_t *row;
    size_t length;
    int64_t began_ns = zvt_monotonic_ns(), shown_ns = 0;
    uint64_t all = last_seq + 1 - before->next_seq;
    int status = archive_chain_begin(chain, before), got;
    if (status != 0) return s_fail(problem, status, s_origin(rows), archive_chain_problem(chain));
    while ((got = s_next(rows, &row, &length, problem)) == 1) {
        if (rows->count++ % LOOK_ROWS == 0) s_show_progress(doing, rows->count, all, began_ns, &shown_ns);
        if (archive_chain_wants_batch(chain)) status = s_give_batch(chain, batches, problem);
        if (status != 0) return status;
        status = archive_chain_row(chain, row, length);
        if (status != 0) return s_fail(problem, status, s_origin(rows), archive_chain_problem(chain));
    }
    if (got == 0) got = s_end_batches(chain, batches, problem);
    if (got != 0) return got;
    status = archive_chain_end(chain, last_seq, after);
    return status == 0 ? 0 : s_fail(problem, status, s_origin(rows), archive_chain_problem(chain));
}

/* ---- reading files ---- */
static void s_path_now(const char *path, const char *folder, char now[ARCHIVE_PATH_SIZE])
{
    const char *name = strrchr(path, '/');
    if (folder == NULL || name == NULL)
        snprintf(now, ARCHIVE_PATH_SIZE, "%s", path);
    else
        snprintf(now, ARCHIVE_PATH_SIZE, "%.700s%.300s", folder, name);
}

static int s_compare_sum(source_t *source, const archive_sum_t *expected, char problem[256])
{
    archive_sum_t sum;
    int status = archive_file_sum(source->file, &sum);
    if (status != 0) return s_fail(problem, status, source->what, status == ZVT_ERR_IO ? strerror(errno) : "something follows its end");
    if (memcmp(sum.sha256, expected->sha256, sizeof sum.sha256) == 0) return 0;
    return s_fail(problem, ZVT_ERR_CORRUPT, source->what, "the file has not the SHA-256 that was recorded");
}

static bool s_same_border(const archive_border_t *a, const archive_border_t *b)
{
    return a->next_seq == b->next_seq && a->hash_seq == b->hash_seq && memcmp(a->hash, b->hash, sizeof a->hash) == 0 &&
           a->carry_length == b->carry_length && memcmp(a->carry, b->carry, a->carry_length) == 0;
}

static int s_compare(const archive_entry_t *entry, const archive_chain_t *chain, const archive_border_t *after, char problem[256])
{
    bool same = s_same_border(after, &entry->after) && archive_chain_fills(chain) == entry->fills &&
                archive_chain_fills_sum(chain) == entry->fills_sum && strcmp(archive_chain_put_aside(chain), entry->put_aside) == 0;
    return same ? 0 : s_fail(problem, ZVT_ERR_CORRUPT, entry->file, "the events are not those that were recorded");
}

int archive_job_check(const archive_entry_t *entry, const char *folder, const archive_border_t *before, archive_chain_t *chain, char problem[256])
{
    char path[ARCHIVE_PATH_SIZE], batches_path[ARCHIVE_PATH_SIZE];
    source_t rows = {.columns = EVENT_COLUMNS}, batches = {.columns = BATCH_COLUMNS};
    archive_border_t after;
    s_path_now(entry->file, folder, path);
    s_path_now(entry->batches_file, folder, batches_path);
    int status = s_open_file(&rows, path, problem);
    if (status == 0) status = s_open_file(&batches, batches_path, problem);
    if (status == 0) status = s_scan(chain, before, &rows, &batches, "checking", entry->last_seq, &after, problem);
    if (status == 0) status = s_compare_sum(&rows, &entry->sum, problem);
    if (status == 0) status = s_compare_sum(&batches, &entry->batches_sum, problem);
    if (status == 0) status = s_compare(entry, chain, &after, problem);
    s_release(&rows);
    s_release(&batches);
    return status;
}

/* ---- exporting ---- */
static int s_finish(source_t *source, archive_sum_t *sum, char problem[256])
{
    int status = archive_file_finish(source->file, sum);
    if (status == ZVT_ERR_EXISTS)
        return s_fail(problem, status, source->what, "another file of this name is there (was the database restored?); move it away");
    return status == 0 ? 0 : s_fail(problem, status, source->what, strerror(errno));
}

static int s_export(const char *dsn, const archive_partition_t *partition, const archive_border_t *before, archive_chain_t *chain,
                    archive_entry_t *entry, char problem[256])
{
    char sql[512];
    source_t rows = {.columns = EVENT_COLUMNS}, batches = {.columns = BATCH_COLUMNS};
    snprintf(sql, sizeof sql, "COPY (SELECT " LOG_READER_COLUMNS " FROM %s ORDER BY seq) TO STDOUT (FORMAT binary)", partition->name);
    int status = s_open_copy(&rows, dsn, sql, entry->file, problem);
    snprintf(sql, sizeof sql, "COPY (SELECT last_seq, first_seq, epoch, hash FROM event_batches WHERE last_seq BETWEEN %" PRIu64 " AND %" PRIu64
             " ORDER BY last_seq) TO STDOUT (FORMAT binary)", partition->first_seq, partition->last_seq);
    if (status == 0) status = s_open_copy(&batches, dsn, sql, entry->batches_file, problem);
    if (status == 0) status = s_scan(chain, before, &rows, &batches, "writing", partition->last_seq, &entry->after, problem);
    if (status == 0) status = s_finish(&rows, &entry->sum, problem);
    if (status == 0) status = s_finish(&batches, &entry->batches_sum, problem);
    entry->batches = batches.count;
    entry->fills = archive_chain_fills(chain);
    entry->fills_sum = archive_chain_fills_sum(chain);
    entry->put_aside = archive_chain_put_aside(chain);
    s_release(&rows);
    s_release(&batches);
    return status;
}

int archive_job_export(const char *dsn, const char *folder, const char *log_id, const archive_partition_t *partition,
                       const archive_border_t *before, archive_chain_t *chain, archive_entry_t *entry, char problem[256])
{
    *entry = (archive_entry_t){.first_seq = partition->first_seq, .last_seq = partition->last_seq};
    snprintf(entry->file, sizeof entry->file, "%.900s/zvt-%s-%015" PRIu64 "-%015" PRIu64 ".events.gz", folder, log_id, partition->first_seq,
             partition->last_seq);
    snprintf(entry->batches_file, sizeof entry->batches_file, "%.900s/zvt-%s-%015" PRIu64 "-%015" PRIu64 ".commits.gz", folder, log_id,
             partition->first_seq, partition->last_seq);
    int status = s_export(dsn, partition, before, chain, entry, problem);
    if (status != 0) return status;
    archive_chain_t *again = archive_chain_new();
    status = archive_job_check(entry, NULL, before, again, problem);
    archive_chain_destroy(&again);
    return status;
}
