/* The two kinds of work: time on the clock, and time on the processor. */

#include "work.h"

#include <stdint.h>
#include <time.h>

#include "clock.h"
#include "wait.h"

void work_sleep(long ms)
{
    wait_for(-1, 0, now_ns() + ms * NS_PER_MS, false);
}

static int64_t cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * NS_PER_S + used.tv_nsec;
}

void work_burn(long ms)
{
    int64_t end = cpu_ns() + ms * NS_PER_MS;
    while (cpu_ns() < end)
        continue;
}
