/* A binary heap: the parent of place n is at n / 2, and not later. */

#include "timers.h"

#include <stdlib.h>

bool timers_reserve(struct timers *timers, size_t count)
{
    if (count < timers->capacity)
        return true;
    size_t capacity = 2 * count + 64;
    struct timer **heap = realloc(timers->heap, capacity * sizeof *heap);
    if (heap == NULL)
        return false;
    timers->heap = heap;
    timers->capacity = capacity;
    return true;
}

static void put(struct timers *timers, size_t place, struct timer *timer)
{
    timers->heap[place] = timer;
    timer->place = place;
}

/* Puts timer at place, or further up while its parent is later. */
static void rise(struct timers *timers, size_t place, struct timer *timer)
{
    while (place > 1 && timers->heap[place / 2]->deadline > timer->deadline) {
        put(timers, place, timers->heap[place / 2]);
        place /= 2;
    }
    put(timers, place, timer);
}

/* Moves the earlier child up as long as there is one. Returns the free place.
 */
static size_t sink_hole(struct timers *timers, size_t place)
{
    for (size_t child; (child = 2 * place) <= timers->count; place = child) {
        if (child < timers->count &&
            timers->heap[child + 1]->deadline < timers->heap[child]->deadline)
            child++;
        put(timers, place, timers->heap[child]);
    }
    return place;
}

void timers_add(struct timers *timers, struct timer *timer)
{
    rise(timers, ++timers->count, timer);
}

void timers_remove(struct timers *timers, struct timer *timer)
{
    if (timer->place == 0)
        return;
    struct timer *last = timers->heap[timers->count--];
    if (last != timer)
        rise(timers, sink_hole(timers, timer->place), last);
    timer->place = 0;
}

struct timer *timers_first(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[1] : NULL;
}
