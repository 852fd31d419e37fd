/* epoll(7) tells only of the descriptors that are ready: a loop with 10,000
 * silent clients does not look at them. poll(2) looks at all, each time. */

#define _GNU_SOURCE /* for ppoll, of Linux and the BSDs */
#include "watches.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef WATCH_BY_EPOLL
#include <sys/epoll.h>
#endif

#include "clock.h"

/* Rounded up, or the last part of a millisecond would be spent in calls that do
 * not wait. */
static int milliseconds_until(int64_t deadline)
{
    int64_t left_ns = deadline == NEVER ? NEVER : deadline - now_ns();
    if (left_ns >= INT_MAX * NS_PER_MS)
        return deadline == NEVER ? -1 : INT_MAX;
    return left_ns <= 0 ? 0 : (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
}

#ifdef WATCH_BY_EPOLL
bool watches_open(struct watches *watches)
{
    watches->epoll = epoll_create1(EPOLL_CLOEXEC);
    return watches->epoll != -1;
}

void watches_close(struct watches *watches)
{
    close(watches->epoll);
}

/* The events of epoll are those of poll, bit for bit (linux/eventpoll.h). */
bool watches_add(struct watches *watches, int fd, short events)
{
    struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};
    return epoll_ctl(watches->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void watches_remove(struct watches *watches, int fd)
{
    epoll_ctl(watches->epoll, EPOLL_CTL_DEL, fd, NULL); /* or it was closed */
}

/* epoll_wait counts in milliseconds, and half of one is much for a client that
 * asked for two: ppoll waits for the epoll itself, to the microsecond. */
static void wait_exactly(int epoll, int64_t deadline)
{
    struct pollfd polled = {.fd = epoll, .events = POLLIN};
    int64_t left_ns = deadline - now_ns();
    if (left_ns <= 0 || left_ns > 20 * NS_PER_MS)
        return;
    struct timespec left = {.tv_nsec = (long)left_ns};
    ppoll(&polled, 1, &left, NULL); /* what it says, epoll_wait will say */
}

int watches_wait(struct watches *watches, struct pollfd ready[MAX_READY],
                 int64_t deadline)
{
    struct epoll_event events[MAX_READY];
    if (deadline != NEVER)
        wait_exactly(watches->epoll, deadline);
    int count = epoll_wait(watches->epoll, events, MAX_READY,
                           milliseconds_until(deadline));
    for (int i = 0; i < count; i++)
        ready[i] = (struct pollfd){.fd = events[i].data.fd,
                                   .revents = (short)events[i].events};
    return count;
}
#else
bool watches_open(struct watches *watches)
{
    watches->length = 0;
    watches->polled = malloc(MAX_WATCHED * sizeof *watches->polled);
    return watches->polled != NULL;
}

void watches_close(struct watches *watches)
{
    free(watches->polled);
}

bool watches_add(struct watches *watches, int fd, short events)
{
    while (watches->length <= fd)
        watches->polled[watches->length++].fd = -1;
    watches->polled[fd] = (struct pollfd){.fd = fd, .events = events};
    return true;
}

void watches_remove(struct watches *watches, int fd)
{
    watches->polled[fd].fd = -1;
}

int watches_wait(struct watches *watches, struct pollfd ready[MAX_READY],
                 int64_t deadline)
{
    int count = 0;
    int left = poll(watches->polled, (nfds_t)watches->length,
                    milliseconds_until(deadline));
    for (int fd = 0; left > 0 && count < MAX_READY; fd++) {
        struct pollfd *polled = &watches->polled[fd];
        if (polled->fd == -1 || polled->revents == 0)
            continue;
        left--;
        if (polled->revents & POLLNVAL)
            polled->fd = -1; /* it was closed */
        else
            ready[count++] = *polled;
    }
    return count;
}
#endif
