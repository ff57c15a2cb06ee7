#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>

#include "account_image.h"
#include "recorded_core.h"
#include "venue_fixture.h"
#include "zvt_codec.h"
#include "zvt_id.h"
#include "zvt_time.h"

enum { IDS_MAX = 24, STEPS = 400, CUTS = 24, LEDGER_SIZE = 4 << 20, SAID_SIZE = 1 << 20, TOMBSTONES_MAX = 6 };
#define BEGIN_NS (1000 * ZVT_SECOND_NS)
#define REPLAY_NS (2000 * ZVT_SECOND_NS)

/* An account on a market of its own, its ledger, and everything it said. */
typedef struct {
    recorded_core_t *market;
    account_core_t *account;
    zvt_buf_t ledger;
    size_t cuts[STEPS + 1]; /* ends of its batches */
    uint32_t cuts_count;
    char *said;
    size_t said_length;
    int64_t now_ns;
    uint32_t orders; /* ids that were made */
    uint32_t tombstones;
} world_t;

static void s_say(world_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(self->said + self->said_length, SAID_SIZE - self->said_length, format, args);
    va_end(args);
    self->said_length += (size_t)length;
    cr_assert_lt(self->said_length, (size_t)SAID_SIZE);
}

static void s_append(world_t *self, zvt_type_t type, const void *record)
{
    cr_assert_eq(zvt_pack(&self->ledger, type, record), 0);
}

static void s_on_order(void *arg, const zvt_order_send_t *order) { s_append(arg, ZVT_T_ORDER_SEND, order); }
static void s_on_tombstone(void *arg, const zvt_order_query_t *query) { s_append(arg, ZVT_T_ORDER_QUERY, query); }
static void s_on_balance(void *arg, const zvt_balance_t *opening) { s_append(arg, ZVT_T_BALANCE, opening); }
static void s_on_report(void *arg, const zvt_report_t *report)
{
    if (report->venue_seq != 0) s_append(arg, ZVT_T_REPORT, report);
    s_say(arg, "report %" PRIu64 " %d %s %s %s %" PRId64 " %" PRId64 " %d %s\n", report->venue_seq, report->kind,
          report->client_order_id, report->exchange_order_id, report->symbol, report->price_e8, report->cum_qty_e8, report->code,
          report->message);
}
static void s_on_cancel_result(void *arg, const zvt_cancel_result_t *result)
{
    s_say(arg, "cancel %s %d %s\n", result->client_order_id, result->code, result->message);
}
static void s_on_status(void *arg, const zvt_order_status_t *status)
{
    s_say(arg, "status %s %d %d %s %" PRId64 " %" PRIu64 "\n", status->client_order_id, status->code, status->state,
          status->exchange_order_id, status->leaves_qty_e8, status->venue_seq);
}
static void s_on_resend(void *arg, const char *id, uint64_t first, uint64_t last, uint32_t count)
{
    s_say(arg, "again %s %" PRIu64 "..%" PRIu64 " %u\n", id, first, last, count);
}

static void s_on_rest_fill(void *arg, uint32_t slot, int64_t price_e8, int64_t quantity_e8)
{
    world_t *self = arg;
    account_core_on_fill(self->account, slot, price_e8, quantity_e8, self->now_ns);
}

static void s_on_trade(void *arg, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8)
{
    (void)arg, (void)instrument, (void)aggressor, (void)price_e8, (void)quantity_e8;
}
static void s_on_book(void *arg, uint32_t instrument) { (void)arg, (void)instrument; }

/* Bids 100 x 50, 99 x 60; asks 101 x 50, 102 x 60. */
static void s_quote(world_t *self, uint64_t update)
{
    zvt_level_t bids[] = {{E8(100), E8(50)}, {E8(99), E8(60)}}, asks[] = {{E8(101), E8(50)}, {E8(102), E8(60)}};
    depth_update_t snapshot = {.last_id = update, .levels = {bids, asks}, .counts = {2, 2}};
    recorded_core_on_snapshot(self->market, 0, &snapshot);
}

static account_config_t s_config(world_t *self, const zvt_fleet_t *fleet, uint32_t ids_max)
{
    return (account_config_t){.fleet = fleet, .venue = 0, .ids_max = ids_max, .market = recorded_core_market(self->market),
                              .sink = {.on_order = s_on_order, .on_tombstone = s_on_tombstone, .on_balance = s_on_balance,
                                       .on_report = s_on_report, .on_cancel_result = s_on_cancel_result,
                                       .on_status = s_on_status, .on_resend = s_on_resend, .arg = self}};
}

/* A world whose account is new. */
static world_t *s_world(void)
{
    world_t *self = calloc(1, sizeof *self);
    market_events_t events = {.on_rest_fill = s_on_rest_fill, .on_trade = s_on_trade, .on_book = s_on_book, .arg = self};
    cr_assert_not_null(self);
    self->market = recorded_core_new(fixture_fleet(), &events);
    s_quote(self, 1);
    account_config_t config = s_config(self, fixture_fleet(), IDS_MAX);
    self->account = account_core_new(&config);
    self->ledger = zvt_buf_new(LEDGER_SIZE);
    self->said = calloc(1, SAID_SIZE);
    self->now_ns = BEGIN_NS;
    cr_assert_not_null(self->said);
    return self;
}

static void s_end(world_t **self)
{
    account_core_destroy(&(*self)->account);
    recorded_core_destroy(&(*self)->market);
    zvt_buf_destroy(&(*self)->ledger);
    free((*self)->said);
    free(*self);
    *self = NULL;
}

/* ---- what happens to an account ---- */
static void s_name(char id[16], uint64_t number)
{
    snprintf(id, 16, "o%" PRIu64, number);
}

static zvt_order_send_t s_draw_order(world_t *self, zvt_rng_t *rng, uint64_t number)
{
    static const uint8_t tifs[] = {ZVT_TIF_GTC, ZVT_TIF_GTC, ZVT_TIF_IOC, ZVT_TIF_FOK};
    char id[16];
    s_name(id, number);
    double limit = zvt_rng_below(rng, 4) == 0 ? 0 : 97 + (double)zvt_rng_below(rng, 8);
    zvt_order_send_t order = fixture_order(id, zvt_rng_below(rng, 2) == 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL,
                                           0.5 * (double)(1 + zvt_rng_below(rng, 4)), limit);
    if (limit > 0) order.time_in_force = tifs[zvt_rng_below(rng, 4)];
    if (zvt_rng_below(rng, 4) == 0) ZVT_STR_SET(order.symbol, "BTCUSDT");
    if (zvt_rng_below(rng, 12) == 0) ZVT_STR_SET(order.symbol, "DOGE/USDT");
    if (zvt_rng_below(rng, 12) == 0) order.quantity_e8 = 0;
    order.expires_at_ns = self->now_ns + (int64_t)(1 + zvt_rng_below(rng, 20)) * ZVT_SECOND_NS;
    return order;
}

static void s_some_cancel(world_t *self, uint64_t number)
{
    zvt_order_cancel_t cancel = {.epoch = 1};
    s_name(cancel.client_order_id, number);
    account_core_on_cancel(self->account, &cancel, self->now_ns);
}

static void s_some_query(world_t *self, uint64_t number, bool tombstone)
{
    zvt_order_query_t query = {.tombstone = tombstone && self->tombstones < TOMBSTONES_MAX};
    s_name(query.client_order_id, number);
    self->tombstones += query.tombstone;
    account_core_on_query(self->account, &query, self->now_ns);
}

/* One step of an account's life, drawn; the end of a batch. */
static void s_step(world_t *self, zvt_rng_t *rng)
{
    self->now_ns += (int64_t)zvt_rng_below(rng, 2 * ZVT_SECOND_NS);
    uint64_t kind = zvt_rng_below(rng, 10), older = zvt_rng_below(rng, self->orders + 4);
    uint8_t side = zvt_rng_below(rng, 2) == 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL;
    zvt_order_send_t order = s_draw_order(self, rng, kind < 5 ? self->orders : older);
    if (kind < 5) self->orders++;
    if (kind < 5 || (kind == 5 && older < self->orders)) account_core_on_order(self->account, &order, self->now_ns, self->now_ns);
    if (kind == 6) s_some_cancel(self, older);
    if (kind == 7) s_some_query(self, older, zvt_rng_below(rng, 4) == 0);
    if (kind >= 8) recorded_core_on_trade(self->market, 0, side, side == ZVT_SIDE_BUY ? E8(103) : E8(98), E8(0.7));
    if (kind >= 8) s_quote(self, 2 + self->cuts_count);
    self->cuts[self->cuts_count++] = self->ledger.length;
}

static void s_live(world_t *self, uint64_t seed, int steps)
{
    zvt_rng_t rng;
    zvt_rng_seed(&rng, seed);
    for (int i = 0; i < steps; i++) s_step(self, &rng);
}

static world_t *s_lived(uint64_t seed)
{
    world_t *self = s_world();
    account_core_open_balances(self->account);
    account_core_set_open(self->account, true, "");
    s_live(self, seed, STEPS);
    return self;
}

/* ---- folding and images ---- */
static void s_fold(account_core_t *account, const zvt_buf_t *ledger, size_t from, size_t to)
{
    static zvt_record_t record;
    zvt_cursor_t cursor = zvt_cursor(ledger->data + from, to - from);
    while (!zvt_cursor_done(&cursor)) {
        cr_assert_eq(zvt_read(&cursor, &record), 0);
        int status = account_core_replay(account, &record, REPLAY_NS);
        cr_assert_eq(status, 0, "%s: %s", zvt_type_name(record.type), zvt_strerror(status));
    }
}

static int s_gather(void *arg, const void *bytes, size_t length)
{
    zvt_buf_t *buf = arg;
    cr_assert_leq(buf->length + length, buf->capacity);
    memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
    return 0;
}

static zvt_buf_t s_image(const account_core_t *account)
{
    zvt_buf_t image = zvt_buf_new(1 << 20);
    cr_assert_eq(account_image_save(account, s_gather, &image), 0);
    return image;
}

static void s_check_same(const account_core_t *a, const account_core_t *b)
{
    zvt_buf_t left = s_image(a), right = s_image(b);
    cr_assert_eq(left.length, right.length);
    cr_assert_arr_eq(left.data, right.data, left.length);
    zvt_buf_destroy(&left);
    zvt_buf_destroy(&right);
}

/* Everything that can be asked of an account. */
static void s_ask_all(world_t *self)
{
    zvt_order_status_t status;
    zvt_balance_t balance;
    for (uint32_t slot = 0; account_core_next_open(self->account, &slot, &status);) {
        s_say(self, "slot %u ", slot);
        s_on_status(self, &status);
    }
    for (uint32_t n = 0; account_core_balance(self->account, n, &balance); n++)
        s_say(self, "%s %" PRId64 " %" PRId64 "\n", balance.asset, balance.total_e8, balance.available_e8);
    for (uint64_t n = 0; n < self->orders + 4; n++) {
        s_some_query(self, n, false);
        zvt_rng_t rng;
        zvt_rng_seed(&rng, n);
        zvt_order_send_t again = s_draw_order(self, &rng, n);
        again.expires_at_ns = self->now_ns - 1; /* what is forgotten is refused as expired */
        account_core_on_order(self->account, &again, self->now_ns, self->now_ns);
    }
}

/* An account that begins where another one is in its life. */
static void s_begin_at(world_t *self, const world_t *lived)
{
    self->now_ns = REPLAY_NS;
    self->orders = lived->orders;
    self->tombstones = TOMBSTONES_MAX;
    account_core_open_balances(self->account);
    account_core_restore(self->account);
    account_core_set_open(self->account, true, "");
}

static void s_compare(uint64_t seed)
{
    zvt_rng_t rng;
    zvt_rng_seed(&rng, seed);
    world_t *lived = s_lived(seed);
    for (int i = 0; i < CUTS; i++) {
        world_t *whole = s_world(), *cut = s_world(), *part = s_world();
        size_t at = i == 0 ? 0 : lived->cuts[zvt_rng_below(&rng, lived->cuts_count)];
        s_fold(whole->account, &lived->ledger, 0, lived->ledger.length);
        s_fold(part->account, &lived->ledger, 0, at);
        zvt_buf_t image = s_image(part->account);
        cr_assert_eq(account_image_load(cut->account, image.data, image.length), 0);
        s_check_same(part->account, cut->account);
        s_fold(cut->account, &lived->ledger, at, lived->ledger.length);
        s_check_same(whole->account, cut->account);
        s_begin_at(whole, lived);
        s_begin_at(cut, lived);
        s_ask_all(whole);
        s_ask_all(cut);
        s_live(whole, seed + 1, 60);
        s_live(cut, seed + 1, 60);
        s_ask_all(whole);
        s_ask_all(cut);
        cr_assert_str_eq(whole->said, cut->said, "seed %" PRIu64 ", cut at %zu", seed, at);
        cr_assert_gt(whole->said_length, 1000u);
        s_check_same(whole->account, cut->account);
        zvt_buf_destroy(&image);
        s_end(&whole);
        s_end(&cut);
        s_end(&part);
    }
    s_end(&lived);
}

Test(account_image, an_image_and_the_rest_of_the_ledger_make_what_the_whole_ledger_makes)
{
    for (uint64_t seed = 1; seed <= 12; seed++) s_compare(seed);
}

Test(account_image, the_lives_of_that_test_reach_what_they_are_for)
{
    uint32_t forgotten = 0, open = 0, tombstones = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        world_t *lived = s_lived(seed);
        forgotten += lived->orders > IDS_MAX && account_core_ids(lived->account) == IDS_MAX;
        open += account_core_open_count(lived->account);
        tombstones += lived->tombstones;
        cr_assert_not_null(strstr(lived->said, "again o"), "an order came twice");
        cr_assert_not_null(strstr(lived->said, "unfilled="), "an order was canceled or expired");
        s_end(&lived);
    }
    cr_assert_eq(forgotten, 12u, "ids were forgotten to make room");
    cr_assert_gt(open, 12u);
    cr_assert_gt(tombstones, 12u);
}

/* ---- images that do not fit ---- */
static const char s_other_fleet[] =
    "instruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        max_quantity = 20\n        max_position = 100\n"
    "    XRP/USDT\n        tick = 0.01\n        lot = 0.001\n        max_quantity = 20\n        max_position = 100\n"
    "venues\n    alpha\n        balances\n            USDT = 100000\n";

Test(account_image, one_of_another_fleet_file_is_refused)
{
    static zvt_fleet_t other;
    char problem[ZVT_PROBLEM_SIZE];
    cr_assert_eq(zvt_fleet_parse(s_other_fleet, "other", &other, problem), 0, "%s", problem);
    world_t *lived = s_lived(3);
    zvt_buf_t image = s_image(lived->account);
    account_config_t config = s_config(lived, &other, IDS_MAX);
    account_core_t *account = account_core_new(&config);
    cr_assert_eq(account_image_load(account, image.data, image.length), ZVT_ERR_INVALID);
    account_core_destroy(&account);
    config = s_config(lived, fixture_fleet(), IDS_MAX - 1);
    account = account_core_new(&config);
    cr_assert_eq(account_image_load(account, image.data, image.length), ZVT_ERR_FULL);
    account_core_destroy(&account);
    zvt_buf_destroy(&image);
    s_end(&lived);
}

Test(account_image, todays_fees_decide_what_open_orders_hold)
{
    static zvt_fleet_t dear;
    dear = *fixture_fleet();
    dear.venues[0].taker_fee_e8 = E8(0.01);
    world_t *lived = s_lived(3);
    account_config_t config = s_config(lived, &dear, IDS_MAX);
    account_core_t *whole = account_core_new(&config), *loaded = account_core_new(&config);
    s_fold(whole, &lived->ledger, 0, lived->ledger.length);
    world_t *part = s_world();
    s_fold(part->account, &lived->ledger, 0, lived->ledger.length);
    zvt_buf_t image = s_image(part->account);
    cr_assert_eq(account_image_load(loaded, image.data, image.length), 0);
    bool differs = false;
    for (uint32_t n = 0; n < 3; n++) {
        zvt_balance_t a, b, cheap;
        cr_assert(account_core_balance(whole, n, &a) && account_core_balance(loaded, n, &b));
        cr_assert(account_core_balance(part->account, n, &cheap));
        cr_assert_eq(a.available_e8, b.available_e8);
        differs = differs || a.available_e8 != cheap.available_e8;
    }
    cr_assert(differs, "there are orders that hold funds");
    account_core_destroy(&whole);
    account_core_destroy(&loaded);
    zvt_buf_destroy(&image);
    s_end(&part);
    s_end(&lived);
}

Test(account_image, every_truncation_is_refused)
{
    world_t *lived = s_lived(5);
    zvt_buf_t image = s_image(lived->account);
    for (size_t size = 0; size < image.length; size += size < 300 ? 1 : 97) {
        world_t *other = s_world();
        cr_assert_neq(account_image_load(other->account, image.data, size), 0, "%zu bytes", size);
        s_end(&other);
    }
    zvt_buf_destroy(&image);
    s_end(&lived);
}

/* There is no checksum at this level: what is accepted all the same must be an account that works. */
Test(account_image, damage_is_refused_or_makes_an_account_that_keeps_its_own_rules)
{
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 9);
    world_t *lived = s_lived(5);
    zvt_buf_t image = s_image(lived->account);
    uint32_t refused = 0;
    for (int i = 0; i < 600; i++) {
        world_t *other = s_world();
        /* Two of three in the rows of ids and open orders, not in the long list of free slots. */
        size_t at = i % 3 == 0 ? zvt_rng_below(&rng, 400) : image.length - 1 - zvt_rng_below(&rng, 88 * IDS_MAX);
        uint8_t before = image.data[at];
        image.data[at] ^= (uint8_t)(1 + zvt_rng_below(&rng, 255));
        int status = account_image_load(other->account, image.data, image.length);
        refused += status != 0;
        if (status == 0) {
            zvt_buf_t again = s_image(other->account);
            cr_assert_eq(again.length, image.length);
            zvt_buf_destroy(&again);
            zvt_order_status_t open;
            for (uint32_t slot = 0; account_core_next_open(other->account, &slot, &open);) continue;
        }
        image.data[at] = before;
        s_end(&other);
    }
    cr_assert_gt(refused, 100u);
    zvt_buf_destroy(&image);
    s_end(&lived);
}
