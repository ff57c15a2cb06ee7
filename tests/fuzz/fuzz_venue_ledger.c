/* fuzz_venue_ledger -- bytes of a ledger's batches: reading them, looking for later ones, and replaying whatever a
 * batch with a right checksum claims. */
#include <stdlib.h>
#include <string.h>

#include "account_core.h"
#include "ledger_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);

static zvt_fleet_t *s_fleet(void)
{
    static zvt_fleet_t fleet;
    if (fleet.venues_count != 0) return &fleet;
    static const char text[] = "instruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        max_quantity = 20\n"
                               "        max_position = 100\nvenues\n    alpha\n        balances\n            USDT = 100000\n";
    char problem[ZVT_PROBLEM_SIZE];
    if (zvt_fleet_parse(text, "fuzz", &fleet, problem) != 0) abort();
    return &fleet;
}

static void s_pack(zvt_buf_t *buf, zvt_type_t type, const void *record)
{
    if (zvt_pack(buf, type, record) != 0) abort();
}

/* Seed 0: records without a frame. Seed 1: the same in a sealed batch. */
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    if (n > 1 || capacity < 4096) return 0;
    size_t at = n == 0 ? 0 : LEDGER_BATCH_HEADER_SIZE;
    zvt_buf_t buf = {.data = out + at, .capacity = capacity - at};
    zvt_balance_t opening = {.exchange = "alpha", .asset = "USDT", .total_e8 = INT64_C(10000000000000)};
    zvt_order_send_t order = {.client_order_id = "a", .exchange = "alpha", .symbol = "BTC/USDT", .side = ZVT_SIDE_BUY,
                              .order_type = ZVT_ORDER_TYPE_LIMIT, .time_in_force = ZVT_TIF_GTC, .quantity_e8 = 200000000,
                              .limit_price_e8 = INT64_C(10000000000)};
    zvt_report_t report = {.exchange = "alpha", .venue_seq = 1, .kind = ZVT_REPORT_KIND_ACCEPTED, .client_order_id = "a",
                           .symbol = "BTC/USDT", .side = ZVT_SIDE_BUY, .leaves_qty_e8 = 200000000, .code = ZVT_CODE_OK};
    zvt_order_query_t tombstone = {.client_order_id = "b", .exchange = "alpha", .tombstone = true};
    s_pack(&buf, ZVT_T_BALANCE, &opening);
    s_pack(&buf, ZVT_T_ORDER_SEND, &order);
    s_pack(&buf, ZVT_T_REPORT, &report);
    report.venue_seq = 2;
    report.kind = ZVT_REPORT_KIND_FILL;
    report.price_e8 = INT64_C(10000000000);
    report.quantity_e8 = 100000000;
    report.commission_e8 = 5000000;
    s_pack(&buf, ZVT_T_REPORT, &report);
    s_pack(&buf, ZVT_T_ORDER_QUERY, &tombstone);
    return n == 0 ? buf.length : ledger_format_seal(out, buf.length, 1, 0);
}

static void s_replay(const uint8_t *data, size_t size)
{
    static zvt_record_t record;
    zvt_cursor_t cursor = zvt_cursor(data, size);
    if (zvt_cursor_done(&cursor) || zvt_read(&cursor, &record) != 0) return;
    account_config_t config = {.fleet = s_fleet(), .venue = 0, .ids_max = 64};
    account_core_t *account = account_core_new(&config);
    while (account_core_replay(account, &record, 1000) == 0 && !zvt_cursor_done(&cursor) && zvt_read(&cursor, &record) == 0)
        continue;
    zvt_order_status_t status;
    uint32_t slot = 0;
    while (account_core_next_open(account, &slot, &status)) continue;
    account_core_destroy(&account);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ledger_header_t header;
    ledger_batch_t batch;
    (void)!ledger_format_read_header(data, size, &header);
    (void)ledger_format_goes_on(data, size, 1);
    if (ledger_format_read_batch(data, size, 1, &batch) == 0) s_replay(batch.payload, batch.length);
    s_replay(data, size);
    return 0;
}
