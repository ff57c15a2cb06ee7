#include "exposure.h"
#include "log_fixture.h"

static exposure_t *s_book;

static void s_setup(void)
{
    s_book = exposure_new();
}

static void s_teardown(void)
{
    exposure_destroy(&s_book);
}

TestSuite(exposure, .init = s_setup, .fini = s_teardown);

static exposure_terms_t s_terms(const char *strategy, uint8_t side, double quantity)
{
    exposure_terms_t terms;
    memset(&terms, 0, sizeof terms);
    ZVT_STR_SET(terms.key.portfolio_id, "main");
    ZVT_STR_SET(terms.key.strategy_id, strategy);
    ZVT_STR_SET(terms.key.symbol, "BTC/USDT");
    terms.side = side;
    terms.quantity_e8 = E8(quantity);
    return terms;
}

static double s_buys(const char *strategy)
{
    exposure_terms_t terms = s_terms(strategy, ZVT_SIDE_BUY, 0);
    return (double)exposure_of(s_book, &terms.key).pending_buy_e8 / 1e8;
}

static double s_sells(const char *strategy)
{
    exposure_terms_t terms = s_terms(strategy, ZVT_SIDE_BUY, 0);
    return (double)exposure_of(s_book, &terms.key).pending_sell_e8 / 1e8;
}

static double s_position(const char *strategy)
{
    exposure_terms_t terms = s_terms(strategy, ZVT_SIDE_BUY, 0);
    return (double)exposure_of(s_book, &terms.key).position_e8 / 1e8;
}

static void s_request(unsigned n, const char *strategy, uint8_t side, double quantity)
{
    exposure_terms_t terms = s_terms(strategy, side, quantity);
    zvt_id_t id = s_id(n);
    cr_assert_eq(exposure_on_requested(s_book, &id, &terms), 0);
}

static void s_validate(unsigned n)
{
    exposure_verdict_t verdict = {.risk_score_e8 = 1};
    zvt_id_t id = s_id(n);
    cr_assert_eq(exposure_on_validated(s_book, &id, &verdict), 0);
}

static void s_reserve(unsigned n, const char *strategy, uint8_t side, double quantity, uint64_t epoch)
{
    exposure_terms_t terms = s_terms(strategy, side, quantity);
    exposure_verdict_t verdict = {.risk_score_e8 = 1};
    zvt_id_t id = s_id(n);
    cr_assert_eq(exposure_reserve(s_book, &id, &terms, epoch, &verdict), 0);
}

static void s_fill(unsigned n, const char *strategy, double change, double new_quantity)
{
    zvt_position_updated_t position = {.order_id = s_id(n), .quantity_change_e8 = E8(change), .new_quantity_e8 = E8(new_quantity)};
    ZVT_STR_SET(position.portfolio_id, "main");
    ZVT_STR_SET(position.strategy_id, strategy);
    ZVT_STR_SET(position.symbol, "BTC/USDT");
    cr_assert_eq(exposure_on_position(s_book, &position), 0);
}

static void s_end(unsigned n)
{
    zvt_id_t id = s_id(n);
    exposure_on_ended(s_book, &id);
}

Test(exposure, reserves_at_validated_and_releases_at_the_end)
{
    s_request(1, "a", ZVT_SIDE_BUY, 3);
    cr_assert_eq(s_buys("a"), 0, "a request alone reserves nothing");
    s_validate(1);
    cr_assert_eq(s_buys("a"), 3);
    s_end(1);
    cr_assert_eq(s_buys("a"), 0);
    cr_assert_eq(exposure_stats(s_book).orders, 0);
    cr_assert_eq(exposure_stats(s_book).keys, 0, "a key without position or reservation is given back");
}

Test(exposure, moves_quantity_from_the_order_to_the_position_in_one_step)
{
    s_request(1, "a", ZVT_SIDE_BUY, 3);
    s_validate(1);
    s_fill(1, "a", 1, 1);
    cr_assert_eq(s_buys("a"), 2);
    cr_assert_eq(s_position("a"), 1);
    s_fill(1, "a", 2, 3);
    cr_assert_eq(s_buys("a"), 0);
    s_end(1);
    cr_assert_eq(s_position("a"), 3);
    cr_assert_eq(exposure_stats(s_book).keys, 1);
}

Test(exposure, counts_a_late_fill_of_an_ended_order_on_the_position_only)
{
    s_request(1, "a", ZVT_SIDE_SELL, 3);
    s_validate(1);
    s_end(1);
    s_fill(1, "a", -1, -1);
    cr_assert_eq(s_sells("a"), 0);
    cr_assert_eq(s_position("a"), -1);
}

Test(exposure, never_takes_more_out_of_an_order_than_is_left)
{
    s_request(1, "a", ZVT_SIDE_BUY, 1);
    s_validate(1);
    s_fill(1, "a", 5, 5);
    cr_assert_eq(s_buys("a"), 0);
    zvt_position_updated_t wild = {.order_id = s_id(1), .quantity_change_e8 = INT64_MIN, .new_quantity_e8 = INT64_MIN};
    cr_assert_eq(exposure_on_position(s_book, &wild), 0);
    cr_assert_eq(s_buys("a"), 0);
}

Test(exposure, keeps_strategies_and_sides_apart)
{
    s_reserve(1, "a", ZVT_SIDE_BUY, 1, 1);
    s_reserve(2, "a", ZVT_SIDE_SELL, 2, 1);
    s_reserve(3, "b", ZVT_SIDE_BUY, 4, 1);
    cr_assert_eq(s_buys("a"), 1);
    cr_assert_eq(s_sells("a"), 2);
    cr_assert_eq(s_buys("b"), 4);
}

Test(exposure, turns_a_provisional_reservation_durable_without_counting_it_twice)
{
    s_reserve(1, "a", ZVT_SIDE_BUY, 3, 7);
    s_request(1, "a", ZVT_SIDE_BUY, 3);
    cr_assert_eq(s_buys("a"), 3);
    s_validate(1);
    cr_assert_eq(s_buys("a"), 3);
    cr_assert_eq(exposure_stats(s_book).provisional, 0);
    cr_assert_eq(exposure_release_before(s_book, 8), 0);
    cr_assert_eq(s_buys("a"), 3, "durable now");
}

Test(exposure, drops_provisional_reservations_of_older_epochs)
{
    s_reserve(1, "a", ZVT_SIDE_BUY, 1, 1);
    s_reserve(2, "a", ZVT_SIDE_BUY, 2, 2);
    s_reserve(3, "a", ZVT_SIDE_BUY, 4, 3);
    cr_assert_eq(exposure_release_before(s_book, 3), 2);
    cr_assert_eq(s_buys("a"), 4);
    cr_assert_eq(exposure_stats(s_book).provisional, 1);
    cr_assert_eq(exposure_stats(s_book).orders, 1);
}

Test(exposure, releases_only_the_epoch_that_reserved)
{
    s_reserve(1, "a", ZVT_SIDE_BUY, 1, 2);
    zvt_id_t id = s_id(1), other = s_id(2);
    cr_assert_not(exposure_release(s_book, &id, 1));
    cr_assert_not(exposure_release(s_book, &other, 2));
    cr_assert(exposure_release(s_book, &id, 2));
    cr_assert_not(exposure_release(s_book, &id, 2));
    cr_assert_eq(s_buys("a"), 0);
}

Test(exposure, believes_the_log_when_its_terms_differ_from_the_verdict)
{
    s_reserve(1, "a", ZVT_SIDE_BUY, 1, 1);
    s_request(1, "a", ZVT_SIDE_BUY, 2);
    cr_assert_eq(s_buys("a"), 0);
    s_validate(1);
    cr_assert_eq(s_buys("a"), 2);
    cr_assert_eq(exposure_stats(s_book).unmatched, 1);
}

Test(exposure, counts_events_that_match_no_order)
{
    s_validate(1);
    s_end(2);
    s_request(3, "a", ZVT_SIDE_BUY, 1);
    s_request(3, "a", ZVT_SIDE_BUY, 1);
    cr_assert_eq(exposure_stats(s_book).unmatched, 3);
}

Test(exposure, reserves_nothing_for_terms_that_mean_nothing)
{
    s_request(1, "a", 0, 5);
    s_validate(1);
    s_request(2, "a", ZVT_SIDE_BUY, -5);
    s_validate(2);
    cr_assert_eq(s_buys("a"), 0);
    cr_assert_eq(s_sells("a"), 0);
}

Test(exposure, sums_more_than_an_int64_holds_exactly)
{
    exposure_terms_t terms = s_terms("a", ZVT_SIDE_BUY, 0);
    terms.quantity_e8 = INT64_MAX;
    exposure_verdict_t verdict = {0};
    for (unsigned n = 1; n <= 3; n++) {
        zvt_id_t id = s_id(n);
        cr_assert_eq(exposure_reserve(s_book, &id, &terms, 1, &verdict), 0);
    }
    cr_assert(exposure_of(s_book, &terms.key).pending_buy_e8 == (__int128)INT64_MAX * 3);
    for (unsigned n = 1; n <= 3; n++) s_end(n);
    cr_assert(exposure_of(s_book, &terms.key).pending_buy_e8 == 0);
}

static void s_text(char *text, size_t size)
{
    FILE *out = fmemopen(text, size, "w");
    exposure_dump(s_book, out);
    fclose(out);
}

Test(exposure, dumps_durable_state_sorted_and_nothing_ephemeral)
{
    char text[2048] = "", empty[16] = "";
    s_reserve(9, "z", ZVT_SIDE_BUY, 1, 1);
    s_text(empty, sizeof empty);
    cr_assert_str_empty(empty);
    s_request(2, "b", ZVT_SIDE_SELL, 0.5);
    s_request(1, "b", ZVT_SIDE_BUY, 2);
    s_validate(1);
    s_fill(1, "b", 0.5, 0.5);
    s_fill(7, "a", -1, -1);
    s_text(text, sizeof text);
    cr_assert_str_eq(text, "position main|a|BTC/USDT -1\n"
                           "position main|b|BTC/USDT 0.5\n"
                           "order 00000000-0000-7000-0000-000000000001 main|b|BTC/USDT buy quantity=2 leaves=1.5 validated\n"
                           "order 00000000-0000-7000-0000-000000000002 main|b|BTC/USDT sell quantity=0.5 leaves=0.5 requested\n");
}

Test(exposure, keeps_room_for_what_the_log_still_brings)
{
    exposure_terms_t terms = s_terms("a", ZVT_SIDE_BUY, 1);
    exposure_verdict_t verdict = {0};
    unsigned n = 0;
    for (; exposure_has_room_for_order(s_book); n++) {
        zvt_id_t id = s_id(0);
        memcpy(&id.bytes[8], &n, sizeof n);
        cr_assert_eq(exposure_reserve(s_book, &id, &terms, 1, &verdict), 0);
    }
    cr_assert_eq(n, EXPOSURE_ORDERS_MAX / 4 * 3);
    for (; n < EXPOSURE_ORDERS_MAX; n++) {
        zvt_id_t id = s_id(0);
        memcpy(&id.bytes[8], &n, sizeof n);
        cr_assert_eq(exposure_on_requested(s_book, &id, &terms), 0);
    }
    zvt_id_t one_more = s_id(1);
    cr_assert_eq(exposure_on_requested(s_book, &one_more, &terms), ZVT_ERR_FULL);
    cr_assert_eq(exposure_release_before(s_book, 2), EXPOSURE_ORDERS_MAX / 4 * 3);
    cr_assert(exposure_has_room_for_order(s_book));
}

Test(exposure, a_closed_position_gives_its_place_back_and_leaves_no_trace)
{
    char text[2048] = "";
    s_request(1, "a", ZVT_SIDE_BUY, 1);
    s_validate(1);
    s_fill(1, "a", 1, 1);
    s_end(1);
    s_request(2, "a", ZVT_SIDE_SELL, 1);
    s_validate(2);
    s_fill(2, "a", -1, 0);
    cr_assert_eq(exposure_stats(s_book).keys, 1, "its order is open");
    s_end(2);
    cr_assert_eq(exposure_stats(s_book).keys, 0);
    s_text(text, sizeof text);
    cr_assert_str_empty(text);
    s_fill(3, "never-known", 0, 0);
    cr_assert_eq(exposure_stats(s_book).keys, 0);
}

Test(exposure, any_number_of_strategies_may_come_and_go)
{
    char name[ZVT_NAME_SIZE];
    for (unsigned n = 1; n <= 2 * EXPOSURE_KEYS_MAX; n++) {
        snprintf(name, sizeof name, "s%u", n);
        s_fill(n, name, 1, 1);
        s_fill(n, name, -1, 0);
    }
    cr_assert_eq(exposure_stats(s_book).keys, 0);
}

Test(exposure, new_positions_are_refused_at_three_quarters_and_those_that_are_open_go_on)
{
    char name[ZVT_NAME_SIZE];
    exposure_terms_t known = s_terms("s0", ZVT_SIDE_BUY, 1), stranger = s_terms("stranger", ZVT_SIDE_BUY, 1);
    for (unsigned n = 0; n < EXPOSURE_KEYS_MAX / 4 * 3; n++) {
        cr_assert(exposure_has_room_for_key(s_book, &stranger.key));
        snprintf(name, sizeof name, "s%u", n);
        s_fill(n, name, 1, 1);
    }
    cr_assert_not(exposure_has_room_for_key(s_book, &stranger.key));
    cr_assert(exposure_has_room_for_key(s_book, &known.key));
    s_fill(1, "s1", -1, 0);
    cr_assert(exposure_has_room_for_key(s_book, &stranger.key), "one was closed");
}
