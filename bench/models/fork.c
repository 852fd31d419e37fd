/* Fork: lab 2 with a process for each client instead of a thread.
 * What its clients see: all are served at once, each as if alone, and no crash
 * of one harms another. But what one process learns no other knows: a chat room
 * for each member, barriers where nobody meets, a summary of no clients. */
#include "loop/skeleton.h"

static int listener, max_clients = 1000;

static void start_child(int client)
{
    await_processes(max_clients - 1);
    if (start_process(serve_client, client, listener)) {
        close(client); /* the child has it */
    } else {
        say_error("cannot start a process");
        service_refuse(client);
    }
}

int main(int argc, char *argv[])
{
    quota_client_needs = A_PROCESS;
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
        start_child(client);

    return finish();
}
