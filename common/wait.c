/* Waiting by poll(2). A client's socket is waited for here and then used with
 * MSG_DONTWAIT, so that nothing else ever blocks; the one other place is in
 * reader.c, where a request begins. */

#include "wait.h"

#include <errno.h>
#include <limits.h>

#include "clock.h"
#include "stop.h"

struct wait_limits wait_limits;
int (*wait_poll)(struct pollfd *, nfds_t, int) = poll;
bool wait_gives_way;

/* What is left until the deadline, for poll: -1 for ever, else rounded up, or
 * the last part of a millisecond would be spent in calls that do not wait. */
static int milliseconds_until(int64_t deadline)
{
    if (deadline == NEVER)
        return -1;
    int64_t left_ms = (deadline - now_ns() + NS_PER_MS - 1) / NS_PER_MS;
    return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

enum wake wait_or_notified(int fd, short events, int pipe, int64_t deadline,
                           bool ends_on_stop)
{
    struct pollfd polled[] = {
        {.fd = fd, .events = events},
        {.fd = ends_on_stop ? stop_fd() : -1, .events = POLLIN},
        {.fd = pipe, .events = POLLIN}};
    for (;;) {
        /* Check the deadline first, or a client that never stops sending never
         * reaches it. */
        int timeout = milliseconds_until(deadline);
        if (timeout == 0)
            return LATE;
        int ready = wait_poll(polled, 3, timeout);
        if (ready > 0 && polled[1].revents != 0)
            return STOPPED;
        if (ready > 0)
            return polled[2].revents != 0 ? NOTIFIED : READY;
        if (ready == -1 && errno != EINTR)
            return LATE; /* no memory to wait with: this wait is given up */
    }
}

enum wake wait_for(int fd, short events, int64_t deadline, bool ends_on_stop)
{
    return wait_or_notified(fd, events, -1, deadline, ends_on_stop);
}
