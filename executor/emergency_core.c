#include "emergency_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal_format.h"
#include "zvt_diag.h"
#include "zvt_stats.h"

enum { ORDER_HEX = 32, ATTEMPTS_ASKED = 3 /* as many as an order is given */, TIMEOUT_DEFAULT_MS = 2000, TIMEOUT_MAX_MS = 60000 };
#define LOOK_PATIENCE_NS ZVT_SECOND_NS          /* a look without an end is begun anew */
#define LOOK_AGAIN_NS (50 * ZVT_MS_NS)          /* while something is left */
#define LOOK_LATCHED_NS ZVT_SECOND_NS           /* while the latch is on and nothing was found */
#define NOTICE_PERIOD_NS (500 * ZVT_MS_NS)
#define JOURNAL_RETRY_NS ZVT_SECOND_NS

static const char s_mark[] = "look-"; /* client order id of the question behind a list; no order is named so */

/* What is being asked of a venue. */
typedef struct {
    uint32_t asking;    /* number of the look under way; 0: none */
    int64_t asked_ns;
    int64_t next_ns;    /* not before */
    uint32_t rows;      /* open orders told since */
    bool ended;         /* the list's end came, and says how many there are */
    uint32_t listed;
} look_t;

/* A client that waits for the outcome. */
typedef struct {
    bool used;
    bool durable;             /* the journal has it */
    uint8_t action;
    emergency_client_t client;
    zvt_id_t entry_id;
    char order[ORDER_HEX + 1]; /* cancel: what the order's client_order_ids begin with */
    int64_t deadline_ns;
    uint32_t since;           /* looks with higher numbers count */
    uint32_t found, canceled;
    uint8_t state;            /* cancel: of the order, as a venue told it */
    struct {
        bool looked;
        uint32_t left, left_now; /* in the last complete look, and in the one under way */
    } venues[ZVT_VENUES_MAX];
} job_t;

struct emergency_core {
    const zvt_fleet_t *fleet;
    emergency_out_t out;
    zvt_idgen_t ids;
    bool latched;
    zvt_kill_notice_t latch;
    uint32_t entries_count;
    zvt_kill_notice_t entries[EMERGENCY_ENTRIES_MAX]; /* oldest first */
    zvt_buf_t journal;      /* bytes on their way to the file */
    size_t journal_length;  /* of the file */
    bool journal_behind;    /* memory knows what the file does not */
    int64_t journal_ns;     /* when writing is tried again */
    int64_t notices_ns;     /* when entries are told again */
    uint32_t looks_count;
    look_t looks[ZVT_VENUES_MAX];
    job_t jobs[EMERGENCY_JOBS_MAX];
};

emergency_core_t *emergency_core_new(const zvt_fleet_t *fleet, const emergency_out_t *out, uint64_t seed)
{
    emergency_core_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->fleet = fleet;
    self->out = *out;
    self->journal = zvt_buf_new(EMERGENCY_JOURNAL_MAX);
    zvt_idgen_init(&self->ids, seed);
    return self;
}

void emergency_core_destroy(emergency_core_t **self)
{
    if (*self == NULL) return;
    zvt_buf_destroy(&(*self)->journal);
    free(*self);
    *self = NULL;
}

bool emergency_core_is_latched(const emergency_core_t *self, zvt_kill_notice_t *latch)
{
    if (latch != NULL) *latch = self->latch;
    return self->latched;
}

uint32_t emergency_core_entries(const emergency_core_t *self)
{
    return self->entries_count;
}

bool emergency_core_is_idle(const emergency_core_t *self)
{
    for (uint32_t i = 0; i < EMERGENCY_JOBS_MAX; i++)
        if (self->jobs[i].used) return false;
    return self->entries_count == 0;
}

/* ---- the state: the fold of the journal ---- */
static void s_remove_entry(emergency_core_t *self, uint32_t at)
{
    memmove(&self->entries[at], &self->entries[at + 1], (--self->entries_count - at) * sizeof self->entries[0]);
}

static void s_add_entry(emergency_core_t *self, const zvt_kill_notice_t *entry)
{
    if (self->entries_count == EMERGENCY_ENTRIES_MAX) {
        ZVT_COUNT("journal_entries_dropped");
        s_remove_entry(self, 0);
    }
    self->entries[self->entries_count++] = *entry;
}

static void s_apply_resume(emergency_core_t *self, const zvt_kill_notice_t *resume)
{
    self->latched = false;
    for (uint32_t i = 0; i < self->entries_count; i++) {
        zvt_kill_notice_t *entry = &self->entries[i];
        if (entry->action != ZVT_KILL_KILL || entry->over) continue;
        entry->over = true;
        ZVT_STR_SET(entry->over_by, resume->requested_by);
    }
}

static void s_apply_notice(emergency_core_t *self, const zvt_kill_notice_t *notice)
{
    if (notice->action == ZVT_KILL_RESUME) {
        s_apply_resume(self, notice);
        return;
    }
    s_add_entry(self, notice);
    if (notice->action != ZVT_KILL_KILL || notice->over) return;
    self->latched = true;
    self->latch = *notice;
}

static void s_apply_noted(emergency_core_t *self, const zvt_id_t *entry_id)
{
    for (uint32_t i = 0; i < self->entries_count; i++) {
        if (!zvt_id_equal(&self->entries[i].entry_id, entry_id)) continue;
        s_remove_entry(self, i);
        return;
    }
}

static const zvt_kill_notice_t *s_entry(const emergency_core_t *self, const zvt_id_t *entry_id)
{
    for (uint32_t i = 0; i < self->entries_count; i++)
        if (zvt_id_equal(&self->entries[i].entry_id, entry_id)) return &self->entries[i];
    return NULL;
}

/* ---- the journal ---- */

/* The shortest journal that folds to the present state. */
static void s_snapshot(emergency_core_t *self)
{
    int status = 0;
    self->journal.length = 0;
    if (self->latched && s_entry(self, &self->latch.entry_id) == NULL) {
        zvt_kill_noted_t noted = {.entry_id = self->latch.entry_id};
        status = journal_format_append(&self->journal, ZVT_T_KILL_NOTICE, &self->latch);
        if (status == 0) status = journal_format_append(&self->journal, ZVT_T_KILL_NOTED, &noted);
    }
    for (uint32_t i = 0; i < self->entries_count && status == 0; i++)
        status = journal_format_append(&self->journal, ZVT_T_KILL_NOTICE, &self->entries[i]);
    ZVT_ASSERT(status == 0); /* the journal holds all entries there can be, and the latch */
}

static bool s_note_written(emergency_core_t *self, int status, size_t length)
{
    self->journal_behind = status != 0;
    if (status == 0)
        self->journal_length = length;
    else
        ZVT_COUNT("journal_not_written");
    return status == 0;
}

static bool s_replace(emergency_core_t *self)
{
    int status = self->out.replace(self->out.arg, self->journal.data, self->journal.length);
    return s_note_written(self, status, self->journal.length);
}

/* Writes a record before it is applied; false when the disk does not take it. */
static bool s_write(emergency_core_t *self, zvt_type_t type, const void *record)
{
    self->journal.length = 0;
    ZVT_ASSERT(journal_format_append(&self->journal, type, record) == 0);
    size_t length = self->journal_length + self->journal.length;
    if (!self->journal_behind && length <= EMERGENCY_JOURNAL_MAX)
        return s_note_written(self, self->out.append(self->out.arg, self->journal.data, self->journal.length), length);
    s_snapshot(self);
    return journal_format_append(&self->journal, type, record) == 0 && s_replace(self);
}

static void s_halt(emergency_core_t *self)
{
    char reason[ZVT_MESSAGE_SIZE];
    snprintf(reason, sizeof reason, "killed by %s%s%.110s", self->latch.requested_by, self->latch.reason[0] != '\0' ? ": " : "",
             self->latch.reason);
    self->out.halt(self->out.arg, self->latched ? reason : NULL);
}

int emergency_core_load(emergency_core_t *self, const uint8_t *journal, size_t length)
{
    static zvt_record_t record; /* large; the process has one thread */
    size_t offset = 0;
    int status = 0;
    while ((status = journal_format_read(journal, length, &offset, &record)) == 0) {
        if (record.type == ZVT_T_KILL_NOTICE)
            s_apply_notice(self, &record.kill_notice);
        else if (record.type == ZVT_T_KILL_NOTED)
            s_apply_noted(self, &record.kill_noted.entry_id);
        else
            return ZVT_ERR_CORRUPT;
    }
    if (status != ZVT_ERR_CLOSED && status != ZVT_ERR_TRUNCATED) return ZVT_ERR_CORRUPT;
    if (status == ZVT_ERR_TRUNCATED) {
        ZVT_COUNT("journal_torn");
        zvt_warn("the last entry of the journal was cut off by a crash; nothing was done for it");
    }
    s_snapshot(self);
    (void)s_replace(self); /* tried again by time */
    if (self->latched) s_halt(self);
    return 0;
}

/* ---- looking what is open ---- */
static bool s_concerns(const job_t *job, const char *client_order_id)
{
    return job->action != ZVT_KILL_CANCEL || strncmp(client_order_id, job->order, ORDER_HEX) == 0;
}

static bool s_is_looking(const emergency_core_t *self)
{
    if (self->latched) return true;
    for (uint32_t i = 0; i < EMERGENCY_JOBS_MAX; i++)
        if (self->jobs[i].used) return true;
    return false;
}

/* An order that does not rest any more is in no list: its venue is asked what became of it. */
static void s_ask_states(emergency_core_t *self, uint32_t venue)
{
    zvt_order_query_t query = {.tombstone = false};
    ZVT_STR_SET(query.exchange, self->fleet->venues[venue].name);
    for (uint32_t i = 0; i < EMERGENCY_JOBS_MAX; i++) {
        if (!self->jobs[i].used || self->jobs[i].action != ZVT_KILL_CANCEL) continue;
        for (unsigned attempt = 1; attempt <= ATTEMPTS_ASKED; attempt++) {
            snprintf(query.client_order_id, sizeof query.client_order_id, "%s-0-%u", self->jobs[i].order, attempt);
            self->out.to_gateway(self->out.arg, venue, ZVT_T_ORDER_QUERY, &query);
        }
    }
}

static void s_begin_look(emergency_core_t *self, uint32_t venue, int64_t now_ns)
{
    zvt_open_orders_query_t list = {.exchange = ""};
    zvt_order_query_t mark = {.tombstone = false};
    uint32_t number = ++self->looks_count;
    self->looks[venue] = (look_t){.asking = number, .asked_ns = now_ns};
    for (uint32_t i = 0; i < EMERGENCY_JOBS_MAX; i++) self->jobs[i].venues[venue].left_now = 0;
    ZVT_STR_SET(list.exchange, self->fleet->venues[venue].name);
    ZVT_STR_SET(mark.exchange, self->fleet->venues[venue].name);
    snprintf(mark.client_order_id, sizeof mark.client_order_id, "%s%" PRIu32, s_mark, number);
    s_ask_states(self, venue);
    self->out.to_gateway(self->out.arg, venue, ZVT_T_OPEN_ORDERS_QUERY, &list);
    self->out.to_gateway(self->out.arg, venue, ZVT_T_ORDER_QUERY, &mark);
}

static void s_look(emergency_core_t *self, uint32_t venue, int64_t now_ns)
{
    look_t *look = &self->looks[venue];
    bool overdue = look->asking != 0 && now_ns - look->asked_ns >= LOOK_PATIENCE_NS;
    bool reachable = self->out.is_reachable(self->out.arg, venue);
    if (overdue || !reachable) look->asking = 0;
    if (reachable && look->asking == 0 && look->next_ns <= now_ns && s_is_looking(self)) s_begin_look(self, venue, now_ns);
}

/* Notes in a job what a venue says of an order; true if it is open and the job's to cancel. */
static bool s_note_row(job_t *job, uint32_t venue, const zvt_order_status_t *status)
{
    bool one = job->action == ZVT_KILL_CANCEL, open = status->leaves_qty_e8 > 0;
    if (one) job->state = status->state;
    if (!open) return false;
    job->venues[venue].left_now = one ? 1 : job->venues[venue].left_now + 1; /* one order is told twice: asked for and listed */
    return true;
}

static void s_on_row(emergency_core_t *self, uint32_t venue, const zvt_order_status_t *status)
{
    look_t *look = &self->looks[venue];
    bool open = status->leaves_qty_e8 > 0, cancel = self->latched && open;
    if (look->asking == 0 || status->code != ZVT_CODE_OK) return;
    if (open) look->rows++;
    for (uint32_t i = 0; i < EMERGENCY_JOBS_MAX; i++) {
        job_t *job = &self->jobs[i];
        bool concerned = job->used && job->since < look->asking && s_concerns(job, status->client_order_id);
        if (concerned && s_note_row(job, venue, status)) cancel = true;
    }
    if (!cancel) return;
    ZVT_COUNT("emergency_cancels");
    self->out.cancel(self->out.arg, venue, status->client_order_id);
}

/* ---- answers to clients ---- */
static void s_fill_reply(const emergency_core_t *self, const job_t *job, zvt_kill_reply_t *reply)
{
    size_t length = 0;
    *reply = (zvt_kill_reply_t){.entry_id = job->entry_id, .halted = self->latched, .found = job->found, .canceled = job->canceled};
    reply->state = job->canceled > 0 && job->action == ZVT_KILL_CANCEL ? ZVT_ORDER_STATE_CANCELED : job->state;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        reply->left += job->venues[i].left;
        reply->venues += job->venues[i].looked;
        if (job->venues[i].looked) continue;
        bool room = length + ZVT_VENUE_SIZE + 32 < sizeof reply->message;
        if (room)
            length += (size_t)snprintf(reply->message + length, sizeof reply->message - length, "%s%s",
                                       reply->unreachable == 0 ? "cannot be asked: " : ", ", self->fleet->venues[i].name);
        reply->unreachable++;
    }
}

/* How a job that cancels one order ends; the venue's word decides. */
static uint8_t s_cancel_code(const zvt_kill_reply_t *reply)
{
    if (reply->state == ZVT_ORDER_STATE_CANCELED) return ZVT_CODE_OK;
    if (reply->left > 0) return ZVT_CODE_SERVICE_TIMEOUT;
    if (reply->state != 0) return ZVT_CODE_ORDER_ENDED;
    return reply->unreachable > 0 ? ZVT_CODE_VENUE_UNREACHABLE : ZVT_CODE_UNKNOWN_ORDER;
}

static void s_finish(emergency_core_t *self, job_t *job)
{
    zvt_kill_reply_t reply;
    s_fill_reply(self, job, &reply);
    if (job->action == ZVT_KILL_CANCEL)
        reply.code = s_cancel_code(&reply);
    else if (reply.unreachable > 0)
        reply.code = ZVT_CODE_VENUE_UNREACHABLE;
    else
        reply.code = reply.left > 0 ? ZVT_CODE_SERVICE_TIMEOUT : ZVT_CODE_OK;
    if (job->action == ZVT_KILL_CANCEL && reply.code == ZVT_CODE_OK) {
        /* It was found: the other venues do not matter. */
        reply.left = reply.unreachable = 0;
        reply.message[0] = '\0';
    }
    reply.success = reply.code == ZVT_CODE_OK || (job->action == ZVT_KILL_KILL && self->latched);
    if (!job->durable && reply.code == ZVT_CODE_OK) reply.code = ZVT_CODE_NOT_JOURNALED;
    job->used = false;
    self->out.reply(self->out.arg, &job->client, &reply);
}

static bool s_is_done(const emergency_core_t *self, const job_t *job)
{
    if (job->action == ZVT_KILL_CANCEL && job->canceled > 0) return true;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        if (!self->out.is_reachable(self->out.arg, i)) continue;
        if (!job->venues[i].looked || job->venues[i].left > 0) return false;
    }
    return true;
}

static void s_finish_done(emergency_core_t *self, int64_t now_ns)
{
    for (uint32_t i = 0; i < EMERGENCY_JOBS_MAX; i++) {
        job_t *job = &self->jobs[i];
        if (job->used && (job->deadline_ns <= now_ns || s_is_done(self, job))) s_finish(self, job);
    }
}

/* The question behind the list is answered: whatever belongs to the list has come, if all of it has. */
static void s_on_mark(emergency_core_t *self, uint32_t venue, const zvt_order_status_t *status, int64_t now_ns)
{
    look_t *look = &self->looks[venue];
    uint32_t number = (uint32_t)strtoul(status->client_order_id + strlen(s_mark), NULL, 10);
    if (look->asking == 0 || look->asking != number) return;
    bool complete = status->code == ZVT_CODE_UNKNOWN_ORDER && look->ended && look->rows >= look->listed;
    look->asking = 0;
    look->next_ns = now_ns + (complete && look->listed == 0 && self->latched ? LOOK_LATCHED_NS : LOOK_AGAIN_NS);
    if (!complete) return;
    for (uint32_t i = 0; i < EMERGENCY_JOBS_MAX; i++) {
        job_t *job = &self->jobs[i];
        if (!job->used || job->since >= number) continue;
        job->venues[venue].left = job->venues[venue].left_now;
        if (!job->venues[venue].looked) job->found += job->venues[venue].left;
        job->venues[venue].looked = true;
    }
    s_finish_done(self, now_ns);
}

static void s_on_cancel_result(emergency_core_t *self, const zvt_cancel_result_t *result, int64_t now_ns)
{
    if (result->code != ZVT_CODE_OK) return;
    for (uint32_t i = 0; i < EMERGENCY_JOBS_MAX; i++)
        if (self->jobs[i].used && s_concerns(&self->jobs[i], result->client_order_id)) self->jobs[i].canceled++;
    s_finish_done(self, now_ns);
}

bool emergency_core_on_gateway_record(emergency_core_t *self, uint32_t venue, const zvt_record_t *record, pacer_now_t now)
{
    ZVT_ASSERT(venue < self->fleet->venues_count);
    switch (record->type) {
    case ZVT_T_ORDER_STATUS:
        if (strncmp(record->order_status.client_order_id, s_mark, strlen(s_mark)) == 0) {
            s_on_mark(self, venue, &record->order_status, now.monotonic_ns);
            return true;
        }
        s_on_row(self, venue, &record->order_status);
        return false; /* it may as well answer a question of the orchestrator's */
    case ZVT_T_LIST_END:
        self->looks[venue].ended = true;
        self->looks[venue].listed = record->list_end.count;
        return false; /* the end of a list of quotes looks the same; the last one before the mark counts */
    case ZVT_T_CANCEL_RESULT: s_on_cancel_result(self, &record->cancel_result, now.monotonic_ns); return false;
    default: return false;
    }
}

/* ---- requests ---- */
static void s_answer(emergency_core_t *self, const emergency_client_t *client, bool success, uint8_t code, const char *message)
{
    zvt_kill_reply_t reply = {.success = success, .code = code, .halted = self->latched};
    ZVT_STR_SET(reply.message, message);
    self->out.reply(self->out.arg, client, &reply);
}

/* Journals and applies an entry, then tells the orchestrator: what comes of it must not be heard there before. */
static bool s_enter(emergency_core_t *self, zvt_kill_notice_t *entry, const zvt_kill_request_t *request, int64_t utc_ns)
{
    *entry = (zvt_kill_notice_t){.action = request->action, .order_id = request->order_id, .at_ns = utc_ns};
    entry->entry_id = zvt_idgen_next(&self->ids, utc_ns);
    ZVT_STR_SET(entry->requested_by, request->requested_by);
    ZVT_STR_SET(entry->reason, request->reason);
    bool durable = s_write(self, ZVT_T_KILL_NOTICE, entry);
    s_apply_notice(self, entry);
    if (entry->action != ZVT_KILL_RESUME) self->out.notice(self->out.arg, entry);
    return durable;
}

static void s_begin_job(emergency_core_t *self, const emergency_client_t *client, const zvt_kill_request_t *request,
                        const zvt_id_t *entry_id, bool durable, pacer_now_t now)
{
    job_t *job = NULL;
    char id[ZVT_ID_TEXT];
    for (uint32_t i = 0; i < EMERGENCY_JOBS_MAX && job == NULL; i++)
        if (!self->jobs[i].used) job = &self->jobs[i];
    if (job == NULL) {
        s_answer(self, client, true, ZVT_CODE_OVERLOADED, "it is under way; too many clients wait to be told the outcome");
        return;
    }
    uint32_t timeout_ms = request->timeout_ms == 0 ? TIMEOUT_DEFAULT_MS : request->timeout_ms;
    if (timeout_ms > TIMEOUT_MAX_MS) timeout_ms = TIMEOUT_MAX_MS;
    *job = (job_t){.used = true, .durable = durable, .action = request->action, .client = *client, .entry_id = *entry_id,
                   .since = self->looks_count, .deadline_ns = now.monotonic_ns + timeout_ms * ZVT_MS_NS};
    zvt_id_format(&request->order_id, id);
    for (size_t from = 0, to = 0; to < ORDER_HEX; from++)
        if (id[from] != '-') job->order[to++] = id[from];
    job->canceled = self->out.withdraw(self->out.arg, job->order, request->action == ZVT_KILL_CANCEL ? ORDER_HEX : 0);
    job->found = job->canceled;
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) {
        self->looks[i].asking = 0; /* a look from before may have passed an order by */
        self->looks[i].next_ns = now.monotonic_ns;
        s_look(self, i, now.monotonic_ns);
    }
    s_finish_done(self, now.monotonic_ns);
}

/* The same request again, before the first is accounted for, needs no entry of its own. */
static const zvt_kill_notice_t *s_same_entry(const emergency_core_t *self, const zvt_kill_request_t *request)
{
    if (request->action == ZVT_KILL_KILL) return self->latched ? &self->latch : NULL;
    for (uint32_t i = 0; i < self->entries_count; i++) {
        const zvt_kill_notice_t *entry = &self->entries[i];
        if (entry->action == request->action && zvt_id_equal(&entry->order_id, &request->order_id)) return entry;
    }
    return NULL;
}

static void s_on_stop(emergency_core_t *self, const emergency_client_t *client, const zvt_kill_request_t *request, pacer_now_t now)
{
    zvt_kill_notice_t entry;
    const zvt_kill_notice_t *same = s_same_entry(self, request);
    bool refused = same == NULL && request->action != ZVT_KILL_KILL && self->entries_count == EMERGENCY_ENTRIES_MAX;
    if (refused) {
        ZVT_COUNT("emergencies_refused");
        s_answer(self, client, false, ZVT_CODE_OVERLOADED, "the journal is full until the event log is back; a kill is still taken");
        return;
    }
    bool durable = same != NULL ? !self->journal_behind : s_enter(self, &entry, request, now.utc_ns);
    if (request->action == ZVT_KILL_KILL) s_halt(self);
    s_begin_job(self, client, request, same != NULL ? &same->entry_id : &entry.entry_id, durable, now);
}

static void s_on_resume(emergency_core_t *self, const emergency_client_t *client, const zvt_kill_request_t *request, pacer_now_t now)
{
    zvt_kill_notice_t entry;
    if (!self->latched) {
        s_answer(self, client, true, ZVT_CODE_OK, "not halted");
        return;
    }
    bool durable = s_enter(self, &entry, request, now.utc_ns);
    s_halt(self);
    zvt_warn("the kill switch is released by %s", request->requested_by);
    s_answer(self, client, true, durable ? ZVT_CODE_OK : ZVT_CODE_NOT_JOURNALED, "orders are sent again");
}

typedef void(action_fn)(emergency_core_t *self, const emergency_client_t *client, const zvt_kill_request_t *request,
                        pacer_now_t now);
static action_fn *const s_actions[] = {
    [ZVT_KILL_CANCEL] = s_on_stop,
    [ZVT_KILL_CANCEL_ALL] = s_on_stop,
    [ZVT_KILL_KILL] = s_on_stop,
    [ZVT_KILL_RESUME] = s_on_resume,
};

void emergency_core_on_request(emergency_core_t *self, const emergency_client_t *client, const zvt_kill_request_t *request,
                               pacer_now_t now)
{
    bool known = request->action < sizeof s_actions / sizeof s_actions[0] && s_actions[request->action] != NULL;
    bool lacks_order = request->action == ZVT_KILL_CANCEL && zvt_id_is_none(&request->order_id);
    ZVT_COUNT("emergencies");
    if (!known || lacks_order) {
        ZVT_COUNT("emergencies_refused");
        s_answer(self, client, false, ZVT_CODE_MALFORMED,
                 lacks_order ? "cancel needs the order's id" : "the action is cancel, cancel_all, kill or resume");
        return;
    }
    s_actions[request->action](self, client, request, now);
}

/* ---- the orchestrator ---- */
void emergency_core_on_noted(emergency_core_t *self, const zvt_kill_noted_t *noted)
{
    if (s_entry(self, &noted->entry_id) == NULL) return;
    ZVT_COUNT("journal_entries_noted");
    (void)s_write(self, ZVT_T_KILL_NOTED, noted);
    s_apply_noted(self, &noted->entry_id);
}

void emergency_core_tell(emergency_core_t *self)
{
    for (uint32_t i = 0; i < self->entries_count; i++) self->out.notice(self->out.arg, &self->entries[i]);
}

/* ---- time ---- */
void emergency_core_on_time(emergency_core_t *self, pacer_now_t now)
{
    for (uint32_t i = 0; i < self->fleet->venues_count; i++) s_look(self, i, now.monotonic_ns);
    s_finish_done(self, now.monotonic_ns);
    if (self->notices_ns <= now.monotonic_ns) {
        self->notices_ns = now.monotonic_ns + NOTICE_PERIOD_NS;
        emergency_core_tell(self);
    }
    if (self->journal_behind && self->journal_ns <= now.monotonic_ns) {
        self->journal_ns = now.monotonic_ns + JOURNAL_RETRY_NS;
        s_snapshot(self);
        (void)s_replace(self);
    }
}
