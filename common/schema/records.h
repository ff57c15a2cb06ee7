/* The records of the wire: events, market data, messages, and the parts they are built of.
 *
 * One row per record in ZVT_RECORDS, one row per field in its FIELDS list (here for parts; the others in events.h, messages.h
 * and state.h): F(S, KIND, name, N, unit, meaning).
 *   KIND  ID (16 bytes), STR (N bytes with its NUL), I64, U64, U32, BOOL, E8 (fixed point 1e-8), NS (UTC ns),
 *         ENUM (N = enumeration), REC (N = part, embedded), LIST (N = part, repeated up to ZVT_LIST_MAX_part)
 * On the wire a record is the msgpack array [type id, field, field, ...]; a part is the array of its fields.
 * Type ids are frozen. A field may only be appended, and then the record's version rises; a row in ZVT_APPENDED lets
 * readers take what was written before.
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
    R(RUN, run, 249, 1, PART, "", "run", "a run of a sender of commands") \
    R(SAVED_HEAD, saved_head, 210, 5, STATE, "checkpointer", "saved.head", "what a checkpoint holds") \
    R(SAVED_ORDER, saved_order, 211, 3, STATE, "checkpointer", "saved.order", "an order") \
    R(SAVED_ENDED, saved_ended, 212, 1, STATE, "checkpointer", "saved.ended", "the sequence in which orders ended") \
    R(SAVED_SENDER, saved_sender, 213, 2, STATE, "checkpointer", "saved.sender", "deduplication of a sender's commands") \
    R(SAVED_VENUE, saved_venue, 214, 2, STATE, "checkpointer", "saved.venue", "cursor of a venue's reports") \
    R(SAVED_POSITION, saved_position, 215, 1, STATE, "checkpointer", "saved.position", "aggregate version of a position") \
    R(SAVED_ASSET, saved_asset, 216, 1, STATE, "checkpointer", "saved.asset", "a balance at a venue, or its account") \
    R(ORDER_REQUESTED, order_requested, 1, 2, LOGGED, "orchestrator", "order.requested", "an order is asked for") \
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
    R(ORDER_RESOLVED, order_resolved, 16, 2, LOGGED, "orchestrator", "order.resolved", "an operator declared the outcome of an unknown order") \
    R(POSITION_UPDATED, position_updated, 20, 1, LOGGED, "orchestrator", "position.updated", "a fill changed a position") \
    R(POSITION_ADJUSTED, position_adjusted, 21, 2, LOGGED, "orchestrator", "position.adjusted", "an operator explained a difference") \
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
    R(SIGNAL_ACK, signal_ack, 132, 2, MESSAGE, "orchestrator", "signal.ack", "published on topic ack.SENDER") \
    R(PLACE_REQUEST, place_request, 140, 2, MESSAGE, "client", "place.request", "a client wants an order") \
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
    R(RESOLVE_REQUEST, resolve_request, 154, 2, MESSAGE, "client", "resolve.request", "declare that an unknown order will not execute (any more)") \
    R(DEAD_LETTER_REQUEST, dead_letter_request, 155, 1, MESSAGE, "client", "dead_letter.request", "retry or drop a dead letter") \
    R(DEAD_LETTERS_QUERY, dead_letters_query, 156, 1, MESSAGE, "client", "dead_letters.query", "list dead letters; dead_letter.row .. list.end") \
    R(DEAD_LETTER_ROW, dead_letter_row, 157, 1, MESSAGE, "orchestrator", "dead_letter.row", "one dead letter") \
    R(SAVED_LETTER, saved_letter, 217, 1, STATE, "checkpointer", "saved.letter", "a dead letter that is kept") \
    R(SAVED_DONE, saved_done, 218, 1, STATE, "checkpointer", "saved.done", "what an operator had done by hand, by its request id") \
    R(RECONCILE_REQUEST, reconcile_request, 158, 1, MESSAGE, "client", "reconcile.request", "compare a venue account with the log now") \
    R(ADJUST_REQUEST, adjust_request, 159, 2, MESSAGE, "client", "adjust.request", "change a position by hand") \
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
    R(REPLAY_REQUEST, replay_request, 202, 1, MESSAGE, "follower, client", "replay.request", "history, from the replayer") \
    R(REPLAY_RANGE, replay_range, 203, 1, MESSAGE, "follower, client", "replay.range", "a range of history, of some types; answered by log.batch frames that cover it in order, each with the wanted events among its first_seq .. last_seq; ask for the next ranges ahead") \
    R(LOG_BEGIN, log_begin, 206, 1, MESSAGE, "replayer", "log.begin", "where the log begins: sent before the error ARCHIVED to who asks for earlier events") \
    R(BASE_REQUEST, base_request, 207, 1, MESSAGE, "follower", "base.request", "a piece of the saved state to go on from where the log does not begin with event 1") \
    R(LOG_BASE, log_base, 208, 1, MESSAGE, "replayer", "log.base", "the answer; the bytes of the piece follow in the same frame")

/* A(ID, how many): fields at the end of a record that may be missing, because logs, checkpoints and clients from before
 * they were appended do not have them. They are 0, or empty, then. */
#define ZVT_APPENDED(A) \
    A(ADJUST_REQUEST, 1) \
    A(ORDER_REQUESTED, 1) \
    A(ORDER_RESOLVED, 1) \
    A(PLACE_REQUEST, 1) \
    A(POSITION_ADJUSTED, 1) \
    A(RESOLVE_REQUEST, 1) \
    A(SAVED_HEAD, 3) \
    A(SAVED_ORDER, 2) \
    A(SAVED_SENDER, 2) \
    A(SIGNAL_ACK, 2)
