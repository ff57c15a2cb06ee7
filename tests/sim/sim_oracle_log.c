/* The oracle's fold of the log, and what every event must satisfy. */
#include <inttypes.h>
#include <string.h>

#include "sim_oracle_state.h"

static zvt_record_t s_record;

#define REQUIRE(condition, invariant, order, ...)                                                     \
    do {                                                                                              \
        if (!(condition)) sim_violation(invariant, (order) != NULL ? oracle_name(order) : NULL, __VA_ARGS__); \
    } while (0)

/* ---- requested ---- */
static void s_put(zvt_map_t *map, const void *key, uint32_t value)
{
    ZVT_ASSERT(zvt_map_put(map, key, value) == 0);
}

static int32_t s_position(const char *portfolio_id, const char *strategy_id, const char *symbol)
{
    for (uint32_t i = 0; i < oracle.positions_count; i++) {
        const oracle_position_t *position = &oracle.positions[i];
        if (strcmp(position->strategy_id, strategy_id) == 0 && strcmp(position->symbol, symbol) == 0 &&
            strcmp(position->portfolio_id, portfolio_id) == 0)
            return (int32_t)i;
    }
    ZVT_ASSERT(oracle.positions_count < ORACLE_POSITIONS_MAX);
    oracle_position_t *position = &oracle.positions[oracle.positions_count];
    memset(position, 0, sizeof *position);
    ZVT_STR_SET(position->portfolio_id, portfolio_id);
    ZVT_STR_SET(position->strategy_id, strategy_id);
    ZVT_STR_SET(position->symbol, symbol);
    return (int32_t)oracle.positions_count++;
}

static void s_note_command(const char *sender, uint64_t incarnation, uint64_t sender_seq, const oracle_order_t *order)
{
    oracle_command_t command;
    if (sender_seq == 0) return;
    memset(&command, 0, sizeof command);
    ZVT_STR_SET(command.sender, sender);
    command.incarnation = incarnation;
    command.sender_seq = sender_seq;
    REQUIRE(oracle_find(oracle.by_command, &command) == ORACLE_NONE, "every command is in the log once", order,
            "%s #%" PRIu64 " a second time", sender, sender_seq);
    s_put(oracle.by_command, &command, (uint32_t)(order - oracle.orders));
}

static oracle_order_t *s_on_requested(const zvt_event_t *event)
{
    const zvt_order_requested_t *requested = &s_record.order_requested;
    uint32_t index = oracle.orders_count;
    ZVT_ASSERT(index < ORACLE_ORDERS_MAX);
    oracle_order_t *order = &oracle.orders[index];
    *order = (oracle_order_t){.order_id = requested->order_id, .correlation_id = event->correlation_id, .terms = requested->order_request,
                              .child = ORACLE_NONE};
    REQUIRE(oracle_find(oracle.by_order, &order->order_id) == ORACLE_NONE, "an order is requested once", order, "seq %" PRIu64, event->seq);
    oracle.orders_count++;
    ZVT_STR_SET(order->strategy_id, requested->strategy_id);
    order->position = s_position(requested->portfolio_id, requested->strategy_id, requested->order_request.symbol);
    s_put(oracle.by_order, &order->order_id, index);
    s_put(oracle.by_correlation, &order->correlation_id, index);
    bool signaled = !zvt_id_is_none(&requested->signal_id);
    if (signaled) {
        REQUIRE(oracle_find(oracle.by_signal, &requested->signal_id) == ORACLE_NONE, "every signal is in the log once", order, "seq %" PRIu64, event->seq);
        s_put(oracle.by_signal, &requested->signal_id, index);
    }
    if (requested->request_id[0] != '\0') {
        char key[ZVT_REQUEST_SIZE] = {0};
        ZVT_STR_SET(key, requested->request_id);
        REQUIRE(oracle_find(oracle.by_request, key) == ORACLE_NONE, "every request is in the log once", order, "%s", key);
        s_put(oracle.by_request, key, index);
    }
    s_note_command(requested->sender, requested->incarnation, requested->sender_seq, order);
    const zvt_id_t *cause = signaled ? &requested->signal_id : &order->correlation_id;
    REQUIRE(zvt_id_equal(&event->causation_id, cause), "causation is unbroken", order, "seq %" PRIu64, event->seq);
    return order;
}

/* ---- exposure ---- */
static void s_add_pending(const oracle_order_t *order, int64_t change_e8)
{
    oracle_position_t *position = &oracle.positions[order->position];
    if (order->terms.side == ZVT_SIDE_BUY) position->pending_buy_e8 += change_e8;
    if (order->terms.side == ZVT_SIDE_SELL) position->pending_sell_e8 += change_e8;
}

static void s_on_validated(oracle_order_t *order)
{
    REQUIRE(!order->validated, "an order is validated once", order, "%s", "again");
    order->validated = true;
    s_add_pending(order, order->terms.quantity_e8 - order->cum_qty_e8);
}

void oracle_check_limits(void)
{
    for (uint32_t i = 0; i < oracle.positions_count; i++) {
        const oracle_position_t *position = &oracle.positions[i];
        int instrument = zvt_fleet_instrument(sim.fleet, position->symbol);
        if (instrument < 0) continue;
        int64_t max_e8 = sim.fleet->instruments[instrument].max_position_e8;
        if (position->quantity_e8 + position->pending_buy_e8 > max_e8)
            sim_violation("position and pending orders stay within max_position", NULL, "%s %s: position %" PRId64 " pending %" PRId64 " max %" PRId64,
                          position->strategy_id, position->symbol, position->quantity_e8, position->pending_buy_e8, max_e8);
        if (position->quantity_e8 - position->pending_sell_e8 < 0)
            sim_violation("no position is sold short", NULL, "%s %s: position %" PRId64 " pending %" PRId64, position->strategy_id,
                          position->symbol, position->quantity_e8, position->pending_sell_e8);
    }
}

/* ---- at a venue ---- */
static void s_on_submitted(oracle_order_t *order)
{
    const zvt_order_submitted_t *submitted = &s_record.order_submitted;
    REQUIRE(!oracle.halted, "nothing is submitted after a halt", order, "%s", submitted->client_order_id);
    REQUIRE(order->validated, "nothing is submitted that risk has not passed", order, "%s", submitted->client_order_id);
    REQUIRE(submitted->attempt == order->attempt + 1, "attempts rise by one", order, "attempt %" PRIu32 " after %" PRIu32, submitted->attempt, order->attempt);
    int64_t lifetime_ns = order->terms.expires_at_ns;
    REQUIRE(submitted->expires_at_ns > 0 && (lifetime_ns == 0 || submitted->expires_at_ns <= lifetime_ns), "an intent expires with its order", order, "%s",
            submitted->client_order_id);
    if (order->child != ORACLE_NONE) {
        const oracle_child_t *before = &oracle.children[order->child];
        REQUIRE(!before->live && before->cum_qty_e8 == 0, "an order is sent anew only after its last attempt is dead", order,
                "%s while %s is at the venue", submitted->client_order_id, before->client_order_id);
    }
    oracle_child_t *child = oracle_child(submitted->client_order_id);
    child->submitted = true;
    child->epoch = submitted->epoch;
    child->quantity_e8 = submitted->quantity_e8;
    child->expires_ns = submitted->expires_at_ns;
    child->attempt = submitted->attempt;
    child->venue = zvt_fleet_venue(sim.fleet, submitted->exchange);
    order->attempt = submitted->attempt;
    order->child = (int32_t)(child - oracle.children);
}

/* The venue's report that an event names must be in its ledger, and be named once. */
static oracle_report_t *s_report(const oracle_order_t *order, const char *exchange, uint64_t venue_seq, uint8_t kind)
{
    int venue = zvt_fleet_venue(sim.fleet, exchange);
    bool there = venue >= 0 && venue_seq >= 1 && venue_seq <= oracle.reports_count[venue];
    REQUIRE(there, "the log records only what a venue reported", order, "%s report %" PRIu64, exchange, venue_seq);
    oracle_report_t *report = &oracle.reports[venue][venue_seq - 1];
    REQUIRE(kind == 0 || report->kind == kind, "the log records what the venue reported", order, "%s report %" PRIu64 " is of another kind", exchange, venue_seq);
    REQUIRE(!report->logged, "every report is in the log once", order, "%s report %" PRIu64 " a second time", exchange, venue_seq);
    report->logged = true;
    return report;
}

static void s_on_executed(oracle_order_t *order)
{
    const zvt_order_executed_t *executed = &s_record.order_executed;
    const oracle_report_t *report = s_report(order, executed->exchange, executed->venue_seq, ZVT_REPORT_KIND_FILL);
    bool same = report->price_e8 == executed->executed_price_e8 && report->quantity_e8 == executed->executed_quantity_e8 &&
                strcmp(oracle.children[report->child].client_order_id, executed->client_order_id) == 0;
    REQUIRE(same, "a fill in the log is the venue's fill", order, "%s report %" PRIu64, executed->exchange, executed->venue_seq);
    order->cum_qty_e8 += executed->executed_quantity_e8;
    REQUIRE(order->cum_qty_e8 == executed->cum_qty_e8, "cum_qty is the sum of the fills", order, "%" PRId64 " in the log, %" PRId64 " by the fills",
            executed->cum_qty_e8, order->cum_qty_e8);
    REQUIRE(order->cum_qty_e8 <= order->terms.quantity_e8, "no order executes more than was asked for", order, "%" PRId64 " of %" PRId64,
            order->cum_qty_e8, order->terms.quantity_e8);
    oracle.positions[order->position].commission_e8 += executed->commission_e8;
    oracle.positions[order->position].executed_e8 += executed->side == ZVT_SIDE_BUY ? executed->executed_quantity_e8 : -executed->executed_quantity_e8;
}

static void s_on_position(const zvt_event_t *event, oracle_order_t *order)
{
    const zvt_position_updated_t *updated = &s_record.position_updated;
    oracle_position_t *position = &oracle.positions[order->position];
    REQUIRE(event->aggregate_version == position->version + 1, "versions have no gap", order, "position version %" PRIu32 " after %" PRIu32,
            event->aggregate_version, position->version);
    REQUIRE(updated->new_quantity_e8 == position->quantity_e8 + updated->quantity_change_e8, "a position continues from its quantity before", order,
            "%" PRId64 " after %" PRId64 " and %" PRId64, updated->new_quantity_e8, position->quantity_e8, updated->quantity_change_e8);
    position->realized_pnl_e8 += updated->realized_pnl_e8;
    REQUIRE(updated->realized_pnl_total_e8 == position->realized_pnl_e8 && updated->commission_total_e8 == position->commission_e8,
            "profit and commission are the sums of the fills", order, "%" PRId64 " and %" PRId64 " by the position, %" PRId64 " and %" PRId64 " by the fills",
            updated->realized_pnl_total_e8, updated->commission_total_e8, position->realized_pnl_e8, position->commission_e8);
    position->version = event->aggregate_version;
    position->quantity_e8 = updated->new_quantity_e8;
    position->position_id = updated->position_id;
    REQUIRE(position->quantity_e8 == position->executed_e8, "a position is the sum of its fills", order, "%" PRId64 " by the position, %" PRId64 " by the fills",
            position->quantity_e8, position->executed_e8);
    int64_t executed_e8 = updated->quantity_change_e8 < 0 ? -updated->quantity_change_e8 : updated->quantity_change_e8;
    if (order->validated && order->ended == 0) s_add_pending(order, -executed_e8);
}

static void s_end(oracle_order_t *order, zvt_type_t type)
{
    REQUIRE(order->ended == 0, "an order ends once", order, "%s after %s", zvt_type_name(type), zvt_type_name(order->ended));
    order->ended = type;
    if (order->validated) s_add_pending(order, order->cum_qty_e8 - order->terms.quantity_e8);
}

static void s_on_order_event(oracle_order_t *order)
{
    switch (s_record.type) {
    case ZVT_T_ORDER_VALIDATED: s_on_validated(order); break;
    case ZVT_T_ORDER_SUBMITTED: s_on_submitted(order); break;
    case ZVT_T_ORDER_ACCEPTED: (void)s_report(order, s_record.order_accepted.exchange, s_record.order_accepted.venue_seq, ZVT_REPORT_KIND_ACCEPTED); break;
    case ZVT_T_ORDER_EXECUTED: s_on_executed(order); break;
    case ZVT_T_ORDER_CANCEL_REQUESTED:
        order->cancel_requested = true;
        s_note_command(s_record.order_cancel_requested.requested_by, s_record.order_cancel_requested.incarnation,
                       s_record.order_cancel_requested.sender_seq, order);
        break;
    case ZVT_T_SAGA_STEP_FAILED:
        if (s_record.saga_step_failed.venue_seq != 0)
            (void)s_report(order, s_record.saga_step_failed.exchange, s_record.saga_step_failed.venue_seq, 0);
        break;
    case ZVT_T_ORDER_REJECTED:
        if (s_record.order_rejected.venue_seq != 0)
            (void)s_report(order, s_record.order_rejected.exchange, s_record.order_rejected.venue_seq, ZVT_REPORT_KIND_REJECTED);
        s_end(order, s_record.type);
        break;
    case ZVT_T_ORDER_CANCELED:
    case ZVT_T_ORDER_EXPIRED:
        if (s_record.order_canceled.venue_seq != 0) (void)s_report(order, s_record.order_canceled.exchange, s_record.order_canceled.venue_seq, 0);
        s_end(order, s_record.type);
        break;
    case ZVT_T_ORDER_FAILED: s_end(order, s_record.type); break;
    case ZVT_T_ORDER_COMPLETED:
        REQUIRE(order->cum_qty_e8 == order->terms.quantity_e8, "a completed order is filled", order, "%" PRId64 " of %" PRId64,
                order->cum_qty_e8, order->terms.quantity_e8);
        s_end(order, s_record.type);
        break;
    default: break;
    }
}
_Static_assert(offsetof(zvt_order_canceled_t, venue_seq) == offsetof(zvt_order_expired_t, venue_seq), "canceled and expired are alike");

/* ---- the system ---- */
/* The last event of a system saga; before its first, the saga itself. */
static zvt_id_t *s_last_of_saga(const zvt_id_t *correlation_id)
{
    if (zvt_id_equal(correlation_id, &oracle.system_id)) return &oracle.system_last;
    for (size_t i = 0; i < ORACLE_SYSTEM_SAGAS; i++)
        if (zvt_id_equal(&oracle.system_sagas[i].correlation_id, correlation_id)) return &oracle.system_sagas[i].last;
    size_t slot = oracle.system_sagas_count++ % ORACLE_SYSTEM_SAGAS;
    oracle.system_sagas[slot].correlation_id = oracle.system_sagas[slot].last = *correlation_id;
    return &oracle.system_sagas[slot].last;
}

static void s_on_system(const zvt_event_t *event)
{
    if (oracle.system_version == 0) oracle.system_id = oracle.system_last = event->aggregate_id;
    zvt_id_t *cause = s_last_of_saga(&event->correlation_id);
    bool whole = event->aggregate_version == oracle.system_version + 1 && zvt_id_equal(&event->causation_id, cause) &&
                 zvt_id_equal(&event->aggregate_id, &oracle.system_id);
    if (!whole) sim_violation("versions and causation have no gap", NULL, "system event at seq %" PRIu64 ", version %" PRIu32 " after %" PRIu32,
                              event->seq, event->aggregate_version, oracle.system_version);
    oracle.system_version = event->aggregate_version;
    *cause = event->event_id;
    if (event->type == ZVT_T_RISK_HALTED) {
        oracle.halted = true;
        oracle.halts_logged += strcmp(s_record.risk_halted.reason, SIM_HALT_REASON) == 0;
        if (oracle.halts_logged > oracle.halts_told)
            sim_violation("a halt that was resumed does not come back", NULL, "seq %" PRIu64 ": halt %" PRIu32 " in the log, %" PRIu32 " asked for",
                          event->seq, oracle.halts_logged, oracle.halts_told);
    }
    if (event->type == ZVT_T_RISK_RESUMED) {
        oracle.halted = false;
        oracle.resumed_ns = sim.now_ns;
    }
    if (event->type == ZVT_T_ALERT_TRIGGERED) sim_violation("nothing is left to a person", NULL, "%s", s_record.alert_triggered.message);
}

static bool s_is_system(const zvt_event_t *event)
{
    return event->type == ZVT_T_SYSTEM_STARTED || (oracle.system_version != 0 && zvt_id_equal(&event->aggregate_id, &oracle.system_id));
}

/* Only a report of somebody else's order may be put aside, once. */
static void s_on_dead_lettered(void)
{
    const zvt_saga_dead_lettered_t *letter = &s_record.saga_dead_lettered;
    const oracle_order_t *order = NULL;
    REQUIRE(oracle_is_stranger(letter->client_order_id), "every report of a venue is accounted for", order, "%s", letter->message);
    (void)s_report(order, letter->exchange, letter->venue_seq, letter->kind);
}

void oracle_fold(const zvt_event_t *event)
{
    int status = zvt_read_payload(event, &s_record);
    if (status != 0) sim_violation("an event of the log can be read", NULL, "seq %" PRIu64 ": %s", event->seq, zvt_strerror(status));
    if (event->seq != oracle.tip + 1) sim_violation("the log has no gap", NULL, "seq %" PRIu64 " after %" PRIu64, event->seq, oracle.tip);
    if (event->metadata.epoch < oracle.epoch)
        sim_violation("the log has no fork", NULL, "seq %" PRIu64 " of epoch %" PRIu64 " after epoch %" PRIu64, event->seq, event->metadata.epoch, oracle.epoch);
    oracle.tip = event->seq;
    oracle.epoch = event->metadata.epoch;
    if (event->type == ZVT_T_SAGA_DEAD_LETTERED) s_on_dead_lettered();
    if (s_is_system(event)) {
        s_on_system(event);
        return;
    }
    oracle_order_t *order;
    if (event->type == ZVT_T_ORDER_REQUESTED) {
        order = s_on_requested(event);
    } else {
        int32_t index = oracle_find(oracle.by_correlation, &event->correlation_id);
        if (index == ORACLE_NONE) sim_violation("every event has its saga", NULL, "seq %" PRIu64 " %s", event->seq, zvt_type_name(event->type));
        order = &oracle.orders[index];
        REQUIRE(zvt_id_equal(&event->causation_id, &order->last_event_id), "causation is unbroken", order, "seq %" PRIu64 " %s",
                event->seq, zvt_type_name(event->type));
    }
    order->last_event_id = event->event_id;
    if (event->type == ZVT_T_POSITION_UPDATED) {
        s_on_position(event, order);
        return;
    }
    REQUIRE(event->aggregate_version == order->version + 1, "versions have no gap", order, "seq %" PRIu64 " %s: version %" PRIu32 " after %" PRIu32,
            event->seq, zvt_type_name(event->type), event->aggregate_version, order->version);
    order->version = event->aggregate_version;
    if (event->type != ZVT_T_ORDER_REQUESTED) s_on_order_event(order);
}

void oracle_forget_log(void)
{
    zvt_map_clear(oracle.by_order);
    zvt_map_clear(oracle.by_correlation);
    zvt_map_clear(oracle.by_signal);
    zvt_map_clear(oracle.by_request);
    zvt_map_clear(oracle.by_command);
    oracle.orders_count = oracle.positions_count = 0;
    oracle.tip = oracle.epoch = 0;
    oracle.system_version = 0;
    oracle.system_sagas_count = 0;
    memset(oracle.system_sagas, 0, sizeof oracle.system_sagas);
    oracle.halted = false;
    oracle.halts_logged = 0;
    oracle.resumed_ns = 0;
    for (uint32_t i = 0; i < oracle.children_count; i++) oracle.children[i].submitted = false;
    for (uint32_t venue = 0; venue < SIM_VENUES; venue++)
        for (uint64_t i = 0; i < oracle.reports_count[venue]; i++) oracle.reports[venue][i].logged = false;
}
