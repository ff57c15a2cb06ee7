#include "archive_store.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How long DETACH may wait for readers: every commit waits behind it for as long. */
#define ARCHIVE_LOCK_MS "20"

static int s_problem(char problem[256], const char *message)
{
    size_t length = strcspn(message, "\n");
    snprintf(problem, 256, "%.*s", (int)(length < 250 ? length : 250), message);
    return ZVT_ERR_IO;
}

PGconn *archive_store_connect(const char *dsn, char problem[256])
{
    const char *keys[] = {"dbname", "connect_timeout", "application_name", NULL};
    const char *values[] = {dsn, "5", "zvt-archiver", NULL};
    PGconn *conn = PQconnectdbParams(keys, values, 1);
    if (PQstatus(conn) == CONNECTION_OK) return conn;
    (void)s_problem(problem, PQerrorMessage(conn));
    PQfinish(conn);
    return NULL;
}

/* ---- reading ---- */
int archive_store_log_id(PGconn *conn, char id[16], char problem[256])
{
    PGresult *result = PQexec(conn, "SELECT left(log_id::text, 8) FROM log_identity");
    int status = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 ? 0 : s_problem(problem, PQresultErrorMessage(result));
    if (status == 0) snprintf(id, 16, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return status;
}

int archive_store_partition(PGconn *conn, const char *name, archive_partition_t *partition, char problem[256])
{
    PGresult *result = PQexecParams(conn, "SELECT first_seq, last_seq FROM log_partitions WHERE name = $1", 1, NULL, &name, NULL, NULL, 0);
    int status = PQresultStatus(result) == PGRES_TUPLES_OK ? 0 : s_problem(problem, PQresultErrorMessage(result));
    if (status == 0 && PQntuples(result) != 1) {
        snprintf(problem, 256, "the log has no partition %.60s", name);
        status = ZVT_ERR_NOT_FOUND;
    }
    if (status == 0) {
        snprintf(partition->name, sizeof partition->name, "%s", name);
        partition->first_seq = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
        partition->last_seq = strtoull(PQgetvalue(result, 0, 1), NULL, 10);
    }
    PQclear(result);
    return status;
}

/* The columns of a list, in their order. */
enum {
    FIRST_SEQ, LAST_SEQ, FILE_PATH, BYTES, SHA256, BATCHES, BATCHES_FILE, BATCHES_SHA256, HASH_AFTER, HASH_SEQ, CARRY, FILLS, FILLS_SUM, PUT_ASIDE
};

PGresult *archive_store_list(PGconn *conn, char problem[256])
{
    PGresult *result = PQexecParams(conn, "SELECT first_seq, last_seq, file, bytes, sha256, batches, batches_file, batches_sha256, hash_after, "
                                          "hash_seq, carry, fills, fills_sum, put_aside FROM log_archives ORDER BY first_seq",
                                    0, NULL, NULL, NULL, NULL, 1);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) return result;
    (void)s_problem(problem, PQresultErrorMessage(result));
    PQclear(result);
    return NULL;
}

static uint64_t s_int(const PGresult *list, int row, int column)
{
    uint64_t be;
    memcpy(&be, PQgetvalue(list, row, column), sizeof be); /* every number of the table is a bigint */
    return be64toh(be);
}

static bool s_hash(const PGresult *list, int row, int column, uint8_t hash[32])
{
    if (PQgetlength(list, row, column) != 32) return false;
    memcpy(hash, PQgetvalue(list, row, column), 32);
    return true;
}

bool archive_store_entry(const PGresult *list, int n, archive_entry_t *entry)
{
    *entry = (archive_entry_t){.first_seq = s_int(list, n, FIRST_SEQ), .last_seq = s_int(list, n, LAST_SEQ), .batches = s_int(list, n, BATCHES),
                               .fills = s_int(list, n, FILLS), .fills_sum = s_int(list, n, FILLS_SUM),
                               .sum = {.bytes = s_int(list, n, BYTES)},
                               .after = {.next_seq = s_int(list, n, LAST_SEQ) + 1, .hash_seq = s_int(list, n, HASH_SEQ),
                                         .carry = (const uint8_t *)PQgetvalue(list, n, CARRY), .carry_length = (size_t)PQgetlength(list, n, CARRY)},
                               .put_aside = PQgetvalue(list, n, PUT_ASIDE)};
    snprintf(entry->file, sizeof entry->file, "%s", PQgetvalue(list, n, FILE_PATH));
    snprintf(entry->batches_file, sizeof entry->batches_file, "%s", PQgetvalue(list, n, BATCHES_FILE));
    return s_hash(list, n, SHA256, entry->sum.sha256) && s_hash(list, n, BATCHES_SHA256, entry->batches_sum.sha256) &&
           s_hash(list, n, HASH_AFTER, entry->after.hash);
}

/* ---- the transaction ---- */
static int s_run(PGconn *conn, const char *sql, char problem[256])
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int code = 0;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        bool locked = state != NULL && (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0);
        (void)s_problem(problem, PQresultErrorMessage(result));
        code = locked ? ZVT_ERR_AGAIN : ZVT_ERR_IO;
    }
    PQclear(result);
    return code;
}

/* The conditions are part of the statement, so that nothing can change between looking and recording. */
static const char s_record[] =
    "INSERT INTO log_archives (first_seq, last_seq, rows, file, bytes, sha256, batches, batches_file, batches_sha256, hash_after, hash_seq, "
    "carry, fills, fills_sum, put_aside) "
    "SELECT $1::bigint, $2::bigint, $2::bigint - $1::bigint + 1, $3, $4::bigint, $5::bytea, $6::bigint, $7, $8::bytea, $9::bytea, $10::bigint, "
    "$11::bytea, $12::bigint, $13::bigint, $14 "
    "WHERE zvt_log_first_seq() = $1::bigint AND (SELECT max(last_seq) FROM event_batches) > $2::bigint "
    "AND (SELECT count(DISTINCT process) FROM log_bases WHERE seq >= $2::bigint AND process IN ('orchestrator', 'risk', 'portfolio')) = 3";

static int s_insert(PGconn *conn, const archive_entry_t *entry, char problem[256])
{
    enum { PARAMS = 14, NUMBER = 24 };
    const uint64_t numbers[PARAMS] = {[0] = entry->first_seq, [1] = entry->last_seq, [3] = entry->sum.bytes, [5] = entry->batches,
                                      [9] = entry->after.hash_seq, [11] = entry->fills, [12] = entry->fills_sum};
    const char *values[PARAMS] = {[2] = entry->file, [4] = (const char *)entry->sum.sha256, [6] = entry->batches_file,
                                  [7] = (const char *)entry->batches_sum.sha256, [8] = (const char *)entry->after.hash,
                                  [10] = (const char *)entry->after.carry, [13] = entry->put_aside};
    const int lengths[PARAMS] = {[4] = ARCHIVE_SHA_SIZE, [7] = ARCHIVE_SHA_SIZE, [8] = LOG_HASH_SIZE, [10] = (int)entry->after.carry_length};
    const int formats[PARAMS] = {[4] = 1, [7] = 1, [8] = 1, [10] = 1};
    char texts[PARAMS][NUMBER];
    for (int i = 0; i < PARAMS; i++) {
        if (values[i] != NULL) continue;
        snprintf(texts[i], NUMBER, "%" PRIu64, numbers[i]);
        values[i] = texts[i];
    }
    PGresult *result = PQexecParams(conn, s_record, PARAMS, NULL, values, lengths, formats, 0);
    int status = PQresultStatus(result) == PGRES_COMMAND_OK ? 0 : s_problem(problem, PQresultErrorMessage(result));
    if (status == 0 && strcmp(PQcmdTuples(result), "1") != 0) {
        snprintf(problem, 256, "seq %" PRIu64 " to %" PRIu64 " is not what the log begins with, or a base behind it is missing", entry->first_seq,
                 entry->last_seq);
        status = ZVT_ERR_ILLEGAL;
    }
    PQclear(result);
    return status;
}

/* ZVT_ERR_AGAIN while somebody reads the log: commits only hold another kind of lock. An attempt would be in vain, and make them wait. */
static int s_is_read(PGconn *conn, char problem[256])
{
    PGresult *result = PQexec(conn, "SELECT count(*) FROM pg_locks WHERE relation = 'events'::regclass AND database = (SELECT oid FROM pg_database "
                                    "WHERE datname = current_database()) AND mode = 'AccessShareLock' AND granted AND pid <> pg_backend_pid()");
    int status = PQresultStatus(result) == PGRES_TUPLES_OK ? 0 : s_problem(problem, PQresultErrorMessage(result));
    if (status == 0 && strcmp(PQgetvalue(result, 0, 0), "0") != 0) {
        snprintf(problem, 256, "the log is being read (a verification, a process that is rebuilt)");
        status = ZVT_ERR_AGAIN;
    }
    PQclear(result);
    return status;
}

int archive_store_drop(PGconn *conn, const archive_partition_t *partition, const archive_entry_t *entry, char problem[256])
{
    char sql[256], ignored[256];
    int status = s_is_read(conn, problem);
    if (status != 0) return status;
    status = s_run(conn, "BEGIN; LOCK TABLE log_archives IN EXCLUSIVE MODE", problem);
    if (status == 0) status = s_insert(conn, entry, problem);
    if (status == 0) {
        snprintf(sql, sizeof sql, "SET LOCAL lock_timeout = '" ARCHIVE_LOCK_MS "ms'; ALTER TABLE events DETACH PARTITION %s; DROP TABLE %s; COMMIT",
                 partition->name, partition->name);
        status = s_run(conn, sql, problem);
    }
    if (status != 0 && PQstatus(conn) == CONNECTION_OK) (void)!s_run(conn, "ROLLBACK", ignored);
    return status;
}

int archive_store_tidy(PGconn *conn, char problem[256])
{
    static const char *const steps[] = {
        "DELETE FROM event_batches WHERE last_seq < zvt_log_first_seq() AND last_seq < (SELECT max(last_seq) FROM event_batches)",
        "DELETE FROM log_bases WHERE seq + 1 < zvt_log_first_seq()",
        "VACUUM event_batches", /* which nobody else does, because it is only appended to */
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int status = s_run(conn, steps[i], problem);
        if (status != 0) return status;
    }
    return 0;
}
