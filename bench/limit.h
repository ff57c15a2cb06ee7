/* limit -- what the machine gives without us: the figures that every result is held against.
 *
 * Each function measures for so many seconds, and writes one JSON object to stdout.
 * Errors   the exit code, after a message that says what to do. */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "zvt_stats.h"

typedef struct {
    double seconds;
    double rate;       /* copy: rows a second; sync, hop with one in flight: so many a second, with pauses; 0: as many as can be */
    uint32_t batch;    /* copy: rows of a commit */
    uint32_t window;   /* hop: messages in flight; 1: one after another */
    uint32_t peers;    /* publish: subscribers */
    uint32_t size;     /* hop, publish, sync: bytes of a message or write */
    uint64_t rows;     /* copy, read: rows to take from the log at the most */
    const char *dsn;   /* copy, read: of a role that may make tables */
    const char *path;  /* sync: file to write to; hop, publish: folder of the sockets */
} limit_options_t;

/* The log's own rows again, by COPY BINARY into a table like it: rows/s, the time of a commit, and at a rate the age that each row has
 * reached when it is durable, since it was due. */
int limit_copy(const limit_options_t *options);
/* The log's rows out of the database in one COPY stream: rows/s. */
int limit_read(const limit_options_t *options);
/* Messages through one ZeroMQ socket from process to process: hops/s, or the time of a round trip. */
int limit_hop(const limit_options_t *options);
/* Messages from one PUB socket to all subscribers without loss: messages/s. */
int limit_publish(const limit_options_t *options);
/* Writes of a file, each synced: the time of one. */
int limit_sync(const limit_options_t *options);

/* With a rate: sleeps until number `count` since `start_ns` is due, and returns when it was; otherwise the time. */
int64_t limit_await(const limit_options_t *options, int64_t start_ns, uint64_t count);

/* `, "name": {"count": .., "p50": .., "p99": .., "max": ..}` in milliseconds. */
void limit_print_histogram(FILE *out, const char *name, const zvt_histogram_t *histogram);

#endif
