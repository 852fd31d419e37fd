/* Prefork: lab 1 in several processes, which all accept from one listener.
 * What its clients see: as many as there are processes are served at once, the
 * next wait in the kernel's queue. As with fork, no process knows the others'
 * clients: each counts from 1. All of them wake up for each client that comes,
 * and all but one find nobody: a thundering herd. */
#include "loop/skeleton.h"

static void work(int listener)
{
    int client;
    while ((client = tcp_accept(listener)) != -1)
        serve_client(client);
}

int main(int argc, char *argv[])
{
    quota_client_needs = A_PROCESS;
    service_choose(argc, argv, workers_flag);
    int listener = service_listen(SOMAXCONN);
    say_as("prefork"); /* the children, too */
    for (int i = 0; i < workers; i++)
        if (!start_process(work, listener, listener))
            err(EXIT_FAILURE, "cannot start process %d of %d", i + 1, workers);
    service_announce("prefork", listener, "%d processes", workers);
    return finish();
}
