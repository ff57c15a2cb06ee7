#include "admission_core.h"

#include <stdlib.h>
#include <string.h>

#include "zvt_map.h"
#include "zvt_time.h"

enum { SEARCH_MAX = 64 }; /* places looked at for one that is idle: what a refusal may cost */

typedef struct {
    char strategy_id[ZVT_NAME_SIZE];
    int64_t full_ns; /* when the bucket is full again; every token taken moves it on by one interval */
} bucket_t;

struct admission_core {
    int64_t rate_hz;
    int64_t interval_ns; /* between two tokens */
    zvt_map_t *by_strategy;
    uint32_t count;      /* buckets ever used */
    uint32_t hand;       /* where the search for an idle bucket goes on */
    bucket_t buckets[ADMISSION_STRATEGIES_MAX];
};

admission_core_t *admission_core_new(int64_t rate_hz)
{
    admission_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    ZVT_ASSERT(rate_hz > 0);
    self->rate_hz = rate_hz;
    self->interval_ns = ZVT_SECOND_NS / rate_hz;
    self->by_strategy = zvt_map_new(ZVT_NAME_SIZE, ADMISSION_STRATEGIES_MAX);
    return self;
}

void admission_core_destroy(admission_core_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->by_strategy);
    free(*self);
    *self = NULL;
}

/* A place that nobody has used, or whose bucket is full again: forgetting it changes nothing. NULL: none was found. */
static bucket_t *s_place(admission_core_t *self, int64_t now_ns)
{
    if (self->count < ADMISSION_STRATEGIES_MAX) return &self->buckets[self->count++];
    for (uint32_t tried = 0; tried < SEARCH_MAX; tried++) {
        bucket_t *bucket = &self->buckets[self->hand++ % ADMISSION_STRATEGIES_MAX];
        if (bucket->full_ns > now_ns) continue;
        ZVT_ASSERT(zvt_map_remove(self->by_strategy, bucket->strategy_id));
        return bucket;
    }
    return NULL;
}

static bucket_t *s_bucket(admission_core_t *self, const char *strategy_id, int64_t now_ns)
{
    char key[ZVT_NAME_SIZE];
    ZVT_STR_SET(key, strategy_id);
    uint32_t index = zvt_map_get(self->by_strategy, key);
    if (index != ZVT_MAP_NONE) return &self->buckets[index];
    bucket_t *bucket = s_place(self, now_ns);
    if (bucket == NULL) return NULL;
    memcpy(bucket->strategy_id, key, sizeof key);
    bucket->full_ns = now_ns;
    ZVT_ASSERT(zvt_map_put(self->by_strategy, key, (uint32_t)(bucket - self->buckets)) == 0);
    return bucket;
}

bool admission_core_take(admission_core_t *self, const char *strategy_id, int64_t now_ns)
{
    bucket_t *bucket = s_bucket(self, strategy_id, now_ns);
    if (bucket == NULL) return false;
    int64_t full_ns = (bucket->full_ns > now_ns ? bucket->full_ns : now_ns) + self->interval_ns;
    if (full_ns - now_ns > ZVT_SECOND_NS) return false; /* an empty bucket takes a second to fill */
    bucket->full_ns = full_ns;
    return true;
}

int64_t admission_core_rate_hz(const admission_core_t *self)
{
    return self->rate_hz;
}
