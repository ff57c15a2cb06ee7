#include "capture_line.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "zvt_fixed.h"

typedef struct {
    capture_event_t *event;
    char *reason;
} reading_t;

ZVT_PRINTF(3, 4)
static int s_refuse(const reading_t *reading, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reading->reason, CAPTURE_REASON_SIZE, format, args);
    va_end(args);
    return status;
}

/* Reads decimal digits of a positive 63-bit number. */
static int s_parse_time(const char *text, size_t length, int64_t *value)
{
    int64_t sum = 0;
    if (length == 0) return ZVT_ERR_SYNTAX;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return ZVT_ERR_SYNTAX;
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, text[i] - '0', &sum)) return ZVT_ERR_RANGE;
    }
    *value = sum;
    return 0;
}

static int s_parse_amount(const char *text, size_t length, int64_t *value_e8)
{
    int status = zvt_fixed_parse(text, length, value_e8);
    return status == 0 && *value_e8 < 0 ? ZVT_ERR_RANGE : status;
}

/* ---- JSON ---- */
static int s_amount(const reading_t *reading, const json_t *object, const char *key, int64_t *value_e8)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value)) return s_refuse(reading, ZVT_ERR_TYPE, "'%s' is not a decimal in quotes", key);
    int status = s_parse_amount(json_string_value(value), json_string_length(value), value_e8);
    return status == 0 ? 0 : s_refuse(reading, status, "'%s' = \"%.40s\" is no amount", key, json_string_value(value));
}

static int s_id(const reading_t *reading, const json_t *object, const char *key, uint64_t *value)
{
    const json_t *number = json_object_get(object, key);
    if (!json_is_integer(number) || json_integer_value(number) <= 0)
        return s_refuse(reading, ZVT_ERR_TYPE, "'%s' is not a positive number", key);
    *value = (uint64_t)json_integer_value(number);
    return 0;
}

static int s_symbol(const reading_t *reading, const json_t *object)
{
    const json_t *symbol = json_object_get(object, "s");
    size_t length = json_string_length(symbol);
    if (!json_is_string(symbol) || length == 0 || length >= ZVT_SYMBOL_SIZE)
        return s_refuse(reading, ZVT_ERR_TYPE, "'s' is no symbol");
    ZVT_STR_SET(reading->event->symbol, json_string_value(symbol));
    return 0;
}

static int s_level(const reading_t *reading, const json_t *pair, zvt_level_t *level)
{
    const json_t *price = json_array_get(pair, 0), *quantity = json_array_get(pair, 1);
    if (!json_is_string(price) || !json_is_string(quantity))
        return s_refuse(reading, ZVT_ERR_TYPE, "a level is not [\"price\", \"quantity\"]");
    int status = s_parse_amount(json_string_value(price), json_string_length(price), &level->price_e8);
    if (status == 0) status = s_parse_amount(json_string_value(quantity), json_string_length(quantity), &level->quantity_e8);
    if (status != 0 || level->price_e8 == 0)
        return s_refuse(reading, ZVT_ERR_RANGE, "level [\"%.20s\", \"%.20s\"] is no level", json_string_value(price),
                        json_string_value(quantity));
    return 0;
}

static int s_levels(const reading_t *reading, const json_t *object, const char *key, int side)
{
    const json_t *list = json_object_get(object, key);
    size_t count = json_array_size(list);
    if (!json_is_array(list)) return s_refuse(reading, ZVT_ERR_TYPE, "'%s' is not a list of levels", key);
    if (count > CAPTURE_LEVELS_MAX)
        return s_refuse(reading, ZVT_ERR_RANGE, "'%s' has more than %d levels", key, CAPTURE_LEVELS_MAX);
    reading->event->counts[side] = (uint32_t)count;
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = s_level(reading, json_array_get(list, i), &reading->event->levels[side][i]);
    return status;
}

static int s_read_trade(const reading_t *reading, const json_t *data)
{
    capture_event_t *event = reading->event;
    const json_t *buyer_is_maker = json_object_get(data, "m");
    event->kind = CAPTURE_TRADE;
    if (!json_is_boolean(buyer_is_maker)) return s_refuse(reading, ZVT_ERR_TYPE, "'m' is not true or false");
    event->aggressor = json_is_true(buyer_is_maker) ? ZVT_SIDE_SELL : ZVT_SIDE_BUY;
    int status = s_symbol(reading, data);
    if (status == 0) status = s_amount(reading, data, "p", &event->trade.price_e8);
    if (status == 0) status = s_amount(reading, data, "q", &event->trade.quantity_e8);
    if (status == 0 && (event->trade.price_e8 == 0 || event->trade.quantity_e8 == 0))
        status = s_refuse(reading, ZVT_ERR_RANGE, "a trade of nothing");
    return status;
}

static int s_read_diff(const reading_t *reading, const json_t *data)
{
    reading->event->kind = CAPTURE_DIFF;
    int status = s_symbol(reading, data);
    if (status == 0) status = s_id(reading, data, "U", &reading->event->first_id);
    if (status == 0) status = s_id(reading, data, "u", &reading->event->last_id);
    if (status == 0 && reading->event->first_id > reading->event->last_id)
        status = s_refuse(reading, ZVT_ERR_RANGE, "U is above u");
    if (status == 0) status = s_levels(reading, data, "b", 0);
    if (status == 0) status = s_levels(reading, data, "a", 1);
    return status;
}

static int s_read_snapshot(const reading_t *reading, const json_t *data)
{
    reading->event->kind = CAPTURE_SNAPSHOT;
    int status = s_id(reading, data, "lastUpdateId", &reading->event->last_id);
    if (status == 0) status = s_levels(reading, data, "bids", 0);
    if (status == 0) status = s_levels(reading, data, "asks", 1);
    return status;
}

/* An empty side is price and quantity 0; half of that is a mistake. */
static int s_check_best(const reading_t *reading)
{
    for (int side = 0; side < 2; side++) {
        const zvt_level_t *best = &reading->event->best[side];
        if ((best->price_e8 == 0) != (best->quantity_e8 == 0))
            return s_refuse(reading, ZVT_ERR_RANGE, "%s has a price or a size without the other", side == 0 ? "bid" : "ask");
    }
    return 0;
}

static int s_read_ticker(const reading_t *reading, const json_t *data)
{
    capture_event_t *event = reading->event;
    event->kind = CAPTURE_QUOTE;
    int status = s_symbol(reading, data);
    if (status == 0) status = s_id(reading, data, "u", &event->last_id);
    if (status == 0) status = s_amount(reading, data, "b", &event->best[0].price_e8);
    if (status == 0) status = s_amount(reading, data, "B", &event->best[0].quantity_e8);
    if (status == 0) status = s_amount(reading, data, "a", &event->best[1].price_e8);
    if (status == 0) status = s_amount(reading, data, "A", &event->best[1].quantity_e8);
    return status != 0 ? status : s_check_best(reading);
}

/* Kinds of messages by their "e"; a snapshot and a bookTicker have none and are known by a key. */
static const struct {
    const char *event; /* value of "e"; NULL: none */
    const char *key;   /* must be there; NULL: no matter */
    int (*read)(const reading_t *reading, const json_t *data);
} s_messages[] = {
    {.event = "trade", .read = s_read_trade},
    {.event = "depthUpdate", .read = s_read_diff},
    {.event = "bookTicker", .read = s_read_ticker},
    {.key = "lastUpdateId", .read = s_read_snapshot},
    {.key = "B", .read = s_read_ticker},
};

static int s_read_message(const reading_t *reading, const json_t *root)
{
    const json_t *data = json_object_get(root, "data");
    if (data == NULL) data = root;
    if (!json_is_object(data)) return s_refuse(reading, ZVT_ERR_TYPE, "the JSON is no object");
    const char *event = json_string_value(json_object_get(data, "e"));
    for (size_t i = 0; i < sizeof s_messages / sizeof s_messages[0]; i++) {
        bool same_event = event == NULL ? s_messages[i].event == NULL
                                        : s_messages[i].event != NULL && strcmp(event, s_messages[i].event) == 0;
        if (same_event && (s_messages[i].key == NULL || json_object_get(data, s_messages[i].key) != NULL))
            return s_messages[i].read(reading, data);
    }
    reading->event->kind = CAPTURE_OTHER;
    return 0;
}

/* Everything but the level arrays, which their counts make empty. */
static void s_clear(capture_event_t *event)
{
    memset(event, 0, offsetof(capture_event_t, levels));
}

int capture_line_json(const char *line, size_t length, capture_event_t *event, char reason[CAPTURE_REASON_SIZE])
{
    reading_t reading = {.event = event, .reason = reason};
    reason[0] = '\0';
    s_clear(event);
    const char *space = memchr(line, ' ', length);
    size_t time_length = space == NULL ? length : (size_t)(space - line);
    if (space == NULL || s_parse_time(line, time_length, &event->received_ns) != 0)
        return s_refuse(&reading, ZVT_ERR_SYNTAX, "does not begin with nanoseconds and a blank");
    json_error_t error;
    json_t *root = json_loadb(space + 1, length - time_length - 1, 0, &error);
    if (root == NULL) return s_refuse(&reading, ZVT_ERR_SYNTAX, "no JSON: %.80s", error.text);
    int status = s_read_message(&reading, root);
    json_decref(root);
    return status;
}

/* ---- CSV ---- */
enum { CSV_TIME, CSV_SYMBOL, CSV_BID, CSV_BID_SIZE, CSV_ASK, CSV_ASK_SIZE, CSV_FIELDS };

typedef struct {
    const char *text;
    size_t length;
} csv_field_t;

static size_t s_split(const char *line, size_t length, csv_field_t fields[CSV_FIELDS])
{
    size_t count = 0;
    const char *end = line + length;
    while (count < CSV_FIELDS) {
        const char *comma = memchr(line, ',', (size_t)(end - line));
        const char *stop = comma == NULL ? end : comma;
        fields[count++] = (csv_field_t){.text = line, .length = (size_t)(stop - line)};
        if (comma == NULL) return count;
        line = comma + 1;
    }
    return count + 1; /* something stands behind the last comma */
}

int capture_line_csv(const char *line, size_t length, capture_event_t *event, char reason[CAPTURE_REASON_SIZE])
{
    reading_t reading = {.event = event, .reason = reason};
    csv_field_t fields[CSV_FIELDS];
    reason[0] = '\0';
    s_clear(event);
    event->kind = CAPTURE_QUOTE;
    if (length > 0 && line[length - 1] == '\r') length--;
    if (s_split(line, length, fields) != CSV_FIELDS)
        return s_refuse(&reading, ZVT_ERR_SYNTAX, "needs the %d fields " CAPTURE_CSV_HEADER, CSV_FIELDS);
    if (s_parse_time(fields[CSV_TIME].text, fields[CSV_TIME].length, &event->received_ns) != 0)
        return s_refuse(&reading, ZVT_ERR_SYNTAX, "ts_ns is no time in nanoseconds");
    size_t symbol_length = fields[CSV_SYMBOL].length;
    if (symbol_length == 0 || symbol_length >= ZVT_SYMBOL_SIZE || memchr(fields[CSV_SYMBOL].text, 0, symbol_length) != NULL)
        return s_refuse(&reading, ZVT_ERR_SYNTAX, "symbol is empty or too long");
    memcpy(event->symbol, fields[CSV_SYMBOL].text, symbol_length);
    int64_t *const targets[] = {&event->best[0].price_e8, &event->best[0].quantity_e8, &event->best[1].price_e8,
                                &event->best[1].quantity_e8};
    for (int i = 0; i < 4; i++)
        if (s_parse_amount(fields[CSV_BID + i].text, fields[CSV_BID + i].length, targets[i]) != 0)
            return s_refuse(&reading, ZVT_ERR_SYNTAX, "field %d is no amount", CSV_BID + i + 1);
    return s_check_best(&reading);
}
