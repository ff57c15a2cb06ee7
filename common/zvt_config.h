/* zvt_config -- the fleet file, read and checked.
 *
 * Shapes   zvt_fleet_t holds everything by value; decimals are fixed point 1e-8.
 * Bounds   the *_MAX below; one more entry is an error that names the line.
 * Errors   ZVT_ERR_IO, ZVT_ERR_SYNTAX, ZVT_ERR_INVALID; `problem` then says file, line, what and what to do.
 * Source   the file is ZPL (https://rfc.zeromq.org/spec/4/), loaded with czmq's zconfig. */
#ifndef ZVT_CONFIG_H
#define ZVT_CONFIG_H

#include "zvt_schema.h"

enum {
    ZVT_INSTRUMENTS_MAX = 256,
    ZVT_VENUES_MAX = 8,
    ZVT_BALANCES_MAX = 256,
    ZVT_STRATEGIES_MAX = 64,
    ZVT_SETTINGS_MAX = 16,
    ZVT_PROBLEM_SIZE = 512,
};

typedef struct {
    char symbol[ZVT_SYMBOL_SIZE]; /* BASE/QUOTE */
    char base[ZVT_ASSET_SIZE];
    char quote[ZVT_ASSET_SIZE];
    int64_t tick_e8;              /* smallest price step */
    int64_t lot_e8;               /* smallest quantity step */
    int64_t min_notional_e8;      /* quote asset */
    int64_t price_e8;             /* where the synthetic market begins */
    int64_t volatility_e8;        /* of the synthetic market, per year */
    int64_t max_quantity_e8;      /* risk: one order */
    int64_t max_position_e8;      /* risk: one strategy, pending included */
} zvt_instrument_t;

typedef struct {
    char asset[ZVT_ASSET_SIZE];
    int64_t amount_e8;
} zvt_balance_config_t;

/* What of its answers the paper venue loses, delays and repeats on purpose; all 0: nothing. */
typedef struct {
    int64_t lose_e8;        /* ratio of the answers that never leave */
    int64_t late_e8;        /* ratio that leaves late_ms later */
    int64_t duplicate_e8;   /* ratio that leaves twice, the second time late_ms later */
    int64_t late_ms;
    int64_t seed;           /* draws which ones */
} zvt_venue_faults_t;

typedef struct {
    char name[ZVT_VENUE_SIZE];
    int64_t maker_fee_e8;   /* ratio of the notional */
    int64_t taker_fee_e8;
    int64_t latency_ms;     /* added by the paper venue before it answers */
    int64_t orders_per_second;  /* the venue's limit, kept by the executor; 0: none */
    int64_t cancels_per_second; /* the same for cancels */
    bool enforce_limits;    /* the paper venue refuses what exceeds them */
    int64_t depth_e8;       /* multiplies the synthetic book's sizes */
    int64_t spread_e8;      /* multiplies the synthetic book's width */
    bool replay;            /* takes part in a recorded market */
    zvt_venue_faults_t faults;
    uint32_t balances_count;
    zvt_balance_config_t balances[ZVT_BALANCES_MAX];
} zvt_venue_config_t;

typedef struct {
    char key[ZVT_NAME_SIZE];
    char value[ZVT_REQUEST_SIZE];
} zvt_setting_t;

typedef struct {
    char name[ZVT_NAME_SIZE];     /* of the strategy process; also its strategy_id */
    char strategy[ZVT_NAME_SIZE]; /* built-in strategy to run */
    char symbol[ZVT_SYMBOL_SIZE];
    char venue[ZVT_VENUE_SIZE];   /* "" for any */
    uint32_t settings_count;
    zvt_setting_t settings[ZVT_SETTINGS_MAX]; /* the strategy's own keys, checked by the strategy */
} zvt_strategy_config_t;

typedef struct {
    char name[ZVT_NAME_SIZE];
    int64_t shard;

    int64_t seed;    /* synthetic market */
    int64_t step_ms; /* synthetic market */

    int64_t max_notional_e8;       /* risk: one order, quote asset */
    int64_t price_collar_e8;       /* risk: ratio */
    int64_t max_orders_per_second; /* risk: per strategy */
    bool allow_short;              /* risk */

    int64_t max_signals_per_second; /* orchestrator: per strategy; more are refused unseen and unrecorded */
    bool standby;        /* a second orchestrator waits to take over */
    int64_t takeover_ms; /* silence of the one that works before it counts as stopped */

    int64_t weight_latency_e8; /* executor: ratio of the price per millisecond */
    int64_t weight_failure_e8; /* executor: ratio of the price at failure rate 1 */

    uint32_t instruments_count;
    zvt_instrument_t instruments[ZVT_INSTRUMENTS_MAX];
    uint16_t instruments_by_symbol[4 * ZVT_INSTRUMENTS_MAX]; /* index + 1 at the symbol's hash or behind it; 0: nobody */
    uint32_t venues_count;
    zvt_venue_config_t venues[ZVT_VENUES_MAX];
    uint32_t strategies_count;
    zvt_strategy_config_t strategies[ZVT_STRATEGIES_MAX];
} zvt_fleet_t;

/* Loads and checks a fleet file. The result is large: allocate it once. */
ZVT_MUSTUSE int zvt_fleet_load(const char *path, zvt_fleet_t *fleet, char problem[ZVT_PROBLEM_SIZE]);

/* The same text without a file, for tests; `path` only names it in problems. */
ZVT_MUSTUSE int zvt_fleet_parse(const char *text, const char *path, zvt_fleet_t *fleet, char problem[ZVT_PROBLEM_SIZE]);

/* Index of a symbol or venue, or -1. Symbols, of which there may be hundreds, are hashed; venues are few. */
int zvt_fleet_instrument(const zvt_fleet_t *fleet, const char *symbol);
int zvt_fleet_venue(const zvt_fleet_t *fleet, const char *venue);

#endif
