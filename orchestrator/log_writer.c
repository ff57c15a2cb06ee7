#include "log_writer.h"

#include <arpa/inet.h>
#include <endian.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <openssl/evp.h>

#include "zvt_diag.h"
#include "zvt_planted.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum {
    COLUMNS = 11,
    ROWS_BYTES = 6 << 20,        /* of a batch as COPY sends it */
    HASH_SIZE = 32,
    LOCK_TIMEOUT_MS = 500,       /* how long a stuck writer may hold the lease up */
};

/* Where the transaction under way stands. */
typedef enum {
    WRITER_DOWN,     /* no connection, or the lease is lost */
    WRITER_IDLE,
    WRITER_BEGUN,    /* the statements are sent; COPY is not open yet */
    WRITER_COPYING   /* rows are sent; the outcome is awaited */
} writer_state_t;

struct log_writer {
    zvt_loop_t *loop;
    char dsn[1024];
    uint32_t shard;
    char holder[ZVT_NAME_SIZE];
    log_writer_committed_fn *on_committed;
    log_writer_lost_fn *on_lost;
    void *arg;
    PGconn *conn;
    int fd;
    writer_state_t state;
    uint64_t epoch;
    uint64_t seen_epoch;         /* the lease is taken above it */
    zvt_buf_t rows;              /* the batch as COPY BINARY rows, without header and trailer */
    uint8_t hash[HASH_SIZE];     /* of the last committed batch */
    uint8_t next_hash[HASH_SIZE];
    EVP_MD_CTX *digest;
    bool commit_seen;            /* the server confirmed COMMIT */
    char problem[256];           /* first error of the transaction under way */
    bool fenced;
    int lost_timer;              /* tells of a loss that happened inside log_writer_append */
    int64_t began_ns, last_commit_ns;
};

static void s_on_lost_later(void *arg)
{
    log_writer_t *self = arg;
    self->on_lost(self->arg, self->problem, self->fenced);
}

log_writer_t *log_writer_new(zvt_loop_t *loop, const char *dsn, uint32_t shard, const char *holder,
                             log_writer_committed_fn *on_committed, log_writer_lost_fn *on_lost, void *arg)
{
    log_writer_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->shard = shard;
    self->on_committed = on_committed;
    self->on_lost = on_lost;
    self->arg = arg;
    self->fd = -1;
    self->rows = zvt_buf_new(ROWS_BYTES);
    self->digest = EVP_MD_CTX_new();
    ZVT_ASSERT(self->digest != NULL);
    snprintf(self->dsn, sizeof self->dsn, "%s", dsn);
    ZVT_STR_SET(self->holder, holder);
    self->lost_timer = zvt_loop_timer(loop, s_on_lost_later, self);
    return self;
}

static void s_disconnect(log_writer_t *self)
{
    if (self->fd >= 0) zvt_loop_remove_fd(self->loop, self->fd);
    self->fd = -1;
    PQfinish(self->conn);
    self->conn = NULL;
    self->state = WRITER_DOWN;
}

void log_writer_destroy(log_writer_t **self)
{
    if (*self == NULL) return;
    s_disconnect(*self);
    zvt_buf_destroy(&(*self)->rows);
    EVP_MD_CTX_free((*self)->digest);
    free(*self);
    *self = NULL;
}

/* Keeps the first line of a libpq message. */
static void s_note_problem(char problem[256], const char *message)
{
    size_t length = strcspn(message, "\n");
    snprintf(problem, 256, "%.*s", (int)(length < 250 ? length : 250), message);
}

static void s_lose(log_writer_t *self)
{
    bool fenced = self->fenced;
    s_disconnect(self);
    self->on_lost(self->arg, self->problem, fenced);
}

/* ---- taking the lease (blocking: nothing can be done before) ---- */
static bool s_run(log_writer_t *self, const char *sql, char problem[256])
{
    PGresult *result = PQexec(self->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!ok) s_note_problem(problem, PQresultErrorMessage(result));
    PQclear(result);
    return ok;
}

static bool s_raise_epoch(log_writer_t *self, char problem[256])
{
    char sql[768], *holder = PQescapeLiteral(self->conn, self->holder, strlen(self->holder));
    if (holder == NULL) return false;
    snprintf(sql, sizeof sql,
             "INSERT INTO writer_lease (shard, epoch, holder, backend_pid, backend_start) "
             "SELECT %" PRIu32 ", %" PRIu64 " + 1, %s, a.pid, a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid() "
             "ON CONFLICT (shard) DO UPDATE SET epoch = greatest(writer_lease.epoch, excluded.epoch - 1) + 1, holder = excluded.holder, "
             "backend_pid = excluded.backend_pid, backend_start = excluded.backend_start, taken_at = now() RETURNING epoch",
             self->shard, self->seen_epoch, holder);
    PQfreemem(holder);
    PGresult *result = PQexec(self->conn, sql);
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    if (ok)
        self->epoch = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    else
        s_note_problem(problem, PQresultErrorMessage(result));
    PQclear(result);
    return ok;
}

/* A writer that was stopped inside its transaction keeps the lease row locked; it is ended, and the lease taken. */
static bool s_take_lease(log_writer_t *self, char problem[256])
{
    char sql[128];
    snprintf(sql, sizeof sql, "SET lock_timeout = %d", LOCK_TIMEOUT_MS);
    if (!s_run(self, sql, problem)) return false;
    if (!s_raise_epoch(self, problem)) {
        zvt_warn("the lease is held up: %s; ending the writer that holds it", problem);
        snprintf(sql, sizeof sql, "SELECT zvt_end_stuck_writer(%" PRIu32 ")", self->shard);
        if (!s_run(self, sql, problem) || !s_raise_epoch(self, problem)) return false;
    }
    return s_run(self, "SET lock_timeout = 0", problem);
}

static bool s_read_end(log_writer_t *self, uint64_t *last_seq, char problem[256])
{
    memset(self->hash, 0, sizeof self->hash);
    *last_seq = 0;
    PGresult *result = PQexec(self->conn, "SELECT last_seq, encode(hash, 'hex') FROM event_batches ORDER BY last_seq DESC LIMIT 1");
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;
    if (!ok) s_note_problem(problem, PQresultErrorMessage(result));
    if (ok && PQntuples(result) == 1) {
        *last_seq = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
        const char *hex = PQgetvalue(result, 0, 1);
        for (size_t i = 0; i < HASH_SIZE; i++) ok = ok && sscanf(hex + 2 * i, "%2hhx", &self->hash[i]) == 1;
        if (!ok) s_note_problem(problem, "the hash of the last batch is damaged");
    }
    PQclear(result);
    return ok;
}

static bool s_prepare_partitions(log_writer_t *self, uint64_t seq, char problem[256])
{
    char sql[96];
    snprintf(sql, sizeof sql, "SELECT zvt_ensure_partitions(%" PRIu64 ")", seq);
    return s_run(self, sql, problem);
}

static void s_on_ready(void *arg);

int log_writer_take(log_writer_t *self, uint64_t seen_epoch, uint64_t *epoch, uint64_t *last_seq, char problem[256])
{
    s_disconnect(self);
    self->seen_epoch = seen_epoch;
    const char *keys[] = {"dbname", "connect_timeout", "application_name", "keepalives_idle", NULL};
    const char *values[] = {self->dsn, "3", self->holder, "2", NULL};
    self->conn = PQconnectdbParams(keys, values, 1);
    if (PQstatus(self->conn) != CONNECTION_OK) {
        s_note_problem(problem, PQerrorMessage(self->conn));
        s_disconnect(self);
        return ZVT_ERR_IO;
    }
    bool ok = s_run(self, ZVT_PLANTED(ASYNC_COMMIT_DROPPED_TAIL) ? "SET synchronous_commit = off" : "SET synchronous_commit = on", problem) && s_take_lease(self, problem) &&
              s_read_end(self, last_seq, problem) && s_prepare_partitions(self, *last_seq, problem);
    if (!ok || PQsetnonblocking(self->conn, 1) != 0) {
        s_disconnect(self);
        return ZVT_ERR_IO;
    }
    self->fd = PQsocket(self->conn);
    zvt_loop_add_fd(self->loop, self->fd, s_on_ready, self);
    self->state = WRITER_IDLE;
    self->fenced = false;
    *epoch = self->epoch;
    return 0;
}

/* ---- rows ---- */
static void s_put(log_writer_t *self, const void *data, uint32_t length)
{
    uint32_t length_be = htonl(length);
    ZVT_ASSERT(zvt_buf_append(&self->rows, &length_be, sizeof length_be) == 0);
    ZVT_ASSERT(zvt_buf_append(&self->rows, data, length) == 0);
}

static void s_put_int2(log_writer_t *self, uint32_t value)
{
    uint16_t be = htons((uint16_t)value);
    s_put(self, &be, sizeof be);
}

static void s_put_int4(log_writer_t *self, uint32_t value)
{
    uint32_t be = htonl(value);
    s_put(self, &be, sizeof be);
}

static void s_put_int8(log_writer_t *self, uint64_t value)
{
    uint64_t be = htobe64(value);
    s_put(self, &be, sizeof be);
}

/* Columns in the order of the COPY statement. */
static void s_put_row(log_writer_t *self, const zvt_event_t *event)
{
    uint8_t bytes[128];
    zvt_buf_t metadata = {.data = bytes, .capacity = sizeof bytes};
    ZVT_ASSERT(zvt_pack_metadata(&metadata, &event->metadata) == 0);
    uint16_t columns = htons(COLUMNS);
    ZVT_ASSERT(zvt_buf_append(&self->rows, &columns, sizeof columns) == 0);
    s_put_int8(self, event->seq);
    s_put(self, &event->event_id, sizeof event->event_id);
    s_put_int2(self, (uint32_t)event->type);
    s_put_int2(self, event->version);
    s_put_int8(self, (uint64_t)event->timestamp_ns);
    s_put(self, &event->correlation_id, sizeof event->correlation_id);
    s_put(self, &event->causation_id, sizeof event->causation_id);
    s_put(self, &event->aggregate_id, sizeof event->aggregate_id);
    s_put_int4(self, event->aggregate_version);
    s_put(self, metadata.data, (uint32_t)metadata.length);
    s_put(self, event->payload, (uint32_t)event->payload_length);
}

static void s_chain(log_writer_t *self)
{
    unsigned length = HASH_SIZE;
    bool ok = EVP_DigestInit_ex(self->digest, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(self->digest, self->hash, HASH_SIZE) == 1 &&
              EVP_DigestUpdate(self->digest, self->rows.data, self->rows.length) == 1 &&
              EVP_DigestFinal_ex(self->digest, self->next_hash, &length) == 1;
    ZVT_ASSERT(ok);
}

/* ---- the transaction ---- */
static void s_fail(log_writer_t *self)
{
    if (self->problem[0] == '\0') s_note_problem(self->problem, PQerrorMessage(self->conn));
    s_lose(self);
}

/* Sends what libpq still holds; watches writability while something is left. False: the connection is gone. */
static bool s_flush(log_writer_t *self)
{
    int left = PQflush(self->conn);
    zvt_loop_watch_write(self->loop, self->fd, left > 0);
    return left >= 0;
}

static void s_format_statements(log_writer_t *self, const turn_batch_t *batch, char *sql, size_t size)
{
    char hex[2 * HASH_SIZE + 1];
    for (size_t i = 0; i < HASH_SIZE; i++) snprintf(hex + 2 * i, 3, "%02x", self->next_hash[i]);
    /* 1/count(*) fails with division by zero when the lease has another epoch: the fence. */
    snprintf(sql, size,
             "BEGIN;"
             "SELECT 1/count(*) FROM (SELECT FROM writer_lease WHERE shard = %" PRIu32 " AND epoch = %" PRIu64 " FOR SHARE) held;"
             "INSERT INTO event_batches VALUES (%" PRIu64 ", %" PRIu64 ", %" PRIu64 ", '\\x%s');"
             "COPY events (seq, event_id, type, version, timestamp_ns, correlation_id, causation_id, aggregate_id, "
             "aggregate_version, metadata, payload) FROM STDIN (FORMAT binary);"
             "COMMIT",
             self->shard, self->epoch, batch->last_seq, batch->first_seq, self->epoch, hex);
}

void log_writer_append(log_writer_t *self, const turn_batch_t *batch)
{
    char sql[1024];
    if (self->state == WRITER_DOWN) return; /* on_lost has been told */
    ZVT_ASSERT(self->state == WRITER_IDLE);
    self->rows.length = 0;
    for (uint32_t i = 0; i < batch->count; i++) s_put_row(self, &batch->events[i]);
    s_chain(self);
    s_format_statements(self, batch, sql, sizeof sql);
    self->problem[0] = '\0';
    self->commit_seen = false;
    self->began_ns = zvt_monotonic_ns();
    self->state = WRITER_BEGUN;
    if (PQsendQuery(self->conn, sql) == 1 && s_flush(self)) return;
    /* The caller is in the middle of its turn: it is told in a round of its own. */
    s_note_problem(self->problem, PQerrorMessage(self->conn));
    s_disconnect(self);
    zvt_loop_arm(self->loop, self->lost_timer, 1);
}

static bool s_send_rows(log_writer_t *self)
{
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
    static const char trailer[] = "\377\377";
    self->state = WRITER_COPYING;
    return PQputCopyData(self->conn, header, 19) == 1 &&
           PQputCopyData(self->conn, (const char *)self->rows.data, (int)self->rows.length) == 1 &&
           PQputCopyData(self->conn, trailer, 2) == 1 && PQputCopyEnd(self->conn, NULL) == 1 && s_flush(self);
}

static void s_note_result_error(log_writer_t *self, PGresult *result)
{
    static const char division_by_zero[] = "22012";
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state != NULL && strcmp(state, division_by_zero) == 0) self->fenced = true;
    if (self->problem[0] != '\0') return;
    s_note_problem(self->problem, self->fenced ? "another writer has taken the lease" : PQresultErrorMessage(result));
}

static void s_on_commit_done(log_writer_t *self)
{
    static zvt_histogram_t *commits;
    if (commits == NULL) commits = zvt_histogram("commit");
    self->last_commit_ns = zvt_monotonic_ns() - self->began_ns;
    zvt_histogram_add(commits, self->last_commit_ns);
    ZVT_COUNT("commits");
    memcpy(self->hash, self->next_hash, HASH_SIZE);
    self->state = WRITER_IDLE;
    self->on_committed(self->arg);
}

/* All results of the statements are in. */
static void s_on_end(log_writer_t *self)
{
    if (self->state == WRITER_COPYING && self->commit_seen && self->problem[0] == '\0')
        s_on_commit_done(self);
    else
        s_fail(self);
}

/* Handles one result; false when the transaction is over (or the writer lost). */
static bool s_on_result(log_writer_t *self, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COPY_IN) {
        if (!s_send_rows(self)) {
            s_fail(self);
            return false;
        }
        return true;
    }
    if (status == PGRES_FATAL_ERROR) s_note_result_error(self, result);
    if (status == PGRES_COMMAND_OK && strcmp(PQcmdStatus(result), "COMMIT") == 0) self->commit_seen = true;
    return true;
}

static void s_on_ready(void *arg)
{
    log_writer_t *self = arg;
    if (PQconsumeInput(self->conn) != 1 || !s_flush(self)) {
        s_fail(self);
        return;
    }
    while (self->conn != NULL && (self->state == WRITER_BEGUN || self->state == WRITER_COPYING) && !PQisBusy(self->conn)) {
        PGresult *result = PQgetResult(self->conn);
        if (result == NULL) {
            s_on_end(self);
            return;
        }
        bool copy_in = PQresultStatus(result) == PGRES_COPY_IN;
        bool go_on = s_on_result(self, result);
        PQclear(result);
        if (!go_on || copy_in) return;
    }
    if (self->state == WRITER_IDLE && PQstatus(self->conn) != CONNECTION_OK) s_fail(self);
}

bool log_writer_is_up(const log_writer_t *self)
{
    return self->state != WRITER_DOWN;
}

int64_t log_writer_last_commit_ns(const log_writer_t *self)
{
    return self->last_commit_ns;
}
