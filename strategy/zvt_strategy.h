/* zvt_strategy -- everything a trading strategy in C needs: describe it, decide, submit.
 *
 * A strategy is a zvt_strategy_t: a name, its settings, and callbacks. It owns one zeroed block of state_size bytes,
 * which the host fills with the settings and passes as `self` to every callback. Callbacks are pure decisions: time,
 * prices and the life of the strategy's own orders come in; orders leave through submit and cancel. A strategy opens
 * no socket, reads no clock and starts no thread, which is why it runs unchanged live, replayed and in a unit test.
 *
 *     static const zvt_strategy_t my_strategy = {.name = "mine", .summary = "..", .on_quote = my_on_quote};
 *     int main(int argc, char **argv) { return zvt_strategy_main(argc, argv, &my_strategy); }
 *
 * Build    cc -std=gnu11 mine.c -o mine -Istrategy -Icommon -LBUILD -lzvt_strategy -lzvt_common \
 *          $(pkg-config --libs libczmq libzmq) -lm         (then: run/fleet attach ./mine)
 * Units    *_e8: fixed point 1e-8 (0.1 is 10000000, or ZVT_E8 / 10); *_ns: UTC nanoseconds.
 * Bounds   ZVT_STRATEGY_ORDERS_MAX open orders of a strategy; one more submit is ZVT_ERR_FULL.
 * Owns     records and pointers passed to a callback are borrowed for that call.
 * Errors   0 or a negative ZVT_ERR_*; a refusal by the fleet arrives later, in on_order, with its code. */
#ifndef ZVT_STRATEGY_H
#define ZVT_STRATEGY_H

#include "zvt_codec.h"
#include "zvt_config.h"
#include "zvt_error.h"
#include "zvt_fixed.h"
#include "zvt_time.h"

enum { ZVT_STRATEGY_ORDERS_MAX = 64 };

/* A signal that names no expiry is not sent to a venue later than this after it was decided. */
#define ZVT_STRATEGY_LIFETIME_NS (5 * ZVT_SECOND_NS)

/* One running strategy as the callbacks see it. */
typedef struct zvt_strategy_context zvt_strategy_context_t;

/* ---- settings ---- */
typedef enum {
    ZVT_PARAM_DECIMAL, /* int64_t member, fixed point 1e-8 */
    ZVT_PARAM_INTEGER, /* int64_t member */
    ZVT_PARAM_TEXT,    /* char[] member */
} zvt_param_kind_t;

typedef struct {
    const char *key; /* as in --set key=value and the fleet file */
    zvt_param_kind_t kind;
    const char *fallback; /* value when it is not set */
    const char *lowest;   /* numbers: smallest value accepted */
    const char *highest;  /* numbers: largest value accepted */
    const char *meaning;  /* a phrase for --list */
    size_t offset;        /* of the member in the state */
    size_t size;          /* of the member */
} zvt_param_t;

/* Rows of a settings table: ZVT_DECIMAL(my_state_t, member_e8, "key", "default", "lowest", "highest", "meaning").
 * A member of another type does not compile. */
#define ZVT_PARAM_CHECK(S, member, type) (0 * sizeof(char[_Generic(&((S *)0)->member, type *: 1, default: -1)]))
#define ZVT_PARAM_NUMBER(S, member, kind_, key_, fallback_, lowest_, highest_, meaning_)             \
    {.key = (key_), .kind = (kind_), .fallback = (fallback_), .lowest = (lowest_), .highest = (highest_), \
     .meaning = (meaning_), .size = sizeof(int64_t),                                                 \
     .offset = offsetof(S, member) + ZVT_PARAM_CHECK(S, member, int64_t)}
#define ZVT_DECIMAL(S, member, key_, fallback_, lowest_, highest_, meaning_) \
    ZVT_PARAM_NUMBER(S, member, ZVT_PARAM_DECIMAL, key_, fallback_, lowest_, highest_, meaning_)
#define ZVT_INTEGER(S, member, key_, fallback_, lowest_, highest_, meaning_) \
    ZVT_PARAM_NUMBER(S, member, ZVT_PARAM_INTEGER, key_, fallback_, lowest_, highest_, meaning_)
#define ZVT_TEXT(S, member, key_, fallback_, meaning_)                                                 \
    {.key = (key_), .kind = ZVT_PARAM_TEXT, .fallback = (fallback_), .meaning = (meaning_),            \
     .offset = offsetof(S, member), .size = sizeof(((S *)0)->member)}
#define ZVT_PARAMS_END {.key = NULL}

/* ---- own orders ---- */
typedef struct {
    zvt_id_t signal_id;          /* what submit returned; none if somebody else placed it in the strategy's name */
    zvt_id_t order_id;           /* none until the fleet has acknowledged the signal */
    zvt_order_request_t request; /* the terms */
    uint8_t state;               /* ZVT_ORDER_STATE_* */
    bool cancel_asked;           /* a cancel is on its way and not yet refused */
    int64_t cum_qty_e8;          /* executed */
    int64_t leaves_qty_e8;       /* can still execute; 0 once the order is over */
} zvt_strategy_order_t;

/* What just happened to an order. */
typedef struct {
    int64_t fill_quantity_e8; /* of this execution; 0 when it is none */
    int64_t fill_price_e8;
    bool fill_is_maker;
    uint8_t code;             /* ZVT_CODE_OK, or why it was refused, ended or not canceled */
    const char *message;      /* key=value context of the code; "" if there is none */
} zvt_strategy_update_t;

/* ---- the strategy ---- */
typedef struct {
    const char *name;          /* as in --strategy NAME */
    const char *summary;       /* one line for --list */
    const zvt_param_t *params; /* ends with ZVT_PARAMS_END; NULL: it has no settings */
    size_t state_size;         /* bytes of `self` */
    int64_t period_ms;         /* of on_time; 0: never */

    /* Once, when the settings, the position and the open orders are known, before any other callback. */
    void (*on_start)(void *self, zvt_strategy_context_t *context);
    /* Best bid and ask of a venue changed; 0 is an empty side. */
    void (*on_quote)(void *self, zvt_strategy_context_t *context, const zvt_price_updated_t *quote);
    void (*on_trade)(void *self, zvt_strategy_context_t *context, const zvt_trade_tick_t *trade);
    /* The best levels of a venue, best first. */
    void (*on_book)(void *self, zvt_strategy_context_t *context, const zvt_orderbook_updated_t *book);
    /* Every event of the log, of everybody; zvt_read_payload decodes the ones of interest. */
    void (*on_event)(void *self, zvt_strategy_context_t *context, const zvt_event_t *event);
    /* An own order changed: its state, a fill, a refusal. After start it is called for each order still open from an
     * earlier run. An order that is over is no longer among the open ones when this is called. */
    void (*on_order)(void *self, zvt_strategy_context_t *context, const zvt_strategy_order_t *order,
                     const zvt_strategy_update_t *update);
    /* Every period_ms. */
    void (*on_time)(void *self, zvt_strategy_context_t *context);
} zvt_strategy_t;

/* ---- what a callback may do ---- */

/* Wants an order. Of `terms`, side, order_type, time_in_force and quantity must be given; an empty symbol or venue is
 * the strategy's own, and expires_at 0 is now plus ZVT_STRATEGY_LIFETIME_NS. `confidence_e8` is 0 to 1. The signal's
 * name comes back in *signal_id (may be NULL) and in every on_order about it.
 * ZVT_ERR_INVALID: the terms contradict each other. ZVT_ERR_FULL: too many open orders or unanswered signals. */
ZVT_MUSTUSE int zvt_strategy_submit(zvt_strategy_context_t *context, const zvt_order_request_t *terms,
                                    int64_t confidence_e8, zvt_id_t *signal_id);

/* Wants an own open order canceled, named by its signal or order id. Asking twice is the same as once.
 * ZVT_ERR_NOT_FOUND: no such open order. ZVT_ERR_FULL: too many unanswered signals. */
ZVT_MUSTUSE int zvt_strategy_cancel(zvt_strategy_context_t *context, const zvt_id_t *id);

/* One line in the process's log, with the strategy's name before it. */
ZVT_PRINTF(2, 3) void zvt_strategy_log(zvt_strategy_context_t *context, const char *format, ...);

/* ---- what a callback may ask ---- */
int64_t zvt_strategy_now(const zvt_strategy_context_t *context); /* UTC ns, of the round */
const char *zvt_strategy_name(const zvt_strategy_context_t *context);
const char *zvt_strategy_symbol(const zvt_strategy_context_t *context);
const char *zvt_strategy_venue(const zvt_strategy_context_t *context); /* "" for any */
const zvt_instrument_t *zvt_strategy_instrument(const zvt_strategy_context_t *context);
/* Signed position of the strategy in its symbol, own fills included, base asset. */
int64_t zvt_strategy_position(const zvt_strategy_context_t *context);
/* The open orders, oldest first; valid until the next submit or callback. */
const zvt_strategy_order_t *zvt_strategy_orders(const zvt_strategy_context_t *context, size_t *count);
/* False once an order can execute no more. */
bool zvt_strategy_is_open(const zvt_strategy_order_t *order);
/* True if the order was refused or given up, by the fleet or by the venue: whoever sends the same again should pause. */
bool zvt_strategy_is_refused(const zvt_strategy_order_t *order);

/* ---- rounding to what a venue takes ---- */
/* Multiples of tick or lot, towards zero; `up` rounds a price away from zero. */
int64_t zvt_strategy_round_price(const zvt_strategy_context_t *context, int64_t price_e8, bool up);
int64_t zvt_strategy_round_quantity(const zvt_strategy_context_t *context, int64_t quantity_e8);

/* Runs one strategy as a process of the fleet: the command line, the sockets, the delivery. Returns the exit code. */
int zvt_strategy_main(int argc, char **argv, const zvt_strategy_t *strategy);

#endif
