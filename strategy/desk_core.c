#include "desk_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_map.h"

#define NO_SEAT UINT32_MAX

enum {
    TOUCHED_MAX = 4096,       /* orders of anybody that the log may change while the open orders are listed */
    ORDERS_LISTED_MAX = 10000 /* what the orchestrator puts into one answer */
};

/* One symbol that some strategy trades, and the last number seen from each venue. */
typedef struct {
    const char *symbol; /* borrowed from the instrument */
    uint32_t first_seat, last_seat; /* strategies that trade it, in the order they were added; NO_SEAT: none */
    uint32_t venues_count;
    struct {
        char venue[ZVT_VENUE_SIZE];
        uint64_t symbol_seq;
    } venues[ZVT_VENUES_MAX];
} market_t;

typedef struct {
    strategy_core_t *core;
    uint32_t next;         /* seat of the same symbol; NO_SEAT: the last one */
    int64_t next_time_ns;  /* monotonic; of on_time; 0: never */
} seat_t;

struct desk_core {
    desk_output_t output;
    desk_time_t now;          /* of the call under way */
    desk_counts_t counts;
    zvt_idgen_t ids;          /* of signals */
    delivery_core_t *delivery;
    bool positions_known;
    bool orders_known;
    bool orders_doubtful;     /* the listing under way cannot be trusted */
    bool orders_by_seat;      /* asked for by strategy, because everybody's are too many */
    uint32_t orders_seat;     /* whose are asked for */
    bool events_wanted;       /* some strategy has on_event */
    bool timers_wanted;       /* some strategy has a period */
    uint32_t markets_count;
    market_t markets[DESK_MARKETS_MAX];
    zvt_map_t *by_symbol;     /* symbol, padded with NULs -> market */
    zvt_map_t *by_name;       /* strategy_id -> seat */
    zvt_map_t *by_order;      /* order_id -> seat */
    zvt_map_t *touched;       /* orders that the log changed since begin_orders */
    zvt_record_t payload;     /* scratch */
    uint32_t seats_count;
    uint32_t seats_max;
    seat_t seats[];
};

/* ---- what strategies send ---- */
static void s_on_send(void *arg, zvt_type_t type, const void *record, bool resent)
{
    desk_core_t *self = arg;
    ++*(resent ? &self->counts.signals_resent : &self->counts.signals_sent);
    self->output.send(self->output.arg, type, record);
}

static strategy_core_t *s_wake(desk_core_t *self, uint32_t seat)
{
    strategy_core_set_now(self->seats[seat].core, self->now.utc_ns);
    return self->seats[seat].core;
}

static void s_refuse(desk_core_t *self, const delivery_item_t *item, uint8_t code, const char *message)
{
    strategy_core_t *core = s_wake(self, item->owner);
    if (item->type == ZVT_T_SIGNAL)
        strategy_core_on_refused(core, &item->signal.signal_id, code, message);
    else
        strategy_core_on_cancel_refused(core, &item->cancel, code, message);
}

static void s_on_expired(void *arg, const delivery_item_t *item)
{
    desk_core_t *self = arg;
    self->counts.signals_expired++;
    s_refuse(self, item, ZVT_CODE_STALE, "the orchestrator did not answer in time");
}

/* Once for a run, however many of its commands are refused. */
static void s_on_new_run(void *arg, uint64_t before, uint64_t known)
{
    desk_core_t *self = arg;
    char text[192];
    snprintf(text, sizeof text, "the orchestrator knows run %" PRIu64 " of this process, which is above its start time %" PRIu64
             ": the clock was set back, or another process uses this name; going on in a run above it", known, before);
    if (self->output.warn != NULL) self->output.warn(self->output.arg, text);
}

static int s_count_full(desk_core_t *self, int status)
{
    if (status != 0) self->counts.signals_full++;
    return status;
}

static int s_on_signal(void *arg, uint32_t owner, const zvt_signal_t *signal, int64_t lifetime_ns)
{
    desk_core_t *self = arg;
    return s_count_full(self, delivery_core_signal(self->delivery, owner, signal, lifetime_ns, self->now.monotonic_ns));
}

static int s_on_cancel(void *arg, uint32_t owner, const zvt_signal_cancel_t *cancel)
{
    desk_core_t *self = arg;
    return s_count_full(self, delivery_core_cancel(self->delivery, owner, cancel, ZVT_STRATEGY_LIFETIME_NS,
                                                   self->now.monotonic_ns));
}

static void s_on_follow(void *arg, uint32_t owner, const zvt_id_t *order_id, bool on)
{
    desk_core_t *self = arg;
    if (on)
        ZVT_ASSERT(zvt_map_put(self->by_order, order_id, owner) == 0);
    else
        zvt_map_remove(self->by_order, order_id);
}

static void s_on_log(void *arg, const char *name, const char *text)
{
    desk_core_t *self = arg;
    self->output.log(self->output.arg, name, text);
}

/* ---- making it ---- */
desk_core_t *desk_core_new(const char *sender, uint64_t incarnation, uint64_t seed, uint32_t strategies_max,
                           const desk_output_t *output)
{
    desk_core_t *self = calloc(1, sizeof *self + strategies_max * sizeof *self->seats);
    ZVT_ASSERT(self != NULL);
    self->output = *output;
    self->seats_max = strategies_max;
    zvt_idgen_init(&self->ids, seed);
    delivery_output_t delivery_output = {.send = s_on_send, .expired = s_on_expired, .new_run = s_on_new_run, .arg = self};
    self->delivery = delivery_core_new(sender, incarnation, &delivery_output);
    self->by_name = zvt_map_new(ZVT_NAME_SIZE, strategies_max);
    self->by_symbol = zvt_map_new(ZVT_SYMBOL_SIZE, DESK_MARKETS_MAX);
    self->by_order = zvt_map_new(sizeof(zvt_id_t), strategies_max * ZVT_STRATEGY_ORDERS_MAX);
    self->touched = zvt_map_new(sizeof(zvt_id_t), TOUCHED_MAX);
    return self;
}

void desk_core_destroy(desk_core_t **self)
{
    if (*self == NULL) return;
    for (uint32_t i = 0; i < (*self)->seats_count; i++) strategy_core_destroy(&(*self)->seats[i].core);
    delivery_core_destroy(&(*self)->delivery);
    zvt_map_destroy(&(*self)->by_name);
    zvt_map_destroy(&(*self)->by_order);
    zvt_map_destroy(&(*self)->by_symbol);
    zvt_map_destroy(&(*self)->touched);
    free(*self);
    *self = NULL;
}

static market_t *s_market(desk_core_t *self, const char *symbol)
{
    char key[ZVT_SYMBOL_SIZE] = "";
    ZVT_STR_SET(key, symbol);
    uint32_t index = zvt_map_get(self->by_symbol, key);
    return index == ZVT_MAP_NONE ? NULL : &self->markets[index];
}

static market_t *s_add_market(desk_core_t *self, const char *symbol)
{
    market_t *market = s_market(self, symbol);
    if (market != NULL || self->markets_count == DESK_MARKETS_MAX) return market;
    char key[ZVT_SYMBOL_SIZE] = "";
    ZVT_STR_SET(key, symbol);
    ZVT_ASSERT(zvt_map_put(self->by_symbol, key, self->markets_count) == 0);
    market = &self->markets[self->markets_count++];
    market->symbol = symbol;
    market->first_seat = market->last_seat = NO_SEAT;
    return market;
}

static int s_apply_settings(strategy_core_t *core, const zvt_strategy_config_t *config, char problem[SETTINGS_PROBLEM_SIZE])
{
    const zvt_strategy_t *strategy = strategy_core_config(core)->strategy;
    for (uint32_t i = 0; i < config->settings_count; i++) {
        const zvt_setting_t *setting = &config->settings[i];
        int status = settings_set(strategy, strategy_core_state(core), setting->key, setting->value, problem);
        if (status != 0) return status;
    }
    return 0;
}

int desk_core_add(desk_core_t *self, const zvt_strategy_t *strategy, const zvt_strategy_config_t *config,
                  const char *portfolio, const zvt_instrument_t *instrument, char problem[SETTINGS_PROBLEM_SIZE])
{
    strategy_config_t of_core = {.strategy = strategy, .instrument = instrument, .owner = self->seats_count, .ids = &self->ids};
    ZVT_STR_SET(of_core.name, config->name);
    ZVT_STR_SET(of_core.portfolio, portfolio);
    ZVT_STR_SET(of_core.venue, config->venue);
    if (zvt_map_get(self->by_name, of_core.name) != ZVT_MAP_NONE) {
        snprintf(problem, SETTINGS_PROBLEM_SIZE, "strategy name '%s' is there twice; every strategy needs its own", of_core.name);
        return ZVT_ERR_EXISTS;
    }
    market_t *market = self->seats_count == self->seats_max ? NULL : s_add_market(self, instrument->symbol);
    if (market == NULL) {
        snprintf(problem, SETTINGS_PROBLEM_SIZE, "more than %u strategies or %d symbols in one process", self->seats_max,
                 DESK_MARKETS_MAX);
        return ZVT_ERR_FULL;
    }
    strategy_output_t output = {.signal = s_on_signal, .cancel = s_on_cancel, .follow = s_on_follow, .log = s_on_log,
                                .untracked = &self->counts.orders_untracked, .arg = self};
    strategy_core_t *core = strategy_core_new(&of_core, &output);
    int status = s_apply_settings(core, config, problem);
    if (status != 0) {
        strategy_core_destroy(&core);
        return status;
    }
    ZVT_ASSERT(zvt_map_put(self->by_name, of_core.name, self->seats_count) == 0);
    if (strategy->on_event != NULL) self->events_wanted = true;
    if (strategy->period_ms > 0) self->timers_wanted = true;
    uint32_t *link = market->last_seat == NO_SEAT ? &market->first_seat : &self->seats[market->last_seat].next;
    *link = market->last_seat = self->seats_count;
    self->seats[self->seats_count++] = (seat_t){.core = core, .next = NO_SEAT};
    return 0;
}

/* ---- start ---- */
static void s_start_when_known(desk_core_t *self, desk_time_t now)
{
    if (!self->positions_known || !self->orders_known) return;
    self->now = now;
    for (uint32_t i = 0; i < self->seats_count; i++) {
        if (strategy_core_started(self->seats[i].core)) continue;
        int64_t period_ms = strategy_core_config(self->seats[i].core)->strategy->period_ms;
        if (period_ms > 0) self->seats[i].next_time_ns = now.monotonic_ns + period_ms * ZVT_MS_NS;
        strategy_core_start(s_wake(self, i));
    }
}

void desk_core_on_position_row(desk_core_t *self, const zvt_position_row_t *row)
{
    uint32_t seat = zvt_map_get(self->by_name, row->strategy_id);
    if (seat != ZVT_MAP_NONE) strategy_core_on_position_row(self->seats[seat].core, row);
}

void desk_core_on_positions_end(desk_core_t *self, desk_time_t now)
{
    self->positions_known = true;
    s_start_when_known(self, now);
}

void desk_core_begin_orders(desk_core_t *self, zvt_orders_query_t *query)
{
    zvt_map_clear(self->touched);
    self->orders_doubtful = false;
    *query = (zvt_orders_query_t){.open_only = true, .limit = ORDERS_LISTED_MAX};
    if (self->orders_by_seat || self->seats_count == 1)
        ZVT_STR_SET(query->strategy_id, strategy_core_config(self->seats[self->orders_seat].core)->name);
}

void desk_core_on_order_row(desk_core_t *self, const zvt_order_row_t *row)
{
    uint32_t seat = zvt_map_get(self->by_name, row->strategy_id);
    if (seat == ZVT_MAP_NONE || zvt_map_get(self->by_order, &row->order_id) != ZVT_MAP_NONE) return;
    if (zvt_map_get(self->touched, &row->order_id) != ZVT_MAP_NONE)
        self->orders_doubtful = true; /* the row may be older than what the log has said since */
    else
        strategy_core_on_order_row(self->seats[seat].core, row);
}

bool desk_core_on_orders_end(desk_core_t *self, const zvt_list_end_t *end, desk_time_t now)
{
    if (self->orders_doubtful) return false;
    if (!self->orders_by_seat && end->more && self->seats_count > 1) {
        self->orders_by_seat = true; /* ours may be among those that were left out */
        return true;
    }
    if (self->orders_by_seat && ++self->orders_seat < self->seats_count) return true;
    self->orders_known = true;
    s_start_when_known(self, now);
    return true;
}

bool desk_core_knows_positions(const desk_core_t *self)
{
    return self->positions_known;
}

bool desk_core_knows_orders(const desk_core_t *self)
{
    return self->orders_known;
}

bool desk_core_started(const desk_core_t *self)
{
    return self->positions_known && self->orders_known;
}

/* Remembers an order of nobody here that the log changed while the open orders are being listed. */
static void s_touch(desk_core_t *self, const zvt_id_t *order_id)
{
    if (!self->orders_known && zvt_map_put(self->touched, order_id, 0) != 0) self->orders_doubtful = true;
}

/* ---- market ---- */

/* Counts what is missing before this number. A lower number is a gateway that started anew. */
static void s_note_seq(desk_core_t *self, market_t *market, const char *venue, uint64_t symbol_seq)
{
    uint32_t i = 0;
    while (i < market->venues_count && strcmp(market->venues[i].venue, venue) != 0) i++;
    if (i == ZVT_VENUES_MAX) return;
    if (i == market->venues_count) {
        market->venues_count++;
        ZVT_STR_SET(market->venues[i].venue, venue);
    } else if (symbol_seq > market->venues[i].symbol_seq + 1) {
        self->counts.market_gaps += symbol_seq - market->venues[i].symbol_seq - 1;
    }
    market->venues[i].symbol_seq = symbol_seq;
}

void desk_core_on_market(desk_core_t *self, const zvt_record_t *record, desk_time_t now)
{
    bool of_symbol = record->type == ZVT_T_PRICE_UPDATED || record->type == ZVT_T_TRADE_TICK ||
                     record->type == ZVT_T_ORDERBOOK_UPDATED;
    market_t *market = of_symbol ? s_market(self, record->price_updated.symbol) : NULL;
    if (market == NULL) return;
    self->now = now;
    self->counts.market_updates++;
    self->counts.market_quotes += record->type == ZVT_T_PRICE_UPDATED;
    s_note_seq(self, market, record->price_updated.venue, record->price_updated.symbol_seq);
    for (uint32_t seat = market->first_seat; seat != NO_SEAT; seat = self->seats[seat].next)
        strategy_core_on_market(s_wake(self, seat), record);
}
#define SAME_PLACE(member)                                                               \
    (offsetof(zvt_price_updated_t, member) == offsetof(zvt_trade_tick_t, member) &&      \
     offsetof(zvt_price_updated_t, member) == offsetof(zvt_orderbook_updated_t, member))
_Static_assert(SAME_PLACE(venue) && SAME_PLACE(symbol) && SAME_PLACE(symbol_seq), "market records begin alike");

/* ---- events ---- */

/* The strategy an event concerns, with its payload read; ZVT_MAP_NONE: nobody here. The aggregate of an order's event
 * is the order, so that events of others are dropped without reading them. */
static uint32_t s_concerned(desk_core_t *self, const zvt_event_t *event)
{
    bool named = event->type == ZVT_T_ORDER_REQUESTED || event->type == ZVT_T_POSITION_UPDATED ||
                 event->type == ZVT_T_POSITION_ADJUSTED;
    uint32_t seat = named ? 0 : zvt_map_get(self->by_order, &event->aggregate_id);
    if (seat == ZVT_MAP_NONE) s_touch(self, &event->aggregate_id);
    if (seat == ZVT_MAP_NONE || zvt_read_payload(event, &self->payload) != 0) return ZVT_MAP_NONE;
    if (event->type == ZVT_T_ORDER_REQUESTED)
        return zvt_map_get(self->by_name, self->payload.order_requested.strategy_id);
    if (event->type == ZVT_T_POSITION_UPDATED)
        return zvt_map_get(self->by_name, self->payload.position_updated.strategy_id);
    if (event->type == ZVT_T_POSITION_ADJUSTED)
        return zvt_map_get(self->by_name, self->payload.position_adjusted.strategy_id);
    return seat;
}

void desk_core_on_event(desk_core_t *self, const zvt_event_t *event, desk_time_t now)
{
    self->now = now;
    uint32_t seat = s_concerned(self, event);
    if (seat != ZVT_MAP_NONE) {
        self->counts.own_events++;
        strategy_core_on_order_event(s_wake(self, seat), event, &self->payload);
    }
    for (uint32_t i = 0; i < self->seats_count && self->events_wanted; i++) strategy_core_on_event(s_wake(self, i), event);
}

/* ---- delivery ---- */

/* A duplicate whose order nobody can name became none; should the log know better, it opens the order again. */
static void s_on_accepted(desk_core_t *self, const delivery_item_t *item, const zvt_signal_ack_t *ack)
{
    self->counts.signals_acked++;
    if (item->type != ZVT_T_SIGNAL) return;
    if (zvt_id_is_none(&ack->order_id))
        s_refuse(self, item, ack->code, ack->message);
    else
        strategy_core_on_accepted(s_wake(self, item->owner), &item->signal.signal_id, &ack->order_id);
}

void desk_core_on_ack(desk_core_t *self, const zvt_signal_ack_t *ack, desk_time_t now)
{
    self->now = now;
    delivery_item_t item;
    delivery_outcome_t outcome = delivery_core_on_ack(self->delivery, ack, &item, now.monotonic_ns);
    if (outcome == DELIVERY_RENAMED) self->counts.signals_renamed++;
    if (outcome == DELIVERY_ACCEPTED) s_on_accepted(self, &item, ack);
    if (outcome == DELIVERY_REFUSED) {
        self->counts.signals_refused++;
        /* A refusal that is in the log is told from there, with the order's other events. */
        if (item.type == ZVT_T_SIGNAL_CANCEL || ack->seq == 0) s_refuse(self, &item, ack->code, ack->message);
    }
}

void desk_core_on_peer(desk_core_t *self, desk_time_t now)
{
    self->now = now;
    delivery_core_on_peer(self->delivery, now.monotonic_ns);
}

void desk_core_on_time(desk_core_t *self, desk_time_t now)
{
    self->now = now;
    delivery_core_on_time(self->delivery, now.monotonic_ns);
    for (uint32_t i = 0; i < self->seats_count && self->timers_wanted; i++) {
        seat_t *seat = &self->seats[i];
        if (seat->next_time_ns == 0 || seat->next_time_ns > now.monotonic_ns) continue;
        seat->next_time_ns = now.monotonic_ns + strategy_core_config(seat->core)->strategy->period_ms * ZVT_MS_NS;
        strategy_core_on_time(s_wake(self, i));
    }
}

int64_t desk_core_next_ns(const desk_core_t *self)
{
    int64_t next_ns = delivery_core_next_ns(self->delivery);
    for (uint32_t i = 0; i < self->seats_count && self->timers_wanted; i++) {
        int64_t at_ns = self->seats[i].next_time_ns;
        if (at_ns != 0 && (next_ns == 0 || at_ns < next_ns)) next_ns = at_ns;
    }
    return next_ns;
}

/* ---- looking in ---- */
uint32_t desk_core_count(const desk_core_t *self)
{
    return self->seats_count;
}

const strategy_core_t *desk_core_strategy(const desk_core_t *self, uint32_t index)
{
    return self->seats[index].core;
}

const char *desk_core_market(const desk_core_t *self, uint32_t index)
{
    return index < self->markets_count ? self->markets[index].symbol : NULL;
}

const desk_counts_t *desk_core_counts(const desk_core_t *self)
{
    return &self->counts;
}
