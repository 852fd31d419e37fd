/* Coroutines: lab 2 with a coroutine for each client instead of a thread, on an
 * event loop for each core.
 * What its clients see: everybody is served at once, as in lab 2, and thousands
 * cost little. But one long computation stops all clients of its loop, as the
 * slow client of lab 1 did. */
#include <stdatomic.h>

#include "loop/loop.h"
#include "loop/skeleton.h"

static int listener, loops, max_clients = 10000;
static atomic_int open_loops;
static _Thread_local int share; /* of max_clients, of this loop */

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
    if (++open_loops == loops)
        service_announce("coroutines", shared_listener,
                         "%d loops, up to %d clients", loops, max_clients);
    while (loop_await_room(share + 1),
           (client = tcp_accept(shared_listener)) != -1)
        start_coroutine(client);
}

static void *run_loop(void *number)
{
    share = max_clients / loops + ((long)number < max_clients % loops);
    loop_run(accept_clients, listener);
    return NULL;
}

int main(int argc, char *argv[])
{
    loops = (int)sysconf(_SC_NPROCESSORS_ONLN);
    const struct flag flags[] = {
        {"loops", "event loops, each on a thread", .number = &loops, 1, 64},
        {"max-clients", "most coroutines", .number = &max_clients, 1, 30000},
        {0},
    };
    /* Lab 4's limits, if asked for: a client that waits holds no worker. */
    service_limit_waits();
    wait_limits.idle_ns = wait_limits.request_ns = wait_limits.write_ns = 0;
    quota_client_needs = A_COROUTINE;
    service_choose(argc, argv, flags);
    listener = service_listen(SOMAXCONN);
    service_defer_accept(listener); /* what it wants is there: no first wait */
    wait_poll = loop_poll;
    wait_gives_way = true;
    loops = loops < max_clients ? loops : max_clients;
    start_threads(loops, run_loop);
    return finish();
}
