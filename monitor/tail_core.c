#include "tail_core.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "zvt_map.h"

typedef struct {
    zvt_id_t correlation_id;
    char symbol[ZVT_SYMBOL_SIZE];
} saga_symbol_t;

struct tail_core {
    tail_filter_t filter;
    zvt_map_t *by_correlation; /* correlation id -> place in the ring */
    saga_symbol_t *ring;       /* TAIL_SAGAS_MAX places, filled in turn */
    uint64_t remembered;       /* sagas ever put into the ring */
};

tail_core_t *tail_core_new(const tail_filter_t *filter)
{
    tail_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->filter = *filter;
    self->by_correlation = zvt_map_new(sizeof(zvt_id_t), TAIL_SAGAS_MAX);
    self->ring = calloc(TAIL_SAGAS_MAX, sizeof *self->ring);
    ZVT_ASSERT(self->ring != NULL);
    return self;
}

void tail_core_destroy(tail_core_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->by_correlation);
    free((*self)->ring);
    free(*self);
    *self = NULL;
}

void tail_core_remember(tail_core_t *self, const zvt_id_t *correlation_id, const char *symbol)
{
    uint32_t at = zvt_map_get(self->by_correlation, correlation_id);
    if (at != ZVT_MAP_NONE) {
        ZVT_STR_SET(self->ring[at].symbol, symbol);
        return;
    }
    at = (uint32_t)(self->remembered % TAIL_SAGAS_MAX);
    if (self->remembered >= TAIL_SAGAS_MAX) zvt_map_remove(self->by_correlation, &self->ring[at].correlation_id);
    self->ring[at].correlation_id = *correlation_id;
    ZVT_STR_SET(self->ring[at].symbol, symbol);
    ZVT_ASSERT(zvt_map_put(self->by_correlation, correlation_id, at) == 0);
    self->remembered++;
}

const char *tail_core_recall(const tail_core_t *self, const zvt_id_t *correlation_id)
{
    uint32_t at = zvt_map_get(self->by_correlation, correlation_id);
    return at == ZVT_MAP_NONE ? NULL : self->ring[at].symbol;
}

bool tail_core_wants_type(const tail_core_t *self, zvt_type_t type)
{
    const arg_texts_t *types = self->filter.types;
    for (size_t i = 0; types != NULL && i < types->count; i++)
        if (strncmp(zvt_type_name(type), types->items[i], strlen(types->items[i])) == 0) return true;
    return types == NULL || types->count == 0;
}

static bool s_is_a_type(const char *prefix, bool market)
{
    for (unsigned type = 1; type < ZVT_T_LIMIT; type++) {
        const zvt_desc_t *desc = zvt_desc((zvt_type_t)type);
        bool shown = desc != NULL && (desc->class == ZVT_CLASS_LOGGED || (market && desc->class == ZVT_CLASS_MARKET));
        if (shown && strncmp(zvt_type_name((zvt_type_t)type), prefix, strlen(prefix)) == 0) return true;
    }
    return false;
}

const char *tail_core_unknown_type(const arg_texts_t *types, bool market)
{
    for (size_t i = 0; i < types->count; i++)
        if (!s_is_a_type(types->items[i], market)) return types->items[i];
    return NULL;
}

bool tail_core_wants_header(const tail_core_t *self, const zvt_event_t *event)
{
    const zvt_id_t *wanted = &self->filter.correlation_id;
    if (!zvt_id_is_none(wanted) && !zvt_id_equal(wanted, &event->correlation_id)) return false;
    return tail_core_wants_type(self, event->type);
}

bool tail_core_wants_symbol(const tail_core_t *self, const char *symbol)
{
    if (self->filter.symbol == NULL) return true;
    return symbol != NULL && strcasecmp(symbol, self->filter.symbol) == 0;
}

bool tail_core_needs_symbol(const tail_core_t *self)
{
    return self->filter.symbol != NULL;
}
