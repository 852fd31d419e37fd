/* Lab 4: lab 3, defended against silence and crowds.
 * What its clients see: the same as in lab 3, but a client that keeps a worker
 * waiting is told that time is up: the sooner, the more others wait. */

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flags.h"
#include "lab3-thread-pool/queue.h"
#include "patience.h"
#include "refuse.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"

enum { MAX_THREADS = 1000 };

static struct queue waiting;
static int listener, threads = 16;

/* By this law, a newcomer waits the less, the longer the line is: patience.h */
static double share_of_limits(void)
{
    double all = threads + visits_waiting() + tcp_waiting(listener);
    return threads / all * threads / all;
}

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

static void start_workers(pthread_t *workers)
{
    for (int i = 0; i < threads; i++)
        if ((errno = pthread_create(&workers[i], NULL, work, NULL)) != 0)
            err(EXIT_FAILURE, "cannot start thread %d of %d", i + 1, threads);
    queue_await_workers(&waiting);
}

int main(int argc, char *argv[])
{
    const char *when_full = "wait";
    int queue = 64, backlog = 128;
    const struct flag flags[] = {
        {"threads", "how many workers", .number = &threads, 1, MAX_THREADS},
        {"queue", "places to wait in", .number = &queue, .max = 60000},
        {"when-full", "what newcomers do when no place is left",
         .text = &when_full, .choices = "wait|refuse"},
        {"backlog", "the kernel's places", .number = &backlog, .max = 65535},
        {0},
    };
    service_limit_waits(); /* adds --idle-timeout and the like */
    service_choose(argc, argv, flags);
    patience_share = share_of_limits;
    listener = service_listen(backlog);
    service_defer_accept(listener);
    refuse_in_accept_loop();
    pthread_t workers[MAX_THREADS];
    queue_open(&waiting, queue, threads, strcmp(when_full, "wait") == 0);
    start_workers(workers);
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
