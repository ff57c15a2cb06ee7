#include "client.h"

#include <dirent.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "zvt_time.h"

enum {
    POLL_MS = 50,          /* how often hellos, restarts and the limit are looked at */
    QUESTION_SIZE = 16 << 10,
};
#define HELLO_PERIOD_NS (250 * ZVT_MS_NS)
#define PATIENCE_NS (2 * ZVT_SECOND_NS) /* before the wait is explained */

/* ---- is there a fleet? ---- */
bool client_listens(const char *endpoint)
{
    if (strncmp(endpoint, "ipc://", 6) != 0) return true;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(endpoint + 6) >= sizeof address.sun_path) return false;
    strcpy(address.sun_path, endpoint + 6);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return false;
    int status = connect(fd, (struct sockaddr *)&address, sizeof address);
    bool listens = status == 0 || errno == EAGAIN;
    close(fd);
    return listens;
}

static int s_compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t client_process_names(char names[][ZVT_NAME_SIZE], size_t max)
{
    static const char prefix[] = "control.";
    const char *runtime = getenv("ZVT_RUNTIME");
    DIR *folder = runtime == NULL ? NULL : opendir(runtime);
    size_t count = 0;
    if (folder == NULL) return 0;
    for (struct dirent *entry = readdir(folder); entry != NULL && count < max; entry = readdir(folder)) {
        const char *name = entry->d_name + strlen(prefix);
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || strchr(name, '.') != NULL) continue; /* lock files */
        if (strlen(name) == 0 || strlen(name) >= ZVT_NAME_SIZE) continue;
        strcpy(names[count++], name);
    }
    closedir(folder);
    qsort(names, count, sizeof names[0], s_compare_names);
    return count;
}

bool client_fleet_runs(void)
{
    char names[CLIENT_ASKS_MAX][ZVT_NAME_SIZE];
    size_t count = client_process_names(names, CLIENT_ASKS_MAX);
    for (size_t i = 0; i < count; i++) {
        char endpoint[ZVT_ENDPOINT_SIZE];
        zvt_endpoint(endpoint, "control", names[i]);
        if (client_listens(endpoint)) return true;
    }
    return false;
}

void client_down_sentence(char text[CLIENT_PROBLEM_SIZE])
{
    const char *home = getenv("ZVT_HOME");
    snprintf(text, CLIENT_PROBLEM_SIZE, "the fleet at %s is not running; start it with: run/fleet up",
             home == NULL ? "./var" : home);
}

/* ---- one question ---- */
static void s_open(client_ask_t *ask)
{
    ask->outcome = CLIENT_PENDING;
    ask->sent = false;
    ask->incarnation = 0;
    ask->hello_ns = 0;
    ask->problem[0] = '\0';
    ask->socket = zvt_socket_new(ZMQ_DEALER);
    if (zmq_connect(zsock_resolve(ask->socket), ask->endpoint) == 0) return;
    ask->outcome = CLIENT_SILENT;
    snprintf(ask->problem, sizeof ask->problem, "cannot connect to %.200s: %s", ask->endpoint, strerror(errno));
}

/* False while nobody is connected. */
static bool s_send(client_ask_t *ask, zvt_type_t type, const void *record)
{
    uint8_t bytes[QUESTION_SIZE];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    ZVT_ASSERT(zvt_pack(&buf, type, record) == 0);
    return zmq_send(zsock_resolve(ask->socket), buf.data, buf.length, ZMQ_DONTWAIT) >= 0;
}

static void s_say_hello(client_ask_t *ask, int64_t now_ns)
{
    if (now_ns - ask->hello_ns < HELLO_PERIOD_NS) return;
    zvt_hello_t hello = {.role = ZVT_ROLE_CLIENT, .incarnation = (uint64_t)getpid()};
    ZVT_STR_SET(hello.name, "client");
    if (s_send(ask, ZVT_T_HELLO, &hello)) ask->hello_ns = now_ns;
}

/* The question leaves first, so that a quick answer does not wait for a hello. */
static void s_send_what_is_due(client_ask_t *ask, int64_t now_ns)
{
    if (!ask->sent && s_send(ask, ask->type, ask->question)) {
        ask->sent = true;
        ask->sent_ns = now_ns;
    }
    if (ask->sent) s_say_hello(ask, now_ns);
}

static void s_on_hello(client_ask_t *ask, const zvt_hello_t *hello)
{
    bool restarted = ask->incarnation != 0 && ask->incarnation != hello->incarnation;
    ask->incarnation = hello->incarnation;
    if (!restarted) return;
    if (ask->repeatable) {
        ask->sent = false;
        return;
    }
    ask->outcome = CLIENT_RESTARTED;
    snprintf(ask->problem, sizeof ask->problem, "%s restarted before it answered", ask->who);
}

static void s_on_record(client_ask_t *ask, const zvt_record_t *record, zvt_cursor_t *rest)
{
    if (record->type == ZVT_T_HELLO) {
        s_on_hello(ask, &record->hello);
    } else if (record->type == ZVT_T_ERROR_REPLY) {
        ask->outcome = CLIENT_REFUSED;
        snprintf(ask->problem, sizeof ask->problem, "%s refused the question: %s %s", ask->who,
                 zvt_code_text(record->error_reply.code), record->error_reply.message);
    } else if (ask->on_record(ask->arg, record, rest)) {
        ask->outcome = CLIENT_ANSWERED;
        ask->took_ns = zvt_monotonic_ns() - ask->sent_ns;
    }
}

static void s_on_frame(client_ask_t *ask, zvt_cursor_t frame)
{
    zvt_record_t record;
    while (ask->outcome == CLIENT_PENDING && !zvt_cursor_done(&frame)) {
        int status = zvt_read(&frame, &record);
        if (status != 0) {
            ask->outcome = CLIENT_REFUSED;
            snprintf(ask->problem, sizeof ask->problem, "%s answered what this release cannot read: %s", ask->who,
                     zvt_strerror(status));
            return;
        }
        s_on_record(ask, &record, &frame);
    }
}

static void s_receive(client_ask_t *ask)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (ask->outcome == CLIENT_PENDING && zmq_msg_recv(&frame, zsock_resolve(ask->socket), ZMQ_DONTWAIT) >= 0)
        s_on_frame(ask, zvt_cursor(zmq_msg_data(&frame), zmq_msg_size(&frame)));
    zmq_msg_close(&frame);
}

/* ---- all of them ---- */

/* Waits until a socket is readable, or writable for a question that has not left. */
static void s_wait(client_ask_t *asks, size_t count, long wait_ms)
{
    zmq_pollitem_t polls[CLIENT_ASKS_MAX];
    int used = 0;
    for (size_t i = 0; i < count; i++) {
        if (asks[i].outcome != CLIENT_PENDING) continue;
        short events = (short)(ZMQ_POLLIN | (asks[i].sent ? 0 : ZMQ_POLLOUT));
        polls[used++] = (zmq_pollitem_t){.socket = zsock_resolve(asks[i].socket), .events = events};
    }
    (void)zmq_poll(polls, used, wait_ms); /* an interrupted wait is only a shorter one */
}

static const client_ask_t *s_first_pending(const client_ask_t *asks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (asks[i].outcome == CLIENT_PENDING) return &asks[i];
    return NULL;
}

/* Keeps one line on the terminal up to date; returns whether it stands there. */
static bool s_show_wait(const client_ask_t *pending, int64_t waited_ns, bool shown)
{
    if (waited_ns < PATIENCE_NS || !isatty(STDERR_FILENO)) return shown;
    fprintf(stderr, "\r\033[Kwaiting for %s ... %" PRId64 " s", pending->who, waited_ns / ZVT_SECOND_NS);
    fflush(stderr);
    return true;
}

static void s_give_up(client_ask_t *ask)
{
    if (ask->outcome != CLIENT_PENDING) return;
    bool runs = client_fleet_runs();
    ask->outcome = runs ? CLIENT_SILENT : CLIENT_DOWN;
    if (runs)
        snprintf(ask->problem, sizeof ask->problem, "%s does not answer (is it restarting?)", ask->who);
    else
        client_down_sentence(ask->problem);
}

/* Nobody waits for a fleet that does not run; one silent process may be restarting. */
static bool s_nobody_there(const client_ask_t *asks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (client_listens(asks[i].endpoint)) return false;
    return !client_fleet_runs();
}

size_t client_ask(client_ask_t *asks, size_t count, int64_t timeout_ms)
{
    ZVT_ASSERT(count <= CLIENT_ASKS_MAX);
    for (size_t i = 0; i < count; i++) s_open(&asks[i]);
    int64_t began_ns = zvt_monotonic_ns(), limit_ns = timeout_ms * ZVT_MS_NS, waited_ns = 0;
    bool shown = false;
    const client_ask_t *pending = s_nobody_there(asks, count) ? NULL : s_first_pending(asks, count);
    while (pending != NULL && waited_ns < limit_ns) {
        for (size_t i = 0; i < count; i++)
            if (asks[i].outcome == CLIENT_PENDING) s_send_what_is_due(&asks[i], began_ns + waited_ns);
        int64_t left_ms = (limit_ns - waited_ns) / ZVT_MS_NS + 1;
        s_wait(asks, count, left_ms < POLL_MS ? (long)left_ms : POLL_MS);
        for (size_t i = 0; i < count; i++)
            if (asks[i].outcome == CLIENT_PENDING) s_receive(&asks[i]);
        waited_ns = zvt_monotonic_ns() - began_ns;
        pending = s_first_pending(asks, count);
        if (pending != NULL) shown = s_show_wait(pending, waited_ns, shown);
    }
    if (shown) fputs("\r\033[K", stderr);
    size_t answered = 0;
    for (size_t i = 0; i < count; i++) {
        s_give_up(&asks[i]);
        zsock_destroy(&asks[i].socket);
        answered += asks[i].outcome == CLIENT_ANSWERED ? 1 : 0;
    }
    return answered;
}
