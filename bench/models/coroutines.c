/* Coroutines: lab 2 with a coroutine for each client instead of a thread, on an
 * event loop for each core.
 * What its clients see: everybody is served at once, as in lab 2, and thousands
 * cost little. But one long computation stops all clients of its loop, as the
 * slow client of lab 1 did. */

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flags.h"
#include "loop/loop.h"
#include "say.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"
#include "wait.h"

enum { MAX_LOOPS = 64 };

static int listener, loops, max_clients = 10000;

/* One for each thread. */
static struct worker {
    struct loop *loop;
    int max_clients; /* its share */
    pthread_t thread;
} workers[MAX_LOOPS];
static _Thread_local const struct worker *self;

static void serve_client(int client)
{
    service_talk(client);
    close(client);
}

static void start_coroutine(int client)
{
    if (loop_start(serve_client, client) == -1) {
        say_error("cannot start a coroutine");
        service_refuse(client);
    }
}

/* The first coroutine of a loop, one more than its clients'. */
static void accept_clients(int shared_listener)
{
    int client;
    while (loop_await_room(self->max_clients + 1),
           (client = tcp_accept(shared_listener)) != -1)
        start_coroutine(client);
}

static void *run_loop(void *worker)
{
    self = worker;
    loop_run(self->loop, accept_clients, listener);
    return NULL;
}

static void open_loops(void)
{
    wait_poll = loop_poll;
    loops = loops < max_clients ? loops : max_clients;
    for (int i = 0; i < loops; i++)
        workers[i] = (struct worker){
            .loop = loop_open(),
            .max_clients = max_clients / loops + (i < max_clients % loops),
        };
    for (int i = 1; i < loops; i++)
        if ((errno = pthread_create(&workers[i].thread, NULL, run_loop,
                                    &workers[i])) != 0)
            err(EXIT_FAILURE, "cannot start loop %d of %d", i + 1, loops);
}

int main(int argc, char *argv[])
{
    loops = (int)sysconf(_SC_NPROCESSORS_ONLN);
    const struct flag flags[] = {
        {"loops", "event loops, each on a thread", .number = &loops, 1,
         MAX_LOOPS},
        {"max-clients", "most coroutines", .number = &max_clients, 1, 30000},
        {0},
    };
    /* The limits of lab 4 can be set; there are none unless one asks for them,
     * for a client that waits holds no worker. */
    service_limit_waits();
    wait_limits.idle_ns = wait_limits.request_ns = wait_limits.write_ns = 0;
    service_choose(argc, argv, flags);
    listener = service_listen(SOMAXCONN);
    open_loops();
    service_announce("coroutines", listener, "%d loops, up to %d clients",
                     loops, max_clients);
    run_loop(&workers[0]);
    for (int i = 1; i < loops; i++)
        pthread_join(workers[i].thread, NULL);
    return visits_report();
}
