#include "account_image.h"

#include <string.h>

#include "account_state.h"
#include "zvt_memory.h"

enum {
    ROWS_AT_ONCE = 256, /* gathered before they are written */
    AHEAD = 16,         /* rows between asking for the memory of an id and using it */
    MANY = 10000,       /* ids, hashed, that lie on most pages of the table */
};
enum { SLASHED = 1, TOMBSTONE = 2, FORGOTTEN = 4, FLAGS = 7 };

typedef struct {
    uint32_t instruments, assets, open, free_slots, records; /* rows of each kind, which follow in this order */
    uint32_t records_free, ended_first, ended_last;          /* NO_INDEX: none */
    uint64_t venue_seq;
    uint64_t last_number;
} head_t;
_Static_assert(sizeof(head_t) == 48, "the head's size is part of the format");

typedef struct {
    char symbol[ZVT_SYMBOL_SIZE];
} instrument_row_t;

typedef struct {
    char name[ZVT_ASSET_SIZE];
    uint32_t opened;
    int64_t total_e8;
} asset_row_t;
_Static_assert(sizeof(asset_row_t) == 24, "the row's size is part of the format");

typedef struct {
    uint32_t slot, record;
    char client_order_id[ZVT_CLIENT_ORDER_SIZE];
} open_row_t;
_Static_assert(sizeof(open_row_t) == 48, "the row's size is part of the format");

typedef struct {
    uint16_t slot;
} free_row_t;
_Static_assert(MARKET_SLOTS_MAX <= UINT16_MAX, "a slot fits into its row");

typedef struct {
    zvt_id_t key;
    int64_t expires_at_ns;
    uint64_t first_seq, last_seq, number;
    int64_t limit_e8, quantity_e8, cum_e8;
    uint32_t reports, next;
    uint16_t instrument;
    uint8_t side, state, flags;
    uint8_t reserved[3]; /* 0 */
} record_row_t;
_Static_assert(sizeof(record_row_t) == 88, "the row's size is part of the format");
_Static_assert(offsetof(record_row_t, key) == 0, "the key can be had before the row is read");

/* ---- writing ---- */
typedef struct {
    const account_core_t *account;
    account_image_fn *fn;
    void *arg;
} save_t;

static int s_save_head(const save_t *self)
{
    const account_core_t *account = self->account;
    head_t head = {.instruments = account->config.fleet->instruments_count, .assets = account->balances.count,
                   .open = account->open_count, .free_slots = MARKET_SLOTS_MAX - account->open_count,
                   .records = account->records_used, .records_free = account->records_free,
                   .ended_first = account->ended_first, .ended_last = account->ended_last,
                   .venue_seq = account->venue_seq, .last_number = account->last_number};
    return self->fn(self->arg, &head, sizeof head);
}

static int s_save_names(const save_t *self)
{
    const account_core_t *account = self->account;
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < account->config.fleet->instruments_count; i++) {
        instrument_row_t row = {.symbol = ""};
        ZVT_STR_SET(row.symbol, account->config.fleet->instruments[i].symbol);
        status = self->fn(self->arg, &row, sizeof row);
    }
    for (uint32_t i = 0; status == 0 && i < account->balances.count; i++) {
        const balance_t *asset = &account->balances.assets[i];
        asset_row_t row = {.opened = asset->opened, .total_e8 = asset->total_e8};
        ZVT_STR_SET(row.name, asset->name);
        status = self->fn(self->arg, &row, sizeof row);
    }
    return status;
}

static int s_save_slots(const save_t *self)
{
    const account_core_t *account = self->account;
    int status = 0;
    for (uint32_t slot = 0; status == 0 && slot < MARKET_SLOTS_MAX; slot++) {
        if (account->slots[slot].record == NO_INDEX) continue;
        open_row_t row = {.slot = slot, .record = account->slots[slot].record};
        ZVT_STR_SET(row.client_order_id, account->slots[slot].client_order_id);
        status = self->fn(self->arg, &row, sizeof row);
    }
    for (uint32_t slot = account->slots_free; status == 0 && slot != NO_INDEX; slot = account->slots[slot].next) {
        free_row_t row = {.slot = (uint16_t)slot};
        status = self->fn(self->arg, &row, sizeof row);
    }
    return status;
}

static void s_to_row(const account_record_t *record, record_row_t *row)
{
    *row = (record_row_t){.key = record->key, .expires_at_ns = record->expires_at_ns, .first_seq = record->first_seq,
                          .last_seq = record->last_seq, .number = record->number, .limit_e8 = record->limit_e8,
                          .quantity_e8 = record->quantity_e8, .cum_e8 = record->cum_e8, .reports = record->reports,
                          .next = record->next, .instrument = record->instrument, .side = record->side,
                          .state = record->state};
    row->flags = (uint8_t)((record->slashed ? SLASHED : 0) | (record->tombstone ? TOMBSTONE : 0) |
                           (record->forgotten ? FORGOTTEN : 0));
}

static int s_save_records(const save_t *self)
{
    record_row_t rows[ROWS_AT_ONCE];
    int status = 0;
    for (uint32_t at = 0; status == 0 && at < self->account->records_used;) {
        uint32_t count = 0;
        for (; count < ROWS_AT_ONCE && at < self->account->records_used; count++, at++)
            s_to_row(&self->account->records[at], &rows[count]);
        status = self->fn(self->arg, rows, count * sizeof rows[0]);
    }
    return status;
}

int account_image_save(const account_core_t *account, account_image_fn *fn, void *arg)
{
    save_t save = {.account = account, .fn = fn, .arg = arg};
    int status = s_save_head(&save);
    if (status == 0) status = s_save_names(&save);
    if (status == 0) status = s_save_slots(&save);
    return status != 0 ? status : s_save_records(&save);
}

/* ---- reading ---- */

/* What can have become of an order here; 0 is one that was taken in, or a tombstone. */
static const bool s_states[] = {
    [0] = true,
    [ZVT_ORDER_STATE_ACCEPTED] = true,
    [ZVT_ORDER_STATE_PARTIALLY_FILLED] = true,
    [ZVT_ORDER_STATE_FILLED] = true,
    [ZVT_ORDER_STATE_CANCELED] = true,
    [ZVT_ORDER_STATE_EXPIRED] = true,
    [ZVT_ORDER_STATE_REJECTED] = true,
};

typedef struct {
    account_core_t *account;
    head_t head;
    const uint8_t *at; /* the next row; all of them are there */
} load_t;

static void s_take(load_t *self, void *row, size_t size)
{
    memcpy(row, self->at, size);
    self->at += size;
}

static bool s_is_index(const load_t *self, uint32_t record)
{
    return record == NO_INDEX || record < self->head.records;
}

static int s_check_head(const load_t *self, size_t size)
{
    const head_t *head = &self->head;
    const account_config_t *config = &self->account->config;
    if (head->records > config->ids_max) return ZVT_ERR_FULL;
    if (head->instruments != config->fleet->instruments_count) return ZVT_ERR_INVALID;
    if (head->assets < self->account->balances.count || head->assets > BALANCES_ASSETS_MAX) return ZVT_ERR_INVALID;
    if (head->open > MARKET_SLOTS_MAX || head->free_slots != MARKET_SLOTS_MAX - head->open) return ZVT_ERR_CORRUPT;
    bool chains = s_is_index(self, head->records_free) && s_is_index(self, head->ended_first) &&
                  s_is_index(self, head->ended_last);
    if (!chains) return ZVT_ERR_CORRUPT;
    size_t rows = head->instruments * sizeof(instrument_row_t) + head->assets * sizeof(asset_row_t) +
                  head->open * sizeof(open_row_t) + head->free_slots * sizeof(free_row_t) +
                  head->records * sizeof(record_row_t);
    return size == sizeof *head + rows ? 0 : ZVT_ERR_TRUNCATED;
}

/* The fleet's assets come first and in its order; behind them are those that it had once. */
static int s_load_names(load_t *self)
{
    account_core_t *account = self->account;
    for (uint32_t i = 0; i < self->head.instruments; i++) {
        instrument_row_t row;
        s_take(self, &row, sizeof row);
        const char *symbol = account->config.fleet->instruments[i].symbol;
        if (strncmp(row.symbol, symbol, sizeof row.symbol) != 0) return ZVT_ERR_INVALID;
    }
    for (uint32_t i = 0; i < self->head.assets; i++) {
        asset_row_t row;
        s_take(self, &row, sizeof row);
        if (memchr(row.name, 0, sizeof row.name) == NULL || row.opened > 1) return ZVT_ERR_CORRUPT;
        if (balances_core_asset(&account->balances, row.name) != i) return ZVT_ERR_INVALID;
        account->balances.assets[i].opened = row.opened != 0;
        account->balances.assets[i].total_e8 = row.total_e8;
    }
    return 0;
}

static int s_load_record(load_t *self, uint32_t index, uint32_t *open)
{
    record_row_t row;
    account_core_t *account = self->account;
    account_record_t *record = &account->records[index];
    s_take(self, &row, sizeof row);
    bool known = row.instrument < self->head.instruments || row.instrument == NO_INSTRUMENT;
    bool possible = row.state < sizeof s_states && s_states[row.state];
    if (!known || !possible || row.flags > FLAGS || !s_is_index(self, row.next)) return ZVT_ERR_CORRUPT;
    *record = (account_record_t){.key = row.key, .expires_at_ns = row.expires_at_ns, .first_seq = row.first_seq,
                                 .last_seq = row.last_seq, .number = row.number, .limit_e8 = row.limit_e8,
                                 .quantity_e8 = row.quantity_e8, .cum_e8 = row.cum_e8, .reports = row.reports,
                                 .next = row.next, .slot = NO_INDEX, .instrument = row.instrument, .side = row.side,
                                 .state = row.state, .slashed = (row.flags & SLASHED) != 0,
                                 .tombstone = (row.flags & TOMBSTONE) != 0, .forgotten = (row.flags & FORGOTTEN) != 0};
    if (record->forgotten) return 0;
    *open += account_state_is_open(record);
    if (record->tombstone && record->state != 0) return ZVT_ERR_CORRUPT;
    return zvt_map_put(account->ids, &record->key, index);
}

static int s_load_records(load_t *self)
{
    uint32_t open = 0, forgotten = 0;
    zvt_map_t *ids = self->account->ids;
    if (self->head.records > MANY) {
        zvt_map_warm(ids);
        zvt_memory_warm(self->account->records, self->head.records * sizeof *self->account->records);
    }
    for (uint32_t i = 0; i < self->head.records; i++) {
        if (i + AHEAD < self->head.records) zvt_map_prefetch(ids, self->at + AHEAD * sizeof(record_row_t));
        int status = s_load_record(self, i, &open);
        if (status != 0) return status;
        forgotten += self->account->records[i].forgotten;
    }
    self->account->records_used = self->head.records;
    bool unique = zvt_map_count(ids) == self->head.records - forgotten;
    return unique && open == self->head.open ? 0 : ZVT_ERR_CORRUPT;
}

/* Follows a chain of records, all of which are forgotten or all of which have ended. Its last one goes to *last. */
static int s_follow(load_t *self, uint32_t first, bool forgotten, uint32_t *last)
{
    uint32_t left = self->head.records;
    *last = NO_INDEX;
    for (uint32_t index = first; index != NO_INDEX; index = self->account->records[index].next) {
        const account_record_t *record = &self->account->records[index];
        bool ended = record->tombstone || (record->state != 0 && !account_state_is_open(record));
        if (left-- == 0 || record->forgotten != forgotten || (!forgotten && !ended)) return ZVT_ERR_CORRUPT;
        *last = index;
    }
    return 0;
}

static int s_load_chains(load_t *self)
{
    uint32_t last;
    account_core_t *account = self->account;
    account->records_free = self->head.records_free;
    account->ended_first = self->head.ended_first;
    account->ended_last = self->head.ended_last;
    int status = s_follow(self, account->records_free, true, &last);
    if (status == 0) status = s_follow(self, account->ended_first, false, &last);
    return status != 0 || last == account->ended_last ? status : ZVT_ERR_CORRUPT;
}

static int s_load_open(load_t *self)
{
    open_row_t row;
    account_core_t *account = self->account;
    s_take(self, &row, sizeof row);
    if (row.slot >= MARKET_SLOTS_MAX || row.record >= self->head.records) return ZVT_ERR_CORRUPT;
    const account_record_t *record = &account->records[row.record];
    bool fits = !record->forgotten && account_state_is_open(record) && record->slot == NO_INDEX &&
                account->slots[row.slot].record == NO_INDEX && record->instrument != NO_INSTRUMENT;
    bool leaves = record->limit_e8 >= 0 && record->cum_e8 >= 0 && record->cum_e8 < record->quantity_e8;
    if (!fits || !leaves || memchr(row.client_order_id, 0, sizeof row.client_order_id) == NULL) return ZVT_ERR_CORRUPT;
    account_state_open(account, row.record, row.slot, row.client_order_id);
    return account_state_hold(account, record);
}

/* The free slots as they are taken next: each once, and none that is open. */
static int s_load_free_slots(load_t *self)
{
    account_core_t *account = self->account;
    uint32_t *link = &account->slots_free;
    for (uint32_t i = 0; i < self->head.free_slots; i++) {
        free_row_t row;
        s_take(self, &row, sizeof row);
        if (row.slot >= MARKET_SLOTS_MAX || account->slots[row.slot].record != NO_INDEX) return ZVT_ERR_CORRUPT;
        *link = row.slot;
        link = &account->slots[row.slot].next;
    }
    *link = NO_INDEX;
    /* A slot that came twice leads back or past others, so that the end is not reached after so many steps. */
    uint32_t slot = account->slots_free;
    for (uint32_t i = 0; i < self->head.free_slots; i++) {
        if (slot == NO_INDEX) return ZVT_ERR_CORRUPT;
        slot = account->slots[slot].next;
    }
    return slot == NO_INDEX ? 0 : ZVT_ERR_CORRUPT;
}

/* Whatever the open orders bring has to fit, because a fill cannot fail. */
static int s_check_totals(const load_t *self)
{
    for (uint32_t i = 0; i < self->head.assets; i++)
        if (!balances_core_has_room(&self->account->balances, i, 0)) return ZVT_ERR_OVERFLOW;
    return 0;
}

static int s_load_slots(load_t *self)
{
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < self->head.open; i++) status = s_load_open(self);
    if (status == 0) status = s_check_totals(self);
    return status != 0 ? status : s_load_free_slots(self);
}

int account_image_load(account_core_t *account, const uint8_t *bytes, size_t size)
{
    load_t load = {.account = account, .at = bytes};
    if (size < sizeof load.head) return ZVT_ERR_TRUNCATED;
    s_take(&load, &load.head, sizeof load.head);
    int status = s_check_head(&load, size);
    if (status != 0) return status;
    account->venue_seq = load.head.venue_seq;
    account->last_number = load.head.last_number;
    status = s_load_names(&load);
    const uint8_t *slots = load.at;
    /* Open orders refer to their records, which come last because they are the most. */
    load.at += load.head.open * sizeof(open_row_t) + load.head.free_slots * sizeof(free_row_t);
    if (status == 0) status = s_load_records(&load);
    if (status == 0) status = s_load_chains(&load);
    load.at = slots;
    return status != 0 ? status : s_load_slots(&load);
}
