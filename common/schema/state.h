/* The fields of saved state.
 *
 * F(S, KIND, name, N, unit, meaning), as records.h explains. Include it through zvt_schema.h only. */

/* ---- saved state: what a checkpoint is made of; never on a socket ---- */
#define ZVT_LIST_MAX_bits 64

#define ZVT_FIELDS_bits(F, S) F(S, U64, word, 0, "", "64 numbers of a window, lowest first")

#define ZVT_LIST_MAX_run 16

#define ZVT_FIELDS_run(F, S) F(S, U64, incarnation, 0, "", "a run of a sender")

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
    F(S, U32, letters, 0, "", "saved.letter records that follow")                                  \
    F(S, NS, request_horizon, 0, "UTC ns", "the latest created_at among the requests whose orders are forgotten; 0: none") \
    F(S, U64, forgotten_run, 0, "", "the latest run among the senders that are forgotten; 0: none") \
    F(S, U32, done, 0, "", "saved.done records that follow")

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
    F(S, U32, version, 0, "", "aggregate version")                                                 \
    F(S, NS, created_at, 0, "UTC ns", "of its request; 0: not told, or a signal")                   \
    F(S, BOOL, fill_aside, 0, "", "a fill of it became a dead letter")

#define ZVT_FIELDS_saved_ended(F, S) \
    F(S, ID, order_id, 0, "", "an order that has ended; the one that ended first comes first")

#define ZVT_FIELDS_saved_sender(F, S)                                                              \
    F(S, STR, name, ZVT_NAME_SIZE, "", "sender of commands; the one silent for longest first")     \
    F(S, U64, incarnation, 0, "", "its newest run")                                                \
    F(S, U64, high, 0, "", "highest number taken")                                                 \
    F(S, U64, contiguous, 0, "", "every number up to here was taken")                              \
    F(S, LIST, window, bits, "", "which of the last 4,096 were taken")                             \
    F(S, LIST, earlier, run, "", "its runs before, of which something was taken; the newest last") \
    F(S, BOOL, all_runs, 0, "", "there were none before those")

#define ZVT_FIELDS_saved_venue(F, S)                                                               \
    F(S, STR, exchange, ZVT_VENUE_SIZE, "", "the venue")                                           \
    F(S, U64, high, 0, "", "highest report number in the log")                                     \
    F(S, U64, contiguous, 0, "", "every number up to here is in the log; in further records of the venue, where they go on") \
    F(S, LIST, window, bits, "", "which of the 4,096 after that are, or of those up to high; number n in bit n % 4,096")   \
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

#define ZVT_FIELDS_saved_done(F, S)                                                                \
    F(S, STR, request_id, ZVT_REQUEST_SIZE, "", "of an operator's command; the oldest comes first") \
    F(S, U64, seq, 0, "", "of the event that it became")                                           \
    F(S, U32, type, 0, "", "of that event")                                                        \
    F(S, ID, subject, 0, "", "the position adjusted, or the order resolved")                       \
    F(S, E8, quantity, 0, "base asset", "of an adjustment")                                        \
    F(S, E8, price, 0, "quote asset", "of an adjustment")
