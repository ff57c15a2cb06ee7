#include <criterion/criterion.h>
#include <string.h>

#include "router_core.h"
#include "zvt_stats.h"

enum { ALPHA, BETA, GAMMA };
#define E8(x) ((int64_t)((x)*100000000.0 + ((x) < 0 ? -0.5 : 0.5)))

/* alpha and beta differ in fees; gamma stands last and has beta's fees. */
static const char s_fleet_text[] =
    "executor\n    weight_latency = 0.00001\n    weight_failure = 0.01\n"
    "instruments\n"
    "    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        min_notional = 10\n        price = 100\n"
    "        max_quantity = 1000\n        max_position = 1000\n"
    "venues\n"
    "    alpha\n        maker_fee = 0.0002\n        taker_fee = 0.0005\n"
    "    beta\n        maker_fee = 0.0001\n        taker_fee = 0.0004\n"
    "    gamma\n        maker_fee = 0.0001\n        taker_fee = 0.0004\n";

static zvt_fleet_t s_fleet;
static router_core_t *s_router;
static zvt_route_reply_t s_reply;

static void s_setup(void)
{
    char problem[ZVT_PROBLEM_SIZE];
    cr_assert_eq(zvt_fleet_parse(s_fleet_text, "test", &s_fleet, problem), 0, "%s", problem);
    s_router = router_core_new(&s_fleet);
}

static void s_teardown(void)
{
    router_core_destroy(&s_router);
}

TestSuite(router_core, .init = s_setup, .fini = s_teardown);

/* A reachable venue with `levels` levels a side, 1 apart, `quantity` each. */
static void s_open(uint32_t venue, double bid, double ask, double quantity, unsigned levels)
{
    zvt_orderbook_updated_t book = {.symbol_seq = 1, .bids_count = levels, .asks_count = levels};
    ZVT_STR_SET(book.symbol, "BTC/USDT");
    for (unsigned i = 0; i < levels; i++) {
        book.bids[i] = (zvt_level_t){.price_e8 = E8(bid - i), .quantity_e8 = E8(quantity)};
        book.asks[i] = (zvt_level_t){.price_e8 = E8(ask + i), .quantity_e8 = E8(quantity)};
    }
    router_core_on_book(s_router, venue, &book);
    router_core_on_reachable(s_router, venue, true);
}

static void s_quote(uint32_t venue, uint64_t seq, double bid, double ask, double volume)
{
    zvt_price_updated_t quote = {.symbol_seq = seq,
                                 .bid_e8 = E8(bid),
                                 .ask_e8 = E8(ask),
                                 .bid_volume_e8 = E8(volume),
                                 .ask_volume_e8 = E8(volume)};
    ZVT_STR_SET(quote.symbol, "BTC/USDT");
    router_core_on_quote(s_router, venue, &quote);
}

static zvt_route_request_t s_market(uint8_t side, double quantity)
{
    zvt_route_request_t request = {.attempt = 1, .quantity_e8 = E8(quantity)};
    ZVT_STR_SET(request.order_request.symbol, "BTC/USDT");
    request.order_request.side = side;
    request.order_request.order_type = ZVT_ORDER_TYPE_MARKET;
    request.order_request.time_in_force = ZVT_TIF_IOC;
    return request;
}

static zvt_route_request_t s_limit(uint8_t side, double quantity, double price, uint8_t time_in_force)
{
    zvt_route_request_t request = s_market(side, quantity);
    request.order_request.order_type = ZVT_ORDER_TYPE_LIMIT;
    request.order_request.time_in_force = time_in_force;
    request.order_request.limit_price_e8 = E8(price);
    return request;
}

static void s_route(const zvt_route_request_t *request)
{
    router_core_route(s_router, request, 0, &s_reply);
}

static uint8_t s_code(uint32_t venue)
{
    return s_reply.routing_metrics[venue].code;
}

/* ---- price, fees, depth ---- */
Test(router_core, takes_the_best_price_after_fees)
{
    s_open(ALPHA, 99.00, 100.00, 10, 3);
    s_open(BETA, 99.00, 100.005, 10, 3); /* dearer before fees, cheaper after */
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_OK);
    cr_assert_str_eq(s_reply.selected_exchange, "beta");
    cr_assert_eq(s_reply.routing_metrics[ALPHA].price_e8, E8(100.05));
    cr_assert_eq(s_reply.routing_metrics[BETA].price_e8, E8(100.045002));
    cr_assert_eq(s_reply.routing_metrics[ALPHA].fee_e8, E8(0.0005));
    cr_assert_eq(s_reply.routing_metrics[BETA].score_e8, 0);
    cr_assert_eq(s_code(GAMMA), ZVT_CODE_VENUE_UNREACHABLE);
}

Test(router_core, sells_to_the_highest_bid_after_fees)
{
    s_open(ALPHA, 99.20, 100, 10, 3);
    s_open(BETA, 99.10, 100, 10, 3);
    zvt_route_request_t request = s_market(ZVT_SIDE_SELL, 1);
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "alpha");
    cr_assert_eq(s_reply.routing_metrics[ALPHA].price_e8, E8(99.20 * 0.9995));
}

Test(router_core, prices_the_whole_quantity_and_not_only_the_best_level)
{
    s_open(ALPHA, 99, 100.00, 1, 5); /* 3 cost 100, 101, 102 */
    s_open(BETA, 99, 100.50, 5, 5);  /* 3 cost 100.50 each */
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 3);
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "beta");
    cr_assert_eq(s_reply.routing_metrics[ALPHA].price_e8, E8(101 * 1.0005));
    cr_assert_eq(s_reply.routing_metrics[ALPHA].depth_e8, E8(5));
    cr_assert_eq(s_reply.routing_metrics[BETA].depth_e8, E8(25));
}

Test(router_core, prefers_a_venue_that_can_execute_everything)
{
    s_open(ALPHA, 99, 100.00, 1, 1);
    s_open(BETA, 99, 100.50, 5, 1);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 3);
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "beta");
    cr_assert_eq(s_reply.routing_metrics[ALPHA].price_e8, 0, "it cannot price the whole quantity");
    cr_assert_eq(s_code(ALPHA), ZVT_CODE_OK, "it could still take a part");
}

Test(router_core, counts_depth_within_the_limit_only)
{
    s_open(ALPHA, 99, 100, 1, 5);
    zvt_route_request_t request = s_limit(ZVT_SIDE_BUY, 5, 102, ZVT_TIF_IOC);
    s_route(&request);
    cr_assert_eq(s_reply.routing_metrics[ALPHA].depth_e8, E8(3));
    request = s_limit(ZVT_SIDE_SELL, 5, 98, ZVT_TIF_IOC);
    s_route(&request);
    cr_assert_eq(s_reply.routing_metrics[ALPHA].depth_e8, E8(2));
}

Test(router_core, lets_a_resting_order_go_where_the_maker_fee_is_lowest)
{
    s_open(ALPHA, 99, 100, 10, 3);
    s_open(BETA, 99, 100, 10, 3);
    zvt_route_request_t request = s_limit(ZVT_SIDE_BUY, 1, 98, ZVT_TIF_GTC);
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "beta");
    cr_assert_eq(s_reply.routing_metrics[ALPHA].fee_e8, E8(0.0002));
    cr_assert_eq(s_reply.routing_metrics[ALPHA].price_e8, E8(98 * 1.0002));
    cr_assert_eq(s_reply.routing_metrics[ALPHA].depth_e8, 0);
}

Test(router_core, prefers_an_execution_now_over_resting_at_the_same_price)
{
    s_open(ALPHA, 99, 100.00, 10, 3); /* can execute at the limit, for the taker fee */
    s_open(BETA, 99, 100.01, 10, 3);  /* would rest, for the lower maker fee */
    zvt_route_request_t request = s_limit(ZVT_SIDE_BUY, 1, 100, ZVT_TIF_GTC);
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "alpha");
}

Test(router_core, mixes_both_fees_for_an_order_that_executes_in_part)
{
    s_open(ALPHA, 99, 100, 1, 1);
    zvt_route_request_t request = s_limit(ZVT_SIDE_BUY, 2, 101, ZVT_TIF_GTC);
    s_route(&request);
    cr_assert_eq(s_reply.routing_metrics[ALPHA].price_e8, (E8(100 * 1.0005) + E8(101 * 1.0002)) / 2);
}

Test(router_core, keeps_a_post_only_order_away_from_where_it_would_cross)
{
    s_open(ALPHA, 99, 101, 10, 3);
    s_open(BETA, 99, 100, 10, 3);
    zvt_route_request_t request = s_limit(ZVT_SIDE_BUY, 1, 100, ZVT_TIF_GTC);
    request.order_request.post_only = true;
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "alpha");
    cr_assert_eq(s_reply.routing_metrics[ALPHA].fee_e8, E8(0.0002));
}

Test(router_core, leaves_it_to_the_venue_when_a_post_only_order_crosses_everywhere)
{
    s_open(ALPHA, 99, 100, 10, 3);
    zvt_route_request_t request = s_limit(ZVT_SIDE_BUY, 1, 100, ZVT_TIF_GTC);
    request.order_request.post_only = true;
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_OK);
    cr_assert_str_eq(s_reply.selected_exchange, "alpha");
}

/* ---- quote and book ---- */
Test(router_core, routes_by_the_quote_while_there_is_no_book)
{
    router_core_on_reachable(s_router, ALPHA, true);
    s_quote(ALPHA, 1, 99, 100, 2);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_OK);
    cr_assert_eq(s_reply.routing_metrics[ALPHA].depth_e8, E8(2));
}

Test(router_core, lets_a_newer_quote_take_the_place_of_the_levels_it_is_as_good_as)
{
    s_open(ALPHA, 99, 100, 1, 5); /* 100, 101, 102, .. as of number 1 */
    s_quote(ALPHA, 2, 99, 101, 7);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_eq(s_reply.routing_metrics[ALPHA].price_e8, E8(101 * 1.0005));
    cr_assert_eq(s_reply.routing_metrics[ALPHA].depth_e8, E8(7 + 3));
}

Test(router_core, ignores_a_quote_that_is_older_than_the_book)
{
    s_quote(ALPHA, 1, 90, 91, 7);
    s_open(ALPHA, 99, 100, 1, 1);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_eq(s_reply.routing_metrics[ALPHA].price_e8, E8(100 * 1.0005));
}

Test(router_core, ignores_market_data_that_is_older_than_what_it_knows)
{
    router_core_on_reachable(s_router, ALPHA, true);
    s_quote(ALPHA, 5, 99, 100, 7);
    s_quote(ALPHA, 4, 90, 91, 7);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_eq(s_reply.routing_metrics[ALPHA].price_e8, E8(100 * 1.0005));
    router_core_forget_market(s_router, ALPHA);
    s_quote(ALPHA, 1, 90, 91, 7);
    s_route(&request);
    cr_assert_eq(s_reply.routing_metrics[ALPHA].price_e8, E8(91 * 1.0005));
}

Test(router_core, forgets_the_market_of_a_new_gateway)
{
    s_open(ALPHA, 99, 100, 1, 1);
    router_core_forget_market(s_router, ALPHA);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_NO_VENUE);
    cr_assert_eq(s_code(ALPHA), ZVT_CODE_NO_REFERENCE_PRICE);
}

Test(router_core, counts_market_data_of_unknown_symbols)
{
    uint64_t before = *zvt_counter("unknown_symbol");
    zvt_price_updated_t quote = {.symbol = "DOGE/USDT"};
    router_core_on_quote(s_router, ALPHA, &quote);
    cr_assert_eq(*zvt_counter("unknown_symbol") - before, 1u);
}

/* ---- latency and failures ---- */
Test(router_core, weighs_latency_against_price)
{
    s_open(ALPHA, 99, 100, 10, 3);
    s_open(GAMMA, 99, 100, 10, 3); /* 1 bp cheaper in fees, worth 10 ms */
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    venue_health_on_answer(router_core_health(s_router, GAMMA), 5 * ZVT_MS_NS, false, 0);
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "gamma");
    venue_health_on_answer(router_core_health(s_router, GAMMA), 100 * ZVT_MS_NS, false, 0);
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "alpha");
    cr_assert_eq(s_reply.routing_metrics[GAMMA].latency_ms_e8, 16875 * (ZVT_E8 / 1000));
    cr_assert_eq(s_reply.routing_metrics[GAMMA].score_e8, E8(0.00016875));
}

Test(router_core, avoids_a_venue_that_fails_until_that_is_long_ago)
{
    s_open(ALPHA, 99, 100, 10, 3);
    s_open(BETA, 99, 100, 10, 3);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    venue_health_on_silence(router_core_health(s_router, BETA), 0);
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "alpha");
    cr_assert_eq(s_reply.routing_metrics[BETA].failure_rate_e8, ZVT_E8 / 8);
    router_core_route(s_router, &request, 10 * VENUE_HEALTH_HALF_LIFE_NS, &s_reply);
    cr_assert_str_eq(s_reply.selected_exchange, "beta");
}

Test(router_core, breaks_ties_by_the_order_of_the_fleet_file)
{
    s_open(GAMMA, 99, 100, 10, 3);
    s_open(BETA, 99, 100, 10, 3);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "beta");
    cr_assert_eq(s_reply.routing_metrics[BETA].score_e8, s_reply.routing_metrics[GAMMA].score_e8);
}

/* ---- filters ---- */
Test(router_core, filters_venues_that_cannot_take_the_order_with_a_code_each)
{
    s_open(ALPHA, 99, 100, 10, 3);
    s_open(BETA, 99, 100, 10, 3);
    zvt_market_status_t closed = {.open = false};
    router_core_on_status(s_router, ALPHA, &closed);
    router_core_on_reachable(s_router, BETA, false);
    router_core_on_reachable(s_router, GAMMA, true);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_NO_VENUE);
    cr_assert_eq(s_code(ALPHA), ZVT_CODE_MARKET_CLOSED);
    cr_assert_eq(s_code(BETA), ZVT_CODE_VENUE_UNREACHABLE);
    cr_assert_eq(s_code(GAMMA), ZVT_CODE_NO_REFERENCE_PRICE);
    cr_assert_str_eq(s_reply.routing_reason,
                     "no venue can take it: alpha MARKET_CLOSED, beta VENUE_UNREACHABLE, gamma NO_REFERENCE_PRICE");
    cr_assert_str_eq(s_reply.selected_exchange, "");
}

Test(router_core, answers_with_the_code_that_all_venues_share)
{
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_VENUE_UNREACHABLE);
}

Test(router_core, sends_a_fill_or_kill_only_where_it_can_be_filled)
{
    s_open(ALPHA, 99, 100, 1, 3);
    s_open(BETA, 99, 100.50, 5, 3);
    zvt_route_request_t request = s_limit(ZVT_SIDE_BUY, 4, 101, ZVT_TIF_FOK);
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "beta");
    cr_assert_eq(s_code(ALPHA), ZVT_CODE_NO_LIQUIDITY);
    request = s_limit(ZVT_SIDE_BUY, 40, 101, ZVT_TIF_FOK);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_NO_VENUE);
    cr_assert_eq(s_code(BETA), ZVT_CODE_NO_LIQUIDITY);
}

Test(router_core, refuses_a_market_order_where_that_side_is_empty)
{
    s_open(ALPHA, 99, 100, 1, 1);
    s_quote(ALPHA, 2, 99, 0, 1);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_eq(s_code(ALPHA), ZVT_CODE_NO_LIQUIDITY);
    request = s_market(ZVT_SIDE_SELL, 1);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_OK);
}

Test(router_core, sends_an_immediate_order_beyond_the_market_to_a_venue_all_the_same)
{
    s_open(ALPHA, 99, 100, 1, 1);
    zvt_route_request_t request = s_limit(ZVT_SIDE_BUY, 1, 90, ZVT_TIF_IOC);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_OK, "the venue is who expires it");
}

Test(router_core, takes_the_venue_that_the_order_names)
{
    s_open(ALPHA, 99, 100, 10, 3);
    s_open(BETA, 99, 90, 10, 3);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    ZVT_STR_SET(request.order_request.venue, "alpha");
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "alpha");
    cr_assert_eq(s_code(BETA), ZVT_CODE_VENUE_EXCLUDED);
    cr_assert_str_eq(s_reply.routing_reason, "alpha: named by the order, price after fees 100.05");
    router_core_on_reachable(s_router, ALPHA, false);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_VENUE_UNREACHABLE);
}

Test(router_core, avoids_the_venue_that_just_refused_unless_it_is_the_only_one)
{
    s_open(ALPHA, 99, 100, 10, 3);
    s_open(BETA, 99, 100, 10, 3);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    ZVT_STR_SET(request.avoid, "beta");
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "alpha");
    cr_assert_eq(s_code(BETA), ZVT_CODE_VENUE_EXCLUDED);
    router_core_on_reachable(s_router, ALPHA, false);
    s_route(&request);
    cr_assert_str_eq(s_reply.selected_exchange, "beta");
    cr_assert_eq(s_code(BETA), ZVT_CODE_OK);
}

Test(router_core, refuses_requests_that_no_venue_could_take)
{
    s_open(ALPHA, 99, 100, 10, 3);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 0);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_BAD_QUANTITY);
    request = s_market(0, 1);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_BAD_ORDER);
    request = s_limit(ZVT_SIDE_BUY, 1, 0, ZVT_TIF_GTC);
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_BAD_PRICE);
    request = s_market(ZVT_SIDE_BUY, 1);
    ZVT_STR_SET(request.order_request.symbol, "DOGE/USDT");
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_UNKNOWN_SYMBOL);
    request = s_market(ZVT_SIDE_BUY, 1);
    ZVT_STR_SET(request.order_request.venue, "delta");
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_UNKNOWN_VENUE);
}

Test(router_core, survives_the_largest_numbers)
{
    zvt_orderbook_updated_t book = {.symbol_seq = 1, .bids_count = 2, .asks_count = 2};
    ZVT_STR_SET(book.symbol, "BTC/USDT");
    for (unsigned i = 0; i < 2; i++) {
        book.asks[i] = (zvt_level_t){.price_e8 = INT64_MAX - 1 + i, .quantity_e8 = INT64_MAX};
        book.bids[i] = (zvt_level_t){.price_e8 = INT64_MAX - i, .quantity_e8 = INT64_MAX};
    }
    router_core_on_book(s_router, ALPHA, &book);
    router_core_on_reachable(s_router, ALPHA, true);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    request.quantity_e8 = INT64_MAX;
    s_route(&request);
    cr_assert_eq(s_reply.code, ZVT_CODE_NO_VENUE);
    cr_assert_eq(s_code(ALPHA), ZVT_CODE_NUMBER_OVERFLOW);
}

/* ---- the words ---- */
Test(router_core, says_why_in_a_sentence)
{
    s_open(ALPHA, 99, 60000.00, 10, 3);
    s_open(BETA, 99, 60018.60, 10, 3);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_str_eq(s_reply.routing_reason,
                     "alpha: best price after fees 60030 (beta +2.1 bp, gamma VENUE_UNREACHABLE)", "%s", s_reply.routing_reason);
    router_core_on_reachable(s_router, BETA, false);
    s_route(&request);
    cr_assert_str_eq(s_reply.routing_reason,
                     "alpha: the only venue that can take it, price after fees 60030 "
                     "(beta VENUE_UNREACHABLE, gamma VENUE_UNREACHABLE)",
                     "%s", s_reply.routing_reason);
}

Test(router_core, says_when_something_else_outweighed_the_price)
{
    s_open(ALPHA, 99, 100, 10, 3);
    s_open(BETA, 99, 100, 10, 3);
    venue_health_on_silence(router_core_health(s_router, BETA), 0);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    s_route(&request);
    cr_assert_not_null(strstr(s_reply.routing_reason, "alpha: lowest score, price after fees 100.05 (beta +11.5 bp"), "%s",
                       s_reply.routing_reason);
}

Test(router_core, answers_the_same_twice)
{
    static zvt_route_reply_t first;
    s_open(ALPHA, 99, 100, 1, 5);
    s_open(BETA, 99.5, 100.2, 2, 4);
    s_quote(BETA, 2, 99.4, 100.1, 1);
    zvt_route_request_t request = s_limit(ZVT_SIDE_BUY, 3, 101, ZVT_TIF_GTC);
    request.order_id.bytes[0] = 7;
    s_route(&request);
    first = s_reply;
    memset(&s_reply, 0xff, sizeof s_reply);
    s_route(&request);
    cr_assert_eq(memcmp(&first, &s_reply, sizeof first), 0);
    cr_assert_eq(first.order_id.bytes[0], 7);
    cr_assert_eq(first.attempt, 1u);
}

Test(router_core, does_not_choose_a_venue_that_the_orchestrator_excludes_and_says_why)
{
    s_open(ALPHA, 99, 100, 10, 1);
    s_open(BETA, 99, 101, 10, 1);
    zvt_route_request_t request = s_market(ZVT_SIDE_BUY, 1);
    request.excluded_count = 1;
    ZVT_STR_SET(request.excluded[0].exchange, "alpha");
    request.excluded[0].code = ZVT_CODE_ACCOUNT_HALTED;
    router_core_route(s_router, &request, 0, &s_reply);
    cr_assert_eq(s_reply.code, ZVT_CODE_OK);
    cr_assert_str_eq(s_reply.selected_exchange, "beta");
    cr_assert_eq(s_reply.routing_metrics[ALPHA].code, ZVT_CODE_ACCOUNT_HALTED);
    ZVT_STR_SET(request.order_request.venue, "alpha");
    router_core_route(s_router, &request, 0, &s_reply);
    cr_assert_eq(s_reply.code, ZVT_CODE_ACCOUNT_HALTED);
}
