/* zvt-fill: appends orders that never were to the log of a fleet whose orchestrator is stopped.
 *
 * It writes with the orchestrator's own log writer: lease, fence, COPY BINARY, hash chain and all, so that the log is one
 * that the orchestrator could have written. The last event is a barrier, whose seq is printed.
 * stdout   one JSON object. */
#include <inttypes.h>
#include <libpq-fe.h>

#include "fill_core.h"
#include "log_writer.h"
#include "zvt_service.h"
#include "zvt_time.h"

enum { BATCH_ORDERS = TURN_BATCH_EVENTS_MAX / FILL_EVENTS_PER_ORDER, BUF_BYTES = TURN_BATCH_EVENTS_MAX * 512 };
#define PARTITION_AHEAD 1000000 /* events */

typedef struct {
    zvt_service_t *service;
    fill_core_t *core;
    log_lease_t *lease;
    log_writer_t *writer;
    PGconn *conn;
    uint32_t strategies, symbols;  /* as asked for */
    uint64_t events_wanted;
    uint64_t epoch, seq, first_seq, target_seq, ensured_seq;
    zvt_id_t system_id, system_cause;
    uint32_t system_version;
    zvt_buf_t buf;
    zvt_event_t events[TURN_BATCH_EVENTS_MAX];
    turn_batch_t batch;     /* made while the one before commits */
    bool over, failed;
    int64_t started_ns;
} fill_t;

static void s_fail(fill_t *self, const char *reason)
{
    zvt_error("%s", reason);
    self->failed = true;
    zvt_service_exit(self->service, ZVT_EXIT_FAILED);
}

/* Partitions are made by the checkpointer in a fleet; here nobody else does. */
static bool s_ensure_partitions(fill_t *self)
{
    char sql[96];
    if (self->seq + PARTITION_AHEAD / 2 < self->ensured_seq) return true;
    self->ensured_seq = self->seq + PARTITION_AHEAD;
    snprintf(sql, sizeof sql, "SELECT zvt_ensure_partitions(%" PRIu64 ")", self->ensured_seq);
    PGresult *result = PQexec(self->conn, sql);
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    if (!ok) s_fail(self, PQerrorMessage(self->conn));
    return ok;
}

static void s_make_barrier(fill_t *self)
{
    zvt_event_t *event = &self->events[self->batch.count++];
    ZVT_ASSERT(fill_core_barrier(self->core, &self->system_id, &self->system_cause, self->system_version + 1, zvt_utc_ns(), &self->buf,
                                 event) == 0);
    event->seq = ++self->seq;
    self->over = true;
}

/* The next batch of whole orders; the last one ends with the barrier. */
static void s_make_batch(fill_t *self)
{
    int64_t utc_ns = zvt_utc_ns();
    self->buf.length = 0;
    self->batch = (turn_batch_t){.epoch = self->epoch, .first_seq = self->seq + 1, .events = self->events};
    for (int n = 0; n < BATCH_ORDERS && self->seq < self->target_seq; n++) {
        zvt_event_t *events = &self->events[self->batch.count];
        ZVT_ASSERT(fill_core_next(self->core, utc_ns, &self->buf, events) == 0);
        for (int i = 0; i < FILL_EVENTS_PER_ORDER; i++) events[i].seq = ++self->seq;
        self->batch.count += FILL_EVENTS_PER_ORDER;
    }
    if (self->seq >= self->target_seq && self->batch.count < TURN_BATCH_EVENTS_MAX) s_make_barrier(self);
    self->batch.last_seq = self->seq;
}

static void s_append(fill_t *self)
{
    if (!s_ensure_partitions(self)) return;
    log_writer_append(self->writer, &self->batch); /* copies the rows */
    self->batch.count = 0;
    if (!self->over) s_make_batch(self);
}

static void s_on_committed(void *arg)
{
    fill_t *self = arg;
    if (self->batch.count > 0)
        s_append(self);
    else
        zvt_service_exit(self->service, ZVT_EXIT_OK);
}

static void s_on_lost(void *arg, const char *reason, bool fenced)
{
    (void)fenced;
    s_fail(arg, reason);
}

static void s_on_second(void *arg)
{
    const fill_t *self = arg;
    fprintf(stderr, "progress %" PRIu64 " %" PRIu64 "\n", self->seq - self->first_seq, self->target_seq - self->first_seq);
}

/* The system's last event, which the barrier follows. */
static bool s_read_system(fill_t *self)
{
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT aggregate_id, event_id, aggregate_version FROM events WHERE type IN (%d, %d, %d) ORDER BY seq DESC LIMIT 1",
             ZVT_T_SYSTEM_STARTED, ZVT_T_SYSTEM_RECOVERED, ZVT_T_SYSTEM_BARRIER);
    PGresult *result = PQexec(self->conn, sql);
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
              zvt_id_parse(PQgetvalue(result, 0, 0), &self->system_id) == 0 && zvt_id_parse(PQgetvalue(result, 0, 1), &self->system_cause) == 0;
    if (ok) self->system_version = (uint32_t)strtoul(PQgetvalue(result, 0, 2), NULL, 10);
    PQclear(result);
    return ok;
}

/* ---- the lease ---- */
static void s_on_taken(void *arg, const log_lease_taken_t *taken)
{
    fill_t *self = arg;
    log_writer_begin(self->writer, log_lease_session(self->lease), taken);
    self->epoch = taken->epoch;
    self->seq = self->first_seq = taken->last_seq;
    self->target_seq = self->seq + self->events_wanted;
    self->core = fill_core_new(zvt_service_fleet(self->service), self->strategies, self->symbols, (uint64_t)zvt_utc_ns(), taken->epoch);
    self->started_ns = zvt_monotonic_ns();
    s_make_batch(self);
    s_append(self);
}

static void s_on_waiting(void *arg, const char *holder)
{
    (void)arg;
    (void)holder;
}

static void s_on_leave(void *arg, const char *holder)
{
    char reason[128];
    snprintf(reason, sizeof reason, "%s has the lease and is alive; stop it first", holder);
    s_fail(arg, reason);
}

static void s_on_trouble(void *arg, const char *problem)
{
    s_fail(arg, problem);
}

static void s_take_lease(fill_t *self, const char *dsn)
{
    const zvt_fleet_t *fleet = zvt_service_fleet(self->service);
    const lease_rules_t rules = lease_core_rules(false, false, fleet->takeover_ms);
    const log_lease_handler_t handler = {.on_taken = s_on_taken, .on_waiting = s_on_waiting, .on_leave = s_on_leave,
                                         .on_trouble = s_on_trouble, .arg = self};
    zvt_loop_t *loop = zvt_service_loop(self->service);
    self->lease = log_lease_new(loop, dsn, (uint32_t)fleet->shard, "zvt-fill", &rules, &handler);
    self->writer = log_writer_new(loop, (uint32_t)fleet->shard, &rules, s_on_committed, s_on_lost, self);
    log_lease_seek(self->lease, 0);
}

static int s_run(fill_t *self, const char *dsn)
{
    self->conn = PQconnectdb(dsn);
    if (PQstatus(self->conn) != CONNECTION_OK || !s_read_system(self)) {
        zvt_error("cannot read the log: %s", PQerrorMessage(self->conn)[0] != '\0' ? PQerrorMessage(self->conn) : "no fleet has begun it");
        return ZVT_EXIT_FAILED;
    }
    self->buf = zvt_buf_new(BUF_BYTES);
    zvt_loop_every(zvt_service_loop(self->service), ZVT_SECOND_NS, s_on_second, self);
    s_take_lease(self, dsn);
    int exit_code = zvt_service_run(self->service);
    double seconds = (double)(zvt_monotonic_ns() - self->started_ns) / 1e9;
    if (!self->failed)
        printf("{\"first_seq\": %" PRIu64 ", \"barrier_seq\": %" PRIu64 ", \"rows_per_s\": %.1f}\n", self->first_seq + 1, self->seq,
               (double)(self->seq - self->first_seq) / seconds);
    return self->failed ? ZVT_EXIT_FAILED : exit_code;
}

int main(int argc, char **argv)
{
    static fill_t self;
    const char *dsn = getenv("DATABASE_URL"), *events = "1000000", *strategies = "100", *symbols = "1";
    const zvt_option_t options[] = {
        {.name = "database", .argument = "DSN", .meaning = "libpq connection; default $DATABASE_URL", .value = &dsn},
        {.name = "events", .argument = "N", .meaning = "how many, at least; default 1000000", .value = &events},
        {.name = "strategies", .argument = "N", .meaning = "of so many strategies; default 100", .value = &strategies},
        {.name = "symbols", .argument = "N", .meaning = "in the fleet's first N instruments; default 1", .value = &symbols},
        {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-fill", .summary = "Appends orders that never were to a log.",
                                     .role = ZVT_ROLE_ORCHESTRATOR, .name = "fill", .options = options};
    self.service = zvt_service_new(argc, argv, &desc);
    uint32_t strategies_count = (uint32_t)strtoul(strategies, NULL, 10), symbols_count = (uint32_t)strtoul(symbols, NULL, 10);
    uint64_t events_count = strtoull(events, NULL, 10);
    if (dsn == NULL || events_count == 0 || strategies_count == 0 || strategies_count > FILL_STRATEGIES_MAX || symbols_count == 0) {
        zvt_error("a database, and positive --events, --symbols and --strategies (at most %d) are needed", FILL_STRATEGIES_MAX);
        return ZVT_EXIT_CONFIG;
    }
    self.events_wanted = events_count;
    self.strategies = strategies_count;
    self.symbols = symbols_count;
    int exit_code = s_run(&self, dsn);
    log_writer_destroy(&self.writer);
    log_lease_destroy(&self.lease);
    fill_core_destroy(&self.core);
    zvt_buf_destroy(&self.buf);
    PQfinish(self.conn);
    zvt_service_destroy(&self.service);
    return exit_code;
}
