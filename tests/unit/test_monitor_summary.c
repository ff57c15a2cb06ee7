#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "summary.h"

static char *s_summary(zvt_type_t type, const void *record)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    summary_print(out, type, record);
    fclose(out);
    return text;
}

static zvt_order_executed_t s_executed(void)
{
    zvt_order_executed_t fill = {.side = ZVT_SIDE_BUY, .executed_quantity_e8 = 10000000,
                                 .executed_price_e8 = INT64_C(6001234000000),
                                 .is_maker = true, .commission_e8 = 60000000, .cum_qty_e8 = 10000000};
    ZVT_STR_SET(fill.exchange, "alpha");
    ZVT_STR_SET(fill.symbol, "BTC/USDT");
    ZVT_STR_SET(fill.commission_asset, "USDT");
    return fill;
}

Test(monitor_summary, reads_like_a_trade)
{
    zvt_order_executed_t fill = s_executed();
    char *text = s_summary(ZVT_T_ORDER_EXECUTED, &fill);
    cr_assert_str_eq(text, "buy 0.1 @ 60012.34 alpha maker fee 0.6 USDT, filled 0.1");
    free(text);
}

Test(monitor_summary, shows_optional_groups_only_with_a_value)
{
    zvt_order_executed_t fill = s_executed();
    fill.leaves_qty_e8 = 5;
    fill.is_maker = false;
    char *text = s_summary(ZVT_T_ORDER_EXECUTED, &fill);
    cr_assert_str_eq(text, "buy 0.1 @ 60012.34 alpha taker fee 0.6 USDT, filled 0.1, leaves 0.00000005");
    free(text);
}

Test(monitor_summary, reaches_into_embedded_parts)
{
    zvt_order_requested_t request = {.order_request = {.side = ZVT_SIDE_SELL, .quantity_e8 = ZVT_E8,
                                                       .order_type = ZVT_ORDER_TYPE_LIMIT, .limit_price_e8 = 2 * ZVT_E8,
                                                       .time_in_force = ZVT_TIF_GTC, .post_only = true}};
    ZVT_STR_SET(request.strategy_id, "maker");
    char *text = s_summary(ZVT_T_ORDER_REQUESTED, &request);
    cr_assert_str_eq(text, "sell 1 limit @ 2 GTC post-only by maker order -");
    free(text);
}

/* A template that names a field the schema does not have would stop the process: try all of them, empty and full. */
Test(monitor_summary, has_a_working_template_for_every_event)
{
    static zvt_record_t s_record;
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) {
        const zvt_desc_t *desc = zvt_desc(type);
        if (desc == NULL || desc->class == ZVT_CLASS_PART) continue;
        bool event = desc->class == ZVT_CLASS_LOGGED || desc->class == ZVT_CLASS_MARKET;
        cr_assert(!event || summary_template(desc->type) != NULL, "%s has no template", desc->name);
        memset(&s_record, 0, sizeof s_record);
        char *empty = s_summary(desc->type, &s_record.hello);
        cr_assert_null(strpbrk(empty, "{}[]"), "%s: %s", desc->name, empty);
        free(empty);
        for (uint32_t i = 0; i < desc->fields_count; i++) {
            const zvt_field_desc_t *field = &desc->fields[i];
            if (field->kind == ZVT_KIND_STR) strcpy((char *)&s_record.hello + field->offset, "x");
            if (field->kind == ZVT_KIND_E8) *(int64_t *)(void *)((char *)&s_record.hello + field->offset) = ZVT_E8;
        }
        char *full = s_summary(desc->type, &s_record.hello);
        cr_assert_null(strpbrk(full, "{}[]"), "%s: %s", desc->name, full);
        free(full);
    }
}

Test(monitor_summary, knows_which_instrument_a_record_names)
{
    zvt_order_executed_t fill = s_executed();
    zvt_order_requested_t request = {.order_request = {.symbol = "ETH/USDT"}};
    zvt_order_accepted_t accepted = {.exchange = "alpha"};
    cr_assert_str_eq(summary_symbol(ZVT_T_ORDER_EXECUTED, &fill), "BTC/USDT");
    cr_assert_str_eq(summary_symbol(ZVT_T_ORDER_REQUESTED, &request), "ETH/USDT");
    cr_assert_null(summary_symbol(ZVT_T_ORDER_ACCEPTED, &accepted));
    cr_assert(summary_concerns_order(ZVT_T_ORDER_ACCEPTED));
    cr_assert_not(summary_concerns_order(ZVT_T_SYSTEM_BARRIER));
    cr_assert_not(summary_concerns_order(ZVT_T_PRICE_UPDATED));
}

Test(monitor_summary, prints_an_event_as_one_aligned_line)
{
    zvt_event_t event = {.seq = 1042, .type = ZVT_T_ORDER_EXECUTED, .timestamp_ns = INT64_C(1723161254206652000)};
    zvt_record_t record = {.type = ZVT_T_ORDER_EXECUTED, .order_executed = s_executed()};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    summary_print_event(out, &event, &record, "BTC/USDT", false);
    summary_print_event(out, &event, NULL, "", false);
    fclose(out);
    cr_assert_str_eq(text,
                     "23:54:14.206652     1042 order.executed        BTC/USDT  buy 0.1 @ 60012.34 alpha maker fee 0.6 USDT, filled 0.1\n"
                           "23:54:14.206652     1042 order.executed                  (the payload cannot be read by this release)\n");
    free(text);
}

Test(monitor_summary, prints_market_data_as_one_json_object)
{
    zvt_record_t record = {.type = ZVT_T_PRICE_UPDATED,
                           .price_updated = {.venue = "alpha", .symbol = "BTC/USDT", .bid_e8 = ZVT_E8}};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    summary_json_market(out, &record, "quote.alpha.BTC/USDT", INT64_C(1723161254206652000));
    fclose(out);
    json_t *json = json_loads(text, 0, NULL);
    cr_assert_not_null(json);
    cr_assert(json_is_null(json_object_get(json, "seq")));
    cr_assert_str_eq(json_string_value(json_object_get(json, "event_type")), "price.updated");
    cr_assert_str_eq(json_string_value(json_object_get(json_object_get(json, "data"), "bid")), "1");
    json_decref(json);
    free(text);
}
