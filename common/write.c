/* Writing to sockets, and judging how fast a client reads. */

#include "write.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#ifdef __linux__
#include <sys/sendfile.h>
#endif
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#define ACK_CHECK_NS (250 * NS_PER_MS) /* how often to look for progress */

enum { FILE_CHUNK = 16384 };

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

/* The kernel buffers megabytes, so with an honest slow reader the socket takes
 * nothing for seconds; but bytes are acknowledged, and a reader that stands
 * still acknowledges none. */
enum wake write_wait(int client, int pipe, bool ends_on_stop)
{
    int waiting = unacknowledged(client);
    int64_t deadline = deadline_after(wait_limits.write_ns);
    for (;;) {
        int64_t check = deadline == NEVER ? NEVER : now_ns() + ACK_CHECK_NS;
        enum wake wake =
            wait_or_notified(client, POLLOUT, pipe, check, ends_on_stop);
        if (wake != LATE)
            return wake;
        int still_waiting = unacknowledged(client);
        if (still_waiting < waiting)
            deadline = deadline_after(wait_limits.write_ns);
        waiting = still_waiting;
        if (now_ns() >= deadline)
            return LATE;
    }
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
