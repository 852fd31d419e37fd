/* The barrier: a list of the waiting parties, a mutex, and a pipe for each that
 * wakes it. There is no pthread_barrier_t in it: that has one size, no
 * deadline, and macOS lacks it. Nor a condition variable: the one wait is the
 * only one. */

#include "barrier.h"

#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#include "work.h"

/* A waiting client. Lives on its thread's stack while it is in the list. */
struct party {
    int wanted; /* how many must be here */
    int most;   /* how many were */
    bool has_met;
    int pipe[2]; /* readable from the moment it has met the others */
    struct party *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct party *waiting;
static int waiting_count;

static void leave(struct party *party)
{
    struct party **link = &waiting;
    while (*link != party)
        link = &(*link)->next;
    *link = party->next;
    waiting_count--;
}

/* One more has come: lets all go on that waited for so many. */
static void release_complete(void)
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
            ssize_t written = write(party->pipe[1], "", 1);
            (void)written; /* an empty pipe has room for one byte */
        }
    }
}

static void join(struct party *self)
{
    pthread_mutex_lock(&lock);
    self->next = waiting;
    waiting = self;
    waiting_count++;
    release_complete();
    pthread_mutex_unlock(&lock);
}

bool barrier_wait(int client, int parties, int64_t deadline, int *most)
{
    struct party self = {.wanted = parties};
    *most = 0;
    if (pipe(self.pipe) == -1)
        return false;

    join(&self);
    work_wait(client, self.pipe[0], deadline);
    pthread_mutex_lock(&lock);
    if (!self.has_met)
        leave(&self);
    pthread_mutex_unlock(&lock);

    close(self.pipe[0]);
    close(self.pipe[1]);
    *most = self.most;
    return self.has_met;
}
