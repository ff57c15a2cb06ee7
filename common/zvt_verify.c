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
    (void)caught_up;
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

int zvt_refold(const zvt_refold_t *what, zvt_loop_t *loop, const char *to_seq)
{
    refold_t self = {.what = what, .loop = loop, .exit_code = ZVT_EXIT_FAILED};
    if (zvt_digest_parse_seq(to_seq, &self.to_seq) != 0) {
        zvt_error("--fold takes a seq, not '%s'", to_seq);
        return ZVT_EXIT_CONFIG;
    }
    if (self.to_seq > 0) {
        self.follower = zvt_follower_new(loop, what->shard, 1, what->identity, s_on_event, s_on_batch, &self);
        zvt_follower_only(self.follower, what->types);
        zvt_loop_every(loop, PROGRESS_NS, s_on_time, &self);
        int status = zvt_loop_run(loop);
        zvt_follower_destroy(&self.follower);
        if (status != 0) return ZVT_EXIT_TEMPORARY;
        if (self.exit_code != ZVT_EXIT_OK) return self.exit_code;
    }
    s_print_state(&self);
    return fflush(stdout) == 0 ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}
