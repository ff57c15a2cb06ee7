/* zvt-replayer: serves history from the event log on the replay socket. Read-only: it cannot lose or change anything. */
#include <inttypes.h>

#include "log_reader.h"
#include "zvt_hub.h"
#include "zvt_service.h"
#include "zvt_time.h"

enum { LIMIT_DEFAULT = 1000, LIMIT_MAX = 4000, FRAME_SIZE = 3 << 20 };

typedef struct {
    zvt_service_t *service;
    zvt_hub_t *hub;
    log_reader_t *reader;
    zvt_buf_t events;      /* of one answer */
    zvt_buf_t frame;       /* the answer: log.batch, then the events */
    zvt_log_batch_t batch;
    uint64_t tip_seq;
} replayer_t;

/* Adds an event to the answer; stops the reading when the frame is full. */
static int s_on_event(void *arg, const zvt_event_t *event)
{
    replayer_t *self = arg;
    if (zvt_pack_event(&self->events, event) != 0) return ZVT_ERR_FULL;
    if (self->batch.first_seq == 0) self->batch.first_seq = event->seq;
    self->batch.last_seq = event->seq;
    return 0;
}

static void s_refuse(replayer_t *self, const zvt_peer_t *peer, uint8_t code, const char *why)
{
    zvt_error_reply_t reply = {.code = code};
    ZVT_STR_SET(reply.message, why);
    zvt_hub_send(self->hub, peer, ZVT_T_ERROR_REPLY, &reply);
    ZVT_COUNT("replays_refused");
    if (zvt_diag_allowed()) zvt_warn("replay refused: %s", why);
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
}

static void s_on_replay_request(replayer_t *self, const zvt_peer_t *peer, const zvt_replay_request_t *request)
{
    char problem[256];
    uint32_t limit = request->limit == 0 ? LIMIT_DEFAULT : request->limit > LIMIT_MAX ? LIMIT_MAX : request->limit;
    self->events.length = 0;
    self->batch = (zvt_log_batch_t){.shard = (uint32_t)zvt_service_fleet(self->service)->shard};
    int status = log_reader_tip(self->reader, &self->tip_seq, problem);
    if (status == 0)
        status = log_reader_read(self->reader, request->from_seq, request->to_seq, limit, &request->correlation_id, s_on_event,
                                 self, problem);
    if (status != 0 && status != ZVT_ERR_FULL) {
        s_refuse(self, peer, ZVT_CODE_LOG_UNAVAILABLE, problem);
        return;
    }
    self->batch.tip_seq = self->tip_seq;
    ZVT_COUNT("replays");
    s_answer(self, peer);
}

static void s_on_record(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    replayer_t *self = arg;
    if (record->type == ZVT_T_REPLAY_REQUEST)
        s_on_replay_request(self, peer, &record->replay_request);
    else
        s_refuse(self, peer, ZVT_CODE_MALFORMED, "the replay socket takes replay.request");
}

static void s_on_time(void *arg)
{
    replayer_t *self = arg;
    char problem[256];
    if (zvt_service_is_ready(self->service)) return;
    if (log_reader_tip(self->reader, &self->tip_seq, problem) == 0)
        zvt_service_ready(self->service);
    else if (zvt_diag_allowed())
        zvt_warn("the database does not answer yet: %s", problem);
}

int main(int argc, char **argv)
{
    const char *dsn = getenv("DATABASE_URL");
    const zvt_option_t options[] = {
        {.name = "database", .argument = "DSN", .meaning = "libpq connection; default $DATABASE_URL", .value = &dsn}, {.name = NULL}};
    const zvt_service_desc_t desc = {.program = "zvt-replayer", .summary = "Serves the history of the event log.",
                                     .role = ZVT_ROLE_REPLAYER, .name = "replayer", .options = options};
    replayer_t self = {.service = zvt_service_new(argc, argv, &desc)};
    if (dsn == NULL) {
        zvt_error("no database; set DATABASE_URL or --database");
        return ZVT_EXIT_CONFIG;
    }
    self.reader = log_reader_new(dsn, zvt_service_name(self.service));
    self.events = zvt_buf_new(FRAME_SIZE);
    self.frame = zvt_buf_new(FRAME_SIZE + 256);
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "replay", NULL);
    zvt_loop_t *loop = zvt_service_loop(self.service);
    if (zvt_hub_new_bounded(&self.hub, loop, endpoint, zvt_service_identity(self.service), s_on_record, NULL, &self, ZVT_HWM_LARGE) != 0) {
        zvt_error("cannot bind %s; does another replayer run in this fleet?", endpoint);
        return ZVT_EXIT_CONFIG;
    }
    zvt_loop_every(loop, 100 * ZVT_MS_NS, s_on_time, &self);
    s_on_time(&self);
    int exit_code = zvt_service_run(self.service);
    zvt_hub_destroy(&self.hub);
    log_reader_destroy(&self.reader);
    zvt_buf_destroy(&self.events);
    zvt_buf_destroy(&self.frame);
    zvt_service_destroy(&self.service);
    return exit_code;
}
