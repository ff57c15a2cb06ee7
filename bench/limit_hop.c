#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "limit.h"
#include "zvt_time.h"

enum { ENDPOINT_SIZE = 200, SIZE_MAX_BYTES = 16 << 10, ACK_EVERY = 64, PUBLISH_HWM = 10000 };

static void s_endpoint(char endpoint[ENDPOINT_SIZE], const limit_options_t *options, const char *name)
{
    snprintf(endpoint, ENDPOINT_SIZE, "ipc://%s/%s", options->path == NULL ? "/tmp" : options->path, name);
}

/* A child process that dies with this one. */
static pid_t s_fork(void)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)) _exit(1);
    return pid;
}

static int s_fail(const char *what)
{
    fprintf(stderr, "zvt-limit: %s: %s\n", what, zmq_strerror(errno));
    return ZVT_EXIT_FAILED;
}

static uint32_t s_size(const limit_options_t *options)
{
    return options->size < SIZE_MAX_BYTES ? options->size : SIZE_MAX_BYTES;
}

/* ---- hop ---- */
/* Answers every `every`-th message with an empty one. */
static void s_echo(const char *endpoint, uint32_t every)
{
    uint8_t bytes[SIZE_MAX_BYTES];
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_PAIR);
    if (zmq_connect(socket, endpoint) != 0) _exit(1);
    for (uint64_t n = 1; zmq_recv(socket, bytes, sizeof bytes, 0) >= 0; n++)
        if (n % every == 0 && zmq_send(socket, bytes, every == 1 ? sizeof bytes / 20 : 0, 0) < 0) break;
    _exit(0);
}

/* A round trip is measured with one in flight, at a rate after pauses, in which everybody falls asleep; with more, how many
 * messages a second one socket carries. */
int limit_hop(const limit_options_t *options)
{
    char endpoint[ENDPOINT_SIZE];
    uint8_t bytes[SIZE_MAX_BYTES] = {0};
    s_endpoint(endpoint, options, "limit-hop");
    uint32_t every = options->window < 2 * ACK_EVERY ? (options->window + 1) / 2 : ACK_EVERY;
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_PAIR);
    if (zmq_bind(socket, endpoint) != 0) return s_fail("cannot bind a socket");
    pid_t child = s_fork();
    if (child == 0) s_echo(endpoint, every);
    zvt_histogram_t *trips = zvt_histogram("round_trip");
    uint64_t sent = 0, answered = 0, warm = 1000;
    int64_t start_ns = 0, now_ns = zvt_monotonic_ns(), end_ns = INT64_MAX;
    while (now_ns < end_ns) {
        if (options->window == 1 && start_ns != 0) (void)limit_await(options, start_ns, answered - warm);
        int64_t before_ns = zvt_monotonic_ns();
        while (sent - answered < options->window && zmq_send(socket, bytes, s_size(options), 0) >= 0) sent++;
        if (zmq_recv(socket, bytes, sizeof bytes, 0) < 0) return s_fail("cannot receive");
        answered += every;
        now_ns = zvt_monotonic_ns();
        if (options->window == 1 && start_ns != 0) zvt_histogram_add(trips, now_ns - before_ns);
        if (start_ns == 0 && answered >= warm) {
            start_ns = now_ns;
            end_ns = now_ns + (int64_t)(options->seconds * 1e9);
            warm = answered;
        }
    }
    printf("{\"window\": %u, \"hops_per_s\": %.1f", options->window, (double)(answered - warm) * 1e9 / (double)(now_ns - start_ns));
    limit_print_histogram(stdout, "round_trip_ms", trips);
    puts("}");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    zmq_close(socket);
    zmq_ctx_term(context);
    return ZVT_EXIT_OK;
}

/* ---- publish ---- */
/* Receives topic and payload until an empty payload, then exits with 0 if none was missing. */
static void s_subscribe(const char *endpoint)
{
    uint8_t bytes[SIZE_MAX_BYTES];
    uint64_t expected = 1;
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_SUB);
    if (zmq_connect(socket, endpoint) != 0 || zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "trade", 5) != 0) _exit(2);
    for (;;) {
        if (zmq_recv(socket, bytes, sizeof bytes, 0) < 0) _exit(2);
        int length = zmq_recv(socket, bytes, sizeof bytes, 0);
        uint64_t number = 0;
        if (length < (int)sizeof number) _exit(0);
        memcpy(&number, bytes, sizeof number);
        if (number != expected++) _exit(3);
    }
}

static bool s_publish(void *socket, const void *data, size_t length)
{
    static const char topic[] = "trade.alpha.BTC/USDT";
    return zmq_send(socket, topic, sizeof topic - 1, ZMQ_SNDMORE) >= 0 && zmq_send(socket, data, length, 0) >= 0;
}

/* Waits for the peers' subscriptions. */
static bool s_wait_for_peers(void *socket, uint32_t peers)
{
    uint8_t bytes[32];
    for (uint32_t n = 0; n < peers; n++)
        if (zmq_recv(socket, bytes, sizeof bytes, 0) < 0) return false;
    return true;
}

int limit_publish(const limit_options_t *options)
{
    char endpoint[ENDPOINT_SIZE];
    uint8_t bytes[SIZE_MAX_BYTES] = {0};
    int hwm = PUBLISH_HWM, on = 1;
    s_endpoint(endpoint, options, "limit-publish");
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_XPUB);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &on, sizeof on);
    zmq_setsockopt(socket, ZMQ_XPUB_VERBOSE, &on, sizeof on); /* every peer's subscription is told */
    if (zmq_bind(socket, endpoint) != 0) return s_fail("cannot bind a socket");
    for (uint32_t n = 0; n < options->peers; n++)
        if (s_fork() == 0) s_subscribe(endpoint);
    if (!s_wait_for_peers(socket, options->peers)) return s_fail("cannot hear the subscribers");
    uint64_t number = 0;
    int64_t start_ns = zvt_monotonic_ns(), end_ns = start_ns + (int64_t)(options->seconds * 1e9);
    while (number % 64 != 0 || zvt_monotonic_ns() < end_ns) {
        number++;
        memcpy(bytes, &number, sizeof number);
        if (!s_publish(socket, bytes, s_size(options))) return s_fail("cannot publish");
    }
    if (!s_publish(socket, "", 0)) return s_fail("cannot publish");
    uint32_t without_loss = 0;
    for (uint32_t n = 0; n < options->peers; n++) {
        int status;
        if (wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) without_loss++;
    }
    printf("{\"peers\": %u, \"without_loss\": %u, \"messages_per_s\": %.1f}\n", options->peers, without_loss,
           (double)number * 1e9 / (double)(zvt_monotonic_ns() - start_ns));
    zmq_close(socket);
    zmq_ctx_term(context);
    return without_loss == options->peers ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}
