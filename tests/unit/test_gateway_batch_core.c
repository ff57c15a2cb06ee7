#include <criterion/criterion.h>
#include <string.h>

#include "batch_core.h"

enum { MESSAGES_MAX = 512 };

/* What left: for each message its topic and the trade ids in it. */
static struct {
    const char *topic;
    uint64_t first_id, last_id;
    uint32_t count;
    size_t length;
} s_messages[MESSAGES_MAX];
static uint32_t s_count;

static void s_emit(void *arg, const char *topic, const void *data, size_t length)
{
    static zvt_record_t record;
    zvt_cursor_t cursor = zvt_cursor(data, length);
    (void)arg;
    cr_assert_lt(s_count, MESSAGES_MAX);
    s_messages[s_count].topic = topic;
    s_messages[s_count].length = length;
    s_messages[s_count].count = 0;
    while (!zvt_cursor_done(&cursor)) {
        cr_assert_eq(zvt_read(&cursor, &record), 0);
        if (s_messages[s_count].count++ == 0) s_messages[s_count].first_id = record.trade_tick.trade_id;
        s_messages[s_count].last_id = record.trade_tick.trade_id;
    }
    s_count++;
}

static void s_add(batch_core_t *batch, const char *topic, uint64_t trade_id)
{
    zvt_trade_tick_t trade = {.trade_id = trade_id, .price_e8 = 1, .quantity_e8 = 1, .aggressor = ZVT_SIDE_BUY};
    ZVT_STR_SET(trade.venue, "alpha");
    ZVT_STR_SET(trade.symbol, topic);
    batch_core_add(batch, topic, ZVT_T_TRADE_TICK, &trade);
}

static batch_core_t s_new(void)
{
    batch_core_t batch;
    batch_core_init(&batch, s_emit, NULL);
    s_count = 0;
    return batch;
}

Test(batch_core, joins_neighbours_of_one_topic_and_keeps_the_order)
{
    static const char btc[] = "BTC/USDT", eth[] = "ETH/USDT";
    batch_core_t batch = s_new();
    s_add(&batch, btc, 1);
    s_add(&batch, btc, 2);
    s_add(&batch, eth, 3);
    s_add(&batch, btc, 4);
    cr_assert_eq(s_count, 2u, "what is not followed by another topic waits for the end of the round");
    batch_core_flush(&batch);
    cr_assert_eq(s_count, 3u);
    cr_assert_eq(s_messages[0].topic, btc);
    cr_assert_eq(s_messages[0].count, 2u);
    cr_assert_eq(s_messages[0].last_id, 2u);
    cr_assert_eq(s_messages[1].topic, eth);
    cr_assert_eq(s_messages[1].first_id, 3u);
    cr_assert_eq(s_messages[2].topic, btc);
    cr_assert_eq(s_messages[2].first_id, 4u);
    batch_core_destroy(&batch);
}

Test(batch_core, lets_a_full_message_leave_before_the_end_of_the_round)
{
    static const char btc[] = "BTC/USDT";
    batch_core_t batch = s_new();
    uint64_t id = 0, expected = 1;
    while (s_count < 3) s_add(&batch, btc, ++id);
    batch_core_flush(&batch);
    for (uint32_t i = 0; i < s_count; i++) {
        cr_assert_leq(s_messages[i].length, (size_t)BATCH_CORE_BYTES);
        cr_assert_eq(s_messages[i].first_id, expected);
        expected = s_messages[i].last_id + 1;
    }
    cr_assert_eq(expected, id + 1, "nothing is lost between two messages");
    batch_core_destroy(&batch);
}

Test(batch_core, sends_nothing_when_nothing_waits)
{
    batch_core_t batch = s_new();
    batch_core_flush(&batch);
    s_add(&batch, "BTC/USDT", 1);
    batch_core_flush(&batch);
    batch_core_flush(&batch);
    cr_assert_eq(s_count, 1u);
    batch_core_destroy(&batch);
}
