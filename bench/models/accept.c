/* Accept: lab 3 without a queue. Workers, each of them a lab 1, accept by
 * themselves; nobody hands clients over.
 * What its clients see: as many as there are workers are served at once, the
 * next wait in the kernel's queue. */

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flags.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"

enum { MAX_WORKERS = 1000 };

static int listener;
static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;

/* One worker at a time waits for a client. If all did, all would wake up for
 * each; and if they blocked in accept(2), a stop would reach one of them. */
static int accept_alone(void)
{
    pthread_mutex_lock(&door);
    int client = tcp_accept(listener);
    pthread_mutex_unlock(&door);
    return client;
}

static void serve_client(int client)
{
    service_talk(client);
    close(client);
}

static void *work(void *unused)
{
    int client;
    while ((client = accept_alone()) != -1)
        serve_client(client);
    return unused;
}

int main(int argc, char *argv[])
{
    int count = 16;
    pthread_t workers[MAX_WORKERS];
    const struct flag flags[] = {
        {"workers", "how many threads", .number = &count, 1, MAX_WORKERS},
        {0},
    };
    service_choose(argc, argv, flags);
    listener = service_listen(SOMAXCONN);
    for (int i = 0; i < count; i++)
        if ((errno = pthread_create(&workers[i], NULL, work, NULL)) != 0)
            err(EXIT_FAILURE, "cannot start thread %d of %d", i + 1, count);
    service_announce("accept", listener, "%d threads", count);

    for (int i = 0; i < count; i++)
        pthread_join(workers[i], NULL);
    return visits_report();
}
