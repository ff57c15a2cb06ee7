#include "risk_core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rate_window.h"
#include "risk_checks.h"
#include "zvt_mids.h"
#include "zvt_planted.h"

struct risk_core {
    const zvt_fleet_t *fleet;
    risk_options_t options;
    uint64_t epoch;  /* highest seen */
    bool halted;     /* durable */
    exposure_t *exposure;
    rate_window_t *rates;
    zvt_mids_t *mids;
    zvt_record_t record; /* payload of the event that is folded */
};

risk_core_t *risk_core_new(const zvt_fleet_t *fleet, const risk_options_t *options)
{
    risk_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->fleet = fleet;
    self->options = *options;
    self->exposure = exposure_new();
    self->rates = rate_window_new();
    self->mids = zvt_mids_new(fleet);
    return self;
}

void risk_core_destroy(risk_core_t **self)
{
    if (*self == NULL) return;
    exposure_destroy(&(*self)->exposure);
    rate_window_destroy(&(*self)->rates);
    zvt_mids_destroy(&(*self)->mids);
    free(*self);
    *self = NULL;
}

bool risk_core_halted(const risk_core_t *self)
{
    return self->halted;
}

uint64_t risk_core_epoch(const risk_core_t *self)
{
    return self->epoch;
}

const exposure_t *risk_core_exposure(const risk_core_t *self)
{
    return self->exposure;
}

/* A new writer commits nothing of what the one before had in flight. */
static void s_see_epoch(risk_core_t *self, uint64_t epoch)
{
    if (epoch <= self->epoch) return;
    self->epoch = epoch;
    (void)exposure_release_before(self->exposure, epoch);
}

/* ---- checks ---- */
static exposure_terms_t s_terms(const char *portfolio_id, const char *strategy_id, const zvt_order_request_t *order)
{
    exposure_terms_t terms;
    memset(&terms, 0, sizeof terms); /* padding too: terms are compared and hashed as bytes */
    memcpy(terms.key.portfolio_id, portfolio_id, sizeof terms.key.portfolio_id);
    memcpy(terms.key.strategy_id, strategy_id, sizeof terms.key.strategy_id);
    memcpy(terms.key.symbol, order->symbol, sizeof terms.key.symbol);
    terms.side = order->side;
    terms.quantity_e8 = order->quantity_e8;
    return terms;
}

static void s_begin(const risk_core_t *self, const zvt_risk_check_t *check, zvt_risk_verdict_t *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    verdict->order_id = check->order_id;
    verdict->incarnation = self->options.incarnation;
    verdict->epoch = check->epoch;
}

void risk_core_refuse(const risk_core_t *self, const zvt_risk_check_t *check, uint8_t code, const char *message,
                      zvt_risk_verdict_t *verdict)
{
    s_begin(self, check, verdict);
    verdict->code = code;
    ZVT_STR_SET(verdict->message, message);
}

static bool s_refuse_fenced(const risk_core_t *self, const zvt_risk_check_t *check, zvt_risk_verdict_t *verdict)
{
    if (check->epoch >= self->epoch) return false;
    char message[ZVT_MESSAGE_SIZE];
    snprintf(message, sizeof message, "epoch=%" PRIu64 " newest_epoch=%" PRIu64, check->epoch, self->epoch);
    risk_core_refuse(self, check, ZVT_CODE_FENCED, message, verdict);
    return true;
}

/* Answers from memory when the order holds a reservation already; false if it has to be judged. */
static bool s_answer_again(const risk_core_t *self, const zvt_risk_check_t *check, const exposure_terms_t *terms,
                           zvt_risk_verdict_t *verdict)
{
    if (exposure_has_ended(self->exposure, &check->order_id)) {
        risk_core_refuse(self, check, ZVT_CODE_ORDER_ENDED, "the log has ended this order", verdict);
        return true;
    }
    const exposure_order_t *order = exposure_order(self->exposure, &check->order_id);
    if (order == NULL) return false;
    if (memcmp(&order->terms, terms, sizeof *terms) != 0) {
        risk_core_refuse(self, check, ZVT_CODE_DUPLICATE, "this order_id is known with other terms; use a new one", verdict);
        return true;
    }
    if (!order->validated && !order->provisional) return false;
    s_begin(self, check, verdict);
    verdict->code = ZVT_CODE_OK;
    verdict->validation_result = order->verdict.result;
    verdict->risk_score_e8 = order->verdict.risk_score_e8;
    return true;
}

/* What is pending on the order's side, signed; the order itself holds no reservation yet. */
static void s_note_exposure(const risk_core_t *self, const exposure_terms_t *terms, risk_facts_t *facts)
{
    exposure_sum_t sum = exposure_of(self->exposure, &terms->key);
    __int128 pending_e8 = terms->side == ZVT_SIDE_BUY ? sum.pending_buy_e8 : -sum.pending_sell_e8;
    facts->position_e8 = sum.position_e8;
    facts->pending_overflow = pending_e8 > INT64_MAX || pending_e8 < INT64_MIN;
    facts->pending_e8 = facts->pending_overflow || ZVT_PLANTED(FORGET_PENDING_EXPOSURE) ? 0 : (int64_t)pending_e8;
}

/* An order that is bound to a venue is judged by that venue's market, any other by the freshest quote. */
static void s_note_market(const risk_core_t *self, const zvt_order_request_t *order, int64_t now_ns, risk_facts_t *facts)
{
    int instrument = zvt_mids_instrument(self->mids, order->symbol);
    int venue = order->venue[0] == '\0' ? ZVT_MIDS_ANY_VENUE : zvt_fleet_venue(self->fleet, order->venue);
    facts->venue_known = order->venue[0] == '\0' || venue >= 0;
    facts->quote_age_ns = -1;
    if (instrument < 0) return;
    facts->instrument = &self->fleet->instruments[instrument];
    if (!facts->venue_known) return;
    zvt_mid_t mid = zvt_mids_freshest(self->mids, instrument, venue);
    if (mid.mid_e8 == 0) return;
    facts->quote_age_ns = now_ns - mid.at_ns;
    if (facts->quote_age_ns <= self->options.quote_max_age_ns) facts->mid_e8 = mid.mid_e8;
}

static void s_judge(risk_core_t *self, const zvt_risk_check_t *check, const exposure_terms_t *terms, int64_t now_ns,
                    zvt_risk_verdict_t *verdict)
{
    risk_facts_t facts = {.check = check, .fleet = self->fleet, .halted = self->halted};
    facts.orders_in_second = rate_window_count(self->rates, check->strategy_id, now_ns);
    s_note_exposure(self, terms, &facts);
    s_note_market(self, &check->order_request, now_ns, &facts);
    s_begin(self, check, verdict);
    risk_checks_run(&facts, verdict);
}

/* Why a passed order cannot be made to count now; NULL if it can. */
static const char *s_no_room(const risk_core_t *self, const exposure_terms_t *terms)
{
    if (!exposure_has_room_for_order(self->exposure)) return "too many open orders; try again when some have ended";
    if (!exposure_has_room_for_key(self->exposure, &terms->key)) return "too many open positions; try again when some are closed";
    return NULL;
}

/* Makes a passed order count. Room for it was seen before, so that only the rate window can be full. */
static int s_reserve(risk_core_t *self, const zvt_risk_check_t *check, const exposure_terms_t *terms, int64_t now_ns,
                     const zvt_risk_verdict_t *verdict)
{
    exposure_verdict_t kept = {.result = verdict->validation_result, .risk_score_e8 = verdict->risk_score_e8};
    int status = rate_window_add(self->rates, check->strategy_id, now_ns);
    return status != 0 ? status : exposure_reserve(self->exposure, &check->order_id, terms, check->epoch, &kept);
}

void risk_core_on_check(risk_core_t *self, const zvt_risk_check_t *check, int64_t now_ns, zvt_risk_verdict_t *verdict)
{
    if (s_refuse_fenced(self, check, verdict)) return;
    s_see_epoch(self, check->epoch);
    exposure_terms_t terms = s_terms(check->portfolio_id, check->strategy_id, &check->order_request);
    if (s_answer_again(self, check, &terms, verdict)) return;
    s_judge(self, check, &terms, now_ns, verdict);
    if (verdict->code != ZVT_CODE_OK) return;
    const char *problem = s_no_room(self, &terms);
    if (problem == NULL && s_reserve(self, check, &terms, now_ns, verdict) != 0)
        problem = "too many strategies have ordered within a second; try again in another";
    if (problem != NULL) risk_core_refuse(self, check, ZVT_CODE_OVERLOADED, problem, verdict);
}

void risk_core_on_release(risk_core_t *self, const zvt_risk_release_t *release)
{
    (void)exposure_release(self->exposure, &release->order_id, release->epoch);
}

int risk_core_on_quote(risk_core_t *self, const zvt_price_updated_t *quote, int64_t now_ns)
{
    return zvt_mids_on_quote(self->mids, quote, now_ns);
}

/* ---- the fold ---- */
typedef int(fold_fn)(risk_core_t *self, const zvt_record_t *record);

static int s_fold_requested(risk_core_t *self, const zvt_record_t *record)
{
    const zvt_order_requested_t *requested = &record->order_requested;
    exposure_terms_t terms = s_terms(requested->portfolio_id, requested->strategy_id, &requested->order_request);
    return exposure_on_requested(self->exposure, &requested->order_id, &terms);
}

static int s_fold_validated(risk_core_t *self, const zvt_record_t *record)
{
    const zvt_order_validated_t *validated = &record->order_validated;
    exposure_verdict_t verdict = {.result = validated->validation_result, .risk_score_e8 = validated->risk_score_e8};
    return exposure_on_validated(self->exposure, &validated->order_id, &verdict);
}

static int s_fold_position(risk_core_t *self, const zvt_record_t *record)
{
    return exposure_on_position(self->exposure, &record->position_updated);
}

/* By hand. One that only adjusts a venue account names no strategy and is no position of ours. */
static int s_fold_adjusted(risk_core_t *self, const zvt_record_t *record)
{
    const zvt_position_adjusted_t *adjusted = &record->position_adjusted;
    if (adjusted->strategy_id[0] == '\0') return 0;
    zvt_position_updated_t position = {.new_quantity_e8 = adjusted->new_quantity_e8};
    ZVT_STR_SET(position.portfolio_id, adjusted->portfolio_id);
    ZVT_STR_SET(position.strategy_id, adjusted->strategy_id);
    ZVT_STR_SET(position.symbol, adjusted->symbol);
    return exposure_on_position(self->exposure, &position);
}

/* Every event that ends an order begins with its order_id. */
static int s_fold_ended(risk_core_t *self, const zvt_record_t *record)
{
    exposure_on_ended(self->exposure, &record->order_completed.order_id);
    return 0;
}
_Static_assert(offsetof(zvt_order_completed_t, order_id) == 0 && offsetof(zvt_order_rejected_t, order_id) == 0 &&
                   offsetof(zvt_order_canceled_t, order_id) == 0 && offsetof(zvt_order_expired_t, order_id) == 0 &&
                   offsetof(zvt_order_failed_t, order_id) == 0,
               "s_fold_ended reads the order_id of all of them");

static int s_fold_halted(risk_core_t *self, const zvt_record_t *record)
{
    if (record->risk_halted.exchange[0] != '\0') return 0; /* only the account at a venue: routing looks after that */
    self->halted = record->type == ZVT_T_RISK_HALTED;
    return 0;
}

/* An event without a row does not concern risk. order.executed has none: its position.updated says it all. */
static fold_fn *const s_folds[ZVT_T_LIMIT] = {
    [ZVT_T_ORDER_REQUESTED] = s_fold_requested,
    [ZVT_T_ORDER_VALIDATED] = s_fold_validated,
    [ZVT_T_POSITION_UPDATED] = s_fold_position,
    [ZVT_T_POSITION_ADJUSTED] = s_fold_adjusted,
    [ZVT_T_ORDER_COMPLETED] = s_fold_ended,
    [ZVT_T_ORDER_REJECTED] = s_fold_ended,
    [ZVT_T_ORDER_CANCELED] = s_fold_ended,
    [ZVT_T_ORDER_EXPIRED] = s_fold_ended,
    [ZVT_T_ORDER_FAILED] = s_fold_ended,
    [ZVT_T_RISK_HALTED] = s_fold_halted,
    [ZVT_T_RISK_RESUMED] = s_fold_halted,
};

bool risk_core_folds(unsigned type)
{
    bool epoch = type == ZVT_T_SYSTEM_STARTED || type == ZVT_T_SYSTEM_RECOVERED; /* a new writer begins with them */
    return epoch || (type < ZVT_T_LIMIT && s_folds[type] != NULL);
}

int risk_core_on_event(risk_core_t *self, const zvt_event_t *event)
{
    s_see_epoch(self, event->metadata.epoch);
    fold_fn *fold = event->type < ZVT_T_LIMIT ? s_folds[event->type] : NULL;
    if (fold == NULL) return 0;
    int status = zvt_read_payload(event, &self->record);
    return status != 0 ? status : fold(self, &self->record);
}

void risk_core_save(const risk_core_t *self, exposure_save_fn *save, void *arg)
{
    static const zvt_risk_halted_t halted;
    zvt_system_started_t started = {.epoch = self->epoch};
    save(arg, ZVT_T_SYSTEM_STARTED, &started);
    if (self->halted) save(arg, ZVT_T_RISK_HALTED, &halted);
    exposure_save(self->exposure, save, arg);
}

int risk_core_load(risk_core_t *self, const zvt_record_t *record)
{
    fold_fn *fold = s_folds[record->type];
    if (fold != NULL) return fold(self, record);
    if (record->type != ZVT_T_SYSTEM_STARTED) return ZVT_ERR_TYPE;
    s_see_epoch(self, record->system_started.epoch);
    return 0;
}

uint32_t risk_core_dump(const risk_core_t *self, FILE *out)
{
    fprintf(out, "halted %s\n", self->halted ? "yes" : "no");
    return exposure_dump(self->exposure, out);
}
