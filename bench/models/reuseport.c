/* Reuseport: accept with a listener for each worker. The kernel chooses one for
 * each client when it connects, by a hash of the addresses (SO_REUSEPORT).
 * What its clients see: nobody waits at a common door; but a client that the
 * kernel gave to a busy worker waits for that one, while others have none. */
#include "loop/skeleton.h"

static int listeners[MAX_WORKERS];

static void *work(void *number)
{
    int client;
    while ((client = tcp_accept(listeners[(long)number])) != -1)
        serve_client(client);
    return NULL;
}

int main(int argc, char *argv[])
{
    service_choose(argc, argv, workers_flag);
    listeners[0] = service_listen(SOMAXCONN);
    for (int i = 1; i < workers; i++)
        listeners[i] = tcp_listen_beside(listeners[0], SOMAXCONN);
    start_threads(workers, work);
    service_announce("reuseport", listeners[0], "%d threads", workers);

    wait_for(-1, 0, NEVER, true); /* for a stop, which closes the first */
    for (int i = 1; i < workers; i++)
        shutdown(listeners[i], SHUT_RDWR);
    return finish();
}
