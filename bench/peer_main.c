/* zvt-redis-peer: the six steps of an order over Redis Streams with consumer groups and acknowledgements.
 *
 * What the specification proposes, at its best: every step is a stream; workers take the streams by turns, read in
 * batches, add each order to the stream of the next step and acknowledge what they read, all in one pipeline. The steps
 * themselves do nothing. The server is started by the caller, with appendfsync always.
 *
 * Load     --window N: so many orders in flight, as fast as they complete; or --rate R: open loop, latencies count from
 *          the moment an order was due.
 * stdout   one JSON object. Exit 0: every order has come out at the end. */
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peer_redis.h"
#include "zvt_stats.h"
#include "zvt_time.h"

enum { WORKERS_MAX = PEER_STEPS };
#define PAUSE_NS (ZVT_MS_NS / 4)         /* of the generator, when nothing is due */
#define PATIENCE_NS (45 * ZVT_SECOND_NS) /* for the last orders */

typedef struct {
    const char *socket;
    uint32_t workers, count, window;
    double rate_hz, seconds, warmup_s;
} options_t;

/* What the processes know of each other. */
typedef struct {
    _Atomic uint64_t sent, done;
    _Atomic bool sent_all;
    int64_t measure_from_ns, measure_to_ns;
} shared_t;

static shared_t *s_shared;

/* A child process that dies with this one; true in the child, whose id is *child in the parent. */
static bool s_fork(pid_t *child)
{
    pid_t parent = getpid(), pid = fork();
    *child = pid;
    if (pid < 0) {
        perror("zvt-redis-peer: fork");
        exit(ZVT_EXIT_FAILED);
    }
    if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)) _exit(1);
    return pid == 0;
}

/* ---- a worker ---- */
typedef struct {
    redisContext *redis;
    peer_acks_t acks[PEER_STEPS];
    size_t replies; /* still to come */
} worker_t;

static void s_on_step(void *arg, int step, const char *id, const void *payload, size_t length)
{
    worker_t *self = arg;
    peer_acks_t *acks = &self->acks[step];
    peer_add(self->redis, step + 1, payload, length);
    snprintf(acks->ids[acks->count++], sizeof acks->ids[0], "%s", id);
    self->replies++;
}

static _Noreturn void s_work(const options_t *options, uint32_t number)
{
    static worker_t self;
    char name[24];
    int steps[PEER_STEPS], steps_count = 0;
    for (int step = (int)number; step < PEER_STEPS; step += (int)options->workers) steps[steps_count++] = step;
    snprintf(name, sizeof name, "worker%u", number);
    self.redis = peer_connect(options->socket);
    for (;;) {
        peer_read_group(self.redis, name, steps, steps_count, options->count, s_on_step, &self);
        for (int i = 0; i < steps_count; i++) {
            if (self.acks[steps[i]].count == 0) continue;
            peer_acknowledge(self.redis, steps[i], &self.acks[steps[i]]);
            self.replies++;
        }
        peer_skip_replies(self.redis, self.replies);
        self.replies = 0;
    }
}

/* ---- the load ---- */
/* When order n is due: at its place in time, or now if the window has room; 0: not yet known. */
static int64_t s_due_ns(const options_t *options, uint64_t n, int64_t start_ns, int64_t now_ns)
{
    if (options->rate_hz > 0) return start_ns + (int64_t)((double)n * 1e9 / options->rate_hz);
    return n - atomic_load(&s_shared->done) < options->window ? now_ns : 0;
}

static _Noreturn void s_generate(const options_t *options, int64_t start_ns)
{
    uint8_t payload[PEER_PAYLOAD_SIZE] = {0};
    redisContext *redis = peer_connect(options->socket);
    uint64_t n = 0;
    int64_t now_ns = zvt_monotonic_ns();
    for (; now_ns < s_shared->measure_to_ns; now_ns = zvt_monotonic_ns()) {
        size_t added = 0;
        for (; added < PEER_BATCH_MAX; added++) {
            peer_order_t order = {.number = n, .due_ns = s_due_ns(options, n, start_ns, now_ns)};
            if (order.due_ns == 0 || order.due_ns > now_ns) break;
            memcpy(payload, &order, sizeof order);
            peer_add(redis, 0, payload, sizeof payload);
            n++;
        }
        peer_skip_replies(redis, added);
        atomic_store(&s_shared->sent, n);
        if (added == 0) nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    atomic_store(&s_shared->sent_all, true);
    for (;;) pause();
}

/* ---- the end of the orders ---- */
typedef struct {
    zvt_histogram_t *latencies;
    uint64_t done, in_time;
} end_t;

static void s_on_end(void *arg, int step, const char *id, const void *payload, size_t length)
{
    end_t *self = arg;
    peer_order_t order;
    (void)step, (void)id;
    if (length < sizeof order) return;
    memcpy(&order, payload, sizeof order);
    int64_t now_ns = zvt_monotonic_ns();
    self->done++;
    if (now_ns >= s_shared->measure_from_ns && now_ns < s_shared->measure_to_ns) self->in_time++;
    if (order.due_ns >= s_shared->measure_from_ns) zvt_histogram_add(self->latencies, now_ns - order.due_ns);
}

/* Reads until every order has come out, or the patience is over. */
static void s_collect(const options_t *options, end_t *end)
{
    char last_id[64] = "0-0";
    redisContext *redis = peer_connect(options->socket);
    int64_t give_up_ns = s_shared->measure_to_ns + PATIENCE_NS;
    bool measuring = false;
    while (!atomic_load(&s_shared->sent_all) || (end->done < atomic_load(&s_shared->sent) && zvt_monotonic_ns() < give_up_ns)) {
        peer_read_end(redis, last_id, options->count, s_on_end, end);
        atomic_store(&s_shared->done, end->done);
        if (measuring || zvt_monotonic_ns() < s_shared->measure_from_ns) continue;
        measuring = true;
        fputs("phase measure\n", stderr);
    }
    redisFree(redis);
}

static void s_report(const options_t *options, const end_t *end)
{
    const zvt_histogram_t *h = end->latencies;
    uint64_t sent = atomic_load(&s_shared->sent);
    printf("{\"rate\": %.1f, \"window\": %u, \"sent\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"completed_per_s\": %.1f, "
           "\"p50\": %.3f, \"p99\": %.3f, \"p999\": %.3f, \"max\": %.3f}\n",
           options->rate_hz, options->rate_hz > 0 ? 0 : options->window, sent, sent - end->done, (double)end->in_time / options->seconds,
           (double)zvt_histogram_percentile(h, 50) / 1e6, (double)zvt_histogram_percentile(h, 99) / 1e6,
           (double)zvt_histogram_percentile(h, 99.9) / 1e6, (double)zvt_histogram_percentile(h, 100) / 1e6);
}

/* ---- the command line ---- */
static int s_usage(FILE *out, int code)
{
    fputs("Usage: zvt-redis-peer --socket PATH [--rate R | --window N] [--workers N] [--count N] [--seconds S] [--warmup S]\n", out);
    return code;
}

static bool s_take(options_t *options, const char *name, const char *value)
{
    if (strcmp(name, "--socket") == 0) return (options->socket = value) != NULL;
    double number = atof(value);
    if (strcmp(name, "--warmup") == 0) return (options->warmup_s = number) >= 0;
    if (number <= 0) return false;
    if (strcmp(name, "--rate") == 0) options->rate_hz = number;
    else if (strcmp(name, "--seconds") == 0) options->seconds = number;
    else if (strcmp(name, "--window") == 0) options->window = (uint32_t)number;
    else if (strcmp(name, "--workers") == 0) options->workers = (uint32_t)number;
    else if (strcmp(name, "--count") == 0) options->count = (uint32_t)number;
    else return false;
    return options->workers <= WORKERS_MAX && options->count <= PEER_BATCH_MAX;
}

int main(int argc, char **argv)
{
    options_t options = {.workers = 3, .count = PEER_BATCH_MAX, .window = 1024, .seconds = 10, .warmup_s = 2};
    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || !s_take(&options, argv[i], argv[i + 1])) return s_usage(stderr, ZVT_EXIT_USAGE);
    if (options.socket == NULL) return s_usage(stderr, ZVT_EXIT_USAGE);
    s_shared = mmap(NULL, sizeof *s_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ZVT_ASSERT(s_shared != MAP_FAILED);
    redisContext *redis = peer_connect(options.socket);
    peer_make_streams(redis);
    redisFree(redis);
    int64_t start_ns = zvt_monotonic_ns();
    s_shared->measure_from_ns = start_ns + (int64_t)(options.warmup_s * 1e9);
    s_shared->measure_to_ns = s_shared->measure_from_ns + (int64_t)(options.seconds * 1e9);
    pid_t children[WORKERS_MAX + 1];
    for (uint32_t n = 0; n < options.workers; n++)
        if (s_fork(&children[n])) s_work(&options, n);
    if (s_fork(&children[options.workers])) s_generate(&options, start_ns);
    end_t end = {.latencies = zvt_histogram("completed")};
    s_collect(&options, &end);
    for (uint32_t n = 0; n <= options.workers; n++) { /* waited for, so that whoever started this one knows what all of it cost */
        kill(children[n], SIGKILL);
        waitpid(children[n], NULL, 0);
    }
    s_report(&options, &end);
    return end.done == atomic_load(&s_shared->sent) ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}
