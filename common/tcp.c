/* TCP connections: listen, accept, connect. */

#ifdef __linux__
/* NOLINTNEXTLINE: the name is the C library's */
#define _GNU_SOURCE /* for struct tcp_info */
#endif

#include "tcp.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "patience.h"
#include "quota.h"
#include "refuse.h"
#include "say.h"
#include "stop.h"
#include "visit.h"
#include "wait.h"

#define SHORTAGE_PAUSE_NS (100 * NS_PER_MS) /* until descriptors are free */

/* --- listen ------------------------------------------------------------- */

static bool
    is_local; /* --host=localhost: IPv6 and IPv4, of this machine only */

static void set_option(int fd, int level, int option)
{
    int on = 1;
    if (setsockopt(fd, level, option, &on, sizeof on) == -1)
        err(EXIT_FAILURE, "cannot set a socket option");
}

/* Ends a wait in recv at the idle limit, or where patience may shrink, when it
 * is time to look; sockets that a listener accepts inherit this. Such a limit
 * starts again with each recv, which does no harm to the first. */
static void limit_recv(int fd)
{
    int64_t ns = wait_limits.idle_ns;
    if (patience_share != NULL && ns > PATIENCE_LOOK_NS)
        ns = PATIENCE_LOOK_NS;
    struct timeval limit = {
        .tv_sec = (time_t)(ns / NS_PER_S),
        .tv_usec = (suseconds_t)(ns % NS_PER_S / 1000),
    };
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == -1)
        err(EXIT_FAILURE, "cannot set a socket option");
}

/* Takes connections of this machine only. Returns false where that cannot be
 * said (SO_BINDTODEVICE in socket(7): Linux, for all users from 5.7 on). */
static bool keep_to_loopback(int listener)
{
#ifdef SO_BINDTODEVICE
    return setsockopt(listener, SOL_SOCKET, SO_BINDTODEVICE, "lo",
                      sizeof "lo") == 0;
#else
    (void)listener;
    return false;
#endif
}

/* Closes the socket and keeps errno. Returns -1. */
static int give_up(int listener)
{
    int reason = errno;
    close(listener);
    errno = reason;
    return -1;
}

/* A socket that listens at this address (is_shared: with others), or -1 with
 * errno. */
static int listen_at(const struct addrinfo *address, int backlog,
                     bool is_shared)
{
    int listener = socket(address->ai_family, SOCK_STREAM, 0);
    if (listener == -1)
        return -1;
    fcntl(listener, F_SETFD, FD_CLOEXEC);

    /* accept must not block: it would not notice a stop. */
    fcntl(listener, F_SETFL, O_NONBLOCK);
    /* A restart must bind although old connections rest in TIME_WAIT. */
    set_option(listener, SOL_SOCKET, SO_REUSEADDR);
    /* Accepted sockets inherit this: small replies leave at once. */
    set_option(listener, IPPROTO_TCP, TCP_NODELAY);
    /* This, too: the kernel asks a silent client whether it still exists. */
    set_option(listener, SOL_SOCKET, SO_KEEPALIVE);
    limit_recv(listener);
    if (is_shared)
        set_option(listener, SOL_SOCKET, SO_REUSEPORT);
    if (address->ai_family == AF_INET6) { /* "::" takes IPv4, too */
        int off = 0;
        setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }

    if (is_local && !keep_to_loopback(listener))
        return give_up(listener);
    if (bind(listener, address->ai_addr, address->ai_addrlen) == -1 ||
        listen(listener, backlog) == -1)
        return give_up(listener);
    return listener;
}

static int listen_on(const char *host, int port, int backlog)
{
    struct addrinfo *address = address_resolve(host, port);
    int listener = listen_at(address, backlog, false);
    int reason = errno;
    freeaddrinfo(address);
    errno = reason;
    return listener;
}

int tcp_listen(const char *host, int port, int backlog)
{
    bool is_any = strcmp(host, "*") == 0;
    is_local = strcmp(host, "localhost") == 0;
    bool is_both = is_any || is_local; /* IPv6 and IPv4, on one socket */
    int listener = listen_on(is_both ? "::" : host, port, backlog);
    if (listener == -1 && is_both &&
        errno != EADDRINUSE) { /* there is no way */
        is_local = false;
        listener = listen_on(is_any ? "0.0.0.0" : "127.0.0.1", port, backlog);
    }
    if (listener == -1)
        errx(EXIT_FAILURE, "cannot listen on %s port %d: %s%s", host, port,
             strerror(errno),
             errno == EADDRINUSE ? " (--port=0 takes any free port)" : "");
    stop_on_signals(listener);
    return listener;
}

int tcp_listen_beside(int first, int backlog)
{
    struct sockaddr_storage address = {0};
    struct addrinfo found = {.ai_addr = (struct sockaddr *)&address,
                             .ai_addrlen = sizeof address};
    set_option(first, SOL_SOCKET, SO_REUSEPORT);
    getsockname(first, found.ai_addr, &found.ai_addrlen);
    found.ai_family = address.ss_family;
    int listener = listen_at(&found, backlog, true);
    if (listener == -1)
        err(EXIT_FAILURE, "cannot listen once more");
    return listener;
}

int tcp_waiting(int listener)
{
#ifdef __linux__
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length) == 0)
        return (int)info.tcpi_unacked; /* of a listener: its accept queue */
#endif
    (void)listener;
    return 0;
}

bool tcp_defer_accept(int listener, int64_t limit_ns)
{
#ifdef TCP_DEFER_ACCEPT
    int seconds = (int)((limit_ns + NS_PER_S - 1) / NS_PER_S);
    return setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
                      sizeof seconds) == 0;
#else
    (void)listener, (void)limit_ns;
    return false;
#endif
}

int tcp_granted_backlog(int backlog)
{
    int64_t cap = quota_allowed(BACKLOG);
    return backlog < cap ? backlog : (int)cap;
}

/* --- accept ------------------------------------------------------------- */

/* What to do about a failed accept: nothing, a pause, or a stop. Of the errors
 * of one client accept(2) says to try again. */
static void outlive_accept_error(void)
{
    switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
        say_error("cannot accept for now");
        wait_for(-1, 0, now_ns() + SHORTAGE_PAUSE_NS, true);
        break;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
        if (stop_requested())
            break; /* the listener was closed under our hands */
        say_error("cannot accept any more");
        stop_after_failure();
        break;
    default:
        break;
    }
}

/* Tries first and then waits: under load the next client is already there. */
int tcp_accept(int listener)
{
    while (!stop_requested()) {
        int64_t next_look = refuse_look_after();
        struct sockaddr_storage address = {0};
        socklen_t length = sizeof address;
        int client = accept(listener, (struct sockaddr *)&address, &length);
        if (client != -1) {
            fcntl(client, F_SETFD, FD_CLOEXEC);
            visit_accept(client, address_port(&address));
            return client;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            wait_or_notified(listener, POLLIN, refuse_fd(), next_look, true);
        else
            outlive_accept_error();
    }
    refuse_end();
    return -1;
}

/* --- connect ------------------------------------------------------------ */

/* connect(2) has no limit of its own but the kernel's, of minutes. */
static int connect_until(int fd, const struct addrinfo *address,
                         int64_t deadline)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    int error = 0;
    socklen_t length = sizeof error;
    if (connect(fd, address->ai_addr, address->ai_addrlen) == -1)
        error = errno;
    if (error == EINPROGRESS || error == EINTR) {
        error = ETIMEDOUT;
        if (wait_for(fd, POLLOUT, deadline, false) == READY)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    }
    fcntl(fd, F_SETFL, flags);
    errno = error;
    return error == 0 ? 0 : -1;
}

int tcp_connect(const struct addrinfo *addresses, int64_t deadline)
{
    int fd = -1;
    for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM, 0);
        if (fd != -1)
            limit_recv(fd);
        if (fd != -1 && connect_until(fd, a, deadline) == 0)
            break;
        int error = errno;
        if (fd != -1)
            close(fd);
        fd = -1;
        errno = error;
    }
    return fd;
}

const char *tcp_reason(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "connection refused: no server listens there";
    case ECONNRESET:
    case EPIPE:
        return "connection reset: the server broke it off";
    case ETIMEDOUT:
        return "timed out: no answer came";
    case EHOSTUNREACH:
    case ENETUNREACH:
        return "unreachable: no way leads to that address";
    case EADDRNOTAVAIL:
        return "no free port on this side";
    default:
        return strerror(error);
    }
}
