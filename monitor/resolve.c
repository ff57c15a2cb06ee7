#include "resolve.h"

#include <strings.h>

#include "command.h"

int resolve_check(const char *text, char problem[CLIENT_PROBLEM_SIZE])
{
    size_t length = strlen(text);
    bool digits = strspn(text, "0123456789abcdefABCDEF-") == length;
    if (digits && length >= RESOLVE_CHARACTERS_MIN && length < ZVT_ID_TEXT) return 0;
    snprintf(problem, CLIENT_PROBLEM_SIZE,
             "'%.64s' is not an id: give an order id or correlation id, or at least its first or last %d characters", text,
             RESOLVE_CHARACTERS_MIN);
    return ZVT_ERR_SYNTAX;
}

static bool s_matches(const zvt_id_t *id, const char *text)
{
    char full[ZVT_ID_TEXT];
    zvt_id_format(id, full);
    size_t length = strlen(text), whole = strlen(full);
    if (zvt_id_is_none(id) || length > whole) return false;
    return strncasecmp(full, text, length) == 0 || strcasecmp(full + whole - length, text) == 0;
}

int resolve_among(const rows_t *rows, const char *text, zvt_order_row_t *row, char problem[CLIENT_PROBLEM_SIZE])
{
    zvt_id_t id;
    char canonical[ZVT_ID_TEXT];
    /* 32 digits without dashes are an id too. */
    if (zvt_id_parse(text, &id) == 0) {
        zvt_id_format(&id, canonical);
        text = canonical;
    }
    size_t matches = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const zvt_order_row_t *candidate = rows_at(rows, i);
        if (!s_matches(&candidate->order_id, text) && !s_matches(&candidate->correlation_id, text)) continue;
        if (matches == 0) *row = *candidate;
        matches++;
    }
    if (matches == 1) return 0;
    if (matches == 0)
        snprintf(problem, CLIENT_PROBLEM_SIZE, "no open or recent order has the id %s; see: %.64s orders", text,
                 command_program());
    else
        snprintf(problem, CLIENT_PROBLEM_SIZE, "%s fits %zu orders; give more characters of the id", text, matches);
    return matches == 0 ? ZVT_ERR_NOT_FOUND : ZVT_ERR_EXISTS;
}

int resolve_order(const char *text, zvt_order_row_t *row, char problem[CLIENT_PROBLEM_SIZE])
{
    int status = resolve_check(text, problem);
    if (status != 0) return status;
    zvt_orders_query_t query = {.open_only = false};
    /* A part of an id is looked for among all recent orders. */
    if (zvt_id_parse(text, &query.order_id) != 0) query.order_id = (zvt_id_t){.bytes = {0}};
    rows_t rows = rows_of(ZVT_T_ORDER_ROW);
    client_ask_t ask = command_ask_orchestrator(ZVT_T_ORDERS_QUERY, &query, rows_on_record, &rows);
    ask.repeatable = true;
    if (client_ask(&ask, 1, CLIENT_TIMEOUT_MS) == 1) {
        status = resolve_among(&rows, text, row, problem);
    } else {
        snprintf(problem, CLIENT_PROBLEM_SIZE, "%s", ask.problem);
        status = ZVT_ERR_IO;
    }
    rows_destroy(&rows);
    return status;
}
