/* A barrier of any size: clients that wait at it go on together. It shows how
 * many clients a server really serves at once, without a clock. */

#ifndef BARRIER_H
#define BARRIER_H

#include <stdbool.h>
#include <stdint.h>

/* For a client: waits until parties clients wait here at once, then all of
 * these go on, or until the deadline (now_ns). Returns whether they met; most
 * is then how many there were at once, seen from here; 0 if no descriptor was
 * left to wait with. */
bool barrier_wait(int client, int parties, int64_t deadline, int *most);

#endif
