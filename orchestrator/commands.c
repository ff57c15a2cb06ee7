/* Commands: signals of strategies, requests of clients, and the clients that wait for an outcome. */
#include <inttypes.h>
#include <string.h>

#include "turn_world.h"
#include "zvt_fixed.h"
#include "zvt_planted.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { NONE = -1, WAITERS_PER_ORDER_MAX = 64, TIMEOUT_MAX_MS = 600000, SEQ_AHEAD_MAX = 65536, DEFAULT_PLACE_TIMEOUT_MS = 30000, DEFAULT_CANCEL_TIMEOUT_MS = 10000, WORDS_AROUND = 32 /* of a reason: its code before it, brackets */ };
#define SAGA_TIMEOUT_NS (30 * ZVT_SECOND_NS)
#define HALT_PATIENCE_NS (800 * ZVT_MS_NS) /* a halt is in force at once; its record may take longer than people wait */
#define ORDERS_IN_WORK_MAX (SAGAS_MAX - 1024)
#define DAY_NS (86400 * (uint64_t)ZVT_SECOND_NS)
/* Shorter than an ended order is remembered at full rate, or one that is forgotten would put the horizon beyond the present, and the
 * requests of others would be stale. */
enum { FULL_RATE_HZ = 15000, CREATED_AHEAD_S = 2 };
_Static_assert(ZVT_POOL(ORDERS_ENDED_MAX / FULL_RATE_HZ, CREATED_AHEAD_S) >= CREATED_AHEAD_S, "an order is forgotten before it was requested");

/* Why a new order cannot be taken now; OK if it can. */
static uint8_t s_admission(const turn_core_t *self)
{
    if (!self->open || turn_core_is_stalled(self)) return ZVT_CODE_LOG_UNAVAILABLE;
    bool room = turn_has_room(self) && order_core_has_room(self->orders) && saga_core_count(self->sagas) < ORDERS_IN_WORK_MAX;
    return room ? ZVT_CODE_OK : ZVT_CODE_OVERLOADED;
}

/* ---- acknowledging signals ---- */
static void s_fill_ack(effect_t *effect, const char *sender, uint64_t incarnation, uint64_t sender_seq, uint8_t code)
{
    memset(effect, 0, sizeof *effect);
    effect->kind = EFFECT_ACK;
    effect->order = NONE;
    effect->type = ZVT_T_SIGNAL_ACK;
    ZVT_STR_SET(effect->sender, sender);
    effect->signal_ack.incarnation = incarnation;
    effect->signal_ack.sender_seq = sender_seq;
    effect->signal_ack.code = code;
}

static void s_refuse_signal(turn_core_t *self, const zvt_signal_t *signal, uint8_t code, const char *message)
{
    effect_t ack;
    s_fill_ack(&ack, signal->sender, signal->incarnation, signal->sender_seq, code);
    ack.signal_ack.signal_id = signal->signal_id;
    ZVT_STR_SET(ack.signal_ack.message, message);
    turn_publish_ack(self, &ack);
    ZVT_COUNT("signals_refused");
}

/* A stale command: the number is too old, or the run is over. A run that is over says which one is known, so that a sender
 * whose clock was set back takes a higher one; and whether it may send the command again in that, because none of its own
 * run was ever taken or ever will be. */
static const char *s_explain_stale(const turn_core_t *self, effect_t *ack)
{
    uint64_t known = dedup_core_newest(self->senders, ack->sender), run = ack->signal_ack.incarnation;
    bool over = dedup_core_check(self->senders, ack->sender, run, UINT64_MAX) == DEDUP_STALE;
    ack->signal_ack.code = ZVT_CODE_STALE;
    if (!over) return "the number is too old";
    ack->signal_ack.known_run = known;
    ack->signal_ack.untaken = dedup_core_is_untaken(self->senders, ack->sender, run);
    ZVT_COUNT("runs_over");
    return "a later run of this sender is known; begin one above it";
}

static void s_refuse_stale(turn_core_t *self, const zvt_signal_t *signal)
{
    effect_t ack;
    s_fill_ack(&ack, signal->sender, signal->incarnation, signal->sender_seq, ZVT_CODE_STALE);
    ack.signal_ack.signal_id = signal->signal_id;
    ZVT_STR_SET(ack.signal_ack.message, s_explain_stale(self, &ack));
    turn_publish_ack(self, &ack);
    ZVT_COUNT("signals_refused");
}

/* What one strategy or sender may take of what all share: OK, or the code and text of the refusal. */
static uint8_t s_share(turn_core_t *self, const char *sender, const char *portfolio_id, const char *strategy_id,
                       const char *symbol, char message[ZVT_MESSAGE_SIZE])
{
    admission_verdict_t verdict = admission_core_take(self->admission, sender, strategy_id, self->monotonic_ns);
    if (verdict != ADMISSION_TAKEN) {
        if (verdict == ADMISSION_SENDER_NAMES || verdict == ADMISSION_NEW_NAMES) ZVT_COUNT("strategies_refused");
        admission_core_explain(self->admission, verdict, message);
        return ZVT_CODE_SIGNAL_RATE;
    }
    if (turn_has_room_for_position(self, portfolio_id, strategy_id, symbol)) return ZVT_CODE_OK;
    ZVT_COUNT("positions_refused");
    snprintf(message, ZVT_MESSAGE_SIZE, "the log has its %d positions: orders for those pass, also closed ones; not recorded", POSITIONS_MAX);
    return ZVT_CODE_POSITIONS_FULL;
}

static const char *s_strategy_of(const zvt_signal_t *signal)
{
    return signal->strategy_id[0] != '\0' ? signal->strategy_id : signal->sender;
}

/* A name, or what stands for it when it is left out. */
static const char *s_or(const char *name, const char *otherwise)
{
    return name[0] != '\0' ? name : otherwise;
}

/* Not marked as taken: the same number may be sent again when there is a token. */
static bool s_refuse_share(turn_core_t *self, const zvt_signal_t *signal)
{
    char message[ZVT_MESSAGE_SIZE];
    uint8_t code = s_share(self, signal->sender, s_or(signal->portfolio_id, "main"), s_strategy_of(signal),
                           signal->order_request.symbol, message);
    if (code == ZVT_CODE_OK) return false;
    if (code == ZVT_CODE_SIGNAL_RATE) ZVT_COUNT("signals_over_rate");
    s_refuse_signal(self, signal, code, message);
    return true;
}

/* Seen before: the first answer stands, and is given again once it is durable. */
static void s_ack_duplicate(turn_core_t *self, const zvt_signal_t *signal, const order_t *order)
{
    ZVT_COUNT("signals_duplicate");
    if (order != NULL && (order->first_seq == 0 || order->first_seq > self->committed_seq)) return; /* the ack is on its way */
    effect_t ack;
    s_fill_ack(&ack, signal->sender, signal->incarnation, signal->sender_seq, ZVT_CODE_DUPLICATE);
    ack.signal_ack.signal_id = signal->signal_id;
    if (order != NULL) {
        ack.signal_ack.order_id = order->order_id;
        ack.signal_ack.seq = order->first_seq;
    } else {
        ZVT_STR_SET(ack.signal_ack.message, "sender_seq was taken by another signal, or by one whose order is forgotten");
    }
    turn_publish_ack(self, &ack);
}

/* A single wild number would lock the sender out: every honest one after it would count as stale. After a clock was set back
 * the runs that are known may lie ahead of it, and the next has to be above them. */
static bool s_is_sane(const turn_core_t *self, const char *sender, uint64_t incarnation, uint64_t sender_seq)
{
    uint64_t known = dedup_core_newest(self->senders, sender), now = (uint64_t)self->utc_ns;
    return incarnation <= (known > now ? known : now) + DAY_NS && sender_seq <= dedup_core_high(self->senders, sender, incarnation) + SEQ_AHEAD_MAX;
}

/* ---- making an order ---- */
static order_t *s_request_order(turn_core_t *self, zvt_order_requested_t *event)
{
    event->order_id = zvt_idgen_next(&self->ids, self->utc_ns);
    event->deadline_ns = self->utc_ns + SAGA_TIMEOUT_NS;
    if (event->order_request.order_type == ZVT_ORDER_TYPE_MARKET && event->order_request.time_in_force == 0)
        event->order_request.time_in_force = ZVT_TIF_IOC;
    turn_emit(self, NULL, ZVT_T_ORDER_REQUESTED, event);
    ZVT_COUNT("orders_requested");
    return order_core_by_id(self->orders, &event->order_id);
}

void commands_on_signal(turn_core_t *self, const zvt_signal_t *signal)
{
    ZVT_COUNT("signals");
    order_t *known = order_core_by_signal(self->orders, &signal->signal_id);
    dedup_verdict_t seen = dedup_core_check(self->senders, signal->sender, signal->incarnation, signal->sender_seq);
    uint8_t admission = s_admission(self);
    if (ZVT_PLANTED(NO_DEDUPLICATION)) known = NULL, seen = DEDUP_NEW;
    if (signal->sender[0] == '\0' || zvt_id_is_none(&signal->signal_id) || signal->sender_seq == 0) {
        s_refuse_signal(self, signal, ZVT_CODE_MALFORMED, "a signal needs sender, signal_id and sender_seq");
    } else if (!self->open) {
        /* The log may hold an order for it: without the log no other answer is sure, however old or odd it looks. */
        s_refuse_signal(self, signal, ZVT_CODE_LOG_UNAVAILABLE, "send it again later");
    } else if (!s_is_sane(self, signal->sender, signal->incarnation, signal->sender_seq)) {
        s_refuse_signal(self, signal, ZVT_CODE_MALFORMED,
                        "incarnation is the sender's start in UTC ns, at most a day ahead; sender_seq counts 1, 2, 3 ..");
    } else if (known != NULL || seen == DEDUP_DUPLICATE) {
        s_ack_duplicate(self, signal, known);
    } else if (seen == DEDUP_STALE) {
        s_refuse_stale(self, signal);
    } else if (signal->order_request.expires_at_ns != 0 && signal->order_request.expires_at_ns <= self->utc_ns && !ZVT_PLANTED(SEND_EXPIRED)) {
        s_refuse_signal(self, signal, ZVT_CODE_STALE, "expired before it arrived");
    } else if (admission != ZVT_CODE_OK) {
        s_refuse_signal(self, signal, admission, "send it again later");
    } else if (!s_refuse_share(self, signal)) {
        zvt_order_requested_t event = {.order_request = signal->order_request, .signal_id = signal->signal_id,
                                       .incarnation = signal->incarnation, .sender_seq = signal->sender_seq,
                                       .confidence_e8 = signal->confidence_e8};
        ZVT_STR_SET(event.user_id, signal->sender);
        ZVT_STR_SET(event.sender, signal->sender);
        ZVT_STR_SET(event.strategy_id, s_strategy_of(signal));
        ZVT_STR_SET(event.portfolio_id, s_or(signal->portfolio_id, "main"));
        dedup_core_mark(self->senders, signal->sender, signal->incarnation, signal->sender_seq);
        order_t *order = s_request_order(self, &event);
        effect_t ack;
        s_fill_ack(&ack, signal->sender, signal->incarnation, signal->sender_seq, ZVT_CODE_OK);
        ack.signal_ack.signal_id = signal->signal_id;
        ack.signal_ack.order_id = order->order_id;
        ack.order = order->index;
        turn_after(self, order, &ack);
        place_order_start(self, order);
    }
}

void commands_on_signal_cancel(turn_core_t *self, const zvt_signal_cancel_t *cancel)
{
    ZVT_COUNT("signal_cancels");
    order_t *order = order_core_by_signal(self->orders, &cancel->signal_id);
    if (order == NULL) order = order_core_by_id(self->orders, &cancel->order_id);
    dedup_verdict_t seen = dedup_core_check(self->senders, cancel->sender, cancel->incarnation, cancel->sender_seq);
    effect_t ack;
    s_fill_ack(&ack, cancel->sender, cancel->incarnation, cancel->sender_seq, ZVT_CODE_OK);
    ack.signal_ack.signal_id = cancel->signal_id;
    if (!self->open)
        ack.signal_ack.code = ZVT_CODE_LOG_UNAVAILABLE;
    else if (!s_is_sane(self, cancel->sender, cancel->incarnation, cancel->sender_seq))
        ack.signal_ack.code = ZVT_CODE_MALFORMED;
    else if (seen == DEDUP_DUPLICATE)
        ack.signal_ack.code = ZVT_CODE_DUPLICATE;
    else if (seen == DEDUP_STALE)
        ZVT_STR_SET(ack.signal_ack.message, s_explain_stale(self, &ack));
    else if (turn_core_is_stalled(self))
        ack.signal_ack.code = ZVT_CODE_LOG_UNAVAILABLE;
    else if (order == NULL)
        ack.signal_ack.code = ZVT_CODE_UNKNOWN_ORDER;
    else if (order_is_ended(order))
        ack.signal_ack.code = ZVT_CODE_ORDER_ENDED;
    else if (!order->cancel_pending && !turn_has_room_for_command(self))
        ack.signal_ack.code = ZVT_CODE_OVERLOADED;
    if (order != NULL) ack.signal_ack.order_id = order->order_id;
    /* What it repeats, another cancel that is on its way already or the end may not be durable yet: nothing is kept for it, because
     * who has no ack sends again. */
    bool on_its_way = order != NULL && (ack.signal_ack.code == ZVT_CODE_DUPLICATE || ack.signal_ack.code == ZVT_CODE_ORDER_ENDED ||
                                        (ack.signal_ack.code == ZVT_CODE_OK && order->cancel_pending));
    if (on_its_way && !turn_is_durable(self, order)) return;
    if (on_its_way || ack.signal_ack.code != ZVT_CODE_OK) {
        turn_publish_ack(self, &ack);
        return;
    }
    ack.order = order->index;
    dedup_core_mark(self->senders, cancel->sender, cancel->incarnation, cancel->sender_seq);
    place_order_cancel(self, order, cancel->sender, cancel->incarnation, cancel->sender_seq);
    turn_after(self, order, &ack);
}

/* ---- clients that wait ---- */
/* NULL when too many clients wait, for this order or altogether. */
static waiter_t *s_wait(turn_core_t *self, order_t *order, const turn_client_t *client, uint8_t wait, uint32_t timeout_ms)
{
    int32_t index = self->waiters_free;
    uint32_t waiting = 0;
    for (int32_t at = order->waiters; at != NONE; at = self->waiters[at].next) waiting++;
    if (index == NONE || waiting >= WAITERS_PER_ORDER_MAX) return NULL;
    if (timeout_ms > TIMEOUT_MAX_MS) timeout_ms = TIMEOUT_MAX_MS;
    waiter_t *waiter = &self->waiters[index];
    self->waiters_free = waiter->next;
    self->waiters_used++;
    *waiter = (waiter_t){.client = *client, .wait = wait, .order = order->index, .arrived_ns = self->monotonic_ns,
                         .deadline_ns = self->monotonic_ns + timeout_ms * ZVT_MS_NS, .next = order->waiters, .used = true};
    order->waiters = index;
    return waiter;
}

static bool s_is_met(const order_t *order, uint8_t wait)
{
    if (order_is_ended(order)) return order->fills_pending == 0;
    bool rests = order->terms.time_in_force == ZVT_TIF_GTC &&
                 (order->state == ZVT_ORDER_STATE_ACCEPTED || order->state == ZVT_ORDER_STATE_PARTIALLY_FILLED);
    if (wait == ZVT_WAIT_ACCEPTED) return rests && order->fills_pending == 0;
    return wait == ZVT_WAIT_COMMITTED;
}

static bool s_is_success(const order_t *order, uint8_t wait)
{
    if (order->state == ZVT_ORDER_STATE_FILLED) return true;
    if (order_is_ended(order)) return order->cum_qty_e8 > 0;
    return wait != ZVT_WAIT_FILLED && s_is_met(order, wait);
}

static void s_place_message(const order_t *order, const zvt_place_reply_t *reply, char message[ZVT_MESSAGE_SIZE])
{
    if (order->code != ZVT_CODE_OK && order->code != 0)
        snprintf(message, ZVT_MESSAGE_SIZE, "%s%s%.120s", zvt_code_text(order->code), order->message[0] != '\0' ? " " : "",
                 order->message);
    else
        snprintf(message, ZVT_MESSAGE_SIZE, "%s", zvt_order_state_text(reply->state));
}

static void s_answer_place(turn_core_t *self, order_t *order, const waiter_t *waiter)
{
    effect_t effect = {.kind = EFFECT_REPLY, .type = ZVT_T_PLACE_REPLY, .client = waiter->client};
    zvt_place_reply_t *reply = &effect.place_reply;
    ZVT_STR_SET(reply->request_id, waiter->request_id);
    reply->success = s_is_success(order, waiter->wait);
    reply->order_id = order->order_id;
    reply->correlation_id = order->correlation_id;
    reply->state = order_shown_state(order);
    reply->code = order->code;
    bool too_late = !s_is_met(order, waiter->wait);
    if (too_late) reply->code = ZVT_CODE_SERVICE_TIMEOUT;
    s_place_message(order, reply, reply->message);
    if (too_late)
        snprintf(reply->message, sizeof reply->message, "still %s when the waiting time was over; it goes on",
                 zvt_order_state_text(reply->state));
    ZVT_STR_SET(reply->exchange, order->exchange);
    ZVT_STR_SET(reply->exchange_order_id, order->exchange_order_id);
    reply->filled_quantity_e8 = order->cum_qty_e8;
    reply->avg_fill_price_e8 = order_average_price_e8(order);
    reply->commission_e8 = order->commission_e8;
    ZVT_STR_SET(reply->commission_asset, order->commission_asset);
    reply->latency_ms_e8 = (self->monotonic_ns - waiter->arrived_ns) * (ZVT_E8 / ZVT_MS_NS);
    turn_after(self, order, &effect);
}

/* What became of it cannot be told now: it may be in the log or not. */
static void s_answer_unavailable(turn_core_t *self, const order_t *order, const waiter_t *waiter, const char *message)
{
    zvt_place_reply_t place = {.order_id = order->order_id, .correlation_id = order->correlation_id, .code = ZVT_CODE_LOG_UNAVAILABLE};
    zvt_cancel_reply_t cancel = {.order_id = order->order_id, .code = ZVT_CODE_LOG_UNAVAILABLE};
    ZVT_STR_SET(place.request_id, waiter->request_id);
    ZVT_STR_SET(place.message, message);
    ZVT_STR_SET(cancel.message, message);
    if (waiter->wait != 0)
        self->io.reply(self->io.arg, &waiter->client, ZVT_T_PLACE_REPLY, &place);
    else
        self->io.reply(self->io.arg, &waiter->client, ZVT_T_CANCEL_REPLY, &cancel);
}

static void s_answer_cancel(turn_core_t *self, order_t *order, const waiter_t *waiter, uint8_t code, const char *message)
{
    effect_t effect = {.kind = EFFECT_REPLY, .type = ZVT_T_CANCEL_REPLY, .client = waiter->client};
    zvt_cancel_reply_t *reply = &effect.cancel_reply;
    reply->success = order->state == ZVT_ORDER_STATE_CANCELED;
    reply->order_id = order->order_id;
    reply->state = order_shown_state(order);
    reply->code = reply->success ? ZVT_CODE_OK : code;
    ZVT_STR_SET(reply->message, message);
    reply->cum_qty_e8 = order->cum_qty_e8;
    reply->leaves_qty_e8 = order->terms.quantity_e8 - order->cum_qty_e8;
    turn_after(self, order, &effect);
}

static void s_answer(turn_core_t *self, order_t *order, const waiter_t *waiter)
{
    if (waiter->wait != 0) {
        s_answer_place(self, order, waiter);
        return;
    }
    bool ended = order_is_ended(order);
    s_answer_cancel(self, order, waiter, ended ? ZVT_CODE_ORDER_ENDED : ZVT_CODE_SERVICE_TIMEOUT,
                    ended ? zvt_order_state_text(order->state) : "the venue has not confirmed it yet; it goes on");
}

static void s_free_waiter(turn_core_t *self, int32_t index)
{
    self->waiters[index].used = false;
    self->waiters[index].next = self->waiters_free;
    self->waiters_free = index;
    self->waiters_used--;
}

void commands_answer(turn_core_t *self, order_t *order, bool force)
{
    int32_t *link = &order->waiters;
    while (*link != NONE) {
        int32_t index = *link;
        waiter_t *waiter = &self->waiters[index];
        bool due = force && waiter->deadline_ns <= self->monotonic_ns;
        bool met = waiter->wait == 0 ? order_is_ended(order) && order->fills_pending == 0 : s_is_met(order, waiter->wait);
        if (!met && !due) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        /* An answer that waits for the commit would outlast the client's patience. */
        if (due && turn_core_is_stalled(self))
            s_answer_unavailable(self, order, waiter, "LOG_UNAVAILABLE the event log does not answer; look with 'fleet orders' once it does");
        else
            s_answer(self, order, waiter);
        s_free_waiter(self, index);
    }
}

void commands_cancel_failed(turn_core_t *self, order_t *order, uint8_t code, const char *message)
{
    int32_t *link = &order->waiters;
    while (*link != NONE) {
        int32_t index = *link;
        waiter_t *waiter = &self->waiters[index];
        if (waiter->wait != 0) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        s_answer_cancel(self, order, waiter, code, message);
        s_free_waiter(self, index);
    }
}

/* ---- without the log ---- */
void commands_explain_log(const turn_core_t *self, const char *what, char message[ZVT_MESSAGE_SIZE])
{
    const char *why = self->open ? "a commit has not been confirmed for over a second"
                      : self->log_away[0] != '\0' ? self->log_away : "it is being read";
    int room = (int)(ZVT_MESSAGE_SIZE - strlen(what)) - WORDS_AROUND;
    snprintf(message, ZVT_MESSAGE_SIZE, "%s (event log: %.*s)", what, room > 0 ? room : 0, why);
}

void commands_refuse_without_log(turn_core_t *self, const turn_client_t *client)
{
    char message[ZVT_MESSAGE_SIZE];
    commands_explain_log(self, "nothing was done; try again", message);
    commands_reply(self, client, false, ZVT_CODE_LOG_UNAVAILABLE, message);
}

/* What a halt is worth that the log does not have. */
static const char *s_halted_unrecorded(const turn_core_t *self)
{
    return self->halt_unstored ? "halted, but neither the log nor the disk takes it now: it would not outlive the orchestrator's process"
                               : "halted; recorded when the event log is back";
}

/* Answers a halt when it is durable, or when it has taken too long to become so. */
static void s_answer_halts(turn_core_t *self, bool lost)
{
    for (uint32_t i = 0; i < HALTS_MAX; i++) {
        halt_waiter_t *waiter = &self->halts[i];
        if (waiter->seq == 0) continue;
        bool durable = waiter->seq <= self->committed_seq;
        if (!durable && !lost && self->monotonic_ns < waiter->deadline_ns) continue;
        zvt_command_reply_t reply = {.success = true, .code = ZVT_CODE_OK, .seq = durable ? waiter->seq : 0};
        ZVT_STR_SET(reply.message, durable ? "halted" : s_halted_unrecorded(self));
        self->io.reply(self->io.arg, &waiter->client, ZVT_T_COMMAND_REPLY, &reply);
        waiter->seq = 0;
    }
}

void commands_on_commit(turn_core_t *self)
{
    s_answer_halts(self, false);
}

/* A halt that found the batch full is in force, and recorded as soon as there is room. */
static void s_record_halt(turn_core_t *self)
{
    if (!self->halt_unrecorded || turn_emit_system(self, ZVT_T_RISK_HALTED, &self->halt_record, NULL) != 0) return;
    self->halt_unrecorded = false;
}

void commands_chores(turn_core_t *self)
{
    s_answer_halts(self, false);
    s_record_halt(self);
    if (self->waiters_used == 0) return;
    for (int32_t i = 0; i < WAITERS_MAX; i++) {
        waiter_t *waiter = &self->waiters[i];
        if (waiter->used && waiter->deadline_ns <= self->monotonic_ns)
            commands_answer(self, order_core_at(self->orders, waiter->order), true);
    }
}

void commands_abandon(turn_core_t *self)
{
    s_answer_halts(self, true);
    static const char message[] = "LOG_UNAVAILABLE the event log was lost while this was under way; look with 'fleet orders' once it is back";
    for (int32_t i = 0; i < WAITERS_MAX && self->waiters_used > 0; i++) {
        waiter_t *waiter = &self->waiters[i];
        if (!waiter->used) continue;
        s_answer_unavailable(self, order_core_at(self->orders, waiter->order), waiter, message);
        s_free_waiter(self, i);
    }
}

/* ---- requests ---- */
static void s_refuse_place(turn_core_t *self, const turn_client_t *client, const zvt_place_request_t *request, uint8_t code,
                           const char *message)
{
    zvt_place_reply_t reply = {.code = code};
    ZVT_STR_SET(reply.request_id, request->request_id);
    snprintf(reply.message, sizeof reply.message, "%s %s", zvt_code_text(code), message);
    self->io.reply(self->io.arg, client, ZVT_T_PLACE_REPLY, &reply);
    ZVT_COUNT("requests_refused");
}

static void s_refuse_unadmitted(turn_core_t *self, const turn_client_t *client, const zvt_place_request_t *request, uint8_t code)
{
    char message[ZVT_MESSAGE_SIZE] = "too much is in work; nothing was done, try again";
    /* A log that has not been read may hold an order for it. */
    bool unknown = !self->open && request->request_id[0] != '\0';
    const char *what = unknown ? "whether it was taken before is not known; send it again with the same request id" : "nothing was done; try again";
    if (code == ZVT_CODE_LOG_UNAVAILABLE) commands_explain_log(self, what, message);
    s_refuse_place(self, client, request, code, message);
}

/* A copy of a request that has its order, at a time when no answer can wait for the log: it learns which order that is, and
 * whether that is for good. */
static void s_answer_taken(turn_core_t *self, const turn_client_t *client, const zvt_place_request_t *request, const order_t *order,
                           uint8_t code)
{
    zvt_place_reply_t reply = {.order_id = order->order_id, .correlation_id = order->correlation_id, .code = code};
    ZVT_STR_SET(reply.request_id, request->request_id);
    snprintf(reply.message, sizeof reply.message, "%s %s", zvt_code_text(code),
             turn_is_durable(self, order) ? "this request was taken before; look with 'fleet orders'"
                                          : "this request came before and is not recorded yet; send it again with the same request id");
    self->io.reply(self->io.arg, client, ZVT_T_PLACE_REPLY, &reply);
    ZVT_COUNT("requests_repeated");
}

/* The same request id asks for the same order of the same strategy, or it is a mistake. */
static bool s_is_same(const order_t *order, const zvt_place_request_t *request, const char *portfolio_id, const char *strategy_id)
{
    const zvt_order_request_t *a = &order->terms, *b = &request->order_request;
    bool same_terms = strcmp(a->symbol, b->symbol) == 0 && a->side == b->side && a->order_type == b->order_type &&
                      a->time_in_force == b->time_in_force && a->post_only == b->post_only && a->quantity_e8 == b->quantity_e8 &&
                      a->limit_price_e8 == b->limit_price_e8 && a->trigger_price_e8 == b->trigger_price_e8 && strcmp(a->venue, b->venue) == 0;
    return same_terms && strcmp(order->portfolio_id, portfolio_id) == 0 && strcmp(order->strategy_id, strategy_id) == 0 &&
           strcmp(order->user_id, request->user_id) == 0;
}

/* Whether a request with an unknown id is a new one; else why not, and the message says what to do. What it is compared with
 * is what clients said before, so that no clock can make a copy look new. */
static uint8_t s_check_created(const turn_core_t *self, const zvt_place_request_t *request, char message[ZVT_MESSAGE_SIZE])
{
    int64_t horizon_ns = order_core_horizon_ns(self->orders);
    int64_t latest_ns = (self->utc_ns > horizon_ns ? self->utc_ns : horizon_ns) + CREATED_AHEAD_S * ZVT_SECOND_NS;
    if (request->request_id[0] == '\0' || request->created_at_ns == 0) return ZVT_CODE_OK;
    if (request->created_at_ns < 0 || request->created_at_ns > latest_ns) {
        snprintf(message, ZVT_MESSAGE_SIZE, "created_at is when the request was first made, in UTC ns; this one lies ahead of the clock here");
        return ZVT_CODE_MALFORMED;
    }
    if (request->created_at_ns > horizon_ns) return ZVT_CODE_OK;
    char time[ZVT_TIME_TEXT];
    zvt_time_format(horizon_ns, time);
    snprintf(message, ZVT_MESSAGE_SIZE, "request ids are remembered for the last %d ended orders, now back to %s; look for the order in the log",
             ORDERS_ENDED_MAX, time);
    ZVT_COUNT("requests_stale");
    return ZVT_CODE_STALE;
}

/* Whether a request may become a new order; if not, the client has been told. Clients are told apart by the user they name. */
static bool s_may_request(turn_core_t *self, const turn_client_t *client, const zvt_place_request_t *request,
                          const char *portfolio_id, const char *strategy_id)
{
    char message[ZVT_MESSAGE_SIZE];
    uint8_t code = s_check_created(self, request, message);
    if (code == ZVT_CODE_OK)
        code = s_share(self, s_or(request->user_id, "client"), portfolio_id, strategy_id, request->order_request.symbol, message);
    if (code == ZVT_CODE_OK) return true;
    if (code == ZVT_CODE_SIGNAL_RATE) ZVT_COUNT("requests_over_rate");
    s_refuse_place(self, client, request, code, message);
    return false;
}

void commands_on_place(turn_core_t *self, const turn_client_t *client, const zvt_place_request_t *request)
{
    ZVT_COUNT("requests");
    uint8_t wait = request->wait != 0 ? request->wait : ZVT_WAIT_ACCEPTED;
    uint32_t timeout_ms = request->timeout_ms != 0 ? request->timeout_ms : DEFAULT_PLACE_TIMEOUT_MS;
    order_t *order = order_core_by_request(self->orders, request->request_id);
    bool fresh = order == NULL;
    const char *strategy_id = s_or(request->strategy_id, "manual"), *portfolio_id = s_or(request->portfolio_id, "main");
    if (!fresh && !s_is_same(order, request, portfolio_id, strategy_id)) {
        s_refuse_place(self, client, request, ZVT_CODE_DUPLICATE, "this request id belongs to another order; use a new one");
        return;
    }
    uint8_t admission = s_admission(self);
    if (admission == ZVT_CODE_OK && self->waiters_free == NONE) admission = ZVT_CODE_OVERLOADED;
    if (admission != ZVT_CODE_OK) {
        if (fresh)
            s_refuse_unadmitted(self, client, request, admission);
        else
            s_answer_taken(self, client, request, order, admission);
        return;
    }
    if (fresh && !s_may_request(self, client, request, portfolio_id, strategy_id)) return;
    if (fresh) {
        zvt_order_requested_t event = {.order_request = request->order_request, .created_at_ns = request->created_at_ns};
        ZVT_STR_SET(event.user_id, request->user_id);
        ZVT_STR_SET(event.strategy_id, strategy_id);
        ZVT_STR_SET(event.portfolio_id, portfolio_id);
        ZVT_STR_SET(event.request_id, request->request_id);
        order = s_request_order(self, &event);
    }
    waiter_t *waiter = s_wait(self, order, client, wait, timeout_ms);
    if (waiter == NULL) { /* too many wait for this order already */
        s_answer_taken(self, client, request, order, ZVT_CODE_OVERLOADED);
        return;
    }
    ZVT_STR_SET(waiter->request_id, request->request_id);
    if (fresh) place_order_start(self, order);
    commands_answer(self, order, false);
}

/* Why a cancel changes nothing; OK if it does. */
static uint8_t s_check_cancel(const turn_core_t *self, const order_t *order)
{
    bool room = turn_has_room_for_command(self);
    if (!self->open) return ZVT_CODE_LOG_UNAVAILABLE;
    if (order == NULL) return ZVT_CODE_UNKNOWN_ORDER;
    if (!order_is_ended(order)) return order->cancel_pending || room ? ZVT_CODE_OK : ZVT_CODE_OVERLOADED;
    if (turn_is_durable(self, order)) return ZVT_CODE_ORDER_ENDED;
    if (turn_core_is_stalled(self)) return ZVT_CODE_LOG_UNAVAILABLE;
    return room ? ZVT_CODE_ORDER_ENDED : ZVT_CODE_OVERLOADED;
}

static void s_refuse_cancel(turn_core_t *self, const turn_client_t *client, const zvt_cancel_request_t *request, order_t *order, uint8_t code)
{
    effect_t effect = {.kind = EFFECT_REPLY, .type = ZVT_T_CANCEL_REPLY, .client = *client};
    zvt_cancel_reply_t *reply = &effect.cancel_reply;
    reply->order_id = order == NULL ? request->order_id : order->order_id;
    reply->code = code;
    if (order != NULL && (code == ZVT_CODE_ORDER_ENDED || turn_is_durable(self, order))) {
        reply->state = order->state;
        reply->cum_qty_e8 = order->cum_qty_e8;
    }
    const char *why = order == NULL ? "not among the open and recent orders" : zvt_order_state_text(order->state);
    ZVT_STR_SET(reply->message, code == ZVT_CODE_OVERLOADED ? "no room for a cancel now; nothing was done, try again" : why);
    if (code == ZVT_CODE_LOG_UNAVAILABLE) commands_explain_log(self, "the orchestrator cannot cancel now", reply->message);
    /* An end that is on its way into the log may be taken back by a crash: it is told once it cannot. */
    if (code == ZVT_CODE_ORDER_ENDED)
        turn_after(self, order, &effect);
    else
        self->io.reply(self->io.arg, client, ZVT_T_CANCEL_REPLY, reply);
}

void commands_on_cancel(turn_core_t *self, const turn_client_t *client, const zvt_cancel_request_t *request)
{
    ZVT_COUNT("requests");
    order_t *order = order_core_by_either(self->orders, &request->order_id);
    uint8_t code = s_check_cancel(self, order);
    if (code != ZVT_CODE_OK) {
        s_refuse_cancel(self, client, request, order, code);
        return;
    }
    uint32_t timeout_ms = request->timeout_ms != 0 ? request->timeout_ms : DEFAULT_CANCEL_TIMEOUT_MS;
    /* A cancel never depends on room for its answer. */
    if (!turn_has_room_for_command(self) || s_wait(self, order, client, 0, timeout_ms) == NULL) {
        zvt_cancel_reply_t reply = {.order_id = order->order_id, .state = order_shown_state(order), .code = ZVT_CODE_OVERLOADED};
        ZVT_STR_SET(reply.message, "the cancel is on its way; too many clients wait to be told its outcome");
        self->io.reply(self->io.arg, client, ZVT_T_CANCEL_REPLY, &reply);
    }
    if (!order->cancel_pending) place_order_cancel(self, order, request->requested_by, 0, 0);
}

void commands_reply(turn_core_t *self, const turn_client_t *client, bool success, uint8_t code, const char *message)
{
    zvt_command_reply_t reply = {.success = success, .code = code}; /* seq 0: it is not recorded */
    ZVT_STR_SET(reply.message, message);
    self->io.reply(self->io.arg, client, ZVT_T_COMMAND_REPLY, &reply);
}

bool commands_record(turn_core_t *self, const turn_client_t *client, zvt_type_t type, const void *payload, const char *message)
{
    effect_t effect = {.kind = EFFECT_REPLY, .type = ZVT_T_COMMAND_REPLY, .client = *client};
    effect.command_reply.success = true;
    effect.command_reply.code = ZVT_CODE_OK;
    ZVT_STR_SET(effect.command_reply.message, message);
    if (!self->open || turn_core_is_stalled(self))
        commands_refuse_without_log(self, client);
    else if (turn_emit_system(self, type, payload, &effect) != 0)
        commands_reply(self, client, false, ZVT_CODE_OVERLOADED, "no room now; try again");
    else
        return true;
    return false;
}

static void s_halt(turn_core_t *self, const turn_client_t *client, const zvt_halt_request_t *request)
{
    halt_waiter_t *waiter = NULL;
    self->halt_record = (zvt_risk_halted_t){.requested_by = ""};
    ZVT_STR_SET(self->halt_record.requested_by, request->requested_by);
    ZVT_STR_SET(self->halt_record.reason, request->reason);
    self->halt_unrecorded = self->halted = true;
    ZVT_STR_SET(self->halt_reason, request->reason);
    s_record_halt(self);
    for (uint32_t i = 0; i < HALTS_MAX && !self->halt_unrecorded && waiter == NULL; i++)
        if (self->halts[i].seq == 0) waiter = &self->halts[i];
    if (waiter == NULL)
        commands_reply(self, client, true, ZVT_CODE_OK, s_halted_unrecorded(self));
    else
        *waiter = (halt_waiter_t){.client = *client, .seq = self->next_seq - 1, .deadline_ns = self->monotonic_ns + HALT_PATIENCE_NS};
}

void commands_on_halt(turn_core_t *self, const turn_client_t *client, const zvt_halt_request_t *request)
{
    if (!self->open) {
        /* The main program has latched it: it is in force now and recorded when the log is back. */
        if (request->halt)
            commands_reply(self, client, true, ZVT_CODE_OK, s_halted_unrecorded(self));
        else
            commands_refuse_without_log(self, client);
        return;
    }
    bool resuming = self->resumed_seq > self->committed_seq; /* recorded again, so that nobody is told before it is durable */
    if (request->halt == self->halted && !resuming) {
        commands_reply(self, client, true, ZVT_CODE_OK, request->halt ? "halted already" : "not halted");
        return;
    }
    if (request->halt) {
        s_halt(self, client, request);
        return;
    }
    zvt_risk_resumed_t event = {.requested_by = ""};
    ZVT_STR_SET(event.requested_by, request->requested_by);
    ZVT_STR_SET(event.reason, request->reason);
    if (!commands_record(self, client, ZVT_T_RISK_RESUMED, &event, "resumed")) return;
    self->halted = self->halt_unrecorded = false;
    self->halt_reason[0] = '\0';
}

void commands_on_barrier(turn_core_t *self, const turn_client_t *client, const zvt_barrier_request_t *request)
{
    zvt_system_barrier_t event;
    memset(&event, 0, sizeof event);
    ZVT_STR_SET(event.requested_by, request->requested_by);
    ZVT_STR_SET(event.request_id, request->request_id);
    /* The digest speaks of the log up to the barrier, so nothing may be in the core that is not in the log. */
    if (self->open && (!turn_flush_all(self) || self->halt_unrecorded)) {
        commands_reply(self, client, false, ZVT_CODE_OVERLOADED, "no room now; try again");
        return;
    }
    if (commands_record(self, client, ZVT_T_SYSTEM_BARRIER, &event, "barrier written")) turn_note_digest(self, self->next_seq - 1);
}
