/* The smallest share since nobody waited last, and what it leaves of limits. */

#include "patience.h"

#include <stdatomic.h>
#include <stddef.h>

#include "wait.h"

#define MEMORY_NS (10 * NS_PER_S) /* how long a share is remembered */

double (*patience_share)(void);

/* Two threads that look at once may each remember: a share that was true. */
static _Atomic double remembered = 1;
static _Atomic int64_t forget_at;

double patience_now(void)
{
    double share = patience_share == NULL ? 1 : patience_share();
    int64_t now = now_ns();
    if (share >= 1 || share <= remembered || now >= forget_at) {
        remembered = share;
        forget_at = now + MEMORY_NS;
    }
    return remembered;
}

/* While others wait, waiting for a request to begin is worth no more than
 * waiting for it to end. */
int64_t patience_of(int64_t limit_ns)
{
    double share = patience_now();
    if (share >= 1 || limit_ns == 0)
        return limit_ns;
    if (wait_limits.request_ns != 0 && limit_ns > wait_limits.request_ns)
        limit_ns = wait_limits.request_ns;
    int64_t left_ns = (int64_t)((double)limit_ns * share);
    if (left_ns >= wait_limits.min_patience_ns)
        return left_ns;
    return limit_ns < wait_limits.min_patience_ns ? limit_ns
                                                  : wait_limits.min_patience_ns;
}

int64_t patience_deadline(int64_t deadline, int64_t limit_ns)
{
    return deadline == NEVER ? NEVER
                             : deadline - (limit_ns - patience_of(limit_ns));
}

int64_t patience_next_look(int64_t deadline)
{
    int64_t look = now_ns() + PATIENCE_LOOK_NS;
    return patience_share == NULL || deadline < look ? deadline : look;
}
