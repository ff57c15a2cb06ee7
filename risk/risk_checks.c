#include "risk_checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "zvt_fixed.h"
#include "zvt_time.h"

/* One order on its way through the rules. */
typedef struct {
    const risk_facts_t *facts;
    const zvt_order_request_t *order;
    int64_t score_e8; /* use of the tightest limit so far, may exceed 1 */
    char context[ZVT_MESSAGE_SIZE]; /* key=value pairs, written by a rule that does not pass */
} judgement_t;

/* OVERFLOW: a number of the rule does not fit, so that the rule cannot vouch for the order. */
typedef enum { RULE_PASSED, RULE_VIOLATED, RULE_OVERFLOW } rule_outcome_t;

typedef rule_outcome_t(rule_fn)(judgement_t *self);

typedef struct {
    uint8_t code; /* ZVT_CODE_* of a violation */
    rule_fn *fn;
} rule_t;

/* ---- helpers ---- */

/* Decimal text for a context; lives until the end of the enclosing block. */
typedef struct {
    char text[ZVT_FIXED_TEXT];
} decimal_t;

static const char *s_decimal_into(decimal_t *decimal, int64_t value_e8)
{
    zvt_fixed_format(value_e8, decimal->text);
    return decimal->text;
}
#define DECIMAL(value_e8) s_decimal_into(&(decimal_t){{0}}, (value_e8))

#define CONTEXT(self, ...) ((void)snprintf((self)->context, sizeof(self)->context, __VA_ARGS__))
#define VIOLATED(self, ...) (CONTEXT(self, __VA_ARGS__), RULE_VIOLATED)

static bool s_is_buy(const judgement_t *self)
{
    return self->order->side == ZVT_SIDE_BUY;
}

static bool s_is_limit(const judgement_t *self)
{
    return self->order->order_type == ZVT_ORDER_TYPE_LIMIT;
}

/* Notes how much of a limit is used. What cannot be expressed is far above every limit. */
static void s_use(judgement_t *self, int64_t used, int64_t limit)
{
    int64_t ratio_e8;
    if (used <= 0 || limit <= 0) return;
    if (zvt_fixed_muldiv(used, ZVT_E8, limit, &ratio_e8) != 0) ratio_e8 = INT64_MAX;
    if (ratio_e8 > self->score_e8) self->score_e8 = ratio_e8;
}

/* Price that the order's own value is measured by: its limit, or the market for a market order. 0 when unknown. */
static int64_t s_own_price(const judgement_t *self)
{
    return s_is_limit(self) ? self->order->limit_price_e8 : self->facts->mid_e8;
}

/* ---- rules; each passes what it cannot judge because an earlier rule has refused it ---- */
static rule_outcome_t s_rule_halt(judgement_t *self)
{
    if (!self->facts->halted) return RULE_PASSED;
    return VIOLATED(self, "halted=yes");
}

/* Position ids are made of the names with '|' between them, so a name with '|' could pose as another's. */
static rule_outcome_t s_rule_names(judgement_t *self)
{
    const zvt_risk_check_t *check = self->facts->check;
    if (strchr(check->strategy_id, '|') == NULL && strchr(check->portfolio_id, '|') == NULL) return RULE_PASSED;
    return VIOLATED(self, "strategy_id=%s portfolio_id=%s not_allowed=|", check->strategy_id, check->portfolio_id);
}

static rule_outcome_t s_rule_symbol(judgement_t *self)
{
    if (self->facts->instrument != NULL) return RULE_PASSED;
    return VIOLATED(self, "symbol=%s", self->order->symbol);
}

static rule_outcome_t s_rule_venue(judgement_t *self)
{
    if (self->facts->venue_known) return RULE_PASSED;
    return VIOLATED(self, "venue=%s", self->order->venue);
}

static rule_outcome_t s_rule_shape(judgement_t *self)
{
    const zvt_order_request_t *order = self->order;
    if (order->side != 0 && order->order_type != 0) return RULE_PASSED;
    return VIOLATED(self, "side=%s order_type=%s", zvt_enum_text(ZVT_ENUM_OF_SIDE, order->side),
                    zvt_enum_text(ZVT_ENUM_OF_ORDER_TYPE, order->order_type));
}

static rule_outcome_t s_rule_quantity(judgement_t *self)
{
    if (self->order->quantity_e8 > 0) return RULE_PASSED;
    return VIOLATED(self, "quantity=%s", DECIMAL(self->order->quantity_e8));
}

static rule_outcome_t s_rule_lot(judgement_t *self)
{
    const zvt_instrument_t *instrument = self->facts->instrument;
    if (instrument == NULL || self->order->quantity_e8 % instrument->lot_e8 == 0) return RULE_PASSED;
    return VIOLATED(self, "quantity=%s lot=%s", DECIMAL(self->order->quantity_e8), DECIMAL(instrument->lot_e8));
}

static rule_outcome_t s_rule_max_quantity(judgement_t *self)
{
    const zvt_instrument_t *instrument = self->facts->instrument;
    if (instrument == NULL) return RULE_PASSED;
    s_use(self, self->order->quantity_e8, instrument->max_quantity_e8);
    if (self->order->quantity_e8 <= instrument->max_quantity_e8) return RULE_PASSED;
    return VIOLATED(self, "quantity=%s max_quantity=%s", DECIMAL(self->order->quantity_e8),
                    DECIMAL(instrument->max_quantity_e8));
}

static rule_outcome_t s_rule_price(judgement_t *self)
{
    int64_t limit_price_e8 = self->order->limit_price_e8;
    if (s_is_limit(self) ? limit_price_e8 > 0 : limit_price_e8 == 0) return RULE_PASSED;
    return VIOLATED(self, "order_type=%s limit_price=%s", zvt_enum_text(ZVT_ENUM_OF_ORDER_TYPE, self->order->order_type),
                    DECIMAL(limit_price_e8));
}

static rule_outcome_t s_rule_tick(judgement_t *self)
{
    const zvt_instrument_t *instrument = self->facts->instrument;
    if (instrument == NULL || !s_is_limit(self)) return RULE_PASSED;
    if (self->order->limit_price_e8 % instrument->tick_e8 == 0) return RULE_PASSED;
    return VIOLATED(self, "limit_price=%s tick=%s", DECIMAL(self->order->limit_price_e8), DECIMAL(instrument->tick_e8));
}

static rule_outcome_t s_rule_reference(judgement_t *self)
{
    const risk_facts_t *facts = self->facts;
    if (facts->mid_e8 > 0 || facts->instrument == NULL || !facts->venue_known) return RULE_PASSED;
    const char *venue = self->order->venue[0] != '\0' ? self->order->venue : "any";
    if (facts->quote_age_ns < 0) return VIOLATED(self, "symbol=%s venue=%s quote=none", self->order->symbol, venue);
    return VIOLATED(self, "symbol=%s venue=%s quote_age_ms=%" PRId64, self->order->symbol, venue,
                    facts->quote_age_ns / ZVT_MS_NS);
}

/* Only the dangerous direction is collared: a buy far below the market simply rests. */
static rule_outcome_t s_rule_collar(judgement_t *self)
{
    int64_t mid_e8 = self->facts->mid_e8, limit_price_e8 = self->order->limit_price_e8, allowed_e8 = 0, beyond_e8 = 0;
    if (mid_e8 <= 0 || !s_is_limit(self)) return RULE_PASSED;
    int status = s_is_buy(self) ? zvt_fixed_sub(limit_price_e8, mid_e8, &beyond_e8)
                                : zvt_fixed_sub(mid_e8, limit_price_e8, &beyond_e8);
    if (status == 0) status = zvt_fixed_mul(mid_e8, self->facts->fleet->price_collar_e8, &allowed_e8);
    s_use(self, beyond_e8, allowed_e8);
    if (status == 0 && beyond_e8 <= allowed_e8) return RULE_PASSED;
    CONTEXT(self, "limit_price=%s reference_price=%s price_collar=%s", DECIMAL(limit_price_e8), DECIMAL(mid_e8),
            DECIMAL(self->facts->fleet->price_collar_e8));
    return status != 0 ? RULE_OVERFLOW : RULE_VIOLATED;
}

static rule_outcome_t s_rule_min_notional(judgement_t *self)
{
    const zvt_instrument_t *instrument = self->facts->instrument;
    int64_t price_e8 = s_own_price(self), notional_e8;
    if (instrument == NULL || price_e8 <= 0 || self->order->quantity_e8 <= 0) return RULE_PASSED;
    if (zvt_fixed_mul(self->order->quantity_e8, price_e8, &notional_e8) != 0) return RULE_PASSED; /* not too small */
    if (notional_e8 >= instrument->min_notional_e8) return RULE_PASSED;
    return VIOLATED(self, "notional=%s min_notional=%s price=%s", DECIMAL(notional_e8), DECIMAL(instrument->min_notional_e8),
                    DECIMAL(price_e8));
}

static rule_outcome_t s_rule_max_notional(judgement_t *self)
{
    int64_t price_e8 = s_own_price(self), max_e8 = self->facts->fleet->max_notional_e8, notional_e8 = 0;
    if (price_e8 <= 0 || self->order->quantity_e8 <= 0) return RULE_PASSED;
    int status = zvt_fixed_mul(self->order->quantity_e8, price_e8, &notional_e8);
    s_use(self, notional_e8, max_e8);
    if (status == 0 && notional_e8 <= max_e8) return RULE_PASSED;
    CONTEXT(self, "quantity=%s price=%s max_notional=%s", DECIMAL(self->order->quantity_e8), DECIMAL(price_e8),
            DECIMAL(max_e8));
    return status != 0 ? RULE_OVERFLOW : RULE_VIOLATED;
}

/* The position if this order and every pending one on its side fill, and nothing on the other side does. */
static int s_projected(const judgement_t *self, int64_t *projected_e8)
{
    const risk_facts_t *facts = self->facts;
    if (facts->pending_overflow) return ZVT_ERR_OVERFLOW;
    int status = zvt_fixed_add(facts->position_e8, facts->pending_e8, projected_e8);
    if (status != 0) return status;
    return s_is_buy(self) ? zvt_fixed_add(*projected_e8, self->order->quantity_e8, projected_e8)
                          : zvt_fixed_sub(*projected_e8, self->order->quantity_e8, projected_e8);
}

static bool s_has_projection(const judgement_t *self)
{
    return self->facts->instrument != NULL && self->order->side != 0 && self->order->quantity_e8 > 0;
}

static void s_position_context(judgement_t *self, const char *limit, const char *value)
{
    CONTEXT(self, "position=%s pending=%s quantity=%s %s=%s", DECIMAL(self->facts->position_e8),
            DECIMAL(self->facts->pending_e8), DECIMAL(self->order->quantity_e8), limit, value);
}

/* Each side is limited in its own direction only, so that a position above the limit can be taken down. */
static rule_outcome_t s_rule_max_position(judgement_t *self)
{
    int64_t outward_e8 = 0;
    if (!s_has_projection(self)) return RULE_PASSED;
    int64_t max_e8 = self->facts->instrument->max_position_e8;
    int status = s_projected(self, &outward_e8);
    if (status == 0 && !s_is_buy(self)) status = zvt_fixed_sub(0, outward_e8, &outward_e8);
    s_use(self, outward_e8, max_e8);
    if (status == 0 && outward_e8 <= max_e8) return RULE_PASSED;
    s_position_context(self, "max_position", DECIMAL(max_e8));
    return status != 0 ? RULE_OVERFLOW : RULE_VIOLATED;
}

static rule_outcome_t s_rule_short(judgement_t *self)
{
    int64_t projected_e8 = 0;
    if (self->facts->fleet->allow_short || s_is_buy(self) || !s_has_projection(self)) return RULE_PASSED;
    int status = s_projected(self, &projected_e8);
    if (status == 0 && projected_e8 >= 0) return RULE_PASSED;
    s_position_context(self, "allow_short", "no");
    return status != 0 ? RULE_OVERFLOW : RULE_VIOLATED;
}

static rule_outcome_t s_rule_rate(judgement_t *self)
{
    int64_t orders = (int64_t)self->facts->orders_in_second + 1, max = self->facts->fleet->max_orders_per_second;
    s_use(self, orders, max);
    if (orders <= max) return RULE_PASSED;
    return VIOLATED(self, "strategy_id=%s orders_in_second=%" PRId64 " max_orders_per_second=%" PRId64,
                    self->facts->check->strategy_id, orders, max);
}

/* In this order violations are reported; the first one is the verdict's code. */
static const rule_t s_rules[] = {
    {.code = ZVT_CODE_HALTED, .fn = s_rule_halt},
    {.code = ZVT_CODE_MALFORMED, .fn = s_rule_names},
    {.code = ZVT_CODE_UNKNOWN_SYMBOL, .fn = s_rule_symbol},
    {.code = ZVT_CODE_UNKNOWN_VENUE, .fn = s_rule_venue},
    {.code = ZVT_CODE_BAD_ORDER, .fn = s_rule_shape},
    {.code = ZVT_CODE_BAD_QUANTITY, .fn = s_rule_quantity},
    {.code = ZVT_CODE_QUANTITY_OFF_LOT, .fn = s_rule_lot},
    {.code = ZVT_CODE_MAX_QUANTITY, .fn = s_rule_max_quantity},
    {.code = ZVT_CODE_BAD_PRICE, .fn = s_rule_price},
    {.code = ZVT_CODE_PRICE_OFF_TICK, .fn = s_rule_tick},
    {.code = ZVT_CODE_NO_REFERENCE_PRICE, .fn = s_rule_reference},
    {.code = ZVT_CODE_PRICE_COLLAR, .fn = s_rule_collar},
    {.code = ZVT_CODE_MIN_NOTIONAL, .fn = s_rule_min_notional},
    {.code = ZVT_CODE_MAX_NOTIONAL, .fn = s_rule_max_notional},
    {.code = ZVT_CODE_MAX_POSITION, .fn = s_rule_max_position},
    {.code = ZVT_CODE_SHORT_POSITION, .fn = s_rule_short},
    {.code = ZVT_CODE_ORDER_RATE, .fn = s_rule_rate},
};
enum { RULES = sizeof s_rules / sizeof s_rules[0] };

uint32_t risk_checks_count(void)
{
    return RULES;
}

static void s_add_violation(zvt_risk_verdict_t *verdict, uint8_t code, const char *context)
{
    if (verdict->code == ZVT_CODE_OK) {
        verdict->code = code;
        ZVT_STR_SET(verdict->message, context);
    }
    if (verdict->risk_violations_count == ZVT_LIST_MAX_violation) return;
    zvt_violation_t *violation = &verdict->risk_violations[verdict->risk_violations_count++];
    violation->code = code;
    ZVT_STR_SET(violation->context, context);
}

/* A notional that does not fit stays 0 here; MAX_NOTIONAL has refused the order. */
static void s_note_facts(const judgement_t *self, zvt_validation_result_t *result)
{
    result->reference_price_e8 = self->facts->mid_e8;
    result->position_e8 = self->facts->position_e8;
    result->pending_e8 = self->facts->pending_e8;
    if (zvt_fixed_mul(self->order->quantity_e8, self->facts->mid_e8, &result->notional_value_e8) != 0)
        result->notional_value_e8 = 0;
}

void risk_checks_run(const risk_facts_t *facts, zvt_risk_verdict_t *verdict)
{
    judgement_t judgement = {.facts = facts, .order = &facts->check->order_request};
    verdict->code = ZVT_CODE_OK;
    for (size_t i = 0; i < RULES; i++) {
        rule_outcome_t outcome = s_rules[i].fn(&judgement);
        uint8_t code = outcome == RULE_OVERFLOW ? ZVT_CODE_NUMBER_OVERFLOW : s_rules[i].code;
        if (outcome == RULE_PASSED)
            verdict->validation_result.checks++;
        else
            s_add_violation(verdict, code, judgement.context);
    }
    verdict->risk_score_e8 = judgement.score_e8 < ZVT_E8 ? judgement.score_e8 : ZVT_E8;
    s_note_facts(&judgement, &verdict->validation_result);
}
