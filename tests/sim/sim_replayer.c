/* Mirrors replayer_main.c: history from the log, a frame per question. */
#include <stdlib.h>

#include "sim_db.h"
#include "sim_procs.h"

enum { LIMIT = 200, FRAME_BYTES = 192 << 10 };

typedef struct {
    zvt_hub_t *hub;
    zvt_buf_t frame;
} replayer_t;

static void s_on_replay_request(replayer_t *self, const zvt_peer_t *peer, const zvt_replay_request_t *request)
{
    if (!sim_db_is_up()) {
        zvt_error_reply_t reply = {.code = ZVT_CODE_LOG_UNAVAILABLE};
        zvt_hub_send(self->hub, peer, ZVT_T_ERROR_REPLY, &reply);
        return;
    }
    uint64_t tip = sim_db_tip(), last = request->from_seq + LIMIT - 1 < tip ? request->from_seq + LIMIT - 1 : tip;
    zvt_log_batch_t batch = {.shard = (uint32_t)sim.fleet->shard, .tip_seq = tip};
    if (request->from_seq <= last) {
        batch.first_seq = request->from_seq;
        batch.last_seq = last;
    }
    self->frame.length = 0;
    int status = zvt_pack(&self->frame, ZVT_T_LOG_BATCH, &batch);
    for (uint64_t seq = request->from_seq; seq <= last && status == 0; seq++) status = zvt_pack_event(&self->frame, sim_db_event(seq));
    ZVT_ASSERT(status == 0);
    zvt_hub_flush(self->hub);
    zvt_hub_send_packed(self->hub, peer, self->frame.data, self->frame.length);
    zvt_hub_flush(self->hub);
}

static void s_on_record(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    if (record->type == ZVT_T_REPLAY_REQUEST) s_on_replay_request(arg, peer, &record->replay_request);
}

void *sim_replayer_start(sim_proc_t *proc)
{
    replayer_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->frame = zvt_buf_new(FRAME_BYTES);
    ZVT_ASSERT(zvt_hub_new(&self->hub, proc->loop, "replay", &proc->identity, s_on_record, NULL, self) == 0);
    return self;
}

void sim_replayer_stop(sim_proc_t *proc)
{
    replayer_t *self = proc->run;
    zvt_hub_destroy(&self->hub);
    zvt_buf_destroy(&self->frame);
    free(self);
}

sim_doing_t sim_replayer_doing(sim_proc_t *proc)
{
    (void)proc;
    return SIM_DOING_IDLE;
}
