/* executor_fixture -- a world around the executor core for its tests: what leaves it is kept in a list. */
#ifndef EXECUTOR_FIXTURE_H
#define EXECUTOR_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor_core.h"
#include "zvt_diag.h"
#include "zvt_stats.h"

enum { ALPHA, BETA, SENT_MAX = 128, TO_ORCHESTRATOR = 100 };

static const char s_fleet_text[] =
    "instruments\n"
    "    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        min_notional = 10\n        price = 100\n"
    "        max_quantity = 1000\n        max_position = 1000\n"
    "venues\n"
    "    alpha\n        maker_fee = 0.0002\n        taker_fee = 0.0005\n"
    "    beta\n        maker_fee = 0.0001\n        taker_fee = 0.0004\n        orders_per_second = 8\n        cancels_per_second = 8\n";

typedef struct {
    uint32_t to; /* venue, or TO_ORCHESTRATOR */
    zvt_record_t record;
} sent_t;

static zvt_fleet_t s_fleet;
static router_core_t *s_router;
static executor_core_t *s_core;
static sent_t *s_sent;
static unsigned s_count;
static uint64_t s_stored_epoch;
static int s_store_status;
static unsigned s_told_gateways, s_told_orchestrator;

static inline int s_store(void *arg, uint64_t epoch)
{
    (void)arg;
    if (s_store_status == 0) s_stored_epoch = epoch;
    return s_store_status;
}

static inline void s_to_gateway(void *arg, uint32_t venue, zvt_type_t type, const void *record)
{
    (void)arg;
    cr_assert_lt(s_count, (unsigned)SENT_MAX);
    s_sent[s_count].to = venue;
    s_sent[s_count].record.type = type;
    memcpy(&s_sent[s_count].record.hello, record, zvt_desc(type)->size);
    s_count++;
}

static inline void s_to_orchestrator(void *arg, zvt_type_t type, const void *record)
{
    s_to_gateway(arg, TO_ORCHESTRATOR, type, record);
}

static inline void s_tell_gateways(void *arg)
{
    (void)arg;
    s_told_gateways++;
}

static inline void s_tell_orchestrator(void *arg)
{
    (void)arg;
    s_told_orchestrator++;
}

static inline executor_now_t s_at(int64_t ns)
{
    return (executor_now_t){.utc_ns = ns, .monotonic_ns = ns};
}

static inline void s_gateway_up(uint32_t venue, uint64_t epoch, uint64_t venue_seq)
{
    zvt_hello_t hello = {.role = ZVT_ROLE_GATEWAY, .epoch = epoch, .cursor = venue_seq, .incarnation = 1};
    executor_core_on_gateway_up(s_core, venue, &hello, s_at(0));
}

static inline void s_tip(uint32_t venue, bool reachable, uint64_t venue_seq)
{
    zvt_record_t record = {.type = ZVT_T_REPORTS_TIP};
    record.reports_tip.reachable = reachable;
    record.reports_tip.venue_seq = venue_seq;
    record.reports_tip.incarnation = 1;
    executor_core_on_gateway_record(s_core, venue, &record, s_at(0));
}

static inline void s_setup(void)
{
    char problem[ZVT_PROBLEM_SIZE];
    cr_assert_eq(zvt_fleet_parse(s_fleet_text, "test", &s_fleet, problem), 0, "%s", problem);
    executor_out_t out = {.store_epoch = s_store,
                          .to_gateway = s_to_gateway,
                          .to_orchestrator = s_to_orchestrator,
                          .tell_gateways = s_tell_gateways,
                          .tell_orchestrator = s_tell_orchestrator};
    zvt_diag_init("test", ZVT_DIAG_ERROR);
    s_sent = calloc(SENT_MAX, sizeof *s_sent);
    s_store_status = 0;
    s_router = router_core_new(&s_fleet);
    s_core = executor_core_new(&s_fleet, s_router, &out, 5);
    s_gateway_up(ALPHA, 5, 10);
    s_tip(ALPHA, true, 10);
    s_count = s_told_gateways = s_told_orchestrator = 0;
}

static inline void s_teardown(void)
{
    executor_core_destroy(&s_core);
    router_core_destroy(&s_router);
    free(s_sent);
}

static inline void s_order(const char *id, const char *exchange, uint64_t epoch, int64_t expires_at_ns, int64_t now_ns)
{
    zvt_record_t record = {.type = ZVT_T_ORDER_SEND};
    ZVT_STR_SET(record.order_send.client_order_id, id);
    ZVT_STR_SET(record.order_send.exchange, exchange);
    record.order_send.epoch = epoch;
    record.order_send.expires_at_ns = expires_at_ns;
    cr_assert(executor_core_on_request(s_core, &record, s_at(now_ns)));
}

static inline void s_report(const char *id, uint8_t kind, uint8_t code, uint64_t venue_seq, int64_t now_ns)
{
    zvt_record_t record = {.type = ZVT_T_REPORT};
    ZVT_STR_SET(record.report.client_order_id, id);
    record.report.kind = kind;
    record.report.code = code;
    record.report.venue_seq = venue_seq;
    executor_core_on_gateway_record(s_core, ALPHA, &record, s_at(now_ns));
}

static inline const sent_t *s_last(void)
{
    cr_assert_gt(s_count, 0u);
    return &s_sent[s_count - 1];
}

#endif
