/* zvt-alloc: no core allocates for an order.
 *
 * Drives the cores of every room through orders -- the fleet's in the simulator's world without faults, the strategies'
 * library and the markets by hand -- and counts what they allocate and free after a warm-up.
 * stdout   calls by room.
 * Exit     0: none in any core; 1: some, with their places on stderr, or the test itself saw too little. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_count.h"
#include "alloc_desk.h"
#include "alloc_market.h"
#include "sim_db.h"
#include "sim_faults.h"
#include "sim_oracle.h"
#include "sim_procs.h"
#include "zvt_map.h"

enum {
    WORLDS = 8,
    WARMUP_COMMANDS = 200,    /* of a world's strategies: orders, cancels, repetitions */
    COUNTED_COMMANDS = 400,   /* a world remembers no more than a thousand orders */
    ORDERS_MIN = 2000,        /* that must have been requested while counting was on, or nothing was shown */
    FILLS_MIN = 800,
    DESK_WARMUP = 100,
    DESK_ORDERS = 3000,
    MARKET_WARMUP = 200,
    MARKET_STEPS = 3000,
    MARKET_TRADES_MIN = 5000,
};
#define LOOK_NS (20 * ZVT_MS_NS)
#define WORLD_NS (600 * ZVT_SECOND_NS) /* simulated: enough for the commands of a world */

static const char s_fleet_text[] =
    "instruments\n"
    "    BTC/USDT\n        tick = 0.01\n        lot = 0.01\n        min_notional = 1\n        price = 100\n        volatility = 0.5\n"
    "        max_quantity = 10\n        max_position = 80\n"
    "    ETH/USDT\n        tick = 0.01\n        lot = 0.01\n        min_notional = 1\n        price = 50\n        volatility = 0.5\n"
    "        max_quantity = 10\n        max_position = 80\n"
    "venues\n"
    "    alpha\n        maker_fee = 0.0002\n        taker_fee = 0.0005\n        balances\n            USDT = 1000000\n            BTC = 1000\n            ETH = 1000\n"
    "    beta\n        maker_fee = 0.0001\n        taker_fee = 0.0006\n        balances\n            USDT = 1000000\n            BTC = 1000\n            ETH = 1000\n"
    "risk\n    max_notional = 500000\n    price_collar = 0.05\n    max_orders_per_second = 50\n    allow_short = no\n";

static uint64_t s_total[ALLOC_ROOMS], s_orders, s_fills, s_trades;

/* ---- what the world expects of whoever runs it ---- */
_Noreturn void sim_violation(const char *invariant, const char *subject, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "zvt-alloc: %s (%s): ", invariant, subject == NULL ? "" : subject);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(ZVT_EXIT_FAILED);
}

_Noreturn void zvt_assert_failed(const char *condition, const char *file, int line)
{
    sim_violation("the assertions of the cores hold", NULL, "%s (%s:%d)", condition, file, line);
}

/* ---- the fleet ---- */

/* The clients of the simulator halt, kill and ask for barriers, which may allocate; only strategies take part. */
static void s_start_all(void)
{
    for (uint32_t i = 0; i < sim_procs_count(); i++)
        if (sim_proc_at(i)->supervised && sim_proc_at(i)->kind != SIM_CLIENT) sim_proc_start(sim_proc_at(i));
}

static void s_until_left(uint32_t commands)
{
    int64_t end_ns = sim.now_ns + WORLD_NS;
    while (sim_workload_left() > commands && sim.now_ns < end_ns) {
        int64_t look_ns = sim.now_ns + LOOK_NS;
        while (sim_step(look_ns)) {
        }
    }
}

static void s_take_counts(void)
{
    for (int room = 0; room < ALLOC_ROOMS; room++) s_total[room] += alloc_count((alloc_room_t)room);
    alloc_count_sites(stderr);
}

static void s_run_world(uint64_t seed)
{
    sim_world_reset(seed, false);
    sim_db_reset();
    sim_executor_reset();
    sim_gateway_reset();
    sim_venue_reset();
    sim_client_reset();
    sim_oracle_reset();
    sim_faults_begin(false);
    sim_workload_begin(WARMUP_COMMANDS + COUNTED_COMMANDS);
    s_start_all();
    s_until_left(COUNTED_COMMANDS);
    uint32_t orders = sim_oracle_orders(), fills = sim_oracle_fills();
    alloc_count_begin();
    s_until_left(0);
    alloc_count_end();
    s_orders += sim_oracle_orders() - orders;
    s_fills += sim_oracle_fills() - fills;
    s_take_counts();
}

/* ---- the strategies' library ---- */
static void s_run_desk(void)
{
    alloc_desk_begin(sim.fleet);
    for (int i = 0; i < DESK_WARMUP; i++) alloc_desk_order();
    uint64_t filled = alloc_desk_filled();
    alloc_count_begin();
    for (int i = 0; i < DESK_ORDERS; i++) alloc_desk_order();
    alloc_count_end();
    ZVT_ASSERT(alloc_desk_filled() - filled == DESK_ORDERS);
    s_take_counts();
    alloc_desk_end();
}

/* ---- the markets ---- */
static void s_run_markets(void)
{
    alloc_market_begin(sim.fleet);
    for (int i = 0; i < MARKET_WARMUP; i++) alloc_market_step();
    uint64_t trades = alloc_market_trades();
    alloc_count_begin();
    for (int i = 0; i < MARKET_STEPS; i++) alloc_market_step();
    alloc_count_end();
    s_trades = alloc_market_trades() - trades;
    s_take_counts();
    alloc_market_end();
}

/* What is known to allocate is seen: else a zero would mean nothing. */
static bool s_counter_works(void)
{
    alloc_count_begin();
    zvt_map_t *map = zvt_map_new(8, 8);
    zvt_map_destroy(&map);
    alloc_count_end();
    if (alloc_count(ALLOC_COMMON) >= 2) return true;
    fputs("zvt-alloc: an allocation of a core was not noticed: are the rooms linked between their marks?\n", stderr);
    return false;
}

int main(void)
{
    static zvt_fleet_t fleet;
    char problem[ZVT_PROBLEM_SIZE];
    if (zvt_fleet_parse(s_fleet_text, "the test's fleet", &fleet, problem) != 0) {
        fprintf(stderr, "zvt-alloc: %s\n", problem);
        return ZVT_EXIT_BUG;
    }
    sim.fleet = &fleet;
    if (!s_counter_works()) return ZVT_EXIT_FAILED;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) s_run_world(seed);
    s_run_desk();
    s_run_markets();
    bool ok = s_orders >= ORDERS_MIN && s_fills >= FILLS_MIN && s_trades >= MARKET_TRADES_MIN;
    if (!ok) fputs("zvt-alloc: too few orders, fills or trades to show anything\n", stderr);
    printf("%" PRIu64 " orders, %" PRIu64 " fills, %d orders of the strategies' library and %" PRIu64 " trades of the markets; allocator calls by room:\n",
           s_orders, s_fills, DESK_ORDERS, s_trades);
    for (int room = 0; room < ALLOC_TEST; room++) {
        printf("  %-13s %" PRIu64 "\n", alloc_room_name((alloc_room_t)room), s_total[room]);
        ok = ok && s_total[room] == 0;
    }
    return ok ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}
