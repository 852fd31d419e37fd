/* TCP for servers and clients. The sockets of clients are waited for by poll
 * and then used with MSG_DONTWAIT, so that nothing but tcp_wait ever blocks;
 * the one other place is in reader.c, where a request begins. */

#include "tcp.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/sendfile.h>
#endif
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "say.h"
#include "stop.h"
#include "visit.h"

#define SHORTAGE_PAUSE_NS (100 * NS_PER_MS) /* until descriptors are free */
#define ACK_CHECK_NS (250 * NS_PER_MS)      /* how often to look for progress */
#define REFUSED_LINGER_NS (1000 * NS_PER_MS) /* to read that one is refused */
#define REFUSED_CHECK_NS (20 * NS_PER_MS)

enum {
    MOST_REFUSED = 128,
    BIN_SIZE = 4096,
    BINS_AT_ONCE = 256,
    FILE_CHUNK = 16384
};

struct tcp_limits tcp_limits;

/* Clients that were refused and are still reading why. They belong to the
 * accept loop, which looks after them while it waits. */
static struct refused {
    int client;
    int64_t deadline;
} refused[MOST_REFUSED];
static int refused_count;
static int64_t refused_next_check;

/* What is left until the deadline, for poll: -1 for ever, else rounded up, for
 * a wait that ended early would only begin again. */
static int milliseconds_until(int64_t deadline)
{
    if (deadline == NEVER)
        return -1;
    int64_t left_ms = (deadline - now_ns() + NS_PER_MS - 1) / NS_PER_MS;
    return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

enum wake tcp_wait_or_bell(int fd, short events, int bell, int64_t deadline,
                           bool ends_on_stop)
{
    struct pollfd polled[] = {
        {.fd = fd, .events = events},
        {.fd = ends_on_stop ? stop_fd() : -1, .events = POLLIN},
        {.fd = bell, .events = POLLIN}};
    for (;;) {
        /* Looked at first: a client who is never silent could else outrun it.
         */
        int timeout = milliseconds_until(deadline);
        if (timeout == 0)
            return LATE;
        int ready = poll(polled, 3, timeout);
        if (ready > 0 && polled[1].revents != 0)
            return STOPPED;
        if (ready > 0)
            return polled[2].revents != 0 ? RUNG : READY;
        if (ready == -1 && errno != EINTR)
            return LATE; /* no memory to wait with: this wait is given up */
    }
}

enum wake tcp_wait(int fd, short events, int64_t deadline, bool ends_on_stop)
{
    return tcp_wait_or_bell(fd, events, -1, deadline, ends_on_stop);
}

/* --- listen ------------------------------------------------------------- */

struct addrinfo *tcp_resolve(const char *host, int port)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    char service[sizeof "65535"];
    snprintf(service, sizeof service, "%d", port);
    int failure = getaddrinfo(host, service, &wanted, &addresses);
    if (failure != 0)
        errx(EXIT_FAILURE, "cannot resolve %s: %s", host,
             failure == EAI_SYSTEM ? strerror(errno) : gai_strerror(failure));
    return addresses;
}

static void set_option(int fd, int level, int option)
{
    int on = 1;
    if (setsockopt(fd, level, option, &on, sizeof on) == -1)
        err(EXIT_FAILURE, "cannot set a socket option");
}

/* Lets a wait in recv end at the idle limit, also of the sockets that a
 * listener will accept. That such a limit starts anew with each recv does no
 * harm to the first. */
static void limit_recv(int fd)
{
    struct timeval limit = {
        .tv_sec = (time_t)(tcp_limits.idle_ns / NS_PER_S),
        .tv_usec = (suseconds_t)(tcp_limits.idle_ns % NS_PER_S / 1000),
    };
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == -1)
        err(EXIT_FAILURE, "cannot set a socket option");
}

int tcp_listen(const char *host, int port, int backlog)
{
    struct addrinfo *address = tcp_resolve(host, port);
    int listener = socket(address->ai_family, SOCK_STREAM, 0);
    if (listener == -1)
        err(EXIT_FAILURE, "cannot make a socket");
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

    if (bind(listener, address->ai_addr, address->ai_addrlen) == -1 ||
        listen(listener, backlog) == -1)
        errx(EXIT_FAILURE, "cannot listen on %s port %d: %s%s", host, port,
             strerror(errno),
             errno == EADDRINUSE ? " (--port=0 takes any free port)" : "");
    freeaddrinfo(address);
    stop_on_signals(listener);
    return listener;
}

int tcp_granted_backlog(int backlog)
{
    char text[16] = "";
    FILE *file = fopen("/proc/sys/net/core/somaxconn", "r");
    if (file == NULL)
        return backlog; /* only Linux says */
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    long cap = length > 0 ? strtol(text, NULL, 10) : INT_MAX;
    return backlog < cap ? backlog : (int)cap;
}

/* --- refuse ------------------------------------------------------------- */

/* Reads away what has arrived, though not all of it if more keeps coming: the
 * caller has a deadline. Returns whether the client may still send. */
static bool discard_input(int client)
{
    char bin[BIN_SIZE];
    ssize_t size = 1;
    for (int i = 0; i < BINS_AT_ONCE && size > 0; i++)
        size = recv(client, bin, sizeof bin, MSG_DONTWAIT);
    if (size == -1)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return size > 0;
}

static void drop_refused(int i)
{
    close(refused[i].client);
    refused[i] = refused[--refused_count];
}

static void look_after_refused(void)
{
    int64_t now = now_ns();
    if (now < refused_next_check)
        return;
    refused_next_check = now + REFUSED_CHECK_NS;
    for (int i = refused_count - 1; i >= 0; i--)
        if (!discard_input(refused[i].client) || now >= refused[i].deadline)
            drop_refused(i);
}

void tcp_refuse(int client, const char *words)
{
    tcp_last_words(client, words, 0);
    if (refused_count == MOST_REFUSED)
        drop_refused(0);
    refused[refused_count++] = (struct refused){
        .client = client, .deadline = now_ns() + REFUSED_LINGER_NS};
}

void tcp_last_words(int client, const char *words, int64_t linger_ns)
{
    int64_t deadline = now_ns() + linger_ns;
    send(client, words, strlen(words), MSG_DONTWAIT); /* or never */
    shutdown(client, SHUT_WR);
    while (discard_input(client) && now_ns() < deadline)
        if (tcp_wait(client, POLLIN, deadline, false) != READY)
            break;
}

/* --- accept ------------------------------------------------------------- */

/* The port of the client, for the trace; the address may be of any family. */
static int port_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

/* What to do about a failed accept: nothing, a pause, or a stop. Of the errors
 * of one client accept(2) says to try again. */
static void outlive_accept_error(void)
{
    switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
        say_trouble("cannot accept for now");
        tcp_wait(-1, 0, now_ns() + SHORTAGE_PAUSE_NS, true);
        break;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
        if (stop_requested())
            break; /* the listener was closed under our hands */
        say_trouble("cannot accept any more");
        stop_after_failure();
        break;
    default:
        break;
    }
}

static void wait_for_client(int listener)
{
    int64_t deadline = refused_count > 0 ? refused_next_check : NEVER;
    tcp_wait(listener, POLLIN, deadline, true);
}

/* Asks first and waits then: in a crowd the next client is already there. */
int tcp_accept(int listener)
{
    while (!stop_requested()) {
        look_after_refused();
        struct sockaddr_storage address = {0};
        socklen_t length = sizeof address;
        int client = accept(listener, (struct sockaddr *)&address, &length);
        if (client != -1) {
            fcntl(client, F_SETFD, FD_CLOEXEC);
            visit_accept(client, port_of(&address));
            return client;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            wait_for_client(listener);
        else
            outlive_accept_error();
    }
    while (refused_count > 0)
        drop_refused(0);
    return -1;
}

/* --- connect ------------------------------------------------------------ */

int tcp_connect(const struct addrinfo *addresses)
{
    int fd = -1;
    for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM, 0);
        if (fd != -1)
            limit_recv(fd);
        if (fd != -1 && connect(fd, a->ai_addr, a->ai_addrlen) == 0)
            break;
        int reason = errno;
        if (fd != -1)
            close(fd);
        fd = -1;
        errno = reason;
    }
    return fd;
}

int tcp_raise_descriptor_limit(int most)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        err(EXIT_FAILURE, "cannot read the limit on descriptors");
    limit.rlim_cur =
        limit.rlim_max < (rlim_t)most ? limit.rlim_max : (rlim_t)most;
    if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
        err(EXIT_FAILURE, "cannot set the limit on descriptors");
    return (int)limit.rlim_cur;
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

/* --- write -------------------------------------------------------------- */

/* Bytes that were sent and not yet acknowledged by the client's kernel. */
static int unacknowledged(int client)
{
    int bytes = 0;
#ifdef __APPLE__
    socklen_t length = sizeof bytes;
    getsockopt(client, SOL_SOCKET, SO_NWRITE, &bytes, &length);
#else
    ioctl(client, TIOCOUTQ, &bytes); /* tcp(7) */
#endif
    return bytes;
}

/* The kernel buffers megabytes, so an honest slow reader makes no room for
 * seconds; but it acknowledges bytes, and one who stands still does not. */
enum wake tcp_wait_for_reader(int client, int bell, bool ends_on_stop)
{
    int waiting = unacknowledged(client);
    int64_t deadline = deadline_after(tcp_limits.write_ns);
    for (;;) {
        int64_t check = deadline == NEVER ? NEVER : now_ns() + ACK_CHECK_NS;
        enum wake wake =
            tcp_wait_or_bell(client, POLLOUT, bell, check, ends_on_stop);
        if (wake != LATE)
            return wake;
        int still_waiting = unacknowledged(client);
        if (still_waiting < waiting)
            deadline = deadline_after(tcp_limits.write_ns);
        waiting = still_waiting;
        if (now_ns() >= deadline)
            return LATE;
    }
}

/* The same for one who has nothing else to wait for: 0, or -1 with errno. */
static int wait_for_reader(int client)
{
    if (tcp_wait_for_reader(client, -1, false) == READY)
        return 0;
    errno = ETIMEDOUT;
    return -1;
}

int tcp_write(int client, const void *data, size_t size)
{
    const char *rest = data;
    while (size > 0) {
        ssize_t sent = send(client, rest, size, MSG_DONTWAIT);
        if (sent >= 0) {
            rest += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (wait_for_reader(client) == -1)
                return -1;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

#ifdef __linux__
/* sendfile(2) has no MSG_DONTWAIT, so the socket itself must not block. Nothing
 * else notices: all other calls for a client's socket do not wait anyway. */
int tcp_write_file(int client, int file, off_t offset, off_t size)
{
    fcntl(client, F_SETFL, O_NONBLOCK);
    while (size > 0) {
        ssize_t sent = sendfile(client, file, &offset, (size_t)size);
        if (sent > 0) {
            size -= sent;
        } else if (sent == 0) {
            errno = EIO;
            return -1;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (wait_for_reader(client) == -1)
                return -1;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}
#else
int tcp_write_file(int client, int file, off_t offset, off_t size)
{
    char chunk[FILE_CHUNK];
    while (size > 0) {
        size_t wanted =
            size < (off_t)sizeof chunk ? (size_t)size : sizeof chunk;
        ssize_t count = pread(file, chunk, wanted, offset);
        if (count == 0)
            errno = EIO;
        if (count <= 0 || tcp_write(client, chunk, (size_t)count) == -1)
            return -1;
        offset += count;
        size -= count;
    }
    return 0;
}
#endif

bool tcp_is_loopback(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) == -1)
        return false;
    if (address.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address;
        return ntohl(ipv4->sin_addr.s_addr) >> IN_CLASSA_NSHIFT ==
               IN_LOOPBACKNET;
    }
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address;
    return address.ss_family == AF_INET6 &&
           (IN6_IS_ADDR_LOOPBACK(&ipv6->sin6_addr) ||
            (IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr) &&
             ipv6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET));
}

void tcp_own_address(int fd, char text[ADDRESS_LENGTH])
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    char host[ADDRESS_LENGTH - sizeof "[]:65535"] = "?";
    char port[sizeof "65535"] = "?";
    getsockname(fd, (struct sockaddr *)&address, &length);
    getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port,
                sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(text, ADDRESS_LENGTH,
             address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
