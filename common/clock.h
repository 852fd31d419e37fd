/* One clock for the whole suite: nanoseconds that never jump. */

#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* A deadline that never passes. */
#define NEVER INT64_MAX

/* Nanoseconds on CLOCK_MONOTONIC, which all processes of a machine share and
 * which cannot be set (clock_gettime(2)). */
static inline int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists */
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* The moment limit_ns from now; NEVER for a limit of 0, which means none. */
static inline int64_t deadline_after(int64_t limit_ns)
{
    return limit_ns == 0 ? NEVER : now_ns() + limit_ns;
}

#endif
