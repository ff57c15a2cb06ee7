#include "log_reader.h"

#include <arpa/inet.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* LOG_READER_COLUMNS, in their order. */
enum { SEQ, EVENT_ID, TYPE, VERSION, TIMESTAMP, CORRELATION_ID, CAUSATION_ID, AGGREGATE_ID, AGGREGATE_VERSION, METADATA, PAYLOAD };

struct log_reader {
    char dsn[1024];
    char application[ZVT_NAME_SIZE];
    PGconn *conn;
};

log_reader_t *log_reader_new(const char *dsn, const char *application)
{
    log_reader_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    snprintf(self->dsn, sizeof self->dsn, "%s", dsn);
    ZVT_STR_SET(self->application, application);
    return self;
}

void log_reader_destroy(log_reader_t **self)
{
    if (*self == NULL) return;
    PQfinish((*self)->conn);
    free(*self);
    *self = NULL;
}

static int s_problem(char problem[256], const char *message)
{
    snprintf(problem, 256, "%.*s", (int)(strcspn(message, "\n") < 250 ? strcspn(message, "\n") : 250), message);
    return ZVT_ERR_IO;
}

static int s_connect(log_reader_t *self, char problem[256])
{
    if (self->conn != NULL && PQstatus(self->conn) == CONNECTION_OK) return 0;
    PQfinish(self->conn);
    const char *keys[] = {"dbname", "connect_timeout", "application_name", NULL};
    const char *values[] = {self->dsn, "3", self->application, NULL};
    self->conn = PQconnectdbParams(keys, values, 1);
    return PQstatus(self->conn) == CONNECTION_OK ? 0 : s_problem(problem, PQerrorMessage(self->conn));
}

static uint64_t s_int(const PGresult *result, int row, int column)
{
    const char *value = PQgetvalue(result, row, column);
    uint64_t be8;
    uint32_t be4;
    uint16_t be2;
    switch (PQgetlength(result, row, column)) {
    case 8: memcpy(&be8, value, 8); return be64toh(be8);
    case 4: memcpy(&be4, value, 4); return ntohl(be4);
    case 2: memcpy(&be2, value, 2); return ntohs(be2);
    default: return 0;
    }
}

static void s_id(const PGresult *result, int row, int column, zvt_id_t *id)
{
    if (PQgetlength(result, row, column) == (int)sizeof *id) memcpy(id, PQgetvalue(result, row, column), sizeof *id);
}

static int s_row(const PGresult *result, int row, zvt_event_t *event)
{
    memset(event, 0, sizeof *event);
    event->seq = s_int(result, row, SEQ);
    s_id(result, row, EVENT_ID, &event->event_id);
    event->type = (zvt_type_t)s_int(result, row, TYPE);
    event->version = (uint32_t)s_int(result, row, VERSION);
    event->timestamp_ns = (int64_t)s_int(result, row, TIMESTAMP);
    s_id(result, row, CORRELATION_ID, &event->correlation_id);
    s_id(result, row, CAUSATION_ID, &event->causation_id);
    s_id(result, row, AGGREGATE_ID, &event->aggregate_id);
    event->aggregate_version = (uint32_t)s_int(result, row, AGGREGATE_VERSION);
    event->payload = (const uint8_t *)PQgetvalue(result, row, PAYLOAD);
    event->payload_length = (size_t)PQgetlength(result, row, PAYLOAD);
    return zvt_read_metadata(PQgetvalue(result, row, METADATA), (size_t)PQgetlength(result, row, METADATA), &event->metadata);
}

static int s_deliver(const PGresult *result, log_reader_event_fn *on_event, void *arg, char problem[256])
{
    zvt_event_t event;
    for (int row = 0; row < PQntuples(result); row++) {
        if (s_row(result, row, &event) != 0) {
            snprintf(problem, 256, "event %" PRIu64 " has damaged metadata", event.seq);
            return ZVT_ERR_CORRUPT;
        }
        int status = on_event(arg, &event);
        if (status != 0) {
            snprintf(problem, 256, "event %" PRIu64 " (%s): %s", event.seq, zvt_type_name(event.type), zvt_strerror(status));
            return status;
        }
    }
    return 0;
}

/* Asks, a second time when the connection turns out to have ended meanwhile: reads may be repeated, and whoever waits for the
 * answer should not pay for a restart of the database. NULL with the reason in `problem`. */
static PGresult *s_ask(log_reader_t *self, const char *sql, int params_count, const char *const *params, bool binary, char problem[256])
{
    for (int attempt = 0; attempt < 2; attempt++) {
        if (s_connect(self, problem) != 0) return NULL;
        PGresult *result = PQexecParams(self->conn, sql, params_count, NULL, params, NULL, NULL, binary);
        if (PQresultStatus(result) == PGRES_TUPLES_OK) return result;
        (void)s_problem(problem, PQresultErrorMessage(result));
        PQclear(result);
        if (PQstatus(self->conn) == CONNECTION_OK) return NULL;
    }
    return NULL;
}

int log_reader_read(log_reader_t *self, uint64_t from_seq, uint64_t to_seq, uint32_t limit, const zvt_id_t *correlation_id,
                    log_reader_event_fn *on_event, void *arg, char problem[256])
{
    char from[24], to[24], count[24], correlation[ZVT_ID_TEXT];
    snprintf(from, sizeof from, "%" PRIu64, from_seq);
    snprintf(to, sizeof to, "%" PRIu64, to_seq == 0 ? (uint64_t)INT64_MAX : to_seq);
    snprintf(count, sizeof count, "%" PRIu32, limit);
    /* A saga is found by its index first and sorted then: for a few rows by seq the planner might read the whole log. */
    bool all = correlation_id == NULL || zvt_id_is_none(correlation_id);
    if (!all) zvt_id_format(correlation_id, correlation);
    const char *values[] = {from, to, count, all ? NULL : correlation};
    const char *sql = all ? "SELECT " LOG_READER_COLUMNS " FROM events WHERE seq BETWEEN $1::bigint AND $2::bigint ORDER BY seq LIMIT $3::int"
                          : "WITH saga AS MATERIALIZED (SELECT " LOG_READER_COLUMNS " FROM events WHERE seq BETWEEN $1::bigint AND "
                            "$2::bigint AND correlation_id = $4::uuid) SELECT * FROM saga ORDER BY seq LIMIT $3::int";
    PGresult *result = s_ask(self, sql, all ? 3 : 4, values, true, problem);
    if (result == NULL) return ZVT_ERR_IO;
    int status = s_deliver(result, on_event, arg, problem);
    PQclear(result);
    return status;
}

/* The number that a statement without parameters answers. */
static int s_number(log_reader_t *self, const char *sql, uint64_t *number, char problem[256])
{
    PGresult *result = s_ask(self, sql, 0, NULL, false, problem);
    if (result == NULL) return ZVT_ERR_IO;
    *number = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return 0;
}

int log_reader_tip(log_reader_t *self, uint64_t *tip_seq, char problem[256])
{
    return s_number(self, "SELECT coalesce(max(last_seq), 0) FROM event_batches", tip_seq, problem);
}

int log_reader_first(log_reader_t *self, uint64_t *first_seq, char problem[256])
{
    return s_number(self, "SELECT coalesce(max(last_seq), 0) + 1 FROM log_archives", first_seq, problem);
}

int log_reader_base(log_reader_t *self, const zvt_base_request_t *request, uint32_t limit, zvt_log_base_t *head, zvt_buf_t *piece,
                    char problem[256])
{
    char before[24], offset[24], count[16];
    uint64_t before_seq = request->before_seq == 0 || request->before_seq > INT64_MAX ? INT64_MAX : request->before_seq;
    snprintf(before, sizeof before, "%" PRIu64, before_seq);
    snprintf(offset, sizeof offset, "%" PRIu64, request->offset < INT32_MAX ? request->offset : (uint64_t)INT32_MAX - 1);
    snprintf(count, sizeof count, "%" PRIu32, limit);
    const char *values[] = {request->process, before, offset, count};
    PGresult *result = s_ask(self, "SELECT seq, length(data)::bigint, substring(data from $3::int + 1 for $4::int) FROM log_bases "
                                   "WHERE process = $1 AND seq <= $2::bigint ORDER BY seq DESC LIMIT 1", 4, values, true, problem);
    if (result == NULL) return ZVT_ERR_IO;
    *head = (zvt_log_base_t){.offset = request->offset};
    ZVT_STR_SET(head->process, request->process);
    int status = 0;
    if (PQntuples(result) == 1) {
        head->seq = s_int(result, 0, 0);
        head->length = s_int(result, 0, 1);
        status = zvt_buf_append(piece, PQgetvalue(result, 0, 2), (size_t)PQgetlength(result, 0, 2));
    }
    PQclear(result);
    return status;
}
