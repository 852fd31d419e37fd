/* Another right make of the queue: a linked list of what was pushed. */

#include "queue.h"

#include <err.h>
#include <stdlib.h>

struct node {
    int client;
    struct node *next;
};

static struct node *head, **tail = &head;
static unsigned long count;

void queue_open(struct queue *queue, int capacity, int workers, bool waits)
{
    *queue = (struct queue){.capacity = (unsigned long)capacity,
                            .workers = (unsigned long)workers,
                            .waits = waits,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .not_empty = PTHREAD_COND_INITIALIZER,
                            .not_full = PTHREAD_COND_INITIALIZER};
}

void queue_await_workers(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->idle != queue->workers)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
}

bool queue_push(struct queue *queue, int client)
{
    struct node *node = malloc(sizeof *node);
    if (node == NULL)
        return false;
    *node = (struct node){.client = client};
    pthread_mutex_lock(&queue->lock);
    while (count >= queue->capacity + queue->idle) {
        if (!queue->waits) {
            pthread_mutex_unlock(&queue->lock);
            free(node);
            return false;
        }
        pthread_cond_wait(&queue->not_full, &queue->lock);
    }
    *tail = node;
    tail = &node->next;
    count++;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_mutex_unlock(&queue->lock);
    return true;
}

int queue_pop(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->idle++;
    pthread_cond_broadcast(&queue->not_full);
    while (head == NULL && !queue->is_closed)
        pthread_cond_wait(&queue->not_empty, &queue->lock);
    queue->idle--;
    struct node *node = head;
    if (node != NULL) {
        head = node->next;
        count--;
        if (head == NULL)
            tail = &head;
    }
    pthread_mutex_unlock(&queue->lock);
    int client = node == NULL ? -1 : node->client;
    free(node);
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
}
