#include "log_stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log_reader.h"

struct log_stream {
    char dsn[1024];
    char application[ZVT_NAME_SIZE];
    PGconn *conn;
    char *message; /* libpq's; the row that was handed out is in it */
    log_row_t row;
    bool open;
    bool begun;    /* the first message has come */
};

log_stream_t *log_stream_new(const char *dsn, const char *application)
{
    log_stream_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    snprintf(self->dsn, sizeof self->dsn, "%s", dsn);
    ZVT_STR_SET(self->application, application);
    return self;
}

static void s_forget_message(log_stream_t *self)
{
    PQfreemem(self->message);
    self->message = NULL;
}

static void s_disconnect(log_stream_t *self)
{
    s_forget_message(self);
    PQfinish(self->conn);
    self->conn = NULL;
    self->open = false;
}

void log_stream_destroy(log_stream_t **self)
{
    if (*self == NULL) return;
    s_disconnect(*self);
    free(*self);
    *self = NULL;
}

bool log_stream_is_open(const log_stream_t *self)
{
    return self->open;
}

void log_stream_close(log_stream_t *self)
{
    if (self->open) s_disconnect(self);
}

static int s_fail(log_stream_t *self, char problem[256], const char *message)
{
    size_t length = strcspn(message, "\n");
    snprintf(problem, 256, "%.*s", (int)(length < 250 ? length : 250), message);
    s_disconnect(self);
    return ZVT_ERR_IO;
}

/* ---- opening ---- */
void log_stream_format(char sql[LOG_STREAM_SQL_SIZE], uint64_t from_seq, uint64_t to_seq, const zvt_type_set_t *types)
{
    size_t length = (size_t)snprintf(sql, LOG_STREAM_SQL_SIZE, "COPY (SELECT " LOG_READER_COLUMNS " FROM events WHERE seq BETWEEN %" PRIu64
                                     " AND %" PRIu64, from_seq, to_seq < INT64_MAX ? to_seq : (uint64_t)INT64_MAX);
    for (unsigned type = 0, count = 0; !zvt_type_set_is_all(types) && type < ZVT_TYPE_SET_LIMIT; type++)
        if (zvt_type_set_has(types, type))
            length += (size_t)snprintf(sql + length, LOG_STREAM_SQL_SIZE - length, "%s%u", count++ == 0 ? " AND type IN (" : ",", type);
    length += (size_t)snprintf(sql + length, LOG_STREAM_SQL_SIZE - length, "%s ORDER BY seq) TO STDOUT (FORMAT binary)",
                               zvt_type_set_is_all(types) ? "" : ")");
    ZVT_ASSERT(length < LOG_STREAM_SQL_SIZE);
}

static int s_connect(log_stream_t *self, char problem[256])
{
    const char *keys[] = {"dbname", "connect_timeout", "application_name", NULL};
    const char *values[] = {self->dsn, "3", self->application, NULL};
    self->conn = PQconnectdbParams(keys, values, 1);
    if (PQstatus(self->conn) != CONNECTION_OK) return s_fail(self, problem, PQerrorMessage(self->conn));
    PGresult *result = PQexec(self->conn, LOG_STREAM_PREPARE);
    bool prepared = PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    return prepared ? 0 : s_fail(self, problem, PQerrorMessage(self->conn));
}

/* A second time when the connection turns out to have ended meanwhile: whoever waits for the rows should not pay for a restart
 * of the database. */
int log_stream_open(log_stream_t *self, uint64_t from_seq, uint64_t to_seq, const zvt_type_set_t *types, char problem[256])
{
    char sql[LOG_STREAM_SQL_SIZE];
    log_stream_close(self);
    log_stream_format(sql, from_seq, to_seq, types);
    for (int attempt = 0;; attempt++) {
        bool fresh = self->conn == NULL;
        if (fresh && s_connect(self, problem) != 0) return ZVT_ERR_IO;
        PGresult *result = PQexec(self->conn, sql);
        self->open = PQresultStatus(result) == PGRES_COPY_OUT;
        PQclear(result);
        if (self->open) break;
        (void)s_fail(self, problem, PQerrorMessage(self->conn));
        if (fresh || attempt > 0) return ZVT_ERR_IO;
    }
    self->begun = false;
    return 0;
}

/* ---- reading ---- */
/* The rows are through; whether the statement went well is told only now. */
static int s_finish(log_stream_t *self, char problem[256])
{
    PGresult *result;
    bool fine = true;
    while ((result = PQgetResult(self->conn)) != NULL) {
        fine = fine && PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    if (!fine) return s_fail(self, problem, PQerrorMessage(self->conn));
    self->open = false;
    return 0;
}

int log_stream_next(log_stream_t *self, const log_row_t **row, char problem[256])
{
    ZVT_ASSERT(self->open);
    *row = NULL;
    s_forget_message(self);
    int length = PQgetCopyData(self->conn, &self->message, 0);
    if (length == -1) return s_finish(self, problem);
    if (length < 0) return s_fail(self, problem, PQerrorMessage(self->conn));
    int found = log_rows_read(self->message, (size_t)length, !self->begun, &self->row);
    self->begun = true;
    if (found == 0) return log_stream_next(self, row, problem); /* the trailer; the end follows */
    if (found < 0) {
        (void)s_fail(self, problem, "a row of the log cannot be read");
        return ZVT_ERR_CORRUPT;
    }
    *row = &self->row;
    return 0;
}
