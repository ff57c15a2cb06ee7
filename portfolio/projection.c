#include "projection.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_diag.h"
#include "zvt_json.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum {
    TEXT_SIZE = 4 << 20, /* parameter of a statement; see the assertion below */
    ID_TEXT_MAX = 40,    /* a quoted id and a comma */
    ROW_TEXT_MAX = 1024, /* a position.row as JSON, names with escapes */
};
_Static_assert(PORTFOLIO_POSITIONS_MAX * ID_TEXT_MAX < TEXT_SIZE && PROJECTION_ROWS_MAX * ROW_TEXT_MAX < TEXT_SIZE,
               "either parameter fits");

#define BACKOFF_MIN_NS (250 * ZVT_MS_NS)
#define BACKOFF_MAX_NS (10 * ZVT_SECOND_NS)
#define RESYNC_NS (60 * ZVT_SECOND_NS) /* everything is written anew that often, in case somebody else changed the table */
#define STUCK_NS (10 * ZVT_SECOND_NS) /* a connect or statement that takes longer is given up */

/* The JSON has the wire names of position.row, which are the table's columns. */
static const char s_upsert[] =
    "INSERT INTO portfolio_projections (position_id, portfolio_id, strategy_id, symbol, quantity, avg_price, market_price,"
    " market_value, realized_pnl, unrealized_pnl, commission, seq, updated_at)"
    " SELECT position_id, portfolio_id, strategy_id, symbol, quantity, avg_price, market_price,"
    " market_value, realized_pnl, unrealized_pnl, commission, seq, now()"
    " FROM jsonb_to_recordset($1::jsonb) AS r(position_id uuid, portfolio_id text, strategy_id text, symbol text,"
    " quantity numeric, avg_price numeric, market_price numeric, market_value numeric, realized_pnl numeric,"
    " unrealized_pnl numeric, commission numeric, seq bigint)"
    " ON CONFLICT (position_id) DO UPDATE SET portfolio_id = EXCLUDED.portfolio_id, strategy_id = EXCLUDED.strategy_id,"
    " symbol = EXCLUDED.symbol, quantity = EXCLUDED.quantity, avg_price = EXCLUDED.avg_price,"
    " market_price = EXCLUDED.market_price, market_value = EXCLUDED.market_value, realized_pnl = EXCLUDED.realized_pnl,"
    " unrealized_pnl = EXCLUDED.unrealized_pnl, commission = EXCLUDED.commission, seq = EXCLUDED.seq,"
    " updated_at = EXCLUDED.updated_at";

/* Takes out the rows of positions that this log does not have. */
static const char s_remove_strangers[] =
    "DELETE FROM portfolio_projections WHERE position_id NOT IN"
    " (SELECT id::uuid FROM jsonb_array_elements_text($1::jsonb) AS t(id))";

typedef enum {
    PROJECTION_STOPPED,    /* the core has not caught up yet */
    PROJECTION_WAITING,    /* without a connection, until the backoff ends */
    PROJECTION_CONNECTING, /* libpq is at it */
    PROJECTION_IDLE,       /* connected */
    PROJECTION_REMOVING,   /* the DELETE is under way */
    PROJECTION_WRITING,    /* an upsert is under way */
} projection_state_t;

/* What a row was when it was written. */
typedef struct {
    bool known;
    int64_t market_price_e8;
    uint64_t seq;
} written_t;

struct projection {
    zvt_loop_t *loop;
    const char *dsn;
    const portfolio_core_t *core;
    PGconn *conn;
    int fd; /* registered with the loop; -1: none */
    projection_state_t state;
    int64_t since_ns;   /* when the state was entered */
    int64_t backoff_ns; /* how long to wait after the next failure */
    bool cleaned;       /* strangers were removed since the last resynchronisation */
    int64_t synced_ns;  /* when that began */
    FILE *out;          /* writes to text; open while a parameter is made */
    uint32_t batch_count;
    uint32_t batch_numbers[PROJECTION_ROWS_MAX];
    written_t batch[PROJECTION_ROWS_MAX]; /* becomes `written` when the statement has succeeded */
    written_t written[PORTFOLIO_POSITIONS_MAX];
    char text[TEXT_SIZE];
};

static void s_on_io(void *arg);
static void s_on_time(void *arg);

static void s_set_state(projection_t *self, projection_state_t state)
{
    self->state = state;
    self->since_ns = zvt_loop_monotonic_ns(self->loop);
}

/* ---- connection ---- */

/* libpq may change its descriptor while it connects. */
static void s_watch(projection_t *self, int fd, bool write)
{
    if (fd != self->fd) {
        if (self->fd >= 0) zvt_loop_remove_fd(self->loop, self->fd);
        if (fd >= 0) zvt_loop_add_fd(self->loop, fd, s_on_io, self);
        self->fd = fd;
    }
    if (fd >= 0) zvt_loop_watch_write(self->loop, fd, write);
}

static void s_close(projection_t *self)
{
    s_watch(self, -1, false);
    PQfinish(self->conn);
    self->conn = NULL;
}

/* libpq's messages end with a line break and may have several lines. */
static int s_first_line(const char *text)
{
    return (int)strcspn(text, "\n");
}

static void s_fail(projection_t *self, const char *what, const char *reason)
{
    ZVT_COUNT("projection_failures");
    if (zvt_diag_allowed())
        zvt_warn("portfolio_projections: %s: %.*s; positions are kept and written when the database is back", what,
                 s_first_line(reason), reason);
    s_close(self);
    s_set_state(self, PROJECTION_WAITING);
}

static void s_connect(projection_t *self)
{
    self->backoff_ns = self->backoff_ns * 2 < BACKOFF_MAX_NS ? self->backoff_ns * 2 : BACKOFF_MAX_NS;
    s_set_state(self, PROJECTION_CONNECTING);
    self->conn = PQconnectStart(self->dsn);
    ZVT_ASSERT(self->conn != NULL);
    if (PQstatus(self->conn) == CONNECTION_BAD)
        s_fail(self, "cannot connect", PQerrorMessage(self->conn));
    else
        s_watch(self, PQsocket(self->conn), true);
}

/* Nothing is taken for granted of what stands in the table: strangers are removed and every row is written anew. */
static void s_resync(projection_t *self)
{
    self->cleaned = false;
    self->synced_ns = zvt_loop_monotonic_ns(self->loop);
    memset(self->written, 0, sizeof self->written);
}

static void s_on_connected(projection_t *self)
{
    s_resync(self);
    if (PQsetnonblocking(self->conn, 1) != 0) {
        s_fail(self, "cannot connect", PQerrorMessage(self->conn));
        return;
    }
    zvt_info("portfolio_projections: connected");
    s_watch(self, PQsocket(self->conn), false);
    s_set_state(self, PROJECTION_IDLE);
    s_on_time(self);
}

static void s_go_on_connecting(projection_t *self)
{
    switch (PQconnectPoll(self->conn)) {
    case PGRES_POLLING_OK: s_on_connected(self); break;
    case PGRES_POLLING_READING: s_watch(self, PQsocket(self->conn), false); break;
    case PGRES_POLLING_WRITING: s_watch(self, PQsocket(self->conn), true); break;
    default: s_fail(self, "cannot connect", PQerrorMessage(self->conn)); break;
    }
}

/* ---- statements ---- */
static void s_flush(projection_t *self)
{
    int left = PQflush(self->conn);
    if (left < 0)
        s_fail(self, "cannot send", PQerrorMessage(self->conn));
    else
        s_watch(self, self->fd, left > 0);
}

static void s_begin_text(projection_t *self)
{
    self->out = fmemopen(self->text, sizeof self->text, "w");
    ZVT_ASSERT(self->out != NULL);
    fputc('[', self->out);
}

/* Sends a statement with the JSON array that was written. */
static void s_send(projection_t *self, projection_state_t state, const char *statement)
{
    fputs("]", self->out);
    ZVT_ASSERT(fflush(self->out) == 0);
    ZVT_ASSERT(ftell(self->out) < TEXT_SIZE - 1);
    fclose(self->out);
    const char *parameters[] = {self->text};
    s_set_state(self, state);
    if (PQsendQueryParams(self->conn, statement, 1, NULL, parameters, NULL, NULL, 0) == 1)
        s_flush(self);
    else
        s_fail(self, "cannot send", PQerrorMessage(self->conn));
}

static void s_write_id(void *arg, uint32_t number, const zvt_position_row_t *row)
{
    projection_t *self = arg;
    char id[ZVT_ID_TEXT];
    (void)number;
    zvt_id_format(&row->position_id, id);
    fprintf(self->out, "%s\"%s\"", ftell(self->out) > 1 ? "," : "", id);
}

static void s_remove(projection_t *self)
{
    s_begin_text(self);
    portfolio_core_visit(self->core, s_write_id, self);
    s_send(self, PROJECTION_REMOVING, s_remove_strangers);
}

/* A flat position is worth nothing at any price, so quotes alone do not change its row. */
static bool s_has_changed(const written_t *written, const zvt_position_row_t *row)
{
    if (!written->known || written->seq != row->seq) return true;
    return row->quantity_e8 != 0 && written->market_price_e8 != row->market_price_e8;
}

static void s_write_row(void *arg, uint32_t number, const zvt_position_row_t *row)
{
    projection_t *self = arg;
    if (self->batch_count == PROJECTION_ROWS_MAX || !s_has_changed(&self->written[number], row)) return;
    if (self->batch_count > 0) fputc(',', self->out);
    zvt_json_record(self->out, ZVT_T_POSITION_ROW, row);
    self->batch_numbers[self->batch_count] = number;
    self->batch[self->batch_count++] = (written_t){.known = true, .market_price_e8 = row->market_price_e8, .seq = row->seq};
}

static void s_write(projection_t *self)
{
    self->batch_count = 0;
    s_begin_text(self);
    portfolio_core_visit(self->core, s_write_row, self);
    if (self->batch_count > 0)
        s_send(self, PROJECTION_WRITING, s_upsert);
    else
        fclose(self->out);
}

static void s_on_success(projection_t *self)
{
    if (self->state == PROJECTION_REMOVING) self->cleaned = true;
    for (uint32_t i = 0; self->state == PROJECTION_WRITING && i < self->batch_count; i++) {
        self->written[self->batch_numbers[i]] = self->batch[i];
        ZVT_COUNT("projection_rows");
    }
    bool more = self->state == PROJECTION_REMOVING || self->batch_count == PROJECTION_ROWS_MAX;
    self->backoff_ns = BACKOFF_MIN_NS;
    s_set_state(self, PROJECTION_IDLE);
    if (more) s_on_time(self);
}

/* Reads what has come: a result, then the end of the statement; or that the server has gone. */
static void s_receive(projection_t *self)
{
    if (PQconsumeInput(self->conn) == 0) {
        s_fail(self, "connection lost", PQerrorMessage(self->conn));
        return;
    }
    while (self->state != PROJECTION_IDLE && PQisBusy(self->conn) == 0) {
        PGresult *result = PQgetResult(self->conn);
        if (result == NULL) {
            s_on_success(self);
            return;
        }
        bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
        if (!done) s_fail(self, "statement refused", PQresultErrorMessage(result));
        PQclear(result);
        if (!done) return;
    }
}

/* ---- loop ---- */
static void s_on_io(void *arg)
{
    projection_t *self = arg;
    if (self->state == PROJECTION_CONNECTING) {
        s_go_on_connecting(self);
        return;
    }
    s_flush(self);
    if (self->conn != NULL) s_receive(self);
}

static void s_on_time(void *arg)
{
    projection_t *self = arg;
    int64_t waited_ns = zvt_loop_monotonic_ns(self->loop) - self->since_ns;
    switch (self->state) {
    case PROJECTION_STOPPED: break;
    case PROJECTION_WAITING:
        if (waited_ns >= self->backoff_ns) s_connect(self);
        break;
    case PROJECTION_IDLE:
        if (zvt_loop_monotonic_ns(self->loop) - self->synced_ns >= RESYNC_NS) s_resync(self);
        if (self->cleaned)
            s_write(self);
        else
            s_remove(self);
        break;
    case PROJECTION_CONNECTING:
    case PROJECTION_REMOVING:
    case PROJECTION_WRITING:
        if (waited_ns >= STUCK_NS) s_fail(self, "no answer", "the database did not answer for 10 s");
        break;
    }
}

projection_t *projection_new(zvt_loop_t *loop, const char *dsn, const portfolio_core_t *core)
{
    projection_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->dsn = dsn;
    self->core = core;
    self->fd = -1;
    self->backoff_ns = BACKOFF_MIN_NS;
    zvt_loop_every(loop, PROJECTION_PERIOD_MS * ZVT_MS_NS, s_on_time, self);
    return self;
}

void projection_destroy(projection_t **self)
{
    if (*self == NULL) return;
    if ((*self)->conn != NULL) s_close(*self);
    free(*self);
    *self = NULL;
}

void projection_start(projection_t *self)
{
    if (self->state == PROJECTION_STOPPED) s_connect(self);
}

bool projection_is_connected(const projection_t *self)
{
    return self->state >= PROJECTION_IDLE;
}
