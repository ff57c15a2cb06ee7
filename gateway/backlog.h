/* backlog -- market data that waits until the subscribers can take it.
 *
 * Only used when no message may be lost: what the socket does not take now stays here, in order.
 *
 * Pure.
 * Bounds   `capacity` bytes; a message more is ZVT_ERR_FULL and must be counted by the caller. The venue sends a
 *          bounded number of frames ahead of our acknowledgement, so that the bound is not met in practice.
 * Owns     its bytes; borrows topics for ever (they live as long as the process). */
#ifndef GATEWAY_BACKLOG_H
#define GATEWAY_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zvt_error.h"

typedef struct {
    uint8_t *data;
    size_t capacity;
    size_t first; /* offset of the oldest message */
    size_t end;   /* offset behind the newest; first == end: empty */
} backlog_t;

typedef struct {
    const char *topic;
    const uint8_t *data; /* borrowed until backlog_pop */
    size_t length;
} backlog_message_t;

/* Aborts when there is no memory (only called at start). */
void backlog_init(backlog_t *self, size_t capacity);
void backlog_destroy(backlog_t *self);

bool backlog_is_empty(const backlog_t *self);
ZVT_MUSTUSE int backlog_push(backlog_t *self, const char *topic, const void *data, size_t length);
/* The oldest message, which stays until it is popped; false when there is none. */
bool backlog_oldest(const backlog_t *self, backlog_message_t *message);
void backlog_pop(backlog_t *self);

#endif
