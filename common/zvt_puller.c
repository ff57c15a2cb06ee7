#include "zvt_puller.h"

#include "zvt_frames.h"
#include "zvt_socket.h"
#include "zvt_stats.h"

struct zvt_puller {
    zvt_loop_t *loop;
    zsock_t *pull;
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_puller_fn *on_record;
    void *arg;
    zvt_record_t record;
};

static void s_puller_on_message(zvt_puller_t *self, zmq_msg_t *frame, int count)
{
    size_t length = zmq_msg_size(frame);
    if (count != 1 || length == 0) {
        zvt_frames_malformed(self->endpoint, "expected one payload frame", length);
        return;
    }
    zvt_cursor_t payload = zvt_cursor(zmq_msg_data(frame), length);
    while (!zvt_cursor_done(&payload)) {
        int status = zvt_read(&payload, &self->record);
        if (status != 0) {
            zvt_frames_malformed(self->endpoint, zvt_strerror(status), length);
            return;
        }
        ZVT_COUNT("messages");
        self->on_record(self->arg, &self->record);
    }
}

static void s_puller_on_readable(void *arg)
{
    zvt_puller_t *self = arg;
    for (int n = 0; n < ZVT_DRAIN_MAX; n++) {
        zmq_msg_t frame;
        int count = zvt_frames_recv(self->pull, &frame, 1);
        if (count == 0) return;
        s_puller_on_message(self, &frame, count);
        zmq_msg_close(&frame);
    }
    zvt_loop_check(self->loop, self->pull);
}

int zvt_puller_new(zvt_puller_t **self_out, zvt_loop_t *loop, const char *endpoint, zvt_puller_fn *on_record, void *arg)
{
    zvt_puller_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->on_record = on_record;
    self->arg = arg;
    snprintf(self->endpoint, sizeof self->endpoint, "%s", endpoint);
    self->pull = zvt_socket_new(ZMQ_PULL);
    int status = zvt_socket_bind(self->pull, endpoint);
    if (status != 0) {
        zsock_destroy(&self->pull);
        free(self);
        return status;
    }
    zvt_loop_add_socket(loop, self->pull, s_puller_on_readable, self);
    *self_out = self;
    return 0;
}

void zvt_puller_destroy(zvt_puller_t **self)
{
    if (*self == NULL) return;
    zvt_loop_remove_socket((*self)->loop, (*self)->pull);
    zsock_destroy(&(*self)->pull);
    free(*self);
    *self = NULL;
}
