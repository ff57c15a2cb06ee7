#include <criterion/criterion.h>

#include "capture_line.h"
#include "venue_fixture.h"

static capture_event_t s_event;
static char s_reason[CAPTURE_REASON_SIZE];

static int s_json(const char *line) { return capture_line_json(line, strlen(line), &s_event, s_reason); }
static int s_csv(const char *line) { return capture_line_csv(line, strlen(line), &s_event, s_reason); }

#define TRADE                                                                                                              \
    "1723161254087896568 "                                                                                                 \
    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1,\"s\":\"BTCUSDT\",\"t\":3735683259,\"p\":\"61837."    \
    "63000000\",\"q\":\"0.02000000\",\"T\":2,\"m\":true,\"M\":true}}"
#define TICKER                                                                                                             \
    "1723161254087891268 "                                                                                                 \
    "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":50093239212,\"s\":\"BTCUSDT\",\"b\":\"61837.63000000\",\"B\":\"3." \
    "78826000\",\"a\":\"61837.64000000\",\"A\":\"1.54698000\"}}"
#define DIFF                                                                                                               \
    "1723161253937085768 "                                                                                                 \
    "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":3,\"s\":\"BTCUSDT\",\"U\":50093239189,"     \
    "\"u\":50093239202,\"b\":[[\"61737.63000000\",\"0.00000000\"],[\"61730.17000000\",\"1.5\"]],\"a\":[]}}"
#define SNAPSHOT                                                                                                           \
    "1723161254206652067 "                                                                                                 \
    "{\"lastUpdateId\":50093239218,\"bids\":[[\"61837.63000000\",\"3.78826000\"]],\"asks\":[[\"61837.64\",\"1\"],["        \
    "\"61838\",\"2\"]]}"

Test(capture_line, reads_a_trade)
{
    cr_assert_eq(s_json(TRADE), 0, "%s", s_reason);
    cr_assert_eq(s_event.kind, CAPTURE_TRADE);
    cr_assert_eq(s_event.received_ns, 1723161254087896568);
    cr_assert_str_eq(s_event.symbol, "BTCUSDT");
    cr_assert_eq(s_event.aggressor, ZVT_SIDE_SELL, "the buyer was the maker");
    cr_assert_eq(s_event.trade.price_e8, E8(61837.63));
    cr_assert_eq(s_event.trade.quantity_e8, E8(0.02));
}

Test(capture_line, reads_a_book_ticker)
{
    cr_assert_eq(s_json(TICKER), 0, "%s", s_reason);
    cr_assert_eq(s_event.kind, CAPTURE_QUOTE);
    cr_assert_eq(s_event.last_id, 50093239212);
    cr_assert_eq(s_event.best[0].quantity_e8, E8(3.78826));
    cr_assert_eq(s_event.best[1].price_e8, E8(61837.64));
}

Test(capture_line, reads_a_depth_update)
{
    cr_assert_eq(s_json(DIFF), 0, "%s", s_reason);
    cr_assert_eq(s_event.kind, CAPTURE_DIFF);
    cr_assert_eq(s_event.first_id, 50093239189);
    cr_assert_eq(s_event.last_id, 50093239202);
    cr_assert_eq(s_event.counts[0], 2);
    cr_assert_eq(s_event.counts[1], 0);
    cr_assert_eq(s_event.levels[0][0].quantity_e8, 0);
    cr_assert_eq(s_event.levels[0][1].quantity_e8, E8(1.5));
}

Test(capture_line, reads_a_snapshot)
{
    cr_assert_eq(s_json(SNAPSHOT), 0, "%s", s_reason);
    cr_assert_eq(s_event.kind, CAPTURE_SNAPSHOT);
    cr_assert_eq(s_event.symbol[0], '\0');
    cr_assert_eq(s_event.last_id, 50093239218);
    cr_assert_eq(s_event.counts[1], 2);
}

Test(capture_line, reads_messages_without_the_stream_wrapper)
{
    cr_assert_eq(s_json("5 {\"u\":9,\"s\":\"BTCUSDT\",\"b\":\"1\",\"B\":\"2\",\"a\":\"3\",\"A\":\"4\"}"), 0);
    cr_assert_eq(s_event.kind, CAPTURE_QUOTE);
}

Test(capture_line, passes_over_messages_of_other_streams)
{
    cr_assert_eq(s_json("5 {\"stream\":\"btcusdt@kline_1m\",\"data\":{\"e\":\"kline\",\"s\":\"BTCUSDT\"}}"), 0);
    cr_assert_eq(s_event.kind, CAPTURE_OTHER);
    cr_assert_eq(s_json("5 {\"result\":null,\"id\":1}"), 0);
    cr_assert_eq(s_event.kind, CAPTURE_OTHER);
}

Test(capture_line, every_truncation_is_refused)
{
    static const char *const lines[] = {TRADE, TICKER, DIFF, SNAPSHOT};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        for (size_t cut = 0; cut < strlen(lines[i]); cut++)
            cr_assert_neq(capture_line_json(lines[i], cut, &s_event, s_reason), 0, "line %zu cut at %zu", i, cut);
}

Test(capture_line, wrong_types_and_numbers_are_refused_with_a_reason)
{
    static const char *const lines[] = {
        "x {}",
        "-5 {}",
        "99999999999999999999999 {}",
        "5 []",
        "5 {\"data\":5}",
        "5 {\"e\":\"trade\",\"s\":\"BTCUSDT\",\"p\":1,\"q\":\"1\",\"m\":true}",
        "5 {\"e\":\"trade\",\"s\":\"BTCUSDT\",\"p\":\"-1\",\"q\":\"1\",\"m\":true}",
        "5 {\"e\":\"trade\",\"s\":\"BTCUSDT\",\"p\":\"0\",\"q\":\"1\",\"m\":true}",
        "5 {\"e\":\"trade\",\"s\":\"BTCUSDT\",\"p\":\"1\",\"q\":\"1e5\",\"m\":true}",
        "5 {\"e\":\"trade\",\"s\":\"BTCUSDT\",\"p\":\"1\",\"q\":\"999999999999999\",\"m\":true}",
        "5 {\"e\":\"trade\",\"s\":\"BTCUSDT\",\"p\":\"1\",\"q\":\"1\",\"m\":\"true\"}",
        "5 {\"e\":\"trade\",\"s\":\"A SYMBOL THAT IS FAR TOO LONG\",\"p\":\"1\",\"q\":\"1\",\"m\":true}",
        "5 {\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\",\"U\":5,\"u\":4,\"b\":[],\"a\":[]}",
        "5 {\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\",\"U\":-5,\"u\":4,\"b\":[],\"a\":[]}",
        "5 {\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\",\"U\":1,\"u\":4,\"b\":[[\"0\",\"1\"]],\"a\":[]}",
        "5 {\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\",\"U\":1,\"u\":4,\"b\":[[\"1\"]],\"a\":[]}",
        "5 {\"lastUpdateId\":1,\"bids\":{},\"asks\":[]}",
        "5 {\"u\":9,\"s\":\"BTCUSDT\",\"b\":\"1\",\"B\":\"0\",\"a\":\"3\",\"A\":\"4\"}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_assert_neq(s_json(lines[i]), 0, "%s", lines[i]);
        cr_assert_neq(s_reason[0], '\0', "%s", lines[i]);
    }
}

Test(capture_line, reads_csv_quotes)
{
    cr_assert_eq(s_csv("1000,BTCUSDT,99.5,1,100.5,2\r"), 0, "%s", s_reason);
    cr_assert_eq(s_event.kind, CAPTURE_QUOTE);
    cr_assert_eq(s_event.last_id, 0);
    cr_assert_eq(s_event.best[1].quantity_e8, E8(2));
    cr_assert_eq(s_csv("1000,BTC/USDT,0,0,100.5,2"), 0, "an empty side is 0,0");
}

Test(capture_line, refuses_wrong_csv)
{
    static const char *const lines[] = {"",
                                        "1000",
                                        "1000,BTCUSDT,99.5,1,100.5",
                                        "1000,BTCUSDT,99.5,1,100.5,2,3",
                                        "x,BTCUSDT,99.5,1,100.5,2",
                                        "1000,,99.5,1,100.5,2",
                                        "1000,BTCUSDT,a,1,100.5,2",
                                        "1000,BTCUSDT,-1,1,100.5,2",
                                        "1000,BTCUSDT,1,0,100.5,2"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) cr_assert_neq(s_csv(lines[i]), 0, "%s", lines[i]);
}
