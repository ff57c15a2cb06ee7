#include "zvt_frames.h"

#include "zvt_diag.h"
#include "zvt_stats.h"

bool zvt_frame_send(zsock_t *socket, const void *data, size_t length, int flags)
{
    if (zmq_send(zsock_resolve(socket), data, length, flags | ZMQ_DONTWAIT) >= 0) return true;
    ZVT_COUNT("unsent");
    if (zmq_errno() != EAGAIN) return false;
    ZVT_COUNT("unread");
    if (zvt_diag_allowed()) zvt_warn("a peer does not read: dropped %zu bytes, its queue of messages is full", length);
    return false;
}

void zvt_frames_malformed(const char *from, const char *what, size_t length)
{
    ZVT_COUNT("malformed");
    if (zvt_diag_allowed()) zvt_warn("dropped a message of %zu bytes from %s: %s", length, from, what);
}

/* Receives one frame without waiting; false when there is none. */
static bool s_recv_frame(zsock_t *socket, zmq_msg_t *frame)
{
    zmq_msg_init(frame);
    if (zmq_msg_recv(frame, zsock_resolve(socket), ZMQ_DONTWAIT) >= 0) return true;
    zmq_msg_close(frame);
    return false;
}

int zvt_frames_recv(zsock_t *socket, zmq_msg_t *frames, int max)
{
    int count = 0;
    bool more = true;
    while (more) {
        zmq_msg_t extra;
        zmq_msg_t *frame = count < max ? &frames[count] : &extra;
        if (!s_recv_frame(socket, frame)) break;
        more = zmq_msg_more(frame) != 0;
        if (count >= max) zmq_msg_close(frame);
        if (count <= max) count++;
    }
    return count;
}

void zvt_frames_close(zmq_msg_t *frames, int count, int max)
{
    for (int i = 0; i < count && i < max; i++) zmq_msg_close(&frames[i]);
}
