/* tail -- live events from any point of the log on, and market data beside them. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "command.h"
#include "format.h"
#include "replay.h"
#include "resolve.h"
#include "summary.h"
#include "tail_core.h"
#include "zvt_diag.h"
#include "zvt_follower.h"
#include "zvt_json.h"
#include "zvt_subscriber.h"
#include "zvt_time.h"

enum { OUT_SIZE = 64 << 10 }; /* bytes of output that may wait for the end of a round */
#define WATCH_PERIOD_NS (200 * ZVT_MS_NS)
#define PATIENCE_NS (2 * ZVT_SECOND_NS) /* before a wait for history is explained */

typedef struct {
    arg_texts_t types;
    const char *correlation, *symbol;
    arg_u64_t since, count;
    bool json, market;
} tail_args_t;

#define AT(member) .offset = offsetof(tail_args_t, member)
static const arg_t s_tail_args[] = {
    {.name = "type", .argument = "PREFIX", .kind = ARG_TEXTS, AT(types),
     .meaning = "only types that begin so, such as order. or risk.halted"},
    {.name = "correlation", .argument = "ID", .kind = ARG_TEXT, AT(correlation),
     .meaning = "only this saga; an order id will do"},
    {.name = "symbol", .argument = "SYMBOL", .kind = ARG_TEXT, .bound = ZVT_SYMBOL_SIZE, AT(symbol),
     .meaning = "only what concerns this instrument"},
    {.name = "since", .argument = "SEQ", .kind = ARG_U64, AT(since),
     .meaning = "begin with this event of the past; default: what comes next"},
    {.name = "count", .argument = "N", .kind = ARG_U64, AT(count), .meaning = "end after so many lines"},
    {.name = "market", .kind = ARG_FLAG, AT(market), .meaning = "market data of every venue too"},
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "one JSON object a line"},
    {.name = NULL},
};
#undef AT

typedef struct {
    const tail_args_t *args;
    uint32_t shard;
    bool colour;
    zvt_hello_t identity;
    zvt_loop_t *loop;
    zvt_follower_t *follower;
    zvt_subscriber_t *markets[ZVT_VENUES_MAX];
    tail_core_t *core;
    int signals_fd;
    uint64_t printed;
    uint64_t seen;      /* events, shown or not */
    int64_t began_ns;   /* monotonic */
    bool explained;     /* the wait for history was explained */
    bool broken;        /* the output cannot be written any more */
    bool done;
    int exit_code;
} tail_t;

static void s_stop(tail_t *self, int exit_code)
{
    if (!self->done) self->exit_code = exit_code;
    self->done = true;
    zvt_loop_stop(self->loop);
}

/* A reader that went away ends the tail without a word, as it does `cat`. */
static void s_flush(tail_t *self)
{
    if (self->broken || fflush(stdout) == 0) return;
    bool reader_gone = errno == EPIPE;
    if (!reader_gone) (void)command_fail("cannot write: %s", strerror(errno));
    self->broken = true;
    self->done = false; /* this outcome stands above that of a full count */
    s_stop(self, reader_gone ? ZVT_EXIT_OK : ZVT_EXIT_FAILED);
}

static void s_printed(tail_t *self)
{
    self->printed++;
    if (self->args->count.given && self->printed >= self->args->count.value) s_stop(self, ZVT_EXIT_OK);
}

/* ---- events ---- */
static bool s_on_requested(void *arg, const zvt_event_t *event)
{
    zvt_record_t record;
    if (event->type != ZVT_T_ORDER_REQUESTED || zvt_read_payload(event, &record) != 0) return true;
    snprintf(arg, ZVT_SYMBOL_SIZE, "%s", record.order_requested.order_request.symbol);
    return false;
}

/* The instrument of a saga that began before the tail did. Asked once per saga, because the answer is remembered. */
static const char *s_symbol_from_history(tail_t *self, const zvt_event_t *event)
{
    char symbol[ZVT_SYMBOL_SIZE] = "", problem[CLIENT_PROBLEM_SIZE];
    uint64_t first_seq;
    if (replay_saga(&event->correlation_id, s_on_requested, symbol, &first_seq, problem) != 0)
        (void)command_fail("the instrument of seq %" PRIu64 " is not known: %s", event->seq, problem);
    tail_core_remember(self->core, &event->correlation_id, symbol);
    return tail_core_recall(self->core, &event->correlation_id);
}

/* The instrument that an event concerns; NULL if it concerns none. */
static const char *s_symbol_of(tail_t *self, const zvt_event_t *event, const zvt_record_t *payload)
{
    const char *symbol = payload == NULL ? NULL : summary_symbol(payload->type, &payload->hello);
    if (symbol != NULL) {
        if (summary_concerns_order(event->type)) tail_core_remember(self->core, &event->correlation_id, symbol);
        return symbol;
    }
    symbol = tail_core_recall(self->core, &event->correlation_id);
    bool look = symbol == NULL && tail_core_needs_symbol(self->core) && summary_concerns_order(event->type);
    return look ? s_symbol_from_history(self, event) : symbol;
}

static void s_on_event(void *arg, const zvt_event_t *event)
{
    static zvt_record_t s_record; /* large; there is one thread */
    tail_t *self = arg;
    self->seen++;
    if (self->done) return;
    bool wanted = tail_core_wants_header(self->core, event);
    if (!wanted && event->type != ZVT_T_ORDER_REQUESTED) return; /* a request is read for its instrument all the same */
    const zvt_record_t *payload = zvt_read_payload(event, &s_record) == 0 ? &s_record : NULL;
    const char *symbol = s_symbol_of(self, event, payload);
    if (!wanted || !tail_core_wants_symbol(self->core, symbol)) return;
    if (self->args->json) {
        zvt_json_event(stdout, event, self->shard);
        putchar('\n');
    } else {
        summary_print_event(stdout, event, payload, symbol == NULL ? "" : symbol, self->colour);
    }
    s_printed(self);
}

/* What is asked for has left the log. */
static void s_on_hole(void *arg, uint64_t first_seq)
{
    (void)command_fail("the log begins with seq %" PRIu64 "; earlier events are in the archive files: see fleet archive --list, and "
                       "fleet archive --restore SEQ to read them", first_seq);
    s_stop(arg, ZVT_EXIT_FAILED);
}

/* ---- market data ---- */
static void s_on_market(void *arg, const char *topic, const zvt_record_t *record)
{
    tail_t *self = arg;
    const zvt_desc_t *desc = zvt_desc(record->type);
    if (self->done || desc == NULL || desc->class != ZVT_CLASS_MARKET) return;
    if (!tail_core_wants_type(self->core, record->type)) return;
    if (!tail_core_wants_symbol(self->core, summary_symbol(record->type, &record->hello))) return;
    if (self->args->json)
        summary_json_market(stdout, record, topic, zvt_loop_utc_ns(self->loop));
    else
        summary_print_market(stdout, record, zvt_loop_utc_ns(self->loop), self->colour);
    s_printed(self);
}

/* ---- the loop ---- */
static void s_on_round(void *arg)
{
    s_flush(arg);
}

static void s_on_signal(void *arg)
{
    tail_t *self = arg;
    struct signalfd_siginfo info;
    if (read(self->signals_fd, &info, sizeof info) == sizeof info) s_stop(self, ZVT_EXIT_OK);
}

/* With `| head -1` nothing may be written for a long time after the reader has gone: look at the pipe itself. */
static void s_on_watch(void *arg)
{
    tail_t *self = arg;
    struct pollfd out = {.fd = STDOUT_FILENO};
    if (poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0) s_stop(self, ZVT_EXIT_OK);
    bool history = self->args->since.given && self->seen == 0;
    bool late = zvt_loop_monotonic_ns(self->loop) - self->began_ns > PATIENCE_NS;
    if (!history || !late || self->explained || !isatty(STDERR_FILENO)) return;
    fprintf(stderr, "waiting for event %" PRIu64 " (it is still to come, or the replayer does not answer) ...\n",
            self->args->since.value);
    self->explained = true;
}

static void s_take_signals(tail_t *self)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    ZVT_ASSERT(sigprocmask(SIG_BLOCK, &stop, NULL) == 0);
    self->signals_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    ZVT_ASSERT(self->signals_fd >= 0);
}

static void s_open(tail_t *self, const zvt_fleet_t *fleet)
{
    uint64_t from_seq = !self->args->since.given ? ZVT_FOLLOW_LIVE : self->args->since.value > 0 ? self->args->since.value : 1;
    self->identity = (zvt_hello_t){.role = ZVT_ROLE_MONITOR, .incarnation = (uint64_t)zvt_utc_ns()};
    ZVT_STR_SET(self->identity.name, "tail");
    s_take_signals(self); /* before libzmq's threads start, so that they inherit the mask */
    self->loop = zvt_loop_new();
    self->began_ns = zvt_loop_monotonic_ns(self->loop);
    zvt_loop_add_fd(self->loop, self->signals_fd, s_on_signal, self);
    self->follower = zvt_follower_new(self->loop, self->shard, from_seq, &self->identity, s_on_event, NULL, self);
    zvt_follower_on_hole(self->follower, s_on_hole);
    for (uint32_t i = 0; self->args->market && i < fleet->venues_count; i++) {
        char endpoint[ZVT_ENDPOINT_SIZE];
        zvt_endpoint(endpoint, "market", fleet->venues[i].name);
        self->markets[i] = zvt_subscriber_new(self->loop, endpoint, s_on_market, self);
        zvt_subscriber_add(self->markets[i], "");
    }
    zvt_loop_every(self->loop, WATCH_PERIOD_NS, s_on_watch, self);
    zvt_loop_on_round(self->loop, s_on_round, self);
}

static void s_close(tail_t *self)
{
    for (int i = 0; i < ZVT_VENUES_MAX; i++)
        if (self->markets[i] != NULL) zvt_subscriber_destroy(&self->markets[i]);
    zvt_follower_destroy(&self->follower);
    zvt_loop_destroy(&self->loop);
    tail_core_destroy(&self->core);
    close(self->signals_fd);
}

/* An id as typed becomes a correlation id: the orchestrator knows which saga an order belongs to. */
static int s_correlation(const char *text, zvt_id_t *id)
{
    char problem[CLIENT_PROBLEM_SIZE];
    zvt_order_row_t row;
    bool whole = zvt_id_parse(text, id) == 0;
    int status = resolve_order(text, &row, problem);
    if (status == 0) *id = row.correlation_id;
    if (status == 0 || (whole && status != ZVT_ERR_EXISTS)) return ZVT_EXIT_OK; /* an old saga may still be in the log */
    (void)command_fail("%s", problem);
    return status == ZVT_ERR_SYNTAX ? ZVT_EXIT_USAGE : ZVT_EXIT_FAILED;
}

static int s_run_tail(const void *arg)
{
    tail_t self = {.args = arg, .exit_code = ZVT_EXIT_OK, .colour = format_wants_colour(stdout)};
    tail_filter_t filter = {.types = &self.args->types, .symbol = self.args->symbol};
    const char *unknown = tail_core_unknown_type(&self.args->types, self.args->market);
    if (unknown != NULL)
        return command_misused("--type %s: no event%s begins so; docs/wire.md lists them%s", unknown,
                               self.args->market ? " or market data" : "", self.args->market ? "" : ", those of market data need --market");
    char down[CLIENT_PROBLEM_SIZE];
    client_down_sentence(down);
    if (!client_fleet_runs()) return command_fail("%s", down);
    const zvt_fleet_t *fleet = command_fleet();
    if (fleet == NULL) return ZVT_EXIT_FAILED;
    int exit_code = ZVT_EXIT_OK;
    if (self.args->correlation != NULL) exit_code = s_correlation(self.args->correlation, &filter.correlation_id);
    if (exit_code != ZVT_EXIT_OK) return exit_code;
    if (self.args->count.given && self.args->count.value == 0) return ZVT_EXIT_OK;
    setvbuf(stdout, NULL, _IOFBF, OUT_SIZE);
    zvt_diag_init("tail", ZVT_DIAG_WARN);
    self.shard = (uint32_t)fleet->shard;
    self.core = tail_core_new(&filter);
    s_open(&self, fleet);
    int status = zvt_loop_run(self.loop);
    s_flush(&self);
    s_close(&self);
    return status == 0 ? self.exit_code : command_fail("polling failed: %s", strerror(errno));
}

const command_t command_tail = {.name = "tail",
                                .summary = "Prints events as they are committed, from any point of the past on. Times are UTC.",
                                .args = s_tail_args, .size = sizeof(tail_args_t), .run = s_run_tail};
