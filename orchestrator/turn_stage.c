/* Staging, batches and effects: how an event gets from its cause into the log, and what follows once it is there. */
#include <stdlib.h>
#include <string.h>

#include "turn_world.h"
#include "zvt_planted.h"
#include "zvt_stats.h"

enum { SYSTEM_EVENT_BYTES = 1024, NONE = -1 };

/* ---- pools ---- */
static int32_t s_take_staged(turn_core_t *self)
{
    int32_t index = self->staged_free;
    if (index != NONE)
        self->staged_free = self->staged[index].next;
    else
        index = self->staged_high++;
    ZVT_ASSERT(index < STAGED_MAX); /* turn_has_room keeps a reserve */
    self->staged_used++;
    self->staged[index].next = NONE;
    self->staged[index].effects_first = self->staged[index].effects_last = NONE;
    return index;
}

static int32_t s_take_effect(turn_core_t *self, const effect_t *effect)
{
    int32_t index = self->effects_free;
    if (index != NONE)
        self->effects_free = self->effects[index].next;
    else
        index = self->effects_high++;
    ZVT_ASSERT(index < EFFECTS_MAX); /* what comes from outside asks for room first, and waiters are counted */
    self->effects_used++;
    self->effects[index] = *effect;
    self->effects[index].next = NONE;
    return index;
}

static void s_free_effect(turn_core_t *self, int32_t index)
{
    self->effects[index].next = self->effects_free;
    self->effects_free = index;
    self->effects_used--;
}

static void s_chain_effect(turn_core_t *self, int32_t *first, int32_t *last, int32_t index)
{
    if (*last != NONE)
        self->effects[*last].next = index;
    else
        *first = index;
    *last = index;
}

static void s_batch_clear(batch_t *batch)
{
    batch->view.count = 0;
    batch->payloads.length = 0;
    batch->last_position_seq = 0;
    batch->effects_first = batch->effects_last = NONE;
}

void turn_stage_init(turn_core_t *self)
{
    self->staged = calloc(STAGED_MAX, sizeof *self->staged);
    self->effects = calloc(EFFECTS_MAX, sizeof *self->effects);
    ZVT_ASSERT(self->staged != NULL);
    ZVT_ASSERT(self->effects != NULL);
    for (size_t i = 0; i < 2; i++) {
        batch_t *batch = &self->batches[i];
        batch->events = calloc(TURN_BATCH_EVENTS_MAX, sizeof *batch->events);
        ZVT_ASSERT(batch->events != NULL);
        batch->payloads = zvt_buf_new(TURN_BATCH_BYTES_MAX);
        batch->view.events = batch->events;
    }
    self->frame = zvt_buf_new(4 << 20);
    for (size_t i = 0; i < ACK_SENDERS_MAX; i++) self->acks[i].records = zvt_buf_new(ACKS_BYTES_MAX);
}

void turn_stage_clear(turn_core_t *self)
{
    self->staged_free = self->effects_free = NONE;
    self->staged_high = self->effects_high = 0;
    self->staged_used = self->effects_used = self->positions_staged = 0;
    self->staged_orders_first = self->staged_orders_last = NONE;
    self->ready_first = self->ready_last = NONE;
    s_batch_clear(&self->batches[0]);
    s_batch_clear(&self->batches[1]);
    self->gather = &self->batches[0];
    self->committing = NULL;
}

/* Staged events, and those that are bound to come of what has been taken. */
static uint32_t s_staged_promised(const turn_core_t *self)
{
    return self->staged_used + STAGED_PER_SAGA * saga_core_count(self->sagas) + STAGED_PER_FILL * self->fills_used;
}

/* Room beside what is promised, and beside this reserve. */
static bool s_has_room(const turn_core_t *self, uint32_t reserve)
{
    uint32_t effects = self->effects_used + EFFECTS_PER_SAGA * saga_core_count(self->sagas) + self->waiters_used;
    return s_staged_promised(self) + reserve < STAGED_MAX && effects + reserve < EFFECTS_MAX;
}

bool turn_has_room(const turn_core_t *self)
{
    return s_has_room(self, STAGED_RESERVE);
}

bool turn_has_room_for_command(const turn_core_t *self)
{
    return s_has_room(self, STAGED_RESERVE / 16);
}

bool turn_has_room_for_saga(const turn_core_t *self)
{
    return s_has_room(self, STAGED_RESERVE / 2);
}

bool turn_has_room_to_end(const turn_core_t *self, uint32_t orders)
{
    return s_has_room(self, STAGED_RESERVE / 16 + STAGED_PER_END * orders);
}

bool turn_has_room_for_report(const turn_core_t *self, const order_t *order)
{
    uint32_t of_order = order == NULL ? 0 : order->staged_count + STAGED_PER_FILL * order->fills_pending;
    return s_staged_promised(self) + STAGED_RESERVE / 8 < STAGED_MAX && self->fills_free != NONE && of_order < STAGED_PER_ORDER;
}

bool turn_has_room_for_held_end(const turn_core_t *self)
{
    return self->fills_used < FILLS_FOR_ENDS && s_staged_promised(self) + STAGED_RESERVE / 2 < STAGED_MAX;
}

/* ---- lists of orders ---- */
static void s_list_staged(turn_core_t *self, order_t *order)
{
    if (order->staged_listed) return;
    order->staged_listed = true;
    order->staged_ns = self->monotonic_ns;
    order->staged_next = NONE;
    order->staged_prev = self->staged_orders_last;
    if (self->staged_orders_last != NONE)
        order_core_at(self->orders, self->staged_orders_last)->staged_next = order->index;
    else
        self->staged_orders_first = order->index;
    self->staged_orders_last = order->index;
}

static void s_unlist_staged(turn_core_t *self, order_t *order)
{
    if (!order->staged_listed) return;
    order->staged_listed = false;
    if (order->staged_prev != NONE)
        order_core_at(self->orders, order->staged_prev)->staged_next = order->staged_next;
    else
        self->staged_orders_first = order->staged_next;
    if (order->staged_next != NONE)
        order_core_at(self->orders, order->staged_next)->staged_prev = order->staged_prev;
    else
        self->staged_orders_last = order->staged_prev;
}

static void s_list_ready(turn_core_t *self, order_t *order)
{
    if (order->ready_listed) return;
    order->ready_listed = true;
    order->ready_next = NONE;
    if (self->ready_last != NONE)
        order_core_at(self->orders, self->ready_last)->ready_next = order->index;
    else
        self->ready_first = order->index;
    self->ready_last = order->index;
}

/* ---- making events ---- */
static void s_fill_header(turn_core_t *self, zvt_event_t *header, zvt_type_t type, uint32_t version)
{
    memset(header, 0, sizeof *header);
    header->event_id = zvt_idgen_next(&self->ids, self->utc_ns);
    header->type = type;
    header->version = zvt_desc(type)->version;
    header->timestamp_ns = self->utc_ns;
    header->aggregate_version = version;
    ZVT_STR_SET(header->metadata.emitter, self->name);
    header->metadata.epoch = self->epoch;
}

static staged_t *s_stage(turn_core_t *self, order_t *order, const zvt_event_t *header, const void *payload)
{
    int32_t index = s_take_staged(self);
    staged_t *staged = &self->staged[index];
    staged->header = *header;
    zvt_buf_t buf = {.data = staged->payload, .capacity = sizeof staged->payload};
    ZVT_ASSERT(zvt_pack_payload(&buf, header->type, payload) == 0); /* the largest event fits by construction */
    staged->payload_length = (uint32_t)buf.length;
    if (order->staged_last != NONE)
        self->staged[order->staged_last].next = index;
    else
        order->staged_first = index;
    order->staged_last = index;
    order->staged_count++;
    s_list_staged(self, order);
    return staged;
}

/* Applies what is being emitted through the same fold that a replay uses. */
static void s_apply(turn_core_t *self, const zvt_event_t *header, const void *payload)
{
    static zvt_record_t record; /* large; the core has one thread */
    record.type = header->type;
    memcpy(&record.hello, payload, zvt_desc(header->type)->size);
    int status = order_core_apply(self->orders, header, &record);
    ZVT_ASSERT(status == 0); /* callers ask order_core_allows first */
}

static order_t *s_emit_requested(turn_core_t *self, zvt_event_t *header, const zvt_order_requested_t *payload)
{
    header->causation_id = zvt_id_is_none(&payload->signal_id) ? header->correlation_id : payload->signal_id;
    s_apply(self, header, payload);
    order_t *order = order_core_by_id(self->orders, &payload->order_id);
    order->arrived_ns = self->monotonic_ns;
    return order;
}

void turn_emit(turn_core_t *self, order_t *order, zvt_type_t type, const void *payload)
{
    zvt_event_t header;
    s_fill_header(self, &header, type, order == NULL ? 1 : order->version + 1);
    if (type == ZVT_T_ORDER_REQUESTED) {
        header.aggregate_id = ((const zvt_order_requested_t *)payload)->order_id;
        header.correlation_id = zvt_idgen_next(&self->ids, self->utc_ns);
        order = s_emit_requested(self, &header, payload);
    } else {
        header.aggregate_id = order->order_id;
        header.correlation_id = order->correlation_id;
        header.causation_id = order->last_event_id;
        bool was_ended = order_is_ended(order);
        s_apply(self, &header, payload);
        if (!was_ended && order_is_ended(order)) self->orders_ended++;
    }
    s_stage(self, order, &header, payload);
}

void turn_emit_position(turn_core_t *self, order_t *order, const zvt_position_updated_t *position)
{
    zvt_event_t header;
    s_fill_header(self, &header, ZVT_T_POSITION_UPDATED, 0); /* its version is given when it is appended */
    header.aggregate_id = position->position_id;
    header.correlation_id = order->correlation_id;
    header.causation_id = order->last_event_id;
    order->last_event_id = header.event_id;
    s_stage(self, order, &header, position);
    self->positions_staged++;
}

/* ---- into the batch ---- */
position_t *turn_position(turn_core_t *self, const zvt_id_t *position_id)
{
    uint32_t index = zvt_map_get(self->positions_by_id, position_id);
    if (index != ZVT_MAP_NONE) return &self->positions[index];
    if (self->positions_count == POSITIONS_MAX || zvt_map_put(self->positions_by_id, position_id, self->positions_count) != 0) return NULL;
    self->positions[self->positions_count] = (position_t){.position_id = *position_id, .last_order = ORDER_NONE};
    return &self->positions[self->positions_count++];
}

uint64_t turn_min_seq(const turn_core_t *self, turn_service_t service)
{
    return self->floor_seq[service] > self->last_position_seq ? self->floor_seq[service] : self->last_position_seq;
}

bool turn_has_room_for_position(const turn_core_t *self, const char *portfolio_id, const char *strategy_id, const char *symbol)
{
    /* Each open order may be about to make a position of its own. */
    if (self->positions_count + order_core_open_count(self->orders) < POSITIONS_MAX - POSITIONS_RESERVE) return true;
    zvt_id_t position_id = zvt_id_of_position(portfolio_id, strategy_id, symbol);
    return zvt_map_get(self->positions_by_id, &position_id) != ZVT_MAP_NONE;
}

static bool s_batch_takes(const batch_t *batch, uint32_t events, size_t bytes)
{
    return batch->view.count + events <= TURN_BATCH_EVENTS_MAX && batch->payloads.capacity - batch->payloads.length >= bytes;
}

/* Appends to the gathered batch, which has room. Returns the seq. */
static uint64_t s_append(turn_core_t *self, zvt_event_t *header, const uint8_t *payload, size_t length)
{
    batch_t *batch = self->gather;
    header->seq = self->next_seq++;
    bool of_position = header->type == ZVT_T_POSITION_UPDATED ||
                       (header->type == ZVT_T_POSITION_ADJUSTED && !zvt_id_equal(&header->aggregate_id, &self->system_id));
    if (of_position) {
        position_t *position = turn_position(self, &header->aggregate_id); /* made when it was staged */
        header->aggregate_version = ++position->version;
        position->last_seq = header->seq;
        batch->last_position_seq = header->seq;
    }
    /* Portfolio's chains do not know it before the log does. */
    if (header->type == ZVT_T_POSITION_ADJUSTED) self->floor_seq[TURN_PORTFOLIO] = self->floor_seq[TURN_RISK] = header->seq;
    header->payload = batch->payloads.data + batch->payloads.length;
    header->payload_length = length;
    ZVT_ASSERT(zvt_buf_append(&batch->payloads, payload, length) == 0);
    if (batch->view.count == 0) batch->view.first_seq = header->seq;
    batch->view.last_seq = header->seq;
    batch->view.epoch = self->epoch;
    batch->events[batch->view.count++] = *header;
    return header->seq;
}

/* The venue's report number that an event accounts for; 0 if none. */
static uint64_t s_venue_seq(const zvt_record_t *record, const char **exchange)
{
    switch (record->type) {
    case ZVT_T_ORDER_ACCEPTED: *exchange = record->order_accepted.exchange; return record->order_accepted.venue_seq;
    case ZVT_T_ORDER_EXECUTED: *exchange = record->order_executed.exchange; return record->order_executed.venue_seq;
    case ZVT_T_ORDER_REJECTED: *exchange = record->order_rejected.exchange; return record->order_rejected.venue_seq;
    case ZVT_T_ORDER_CANCELED: *exchange = record->order_canceled.exchange; return record->order_canceled.venue_seq;
    case ZVT_T_ORDER_EXPIRED: *exchange = record->order_expired.exchange; return record->order_expired.venue_seq;
    case ZVT_T_SAGA_STEP_FAILED: *exchange = record->saga_step_failed.exchange; return record->saga_step_failed.venue_seq;
    case ZVT_T_ALERT_TRIGGERED: *exchange = record->alert_triggered.exchange; return record->alert_triggered.venue_seq;
    case ZVT_T_SAGA_DEAD_LETTERED: *exchange = record->saga_dead_lettered.exchange; return record->saga_dead_lettered.venue_seq;
    default: return 0;
    }
}

/* Notes in the logged cursor what an appended or folded event says about a venue's reports. */
static void s_note_venue_seq(turn_core_t *self, const zvt_record_t *record)
{
    const char *exchange = NULL;
    uint64_t venue_seq = s_venue_seq(record, &exchange);
    int venue = venue_seq == 0 ? -1 : zvt_fleet_venue(self->fleet, exchange);
    if (venue < 0) return;
    reports_note_taken(&self->venues[venue].logged, venue_seq);
    reports_note_taken(&self->venues[venue].received, venue_seq);
    if (venue_seq > self->venues[venue].tip) self->venues[venue].tip = venue_seq;
    letters_note_handled(self, exchange, venue_seq);
}

/* A resume counts when it is durable: an order that a halt caught between its intent and the venue must not slip out on
 * the word of an event that a crash could take back. */
static void s_note_resume(turn_core_t *self, const zvt_event_t *event, const zvt_record_t *record)
{
    if (event->type != ZVT_T_RISK_RESUMED) return;
    int venue = zvt_fleet_venue(self->fleet, record->risk_resumed.exchange);
    if (record->risk_resumed.exchange[0] == '\0')
        self->resumed_seq = event->seq;
    else if (venue >= 0)
        self->venues[venue].account.resumed_seq = event->seq;
}

void turn_note_logged(turn_core_t *self, const zvt_event_t *event)
{
    static zvt_record_t record;
    static const bool says_more[ZVT_T_LIMIT] = {
        [ZVT_T_ORDER_ACCEPTED] = true, [ZVT_T_ORDER_EXECUTED] = true, [ZVT_T_ORDER_REJECTED] = true,
        [ZVT_T_ORDER_CANCELED] = true, [ZVT_T_ORDER_EXPIRED] = true, [ZVT_T_SAGA_STEP_FAILED] = true,
        [ZVT_T_ALERT_TRIGGERED] = true, [ZVT_T_SAGA_DEAD_LETTERED] = true, [ZVT_T_DEAD_LETTER_RETRIED] = true,
        [ZVT_T_DEAD_LETTER_DROPPED] = true, [ZVT_T_ACCOUNT_OPENED] = true, [ZVT_T_POSITION_ADJUSTED] = true,
        [ZVT_T_ORDER_RESOLVED] = true, [ZVT_T_RISK_HALTED] = true, [ZVT_T_RISK_RESUMED] = true};
    if (!says_more[event->type] || zvt_read_payload(event, &record) != 0) return;
    s_note_venue_seq(self, &record);
    s_note_resume(self, event, &record);
    letters_note(self, event, &record);
    reconcile_note(self, &record);
    done_core_note(self->done, event, &record);
}

/* Moves all staged events of the order into the batch; false if there is no room for all of them. */
static bool s_move_to_batch(turn_core_t *self, order_t *order)
{
    size_t bytes = 0;
    for (int32_t at = order->staged_first; at != NONE; at = self->staged[at].next) bytes += self->staged[at].payload_length;
    bool fits = s_batch_takes(self->gather, order->staged_count, bytes);
    ZVT_ASSERT(fits || self->gather->view.count > 0); /* turn_has_room_for_report saw to it: or all would wait for ever */
    if (!fits) return false;
    while (order->staged_first != NONE) {
        int32_t index = order->staged_first;
        staged_t *staged = &self->staged[index];
        order->last_seq = s_append(self, &staged->header, staged->payload, staged->payload_length);
        if (staged->header.type == ZVT_T_ORDER_REQUESTED) order->first_seq = order->last_seq;
        if (staged->header.type == ZVT_T_POSITION_UPDATED) self->positions_staged--;
        turn_note_logged(self, &self->gather->events[self->gather->view.count - 1]);
        for (int32_t effect = staged->effects_first; effect != NONE;) {
            int32_t next = self->effects[effect].next;
            self->effects[effect].next = NONE;
            s_chain_effect(self, &self->gather->effects_first, &self->gather->effects_last, effect);
            effect = next;
        }
        order->staged_first = staged->next;
        staged->next = self->staged_free;
        self->staged_free = index;
        self->staged_used--;
    }
    order->staged_last = NONE;
    order->staged_count = 0;
    s_unlist_staged(self, order);
    return true;
}

void turn_flush(turn_core_t *self, order_t *order)
{
    if (order->staged_first == NONE) return;
    /* Once one order waits for room, all that come after it wait too: positions must be appended in order. */
    if (self->ready_first == NONE && s_move_to_batch(self, order)) return;
    s_list_ready(self, order);
}

static void s_flush_ready(turn_core_t *self)
{
    while (self->ready_first != NONE) {
        order_t *order = order_core_at(self->orders, self->ready_first);
        if (!s_move_to_batch(self, order)) return;
        self->ready_first = order->ready_next;
        if (self->ready_first == NONE) self->ready_last = NONE;
        order->ready_listed = false;
    }
}

void turn_flush_due(turn_core_t *self)
{
    s_flush_ready(self);
    while (self->staged_orders_first != NONE) {
        order_t *order = order_core_at(self->orders, self->staged_orders_first);
        if (order->ready_listed || self->monotonic_ns - order->staged_ns < TURN_STAGE_MAX_NS) return;
        turn_flush(self, order);
        if (order->ready_listed) return;
    }
}

bool turn_flush_all(turn_core_t *self)
{
    s_flush_ready(self);
    while (self->staged_orders_first != NONE && self->ready_first == NONE)
        turn_flush(self, order_core_at(self->orders, self->staged_orders_first));
    return self->ready_first == NONE;
}

/* What happens when the last appended event is durable. */
static void s_chain_to_batch(turn_core_t *self, const effect_t *effect)
{
    int32_t index = s_take_effect(self, effect);
    if (effect->kind == EFFECT_REPLY && effect->type == ZVT_T_COMMAND_REPLY)
        self->effects[index].command_reply.seq = self->next_seq - 1;
    s_chain_effect(self, &self->gather->effects_first, &self->gather->effects_last, index);
}

/* Appends an event that is not staged; its header names aggregate, saga and cause. */
static int s_append_now(turn_core_t *self, zvt_event_t *header, const void *payload, const effect_t *effect)
{
    uint8_t bytes[STAGED_PAYLOAD_MAX];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    ZVT_ASSERT(zvt_pack_payload(&buf, header->type, payload) == 0);
    if (self->ready_first != NONE || !s_batch_takes(self->gather, 1, buf.length)) return ZVT_ERR_FULL;
    if (effect != NULL && !turn_has_room_for_command(self)) return ZVT_ERR_FULL;
    s_append(self, header, bytes, buf.length);
    turn_note_logged(self, &self->gather->events[self->gather->view.count - 1]);
    if (effect != NULL) s_chain_to_batch(self, effect);
    return 0;
}

static int s_emit_system(turn_core_t *self, system_saga_t *saga, zvt_type_t type, const void *payload, const effect_t *effect)
{
    zvt_event_t header;
    s_fill_header(self, &header, type, self->system_version + 1);
    header.aggregate_id = self->system_id;
    header.correlation_id = saga->correlation_id;
    header.causation_id = saga->last_event_id;
    int status = s_append_now(self, &header, payload, effect);
    if (status != 0) return status;
    self->system_version++;
    saga->last_event_id = header.event_id;
    return 0;
}

int turn_emit_system(turn_core_t *self, zvt_type_t type, const void *payload, const effect_t *effect)
{
    bool first = zvt_id_is_none(&self->system_last_event);
    system_saga_t system = {.correlation_id = self->system_id, .last_event_id = first ? self->system_id : self->system_last_event};
    int status = s_emit_system(self, &system, type, payload, effect);
    if (status == 0) self->system_last_event = system.last_event_id;
    return status;
}

int turn_emit_system_in(turn_core_t *self, system_saga_t *saga, zvt_type_t type, const void *payload, const effect_t *effect)
{
    return s_emit_system(self, saga, type, payload, effect);
}

int turn_emit_adjusted(turn_core_t *self, const zvt_position_adjusted_t *adjusted, const effect_t *effect)
{
    zvt_event_t header;
    s_fill_header(self, &header, ZVT_T_POSITION_ADJUSTED, 0); /* its version is given when it is appended */
    header.aggregate_id = adjusted->position_id;
    header.correlation_id = zvt_idgen_next(&self->ids, self->utc_ns);
    header.causation_id = header.correlation_id;
    return s_append_now(self, &header, adjusted, effect);
}

bool turn_has_batch_room(const turn_core_t *self, uint32_t events)
{
    return self->ready_first == NONE && s_batch_takes(self->gather, events, (size_t)events * SYSTEM_EVENT_BYTES);
}

/* ---- effects ---- */
static void s_after_seq(turn_core_t *self, uint64_t seq, int32_t index)
{
    if (seq <= self->committed_seq) {
        turn_do_effects(self, index);
        return;
    }
    bool gathered = self->gather->view.count > 0 && seq >= self->gather->view.first_seq;
    batch_t *batch = gathered ? self->gather : self->committing;
    s_chain_effect(self, &batch->effects_first, &batch->effects_last, index);
}

bool turn_is_durable(const turn_core_t *self, const order_t *order)
{
    return order->staged_last == NONE && order->last_seq <= self->committed_seq;
}

void turn_after(turn_core_t *self, order_t *order, const effect_t *effect)
{
    int32_t index = s_take_effect(self, effect);
    if (ZVT_PLANTED(ACK_BEFORE_COMMIT) && effect->kind == EFFECT_ACK) return turn_do_effects(self, index);
    if (order->staged_last != NONE) {
        staged_t *staged = &self->staged[order->staged_last];
        s_chain_effect(self, &staged->effects_first, &staged->effects_last, index);
        return;
    }
    s_after_seq(self, order->last_seq, index);
}

void turn_after_seq(turn_core_t *self, uint64_t seq, const effect_t *effect)
{
    s_after_seq(self, seq, s_take_effect(self, effect));
}

static void s_publish_acks(turn_core_t *self, acks_t *acks)
{
    char topic[ZVT_NAME_SIZE + 8] = "ack.";
    strcat(topic, acks->sender);
    self->io.publish(self->io.arg, topic, acks->records.data, acks->records.length);
    acks->records.length = 0;
}

void turn_flush_acks(turn_core_t *self)
{
    for (uint32_t i = 0; i < self->acks_count; i++) s_publish_acks(self, &self->acks[i]);
    self->acks_count = 0;
}

static acks_t *s_acks_to(turn_core_t *self, const char *sender)
{
    for (uint32_t i = 0; i < self->acks_count; i++)
        if (strcmp(self->acks[i].sender, sender) == 0) return &self->acks[i];
    if (self->acks_count == ACK_SENDERS_MAX) turn_flush_acks(self);
    acks_t *acks = &self->acks[self->acks_count++];
    ZVT_STR_SET(acks->sender, sender);
    return acks;
}

void turn_publish_ack(turn_core_t *self, const effect_t *effect)
{
    acks_t *acks = s_acks_to(self, effect->sender);
    if (zvt_pack(&acks->records, ZVT_T_SIGNAL_ACK, &effect->signal_ack) == 0) return;
    s_publish_acks(self, acks);
    ZVT_ASSERT(zvt_pack(&acks->records, ZVT_T_SIGNAL_ACK, &effect->signal_ack) == 0); /* an empty buffer takes many */
}

void turn_do_effects(turn_core_t *self, int32_t first)
{
    while (first != NONE) {
        effect_t effect = self->effects[first];
        s_free_effect(self, first);
        first = effect.next;
        switch (effect.kind) {
        case EFFECT_SEND_ORDER: place_order_send(self, order_core_at(self->orders, effect.order), &effect.order_send); break;
        case EFFECT_ASK_EXECUTOR: self->io.ask(self->io.arg, TURN_EXECUTOR, effect.type, &effect.order_cancel); break;
        case EFFECT_ACK:
            if (effect.order != NONE) effect.signal_ack.seq = order_core_at(self->orders, effect.order)->first_seq;
            turn_publish_ack(self, &effect);
            break;
        case EFFECT_REPLY: self->io.reply(self->io.arg, &effect.client, effect.type, &effect.order_send); break;
        }
    }
}
