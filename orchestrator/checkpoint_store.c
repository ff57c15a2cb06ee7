#include "checkpoint_store.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_diag.h"

enum { PART_SIZE = 128 << 10, RECORD_SIZE = 16 << 10 /* any one record, packed */ };

struct checkpoint_store {
    char dsn[1024];
    char application[ZVT_NAME_SIZE];
    PGconn *conn;
    /* the checkpoint that is being written */
    uint64_t seq;
    zvt_buf_t *parts;              /* kept for the next one */
    uint32_t parts_made, parts_used, parts_written;
};

checkpoint_store_t *checkpoint_store_new(const char *dsn, const char *application)
{
    checkpoint_store_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    snprintf(self->dsn, sizeof self->dsn, "%s", dsn);
    ZVT_STR_SET(self->application, application);
    return self;
}

void checkpoint_store_destroy(checkpoint_store_t **self)
{
    if (*self == NULL) return;
    PQfinish((*self)->conn);
    for (uint32_t i = 0; i < (*self)->parts_made; i++) zvt_buf_destroy(&(*self)->parts[i]);
    free((*self)->parts);
    free(*self);
    *self = NULL;
}

static int s_problem(char problem[256], const char *message)
{
    size_t length = strcspn(message, "\n");
    snprintf(problem, 256, "%.*s", (int)(length < 250 ? length : 250), message);
    return ZVT_ERR_IO;
}

static int s_connect(checkpoint_store_t *self, char problem[256])
{
    if (self->conn != NULL && PQstatus(self->conn) == CONNECTION_OK) return 0;
    PQfinish(self->conn);
    const char *keys[] = {"dbname", "connect_timeout", "application_name", NULL};
    const char *values[] = {self->dsn, "3", self->application, NULL};
    self->conn = PQconnectdbParams(keys, values, 1);
    return PQstatus(self->conn) == CONNECTION_OK ? 0 : s_problem(problem, PQerrorMessage(self->conn));
}

static int s_run(checkpoint_store_t *self, const char *sql, char problem[256])
{
    PGresult *result = PQexec(self->conn, sql);
    int status = PQresultStatus(result) == PGRES_COMMAND_OK ? 0 : s_problem(problem, PQresultErrorMessage(result));
    PQclear(result);
    return status;
}

/* ---- saving ---- */
static zvt_buf_t *s_next_part(checkpoint_store_t *self)
{
    if (self->parts_used == self->parts_made) {
        self->parts = realloc(self->parts, (self->parts_made + 1) * sizeof *self->parts);
        ZVT_ASSERT(self->parts != NULL);
        self->parts[self->parts_made++] = zvt_buf_new(PART_SIZE);
    }
    zvt_buf_t *part = &self->parts[self->parts_used++];
    part->length = 0;
    return part;
}

static int s_pack_record(void *arg, zvt_type_t type, const void *record)
{
    checkpoint_store_t *self = arg;
    if (self->parts_used > 0 && zvt_pack(&self->parts[self->parts_used - 1], type, record) == 0) return 0;
    return zvt_pack(s_next_part(self), type, record);
}

size_t checkpoint_store_begin(checkpoint_store_t *self, turn_core_t *core)
{
    self->seq = turn_core_folded_seq(core);
    self->parts_used = self->parts_written = 0;
    ZVT_ASSERT(turn_core_save(core, s_pack_record, self) == 0);
    size_t bytes = 0;
    for (uint32_t i = 0; i < self->parts_used; i++) bytes += self->parts[i].length;
    return bytes;
}

static int s_write_part(checkpoint_store_t *self, char problem[256])
{
    const zvt_buf_t *data = &self->parts[self->parts_written];
    char seq[24], part[16];
    snprintf(seq, sizeof seq, "%" PRIu64, self->seq);
    snprintf(part, sizeof part, "%" PRIu32, self->parts_written);
    const char *values[] = {seq, part, (const char *)data->data};
    const int lengths[] = {0, 0, (int)data->length}, formats[] = {0, 0, 1};
    PGresult *result = PQexecParams(self->conn, "INSERT INTO checkpoints VALUES ($1::bigint, $2::int, $3::bytea)", 3, NULL, values,
                                    lengths, formats, 0);
    int status = PQresultStatus(result) == PGRES_COMMAND_OK ? 0 : s_problem(problem, PQresultErrorMessage(result));
    PQclear(result);
    if (status == 0) self->parts_written++;
    return status;
}

/* All but this one and the one before it; also one that claims to be beyond it, which no fold of this log can be. */
static int s_delete_others(checkpoint_store_t *self, char problem[256])
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "DELETE FROM checkpoints WHERE seq NOT IN (SELECT DISTINCT seq FROM checkpoints WHERE seq <= %" PRIu64 " ORDER BY seq DESC LIMIT 2)",
             self->seq);
    return s_run(self, sql, problem);
}

bool checkpoint_store_is_writing(const checkpoint_store_t *self)
{
    return self->parts_used > 0;
}

int checkpoint_store_write(checkpoint_store_t *self, char problem[256])
{
    int status = 0;
    if (self->parts_written == 0) {
        status = s_connect(self, problem);
        if (status == 0) status = s_run(self, "BEGIN", problem);
    }
    if (status == 0) status = s_write_part(self, problem);
    if (status == 0 && self->parts_written < self->parts_used) return 0;
    if (status == 0) status = s_delete_others(self, problem);
    if (status == 0) status = s_run(self, "COMMIT", problem);
    self->parts_used = 0;
    if (status != 0) {
        PQfinish(self->conn); /* ends the transaction as well */
        self->conn = NULL;
    }
    return status;
}

int checkpoint_store_prepare(checkpoint_store_t *self, uint64_t seq, char problem[256])
{
    char sql[128];
    int status = s_connect(self, problem);
    if (status != 0) return status;
    snprintf(sql, sizeof sql, "SELECT zvt_ensure_partitions(%" PRIu64 "); SELECT zvt_summarize_events(%" PRIu64 ")", seq, seq);
    PGresult *result = PQexec(self->conn, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) status = s_problem(problem, PQresultErrorMessage(result));
    PQclear(result);
    return status;
}

/* ---- loading ---- */
static int s_load_part(turn_core_t *core, const uint8_t *data, size_t length, char problem[256])
{
    static zvt_record_t record;
    zvt_cursor_t cursor = zvt_cursor(data, length);
    while (!zvt_cursor_done(&cursor)) {
        int status = zvt_read(&cursor, &record);
        if (status == 0) status = turn_core_load(core, &record);
        if (status == 0) continue;
        snprintf(problem, 256, "the checkpoint cannot be read: %s", zvt_strerror(status));
        return ZVT_ERR_CORRUPT;
    }
    return 0;
}

static int s_load_end(turn_core_t *core, char problem[256])
{
    if (turn_core_load_end(core) == 0) return 0;
    snprintf(problem, 256, "the checkpoint is not complete");
    return ZVT_ERR_CORRUPT;
}

/* The records of a row come last. */
static zvt_cursor_t s_records(const PGresult *result, int row)
{
    int column = PQnfields(result) - 1;
    return zvt_cursor(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

uint64_t checkpoint_store_seq(const PGresult *result)
{
    uint64_t seq;
    if (PQntuples(result) == 0 || PQgetlength(result, 0, 0) != (int)sizeof seq) return 0;
    memcpy(&seq, PQgetvalue(result, 0, 0), sizeof seq);
    return be64toh(seq);
}

void checkpoint_store_limit(uint64_t seq, char text[24])
{
    snprintf(text, 24, "%" PRIu64, seq < INT64_MAX ? seq : (uint64_t)INT64_MAX);
}

int checkpoint_store_take(const PGresult *result, turn_core_t *core, char problem[256])
{
    int status = PQntuples(result) == 0 ? ZVT_ERR_NOT_FOUND : 0;
    for (int row = 0; status == 0 && row < PQntuples(result); row++) {
        zvt_cursor_t records = s_records(result, row);
        status = s_load_part(core, records.at, (size_t)(records.end - records.at), problem);
    }
    if (status == 0) status = s_load_end(core, problem);
    bool has_seq = PQnfields(result) > 1;
    if (status != 0 || !has_seq || turn_core_folded_seq(core) == checkpoint_store_seq(result)) return status;
    snprintf(problem, 256, "the checkpoint is not of the seq it is stored under");
    return ZVT_ERR_CORRUPT;
}

/* ---- comparing ---- */
typedef struct {
    const PGresult *result;
    int row;
    zvt_cursor_t at;     /* in that row */
    uint64_t records;    /* that were the same */
    zvt_type_t type;     /* of the first that is not */
} comparison_t;

static int s_compare_record(void *arg, zvt_type_t type, const void *record)
{
    comparison_t *self = arg;
    uint8_t bytes[RECORD_SIZE];
    zvt_buf_t packed = {.data = bytes, .capacity = sizeof bytes};
    ZVT_ASSERT(zvt_pack(&packed, type, record) == 0);
    while (zvt_cursor_done(&self->at) && self->row + 1 < PQntuples(self->result)) self->at = s_records(self->result, ++self->row);
    size_t left = (size_t)(self->at.end - self->at.at);
    self->type = type;
    if (packed.length > left || memcmp(packed.data, self->at.at, packed.length) != 0) return ZVT_ERR_CORRUPT;
    self->at.at += packed.length;
    self->records++;
    return 0;
}

int checkpoint_store_compare(const PGresult *result, turn_core_t *core, char problem[256])
{
    comparison_t comparison = {.result = result, .at = s_records(result, 0)};
    int status = turn_core_save(core, s_compare_record, &comparison);
    bool whole = comparison.row + 1 == PQntuples(result) && zvt_cursor_done(&comparison.at);
    if (status != 0)
        snprintf(problem, 256, "record %" PRIu64 " of the checkpoint at seq %" PRIu64 " is not the %s that the log makes of it", comparison.records + 1,
                 checkpoint_store_seq(result), zvt_type_name(comparison.type));
    else if (!whole)
        snprintf(problem, 256, "the checkpoint at seq %" PRIu64 " has more records than the log makes", checkpoint_store_seq(result));
    return status != 0 || !whole ? ZVT_ERR_CORRUPT : 0;
}

int checkpoint_store_take_bytes(const void *data, size_t length, turn_core_t *core, char problem[256])
{
    int status = s_load_part(core, data, length, problem);
    return status != 0 ? status : s_load_end(core, problem);
}

/* Asks for what checkpoint_store_take reads; NULL with the reason. */
static PGresult *s_ask(checkpoint_store_t *self, const char *sql, uint64_t to_seq, char problem[256])
{
    char limit[24];
    const char *params[] = {limit};
    checkpoint_store_limit(to_seq, limit);
    if (s_connect(self, problem) != 0) return NULL;
    PGresult *result = PQexecParams(self->conn, sql, 1, NULL, params, NULL, NULL, 1);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) return result;
    (void)s_problem(problem, PQresultErrorMessage(result));
    PQclear(result);
    return NULL;
}

PGresult *checkpoint_store_read(checkpoint_store_t *self, uint64_t to_seq, char problem[256])
{
    return s_ask(self, CHECKPOINT_STORE_NEWEST, to_seq, problem);
}

int checkpoint_store_load(checkpoint_store_t *self, turn_core_t *core, char problem[256])
{
    int status = ZVT_ERR_CORRUPT;
    for (uint64_t to_seq = INT64_MAX; status == ZVT_ERR_CORRUPT;) {
        PGresult *result = checkpoint_store_read(self, to_seq, problem);
        if (result == NULL) return ZVT_ERR_IO;
        status = checkpoint_store_take(result, core, problem);
        to_seq = checkpoint_store_seq(result) - 1;
        PQclear(result);
        if (status != ZVT_ERR_CORRUPT) continue;
        zvt_warn("%s (seq %" PRIu64 "); trying the one before", problem, to_seq + 1);
        turn_core_clear(core);
        problem[0] = '\0';
    }
    return status;
}

int checkpoint_store_load_base(checkpoint_store_t *self, turn_core_t *core, uint64_t before_seq, char problem[256])
{
    PGresult *result = s_ask(self, "SELECT data FROM log_bases WHERE process = 'orchestrator' AND seq <= $1::bigint ORDER BY seq DESC LIMIT 1",
                             before_seq, problem);
    if (result == NULL) return ZVT_ERR_IO;
    int status = checkpoint_store_take(result, core, problem);
    PQclear(result);
    return status;
}
