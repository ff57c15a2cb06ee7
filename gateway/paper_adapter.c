#include "paper_adapter.h"

#include <stdlib.h>

#include "paper_core.h"
#include "zvt_link.h"
#include "zvt_socket.h"
#include "zvt_subscriber.h"

typedef struct {
    gateway_adapter_t adapter; /* first, so that a pointer to it is a pointer to us */
    paper_core_t core;
    zvt_link_t *link;
    zvt_subscriber_t *feed;
    zvt_hello_t identity; /* of the link; its cursor is what we acknowledge */
    uint64_t taken;       /* feed frames since our start */
    bool held;            /* acknowledge nothing */
    const gateway_adapter_events_t *events;
    void *events_arg;
} paper_adapter_t;

/* ---- market data ---- */
static void s_acknowledge(paper_adapter_t *self)
{
    self->identity.cursor = self->taken;
    zvt_link_hello(self->link);
}

static void s_on_feed(void *arg, const char *topic, zvt_cursor_t frame)
{
    paper_adapter_t *self = arg;
    (void)topic;
    paper_core_on_frame(&self->core, frame);
    self->taken++;
    if (!self->held && self->taken - self->identity.cursor >= PAPER_ADAPTER_ACK_EVERY) s_acknowledge(self);
}

static void s_hold_market_data(gateway_adapter_t *adapter, bool hold)
{
    paper_adapter_t *self = (paper_adapter_t *)adapter;
    if (self->held == hold) return;
    self->held = hold;
    if (!hold) s_acknowledge(self);
}

/* ---- order entry ---- */
static bool s_is_up(const gateway_adapter_t *adapter)
{
    return zvt_link_is_up(((const paper_adapter_t *)adapter)->link);
}

static int s_send(gateway_adapter_t *adapter, zvt_type_t type, const void *record)
{
    paper_adapter_t *self = (paper_adapter_t *)adapter;
    if (!zvt_link_is_up(self->link)) return ZVT_ERR_AGAIN;
    zvt_link_send(self->link, type, record);
    return 0;
}

static int s_place(gateway_adapter_t *adapter, const zvt_order_send_t *order)
{
    zvt_order_send_t spelled;
    int status = paper_core_spell_order(&((paper_adapter_t *)adapter)->core, order, &spelled);
    return status != 0 ? status : s_send(adapter, ZVT_T_ORDER_SEND, &spelled);
}

static int s_cancel(gateway_adapter_t *adapter, const zvt_order_cancel_t *cancel)
{
    return s_send(adapter, ZVT_T_ORDER_CANCEL, cancel);
}

static int s_query(gateway_adapter_t *adapter, const zvt_order_query_t *query)
{
    return s_send(adapter, ZVT_T_ORDER_QUERY, query);
}

static int s_reports_since(gateway_adapter_t *adapter, const zvt_reports_since_t *since)
{
    return s_send(adapter, ZVT_T_REPORTS_SINCE, since);
}

static int s_open_orders(gateway_adapter_t *adapter, const zvt_open_orders_query_t *query)
{
    return s_send(adapter, ZVT_T_OPEN_ORDERS_QUERY, query);
}

static int s_balances(gateway_adapter_t *adapter, const zvt_balances_query_t *query)
{
    return s_send(adapter, ZVT_T_BALANCES_QUERY, query);
}

static int s_account(gateway_adapter_t *adapter, const zvt_account_query_t *query)
{
    return s_send(adapter, ZVT_T_ACCOUNT_QUERY, query);
}

/* ---- the link ---- */
static void s_on_record(void *arg, const zvt_record_t *record)
{
    paper_adapter_t *self = arg;
    paper_core_on_record(&self->core, record);
}

static void s_on_up(void *arg, const zvt_hello_t *peer)
{
    paper_adapter_t *self = arg;
    self->events->on_up(self->events_arg, peer->incarnation, peer->cursor);
}

static void s_on_down(void *arg)
{
    paper_adapter_t *self = arg;
    self->events->on_down(self->events_arg);
}

static void s_on_hello(void *arg, const zvt_hello_t *peer)
{
    paper_adapter_t *self = arg;
    self->events->on_tip(self->events_arg, peer->cursor);
}

/* ---- life ---- */
static void s_destroy(gateway_adapter_t **adapter)
{
    paper_adapter_t *self = (paper_adapter_t *)*adapter;
    if (self == NULL) return;
    zvt_subscriber_destroy(&self->feed);
    zvt_link_destroy(&self->link);
    paper_core_destroy(&self->core);
    free(self);
    *adapter = NULL;
}

static const gateway_adapter_t s_functions = {
    .is_up = s_is_up,
    .place = s_place,
    .cancel = s_cancel,
    .query = s_query,
    .reports_since = s_reports_since,
    .open_orders = s_open_orders,
    .balances = s_balances,
    .account = s_account,
    .hold_market_data = s_hold_market_data,
    .destroy = s_destroy,
};

gateway_adapter_t *paper_adapter_new(zvt_loop_t *loop, const zvt_fleet_t *fleet, const char *venue, const zvt_hello_t *identity,
                                     const gateway_adapter_events_t *events, void *events_arg, char problem[ZVT_PROBLEM_SIZE])
{
    paper_adapter_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    if (paper_core_init(&self->core, fleet, venue, events, events_arg, problem) != 0) {
        free(self);
        return NULL;
    }
    self->adapter = s_functions;
    self->identity = *identity;
    self->events = events;
    self->events_arg = events_arg;
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "feed", venue);
    self->feed = zvt_subscriber_new_raw(loop, endpoint, s_on_feed, self);
    zvt_subscriber_add(self->feed, "");
    zvt_link_handler_t handler = {
        .on_record = s_on_record, .on_up = s_on_up, .on_down = s_on_down, .on_hello = s_on_hello, .arg = self};
    zvt_endpoint(endpoint, "venue", venue);
    self->link = zvt_link_new(loop, endpoint, &self->identity, &handler);
    return &self->adapter;
}
