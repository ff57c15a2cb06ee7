/* capture_line -- one line of recorded market data, read and checked.
 *
 * Shapes   Binance captures: "<ns> <json>", ns being the local receive time and json one message as received, with or
 *          without the combined stream's wrapper: trade, bookTicker, depthUpdate, or a REST depth snapshot. Messages
 *          of other streams are CAPTURE_OTHER.
 *          CSV of quotes: the header line CAPTURE_CSV_HEADER, then one quote a line; prices and sizes are decimals,
 *          ts_ns is UTC.
 * Units    price_e8, quantity_e8: fixed point 1e-8.
 * Bounds   CAPTURE_LEVELS_MAX levels a side; more is ZVT_ERR_RANGE. jansson allocates while a JSON line is read.
 * Errors   ZVT_ERR_SYNTAX, _RANGE, _TYPE with `reason`; the event is then undefined. */
#ifndef VENUE_CAPTURE_LINE_H
#define VENUE_CAPTURE_LINE_H

#include "zvt_schema.h"

enum { CAPTURE_LEVELS_MAX = 8192, CAPTURE_REASON_SIZE = 120 };
#define CAPTURE_CSV_HEADER "ts_ns,symbol,bid,bid_size,ask,ask_size"

typedef enum {
    CAPTURE_OTHER,    /* a message that is none of ours */
    CAPTURE_TRADE,
    CAPTURE_QUOTE,
    CAPTURE_DIFF,
    CAPTURE_SNAPSHOT, /* names no symbol */
} capture_kind_t;

typedef struct {
    capture_kind_t kind;
    int64_t received_ns;          /* UTC */
    char symbol[ZVT_SYMBOL_SIZE]; /* as the source spells it; empty for a snapshot */
    uint64_t first_id, last_id;   /* update ids: U and u of a diff; last_id of a quote (0: none) and a snapshot */
    uint8_t aggressor;            /* trade: side that took liquidity */
    zvt_level_t trade;            /* trade: price and quantity */
    zvt_level_t best[2];          /* quote: bid, ask */
    uint32_t counts[2];           /* diff and snapshot: levels of bids and asks */
    zvt_level_t levels[2][CAPTURE_LEVELS_MAX];
} capture_event_t;

/* Reads "<ns> <json>" without its line end. */
ZVT_MUSTUSE int capture_line_json(const char *line, size_t length, capture_event_t *event, char reason[CAPTURE_REASON_SIZE]);
/* Reads a quote of the CSV format without its line end. */
ZVT_MUSTUSE int capture_line_csv(const char *line, size_t length, capture_event_t *event, char reason[CAPTURE_REASON_SIZE]);

#endif
