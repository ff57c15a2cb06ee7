/* The fields of messages between processes.
 *
 * F(S, KIND, name, N, unit, meaning), as records.h explains. Include it through zvt_schema.h only. */

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
    F(S, U64, incarnation, 0, "", "the sender's run: its start time, or above what an ack says is known")          \
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
    F(S, STR, message, ZVT_MESSAGE_SIZE, "", "key=value context")                               \
    F(S, U64, known_run, 0, "", "STALE because this later run is known: begin one above it; else 0") \
    F(S, BOOL, untaken, 0, "", "and nothing of the sender's run was ever taken: send it again in the new run")

/* ---- messages: clients ---- */
#define ZVT_FIELDS_place_request(F, S)                                                          \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "the same id twice is one order; empty: no guard") \
    F(S, STR, user_id, ZVT_NAME_SIZE, "", "who asks")                                           \
    F(S, STR, strategy_id, ZVT_NAME_SIZE, "", "account it to this strategy")                    \
    F(S, STR, portfolio_id, ZVT_NAME_SIZE, "", "and this portfolio")                            \
    F(S, REC, order_request, order_request, "", "what is asked for")                            \
    F(S, ENUM, wait, WAIT, "", "when to answer")                                                \
    F(S, U32, timeout_ms, 0, "ms", "answer by then with what is known; 0: 30,000")             \
    F(S, NS, created_at, 0, "UTC ns", "when the client first made it; a copy says the same. 0: ids are known only as long as their orders")

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
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "how they know")          \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "the same id twice is done once; empty: no guard")

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
    F(S, STR, reason, ZVT_MESSAGE_SIZE, "", "why")                                               \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "the same id twice is done once; empty: no guard")

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

#define ZVT_FIELDS_replay_range(F, S)                                                                                    \
    F(S, U64, from_seq, 0, "", "first seq of the range")                                                                \
    F(S, U64, to_seq, 0, "", "last seq of the range; cut at the tip")                                                   \
    F(S, U64, types_low, 0, "", "bit n: events of type n are wanted")                                                   \
    F(S, U64, types_high, 0, "", "bit n: events of type 64 + n are wanted; both 0: all types")

#define ZVT_FIELDS_log_begin(F, S)                                      \
    F(S, U32, shard, 0, "", "the log's shard")                          \
    F(S, U64, first_seq, 0, "", "seq of its first event")               \
    F(S, U64, tip_seq, 0, "", "last committed seq")

#define ZVT_FIELDS_base_request(F, S)                                                                       \
    F(S, STR, process, ZVT_NAME_SIZE, "", "whose state: risk, portfolio")                                   \
    F(S, U64, before_seq, 0, "", "the newest base up to this seq; 0: the newest one")                       \
    F(S, U64, offset, 0, "bytes", "where the piece begins that is wanted")

#define ZVT_FIELDS_log_base(F, S)                                                                           \
    F(S, STR, process, ZVT_NAME_SIZE, "", "as asked")                                                       \
    F(S, U64, seq, 0, "", "the state is the fold of the log up to here; 0: there is no such base")          \
    F(S, U64, length, 0, "bytes", "of the whole base")                                                      \
    F(S, U64, offset, 0, "bytes", "as asked; the piece is the rest of the frame")
