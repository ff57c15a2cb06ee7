#include "saga.h"

#include <inttypes.h>

#include "format.h"
#include "replay.h"
#include "resolve.h"
#include "summary.h"
#include "zvt_json.h"
#include "zvt_time.h"

enum {
    INDENT = 2,       /* columns per cause */
    DEPTH_MAX = 14,   /* deeper chains stop moving to the right */
    NAME_COLUMN = INDENT * DEPTH_MAX + FORMAT_TYPE_WIDTH,
};

typedef struct {
    const char *id;
    bool json;
} saga_args_t;

#define AT(member) .offset = offsetof(saga_args_t, member)
static const arg_t s_saga_args[] = {
    {.name = "id", .argument = "ID", .kind = ARG_TEXT, .positional = true, .required = true, AT(id),
     .meaning = "order id or correlation id, or 8 or more of its first or last characters"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object"},
    {.name = NULL},
};
#undef AT

/* ---- printing ---- */

/* The order of a saga: the aggregate of its first event that belongs to one. */
static const zvt_id_t *s_order_id(const chain_core_t *chain)
{
    static const zvt_id_t none;
    for (size_t i = 0; i < chain_core_count(chain); i++)
        if (chain_core_at(chain, i)->event.type == ZVT_T_ORDER_REQUESTED) return &chain_core_at(chain, i)->event.aggregate_id;
    return &none;
}

/* Columns that the deepest event needs, so that all summaries begin below each other. */
static int s_name_width(const chain_core_t *chain)
{
    int width = 0;
    for (size_t i = 0; i < chain_core_count(chain); i++) {
        const chain_link_t *link = chain_core_at(chain, i);
        int depth = link->depth > DEPTH_MAX ? DEPTH_MAX : link->depth;
        int needed = depth * INDENT + (int)strlen(zvt_type_name(link->event.type));
        if (needed > width) width = needed;
    }
    return width > NAME_COLUMN ? NAME_COLUMN : width;
}

static void s_print_link(FILE *out, const chain_link_t *link, int width, bool colour)
{
    char since[ZVT_FIXED_TEXT], step[ZVT_FIXED_TEXT] = "";
    const char *quiet = format_tone(FORMAT_QUIET, colour), *quiet_end = format_tone_end(FORMAT_QUIET, colour);
    format_tone_t tone = summary_tone(link->event.type);
    int indent = INDENT * (link->depth > DEPTH_MAX ? DEPTH_MAX : link->depth);
    format_ms(link->since_start_ns, since);
    if (link->cause != CHAIN_NO_CAUSE) format_ms(link->step_ns, step);
    fprintf(out, "%s%*" PRIu64 " %10s %10s%s  %*s", quiet, FORMAT_SEQ_WIDTH, link->event.seq, since, step, quiet_end, indent, "");
    fprintf(out, "%s%-*s%s  ", format_tone(tone, colour), width - indent, zvt_type_name(link->event.type),
            format_tone_end(tone, colour));
    zvt_record_t record;
    if (zvt_read_payload(&link->event, &record) == 0)
        summary_print(out, record.type, &record.hello);
    else
        fputs("(the payload cannot be read by this release)", out);
    const char *bad = format_tone(FORMAT_BAD, colour), *bad_end = format_tone_end(FORMAT_BAD, colour);
    if (link->broken) fprintf(out, "  %s<- its cause is not in the saga%s", bad, bad_end);
    putc('\n', out);
}

static void s_print_head(FILE *out, const chain_core_t *chain, bool colour)
{
    const zvt_event_t *first = &chain_core_at(chain, 0)->event;
    char correlation[ZVT_ID_TEXT], order[ZVT_ID_TEXT], time[ZVT_TIME_TEXT];
    zvt_id_format(&first->correlation_id, correlation);
    zvt_id_format(s_order_id(chain), order);
    zvt_time_format(first->timestamp_ns, time);
    fprintf(out, "saga  %s\n", correlation);
    if (!zvt_id_is_none(s_order_id(chain))) fprintf(out, "order %s\n", order);
    fprintf(out, "began %s\n\n%s%*s %10s %10s%s\n", time, format_tone(FORMAT_QUIET, colour), FORMAT_SEQ_WIDTH, "seq", "ms",
            "step ms", format_tone_end(FORMAT_QUIET, colour));
}

void saga_print(FILE *out, const chain_core_t *chain, bool colour)
{
    if (chain_core_count(chain) == 0) return;
    char duration[ZVT_FIXED_TEXT];
    int width = s_name_width(chain);
    bool unbroken = chain_core_unbroken(chain);
    format_tone_t tone = unbroken ? FORMAT_GOOD : FORMAT_BAD;
    s_print_head(out, chain, colour);
    for (size_t i = 0; i < chain_core_count(chain); i++) s_print_link(out, chain_core_at(chain, i), width, colour);
    format_ms(chain_core_duration_ns(chain), duration);
    fprintf(out, "\n%zu events in %s ms; causation is %s%s%s\n", chain_core_count(chain), duration, format_tone(tone, colour),
            unbroken ? "unbroken" : "broken", format_tone_end(tone, colour));
}

/* The event's own object, with three members more. */
static void s_print_link_json(FILE *out, const chain_core_t *chain, const chain_link_t *link, uint32_t shard)
{
    char *text = NULL, since[ZVT_FIXED_TEXT], step[ZVT_FIXED_TEXT];
    size_t length = 0;
    FILE *object = open_memstream(&text, &length);
    ZVT_ASSERT(object != NULL);
    zvt_json_event(object, &link->event, shard);
    fclose(object);
    ZVT_ASSERT(length > 0 && text[length - 1] == '}');
    format_ms(link->since_start_ns, since);
    format_ms(link->step_ns, step);
    fwrite(text, 1, length - 1, out);
    free(text);
    if (link->cause == CHAIN_NO_CAUSE)
        fputs(", \"cause_seq\": null", out);
    else
        fprintf(out, ", \"cause_seq\": %" PRIu64, chain_core_at(chain, (size_t)link->cause)->event.seq);
    fprintf(out, ", \"since_start_ms\": \"%s\", \"step_ms\": \"%s\"}", since, step);
}

void saga_print_json(FILE *out, const chain_core_t *chain, uint32_t shard)
{
    if (chain_core_count(chain) == 0) return;
    char id[ZVT_ID_TEXT], duration[ZVT_FIXED_TEXT];
    zvt_id_format(&chain_core_at(chain, 0)->event.correlation_id, id);
    fprintf(out, "{\"correlation_id\": \"%s\", \"order_id\": ", id);
    zvt_id_format(s_order_id(chain), id);
    bool ordered = !zvt_id_is_none(s_order_id(chain));
    fprintf(out, "%s%s%s, \"events\": [", ordered ? "\"" : "", ordered ? id : "null", ordered ? "\"" : "");
    for (size_t i = 0; i < chain_core_count(chain); i++) {
        if (i > 0) fputs(",\n ", out);
        s_print_link_json(out, chain, chain_core_at(chain, i), shard);
    }
    format_ms(chain_core_duration_ns(chain), duration);
    fprintf(out, "], \"duration_ms\": \"%s\", \"unbroken\": %s}\n", duration, chain_core_unbroken(chain) ? "true" : "false");
}

/* ---- finding ---- */
static bool s_on_event(void *arg, const zvt_event_t *event)
{
    return chain_core_add(arg, event) == 0;
}

/* Fills the chain from whatever the person typed. Open and recent orders are known to the orchestrator; older ones
 * only to the log, where a correlation id is found at once and an order id by looking through it. */
static int s_fill(chain_core_t *chain, const char *text, uint64_t *first_seq, char problem[CLIENT_PROBLEM_SIZE])
{
    zvt_id_t id, correlation_id;
    zvt_order_row_t row;
    bool whole = zvt_id_parse(text, &id) == 0;
    int status = resolve_order(text, &row, problem);
    if (status == 0) return replay_saga(&row.correlation_id, s_on_event, chain, first_seq, problem);
    if (!whole || status == ZVT_ERR_EXISTS) return status;
    status = replay_saga(&id, s_on_event, chain, first_seq, problem);
    if (status != 0 || chain_core_count(chain) > 0) return status;
    status = replay_find_order(&id, &correlation_id, problem);
    return status != 0 ? status : replay_saga(&correlation_id, s_on_event, chain, first_seq, problem);
}

static int s_run_saga(const void *arg)
{
    const saga_args_t *args = arg;
    char problem[CLIENT_PROBLEM_SIZE];
    uint32_t shard = 0;
    if (args->json) {
        const zvt_fleet_t *fleet = command_fleet();
        if (fleet == NULL) return ZVT_EXIT_FAILED;
        shard = (uint32_t)fleet->shard;
    }
    chain_core_t *chain = chain_core_new();
    uint64_t first_seq = 1;
    int status = s_fill(chain, args->id, &first_seq, problem);
    int exit_code = status == ZVT_ERR_SYNTAX ? ZVT_EXIT_USAGE : ZVT_EXIT_FAILED;
    if (status != 0) {
        (void)command_fail("%s", problem);
    } else if (chain_core_count(chain) == 0 && first_seq > 1) {
        (void)command_fail("the log, which begins with seq %" PRIu64 ", holds no event of saga %s; if it is older, it is archived: see fleet archive --list",
                           first_seq, args->id);
    } else if (chain_core_count(chain) == 0) {
        (void)command_fail("the log holds no event of saga %s yet", args->id);
    } else {
        chain_core_link(chain);
        if (first_seq > 1 && chain_core_at(chain, 0)->event.aggregate_version > 1)
            fprintf(stderr, "the log begins with seq %" PRIu64 ": the beginning of this saga is archived, see fleet archive --list\n", first_seq);
        if (args->json)
            saga_print_json(stdout, chain, shard);
        else
            saga_print(stdout, chain, format_wants_colour(stdout));
        exit_code = ZVT_EXIT_OK;
    }
    chain_core_destroy(&chain);
    return exit_code;
}

const command_t command_saga = {.name = "saga", .summary = "Shows the causal chain of one order, with times.",
                                .args = s_saga_args, .size = sizeof(saga_args_t), .run = s_run_saga};
