/* Mirrors replayer_main.c: history from the log, as many frames as a range takes, and bases. */
#include <stdlib.h>

#include "sim_archive.h"
#include "sim_db.h"
#include "sim_procs.h"
#include "zvt_type_set.h"

enum { FRAME_EVENTS = 200, FRAME_BYTES = 192 << 10, PIECE_BYTES = 2 << 10 };

typedef struct {
    zvt_hub_t *hub;
    zvt_buf_t frame;
} replayer_t;

static void s_refuse(replayer_t *self, const zvt_peer_t *peer, uint8_t code)
{
    zvt_error_reply_t reply = {.code = code};
    zvt_hub_send(self->hub, peer, ZVT_T_ERROR_REPLY, &reply);
}

/* One frame with the wanted events of first_seq .. last_seq; with none of them when nothing is covered. */
static void s_answer(replayer_t *self, const zvt_peer_t *peer, const zvt_type_set_t *types, uint64_t first_seq, uint64_t last_seq)
{
    bool covers = first_seq <= last_seq;
    zvt_log_batch_t batch = {.shard = (uint32_t)sim.fleet->shard, .tip_seq = sim_db_tip(), .first_seq = covers ? first_seq : 0,
                             .last_seq = covers ? last_seq : 0};
    self->frame.length = 0;
    int status = zvt_pack(&self->frame, ZVT_T_LOG_BATCH, &batch);
    for (uint64_t seq = first_seq; seq <= last_seq && status == 0; seq++)
        if (zvt_type_set_has(types, sim_db_event(seq)->type)) status = zvt_pack_event(&self->frame, sim_db_event(seq));
    ZVT_ASSERT(status == 0);
    zvt_hub_flush(self->hub);
    zvt_hub_send_packed(self->hub, peer, self->frame.data, self->frame.length);
    zvt_hub_flush(self->hub);
}

static void s_refuse_archived(replayer_t *self, const zvt_peer_t *peer)
{
    zvt_log_begin_t begin = {.shard = (uint32_t)sim.fleet->shard, .first_seq = sim_archive_first_seq(), .tip_seq = sim_db_tip()};
    zvt_hub_send(self->hub, peer, ZVT_T_LOG_BEGIN, &begin);
    s_refuse(self, peer, ZVT_CODE_ARCHIVED);
    SIM_COUNT("questions about what is archived");
}

static void s_on_base_request(replayer_t *self, const zvt_peer_t *peer, const zvt_base_request_t *request)
{
    if (!sim_db_is_up()) {
        s_refuse(self, peer, ZVT_CODE_LOG_UNAVAILABLE);
        return;
    }
    zvt_log_base_t head = {.offset = request->offset};
    const zvt_buf_t *base = sim_archive_base(request->process, &head.seq);
    size_t left = request->offset < base->length ? base->length - request->offset : 0;
    head.length = base->length;
    ZVT_STR_SET(head.process, request->process);
    self->frame.length = 0;
    int status = zvt_pack(&self->frame, ZVT_T_LOG_BASE, &head);
    if (status == 0 && left > 0) status = zvt_buf_append(&self->frame, base->data + request->offset, left < PIECE_BYTES ? left : PIECE_BYTES);
    ZVT_ASSERT(status == 0);
    zvt_hub_flush(self->hub);
    zvt_hub_send_packed(self->hub, peer, self->frame.data, self->frame.length);
    zvt_hub_flush(self->hub);
}

static void s_on_replay_range(replayer_t *self, const zvt_peer_t *peer, const zvt_replay_range_t *range)
{
    zvt_type_set_t types = {.low = range->types_low, .high = range->types_high};
    uint64_t tip_seq = sim_db_tip(), end_seq = range->to_seq < tip_seq ? range->to_seq : tip_seq, seq = range->from_seq;
    if (seq == 0 || range->to_seq < seq) {
        s_refuse(self, peer, ZVT_CODE_MALFORMED);
    } else if (!sim_db_is_up()) {
        s_refuse(self, peer, ZVT_CODE_LOG_UNAVAILABLE);
    } else if (seq < sim_archive_first_seq()) {
        s_refuse_archived(self, peer);
    } else {
        do {
            uint64_t last_seq = seq + FRAME_EVENTS - 1 < end_seq ? seq + FRAME_EVENTS - 1 : end_seq;
            s_answer(self, peer, &types, seq, last_seq);
            seq = last_seq + 1;
        } while (seq <= end_seq);
    }
}

static void s_on_record(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    if (record->type == ZVT_T_REPLAY_RANGE) s_on_replay_range(arg, peer, &record->replay_range);
    if (record->type == ZVT_T_BASE_REQUEST) s_on_base_request(arg, peer, &record->base_request);
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
