#include <endian.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "log_stream.h"
#include "zvt_time.h"

enum { SEQ_AT = 6 /* in a COPY BINARY row: after the count of columns and the length of the first */, COPY_HEADER = 19 };

/* As run/sql/10_log.sql makes the log: in partitions of the same size, without autovacuum. What ten of them cannot hold has a
 * place too. */
static const char s_make_table[] =
    "DROP TABLE IF EXISTS bench_limit;"
    "CREATE TABLE bench_limit (LIKE events INCLUDING ALL) PARTITION BY RANGE (seq);"
    "DO $$ DECLARE size constant bigint := (SELECT partition_events FROM log_layout); options constant text :="
    " 'WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off)'; BEGIN "
    "FOR part IN 0 .. 9 LOOP "
    "EXECUTE format('CREATE TABLE bench_limit_%s PARTITION OF bench_limit FOR VALUES FROM (%s) TO (%s) %s', part, part * size,"
    " (part + 1) * size, options); END LOOP; "
    "EXECUTE 'CREATE TABLE bench_limit_rest PARTITION OF bench_limit DEFAULT ' || options; END $$";

/* Rows of the log as COPY BINARY sends them, one after another. */
typedef struct {
    uint8_t *bytes;
    size_t length, capacity;
    size_t *starts; /* of each row; one more for the end */
    size_t count, starts_capacity;
} rows_t;

static int s_fail(PGconn *conn, const char *what)
{
    fprintf(stderr, "zvt-limit: %s: %s", what, PQerrorMessage(conn));
    PQfinish(conn);
    return ZVT_EXIT_FAILED;
}

static bool s_run(PGconn *conn, const char *sql, ExecStatusType wanted)
{
    PGresult *result = PQexec(conn, sql);
    bool ok = PQresultStatus(result) == wanted;
    PQclear(result);
    return ok;
}

static void s_add_row(rows_t *rows, const char *data, size_t length)
{
    if (rows->length + length > rows->capacity) {
        rows->capacity = 2 * rows->capacity + length;
        rows->bytes = realloc(rows->bytes, rows->capacity);
    }
    if (rows->count + 2 > rows->starts_capacity) {
        rows->starts_capacity = 2 * rows->starts_capacity + 1024;
        rows->starts = realloc(rows->starts, rows->starts_capacity * sizeof *rows->starts);
    }
    ZVT_ASSERT(rows->bytes != NULL && rows->starts != NULL);
    memcpy(rows->bytes + rows->length, data, length);
    rows->starts[rows->count++] = rows->length;
    rows->length += length;
    rows->starts[rows->count] = rows->length;
}

/* Number of the newest event; 0 when there is none or it cannot be read. */
static uint64_t s_tip(PGconn *conn)
{
    PGresult *result = PQexec(conn, "SELECT coalesce(max(last_seq), 0) FROM event_batches");
    uint64_t tip = PQresultStatus(result) == PGRES_TUPLES_OK ? strtoull(PQgetvalue(result, 0, 0), NULL, 10) : 0;
    PQclear(result);
    return tip;
}

/* The newest rows of the log, by the statements by which the fleet's followers are given it; keeps them only when `rows` is given. Returns
 * how many, or -1. */
static int64_t s_read_log(PGconn *conn, uint64_t limit, rows_t *rows)
{
    static const zvt_type_set_t all = {0, 0};
    char sql[LOG_STREAM_SQL_SIZE];
    uint64_t tip = s_tip(conn);
    log_stream_format(sql, tip < limit ? 1 : tip - limit + 1, tip, &all);
    if (!s_run(conn, LOG_STREAM_PREPARE, PGRES_TUPLES_OK) || !s_run(conn, sql, PGRES_COPY_OUT)) return -1;
    char *data;
    int length;
    int64_t count = 0;
    while ((length = PQgetCopyData(conn, &data, 0)) > 0) {
        /* The first message begins with the stream's header, the last one is the two bytes of its trailer. */
        size_t skip = count == 0 ? COPY_HEADER : 0;
        if ((size_t)length > skip + 2) {
            if (rows != NULL) s_add_row(rows, data + skip, (size_t)length - skip);
            count++;
        }
        PQfreemem(data);
    }
    PGresult *result;
    bool ok = length == -1;
    while ((result = PQgetResult(conn)) != NULL) {
        ok = ok && PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    return ok ? count : -1;
}

/* One commit of `count` rows, numbered from *seq on. */
static bool s_commit(PGconn *conn, rows_t *rows, size_t count, uint64_t *seq)
{
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", trailer[] = "\377\377";
    size_t first = *seq % (rows->count - count + 1), last = first + count;
    for (size_t i = first; i < last; i++) {
        uint64_t seq_be = htobe64(++*seq);
        memcpy(rows->bytes + rows->starts[i] + SEQ_AT, &seq_be, sizeof seq_be);
    }
    if (!s_run(conn, "COPY bench_limit FROM STDIN (FORMAT binary)", PGRES_COPY_IN)) return false;
    bool ok = PQputCopyData(conn, header, COPY_HEADER) == 1 &&
              PQputCopyData(conn, (char *)rows->bytes + rows->starts[first], (int)(rows->starts[last] - rows->starts[first])) == 1 &&
              PQputCopyData(conn, trailer, 2) == 1 && PQputCopyEnd(conn, NULL) == 1;
    PGresult *result;
    while ((result = PQgetResult(conn)) != NULL) {
        ok = ok && PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    return ok;
}

/* How many rows the next commit takes. At a rate: what is due, after a pause when that is nothing. */
static size_t s_await_rows(const limit_options_t *options, size_t batch, int64_t start_ns, uint64_t seq)
{
    (void)limit_await(options, start_ns, seq);
    if (options->rate == 0) return batch;
    uint64_t due = (uint64_t)((double)(zvt_monotonic_ns() - start_ns) / 1e9 * options->rate) + 1 - seq;
    return due < batch ? (size_t)(due == 0 ? 1 : due) : batch;
}

/* Ages of the rows up to `seq`, which are durable now: each since it was due. */
static void s_add_ages(const limit_options_t *options, zvt_histogram_t *ages, int64_t start_ns, int64_t now_ns, uint64_t seq, size_t count)
{
    for (uint64_t row = seq - count; options->rate > 0 && row < seq; row++)
        zvt_histogram_add(ages, now_ns - start_ns - (int64_t)((double)row * 1e9 / options->rate));
}

int limit_copy(const limit_options_t *options)
{
    rows_t rows = {0};
    PGconn *conn = PQconnectdb(options->dsn == NULL ? "" : options->dsn);
    if (PQstatus(conn) != CONNECTION_OK) return s_fail(conn, "cannot connect");
    if (s_read_log(conn, options->rows, &rows) < 0) return s_fail(conn, "cannot read the log");
    if (rows.count == 0) return s_fail(conn, "the log is empty; trade before measuring");
    uint32_t batch = options->batch < rows.count ? options->batch : (uint32_t)rows.count;
    if (!s_run(conn, s_make_table, PGRES_COMMAND_OK)) return s_fail(conn, "cannot make a table");
    zvt_histogram_t *commits = zvt_histogram("commit"), *ages = zvt_histogram("age");
    uint64_t seq = 0;
    int64_t start_ns = zvt_monotonic_ns(), end_ns = start_ns + (int64_t)(options->seconds * 1e9), now_ns = start_ns;
    while (now_ns < end_ns) {
        size_t count = s_await_rows(options, batch, start_ns, seq);
        int64_t before_ns = zvt_monotonic_ns();
        if (!s_commit(conn, &rows, count, &seq)) return s_fail(conn, "a commit failed");
        now_ns = zvt_monotonic_ns();
        zvt_histogram_add(commits, now_ns - before_ns);
        s_add_ages(options, ages, start_ns, now_ns, seq, count);
    }
    double seconds = (double)(now_ns - start_ns) / 1e9;
    printf("{\"batch\": %u, \"rows_per_s\": %.1f, \"commits_per_s\": %.1f, \"row_bytes\": %.1f", batch, (double)seq / seconds,
           (double)zvt_histogram_count(commits) / seconds, (double)rows.length / (double)rows.count);
    limit_print_histogram(stdout, "commit_ms", commits);
    limit_print_histogram(stdout, "age_ms", ages);
    puts("}");
    (void)s_run(conn, "DROP TABLE bench_limit", PGRES_COMMAND_OK);
    PQfinish(conn);
    free(rows.bytes);
    free(rows.starts);
    return ZVT_EXIT_OK;
}

int limit_read(const limit_options_t *options)
{
    PGconn *conn = PQconnectdb(options->dsn == NULL ? "" : options->dsn);
    if (PQstatus(conn) != CONNECTION_OK) return s_fail(conn, "cannot connect");
    int64_t start_ns = zvt_monotonic_ns();
    int64_t count = s_read_log(conn, options->rows, NULL);
    if (count < 0) return s_fail(conn, "cannot read the log");
    double seconds = (double)(zvt_monotonic_ns() - start_ns) / 1e9;
    printf("{\"rows\": %" PRId64 ", \"rows_per_s\": %.1f}\n", count, (double)count / seconds);
    PQfinish(conn);
    return ZVT_EXIT_OK;
}
