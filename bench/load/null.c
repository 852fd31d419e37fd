/* The null server: accepts a client, answers at once, closes. What a bench
 * measures of it is not a server's doing but that of the kernel, the loopback
 * and the generator: a floor below every latency, a ceiling above every rate.
 *
 * It speaks as much of desk and of http/1.1 as the generator wants to hear. */

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"
#include "wait.h"
#include "write.h"

enum { MAX_REQUEST = 1024, MAX_ANSWER = 2048 };

static const char http_answer[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/* Returns how many bytes the answer has. */
static size_t compose_answer(char answer[MAX_ANSWER], const char *request)
{
    if (strncmp(request, "GET ", 4) == 0)
        return (size_t)snprintf(answer, MAX_ANSWER, "%s", http_answer);
    return (size_t)snprintf(answer, MAX_ANSWER, "Hello, client 0.\nok %s",
                            request);
}

/* A request comes in one piece here, for the generator sends it in one. */
static enum outcome answer_client(int client)
{
    char request[MAX_REQUEST], answer[MAX_ANSWER];
    if (wait_for(client, POLLIN, NEVER, true) != READY)
        return REFUSED;
    ssize_t length = recv(client, request, sizeof request - 1, 0);
    if (length <= 0)
        return LOST;
    request[length] = '\0';
    size_t size = compose_answer(answer, request);
    return write_all(client, answer, size) == 0 ? SERVED : LOST;
}

int main(int argc, char *argv[])
{
    service_choose(argc, argv, NULL);
    int listener = service_listen(SOMAXCONN);
    service_announce("null", listener, "answers at once");

    int client;
    while ((client = tcp_accept(listener)) != -1) {
        visit_begin(client);
        visit_end(client, answer_client(client));
        close(client);
    }
    return visits_report();
}
