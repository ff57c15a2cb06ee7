/* summary -- one readable line for a record, made by a template per type.
 *
 * Template  "{field}" is a field's value ("{part.field}" of an embedded part); "{field?yes:no}" a word for a flag;
 *           "[text {field}]" is left out when a field in it is empty, zero or false. A type without a template lists
 *           its fields as name=value.
 * Shapes    decimals as exact decimals, ids short, enumerations their text. */
#ifndef MONITOR_SUMMARY_H
#define MONITOR_SUMMARY_H

#include "format.h"
#include "zvt_codec.h"

/* Writes the line of a record (without a line end). */
void summary_print(FILE *out, zvt_type_t type, const void *record);

/* The instrument a record names: its symbol, or that of an embedded order_request; NULL if it names none. */
const char *summary_symbol(zvt_type_t type, const void *record);

/* True if records of this type belong to an order, so that an instrument can be remembered for them. */
bool summary_concerns_order(zvt_type_t type);

format_tone_t summary_tone(zvt_type_t type);

/* The template of a type; NULL if it has none. */
const char *summary_template(zvt_type_t type);

/* "12:34:56.123456     1042 order.executed        BTC/USDT  buy 0.1 @ ..", with a line end. `symbol` may be "". */
void summary_print_event(FILE *out, const zvt_event_t *event, const zvt_record_t *payload, const char *symbol, bool colour);
/* The same for market data, which has no seq; received_ns is our clock. */
void summary_print_market(FILE *out, const zvt_record_t *record, int64_t received_ns, bool colour);
/* {"seq": null, "event_type", "timestamp", "topic", "data"} for market data, with a line end. */
void summary_json_market(FILE *out, const zvt_record_t *record, const char *topic, int64_t received_ns);

#endif
