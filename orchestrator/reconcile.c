/* system.reconciliation: before a venue gets orders, its missed executions are fetched and its account is compared with
 * the log. What cannot be explained halts the account, and is accepted only by command. */
#include <inttypes.h>
#include <string.h>

#include "turn_world.h"
#include "zvt_fixed.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { NONE = -1, LOOKS = 3, COMPLAINTS_MAX = ZVT_LIST_MAX_difference, EVENTS_RESERVE = 16 };
#define AGAIN_FIRST_NS (10 * ZVT_MS_NS) /* until a snapshot that fell between reports is asked for again, doubling */
#define AGAIN_LAST_NS (640 * ZVT_MS_NS)
#define LOOK_AGAIN_NS (50 * ZVT_MS_NS)  /* until a difference is looked at again */
#define REPEAT_NS (1 * ZVT_SECOND_NS)   /* until a comparison that failed is begun anew */
#define PATIENCE_FIRST_NS (200 * ZVT_MS_NS) /* with the first question about the account; doubles */

static const saga_type_t s_reconciliation;

enum { STEP_FETCH, STEP_COMPARE, STEP_RECORD, RECONCILIATION_STEPS };

static const char *s_name(const turn_core_t *self, int32_t venue)
{
    return self->fleet->venues[venue].name;
}

/* ---- which venues get orders ---- */
static uint8_t s_code(const turn_core_t *self, uint32_t venue)
{
    if (self->venues[venue].account.halted) return ZVT_CODE_ACCOUNT_HALTED;
    return self->venues[venue].reconcile.done ? ZVT_CODE_OK : ZVT_CODE_NOT_RECONCILED;
}

uint8_t turn_core_account(const turn_core_t *self, uint32_t venue, const char **reason)
{
    uint8_t code = s_code(self, venue);
    *reason = code == ZVT_CODE_ACCOUNT_HALTED ? self->venues[venue].account.reason : "";
    return code;
}

bool reconcile_is_open(const turn_core_t *self, const char *venue)
{
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        bool meant = venue[0] == '\0' || strcmp(venue, self->fleet->venues[i].name) == 0;
        if (meant && s_code(self, i) == ZVT_CODE_OK) return true;
    }
    return false;
}

void reconcile_exclude(const turn_core_t *self, zvt_route_request_t *request)
{
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        uint8_t code = s_code(self, i);
        if (code == ZVT_CODE_OK) continue;
        zvt_excluded_t *excluded = &request->excluded[request->excluded_count++];
        ZVT_STR_SET(excluded->exchange, self->fleet->venues[i].name);
        excluded->code = code;
    }
}
_Static_assert(ZVT_LIST_MAX_excluded >= ZVT_VENUES_MAX, "every venue can be excluded");

static void s_emit(turn_core_t *self, system_saga_t *saga, zvt_type_t type, const void *payload, const effect_t *effect)
{
    int status = turn_emit_system_in(self, saga, type, payload, effect);
    ZVT_ASSERT(status == 0); /* the caller looked for room */
}

/* ---- starting ---- */
static void s_forget_client(reconcile_t *run)
{
    run->has_client = run->accept = false;
}

/* Without room the chores start it a moment later. */
static void s_start(turn_core_t *self, int32_t venue, const char *reason)
{
    reconcile_t *run = &self->venues[venue].reconcile;
    run->again_ns = self->monotonic_ns + zvt_rng_pause_ns(&self->pauses, REPEAT_NS);
    if (!turn_has_batch_room(self, EVENTS_RESERVE)) return;
    run->looks = 0;
    run->compare_pause_ns = AGAIN_FIRST_NS;
    run->started_ns = self->monotonic_ns;
    recovery_emit_started(self, &run->events, s_reconciliation.name, s_name(self, venue), reason);
    if (saga_core_start(self->sagas, &s_reconciliation, venue, STEP_FETCH, self->monotonic_ns, 0, &run->saga) != 0) run->saga = SAGA_NONE;
}

void reconcile_begin(turn_core_t *self, int venue, const char *reason)
{
    reconcile_t *run = &self->venues[venue].reconcile;
    run->done = false;
    if (!self->open) return;
    if (run->saga == SAGA_NONE) {
        s_start(self, venue, reason);
        return;
    }
    run->compare_pause_ns = AGAIN_FIRST_NS;
    saga_core_go(self->sagas, run->saga, STEP_FETCH, self->monotonic_ns);
}

/* ---- fetch_executions ---- */
/* A venue whose ledger was lost has no more to give. */
static bool s_has_all(const venue_t *venue)
{
    return venue->reconcile.behind || venue->received.window.contiguous >= venue->tip;
}

static saga_outcome_t s_fetch(void *arg, int32_t saga, int32_t venue, uint32_t attempt)
{
    turn_core_t *self = arg;
    (void)saga;
    (void)attempt;
    if (s_has_all(&self->venues[venue])) return SAGA_DONE;
    reports_ask_since(self, venue);
    return SAGA_WAIT;
}

void reconcile_on_report(turn_core_t *self, int venue)
{
    int32_t saga = self->venues[venue].reconcile.saga;
    if (saga != SAGA_NONE && s_has_all(&self->venues[venue])) saga_core_done(self->sagas, saga, STEP_FETCH, self->monotonic_ns);
}

/* ---- compare_account ---- */
static void s_ask_account(turn_core_t *self, int32_t venue)
{
    reconcile_t *run = &self->venues[venue].reconcile;
    run->query = ++self->reconcile_queries;
    run->ask_at_ns = self->monotonic_ns + zvt_rng_pause_ns(&self->pauses, run->patience_ns);
    run->orders = run->assets = run->strange = 0;
    run->complaint[0] = '\0';
    zvt_account_query_t query = {.query = run->query};
    ZVT_STR_SET(query.exchange, s_name(self, venue));
    self->io.ask(self->io.arg, TURN_EXECUTOR, ZVT_T_ACCOUNT_QUERY, &query);
}

static saga_outcome_t s_compare(void *arg, int32_t saga, int32_t venue, uint32_t attempt)
{
    turn_core_t *self = arg;
    (void)saga;
    (void)attempt;
    self->venues[venue].reconcile.patience_ns = PATIENCE_FIRST_NS;
    s_ask_account(self, venue);
    return SAGA_WAIT;
}

/* A question or an answer may be lost on the way. A slow venue is given twice the time at every question. */
static void s_ask_again(turn_core_t *self, int32_t venue)
{
    reconcile_t *run = &self->venues[venue].reconcile;
    bool asked = run->saga != SAGA_NONE && saga_core_is_waiting(self->sagas, run->saga, STEP_COMPARE);
    if (!asked || self->monotonic_ns < run->ask_at_ns) return;
    run->patience_ns *= 2;
    s_ask_account(self, venue);
}

/* The comparison under way that a row belongs to, or NULL. */
static reconcile_t *s_run_of(turn_core_t *self, const char *exchange, uint64_t query, int *venue)
{
    *venue = zvt_fleet_venue(self->fleet, exchange);
    if (*venue < 0 || query == 0 || !self->open) return NULL;
    reconcile_t *run = &self->venues[*venue].reconcile;
    return run->saga != SAGA_NONE && run->query == query ? run : NULL;
}

static void s_complain(reconcile_t *run, const char *what, const char *about)
{
    if (run->complaint[0] == '\0') snprintf(run->complaint, sizeof run->complaint, "%s %s", what, about);
}

void reconcile_on_order(turn_core_t *self, const zvt_account_order_t *row)
{
    int venue;
    reconcile_t *run = s_run_of(self, row->exchange, row->query, &venue);
    if (run == NULL) return;
    run->orders++;
    order_t *order = order_core_by_client_order(self->orders, row->client_order_id);
    if (order != NULL && !order_is_ended(order)) {
        order->account_query = row->query;
        return;
    }
    run->strange++;
    s_complain(run, order == NULL ? "the venue has an order that is not ours:" : "the venue still has an order that has ended:",
               row->client_order_id);
    /* That an order which was resolved by hand should not live has been said already. */
    bool resolved = order != NULL && order->code == ZVT_CODE_RESOLVED_BY_HAND;
    /* The rows come before the snapshot, which may say that it is another ledger: at the first look nothing is known. */
    bool accepted = run->accept && run->looks > 0 && !run->behind;
    if (accepted || resolved) reports_cancel_ended(self, row->exchange, row->client_order_id);
}

void reconcile_on_asset(turn_core_t *self, const zvt_account_asset_t *row)
{
    int venue;
    reconcile_t *run = s_run_of(self, row->exchange, row->query, &venue);
    if (run == NULL) return;
    account_asset_t *asset = account_asset(&self->venues[venue].account, row->asset);
    if (asset == NULL) {
        s_complain(run, "the account has more assets than are kept:", row->asset);
        run->strange++;
        return;
    }
    run->assets++;
    asset->actual_e8 = row->total_e8;
    asset->query = row->query;
}

/* What the log makes of the balances, with the fills that wait for portfolio. */
static void s_expect(turn_core_t *self, int venue)
{
    account_t *account = &self->venues[venue].account;
    account_expect(account);
    for (int32_t at = self->fills_first; at != NONE; at = self->fills[at].next) {
        const zvt_report_t *report = &self->fills[at].report;
        if (strcmp(report->exchange, s_name(self, venue)) != 0) continue;
        const order_t *order = order_core_at(self->orders, self->fills[at].order);
        account_execution_t execution = {.symbol = order->terms.symbol, .side = order->terms.side, .quantity_e8 = report->quantity_e8,
                                         .commission_e8 = report->commission_e8, .commission_asset = report->commission_asset};
        int status = zvt_fixed_mul(report->price_e8, report->quantity_e8, &execution.notional_e8);
        if (status == 0) status = account_execute(account, &execution, true);
        if (status != 0) ZVT_COUNT("accounts_overflow");
    }
}

/* Whether the venue must have this order, if the log is right. */
static bool s_must_be_open(const turn_core_t *self, const order_t *order, int venue)
{
    bool rests = order->state == ZVT_ORDER_STATE_ACCEPTED || order->state == ZVT_ORDER_STATE_PARTIALLY_FILLED;
    return rests && order->fills_pending == 0 && order->held == ORDER_NONE && order_leaves_e8(order) > 0 &&
           strcmp(order->exchange, s_name(self, venue)) == 0;
}

/* Calls `found` for every order that the venue does not have; returns their number. */
static uint32_t s_visit_missing(turn_core_t *self, int venue, void (*found)(turn_core_t *, int, order_t *))
{
    uint32_t missing = 0;
    uint64_t query = self->venues[venue].reconcile.query;
    int32_t older;
    for (int32_t at = order_core_older(self->orders, NONE); at != NONE; at = older) {
        order_t *order = order_core_at(self->orders, at);
        if (order->account_query != query && s_must_be_open(self, order, venue)) {
            missing++;
            found(self, venue, order);
        }
        older = order_core_older(self->orders, at); /* `found` may end it, and so push the next older one out of the table */
    }
    return missing;
}

static void s_complain_missing(turn_core_t *self, int venue, order_t *order)
{
    s_complain(&self->venues[venue].reconcile, "the venue does not have the open order", order->client_order_id);
}

static void s_look_for_differences(turn_core_t *self, int venue)
{
    const account_t *account = &self->venues[venue].account;
    reconcile_t *run = &self->venues[venue].reconcile;
    for (uint32_t i = 0; i < account->assets_count; i++) {
        const account_asset_t *asset = &account->assets[i];
        char about[ZVT_MESSAGE_SIZE / 2], expected[ZVT_FIXED_TEXT], actual[ZVT_FIXED_TEXT];
        if (!account_differs(asset, run->query)) continue;
        zvt_fixed_format(asset->expected_e8, expected);
        zvt_fixed_format(asset->query == run->query ? asset->actual_e8 : 0, actual);
        snprintf(about, sizeof about, "%s %s, the log makes it %s", actual, asset->asset, expected);
        s_complain(run, "the venue says", about);
    }
}

/* Everything else that differs follows from this, so it is what is told. */
static void s_complain_behind(venue_t *venue, uint64_t venue_seq)
{
    char about[ZVT_MESSAGE_SIZE / 2];
    snprintf(about, sizeof about, "report %" PRIu64 ", the log has %" PRIu64, venue_seq, venue->tip);
    venue->reconcile.complaint[0] = '\0';
    s_complain(&venue->reconcile, "the venue's ledger was lost or replaced: it ends with", about);
}

/* A snapshot speaks of the account after one report; it can be compared when exactly the reports up to it are here. */
static bool s_is_comparable(turn_core_t *self, int index, const zvt_account_snapshot_t *snapshot)
{
    venue_t *venue = &self->venues[index];
    if (snapshot->venue_seq >= venue->tip) {
        venue->tip = snapshot->venue_seq;
        venue->reconcile.behind = false;
    }
    if (!s_has_all(venue)) {
        saga_core_go(self->sagas, venue->reconcile.saga, STEP_FETCH, self->monotonic_ns);
        return false;
    }
    bool whole = snapshot->orders == venue->reconcile.orders && snapshot->assets == venue->reconcile.assets;
    bool exact = snapshot->venue_seq == venue->received.window.contiguous && snapshot->venue_seq == venue->received.window.high;
    bool behind = snapshot->venue_seq < venue->tip;
    venue->reconcile.behind = behind;
    if (behind) s_complain_behind(venue, snapshot->venue_seq);
    bool room = turn_flush_all(self) && turn_has_batch_room(self, venue->account.assets_count + EVENTS_RESERVE) &&
                turn_has_room_for_command(self);
    return whole && room && (exact || behind);
}

static void s_compare_again(turn_core_t *self, reconcile_t *run)
{
    int64_t pause_ns = zvt_rng_pause_ns(&self->pauses, run->compare_pause_ns);
    if (run->compare_pause_ns < AGAIN_LAST_NS) run->compare_pause_ns *= 2;
    saga_core_again(self->sagas, run->saga, STEP_COMPARE, self->monotonic_ns + pause_ns);
}

void reconcile_on_snapshot(turn_core_t *self, const zvt_account_snapshot_t *snapshot)
{
    int index;
    reconcile_t *run = s_run_of(self, snapshot->exchange, snapshot->query, &index);
    if (run == NULL || saga_core_step(self->sagas, run->saga) != STEP_COMPARE) return;
    if (snapshot->code != ZVT_CODE_OK) {
        saga_core_retry(self->sagas, run->saga, STEP_COMPARE, snapshot->code, "the venue gave no account", self->monotonic_ns);
        return;
    }
    uint64_t query = run->query;
    if (!s_is_comparable(self, index, snapshot)) {
        if (run->saga != SAGA_NONE && run->query == query) s_compare_again(self, run);
        return;
    }
    run->venue_seq = snapshot->venue_seq;
    s_expect(self, index);
    s_look_for_differences(self, index);
    run->missing = s_visit_missing(self, index, s_complain_missing);
    bool explained = run->complaint[0] == '\0';
    if (!explained && ++run->looks < LOOKS) {
        saga_core_again(self->sagas, run->saga, STEP_COMPARE, self->monotonic_ns + LOOK_AGAIN_NS * run->looks);
        return;
    }
    saga_core_done(self->sagas, run->saga, STEP_COMPARE, self->monotonic_ns);
}

/* ---- record_result ---- */
/* Balances that the log has not seen yet begin with what executions do not explain. */
static void s_open_assets(turn_core_t *self, int venue)
{
    venue_t *known = &self->venues[venue];
    for (uint32_t i = 0; i < known->account.assets_count; i++) {
        account_asset_t *asset = &known->account.assets[i];
        zvt_account_opened_t opened = {.venue_seq = known->reconcile.venue_seq};
        if (asset->opened || asset->query != known->reconcile.query) continue;
        if (zvt_fixed_sub(asset->actual_e8, asset->expected_e8, &opened.amount_e8) != 0) continue;
        ZVT_STR_SET(opened.exchange, s_name(self, venue));
        ZVT_STR_SET(opened.asset, asset->asset);
        asset->expected_e8 = asset->actual_e8;
        s_emit(self, &known->reconcile.events, ZVT_T_ACCOUNT_OPENED, &opened, NULL);
    }
}

static void s_accept_missing(turn_core_t *self, int venue, order_t *order)
{
    const reconcile_t *run = &self->venues[venue].reconcile;
    if (!turn_has_room_for_command(self)) {
        ZVT_COUNT("orders_missing_kept"); /* the next comparison complains about it again */
        return;
    }
    reports_resolve(self, order, run->requested_by, run->reason, "");
}

/* Takes the venue's balances for true, by command. */
static void s_accept_balances(turn_core_t *self, int venue)
{
    venue_t *known = &self->venues[venue];
    reconcile_t *run = &known->reconcile;
    for (uint32_t i = 0; i < known->account.assets_count; i++) {
        const account_asset_t *asset = &known->account.assets[i];
        if (!account_differs(asset, run->query)) continue;
        zvt_position_adjusted_t adjusted = {.new_quantity_e8 = asset->query == run->query ? asset->actual_e8 : 0};
        if (zvt_fixed_sub(adjusted.new_quantity_e8, asset->expected_e8, &adjusted.quantity_change_e8) != 0) continue;
        ZVT_STR_SET(adjusted.exchange, s_name(self, venue));
        ZVT_STR_SET(adjusted.asset, asset->asset);
        ZVT_STR_SET(adjusted.requested_by, run->requested_by);
        ZVT_STR_SET(adjusted.reason, run->reason);
        s_emit(self, &run->events, ZVT_T_POSITION_ADJUSTED, &adjusted, NULL);
    }
}

static void s_fill_result(turn_core_t *self, int venue, zvt_reconciliation_completed_t *result)
{
    const venue_t *known = &self->venues[venue];
    const reconcile_t *run = &known->reconcile;
    memset(result, 0, sizeof *result);
    ZVT_STR_SET(result->exchange, s_name(self, venue));
    result->venue_seq = run->venue_seq;
    result->open_orders = run->orders;
    result->assets = run->assets;
    result->missing_orders = run->missing;
    result->strange_orders = run->strange;
    result->duration_ms_e8 = (self->monotonic_ns - run->started_ns) * (ZVT_E8 / ZVT_MS_NS);
    for (uint32_t i = 0; i < known->account.assets_count && result->differences_count < COMPLAINTS_MAX; i++) {
        const account_asset_t *asset = &known->account.assets[i];
        if (!account_differs(asset, run->query)) continue;
        zvt_difference_t *difference = &result->differences[result->differences_count++];
        ZVT_STR_SET(difference->asset, asset->asset);
        difference->expected_e8 = asset->expected_e8;
        difference->actual_e8 = asset->query == run->query ? asset->actual_e8 : 0;
    }
    ZVT_STR_SET(result->message, run->complaint);
}

static void s_halt_account(turn_core_t *self, int venue)
{
    reconcile_t *run = &self->venues[venue].reconcile;
    zvt_risk_halted_t halted;
    zvt_alert_triggered_t alert;
    memset(&halted, 0, sizeof halted);
    memset(&alert, 0, sizeof alert);
    ZVT_STR_SET(halted.requested_by, "reconciliation");
    ZVT_STR_SET(halted.reason, run->complaint);
    ZVT_STR_SET(halted.exchange, s_name(self, venue));
    alert.severity = ZVT_SEVERITY_CRITICAL;
    alert.code = ZVT_CODE_UNEXPLAINED;
    ZVT_STR_SET(alert.exchange, halted.exchange);
    snprintf(alert.message, sizeof alert.message, "the account gets no orders: %.80s; see 'fleet reconcile %s'", run->complaint,
             s_name(self, venue));
    s_emit(self, &run->events, ZVT_T_RISK_HALTED, &halted, NULL);
    s_emit(self, &run->events, ZVT_T_ALERT_TRIGGERED, &alert, NULL);
    ZVT_COUNT("accounts_halted");
}

static void s_resume_account(turn_core_t *self, int venue)
{
    reconcile_t *run = &self->venues[venue].reconcile;
    zvt_risk_resumed_t resumed;
    memset(&resumed, 0, sizeof resumed);
    ZVT_STR_SET(resumed.requested_by, run->accept ? run->requested_by : "reconciliation");
    ZVT_STR_SET(resumed.reason, run->accept ? run->reason : "the account agrees with the log");
    ZVT_STR_SET(resumed.exchange, s_name(self, venue));
    s_emit(self, &run->events, ZVT_T_RISK_RESUMED, &resumed, NULL);
}

static void s_say_result(const reconcile_t *run, bool explained, bool accepted, bool room, zvt_command_reply_t *reply)
{
    reply->success = explained || (accepted && room);
    reply->code = reply->success ? ZVT_CODE_OK : accepted ? ZVT_CODE_OVERLOADED : ZVT_CODE_UNEXPLAINED;
    if (accepted && !room)
        snprintf(reply->message, sizeof reply->message, "no room to end all %" PRIu32 " orders that the venue does not have; accept again",
                 run->missing);
    else if (explained)
        ZVT_STR_SET(reply->message, "the account agrees with the log");
    else if (run->behind)
        snprintf(reply->message, sizeof reply->message, "%.100s; that cannot be accepted: restore its ledger", run->complaint);
    else
        ZVT_STR_SET(reply->message, run->complaint);
}

/* A ledger that was lost or replaced is nothing to accept: its reports and ids begin again with numbers that the log has, so
 * whatever the venue executed from then on would be taken for known. Its amounts are not noted either. */
static saga_outcome_t s_record(void *arg, int32_t saga, int32_t venue, uint32_t attempt)
{
    turn_core_t *self = arg;
    (void)saga;
    (void)attempt;
    reconcile_t *run = &self->venues[venue].reconcile;
    zvt_reconciliation_completed_t result;
    bool explained = run->complaint[0] == '\0', accepted = !explained && run->accept && !run->behind;
    bool room = turn_has_room_to_end(self, run->missing); /* else those that find some are ended, and the account stays shut */
    effect_t effect = {.kind = EFFECT_REPLY, .type = ZVT_T_COMMAND_REPLY, .client = run->client};
    s_say_result(run, explained, accepted, room, &effect.command_reply);
    if (!run->behind) s_open_assets(self, venue);
    s_fill_result(self, venue, &result);
    if (accepted) s_accept_balances(self, venue);
    s_emit(self, &run->events, ZVT_T_RECONCILIATION_COMPLETED, &result, run->has_client ? &effect : NULL);
    bool fine = effect.command_reply.success;
    if (!fine && !self->venues[venue].account.halted) s_halt_account(self, venue);
    if (fine && self->venues[venue].account.halted) s_resume_account(self, venue);
    if (accepted) (void)s_visit_missing(self, venue, s_accept_missing); /* last: may be more than one commit takes */
    return SAGA_DONE;
}

/* ---- the end of a comparison ---- */
static void s_completed(void *arg, int32_t venue)
{
    turn_core_t *self = arg;
    reconcile_t *run = &self->venues[venue].reconcile;
    run->saga = SAGA_NONE;
    run->done = true;
    s_forget_client(run);
    ZVT_COUNT("reconciliations");
    saga_core_wake(self->sagas, &place_order_saga, STEP_ROUTE, self->monotonic_ns);
    recovery_check(self);
}

static void s_failed(void *arg, int32_t venue, const saga_step_t *step, uint8_t code, const char *message)
{
    turn_core_t *self = arg;
    reconcile_t *run = &self->venues[venue].reconcile;
    (void)step;
    run->saga = SAGA_NONE;
    run->again_ns = self->monotonic_ns + zvt_rng_pause_ns(&self->pauses, REPEAT_NS);
    if (run->has_client) commands_reply(self, &run->client, false, code, message);
    s_forget_client(run);
    ZVT_COUNT("reconciliations_failed");
}

static const saga_step_t s_reconciliation_steps[] = {
    [STEP_FETCH] = {.name = "fetch_executions", .service = TURN_EXECUTOR, .timeout_ns = ZVT_SECOND_NS, .attempts = 5,
                    .backoff_ns = 50 * ZVT_MS_NS, .begin = s_fetch},
    [STEP_COMPARE] = {.name = "compare_account", .service = TURN_EXECUTOR, .timeout_ns = 10 * ZVT_SECOND_NS, .attempts = 5,
                      .backoff_ns = 50 * ZVT_MS_NS, .begin = s_compare},
    [STEP_RECORD] = {.name = "record_result", .service = -1, .attempts = 1, .begin = s_record},
};
_Static_assert(sizeof s_reconciliation_steps / sizeof s_reconciliation_steps[0] == RECONCILIATION_STEPS, "a row for every step");

static const saga_type_t s_reconciliation = {.name = "system.reconciliation", .steps = s_reconciliation_steps,
                                             .steps_count = RECONCILIATION_STEPS, .failed = s_failed, .completed = s_completed};

/* ---- chores, commands ---- */
bool reconcile_waits(const turn_core_t *self)
{
    for (uint32_t i = 0; i < self->fleet->venues_count; i++)
        if (self->venues[i].reachable && !self->venues[i].reconcile.done) return true;
    return false;
}

void reconcile_chores(turn_core_t *self)
{
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        reconcile_t *run = &self->venues[i].reconcile;
        bool due = run->saga == SAGA_NONE && !run->done && self->venues[i].reachable && run->again_ns <= self->monotonic_ns;
        if (due && self->service_up[TURN_EXECUTOR]) s_start(self, (int32_t)i, "again");
        s_ask_again(self, (int32_t)i);
    }
    recovery_check(self);
}

void reconcile_on_request(turn_core_t *self, const turn_client_t *client, const zvt_reconcile_request_t *request)
{
    int venue = zvt_fleet_venue(self->fleet, request->exchange);
    if (!self->open) {
        commands_refuse_without_log(self, client);
    } else if (venue < 0) {
        commands_reply(self, client, false, ZVT_CODE_UNKNOWN_VENUE, "no such venue in the fleet file");
    } else if (!self->venues[venue].reachable) {
        commands_reply(self, client, false, ZVT_CODE_VENUE_UNREACHABLE, "there is no connection to the venue");
    } else if (self->venues[venue].reconcile.saga != SAGA_NONE) {
        commands_reply(self, client, false, ZVT_CODE_OVERLOADED, "a comparison is under way; ask again in a second");
    } else if (request->accept && request->reason[0] == '\0') {
        commands_reply(self, client, false, ZVT_CODE_MALFORMED, "accepting a difference needs a reason, for the log");
    } else {
        reconcile_t *run = &self->venues[venue].reconcile;
        run->client = *client;
        run->has_client = true;
        run->accept = request->accept;
        ZVT_STR_SET(run->requested_by, request->requested_by);
        ZVT_STR_SET(run->reason, request->reason);
        reconcile_begin(self, venue, "asked for");
    }
}

/* ---- accounts and what the log says about them ---- */
void reconcile_note(turn_core_t *self, const zvt_record_t *record)
{
    const char *exchange = "";
    switch (record->type) {
    case ZVT_T_ORDER_EXECUTED: exchange = record->order_executed.exchange; break;
    case ZVT_T_ACCOUNT_OPENED: exchange = record->account_opened.exchange; break;
    case ZVT_T_POSITION_ADJUSTED: exchange = record->position_adjusted.exchange; break;
    case ZVT_T_RISK_HALTED:
    case ZVT_T_RISK_RESUMED: exchange = record->risk_halted.exchange; break;
    default: return;
    }
    int venue = exchange[0] == '\0' ? -1 : zvt_fleet_venue(self->fleet, exchange);
    if (venue < 0) return;
    account_t *account = &self->venues[venue].account;
    const zvt_order_executed_t *executed = &record->order_executed;
    int status = 0;
    if (record->type == ZVT_T_ORDER_EXECUTED) {
        account_execution_t execution = {.symbol = executed->symbol, .side = executed->side,
                                         .quantity_e8 = executed->executed_quantity_e8, .notional_e8 = executed->notional_value_e8,
                                         .commission_e8 = executed->commission_e8, .commission_asset = executed->commission_asset};
        status = account_execute(account, &execution, false);
    } else if (record->type == ZVT_T_ACCOUNT_OPENED) {
        status = account_open(account, &record->account_opened);
    } else if (record->type == ZVT_T_POSITION_ADJUSTED) {
        status = account_adjust(account, &record->position_adjusted);
    } else {
        account->halted = record->type == ZVT_T_RISK_HALTED;
        ZVT_STR_SET(account->reason, account->halted ? record->risk_halted.reason : "");
    }
    if (status != 0) ZVT_COUNT("accounts_overflow");
}
