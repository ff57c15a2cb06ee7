/* Dead letters: reports of a venue that nobody here can account for. Each is put aside by an event with its reason, is
 * listed, and is tried again or dropped by command. The venue keeps what it reported, so a retry asks it again. */
#include <string.h>

#include "turn_world.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { NONE = -1 };
#define ASK_FIRST_NS (1 * ZVT_SECOND_NS) /* between two questions for one report, doubling */
#define ASK_LAST_NS (8 * ZVT_SECOND_NS)

/* ---- the table ---- */
static letter_t *s_by_id(turn_core_t *self, const zvt_id_t *letter_id)
{
    for (uint32_t i = 0; i < self->letters_count; i++)
        if (zvt_id_equal(&self->letters[i].letter_id, letter_id)) return &self->letters[i];
    return NULL;
}

static letter_t *s_by_report(turn_core_t *self, const char *exchange, uint64_t venue_seq)
{
    for (uint32_t i = 0; i < self->letters_count; i++) {
        const zvt_saga_dead_lettered_t *event = &self->letters[i].event;
        if (event->venue_seq == venue_seq && strcmp(event->exchange, exchange) == 0) return &self->letters[i];
    }
    return NULL;
}

static void s_remove(turn_core_t *self, letter_t *letter)
{
    size_t index = (size_t)(letter - self->letters);
    memmove(letter, letter + 1, (--self->letters_count - index) * sizeof *letter);
}

/* One that failed again takes the place of the first. */
static void s_add(turn_core_t *self, const zvt_event_t *header, const zvt_saga_dead_lettered_t *event)
{
    letter_t *known = s_by_report(self, event->exchange, event->venue_seq);
    if (known != NULL) s_remove(self, known);
    if (self->letters_count == LETTERS_MAX) {
        ZVT_COUNT("dead_letters_forgotten"); /* the log has it; only the list is full */
        return;
    }
    self->letters[self->letters_count++] =
        (letter_t){.letter_id = header->event_id, .timestamp_ns = header->timestamp_ns, .event = *event};
}

void letters_note(turn_core_t *self, const zvt_event_t *header, const zvt_record_t *record)
{
    letter_t *letter;
    switch (record->type) {
    case ZVT_T_SAGA_DEAD_LETTERED: s_add(self, header, &record->saga_dead_lettered); break;
    case ZVT_T_DEAD_LETTER_RETRIED:
        letter = s_by_id(self, &record->dead_letter_retried.letter_id);
        if (letter == NULL) break;
        letter->retrying = true;
        letter->ask_at_ns = letter->ask_pause_ns = 0; /* somebody waits for it: the venue is asked at once */
        break;
    case ZVT_T_DEAD_LETTER_DROPPED:
        letter = s_by_id(self, &record->dead_letter_dropped.letter_id);
        if (letter != NULL) s_remove(self, letter);
        break;
    default: break;
    }
}

void letters_note_handled(turn_core_t *self, const char *exchange, uint64_t venue_seq)
{
    if (self->letters_count == 0) return;
    letter_t *letter = s_by_report(self, exchange, venue_seq);
    if (letter != NULL) s_remove(self, letter);
}

/* ---- putting aside ---- */
/* From here on the list says less than the log: said once, and again when there was room meanwhile. */
static void s_tell_full(turn_core_t *self)
{
    bool full = self->letters_count == LETTERS_MAX;
    zvt_alert_triggered_t alert = {.severity = ZVT_SEVERITY_CRITICAL, .code = ZVT_CODE_OVERLOADED};
    snprintf(alert.message, sizeof alert.message,
             "%d dead letters are listed, and more are only in the log (saga.dead_lettered); retry or drop some", LETTERS_MAX);
    if (full && !self->letters_full_told && turn_emit_system(self, ZVT_T_ALERT_TRIGGERED, &alert, NULL) != 0) return;
    self->letters_full_told = full;
}

void letters_put_aside(turn_core_t *self, order_t *order, const zvt_report_t *report, const char *step, uint8_t code,
                       const char *message)
{
    zvt_saga_dead_lettered_t event = {.failure_reason = code, .venue_seq = report->venue_seq, .kind = report->kind,
                                      .price_e8 = report->price_e8, .quantity_e8 = report->quantity_e8};
    ZVT_STR_SET(event.saga, place_order_saga.name);
    ZVT_STR_SET(event.step, step);
    ZVT_STR_SET(event.message, message);
    ZVT_STR_SET(event.exchange, report->exchange);
    ZVT_STR_SET(event.client_order_id, report->client_order_id);
    ZVT_COUNT("dead_letters");
    s_tell_full(self);
    if (order != NULL) {
        event.order_id = order->order_id;
        turn_emit(self, order, ZVT_T_SAGA_DEAD_LETTERED, &event);
        turn_flush(self, order);
    } else {
        int status = turn_emit_system(self, ZVT_T_SAGA_DEAD_LETTERED, &event, NULL);
        ZVT_ASSERT(status == 0); /* reports_on_report looked for room */
    }
    /* Somebody trades on the account, or we have lost count: it is compared at once, and halted if it differs. */
    int venue = report->kind == ZVT_REPORT_KIND_FILL ? zvt_fleet_venue(self->fleet, report->exchange) : -1;
    if (venue >= 0) reconcile_begin(self, venue, "a fill that nobody can account for");
}

/* ---- trying again ---- */
bool letters_take(turn_core_t *self, const char *exchange, uint64_t venue_seq)
{
    letter_t *letter = self->letters_count == 0 ? NULL : s_by_report(self, exchange, venue_seq);
    if (letter == NULL || !letter->retrying || letter->taken) return false;
    letter->taken = true;
    return true;
}

static void s_ask(turn_core_t *self, letter_t *letter)
{
    int64_t pause_ns = letter->ask_pause_ns == 0 ? ASK_FIRST_NS : letter->ask_pause_ns;
    letter->ask_at_ns = self->monotonic_ns + zvt_rng_pause_ns(&self->pauses, pause_ns);
    letter->ask_pause_ns = pause_ns < ASK_LAST_NS ? pause_ns * 2 : ASK_LAST_NS;
    zvt_reports_since_t since = {.cursor = letter->event.venue_seq - 1, .limit = 1};
    ZVT_STR_SET(since.exchange, letter->event.exchange);
    self->io.ask(self->io.arg, TURN_EXECUTOR, ZVT_T_REPORTS_SINCE, &since);
}

bool letters_wait(const turn_core_t *self)
{
    for (uint32_t i = 0; i < self->letters_count; i++)
        if (self->letters[i].retrying && !self->letters[i].taken) return true;
    return false;
}

void letters_chores(turn_core_t *self)
{
    if (!self->service_up[TURN_EXECUTOR]) return;
    for (uint32_t i = 0; i < self->letters_count; i++) {
        letter_t *letter = &self->letters[i];
        if (letter->retrying && !letter->taken && letter->ask_at_ns <= self->monotonic_ns) s_ask(self, letter);
    }
}

/* ---- commands ---- */
void letters_on_request(turn_core_t *self, const turn_client_t *client, const zvt_dead_letter_request_t *request)
{
    const letter_t *letter = s_by_id(self, &request->letter_id);
    if (self->open && letter == NULL) {
        commands_reply(self, client, false, ZVT_CODE_UNKNOWN_LETTER, "no dead letter with this id is kept");
        return;
    }
    zvt_dead_letter_retried_t event = {.letter_id = request->letter_id};
    ZVT_STR_SET(event.requested_by, request->requested_by);
    ZVT_STR_SET(event.reason, request->reason);
    (void)commands_record(self, client, request->retry ? ZVT_T_DEAD_LETTER_RETRIED : ZVT_T_DEAD_LETTER_DROPPED, &event,
                          request->retry ? "the venue is asked for the report again" : "dropped");
}

void letters_on_query(turn_core_t *self, const turn_client_t *client, const zvt_dead_letters_query_t *query)
{
    if (!lists_allowed(self, client)) return;
    zvt_list_end_t end = {0};
    for (uint32_t i = 0; i < self->letters_count; i++) {
        const letter_t *letter = &self->letters[i];
        bool wanted = zvt_id_is_none(&query->letter_id) || zvt_id_equal(&query->letter_id, &letter->letter_id);
        if (!wanted) continue;
        zvt_dead_letter_row_t row = {.letter_id = letter->letter_id, .retrying = letter->retrying,
                                     .timestamp_ns = letter->timestamp_ns, .letter = letter->event};
        self->io.reply(self->io.arg, client, ZVT_T_DEAD_LETTER_ROW, &row);
        end.count++;
    }
    lists_end(self, client, self->letters_count, &end);
}
