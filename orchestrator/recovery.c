/* system.recovery: after a start, open sagas are resumed and venues are compared with the log; then orders pass. */
#include <string.h>

#include "turn_world.h"
#include "zvt_fixed.h"
#include "zvt_time.h"

enum { NONE = -1, EVENTS_RESERVE = 16 };
#define AGAIN_NS (10 * ZVT_MS_NS) /* until there is room for the last event */

static const saga_type_t s_recovery;

enum { STEP_RESUME, STEP_VENUES, STEP_OPEN, RECOVERY_STEPS };

void recovery_emit_started(turn_core_t *self, system_saga_t *saga, const char *name, const char *exchange, const char *reason)
{
    zvt_saga_started_t started;
    memset(&started, 0, sizeof started);
    saga->correlation_id = zvt_idgen_next(&self->ids, self->utc_ns);
    saga->last_event_id = saga->correlation_id;
    ZVT_STR_SET(started.saga, name);
    ZVT_STR_SET(started.exchange, exchange);
    ZVT_STR_SET(started.reason, reason);
    int status = turn_emit_system_in(self, saga, ZVT_T_SAGA_STARTED, &started, NULL);
    ZVT_ASSERT(status == 0); /* the caller looked for room */
}

static saga_outcome_t s_resume(void *arg, int32_t saga, int32_t subject, uint32_t attempt)
{
    turn_core_t *self = arg;
    (void)saga;
    (void)subject;
    (void)attempt;
    int32_t older;
    for (int32_t at = order_core_older(self->orders, NONE); at != NONE; at = older) {
        order_t *order = order_core_at(self->orders, at);
        if (!order_is_ended(order)) place_order_resume(self, order);
        self->recovered.open_sagas += order->saga != ORDER_NONE;
        /* Only now: one that has just ended may have pushed the next older one out of the table. It stays itself, as the last to end. */
        older = order_core_older(self->orders, at);
    }
    return SAGA_DONE;
}

/* Some venue can take orders. Those that cannot be reached are compared when they come back. */
static saga_outcome_t s_wait_for_venues(void *arg, int32_t saga, int32_t subject, uint32_t attempt)
{
    turn_core_t *self = arg;
    (void)saga;
    (void)subject;
    (void)attempt;
    bool some = false, all = true;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        bool compared = self->venues[i].reconcile.done;
        some = some || compared;
        all = all && (compared || !self->venues[i].reachable);
    }
    return some && all ? SAGA_DONE : SAGA_WAIT;
}

static saga_outcome_t s_open_for_orders(void *arg, int32_t saga, int32_t subject, uint32_t attempt)
{
    turn_core_t *self = arg;
    (void)subject;
    (void)attempt;
    if (!turn_has_batch_room(self, EVENTS_RESERVE)) {
        saga_core_again(self->sagas, saga, STEP_OPEN, self->monotonic_ns + AGAIN_NS);
        return SAGA_WAIT;
    }
    self->recovered.duration_ms_e8 += (self->monotonic_ns - self->opened_ns) * (ZVT_E8 / ZVT_MS_NS);
    int status = turn_emit_system_in(self, &self->recovery, ZVT_T_SYSTEM_RECOVERED, &self->recovered, NULL);
    ZVT_ASSERT(status == 0);
    return SAGA_DONE;
}

void recovery_check(turn_core_t *self)
{
    if (self->recovery_saga == SAGA_NONE) return;
    if (s_wait_for_venues(self, self->recovery_saga, 0, 1) == SAGA_DONE)
        saga_core_done(self->sagas, self->recovery_saga, STEP_VENUES, self->monotonic_ns);
}

static void s_recovered(void *arg, int32_t subject)
{
    (void)subject;
    ((turn_core_t *)arg)->recovery_saga = SAGA_NONE;
}

static void s_not_recovered(void *arg, int32_t subject, const saga_step_t *step, uint8_t code, const char *message)
{
    (void)step;
    (void)code;
    (void)message;
    s_recovered(arg, subject); /* no step of it gives up */
}

static const saga_step_t s_recovery_steps[] = {
    [STEP_RESUME] = {.name = "resume_sagas", .service = -1, .attempts = 1, .begin = s_resume},
    [STEP_VENUES] = {.name = "reconcile_venues", .service = -1, .attempts = 1, .begin = s_wait_for_venues},
    [STEP_OPEN] = {.name = "open_for_orders", .service = -1, .attempts = 1, .begin = s_open_for_orders},
};
_Static_assert(sizeof s_recovery_steps / sizeof s_recovery_steps[0] == RECOVERY_STEPS, "a row for every step");

static const saga_type_t s_recovery = {.name = "system.recovery", .steps = s_recovery_steps, .steps_count = RECOVERY_STEPS,
                                       .failed = s_not_recovered, .completed = s_recovered};

void recovery_begin(turn_core_t *self, int64_t recovery_ns)
{
    uint32_t open_orders = order_core_open_count(self->orders);
    self->opened_ns = self->monotonic_ns;
    self->reconcile_queries = self->epoch << 20; /* an answer to an earlier run's question matches none of ours */
    self->recovered = (zvt_system_recovered_t){.replayed_events = self->folded, .open_orders = open_orders,
                                               .duration_ms_e8 = recovery_ns * (ZVT_E8 / ZVT_MS_NS)};
    recovery_emit_started(self, &self->recovery, s_recovery.name, "", self->folded == 0 ? "a new log" : "");
    for (uint32_t i = 0; i < self->fleet->venues_count; i++)
        if (self->venues[i].reachable && self->service_up[TURN_EXECUTOR]) reconcile_begin(self, (int)i, "recovery");
    int status = saga_core_start(self->sagas, &s_recovery, 0, STEP_RESUME, self->monotonic_ns, 0, &self->recovery_saga);
    ZVT_ASSERT(status == 0); /* admission keeps a thousand places free */
}
