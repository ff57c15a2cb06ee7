#include "breaker_core.h"

#include "zvt_id.h"

static bool s_set_state(breaker_t *self, uint8_t state, uint8_t reason, int64_t now_ns)
{
    self->state = state;
    self->reason = reason;
    self->offered = self->probing = 0;
    self->changed_ns = now_ns;
    return true;
}

void breaker_core_init(breaker_t *self)
{
    *self = (breaker_t){.state = ZVT_CIRCUIT_CLOSED, .reason = ZVT_CODE_OK};
}

/* Half of the pause is certain, half is drawn, so that venues that failed together are not tried together. */
static int64_t s_pause_ns(uint32_t level, int64_t now_ns)
{
    zvt_rng_t rng;
    int64_t pause_ns = BREAKER_PAUSE_MIN_NS;
    while (level-- > 0 && pause_ns < BREAKER_PAUSE_MAX_NS) pause_ns *= 2;
    if (pause_ns > BREAKER_PAUSE_MAX_NS) pause_ns = BREAKER_PAUSE_MAX_NS;
    zvt_rng_seed(&rng, (uint64_t)now_ns);
    return pause_ns / 2 + (int64_t)zvt_rng_below(&rng, (uint64_t)pause_ns / 2 + 1);
}

static bool s_open(breaker_t *self, uint8_t code, int64_t now_ns)
{
    bool calm = self->state == ZVT_CIRCUIT_CLOSED && now_ns - self->changed_ns >= BREAKER_CALM_NS;
    bool first = self->changed_ns == 0;
    self->level = calm || first ? 0 : self->level + 1;
    self->retry_ns = now_ns + s_pause_ns(self->level, now_ns);
    return s_set_state(self, ZVT_CIRCUIT_OPEN, code, now_ns);
}

/* What was sent before the circuit changed was known, or guessed, when it did: an answer that stays away is noticed a second
 * late, when a trial may have shown already that the venue is well again. */
static bool s_counts(breaker_t *self, int64_t sent_ns)
{
    if (self->state == ZVT_CIRCUIT_OPEN || sent_ns < self->changed_ns) return false;
    if (self->state == ZVT_CIRCUIT_CLOSED) return true;
    if (self->probing > 0) self->probing--;
    self->offered = 0;
    return true;
}

bool breaker_core_on_failure(breaker_t *self, int64_t sent_ns, uint8_t code, int64_t rate_e8, int64_t now_ns)
{
    if (!s_counts(self, sent_ns)) return false;
    self->failures++;
    bool often = self->failures >= BREAKER_FAILURES_MAX || rate_e8 > BREAKER_RATE_MAX_E8;
    if (self->state == ZVT_CIRCUIT_CLOSED && !often) return false;
    return s_open(self, code, now_ns);
}

bool breaker_core_on_success(breaker_t *self, int64_t sent_ns, int64_t now_ns)
{
    if (!s_counts(self, sent_ns)) return false;
    self->failures = 0;
    return self->state == ZVT_CIRCUIT_HALF_OPEN && s_set_state(self, ZVT_CIRCUIT_CLOSED, ZVT_CODE_OK, now_ns);
}

void breaker_core_on_no_outcome(breaker_t *self, int64_t sent_ns)
{
    (void)s_counts(self, sent_ns);
}

bool breaker_core_on_connected(breaker_t *self, int64_t now_ns)
{
    self->connected = true;
    return self->state == ZVT_CIRCUIT_OPEN && s_set_state(self, ZVT_CIRCUIT_HALF_OPEN, self->reason, now_ns);
}

/* A venue that was never connected has not failed: it has not begun. */
bool breaker_core_on_disconnected(breaker_t *self, int64_t now_ns)
{
    if (!self->connected) return false;
    self->connected = false;
    self->retry_ns = 0;
    return self->state != ZVT_CIRCUIT_OPEN && s_set_state(self, ZVT_CIRCUIT_OPEN, ZVT_CODE_VENUE_UNREACHABLE, now_ns);
}

bool breaker_core_on_time(breaker_t *self, int64_t now_ns)
{
    bool due = self->state == ZVT_CIRCUIT_OPEN && self->connected && now_ns >= self->retry_ns;
    return due && s_set_state(self, ZVT_CIRCUIT_HALF_OPEN, self->reason, now_ns);
}

/* A route may lead to no send: the order was canceled, expired, or its venue's account is being compared first. */
static bool s_offers_are_void(const breaker_t *self, int64_t now_ns)
{
    return now_ns - self->offered_ns >= (self->probing > 0 ? BREAKER_PATIENCE_NS : BREAKER_OFFER_NS);
}

bool breaker_core_admits(const breaker_t *self, int64_t now_ns)
{
    if (self->state != ZVT_CIRCUIT_HALF_OPEN) return self->state == ZVT_CIRCUIT_CLOSED;
    return self->offered < BREAKER_PROBES_MAX || s_offers_are_void(self, now_ns);
}

void breaker_core_on_routed(breaker_t *self, int64_t now_ns)
{
    if (self->state != ZVT_CIRCUIT_HALF_OPEN) return;
    if (s_offers_are_void(self, now_ns)) self->offered = 0;
    if (self->offered++ == 0) self->offered_ns = now_ns;
}

bool breaker_core_passes(const breaker_t *self)
{
    if (self->state != ZVT_CIRCUIT_HALF_OPEN) return self->state == ZVT_CIRCUIT_CLOSED;
    return self->probing < BREAKER_PROBES_MAX;
}

void breaker_core_on_sent(breaker_t *self)
{
    if (self->state == ZVT_CIRCUIT_HALF_OPEN) self->probing++;
}
