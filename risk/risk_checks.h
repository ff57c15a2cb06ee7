/* risk_checks -- the rules that one order is judged by.
 *
 * Pure: everything a rule may look at is in risk_facts_t. Every rule runs, so that whoever sent the order learns of all
 * that is wrong with it, not only of the first thing.
 *
 * Units    *_e8: fixed point 1e-8; quantities in the base asset, prices and notionals in the quote asset.
 * Bounds   the first ZVT_LIST_MAX_violation violations are reported.
 * Errors   none: a number that does not fit is a violation, NUMBER_OVERFLOW.
 * Source   the rules follow SEC rule 15c3-5 (pre-trade controls) and the FIX 4.4 OrdRejReason list. */
#ifndef RISK_CHECKS_H
#define RISK_CHECKS_H

#include "zvt_config.h"

/* What an order is judged by. */
typedef struct {
    const zvt_risk_check_t *check;
    const zvt_fleet_t *fleet;           /* limits of all instruments */
    const zvt_instrument_t *instrument; /* limits of this one; NULL: not in the fleet file */
    bool venue_known;                   /* the order names no venue, or one of the fleet's */
    bool halted;
    int64_t mid_e8;          /* reference price; 0: no quote that is fresh enough */
    int64_t quote_age_ns;    /* of the last quote; -1: there never was one */
    int64_t position_e8;     /* committed, signed */
    int64_t pending_e8;      /* other pending orders of the strategy on this side, signed */
    bool pending_overflow;   /* they do not fit into pending_e8 */
    uint32_t orders_in_second; /* passed for this strategy, without this one */
} risk_facts_t;

/* Fills code, message, risk_score, validation_result and risk_violations of the verdict. */
void risk_checks_run(const risk_facts_t *facts, zvt_risk_verdict_t *verdict);

/* Number of rules in the table. */
uint32_t risk_checks_count(void);

#endif
