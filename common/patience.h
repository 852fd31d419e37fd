/* Patience: how much of a limit a client has while others wait. Lab 4.
 *
 * With q clients in line for w workers, a client has the share (w / (w + q))^2
 * of each limit L; all of it while nobody waits. The law: a newcomer that makes
 * the line q long waits for less than L * w / (w + q), the longer the line the
 * shorter. Before it are w + q - 1 clients, w of them served, and each has its
 * share:
 *
 *     (w + q - 1) / w * L * (w / (w + q))^2  <  L * w / (w + q)
 *
 * So it is less than L whatever the crowd, L / 2 at q = w, L / 4 at q = 3w. Of
 * that, those before it in line take L * wq / (w + q)^2, which is L / 4 at most
 * (at q = w). The share without the square, w / (w + q), promises L, and no
 * less in a large crowd than in a small one.
 *
 * Three things bound the law. A thread looks at the line every PATIENCE_LOOK_NS
 * only. No share is less than wait_limits.min_patience_ns, so that an honest
 * client can say something at all; a crowd of more than w * sqrt(L /
 * min_patience) waits for q/w * min_patience. And the share is the smallest
 * since the line was last empty (or of the last ten seconds, if it never is):
 * if shares grew while a line gets shorter, its last client would wait for
 * L * q / (w + q).
 *
 * Source: the arithmetic above, tried by tests/units/test_patience.c; the
 * crowds themselves by tests/faults/test_crowds.py. */

#ifndef PATIENCE_H
#define PATIENCE_H

#include <stdint.h>

#include "clock.h"

#define PATIENCE_LOOK_NS (250 * NS_PER_MS) /* how often to look at the line */

/* Returns the share of each limit that a client has now, from 1 to nearly 0.
 * Called from all workers. NULL, as in labs 1 to 3, is 1 for ever. Set before
 * the first client. */
extern double (*patience_share)(void);

/* The share that counts, as above. */
double patience_now(void);

/* What is left of a limit now; of 0, which is no limit, 0. */
int64_t patience_of(int64_t limit_ns);

/* When a deadline that comes limit_ns after its begin is to be met now. */
int64_t patience_deadline(int64_t deadline, int64_t limit_ns);

/* The deadline, or before it the moment to look again at how many wait. */
int64_t patience_next_look(int64_t deadline);

#endif
