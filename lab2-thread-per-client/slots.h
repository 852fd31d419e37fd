/* Slots: a counting semaphore that can also wait for all. A thread takes a slot
 * while it runs, and there are only so many. */

#ifndef SLOTS_H
#define SLOTS_H

/* Opens so many slots, all free. Before the first of the calls below. */
void slots_open(int count);

/* Takes a slot, waiting for one to be given back if none is free. */
void slots_take(void);

/* Gives a slot back. */
void slots_give(void);

/* Waits until all slots are free. For the thread that takes them. */
void slots_await_all(void);

#endif
