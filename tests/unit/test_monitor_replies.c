#include <criterion/criterion.h>
#include <string.h>

#include "order.h"
#include "resolve.h"
#include "rows.h"

static zvt_id_t s_id(const char *text)
{
    zvt_id_t id;
    cr_assert_eq(zvt_id_parse(text, &id), 0);
    return id;
}

static zvt_place_reply_t s_filled(void)
{
    zvt_place_reply_t reply = {.success = true, .state = ZVT_ORDER_STATE_FILLED, .code = ZVT_CODE_OK,
                               .filled_quantity_e8 = 10000000, .avg_fill_price_e8 = INT64_C(6001234000000),
                               .commission_e8 = 60000000, .latency_ms_e8 = 234500000};
    reply.order_id = s_id("01900000-0000-7000-8000-00000000000a");
    reply.correlation_id = s_id("01900000-0000-7000-8000-00000000000b");
    ZVT_STR_SET(reply.exchange_order_id, "A17");
    ZVT_STR_SET(reply.commission_asset, "USDT");
    ZVT_STR_SET(reply.exchange, "alpha");
    return reply;
}

Test(monitor_replies, order_json_has_the_contracts_keys_in_order)
{
    static const char *const keys[] = {"success", "order_id", "exchange_order_id", "message", "filled_quantity", "avg_fill_price",
                                       "commission", "commission_asset", "latency_ms", "correlation_id", "state", "code",
                                       "exchange"};
    zvt_place_reply_t reply = s_filled();
    json_t *json = order_json(&reply, "done");
    size_t n = 0;
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value)
    {
        cr_assert_lt(n, sizeof keys / sizeof keys[0]);
        cr_assert_str_eq(key, keys[n++]);
    }
    cr_assert_eq(n, sizeof keys / sizeof keys[0]);
    json_decref(json);
}

Test(monitor_replies, order_json_shows_decimals_as_strings)
{
    zvt_place_reply_t reply = s_filled();
    json_t *json = order_json(&reply, "done");
    cr_assert(json_is_true(json_object_get(json, "success")));
    cr_assert_str_eq(json_string_value(json_object_get(json, "filled_quantity")), "0.1");
    cr_assert_str_eq(json_string_value(json_object_get(json, "avg_fill_price")), "60012.34");
    cr_assert_str_eq(json_string_value(json_object_get(json, "latency_ms")), "2.345");
    cr_assert_str_eq(json_string_value(json_object_get(json, "message")), "done");
    cr_assert_str_eq(json_string_value(json_object_get(json, "state")), "filled");
    json_decref(json);
}

Test(monitor_replies, order_json_of_a_refusal_has_no_ids)
{
    zvt_place_reply_t reply = {.success = false, .code = ZVT_CODE_UNKNOWN_SYMBOL};
    json_t *json = order_json(&reply, order_message(&reply));
    cr_assert(json_is_null(json_object_get(json, "order_id")));
    cr_assert(json_is_null(json_object_get(json, "correlation_id")));
    cr_assert_str_eq(json_string_value(json_object_get(json, "code")), "UNKNOWN_SYMBOL");
    cr_assert_str_eq(json_string_value(json_object_get(json, "message")), "no such instrument in the fleet file");
    json_decref(json);
}

Test(monitor_replies, order_message_prefers_the_replys_own)
{
    zvt_place_reply_t reply = s_filled();
    cr_assert_str_eq(order_message(&reply), "executed in full");
    ZVT_STR_SET(reply.message, "symbol=X");
    cr_assert_str_eq(order_message(&reply), "symbol=X");
}

Test(monitor_replies, order_prints_what_executed)
{
    zvt_place_reply_t reply = s_filled();
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    order_print(out, &reply, "executed in full", false);
    fclose(out);
    cr_assert_not_null(strstr(text, "filled: executed in full\n"));
    cr_assert_not_null(strstr(text, "  filled_quantity    0.1\n"));
    cr_assert_not_null(strstr(text, "  commission         0.6 USDT\n"));
    free(text);
}

/* ---- rows ---- */
static bool s_give(rows_t *rows, zvt_type_t type, const void *record, size_t size)
{
    static zvt_record_t s_record;
    s_record.type = type;
    memcpy(&s_record.hello, record, size);
    return rows_on_record(rows, &s_record, NULL);
}

Test(monitor_replies, rows_end_with_list_end)
{
    rows_t rows = rows_of(ZVT_T_BALANCE);
    zvt_balance_t balance = {.asset = "BTC"};
    zvt_hello_t stray = {.name = "stray"};
    for (int i = 0; i < 1000; i++) {
        balance.total_e8 = i;
        cr_assert_not(s_give(&rows, ZVT_T_BALANCE, &balance, sizeof balance));
    }
    cr_assert_not(s_give(&rows, ZVT_T_HELLO, &stray, sizeof stray));
    cr_assert(s_give(&rows, ZVT_T_LIST_END, &(zvt_list_end_t){.count = 1000, .more = true}, sizeof(zvt_list_end_t)));
    cr_assert_eq(rows.count, 1000);
    cr_assert_eq(((const zvt_balance_t *)rows_at(&rows, 999))->total_e8, 999);
    cr_assert(rows.more);
    rows_destroy(&rows);
    cr_assert_eq(rows.count, 0);
}

/* ---- ids as people type them ---- */
static rows_t s_orders(void)
{
    rows_t rows = rows_of(ZVT_T_ORDER_ROW);
    zvt_order_row_t row = {.state = ZVT_ORDER_STATE_FILLED};
    row.order_id = s_id("01900000-0000-7000-8000-0000aaaabbbb");
    row.correlation_id = s_id("01900000-0000-7000-8000-0000ccccdddd");
    rows_add(&rows, &row);
    row.order_id = s_id("01900000-0000-7000-8000-0000eeeeffff");
    row.correlation_id = s_id("01900000-0000-7000-8000-000012345678");
    rows_add(&rows, &row);
    return rows;
}

Test(monitor_replies, an_order_is_found_by_either_id_whole_or_in_part)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"01900000-0000-7000-8000-0000aaaabbbb", 0},
        {"0190000000007000800000000000aaaabbbb", ZVT_ERR_NOT_FOUND}, /* 34 digits are no id */
        {"019000000000700080000000aaaabbbb", 0},
        {"01900000-0000-7000-8000-0000ccccdddd", 0},
        {"aaaabbbb", 0},
        {"AAAABBBB", 0},
        {"ccccdddd", 0},
        {"01900000", ZVT_ERR_EXISTS},
        {"99999999", ZVT_ERR_NOT_FOUND},
    };
    rows_t rows = s_orders();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char problem[CLIENT_PROBLEM_SIZE] = "";
        zvt_order_row_t row;
        cr_assert_eq(resolve_among(&rows, cases[i].text, &row, problem), cases[i].status, "%s: %s", cases[i].text, problem);
        if (cases[i].status == 0) cr_assert_eq(row.order_id.bytes[12], 0xaa);
        if (cases[i].status != 0) cr_assert_neq(problem[0], '\0');
    }
    rows_destroy(&rows);
}

Test(monitor_replies, what_cannot_be_an_id_is_refused_before_anybody_is_asked)
{
    static const char *const wrong[] = {"", "abc", "not-an-id-at-all", "01900000-0000-7000-8000-0000aaaabbbb0", "12345678;"};
    char problem[CLIENT_PROBLEM_SIZE];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_eq(resolve_check(wrong[i], problem), ZVT_ERR_SYNTAX, "%s", wrong[i]);
    cr_assert_eq(resolve_check("0190abcd", problem), 0);
}
