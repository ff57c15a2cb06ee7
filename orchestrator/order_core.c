#include "order_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_fixed.h"
#include "zvt_map.h"

/* Orders that have ended, the oldest first. */
typedef struct {
    int32_t first, last;
    uint32_t count;
} ended_queue_t;

struct order_core {
    order_t *orders;
    zvt_map_t *by_id, *by_correlation, *by_signal, *by_request;
    int32_t newest, oldest;   /* ends of the list by age */
    ended_queue_t ended; /* the oldest is none of those kept */
    ended_queue_t kept;  /* were the oldest that had ended, one after the other */
    int32_t *given_back;      /* stack of indices */
    uint32_t given_back_count;
    int32_t high_water;       /* indices ever used; beyond, the memory is untouched */
    int64_t horizon_ns;       /* latest created_ns of all that is forgotten */
};

/* ---- the transition table: what may happen in which state, and where it leads ----
 * STAY keeps the state; a cell left out is illegal. */
enum { STAY = 0xff, STATES = ZVT_ORDER_STATE_FAILED + 1 };

typedef enum {
    EV_VALIDATED, EV_REJECTED, EV_CREATED, EV_ROUTED, EV_SUBMITTED, EV_ACCEPTED, EV_EXECUTED, EV_CANCEL_REQUESTED,
    EV_CANCEL_REJECTED, EV_CANCELED, EV_EXPIRED, EV_UNKNOWN, EV_FAILED, EV_COMPLETED, EV_STEP_FAILED, EV_NOTED, EV_RESOLVED,
    EV_LETTER, EVENTS
} order_event_t;

static const uint8_t s_event_of_type[ZVT_T_LIMIT] = {
    [ZVT_T_ORDER_VALIDATED] = EV_VALIDATED + 1,
    [ZVT_T_ORDER_REJECTED] = EV_REJECTED + 1,
    [ZVT_T_ORDER_CREATED] = EV_CREATED + 1,
    [ZVT_T_EXCHANGE_ROUTED] = EV_ROUTED + 1,
    [ZVT_T_ORDER_SUBMITTED] = EV_SUBMITTED + 1,
    [ZVT_T_ORDER_ACCEPTED] = EV_ACCEPTED + 1,
    [ZVT_T_ORDER_EXECUTED] = EV_EXECUTED + 1,
    [ZVT_T_ORDER_CANCEL_REQUESTED] = EV_CANCEL_REQUESTED + 1,
    [ZVT_T_ORDER_CANCEL_REJECTED] = EV_CANCEL_REJECTED + 1,
    [ZVT_T_ORDER_CANCELED] = EV_CANCELED + 1,
    [ZVT_T_ORDER_EXPIRED] = EV_EXPIRED + 1,
    [ZVT_T_ORDER_UNKNOWN] = EV_UNKNOWN + 1,
    [ZVT_T_ORDER_FAILED] = EV_FAILED + 1,
    [ZVT_T_ORDER_COMPLETED] = EV_COMPLETED + 1,
    [ZVT_T_SAGA_STEP_FAILED] = EV_STEP_FAILED + 1,
    [ZVT_T_SAGA_COMPENSATING] = EV_NOTED + 1,
    [ZVT_T_SAGA_COMPENSATED] = EV_NOTED + 1,
    [ZVT_T_ORDER_RESOLVED] = EV_RESOLVED + 1,
    [ZVT_T_SAGA_DEAD_LETTERED] = EV_LETTER + 1,
};

#define S(name) ZVT_ORDER_STATE_##name
static const uint8_t s_next_state[STATES][EVENTS] = {
    [S(INITIALIZED)] = {[EV_VALIDATED] = STAY, [EV_CREATED] = STAY, [EV_ROUTED] = STAY, [EV_STEP_FAILED] = STAY,
                        [EV_CANCEL_REQUESTED] = STAY, [EV_CANCEL_REJECTED] = STAY, [EV_REJECTED] = S(DENIED),
                        [EV_SUBMITTED] = S(SUBMITTED), [EV_CANCELED] = S(CANCELED), [EV_EXPIRED] = S(EXPIRED),
                        [EV_FAILED] = S(FAILED), [EV_NOTED] = STAY, [EV_LETTER] = STAY},
    /* routed again after an attempt that definitely did not execute */
    [S(SUBMITTED)] = {[EV_ACCEPTED] = S(ACCEPTED), [EV_EXECUTED] = S(PARTIALLY_FILLED), [EV_UNKNOWN] = S(UNKNOWN),
                      [EV_REJECTED] = S(REJECTED), [EV_CANCELED] = S(CANCELED), [EV_EXPIRED] = S(EXPIRED),
                      [EV_FAILED] = S(FAILED), [EV_CANCEL_REQUESTED] = STAY, [EV_CANCEL_REJECTED] = STAY,
                      [EV_STEP_FAILED] = S(INITIALIZED), [EV_NOTED] = STAY, [EV_LETTER] = STAY},
    [S(UNKNOWN)] = {[EV_ACCEPTED] = S(ACCEPTED), [EV_EXECUTED] = S(PARTIALLY_FILLED), [EV_REJECTED] = S(REJECTED),
                    [EV_CANCELED] = S(CANCELED), [EV_EXPIRED] = S(EXPIRED), [EV_FAILED] = S(FAILED),
                    [EV_CANCEL_REQUESTED] = STAY, [EV_CANCEL_REJECTED] = STAY, [EV_STEP_FAILED] = S(INITIALIZED), [EV_NOTED] = STAY,
                    [EV_RESOLVED] = STAY, [EV_LETTER] = STAY},
    [S(ACCEPTED)] = {[EV_EXECUTED] = S(PARTIALLY_FILLED), [EV_CANCELED] = S(CANCELED), [EV_EXPIRED] = S(EXPIRED),
                     [EV_ACCEPTED] = STAY, [EV_CANCEL_REQUESTED] = STAY, [EV_CANCEL_REJECTED] = STAY,
                     [EV_STEP_FAILED] = STAY, [EV_RESOLVED] = STAY, [EV_LETTER] = STAY},
    [S(PARTIALLY_FILLED)] = {[EV_EXECUTED] = STAY, [EV_CANCELED] = S(CANCELED), [EV_EXPIRED] = S(EXPIRED),
                             [EV_COMPLETED] = S(FILLED), [EV_ACCEPTED] = STAY, [EV_CANCEL_REQUESTED] = STAY,
                             [EV_CANCEL_REJECTED] = STAY, [EV_STEP_FAILED] = STAY, [EV_RESOLVED] = STAY,
                             [EV_LETTER] = STAY},
    /* ended orders can still receive late fills, and late reports of earlier attempts */
    [S(CANCELED)] = {[EV_EXECUTED] = STAY, [EV_ACCEPTED] = STAY, [EV_STEP_FAILED] = STAY, [EV_LETTER] = STAY},
    [S(EXPIRED)] = {[EV_EXECUTED] = STAY, [EV_ACCEPTED] = STAY, [EV_STEP_FAILED] = STAY, [EV_LETTER] = STAY},
    [S(FAILED)] = {[EV_EXECUTED] = STAY, [EV_ACCEPTED] = STAY, [EV_STEP_FAILED] = STAY, [EV_LETTER] = STAY},
    [S(REJECTED)] = {[EV_EXECUTED] = STAY, [EV_STEP_FAILED] = STAY, [EV_LETTER] = STAY},
    [S(FILLED)] = {[EV_EXECUTED] = STAY, [EV_ACCEPTED] = STAY, [EV_STEP_FAILED] = STAY, [EV_CANCEL_REJECTED] = STAY,
                   [EV_LETTER] = STAY},
    [S(DENIED)] = {[EV_STEP_FAILED] = STAY, [EV_LETTER] = STAY},
};
#undef S

bool order_core_allows(const order_t *order, zvt_type_t type)
{
    unsigned event = s_event_of_type[type];
    return event != 0 && s_next_state[order->state][event - 1] != 0;
}

/* ---- the table of orders ---- */
order_core_t *order_core_new(void)
{
    order_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->orders = calloc(ORDERS_MAX, sizeof *self->orders);
    self->given_back = calloc(ORDERS_MAX, sizeof *self->given_back);
    ZVT_ASSERT(self->orders != NULL);
    ZVT_ASSERT(self->given_back != NULL);
    self->by_id = zvt_map_new(sizeof(zvt_id_t), ORDERS_MAX);
    self->by_correlation = zvt_map_new(sizeof(zvt_id_t), ORDERS_MAX);
    self->by_signal = zvt_map_new(sizeof(zvt_id_t), ORDERS_MAX);
    self->by_request = zvt_map_new(ZVT_REQUEST_SIZE, ORDERS_MAX);
    order_core_clear(self);
    return self;
}

void order_core_destroy(order_core_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->by_id);
    zvt_map_destroy(&(*self)->by_correlation);
    zvt_map_destroy(&(*self)->by_signal);
    zvt_map_destroy(&(*self)->by_request);
    free((*self)->orders);
    free((*self)->given_back);
    free(*self);
    *self = NULL;
}

void order_core_clear(order_core_t *self)
{
    zvt_map_clear(self->by_id);
    zvt_map_clear(self->by_correlation);
    zvt_map_clear(self->by_signal);
    zvt_map_clear(self->by_request);
    memset(self->orders, 0, (size_t)self->high_water * sizeof *self->orders);
    self->given_back_count = 0;
    self->horizon_ns = 0;
    self->high_water = 0;
    self->newest = self->oldest = ORDER_NONE;
    self->ended = self->kept = (ended_queue_t){.first = ORDER_NONE, .last = ORDER_NONE};
}

order_t *order_core_at(order_core_t *self, int32_t index)
{
    return index == ORDER_NONE ? NULL : &self->orders[index];
}

static order_t *s_by(order_core_t *self, const zvt_map_t *map, const void *key)
{
    uint32_t index = zvt_map_get(map, key);
    return index == ZVT_MAP_NONE ? NULL : &self->orders[index];
}

order_t *order_core_by_id(order_core_t *self, const zvt_id_t *order_id)
{
    return s_by(self, self->by_id, order_id);
}

order_t *order_core_by_signal(order_core_t *self, const zvt_id_t *signal_id)
{
    return zvt_id_is_none(signal_id) ? NULL : s_by(self, self->by_signal, signal_id);
}

order_t *order_core_by_request(order_core_t *self, const char *request_id)
{
    char key[ZVT_REQUEST_SIZE];
    if (request_id[0] == '\0') return NULL;
    ZVT_STR_SET(key, request_id);
    return s_by(self, self->by_request, key);
}

order_t *order_core_by_either(order_core_t *self, const zvt_id_t *id)
{
    order_t *order = order_core_by_id(self, id);
    return order != NULL ? order : s_by(self, self->by_correlation, id);
}

order_t *order_core_by_client_order(order_core_t *self, const char *client_order_id)
{
    char hex[33];
    zvt_id_t id;
    if (strnlen(client_order_id, ZVT_CLIENT_ORDER_SIZE) < sizeof hex) return NULL;
    memcpy(hex, client_order_id, 32);
    hex[32] = '\0';
    return zvt_id_parse(hex, &id) != 0 ? NULL : order_core_by_id(self, &id);
}

/* A dash and one or two digits; where the text ends. */
static char *s_put_number(char *text, uint32_t number)
{
    *text++ = '-';
    if (number >= 10) *text++ = (char)('0' + number / 10);
    *text++ = (char)('0' + number % 10);
    *text = '\0';
    return text;
}

void order_client_order_id(const order_t *order, uint32_t child, uint32_t attempt, char text[ZVT_CLIENT_ORDER_SIZE])
{
    char *end = zvt_hex(text, order->order_id.bytes, sizeof order->order_id.bytes);
    s_put_number(s_put_number(end, child % 100), attempt % 100);
}

bool order_is_ended(const order_t *order)
{
    static const bool ended[STATES] = {
        [ZVT_ORDER_STATE_DENIED] = true, [ZVT_ORDER_STATE_FILLED] = true, [ZVT_ORDER_STATE_CANCELED] = true,
        [ZVT_ORDER_STATE_EXPIRED] = true, [ZVT_ORDER_STATE_REJECTED] = true, [ZVT_ORDER_STATE_FAILED] = true};
    return ended[order->state];
}

bool order_is_at_venue(const order_t *order)
{
    static const bool at_venue[STATES] = {
        [ZVT_ORDER_STATE_SUBMITTED] = true, [ZVT_ORDER_STATE_ACCEPTED] = true,
        [ZVT_ORDER_STATE_PARTIALLY_FILLED] = true, [ZVT_ORDER_STATE_UNKNOWN] = true};
    return at_venue[order->state];
}

int64_t order_leaves_e8(const order_t *order)
{
    int64_t leaves_e8 = order->terms.quantity_e8 - order->cum_qty_e8;
    return order_is_ended(order) || leaves_e8 < 0 ? 0 : leaves_e8;
}

int64_t order_average_price_e8(const order_t *order)
{
    int64_t price_e8;
    if (order->cum_qty_e8 == 0) return 0;
    return zvt_fixed_div(order->notional_e8, order->cum_qty_e8, &price_e8) == 0 ? price_e8 : 0;
}

uint8_t order_shown_state(const order_t *order)
{
    return order->cancel_pending && !order_is_ended(order) ? ZVT_ORDER_STATE_PENDING_CANCEL : order->state;
}

void order_fill_row(const order_t *order, zvt_order_row_t *row)
{
    memset(row, 0, sizeof *row);
    row->order_id = order->order_id;
    row->correlation_id = order->correlation_id;
    row->signal_id = order->signal_id;
    ZVT_STR_SET(row->strategy_id, order->strategy_id);
    ZVT_STR_SET(row->portfolio_id, order->portfolio_id);
    row->order_request = order->terms;
    row->state = order_shown_state(order);
    row->code = order->code;
    ZVT_STR_SET(row->exchange, order->exchange);
    ZVT_STR_SET(row->client_order_id, order->client_order_id);
    ZVT_STR_SET(row->exchange_order_id, order->exchange_order_id);
    row->cum_qty_e8 = order->cum_qty_e8;
    row->leaves_qty_e8 = order_leaves_e8(order);
    row->avg_fill_price_e8 = order_average_price_e8(order);
    row->commission_e8 = order->commission_e8;
    row->requested_at_ns = order->requested_ns;
    row->updated_at_ns = order->updated_ns;
}

static uint32_t s_used(const order_core_t *self)
{
    return (uint32_t)self->high_water - self->given_back_count;
}

uint32_t order_core_open_count(const order_core_t *self)
{
    return s_used(self) - self->ended.count - self->kept.count;
}

/* An order that still has business of this run (a client waiting, an event to write) is kept. */
static bool s_is_idle(const order_t *order)
{
    return order->saga == ORDER_NONE && order->staged_first == ORDER_NONE && order->fills_pending == 0 && order->held == ORDER_NONE &&
           order->waiters == ORDER_NONE && !order->trouble_listed && !order->ready_listed;
}

static bool s_may_forget_oldest(const order_core_t *self)
{
    return self->ended.first != ORDER_NONE && s_is_idle(&self->orders[self->ended.first]);
}

bool order_core_has_room(const order_core_t *self)
{
    return s_used(self) < ORDERS_MAX || s_may_forget_oldest(self);
}

int32_t order_core_older(const order_core_t *self, int32_t after)
{
    return after == ORDER_NONE ? self->newest : self->orders[after].older;
}

/* ---- making and forgetting ---- */
int64_t order_core_horizon_ns(const order_core_t *self)
{
    return self->horizon_ns;
}

static void s_forget(order_core_t *self, order_t *order)
{
    if (order->created_ns > self->horizon_ns) self->horizon_ns = order->created_ns;
    zvt_map_remove(self->by_id, &order->order_id);
    zvt_map_remove(self->by_correlation, &order->correlation_id);
    if (!zvt_id_is_none(&order->signal_id)) zvt_map_remove(self->by_signal, &order->signal_id);
    if (order->request_id[0] != '\0') zvt_map_remove(self->by_request, order->request_id);
    if (order->newer != ORDER_NONE)
        self->orders[order->newer].older = order->older;
    else
        self->newest = order->older;
    if (order->older != ORDER_NONE)
        self->orders[order->older].newer = order->newer;
    else
        self->oldest = order->newer;
    int32_t index = order->index;
    memset(order, 0, sizeof *order);
    self->given_back[self->given_back_count++] = index;
}

/* ---- queues of ended orders ---- */
static void s_append(order_core_t *self, ended_queue_t *queue, order_t *order)
{
    order->ended_next = ORDER_NONE;
    if (queue->last != ORDER_NONE)
        self->orders[queue->last].ended_next = order->index;
    else
        queue->first = order->index;
    queue->last = order->index;
    queue->count++;
}

static order_t *s_take_oldest(order_core_t *self, ended_queue_t *queue)
{
    order_t *order = &self->orders[queue->first];
    queue->first = order->ended_next;
    if (queue->first == ORDER_NONE) queue->last = ORDER_NONE;
    queue->count--;
    return order;
}

/* The venue may still report of one that was resolved by hand, and a fill that was put aside may be worked on again. */
static bool s_is_worth_keeping(const order_t *order)
{
    return order->code == ZVT_CODE_RESOLVED_BY_HAND || order->fill_aside;
}

/* Puts by what is worth keeping before it would be forgotten. */
static void s_put_by(order_core_t *self)
{
    while (self->ended.first != ORDER_NONE && s_is_worth_keeping(&self->orders[self->ended.first])) {
        s_append(self, &self->kept, s_take_oldest(self, &self->ended));
        if (self->kept.count > ORDERS_KEPT_MAX && s_is_idle(&self->orders[self->kept.first])) s_forget(self, s_take_oldest(self, &self->kept));
    }
}

static void s_forget_oldest_ended(order_core_t *self)
{
    if (!s_may_forget_oldest(self)) return;
    s_forget(self, s_take_oldest(self, &self->ended));
    s_put_by(self);
}

static void s_note_ended(order_core_t *self, order_t *order)
{
    order->cancel_pending = false;
    s_append(self, &self->ended, order);
    s_put_by(self);
    if (self->ended.count > ORDERS_ENDED_MAX) s_forget_oldest_ended(self);
}

static int s_index_order(order_core_t *self, const order_t *order)
{
    uint32_t index = (uint32_t)order->index;
    int status = zvt_map_put(self->by_id, &order->order_id, index);
    if (status == 0) status = zvt_map_put(self->by_correlation, &order->correlation_id, index);
    if (status == 0 && !zvt_id_is_none(&order->signal_id)) status = zvt_map_put(self->by_signal, &order->signal_id, index);
    if (status == 0 && order->request_id[0] != '\0') status = zvt_map_put(self->by_request, order->request_id, index);
    return status;
}

/* A place for a new order, possibly one that an ended order gives up; NULL when the table is full. */
static order_t *s_take_place(order_core_t *self)
{
    if (s_used(self) == ORDERS_MAX) s_forget_oldest_ended(self);
    if (s_used(self) == ORDERS_MAX) return NULL;
    int32_t index = self->given_back_count > 0 ? self->given_back[--self->given_back_count] : self->high_water++;
    order_t *order = &self->orders[index];
    memset(order, 0, sizeof *order);
    order->index = index;
    return order;
}

/* Makes a filled-in order part of the table, as the newest. */
static void s_enter(order_core_t *self, order_t *order)
{
    order->used = true;
    order->saga = order->early_route = order->staged_first = order->staged_last = order->held = order->waiters = ORDER_NONE;
    order->older = self->newest;
    order->newer = ORDER_NONE;
    if (self->newest != ORDER_NONE)
        self->orders[self->newest].newer = order->index;
    else
        self->oldest = order->index;
    self->newest = order->index;
    ZVT_ASSERT(s_index_order(self, order) == 0); /* the maps have room for every order */
}

static int s_make(order_core_t *self, const zvt_event_t *event, const zvt_order_requested_t *requested)
{
    if (order_core_by_id(self, &requested->order_id) != NULL) return ZVT_ERR_EXISTS;
    order_t *order = s_take_place(self);
    if (order == NULL) return ZVT_ERR_FULL;
    order->order_id = requested->order_id;
    order->correlation_id = event->correlation_id;
    order->signal_id = requested->signal_id;
    order->terms = requested->order_request;
    order->state = ZVT_ORDER_STATE_INITIALIZED;
    order->code = ZVT_CODE_OK;
    order->requested_ns = order->updated_ns = event->timestamp_ns;
    order->deadline_ns = requested->deadline_ns;
    order->created_ns = requested->created_at_ns;
    order->first_seq = order->last_seq = event->seq;
    order->version = event->aggregate_version;
    order->last_event_id = event->event_id;
    ZVT_STR_SET(order->user_id, requested->user_id);
    ZVT_STR_SET(order->strategy_id, requested->strategy_id);
    ZVT_STR_SET(order->portfolio_id, requested->portfolio_id);
    ZVT_STR_SET(order->request_id, requested->request_id);
    s_enter(self, order);
    return 0;
}

/* ---- the fold: one function per event that carries more than a state ---- */
static void s_fold_rejected(order_t *order, const zvt_order_rejected_t *event)
{
    /* A venue's refusal is FIX "rejected"; ours, before a venue saw it, is "denied". */
    if (event->stage == ZVT_STAGE_VENUE) order->state = ZVT_ORDER_STATE_REJECTED;
    order->code = event->rejection_reason;
    ZVT_STR_SET(order->message, event->message);
}

static void s_fold_submitted(order_t *order, const zvt_event_t *header, const zvt_order_submitted_t *event)
{
    order->step = ORDER_STEP_SUBMITTED;
    order->attempt = event->attempt;
    order->submitted_ns = header->timestamp_ns;
    order->expires_ns = event->expires_at_ns;
    ZVT_STR_SET(order->exchange, event->exchange);
    ZVT_STR_SET(order->client_order_id, event->client_order_id);
}

static void s_fold_executed(order_t *order, const zvt_order_executed_t *event)
{
    int status = zvt_fixed_add(order->cum_qty_e8, event->executed_quantity_e8, &order->cum_qty_e8);
    if (status == 0) status = zvt_fixed_add(order->notional_e8, event->notional_value_e8, &order->notional_e8);
    if (status == 0) status = zvt_fixed_add(order->commission_e8, event->commission_e8, &order->commission_e8);
    if (status != 0) order->code = ZVT_CODE_NUMBER_OVERFLOW;
    ZVT_STR_SET(order->commission_asset, event->commission_asset);
    ZVT_STR_SET(order->exchange_order_id, event->exchange_order_id);
}

static void s_fold_step_failed(order_t *order, const zvt_saga_step_failed_t *event)
{
    /* Back to before the route: the next attempt chooses a venue again. */
    if (order->state == ZVT_ORDER_STATE_INITIALIZED && order->step > ORDER_STEP_CREATED) order->step = ORDER_STEP_CREATED;
    ZVT_STR_SET(order->message, event->message);
}

static void s_fold_ended(order_t *order, uint8_t reason)
{
    order->code = reason;
}

static void s_fold(order_t *order, const zvt_event_t *header, const zvt_record_t *record)
{
    switch (record->type) {
    case ZVT_T_ORDER_VALIDATED: order->step = ORDER_STEP_VALIDATED; break;
    case ZVT_T_ORDER_CREATED: order->step = ORDER_STEP_CREATED; break;
    case ZVT_T_EXCHANGE_ROUTED:
        order->step = ORDER_STEP_ROUTED;
        ZVT_STR_SET(order->exchange, record->exchange_routed.selected_exchange);
        break;
    case ZVT_T_ORDER_SUBMITTED: s_fold_submitted(order, header, &record->order_submitted); break;
    case ZVT_T_ORDER_ACCEPTED: ZVT_STR_SET(order->exchange_order_id, record->order_accepted.exchange_order_id); break;
    case ZVT_T_ORDER_EXECUTED: s_fold_executed(order, &record->order_executed); break;
    case ZVT_T_ORDER_REJECTED: s_fold_rejected(order, &record->order_rejected); break;
    case ZVT_T_ORDER_CANCEL_REQUESTED: order->cancel_pending = true; break;
    case ZVT_T_ORDER_CANCEL_REJECTED: order->cancel_pending = false; break;
    case ZVT_T_ORDER_CANCELED: s_fold_ended(order, record->order_canceled.reason); break;
    case ZVT_T_ORDER_EXPIRED: s_fold_ended(order, record->order_expired.reason); break;
    case ZVT_T_ORDER_FAILED:
        s_fold_ended(order, record->order_failed.failure_reason);
        ZVT_STR_SET(order->message, record->order_failed.message);
        break;
    case ZVT_T_SAGA_STEP_FAILED: s_fold_step_failed(order, &record->saga_step_failed); break;
    case ZVT_T_SAGA_DEAD_LETTERED: order->fill_aside = order->fill_aside || record->saga_dead_lettered.kind == ZVT_REPORT_KIND_FILL; break;
    default: break;
    }
}

int order_core_apply(order_core_t *self, const zvt_event_t *event, const zvt_record_t *record)
{
    if (record->type == ZVT_T_ORDER_REQUESTED) return s_make(self, event, &record->order_requested);
    unsigned kind = s_event_of_type[record->type];
    if (kind == 0) return ZVT_ERR_UNKNOWN;
    order_t *order = order_core_by_id(self, &event->aggregate_id);
    if (order == NULL) return ZVT_ERR_NOT_FOUND;
    uint8_t next = s_next_state[order->state][kind - 1];
    if (next == 0) return ZVT_ERR_ILLEGAL;
    bool was_ended = order_is_ended(order);
    if (next != STAY) order->state = next;
    s_fold(order, event, record);
    order->version = event->aggregate_version;
    order->last_event_id = event->event_id;
    order->updated_ns = event->timestamp_ns;
    if (event->seq != 0) order->last_seq = event->seq;
    if (!was_ended && order_is_ended(order)) s_note_ended(self, order);
    if (record->type == ZVT_T_SAGA_DEAD_LETTERED) s_put_by(self);
    return 0;
}

/* ---- checkpoints ---- */
void order_core_save(const order_t *order, zvt_saved_order_t *saved)
{
    *saved = (zvt_saved_order_t){
        .order_id = order->order_id, .correlation_id = order->correlation_id, .signal_id = order->signal_id,
        .last_event_id = order->last_event_id, .order_request = order->terms, .state = order->state, .code = order->code,
        .step = order->step, .cancel_pending = order->cancel_pending, .fill_aside = order->fill_aside, .attempt = order->attempt,
        .cum_qty_e8 = order->cum_qty_e8, .notional_e8 = order->notional_e8, .commission_e8 = order->commission_e8,
        .requested_ns = order->requested_ns, .created_at_ns = order->created_ns, .updated_ns = order->updated_ns, .deadline_ns = order->deadline_ns,
        .submitted_ns = order->submitted_ns, .expires_ns = order->expires_ns, .first_seq = order->first_seq,
        .last_seq = order->last_seq, .version = order->version};
    ZVT_STR_SET(saved->user_id, order->user_id);
    ZVT_STR_SET(saved->strategy_id, order->strategy_id);
    ZVT_STR_SET(saved->portfolio_id, order->portfolio_id);
    ZVT_STR_SET(saved->request_id, order->request_id);
    ZVT_STR_SET(saved->exchange, order->exchange);
    ZVT_STR_SET(saved->client_order_id, order->client_order_id);
    ZVT_STR_SET(saved->exchange_order_id, order->exchange_order_id);
    ZVT_STR_SET(saved->commission_asset, order->commission_asset);
    ZVT_STR_SET(saved->message, order->message);
}

int order_core_restore(order_core_t *self, const zvt_saved_order_t *saved)
{
    if (saved->state == 0 || saved->state >= STATES || saved->step > ORDER_STEP_SUBMITTED) return ZVT_ERR_RANGE;
    if (order_core_by_id(self, &saved->order_id) != NULL) return ZVT_ERR_EXISTS;
    order_t *order = s_take_place(self);
    if (order == NULL) return ZVT_ERR_FULL;
    order->order_id = saved->order_id;
    order->correlation_id = saved->correlation_id;
    order->signal_id = saved->signal_id;
    order->last_event_id = saved->last_event_id;
    order->terms = saved->order_request;
    order->state = saved->state;
    order->code = saved->code;
    order->step = (uint8_t)saved->step;
    order->cancel_pending = saved->cancel_pending;
    order->fill_aside = saved->fill_aside;
    order->attempt = saved->attempt;
    order->cum_qty_e8 = saved->cum_qty_e8;
    order->notional_e8 = saved->notional_e8;
    order->commission_e8 = saved->commission_e8;
    order->requested_ns = saved->requested_ns;
    order->created_ns = saved->created_at_ns;
    order->updated_ns = saved->updated_ns;
    order->deadline_ns = saved->deadline_ns;
    order->submitted_ns = saved->submitted_ns;
    order->expires_ns = saved->expires_ns;
    order->first_seq = saved->first_seq;
    order->last_seq = saved->last_seq;
    order->version = saved->version;
    ZVT_STR_SET(order->user_id, saved->user_id);
    ZVT_STR_SET(order->strategy_id, saved->strategy_id);
    ZVT_STR_SET(order->portfolio_id, saved->portfolio_id);
    ZVT_STR_SET(order->request_id, saved->request_id);
    ZVT_STR_SET(order->exchange, saved->exchange);
    ZVT_STR_SET(order->client_order_id, saved->client_order_id);
    ZVT_STR_SET(order->exchange_order_id, saved->exchange_order_id);
    ZVT_STR_SET(order->commission_asset, saved->commission_asset);
    ZVT_STR_SET(order->message, saved->message);
    s_enter(self, order);
    return 0;
}

int32_t order_core_next_ended(const order_core_t *self, int32_t after)
{
    if (after == ORDER_NONE) return self->kept.first != ORDER_NONE ? self->kept.first : self->ended.first;
    return after == self->kept.last ? self->ended.first : self->orders[after].ended_next;
}

int order_core_restore_ended(order_core_t *self, const zvt_id_t *order_id)
{
    order_t *order = order_core_by_id(self, order_id);
    if (order == NULL) return ZVT_ERR_NOT_FOUND;
    if (!order_is_ended(order)) return ZVT_ERR_ILLEGAL;
    s_note_ended(self, order);
    return 0;
}

void order_core_restore_horizon(order_core_t *self, int64_t horizon_ns)
{
    self->horizon_ns = horizon_ns;
}

int32_t order_core_newer(const order_core_t *self, int32_t after)
{
    return after == ORDER_NONE ? self->oldest : self->orders[after].newer;
}
