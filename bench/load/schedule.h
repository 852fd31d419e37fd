/* The schedule: when each client starts, and what it asks. The same seed gives
 * the same schedule. */

#ifndef LOAD_SCHEDULE_H
#define LOAD_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

/* Plans the first start for the moment opening_ns. */
void schedule_open(int64_t opening_ns);

/* When the next client is to start; NEVER when all have. */
int64_t schedule_next(void);

/* Takes the next start off the schedule, and returns when it is to be. */
int64_t schedule_take(void);

/* May an attempt still start at now_ns? */
bool schedule_is_open(int64_t now_ns);

/* What the attempt number i asks; NULL for nothing. Call it once for each i. */
const struct request *schedule_request(int64_t i);

#endif
