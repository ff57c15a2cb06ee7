/* faults_core -- which answers of the paper venue go astray on purpose.
 *
 * Real venues lose, delay and repeat what they say. With shares above 0 in the fleet file (venues/NAME/faults) this one
 * does so too, for every record that leaves it on its order socket: reports, answers to cancels and questions, and what
 * is fetched again. The ledger and the books never see it.
 *
 * Pure: one draw an answer, from a seed; the same seed and start give the same draws.
 * Units    shares: fixed point 1e-8, their sum at most 1; late_ms: milliseconds.
 * Owns     nothing. */
#ifndef VENUE_FAULTS_CORE_H
#define VENUE_FAULTS_CORE_H

#include "zvt_config.h"

typedef enum {
    FAULT_NONE,      /* it leaves as it should */
    FAULT_LOSE,      /* it never leaves */
    FAULT_LATE,      /* it leaves late_ms later, behind what was said after it */
    FAULT_DUPLICATE, /* it leaves, and once more late_ms later */
    FAULT_KINDS
} fault_kind_t;

typedef struct {
    zvt_venue_faults_t shares;
    uint64_t state; /* of the generator */
} faults_core_t;

/* `start` makes runs differ that share the seed, such as the number of reports the ledger holds. */
void faults_core_init(faults_core_t *self, const zvt_venue_faults_t *shares, uint64_t start);
/* Whether anything can go astray at all. */
bool faults_core_is_on(const faults_core_t *self);
/* What happens to the next answer. */
fault_kind_t faults_core_draw(faults_core_t *self);

#endif
