/* Requests from a socket. The deadline is absolute: a limit on each recv would
 * start again with every byte, and a client that sends one byte at a time could
 * keep a worker for ever. */

#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "stop.h"
#include "visit.h"
#include "wait.h"

/* The default of reader.wait. */
static int wait_for_bytes(void *reader, int64_t deadline)
{
    const struct reader *in = reader;
    if (wait_for(in->client, POLLIN, deadline, false) == READY)
        return 1;
    errno = ETIMEDOUT;
    return -1;
}

void reader_open(struct reader *in, int client)
{
    in->client = client;
    in->start = in->end = 0;
    in->deadline = NEVER;
    in->ns_per_byte = 0;
    in->wait = wait_for_bytes;
    in->waiter = in;
}

/* Receives into the free part of the reader what has arrived, and waits if
 * nothing has. If tries_first, the first wait is inside recv, which saves a
 * system call for each request, unless others are to go on meanwhile. */
static ssize_t receive(struct reader *in, int64_t deadline, bool tries_first)
{
    for (;; tries_first = false) {
        int ready = tries_first ? 1 : in->wait(in->waiter, deadline);
        if (ready <= 0)
            return ready;
        ssize_t size =
            recv(in->client, in->bytes + in->end, sizeof in->bytes - in->end,
                 tries_first && !wait_gives_way() ? 0 : MSG_DONTWAIT);
        if (size >= 0) {
            in->end += (size_t)size;
            return size;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            return -1;
    }
}

int reader_await(int client)
{
    visit_in_request(client, false);
    if (!wait_gives_way() || stop_requested() ||
        wait_for(client, POLLIN, deadline_after(wait_limits.idle_ns), false) ==
            READY)
        return 1;
    errno = ETIMEDOUT;
    return -1;
}

int reader_begin(struct reader *in)
{
    visit_in_request(in->client, false);
    if (in->start == in->end && !stop_requested()) {
        in->start = in->end = 0;
        bool tries_first = in->wait == wait_for_bytes;
        ssize_t size =
            receive(in, deadline_after(wait_limits.idle_ns), tries_first);
        if (size <= 0)
            return (int)size;
    }
    visit_in_request(in->client, true);
    if (stop_requested())
        return 0; /* the stop may have shut down the socket */
    in->deadline = deadline_after(wait_limits.request_ns);
    in->ns_per_byte = 0;
    return 1;
}

ssize_t reader_fill(struct reader *in)
{
    if (in->end == sizeof in->bytes) {
        memmove(in->bytes, in->bytes + in->start, in->end - in->start);
        in->end -= in->start;
        in->start = 0;
    }
    if (in->end == sizeof in->bytes) {
        errno = EMSGSIZE;
        return -1;
    }
    ssize_t size = receive(in, in->deadline, false);
    if (size > 0 && in->deadline != NEVER)
        in->deadline += size * in->ns_per_byte;
    return size;
}

void reader_set_min_rate(struct reader *in, int64_t bytes_per_s)
{
    in->ns_per_byte = NS_PER_S / bytes_per_s;
}

/* The length of a line without its LF, or CR and LF. */
static size_t length_of_text(const char *line, size_t length)
{
    if (length > 0 && line[length - 1] == '\n')
        length--;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    return length;
}

ssize_t reader_next_line(struct reader *in, size_t longest, char **line)
{
    size_t seen = 0; /* bytes known to hold no LF */
    for (;;) {
        char *begin = in->bytes + in->start;
        size_t there = in->end - in->start;
        char *lf = memchr(begin + seen, '\n', there - seen);
        size_t length = lf != NULL ? (size_t)(lf - begin) + 1 : there;
        if (length_of_text(begin, length) > longest) {
            errno = EMSGSIZE;
            return -1;
        }
        ssize_t more = lf != NULL ? 0 : reader_fill(in);
        if (more < 0)
            return -1;
        if (more == 0) { /* the line, or the input, has ended */
            *line = in->bytes + in->start;
            in->start += length;
            return (ssize_t)length;
        }
        seen = there;
    }
}

ssize_t reader_line(struct reader *in, size_t longest, char **line)
{
    int begun = reader_begin(in);
    return begun <= 0 ? begun : reader_next_line(in, longest, line);
}
