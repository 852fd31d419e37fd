/* One usher puts 200,000 numbers into lab 3's queue, and workers take them out:
 * wake [WORKERS]. What does each one cost? See docs/3b-wake-ups.md. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "queue.h"

enum { CLIENTS = 200000, MAX_WORKERS = 256, PLACES = 64 };

static struct queue waiting;

static void *work(void *unused)
{
    while (queue_pop(&waiting) != -1)
        ; /* a very short talk */
    return unused;
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char *argv[])
{
    int count = argc > 1 ? atoi(argv[1]) : 64;
    pthread_t workers[MAX_WORKERS];
    struct rusage used;
    if (count > MAX_WORKERS)
        count = MAX_WORKERS;
    queue_open(&waiting, PLACES, count, true);
    for (int i = 0; i < count; i++)
        if (pthread_create(&workers[i], NULL, work, NULL) != 0)
            return EXIT_FAILURE;
    queue_await_workers(&waiting);

    double begin = now_us();
    for (int i = 0; i < CLIENTS; i++)
        queue_push(&waiting, i);
    queue_close(&waiting);
    for (int i = 0; i < count; i++)
        pthread_join(workers[i], NULL);
    double took = now_us() - begin;
    getrusage(RUSAGE_SELF, &used);
    printf("%6.2f us and %.2f switches for each client\n", took / CLIENTS,
           (double)(used.ru_nvcsw + used.ru_nivcsw) / CLIENTS);
    return EXIT_SUCCESS;
}
