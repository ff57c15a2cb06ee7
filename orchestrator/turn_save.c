/* The fold of the log as records: what a checkpoint holds, and how a core is made of one. */
#include <string.h>

#include "turn_world.h"

enum { NONE = -1 };

static uint32_t s_count_orders(turn_core_t *self)
{
    uint32_t count = 0;
    for (int32_t at = order_core_newer(self->orders, NONE); at != NONE; at = order_core_newer(self->orders, at)) count++;
    return count;
}

static uint32_t s_count_ended(turn_core_t *self)
{
    uint32_t count = 0;
    for (int32_t at = order_core_next_ended(self->orders, NONE); at != NONE; at = order_core_next_ended(self->orders, at)) count++;
    return count;
}

/* Every balance, and a row for each account itself. */
static uint32_t s_count_assets(const turn_core_t *self)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) count += self->venues[i].account.assets_count + 1;
    return count;
}

static int s_save_account(turn_core_t *self, uint32_t index, turn_save_fn *save, void *arg)
{
    const account_t *account = &self->venues[index].account;
    zvt_saved_asset_t itself = {.halted = account->halted};
    ZVT_STR_SET(itself.exchange, self->fleet->venues[index].name);
    ZVT_STR_SET(itself.reason, account->reason);
    int status = save(arg, ZVT_T_SAVED_ASSET, &itself);
    for (uint32_t i = 0; i < account->assets_count && status == 0; i++) {
        zvt_saved_asset_t saved = {.amount_e8 = account->assets[i].amount_e8, .opened = account->assets[i].opened};
        ZVT_STR_SET(saved.exchange, self->fleet->venues[index].name);
        ZVT_STR_SET(saved.asset, account->assets[i].asset);
        status = save(arg, ZVT_T_SAVED_ASSET, &saved);
    }
    return status;
}

/* Records that a venue's cursor takes: of nearly always one, the window is a piece of the possible one. */
static uint32_t s_count_pieces(const venue_t *venue)
{
    uint64_t open = venue->logged.window.high - venue->logged.window.contiguous;
    return open == 0 ? 1 : (uint32_t)((open + WINDOW_PIECE - 1) / WINDOW_PIECE);
}

static uint32_t s_count_venues(const turn_core_t *self)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) count += s_count_pieces(&self->venues[i]);
    return count;
}

static int s_save_head(turn_core_t *self, turn_save_fn *save, void *arg)
{
    zvt_saved_head_t head = {.seq = self->committed_seq,
                             .system_version = self->system_version,
                             .system_last_event = self->system_last_event,
                             .last_position_seq = self->last_position_seq,
                             .halted = self->halted,
                             .orders = s_count_orders(self),
                             .ended = s_count_ended(self),
                             .senders = dedup_core_count(self->senders),
                             .venues = s_count_venues(self),
                             .positions = self->positions_count,
                             .letters = self->letters_count,
                             .assets = s_count_assets(self),
                             .request_horizon_ns = order_core_horizon_ns(self->orders),
                             .forgotten_run = dedup_core_forgotten(self->senders),
                             .done = done_core_kept(self->done)};
    ZVT_STR_SET(head.halt_reason, self->halt_reason);
    return save(arg, ZVT_T_SAVED_HEAD, &head);
}

static int s_save_orders(turn_core_t *self, turn_save_fn *save, void *arg)
{
    int status = 0;
    for (int32_t at = order_core_newer(self->orders, NONE); at != NONE && status == 0; at = order_core_newer(self->orders, at)) {
        zvt_saved_order_t saved;
        order_core_save(order_core_at(self->orders, at), &saved);
        status = save(arg, ZVT_T_SAVED_ORDER, &saved);
    }
    for (int32_t at = order_core_next_ended(self->orders, NONE); at != NONE && status == 0;
         at = order_core_next_ended(self->orders, at)) {
        zvt_saved_ended_t ended = {.order_id = order_core_at(self->orders, at)->order_id};
        status = save(arg, ZVT_T_SAVED_ENDED, &ended);
    }
    return status;
}

static int s_save_venue(turn_core_t *self, uint32_t index, turn_save_fn *save, void *arg)
{
    const venue_t *venue = &self->venues[index];
    const window_t *window = &venue->logged.window;
    int status = 0;
    for (uint32_t piece = 0; piece < s_count_pieces(venue) && status == 0; piece++) {
        uint64_t from = window->contiguous + (uint64_t)piece * WINDOW_PIECE;
        zvt_saved_venue_t saved = {.high = window->high, .contiguous = from, .window_count = ZVT_LIST_MAX_bits, .circuit = venue->circuit};
        ZVT_STR_SET(saved.exchange, self->fleet->venues[index].name);
        window_save(window, venue->logged.bits, REPORTS_WINDOW, from, saved.window);
        status = save(arg, ZVT_T_SAVED_VENUE, &saved);
    }
    return status;
}

int turn_core_save(turn_core_t *self, turn_save_fn *save, void *arg)
{
    ZVT_ASSERT(!self->open);
    int status = s_save_head(self, save, arg);
    if (status == 0) status = s_save_orders(self, save, arg);
    for (uint32_t i = 0; i < dedup_core_count(self->senders) && status == 0; i++) {
        zvt_saved_sender_t saved;
        dedup_core_save(self->senders, i, &saved);
        status = save(arg, ZVT_T_SAVED_SENDER, &saved);
    }
    for (uint32_t i = 0; i < self->fleet->venues_count && status == 0; i++) status = s_save_venue(self, i, save, arg);
    for (uint32_t i = 0; i < self->positions_count && status == 0; i++) {
        zvt_saved_position_t saved = {.position_id = self->positions[i].position_id, .version = self->positions[i].version,
                                      .quantity_e8 = self->positions[i].quantity_e8};
        status = save(arg, ZVT_T_SAVED_POSITION, &saved);
    }
    for (uint32_t i = 0; i < self->fleet->venues_count && status == 0; i++) status = s_save_account(self, i, save, arg);
    for (uint32_t i = 0; i < self->letters_count && status == 0; i++) {
        const letter_t *letter = &self->letters[i];
        zvt_saved_letter_t saved = {.letter_id = letter->letter_id, .retrying = letter->retrying,
                                    .timestamp_ns = letter->timestamp_ns, .letter = letter->event};
        status = save(arg, ZVT_T_SAVED_LETTER, &saved);
    }
    for (uint32_t i = 0; i < done_core_kept(self->done) && status == 0; i++) status = save(arg, ZVT_T_SAVED_DONE, done_core_at(self->done, i));
    return status;
}

/* ---- loading ---- */
static int s_load_head(turn_core_t *self, const zvt_saved_head_t *head)
{
    if (self->next_seq != 1 || head->seq == 0) return ZVT_ERR_ILLEGAL;
    self->loading = *head;
    self->next_seq = head->seq + 1;
    self->committed_seq = head->seq;
    self->last_position_seq = head->last_position_seq;
    self->system_version = (uint32_t)head->system_version;
    self->system_last_event = head->system_last_event;
    self->halted = head->halted;
    order_core_restore_horizon(self->orders, head->request_horizon_ns);
    dedup_core_restore_forgotten(self->senders, head->forgotten_run);
    ZVT_STR_SET(self->halt_reason, head->halt_reason);
    return 0;
}

/* A venue that has left the fleet file keeps no cursor here; its reports cannot arrive either. */
static int s_load_venue(turn_core_t *self, const zvt_saved_venue_t *saved)
{
    int index = zvt_fleet_venue(self->fleet, saved->exchange);
    if (saved->window_count != ZVT_LIST_MAX_bits || saved->high < saved->contiguous || saved->high > INT64_MAX) return ZVT_ERR_RANGE;
    if (index < 0) return 0;
    venue_t *venue = &self->venues[index];
    window_t *window = &venue->logged.window;
    bool first = window->high == 0;
    if (first) *window = (window_t){.high = saved->high, .contiguous = saved->contiguous};
    bool follows = first || (saved->high == window->high && saved->contiguous == venue->load_next);
    if (!follows || saved->high - window->contiguous >= REPORTS_WINDOW) return ZVT_ERR_RANGE;
    venue->load_next = saved->contiguous + WINDOW_PIECE;
    window_restore(window, venue->logged.bits, REPORTS_WINDOW, saved->contiguous, saved->window);
    venue->received = venue->logged;
    venue->circuit = saved->circuit;
    if (window->high > venue->tip) venue->tip = window->high;
    return 0;
}

static int s_load_position(turn_core_t *self, const zvt_saved_position_t *saved)
{
    if (self->positions_count == POSITIONS_MAX) return ZVT_ERR_FULL;
    int status = zvt_map_put(self->positions_by_id, &saved->position_id, self->positions_count);
    if (status == 0)
        self->positions[self->positions_count++] = (position_t){.position_id = saved->position_id, .version = saved->version,
                                                                     .quantity_e8 = saved->quantity_e8, .last_order = ORDER_NONE};
    return status;
}

static int s_load_asset(turn_core_t *self, const zvt_saved_asset_t *saved)
{
    int index = zvt_fleet_venue(self->fleet, saved->exchange);
    if (index < 0) return 0; /* the venue has left the fleet file */
    account_t *account = &self->venues[index].account;
    if (saved->asset[0] == '\0') {
        account->halted = saved->halted;
        ZVT_STR_SET(account->reason, saved->reason);
        return 0;
    }
    account_asset_t *asset = account_asset(account, saved->asset);
    if (asset == NULL) return ZVT_ERR_FULL;
    asset->amount_e8 = saved->amount_e8;
    asset->opened = saved->opened;
    return 0;
}

static int s_load_letter(turn_core_t *self, const zvt_saved_letter_t *saved)
{
    if (self->letters_count == LETTERS_MAX) return ZVT_ERR_FULL;
    self->letters[self->letters_count++] = (letter_t){.letter_id = saved->letter_id, .retrying = saved->retrying,
                                                      .timestamp_ns = saved->timestamp_ns, .event = saved->letter};
    return 0;
}

/* One more record of a kind that the head announced. */
static int s_count_down(uint32_t *left)
{
    if (*left == 0) return ZVT_ERR_CORRUPT;
    --*left;
    return 0;
}

int turn_core_load(turn_core_t *self, const zvt_record_t *record)
{
    int status;
    switch (record->type) {
    case ZVT_T_SAVED_HEAD: return s_load_head(self, &record->saved_head);
    case ZVT_T_SAVED_ORDER:
        status = s_count_down(&self->loading.orders);
        return status != 0 ? status : order_core_restore(self->orders, &record->saved_order);
    case ZVT_T_SAVED_ENDED:
        status = s_count_down(&self->loading.ended);
        return status != 0 ? status : order_core_restore_ended(self->orders, &record->saved_ended.order_id);
    case ZVT_T_SAVED_SENDER:
        status = s_count_down(&self->loading.senders);
        return status != 0 ? status : dedup_core_restore(self->senders, &record->saved_sender);
    case ZVT_T_SAVED_VENUE:
        status = s_count_down(&self->loading.venues);
        return status != 0 ? status : s_load_venue(self, &record->saved_venue);
    case ZVT_T_SAVED_POSITION:
        status = s_count_down(&self->loading.positions);
        return status != 0 ? status : s_load_position(self, &record->saved_position);
    case ZVT_T_SAVED_ASSET:
        status = s_count_down(&self->loading.assets);
        return status != 0 ? status : s_load_asset(self, &record->saved_asset);
    case ZVT_T_SAVED_LETTER:
        status = s_count_down(&self->loading.letters);
        return status != 0 ? status : s_load_letter(self, &record->saved_letter);
    case ZVT_T_SAVED_DONE:
        status = s_count_down(&self->loading.done);
        if (status == 0) done_core_restore(self->done, &record->saved_done);
        return status;
    default: return ZVT_ERR_TYPE;
    }
}

int turn_core_load_end(turn_core_t *self)
{
    const zvt_saved_head_t *left = &self->loading;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++)
        if (self->venues[i].logged.window.high > self->venues[i].load_next) return ZVT_ERR_TRUNCATED;
    bool all = left->seq != 0 && left->orders + left->ended + left->senders + left->venues + left->positions + left->assets + left->letters + left->done == 0;
    return all ? 0 : ZVT_ERR_TRUNCATED;
}

uint64_t turn_core_folded_seq(const turn_core_t *self)
{
    return self->next_seq - 1;
}
