/* zvt-checkpointer: folds the log beside the orchestrator and stores the fold now and then, off the order path. */
#include <inttypes.h>

#include "checkpoint_pace.h"
#include "checkpoint_store.h"
#include "turn_core.h"
#include "zvt_follower.h"
#include "zvt_service.h"
#include "zvt_time.h"

/* Between two looks at the partitions. The index on sagas reads the rows that are new, and the first reader of a page sets hints in
 * it: soon after it was written that costs nothing, after the next Postgres checkpoint the whole page goes into WAL. */
enum { PREPARE_EVENTS = 50000 };
#define STORED_BEFORE_NS (28 * ZVT_SECOND_NS) /* so old counts the one that a start finds: what its run had not stored is stored soon */
#define WRITE_EVERY_NS (10 * ZVT_MS_NS) /* between two parts of a checkpoint */
#define READ_EVERY_NS (20 * ZVT_MS_NS) /* between two looks at what was committed: nobody waits for it */

typedef struct {
    zvt_service_t *service;
    zvt_loop_t *loop;
    turn_core_t *core;
    checkpoint_store_t *store;
    zvt_follower_t *follower;
    uint64_t saved_seq;
    uint64_t prepared_seq; /* partitions are made ahead of this */
    int64_t saved_ns; /* monotonic */
    size_t saved_bytes;
    uint64_t saving_seq; /* of the checkpoint that is being written .. */
    int64_t began_ns;    /* .. since then, monotonic */
    size_t saving_bytes;
    int write_timer;
} checkpointer_t;

/* The core only folds here: it asks nobody and sends nothing. */
static void s_no_commit(void *arg, const turn_batch_t *batch) { (void)arg; (void)batch; }
static void s_no_ask(void *arg, turn_service_t service, zvt_type_t type, const void *record)
{
    (void)arg;
    (void)service;
    (void)type;
    (void)record;
}
static void s_no_reply(void *arg, const turn_client_t *client, zvt_type_t type, const void *record)
{
    (void)arg;
    (void)client;
    (void)type;
    (void)record;
}
static void s_no_publish(void *arg, const char *topic, const void *data, size_t length)
{
    (void)arg;
    (void)topic;
    (void)data;
    (void)length;
}

static void s_on_event(void *arg, const zvt_event_t *event)
{
    checkpointer_t *self = arg;
    int status = turn_core_fold(self->core, event);
    ZVT_COUNT("events");
    if (status == 0) return;
    zvt_error("event %" PRIu64 " (%s) cannot be folded: %s; no further checkpoint is made", event->seq, zvt_type_name(event->type),
              zvt_strerror(status));
    zvt_service_exit(self->service, ZVT_EXIT_CONFIG);
}

static void s_on_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    checkpointer_t *self = arg;
    (void)applied_seq;
    if (caught_up) zvt_service_ready(self->service);
}

static void s_begin_save(checkpointer_t *self)
{
    self->began_ns = zvt_loop_monotonic_ns(self->loop);
    self->saving_seq = turn_core_folded_seq(self->core);
    self->saving_bytes = checkpoint_store_begin(self->store, self->core);
    zvt_loop_arm(self->loop, self->write_timer, self->began_ns);
}

static void s_on_write(void *arg)
{
    checkpointer_t *self = arg;
    char problem[256] = "";
    int status = checkpoint_store_write(self->store, problem);
    int64_t now_ns = zvt_loop_monotonic_ns(self->loop);
    if (status != 0) {
        if (zvt_diag_allowed()) zvt_warn("no checkpoint could be stored: %s; recovery will take longer until one can", problem);
        ZVT_COUNT("checkpoints_failed");
    } else if (checkpoint_store_is_writing(self->store)) {
        zvt_loop_arm(self->loop, self->write_timer, now_ns + WRITE_EVERY_NS);
    } else {
        self->saved_seq = self->saving_seq;
        self->saved_bytes = self->saving_bytes;
        self->saved_ns = now_ns;
        ZVT_COUNT("checkpoints");
        zvt_debug("checkpoint at seq %" PRIu64 ": %zu bytes in %.1f ms", self->saved_seq, self->saved_bytes,
                  (double)(now_ns - self->began_ns) / 1e6);
    }
}

/* The writer must never find that the next partition is missing. */
static void s_prepare(checkpointer_t *self)
{
    char problem[256] = "";
    uint64_t seq = turn_core_folded_seq(self->core);
    if (seq - self->prepared_seq < PREPARE_EVENTS) return;
    if (checkpoint_store_prepare(self->store, seq, problem) == 0)
        self->prepared_seq = seq;
    else if (zvt_diag_allowed())
        zvt_warn("the log's next partition could not be made: %s; it is tried again", problem);
}

static void s_on_time(void *arg)
{
    checkpointer_t *self = arg;
    if (checkpoint_store_is_writing(self->store)) return;
    s_prepare(self);
    uint64_t news = turn_core_folded_seq(self->core) - self->saved_seq;
    int64_t age_ns = zvt_loop_monotonic_ns(self->loop) - self->saved_ns;
    if (checkpoint_pace_is_due(news, self->saved_bytes, age_ns)) s_begin_save(self);
}

static void s_on_stats(void *arg, FILE *body)
{
    const checkpointer_t *self = arg;
    fprintf(body, ", \"seq\": %" PRIu64 ", \"checkpoint_seq\": %" PRIu64 ", \"checkpoint_bytes\": %zu",
            turn_core_folded_seq(self->core), self->saved_seq, self->saved_bytes);
}

/* What is folded is behind what the log still holds: the base takes its place. */
static void s_on_hole(void *arg, uint64_t first_seq)
{
    checkpointer_t *self = arg;
    char problem[256] = "there is none";
    turn_core_clear(self->core);
    int status = checkpoint_store_load_base(self->store, self->core, INT64_MAX, problem);
    if (status == 0 && turn_core_folded_seq(self->core) + 1 >= first_seq) {
        zvt_info("earlier events are archived; going on from the base of seq %" PRIu64, turn_core_folded_seq(self->core));
        zvt_follower_restart(self->follower, turn_core_folded_seq(self->core) + 1);
        return;
    }
    if (status == 0) snprintf(problem, sizeof problem, "it ends at seq %" PRIu64, turn_core_folded_seq(self->core));
    zvt_error("the log begins with seq %" PRIu64 ", and the base cannot be used: %s; no checkpoint is made until there is one", first_seq, problem);
    zvt_service_exit(self->service, status == ZVT_ERR_IO ? ZVT_EXIT_TEMPORARY : ZVT_EXIT_CONFIG);
}

/* Goes on from the newest checkpoint; without one it folds from the log's beginning. While the database is away it is
 * started again instead: folding the whole log would keep the replayer from those who need its tail. */
static void s_load(checkpointer_t *self)
{
    char problem[256] = "";
    int status = checkpoint_store_load(self->store, self->core, problem);
    if (status == ZVT_ERR_IO) {
        zvt_warn("the newest checkpoint cannot be read now: %s", problem);
        exit(ZVT_EXIT_TEMPORARY);
    }
    if (status != 0) zvt_info("no checkpoint; folding the log from its beginning");
    self->saved_seq = turn_core_folded_seq(self->core);
    self->saved_ns = zvt_monotonic_ns() - STORED_BEFORE_NS;
}

int main(int argc, char **argv)
{
    const char *dsn = getenv("DATABASE_URL");
    const zvt_option_t options[] = {
        {.name = "database", .argument = "DSN", .meaning = "libpq connection; default $DATABASE_URL", .value = &dsn}, {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-checkpointer", .summary = "Stores folds of the event log, for quick restarts.",
                                     .role = ZVT_ROLE_CHECKPOINTER, .name = "checkpointer", .options = options};
    checkpointer_t self = {.service = zvt_service_new(argc, argv, &desc)};
    if (dsn == NULL) {
        zvt_error("no database; set DATABASE_URL or --database");
        return ZVT_EXIT_CONFIG;
    }
    const turn_io_t io = {.commit = s_no_commit, .ask = s_no_ask, .reply = s_no_reply, .publish = s_no_publish};
    const zvt_fleet_t *fleet = zvt_service_fleet(self.service);
    self.loop = zvt_service_loop(self.service);
    self.core = turn_core_new(fleet, zvt_service_name(self.service), &io, 1);
    self.store = checkpoint_store_new(dsn, zvt_service_name(self.service));
    s_load(&self);
    self.follower = zvt_follower_new(self.loop, (uint32_t)fleet->shard, self.saved_seq + 1, zvt_service_identity(self.service),
                                     s_on_event, s_on_batch, &self);
    zvt_follower_on_hole(self.follower, s_on_hole);
    zvt_follower_read_every(self.follower, READ_EVERY_NS);
    zvt_loop_every(self.loop, ZVT_SECOND_NS, s_on_time, &self);
    self.write_timer = zvt_loop_timer(self.loop, s_on_write, &self);
    zvt_service_on_stats(self.service, s_on_stats, &self);
    int exit_code = zvt_service_run(self.service);
    zvt_follower_destroy(&self.follower);
    checkpoint_store_destroy(&self.store);
    turn_core_destroy(&self.core);
    zvt_service_destroy(&self.service);
    return exit_code;
}
