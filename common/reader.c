/* Requests from a socket. The deadline is absolute: a limit on each recv would
 * start again with every byte, and a client that sends one byte at a time could
 * keep a worker for ever. */

#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "patience.h"
#include "stop.h"
#include "text.h"
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
    in->is_upload = in->has_begun = false;
    in->wait = wait_for_bytes;
    in->waiter = in;
    in->filter = NULL;
    in->filtering = NULL;
}

/* Waits for bytes until the deadline, which comes the earlier the more clients
 * wait; limit_ns is how long it was at first. Returns as reader.wait does. */
static int wait_patiently(struct reader *in, int64_t deadline, int64_t limit_ns)
{
    int64_t end = patience_deadline(deadline, limit_ns);
    for (;;) {
        int64_t until = patience_next_look(end);
        int ready = in->wait(in->waiter, until);
        if (ready != -1 || errno != ETIMEDOUT || now_ns() < until)
            return ready;
        end = patience_deadline(deadline, limit_ns);
        if (now_ns() >= end)
            break;
    }
    errno = ETIMEDOUT;
    return -1;
}

/* Receives into the free part of the reader what has arrived, and waits if
 * nothing has. If tries_first, the first wait is inside recv, which saves a
 * system call for each request, unless others are to go on meanwhile. */
static ssize_t receive(struct reader *in, int64_t deadline, int64_t limit_ns,
                       bool tries_first)
{
    for (;; tries_first = false) {
        int ready = tries_first ? 1 : wait_patiently(in, deadline, limit_ns);
        if (ready <= 0)
            return ready;
        ssize_t size =
            recv(in->client, in->bytes + in->end, READER_CAPACITY - in->end,
                 tries_first && !wait_gives_way ? 0 : MSG_DONTWAIT);
        if (size > 0 && in->filter != NULL) {
            size = (ssize_t)in->filter(in->filtering, in->bytes + in->end,
                                       (size_t)size);
            if (size == 0)
                continue; /* nothing of it is for us */
        }
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
    if (stop_requested() ||
        wait_for(client, POLLIN, deadline_after(wait_limits.idle_ns), false) ==
            READY)
        return 0;
    errno = ETIMEDOUT;
    return -1;
}

int reader_begin(struct reader *in)
{
    visit_in_request(in->client, false);
    if (in->start == in->end && !stop_requested()) {
        in->start = in->end = 0;
        bool tries_first = in->wait == wait_for_bytes;
        int64_t limit_ns = in->has_begun || wait_limits.first_ns == 0
                               ? wait_limits.idle_ns
                               : wait_limits.first_ns;
        ssize_t size =
            receive(in, deadline_after(limit_ns), limit_ns, tries_first);
        if (size <= 0)
            return (int)size;
    }
    in->has_begun = true;
    visit_in_request(in->client, true);
    if (stop_requested())
        return 0; /* the stop may have shut down the socket */
    in->deadline = deadline_after(wait_limits.request_ns);
    in->is_upload = false;
    return 1;
}

/* In a crowd, the rate that is expected grows as patience shrinks. */
static void extend_deadline(struct reader *in, ssize_t size)
{
    double s = (double)size / (double)wait_limits.min_rate * patience_now();
    int64_t latest = deadline_after(wait_limits.request_ns);
    in->deadline += (int64_t)(s * (double)NS_PER_S);
    if (in->deadline > latest)
        in->deadline = latest;
}

ssize_t reader_fill(struct reader *in)
{
    if (in->end >= READER_CAPACITY) {
        memmove(in->bytes, in->bytes + in->start, in->end - in->start);
        in->end -= in->start;
        in->start = 0;
    }
    if (in->end >= READER_CAPACITY) {
        errno = EMSGSIZE;
        return -1;
    }
    ssize_t size = receive(in, in->deadline, wait_limits.request_ns, false);
    if (size > 0 && in->is_upload)
        extend_deadline(in, size);
    return size;
}

void reader_expect_upload(struct reader *in)
{
    in->is_upload = in->deadline != NEVER && wait_limits.min_rate > 0;
}

ssize_t reader_next_line(struct reader *in, size_t longest, char **line)
{
    size_t seen = 0; /* bytes known to hold no LF */
    for (;;) {
        char *begin = in->bytes + in->start;
        size_t there = in->end - in->start;
        char *lf = memchr(begin + seen, '\n', there - seen);
        size_t length = lf != NULL ? (size_t)(lf - begin) + 1 : there;
        if (text_without_end((struct text){begin, length}).length > longest) {
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
