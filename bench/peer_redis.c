#include "peer_redis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_error.h"

#define STREAM_MAX "100000" /* entries kept: trimming costs the peer next to nothing and keeps its memory small */
#define BLOCK_MS "100"

static _Noreturn void s_give_up(const char *what, const char *why)
{
    fprintf(stderr, "zvt-redis-peer: %s: %s\n", what, why);
    exit(ZVT_EXIT_FAILED);
}

redisContext *peer_connect(const char *socket)
{
    redisContext *redis = redisConnectUnix(socket);
    if (redis == NULL) s_give_up("cannot connect", strerror(errno));
    if (redis->err != 0) s_give_up("cannot connect", redis->errstr);
    return redis;
}

static redisReply *s_reply(redisContext *redis)
{
    void *reply = NULL;
    if (redisGetReply(redis, &reply) != REDIS_OK || reply == NULL) s_give_up("no reply", redis->errstr);
    if (((redisReply *)reply)->type == REDIS_REPLY_ERROR) s_give_up("refused", ((redisReply *)reply)->str);
    return reply;
}

static void s_append(redisContext *redis, int count, const char **words, const size_t *lengths)
{
    if (redisAppendCommandArgv(redis, count, words, lengths) != REDIS_OK) s_give_up("cannot send", redis->errstr);
}

void peer_skip_replies(redisContext *redis, size_t count)
{
    for (size_t i = 0; i < count; i++) freeReplyObject(s_reply(redis));
}

static const char *s_stream(int step)
{
    static const char *const names[PEER_STEPS + 1] = {"step0", "step1", "step2", "step3", "step4", "step5", "step6"};
    return names[step];
}

void peer_make_streams(redisContext *redis)
{
    s_append(redis, 1, (const char *[]){"FLUSHALL"}, NULL);
    for (int step = 0; step <= PEER_STEPS; step++)
        s_append(redis, 6, (const char *[]){"XGROUP", "CREATE", s_stream(step), "workers", "$", "MKSTREAM"}, NULL);
    peer_skip_replies(redis, 1 + PEER_STEPS + 1);
}

void peer_add(redisContext *redis, int step, const void *payload, size_t length)
{
    const char *words[] = {"XADD", s_stream(step), "MAXLEN", "~", STREAM_MAX, "*", "p", payload};
    const size_t lengths[] = {4, 5, 6, 1, sizeof STREAM_MAX - 1, 1, 1, length};
    s_append(redis, 8, words, lengths);
}

void peer_acknowledge(redisContext *redis, int step, peer_acks_t *acks)
{
    const char *words[3 + PEER_BATCH_MAX] = {"XACK", s_stream(step), "workers"};
    for (size_t i = 0; i < acks->count; i++) words[3 + i] = acks->ids[i];
    s_append(redis, 3 + (int)acks->count, words, NULL);
    acks->count = 0;
}

/* ---- reading: [[stream, [[id, [field, value]], ..]], ..], or nil when nothing came in time ---- */
static size_t s_deliver(const redisReply *reply, peer_entry_fn *on_entry, void *arg, char *last_id)
{
    size_t count = 0;
    for (size_t s = 0; reply->type == REDIS_REPLY_ARRAY && s < reply->elements; s++) {
        const redisReply *stream = reply->element[s];
        int step = stream->element[0]->str[4] - '0';
        for (size_t e = 0; e < stream->element[1]->elements; e++, count++) {
            const redisReply *entry = stream->element[1]->element[e], *value = entry->element[1]->element[1];
            on_entry(arg, step, entry->element[0]->str, value->str, (size_t)value->len);
            if (last_id != NULL) snprintf(last_id, 64, "%s", entry->element[0]->str);
        }
    }
    return count;
}

size_t peer_read_group(redisContext *redis, const char *consumer, const int *steps, int steps_count, uint32_t count,
                       peer_entry_fn *on_entry, void *arg)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%u", count);
    const char *words[9 + 2 * (PEER_STEPS + 1)] = {"XREADGROUP", "GROUP", "workers", consumer, "COUNT", limit, "BLOCK", BLOCK_MS, "STREAMS"};
    for (int i = 0; i < steps_count; i++) {
        words[9 + i] = s_stream(steps[i]);
        words[9 + steps_count + i] = ">";
    }
    s_append(redis, 9 + 2 * steps_count, words, NULL);
    redisReply *reply = s_reply(redis);
    size_t found = s_deliver(reply, on_entry, arg, NULL);
    freeReplyObject(reply);
    return found;
}

size_t peer_read_end(redisContext *redis, char last_id[64], uint32_t count, peer_entry_fn *on_entry, void *arg)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%u", count);
    s_append(redis, 8, (const char *[]){"XREAD", "COUNT", limit, "BLOCK", BLOCK_MS, "STREAMS", s_stream(PEER_STEPS), last_id}, NULL);
    redisReply *reply = s_reply(redis);
    size_t found = s_deliver(reply, on_entry, arg, last_id);
    freeReplyObject(reply);
    return found;
}
