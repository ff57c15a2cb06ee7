#include "zvt_follower.h"

#include <inttypes.h>

#include "zvt_base.h"
#include "zvt_diag.h"
#include "zvt_link.h"
#include "zvt_socket.h"
#include "zvt_stats.h"
#include "zvt_subscriber.h"
#include "zvt_time.h"

#define ASK_AGAIN_NS (500 * ZVT_MS_NS) /* a lost question or answer; reads may be repeated */
#define SILENCE_NS (600 * ZVT_MS_NS)   /* the tip, or a hello, comes every 250 ms: its publisher is stopped, or was replaced */
#define REFUSED_NS (100 * ZVT_MS_NS)   /* the replayer cannot read the log just now */

struct zvt_follower {
    zvt_loop_t *loop;
    uint32_t shard;
    zvt_subscriber_t *live;
    zvt_link_t *replay;
    zvt_follower_event_fn *on_event;
    zvt_follower_batch_fn *on_batch;
    void *arg;
    uint64_t next_seq;  /* the event wanted next; 0: whatever comes (ZVT_FOLLOW_LIVE before the first batch) */
    uint64_t tip_seq;   /* highest seq known to be committed */
    int64_t committed_ns; /* UTC; of the batch delivered last; 0: history */
    bool tip_known;     /* the log's end has been heard of */
    bool asking;        /* ranges of the past are under way */
    uint64_t asked_seq; /* up to here */
    bool asked_blindly; /* without knowing the tip: the answer may end before the range does */
    int64_t asked_ns;   /* monotonic: the last question, or the last answer to one */
    zvt_type_set_t types;
    int64_t heard_ns;   /* monotonic: the last live message, or when the subscription was opened */
    zvt_buf_t held;     /* live frames that wait for the replay, each after its size_t length */
    bool held_lost;     /* some did not fit: fetch them too */
    zvt_follower_hole_fn *on_hole; /* NULL: warn */
    zvt_follower_base_fn *on_base; /* NULL: no base is wanted */
    zvt_base_t base;
    uint64_t first_seq; /* the log begins here, behind next_seq; 0: no such hole is known */
    bool fetching;      /* pieces of the base are under way */
};

/* Asks for the next ranges, as far as they may be ahead. While the tip is not known one range finds it. */
static void s_ask_ahead(zvt_follower_t *self)
{
    uint64_t last_seq = self->next_seq - 1 + ZVT_FOLLOWER_AHEAD * ZVT_FOLLOWER_RANGE;
    if (!self->tip_known)
        last_seq = self->next_seq - 1 + ZVT_FOLLOWER_RANGE;
    else if (last_seq > self->tip_seq)
        last_seq = self->tip_seq;
    while (self->asked_seq < last_seq) {
        uint64_t left = last_seq - self->asked_seq, count = left < ZVT_FOLLOWER_RANGE ? left : ZVT_FOLLOWER_RANGE;
        zvt_replay_range_t range = {.from_seq = self->asked_seq + 1, .to_seq = self->asked_seq + count, .types_low = self->types.low,
                                    .types_high = self->types.high};
        zvt_link_send(self->replay, ZVT_T_REPLAY_RANGE, &range);
        self->asked_seq = range.to_seq;
    }
}

/* Asks for what is missing; what was asked for before counts as lost. */
static void s_ask(zvt_follower_t *self)
{
    self->asking = true;
    self->asked_ns = zvt_loop_monotonic_ns(self->loop);
    self->asked_seq = self->next_seq - 1;
    self->asked_blindly = !self->tip_known;
    s_ask_ahead(self);
}

/* Delivers the events of a batch that are still wanted. A hole inside the batch ends it, unless the batch is `covered`: it has all
 * the wanted events of its range, and only those. */
static void s_deliver(zvt_follower_t *self, const zvt_log_batch_t *batch, zvt_cursor_t frame, bool covered)
{
    zvt_event_t event;
    self->committed_ns = batch->committed_at_ns;
    while (!zvt_cursor_done(&frame)) {
        int status = zvt_read_event(&frame, &event);
        if (status != 0) {
            ZVT_COUNT("malformed");
            zvt_warn("event batch after seq %" PRIu64 ": %s", self->next_seq - 1, zvt_strerror(status));
            return;
        }
        if (event.seq < self->next_seq) continue;
        if (event.seq > self->next_seq && !covered) return;
        self->next_seq = event.seq + 1;
        if (zvt_type_set_has(&self->types, event.type)) self->on_event(self->arg, &event);
    }
    if (covered && batch->last_seq >= self->next_seq) self->next_seq = batch->last_seq + 1;
}

static void s_after_batch(zvt_follower_t *self)
{
    if (self->on_batch != NULL) self->on_batch(self->arg, self->next_seq - 1, zvt_follower_caught_up(self));
}

static void s_hold(zvt_follower_t *self, const uint8_t *data, size_t length)
{
    if (self->held_lost || self->held.capacity - self->held.length < sizeof length + length) {
        self->held_lost = true;
        ZVT_COUNT("follower_held_lost");
        return;
    }
    ZVT_ASSERT(zvt_buf_append(&self->held, &length, sizeof length) == 0);
    ZVT_ASSERT(zvt_buf_append(&self->held, data, length) == 0);
}

/* Reads the batch record at the head of a frame; false if the frame is something else. */
static bool s_read_batch(zvt_cursor_t *frame, zvt_log_batch_t *batch)
{
    zvt_record_t record;
    if (zvt_read(frame, &record) != 0 || record.type != ZVT_T_LOG_BATCH) return false;
    *batch = record.log_batch;
    return true;
}

static void s_note_tip(zvt_follower_t *self, uint64_t tip_seq)
{
    self->tip_known = true;
    if (tip_seq > self->tip_seq) self->tip_seq = tip_seq;
}

static void s_on_live_batch(zvt_follower_t *self, zvt_cursor_t whole)
{
    zvt_log_batch_t batch;
    zvt_cursor_t frame = whole;
    if (!s_read_batch(&frame, &batch) || batch.shard != self->shard) return;
    if (self->next_seq == 0) self->next_seq = batch.first_seq;
    s_note_tip(self, batch.last_seq);
    if (self->asking) {
        s_hold(self, whole.at, (size_t)(whole.end - whole.at));
        return;
    }
    if (batch.first_seq > self->next_seq) {
        ZVT_COUNT("follower_gaps");
        s_hold(self, whole.at, (size_t)(whole.end - whole.at));
        s_ask(self);
        return;
    }
    s_deliver(self, &batch, frame, false);
    s_after_batch(self);
}

static void s_on_live(void *arg, const char *topic, zvt_cursor_t frame)
{
    zvt_follower_t *self = arg;
    (void)topic;
    self->heard_ns = zvt_loop_monotonic_ns(self->loop);
    zvt_cursor_t cursor = frame;
    zvt_record_t record;
    if (zvt_read(&cursor, &record) != 0) {
        ZVT_COUNT("malformed");
        return;
    }
    if (record.type == ZVT_T_LOG_BATCH) {
        s_on_live_batch(self, frame);
    } else if (record.type == ZVT_T_LOG_TIP && record.log_tip.shard == self->shard) {
        s_note_tip(self, record.log_tip.tip_seq);
        if (self->next_seq == 0) self->next_seq = record.log_tip.tip_seq + 1;
        if (!self->asking && !zvt_follower_caught_up(self)) s_ask(self);
        s_after_batch(self);
    }
}

/* Delivers what waited during the replay, as far as it connects. */
static void s_release_held(zvt_follower_t *self)
{
    size_t at = 0;
    while (at < self->held.length) {
        size_t length;
        memcpy(&length, self->held.data + at, sizeof length);
        zvt_cursor_t frame = zvt_cursor(self->held.data + at + sizeof length, length);
        zvt_log_batch_t batch;
        if (s_read_batch(&frame, &batch) && batch.first_seq <= self->next_seq && batch.last_seq >= self->next_seq)
            s_deliver(self, &batch, frame, false);
        at += sizeof length + length;
    }
}

/* Frames that still do not connect wait on, unless they are needed no more. */
static void s_on_replayed(zvt_follower_t *self)
{
    if (self->held.length > 0) s_release_held(self);
    self->asking = !zvt_follower_caught_up(self);
    if (self->asking) {
        s_ask_ahead(self);
    } else {
        self->held.length = 0;
        self->held_lost = false;
    }
    s_after_batch(self);
}

/* The replayer's answers are batches of events, which zvt_link cannot decode as records: the follower reads frames. One that
 * brings nothing new, or does not connect, is the answer to an older question; what is missing is asked for again by time. */
static void s_on_answer(zvt_follower_t *self, const zvt_log_batch_t *head, zvt_cursor_t frame)
{
    zvt_log_batch_t batch = *head;
    if (batch.shard != self->shard || !self->asking || self->fetching) return;
    s_note_tip(self, batch.tip_seq);
    uint64_t before = self->next_seq;
    if (batch.first_seq <= self->next_seq) s_deliver(self, &batch, frame, batch.first_seq != 0);
    if (self->next_seq == before && !zvt_follower_caught_up(self)) return;
    self->asked_ns = zvt_loop_monotonic_ns(self->loop);
    if (self->asked_blindly || self->asked_seq < self->next_seq) self->asked_seq = self->next_seq - 1;
    self->asked_blindly = false;
    s_on_replayed(self);
}

/* ---- a log that does not begin with event 1 ---- */
static void s_ask_piece(zvt_follower_t *self)
{
    zvt_base_request_t request = zvt_base_question(&self->base);
    self->asked_ns = zvt_loop_monotonic_ns(self->loop);
    zvt_link_send(self->replay, ZVT_T_BASE_REQUEST, &request);
}

/* What is missing is gone from the log, and nothing takes its place. The live events that wait are of no use. */
static void s_hole(zvt_follower_t *self)
{
    self->fetching = false;
    ZVT_COUNT("follower_holes");
    if (self->on_hole != NULL)
        self->on_hole(self->arg, self->first_seq);
    else if (zvt_diag_allowed())
        zvt_warn("event %" PRIu64 " is archived: the log begins with %" PRIu64, self->next_seq, self->first_seq);
}

static void s_on_log_begin(zvt_follower_t *self, const zvt_log_begin_t *begin)
{
    if (begin->shard != self->shard || !self->asking || self->fetching || begin->first_seq <= self->next_seq) return;
    self->first_seq = begin->first_seq;
    if (self->on_base == NULL) {
        s_hole(self);
        return;
    }
    self->fetching = true;
    zvt_base_release(&self->base);
    s_ask_piece(self);
}

/* The owner may have a state of its own that the base replaces, so that it says where to go on. */
static void s_use_base(zvt_follower_t *self)
{
    if (self->base.seq + 1 < self->first_seq) {
        s_hole(self);
        return;
    }
    self->fetching = false;
    uint64_t from_seq = self->on_base(self->arg, self->base.seq, self->base.data, self->base.length);
    zvt_base_release(&self->base);
    if (from_seq != 0) zvt_follower_restart(self, from_seq);
}

static void s_on_base_frame(zvt_follower_t *self, const zvt_log_base_t *head, zvt_cursor_t piece)
{
    if (!self->fetching) return;
    switch (zvt_base_take(&self->base, head, piece)) {
    case ZVT_BASE_IGNORED: break;
    case ZVT_BASE_MORE: s_ask_piece(self); break;
    case ZVT_BASE_WHOLE: s_use_base(self); break;
    case ZVT_BASE_NONE: s_hole(self); break;
    }
}

void zvt_follower_restart(zvt_follower_t *self, uint64_t from_seq)
{
    self->next_seq = from_seq;
    self->first_seq = 0;
    self->fetching = false;
    s_ask(self);
}

static void s_on_replay_up(void *arg, const zvt_hello_t *peer)
{
    zvt_follower_t *self = arg;
    (void)peer;
    if (self->fetching)
        s_ask_piece(self);
    else if (self->next_seq != 0 && (self->asking || !zvt_follower_caught_up(self))) s_ask(self);
}

static void s_on_replay_frame(void *arg, zvt_cursor_t frame)
{
    zvt_record_t record;
    if (zvt_read(&frame, &record) != 0) return;
    if (record.type == ZVT_T_LOG_BATCH) s_on_answer(arg, &record.log_batch, frame);
    if (record.type == ZVT_T_LOG_BASE) s_on_base_frame(arg, &record.log_base, frame);
}

static void s_on_replay_record(void *arg, const zvt_record_t *record)
{
    zvt_follower_t *self = arg;
    if (record->type == ZVT_T_LOG_BEGIN) s_on_log_begin(self, &record->log_begin);
    if (record->type != ZVT_T_ERROR_REPLY || record->error_reply.code == ZVT_CODE_ARCHIVED) return;
    if (zvt_diag_allowed()) zvt_warn("replayer: %s", record->error_reply.message);
    self->asked_ns = zvt_loop_monotonic_ns(self->loop) - ASK_AGAIN_NS + REFUSED_NS;
}

static bool s_is_silent(const zvt_follower_t *self)
{
    return zvt_loop_monotonic_ns(self->loop) - self->heard_ns > SILENCE_NS;
}

/* Whoever was held up himself may have messages that wait. */
static void s_on_time(void *arg)
{
    zvt_follower_t *self = arg;
    if (s_is_silent(self)) zvt_subscriber_read(self->live);
    if (s_is_silent(self)) {
        ZVT_COUNT("follower_silences");
        self->heard_ns = zvt_loop_monotonic_ns(self->loop);
        zvt_subscriber_reopen(self->live);
    }
    if (!self->asking || zvt_loop_monotonic_ns(self->loop) - self->asked_ns <= ASK_AGAIN_NS) return;
    if (self->fetching)
        s_ask_piece(self);
    else
        s_ask(self);
}

zvt_follower_t *zvt_follower_new(zvt_loop_t *loop, uint32_t shard, uint64_t from_seq, const zvt_hello_t *identity,
                                 zvt_follower_event_fn *on_event, zvt_follower_batch_fn *on_batch, void *arg)
{
    zvt_follower_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->shard = shard;
    self->on_event = on_event;
    self->on_batch = on_batch;
    self->arg = arg;
    self->heard_ns = zvt_loop_monotonic_ns(loop);
    self->next_seq = from_seq == ZVT_FOLLOW_LIVE ? 0 : from_seq;
    self->held = zvt_buf_new(ZVT_FOLLOWER_HELD);
    char endpoint[ZVT_ENDPOINT_SIZE], topic[32];
    zvt_endpoint(endpoint, "events", NULL);
    self->live = zvt_subscriber_new_raw(loop, endpoint, s_on_live, self);
    /* The topic is a prefix; the shard inside the records tells log.1 from log.10. */
    snprintf(topic, sizeof topic, "log.%" PRIu32, shard);
    zvt_subscriber_add(self->live, topic);
    zvt_endpoint(endpoint, "replay", NULL);
    zvt_link_handler_t handler = {.on_record = s_on_replay_record, .on_up = s_on_replay_up, .on_frame = s_on_replay_frame,
                                  .arg = self};
    self->replay = zvt_link_new(loop, endpoint, identity, &handler);
    zvt_loop_every(loop, REFUSED_NS, s_on_time, self);
    return self;
}

void zvt_follower_read_every(zvt_follower_t *self, int64_t period_ns)
{
    zvt_subscriber_read_every(self->live, period_ns);
}

void zvt_follower_destroy(zvt_follower_t **self)
{
    if (*self == NULL) return;
    zvt_subscriber_destroy(&(*self)->live);
    zvt_link_destroy(&(*self)->replay);
    zvt_buf_destroy(&(*self)->held);
    zvt_base_release(&(*self)->base);
    free(*self);
    *self = NULL;
}

void zvt_follower_only(zvt_follower_t *self, const zvt_type_set_t *types)
{
    self->types = *types;
}

void zvt_follower_on_hole(zvt_follower_t *self, zvt_follower_hole_fn *on_hole)
{
    self->on_hole = on_hole;
}

void zvt_follower_want_base(zvt_follower_t *self, const char *process, uint64_t before_seq, zvt_follower_base_fn *on_base)
{
    self->base = zvt_base_of(process, before_seq);
    self->on_base = on_base;
}

int64_t zvt_follower_committed_ns(const zvt_follower_t *self)
{
    return self->committed_ns;
}

uint64_t zvt_follower_applied(const zvt_follower_t *self)
{
    return self->next_seq == 0 ? 0 : self->next_seq - 1;
}

bool zvt_follower_caught_up(const zvt_follower_t *self)
{
    return self->tip_known && self->next_seq > self->tip_seq;
}
