#define _GNU_SOURCE /* qsort_r */
#include "dedup_core.h"

#include <stdlib.h>
#include <string.h>

#include "zvt_map.h"

typedef struct {
    char name[ZVT_NAME_SIZE];
    uint64_t incarnation;
    uint64_t earlier[DEDUP_RUNS_KEPT]; /* incarnations before it of which something was taken, rising */
    uint32_t earlier_count;
    bool more_runs;   /* there were more before those */
    uint64_t used_at; /* tick of the last mark, to find the one silent for longest */
    window_t window;
    uint64_t bits[DEDUP_WINDOW / 64]; /* of the window */
} sender_t;

struct dedup_core {
    sender_t *senders;
    uint32_t senders_count;
    uint32_t *by_age;      /* scratch of dedup_core_save: indices, the one silent for longest first */
    uint64_t by_age_tick;  /* tick it was made at; UINT64_MAX: never */
    uint64_t tick;
    uint64_t forgotten;    /* the latest incarnation of all senders that gave way */
    zvt_map_t *by_name;
};

/* ---- senders ---- */
dedup_core_t *dedup_core_new(void)
{
    dedup_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->senders = calloc(DEDUP_SENDERS_MAX, sizeof *self->senders);
    ZVT_ASSERT(self->senders != NULL);
    self->by_age = calloc(DEDUP_SENDERS_MAX, sizeof *self->by_age);
    ZVT_ASSERT(self->by_age != NULL);
    self->by_age_tick = UINT64_MAX;
    self->by_name = zvt_map_new(ZVT_NAME_SIZE, DEDUP_SENDERS_MAX);
    return self;
}

void dedup_core_destroy(dedup_core_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->by_name);
    free((*self)->senders);
    free((*self)->by_age);
    free(*self);
    *self = NULL;
}

void dedup_core_clear(dedup_core_t *self)
{
    zvt_map_clear(self->by_name);
    self->senders_count = 0;
    self->tick = 0;
    self->forgotten = 0;
    self->by_age_tick = UINT64_MAX;
}

static sender_t *s_find(const dedup_core_t *self, const char *name)
{
    char key[ZVT_NAME_SIZE];
    ZVT_STR_SET(key, name);
    uint32_t index = zvt_map_get(self->by_name, key);
    return index == ZVT_MAP_NONE ? NULL : &self->senders[index];
}

static uint32_t s_silent_for_longest(const dedup_core_t *self)
{
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < self->senders_count; i++)
        if (self->senders[i].used_at < self->senders[oldest].used_at) oldest = i;
    return oldest;
}

static sender_t *s_find_or_make(dedup_core_t *self, const char *name)
{
    sender_t *sender = s_find(self, name);
    if (sender != NULL) return sender;
    uint32_t index = self->senders_count;
    if (index == DEDUP_SENDERS_MAX) {
        index = s_silent_for_longest(self);
        if (self->senders[index].incarnation > self->forgotten) self->forgotten = self->senders[index].incarnation;
        zvt_map_remove(self->by_name, self->senders[index].name);
    } else {
        self->senders_count++;
    }
    sender = &self->senders[index];
    memset(sender, 0, sizeof *sender);
    ZVT_STR_SET(sender->name, name);
    ZVT_ASSERT(zvt_map_put(self->by_name, sender->name, index) == 0);
    return sender;
}

dedup_verdict_t dedup_core_check(const dedup_core_t *self, const char *sender, uint64_t incarnation, uint64_t sender_seq)
{
    const sender_t *found = s_find(self, sender);
    if (found == NULL) return incarnation > self->forgotten || self->forgotten == 0 ? DEDUP_NEW : DEDUP_STALE;
    if (incarnation > found->incarnation) return DEDUP_NEW;
    if (incarnation < found->incarnation) return DEDUP_STALE;
    return window_check(&found->window, found->bits, DEDUP_WINDOW, sender_seq);
}

uint64_t dedup_core_high(const dedup_core_t *self, const char *sender, uint64_t incarnation)
{
    const sender_t *found = s_find(self, sender);
    return found == NULL || found->incarnation != incarnation ? 0 : found->window.high;
}

uint64_t dedup_core_newest(const dedup_core_t *self, const char *sender)
{
    const sender_t *found = s_find(self, sender);
    return found == NULL ? self->forgotten : found->incarnation;
}

bool dedup_core_is_untaken(const dedup_core_t *self, const char *sender, uint64_t incarnation)
{
    const sender_t *found = s_find(self, sender);
    if (incarnation <= self->forgotten || (found != NULL && incarnation == found->incarnation)) return false;
    if (found == NULL || incarnation > found->incarnation) return true;
    for (uint32_t i = 0; i < found->earlier_count; i++)
        if (found->earlier[i] == incarnation) return false;
    return !found->more_runs || (found->earlier_count > 0 && incarnation > found->earlier[0]);
}

uint64_t dedup_core_forgotten(const dedup_core_t *self)
{
    return self->forgotten;
}

void dedup_core_restore_forgotten(dedup_core_t *self, uint64_t incarnation)
{
    self->forgotten = incarnation;
}

/* The newest incarnation becomes an earlier one; a sender that was just made has none. */
static void s_begin_run(sender_t *self, uint64_t incarnation)
{
    if (self->incarnation != 0 && self->earlier_count == DEDUP_RUNS_KEPT) {
        memmove(&self->earlier[0], &self->earlier[1], (DEDUP_RUNS_KEPT - 1) * sizeof self->earlier[0]);
        self->earlier_count--;
        self->more_runs = true;
    }
    if (self->incarnation != 0) self->earlier[self->earlier_count++] = self->incarnation;
    self->incarnation = incarnation;
    self->window = (window_t){0};
    memset(self->bits, 0, sizeof self->bits);
}

void dedup_core_mark(dedup_core_t *self, const char *sender, uint64_t incarnation, uint64_t sender_seq)
{
    sender_t *found = s_find_or_make(self, sender);
    found->used_at = ++self->tick;
    if (incarnation < found->incarnation) return;
    if (incarnation > found->incarnation) s_begin_run(found, incarnation);
    window_mark(&found->window, found->bits, DEDUP_WINDOW, sender_seq);
}

/* ---- checkpoints ---- */
uint32_t dedup_core_count(const dedup_core_t *self)
{
    return self->senders_count;
}

static int s_compare_ages(const void *a, const void *b, void *arg)
{
    const sender_t *senders = arg;
    uint64_t x = senders[*(const uint32_t *)a].used_at, y = senders[*(const uint32_t *)b].used_at;
    return x < y ? -1 : x > y;
}

void dedup_core_save(const dedup_core_t *self, uint32_t at, zvt_saved_sender_t *saved)
{
    ZVT_ASSERT(at < self->senders_count);
    if (self->by_age_tick != self->tick) {
        dedup_core_t *scratch = (dedup_core_t *)(uintptr_t)self; /* only the scratch changes */
        for (uint32_t i = 0; i < self->senders_count; i++) scratch->by_age[i] = i;
        qsort_r(scratch->by_age, self->senders_count, sizeof *self->by_age, s_compare_ages, self->senders);
        scratch->by_age_tick = self->tick;
    }
    const sender_t *sender = &self->senders[self->by_age[at]];
    memset(saved, 0, sizeof *saved);
    ZVT_STR_SET(saved->name, sender->name);
    saved->incarnation = sender->incarnation;
    saved->high = sender->window.high;
    saved->contiguous = sender->window.contiguous;
    saved->window_count = DEDUP_WINDOW / 64;
    for (uint32_t i = 0; i < saved->window_count; i++) saved->window[i].word = sender->bits[i];
    saved->earlier_count = sender->earlier_count;
    for (uint32_t i = 0; i < saved->earlier_count; i++) saved->earlier[i].incarnation = sender->earlier[i];
    saved->all_runs = !sender->more_runs;
}

int dedup_core_restore(dedup_core_t *self, const zvt_saved_sender_t *saved)
{
    if (saved->window_count != DEDUP_WINDOW / 64) return ZVT_ERR_RANGE;
    if (s_find(self, saved->name) != NULL) return ZVT_ERR_EXISTS;
    if (self->senders_count == DEDUP_SENDERS_MAX) return ZVT_ERR_FULL;
    sender_t *sender = s_find_or_make(self, saved->name);
    sender->used_at = ++self->tick;
    sender->incarnation = saved->incarnation;
    sender->earlier_count = saved->earlier_count;
    for (uint32_t i = 0; i < saved->earlier_count; i++) sender->earlier[i] = saved->earlier[i].incarnation;
    sender->more_runs = !saved->all_runs; /* a checkpoint of before does not tell */
    sender->window.high = saved->high;
    sender->window.contiguous = saved->contiguous;
    for (uint32_t i = 0; i < saved->window_count; i++) sender->bits[i] = saved->window[i].word;
    return 0;
}
