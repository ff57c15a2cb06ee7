#include "throttle_core.h"

#include "zvt_time.h"

enum { STEADY_PERCENT = 80, BURST_PERCENT = 10 };

void throttle_core_init(throttle_t *self, int64_t per_second)
{
    *self = (throttle_t){.interval_ns = 0};
    if (per_second <= 0) return;
    int64_t burst = per_second * BURST_PERCENT / 100;
    self->interval_ns = ZVT_SECOND_NS * 100 / STEADY_PERCENT / per_second;
    self->tolerance_ns = burst > 1 ? (burst - 1) * self->interval_ns : 0;
}

int64_t throttle_core_leave_ns(const throttle_t *self, uint32_t ahead, int64_t now_ns)
{
    if (self->interval_ns == 0) return now_ns;
    int64_t due_ns = self->due_ns > now_ns ? self->due_ns : now_ns;
    int64_t leave_ns = due_ns - self->tolerance_ns + (int64_t)ahead * self->interval_ns;
    return leave_ns > now_ns ? leave_ns : now_ns;
}

bool throttle_core_take(throttle_t *self, int64_t now_ns)
{
    if (self->interval_ns == 0) return true;
    if (throttle_core_leave_ns(self, 0, now_ns) > now_ns) return false;
    self->due_ns = (self->due_ns > now_ns ? self->due_ns : now_ns) + self->interval_ns;
    return true;
}
