/* account_state -- what an account is made of, for the two files that may know: account_core, which changes it, and
 * account_image, which writes it down and reads it back. Nobody else includes this. */
#ifndef VENUE_ACCOUNT_STATE_H
#define VENUE_ACCOUNT_STATE_H

#include "account_core.h"
#include "limit_core.h"
#include "zvt_map.h"

enum {
    NO_INDEX = UINT32_MAX,
    NO_INSTRUMENT = UINT16_MAX, /* the fleet file does not have the order's symbol */
};

/* One client order id, for as long as it is remembered. */
typedef struct {
    zvt_id_t key;           /* hash of the client order id */
    int64_t expires_at_ns;  /* UTC; a duplicate that comes later is refused anyway */
    uint64_t first_seq, last_seq; /* of its reports */
    uint64_t number;        /* of the exchange order id */
    int64_t limit_e8;       /* 0: market order */
    int64_t quantity_e8;
    int64_t cum_e8;         /* executed */
    uint32_t reports;       /* made for it */
    uint32_t next;          /* ended: the one that ended next; free: next free */
    uint32_t slot;          /* open: its slot; else NO_INDEX */
    uint16_t instrument;
    uint8_t side;
    uint8_t state;          /* ZVT_ORDER_STATE_*; 0: taken in, or a tombstone */
    bool slashed;           /* reports spell the symbol BASE/QUOTE, as the order did */
    bool tombstone;         /* declared dead before it arrived */
    bool forgotten;         /* the record is free: its id is not in the table */
} account_record_t;

/* What only an open order needs. */
typedef struct {
    uint32_t record; /* NO_INDEX: free */
    uint32_t next;   /* free: next free slot */
    bool resting;    /* it is on the market's book */
    balance_hold_t hold;
    char client_order_id[ZVT_CLIENT_ORDER_SIZE];
} account_slot_t;

typedef struct {
    uint32_t base, quote; /* indices of the assets */
    char venue_symbol[ZVT_SYMBOL_SIZE];
} account_instrument_t;

struct account_core {
    account_config_t config;
    const zvt_venue_config_t *venue;
    int64_t fee_max_e8; /* the higher of the two fees */
    account_instrument_t instruments[ZVT_INSTRUMENTS_MAX];
    balances_core_t balances;

    zvt_map_t *ids; /* key -> index of the record */
    zvt_map_t *by_venue_symbol; /* -> instrument */
    account_record_t *records;
    uint32_t records_used, records_free;
    uint32_t ended_first, ended_last; /* ended orders in the order they ended */
    account_slot_t *slots;
    uint32_t slots_free;
    uint32_t open_count;

    uint64_t venue_seq;    /* of the last report */
    uint64_t last_number;  /* of the last exchange order id */
    bool open, writable;
    const char *closed_message;
    limit_core_t *order_limit, *cancel_limit; /* NULL: not enforced */
    int64_t monotonic_ns;  /* for those */

    char replayed_id[ZVT_CLIENT_ORDER_SIZE]; /* the order that was replayed last; "": none */
    uint32_t replayed;     /* its record */
    uint32_t taking;       /* record of the order that executes right now */
    int64_t market_ns;     /* during a call */
};

static inline bool account_state_is_open(const account_record_t *record)
{
    return record->state == ZVT_ORDER_STATE_ACCEPTED || record->state == ZVT_ORDER_STATE_PARTIALLY_FILLED;
}

/* Gives an order that begins to be open this slot, which is free. */
void account_state_open(account_core_t *self, uint32_t record, uint32_t slot, const char *client_order_id);
/* Holds what the rest of an open limit order needs: 0 or ZVT_ERR_OVERFLOW. */
ZVT_MUSTUSE int account_state_hold(account_core_t *self, const account_record_t *record);

#endif
