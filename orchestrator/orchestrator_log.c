#include <inttypes.h>

#include "orchestrator.h"
#include "zvt_diag.h"
#include "zvt_time.h"

#define RETRY_NS (50 * ZVT_MS_NS)
#define RETRY_MAX_NS (400 * ZVT_MS_NS)
#define STAYS_NS ZVT_SECOND_NS /* a log that stayed open for so long may be taken again at once */

/* ---- the operator's halt ---- */
static void s_store_halt(orchestrator_t *self)
{
    self->halt_unstored = halt_file_store(self->halt_path, &self->halt) != 0;
    turn_core_note_halt_stored(self->core, !self->halt_unstored);
    if (self->halt_unstored && zvt_diag_allowed())
        zvt_error("cannot write %s: %s; the halt holds until this process ends, and it is tried again", self->halt_path, strerror(errno));
}

void orchestrator_log_latch_halt(orchestrator_t *self, const zvt_halt_request_t *request)
{
    if (!request->halt) return;
    ZVT_STR_SET(self->halt.requested_by, request->requested_by);
    ZVT_STR_SET(self->halt.reason, request->reason);
    self->resume_unstored = false;
    s_store_halt(self);
    if (self->state != LOG_OPEN) turn_core_latch_halt(self->core, request->requested_by, request->reason);
}

static void s_store_resume(orchestrator_t *self)
{
    self->resume_unstored = halt_file_store(self->halt_path, NULL) != 0;
    if (self->resume_unstored && zvt_diag_allowed())
        zvt_error("cannot write %s: %s; the next process to start halts again, and it is tried again", self->halt_path, strerror(errno));
}

void orchestrator_log_on_resumed(void *arg)
{
    orchestrator_t *self = arg;
    self->halt_unstored = false;
    turn_core_note_halt_stored(self->core, true);
    s_store_resume(self);
}

/* The halt in force that is not in the log, if there is one. The file is the fleet's, and the other orchestrator writes it as
 * well: it holds both ways, but for what the disk did not take from this process. */
static bool s_find_halt(const orchestrator_t *self, halt_file_halt_t *halt)
{
    *halt = self->halt;
    return self->halt_unstored || (!self->resume_unstored && halt_file_load(self->halt_path, halt));
}

static void s_load_halt(orchestrator_t *self)
{
    halt_file_halt_t halt;
    bool halted = s_find_halt(self, &halt);
    turn_core_latch_halt(self->core, halt.requested_by, halted ? halt.reason : NULL);
    if (halted) zvt_warn("halted by %s (%s); 'fleet resume' ends it", halt.requested_by, halt.reason);
}

/* An orchestrator that was stopped and goes on may still be told to halt before it finds out that it was replaced. */
static void s_follow_halt(orchestrator_t *self)
{
    turn_status_t status;
    halt_file_halt_t halt;
    turn_core_status(self->core, &status);
    bool halted = s_find_halt(self, &halt);
    if (self->state != LOG_OPEN)
        turn_core_latch_halt(self->core, halt.requested_by, halted ? halt.reason : NULL);
    else if (halted && !status.halted)
        s_load_halt(self);
}

void orchestrator_log_on_second(orchestrator_t *self)
{
    if (self->halt_unstored) s_store_halt(self);
    if (self->resume_unstored) s_store_resume(self);
    if (self->has_standby) s_follow_halt(self);
}

/* ---- losing the log ---- */
/* The supervisor starts it again: the next run has fresh sockets, and takes the lease or waits for it. */
static void s_leave(orchestrator_t *self, const char *holder, const char *what)
{
    zvt_error("%s has %s of shard %" PRId64 "; leaving", holder, what, zvt_service_fleet(self->service)->shard);
    zvt_service_exit(self->service, ZVT_EXIT_TEMPORARY);
}

void orchestrator_log_check_endpoints(orchestrator_t *self)
{
    if (!orchestrator_sockets_are_ours(self)) s_leave(self, "another orchestrator", "the endpoints");
}

/* What was worked on is forgotten, because the outcome of the last commit may not be known. A core that only folded keeps what
 * it has: that is in the log in any case. */
static void s_forget(orchestrator_t *self)
{
    if (self->state != LOG_OPEN) return;
    turn_core_abandon(self->core);
    log_recovery_forget(self->recovery);
    s_load_halt(self);
}

static void s_on_lost(void *arg, const char *reason, bool fenced)
{
    orchestrator_t *self = arg;
    zvt_error("the event log is lost: %s", reason);
    turn_core_note_log(self->core, reason);
    ZVT_COUNT("log_lost");
    self->lost_ns = zvt_loop_monotonic_ns(self->loop);
    s_forget(self);
    self->state = LOG_AWAY;
    if (fenced) {
        s_leave(self, "another orchestrator", "the lease");
        return;
    }
    bool stayed = self->opened_ns != 0 && self->lost_ns - self->opened_ns > STAYS_NS;
    self->retry_ns = stayed || self->retry_ns == 0 ? 1 : self->retry_ns < RETRY_NS ? RETRY_NS : 2 * self->retry_ns;
    if (self->retry_ns > RETRY_MAX_NS) self->retry_ns = RETRY_MAX_NS;
    zvt_loop_arm(self->loop, self->retry_timer, self->lost_ns + self->retry_ns);
}

void orchestrator_log_check(orchestrator_t *self)
{
    bool written = self->state == LOG_OPEN || self->state == LOG_FOLDING;
    if (!written || log_writer_holds(self->writer, zvt_loop_monotonic_ns(self->loop))) return;
    log_writer_stop(self->writer);
    s_on_lost(self, "the database, or this process, was silent for so long that another may have taken over", false);
}

/* The database is older than the memory of executor and gateways (it was restored, or made anew). They would refuse every
 * order, so the lease is taken again above what they saw. */
void orchestrator_log_note_epoch(orchestrator_t *self, uint64_t epoch)
{
    if (epoch > INT64_MAX / 2) return;
    if (epoch > self->seen_epoch) self->seen_epoch = epoch;
    /* One that was heard while the lease was being taken counts when its next hello comes. */
    if (self->state != LOG_OPEN || epoch <= self->epoch) return;
    zvt_warn("executor or gateways know epoch %" PRIu64 ", this log only %" PRIu64 "; taking the lease again above it", epoch,
             self->epoch);
    log_writer_stop(self->writer);
    s_on_lost(self, "a higher epoch was seen", false);
}

/* ---- the lease ---- */
static void s_on_retry(void *arg)
{
    orchestrator_t *self = arg;
    if (self->state == LOG_AWAY) log_lease_seek(self->lease, self->seen_epoch);
}

static void s_on_trouble(void *arg, const char *problem)
{
    orchestrator_t *self = arg;
    self->state = LOG_AWAY;
    turn_core_note_log(self->core, problem);
    if (zvt_diag_allowed()) zvt_warn("the event log cannot be written yet: %s", problem);
}

static void s_on_taken(void *arg, const log_lease_taken_t *taken)
{
    orchestrator_t *self = arg;
    zvt_info("lease taken: epoch %" PRIu64 ", last seq %" PRIu64, taken->epoch, taken->last_seq);
    if (self->state == LOG_WAITING) self->lost_ns = zvt_loop_monotonic_ns(self->loop);
    self->epoch = taken->epoch;
    self->last_seq = taken->last_seq;
    self->state = LOG_FOLDING;
    turn_core_note_log(self->core, "");
    log_writer_begin(self->writer, log_lease_session(self->lease), taken);
    s_load_halt(self);
    log_recovery_run(self->recovery, self->last_seq);
}

/* Somebody else works: what it writes is folded, so that little is left to do when it is gone. */
static void s_on_waiting(void *arg, const char *holder)
{
    orchestrator_t *self = arg;
    if (self->state != LOG_WAITING) zvt_info("%s has the lease; waiting", holder);
    self->state = LOG_WAITING;
    if (self->has_standby && log_recovery_is_idle(self->recovery)) log_recovery_run(self->recovery, LOG_RECOVERY_ALL);
}

static void s_on_leave(void *arg, const char *holder)
{
    s_leave(arg, holder, "the lease");
}

/* ---- recovery ---- */
static void s_open(orchestrator_t *self, uint64_t seq)
{
    self->state = LOG_OPEN;
    self->opened_ns = zvt_loop_monotonic_ns(self->loop);
    self->identity.epoch = self->epoch;
    orchestrator_sockets_open(self, self->has_standby);
    orchestrator_begin(self);
    turn_core_open(self->core, self->epoch, zvt_monotonic_ns() - self->lost_ns);
    orchestrator_sockets_hello(self);
    zvt_info("open: epoch %" PRIu64 ", state as of seq %" PRIu64 " after %.0f ms", self->epoch, seq,
             (double)(zvt_monotonic_ns() - self->lost_ns) / 1e6);
    zvt_service_ready(self->service);
}

static void s_on_reached(void *arg, uint64_t seq)
{
    orchestrator_t *self = arg;
    bool taken = self->state == LOG_FOLDING;
    orchestrator_log_check(self); /* it may have been stopped while it folded: then the endpoints are not its to take any more */
    if (self->state == LOG_FOLDING)
        s_open(self, seq);
    else if (!taken)
        zvt_service_ready(self->service); /* a standby that is warm */
}

static void s_on_corrupt(void *arg, const char *problem)
{
    orchestrator_t *self = arg;
    zvt_error("the event log cannot be folded: %s; look at it with 'fleet psql', nothing is traded meanwhile", problem);
    zvt_service_exit(self->service, ZVT_EXIT_CONFIG);
}

/* ---- commits ---- */
void orchestrator_log_commit(void *arg, const turn_batch_t *batch)
{
    log_writer_append(((orchestrator_t *)arg)->writer, batch);
}

void orchestrator_log_gather(void *arg, const turn_batch_t *batch)
{
    log_writer_gather(((orchestrator_t *)arg)->writer, batch);
}

static void s_on_committed(void *arg)
{
    orchestrator_t *self = arg;
    orchestrator_begin(self);
    if (self->state != LOG_OPEN) return; /* the core was voided meanwhile and will read what was committed */
    turn_core_on_commit(self->core);
}

/* ---- life ---- */
void orchestrator_log_init(orchestrator_t *self, const char *dsn)
{
    const zvt_fleet_t *fleet = zvt_service_fleet(self->service);
    const char *name = zvt_service_name(self->service);
    lease_rules_t rules = lease_core_rules(self->has_standby, self->second, fleet->takeover_ms);
    log_lease_handler_t lease = {.on_taken = s_on_taken, .on_waiting = s_on_waiting, .on_leave = s_on_leave,
                                 .on_trouble = s_on_trouble, .arg = self};
    log_recovery_handler_t recovery = {.on_reached = s_on_reached, .on_corrupt = s_on_corrupt, .arg = self};
    snprintf(self->halt_path, sizeof self->halt_path, "%s/orchestrator.halt", zvt_service_state_dir(self->service));
    if (halt_file_prepare(self->halt_path) != 0)
        zvt_warn("cannot make %s: %s; a halt would not outlive this process", self->halt_path, strerror(errno));
    s_load_halt(self);
    self->lease = log_lease_new(self->loop, dsn, (uint32_t)fleet->shard, name, &rules, &lease);
    self->writer = log_writer_new(self->loop, (uint32_t)fleet->shard, &rules, s_on_committed, s_on_lost, self);
    self->recovery = log_recovery_new(self->loop, dsn, name, self->core, &recovery);
    self->retry_timer = zvt_loop_timer(self->loop, s_on_retry, self);
    zvt_loop_arm(self->loop, self->retry_timer, zvt_loop_monotonic_ns(self->loop) + 1);
}

void orchestrator_log_destroy(orchestrator_t *self)
{
    log_writer_destroy(&self->writer);
    log_recovery_destroy(&self->recovery);
    log_lease_destroy(&self->lease);
}
