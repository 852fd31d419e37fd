/* Lab 4: lab 3, defended against silence and crowds.
 * What its clients see: the same as in lab 3, but a client that keeps a worker
 * waiting is told that time is up. The kernel's queue has a chosen length, too.
 */

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "flags.h"
#include "lab3-thread-pool/queue.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"
#include "wait.h"

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
    int threads = 16, queue = 64, backlog = 128;
    wait_limits = (struct wait_limits){.idle_ns = 30 * NS_PER_S,
                                       .request_ns = 10 * NS_PER_S,
                                       .write_ns = 10 * NS_PER_S};
    const struct flag flags[] = {
        {"threads", "how many workers", .number = &threads, 1, MAX_THREADS},
        {"queue", "places to wait in", .number = &queue, .max = 60000},
        {"when-full", "what newcomers do when no place is left",
         .text = &when_full, .choices = "wait|refuse"},
        {"backlog", "the kernel's places", .number = &backlog, .max = 65535},
        {"idle-timeout", "how long a worker waits for a request to begin",
         .duration_ns = &wait_limits.idle_ns},
        {"request-timeout", "how long a request may take to arrive",
         .duration_ns = &wait_limits.request_ns},
        {"write-timeout", "how long a reader may stand still",
         .duration_ns = &wait_limits.write_ns},
        {0},
    };
    service_choose(argc, argv, flags);
    int listener = service_listen(backlog);
    pthread_t workers[MAX_THREADS];
    queue_open(&waiting, queue, threads, strcmp(when_full, "wait") == 0);
    start_workers(workers, threads);
    int granted = tcp_granted_backlog(backlog);
    service_announce("lab4-timeouts-backlog", listener,
                     "%d threads, queue of %d, backlog of %d%s", threads, queue,
                     granted, granted < backlog ? ", the kernel's limit" : "");

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
