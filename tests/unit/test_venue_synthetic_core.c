#include <criterion/criterion.h>
#include <math.h>

#include "synthetic_core.h"
#include "venue_fixture.h"
#include "zvt_time.h"

/* Sums everything a market says into one number. */
typedef struct {
    uint64_t sum;
    uint32_t trades;
    uint32_t own_fills;
    int64_t last_own_e8;
} digest_t;

static void s_add(digest_t *digest, uint64_t value)
{
    digest->sum = (digest->sum ^ value) * 0x100000001b3ULL;
}

static void s_on_rest_fill(void *arg, uint32_t slot, int64_t price_e8, int64_t quantity_e8)
{
    digest_t *digest = arg;
    s_add(digest, slot + (uint64_t)price_e8 + (uint64_t)quantity_e8);
    digest->own_fills++;
    digest->last_own_e8 = price_e8;
}

static void s_on_trade(void *arg, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8)
{
    digest_t *digest = arg;
    s_add(digest, instrument + aggressor);
    s_add(digest, (uint64_t)price_e8);
    s_add(digest, (uint64_t)quantity_e8);
    digest->trades++;
}

static void s_on_book(void *arg, uint32_t instrument)
{
    (void)arg;
    (void)instrument;
}

static synthetic_core_t *s_new(uint32_t venue, uint64_t seed, digest_t *digest)
{
    synthetic_config_t config = {
        .fleet = fixture_fleet(),
        .venue = venue,
        .seed = seed,
        .step_ns = 100 * ZVT_MS_NS,
        .events = {.on_rest_fill = s_on_rest_fill, .on_trade = s_on_trade, .on_book = s_on_book, .arg = digest}};
    memset(digest, 0, sizeof *digest);
    return synthetic_core_new(&config);
}

static double s_middle(const synthetic_core_t *market)
{
    const book_core_t *book = synthetic_core_book(market, 0);
    return (double)(book_core_best(book, ZVT_SIDE_BUY) + book_core_best(book, ZVT_SIDE_SELL)) / 2e8;
}

static void s_run(synthetic_core_t *market, digest_t *digest, int64_t from, int64_t to)
{
    for (int64_t step = from; step < to; step++) {
        synthetic_core_step(market, step);
        zvt_level_t levels[50];
        for (uint8_t side = ZVT_SIDE_BUY; side <= ZVT_SIDE_SELL; side++) {
            uint32_t count = book_core_levels(synthetic_core_book(market, 0), side, levels, 50);
            for (uint32_t i = 0; i < count; i++) s_add(digest, (uint64_t)levels[i].price_e8 + (uint64_t)levels[i].quantity_e8);
        }
    }
}

Test(synthetic_core, the_same_seed_is_the_same_market)
{
    digest_t a, b, c, d;
    synthetic_core_t *first = s_new(0, 42, &a), *second = s_new(0, 42, &b), *other_seed = s_new(0, 43, &c),
                     *other_venue = s_new(1, 42, &d);
    s_run(first, &a, 0, 1000);
    s_run(second, &b, 0, 1000);
    s_run(other_seed, &c, 0, 1000);
    s_run(other_venue, &d, 0, 1000);
    cr_assert_eq(a.sum, b.sum);
    cr_assert_neq(a.sum, c.sum);
    cr_assert_neq(a.sum, d.sum);
    synthetic_core_destroy(&first);
    synthetic_core_destroy(&second);
    synthetic_core_destroy(&other_seed);
    synthetic_core_destroy(&other_venue);
}

Test(synthetic_core, two_venues_with_one_seed_agree_about_the_price)
{
    digest_t a, b;
    synthetic_core_t *alpha = s_new(0, 42, &a), *beta = s_new(1, 42, &b);
    double largest = 0;
    for (int64_t step = 0; step < 2000; step++) {
        synthetic_core_step(alpha, step);
        synthetic_core_step(beta, step);
        largest = fmax(largest, fabs(s_middle(alpha) / s_middle(beta) - 1));
    }
    cr_assert_lt(largest, 0.001);
    cr_assert_gt(largest, 0, "but not to the last cent");
    synthetic_core_destroy(&alpha);
    synthetic_core_destroy(&beta);
}

Test(synthetic_core, a_restart_goes_on_near_where_it_was)
{
    digest_t a, b;
    synthetic_core_t *whole = s_new(0, 42, &a), *restarted = s_new(0, 42, &b);
    s_run(whole, &a, 0, 5000);
    s_run(restarted, &b, 4999, 5000);
    cr_assert(fabs(s_middle(whole) / s_middle(restarted) - 1) < 0.0005);
    synthetic_core_destroy(&whole);
    synthetic_core_destroy(&restarted);
}

Test(synthetic_core, the_book_is_two_sided_never_crossed_and_on_the_grid)
{
    digest_t digest;
    synthetic_core_t *market = s_new(0, 7, &digest);
    const zvt_instrument_t *instrument = &fixture_fleet()->instruments[0];
    for (int64_t step = 0; step < 3000; step++) {
        synthetic_core_step(market, step);
        const book_core_t *book = synthetic_core_book(market, 0);
        zvt_level_t level;
        cr_assert_gt(book_core_best(book, ZVT_SIDE_BUY), 0);
        cr_assert_gt(book_core_best(book, ZVT_SIDE_SELL), book_core_best(book, ZVT_SIDE_BUY), "step %d", (int)step);
        cr_assert_eq(book_core_levels(book, ZVT_SIDE_BUY, &level, 1), 1);
        cr_assert_eq(level.price_e8 % instrument->tick_e8, 0);
        cr_assert_eq(level.quantity_e8 % instrument->lot_e8, 0);
        cr_assert_geq(book_core_levels_count(book, ZVT_SIDE_BUY), 8);
    }
    cr_assert_gt(digest.trades, 300, "takers come");
    synthetic_core_destroy(&market);
}

Test(synthetic_core, a_wider_and_thinner_venue_is_wider_and_thinner)
{
    digest_t a, b;
    synthetic_core_t *alpha = s_new(0, 42, &a), *beta = s_new(1, 42, &b);
    double spread[2] = {0}, depth[2] = {0};
    for (int64_t step = 0; step < 500; step++) {
        const synthetic_core_t *markets[2] = {alpha, beta};
        synthetic_core_step(alpha, step);
        synthetic_core_step(beta, step);
        for (int i = 0; i < 2; i++) {
            zvt_level_t bid[5], ask;
            (void)book_core_levels(synthetic_core_book(markets[i], 0), ZVT_SIDE_BUY, bid, 5);
            (void)book_core_levels(synthetic_core_book(markets[i], 0), ZVT_SIDE_SELL, &ask, 1);
            spread[i] += (double)(ask.price_e8 - bid[0].price_e8);
            for (int n = 0; n < 5; n++) depth[i] += (double)bid[n].quantity_e8;
        }
    }
    cr_assert_gt(spread[1], spread[0] * 1.3);
    cr_assert_lt(depth[1], depth[0] * 0.8);
    synthetic_core_destroy(&alpha);
    synthetic_core_destroy(&beta);
}

Test(synthetic_core, takers_hit_the_orders_of_the_account_by_price_time_priority)
{
    digest_t digest;
    synthetic_core_t *market = s_new(0, 42, &digest);
    market_t ops = synthetic_core_market(market);
    synthetic_core_step(market, 0);
    const book_core_t *book = synthetic_core_book(market, 0);
    int64_t price_e8 = book_core_best(book, ZVT_SIDE_BUY) + fixture_fleet()->instruments[0].tick_e8;
    market_rest_t rest = {.instrument = 0, .slot = 3, .side = ZVT_SIDE_BUY, .price_e8 = price_e8, .quantity_e8 = E8(0.01)};
    cr_assert_eq(ops.ops->rest(ops.market, &rest), 0);
    for (int64_t step = 1; step < 600 && digest.own_fills == 0; step++) synthetic_core_step(market, step);
    cr_assert_gt(digest.own_fills, 0, "the best bid is hit sooner or later");
    cr_assert_eq(digest.last_own_e8, price_e8);
    synthetic_core_destroy(&market);
}

static void s_on_take(void *arg, int64_t price_e8, int64_t quantity_e8)
{
    (void)price_e8;
    *(int64_t *)arg += quantity_e8;
}

Test(synthetic_core, the_account_takes_what_the_preview_foretold)
{
    digest_t digest;
    synthetic_core_t *market = s_new(0, 42, &digest);
    market_t ops = synthetic_core_market(market);
    for (int64_t step = 0; step < 50; step++) {
        synthetic_core_step(market, step);
        market_take_t take = {.instrument = 0, .side = step % 2 == 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL, .quantity_e8 = E8(3)};
        market_preview_t preview;
        ops.ops->preview(ops.market, &take, &preview);
        int64_t taken_e8 = 0;
        cr_assert_eq(ops.ops->take(ops.market, &take, s_on_take, &taken_e8), preview.quantity_e8);
        cr_assert_eq(taken_e8, preview.quantity_e8);
    }
    synthetic_core_destroy(&market);
}

Test(synthetic_core, a_market_without_volatility_still_has_a_book)
{
    static zvt_fleet_t fleet;
    fleet = *fixture_fleet();
    fleet.instruments[0].volatility_e8 = 0;
    fleet.instruments[0].max_quantity_e8 = 1;
    digest_t digest = {0};
    synthetic_config_t config = {
        .fleet = &fleet,
        .venue = 0,
        .seed = 1,
        .step_ns = 100 * ZVT_MS_NS,
        .events = {.on_rest_fill = s_on_rest_fill, .on_trade = s_on_trade, .on_book = s_on_book, .arg = &digest}};
    synthetic_core_t *market = synthetic_core_new(&config);
    s_run(market, &digest, 0, 100);
    const book_core_t *book = synthetic_core_book(market, 0);
    cr_assert_gt(book_core_best(book, ZVT_SIDE_SELL), book_core_best(book, ZVT_SIDE_BUY));
    synthetic_core_destroy(&market);
}
