#include "zvt_subscriber.h"

#include "zvt_frames.h"
#include "zvt_socket.h"
#include "zvt_stats.h"

enum { TOPIC_SIZE = 128 };

struct zvt_subscriber {
    zvt_loop_t *loop;
    zsock_t *sub;
    int64_t period_ns; /* between two looks at what keeps arriving; 0: whenever something has */
    int period_timer;  /* not armed while the socket is watched, because nothing came for a period */
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_subscriber_fn *on_record;
    zvt_subscriber_frame_fn *on_frame;
    void *arg;
    void *frame_arg; /* what on_frame gets: arg, or the subscriber itself when it decodes */
    zvt_record_t record;
};

static void s_subscriber_on_frame(void *arg, const char *topic, zvt_cursor_t frame)
{
    zvt_subscriber_t *self = arg;
    size_t length = (size_t)(frame.end - frame.at);
    while (!zvt_cursor_done(&frame)) {
        int status = zvt_read(&frame, &self->record);
        if (status != 0) {
            zvt_frames_malformed(self->endpoint, zvt_strerror(status), length);
            return;
        }
        self->on_record(self->arg, topic, &self->record);
    }
}

static void s_subscriber_on_message(zvt_subscriber_t *self, zmq_msg_t *frames, int count)
{
    char topic[TOPIC_SIZE];
    size_t topic_length = zmq_msg_size(&frames[0]);
    if (count != 2 || topic_length >= sizeof topic) {
        zvt_frames_malformed(self->endpoint, "expected a topic and a payload frame", topic_length);
        return;
    }
    memcpy(topic, zmq_msg_data(&frames[0]), topic_length);
    topic[topic_length] = '\0';
    ZVT_COUNT("messages");
    self->on_frame(self->frame_arg, topic, zvt_cursor(zmq_msg_data(&frames[1]), zmq_msg_size(&frames[1])));
}

/* Number of messages; ZVT_DRAIN_MAX: there may be more. */
static int s_subscriber_drain(zvt_subscriber_t *self)
{
    for (int n = 0; n < ZVT_DRAIN_MAX; n++) {
        zmq_msg_t frames[2];
        int count = zvt_frames_recv(self->sub, frames, 2);
        if (count == 0) return n;
        s_subscriber_on_message(self, frames, count);
        zvt_frames_close(frames, count, 2);
    }
    return ZVT_DRAIN_MAX;
}

static void s_subscriber_on_readable(void *arg)
{
    zvt_subscriber_read(arg);
}

/* The first of what may be many: what follows within the period is read together with it. */
static void s_subscriber_on_first(void *arg)
{
    zvt_subscriber_t *self = arg;
    zvt_loop_remove_socket(self->loop, self->sub);
    zvt_loop_arm(self->loop, self->period_timer, zvt_loop_monotonic_ns(self->loop) + self->period_ns);
}

static void s_subscriber_on_period(void *arg)
{
    zvt_subscriber_t *self = arg;
    int count = s_subscriber_drain(self);
    if (count == 0)
        zvt_loop_add_socket(self->loop, self->sub, s_subscriber_on_first, self);
    else
        zvt_loop_arm(self->loop, self->period_timer, zvt_loop_monotonic_ns(self->loop) + (count == ZVT_DRAIN_MAX ? 1 : self->period_ns));
}

zvt_subscriber_t *zvt_subscriber_new_raw(zvt_loop_t *loop, const char *endpoint, zvt_subscriber_frame_fn *on_frame, void *arg)
{
    zvt_subscriber_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->loop = loop;
    self->on_frame = on_frame;
    self->frame_arg = arg;
    snprintf(self->endpoint, sizeof self->endpoint, "%s", endpoint);
    self->sub = zvt_socket_new(ZMQ_SUB);
    ZVT_ASSERT(zmq_connect(zsock_resolve(self->sub), endpoint) == 0);
    zvt_loop_add_socket(loop, self->sub, s_subscriber_on_readable, self);
    return self;
}

zvt_subscriber_t *zvt_subscriber_new(zvt_loop_t *loop, const char *endpoint, zvt_subscriber_fn *on_record, void *arg)
{
    zvt_subscriber_t *self = zvt_subscriber_new_raw(loop, endpoint, s_subscriber_on_frame, NULL);
    self->frame_arg = self;
    self->on_record = on_record;
    self->arg = arg;
    return self;
}

void zvt_subscriber_destroy(zvt_subscriber_t **self)
{
    if (*self == NULL) return;
    if ((*self)->period_ns != 0) zvt_loop_arm((*self)->loop, (*self)->period_timer, 0);
    zvt_loop_remove_socket((*self)->loop, (*self)->sub);
    zsock_destroy(&(*self)->sub);
    free(*self);
    *self = NULL;
}

void zvt_subscriber_read(zvt_subscriber_t *self)
{
    if (s_subscriber_drain(self) == ZVT_DRAIN_MAX) zvt_loop_check(self->loop, self->sub);
}

void zvt_subscriber_read_every(zvt_subscriber_t *self, int64_t period_ns)
{
    ZVT_ASSERT(self->period_ns == 0);
    zvt_loop_remove_socket(self->loop, self->sub);
    self->period_ns = period_ns;
    self->period_timer = zvt_loop_timer(self->loop, s_subscriber_on_period, self);
    zvt_loop_arm(self->loop, self->period_timer, zvt_loop_monotonic_ns(self->loop) + period_ns);
}

void zvt_subscriber_add(zvt_subscriber_t *self, const char *topic_prefix)
{
    zsock_set_subscribe(self->sub, topic_prefix);
    zvt_loop_check(self->loop, self->sub);
}

void zvt_subscriber_reopen(zvt_subscriber_t *self)
{
    zvt_socket_reconnect(self->sub, self->endpoint);
    zvt_loop_check(self->loop, self->sub);
}
