#include <criterion/criterion.h>
#include <stdio.h>

#include "tail_core.h"

static zvt_id_t s_id(uint32_t n)
{
    char text[16];
    return zvt_id_from_text(text, (size_t)snprintf(text, sizeof text, "%u", n));
}

Test(monitor_tail, shows_everything_without_a_filter)
{
    tail_core_t *core = tail_core_new(&(tail_filter_t){.types = NULL});
    zvt_event_t event = {.type = ZVT_T_SYSTEM_BARRIER, .correlation_id = s_id(1)};
    cr_assert(tail_core_wants_header(core, &event));
    cr_assert(tail_core_wants_symbol(core, NULL));
    cr_assert_not(tail_core_needs_symbol(core));
    tail_core_destroy(&core);
}

Test(monitor_tail, filters_by_any_of_several_type_prefixes)
{
    arg_texts_t types = {.items = {"order.exec", "risk."}, .count = 2};
    tail_core_t *core = tail_core_new(&(tail_filter_t){.types = &types});
    cr_assert(tail_core_wants_type(core, ZVT_T_ORDER_EXECUTED));
    cr_assert(tail_core_wants_type(core, ZVT_T_RISK_HALTED));
    cr_assert_not(tail_core_wants_type(core, ZVT_T_ORDER_ACCEPTED));
    tail_core_destroy(&core);
}

Test(monitor_tail, knows_a_type_prefix_that_nothing_begins_with)
{
    arg_texts_t good = {.items = {"order.exec", "risk.", ""}, .count = 3}, bogus = {.items = {"order.", "bogus"}, .count = 2};
    arg_texts_t market = {.items = {"price."}, .count = 1};
    cr_assert_null(tail_core_unknown_type(&good, false));
    cr_assert_str_eq(tail_core_unknown_type(&bogus, false), "bogus");
    cr_assert_null(tail_core_unknown_type(&market, true));
    cr_assert_str_eq(tail_core_unknown_type(&market, false), "price.", "market data is shown with --market only");
}

Test(monitor_tail, filters_by_saga)
{
    tail_core_t *core = tail_core_new(&(tail_filter_t){.correlation_id = s_id(7)});
    zvt_event_t mine = {.type = ZVT_T_ORDER_CREATED, .correlation_id = s_id(7)};
    zvt_event_t other = {.type = ZVT_T_ORDER_CREATED, .correlation_id = s_id(8)};
    cr_assert(tail_core_wants_header(core, &mine));
    cr_assert_not(tail_core_wants_header(core, &other));
    tail_core_destroy(&core);
}

Test(monitor_tail, filters_by_instrument_without_regard_to_case)
{
    tail_core_t *core = tail_core_new(&(tail_filter_t){.symbol = "btc/usdt"});
    cr_assert(tail_core_wants_symbol(core, "BTC/USDT"));
    cr_assert_not(tail_core_wants_symbol(core, "ETH/USDT"));
    cr_assert_not(tail_core_wants_symbol(core, NULL));
    tail_core_destroy(&core);
}

Test(monitor_tail, remembers_the_instrument_of_a_saga)
{
    tail_core_t *core = tail_core_new(&(tail_filter_t){.symbol = NULL});
    zvt_id_t id = s_id(7);
    cr_assert_null(tail_core_recall(core, &id));
    tail_core_remember(core, &id, "");
    cr_assert_str_eq(tail_core_recall(core, &id), "");
    tail_core_remember(core, &id, "BTC/USDT");
    cr_assert_str_eq(tail_core_recall(core, &id), "BTC/USDT");
    tail_core_destroy(&core);
}

Test(monitor_tail, forgets_the_oldest_saga_when_its_memory_is_full)
{
    tail_core_t *core = tail_core_new(&(tail_filter_t){.symbol = NULL});
    for (uint32_t n = 0; n <= TAIL_SAGAS_MAX; n++) {
        zvt_id_t id = s_id(n);
        tail_core_remember(core, &id, "BTC/USDT");
    }
    zvt_id_t oldest = s_id(0), second = s_id(1), newest = s_id(TAIL_SAGAS_MAX);
    cr_assert_null(tail_core_recall(core, &oldest));
    cr_assert_not_null(tail_core_recall(core, &second));
    cr_assert_not_null(tail_core_recall(core, &newest));
    tail_core_destroy(&core);
}
