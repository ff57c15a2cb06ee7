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

/* The state as of the last snapshot; a fresh core when there is none that can be used. */
static void s_load_snapshot(zvt_fold_t *self)
{
    zvt_snapshot_core_t core = {.shard = (uint32_t)zvt_service_fleet(self->service)->shard, .state = self->state,
                                .save = self->desc.save, .load = self->desc.load, .dump = self->desc.dump};
    if (zvt_snapshot_open(&self->snapshot, &core, zvt_service_state_dir(self->service), zvt_service_name(self->service))) return;
    self->desc.destroy(self->state);
    self->snapshot.core.state = self->state = self->desc.fresh(self->desc.arg);
}

void zvt_fold_start(zvt_fold_t *self)
{
    zvt_loop_t *loop = zvt_service_loop(self->service);
    s_load_snapshot(self);
    self->follower = zvt_follower_new(loop, (uint32_t)zvt_service_fleet(self->service)->shard, zvt_snapshot_from_seq(&self->snapshot),
                                      zvt_service_identity(self->service), s_on_event, s_on_batch, self);
    zvt_follower_only(self->follower, &self->types);
    zvt_loop_every(loop, EXPIRE_NS, s_on_time, self);
    zvt_loop_every(loop, ZVT_SECOND_NS, s_on_second, self);
    zvt_service_on_control(self->service, s_on_control, self);
}

int zvt_fold_to(zvt_fold_t *self, const char *to_seq, bool print_text)
{
    zvt_refold_t refold = {.shard = (uint32_t)zvt_service_fleet(self->service)->shard, .identity = zvt_service_identity(self->service),
                           .types = &self->types, .fold = self->desc.fold, .dump = self->desc.dump, .state = self->state, .print_text = print_text};
    return zvt_refold(&refold, zvt_service_loop(self->service), to_seq);
}
