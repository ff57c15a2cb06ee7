#include "strategy_core.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

enum { LOG_LINE = 256 };

struct zvt_strategy_context {
    strategy_config_t config;
    strategy_output_t output;
    void *state;             /* the strategy's own block */
    bool started;
    int64_t now_ns;          /* UTC, of the round */
    int64_t position_e8;     /* signed, base asset */
    uint64_t position_seq;   /* the event that changed it last */
    size_t orders_count;
    zvt_strategy_order_t orders[ZVT_STRATEGY_ORDERS_MAX]; /* open, oldest first */
};

strategy_core_t *strategy_core_new(const strategy_config_t *config, const strategy_output_t *output)
{
    strategy_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->config = *config;
    self->output = *output;
    size_t size = config->strategy->state_size;
    self->state = calloc(1, size > 0 ? size : 1);
    ZVT_ASSERT(self->state != NULL);
    settings_defaults(config->strategy, self->state);
    return self;
}

void strategy_core_destroy(strategy_core_t **self)
{
    if (*self == NULL) return;
    free((*self)->state);
    free(*self);
    *self = NULL;
}

const strategy_config_t *strategy_core_config(const strategy_core_t *self)
{
    return &self->config;
}

void *strategy_core_state(strategy_core_t *self)
{
    return self->state;
}

bool strategy_core_started(const strategy_core_t *self)
{
    return self->started;
}

void strategy_core_set_now(strategy_core_t *self, int64_t now_ns)
{
    self->now_ns = now_ns;
}

/* ---- own orders ---- */
static zvt_strategy_order_t *s_find(strategy_core_t *self, const zvt_id_t *id)
{
    if (zvt_id_is_none(id)) return NULL;
    for (size_t i = 0; i < self->orders_count; i++)
        if (zvt_id_equal(&self->orders[i].signal_id, id) || zvt_id_equal(&self->orders[i].order_id, id))
            return &self->orders[i];
    return NULL;
}

/* A new open order; NULL when there is no room. */
static zvt_strategy_order_t *s_open(strategy_core_t *self, const zvt_order_request_t *request, const zvt_id_t *signal_id)
{
    if (self->orders_count == ZVT_STRATEGY_ORDERS_MAX) return NULL;
    zvt_strategy_order_t *order = &self->orders[self->orders_count++];
    *order = (zvt_strategy_order_t){.signal_id = *signal_id, .request = *request, .state = ZVT_ORDER_STATE_INITIALIZED,
                                    .leaves_qty_e8 = request->quantity_e8};
    return order;
}

static void s_close(strategy_core_t *self, zvt_strategy_order_t *order)
{
    if (!zvt_id_is_none(&order->order_id))
        self->output.follow(self->output.arg, self->config.owner, &order->order_id, false);
    size_t index = (size_t)(order - self->orders);
    memmove(order, order + 1, (self->orders_count - index - 1) * sizeof *order);
    self->orders_count--;
}

/* Ties an order to its id in the log, once. */
static void s_identify(strategy_core_t *self, zvt_strategy_order_t *order, const zvt_id_t *order_id)
{
    if (!zvt_id_is_none(&order->order_id) || zvt_id_is_none(order_id)) return;
    order->order_id = *order_id;
    self->output.follow(self->output.arg, self->config.owner, order_id, true);
}

/* Tells the strategy, with the order already gone from the open ones if it is over. */
static void s_tell(strategy_core_t *self, zvt_strategy_order_t *order, const zvt_strategy_update_t *update)
{
    zvt_strategy_order_t told = *order;
    if (!zvt_strategy_is_open(order)) s_close(self, order);
    if (self->started && self->config.strategy->on_order != NULL)
        self->config.strategy->on_order(self->state, self, &told, update);
}

/* Ends an order that never reached a venue. */
static void s_end_unplaced(strategy_core_t *self, zvt_strategy_order_t *order, uint8_t state, uint8_t code, const char *message)
{
    order->state = state;
    order->leaves_qty_e8 = 0;
    s_tell(self, order, &(zvt_strategy_update_t){.code = code, .message = message});
}

/* ---- the life of an order, as the log tells it ---- */
static void s_submitted(zvt_strategy_order_t *order, const zvt_record_t *payload, zvt_strategy_update_t *update)
{
    (void)payload;
    (void)update;
    order->state = ZVT_ORDER_STATE_SUBMITTED;
}

static void s_accepted(zvt_strategy_order_t *order, const zvt_record_t *payload, zvt_strategy_update_t *update)
{
    (void)payload;
    (void)update;
    order->state = ZVT_ORDER_STATE_ACCEPTED;
}

static void s_executed(zvt_strategy_order_t *order, const zvt_record_t *payload, zvt_strategy_update_t *update)
{
    const zvt_order_executed_t *fill = &payload->order_executed;
    order->cum_qty_e8 = fill->cum_qty_e8;
    order->leaves_qty_e8 = fill->leaves_qty_e8;
    order->state = fill->leaves_qty_e8 > 0 ? ZVT_ORDER_STATE_PARTIALLY_FILLED : ZVT_ORDER_STATE_FILLED;
    update->fill_quantity_e8 = fill->executed_quantity_e8;
    update->fill_price_e8 = fill->executed_price_e8;
    update->fill_is_maker = fill->is_maker;
}

static void s_rejected(zvt_strategy_order_t *order, const zvt_record_t *payload, zvt_strategy_update_t *update)
{
    const zvt_order_rejected_t *rejected = &payload->order_rejected;
    order->state = rejected->stage == ZVT_STAGE_VENUE ? ZVT_ORDER_STATE_REJECTED : ZVT_ORDER_STATE_DENIED;
    order->leaves_qty_e8 = 0;
    update->code = rejected->rejection_reason;
    update->message = rejected->message;
}

static void s_cancel_requested(zvt_strategy_order_t *order, const zvt_record_t *payload, zvt_strategy_update_t *update)
{
    (void)payload;
    (void)update;
    order->state = ZVT_ORDER_STATE_PENDING_CANCEL;
    order->cancel_asked = true;
}

static void s_works_on(zvt_strategy_order_t *order)
{
    order->cancel_asked = false;
    if (order->state == ZVT_ORDER_STATE_PENDING_CANCEL)
        order->state = order->cum_qty_e8 > 0 ? ZVT_ORDER_STATE_PARTIALLY_FILLED : ZVT_ORDER_STATE_ACCEPTED;
}

static void s_cancel_rejected(zvt_strategy_order_t *order, const zvt_record_t *payload, zvt_strategy_update_t *update)
{
    s_works_on(order);
    update->code = payload->order_cancel_rejected.reason;
    update->message = payload->order_cancel_rejected.message;
}

static void s_canceled(zvt_strategy_order_t *order, const zvt_record_t *payload, zvt_strategy_update_t *update)
{
    order->state = ZVT_ORDER_STATE_CANCELED;
    order->cum_qty_e8 = payload->order_canceled.cum_qty_e8;
    order->leaves_qty_e8 = 0;
    update->code = payload->order_canceled.reason;
}

static void s_expired(zvt_strategy_order_t *order, const zvt_record_t *payload, zvt_strategy_update_t *update)
{
    order->state = ZVT_ORDER_STATE_EXPIRED;
    order->cum_qty_e8 = payload->order_expired.cum_qty_e8;
    order->leaves_qty_e8 = 0;
    update->code = payload->order_expired.reason;
}

static void s_unknown(zvt_strategy_order_t *order, const zvt_record_t *payload, zvt_strategy_update_t *update)
{
    order->state = ZVT_ORDER_STATE_UNKNOWN;
    update->code = payload->order_unknown.reason;
}

static void s_failed(zvt_strategy_order_t *order, const zvt_record_t *payload, zvt_strategy_update_t *update)
{
    order->state = ZVT_ORDER_STATE_FAILED;
    order->leaves_qty_e8 = 0;
    update->code = payload->order_failed.failure_reason;
    update->message = payload->order_failed.message;
}

/* order.completed has no cell: the execution that left nothing has told it already. */
static void (*const s_life[ZVT_T_LIMIT])(zvt_strategy_order_t *order, const zvt_record_t *payload,
                                         zvt_strategy_update_t *update) = {
    [ZVT_T_ORDER_SUBMITTED] = s_submitted,
    [ZVT_T_ORDER_ACCEPTED] = s_accepted,
    [ZVT_T_ORDER_EXECUTED] = s_executed,
    [ZVT_T_ORDER_REJECTED] = s_rejected,
    [ZVT_T_ORDER_CANCEL_REQUESTED] = s_cancel_requested,
    [ZVT_T_ORDER_CANCEL_REJECTED] = s_cancel_rejected,
    [ZVT_T_ORDER_CANCELED] = s_canceled,
    [ZVT_T_ORDER_EXPIRED] = s_expired,
    [ZVT_T_ORDER_UNKNOWN] = s_unknown,
    [ZVT_T_ORDER_FAILED] = s_failed,
};

/* ---- position ---- */
static void s_set_position(strategy_core_t *self, int64_t position_e8, uint64_t seq)
{
    self->position_e8 = position_e8;
    self->position_seq = seq;
}

/* Counts a fill at once, so that on_order sees the position after it; position.updated then confirms the sum. */
static void s_add_fill(strategy_core_t *self, const zvt_order_executed_t *fill, uint64_t seq)
{
    if (seq <= self->position_seq || fill->executed_quantity_e8 <= 0) return;
    int64_t change_e8 = fill->side == ZVT_SIDE_BUY ? fill->executed_quantity_e8 : -fill->executed_quantity_e8;
    int64_t sum_e8;
    if (zvt_fixed_add(self->position_e8, change_e8, &sum_e8) == 0) s_set_position(self, sum_e8, seq);
}

static void s_on_position(strategy_core_t *self, const char *portfolio_id, const char *symbol, int64_t quantity_e8, uint64_t seq)
{
    bool mine = strcmp(symbol, self->config.instrument->symbol) == 0 && strcmp(portfolio_id, self->config.portfolio) == 0;
    if (mine && seq > self->position_seq) s_set_position(self, quantity_e8, seq);
}

void strategy_core_on_position_row(strategy_core_t *self, const zvt_position_row_t *row)
{
    bool mine = strcmp(row->symbol, self->config.instrument->symbol) == 0 &&
                strcmp(row->portfolio_id, self->config.portfolio) == 0 && strcmp(row->strategy_id, self->config.name) == 0;
    if (mine && row->seq >= self->position_seq) s_set_position(self, row->quantity_e8, row->seq);
}

/* ---- events ---- */
static void s_on_requested(strategy_core_t *self, const zvt_order_requested_t *requested)
{
    if (strcmp(requested->order_request.symbol, self->config.instrument->symbol) != 0) return;
    if (s_find(self, &requested->order_id) != NULL) return;
    zvt_strategy_order_t *order = s_find(self, &requested->signal_id);
    if (order == NULL) order = s_open(self, &requested->order_request, &requested->signal_id);
    if (order == NULL) {
        ++*self->output.untracked;
        return;
    }
    s_identify(self, order, &requested->order_id);
    s_tell(self, order, &(zvt_strategy_update_t){.code = ZVT_CODE_OK, .message = ""});
}

void strategy_core_on_order_event(strategy_core_t *self, const zvt_event_t *event, const zvt_record_t *payload)
{
    if (event->type == ZVT_T_ORDER_REQUESTED) {
        s_on_requested(self, &payload->order_requested);
        return;
    }
    if (event->type == ZVT_T_POSITION_UPDATED) {
        const zvt_position_updated_t *updated = &payload->position_updated;
        s_on_position(self, updated->portfolio_id, updated->symbol, updated->new_quantity_e8, event->seq);
        return;
    }
    if (event->type == ZVT_T_POSITION_ADJUSTED) {
        const zvt_position_adjusted_t *adjusted = &payload->position_adjusted;
        s_on_position(self, adjusted->portfolio_id, adjusted->symbol, adjusted->new_quantity_e8, event->seq);
        return;
    }
    zvt_strategy_order_t *order = s_find(self, &event->aggregate_id);
    if (order == NULL || s_life[event->type] == NULL) return;
    zvt_strategy_update_t update = {.code = ZVT_CODE_OK, .message = ""};
    s_life[event->type](order, payload, &update);
    if (event->type == ZVT_T_ORDER_EXECUTED) s_add_fill(self, &payload->order_executed, event->seq);
    s_tell(self, order, &update);
}

void strategy_core_on_event(strategy_core_t *self, const zvt_event_t *event)
{
    if (self->started && self->config.strategy->on_event != NULL) self->config.strategy->on_event(self->state, self, event);
}

void strategy_core_on_order_row(strategy_core_t *self, const zvt_order_row_t *row)
{
    if (strcmp(row->order_request.symbol, self->config.instrument->symbol) != 0 || row->leaves_qty_e8 <= 0) return;
    if (s_find(self, &row->order_id) != NULL) return;
    zvt_strategy_order_t *order = s_open(self, &row->order_request, &row->signal_id);
    if (order == NULL) {
        ++*self->output.untracked;
        return;
    }
    s_identify(self, order, &row->order_id);
    order->state = row->state;
    order->cum_qty_e8 = row->cum_qty_e8;
    order->leaves_qty_e8 = row->leaves_qty_e8;
    order->cancel_asked = row->state == ZVT_ORDER_STATE_PENDING_CANCEL;
}

void strategy_core_start(strategy_core_t *self)
{
    const zvt_strategy_t *strategy = self->config.strategy;
    self->started = true;
    zvt_strategy_order_t found[ZVT_STRATEGY_ORDERS_MAX]; /* on_start may submit more */
    size_t count = self->orders_count;
    memcpy(found, self->orders, count * sizeof *found);
    if (strategy->on_start != NULL) strategy->on_start(self->state, self);
    if (strategy->on_order == NULL) return;
    for (size_t i = 0; i < count; i++)
        strategy->on_order(self->state, self, &found[i], &(zvt_strategy_update_t){.code = ZVT_CODE_OK, .message = ""});
}

void strategy_core_on_market(strategy_core_t *self, const zvt_record_t *record)
{
    const zvt_strategy_t *strategy = self->config.strategy;
    const char *venue = record->price_updated.venue; /* the first field of every market record */
    if (!self->started || (self->config.venue[0] != '\0' && strcmp(venue, self->config.venue) != 0)) return;
    switch (record->type) {
    case ZVT_T_PRICE_UPDATED:
        if (strategy->on_quote != NULL) strategy->on_quote(self->state, self, &record->price_updated);
        return;
    case ZVT_T_TRADE_TICK:
        if (strategy->on_trade != NULL) strategy->on_trade(self->state, self, &record->trade_tick);
        return;
    case ZVT_T_ORDERBOOK_UPDATED:
        if (strategy->on_book != NULL) strategy->on_book(self->state, self, &record->orderbook_updated);
        return;
    default: return;
    }
}
_Static_assert(offsetof(zvt_price_updated_t, venue) == 0 && offsetof(zvt_trade_tick_t, venue) == 0 &&
                   offsetof(zvt_orderbook_updated_t, venue) == 0,
               "market records begin with their venue");

void strategy_core_on_accepted(strategy_core_t *self, const zvt_id_t *signal_id, const zvt_id_t *order_id)
{
    zvt_strategy_order_t *order = s_find(self, signal_id);
    if (order != NULL) s_identify(self, order, order_id);
}

void strategy_core_on_refused(strategy_core_t *self, const zvt_id_t *signal_id, uint8_t code, const char *message)
{
    zvt_strategy_order_t *order = s_find(self, signal_id);
    /* An order with an id is in the log, and the log tells its end. */
    if (order == NULL || !zvt_id_is_none(&order->order_id)) return;
    s_end_unplaced(self, order, code == ZVT_CODE_STALE ? ZVT_ORDER_STATE_EXPIRED : ZVT_ORDER_STATE_DENIED, code, message);
}

void strategy_core_on_cancel_refused(strategy_core_t *self, const zvt_signal_cancel_t *cancel, uint8_t code, const char *message)
{
    zvt_strategy_order_t *order = s_find(self, &cancel->signal_id);
    if (order == NULL) order = s_find(self, &cancel->order_id);
    if (order == NULL) return;
    s_works_on(order);
    s_tell(self, order, &(zvt_strategy_update_t){.code = code, .message = message});
}

void strategy_core_on_time(strategy_core_t *self)
{
    if (self->started && self->config.strategy->on_time != NULL) self->config.strategy->on_time(self->state, self);
}

/* ---- what callbacks may do ---- */
static bool s_terms_ok(const strategy_core_t *self, const zvt_order_request_t *terms, int64_t confidence_e8)
{
    bool market = terms->order_type == ZVT_ORDER_TYPE_MARKET, limit = terms->order_type == ZVT_ORDER_TYPE_LIMIT;
    if (!zvt_enum_valid(ZVT_ENUM_OF_SIDE, terms->side) || !zvt_enum_valid(ZVT_ENUM_OF_TIF, terms->time_in_force)) return false;
    if (terms->quantity_e8 <= 0 || terms->trigger_price_e8 < 0 || confidence_e8 < 0 || confidence_e8 > ZVT_E8) return false;
    if (terms->symbol[0] != '\0' && strcmp(terms->symbol, self->config.instrument->symbol) != 0) return false;
    if (market) return terms->limit_price_e8 == 0 && !terms->post_only && terms->time_in_force == ZVT_TIF_IOC;
    return limit && terms->limit_price_e8 > 0 && !(terms->post_only && terms->time_in_force != ZVT_TIF_GTC);
}

int zvt_strategy_submit(zvt_strategy_context_t *self, const zvt_order_request_t *terms, int64_t confidence_e8,
                        zvt_id_t *signal_id)
{
    if (!s_terms_ok(self, terms, confidence_e8)) return ZVT_ERR_INVALID;
    zvt_signal_t signal = {.order_request = *terms, .confidence_e8 = confidence_e8, .sent_at_ns = self->now_ns};
    zvt_order_request_t *request = &signal.order_request;
    ZVT_STR_SET(request->symbol, self->config.instrument->symbol);
    if (request->venue[0] == '\0') ZVT_STR_SET(request->venue, self->config.venue);
    if (request->expires_at_ns == 0) request->expires_at_ns = self->now_ns + ZVT_STRATEGY_LIFETIME_NS;
    if (request->expires_at_ns <= self->now_ns) return ZVT_ERR_INVALID;
    ZVT_STR_SET(signal.strategy_id, self->config.name);
    ZVT_STR_SET(signal.portfolio_id, self->config.portfolio);
    signal.signal_id = zvt_idgen_next(self->config.ids, self->now_ns);

    zvt_strategy_order_t *order = s_open(self, request, &signal.signal_id);
    if (order == NULL) return ZVT_ERR_FULL;
    int status = self->output.signal(self->output.arg, self->config.owner, &signal, request->expires_at_ns - self->now_ns);
    if (status != 0) {
        s_close(self, order);
        return status;
    }
    if (signal_id != NULL) *signal_id = signal.signal_id;
    return 0;
}

int zvt_strategy_cancel(zvt_strategy_context_t *self, const zvt_id_t *id)
{
    zvt_strategy_order_t *order = s_find(self, id);
    if (order == NULL) return ZVT_ERR_NOT_FOUND;
    if (order->cancel_asked) return 0;
    zvt_signal_cancel_t cancel = {.signal_id = order->signal_id, .order_id = order->order_id};
    int status = self->output.cancel(self->output.arg, self->config.owner, &cancel);
    if (status == 0) order->cancel_asked = true;
    return status;
}

void zvt_strategy_log(zvt_strategy_context_t *self, const char *format, ...)
{
    char line[LOG_LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    self->output.log(self->output.arg, self->config.name, line);
}

/* ---- what callbacks may ask ---- */
int64_t zvt_strategy_now(const zvt_strategy_context_t *self)
{
    return self->now_ns;
}

const char *zvt_strategy_name(const zvt_strategy_context_t *self)
{
    return self->config.name;
}

const char *zvt_strategy_symbol(const zvt_strategy_context_t *self)
{
    return self->config.instrument->symbol;
}

const char *zvt_strategy_venue(const zvt_strategy_context_t *self)
{
    return self->config.venue;
}

const zvt_instrument_t *zvt_strategy_instrument(const zvt_strategy_context_t *self)
{
    return self->config.instrument;
}

int64_t zvt_strategy_position(const zvt_strategy_context_t *self)
{
    return self->position_e8;
}

const zvt_strategy_order_t *zvt_strategy_orders(const zvt_strategy_context_t *self, size_t *count)
{
    *count = self->orders_count;
    return self->orders;
}

bool zvt_strategy_is_open(const zvt_strategy_order_t *order)
{
    return order->leaves_qty_e8 > 0;
}

bool zvt_strategy_is_refused(const zvt_strategy_order_t *order)
{
    return order->state == ZVT_ORDER_STATE_DENIED || order->state == ZVT_ORDER_STATE_REJECTED ||
           order->state == ZVT_ORDER_STATE_FAILED;
}

int64_t zvt_strategy_round_price(const zvt_strategy_context_t *self, int64_t price_e8, bool up)
{
    int64_t tick_e8 = self->config.instrument->tick_e8;
    int64_t rounded_e8 = price_e8 - price_e8 % tick_e8;
    return up && rounded_e8 < price_e8 ? rounded_e8 + tick_e8 : rounded_e8;
}

int64_t zvt_strategy_round_quantity(const zvt_strategy_context_t *self, int64_t quantity_e8)
{
    return quantity_e8 - quantity_e8 % self->config.instrument->lot_e8;
}
