/* Deadlines in order: a binary heap, so that the earliest is at hand and any
 * can be taken out again. */

#ifndef TIMERS_H
#define TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t deadline; /* now_ns() */
    size_t place;     /* in the heap, from 1; 0: in none */
    void *owner;      /* the caller's */
};

/* All zero is an empty one. */
struct timers {
    struct timer **heap; /* from 1 */
    size_t count, capacity;
};

/* Makes room for count timers. Returns false when there is no memory. */
bool timers_reserve(struct timers *timers, size_t count);

void timers_add(struct timers *timers, struct timer *timer);

/* Does nothing with a timer that is in no heap. */
void timers_remove(struct timers *timers, struct timer *timer);

/* The earliest, or NULL. */
struct timer *timers_first(const struct timers *timers);

#endif
