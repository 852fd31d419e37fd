/* Lab 3: a thread pool. Workers, each of them a lab 1, take clients from a
 * queue. What its clients see: as many as there are workers are served at once.
 * The next wait in the queue. When it is full, newcomers wait as they did in
 * lab 1, or are told to come back later. */

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flags.h"
#include "queue.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"

enum { MAX_THREADS = 1000 };

static struct queue waiting;

static void serve_client(int client)
{
    service_talk(client);
    close(client);
}

static void *work(void *unused)
{
    int client;
    while ((client = queue_pop(&waiting)) != -1)
        serve_client(client);
    return unused;
}

static void start_workers(pthread_t *workers, int threads)
{
    for (int i = 0; i < threads; i++)
        if ((errno = pthread_create(&workers[i], NULL, work, NULL)) != 0)
            err(EXIT_FAILURE, "cannot start thread %d of %d", i + 1, threads);
    queue_await_workers(&waiting);
}

int main(int argc, char *argv[])
{
    const char *when_full = "wait";
    int threads = 16, queue = 64;
    const struct flag flags[] = {
        {"threads", "how many workers", .number = &threads, 1, MAX_THREADS},
        {"queue", "places to wait in", .number = &queue, .max = 60000},
        {"when-full", "what newcomers do when no place is left",
         .text = &when_full, .choices = "wait|refuse"},
        {0},
    };
    service_choose(argc, argv, flags);
    int listener = service_listen(SOMAXCONN);
    pthread_t workers[MAX_THREADS];
    queue_open(&waiting, queue, threads, strcmp(when_full, "wait") == 0);
    start_workers(workers, threads);
    service_announce("lab3-thread-pool", listener, "%d threads, queue of %d",
                     threads, queue);

    int client;
    while ((client = tcp_accept(listener)) != -1)
        if (!queue_push(&waiting, client))
            service_refuse(client);

    queue_close(&waiting);
    for (int i = 0; i < threads; i++)
        pthread_join(workers[i], NULL);
    queue_free(&waiting);
    return visits_report();
}
