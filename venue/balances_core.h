/* balances_core -- what the venue account owns of each asset, and what its open orders hold of it.
 *
 * Pure. An order that rests reserves what it would pay and announces what it would bring, so that no later fill can
 * fail: neither for lack of funds nor because a total would leave fixed point.
 * Units    *_e8: fixed point 1e-8 of the asset.
 * Bounds   BALANCES_ASSETS_MAX assets; one more is ZVT_ERR_FULL.
 * Errors   0, ZVT_ERR_FULL, ZVT_ERR_OVERFLOW. */
#ifndef VENUE_BALANCES_CORE_H
#define VENUE_BALANCES_CORE_H

#include "zvt_config.h"

enum { BALANCES_ASSETS_MAX = ZVT_BALANCES_MAX + 2 * ZVT_INSTRUMENTS_MAX };

typedef struct {
    char name[ZVT_ASSET_SIZE];
    int64_t total_e8;    /* owned */
    int64_t reserved_e8; /* of that, promised by open orders */
    int64_t incoming_e8; /* what open orders would bring at the most */
    bool opened;         /* an opening balance is recorded */
} balance_t;

/* What one open order holds. */
typedef struct {
    uint32_t pay_asset, get_asset; /* indices */
    int64_t reserved_e8;           /* of pay_asset */
    int64_t incoming_e8;           /* of get_asset */
} balance_hold_t;

typedef struct {
    balance_t assets[BALANCES_ASSETS_MAX];
    uint32_t count;
} balances_core_t;

/* Index of an asset, added with nothing when it is new; BALANCES_ASSETS_MAX when the table is full. */
uint32_t balances_core_asset(balances_core_t *self, const char *name);
/* Not reserved; never below 0. */
int64_t balances_core_available(const balances_core_t *self, uint32_t asset);
/* True when `more_e8` could arrive on top of everything announced. */
bool balances_core_has_room(const balances_core_t *self, uint32_t asset, int64_t more_e8);
/* Changes the total. ZVT_ERR_OVERFLOW leaves it as it was. */
ZVT_MUSTUSE int balances_core_add(balances_core_t *self, uint32_t asset, int64_t change_e8);
/* Replaces what an order holds. ZVT_ERR_OVERFLOW leaves the totals undefined; it cannot happen to an order that passed
 * the checks. */
ZVT_MUSTUSE int balances_core_hold(balances_core_t *self, balance_hold_t *hold, int64_t reserved_e8, int64_t incoming_e8);

#endif
