/* A bounded buffer as two counters that only grow: what was pushed and not yet
 * popped is waiting. Full and empty cannot be confused, and nothing wraps. */

#include "queue.h"

#include <err.h>
#include <stdlib.h>

void queue_open(struct queue *queue, int capacity, int workers, bool waits)
{
    unsigned long length = (unsigned long)capacity + (unsigned long)workers;
    *queue = (struct queue){.length = length,
                            .capacity = (unsigned long)capacity,
                            .workers = (unsigned long)workers,
                            .waits = waits,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .not_empty = PTHREAD_COND_INITIALIZER,
                            .not_full = PTHREAD_COND_INITIALIZER};
    queue->clients = calloc(length, sizeof *queue->clients);
    if (queue->clients == NULL)
        err(EXIT_FAILURE, "cannot make a queue for %d clients", capacity);
}

void queue_await_workers(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->idle < queue->workers)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
}

static bool is_full(const struct queue *queue)
{
    return queue->pushed - queue->popped >= queue->capacity + queue->idle;
}

bool queue_push(struct queue *queue, int client)
{
    pthread_mutex_lock(&queue->lock);
    while (is_full(queue) && queue->waits)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    bool has_place = !is_full(queue);
    if (has_place)
        queue->clients[queue->pushed++ % queue->length] = client;
    pthread_mutex_unlock(&queue->lock);
    /* After the unlock: a woken worker needs it. 1.1 to 2.0 times the rate. */
    pthread_cond_signal(&queue->not_empty);
    return has_place;
}

int queue_pop(struct queue *queue)
{
    int client = -1;
    pthread_mutex_lock(&queue->lock);
    queue->idle++;
    pthread_cond_signal(&queue->not_full);
    while (queue->pushed == queue->popped && !queue->is_closed)
        pthread_cond_wait(&queue->not_empty, &queue->lock);
    queue->idle--;
    if (queue->pushed != queue->popped)
        client = queue->clients[queue->popped++ % queue->length];
    pthread_mutex_unlock(&queue->lock);
    return client;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_broadcast(&queue->not_empty);
}

void queue_free(struct queue *queue)
{
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->lock);
    free(queue->clients);
}
