/* peer_redis -- Redis Streams as the peer uses them: pipelined, in batches.
 *
 * Errors   every failure ends the process with a message: a benchmark whose peer misbehaves has no result. */
#ifndef PEER_REDIS_H
#define PEER_REDIS_H

#include <hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PEER_STEPS = 6,
    PEER_BATCH_MAX = 512,
    PEER_PAYLOAD_SIZE = 135, /* bytes, as our events have them */
};

/* An order on its way: the beginning of the payload of every entry. */
typedef struct {
    uint64_t number;
    int64_t due_ns; /* monotonic, which is the same in all processes of a machine */
} peer_order_t;

redisContext *peer_connect(const char *socket);
/* Empties the server and makes streams step0 .. step6 with a group of workers. */
void peer_make_streams(redisContext *redis);

/* Adds an order to a stream; the reply is awaited by peer_skip_replies. */
void peer_add(redisContext *redis, int step, const void *payload, size_t length);
void peer_skip_replies(redisContext *redis, size_t count);

/* One entry of a stream that was read; borrowed during the call. */
typedef void(peer_entry_fn)(void *arg, int step, const char *id, const void *payload, size_t length);
/* Reads up to `count` new entries of each of the streams as a consumer of the group, and returns how many there were. */
size_t peer_read_group(redisContext *redis, const char *consumer, const int *steps, int steps_count, uint32_t count,
                       peer_entry_fn *on_entry, void *arg);
/* Reads up to `count` entries of the last stream after `last_id`, which moves on. */
size_t peer_read_end(redisContext *redis, char last_id[64], uint32_t count, peer_entry_fn *on_entry, void *arg);

/* Ids of one stream to acknowledge in one command. */
typedef struct {
    size_t count;
    char ids[PEER_BATCH_MAX][40];
} peer_acks_t;
/* Acknowledges them; the reply is awaited by peer_skip_replies. */
void peer_acknowledge(redisContext *redis, int step, peer_acks_t *acks);

#endif
