#include "summary.h"

#include <inttypes.h>
#include <string.h>

#include "zvt_fixed.h"
#include "zvt_json.h"
#include "zvt_time.h"

enum { NAME_MAX_LENGTH = 64 };

typedef struct {
    const char *template;
    format_tone_t tone;
} style_t;

static const style_t s_styles[ZVT_T_LIMIT] = {
    [ZVT_T_ORDER_REQUESTED] = {.template = "{order_request.side} {order_request.quantity} {order_request.order_type}"
                                           "[ @ {order_request.limit_price}] {order_request.time_in_force}"
                                           "[{order_request.post_only? post-only:}] by {strategy_id}"
                                           "[ on {order_request.venue}][ request {request_id}] order {order_id}",
                               .tone = FORMAT_STRONG},
    [ZVT_T_ORDER_VALIDATED] = {.template = "{validation_result.checks} checks passed, risk {risk_score}, notional "
                                           "{validation_result.notional_value} at {validation_result.reference_price}, "
                                           "position {validation_result.position} pending {validation_result.pending}"},
    [ZVT_T_ORDER_REJECTED] = {.template = "{rejection_reason} by {stage}[ at {exchange}][: {message}]", .tone = FORMAT_BAD},
    [ZVT_T_ORDER_CREATED] = {.template = "{side} {quantity} {order_type}[ @ {limit_price}] for {strategy_id}"},
    [ZVT_T_EXCHANGE_ROUTED] = {.template = "{selected_exchange}: {routing_reason}"},
    [ZVT_T_ORDER_SUBMITTED] = {.template = "{quantity} to {exchange} as {client_order_id}[ attempt {attempt}]"},
    [ZVT_T_ORDER_ACCEPTED] = {.template = "{exchange} as {exchange_order_id}"},
    [ZVT_T_ORDER_EXECUTED] = {.template = "{side} {executed_quantity} @ {executed_price} {exchange} {is_maker?maker:taker} "
                                          "fee {commission} {commission_asset}, filled {cum_qty}[, leaves {leaves_qty}]"
                                          "[, {execution_time_ms} ms]",
                              .tone = FORMAT_GOOD},
    [ZVT_T_ORDER_CANCEL_REQUESTED] = {.template = "by {requested_by}", .tone = FORMAT_WARNING},
    [ZVT_T_ORDER_CANCEL_REJECTED] = {.template = "{reason}[: {message}]", .tone = FORMAT_WARNING},
    [ZVT_T_ORDER_CANCELED] = {.template = "[{exchange} ]{reason}, filled {cum_qty}, canceled {leaves_qty}",
                              .tone = FORMAT_WARNING},
    [ZVT_T_ORDER_EXPIRED] = {.template = "[{exchange} ]{reason}, filled {cum_qty}, expired {leaves_qty}",
                             .tone = FORMAT_WARNING},
    [ZVT_T_ORDER_UNKNOWN] = {.template = "{exchange} may have {client_order_id}: {reason}", .tone = FORMAT_WARNING},
    [ZVT_T_ORDER_RESOLVED] = {.template = "[{exchange} ]will not execute, says {requested_by}[: {reason}]",
                              .tone = FORMAT_WARNING},
    [ZVT_T_ORDER_FAILED] = {.template = "{failure_reason} in {step}[: {message}]", .tone = FORMAT_BAD},
    [ZVT_T_ORDER_COMPLETED] = {.template = "filled {filled_quantity} @ {avg_fill_price} {exchange} fee {commission} "
                                           "{commission_asset}",
                               .tone = FORMAT_GOOD},
    [ZVT_T_POSITION_UPDATED] = {.template = "{strategy_id} {quantity_change} makes {new_quantity}[ avg {new_avg_price}]"
                                            "[ realized {realized_pnl}] total realized {realized_pnl_total} "
                                            "unrealized {unrealized_pnl} fees {commission_total}"},
    [ZVT_T_POSITION_ADJUSTED] = {.template = "[{exchange} ][{strategy_id} ][{asset} ]{quantity_change} makes {new_quantity}"
                                             "[ at {price}] by {requested_by}[: {reason}]",
                                 .tone = FORMAT_WARNING},
    [ZVT_T_ACCOUNT_OPENED] = {.template = "{exchange} began with {amount} {asset}", .tone = FORMAT_QUIET},
    [ZVT_T_RISK_HALTED] = {.template = "[account at {exchange} ]by {requested_by}[: {reason}]", .tone = FORMAT_BAD},
    [ZVT_T_RISK_RESUMED] = {.template = "[account at {exchange} ]by {requested_by}[: {reason}]", .tone = FORMAT_GOOD},
    [ZVT_T_ALERT_TRIGGERED] = {.template = "{severity} {code}[ at {exchange}]: {message}[ ({client_order_id})]",
                               .tone = FORMAT_BAD},
    [ZVT_T_CIRCUIT_CHANGED] = {.template = "{exchange} {state}: {reason}[, {failures} failures in a row][, tried at {retry_at}]",
                               .tone = FORMAT_WARNING},
    [ZVT_T_SAGA_STEP_FAILED] = {.template = "{step} attempt {attempt}: {failure_reason}[ at {exchange}][: {message}]",
                                .tone = FORMAT_WARNING},
    [ZVT_T_SAGA_DEAD_LETTERED] = {.template = "{saga} in {step}: {failure_reason}[ at {exchange}][ report {venue_seq}]"
                                              "[: {message}]",
                                  .tone = FORMAT_BAD},
    [ZVT_T_SAGA_STARTED] = {.template = "{saga}[ of {exchange}][: {reason}]", .tone = FORMAT_QUIET},
    [ZVT_T_SAGA_COMPENSATING] = {.template = "gave up in {step}: {failure_reason}[: {message}]", .tone = FORMAT_WARNING},
    [ZVT_T_SAGA_COMPENSATED] = {.template = "{steps} steps undone", .tone = FORMAT_WARNING},
    [ZVT_T_DEAD_LETTER_RETRIED] = {.template = "{letter_id} by {requested_by}[: {reason}]", .tone = FORMAT_WARNING},
    [ZVT_T_DEAD_LETTER_DROPPED] = {.template = "{letter_id} by {requested_by}[: {reason}]", .tone = FORMAT_WARNING},
    [ZVT_T_SYSTEM_STARTED] = {.template = "{holder} {release} epoch {epoch}", .tone = FORMAT_STRONG},
    [ZVT_T_SYSTEM_RECOVERED] = {.template = "{replayed_events} events in {duration_ms} ms, {open_orders} open orders, "
                                            "{open_sagas} open sagas",
                                .tone = FORMAT_STRONG},
    [ZVT_T_RECONCILIATION_COMPLETED] = {.template = "{exchange} at report {venue_seq}: {assets} balances, {open_orders} open "
                                                    "orders, {differences} balances differ[, {missing_orders} orders missing]"
                                                    "[, {strange_orders} orders too many][: {message}]",
                                        .tone = FORMAT_STRONG},
    [ZVT_T_SYSTEM_BARRIER] = {.template = "by {requested_by}[: {request_id}]", .tone = FORMAT_QUIET},
    [ZVT_T_PRICE_UPDATED] = {.template = "{venue} bid {bid} x {bid_volume}  ask {ask} x {ask_volume}", .tone = FORMAT_QUIET},
    [ZVT_T_TRADE_TICK] = {.template = "{venue} {aggressor} {quantity} @ {price}", .tone = FORMAT_QUIET},
    [ZVT_T_ORDERBOOK_UPDATED] = {.template = "{venue} {bids} bids {asks} asks", .tone = FORMAT_QUIET},
    [ZVT_T_MARKET_STATUS] = {.template = "{venue} {open?open:closed}[: {message}]", .tone = FORMAT_WARNING},
};

const char *summary_template(zvt_type_t type)
{
    return (unsigned)type < ZVT_T_LIMIT ? s_styles[type].template : NULL;
}

format_tone_t summary_tone(zvt_type_t type)
{
    return (unsigned)type < ZVT_T_LIMIT ? s_styles[type].tone : FORMAT_PLAIN;
}

/* ---- fields ---- */
static const zvt_field_desc_t *s_field(const zvt_desc_t *desc, const char *name, size_t length)
{
    for (uint32_t i = 0; i < desc->fields_count; i++)
        if (strlen(desc->fields[i].name) == length && strncmp(desc->fields[i].name, name, length) == 0)
            return &desc->fields[i];
    return NULL;
}

/* Finds "field" or "part.field"; *record moves into the part. NULL if the schema has no such field. */
static const zvt_field_desc_t *s_find(const zvt_desc_t *desc, const char *path, size_t length, const uint8_t **record)
{
    const char *dot = memchr(path, '.', length);
    if (dot == NULL) return s_field(desc, path, length);
    const zvt_field_desc_t *part = s_field(desc, path, (size_t)(dot - path));
    if (part == NULL || part->kind != ZVT_KIND_REC) return NULL;
    *record += part->offset;
    return s_field(part->part, dot + 1, length - (size_t)(dot + 1 - path));
}

static void s_print_count(FILE *out, const zvt_field_desc_t *field, const uint8_t *record)
{
    uint32_t count;
    memcpy(&count, record + field->count_offset, sizeof count);
    fprintf(out, "%" PRIu32, count);
}

static void s_print_e8(FILE *out, int64_t value_e8)
{
    char text[ZVT_FIXED_TEXT];
    zvt_fixed_format(value_e8, text);
    fputs(text, out);
}

static void s_print_id(FILE *out, const zvt_id_t *id)
{
    char text[FORMAT_SHORT_ID];
    format_short_id(id, text);
    fputs(text, out);
}

static void s_print_ns(FILE *out, int64_t utc_ns)
{
    char text[FORMAT_CLOCK];
    format_clock(utc_ns, text);
    fputs(text, out);
}

static void s_print_fields(FILE *out, const zvt_desc_t *desc, const uint8_t *record);

static void s_print_value(FILE *out, const zvt_field_desc_t *field, const uint8_t *record)
{
    const void *member = record + field->offset;
    switch (field->kind) {
    case ZVT_KIND_ID: s_print_id(out, member); break;
    case ZVT_KIND_STR: fputs(member, out); break;
    case ZVT_KIND_I64: fprintf(out, "%" PRId64, *(const int64_t *)member); break;
    case ZVT_KIND_U64: fprintf(out, "%" PRIu64, *(const uint64_t *)member); break;
    case ZVT_KIND_U32: fprintf(out, "%" PRIu32, *(const uint32_t *)member); break;
    case ZVT_KIND_BOOL: fputs(*(const bool *)member ? "yes" : "no", out); break;
    case ZVT_KIND_E8: s_print_e8(out, *(const int64_t *)member); break;
    case ZVT_KIND_NS: s_print_ns(out, *(const int64_t *)member); break;
    case ZVT_KIND_ENUM: fputs(zvt_enum_text(field->bound, *(const uint8_t *)member), out); break;
    case ZVT_KIND_REC: s_print_fields(out, field->part, member); break;
    case ZVT_KIND_LIST: s_print_count(out, field, record); break;
    }
}

/* Bytes of a field's own value in the struct; 0 where the first byte decides (texts). */
static const size_t s_value_size[] = {
    [ZVT_KIND_ID] = sizeof(zvt_id_t), [ZVT_KIND_STR] = 1,                [ZVT_KIND_I64] = sizeof(int64_t),
    [ZVT_KIND_U64] = sizeof(uint64_t), [ZVT_KIND_U32] = sizeof(uint32_t), [ZVT_KIND_BOOL] = sizeof(bool),
    [ZVT_KIND_E8] = sizeof(int64_t),  [ZVT_KIND_NS] = sizeof(int64_t),   [ZVT_KIND_ENUM] = 1,
};

/* Empty, zero, false or none: what an optional group is left out for. Parts and lists count as given. */
static bool s_is_empty(const zvt_field_desc_t *field, const uint8_t *record)
{
    static const uint8_t zeros[sizeof(zvt_id_t)];
    if (field->kind == ZVT_KIND_REC || field->kind == ZVT_KIND_LIST) return false;
    return memcmp(record + field->offset, zeros, s_value_size[field->kind]) == 0;
}

static void s_print_fields(FILE *out, const zvt_desc_t *desc, const uint8_t *record)
{
    for (uint32_t i = 0; i < desc->fields_count; i++) {
        fprintf(out, "%s%s=", i > 0 ? " " : "", desc->fields[i].name);
        s_print_value(out, &desc->fields[i], record);
    }
}

/* ---- templates ---- */

/* One "{..}" at `at` (behind the brace): prints it unless out is NULL; returns true if its field is empty. *end is set
 * behind the closing brace. A name the schema does not have is our own mistake, which the unit test finds. */
static bool s_hole(FILE *out, const zvt_desc_t *desc, const uint8_t *record, const char *at, const char **end)
{
    size_t length = strcspn(at, "?}");
    const zvt_field_desc_t *field = s_find(desc, at, length, &record);
    ZVT_ASSERT(field != NULL);
    bool empty = s_is_empty(field, record);
    const char *close = strchr(at, '}');
    ZVT_ASSERT(close != NULL);
    *end = close + 1;
    if (out == NULL) return empty;
    if (at[length] == '}') {
        s_print_value(out, field, record);
        return empty;
    }
    const char *yes = at + length + 1, *colon = strchr(yes, ':');
    ZVT_ASSERT(colon != NULL && colon < close);
    if (empty)
        fprintf(out, "%.*s", (int)(close - colon - 1), colon + 1);
    else
        fprintf(out, "%.*s", (int)(colon - yes), yes);
    return empty;
}

/* Prints from `at` up to one of the characters in `stop`; returns where it stopped. With out NULL it only looks, and
 * *empty becomes true if a field was empty. */
static const char *s_render(FILE *out, const zvt_desc_t *desc, const uint8_t *record, const char *at, char stop, bool *empty)
{
    while (*at != stop) {
        if (*at == '{') {
            if (s_hole(out, desc, record, at + 1, &at)) *empty = true;
        } else if (*at == '[') {
            bool left_out = false, ignored = false;
            const char *end = s_render(NULL, desc, record, at + 1, ']', &left_out);
            if (out != NULL && !left_out) s_render(out, desc, record, at + 1, ']', &ignored);
            at = end + 1;
        } else {
            if (out != NULL) putc(*at, out);
            at++;
        }
    }
    return at;
}

void summary_print(FILE *out, zvt_type_t type, const void *record)
{
    const zvt_desc_t *desc = zvt_desc(type);
    ZVT_ASSERT(desc != NULL);
    const char *template = summary_template(type);
    bool ignored = false;
    if (template != NULL)
        s_render(out, desc, record, template, '\0', &ignored);
    else
        s_print_fields(out, desc, record);
}

/* ---- what a record is about ---- */
const char *summary_symbol(zvt_type_t type, const void *record)
{
    static const char *const paths[] = {"symbol", "order_request.symbol"};
    const zvt_desc_t *desc = zvt_desc(type);
    if (desc == NULL) return NULL;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const uint8_t *at = record;
        const zvt_field_desc_t *field = s_find(desc, paths[i], strlen(paths[i]), &at);
        if (field != NULL && field->kind == ZVT_KIND_STR) return (const char *)at + field->offset;
    }
    return NULL;
}

bool summary_concerns_order(zvt_type_t type)
{
    const zvt_desc_t *desc = zvt_desc(type);
    if (desc == NULL || desc->class != ZVT_CLASS_LOGGED) return false;
    return s_field(desc, "order_id", strlen("order_id")) != NULL || type == ZVT_T_SAGA_DEAD_LETTERED;
}

/* ---- lines ---- */
static void s_print_head(FILE *out, int64_t at_ns, const char *seq, zvt_type_t type, const char *symbol, bool colour)
{
    char clock[FORMAT_CLOCK];
    format_clock(at_ns, clock);
    format_tone_t tone = summary_tone(type);
    fprintf(out, "%s%s%s %*s %s%-*s%s %-*s ", format_tone(FORMAT_QUIET, colour), clock, format_tone_end(FORMAT_QUIET, colour),
            FORMAT_SEQ_WIDTH, seq, format_tone(tone, colour), FORMAT_TYPE_WIDTH, zvt_type_name(type),
            format_tone_end(tone, colour), FORMAT_SYMBOL_WIDTH, symbol);
}

void summary_print_event(FILE *out, const zvt_event_t *event, const zvt_record_t *payload, const char *symbol, bool colour)
{
    char seq[24];
    snprintf(seq, sizeof seq, "%" PRIu64, event->seq);
    s_print_head(out, event->timestamp_ns, seq, event->type, symbol, colour);
    if (payload != NULL)
        summary_print(out, payload->type, &payload->hello);
    else
        fputs("(the payload cannot be read by this release)", out);
    putc('\n', out);
}

void summary_print_market(FILE *out, const zvt_record_t *record, int64_t received_ns, bool colour)
{
    const char *symbol = summary_symbol(record->type, &record->hello);
    s_print_head(out, received_ns, "-", record->type, symbol == NULL ? "" : symbol, colour);
    summary_print(out, record->type, &record->hello);
    putc('\n', out);
}

void summary_json_market(FILE *out, const zvt_record_t *record, const char *topic, int64_t received_ns)
{
    char time[ZVT_TIME_TEXT];
    zvt_time_format(received_ns, time);
    fprintf(out, "{\"seq\": null, \"event_type\": \"%s\", \"timestamp\": \"%s\", \"topic\": ",
            zvt_type_name(record->type), time);
    zvt_json_string(out, topic);
    fputs(", \"data\": ", out);
    zvt_json_record(out, record->type, &record->hello);
    fputs("}\n", out);
}
