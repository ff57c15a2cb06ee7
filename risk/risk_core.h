/* risk_core -- passes or refuses each order before it is committed.
 *
 * Pure: no socket, no clock, no allocation after risk_core_new.
 * Durable state is the fold of the log: orders that have not ended, positions, the halt latch. Ephemeral: quotes, the
 * order rate, provisional reservations of passed orders whose order.validated has not arrived yet.
 *
 * Units    *_e8: fixed point 1e-8; now_ns: monotonic.
 * Bounds   those of exposure.h and rate_window.h; an order beyond them is refused with OVERLOADED.
 * Owns     everything inside; borrows the fleet until destroy.
 * Errors   risk_core_on_event: the state cannot follow the log any further. Everything from outside is answered with a
 *          verdict instead. */
#ifndef RISK_CORE_H
#define RISK_CORE_H

#include "exposure.h"
#include "zvt_codec.h"
#include "zvt_config.h"

typedef struct {
    int64_t quote_max_age_ns; /* an older quote is no reference price */
    uint64_t incarnation;     /* of this run, for the verdicts */
} risk_options_t;

typedef struct risk_core risk_core_t;

risk_core_t *risk_core_new(const zvt_fleet_t *fleet, const risk_options_t *options);
void risk_core_destroy(risk_core_t **self);

/* Judges one order. A passed order is reserved until its end is in the log, it is released, or a new epoch begins; the
 * same question again gets the same answer and reserves nothing more. */
void risk_core_on_check(risk_core_t *self, const zvt_risk_check_t *check, int64_t now_ns, zvt_risk_verdict_t *verdict);
/* A verdict without judging, for a check that cannot be worked on. */
void risk_core_refuse(const risk_core_t *self, const zvt_risk_check_t *check, uint8_t code, const char *message,
                      zvt_risk_verdict_t *verdict);
/* An order that passed will not be committed as validated. */
void risk_core_on_release(risk_core_t *self, const zvt_risk_release_t *release);
/* ZVT_ERR_NOT_FOUND, ZVT_ERR_INVALID: the quote is not used. */
ZVT_MUSTUSE int risk_core_on_quote(risk_core_t *self, const zvt_price_updated_t *quote, int64_t now_ns);
/* Whether the state depends on events of this type; the others need not be folded. */
bool risk_core_folds(unsigned type);
/* Folds the next event of the log. */
ZVT_MUSTUSE int risk_core_on_event(risk_core_t *self, const zvt_event_t *event);

bool risk_core_halted(const risk_core_t *self);
/* Highest writer epoch seen. */
uint64_t risk_core_epoch(const risk_core_t *self);
const exposure_t *risk_core_exposure(const risk_core_t *self);
/* Canonical text of the durable state; returns the number of positions and orders. */
uint32_t risk_core_dump(const risk_core_t *self, FILE *out);

/* Gives the durable state record by record, for risk_core_load of a fresh core: see exposure_save, and system.started for
 * the epoch, risk.halted for the latch. */
void risk_core_save(const risk_core_t *self, exposure_save_fn *save, void *arg);
/* ZVT_ERR_TYPE for a record that risk_core_save never gives. */
ZVT_MUSTUSE int risk_core_load(risk_core_t *self, const zvt_record_t *record);

#endif
