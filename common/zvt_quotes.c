#include "zvt_quotes.h"

#include <stdlib.h>

#include "zvt_subscriber.h"

struct zvt_quotes {
    zvt_service_t *service;
    zvt_subscriber_t *markets[ZVT_VENUES_MAX];
    zvt_quotes_fn *on_quote;
    void *arg;
};

static void s_on_market(void *arg, const char *topic, const zvt_record_t *record)
{
    zvt_quotes_t *self = arg;
    (void)topic;
    if (record->type != ZVT_T_PRICE_UPDATED) return;
    ZVT_COUNT("quotes");
    int64_t now_ns = zvt_loop_monotonic_ns(zvt_service_loop(self->service));
    if (self->on_quote(self->arg, &record->price_updated, now_ns) != 0) ZVT_COUNT("quotes_refused");
}

zvt_quotes_t *zvt_quotes_new(zvt_service_t *service, zvt_quotes_fn *on_quote, void *arg)
{
    zvt_quotes_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->service = service;
    self->on_quote = on_quote;
    self->arg = arg;
    const zvt_fleet_t *fleet = zvt_service_fleet(service);
    for (uint32_t i = 0; i < fleet->venues_count; i++) {
        char endpoint[ZVT_ENDPOINT_SIZE];
        zvt_endpoint(endpoint, "market", fleet->venues[i].name);
        self->markets[i] = zvt_subscriber_new(zvt_service_loop(service), endpoint, s_on_market, self);
        zvt_subscriber_add(self->markets[i], "quote.");
    }
    return self;
}

void zvt_quotes_destroy(zvt_quotes_t **self)
{
    if (*self == NULL) return;
    for (size_t i = 0; i < ZVT_VENUES_MAX; i++) zvt_subscriber_destroy(&(*self)->markets[i]);
    free(*self);
    *self = NULL;
}
