#include "log_lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_codec.h"
#include "zvt_diag.h"
#include "zvt_planted.h"
#include "zvt_time.h"

#define CONNECT_LIMIT_NS (2 * ZVT_SECOND_NS)
#define STEP_LIMIT_NS (5 * ZVT_SECOND_NS) /* a disk may be slow to make the epoch durable */
#define RETRY_NS (100 * ZVT_MS_NS)
enum { NUMBER_TEXT = 24 };

struct log_lease {
    zvt_loop_t *loop;
    pg_session_t *session;
    uint32_t shard;
    char name[ZVT_NAME_SIZE];
    lease_core_t core;
    log_lease_handler_t handler;
    uint64_t seen_epoch;
    lease_look_t look;            /* the last one: what is taken is the epoch that it showed */
    char holder[ZVT_NAME_SIZE];   /* at the last look */
    log_lease_taken_t taken;      /* as far as it is known; its epoch is the last that was ours */
    int again_timer;              /* the next look, or the next connection */
};

static void s_connect(log_lease_t *self);
static void s_look(log_lease_t *self);

/* ---- asking ---- */
static void s_on_lost(void *arg, const char *problem)
{
    log_lease_t *self = arg;
    self->handler.on_trouble(self->handler.arg, problem);
    zvt_loop_arm(self->loop, self->again_timer, zvt_loop_monotonic_ns(self->loop) + RETRY_NS);
}

/* A step was refused: begin anew, with a new connection. */
static void s_refused(log_lease_t *self, const char *problem)
{
    pg_session_close(self->session);
    s_on_lost(self, problem);
}

/* Asks with up to four parameters; the list ends with NULL. */
static void s_ask(log_lease_t *self, const char *sql, const char *const *params, pg_session_answer_fn *on_answer)
{
    pg_question_t question = {.sql = sql, .params = params, .limit_ns = STEP_LIMIT_NS};
    while (params[question.params_count] != NULL) question.params_count++;
    pg_session_ask(self->session, &question, on_answer, self);
}

static const char *s_number(char text[NUMBER_TEXT], uint64_t number)
{
    snprintf(text, NUMBER_TEXT, "%" PRIu64, number);
    return text;
}

static uint64_t s_value(const PGresult *result, int column)
{
    return strtoull(PQgetvalue(result, 0, column), NULL, 10);
}

/* ---- taking: end the stopped holder, raise the epoch, read the log's end, make partitions ---- */
static void s_on_prepared(void *arg, const PGresult *result, const char *problem)
{
    log_lease_t *self = arg;
    if (result == NULL)
        s_refused(self, problem);
    else
        self->handler.on_taken(self->handler.arg, &self->taken);
}

static void s_prepare_partitions(log_lease_t *self)
{
    char seq[NUMBER_TEXT];
    s_ask(self, "SELECT zvt_ensure_partitions($1::bigint)", (const char *[]){s_number(seq, self->taken.last_seq), NULL}, s_on_prepared);
}

static bool s_read_hash(log_lease_t *self, const char *hex)
{
    bool fine = strlen(hex) == 2 * LOG_HASH_SIZE;
    for (size_t i = 0; i < LOG_HASH_SIZE && fine; i++) fine = sscanf(hex + 2 * i, "%2hhx", &self->taken.hash[i]) == 1;
    return fine;
}

static void s_on_end(void *arg, const PGresult *result, const char *problem)
{
    log_lease_t *self = arg;
    self->taken.last_seq = 0;
    memset(self->taken.hash, 0, sizeof self->taken.hash);
    if (result != NULL && PQntuples(result) == 1) {
        self->taken.last_seq = s_value(result, 0);
        if (!s_read_hash(self, PQgetvalue(result, 0, 1))) {
            result = NULL;
            problem = "the hash of the log's last batch is damaged";
        }
    }
    if (result == NULL)
        s_refused(self, problem);
    else
        s_prepare_partitions(self);
}

static void s_on_raised(void *arg, const PGresult *result, const char *problem)
{
    log_lease_t *self = arg;
    if (result == NULL) {
        s_refused(self, problem);
    } else if (PQntuples(result) == 0) {
        s_look(self); /* somebody was quicker */
    } else {
        self->taken.epoch = s_value(result, 0);
        s_ask(self, "SELECT last_seq, encode(hash, 'hex') FROM event_batches ORDER BY last_seq DESC LIMIT 1", (const char *[]){NULL},
              s_on_end);
    }
}

/* Only if the row is what the decision was made on. */
static void s_raise(log_lease_t *self)
{
    static const char sql[] =
        "INSERT INTO writer_lease AS held (shard, epoch, holder, backend_pid, backend_start) "
        "SELECT $1::int, $2::bigint + 1, $3, a.pid, a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid() "
        "ON CONFLICT (shard) DO UPDATE SET epoch = greatest(held.epoch + 1, excluded.epoch), holder = excluded.holder, "
        "backend_pid = excluded.backend_pid, backend_start = excluded.backend_start, taken_at = clock_timestamp(), "
        "heartbeat = clock_timestamp() WHERE held.epoch = $4::bigint RETURNING epoch";
    char shard[NUMBER_TEXT], seen[NUMBER_TEXT], looked[NUMBER_TEXT];
    self->taken.taken_ns = zvt_monotonic_ns();
    s_ask(self, sql, (const char *[]){s_number(shard, self->shard), s_number(seen, self->seen_epoch), self->name,
                                      s_number(looked, self->look.epoch), NULL}, s_on_raised);
}

static void s_on_ended(void *arg, const PGresult *result, const char *problem)
{
    log_lease_t *self = arg;
    if (result == NULL)
        s_refused(self, problem);
    else
        s_raise(self);
}

static void s_take(log_lease_t *self)
{
    char shard[NUMBER_TEXT], epoch[NUMBER_TEXT];
    if (!self->look.exists || !self->look.backend_lives) {
        s_raise(self);
        return;
    }
    zvt_warn("%s holds the lease with epoch %" PRIu64 " and shows no life; ending its connection", self->holder, self->look.epoch);
    s_ask(self, "SELECT zvt_end_writer($1::int, $2::bigint)",
          (const char *[]){s_number(shard, self->shard), s_number(epoch, self->look.epoch), NULL}, s_on_ended);
}

/* ---- looking ---- */
static void s_wait(log_lease_t *self)
{
    zvt_loop_arm(self->loop, self->again_timer, zvt_loop_monotonic_ns(self->loop) + lease_core_look_ns(&self->core));
    if (self->look.exists) self->handler.on_waiting(self->handler.arg, self->holder);
}

static void s_leave(log_lease_t *self)
{
    pg_session_close(self->session);
    self->handler.on_leave(self->handler.arg, self->holder);
}

static void s_on_looked(void *arg, const PGresult *result, const char *problem)
{
    log_lease_t *self = arg;
    if (result == NULL) {
        s_refused(self, problem);
        return;
    }
    self->look = (lease_look_t){.exists = PQntuples(result) == 1};
    self->holder[0] = '\0';
    if (self->look.exists) {
        self->look.epoch = s_value(result, 0);
        ZVT_STR_SET(self->holder, PQgetvalue(result, 0, 1));
        self->look.heartbeat_us = (int64_t)s_value(result, 2);
        self->look.backend_lives = PQgetvalue(result, 0, 3)[0] == 't';
    }
    switch (lease_core_on_look(&self->core, &self->look)) {
    case LEASE_WAIT: s_wait(self); break;
    case LEASE_TAKE: s_take(self); break;
    case LEASE_LEAVE: s_leave(self); break;
    }
}

static void s_look(log_lease_t *self)
{
    static const char sql[] =
        "SELECT l.epoch, l.holder, (extract(epoch FROM l.heartbeat) * 1000000)::bigint, "
        "EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = l.backend_pid AND a.backend_start = l.backend_start) "
        "FROM writer_lease l WHERE l.shard = $1::int";
    char shard[NUMBER_TEXT];
    s_ask(self, sql, (const char *[]){s_number(shard, self->shard), NULL}, s_on_looked);
}

/* ---- connecting ---- */
static void s_on_settings(void *arg, const PGresult *result, const char *problem)
{
    log_lease_t *self = arg;
    if (result == NULL)
        s_refused(self, problem);
    else
        s_look(self);
}

static void s_on_open(void *arg)
{
    log_lease_t *self = arg;
    s_ask(self, ZVT_PLANTED(ASYNC_COMMIT_DROPPED_TAIL) ? "SELECT set_config('synchronous_commit', 'off', false)"
                                                       : "SELECT set_config('synchronous_commit', 'on', false)", (const char *[]){NULL}, s_on_settings);
}

static void s_connect(log_lease_t *self)
{
    lease_core_begin(&self->core, self->taken.epoch);
    pg_session_open(self->session, CONNECT_LIMIT_NS, s_on_open, s_on_lost, self);
}

static void s_on_again(void *arg)
{
    log_lease_t *self = arg;
    if (pg_session_is_idle(self->session))
        s_look(self);
    else
        s_connect(self);
}

void log_lease_seek(log_lease_t *self, uint64_t seen_epoch)
{
    self->seen_epoch = seen_epoch;
    zvt_loop_arm(self->loop, self->again_timer, 0);
    s_connect(self);
}

/* ---- life ---- */
log_lease_t *log_lease_new(zvt_loop_t *loop, const char *dsn, uint32_t shard, const char *name, const lease_rules_t *rules,
                           const log_lease_handler_t *handler)
{
    log_lease_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->shard = shard;
    ZVT_STR_SET(self->name, name);
    self->handler = *handler;
    lease_core_init(&self->core, rules);
    self->session = pg_session_new(loop, dsn, name);
    self->again_timer = zvt_loop_timer(loop, s_on_again, self);
    return self;
}

void log_lease_destroy(log_lease_t **self)
{
    if (*self == NULL) return;
    pg_session_destroy(&(*self)->session);
    free(*self);
    *self = NULL;
}

pg_session_t *log_lease_session(log_lease_t *self)
{
    return self->session;
}
