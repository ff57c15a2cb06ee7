#define _GNU_SOURCE /* qsort_r */

#include "portfolio_core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fill_memory.h"
#include "position_core.h"
#include "zvt_fixed.h"
#include "zvt_map.h"
#include "zvt_mids.h"

#define NONE UINT32_MAX /* end of a list of indices */

typedef struct {
    char portfolio_id[ZVT_NAME_SIZE];
    char strategy_id[ZVT_NAME_SIZE];
    char symbol[ZVT_SYMBOL_SIZE];
} position_key_t;

typedef struct {
    position_key_t key;
    zvt_id_t position_id;
    position_t committed; /* as the log has it */
    uint64_t seq;         /* of the last event that changed it; 0: the log has none, only pending fills */
    int instrument;       /* in the fleet; -1: not there any more, and so without a price */
    uint32_t oldest, newest; /* chain of pending fills */
} slot_t;

typedef struct {
    fill_key_t key;
    position_fill_t fill;
    fill_result_t result;
    position_t after;          /* value of the position after this fill and all before it */
    uint32_t older, newer;     /* in the position's chain; newer also links the free ones */
    bool used;
} pending_t;

struct portfolio_core {
    uint64_t incarnation;
    uint64_t epoch; /* highest seen */
    zvt_mids_t *mids;
    int64_t last_mid_e8[ZVT_INSTRUMENTS_MAX]; /* kept when a book runs empty: a position keeps its last known value */
    zvt_map_t *position_map; /* position_key_t -> slots */
    zvt_map_t *pending_map;  /* fill_key_t -> pending */
    fill_memory_t *memory;
    uint32_t slots_count;    /* slots ever used; those without position are in free_slots */
    uint32_t free_slots_count;
    uint32_t free_pending;   /* head of a list */
    portfolio_stats_t stats;
    zvt_record_t record;     /* payload of the event that is folded */
    uint32_t *free_slots;
    uint32_t *sorted; /* scratch of queries and dumps */
    slot_t *slots;
    pending_t *pending;
};

static void *s_alloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    ZVT_ASSERT(memory != NULL);
    return memory;
}

portfolio_core_t *portfolio_core_new(const zvt_fleet_t *fleet, uint64_t incarnation)
{
    portfolio_core_t *self = s_alloc(1, sizeof *self);
    self->incarnation = incarnation;
    self->mids = zvt_mids_new(fleet);
    self->position_map = zvt_map_new(sizeof(position_key_t), PORTFOLIO_POSITIONS_MAX);
    self->pending_map = zvt_map_new(sizeof(fill_key_t), PORTFOLIO_PENDING_MAX);
    self->memory = fill_memory_new();
    self->free_slots = s_alloc(PORTFOLIO_POSITIONS_MAX, sizeof *self->free_slots);
    self->sorted = s_alloc(PORTFOLIO_POSITIONS_MAX, sizeof *self->sorted);
    self->slots = s_alloc(PORTFOLIO_POSITIONS_MAX, sizeof *self->slots);
    self->pending = s_alloc(PORTFOLIO_PENDING_MAX, sizeof *self->pending);
    for (uint32_t i = 0; i < PORTFOLIO_PENDING_MAX; i++) self->pending[i].newer = i + 1;
    self->pending[PORTFOLIO_PENDING_MAX - 1].newer = NONE;
    return self;
}

void portfolio_core_destroy(portfolio_core_t **self)
{
    if (*self == NULL) return;
    zvt_mids_destroy(&(*self)->mids);
    zvt_map_destroy(&(*self)->position_map);
    zvt_map_destroy(&(*self)->pending_map);
    fill_memory_destroy(&(*self)->memory);
    free((*self)->free_slots);
    free((*self)->sorted);
    free((*self)->slots);
    free((*self)->pending);
    free(*self);
    *self = NULL;
}

uint64_t portfolio_core_epoch(const portfolio_core_t *self)
{
    return self->epoch;
}

portfolio_stats_t portfolio_core_stats(const portfolio_core_t *self)
{
    return self->stats;
}

/* ---- positions ---- */
static position_key_t s_key(const char *portfolio_id, const char *strategy_id, const char *symbol)
{
    position_key_t key;
    memcpy(key.portfolio_id, portfolio_id, sizeof key.portfolio_id);
    memcpy(key.strategy_id, strategy_id, sizeof key.strategy_id);
    memcpy(key.symbol, symbol, sizeof key.symbol);
    return key;
}

static slot_t *s_find_slot(const portfolio_core_t *self, const position_key_t *key)
{
    uint32_t index = zvt_map_get(self->position_map, key);
    return index == ZVT_MAP_NONE ? NULL : &self->slots[index];
}

/* Finds or makes the slot of a key; NULL when all are taken. */
static slot_t *s_take_slot(portfolio_core_t *self, const position_key_t *key)
{
    slot_t *slot = s_find_slot(self, key);
    if (slot != NULL) return slot;
    if (self->stats.positions == PORTFOLIO_POSITIONS_MAX) return NULL;
    uint32_t index = self->free_slots_count > 0 ? self->free_slots[--self->free_slots_count] : self->slots_count++;
    ZVT_ASSERT(zvt_map_put(self->position_map, key, index) == 0);
    slot = &self->slots[index];
    *slot = (slot_t){.key = *key, .position_id = zvt_id_of_position(key->portfolio_id, key->strategy_id, key->symbol), .oldest = NONE, .newest = NONE};
    slot->instrument = zvt_mids_instrument(self->mids, key->symbol);
    self->stats.positions++;
    return slot;
}

static void s_drop_slot_if_unused(portfolio_core_t *self, slot_t *slot)
{
    if (slot->seq != 0 || slot->oldest != NONE) return;
    ZVT_ASSERT(zvt_map_remove(self->position_map, &slot->key));
    self->free_slots[self->free_slots_count++] = (uint32_t)(slot - self->slots);
    self->stats.positions--;
}

/* ---- the chain of pending fills ---- */
static const position_t *s_value(const portfolio_core_t *self, uint32_t newest, const slot_t *slot)
{
    return newest == NONE ? &slot->committed : &self->pending[newest].after;
}

/* Computes a pending fill on top of the one before it in its chain, or of the durable position. */
static int s_compute(portfolio_core_t *self, pending_t *pending, const slot_t *slot)
{
    position_result_t result;
    int status = position_core_apply(s_value(self, pending->older, slot), &pending->fill, &result);
    if (status != 0) return status;
    pending->after = result.after;
    pending->result.position = (uint32_t)(slot - self->slots);
    pending->result.quantity_change_e8 = pending->fill.quantity_e8;
    pending->result.new_quantity_e8 = result.after.quantity_e8;
    pending->result.new_avg_price_e8 = result.after.avg_price_e8;
    pending->result.realized_pnl_e8 = result.realized_pnl_e8;
    pending->result.realized_pnl_total_e8 = result.after.realized_pnl_e8;
    pending->result.unrealized_pnl_e8 = position_core_unrealized_pnl(&result.after, pending->fill.price_e8);
    pending->result.commission_total_e8 = result.after.commission_e8;
    return 0;
}

static void s_append(portfolio_core_t *self, slot_t *slot, const pending_t *made)
{
    uint32_t index = self->free_pending;
    pending_t *pending = &self->pending[index];
    self->free_pending = pending->newer;
    *pending = *made;
    pending->used = true;
    pending->newer = NONE;
    if (slot->newest == NONE)
        slot->oldest = index;
    else
        self->pending[slot->newest].newer = index;
    slot->newest = index;
    ZVT_ASSERT(zvt_map_put(self->pending_map, &pending->key, index) == 0);
    self->stats.pending++;
}

static void s_unlink(portfolio_core_t *self, slot_t *slot, uint32_t index)
{
    pending_t *pending = &self->pending[index];
    if (pending->older == NONE)
        slot->oldest = pending->newer;
    else
        self->pending[pending->older].newer = pending->newer;
    if (pending->newer == NONE)
        slot->newest = pending->older;
    else
        self->pending[pending->newer].older = pending->older;
    ZVT_ASSERT(zvt_map_remove(self->pending_map, &pending->key));
    pending->used = false;
    pending->newer = self->free_pending;
    self->free_pending = index;
    self->stats.pending--;
}

/* Computes a chain anew on a durable value that nobody foresaw. A fill that does not fit any more is given up; it gets
 * its refusal when it is asked for again. */
static void s_rebase(portfolio_core_t *self, slot_t *slot)
{
    if (slot->oldest == NONE) return;
    self->stats.rebased++;
    uint32_t next;
    for (uint32_t index = slot->oldest; index != NONE; index = next) {
        next = self->pending[index].newer;
        if (s_compute(self, &self->pending[index], slot) != 0) s_unlink(self, slot, index);
    }
}

static void s_drop_all_pending(portfolio_core_t *self)
{
    for (uint32_t i = 0; i < PORTFOLIO_PENDING_MAX && self->stats.pending > 0; i++) {
        if (!self->pending[i].used) continue;
        slot_t *slot = &self->slots[self->pending[i].result.position];
        s_unlink(self, slot, i);
        s_drop_slot_if_unused(self, slot);
    }
}

static void s_see_epoch(portfolio_core_t *self, uint64_t epoch)
{
    if (epoch <= self->epoch) return;
    self->epoch = epoch;
    s_drop_all_pending(self);
}

/* ---- fills ---- */
static void s_begin(const portfolio_core_t *self, const zvt_fill_apply_t *fill, zvt_fill_applied_t *answer)
{
    memset(answer, 0, sizeof *answer);
    answer->incarnation = self->incarnation;
    answer->code = ZVT_CODE_OK;
    memcpy(answer->exchange, fill->exchange, sizeof answer->exchange);
    zvt_position_updated_t *position = &answer->position;
    memcpy(position->exec_id, fill->exec_id, sizeof position->exec_id);
    memcpy(position->portfolio_id, fill->portfolio_id, sizeof position->portfolio_id);
    memcpy(position->strategy_id, fill->strategy_id, sizeof position->strategy_id);
    memcpy(position->symbol, fill->symbol, sizeof position->symbol);
    position->order_id = fill->order_id;
}

void portfolio_core_refuse(const portfolio_core_t *self, const zvt_fill_apply_t *fill, uint8_t code,
                           zvt_fill_applied_t *answer)
{
    s_begin(self, fill, answer);
    answer->code = code;
}

/* Answers with a result, in the names of the position it belongs to. */
static void s_answer(const portfolio_core_t *self, const zvt_fill_apply_t *fill, const fill_result_t *result,
                     zvt_fill_applied_t *answer)
{
    const slot_t *slot = &self->slots[result->position];
    s_begin(self, fill, answer);
    zvt_position_updated_t *position = &answer->position;
    memcpy(position->portfolio_id, slot->key.portfolio_id, sizeof position->portfolio_id);
    memcpy(position->strategy_id, slot->key.strategy_id, sizeof position->strategy_id);
    memcpy(position->symbol, slot->key.symbol, sizeof position->symbol);
    position->position_id = slot->position_id;
    position->order_id = result->order_id;
    position->quantity_change_e8 = result->quantity_change_e8;
    position->new_quantity_e8 = result->new_quantity_e8;
    position->new_avg_price_e8 = result->new_avg_price_e8;
    position->realized_pnl_e8 = result->realized_pnl_e8;
    position->realized_pnl_total_e8 = result->realized_pnl_total_e8;
    position->unrealized_pnl_e8 = result->unrealized_pnl_e8;
    position->commission_total_e8 = result->commission_total_e8;
}

static fill_key_t s_fill_key(const zvt_fill_apply_t *fill)
{
    fill_key_t key;
    memcpy(key.exchange, fill->exchange, sizeof key.exchange);
    memcpy(key.exec_id, fill->exec_id, sizeof key.exec_id);
    return key;
}

static bool s_answer_again(const portfolio_core_t *self, const zvt_fill_apply_t *fill, const fill_key_t *key,
                           zvt_fill_applied_t *answer)
{
    const fill_result_t *logged = fill_memory_get(self->memory, key);
    uint32_t pending = zvt_map_get(self->pending_map, key);
    if (logged == NULL && pending == ZVT_MAP_NONE) return false;
    s_answer(self, fill, logged != NULL ? logged : &self->pending[pending].result, answer);
    return true;
}

/* OK, or why the fill makes no sense. */
static uint8_t s_judge(const zvt_fill_apply_t *fill)
{
    if (fill->exec_id[0] == '\0' || fill->exchange[0] == '\0' || fill->symbol[0] == '\0') return ZVT_CODE_MALFORMED;
    if (strchr(fill->portfolio_id, '|') != NULL || strchr(fill->strategy_id, '|') != NULL) return ZVT_CODE_MALFORMED;
    if (fill->side != ZVT_SIDE_BUY && fill->side != ZVT_SIDE_SELL) return ZVT_CODE_BAD_ORDER;
    if (fill->quantity_e8 <= 0) return ZVT_CODE_BAD_QUANTITY;
    return fill->price_e8 <= 0 ? ZVT_CODE_BAD_PRICE : ZVT_CODE_OK;
}

/* Adds a fill to the end of its position's chain and answers. Returns the code of the answer. */
static uint8_t s_add_fill(portfolio_core_t *self, const zvt_fill_apply_t *fill, const fill_key_t *key,
                          zvt_fill_applied_t *answer)
{
    position_key_t position = s_key(fill->portfolio_id, fill->strategy_id, fill->symbol);
    if (self->free_pending == NONE) return ZVT_CODE_OVERLOADED;
    slot_t *slot = s_take_slot(self, &position);
    if (slot == NULL) return ZVT_CODE_OVERLOADED;
    pending_t pending = {.key = *key, .older = slot->newest, .result = {.order_id = fill->order_id}};
    pending.fill = (position_fill_t){.quantity_e8 = fill->side == ZVT_SIDE_BUY ? fill->quantity_e8 : -fill->quantity_e8,
                                     .price_e8 = fill->price_e8,
                                     .commission_e8 = fill->commission_e8};
    if (s_compute(self, &pending, slot) != 0) {
        s_drop_slot_if_unused(self, slot);
        return ZVT_CODE_NUMBER_OVERFLOW;
    }
    s_append(self, slot, &pending);
    s_answer(self, fill, &pending.result, answer);
    return ZVT_CODE_OK;
}

/* The writer asks a position's pending fills anew: those known so far may be in another order than it will record them. */
static void s_restart_chain(portfolio_core_t *self, const zvt_fill_apply_t *fill)
{
    position_key_t key = s_key(fill->portfolio_id, fill->strategy_id, fill->symbol);
    slot_t *slot = s_find_slot(self, &key);
    if (slot == NULL) return;
    while (slot->oldest != NONE) s_unlink(self, slot, slot->oldest);
    s_drop_slot_if_unused(self, slot);
}

void portfolio_core_on_fill(portfolio_core_t *self, const zvt_fill_apply_t *fill, zvt_fill_applied_t *answer)
{
    if (fill->epoch < self->epoch) {
        portfolio_core_refuse(self, fill, ZVT_CODE_FENCED, answer);
        return;
    }
    s_see_epoch(self, fill->epoch);
    fill_key_t key = s_fill_key(fill);
    if (fill->restart) s_restart_chain(self, fill);
    if (s_answer_again(self, fill, &key, answer)) return;
    uint8_t code = s_judge(fill);
    if (code == ZVT_CODE_OK) code = s_add_fill(self, fill, &key, answer);
    if (code != ZVT_CODE_OK) portfolio_core_refuse(self, fill, code, answer);
}

int portfolio_core_on_quote(portfolio_core_t *self, const zvt_price_updated_t *quote, int64_t now_ns)
{
    int status = zvt_mids_on_quote(self->mids, quote, now_ns);
    if (status != 0) return status;
    int instrument = zvt_mids_instrument(self->mids, quote->symbol);
    zvt_mid_t mid = zvt_mids_freshest(self->mids, instrument, ZVT_MIDS_ANY_VENUE);
    if (mid.mid_e8 != 0) self->last_mid_e8[instrument] = mid.mid_e8;
    return 0;
}

/* ---- the fold ---- */
static fill_result_t s_logged_result(const zvt_position_updated_t *updated, uint32_t position)
{
    return (fill_result_t){.order_id = updated->order_id,
                           .position = position,
                           .quantity_change_e8 = updated->quantity_change_e8,
                           .new_quantity_e8 = updated->new_quantity_e8,
                           .new_avg_price_e8 = updated->new_avg_price_e8,
                           .realized_pnl_e8 = updated->realized_pnl_e8,
                           .realized_pnl_total_e8 = updated->realized_pnl_total_e8,
                           .unrealized_pnl_e8 = updated->unrealized_pnl_e8,
                           .commission_total_e8 = updated->commission_total_e8};
}

static bool s_same_value(const position_t *a, const position_t *b)
{
    return a->quantity_e8 == b->quantity_e8 && a->avg_price_e8 == b->avg_price_e8 &&
           a->realized_pnl_e8 == b->realized_pnl_e8 && a->commission_e8 == b->commission_e8;
}

/* Takes a logged fill out of the chain. The rest of the chain stands as it is if the log has what was foreseen. */
static void s_settle(portfolio_core_t *self, slot_t *slot, const fill_key_t *key)
{
    uint32_t index = zvt_map_get(self->pending_map, key);
    bool foreseen = false;
    if (index != ZVT_MAP_NONE) {
        const pending_t *pending = &self->pending[index];
        slot_t *owner = &self->slots[pending->result.position];
        foreseen = owner == slot && pending->older == NONE && s_same_value(&pending->after, &slot->committed);
        s_unlink(self, owner, index);
        if (owner != slot) {
            s_rebase(self, owner);
            s_drop_slot_if_unused(self, owner);
        }
    }
    if (!foreseen) s_rebase(self, slot);
}

/* Names the fill that a position.updated records. Without its order.executed the venue is not known; the chain then tells
 * which fill of that order it was. */
static fill_key_t s_logged_key(portfolio_core_t *self, const slot_t *slot, const zvt_position_updated_t *updated)
{
    fill_key_t key;
    if (fill_memory_take_executed(self->memory, &updated->order_id, updated->exec_id, &key)) return key;
    self->stats.unmatched++;
    for (uint32_t index = slot->oldest; index != NONE; index = self->pending[index].newer) {
        const pending_t *pending = &self->pending[index];
        if (zvt_id_equal(&pending->result.order_id, &updated->order_id) &&
            memcmp(pending->key.exec_id, updated->exec_id, sizeof updated->exec_id) == 0)
            return pending->key;
    }
    return key;
}

static int s_fold_position(portfolio_core_t *self, const zvt_event_t *event, const zvt_position_updated_t *updated)
{
    position_key_t key = s_key(updated->portfolio_id, updated->strategy_id, updated->symbol);
    slot_t *slot = s_take_slot(self, &key);
    if (slot == NULL) return ZVT_ERR_FULL;
    int64_t expected_e8;
    int status = zvt_fixed_add(slot->committed.quantity_e8, updated->quantity_change_e8, &expected_e8);
    if (status != 0 || expected_e8 != updated->new_quantity_e8) self->stats.broken++;
    slot->seq = event->seq;
    slot->committed = (position_t){.quantity_e8 = updated->new_quantity_e8,
                                   .avg_price_e8 = updated->new_avg_price_e8,
                                   .realized_pnl_e8 = updated->realized_pnl_total_e8,
                                   .commission_e8 = updated->commission_total_e8};
    fill_key_t fill = s_logged_key(self, slot, updated);
    fill_result_t result = s_logged_result(updated, (uint32_t)(slot - self->slots));
    fill_memory_put(self->memory, &fill, &result);
    s_settle(self, slot, &fill);
    return 0;
}

static int s_fold_executed(portfolio_core_t *self, const zvt_order_executed_t *executed)
{
    fill_key_t key;
    memcpy(key.exchange, executed->exchange, sizeof key.exchange);
    memcpy(key.exec_id, executed->exec_id, sizeof key.exec_id);
    fill_memory_on_executed(self->memory, &executed->order_id, &key);
    return 0;
}

/* A change by hand counts like a fill at its price. One that only adjusts a venue account names no strategy. */
static int s_fold_adjusted(portfolio_core_t *self, const zvt_event_t *event, const zvt_position_adjusted_t *adjusted)
{
    if (adjusted->strategy_id[0] == '\0') return 0;
    position_key_t key = s_key(adjusted->portfolio_id, adjusted->strategy_id, adjusted->symbol);
    slot_t *slot = s_take_slot(self, &key);
    if (slot == NULL) return ZVT_ERR_FULL;
    position_fill_t change = {.quantity_e8 = adjusted->quantity_change_e8, .price_e8 = adjusted->price_e8};
    position_result_t result;
    bool applied = position_core_apply(&slot->committed, &change, &result) == 0;
    if (applied) slot->committed = result.after;
    if (!applied || slot->committed.quantity_e8 != adjusted->new_quantity_e8) {
        self->stats.broken++;
        slot->committed.quantity_e8 = adjusted->new_quantity_e8;
    }
    slot->seq = event->seq;
    s_rebase(self, slot);
    return 0;
}

bool portfolio_core_folds(unsigned type)
{
    static const bool folds[ZVT_T_LIMIT] = {
        [ZVT_T_POSITION_UPDATED] = true, [ZVT_T_ORDER_EXECUTED] = true, [ZVT_T_POSITION_ADJUSTED] = true,
        [ZVT_T_SYSTEM_STARTED] = true, [ZVT_T_SYSTEM_RECOVERED] = true, /* a new writer begins with them */
    };
    return type < ZVT_T_LIMIT && folds[type];
}

int portfolio_core_on_event(portfolio_core_t *self, const zvt_event_t *event)
{
    s_see_epoch(self, event->metadata.epoch);
    bool concerned = event->type == ZVT_T_POSITION_UPDATED || event->type == ZVT_T_ORDER_EXECUTED || event->type == ZVT_T_POSITION_ADJUSTED;
    int status = concerned ? zvt_read_payload(event, &self->record) : 0;
    if (!concerned || status != 0) return status;
    if (event->type == ZVT_T_ORDER_EXECUTED) return s_fold_executed(self, &self->record.order_executed);
    if (event->type == ZVT_T_POSITION_ADJUSTED) return s_fold_adjusted(self, event, &self->record.position_adjusted);
    return s_fold_position(self, event, &self->record.position_updated);
}

/* ---- questions ---- */
static zvt_position_row_t s_row(const portfolio_core_t *self, const slot_t *slot)
{
    zvt_position_row_t row = {.position_id = slot->position_id,
                              .quantity_e8 = slot->committed.quantity_e8,
                              .avg_price_e8 = slot->committed.avg_price_e8,
                              .realized_pnl_e8 = slot->committed.realized_pnl_e8,
                              .commission_e8 = slot->committed.commission_e8,
                              .seq = slot->seq};
    memcpy(row.portfolio_id, slot->key.portfolio_id, sizeof row.portfolio_id);
    memcpy(row.strategy_id, slot->key.strategy_id, sizeof row.strategy_id);
    memcpy(row.symbol, slot->key.symbol, sizeof row.symbol);
    row.market_price_e8 = slot->instrument < 0 ? 0 : self->last_mid_e8[slot->instrument];
    if (row.market_price_e8 == 0) return row; /* never quoted: no value is better than a wrong one */
    row.market_value_e8 = position_core_market_value(&slot->committed, row.market_price_e8);
    row.unrealized_pnl_e8 = position_core_unrealized_pnl(&slot->committed, row.market_price_e8);
    return row;
}

void portfolio_core_visit(const portfolio_core_t *self, portfolio_row_fn *emit, void *arg)
{
    for (uint32_t i = 0; i < self->slots_count; i++) {
        if (self->slots[i].seq == 0) continue;
        zvt_position_row_t row = s_row(self, &self->slots[i]);
        emit(arg, i, &row);
    }
}

static int s_compare(const void *a, const void *b, void *arg)
{
    const slot_t *slots = arg;
    return memcmp(&slots[*(const uint32_t *)a].key, &slots[*(const uint32_t *)b].key, sizeof(position_key_t));
}

static bool s_wanted(const slot_t *slot, const zvt_positions_query_t *query)
{
    if (slot->seq == 0) return false;
    if (query->portfolio_id[0] != '\0' && strcmp(query->portfolio_id, slot->key.portfolio_id) != 0) return false;
    return query->strategy_id[0] == '\0' || strcmp(query->strategy_id, slot->key.strategy_id) == 0;
}

/* Puts the indices of the wanted positions into `sorted` and returns their number. */
static uint32_t s_sort(const portfolio_core_t *self, const zvt_positions_query_t *query)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->slots_count; i++)
        if (s_wanted(&self->slots[i], query)) self->sorted[count++] = i;
    qsort_r(self->sorted, count, sizeof *self->sorted, s_compare, self->slots);
    return count;
}

static int64_t s_bounded_sum(int64_t a_e8, int64_t b_e8)
{
    int64_t sum_e8;
    if (zvt_fixed_add(a_e8, b_e8, &sum_e8) == 0) return sum_e8;
    return a_e8 < 0 ? -INT64_MAX : INT64_MAX;
}

static void s_add_to_total(zvt_position_row_t *total, const zvt_position_row_t *row)
{
    memcpy(total->portfolio_id, row->portfolio_id, sizeof total->portfolio_id);
    total->market_value_e8 = s_bounded_sum(total->market_value_e8, row->market_value_e8);
    total->realized_pnl_e8 = s_bounded_sum(total->realized_pnl_e8, row->realized_pnl_e8);
    total->unrealized_pnl_e8 = s_bounded_sum(total->unrealized_pnl_e8, row->unrealized_pnl_e8);
    total->commission_e8 = s_bounded_sum(total->commission_e8, row->commission_e8);
    if (row->seq > total->seq) total->seq = row->seq;
}

/* Adds up the sorted positions from `begin` on that belong to one portfolio; returns where the next portfolio begins. */
static uint32_t s_total(const portfolio_core_t *self, uint32_t begin, uint32_t count, zvt_position_row_t *total)
{
    uint32_t i = begin;
    const char *portfolio_id = self->slots[self->sorted[begin]].key.portfolio_id;
    memset(total, 0, sizeof *total);
    for (; i < count && strcmp(self->slots[self->sorted[i]].key.portfolio_id, portfolio_id) == 0; i++) {
        zvt_position_row_t row = s_row(self, &self->slots[self->sorted[i]]);
        s_add_to_total(total, &row);
    }
    return i;
}

uint32_t portfolio_core_query(const portfolio_core_t *self, const zvt_positions_query_t *query, portfolio_row_fn *emit,
                              void *arg)
{
    uint32_t count = s_sort(self, query), rows = count;
    for (uint32_t i = 0; i < count; i++) {
        zvt_position_row_t row = s_row(self, &self->slots[self->sorted[i]]);
        emit(arg, self->sorted[i], &row);
    }
    for (uint32_t i = 0; i < count; rows++) {
        zvt_position_row_t total;
        i = s_total(self, i, count, &total);
        emit(arg, PORTFOLIO_NO_NUMBER, &total);
    }
    return rows;
}

static void s_dump_slot(const slot_t *slot, FILE *out)
{
    char quantity[ZVT_FIXED_TEXT], average[ZVT_FIXED_TEXT], realized[ZVT_FIXED_TEXT], commission[ZVT_FIXED_TEXT];
    zvt_fixed_format(slot->committed.quantity_e8, quantity);
    zvt_fixed_format(slot->committed.avg_price_e8, average);
    zvt_fixed_format(slot->committed.realized_pnl_e8, realized);
    zvt_fixed_format(slot->committed.commission_e8, commission);
    fprintf(out, "position %s|%s|%s quantity=%s avg_price=%s realized_pnl=%s commission=%s seq=%" PRIu64 "\n",
            slot->key.portfolio_id, slot->key.strategy_id, slot->key.symbol, quantity, average, realized, commission,
            slot->seq);
}

uint32_t portfolio_core_dump(const portfolio_core_t *self, FILE *out)
{
    zvt_positions_query_t all = {0};
    uint32_t count = s_sort(self, &all);
    for (uint32_t i = 0; i < count; i++) s_dump_slot(&self->slots[self->sorted[i]], out);
    return count;
}

/* ---- saving and loading ---- */
typedef struct {
    portfolio_save_fn *save;
    void *arg;
} saving_t;

static void s_save_row(void *arg, uint32_t number, const zvt_position_row_t *row)
{
    const saving_t *saving = arg;
    (void)number;
    saving->save(saving->arg, ZVT_T_POSITION_ROW, row);
}

void portfolio_core_save(const portfolio_core_t *self, portfolio_save_fn *save, void *arg)
{
    zvt_system_started_t started = {.epoch = self->epoch};
    saving_t saving = {.save = save, .arg = arg};
    save(arg, ZVT_T_SYSTEM_STARTED, &started);
    portfolio_core_visit(self, s_save_row, &saving);
}

int portfolio_core_load(portfolio_core_t *self, const zvt_record_t *record)
{
    if (record->type == ZVT_T_SYSTEM_STARTED) {
        s_see_epoch(self, record->system_started.epoch);
        return 0;
    }
    if (record->type != ZVT_T_POSITION_ROW) return ZVT_ERR_TYPE;
    const zvt_position_row_t *row = &record->position_row;
    position_key_t key = s_key(row->portfolio_id, row->strategy_id, row->symbol);
    slot_t *slot = s_take_slot(self, &key);
    if (slot == NULL) return ZVT_ERR_FULL;
    slot->seq = row->seq;
    slot->committed = (position_t){.quantity_e8 = row->quantity_e8,
                                   .avg_price_e8 = row->avg_price_e8,
                                   .realized_pnl_e8 = row->realized_pnl_e8,
                                   .commission_e8 = row->commission_e8};
    return 0;
}
