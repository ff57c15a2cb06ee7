#include "account_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks_core.h"
#include "zvt_fixed.h"
#include "zvt_planted.h"
#include "zvt_text.h"
#include "zvt_time.h"

enum { FORGET_TRIES = 64 /* ended orders looked at when an id is needed */ };
/* A tombstone outlives any order.send that could still be on its way. */
#define TOMBSTONE_KEEP_NS (3600 * ZVT_SECOND_NS)

static void s_init_instruments(account_core_t *self)
{
    const zvt_fleet_t *fleet = self->config.fleet;
    for (uint32_t i = 0; i < fleet->instruments_count; i++) {
        account_instrument_t *instrument = &self->instruments[i];
        instrument->base = balances_core_asset(&self->balances, fleet->instruments[i].base);
        instrument->quote = balances_core_asset(&self->balances, fleet->instruments[i].quote);
        market_venue_symbol(fleet->instruments[i].symbol, instrument->venue_symbol);
        if (zvt_map_get(self->by_venue_symbol, instrument->venue_symbol) == ZVT_MAP_NONE)
            ZVT_ASSERT(zvt_map_put(self->by_venue_symbol, instrument->venue_symbol, i) == 0);
    }
    for (uint32_t i = 0; i < self->venue->balances_count; i++)
        (void)balances_core_asset(&self->balances, self->venue->balances[i].asset);
}

account_core_t *account_core_new(const account_config_t *config)
{
    account_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->config = *config;
    self->venue = &config->fleet->venues[config->venue];
    self->by_venue_symbol = zvt_map_new(ZVT_SYMBOL_SIZE, ZVT_INSTRUMENTS_MAX);
    self->fee_max_e8 =
        self->venue->maker_fee_e8 > self->venue->taker_fee_e8 ? self->venue->maker_fee_e8 : self->venue->taker_fee_e8;
    s_init_instruments(self);
    self->ids = zvt_map_new(sizeof(zvt_id_t), config->ids_max);
    self->records = calloc(config->ids_max, sizeof *self->records);
    self->slots = calloc(MARKET_SLOTS_MAX, sizeof *self->slots);
    ZVT_ASSERT(self->records != NULL);
    ZVT_ASSERT(self->slots != NULL);
    self->records_free = self->ended_first = self->ended_last = self->slots_free = self->taking = NO_INDEX;
    for (uint32_t i = MARKET_SLOTS_MAX; i-- > 0;) {
        self->slots[i].record = NO_INDEX;
        self->slots[i].next = self->slots_free;
        self->slots_free = i;
    }
    self->writable = true;
    self->closed_message = "the market has not begun";
    if (self->venue->enforce_limits) {
        self->order_limit = limit_core_new(self->venue->orders_per_second);
        self->cancel_limit = limit_core_new(self->venue->cancels_per_second);
    }
    return self;
}

void account_core_destroy(account_core_t **self)
{
    if (*self == NULL) return;
    limit_core_destroy(&(*self)->order_limit);
    limit_core_destroy(&(*self)->cancel_limit);
    zvt_map_destroy(&(*self)->ids);
    zvt_map_destroy(&(*self)->by_venue_symbol);
    free((*self)->records);
    free((*self)->slots);
    free(*self);
    *self = NULL;
}

int account_core_instrument(const account_core_t *self, const char *symbol, bool *slashed)
{
    *slashed = strchr(symbol, '/') != NULL;
    if (*slashed) return zvt_fleet_instrument(self->config.fleet, symbol);
    char key[ZVT_SYMBOL_SIZE] = "";
    if (strlen(symbol) >= sizeof key) return -1;
    ZVT_STR_SET(key, symbol);
    uint32_t index = zvt_map_get(self->by_venue_symbol, key);
    return index == ZVT_MAP_NONE ? -1 : (int)index;
}

/* ---- the table of ids ---- */
static zvt_id_t s_key(const char *client_order_id)
{
    return zvt_id_from_text(client_order_id, strlen(client_order_id));
}

_Static_assert(NO_INDEX == ZVT_MAP_NONE, "an id that is not in the table has no record");

static uint32_t s_find(const account_core_t *self, const zvt_id_t *key)
{
    return zvt_map_get(self->ids, key);
}

static uint32_t s_pop_ended(account_core_t *self)
{
    uint32_t index = self->ended_first;
    self->ended_first = self->records[index].next;
    if (self->ended_first == NO_INDEX) self->ended_last = NO_INDEX;
    return index;
}

static void s_push_ended(account_core_t *self, uint32_t index)
{
    self->records[index].next = NO_INDEX;
    if (self->ended_last == NO_INDEX)
        self->ended_first = index;
    else
        self->records[self->ended_last].next = index;
    self->ended_last = index;
}

/* Frees the id that ended first among those a duplicate could not revive. */
static bool s_forget_one(account_core_t *self, int64_t now_ns, uint32_t tries)
{
    for (; tries > 0 && self->ended_first != NO_INDEX; tries--) {
        uint32_t index = s_pop_ended(self);
        if (self->records[index].expires_at_ns >= now_ns) {
            s_push_ended(self, index);
            continue;
        }
        ZVT_ASSERT(zvt_map_remove(self->ids, &self->records[index].key));
        self->records[index].next = self->records_free;
        self->records[index].forgotten = true;
        self->records_free = index;
        return true;
    }
    return false;
}

static bool s_has_record(account_core_t *self, int64_t now_ns, uint32_t tries)
{
    return self->records_free != NO_INDEX || self->records_used < self->config.ids_max || s_forget_one(self, now_ns, tries);
}

/* A new record for an id that is not known; s_has_record was true. */
static uint32_t s_new_record(account_core_t *self, const zvt_id_t *key)
{
    uint32_t index = self->records_free;
    if (index != NO_INDEX)
        self->records_free = self->records[index].next;
    else
        index = self->records_used++;
    self->records[index] = (account_record_t){.key = *key, .next = NO_INDEX, .slot = NO_INDEX};
    ZVT_ASSERT(zvt_map_put(self->ids, &self->records[index].key, index) == 0);
    return index;
}

/* ---- slots ---- */
void account_state_open(account_core_t *self, uint32_t index, uint32_t slot, const char *client_order_id)
{
    account_record_t *record = &self->records[index];
    const account_instrument_t *instrument = &self->instruments[record->instrument];
    bool buys = record->side == ZVT_SIDE_BUY;
    self->slots[slot] = (account_slot_t){.record = index, .next = NO_INDEX};
    self->slots[slot].hold = (balance_hold_t){.pay_asset = buys ? instrument->quote : instrument->base,
                                              .get_asset = buys ? instrument->base : instrument->quote};
    ZVT_STR_SET(self->slots[slot].client_order_id, client_order_id);
    record->slot = slot;
    self->open_count++;
}

static void s_take_slot(account_core_t *self, uint32_t index, const char *client_order_id)
{
    uint32_t slot = self->slots_free;
    ZVT_ASSERT(slot != NO_INDEX);
    self->slots_free = self->slots[slot].next;
    account_state_open(self, index, slot, client_order_id);
}

/* Nothing more can happen to the order: its funds and its slot are free again. */
static void s_end(account_core_t *self, uint32_t index)
{
    account_record_t *record = &self->records[index];
    if (record->slot != NO_INDEX) {
        account_slot_t *slot = &self->slots[record->slot];
        ZVT_ASSERT(balances_core_hold(&self->balances, &slot->hold, 0, 0) == 0);
        slot->record = NO_INDEX;
        slot->next = self->slots_free;
        self->slots_free = record->slot;
        record->slot = NO_INDEX;
        self->open_count--;
    }
    s_push_ended(self, index);
}

/* A market order never rests and holds nothing. */
int account_state_hold(account_core_t *self, const account_record_t *record)
{
    if (record->limit_e8 == 0 || record->slot == NO_INDEX) return 0;
    int64_t leaves_e8 = record->quantity_e8 - record->cum_e8, cost_e8, notional_e8;
    int status = checks_core_cost(leaves_e8, record->limit_e8, self->fee_max_e8, &cost_e8);
    if (status == 0) status = zvt_fixed_mul(leaves_e8, record->limit_e8, &notional_e8);
    if (status != 0) return status;
    bool buys = record->side == ZVT_SIDE_BUY;
    return balances_core_hold(&self->balances, &self->slots[record->slot].hold, buys ? cost_e8 : leaves_e8,
                              buys ? leaves_e8 : notional_e8);
}

/* ---- applying records: the same for what happens now and for what the ledger says happened ---- */

/* State after a report; 0 is illegal, and a fill's state depends on what is left. */
static const uint8_t s_state_after[] = {
    [ZVT_REPORT_KIND_ACCEPTED] = ZVT_ORDER_STATE_ACCEPTED,
    [ZVT_REPORT_KIND_REJECTED] = ZVT_ORDER_STATE_REJECTED,
    [ZVT_REPORT_KIND_FILL] = ZVT_ORDER_STATE_PARTIALLY_FILLED,
    [ZVT_REPORT_KIND_CANCELED] = ZVT_ORDER_STATE_CANCELED,
    [ZVT_REPORT_KIND_EXPIRED] = ZVT_ORDER_STATE_EXPIRED,
};

static int s_apply_fill(account_core_t *self, account_record_t *record, const zvt_report_t *report)
{
    const account_instrument_t *instrument = &self->instruments[record->instrument];
    bool positive = report->price_e8 > 0 && report->quantity_e8 > 0 && report->commission_e8 >= 0;
    if (!positive || report->quantity_e8 > record->quantity_e8 - record->cum_e8) return ZVT_ERR_CORRUPT;
    int64_t notional_e8, paid_e8;
    int64_t sign = record->side == ZVT_SIDE_BUY ? 1 : -1;
    int status = zvt_fixed_mul(report->price_e8, report->quantity_e8, &notional_e8);
    if (status == 0) status = zvt_fixed_add(sign * notional_e8, report->commission_e8, &paid_e8);
    if (status == 0) status = balances_core_add(&self->balances, instrument->base, sign * report->quantity_e8);
    if (status == 0) status = balances_core_add(&self->balances, instrument->quote, -paid_e8);
    record->cum_e8 += report->quantity_e8;
    return status;
}

/* The only function that changes the state of an order. */
static int s_apply_report(account_core_t *self, uint32_t index, const zvt_report_t *report)
{
    account_record_t *record = &self->records[index];
    bool first = report->kind == ZVT_REPORT_KIND_ACCEPTED || report->kind == ZVT_REPORT_KIND_REJECTED;
    if (record->tombstone || report->kind >= sizeof s_state_after || s_state_after[report->kind] == 0) return ZVT_ERR_CORRUPT;
    if (report->venue_seq != self->venue_seq + 1 || first != (record->state == 0) || (!first && !account_state_is_open(record)))
        return ZVT_ERR_CORRUPT;
    self->venue_seq = report->venue_seq;
    if (record->reports++ == 0) record->first_seq = report->venue_seq;
    record->last_seq = report->venue_seq;
    int status = report->kind == ZVT_REPORT_KIND_FILL ? s_apply_fill(self, record, report) : 0;
    if (status != 0) return status;
    record->state = s_state_after[report->kind];
    if (report->kind == ZVT_REPORT_KIND_FILL && record->cum_e8 == record->quantity_e8) record->state = ZVT_ORDER_STATE_FILLED;
    if (!account_state_is_open(record)) {
        s_end(self, index);
        return 0;
    }
    if (first) s_take_slot(self, index, report->client_order_id);
    return account_state_hold(self, record);
}

static uint32_t s_apply_order(account_core_t *self, const zvt_id_t *key, const zvt_order_send_t *order, int instrument, bool slashed)
{
    uint32_t index = s_new_record(self, key);
    account_record_t *record = &self->records[index];
    record->expires_at_ns = order->expires_at_ns;
    record->number = ++self->last_number;
    record->limit_e8 = order->limit_price_e8;
    record->quantity_e8 = order->quantity_e8;
    record->instrument = instrument < 0 ? NO_INSTRUMENT : (uint16_t)instrument;
    record->side = order->side;
    record->slashed = slashed;
    return index;
}

static uint32_t s_apply_tombstone(account_core_t *self, const zvt_id_t *key, int64_t now_ns)
{
    uint32_t index = s_new_record(self, key);
    self->records[index].tombstone = true;
    self->records[index].expires_at_ns = now_ns + TOMBSTONE_KEEP_NS;
    s_push_ended(self, index);
    return index;
}

/* ---- replay ---- */

/* Room for an id of the ledger: the order was taken, so some id could be forgotten then. Tombstones are younger here than
 * they were, so that it may stand behind any number of them. */
static int s_replay_key(account_core_t *self, const char *client_order_id, int64_t now_ns, zvt_id_t *key)
{
    *key = s_key(client_order_id);
    if (s_find(self, key) != NO_INDEX) return ZVT_ERR_CORRUPT;
    self->replayed_id[0] = '\0'; /* its id may be the one that is forgotten */
    return s_has_record(self, now_ns, self->config.ids_max) ? 0 : ZVT_ERR_FULL;
}

static int s_replay_order(account_core_t *self, const zvt_order_send_t *order, int64_t now_ns)
{
    zvt_id_t key;
    bool slashed;
    int status = s_replay_key(self, order->client_order_id, now_ns, &key);
    if (status != 0) return status;
    int instrument = account_core_instrument(self, order->symbol, &slashed);
    self->replayed = s_apply_order(self, &key, order, instrument, slashed);
    ZVT_STR_SET(self->replayed_id, order->client_order_id);
    return 0;
}

static int s_replay_tombstone(account_core_t *self, const zvt_order_query_t *query, int64_t now_ns)
{
    zvt_id_t key;
    int status = s_replay_key(self, query->client_order_id, now_ns, &key);
    if (status == 0) (void)s_apply_tombstone(self, &key, now_ns);
    return status;
}

/* Most reports stand behind their order: those need no hash and no search. */
static uint32_t s_find_replayed(const account_core_t *self, const char *client_order_id)
{
    if (client_order_id[0] != '\0' && strcmp(client_order_id, self->replayed_id) == 0) return self->replayed;
    zvt_id_t key = s_key(client_order_id);
    return s_find(self, &key);
}

static int s_replay_report(account_core_t *self, const zvt_report_t *report)
{
    uint32_t index = s_find_replayed(self, report->client_order_id);
    if (index == NO_INDEX) return ZVT_ERR_CORRUPT;
    const account_record_t *record = &self->records[index];
    if (report->kind != ZVT_REPORT_KIND_REJECTED) {
        if (record->instrument == NO_INSTRUMENT) return ZVT_ERR_NOT_FOUND;
        if (record->quantity_e8 <= 0 || record->limit_e8 < 0) return ZVT_ERR_CORRUPT;
        if (report->kind == ZVT_REPORT_KIND_ACCEPTED && self->slots_free == NO_INDEX) return ZVT_ERR_CORRUPT;
    }
    return s_apply_report(self, index, report);
}

static int s_replay_balance(account_core_t *self, const zvt_balance_t *opening)
{
    uint32_t asset = balances_core_asset(&self->balances, opening->asset);
    if (asset == BALANCES_ASSETS_MAX) return ZVT_ERR_FULL;
    if (opening->total_e8 < 0) return ZVT_ERR_CORRUPT;
    self->balances.assets[asset].opened = true;
    return balances_core_add(&self->balances, asset, opening->total_e8);
}

int account_core_replay(account_core_t *self, const zvt_record_t *record, int64_t now_ns)
{
    switch ((int)record->type) {
    case ZVT_T_ORDER_SEND: return s_replay_order(self, &record->order_send, now_ns);
    case ZVT_T_REPORT: return s_replay_report(self, &record->report);
    case ZVT_T_BALANCE: return s_replay_balance(self, &record->balance);
    case ZVT_T_ORDER_QUERY: return s_replay_tombstone(self, &record->order_query, now_ns);
    default: return ZVT_ERR_CORRUPT;
    }
}

void account_core_open_balances(account_core_t *self)
{
    for (uint32_t i = 0; i < self->balances.count; i++) {
        balance_t *asset = &self->balances.assets[i];
        if (asset->opened) continue;
        zvt_balance_t opening = {0};
        ZVT_STR_SET(opening.exchange, self->venue->name);
        ZVT_STR_SET(opening.asset, asset->name);
        for (uint32_t b = 0; b < self->venue->balances_count; b++)
            if (strcmp(self->venue->balances[b].asset, asset->name) == 0) opening.total_e8 = self->venue->balances[b].amount_e8;
        opening.available_e8 = opening.total_e8;
        ZVT_ASSERT(s_replay_balance(self, &opening) == 0);
        self->config.sink.on_balance(self->config.sink.arg, &opening);
    }
}

/* Hands an order to the market's book: 0, or ZVT_ERR_FULL. */
static int s_rest(account_core_t *self, account_record_t *record)
{
    market_rest_t rest = {.instrument = record->instrument, .slot = record->slot, .side = record->side,
                          .price_e8 = record->limit_e8, .quantity_e8 = record->quantity_e8 - record->cum_e8};
    int status = self->config.market.ops->rest(self->config.market.market, &rest);
    if (status == 0) self->slots[record->slot].resting = true;
    return status;
}

void account_core_restore(account_core_t *self)
{
    for (uint32_t slot = 0; slot < MARKET_SLOTS_MAX; slot++)
        if (self->slots[slot].record != NO_INDEX) ZVT_ASSERT(s_rest(self, &self->records[self->slots[slot].record]) == 0);
}

/* ---- making reports ---- */

/* VENUE, a mark of up to two characters and a number of up to twenty digits. */
_Static_assert(ZVT_VENUE_SIZE - 1 + 2 + 20 < ZVT_CLIENT_ORDER_SIZE, "the names of orders and executions fit");

static void s_name(const account_core_t *self, const char *mark, uint64_t number, char *text, size_t size)
{
    zvt_text_t name = zvt_text(text, size);
    bool fits = zvt_text_add(&name, self->venue->name) && zvt_text_add(&name, mark) && zvt_text_add_u64(&name, number);
    ZVT_ASSERT(fits);
}

static void s_exchange_order_id(const account_core_t *self, uint64_t number, char text[ZVT_CLIENT_ORDER_SIZE])
{
    s_name(self, "-", number, text, ZVT_CLIENT_ORDER_SIZE);
}

static const char *s_symbol(const account_core_t *self, const account_record_t *record)
{
    if (record->instrument == NO_INSTRUMENT) return "";
    if (record->slashed) return self->config.fleet->instruments[record->instrument].symbol;
    return self->instruments[record->instrument].venue_symbol;
}

/* The part of a report that follows from the order. */
static zvt_report_t s_report(const account_core_t *self, const account_record_t *record, const char *client_order_id, uint8_t kind)
{
    zvt_report_t report = {.venue_seq = self->venue_seq + 1, .kind = kind, .side = record->side,
                           .market_ts_ns = self->market_ns, .code = ZVT_CODE_OK};
    ZVT_STR_SET(report.exchange, self->venue->name);
    ZVT_STR_SET(report.client_order_id, client_order_id);
    ZVT_STR_SET(report.symbol, s_symbol(self, record));
    s_exchange_order_id(self, record->number, report.exchange_order_id);
    report.cum_qty_e8 = record->cum_e8;
    return report;
}

static void s_publish(account_core_t *self, uint32_t index, const zvt_report_t *report)
{
    ZVT_ASSERT(s_apply_report(self, index, report) == 0);
    self->config.sink.on_report(self->config.sink.arg, report);
}

static void s_accept(account_core_t *self, uint32_t index, const char *client_order_id)
{
    zvt_report_t report = s_report(self, &self->records[index], client_order_id, ZVT_REPORT_KIND_ACCEPTED);
    report.leaves_qty_e8 = self->records[index].quantity_e8;
    s_publish(self, index, &report);
}

static void s_fill(account_core_t *self, uint32_t index, int64_t price_e8, int64_t quantity_e8, bool is_maker)
{
    const account_record_t *record = &self->records[index];
    const char *quote = self->config.fleet->instruments[record->instrument].quote;
    int64_t notional_e8;
    zvt_report_t report = s_report(self, record, self->slots[record->slot].client_order_id, ZVT_REPORT_KIND_FILL);
    ZVT_ASSERT(zvt_fixed_mul(price_e8, quantity_e8, &notional_e8) == 0);
    ZVT_ASSERT(checks_core_fee(notional_e8, is_maker ? self->venue->maker_fee_e8 : self->venue->taker_fee_e8,
                               &report.commission_e8) == 0);
    s_name(self, "-x", report.venue_seq, report.exec_id, sizeof report.exec_id);
    ZVT_STR_SET(report.commission_asset, quote);
    report.price_e8 = price_e8;
    report.quantity_e8 = quantity_e8;
    report.is_maker = is_maker;
    report.cum_qty_e8 = record->cum_e8 + quantity_e8;
    report.leaves_qty_e8 = record->quantity_e8 - report.cum_qty_e8;
    s_publish(self, index, &report);
}

/* Ends an open order with nothing left of it working. */
static void s_finish(account_core_t *self, uint32_t index, uint8_t kind, uint8_t code)
{
    const account_record_t *record = &self->records[index];
    char client_order_id[ZVT_CLIENT_ORDER_SIZE], left[ZVT_FIXED_TEXT];
    ZVT_STR_SET(client_order_id, self->slots[record->slot].client_order_id);
    zvt_report_t report = s_report(self, record, client_order_id, kind);
    report.code = code;
    zvt_fixed_format(record->quantity_e8 - record->cum_e8, left);
    snprintf(report.message, sizeof report.message, "unfilled=%s", left);
    s_publish(self, index, &report);
}

/* Refuses without a trace in the ledger: nothing is known of the id afterwards that was not known before. */
static void s_refuse(const account_core_t *self, const zvt_order_send_t *order, uint8_t code, const char *message)
{
    zvt_report_t report = {.kind = ZVT_REPORT_KIND_REJECTED, .side = order->side, .market_ts_ns = self->market_ns, .code = code};
    ZVT_STR_SET(report.exchange, self->venue->name);
    ZVT_STR_SET(report.client_order_id, order->client_order_id);
    ZVT_STR_SET(report.symbol, order->symbol);
    ZVT_STR_SET(report.message, message);
    self->config.sink.on_report(self->config.sink.arg, &report);
}

/* ---- orders ---- */
static void s_on_taken(void *arg, int64_t price_e8, int64_t quantity_e8)
{
    account_core_t *self = arg;
    s_fill(self, self->taking, price_e8, quantity_e8, false);
}

/* Why what is left of an order ends. */
static uint8_t s_ending(const zvt_order_send_t *order, const market_preview_t *preview)
{
    if (preview->cut) return ZVT_CODE_VENUE_LIMIT;
    return order->order_type == ZVT_ORDER_TYPE_MARKET ? ZVT_CODE_NO_LIQUIDITY : ZVT_CODE_TIME_IN_FORCE;
}

static void s_execute(account_core_t *self, uint32_t index, const zvt_order_send_t *order, const market_take_t *take,
                      const market_preview_t *preview)
{
    s_accept(self, index, order->client_order_id);
    if (order->time_in_force == ZVT_TIF_FOK && preview->quantity_e8 < order->quantity_e8) {
        s_finish(self, index, ZVT_REPORT_KIND_EXPIRED, s_ending(order, preview));
        return;
    }
    self->taking = index;
    int64_t executed_e8 = self->config.market.ops->take(self->config.market.market, take, s_on_taken, self);
    self->taking = NO_INDEX;
    if (executed_e8 == order->quantity_e8) return;
    bool rests = order->time_in_force == ZVT_TIF_GTC && !preview->cut;
    if (!rests)
        s_finish(self, index, ZVT_REPORT_KIND_EXPIRED, s_ending(order, preview));
    else if (s_rest(self, &self->records[index]) != 0)
        s_finish(self, index, ZVT_REPORT_KIND_EXPIRED, ZVT_CODE_VENUE_LIMIT);
}

static void s_reject(account_core_t *self, uint32_t index, const zvt_order_send_t *order, uint8_t code, const char *message)
{
    zvt_report_t report = s_report(self, &self->records[index], order->client_order_id, ZVT_REPORT_KIND_REJECTED);
    ZVT_STR_SET(report.symbol, order->symbol);
    report.code = code;
    ZVT_STR_SET(report.message, message);
    s_publish(self, index, &report);
}

/* Judges an order that is new here, and does what it says if it is good. */
static void s_on_new_order(account_core_t *self, const zvt_id_t *key, const zvt_order_send_t *order)
{
    bool slashed;
    int instrument = account_core_instrument(self, order->symbol, &slashed);
    uint32_t index = s_apply_order(self, key, order, instrument, slashed);
    self->config.sink.on_order(self->config.sink.arg, order);
    check_t check = {.order = order, .fee_e8 = self->fee_max_e8, .taker_fee_e8 = self->venue->taker_fee_e8,
                     .balances = &self->balances, .open = self->open, .closed_message = self->closed_message,
                     .slot_free = self->slots_free != NO_INDEX};
    if (instrument >= 0) {
        check.instrument = &self->config.fleet->instruments[instrument];
        check.base_asset = self->instruments[instrument].base;
        check.quote_asset = self->instruments[instrument].quote;
    }
    market_take_t take = {.instrument = (uint32_t)instrument, .side = order->side, .limit_e8 = order->limit_price_e8,
                          .quantity_e8 = order->quantity_e8};
    market_preview_t preview = {0};
    check.preview = &preview;
    uint8_t code = limit_core_take(self->order_limit, self->monotonic_ns) ? checks_core_terms(&check) : ZVT_CODE_VENUE_LIMIT;
    if (code == ZVT_CODE_VENUE_LIMIT)
        snprintf(check.message, sizeof check.message, "orders_per_second=%" PRId64, self->venue->orders_per_second);
    if (code == ZVT_CODE_OK) {
        self->config.market.ops->preview(self->config.market.market, &take, &preview);
        code = checks_core_market(&check);
    }
    if (code == ZVT_CODE_OK)
        s_execute(self, index, order, &take, &preview);
    else
        s_reject(self, index, order, code, check.message);
}

void account_core_on_order(account_core_t *self, const zvt_order_send_t *order, int64_t now_ns, int64_t market_ns)
{
    self->market_ns = market_ns;
    if (order->client_order_id[0] == '\0') {
        s_refuse(self, order, ZVT_CODE_MALFORMED, "client_order_id is empty");
        return;
    }
    if (strcmp(order->exchange, self->venue->name) != 0) {
        s_refuse(self, order, ZVT_CODE_UNKNOWN_VENUE, "the order names another venue");
        return;
    }
    zvt_id_t key = s_key(order->client_order_id);
    uint32_t index = s_find(self, &key);
    if (index != NO_INDEX) {
        const account_record_t *known = &self->records[index];
        if (known->tombstone)
            s_refuse(self, order, ZVT_CODE_TOMBSTONED, "declared dead before it arrived");
        else
            self->config.sink.on_resend(self->config.sink.arg, order->client_order_id, known->first_seq, known->last_seq,
                                        known->reports);
        return;
    }
    if (order->expires_at_ns != 0 && order->expires_at_ns < now_ns && !ZVT_PLANTED(SEND_EXPIRED))
        s_refuse(self, order, ZVT_CODE_ORDER_EXPIRED, "arrived after expires_at");
    else if (!self->writable)
        s_refuse(self, order, ZVT_CODE_OVERLOADED, "the venue's ledger cannot be written; free disk space");
    else if (!s_has_record(self, now_ns, FORGET_TRIES))
        s_refuse(self, order, ZVT_CODE_VENUE_LIMIT, "too many unexpired client order ids");
    else
        s_on_new_order(self, &key, order);
}

/* ---- cancels, queries, fills ---- */
static uint8_t s_cancel_code(account_core_t *self, uint32_t index)
{
    if (!limit_core_take(self->cancel_limit, self->monotonic_ns)) return ZVT_CODE_VENUE_LIMIT;
    if (index == NO_INDEX) return ZVT_CODE_UNKNOWN_ORDER;
    if (!account_state_is_open(&self->records[index])) return ZVT_CODE_ORDER_ENDED;
    return self->writable ? ZVT_CODE_OK : ZVT_CODE_OVERLOADED;
}

void account_core_on_cancel(account_core_t *self, const zvt_order_cancel_t *cancel, int64_t market_ns)
{
    self->market_ns = market_ns;
    zvt_id_t key = s_key(cancel->client_order_id);
    uint32_t index = s_find(self, &key);
    zvt_cancel_result_t result = {.code = s_cancel_code(self, index)};
    ZVT_STR_SET(result.client_order_id, cancel->client_order_id);
    ZVT_STR_SET(result.exchange, self->venue->name);
    if (result.code == ZVT_CODE_ORDER_ENDED)
        snprintf(result.message, sizeof result.message, "state=%s", zvt_order_state_text(self->records[index].state));
    self->config.sink.on_cancel_result(self->config.sink.arg, &result);
    if (result.code != ZVT_CODE_OK) return;
    uint32_t slot = self->records[index].slot;
    if (self->slots[slot].resting) self->config.market.ops->cancel(self->config.market.market, slot);
    s_finish(self, index, ZVT_REPORT_KIND_CANCELED, ZVT_CODE_CANCEL_REQUESTED);
}

static void s_status_of(const account_core_t *self, const account_record_t *record, zvt_order_status_t *status)
{
    status->code = ZVT_CODE_OK;
    status->state = record->state;
    status->side = record->side;
    status->limit_price_e8 = record->limit_e8;
    status->cum_qty_e8 = record->cum_e8;
    status->leaves_qty_e8 = account_state_is_open(record) ? record->quantity_e8 - record->cum_e8 : 0;
    s_exchange_order_id(self, record->number, status->exchange_order_id);
    ZVT_STR_SET(status->symbol, s_symbol(self, record));
}

void account_core_on_query(account_core_t *self, const zvt_order_query_t *query, int64_t now_ns)
{
    zvt_order_status_t status = {.code = ZVT_CODE_UNKNOWN_ORDER};
    ZVT_STR_SET(status.client_order_id, query->client_order_id);
    ZVT_STR_SET(status.exchange, self->venue->name);
    zvt_id_t key = s_key(query->client_order_id);
    uint32_t index = s_find(self, &key);
    bool buries = index == NO_INDEX && query->tombstone && query->client_order_id[0] != '\0';
    if (buries && self->writable && s_has_record(self, now_ns, FORGET_TRIES)) {
        index = s_apply_tombstone(self, &key, now_ns);
        self->config.sink.on_tombstone(self->config.sink.arg, query);
    } else if (buries) {
        status.code = ZVT_CODE_OVERLOADED;
    }
    if (index != NO_INDEX && self->records[index].tombstone)
        status.code = ZVT_CODE_TOMBSTONED;
    else if (index != NO_INDEX)
        s_status_of(self, &self->records[index], &status);
    status.venue_seq = self->venue_seq;
    self->config.sink.on_status(self->config.sink.arg, &status);
}

void account_core_on_fill(account_core_t *self, uint32_t slot, int64_t price_e8, int64_t quantity_e8, int64_t market_ns)
{
    ZVT_ASSERT(slot < MARKET_SLOTS_MAX);
    ZVT_ASSERT(self->slots[slot].record != NO_INDEX);
    self->market_ns = market_ns;
    s_fill(self, self->slots[slot].record, price_e8, quantity_e8, true);
}

/* ---- looking ---- */
void account_core_set_open(account_core_t *self, bool open, const char *message)
{
    self->open = open;
    self->closed_message = message;
}

void account_core_set_monotonic(account_core_t *self, int64_t now_ns)
{
    self->monotonic_ns = now_ns;
}

void account_core_set_writable(account_core_t *self, bool writable)
{
    self->writable = writable;
}

uint64_t account_core_venue_seq(const account_core_t *self)
{
    return self->venue_seq;
}

uint32_t account_core_open_count(const account_core_t *self)
{
    return self->open_count;
}

uint32_t account_core_ids(const account_core_t *self)
{
    return zvt_map_count(self->ids);
}

bool account_core_next_open(const account_core_t *self, uint32_t *slot, zvt_order_status_t *status)
{
    while (*slot < MARKET_SLOTS_MAX && self->slots[*slot].record == NO_INDEX) (*slot)++;
    if (*slot >= MARKET_SLOTS_MAX) return false;
    const account_slot_t *open = &self->slots[(*slot)++];
    *status = (zvt_order_status_t){.venue_seq = self->venue_seq};
    ZVT_STR_SET(status->client_order_id, open->client_order_id);
    ZVT_STR_SET(status->exchange, self->venue->name);
    s_status_of(self, &self->records[open->record], status);
    return true;
}

bool account_core_balance(const account_core_t *self, uint32_t n, zvt_balance_t *balance)
{
    if (n >= self->balances.count) return false;
    *balance = (zvt_balance_t){.total_e8 = self->balances.assets[n].total_e8,
                               .available_e8 = balances_core_available(&self->balances, n)};
    ZVT_STR_SET(balance->exchange, self->venue->name);
    ZVT_STR_SET(balance->asset, self->balances.assets[n].name);
    return true;
}
