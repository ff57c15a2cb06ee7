#include "log_writer.h"

#include <arpa/inet.h>
#include <endian.h>
#include <inttypes.h>
#include <openssl/evp.h>

#include "zvt_diag.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum {
    COLUMNS = 11,
    METADATA_BYTES_MAX = 128,
    ROW_BYTES_MAX = 256 + METADATA_BYTES_MAX, /* beside the payload */
    FRAME_HEAD = 5,             /* 'd' and the length of what follows, its own four bytes included */
    FRAME_BYTES = 32 << 10,     /* from which on a frame is full: the server works on whole frames */
    COPY_BYTES = (6 << 20) + (64 << 10), /* of a batch as COPY sends it, and its frames */
    FEED_EVERY = 32,            /* calls of log_writer_feed between two looks at the socket */
    SQL_SIZE = 2048,
};

/* Where the transaction under way stands. */
typedef enum {
    WRITER_DOWN,     /* no session, or the lease is lost */
    WRITER_IDLE,
    WRITER_BEATING,  /* a heartbeat of its own; a batch may wait for it */
    WRITER_BEGUN,    /* the statements are sent, and rows behind them; COPY is not open yet */
    WRITER_COPYING,  /* COPY is open; rows are sent */
    WRITER_ENDING    /* all is sent; the outcome is awaited */
} writer_state_t;

/* A batch as CopyData frames, which grows while the one before is on its way. */
typedef struct {
    zvt_buf_t bytes;
    size_t frame;       /* where the frame begins that is being filled */
    uint32_t count;     /* of the batch's events that are in it; 0: not begun */
    uint64_t last_seq;  /* of those */
    EVP_MD_CTX *digest; /* over the hash before and the rows so far */
} copy_t;

struct log_writer {
    zvt_loop_t *loop;
    uint32_t shard;
    int64_t heartbeat_ns, takeover_ns;
    log_writer_committed_fn *on_committed;
    log_writer_lost_fn *on_lost;
    void *arg;
    pg_session_t *session;       /* borrowed */
    PGconn *conn;                /* the session's; NULL while down */
    writer_state_t state;
    uint64_t epoch;
    turn_batch_t batch;          /* that was given last; its rows are in `sending` */
    bool waiting;                /* it does, for the heartbeat under way */
    bool prepared;               /* the session knows the statements of s_prepare */
    bool heartbeat_due;
    bool heartbeat_sent;         /* the transaction under way carries one */
    int64_t proof_ns;            /* when the last heartbeat that arrived was sent */
    copy_t copies[2];
    copy_t *sending;             /* of the batch that was given last */
    copy_t *growing;             /* of the one that is gathered behind it */
    size_t sent;                 /* bytes of `sending` */
    uint32_t feeds;              /* calls of log_writer_feed */
    uint8_t hash[LOG_HASH_SIZE]; /* of the batch that was given last */
    bool commit_seen;            /* the server confirmed COMMIT */
    char problem[PG_PROBLEM_SIZE]; /* first error of the transaction under way */
    bool fenced;
    int heartbeat_timer;
    int lost_timer;              /* tells of a loss that happened inside a call of the owner's */
    int64_t began_ns;
};

static void s_on_heartbeat_due(void *arg);

static void s_on_lost_later(void *arg)
{
    log_writer_t *self = arg;
    self->on_lost(self->arg, self->problem, self->fenced);
}

log_writer_t *log_writer_new(zvt_loop_t *loop, uint32_t shard, const lease_rules_t *rules, log_writer_committed_fn *on_committed,
                             log_writer_lost_fn *on_lost, void *arg)
{
    log_writer_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->shard = shard;
    self->heartbeat_ns = lease_core_heartbeat_ns(rules);
    self->takeover_ns = rules->takeover_ns;
    self->on_committed = on_committed;
    self->on_lost = on_lost;
    self->arg = arg;
    for (size_t i = 0; i < 2; i++) {
        self->copies[i].bytes = zvt_buf_new(COPY_BYTES);
        self->copies[i].digest = EVP_MD_CTX_new();
        ZVT_ASSERT(self->copies[i].digest != NULL);
    }
    self->sending = &self->copies[0];
    self->growing = &self->copies[1];
    self->heartbeat_timer = zvt_loop_timer(loop, s_on_heartbeat_due, self);
    self->lost_timer = zvt_loop_timer(loop, s_on_lost_later, self);
    return self;
}

void log_writer_stop(log_writer_t *self)
{
    if (self->state == WRITER_DOWN) return;
    zvt_loop_arm(self->loop, self->heartbeat_timer, 0);
    pg_session_close(self->session);
    self->conn = NULL;
    self->waiting = false;
    self->state = WRITER_DOWN;
}

void log_writer_destroy(log_writer_t **self)
{
    if (*self == NULL) return;
    log_writer_stop(*self);
    for (size_t i = 0; i < 2; i++) {
        zvt_buf_destroy(&(*self)->copies[i].bytes);
        EVP_MD_CTX_free((*self)->copies[i].digest);
    }
    free(*self);
    *self = NULL;
}

static void s_note_failure(log_writer_t *self)
{
    if (self->problem[0] == '\0') pg_session_note(self->problem, PQerrorMessage(self->conn));
    log_writer_stop(self);
}

static void s_fail(log_writer_t *self)
{
    s_note_failure(self);
    self->on_lost(self->arg, self->problem, self->fenced);
}

/* For calls of the owner, who is in the middle of a turn: it is told in a round of its own. */
static void s_fail_later(log_writer_t *self)
{
    s_note_failure(self);
    zvt_loop_arm(self->loop, self->lost_timer, 1);
}

/* ---- rows ---- */
static void s_append(copy_t *copy, const void *data, size_t length)
{
    ZVT_ASSERT(zvt_buf_append(&copy->bytes, data, length) == 0);
}

static void s_open_frame(copy_t *copy)
{
    static const uint8_t head[FRAME_HEAD] = {'d'};
    copy->frame = copy->bytes.length;
    s_append(copy, head, sizeof head);
}

static void s_close_frame(copy_t *copy)
{
    uint32_t length_be = htonl((uint32_t)(copy->bytes.length - copy->frame - 1));
    memcpy(copy->bytes.data + copy->frame + 1, &length_be, sizeof length_be);
}

static void s_add_frame(copy_t *copy, const void *data, size_t length)
{
    s_open_frame(copy);
    s_append(copy, data, length);
    s_close_frame(copy);
}

/* Columns, each behind its length. The end of what was put. */
static uint8_t *s_put(uint8_t *at, const void *data, uint32_t length)
{
    uint32_t length_be = htonl(length);
    memcpy(at, &length_be, sizeof length_be);
    memcpy(at + sizeof length_be, data, length);
    return at + sizeof length_be + length;
}

static uint8_t *s_put_int2(uint8_t *at, uint32_t value)
{
    uint16_t be = htons((uint16_t)value);
    return s_put(at, &be, sizeof be);
}

static uint8_t *s_put_int4(uint8_t *at, uint32_t value)
{
    uint32_t be = htonl(value);
    return s_put(at, &be, sizeof be);
}

static uint8_t *s_put_int8(uint8_t *at, uint64_t value)
{
    uint64_t be = htobe64(value);
    return s_put(at, &be, sizeof be);
}

/* Columns in the order of the COPY statement. */
static void s_put_row(copy_t *copy, const zvt_event_t *event)
{
    uint8_t bytes[METADATA_BYTES_MAX];
    zvt_buf_t metadata = {.data = bytes, .capacity = sizeof bytes};
    ZVT_ASSERT(zvt_pack_metadata(&metadata, &event->metadata) == 0);
    ZVT_ASSERT(copy->bytes.capacity - copy->bytes.length >= ROW_BYTES_MAX + event->payload_length);
    uint8_t *at = copy->bytes.data + copy->bytes.length;
    const uint16_t columns = htons(COLUMNS);
    memcpy(at, &columns, sizeof columns);
    at = s_put_int8(at + sizeof columns, event->seq);
    at = s_put(at, &event->event_id, sizeof event->event_id);
    at = s_put_int2(at, (uint32_t)event->type);
    at = s_put_int2(at, event->version);
    at = s_put_int8(at, (uint64_t)event->timestamp_ns);
    at = s_put(at, &event->correlation_id, sizeof event->correlation_id);
    at = s_put(at, &event->causation_id, sizeof event->causation_id);
    at = s_put(at, &event->aggregate_id, sizeof event->aggregate_id);
    at = s_put_int4(at, event->aggregate_version);
    at = s_put(at, metadata.data, (uint32_t)metadata.length);
    at = s_put(at, event->payload, (uint32_t)event->payload_length);
    copy->bytes.length = (size_t)(at - copy->bytes.data);
}

/* The chain is over the rows alone. */
static void s_chain_frame(copy_t *copy)
{
    size_t begin = copy->frame + FRAME_HEAD;
    ZVT_ASSERT(EVP_DigestUpdate(copy->digest, copy->bytes.data + begin, copy->bytes.length - begin) == 1);
}

static void s_begin_copy(copy_t *copy, const uint8_t hash[LOG_HASH_SIZE])
{
    static const char header[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    copy->bytes.length = 0;
    ZVT_ASSERT(EVP_DigestInit_ex(copy->digest, EVP_sha256(), NULL) == 1 && EVP_DigestUpdate(copy->digest, hash, LOG_HASH_SIZE) == 1);
    s_add_frame(copy, header, sizeof header);
    s_open_frame(copy);
}

/* Adds those of the batch's rows that are not in it. */
static void s_grow_copy(copy_t *copy, const turn_batch_t *batch)
{
    ZVT_ASSERT(copy->count <= batch->count);
    ZVT_ASSERT(copy->count == 0 || batch->events[copy->count - 1].seq == copy->last_seq); /* the same batch, grown */
    while (copy->count < batch->count) {
        if (copy->bytes.length - copy->frame >= FRAME_BYTES) {
            s_close_frame(copy);
            s_chain_frame(copy);
            s_open_frame(copy);
        }
        s_put_row(copy, &batch->events[copy->count]);
        copy->last_seq = batch->events[copy->count++].seq;
    }
}

/* Finds the hash of the chain with this batch. */
static void s_end_copy(copy_t *copy, uint8_t hash[LOG_HASH_SIZE])
{
    static const char trailer[2] = {'\377', '\377'};
    unsigned length = LOG_HASH_SIZE;
    s_close_frame(copy);
    s_chain_frame(copy);
    s_add_frame(copy, trailer, sizeof trailer);
    ZVT_ASSERT(EVP_DigestFinal_ex(copy->digest, hash, &length) == 1);
    copy->count = 0;
}

void log_writer_gather(log_writer_t *self, const turn_batch_t *batch)
{
    if (self->state == WRITER_DOWN) return;
    if (self->growing->count == 0) s_begin_copy(self->growing, self->hash);
    s_grow_copy(self->growing, batch);
}

/* Nothing is added to it any more: it is the one to be sent. */
static void s_take_copy(log_writer_t *self, const turn_batch_t *batch)
{
    copy_t *copy = self->growing;
    log_writer_gather(self, batch);
    s_end_copy(copy, self->hash);
    self->growing = self->sending;
    self->sending = copy;
    self->sent = 0;
    self->batch = *batch;
}

/* ---- the transaction ---- */
/* Sent ahead of the first transaction of a session: planning them anew would cost each commit 55 us of the backend.
 * 1/count(*) fails with division by zero when the lease has another epoch: the fence. */
static const char s_prepare[] =
    "SET plan_cache_mode = force_generic_plan;"
    "PREPARE fence(int, bigint) AS "
    "SELECT 1/count(*) FROM (SELECT FROM writer_lease WHERE shard = $1 AND epoch = $2 FOR SHARE) held;"
    "PREPARE beat(int, bigint) AS "
    "WITH held AS (UPDATE writer_lease SET heartbeat = clock_timestamp() WHERE shard = $1 AND epoch = $2 RETURNING 1) "
    "SELECT 1/count(*) FROM held;"
    "PREPARE batch(bigint, bigint, bigint, bytea) AS INSERT INTO event_batches VALUES ($1, $2, $3, $4);";

/* The beginning of every transaction, up to the fence. */
static int s_format_fence(const log_writer_t *self, char sql[SQL_SIZE], const char *local)
{
    return snprintf(sql, SQL_SIZE, "%sBEGIN;%sEXECUTE %s(%" PRIu32 ", %" PRIu64 ");", self->prepared ? "" : s_prepare, local,
                    self->heartbeat_sent ? "beat" : "fence", self->shard, self->epoch);
}

static void s_format_append(const log_writer_t *self, char sql[SQL_SIZE])
{
    char hex[2 * LOG_HASH_SIZE + 1];
    *zvt_hex(hex, self->hash, LOG_HASH_SIZE) = '\0';
    int length = s_format_fence(self, sql, "");
    length += snprintf(sql + length, SQL_SIZE - (size_t)length,
                       "EXECUTE batch(%" PRIu64 ", %" PRIu64 ", %" PRIu64 ", '\\x%s');"
                       "COPY events (seq, event_id, type, version, timestamp_ns, correlation_id, causation_id, aggregate_id, "
                       "aggregate_version, metadata, payload) FROM STDIN (FORMAT binary);"
                       "COMMIT",
                       self->batch.last_seq, self->batch.first_seq, self->epoch, hex);
    ZVT_ASSERT(length < SQL_SIZE);
}

/* A heartbeat that a crash of the database takes back does no harm, so it is not synced. */
static void s_format_heartbeat(const log_writer_t *self, char sql[SQL_SIZE])
{
    int length = s_format_fence(self, sql, "SET LOCAL synchronous_commit = off;");
    length += snprintf(sql + length, SQL_SIZE - (size_t)length, "COMMIT");
    ZVT_ASSERT(length < SQL_SIZE);
}

/* Sends the statements of a transaction; false when the connection is gone. */
static bool s_begin(log_writer_t *self, writer_state_t state, const char *sql)
{
    self->problem[0] = '\0';
    self->commit_seen = false;
    self->began_ns = zvt_monotonic_ns();
    self->state = state;
    return PQsendQuery(self->conn, sql) == 1 && pg_session_flush(self->session);
}

/* ---- sending the rows ---- */
/* Sends what the connection takes now, past libpq, which would hold the rows back until COPY is open. A server that refuses a
 * statement before that ignores them. */
static void s_send_rows(log_writer_t *self)
{
    self->sent += pg_session_send(self->session, self->sending->bytes.data + self->sent, self->sending->bytes.length - self->sent);
}

/* Over TLS libpq has to do it, and only once COPY is open. */
static bool s_put_frames(log_writer_t *self)
{
    while (self->sent < self->sending->bytes.length) {
        const char *frame = (const char *)self->sending->bytes.data + self->sent;
        uint32_t length_be;
        memcpy(&length_be, frame + 1, sizeof length_be);
        size_t bytes = 1 + (size_t)ntohl(length_be);
        if (PQputCopyData(self->conn, frame + FRAME_HEAD, (int)(bytes - FRAME_HEAD)) != 1) return false;
        self->sent += bytes;
    }
    return true;
}

/* Goes on with a transaction that has rows to send; false when the connection is gone. */
static bool s_feed(log_writer_t *self)
{
    if (self->state != WRITER_BEGUN && self->state != WRITER_COPYING) return true;
    if (pg_session_is_plain(self->session))
        s_send_rows(self);
    else if (self->state == WRITER_COPYING && !s_put_frames(self))
        return false;
    if (self->state != WRITER_COPYING || self->sent < self->sending->bytes.length) return true;
    self->state = WRITER_ENDING;
    return PQputCopyEnd(self->conn, NULL) == 1 && pg_session_flush(self->session);
}

void log_writer_feed(log_writer_t *self)
{
    bool sending = self->state == WRITER_BEGUN || self->state == WRITER_COPYING;
    if (!sending || self->sent == self->sending->bytes.length || ++self->feeds % FEED_EVERY != 0) return;
    if (!s_feed(self)) s_fail_later(self);
}

static bool s_begin_batch(log_writer_t *self)
{
    char sql[SQL_SIZE];
    self->waiting = false;
    self->heartbeat_sent = self->heartbeat_due;
    s_format_append(self, sql);
    return s_begin(self, WRITER_BEGUN, sql) && s_feed(self);
}

void log_writer_append(log_writer_t *self, const turn_batch_t *batch)
{
    if (self->state == WRITER_DOWN) return; /* on_lost has been told, or will be in this round */
    s_take_copy(self, batch);
    self->waiting = self->state == WRITER_BEATING;
    if (self->waiting) return;
    ZVT_ASSERT(self->state == WRITER_IDLE);
    if (!s_begin_batch(self)) s_fail_later(self);
}

/* While a batch is under way its successor carries the heartbeat. */
static void s_on_heartbeat_due(void *arg)
{
    log_writer_t *self = arg;
    char sql[SQL_SIZE];
    self->heartbeat_due = true;
    zvt_loop_arm(self->loop, self->heartbeat_timer, zvt_loop_monotonic_ns(self->loop) + self->heartbeat_ns);
    if (self->state != WRITER_IDLE) return;
    self->heartbeat_sent = true;
    s_format_heartbeat(self, sql);
    if (!s_begin(self, WRITER_BEATING, sql)) s_fail(self);
}

static void s_note_result_error(log_writer_t *self, const PGresult *result)
{
    static const char division_by_zero[] = "22012";
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state != NULL && strcmp(state, division_by_zero) == 0) self->fenced = true;
    if (self->problem[0] != '\0') return;
    pg_session_note(self->problem, self->fenced ? "another writer has taken the lease" : PQresultErrorMessage(result));
}

static void s_note_commit(log_writer_t *self)
{
    static zvt_histogram_t *commits;
    if (commits == NULL) commits = zvt_histogram("commit");
    zvt_histogram_add(commits, zvt_monotonic_ns() - self->began_ns);
    ZVT_COUNT("commits");
}

/* All results of the statements are in. */
static void s_on_end(log_writer_t *self)
{
    bool beat = self->state == WRITER_BEATING;
    if (self->state == WRITER_BEGUN || !self->commit_seen || self->problem[0] != '\0') {
        s_fail(self);
        return;
    }
    if (self->heartbeat_sent) {
        self->proof_ns = self->began_ns;
        self->heartbeat_due = self->heartbeat_sent = false;
    }
    self->prepared = true;
    self->state = WRITER_IDLE;
    if (!beat) {
        s_note_commit(self);
        self->on_committed(self->arg);
    } else if (self->waiting && !s_begin_batch(self)) {
        s_fail(self);
    }
}

/* Handles one result; false when the connection is gone. */
static bool s_on_result(log_writer_t *self, const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COPY_IN) {
        self->state = WRITER_COPYING;
        return s_feed(self);
    }
    if (status == PGRES_FATAL_ERROR) s_note_result_error(self, result);
    if (status == PGRES_COMMAND_OK && strcmp(PQcmdStatus((PGresult *)(uintptr_t)result), "COMMIT") == 0) self->commit_seen = true;
    return true;
}

static void s_on_ready(void *arg)
{
    log_writer_t *self = arg;
    if (PQconsumeInput(self->conn) != 1 || !pg_session_flush(self->session) || !s_feed(self)) {
        s_fail(self);
        return;
    }
    while (self->state > WRITER_IDLE && self->state != WRITER_COPYING && !PQisBusy(self->conn)) {
        PGresult *result = PQgetResult(self->conn);
        if (result == NULL) {
            s_on_end(self);
            return;
        }
        bool fine = s_on_result(self, result);
        PQclear(result);
        if (fine) continue;
        s_fail(self);
        return;
    }
    if (self->state == WRITER_IDLE && PQstatus(self->conn) != CONNECTION_OK) s_fail(self);
}

/* ---- the lease ---- */
void log_writer_begin(log_writer_t *self, pg_session_t *session, const log_lease_taken_t *taken)
{
    log_writer_stop(self);
    zvt_loop_arm(self->loop, self->lost_timer, 0);
    self->session = session;
    self->conn = pg_session_lend(session, s_on_ready, self);
    self->epoch = taken->epoch;
    memcpy(self->hash, taken->hash, LOG_HASH_SIZE);
    self->growing->count = 0;
    self->proof_ns = taken->taken_ns;
    self->heartbeat_due = self->heartbeat_sent = self->fenced = self->prepared = false;
    self->state = WRITER_IDLE;
    zvt_loop_arm(self->loop, self->heartbeat_timer, zvt_loop_monotonic_ns(self->loop) + self->heartbeat_ns);
}

bool log_writer_holds(const log_writer_t *self, int64_t now_ns)
{
    return self->state != WRITER_DOWN && now_ns - self->proof_ns <= self->takeover_ns;
}
