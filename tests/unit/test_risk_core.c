#include "log_fixture.h"
#include "risk_checks.h"
#include "risk_core.h"
#include "zvt_time.h"

#define SECOND ZVT_SECOND_NS

static risk_core_t *s_core;
static zvt_risk_verdict_t s_verdict;
static int64_t s_now_ns;
static unsigned s_next_order;

static void s_quote_now(const char *venue, double bid, double ask)
{
    zvt_price_updated_t quote = s_quote(venue, "BTC/USDT", bid, ask);
    cr_assert_eq(risk_core_on_quote(s_core, &quote, s_now_ns), 0);
}

static void s_setup(void)
{
    risk_options_t options = {.quote_max_age_ns = 60 * SECOND, .incarnation = 77};
    s_now_ns = 1000 * SECOND;
    s_next_order = 1;
    s_core = risk_core_new(s_fleet(), &options);
    s_quote_now("alpha", 9999, 10001);
}

static void s_teardown(void)
{
    risk_core_destroy(&s_core);
}

TestSuite(risk_core, .init = s_setup, .fini = s_teardown);

/* An order that every rule passes; each has a new id, a second after the one before. */
static zvt_risk_check_t s_order(uint8_t side, double quantity)
{
    zvt_risk_check_t check = {.order_id = s_id(s_next_order++), .epoch = 1};
    s_now_ns += 2 * SECOND;
    ZVT_STR_SET(check.strategy_id, "momentum");
    ZVT_STR_SET(check.portfolio_id, "main");
    ZVT_STR_SET(check.order_request.symbol, "BTC/USDT");
    check.order_request.side = side;
    check.order_request.order_type = ZVT_ORDER_TYPE_MARKET;
    check.order_request.time_in_force = ZVT_TIF_IOC;
    check.order_request.quantity_e8 = E8(quantity);
    return check;
}

static zvt_risk_check_t s_limit(uint8_t side, double quantity, double price)
{
    zvt_risk_check_t check = s_order(side, quantity);
    check.order_request.order_type = ZVT_ORDER_TYPE_LIMIT;
    check.order_request.time_in_force = ZVT_TIF_GTC;
    check.order_request.limit_price_e8 = E8(price);
    return check;
}

static const char *s_ask(const zvt_risk_check_t *check)
{
    risk_core_on_check(s_core, check, s_now_ns, &s_verdict);
    cr_assert(zvt_id_equal(&s_verdict.order_id, &check->order_id));
    cr_assert_eq(s_verdict.incarnation, 77);
    return zvt_code_text(s_verdict.code);
}

static void s_log(zvt_type_t type, const void *record)
{
    cr_assert_eq(risk_core_on_event(s_core, s_event(type, record)), 0);
}

static void s_log_requested(const zvt_risk_check_t *check)
{
    zvt_order_requested_t requested = {.order_id = check->order_id, .order_request = check->order_request};
    ZVT_STR_SET(requested.strategy_id, check->strategy_id);
    ZVT_STR_SET(requested.portfolio_id, check->portfolio_id);
    s_log(ZVT_T_ORDER_REQUESTED, &requested);
}

static void s_log_validated(const zvt_risk_check_t *check)
{
    zvt_order_validated_t validated = {.order_id = check->order_id, .risk_score_e8 = E8(0.25)};
    validated.validation_result.checks = 3;
    s_log(ZVT_T_ORDER_VALIDATED, &validated);
}

static void s_log_position(unsigned order, double change, double quantity)
{
    zvt_position_updated_t position = {.order_id = s_id(order), .quantity_change_e8 = E8(change), .new_quantity_e8 = E8(quantity)};
    ZVT_STR_SET(position.strategy_id, "momentum");
    ZVT_STR_SET(position.portfolio_id, "main");
    ZVT_STR_SET(position.symbol, "BTC/USDT");
    s_log(ZVT_T_POSITION_UPDATED, &position);
}

Test(risk_core, passes_a_plain_order_and_says_what_it_was_judged_by)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 2);
    cr_assert_str_eq(s_ask(&check), "OK");
    cr_assert_eq(s_verdict.risk_violations_count, 0);
    cr_assert_str_empty(s_verdict.message);
    cr_assert_eq(s_verdict.validation_result.checks, risk_checks_count());
    cr_assert_eq(s_verdict.validation_result.reference_price_e8, E8(10000));
    cr_assert_eq(s_verdict.validation_result.notional_value_e8, E8(20000));
    cr_assert_eq(s_verdict.validation_result.position_e8, 0);
    cr_assert_eq(s_verdict.validation_result.pending_e8, 0);
    cr_assert_eq(s_verdict.risk_score_e8, E8(0.2), "one of five orders a second is the tightest limit");
}

Test(risk_core, scores_the_use_of_the_tightest_limit)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 15);
    cr_assert_str_eq(s_ask(&check), "OK");
    cr_assert_eq(s_verdict.risk_score_e8, E8(0.75), "15 of at most 20");
}

typedef struct {
    const char *code;
    const char *context; /* NULL: any */
    uint8_t side;
    double quantity;
    double limit_price; /* 0: market order */
} single_rule_t;

/* One violation each: code and context. */
static const single_rule_t s_single_rules[] = {
    {"BAD_QUANTITY", "quantity=0", ZVT_SIDE_BUY, 0, 0},
    {"BAD_QUANTITY", "quantity=-1", ZVT_SIDE_BUY, -1, 0},
    {"QUANTITY_OFF_LOT", "quantity=0.0105 lot=0.001", ZVT_SIDE_BUY, 0.0105, 0},
    {"MAX_QUANTITY", "quantity=20.001 max_quantity=20", ZVT_SIDE_BUY, 20.001, 0},
    {"PRICE_OFF_TICK", "limit_price=9999.005 tick=0.01", ZVT_SIDE_BUY, 1, 9999.005},
    {"BAD_PRICE", "order_type=limit limit_price=-1", ZVT_SIDE_BUY, 1, -1},
    {"PRICE_COLLAR", "limit_price=10500.01 reference_price=10000 price_collar=0.05", ZVT_SIDE_BUY, 1, 10500.01},
    {"MIN_NOTIONAL", "notional=9.99 min_notional=10 price=9990", ZVT_SIDE_BUY, 0.001, 9990},
    {"SHORT_POSITION", "position=0 pending=0 quantity=1 allow_short=no", ZVT_SIDE_SELL, 1, 0},
    {"OK", NULL, ZVT_SIDE_BUY, 20, 0},
    {"OK", NULL, ZVT_SIDE_BUY, 1, 10500},
    {"OK", NULL, ZVT_SIDE_BUY, 1, 5000},
    {"OK", NULL, ZVT_SIDE_BUY, 0.001, 10000},
};

Test(risk_core, refuses_each_single_violation_with_its_code_and_context)
{
    for (size_t i = 0; i < sizeof s_single_rules / sizeof s_single_rules[0]; i++) {
        const single_rule_t *rule = &s_single_rules[i];
        zvt_risk_check_t check = rule->limit_price != 0 ? s_limit(rule->side, rule->quantity, rule->limit_price)
                                                        : s_order(rule->side, rule->quantity);
        cr_assert_str_eq(s_ask(&check), rule->code, "row %zu: %s %s", i, zvt_code_text(s_verdict.code), s_verdict.message);
        if (s_verdict.code == ZVT_CODE_OK) {
            zvt_risk_release_t release = {.order_id = check.order_id, .epoch = 1};
            risk_core_on_release(s_core, &release);
            continue;
        }
        cr_assert_eq(s_verdict.risk_violations_count, 1, "row %zu", i);
        cr_assert_eq(s_verdict.risk_violations[0].code, s_verdict.code);
        cr_assert_str_eq(s_verdict.message, rule->context);
        cr_assert_str_eq(s_verdict.risk_violations[0].context, rule->context);
    }
}

Test(risk_core, reserves_nothing_for_a_refused_order)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 21);
    cr_assert_str_eq(s_ask(&check), "MAX_QUANTITY");
    cr_assert_eq(exposure_stats(risk_core_exposure(s_core)).orders, 0);
}

Test(risk_core, reports_every_violation_and_leads_with_the_first)
{
    zvt_risk_check_t check = s_limit(ZVT_SIDE_SELL, 60.0005, 100.005);
    cr_assert_str_eq(s_ask(&check), "QUANTITY_OFF_LOT");
    static const char *const expected[] = {"QUANTITY_OFF_LOT", "MAX_QUANTITY", "PRICE_OFF_TICK", "PRICE_COLLAR", "MAX_POSITION",
                                           "SHORT_POSITION"};
    cr_assert_eq(s_verdict.risk_violations_count, 6);
    for (size_t i = 0; i < 6; i++) cr_assert_str_eq(zvt_code_text(s_verdict.risk_violations[i].code), expected[i]);
    cr_assert_eq(s_verdict.validation_result.checks, risk_checks_count() - 6);
}

Test(risk_core, refuses_notional_above_the_limit_at_the_orders_own_price)
{
    s_fleet()->max_notional_e8 = E8(100000);
    zvt_risk_check_t check = s_limit(ZVT_SIDE_BUY, 10, 10000.01);
    cr_assert_str_eq(s_ask(&check), "MAX_NOTIONAL");
    cr_assert_str_eq(s_verdict.message, "quantity=10 price=10000.01 max_notional=100000");
    check = s_limit(ZVT_SIDE_BUY, 10, 10000);
    cr_assert_str_eq(s_ask(&check), "OK");
}

Test(risk_core, refuses_unknown_symbols_and_venues)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 1);
    ZVT_STR_SET(check.order_request.symbol, "DOGE/USDT");
    cr_assert_str_eq(s_ask(&check), "UNKNOWN_SYMBOL");
    cr_assert_str_eq(s_verdict.message, "symbol=DOGE/USDT");
    check = s_order(ZVT_SIDE_BUY, 1);
    ZVT_STR_SET(check.order_request.venue, "gamma");
    cr_assert_str_eq(s_ask(&check), "UNKNOWN_VENUE");
    cr_assert_str_eq(s_verdict.message, "venue=gamma");
}

Test(risk_core, refuses_orders_without_side_or_type_and_market_orders_with_a_price)
{
    zvt_risk_check_t check = s_order(0, 1);
    cr_assert_str_eq(s_ask(&check), "BAD_ORDER");
    check = s_order(ZVT_SIDE_BUY, 1);
    check.order_request.order_type = 0;
    cr_assert_str_eq(s_ask(&check), "BAD_ORDER");
    check = s_order(ZVT_SIDE_BUY, 1);
    check.order_request.limit_price_e8 = E8(10000);
    cr_assert_str_eq(s_ask(&check), "BAD_PRICE");
}

Test(risk_core, refuses_names_that_could_pose_as_another_position)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 1);
    ZVT_STR_SET(check.strategy_id, "a|b");
    cr_assert_str_eq(s_ask(&check), "MALFORMED");
}

Test(risk_core, needs_a_reference_price_of_a_venue_that_can_take_the_order)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 1);
    ZVT_STR_SET(check.order_request.symbol, "ETH/USDT");
    cr_assert_str_eq(s_ask(&check), "NO_REFERENCE_PRICE");
    cr_assert_str_eq(s_verdict.message, "symbol=ETH/USDT venue=any quote=none");
    check = s_order(ZVT_SIDE_BUY, 1);
    ZVT_STR_SET(check.order_request.venue, "beta");
    cr_assert_str_eq(s_ask(&check), "NO_REFERENCE_PRICE");
    s_quote_now("beta", 19999, 20001);
    cr_assert_str_eq(s_ask(&check), "OK");
    cr_assert_eq(s_verdict.validation_result.reference_price_e8, E8(20000));
}

Test(risk_core, does_not_trust_an_old_quote)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 1);
    s_now_ns = 1060 * SECOND;
    cr_assert_str_eq(s_ask(&check), "OK");
    check = s_order(ZVT_SIDE_BUY, 1);
    cr_assert_str_eq(s_ask(&check), "NO_REFERENCE_PRICE");
    cr_assert_str_eq(s_verdict.message, "symbol=BTC/USDT venue=any quote_age_ms=62000");
}

Test(risk_core, judges_by_the_freshest_quote_of_all_venues)
{
    s_now_ns += SECOND;
    s_quote_now("beta", 10999, 11001);
    zvt_risk_check_t check = s_limit(ZVT_SIDE_BUY, 1, 11500);
    cr_assert_str_eq(s_ask(&check), "OK");
    s_quote_now("alpha", 9999, 10001);
    check = s_limit(ZVT_SIDE_BUY, 1, 11500);
    cr_assert_str_eq(s_ask(&check), "PRICE_COLLAR");
}

Test(risk_core, collars_a_sell_below_the_market_only)
{
    s_log_position(900, 10, 10);
    zvt_risk_check_t check = s_limit(ZVT_SIDE_SELL, 1, 9499.99);
    cr_assert_str_eq(s_ask(&check), "PRICE_COLLAR");
    check = s_limit(ZVT_SIDE_SELL, 1, 9500);
    cr_assert_str_eq(s_ask(&check), "OK");
    check = s_limit(ZVT_SIDE_SELL, 1, 20000);
    cr_assert_str_eq(s_ask(&check), "OK");
}

Test(risk_core, limits_the_position_with_pending_orders_included)
{
    s_log_position(900, 20, 20);
    zvt_risk_check_t first = s_order(ZVT_SIDE_BUY, 20), second = s_order(ZVT_SIDE_BUY, 10.001);
    cr_assert_str_eq(s_ask(&first), "OK");
    cr_assert_str_eq(s_ask(&second), "MAX_POSITION");
    cr_assert_str_eq(s_verdict.message, "position=20 pending=20 quantity=10.001 max_position=50");
    second.order_request.quantity_e8 = E8(10);
    cr_assert_str_eq(s_ask(&second), "OK");
    cr_assert_eq(s_verdict.validation_result.position_e8, E8(20));
    cr_assert_eq(s_verdict.validation_result.pending_e8, E8(20));
}

Test(risk_core, limits_each_strategy_for_itself)
{
    s_log_position(900, 50, 50);
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 1);
    cr_assert_str_eq(s_ask(&check), "MAX_POSITION");
    ZVT_STR_SET(check.strategy_id, "reversion");
    cr_assert_str_eq(s_ask(&check), "OK");
}

Test(risk_core, lets_a_position_above_its_limit_be_taken_down)
{
    s_log_position(900, 80, 80);
    zvt_risk_check_t check = s_order(ZVT_SIDE_SELL, 10);
    cr_assert_str_eq(s_ask(&check), "OK");
}

Test(risk_core, sells_no_more_than_position_and_pending_sells_leave)
{
    s_log_position(900, 5, 5);
    zvt_risk_check_t buy = s_order(ZVT_SIDE_BUY, 10), first = s_order(ZVT_SIDE_SELL, 3), second = s_order(ZVT_SIDE_SELL, 2.001);
    cr_assert_str_eq(s_ask(&buy), "OK", "a pending buy is nothing that could be sold yet");
    cr_assert_str_eq(s_ask(&first), "OK");
    cr_assert_str_eq(s_ask(&second), "SHORT_POSITION");
    cr_assert_str_eq(s_verdict.message, "position=5 pending=-3 quantity=2.001 allow_short=no");
    second.order_request.quantity_e8 = E8(2);
    cr_assert_str_eq(s_ask(&second), "OK");
    cr_assert_eq(s_verdict.validation_result.pending_e8, E8(-3));
}

Test(risk_core, allows_short_positions_up_to_the_limit_where_configured)
{
    s_fleet()->allow_short = true;
    s_log_position(900, -40, -40);
    zvt_risk_check_t check = s_order(ZVT_SIDE_SELL, 10.001);
    cr_assert_str_eq(s_ask(&check), "MAX_POSITION");
    check = s_order(ZVT_SIDE_SELL, 10);
    cr_assert_str_eq(s_ask(&check), "OK");
}

Test(risk_core, limits_the_rate_of_each_strategy)
{
    zvt_risk_check_t check;
    int64_t start_ns = s_now_ns + 100 * SECOND;
    s_now_ns = start_ns;
    s_quote_now("alpha", 9999, 10001);
    for (int i = 0; i < 5; i++) {
        check = s_order(ZVT_SIDE_BUY, 0.01);
        s_now_ns = start_ns + i * 10 * ZVT_MS_NS;
        cr_assert_str_eq(s_ask(&check), "OK");
    }
    check = s_order(ZVT_SIDE_BUY, 0.01);
    s_now_ns = start_ns + 900 * ZVT_MS_NS;
    cr_assert_str_eq(s_ask(&check), "ORDER_RATE");
    cr_assert_str_eq(s_verdict.message, "strategy_id=momentum orders_in_second=6 max_orders_per_second=5");
    ZVT_STR_SET(check.strategy_id, "reversion");
    cr_assert_str_eq(s_ask(&check), "OK");
    check = s_order(ZVT_SIDE_BUY, 0.01);
    s_now_ns = start_ns + 1020 * ZVT_MS_NS;
    cr_assert_str_eq(s_ask(&check), "OK");
}

Test(risk_core, refuses_while_halted_and_passes_after_resumed)
{
    zvt_risk_halted_t halted = {0};
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 1);
    s_log(ZVT_T_RISK_HALTED, &halted);
    cr_assert(risk_core_halted(s_core));
    cr_assert_str_eq(s_ask(&check), "HALTED");
    s_log(ZVT_T_RISK_RESUMED, &halted);
    cr_assert_str_eq(s_ask(&check), "OK");
}

Test(risk_core, refuses_numbers_that_do_not_fit_instead_of_wrapping_them)
{
    s_fleet()->max_notional_e8 = INT64_MAX;
    s_fleet()->instruments[0].max_quantity_e8 = INT64_MAX;
    s_fleet()->instruments[0].max_position_e8 = INT64_MAX;
    s_log_position(900, 1, 1);
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 1);
    check.order_request.quantity_e8 = INT64_MAX / 100000 * 100000;
    cr_assert_str_eq(s_ask(&check), "NUMBER_OVERFLOW");
    cr_assert_eq(s_verdict.risk_violations_count, 2, "notional and position");
    cr_assert_eq(s_verdict.risk_violations[1].code, ZVT_CODE_NUMBER_OVERFLOW);
}

Test(risk_core, survives_the_extremes_of_every_number)
{
    static const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    enum { COUNT = sizeof extremes / sizeof extremes[0] };
    zvt_price_updated_t quote = s_quote("alpha", "BTC/USDT", 0, 0);
    for (int i = 0; i < COUNT * COUNT * COUNT; i++) {
        for (uint8_t side = 0; side <= 2; side++) {
            zvt_risk_check_t check = s_limit(side, 1, 1);
            check.order_request.quantity_e8 = extremes[i % COUNT];
            check.order_request.limit_price_e8 = extremes[i / COUNT % COUNT];
            quote.bid_e8 = quote.ask_e8 = extremes[i / COUNT / COUNT];
            (void)!risk_core_on_quote(s_core, &quote, s_now_ns);
            risk_core_on_check(s_core, &check, s_now_ns, &s_verdict);
            cr_assert(s_verdict.risk_score_e8 >= 0 && s_verdict.risk_score_e8 <= ZVT_E8);
        }
    }
}

Test(risk_core, answers_the_same_question_again_without_reserving_twice)
{
    s_log_position(900, 30, 30);
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 20);
    cr_assert_str_eq(s_ask(&check), "OK");
    zvt_risk_verdict_t first = s_verdict;
    s_quote_now("alpha", 19999, 20001);
    cr_assert_str_eq(s_ask(&check), "OK");
    cr_assert_eq(s_verdict.risk_score_e8, first.risk_score_e8);
    cr_assert_eq(memcmp(&s_verdict.validation_result, &first.validation_result, sizeof first.validation_result), 0);
    cr_assert_eq(exposure_stats(risk_core_exposure(s_core)).provisional, 1);
}

Test(risk_core, refuses_a_known_order_id_with_other_terms)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 2);
    cr_assert_str_eq(s_ask(&check), "OK");
    check.order_request.quantity_e8 = E8(3);
    cr_assert_str_eq(s_ask(&check), "DUPLICATE");
}

Test(risk_core, answers_ok_for_an_order_that_is_validated_in_the_log)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 20);
    s_log_requested(&check);
    s_log_validated(&check);
    check.epoch = 5;
    cr_assert_str_eq(s_ask(&check), "OK");
    cr_assert_eq(s_verdict.validation_result.checks, 3, "as the log has it");
    cr_assert_eq(s_verdict.risk_score_e8, E8(0.25));
}

Test(risk_core, judges_an_order_whose_request_alone_is_in_the_log)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 20);
    s_log_requested(&check);
    cr_assert_str_eq(s_ask(&check), "OK");
    zvt_risk_check_t other = s_order(ZVT_SIDE_BUY, 20);
    cr_assert_str_eq(s_ask(&other), "OK");
    cr_assert_eq(s_verdict.validation_result.pending_e8, E8(20), "the reservation counts");
}

Test(risk_core, frees_the_reservation_when_released_or_when_a_new_epoch_begins)
{
    s_log_position(900, 30, 30);
    zvt_risk_check_t first = s_order(ZVT_SIDE_BUY, 20), second = s_order(ZVT_SIDE_BUY, 20);
    cr_assert_str_eq(s_ask(&first), "OK");
    cr_assert_str_eq(s_ask(&second), "MAX_POSITION");
    zvt_risk_release_t release = {.order_id = first.order_id, .epoch = 1};
    risk_core_on_release(s_core, &release);
    cr_assert_str_eq(s_ask(&second), "OK");
    zvt_risk_check_t third = s_order(ZVT_SIDE_BUY, 20);
    third.epoch = 2;
    cr_assert_str_eq(s_ask(&third), "OK", "the second was of the older epoch");
    cr_assert_eq(exposure_stats(risk_core_exposure(s_core)).provisional, 1);
}

Test(risk_core, learns_a_new_epoch_from_the_log_and_fences_the_older_writer)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 20);
    cr_assert_str_eq(s_ask(&check), "OK");
    zvt_system_started_t started = {.epoch = 3};
    cr_assert_eq(risk_core_on_event(s_core, s_event_of_epoch(ZVT_T_SYSTEM_STARTED, &started, 3)), 0);
    cr_assert_eq(risk_core_epoch(s_core), 3);
    cr_assert_eq(exposure_stats(risk_core_exposure(s_core)).provisional, 0);
    cr_assert_str_eq(s_ask(&check), "FENCED");
    cr_assert_str_eq(s_verdict.message, "epoch=1 newest_epoch=3");
}

Test(risk_core, keeps_durable_reservations_through_epochs_until_each_kind_of_end)
{
    static const zvt_type_t ends[] = {ZVT_T_ORDER_COMPLETED, ZVT_T_ORDER_REJECTED, ZVT_T_ORDER_CANCELED, ZVT_T_ORDER_EXPIRED,
                                      ZVT_T_ORDER_FAILED};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 20);
        s_log_requested(&check);
        s_log_validated(&check);
        zvt_system_started_t started = {.epoch = 1};
        cr_assert_eq(risk_core_on_event(s_core, s_event_of_epoch(ZVT_T_SYSTEM_STARTED, &started, 1)), 0);
        exposure_key_t key = {"main", "momentum", "BTC/USDT"};
        cr_assert(exposure_of(risk_core_exposure(s_core), &key).pending_buy_e8 == E8(20));
        zvt_record_t end;
        memset(&end, 0, sizeof end);
        end.order_completed.order_id = check.order_id;
        s_log(ends[i], &end.order_completed);
        cr_assert(exposure_of(risk_core_exposure(s_core), &key).pending_buy_e8 == 0, "%s", zvt_type_name(ends[i]));
    }
}

Test(risk_core, follows_a_fill_from_reservation_to_position)
{
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 20);
    cr_assert_str_eq(s_ask(&check), "OK");
    s_log_requested(&check);
    s_log_validated(&check);
    s_log_position(check.order_id.bytes[15], 15, 15);
    zvt_risk_check_t next = s_order(ZVT_SIDE_BUY, 20);
    cr_assert_str_eq(s_ask(&next), "OK");
    cr_assert_eq(s_verdict.validation_result.position_e8, E8(15));
    cr_assert_eq(s_verdict.validation_result.pending_e8, E8(5));
}

Test(risk_core, refuses_an_event_whose_payload_cannot_be_read)
{
    zvt_risk_halted_t halted = {0};
    zvt_event_t event = *s_event(ZVT_T_RISK_HALTED, &halted);
    event.payload_length = 1;
    cr_assert_lt(risk_core_on_event(s_core, &event), 0);
    cr_assert_not(risk_core_halted(s_core));
}

static void s_dump(char *text, size_t size)
{
    FILE *out = fmemopen(text, size, "w");
    risk_core_dump(s_core, out);
    fclose(out);
}

Test(risk_core, dumps_the_same_text_whatever_is_ephemeral)
{
    char before[1024] = "", after[1024] = "";
    zvt_risk_halted_t halted = {0};
    s_log_position(900, 5, 5);
    s_log(ZVT_T_RISK_HALTED, &halted);
    s_dump(before, sizeof before);
    cr_assert_str_eq(before, "halted yes\nposition main|momentum|BTC/USDT 5\n");
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 1);
    (void)s_ask(&check);
    s_quote_now("beta", 1, 2);
    s_dump(after, sizeof after);
    cr_assert_str_eq(before, after);
}

Test(risk_core, reserves_nothing_for_an_order_that_the_log_has_ended)
{
    zvt_risk_check_t late = s_order(ZVT_SIDE_BUY, 1);
    zvt_order_canceled_t canceled = {.order_id = late.order_id};
    s_log_requested(&late);
    s_log(ZVT_T_ORDER_CANCELED, &canceled);
    cr_assert_str_eq(s_ask(&late), "ORDER_ENDED");
    cr_assert_eq(exposure_stats(risk_core_exposure(s_core)).provisional, 0);
}

Test(risk_core, a_position_changed_by_hand_counts_and_a_halted_venue_account_halts_nobody_else)
{
    zvt_position_adjusted_t adjusted = {.quantity_change_e8 = E8(100), .new_quantity_e8 = E8(100)};
    ZVT_STR_SET(adjusted.strategy_id, "momentum");
    ZVT_STR_SET(adjusted.portfolio_id, "main");
    ZVT_STR_SET(adjusted.symbol, "BTC/USDT");
    zvt_risk_halted_t halted = {0};
    ZVT_STR_SET(halted.exchange, "alpha");
    s_log(ZVT_T_RISK_HALTED, &halted);
    zvt_risk_check_t check = s_order(ZVT_SIDE_BUY, 2);
    cr_assert_str_eq(s_ask(&check), "OK");
    s_log(ZVT_T_POSITION_ADJUSTED, &adjusted);
    zvt_risk_check_t second = s_order(ZVT_SIDE_BUY, 2);
    cr_assert_str_eq(s_ask(&second), "MAX_POSITION");
}

/* ---- saving and loading ---- */
static risk_core_t *s_loaded;

static void s_load_back(void *arg, zvt_type_t type, const void *payload)
{
    static zvt_record_t copy;
    (void)arg;
    copy.type = type;
    memcpy(&copy.hello, payload, zvt_desc(type)->size);
    cr_assert_eq(risk_core_load(s_loaded, &copy), 0);
}

static char *s_text_of(const risk_core_t *core)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    cr_assert_gt(risk_core_dump(core, out), 0u);
    fclose(out);
    return text;
}

Test(risk_core, a_core_that_is_loaded_is_the_one_that_was_saved)
{
    risk_options_t options = {.quote_max_age_ns = 60 * SECOND, .incarnation = 78};
    double held = 0;
    for (unsigned n = 0; n < 60; n++) {
        zvt_risk_check_t order = s_order(ZVT_SIDE_BUY, 0.5);
        s_log_requested(&order);
        if (n % 4 != 0) s_log_validated(&order);
        if (n % 4 > 1) s_log_position(s_next_order - 1, 0.2, held += 0.2); /* in part */
        zvt_order_completed_t end = {.order_id = order.order_id};
        if (n % 4 > 2) s_log(ZVT_T_ORDER_COMPLETED, &end);
    }
    zvt_risk_halted_t halted = {.reason = "drill"};
    s_log(ZVT_T_RISK_HALTED, &halted);
    s_loaded = risk_core_new(s_fleet(), &options);
    risk_core_save(s_core, s_load_back, NULL);
    char *saved = s_text_of(s_core), *loaded = s_text_of(s_loaded);
    cr_assert_str_eq(loaded, saved);
    cr_assert(risk_core_halted(s_loaded));
    cr_assert_eq(risk_core_epoch(s_loaded), risk_core_epoch(s_core));
    exposure_key_t key = {.portfolio_id = "main", .strategy_id = "momentum", .symbol = "BTC/USDT"};
    exposure_sum_t before = exposure_of(risk_core_exposure(s_core), &key), after = exposure_of(risk_core_exposure(s_loaded), &key);
    cr_assert_eq(after.position_e8, before.position_e8);
    cr_assert(after.pending_buy_e8 == before.pending_buy_e8 && before.pending_buy_e8 > 0, "pending orders count again");
    zvt_record_t strange = {.type = ZVT_T_HELLO};
    cr_assert_eq(risk_core_load(s_loaded, &strange), ZVT_ERR_TYPE);
    risk_core_destroy(&s_loaded);
    free(saved);
    free(loaded);
}
