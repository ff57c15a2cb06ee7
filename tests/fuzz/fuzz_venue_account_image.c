/* fuzz_venue_account_image -- bytes of an account's image: reading them, and asking and telling whatever account they make. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_image.h"

enum { IDS_MAX = 64 };

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

static account_core_t *s_account(void)
{
    account_config_t config = {.fleet = s_fleet(), .venue = 0, .ids_max = IDS_MAX};
    return account_core_new(&config);
}

static int s_replay(account_core_t *account, zvt_type_t type, const void *record, size_t size)
{
    static zvt_record_t entry;
    entry.type = type;
    memcpy(&entry.order_send, record, size);
    return account_core_replay(account, &entry, INT64_MAX / 2);
}

/* An order that is taken in, and what a ledger says of it: accepted and, if it `fills`, executed in full. */
static int s_trade(account_core_t *account, const char *id, bool fills)
{
    zvt_order_send_t order = {.exchange = "alpha", .symbol = "BTC/USDT", .side = ZVT_SIDE_BUY, .order_type = ZVT_ORDER_TYPE_LIMIT,
                              .time_in_force = ZVT_TIF_GTC, .quantity_e8 = 200000000, .limit_price_e8 = INT64_C(10000000000)};
    zvt_report_t report = {.kind = ZVT_REPORT_KIND_ACCEPTED, .venue_seq = account_core_venue_seq(account) + 1};
    ZVT_STR_SET(order.client_order_id, id);
    ZVT_STR_SET(report.client_order_id, id);
    int status = s_replay(account, ZVT_T_ORDER_SEND, &order, sizeof order);
    if (status == 0) status = s_replay(account, ZVT_T_REPORT, &report, sizeof report);
    if (status != 0 || !fills) return status;
    report.kind = ZVT_REPORT_KIND_FILL;
    report.venue_seq++;
    report.price_e8 = order.limit_price_e8;
    report.quantity_e8 = order.quantity_e8;
    return s_replay(account, ZVT_T_REPORT, &report, sizeof report);
}

typedef struct {
    uint8_t *bytes;
    size_t length, capacity;
} out_t;

static int s_put(void *arg, const void *bytes, size_t length)
{
    out_t *out = arg;
    if (out->length + length > out->capacity) return ZVT_ERR_FULL;
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
    return 0;
}

static size_t s_save(const account_core_t *account, uint8_t *bytes, size_t capacity)
{
    out_t out = {.bytes = bytes, .capacity = capacity};
    return account_image_save(account, s_put, &out) == 0 ? out.length : 0;
}

/* Seed 0: a new account. Seed 1: open and ended orders and a tombstone. */
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    if (n > 1) return 0;
    account_core_t *account = s_account();
    zvt_order_query_t query = {.client_order_id = "dead", .tombstone = true};
    bool made = n == 0 || (s_trade(account, "a", false) == 0 && s_trade(account, "b", true) == 0 &&
                           s_replay(account, ZVT_T_ORDER_QUERY, &query, sizeof query) == 0);
    size_t size = made ? s_save(account, out, capacity) : 0;
    account_core_destroy(&account);
    return size;
}

/* More orders than it remembers, so that what the image says has ended is forgotten. */
static void s_use(account_core_t *account)
{
    zvt_order_status_t status;
    uint32_t slot = 0;
    while (account_core_next_open(account, &slot, &status)) continue;
    for (int i = 0; i < 2 * IDS_MAX; i++) {
        char id[16];
        snprintf(id, sizeof id, "new%d", i);
        if (s_trade(account, id, true) != 0) return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[1 << 20];
    account_core_t *account = s_account();
    if (account_image_load(account, data, size) == 0) {
        if (s_save(account, again, sizeof again) != size) abort();
        s_use(account);
    }
    account_core_destroy(&account);
    return 0;
}
