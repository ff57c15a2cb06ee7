#include "zvt_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "zvt_frames.h"

enum { RECONNECT_MIN_MS = 50, RECONNECT_MAX_MS = 1000, HANDSHAKE_MS = 3000, BACKLOG = 1024 };
enum { LOCK_TRIES = 50, LOCK_PAUSE_MS = 10 };

void zvt_endpoint(char endpoint[ZVT_ENDPOINT_SIZE], const char *name, const char *part)
{
    const char *runtime = getenv("ZVT_RUNTIME");
    snprintf(endpoint, ZVT_ENDPOINT_SIZE, "ipc://%s/%s%s%s", runtime == NULL ? "." : runtime, name, part != NULL ? "." : "",
             part != NULL ? part : "");
}

zsock_t *zvt_socket_new(int type)
{
    zsys_handler_set(NULL); /* signals belong to zvt_service */
    zsock_t *socket = zsock_new(type);
    ZVT_ASSERT(socket != NULL);
    zsock_set_linger(socket, 0);
    zsock_set_sndtimeo(socket, 0);
    zsock_set_sndhwm(socket, ZVT_HWM);
    zsock_set_rcvhwm(socket, ZVT_HWM);
    zsock_set_reconnect_ivl(socket, RECONNECT_MIN_MS);
    zsock_set_reconnect_ivl_max(socket, RECONNECT_MAX_MS);
    zsock_set_handshake_ivl(socket, HANDSHAKE_MS);
    zsock_set_maxmsgsize(socket, ZVT_MESSAGE_MAX);
    zsock_set_backlog(socket, BACKLOG);
    zsock_set_immediate(socket, 1);
    if (type == ZMQ_ROUTER) zsock_set_router_mandatory(socket, 1);
    return socket;
}

static bool s_lock_file(const char *endpoint, char path[ZVT_ENDPOINT_SIZE + 8])
{
    snprintf(path, ZVT_ENDPOINT_SIZE + 8, "%s.lock", endpoint + 6);
    return strncmp(endpoint, "ipc://", 6) == 0;
}

/* Who was killed a moment ago together with its supervisor may still be dying, and holds its locks until it has. */
static bool s_lock(int fd)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
        zclock_sleep(LOCK_PAUSE_MS);
    }
    return false;
}

/* The lock files of this process, each kept open, and so locked and with its inode in use, until the process ends. */
static struct {
    char path[ZVT_ENDPOINT_SIZE + 8];
    int fd;
} s_locks[ZVT_BINDS_MAX];
static uint32_t s_locks_count;

/* A second bind of the same ipc path would succeed and steal the traffic, so a lock file guards each path. */
static int s_lock_path(const char *endpoint)
{
    char path[ZVT_ENDPOINT_SIZE + 8];
    if (!s_lock_file(endpoint, path)) return 0;
    if (s_locks_count == ZVT_BINDS_MAX) return ZVT_ERR_FULL;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return ZVT_ERR_IO;
    if (!s_lock(fd)) {
        close(fd);
        return ZVT_ERR_EXISTS;
    }
    s_locks[s_locks_count].fd = fd;
    memcpy(s_locks[s_locks_count].path, path, sizeof path);
    s_locks_count++;
    return 0;
}

/* The old owner keeps its lock on a file that has no name any more. */
void zvt_socket_evict(const char *endpoint)
{
    char path[ZVT_ENDPOINT_SIZE + 8];
    if (s_lock_file(endpoint, path)) (void)unlink(path);
}

bool zvt_socket_is_ours(const char *endpoint)
{
    char path[ZVT_ENDPOINT_SIZE + 8];
    struct stat named, locked;
    if (!s_lock_file(endpoint, path)) return true;
    for (uint32_t i = s_locks_count; i-- > 0;) {
        if (!streq(s_locks[i].path, path)) continue;
        return stat(path, &named) == 0 && fstat(s_locks[i].fd, &locked) == 0 && named.st_ino == locked.st_ino && named.st_dev == locked.st_dev;
    }
    return false;
}

void zvt_socket_reconnect(zsock_t *socket, const char *endpoint)
{
    (void)zmq_disconnect(zsock_resolve(socket), endpoint);
    ZVT_ASSERT(zmq_connect(zsock_resolve(socket), endpoint) == 0);
}

int zvt_socket_bind(zsock_t *socket, const char *endpoint)
{
    int status = s_lock_path(endpoint);
    if (status != 0) return status;
    if (zmq_bind(zsock_resolve(socket), endpoint) == 0) return 0;
    return errno == EADDRINUSE ? ZVT_ERR_EXISTS : ZVT_ERR_IO;
}

bool zvt_publish(zsock_t *pub, const char *topic, const void *data, size_t length)
{
    return zvt_frame_send(pub, topic, strlen(topic), ZMQ_SNDMORE) && zvt_frame_send(pub, data, length, 0);
}
