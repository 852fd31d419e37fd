/* A counter, its mutex, its condition variable. Not sem_t: macOS has no unnamed
 * semaphores, and a semaphore cannot wait until all slots are free. */

#include "slots.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given_back = PTHREAD_COND_INITIALIZER;
static int total, available;

void slots_open(int count)
{
    total = available = count;
}

void slots_take(void)
{
    pthread_mutex_lock(&lock);
    while (available == 0)
        pthread_cond_wait(&given_back, &lock);
    available--;
    pthread_mutex_unlock(&lock);
}

void slots_give(void)
{
    pthread_mutex_lock(&lock);
    available++;
    pthread_mutex_unlock(&lock);
    pthread_cond_signal(&given_back); /* one thread at most waits */
}

void slots_await_all(void)
{
    pthread_mutex_lock(&lock);
    while (available < total)
        pthread_cond_wait(&given_back, &lock);
    pthread_mutex_unlock(&lock);
}
