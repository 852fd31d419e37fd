/* A bounded buffer as two counters that only grow: what was pushed and not yet
 * popped is waiting. Full and empty cannot be confused, and nothing wraps. */

#include "queue.h"

#include <err.h>
#include <sched.h>
#include <stdlib.h>

enum { LOOKS = 8, MOST_WOKEN = 2 };

void queue_open(struct queue *queue, int capacity, int workers, bool waits)
{
    *queue = (struct queue){
        .capacity = (unsigned long)capacity,
        .workers = (unsigned long)workers,
        .length = (unsigned long)capacity + (unsigned long)workers,
        .waits = waits,
    };
    queue->clients = calloc(queue->length, sizeof *queue->clients);
    if (queue->clients == NULL)
        err(EXIT_FAILURE, "cannot make a queue for %d clients", capacity);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->not_empty, NULL);
    pthread_cond_init(&queue->not_full, NULL);
}

/* Those below are called with the lock held. */

static bool is_empty(const struct queue *queue)
{
    return queue->pushed == queue->popped;
}

static bool is_full(const struct queue *queue)
{
    return queue->pushed - queue->popped >= queue->capacity + queue->idle;
}

/* Are too few workers on the way to the clients in the line? Two are enough,
 * for each will wake the next; others may come by before, and to be woken costs
 * as much as to serve a file. */
static bool needs_waking(const struct queue *queue)
{
    unsigned long waiting = queue->pushed - queue->popped;
    unsigned long wanted = waiting < MOST_WOKEN ? waiting : MOST_WOKEN;
    return queue->woken < wanted && queue->woken < queue->asleep;
}

/* Gives the lock back first, for who wakes up wants it. */
static void unlock_and_wake(struct queue *queue)
{
    bool wakes = needs_waking(queue);
    if (wakes)
        queue->woken++;
    pthread_mutex_unlock(&queue->lock);
    if (wakes)
        pthread_cond_signal(&queue->not_empty);
}

/* Stays up for a moment and lets others run: in a crowd, a client comes now. */
static void look_again(struct queue *queue)
{
    for (int i = 0; i < LOOKS && is_empty(queue); i++) {
        pthread_mutex_unlock(&queue->lock);
        sched_yield();
        pthread_mutex_lock(&queue->lock);
    }
}

void queue_await_workers(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->idle < queue->workers)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
}

bool queue_push(struct queue *queue, int client)
{
    pthread_mutex_lock(&queue->lock);
    while (is_full(queue) && queue->waits)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    bool has_place = !is_full(queue);
    if (has_place)
        queue->clients[queue->pushed++ % queue->length] = client;
    unlock_and_wake(queue);
    return has_place;
}

int queue_pop(struct queue *queue)
{
    int client = -1;
    pthread_mutex_lock(&queue->lock);
    queue->idle++;
    pthread_cond_signal(&queue->not_full);
    look_again(queue);
    while (is_empty(queue) && !queue->is_closed) {
        queue->asleep++;
        pthread_cond_wait(&queue->not_empty, &queue->lock);
        queue->asleep--;
        if (queue->woken > 0) /* else it is a close, or a false alarm */
            queue->woken--;
    }
    queue->idle--;
    if (!is_empty(queue))
        client = queue->clients[queue->popped++ % queue->length];
    unlock_and_wake(queue);
    return client;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_mutex_unlock(&queue->lock);
}

void queue_free(struct queue *queue)
{
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->lock);
    free(queue->clients);
}
