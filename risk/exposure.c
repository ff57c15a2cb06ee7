#define _GNU_SOURCE /* qsort_r */

#include "exposure.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_fixed.h"
#include "zvt_map.h"

/* One key with a position or with reservations; one that has neither is no slot. */
typedef struct {
    exposure_key_t key;
    exposure_sum_t sum;
    uint32_t reservations; /* orders that hold one */
} slot_t;

/* Numbers of unused elements of an array, last freed first. */
typedef struct {
    uint32_t *numbers;
    uint32_t count;
} pool_t;

struct exposure {
    zvt_map_t *order_map; /* order_id -> orders */
    zvt_map_t *key_map;   /* key -> slots */
    zvt_map_t *ended_map; /* order_id -> ended: a question about an order may come after the order's end */
    zvt_id_t *ended;      /* ring of EXPOSURE_ENDED_MAX */
    uint64_t ended_count; /* ever */
    pool_t free_orders;
    pool_t free_slots;
    uint32_t *sorted; /* scratch of exposure_dump, as large as the larger table */
    exposure_stats_t stats;
    exposure_order_t *orders;
    slot_t *slots;
};

/* ---- memory ---- */
static void *s_alloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    ZVT_ASSERT(memory != NULL);
    return memory;
}

static pool_t s_pool_new(uint32_t capacity)
{
    pool_t pool = {.numbers = s_alloc(capacity, sizeof *pool.numbers), .count = capacity};
    for (uint32_t i = 0; i < capacity; i++) pool.numbers[i] = capacity - 1 - i;
    return pool;
}

exposure_t *exposure_new(void)
{
    _Static_assert(EXPOSURE_ORDERS_MAX >= EXPOSURE_KEYS_MAX, "the scratch of a dump has the size of the larger table");
    exposure_t *self = s_alloc(1, sizeof *self);
    self->order_map = zvt_map_new(sizeof(zvt_id_t), EXPOSURE_ORDERS_MAX);
    self->key_map = zvt_map_new(sizeof(exposure_key_t), EXPOSURE_KEYS_MAX);
    self->ended_map = zvt_map_new(sizeof(zvt_id_t), EXPOSURE_ENDED_MAX);
    self->ended = s_alloc(EXPOSURE_ENDED_MAX, sizeof *self->ended);
    self->free_orders = s_pool_new(EXPOSURE_ORDERS_MAX);
    self->free_slots = s_pool_new(EXPOSURE_KEYS_MAX);
    self->sorted = s_alloc(EXPOSURE_ORDERS_MAX, sizeof *self->sorted);
    self->orders = s_alloc(EXPOSURE_ORDERS_MAX, sizeof *self->orders);
    self->slots = s_alloc(EXPOSURE_KEYS_MAX, sizeof *self->slots);
    return self;
}

void exposure_destroy(exposure_t **self)
{
    if (*self == NULL) return;
    zvt_map_destroy(&(*self)->order_map);
    zvt_map_destroy(&(*self)->key_map);
    zvt_map_destroy(&(*self)->ended_map);
    free((*self)->ended);
    free((*self)->free_orders.numbers);
    free((*self)->free_slots.numbers);
    free((*self)->sorted);
    free((*self)->orders);
    free((*self)->slots);
    free(*self);
    *self = NULL;
}

/* ---- slots ---- */
static slot_t *s_find_slot(const exposure_t *self, const exposure_key_t *key)
{
    uint32_t index = zvt_map_get(self->key_map, key);
    return index == ZVT_MAP_NONE ? NULL : &self->slots[index];
}

/* Finds or makes the slot of a key; NULL when all are taken. */
static slot_t *s_take_slot(exposure_t *self, const exposure_key_t *key)
{
    slot_t *slot = s_find_slot(self, key);
    if (slot != NULL) return slot;
    if (self->free_slots.count == 0) return NULL;
    uint32_t index = self->free_slots.numbers[--self->free_slots.count];
    ZVT_ASSERT(zvt_map_put(self->key_map, key, index) == 0);
    slot = &self->slots[index];
    memset(slot, 0, sizeof *slot);
    slot->key = *key;
    self->stats.keys++;
    return slot;
}

/* A closed position is none: what has been traded leaves nothing behind, in the digest and the snapshot neither. */
static void s_drop_slot_if_unused(exposure_t *self, slot_t *slot)
{
    if (slot->sum.position_e8 != 0 || slot->reservations > 0) return;
    ZVT_ASSERT(zvt_map_remove(self->key_map, &slot->key));
    self->free_slots.numbers[self->free_slots.count++] = (uint32_t)(slot - self->slots);
    self->stats.keys--;
}

/* ---- orders ---- */
static exposure_order_t *s_find_order(const exposure_t *self, const zvt_id_t *order_id)
{
    uint32_t index = zvt_map_get(self->order_map, order_id);
    return index == ZVT_MAP_NONE ? NULL : &self->orders[index];
}

static exposure_order_t *s_take_order(exposure_t *self, const zvt_id_t *order_id, const exposure_terms_t *terms)
{
    if (self->free_orders.count == 0) return NULL;
    uint32_t index = self->free_orders.numbers[--self->free_orders.count];
    ZVT_ASSERT(zvt_map_put(self->order_map, order_id, index) == 0);
    exposure_order_t *order = &self->orders[index];
    memset(order, 0, sizeof *order);
    order->order_id = *order_id;
    order->terms = *terms;
    order->leaves_e8 = terms->quantity_e8 > 0 ? terms->quantity_e8 : 0;
    self->stats.orders++;
    return order;
}

static void s_drop_order_if_unused(exposure_t *self, exposure_order_t *order)
{
    if (order->requested || order->validated || order->provisional) return;
    ZVT_ASSERT(zvt_map_remove(self->order_map, &order->order_id));
    self->free_orders.numbers[self->free_orders.count++] = (uint32_t)(order - self->orders);
    self->stats.orders--;
}

static bool s_is_reserved(const exposure_order_t *order)
{
    return order->validated || order->provisional;
}

static void s_add_pending(slot_t *slot, uint8_t side, int64_t change_e8)
{
    if (side == ZVT_SIDE_BUY) slot->sum.pending_buy_e8 += change_e8;
    if (side == ZVT_SIDE_SELL) slot->sum.pending_sell_e8 += change_e8;
}

/* The one place where an order begins or ceases to count against its key. ZVT_ERR_FULL leaves it as it was. */
static int s_set_reservation(exposure_t *self, exposure_order_t *order, bool validated, bool provisional)
{
    bool before = s_is_reserved(order), after = validated || provisional;
    if (!before && after) {
        slot_t *slot = s_take_slot(self, &order->terms.key);
        if (slot == NULL) return ZVT_ERR_FULL;
        order->key_index = (uint32_t)(slot - self->slots);
        slot->reservations++;
        s_add_pending(slot, order->terms.side, order->leaves_e8);
    } else if (before && !after) {
        slot_t *slot = &self->slots[order->key_index];
        slot->reservations--;
        s_add_pending(slot, order->terms.side, -order->leaves_e8);
        s_drop_slot_if_unused(self, slot);
    }
    self->stats.provisional += (uint32_t)provisional - (uint32_t)order->provisional;
    order->validated = validated;
    order->provisional = provisional;
    return 0;
}

static void s_clear_reservation(exposure_t *self, exposure_order_t *order)
{
    ZVT_ASSERT(s_set_reservation(self, order, false, false) == 0);
}

/* ---- questions ---- */
exposure_sum_t exposure_of(const exposure_t *self, const exposure_key_t *key)
{
    const slot_t *slot = s_find_slot(self, key);
    return slot == NULL ? (exposure_sum_t){0} : slot->sum;
}

bool exposure_has_ended(const exposure_t *self, const zvt_id_t *order_id)
{
    return zvt_map_get(self->ended_map, order_id) != ZVT_MAP_NONE;
}

const exposure_order_t *exposure_order(const exposure_t *self, const zvt_id_t *order_id)
{
    return s_find_order(self, order_id);
}

bool exposure_has_room_for_order(const exposure_t *self)
{
    return self->stats.orders < EXPOSURE_ORDERS_MAX / 4 * 3;
}

bool exposure_has_room_for_key(const exposure_t *self, const exposure_key_t *key)
{
    return self->stats.keys < EXPOSURE_KEYS_MAX / 4 * 3 || s_find_slot(self, key) != NULL;
}

exposure_stats_t exposure_stats(const exposure_t *self)
{
    return self->stats;
}

/* ---- provisional reservations ---- */
int exposure_reserve(exposure_t *self, const zvt_id_t *order_id, const exposure_terms_t *terms, uint64_t epoch,
                     const exposure_verdict_t *verdict)
{
    exposure_order_t *order = s_find_order(self, order_id);
    if (order == NULL) order = s_take_order(self, order_id, terms);
    if (order == NULL) return ZVT_ERR_FULL;
    int status = s_set_reservation(self, order, order->validated, true);
    if (status == 0) {
        order->epoch = epoch;
        order->verdict = *verdict;
    }
    s_drop_order_if_unused(self, order);
    return status;
}

bool exposure_release(exposure_t *self, const zvt_id_t *order_id, uint64_t epoch)
{
    exposure_order_t *order = s_find_order(self, order_id);
    if (order == NULL || !order->provisional || order->epoch != epoch) return false;
    ZVT_ASSERT(s_set_reservation(self, order, order->validated, false) == 0);
    s_drop_order_if_unused(self, order);
    return true;
}

uint32_t exposure_release_before(exposure_t *self, uint64_t epoch)
{
    uint32_t released = 0;
    for (uint32_t i = 0; i < EXPOSURE_ORDERS_MAX && self->stats.provisional > 0; i++) {
        const exposure_order_t *order = &self->orders[i];
        if (order->provisional && order->epoch < epoch) released += exposure_release(self, &order->order_id, order->epoch);
    }
    return released;
}

/* ---- the fold ---- */
int exposure_on_requested(exposure_t *self, const zvt_id_t *order_id, const exposure_terms_t *terms)
{
    exposure_order_t *order = s_find_order(self, order_id);
    if (order != NULL && order->requested) {
        self->stats.unmatched++;
        return 0;
    }
    /* A verdict given ahead of the commit was about these very terms; if not, the log's count and the verdict is void. */
    if (order != NULL && memcmp(&order->terms, terms, sizeof *terms) != 0) {
        self->stats.unmatched++;
        s_clear_reservation(self, order);
        s_drop_order_if_unused(self, order);
        order = NULL;
    }
    if (order == NULL) order = s_take_order(self, order_id, terms);
    if (order == NULL) return ZVT_ERR_FULL;
    order->requested = true;
    return 0;
}

int exposure_on_validated(exposure_t *self, const zvt_id_t *order_id, const exposure_verdict_t *verdict)
{
    exposure_order_t *order = s_find_order(self, order_id);
    if (order == NULL || !order->requested || order->validated) {
        self->stats.unmatched++;
        return 0;
    }
    int status = s_set_reservation(self, order, true, false);
    if (status == 0) order->verdict = *verdict;
    return status;
}

/* Takes what a fill executed out of its order. An order that has ended has nothing pending: a late fill only moves the
 * position. */
static void s_take_leaves(exposure_t *self, const zvt_id_t *order_id, int64_t quantity_change_e8)
{
    exposure_order_t *order = s_find_order(self, order_id);
    if (order == NULL) return;
    __int128 executed_e8 = quantity_change_e8 < 0 ? -(__int128)quantity_change_e8 : quantity_change_e8;
    int64_t taken_e8 = executed_e8 < order->leaves_e8 ? (int64_t)executed_e8 : order->leaves_e8;
    if (s_is_reserved(order)) s_add_pending(&self->slots[order->key_index], order->terms.side, -taken_e8);
    order->leaves_e8 -= taken_e8;
}

int exposure_on_position(exposure_t *self, const zvt_position_updated_t *position)
{
    exposure_key_t key;
    memcpy(key.portfolio_id, position->portfolio_id, sizeof key.portfolio_id);
    memcpy(key.strategy_id, position->strategy_id, sizeof key.strategy_id);
    memcpy(key.symbol, position->symbol, sizeof key.symbol);
    slot_t *slot = s_take_slot(self, &key);
    if (slot == NULL) return ZVT_ERR_FULL;
    slot->sum.position_e8 = position->new_quantity_e8;
    s_take_leaves(self, &position->order_id, position->quantity_change_e8);
    s_drop_slot_if_unused(self, slot);
    return 0;
}

static void s_remember_ended(exposure_t *self, const zvt_id_t *order_id)
{
    if (exposure_has_ended(self, order_id)) return;
    zvt_id_t *place = &self->ended[self->ended_count % EXPOSURE_ENDED_MAX];
    if (self->ended_count >= EXPOSURE_ENDED_MAX) (void)zvt_map_remove(self->ended_map, place);
    *place = *order_id;
    ZVT_ASSERT(zvt_map_put(self->ended_map, place, (uint32_t)(self->ended_count++ % EXPOSURE_ENDED_MAX)) == 0);
}

void exposure_on_ended(exposure_t *self, const zvt_id_t *order_id)
{
    s_remember_ended(self, order_id);
    exposure_order_t *order = s_find_order(self, order_id);
    if (order == NULL) {
        self->stats.unmatched++;
        return;
    }
    s_clear_reservation(self, order);
    order->requested = false;
    s_drop_order_if_unused(self, order);
}

/* ---- the shortest log that makes the same state ---- */
static void s_save_position(const exposure_key_t *key, const zvt_id_t *order_id, int64_t change_e8, int64_t quantity_e8,
                            exposure_save_fn *save, void *arg)
{
    zvt_position_updated_t position = {.order_id = *order_id, .quantity_change_e8 = change_e8, .new_quantity_e8 = quantity_e8};
    memcpy(position.portfolio_id, key->portfolio_id, sizeof position.portfolio_id);
    memcpy(position.strategy_id, key->strategy_id, sizeof position.strategy_id);
    memcpy(position.symbol, key->symbol, sizeof position.symbol);
    save(arg, ZVT_T_POSITION_UPDATED, &position);
}

static void s_save_order(const exposure_order_t *order, exposure_save_fn *save, void *arg)
{
    const exposure_key_t *key = &order->terms.key;
    zvt_order_requested_t requested = {.order_id = order->order_id};
    memcpy(requested.portfolio_id, key->portfolio_id, sizeof requested.portfolio_id);
    memcpy(requested.strategy_id, key->strategy_id, sizeof requested.strategy_id);
    memcpy(requested.order_request.symbol, key->symbol, sizeof requested.order_request.symbol);
    requested.order_request.side = order->terms.side;
    requested.order_request.quantity_e8 = order->terms.quantity_e8;
    save(arg, ZVT_T_ORDER_REQUESTED, &requested);
    if (order->validated) {
        zvt_order_validated_t validated = {.order_id = order->order_id, .validation_result = order->verdict.result,
                                           .risk_score_e8 = order->verdict.risk_score_e8};
        save(arg, ZVT_T_ORDER_VALIDATED, &validated);
    }
    int64_t executed_e8 = order->terms.quantity_e8 > 0 ? order->terms.quantity_e8 - order->leaves_e8 : 0;
    if (executed_e8 > 0) s_save_position(key, &order->order_id, executed_e8, 0, save, arg);
}

void exposure_save(const exposure_t *self, exposure_save_fn *save, void *arg)
{
    static const zvt_id_t no_order;
    for (uint32_t i = 0; i < EXPOSURE_ORDERS_MAX; i++)
        if (self->orders[i].requested) s_save_order(&self->orders[i], save, arg);
    for (uint32_t i = 0; i < EXPOSURE_KEYS_MAX; i++) {
        const slot_t *slot = &self->slots[i];
        if (slot->sum.position_e8 != 0) s_save_position(&slot->key, &no_order, 0, slot->sum.position_e8, save, arg);
    }
}

/* ---- canonical text ---- */
static int s_compare_slots(const void *a, const void *b, void *arg)
{
    const slot_t *slots = arg;
    return memcmp(&slots[*(const uint32_t *)a].key, &slots[*(const uint32_t *)b].key, sizeof(exposure_key_t));
}

static int s_compare_orders(const void *a, const void *b, void *arg)
{
    const exposure_order_t *orders = arg;
    return memcmp(&orders[*(const uint32_t *)a].order_id, &orders[*(const uint32_t *)b].order_id, sizeof(zvt_id_t));
}

static uint32_t s_dump_positions(const exposure_t *self, FILE *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < EXPOSURE_KEYS_MAX; i++)
        if (self->slots[i].sum.position_e8 != 0) self->sorted[count++] = i;
    qsort_r(self->sorted, count, sizeof *self->sorted, s_compare_slots, self->slots);
    for (uint32_t i = 0; i < count; i++) {
        const slot_t *slot = &self->slots[self->sorted[i]];
        char quantity[ZVT_FIXED_TEXT];
        zvt_fixed_format(slot->sum.position_e8, quantity);
        fprintf(out, "position %s|%s|%s %s\n", slot->key.portfolio_id, slot->key.strategy_id, slot->key.symbol, quantity);
    }
    return count;
}

static void s_dump_order(const exposure_order_t *order, FILE *out)
{
    char id[ZVT_ID_TEXT], quantity[ZVT_FIXED_TEXT], leaves[ZVT_FIXED_TEXT];
    zvt_id_format(&order->order_id, id);
    zvt_fixed_format(order->terms.quantity_e8, quantity);
    zvt_fixed_format(order->leaves_e8, leaves);
    fprintf(out, "order %s %s|%s|%s %s quantity=%s leaves=%s %s\n", id, order->terms.key.portfolio_id,
            order->terms.key.strategy_id, order->terms.key.symbol, zvt_enum_text(ZVT_ENUM_OF_SIDE, order->terms.side),
            quantity, leaves, order->validated ? "validated" : "requested");
}

static uint32_t s_dump_orders(const exposure_t *self, FILE *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < EXPOSURE_ORDERS_MAX; i++)
        if (self->orders[i].requested) self->sorted[count++] = i;
    qsort_r(self->sorted, count, sizeof *self->sorted, s_compare_orders, self->orders);
    for (uint32_t i = 0; i < count; i++) s_dump_order(&self->orders[self->sorted[i]], out);
    return count;
}

uint32_t exposure_dump(const exposure_t *self, FILE *out)
{
    return s_dump_positions(self, out) + s_dump_orders(self, out);
}
