#include "rate_window.h"

#include <stdlib.h>
#include <string.h>

#include "zvt_map.h"
#include "zvt_time.h"

enum { RING = RATE_SLOTS + 1 }; /* the slot that is filling, beside a whole second of full ones */
#define SLOT_NS (ZVT_SECOND_NS / RATE_SLOTS)

typedef struct {
    char strategy_id[ZVT_NAME_SIZE];
    int64_t slot;          /* number of the newest slot, counted from the clock's zero */
    uint32_t total;        /* sum of counts */
    uint32_t counts[RING]; /* by slot number modulo RING */
} window_t;

struct rate_window {
    zvt_map_t *strategies; /* strategy_id -> window */
    uint32_t count;        /* windows ever used */
    uint32_t hand;         /* where the search for an idle window goes on */
    window_t windows[RATE_STRATEGIES_MAX];
};

rate_window_t *rate_window_new(void)
{
    rate_window_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->strategies = zvt_map_new(ZVT_NAME_SIZE, RATE_STRATEGIES_MAX);
    return self;
}

void rate_window_destroy(rate_window_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->strategies);
    free(*self);
    *self = NULL;
}

/* Moves a window on to the present and forgets the slots that it leaves behind. */
static void s_advance(window_t *window, int64_t now_ns)
{
    int64_t slot = now_ns / SLOT_NS;
    if (slot - window->slot >= RING) {
        memset(window->counts, 0, sizeof window->counts);
        window->total = 0;
        window->slot = slot;
    }
    while (window->slot < slot) {
        window->slot++;
        window->total -= window->counts[window->slot % RING];
        window->counts[window->slot % RING] = 0;
    }
}

uint32_t rate_window_count(rate_window_t *self, const char strategy_id[ZVT_NAME_SIZE], int64_t now_ns)
{
    uint32_t index = zvt_map_get(self->strategies, strategy_id);
    if (index == ZVT_MAP_NONE) return 0;
    s_advance(&self->windows[index], now_ns);
    return self->windows[index].total;
}

/* A window that nobody has used, or whose strategy was idle for a second; NULL when all are busy. */
static window_t *s_take_window(rate_window_t *self, int64_t now_ns)
{
    if (self->count < RATE_STRATEGIES_MAX) return &self->windows[self->count++];
    for (uint32_t tried = 0; tried < RATE_STRATEGIES_MAX; tried++) {
        window_t *window = &self->windows[self->hand++ % RATE_STRATEGIES_MAX];
        s_advance(window, now_ns);
        if (window->total > 0) continue;
        ZVT_ASSERT(zvt_map_remove(self->strategies, window->strategy_id));
        return window;
    }
    return NULL;
}

static window_t *s_window(rate_window_t *self, const char *strategy_id, int64_t now_ns)
{
    uint32_t index = zvt_map_get(self->strategies, strategy_id);
    if (index != ZVT_MAP_NONE) return &self->windows[index];
    window_t *window = s_take_window(self, now_ns);
    if (window == NULL) return NULL;
    memset(window, 0, sizeof *window);
    memcpy(window->strategy_id, strategy_id, sizeof window->strategy_id);
    ZVT_ASSERT(zvt_map_put(self->strategies, window->strategy_id, (uint32_t)(window - self->windows)) == 0);
    return window;
}

int rate_window_add(rate_window_t *self, const char strategy_id[ZVT_NAME_SIZE], int64_t now_ns)
{
    window_t *window = s_window(self, strategy_id, now_ns);
    if (window == NULL) return ZVT_ERR_FULL;
    s_advance(window, now_ns);
    window->counts[window->slot % RING]++;
    window->total++;
    return 0;
}
