/* Feeds frames of records and events to risk: whatever decodes must be answered without breaking an invariant. */
#include <stdlib.h>
#include <string.h>

#include "risk_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);

static const char s_fleet_text[] =
    "instruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        max_quantity = 20\n        max_position = 50\n"
    "venues\n    alpha\n        maker_fee = 0.0002\n";

static zvt_fleet_t s_fleet;
static zvt_record_t s_record;

static risk_core_t *s_core(void)
{
    static risk_core_t *core;
    if (core != NULL) return core;
    char problem[ZVT_PROBLEM_SIZE];
    ZVT_ASSERT(zvt_fleet_parse(s_fleet_text, "fuzz", &s_fleet, problem) == 0);
    risk_options_t options = {.quote_max_age_ns = INT64_MAX, .incarnation = 1};
    return core = risk_core_new(&s_fleet, &options);
}

static void s_on_record(risk_core_t *core, const zvt_record_t *record)
{
    static int64_t now_ns;
    zvt_risk_verdict_t verdict;
    now_ns += 1000000;
    if (record->type == ZVT_T_RISK_CHECK) {
        risk_core_on_check(core, &record->risk_check, now_ns, &verdict);
        ZVT_ASSERT(verdict.code != 0);
        ZVT_ASSERT(verdict.code != ZVT_CODE_OK || verdict.risk_violations_count == 0);
    }
    if (record->type == ZVT_T_RISK_RELEASE) risk_core_on_release(core, &record->risk_release);
    if (record->type == ZVT_T_PRICE_UPDATED) (void)!risk_core_on_quote(core, &record->price_updated, now_ns);
}

/* The first byte chooses whether records or events follow. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    risk_core_t *core = s_core();
    zvt_cursor_t frame = zvt_cursor(data + 1, size - 1);
    zvt_event_t event;
    if (data[0] % 2 == 0)
        while (!zvt_cursor_done(&frame) && zvt_read(&frame, &s_record) == 0) s_on_record(core, &s_record);
    else
        while (!zvt_cursor_done(&frame) && zvt_read_event(&frame, &event) == 0) (void)!risk_core_on_event(core, &event);
    return 0;
}

static void s_fill_check(zvt_risk_check_t *check)
{
    memset(check, 0, sizeof *check);
    check->order_id.bytes[0] = 1;
    ZVT_STR_SET(check->strategy_id, "a");
    ZVT_STR_SET(check->order_request.symbol, "BTC/USDT");
    check->order_request.side = ZVT_SIDE_BUY;
    check->order_request.order_type = ZVT_ORDER_TYPE_MARKET;
    check->order_request.quantity_e8 = 100000000;
}

static int s_seed_records(zvt_buf_t *buf)
{
    zvt_price_updated_t quote = {.venue = "alpha", .symbol = "BTC/USDT", .bid_e8 = 100, .ask_e8 = 200};
    zvt_risk_release_t release = {.epoch = 0};
    zvt_risk_check_t check;
    s_fill_check(&check);
    int status = zvt_pack(buf, ZVT_T_PRICE_UPDATED, &quote);
    if (status == 0) status = zvt_pack(buf, ZVT_T_RISK_CHECK, &check);
    return status != 0 ? status : zvt_pack(buf, ZVT_T_RISK_RELEASE, &release);
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
    zvt_risk_check_t check;
    s_fill_check(&check);
    zvt_order_requested_t requested = {.order_id = check.order_id, .order_request = check.order_request};
    zvt_order_validated_t validated = {.order_id = check.order_id};
    zvt_position_updated_t position = {.order_id = check.order_id, .quantity_change_e8 = 5, .new_quantity_e8 = 5};
    zvt_order_completed_t completed = {.order_id = check.order_id};
    int status = s_seed_event(buf, ZVT_T_ORDER_REQUESTED, &requested);
    if (status == 0) status = s_seed_event(buf, ZVT_T_ORDER_VALIDATED, &validated);
    if (status == 0) status = s_seed_event(buf, ZVT_T_POSITION_UPDATED, &position);
    return status != 0 ? status : s_seed_event(buf, ZVT_T_ORDER_COMPLETED, &completed);
}

size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    if (n > 1) return 0;
    out[0] = (uint8_t)n;
    zvt_buf_t buf = {.data = out, .length = 1, .capacity = capacity};
    int status = n == 0 ? s_seed_records(&buf) : s_seed_events(&buf);
    return status == 0 ? buf.length : 0;
}
