/* What the executor tells of itself: circuit breakers, and what its kill switch did while nobody else could. */
#include <string.h>

#include "turn_world.h"
#include "zvt_stats.h"

enum { NONE = -1 };

/* ---- circuit breakers ---- */
void notices_on_circuit(turn_core_t *self, const zvt_circuit_notice_t *notice)
{
    int index = zvt_fleet_venue(self->fleet, notice->exchange);
    if (index < 0 || notice->state == 0) return;
    venue_t *venue = &self->venues[index];
    /* A breaker that was never recorded counts as closed, and a notice may be a repetition. */
    uint8_t recorded = venue->circuit == 0 ? ZVT_CIRCUIT_CLOSED : venue->circuit;
    if (notice->state == recorded) return;
    zvt_circuit_changed_t event = {.state = notice->state, .reason = notice->reason, .failures = notice->failures,
                                   .retry_at_ns = notice->retry_at_ns};
    ZVT_STR_SET(event.exchange, notice->exchange);
    if (turn_emit_system(self, ZVT_T_CIRCUIT_CHANGED, &event, NULL) != 0) {
        ZVT_COUNT("notices_put_off"); /* the executor tells the state again, once a second */
        return;
    }
    venue->circuit = notice->state;
    ZVT_COUNT("circuits_changed");
}

/* ---- the kill switch ---- */
/* True when the order had nothing to be canceled, or the cancel is on its way; false when there is no room now. */
static bool s_cancel(turn_core_t *self, order_t *order, const char *requested_by)
{
    bool sent = order->state != ZVT_ORDER_STATE_SUBMITTED || order->sent || order->saga == ORDER_NONE;
    if (order_is_ended(order) || order->cancel_pending || !order_is_at_venue(order) || !sent) return true;
    if (!turn_has_room_for_command(self)) return false;
    place_order_cancel(self, order, requested_by, 0, 0);
    return true;
}

/* Orders that no venue has yet need no cancel: the halt ends them at their next step. */
static bool s_cancel_open(turn_core_t *self, const char *requested_by)
{
    int32_t older;
    for (int32_t at = order_core_older(self->orders, NONE); at != NONE; at = older) {
        older = order_core_older(self->orders, at);
        if (!s_cancel(self, order_core_at(self->orders, at), requested_by)) return false;
    }
    return true;
}

static bool s_record_switch(turn_core_t *self, zvt_type_t type, const char *requested_by, const char *reason)
{
    zvt_risk_halted_t event = {.requested_by = ""};
    ZVT_STR_SET(event.requested_by, requested_by);
    ZVT_STR_SET(event.reason, reason);
    if (turn_emit_system(self, type, &event, NULL) != 0) return false;
    self->halted = type == ZVT_T_RISK_HALTED;
    ZVT_STR_SET(self->halt_reason, self->halted ? reason : "");
    return true;
}
_Static_assert(sizeof(zvt_risk_halted_t) == sizeof(zvt_risk_resumed_t), "halt and resume are alike");

/* A kill that was resumed before the log heard of either is recorded as both, unless somebody else's halt is in force. */
static bool s_on_kill(turn_core_t *self, const zvt_kill_notice_t *notice)
{
    bool ours = zvt_id_equal(&self->halted_by, &notice->entry_id); /* begun earlier, and put off in the middle */
    bool halted_before = self->halted && !ours;
    if (!self->halted) {
        if (!s_record_switch(self, ZVT_T_RISK_HALTED, notice->requested_by, notice->reason)) return false;
        self->halted_by = notice->entry_id;
    }
    if (!notice->over) return s_cancel_open(self, notice->requested_by);
    return halted_before || s_record_switch(self, ZVT_T_RISK_RESUMED, notice->over_by, "the kill switch was released");
}

static bool s_on_cancel(turn_core_t *self, const zvt_kill_notice_t *notice)
{
    order_t *order = order_core_by_id(self->orders, &notice->order_id);
    return order == NULL || s_cancel(self, order, notice->requested_by);
}

static bool s_record(turn_core_t *self, const zvt_kill_notice_t *notice)
{
    switch (notice->action) {
    case ZVT_KILL_CANCEL: return s_on_cancel(self, notice);
    case ZVT_KILL_CANCEL_ALL: return s_cancel_open(self, notice->requested_by);
    case ZVT_KILL_KILL: return s_on_kill(self, notice);
    default: return true;
    }
}

static kill_t *s_recorded(turn_core_t *self, const zvt_id_t *entry_id)
{
    for (uint32_t i = 0; i < KILLS_KEPT; i++)
        if (zvt_id_equal(&self->kills[i].entry_id, entry_id)) return &self->kills[i];
    return NULL;
}

static void s_note(turn_core_t *self, kill_t *kill)
{
    if (kill->seq > self->committed_seq) return;
    zvt_kill_noted_t noted = {.entry_id = kill->entry_id};
    kill->noted = true;
    self->io.ask(self->io.arg, TURN_EXECUTOR, ZVT_T_KILL_NOTED, &noted);
}

void notices_on_kill(turn_core_t *self, const zvt_kill_notice_t *notice)
{
    if (zvt_id_is_none(&notice->entry_id)) return;
    kill_t *kill = s_recorded(self, &notice->entry_id);
    if (kill == NULL) {
        /* What was recorded so far stays; the rest follows when it is told again. */
        if (!s_record(self, notice) || self->ready_first != NONE) {
            ZVT_COUNT("notices_put_off");
            return;
        }
        kill = &self->kills[self->kills_count++ % KILLS_KEPT];
        *kill = (kill_t){.entry_id = notice->entry_id, .seq = self->next_seq - 1};
        ZVT_COUNT("kills_recorded");
    }
    s_note(self, kill);
}

void notices_on_commit(turn_core_t *self)
{
    for (uint32_t i = 0; i < KILLS_KEPT; i++) {
        kill_t *kill = &self->kills[i];
        if (!zvt_id_is_none(&kill->entry_id) && !kill->noted) s_note(self, kill);
    }
}
