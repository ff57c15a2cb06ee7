#include "faults_core.h"

#include "zvt_fixed.h"

/* splitmix64: every state gives a full-period sequence, so any seed will do. */
static uint64_t s_next(faults_core_t *self)
{
    uint64_t z = self->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void faults_core_init(faults_core_t *self, const zvt_venue_faults_t *shares, uint64_t start)
{
    *self = (faults_core_t){.shares = *shares, .state = (uint64_t)shares->seed};
    self->state = s_next(self) ^ start;
}

bool faults_core_is_on(const faults_core_t *self)
{
    return self->shares.lose_e8 > 0 || self->shares.late_e8 > 0 || self->shares.duplicate_e8 > 0;
}

fault_kind_t faults_core_draw(faults_core_t *self)
{
    if (!faults_core_is_on(self)) return FAULT_NONE;
    const int64_t shares_e8[FAULT_KINDS] = {
        [FAULT_LOSE] = self->shares.lose_e8, [FAULT_LATE] = self->shares.late_e8, [FAULT_DUPLICATE] = self->shares.duplicate_e8};
    int64_t left_e8 = (int64_t)(s_next(self) % ZVT_E8);
    for (unsigned kind = FAULT_NONE + 1; kind < FAULT_KINDS; kind++) {
        if (left_e8 < shares_e8[kind]) return (fault_kind_t)kind;
        left_e8 -= shares_e8[kind];
    }
    return FAULT_NONE;
}
