#include "rate_window.h"

#include <stdlib.h>
#include <string.h>

#include "zvt_map.h"
#include "zvt_time.h"

#define NONE UINT32_MAX
enum { RING = RATE_SLOTS + 1 }; /* the slot that is filling, beside a whole second of full ones */
#define SLOT_NS (ZVT_SECOND_NS / RATE_SLOTS)

typedef struct {
    char strategy_id[ZVT_NAME_SIZE];
    int64_t slot;          /* number of the newest slot, counted from the clock's zero */
    uint32_t total;        /* sum of counts */
    uint32_t counts[RING]; /* by slot number modulo RING */
    uint32_t older, newer; /* neighbours by their last order */
} window_t;

struct rate_window {
    zvt_map_t *strategies; /* strategy_id -> window */
    uint32_t count;        /* windows ever used */
    uint32_t oldest, newest; /* by their last order; NONE: there is none */
    window_t windows[RATE_STRATEGIES_MAX];
};

rate_window_t *rate_window_new(void)
{
    rate_window_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->strategies = zvt_map_new(ZVT_NAME_SIZE, RATE_STRATEGIES_MAX);
    self->oldest = self->newest = NONE;
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

static void s_unlink(rate_window_t *self, const window_t *window)
{
    if (window->older == NONE)
        self->oldest = window->newer;
    else
        self->windows[window->older].newer = window->newer;
    if (window->newer == NONE)
        self->newest = window->older;
    else
        self->windows[window->newer].older = window->older;
}

static void s_append(rate_window_t *self, window_t *window)
{
    uint32_t index = (uint32_t)(window - self->windows);
    window->older = self->newest;
    window->newer = NONE;
    if (self->newest == NONE)
        self->oldest = index;
    else
        self->windows[self->newest].newer = index;
    self->newest = index;
}

/* A window that nobody has used, or that of the strategy idle for longest; NULL when that one has ordered within a second,
 * because forgetting it would let it exceed its limit. */
static window_t *s_take_window(rate_window_t *self, int64_t now_ns)
{
    if (self->count < RATE_STRATEGIES_MAX) return &self->windows[self->count++];
    window_t *window = &self->windows[self->oldest];
    s_advance(window, now_ns);
    if (window->total > 0) return NULL;
    ZVT_ASSERT(zvt_map_remove(self->strategies, window->strategy_id));
    s_unlink(self, window);
    return window;
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
    s_append(self, window);
    return window;
}

int rate_window_add(rate_window_t *self, const char strategy_id[ZVT_NAME_SIZE], int64_t now_ns)
{
    window_t *window = s_window(self, strategy_id, now_ns);
    if (window == NULL) return ZVT_ERR_FULL;
    s_advance(window, now_ns);
    window->counts[window->slot % RING]++;
    window->total++;
    s_unlink(self, window);
    s_append(self, window);
    return 0;
}
