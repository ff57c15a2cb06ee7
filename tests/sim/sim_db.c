#include "sim_db.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim_faults.h"
#include "sim_oracle.h"
#include "zvt_planted.h"

enum { ARENA_SIZE = 24 << 20, BATCH_EVENTS_MAX = TURN_BATCH_EVENTS_MAX, BATCH_BYTES_MAX = 1 << 20 };
/* How long an asynchronous commit stays in memory only (planted bug). */
#define ASYNC_WINDOW_NS (50 * ZVT_MS_NS)

/* One writer's connection, with the transaction under way. */
typedef struct {
    bool connected;
    sim_proc_t *proc;
    sim_db_writer_t writer;
    uint64_t transaction;     /* number of the one under way or the last; a higher one voids what was planned */
    bool under_way;
    bool durable;             /* its moment has passed */
    sim_commit_fate_t fate;
    turn_batch_t batch;
    zvt_event_t events[BATCH_EVENTS_MAX];
    uint8_t bytes[BATCH_BYTES_MAX];
} connection_t;

static struct {
    zvt_event_t events[SIM_DB_EVENTS_MAX]; /* seq n is at n - 1 */
    int64_t committed_ns[SIM_DB_EVENTS_MAX];
    uint64_t tip;
    uint8_t arena[ARENA_SIZE];
    size_t arena_used;
    uint64_t epoch;
    uint32_t holder;       /* slot of the writer that has the lease */
    int64_t heartbeat_ns;
    int64_t away_until_ns;
    connection_t connections[SIM_ORCHESTRATORS];
} s_db;

void sim_db_reset(void)
{
    s_db.tip = s_db.epoch = 0;
    s_db.holder = 0;
    s_db.arena_used = 0;
    s_db.away_until_ns = 0;
    for (uint32_t i = 0; i < SIM_ORCHESTRATORS; i++) s_db.connections[i].connected = s_db.connections[i].under_way = false;
}

bool sim_db_is_up(void)
{
    return s_db.away_until_ns <= sim.now_ns;
}

uint64_t sim_db_tip(void)
{
    return s_db.tip;
}

uint64_t sim_db_epoch(void)
{
    return s_db.epoch;
}

const zvt_event_t *sim_db_event(uint64_t seq)
{
    ZVT_ASSERT(seq >= 1 && seq <= s_db.tip);
    return &s_db.events[seq - 1];
}

bool sim_db_is_committing(uint32_t slot)
{
    return s_db.connections[slot].under_way;
}

uint32_t sim_db_holder(void)
{
    return s_db.holder;
}

int sim_db_look(lease_look_t *look)
{
    if (!sim_db_is_up()) return ZVT_ERR_IO;
    *look = (lease_look_t){.exists = s_db.epoch > 0, .epoch = s_db.epoch, .backend_lives = s_db.connections[s_db.holder].connected,
                           .heartbeat_us = s_db.heartbeat_ns / 1000};
    return 0;
}

int sim_db_beat(uint32_t slot, uint64_t epoch)
{
    if (!sim_db_is_up() || !s_db.connections[slot].connected) return ZVT_ERR_IO;
    if (epoch != s_db.epoch) return ZVT_ERR_STALE;
    s_db.heartbeat_ns = sim.now_ns;
    return 0;
}

int sim_db_take(uint32_t slot, sim_proc_t *proc, const lease_look_t *looked, const sim_db_writer_t *writer, uint64_t *epoch,
                uint64_t *last_seq)
{
    connection_t *connection = &s_db.connections[slot];
    sim_db_disconnect(slot);
    if (!sim_db_is_up()) return ZVT_ERR_IO;
    if (looked->epoch != s_db.epoch) return ZVT_ERR_STALE;
    /* Ending a connection takes effect when its server process gets to it, which may be after the next statement. */
    if (s_db.holder != slot && sim_below(4) == 0) sim_db_cut(s_db.holder);
    s_db.holder = slot;
    s_db.heartbeat_ns = sim.now_ns;
    connection->connected = true;
    connection->proc = proc;
    connection->writer = *writer;
    *epoch = ++s_db.epoch;
    *last_seq = s_db.tip;
    SIM_TRACE("* %s takes the lease: epoch %" PRIu64 ", last seq %" PRIu64, proc->name, s_db.epoch, s_db.tip);
    sim_fold_number(s_db.epoch);
    return 0;
}

/* ---- a transaction ---- */
static void s_store(const turn_batch_t *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const zvt_event_t *event = &batch->events[i];
        ZVT_ASSERT(s_db.tip < SIM_DB_EVENTS_MAX && s_db.arena_used + event->payload_length <= ARENA_SIZE);
        zvt_event_t *stored = &s_db.events[s_db.tip];
        *stored = *event;
        stored->payload = memcpy(s_db.arena + s_db.arena_used, event->payload, event->payload_length);
        s_db.arena_used += event->payload_length;
        s_db.committed_ns[s_db.tip++] = sim.now_ns;
        sim_fold(stored->payload, stored->payload_length);
    }
}

static void s_hear(connection_t *connection, bool committed, bool fenced, const char *reason)
{
    connection->under_way = false;
    if (committed) {
        connection->writer.committed(connection->writer.arg);
        return;
    }
    connection->connected = false;
    connection->writer.lost(connection->writer.arg, reason, fenced);
}

static void s_on_answer(void *arg, uint64_t transaction)
{
    connection_t *connection = arg;
    if (!connection->connected || !connection->under_way || transaction != connection->transaction) return;
    sim_proc_touch(connection->proc);
    if (connection->durable && connection->fate.heard)
        s_hear(connection, true, false, "");
    else
        s_hear(connection, false, false, "connection cut during COMMIT");
}

static void s_on_fenced(void *arg, uint64_t transaction)
{
    connection_t *connection = arg;
    if (!connection->connected || transaction != connection->transaction) return;
    SIM_COUNT("writers fenced by the log");
    sim_proc_touch(connection->proc);
    s_hear(connection, false, true, "another writer has taken the lease");
}

/* The moment that decides. */
static void s_on_durable(void *arg, uint64_t transaction)
{
    connection_t *connection = arg;
    if (!connection->under_way || transaction != connection->transaction) return;
    const turn_batch_t *batch = &connection->batch;
    if (batch->epoch != s_db.epoch) {
        connection->fate.commits = false;
        sim_at(connection->proc, sim.now_ns + connection->fate.after_ns, s_on_fenced, connection, transaction);
        return;
    }
    bool fresh = batch->first_seq == s_db.tip + 1;
    if (connection->fate.commits && batch->first_seq > s_db.tip + 1)
        sim_violation("the log has no gap", NULL, "a batch begins at seq %" PRIu64 " after %" PRIu64, batch->first_seq, s_db.tip);
    if (connection->fate.commits && fresh) {
        s_db.heartbeat_ns = sim.now_ns;
        s_store(batch);
        connection->durable = true;
        sim_oracle_on_commit(batch->first_seq, batch->last_seq);
    }
    if (connection->connected) sim_at(connection->proc, sim.now_ns + connection->fate.after_ns, s_on_answer, connection, transaction);
    else connection->under_way = false;
}

static void s_copy_batch(connection_t *connection, const turn_batch_t *batch)
{
    size_t used = 0;
    ZVT_ASSERT(batch->count <= BATCH_EVENTS_MAX);
    connection->batch = *batch;
    connection->batch.events = connection->events;
    for (uint32_t i = 0; i < batch->count; i++) {
        zvt_event_t *event = &connection->events[i];
        *event = batch->events[i];
        ZVT_ASSERT(used + event->payload_length <= BATCH_BYTES_MAX);
        event->payload = memcpy(connection->bytes + used, event->payload, event->payload_length);
        used += event->payload_length;
    }
}

void sim_db_append(uint32_t slot, const turn_batch_t *batch)
{
    connection_t *connection = &s_db.connections[slot];
    if (!connection->connected) return; /* its loss was told */
    ZVT_ASSERT(!connection->under_way);
    s_copy_batch(connection, batch);
    connection->under_way = true;
    connection->durable = false;
    connection->fate = sim_faults_commit();
    uint64_t transaction = ++connection->transaction;
    SIM_COUNT("commits");
    sim_at(NULL, sim.now_ns + connection->fate.before_ns, s_on_durable, connection, transaction);
}

/* A transaction whose client has gone may still be finished by the server. */
static void s_orphan(connection_t *connection)
{
    connection->connected = false;
    if (!connection->under_way || connection->durable || sim.closing) {
        connection->under_way = false;
        return;
    }
    if (sim_faults_orphan_commits()) {
        SIM_COUNT("orphaned transactions");
        return;
    }
    connection->under_way = false;
}

void sim_db_disconnect(uint32_t slot)
{
    s_orphan(&s_db.connections[slot]);
    /* The connection object serves the next one: what the server still does with the old must be over by then. */
    connection_t *connection = &s_db.connections[slot];
    if (connection->under_way) s_on_durable(connection, connection->transaction);
    connection->under_way = false;
    connection->transaction++;
}

/* ---- faults ---- */
static void s_on_lost(void *arg, uint64_t transaction)
{
    connection_t *connection = arg;
    if (!connection->connected || transaction != connection->transaction) return;
    sim_proc_touch(connection->proc);
    s_hear(connection, false, false, "server closed the connection");
}

static void s_cut(connection_t *connection)
{
    if (!connection->connected) return;
    connection->transaction++;
    connection->under_way = false;
    sim_at(connection->proc, sim.now_ns + SIM_US_NS, s_on_lost, connection, connection->transaction);
}

void sim_db_cut(uint32_t slot)
{
    connection_t *connection = &s_db.connections[slot];
    if (!connection->connected) return;
    SIM_TRACE("* the database connection of %s is cut", connection->proc->name);
    /* The server may have got to the end of the transaction before it noticed. */
    if (connection->under_way && !connection->durable && sim_faults_orphan_commits()) {
        SIM_COUNT("orphaned transactions");
        s_on_durable(connection, connection->transaction);
    }
    s_cut(connection);
}

static void s_drop_tail(void)
{
    uint64_t tip = s_db.tip;
    while (s_db.tip > 0 && s_db.committed_ns[s_db.tip - 1] > sim.now_ns - ASYNC_WINDOW_NS) s_db.tip--;
    if (s_db.tip == tip) return;
    SIM_TRACE("* the database forgets seq %" PRIu64 " to %" PRIu64, s_db.tip + 1, tip);
    sim_oracle_on_rewind(s_db.tip);
}

void sim_db_restart(int64_t away_ns)
{
    SIM_TRACE("* the database restarts and is away for %" PRId64 " ms", away_ns / ZVT_MS_NS);
    if (s_db.away_until_ns < sim.now_ns + away_ns) s_db.away_until_ns = sim.now_ns + away_ns;
    for (uint32_t i = 0; i < SIM_ORCHESTRATORS; i++) s_cut(&s_db.connections[i]);
    if (ZVT_PLANTED(ASYNC_COMMIT_DROPPED_TAIL)) s_drop_tail();
}

void sim_db_heal(void)
{
    s_db.away_until_ns = 0;
}
