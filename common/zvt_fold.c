#include "zvt_fold.h"

#include <inttypes.h>
#include <stdlib.h>

#include "zvt_follower.h"
#include "zvt_time.h"

#define EXPIRE_NS (100 * ZVT_MS_NS) /* how often waiting requests are looked at without a batch */

struct zvt_fold {
    zvt_service_t *service;
    zvt_fold_desc_t desc;
    void *state;
    zvt_follower_t *follower;
    zvt_type_set_t types;
    zvt_waitlist_t *waiting;
    zvt_snapshot_t snapshot;
    zvt_digests_t digests;
    bool broken; /* the state cannot follow the log any more; the process is about to end */
};

zvt_fold_t *zvt_fold_new(zvt_service_t *service, const zvt_fold_desc_t *desc)
{
    zvt_fold_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->service = service;
    self->desc = *desc;
    self->state = desc->fresh(desc->arg);
    self->types = zvt_type_set_of(desc->folds);
    zvt_type_set_add(&self->types, ZVT_T_SYSTEM_BARRIER);
    self->waiting = zvt_waitlist_new(desc->request_size, desc->requests_max, desc->patience_ns, desc->on_request, desc->arg);
    return self;
}

void zvt_fold_destroy(zvt_fold_t **self)
{
    if (*self == NULL) return;
    zvt_follower_destroy(&(*self)->follower);
    zvt_waitlist_destroy(&(*self)->waiting);
    (*self)->desc.destroy((*self)->state);
    free(*self);
    *self = NULL;
}

void *zvt_fold_state(const zvt_fold_t *self)
{
    return self->state;
}

uint64_t zvt_fold_applied(const zvt_fold_t *self)
{
    return self->follower == NULL ? 0 : zvt_follower_applied(self->follower);
}

uint32_t zvt_fold_waiting(const zvt_fold_t *self)
{
    return zvt_waitlist_count(self->waiting);
}

static int64_t s_now_ns(const zvt_fold_t *self)
{
    return zvt_loop_monotonic_ns(zvt_service_loop(self->service));
}

/* ---- requests ---- */
/* Works on what waits, as far as the log allows. */
static void s_release(zvt_fold_t *self)
{
    if (zvt_service_is_ready(self->service))
        zvt_waitlist_release(self->waiting, zvt_fold_applied(self), s_now_ns(self));
    else
        zvt_waitlist_expire(self->waiting, s_now_ns(self));
}

int zvt_fold_request(zvt_fold_t *self, uint64_t epoch, uint64_t min_seq, const void *request)
{
    if (self->broken) return 0;
    bool at_once = zvt_service_is_ready(self->service) && zvt_waitlist_count(self->waiting) == 0 && min_seq <= zvt_fold_applied(self);
    if (at_once) {
        self->desc.on_request(self->desc.arg, request, true);
        return 0;
    }
    int status = zvt_waitlist_add(self->waiting, epoch, min_seq, s_now_ns(self), request);
    if (status != 0) ZVT_COUNT("waiting_full");
    s_release(self); /* its epoch may be what those before it needed to know */
    return status;
}

static void s_on_time(void *arg)
{
    zvt_fold_t *self = arg;
    if (!self->broken) s_release(self);
}

/* ---- the log ---- */
static void s_on_event(void *arg, const zvt_event_t *event)
{
    zvt_fold_t *self = arg;
    if (self->broken || !zvt_snapshot_takes(&self->snapshot, event)) return;
    ZVT_COUNT("events_folded");
    int status = self->desc.fold(self->state, event);
    if (status != 0) {
        self->broken = true;
        zvt_error("event %" PRIu64 " (%s) cannot be folded: %s; %s stops", event->seq, zvt_type_name(event->type),
                  zvt_strerror(status), self->desc.name);
        zvt_service_exit(self->service, status == ZVT_ERR_FULL ? ZVT_EXIT_CONFIG : ZVT_EXIT_BUG);
        return;
    }
    if (event->type != ZVT_T_SYSTEM_BARRIER) return;
    zvt_digest_t digest = zvt_digest_of(event->seq, self->desc.dump, self->state);
    zvt_digests_add(&self->digests, &digest);
}

static void s_on_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    zvt_fold_t *self = arg;
    if (self->broken) return;
    if (zvt_snapshot_is_foreign(&self->snapshot, applied_seq, caught_up)) {
        self->broken = true;
        zvt_service_exit(self->service, ZVT_EXIT_TEMPORARY);
        return;
    }
    if (caught_up && !zvt_service_is_ready(self->service)) {
        zvt_service_ready(self->service);
        if (self->desc.on_ready != NULL) self->desc.on_ready(self->desc.arg);
    }
    s_release(self);
}

static void s_on_second(void *arg)
{
    zvt_fold_t *self = arg;
    if (!self->broken) zvt_snapshot_on_time(&self->snapshot, s_now_ns(self));
}

static bool s_on_control(void *arg, const char *command, const char *argument, FILE *body)
{
    const zvt_fold_t *self = arg;
    if (streq(command, "digest")) return zvt_digests_answer(&self->digests, argument, body);
    fprintf(body, "unknown command '%s'; there are stats, ping, log-level, digest", command);
    return false;
}

static zvt_snapshot_core_t s_snapshot_core(const zvt_fold_t *self, void *state)
{
    return (zvt_snapshot_core_t){.shard = (uint32_t)zvt_service_fleet(self->service)->shard, .state = state,
                                 .save = self->desc.save, .load = self->desc.load, .dump = self->desc.dump};
}

/* The state as of the last snapshot; a fresh core when there is none that can be used. */
static void s_load_snapshot(zvt_fold_t *self)
{
    zvt_snapshot_core_t core = s_snapshot_core(self, self->state);
    if (zvt_snapshot_open(&self->snapshot, &core, zvt_service_state_dir(self->service), zvt_service_name(self->service))) return;
    self->desc.destroy(self->state);
    self->snapshot.core.state = self->state = self->desc.fresh(self->desc.arg);
}

/* ---- a log that does not begin with event 1 ---- */
static void s_break(zvt_fold_t *self, int exit_code)
{
    self->broken = true;
    zvt_service_exit(self->service, exit_code);
}

/* The state is too old for the log, or there is none: the base takes its place. Who has answered requests already begins anew
 * instead, because others hold on to the core. */
static uint64_t s_on_base(void *arg, uint64_t base_seq, const void *data, size_t length)
{
    zvt_fold_t *self = arg;
    if (self->broken) return 0;
    if (zvt_service_is_ready(self->service)) {
        zvt_error("%s has fallen behind what the log still holds; it begins anew from the base of seq %" PRIu64, self->desc.name, base_seq);
        s_break(self, ZVT_EXIT_TEMPORARY);
        return 0;
    }
    self->desc.destroy(self->state);
    self->state = self->desc.fresh(self->desc.arg);
    zvt_snapshot_core_t core = s_snapshot_core(self, self->state);
    if (!zvt_snapshot_take(&self->snapshot, &core, data, length)) {
        s_break(self, ZVT_EXIT_CONFIG);
        return 0;
    }
    ZVT_COUNT("bases_loaded");
    zvt_info("earlier events are archived; going on from the base of seq %" PRIu64, base_seq);
    return zvt_snapshot_from_seq(&self->snapshot);
}

static void s_on_hole(void *arg, uint64_t first_seq)
{
    zvt_fold_t *self = arg;
    if (self->broken) return;
    zvt_error("the log begins with seq %" PRIu64 ", and there is no base of %s to go on from: its state cannot be made. Restore the table "
              "log_bases from a backup of the database, or put a snapshot that is not older into the state folder", first_seq, self->desc.name);
    s_break(self, ZVT_EXIT_CONFIG);
}

void zvt_fold_start(zvt_fold_t *self)
{
    zvt_loop_t *loop = zvt_service_loop(self->service);
    s_load_snapshot(self);
    self->follower = zvt_follower_new(loop, (uint32_t)zvt_service_fleet(self->service)->shard, zvt_snapshot_from_seq(&self->snapshot),
                                      zvt_service_identity(self->service), s_on_event, s_on_batch, self);
    zvt_follower_only(self->follower, &self->types);
    zvt_follower_want_base(self->follower, self->desc.name, 0, s_on_base);
    zvt_follower_on_hole(self->follower, s_on_hole);
    zvt_loop_every(loop, EXPIRE_NS, s_on_time, self);
    zvt_loop_every(loop, ZVT_SECOND_NS, s_on_second, self);
    zvt_service_on_control(self->service, s_on_control, self);
}

/* Whether the snapshot in `folder` makes the state that was folded, in a core of its own. */
static int s_prove_snapshot(const zvt_fold_t *self, const char *folder)
{
    zvt_snapshot_t snapshot;
    void *state = self->desc.fresh(self->desc.arg);
    zvt_snapshot_core_t core = s_snapshot_core(self, state);
    bool loaded = zvt_snapshot_open(&snapshot, &core, folder, self->desc.name) && snapshot.seq != 0;
    zvt_digest_t folded = zvt_digest_of(snapshot.seq, self->desc.dump, self->state), made = zvt_digest_of(snapshot.seq, self->desc.dump, state);
    self->desc.destroy(state);
    if (loaded && zvt_id_equal(&folded.digest, &made.digest)) return ZVT_EXIT_OK;
    zvt_error("the snapshot in %s does not make the state that was folded", folder);
    return ZVT_EXIT_BUG;
}

int zvt_fold_to(zvt_fold_t *self, const char *to_seq, bool print_text, const char *save_folder)
{
    zvt_refold_t refold = {.shard = (uint32_t)zvt_service_fleet(self->service)->shard, .identity = zvt_service_identity(self->service),
                           .types = &self->types, .fold = self->desc.fold, .dump = self->desc.dump, .state = self->state,
                           .process = self->desc.name, .save = self->desc.save, .load = self->desc.load, .save_folder = save_folder,
                           .print_text = print_text};
    int exit_code = zvt_refold(&refold, zvt_service_loop(self->service), to_seq);
    return exit_code == ZVT_EXIT_OK && save_folder != NULL ? s_prove_snapshot(self, save_folder) : exit_code;
}
