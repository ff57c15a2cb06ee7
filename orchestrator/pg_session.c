#include "pg_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "zvt_codec.h"

/* Where the session stands. */
typedef enum {
    SESSION_DOWN,
    SESSION_CONNECTING,
    SESSION_IDLE,
    SESSION_ASKING, /* a question is under way */
    SESSION_LENT    /* somebody else speaks to the connection */
} session_state_t;

struct pg_session {
    zvt_loop_t *loop;
    char dsn[1024];
    char application[ZVT_NAME_SIZE];
    PGconn *conn;
    int fd;                /* as registered with the loop, or -1; libpq may change it while it connects */
    bool writing;          /* the loop is asked to tell when it can be written to */
    session_state_t state;
    int limit_timer;
    const char *step;      /* what the limit is about, for messages */
    pg_session_open_fn *on_open;
    pg_session_lost_fn *on_lost;
    void *arg;
    pg_session_answer_fn *on_answer;
    void *answer_arg;
    PGresult *answer;      /* last result of the question under way */
    pg_session_ready_fn *on_ready; /* of the borrower */
    void *ready_arg;
};

void pg_session_note(char problem[PG_PROBLEM_SIZE], const char *message)
{
    size_t length = strcspn(message, "\n");
    snprintf(problem, PG_PROBLEM_SIZE, "%.*s", (int)(length < PG_PROBLEM_SIZE - 1 ? length : PG_PROBLEM_SIZE - 1), message);
}

/* ---- the descriptor ---- */
static void s_on_ready(void *arg);

static void s_unwatch(pg_session_t *self)
{
    if (self->fd >= 0) zvt_loop_remove_fd(self->loop, self->fd);
    self->fd = -1;
}

static void s_watch(pg_session_t *self, bool write)
{
    int fd = PQsocket(self->conn);
    s_unwatch(self);
    if (fd < 0) return; /* what is asked next fails and says why */
    self->fd = fd;
    zvt_loop_add_fd(self->loop, fd, s_on_ready, self);
    zvt_loop_watch_write(self->loop, fd, write);
    self->writing = write;
}

static void s_watch_write(pg_session_t *self, bool write)
{
    if (self->writing != write) zvt_loop_watch_write(self->loop, self->fd, write);
    self->writing = write;
}

static void s_limit(pg_session_t *self, const char *step, int64_t limit_ns)
{
    self->step = step;
    zvt_loop_arm(self->loop, self->limit_timer, limit_ns == 0 ? 0 : zvt_loop_monotonic_ns(self->loop) + limit_ns);
}

/* ---- life ---- */
void pg_session_close(pg_session_t *self)
{
    s_limit(self, "", 0);
    s_unwatch(self);
    PQclear(self->answer);
    self->answer = NULL;
    PQfinish(self->conn);
    self->conn = NULL;
    self->state = SESSION_DOWN;
}

static void s_lose(pg_session_t *self, const char *message)
{
    char problem[PG_PROBLEM_SIZE];
    pg_session_note(problem, message);
    pg_session_close(self);
    self->on_lost(self->arg, problem);
}

static void s_on_limit(void *arg)
{
    pg_session_t *self = arg;
    char problem[PG_PROBLEM_SIZE];
    bool broken = PQstatus(self->conn) == CONNECTION_BAD;
    if (!broken) snprintf(problem, sizeof problem, "the database does not answer (%s)", self->step);
    s_lose(self, broken ? PQerrorMessage(self->conn) : problem);
}

pg_session_t *pg_session_new(zvt_loop_t *loop, const char *dsn, const char *application)
{
    pg_session_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->fd = -1;
    snprintf(self->dsn, sizeof self->dsn, "%s", dsn);
    ZVT_STR_SET(self->application, application);
    self->limit_timer = zvt_loop_timer(loop, s_on_limit, self);
    return self;
}

void pg_session_destroy(pg_session_t **self)
{
    if (*self == NULL) return;
    pg_session_close(*self);
    free(*self);
    *self = NULL;
}

bool pg_session_is_idle(const pg_session_t *self)
{
    return self->state == SESSION_IDLE;
}

/* ---- connecting ---- */
static void s_on_connecting(pg_session_t *self)
{
    switch (PQconnectPoll(self->conn)) {
    case PGRES_POLLING_READING: s_watch(self, false); return;
    case PGRES_POLLING_WRITING: s_watch(self, true); return;
    case PGRES_POLLING_OK: break;
    default: s_lose(self, PQerrorMessage(self->conn)); return;
    }
    s_limit(self, "", 0);
    s_watch(self, false);
    if (PQsetnonblocking(self->conn, 1) != 0) {
        s_lose(self, PQerrorMessage(self->conn));
        return;
    }
    self->state = SESSION_IDLE;
    self->on_open(self->arg);
}

void pg_session_open(pg_session_t *self, int64_t limit_ns, pg_session_open_fn *on_open, pg_session_lost_fn *on_lost, void *arg)
{
    static const char *const keys[] = {"dbname", "application_name", "keepalives_idle", NULL};
    const char *values[] = {self->dsn, self->application, "2", NULL};
    pg_session_close(self);
    self->on_open = on_open;
    self->on_lost = on_lost;
    self->arg = arg;
    self->state = SESSION_CONNECTING;
    self->conn = PQconnectStartParams(keys, values, 1);
    ZVT_ASSERT(self->conn != NULL);
    /* One that has failed already has no descriptor to wait for: the caller hears of it in a round of its own. */
    bool broken = PQstatus(self->conn) == CONNECTION_BAD;
    s_limit(self, "connecting", broken ? 1 : limit_ns);
    if (!broken) s_watch(self, true);
}

/* ---- asking ---- */
void pg_session_ask(pg_session_t *self, const pg_question_t *question, pg_session_answer_fn *on_answer, void *arg)
{
    ZVT_ASSERT(self->state == SESSION_IDLE);
    self->on_answer = on_answer;
    self->answer_arg = arg;
    self->state = SESSION_ASKING;
    s_limit(self, "a statement", question->limit_ns);
    /* A failure is noticed by the descriptor, which is readable then, or by the limit. */
    if (PQsendQueryParams(self->conn, question->sql, question->params_count, NULL, question->params, NULL, NULL, question->binary) == 1)
        (void)!pg_session_flush(self);
    else
        s_limit(self, question->sql, 1);
}

static void s_on_answered(pg_session_t *self)
{
    char problem[PG_PROBLEM_SIZE] = "";
    PGresult *answer = self->answer;
    ExecStatusType status = PQresultStatus(answer);
    bool fine = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (!fine && PQstatus(self->conn) != CONNECTION_OK) {
        s_lose(self, PQerrorMessage(self->conn));
        return;
    }
    if (!fine) pg_session_note(problem, PQresultErrorMessage(answer));
    self->answer = NULL;
    self->state = SESSION_IDLE;
    s_limit(self, "", 0);
    self->on_answer(self->answer_arg, fine ? answer : NULL, problem);
    PQclear(answer);
}

static void s_on_asking(pg_session_t *self)
{
    while (!PQisBusy(self->conn)) {
        PGresult *result = PQgetResult(self->conn);
        if (result == NULL) {
            s_on_answered(self);
            return;
        }
        PQclear(self->answer);
        self->answer = result;
    }
}

static void s_on_ready(void *arg)
{
    pg_session_t *self = arg;
    if (self->state == SESSION_CONNECTING) {
        s_on_connecting(self);
        return;
    }
    if (self->state == SESSION_LENT) {
        self->on_ready(self->ready_arg);
        return;
    }
    if (PQconsumeInput(self->conn) != 1 || !pg_session_flush(self))
        s_lose(self, PQerrorMessage(self->conn));
    else if (self->state == SESSION_ASKING)
        s_on_asking(self);
}

bool pg_session_flush(pg_session_t *self)
{
    int left = PQflush(self->conn);
    s_watch_write(self, left > 0);
    return left >= 0;
}

bool pg_session_is_plain(const pg_session_t *self)
{
    return !PQsslInUse(self->conn) && !PQgssEncInUse(self->conn);
}

size_t pg_session_send(pg_session_t *self, const void *data, size_t length)
{
    size_t sent = 0;
    if (length == 0 || PQflush(self->conn) != 0) return 0;
    while (sent < length) {
        ssize_t count = send(self->fd, (const char *)data + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return length;
        if (count < 0) break;
        sent += (size_t)count;
    }
    s_watch_write(self, sent < length);
    return sent;
}

PGconn *pg_session_lend(pg_session_t *self, pg_session_ready_fn *on_ready, void *arg)
{
    ZVT_ASSERT(self->state == SESSION_IDLE);
    self->state = SESSION_LENT;
    self->on_ready = on_ready;
    self->ready_arg = arg;
    return self->conn;
}

void pg_session_take_back(pg_session_t *self)
{
    ZVT_ASSERT(self->state == SESSION_LENT && PQtransactionStatus(self->conn) == PQTRANS_IDLE);
    self->state = SESSION_IDLE;
}
