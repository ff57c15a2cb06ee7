#include "zvt_verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "zvt_diag.h"
#include "zvt_follower.h"
#include "zvt_time.h"

/* ---- the fold that they are held against ---- */
typedef struct {
    const zvt_refold_t *what;
    zvt_loop_t *loop;
    zvt_follower_t *follower;
    zvt_snapshot_t snapshot; /* the base, if the fold goes on from one; and what --save leaves */
    uint64_t to_seq;
    uint64_t seen_seq;  /* applied when progress was last looked at */
    int exit_code;
} refold_t;

#define PROGRESS_NS (10 * ZVT_SECOND_NS) /* the fleet is given up on when nothing arrives for that long */

static void s_end(refold_t *self, int exit_code)
{
    self->exit_code = exit_code;
    zvt_loop_stop(self->loop);
}

static void s_print_state(const refold_t *self)
{
    if (self->what->print_text) {
        (void)self->what->dump(self->what->state, stdout);
        return;
    }
    zvt_digest_t digest = zvt_digest_of(self->to_seq, self->what->dump, self->what->state);
    zvt_digest_print(&digest, stdout);
    putchar('\n');
}

static void s_on_event(void *arg, const zvt_event_t *event)
{
    refold_t *self = arg;
    if (event->seq > self->to_seq || self->exit_code != ZVT_EXIT_FAILED) return;
    if (!zvt_snapshot_takes(&self->snapshot, event)) return;
    int status = self->what->fold(self->what->state, event);
    if (status != 0) {
        zvt_error("event %" PRIu64 " (%s) cannot be folded: %s", event->seq, zvt_type_name(event->type),
                  zvt_strerror(status));
        s_end(self, ZVT_EXIT_BUG);
    }
}

static void s_on_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    refold_t *self = arg;
    if (zvt_snapshot_is_foreign(&self->snapshot, applied_seq, caught_up)) s_end(self, ZVT_EXIT_CONFIG);
    if (applied_seq >= self->to_seq && self->exit_code == ZVT_EXIT_FAILED) s_end(self, ZVT_EXIT_OK);
}

static void s_on_time(void *arg)
{
    refold_t *self = arg;
    uint64_t applied_seq = zvt_follower_applied(self->follower);
    if (applied_seq == self->seen_seq) {
        zvt_error("seq %" PRIu64 " was not reached: nothing arrived after %" PRIu64 " for %d s; is the fleet up, and the "
                  "seq not beyond its last one?", self->to_seq, applied_seq, (int)(PROGRESS_NS / ZVT_SECOND_NS));
        zvt_loop_stop(self->loop);
    }
    self->seen_seq = applied_seq;
}

/* ---- a log that does not begin with event 1 ---- */
static uint64_t s_on_base(void *arg, uint64_t base_seq, const void *data, size_t length)
{
    refold_t *self = arg;
    const zvt_snapshot_core_t core = self->snapshot.core;
    (void)base_seq;
    if (zvt_snapshot_take(&self->snapshot, &core, data, length)) return zvt_snapshot_from_seq(&self->snapshot);
    s_end(self, ZVT_EXIT_CONFIG);
    return 0;
}

static void s_on_hole(void *arg, uint64_t first_seq)
{
    refold_t *self = arg;
    zvt_error("seq %" PRIu64 " cannot be folded to: the log begins with seq %" PRIu64 ", and no base of %s in the database is between "
              "the two", self->to_seq, first_seq, self->what->process);
    s_end(self, ZVT_EXIT_CONFIG);
}

static int s_save_state(refold_t *self)
{
    if (self->what->save_folder == NULL) return 0;
    snprintf(self->snapshot.path, sizeof self->snapshot.path, "%s/%s.snapshot", self->what->save_folder, self->what->process);
    return zvt_snapshot_save(&self->snapshot);
}

int zvt_refold(const zvt_refold_t *what, zvt_loop_t *loop, const char *to_seq)
{
    refold_t self = {.what = what, .loop = loop, .exit_code = ZVT_EXIT_FAILED};
    self.snapshot.core = (zvt_snapshot_core_t){.shard = what->shard, .state = what->state, .save = what->save, .load = what->load,
                                               .dump = what->dump};
    if (zvt_digest_parse_seq(to_seq, &self.to_seq) != 0) {
        zvt_error("--fold takes a seq, not '%s'", to_seq);
        return ZVT_EXIT_CONFIG;
    }
    if (self.to_seq > 0) {
        self.follower = zvt_follower_new(loop, what->shard, 1, what->identity, s_on_event, s_on_batch, &self);
        zvt_follower_only(self.follower, what->types);
        zvt_follower_want_base(self.follower, what->process, self.to_seq, s_on_base);
        zvt_follower_on_hole(self.follower, s_on_hole);
        zvt_loop_every(loop, PROGRESS_NS, s_on_time, &self);
        int status = zvt_loop_run(loop);
        zvt_follower_destroy(&self.follower);
        if (status != 0) return ZVT_EXIT_TEMPORARY;
        if (self.exit_code != ZVT_EXIT_OK) return self.exit_code;
    }
    s_print_state(&self);
    if (s_save_state(&self) != 0) return ZVT_EXIT_FAILED;
    return fflush(stdout) == 0 ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}
