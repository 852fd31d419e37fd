/* Prefork: lab 1 in several processes, which all accept from one listener.
 * What its clients see: as many as there are processes are served at once, the
 * next wait in the kernel's queue. As with fork, no process knows the others'
 * clients: each counts from 1. All of them wake up for each client that comes,
 * and all but one find nobody: a thundering herd. */

#include <err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "flags.h"
#include "loop/processes.h"
#include "say.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"
#include "wait.h"

static void serve_client(int client)
{
    service_talk(client);
    close(client);
}

static void start_worker(int listener)
{
    int client;
    pid_t child = process_start(listener, true);
    if (child == -1)
        err(EXIT_FAILURE, "cannot start a process");
    if (child != 0)
        return;
    while ((client = tcp_accept(listener)) != -1)
        serve_client(client);
    _exit(0);
}

int main(int argc, char *argv[])
{
    int workers = 16;
    const struct flag flags[] = {
        {"workers", "how many processes", .number = &workers, 1, MAX_PROCESSES},
        {0},
    };
    service_choose(argc, argv, flags);
    int listener = service_listen(SOMAXCONN);
    say_as("prefork"); /* the children, too */
    for (int i = 0; i < workers; i++)
        start_worker(listener);
    service_announce("prefork", listener, "%d processes", workers);

    wait_for(-1, 0, NEVER, true); /* for a stop */
    processes_stop();
    return visits_report();
}
