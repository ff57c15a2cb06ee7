/* zvt-replayer: serves history from the event log on the replay socket. Read-only: it cannot lose or change anything.
 *
 * A replay.request is one question and one answer. Ranges are for who reads on: a follower asks for the next ones ahead, and
 * what has been asked for is all that is ever sent to it. Behind them is one COPY stream for each of the latest askers, which goes
 * on where the range before ended; it is only a shortcut, and opened again when it is gone. */
#include <inttypes.h>

#include "log_reader.h"
#include "log_stream.h"
#include "zvt_base.h"
#include "zvt_hub.h"
#include "zvt_service.h"
#include "zvt_time.h"

enum {
    LIMIT_DEFAULT = 1000,
    LIMIT_MAX = 4000,
    RANGE_MAX = 20000,  /* events that one question is about: others wait meanwhile */
    FRAME_SIZE = 1 << 20,
    FRAME_BATCH = 64,   /* room for the log.batch record, which is written last */
    ANSWER_SIZE = 3 << 20,
    STREAMS_MAX = 8
};
#define STREAM_IDLE_NS (2 * ZVT_SECOND_NS) /* a stream that nobody asks to go on holds a snapshot of the database */
#define LOOK_NS (100 * ZVT_MS_NS)

/* A COPY stream and who reads it. */
typedef struct {
    log_stream_t *rows;
    zvt_peer_t peer;
    zvt_type_set_t types;
    uint64_t next_seq;      /* everything below has been answered */
    uint64_t to_seq;        /* where the stream ends */
    uint64_t tip_seq;       /* of the log when it was opened */
    log_row_t waiting;      /* row of a later range; its seq is 0 when there is none */
    int64_t used_ns;        /* monotonic */
} stream_t;

typedef struct {
    zvt_service_t *service;
    zvt_loop_t *loop;
    zvt_hub_t *hub;
    log_reader_t *reader;
    stream_t streams[STREAMS_MAX];
    zvt_buf_t events;      /* of one answer */
    zvt_buf_t frame;       /* the answer: log.batch, then the events */
    zvt_log_batch_t batch;
    uint64_t tip_seq;
} replayer_t;

static void s_refuse(replayer_t *self, const zvt_peer_t *peer, uint8_t code, const char *why)
{
    zvt_error_reply_t reply = {.code = code};
    ZVT_STR_SET(reply.message, why);
    zvt_hub_send(self->hub, peer, ZVT_T_ERROR_REPLY, &reply);
    ZVT_COUNT("replays_refused");
    if (zvt_diag_allowed()) zvt_warn("replay refused: %s", why);
}

/* What is asked for begins before the log does. Nobody may take what is left of it for the whole. */
static void s_refuse_archived(replayer_t *self, const zvt_peer_t *peer, uint64_t first_seq)
{
    char why[ZVT_MESSAGE_SIZE];
    zvt_log_begin_t begin = {.shard = (uint32_t)zvt_service_fleet(self->service)->shard, .first_seq = first_seq, .tip_seq = self->tip_seq};
    snprintf(why, sizeof why, "the log begins with seq %" PRIu64 "; earlier events are in the archive files, see: fleet archive --list", first_seq);
    zvt_hub_send(self->hub, peer, ZVT_T_LOG_BEGIN, &begin);
    s_refuse(self, peer, ZVT_CODE_ARCHIVED, why);
}

/* Each answer is a message of its own: its frame begins with log.batch and ends with its last event. */
static void s_answer(replayer_t *self, const zvt_peer_t *peer)
{
    self->frame.length = 0;
    int status = zvt_pack(&self->frame, ZVT_T_LOG_BATCH, &self->batch);
    if (status == 0) status = zvt_buf_append(&self->frame, self->events.data, self->events.length);
    ZVT_ASSERT(status == 0);
    zvt_hub_flush(self->hub);
    zvt_hub_send_packed(self->hub, peer, self->frame.data, self->frame.length);
    zvt_hub_flush(self->hub);
    self->events.length = 0;
}

/* ---- one question, one answer ---- */
/* Adds an event to the answer; stops the reading when the frame is full. */
static int s_on_event(void *arg, const zvt_event_t *event)
{
    replayer_t *self = arg;
    if (zvt_pack_event(&self->events, event) != 0) return ZVT_ERR_FULL;
    if (self->batch.first_seq == 0) self->batch.first_seq = event->seq;
    self->batch.last_seq = event->seq;
    return 0;
}

static void s_begin_answer(replayer_t *self)
{
    self->events.length = 0;
    self->batch = (zvt_log_batch_t){.shard = (uint32_t)zvt_service_fleet(self->service)->shard};
}

static void s_on_replay_request(replayer_t *self, const zvt_peer_t *peer, const zvt_replay_request_t *request)
{
    char problem[256];
    uint32_t limit = request->limit == 0 ? LIMIT_DEFAULT : request->limit > LIMIT_MAX ? LIMIT_MAX : request->limit;
    s_begin_answer(self);
    int status = log_reader_tip(self->reader, &self->tip_seq, problem);
    if (status == 0)
        status = log_reader_read(self->reader, request->from_seq, request->to_seq, limit, &request->correlation_id, s_on_event,
                                 self, problem);
    uint64_t first_seq = 0;
    if (status == 0 || status == ZVT_ERR_FULL) status = log_reader_first(self->reader, &first_seq, problem);
    if (status != 0) {
        s_refuse(self, peer, ZVT_CODE_LOG_UNAVAILABLE, problem);
        return;
    }
    if (request->from_seq < first_seq && first_seq > 1) {
        s_refuse_archived(self, peer, first_seq);
        return;
    }
    self->batch.tip_seq = self->tip_seq;
    ZVT_COUNT("replays");
    s_answer(self, peer);
}

/* ---- ranges ---- */
/* The stream that goes on with this range; else the one that was not used for longest, closed. */
static stream_t *s_find_stream(replayer_t *self, const zvt_peer_t *peer, const zvt_replay_range_t *range, const zvt_type_set_t *types)
{
    stream_t *oldest = &self->streams[0];
    for (stream_t *stream = self->streams; stream < self->streams + STREAMS_MAX; stream++) {
        bool open = log_stream_is_open(stream->rows), of_peer = zvt_peer_equal(&stream->peer, peer);
        if (open && of_peer && stream->next_seq == range->from_seq && zvt_type_set_equal(&stream->types, types)) return stream;
        if (!open) stream->used_ns = 0;
        if (stream->used_ns < oldest->used_ns) oldest = stream;
    }
    log_stream_close(oldest->rows);
    return oldest;
}

/* Near the log's end a stream ends with the range, so that nothing is left of it. Where the log begins is looked at when the
 * stream is open, because then it keeps its partitions until it is read. */
static int s_open_stream(replayer_t *self, stream_t *stream, const zvt_peer_t *peer, const zvt_replay_range_t *range,
                         const zvt_type_set_t *types, uint64_t *first_seq, char problem[256])
{
    int status = log_reader_tip(self->reader, &self->tip_seq, problem);
    if (status == 0) status = log_reader_first(self->reader, first_seq, problem);
    if (status != 0 || range->from_seq < *first_seq) return status; /* no stream is opened in vain */
    uint64_t to_seq = range->to_seq < self->tip_seq ? range->to_seq : self->tip_seq;
    if (self->tip_seq > to_seq + RANGE_MAX) to_seq = self->tip_seq;
    *stream = (stream_t){.rows = stream->rows, .peer = *peer, .types = *types, .next_seq = range->from_seq, .to_seq = to_seq,
                         .tip_seq = self->tip_seq};
    if (range->from_seq <= to_seq) {
        ZVT_COUNT("streams");
        status = log_stream_open(stream->rows, range->from_seq, to_seq, types, problem);
    }
    if (status == 0) status = log_reader_first(self->reader, first_seq, problem);
    return status;
}

/* Sends what is covered so far: up to last_seq. */
static void s_answer_piece(replayer_t *self, stream_t *stream, uint64_t last_seq)
{
    self->batch.first_seq = stream->next_seq;
    self->batch.last_seq = last_seq;
    stream->next_seq = last_seq + 1;
    s_answer(self, &stream->peer);
}

/* Adds a row; when the frame is full, what there is goes ahead. */
static void s_add_row(replayer_t *self, stream_t *stream, const log_row_t *row)
{
    if (self->events.length + FRAME_BATCH < FRAME_SIZE && log_rows_pack(&self->events, row) == 0) return;
    s_answer_piece(self, stream, row->event.seq - 1);
    ZVT_ASSERT(log_rows_pack(&self->events, row) == 0);
}

/* The rows up to last_seq, the rest stays in the stream. */
static int s_read_range(replayer_t *self, stream_t *stream, uint64_t last_seq, char problem[256])
{
    const log_row_t *row = stream->waiting.event.seq != 0 ? &stream->waiting : NULL;
    int status = 0;
    if (row == NULL) status = log_stream_next(stream->rows, &row, problem);
    while (status == 0 && row != NULL && row->event.seq <= last_seq) {
        s_add_row(self, stream, row);
        status = log_stream_next(stream->rows, &row, problem);
    }
    if (status != 0) return status;
    if (row != NULL && row != &stream->waiting) stream->waiting = *row;
    if (row == NULL) stream->waiting.event.seq = 0;
    s_answer_piece(self, stream, last_seq);
    return 0;
}

/* Nothing is there yet: an answer that covers nothing tells the tip. */
static void s_answer_empty(replayer_t *self, const zvt_peer_t *peer)
{
    self->batch.tip_seq = self->tip_seq;
    s_answer(self, peer);
}

static void s_on_replay_range(replayer_t *self, const zvt_peer_t *peer, const zvt_replay_range_t *range)
{
    char problem[256];
    zvt_type_set_t types = {.low = range->types_low, .high = range->types_high};
    if (range->from_seq == 0 || range->to_seq < range->from_seq || range->to_seq - range->from_seq >= RANGE_MAX) {
        s_refuse(self, peer, ZVT_CODE_MALFORMED, "a range has 1 to 20,000 events, from 1 on");
        return;
    }
    s_begin_answer(self);
    int status = 0;
    uint64_t first_seq = 0;
    stream_t *stream = s_find_stream(self, peer, range, &types);
    if (!log_stream_is_open(stream->rows)) status = s_open_stream(self, stream, peer, range, &types, &first_seq, problem);
    if (status == 0 && range->from_seq < first_seq) {
        log_stream_close(stream->rows);
        s_refuse_archived(self, peer, first_seq);
        return;
    }
    stream->used_ns = zvt_loop_monotonic_ns(self->loop);
    self->batch.tip_seq = stream->tip_seq;
    ZVT_COUNT("ranges");
    if (status == 0 && !log_stream_is_open(stream->rows))
        s_answer_empty(self, peer);
    else if (status == 0)
        status = s_read_range(self, stream, range->to_seq < stream->to_seq ? range->to_seq : stream->to_seq, problem);
    if (status == 0) return;
    log_stream_close(stream->rows);
    s_refuse(self, peer, ZVT_CODE_LOG_UNAVAILABLE, problem);
}

/* ---- bases ---- */
static void s_on_base_request(replayer_t *self, const zvt_peer_t *peer, const zvt_base_request_t *request)
{
    char problem[256];
    zvt_log_base_t head;
    self->events.length = 0;
    if (log_reader_base(self->reader, request, ZVT_BASE_PIECE, &head, &self->events, problem) != 0) {
        s_refuse(self, peer, ZVT_CODE_LOG_UNAVAILABLE, problem);
        return;
    }
    self->frame.length = 0;
    int status = zvt_pack(&self->frame, ZVT_T_LOG_BASE, &head);
    if (status == 0) status = zvt_buf_append(&self->frame, self->events.data, self->events.length);
    ZVT_ASSERT(status == 0);
    ZVT_COUNT("bases");
    zvt_hub_flush(self->hub);
    zvt_hub_send_packed(self->hub, peer, self->frame.data, self->frame.length);
    zvt_hub_flush(self->hub);
    self->events.length = 0;
}

static void s_on_record(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    replayer_t *self = arg;
    if (record->type == ZVT_T_REPLAY_REQUEST)
        s_on_replay_request(self, peer, &record->replay_request);
    else if (record->type == ZVT_T_REPLAY_RANGE)
        s_on_replay_range(self, peer, &record->replay_range);
    else if (record->type == ZVT_T_BASE_REQUEST)
        s_on_base_request(self, peer, &record->base_request);
    else
        s_refuse(self, peer, ZVT_CODE_MALFORMED, "the replay socket takes replay.request, replay.range and base.request");
}

/* ---- time ---- */
static void s_look_for_database(replayer_t *self)
{
    char problem[256];
    if (log_reader_tip(self->reader, &self->tip_seq, problem) == 0)
        zvt_service_ready(self->service);
    else if (zvt_diag_allowed())
        zvt_warn("the database does not answer yet: %s", problem);
}

static void s_on_time(void *arg)
{
    replayer_t *self = arg;
    if (!zvt_service_is_ready(self->service)) s_look_for_database(self);
    int64_t now_ns = zvt_loop_monotonic_ns(self->loop);
    for (stream_t *stream = self->streams; stream < self->streams + STREAMS_MAX; stream++)
        if (now_ns - stream->used_ns > STREAM_IDLE_NS) log_stream_close(stream->rows);
}

/* ---- life ---- */
static void s_init(replayer_t *self, const char *dsn)
{
    self->loop = zvt_service_loop(self->service);
    self->reader = log_reader_new(dsn, zvt_service_name(self->service));
    for (size_t i = 0; i < STREAMS_MAX; i++) self->streams[i].rows = log_stream_new(dsn, zvt_service_name(self->service));
    self->events = zvt_buf_new(ANSWER_SIZE);
    self->frame = zvt_buf_new(ANSWER_SIZE + 256);
}

static void s_release(replayer_t *self)
{
    zvt_hub_destroy(&self->hub);
    log_reader_destroy(&self->reader);
    for (size_t i = 0; i < STREAMS_MAX; i++) log_stream_destroy(&self->streams[i].rows);
    zvt_buf_destroy(&self->events);
    zvt_buf_destroy(&self->frame);
    zvt_service_destroy(&self->service);
}

int main(int argc, char **argv)
{
    static replayer_t self;
    const char *dsn = getenv("DATABASE_URL");
    const zvt_option_t options[] = {
        {.name = "database", .argument = "DSN", .meaning = "libpq connection; default $DATABASE_URL", .value = &dsn}, {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-replayer", .summary = "Serves the history of the event log.",
                                     .role = ZVT_ROLE_REPLAYER, .name = "replayer", .options = options};
    self.service = zvt_service_new(argc, argv, &desc);
    if (dsn == NULL) {
        zvt_error("no database; set DATABASE_URL or --database");
        return ZVT_EXIT_CONFIG;
    }
    s_init(&self, dsn);
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "replay", NULL);
    if (zvt_hub_new_bounded(&self.hub, self.loop, endpoint, zvt_service_identity(self.service), s_on_record, NULL, &self, ZVT_HWM_LARGE) != 0) {
        zvt_error("cannot bind %s; does another replayer run in this fleet?", endpoint);
        return ZVT_EXIT_CONFIG;
    }
    zvt_loop_every(self.loop, LOOK_NS, s_on_time, &self);
    s_on_time(&self);
    int exit_code = zvt_service_run(self.service);
    s_release(&self);
    return exit_code;
}
