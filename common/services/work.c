/* The two kinds of work: time on the clock, and time on the processor. */

#include "work.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "clock.h"

#define HALF_CLOSED_NS (1 * NS_PER_S)  /* what is left to one that closed */
#define BURN_CHECK_NS (10 * NS_PER_MS) /* how often to look for the client */

/* What poll(2) says of a client that will send nothing more: POLLRDHUP, which
 * is not in POSIX. Elsewhere only a reset is seen. */
#ifdef __linux__
enum { INPUT_ENDS = 0x2000 };
#else
enum { INPUT_ENDS = 0 };
#endif

int64_t work_max_ns = 60 * NS_PER_S;

long work_max_ms(void)
{
    return (long)(work_max_ns / NS_PER_MS);
}

enum wake work_wait(int client, int pipe, int64_t deadline)
{
    enum wake wake =
        wait_or_notified(client, INPUT_ENDS, pipe, deadline, false);
    if (wake != READY)
        return wake;
    int64_t end = now_ns() + HALF_CLOSED_NS; /* a reset is seen at once */
    wake = wait_or_notified(client, 0, pipe, end < deadline ? end : deadline,
                            false);
    return wake == LATE && now_ns() < deadline ? READY : wake;
}

static int lost(void)
{
    errno = ECONNRESET;
    return -1;
}

int work_sleep(int client, long ms)
{
    int64_t end = now_ns() + ms * NS_PER_MS;
    return work_wait(client, -1, end) == READY ? lost() : 0;
}

static int64_t cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * NS_PER_S + used.tv_nsec;
}

/* Has the client gone? closed is when its input was first seen to have ended, 0
 * at first. */
static bool has_gone(int client, int64_t *closed)
{
    struct pollfd polled = {.fd = client, .events = INPUT_ENDS};
    poll(&polled, 1, 0);
    if ((polled.revents & (POLLERR | POLLHUP)) != 0)
        return true;
    if (polled.revents != 0 && *closed == 0)
        *closed = now_ns();
    return *closed != 0 && now_ns() - *closed >= HALF_CLOSED_NS;
}

int work_burn(int client, long ms)
{
    int64_t end = cpu_ns() + ms * NS_PER_MS, next_check = 0, closed = 0, now;
    while ((now = cpu_ns()) < end) {
        if (now >= next_check && has_gone(client, &closed))
            return lost();
        if (now >= next_check)
            next_check = now + BURN_CHECK_NS;
    }
    return 0;
}
