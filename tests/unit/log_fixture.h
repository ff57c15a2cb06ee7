/* log_fixture -- what the tests of log followers share: a small fleet, ids, and a log to feed them. Static functions, one
 * log per test program. */
#ifndef LOG_FIXTURE_H
#define LOG_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "zvt_codec.h"
#include "zvt_config.h"
#include "zvt_fixed.h"

#define E8(value) ((int64_t)((double)(value) * 1e8 + ((double)(value) < 0 ? -0.5 : 0.5)))
#define UNUSED __attribute__((unused))

static const char s_fleet_text[] =
    "instruments\n"
    "    BTC/USDT\n"
    "        tick = 0.01\n"
    "        lot = 0.001\n"
    "        min_notional = 10\n"
    "        max_quantity = 20\n"
    "        max_position = 50\n"
    "    ETH/USDT\n"
    "        tick = 0.01\n"
    "        lot = 0.01\n"
    "        min_notional = 10\n"
    "        max_quantity = 400\n"
    "        max_position = 2000\n"
    "venues\n"
    "    alpha\n"
    "        maker_fee = 0.0002\n"
    "    beta\n"
    "        maker_fee = 0.0001\n"
    "risk\n"
    "    max_notional = 500000\n"
    "    price_collar = 0.05\n"
    "    max_orders_per_second = 5\n"
    "    allow_short = no\n";

/* The same fleet on every call; a test may change it, as Criterion runs each in a process of its own. */
UNUSED static zvt_fleet_t *s_fleet(void)
{
    static zvt_fleet_t fleet;
    if (fleet.instruments_count > 0) return &fleet;
    char problem[ZVT_PROBLEM_SIZE] = "";
    cr_assert_eq(zvt_fleet_parse(s_fleet_text, "test", &fleet, problem), 0, "%s", problem);
    return &fleet;
}

UNUSED static zvt_id_t s_id(unsigned n)
{
    zvt_id_t id = {{0}};
    id.bytes[0] = (uint8_t)(n >> 8);
    id.bytes[15] = (uint8_t)n;
    id.bytes[6] = 0x70;
    return id;
}

/* The next event of the log. Valid until the next call. */
UNUSED static const zvt_event_t *s_event_of_epoch(zvt_type_t type, const void *record, uint64_t epoch)
{
    static uint8_t bytes[16384];
    static zvt_event_t event;
    static uint64_t seq;
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    cr_assert_eq(zvt_pack_payload(&buf, type, record), 0);
    event = (zvt_event_t){.seq = ++seq, .type = type, .version = 1, .payload = bytes, .payload_length = buf.length};
    event.metadata.epoch = epoch;
    return &event;
}

UNUSED static const zvt_event_t *s_event(zvt_type_t type, const void *record)
{
    return s_event_of_epoch(type, record, 1);
}

UNUSED static zvt_price_updated_t s_quote(const char *venue, const char *symbol, double bid, double ask)
{
    zvt_price_updated_t quote = {.bid_e8 = E8(bid), .ask_e8 = E8(ask)};
    ZVT_STR_SET(quote.venue, venue);
    ZVT_STR_SET(quote.symbol, symbol);
    return quote;
}

#endif
