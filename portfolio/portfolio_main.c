/* zvt-portfolio -- serves fill.apply and positions.query on the hub "portfolio", and the table portfolio_projections.
 *
 * Follows the log from its last snapshot (see zvt_snapshot.h) and the venues' quotes. A fill whose min_seq is not folded yet waits, and so does
 * every fill until the log is caught up with for the first time; nobody waits longer than WAIT_NS. */
#include <inttypes.h>
#include <string.h>

#include "portfolio_core.h"
#include "projection.h"
#include "zvt_budget.h"
#include "zvt_fold.h"
#include "zvt_hub.h"
#include "zvt_quotes.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { WAITING_MAX = 16384 };
#define WAIT_NS (5 * ZVT_SECOND_NS)

typedef struct {
    zvt_service_t *service;
    zvt_hub_t *hub;
    zvt_fold_t *fold;
    zvt_quotes_t *quotes;
    projection_t *projection; /* NULL: no database */
    zvt_budget_t lists;       /* what clients may ask for in lists */
} portfolio_t;

/* A fill whose turn has not come. */
typedef struct {
    zvt_peer_t peer;
    zvt_fill_apply_t fill;
} request_t;

static portfolio_core_t *s_core(const portfolio_t *self)
{
    return zvt_fold_state(self->fold);
}

static void s_answer(portfolio_t *self, const zvt_peer_t *peer, const zvt_fill_applied_t *answer)
{
    if (answer->code == ZVT_CODE_OK) {
        ZVT_COUNT("fills_applied");
    } else {
        ZVT_COUNT("fills_refused");
        if (zvt_diag_allowed())
            zvt_warn("fill %s of %s refused: %s", answer->position.exec_id, answer->exchange, zvt_code_text(answer->code));
    }
    zvt_hub_send(self->hub, peer, ZVT_T_FILL_APPLIED, answer);
}

static void s_refuse(portfolio_t *self, const request_t *request, uint8_t code)
{
    zvt_fill_applied_t answer;
    portfolio_core_refuse(s_core(self), &request->fill, code, &answer);
    s_answer(self, &request->peer, &answer);
}

static void s_on_turn(void *arg, const void *item, bool in_time)
{
    portfolio_t *self = arg;
    const request_t *request = item;
    zvt_fill_applied_t answer;
    if (!in_time) {
        s_refuse(self, request, ZVT_CODE_NOT_READY);
        return;
    }
    portfolio_core_on_fill(s_core(self), &request->fill, &answer);
    s_answer(self, &request->peer, &answer);
}

/* Fills are worked on in the order they came, so one that has to wait makes those behind it wait too. */
static void s_on_fill(portfolio_t *self, const zvt_peer_t *peer, const zvt_fill_apply_t *fill)
{
    request_t request = {.peer = *peer, .fill = *fill};
    if (zvt_fold_request(self->fold, fill->epoch, fill->min_seq, &request) != 0) s_refuse(self, &request, ZVT_CODE_OVERLOADED);
}

static void s_send_error(portfolio_t *self, const zvt_peer_t *peer, uint8_t code, const char *message)
{
    zvt_error_reply_t reply = {.code = code};
    ZVT_STR_SET(reply.message, message);
    zvt_hub_send(self->hub, peer, ZVT_T_ERROR_REPLY, &reply);
}

typedef struct {
    portfolio_t *self;
    const zvt_peer_t *peer;
} row_target_t;

static void s_send_row(void *arg, uint32_t number, const zvt_position_row_t *row)
{
    const row_target_t *target = arg;
    (void)number;
    zvt_hub_send(target->self->hub, target->peer, ZVT_T_POSITION_ROW, row);
}

static void s_on_query(portfolio_t *self, const zvt_peer_t *peer, const zvt_positions_query_t *query)
{
    if (!zvt_service_is_ready(self->service)) {
        s_send_error(self, peer, ZVT_CODE_NOT_READY, "portfolio still reads the event log; ask again");
        return;
    }
    int64_t now_ns = zvt_monotonic_ns();
    if (zvt_budget_is_spent(&self->lists, now_ns)) {
        s_send_error(self, peer, ZVT_CODE_OVERLOADED, ZVT_BUDGET_SPENT_TEXT);
        ZVT_COUNT("lists_refused");
        return;
    }
    row_target_t target = {.self = self, .peer = peer};
    zvt_list_end_t end = {.count = portfolio_core_query(s_core(self), query, s_send_row, &target)};
    zvt_budget_spend(&self->lists, now_ns, portfolio_core_stats(s_core(self)).positions, end.count);
    zvt_hub_send(self->hub, peer, ZVT_T_LIST_END, &end);
}

static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    portfolio_t *self = arg;
    char message[ZVT_MESSAGE_SIZE];
    switch (record->type) {
    case ZVT_T_FILL_APPLY: s_on_fill(self, peer, &record->fill_apply); break;
    case ZVT_T_POSITIONS_QUERY: s_on_query(self, peer, &record->positions_query); break;
    default:
        ZVT_COUNT("unexpected");
        snprintf(message, sizeof message, "portfolio takes fill.apply and positions.query, not %s",
                 zvt_type_name(record->type));
        s_send_error(self, peer, ZVT_CODE_MALFORMED, message);
        break;
    }
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    const portfolio_t *self = arg;
    (void)peer;
    (void)hello;
    reply->epoch = portfolio_core_epoch(s_core(self));
    reply->cursor = zvt_fold_applied(self->fold);
}

/* ---- the log ---- */
static int s_fold(void *state, const zvt_event_t *event)
{
    uint64_t broken_before = portfolio_core_stats(state).broken;
    int status = portfolio_core_on_event(state, event);
    if (portfolio_core_stats(state).broken != broken_before)
        zvt_error("event %" PRIu64 ": the position does not continue from its quantity before; compare the order.executed "
                  "events with 'fleet verify'", event->seq);
    return status;
}

static uint32_t s_dump(const void *state, FILE *out)
{
    return portfolio_core_dump(state, out);
}

/* ---- the snapshot ---- */
static void s_save(const void *state, zvt_snapshot_record_fn *record, void *arg)
{
    portfolio_core_save(state, record, arg);
}

static int s_load(void *state, const zvt_record_t *record)
{
    return portfolio_core_load(state, record);
}

/* ---- the market ---- */
static int s_on_quote(void *arg, const zvt_price_updated_t *quote, int64_t now_ns)
{
    return portfolio_core_on_quote(s_core(arg), quote, now_ns);
}

/* ---- statistics ---- */
static void s_on_stats(void *arg, FILE *body)
{
    const portfolio_t *self = arg;
    portfolio_stats_t stats = portfolio_core_stats(s_core(self));
    bool connected = self->projection != NULL && projection_is_connected(self->projection);
    fprintf(body,
            ", \"applied_seq\": %" PRIu64 ", \"epoch\": %" PRIu64 ", \"positions\": %u, \"pending_fills\": %u"
            ", \"rebased\": %" PRIu64 ", \"unmatched\": %" PRIu64 ", \"broken\": %" PRIu64 ", \"waiting\": %u"
            ", \"database\": %s",
            zvt_fold_applied(self->fold), portfolio_core_epoch(s_core(self)), stats.positions, stats.pending,
            stats.rebased, stats.unmatched, stats.broken, zvt_fold_waiting(self->fold), connected ? "true" : "false");
}

/* ---- start ---- */
static void s_open_projection(portfolio_t *self)
{
    const char *dsn = getenv("DATABASE_URL");
    if (dsn != NULL && *dsn != '\0')
        self->projection = projection_new(zvt_service_loop(self->service), dsn, s_core(self));
    else
        zvt_warn("DATABASE_URL is not set: the table portfolio_projections is not kept");
}

/* Rows are written once everything committed is in them; from now on the core stays the same. */
static void s_on_ready(void *arg)
{
    portfolio_t *self = arg;
    s_open_projection(self);
    if (self->projection != NULL) projection_start(self->projection);
}

static void *s_fresh(void *arg)
{
    const portfolio_t *self = arg;
    return portfolio_core_new(zvt_service_fleet(self->service), zvt_service_identity(self->service)->incarnation);
}

static void s_destroy(void *state)
{
    portfolio_core_t *core = state;
    portfolio_core_destroy(&core);
}

static int s_serve(portfolio_t *self)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "portfolio", NULL);
    zvt_fold_start(self->fold);
    int status = zvt_hub_new(&self->hub, zvt_service_loop(self->service), endpoint, zvt_service_identity(self->service),
                             s_on_request, s_on_hello, self);
    if (status != 0) {
        zvt_error("cannot serve %s: %s; is another zvt-portfolio running in this fleet?", endpoint, zvt_strerror(status));
        return ZVT_EXIT_CONFIG;
    }
    self->quotes = zvt_quotes_new(self->service, s_on_quote, self);
    zvt_service_on_stats(self->service, s_on_stats, self);
    return zvt_service_run(self->service);
}

int main(int argc, char **argv)
{
    const char *fold = NULL, *dump = NULL, *save = NULL;
    const zvt_option_t options[] = {
        {.name = "fold", .argument = "SEQ", .meaning = "fold the log up to SEQ, print the digest and end", .value = &fold},
        {.name = "dump", .meaning = "with --fold: print the folded state instead of its digest", .value = &dump},
        {.name = "save", .argument = "FOLDER", .meaning = "with --fold: leave the state there, as a base for 'fleet archive'", .value = &save},
        {.name = NULL},
    };
    const zvt_service_desc_t desc = {.program = "zvt-portfolio",
                                     .summary = "Positions: what fills do to them, and what they are worth.",
                                     .role = ZVT_ROLE_PORTFOLIO,
                                     .name = "portfolio",
                                     .options = options};
    portfolio_t self = {.service = zvt_service_new(argc, argv, &desc)};
    const zvt_fold_desc_t what = {.name = "portfolio", .fresh = s_fresh, .destroy = s_destroy, .folds = portfolio_core_folds,
                                  .fold = s_fold, .dump = s_dump,
                                  .save = s_save, .load = s_load, .request_size = sizeof(request_t),
                                  .requests_max = WAITING_MAX, .patience_ns = WAIT_NS, .on_request = s_on_turn,
                                  .on_ready = s_on_ready, .arg = &self};
    self.fold = zvt_fold_new(self.service, &what);
    int exit_code = fold != NULL ? zvt_fold_to(self.fold, fold, dump != NULL, save) : s_serve(&self);
    projection_destroy(&self.projection);
    zvt_quotes_destroy(&self.quotes);
    zvt_hub_destroy(&self.hub);
    zvt_fold_destroy(&self.fold);
    zvt_service_destroy(&self.service);
    return exit_code;
}
