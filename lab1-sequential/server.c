/* Lab 1: a sequential server. It serves one client at a time.
 * What its clients see: the first is served at once. All others are connected,
 * but hear nothing until everybody before them has left. */

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
    const char *host = "127.0.0.1", *trace = NULL;
    int port = 9000;
    const struct flag flags[] = {
        {"host", "address to listen on", .text = &host},
        {"port", "port, 0 for any free one", .number = &port, .max = 65535},
        {"trace", "file for one CSV row per client", .text = &trace},
        {0},
    };
    service_choose(argc, argv, flags);
    visits_open(trace);

    int listener = tcp_listen(host, port, SOMAXCONN);
    service_announce("lab1-sequential", listener, "one client at a time");

    int client;
    while ((client = tcp_accept(listener)) != -1)
        serve_client(client);

    return visits_report();
}
