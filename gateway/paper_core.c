#include "paper_core.h"

#include <string.h>

#include "zvt_diag.h"
#include "zvt_stats.h"

int paper_core_init(paper_core_t *self, const zvt_fleet_t *fleet, const char *venue, const gateway_adapter_events_t *events,
                    void *events_arg, char problem[ZVT_PROBLEM_SIZE])
{
    memset(self, 0, sizeof *self);
    ZVT_STR_SET(self->venue, venue);
    self->events = events;
    self->events_arg = events_arg;
    return symbol_map_init(&self->symbols, fleet, problem);
}

void paper_core_destroy(paper_core_t *self)
{
    symbol_map_destroy(&self->symbols);
}

/* ---- market data ---- */

/* Index of an instrument by the venue's spelling; what we do not trade is counted and named. */
static int s_instrument(const paper_core_t *self, const char symbol[ZVT_SYMBOL_SIZE])
{
    int instrument = symbol_map_of_venue(&self->symbols, symbol);
    if (instrument != SYMBOL_MAP_NONE) return instrument;
    ZVT_COUNT("unknown_symbol");
    if (zvt_diag_allowed())
        zvt_warn("dropped market data of '%s': add it to 'instruments' of the fleet file to trade it", symbol);
    return SYMBOL_MAP_NONE;
}

static void s_on_quote(paper_core_t *self, const zvt_record_t *record)
{
    int instrument = s_instrument(self, record->price_updated.symbol);
    if (instrument != SYMBOL_MAP_NONE) self->events->on_quote(self->events_arg, (uint32_t)instrument, &record->price_updated);
}

static void s_on_trade(paper_core_t *self, const zvt_record_t *record)
{
    int instrument = s_instrument(self, record->trade_tick.symbol);
    if (instrument != SYMBOL_MAP_NONE) self->events->on_trade(self->events_arg, (uint32_t)instrument, &record->trade_tick);
}

static void s_on_book(paper_core_t *self, const zvt_record_t *record)
{
    int instrument = s_instrument(self, record->orderbook_updated.symbol);
    if (instrument != SYMBOL_MAP_NONE) self->events->on_book(self->events_arg, (uint32_t)instrument, &record->orderbook_updated);
}

static void s_on_status(paper_core_t *self, const zvt_record_t *record)
{
    self->events->on_status(self->events_arg, &record->market_status);
}

/* ---- order entry ---- */

/* Puts our spelling of the symbol and our name of the venue into a report or status. A report is never dropped for its
 * symbol: the orchestrator knows the order by its id. */
static void s_rename(const paper_core_t *self, char symbol[ZVT_SYMBOL_SIZE], char exchange[ZVT_VENUE_SIZE])
{
    int instrument = symbol_map_of_venue(&self->symbols, symbol);
    if (instrument != SYMBOL_MAP_NONE)
        zvt_str_set(symbol, ZVT_SYMBOL_SIZE, self->symbols.fleet->instruments[instrument].symbol);
    zvt_str_set(exchange, ZVT_VENUE_SIZE, self->venue);
}

static void s_on_report(paper_core_t *self, const zvt_record_t *record)
{
    zvt_report_t report = record->report;
    s_rename(self, report.symbol, report.exchange);
    self->events->on_report(self->events_arg, &report);
}

static void s_on_order_status(paper_core_t *self, const zvt_record_t *record)
{
    zvt_order_status_t status = record->order_status;
    s_rename(self, status.symbol, status.exchange);
    self->events->on_order_status(self->events_arg, &status);
}

static void s_on_cancel_result(paper_core_t *self, const zvt_record_t *record)
{
    zvt_cancel_result_t result = record->cancel_result;
    ZVT_STR_SET(result.exchange, self->venue);
    self->events->on_cancel_result(self->events_arg, &result);
}

static void s_on_reports_tip(paper_core_t *self, const zvt_record_t *record)
{
    self->events->on_reports_end(self->events_arg, &record->reports_tip);
}

static void s_on_balance(paper_core_t *self, const zvt_record_t *record)
{
    zvt_balance_t balance = record->balance;
    ZVT_STR_SET(balance.exchange, self->venue);
    self->events->on_balance(self->events_arg, &balance);
}

static void s_on_list_end(paper_core_t *self, const zvt_record_t *record)
{
    self->events->on_list_end(self->events_arg, &record->list_end);
}

static void s_on_account_order(paper_core_t *self, const zvt_record_t *record)
{
    zvt_account_order_t row = record->account_order;
    ZVT_STR_SET(row.exchange, self->venue);
    self->events->on_account_order(self->events_arg, &row);
}

static void s_on_account_asset(paper_core_t *self, const zvt_record_t *record)
{
    zvt_account_asset_t row = record->account_asset;
    ZVT_STR_SET(row.exchange, self->venue);
    self->events->on_account_asset(self->events_arg, &row);
}

static void s_on_account_snapshot(paper_core_t *self, const zvt_record_t *record)
{
    zvt_account_snapshot_t end = record->account_snapshot;
    ZVT_STR_SET(end.exchange, self->venue);
    self->events->on_account_snapshot(self->events_arg, &end);
}

static void s_on_error_reply(paper_core_t *self, const zvt_record_t *record)
{
    (void)self;
    ZVT_COUNT("venue_errors");
    if (zvt_diag_allowed())
        zvt_warn("the venue did not understand a message: %s %s; gateway and venue must be of one release",
                 zvt_code_text(record->error_reply.code), record->error_reply.message);
}

/* ---- dispatch ---- */
typedef void(paper_handler_fn)(paper_core_t *self, const zvt_record_t *record);

static paper_handler_fn *const s_market_handlers[ZVT_T_LIMIT] = {
    [ZVT_T_PRICE_UPDATED] = s_on_quote,
    [ZVT_T_TRADE_TICK] = s_on_trade,
    [ZVT_T_ORDERBOOK_UPDATED] = s_on_book,
    [ZVT_T_MARKET_STATUS] = s_on_status,
};

static paper_handler_fn *const s_order_handlers[ZVT_T_LIMIT] = {
    [ZVT_T_REPORT] = s_on_report,
    [ZVT_T_CANCEL_RESULT] = s_on_cancel_result,
    [ZVT_T_ORDER_STATUS] = s_on_order_status,
    [ZVT_T_REPORTS_TIP] = s_on_reports_tip,
    [ZVT_T_BALANCE] = s_on_balance,
    [ZVT_T_LIST_END] = s_on_list_end,
    [ZVT_T_ACCOUNT_ORDER] = s_on_account_order,
    [ZVT_T_ACCOUNT_ASSET] = s_on_account_asset,
    [ZVT_T_ACCOUNT_SNAPSHOT] = s_on_account_snapshot,
    [ZVT_T_ERROR_REPLY] = s_on_error_reply,
    [ZVT_T_MARKET_STATUS] = s_on_status,
};

static void s_dispatch(paper_core_t *self, paper_handler_fn *const handlers[ZVT_T_LIMIT], const zvt_record_t *record)
{
    if (handlers[record->type] != NULL) {
        handlers[record->type](self, record);
        return;
    }
    ZVT_COUNT("unexpected_records");
    if (zvt_diag_allowed()) zvt_warn("dropped a %s: the venue has no business sending it", zvt_type_name(record->type));
}

void paper_core_on_frame(paper_core_t *self, zvt_cursor_t frame)
{
    size_t length = (size_t)(frame.end - frame.at);
    while (!zvt_cursor_done(&frame)) {
        int status = zvt_read(&frame, &self->record);
        if (status != 0) {
            ZVT_COUNT("malformed");
            if (zvt_diag_allowed()) zvt_warn("dropped market data in a frame of %zu bytes: %s", length, zvt_strerror(status));
            return;
        }
        s_dispatch(self, s_market_handlers, &self->record);
    }
}

void paper_core_on_record(paper_core_t *self, const zvt_record_t *record)
{
    s_dispatch(self, s_order_handlers, record);
}

int paper_core_spell_order(const paper_core_t *self, const zvt_order_send_t *order, zvt_order_send_t *spelled)
{
    int instrument = symbol_map_of_house(&self->symbols, order->symbol);
    if (instrument == SYMBOL_MAP_NONE) return ZVT_ERR_NOT_FOUND;
    *spelled = *order;
    ZVT_STR_SET(spelled->symbol, self->symbols.venue_symbols[instrument]);
    return 0;
}
