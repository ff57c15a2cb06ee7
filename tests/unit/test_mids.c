#include "log_fixture.h"
#include "zvt_mids.h"

static zvt_mids_t *s_mids;

static void s_setup(void)
{
    s_mids = zvt_mids_new(s_fleet());
}

static void s_teardown(void)
{
    zvt_mids_destroy(&s_mids);
    cr_assert_null(s_mids);
}

TestSuite(mids, .init = s_setup, .fini = s_teardown);

static int s_quoted(const char *venue, double bid, double ask, int64_t now_ns)
{
    zvt_price_updated_t quote = s_quote(venue, "BTC/USDT", bid, ask);
    return zvt_mids_on_quote(s_mids, &quote, now_ns);
}

Test(mids, has_no_price_before_the_first_quote)
{
    cr_assert_eq(zvt_mids_freshest(s_mids, 0, ZVT_MIDS_ANY_VENUE).mid_e8, 0);
    cr_assert_eq(zvt_mids_freshest(s_mids, -1, ZVT_MIDS_ANY_VENUE).mid_e8, 0);
}

Test(mids, takes_the_quote_that_arrived_last_of_all_venues)
{
    cr_assert_eq(s_quoted("alpha", 100, 102, 10), 0);
    cr_assert_eq(s_quoted("beta", 200, 202, 20), 0);
    cr_assert_eq(zvt_mids_freshest(s_mids, 0, ZVT_MIDS_ANY_VENUE).mid_e8, E8(201));
    cr_assert_eq(s_quoted("alpha", 100, 104, 30), 0);
    zvt_mid_t mid = zvt_mids_freshest(s_mids, 0, ZVT_MIDS_ANY_VENUE);
    cr_assert_eq(mid.mid_e8, E8(102));
    cr_assert_eq(mid.at_ns, 30);
    cr_assert_eq(zvt_mids_freshest(s_mids, 0, 1).mid_e8, E8(201), "one venue's own mid");
}

Test(mids, uses_the_only_side_of_a_one_sided_book)
{
    cr_assert_eq(s_quoted("alpha", 100, 0, 10), 0);
    cr_assert_eq(zvt_mids_freshest(s_mids, 0, 0).mid_e8, E8(100));
    cr_assert_eq(s_quoted("alpha", 0, 102, 10), 0);
    cr_assert_eq(zvt_mids_freshest(s_mids, 0, 0).mid_e8, E8(102));
}

Test(mids, forgets_a_venue_whose_book_is_empty)
{
    cr_assert_eq(s_quoted("beta", 200, 202, 10), 0);
    cr_assert_eq(s_quoted("alpha", 100, 102, 20), 0);
    cr_assert_eq(s_quoted("alpha", 0, 0, 30), 0);
    cr_assert_eq(zvt_mids_freshest(s_mids, 0, ZVT_MIDS_ANY_VENUE).mid_e8, E8(201));
}

Test(mids, halves_the_largest_prices_without_overflow)
{
    zvt_price_updated_t quote = s_quote("alpha", "BTC/USDT", 0, 0);
    quote.bid_e8 = INT64_MAX;
    quote.ask_e8 = INT64_MAX;
    cr_assert_eq(zvt_mids_on_quote(s_mids, &quote, 1), 0);
    cr_assert_eq(zvt_mids_freshest(s_mids, 0, 0).mid_e8, INT64_MAX);
}

Test(mids, refuses_what_the_fleet_does_not_have_and_negative_prices)
{
    zvt_price_updated_t stranger = s_quote("gamma", "BTC/USDT", 1, 2);
    cr_assert_eq(zvt_mids_on_quote(s_mids, &stranger, 1), ZVT_ERR_NOT_FOUND);
    stranger = s_quote("alpha", "DOGE/USDT", 1, 2);
    cr_assert_eq(zvt_mids_on_quote(s_mids, &stranger, 1), ZVT_ERR_NOT_FOUND);
    cr_assert_eq(s_quoted("alpha", -1, 2, 1), ZVT_ERR_INVALID);
}
