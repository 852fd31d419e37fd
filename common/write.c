/* Writing to sockets, and judging how fast a client reads. */

#include "write.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#ifdef __linux__
#include <sys/sendfile.h>
#endif
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "patience.h"
#include "stop.h"

#define ACK_CHECK_NS (250 * NS_PER_MS) /* how often to look for progress */

#define FILL_NS (100 * NS_PER_MS)   /* what comes first only fills a buffer */
#define PAUSE_NS (1000 * NS_PER_MS) /* between two waits: a new window */

#define STEP_RATE 3.0 /* an honest reader's rate at least, in minimum rates */

enum { FILE_CHUNK = 16384, MAX_STEP = 120000 };

/* How many bytes the client's kernel has acknowledged on this connection. */
static int64_t acknowledged(int client)
{
#if defined(__linux__)
    /* tcpi_bytes_acked (Linux 4.1), which glibc's struct tcp_info lacks. */
    unsigned char info[256];
    uint64_t bytes;
    const size_t offset = 120;
    socklen_t length = sizeof info;
    if (getsockopt(client, IPPROTO_TCP, TCP_INFO, info, &length) == -1 ||
        length < offset + sizeof bytes)
        return 0;
    memcpy(&bytes, info + offset, sizeof bytes);
    return (int64_t)bytes;
#elif defined(__APPLE__)
    struct tcp_connection_info info = {0};
    int unacknowledged = 0;
    socklen_t length = sizeof info;
    getsockopt(client, IPPROTO_TCP, TCP_CONNECTION_INFO, &info, &length);
    length = sizeof unacknowledged;
    getsockopt(client, SOL_SOCKET, SO_NWRITE, &unacknowledged, &length);
    return (int64_t)info.tcpi_txbytes - unacknowledged;
#else
    (void)client;
    return 0;
#endif
}

/* What a client has taken since its window began. A window goes on through all
 * waits that follow each other at once: one that began anew with each would let
 * a client live that takes just enough to end it. */
struct window {
    int64_t opened, begun; /* now_ns(), of the first window and this one */
    int64_t left;          /* when the last wait ended */
    int64_t total_then;    /* that were acknowledged when it began */
    int64_t total;         /* that were, when last looked at */
    int64_t step;          /* the most that came in one piece */
};

static struct window *window_of(int client)
{
    static struct window windows[MAX_DESCRIPTORS]; /* indexed by socket */
    struct window *window = &windows[client];
    int64_t now = now_ns();
    if (now - window->left > PAUSE_NS) {
        int64_t total = acknowledged(client);
        *window = (struct window){.opened = now,
                                  .begun = now,
                                  .total_then = total,
                                  .total = total,
                                  .step = total};
    }
    return window;
}

static void look_at(struct window *window, int client)
{
    int64_t total = acknowledged(client);
    if (total - window->total > window->step)
        window->step = total - window->total;
    window->total = total;
    if (now_ns() - window->opened < FILL_NS)
        window->total_then = total;
}

/* How long a window is now. */
static int64_t length_of(const struct window *window)
{
    int64_t limit_ns = wait_limits.write_ns;
    if (patience_now() < 1)
        return patience_of(limit_ns);
    if (stop_requested() || wait_limits.min_rate == 0)
        return limit_ns;
    double bytes = window->step < MAX_STEP ? (double)window->step : MAX_STEP;
    double rate = STEP_RATE * (double)wait_limits.min_rate;
    int64_t step_ns = (int64_t)(bytes / rate * (double)NS_PER_S);
    return step_ns > limit_ns ? step_ns : limit_ns;
}

/* At the end of a window: begins the next if enough was taken. While others
 * wait, all that is due in write_ns is due in the part of it that is left. */
static bool has_kept_up(struct window *window, int64_t length_ns)
{
    if (length_ns < wait_limits.write_ns)
        length_ns = wait_limits.write_ns;
    double due =
        (double)length_ns / (double)NS_PER_S * (double)wait_limits.min_rate;
    int64_t taken = window->total - window->total_then;
    if (taken < 1 || (double)taken < due)
        return false;
    window->begun = now_ns();
    window->total_then = window->total;
    return true;
}

enum wake write_wait(int client, int pipe, bool ends_on_stop)
{
    if (wait_limits.write_ns == 0)
        return wait_or_notified(client, POLLOUT, pipe, NEVER, ends_on_stop);
    struct window *window = window_of(client);
    enum wake wake = LATE;
    for (;;) {
        look_at(window, client);
        int64_t length_ns = length_of(window);
        int64_t end = window->begun + length_ns;
        if (now_ns() >= end && !has_kept_up(window, length_ns))
            break;
        bool is_filling = now_ns() - window->opened < FILL_NS;
        int64_t look = now_ns() + (is_filling ? FILL_NS / 4 : ACK_CHECK_NS);
        wake = wait_or_notified(client, POLLOUT, pipe, look < end ? look : end,
                                ends_on_stop);
        if (wake != LATE)
            break;
    }
    window->left = now_ns();
    return wake;
}

/* After send or sendfile failed with errno: returns 0 when it is to be tried
 * again, else -1 with errno. */
static int wait_to_write(int client)
{
    if (errno == EINTR)
        return 0;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return -1;
    if (write_wait(client, -1, false) == READY)
        return 0;
    errno = ETIMEDOUT;
    return -1;
}

int write_all(int client, const void *data, size_t size)
{
    const char *rest = data;
    while (size > 0) {
        ssize_t sent = send(client, rest, size, MSG_DONTWAIT);
        if (sent >= 0) {
            rest += sent;
            size -= (size_t)sent;
        } else if (wait_to_write(client) == -1) {
            return -1;
        }
    }
    return 0;
}

#ifdef __linux__
/* sendfile(2) has no MSG_DONTWAIT, so the socket itself must not block. Nothing
 * else notices: all other calls for a client's socket do not wait anyway. */
int write_file(int client, int file, off_t offset, off_t size)
{
    fcntl(client, F_SETFL, O_NONBLOCK);
    while (size > 0) {
        ssize_t sent = sendfile(client, file, &offset, (size_t)size);
        if (sent > 0) {
            size -= sent;
        } else if (sent == 0) {
            errno = EIO;
            return -1;
        } else if (wait_to_write(client) == -1) {
            return -1;
        }
    }
    return 0;
}
#else
int write_file(int client, int file, off_t offset, off_t size)
{
    char chunk[FILE_CHUNK];
    while (size > 0) {
        size_t wanted =
            size < (off_t)sizeof chunk ? (size_t)size : sizeof chunk;
        ssize_t count = pread(file, chunk, wanted, offset);
        if (count == 0)
            errno = EIO;
        if (count <= 0 || write_all(client, chunk, (size_t)count) == -1)
            return -1;
        offset += count;
        size -= count;
    }
    return 0;
}
#endif
