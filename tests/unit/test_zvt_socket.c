#include <sys/file.h>

#include "manual_loop.h"

static char s_endpoint[ZVT_ENDPOINT_SIZE];

static zsock_t *s_bound(void)
{
    zsock_t *socket = zvt_socket_new(ZMQ_PULL);
    zvt_endpoint(s_endpoint, "signals", NULL);
    cr_assert_eq(zvt_socket_bind(socket, s_endpoint), 0);
    return socket;
}

Test(zvt_socket, serves_what_it_bound_until_another_evicts_it, .init = manual_begin, .fini = manual_end)
{
    zsock_t *socket = s_bound();
    cr_assert(zvt_socket_is_ours(s_endpoint));
    zvt_socket_evict(s_endpoint);
    cr_assert_not(zvt_socket_is_ours(s_endpoint), "the path is free");
    zsock_t *other = s_bound();
    cr_assert(zvt_socket_is_ours(s_endpoint), "bound anew");
    zsock_destroy(&other);
    zsock_destroy(&socket);
}

Test(zvt_socket, an_endpoint_that_another_process_bound_after_the_eviction_is_not_ours, .init = manual_begin, .fini = manual_end)
{
    zsock_t *socket = s_bound();
    zvt_socket_evict(s_endpoint);
    char path[ZVT_ENDPOINT_SIZE + 8];
    snprintf(path, sizeof path, "%s.lock", s_endpoint + strlen("ipc://"));
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
    cr_assert_not(zvt_socket_is_ours(s_endpoint));
    close(fd);
    zsock_destroy(&socket);
}

Test(zvt_socket, a_path_that_is_locked_is_not_bound_again, .init = manual_begin, .fini = manual_end)
{
    zsock_t *socket = s_bound(), *other = zvt_socket_new(ZMQ_PULL);
    cr_assert_eq(zvt_socket_bind(other, s_endpoint), ZVT_ERR_EXISTS);
    cr_assert(zvt_socket_is_ours(s_endpoint), "the refusal changes nothing");
    zsock_destroy(&other);
    zsock_destroy(&socket);
}

Test(zvt_socket, an_endpoint_that_was_never_bound_is_not_ours, .init = manual_begin, .fini = manual_end)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "events", NULL);
    cr_assert_not(zvt_socket_is_ours(endpoint));
}
