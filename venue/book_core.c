#include "book_core.h"

#include <stdlib.h>
#include <string.h>

#include "zvt_fixed.h"

typedef struct {
    book_order_t order;
    uint32_t next, previous; /* in the level's queue; `next` also chains free nodes */
} node_t;

typedef struct {
    int64_t price_e8;
    int64_t total_e8;    /* of all orders here */
    uint32_t head, tail; /* oldest and youngest order */
} book_level_t;

typedef struct {
    book_level_t *levels; /* worst first, so that the best stands at the end */
    uint32_t count;
} book_side_t;

struct book_core {
    book_side_t sides[2];
    node_t *nodes;
    uint32_t free; /* first node that was used and is free again */
    uint32_t nodes_used; /* nodes beyond were never touched, so that a large bound costs no memory */
    uint32_t orders_max;
    uint32_t orders_count;
    uint32_t levels_max;
};

book_core_t *book_core_new(uint32_t orders_max, uint32_t levels_max)
{
    book_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->levels_max = levels_max;
    self->orders_max = orders_max;
    self->nodes = calloc(orders_max, sizeof *self->nodes);
    ZVT_ASSERT(self->nodes != NULL);
    for (int i = 0; i < 2; i++) {
        self->sides[i].levels = calloc(levels_max, sizeof *self->sides[i].levels);
        ZVT_ASSERT(self->sides[i].levels != NULL);
    }
    self->free = BOOK_NONE;
    return self;
}

void book_core_destroy(book_core_t **self)
{
    if (*self == NULL) return;
    for (int i = 0; i < 2; i++) free((*self)->sides[i].levels);
    free((*self)->nodes);
    free(*self);
    *self = NULL;
}

static book_side_t *s_side(book_core_t *self, uint8_t side)
{
    return &self->sides[side == ZVT_SIDE_BUY ? 0 : 1];
}

static const book_side_t *s_side_const(const book_core_t *self, uint8_t side)
{
    return &self->sides[side == ZVT_SIDE_BUY ? 0 : 1];
}

/* True when price a stands nearer to the front of the side than price b. */
static bool s_better(uint8_t side, int64_t a_e8, int64_t b_e8)
{
    return side == ZVT_SIDE_BUY ? a_e8 > b_e8 : a_e8 < b_e8;
}

/* Index of the first level that is not worse than the price: its own place, or where it would go. */
static uint32_t s_find_level(const book_side_t *levels, uint8_t side, int64_t price_e8)
{
    uint32_t low = 0, high = levels->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s_better(side, price_e8, levels->levels[middle].price_e8))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool s_level_is(const book_side_t *levels, uint32_t at, int64_t price_e8)
{
    return at < levels->count && levels->levels[at].price_e8 == price_e8;
}

static void s_insert_level(book_side_t *levels, uint32_t at, int64_t price_e8)
{
    memmove(levels->levels + at + 1, levels->levels + at, (levels->count - at) * sizeof *levels->levels);
    levels->levels[at] = (book_level_t){.price_e8 = price_e8, .head = BOOK_NONE, .tail = BOOK_NONE};
    levels->count++;
}

static void s_remove_level(book_side_t *levels, uint32_t at)
{
    levels->count--;
    memmove(levels->levels + at, levels->levels + at + 1, (levels->count - at) * sizeof *levels->levels);
}

static void s_append(book_core_t *self, book_level_t *level, uint32_t handle)
{
    node_t *node = &self->nodes[handle];
    node->previous = level->tail;
    node->next = BOOK_NONE;
    if (level->tail == BOOK_NONE)
        level->head = handle;
    else
        self->nodes[level->tail].next = handle;
    level->tail = handle;
    level->total_e8 += node->order.quantity_e8;
}

static uint32_t s_new_node(book_core_t *self)
{
    if (self->free == BOOK_NONE) return self->nodes_used++;
    uint32_t handle = self->free;
    self->free = self->nodes[handle].next;
    return handle;
}

int book_core_rest(book_core_t *self, const book_order_t *order, uint32_t *handle)
{
    if (order->quantity_e8 <= 0 || order->price_e8 <= 0) return ZVT_ERR_INVALID;
    book_side_t *levels = s_side(self, order->side);
    uint32_t at = s_find_level(levels, order->side, order->price_e8);
    bool known = s_level_is(levels, at, order->price_e8);
    if (self->orders_count == self->orders_max || (!known && levels->count == self->levels_max)) return ZVT_ERR_FULL;
    int64_t total_e8;
    if (known && zvt_fixed_add(levels->levels[at].total_e8, order->quantity_e8, &total_e8) != 0) return ZVT_ERR_FULL;
    if (!known) s_insert_level(levels, at, order->price_e8);
    *handle = s_new_node(self);
    self->nodes[*handle].order = *order;
    s_append(self, &levels->levels[at], *handle);
    self->orders_count++;
    return 0;
}

/* Unlinks an order from the level at `at`, removes the level with its last order, and frees the node. */
static void s_unlink(book_core_t *self, book_side_t *levels, uint32_t at, uint32_t handle)
{
    book_level_t *level = &levels->levels[at];
    node_t *node = &self->nodes[handle];
    if (node->previous == BOOK_NONE)
        level->head = node->next;
    else
        self->nodes[node->previous].next = node->next;
    if (node->next == BOOK_NONE)
        level->tail = node->previous;
    else
        self->nodes[node->next].previous = node->previous;
    level->total_e8 -= node->order.quantity_e8;
    if (level->head == BOOK_NONE) s_remove_level(levels, at);
    node->order.quantity_e8 = 0;
    node->next = self->free;
    self->free = handle;
    self->orders_count--;
}

void book_core_reduce(book_core_t *self, uint32_t handle, int64_t left_e8)
{
    node_t *node = &self->nodes[handle];
    ZVT_ASSERT(left_e8 >= 0);
    ZVT_ASSERT(left_e8 <= node->order.quantity_e8);
    book_side_t *levels = s_side(self, node->order.side);
    uint32_t at = s_find_level(levels, node->order.side, node->order.price_e8);
    ZVT_ASSERT(s_level_is(levels, at, node->order.price_e8));
    if (left_e8 == 0) {
        s_unlink(self, levels, at, handle);
        return;
    }
    levels->levels[at].total_e8 -= node->order.quantity_e8 - left_e8;
    node->order.quantity_e8 = left_e8;
}

void book_core_cancel(book_core_t *self, uint32_t handle)
{
    book_core_reduce(self, handle, 0);
}

const book_order_t *book_core_order(const book_core_t *self, uint32_t handle)
{
    return &self->nodes[handle].order;
}

/* ---- matching ---- */

/* Executes against the oldest order of the level at `at`; returns what was executed. */
static int64_t s_match_head(book_core_t *self, book_side_t *levels, uint32_t at, int64_t wanted_e8, book_fill_fn *fn,
                            void *arg)
{
    book_level_t *level = &levels->levels[at];
    uint32_t handle = level->head;
    node_t *node = &self->nodes[handle];
    int64_t quantity_e8 = wanted_e8 < node->order.quantity_e8 ? wanted_e8 : node->order.quantity_e8;
    book_fill_t fill = {.maker = &node->order, .quantity_e8 = quantity_e8, .left_e8 = node->order.quantity_e8 - quantity_e8};
    fn(arg, &fill);
    if (fill.left_e8 == 0) {
        s_unlink(self, levels, at, handle);
    } else {
        node->order.quantity_e8 = fill.left_e8;
        level->total_e8 -= quantity_e8;
    }
    return quantity_e8;
}

int64_t book_core_match(book_core_t *self, const market_take_t *take, book_fill_fn *fn, void *arg)
{
    book_side_t *levels = s_side(self, market_opposite(take->side));
    int64_t left_e8 = take->quantity_e8;
    for (int fills = 0; fills < MARKET_FILLS_MAX && left_e8 > 0 && levels->count > 0; fills++) {
        uint32_t best = levels->count - 1;
        if (!market_reaches(take->side, take->limit_e8, levels->levels[best].price_e8)) break;
        left_e8 -= s_match_head(self, levels, best, left_e8, fn, arg);
    }
    return take->quantity_e8 - left_e8;
}

void book_core_preview(const book_core_t *self, const market_take_t *take, uint32_t owner, market_preview_t *preview)
{
    *preview = (market_preview_t){0};
    uint32_t handle = book_core_first(self, market_opposite(take->side));
    while (handle != BOOK_NONE) {
        const book_order_t *maker = &self->nodes[handle].order;
        if (!market_reaches(take->side, take->limit_e8, maker->price_e8)) return;
        preview->crosses = true;
        int64_t left_e8 = take->quantity_e8 - preview->quantity_e8;
        if (left_e8 == 0) return;
        if (maker->owner == owner) {
            preview->own = true;
            return;
        }
        if (!market_preview_add(preview, maker->price_e8, left_e8 < maker->quantity_e8 ? left_e8 : maker->quantity_e8)) return;
        handle = book_core_next(self, handle);
    }
}

/* ---- looking ---- */
uint32_t book_core_first(const book_core_t *self, uint8_t side)
{
    const book_side_t *levels = s_side_const(self, side);
    return levels->count == 0 ? BOOK_NONE : levels->levels[levels->count - 1].head;
}

uint32_t book_core_next(const book_core_t *self, uint32_t handle)
{
    const node_t *node = &self->nodes[handle];
    if (node->next != BOOK_NONE) return node->next;
    const book_side_t *levels = s_side_const(self, node->order.side);
    uint32_t at = s_find_level(levels, node->order.side, node->order.price_e8);
    return at == 0 ? BOOK_NONE : levels->levels[at - 1].head;
}

uint32_t book_core_first_at(const book_core_t *self, uint8_t side, int64_t price_e8)
{
    const book_side_t *levels = s_side_const(self, side);
    uint32_t at = s_find_level(levels, side, price_e8);
    return s_level_is(levels, at, price_e8) ? levels->levels[at].head : BOOK_NONE;
}

uint32_t book_core_next_at(const book_core_t *self, uint32_t handle)
{
    return self->nodes[handle].next;
}

int64_t book_core_best(const book_core_t *self, uint8_t side)
{
    const book_side_t *levels = s_side_const(self, side);
    return levels->count == 0 ? 0 : levels->levels[levels->count - 1].price_e8;
}

uint32_t book_core_levels(const book_core_t *self, uint8_t side, zvt_level_t *levels_out, uint32_t max)
{
    const book_side_t *levels = s_side_const(self, side);
    uint32_t count = levels->count < max ? levels->count : max;
    for (uint32_t i = 0; i < count; i++) {
        const book_level_t *level = &levels->levels[levels->count - 1 - i];
        levels_out[i] = (zvt_level_t){.price_e8 = level->price_e8, .quantity_e8 = level->total_e8};
    }
    return count;
}

uint32_t book_core_levels_count(const book_core_t *self, uint8_t side)
{
    return s_side_const(self, side)->count;
}

uint32_t book_core_orders_count(const book_core_t *self)
{
    return self->orders_count;
}
