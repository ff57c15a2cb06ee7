/* zvt-risk -- serves risk.check and risk.release on the hub "risk".
 *
 * Follows the log from its last snapshot (see zvt_snapshot.h) and the venues' quotes. A check whose min_seq is not folded yet waits, and so
 * does every check until the log is caught up with for the first time; nobody waits longer than WAIT_NS. */
#include <inttypes.h>
#include <string.h>

#include "risk_core.h"
#include "zvt_fold.h"
#include "zvt_hub.h"
#include "zvt_quotes.h"
#include "zvt_time.h"

enum { WAITING_MAX = 16384 };
#define WAIT_NS (12 * ZVT_SECOND_NS)  /* above the saga step's timeout, so that its retries decide how long is too long */
#define QUOTE_MAX_AGE_NS (60 * ZVT_SECOND_NS)

typedef struct {
    zvt_service_t *service;
    zvt_hub_t *hub;
    zvt_fold_t *fold;
    zvt_quotes_t *quotes;
    uint64_t *codes[UINT8_MAX + 1]; /* counters of verdicts by code; NULL: never given yet */
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

static risk_core_t *s_core(const risk_t *self)
{
    return zvt_fold_state(self->fold);
}

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
    risk_core_refuse(s_core(self), &request->check, code, message, &self->verdict);
    s_answer(self, &request->peer);
}

static void s_on_turn(void *arg, const void *item, bool in_time)
{
    risk_t *self = arg;
    const request_t *request = item;
    if (request->type == ZVT_T_RISK_RELEASE) {
        risk_core_on_release(s_core(self), &request->release);
    } else if (!in_time) {
        s_refuse(self, request, ZVT_CODE_NOT_READY, "risk has not folded the log up to min_seq yet; ask again");
    } else {
        risk_core_on_check(s_core(self), &request->check, s_now_ns(self), &self->verdict);
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
    bool check = request.type == ZVT_T_RISK_CHECK;
    uint64_t epoch = check ? request.check.epoch : request.release.epoch, min_seq = check ? request.check.min_seq : 0;
    if (zvt_fold_request(self->fold, epoch, min_seq, &request) == 0) return;
    if (check)
        s_refuse(self, &request, ZVT_CODE_OVERLOADED, "too many checks wait for the log; try again");
    else
        risk_core_on_release(s_core(self), &request.release);
}

static void s_on_hello(void *arg, const zvt_peer_t *peer, const zvt_hello_t *hello, zvt_hello_t *reply)
{
    const risk_t *self = arg;
    (void)peer;
    (void)hello;
    reply->epoch = risk_core_epoch(s_core(self));
    reply->cursor = zvt_fold_applied(self->fold);
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

/* ---- the snapshot ---- */
static void s_save(const void *state, zvt_snapshot_record_fn *record, void *arg)
{
    risk_core_save(state, record, arg);
}

static int s_load(void *state, const zvt_record_t *record)
{
    return risk_core_load(state, record);
}

/* ---- the market ---- */
static int s_on_quote(void *arg, const zvt_price_updated_t *quote, int64_t now_ns)
{
    return risk_core_on_quote(s_core(arg), quote, now_ns);
}

/* ---- statistics ---- */
static void s_on_stats(void *arg, FILE *body)
{
    const risk_t *self = arg;
    exposure_stats_t stats = exposure_stats(risk_core_exposure(s_core(self)));
    fprintf(body,
            ", \"applied_seq\": %" PRIu64 ", \"epoch\": %" PRIu64 ", \"halted\": %s, \"orders\": %u, \"provisional\": %u, "
            "\"exposures\": %u, \"unmatched\": %" PRIu64 ", \"waiting\": %u",
            zvt_fold_applied(self->fold), risk_core_epoch(s_core(self)),
            risk_core_halted(s_core(self)) ? "true" : "false",
            stats.orders, stats.provisional, stats.keys, stats.unmatched, zvt_fold_waiting(self->fold));
}

/* ---- start ---- */
static void *s_fresh(void *arg)
{
    const risk_t *self = arg;
    risk_options_t options = {.quote_max_age_ns = QUOTE_MAX_AGE_NS,
                              .incarnation = zvt_service_identity(self->service)->incarnation};
    return risk_core_new(zvt_service_fleet(self->service), &options);
}

static void s_destroy(void *state)
{
    risk_core_t *core = state;
    risk_core_destroy(&core);
}

static int s_serve(risk_t *self)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "risk", NULL);
    zvt_fold_start(self->fold);
    int status = zvt_hub_new(&self->hub, zvt_service_loop(self->service), endpoint, zvt_service_identity(self->service),
                             s_on_request, s_on_hello, self);
    if (status != 0) {
        zvt_error("cannot serve %s: %s; is another zvt-risk running in this fleet?", endpoint, zvt_strerror(status));
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
    const zvt_service_desc_t desc = {.program = "zvt-risk",
                                     .summary = "Pre-trade checks: passes or refuses every order before it is committed.",
                                     .role = ZVT_ROLE_RISK,
                                     .name = "risk",
                                     .options = options};
    risk_t self = {.service = zvt_service_new(argc, argv, &desc)};
    const zvt_fold_desc_t what = {.name = "risk", .fresh = s_fresh, .destroy = s_destroy, .folds = risk_core_folds,
                                  .fold = s_fold, .dump = s_dump,
                                  .save = s_save, .load = s_load, .request_size = sizeof(request_t),
                                  .requests_max = WAITING_MAX, .patience_ns = WAIT_NS, .on_request = s_on_turn, .arg = &self};
    self.fold = zvt_fold_new(self.service, &what);
    int exit_code = fold != NULL ? zvt_fold_to(self.fold, fold, dump != NULL, save) : s_serve(&self);
    zvt_quotes_destroy(&self.quotes);
    zvt_hub_destroy(&self.hub);
    zvt_fold_destroy(&self.fold);
    zvt_service_destroy(&self.service);
    return exit_code;
}
