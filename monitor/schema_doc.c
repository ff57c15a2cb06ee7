#include "schema_doc.h"

#include <inttypes.h>
#include <string.h>

#include "zvt_codec.h"
#include "zvt_json.h"

/* ---- what the schema table does not say itself ---- */
static const struct {
    const char *name, *wire, *json;
} s_kinds[] = {
    [ZVT_KIND_ID] = {"id", "bin of 16 bytes: a UUID, big-endian; all zero is none", "UUID text, `null` for none"},
    [ZVT_KIND_STR] = {"str", "str, UTF-8 without control characters, up to the size shown", "string"},
    [ZVT_KIND_I64] = {"i64", "integer", "number"},
    [ZVT_KIND_U64] = {"u64", "integer, not negative", "number"},
    [ZVT_KIND_U32] = {"u32", "integer, 0 to 4294967295", "number"},
    [ZVT_KIND_BOOL] = {"bool", "true or false", "`true`, `false`"},
    [ZVT_KIND_E8] = {"e8", "integer: the value times 100,000,000", "decimal string, such as `\"0.1\"`"},
    [ZVT_KIND_NS] = {"ns", "integer: UTC nanoseconds since 1970; 0 is none", "ISO 8601 with microseconds, `null` for none"},
    [ZVT_KIND_ENUM] = {"enum", "integer, 0 to 255: an id of the enumeration; 0 is not given", "its text, `\"\"` for 0"},
    [ZVT_KIND_REC] = {"part", "array of the part's fields", "object"},
    [ZVT_KIND_LIST] = {"list", "array of parts, each an array of its fields", "array of objects"},
};

static const struct {
    const char *socket, *binds, *pattern, *connects, *carries;
} s_sockets[] = {
    {"request", "orchestrator", "ROUTER", "clients",
     "place.request, cancel.request, halt.request, barrier.request, orders.query and their answers"},
    {"signals", "orchestrator", "PULL", "strategies", "signal, signal.cancel; acknowledged on topic `ack.SENDER` of events"},
    {"events", "orchestrator", "PUB", "everyone", "committed events and acknowledgements, see the topics below"},
    {"replay", "replayer", "ROUTER", "followers, clients",
     "replay.request, answered by one frame: log.batch, then its events; replay.range, answered by as many as it takes; base.request, answered by log.base"},
    {"risk", "risk", "ROUTER", "orchestrator", "risk.check, risk.verdict, risk.release"},
    {"execute", "executor", "ROUTER", "orchestrator",
     "route.request, route.reply, order.send, order.cancel, order.query, reports.since and their answers, report"},
    {"order-entry.VENUE", "gateway", "ROUTER", "executor, clients",
     "order.send, order.cancel, order.query, reports.since; quotes.query and balances.query of clients"},
    {"market.VENUE", "gateway", "PUB", "everyone", "market data, see the topics below; lossy, numbered per venue and symbol"},
    {"venue.VENUE", "venue", "ROUTER", "gateway", "the paper exchange's order entry: the same messages as order-entry.VENUE"},
    {"feed.VENUE", "venue", "PUB", "gateway", "the paper exchange's market data"},
    {"portfolio", "portfolio", "ROUTER", "orchestrator, clients", "fill.apply, fill.applied; positions.query of clients"},
    {"control.PROCESS", "every process", "ROUTER", "clients", "control.request, control.reply"},
};

static const struct {
    const char *socket, *topic, *carries;
} s_topics[] = {
    {"events", "log.SHARD",
     "one log.batch record followed by its events; log.tip as a heartbeat, hello in its place while the log is away. Followers read this; no other topic is complete"},
    {"events", "event.TYPE, such as event.order.executed", "one event, for viewers that may miss one"},
    {"events", "ack.SENDER", "signal.ack for the strategy of that name"},
    {"market.VENUE", "quote.VENUE.SYMBOL", "price.updated"},
    {"market.VENUE", "trade.VENUE.SYMBOL", "trade.tick"},
    {"market.VENUE", "book.VENUE.SYMBOL", "orderbook.updated"},
    {"market.VENUE", "status.VENUE", "market.status"},
};

static const struct {
    const char *name, *kind, *meaning;
} s_header[] = {
    {"seq", "u64", "place in the shard's log, from 1, without gaps"},
    {"event_id", "id", "UUIDv7 of the event"},
    {"type", "u8", "type id of the payload"},
    {"version", "u32", "version of the payload's schema"},
    {"timestamp", "ns", "when the orchestrator made it"},
    {"correlation_id", "id", "the saga"},
    {"causation_id", "id", "the event or message that caused it"},
    {"aggregate_id", "id", "the order, position or system it belongs to"},
    {"aggregate_version", "u32", "1, 2, 3 .. within the aggregate"},
    {"metadata", "part", "see the part metadata"},
    {"payload", "array", "the fields of the payload, without its type id"},
};

static const char *const s_class_names[] = {
    [ZVT_CLASS_LOGGED] = "logged", [ZVT_CLASS_NOTICE] = "notice",   [ZVT_CLASS_MARKET] = "market",
    [ZVT_CLASS_MESSAGE] = "message", [ZVT_CLASS_STATE] = "state",   [ZVT_CLASS_PART] = "part",
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

const char *schema_doc_kind_name(zvt_kind_t kind)
{
    return s_kinds[kind].name;
}

/* ---- markdown ---- */

/* A bar would end the cell. */
static void s_cell(FILE *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '|') putc('\\', out);
        putc(*c, out);
    }
}

/* A link to the heading of that name; Markdown's anchors leave the dots out. */
static void s_link(FILE *out, const char *name)
{
    fprintf(out, "[%s](#", name);
    for (const char *c = name; *c != '\0'; c++)
        if (*c != '.') putc(*c, out);
    putc(')', out);
}

static void s_markdown_kind(FILE *out, const zvt_field_desc_t *field)
{
    const char *name = schema_doc_kind_name(field->kind);
    switch (field->kind) {
    case ZVT_KIND_STR: fprintf(out, "%s, %" PRIu32 " bytes", name, field->bound - 1); break;
    case ZVT_KIND_ENUM:
        fprintf(out, "%s ", name);
        s_link(out, zvt_enum_desc(field->bound)->name);
        break;
    case ZVT_KIND_REC:
        fprintf(out, "%s ", name);
        s_link(out, field->part->name);
        break;
    case ZVT_KIND_LIST:
        fprintf(out, "%s of up to %" PRIu32 " ", name, field->bound);
        s_link(out, field->part->name);
        break;
    default: fputs(name, out);
    }
}

static void s_markdown_record(FILE *out, const zvt_desc_t *desc)
{
    fprintf(out, "### %s\n\n", desc->name);
    if (desc->class == ZVT_CLASS_PART)
        fprintf(out, "Part (number %d in the schema tables, never sent alone): %s.\n\n", (int)desc->type, desc->meaning);
    else
        fprintf(out, "Type %d, version %" PRIu32 ", from %s: %s.\n\n", (int)desc->type, desc->version, desc->emitter,
                desc->meaning);
    fputs("| # | field | kind | unit | meaning |\n|---|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < desc->fields_count; i++) {
        const zvt_field_desc_t *field = &desc->fields[i];
        fprintf(out, "| %" PRIu32 " | %s | ", i + 1, field->name);
        s_markdown_kind(out, field);
        fprintf(out, " | %s | ", field->unit);
        s_cell(out, field->meaning);
        if (desc->class != ZVT_CLASS_PART && i >= zvt_fields_required(desc)) fputs(" *(appended: may be missing)*", out);
        fputs(" |\n", out);
    }
    putc('\n', out);
}

static void s_markdown_class(FILE *out, zvt_class_t class, const char *title, const char *text)
{
    fprintf(out, "## %s\n\n%s\n\n", title, text);
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++)
        if (zvt_desc(type) != NULL && zvt_desc(type)->class == class) s_markdown_record(out, zvt_desc(type));
}

/* A hello as bytes, so that an implementation in another language has something to compare with. */
static void s_markdown_example(FILE *out)
{
    uint8_t bytes[128];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    zvt_hello_t hello = {.role = ZVT_ROLE_STRATEGY, .name = "example", .incarnation = 1, .epoch = 0, .cursor = 1000};
    ZVT_ASSERT(zvt_pack(&buf, ZVT_T_HELLO, &hello) == 0);
    fputs("For example, this hello\n\n```\n", out);
    zvt_json_record(out, ZVT_T_HELLO, &hello);
    fputs("\n```\n\nis these bytes\n\n```\n", out);
    for (size_t i = 0; i < buf.length; i++) fprintf(out, "%s%02x", i > 0 ? " " : "", bytes[i]);
    fputs("\n```\n\n", out);
}

static void s_markdown_introduction(FILE *out)
{
    fputs("# Wire protocol\n\n"
          "This page is generated from the schema table in `common/schema/`; do not edit it. Renew it with\n"
          "`zvt-monitor schema --markdown > docs/wire.md`. A test fails when it is stale.\n\n"
          "## Frames and records\n\n"
          "Everything travels over ZeroMQ, local processes at `ipc://$ZVT_RUNTIME/SOCKET`. A message is one frame, and the frame\n"
          "holds any number of *records*, one after another. PUB sockets put a frame with the topic before it; a REQ socket's empty\n"
          "delimiter frame is understood by every ROUTER, so plain REQ clients and pipelined DEALERs are served alike. A frame has at\n"
          "most 4 MiB.\n\n"
          "A record is the msgpack array `[type id, field, field, ..]` with the fields in the order of the tables below. Fields are\n"
          "only ever appended: a reader skips fields it does not know at the end of a record, and refuses a record with too few.\n"
          "Those marked as appended may be missing, as in logs and from clients of before; they are 0, or empty, then.\n"
          "Type ids and ids of enumerations are frozen.\n\n",
          out);
    s_markdown_example(out);
    fputs("What does not decode is dropped, counted as `malformed`, and answered by a ROUTER with an `error` record. An answer of\n"
          "several rows ends with `list.end`. A DEALER says `hello` when it connects and every 250 ms, and takes 500 ms without an\n"
          "answer as silence; plain clients need not.\n\n"
          "## Events\n\nAn event is the msgpack array of these values. Events follow a `log.batch` record in the same frame.\n\n"
          "| # | name | kind | meaning |\n|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < COUNT(s_header); i++)
        fprintf(out, "| %zu | %s | %s | %s |\n", i + 1, s_header[i].name, s_header[i].kind, s_header[i].meaning);
    fputs("\n## Kinds\n\nJSON is what `tail --json` and the view `event_store` show.\n\n"
          "| kind | msgpack | JSON |\n|---|---|---|\n",
          out);
    for (size_t i = 0; i < COUNT(s_kinds); i++)
        fprintf(out, "| %s | %s | %s |\n", s_kinds[i].name, s_kinds[i].wire, s_kinds[i].json);
}

static void s_markdown_sockets(FILE *out)
{
    fputs("\n## Sockets\n\n| socket | bound by | type | connected by | carries |\n|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < COUNT(s_sockets); i++)
        fprintf(out, "| `%s` | %s | %s | %s | %s |\n", s_sockets[i].socket, s_sockets[i].binds, s_sockets[i].pattern,
                s_sockets[i].connects, s_sockets[i].carries);
    fputs("\n## Topics\n\nA topic is a prefix filter: subscribe to `quote.` for the quotes of every symbol. Mind that `log.1` also\n"
          "lets `log.10` through, and `ack.maker` the answers to `maker2`; the shard and the incarnation in the record tell.\n\n| socket | topic | carries |\n|---|---|---|\n",
          out);
    for (size_t i = 0; i < COUNT(s_topics); i++)
        fprintf(out, "| `%s` | `%s` | %s |\n", s_topics[i].socket, s_topics[i].topic, s_topics[i].carries);
}

static void s_markdown_guide(FILE *out)
{
    fputs("\n## A strategy in any language\n\n"
          "1. SUB to `market.VENUE` of the venues of interest, with topics such as `quote.VENUE.SYMBOL`.\n"
          "2. SUB to `events` with the topic `ack.NAME`, where NAME is the process's own name, then PUSH a `signal` to `signals`:\n"
          "   a new UUID as signal_id, the start time in nanoseconds as incarnation, and sender_seq 1, 2, 3 ..\n"
          "3. Send the same signal again, unchanged, until its `signal.ack` has come or it has expired. Duplicates do no harm: each\n"
          "   is acknowledged again, and only the first makes an order. An ack with a code other than OK or DUPLICATE is a refusal.\n"
          "   What a crash could still take back gets none yet, such as the cancel of an order whose end is not in the log.\n"
          "   One of them says that the run is over: `STALE` with a known_run, because the clock was set back since the run before.\n"
          "   Begin a new run at once, an incarnation above known_run with sender_seq from 1. Give the refused signal a name in it\n"
          "   only if the ack says `untaken`: else a copy may have been taken. Keep its signal_id. A cancel may always go again.\n"
          "4. To see what became of the orders, SUB to `events` with the topic `log.SHARD` and pick out the order ids of the acks.\n"
          "   A gap between one batch's last_seq and the next one's first_seq is fetched from `replay` with `replay.request`.\n",
          out);
}

/* What a client may rely on when it has to send something again. */
static void s_markdown_twice(FILE *out)
{
    fputs("\n## The same request twice\n\n"
          "A client that got no answer sends the same bytes again: the same request_id *and the same created_at*, the UTC time in\n"
          "nanoseconds at which it first made the request. That is one order, however late a copy arrives:\n\n"
          "- While the order is remembered (all that are open, and the last 32,768 that have ended) a copy gets its outcome.\n"
          "- Of what is forgotten the latest created_at is kept for ever, the *horizon*. An unknown id whose created_at is not after\n"
          "  the horizon cannot be told from a copy, and is refused with `STALE`: look for the order in the log\n"
          "  (`fleet tail --from 1`, or SQL on `event_store`). Nothing compares it with a clock of ours, so clocks may jump.\n"
          "- A request of today with a fresh id can be refused for that reason after the client's clock was set back, until the\n"
          "  clock has passed the horizon. A created_at more than two seconds ahead of both our clock and the horizon is `MALFORMED`.\n"
          "- Without created_at (0, or the field missing) an id is a guard only while its order is remembered: 32,768 ended orders\n"
          "  are 3.3 seconds at 10,000 orders a second. A copy that comes later is a second order.\n\n"
          "`cancel.request` needs none of this: an order is canceled once, however often it is asked. `adjust.request` and\n"
          "`resolve.request` with a request_id are done once: a copy is answered with the seq of what was done, as long as the id is\n"
          "among the last 1,024.\n",
          out);
}

static void s_markdown_emitters(FILE *out)
{
    fputs("\n## Who emits what, and what is logged\n\n"
          "The orchestrator writes every logged event, also where another process decided it (risk a rejection, a venue a fill,\n"
          "portfolio a position), because the log has one writer.\n\n"
          "| event | type | emitted by | logged | meaning |\n|---|---|---|---|---|\n",
          out);
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) {
        const zvt_desc_t *desc = zvt_desc(type);
        if (desc == NULL || desc->class == ZVT_CLASS_MESSAGE || desc->class >= ZVT_CLASS_STATE) continue;
        fputs("| ", out);
        s_link(out, desc->name);
        fprintf(out, " | %u | %s | %s | %s |\n", type, desc->emitter, desc->class == ZVT_CLASS_LOGGED ? "yes" : "no",
                desc->meaning);
    }
    putc('\n', out);
}

static void s_markdown_enumerations(FILE *out)
{
    fputs("## Enumerations\n\nThe texts are stable, and scripts may match on them; 0 means not given.\n\n", out);
    for (unsigned e = 0; e < ZVT_ENUM_COUNT; e++) {
        const zvt_enum_desc_t *desc = zvt_enum_desc(e);
        fprintf(out, "### %s\n\n| id | text | meaning |\n|---|---|---|\n", desc->name);
        for (size_t i = 0; i < desc->rows_count; i++) {
            fprintf(out, "| %u | %s | ", desc->rows[i].id, desc->rows[i].text);
            s_cell(out, desc->rows[i].meaning);
            fputs(" |\n", out);
        }
        if (e + 1 < ZVT_ENUM_COUNT) putc('\n', out);
    }
}

void schema_doc_markdown(FILE *out)
{
    s_markdown_introduction(out);
    s_markdown_sockets(out);
    s_markdown_guide(out);
    s_markdown_twice(out);
    s_markdown_emitters(out);
    s_markdown_class(out, ZVT_CLASS_LOGGED, "Logged events", "Payloads of the events in the log.");
    s_markdown_class(out, ZVT_CLASS_MARKET, "Market data", "Records on the market sockets. They are not in the log.");
    s_markdown_class(out, ZVT_CLASS_MESSAGE, "Messages", "Records between processes, and between clients and processes.");
    s_markdown_class(out, ZVT_CLASS_STATE, "Saved state", "Records of a checkpoint in the database. They are on no socket.");
    s_markdown_class(out, ZVT_CLASS_PART, "Parts", "Arrays that stand inside records.");
    s_markdown_enumerations(out);
}

/* ---- SQL ---- */
static void s_literal(FILE *out, const char *text)
{
    putc('\'', out);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'') putc('\'', out);
        putc(*c, out);
    }
    putc('\'', out);
}

static void s_sql_field(FILE *out, const zvt_desc_t *desc, uint32_t at)
{
    const zvt_field_desc_t *field = &desc->fields[at];
    fprintf(out, "(%d, ", (int)desc->type);
    s_literal(out, desc->name);
    fprintf(out, ", %" PRIu32 ", ", at + 1);
    s_literal(out, field->name);
    fputs(", ", out);
    s_literal(out, schema_doc_kind_name(field->kind));
    fputs(", ", out);
    if (field->kind == ZVT_KIND_ENUM)
        s_literal(out, zvt_enum_desc(field->bound)->name);
    else
        fputs("NULL", out);
    if (field->part != NULL)
        fprintf(out, ", %d, ", (int)field->part->type);
    else
        fputs(", NULL, ", out);
    s_literal(out, field->unit);
    fputs(", ", out);
    s_literal(out, field->meaning);
    putc(')', out);
}

static void s_sql_enums(FILE *out)
{
    bool first = true;
    fputs("INSERT INTO enum_schema (enumeration, id, text, meaning) VALUES\n", out);
    for (unsigned e = 0; e < ZVT_ENUM_COUNT; e++) {
        const zvt_enum_desc_t *desc = zvt_enum_desc(e);
        for (size_t i = 0; i < desc->rows_count; i++) {
            fputs(first ? "(" : ",\n(", out);
            first = false;
            s_literal(out, desc->name);
            fprintf(out, ", %u, ", desc->rows[i].id);
            s_literal(out, desc->rows[i].text);
            fputs(", ", out);
            s_literal(out, desc->rows[i].meaning);
            putc(')', out);
        }
    }
    fputs("\nON CONFLICT (enumeration, id) DO UPDATE SET text = EXCLUDED.text, meaning = EXCLUDED.meaning;\n", out);
}

void schema_doc_sql(FILE *out)
{
    bool first = true;
    fputs("-- Generated by 'zvt-monitor schema --sql' for the tables of run/sql/05_schema_tables.sql.\n"
          "INSERT INTO event_schema (type, event_type, position, name, kind, enumeration, part, unit, meaning) VALUES\n",
          out);
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) {
        const zvt_desc_t *desc = zvt_desc(type);
        for (uint32_t i = 0; desc != NULL && i < desc->fields_count; i++) {
            if (!first) fputs(",\n", out);
            first = false;
            s_sql_field(out, desc, i);
        }
    }
    fputs("\nON CONFLICT (type, position) DO UPDATE SET event_type = EXCLUDED.event_type, name = EXCLUDED.name,\n"
          "    kind = EXCLUDED.kind, enumeration = EXCLUDED.enumeration, part = EXCLUDED.part, unit = EXCLUDED.unit,\n"
          "    meaning = EXCLUDED.meaning;\n",
          out);
    s_sql_enums(out);
}

/* ---- JSON ---- */
static void s_json_field(FILE *out, const zvt_field_desc_t *field)
{
    fprintf(out, "{\"name\": \"%s\", \"kind\": \"%s\"", field->name, schema_doc_kind_name(field->kind));
    if (field->kind == ZVT_KIND_STR) fprintf(out, ", \"bytes\": %" PRIu32, field->bound - 1);
    if (field->kind == ZVT_KIND_LIST) fprintf(out, ", \"max\": %" PRIu32, field->bound);
    if (field->kind == ZVT_KIND_ENUM) fprintf(out, ", \"enumeration\": \"%s\"", zvt_enum_desc(field->bound)->name);
    if (field->part != NULL) fprintf(out, ", \"part\": \"%s\"", field->part->name);
    fputs(", \"unit\": ", out);
    zvt_json_string(out, field->unit);
    fputs(", \"meaning\": ", out);
    zvt_json_string(out, field->meaning);
    putc('}', out);
}

static void s_json_record(FILE *out, const zvt_desc_t *desc)
{
    fprintf(out, "{\"type\": %d, \"name\": \"%s\", \"class\": \"%s\", \"version\": %" PRIu32 ", \"emitter\": ",
            (int)desc->type, desc->name, s_class_names[desc->class], desc->version);
    zvt_json_string(out, desc->emitter);
    fputs(", \"meaning\": ", out);
    zvt_json_string(out, desc->meaning);
    fputs(", \"fields\": [", out);
    for (uint32_t i = 0; i < desc->fields_count; i++) {
        if (i > 0) fputs(", ", out);
        s_json_field(out, &desc->fields[i]);
    }
    fputs("]}", out);
}

static void s_json_enumeration(FILE *out, const zvt_enum_desc_t *desc)
{
    fprintf(out, "{\"name\": \"%s\", \"values\": [", desc->name);
    for (size_t i = 0; i < desc->rows_count; i++) {
        fprintf(out, "%s{\"id\": %u, \"text\": ", i > 0 ? ", " : "", desc->rows[i].id);
        zvt_json_string(out, desc->rows[i].text);
        fputs(", \"meaning\": ", out);
        zvt_json_string(out, desc->rows[i].meaning);
        putc('}', out);
    }
    fputs("]}", out);
}

void schema_doc_json(FILE *out)
{
    bool first = true;
    fputs("{\"records\": [\n", out);
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) {
        if (zvt_desc(type) == NULL) continue;
        if (!first) fputs(",\n", out);
        first = false;
        s_json_record(out, zvt_desc(type));
    }
    fputs("\n], \"enumerations\": [\n", out);
    for (unsigned e = 0; e < ZVT_ENUM_COUNT; e++) {
        if (e > 0) fputs(",\n", out);
        s_json_enumeration(out, zvt_enum_desc(e));
    }
    fputs("\n]}\n", out);
}
