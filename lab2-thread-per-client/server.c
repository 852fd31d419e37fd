/* Lab 2: a thread per client. It serves all clients at once, up to a limit.
 * What its clients see: all are served at once, each as if alone. At the limit,
 * newcomers wait as they did in lab 1. */

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flags.h"
#include "say.h"
#include "service.h"
#include "slots.h"
#include "tcp.h"
#include "visit.h"

enum { STACK_SIZE = 256 * 1024 }; /* not 8 MiB: 1,000 times that is 8 GiB */
static pthread_attr_t small;      /* and detached: nobody joins these threads */

static void serve_client(int client)
{
    service_talk(client);
    close(client);
}

static void *work(void *client)
{
    serve_client((int)(intptr_t)client);
    slots_give();
    return NULL;
}

static void start_thread(int client)
{
    pthread_t thread;
    slots_take();
    /* Hands over the number, not its address: the loop's variable changes. */
    errno = pthread_create(&thread, &small, work, (void *)(intptr_t)client);
    if (errno != 0) {
        say_error("cannot start a thread");
        service_refuse(client);
        slots_give();
    }
}

int main(int argc, char *argv[])
{
    int max_clients = 1000;
    const struct flag flags[] = {
        {"max-clients", "most threads", .number = &max_clients, 1, 60000},
        {0},
    };
    service_choose(argc, argv, flags);
    slots_open(max_clients);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_SIZE);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);

    int listener = service_listen(SOMAXCONN);
    service_announce("lab2-thread-per-client", listener, "up to %d threads",
                     max_clients);

    int client;
    while ((client = tcp_accept(listener)) != -1)
        start_thread(client);

    slots_await_all();
    return visits_report();
}
