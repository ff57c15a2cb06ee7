/* zvt_frames -- frames in and out of a socket without waiting; what zvt_hub, zvt_link, zvt_subscriber and zvt_puller
 * are made of. */
#ifndef ZVT_FRAMES_H
#define ZVT_FRAMES_H

#include <czmq.h>

enum {
    ZVT_DRAIN_MAX = 512,     /* messages handled per round, so that one busy socket cannot starve the others */
    ZVT_OUT_SIZE = 64 << 10, /* bytes queued per peer and round before they leave early */
};

/* Sends one frame; false if it was dropped, which is counted ("unsent"): the peer is gone, or it does not read and its
 * queue is full ("unread" too). */
bool zvt_frame_send(zsock_t *socket, const void *data, size_t length, int flags);

/* Receives the frames of one message into `frames`; returns their number (0: nothing there). Frames beyond `max` are
 * thrown away and make the result max + 1. */
int zvt_frames_recv(zsock_t *socket, zmq_msg_t *frames, int max);
/* Gives back what zvt_frames_recv received: its result and its max. */
void zvt_frames_close(zmq_msg_t *frames, int count, int max);

/* Counts and names a message that is dropped because it does not decode. */
void zvt_frames_malformed(const char *from, const char *what, size_t length);

#endif
