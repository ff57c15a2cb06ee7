#include "admission_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_map.h"

#define NONE UINT32_MAX /* end of a list of indices */

/* Neighbours in a list of table indices. */
typedef struct {
    uint32_t older, newer;
} link_t;

/* Least recently used first. */
typedef struct {
    uint32_t oldest, newest;
} list_t;

typedef struct {
    char name[ZVT_NAME_SIZE];
    int64_t full_ns;  /* when the bucket is full again; every token taken moves it on by one interval */
    int64_t since_ns; /* of its first order */
    uint32_t sender;  /* who brought it */
    bool counts;      /* among its sender's strategies */
} strategy_t;

typedef struct {
    char name[ZVT_NAME_SIZE];
    int64_t full_ns;       /* of the bucket for orders */
    int64_t names_full_ns; /* of the bucket for new strategies */
    uint32_t strategies;   /* that it has brought */
    uint32_t counting;     /* of them, those that its rate is made of */
    list_t own;            /* they themselves */
} sender_t;

struct admission_core {
    int64_t rate_hz;
    int64_t new_full_ns;         /* of the bucket for new senders and strategies of all */
    zvt_map_t *strategies_by_name;
    zvt_map_t *senders_by_name;
    list_t by_use;               /* all strategies */
    list_t senders_by_use;
    uint32_t senders_count;      /* places ever used */
    uint32_t free_count;
    uint32_t free[ADMISSION_STRATEGIES_MAX]; /* places of strategies, a stack */
    link_t use_links[ADMISSION_STRATEGIES_MAX];
    link_t own_links[ADMISSION_STRATEGIES_MAX];
    link_t sender_links[ADMISSION_SENDERS_MAX];
    strategy_t strategies[ADMISSION_STRATEGIES_MAX];
    sender_t senders[ADMISSION_SENDERS_MAX];
};

admission_core_t *admission_core_new(int64_t rate_hz)
{
    admission_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    ZVT_ASSERT(rate_hz > 0);
    self->rate_hz = rate_hz;
    self->strategies_by_name = zvt_map_new(ZVT_NAME_SIZE, ADMISSION_STRATEGIES_MAX);
    self->senders_by_name = zvt_map_new(ZVT_NAME_SIZE, ADMISSION_SENDERS_MAX);
    self->by_use = self->senders_by_use = (list_t){.oldest = NONE, .newest = NONE};
    self->free_count = ADMISSION_STRATEGIES_MAX;
    for (uint32_t i = 0; i < ADMISSION_STRATEGIES_MAX; i++) self->free[i] = ADMISSION_STRATEGIES_MAX - 1 - i;
    return self;
}

void admission_core_destroy(admission_core_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->strategies_by_name);
    zvt_map_destroy(&(*self)->senders_by_name);
    free(*self);
    *self = NULL;
}

/* ---- lists ---- */
static void s_append(list_t *list, link_t *links, uint32_t index)
{
    links[index] = (link_t){.older = list->newest, .newer = NONE};
    if (list->newest == NONE)
        list->oldest = index;
    else
        links[list->newest].newer = index;
    list->newest = index;
}

static void s_unlink(list_t *list, link_t *links, uint32_t index)
{
    link_t link = links[index];
    if (link.older == NONE)
        list->oldest = link.newer;
    else
        links[link.older].newer = link.newer;
    if (link.newer == NONE)
        list->newest = link.older;
    else
        links[link.newer].older = link.older;
}

static void s_touch(list_t *list, link_t *links, uint32_t index)
{
    if (list->newest == index) return;
    s_unlink(list, links, index);
    s_append(list, links, index);
}

/* ---- buckets ---- */
/* When a bucket would be full again after one more token. */
static int64_t s_next_ns(int64_t full_ns, int64_t interval_ns, int64_t now_ns)
{
    return (full_ns > now_ns ? full_ns : now_ns) + interval_ns;
}

/* An empty bucket takes `depth_ns` to fill. */
static bool s_has(int64_t full_ns, int64_t interval_ns, int64_t depth_ns, int64_t now_ns)
{
    return s_next_ns(full_ns, interval_ns, now_ns) - now_ns <= depth_ns;
}

static bool s_has_new(const admission_core_t *self, int64_t now_ns)
{
    return s_has(self->new_full_ns, ADMISSION_NEW_NS, ADMISSION_NEW_MAX * ADMISSION_NEW_NS, now_ns);
}

static void s_spend_new(admission_core_t *self, int64_t now_ns)
{
    self->new_full_ns = s_next_ns(self->new_full_ns, ADMISSION_NEW_NS, now_ns);
}

/* ---- strategies ---- */
static void s_drop_strategy(admission_core_t *self, uint32_t index)
{
    strategy_t *strategy = &self->strategies[index];
    sender_t *sender = &self->senders[strategy->sender];
    ZVT_ASSERT(zvt_map_remove(self->strategies_by_name, strategy->name));
    s_unlink(&self->by_use, self->use_links, index);
    s_unlink(&sender->own, self->own_links, index);
    sender->strategies--;
    sender->counting -= strategy->counts;
    self->free[self->free_count++] = index;
}

/* A strategy that is not known; its tokens have been looked at. */
static strategy_t *s_add_strategy(admission_core_t *self, sender_t *sender, const char name[ZVT_NAME_SIZE], int64_t now_ns)
{
    if (sender->strategies == ADMISSION_OF_SENDER_MAX)
        s_drop_strategy(self, sender->own.oldest);
    else if (self->free_count == 0)
        s_drop_strategy(self, self->by_use.oldest);
    uint32_t index = self->free[--self->free_count];
    strategy_t *strategy = &self->strategies[index];
    *strategy = (strategy_t){.full_ns = now_ns, .since_ns = now_ns, .sender = (uint32_t)(sender - self->senders)};
    memcpy(strategy->name, name, sizeof strategy->name);
    ZVT_ASSERT(zvt_map_put(self->strategies_by_name, strategy->name, index) == 0);
    s_append(&self->by_use, self->use_links, index);
    s_append(&sender->own, self->own_links, index);
    sender->strategies++;
    return strategy;
}

/* Makes a strategy known. Its first order is paid for by the name. */
static admission_verdict_t s_introduce(admission_core_t *self, sender_t *sender, const char name[ZVT_NAME_SIZE], int64_t now_ns)
{
    const int64_t depth_ns = ADMISSION_OF_SENDER_MAX * ADMISSION_OF_SENDER_NS;
    if (!s_has(sender->names_full_ns, ADMISSION_OF_SENDER_NS, depth_ns, now_ns)) return ADMISSION_SENDER_NAMES;
    if (!s_has_new(self, now_ns)) return ADMISSION_NEW_NAMES;
    sender->names_full_ns = s_next_ns(sender->names_full_ns, ADMISSION_OF_SENDER_NS, now_ns);
    s_spend_new(self, now_ns);
    strategy_t *strategy = s_add_strategy(self, sender, name, now_ns);
    strategy->full_ns = s_next_ns(strategy->full_ns, ZVT_SECOND_NS / self->rate_hz, now_ns);
    return ADMISSION_TAKEN;
}

/* ---- senders ---- */
/* The place of a new sender: a fresh one, or that of the sender silent for longest, whose strategies leave with it. */
static uint32_t s_sender_place(admission_core_t *self)
{
    if (self->senders_count < ADMISSION_SENDERS_MAX) return self->senders_count++;
    uint32_t index = self->senders_by_use.oldest;
    while (self->senders[index].own.oldest != NONE) s_drop_strategy(self, self->senders[index].own.oldest);
    ZVT_ASSERT(zvt_map_remove(self->senders_by_name, self->senders[index].name));
    s_unlink(&self->senders_by_use, self->sender_links, index);
    return index;
}

/* Finds a sender or makes it known; NULL when too many names are new. */
static sender_t *s_sender(admission_core_t *self, const char name[ZVT_NAME_SIZE], int64_t now_ns)
{
    uint32_t index = zvt_map_get(self->senders_by_name, name);
    if (index != ZVT_MAP_NONE) {
        s_touch(&self->senders_by_use, self->sender_links, index);
        return &self->senders[index];
    }
    if (!s_has_new(self, now_ns)) return NULL;
    s_spend_new(self, now_ns);
    index = s_sender_place(self);
    sender_t *sender = &self->senders[index];
    *sender = (sender_t){.full_ns = now_ns, .names_full_ns = now_ns, .own = {.oldest = NONE, .newest = NONE}};
    memcpy(sender->name, name, sizeof sender->name);
    ZVT_ASSERT(zvt_map_put(self->senders_by_name, sender->name, index) == 0);
    s_append(&self->senders_by_use, self->sender_links, index);
    return sender;
}

/* Between two tokens of a sender; 0, and so without a limit, above a billion a second. */
static int64_t s_sender_interval_ns(const admission_core_t *self, const sender_t *sender)
{
    int64_t factor = sender->counting > ADMISSION_SENDER_FACTOR ? sender->counting : ADMISSION_SENDER_FACTOR;
    return ZVT_SECOND_NS / (self->rate_hz * factor);
}

/* ---- orders ---- */
/* A strategy that comes again after a second is one of those that its sender trades for. */
static void s_count(admission_core_t *self, strategy_t *strategy, int64_t now_ns)
{
    if (strategy->counts || now_ns - strategy->since_ns < ZVT_SECOND_NS) return;
    strategy->counts = true;
    self->senders[strategy->sender].counting++;
}

admission_verdict_t admission_core_take(admission_core_t *self, const char *sender_name, const char *strategy_id, int64_t now_ns)
{
    char sender_key[ZVT_NAME_SIZE], key[ZVT_NAME_SIZE];
    ZVT_STR_SET(sender_key, sender_name);
    ZVT_STR_SET(key, strategy_id);
    sender_t *sender = s_sender(self, sender_key, now_ns);
    if (sender == NULL) return ADMISSION_NEW_NAMES;
    uint32_t index = zvt_map_get(self->strategies_by_name, key);
    if (index == ZVT_MAP_NONE) return s_introduce(self, sender, key, now_ns);
    strategy_t *strategy = &self->strategies[index];
    int64_t interval_ns = ZVT_SECOND_NS / self->rate_hz, sender_interval_ns = s_sender_interval_ns(self, sender);
    if (!s_has(strategy->full_ns, interval_ns, ZVT_SECOND_NS, now_ns)) return ADMISSION_STRATEGY_RATE;
    if (!s_has(sender->full_ns, sender_interval_ns, ZVT_SECOND_NS, now_ns)) return ADMISSION_SENDER_RATE;
    strategy->full_ns = s_next_ns(strategy->full_ns, interval_ns, now_ns);
    sender->full_ns = s_next_ns(sender->full_ns, sender_interval_ns, now_ns);
    s_count(self, strategy, now_ns);
    s_touch(&self->by_use, self->use_links, index);
    s_touch(&self->senders[strategy->sender].own, self->own_links, index);
    return ADMISSION_TAKEN;
}

void admission_core_explain(const admission_core_t *self, admission_verdict_t verdict, char message[ZVT_MESSAGE_SIZE])
{
    switch (verdict) {
    case ADMISSION_SENDER_RATE:
        snprintf(message, ZVT_MESSAGE_SIZE, "max_signals_per_second=%" PRId64 " for each strategy of this sender, together; not recorded", self->rate_hz);
        break;
    case ADMISSION_SENDER_NAMES:
        snprintf(message, ZVT_MESSAGE_SIZE, "this sender has brought %d new strategies; it may bring another every %" PRId64 " s; not recorded",
                 ADMISSION_OF_SENDER_MAX, ADMISSION_OF_SENDER_NS / ZVT_SECOND_NS);
        break;
    case ADMISSION_NEW_NAMES:
        snprintf(message, ZVT_MESSAGE_SIZE, "too many new senders and strategies; %" PRId64 " a second are taken; not recorded", ZVT_SECOND_NS / ADMISSION_NEW_NS);
        break;
    default:
        snprintf(message, ZVT_MESSAGE_SIZE, "max_signals_per_second=%" PRId64 "; not recorded", self->rate_hz);
        break;
    }
}
