/* Reuseport: accept with a listener for each worker. The kernel chooses one for
 * each client when it connects, by a hash of the addresses (SO_REUSEPORT).
 * What its clients see: nobody waits at a common door; but a client that the
 * kernel gave to a busy worker waits for that one, while others have no client.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "flags.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"
#include "wait.h"

enum { MAX_WORKERS = 1000 };

static void allow(int fd, int level, int option)
{
    int on = 1;
    if (setsockopt(fd, level, option, &on, sizeof on) == -1)
        err(EXIT_FAILURE, "cannot set a socket option");
}

/* Opens one more listener at the address of the first. */
static int listen_beside(int first)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    getsockname(first, (struct sockaddr *)&address, &length);
    int listener = socket(address.ss_family, SOCK_STREAM, 0);
    allow(first, SOL_SOCKET, SO_REUSEPORT);
    allow(listener, SOL_SOCKET, SO_REUSEPORT);
    allow(listener, SOL_SOCKET, SO_REUSEADDR);
    allow(listener, SOL_SOCKET, SO_KEEPALIVE);
    allow(listener, IPPROTO_TCP, TCP_NODELAY);
    fcntl(listener, F_SETFD, FD_CLOEXEC);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    if (bind(listener, (struct sockaddr *)&address, length) == -1 ||
        listen(listener, SOMAXCONN) == -1)
        err(EXIT_FAILURE, "cannot listen once more");
    return listener;
}

static void serve_client(int client)
{
    service_talk(client);
    close(client);
}

static void *work(void *listener)
{
    int client;
    while ((client = tcp_accept((int)(intptr_t)listener)) != -1)
        serve_client(client);
    return NULL;
}

int main(int argc, char *argv[])
{
    int count = 16, listeners[MAX_WORKERS];
    pthread_t workers[MAX_WORKERS];
    const struct flag flags[] = {
        {"workers", "how many threads", .number = &count, 1, MAX_WORKERS},
        {0},
    };
    service_choose(argc, argv, flags);
    for (int i = 0; i < count; i++) {
        listeners[i] =
            i == 0 ? service_listen(SOMAXCONN) : listen_beside(listeners[0]);
        if ((errno = pthread_create(&workers[i], NULL, work,
                                    (void *)(intptr_t)listeners[i])) != 0)
            err(EXIT_FAILURE, "cannot start thread %d of %d", i + 1, count);
    }
    service_announce("reuseport", listeners[0], "%d threads", count);

    wait_for(-1, 0, NEVER, true); /* for a stop, which closes the first */
    for (int i = 1; i < count; i++)
        shutdown(listeners[i], SHUT_RDWR); /* and these refuse clients, too */
    for (int i = 0; i < count; i++)
        pthread_join(workers[i], NULL);
    return visits_report();
}
