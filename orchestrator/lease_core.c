#include "lease_core.h"

#include <string.h>

#include "zvt_time.h"

enum { LOOKS_PER_TAKEOVER = 10, HEARTBEATS_PER_TAKEOVER = 4 };
#define LOOK_MAX_NS (100 * ZVT_MS_NS)
#define HEARTBEAT_MAX_NS (250 * ZVT_MS_NS)
#define ALONE_TAKEOVER_NS (10 * ZVT_SECOND_NS)

lease_rules_t lease_core_rules(bool has_standby, bool second, int64_t takeover_ms)
{
    return (lease_rules_t){.takeover_ns = has_standby ? takeover_ms * ZVT_MS_NS : ALONE_TAKEOVER_NS, .waits = has_standby, .second = second};
}

void lease_core_init(lease_core_t *self, const lease_rules_t *rules)
{
    memset(self, 0, sizeof *self);
    self->rules = *rules;
}

void lease_core_begin(lease_core_t *self, uint64_t own_epoch)
{
    self->own_epoch = own_epoch;
    self->looked = self->seen_alive = false;
    self->still = 0;
}

int64_t lease_core_look_ns(const lease_core_t *self)
{
    int64_t look_ns = self->rules.takeover_ns / LOOKS_PER_TAKEOVER;
    return look_ns < LOOK_MAX_NS ? look_ns : LOOK_MAX_NS;
}

int64_t lease_core_heartbeat_ns(const lease_rules_t *rules)
{
    int64_t heartbeat_ns = rules->takeover_ns / HEARTBEATS_PER_TAKEOVER;
    return heartbeat_ns < HEARTBEAT_MAX_NS ? heartbeat_ns : HEARTBEAT_MAX_NS;
}

/* Remembers the look; true when the row shows life since the look before. */
static bool s_note(lease_core_t *self, const lease_look_t *look)
{
    bool same_holder = self->looked && look->exists == self->last.exists && look->epoch == self->last.epoch;
    bool same = same_holder && look->heartbeat_us == self->last.heartbeat_us;
    bool life = self->looked && look->exists && !same;
    self->seen_alive = look->backend_lives || (same_holder && self->seen_alive);
    self->still = same ? self->still + 1 : 0;
    self->last = *look;
    self->looked = true;
    return life;
}

static bool s_stood_still(const lease_core_t *self)
{
    return self->still * lease_core_look_ns(self) >= self->rules.takeover_ns;
}

lease_verdict_t lease_core_on_look(lease_core_t *self, const lease_look_t *look)
{
    bool life = s_note(self, look);
    bool was_ours = self->own_epoch != 0, courteous = self->rules.second || self->waited;
    self->waited = self->waited || (life && look->backend_lives);
    if (was_ours && look->exists && look->epoch == self->own_epoch) return LEASE_TAKE;
    if (was_ours && look->exists && look->epoch > self->own_epoch) return LEASE_LEAVE;
    if (s_stood_still(self)) return LEASE_TAKE;
    if (!look->exists || !look->backend_lives) return courteous && !self->seen_alive ? LEASE_WAIT : LEASE_TAKE;
    return life && !self->rules.waits ? LEASE_LEAVE : LEASE_WAIT;
}
