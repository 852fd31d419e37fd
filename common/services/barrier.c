/* The barrier: a list of those who wait, a mutex, a condition variable. There
 * is no pthread_barrier_t in it: that has one size, no deadline, and macOS
 * lacks it.
 */

#include "barrier.h"

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"

/* One who waits. Lives on its own thread's stack while it is in the list. */
struct party {
    int wanted; /* how many must be here */
    int most;   /* how many were */
    bool has_met;
    struct party *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some_met;
static struct party *waiting;
static int waiting_count;

void barrier_open(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
#ifndef __APPLE__ /* which has no monotonic condition variables */
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    errno = pthread_cond_init(&some_met, &attributes);
    if (errno != 0)
        err(EXIT_FAILURE, "cannot make a condition variable");
    pthread_condattr_destroy(&attributes);
}

/* The deadline on the clock of the condition variable. */
static struct timespec deadline_for_wait(int64_t deadline)
{
#ifdef __APPLE__
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    deadline += wall.tv_sec * NS_PER_S + wall.tv_nsec - now_ns();
#endif
    return (struct timespec){.tv_sec = (time_t)(deadline / NS_PER_S),
                             .tv_nsec = (long)(deadline % NS_PER_S)};
}

static void leave(struct party *party)
{
    struct party **place = &waiting;
    while (*place != party)
        place = &(*place)->next;
    *place = party->next;
    waiting_count--;
}

/* Somebody came: lets all go on who have waited for this many. */
static void release_who_met(void)
{
    int count = waiting_count;
    struct party *next;
    for (struct party *party = waiting; party != NULL; party = next) {
        next = party->next;
        if (party->most < count)
            party->most = count;
        if (party->wanted <= count) {
            party->has_met = true;
            leave(party);
        }
    }
    if (waiting_count < count)
        pthread_cond_broadcast(&some_met);
}

bool barrier_wait(int parties, int64_t deadline, int *most)
{
    struct party self = {.wanted = parties};
    struct timespec until = deadline_for_wait(deadline);

    pthread_mutex_lock(&lock);
    self.next = waiting;
    waiting = &self;
    waiting_count++;
    release_who_met();
    while (!self.has_met &&
           pthread_cond_timedwait(&some_met, &lock, &until) != ETIMEDOUT)
        continue;
    if (!self.has_met)
        leave(&self);
    pthread_mutex_unlock(&lock);

    *most = self.most;
    return self.has_met;
}
