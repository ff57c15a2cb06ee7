/* The enumerations of the wire: E(PREFIX, NAME, id, text, meaning).
 *
 * Ids are handwritten and frozen: what was once written to a log keeps its number. Append, never renumber.
 * Id 0 always means "not given" and has no row. Include this file through zvt_schema.h only. */

#define ZVT_ENUM_SIDE(E)                                    \
    E(SIDE, BUY, 1, "buy", "adds to the position")          \
    E(SIDE, SELL, 2, "sell", "takes from the position")

#define ZVT_ENUM_ORDER_TYPE(E)                                                            \
    E(ORDER_TYPE, MARKET, 1, "market", "executes at the best prices there are, never rests") \
    E(ORDER_TYPE, LIMIT, 2, "limit", "executes at its limit price or better")

#define ZVT_ENUM_TIF(E)                                                                       \
    E(TIF, GTC, 1, "GTC", "good till canceled: the rest stays on the book")                   \
    E(TIF, IOC, 2, "IOC", "immediate or cancel: what does not execute at once expires")       \
    E(TIF, FOK, 3, "FOK", "fill or kill: everything at once or nothing")

#define ZVT_ENUM_ORDER_STATE(E)                                                                        \
    E(ORDER_STATE, INITIALIZED, 1, "initialized", "requested, not yet judged")                         \
    E(ORDER_STATE, DENIED, 2, "denied", "refused by us before a venue saw it")                         \
    E(ORDER_STATE, SUBMITTED, 3, "submitted", "the intent is durable; the venue may see it")           \
    E(ORDER_STATE, ACCEPTED, 4, "accepted", "the venue has it on its book")                            \
    E(ORDER_STATE, PARTIALLY_FILLED, 5, "partially_filled", "some of it executed, the rest works")     \
    E(ORDER_STATE, PENDING_CANCEL, 6, "pending_cancel", "a cancel is on its way to the venue")         \
    E(ORDER_STATE, PENDING_REPLACE, 7, "pending_replace", "a replace is on its way to the venue")      \
    E(ORDER_STATE, FILLED, 8, "filled", "executed in full")                                            \
    E(ORDER_STATE, CANCELED, 9, "canceled", "taken off the book on request")                           \
    E(ORDER_STATE, EXPIRED, 10, "expired", "its time in force or its deadline ended it")               \
    E(ORDER_STATE, REJECTED, 11, "rejected", "refused by the venue")                                   \
    E(ORDER_STATE, UNKNOWN, 12, "unknown", "sent, outcome not known; never guessed, never resent")     \
    E(ORDER_STATE, FAILED, 13, "failed", "given up before anything could execute")

#define ZVT_ENUM_REPORT_KIND(E)                                                               \
    E(REPORT_KIND, ACCEPTED, 1, "accepted", "the venue took the order")                       \
    E(REPORT_KIND, REJECTED, 2, "rejected", "the venue refused the order")                    \
    E(REPORT_KIND, FILL, 3, "fill", "one execution")                                          \
    E(REPORT_KIND, CANCELED, 4, "canceled", "the rest was taken off on request")              \
    E(REPORT_KIND, EXPIRED, 5, "expired", "the rest ended by time in force")

#define ZVT_ENUM_STAGE(E)                                                     \
    E(STAGE, VALIDATION, 1, "validation", "the request itself is wrong")      \
    E(STAGE, RISK, 2, "risk", "a risk check failed")                          \
    E(STAGE, ROUTING, 3, "routing", "no venue can take it")                   \
    E(STAGE, VENUE, 4, "venue", "the venue refused it")

#define ZVT_ENUM_ROLE(E)                                                        \
    E(ROLE, VENUE, 1, "venue", "paper exchange")                                \
    E(ROLE, GATEWAY, 2, "gateway", "one venue's market data and order entry")   \
    E(ROLE, STRATEGY, 3, "strategy", "decides what to trade")                   \
    E(ROLE, ORCHESTRATOR, 4, "orchestrator", "saga engine and log writer")      \
    E(ROLE, REPLAYER, 5, "replayer", "serves history from the log")             \
    E(ROLE, RISK, 6, "risk", "pre-trade checks")                                \
    E(ROLE, EXECUTOR, 7, "executor", "routes and sends orders")                 \
    E(ROLE, PORTFOLIO, 8, "portfolio", "positions and valuation")               \
    E(ROLE, MONITOR, 9, "monitor", "watches")                                   \
    E(ROLE, CLIENT, 10, "client", "asks and commands")                          \
    E(ROLE, CHECKPOINTER, 11, "checkpointer", "stores folds of the log")

#define ZVT_ENUM_SEVERITY(E)                                      \
    E(SEVERITY, INFO, 1, "info", "worth knowing")                 \
    E(SEVERITY, WARNING, 2, "warning", "look at it today")        \
    E(SEVERITY, CRITICAL, 3, "critical", "look at it now")

#define ZVT_ENUM_WAIT(E)                                                                             \
    E(WAIT, COMMITTED, 1, "committed", "answer when the request is durable")                         \
    E(WAIT, ACCEPTED, 2, "accepted", "answer when the order rests at the venue or has ended")        \
    E(WAIT, FILLED, 3, "filled", "answer when the order has ended")

#define ZVT_ENUM_CIRCUIT(E)                                                                       \
    E(CIRCUIT, CLOSED, 1, "closed", "orders go to the venue")                                     \
    E(CIRCUIT, OPEN, 2, "open", "it failed too often: no order goes there for a while")           \
    E(CIRCUIT, HALF_OPEN, 3, "half_open", "a few orders may try it; how they fare decides")

#define ZVT_ENUM_KILL(E)                                                                          \
    E(KILL, CANCEL, 1, "cancel", "cancel one order")                                              \
    E(KILL, CANCEL_ALL, 2, "cancel_all", "cancel whatever is open at the venues now")             \
    E(KILL, KILL, 3, "kill", "send nothing any more, and cancel whatever is open")                \
    E(KILL, RESUME, 4, "resume", "send again")

/* Why something was refused or failed: stable names that scripts may match on. */
#define ZVT_ENUM_CODE(E)                                                                                  \
    E(CODE, OK, 1, "OK", "nothing is wrong")                                                              \
    E(CODE, MALFORMED, 10, "MALFORMED", "the message does not follow the schema")                         \
    E(CODE, UNKNOWN_SYMBOL, 11, "UNKNOWN_SYMBOL", "no such instrument in the fleet file")                 \
    E(CODE, BAD_QUANTITY, 12, "BAD_QUANTITY", "quantity is not positive")                                 \
    E(CODE, BAD_PRICE, 13, "BAD_PRICE", "a limit order needs a positive price, a market order none")      \
    E(CODE, BAD_ORDER, 14, "BAD_ORDER", "order type, side and time in force do not go together")          \
    E(CODE, STALE, 15, "STALE", "it expired before it could be worked on, or may be a copy of one long done") \
    E(CODE, DUPLICATE, 16, "DUPLICATE", "seen before; the first answer stands")                           \
    E(CODE, UNKNOWN_VENUE, 17, "UNKNOWN_VENUE", "no such venue in the fleet file")                        \
    E(CODE, UNKNOWN_ORDER, 18, "UNKNOWN_ORDER", "no order with this id is open or recent")                \
    E(CODE, ORDER_ENDED, 19, "ORDER_ENDED", "the order is not open any more")                             \
    E(CODE, OVERLOADED, 20, "OVERLOADED", "a bounded queue is full; try again")                           \
    E(CODE, LOG_UNAVAILABLE, 21, "LOG_UNAVAILABLE", "the event log cannot be read or written now")         \
    E(CODE, NOT_READY, 22, "NOT_READY", "a process that is needed has not answered yet")                  \
    E(CODE, SERVICE_TIMEOUT, 23, "SERVICE_TIMEOUT", "a service did not answer within the step's timeout") \
    E(CODE, SAGA_TIMEOUT, 24, "SAGA_TIMEOUT", "the saga's deadline passed")                               \
    E(CODE, NUMBER_OVERFLOW, 25, "NUMBER_OVERFLOW", "a product does not fit fixed point 1e-8")            \
    E(CODE, HALTED, 30, "HALTED", "trading is halted; resume it first")                                   \
    E(CODE, PRICE_OFF_TICK, 31, "PRICE_OFF_TICK", "price is not a multiple of the tick size")             \
    E(CODE, QUANTITY_OFF_LOT, 32, "QUANTITY_OFF_LOT", "quantity is not a multiple of the lot size")       \
    E(CODE, MAX_QUANTITY, 33, "MAX_QUANTITY", "quantity above the order limit")                           \
    E(CODE, MAX_NOTIONAL, 34, "MAX_NOTIONAL", "notional above the order limit")                           \
    E(CODE, MIN_NOTIONAL, 35, "MIN_NOTIONAL", "notional below the instrument's minimum")                  \
    E(CODE, PRICE_COLLAR, 36, "PRICE_COLLAR", "limit price too far from the market")                      \
    E(CODE, MAX_POSITION, 37, "MAX_POSITION", "position with pending orders would exceed its limit")      \
    E(CODE, SHORT_POSITION, 38, "SHORT_POSITION", "sells more than the position and pending sells leave") \
    E(CODE, ORDER_RATE, 39, "ORDER_RATE", "too many orders by this strategy in this second")              \
    E(CODE, NO_REFERENCE_PRICE, 40, "NO_REFERENCE_PRICE", "no quote to judge the order by")               \
    E(CODE, NO_VENUE, 50, "NO_VENUE", "no venue can take the order now")                                  \
    E(CODE, INSUFFICIENT_BALANCE, 51, "INSUFFICIENT_BALANCE", "the venue account cannot pay for it")      \
    E(CODE, WOULD_CROSS, 52, "WOULD_CROSS", "post-only order would have taken liquidity")                 \
    E(CODE, NO_LIQUIDITY, 53, "NO_LIQUIDITY", "the book cannot fill it")                                  \
    E(CODE, MARKET_CLOSED, 54, "MARKET_CLOSED", "the venue's market has ended or not begun")              \
    E(CODE, ORDER_EXPIRED, 55, "ORDER_EXPIRED", "arrived at the venue after expires_at")                  \
    E(CODE, FENCED, 56, "FENCED", "carries an epoch older than one already seen")                         \
    E(CODE, TOMBSTONED, 57, "TOMBSTONED", "this client order id was declared dead before it arrived")     \
    E(CODE, VENUE_UNREACHABLE, 58, "VENUE_UNREACHABLE", "no connection to the venue")                     \
    E(CODE, VENUE_LIMIT, 59, "VENUE_LIMIT", "the venue's own bound on open orders or ids is reached")     \
    E(CODE, CANCEL_REQUESTED, 60, "CANCEL_REQUESTED", "ended because a cancel was asked for")             \
    E(CODE, TIME_IN_FORCE, 61, "TIME_IN_FORCE", "ended by its time in force")                             \
    E(CODE, SELF_TRADE, 62, "SELF_TRADE", "would have traded with the account's own order")               \
    E(CODE, VENUE_EXCLUDED, 63, "VENUE_EXCLUDED", "the order names another venue, or asks to avoid this one") \
    E(CODE, CIRCUIT_OPEN, 73, "CIRCUIT_OPEN", "the venue failed too often lately; it is tried again by itself")     \
    E(CODE, VENUE_THROTTLED, 74, "VENUE_THROTTLED", "the venue's limit per second leaves no room for it in time")  \
    E(CODE, NOT_JOURNALED, 75, "NOT_JOURNALED", "done, but the executor's journal cannot be written: not durable")  \
    E(CODE, SIGNAL_RATE, 79, "SIGNAL_RATE", "far too many orders or new strategies by this sender; not recorded") \
    E(CODE, POSITIONS_FULL, 80, "POSITIONS_FULL", "the log has no room for another position; not recorded") \
    E(CODE, RESOLVED_BY_HAND, 85, "RESOLVED_BY_HAND", "an operator declared its outcome")                 \
    E(CODE, ACCOUNT_HALTED, 86, "ACCOUNT_HALTED", "the venue account differs from the log; reconcile it first") \
    E(CODE, NOT_RECONCILED, 87, "NOT_RECONCILED", "the venue account is being compared with the log")     \
    E(CODE, UNEXPLAINED, 88, "UNEXPLAINED", "the venue says what the log cannot explain")                 \
    E(CODE, UNKNOWN_LETTER, 89, "UNKNOWN_LETTER", "no dead letter with this id is kept")                  \
    E(CODE, INTERNAL, 90, "INTERNAL", "our own mistake; see the logs")                                    \
    E(CODE, ARCHIVED, 95, "ARCHIVED", "older than the log's first event; it is in the archive files")

/* X(PREFIX, c_name): every enumeration above. */
#define ZVT_ENUMS(X)               \
    X(SIDE, side)                  \
    X(ORDER_TYPE, order_type)      \
    X(TIF, tif)                    \
    X(ORDER_STATE, order_state)    \
    X(REPORT_KIND, report_kind)    \
    X(STAGE, stage)                \
    X(ROLE, role)                  \
    X(SEVERITY, severity)          \
    X(WAIT, wait)                  \
    X(CIRCUIT, circuit)            \
    X(KILL, kill)                  \
    X(CODE, code)
