/* Feeds frames of records and events to portfolio: whatever decodes must be answered without breaking an invariant. */
#include <stdlib.h>
#include <string.h>

#include "portfolio_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);

static const char s_fleet_text[] =
    "instruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        max_quantity = 20\n        max_position = 50\n"
    "venues\n    alpha\n        maker_fee = 0.0002\n";

static zvt_record_t s_record;

static portfolio_core_t *s_core(void)
{
    static portfolio_core_t *core;
    static zvt_fleet_t fleet;
    if (core != NULL) return core;
    char problem[ZVT_PROBLEM_SIZE];
    ZVT_ASSERT(zvt_fleet_parse(s_fleet_text, "fuzz", &fleet, problem) == 0);
    return core = portfolio_core_new(&fleet, 1);
}

static void s_on_row(void *arg, uint32_t number, const zvt_position_row_t *row)
{
    (void)arg;
    ZVT_ASSERT(number < PORTFOLIO_POSITIONS_MAX || number == PORTFOLIO_NO_NUMBER);
    ZVT_ASSERT(strnlen(row->symbol, sizeof row->symbol) < sizeof row->symbol);
}

static void s_on_record(portfolio_core_t *core, const zvt_record_t *record)
{
    static int64_t now_ns;
    zvt_fill_applied_t answer;
    if (record->type == ZVT_T_FILL_APPLY) {
        portfolio_core_on_fill(core, &record->fill_apply, &answer);
        ZVT_ASSERT(answer.code != 0);
    }
    if (record->type == ZVT_T_PRICE_UPDATED) (void)!portfolio_core_on_quote(core, &record->price_updated, ++now_ns);
    if (record->type == ZVT_T_POSITIONS_QUERY) (void)portfolio_core_query(core, &record->positions_query, s_on_row, NULL);
}

/* The first byte chooses whether records or events follow. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    portfolio_core_t *core = s_core();
    zvt_cursor_t frame = zvt_cursor(data + 1, size - 1);
    zvt_event_t event;
    if (data[0] % 2 == 0)
        while (!zvt_cursor_done(&frame) && zvt_read(&frame, &s_record) == 0) s_on_record(core, &s_record);
    else
        while (!zvt_cursor_done(&frame) && zvt_read_event(&frame, &event) == 0) (void)!portfolio_core_on_event(core, &event);
    return 0;
}

static int s_seed_records(zvt_buf_t *buf)
{
    zvt_price_updated_t quote = {.venue = "alpha", .symbol = "BTC/USDT", .bid_e8 = 100, .ask_e8 = 200};
    zvt_fill_apply_t fill = {.exec_id = "1", .exchange = "alpha", .symbol = "BTC/USDT", .side = ZVT_SIDE_BUY,
                             .price_e8 = 100000000, .quantity_e8 = 200000000};
    zvt_positions_query_t query = {.portfolio_id = ""};
    int status = zvt_pack(buf, ZVT_T_PRICE_UPDATED, &quote);
    if (status == 0) status = zvt_pack(buf, ZVT_T_FILL_APPLY, &fill);
    return status != 0 ? status : zvt_pack(buf, ZVT_T_POSITIONS_QUERY, &query);
}

static int s_seed_event(zvt_buf_t *buf, zvt_type_t type, const void *record)
{
    uint8_t bytes[4096];
    zvt_buf_t payload = {.data = bytes, .capacity = sizeof bytes};
    int status = zvt_pack_payload(&payload, type, record);
    zvt_event_t event = {.seq = 1, .type = type, .version = 1, .payload = bytes, .payload_length = payload.length};
    return status != 0 ? status : zvt_pack_event(buf, &event);
}

static int s_seed_events(zvt_buf_t *buf)
{
    zvt_order_executed_t executed = {.exec_id = "1", .exchange = "alpha"};
    zvt_position_updated_t position = {.exec_id = "1", .symbol = "BTC/USDT", .quantity_change_e8 = 5, .new_quantity_e8 = 5};
    int status = s_seed_event(buf, ZVT_T_ORDER_EXECUTED, &executed);
    return status != 0 ? status : s_seed_event(buf, ZVT_T_POSITION_UPDATED, &position);
}

size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    if (n > 1) return 0;
    out[0] = (uint8_t)n;
    zvt_buf_t buf = {.data = out, .length = 1, .capacity = capacity};
    int status = n == 0 ? s_seed_records(&buf) : s_seed_events(&buf);
    return status == 0 ? buf.length : 0;
}
