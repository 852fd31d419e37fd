/* Processes that serve: a parent starts them, hands a stop on, and waits. */

#ifndef PROCESSES_H
#define PROCESSES_H

#include <stdbool.h>
#include <sys/types.h>

enum { MAX_PROCESSES = 20000 };

/* As fork(2). The child has a stop of its own on listener, which it still holds
 * (or, if !keeps_listener, gives up). It ends if the parent does. */
pid_t process_start(int listener, bool keeps_listener);

/* Waits until at most max children are left, and forgets the others. */
void processes_await(int max);

/* Hands a stop on to the children, and waits for them. */
void processes_stop(void);

#endif
