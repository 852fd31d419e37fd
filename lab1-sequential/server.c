/* Lab 1: a sequential server. It serves one client at a time.
 * What its clients see: the first is served at once. All others are connected,
 * but read nothing until all clients before them have left. */

#include <sys/socket.h>
#include <unistd.h>

#include "flags.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"

static void serve_client(int client)
{
    service_talk(client);
    close(client);
}

int main(int argc, char *argv[])
{
    const struct flag flags[] = {
        {0},
    };
    service_choose(argc, argv, flags);
    int listener = service_listen(SOMAXCONN);
    service_announce("lab1-sequential", listener, "one client at a time");

    int client;
    while ((client = tcp_accept(listener)) != -1)
        serve_client(client);

    return visits_report();
}
