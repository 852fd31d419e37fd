/* The two kinds of work: time on the clock, and time on the processor. */

#include "work.h"

#include <stdint.h>
#include <time.h>

#include "clock.h"

void work_sleep(long ms)
{
    struct timespec left = {.tv_sec = ms / 1000,
                            .tv_nsec = ms % 1000 * NS_PER_MS};
    while (nanosleep(&left, &left) == -1) /* a signal ends it early */
        continue;
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
