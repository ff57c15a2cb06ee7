/* Mirrors gateway_main.c, with the real paper adapter. Durable: the epoch. */
#include <stdlib.h>
#include <string.h>

#include "batch_core.h"
#include "market_core.h"
#include "order_entry_core.h"
#include "paper_adapter.h"
#include "sim_faults.h"
#include "sim_oracle.h"
#include "sim_procs.h"

enum { INSTRUMENTS_MAX = 16, TOPIC_SIZE = 64 };
typedef enum { TOPIC_QUOTE, TOPIC_TRADE, TOPIC_BOOK, TOPIC_KINDS } topic_kind_t;

typedef struct {
    sim_proc_t *proc;
    const char *venue;
    gateway_adapter_t *adapter;
    gateway_adapter_t watched; /* the adapter as the core sees it: what leaves for the venue is looked at first */
    uint64_t venue_incarnation;
    bool store_failed; /* while the present record was handled */
    market_core_t *market;
    order_entry_core_t *orders;
    zvt_hub_t *hub;
    sim_pub_t *pub;
    batch_core_t batch;
    char topics[INSTRUMENTS_MAX][TOPIC_KINDS][TOPIC_SIZE];
    char status_topic[TOPIC_SIZE];
} gateway_t;

static uint64_t s_epochs[SIM_VENUES]; /* the files */

void sim_gateway_reset(void)
{
    memset(s_epochs, 0, sizeof s_epochs);
}

/* ---- market data out ---- */
static void s_publish(void *arg, const char *topic, const void *data, size_t length)
{
    sim_pub_send(((gateway_t *)arg)->pub, topic, data, length);
}

static void s_emit_market(void *arg, uint32_t instrument, zvt_type_t type, const void *record)
{
    gateway_t *self = arg;
    static const topic_kind_t kinds[ZVT_T_LIMIT] = {
        [ZVT_T_PRICE_UPDATED] = TOPIC_QUOTE, [ZVT_T_TRADE_TICK] = TOPIC_TRADE, [ZVT_T_ORDERBOOK_UPDATED] = TOPIC_BOOK};
    const char *topic = instrument == MARKET_CORE_VENUE ? self->status_topic : self->topics[instrument][kinds[type]];
    batch_core_add(&self->batch, topic, type, record);
}

static void s_make_topics(gateway_t *self)
{
    static const char *const prefixes[TOPIC_KINDS] = {[TOPIC_QUOTE] = "quote", [TOPIC_TRADE] = "trade", [TOPIC_BOOK] = "book"};
    ZVT_ASSERT(sim.fleet->instruments_count <= INSTRUMENTS_MAX);
    for (uint32_t i = 0; i < sim.fleet->instruments_count; i++)
        for (int kind = 0; kind < TOPIC_KINDS; kind++)
            snprintf(self->topics[i][kind], TOPIC_SIZE, "%s.%s.%s", prefixes[kind], self->venue, sim.fleet->instruments[i].symbol);
    snprintf(self->status_topic, TOPIC_SIZE, "status.%s", self->venue);
}

/* ---- the adapter's events ---- */
static void s_on_up(void *arg, uint64_t incarnation, uint64_t venue_seq)
{
    gateway_t *self = arg;
    market_core_on_up(self->market, incarnation != self->venue_incarnation);
    self->venue_incarnation = incarnation;
    order_entry_core_on_up(self->orders, incarnation, venue_seq);
}

static void s_on_down(void *arg)
{
    gateway_t *self = arg;
    market_core_on_down(self->market);
    order_entry_core_on_down(self->orders);
}

static void s_on_tip(void *arg, uint64_t venue_seq)
{
    order_entry_core_on_tip(((gateway_t *)arg)->orders, venue_seq);
}

static void s_on_quote(void *arg, uint32_t instrument, const zvt_price_updated_t *quote)
{
    market_core_on_quote(((gateway_t *)arg)->market, instrument, quote);
}

static void s_on_trade(void *arg, uint32_t instrument, const zvt_trade_tick_t *trade)
{
    market_core_on_trade(((gateway_t *)arg)->market, instrument, trade);
}

static void s_on_book(void *arg, uint32_t instrument, const zvt_orderbook_updated_t *book)
{
    market_core_on_book(((gateway_t *)arg)->market, instrument, book);
}

static void s_on_status(void *arg, const zvt_market_status_t *status)
{
    market_core_on_status(((gateway_t *)arg)->market, status);
}

static void s_on_report(void *arg, const zvt_report_t *report)
{
    order_entry_core_on_report(((gateway_t *)arg)->orders, report);
}

static void s_on_cancel_result(void *arg, const zvt_cancel_result_t *result)
{
    order_entry_core_on_cancel_result(((gateway_t *)arg)->orders, result);
}

static void s_on_order_status(void *arg, const zvt_order_status_t *status)
{
    order_entry_core_on_order_status(((gateway_t *)arg)->orders, status);
}

static void s_on_reports_end(void *arg, const zvt_reports_tip_t *tip)
{
    order_entry_core_on_reports_end(((gateway_t *)arg)->orders, tip);
}

static void s_on_balance(void *arg, const zvt_balance_t *balance)
{
    order_entry_core_on_balance(((gateway_t *)arg)->orders, balance);
}

static void s_on_list_end(void *arg, const zvt_list_end_t *end)
{
    order_entry_core_on_list_end(((gateway_t *)arg)->orders, end);
}

static void s_on_account_order(void *arg, const zvt_account_order_t *row)
{
    order_entry_core_on_account_order(((gateway_t *)arg)->orders, row);
}

static void s_on_account_asset(void *arg, const zvt_account_asset_t *row)
{
    order_entry_core_on_account_asset(((gateway_t *)arg)->orders, row);
}

static void s_on_account_snapshot(void *arg, const zvt_account_snapshot_t *end)
{
    order_entry_core_on_account_snapshot(((gateway_t *)arg)->orders, end);
}

static const gateway_adapter_events_t s_events = {
    .on_up = s_on_up, .on_down = s_on_down, .on_tip = s_on_tip, .on_quote = s_on_quote, .on_trade = s_on_trade,
    .on_book = s_on_book, .on_status = s_on_status, .on_report = s_on_report, .on_cancel_result = s_on_cancel_result,
    .on_order_status = s_on_order_status, .on_reports_end = s_on_reports_end, .on_balance = s_on_balance,
    .on_list_end = s_on_list_end,
    .on_account_order = s_on_account_order,
    .on_account_asset = s_on_account_asset,
    .on_account_snapshot = s_on_account_snapshot,
};

/* ---- the way to the venue, watched ---- */
static gateway_t *s_of(gateway_adapter_t *watched)
{
    return (gateway_t *)((char *)watched - offsetof(gateway_t, watched));
}

static int s_place(gateway_adapter_t *watched, const zvt_order_send_t *order)
{
    gateway_t *self = s_of(watched);
    int status = self->adapter->place(self->adapter, order);
    if (status == 0) sim_oracle_on_pass(self->proc->index, ZVT_T_ORDER_SEND, order);
    return status;
}

static int s_cancel(gateway_adapter_t *watched, const zvt_order_cancel_t *cancel)
{
    gateway_t *self = s_of(watched);
    int status = self->adapter->cancel(self->adapter, cancel);
    if (status == 0) sim_oracle_on_pass(self->proc->index, ZVT_T_ORDER_CANCEL, cancel);
    return status;
}

static int s_query(gateway_adapter_t *watched, const zvt_order_query_t *query)
{
    gateway_t *self = s_of(watched);
    int status = self->adapter->query(self->adapter, query);
    if (status == 0) sim_oracle_on_pass(self->proc->index, ZVT_T_ORDER_QUERY, query);
    return status;
}

static int s_reports_since(gateway_adapter_t *watched, const zvt_reports_since_t *since)
{
    gateway_t *self = s_of(watched);
    return self->adapter->reports_since(self->adapter, since);
}

static int s_open_orders(gateway_adapter_t *watched, const zvt_open_orders_query_t *query)
{
    gateway_t *self = s_of(watched);
    return self->adapter->open_orders(self->adapter, query);
}

static int s_balances(gateway_adapter_t *watched, const zvt_balances_query_t *query)
{
    gateway_t *self = s_of(watched);
    return self->adapter->balances(self->adapter, query);
}

static int s_account(gateway_adapter_t *watched, const zvt_account_query_t *query)
{
    gateway_t *self = s_of(watched);
    return self->adapter->account(self->adapter, query);
}

static const gateway_adapter_t s_watch = {.place = s_place, .cancel = s_cancel, .query = s_query,
                                          .reports_since = s_reports_since, .open_orders = s_open_orders, .balances = s_balances, .account = s_account};

/* ---- order entry ---- */
static order_entry_now_t s_now(void)
{
    return (order_entry_now_t){.utc_ns = sim_utc_ns(), .monotonic_ns = sim.now_ns};
}

static void s_send(void *arg, const zvt_peer_t *peer, zvt_type_t type, const void *record)
{
    zvt_hub_send(((gateway_t *)arg)->hub, peer, type, record);
}

static int s_store_epoch(void *arg, uint64_t epoch)
{
    gateway_t *self = arg;
    self->store_failed = sim_faults_store_fails();
    if (self->store_failed) return ZVT_ERR_IO;
    s_epochs[self->proc->index] = epoch;
    return 0;
}

static void s_answer_quotes(gateway_t *self, const zvt_peer_t *peer)
{
    zvt_list_end_t end = {.count = 0};
    market_core_flush(self->market);
    for (uint32_t i = 0; i < sim.fleet->instruments_count; i++) {
        const zvt_price_updated_t *quote = market_core_quote(self->market, i);
        if (quote == NULL) continue;
        zvt_hub_send(self->hub, peer, ZVT_T_PRICE_UPDATED, quote);
        end.count++;
    }
    zvt_hub_send(self->hub, peer, ZVT_T_LIST_END, &end);
}

static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    gateway_t *self = arg;
    self->store_failed = false;
    if (record->type == ZVT_T_QUOTES_QUERY)
        s_answer_quotes(self, peer);
    else
        (void)order_entry_core_on_request(self->orders, peer, record, s_now());
    if (!self->store_failed) sim_oracle_on_told(self->proc->index, record->type, &record->hello);
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    gateway_t *self = arg;
    self->store_failed = false;
    order_entry_core_on_hello(self->orders, peer, hello);
    if (!self->store_failed) sim_oracle_on_told(self->proc->index, ZVT_T_HELLO, hello);
    reply->epoch = order_entry_core_epoch(self->orders);
    reply->cursor = order_entry_core_venue_seq(self->orders);
}

static void s_on_round(void *arg)
{
    gateway_t *self = arg;
    market_core_flush(self->market);
    batch_core_flush(&self->batch);
}

static void s_on_second(void *arg)
{
    gateway_t *self = arg;
    market_core_repeat_status(self->market);
    order_entry_core_on_time(self->orders, s_now());
}

void *sim_gateway_start(sim_proc_t *proc)
{
    gateway_t *self = calloc(1, sizeof *self);
    char problem[ZVT_PROBLEM_SIZE], endpoint[ZVT_ENDPOINT_SIZE];
    ZVT_ASSERT(self != NULL);
    self->proc = proc;
    self->venue = sim.fleet->venues[proc->index].name;
    batch_core_init(&self->batch, s_publish, self);
    s_make_topics(self);
    self->watched = s_watch;
    zvt_endpoint(endpoint, "market", self->venue);
    self->pub = sim_pub_new(proc->loop, endpoint);
    self->market = market_core_new(sim.fleet, self->venue, true, s_emit_market, self);
    self->adapter = paper_adapter_new(proc->loop, sim.fleet, self->venue, &proc->identity, &s_events, self, problem);
    ZVT_ASSERT(self->adapter != NULL);
    order_entry_out_t out = {.store_epoch = s_store_epoch, .send = s_send, .arg = self};
    self->orders = order_entry_core_new(self->venue, &self->watched, &out, s_epochs[proc->index]);
    zvt_endpoint(endpoint, "order-entry", self->venue);
    ZVT_ASSERT(zvt_hub_new(&self->hub, proc->loop, endpoint, &proc->identity, s_on_request, s_on_hello, self) == 0);
    zvt_loop_on_round(proc->loop, s_on_round, self);
    zvt_loop_every(proc->loop, ZVT_SECOND_NS, s_on_second, self);
    return self;
}

void sim_gateway_stop(sim_proc_t *proc)
{
    gateway_t *self = proc->run;
    zvt_hub_destroy(&self->hub);
    self->adapter->destroy(&self->adapter);
    order_entry_core_destroy(&self->orders);
    market_core_destroy(&self->market);
    sim_pub_destroy(&self->pub);
    batch_core_destroy(&self->batch);
    free(self);
}

sim_doing_t sim_gateway_doing(sim_proc_t *proc)
{
    const gateway_t *self = proc->run;
    if (!order_entry_core_venue_is_up(self->orders)) return SIM_DOING_STARTING;
    return order_entry_core_asks(self->orders) > 0 ? SIM_DOING_WORKING : SIM_DOING_IDLE;
}
