#include "account_core.h"
#include "dump.h"
#include "ledger.h"
#include "venue_fixture.h"

static int s_on_record(void *arg, const zvt_record_t *record)
{
    (void)arg;
    (void)record;
    return 0;
}

static void s_append(ledger_t *ledger, zvt_type_t type, const void *record)
{
    cr_assert_eq(ledger_append(ledger, type, record), 0);
}

Test(dump, prints_reports_in_order_and_the_balances_that_follow_from_them)
{
    const char *path = fixture_path("dump.ledger");
    char problem[ZVT_PROBLEM_SIZE] = "", text[8192] = "";
    ledger_t *ledger = NULL;
    ledger_header_t header = {.venue = "alpha", .market = "synthetic seed=1"};
    cr_assert_eq(ledger_open(&ledger, path, &header, NULL, s_on_record, NULL, problem), 0, "%s", problem);
    zvt_balance_t opening = {.exchange = "alpha", .asset = "USDT", .total_e8 = E8(1000)};
    zvt_order_send_t order = fixture_order("a", ZVT_SIDE_BUY, 2, 100);
    zvt_report_t report = {.exchange = "alpha", .venue_seq = 1, .kind = ZVT_REPORT_KIND_ACCEPTED, .client_order_id = "a",
                           .symbol = "BTC/USDT", .side = ZVT_SIDE_BUY, .leaves_qty_e8 = E8(2), .code = ZVT_CODE_OK};
    s_append(ledger, ZVT_T_BALANCE, &opening);
    s_append(ledger, ZVT_T_ORDER_SEND, &order);
    s_append(ledger, ZVT_T_REPORT, &report);
    report.venue_seq = 2;
    report.kind = ZVT_REPORT_KIND_FILL;
    report.price_e8 = E8(100);
    report.quantity_e8 = E8(1);
    report.commission_e8 = E8(0.05);
    s_append(ledger, ZVT_T_REPORT, &report);
    cr_assert_eq(ledger_commit(ledger), 0);
    FILE *out = fmemopen(text, sizeof text, "w");
    cr_assert_eq(dump_ledger(fixture_fleet(), 0, path, out, problem), 0, "%s", problem);
    fclose(out);
    ledger_close(&ledger);
    const char *fill = strstr(text, "\"fill\"");
    cr_assert_not_null(strstr(text, "\"accepted\""));
    cr_assert_not_null(fill);
    cr_assert_lt(strstr(text, "\"accepted\""), fill);
    cr_assert_not_null(strstr(fill, "\"asset\": \"USDT\", \"total\": \"899.95\", \"available\": \"799.9\""), "%s", text);
}

Test(dump, says_what_is_wrong_with_a_missing_ledger)
{
    char problem[ZVT_PROBLEM_SIZE] = "";
    cr_assert_neq(dump_ledger(fixture_fleet(), 0, "/nonexistent/ledger", stdout, problem), 0);
    cr_assert_not_null(strstr(problem, "/nonexistent/ledger"));
}
