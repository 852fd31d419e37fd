/* Accept: lab 3 without a queue. Workers, each of them a lab 1, accept by
 * themselves; nobody hands clients over.
 * What its clients see: as many as there are workers are served at once, the
 * next wait in the kernel's queue. */
#include "loop/skeleton.h"

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

static void *work(void *unused)
{
    int client;
    while ((client = accept_alone()) != -1)
        serve_client(client);
    return unused;
}

int main(int argc, char *argv[])
{
    service_choose(argc, argv, workers_flag);
    listener = service_listen(SOMAXCONN);
    start_threads(workers, work);
    service_announce("accept", listener, "%d threads", workers);
    return finish();
}
