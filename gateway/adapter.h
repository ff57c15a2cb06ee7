/* gateway_adapter -- what the gateway needs from a venue, whatever protocol the venue speaks.
 *
 * An adapter owns the connections to one venue and translates: the house's records go in through the functions of
 * gateway_adapter_t, the venue's answers and market data come out through gateway_adapter_events_t.
 *
 * Owns     the adapter borrows the events and their arg for its life; records are valid during the call only.
 * Bounds   an adapter queues nothing: what it cannot hand to the venue now it refuses.
 * Errors   functions return 0 (handed to the venue, outcome unknown until an event tells), ZVT_ERR_AGAIN (no
 *          connection, the venue has not seen it) or ZVT_ERR_NOT_FOUND (the venue does not list the symbol). */
#ifndef GATEWAY_ADAPTER_H
#define GATEWAY_ADAPTER_H

#include "zvt_schema.h"

typedef struct {
    /* The venue answers. `incarnation` changes with every start of it; venue_seq is the account's last report. */
    void (*on_up)(void *arg, uint64_t incarnation, uint64_t venue_seq);
    /* The venue is silent: answers to what was asked may be lost. */
    void (*on_down)(void *arg);
    /* The account's last report number, as the venue tells it from time to time; its report may come later. */
    void (*on_tip)(void *arg, uint64_t venue_seq);

    /* Market data. `instrument` is the index in the fleet file and the only valid name of the symbol here: the
     * record's own venue and symbol are the venue's spelling, and symbol_seq is the venue's own number. */
    void (*on_quote)(void *arg, uint32_t instrument, const zvt_price_updated_t *quote);
    void (*on_trade)(void *arg, uint32_t instrument, const zvt_trade_tick_t *trade);
    void (*on_book)(void *arg, uint32_t instrument, const zvt_orderbook_updated_t *book);
    void (*on_status)(void *arg, const zvt_market_status_t *status);

    /* Order entry, in the house's spelling of symbols. */
    void (*on_report)(void *arg, const zvt_report_t *report);
    void (*on_cancel_result)(void *arg, const zvt_cancel_result_t *result);
    void (*on_order_status)(void *arg, const zvt_order_status_t *status); /* answers a query, or one open order */
    void (*on_reports_end)(void *arg, const zvt_reports_tip_t *tip);      /* ends the answer to reports_since */
    void (*on_balance)(void *arg, const zvt_balance_t *balance);
    void (*on_list_end)(void *arg, const zvt_list_end_t *end); /* ends open orders and balances */
    void (*on_account_order)(void *arg, const zvt_account_order_t *row);
    void (*on_account_asset)(void *arg, const zvt_account_asset_t *row);
    void (*on_account_snapshot)(void *arg, const zvt_account_snapshot_t *end); /* ends the answer to account */
} gateway_adapter_events_t;

typedef struct gateway_adapter gateway_adapter_t;

struct gateway_adapter {
    bool (*is_up)(const gateway_adapter_t *self);
    int (*place)(gateway_adapter_t *self, const zvt_order_send_t *order);
    int (*cancel)(gateway_adapter_t *self, const zvt_order_cancel_t *cancel);
    int (*query)(gateway_adapter_t *self, const zvt_order_query_t *query);
    int (*reports_since)(gateway_adapter_t *self, const zvt_reports_since_t *since);
    int (*open_orders)(gateway_adapter_t *self, const zvt_open_orders_query_t *query);
    int (*balances)(gateway_adapter_t *self, const zvt_balances_query_t *query);
    int (*account)(gateway_adapter_t *self, const zvt_account_query_t *query);
    /* While held, market data that arrives is not acknowledged, so that a venue with flow control stops sending.
     * A venue without flow control ignores it. */
    void (*hold_market_data)(gateway_adapter_t *self, bool hold);
    void (*destroy)(gateway_adapter_t **self);
};

#endif
