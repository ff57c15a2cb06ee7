#include "portfolio_core.h"

#include "log_fixture.h"

static portfolio_core_t *s_core;
static zvt_fill_applied_t s_answer;

static void s_setup(void)
{
    s_core = portfolio_core_new(s_fleet(), 77);
}

static void s_teardown(void)
{
    portfolio_core_destroy(&s_core);
}

TestSuite(portfolio_core, .init = s_setup, .fini = s_teardown);

/* A fill of order `exec` at alpha; quantity is signed. */
static zvt_fill_apply_t s_fill(unsigned exec, double quantity, double price)
{
    zvt_fill_apply_t fill = {.epoch = 1, .order_id = s_id(exec), .price_e8 = E8(price), .commission_e8 = E8(0.1)};
    snprintf(fill.exec_id, sizeof fill.exec_id, "%u", exec);
    ZVT_STR_SET(fill.exchange, "alpha");
    ZVT_STR_SET(fill.portfolio_id, "main");
    ZVT_STR_SET(fill.strategy_id, "momentum");
    ZVT_STR_SET(fill.symbol, "BTC/USDT");
    fill.side = quantity > 0 ? ZVT_SIDE_BUY : ZVT_SIDE_SELL;
    fill.quantity_e8 = E8(quantity > 0 ? quantity : -quantity);
    return fill;
}

static const char *s_ask(const zvt_fill_apply_t *fill)
{
    portfolio_core_on_fill(s_core, fill, &s_answer);
    cr_assert_eq(s_answer.incarnation, 77);
    cr_assert_str_eq(s_answer.exchange, fill->exchange);
    cr_assert_str_eq(s_answer.position.exec_id, fill->exec_id);
    return zvt_code_text(s_answer.code);
}

/* Commits a fill with its answer, as the orchestrator does. */
static void s_log_as(const zvt_fill_apply_t *fill, const zvt_position_updated_t *position)
{
    zvt_order_executed_t executed = {.order_id = fill->order_id};
    memcpy(executed.exchange, fill->exchange, sizeof executed.exchange);
    memcpy(executed.exec_id, fill->exec_id, sizeof executed.exec_id);
    cr_assert_eq(portfolio_core_on_event(s_core, s_event_of_epoch(ZVT_T_ORDER_EXECUTED, &executed, fill->epoch)), 0);
    cr_assert_eq(portfolio_core_on_event(s_core, s_event_of_epoch(ZVT_T_POSITION_UPDATED, position, fill->epoch)), 0);
}

static zvt_position_updated_t s_ask_ok(const zvt_fill_apply_t *fill)
{
    cr_assert_str_eq(s_ask(fill), "OK");
    return s_answer.position;
}

static void s_ask_and_log(unsigned exec, double quantity, double price)
{
    zvt_fill_apply_t fill = s_fill(exec, quantity, price);
    zvt_position_updated_t position = s_ask_ok(&fill);
    s_log_as(&fill, &position);
}

typedef struct {
    zvt_position_row_t rows[16];
    uint32_t count;
} rows_t;

static void s_collect(void *arg, uint32_t number, const zvt_position_row_t *row)
{
    rows_t *rows = arg;
    cr_assert_eq(number == PORTFOLIO_NO_NUMBER, row->symbol[0] == '\0');
    rows->rows[rows->count++] = *row;
}

static rows_t s_query(const char *portfolio_id, const char *strategy_id)
{
    zvt_positions_query_t query = {0};
    rows_t rows = {.count = 0};
    ZVT_STR_SET(query.portfolio_id, portfolio_id);
    ZVT_STR_SET(query.strategy_id, strategy_id);
    uint32_t count = portfolio_core_query(s_core, &query, s_collect, &rows);
    cr_assert_eq(rows.count, count);
    return rows;
}

static void s_quoted(const char *venue, double mid, int64_t now_ns)
{
    zvt_price_updated_t quote = s_quote(venue, "BTC/USDT", mid - 1, mid + 1);
    cr_assert_eq(portfolio_core_on_quote(s_core, &quote, now_ns), 0);
}

Test(portfolio_core, answers_with_the_event_to_record)
{
    zvt_fill_apply_t fill = s_fill(1, 2, 100);
    zvt_position_updated_t position = s_ask_ok(&fill);
    zvt_id_t id = zvt_id_from_text("main|momentum|BTC/USDT", 22);
    cr_assert(zvt_id_equal(&position.position_id, &id));
    cr_assert(zvt_id_equal(&position.order_id, &fill.order_id));
    cr_assert_str_eq(position.portfolio_id, "main");
    cr_assert_str_eq(position.strategy_id, "momentum");
    cr_assert_str_eq(position.symbol, "BTC/USDT");
    cr_assert_eq(position.quantity_change_e8, E8(2));
    cr_assert_eq(position.new_quantity_e8, E8(2));
    cr_assert_eq(position.new_avg_price_e8, E8(100));
    cr_assert_eq(position.commission_total_e8, E8(0.1));
    fill = s_fill(2, -1, 110);
    position = s_ask_ok(&fill);
    cr_assert_eq(position.quantity_change_e8, E8(-1));
    cr_assert_eq(position.realized_pnl_e8, E8(10));
    cr_assert_eq(position.realized_pnl_total_e8, E8(10));
    cr_assert_eq(position.unrealized_pnl_e8, E8(10), "of the one that is left, at the execution's price");
    cr_assert_eq(position.commission_total_e8, E8(0.2));
}

Test(portfolio_core, builds_pending_fills_on_each_other_and_on_the_log)
{
    s_ask_and_log(1, 1, 100);
    for (unsigned exec = 2; exec <= 5; exec++) {
        zvt_fill_apply_t fill = s_fill(exec, 1, 100);
        cr_assert_eq(s_ask_ok(&fill).new_quantity_e8, E8(exec));
    }
    cr_assert_eq(portfolio_core_stats(s_core).pending, 4);
    cr_assert_eq(s_query("", "").rows[0].quantity_e8, E8(1), "only what is durable is shown");
}

Test(portfolio_core, takes_a_fill_out_of_the_chain_when_the_log_has_it)
{
    zvt_fill_apply_t first = s_fill(1, 1, 100), second = s_fill(2, 1, 200), third = s_fill(3, 2, 300);
    zvt_position_updated_t one = s_ask_ok(&first), two = s_ask_ok(&second);
    s_log_as(&first, &one);
    cr_assert_eq(portfolio_core_stats(s_core).pending, 1);
    zvt_position_updated_t three = s_ask_ok(&third);
    cr_assert_eq(three.new_quantity_e8, E8(4));
    cr_assert_eq(three.new_avg_price_e8, E8(225));
    s_log_as(&second, &two);
    s_log_as(&third, &three);
    cr_assert_eq(portfolio_core_stats(s_core).pending, 0);
    cr_assert_eq(portfolio_core_stats(s_core).rebased, 0);
    cr_assert_eq(portfolio_core_stats(s_core).broken, 0);
    cr_assert_eq(s_query("", "").rows[0].avg_price_e8, E8(225));
}

Test(portfolio_core, answers_the_same_fill_the_same_while_pending_and_when_logged)
{
    zvt_fill_apply_t first = s_fill(1, 1, 100), second = s_fill(2, 1, 200);
    zvt_position_updated_t one = s_ask_ok(&first), two = s_ask_ok(&second), again;
    again = s_ask_ok(&first);
    cr_assert_eq(memcmp(&again, &one, sizeof one), 0);
    cr_assert_eq(portfolio_core_stats(s_core).pending, 2);
    s_log_as(&first, &one);
    again = s_ask_ok(&first);
    cr_assert_eq(memcmp(&again, &one, sizeof one), 0);
    s_log_as(&second, &two);
    again = s_ask_ok(&second);
    cr_assert_eq(memcmp(&again, &two, sizeof two), 0);
    cr_assert_eq(portfolio_core_stats(s_core).pending, 0);
}

Test(portfolio_core, tells_the_same_exec_id_of_two_venues_apart)
{
    zvt_fill_apply_t alpha = s_fill(1, 1, 100), beta = s_fill(1, 1, 100);
    ZVT_STR_SET(beta.exchange, "beta");
    zvt_position_updated_t one = s_ask_ok(&alpha), two = s_ask_ok(&beta);
    cr_assert_eq(two.new_quantity_e8, E8(2));
    s_log_as(&alpha, &one);
    cr_assert_eq(s_ask_ok(&beta).new_quantity_e8, E8(2));
    s_log_as(&beta, &two);
    cr_assert_eq(s_query("", "").rows[0].quantity_e8, E8(2));
}

Test(portfolio_core, drops_pending_fills_of_older_epochs)
{
    s_ask_and_log(1, 1, 100);
    zvt_fill_apply_t lost = s_fill(2, 5, 100), next = s_fill(3, 1, 100);
    (void)s_ask_ok(&lost);
    next.epoch = 2;
    cr_assert_eq(s_ask_ok(&next).new_quantity_e8, E8(2));
    cr_assert_eq(portfolio_core_stats(s_core).pending, 1);
    cr_assert_str_eq(s_ask(&lost), "FENCED");
    zvt_system_started_t started = {.epoch = 3};
    cr_assert_eq(portfolio_core_on_event(s_core, s_event_of_epoch(ZVT_T_SYSTEM_STARTED, &started, 3)), 0);
    cr_assert_eq(portfolio_core_stats(s_core).pending, 0);
    cr_assert_eq(portfolio_core_epoch(s_core), 3);
}

Test(portfolio_core, answers_a_logged_fill_again_in_a_new_epoch)
{
    zvt_fill_apply_t fill = s_fill(1, 1, 100);
    zvt_position_updated_t position = s_ask_ok(&fill), again;
    s_log_as(&fill, &position);
    fill.epoch = 9;
    again = s_ask_ok(&fill);
    cr_assert_eq(memcmp(&again, &position, sizeof again), 0);
}

Test(portfolio_core, computes_the_chain_anew_when_the_log_has_something_else)
{
    zvt_fill_apply_t first = s_fill(1, 1, 100), second = s_fill(2, 1, 100), stranger = s_fill(9, 3, 100);
    (void)s_ask_ok(&first);
    zvt_position_updated_t two = s_ask_ok(&second), unforeseen = two;
    unforeseen.quantity_change_e8 = unforeseen.new_quantity_e8 = E8(3);
    unforeseen.order_id = stranger.order_id;
    memcpy(unforeseen.exec_id, stranger.exec_id, sizeof unforeseen.exec_id);
    s_log_as(&stranger, &unforeseen);
    cr_assert_eq(s_ask_ok(&first).new_quantity_e8, E8(4));
    cr_assert_eq(s_ask_ok(&second).new_quantity_e8, E8(5));
    cr_assert_eq(portfolio_core_stats(s_core).rebased, 1);
}

Test(portfolio_core, keeps_the_rest_of_the_chain_when_its_middle_is_logged_first)
{
    zvt_fill_apply_t first = s_fill(1, 1, 100), second = s_fill(2, 2, 100);
    (void)s_ask_ok(&first);
    zvt_position_updated_t two = s_ask_ok(&second);
    two.new_quantity_e8 = E8(2);
    s_log_as(&second, &two);
    cr_assert_eq(portfolio_core_stats(s_core).pending, 1);
    cr_assert_eq(s_ask_ok(&first).new_quantity_e8, E8(3));
}

Test(portfolio_core, settles_a_fill_whose_execution_it_never_saw)
{
    zvt_fill_apply_t fill = s_fill(1, 1, 100);
    zvt_position_updated_t position = s_ask_ok(&fill);
    cr_assert_eq(portfolio_core_on_event(s_core, s_event(ZVT_T_POSITION_UPDATED, &position)), 0);
    cr_assert_eq(portfolio_core_stats(s_core).unmatched, 1);
    cr_assert_eq(portfolio_core_stats(s_core).pending, 0);
    cr_assert_eq(s_ask_ok(&fill).new_quantity_e8, E8(1), "the chain told the venue");
}

Test(portfolio_core, counts_an_event_that_does_not_continue_the_position)
{
    zvt_position_updated_t position = {.quantity_change_e8 = E8(1), .new_quantity_e8 = E8(2)};
    cr_assert_eq(portfolio_core_on_event(s_core, s_event(ZVT_T_POSITION_UPDATED, &position)), 0);
    cr_assert_eq(portfolio_core_stats(s_core).broken, 1);
}

Test(portfolio_core, refuses_fills_that_mean_nothing)
{
    zvt_fill_apply_t fill = s_fill(1, 1, 100);
    fill.side = 0;
    cr_assert_str_eq(s_ask(&fill), "BAD_ORDER");
    fill = s_fill(1, 1, 100);
    fill.quantity_e8 = 0;
    cr_assert_str_eq(s_ask(&fill), "BAD_QUANTITY");
    fill.quantity_e8 = INT64_MIN;
    cr_assert_str_eq(s_ask(&fill), "BAD_QUANTITY");
    fill = s_fill(1, 1, 0);
    cr_assert_str_eq(s_ask(&fill), "BAD_PRICE");
    fill = s_fill(1, 1, 100);
    memset(fill.exec_id, 0, sizeof fill.exec_id);
    cr_assert_str_eq(s_ask(&fill), "MALFORMED");
    fill = s_fill(1, 1, 100);
    ZVT_STR_SET(fill.strategy_id, "a|b");
    cr_assert_str_eq(s_ask(&fill), "MALFORMED");
    cr_assert_eq(portfolio_core_stats(s_core).positions, 0);
}

Test(portfolio_core, refuses_a_fill_whose_numbers_do_not_fit)
{
    zvt_fill_apply_t fill = s_fill(1, 1, 100);
    fill.quantity_e8 = INT64_MAX;
    (void)s_ask_ok(&fill);
    fill = s_fill(2, 1, 100);
    cr_assert_str_eq(s_ask(&fill), "NUMBER_OVERFLOW");
    cr_assert_eq(portfolio_core_stats(s_core).pending, 1);
    ZVT_STR_SET(fill.strategy_id, "other");
    fill.commission_e8 = INT64_MIN;
    cr_assert_str_eq(s_ask(&fill), "OK");
}

Test(portfolio_core, refuses_more_pending_fills_than_it_holds_until_some_are_logged)
{
    zvt_fill_apply_t fill;
    for (unsigned exec = 0; exec < PORTFOLIO_PENDING_MAX; exec++) {
        fill = s_fill(exec, 1, 100);
        cr_assert_str_eq(s_ask(&fill), "OK");
    }
    fill = s_fill(PORTFOLIO_PENDING_MAX, 1, 100);
    cr_assert_str_eq(s_ask(&fill), "OVERLOADED");
    fill = s_fill(0, 1, 100);
    zvt_position_updated_t first = s_ask_ok(&fill);
    s_log_as(&fill, &first);
    fill = s_fill(PORTFOLIO_PENDING_MAX, 1, 100);
    cr_assert_eq(s_ask_ok(&fill).new_quantity_e8, E8(PORTFOLIO_PENDING_MAX + 1));
}

Test(portfolio_core, takes_as_many_positions_as_the_log_may_have)
{
    zvt_fill_apply_t fill;
    unsigned n = 0;
    do {
        fill = s_fill(n, 1, 100);
        snprintf(fill.strategy_id, sizeof fill.strategy_id, "s%u", n++);
    } while (strcmp(s_ask(&fill), "OK") == 0);
    cr_assert_eq(n - 1, PORTFOLIO_PENDING_MAX, "so many fills may be on their way at once");
    cr_assert_eq(s_answer.code, ZVT_CODE_OVERLOADED);
    zvt_position_updated_t position = {.new_quantity_e8 = 1, .quantity_change_e8 = 1};
    for (n = PORTFOLIO_PENDING_MAX; n < PORTFOLIO_POSITIONS_MAX; n++) {
        snprintf(position.strategy_id, sizeof position.strategy_id, "t%u", n);
        cr_assert_eq(portfolio_core_on_event(s_core, s_event(ZVT_T_POSITION_UPDATED, &position)), 0);
    }
    ZVT_STR_SET(position.strategy_id, "one more");
    cr_assert_eq(portfolio_core_on_event(s_core, s_event(ZVT_T_POSITION_UPDATED, &position)), ZVT_ERR_FULL);
    zvt_system_started_t started = {.epoch = 9};
    cr_assert_eq(portfolio_core_on_event(s_core, s_event_of_epoch(ZVT_T_SYSTEM_STARTED, &started, 9)), 0);
    cr_assert_eq(portfolio_core_stats(s_core).positions, PORTFOLIO_POSITIONS_MAX - PORTFOLIO_PENDING_MAX, "those with pending fills only are gone");
}

Test(portfolio_core, values_positions_at_the_freshest_mid)
{
    s_ask_and_log(1, 2, 100);
    zvt_position_row_t row = s_query("", "").rows[0];
    cr_assert_eq(row.market_price_e8, 0);
    cr_assert_eq(row.unrealized_pnl_e8, 0, "never quoted");
    s_quoted("alpha", 110, 1);
    s_quoted("beta", 120, 2);
    row = s_query("", "").rows[0];
    cr_assert_eq(row.market_price_e8, E8(120));
    cr_assert_eq(row.market_value_e8, E8(240));
    cr_assert_eq(row.unrealized_pnl_e8, E8(40));
    zvt_price_updated_t empty = s_quote("alpha", "BTC/USDT", 0, 0);
    cr_assert_eq(portfolio_core_on_quote(s_core, &empty, 3), 0);
    empty = s_quote("beta", "BTC/USDT", 0, 0);
    cr_assert_eq(portfolio_core_on_quote(s_core, &empty, 4), 0);
    cr_assert_eq(s_query("", "").rows[0].market_price_e8, E8(120), "the last known price stays");
}

static void s_log_position(const char *portfolio, const char *strategy, const char *symbol, double quantity, double realized)
{
    zvt_position_updated_t position = {.quantity_change_e8 = E8(quantity), .new_quantity_e8 = E8(quantity),
                                       .new_avg_price_e8 = E8(100), .realized_pnl_total_e8 = E8(realized),
                                       .commission_total_e8 = E8(1)};
    ZVT_STR_SET(position.portfolio_id, portfolio);
    ZVT_STR_SET(position.strategy_id, strategy);
    ZVT_STR_SET(position.symbol, symbol);
    cr_assert_eq(portfolio_core_on_event(s_core, s_event(ZVT_T_POSITION_UPDATED, &position)), 0);
}

Test(portfolio_core, lists_positions_sorted_and_a_total_for_each_portfolio)
{
    s_log_position("second", "a", "BTC/USDT", 1, 5);
    s_log_position("first", "b", "BTC/USDT", 2, -1);
    s_log_position("first", "a", "ETH/USDT", 3, 4);
    s_quoted("alpha", 110, 1);
    rows_t rows = s_query("", "");
    cr_assert_eq(rows.count, 5);
    cr_assert_str_eq(rows.rows[0].strategy_id, "a");
    cr_assert_str_eq(rows.rows[1].strategy_id, "b");
    cr_assert_str_eq(rows.rows[2].portfolio_id, "second");
    const zvt_position_row_t *first = &rows.rows[3], *second = &rows.rows[4];
    cr_assert_str_eq(first->portfolio_id, "first");
    cr_assert_eq(first->realized_pnl_e8, E8(3));
    cr_assert_eq(first->unrealized_pnl_e8, E8(20), "the one without a quote adds nothing");
    cr_assert_eq(first->market_value_e8, E8(220));
    cr_assert_eq(first->commission_e8, E8(2));
    cr_assert_eq(first->quantity_e8, 0);
    cr_assert_eq(first->seq, rows.rows[0].seq, "the newest of its rows");
    cr_assert_str_eq(second->portfolio_id, "second");
    cr_assert_eq(second->realized_pnl_e8, E8(5));
}

Test(portfolio_core, lists_only_what_the_query_names)
{
    s_log_position("second", "a", "BTC/USDT", 1, 5);
    s_log_position("first", "b", "BTC/USDT", 2, -1);
    s_log_position("first", "a", "ETH/USDT", 3, 4);
    cr_assert_eq(s_query("first", "").count, 3);
    cr_assert_eq(s_query("", "a").count, 4);
    cr_assert_eq(s_query("first", "b").count, 2);
    cr_assert_eq(s_query("third", "").count, 0);
}

static void s_dump(char *text, size_t size)
{
    FILE *out = fmemopen(text, size, "w");
    portfolio_core_dump(s_core, out);
    fclose(out);
}

Test(portfolio_core, dumps_durable_state_sorted_and_nothing_ephemeral)
{
    char text[1024] = "", later[1024] = "", expected[1024];
    s_log_position("main", "b", "BTC/USDT", 2, -1.5);
    s_log_position("main", "a", "BTC/USDT", -1, 0);
    s_dump(text, sizeof text);
    snprintf(expected, sizeof expected,
             "position main|a|BTC/USDT quantity=-1 avg_price=100 realized_pnl=0 commission=1 seq=2\n"
             "position main|b|BTC/USDT quantity=2 avg_price=100 realized_pnl=-1.5 commission=1 seq=1\n");
    cr_assert_str_eq(text, expected);
    zvt_fill_apply_t fill = s_fill(7, 1, 100);
    (void)s_ask_ok(&fill);
    s_quoted("alpha", 110, 1);
    s_dump(later, sizeof later);
    cr_assert_str_eq(later, text);
}

Test(portfolio_core, refuses_an_event_whose_payload_cannot_be_read)
{
    zvt_position_updated_t position = {0};
    zvt_event_t event = *s_event(ZVT_T_POSITION_UPDATED, &position);
    event.payload_length -= 1;
    cr_assert_lt(portfolio_core_on_event(s_core, &event), 0);
}

Test(portfolio_core, begins_a_chain_anew_when_the_writer_asks_in_another_order)
{
    zvt_fill_apply_t first = s_fill(1, 1, 100), second = s_fill(2, 2, 100);
    cr_assert_eq(s_ask_ok(&second).new_quantity_e8, E8(2)); /* the question about the first was lost */
    cr_assert_eq(s_ask_ok(&first).new_quantity_e8, E8(3));
    first.restart = true;
    cr_assert_eq(s_ask_ok(&first).new_quantity_e8, E8(1));
    cr_assert_eq(s_ask_ok(&second).new_quantity_e8, E8(3));
}

Test(portfolio_core, a_change_by_hand_counts_like_a_fill_and_pending_fills_stand_on_it)
{
    s_ask_and_log(1, 1, 100);
    zvt_fill_apply_t waiting = s_fill(2, 1, 100);
    cr_assert_eq(s_ask_ok(&waiting).new_quantity_e8, E8(2));
    zvt_position_adjusted_t adjusted = {.quantity_change_e8 = E8(3), .price_e8 = E8(200), .new_quantity_e8 = E8(4)};
    ZVT_STR_SET(adjusted.portfolio_id, "main");
    ZVT_STR_SET(adjusted.strategy_id, "momentum");
    ZVT_STR_SET(adjusted.symbol, "BTC/USDT");
    cr_assert_eq(portfolio_core_on_event(s_core, s_event(ZVT_T_POSITION_ADJUSTED, &adjusted)), 0);
    zvt_position_updated_t after = s_ask_ok(&waiting);
    cr_assert_eq(after.new_quantity_e8, E8(5));
    cr_assert_eq(after.new_avg_price_e8, E8(160), "(1 x 100 + 3 x 200 + 1 x 100) / 5");
    cr_assert_eq(portfolio_core_stats(s_core).broken, 0);
}

Test(portfolio_core, an_adjustment_of_a_venue_account_changes_no_position)
{
    zvt_position_adjusted_t adjusted = {.quantity_change_e8 = E8(3), .new_quantity_e8 = E8(3)};
    ZVT_STR_SET(adjusted.exchange, "alpha");
    ZVT_STR_SET(adjusted.asset, "BTC");
    cr_assert_eq(portfolio_core_on_event(s_core, s_event(ZVT_T_POSITION_ADJUSTED, &adjusted)), 0);
    cr_assert_eq(portfolio_core_stats(s_core).positions, 0);
}

/* ---- saving and loading ---- */
static portfolio_core_t *s_loaded;

static void s_load_back(void *arg, zvt_type_t type, const void *record)
{
    static zvt_record_t copy;
    (void)arg;
    copy.type = type;
    memcpy(&copy.hello, record, zvt_desc(type)->size);
    cr_assert_eq(portfolio_core_load(s_loaded, &copy), 0);
}

Test(portfolio_core, a_core_that_is_loaded_is_the_one_that_was_saved)
{
    char *saved_text = NULL, *loaded_text = NULL;
    size_t saved_length, loaded_length;
    for (unsigned n = 1; n < 40; n++) s_ask_and_log(n, n % 3 == 0 ? -0.5 : 0.7, 10000 + n);
    s_loaded = portfolio_core_new(s_fleet(), 78);
    portfolio_core_save(s_core, s_load_back, NULL);
    FILE *out = open_memstream(&saved_text, &saved_length);
    cr_assert_eq(portfolio_core_dump(s_core, out), 1);
    fclose(out);
    out = open_memstream(&loaded_text, &loaded_length);
    cr_assert_eq(portfolio_core_dump(s_loaded, out), 1);
    fclose(out);
    cr_assert_str_eq(loaded_text, saved_text);
    cr_assert_eq(portfolio_core_epoch(s_loaded), portfolio_core_epoch(s_core));
    zvt_record_t strange = {.type = ZVT_T_HELLO};
    cr_assert_eq(portfolio_core_load(s_loaded, &strange), ZVT_ERR_TYPE);
    portfolio_core_destroy(&s_loaded);
    free(saved_text);
    free(loaded_text);
}
