/* order_core -- the order aggregate: what an order is, which events may happen to it, and its fold.
 *
 * Pure. Every change of an order goes through order_core_apply, live and on replay alike, so that the table of orders
 * equals the fold of the log.
 * Units    *_e8 fixed point 1e-8, *_ns UTC nanoseconds.
 * Bounds   ORDERS_MAX orders in memory, of which at most ORDERS_ENDED_MAX have ended; beyond that the one that ended
 *          first is forgotten (its request id, signal id and late fills then are unknown). The horizon stays: no request
 *          made after it is a copy of a forgotten one. ORDERS_KEPT_MAX more are kept that an operator may still need: those
 *          resolved by hand, and those with a fill that was put aside.
 * Owns     every order_t; pointers stay valid until the order is forgotten.
 * Source   states follow FIX 4.4 OrdStatus, plus unknown. */
#ifndef ORDER_CORE_H
#define ORDER_CORE_H

#include "zvt_codec.h"
#include "zvt_pools.h"

enum {
    ORDERS_MAX = ZVT_POOL(131072, 1024),
    ORDERS_ENDED_MAX = ZVT_POOL(32768, 512),
    ORDERS_KEPT_MAX = ZVT_POOL(1024, 8),
    ORDER_NONE = -1,
};

/* How far the saga has got, as the log shows it: the fold of its events. */
typedef enum {
    ORDER_STEP_REQUESTED, /* order.requested is there */
    ORDER_STEP_VALIDATED, /* risk passed it */
    ORDER_STEP_CREATED,   /* the record exists */
    ORDER_STEP_ROUTED,    /* a venue is chosen */
    ORDER_STEP_SUBMITTED, /* the intent is recorded; a venue may have it */
} order_step_t;

typedef struct {
    /* durable: the fold of the order's events */
    zvt_id_t order_id;
    zvt_id_t correlation_id;    /* its saga */
    zvt_id_t signal_id;         /* none for a request */
    zvt_order_request_t terms;
    char user_id[ZVT_NAME_SIZE];
    char strategy_id[ZVT_NAME_SIZE];
    char portfolio_id[ZVT_NAME_SIZE];
    char request_id[ZVT_REQUEST_SIZE]; /* "" for none */
    uint8_t state;              /* ZVT_ORDER_STATE_* */
    uint8_t code;               /* ZVT_CODE_*: OK, or why it ended badly */
    uint8_t step;               /* order_step_t */
    bool cancel_pending;        /* a cancel is on its way */
    bool fill_aside;            /* one of its fills became a dead letter: nothing waits for that */
    char exchange[ZVT_VENUE_SIZE];
    char client_order_id[ZVT_CLIENT_ORDER_SIZE];
    char exchange_order_id[ZVT_CLIENT_ORDER_SIZE];
    char commission_asset[ZVT_ASSET_SIZE];
    char message[ZVT_MESSAGE_SIZE]; /* context of the code */
    uint32_t attempt;           /* of the current child; 0 before the first intent */
    int64_t cum_qty_e8;         /* executed */
    int64_t notional_e8;        /* sum of price times quantity over the executions */
    int64_t commission_e8;      /* sum of the fees */
    int64_t requested_ns;
    int64_t created_ns;         /* when the client says that it first made the request; 0: it does not */
    int64_t updated_ns;
    int64_t deadline_ns;        /* of the saga, UTC */
    int64_t submitted_ns;       /* time of the last intent */
    int64_t expires_ns;         /* of the last intent */
    uint64_t first_seq;         /* seq of order.requested; 0 until it is appended */
    uint64_t last_seq;          /* seq of its last appended event; 0 before the first */
    uint32_t version;           /* aggregate version of its last event */
    zvt_id_t last_event_id;     /* causes the next event */

    /* links of the table */
    int32_t index;              /* of this order */
    int32_t older, newer;       /* in the list of all orders by age */
    int32_t ended_next;         /* in one of the queues of ended orders */
    bool used;

    /* ephemeral: the saga's and the turn's business, zero after a fold */
    int32_t saga;               /* running saga, or ORDER_NONE */
    int32_t staged_first, staged_last; /* events that are not in a batch yet */
    uint32_t staged_count;
    int64_t staged_ns;          /* monotonic, when the oldest of them was made */
    int32_t staged_next, staged_prev; /* in the list of orders with staged events */
    int32_t ready_next;         /* in the queue of orders whose staged events wait for room in a batch */
    bool staged_listed, ready_listed;
    uint32_t fills_pending;     /* fills waiting for portfolio's arithmetic */
    int32_t held;               /* report that ends the order and waits for fills, or ORDER_NONE */
    int32_t early_route;        /* the venue chosen while risk judges the order, or EARLY_ROUTE_NONE */
    int64_t route_asked_ns;     /* monotonic: when it was asked for early; 0: it was not */
    uint32_t route_asked_of;    /* how often the executor had come up by then */
    bool sent;                  /* the current child left for the executor in this run */
    bool querying;              /* the venue is asked what became of the child */
    uint64_t asked_tip;         /* the highest report number the venue was known to have given when it was asked last */
    bool trouble_listed;        /* in the list of orders to ask about again */
    int32_t trouble_next, trouble_prev;
    int64_t ask_again_ns;       /* monotonic */
    uint64_t account_query;     /* the last question about the venue's account that listed it */
    int64_t ask_backoff_ns;
    int64_t arrived_ns;         /* monotonic arrival of the command */
    int32_t waiters;            /* first client waiting for it, or ORDER_NONE */
} order_t;

typedef struct order_core order_core_t;

order_core_t *order_core_new(void);
void order_core_destroy(order_core_t **self);
/* Forgets everything, for a rebuild. */
void order_core_clear(order_core_t *self);

order_t *order_core_at(order_core_t *self, int32_t index);
order_t *order_core_by_id(order_core_t *self, const zvt_id_t *order_id);
order_t *order_core_by_signal(order_core_t *self, const zvt_id_t *signal_id);
order_t *order_core_by_request(order_core_t *self, const char *request_id);
/* The latest created_at among the requests whose orders are forgotten, UTC ns; 0: none is. A request whose id is unknown
 * cannot be told from a copy of one of them if it was made by then. */
int64_t order_core_horizon_ns(const order_core_t *self);
/* By order id, or by correlation id. */
order_t *order_core_by_either(order_core_t *self, const zvt_id_t *id);
/* By the order id inside a client_order_id. */
order_t *order_core_by_client_order(order_core_t *self, const char *client_order_id);

/* Applies an event of an order. Order.requested makes the order. 0; ZVT_ERR_FULL when the table is; ZVT_ERR_NOT_FOUND
 * for an order that is not (or no more) there; ZVT_ERR_ILLEGAL for an event its state does not allow (unchanged). */
ZVT_MUSTUSE int order_core_apply(order_core_t *self, const zvt_event_t *event, const zvt_record_t *record);
/* Whether apply would accept this type in the order's state. */
bool order_core_allows(const order_t *order, zvt_type_t type);

bool order_is_ended(const order_t *order);
/* Working at a venue, or possibly so. */
bool order_is_at_venue(const order_t *order);
int64_t order_leaves_e8(const order_t *order);
int64_t order_average_price_e8(const order_t *order);
/* State for people: pending_cancel while a cancel is on its way. */
uint8_t order_shown_state(const order_t *order);
/* Row for queries. */
void order_fill_row(const order_t *order, zvt_order_row_t *row);
/* "32 hex digits of the order id"-child-attempt. */
void order_client_order_id(const order_t *order, uint32_t child, uint32_t attempt, char text[ZVT_CLIENT_ORDER_SIZE]);

/* ---- saving and restoring, for checkpoints ---- */
void order_core_save(const order_t *order, zvt_saved_order_t *saved);
/* Puts an order back; the oldest comes first. ZVT_ERR_EXISTS or ZVT_ERR_FULL. */
ZVT_MUSTUSE int order_core_restore(order_core_t *self, const zvt_saved_order_t *saved);
/* Orders in the sequence in which they ended: the next after `after` (ORDER_NONE starts), or ORDER_NONE. */
int32_t order_core_next_ended(const order_core_t *self, int32_t after);
/* Notes an order that has ended, in that sequence. ZVT_ERR_NOT_FOUND, or ZVT_ERR_ILLEGAL if it has not ended. */
ZVT_MUSTUSE int order_core_restore_ended(order_core_t *self, const zvt_id_t *order_id);
void order_core_restore_horizon(order_core_t *self, int64_t horizon_ns);
/* The oldest order, and from there the next newer ones; ORDER_NONE at the end. */
int32_t order_core_newer(const order_core_t *self, int32_t after);

uint32_t order_core_open_count(const order_core_t *self);
/* Room for one more order, possibly by forgetting an ended one. */
bool order_core_has_room(const order_core_t *self);
/* Walks the orders, newest first: index of the next after `after` (ORDER_NONE starts), or ORDER_NONE. */
int32_t order_core_older(const order_core_t *self, int32_t after);

#endif
