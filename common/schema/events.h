/* The fields of events: what the log holds, and market data.
 *
 * F(S, KIND, name, N, unit, meaning), as records.h explains. Include it through zvt_schema.h only. */

/* ---- events: the order's life ---- */
#define ZVT_FIELDS_order_requested(F, S)                                                                   \
    F(S, ID, order_id, 0, "", "the order")                                                                 \
    F(S, REC, order_request, order_request, "", "what is asked for")                                       \
    F(S, STR, user_id, ZVT_NAME_SIZE, "", "who asked")                                                     \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "the strategy it is accounted to")                           \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "the portfolio it is accounted to")                         \
    F(S, ID, signal_id, 0, "", "the signal that caused it; none for a request")                            \
    F(S, STR, sender, ZVT_NAME_SIZE, "", "who sent the command, for deduplication")                        \
    F(S, U64, incarnation, 0, "", "the sender's run; with sender_seq names the command")                   \
    F(S, U64, sender_seq, 0, "", "the command's number within that run; 0 for a request")                  \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "free-form id given by a client; empty for a signal")      \
    F(S, E8, confidence, 0, "ratio", "the strategy's own, 0 to 1")                                         \
    F(S, NS, deadline, 0, "UTC ns", "the saga must have placed or ended the order by then")                \
    F(S, NS, created_at, 0, "UTC ns", "when the client says that it first made the request; 0: it does not, or a signal")

#define ZVT_FIELDS_order_validated(F, S)                                        \
    F(S, ID, order_id, 0, "", "the order")                                      \
    F(S, REC, validation_result, validation_result, "", "what it was judged by") \
    F(S, E8, risk_score, 0, "ratio", "how much of the tightest limit it uses, 0 to 1")

#define ZVT_FIELDS_order_rejected(F, S)                                                        \
    F(S, ID, order_id, 0, "", "the order")                                                     \
    F(S, ENUM, stage, STAGE, "", "who refused it")                                             \
    F(S, ENUM, rejection_reason, CODE, "", "the first reason")                                 \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")                              \
    F(S, LIST, risk_violations, violation, "", "every failed risk check")                      \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue, if it was the venue")                  \
    F(S, U64, venue_seq, 0, "", "the venue's report number; 0 if no venue was involved")

#define ZVT_FIELDS_order_created(F, S)                                            \
    F(S, ID, order_id, 0, "", "the order")                                        \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "the strategy it is accounted to")  \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument")                          \
    F(S, ENUM, side, SIDE, "", "buy or sell")                                     \
    F(S, ENUM, order_type, ORDER_TYPE, "", "market or limit")                     \
    F(S, E8, quantity, 0, "base asset", "how much")                               \
    F(S, E8, limit_price, 0, "quote asset", "0 for a market order")

#define ZVT_FIELDS_exchange_routed(F, S)                                       \
    F(S, ID, order_id, 0, "", "the order")                                     \
    F(S, STR, selected_exchange, ZVT_VENUE_SIZE, "", "the venue chosen")       \
    F(S, STR, routing_reason, ZVT_MESSAGE_SIZE, "", "why, in a sentence")      \
    F(S, LIST, routing_metrics, routing_metric, "", "the factors of each venue")

#define ZVT_FIELDS_order_submitted(F, S)                                                      \
    F(S, ID, order_id, 0, "", "the order")                                                    \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "where it goes")                                  \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "order id, child and attempt")      \
    F(S, U32, child, 0, "", "number of the child order")                                      \
    F(S, U32, attempt, 0, "", "rises only after a definitive end of the one before")          \
    F(S, E8, quantity, 0, "base asset", "what is left to do")                                 \
    F(S, NS, expires_at, 0, "UTC ns", "gateway and venue refuse it after this")               \
    F(S, U64, epoch, 0, "", "the orchestrator's epoch; lower ones are refused")

#define ZVT_FIELDS_order_accepted(F, S)                                                      \
    F(S, ID, order_id, 0, "", "the order")                                                   \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                     \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the child order")                 \
    F(S, STR, exchange_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the venue's id of it")          \
    F(S, U64, venue_seq, 0, "", "the venue's report number")                                 \
    F(S, NS, market_ts, 0, "UTC ns", "venue time")

#define ZVT_FIELDS_order_executed(F, S)                                                                \
    F(S, ID, order_id, 0, "", "order this execution belongs to")                                       \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                               \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the child order")                           \
    F(S, STR, exchange_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the venue's id of it")                    \
    F(S, STR, exec_id, ZVT_CLIENT_ORDER_SIZE, "", "the venue's execution id, unique per venue")        \
    F(S, U64, venue_seq, 0, "", "the venue's report number")                                           \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument")                                               \
    F(S, ENUM, side, SIDE, "", "buy or sell")                                                          \
    F(S, E8, executed_price, 0, "quote asset", "price of this execution")                              \
    F(S, E8, executed_quantity, 0, "base asset", "quantity of this execution, always positive")        \
    F(S, E8, commission, 0, "commission_asset", "fee of this execution")                               \
    F(S, STR, commission_asset, ZVT_ASSET_SIZE, "", "what the fee is paid in")                         \
    F(S, E8, notional_value, 0, "quote asset", "price times quantity")                                 \
    F(S, BOOL, is_maker, 0, "", "it rested on the book")                                               \
    F(S, E8, execution_time_ms, 0, "ms", "from the durable intent to this report")                     \
    F(S, E8, cum_qty, 0, "base asset", "executed so far")                                              \
    F(S, E8, leaves_qty, 0, "base asset", "still working")                                             \
    F(S, NS, market_ts, 0, "UTC ns", "venue time")

#define ZVT_FIELDS_order_cancel_requested(F, S)                                            \
    F(S, ID, order_id, 0, "", "the order")                                                 \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "sender of the cancel")                     \
    F(S, U64, incarnation, 0, "", "the sender's run")                                      \
    F(S, U64, sender_seq, 0, "", "the command's number within that run; 0 for a request")

#define ZVT_FIELDS_order_cancel_rejected(F, S)                         \
    F(S, ID, order_id, 0, "", "the order")                             \
    F(S, ENUM, reason, CODE, "", "why it was not canceled")            \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")

#define ZVT_FIELDS_order_ended(F, S)                                                        \
    F(S, ID, order_id, 0, "", "the order")                                                  \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue; empty if none had it")              \
    F(S, U64, venue_seq, 0, "", "the venue's report number; 0 if no venue was involved")    \
    F(S, ENUM, reason, CODE, "", "why it ended")                                            \
    F(S, E8, cum_qty, 0, "base asset", "executed before the end")                           \
    F(S, E8, leaves_qty, 0, "base asset", "quantity that will not execute")
#define ZVT_FIELDS_order_canceled(F, S) ZVT_FIELDS_order_ended(F, S)
#define ZVT_FIELDS_order_expired(F, S) ZVT_FIELDS_order_ended(F, S)

#define ZVT_FIELDS_order_unknown(F, S)                                          \
    F(S, ID, order_id, 0, "", "the order")                                      \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue that may have it")       \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "what to ask it for") \
    F(S, ENUM, reason, CODE, "", "what went missing")

#define ZVT_FIELDS_order_resolved(F, S)                                         \
    F(S, ID, order_id, 0, "", "the order, whose outcome was unknown")           \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "the operator")                  \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "what the operator knows")          \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue that may have it")       \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "its last child")     \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "id of the command; may be empty")

#define ZVT_FIELDS_order_failed(F, S)                                  \
    F(S, ID, order_id, 0, "", "the order")                             \
    F(S, ENUM, failure_reason, CODE, "", "why it was given up")        \
    F(S, STR, step, ZVT_NAME_SIZE, "", "the saga step it failed in")   \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")

#define ZVT_FIELDS_order_completed(F, S)                                                 \
    F(S, ID, order_id, 0, "", "the order")                                               \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                 \
    F(S, STR, exchange_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the venue's id of it")      \
    F(S, E8, filled_quantity, 0, "base asset", "all of it")                              \
    F(S, E8, avg_fill_price, 0, "quote asset", "notional over quantity")                 \
    F(S, E8, commission, 0, "commission_asset", "sum of the fees")                       \
    F(S, STR, commission_asset, ZVT_ASSET_SIZE, "", "what the fees were paid in")

/* ---- events: positions, risk, the saga engine, the system ---- */
#define ZVT_FIELDS_position_updated(F, S)                                                            \
    F(S, ID, position_id, 0, "", "the same for the same portfolio, strategy and symbol")             \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "the portfolio")                                      \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "the strategy")                                        \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument")                                             \
    F(S, ID, order_id, 0, "", "the order that changed it")                                           \
    F(S, STR, exec_id, ZVT_CLIENT_ORDER_SIZE, "", "the execution that changed it")                   \
    F(S, E8, quantity_change, 0, "base asset", "signed")                                             \
    F(S, E8, new_quantity, 0, "base asset", "signed position afterwards")                            \
    F(S, E8, new_avg_price, 0, "quote asset", "average entry price afterwards; 0 when flat")         \
    F(S, E8, realized_pnl, 0, "quote asset", "realized by this execution, fees not deducted")        \
    F(S, E8, realized_pnl_total, 0, "quote asset", "realized since the position first opened")       \
    F(S, E8, unrealized_pnl, 0, "quote asset", "at the execution's price")                           \
    F(S, E8, commission_total, 0, "quote asset", "fees since the position first opened")

#define ZVT_FIELDS_position_adjusted(F, S)                                                           \
    F(S, ID, position_id, 0, "", "the position; none when only an account is adjusted")              \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "the portfolio")                                      \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "the strategy; empty when only an account is adjusted") \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument; empty when only an account is adjusted")     \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the account that this explains; may be empty")          \
    F(S, STR, asset, ZVT_ASSET_SIZE, "", "of that account, when only the account is adjusted")       \
    F(S, E8, quantity_change, 0, "base asset, or asset", "signed")                                   \
    F(S, E8, price, 0, "quote asset", "what the change is valued at; 0 for an asset")                \
    F(S, E8, new_quantity, 0, "base asset, or asset", "signed position, or balance, afterwards")     \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "the operator")                                       \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "why")                                                   \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "id of the command; may be empty")

#define ZVT_FIELDS_account_opened(F, S)                                                              \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                             \
    F(S, STR, asset, ZVT_ASSET_SIZE, "", "the asset")                                                \
    F(S, E8, amount, 0, "asset", "owned before the first execution in the log")                      \
    F(S, U64, venue_seq, 0, "", "the account's last report when it was read")

#define ZVT_FIELDS_risk_halted(F, S)                                      \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "who pulled the switch")   \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "why")                        \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "only the account at this venue; empty: all trading")
#define ZVT_FIELDS_risk_resumed(F, S) ZVT_FIELDS_risk_halted(F, S)

#define ZVT_FIELDS_alert_triggered(F, S)                                                        \
    F(S, ENUM, severity, SEVERITY, "", "how urgent")                                            \
    F(S, ENUM, code, CODE, "", "what kind of trouble")                                          \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "what happened and what to do")                    \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue concerned; may be empty")                \
    F(S, U64, venue_seq, 0, "", "the venue's report that could not be matched; 0 if none")      \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the child order concerned; may be empty")

#define ZVT_FIELDS_circuit_changed(F, S)                                                             \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                             \
    F(S, ENUM, state, CIRCUIT, "", "of its circuit breaker from here on")                            \
    F(S, ENUM, reason, CODE, "", "the failure that opened it; OK when it closes")                    \
    F(S, U32, failures, 0, "", "sends that failed in a row")                                         \
    F(S, NS, retry_at, 0, "UTC ns", "when it is tried again; 0 for as soon as the venue can be reached")

#define ZVT_FIELDS_saga_step_failed(F, S)                                                     \
    F(S, ID, order_id, 0, "", "the order")                                                    \
    F(S, STR, saga, ZVT_NAME_SIZE, "", "saga type")                                           \
    F(S, STR, step, ZVT_NAME_SIZE, "", "the step")                                            \
    F(S, U32, attempt, 0, "", "which attempt, from 1")                                        \
    F(S, ENUM, failure_reason, CODE, "", "why")                                               \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")                             \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue, if it was the venue")                 \
    F(S, U64, venue_seq, 0, "", "the venue's report number; 0 if no venue was involved")

#define ZVT_FIELDS_saga_dead_lettered(F, S)                              \
    F(S, STR, saga, ZVT_NAME_SIZE, "", "saga type")                      \
    F(S, STR, step, ZVT_NAME_SIZE, "", "where it stopped")               \
    F(S, ENUM, failure_reason, CODE, "", "why")                          \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "what to do about it")      \
    F(S, ID, order_id, 0, "", "the order concerned; none if it is not known here") \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue whose report it is") \
    F(S, U64, venue_seq, 0, "", "the venue's report number")             \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the child order as the venue names it") \
    F(S, ENUM, kind, REPORT_KIND, "", "what the report says")            \
    F(S, E8, price, 0, "quote asset", "of a fill")                       \
    F(S, E8, quantity, 0, "base asset", "of a fill")

#define ZVT_FIELDS_dead_letter_retried(F, S)                             \
    F(S, ID, letter_id, 0, "", "event_id of its saga.dead_lettered")     \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "the operator")           \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "why")
#define ZVT_FIELDS_dead_letter_dropped(F, S) ZVT_FIELDS_dead_letter_retried(F, S)

#define ZVT_FIELDS_saga_started(F, S)                                    \
    F(S, STR, saga, ZVT_NAME_SIZE, "", "saga type; sagas of orders begin with order.requested instead") \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue concerned")       \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "what started it")

#define ZVT_FIELDS_saga_compensating(F, S)                               \
    F(S, ID, order_id, 0, "", "the order")                               \
    F(S, STR, saga, ZVT_NAME_SIZE, "", "saga type")                      \
    F(S, STR, step, ZVT_NAME_SIZE, "", "the step it gave up in")         \
    F(S, ENUM, failure_reason, CODE, "", "why")                          \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")

#define ZVT_FIELDS_saga_compensated(F, S)                                \
    F(S, ID, order_id, 0, "", "the order")                               \
    F(S, STR, saga, ZVT_NAME_SIZE, "", "saga type")                      \
    F(S, U32, steps, 0, "", "steps that were undone, the last one first")

#define ZVT_FIELDS_reconciliation_completed(F, S)                                              \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue whose account was compared")            \
    F(S, U64, venue_seq, 0, "", "the account's last report number; the log has all up to here") \
    F(S, U32, open_orders, 0, "", "orders open at the venue")                                  \
    F(S, U32, assets, 0, "", "balances compared")                                              \
    F(S, U32, missing_orders, 0, "", "orders open in the log that the venue does not have")    \
    F(S, U32, strange_orders, 0, "", "orders open at the venue that are not open in the log")  \
    F(S, LIST, differences, difference, "", "balances that the log cannot explain")            \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "what to do; empty when all is explained")        \
    F(S, E8, duration_ms, 0, "ms", "how long it took")

#define ZVT_FIELDS_system_started(F, S)                                   \
    F(S, U64, epoch, 0, "", "the writer's new epoch")                     \
    F(S, STR, holder, ZVT_NAME_SIZE, "", "name of the writer")            \
    F(S, STR, release, ZVT_NAME_SIZE, "", "release of the binary")

#define ZVT_FIELDS_system_recovered(F, S)                                        \
    F(S, U64, replayed_events, 0, "", "events folded to rebuild the state")      \
    F(S, U32, open_orders, 0, "", "orders that are open or can still fill")      \
    F(S, U32, open_sagas, 0, "", "sagas resumed")                                \
    F(S, E8, duration_ms, 0, "ms", "how long the rebuild took")

#define ZVT_FIELDS_system_barrier(F, S)                                                       \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "who asked")                                   \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "the client's name for it")

/* ---- market data ---- */
#define ZVT_FIELDS_price_updated(F, S)                                             \
    F(S, STR, venue, ZVT_VENUE_SIZE, "", "the venue")                              \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument")                           \
    F(S, U64, symbol_seq, 0, "", "number of the message for this venue and symbol") \
    F(S, NS, market_ts, 0, "UTC ns", "venue time")                                 \
    F(S, E8, bid, 0, "quote asset", "best bid; 0 when that side is empty")         \
    F(S, E8, ask, 0, "quote asset", "best ask; 0 when that side is empty")         \
    F(S, E8, bid_volume, 0, "base asset", "quantity at the best bid")              \
    F(S, E8, ask_volume, 0, "base asset", "quantity at the best ask")

#define ZVT_FIELDS_trade_tick(F, S)                                                 \
    F(S, STR, venue, ZVT_VENUE_SIZE, "", "the venue")                               \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument")                            \
    F(S, U64, symbol_seq, 0, "", "number of the message for this venue and symbol") \
    F(S, NS, market_ts, 0, "UTC ns", "venue time")                                  \
    F(S, U64, trade_id, 0, "", "the venue's number of the trade")                   \
    F(S, E8, price, 0, "quote asset", "price")                                      \
    F(S, E8, quantity, 0, "base asset", "quantity")                                 \
    F(S, ENUM, aggressor, SIDE, "", "side of the order that took liquidity")

#define ZVT_FIELDS_orderbook_updated(F, S)                                          \
    F(S, STR, venue, ZVT_VENUE_SIZE, "", "the venue")                               \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument")                            \
    F(S, U64, symbol_seq, 0, "", "number of the message for this venue and symbol") \
    F(S, NS, market_ts, 0, "UTC ns", "venue time")                                  \
    F(S, LIST, bids, level, "", "best first")                                       \
    F(S, LIST, asks, level, "", "best first")

#define ZVT_FIELDS_market_status(F, S)                                                        \
    F(S, STR, venue, ZVT_VENUE_SIZE, "", "the venue")                                         \
    F(S, BOOL, open, 0, "", "new orders are taken")                                           \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "why not, such as the end of a recorded market")
