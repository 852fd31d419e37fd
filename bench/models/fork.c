/* Fork: lab 2 with a process for each client instead of a thread.
 * What its clients see: all are served at once, each as if alone, and no crash
 * of one harms another. But what one process learns no other knows: a chat room
 * for each member, barriers where nobody meets, a summary of no clients. */
#include "loop/skeleton.h"

static int listener, max_clients = 1000;

static void start_child(int client)
{
    await_processes(max_clients - 1);
    pid_t child = start_process(listener);
    if (child == 0) {
        dup2(stop_fd(), listener); /* or it would outlive the parent's */
        service_talk(client);
        _exit(0);
    } else if (child == -1) {
        say_error("cannot start a process");
        service_refuse(client);
    } else {
        close(client); /* the child has it */
    }
}

int main(int argc, char *argv[])
{
    quota_client_needs = A_PROCESS;
    service_choose(argc, argv,
                   (struct flag[]){{"max-clients", "most processes",
                                    .number = &max_clients, 1, MAX_PROCESSES},
                                   {0}});
    listener = service_listen(SOMAXCONN);
    service_announce("fork", listener, "up to %d processes", max_clients);
    int client;
    while ((client = tcp_accept(listener)) != -1)
        start_child(client);

    stop_processes();
    return visits_report();
}
