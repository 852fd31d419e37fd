/* Lab 2: a thread per client. It serves all clients at once, up to a limit.
 * What its clients see: everybody is served at once, as if alone. At the limit,
 * newcomers wait as they did in lab 1. */

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flags.h"
#include "say.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"

/* The default, 8 MiB, would reserve 8 GiB for 1,000 clients. A service uses
 * less than 64 KiB; the rest is room for the sanitizers. */
enum { STACK_SIZE = 256 * 1024 };

static pthread_attr_t small; /* and detached: nobody joins these threads */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int threads, max_clients = 1000;

static void serve_client(int client)
{
    service_talk(client);
    close(client);
}

/* Counts a thread in or out, then waits while more than limit are running. */
static void count_threads(int change, int limit)
{
    pthread_mutex_lock(&lock);
    threads += change;
    pthread_cond_signal(&changed);
    while (threads > limit)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void *run_thread(void *client)
{
    serve_client((int)(intptr_t)client);
    count_threads(-1, max_clients);
    return NULL;
}

static void start_thread(int client)
{
    pthread_t thread;
    count_threads(+1, max_clients);
    /* Hands over the number, not its address: the loop's variable changes. */
    errno =
        pthread_create(&thread, &small, run_thread, (void *)(intptr_t)client);
    if (errno != 0) {
        say_error("cannot start a thread");
        service_refuse(client);
        count_threads(-1, max_clients);
    }
}

int main(int argc, char *argv[])
{
    const char *host = "127.0.0.1", *trace = NULL;
    int port = 9000;
    const struct flag flags[] = {
        {"host", "address to listen on", .text = &host},
        {"port", "port, 0 for any free one", .number = &port, .max = 65535},
        {"trace", "file for one CSV row per client", .text = &trace},
        {"max-clients", "most threads", .number = &max_clients, 1, 60000},
        {0},
    };
    service_choose(argc, argv, flags);
    visits_open(trace);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_SIZE);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);

    int listener = tcp_listen(host, port, SOMAXCONN);
    service_announce("lab2-thread-per-client", listener, "up to %d threads",
                     max_clients);

    int client;
    while ((client = tcp_accept(listener)) != -1)
        start_thread(client);
    count_threads(0, 0); /* waits until nobody is left */
    return visits_report();
}
