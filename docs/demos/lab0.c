/* Lab 0: a whole TCP server. It sends each line of each client back, one
 * client after the other, until it is stopped. Usage: server PORT */

#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve_client(int client)
{
    char bytes[4096];
    ssize_t length, sent;
    while ((length = read(client, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < length; i += sent)
            if ((sent = write(client, bytes + i, (size_t)(length - i))) == -1)
                return;
}

int main(int argc, char *argv[])
{
    if (argc != 2)
        errx(2, "usage: server PORT");
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((in_port_t)atoi(argv[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof address;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, size) == -1 ||
        listen(listener, SOMAXCONN) == -1 ||
        getsockname(listener, (struct sockaddr *)&address, &size) == -1)
        err(EXIT_FAILURE, "cannot listen on port %s", argv[1]);
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);

    signal(SIGPIPE, SIG_IGN); /* writing to a client that has left: an error */
    while (1) {
        int client = accept(listener, NULL, NULL);
        if (client == -1)
            continue;
        serve_client(client);
        close(client);
    }
}
