/* zvt-risk -- serves risk.check and risk.release on the hub "risk".
 *
 * Follows the log from its last snapshot (see zvt_snapshot.h) and the venues' quotes. A check whose min_seq is not folded yet waits, and so
 * does every check until the log is caught up with for the first time; nobody waits longer than WAIT_NS. */
#include <inttypes.h>
#include <string.h>

#include "risk_core.h"
#include "zvt_follower.h"
#include "zvt_hub.h"
#include "zvt_service.h"
#include "zvt_snapshot.h"
#include "zvt_subscriber.h"
#include "zvt_time.h"
#include "zvt_verify.h"
#include "zvt_waitlist.h"

enum { WAITING_MAX = 16384 };
#define WAIT_NS (12 * ZVT_SECOND_NS)  /* above the saga step's timeout, so that its retries decide how long is too long */
#define EXPIRE_NS (100 * ZVT_MS_NS)   /* how often waiting requests are looked at without a batch */
#define QUOTE_MAX_AGE_NS (60 * ZVT_SECOND_NS)

typedef struct {
    zvt_service_t *service;
    zvt_hub_t *hub;
    zvt_follower_t *follower;
    zvt_subscriber_t *markets[ZVT_VENUES_MAX];
    zvt_waitlist_t *waiting;
    risk_core_t *core;
    zvt_snapshot_t snapshot;
    zvt_digests_t digests;
    uint64_t *codes[UINT8_MAX + 1]; /* counters of verdicts by code; NULL: never given yet */
    bool broken;                    /* the state cannot follow the log any more; the process is about to end */
    zvt_risk_verdict_t verdict;
} risk_t;

/* A request whose turn has not come. Releases wait in line with the checks that they undo. */
typedef struct {
    zvt_peer_t peer;
    zvt_type_t type;
    union {
        zvt_risk_check_t check;
        zvt_risk_release_t release;
    };
} request_t;

static int64_t s_now_ns(const risk_t *self)
{
    return zvt_loop_monotonic_ns(zvt_service_loop(self->service));
}

/* ---- requests ---- */

/* One counter per code, made when the code is given for the first time. */
static void s_count_verdict(risk_t *self)
{
    uint64_t **counter = &self->codes[self->verdict.code];
    if (*counter == NULL) {
        char name[64];
        snprintf(name, sizeof name, "verdicts_%s", zvt_code_text(self->verdict.code));
        *counter = zvt_counter(name);
    }
    ++**counter;
}

static void s_answer(risk_t *self, const zvt_peer_t *peer)
{
    s_count_verdict(self);
    zvt_hub_send(self->hub, peer, ZVT_T_RISK_VERDICT, &self->verdict);
}

static void s_refuse(risk_t *self, const request_t *request, uint8_t code, const char *message)
{
    risk_core_refuse(self->core, &request->check, code, message, &self->verdict);
    s_answer(self, &request->peer);
}

static void s_on_turn(void *arg, const void *item, bool in_time)
{
    risk_t *self = arg;
    const request_t *request = item;
    if (request->type == ZVT_T_RISK_RELEASE) {
        risk_core_on_release(self->core, &request->release);
    } else if (!in_time) {
        s_refuse(self, request, ZVT_CODE_NOT_READY, "risk has not folded the log up to min_seq yet; ask again");
    } else {
        risk_core_on_check(self->core, &request->check, s_now_ns(self), &self->verdict);
        s_answer(self, &request->peer);
    }
}

static bool s_read_request(const zvt_peer_t *peer, const zvt_record_t *record, request_t *request)
{
    memset(request, 0, sizeof *request);
    request->peer = *peer;
    request->type = record->type;
    if (record->type == ZVT_T_RISK_CHECK) request->check = record->risk_check;
    if (record->type == ZVT_T_RISK_RELEASE) request->release = record->risk_release;
    return record->type == ZVT_T_RISK_CHECK || record->type == ZVT_T_RISK_RELEASE;
}

static void s_on_request(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    risk_t *self = arg;
    request_t request;
    if (!s_read_request(peer, record, &request)) {
        zvt_error_reply_t reply = {.code = ZVT_CODE_MALFORMED};
        snprintf(reply.message, sizeof reply.message, "risk takes risk.check and risk.release, not %s",
                 zvt_type_name(record->type));
        ZVT_COUNT("unexpected");
        zvt_hub_send(self->hub, peer, ZVT_T_ERROR_REPLY, &reply);
        return;
    }
    uint64_t min_seq = request.type == ZVT_T_RISK_CHECK ? request.check.min_seq : 0;
    if (self->broken) return;
    bool at_once = zvt_service_is_ready(self->service) && zvt_waitlist_count(self->waiting) == 0 &&
                   min_seq <= zvt_follower_applied(self->follower);
    if (at_once) {
        s_on_turn(self, &request, true);
    } else if (zvt_waitlist_add(self->waiting, min_seq, s_now_ns(self), &request) != 0) {
        ZVT_COUNT("waiting_full");
        if (request.type == ZVT_T_RISK_CHECK)
            s_refuse(self, &request, ZVT_CODE_OVERLOADED, "too many checks wait for the log; try again");
        else
            risk_core_on_release(self->core, &request.release);
    }
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    const risk_t *self = arg;
    (void)peer;
    (void)hello;
    reply->epoch = risk_core_epoch(self->core);
    reply->cursor = zvt_follower_applied(self->follower);
}

/* Works on what waits, as far as the log allows. */
static void s_release(risk_t *self)
{
    if (zvt_service_is_ready(self->service))
        zvt_waitlist_release(self->waiting, zvt_follower_applied(self->follower), s_now_ns(self));
    else
        zvt_waitlist_expire(self->waiting, s_now_ns(self));
}

static void s_on_time(void *arg)
{
    risk_t *self = arg;
    if (!self->broken) s_release(self);
}

/* ---- the log ---- */
static int s_fold(void *state, const zvt_event_t *event)
{
    return risk_core_on_event(state, event);
}

static uint32_t s_dump(const void *state, FILE *out)
{
    return risk_core_dump(state, out);
}

/* A state that cannot follow the log would pass orders it should refuse: better none than a wrong one. */
static void s_on_event(void *arg, const zvt_event_t *event)
{
    risk_t *self = arg;
    if (self->broken || !zvt_snapshot_takes(&self->snapshot, event)) return;
    ZVT_COUNT("events_folded");
    int status = risk_core_on_event(self->core, event);
    if (status != 0) {
        self->broken = true;
        zvt_error("event %" PRIu64 " (%s) cannot be folded: %s; risk stops", event->seq, zvt_type_name(event->type),
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
    risk_t *self = arg;
    if (self->broken) return;
    if (zvt_snapshot_is_foreign(&self->snapshot, applied_seq, caught_up)) {
        self->broken = true;
        zvt_service_exit(self->service, ZVT_EXIT_TEMPORARY);
        return;
    }
    if (caught_up) zvt_service_ready(self->service);
    s_release(self);
}

/* ---- the snapshot ---- */
static void s_save(const void *state, zvt_snapshot_record_fn *record, void *arg)
{
    risk_core_save(state, record, arg);
}

static int s_load(void *state, const zvt_record_t *record)
{
    return risk_core_load(state, record);
}

static void s_on_second(void *arg)
{
    risk_t *self = arg;
    if (!self->broken) zvt_snapshot_on_time(&self->snapshot, zvt_follower_applied(self->follower), s_now_ns(self));
}

/* ---- the market ---- */
static void s_on_market(void *arg, const char *topic, const zvt_record_t *record)
{
    risk_t *self = arg;
    (void)topic;
    if (record->type != ZVT_T_PRICE_UPDATED) return;
    ZVT_COUNT("quotes");
    if (risk_core_on_quote(self->core, &record->price_updated, s_now_ns(self)) != 0) ZVT_COUNT("quotes_refused");
}

/* ---- control and statistics ---- */
static bool s_on_control(void *arg, const char *command, const char *argument, FILE *body)
{
    const risk_t *self = arg;
    if (streq(command, "digest")) return zvt_digests_answer(&self->digests, argument, body);
    fprintf(body, "unknown command '%s'; there are stats, ping, log-level, digest", command);
    return false;
}

static void s_on_stats(void *arg, FILE *body)
{
    const risk_t *self = arg;
    exposure_stats_t stats = exposure_stats(risk_core_exposure(self->core));
    fprintf(body,
            ", \"applied_seq\": %" PRIu64 ", \"epoch\": %" PRIu64 ", \"halted\": %s, \"orders\": %u, \"provisional\": %u, "
            "\"exposures\": %u, \"unmatched\": %" PRIu64 ", \"waiting\": %u",
            zvt_follower_applied(self->follower), risk_core_epoch(self->core),
            risk_core_halted(self->core) ? "true" : "false",
            stats.orders, stats.provisional, stats.keys, stats.unmatched, zvt_waitlist_count(self->waiting));
}

/* ---- start ---- */
static void s_subscribe(risk_t *self)
{
    const zvt_fleet_t *fleet = zvt_service_fleet(self->service);
    for (uint32_t i = 0; i < fleet->venues_count; i++) {
        char endpoint[ZVT_ENDPOINT_SIZE];
        zvt_endpoint(endpoint, "market", fleet->venues[i].name);
        self->markets[i] = zvt_subscriber_new(zvt_service_loop(self->service), endpoint, s_on_market, self);
        zvt_subscriber_add(self->markets[i], "quote.");
    }
}

static risk_core_t *s_new_core(const risk_t *self)
{
    risk_options_t options = {.quote_max_age_ns = QUOTE_MAX_AGE_NS,
                              .incarnation = zvt_service_identity(self->service)->incarnation};
    return risk_core_new(zvt_service_fleet(self->service), &options);
}

/* The state as of the last snapshot; a fresh core when there is none that can be used. */
static void s_load_snapshot(risk_t *self)
{
    zvt_snapshot_core_t core = {.shard = (uint32_t)zvt_service_fleet(self->service)->shard, .state = self->core,
                                .save = s_save, .load = s_load, .dump = s_dump};
    if (zvt_snapshot_open(&self->snapshot, &core, zvt_service_state_dir(self->service), zvt_service_name(self->service))) return;
    risk_core_destroy(&self->core);
    self->snapshot.core.state = self->core = s_new_core(self);
}

static int s_serve(risk_t *self)
{
    const zvt_fleet_t *fleet = zvt_service_fleet(self->service);
    zvt_loop_t *loop = zvt_service_loop(self->service);
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "risk", NULL);
    s_load_snapshot(self);
    self->waiting = zvt_waitlist_new(sizeof(request_t), WAITING_MAX, WAIT_NS, s_on_turn, self);
    self->follower = zvt_follower_new(loop, (uint32_t)fleet->shard, zvt_snapshot_from_seq(&self->snapshot),
                                      zvt_service_identity(self->service), s_on_event, s_on_batch, self);
    int status = zvt_hub_new(&self->hub, loop, endpoint, zvt_service_identity(self->service), s_on_request, s_on_hello,
                             self);
    if (status != 0) {
        zvt_error("cannot serve %s: %s; is another zvt-risk running in this fleet?", endpoint, zvt_strerror(status));
        return ZVT_EXIT_CONFIG;
    }
    s_subscribe(self);
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
    const zvt_service_desc_t desc = {.program = "zvt-risk",
                                     .summary = "Pre-trade checks: passes or refuses every order before it is committed.",
                                     .role = ZVT_ROLE_RISK,
                                     .name = "risk",
                                     .options = options};
    risk_t self = {.service = zvt_service_new(argc, argv, &desc)};
    const zvt_hello_t *identity = zvt_service_identity(self.service);
    const zvt_fleet_t *fleet = zvt_service_fleet(self.service);
    self.core = s_new_core(&self);
    zvt_refold_t refold = {.shard = (uint32_t)fleet->shard, .identity = identity, .fold = s_fold, .dump = s_dump,
                           .state = self.core, .print_text = dump != NULL};
    int exit_code = fold != NULL ? zvt_refold(&refold, zvt_service_loop(self.service), fold) : s_serve(&self);
    for (size_t i = 0; i < ZVT_VENUES_MAX; i++) zvt_subscriber_destroy(&self.markets[i]);
    zvt_hub_destroy(&self.hub);
    zvt_follower_destroy(&self.follower);
    zvt_waitlist_destroy(&self.waiting);
    risk_core_destroy(&self.core);
    zvt_service_destroy(&self.service);
    return exit_code;
}
