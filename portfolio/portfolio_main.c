/* zvt-portfolio -- serves fill.apply and positions.query on the hub "portfolio", and the table portfolio_projections.
 *
 * Follows the log from its last snapshot (see zvt_snapshot.h) and the venues' quotes. A fill whose min_seq is not folded yet waits, and so does
 * every fill until the log is caught up with for the first time; nobody waits longer than WAIT_NS. */
#include <inttypes.h>
#include <string.h>

#include "portfolio_core.h"
#include "projection.h"
#include "zvt_follower.h"
#include "zvt_hub.h"
#include "zvt_service.h"
#include "zvt_snapshot.h"
#include "zvt_subscriber.h"
#include "zvt_time.h"
#include "zvt_verify.h"
#include "zvt_waitlist.h"

enum { WAITING_MAX = 16384 };
#define WAIT_NS (5 * ZVT_SECOND_NS)
#define EXPIRE_NS (100 * ZVT_MS_NS) /* how often waiting fills are looked at without a batch */

typedef struct {
    zvt_service_t *service;
    zvt_hub_t *hub;
    zvt_follower_t *follower;
    zvt_subscriber_t *markets[ZVT_VENUES_MAX];
    zvt_waitlist_t *waiting;
    projection_t *projection; /* NULL: no database */
    portfolio_core_t *core;
    zvt_snapshot_t snapshot;
    zvt_digests_t digests;
    bool broken; /* the state cannot follow the log any more; the process is about to end */
} portfolio_t;

/* A fill whose turn has not come. */
typedef struct {
    zvt_peer_t peer;
    zvt_fill_apply_t fill;
} request_t;

static int64_t s_now_ns(const portfolio_t *self)
{
    return zvt_loop_monotonic_ns(zvt_service_loop(self->service));
}

/* ---- requests ---- */
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
    portfolio_core_refuse(self->core, &request->fill, code, &answer);
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
    portfolio_core_on_fill(self->core, &request->fill, &answer);
    s_answer(self, &request->peer, &answer);
}

/* Fills are worked on in the order they came, so one that has to wait makes those behind it wait too. */
static void s_on_fill(portfolio_t *self, const zvt_peer_t *peer, const zvt_fill_apply_t *fill)
{
    request_t request = {.peer = *peer, .fill = *fill};
    bool at_once = zvt_service_is_ready(self->service) && zvt_waitlist_count(self->waiting) == 0 &&
                   fill->min_seq <= zvt_follower_applied(self->follower);
    if (at_once) {
        s_on_turn(self, &request, true);
    } else if (zvt_waitlist_add(self->waiting, fill->min_seq, s_now_ns(self), &request) != 0) {
        ZVT_COUNT("waiting_full");
        s_refuse(self, &request, ZVT_CODE_OVERLOADED);
    }
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
    row_target_t target = {.self = self, .peer = peer};
    zvt_list_end_t end = {.count = portfolio_core_query(self->core, query, s_send_row, &target)};
    zvt_hub_send(self->hub, peer, ZVT_T_LIST_END, &end);
}

static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    portfolio_t *self = arg;
    char message[ZVT_MESSAGE_SIZE];
    if (self->broken) return;
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
    reply->epoch = portfolio_core_epoch(self->core);
    reply->cursor = zvt_follower_applied(self->follower);
}

static void s_on_time(void *arg)
{
    portfolio_t *self = arg;
    if (self->broken) return;
    if (zvt_service_is_ready(self->service))
        zvt_waitlist_release(self->waiting, zvt_follower_applied(self->follower), s_now_ns(self));
    else
        zvt_waitlist_expire(self->waiting, s_now_ns(self));
}

/* ---- the log ---- */
static int s_fold(void *state, const zvt_event_t *event)
{
    return portfolio_core_on_event(state, event);
}

static uint32_t s_dump(const void *state, FILE *out)
{
    return portfolio_core_dump(state, out);
}

static void s_on_event(void *arg, const zvt_event_t *event)
{
    portfolio_t *self = arg;
    if (self->broken || !zvt_snapshot_takes(&self->snapshot, event)) return;
    ZVT_COUNT("events_folded");
    uint64_t broken_before = portfolio_core_stats(self->core).broken;
    int status = portfolio_core_on_event(self->core, event);
    if (portfolio_core_stats(self->core).broken != broken_before)
        zvt_error("event %" PRIu64 ": the position does not continue from its quantity before; compare the order.executed "
                  "events with 'fleet verify'", event->seq);
    if (status != 0) {
        self->broken = true;
        zvt_error("event %" PRIu64 " (%s) cannot be folded: %s; portfolio stops", event->seq, zvt_type_name(event->type),
                  zvt_strerror(status));
        zvt_service_exit(self->service, status == ZVT_ERR_FULL ? ZVT_EXIT_CONFIG : ZVT_EXIT_BUG);
        return;
    }
    if (event->type != ZVT_T_SYSTEM_BARRIER) return;
    zvt_digest_t digest = zvt_digest_of(event->seq, s_dump, self->core);
    zvt_digests_add(&self->digests, &digest);
}

static void s_on_batch(void *arg, uint64_t applied_seq, bool caught_up)
{
    portfolio_t *self = arg;
    if (self->broken) return;
    if (zvt_snapshot_is_foreign(&self->snapshot, applied_seq, caught_up)) {
        self->broken = true;
        zvt_service_exit(self->service, ZVT_EXIT_TEMPORARY);
        return;
    }
    if (caught_up && !zvt_service_is_ready(self->service)) {
        zvt_service_ready(self->service);
        if (self->projection != NULL) projection_start(self->projection);
    }
    if (zvt_service_is_ready(self->service)) zvt_waitlist_release(self->waiting, applied_seq, s_now_ns(self));
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

static void s_on_second(void *arg)
{
    portfolio_t *self = arg;
    if (!self->broken) zvt_snapshot_on_time(&self->snapshot, zvt_follower_applied(self->follower), s_now_ns(self));
}

/* ---- the market ---- */
static void s_on_market(void *arg, const char *topic, const zvt_record_t *record)
{
    portfolio_t *self = arg;
    (void)topic;
    if (record->type != ZVT_T_PRICE_UPDATED) return;
    ZVT_COUNT("quotes");
    if (portfolio_core_on_quote(self->core, &record->price_updated, s_now_ns(self)) != 0) ZVT_COUNT("quotes_refused");
}

/* ---- control and statistics ---- */
static bool s_on_control(void *arg, const char *command, const char *argument, FILE *body)
{
    const portfolio_t *self = arg;
    if (streq(command, "digest")) return zvt_digests_answer(&self->digests, argument, body);
    fprintf(body, "unknown command '%s'; there are stats, ping, log-level, digest", command);
    return false;
}

static void s_on_stats(void *arg, FILE *body)
{
    const portfolio_t *self = arg;
    portfolio_stats_t stats = portfolio_core_stats(self->core);
    bool connected = self->projection != NULL && projection_is_connected(self->projection);
    fprintf(body,
            ", \"applied_seq\": %" PRIu64 ", \"epoch\": %" PRIu64 ", \"positions\": %u, \"pending_fills\": %u"
            ", \"rebased\": %" PRIu64 ", \"unmatched\": %" PRIu64 ", \"broken\": %" PRIu64 ", \"waiting\": %u"
            ", \"database\": %s",
            zvt_follower_applied(self->follower), portfolio_core_epoch(self->core), stats.positions, stats.pending,
            stats.rebased, stats.unmatched, stats.broken, zvt_waitlist_count(self->waiting), connected ? "true" : "false");
}

/* ---- start ---- */
static void s_subscribe(portfolio_t *self)
{
    const zvt_fleet_t *fleet = zvt_service_fleet(self->service);
    for (uint32_t i = 0; i < fleet->venues_count; i++) {
        char endpoint[ZVT_ENDPOINT_SIZE];
        zvt_endpoint(endpoint, "market", fleet->venues[i].name);
        self->markets[i] = zvt_subscriber_new(zvt_service_loop(self->service), endpoint, s_on_market, self);
        zvt_subscriber_add(self->markets[i], "quote.");
    }
}

static void s_open_projection(portfolio_t *self)
{
    const char *dsn = getenv("DATABASE_URL");
    if (dsn != NULL && *dsn != '\0')
        self->projection = projection_new(zvt_service_loop(self->service), dsn, self->core);
    else
        zvt_warn("DATABASE_URL is not set: the table portfolio_projections is not kept");
}

static portfolio_core_t *s_new_core(const portfolio_t *self)
{
    return portfolio_core_new(zvt_service_fleet(self->service), zvt_service_identity(self->service)->incarnation);
}

/* The state as of the last snapshot; a fresh core when there is none that can be used. */
static void s_load_snapshot(portfolio_t *self)
{
    zvt_snapshot_core_t core = {.shard = (uint32_t)zvt_service_fleet(self->service)->shard, .state = self->core,
                                .save = s_save, .load = s_load, .dump = s_dump};
    if (zvt_snapshot_open(&self->snapshot, &core, zvt_service_state_dir(self->service), zvt_service_name(self->service))) return;
    portfolio_core_destroy(&self->core);
    self->snapshot.core.state = self->core = s_new_core(self);
}

static int s_serve(portfolio_t *self)
{
    const zvt_fleet_t *fleet = zvt_service_fleet(self->service);
    zvt_loop_t *loop = zvt_service_loop(self->service);
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "portfolio", NULL);
    s_load_snapshot(self);
    self->waiting = zvt_waitlist_new(sizeof(request_t), WAITING_MAX, WAIT_NS, s_on_turn, self);
    self->follower = zvt_follower_new(loop, (uint32_t)fleet->shard, zvt_snapshot_from_seq(&self->snapshot),
                                      zvt_service_identity(self->service), s_on_event, s_on_batch, self);
    int status = zvt_hub_new(&self->hub, loop, endpoint, zvt_service_identity(self->service), s_on_request, s_on_hello,
                             self);
    if (status != 0) {
        zvt_error("cannot serve %s: %s; is another zvt-portfolio running in this fleet?", endpoint, zvt_strerror(status));
        return ZVT_EXIT_CONFIG;
    }
    s_subscribe(self);
    s_open_projection(self);
    zvt_loop_every(loop, EXPIRE_NS, s_on_time, self);
    zvt_loop_every(loop, ZVT_SECOND_NS, s_on_second, self);
    zvt_service_on_control(self->service, s_on_control, self);
    zvt_service_on_stats(self->service, s_on_stats, self);
    return zvt_service_run(self->service);
}

int main(int argc, char **argv)
{
    const char *fold = NULL, *dump = NULL;
    const zvt_option_t options[] = {
        {.name = "fold", .argument = "SEQ", .meaning = "fold the log up to SEQ, print the digest and end", .value = &fold},
        {.name = "dump", .meaning = "with --fold: print the folded state instead of its digest", .value = &dump},
        {.name = NULL},
    };
    const zvt_service_desc_t desc = {.program = "zvt-portfolio",
                                     .summary = "Positions: what fills do to them, and what they are worth.",
                                     .role = ZVT_ROLE_PORTFOLIO,
                                     .name = "portfolio",
                                     .options = options};
    portfolio_t self = {.service = zvt_service_new(argc, argv, &desc)};
    const zvt_hello_t *identity = zvt_service_identity(self.service);
    const zvt_fleet_t *fleet = zvt_service_fleet(self.service);
    self.core = s_new_core(&self);
    zvt_refold_t refold = {.shard = (uint32_t)fleet->shard, .identity = identity, .fold = s_fold, .dump = s_dump,
                           .state = self.core, .print_text = dump != NULL};
    int exit_code = fold != NULL ? zvt_refold(&refold, zvt_service_loop(self.service), fold) : s_serve(&self);
    projection_destroy(&self.projection);
    for (size_t i = 0; i < ZVT_VENUES_MAX; i++) zvt_subscriber_destroy(&self.markets[i]);
    zvt_hub_destroy(&self.hub);
    zvt_follower_destroy(&self.follower);
    zvt_waitlist_destroy(&self.waiting);
    portfolio_core_destroy(&self.core);
    zvt_service_destroy(&self.service);
    return exit_code;
}
