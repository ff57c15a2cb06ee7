#include "log_recovery.h"

#include <inttypes.h>
#include <stdlib.h>

#include "checkpoint_store.h"
#include "log_stream.h"
#include "zvt_diag.h"
#include "zvt_stats.h"
#include "zvt_time.h"

#define CONNECT_LIMIT_NS (2 * ZVT_SECOND_NS)
#define STEP_LIMIT_NS (10 * ZVT_SECOND_NS) /* a checkpoint may be large, and the database busy */
#define RETRY_NS (100 * ZVT_MS_NS)

/* Where the stream of events stands. */
typedef enum {
    STREAM_NONE,
    STREAM_BEGUN, /* the statement is sent */
    STREAM_ROWS,
    STREAM_OVER   /* the rows are through; whether it went well is awaited */
} stream_state_t;

struct log_recovery {
    zvt_loop_t *loop;
    pg_session_t *session;
    turn_core_t *core;
    log_recovery_handler_t handler;
    bool running;
    bool checked;     /* a checkpoint has been looked for: events follow */
    uint64_t checkpoint_seq; /* up to here; those beyond could not be read */
    bool holed;       /* the log begins too late for what the core held: the base is to be loaded */
    bool based;       /* the base is loaded; another hole would be for good */
    bool prepared;    /* the session has the settings for streams */
    stream_state_t stream;
    PGconn *conn;     /* the session's, while there is a stream */
    uint64_t stream_seq; /* where the stream ends */
    bool header_seen;
    uint64_t to_seq;
    bool told;        /* how long the first fold took has been told */
    int64_t began_ns, loaded_ns; /* the first fold began, had its checkpoint; monotonic */
    uint64_t loaded_seq;
    int again_timer;  /* the next attempt; while there is a stream: it has been silent for too long */
};

static void s_step(log_recovery_t *self);

bool log_recovery_is_idle(const log_recovery_t *self)
{
    return !self->running;
}

static void s_on_lost(void *arg, const char *problem)
{
    log_recovery_t *self = arg;
    self->stream = STREAM_NONE;
    if (!self->running) return; /* the next run connects anew */
    if (zvt_diag_allowed()) zvt_warn("the log cannot be read: %s; it is tried again", problem);
    ZVT_COUNT("log_reads_failed");
    zvt_loop_arm(self->loop, self->again_timer, zvt_loop_monotonic_ns(self->loop) + RETRY_NS);
}

/* The session is of no use any more; the problem may be told in memory of its connection. */
static void s_give_up(log_recovery_t *self, const char *problem)
{
    char kept[PG_PROBLEM_SIZE];
    pg_session_note(kept, problem);
    pg_session_close(self->session);
    s_on_lost(self, kept);
}

static void s_on_again(void *arg)
{
    log_recovery_t *self = arg;
    if (self->stream != STREAM_NONE)
        s_give_up(self, "the stream of events is silent");
    else
        s_step(self);
}

/* Tells where the time of the first fold went. */
static void s_tell(log_recovery_t *self)
{
    uint64_t seq = turn_core_folded_seq(self->core);
    zvt_info("folded: the checkpoint of seq %" PRIu64 " in %.0f ms, %" PRIu64 " events after it in %.0f ms", self->loaded_seq,
             (double)(self->loaded_ns - self->began_ns) / 1e6, seq - self->loaded_seq, (double)(zvt_monotonic_ns() - self->loaded_ns) / 1e6);
    self->told = true;
}

static void s_reached(log_recovery_t *self)
{
    if (!self->told) s_tell(self);
    self->running = self->based = false;
    if (self->to_seq != LOG_RECOVERY_ALL) pg_session_close(self->session); /* the last run for a long time */
    self->handler.on_reached(self->handler.arg, turn_core_folded_seq(self->core));
}

/* ---- events ---- */
static void s_corrupt(log_recovery_t *self, const char *problem)
{
    zvt_loop_arm(self->loop, self->again_timer, 0);
    pg_session_close(self->session);
    self->stream = STREAM_NONE;
    self->running = false;
    self->handler.on_corrupt(self->handler.arg, problem);
}

static void s_end_stream(log_recovery_t *self)
{
    char problem[PG_PROBLEM_SIZE];
    zvt_loop_arm(self->loop, self->again_timer, 0);
    pg_session_take_back(self->session);
    self->stream = STREAM_NONE;
    if (self->to_seq == LOG_RECOVERY_ALL || turn_core_folded_seq(self->core) >= self->to_seq) {
        s_reached(self);
        return;
    }
    if (self->stream_seq != self->to_seq) { /* the run has got a new end meanwhile */
        s_step(self);
        return;
    }
    snprintf(problem, sizeof problem, "there is nothing after seq %" PRIu64, turn_core_folded_seq(self->core));
    s_corrupt(self, problem);
}

/* The first event of the stream is not the one after what the core holds. A partition may also have left while the stream
 * began, so that this is told by the events themselves. */
static void s_on_hole(log_recovery_t *self, uint64_t first_seq)
{
    char problem[PG_PROBLEM_SIZE];
    if (self->based) {
        snprintf(problem, sizeof problem, "it begins with seq %" PRIu64 ", and the base of the orchestrator ends at seq %" PRIu64
                 "; restore the table log_bases from a backup of the database", first_seq, turn_core_folded_seq(self->core));
        s_corrupt(self, problem);
        return;
    }
    zvt_warn("the log begins with seq %" PRIu64 " (earlier events are archived), what is folded ends at seq %" PRIu64 "; going on from the base",
             first_seq, turn_core_folded_seq(self->core));
    pg_session_close(self->session);
    turn_core_clear(self->core);
    self->stream = STREAM_NONE;
    self->holed = true;
    zvt_loop_arm(self->loop, self->again_timer, 1);
}

/* Folds the event in a message of the stream; false when it cannot be, and the run is over. */
static bool s_fold_message(log_recovery_t *self, const char *message, size_t length)
{
    char problem[PG_PROBLEM_SIZE];
    log_row_t row;
    bool first = !self->header_seen;
    int found = log_rows_read(message, length, first, &row);
    self->header_seen = true;
    if (found == 0) return true;
    if (found > 0 && first && row.event.seq > turn_core_folded_seq(self->core) + 1) {
        s_on_hole(self, row.event.seq);
        return false;
    }
    int status = found < 0 ? found : zvt_read_metadata(row.metadata, row.metadata_length, &row.event.metadata);
    if (status == 0) status = turn_core_fold(self->core, &row.event);
    if (status == 0) return true;
    snprintf(problem, sizeof problem, "event after seq %" PRIu64 " (%s): %s", turn_core_folded_seq(self->core),
             found < 0 ? "unreadable" : zvt_type_name(row.event.type), zvt_strerror(status));
    s_corrupt(self, problem);
    return false;
}

/* Folds what has arrived. */
static void s_on_rows(log_recovery_t *self)
{
    char *message;
    int length;
    while ((length = PQgetCopyData(self->conn, &message, 1)) > 0) {
        bool folded = s_fold_message(self, message, (size_t)length);
        PQfreemem(message);
        if (!folded) return;
    }
    if (length == -1) self->stream = STREAM_OVER; /* or an error, which the result tells */
    if (length == -2) s_give_up(self, PQerrorMessage(self->conn));
}

/* Takes one result of the statement; NULL is its end. */
static void s_on_result(log_recovery_t *self, const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (result == NULL)
        s_end_stream(self);
    else if (status == PGRES_COPY_OUT)
        self->stream = STREAM_ROWS;
    else if (status != PGRES_COMMAND_OK)
        s_give_up(self, PQresultErrorMessage(result));
}

/* Takes what has arrived; false when there is nothing to take but rows to come. */
static bool s_advance(log_recovery_t *self)
{
    if (self->stream == STREAM_ROWS) {
        s_on_rows(self);
        return self->stream == STREAM_OVER;
    }
    if (PQisBusy(self->conn)) return false;
    PGresult *result = PQgetResult(self->conn);
    s_on_result(self, result);
    PQclear(result);
    return true;
}

static void s_on_stream(void *arg)
{
    log_recovery_t *self = arg;
    if (PQconsumeInput(self->conn) != 1 || !pg_session_flush(self->session)) {
        s_give_up(self, PQerrorMessage(self->conn));
        return;
    }
    zvt_loop_arm(self->loop, self->again_timer, zvt_loop_monotonic_ns(self->loop) + STEP_LIMIT_NS);
    while (self->stream != STREAM_NONE && s_advance(self)) {}
}

static void s_begin_stream(log_recovery_t *self)
{
    char sql[LOG_STREAM_SQL_SIZE];
    const zvt_type_set_t all = {0, 0};
    log_stream_format(sql, turn_core_folded_seq(self->core) + 1, self->to_seq, &all);
    self->stream_seq = self->to_seq;
    self->conn = pg_session_lend(self->session, s_on_stream, self);
    self->stream = STREAM_BEGUN;
    self->header_seen = false;
    /* A failure is noticed by the descriptor, which is readable then, or by the limit. */
    zvt_loop_arm(self->loop, self->again_timer, zvt_loop_monotonic_ns(self->loop) + STEP_LIMIT_NS);
    if (PQsendQuery(self->conn, sql) != 1 || !pg_session_flush(self->session)) zvt_loop_arm(self->loop, self->again_timer, 1);
}

static void s_on_prepared(void *arg, const PGresult *result, const char *refused)
{
    log_recovery_t *self = arg;
    self->prepared = result != NULL;
    if (self->prepared)
        s_step(self);
    else
        s_give_up(self, refused);
}

/* ---- the checkpoint ---- */
static void s_on_checkpoint(void *arg, const PGresult *result, const char *refused)
{
    log_recovery_t *self = arg;
    char problem[PG_PROBLEM_SIZE] = "";
    if (result == NULL) {
        s_on_lost(self, refused);
        return;
    }
    int status = checkpoint_store_take(result, self->core, problem);
    self->checked = status == 0 || status == ZVT_ERR_NOT_FOUND;
    if (!self->checked) {
        self->checkpoint_seq = checkpoint_store_seq(result) - 1;
        zvt_warn("%s (seq %" PRIu64 "); trying the one before", problem, self->checkpoint_seq + 1);
        turn_core_clear(self->core);
    } else if (status != 0 && self->checkpoint_seq != UINT64_MAX) {
        zvt_warn("no checkpoint can be read; folding the log from its beginning");
    }
    self->loaded_ns = zvt_monotonic_ns();
    self->loaded_seq = turn_core_folded_seq(self->core);
    s_step(self);
}

static void s_on_base(void *arg, const PGresult *result, const char *refused)
{
    log_recovery_t *self = arg;
    char problem[PG_PROBLEM_SIZE] = "there is none", text[PG_PROBLEM_SIZE];
    if (result == NULL) {
        s_on_lost(self, refused);
        return;
    }
    int status = checkpoint_store_take(result, self->core, problem);
    if (status == 0 && turn_core_folded_seq(self->core) > self->to_seq) {
        /* Somebody else has written since the lease was taken: the next look at it tells, or the fence. */
        turn_core_clear(self->core);
        s_give_up(self, "the log has gone on without this process");
        return;
    }
    if (status == 0) {
        self->based = true;
        self->holed = false;
        self->loaded_seq = turn_core_folded_seq(self->core);
        ZVT_COUNT("bases_loaded");
        s_step(self);
        return;
    }
    turn_core_clear(self->core);
    snprintf(text, sizeof text, "its first events are archived, no checkpoint reaches what is left, and the base cannot be loaded (%.80s); "
             "restore the table log_bases or checkpoints from a backup of the database", problem);
    s_corrupt(self, text);
}

/* ---- steps ---- */
static void s_on_open(void *arg)
{
    log_recovery_t *self = arg;
    self->prepared = false;
    s_step(self);
}

/* Does what comes next, as far as the session allows. */
static void s_step(log_recovery_t *self)
{
    char limit[24];
    const char *const limits[] = {limit};
    const pg_question_t checkpoint = {.sql = CHECKPOINT_STORE_NEWEST, .params_count = 1, .params = limits, .binary = true, .limit_ns = STEP_LIMIT_NS};
    static const pg_question_t base = {.sql = CHECKPOINT_STORE_BASE, .binary = true, .limit_ns = STEP_LIMIT_NS};
    static const pg_question_t prepare = {.sql = LOG_STREAM_PREPARE, .limit_ns = STEP_LIMIT_NS};
    if (!self->running || self->stream != STREAM_NONE) return;
    checkpoint_store_limit(self->checkpoint_seq < self->to_seq ? self->checkpoint_seq : self->to_seq, limit);
    if (self->checked && !self->holed && turn_core_folded_seq(self->core) >= self->to_seq)
        s_reached(self);
    else if (!pg_session_is_idle(self->session))
        pg_session_open(self->session, CONNECT_LIMIT_NS, s_on_open, s_on_lost, self);
    else if (!self->checked)
        pg_session_ask(self->session, &checkpoint, s_on_checkpoint, self);
    else if (self->holed)
        pg_session_ask(self->session, &base, s_on_base, self);
    else if (!self->prepared)
        pg_session_ask(self->session, &prepare, s_on_prepared, self);
    else
        s_begin_stream(self);
}

void log_recovery_run(log_recovery_t *self, uint64_t to_seq)
{
    bool began = !self->running;
    self->to_seq = to_seq;
    if (turn_core_folded_seq(self->core) > to_seq) {
        zvt_warn("this process has folded more than the log holds; it is another log, and is folded anew");
        log_recovery_forget(self);
        began = true;
    }
    self->running = true;
    if (began && !self->told) self->began_ns = zvt_monotonic_ns();
    if (began) s_step(self);
}

void log_recovery_forget(log_recovery_t *self)
{
    zvt_loop_arm(self->loop, self->again_timer, 0);
    pg_session_close(self->session);
    turn_core_clear(self->core);
    self->stream = STREAM_NONE;
    self->running = self->checked = self->holed = self->based = false;
    self->checkpoint_seq = UINT64_MAX;
}

log_recovery_t *log_recovery_new(zvt_loop_t *loop, const char *dsn, const char *application, turn_core_t *core,
                                 const log_recovery_handler_t *handler)
{
    log_recovery_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->core = core;
    self->handler = *handler;
    self->checkpoint_seq = UINT64_MAX;
    self->session = pg_session_new(loop, dsn, application);
    self->again_timer = zvt_loop_timer(loop, s_on_again, self);
    return self;
}

void log_recovery_destroy(log_recovery_t **self)
{
    if (*self == NULL) return;
    pg_session_destroy(&(*self)->session);
    free(*self);
    *self = NULL;
}
