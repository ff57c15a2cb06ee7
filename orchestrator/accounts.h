/* accounts -- what the log makes of the balances that the house owns at one venue.
 *
 * A balance is what the account began with (account.opened), changed by every execution and every adjustment in the log.
 * It is compared with what the venue says; see reconcile.c.
 *
 * Pure arithmetic.
 * Units    *_e8: fixed point 1e-8 of the asset.
 * Bounds   ACCOUNT_ASSETS_MAX assets; one more is ZVT_ERR_FULL.
 * Errors   ZVT_ERR_FULL, ZVT_ERR_OVERFLOW, ZVT_ERR_INVALID (a symbol that is not BASE/QUOTE); the balances before the
 *          failing one have changed then: the account cannot be trusted and is compared at the next reconciliation. */
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

#include <stdio.h>

#include "zvt_pools.h"
#include "zvt_schema.h"

enum { ACCOUNT_ASSETS_MAX = ZVT_POOL(1024, 32) };

typedef struct {
    char asset[ZVT_ASSET_SIZE];
    int64_t amount_e8;     /* what the log makes of it */
    bool opened;           /* what it began with is in the amount */
    /* of a comparison */
    int64_t expected_e8;   /* the amount with what is on its way into the log */
    int64_t actual_e8;     /* what the venue says */
    uint64_t query;        /* the question that actual_e8 answers */
} account_asset_t;

typedef struct {
    account_asset_t assets[ACCOUNT_ASSETS_MAX];
    uint32_t assets_count;
    bool halted;                   /* it gets no orders */
    uint64_t resumed_seq;          /* of its last risk.resumed: until that is durable it gets none either */
    char reason[ZVT_MESSAGE_SIZE]; /* of the halt */
} account_t;

/* One execution, as it changes balances. */
typedef struct {
    const char *symbol;           /* BASE/QUOTE */
    uint8_t side;                 /* ZVT_SIDE_* */
    int64_t quantity_e8;          /* base asset, positive */
    int64_t notional_e8;          /* quote asset */
    int64_t commission_e8;
    const char *commission_asset;
} account_execution_t;

void account_clear(account_t *self);
/* Finds or makes an asset; NULL when the account is full. */
account_asset_t *account_asset(account_t *self, const char *asset);

/* Changes the amounts, or (`expected`) what is expected of a comparison. */
ZVT_MUSTUSE int account_execute(account_t *self, const account_execution_t *execution, bool expected);
/* An adjustment by hand: of one asset, or of both sides of a symbol. */
ZVT_MUSTUSE int account_adjust(account_t *self, const zvt_position_adjusted_t *adjusted);
ZVT_MUSTUSE int account_open(account_t *self, const zvt_account_opened_t *opened);

/* Begins a comparison: what is expected is what the log makes of it. */
void account_expect(account_t *self);
/* Whether the venue's balance differs from what is expected. One that it does not list counts as zero; one that the log
 * knows nothing of (neither opened nor changed) is no difference: it is opened. */
bool account_differs(const account_asset_t *asset, uint64_t query);

/* Canonical text, one line a balance, sorted; returns the number of lines. */
size_t account_dump(const account_t *self, FILE *out);

#endif
