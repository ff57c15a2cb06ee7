#include "sim_oracle.h"

#include <inttypes.h>
#include <string.h>

#include "portfolio_core.h"
#include "risk_core.h"
#include "sim_db.h"
#include "sim_oracle_state.h"
#include "sim_procs.h"
#include "turn_core.h"

oracle_t oracle;

/* ---- the model's tables ---- */
int32_t oracle_find(const zvt_map_t *map, const void *key)
{
    uint32_t index = zvt_map_get(map, key);
    return index == ZVT_MAP_NONE ? ORACLE_NONE : (int32_t)index;
}

const char *oracle_name(const oracle_order_t *order)
{
    static char text[ZVT_ID_TEXT];
    zvt_id_format(&order->order_id, text);
    return text;
}

oracle_order_t *oracle_order_of(const char *client_order_id)
{
    char hex[33] = "";
    zvt_id_t id;
    memcpy(hex, client_order_id, 32);
    int32_t index = zvt_id_parse(hex, &id) != 0 ? ORACLE_NONE : oracle_find(oracle.by_order, &id);
    return index == ORACLE_NONE ? NULL : &oracle.orders[index];
}

oracle_child_t *oracle_child(const char *client_order_id)
{
    char key[ZVT_CLIENT_ORDER_SIZE] = {0};
    ZVT_STR_SET(key, client_order_id);
    int32_t index = oracle_find(oracle.by_child, key);
    if (index == ORACLE_NONE) {
        index = (int32_t)oracle.children_count++;
        ZVT_ASSERT(index < ORACLE_CHILDREN_MAX);
        ZVT_ASSERT(zvt_map_put(oracle.by_child, key, (uint32_t)index) == 0);
        oracle.children[index] = (oracle_child_t){.venue = -1};
        memcpy(oracle.children[index].client_order_id, key, sizeof key);
    }
    const oracle_order_t *order = oracle_order_of(client_order_id);
    oracle.children[index].order = order == NULL ? ORACLE_NONE : (int32_t)(order - oracle.orders);
    return &oracle.children[index];
}

bool oracle_is_stranger(const char *client_order_id)
{
    return strncmp(client_order_id, SIM_STRANGER, sizeof SIM_STRANGER - 1) == 0;
}

static const char *s_name_of(const oracle_child_t *child)
{
    return child->order == ORACLE_NONE ? child->client_order_id : oracle_name(&oracle.orders[child->order]);
}

void sim_oracle_reset(void)
{
    if (oracle.by_order == NULL) {
        oracle.by_order = zvt_map_new(sizeof(zvt_id_t), ORACLE_ORDERS_MAX);
        oracle.by_correlation = zvt_map_new(sizeof(zvt_id_t), ORACLE_ORDERS_MAX);
        oracle.by_signal = zvt_map_new(sizeof(zvt_id_t), ORACLE_ORDERS_MAX);
        oracle.by_request = zvt_map_new(ZVT_REQUEST_SIZE, ORACLE_ORDERS_MAX);
        oracle.by_command = zvt_map_new(sizeof(oracle_command_t), ORACLE_COMMANDS_MAX);
        oracle.by_child = zvt_map_new(ZVT_CLIENT_ORDER_SIZE, ORACLE_CHILDREN_MAX);
    }
    oracle.children_count = 0;
    memset(oracle.reports_count, 0, sizeof oracle.reports_count);
    zvt_map_clear(oracle.by_child);
    oracle_forget_log();
    oracle.acked_count = oracle.fills = 0;
    memset(oracle.fences, 0, sizeof oracle.fences);
}

uint32_t sim_oracle_orders(void)
{
    return oracle.orders_count;
}

uint32_t sim_oracle_fills(void)
{
    return oracle.fills;
}

int64_t sim_oracle_unhalted_ns(void)
{
    return oracle.halted ? sim.now_ns : oracle.resumed_ns;
}

uint32_t sim_oracle_completed(const char *strategy_id)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < oracle.orders_count; i++)
        count += oracle.orders[i].ended == ZVT_T_ORDER_COMPLETED && strcmp(oracle.orders[i].strategy_id, strategy_id) == 0;
    return count;
}

/* ---- the log ---- */
static void s_count_event(zvt_type_t type)
{
    static uint64_t *counts[ZVT_T_LIMIT];
    char name[64];
    if (counts[type] == NULL) {
        snprintf(name, sizeof name, "event %s", zvt_type_name(type));
        counts[type] = sim_count(name);
    }
    ++*counts[type];
}

static void s_trace_event(const zvt_event_t *event)
{
    static zvt_record_t record;
    char to[48];
    if (zvt_read_payload(event, &record) != 0) return;
    snprintf(to, sizeof to, "log %" PRIu64, event->seq);
    sim_trace_record("epoch", to, event->type, &record.hello);
}

void sim_oracle_on_commit(uint64_t first_seq, uint64_t last_seq)
{
    for (uint64_t seq = first_seq; seq <= last_seq; seq++) {
        const zvt_event_t *event = sim_db_event(seq);
        if (sim.tracing) s_trace_event(event);
        s_count_event(event->type);
        oracle_fold(event);
        if (event->metadata.epoch != sim_db_epoch())
            sim_violation("only the holder of the lease appends", NULL, "seq %" PRIu64 " of epoch %" PRIu64, seq, event->metadata.epoch);
    }
    oracle_check_limits();
}

static void s_check_acked(void)
{
    for (uint32_t i = 0; i < oracle.acked_count; i++) {
        const oracle_command_t *command = &oracle.acked[i];
        if (oracle_find(oracle.by_command, command) == ORACLE_NONE)
            sim_violation("what was acknowledged is in the log", command->sender, "%s #%" PRIu64 " was acknowledged", command->sender, command->sender_seq);
    }
}

void sim_oracle_on_rewind(uint64_t tip_seq)
{
    oracle_forget_log();
    for (uint64_t seq = 1; seq <= tip_seq; seq++) oracle_fold(sim_db_event(seq));
}

/* ---- what leaves an orchestrator ---- */
static void s_on_send(const zvt_order_send_t *order)
{
    const oracle_child_t *child = oracle_child(order->client_order_id);
    if (!child->submitted || child->epoch != order->epoch || child->quantity_e8 != order->quantity_e8)
        sim_violation("an order is sent only when its intent is durable", s_name_of(child), "%s", order->client_order_id);
    if (oracle.halted && order->epoch == sim_db_epoch())
        sim_violation("nothing is sent while halted", s_name_of(child), "%s", order->client_order_id);
}

void sim_oracle_on_ask(zvt_type_t type, const void *record)
{
    if (type == ZVT_T_ORDER_SEND) s_on_send(record);
    if (type == ZVT_T_ORDER_QUERY) SIM_COUNT("orders asked for");
    if (type == ZVT_T_REPORTS_SINCE) SIM_COUNT("reports asked for again");
}

static oracle_order_t *s_durable_order(const zvt_id_t *order_id, const char *what)
{
    char text[ZVT_ID_TEXT];
    int32_t index = oracle_find(oracle.by_order, order_id);
    if (index != ORACLE_NONE) return &oracle.orders[index];
    zvt_id_format(order_id, text);
    sim_violation("nobody is told what is not durable", text, "%s about order %s", what, text);
}

static void s_on_place_reply(const zvt_place_reply_t *reply)
{
    if (zvt_id_is_none(&reply->order_id)) return;
    if (reply->code == ZVT_CODE_LOG_UNAVAILABLE && !reply->success) {
        SIM_COUNT("requests whose outcome is not known"); /* it says so, and nothing of the order */
        return;
    }
    const oracle_order_t *order = s_durable_order(&reply->order_id, "place.reply");
    bool ended = reply->state == ZVT_ORDER_STATE_FILLED || reply->state == ZVT_ORDER_STATE_CANCELED || reply->state == ZVT_ORDER_STATE_EXPIRED ||
                 reply->state == ZVT_ORDER_STATE_REJECTED || reply->state == ZVT_ORDER_STATE_DENIED || reply->state == ZVT_ORDER_STATE_FAILED;
    if ((ended && order->ended == 0) || reply->filled_quantity_e8 > order->cum_qty_e8)
        sim_violation("nobody is told what is not durable", oracle_name(order), "place.reply says %s", zvt_order_state_text(reply->state));
    SIM_COUNT("requests answered");
}

static void s_on_cancel_reply(const zvt_cancel_reply_t *reply)
{
    if (!reply->success) return;
    const oracle_order_t *order = s_durable_order(&reply->order_id, "cancel.reply");
    if (order->ended != ZVT_T_ORDER_CANCELED)
        sim_violation("nobody is told what is not durable", oracle_name(order), "%s", "cancel.reply says canceled");
    SIM_COUNT("cancels confirmed");
}

void sim_oracle_on_halt_request(const zvt_halt_request_t *request)
{
    oracle.halts_told += request->halt;
}

void sim_oracle_on_reply(zvt_type_t type, const void *record)
{
    if (type == ZVT_T_PLACE_REPLY) s_on_place_reply(record);
    if (type == ZVT_T_CANCEL_REPLY) s_on_cancel_reply(record);
    if (type == ZVT_T_COMMAND_REPLY && ((const zvt_command_reply_t *)record)->seq > oracle.tip)
        sim_violation("nobody is told what is not durable", NULL, "command.reply names seq %" PRIu64 " of %" PRIu64,
                      ((const zvt_command_reply_t *)record)->seq, oracle.tip);
}

void sim_oracle_on_ack(const char *by, const char *sender, const void *data, size_t length)
{
    static zvt_record_t record;
    zvt_cursor_t cursor = zvt_cursor(data, length);
    ZVT_ASSERT(zvt_read(&cursor, &record) == 0 && record.type == ZVT_T_SIGNAL_ACK);
    const zvt_signal_ack_t *ack = &record.signal_ack;
    if (sim.tracing) sim_trace_record(by, sender, ZVT_T_SIGNAL_ACK, ack);
    if (ack->code != ZVT_CODE_OK && ack->code != ZVT_CODE_DUPLICATE) return;
    oracle_command_t command;
    memset(&command, 0, sizeof command);
    ZVT_STR_SET(command.sender, sender);
    command.incarnation = ack->incarnation;
    command.sender_seq = ack->sender_seq;
    int32_t index = oracle_find(oracle.by_command, &command);
    if (index == ORACLE_NONE) {
        char order_id[ZVT_ID_TEXT];
        int32_t order = oracle_find(oracle.by_order, &ack->order_id);
        /* A cancel of an order that is being canceled already leaves no trace of its own. */
        if (order != ORACLE_NONE && (oracle.orders[order].cancel_requested || oracle.orders[order].ended != 0)) return;
        /* A late copy of a signal, under its name in a run that is over, is told what became of the signal. */
        if (order != ORACLE_NONE && oracle_find(oracle.by_signal, &ack->signal_id) == order) {
            SIM_COUNT("signals answered under an earlier name");
            return;
        }
        zvt_id_format(&ack->order_id, order_id);
        sim_violation("what is acknowledged is durable", order_id, "%s #%" PRIu64 " is told %s", sender, ack->sender_seq, zvt_code_text(ack->code));
    }
    if (oracle.acked_count < ORACLE_COMMANDS_MAX) oracle.acked[oracle.acked_count++] = command;
}

/* ---- the fence ---- */
/* A writer's command names its epoch; 0: it is none. A hello counts when it comes from the side that the writer is on. */
static uint64_t s_epoch_of(uint32_t keeper, zvt_type_t type, const void *record)
{
    uint8_t writers_side = keeper == SIM_ORACLE_EXECUTOR ? ZVT_ROLE_ORCHESTRATOR : ZVT_ROLE_EXECUTOR;
    switch (type) {
    case ZVT_T_HELLO: return ((const zvt_hello_t *)record)->role == writers_side ? ((const zvt_hello_t *)record)->epoch : 0;
    case ZVT_T_ORDER_SEND: return ((const zvt_order_send_t *)record)->epoch;
    case ZVT_T_ORDER_CANCEL: return ((const zvt_order_cancel_t *)record)->epoch;
    case ZVT_T_ORDER_QUERY: return ((const zvt_order_query_t *)record)->tombstone ? ((const zvt_order_query_t *)record)->epoch : 0;
    default: return 0;
    }
}

void sim_oracle_on_told(uint32_t keeper, zvt_type_t type, const void *record)
{
    uint64_t epoch = s_epoch_of(keeper, type, record);
    if (epoch > oracle.fences[keeper]) oracle.fences[keeper] = epoch;
}

/* The order that a writer's command is about; NULL if it is none. */
static oracle_child_t *s_commanded(zvt_type_t type, const void *record)
{
    switch (type) {
    case ZVT_T_ORDER_SEND: return oracle_child(((const zvt_order_send_t *)record)->client_order_id);
    case ZVT_T_ORDER_CANCEL: return oracle_child(((const zvt_order_cancel_t *)record)->client_order_id);
    case ZVT_T_ORDER_QUERY: return ((const zvt_order_query_t *)record)->tombstone ? oracle_child(((const zvt_order_query_t *)record)->client_order_id) : NULL;
    default: return NULL;
    }
}

void sim_oracle_on_come(zvt_type_t type, const void *record)
{
    bool commands = s_commanded(type, record) != NULL;
    if (commands && s_epoch_of(SIM_ORACLE_EXECUTOR, type, record) < oracle.fences[SIM_ORACLE_EXECUTOR]) SIM_COUNT("commands of a replaced writer");
}

void sim_oracle_on_pass(uint32_t keeper, zvt_type_t type, const void *record)
{
    const oracle_child_t *child = s_commanded(type, record);
    if (child == NULL) return;
    uint64_t epoch = s_epoch_of(keeper, type, record);
    bool executor = keeper == SIM_ORACLE_EXECUTOR;
    /* A cancel waits at the executor for the venue's limit, and may be the executor's own: that one the gateway stops. */
    bool left_to_gateway = executor && type == ZVT_T_ORDER_CANCEL;
    if (epoch < oracle.fences[keeper] && !left_to_gateway)
        sim_violation(executor ? "a fenced writer gets nothing past the executor" : "a fenced writer gets nothing to a venue", s_name_of(child),
                      "%s %s of epoch %" PRIu64 " after epoch %" PRIu64 " was stored", zvt_type_name(type), child->client_order_id, epoch, oracle.fences[keeper]);
    if (!executor && type == ZVT_T_ORDER_SEND) SIM_COUNT("orders at a venue");
}

/* ---- venues ---- */
void sim_oracle_on_taking(const zvt_order_send_t *order)
{
    if (!oracle_is_stranger(order->client_order_id)) oracle_child(order->client_order_id)->taken_ns = sim_utc_ns();
}

static void s_on_taken(uint32_t venue, const zvt_order_send_t *order)
{
    if (oracle_is_stranger(order->client_order_id)) return;
    oracle_child_t *child = oracle_child(order->client_order_id);
    if (child->taken) sim_violation("no venue takes an order twice", s_name_of(child), "%s", order->client_order_id);
    if (!child->submitted || child->order == ORACLE_NONE)
        sim_violation("no venue takes an order that the log does not know", s_name_of(child), "%s", order->client_order_id);
    if (child->venue != (int)venue) sim_violation("an order goes where the log says", s_name_of(child), "%s", order->client_order_id);
    if (child->taken_ns > child->expires_ns)
        sim_violation("no venue takes an order that has expired", s_name_of(child), "%s, %" PRId64 " ms after its expires_at", order->client_order_id,
                      (child->taken_ns - child->expires_ns) / ZVT_MS_NS);
    child->taken = true;
}

static void s_on_accepted(oracle_child_t *child)
{
    const oracle_order_t *order = child->order == ORACLE_NONE ? NULL : &oracle.orders[child->order];
    child->accepted = child->live = true;
    if (order == NULL) sim_violation("no venue takes an order that the log does not know", child->client_order_id, "%s", "accepted");
    if (order->ended != 0)
        sim_violation("an order that ended is not worked on", oracle_name(order), "%s is accepted after %s", child->client_order_id, zvt_type_name(order->ended));
    if (order->attempt != child->attempt)
        sim_violation("an order is sent anew only after its last attempt is dead", oracle_name(order), "%s is accepted, and attempt %" PRIu32 " is under way",
                      child->client_order_id, order->attempt);
}

static void s_on_report(uint32_t venue, const zvt_report_t *report)
{
    oracle_child_t *child = oracle_child(report->client_order_id);
    uint64_t at = oracle.reports_count[venue]++;
    ZVT_ASSERT(at < ORACLE_REPORTS_MAX && report->venue_seq == at + 1);
    oracle.reports[venue][at] = (oracle_report_t){.kind = report->kind, .child = (int32_t)(child - oracle.children),
                                                  .price_e8 = report->price_e8, .quantity_e8 = report->quantity_e8};
    if (report->kind == ZVT_REPORT_KIND_ACCEPTED) s_on_accepted(child);
    if (report->kind == ZVT_REPORT_KIND_CANCELED || report->kind == ZVT_REPORT_KIND_EXPIRED) child->live = false;
    if (report->kind == ZVT_REPORT_KIND_REJECTED) SIM_COUNT("venue refuses an order");
    if (report->kind != ZVT_REPORT_KIND_FILL) return;
    oracle.fills++;
    SIM_COUNT("fills at a venue");
    child->cum_qty_e8 += report->quantity_e8;
    if (child->cum_qty_e8 >= child->quantity_e8) child->live = false;
}

void sim_oracle_on_ledger(uint32_t venue, const zvt_record_t *record)
{
    if (record->type == ZVT_T_ORDER_SEND) s_on_taken(venue, &record->order_send);
    if (record->type == ZVT_T_REPORT) s_on_report(venue, &record->report);
    if (record->type != ZVT_T_ORDER_QUERY) return;
    SIM_COUNT("tombstones");
    oracle_child_t *child = oracle_child(record->order_query.client_order_id);
    child->tombstoned = true;
    if (child->taken) sim_violation("an order that a venue has taken is not buried", s_name_of(child), "%s", child->client_order_id);
}

/* ---- the end ---- */
#define MISSING(...) (snprintf(why, 256, __VA_ARGS__), false)

static bool s_orders_rest(char why[256], char subject[64])
{
    for (uint32_t i = 0; i < oracle.orders_count; i++) {
        const oracle_order_t *order = &oracle.orders[i];
        const oracle_child_t *child = order->child == ORACLE_NONE ? NULL : &oracle.children[order->child];
        bool live = child != NULL && child->live;
        snprintf(subject, 64, "%s", oracle_name(order));
        if (order->ended == 0 && !live) return MISSING("order %s has not ended, and no venue works on it", oracle_name(order));
        if (order->ended != 0 && live) return MISSING("order %s has ended, and a venue works on it", oracle_name(order));
    }
    return true;
}

static bool s_reports_logged(char why[256], char subject[64])
{
    for (uint32_t venue = 0; venue < SIM_VENUES; venue++) {
        for (uint64_t i = 0; i < oracle.reports_count[venue]; i++) {
            const oracle_report_t *report = &oracle.reports[venue][i];
            if (report->logged) continue;
            snprintf(subject, 64, "%s", s_name_of(&oracle.children[report->child]));
            return MISSING("report %" PRIu64 " of %s (%s) is not in the log", i + 1, sim.fleet->venues[venue].name,
                           zvt_enum_text(ZVT_ENUM_OF_REPORT_KIND, report->kind));
        }
    }
    return true;
}

bool sim_oracle_is_settled(char why[256], char subject[64])
{
    turn_status_t status;
    turn_core_t *core = sim_orchestrator_core();
    subject[0] = '\0';
    if (core == NULL) return MISSING("no orchestrator is open");
    turn_core_status(core, &status);
    for (unsigned i = 0; i < TURN_SERVICES; i++)
        if (!status.services_up[i]) return MISSING("service %u is down", i);
    if (status.venues_up < SIM_VENUES) return MISSING("%" PRIu32 " venues are up", status.venues_up);
    if (!s_orders_rest(why, subject) || !s_reports_logged(why, subject)) return false;
    subject[0] = '\0';
    if (status.open_sagas > 0) return MISSING("%" PRIu32 " sagas are open", status.open_sagas);
    if (status.unknown_orders > 0) return MISSING("%" PRIu32 " orders are unknown", status.unknown_orders);
    if (sim_executor_unlogged() > 0) return MISSING("%" PRIu32 " entries of the kill switch's journal are not in the log", sim_executor_unlogged());
    if (sim_strategy_pending() > 0) return MISSING("%" PRIu32 " commands of strategies are not answered", sim_strategy_pending());
    if (sim_risk_applied() < sim_db_tip() || sim_portfolio_applied() < sim_db_tip())
        return MISSING("a follower is behind: risk %" PRIu64 ", portfolio %" PRIu64 " of %" PRIu64, sim_risk_applied(), sim_portfolio_applied(), sim_db_tip());
    return true;
}

/* Signed sum of what the venues executed for one position. */
static int64_t s_venues_position(int32_t position)
{
    int64_t sum_e8 = 0;
    for (uint32_t i = 0; i < oracle.children_count; i++) {
        const oracle_child_t *child = &oracle.children[i];
        if (child->order == ORACLE_NONE || oracle.orders[child->order].position != position) continue;
        sum_e8 += oracle.orders[child->order].terms.side == ZVT_SIDE_BUY ? child->cum_qty_e8 : -child->cum_qty_e8;
    }
    return sum_e8;
}

static void s_check_positions(void)
{
    for (uint32_t i = 0; i < oracle.positions_count; i++) {
        const oracle_position_t *position = &oracle.positions[i];
        int64_t venues_e8 = s_venues_position((int32_t)i);
        if (position->quantity_e8 != venues_e8)
            sim_violation("a position is the sum of the venues' fills", position->strategy_id, "%s %s: %" PRId64 " in the log, %" PRId64 " at the venues",
                          position->strategy_id, position->symbol, position->quantity_e8, venues_e8);
    }
}

static void s_check_orders(void)
{
    static int64_t sums[ORACLE_ORDERS_MAX];
    memset(sums, 0, oracle.orders_count * sizeof *sums);
    for (uint32_t i = 0; i < oracle.children_count; i++) {
        const oracle_child_t *child = &oracle.children[i];
        if (child->taken && child->order == ORACLE_NONE)
            sim_violation("no venue takes an order that the log does not know", child->client_order_id, "%s", child->client_order_id);
        if (child->order != ORACLE_NONE) sums[child->order] += child->cum_qty_e8;
    }
    for (uint32_t i = 0; i < oracle.orders_count; i++)
        if (sums[i] != oracle.orders[i].cum_qty_e8)
            sim_violation("an order's cum_qty is the venues'", oracle_name(&oracle.orders[i]), "%" PRId64 " in the log, %" PRId64 " at the venues",
                          oracle.orders[i].cum_qty_e8, sums[i]);
}

void sim_oracle_check_end(void)
{
    s_check_acked();
    s_check_orders();
    s_check_positions();
}
