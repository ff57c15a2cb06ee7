/* The records of the wire: events, market data, messages, and the parts they are built of.
 *
 * One row per record in ZVT_RECORDS, one row per field in its FIELDS list: F(S, KIND, name, N, unit, meaning).
 *   KIND  ID (16 bytes), STR (N bytes with its NUL), I64, U64, U32, BOOL, E8 (fixed point 1e-8), NS (UTC ns),
 *         ENUM (N = enumeration), REC (N = part, embedded), LIST (N = part, repeated up to ZVT_LIST_MAX_part)
 * On the wire a record is the msgpack array [type id, field, field, ...]; a part is the array of its fields.
 * Type ids are frozen. A field may only be appended, and then the record's version rises.
 * Include this file through zvt_schema.h only. */

/* ---- sizes of the identifiers that appear everywhere, with their NUL ---- */
#define ZVT_SYMBOL_SIZE 24
#define ZVT_VENUE_SIZE 16
#define ZVT_NAME_SIZE 32
#define ZVT_ASSET_SIZE 12
#define ZVT_CLIENT_ORDER_SIZE 40
#define ZVT_REQUEST_SIZE 64
#define ZVT_MESSAGE_SIZE 160

/* ---- parts ---- */
#define ZVT_LIST_MAX_level 20
#define ZVT_LIST_MAX_violation 8
#define ZVT_LIST_MAX_routing_metric 8
#define ZVT_LIST_MAX_excluded 8
#define ZVT_LIST_MAX_difference 16

#define ZVT_FIELDS_metadata(F, S)                                                     \
    F(S, STR, emitter, ZVT_NAME_SIZE, "", "name of the process that wrote the event") \
    F(S, U64, epoch, 0, "", "the writer's lease epoch")

#define ZVT_FIELDS_level(F, S)                              \
    F(S, E8, price, 0, "quote asset", "price of the level") \
    F(S, E8, quantity, 0, "base asset", "all that rests there")

#define ZVT_FIELDS_violation(F, S)                        \
    F(S, ENUM, code, CODE, "", "the check that failed")   \
    F(S, STR, context, ZVT_MESSAGE_SIZE, "", "key=value pairs that explain it")

#define ZVT_FIELDS_routing_metric(F, S)                                                                        \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue judged")                                                \
    F(S, E8, price, 0, "quote asset", "average price for the whole quantity, fees included; 0 if it cannot")   \
    F(S, E8, depth, 0, "base asset", "quantity available within the order's price")                            \
    F(S, E8, fee, 0, "ratio", "fee rate that would apply")                                                     \
    F(S, E8, latency_ms, 0, "ms", "recent round trip of order entry, and the wait for the venue's limits")                                          \
    F(S, E8, failure_rate, 0, "ratio", "recent share of sends that failed, decayed")                           \
    F(S, E8, score, 0, "ratio", "cost relative to the best price plus penalties; the lowest wins")             \
    F(S, ENUM, code, CODE, "", "OK, or why the venue is out of the question")

#define ZVT_FIELDS_excluded(F, S)                                        \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "a venue that gets no orders now") \
    F(S, ENUM, code, CODE, "", "why: NOT_RECONCILED or ACCOUNT_HALTED")

#define ZVT_FIELDS_difference(F, S)                                               \
    F(S, STR, asset, ZVT_ASSET_SIZE, "", "the asset")                             \
    F(S, E8, expected, 0, "asset", "what the log makes of it")                    \
    F(S, E8, actual, 0, "asset", "what the venue says")

#define ZVT_FIELDS_order_request(F, S)                                                                     \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument, BASE/QUOTE")                                       \
    F(S, ENUM, side, SIDE, "", "buy or sell")                                                              \
    F(S, ENUM, order_type, ORDER_TYPE, "", "market or limit")                                              \
    F(S, ENUM, time_in_force, TIF, "", "GTC, IOC or FOK; a market order is IOC")                           \
    F(S, BOOL, post_only, 0, "", "refuse rather than take liquidity")                                      \
    F(S, E8, quantity, 0, "base asset", "how much")                                                        \
    F(S, E8, limit_price, 0, "quote asset", "worst acceptable price; 0 for a market order")                \
    F(S, E8, trigger_price, 0, "quote asset", "price that made the strategy decide, for slippage; 0 none") \
    F(S, STR, venue, ZVT_VENUE_SIZE, "", "the only venue allowed; empty lets the executor choose")         \
    F(S, NS, expires_at, 0, "UTC ns", "not sent to a venue after this; 0 for the saga's own deadline")

#define ZVT_FIELDS_validation_result(F, S)                                                         \
    F(S, U32, checks, 0, "", "number of checks passed")                                            \
    F(S, E8, reference_price, 0, "quote asset", "price the order was judged by")                   \
    F(S, E8, notional_value, 0, "quote asset", "quantity times that price")                        \
    F(S, E8, position, 0, "base asset", "committed position of the strategy when judged")          \
    F(S, E8, pending, 0, "base asset", "signed quantity of its other pending orders on that side")

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
    F(S, NS, deadline, 0, "UTC ns", "the saga must have placed or ended the order by then")

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
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "its last child")

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
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "why")

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

/* ---- messages: every link ---- */
#define ZVT_FIELDS_hello(F, S)                                                               \
    F(S, ENUM, role, ROLE, "", "what the speaker is")                                        \
    F(S, STR, name, ZVT_NAME_SIZE, "", "its name in the fleet")                              \
    F(S, U64, incarnation, 0, "", "changes with every start of it")                          \
    F(S, U64, epoch, 0, "", "highest writer epoch it knows; 0 none")                         \
    F(S, U64, cursor, 0, "", "where it stands: applied seq, or the venue's last report")     \
    F(S, BOOL, reply, 0, "", "answers a hello; is not answered itself")

#define ZVT_FIELDS_list_end(F, S)                                     \
    F(S, U32, count, 0, "", "rows sent for the query")                \
    F(S, BOOL, more, 0, "", "the answer was cut at the query's limit")

#define ZVT_FIELDS_error_reply(F, S)                         \
    F(S, ENUM, code, CODE, "", "what is wrong")              \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "in words")

/* ---- messages: strategies ---- */
#define ZVT_FIELDS_signal(F, S)                                                              \
    F(S, ID, signal_id, 0, "", "names the signal for ever")                                  \
    F(S, STR, sender, ZVT_NAME_SIZE, "", "name of the sending process; acks go to ack.SENDER") \
    F(S, U64, incarnation, 0, "", "the sender's run, rising (its start time does)")          \
    F(S, U64, sender_seq, 0, "", "1, 2, 3 .. within the run")                                \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "strategy name")                               \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "portfolio")                                  \
    F(S, REC, order_request, order_request, "", "what it wants")                             \
    F(S, E8, confidence, 0, "ratio", "0 to 1")                                               \
    F(S, NS, sent_at, 0, "UTC ns", "when it was decided")

#define ZVT_FIELDS_signal_cancel(F, S)                                                        \
    F(S, STR, sender, ZVT_NAME_SIZE, "", "name of the sending process")                       \
    F(S, U64, incarnation, 0, "", "the sender's run")                                         \
    F(S, U64, sender_seq, 0, "", "shares the numbers of the signals")                         \
    F(S, ID, signal_id, 0, "", "the signal whose order to cancel; or none")                   \
    F(S, ID, order_id, 0, "", "the order to cancel; or none")

#define ZVT_FIELDS_signal_ack(F, S)                                                             \
    F(S, U64, incarnation, 0, "", "the sender's run")                                           \
    F(S, U64, sender_seq, 0, "", "the command acknowledged")                                    \
    F(S, ID, signal_id, 0, "", "its signal id")                                                 \
    F(S, ID, order_id, 0, "", "the order made of it; none if refused")                          \
    F(S, U64, seq, 0, "", "seq of its first event; 0 if refused without a trace in the log")    \
    F(S, ENUM, code, CODE, "", "OK: durable. Else refused, or DUPLICATE of one durable before") \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")

/* ---- messages: clients ---- */
#define ZVT_FIELDS_place_request(F, S)                                                          \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "the same id twice is one order; empty: no guard") \
    F(S, STR, user_id, ZVT_NAME_SIZE, "", "who asks")                                           \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "account it to this strategy")                    \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "and this portfolio")                            \
    F(S, REC, order_request, order_request, "", "what is asked for")                            \
    F(S, ENUM, wait, WAIT, "", "when to answer")                                                \
    F(S, U32, timeout_ms, 0, "ms", "answer by then with what is known; 0: 30,000")

#define ZVT_FIELDS_place_reply(F, S)                                                            \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "as in the request")                            \
    F(S, BOOL, success, 0, "", "the wait was met")                                              \
    F(S, ID, order_id, 0, "", "the order")                                                      \
    F(S, ID, correlation_id, 0, "", "its saga")                                                 \
    F(S, ENUM, state, ORDER_STATE, "", "the order's state now")                                 \
    F(S, ENUM, code, CODE, "", "OK or why not")                                                 \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")                               \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                        \
    F(S, STR, exchange_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the venue's id")                   \
    F(S, E8, filled_quantity, 0, "base asset", "executed so far")                               \
    F(S, E8, avg_fill_price, 0, "quote asset", "0 if nothing executed")                         \
    F(S, E8, commission, 0, "commission_asset", "fees so far")                                  \
    F(S, STR, commission_asset, ZVT_ASSET_SIZE, "", "what they are paid in")                    \
    F(S, E8, latency_ms, 0, "ms", "from the request's arrival to this answer")

#define ZVT_FIELDS_cancel_request(F, S)                               \
    F(S, ID, order_id, 0, "", "order id or correlation id")           \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "who asks")            \
    F(S, U32, timeout_ms, 0, "ms", "0: 10,000")

#define ZVT_FIELDS_cancel_reply(F, S)                                      \
    F(S, BOOL, success, 0, "", "the order was canceled")                   \
    F(S, ID, order_id, 0, "", "the order")                                 \
    F(S, ENUM, state, ORDER_STATE, "", "the order's state now")            \
    F(S, ENUM, code, CODE, "", "OK or why not")                            \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")          \
    F(S, E8, cum_qty, 0, "base asset", "executed before the end")          \
    F(S, E8, leaves_qty, 0, "base asset", "what was canceled")

#define ZVT_FIELDS_halt_request(F, S)                            \
    F(S, BOOL, halt, 0, "", "true halts, false resumes")         \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "who asks")       \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "why")

#define ZVT_FIELDS_barrier_request(F, S)                                  \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "who asks")                \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "the client's name for it")

#define ZVT_FIELDS_command_reply(F, S)                                     \
    F(S, BOOL, success, 0, "", "it was done")                              \
    F(S, ENUM, code, CODE, "", "OK or why not")                            \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")          \
    F(S, U64, seq, 0, "", "seq of the event that records it; 0 if none does (yet)")

#define ZVT_FIELDS_orders_query(F, S)                                              \
    F(S, BOOL, open_only, 0, "", "only orders that can still execute")             \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "only this strategy; empty: all")    \
    F(S, ID, order_id, 0, "", "only this order or correlation id; none: all")      \
    F(S, U32, limit, 0, "", "at the most, newest first; 0: 1,000")                 \
    F(S, BOOL, unknown_only, 0, "", "only orders whose outcome is not known")

#define ZVT_FIELDS_order_row(F, S)                                                           \
    F(S, ID, order_id, 0, "", "the order")                                                   \
    F(S, ID, correlation_id, 0, "", "its saga")                                              \
    F(S, ID, signal_id, 0, "", "the signal it came from; none for a request")                \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "the strategy")                                \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "the portfolio")                              \
    F(S, REC, order_request, order_request, "", "what was asked for")                        \
    F(S, ENUM, state, ORDER_STATE, "", "now")                                                \
    F(S, ENUM, code, CODE, "", "OK, or why it ended badly")                                  \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                     \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the last child order")            \
    F(S, STR, exchange_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the venue's id")                \
    F(S, E8, cum_qty, 0, "base asset", "executed")                                           \
    F(S, E8, leaves_qty, 0, "base asset", "can still execute")                               \
    F(S, E8, avg_fill_price, 0, "quote asset", "0 if nothing executed")                      \
    F(S, E8, commission, 0, "quote asset", "fees so far")                                    \
    F(S, NS, requested_at, 0, "UTC ns", "when it was requested")                             \
    F(S, NS, updated_at, 0, "UTC ns", "when it last changed")

#define ZVT_FIELDS_resolve_request(F, S)                              \
    F(S, ID, order_id, 0, "", "order id or correlation id of an unknown order") \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "who says so")         \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "how they know")

#define ZVT_FIELDS_dead_letter_request(F, S)                          \
    F(S, BOOL, retry, 0, "", "true tries again, false drops")         \
    F(S, ID, letter_id, 0, "", "the dead letter")                     \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "who asks")            \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "why")

#define ZVT_FIELDS_dead_letters_query(F, S)                           \
    F(S, ID, letter_id, 0, "", "only this one; none: all")

#define ZVT_FIELDS_dead_letter_row(F, S)                                              \
    F(S, ID, letter_id, 0, "", "the dead letter")                                     \
    F(S, BOOL, retrying, 0, "", "it is being tried again")                            \
    F(S, NS, timestamp, 0, "UTC ns", "when it was put aside")                         \
    F(S, REC, letter, saga_dead_lettered, "", "the event")

#define ZVT_FIELDS_reconcile_request(F, S)                                            \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue whose account to compare")     \
    F(S, BOOL, accept, 0, "", "take what the venue says for true; recorded as such")  \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "who asks")                            \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "why")

#define ZVT_FIELDS_adjust_request(F, S)                                                          \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "the portfolio; empty: main")                     \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "the strategy")                                    \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument")                                         \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the account that this explains; empty: none")       \
    F(S, E8, quantity_change, 0, "base asset", "signed")                                         \
    F(S, E8, price, 0, "quote asset", "what the change is valued at")                            \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "who asks")                                       \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "why")

#define ZVT_FIELDS_positions_query(F, S)                                          \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "only this portfolio; empty: all") \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "only this strategy; empty: all")

#define ZVT_FIELDS_position_row(F, S)                                                         \
    F(S, ID, position_id, 0, "", "the position")                                              \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "the portfolio")                               \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "the strategy; empty in a total")               \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument; empty in a total")                    \
    F(S, E8, quantity, 0, "base asset", "signed position; 0 in a total over symbols")         \
    F(S, E8, avg_price, 0, "quote asset", "average entry price")                              \
    F(S, E8, market_price, 0, "quote asset", "last mid; 0 if never quoted")                   \
    F(S, E8, market_value, 0, "quote asset", "quantity times that")                           \
    F(S, E8, realized_pnl, 0, "quote asset", "fees not deducted")                             \
    F(S, E8, unrealized_pnl, 0, "quote asset", "at the last mid")                             \
    F(S, E8, commission, 0, "quote asset", "fees")                                            \
    F(S, U64, seq, 0, "", "log position that this reflects")

#define ZVT_FIELDS_quotes_query(F, S) \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "only this instrument; empty: all")

#define ZVT_FIELDS_control_request(F, S)                                         \
    F(S, STR, command, ZVT_NAME_SIZE, "", "ping, stats, log-level, digest, drain") \
    F(S, STR, argument, ZVT_REQUEST_SIZE, "", "depends on the command")

#define ZVT_FIELDS_control_reply(F, S)                                         \
    F(S, BOOL, success, 0, "", "the command was understood and done")          \
    F(S, STR, body, 8192, "", "a JSON object, or the reason of the refusal")

/* ---- messages: orchestrator and risk ---- */
#define ZVT_FIELDS_risk_check(F, S)                                                            \
    F(S, ID, order_id, 0, "", "the order")                                                     \
    F(S, U64, epoch, 0, "", "tags the provisional reservation")                                \
    F(S, U64, min_seq, 0, "", "answer only after applying the log up to here")                 \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "the strategy")                                  \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "the portfolio")                                \
    F(S, REC, order_request, order_request, "", "what is asked for")

#define ZVT_FIELDS_risk_release(F, S)                                         \
    F(S, ID, order_id, 0, "", "forget its provisional reservation")           \
    F(S, U64, epoch, 0, "", "the epoch that made it")

#define ZVT_FIELDS_risk_verdict(F, S)                                                   \
    F(S, ID, order_id, 0, "", "the order")                                              \
    F(S, U64, incarnation, 0, "", "risk's run; verdicts of an older run are void")      \
    F(S, ENUM, code, CODE, "", "OK: passed and reserved. Else the first failed check")  \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context of that check")         \
    F(S, E8, risk_score, 0, "ratio", "use of the tightest limit")                       \
    F(S, REC, validation_result, validation_result, "", "what it was judged by")        \
    F(S, LIST, risk_violations, violation, "", "every failed check")                    \
    F(S, U64, epoch, 0, "", "as asked; verdicts of an older epoch are void: it dropped their reservations")

/* ---- messages: orchestrator, executor, gateway, venue ---- */
#define ZVT_FIELDS_route_request(F, S)                                                      \
    F(S, ID, order_id, 0, "", "the order")                                                  \
    F(S, U32, attempt, 0, "", "from 1")                                                     \
    F(S, E8, quantity, 0, "base asset", "target minus cum_qty")                             \
    F(S, REC, order_request, order_request, "", "what is asked for")                        \
    F(S, STR, avoid, ZVT_VENUE_SIZE, "", "venue that just refused it; empty: none")         \
    F(S, LIST, excluded, excluded, "", "venues that may not be chosen, and why")

#define ZVT_FIELDS_route_reply(F, S)                                                        \
    F(S, ID, order_id, 0, "", "the order")                                                  \
    F(S, U32, attempt, 0, "", "as asked")                                                   \
    F(S, ENUM, code, CODE, "", "OK, or why no venue can take it")                           \
    F(S, STR, selected_exchange, ZVT_VENUE_SIZE, "", "the venue chosen")                    \
    F(S, STR, routing_reason, ZVT_MESSAGE_SIZE, "", "why")                                  \
    F(S, LIST, routing_metrics, routing_metric, "", "the factors of each venue")

#define ZVT_FIELDS_order_send(F, S)                                                         \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the child order")                \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "where to")                                     \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument")                                    \
    F(S, ENUM, side, SIDE, "", "buy or sell")                                               \
    F(S, ENUM, order_type, ORDER_TYPE, "", "market or limit")                               \
    F(S, ENUM, time_in_force, TIF, "", "how long")                                          \
    F(S, BOOL, post_only, 0, "", "refuse rather than take liquidity")                       \
    F(S, E8, quantity, 0, "base asset", "how much")                                         \
    F(S, E8, limit_price, 0, "quote asset", "0 for a market order")                         \
    F(S, U64, epoch, 0, "", "lower ones than the highest seen are refused")                 \
    F(S, NS, expires_at, 0, "UTC ns", "refused after this")

#define ZVT_FIELDS_order_cancel(F, S)                                                       \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the child order")                \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "where it rests")                               \
    F(S, U64, epoch, 0, "", "the orchestrator's epoch")

#define ZVT_FIELDS_cancel_result(F, S)                                                      \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the child order")                \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                    \
    F(S, ENUM, code, CODE, "", "OK: a canceled report follows. Else why not")               \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")

#define ZVT_FIELDS_order_query(F, S)                                                              \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the child order")                      \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue to ask")                                   \
    F(S, BOOL, tombstone, 0, "", "if not found, refuse this id for ever: makes the answer final") \
    F(S, U64, epoch, 0, "", "the orchestrator's epoch")

#define ZVT_FIELDS_order_status(F, S)                                                             \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the child order")                      \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                          \
    F(S, ENUM, code, CODE, "", "OK, UNKNOWN_ORDER, TOMBSTONED or VENUE_UNREACHABLE")              \
    F(S, ENUM, state, ORDER_STATE, "", "at the venue; not given unless OK")                       \
    F(S, STR, exchange_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the venue's id")                     \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument")                                          \
    F(S, ENUM, side, SIDE, "", "buy or sell")                                                     \
    F(S, E8, limit_price, 0, "quote asset", "0 for a market order")                               \
    F(S, E8, cum_qty, 0, "base asset", "executed")                                                \
    F(S, E8, leaves_qty, 0, "base asset", "still working")                                        \
    F(S, U64, venue_seq, 0, "", "the account's last report number when asked")

#define ZVT_FIELDS_report(F, S)                                                                   \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                          \
    F(S, U64, venue_seq, 0, "", "gap-free number per account")                                    \
    F(S, ENUM, kind, REPORT_KIND, "", "what happened")                                            \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the child order")                      \
    F(S, STR, exchange_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the venue's id of it")               \
    F(S, STR, exec_id, ZVT_CLIENT_ORDER_SIZE, "", "of a fill; unique per venue")                  \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument")                                          \
    F(S, ENUM, side, SIDE, "", "buy or sell")                                                     \
    F(S, E8, price, 0, "quote asset", "of a fill")                                                \
    F(S, E8, quantity, 0, "base asset", "of a fill")                                              \
    F(S, E8, commission, 0, "commission_asset", "of a fill")                                      \
    F(S, STR, commission_asset, ZVT_ASSET_SIZE, "", "of a fill")                                  \
    F(S, BOOL, is_maker, 0, "", "of a fill: it rested on the book")                               \
    F(S, E8, cum_qty, 0, "base asset", "executed so far")                                         \
    F(S, E8, leaves_qty, 0, "base asset", "still working afterwards")                             \
    F(S, NS, market_ts, 0, "UTC ns", "venue time")                                                \
    F(S, ENUM, code, CODE, "", "OK, or why it was rejected or ended")                             \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")

#define ZVT_FIELDS_reports_since(F, S)                                                   \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue to ask")                          \
    F(S, U64, cursor, 0, "", "send the reports after this number")                       \
    F(S, U32, limit, 0, "", "at the most; 0: 1,000")

#define ZVT_FIELDS_reports_tip(F, S)                                                     \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                 \
    F(S, U64, cursor, 0, "", "as asked; 0 when unasked")                                 \
    F(S, U64, venue_seq, 0, "", "the account's last report number")                      \
    F(S, U64, incarnation, 0, "", "the venue's run")                                     \
    F(S, BOOL, reachable, 0, "", "the venue answers")                                    \
    F(S, U64, epoch, 0, "", "highest epoch the gateway has stored")

#define ZVT_FIELDS_open_orders_query(F, S) \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue to ask")

#define ZVT_FIELDS_balances_query(F, S) \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue to ask")

#define ZVT_FIELDS_balance(F, S)                                                         \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                 \
    F(S, STR, asset, ZVT_ASSET_SIZE, "", "the asset")                                    \
    F(S, E8, total, 0, "asset", "owned")                                                 \
    F(S, E8, available, 0, "asset", "not reserved by open orders")

#define ZVT_FIELDS_account_query(F, S)                                                   \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                 \
    F(S, U64, query, 0, "", "the asker's number of the question; every row repeats it")

#define ZVT_FIELDS_account_order(F, S)                                                   \
    F(S, U64, query, 0, "", "as asked")                                                  \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                 \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "an open child order")         \
    F(S, E8, cum_qty, 0, "base asset", "executed")                                       \
    F(S, E8, leaves_qty, 0, "base asset", "still working")

#define ZVT_FIELDS_account_asset(F, S)                                                   \
    F(S, U64, query, 0, "", "as asked")                                                  \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                 \
    F(S, STR, asset, ZVT_ASSET_SIZE, "", "the asset")                                    \
    F(S, E8, total, 0, "asset", "owned, reserved by open orders or not")

#define ZVT_FIELDS_account_snapshot(F, S)                                                \
    F(S, U64, query, 0, "", "as asked")                                                  \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                 \
    F(S, ENUM, code, CODE, "", "OK, or why there is no answer")                          \
    F(S, U64, venue_seq, 0, "", "the account's last report number; all rows are as of it") \
    F(S, U32, orders, 0, "", "account.order rows that came before")                      \
    F(S, U32, assets, 0, "", "account.asset rows that came before")

/* ---- messages: the executor's circuit breakers and kill switch ---- */
#define ZVT_FIELDS_circuit_notice(F, S) ZVT_FIELDS_circuit_changed(F, S)

#define ZVT_FIELDS_kill_request(F, S)                                                             \
    F(S, ENUM, action, KILL, "", "what to do")                                                    \
    F(S, ID, order_id, 0, "", "cancel: the order; else none")                                     \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "who asks")                                        \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "why")                                                \
    F(S, U32, timeout_ms, 0, "ms", "answer by then with what is known; 0: 2,000")

#define ZVT_FIELDS_kill_reply(F, S)                                                               \
    F(S, BOOL, success, 0, "", "it is done, or in force")                                         \
    F(S, ENUM, code, CODE, "", "OK, or what is wanting")                                          \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "in words")                                          \
    F(S, ID, entry_id, 0, "", "the journal's entry; none without one")                            \
    F(S, BOOL, halted, 0, "", "the executor sends no orders")                                     \
    F(S, U32, found, 0, "", "orders found open at the venues")                                    \
    F(S, U32, canceled, 0, "", "cancels that venues confirmed")                                   \
    F(S, U32, left, 0, "", "of those found, still open when this was written")                    \
    F(S, U32, venues, 0, "", "venues that told what is open there")                               \
    F(S, U32, unreachable, 0, "", "venues that could not be asked")                               \
    F(S, ENUM, state, ORDER_STATE, "", "cancel: what its venue says of the order; not given if none knows it")

#define ZVT_FIELDS_kill_notice(F, S)                                                              \
    F(S, ID, entry_id, 0, "", "names the entry of the executor's journal for ever")               \
    F(S, ENUM, action, KILL, "", "what was done")                                                 \
    F(S, ID, order_id, 0, "", "cancel: the order; else none")                                     \
    F(S, STR, requested_by, ZVT_NAME_SIZE, "", "who asked")                                       \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "why")                                                \
    F(S, NS, at, 0, "UTC ns", "when")                                                             \
    F(S, BOOL, over, 0, "", "kill: resumed since")                                                \
    F(S, STR, over_by, ZVT_NAME_SIZE, "", "kill: by whom")

#define ZVT_FIELDS_kill_noted(F, S) \
    F(S, ID, entry_id, 0, "", "the entry that the event log accounts for now")

/* ---- messages: orchestrator and portfolio ---- */
#define ZVT_FIELDS_fill_apply(F, S)                                                            \
    F(S, U64, epoch, 0, "", "a new epoch drops the pending fills of the one before")           \
    F(S, U64, min_seq, 0, "", "answer only after applying the log up to here")                 \
    F(S, ID, order_id, 0, "", "the order")                                                     \
    F(S, STR, exec_id, ZVT_CLIENT_ORDER_SIZE, "", "the execution")                             \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue; with exec_id names the fill")          \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "the portfolio")                                \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "the strategy")                                  \
    F(S, STR, symbol, ZVT_SYMBOL_SIZE, "", "instrument")                                       \
    F(S, ENUM, side, SIDE, "", "buy or sell")                                                  \
    F(S, E8, price, 0, "quote asset", "price")                                                 \
    F(S, E8, quantity, 0, "base asset", "quantity")                                            \
    F(S, E8, commission, 0, "quote asset", "fee")                                               \
    F(S, BOOL, restart, 0, "", "the first pending fill of its position: what was asked before is asked anew")

#define ZVT_FIELDS_fill_applied(F, S)                                                          \
    F(S, U64, incarnation, 0, "", "portfolio's run")                                           \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "as asked")                                        \
    F(S, ENUM, code, CODE, "", "OK, or why the arithmetic failed")                             \
    F(S, REC, position, position_updated, "", "the event to record")

/* ---- messages: the log ---- */
#define ZVT_FIELDS_log_batch(F, S)                                                      \
    F(S, U32, shard, 0, "", "the log's shard")                                          \
    F(S, U64, first_seq, 0, "", "seq of the first event that follows")                  \
    F(S, U64, last_seq, 0, "", "seq of the last; the events follow in the same frame")  \
    F(S, U64, tip_seq, 0, "", "last committed seq when this was sent")                  \
    F(S, U64, epoch, 0, "", "the writer's epoch")                                       \
    F(S, NS, committed_at, 0, "UTC ns", "when the writer heard of the commit; 0 in a replay")

#define ZVT_FIELDS_log_tip(F, S)                                        \
    F(S, U32, shard, 0, "", "the log's shard")                          \
    F(S, U64, tip_seq, 0, "", "last committed seq")                     \
    F(S, U64, epoch, 0, "", "the writer's epoch")

#define ZVT_FIELDS_replay_request(F, S)                                                       \
    F(S, U64, from_seq, 0, "", "first seq wanted")                                            \
    F(S, U64, to_seq, 0, "", "last seq wanted; 0: the tip")                                   \
    F(S, U32, limit, 0, "", "events at the most; 0: 1,000. Answered by ONE log_batch frame")  \
    F(S, ID, correlation_id, 0, "", "only this saga (the batch then has gaps); none: all")

/* ---- saved state: what a checkpoint is made of; never on a socket ---- */
#define ZVT_LIST_MAX_bits 64

#define ZVT_FIELDS_bits(F, S) F(S, U64, word, 0, "", "64 numbers of a window, lowest first")

#define ZVT_FIELDS_saved_head(F, S)                                                                \
    F(S, U64, seq, 0, "", "the state is the fold of the log up to here")                           \
    F(S, U64, system_version, 0, "", "aggregate version of the system")                            \
    F(S, ID, system_last_event, 0, "", "its last event")                                           \
    F(S, U64, last_position_seq, 0, "", "seq of the last position.updated")                        \
    F(S, BOOL, halted, 0, "", "the halt latch")                                                    \
    F(S, STR, halt_reason, ZVT_MESSAGE_SIZE, "", "why")                                            \
    F(S, U32, orders, 0, "", "saved.order records that follow")                                    \
    F(S, U32, ended, 0, "", "saved.ended records that follow")                                     \
    F(S, U32, senders, 0, "", "saved.sender records that follow")                                  \
    F(S, U32, venues, 0, "", "saved.venue records that follow")                                    \
    F(S, U32, positions, 0, "", "saved.position records that follow")                              \
    F(S, U32, assets, 0, "", "saved.asset records that follow")                                    \
    F(S, U32, letters, 0, "", "saved.letter records that follow")

#define ZVT_FIELDS_saved_order(F, S)                                                               \
    F(S, ID, order_id, 0, "", "the order; oldest first")                                           \
    F(S, ID, correlation_id, 0, "", "its saga")                                                    \
    F(S, ID, signal_id, 0, "", "none for a request")                                               \
    F(S, ID, last_event_id, 0, "", "causes the next event")                                        \
    F(S, REC, order_request, order_request, "", "what was asked for")                              \
    F(S, STR, user_id, ZVT_NAME_SIZE, "", "who asked")                                             \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "the strategy")                                      \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "the portfolio")                                    \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "empty for none")                                  \
    F(S, ENUM, state, ORDER_STATE, "", "state")                                                    \
    F(S, ENUM, code, CODE, "", "OK, or why it ended badly")                                        \
    F(S, U32, step, 0, "", "how far its saga has got")                                             \
    F(S, BOOL, cancel_pending, 0, "", "a cancel is on its way")                                    \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                           \
    F(S, STR, client_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the last child")                        \
    F(S, STR, exchange_order_id, ZVT_CLIENT_ORDER_SIZE, "", "the venue's id")                      \
    F(S, STR, commission_asset, ZVT_ASSET_SIZE, "", "what fees were paid in")                      \
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "context of the code")                                \
    F(S, U32, attempt, 0, "", "of the last child")                                                 \
    F(S, E8, cum_qty, 0, "base asset", "executed")                                                 \
    F(S, E8, notional, 0, "quote asset", "sum over the executions")                                \
    F(S, E8, commission, 0, "quote asset", "sum of the fees")                                      \
    F(S, NS, requested, 0, "UTC ns", "when")                                                       \
    F(S, NS, updated, 0, "UTC ns", "when")                                                         \
    F(S, NS, deadline, 0, "UTC ns", "of the saga")                                                 \
    F(S, NS, submitted, 0, "UTC ns", "of the last intent")                                         \
    F(S, NS, expires, 0, "UTC ns", "of the last intent")                                           \
    F(S, U64, first_seq, 0, "", "of order.requested")                                              \
    F(S, U64, last_seq, 0, "", "of its last event")                                                \
    F(S, U32, version, 0, "", "aggregate version")

#define ZVT_FIELDS_saved_ended(F, S) \
    F(S, ID, order_id, 0, "", "an order that has ended; the one that ended first comes first")

#define ZVT_FIELDS_saved_sender(F, S)                                                              \
    F(S, STR, name, ZVT_NAME_SIZE, "", "sender of commands; the one silent for longest first")     \
    F(S, U64, incarnation, 0, "", "its newest run")                                                \
    F(S, U64, high, 0, "", "highest number taken")                                                 \
    F(S, U64, contiguous, 0, "", "every number up to here was taken")                              \
    F(S, LIST, window, bits, "", "which of the last 4,096 were taken")

#define ZVT_FIELDS_saved_venue(F, S)                                                               \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                           \
    F(S, U64, high, 0, "", "highest report number in the log")                                     \
    F(S, U64, contiguous, 0, "", "every number up to here is in the log")                          \
    F(S, LIST, window, bits, "", "which of the last 4,096 are")                                    \
    F(S, ENUM, circuit, CIRCUIT, "", "of its breaker, as recorded last; not given: never")

#define ZVT_FIELDS_saved_position(F, S)                                                            \
    F(S, ID, position_id, 0, "", "the position")                                                   \
    F(S, U32, version, 0, "", "its aggregate version")                                             \
    F(S, E8, quantity, 0, "base asset", "signed position")

#define ZVT_FIELDS_saved_asset(F, S)                                                               \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                           \
    F(S, STR, asset, ZVT_ASSET_SIZE, "", "the asset; empty for the account itself")                \
    F(S, E8, amount, 0, "asset", "what the log makes of the balance")                              \
    F(S, BOOL, opened, 0, "", "the balance before the first execution is in it")                   \
    F(S, BOOL, halted, 0, "", "of the account itself: it gets no orders")                          \
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "of the account itself: why")

#define ZVT_FIELDS_saved_letter(F, S)                                                              \
    F(S, ID, letter_id, 0, "", "the dead letter; the oldest comes first")                          \
    F(S, BOOL, retrying, 0, "", "it is being tried again")                                         \
    F(S, NS, timestamp, 0, "UTC ns", "when it was put aside")                                      \
    F(S, REC, letter, saga_dead_lettered, "", "the event")

/* R(ID, c_name, type id, version, KIND, emitter, "wire name", meaning)
 * KIND  LOGGED event in the log; NOTICE event that is only published; MARKET data; MESSAGE between processes; STATE in
 *       a checkpoint; PART. */
/* Parts stand first, because records embed them. */
#define ZVT_RECORDS(R) \
    R(METADATA, metadata, 240, 1, PART, "", "metadata", "about the writing of an event") \
    R(LEVEL, level, 241, 1, PART, "", "level", "price and quantity") \
    R(VIOLATION, violation, 242, 1, PART, "", "violation", "a failed check") \
    R(ROUTING_METRIC, routing_metric, 243, 1, PART, "", "routing_metric", "a venue's factors") \
    R(ORDER_REQUEST, order_request, 244, 1, PART, "", "order_request", "the terms of an order") \
    R(VALIDATION_RESULT, validation_result, 245, 1, PART, "", "validation_result", "what risk judged by") \
    R(BITS, bits, 246, 1, PART, "", "bits", "a piece of a window of numbers") \
    R(EXCLUDED, excluded, 247, 1, PART, "", "excluded", "a venue that gets no orders now") \
    R(DIFFERENCE, difference, 248, 1, PART, "", "difference", "a balance that the log cannot explain") \
    R(SAVED_HEAD, saved_head, 210, 2, STATE, "checkpointer", "saved.head", "what a checkpoint holds") \
    R(SAVED_ORDER, saved_order, 211, 1, STATE, "checkpointer", "saved.order", "an order") \
    R(SAVED_ENDED, saved_ended, 212, 1, STATE, "checkpointer", "saved.ended", "the sequence in which orders ended") \
    R(SAVED_SENDER, saved_sender, 213, 1, STATE, "checkpointer", "saved.sender", "deduplication of a sender's commands") \
    R(SAVED_VENUE, saved_venue, 214, 2, STATE, "checkpointer", "saved.venue", "cursor of a venue's reports") \
    R(SAVED_POSITION, saved_position, 215, 1, STATE, "checkpointer", "saved.position", "aggregate version of a position") \
    R(SAVED_ASSET, saved_asset, 216, 1, STATE, "checkpointer", "saved.asset", "a balance at a venue, or its account") \
    R(ORDER_REQUESTED, order_requested, 1, 1, LOGGED, "orchestrator", "order.requested", "an order is asked for") \
    R(ORDER_VALIDATED, order_validated, 2, 1, LOGGED, "orchestrator", "order.validated", "risk passed it; the exposure is reserved") \
    R(ORDER_REJECTED, order_rejected, 3, 1, LOGGED, "orchestrator", "order.rejected", "refused by us or by the venue; ends the order") \
    R(ORDER_CREATED, order_created, 4, 1, LOGGED, "orchestrator", "order.created", "the order record exists") \
    R(EXCHANGE_ROUTED, exchange_routed, 5, 1, LOGGED, "orchestrator", "exchange.routed", "a venue is chosen") \
    R(ORDER_SUBMITTED, order_submitted, 6, 1, LOGGED, "orchestrator", "order.submitted", "the intent: from here the venue may see it") \
    R(ORDER_ACCEPTED, order_accepted, 7, 1, LOGGED, "orchestrator", "order.accepted", "the venue has it") \
    R(ORDER_EXECUTED, order_executed, 8, 1, LOGGED, "orchestrator", "order.executed", "one fill") \
    R(ORDER_CANCEL_REQUESTED, order_cancel_requested, 9, 1, LOGGED, "orchestrator", "order.cancel_requested", "a cancel is on its way") \
    R(ORDER_CANCEL_REJECTED, order_cancel_rejected, 10, 1, LOGGED, "orchestrator", "order.cancel_rejected", "the cancel came too late or was refused") \
    R(ORDER_CANCELED, order_canceled, 11, 1, LOGGED, "orchestrator", "order.canceled", "the rest was canceled; ends the order") \
    R(ORDER_EXPIRED, order_expired, 12, 1, LOGGED, "orchestrator", "order.expired", "the rest expired; ends the order") \
    R(ORDER_UNKNOWN, order_unknown, 13, 1, LOGGED, "orchestrator", "order.unknown", "sent, and the outcome is not known") \
    R(ORDER_FAILED, order_failed, 14, 1, LOGGED, "orchestrator", "order.failed", "given up; nothing executed; ends the order") \
    R(ORDER_COMPLETED, order_completed, 15, 1, LOGGED, "orchestrator", "order.completed", "filled and accounted for; ends the order") \
    R(ORDER_RESOLVED, order_resolved, 16, 1, LOGGED, "orchestrator", "order.resolved", "an operator declared the outcome of an unknown order") \
    R(POSITION_UPDATED, position_updated, 20, 1, LOGGED, "orchestrator", "position.updated", "a fill changed a position") \
    R(POSITION_ADJUSTED, position_adjusted, 21, 1, LOGGED, "orchestrator", "position.adjusted", "an operator explained a difference") \
    R(ACCOUNT_OPENED, account_opened, 22, 1, LOGGED, "orchestrator", "account.opened", "a balance that a venue account began with") \
    R(RISK_HALTED, risk_halted, 30, 2, LOGGED, "orchestrator", "risk.halted", "no order is submitted from here on") \
    R(RISK_RESUMED, risk_resumed, 31, 2, LOGGED, "orchestrator", "risk.resumed", "orders are submitted again") \
    R(ALERT_TRIGGERED, alert_triggered, 32, 1, LOGGED, "orchestrator", "alert.triggered", "somebody should look") \
    R(CIRCUIT_CHANGED, circuit_changed, 34, 1, LOGGED, "orchestrator", "circuit.changed", "a venue's circuit breaker opened, is tried, or closed") \
    R(SAGA_STEP_FAILED, saga_step_failed, 40, 1, LOGGED, "orchestrator", "saga.step_failed", "a step failed and is tried again") \
    R(SAGA_DEAD_LETTERED, saga_dead_lettered, 41, 2, LOGGED, "orchestrator", "saga.dead_lettered", "nobody can handle it without a person") \
    R(SAGA_STARTED, saga_started, 42, 1, LOGGED, "orchestrator", "saga.started", "a saga of the system begins") \
    R(SAGA_COMPENSATING, saga_compensating, 43, 1, LOGGED, "orchestrator", "saga.compensating", "a saga gave up and undoes its steps") \
    R(SAGA_COMPENSATED, saga_compensated, 44, 1, LOGGED, "orchestrator", "saga.compensated", "its steps are undone") \
    R(DEAD_LETTER_RETRIED, dead_letter_retried, 45, 1, LOGGED, "orchestrator", "dead_letter.retried", "an operator wants it tried again") \
    R(DEAD_LETTER_DROPPED, dead_letter_dropped, 46, 1, LOGGED, "orchestrator", "dead_letter.dropped", "an operator has dealt with it") \
    R(SYSTEM_STARTED, system_started, 50, 1, LOGGED, "orchestrator", "system.started", "a writer took the lease") \
    R(SYSTEM_RECOVERED, system_recovered, 51, 1, LOGGED, "orchestrator", "system.recovered", "its state is rebuilt from the log") \
    R(SYSTEM_BARRIER, system_barrier, 52, 1, LOGGED, "orchestrator", "system.barrier", "every follower notes its digest here") \
    R(RECONCILIATION_COMPLETED, reconciliation_completed, 53, 1, LOGGED, "orchestrator", "reconciliation.completed", "a venue account was compared with the log") \
    R(PRICE_UPDATED, price_updated, 100, 1, MARKET, "gateway", "price.updated", "best bid and ask") \
    R(TRADE_TICK, trade_tick, 101, 1, MARKET, "gateway", "trade.tick", "a trade at the venue") \
    R(ORDERBOOK_UPDATED, orderbook_updated, 102, 1, MARKET, "gateway", "orderbook.updated", "the best levels of both sides") \
    R(MARKET_STATUS, market_status, 103, 1, MARKET, "gateway", "market.status", "the venue opens or closes") \
    R(HELLO, hello, 120, 1, MESSAGE, "every DEALER", "hello", "opens and keeps a link; answered by the ROUTER") \
    R(LIST_END, list_end, 121, 1, MESSAGE, "every ROUTER", "list.end", "ends an answer of several rows") \
    R(ERROR_REPLY, error_reply, 122, 1, MESSAGE, "every ROUTER", "error", "the message could not be understood") \
    R(SIGNAL, signal, 130, 1, MESSAGE, "strategy", "signal", "a strategy wants an order") \
    R(SIGNAL_CANCEL, signal_cancel, 131, 1, MESSAGE, "strategy", "signal.cancel", "a strategy wants one of its orders canceled") \
    R(SIGNAL_ACK, signal_ack, 132, 1, MESSAGE, "orchestrator", "signal.ack", "published on topic ack.SENDER") \
    R(PLACE_REQUEST, place_request, 140, 1, MESSAGE, "client", "place.request", "a client wants an order") \
    R(PLACE_REPLY, place_reply, 141, 1, MESSAGE, "orchestrator", "place.reply", "what became of it") \
    R(CANCEL_REQUEST, cancel_request, 142, 1, MESSAGE, "client", "cancel.request", "a client wants an order canceled") \
    R(CANCEL_REPLY, cancel_reply, 143, 1, MESSAGE, "orchestrator", "cancel.reply", "what became of it") \
    R(HALT_REQUEST, halt_request, 144, 1, MESSAGE, "client", "halt.request", "halt or resume trading") \
    R(BARRIER_REQUEST, barrier_request, 145, 1, MESSAGE, "client", "barrier.request", "write a barrier into the log") \
    R(COMMAND_REPLY, command_reply, 146, 1, MESSAGE, "orchestrator", "command.reply", "answers halt and barrier") \
    R(ORDERS_QUERY, orders_query, 147, 2, MESSAGE, "client", "orders.query", "list orders; order.row .. list.end") \
    R(ORDER_ROW, order_row, 148, 1, MESSAGE, "orchestrator", "order.row", "one order") \
    R(POSITIONS_QUERY, positions_query, 149, 1, MESSAGE, "client", "positions.query", "list positions; position.row .. list.end") \
    R(POSITION_ROW, position_row, 150, 1, MESSAGE, "portfolio", "position.row", "one position or total") \
    R(QUOTES_QUERY, quotes_query, 151, 1, MESSAGE, "client", "quotes.query", "last quotes from a gateway; price.updated .. list.end") \
    R(CONTROL_REQUEST, control_request, 152, 1, MESSAGE, "client", "control.request", "ask one process") \
    R(CONTROL_REPLY, control_reply, 153, 1, MESSAGE, "every process", "control.reply", "its answer") \
    R(RESOLVE_REQUEST, resolve_request, 154, 1, MESSAGE, "client", "resolve.request", "declare that an unknown order will not execute (any more)") \
    R(DEAD_LETTER_REQUEST, dead_letter_request, 155, 1, MESSAGE, "client", "dead_letter.request", "retry or drop a dead letter") \
    R(DEAD_LETTERS_QUERY, dead_letters_query, 156, 1, MESSAGE, "client", "dead_letters.query", "list dead letters; dead_letter.row .. list.end") \
    R(DEAD_LETTER_ROW, dead_letter_row, 157, 1, MESSAGE, "orchestrator", "dead_letter.row", "one dead letter") \
    R(SAVED_LETTER, saved_letter, 217, 1, STATE, "checkpointer", "saved.letter", "a dead letter that is kept") \
    R(RECONCILE_REQUEST, reconcile_request, 158, 1, MESSAGE, "client", "reconcile.request", "compare a venue account with the log now") \
    R(ADJUST_REQUEST, adjust_request, 159, 1, MESSAGE, "client", "adjust.request", "change a position by hand") \
    R(RISK_CHECK, risk_check, 160, 1, MESSAGE, "orchestrator", "risk.check", "may this order pass?") \
    R(RISK_VERDICT, risk_verdict, 161, 2, MESSAGE, "risk", "risk.verdict", "the answer") \
    R(RISK_RELEASE, risk_release, 162, 1, MESSAGE, "orchestrator", "risk.release", "an order that passed will not be logged as validated") \
    R(ROUTE_REQUEST, route_request, 170, 2, MESSAGE, "orchestrator", "route.request", "which venue?") \
    R(ROUTE_REPLY, route_reply, 171, 1, MESSAGE, "executor", "route.reply", "the answer") \
    R(ORDER_SEND, order_send, 172, 1, MESSAGE, "orchestrator, executor, gateway", "order.send", "place this child order") \
    R(ORDER_CANCEL, order_cancel, 173, 1, MESSAGE, "orchestrator, executor, gateway", "order.cancel", "cancel this child order") \
    R(CANCEL_RESULT, cancel_result, 174, 1, MESSAGE, "venue, gateway, executor", "cancel.result", "answers order.cancel") \
    R(ORDER_QUERY, order_query, 175, 1, MESSAGE, "orchestrator, executor, gateway", "order.query", "what became of this child order?") \
    R(ORDER_STATUS, order_status, 176, 1, MESSAGE, "venue, gateway, executor", "order.status", "answers order.query and open_orders.query") \
    R(REPORT, report, 177, 1, MESSAGE, "venue, gateway, executor", "report", "execution report") \
    R(REPORTS_SINCE, reports_since, 178, 1, MESSAGE, "orchestrator, executor, gateway", "reports.since", "send the reports after this cursor") \
    R(REPORTS_TIP, reports_tip, 179, 1, MESSAGE, "venue, gateway, executor", "reports.tip", "ends that answer; also sent when the tip moved") \
    R(OPEN_ORDERS_QUERY, open_orders_query, 180, 1, MESSAGE, "client, executor", "open_orders.query", "order.status .. list.end") \
    R(BALANCES_QUERY, balances_query, 181, 1, MESSAGE, "client", "balances.query", "balance .. list.end, from a gateway") \
    R(BALANCE, balance, 182, 1, MESSAGE, "venue, gateway", "balance", "one asset of the account") \
    R(CIRCUIT_NOTICE, circuit_notice, 183, 1, MESSAGE, "executor", "circuit.notice", "a venue's circuit breaker changed") \
    R(KILL_REQUEST, kill_request, 184, 1, MESSAGE, "client", "kill.request", "cancel or stop, at the executor, without the log") \
    R(KILL_REPLY, kill_reply, 185, 1, MESSAGE, "executor", "kill.reply", "what came of it") \
    R(KILL_NOTICE, kill_notice, 186, 1, MESSAGE, "executor", "kill.notice", "an entry of its journal; repeated until noted") \
    R(KILL_NOTED, kill_noted, 187, 1, MESSAGE, "orchestrator", "kill.noted", "the entry is accounted for in the event log") \
    R(ACCOUNT_QUERY, account_query, 188, 1, MESSAGE, "orchestrator, executor, gateway", "account.query", "what is open and owned; account.order .. account.asset .. account.snapshot") \
    R(ACCOUNT_ORDER, account_order, 189, 1, MESSAGE, "venue, gateway, executor", "account.order", "an open order") \
    R(ACCOUNT_ASSET, account_asset, 192, 1, MESSAGE, "venue, gateway, executor", "account.asset", "a balance") \
    R(ACCOUNT_SNAPSHOT, account_snapshot, 193, 1, MESSAGE, "venue, gateway, executor", "account.snapshot", "ends that answer") \
    R(FILL_APPLY, fill_apply, 190, 2, MESSAGE, "orchestrator", "fill.apply", "what does this fill do to the position?") \
    R(FILL_APPLIED, fill_applied, 191, 1, MESSAGE, "portfolio", "fill.applied", "the answer") \
    R(LOG_BATCH, log_batch, 200, 2, MESSAGE, "orchestrator, replayer", "log.batch", "committed events follow in the same frame; topic log.SHARD") \
    R(LOG_TIP, log_tip, 201, 1, MESSAGE, "orchestrator", "log.tip", "heartbeat on topic log.SHARD") \
    R(REPLAY_REQUEST, replay_request, 202, 1, MESSAGE, "follower, client", "replay.request", "history, from the replayer")
