/* sim_oracle_state -- the oracle's model. Include it only from sim_oracle*.c. */
#ifndef SIM_ORACLE_STATE_H
#define SIM_ORACLE_STATE_H

#include "sim_oracle.h"
#include "zvt_map.h"

enum {
    ORACLE_ORDERS_MAX = 1024,
    ORACLE_CHILDREN_MAX = 3072,
    ORACLE_REPORTS_MAX = 4096,
    ORACLE_POSITIONS_MAX = 512,
    ORACLE_COMMANDS_MAX = 2048,
    ORACLE_SYSTEM_SAGAS = 256,
    ORACLE_NONE = -1,
};

/* An order, as the log tells it. */
typedef struct {
    zvt_id_t order_id, correlation_id, last_event_id;
    zvt_order_request_t terms;
    char strategy_id[ZVT_NAME_SIZE];
    int32_t position;      /* place in positions */
    uint32_t version;
    uint32_t attempt;      /* of the last intent */
    int32_t child;         /* of the last intent, or ORACLE_NONE */
    int64_t cum_qty_e8;
    bool validated, cancel_requested;
    zvt_type_t ended;      /* event that ended it; 0: open */
} oracle_order_t;

/* A child order, as the log and its venue tell it. */
typedef struct {
    char client_order_id[ZVT_CLIENT_ORDER_SIZE];
    int32_t order;
    uint32_t attempt;
    int venue;
    /* the log's side */
    bool submitted;
    uint64_t epoch;
    int64_t quantity_e8;
    int64_t expires_ns;    /* UTC */
    /* the venue's side */
    int64_t taken_ns;      /* when it was taken last, by the venue's UTC clock as it was then */
    bool taken;            /* in its ledger */
    bool live;             /* accepted and not ended */
    bool accepted;
    bool tombstoned;
    int64_t cum_qty_e8;
} oracle_child_t;

/* What is accounted together, and what is pending against it. */
typedef struct {
    char strategy_id[ZVT_NAME_SIZE];
    char portfolio_id[ZVT_NAME_SIZE];
    char symbol[ZVT_SYMBOL_SIZE];
    zvt_id_t position_id;  /* none until it was updated */
    uint32_t version;
    int64_t quantity_e8;
    int64_t executed_e8;   /* signed sum of order.executed */
    int64_t commission_e8; /* sum of order.executed */
    int64_t realized_pnl_e8; /* sum of position.updated */
    int64_t pending_buy_e8, pending_sell_e8;
} oracle_position_t;

typedef struct {
    uint8_t kind;
    int32_t child;
    int64_t price_e8, quantity_e8;
    bool logged;           /* an event of the log accounts for it */
} oracle_report_t;

typedef struct {
    char sender[ZVT_NAME_SIZE];
    uint64_t incarnation, sender_seq;
} oracle_command_t;

typedef struct {
    oracle_order_t orders[ORACLE_ORDERS_MAX];
    uint32_t orders_count;
    oracle_child_t children[ORACLE_CHILDREN_MAX];
    uint32_t children_count;
    oracle_position_t positions[ORACLE_POSITIONS_MAX];
    uint32_t positions_count;
    oracle_report_t reports[SIM_VENUES][ORACLE_REPORTS_MAX]; /* by venue_seq - 1 */
    uint64_t reports_count[SIM_VENUES];
    oracle_command_t acked[ORACLE_COMMANDS_MAX];
    uint32_t acked_count;
    zvt_map_t *by_order, *by_correlation, *by_signal, *by_request, *by_command, *by_child;
    uint64_t tip, epoch;
    uint32_t system_version;
    zvt_id_t system_id, system_last;
    struct {
        zvt_id_t correlation_id, last;
    } system_sagas[ORACLE_SYSTEM_SAGAS]; /* recoveries and reconciliations, the latest */
    uint32_t system_sagas_count;
    bool halted;
    uint32_t halts_told, halts_logged; /* by an operator, to an orchestrator; and as the log has them */
    int64_t resumed_ns; /* when the last halt of all trading ended; 0: there was none */
    uint32_t fills;
    uint64_t fences[SIM_ORACLE_FENCES]; /* highest epoch that each of them was told and could store */
} oracle_t;
extern oracle_t oracle;

/* Finds or makes a child by its name; the order must be known to the log. */
oracle_child_t *oracle_child(const char *client_order_id);
/* Whether a venue has this order from somebody else. */
bool oracle_is_stranger(const char *client_order_id);
oracle_order_t *oracle_order_of(const char *client_order_id);
int32_t oracle_find(const zvt_map_t *map, const void *key);
int32_t oracle_find_command(const oracle_command_t *command);
/* Text of an order for a history. */
const char *oracle_name(const oracle_order_t *order);

/* sim_oracle_log.c */
void oracle_fold(const zvt_event_t *event);
void oracle_forget_log(void);
void oracle_check_limits(void);

#endif
