#include "log_recovery.h"

#include <inttypes.h>
#include <stdlib.h>

#include "checkpoint_store.h"
#include "log_reader.h"
#include "zvt_diag.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { CHUNK_EVENTS = 4000, NUMBER_TEXT = 24 };
#define CONNECT_LIMIT_NS (2 * ZVT_SECOND_NS)
#define STEP_LIMIT_NS (10 * ZVT_SECOND_NS) /* a checkpoint may be large, and the database busy */
#define RETRY_NS (100 * ZVT_MS_NS)

struct log_recovery {
    zvt_loop_t *loop;
    pg_session_t *session;
    turn_core_t *core;
    log_recovery_handler_t handler;
    bool running;
    bool checked;     /* the checkpoint has been looked for: events follow */
    uint64_t to_seq;
    int again_timer;
};

static void s_step(log_recovery_t *self);

bool log_recovery_is_idle(const log_recovery_t *self)
{
    return !self->running;
}

static void s_on_lost(void *arg, const char *problem)
{
    log_recovery_t *self = arg;
    if (!self->running) return; /* the next run connects anew */
    if (zvt_diag_allowed()) zvt_warn("the log cannot be read: %s; it is tried again", problem);
    ZVT_COUNT("log_reads_failed");
    zvt_loop_arm(self->loop, self->again_timer, zvt_loop_monotonic_ns(self->loop) + RETRY_NS);
}

static void s_on_again(void *arg)
{
    s_step(arg);
}

static void s_reached(log_recovery_t *self)
{
    self->running = false;
    if (self->to_seq != LOG_RECOVERY_ALL) pg_session_close(self->session); /* the last run for a long time */
    self->handler.on_reached(self->handler.arg, turn_core_folded_seq(self->core));
}

/* ---- events ---- */
static int s_on_event(void *arg, const zvt_event_t *event)
{
    return turn_core_fold(((log_recovery_t *)arg)->core, event);
}

static void s_on_chunk(void *arg, const PGresult *result, const char *refused)
{
    log_recovery_t *self = arg;
    char problem[PG_PROBLEM_SIZE] = "";
    if (result == NULL) {
        s_on_lost(self, refused);
        return;
    }
    bool fine = log_reader_deliver(result, s_on_event, self, problem) == 0;
    if (fine && PQntuples(result) == 0 && self->to_seq != LOG_RECOVERY_ALL) {
        snprintf(problem, sizeof problem, "there is nothing after seq %" PRIu64, turn_core_folded_seq(self->core));
        fine = false;
    }
    if (!fine) {
        self->running = false;
        self->handler.on_corrupt(self->handler.arg, problem);
        return;
    }
    bool end = self->to_seq == LOG_RECOVERY_ALL ? PQntuples(result) < CHUNK_EVENTS : turn_core_folded_seq(self->core) >= self->to_seq;
    if (end)
        s_reached(self);
    else
        s_step(self);
}

static void s_ask_chunk(log_recovery_t *self)
{
    static const char sql[] = "SELECT " LOG_READER_COLUMNS " FROM events WHERE seq BETWEEN $1::bigint AND $2::bigint ORDER BY seq";
    char from[NUMBER_TEXT], to[NUMBER_TEXT];
    uint64_t from_seq = turn_core_folded_seq(self->core) + 1, last_seq = from_seq + CHUNK_EVENTS - 1;
    snprintf(from, sizeof from, "%" PRIu64, from_seq);
    snprintf(to, sizeof to, "%" PRIu64, last_seq < self->to_seq ? last_seq : self->to_seq);
    pg_question_t question = {.sql = sql, .params_count = 2, .params = (const char *[]){from, to}, .binary = true,
                              .limit_ns = STEP_LIMIT_NS};
    pg_session_ask(self->session, &question, s_on_chunk, self);
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
    bool beyond = status == 0 && turn_core_folded_seq(self->core) > self->to_seq;
    if (beyond) snprintf(problem, sizeof problem, "the checkpoint is of another log");
    if (status != 0 || beyond) turn_core_clear(self->core);
    if (problem[0] != '\0') zvt_warn("%s; folding the whole log", problem);
    self->checked = true;
    s_step(self);
}

/* ---- steps ---- */
static void s_on_open(void *arg)
{
    s_step(arg);
}

/* Does what comes next, as far as the session allows. */
static void s_step(log_recovery_t *self)
{
    static const pg_question_t checkpoint = {.sql = CHECKPOINT_STORE_NEWEST, .binary = true, .limit_ns = STEP_LIMIT_NS};
    if (!self->running) return;
    if (self->checked && turn_core_folded_seq(self->core) >= self->to_seq)
        s_reached(self);
    else if (!pg_session_is_idle(self->session))
        pg_session_open(self->session, CONNECT_LIMIT_NS, s_on_open, s_on_lost, self);
    else if (!self->checked)
        pg_session_ask(self->session, &checkpoint, s_on_checkpoint, self);
    else
        s_ask_chunk(self);
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
    if (began) s_step(self);
}

void log_recovery_forget(log_recovery_t *self)
{
    zvt_loop_arm(self->loop, self->again_timer, 0);
    pg_session_close(self->session);
    turn_core_clear(self->core);
    self->running = self->checked = false;
}

log_recovery_t *log_recovery_new(zvt_loop_t *loop, const char *dsn, const char *application, turn_core_t *core,
                                 const log_recovery_handler_t *handler)
{
    log_recovery_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->core = core;
    self->handler = *handler;
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
