/* Events: an epoll that watches sockets, a timer and signals.
 *
 * The timer is a timerfd, which is exact to the nanosecond where epoll_wait(2)
 * counts in milliseconds. (epoll_pwait2 would do without it; musl, and glibc
 * before 2.35, have none.) It never spins: a generator that spins takes the
 * processor from the server. */

#include "events.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"

static int epoll;
static int timer, signals;        /* epoll reports them by their addresses */
static int64_t timer_due = NEVER; /* NEVER: it is off */
static int signal_number;

static void watch_descriptor(int *fd)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = fd};
    if (*fd == -1 || epoll_ctl(epoll, EPOLL_CTL_ADD, *fd, &wanted) == -1)
        err(EXIT_FAILURE, "cannot watch for signals and deadlines");
}

/* Signals are read like sockets: epoll_pwait() lets none through for as long as
 * it finds events, and a busy loop always does. */
static void open_signals(void)
{
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    sigprocmask(SIG_BLOCK, &stops, NULL);
    signals = signalfd(-1, &stops, SFD_CLOEXEC);
    watch_descriptor(&signals);
    signal(SIGPIPE, SIG_IGN); /* a closed standard output is an error */
}

void events_open(void)
{
    prctl(PR_SET_TIMERSLACK, 1UL); /* if it fails, sleeps end 50 us later */
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll == -1)
        err(EXIT_FAILURE, "cannot make an epoll");
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    watch_descriptor(&timer);
    open_signals();
}

bool events_watch(struct client *c, uint32_t events)
{
    struct epoll_event wanted = {.events = events, .data.ptr = c};
    int change = c->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (c->watched != events &&
        epoll_ctl(epoll, change, c->socket, &wanted) == -1)
        return false;
    c->watched = events;
    return true;
}

/* A timer that ends too early costs one turn of the loop, and one that is not
 * set again costs nothing: deadlines mostly move away. */
static void set_timer(int64_t due)
{
    if (timer_due <= due)
        return;
    struct itimerspec moment = {
        .it_value = {.tv_sec = (time_t)(due / NS_PER_S),
                     .tv_nsec = (long)(due % NS_PER_S)}};
    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &moment, NULL) == -1)
        err(EXIT_FAILURE, "cannot set the timer");
    timer_due = due;
}

static void take_timer(void)
{
    uint64_t times;
    ssize_t count = read(timer, &times, sizeof times);
    (void)count; /* nothing to read: it was set again meanwhile */
    timer_due = NEVER;
}

static void take_signal(void)
{
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) == sizeof info)
        signal_number = (int)info.ssi_signo;
}

int events_wait(struct client *ready[EVENTS_AT_ONCE], int64_t due)
{
    struct epoll_event found[EVENTS_AT_ONCE];
    bool is_due = due <= now_ns();
    if (!is_due)
        set_timer(due);
    int found_count = epoll_wait(epoll, found, EVENTS_AT_ONCE, is_due ? 0 : -1);
    if (found_count == -1 && errno != EINTR)
        err(EXIT_FAILURE, "cannot wait for events");

    int count = 0;
    for (int i = 0; i < found_count; i++) {
        if (found[i].data.ptr == &timer) {
            take_timer();
        } else if (found[i].data.ptr == &signals) {
            take_signal();
        } else {
            ready[count] = found[i].data.ptr;
            ready[count++]->has_peer_closed =
                (found[i].events & EPOLLRDHUP) != 0;
        }
    }
    return count;
}

int events_signal(void)
{
    return signal_number;
}
