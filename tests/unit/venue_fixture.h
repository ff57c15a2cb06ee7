/* What the venue's tests share: a small fleet, amounts in plain numbers, and a recording of what a market said. */
#ifndef VENUE_FIXTURE_H
#define VENUE_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "market.h"
#include "zvt_config.h"
#include "zvt_fixed.h"

#define E8(number) ((int64_t)((number) * 1e8 + ((number) < 0 ? -0.5 : 0.5)))

static const char fixture_fleet_text[] =
    "market\n"
    "    step_ms = 100\n"
    "instruments\n"
    "    BTC/USDT\n"
    "        tick = 0.01\n"
    "        lot = 0.001\n"
    "        min_notional = 10\n"
    "        price = 60000\n"
    "        volatility = 0.5\n"
    "        max_quantity = 20\n"
    "        max_position = 100\n"
    "    ETH/USDT\n"
    "        tick = 0.01\n"
    "        lot = 0.001\n"
    "        price = 2500\n"
    "        volatility = 0.7\n"
    "        max_quantity = 400\n"
    "        max_position = 2000\n"
    "venues\n"
    "    alpha\n"
    "        maker_fee = 0.0002\n"
    "        taker_fee = 0.0005\n"
    "        balances\n"
    "            USDT = 100000\n"
    "            BTC = 10\n"
    "    beta\n"
    "        depth = 0.5\n"
    "        spread = 2\n"
    "        replay = no\n";

/* Lives until the test ends. */
static inline zvt_fleet_t *fixture_fleet(void)
{
    static zvt_fleet_t fleet;
    char problem[ZVT_PROBLEM_SIZE];
    if (zvt_fleet_parse(fixture_fleet_text, "fixture", &fleet, problem) != 0) {
        fprintf(stderr, "%s\n", problem);
        abort();
    }
    return &fleet;
}

static inline zvt_order_send_t fixture_order(const char *id, uint8_t side, double quantity, double limit)
{
    zvt_order_send_t order = {.side = side, .order_type = limit > 0 ? ZVT_ORDER_TYPE_LIMIT : ZVT_ORDER_TYPE_MARKET,
                              .time_in_force = limit > 0 ? ZVT_TIF_GTC : ZVT_TIF_IOC, .quantity_e8 = E8(quantity),
                              .limit_price_e8 = E8(limit), .epoch = 1};
    ZVT_STR_SET(order.client_order_id, id);
    ZVT_STR_SET(order.exchange, "alpha");
    ZVT_STR_SET(order.symbol, "BTC/USDT");
    return order;
}

/* Everything a market reported, as text: "fill SLOT PRICE QUANTITY;" and "trade SIDE PRICE QUANTITY;". */
typedef struct {
    char text[8192];
    size_t length;
    uint32_t books;
} fixture_tape_t;

static inline void fixture_note(fixture_tape_t *tape, const char *what, int64_t price_e8, int64_t quantity_e8)
{
    char price[ZVT_FIXED_TEXT], quantity[ZVT_FIXED_TEXT];
    zvt_fixed_format(price_e8, price);
    zvt_fixed_format(quantity_e8, quantity);
    size_t room = sizeof tape->text - tape->length;
    int written = snprintf(tape->text + tape->length, room, "%s %s %s;", what, price, quantity);
    if (written > 0 && (size_t)written < room) tape->length += (size_t)written;
}

static inline void fixture_on_rest_fill(void *arg, uint32_t slot, int64_t price_e8, int64_t quantity_e8)
{
    char what[32];
    snprintf(what, sizeof what, "fill %u", slot);
    fixture_note(arg, what, price_e8, quantity_e8);
}

static inline void fixture_on_trade(void *arg, uint32_t instrument, uint8_t aggressor, int64_t price_e8, int64_t quantity_e8)
{
    (void)instrument;
    fixture_note(arg, aggressor == ZVT_SIDE_BUY ? "trade buy" : "trade sell", price_e8, quantity_e8);
}

static inline void fixture_on_book(void *arg, uint32_t instrument)
{
    (void)instrument;
    ((fixture_tape_t *)arg)->books++;
}

static inline market_events_t fixture_events(fixture_tape_t *tape)
{
    return (market_events_t){
        .on_rest_fill = fixture_on_rest_fill, .on_trade = fixture_on_trade, .on_book = fixture_on_book, .arg = tape};
}

static inline void fixture_clear(fixture_tape_t *tape)
{
    memset(tape, 0, sizeof *tape);
}

/* A path of the test's own, in a folder that the runner removes at the end. Criterion runs each test in a child. */
static inline const char *fixture_path(const char *name)
{
    static char path[128];
    char folder[64];
    snprintf(folder, sizeof folder, "/tmp/zvt-test-%d", getppid());
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) abort();
    snprintf(folder, sizeof folder, "/tmp/zvt-test-%d/%d", getppid(), getpid());
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) abort();
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    char command[64];
    snprintf(command, sizeof command, "rm -rf /tmp/zvt-test-%d", getpid());
    if (system(command) != 0) fprintf(stderr, "failed: %s\n", command);
}

static inline void fixture_write(const char *path, const void *data, size_t length)
{
    FILE *out = fopen(path, "wb");
    if (out == NULL || fwrite(data, 1, length, out) != length || fclose(out) != 0) abort();
}

#endif
