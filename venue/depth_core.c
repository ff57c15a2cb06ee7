#include "depth_core.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    depth_level_t *levels; /* worst first */
    uint32_t count;
} depth_side_t;

/* A diff that waits for its snapshot; its levels lie in the pool, bids before asks. */
typedef struct {
    uint64_t first_id, last_id;
    uint32_t first_level;
    uint32_t counts[2];
} waiting_diff_t;

struct depth_core {
    depth_side_t sides[2];
    bool synced;
    uint64_t last_id;
    waiting_diff_t *waiting;
    uint32_t waiting_count;
    zvt_level_t *pool;
    uint32_t pool_used;
};

depth_core_t *depth_core_new(void)
{
    depth_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    for (int i = 0; i < 2; i++) {
        self->sides[i].levels = calloc(DEPTH_LEVELS_MAX, sizeof *self->sides[i].levels);
        ZVT_ASSERT(self->sides[i].levels != NULL);
    }
    self->waiting = calloc(DEPTH_WAITING_DIFFS, sizeof *self->waiting);
    self->pool = calloc(DEPTH_WAITING_LEVELS, sizeof *self->pool);
    ZVT_ASSERT(self->waiting != NULL);
    ZVT_ASSERT(self->pool != NULL);
    return self;
}

void depth_core_destroy(depth_core_t **self)
{
    if (*self == NULL) return;
    for (int i = 0; i < 2; i++) free((*self)->sides[i].levels);
    free((*self)->waiting);
    free((*self)->pool);
    free(*self);
    *self = NULL;
}

/* ---- levels ---- */
static bool s_better(int side, int64_t a_e8, int64_t b_e8)
{
    return side == 0 ? a_e8 > b_e8 : a_e8 < b_e8;
}

/* Index of the price, or where it would go. */
static uint32_t s_place(const depth_side_t *levels, int side, int64_t price_e8)
{
    uint32_t low = 0, high = levels->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s_better(side, price_e8, levels->levels[middle].price_e8))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void s_remove(depth_side_t *levels, uint32_t at)
{
    levels->count--;
    memmove(levels->levels + at, levels->levels + at + 1, (levels->count - at) * sizeof *levels->levels);
}

static void s_set_level(depth_side_t *levels, int side, const zvt_level_t *change)
{
    uint32_t at = s_place(levels, side, change->price_e8);
    bool known = at < levels->count && levels->levels[at].price_e8 == change->price_e8;
    if (change->quantity_e8 == 0) {
        if (known) s_remove(levels, at);
        return;
    }
    if (known) {
        /* The same quantity again is no news: what we took of it stays taken. */
        if (levels->levels[at].quantity_e8 != change->quantity_e8) levels->levels[at].taken_e8 = 0;
        levels->levels[at].quantity_e8 = change->quantity_e8;
        return;
    }
    if (levels->count == DEPTH_LEVELS_MAX) {
        if (at == 0) return; /* worse than everything in a full book */
        s_remove(levels, 0);
        at--;
    }
    memmove(levels->levels + at + 1, levels->levels + at, (levels->count - at) * sizeof *levels->levels);
    levels->levels[at] = (depth_level_t){.price_e8 = change->price_e8, .quantity_e8 = change->quantity_e8};
    levels->count++;
}

static void s_apply(depth_core_t *self, const depth_update_t *update)
{
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < update->counts[side]; i++) s_set_level(&self->sides[side], side, &update->levels[side][i]);
    self->last_id = update->last_id;
}

/* ---- waiting diffs ---- */
static void s_wait(depth_core_t *self, const depth_update_t *diff)
{
    uint32_t levels = diff->counts[0] + diff->counts[1];
    if (self->waiting_count == DEPTH_WAITING_DIFFS || self->pool_used + levels > DEPTH_WAITING_LEVELS)
        self->waiting_count = self->pool_used = 0;
    if (levels > DEPTH_WAITING_LEVELS) return;
    waiting_diff_t *waiting = &self->waiting[self->waiting_count++];
    *waiting = (waiting_diff_t){.first_id = diff->first_id, .last_id = diff->last_id, .first_level = self->pool_used};
    for (int side = 0; side < 2; side++) {
        waiting->counts[side] = diff->counts[side];
        if (diff->counts[side] > 0)
            memmove(self->pool + self->pool_used, diff->levels[side], diff->counts[side] * sizeof *self->pool);
        self->pool_used += diff->counts[side];
    }
}

static depth_update_t s_waiting(const depth_core_t *self, uint32_t n)
{
    const waiting_diff_t *waiting = &self->waiting[n];
    const zvt_level_t *bids = self->pool + waiting->first_level;
    return (depth_update_t){.first_id = waiting->first_id, .last_id = waiting->last_id,
                            .levels = {bids, bids + waiting->counts[0]},
                            .counts = {waiting->counts[0], waiting->counts[1]}};
}

/* ---- the chain ---- */
static void s_clear(depth_core_t *self)
{
    self->sides[0].count = self->sides[1].count = 0;
    self->synced = false;
    self->last_id = 0;
}

depth_result_t depth_core_diff(depth_core_t *self, const depth_update_t *diff)
{
    if (!self->synced) {
        s_wait(self, diff);
        return DEPTH_WAITS;
    }
    if (diff->last_id <= self->last_id) return DEPTH_OLD;
    if (diff->first_id > self->last_id + 1) {
        s_clear(self);
        s_wait(self, diff);
        return DEPTH_GAP;
    }
    s_apply(self, diff);
    return DEPTH_APPLIED;
}

depth_result_t depth_core_snapshot(depth_core_t *self, const depth_update_t *snapshot)
{
    if (self->synced && snapshot->last_id <= self->last_id) return DEPTH_OLD;
    if (!self->synced && self->waiting_count > 0 && self->waiting[0].first_id > snapshot->last_id + 1) return DEPTH_WAITS;
    s_clear(self);
    s_apply(self, snapshot);
    self->synced = true;
    uint32_t waiting = self->waiting_count;
    self->waiting_count = self->pool_used = 0;
    depth_result_t result = DEPTH_APPLIED;
    for (uint32_t i = 0; i < waiting && result != DEPTH_GAP; i++) {
        depth_update_t diff = s_waiting(self, i);
        result = depth_core_diff(self, &diff);
    }
    return result == DEPTH_GAP ? DEPTH_GAP : DEPTH_APPLIED;
}

/* ---- looking ---- */
bool depth_core_is_synced(const depth_core_t *self)
{
    return self->synced;
}

uint64_t depth_core_last_id(const depth_core_t *self)
{
    if (self->synced || self->waiting_count == 0) return self->last_id;
    return self->waiting[self->waiting_count - 1].last_id;
}

static int s_index(uint8_t side)
{
    return side == ZVT_SIDE_BUY ? 0 : 1;
}

depth_level_t *depth_core_level(depth_core_t *self, uint8_t side, uint32_t n)
{
    depth_side_t *levels = &self->sides[s_index(side)];
    return n < levels->count ? &levels->levels[levels->count - 1 - n] : NULL;
}

depth_level_t *depth_core_find(depth_core_t *self, uint8_t side, int64_t price_e8)
{
    depth_side_t *levels = &self->sides[s_index(side)];
    uint32_t at = s_place(levels, s_index(side), price_e8);
    return at < levels->count && levels->levels[at].price_e8 == price_e8 ? &levels->levels[at] : NULL;
}

uint32_t depth_core_better(const depth_core_t *self, uint8_t side, int64_t price_e8)
{
    const depth_side_t *levels = &self->sides[s_index(side)];
    uint32_t at = s_place(levels, s_index(side), price_e8);
    bool known = at < levels->count && levels->levels[at].price_e8 == price_e8;
    return levels->count - at - (known ? 1 : 0);
}
