/* Fork: lab 2 with a process for each client instead of a thread.
 * What its clients see: all are served at once, each as if alone, and no crash
 * of one harms another. But what one process learns no other knows: a chat room
 * for each member, barriers where nobody meets, a summary of no clients. */

#include <sys/socket.h>
#include <unistd.h>

#include "flags.h"
#include "loop/processes.h"
#include "say.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"

static int listener, max_clients = 1000;

static void start_process(int client)
{
    processes_await(max_clients - 1);
    pid_t child = process_start(listener, false);
    if (child == 0) {
        service_talk(client);
        _exit(0);
    }
    if (child == -1) {
        say_error("cannot start a process");
        service_refuse(client);
    } else {
        close(client); /* the child has it */
    }
}

int main(int argc, char *argv[])
{
    const struct flag flags[] = {
        {"max-clients", "most processes", .number = &max_clients, 1,
         MAX_PROCESSES},
        {0},
    };
    service_choose(argc, argv, flags);
    listener = service_listen(SOMAXCONN);
    service_announce("fork", listener, "up to %d processes", max_clients);

    int client;
    while ((client = tcp_accept(listener)) != -1)
        start_process(client);

    processes_stop();
    return visits_report();
}
