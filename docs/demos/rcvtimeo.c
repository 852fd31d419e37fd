/* Serves one client with SO_RCVTIMEO, a limit of 1 s on each recv, and says how
 * long that client could hold it: see docs/4-timeouts-backlog.md. */

#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int listen_on(int port)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((unsigned short)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) == -1 ||
        listen(listener, 1) == -1)
        err(EXIT_FAILURE, "cannot listen on port %d", port);
    return listener;
}

/* Reads up to the end of a line, a byte at a time; each may take a second. */
static const char *read_line_with_rcvtimeo(int client)
{
    struct timeval limit = {.tv_sec = 1};
    char byte = '\0';
    ssize_t size = 1;
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    while (size == 1 && byte != '\n')
        size = recv(client, &byte, 1, 0);
    return size == -1 ? "timed out" : size == 0 ? "left" : "sent a line";
}

int main(int argc, char *argv[])
{
    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 9000);
    printf("listening; no recv may wait longer than 1 s\n");
    int client = accept(listener, NULL, NULL);
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    const char *outcome = read_line_with_rcvtimeo(client);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - begin.tv_sec) +
                     (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    printf("the client %s; it held the clerk for %.2f s\n", outcome, seconds);
    close(client);
    return EXIT_SUCCESS;
}
